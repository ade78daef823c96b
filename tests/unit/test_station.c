/* test_station.c - which addresses a station can have, who else claims ours, and what the options make of it. */
#include "unit.h"

#include "args.h"
#include "station.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static uint32_t mask_of(uint32_t bits) {
  return bits == 0 ? 0 : UINT32_MAX << (32U - bits);
}

static void test_ipv4(void **state) {
  (void)state;
  static const struct {
    uint32_t address;
    uint32_t bits;
    const char *fault; /* a part of it; NULL for none */
  } cases[] = {
      {IP(10, 9, 9, 2), 24, NULL},
      {IP(10, 9, 9, 0), 24, "network's own"},
      {IP(10, 9, 9, 255), 24, "network's broadcast"},
      {IP(10, 9, 9, 255), 16, NULL},
      {IP(10, 9, 9, 0), 16, NULL},
      {IP(10, 9, 9, 3), 30, "network's broadcast"},
      {IP(10, 9, 9, 0), 30, "network's own"},
      {IP(10, 9, 9, 0), 31, NULL}, /* RFC 3021 */
      {IP(10, 9, 9, 1), 31, NULL},
      {IP(10, 9, 9, 255), 32, NULL},
      {IP(10, 9, 9, 0), 0, NULL}, /* the network is not known */
      {IP(0, 0, 0, 0), 0, "nobody"},
      {IP(0, 0, 0, 0), 24, "nobody"},
      {IP(0, 0, 0, 1), 0, "0.0.0.0/8"},
      {IP(255, 255, 255, 255), 0, "the broadcast address"},
      {IP(255, 255, 255, 255), 24, "the broadcast address"},
      {IP(127, 0, 0, 1), 8, "loopback"},
      {IP(126, 255, 255, 254), 0, NULL},
      {IP(128, 0, 0, 1), 0, NULL},
      {IP(223, 255, 255, 254), 0, NULL},
      {IP(224, 0, 0, 1), 0, "multicast"},
      {IP(239, 255, 255, 255), 24, "multicast"},
      {IP(240, 0, 0, 1), 24, "reserved"},
      {IP(254, 1, 1, 1), 24, "reserved"},
  };
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *fault = station_ipv4_fault(cases[i].address, mask_of(cases[i].bits));
    if(!fault != !cases[i].fault || (fault && !strstr(fault, cases[i].fault))) {
      fail_msg("%08x/%u: %s, not %s", cases[i].address, cases[i].bits, fault, cases[i].fault);
    }
  }
}

static void test_peer(void **state) {
  (void)state;
  const struct inet_host host = {.address = IP(10, 0, 0, 1), .mask = mask_of(24)};
  assert_null(station_peer_fault(&host, IP(10, 0, 0, 2)));
  assert_string_equal(station_peer_fault(&host, IP(10, 0, 0, 1)), "our own address");
  assert_non_null(station_peer_fault(&host, IP(10, 0, 0, 0)));
  assert_non_null(station_peer_fault(&host, IP(10, 0, 0, 255)));
  assert_null(station_peer_fault(&host, IP(10, 0, 1, 255))); /* elsewhere, with a prefix that we do not know */
  assert_non_null(station_peer_fault(&host, IP(224, 0, 0, 9)));
}

static void test_mac(void **state) {
  (void)state;
  static const uint8_t good[6] = {2, 0, 0, 0, 0, 1};
  static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  static const uint8_t group[6] = {1, 0, 0x5E, 0, 0, 1};
  static const uint8_t nobody[6] = {0};
  assert_null(station_mac_fault(good));
  assert_non_null(station_mac_fault(everybody));
  assert_non_null(station_mac_fault(group));
  assert_string_equal(station_mac_fault(nobody), "all zeroes");
}

/* Claims ---------------------------------------------------------------------------------------------------------- */

static void test_claim(void **state) {
  (void)state;
  static const uint8_t ours[6] = {2, 0, 0, 0, 0, 1};
  static const uint8_t theirs[6] = {2, 0, 0, 0, 0, 2};
  static const struct {
    enum inet_kind kind;
    const uint8_t *mac;
    uint32_t source;
    uint32_t destination;
    bool while_probing;
    bool afterwards;
  } cases[] = {
      {INET_ARP_REPLY, theirs, IP(10, 0, 0, 1), IP(10, 0, 0, 1), true, true},
      {INET_ARP_REPLY, theirs, IP(10, 0, 0, 1), 0, true, true},
      {INET_ARP_REQUEST, theirs, IP(10, 0, 0, 1), IP(10, 0, 0, 9), true, true},
      {INET_ARP_REQUEST, theirs, 0, IP(10, 0, 0, 1), true, false},                /* a probe: both want it        */
      {INET_ARP_REQUEST, theirs, IP(10, 0, 0, 9), IP(10, 0, 0, 1), false, false}, /* somebody asks for us    */
      {INET_ARP_REQUEST, theirs, 0, IP(10, 0, 0, 9), false, false},
      {INET_ARP_REPLY, theirs, IP(10, 0, 0, 9), IP(10, 0, 0, 1), false, false},
      {INET_ARP_REQUEST, ours, 0, IP(10, 0, 0, 1), false, false}, /* our own, come back        */
      {INET_ARP_REPLY, ours, IP(10, 0, 0, 1), 0, false, false},
      {INET_UNUSABLE, theirs, IP(10, 0, 0, 1), 0, false, false}, /* from ff:ff:ff:ff:ff:ff, say */
      {INET_ECHO_REQUEST, theirs, IP(10, 0, 0, 1), IP(10, 0, 0, 9), false, false},
  };
  for(size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
    struct station_claim claim = {.address = IP(10, 0, 0, 1), .probing = (i & 1U) != 0};
    struct inet_packet packet = {
        .kind = cases[i / 2].kind, .source = cases[i / 2].source, .destination = cases[i / 2].destination};
    memcpy(claim.mac, ours, 6);
    memcpy(packet.source_mac, cases[i / 2].mac, 6);
    bool wanted = claim.probing ? cases[i / 2].while_probing : cases[i / 2].afterwards;
    assert_int_equal(station_hear(&claim, &packet), wanted);
    assert_int_equal(claim.conflicts, wanted);
    if(wanted) {
      assert_memory_equal(claim.rival, theirs, 6);
    }
    claim.address = 0; /* without an address nobody contests it */
    assert_false(station_hear(&claim, &packet));
  }
}

static void test_claim_remembers_the_first(void **state) {
  (void)state;
  struct station_claim claim = {.address = IP(10, 0, 0, 1), .mac = {2, 0, 0, 0, 0, 1}};
  struct inet_packet packet = {.kind = INET_ARP_REPLY, .source = IP(10, 0, 0, 1), .source_mac = {2, 0, 0, 0, 0, 2}};
  assert_true(station_hear(&claim, &packet));
  packet.source_mac[5] = 3;
  assert_true(station_hear(&claim, &packet));
  assert_int_equal(claim.conflicts, 2);
  assert_int_equal(claim.rival[5], 2);
  claim.conflicts = UINT32_MAX;
  assert_true(station_hear(&claim, &packet));
  assert_int_equal(claim.conflicts, UINT32_MAX);
}

/* Options --------------------------------------------------------------------------------------------------------- */

static void test_options(void **state) {
  (void)state;
  static const struct {
    const char *name;
    const char *value;
    const char *says; /* NULL: good */
  } cases[] = {
      {"--addr", "10.9.9.2/24", NULL},
      {"--addr", "10.9.9.255/24", "network's broadcast"},
      {"--addr", "10.9.9.0/24", "network's"},
      {"--addr", "0.0.0.0/0", "nobody"},
      {"--addr", "127.0.0.1/8", "loopback"},
      {"--addr", "224.0.0.1/4", "multicast"},
      {"--gw", "10.9.9.1", NULL},
      {"--gw", "0.0.0.0", "nobody"},
      {"--gw", "255.255.255.255", "the broadcast"},
      {"--gw", "239.1.2.3", "multicast"},
  };
  struct values {
    struct cidr_option address;
    uint32_t gateway;
  };
  static const struct option options[] = {
      {"--addr", "A/L", OPTION_CIDR, offsetof(struct values, address), 0, 0, ""},
      {"--gw", "A", OPTION_IPV4, offsetof(struct values, gateway), 0, 0, ""},
      {0},
  };
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct values values = {{0}, 0};
    char error[ARGS_ERROR_SIZE];
    char name[8];
    char value[32];
    char *argv[] = {name, value};
    bool help;
    strcpy(name, cases[i].name);
    strcpy(value, cases[i].value);
    int count = args_parse(options, &values, 2, argv, NULL, 0, &help, error);
    assert_int_equal(count, cases[i].says ? -1 : 0);
    if(cases[i].says) {
      assert_non_null(strstr(error, cases[i].says));
      assert_non_null(strstr(error, cases[i].value)); /* which value */
      assert_non_null(strstr(error, cases[i].name));
      assert_non_null(strstr(error, "give one")); /* and what to do */
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ipv4),
      cmocka_unit_test(test_peer),
      cmocka_unit_test(test_mac),
      cmocka_unit_test(test_claim),
      cmocka_unit_test(test_claim_remembers_the_first),
      cmocka_unit_test(test_options),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
