/* drivers_all.c - the families of an image that carries every one. */
#include "net/e1000.h"
#include "net/virtio_net.h"

const struct net_driver *const net_drivers[] = {&e1000_driver, &virtio_net_driver, NULL};
const struct net_words net_words[] = {{&e1000_driver, e1000_describe}, {NULL, NULL}};
