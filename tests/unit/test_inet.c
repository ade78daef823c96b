/* test_inet.c - tests of netdiag's ARP, IPv4 and ICMP, of its test frames, and of the responder on top of them. */
#include "fake_netdev.h"

#include <stdlib.h>

#include "inet.h"
#include "responder.h"
#include "testframe.h"

static const struct inet_host host = {
    .mac = {0x52, 0x54, 0, 0, 0, 0x0A}, .address = 0x0A00020F, .mask = 0xFFFFFF00, .gateway = 0x0A000202};
static const struct inet_host other = {
    .mac = {0x52, 0x54, 0, 0, 0, 0x0B}, .address = 0x0A000210, .mask = 0xFFFFFF00, .gateway = 0};

/* A copy exactly as long as it is, so that reading one byte further is caught. */
static void parse(const uint8_t *frame, size_t length, struct inet_packet *packet) {
  uint8_t *copy = malloc(length ? length : 1U);
  assert_non_null(copy);
  memcpy(copy, frame, length);
  memset(packet, 0xA5, sizeof(*packet));
  inet_parse(copy, length, packet);
  if(packet->kind == INET_ECHO_REQUEST || packet->kind == INET_ECHO_REPLY) {
    assert_true(packet->data >= copy && packet->data + packet->data_length <= copy + length);
    packet->data = frame + (packet->data - copy);
  }
  free(copy);
}

static uint16_t ones_sum(const uint8_t *data, size_t length) {
  uint64_t sum = 0;
  for(size_t i = 0; i < length; i++) {
    sum += i % 2U ? data[i] : (uint64_t)data[i] << 8;
  }
  return (uint16_t)(sum % 0xFFFFU); /* 0 stands for a checksum that holds: FFFFh is 0 here */
}

static void fix_checksum(uint8_t *data, size_t length, size_t at) {
  data[at] = data[at + 1U] = 0;
  uint16_t sum = (uint16_t)(0xFFFFU - ones_sum(data, length));
  data[at] = (uint8_t)(sum >> 8);
  data[at + 1U] = (uint8_t)sum;
}

static size_t make_echo(uint8_t *frame, uint8_t *data, size_t length) {
  for(size_t i = 0; i < length; i++) {
    data[i] = (uint8_t)(i * 5U + length);
  }
  return inet_echo_request(frame, &host, other.mac, other.address, 0x1234, 0x5678, data, length);
}

/* ARP ------------------------------------------------------------------------------------------------------------ */

static void test_arp_round_trip(void **state) {
  (void)state;
  static const uint8_t expected[42] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x52, 0x54, 0,    0,    0,  0x0A, 8, 6,
                                       0,    1,    8,    0,    6,    4,    0,    1,    0x52, 0x54, 0,  0,    0, 0x0A,
                                       10,   0,    2,    15,   0,    0,    0,    0,    0,    0,    10, 0,    2, 16};
  uint8_t frame[INET_FRAME_SIZE];
  struct inet_packet packet;
  assert_int_equal(inet_arp_request(frame, &host, other.address), 42);
  assert_memory_equal(frame, expected, 42);
  parse(frame, 42, &packet);
  assert_int_equal(packet.kind, INET_ARP_REQUEST);
  assert_memory_equal(packet.source_mac, host.mac, 6);
  assert_int_equal(packet.source, host.address);
  assert_int_equal(packet.destination, other.address);

  uint8_t reply[INET_FRAME_SIZE];
  assert_int_equal(inet_arp_reply(reply, &other, &packet), 42);
  assert_memory_equal(reply, host.mac, 6);
  parse(reply, 42, &packet);
  assert_int_equal(packet.kind, INET_ARP_REPLY);
  assert_memory_equal(packet.source_mac, other.mac, 6);
  assert_int_equal(packet.source, other.address);
  assert_int_equal(packet.destination, host.address);
}

static void test_arp_damaged(void **state) {
  (void)state;
  uint8_t frame[64] = {0};
  struct inet_packet packet;
  (void)inet_arp_request(frame, &host, other.address);
  for(size_t length = 0; length <= sizeof(frame); length++) {
    parse(frame, length, &packet);
    assert_int_equal(packet.kind, length >= 42 ? INET_ARP_REQUEST : INET_OTHER); /* padding does no harm */
  }
  for(size_t at = 12; at < 22; at++) { /* type, hardware, protocol, lengths, operation */
    for(uint32_t flip = 1; flip < 256; flip++) {
      frame[at] ^= (uint8_t)flip;
      parse(frame, 42, &packet);
      bool is_reply = at == 21 && flip == 3;
      assert_int_equal(packet.kind, is_reply ? INET_ARP_REPLY : INET_OTHER);
      frame[at] ^= (uint8_t)flip;
    }
  }
}

/* Echo ----------------------------------------------------------------------------------------------------------- */

static void test_echo_round_trip(void **state) {
  (void)state;
  uint8_t data[INET_ECHO_MAX];
  for(size_t length = 0; length <= INET_ECHO_MAX; length++) {
    uint8_t *frame = malloc(INET_ECHO_HEADER + length); /* no byte more is written */
    uint8_t *reply = malloc(INET_ECHO_HEADER + length);
    assert_true(frame && reply);
    struct inet_packet packet;
    size_t size = make_echo(frame, data, length);
    assert_int_equal(size, INET_ECHO_HEADER + length);
    assert_int_equal(ones_sum(frame + 14, 20), 0);
    assert_int_equal(ones_sum(frame + 34, 8 + length), 0);
    assert_memory_equal(frame, other.mac, 6);
    parse(frame, size, &packet);
    assert_int_equal(packet.kind, INET_ECHO_REQUEST);
    assert_true(packet.source == host.address && packet.destination == other.address);
    assert_true(packet.id == 0x1234 && packet.sequence == 0x5678 && packet.ttl == 64);
    assert_int_equal(packet.data_length, length);
    assert_memory_equal(packet.data, data, length);

    assert_int_equal(inet_echo_reply(reply, &other, &packet), size);
    assert_memory_equal(reply, host.mac, 6);
    parse(reply, size, &packet);
    assert_int_equal(packet.kind, INET_ECHO_REPLY);
    assert_memory_equal(packet.source_mac, other.mac, 6);
    assert_true(packet.source == other.address && packet.destination == host.address);
    assert_true(packet.id == 0x1234 && packet.sequence == 0x5678);
    assert_int_equal(packet.data_length, length);
    assert_memory_equal(packet.data, data, length);
    free(frame);
    free(reply);
  }
}

static void test_checksum_by_hand(void **state) {
  (void)state;
  static const uint8_t data[3] = {0xFF, 0xFE, 0x01};
  uint8_t frame[INET_FRAME_SIZE];
  assert_int_equal(inet_echo_request(frame, &host, other.mac, other.address, 1, 2, data, 3), 45);
  /* 4500 001F 0002 0000 4001 0000 0A00 020F 0A00 0210 sum to 9D41 */
  assert_int_equal(frame[24] << 8 | frame[25], 0xFFFF - 0x9D41);
  /* 0800 0000 0001 0002 FFFE 0100 sum to 10901, with the carry 0902 */
  assert_int_equal(frame[36] << 8 | frame[37], 0xFFFF - 0x0902);
}

static void test_echo_truncated(void **state) {
  (void)state;
  uint8_t frame[INET_FRAME_SIZE + 20] = {0};
  uint8_t data[100];
  struct inet_packet packet;
  size_t size = make_echo(frame, data, sizeof(data));
  for(size_t length = 0; length < size; length++) {
    parse(frame, length, &packet);
    /* a whole ICMP header is enough to see what it was */
    assert_int_equal(packet.kind, length < INET_ECHO_HEADER ? INET_OTHER : INET_UNUSABLE);
    assert_int_equal(packet.fault, length < 34 ? INET_SOUND : INET_TRUNCATED);
    assert_int_equal(packet.would_be, length < INET_ECHO_HEADER ? INET_OTHER : INET_ECHO_REQUEST);
  }
  for(size_t padding = 0; padding < 20; padding++) {
    parse(frame, size + padding, &packet);
    assert_int_equal(packet.kind, INET_ECHO_REQUEST);
    assert_int_equal(packet.data_length, sizeof(data)); /* the IPv4 length counts, not the frame's */
  }
}

static void test_echo_damaged(void **state) {
  (void)state;
  uint8_t frame[INET_FRAME_SIZE];
  uint8_t data[33];
  struct inet_packet packet;
  size_t size = make_echo(frame, data, sizeof(data));
  for(size_t at = 12; at < size; at++) {
    for(uint32_t flip = 1; flip < 256; flip++) {
      frame[at] ^= (uint8_t)flip;
      parse(frame, size, &packet);
      assert_true(packet.kind == INET_OTHER || (packet.kind == INET_UNUSABLE && packet.fault != INET_SOUND));
      frame[at] ^= (uint8_t)flip;
    }
  }
  parse(frame, size, &packet);
  assert_int_equal(packet.kind, INET_ECHO_REQUEST);
}

/* As the test before, but with checksums that hold. */
static void test_header_rules(void **state) {
  (void)state;
  static const struct {
    size_t at;
    uint8_t value;
    enum inet_kind kind;
    enum inet_fault fault;
  } changes[] = {
      {0, 0x55, INET_OTHER, INET_SOUND},
      {0, 0x44, INET_OTHER, INET_SOUND},
      {0, 0x4F, INET_OTHER, INET_SOUND}, /* the header goes beyond the frame */
      {2, 0xFF, INET_UNUSABLE, INET_TRUNCATED},
      {3, 19, INET_OTHER, INET_SOUND},
      {3, 20, INET_OTHER, INET_SOUND},
      {3, 27, INET_OTHER, INET_SOUND},
      {6, 0x40, INET_ECHO_REQUEST, INET_SOUND},
      {6, 0x20, INET_UNUSABLE, INET_FRAGMENT},
      {7, 1, INET_UNUSABLE, INET_FRAGMENT},
      {6, 0x01, INET_UNUSABLE, INET_FRAGMENT},
      {8, 1, INET_ECHO_REQUEST, INET_SOUND},
      {9, 17, INET_OTHER, INET_SOUND},
      {1, 0xB8, INET_ECHO_REQUEST, INET_SOUND},
      {9, 6, INET_OTHER, INET_SOUND},
      {12, 0xE0, INET_UNUSABLE, INET_BAD_STATION},
      {12, 127, INET_UNUSABLE, INET_BAD_STATION},
  };
  for(size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
    uint8_t frame[INET_FRAME_SIZE];
    uint8_t data[20];
    struct inet_packet packet;
    size_t size = make_echo(frame, data, sizeof(data));
    frame[14U + changes[i].at] = changes[i].value;
    fix_checksum(frame + 14, 20, 10);
    parse(frame, size, &packet);
    assert_int_equal(packet.kind, changes[i].kind);
    assert_true(changes[i].kind == INET_OTHER || packet.fault == changes[i].fault);
  }
}

static void test_ip_options(void **state) {
  (void)state;
  for(size_t words = 6; words <= 15; words++) {
    uint8_t plain[INET_FRAME_SIZE];
    uint8_t frame[INET_FRAME_SIZE] = {0};
    uint8_t data[21];
    struct inet_packet packet;
    size_t size = make_echo(plain, data, sizeof(data));
    size_t options = words * 4U - 20U;
    memcpy(frame, plain, 34);
    memset(frame + 34, 1, options); /* no operation */
    memcpy(frame + 34 + options, plain + 34, size - 34U);
    frame[14] = (uint8_t)(0x40U + words);
    frame[17] = (uint8_t)(size - 14U + options);
    fix_checksum(frame + 14, 20U + options, 10);
    parse(frame, size + options, &packet);
    assert_int_equal(packet.kind, INET_ECHO_REQUEST);
    assert_int_equal(packet.data_length, sizeof(data));
    for(size_t length = 0; length < size + options; length++) {
      parse(frame, length, &packet);
      assert_true(packet.kind <= INET_UNUSABLE);
    }
  }
}

/* An ICMP message of type 3 about a packet of `quoted` bytes. */
static size_t make_unreachable(uint8_t *frame, const uint8_t *about, size_t quoted) {
  uint8_t nothing[1472] = {0};
  memcpy(nothing, about, quoted);
  size_t size = inet_echo_request(frame, &other, host.mac, host.address, 0, 0, nothing, quoted);
  frame[34] = 3;
  frame[35] = 1;
  fix_checksum(frame + 34, 8U + quoted, 2);
  return size;
}

static void test_unreachable(void **state) {
  (void)state;
  uint8_t echo[INET_FRAME_SIZE];
  uint8_t frame[INET_FRAME_SIZE];
  uint8_t data[64];
  struct inet_packet packet;
  (void)make_echo(echo, data, sizeof(data));
  for(size_t quoted = 0; quoted <= 60; quoted++) {
    parse(frame, make_unreachable(frame, echo + 14, quoted), &packet);
    assert_int_equal(packet.kind, quoted >= 28 ? INET_ERROR : INET_OTHER);
    if(quoted >= 28) {
      assert_true(packet.id == 0x1234 && packet.sequence == 0x5678 && packet.code == 1);
      assert_int_equal(packet.source, other.address);
    }
  }
  for(uint32_t first = 0; first < 256; first++) { /* every header length that the quoted packet may claim */
    echo[14] = (uint8_t)first;
    parse(frame, make_unreachable(frame, echo + 14, 28), &packet);
    if((first & 0xFU) != 5) {
      assert_int_equal(packet.kind, INET_OTHER);
    }
  }
  echo[14] = 0x45;
  echo[23] = 17; /* about somebody else's UDP */
  parse(frame, make_unreachable(frame, echo + 14, 28), &packet);
  assert_int_equal(packet.kind, INET_OTHER);
}

/* All ICMP errors, with what each tells. */
static void test_errors(void **state) {
  (void)state;
  static const uint8_t types[] = {3, 4, 5, 11, 12};
  uint8_t echo[INET_FRAME_SIZE];
  uint8_t frame[INET_FRAME_SIZE];
  uint8_t data[64];
  (void)make_echo(echo, data, sizeof(data));
  for(uint32_t type = 0; type < 256; type++) {
    for(uint8_t code = 0; code < 6; code++) {
      struct inet_packet packet;
      size_t size = make_unreachable(frame, echo + 14, 28);
      frame[34] = (uint8_t)type;
      frame[35] = code;
      frame[40] = 0x05;
      frame[41] = 0x78;
      fix_checksum(frame + 34, 36, 2);
      parse(frame, size, &packet);
      bool error = memchr(types, (int)type, sizeof(types)) != NULL;
      assert_int_equal(packet.kind == INET_ERROR, error);
      if(error) {
        assert_true(packet.type == type && packet.code == code && packet.id == 0x1234 && packet.sequence == 0x5678);
        assert_true(packet.about_from == host.address && packet.about_to == other.address);
        assert_int_equal(packet.mtu, type == 3 && code == 4 ? 1400 : 0);
      }
    }
  }
}

static void test_later_fragments(void **state) {
  (void)state;
  uint8_t frame[INET_FRAME_SIZE];
  uint8_t data[100];
  struct inet_packet packet;
  size_t size = make_echo(frame, data, sizeof(data));
  frame[20] = 0x20;
  frame[21] = 0x05; /* more to come, 40 bytes in */
  fix_checksum(frame + 14, 20, 10);
  parse(frame, size, &packet);
  assert_true(packet.kind == INET_UNUSABLE && packet.fault == INET_FRAGMENT && packet.offset == 40);
  assert_true(packet.source == host.address && packet.destination == other.address);
}

/* Tags ----------------------------------------------------------------------------------------------------------- */

/* Puts a tag behind the addresses; returns the new length. */
static size_t tag(uint8_t *frame, size_t length, uint32_t type, uint32_t control) {
  memmove(frame + 16, frame + 12, length - 12U);
  frame[12] = (uint8_t)(type >> 8);
  frame[13] = (uint8_t)type;
  frame[14] = (uint8_t)(control >> 8);
  frame[15] = (uint8_t)control;
  return length + 4U;
}

static void test_tags(void **state) {
  (void)state;
  static const struct {
    uint32_t outer_type;
    uint32_t outer;
    uint32_t inner; /* 10000h: none */
    uint16_t vlan;
    uint8_t priority;
  } cases[] = {
      {0x8100, 0x0000, 0x10000, 0, 0}, {0x8100, 0xA000, 0x10000, 0, 5},    {0x8100, 0x1000, 0x10000, 0, 0}, /* DEI */
      {0x8100, 0x0005, 0x10000, 5, 0}, {0x8100, 0xEFFF, 0x10000, 4095, 7}, {0x88A8, 0x2064, 0x10000, 100, 1},
      {0x88A8, 0x0000, 0x4007, 7, 0},  {0x8100, 0x0000, 0xE000, 0, 0},     {0x88A8, 0x0009, 0x0007, 9, 0},
  };
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint8_t frame[INET_FRAME_SIZE + 8];
    uint8_t data[50];
    struct ether_view view;
    struct inet_packet packet;
    size_t size = make_echo(frame, data, sizeof(data));
    size = cases[i].inner < 0x10000 ? tag(frame, size, 0x8100, cases[i].inner) : size;
    size = tag(frame, size, cases[i].outer_type, cases[i].outer);
    assert_true(ether_look(frame, size, &view));
    assert_true(view.tagged && view.vlan == cases[i].vlan && view.priority == cases[i].priority);
    assert_true(view.type == ETHERTYPE_IPV4 && view.payload_length == 78);
    parse(frame, size, &packet);
    assert_true(packet.tagged && packet.vlan == cases[i].vlan);
    assert_int_equal(packet.kind, cases[i].vlan ? INET_UNUSABLE : INET_ECHO_REQUEST);
    assert_int_equal(packet.fault, cases[i].vlan ? INET_OTHER_VLAN : INET_SOUND);
    assert_true(packet.id == 0x1234 && packet.sequence == 0x5678);
    for(size_t length = 0; length < size; length++) {
      parse(frame, length, &packet);
      assert_true(packet.kind <= INET_UNUSABLE);
    }
  }
}

/* A third tag is not looked behind; a frame may end inside a tag; a length is no type. */
static void test_odd_frames(void **state) {
  (void)state;
  uint8_t frame[INET_FRAME_SIZE + 12] = {0};
  uint8_t data[50];
  struct ether_view view;
  struct inet_packet packet;
  struct testframe what;
  bool intact;
  size_t size = make_echo(frame, data, sizeof(data));
  for(int i = 0; i < 3; i++) {
    size = tag(frame, size, 0x8100, 0);
  }
  assert_true(ether_look(frame, size, &view));
  assert_int_equal(view.type, ETHERTYPE_VLAN);
  parse(frame, size, &packet);
  assert_int_equal(packet.kind, INET_OTHER);
  for(size_t length = 0; length < 22; length++) {
    assert_int_equal(ether_look(frame, length, &view), false);
  }
  for(uint32_t type = 0; type < 0x10000; type++) { /* IPv4 behind every type and every length of 802.3 */
    size = make_echo(frame, data, sizeof(data));
    frame[12] = (uint8_t)(type >> 8);
    frame[13] = (uint8_t)type;
    parse(frame, size, &packet);
    assert_int_equal(packet.kind, type == ETHERTYPE_IPV4 ? INET_ECHO_REQUEST : INET_OTHER);
    assert_true(ether_look(frame, size, &view));
    assert_true(type >= ETHERTYPE_MIN || (view.type == 0 && !view.tagged && view.payload == frame + 14));
    assert_false(testframe_parse(frame, size, &what, &intact));
  }
}

static void test_reply_to_too_much(void **state) {
  (void)state;
  static uint8_t data[2000];
  uint8_t frame[INET_FRAME_SIZE];
  struct inet_packet packet = {.data = data, .data_length = INET_ECHO_MAX + 1U};
  assert_int_equal(inet_echo_reply(frame, &host, &packet), 0);
  packet.data_length = INET_ECHO_MAX;
  assert_int_equal(inet_echo_reply(frame, &host, &packet), INET_FRAME_SIZE);
}

static void test_next_hop(void **state) {
  (void)state;
  assert_int_equal(inet_next_hop(&host, 0x0A0002FE), 0x0A0002FE);
  assert_int_equal(inet_next_hop(&host, 0x0A000302), host.gateway);
  assert_int_equal(inet_next_hop(&other, 0x08080808), 0);
}

/* Test frames ---------------------------------------------------------------------------------------------------- */

static void test_testframe_round_trip(void **state) {
  (void)state;
  for(size_t length = TESTFRAME_MIN; length <= TESTFRAME_MAX; length++) {
    struct testframe what = {TESTFRAME_REQUEST, 0x01020304, (uint32_t)length * 0x01000193U, length};
    uint8_t *frame = malloc(length);
    uint8_t *reply = malloc(length);
    assert_true(frame && reply);
    testframe_build(frame, &what, other.mac, host.mac);
    static const uint8_t start[8] = {0x88, 0xB5, 'N', 'D', 'T', 'F', 1, 1};
    assert_memory_equal(frame + 12, start, 8);
    assert_int_equal(frame[20] << 8 | frame[21], length);
    assert_int_equal(frame[length - 1U], (uint8_t)(what.sequence * 31U + length - 1U));
    struct testframe seen;
    bool intact = false;
    assert_true(testframe_parse(frame, length, &seen, &intact));
    assert_true(intact && seen.kind == TESTFRAME_REQUEST && seen.session == what.session);
    assert_true(seen.sequence == what.sequence && seen.length == length);
    assert_int_equal(testframe_reply(reply, frame, length, other.mac), length);
    assert_memory_equal(reply, host.mac, 6);
    assert_memory_equal(reply + 6, other.mac, 6);
    assert_true(testframe_parse(reply, length, &seen, &intact));
    assert_true(intact && seen.kind == TESTFRAME_REPLY && seen.sequence == what.sequence);
    assert_memory_equal(reply + 20, frame + 20, length - 20U);
    free(frame);
    free(reply);
  }
}

static void test_testframe_damaged(void **state) {
  (void)state;
  uint8_t frame[100];
  struct testframe what = {TESTFRAME_REQUEST, 7, 9, sizeof(frame)};
  struct testframe seen;
  bool intact = false;
  testframe_build(frame, &what, other.mac, host.mac);
  for(size_t at = 12; at < sizeof(frame); at++) {
    bool session = at >= 22 && at < 26;
    for(uint32_t flip = 1; flip < 256; flip++) {
      frame[at] ^= (uint8_t)flip;
      bool reply = at == 19 && flip == 3;
      bool found = testframe_parse(frame, sizeof(frame), &seen, &intact);
      assert_int_equal(found, at >= 20 || reply);
      if(found) {
        /* the upper three bytes of the sequence do not reach the pattern */
        assert_int_equal(intact, session || reply || (at >= 26 && at < 29));
      }
      frame[at] ^= (uint8_t)flip;
    }
  }
  for(size_t length = 0; length < sizeof(frame); length++) {
    uint8_t *copy = malloc(length ? length : 1U);
    assert_non_null(copy);
    memcpy(copy, frame, length);
    assert_int_equal(testframe_parse(copy, length, &seen, &intact), length >= TESTFRAME_MIN);
    assert_true(length < TESTFRAME_MIN || !intact);
    free(copy);
  }
}

static void test_tagged_testframes(void **state) {
  (void)state;
  for(size_t length = TESTFRAME_MIN; length <= TESTFRAME_MAX; length += 97) {
    const struct testframe what = {TESTFRAME_REQUEST, 7, 9, length};
    struct testframe seen;
    bool intact = false;
    uint8_t *reply = malloc(length); /* the answer is not tagged */
    uint8_t frame[TESTFRAME_MAX + 4U];
    assert_non_null(reply);
    testframe_build(frame, &what, other.mac, host.mac);
    size_t tagged = tag(frame, length, 0x8100, 0xE000);
    assert_true(testframe_parse(frame, tagged, &seen, &intact));
    assert_true(intact && seen.length == length && seen.sequence == 9);
    assert_int_equal(testframe_reply(reply, frame, tagged, other.mac), length);
    assert_true(testframe_parse(reply, length, &seen, &intact));
    assert_true(intact && seen.kind == TESTFRAME_REPLY && reply[12] == 0x88);
    assert_memory_equal(reply, host.mac, 6);
    frame[tagged - 1U] ^= 1U;
    assert_true(testframe_parse(frame, tagged, &seen, &intact));
    assert_false(intact);
    frame[15] = 3; /* VLAN 3 */
    assert_false(testframe_parse(frame, tagged, &seen, &intact));
    free(reply);
  }
}

/* Responder ------------------------------------------------------------------------------------------------------ */

static bool handle(struct responder *responder, const uint8_t *bytes, size_t length) {
  struct inet_packet packet;
  parse(bytes, length, &packet);
  struct netdev_frame frame = {.data = bytes, .length = (uint32_t)length};
  return responder_handle(responder, &frame, &packet);
}

static int send_on_fake(void *ctx, const void *frame, size_t length) {
  return netdev_transmit(&((struct fake *)ctx)->dev, frame, length, NULL, 0);
}

static void test_responder_answers(void **state) {
  (void)state;
  struct fake fake;
  fake_init(&fake);
  assert_int_equal(netdev_open(&fake.dev), NETDEV_OK);
  struct responder responder = {.send = send_on_fake, .send_ctx = &fake, .host = other};
  uint8_t frame[INET_FRAME_SIZE];
  uint8_t data[INET_ECHO_MAX];
  struct inet_packet packet;
  assert_true(handle(&responder, frame, inet_arp_request(frame, &host, other.address)));
  parse(fake.sent_frame, fake.sent_length, &packet);
  assert_true(packet.kind == INET_ARP_REPLY && packet.source == other.address && responder.arp_replies == 1);

  assert_true(handle(&responder, frame, make_echo(frame, data, INET_ECHO_MAX)));
  parse(fake.sent_frame, fake.sent_length, &packet);
  assert_true(packet.kind == INET_ECHO_REPLY && packet.data_length == INET_ECHO_MAX && responder.echo_replies == 1);

  struct testframe what = {TESTFRAME_REQUEST, 1, 2, 1514};
  bool intact = false;
  testframe_build(frame, &what, other.mac, host.mac);
  assert_true(handle(&responder, frame, 1514));
  assert_true(testframe_parse(fake.sent_frame, fake.sent_length, &what, &intact));
  assert_true(intact && what.kind == TESTFRAME_REPLY && responder.frame_replies == 1);
  assert_int_equal(fake.sent, 3);
  assert_int_equal(responder.refused, 0);
}

static void test_responder_keeps_quiet(void **state) {
  (void)state;
  struct fake fake;
  fake_init(&fake);
  assert_int_equal(netdev_open(&fake.dev), NETDEV_OK);
  struct responder responder = {.send = send_on_fake, .send_ctx = &fake, .host = other};
  uint8_t frame[INET_FRAME_SIZE] = {0};
  uint8_t data[10];
  struct testframe what = {TESTFRAME_REPLY, 1, 2, 60};
  assert_false(handle(&responder, frame, 60));
  testframe_build(frame, &what, other.mac, host.mac); /* an answer is not answered */
  assert_false(handle(&responder, frame, 60));
  assert_false(handle(&responder, frame, inet_arp_request(frame, &host, other.address + 1U)));
  responder.host.address = other.address + 1U;
  assert_false(handle(&responder, frame, make_echo(frame, data, 10)));
  responder.host.address = 0; /* without an address nobody is asked */
  assert_false(handle(&responder, frame, inet_arp_request(frame, &host, 0)));
  responder.host = other;
  responder.silent = true; /* the firmware's stack answers for this address */
  assert_false(handle(&responder, frame, inet_arp_request(frame, &host, other.address)));
  assert_false(handle(&responder, frame, make_echo(frame, data, 10)));
  assert_int_equal(fake.sent, 0);
}

/* With VLAN 0: answered, and untagged. With any other: counted. */
static void test_responder_and_tags(void **state) {
  (void)state;
  for(uint32_t vlan = 0; vlan < 2; vlan++) {
    struct fake fake;
    fake_init(&fake);
    assert_int_equal(netdev_open(&fake.dev), NETDEV_OK);
    struct responder responder = {.send = send_on_fake, .send_ctx = &fake, .host = other};
    uint8_t frame[INET_FRAME_SIZE + 4U];
    uint8_t data[100];
    const struct testframe what = {TESTFRAME_REQUEST, 1, 2, 200};
    bool answered = vlan == 0;
    size_t length = inet_arp_request(frame, &host, other.address);
    assert_int_equal(handle(&responder, frame, tag(frame, length, 0x8100, 0xE000U | vlan)), answered);
    assert_true(!answered || (fake.sent_length == 42 && fake.sent_frame[12] == 0x08 && fake.sent_frame[13] == 0x06));
    length = make_echo(frame, data, sizeof(data));
    assert_int_equal(handle(&responder, frame, tag(frame, length, 0x8100, 0xE000U | vlan)), answered);
    assert_true(!answered || (fake.sent_length == 142 && fake.sent_frame[12] == 0x08 && fake.sent_frame[13] == 0));
    testframe_build(frame, &what, other.mac, host.mac);
    assert_int_equal(handle(&responder, frame, tag(frame, 200, 0x8100, 0xE000U | vlan)), answered);
    assert_true(!answered || (fake.sent_length == 200 && fake.sent_frame[12] == 0x88 && fake.sent_frame[13] == 0xB5));
    assert_int_equal(fake.sent, answered ? 3 : 0);
    assert_int_equal(responder.other_vlan, answered ? 0 : 3);
  }
}

/* Nobody is answered who cannot have sent it; a probe (RFC 5227) is. */
static void test_responder_and_impossible_askers(void **state) {
  (void)state;
  static const struct {
    uint32_t source;
    uint8_t mac;
    bool arp;
    bool ping;
  } askers[] = {
      {0x0A00020F, 0x52, true, true},   {0, 0x52, true, false},           {0x0A000200, 0x52, false, false},
      {0x0A0002FF, 0x52, false, false}, {0x0A000210, 0x52, false, false}, {0xE0000001, 0x52, false, false},
      {0x7F000001, 0x52, false, false}, {0xFFFFFFFF, 0x52, false, false}, {0x0A00020F, 0xFF, false, false},
      {0x0A0003FF, 0x52, true, true}, /* on another network: who knows */
  };
  for(size_t i = 0; i < sizeof(askers) / sizeof(askers[0]); i++) {
    struct fake fake;
    fake_init(&fake);
    assert_int_equal(netdev_open(&fake.dev), NETDEV_OK);
    struct responder responder = {.send = send_on_fake, .send_ctx = &fake, .host = other};
    struct inet_host asker = host;
    uint8_t frame[INET_FRAME_SIZE];
    uint8_t data[10] = {0};
    asker.address = askers[i].source;
    asker.mac[0] = askers[i].mac;
    assert_int_equal(handle(&responder, frame, inet_arp_request(frame, &asker, other.address)), askers[i].arp);
    size_t length = inet_echo_request(frame, &asker, other.mac, other.address, 1, 1, data, sizeof(data));
    assert_int_equal(handle(&responder, frame, length), askers[i].ping);
    assert_int_equal(fake.sent, askers[i].arp + askers[i].ping);
  }
}

static void test_responder_counts_refusals(void **state) {
  (void)state;
  struct fake fake;
  fake_init(&fake);
  assert_int_equal(netdev_open(&fake.dev), NETDEV_OK);
  fake.stuck = true;
  struct responder responder = {.send = send_on_fake, .send_ctx = &fake, .host = other};
  uint8_t frame[INET_FRAME_SIZE];
  for(uint32_t i = 0; i < FAKE_RING + 3U; i++) {
    assert_true(handle(&responder, frame, inet_arp_request(frame, &host, other.address)));
  }
  assert_int_equal(responder.arp_replies, FAKE_RING);
  assert_int_equal(responder.refused, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_arp_round_trip),
      cmocka_unit_test(test_arp_damaged),
      cmocka_unit_test(test_echo_round_trip),
      cmocka_unit_test(test_checksum_by_hand),
      cmocka_unit_test(test_echo_truncated),
      cmocka_unit_test(test_echo_damaged),
      cmocka_unit_test(test_header_rules),
      cmocka_unit_test(test_ip_options),
      cmocka_unit_test(test_unreachable),
      cmocka_unit_test(test_errors),
      cmocka_unit_test(test_later_fragments),
      cmocka_unit_test(test_tags),
      cmocka_unit_test(test_odd_frames),
      cmocka_unit_test(test_reply_to_too_much),
      cmocka_unit_test(test_next_hop),
      cmocka_unit_test(test_testframe_round_trip),
      cmocka_unit_test(test_testframe_damaged),
      cmocka_unit_test(test_tagged_testframes),
      cmocka_unit_test(test_responder_and_tags),
      cmocka_unit_test(test_responder_and_impossible_askers),
      cmocka_unit_test(test_responder_answers),
      cmocka_unit_test(test_responder_keeps_quiet),
      cmocka_unit_test(test_responder_counts_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
