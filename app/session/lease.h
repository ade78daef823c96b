/* lease.h - an IPv4 address for a NIC from the firmware's own configuration, by DHCP if it has none yet. */
#ifndef APP_LEASE_H
#define APP_LEASE_H

#include "../../driver/efi/pci.h"
#include "../../driver/lib/inet.h"

/*
 * Fills in address, mask and gateway of `host` for the NIC with station address `mac` (NULL: not known before the NIC
 * is started). If the firmware's stack runs on the NIC and has an address, that is it; if it has none, it is told to
 * use DHCP, and its policy is put back afterwards. The firmware keeps the policy in a non-volatile variable, and
 * forgets gateway and DNS servers that were set by hand without an address when it changes. If no stack runs on the
 * NIC, our driver is bound for the time of the DHCP.
 *
 * Complains and returns EFI_TIMEOUT when no server answers, EFI_ABORTED on Esc, EFI_UNSUPPORTED when the firmware has
 * no IPv4 stack. The NIC is held afterwards by whoever held it before.
 */
EFI_STATUS lease_get(const struct pci_nic *pci, const UINT8 mac[6], struct inet_host *host);

/* The address, mask and gateway (network order) that the firmware has for this NIC right now; zeroes when none. */
void lease_known(const UINT8 mac[6], UINT8 lease[3][4]);

#endif
