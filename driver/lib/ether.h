/* ether.h - the one look at an Ethernet header, and at the tags behind it, that stands before every parser. Pure C. */
#ifndef LIB_ETHER_H
#define LIB_ETHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ETHER_HEADER   14U
#define ETHER_TAG      4U
#define ETHER_TAGS_MAX 2U /* that are skipped: a service tag and a customer tag (802.1ad)             */
#define ETHERTYPE_IPV4 0x0800U
#define ETHERTYPE_ARP  0x0806U
#define ETHERTYPE_VLAN 0x8100U
#define ETHERTYPE_STAG 0x88A8U
#define ETHERTYPE_IPV6 0x86DDU
#define ETHERTYPE_LLDP 0x88CCU
#define ETHERTYPE_MIN  0x0600U /* what is less is a length: an 802.3 frame with an LLC header behind it   */

/* A frame seen without its tags. */
struct ether_view {
  const uint8_t *to;
  const uint8_t *from;
  uint16_t type;          /* ETHERTYPE_..., or 0 for a frame with a length instead                          */
  const uint8_t *payload; /* behind the type                                                                */
  size_t payload_length;
  bool tagged;
  uint16_t vlan;    /* 0: untagged, or tagged with VLAN 0, which is a priority and no VLAN (802.1Q 6.9.1)   */
  uint8_t priority; /* of the outermost tag, 0 to 7                                                         */
};

/* False when there is no whole header. `view` points into the frame. A frame whose view->vlan is not 0 is for another
 * network than ours: whoever looks at it must not take it for one of ours. */
bool ether_look(const void *frame, size_t length, struct ether_view *view);

#endif
