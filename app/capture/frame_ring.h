/* frame_ring.h - frames between a tap, which must not wait, and a file that may take its time. Pure C. */
#ifndef APP_FRAME_RING_H
#define APP_FRAME_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One frame in the ring, or for it. */
struct frame_record {
  uint64_t time_us;
  uint64_t dropped; /* frames that found no room between the one before and it; the ring fills it in */
  const uint8_t *data;
  uint32_t captured; /* bytes at `data`         */
  uint32_t length;   /* of the frame on the wire */
  bool sent;
};

/*
 * Records lie behind each other, each in one piece at a multiple of 8; where the next one does not fit before the end,
 * a mark sends the reader to the beginning.
 *
 * Invariants: head and tail are below size and multiples of 8; the records from tail to head (round the end) are whole;
 * head == tail only when there are none, so that at least 8 bytes stay free; `count` of them are there.
 */
struct frame_ring {
  uint8_t *bytes;
  uint32_t size;
  uint32_t head;
  uint32_t tail;
  uint32_t count;
  uint64_t dropped;     /* in all                          */
  uint64_t dropped_new; /* since the last record was put   */
};

/* `memory` of `size` bytes (64 to 1 GiB; aligned to 8) stays the ring's. One producer and one consumer, who keep each
 * other out. */
void frame_ring_init(struct frame_ring *ring, void *memory, uint32_t size);

/* Copies the record. False, and it is counted, when there is no room. */
bool frame_ring_put(struct frame_ring *ring, const struct frame_record *record);

/* Shows the oldest record, whose data stays where it is until frame_ring_drop. False when there is none. */
bool frame_ring_peek(const struct frame_ring *ring, struct frame_record *record);

/* Gives the room of the record that frame_ring_peek showed back. */
void frame_ring_drop(struct frame_ring *ring);

/* Bytes that are taken. */
uint32_t frame_ring_used(const struct frame_ring *ring);

#endif
