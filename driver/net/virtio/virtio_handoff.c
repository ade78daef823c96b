/* virtio_handoff.c - leaving a device to a kernel, and continuing one (include/net/HANDOFF.md). */
#include "virtio_nic.h"

int virtio_net_adopt(const struct net_platform *platform, const struct net_handoff_nic *nic, const void *block,
                     net_map map, struct netdev **out) {
  (void)platform;
  (void)nic;
  (void)block;
  (void)map;
  (void)out;
  return NETDEV_E_UNSUPPORTED;
}
