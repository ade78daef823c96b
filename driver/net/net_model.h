/* net_model.h - what create and adopt of every family begin with: the part, and memory for the device. */
#ifndef NET_MODEL_H
#define NET_MODEL_H

#include "net/driver.h"

/* The row with these IDs in a family's table: `count` structs of `stride` bytes that begin with a struct net_model.
 * NULL when there is none. Touches nothing. */
const void *net_model_find(const void *models, size_t count, size_t stride, uint16_t vendor_id, uint16_t device_id);

/* Zeroed memory of `size` bytes from a host that speaks this version. NETDEV_E_INVALID for one that does not,
 * NETDEV_E_UNSUPPORTED without a model (NULL), NETDEV_E_NO_MEMORY; *out is then untouched. TPL_CALLBACK or lower,
 * thread. */
int net_device_new(const struct net_platform *platform, const struct net_model *model, size_t size, void **out);

#endif
