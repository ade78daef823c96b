/* test_frame_ring.c - frames between tap and file: each comes out once, whole and in order, or is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frame_ring.h"

#define FRAME_MAX 1518U

static uint32_t seed;

static uint32_t draw(uint32_t below) {
  seed = seed * 1664525U + 1013904223U;
  return (seed >> 8) % below;
}

static void fill(uint8_t *data, uint32_t length, uint32_t number) {
  for(uint32_t i = 0; i < length; i++) {
    data[i] = (uint8_t)(number * 31U + i);
  }
}

/* What is expected of the frames that went in. */
static uint32_t length_of(uint32_t number, uint32_t max) {
  return number * 2654435761U % (max + 1U);
}

struct model {
  uint32_t in; /* numbers given to frames */
  uint32_t refused;
  uint32_t out; /* the next number that is expected, if it was not refused */
  bool was_refused[200000];
};

static struct model model;

static void put(struct frame_ring *ring, uint32_t max) {
  uint8_t data[FRAME_MAX];
  const uint32_t number = model.in++;
  const uint32_t length = length_of(number, max);
  fill(data, length, number);
  const struct frame_record record = {
      .time_us = number, .data = data, .captured = length, .length = length + 1U, .sent = number & 1U};
  if(!frame_ring_put(ring, &record)) {
    model.was_refused[number] = true;
    model.refused++;
  }
}

static void take(struct frame_ring *ring, uint32_t max) {
  uint8_t data[FRAME_MAX];
  struct frame_record record;
  uint32_t gap = 0;
  while(model.out < model.in && model.was_refused[model.out]) {
    model.out++;
    gap++;
  }
  const bool any = frame_ring_peek(ring, &record);
  assert_int_equal(any, model.out < model.in);
  if(!any) {
    model.out -= gap;      /* told with the next one */
    frame_ring_drop(ring); /* harmless */
    return;
  }
  const uint32_t number = model.out++;
  fill(data, record.captured, number);
  assert_int_equal(record.time_us, number);
  assert_int_equal(record.captured, length_of(number, max));
  assert_int_equal(record.length, record.captured + 1U);
  assert_int_equal(record.sent, number & 1U);
  assert_int_equal(record.dropped, gap);
  assert_memory_equal(record.data, data, record.captured);
  frame_ring_drop(ring);
}

static void run(uint32_t size, uint32_t max, uint32_t puts, uint32_t takes) {
  uint64_t *memory = malloc(size);
  struct frame_ring ring;
  assert_non_null(memory);
  memset(&model, 0, sizeof(model));
  frame_ring_init(&ring, memory, size);
  while(model.in < 20000U) {
    for(uint32_t i = draw(puts); i > 0; i--) {
      put(&ring, max);
    }
    for(uint32_t i = draw(takes); i > 0; i--) {
      take(&ring, max);
    }
    assert_true(ring.head < ring.size && ring.tail < ring.size && ring.head % 8U == 0 && ring.tail % 8U == 0);
    assert_true(frame_ring_used(&ring) < ring.size);
    assert_int_equal(ring.dropped, model.refused);
    assert_int_equal(ring.count == 0, ring.head == ring.tail);
  }
  free(memory);
}

static void test_every_shape(void **state) {
  (void)state;
  static const uint32_t sizes[] = {64, 72, 100, 1600, 4096, 65536};
  static const uint32_t longest[] = {0, 8, 24, 60, 1518};
  for(size_t i = 0; i < 6; i++) {
    for(size_t j = 0; j < 5; j++) {
      seed = (uint32_t)(i * 5U + j);
      run(sizes[i], longest[j], 40, 40); /* about as many come as go */
      run(sizes[i], longest[j], 60, 8);  /* it is full most of the time */
      run(sizes[i], longest[j], 3, 60);  /* empty */
    }
  }
}

/* One that is longer than all of it is refused, whatever its length says. */
static void test_too_long(void **state) {
  (void)state;
  uint64_t memory[128];
  struct frame_ring ring;
  struct frame_record record = {.data = (const uint8_t *)memory, .captured = UINT32_MAX};
  frame_ring_init(&ring, memory, sizeof(memory));
  assert_false(frame_ring_put(&ring, &record));
  record.captured = sizeof(memory);
  assert_false(frame_ring_put(&ring, &record));
  record.captured = 10;
  assert_true(frame_ring_put(&ring, &record));
  assert_true(frame_ring_peek(&ring, &record));
  assert_int_equal(record.dropped, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_shape),
      cmocka_unit_test(test_too_long),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
