/* neighbour.h - what switches say of themselves on a port: LLDP (802.1AB), CDP and spanning tree (802.1D, 802.1Q), read
 * from frames. Pure C, tested on the host, fuzzed. */
#ifndef LIB_NEIGHBOUR_H
#define LIB_NEIGHBOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum neighbour_kind {
  NEIGHBOUR_NONE,
  NEIGHBOUR_LLDP, /* every 30 s as a rule */
  NEIGHBOUR_CDP,  /* every 60 s           */
  NEIGHBOUR_STP,  /* every 2 s            */
};

#define NEIGHBOUR_TEXT_SIZE 96U

/* What the flags of a BPDU say of the port that sent it. Only rapid spanning tree says anything: a port under the old
 * one sends the same while it listens, learns and forwards. */
enum neighbour_port {
  NEIGHBOUR_PORT_UNKNOWN,
  NEIGHBOUR_PORT_DISCARDING, /* nothing goes through yet                */
  NEIGHBOUR_PORT_LEARNING,   /* nor now, but soon                       */
  NEIGHBOUR_PORT_FORWARDING,
};

/* A bridge: its priority (with the VLAN in the lower 12 bits where there is a tree for each) and its MAC address. */
struct neighbour_bridge {
  uint16_t priority;
  uint8_t mac[6];
};

struct neighbour_stp {
  uint8_t version;      /* 0: 802.1D, 2: rapid, 3: multiple                                       */
  bool topology_notice; /* a notice of a topology change, which says nothing else                 */
  bool topology_change;
  bool proposal; /* rapid: the port asks to be let forward                                 */
  enum neighbour_port port;
  struct neighbour_bridge root;
  uint32_t root_cost;
  struct neighbour_bridge bridge; /* who sent it */
  uint16_t port_id;
  uint16_t max_age_s;
  uint16_t hello_s;
  uint16_t forward_delay_s; /* so long it listens, and so long again it learns                        */
};

/* Texts are printable, "" for what was not said. */
struct neighbour {
  enum neighbour_kind kind;
  bool cut; /* it ends in the middle, or has a length that cannot be; what came before is here */
  uint8_t mac[6];
  bool tagged;   /* the frame was, */
  uint16_t vlan; /* with this VLAN; 0 is a priority alone */
  uint16_t ttl_s;
  char device[NEIGHBOUR_TEXT_SIZE];      /* LLDP chassis: a name, or a MAC or IPv4 address as text; CDP device ID */
  char port[NEIGHBOUR_TEXT_SIZE];        /* the same of the port: "Gi1/0/7"                                       */
  char port_text[NEIGHBOUR_TEXT_SIZE];   /* LLDP: what somebody called it                                         */
  char system_name[NEIGHBOUR_TEXT_SIZE]; /* LLDP                                                                  */
  char system_text[NEIGHBOUR_TEXT_SIZE]; /* LLDP: of what make; CDP: its platform                                 */
  uint32_t address;                      /* management, IPv4, host order; 0 = none                                */
  bool has_vlan; /* the VLAN of untagged frames on this port: LLDP port VLAN, CDP native VLAN, PVST+ */
  uint16_t native_vlan;
  bool has_duplex; /* CDP */
  bool full_duplex;
  struct neighbour_stp stp; /* NEIGHBOUR_STP */
};

/* Reads a frame with a type, or with a length and an LLC header; tags are looked behind. False for what is none of
 * these. Nothing behind the frame's end, or behind the length that it says, is read. */
bool neighbour_parse(const void *frame, size_t length, struct neighbour *neighbour);

/* "LLDP", "CDP", "STP" */
const char *neighbour_kind_text(enum neighbour_kind kind);

/* "STP", "RSTP", "MSTP" */
const char *neighbour_stp_text(const struct neighbour_stp *stp);

#endif
