/* driver.c - which family knows a device. */
#include "net/driver.h"

const struct net_driver *net_driver_find(const struct net_device_id *id, const struct net_model **model) {
  for(const struct net_driver *const *driver = net_drivers; *driver; driver++) {
    const struct net_model *found = (*driver)->match(id);
    if(found) {
      if(model) {
        *model = found;
      }
      return *driver;
    }
  }
  return NULL;
}
