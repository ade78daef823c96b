/* lease.h - an IPv4 address for a NIC from the firmware's own configuration, by DHCP if it has none yet. */
#ifndef APP_LEASE_H
#define APP_LEASE_H

#include "../../driver/efi/pci.h"
#include "../../driver/lib/inet.h"
#include "ip4_policy.h"
#include "net/handoff.h"

/*
 * Fills in address, mask and gateway of `host` for the NIC. If the firmware's stack runs on the NIC itself, untagged,
 * and has an address, that is it; if it has none, a link is waited for, `link_wait_us` at most, and the stack told to
 * use DHCP, and its policy is put back afterwards, with what was set by hand beside it: the firmware keeps all that in
 * a non-volatile variable. If no stack runs on the NIC, our driver is bound for the time of the DHCP.
 *
 * Complains and returns EFI_NO_MEDIA without a link, EFI_TIMEOUT when no server answers, EFI_ABORTED on Esc,
 * EFI_UNSUPPORTED when the firmware has no IPv4 stack or uses the NIC for VLANs only. The NIC is held afterwards by
 * whoever held it before.
 */
EFI_STATUS lease_get(const struct pci_nic *pci, UINT64 link_wait_us, struct inet_host *host);

/* The same from the firmware's stack as it runs on the NIC, but the policy is left at DHCP, so that the address stays:
 * ip4_policy_restore puts it back. Keys that were pressed before count. */
EFI_STATUS lease_hold(const struct pci_nic *pci, UINT64 link_wait_us, struct inet_host *host);

/* Waits for a link. EFI_NO_MEDIA, which it complains about; EFI_ABORTED on Esc. */
EFI_STATUS lease_wait_for_link(const struct pci_nic *pci, UINT64 wait_us);

/* Sets address, mask and gateway by hand and waits until they are in force. Complains. ip4_policy_restore puts back. */
EFI_STATUS lease_by_hand(const struct pci_nic *pci, UINT64 link_wait_us, const struct inet_host *wanted);

/* The stack's configuration of the NIC itself, untagged, or NULL. */
EFI_IP4_CONFIG2_PROTOCOL *lease_config(const struct pci_nic *pci);

/* The address, mask and gateway that the firmware has for this NIC right now; zeroes when none. */
struct inet_host lease_known(const struct pci_nic *pci);

/* Puts the address, mask and gateway of `host` into a handoff's lease. */
void lease_pack(const struct inet_host *host, struct net_handoff_lease *lease);

/* Prints a line for each interface of the firmware's stack on this NIC: itself, and its VLANs. With --json an object,
 * inside an array that the caller began. */
void lease_show(const struct pci_nic *pci);

/* What a handoff says of this NIC's address beside the address itself: where it comes from, by the policy that is in
 * force, and the name servers; of a lease its server and time. Its address is filled in before. Nothing without an
 * interface. */
void lease_origin(const struct pci_nic *pci, struct net_handoff_lease *lease);

#endif
