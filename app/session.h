/* session.h - the NIC that a sub-command works on: chosen, taken, run, and given back. */
#ifndef APP_SESSION_H
#define APP_SESSION_H

#include "../driver/efi/efi_nic.h"
#include "../driver/efi/pci.h"
#include "args.h"

/* Options that every sub-command on a NIC understands; the first member of each one's own options. */
struct nic_options {
  const char *nic; /* -n; NULL = the first that this driver knows                 */
  bool take;       /* --take                                                      */
  bool verbose;    /* -v                                                          */
  uint32_t ring;   /* --ring; 0 = default                                         */
};

#define NIC_OPTION_ROWS(type)                                                                                          \
  {"-n", "NIC", OPTION_TEXT, offsetof(type, nic.nic), 0, 0, "the NIC: index, PCI location or MAC (default: first)"},   \
      {"--take",                                                                                                       \
       NULL,                                                                                                           \
       OPTION_FLAG,                                                                                                    \
       offsetof(type, nic.take),                                                                                       \
       0,                                                                                                              \
       0,                                                                                                              \
       "take the NIC from the driver that holds it, and give it back afterwards"},                                     \
      {"--ring",                                                                                                       \
       "N",                                                                                                            \
       OPTION_U32,                                                                                                     \
       offsetof(type, nic.ring),                                                                                       \
       E1000_RING_MIN,                                                                                                 \
       E1000_RING_MAX,                                                                                                 \
       "descriptors per ring, a power of two (default 256)"},                                                          \
  {                                                                                                                    \
    "-v", NULL, OPTION_FLAG, offsetof(type, nic.verbose), 0, 0, "say what the driver does"                             \
  }

struct session {
  struct pci_nic pci;
  struct efi_nic nic;
  EFI_EVENT nap;     /* wakes session_wait when nothing happens   */
  EFI_HANDLE holder; /* the driver it was taken from, or NULL     */
  bool verbose;
};

enum wait_result { WAIT_DONE, WAIT_TIMEOUT, WAIT_ABORTED, WAIT_GONE };

/*
 * Finds the NIC and takes it. Complains and returns EFI_NOT_FOUND, EFI_ACCESS_DENIED (a foreign driver holds it and
 * --take was not given), or what efi_nic_attach returned; nothing is then left behind. `client` is copied.
 */
EFI_STATUS session_open(struct session *session, const struct nic_options *options, const struct netdev_client *client);

/* Starts the NIC. `link_wait_ms` bounds the wait for a link; no link is EFI_NO_MEDIA and complained about. */
EFI_STATUS session_start(struct session *session, uint32_t link_wait_ms);

/* Gives the NIC back. Complains and returns EFI_DEVICE_ERROR if anything is still held. Harmless after a failed open. */
EFI_STATUS session_close(struct session *session);

/* Runs the NIC until `done(ctx)` is true, the deadline (efi_clock_us) has passed, or the user wants to stop. `done` may
 * be NULL. Polls hard at first, for round trip times are short, then lets the processor sleep between heartbeats. */
enum wait_result session_wait(struct session *session, UINT64 deadline_us, bool (*done)(void *ctx), void *ctx);

/* netdev_transmit under the lock. */
int session_transmit(struct session *session, const void *frame, size_t length);

/* The handle that PciIo is opened with: the running image. */
EFI_HANDLE session_image(void);

/* Prints "0000:00:02.0". */
void out_location(const struct pci_nic *pci);

/* Prints "1000 Mb/s full duplex" or "down", padded to 22 columns. */
void out_link(const struct netdev_link *link);

#endif
