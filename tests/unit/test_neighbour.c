/* test_neighbour.c - tests of what is read from LLDP, CDP and spanning tree, and of addresses as text. */
#include "unit.h"

#include <stdlib.h>

#include "neighbour.h"
#include "neighbour_packets.h"
#include "texts.h"

static const uint8_t switch_mac[6] = {0x00, 0x1B, 0x21, 0xAA, 0xBB, 0xCC};

/* A copy exactly as long as it is, so that reading one byte further is caught. */
static bool parse(const uint8_t *frame, size_t length, struct neighbour *neighbour) {
  uint8_t *copy = malloc(length ? length : 1U);
  assert_non_null(copy);
  memcpy(copy, frame, length);
  memset(neighbour, 0xA5, sizeof(*neighbour));
  bool known = neighbour_parse(copy, length, neighbour);
  free(copy);
  return known;
}

/* The same with a tag before the type. */
static bool parse_tagged(const uint8_t *frame, size_t length, uint16_t vlan, struct neighbour *neighbour) {
  uint8_t tagged[1600];
  memcpy(tagged, frame, 12);
  memcpy(tagged + 12, (const uint8_t[]){0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan}, 4);
  memcpy(tagged + 16, frame + 12, length - 12U);
  return parse(tagged, length + 4U, neighbour);
}

/* LLDP ------------------------------------------------------------------------------------------------------------ */

static void assert_lldp(const struct neighbour *seen) {
  assert_int_equal(seen->kind, NEIGHBOUR_LLDP);
  assert_false(seen->cut);
  assert_memory_equal(seen->mac, switch_mac, 6);
  assert_string_equal(seen->device, "00:1b:21:aa:bb:cc");
  assert_string_equal(seen->port, "Gi1/0/7");
  assert_string_equal(seen->port_text, "desk 7");
  assert_string_equal(seen->system_name, "sw-floor2");
  assert_string_equal(seen->system_text, "Switch OS 1.0");
  assert_int_equal(seen->address, 0x0A0000FD);
  assert_int_equal(seen->ttl_s, 120);
  assert_true(seen->has_vlan);
  assert_int_equal(seen->native_vlan, 42);
}

static void test_lldp(void **state) {
  (void)state;
  struct neighbour seen;
  assert_true(parse(lldp_frame, sizeof(lldp_frame), &seen));
  assert_lldp(&seen);
  assert_false(seen.tagged);
  assert_true(parse_tagged(lldp_frame, sizeof(lldp_frame), 0, &seen));
  assert_lldp(&seen);
  assert_true(seen.tagged);
  assert_int_equal(seen.vlan, 0);
  assert_true(parse_tagged(lldp_frame, sizeof(lldp_frame), 300, &seen));
  assert_int_equal(seen.vlan, 300);
}

/* An LLDP frame of these TLVs. */
static bool parse_tlvs(const uint8_t *tlvs, size_t length, struct neighbour *seen) {
  uint8_t frame[1514];
  memcpy(frame, lldp_frame, 14);
  memcpy(frame + 14, tlvs, length);
  return parse(frame, 14U + length, seen);
}

static void test_lldp_identifiers(void **state) {
  (void)state;
  static const struct {
    uint8_t type;
    uint8_t id[8];
    uint8_t length;
    const char *text;
  } cases[] = {
      {1, {4, 1, 2, 3, 4, 5, 6}, 7, "01:02:03:04:05:06"},
      {1, {5, 1, 10, 0, 0, 1}, 6, "10.0.0.1"},
      {1, {7, 'r', 'a', 'c', 'k'}, 5, "rack"},
      {1, {4, 'a', 'b'}, 3, "ab"},             /* no MAC address for its length */
      {1, {3, 1, 2, 3, 4, 5, 6}, 7, "??????"}, /* 3 is a MAC address for ports alone */
      {2, {3, 1, 2, 3, 4, 5, 6}, 7, "01:02:03:04:05:06"},
      {2, {4, 1, 10, 0, 0, 1}, 6, "10.0.0.1"},
      {2, {7, '4', '2'}, 3, "42"},
  };
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint8_t tlvs[16] = {(uint8_t)(cases[i].type << 1), cases[i].length};
    struct neighbour seen;
    memcpy(tlvs + 2, cases[i].id, cases[i].length);
    assert_true(parse_tlvs(tlvs, 4U + cases[i].length, &seen));
    assert_false(seen.cut);
    assert_string_equal(cases[i].type == 1 ? seen.device : seen.port, cases[i].text);
  }
}

static void test_lldp_broken(void **state) {
  (void)state;
  static const struct {
    uint8_t tlvs[8];
    uint8_t length;
  } bad[] = {
      {{0}, 0},                    /* nothing, not even an end */
      {{2}, 1},                    /* half a header */
      {{2, 1, 4, 0, 0}, 5},        /* a chassis without an identifier */
      {{4, 0, 0, 0}, 4},           /* a port of no bytes */
      {{6, 1, 9, 0, 0}, 5},        /* a time to live of one byte */
      {{10, 5, 'a', 'b', 'c'}, 5}, /* beyond the end */
      {{11, 0, 'a', 'b', 'c'}, 5}, /* the ninth bit of the length */
      {{10, 3, 'a', 'b', 'c'}, 5}, /* no end behind it */
  };
  for(size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct neighbour seen;
    assert_true(parse_tlvs(bad[i].tlvs, bad[i].length, &seen));
    assert_true(seen.cut);
  }
  struct neighbour seen;
  assert_true(parse_tlvs((const uint8_t[]){10, 4, 'a', 7, 0xE4, 'b', 0, 0}, 8, &seen));
  assert_string_equal(seen.system_name, "a??b");
  assert_false(seen.cut);
  uint8_t longer[300] = {11, 0x10}; /* 272 bytes */
  memset(longer + 2, 'n', 272);
  assert_true(parse_tlvs(longer, 276, &seen));
  assert_false(seen.cut);
  assert_int_equal(strlen(seen.system_name), NEIGHBOUR_TEXT_SIZE - 1U);
}

/* CDP ------------------------------------------------------------------------------------------------------------- */

static void test_cdp(void **state) {
  (void)state;
  for(int tagged = 0; tagged < 2; tagged++) {
    struct neighbour seen;
    assert_true(tagged ? parse_tagged(cdp_frame, sizeof(cdp_frame), 0, &seen)
                       : parse(cdp_frame, sizeof(cdp_frame), &seen));
    assert_int_equal(seen.kind, NEIGHBOUR_CDP);
    assert_false(seen.cut);
    assert_memory_equal(seen.mac, switch_mac, 6);
    assert_string_equal(seen.device, "sw1.example");
    assert_string_equal(seen.port, "FastEthernet0/7");
    assert_string_equal(seen.system_text, "cisco WS-C2960");
    assert_int_equal(seen.address, 0x0A0000FD);
    assert_int_equal(seen.ttl_s, 180);
    assert_true(seen.has_vlan);
    assert_int_equal(seen.native_vlan, 42);
    assert_true(seen.has_duplex);
    assert_true(seen.full_duplex);
  }
}

static bool parse_cdp(const uint8_t *tlvs, size_t length, struct neighbour *seen) {
  uint8_t frame[200];
  memcpy(frame, cdp_frame, 26);
  frame[12] = 0;
  frame[13] = (uint8_t)(12U + length);
  memcpy(frame + 26, tlvs, length);
  return parse(frame, 26U + length, seen);
}

static void test_cdp_broken(void **state) {
  (void)state;
  static const struct {
    uint8_t tlvs[24];
    uint8_t length;
    bool cut;
  } cases[] = {
      {{0}, 0, false},
      {{0, 1, 0}, 3, true},                                                  /* half a header */
      {{0, 1, 0, 3, 'a'}, 5, true},                                          /* shorter than its header */
      {{0, 1, 0, 9, 'a'}, 5, true},                                          /* beyond the end */
      {{0, 10, 0, 5, 1}, 5, false},                                          /* a VLAN of one byte means nothing */
      {{0, 11, 0, 6, 1, 1}, 6, false},                                       /* nor a duplex of two */
      {{0, 2, 0, 8, 0, 0, 0, 1}, 8, false},                                  /* one address that is not there */
      {{0, 2, 0, 17, 0, 0, 0, 1, 1, 1, 0x81, 0, 4, 10, 0, 0, 1}, 17, false}, /* not IPv4 */
  };
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct neighbour seen;
    assert_true(parse_cdp(cases[i].tlvs, cases[i].length, &seen));
    assert_int_equal(seen.cut, cases[i].cut);
    assert_false(seen.has_vlan || seen.has_duplex);
    assert_int_equal(seen.address, 0);
  }
}

/* Spanning tree --------------------------------------------------------------------------------------------------- */

static void test_stp(void **state) {
  (void)state;
  struct neighbour seen;
  assert_true(parse(stp_frame, sizeof(stp_frame), &seen));
  assert_int_equal(seen.kind, NEIGHBOUR_STP);
  assert_false(seen.cut);
  const struct neighbour_stp *stp = &seen.stp;
  assert_string_equal(neighbour_stp_text(stp), "STP");
  assert_false(stp->topology_notice || stp->topology_change || stp->proposal);
  assert_int_equal(stp->port, NEIGHBOUR_PORT_UNKNOWN);
  assert_int_equal(stp->root.priority, 0x8001);
  assert_memory_equal(stp->root.mac, "\x00\x1B\x21\x00\x00\x01", 6);
  assert_int_equal(stp->root_cost, 4);
  assert_memory_equal(stp->bridge.mac, switch_mac, 6);
  assert_int_equal(stp->port_id, 0x8007);
  assert_int_equal(stp->max_age_s, 20);
  assert_int_equal(stp->hello_s, 2);
  assert_int_equal(stp->forward_delay_s, 15);
  assert_false(seen.has_vlan);
}

static void test_rapid(void **state) {
  (void)state;
  static const struct {
    uint8_t flags;
    enum neighbour_port port;
    bool proposal;
  } cases[] = {
      {0x0E, NEIGHBOUR_PORT_DISCARDING, true},
      {0x1C, NEIGHBOUR_PORT_LEARNING, false},
      {0x3D, NEIGHBOUR_PORT_FORWARDING, false},
  };
  uint8_t frame[sizeof(stp_frame)];
  struct neighbour seen;
  for(size_t i = 0; i < 3; i++) {
    memcpy(frame, stp_frame, sizeof(frame));
    frame[13] = 39; /* LLC and 36 bytes */
    frame[19] = 2;  /* version */
    frame[20] = 2;  /* type    */
    frame[21] = cases[i].flags;
    assert_true(parse(frame, sizeof(frame), &seen));
    assert_string_equal(neighbour_stp_text(&seen.stp), "RSTP");
    assert_int_equal(seen.stp.port, cases[i].port);
    assert_int_equal(seen.stp.proposal, cases[i].proposal);
    assert_int_equal(seen.stp.topology_change, cases[i].flags & 1U);
  }
  frame[19] = 3;
  assert_true(parse(frame, sizeof(frame), &seen));
  assert_string_equal(neighbour_stp_text(&seen.stp), "MSTP");

  memcpy(frame, stp_frame, sizeof(frame)); /* a notice ends where another BPDU begins */
  frame[13] = 7;
  frame[20] = 0x80;
  assert_true(parse(frame, 60, &seen));
  assert_true(seen.stp.topology_notice);
  assert_false(seen.cut);
  frame[20] = 5;
  assert_false(parse(frame, 60, &seen));
  frame[20] = 0;
  frame[18] = 1; /* another protocol */
  assert_false(parse(frame, 60, &seen));
}

static void test_pvst(void **state) {
  (void)state;
  static const uint8_t snap[] = {0xAA, 0xAA, 3, 0, 0, 0x0C, 1, 0x0B};
  for(uint8_t rapid = 0; rapid < 2; rapid++) {
    uint8_t frame[100] = {0};
    struct neighbour seen;
    memcpy(frame, stp_frame, 14);
    memcpy(frame + 14, snap, sizeof(snap));
    memcpy(frame + 22, stp_frame + 17, 35);
    frame[24] = rapid ? 2 : 0;
    frame[25] = rapid ? 2 : 0;
    memcpy(frame + 57 + rapid, (const uint8_t[]){0, 0, 0, 2, 1, 0x2C}, 6);
    frame[13] = (uint8_t)(49 + rapid);
    assert_true(parse(frame, sizeof(frame), &seen));
    assert_int_equal(seen.kind, NEIGHBOUR_STP);
    assert_int_equal(seen.stp.root.priority, 0x8001);
    assert_true(seen.has_vlan);
    assert_int_equal(seen.native_vlan, 300);
    frame[13]--; /* the length ends before the VLAN does */
    assert_true(parse(frame, sizeof(frame), &seen));
    assert_false(seen.has_vlan);
  }
}

/* All ------------------------------------------------------------------------------------------------------------- */

static void test_every_cut(void **state) {
  (void)state;
  static const struct {
    const uint8_t *frame;
    size_t length;
    size_t whole; /* without padding */
    size_t known; /* from here on it is seen what it is */
  } frames[] = {{lldp_frame, sizeof(lldp_frame), sizeof(lldp_frame) - 1U, 14},
                {cdp_frame, sizeof(cdp_frame), sizeof(cdp_frame), 22},
                {stp_frame, sizeof(stp_frame), 52, 21}};
  for(size_t i = 0; i < 3; i++) {
    for(size_t length = 0; length < frames[i].length; length++) {
      struct neighbour seen;
      bool known = parse(frames[i].frame, length, &seen);
      assert_int_equal(known, length >= frames[i].known);
      assert_true(!known || seen.cut || length >= frames[i].whole);
    }
  }
}

static void test_others(void **state) {
  (void)state;
  struct neighbour seen;
  uint8_t frame[60] = {0};
  assert_false(parse(frame, sizeof(frame), &seen)); /* a length of 0 */
  frame[12] = 8;
  assert_false(parse(frame, sizeof(frame), &seen)); /* IPv4 */
  memcpy(frame, cdp_frame, 26);
  frame[20] = 0x20;
  frame[21] = 4; /* DTP */
  assert_false(parse(frame, sizeof(frame), &seen));
  frame[21] = 0;
  frame[19] = 0; /* another organization */
  assert_false(parse(frame, sizeof(frame), &seen));
  assert_string_equal(neighbour_kind_text(NEIGHBOUR_LLDP), "LLDP");
  assert_string_equal(neighbour_kind_text(NEIGHBOUR_CDP), "CDP");
  assert_string_equal(neighbour_kind_text(NEIGHBOUR_STP), "STP");
}

/* Texts ----------------------------------------------------------------------------------------------------------- */

static void test_texts(void **state) {
  (void)state;
  static const struct {
    uint8_t address[16];
    const char *text; /* RFC 5952 */
  } cases[] = {
      {{0}, "::"},
      {{[15] = 1}, "::1"},
      {{0x20, 1}, "2001::"},
      {{0xFE, 0x80, [8] = 0x50, 0x54, 0, 0xFF, 0xFE, 0x12, 0x34, 0x56}, "fe80::5054:ff:fe12:3456"},
      {{0x20, 1, 0xD, 0xB8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, "2001:db8:0:1:1:1:1:1"}, /* one group stays */
      {{0x20, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, "2001:0:0:1::1"},             /* the longest */
      {{0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1}, "2001:db8::1:0:0:1"},    /* the first of equals */
      {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
      {{0, 1, 0, 0x20, 3, 0, 0x40, 0, 0, 5, 0, 6, 0, 7, 0, 0}, "1:20:300:4000:5:6:7:0"},
  };
  char text[IPV6_TEXT_SIZE];
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    assert_string_equal(ipv6_text(cases[i].address, text), cases[i].text);
  }
  assert_string_equal(ipv4_text(0x0A00FF64, text), "10.0.255.100");
  assert_string_equal(mac_text(switch_mac, text), "00:1b:21:aa:bb:cc");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lldp),        cmocka_unit_test(test_lldp_identifiers),
      cmocka_unit_test(test_lldp_broken), cmocka_unit_test(test_cdp),
      cmocka_unit_test(test_cdp_broken),  cmocka_unit_test(test_stp),
      cmocka_unit_test(test_rapid),       cmocka_unit_test(test_pvst),
      cmocka_unit_test(test_every_cut),   cmocka_unit_test(test_others),
      cmocka_unit_test(test_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
