/* inet.c - as much ARP, IPv4 and ICMP as a ping needs (RFC 826, 791, 792). Pure C, tested on the host. */
#include "inet.h"

#include <string.h>

#include "bytes.h"
#include "station.h"

#define ARP_LENGTH        28U
#define ARP_OP_REQUEST    1U
#define ARP_OP_REPLY      2U
#define ICMP_HEADER       8U
#define ICMP_ECHO_REPLY   0U
#define ICMP_ECHO_REQUEST 8U
#define ICMP_TOO_BIG      4U /* code of INET_ICMP_UNREACHABLE */

static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

static uint16_t checksum(const uint8_t *data, size_t length) {
  return checksum_end(checksum_add(0, data, length));
}

/* Reading -------------------------------------------------------------------------------------------------------- */

/* The first fault that is found is the one that is told. */
static void fail(struct inet_packet *packet, enum inet_fault fault) {
  packet->fault = packet->fault == INET_SOUND ? fault : packet->fault;
}

static void parse_arp(const uint8_t *arp, size_t length, struct inet_packet *packet) {
  /* Ethernet addresses of 6 bytes for IPv4 addresses of 4 */
  if(length < ARP_LENGTH || get32(arp) != 0x00010800U || get16(arp + 4) != 0x0604U) {
    return;
  }
  uint16_t operation = get16(arp + 6);
  if(station_mac_fault(packet->source_mac)) { /* the frame's; the message has one of its own */
    fail(packet, INET_BAD_STATION);
  }
  memcpy(packet->source_mac, arp + 8, 6);
  packet->source = get32(arp + 14);
  packet->destination = get32(arp + 24);
  if(operation == ARP_OP_REQUEST) {
    packet->kind = INET_ARP_REQUEST;
  } else if(operation == ARP_OP_REPLY) {
    packet->kind = INET_ARP_REPLY;
  }
  /* A request from nobody is a probe (RFC 5227). */
  bool probe = operation == ARP_OP_REQUEST && packet->source == 0;
  if(station_mac_fault(packet->source_mac) || (!probe && station_ipv4_fault(packet->source, 0))) {
    fail(packet, INET_BAD_STATION);
  }
}

static void parse_error(const uint8_t *icmp, struct inet_packet *packet) {
  /* It quotes our packet: IPv4 header, then the first 8 bytes of ours. */
  const uint8_t *quoted = packet->data;
  if(packet->data_length < IPV4_HEADER + ICMP_HEADER) {
    return;
  }
  size_t header = (size_t)(quoted[0] & 0xFU) * 4U;
  if(header < IPV4_HEADER || packet->data_length < header + ICMP_HEADER || quoted[9] != IPV4_ICMP ||
     quoted[header] != ICMP_ECHO_REQUEST) {
    return;
  }
  packet->kind = INET_ERROR;
  packet->about_from = get32(quoted + 12);
  packet->about_to = get32(quoted + 16);
  packet->id = get16(quoted + header + 4);
  packet->sequence = get16(quoted + header + 6);
  packet->mtu = packet->type == INET_ICMP_UNREACHABLE && packet->code == ICMP_TOO_BIG ? get16(icmp + 6) : 0;
}

static void parse_icmp(const uint8_t *icmp, size_t length, struct inet_packet *packet) {
  if(length < ICMP_HEADER) {
    return;
  }
  if(packet->fault == INET_SOUND && checksum(icmp, length) != 0) {
    fail(packet, INET_BAD_CHECKSUM);
  }
  packet->id = get16(icmp + 4);
  packet->sequence = get16(icmp + 6);
  packet->data = icmp + ICMP_HEADER;
  packet->data_length = length - ICMP_HEADER;
  packet->type = icmp[0];
  packet->code = icmp[1];
  if(icmp[0] == ICMP_ECHO_REQUEST) {
    packet->kind = INET_ECHO_REQUEST;
  } else if(icmp[0] == ICMP_ECHO_REPLY) {
    packet->kind = INET_ECHO_REPLY;
  } else if(icmp[0] == INET_ICMP_UNREACHABLE || icmp[0] == INET_ICMP_QUENCH || icmp[0] == INET_ICMP_REDIRECT ||
            icmp[0] == INET_ICMP_TIME_EXCEEDED || icmp[0] == INET_ICMP_PARAMETER) {
    parse_error(icmp, packet);
  }
}

static void parse_ipv4(const uint8_t *bytes, size_t length, struct inet_packet *packet) {
  struct ipv4_view ip;
  if(!ipv4_look(bytes, length, &ip) || ip.protocol != IPV4_ICMP) {
    return;
  }
  packet->ttl = ip.ttl;
  packet->source = ip.source;
  packet->destination = ip.destination;
  if(ip.bad_checksum) {
    fail(packet, INET_BAD_CHECKSUM);
  }
  if(station_mac_fault(packet->source_mac) || station_ipv4_fault(packet->source, 0)) {
    fail(packet, INET_BAD_STATION);
  }
  if(ip.truncated) {
    fail(packet, INET_TRUNCATED);
  }
  if(ip.fragment) {
    fail(packet, INET_FRAGMENT);
    packet->offset = ip.offset;
  }
  if(ip.offset > 0) {
    packet->kind = INET_ECHO_REPLY; /* as good a guess as any: there is no ICMP header in it */
  } else {
    parse_icmp(ip.payload, ip.payload_length, packet);
  }
}

void inet_parse(const void *frame, size_t length, struct inet_packet *packet) {
  struct ether_view view;
  memset(packet, 0, sizeof(*packet));
  if(!ether_look(frame, length, &view)) {
    return;
  }
  memcpy(packet->source_mac, view.from, 6);
  packet->tagged = view.tagged;
  packet->vlan = view.vlan;
  if(view.type == ETHERTYPE_ARP) {
    parse_arp(view.payload, view.payload_length, packet);
  } else if(view.type == ETHERTYPE_IPV4) {
    parse_ipv4(view.payload, view.payload_length, packet);
  }
  if(view.vlan != 0) {
    fail(packet, INET_OTHER_VLAN);
  }
  if(packet->kind != INET_OTHER && packet->fault != INET_SOUND) {
    packet->would_be = packet->kind;
    packet->kind = INET_UNUSABLE;
  }
}

/* Writing -------------------------------------------------------------------------------------------------------- */

static uint8_t *ethernet(void *frame, const uint8_t to[6], const uint8_t from[6], uint32_t type) {
  uint8_t *bytes = frame;
  memcpy(bytes, to, 6);
  memcpy(bytes + 6, from, 6);
  put16(bytes + 12, type);
  return bytes + ETHER_HEADER;
}

static size_t arp(void *frame, const struct inet_host *host, uint32_t sender, uint32_t operation,
                  const uint8_t frame_to[6], const uint8_t target_mac[6], uint32_t target) {
  uint8_t *at = ethernet(frame, frame_to, host->mac, ETHERTYPE_ARP);
  put32(at, 0x00010800U);
  put16(at + 4, 0x0604U);
  put16(at + 6, operation);
  memcpy(at + 8, host->mac, 6);
  put32(at + 14, sender);
  memcpy(at + 18, target_mac, 6);
  put32(at + 24, target);
  return ETHER_HEADER + ARP_LENGTH;
}

static const uint8_t unknown[6];

size_t inet_arp_request(void *frame, const struct inet_host *host, uint32_t target) {
  return arp(frame, host, host->address, ARP_OP_REQUEST, broadcast, unknown, target);
}

size_t inet_arp_probe(void *frame, const struct inet_host *host, uint32_t target) {
  return arp(frame, host, 0, ARP_OP_REQUEST, broadcast, unknown, target);
}

size_t inet_arp_reply(void *frame, const struct inet_host *host, const struct inet_packet *request) {
  return arp(frame, host, host->address, ARP_OP_REPLY, request->source_mac, request->source_mac, request->source);
}

static size_t echo(void *frame, const struct inet_host *host, const uint8_t to_mac[6], uint32_t to, uint8_t type,
                   const struct inet_echo *how, const void *data, size_t data_length) {
  uint8_t *ip = ethernet(frame, to_mac, host->mac, ETHERTYPE_IPV4);
  uint8_t *icmp = ip + IPV4_HEADER;
  const struct ipv4_head head = {.source = host->address,
                                 .destination = to,
                                 .id = how->sequence,
                                 .protocol = IPV4_ICMP,
                                 .ttl = how->ttl,
                                 .dont_fragment = how->dont_fragment};
  ipv4_write(ip, &head, ICMP_HEADER + data_length);
  memset(icmp, 0, ICMP_HEADER);
  icmp[0] = type;
  put16(icmp + 4, how->id);
  put16(icmp + 6, how->sequence);
  memcpy(icmp + ICMP_HEADER, data, data_length);
  put16(icmp + 2, checksum(icmp, ICMP_HEADER + data_length));
  return INET_ECHO_HEADER + data_length;
}

size_t inet_echo_probe(void *frame, const struct inet_host *host, const uint8_t to_mac[6], uint32_t to,
                       const struct inet_echo *how, const void *data, size_t data_length) {
  return echo(frame, host, to_mac, to, ICMP_ECHO_REQUEST, how, data, data_length);
}

size_t inet_echo_request(void *frame, const struct inet_host *host, const uint8_t to_mac[6], uint32_t to, uint16_t id,
                         uint16_t sequence, const void *data, size_t data_length) {
  const struct inet_echo how = {.id = id, .sequence = sequence};
  return echo(frame, host, to_mac, to, ICMP_ECHO_REQUEST, &how, data, data_length);
}

size_t inet_echo_reply(void *frame, const struct inet_host *host, const struct inet_packet *request) {
  const struct inet_echo how = {.id = request->id, .sequence = request->sequence};
  if(request->data_length > INET_ECHO_MAX) {
    return 0;
  }
  return echo(frame, host, request->source_mac, request->source, ICMP_ECHO_REPLY, &how, request->data,
              request->data_length);
}

uint32_t inet_next_hop(const struct inet_host *host, uint32_t target) {
  return (target & host->mask) == (host->address & host->mask) ? target : host->gateway;
}
