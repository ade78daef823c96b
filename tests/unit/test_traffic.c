/* test_traffic.c - what goes over a NIC, added up: seconds, sizes, protocols, and who talks most in a table that is too
 * small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "traffic.h"

#define SECOND 1000000ULL
#define START  777ULL

static struct traffic traffic;

/* A frame of a station; `type` 0x0800 with a UDP or TCP port. */
static void add(uint32_t station, uint16_t type, uint8_t protocol, uint16_t port, size_t length, uint64_t at_us) {
  uint8_t frame[2000] = {
      0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, (uint8_t)(station >> 16), (uint8_t)(station >> 8), (uint8_t)station};
  const uint8_t ip[] = {
      0x45, 0, 0, 100, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, (uint8_t)(station >> 8), (uint8_t)station};
  frame[12] = (uint8_t)(type >> 8);
  frame[13] = (uint8_t)type;
  memcpy(frame + 14, ip, sizeof(ip));
  frame[36] = (uint8_t)(port >> 8);
  frame[37] = (uint8_t)port;
  traffic_add(&traffic, TRAFFIC_IN, frame, length, at_us);
}

static void assert_second(uint32_t ago, uint64_t frames, uint64_t bytes) {
  const struct traffic_sum sum = traffic_second(&traffic, TRAFFIC_IN, ago);
  assert_int_equal(sum.frames, frames);
  assert_int_equal(sum.bytes, bytes);
}

static void test_seconds(void **state) {
  (void)state;
  traffic_init(&traffic, START);
  assert_second(0, 0, 0); /* none is complete */
  add(1, 0x0806, 0, 0, 100, START + 1);
  add(1, 0x0806, 0, 0, 100, START + SECOND - 1);
  assert_second(0, 0, 0);
  add(1, 0x0806, 0, 0, 60, START + SECOND);
  assert_second(0, 2, 200);
  traffic_tick(&traffic, START + 4 * SECOND);
  assert_second(0, 0, 0);
  assert_second(1, 0, 0);
  assert_second(2, 1, 60);
  assert_second(3, 2, 200);
  assert_second(4, 0, 0);        /* before the beginning */
  traffic_tick(&traffic, START); /* a clock that goes back */
  assert_second(3, 2, 200);
  /* all that is remembered, and not a second more */
  traffic_tick(&traffic, START + (TRAFFIC_SECONDS - 1U) * SECOND);
  assert_second(TRAFFIC_SECONDS - 2U, 2, 200);
  assert_second(TRAFFIC_SECONDS - 1U, 0, 0);
  assert_second(UINT32_MAX, 0, 0);
  /* its place is used again, from nothing */
  add(1, 0x0806, 0, 0, 70, START + TRAFFIC_SECONDS * SECOND);
  traffic_tick(&traffic, START + (TRAFFIC_SECONDS + 1U) * SECOND);
  assert_second(0, 1, 70);
  traffic_tick(&traffic, START + 100000 * SECOND);
  for(uint32_t i = 0; i < TRAFFIC_SECONDS; i++) {
    assert_second(i, 0, 0);
  }
  assert_int_equal(traffic.total[TRAFFIC_IN].frames, 4);
}

static void test_sizes(void **state) {
  (void)state;
  static const struct {
    size_t length; /* without the FCS */
    uint32_t size;
  } cases[] = {{14, 0},  {60, 0},  {61, 1},   {123, 1},  {124, 2},  {251, 2},  {252, 3},
               {507, 3}, {508, 4}, {1019, 4}, {1020, 5}, {1514, 5}, {1515, 6}, {1518, 6}};
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    traffic_init(&traffic, START);
    add(1, 0x0806, 0, 0, cases[i].length, START);
    assert_int_equal(traffic.sizes[cases[i].size], 1);
  }
  assert_string_equal(traffic_size_name(4), "512-1023");
  assert_string_equal(traffic_size_name(TRAFFIC_SIZES), "");
}

static void test_protocols(void **state) {
  (void)state;
  static const struct {
    uint16_t type;
    uint8_t protocol;
    uint16_t port;
    enum traffic_protocol wanted;
  } cases[] = {
      {0x0806, 0, 0, TRAFFIC_ARP},    {0x0800, 1, 0, TRAFFIC_ICMP},  {0x0800, 17, 67, TRAFFIC_DHCP},
      {0x0800, 17, 69, TRAFFIC_TFTP}, {0x0800, 17, 53, TRAFFIC_DNS}, {0x0800, 6, 53, TRAFFIC_DNS},
      {0x0800, 17, 5, TRAFFIC_UDP},   {0x0800, 6, 80, TRAFFIC_HTTP}, {0x0800, 6, 22, TRAFFIC_TCP},
      {0x0800, 47, 0, TRAFFIC_IP},    {0x88CC, 0, 0, TRAFFIC_LLDP},  {0x88B5, 0, 0, TRAFFIC_TEST},
      {0x0026, 0, 0, TRAFFIC_LLC},    {0x9000, 0, 0, TRAFFIC_OTHER}, {0x86DD, 0, 0, TRAFFIC_IP},
  };
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    traffic_init(&traffic, START);
    add(1, cases[i].type, cases[i].protocol, cases[i].port, 100, START);
    enum traffic_protocol list[TRAFFIC_PROTOCOLS];
    assert_int_equal(traffic_top_protocols(&traffic, list, TRAFFIC_PROTOCOLS), 1);
    assert_string_equal(traffic_protocol_name(list[0]), traffic_protocol_name(cases[i].wanted));
    assert_int_equal(traffic.protocols[cases[i].wanted].bytes, 100);
  }
  /* most bytes first, and no more than there is room for */
  traffic_init(&traffic, START);
  add(1, 0x0806, 0, 0, 60, START);
  add(1, 0x88CC, 0, 0, 300, START);
  add(1, 0x9000, 0, 0, 100, START);
  enum traffic_protocol list[2];
  assert_int_equal(traffic_top_protocols(&traffic, list, 2), 2);
  assert_int_equal(list[0], TRAFFIC_LLDP);
  assert_int_equal(list[1], TRAFFIC_OTHER);
}

static void test_talkers(void **state) {
  (void)state;
  uint32_t places[8];
  traffic_init(&traffic, START);
  for(uint32_t i = 1; i <= 5; i++) {
    for(uint32_t n = 0; n < i; n++) {
      add(i, 0x0800, 17, 5, 100, START);
    }
  }
  assert_int_equal(traffic_top(&traffic, places, 3), 3);
  for(uint32_t i = 0; i < 3; i++) {
    const struct traffic_talker *talker = &traffic.talkers[places[i]];
    assert_int_equal(talker->mac[5 - 1], 5 - i);
    assert_int_equal(talker->frames, 5 - i);
    assert_int_equal(talker->bytes, (5 - i) * 100U);
    assert_int_equal(talker->bytes_over, 0);
    assert_true(talker->has_address);
    assert_int_equal(talker->address, 0x0A000000U | (5 - i));
  }
  assert_int_equal(traffic_top(&traffic, places, 0), 0);
  assert_int_equal(traffic_top(&traffic, places, 8), 5);
}

/* Thousands of stations with a frame each, and three that send much: those are in the table, with what they sent. */
static void test_many_talkers(void **state) {
  (void)state;
  uint32_t places[3];
  traffic_init(&traffic, START);
  for(uint32_t i = 0; i < 20000; i++) {
    add(1000U + i, 0x0806, 0, 0, 60, START);
    add(i % 3U + 1U, 0x0806, 0, 0, i % 3U == 0 ? 1514 : 600, START);
  }
  assert_int_equal(traffic_top(&traffic, places, 3), 3);
  static const uint64_t bytes[] = {0, 6667U * 1514U, 6667U * 600U, 6666U * 600U};
  for(uint32_t i = 0; i < 3; i++) {
    const struct traffic_talker *talker = &traffic.talkers[places[i]];
    assert_in_range(talker->mac[4], 1, 3);
    assert_true(talker->bytes >= bytes[talker->mac[4]]);
    assert_true(talker->bytes - talker->bytes_over <= bytes[talker->mac[4]]);
  }
  assert_int_equal(traffic.talkers[places[0]].mac[4], 1);
  assert_int_equal(traffic.talker_count, TRAFFIC_TALKERS);
  uint64_t bytes_of_all = 0;
  for(uint32_t i = 0; i < TRAFFIC_TALKERS; i++) {
    bytes_of_all += traffic.talkers[i].bytes;
  }
  assert_int_equal(bytes_of_all, traffic.total[TRAFFIC_IN].bytes); /* whoever goes leaves his to who comes */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_seconds), cmocka_unit_test(test_sizes),        cmocka_unit_test(test_protocols),
      cmocka_unit_test(test_talkers), cmocka_unit_test(test_many_talkers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
