/* test_dissect.c - who talks to whom in a frame: fragments, extension headers, tags, and frames that end too early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dissect.h"

/* IPv4 with UDP from port 53 to 5 behind an option, in a frame with a VLAN tag. */
static const uint8_t tagged[] = {
    2,    0,  0,    0,  0, 1,  2, 0, 0,   0,   0,   2,   0x81, 0,    0x60, 5,    0x08, 0, /* Ethernet      */
    0x46, 0,  0,    36, 0, 0,  0, 0, 64,  17,  0,   0,   10,   0,    0,    1,    10,   0,
    0,    2,  0x94, 4,  0, 0,                                                    /* IPv4, 24 bytes */
    0,    53, 0,    5,  0, 12, 0, 0, 'a', 'b', 'c', 'd', 0xEE, 0xEE, 0xEE, 0xEE, /* UDP, padding  */
};
#define IP_AT 18U

static void test_ipv4(void **state) {
  (void)state;
  struct dissection what;
  assert_true(dissect(tagged, sizeof(tagged), &what));
  assert_int_equal(what.vlan_count, 1);
  assert_int_equal(what.vlans[0], 5);
  assert_true(what.is_ip && what.has_ports && !what.is_part);
  assert_int_equal(what.source_port, 53);
  assert_true(dissect_has_port(&what, 53) && dissect_has_port(&what, 5) && !dissect_has_port(&what, 12));
  assert_int_equal(what.payload_length, 4); /* and not the padding */
  assert_memory_equal(what.payload, "abcd", 4);
  assert_memory_equal(what.destination, tagged + IP_AT + 16, 4);
}

/* Only the first fragment has ports: what lies there in the others is data. */
static void test_fragments(void **state) {
  (void)state;
  struct dissection what;
  uint8_t frame[sizeof(tagged)];
  memcpy(frame, tagged, sizeof(frame));
  frame[IP_AT + 6] = 0x20; /* more fragments */
  assert_true(dissect(frame, sizeof(frame), &what));
  assert_true(what.has_ports);
  frame[IP_AT + 7] = 1;
  assert_true(dissect(frame, sizeof(frame), &what));
  assert_true(what.is_part && !what.has_ports && !what.payload);
  assert_int_equal(what.protocol, IP_UDP);
  assert_false(dissect_has_port(&what, 53));
}

/* Hop-by-hop, destination options, a fragment header; and a chain that is longer than anybody's. */
static void test_extension_headers(void **state) {
  (void)state;
  uint8_t frame[14 + 40 + 12 * 8 + 8] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xDD, 0x60};
  struct dissection what;
  for(uint32_t headers = 0; headers <= 12; headers++) {
    uint8_t *next = &frame[20];
    uint8_t *at = &frame[54];
    for(uint32_t i = 0; i < headers; i++, at += 8) {
      *next = 60;
      memset(at, 0, 8);
      next = at;
    }
    *next = IP_UDP;
    const uint8_t udp[] = {0, 53, 0, 5, 0, 8, 0, 0};
    memcpy(at, udp, sizeof(udp));
    frame[19] = (uint8_t)(headers * 8U + 8U);
    assert_true(dissect(frame, sizeof(frame), &what));
    assert_int_equal(what.address_length, 16);
    assert_int_equal(what.has_ports, headers <= 8);
  }
  /* one fragment header before it: the first fragment, then another */
  frame[20] = 44;
  frame[19] = 16;
  const uint8_t first[] = {IP_UDP, 0, 0, 1, 0, 0, 0, 9, 0, 53, 0, 5, 0, 8, 0, 0};
  memcpy(&frame[54], first, sizeof(first));
  assert_true(dissect(frame, sizeof(frame), &what));
  assert_true(what.has_ports && !what.is_part);
  frame[57] = 8;
  assert_true(dissect(frame, sizeof(frame), &what));
  assert_true(what.is_part && !what.has_ports);
}

/* Every length: nothing behind the end is looked at. */
static void test_cut(void **state) {
  (void)state;
  struct dissection what;
  for(size_t length = 0; length <= sizeof(tagged); length++) {
    uint8_t *exact = malloc(length ? length : 1U);
    assert_non_null(exact);
    memcpy(exact, tagged, length);
    assert_int_equal(dissect(exact, length, &what), length >= IP_AT);
    assert_int_equal(what.has_ports, length >= IP_AT + 24U + 4U);
    free(exact);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ipv4),
      cmocka_unit_test(test_fragments),
      cmocka_unit_test(test_extension_headers),
      cmocka_unit_test(test_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
