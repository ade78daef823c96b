/* udp.c - UDP over IPv4 (RFC 768) in Ethernet frames. Pure C, tested on the host. */
#include "udp.h"

#include <string.h>

#include "bytes.h"

#define UDP_HEADER 8U

/* Over the pseudo header, the UDP header and the data. 0 when the checksum in it is right. */
static uint16_t checksum(uint32_t source, uint32_t destination, const uint8_t *udp, size_t length) {
  uint8_t pseudo[12] = {0};
  put32(pseudo, source);
  put32(pseudo + 4, destination);
  pseudo[9] = IPV4_UDP;
  put16(pseudo + 10, (uint32_t)length);
  return checksum_end(checksum_add(checksum_add(0, pseudo, sizeof(pseudo)), udp, length));
}

/* The first fault that is found is the one that is told. */
static void fail(struct udp_packet *packet, bool failed, enum inet_fault fault) {
  packet->fault = failed && packet->fault == INET_SOUND ? fault : packet->fault;
}

static void parse_datagram(const struct ipv4_view *ip, struct udp_packet *packet) {
  const uint8_t *udp = ip->payload;
  if(ip->offset > 0) {
    return; /* no header in it */
  }
  if(ip->payload_length < UDP_HEADER) {
    fail(packet, true, INET_TRUNCATED);
    return;
  }
  size_t length = get16(udp + 4);
  packet->way.source_port = get16(udp);
  packet->way.destination_port = get16(udp + 2);
  packet->data = udp + UDP_HEADER;
  if(length < UDP_HEADER || length > ip->payload_length) {
    packet->data_length = ip->payload_length - UDP_HEADER;
    fail(packet, true, INET_TRUNCATED);
    return;
  }
  packet->data_length = length - UDP_HEADER;
  fail(packet,
       packet->fault == INET_SOUND && get16(udp + 6) != 0 && checksum(ip->source, ip->destination, udp, length) != 0,
       INET_BAD_CHECKSUM);
}

bool udp_parse(const void *frame, size_t length, struct udp_packet *packet) {
  struct ether_view view;
  struct ipv4_view ip;
  memset(packet, 0, sizeof(*packet));
  if(!ether_look(frame, length, &view) || view.type != ETHERTYPE_IPV4 ||
     !ipv4_look(view.payload, view.payload_length, &ip) || ip.protocol != IPV4_UDP) {
    return false;
  }
  memcpy(packet->way.source_mac, view.from, 6);
  memcpy(packet->way.destination_mac, view.to, 6);
  packet->way.source = ip.source;
  packet->way.destination = ip.destination;
  packet->tagged = view.tagged;
  packet->vlan = view.vlan;
  packet->ttl = ip.ttl;
  fail(packet, ip.bad_checksum, INET_BAD_CHECKSUM);
  fail(packet, ip.truncated, INET_TRUNCATED);
  fail(packet, ip.fragment, INET_FRAGMENT);
  parse_datagram(&ip, packet);
  fail(packet, view.vlan != 0, INET_OTHER_VLAN);
  return true;
}

size_t udp_write(void *frame, const struct udp_way *way, uint16_t id, const void *data, size_t data_length) {
  uint8_t *bytes = frame;
  uint8_t *ip = bytes + ETHER_HEADER;
  uint8_t *udp = ip + IPV4_HEADER;
  const size_t length = UDP_HEADER + data_length;
  const struct ipv4_head head = {
      .source = way->source, .destination = way->destination, .id = id, .protocol = IPV4_UDP};
  if(data_length > UDP_DATA_MAX) {
    return 0;
  }
  memcpy(bytes, way->destination_mac, 6);
  memcpy(bytes + 6, way->source_mac, 6);
  put16(bytes + 12, ETHERTYPE_IPV4);
  ipv4_write(ip, &head, length);
  put16(udp, way->source_port);
  put16(udp + 2, way->destination_port);
  put16(udp + 4, (uint32_t)length);
  put16(udp + 6, 0);
  if(data_length > 0) {
    memcpy(udp + UDP_HEADER, data, data_length);
  }
  const uint16_t sum = checksum(way->source, way->destination, udp, length);
  put16(udp + 6, sum ? sum : 0xFFFFU); /* 0 would say that there is none */
  return UDP_HEADERS + data_length;
}
