/* fake_netdev.h - a network device without a device: an operations table that only remembers what it was asked. */
#ifndef FAKE_NETDEV_H
#define FAKE_NETDEV_H

#include "netdev.h"
#include "unit.h"

#define FAKE_RING 4U /* transmissions the fake holds */

struct fake {
  struct netdev dev; /* first */
  uint32_t opened;
  uint32_t closed;
  uint32_t sent;
  uint32_t flushed;
  uint32_t completed;
  uint32_t released;
  uint32_t macs;
  uint32_t filters;
  uint32_t stats;
  uint32_t ticks;
  int open_result;
  int mac_result;
  int tick_result;
  uint32_t queued; /* not flushed  */
  uint32_t out;    /* flushed      */
  bool stuck;      /* completes nothing */
  uint32_t waiting;
  uint8_t frame[200];
  uint8_t set_mac[6];
  uint8_t sent_frame[NETDEV_MAX_TAGGED_FRAME]; /* the last one */
  uint32_t sent_length;
};

static inline struct fake *fake_of(struct netdev *dev) {
  return (struct fake *)dev;
}

static inline int fake_open(struct netdev *dev) {
  fake_of(dev)->opened++;
  return fake_of(dev)->open_result;
}

static inline void fake_close(struct netdev *dev, bool gone) {
  (void)gone;
  fake_of(dev)->closed++;
}

static inline int fake_transmit(struct netdev *dev, const void *frame, uint32_t length, void *cookie) {
  struct fake *fake = fake_of(dev);
  (void)cookie;
  assert_in_range(length, NETDEV_HEADER_LENGTH, NETDEV_MAX_TAGGED_FRAME);
  if(fake->queued + fake->out == FAKE_RING) {
    return NETDEV_E_BUSY;
  }
  fake->queued++;
  fake->sent++;
  memcpy(fake->sent_frame, frame, length);
  fake->sent_length = length;
  return NETDEV_OK;
}

static inline void fake_flush(struct netdev *dev) {
  struct fake *fake = fake_of(dev);
  fake->flushed++;
  fake->out += fake->queued;
  fake->queued = 0;
}

static inline uint32_t fake_complete(struct netdev *dev) {
  struct fake *fake = fake_of(dev);
  fake->completed++;
  uint32_t count = fake->stuck ? 0 : fake->out;
  fake->out -= count;
  return count;
}

static inline int fake_peek(struct netdev *dev, struct netdev_frame *frame) {
  struct fake *fake = fake_of(dev);
  if(fake->waiting == 0) {
    return NETDEV_E_EMPTY;
  }
  *frame = (struct netdev_frame){.data = fake->frame, .length = 100};
  return NETDEV_OK;
}

static inline void fake_release(struct netdev *dev) {
  fake_of(dev)->released++;
  fake_of(dev)->waiting--;
}

static inline int fake_set_mac(struct netdev *dev, const uint8_t mac[6]) {
  fake_of(dev)->macs++;
  memcpy(fake_of(dev)->set_mac, mac, 6);
  return fake_of(dev)->mac_result;
}

static inline int fake_set_filter(struct netdev *dev) {
  fake_of(dev)->filters++;
  return NETDEV_OK;
}

static inline void fake_update_stats(struct netdev *dev) {
  fake_of(dev)->stats++;
}

static inline int fake_tick(struct netdev *dev) {
  fake_of(dev)->ticks++;
  return fake_of(dev)->tick_result;
}

static const struct netdev_ops fake_ops = {
    .open = fake_open,
    .close = fake_close,
    .transmit = fake_transmit,
    .flush = fake_flush,
    .complete = fake_complete,
    .peek = fake_peek,
    .release = fake_release,
    .set_mac = fake_set_mac,
    .set_filter = fake_set_filter,
    .update_stats = fake_update_stats,
    .tick = fake_tick,
};

static const struct net_platform no_platform;

static inline void fake_init(struct fake *fake) {
  memset(fake, 0, sizeof(*fake));
  netdev_init(&fake->dev, &no_platform, &fake_ops, "fake", unit_mac);
}

static inline void fake_start(struct fake *fake) {
  fake_init(fake);
  assert_int_equal(netdev_open(&fake->dev), NETDEV_OK);
}

#endif
