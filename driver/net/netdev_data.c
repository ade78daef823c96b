/* netdev_data.c - the device-independent half of the datapath: argument checks, completion and delivery, taps. */
#include "netdev.h"

#include <string.h>

/* Beside what every frame passes: what it would need in registers is not saved for that. */
#define APART __attribute__((noinline))

static APART void show_taps(const struct netdev *dev, bool sent, const void *data, uint32_t length) {
  const struct netdev_frame frame = {.data = data, .length = length};
  for(const struct netdev_tap *tap = dev->taps; tap; tap = tap->next) {
    tap->frame(tap->ctx, sent, &frame);
  }
}

/* Transmit ------------------------------------------------------------------------------------------------------- */

/* A full ring may hold frames that were queued with NETDEV_TX_MORE: they must go before any can complete. */
static APART int transmit_again(struct netdev *dev, const void *frame, uint32_t length, void *cookie) {
  int result = NETDEV_E_BUSY;
  dev->ops->flush(dev);
  if(dev->ops->complete(dev) > 0) {
    result = dev->ops->transmit(dev, frame, length, cookie);
  }
  if(result == NETDEV_E_BUSY) {
    dev->stats.tx_busy++;
  }
  return result;
}

int netdev_transmit(struct netdev *dev, const void *frame, size_t length, void *cookie, uint32_t flags) {
  int result = netdev_require_open(dev);
  if(result != NETDEV_OK) {
    return result;
  }
  if(!frame || length < NETDEV_HEADER_LENGTH || length > NETDEV_MAX_TAGGED_FRAME || (flags & ~NETDEV_TX_MORE)) {
    return NETDEV_E_INVALID;
  }
  result = dev->ops->transmit(dev, frame, (uint32_t)length, cookie);
  if(result == NETDEV_E_BUSY) {
    result = transmit_again(dev, frame, (uint32_t)length, cookie);
  }
  if(result != NETDEV_OK) {
    return result;
  }
  if(!(flags & NETDEV_TX_MORE)) {
    dev->ops->flush(dev);
  }
  if(dev->taps) {
    show_taps(dev, true, frame, (uint32_t)length);
  }
  return NETDEV_OK;
}

void netdev_flush(struct netdev *dev) {
  if(dev->state == NETDEV_OPEN) {
    dev->ops->flush(dev);
  }
}

uint32_t netdev_complete(struct netdev *dev) {
  return dev->state == NETDEV_OPEN ? dev->ops->complete(dev) : 0;
}

/* Receive -------------------------------------------------------------------------------------------------------- */

int netdev_peek(struct netdev *dev, struct netdev_frame *frame) {
  int result = netdev_require_open(dev);
  return result == NETDEV_OK ? dev->ops->peek(dev, frame) : result;
}

static APART void show_received(struct netdev *dev) {
  struct netdev_frame frame;
  if(dev->ops->peek(dev, &frame) == NETDEV_OK) {
    show_taps(dev, false, frame.data, frame.length);
  }
}

void netdev_release(struct netdev *dev) {
  if(dev->state == NETDEV_OPEN) {
    if(dev->taps) {
      show_received(dev);
    }
    dev->ops->release(dev);
  }
}

int netdev_receive(struct netdev *dev, void *buffer, size_t capacity, size_t *length) {
  if(!buffer || !length) {
    return NETDEV_E_INVALID;
  }
  struct netdev_frame frame;
  int result = netdev_peek(dev, &frame);
  if(result != NETDEV_OK) {
    return result;
  }
  *length = frame.length;
  if(frame.length > capacity) {
    return NETDEV_E_TOO_SMALL;
  }
  memcpy(buffer, frame.data, frame.length);
  netdev_release(dev);
  return NETDEV_OK;
}

uint32_t netdev_poll(struct netdev *dev, uint32_t budget) {
  uint32_t news = netdev_news(dev);
  if(news & NETDEV_NEWS_SENT) {
    netdev_complete(dev);
  }
  if(!(news & NETDEV_NEWS_RECEIVED) || !dev->client.receive) {
    return 0;
  }
  uint32_t count = 0;
  struct netdev_frame frame;
  while(count < budget && netdev_peek(dev, &frame) == NETDEV_OK) {
    dev->client.receive(dev->client.ctx, &frame);
    netdev_release(dev);
    count++;
  }
  return count;
}
