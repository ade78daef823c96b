/* ipv4.h - the IPv4 header (RFC 791), read and written. Pure C, tested on the host. */
#ifndef LIB_IPV4_H
#define LIB_IPV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IPV4_HEADER 20U /* without options, as all that is written here */
#define IPV4_TTL    64U
#define IPV4_ICMP   1U
#define IPV4_UDP    17U

/* Why a packet cannot be used, though it says what it is. */
enum inet_fault {
  INET_SOUND,
  INET_OTHER_VLAN,   /* tagged with a VLAN; everything else about it is in order                         */
  INET_FRAGMENT,     /* a part of a packet, and there is no reassembly here                              */
  INET_TRUNCATED,    /* the IPv4 length is more than what arrived                                        */
  INET_BAD_CHECKSUM, /* of the IPv4 header or of what is behind it                                       */
  INET_BAD_STATION,  /* from a MAC or IPv4 address that no station can have                              */
};

/* Addresses in host order. */
struct ipv4_view {
  uint32_t source;
  uint32_t destination;
  uint8_t protocol;
  uint8_t ttl;
  bool bad_checksum; /* of the header                                                        */
  bool truncated;    /* its length is more than what arrived                                 */
  bool fragment;     /* a part of a packet                                                   */
  uint16_t offset;   /* where that part lies in the packet, in bytes                         */
  const uint8_t *payload;
  size_t payload_length; /* what is there of it, without the padding of a short frame        */
};

/* False when `packet`, what an Ethernet frame of type 0x0800 carries, has no IPv4 header that can be read. `view`
 * points into it. */
bool ipv4_look(const uint8_t *packet, size_t length, struct ipv4_view *view);

/* What a header that is written says. */
struct ipv4_head {
  uint32_t source;
  uint32_t destination;
  uint16_t id;
  uint8_t protocol;
  uint8_t ttl;        /* 0 = IPV4_TTL           */
  bool dont_fragment; /* RFC 1191               */
};

/* Writes IPV4_HEADER bytes before a payload of this many. */
void ipv4_write(uint8_t *at, const struct ipv4_head *head, size_t payload_length);

#endif
