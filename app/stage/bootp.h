/* bootp.h - DHCP's packets as PXE keeps them: an answer that names a server and a file, and what one says. Pure C,
 * tested on the host. */
#ifndef APP_BOOTP_H
#define APP_BOOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/handoff.h"
#include "url.h"

#define BOOTP_PACKET_SIZE 1472U /* EFI_PXE_BASE_CODE_PACKET */
#define BOOTP_FILE_SIZE   128U  /* of the field, with its zero byte */

/* Fills `packet` (BOOTP_PACKET_SIZE bytes) with the DHCPACK that a server would send which knows the client by this
 * lease, and has `file` on the TFTP server `server` (host order). A file that is too long for BOOTP's field goes into
 * option 67 (RFC 2132, 9.5), at most 255 characters of it. */
void bootp_ack(uint8_t *packet, const struct net_handoff_lease *lease, const uint8_t mac[6], uint32_t server,
               const char *file);

/* The client's request that goes before: DHCPREQUEST's fields as a DHCPDISCOVER. */
void bootp_discover(uint8_t *packet, const uint8_t mac[6]);

/* The URL that a server's answer of `length` bytes names: tftp://SERVER/FILE, or its file when that is a URL. False,
 * and an empty text, without one. */
bool bootp_url(const uint8_t *packet, size_t length, char url[URL_TEXT_SIZE]);

/* Adds what the answer says of server, gateway, name servers, mask and time to a lease. */
void bootp_lease(const uint8_t *packet, size_t length, struct net_handoff_lease *lease);

#endif
