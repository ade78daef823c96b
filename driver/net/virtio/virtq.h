/* virtq.h - one split virtqueue with its buffers and its shadow (VIRTIO 1.2, 2.7). */
#ifndef VIRTQ_H
#define VIRTQ_H

#include "net/handoff.h"
#include "net/netdevice.h"
#include "virtio_regs.h"

#define VIRTQ_SIZE_MIN 2U    /* the control queue needs two descriptors for a command                        */
#define VIRTQ_SIZE_MAX 1024U /* the specification allows 32768 (2.7); a handoff carries no more than this   */

/*
 * A device may complete in any order, so there is no head and no tail: a descriptor's number is always its buffer's.
 * A number that may start a request is on the free stack or in flight.
 *
 * offered, published and taken count since the queue was reset and wrap at 65536, as the device's own indices do:
 *
 *        taken               published         offered
 *          |  the device's      |  in the ring,   |
 *          |  (used ring tells) |  not told       |
 *
 *   Q1  taken <= published <= offered, in free-running order
 *   Q2  offered - taken is the number of bits in in_flight, and with free_count makes `heads`
 *   Q3  a number on the free stack is below `heads`, there once, and not in flight
 *   Q4  descriptor i's buffer is always the i-th of the block
 *   Q5  size is a power of two from VIRTQ_SIZE_MIN to VIRTQ_SIZE_MAX; heads is not above it
 *   Q6  what was seen of the used ring, and not taken yet, is in flight
 *
 * `heads` is the size, but for the control queue: there it is 1, and descriptor 1 always holds the answer to the
 * command in descriptor 0. Nothing that the driver wrote is read back from memory that the device can write, and
 * nothing that the device wrote is read twice: the slots and the seen entry are the truth.
 */
struct virtq_slot {
  void *cookie;    /* transmit: the caller's word                                     */
  uint8_t *buffer; /* processor's address                                             */
  uint64_t device; /* the device's address of the same byte                           */
  uint32_t length; /* transmit: bytes of the frame, padding included                  */
  bool foreign;    /* transmit: queued by the firmware that the queue was adopted from */
  bool told;       /* published: the device may return it                             */
  uint16_t entry;  /* of the available ring at this slot's place: what we wrote there */
};

struct virtq {
  volatile struct virtq_descriptor *descriptor;
  volatile struct virtq_available *available;
  volatile struct virtq_used *used;
  struct virtq_slot *slot;
  uint16_t size;
  uint16_t heads;
  uint16_t offered;
  uint16_t published;
  uint16_t taken;
  uint16_t free_count;
  uint16_t batch;  /* receive: buffers given back with one look at whether the device sleeps */
  uint16_t number; /* as the device counts its queues                                        */
  uint16_t vector; /* what the device made of its MSI-X vector, VIRTIO_NO_VECTOR = none     */
  uint16_t seen_id;
  uint32_t seen_length;
  bool seen;          /* the two above are the used entry at `taken`                           */
  bool event_index;   /* VIRTIO_F_EVENT_IDX was negotiated                                     */
  bool armed;         /* the next used entry may interrupt                                     */
  bool adopted;       /* rings and buffers came from a handoff and are never freed             */
  const char *lie;    /* NULL, or what the device wrote that cannot be true; until virtq_reset */
  uint32_t lie_value; /* the number that shows it                                              */
  uint32_t stride;    /* bytes from one buffer to the next, all of them the device's           */
  uint32_t doorbell;  /* bytes from the start of the notification structure's BAR              */
  uint64_t descriptor_device;
  uint64_t available_device;
  uint64_t used_device;
  struct net_dma rings;
  struct net_dma buffers;
  uint32_t in_flight[VIRTQ_SIZE_MAX / 32U];
  uint16_t free[VIRTQ_SIZE_MAX];
};

/* Where the processor finds the parts of a queue that is adopted. */
struct virtq_memory {
  void *descriptors;
  void *available;
  void *used;
  void *buffers;
};

/* What the device says about the oldest used entry. */
enum virtq_verdict {
  VIRTQ_NONE, /* there is none                                            */
  VIRTQ_DONE, /* a buffer came back                                       */
  VIRTQ_LIE,  /* it cannot be true: the queue is dead until virtq_reset   */
};

/* Allocates rings, buffers of `stride` bytes and slots, below 2 to the power of `address_bits`. NETDEV_E_INVALID for a
 * size or number of heads that breaks Q5, NETDEV_E_NO_MEMORY with nothing left allocated. */
int virtq_create(struct virtq *queue, const struct net_platform *platform, uint32_t size, uint32_t heads,
                 uint32_t stride, uint32_t address_bits);

/* Continues a queue that a handoff describes (checked by its judge), whose areas and buffers the processor reaches at
 * these addresses. NETDEV_E_NO_MEMORY, NETDEV_E_INVALID; NETDEV_E_STATE when what lies in memory contradicts the entry:
 * indices, or a descriptor or ring entry that leads the device outside the queue's buffers, or with other `flags`.
 * virtq_destroy cleans up after each. */
int virtq_adopt(struct virtq *queue, const struct net_platform *platform, const struct net_handoff_virtio_queue *from,
                uint32_t heads, uint16_t flags, const struct virtq_memory *memory);

/* Frees what virtq_create allocated; harmless on a zeroed queue. The device must be quiet. */
void virtq_destroy(struct virtq *queue, const struct net_platform *platform);

/* Empties the queue: indices 0, every number free, interrupts parked. Cookies must have been handed back. */
void virtq_reset(struct virtq *queue, bool event_index);

/* NULL, or the invariant that does not hold. Tests and fuzzers call it after every step. */
const char *virtq_check(const struct virtq *queue);

static inline uint16_t virtq_pending(const struct virtq *queue) {
  return (uint16_t)(queue->published - queue->taken);
}

static inline bool virtq_is_in_flight(const struct virtq *queue, uint32_t id) {
  return id < queue->heads && (queue->in_flight[id / 32U] >> id % 32U & 1U) != 0;
}

/* Where the driver says which used entry shall interrupt; behind the available ring (2.7.6). */
static inline volatile uint16_t *virtq_used_event(const struct virtq *queue) {
  return &queue->available->ring[queue->size];
}

/* Number `id` is no longer in flight. */
static inline void virtq_give_back(struct virtq *queue, uint16_t id) {
  queue->in_flight[id / 32U] &= ~(1U << id % 32U);
  queue->free[queue->free_count++] = id;
}

/* Lets none interrupt. With the event index this is a hint, moved along by virtq_take: there is no other way (2.7.7).
 * The device interrupts when its index passes used_event. One behind `taken` it passes only after a whole lap of 65536,
 * since it may never be ahead of us by more than the queue's size. */
static inline void virtq_park(struct virtq *queue) {
  queue->armed = false;
  if(queue->event_index) {
    queue->available->flags = 0; /* 2.7.7: no other value with the event index */
    *virtq_used_event(queue) = (uint16_t)(queue->taken - 1U);
  } else {
    queue->available->flags = VIRTQ_AVAILABLE_NO_INTERRUPT;
    *virtq_used_event(queue) = 0;
  }
}

/* The number that the next virtq_offer should use, or false when none is free. */
static inline bool virtq_free_id(const struct virtq *queue, uint16_t *id) {
  if(queue->free_count == 0) {
    return false;
  }
  *id = queue->free[queue->free_count - 1U];
  return true;
}

/* Writes descriptor `id`: `length` bytes of its own buffer, VIRTQ_DESCRIPTOR_ flags. */
static inline void virtq_describe(struct virtq *queue, uint16_t id, uint32_t length, uint16_t flags, uint16_t next) {
  volatile struct virtq_descriptor *descriptor = &queue->descriptor[id];
  descriptor->address = queue->slot[id].device;
  descriptor->length = length;
  descriptor->flags = flags;
  descriptor->next = next;
}

/* Takes the number that virtq_free_id showed, and puts it into the available ring. The device is not told. */
static inline void virtq_offer(struct virtq *queue) {
  uint16_t id = queue->free[--queue->free_count];
  queue->in_flight[id / 32U] |= 1U << id % 32U;
  uint32_t place = queue->offered & (queue->size - 1U);
  queue->available->ring[place] = id;
  queue->slot[place].entry = id;
  queue->slot[id].told = false;
  queue->offered++;
}

/* Tells the device about everything offered. True when it wants to be notified of that (2.7.10): write the queue's
 * number to the doorbell then. False also when there was nothing to tell. */
bool virtq_publish(struct virtq *queue);

/* Judges the oldest used entry without consuming it; the same entry until virtq_take. */
enum virtq_verdict virtq_peek(struct virtq *queue, uint16_t *id, uint32_t *length);

/* Consumes the entry that virtq_peek showed: its number is free. */
void virtq_take(struct virtq *queue);

/* Takes back a number in flight, whether used or not; false when there is none. Only while the device is quiet. */
bool virtq_cancel(struct virtq *queue, uint16_t *id);

/* Lets the next used entry interrupt; a full barrier orders that before a look at the queue. */
void virtq_arm(struct virtq *queue);

/* How many buffers the device has given back that were not taken; 0 for a queue that lies. */
uint16_t virtq_waiting(const struct virtq *queue);

/* Whether the device has returned something that was not taken yet; never on a queue that has lied. Memory only. */
static inline bool virtq_has_news(const struct virtq *queue) {
  return !queue->lie && (queue->seen || queue->used->index != queue->taken);
}

#endif
