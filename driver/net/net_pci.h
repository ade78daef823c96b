/* net_pci.h - what PCI configuration space needs before a controller is driven, for every family and host. */
#ifndef NET_PCI_H
#define NET_PCI_H

#include <stdbool.h>

#include "net/netdevice.h"

#define NET_PCI_CAPABILITY_PM   0x01U
#define NET_PCI_CAPABILITY_PCIX 0x07U
#define NET_PCI_CAPABILITY_PCIE 0x10U

/* All of these: TPL_CALLBACK or lower, thread; configuration space only. What does not answer is left alone. */

/* The offset of a capability whose first `size` bytes lie in configuration space; 0 when there is none. */
uint32_t net_pci_find_capability(const struct net_platform *platform, uint32_t id, uint32_t size);

/* Puts the function into D0 and waits until it may be accessed. BARs and command register, which the way out of D3hot
 * may reset, are what they were. NETDEV_E_TIMEOUT when it stays asleep. */
int net_pci_power_up(const struct net_platform *platform);

/* Lets a PCI-X function read at most 2048 bytes at once (MMRBC). */
void net_pci_limit_read_count(const struct net_platform *platform);

/* What net_pci_aspm_off changed. */
struct net_pci_aspm {
  uint32_t offset; /* of the link control register; 0 when nothing was changed */
  uint32_t bits;   /* that were set in it                                      */
};

/* Switches the link's power states L0s and L1 off, and on again as they were. */
void net_pci_aspm_off(const struct net_platform *platform, struct net_pci_aspm *saved);
void net_pci_aspm_restore(const struct net_platform *platform, struct net_pci_aspm *saved);

#endif
