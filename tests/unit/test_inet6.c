/* test_inet6.c - tests of IPv6: routers, neighbours and DHCPv6, against frames that scapy built, whole and broken. */
#include "unit.h"

#include <stdlib.h>

#include "dhcp6.h"
#include "inet6.h"
#include "inet6_packets.h"
#include "texts.h"

static const uint8_t own_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static const uint8_t router_mac[6] = {0x00, 0x1B, 0x21, 0xAA, 0xBB, 0xCC};
static const uint8_t own_address[16] = {0xFE, 0x80, [8] = 0x50, 0x54, 0, 0xFF, 0xFE, 0x12, 0x34, 0x56};
static const struct dhcp_client client = {
    .kind = DHCP_HTTP, .machine = DHCP_X64, .xid = 0xCAFE1234, .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56}};

static uint8_t *copied; /* exactly as long as the frame is, so that reading one byte further is caught */

static bool parse(const uint8_t *frame, size_t length, struct inet6_packet *packet) {
  free(copied);
  copied = malloc(length ? length : 1U);
  assert_non_null(copied);
  memcpy(copied, frame, length);
  memset(packet, 0xA5, sizeof(*packet));
  bool is_ipv6 = inet6_parse(copied, length, packet);
  if(is_ipv6 && packet->data) {
    assert_true(packet->data >= copied && packet->data + packet->data_length <= copied + length);
  }
  return is_ipv6;
}

static void assert_address(const uint8_t address[16], const char *text) {
  char buffer[IPV6_TEXT_SIZE];
  assert_string_equal(ipv6_text(address, buffer), text);
}

static void test_router(void **state) {
  (void)state;
  struct inet6_packet packet;
  struct inet6_router router;
  assert_true(parse(router_advertisement, sizeof(router_advertisement), &packet));
  assert_int_equal(packet.kind, INET6_ROUTER_ADVERTISEMENT);
  assert_int_equal(packet.fault, INET_SOUND);
  assert_address(packet.source, "fe80::21b:21ff:feaa:bbcc");
  assert_address(packet.destination, "ff02::1");
  assert_true(inet6_router(&packet, &router));
  assert_false(router.cut);
  assert_address(router.address, "fe80::21b:21ff:feaa:bbcc");
  assert_memory_equal(router.mac, router_mac, 6);
  assert_int_equal(router.hop_limit, 64);
  assert_true(router.managed && router.other);
  assert_int_equal(router.lifetime_s, 1800);
  assert_int_equal(router.mtu, 1480);
  assert_int_equal(router.prefix_count, 1);
  assert_address(router.prefixes[0].address, "2001:db8:1::");
  assert_int_equal(router.prefixes[0].length, 64);
  assert_true(router.prefixes[0].on_link);
  assert_false(router.prefixes[0].autonomous);
  assert_int_equal(router.prefixes[0].valid_s, 86400);
  assert_int_equal(router.prefixes[0].preferred_s, 14400);
  assert_int_equal(router.dns_count, 2);
  assert_address(router.dns[1], "2001:db8::54");

  /* the flags are two, and an option of no length is the end */
  uint8_t message[48];
  memcpy(message, packet.data, sizeof(message));
  packet.data = message;
  packet.data_length = 24;
  message[5] = 0x40;
  assert_true(inet6_router(&packet, &router));
  assert_false(router.managed || router.cut);
  assert_true(router.other);
  message[17] = 0;
  assert_true(inet6_router(&packet, &router));
  assert_true(router.cut);
  message[17] = 2; /* beyond the end */
  assert_true(inet6_router(&packet, &router));
  assert_true(router.cut);
  packet.data_length = 17; /* half a header */
  assert_true(inet6_router(&packet, &router));
  assert_true(router.cut);
  packet.kind = INET6_NEIGHBOUR_ADVERTISEMENT;
  assert_false(inet6_router(&packet, &router));
}

static void test_router_many(void **state) {
  (void)state;
  uint8_t message[16 + 6 * 32 + 8 + 6 * 16] = {134};
  const struct inet6_packet packet = {
      .kind = INET6_ROUTER_ADVERTISEMENT, .data = message, .data_length = sizeof(message)};
  struct inet6_router router;
  for(size_t i = 0; i < 6; i++) {
    message[16 + 32 * i] = 3;
    message[17 + 32 * i] = 4;
    message[18 + 32 * i] = (uint8_t)i;
  }
  message[208] = 25;
  message[209] = 13;
  assert_true(inet6_router(&packet, &router));
  assert_false(router.cut);
  assert_int_equal(router.prefix_count, INET6_PREFIXES_MAX);
  assert_int_equal(router.prefixes[3].length, 3);
  assert_int_equal(router.dns_count, INET6_DNS_MAX);
}

static void test_what_we_send(void **state) {
  (void)state;
  uint8_t frame[1514];
  struct inet6_packet packet;
  uint8_t address[16];
  inet6_link_local(address, own_mac);
  assert_memory_equal(address, own_address, 16);
  assert_int_equal(inet6_router_solicitation(frame, own_mac), sizeof(router_solicitation));
  assert_memory_equal(frame, router_solicitation, sizeof(router_solicitation));

  inet6_link_local(address, router_mac);
  size_t length = inet6_neighbour_solicitation(frame, router_mac, own_address);
  assert_int_equal(length, sizeof(neighbour_solicitation));
  assert_memory_equal(frame, neighbour_solicitation, sizeof(neighbour_solicitation));

  assert_true(parse(neighbour_solicitation, sizeof(neighbour_solicitation), &packet));
  assert_int_equal(packet.kind, INET6_NEIGHBOUR_SOLICITATION);
  assert_memory_equal(packet.target, own_address, 16);
  assert_int_equal(inet6_answer(frame, own_mac, &packet), sizeof(neighbour_advertisement));
  assert_memory_equal(frame, neighbour_advertisement, sizeof(neighbour_advertisement));
  assert_int_equal(inet6_answer(frame, router_mac, &packet), 0); /* somebody else is asked for */

  /* a probe is answered to everybody */
  memset(packet.source, 0, 16);
  length = inet6_answer(frame, own_mac, &packet);
  assert_true(parse(frame, length, &packet));
  assert_int_equal(packet.kind, INET6_NEIGHBOUR_ADVERTISEMENT);
  assert_address(packet.destination, "ff02::1");
  assert_memory_equal(frame, "\x33\x33\x00\x00\x00\x01", 6);
  assert_int_equal(packet.data[4], 0x20);
  assert_int_equal(inet6_answer(frame, own_mac, &packet), 0); /* no question */
}

static void test_damaged(void **state) {
  (void)state;
  uint8_t frame[sizeof(router_advertisement)];
  struct inet6_packet packet;
  for(size_t at = 18; at < sizeof(frame); at++) {
    if(at >= 21 && at < 22) {
      continue; /* the hop limit is under no checksum: below */
    }
    memcpy(frame, router_advertisement, sizeof(frame));
    frame[at] ^= 0x10U;
    assert_true(!parse(frame, sizeof(frame), &packet) || packet.kind == INET6_OTHER);
  }
  memcpy(frame, router_advertisement, sizeof(frame));
  frame[21] = 254; /* it came from elsewhere */
  assert_true(parse(frame, sizeof(frame), &packet));
  assert_int_equal(packet.kind, INET6_OTHER);
  for(size_t cut = 0; cut < sizeof(router_advertisement); cut++) {
    bool is_ipv6 = parse(router_advertisement, cut, &packet);
    assert_int_equal(is_ipv6, cut >= INET6_HEADERS);
    assert_true(!is_ipv6 || (packet.fault == INET_TRUNCATED && packet.kind == INET6_OTHER));
  }
  for(uint16_t vlan = 0; vlan <= 7; vlan += 7) {
    uint8_t tagged[sizeof(frame) + 4U];
    memcpy(tagged, router_advertisement, 12);
    memcpy(tagged + 12, (const uint8_t[]){0x81, 0, 0, (uint8_t)vlan}, 4);
    memcpy(tagged + 16, router_advertisement + 12, sizeof(frame) - 12U);
    assert_true(parse(tagged, sizeof(tagged), &packet));
    assert_int_equal(packet.kind, vlan ? INET6_OTHER : INET6_ROUTER_ADVERTISEMENT);
    assert_int_equal(packet.fault, vlan ? INET_OTHER_VLAN : INET_SOUND);
  }
}

static void test_extension_headers(void **state) {
  (void)state;
  static const uint8_t kinds[] = {0, 43, 60};
  struct inet6_packet packet;
  for(size_t i = 0; i < sizeof(kinds); i++) {
    for(uint8_t units = 1; units <= 3; units++) {
      uint8_t frame[sizeof(router_advertisement) + 24U] = {0};
      size_t more = units * 8U;
      memcpy(frame, router_advertisement, INET6_HEADERS);
      memcpy(frame + INET6_HEADERS + more, router_advertisement + INET6_HEADERS,
             sizeof(router_advertisement) - INET6_HEADERS);
      frame[19] = (uint8_t)(frame[19] + more);
      frame[20] = kinds[i];
      frame[INET6_HEADERS] = 58;
      frame[INET6_HEADERS + 1U] = (uint8_t)(units - 1U);
      size_t length = sizeof(router_advertisement) + more;
      assert_true(parse(frame, length, &packet));
      assert_int_equal(packet.kind, INET6_ROUTER_ADVERTISEMENT);
      frame[INET6_HEADERS + 1U] = 255; /* beyond the end */
      assert_true(parse(frame, length, &packet));
      assert_int_equal(packet.fault, INET_TRUNCATED);
      frame[20] = 44;
      assert_true(parse(frame, length, &packet));
      assert_int_equal(packet.fault, INET_FRAGMENT);
    }
  }
  /* one behind the other without end */
  uint8_t frame[INET6_HEADERS + 160] = {0};
  memcpy(frame, router_advertisement, INET6_HEADERS);
  frame[19] = 160;
  frame[20] = 0;
  assert_true(parse(frame, sizeof(frame), &packet));
  assert_int_equal(packet.kind, INET6_OTHER);
}

/* DHCPv6 ---------------------------------------------------------------------------------------------------------- */

static void test_advertise(void **state) {
  (void)state;
  struct inet6_packet packet;
  struct dhcp6_offer offer;
  assert_true(parse(advertise, sizeof(advertise), &packet));
  assert_int_equal(packet.kind, INET6_UDP);
  assert_true(dhcp6_parse_answer(&packet, &client, &offer));
  assert_int_equal(offer.type, DHCP6_ADVERTISE);
  assert_false(offer.cut);
  assert_string_equal(offer.server, "00030001001b21aabbcc");
  assert_int_equal(offer.preference, 255);
  assert_false(offer.has_status);
  assert_true(offer.has_address);
  assert_address(offer.address, "2001:db8:1::57");
  assert_int_equal(offer.preferred_s, 3600);
  assert_int_equal(offer.valid_s, 7200);
  assert_int_equal(offer.dns_count, 1);
  assert_address(offer.dns[0], "2001:db8::53");
  assert_string_equal(offer.vendor_class, "HTTPClient");
  assert_string_equal(offer.url, "http://[2001:db8::1]/boot.efi");

  struct dhcp_client other = client;
  other.xid = 0x00FE1234; /* of 32 bits only 24 are sent */
  assert_true(dhcp6_parse_answer(&packet, &other, &offer));
  other.xid++;
  assert_false(dhcp6_parse_answer(&packet, &other, &offer));
  other = client;
  other.mac[5]++;
  assert_false(dhcp6_parse_answer(&packet, &other, &offer));
  other = client;
  other.uuid[0] = 1; /* then its identifier is another one */
  assert_false(dhcp6_parse_answer(&packet, &other, &offer));
  packet.destination_port = 547;
  assert_false(dhcp6_parse_answer(&packet, &client, &offer));

  /* every cut is seen */
  assert_true(parse(advertise, sizeof(advertise), &packet));
  size_t whole = packet.data_length;
  uint32_t clean = 0;
  for(size_t length = 0; length < whole; length++) {
    uint8_t *copy = malloc(length ? length : 1U);
    assert_non_null(copy);
    memcpy(copy, packet.data, length);
    assert_int_equal(dhcp6_parse(copy, length, &offer), length >= 4U);
    clean += length >= 4U && !offer.cut;
    free(copy);
  }
  assert_int_equal(clean, 7); /* before each option */
}

static void test_status(void **state) {
  (void)state;
  static const uint8_t message[] = {7, 1,  2, 3,                                           /* REPLY */
                                    0, 13, 0, 2,  0, 0,                                    /* success */
                                    0, 3,  0, 20, 0, 0, 0,   1,   0, 0,  0, 0, 0, 0, 0, 0, /* IA_NA */
                                    0, 13, 0, 4,  0, 2, 'n', 'o',                          /* with no addresses */
                                    0, 60, 0, 4,  0, 2, 'h', 'i', 0, 59, 0, 0};
  struct dhcp6_offer offer;
  assert_true(dhcp6_parse(message, sizeof(message), &offer));
  assert_false(offer.cut);
  assert_int_equal(offer.type, DHCP6_REPLY);
  assert_true(offer.has_status);
  assert_int_equal(offer.status, 2);
  assert_string_equal(offer.status_text, "no");
  assert_false(offer.has_address || offer.has_server || offer.has_client);
  assert_string_equal(offer.parameters, "hi");
  assert_string_equal(offer.url, "");
  assert_string_equal(dhcp6_type_text(offer.type), "REPLY");
  assert_string_equal(dhcp6_type_text(4), "unknown message");
  assert_string_equal(dhcp6_type_text(200), "unknown message");

  static const struct {
    uint8_t bytes[16];
    uint8_t length;
  } bad[] = {
      {{2, 0, 0, 0, 0, 13, 0, 1, 0}, 9},           /* half a status */
      {{2, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0}, 12},  /* half an association */
      {{2, 0, 0, 0, 0, 23, 0, 4, 0, 0, 0, 0}, 12}, /* half an address */
      {{2, 0, 0, 0, 0, 60, 0, 4, 0, 3, 'a', 'b'}, 12},
      {{2, 0, 0, 0, 0, 16, 0, 4, 0, 0, 1, 0x57}, 12},
  };
  for(size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_true(dhcp6_parse(bad[i].bytes, bad[i].length, &offer));
    assert_true(offer.cut);
  }
}

/* The option of a message of ours, or NULL. */
static const uint8_t *find_option(const uint8_t *message, size_t length, uint32_t code, size_t *size) {
  for(size_t at = 4; at + 4U <= length;) {
    *size = (size_t)message[at + 2U] << 8 | message[at + 3U];
    if(((uint32_t)message[at] << 8 | message[at + 1U]) == code) {
      return message + at + 4U;
    }
    at += 4U + *size;
  }
  return NULL;
}

static void test_questions(void **state) {
  (void)state;
  for(int kind = DHCP_PLAIN; kind <= DHCP_HTTP; kind++) {
    struct dhcp_client asker = client;
    uint8_t message[DHCP6_MESSAGE_SIZE];
    uint8_t frame[1514];
    struct inet6_packet packet;
    size_t size;
    asker.kind = (enum dhcp_kind)kind;
    asker.seconds = 3;
    memset(asker.uuid, 0xAB, 16);
    size_t length = dhcp6_solicit(message, &asker);
    assert_int_equal(message[0], DHCP6_SOLICIT);
    assert_memory_equal(message + 1, "\xFE\x12\x34", 3);
    const uint8_t *option = find_option(message, length, 1, &size);
    assert_int_equal(size, 18);
    assert_memory_equal(option, "\0\4\xAB", 3);
    option = find_option(message, length, 8, &size);
    assert_memory_equal(option, "\x01\x2C", 2);
    option = find_option(message, length, 3, &size);
    assert_int_equal(size, 12);
    assert_non_null(option);
    option = find_option(message, length, 6, &size);
    assert_memory_equal(option, "\0\x17\0\x18\0\x3B\0\x3C", 8);
    assert_int_equal(find_option(message, length, 61, &size) != NULL, kind != DHCP_PLAIN);
    option = find_option(message, length, 16, &size);
    assert_int_equal(option != NULL, kind != DHCP_PLAIN);
    if(option) {
      static const char *const classes[] = {"", "PXEClient:Arch:00007:UNDI:003000",
                                            "HTTPClient:Arch:00016:UNDI:003000"};
      assert_int_equal(size, 6U + strlen(classes[kind]));
      assert_memory_equal(option, "\0\0\x01\x57\0", 5);
      assert_memory_equal(option + 6, classes[kind], size - 6U);
    }

    length = dhcp6_multicast(frame, &asker, message, length);
    assert_true(parse(frame, length, &packet));
    assert_int_equal(packet.kind, INET6_UDP);
    assert_int_equal(packet.source_port, 546);
    assert_int_equal(packet.destination_port, 547);
    assert_address(packet.destination, "ff02::1:2");
    assert_memory_equal(packet.source, own_address, 16);
    assert_memory_equal(frame, "\x33\x33\x00\x01\x00\x02", 6);

    length = dhcp6_information_request(message, &asker);
    assert_int_equal(message[0], DHCP6_INFORMATION_REQUEST);
    assert_null(find_option(message, length, 3, &size));
    assert_non_null(find_option(message, length, 6, &size));
  }
  uint8_t frame[1514];
  assert_int_equal(dhcp6_multicast(frame, &client, frame, INET6_UDP_DATA_MAX + 1U), 0);
}

static int end(void **state) {
  (void)state;
  free(copied);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_router),  cmocka_unit_test(test_router_many),       cmocka_unit_test(test_what_we_send),
      cmocka_unit_test(test_damaged), cmocka_unit_test(test_extension_headers), cmocka_unit_test(test_advertise),
      cmocka_unit_test(test_status),  cmocka_unit_test(test_questions),
  };
  return cmocka_run_group_tests(tests, NULL, end);
}
