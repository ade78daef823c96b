/* inet.c - as much ARP, IPv4 and ICMP as a ping needs (RFC 826, 791, 792). Pure C, tested on the host. */
#include "inet.h"

#include <string.h>

#define ETHERNET_HEADER   14U
#define ARP_LENGTH        28U
#define ARP_OP_REQUEST    1U
#define ARP_OP_REPLY      2U
#define IPV4_HEADER       20U
#define IPV4_TTL          64U
#define IPV4_ICMP         1U
#define ICMP_HEADER       8U
#define ICMP_ECHO_REPLY   0U
#define ICMP_UNREACHABLE  3U
#define ICMP_ECHO_REQUEST 8U

static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

/* Big-endian memory ---------------------------------------------------------------------------------------------- */

static uint16_t get16(const uint8_t *at) {
  return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at) {
  return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value);
}

/* RFC 1071. Over data that carries its own checksum the result is 0. */
static uint16_t checksum(const uint8_t *data, size_t length) {
  uint32_t sum = 0;
  for(size_t i = 0; i + 1 < length; i += 2) {
    sum += get16(data + i);
  }
  if(length & 1U) {
    sum += (uint32_t)data[length - 1] << 8;
  }
  while(sum >> 16) {
    sum = (sum & 0xFFFFU) + (sum >> 16);
  }
  return (uint16_t)~sum;
}

/* Reading -------------------------------------------------------------------------------------------------------- */

static void parse_arp(const uint8_t *arp, size_t length, struct inet_packet *packet) {
  /* Ethernet addresses of 6 bytes for IPv4 addresses of 4 */
  if(length < ARP_LENGTH || get32(arp) != 0x00010800U || get16(arp + 4) != 0x0604U) {
    return;
  }
  uint16_t operation = get16(arp + 6);
  memcpy(packet->source_mac, arp + 8, 6);
  packet->source = get32(arp + 14);
  packet->destination = get32(arp + 24);
  if(operation == ARP_OP_REQUEST) {
    packet->kind = INET_ARP_REQUEST;
  } else if(operation == ARP_OP_REPLY) {
    packet->kind = INET_ARP_REPLY;
  }
}

static void parse_icmp(const uint8_t *icmp, size_t length, struct inet_packet *packet) {
  if(length < ICMP_HEADER || checksum(icmp, length) != 0) {
    return;
  }
  packet->id = get16(icmp + 4);
  packet->sequence = get16(icmp + 6);
  packet->data = icmp + ICMP_HEADER;
  packet->data_length = length - ICMP_HEADER;
  packet->code = icmp[1];
  if(icmp[0] == ICMP_ECHO_REQUEST) {
    packet->kind = INET_ECHO_REQUEST;
  } else if(icmp[0] == ICMP_ECHO_REPLY) {
    packet->kind = INET_ECHO_REPLY;
  } else if(icmp[0] == ICMP_UNREACHABLE && packet->data_length >= IPV4_HEADER + ICMP_HEADER) {
    /* It quotes our packet: IPv4 header, then the first 8 bytes of ours. */
    const uint8_t *quoted = packet->data;
    size_t header = (size_t)(quoted[0] & 0xFU) * 4U;
    if(header >= IPV4_HEADER && packet->data_length >= header + ICMP_HEADER && quoted[9] == IPV4_ICMP &&
       quoted[header] == ICMP_ECHO_REQUEST) {
      packet->kind = INET_UNREACHABLE;
      packet->id = get16(quoted + header + 4);
      packet->sequence = get16(quoted + header + 6);
    }
  }
}

static void parse_ipv4(const uint8_t *ip, size_t length, struct inet_packet *packet) {
  if(length < IPV4_HEADER || ip[0] >> 4 != 4) {
    return;
  }
  size_t header = (size_t)(ip[0] & 0xFU) * 4U;
  size_t total = get16(ip + 2);
  bool fragment = (get16(ip + 6) & 0x3FFFU) != 0;
  if(header < IPV4_HEADER || total < header || total > length || fragment || checksum(ip, header) != 0) {
    return;
  }
  packet->ttl = ip[8];
  packet->source = get32(ip + 12);
  packet->destination = get32(ip + 16);
  if(ip[9] == IPV4_ICMP) {
    parse_icmp(ip + header, total - header, packet);
  }
}

void inet_parse(const void *frame, size_t length, struct inet_packet *packet) {
  const uint8_t *bytes = frame;
  memset(packet, 0, sizeof(*packet));
  if(length < ETHERNET_HEADER) {
    return;
  }
  memcpy(packet->source_mac, bytes + 6, 6);
  uint16_t type = get16(bytes + 12);
  if(type == ETHERTYPE_ARP) {
    parse_arp(bytes + ETHERNET_HEADER, length - ETHERNET_HEADER, packet);
  } else if(type == ETHERTYPE_IPV4) {
    parse_ipv4(bytes + ETHERNET_HEADER, length - ETHERNET_HEADER, packet);
  }
}

/* Writing -------------------------------------------------------------------------------------------------------- */

static uint8_t *ethernet(void *frame, const uint8_t to[6], const uint8_t from[6], uint32_t type) {
  uint8_t *bytes = frame;
  memcpy(bytes, to, 6);
  memcpy(bytes + 6, from, 6);
  put16(bytes + 12, type);
  return bytes + ETHERNET_HEADER;
}

static size_t arp(void *frame, const struct inet_host *host, uint32_t operation, const uint8_t frame_to[6],
                  const uint8_t target_mac[6], uint32_t target) {
  uint8_t *at = ethernet(frame, frame_to, host->mac, ETHERTYPE_ARP);
  put32(at, 0x00010800U);
  put16(at + 4, 0x0604U);
  put16(at + 6, operation);
  memcpy(at + 8, host->mac, 6);
  put32(at + 14, host->address);
  memcpy(at + 18, target_mac, 6);
  put32(at + 24, target);
  return ETHERNET_HEADER + ARP_LENGTH;
}

size_t inet_arp_request(void *frame, const struct inet_host *host, uint32_t target) {
  static const uint8_t unknown[6];
  return arp(frame, host, ARP_OP_REQUEST, broadcast, unknown, target);
}

size_t inet_arp_reply(void *frame, const struct inet_host *host, const struct inet_packet *request) {
  return arp(frame, host, ARP_OP_REPLY, request->source_mac, request->source_mac, request->source);
}

static size_t echo(void *frame, const struct inet_host *host, const uint8_t to_mac[6], uint32_t to, uint8_t type,
                   uint16_t id, uint16_t sequence, const void *data, size_t data_length) {
  uint8_t *ip = ethernet(frame, to_mac, host->mac, ETHERTYPE_IPV4);
  uint8_t *icmp = ip + IPV4_HEADER;
  memset(ip, 0, IPV4_HEADER + ICMP_HEADER);
  ip[0] = 0x45;
  put16(ip + 2, (uint32_t)(IPV4_HEADER + ICMP_HEADER + data_length));
  put16(ip + 4, sequence);
  ip[8] = IPV4_TTL;
  ip[9] = IPV4_ICMP;
  put32(ip + 12, host->address);
  put32(ip + 16, to);
  put16(ip + 10, checksum(ip, IPV4_HEADER));

  icmp[0] = type;
  put16(icmp + 4, id);
  put16(icmp + 6, sequence);
  memcpy(icmp + ICMP_HEADER, data, data_length);
  put16(icmp + 2, checksum(icmp, ICMP_HEADER + data_length));
  return INET_ECHO_HEADER + data_length;
}

size_t inet_echo_request(void *frame, const struct inet_host *host, const uint8_t to_mac[6], uint32_t to, uint16_t id,
                         uint16_t sequence, const void *data, size_t data_length) {
  return echo(frame, host, to_mac, to, ICMP_ECHO_REQUEST, id, sequence, data, data_length);
}

size_t inet_echo_reply(void *frame, const struct inet_host *host, const struct inet_packet *request) {
  if(request->data_length > INET_ECHO_MAX) {
    return 0;
  }
  return echo(frame, host, request->source_mac, request->source, ICMP_ECHO_REPLY, request->id, request->sequence,
              request->data, request->data_length);
}

uint32_t inet_next_hop(const struct inet_host *host, uint32_t target) {
  return (target & host->mask) == (host->address & host->mask) ? target : host->gateway;
}
