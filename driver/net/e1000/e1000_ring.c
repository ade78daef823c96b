/* e1000_ring.c - descriptor ring mechanics; touches memory only, never a register. */
#include "e1000_ring.h"

#include <string.h>

#include "net/barrier.h"

#define TX_COMMAND     (E1000_TXD_CMD_EOP | E1000_TXD_CMD_IFCS | E1000_TXD_CMD_RS)
#define RING_ALIGN_MIN 128U /* RDBAL and TDBAL ignore bits 3:0; 128 keeps a cache line's descriptors together */

static bool ring_count_valid(uint32_t count) {
  return count >= E1000_RING_MIN && count <= E1000_RING_MAX && (count & (count - 1U)) == 0;
}

/* One doorbell for at least 16 buffers where the ring is deep enough to spare them, half the ring where it is not. */
static uint32_t ring_batch(uint32_t count) {
  uint32_t batch = count / 8U;
  if(batch < 16U) {
    batch = 16U;
  }
  if(batch > 64U) {
    batch = 64U;
  }
  return batch <= count / 2U ? batch : count / 2U;
}

/* I3: slot i always has the i-th buffer. */
static void tie_slots(struct e1000_ring *ring) {
  ring->descriptor = ring->descriptors.cpu;
  for(uint32_t i = 0; i < e1000_ring_count(ring); i++) {
    ring->slot[i].buffer = (uint8_t *)ring->buffers.cpu + (size_t)i * E1000_BUFFER_SIZE;
    ring->slot[i].device = ring->buffers.device + (uint64_t)i * E1000_BUFFER_SIZE;
  }
}

int e1000_ring_create(struct e1000_ring *ring, const struct net_platform *platform, uint32_t count,
                      uint32_t address_bits) {
  if(count == 0) {
    count = E1000_RING_DEFAULT;
  }
  if(!ring_count_valid(count)) {
    return NETDEV_E_INVALID;
  }
  memset(ring, 0, sizeof(*ring));
  ring->mask = count - 1U;
  ring->batch = ring_batch(count);

  ring->slot = platform->alloc(platform->ctx, count * sizeof(struct e1000_slot));
  if(!ring->slot) {
    return NETDEV_E_NO_MEMORY;
  }
  /* A ring aligned to its own size never crosses a 64 KiB boundary (82545EM specification update, erratum 23). */
  size_t bytes = count * sizeof(union e1000_descriptor);
  size_t align = bytes < RING_ALIGN_MIN ? RING_ALIGN_MIN : bytes;
  if(platform->dma_alloc(platform->ctx, bytes, align, address_bits, &ring->descriptors) != NETDEV_OK ||
     platform->dma_alloc(platform->ctx, (size_t)count * E1000_BUFFER_SIZE, 4096, address_bits, &ring->buffers) !=
         NETDEV_OK) {
    e1000_ring_destroy(ring, platform);
    return NETDEV_E_NO_MEMORY;
  }
  tie_slots(ring);
  return NETDEV_OK;
}

int e1000_ring_adopt(struct e1000_ring *ring, const struct net_platform *platform,
                     const struct net_handoff_e1000_ring *from, void *descriptors, void *buffers) {
  if(!ring_count_valid(from->count)) {
    return NETDEV_E_INVALID;
  }
  memset(ring, 0, sizeof(*ring));
  ring->slot = platform->alloc(platform->ctx, from->count * sizeof(struct e1000_slot));
  if(!ring->slot) {
    return NETDEV_E_NO_MEMORY;
  }
  ring->adopted = true;
  ring->mask = from->count - 1U;
  ring->batch = ring_batch(from->count);
  ring->head = from->head;
  ring->published = from->published;
  ring->tail = from->tail;
  ring->descriptors = (struct net_dma){descriptors, from->descriptors_device, e1000_ring_bytes(ring), NULL};
  ring->buffers = (struct net_dma){buffers, from->buffers_device, (size_t)from->count * E1000_BUFFER_SIZE, NULL};
  tie_slots(ring);
  return NETDEV_OK;
}

void e1000_ring_destroy(struct e1000_ring *ring, const struct net_platform *platform) {
  if(ring->buffers.cpu && !ring->adopted) {
    platform->dma_free(platform->ctx, &ring->buffers);
  }
  if(ring->descriptors.cpu && !ring->adopted) {
    platform->dma_free(platform->ctx, &ring->descriptors);
  }
  if(ring->slot) {
    platform->free(platform->ctx, ring->slot, e1000_ring_count(ring) * sizeof(struct e1000_slot));
  }
  memset(ring, 0, sizeof(*ring));
}

void e1000_ring_reset(struct e1000_ring *ring) {
  memset(ring->descriptors.cpu, 0, e1000_ring_bytes(ring));
  ring->head = 0;
  ring->published = 0;
  ring->tail = 0;
}

const char *e1000_ring_check(const struct e1000_ring *ring) {
  if(!ring_count_valid(e1000_ring_count(ring))) {
    return "I4: the count is a power of two in range";
  }
  if(ring->published - ring->head > ring->tail - ring->head) {
    return "I1: head <= published <= tail";
  }
  if(ring->tail - ring->head > ring->mask) {
    return "I2: at most count - 1 in use";
  }
  for(uint32_t i = 0; i < e1000_ring_count(ring); i++) {
    if(ring->slot[i].device != ring->buffers.device + (uint64_t)i * E1000_BUFFER_SIZE) {
      return "I3: slot and buffer stay together";
    }
  }
  return NULL;
}

bool e1000_ring_has_done(const struct e1000_ring *ring) {
  _Static_assert(offsetof(struct e1000_rx_descriptor, status) == offsetof(struct e1000_tx_descriptor, status),
                 "DD is bit 0 of the same byte for both directions");
  return ring->head != ring->published && (ring->descriptor[ring->head & ring->mask].rx.status & E1000_RXD_STATUS_DD);
}

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

  memcpy(slot->buffer + start, frame, length);
  if(padded > length) {
    /* TCTL.PSP would pad too, but the 82544 may corrupt what it pads and no model of the device pads at all. */
    memset(slot->buffer + start + length, 0, padded - length);
  }
  slot->cookie = cookie;
  slot->length = padded;
  slot->foreign = false;

  volatile struct e1000_tx_descriptor *descriptor = &ring->descriptor[index].tx;
  descriptor->address = slot->device + start;
  descriptor->length = (uint16_t)padded;
  descriptor->checksum_offset = 0;
  descriptor->command = TX_COMMAND;
  descriptor->status = 0;
  descriptor->checksum_start = 0;
  descriptor->special = 0;
  ring->tail++;
  return NETDEV_OK;
}

bool e1000_tx_fits_slots(struct e1000_ring *ring) {
  for(uint32_t i = ring->head; i != ring->tail; i++) {
    const volatile struct e1000_tx_descriptor *descriptor = &ring->descriptor[i & ring->mask].tx;
    struct e1000_slot *slot = &ring->slot[i & ring->mask];
    uint64_t start = descriptor->address - slot->device;
    uint32_t length = descriptor->length;
    bool whole = descriptor->command == TX_COMMAND && length > 0;
    if(!whole || start > E1000_BUFFER_SIZE || length > E1000_BUFFER_SIZE - start) {
      return false;
    }
    slot->length = length;
    slot->foreign = true;
  }
  return true;
}

static const struct e1000_slot *tx_take(struct e1000_ring *ring) {
  const struct e1000_slot *slot = &ring->slot[ring->head & ring->mask];
  ring->head++;
  return slot;
}

const struct e1000_slot *e1000_tx_done(struct e1000_ring *ring) {
  if(!e1000_ring_has_done(ring)) {
    return NULL;
  }
  /* Orders the read of DD before the next write to the slot's buffer, which the device has finished reading. */
  net_dma_rmb();
  return tx_take(ring);
}

const struct e1000_slot *e1000_tx_cancel(struct e1000_ring *ring) {
  if(ring->head == ring->tail) {
    return NULL;
  }
  if(ring->head == ring->published) {
    ring->published++;
  }
  return tx_take(ring);
}

void e1000_rx_fill(struct e1000_ring *ring) {
  while(e1000_ring_free(ring) > 0) {
    uint32_t index = ring->tail & ring->mask;
    volatile struct e1000_rx_descriptor *descriptor = &ring->descriptor[index].rx;
    descriptor->address = ring->slot[index].device;
    descriptor->length = 0;
    descriptor->checksum = 0;
    descriptor->status = 0;
    descriptor->errors = 0;
    descriptor->special = 0;
    ring->tail++;
  }
}

bool e1000_rx_fits_slots(const struct e1000_ring *ring) {
  for(uint32_t i = ring->head; i != ring->tail; i++) {
    const volatile struct e1000_rx_descriptor *descriptor = &ring->descriptor[i & ring->mask].rx;
    bool done = descriptor->status & E1000_RXD_STATUS_DD;
    if(!done && descriptor->address != ring->slot[i & ring->mask].device) {
      return false;
    }
  }
  return true;
}

enum e1000_rx_verdict e1000_rx_peek(const struct e1000_ring *ring, struct netdev_frame *frame, bool *end_of_packet) {
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

bool e1000_rx_release(struct e1000_ring *ring) {
  ring->head++;
  e1000_rx_fill(ring);
  return ring->tail - ring->published >= ring->batch;
}
