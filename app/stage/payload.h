/* payload.h - a file that is fetched with a progress bar and compared with its hash. */
#ifndef APP_PAYLOAD_H
#define APP_PAYLOAD_H

#include "../../driver/lib/sha256.h"
#include "../session/uplink.h"
#include "fetch.h"

#define PAYLOAD_NAME_SIZE 48U /* as in a handoff */

struct payload_wish {
  const struct pci_nic *nic; /* the firmware's stack runs on it, with an address for IPv4 */
  const char *url;
  const char *sha256; /* 64 hexadecimal digits that it must have, or NULL                 */
  bool sha256_file;   /* the hash stands in a file beside it: the URL with .sha256 behind */
  EFI_MEMORY_TYPE memory;
};

struct payload {
  char name[PAYLOAD_NAME_SIZE]; /* the last part of the URL's path: printable ASCII, "file" for none */
  struct fetch_result file;
  uint8_t sha256[SHA256_SIZE];
  bool verified; /* it was compared                                                 */
};

/* Whether `text` is a hash; complains about one that is not. NULL is fine. */
bool payload_check_hash(const char *text);

/* Gets the addresses that `url` takes. IPv4: `wanted` by hand when its address is not 0, for the program that is
 * started as well; else, but for a URL with an IPv6 address, one by DHCP. IPv6: one by routers and DHCPv6 for such a
 * URL, unless the server is on the link; and for a name where DHCP does not answer. Complains. As uplink_address and
 * lease6_get. */
EFI_STATUS payload_address(struct uplink *uplink, const char *url, const struct inet_host *wanted);

/* Fetches it, prints what happens, and compares. Complains; nothing is left then. EFI_COMPROMISED_DATA: the hash is
 * another. Else as fetch. */
EFI_STATUS payload_fetch(const struct payload_wish *wish, struct payload *payload);

/* Gives the memory back; harmless when there is none. */
void payload_free(struct payload *payload);

/* "5.0 MiB" into `text`, which it returns; and, of bytes in microseconds, "4.1 MiB/s". */
#define AMOUNT_SIZE 24U
const char *amount_text(UINT64 bytes, char text[AMOUNT_SIZE]);
const char *rate_text(UINT64 bytes, UINT64 us, char text[AMOUNT_SIZE]);

#endif
