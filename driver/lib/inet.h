/* inet.h - as much ARP, IPv4 and ICMP as a ping needs, over frames in memory. Pure C, tested on the host. */
#ifndef APP_INET_H
#define APP_INET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ETHERTYPE_IPV4   0x0800U
#define ETHERTYPE_ARP    0x0806U
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
  INET_OTHER, /* none of those below, or damaged, or not for us to judge */
  INET_ARP_REQUEST,
  INET_ARP_REPLY,
  INET_ECHO_REQUEST,
  INET_ECHO_REPLY,
  INET_UNREACHABLE, /* ICMP type 3 about an echo of ours: id and sequence are the echo's */
};

/* What a received frame says. */
struct inet_packet {
  enum inet_kind kind;
  uint8_t source_mac[6];
  uint32_t source;      /* IPv4 or ARP sender address                   */
  uint32_t destination; /* IPv4 or ARP target address                   */
  uint8_t ttl;
  uint8_t code; /* INET_UNREACHABLE: the ICMP code              */
  uint16_t id;
  uint16_t sequence;
  const uint8_t *data; /* echo data, inside the frame                  */
  size_t data_length;
};

/* Judges a frame: header lengths, fragments and both checksums. Frames that fail are INET_OTHER. */
void inet_parse(const void *frame, size_t length, struct inet_packet *packet);

/* Each writes a frame of INET_FRAME_SIZE bytes at most and returns its length. */
size_t inet_arp_request(void *frame, const struct inet_host *host, uint32_t target);
size_t inet_arp_reply(void *frame, const struct inet_host *host, const struct inet_packet *request);

/* `data_length` at most INET_ECHO_MAX. */
size_t inet_echo_request(void *frame, const struct inet_host *host, const uint8_t to_mac[6], uint32_t to, uint16_t id,
                         uint16_t sequence, const void *data, size_t data_length);

/* 0 when the request's data is longer than INET_ECHO_MAX. */
size_t inet_echo_reply(void *frame, const struct inet_host *host, const struct inet_packet *request);

/* Where a packet to `target` goes: `target` itself on our network, else the gateway; 0 when there is none. */
uint32_t inet_next_hop(const struct inet_host *host, uint32_t target);

#endif
