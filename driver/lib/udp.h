/* udp.h - UDP over IPv4 (RFC 768) in Ethernet frames. Pure C, tested on the host. */
#ifndef LIB_UDP_H
#define LIB_UDP_H

#include "ether.h"
#include "ipv4.h"

#define UDP_HEADERS  (ETHER_HEADER + IPV4_HEADER + 8U)
#define UDP_DATA_MAX (1514U - UDP_HEADERS) /* 1472: this much needs no fragments */

/* From whom to whom. Addresses in host order. */
struct udp_way {
  uint8_t source_mac[6];
  uint8_t destination_mac[6];
  uint32_t source;
  uint32_t destination;
  uint16_t source_port;
  uint16_t destination_port;
};

/* What a received frame says. */
struct udp_packet {
  struct udp_way way;    /* ports are 0 where the fault leaves none                                          */
  enum inet_fault fault; /* INET_SOUND, or why it must not be used; not INET_BAD_STATION: 0.0.0.0 asks DHCP  */
  bool tagged;           /* with VLAN 0, which changes nothing, or see `vlan`                                */
  uint16_t vlan;         /* 0 unless INET_OTHER_VLAN                                                         */
  uint8_t ttl;
  const uint8_t *data; /* inside the frame                                                                 */
  size_t data_length;  /* what arrived of it                                                               */
};

/* False for what is no UDP over IPv4. Otherwise *packet is filled in as far as the frame goes, and its fault judged:
 * tags, both checksums (a UDP checksum of 0 is none), fragments and lengths. */
bool udp_parse(const void *frame, size_t length, struct udp_packet *packet);

/* Writes an untagged frame of at most 1514 bytes and returns its length: UDP_HEADERS and the data. `id` is the IPv4
 * header's. 0 when the data is longer than UDP_DATA_MAX. */
size_t udp_write(void *frame, const struct udp_way *way, uint16_t id, const void *data, size_t data_length);

#endif
