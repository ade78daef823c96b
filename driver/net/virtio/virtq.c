/* virtq.c - one split virtqueue: offering buffers, telling the device, and believing little of what comes back. */
#include "virtq.h"
#include "net/barrier.h"

#include <string.h>

#define RING_ALIGN   4096U /* all three areas in one block; the strictest of them asks for 16 (2.7) */
#define CACHE_LINE   64U   /* the used area gets lines of its own, since the device writes it        */
#define BUFFER_ALIGN 4096U

static uint32_t round_up(uint32_t value, uint32_t to) {
  return (value + to - 1U) & ~(to - 1U);
}

static bool size_valid(uint32_t size) {
  return size >= VIRTQ_SIZE_MIN && size <= VIRTQ_SIZE_MAX && (size & (size - 1U)) == 0;
}

/* The layout of the three areas in one block; used_event and avail_event stand behind their rings. */
static uint32_t available_offset(uint32_t size) {
  return size * (uint32_t)sizeof(struct virtq_descriptor);
}

static uint32_t available_bytes(uint32_t size) {
  return (uint32_t)sizeof(struct virtq_available) + 2U * size + 2U;
}

static uint32_t used_offset(uint32_t size) {
  return round_up(available_offset(size) + available_bytes(size), CACHE_LINE);
}

static uint32_t used_bytes(uint32_t size) {
  return (uint32_t)sizeof(struct virtq_used) + (uint32_t)sizeof(struct virtq_used_element) * size + 2U;
}

/* Buffers given back at once: enough to make the notification cheap, not so many that the queue runs dry meanwhile. */
static uint16_t refill_batch(uint32_t size) {
  uint32_t batch = size / 8U;
  if(batch < 16U) {
    batch = 16U;
  }
  if(batch > 64U) {
    batch = 64U;
  }
  return (uint16_t)(batch <= size / 2U ? batch : size / 2U);
}

/* Q4: descriptor i always has the i-th buffer. */
static void tie_slots(struct virtq *queue) {
  for(uint32_t i = 0; i < queue->size; i++) {
    queue->slot[i].buffer = (uint8_t *)queue->buffers.cpu + (size_t)i * queue->stride;
    queue->slot[i].device = queue->buffers.device + (uint64_t)i * queue->stride;
  }
}

static void place_rings(struct virtq *queue) {
  uint8_t *block = queue->rings.cpu;
  queue->descriptor = (volatile struct virtq_descriptor *)block;
  queue->available = (volatile struct virtq_available *)(block + available_offset(queue->size));
  queue->used = (volatile struct virtq_used *)(block + used_offset(queue->size));
  queue->descriptor_device = queue->rings.device;
  queue->available_device = queue->rings.device + available_offset(queue->size);
  queue->used_device = queue->rings.device + used_offset(queue->size);
}

/* Create and destroy --------------------------------------------------------------------------------------------- */

int virtq_create(struct virtq *queue, const struct net_platform *platform, uint32_t size, uint32_t heads,
                 uint32_t stride, uint32_t address_bits) {
  memset(queue, 0, sizeof(*queue));
  if(!size_valid(size) || heads == 0 || heads > size) {
    return NETDEV_E_INVALID;
  }
  queue->size = (uint16_t)size;
  queue->heads = (uint16_t)heads;
  queue->stride = stride;
  queue->batch = refill_batch(size);
  queue->slot = platform->alloc(platform->ctx, size * sizeof(struct virtq_slot));
  if(!queue->slot) {
    return NETDEV_E_NO_MEMORY;
  }
  if(platform->dma_alloc(platform->ctx, used_offset(size) + used_bytes(size), RING_ALIGN, address_bits,
                         &queue->rings) != NETDEV_OK ||
     platform->dma_alloc(platform->ctx, (size_t)size * stride, BUFFER_ALIGN, address_bits, &queue->buffers) !=
         NETDEV_OK) {
    virtq_destroy(queue, platform);
    return NETDEV_E_NO_MEMORY;
  }
  place_rings(queue);
  tie_slots(queue);
  virtq_reset(queue, false);
  return NETDEV_OK;
}

void virtq_destroy(struct virtq *queue, const struct net_platform *platform) {
  if(queue->buffers.cpu && !queue->adopted) {
    platform->dma_free(platform->ctx, &queue->buffers);
  }
  if(queue->rings.cpu && !queue->adopted) {
    platform->dma_free(platform->ctx, &queue->rings);
  }
  if(queue->slot) {
    platform->free(platform->ctx, queue->slot, queue->size * sizeof(struct virtq_slot));
  }
  memset(queue, 0, sizeof(*queue));
}

/* Adopting ------------------------------------------------------------------------------------------------------- */

/* Everything that the device may still look at: descriptors in flight, and the newest ring entries, as many as there
 * are in flight. An entry among them may be one that came back already, in another order. */
static bool fits_slots(struct virtq *queue, uint16_t flags) {
  for(uint32_t id = 0; id < queue->heads; id++) {
    const volatile struct virtq_descriptor *descriptor = &queue->descriptor[id];
    uint32_t length = descriptor->length;
    if(!virtq_is_in_flight(queue, id)) {
      continue;
    }
    if(descriptor->address != queue->slot[id].device || length <= VIRTIO_NET_HEADER_SIZE || length > queue->stride ||
       descriptor->flags != flags) {
      return false;
    }
    queue->slot[id].length = length - VIRTIO_NET_HEADER_SIZE;
    queue->slot[id].foreign = true;
  }
  for(uint16_t at = queue->taken; at != queue->published; at++) {
    if(queue->available->ring[at & (queue->size - 1U)] >= queue->heads) {
      return false;
    }
  }
  return true;
}

static void take_over(struct virtq *queue, const struct net_handoff_virtio_queue *from) {
  queue->offered = from->available_index;
  queue->published = from->available_index;
  queue->taken = from->used_last;
  for(uint16_t id = 0; id < queue->heads; id++) {
    if(from->in_flight[id / 32U] >> id % 32U & 1U) {
      queue->in_flight[id / 32U] |= 1U << id % 32U;
      queue->slot[id].told = true;
    } else {
      queue->free[queue->free_count++] = id;
    }
  }
}

int virtq_adopt(struct virtq *queue, const struct net_platform *platform, const struct net_handoff_virtio_queue *from,
                uint32_t heads, uint16_t flags, const struct virtq_memory *memory) {
  memset(queue, 0, sizeof(*queue));
  if(!size_valid(from->size) || heads == 0 || heads > from->size) {
    return NETDEV_E_INVALID;
  }
  queue->slot = platform->alloc(platform->ctx, from->size * sizeof(struct virtq_slot));
  if(!queue->slot) {
    return NETDEV_E_NO_MEMORY;
  }
  queue->adopted = true;
  queue->size = from->size;
  queue->heads = (uint16_t)heads;
  queue->batch = refill_batch(from->size);
  queue->stride = from->buffer_stride;
  queue->doorbell = from->notify_offset;
  queue->vector = from->msix_vector;
  queue->descriptor = memory->descriptors;
  queue->available = memory->available;
  queue->used = memory->used;
  queue->descriptor_device = from->descriptors_device;
  queue->available_device = from->available_device;
  queue->used_device = from->used_device;
  queue->buffers =
      (struct net_dma){memory->buffers, from->buffers_device, (size_t)from->size * from->buffer_stride, NULL};
  tie_slots(queue);
  take_over(queue, from);
  uint16_t ahead = (uint16_t)(queue->used->index - queue->taken);
  bool sound = virtq_check(queue) == NULL && queue->available->index == queue->published &&
               ahead <= virtq_pending(queue) && fits_slots(queue, flags);
  return sound ? NETDEV_OK : NETDEV_E_STATE;
}

/* Free and in flight --------------------------------------------------------------------------------------------- */

void virtq_reset(struct virtq *queue, bool event_index) {
  for(uint32_t i = 0; i < queue->size; i++) {
    virtq_describe(queue, (uint16_t)i, 0, 0, 0);
    queue->available->ring[i] = 0;
    queue->used->ring[i] = (struct virtq_used_element){0, 0};
  }
  queue->used->flags = 0;
  queue->used->index = 0;
  *(volatile uint16_t *)&queue->used->ring[queue->size] = 0;
  queue->available->index = 0;
  memset(queue->in_flight, 0, sizeof(queue->in_flight));
  /* The lowest number on top, so that a queue which is little used keeps to few buffers. */
  for(uint16_t i = 0; i < queue->heads; i++) {
    queue->free[i] = (uint16_t)(queue->heads - 1U - i);
  }
  queue->free_count = queue->heads;
  queue->offered = 0;
  queue->published = 0;
  queue->taken = 0;
  queue->seen = false;
  queue->lie = NULL;
  queue->event_index = event_index;
  virtq_park(queue);
}

static uint32_t count_in_flight(const struct virtq *queue) {
  uint32_t count = 0;
  for(uint32_t i = 0; i < VIRTQ_SIZE_MAX; i++) {
    count += queue->in_flight[i / 32U] >> i % 32U & 1U;
  }
  return count;
}

static bool free_stack_holds(const struct virtq *queue) {
  uint32_t met[VIRTQ_SIZE_MAX / 32U] = {0};
  for(uint32_t i = 0; i < queue->free_count; i++) {
    uint16_t id = queue->free[i];
    if(id >= queue->heads || virtq_is_in_flight(queue, id) || (met[id / 32U] >> id % 32U & 1U)) {
      return false;
    }
    met[id / 32U] |= 1U << id % 32U;
  }
  return true;
}

const char *virtq_check(const struct virtq *queue) {
  if(!size_valid(queue->size) || queue->heads == 0 || queue->heads > queue->size) {
    return "Q5: the size is a power of two in range, and heads is not above it";
  }
  uint16_t in_use = (uint16_t)(queue->offered - queue->taken);
  if(virtq_pending(queue) > in_use || in_use > queue->heads) {
    return "Q1: taken <= published <= offered";
  }
  if(count_in_flight(queue) != in_use || in_use + queue->free_count != queue->heads) {
    return "Q2: in flight and free make the whole";
  }
  if(!free_stack_holds(queue)) {
    return "Q3: a free number is in range, there once, and not in flight";
  }
  for(uint32_t i = 0; i < queue->size; i++) {
    if(queue->slot[i].device != queue->buffers.device + (uint64_t)i * queue->stride) {
      return "Q4: descriptor and buffer stay together";
    }
  }
  if(queue->seen && !virtq_is_in_flight(queue, queue->seen_id)) {
    return "Q6: what was seen and not taken is in flight";
  }
  return NULL;
}

/* Only while the device is quiet --------------------------------------------------------------------------------- */

bool virtq_cancel(struct virtq *queue, uint16_t *id) {
  for(uint32_t i = 0; i < queue->heads; i++) {
    if(virtq_is_in_flight(queue, i)) {
      if(virtq_pending(queue) == 0) {
        queue->published++;
      }
      queue->taken++;
      queue->seen = false;
      virtq_give_back(queue, (uint16_t)i);
      *id = (uint16_t)i;
      return true;
    }
  }
  return false;
}

/* Interrupts ----------------------------------------------------------------------------------------------------- */

void virtq_arm(struct virtq *queue) {
  queue->armed = true;
  if(queue->event_index) {
    *virtq_used_event(queue) = queue->taken;
  } else {
    queue->available->flags = 0;
  }
  net_dma_mb(); /* the wish, then the look at what came before it (2.7.7.1) */
}

uint16_t virtq_waiting(const struct virtq *queue) {
  uint16_t ahead = (uint16_t)(queue->used->index - queue->taken);
  return !queue->lie && ahead <= virtq_pending(queue) ? ahead : 0;
}
