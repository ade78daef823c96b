/* drivers_virtio.c - the families of an image that carries virtio-net alone. */
#include "net/virtio_net.h"

const struct net_driver *const net_drivers[] = {&virtio_net_driver, NULL};
