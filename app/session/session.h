/* session.h - the NIC that a sub-command works on: taken, run, and given back. */
#ifndef APP_SESSION_H
#define APP_SESSION_H

#include "../../driver/efi/efi_nic.h"
#include "../../driver/efi/pci.h"
#include "../../driver/efi/remote.h"
#include "choose.h"
#include "share.h"
#include "../../driver/lib/responder.h"
#include "../../driver/lib/station.h"

/*
 * Three ways to a NIC. A free one (or one that was taken) is driven by netdiag itself over its rings. One that our own
 * resident driver holds for the firmware's stack is shared: its netdev is looked at, and frames go through a child of
 * the stack's MNP beside the others. For a command that says options->allow_foreign, one that another vendor's driver
 * holds is shared in the same way: there are no registers and no counters then, and session.netdev is NULL.
 */
struct session;

/* Who talks over a session. Frames arrive as soon as reception begins, so session_talk, which begins it, takes all of
 * this at once; nothing can be filled in afterwards. */
struct session_talker {
  uint32_t address; /* that we answer ARP and pings for, host order; 0 = none                              */
  uint32_t mask;
  uint32_t gateway;
  bool probe; /* ask first whether somebody else has the address: it was given by hand                         */

  /* Hear everything that passes, not only what is for us and for everybody: other stations' frames, multicast, and
   * frames with a length instead of a type, as switches send them. On a NIC that is shared as far as its driver and the
   * stack let it through; VLAN and priority tags are seen there only under a driver of ours. */
  bool listen;
  void *ctx;

  /* One frame and what inet_parse made of it; both are valid during the call only. Called at TPL_CALLBACK, also from
   * timer events: it must not print or wait, but may call session_transmit. True when it is dealt with; otherwise the
   * session answers it, if it asks anything of us. NULL: the session answers everything. */
  bool (*receive)(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet);
};

struct session {
  struct pci_nic pci;
  struct netdev *netdev;   /* ours, the resident driver's, or NULL          */
  struct remote *resident; /* the resident driver's device, NULL when ours  */
  struct remote remote;    /* where that is kept                            */
  struct share foreign;    /* another vendor's driver, when netdev is NULL  */
  struct mnp_link *link;   /* the way for frames when shared                */
  struct share_tap *tap;   /* what is heard when shared with a listener     */
  struct efi_nic nic;      /* when ours                                     */
  bool (*receive)(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet);
  void *receive_ctx;
  bool deaf;                  /* session_stop_receiving was called             */
  struct station_claim claim; /* to our address, and who contests it           */
  bool conflict_told;
  struct responder responder; /* its counters are the talker's to read         */
  EFI_EVENT nap;              /* wakes session_wait when nothing happens       */
  EFI_HANDLE holder;          /* the driver it was taken from, or NULL         */
  uint32_t ring;              /* from the options                              */
  uint32_t link_wait;         /* the same                                      */
  void (*chore)(void *ctx);   /* what session_wait does beside, each round, at TPL_APPLICATION; NULL for nothing */
  void *chore_ctx;
  /* Sees each frame that goes over the link to a foreign driver's stack, where there is no tap; NULL for nobody. At
   * TPL_CALLBACK or lower. */
  void (*witness)(void *ctx, bool sent, const void *frame, size_t length);
  void *witness_ctx;
  bool watching;        /* a change of the link is told                  */
  bool link_up;         /* what was told last                            */
  uint64_t frames_sent; /* the netdev's counters when it began to talk   */
  uint64_t frames_received;
  uint64_t link_sent; /* without a netdev: what went and came by the link */
  uint64_t link_received;
  bool verbose;
};

enum wait_result { WAIT_DONE, WAIT_TIMEOUT, WAIT_ABORTED, WAIT_GONE };

/* What a command exits with after it; `timeout` for WAIT_TIMEOUT. */
EFI_STATUS wait_status(enum wait_result result, EFI_STATUS timeout);

/*
 * Finds the NIC and takes it. Complains and returns EFI_NOT_FOUND, EFI_ACCESS_DENIED (a foreign driver holds it and
 * --take was not given), or what efi_nic_attach returned; nothing is then left behind. Nothing is received yet: one of
 * session_start and session_talk follows.
 */
EFI_STATUS session_open(struct session *session, const struct nic_options *options);

/* Whether session_take may be tried. Complains, EFI_ACCESS_DENIED, when somebody holds the NIC and taking is not
 * allowed, or when the NIC is armed for a handoff, which would end without a word. */
EFI_STATUS session_may_take(const struct pci_nic *pci, bool allowed);

/* Takes a NIC from the driver that holds it, if there is one: *holder is who was asked to
 * let go, or NULL. Complains, EFI_ACCESS_DENIED, when it may not be taken or the driver keeps it. */
EFI_STATUS session_take(const struct pci_nic *pci, bool allowed, EFI_HANDLE *holder);

/* Lets the drivers have it again that session_take took it from; *holder is NULL afterwards, and may be before.
 * Complains, EFI_NOT_STARTED or what the firmware says, when nobody takes it. */
EFI_STATUS session_give_back(const struct pci_nic *pci, EFI_HANDLE *holder);

/* The address to use: from --addr and --gw if given, else from the firmware (see lease_get). Before anybody is asked,
 * complains of a NIC that may not be taken, and of one without a link. */
EFI_STATUS session_address(const struct nic_options *options, const struct cidr_option *address, uint32_t gateway,
                           struct inet_host *host);

/* Starts the NIC for looking at registers and counters: frames are counted and dropped. `link_wait_ms` bounds the wait
 * for a link; no link is EFI_NO_MEDIA and complained about. A NIC that is shared is left as it is. */
EFI_STATUS session_start(struct session *session, uint32_t link_wait_ms);

/* The same without a wait for a link: for what needs none. Complains. */
EFI_STATUS session_start_to_look(struct session *session);

/* Takes a NIC of our own that was not started anew, with rings and buffers below 4 GiB if `low`, else wherever the
 * firmware finds room for a part that can reach it. Complains; the session can only be closed then. */
EFI_STATUS session_attach_again(struct session *session, bool low);

/* Starts the NIC, or joins the firmware's stack on it, for frames in and out, and waits for a link as session_start
 * does. `talker` is copied; its `receive` may be called before this returns, and until session_stop_receiving or
 * session_close returns. With a `link_wait_ms` of 0 no link is waited for, and none is no error.
 *
 * With talker->probe, the address is only taken when nobody answers three ARP probes, 200 ms apart, which takes 600 ms;
 * until then nothing is answered. Complains. EFI_ACCESS_DENIED when somebody else has the address. */
EFI_STATUS session_talk(struct session *session, const struct session_talker *talker, uint32_t link_wait_ms);

/* Prints how often others claimed our address; nothing when nobody did. session_wait tells of the first time. */
void session_out_conflicts(const struct session *session);

/* No frame is delivered or answered any more once this returns, so that what was counted stays as it is. */
void session_stop_receiving(struct session *session);

/* Our MAC address, the NIC's model ("82574L", or what its driver is called), and the link as it was seen last: up and
 * of unknown speed where nobody says. Of any session that is open. */
const uint8_t *session_mac(const struct session *session);
const char *session_model(const struct session *session);
struct netdev_link session_link(const struct session *session);

/* Frames that the NIC has sent and received so far; of a NIC under another vendor's driver, what this session has. */
struct session_traffic {
  uint64_t sent;
  uint64_t received;
};
struct session_traffic session_traffic(const struct session *session);

/* Says what is known when an answer is missing: whether there is a link, and how many frames went out and came in since
 * the session began to talk, of which none was the answer. */
void session_out_traffic(const struct session *session);

/* How long to wait for a link, in microseconds. */
UINT64 session_link_wait_us(const struct nic_options *options);

/* Gives the NIC back. Complains and returns EFI_DEVICE_ERROR if anything is still held. Harmless after
 * a failed open. */
EFI_STATUS session_close(struct session *session);

/* Runs the NIC until `done(ctx)` is true, the deadline (efi_clock_us) has passed, or the user wants to stop. `done` may
 * be NULL. Polls hard at first, for round trip times are short, then lets the processor sleep between heartbeats. Says
 * when the link goes down and comes back. */
enum wait_result session_wait(struct session *session, UINT64 deadline_us, bool (*done)(void *ctx), void *ctx);

/* Sends one frame; results as netdev_transmit's. TPL_CALLBACK or lower. `session` is a struct session. */
int session_transmit(void *session, const void *frame, size_t length);

#endif
