/* resolve.h - the server's IPv4 address, by the firmware's DNS when the URL has a name. */
#ifndef APP_RESOLVE_H
#define APP_RESOLVE_H

#include "transfer.h"

/* Puts the address of transfer->url's host into transfer->result->server: of a name the first that the firmware's DNS
 * finds; 0 for an IPv6 address. Tells what goes wrong. */
EFI_STATUS resolve(struct transfer *transfer);

#endif
