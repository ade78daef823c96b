/* lease6.h - an IPv6 address for a NIC from the firmware's own configuration, for as long as a command needs it. */
#ifndef APP_LEASE6_H
#define APP_LEASE6_H

#include "choose.h"
#include "efi/ip6_config.h"

#define LEASE6_SERVERS 8U /* gateways, and name servers, that are put back */

/* What was in force before the firmware was told to ask routers and DHCPv6. */
struct lease6 {
  bool changed;
  UINTN gateways;
  EFI_IPv6_ADDRESS gateway[LEASE6_SERVERS];
  UINTN servers;
  EFI_IPv6_ADDRESS server[LEASE6_SERVERS];
};

/*
 * Sees to it that the NIC has an IPv6 address that reaches further than its link: the one it has, or one that routers
 * and DHCPv6 give. Firmware asks them only when its policy is automatic, and edk2's is manual until somebody changes
 * it: then it is automatic until lease6_restore. Waits a bounded time; Esc ends it. EFI_UNSUPPORTED without IPv6 in the
 * firmware, EFI_TIMEOUT, EFI_NO_MEDIA, EFI_ABORTED, or as the firmware says. Complains.
 */
EFI_STATUS lease6_get(const struct pci_nic *pci, UINT64 link_wait_us, struct lease6 *lease);

/* Puts the policy back, and what the firmware forgets when that changes. Harmless when nothing was changed. */
EFI_STATUS lease6_restore(const struct pci_nic *pci, struct lease6 *lease);

#endif
