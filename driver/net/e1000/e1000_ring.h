/* e1000_ring.h - one descriptor ring, transmit or receive, with its buffers and its shadow. */
#ifndef E1000_RING_H
#define E1000_RING_H

#include "net/e1000.h"
#include "net/barrier.h"
#include "net/handoff.h"
#include "e1000_regs.h"

#define E1000_BUFFER_SIZE 2048U /* bytes per descriptor: RCTL.BSIZE 00b, and no buffer crosses a 64 KiB boundary */

/*
 * head, published and tail count descriptors since the ring was reset and are never reduced; `index & mask` is the
 * slot. The device owns [head, published), the driver everything else.
 *
 *        head             published         tail              head + count
 *          |  the device's    |  prepared,    |  free            |
 *          |  (DD tells)      |  not told     |                  |
 *
 *   I1  head <= published <= tail, in free-running order
 *   I2  tail - head <= mask: a full ring would look empty to the device (SDM 3.2.6: head equal to tail is empty)
 *   I3  slot i's buffer is always the i-th of the block
 *   I4  count is a power of two between E1000_RING_MIN and E1000_RING_MAX
 *
 * Nothing that the driver wrote is read back from memory that the device can write: the slots are the truth.
 */
struct e1000_slot {
  void *cookie;    /* transmit: the caller's word                                        */
  uint8_t *buffer; /* processor's address                                                */
  uint64_t device; /* the device's address of the same byte                              */
  uint32_t length; /* transmit: bytes queued, padding included                           */
  bool foreign;    /* transmit: queued by the firmware that the ring was adopted from    */
};

/* Legacy descriptors of both directions, SDM 3.2.3 and 3.3.3. Written whole by the driver, status by the device. */
struct e1000_rx_descriptor {
  uint64_t address;
  uint16_t length;
  uint16_t checksum;
  uint8_t status;
  uint8_t errors;
  uint16_t special;
};

struct e1000_tx_descriptor {
  uint64_t address;
  uint16_t length;
  uint8_t checksum_offset;
  uint8_t command;
  uint8_t status;
  uint8_t checksum_start;
  uint16_t special;
};

union e1000_descriptor {
  uint64_t word[2]; /* to be written in two goes: the device looks at none before the tail says so */
  struct e1000_rx_descriptor rx;
  struct e1000_tx_descriptor tx;
};

_Static_assert(sizeof(union e1000_descriptor) == 16, "the device counts in 16-byte descriptors");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "descriptors are little-endian in memory");

struct e1000_ring {
  volatile union e1000_descriptor *descriptor;
  struct e1000_slot *slot;
  uint32_t head;
  uint32_t published;
  uint32_t tail;
  uint32_t mask;
  uint32_t batch; /* receive: buffers given back with one tail write */
  bool adopted;   /* descriptors and buffers came from a handoff and are never freed */
  struct net_dma descriptors;
  struct net_dma buffers;
};

/* Allocates descriptors, buffers and slots. `count` 0 stands for the default. NETDEV_E_INVALID for a count that breaks
 * I4, NETDEV_E_NO_MEMORY with nothing left allocated. */
int e1000_ring_create(struct e1000_ring *ring, const struct net_platform *platform, uint32_t count,
                      uint32_t address_bits);

/* Continues a ring that a handoff describes (checked by net_handoff_validate), whose memory the processor reaches at
 * `descriptors` and `buffers`. NETDEV_E_NO_MEMORY, NETDEV_E_INVALID; e1000_ring_destroy cleans up after each. */
int e1000_ring_adopt(struct e1000_ring *ring, const struct net_platform *platform,
                     const struct net_handoff_e1000_ring *from, void *descriptors, void *buffers);

/* Of an adopted ring: whether each descriptor that the device may still read or write points into its slot's buffer,
 * and a transmit one is of our kind. The latter also marks the slots as the firmware's. */
bool e1000_rx_fits_slots(const struct e1000_ring *ring);
bool e1000_tx_fits_slots(struct e1000_ring *ring);

/* Frees what e1000_ring_create allocated; harmless on a zeroed ring. The device must be quiet. */
void e1000_ring_destroy(struct e1000_ring *ring, const struct net_platform *platform);

/* Empties the ring: all three indices 0, all descriptors zero. Cookies must have been handed back. */
void e1000_ring_reset(struct e1000_ring *ring);

static inline uint32_t e1000_ring_count(const struct e1000_ring *ring) {
  return ring->mask + 1U;
}

static inline uint32_t e1000_ring_used(const struct e1000_ring *ring) {
  return ring->tail - ring->head;
}

static inline uint32_t e1000_ring_free(const struct e1000_ring *ring) {
  return ring->mask - e1000_ring_used(ring);
}

/* Bytes, for RDLEN and TDLEN. */
static inline uint32_t e1000_ring_bytes(const struct e1000_ring *ring) {
  return e1000_ring_count(ring) * (uint32_t)sizeof(union e1000_descriptor);
}

/* NULL, or the invariant that does not hold. Tests and fuzzers call it after every step. */
const char *e1000_ring_check(const struct e1000_ring *ring);

/* Whether the device is done with the oldest descriptor it owns. Memory only. */
static inline bool e1000_ring_has_done(const struct e1000_ring *ring) {
  _Static_assert(offsetof(struct e1000_rx_descriptor, status) == offsetof(struct e1000_tx_descriptor, status),
                 "DD is bit 0 of the same byte for both directions");
  return ring->head != ring->published && (ring->descriptor[ring->head & ring->mask].rx.status & E1000_RXD_STATUS_DD);
}

/* Transmit: the one kind of descriptor that we write. */
#define E1000_TX_COMMAND (E1000_TXD_CMD_EOP | E1000_TXD_CMD_IFCS | E1000_TXD_CMD_RS)

/* Transmit: queues a copy of `frame`, padded to NETDEV_MIN_FRAME. `end_dword` asks for the 82544's PCI-X workaround.
 * NETDEV_E_BUSY when no slot is free. Does not touch the device. */
int e1000_tx_put(struct e1000_ring *ring, const void *frame, uint32_t length, void *cookie, bool end_dword);

/* Transmit: takes back the oldest descriptor. There must be one. */
static inline const struct e1000_slot *e1000_tx_take(struct e1000_ring *ring) {
  return &ring->slot[ring->head++ & ring->mask];
}

/* Transmit: takes back the oldest descriptor if the device is done with it; NULL if not, or if there is none. The slot
 * is valid until the next e1000_tx_put. */
static inline const struct e1000_slot *e1000_tx_done(struct e1000_ring *ring) {
  if(!e1000_ring_has_done(ring)) {
    return NULL;
  }
  /* Orders the read of DD before the next write to the slot's buffer, which the device has finished reading. */
  net_dma_rmb();
  return e1000_tx_take(ring);
}

/* Transmit: takes back the oldest descriptor whether done or not; NULL if there is none. Only while the device is
 * quiet. */
const struct e1000_slot *e1000_tx_cancel(struct e1000_ring *ring);

/* Receive: prepares descriptors until mask of them are the device's or prepared. The ring's fields are read once: what
 * is written to descriptors might be one of them, as far as the compiler knows. */
static inline void e1000_rx_fill(struct e1000_ring *ring) {
  uint32_t full = ring->head + ring->mask;
  uint32_t tail = ring->tail;
  while(tail != full) {
    uint32_t index = tail++ & ring->mask;
    volatile union e1000_descriptor *descriptor = &ring->descriptor[index];
    descriptor->word[0] = ring->slot[index].device;
    descriptor->word[1] = 0;
  }
  ring->tail = tail;
}

/* What the device says about its oldest buffer. */
enum e1000_rx_verdict {
  E1000_RX_NONE, /* not written yet                                          */
  E1000_RX_FRAME,
  E1000_RX_DAMAGED, /* an error bit is set                                      */
  E1000_RX_LENGTH,  /* no frame has this length                                 */
  E1000_RX_PART,    /* no EOP: the frame goes on in the next buffer             */
};

/* Receive: judges the oldest buffer; fills *frame for E1000_RX_FRAME. Does not consume it. */
static inline enum e1000_rx_verdict e1000_rx_peek(const struct e1000_ring *ring, struct netdev_frame *frame,
                                                  bool *end_of_packet) {
  if(ring->head == ring->published) {
    return E1000_RX_NONE;
  }
  uint32_t index = ring->head & ring->mask;
  const volatile struct e1000_rx_descriptor *descriptor = &ring->descriptor[index].rx;
  uint8_t status = descriptor->status;
  if(!(status & E1000_RXD_STATUS_DD)) {
    return E1000_RX_NONE;
  }
  /* Orders the read of DD before the reads of length, errors and the frame itself. */
  net_dma_rmb();
  uint16_t length = descriptor->length;
  uint8_t errors = descriptor->errors;

  *end_of_packet = (status & E1000_RXD_STATUS_EOP) != 0;
  if(!*end_of_packet) {
    return E1000_RX_PART;
  }
  if(errors & E1000_RXD_ERROR_FRAME) {
    return E1000_RX_DAMAGED;
  }
  if(length < NETDEV_HEADER_LENGTH || length > NETDEV_MAX_TAGGED_FRAME) {
    return E1000_RX_LENGTH;
  }
  frame->data = ring->slot[index].buffer;
  frame->length = length;
  return E1000_RX_FRAME;
}

/* Receive: consumes the oldest buffer and prepares another in its place. True when a batch is due for the device. */
static inline bool e1000_rx_release(struct e1000_ring *ring) {
  ring->head++;
  e1000_rx_fill(ring);
  return ring->tail - ring->published >= ring->batch;
}

#endif
