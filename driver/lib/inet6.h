/* inet6.h - as much IPv6 as asking the routers and the DHCPv6 servers of a wire needs (RFC 8200, 4861, 8106), over
 * frames in memory. Pure C, tested on the host, fuzzed. */
#ifndef LIB_INET6_H
#define LIB_INET6_H

#include "ether.h"
#include "ipv4.h"

#define INET6_HEADERS      (ETHER_HEADER + 40U)
#define INET6_UDP_DATA_MAX (1514U - INET6_HEADERS - 8U)
#define INET6_PREFIXES_MAX 4U
#define INET6_DNS_MAX      4U
#define INET6_ADDRESS_SIZE 16U

/* Our link-local address: fe80:: with what our MAC address makes of the lower half (RFC 4291 appendix A). */
void inet6_link_local(uint8_t address[INET6_ADDRESS_SIZE], const uint8_t mac[6]);

enum inet6_kind {
  INET6_OTHER, /* none of those below, or not whole: see `fault` */
  INET6_ROUTER_SOLICITATION,
  INET6_ROUTER_ADVERTISEMENT,
  INET6_NEIGHBOUR_SOLICITATION,
  INET6_NEIGHBOUR_ADVERTISEMENT,
  INET6_ECHO_REQUEST,
  INET6_ECHO_REPLY,
  INET6_UDP,
};

/* What a received frame says. */
struct inet6_packet {
  enum inet6_kind kind;
  enum inet_fault fault; /* INET6_OTHER of an IPv6 packet: what is wrong with it, if anything */
  bool tagged;
  uint16_t vlan;
  uint8_t source_mac[6];
  uint8_t source[INET6_ADDRESS_SIZE];
  uint8_t destination[INET6_ADDRESS_SIZE];
  uint8_t hop_limit;
  uint8_t target[INET6_ADDRESS_SIZE]; /* of a neighbour solicitation or advertisement */
  uint16_t source_port;               /* of UDP */
  uint16_t destination_port;
  const uint8_t *data; /* UDP: its data; else the ICMPv6 message, from its type on. Inside the frame */
  size_t data_length;
};

/* Judges a frame: tags, lengths, extension headers, checksums, and the hop limit of 255 that neighbour discovery must
 * have come with. A kind other than INET6_OTHER is only given to a sound packet. False for what is no IPv6. */
bool inet6_parse(const void *frame, size_t length, struct inet6_packet *packet);

/* A prefix of a router's. Times in seconds, UINT32_MAX for ever. */
struct inet6_prefix {
  uint8_t address[INET6_ADDRESS_SIZE];
  uint8_t length;
  bool on_link;
  bool autonomous; /* hosts make addresses of it */
  uint32_t valid_s;
  uint32_t preferred_s;
};

struct inet6_router {
  uint8_t address[INET6_ADDRESS_SIZE];
  uint8_t mac[6];      /* as its option says it, else the frame's */
  uint8_t hop_limit;   /* for hosts to use; 0: not said */
  bool managed;        /* addresses come by DHCPv6 (M) */
  bool other;          /* other settings come by DHCPv6 (O) */
  uint16_t lifetime_s; /* 0: no default router */
  uint32_t mtu;        /* 0: not said */
  uint32_t prefix_count;
  struct inet6_prefix prefixes[INET6_PREFIXES_MAX];
  uint32_t dns_count;
  uint8_t dns[INET6_DNS_MAX][INET6_ADDRESS_SIZE];
  bool cut; /* an option ends in the middle, or is of no length: what came before is here */
};

/* Reads an INET6_ROUTER_ADVERTISEMENT; false for any other packet. */
bool inet6_router(const struct inet6_packet *packet, struct inet6_router *router);

/* Each writes an untagged frame from our link-local address, and returns its length. */
size_t inet6_router_solicitation(void *frame, const uint8_t mac[6]);
size_t inet6_neighbour_solicitation(void *frame, const uint8_t mac[6], const uint8_t target[INET6_ADDRESS_SIZE]);

/* Answers somebody who asks for our link-local address; 0 when `packet` asks for nothing, or for somebody else. */
size_t inet6_answer(void *frame, const uint8_t mac[6], const struct inet6_packet *packet);

/* To a multicast address of IPv6: its Ethernet address is made of it. 0 when the data is longer than
 * INET6_UDP_DATA_MAX. */
size_t inet6_udp_multicast(void *frame, const uint8_t mac[6], const uint8_t destination[INET6_ADDRESS_SIZE],
                           uint16_t source_port, uint16_t destination_port, const void *data, size_t data_length);

#endif
