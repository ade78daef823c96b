/* share.h - a NIC that is used beside the firmware's network stack: whose driver it runs on, and what a tap of our own
 * resident driver hears. */
#ifndef APP_SHARE_H
#define APP_SHARE_H

#include "../../driver/efi/pci.h"
#include "../../driver/efi/remote.h"

/* A NIC that a driver which is not ours holds, with the firmware's stack on it: frames go through the stack's MNP.
 * There are no registers and no counters then. */
struct share {
  EFI_HANDLE handle;       /* carries SNP, and MNP's service binding */
  EFI_SIMPLE_NETWORK *snp; /* its Mode is looked at, nothing else    */
};

/* Finds it; false when the NIC is free, ours, or without a stack. `share` may then be anything. */
bool share_find(const struct pci_nic *pci, struct share *share);
bool share_possible(const struct pci_nic *pci);

/* What it looks like to the firmware: up unless the driver says that it is not. */
bool share_link_up(const struct share *share);

/* Frames that a tap of the resident driver heard, also those that the stack throws away, like tagged ones. A tap must
 * not send, so they wait here. */
struct share_tap;

/* EFI_OUT_OF_RESOURCES, or what AddTap returned. */
EFI_STATUS share_tap_open(struct share_tap **tap, NET_RESIDENT_PROTOCOL *protocol);

/* Gives each frame that came in since the last call to client->receive. TPL_APPLICATION; `receive` runs at
 * TPL_CALLBACK. */
void share_tap_poll(struct share_tap *tap, const struct netdev_client *client);

/* NULL is harmless. */
void share_tap_close(struct share_tap *tap);

#endif
