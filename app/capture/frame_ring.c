/* frame_ring.c - frames between a tap and a file. */
#include "frame_ring.h"

#include <string.h>

#define UNIT 8U

/* What stands before the bytes of a frame. */
struct record {
  uint64_t time_us;
  uint64_t dropped;
  uint32_t captured;
  uint32_t length;
  uint32_t sent;
  uint32_t wraps; /* no record: the next one is at the beginning */
};

static uint32_t room_for(uint32_t captured) {
  return (uint32_t)sizeof(struct record) + (captured + UNIT - 1U) / UNIT * UNIT;
}

void frame_ring_init(struct frame_ring *ring, void *memory, uint32_t size) {
  *ring = (struct frame_ring){.bytes = memory, .size = size / UNIT * UNIT};
}

uint32_t frame_ring_used(const struct frame_ring *ring) {
  return ring->head >= ring->tail ? ring->head - ring->tail : ring->size - (ring->tail - ring->head);
}

/* Where `need` bytes in one piece are free, or UINT32_MAX. One unit stays free, or full would look like empty. */
static uint32_t find_room(const struct frame_ring *ring, uint32_t need) {
  if(ring->head < ring->tail) {
    return need < ring->tail - ring->head ? ring->head : UINT32_MAX;
  }
  uint32_t before_end = ring->size - ring->head;
  if(need < before_end || (need == before_end && ring->tail > 0)) {
    return ring->head;
  }
  return need < ring->tail ? 0 : UINT32_MAX;
}

bool frame_ring_put(struct frame_ring *ring, const struct frame_record *record) {
  const uint32_t need = room_for(record->captured);
  if(ring->count == 0) {
    ring->head = ring->tail = 0; /* all of it in one piece */
  }
  const uint32_t at = record->captured < ring->size ? find_room(ring, need) : UINT32_MAX;
  if(at == UINT32_MAX) {
    ring->dropped++;
    ring->dropped_new++;
    return false;
  }
  if(at != ring->head && ring->size - ring->head >= sizeof(struct record)) {
    const struct record mark = {.wraps = 1};
    memcpy(ring->bytes + ring->head, &mark, sizeof(mark));
  }
  const struct record header = {.time_us = record->time_us,
                                .dropped = ring->dropped_new,
                                .captured = record->captured,
                                .length = record->length,
                                .sent = record->sent};
  memcpy(ring->bytes + at, &header, sizeof(header));
  memcpy(ring->bytes + at + sizeof(header), record->data, record->captured);
  ring->head = at + need == ring->size ? 0 : at + need;
  ring->dropped_new = 0;
  ring->count++;
  return true;
}

/* Where the oldest record is; there is one. */
static uint32_t oldest(const struct frame_ring *ring, struct record *header) {
  uint32_t at = ring->tail;
  if(ring->size - at >= sizeof(*header)) {
    memcpy(header, ring->bytes + at, sizeof(*header));
    if(!header->wraps) {
      return at;
    }
  }
  memcpy(header, ring->bytes, sizeof(*header));
  return 0;
}

bool frame_ring_peek(const struct frame_ring *ring, struct frame_record *record) {
  struct record header;
  if(ring->count == 0) {
    return false;
  }
  const uint32_t at = oldest(ring, &header);
  *record = (struct frame_record){.time_us = header.time_us,
                                  .dropped = header.dropped,
                                  .data = ring->bytes + at + sizeof(header),
                                  .captured = header.captured,
                                  .length = header.length,
                                  .sent = header.sent != 0};
  return true;
}

void frame_ring_drop(struct frame_ring *ring) {
  struct record header;
  if(ring->count == 0) {
    return;
  }
  const uint32_t end = oldest(ring, &header) + room_for(header.captured);
  ring->tail = end == ring->size ? 0 : end;
  ring->count--;
}
