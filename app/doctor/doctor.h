/* doctor.h - a diagnosis under way: what collects the evidence, in the order of the checks. */
#ifndef APP_DOCTOR_H
#define APP_DOCTOR_H

#include "../../driver/lib/dhcp.h"
#include "../netdiag.h"
#include "checks.h"
#include "ear.h"

struct doctor_options {
  struct nic_options nic;
  struct cidr_option address;
  uint32_t gateway;
  uint32_t listen_s;
  const char *url;
  const char *capture;
  bool json;
};

/* What this machine is in a PE image's header. */
#if defined(__i386__)
#define DOCTOR_PE_MACHINE 0x014CU
#elif defined(__aarch64__)
#define DOCTOR_PE_MACHINE 0xAA64U
#else
#define DOCTOR_PE_MACHINE 0x8664U
#endif

#define DOCTOR_CLIENTS 2U /* a PXE client and an HTTP client */
#define DOCTOR_SIZES   8U /* that a path is tried with       */

/* What is asked on the wire, and what came. Shared with the function that receives: under efi_nic_lock only. */
struct doctor_talk {
  struct session *session;
  struct ear ear;
  bool router6;               /* advertises itself          */
  bool dhcp6;                 /* a DHCPv6 server answers... */
  char url6[DOCTOR_URL_SIZE]; /* ... and names this */
  struct dhcp_client clients[DOCTOR_CLIENTS];
  uint32_t offers[DOCTOR_CLIENTS]; /* that came to each */
  uint64_t last_offer_us;
  struct doctor_offer kept[DOCTOR_OFFERS];
  struct dhcp_offer whole[DOCTOR_OFFERS]; /* the same, for the request that follows */
  uint32_t kept_count;
  uint32_t request_xid; /* a DHCPREQUEST is under way, and its answer: */
  enum dhcp_type request_answer;
  char refusal[DOCTOR_NAME_SIZE];
  uint8_t server_mac[6]; /* who sent that answer: the server, or its relay */
  uint32_t wanted;       /* the address that ARP asks for            */
  bool found;            /* somebody answered for it:                */
  uint8_t owner[6];
  uint32_t ping_target;
  uint16_t ping_first; /* of this round; the sizes of a path have numbers in a row */
  uint32_t pongs;      /* 1 << size, of this round                                 */
  uint64_t pong_us;    /* the last one                                             */
  uint32_t unreachable_from;
  uint16_t mtu; /* told by "fragmentation needed"           */
};

struct doctor {
  const struct doctor_options *options;
  struct doctor_evidence evidence;
  struct doctor_finding findings[DOCTOR_CHECKS];
  struct doctor_finding printed[DOCTOR_CHECKS];
  uint32_t printed_count;
  struct pci_nic pci;
  struct session session;
  struct capture *capture; /* --capture, or NULL */
  struct doctor_talk talk;
  uint32_t chosen; /* among the offers */
  uint32_t frames_given;
  UINT64 begun_us;         /* of the talk          */
  UINT64 asked_us;         /* doctor_ask did       */
  UINT64 answer_us;        /* what an ACK took     */
  bool firmwares_lease;    /* the address that was offered is what the firmware has of the same server */
  bool leased;             /* it is not, and was taken: to be given back                               */
  uint64_t damaged_before; /* the netdev's count   */
  uint64_t hangs_before;
  bool link_seen;
  bool link_was_up;
  uint8_t hop_mac[6]; /* who takes frames to the server */
  uint8_t data[INET_ECHO_MAX];
};

/* One step is done: judges it with all that is known, and prints its line. Those before it that were not printed yet
 * are printed as well. */
void doctor_step(struct doctor *doctor, enum doctor_check_id check);

/* Prints what has changed since, and the sentence at the end; or all of it as JSON. */
enum doctor_class doctor_end(struct doctor *doctor);

/* Whether nothing that this check needs has failed so far. */
bool doctor_may(const struct doctor *doctor, enum doctor_check_id check);

/* What all steps return: EFI_SUCCESS, EFI_ABORTED, which ends the diagnosis, or EFI_DEVICE_ERROR for a NIC that is
 * gone. Anything else that happens is evidence. */

/* machine.c: what can be seen without a frame. The NIC is chosen already; `taken` says that --take has it. */
void doctor_see_driver(struct doctor *doctor);
void doctor_see_memory(struct doctor *doctor);
void doctor_see_twin(struct doctor *doctor);

/* Rows of a session's netdev: NVM and what the link's partner offers. */
void doctor_see_nvm(struct doctor *doctor);
void doctor_see_partner(struct doctor *doctor);

/* The firmware's network stack on the NIC, and boot options for it. */
void doctor_see_stack(struct doctor *doctor);
void doctor_see_boot_order(struct doctor *doctor);

/* receive.c: what comes in while a session talks; `ctx` is a struct doctor_talk. */
bool doctor_receive(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet);

/* A question on the wire. It is asked at most `tries` times, until `done` says that no more is needed: the first time
 * `wait_us` is waited for an answer, then twice as long each time, unless it is `steady`. */
struct doctor_question {
  uint32_t tries;
  UINT64 wait_us;
  bool steady;
  void (*ask)(struct doctor *doctor);
  bool (*done)(struct doctor *doctor);
};
EFI_STATUS doctor_ask(struct doctor *doctor, const struct doctor_question *question);

/* Waits until then, or until `done`, if there is one. */
EFI_STATUS doctor_wait_until(struct doctor *doctor, UINT64 deadline_us, bool (*done)(struct doctor *doctor));

/* Sends a frame and counts it; none with a length of 0. */
void doctor_send(struct doctor *doctor, const void *frame, size_t length);

/* ask_dhcp.c: over an open session. */
EFI_STATUS doctor_ask_dhcp(struct doctor *doctor);
EFI_STATUS doctor_request(struct doctor *doctor); /* takes the address that was chosen */
void doctor_choose_url6(struct doctor *doctor);   /* what DHCPv6 names, when nothing is named over IPv4 */

/* Gives the lease back that doctor_request took (RFC 2131 4.4.6), once, unless it is the firmware's own: over the
 * session, or beside the firmware's stack on the NIC. */
void doctor_release(struct doctor *doctor);
void doctor_release_beside(struct doctor *doctor);

/* talk.c: over an open session. */
EFI_STATUS doctor_begin_talk(struct doctor *doctor);
EFI_STATUS doctor_wait_for_link(struct doctor *doctor);
EFI_STATUS doctor_try_address(struct doctor *doctor);
EFI_STATUS doctor_ask_gateway(struct doctor *doctor);
EFI_STATUS doctor_reach_server(struct doctor *doctor);
EFI_STATUS doctor_measure_path(struct doctor *doctor);
EFI_STATUS doctor_listen(struct doctor *doctor);

/* Counters and what was heard, as of now, into the evidence. */
void doctor_count(struct doctor *doctor);

/* fetch.c: by the firmware's stack, which needs a driver of ours on a NIC that nobody holds. The session is closed. */
EFI_STATUS doctor_fetch(struct doctor *doctor);

#endif
