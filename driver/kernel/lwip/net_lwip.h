/* net_lwip.h - a struct netdev as lwIP's network interface. README.md beside this file says what goes where. */
#ifndef KERNEL_NET_LWIP_H
#define KERNEL_NET_LWIP_H

#include <lwip/netif.h>

#include "net/netdevice.h"

/* One interface; the owner keeps it as long as lwIP knows it. */
struct net_lwip {
  struct netif netif; /* lwIP's */
  struct netdev *dev;
  uint64_t received; /* frames given to lwIP                                            */
  uint64_t sent;     /* frames given to the device                                      */
  uint64_t dropped;  /* that lwIP had no memory for or did not want, and that met a full ring */
};

/*
 * Makes *nic the interface of `dev`, which is open and has no client: it gets one that hands frames to lwIP and tells
 * it of the link. Address, mask and gateway are lwIP's (network order); IP4_ADDR_ANY4 for each, and dhcp_start
 * afterwards, for a network with DHCP. What serialises calls on the device is held around every call into lwIP, and the
 * other way round, since frames go both ways: one thread for both is simplest. False when the device has a client
 * already, or lwIP refuses.
 */
bool net_lwip_add(struct net_lwip *nic, struct netdev *dev, const ip4_addr_t *address, const ip4_addr_t *mask,
                  const ip4_addr_t *gateway);

/* Frames that wait to lwIP, at most `budget`; the number handed over, as netdev_poll. From that thread, after an
 * interrupt or by a timer. lwIP's own timers are the caller's: sys_check_timeouts with NO_SYS. */
uint32_t net_lwip_poll(struct net_lwip *nic, uint32_t budget);

/* Takes the interface off lwIP, and the client off the device, which is closed for it. */
void net_lwip_remove(struct net_lwip *nic);

#endif
