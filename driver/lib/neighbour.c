/* neighbour.c - what switches say of themselves on a port: LLDP (802.1AB clause 8), CDP and spanning tree (802.1D
 * clause 9, 802.1Q clause 14). Pure C. */
#include "neighbour.h"

#include <string.h>

#include "bytes.h"
#include "ether.h"
#include "texts.h"

#define LLC_HEADER      3U
#define SNAP_HEADER     8U
#define SNAP_CDP        0x2000U
#define SNAP_PVST       0x010BU
#define FAMILY_IPV4     1U /* of IANA's address families */
#define BPDU_CONFIG     35U
#define BPDU_NOTICE     4U
#define BPDU_TYPE_PLAIN 0x00U
#define BPDU_TYPE_RAPID 0x02U
#define BPDU_TYPE_TCN   0x80U

/* Bytes that are left to be read. */
struct part {
  const uint8_t *at;
  size_t left;
};

static void put_text(char text[NEIGHBOUR_TEXT_SIZE], const uint8_t *data, size_t length) {
  (void)text_of_bytes(text, NEIGHBOUR_TEXT_SIZE, data, length);
}

/* LLDP ----------------------------------------------------------------------------------------------------------- */

enum {
  TLV_END,
  TLV_CHASSIS,
  TLV_PORT,
  TLV_TTL,
  TLV_PORT_TEXT,
  TLV_SYSTEM_NAME,
  TLV_SYSTEM_TEXT,
  TLV_MANAGEMENT = 8,
  TLV_ORGANIZATION = 127,
};

/* An identifier begins with what kind it is. The numbers differ between chassis and ports (802.1AB 8.5.2.2,
 * 8.5.3.2). */
static void put_identifier(char text[NEIGHBOUR_TEXT_SIZE], const struct part *value, uint8_t kind_mac,
                           uint8_t kind_address) {
  const uint8_t *id = value->at + 1;
  size_t length = value->left - 1U;
  if(value->at[0] == kind_mac && length == 6U) {
    (void)mac_text(id, text);
  } else if(value->at[0] == kind_address && length == 5U && id[0] == FAMILY_IPV4) {
    (void)ipv4_text(get32(id + 1), text);
  } else {
    put_text(text, id, length);
  }
}

/* 802.1AB 8.5.9: length of the address with its family, family, address. */
static void put_management(struct neighbour *neighbour, const struct part *value) {
  if(value->left >= 6U && value->at[0] == 5U && value->at[1] == FAMILY_IPV4 && neighbour->address == 0) {
    neighbour->address = get32(value->at + 2);
  }
}

/* False for a value that is too short. */
static bool put_tlv(struct neighbour *neighbour, uint32_t type, const struct part *value) {
  static const uint8_t port_vlan[4] = {0x00, 0x80, 0xC2, 0x01}; /* 802.1Q D.2.1 */
  if((type == TLV_CHASSIS || type == TLV_PORT || type == TLV_TTL) && value->left < 2U) {
    return false;
  }
  switch(type) {
  case TLV_CHASSIS:
    put_identifier(neighbour->device, value, 4, 5);
    break;
  case TLV_PORT:
    put_identifier(neighbour->port, value, 3, 4);
    break;
  case TLV_TTL:
    neighbour->ttl_s = get16(value->at);
    break;
  case TLV_PORT_TEXT:
    put_text(neighbour->port_text, value->at, value->left);
    break;
  case TLV_SYSTEM_NAME:
    put_text(neighbour->system_name, value->at, value->left);
    break;
  case TLV_SYSTEM_TEXT:
    put_text(neighbour->system_text, value->at, value->left);
    break;
  case TLV_MANAGEMENT:
    put_management(neighbour, value);
    break;
  case TLV_ORGANIZATION:
    if(value->left >= 6U && memcmp(value->at, port_vlan, sizeof(port_vlan)) == 0) {
      neighbour->has_vlan = true;
      neighbour->native_vlan = get16(value->at + 4);
    }
    break;
  default:
    break;
  }
  return true;
}

static void parse_lldp(struct part in, struct neighbour *neighbour) {
  neighbour->kind = NEIGHBOUR_LLDP;
  while(in.left >= 2U) {
    uint32_t type = in.at[0] >> 1;
    const struct part value = {in.at + 2, (size_t)(get16(in.at) & 0x1FFU)};
    if(type == TLV_END) {
      return;
    }
    if(value.left > in.left - 2U || !put_tlv(neighbour, type, &value)) {
      break;
    }
    in.at += 2U + value.left;
    in.left -= 2U + value.left;
  }
  neighbour->cut = true; /* no end */
}

/* CDP ------------------------------------------------------------------------------------------------------------ */

enum {
  CDP_DEVICE = 1,
  CDP_ADDRESSES = 2,
  CDP_PORT = 3,
  CDP_PLATFORM = 6,
  CDP_NATIVE_VLAN = 10,
  CDP_DUPLEX = 11,
  CDP_MANAGEMENT = 22,
};

/* The first IPv4 address of a list: each has a protocol (kind, length, protocol) and an address (length, address). */
static void put_cdp_address(struct neighbour *neighbour, const struct part *value) {
  static const uint8_t ipv4[] = {1, 1, 0xCC, 0, 4}; /* NLPID of one byte: IPv4; an address of 4 */
  if(value->left >= 4U + sizeof(ipv4) + 4U && get32(value->at) > 0 && memcmp(value->at + 4, ipv4, sizeof(ipv4)) == 0) {
    neighbour->address = neighbour->address ? neighbour->address : get32(value->at + 4U + sizeof(ipv4));
  }
}

static void put_cdp(struct neighbour *neighbour, uint32_t type, const struct part *value) {
  if(type == CDP_DEVICE) {
    put_text(neighbour->device, value->at, value->left);
  } else if(type == CDP_PORT) {
    put_text(neighbour->port, value->at, value->left);
  } else if(type == CDP_PLATFORM) {
    put_text(neighbour->system_text, value->at, value->left);
  } else if(type == CDP_ADDRESSES || type == CDP_MANAGEMENT) {
    put_cdp_address(neighbour, value);
  } else if(type == CDP_NATIVE_VLAN && value->left == 2U) {
    neighbour->has_vlan = true;
    neighbour->native_vlan = get16(value->at);
  } else if(type == CDP_DUPLEX && value->left == 1U) {
    neighbour->has_duplex = true;
    neighbour->full_duplex = value->at[0] != 0;
  }
}

/* The checksum is not looked at: it treats an odd last byte in a way of its own, and what it would tell is in the
 * FCS. */
static void parse_cdp(struct part in, struct neighbour *neighbour) {
  neighbour->kind = NEIGHBOUR_CDP;
  if(in.left < 4U) {
    neighbour->cut = true;
    return;
  }
  neighbour->ttl_s = in.at[1];
  in.at += 4;
  in.left -= 4U;
  while(in.left >= 4U) {
    size_t length = get16(in.at + 2);
    if(length < 4U || length > in.left) {
      break;
    }
    const struct part value = {in.at + 4, length - 4U};
    put_cdp(neighbour, get16(in.at), &value);
    in.at += length;
    in.left -= length;
  }
  neighbour->cut = in.left > 0;
}

/* Spanning tree -------------------------------------------------------------------------------------------------- */

static void put_bridge(struct neighbour_bridge *bridge, const uint8_t *at) {
  bridge->priority = get16(at);
  memcpy(bridge->mac, at + 2, sizeof(bridge->mac));
}

static enum neighbour_port port_of(uint8_t flags) {
  if(flags & 0x20U) {
    return NEIGHBOUR_PORT_FORWARDING;
  }
  return flags & 0x10U ? NEIGHBOUR_PORT_LEARNING : NEIGHBOUR_PORT_DISCARDING;
}

/* Times are in 1/256 s (802.1D 9.2.8). False for what is no BPDU. */
static bool parse_bpdu(struct part in, struct neighbour *neighbour) {
  struct neighbour_stp *stp = &neighbour->stp;
  if(in.left < BPDU_NOTICE || get16(in.at) != 0) {
    return false;
  }
  uint8_t type = in.at[3];
  if(type != BPDU_TYPE_PLAIN && type != BPDU_TYPE_RAPID && type != BPDU_TYPE_TCN) {
    return false;
  }
  neighbour->kind = NEIGHBOUR_STP;
  stp->version = in.at[2];
  stp->topology_notice = type == BPDU_TYPE_TCN;
  if(stp->topology_notice) {
    return true;
  }
  if(in.left < BPDU_CONFIG) {
    neighbour->cut = true;
    return true;
  }
  stp->topology_change = (in.at[4] & 1U) != 0;
  stp->proposal = type == BPDU_TYPE_RAPID && (in.at[4] & 2U);
  stp->port = type == BPDU_TYPE_RAPID ? port_of(in.at[4]) : NEIGHBOUR_PORT_UNKNOWN;
  put_bridge(&stp->root, in.at + 5);
  stp->root_cost = get32(in.at + 13);
  put_bridge(&stp->bridge, in.at + 17);
  stp->port_id = get16(in.at + 25);
  stp->max_age_s = in.at[29];
  stp->hello_s = in.at[31];
  stp->forward_delay_s = in.at[33];
  return true;
}

/* One tree for each VLAN: a BPDU, and behind it which VLAN the port is in for whoever sends untagged frames. */
static bool parse_pvst(struct part in, struct neighbour *neighbour) {
  static const uint8_t originating_vlan[] = {0, 0, 0, 2};
  if(!parse_bpdu(in, neighbour)) {
    return false;
  }
  /* A rapid BPDU has one byte more, the length of its version 1 part. */
  size_t at = BPDU_CONFIG + (neighbour->stp.version >= 2U);
  if(!neighbour->stp.topology_notice && in.left >= at + 6U &&
     memcmp(in.at + at, originating_vlan, sizeof(originating_vlan)) == 0) {
    neighbour->has_vlan = true;
    neighbour->native_vlan = get16(in.at + at + 4U);
  }
  return true;
}

/* The whole ------------------------------------------------------------------------------------------------------ */

/* A frame with a length: behind it an LLC header, and perhaps SNAP's (802 clause 9). */
static bool parse_llc(struct part in, struct neighbour *neighbour) {
  static const uint8_t spanning_tree[] = {0x42, 0x42, 0x03};
  static const uint8_t cisco[] = {0xAA, 0xAA, 0x03, 0x00, 0x00, 0x0C};
  if(in.left >= LLC_HEADER && memcmp(in.at, spanning_tree, sizeof(spanning_tree)) == 0) {
    return parse_bpdu((struct part){in.at + LLC_HEADER, in.left - LLC_HEADER}, neighbour);
  }
  if(in.left < SNAP_HEADER || memcmp(in.at, cisco, sizeof(cisco)) != 0) {
    return false;
  }
  const struct part inner = {in.at + SNAP_HEADER, in.left - SNAP_HEADER};
  uint32_t protocol = get16(in.at + 6);
  if(protocol == SNAP_CDP) {
    parse_cdp(inner, neighbour);
    return true;
  }
  return protocol == SNAP_PVST && parse_pvst(inner, neighbour);
}

bool neighbour_parse(const void *frame, size_t length, struct neighbour *neighbour) {
  struct ether_view view;
  memset(neighbour, 0, sizeof(*neighbour));
  if(!ether_look(frame, length, &view)) {
    return false;
  }
  struct part in = {view.payload, view.payload_length};
  memcpy(neighbour->mac, view.from, sizeof(neighbour->mac));
  neighbour->tagged = view.tagged;
  neighbour->vlan = view.vlan;
  if(view.type == ETHERTYPE_LLDP) {
    parse_lldp(in, neighbour);
    return true;
  }
  if(view.type != 0) {
    return false;
  }
  size_t said = get16(view.payload - 2);
  neighbour->cut = said > in.left;
  in.left = said < in.left ? said : in.left; /* the rest is padding */
  bool cut = neighbour->cut;
  bool known = parse_llc(in, neighbour);
  neighbour->cut = neighbour->cut || cut;
  return known;
}

const char *neighbour_kind_text(enum neighbour_kind kind) {
  static const char *const texts[] = {"", "LLDP", "CDP", "STP"};
  return texts[kind];
}

const char *neighbour_stp_text(const struct neighbour_stp *stp) {
  return stp->version >= 3U ? "MSTP" : stp->version == 2U ? "RSTP" : "STP";
}
