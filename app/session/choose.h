/* choose.h - which NIC a sub-command works on, and what can be seen of it without taking it. */
#ifndef APP_CHOOSE_H
#define APP_CHOOSE_H

#include "../../driver/efi/efi_nic.h"
#include "../../driver/efi/pci.h"
#include "../args.h"

/* Options that every sub-command on a NIC understands; the first member of each one's own options. */
struct nic_options {
  const char *nic;    /* -n; NULL = the first that this driver knows                 */
  bool take;          /* --take                                                      */
  bool verbose;       /* -v                                                          */
  uint32_t ring;      /* --ring; 0 = default                                         */
  uint32_t link_wait; /* --link-wait, seconds; 0 = the command's default             */
  bool allow_foreign; /* no option: the command can do with another vendor's driver  */
};

#define LINK_WAIT_S     5U
#define LINK_WAIT_MS    (LINK_WAIT_S * 1000U)
#define LINK_WAIT_MAX_S 3600U
/* By hand: clang-format's versions break rows in a macro differently. */
/* clang-format off */
#define NIC_OPTION_ROWS(type)                                                                                          \
  {"-n", "NIC", OPTION_TEXT, offsetof(type, nic.nic), 0, 0, "the NIC: eth0, PCI location or MAC (default: first)"},    \
  {"--take", NULL, OPTION_FLAG, offsetof(type, nic.take), 0, 0,                                                        \
   "take the NIC from the driver that holds it, and give it back afterwards"},                                         \
  {"--ring", "N", OPTION_U32, offsetof(type, nic.ring), NET_RING_MIN, NET_RING_MAX,                                    \
   "descriptors per ring, a power of two (default 256)"},                                                              \
  {"--link-wait", "SECONDS", OPTION_U32, offsetof(type, nic.link_wait), 1, LINK_WAIT_MAX_S,                            \
   "how long to wait for a link; a switch with spanning tree needs 50 (default 5)"},                                   \
  {"-v", NULL, OPTION_FLAG, offsetof(type, nic.verbose), 0, 0, "say what the driver does"}
/* clang-format on */

/* The NIC that the options name: fills in *pci. Without a name the first that this driver knows, and, when there is
 * none and options->allow_foreign, the first that another vendor's driver and the firmware's stack run on. Complains;
 * EFI_NOT_FOUND, or EFI_INVALID_PARAMETER when several fit. */
EFI_STATUS session_choose(const struct nic_options *options, struct pci_nic *pci);

/* "eth0": the NICs' names, in the order of 'netdiag list'. Into `text`, which it returns. */
#define NIC_NAME_SIZE 16U
const char *nic_name(const struct pci_nic *pci, char text[NIC_NAME_SIZE]);

/* "0000:00:02.0" */
#define LOCATION_TEXT_SIZE 32U
const char *location_text(const struct pci_nic *pci, char text[LOCATION_TEXT_SIZE]);

/* Prints "0000:00:02.0". */
void out_location(const struct pci_nic *pci);

/* What can be seen of a NIC without taking it: from its registers, or from the SNP of the driver that holds it. */
struct nic_sight {
  bool has_mac;
  bool has_link;
  bool has_speed; /* link.speed_mbps and full_duplex are known */
  uint8_t mac[6];
  struct netdev_link link;
};
void session_look(const struct pci_nic *pci, struct nic_sight *sight);

/* The members "nic", "location", "vendor_id", "device_id" and "model" of a --json document. */
void report_which(const struct pci_nic *pci);

/* The members "mac" and "link"; null where it was not seen. */
void report_seen(const struct nic_sight *sight);

/* Complains that the NIC has no link. Returns EFI_NO_MEDIA. */
EFI_STATUS session_no_link(const struct pci_nic *pci);

/* What is known of a NIC that no driver here takes; false, and "not supported" without a reason (NULL), when that is
 * nothing, and of one that a driver takes. */
struct doctor_stranger;
bool session_stranger(const struct pci_nic *pci, struct doctor_stranger *stranger);

/* Complains that no driver here takes the NIC, and says why where that is known. Returns EFI_UNSUPPORTED. */
EFI_STATUS session_not_known(const struct pci_nic *pci);

/* The member "not_supported" of a --json document: its name and the reason, or null. */
void report_stranger(const struct pci_nic *pci);

/* Prints "1000 Mb/s full duplex", or "speed unknown" of a link that is up and says no more. */
void out_speed(const struct netdev_link *link);

/* Prints that, "up, speed unknown", or "down". */
void out_link(const struct netdev_link *link);

#endif
