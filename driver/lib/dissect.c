/* dissect.c - who talks to whom in a frame, and by which protocol. */
#include "dissect.h"

#include <string.h>

#include "bytes.h"

#define IPV4_HEADER 20U
#define IPV6_HEADER 40U
#define ARP_IPV4    28U /* an ARP packet between Ethernet and IPv4 (RFC 826) */
#define UDP_HEADER  8U
#define PORTS       4U

/* IPv6 extension headers that are passed over (RFC 8200, 4); of a chain at most so many. */
#define IPV6_HOP_BY_HOP  0U
#define IPV6_ROUTING     43U
#define IPV6_FRAGMENT    44U
#define IPV6_AUTH        51U
#define IPV6_DESTINATION 60U
#define EXTENSIONS_MAX   8U

static void look_at_ports(struct dissection *what, const uint8_t *at, size_t length) {
  if(what->is_part || length < PORTS || (what->protocol != IP_TCP && what->protocol != IP_UDP)) {
    return;
  }
  what->has_ports = true;
  what->source_port = get16(at);
  what->destination_port = get16(at + 2);
  if(what->protocol == IP_UDP && length >= UDP_HEADER) {
    const size_t stated = get16(at + 4);
    const size_t whole = stated >= UDP_HEADER && stated < length ? stated : length;
    what->payload = at + UDP_HEADER;
    what->payload_length = whole - UDP_HEADER;
  }
}

static void look_at_ipv4(struct dissection *what, const uint8_t *at, size_t length) {
  const size_t header = length >= IPV4_HEADER ? (at[0] & 15U) * 4U : 0;
  if(header < IPV4_HEADER || header > length || at[0] >> 4 != 4U) {
    return;
  }
  const size_t stated = get16(at + 2);
  const size_t whole = stated >= header && stated < length ? stated : length; /* what is behind is padding */
  what->is_ip = true;
  what->address_length = 4;
  what->source = at + 12;
  what->destination = at + 16;
  what->protocol = at[9];
  what->is_part = (get16(at + 6) & 0x1FFFU) != 0;
  look_at_ports(what, at + header, whole - header);
}

/* The length of the extension header at `at`, 0 when this is none, or not whole. */
static size_t extension_length(uint8_t protocol, const uint8_t *at, size_t length) {
  size_t size = 0;
  if(length < 8U) {
    return 0;
  }
  if(protocol == IPV6_HOP_BY_HOP || protocol == IPV6_ROUTING || protocol == IPV6_DESTINATION) {
    size = ((size_t)at[1] + 1U) * 8U;
  } else if(protocol == IPV6_FRAGMENT) {
    size = 8U;
  } else if(protocol == IPV6_AUTH) {
    size = ((size_t)at[1] + 2U) * 4U;
  }
  return size <= length ? size : 0;
}

static void look_at_ipv6(struct dissection *what, const uint8_t *at, size_t length) {
  if(length < IPV6_HEADER || at[0] >> 4 != 6U) {
    return;
  }
  const size_t stated = IPV6_HEADER + get16(at + 4);
  size_t left = (stated < length ? stated : length) - IPV6_HEADER;
  what->is_ip = true;
  what->address_length = 16;
  what->source = at + 8;
  what->destination = at + 24;
  what->protocol = at[6];
  at += IPV6_HEADER;
  for(uint32_t i = 0; i < EXTENSIONS_MAX; i++) {
    const size_t size = extension_length(what->protocol, at, left);
    if(size == 0 || what->is_part) {
      break;
    }
    what->is_part = what->protocol == IPV6_FRAGMENT && (get16(at + 2) & 0xFFF8U) != 0;
    what->protocol = at[0];
    at += size;
    left -= size;
  }
  look_at_ports(what, at, left);
}

/* Of an ARP packet between Ethernet and IPv4 only. */
static void look_at_arp(struct dissection *what, const uint8_t *at, size_t length) {
  static const uint8_t kind[] = {0, 1, 0x08, 0x00, 6, 4};
  if(length >= ARP_IPV4 && memcmp(at, kind, sizeof(kind)) == 0) {
    what->address_length = 4;
    what->source = at + 14;
    what->destination = at + 24;
  }
}

bool dissect(const void *frame, size_t length, struct dissection *what) {
  memset(what, 0, sizeof(*what));
  if(!ether_look(frame, length, &what->ether)) {
    return false;
  }
  const struct ether_view *ether = &what->ether;
  const uint8_t *bytes = frame;
  const size_t tags = ((size_t)(ether->payload - bytes) - ETHER_HEADER) / ETHER_TAG;
  for(; what->vlan_count < tags && what->vlan_count < ETHER_TAGS_MAX; what->vlan_count++) {
    what->vlans[what->vlan_count] = get16(bytes + ETHER_HEADER + (size_t)what->vlan_count * ETHER_TAG) & 0xFFFU;
  }
  if(ether->type == ETHERTYPE_IPV4) {
    look_at_ipv4(what, ether->payload, ether->payload_length);
  } else if(ether->type == ETHERTYPE_IPV6) {
    look_at_ipv6(what, ether->payload, ether->payload_length);
  } else if(ether->type == ETHERTYPE_ARP) {
    look_at_arp(what, ether->payload, ether->payload_length);
  }
  return true;
}

bool dissect_has_port(const struct dissection *what, uint16_t port) {
  return what->has_ports && (what->source_port == port || what->destination_port == port);
}
