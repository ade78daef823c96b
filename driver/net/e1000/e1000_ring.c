/* e1000_ring.c - descriptor ring mechanics; touches memory only, never a register. */
#include "e1000_ring.h"

#include <string.h>

#define RING_ALIGN_MIN 128U /* RDBAL and TDBAL ignore bits 3:0; 128 keeps a cache line's descriptors together */

static bool ring_count_valid(uint32_t count) {
  return count >= E1000_RING_MIN && count <= E1000_RING_MAX && (count & (count - 1U)) == 0;
}

/* One doorbell for 16 to 64 buffers: a quarter of the ring where that is deep enough to spare them, half of it where it
 * is not. A doorbell is the dearest step of receiving. */
static uint32_t ring_batch(uint32_t count) {
  uint32_t batch = count / 4U;
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

bool e1000_tx_fits_slots(struct e1000_ring *ring) {
  for(uint32_t i = ring->head; i != ring->tail; i++) {
    const volatile struct e1000_tx_descriptor *descriptor = &ring->descriptor[i & ring->mask].tx;
    struct e1000_slot *slot = &ring->slot[i & ring->mask];
    uint64_t start = descriptor->address - slot->device;
    uint32_t length = descriptor->length;
    bool whole = descriptor->command == E1000_TX_COMMAND && length > 0;
    if(!whole || start > E1000_BUFFER_SIZE || length > E1000_BUFFER_SIZE - start) {
      return false;
    }
    slot->length = length;
    slot->foreign = true;
  }
  return true;
}

const struct e1000_slot *e1000_tx_cancel(struct e1000_ring *ring) {
  if(ring->head == ring->tail) {
    return NULL;
  }
  if(ring->head == ring->published) {
    ring->published++;
  }
  return e1000_tx_take(ring);
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
