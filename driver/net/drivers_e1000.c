/* drivers_e1000.c - the families of a kernel that vendors e1000 alone. */
#include "net/e1000.h"

const struct net_driver *const net_drivers[] = {&e1000_driver, NULL};
