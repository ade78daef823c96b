/* netdev.h - what netdev.c and the drivers behind it share; clients include net/netdevice.h. */
#ifndef NETDEV_H
#define NETDEV_H

#include "net/netdevice.h"

/* Fills in what every device starts with: closed, filter for its own address and broadcast, no client. `mac` becomes
 * both the permanent and the current address. */
void netdev_init(struct netdev *dev, const struct net_platform *platform, const struct netdev_ops *ops,
                 const char *model, const uint8_t mac[NETDEV_MAC_LENGTH]);

/* What the device must not be asked, it is not asked: NETDEV_OK when open, NETDEV_E_GONE, NETDEV_E_STATE. */
static inline int netdev_require_open(const struct netdev *dev) {
  if(dev->state == NETDEV_OPEN) {
    return NETDEV_OK;
  }
  return dev->state == NETDEV_GONE ? NETDEV_E_GONE : NETDEV_E_STATE;
}

/* Counts one finished transmission of `length` bytes. */
static inline void netdev_tx_count(struct netdev *dev, uint32_t length, int status) {
  if(status == NETDEV_OK) {
    dev->stats.tx_frames++;
    dev->stats.tx_bytes += length;
  } else {
    dev->stats.tx_errors++;
  }
}

/* Gives its cookie back to the client. */
static inline void netdev_tx_tell(struct netdev *dev, void *cookie, int status) {
  if(dev->client.tx_done) {
    dev->client.tx_done(dev->client.ctx, cookie, status);
  }
}

/* The device has stopped answering: no further call reaches the driver but close. Call it before
 * handing frames back. */
void netdev_gone(struct netdev *dev);

/* Takes over a link state that was just read; reports and counts it if it has changed. */
void netdev_link_seen(struct netdev *dev, struct netdev_link link);

#endif
