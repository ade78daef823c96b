/* test_ring_picture.c - tests of drawing rings from rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ring_picture.h"

static struct ring_views views;

static void row(const char *name, uint32_t index, uint64_t value, const char *text) {
  const struct netdev_row given = {
      .group = NETDEV_ROWS_RINGS, .name = name, .index = index, .count = 1, .value = value, .text = text};
  ring_views_take(&views, &given);
}

static void begin(const char *size_name, uint64_t size) {
  memset(&views, 0, sizeof(views));
  row(size_name, 0, size, "descriptors");
}

static void expect_line(uint32_t line, const char *wanted) {
  char text[RING_LINE_SIZE];
  bool there = ring_line(&views.ring[0], line, text);
  assert_int_equal(there, wanted != NULL);
  if(wanted) {
    assert_string_equal(text, wanted);
  }
}

static void expect_counts(uint32_t free, uint32_t filled, uint32_t done) {
  struct ring_counts counts = ring_count(&views.ring[0]);
  assert_int_equal(counts.free, free);
  assert_int_equal(counts.filled, filled);
  assert_int_equal(counts.done, done);
}

static void test_small(void **state) {
  (void)state;
  begin("rx.size", 8);
  row("rx.busy", 0, 0x3C, "");
  row("rx.done", 0, 0x0D, ""); /* 0 is not the device's: not done either */
  row("rx.at_head", 0, 2, "");
  row("rx.at_device", 0, 4, "");
  row("rx.at_tail", 0, 99, ""); /* not in it */
  expect_line(0, "     0 ..DD##..  head 2, device 4");
  expect_line(1, NULL);
  expect_counts(4, 2, 2);
  assert_int_equal(ring_scale(&views.ring[0]), 1);
}

static void test_lines(void **state) {
  (void)state;
  begin("tx.count", 64);
  row("tx.busy", 0, 1ULL << 31 | 1ULL << 32, "");
  row("tx.at_head", 0, 31, "");
  row("tx.at_tail", 0, 33, "");
  expect_line(0, "     0 ...............................#  head 31");
  expect_line(1, "    32 #...............................  tail 33");
  expect_line(2, NULL);
}

static void test_scaled(void **state) {
  (void)state;
  begin("rx.count", 4096);
  for(uint32_t i = 0; i < 64; i++) {
    row("rx.busy", i, i == 0 ? UINT64_MAX << 1 : UINT64_MAX, "");
  }
  row("rx.done", 1, UINT64_MAX, "");
  assert_int_equal(ring_scale(&views.ring[0]), 16);
  expect_line(0, "     0 +###DDDD########################");
  expect_line(7, "  3584 ################################");
  expect_line(8, NULL);
  expect_counts(1, 4031, 64);
}

/* Rows of anybody: too many, too large, of no queue. */
static void test_strange_rows(void **state) {
  (void)state;
  begin("rx.size", UINT64_MAX);
  assert_int_equal(views.ring[0].size, 4096);
  row("rx.busy", 64, UINT64_MAX, "");
  row("rx.done", UINT32_MAX, UINT64_MAX, "");
  expect_counts(4096, 0, 0);
  row("size", 0, 4, "descriptors");
  row("a_name_that_is_too_long.size", 0, 4, "descriptors");
  row("other.busy", 0, 1, ""); /* of a queue whose size nobody told */
  row("rx", 0, 4, NULL);
  assert_int_equal(views.count, 1);
  for(uint32_t i = 0; i < 10; i++) {
    char name[] = "q0.size";
    name[1] = (char)('0' + i);
    row(name, 0, 4, "descriptors");
    row("rx.at_a_name_that_is_far_too_long", 0, 1, "");
  }
  assert_int_equal(views.count, RINGS_MAX);
  assert_int_equal(views.ring[0].mark_count, RING_MARKS_MAX);
  char text[RING_LINE_SIZE];
  assert_true(ring_line(&views.ring[0], 0, text));
  assert_true(strlen(text) < RING_LINE_SIZE);
  assert_null(ring_views_find(&views, "nothing.busy"));
  assert_null(ring_views_find(&views, "rx"));
  assert_ptr_equal(ring_views_find(&views, "rx.whatever"), &views.ring[0]);
  const struct netdev_row other = {.group = NETDEV_ROWS_COUNTERS, .name = "rx.size", .text = "descriptors", .value = 1};
  ring_views_take(&views, &other);
  assert_int_equal(views.ring[0].size, 4096);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_small),
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_scaled),
      cmocka_unit_test(test_strange_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
