/* test_udp.c - tests of UDP over IPv4 in frames. */
#include "unit.h"

#include <stdlib.h>

#include "dhcp_packets.h"
#include "udp.h"

static const struct udp_way way = {.source_mac = {0x52, 0x54, 0, 0, 0, 0x0A},
                                   .destination_mac = {0x52, 0x54, 0, 0, 0, 0x0B},
                                   .source = 0x0A00020F,
                                   .destination = 0x0A000202,
                                   .source_port = 1234,
                                   .destination_port = 69};

/* A copy exactly as long as it is, so that reading one byte further is caught. */
static bool parse(const uint8_t *frame, size_t length, struct udp_packet *packet) {
  uint8_t *copy = malloc(length ? length : 1U);
  assert_non_null(copy);
  memcpy(copy, frame, length);
  memset(packet, 0xA5, sizeof(*packet));
  bool is_udp = udp_parse(copy, length, packet);
  if(is_udp && packet->data) {
    assert_true(packet->data >= copy && packet->data + packet->data_length <= copy + length);
    packet->data = frame + (packet->data - copy);
  }
  free(copy);
  return is_udp;
}

static size_t make(uint8_t *frame, size_t length) {
  uint8_t data[UDP_DATA_MAX];
  for(size_t i = 0; i < length; i++) {
    data[i] = (uint8_t)(i * 7U + 1U);
  }
  return udp_write(frame, &way, 77, data, length);
}

static void test_round_trip(void **state) {
  (void)state;
  static const size_t lengths[] = {0, 1, 2, 3, 17, 18, 300, UDP_DATA_MAX};
  uint8_t frame[1514];
  for(size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    struct udp_packet packet;
    size_t length = make(frame, lengths[i]);
    assert_int_equal(length, UDP_HEADERS + lengths[i]);
    assert_true(parse(frame, length, &packet));
    assert_int_equal(packet.fault, INET_SOUND);
    assert_memory_equal(&packet.way, &way, sizeof(way));
    assert_int_equal(packet.ttl, 64);
    assert_int_equal(packet.data_length, lengths[i]);
    for(size_t at = 0; at < lengths[i]; at++) {
      assert_int_equal(packet.data[at], (uint8_t)(at * 7U + 1U));
    }
  }
  assert_int_equal(udp_write(frame, &way, 0, frame, UDP_DATA_MAX + 1U), 0);
}

/* What scapy thinks of the checksums: its frame is sound, and ours of the same content is the same. */
static void test_against_scapy(void **state) {
  (void)state;
  struct udp_packet packet;
  uint8_t frame[1514];
  assert_true(parse(http_offer, sizeof(http_offer), &packet));
  assert_int_equal(packet.fault, INET_SOUND);
  assert_int_equal(packet.way.source, 0xC0A84D01);
  assert_int_equal(packet.way.source_port, 67);
  assert_int_equal(packet.way.destination_port, 68);
  assert_int_equal(packet.data_length, sizeof(http_offer) - UDP_HEADERS);
  assert_int_equal(udp_write(frame, &packet.way, 1, packet.data, packet.data_length), sizeof(http_offer));
  assert_memory_equal(frame, http_offer, sizeof(http_offer));
}

/* Each byte of the IPv4 and UDP headers and of the data changed: a fault, or no UDP any more. The version, the lengths
 * and the checksum field's own zero are what else may be hit. */
static void test_damaged(void **state) {
  (void)state;
  uint8_t frame[1514];
  size_t length = make(frame, 30);
  for(size_t at = 14; at < length; at++) {
    struct udp_packet packet;
    frame[at] ^= 0x10U;
    assert_true(!parse(frame, length, &packet) || packet.fault != INET_SOUND);
    frame[at] ^= 0x10U;
  }
}

static void test_cut(void **state) {
  (void)state;
  uint8_t frame[1514];
  size_t length = make(frame, 30);
  for(size_t cut = 0; cut < length; cut++) {
    struct udp_packet packet;
    bool is_udp = parse(frame, cut, &packet);
    assert_int_equal(is_udp, cut >= 34U);
    if(is_udp) {
      assert_int_equal(packet.fault, INET_TRUNCATED);
      assert_int_equal(packet.data_length, cut > UDP_HEADERS ? cut - UDP_HEADERS : 0);
    }
  }
}

static void test_no_checksum(void **state) {
  (void)state;
  struct udp_packet packet;
  uint8_t frame[1514];
  size_t length = make(frame, 30);
  frame[40] = frame[41] = 0; /* the sender computed none */
  frame[50] ^= 1U;
  assert_true(parse(frame, length, &packet));
  assert_int_equal(packet.fault, INET_SOUND);
}

/* A sum of 0 is sent as FFFFh, since 0 says that there is none. */
static void test_checksum_of_zero(void **state) {
  (void)state;
  uint8_t frame[1514];
  uint32_t seen = 0;
  for(uint32_t value = 0; value <= 0xFFFFU; value++) {
    struct udp_packet packet;
    uint8_t data[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    size_t length = udp_write(frame, &way, 0, data, sizeof(data));
    uint32_t sum = (uint32_t)frame[40] << 8 | frame[41];
    assert_int_not_equal(sum, 0);
    if(sum == 0xFFFFU) {
      assert_true(parse(frame, length, &packet));
      assert_int_equal(packet.fault, INET_SOUND);
      seen++;
    }
  }
  assert_true(seen > 0);
}

static void test_faults(void **state) {
  (void)state;
  struct udp_packet packet;
  uint8_t frame[1600];
  uint8_t tagged[1600];
  size_t length = make(frame, 30);

  frame[39] = 39; /* a UDP length beyond the packet */
  assert_true(parse(frame, length, &packet));
  assert_int_equal(packet.fault, INET_TRUNCATED);
  frame[39] = 7; /* and one shorter than its header */
  assert_true(parse(frame, length, &packet));
  assert_int_equal(packet.fault, INET_TRUNCATED);

  for(uint32_t vlan = 0; vlan <= 9; vlan += 9) {
    length = make(frame, 30);
    memcpy(tagged, frame, 12);
    memcpy(tagged + 12, (const uint8_t[]){0x81, 0, 0xE0, (uint8_t)vlan}, 4);
    memcpy(tagged + 16, frame + 12, length - 12U);
    assert_true(parse(tagged, length + 4U, &packet));
    assert_true(packet.tagged);
    assert_int_equal(packet.vlan, vlan);
    assert_int_equal(packet.fault, vlan ? INET_OTHER_VLAN : INET_SOUND);
    assert_int_equal(packet.way.destination_port, 69);
  }

  /* fragments: the first has ports, the others none */
  static const struct {
    uint8_t high;
    uint8_t low;
    uint16_t port;
  } parts[] = {{0x20, 0, 69}, {0x20, 10, 0}, {0, 10, 0}};
  for(size_t i = 0; i < 3; i++) {
    length = make(frame, 30);
    uint32_t sum = ((uint32_t)frame[24] << 8 | frame[25]) ^ 0xFFFFU;
    frame[20] = parts[i].high;
    frame[21] = parts[i].low;
    sum += (uint32_t)parts[i].high << 8 | parts[i].low; /* RFC 1624 */
    sum = (sum & 0xFFFFU) + (sum >> 16);
    frame[24] = (uint8_t)((sum ^ 0xFFFFU) >> 8);
    frame[25] = (uint8_t)(sum ^ 0xFFFFU);
    assert_true(parse(frame, length, &packet));
    assert_int_equal(packet.fault, INET_FRAGMENT);
    assert_int_equal(packet.way.destination_port, parts[i].port);
  }

  length = make(frame, 30);
  frame[23] = 6; /* TCP */
  assert_false(parse(frame, length, &packet));
  length = make(frame, 30);
  frame[13] = 6; /* ARP */
  assert_false(parse(frame, length, &packet));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip), cmocka_unit_test(test_against_scapy), cmocka_unit_test(test_damaged),
      cmocka_unit_test(test_cut),        cmocka_unit_test(test_no_checksum),   cmocka_unit_test(test_checksum_of_zero),
      cmocka_unit_test(test_faults),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
