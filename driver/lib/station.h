/* station.h - which addresses a single station can have, and who else claims ours. Pure C. */
#ifndef LIB_STATION_H
#define LIB_STATION_H

#include "inet.h"

/*
 * NULL for an address that a station may have as its own, else what it is instead, to be read behind "is": "the
 * network's broadcast address". `mask` is the network's when the address is on it, and 0 when that is not known: then
 * only what no network changes is judged. Networks of /31 and /32 have neither network nor broadcast address
 * (RFC 3021).
 */
const char *station_ipv4_fault(uint32_t address, uint32_t mask);

/* The same for somebody that `host` talks to: judged with the host's prefix when it is on its network, and the host's
 * own address is a fault too. */
const char *station_peer_fault(const struct inet_host *host, uint32_t address);

/* The same for a station address: a single station's, and not all zeroes. */
const char *station_mac_fault(const uint8_t mac[6]);

/* Our claim to an address (RFC 5227). */
struct station_claim {
  uint32_t address; /* 0 = none                                                             */
  uint8_t mac[6];   /* ours                                                                 */
  bool probing;     /* it is not ours yet: somebody else who probes for it is a conflict    */
  uint32_t conflicts;
  uint8_t rival[6]; /* who was the first                                                    */
};

/* Looks at what arrived; true when it contests the claim, which is then counted. */
bool station_hear(struct station_claim *claim, const struct inet_packet *packet);

#endif
