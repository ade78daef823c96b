/* cmd_peer.c - a host at the other end of a NIC's wire. It reads and writes frames with code of its own, so that what
 * netdiag sends is judged by somebody else. */
#include "cmd_machine.h"

#define HEADERS       42U /* Ethernet, IPv4 and ICMP */
#define TYPE_IPV4     0x0800U
#define TYPE_ARP      0x0806U
#define TYPE_TEST     0x88B5U
#define DELAY_US      100U
#define TEST_KIND     19U
#define TEST_SEQUENCE 28U

const uint8_t peer_mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};

static uint32_t get16(const uint8_t *at) {
  return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at) {
  return get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

void peer_put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value);
}

/* RFC 1071 */
static uint32_t sum(const uint8_t *at, size_t length) {
  uint32_t total = 0;
  for(size_t i = 0; i < length; i++) {
    total += i & 1U ? at[i] : (uint32_t)at[i] << 8;
  }
  total = (total & 0xFFFFU) + (total >> 16);
  return (total & 0xFFFFU) + (total >> 16);
}

void peer_seal(uint8_t *frame) {
  uint32_t total = get16(frame + 16);
  put16(frame + 24, 0);
  put16(frame + 24, ~sum(frame + 14, 20));
  put16(frame + 36, 0);
  put16(frame + 36, ~sum(frame + 34, total - 20U));
}

static void swap(uint8_t *frame, size_t a, size_t b, size_t length) {
  uint8_t kept[6];
  memcpy(kept, frame + a, length);
  memcpy(frame + a, frame + b, length);
  memcpy(frame + b, kept, length);
}

/* Ethernet's least length, as on a wire. */
static void send(const struct peer *peer, UINT64 delay_us, const uint8_t *frame, size_t length) {
  uint8_t padded[1514] = {0};
  memcpy(padded, frame, length);
  wire_send(peer->nic, delay_us, padded, length < 60U ? 60U : length);
}

static void arp_frame(const struct peer *peer, uint8_t *frame, uint32_t operation, const uint8_t to[6],
                      uint32_t target) {
  static const uint8_t fixed[] = {0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04};
  memset(frame, 0, HEADERS);
  memcpy(frame, to, 6);
  memcpy(frame + 6, peer->mac, 6);
  memcpy(frame + 12, fixed, sizeof(fixed));
  put16(frame + 20, operation);
  memcpy(frame + 22, peer->mac, 6);
  peer_put32(frame + 28, peer->address);
  if(operation == 2U) {
    memcpy(frame + 32, to, 6);
  }
  peer_put32(frame + 38, target);
}

size_t peer_arp_request(const struct peer *peer, uint8_t *frame, uint32_t target) {
  static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  arp_frame(peer, frame, 1, everybody, target);
  return HEADERS;
}

size_t peer_ping(const struct peer *peer, uint8_t *frame, const uint8_t to_mac[6], uint32_t to, uint16_t sequence,
                 size_t data_length) {
  memset(frame, 0x5A, HEADERS + data_length);
  memset(frame, 0, HEADERS);
  memcpy(frame, to_mac, 6);
  memcpy(frame + 6, peer->mac, 6);
  put16(frame + 12, TYPE_IPV4);
  frame[14] = 0x45;
  put16(frame + 16, (uint32_t)(28U + data_length));
  frame[22] = 64;
  frame[23] = 1;
  peer_put32(frame + 26, peer->address);
  peer_put32(frame + 30, to);
  frame[34] = 8;
  put16(frame + 40, sequence);
  peer_seal(frame);
  return HEADERS + data_length;
}

size_t peer_test_frame(const struct peer *peer, uint8_t *frame, const uint8_t to[6], size_t length, uint32_t number) {
  static const uint8_t fixed[] = {0x88, 0xB5, 'N', 'D', 'T', 'F', 1, 1};
  memcpy(frame, to, 6);
  memcpy(frame + 6, peer->mac, 6);
  memcpy(frame + 12, fixed, sizeof(fixed));
  put16(frame + 20, (uint32_t)length);
  peer_put32(frame + 22, 0x12345678U);
  peer_put32(frame + 26, number);
  for(size_t i = 30; i < length; i++) {
    frame[i] = (uint8_t)(number * 31U + i);
  }
  return length;
}

/* What came ------------------------------------------------------------------------------------------------------- */

static void on_arp(struct peer *peer, const uint8_t *frame) {
  uint8_t answer[HEADERS];
  if(get16(frame + 20) == 2U) {
    peer->arp_replies++;
    return;
  }
  peer->arp_target = get32(frame + 38);
  if(peer->arp_target != peer->address) {
    return; /* for somebody else, or netdiag asks who else has its address */
  }
  if(peer->arp_requests++ == 0) {
    peer->first_arp_us = firmware_now_us();
  }
  if(peer->arp_requests > peer->arp_ignored) {
    arp_frame(peer, answer, 2, frame + 22, get32(frame + 28));
    send(peer, peer->delay_us, answer, sizeof(answer));
  }
}

static void answer(struct peer *peer, void (*change)(struct peer *, struct echo *), struct echo *echo, bool seal) {
  if(change) {
    change(peer, echo);
  }
  if(seal && echo->copies > 0) {
    peer_seal(echo->frame);
  }
  for(uint32_t i = 0; i < echo->copies; i++) {
    send(peer, echo->delay_us, echo->frame, echo->length);
  }
}

static void on_ping(struct peer *peer, const uint8_t *frame, size_t length) {
  struct echo echo = {.length = length, .delay_us = peer->delay_us, .copies = 1};
  if(frame[34] == 0) {
    peer->echo_replies++;
    return;
  }
  if(frame[34] != 8 || get32(frame + 30) != peer->address) {
    return;
  }
  /* A request whose checksums are wrong is not seen, by us as by anybody. */
  size_t total = get16(frame + 16);
  if(total + 14U > length || sum(frame + 14, 20) != 0xFFFFU || sum(frame + 34, total - 20U) != 0xFFFFU) {
    return;
  }
  if(peer->echoes++ == 0) {
    peer->first_echo_us = firmware_now_us();
  }
  peer->last_echo_us = firmware_now_us();
  echo.number = peer->echoes;
  echo.sequence = (uint16_t)get16(frame + 40);
  echo.data_length = total - 28U;
  memcpy(echo.frame, frame, length);
  swap(echo.frame, 0, 6, 6);
  memcpy(echo.frame + 6, peer->mac, 6);
  swap(echo.frame, 26, 30, 4);
  echo.frame[34] = 0;
  answer(peer, peer->on_echo, &echo, true);
}

static void on_test(struct peer *peer, const uint8_t *frame, size_t length) {
  struct echo echo = {.length = length, .delay_us = peer->delay_us, .copies = peer->echoes_tests ? 1 : 0};
  if(frame[TEST_KIND] != 1) {
    peer->test_replies++;
    return;
  }
  echo.number = ++peer->tests;
  echo.sequence = (uint16_t)get16(frame + TEST_SEQUENCE);
  echo.data_length = length;
  memcpy(echo.frame, frame, length);
  memcpy(echo.frame, frame + 6, 6);
  memcpy(echo.frame + 6, peer->mac, 6);
  echo.frame[TEST_KIND] = 2;
  answer(peer, peer->on_test, &echo, false);
}

static void see(void *ctx, struct firmware_nic *nic, const UINT8 *frame, size_t length) {
  struct peer *peer = ctx;
  (void)nic;
  assert_true(length >= 14U && length <= sizeof(peer->last));
  memcpy(peer->last, frame, length);
  peer->last_length = length;
  peer->last_at_us = firmware_now_us();
  uint32_t type = get16(frame + 12);
  if(type == TYPE_ARP && length >= HEADERS) {
    on_arp(peer, frame);
  } else if(type == TYPE_IPV4 && length >= HEADERS && frame[23] == 1) {
    on_ping(peer, frame, length);
  } else if(type == TYPE_TEST && length >= 30U) {
    on_test(peer, frame, length);
  }
}

void peer_begin(struct peer *peer, struct firmware_nic *nic) {
  *peer = (struct peer){.nic = nic, .address = PEER_ADDRESS, .delay_us = DELAY_US, .echoes_tests = true};
  memcpy(peer->mac, peer_mac, sizeof(peer->mac));
  wire_attach(nic, see, peer);
}
