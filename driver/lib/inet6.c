/* inet6.c - as much IPv6 as asking the routers and the DHCPv6 servers of a wire needs (RFC 8200, 4443, 4861, 8106).
 * Pure C. */
#include "inet6.h"

#include <string.h>

#include "bytes.h"

#define IPV6_HEADER     40U
#define UDP_HEADER      8U
#define EXTENSIONS_MAX  8U
#define ND_HOP_LIMIT    255U
#define NEXT_HOP_BY_HOP 0U
#define NEXT_ROUTING    43U
#define NEXT_FRAGMENT   44U
#define NEXT_OPTIONS    60U
#define NEXT_ICMPV6     58U
#define NEXT_UDP        17U
#define ICMP_ECHO       128U
#define ICMP_ECHO_REPLY 129U
#define ICMP_RS         133U
#define ICMP_RA         134U
#define ICMP_NS         135U
#define ICMP_NA         136U
#define OPTION_SOURCE   1U
#define OPTION_TARGET   2U
#define OPTION_PREFIX   3U
#define OPTION_MTU      5U
#define OPTION_DNS      25U
#define NA_SOLICITED    0x40U
#define NA_OVERRIDE     0x20U

static const uint8_t all_routers[INET6_ADDRESS_SIZE] = {0xFF, 0x02, [15] = 2};

void inet6_link_local(uint8_t address[INET6_ADDRESS_SIZE], const uint8_t mac[6]) {
  memset(address, 0, INET6_ADDRESS_SIZE);
  address[0] = 0xFE;
  address[1] = 0x80;
  memcpy(address + 8, mac, 3);
  address[8] ^= 2U;
  address[11] = 0xFF;
  address[12] = 0xFE;
  memcpy(address + 13, mac + 3, 3);
}

/* Over the pseudo header and the message (RFC 8200 8.1). 0 when the checksum in it is right. `addresses`: source, then
 * destination, as in the header. */
static uint16_t checksum(const uint8_t *addresses, uint8_t next, const uint8_t *message, size_t length) {
  uint8_t tail[8] = {0};
  put32(tail, (uint32_t)length);
  tail[7] = next;
  uint32_t sum = checksum_add(0, addresses, (size_t)2U * INET6_ADDRESS_SIZE);
  return checksum_end(checksum_add(checksum_add(sum, tail, sizeof(tail)), message, length));
}

/* Reading -------------------------------------------------------------------------------------------------------- */

/* The first fault that is found is the one that is told. */
static void fail(struct inet6_packet *packet, enum inet_fault fault) {
  packet->fault = packet->fault == INET_SOUND ? fault : packet->fault;
}

struct message {
  uint8_t next;
  const uint8_t *at;
  size_t length;
};

/* Goes behind the extension headers; false where that does not work. */
static bool skip_extensions(struct message *message, struct inet6_packet *packet) {
  for(uint32_t i = 0; i < EXTENSIONS_MAX; i++) {
    if(message->next == NEXT_FRAGMENT) {
      fail(packet, INET_FRAGMENT);
      return false;
    }
    if(message->next != NEXT_HOP_BY_HOP && message->next != NEXT_ROUTING && message->next != NEXT_OPTIONS) {
      return true;
    }
    size_t length = message->length >= 2U ? (message->at[1] + 1U) * 8U : 8U;
    if(length > message->length) {
      fail(packet, INET_TRUNCATED);
      return false;
    }
    message->next = message->at[0];
    message->at += length;
    message->length -= length;
  }
  return false;
}

static enum inet6_kind icmp_kind(const struct message *message, const struct inet6_packet *packet) {
  static const struct {
    uint8_t type;
    uint8_t least;
    enum inet6_kind kind;
  } rows[] = {
      {ICMP_RS, 8, INET6_ROUTER_SOLICITATION},     {ICMP_RA, 16, INET6_ROUTER_ADVERTISEMENT},
      {ICMP_NS, 24, INET6_NEIGHBOUR_SOLICITATION}, {ICMP_NA, 24, INET6_NEIGHBOUR_ADVERTISEMENT},
      {ICMP_ECHO, 8, INET6_ECHO_REQUEST},          {ICMP_ECHO_REPLY, 8, INET6_ECHO_REPLY},
  };
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if(message->at[0] == rows[i].type && message->length >= rows[i].least && message->at[1] == 0) {
      bool discovery = rows[i].type >= ICMP_RS;
      return discovery && packet->hop_limit != ND_HOP_LIMIT ? INET6_OTHER : rows[i].kind;
    }
  }
  return INET6_OTHER;
}

static void parse_icmp(const uint8_t *addresses, const struct message *message, struct inet6_packet *packet) {
  if(message->length < 4U) {
    fail(packet, INET_TRUNCATED);
    return;
  }
  if(packet->fault == INET_SOUND && checksum(addresses, NEXT_ICMPV6, message->at, message->length) != 0) {
    fail(packet, INET_BAD_CHECKSUM);
  }
  packet->kind = icmp_kind(message, packet);
  packet->data = message->at;
  packet->data_length = message->length;
  if(packet->kind == INET6_NEIGHBOUR_SOLICITATION || packet->kind == INET6_NEIGHBOUR_ADVERTISEMENT) {
    memcpy(packet->target, message->at + 8, sizeof(packet->target));
  }
}

static void parse_udp(const uint8_t *addresses, const struct message *message, struct inet6_packet *packet) {
  size_t length = message->length >= UDP_HEADER ? get16(message->at + 4) : 0;
  if(length < UDP_HEADER || length > message->length) {
    fail(packet, INET_TRUNCATED);
    return;
  }
  packet->source_port = get16(message->at);
  packet->destination_port = get16(message->at + 2);
  packet->data = message->at + UDP_HEADER;
  packet->data_length = length - UDP_HEADER;
  packet->kind = INET6_UDP;
  /* There must be one (RFC 8200 8.1). */
  if(packet->fault == INET_SOUND &&
     (get16(message->at + 6) == 0 || checksum(addresses, NEXT_UDP, message->at, length) != 0)) {
    fail(packet, INET_BAD_CHECKSUM);
  }
}

bool inet6_parse(const void *frame, size_t length, struct inet6_packet *packet) {
  struct ether_view view;
  memset(packet, 0, sizeof(*packet));
  if(!ether_look(frame, length, &view) || view.type != ETHERTYPE_IPV6 || view.payload_length < IPV6_HEADER ||
     view.payload[0] >> 4 != 6) {
    return false;
  }
  const uint8_t *ip = view.payload;
  struct message message = {ip[6], ip + IPV6_HEADER, get16(ip + 4)};
  memcpy(packet->source_mac, view.from, 6);
  packet->tagged = view.tagged;
  packet->vlan = view.vlan;
  packet->hop_limit = ip[7];
  memcpy(packet->source, ip + 8, sizeof(packet->source));
  memcpy(packet->destination, ip + 24, sizeof(packet->destination));
  if(message.length > view.payload_length - IPV6_HEADER) {
    message.length = view.payload_length - IPV6_HEADER;
    fail(packet, INET_TRUNCATED);
  }
  if(skip_extensions(&message, packet)) {
    if(message.next == NEXT_ICMPV6) {
      parse_icmp(ip + 8, &message, packet);
    } else if(message.next == NEXT_UDP) {
      parse_udp(ip + 8, &message, packet);
    }
  }
  if(view.vlan != 0) {
    fail(packet, INET_OTHER_VLAN);
  }
  packet->kind = packet->fault == INET_SOUND ? packet->kind : INET6_OTHER;
  return true;
}

/* Routers -------------------------------------------------------------------------------------------------------- */

static void put_prefix(struct inet6_router *router, const uint8_t *option) {
  if(router->prefix_count < INET6_PREFIXES_MAX) {
    struct inet6_prefix *prefix = &router->prefixes[router->prefix_count++];
    prefix->length = option[2];
    prefix->on_link = (option[3] & 0x80U) != 0;
    prefix->autonomous = (option[3] & 0x40U) != 0;
    prefix->valid_s = get32(option + 4);
    prefix->preferred_s = get32(option + 8);
    memcpy(prefix->address, option + 16, sizeof(prefix->address));
  }
}

/* RFC 8106 5.1: a lifetime, then addresses. */
static void put_dns(struct inet6_router *router, const uint8_t *option, size_t length) {
  for(size_t at = 8; at + INET6_ADDRESS_SIZE <= length && router->dns_count < INET6_DNS_MAX; at += INET6_ADDRESS_SIZE) {
    memcpy(router->dns[router->dns_count++], option + at, INET6_ADDRESS_SIZE);
  }
}

bool inet6_router(const struct inet6_packet *packet, struct inet6_router *router) {
  memset(router, 0, sizeof(*router));
  if(packet->kind != INET6_ROUTER_ADVERTISEMENT) {
    return false;
  }
  const uint8_t *message = packet->data;
  memcpy(router->address, packet->source, sizeof(router->address));
  memcpy(router->mac, packet->source_mac, sizeof(router->mac));
  router->hop_limit = message[4];
  router->managed = (message[5] & 0x80U) != 0;
  router->other = (message[5] & 0x40U) != 0;
  router->lifetime_s = get16(message + 6);
  for(size_t at = 16; at < packet->data_length;) {
    const uint8_t *option = message + at;
    size_t length = packet->data_length - at >= 2U ? option[1] * 8U : 0;
    if(length == 0 || length > packet->data_length - at) {
      router->cut = true;
      break;
    }
    if(option[0] == OPTION_SOURCE) {
      memcpy(router->mac, option + 2, sizeof(router->mac));
    } else if(option[0] == OPTION_MTU) {
      router->mtu = get32(option + 4);
    } else if(option[0] == OPTION_PREFIX && length >= 32U) {
      put_prefix(router, option);
    } else if(option[0] == OPTION_DNS) {
      put_dns(router, option, length);
    }
    at += length;
  }
  return true;
}

/* Writing -------------------------------------------------------------------------------------------------------- */

/* Writes the headers before a message of `length` bytes that is in place at frame + INET6_HEADERS. */
static size_t headers(uint8_t *frame, const uint8_t to_mac[6], const uint8_t mac[6],
                      const uint8_t destination[INET6_ADDRESS_SIZE], uint8_t next, size_t length) {
  uint8_t *ip = frame + ETHER_HEADER;
  memcpy(frame, to_mac, 6);
  memcpy(frame + 6, mac, 6);
  put16(frame + 12, ETHERTYPE_IPV6);
  put32(ip, 0x60000000U);
  put16(ip + 4, (uint32_t)length);
  ip[6] = next;
  ip[7] = ND_HOP_LIMIT;
  inet6_link_local(ip + 8, mac);
  memcpy(ip + 24, destination, INET6_ADDRESS_SIZE);
  return INET6_HEADERS + length;
}

/* RFC 2464 7 */
static void multicast_mac(uint8_t mac[6], const uint8_t address[INET6_ADDRESS_SIZE]) {
  mac[0] = mac[1] = 0x33;
  memcpy(mac + 2, address + 12, 4);
}

static size_t icmp(uint8_t *frame, const uint8_t to_mac[6], const uint8_t mac[6],
                   const uint8_t destination[INET6_ADDRESS_SIZE], size_t length) {
  uint8_t *message = frame + INET6_HEADERS;
  size_t whole = headers(frame, to_mac, mac, destination, NEXT_ICMPV6, length);
  put16(message + 2, 0);
  put16(message + 2, checksum(frame + ETHER_HEADER + 8, NEXT_ICMPV6, message, length));
  return whole;
}

static void put_address_option(uint8_t *at, uint8_t type, const uint8_t mac[6]) {
  at[0] = type;
  at[1] = 1;
  memcpy(at + 2, mac, 6);
}

size_t inet6_router_solicitation(void *frame, const uint8_t mac[6]) {
  uint8_t *message = (uint8_t *)frame + INET6_HEADERS;
  uint8_t to_mac[6];
  memset(message, 0, 16);
  message[0] = ICMP_RS;
  put_address_option(message + 8, OPTION_SOURCE, mac);
  multicast_mac(to_mac, all_routers);
  return icmp(frame, to_mac, mac, all_routers, 16);
}

size_t inet6_neighbour_solicitation(void *frame, const uint8_t mac[6], const uint8_t target[INET6_ADDRESS_SIZE]) {
  uint8_t *message = (uint8_t *)frame + INET6_HEADERS;
  uint8_t group[INET6_ADDRESS_SIZE] = {0xFF, 0x02, [11] = 1, [12] = 0xFF}; /* RFC 4291 2.7.1 */
  uint8_t to_mac[6];
  memcpy(group + 13, target + 13, 3);
  memset(message, 0, 32);
  message[0] = ICMP_NS;
  memcpy(message + 8, target, INET6_ADDRESS_SIZE);
  put_address_option(message + 24, OPTION_SOURCE, mac);
  multicast_mac(to_mac, group);
  return icmp(frame, to_mac, mac, group, 32);
}

size_t inet6_answer(void *frame, const uint8_t mac[6], const struct inet6_packet *packet) {
  static const uint8_t nobody[INET6_ADDRESS_SIZE];
  uint8_t *message = (uint8_t *)frame + INET6_HEADERS;
  uint8_t own[INET6_ADDRESS_SIZE];
  uint8_t asker[INET6_ADDRESS_SIZE] = {0xFF, 0x02, [15] = 1}; /* all nodes, when nobody asks: a probe (RFC 4862 5.4) */
  uint8_t to_mac[6];
  inet6_link_local(own, mac);
  if(packet->kind != INET6_NEIGHBOUR_SOLICITATION || memcmp(packet->target, own, sizeof(own)) != 0) {
    return 0;
  }
  bool probe = memcmp(packet->source, nobody, sizeof(nobody)) == 0;
  multicast_mac(to_mac, asker);
  if(!probe) {
    memcpy(asker, packet->source, sizeof(asker));
    memcpy(to_mac, packet->source_mac, sizeof(to_mac));
  }
  memset(message, 0, 32);
  message[0] = ICMP_NA;
  message[4] = probe ? NA_OVERRIDE : NA_SOLICITED | NA_OVERRIDE;
  memcpy(message + 8, own, sizeof(own));
  put_address_option(message + 24, OPTION_TARGET, mac);
  return icmp(frame, to_mac, mac, asker, 32);
}

size_t inet6_udp_multicast(void *frame, const uint8_t mac[6], const uint8_t destination[INET6_ADDRESS_SIZE],
                           uint16_t source_port, uint16_t destination_port, const void *data, size_t data_length) {
  uint8_t *bytes = frame;
  uint8_t *udp = bytes + INET6_HEADERS;
  uint8_t to_mac[6];
  if(data_length > INET6_UDP_DATA_MAX) {
    return 0;
  }
  put16(udp, source_port);
  put16(udp + 2, destination_port);
  put16(udp + 4, (uint32_t)(UDP_HEADER + data_length));
  put16(udp + 6, 0);
  memcpy(udp + UDP_HEADER, data, data_length);
  multicast_mac(to_mac, destination);
  size_t length = headers(bytes, to_mac, mac, destination, NEXT_UDP, UDP_HEADER + data_length);
  uint16_t sum = checksum(bytes + ETHER_HEADER + 8, NEXT_UDP, udp, UDP_HEADER + data_length);
  put16(udp + 6, sum ? sum : 0xFFFFU);
  return length;
}
