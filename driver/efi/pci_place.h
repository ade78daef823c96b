/* pci_place.h - where a network controller is: the bridges above it, and its BARs on both sides of the host bridge. */
#ifndef EFI_PCI_PLACE_H
#define EFI_PCI_PLACE_H

#include "net/handoff.h"
#include "pci.h"

/* The bridges between the root bus and the NIC, from the root bus down, as configuration space has them. *known is
 * FALSE, and *count 0, when there are more than NET_HANDOFF_PATH_MAX, or their numbers make no sense.
 * EFI_OUT_OF_RESOURCES, or what PciIo answered. TPL_NOTIFY or lower. */
EFI_STATUS pci_find_path(const struct pci_nic *nic, struct net_handoff_bridge path[NET_HANDOFF_PATH_MAX], UINT8 *count,
                         BOOLEAN *known);

/* The BARs by the number of their register. FALSE when one that has an address is not known to PciIo, or cannot be
 * read. TPL_NOTIFY or lower. */
BOOLEAN pci_read_bars(EFI_PCI_IO_PROTOCOL *pci_io, struct net_handoff_bar bars[NET_HANDOFF_BARS]);

#endif
