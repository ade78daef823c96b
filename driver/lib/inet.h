/* inet.h - as much ARP, IPv4 and ICMP as a ping needs, over frames in memory. Pure C, tested on the host. */
#ifndef APP_INET_H
#define APP_INET_H

#include "ether.h"
#include "ipv4.h"

#define INET_FRAME_SIZE  1514U
#define INET_ECHO_HEADER (14U + 20U + 8U) /* Ethernet, IPv4 and ICMP headers of an echo                 */
#define INET_ECHO_MAX    (INET_FRAME_SIZE - INET_ECHO_HEADER) /* 1472: this much data needs no fragments */

/* Who we are. Addresses in host order. */
struct inet_host {
  uint8_t mac[6];
  uint32_t address;
  uint32_t mask;
  uint32_t gateway; /* 0 = none */
};

enum inet_kind {
  INET_OTHER,    /* none of those below                                                     */
  INET_UNUSABLE, /* one of those below but for its `fault`; `would_be` says which, as far as can be seen */
  INET_ARP_REQUEST,
  INET_ARP_REPLY,
  INET_ECHO_REQUEST,
  INET_ECHO_REPLY,
  INET_ERROR, /* an ICMP error about an echo request: id and sequence are the request's */
};

#define INET_ICMP_UNREACHABLE   3U
#define INET_ICMP_QUENCH        4U
#define INET_ICMP_REDIRECT      5U
#define INET_ICMP_TIME_EXCEEDED 11U
#define INET_ICMP_PARAMETER     12U

/* What a received frame says. */
struct inet_packet {
  enum inet_kind kind;
  enum inet_fault fault; /* INET_UNUSABLE only                          */
  enum inet_kind would_be;
  bool tagged;     /* with VLAN 0, which changes nothing, or see `vlan`   */
  uint16_t vlan;   /* 0 unless INET_OTHER_VLAN                            */
  uint16_t offset; /* INET_FRAGMENT: of its first byte in the packet; id and sequence are known where it is 0 */
  uint8_t source_mac[6];
  uint32_t source;      /* IPv4 or ARP sender address                   */
  uint32_t destination; /* IPv4 or ARP target address                   */
  uint8_t ttl;
  uint8_t type; /* of the ICMP message                          */
  uint8_t code;
  uint16_t mtu;        /* INET_ERROR: of the next hop; 0 = not told (RFC 1191)     */
  uint32_t about_from; /* INET_ERROR: source and destination of the request       */
  uint32_t about_to;
  uint16_t id;
  uint16_t sequence;
  const uint8_t *data; /* echo data, inside the frame                  */
  size_t data_length;
};

/* Judges a frame: tags, header lengths, addresses, fragments and both checksums. A kind from INET_ARP_REQUEST on is
 * only given to a packet without a fault. */
void inet_parse(const void *frame, size_t length, struct inet_packet *packet);

/* Each writes a frame of INET_FRAME_SIZE bytes at most and returns its length. None is tagged, also as the answer to a
 * frame with VLAN 0: an untagged frame belongs to the same network, every switch and host takes it, and the asker's
 * priority is not ours to claim. */
size_t inet_arp_request(void *frame, const struct inet_host *host, uint32_t target);
size_t inet_arp_probe(void *frame, const struct inet_host *host, uint32_t target); /* sender 0.0.0.0: RFC 5227 */
size_t inet_arp_reply(void *frame, const struct inet_host *host, const struct inet_packet *request);

/* `data_length` at most INET_ECHO_MAX. */
size_t inet_echo_request(void *frame, const struct inet_host *host, const uint8_t to_mac[6], uint32_t to, uint16_t id,
                         uint16_t sequence, const void *data, size_t data_length);

/* The same with a life of `ttl` hops (0 = the usual 64), and not to be fragmented on the way (RFC 1191). */
struct inet_echo {
  uint16_t id;
  uint16_t sequence;
  uint8_t ttl;
  bool dont_fragment;
};
size_t inet_echo_probe(void *frame, const struct inet_host *host, const uint8_t to_mac[6], uint32_t to,
                       const struct inet_echo *how, const void *data, size_t data_length);

/* 0 when the request's data is longer than INET_ECHO_MAX. */
size_t inet_echo_reply(void *frame, const struct inet_host *host, const struct inet_packet *request);

/* Where a packet to `target` goes: `target` itself on our network, else the gateway; 0 when there is none. */
uint32_t inet_next_hop(const struct inet_host *host, uint32_t target);

#endif
