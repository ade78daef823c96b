/* dissect.h - who talks to whom in a frame, and by which protocol: what filters and statistics look at. Pure C.
 *
 * Nothing is judged: lengths are bounded, checksums and addresses are not looked at. What is wanted of a frame as an
 * answer is inet.h's.
 */
#ifndef LIB_DISSECT_H
#define LIB_DISSECT_H

#include "ether.h"

#define IP_ICMP   1U
#define IP_TCP    6U
#define IP_UDP    17U
#define IP_ICMPV6 58U

/* Pointers lead into the frame; NULL where it has no such thing, or is too short. */
struct dissection {
  struct ether_view ether;
  uint16_t vlans[ETHER_TAGS_MAX]; /* numbers of its tags, outermost first; 0 is a priority tag's */
  uint32_t vlan_count;
  uint32_t address_length; /* 4 or 16; 0: no addresses                                            */
  const uint8_t *source;   /* IPv4 or IPv6 address; of ARP the sender's, as far as it is about IPv4 */
  const uint8_t *destination;
  bool is_ip;       /* IPv4 or IPv6 with a whole header: `protocol` says what is in it */
  uint8_t protocol; /* behind IPv6's extension headers                                  */
  bool is_part;     /* a fragment, but not the first: its ports are in another frame    */
  bool has_ports;   /* TCP or UDP                                                       */
  uint16_t source_port;
  uint16_t destination_port;
  const uint8_t *payload; /* of UDP */
  size_t payload_length;
};

/* False when there is no whole Ethernet header. `what` is filled in either way. */
bool dissect(const void *frame, size_t length, struct dissection *what);

/* Whether it is from or to this port of TCP or UDP. */
bool dissect_has_port(const struct dissection *what, uint16_t port);

#endif
