/* traffic.h - what goes over a NIC, added up: rates, sizes, protocols, and who talks most. Pure C; tables of fixed
 * size, whatever comes. */
#ifndef LIB_TRAFFIC_H
#define LIB_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRAFFIC_SECONDS 256U /* that are remembered; a power of two                     */
#define TRAFFIC_TALKERS 64U  /* that are told apart                                     */
#define TRAFFIC_SIZES   7U   /* classes of RFC 2819, by length on the wire with the FCS */

enum traffic_way { TRAFFIC_IN, TRAFFIC_OUT, TRAFFIC_WAYS };

enum traffic_protocol {
  TRAFFIC_ARP,
  TRAFFIC_ICMP,
  TRAFFIC_DHCP,
  TRAFFIC_TFTP, /* requests; what follows them is UDP */
  TRAFFIC_DNS,
  TRAFFIC_UDP, /* none of those above              */
  TRAFFIC_HTTP,
  TRAFFIC_TCP, /* the same                         */
  TRAFFIC_IP,  /* IPv4 or IPv6 with something else */
  TRAFFIC_ICMP6,
  TRAFFIC_LLDP,
  TRAFFIC_TEST, /* test frames (testframe.h)        */
  TRAFFIC_LLC,  /* a length instead of a type: spanning tree and the like */
  TRAFFIC_OTHER,
  TRAFFIC_PROTOCOLS,
};

struct traffic_sum {
  uint64_t frames;
  uint64_t bytes; /* of the frames in memory, without FCS */
};

/*
 * Whoever sent a frame. When there are more than TRAFFIC_TALKERS, the one with the fewest bytes makes room, and the new
 * one begins with its bytes, of which `bytes_over` says how many they are (the space-saving algorithm of Metwally and
 * others, 2005): whoever sent more than 1/TRAFFIC_TALKERS of all bytes is always in the table.
 */
struct traffic_talker {
  uint8_t mac[6];
  bool has_address;
  uint32_t address; /* IPv4, that it used last; host order */
  uint64_t frames;
  uint64_t bytes;
  uint64_t bytes_over; /* the true number is at most so much lower */
};

struct traffic {
  uint64_t start_us;
  uint64_t second; /* that runs: complete ones since start_us                             */
  struct traffic_sum total[TRAFFIC_WAYS];
  struct traffic_sum history[TRAFFIC_WAYS][TRAFFIC_SECONDS]; /* by second modulo TRAFFIC_SECONDS */
  uint64_t sizes[TRAFFIC_SIZES];
  struct traffic_sum protocols[TRAFFIC_PROTOCOLS];
  struct traffic_talker talkers[TRAFFIC_TALKERS];
  uint32_t talker_count;
};

/* Begins anew. Times are microseconds of any clock that does not go back. */
void traffic_init(struct traffic *traffic, uint64_t now_us);

/* Lets time go on to now_us: seconds without a frame are zeroes. */
void traffic_tick(struct traffic *traffic, uint64_t now_us);

/* One frame. Constant time, no more than a look at its headers. */
void traffic_add(struct traffic *traffic, enum traffic_way way, const void *frame, size_t length, uint64_t now_us);

/* What came or went in a complete second: `ago` 0 is the last one. Zeroes before the beginning, and for more than is
 * remembered. */
struct traffic_sum traffic_second(const struct traffic *traffic, enum traffic_way way, uint32_t ago);

/* The talkers with the most bytes, most first: their places in traffic->talkers. Returns how many, at most `max`. */
uint32_t traffic_top(const struct traffic *traffic, uint32_t *places, uint32_t max);

/* The protocols with the most bytes, most first; those without a frame are left out. */
uint32_t traffic_top_protocols(const struct traffic *traffic, enum traffic_protocol *list, uint32_t max);

/* "DHCP"; "512-1023" */
const char *traffic_protocol_name(enum traffic_protocol protocol);
const char *traffic_size_name(uint32_t size);

#endif
