/* mnp_link.h - frames in and out beside the firmware's network stack: a child of EFI_MANAGED_NETWORK
 * on the same NIC. */
#ifndef APP_MNP_LINK_H
#define APP_MNP_LINK_H

#include <efi.h>
#include <efilib.h>

#include "net/netdevice.h"

struct mnp_link;

/* Joins the NIC whose SNP is on `snp_handle`; frames may be sent from now on. With `listen` the receive filter is
 * opened for as long as the link is: everything if the driver can do that, else the addresses that switches and IPv6
 * routers speak to. What others get of the NIC stays as it was. EFI_UNSUPPORTED when no MNP runs there. */
EFI_STATUS mnp_link_open(struct mnp_link **link, EFI_HANDLE snp_handle, BOOLEAN listen);

/* Begins to receive: client->receive gets a copy of every frame that the filter lets through (station address and
 * broadcast unless it listens), at TPL_CALLBACK, which the stack gets as well; the first ones possibly before this
 * returns. `client` is copied. Once a link. */
EFI_STATUS mnp_link_receive(struct mnp_link *link, const struct netdev_client *client);

/* Leaves; what is still being sent is waited for. NULL is harmless. */
void mnp_link_close(struct mnp_link *link);

/* Sends a copy of the frame. TPL_CALLBACK or lower. NETDEV_E_BUSY when too many are under way. */
int mnp_link_transmit(struct mnp_link *link, const void *frame, size_t length);

/* Lets MNP look for frames. TPL_APPLICATION, so that `receive` can run. */
void mnp_link_poll(struct mnp_link *link);

#endif
