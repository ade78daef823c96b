/* resolve.h - the server's address, by the firmware's DNS when the URL has a name. */
#ifndef APP_RESOLVE_H
#define APP_RESOLVE_H

#include "transfer.h"

/* Puts the address of transfer->url's host into transfer->result, `server` or `ipv6` and `server6`: of a name the first
 * IPv4 address that the firmware's DNS finds, and where there is none, or the NIC has no IPv4 address, the first IPv6
 * address. Tells what goes wrong. */
EFI_STATUS resolve(struct transfer *transfer);

#endif
