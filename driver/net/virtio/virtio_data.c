/* virtio_data.c - the datapath: what every frame goes through. Memory, and the two doorbells. */
#include "virtio_nic.h"
#include "../netdev.h"

#include <string.h>

/* A frame that the firmware queued is counted, and nobody is told: the cookie was the firmware's. */
void virtio_net_frame_done(struct virtio_net *nic, const struct virtq_slot *slot, int status) {
  netdev_tx_count(&nic->netdev, slot->length, status);
  if(!slot->foreign) {
    netdev_tx_tell(&nic->netdev, slot->cookie, status);
  }
}

/* The next frame that the device is done with, or NULL. */
const struct virtq_slot *virtio_net_next_done(struct virtio_net *nic) {
  struct virtq *queue = virtio_tx(nic);
  uint16_t id;
  uint32_t length;
  if(virtio_net_peek(nic, queue, &id, &length) != VIRTQ_DONE) {
    return NULL;
  }
  virtq_take(queue);
  return &queue->slot[id];
}

/* With VIRTIO_NET_F_MTU no longer frame may be sent (5.1.4.2). A tag does not count (IEEE 802.3, 3.2.7). */
static bool is_too_long(const struct virtio_net *nic, const uint8_t *frame, uint32_t length) {
  bool tagged = length >= NETDEV_HEADER_LENGTH && frame[12] == 0x81U && frame[13] == 0x00U;
  return virtio_has(nic, VIRTIO_NET_F_MTU) && length > NETDEV_HEADER_LENGTH + nic->mtu + (tagged ? 4U : 0U);
}

int virtio_net_transmit(struct netdev *dev, const void *frame, uint32_t length, void *cookie) {
  struct virtio_net *nic = to_virtio(dev);
  struct virtq *queue = virtio_tx(nic);
  if(is_too_long(nic, frame, length)) {
    return NETDEV_E_INVALID;
  }
  uint16_t id;
  if(!virtq_free_id(queue, &id)) {
    return NETDEV_E_BUSY;
  }
  struct virtq_slot *slot = &queue->slot[id];
  uint32_t padded = length < NETDEV_MIN_FRAME ? NETDEV_MIN_FRAME : length;
  memset(slot->buffer, 0, VIRTIO_NET_HEADER_SIZE);
  memcpy(slot->buffer + VIRTIO_NET_HEADER_SIZE, frame, length);
  memset(slot->buffer + VIRTIO_NET_HEADER_SIZE + length, 0, padded - length);
  slot->cookie = cookie;
  slot->length = padded;
  slot->foreign = false;
  virtq_describe(queue, id, VIRTIO_NET_HEADER_SIZE + padded, 0, 0);
  virtq_offer(queue);
  return NETDEV_OK;
}

void virtio_net_flush(struct netdev *dev) {
  struct virtio_net *nic = to_virtio(dev);
  struct virtq *queue = virtio_tx(nic);
  bool any = queue->offered != queue->published;
  if(virtq_publish(queue)) {
    virtio_pci_notify(&nic->pci, queue);
    dev->stats.tx_doorbells++;
  } else if(any) {
    nic->counters.tx_unnotified++;
  }
}

uint32_t virtio_net_complete(struct netdev *dev) {
  struct virtio_net *nic = to_virtio(dev);
  uint32_t count = 0;
  const struct virtq_slot *slot;
  /* At most one lap: a callback may transmit, which may complete at once, and so on for ever. */
  while(count < virtio_tx(nic)->size && (slot = virtio_net_next_done(nic)) != NULL) {
    virtio_net_frame_done(nic, slot, NETDEV_OK);
    count++;
  }
  return count;
}

/* Gives the buffer that was taken back to the device, and tells it about a batch of them. */
static void recycle(struct virtio_net *nic) {
  struct virtq *queue = virtio_rx(nic);
  virtq_take(queue);
  virtio_net_fill(nic);
  if((uint16_t)(queue->offered - queue->published) < queue->batch) {
    return;
  }
  if(virtq_publish(queue)) {
    virtio_pci_notify(&nic->pci, queue);
    nic->netdev.stats.rx_doorbells++;
  } else {
    nic->counters.rx_unnotified++;
  }
}

/* Skips what cannot be a frame. A length beyond the buffer is no reason for a reset: devices are known that report
 * lengths carelessly, and nothing is read beyond the longest frame. At most one lap of the queue per call, so a device
 * that writes faster than we read cannot keep us here. */
int virtio_net_show(struct netdev *dev, struct netdev_frame *frame) {
  struct virtio_net *nic = to_virtio(dev);
  struct virtq *queue = virtio_rx(nic);
  uint16_t id;
  uint32_t length;
  for(uint32_t i = 0; i < queue->size; i++) {
    if(virtio_net_peek(nic, queue, &id, &length) != VIRTQ_DONE) {
      return NETDEV_E_EMPTY;
    }
    if(length >= VIRTIO_NET_HEADER_SIZE + NETDEV_HEADER_LENGTH &&
       length <= VIRTIO_NET_HEADER_SIZE + NETDEV_MAX_TAGGED_FRAME) {
      frame->data = queue->slot[id].buffer + VIRTIO_NET_HEADER_SIZE;
      frame->length = length - VIRTIO_NET_HEADER_SIZE;
      return NETDEV_OK;
    }
    dev->stats.rx_length_errors++;
    recycle(nic);
  }
  return NETDEV_E_EMPTY;
}

void virtio_net_release(struct netdev *dev) {
  struct virtio_net *nic = to_virtio(dev);
  struct virtq *queue = virtio_rx(nic);
  if(queue->seen) { /* else a caller without a netdev_peek */
    dev->stats.rx_frames++;
    dev->stats.rx_bytes += queue->seen_length - VIRTIO_NET_HEADER_SIZE;
    recycle(nic);
  }
}

static bool has_news(const struct virtq *queue) {
  return queue->lie || virtq_has_news(queue); /* a lie is found out by whoever asks */
}

uint32_t virtio_net_news(const struct netdev *dev) {
  const struct virtio_net *nic = (const struct virtio_net *)dev;
  return (has_news(&nic->queue[VIRTIO_NET_TX]) ? NETDEV_NEWS_SENT : 0) |
         (has_news(&nic->queue[VIRTIO_NET_RX]) ? NETDEV_NEWS_RECEIVED : 0);
}
