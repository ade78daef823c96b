/* e1000_data.c - the datapath: what every frame goes through. Memory, and the two doorbells. */
#include "e1000_hw.h"
#include "../netdev.h"

#include <string.h>

static inline struct e1000 *e1000_of(struct netdev *dev) {
  return (struct e1000 *)dev;
}

/* Transmit ------------------------------------------------------------------------------------------------------- */

/*
 * "Potential 82544 hang in PCI-X mode": a buffer must not end within the first dword of an aligned pair (82544GC
 * specification update). Where the end is ours to place, moving the start by four bytes is the whole workaround.
 */
static uint32_t tx_start(uint64_t device, uint32_t length, bool end_dword) {
  return end_dword && ((device + length - 1U) & 4U) == 0 ? 4U : 0U;
}

int e1000_tx_put(struct e1000_ring *ring, const void *frame, uint32_t length, void *cookie, bool end_dword) {
  if(e1000_ring_free(ring) == 0) {
    return NETDEV_E_BUSY;
  }
  uint32_t index = ring->tail & ring->mask;
  struct e1000_slot *slot = &ring->slot[index];
  uint32_t padded = length < NETDEV_MIN_FRAME ? NETDEV_MIN_FRAME : length;
  uint32_t start = tx_start(slot->device, padded, end_dword);

  slot->cookie = cookie;
  slot->length = padded;
  slot->foreign = false;

  volatile union e1000_descriptor *descriptor = &ring->descriptor[index];
  descriptor->word[0] = slot->device + start;
  descriptor->word[1] = padded | E1000_TX_COMMAND << E1000_TXD_COMMAND_SHIFT;
  ring->tail++;

  /* Last, so that nothing need be kept for afterwards: the device looks at none of it before the tail says so. */
  uint8_t *to = slot->buffer + start;
  if(padded > length) {
    /* TCTL.PSP would pad too, but the 82544 may corrupt what it pads and no model of the device pads at all. */
    memset(to + length, 0, padded - length);
  }
  memcpy(to, frame, length);
  return NETDEV_OK;
}

static void write_tail(const struct e1000 *nic, uint32_t offset, uint32_t value) {
  if(nic->tails_get_lost) {
    e1000_write_tail_beside_me(nic, offset, value);
  } else {
    e1000_write(nic, offset, value);
  }
}

void e1000_tx_doorbell(struct e1000 *nic) {
  if(nic->tx.published != nic->tx.tail) {
    nic->tx.published = nic->tx.tail;
    write_tail(nic, E1000_TDT, nic->tx.tail & nic->tx.mask);
    nic->netdev.stats.tx_doorbells++;
  }
}

void e1000_rx_doorbell(struct e1000 *nic) {
  if(nic->rx.published != nic->rx.tail) {
    nic->rx.published = nic->rx.tail;
    write_tail(nic, E1000_RDT, nic->rx.tail & nic->rx.mask);
    nic->netdev.stats.rx_doorbells++;
    nic->rx_doorbell_posted = true;
  }
}

/* A frame that the firmware queued is counted, and nobody is told: the cookie was the firmware's. */
void e1000_frame_done(struct e1000 *nic, const struct e1000_slot *slot, int status) {
  netdev_tx_count(&nic->netdev, slot->length, status);
  if(!slot->foreign) {
    netdev_tx_tell(&nic->netdev, slot->cookie, status);
  }
}

int e1000_data_transmit(struct netdev *dev, const void *frame, uint32_t length, void *cookie) {
  struct e1000 *nic = e1000_of(dev);
  return e1000_tx_put(&nic->tx, frame, length, cookie, nic->tx_end_dword);
}

void e1000_data_flush(struct netdev *dev) {
  e1000_tx_doorbell(e1000_of(dev));
}

uint32_t e1000_data_complete(struct netdev *dev) {
  struct e1000 *nic = e1000_of(dev);
  uint32_t count = 0;
  const struct e1000_slot *slot;
  /* At most one lap: a callback may transmit, which may complete at once, and so on for ever. */
  while(count < e1000_ring_count(&nic->tx) && (slot = e1000_tx_done(&nic->tx)) != NULL) {
    e1000_frame_done(e1000_of(dev), slot, NETDEV_OK);
    count++;
  }
  return count;
}

static void release(struct e1000 *nic) {
  if(e1000_rx_release(&nic->rx)) {
    e1000_rx_doorbell(nic);
  }
}

/* Skips what is damaged; a frame in several buffers is dropped as one. At most one lap of the ring per call, so a
 * device that writes faster than we read cannot keep us here. */
static __attribute__((noinline)) int peek_past_damage(struct netdev *dev, struct netdev_frame *frame) {
  struct e1000 *nic = e1000_of(dev);
  for(uint32_t i = 0; i < e1000_ring_count(&nic->rx); i++) {
    bool end = true;
    enum e1000_rx_verdict verdict = e1000_rx_peek(&nic->rx, frame, &end);
    if(verdict == E1000_RX_NONE) {
      return NETDEV_E_EMPTY;
    }
    if(nic->rx_partial) {
      nic->rx_partial = !end;
    } else if(verdict == E1000_RX_FRAME) {
      nic->rx_seen = frame->length;
      return NETDEV_OK;
    } else if(verdict == E1000_RX_PART) {
      nic->rx_partial = true;
      dev->stats.rx_split_errors++;
    } else if(verdict == E1000_RX_DAMAGED) {
      dev->stats.rx_device_errors++;
    } else {
      dev->stats.rx_length_errors++;
    }
    release(nic);
  }
  return NETDEV_E_EMPTY;
}

int e1000_data_peek(struct netdev *dev, struct netdev_frame *frame) {
  struct e1000 *nic = e1000_of(dev);
  bool end;
  if(e1000_rx_peek(&nic->rx, frame, &end) == E1000_RX_FRAME && !nic->rx_partial) {
    nic->rx_seen = frame->length;
    return NETDEV_OK;
  }
  return peek_past_damage(dev, frame);
}

void e1000_data_release(struct netdev *dev) {
  struct e1000 *nic = e1000_of(dev);
  if(nic->rx_seen) { /* else a caller without a netdev_peek */
    dev->stats.rx_frames++;
    dev->stats.rx_bytes += nic->rx_seen;
    nic->rx_seen = 0;
    release(nic);
  }
}

uint32_t e1000_data_news(const struct netdev *dev) {
  const struct e1000 *nic = (const struct e1000 *)dev;
  return (e1000_ring_has_done(&nic->tx) ? NETDEV_NEWS_SENT : 0) |
         (e1000_ring_has_done(&nic->rx) ? NETDEV_NEWS_RECEIVED : 0);
}
