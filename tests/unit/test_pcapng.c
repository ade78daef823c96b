/* test_pcapng.c - capture files: each block by the format's rules, rooms that are too small, and dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "pcapng_read.h"

#include <cmocka.h>

#include "calendar.h"
#include "pcapng.h"

#define TIME 1795696496123456ULL /* 2026-11-26 12:34:56.123456 */

static uint8_t bytes[65536];
static struct read_file file;

static const struct pcapng_origin origin = {
    .hardware = "x86-64", .os = "UEFI 2.7", .application = "netdiag 0.1", .comment = "made by a test"};
static const struct pcapng_interface interface = {.name = "eth0",
                                                  .description = "82574L at 0000:00:02.0",
                                                  .filter = "arp or udp",
                                                  .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56},
                                                  .bits_per_second = 1000000000ULL,
                                                  .snap_length = 96};

static size_t begin(void) {
  size_t at = pcapng_begin(bytes, sizeof(bytes), &origin);
  assert_int_not_equal(at, 0);
  return at + pcapng_add_interface(bytes + at, sizeof(bytes) - at, &interface);
}

static void test_header(void **state) {
  (void)state;
  const size_t size = begin();
  assert_null(read_capture(bytes, size, &file));
  assert_string_equal(file.hardware, "x86-64");
  assert_string_equal(file.os, "UEFI 2.7");
  assert_string_equal(file.application, "netdiag 0.1");
  assert_string_equal(file.section_comment, "made by a test");
  assert_string_equal(file.name, "eth0");
  assert_string_equal(file.description, "82574L at 0000:00:02.0");
  assert_string_equal(file.filter, "arp or udp");
  assert_memory_equal(file.mac, interface.mac, 6);
  assert_int_equal(file.speed, 1000000000ULL);
  assert_int_equal(file.snap_length, 96);
  assert_int_equal(file.resolution, 6);
  assert_int_equal(file.interfaces, 1);
}

static void test_nothing_known(void **state) {
  (void)state;
  const struct pcapng_origin nobody = {0};
  const struct pcapng_interface nothing = {0};
  size_t size = pcapng_begin(bytes, sizeof(bytes), &nobody);
  assert_int_equal(size, 32); /* the fixed part and the end of the options */
  size += pcapng_add_interface(bytes + size, sizeof(bytes) - size, &nothing);
  assert_null(read_capture(bytes, size, &file));
  assert_string_equal(file.hardware, "");
  assert_string_equal(file.filter, "");
  assert_int_equal(file.speed, 0);
}

/* Each length of a frame pads differently; the flags tell direction and whom it was for. */
static void test_packets(void **state) {
  (void)state;
  static const struct {
    uint8_t first;
    enum pcapng_direction direction;
    uint32_t flags;
  } cases[] = {
      {0x52, PCAPNG_INBOUND, 1U | 1U << 2},
      {0x52, PCAPNG_OUTBOUND, 2U | 1U << 2},
      {0x01, PCAPNG_INBOUND, 1U | 2U << 2},
      {0xFF, PCAPNG_OUTBOUND, 2U | 3U << 2},
  };
  uint8_t frame[1518];
  for(uint32_t length = 14; length < 80; length++) {
    size_t size = begin();
    for(size_t i = 0; i < 4; i++) {
      memset(frame, (int)length, sizeof(frame));
      memset(frame, cases[i].first, 6);
      const struct pcapng_packet packet = {.time_us = TIME + i,
                                           .direction = cases[i].direction,
                                           .data = frame,
                                           .captured = length,
                                           .length = length + (uint32_t)i,
                                           .dropped = i * 5000000000ULL,
                                           .comment = i == 3 ? "the last" : NULL};
      const size_t added = pcapng_add_packet(bytes + size, sizeof(bytes) - size, &packet);
      assert_in_range(added, 32U + length, PCAPNG_PACKET_MAX(length));
      size += added;
    }
    assert_null(read_capture(bytes, size, &file));
    assert_int_equal(file.frame_count, 4);
    for(size_t i = 0; i < 4; i++) {
      const struct read_frame *read = &file.frames[i];
      assert_int_equal(read->time_us, TIME + i);
      assert_int_equal(read->flags, cases[i].flags);
      assert_int_equal(read->captured, length);
      assert_int_equal(read->length, length + i);
      assert_int_equal(read->dropped, i * 5000000000ULL);
      assert_int_equal(read->data[0], cases[i].first);
      assert_int_equal(read->data[length - 1U], length);
    }
  }
}

/* Cut before its destination, a frame is neither for one nor for all. */
static void test_short_packet(void **state) {
  (void)state;
  static const uint8_t frame[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  const struct pcapng_packet packet = {.direction = PCAPNG_INBOUND, .data = frame, .captured = 5, .length = 60};
  size_t size = begin();
  size += pcapng_add_packet(bytes + size, sizeof(bytes) - size, &packet);
  assert_null(read_capture(bytes, size, &file));
  assert_int_equal(file.frames[0].flags, 1);
}

static void test_statistics(void **state) {
  (void)state;
  const struct pcapng_statistics statistics = {.time_us = TIME,
                                               .start_us = TIME - 9,
                                               .end_us = TIME - 1,
                                               .received = 6000000000ULL,
                                               .missed = 5,
                                               .accepted = 4,
                                               .dropped = 3,
                                               .delivered = 2,
                                               .comment = "all"};
  size_t size = begin();
  const size_t added = pcapng_add_statistics(bytes + size, sizeof(bytes) - size, &statistics);
  assert_in_range(added, 100, PCAPNG_STATISTICS_MAX);
  assert_null(read_capture(bytes, size + added, &file));
  const uint64_t wanted[9] = {0, 0, TIME - 9, TIME - 1, 6000000000ULL, 5, 4, 3, 2};
  assert_memory_equal(file.counters, wanted, sizeof(wanted));
}

/* A text of any length is cut, and a room that is a byte too small takes nothing, nor a byte beyond itself. */
static void test_rooms(void **state) {
  (void)state;
  char text[400];
  memset(text, 'x', sizeof(text) - 1U);
  text[sizeof(text) - 1U] = '\0';
  const struct pcapng_origin long_origin = {text, text, text, text};
  struct pcapng_interface long_interface = interface;
  long_interface.name = long_interface.description = long_interface.filter = long_interface.comment = text;
  const struct pcapng_packet packet = {
      .direction = PCAPNG_INBOUND, .data = bytes, .captured = 1518, .length = 1518, .dropped = 1, .comment = text};
  const struct pcapng_statistics statistics = {.comment = text};
  static uint8_t whole[8192];
  size_t largest[4] = {0};
  for(size_t room = 0; room < 4096; room++) {
    uint8_t *exact = malloc(room + 1U); /* under AddressSanitizer: not a byte more */
    assert_non_null(exact);
    const size_t sizes[4] = {pcapng_begin(exact, room, &long_origin),
                             pcapng_add_interface(exact, room, &long_interface),
                             pcapng_add_packet(exact, room, &packet), pcapng_add_statistics(exact, room, &statistics)};
    for(size_t i = 0; i < 4; i++) {
      assert_true(sizes[i] <= room && (largest[i] == 0 || sizes[i] == largest[i]));
      largest[i] = sizes[i] ? sizes[i] : largest[i];
    }
    free(exact);
  }
  assert_int_equal(largest[0], PCAPNG_HEADER_MAX);
  assert_in_range(largest[1], 1U, PCAPNG_INTERFACE_MAX);
  assert_int_equal(largest[2], PCAPNG_PACKET_MAX(1518));
  assert_int_equal(largest[3], PCAPNG_STATISTICS_MAX);
  size_t size = pcapng_begin(whole, sizeof(whole), &long_origin);
  size += pcapng_add_interface(whole + size, sizeof(whole) - size, &long_interface);
  assert_null(read_capture(whole, size, &file));
  assert_int_equal(strlen(file.name), PCAPNG_TEXT_MAX);
  assert_int_equal(strlen(file.filter), PCAPNG_TEXT_MAX - 1U);
}

static void test_dates(void **state) {
  (void)state;
  static const struct {
    struct calendar date;
    uint64_t seconds;
  } cases[] = {
      {{1970, 1, 1, 0, 0, 1}, 1},
      {{1972, 2, 29, 0, 0, 0}, 68169600},
      {{1999, 12, 31, 23, 59, 59}, 946684799},
      {{2000, 2, 29, 12, 0, 0}, 951825600},
      {{2026, 11, 26, 12, 34, 56}, TIME / 1000000U},
      {{2038, 1, 19, 3, 14, 8}, 2147483648ULL},
      {{2100, 3, 1, 0, 0, 0}, 4107542400ULL},
      {{1969, 12, 31, 23, 59, 59}, 0},
      {{2023, 2, 29, 0, 0, 0}, 0},
      {{2100, 2, 29, 0, 0, 0}, 0},
      {{2026, 13, 1, 0, 0, 0}, 0},
      {{2026, 0, 1, 0, 0, 0}, 0},
      {{2026, 4, 31, 0, 0, 0}, 0},
      {{2026, 4, 0, 0, 0, 0}, 0},
      {{2026, 4, 1, 24, 0, 0}, 0},
      {{2026, 4, 1, 0, 60, 0}, 0},
      {{2026, 4, 1, 0, 0, 60}, 0},
      {{10000, 1, 1, 0, 0, 0}, 0},
  };
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    assert_int_equal(calendar_seconds(&cases[i].date), cases[i].seconds);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_header),       cmocka_unit_test(test_nothing_known), cmocka_unit_test(test_packets),
      cmocka_unit_test(test_short_packet), cmocka_unit_test(test_statistics),    cmocka_unit_test(test_rooms),
      cmocka_unit_test(test_dates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
