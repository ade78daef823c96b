/* cmd_dhcp.c - a DHCP server at the other end of a NIC's wire. */
#include "cmd_dhcp.h"

#define UDP_AT      34U
#define MESSAGE_AT  42U
#define OPTIONS_AT  (MESSAGE_AT + 240U)
#define FRAME_SIZE  (OPTIONS_AT + 300U)
#define ANSWER_US   500U
#define DISCOVER    1U
#define OFFER       2U
#define REQUEST     3U
#define ACK         5U
#define NAK         6U
#define RELEASE     7U
#define SERVER_PORT 67U
#define CLIENT_PORT 68U

static uint32_t get16(const uint8_t *at) {
  return (uint32_t)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at) {
  return get16(at) << 16 | get16(at + 2);
}

static const uint8_t *find_option(const uint8_t *frame, size_t length, uint8_t code) {
  for(size_t at = OPTIONS_AT; at + 2U <= length && frame[at] != 0xFF; at += frame[at] ? 2U + frame[at + 1U] : 1U) {
    if(frame[at] == code) {
      return &frame[at + 1U];
    }
  }
  return NULL;
}

static bool says(const uint8_t *option, const char *text) {
  return option && option[0] >= strlen(text) && memcmp(option + 1, text, strlen(text)) == 0;
}

static uint8_t *put_option32(uint8_t *at, uint8_t code, uint32_t value) {
  *at++ = code;
  *at++ = 4;
  peer_put32(at, value);
  return at + 4;
}

static uint8_t *put_option(uint8_t *at, uint8_t code, const void *data, size_t length) {
  *at++ = code;
  *at++ = (uint8_t)length;
  memcpy(at, data, length);
  return at + length;
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

/* To everybody, for the client has no address yet. */
static void send(const struct dhcp_peer *peer, uint8_t *frame, size_t length) {
  uint8_t tagged[FRAME_SIZE + 4U];
  memset(frame, 0xFF, 6);
  memcpy(frame + 6, peer->mac, 6);
  put16(frame + 12, 0x0800);
  frame[14] = 0x45;
  put16(frame + 16, (uint32_t)(length - 14U));
  frame[22] = 64;
  frame[23] = 17;
  peer_put32(frame + 26, peer->server);
  memset(frame + 30, 0xFF, 4);
  put16(frame + 24, ~sum(frame + 14, 20));
  put16(frame + UDP_AT, SERVER_PORT);
  put16(frame + UDP_AT + 2, CLIENT_PORT);
  put16(frame + UDP_AT + 4, (uint32_t)(length - UDP_AT));
  if(peer->tag < 0) {
    wire_send(peer->nic, ANSWER_US, frame, length);
    return;
  }
  memcpy(tagged, frame, 12);
  put16(tagged + 12, 0x8100);
  put16(tagged + 14, (uint32_t)peer->tag);
  memcpy(tagged + 16, frame + 12, length - 12U);
  wire_send(peer->nic, ANSWER_US, tagged, length + 4U);
}

static void answer(const struct dhcp_peer *peer, const uint8_t *asked, uint8_t type, const char *vendor,
                   const char *file) {
  uint8_t frame[FRAME_SIZE] = {0};
  uint8_t *message = frame + MESSAGE_AT;
  uint8_t *at = frame + OPTIONS_AT;
  memcpy(message, asked + MESSAGE_AT, 44); /* xid, flags, the client's address */
  message[0] = 2;
  memset(message + 12, 0, 16);
  if(type != NAK && !peer->proxy) {
    peer_put32(message + 16, peer->address);
  }
  if(file) {
    peer_put32(message + 20, peer->server);
    memcpy(message + 108, file, strlen(file));
  }
  peer_put32(message + 236, 0x63825363U);
  at = put_option(at, 53, &type, 1);
  at = peer->nameless ? at : put_option32(at, 54, peer->server);
  if(type != NAK && !peer->proxy) {
    at = put_option32(at, 51, peer->lease_s);
    at = put_option32(at, 1, peer->mask);
    at = peer->gateway ? put_option32(at, 3, peer->gateway) : at;
    at = peer->dns ? put_option32(at, 6, peer->dns) : at;
  }
  at = file ? put_option(at, 60, vendor, strlen(vendor)) : at;
  at = type == NAK ? put_option(at, 56, "no lease left", 13) : at;
  *at++ = 0xFF;
  send(peer, frame, (size_t)(at - frame));
}

/* RFC 2131 4.4.6 and table 5: from the address, to the server alone. */
static void check_release(struct dhcp_peer *peer, const uint8_t *frame, size_t length) {
  const uint8_t *server = find_option(frame, length, 54);
  if(get32(frame + 30) != peer->server) {
    return;
  }
  assert_memory_equal(frame, peer->mac, 6);
  assert_int_equal(get32(frame + 26), peer->address);
  assert_int_equal(get32(frame + MESSAGE_AT + 12), peer->address);
  assert_non_null(server);
  assert_int_equal(get32(server + 1), peer->server);
  assert_null(find_option(frame, length, 50));
  peer->releases++;
}

static void see(void *ctx, struct firmware_nic *nic, const UINT8 *frame, size_t length) {
  struct dhcp_peer *peer = ctx;
  (void)nic;
  if(length < OPTIONS_AT || get16(frame + 12) != 0x0800 || frame[23] != 17 ||
     get16(frame + UDP_AT + 2) != SERVER_PORT) {
    return;
  }
  const uint8_t *type = find_option(frame, length, 53);
  bool http = says(find_option(frame, length, 60), "HTTPClient");
  bool pxe = says(find_option(frame, length, 60), "PXEClient");
  const char *vendor = http ? "HTTPClient" : "PXEClient";
  const char *file = http ? peer->http_file : pxe ? peer->pxe_file : NULL;
  assert_non_null(type);
  assert_int_equal(sum(frame + 14, 20), 0xFFFF);
  peer->discovers += type[1] == DISCOVER;
  peer->requests += type[1] == REQUEST;
  const uint8_t *machine = find_option(frame, length, 97);
  if(type[1] == DISCOVER && machine) {
    assert_int_equal(machine[0], 17);
    assert_int_equal(machine[1], 0); /* RFC 4578 2.3: a UUID */
    memcpy(peer->uuid, machine + 2, sizeof(peer->uuid));
  }
  if(type[1] == RELEASE) {
    check_release(peer, frame, length);
  }
  if(peer->silent || (peer->proxy && (!file || type[1] != DISCOVER))) {
    return;
  }
  if(type[1] == DISCOVER) {
    answer(peer, frame, OFFER, vendor, file);
    return;
  }
  const uint8_t *server = find_option(frame, length, 54);
  uint8_t own[4];
  peer_put32(own, peer->server);
  if(type[1] == REQUEST && server && memcmp(server + 1, own, 4) == 0 && !peer->no_ack) {
    answer(peer, frame, peer->nak ? NAK : ACK, vendor, file);
  }
}

void dhcp_peer_begin(struct dhcp_peer *peer, struct firmware_nic *nic) {
  *peer = (struct dhcp_peer){.nic = nic,
                             .server = PEER_ADDRESS,
                             .address = 0x0A00000FU,
                             .mask = 0xFFFFFF00U,
                             .gateway = 0x0A000001U,
                             .lease_s = 3600,
                             .pxe_file = "BOOTX64.EFI",
                             .tag = -1};
  memcpy(peer->mac, peer_mac, sizeof(peer->mac));
  wire_attach(nic, see, peer);
}
