/* pxe.h - the firmware's PXE base code on a NIC, as a program that was booted over TFTP expects it: started, with the
 * answers of DHCP that name its server. */
#ifndef APP_PXE_H
#define APP_PXE_H

#include <efi.h>
#include <efilib.h>

#include "net/handoff.h"
#include "url.h"

struct pxe {
  EFI_HANDLE handle; /* carries PXEBaseCode; its path is the controller's, MAC() and IPv4()     */
  EFI_PXE_BASE_CODE *base;
  BOOLEAN started; /* by us: pxe_end stops it                                                 */
  BOOLEAN changed; /* the answer that it had is in `before`                                   */
  BOOLEAN had_ack;
  BOOLEAN had_discover;
  EFI_PXE_BASE_CODE_PACKET before;
  EFI_PXE_BASE_CODE_PACKET discover_before;
};

/* Finds it on the NIC. EFI_NOT_FOUND when the firmware has none there. */
EFI_STATUS pxe_find(struct pxe *pxe, EFI_HANDLE controller);

/*
 * Starts it and tells it the address and an answer of DHCP that names this server (host order) and file: GRUB, iPXE,
 * shim and Limine look there for where they came from. Complains. The firmware's address policy becomes static, as with
 * any PXE boot: the caller puts it back.
 */
EFI_STATUS pxe_begin(struct pxe *pxe, const struct net_handoff_lease *lease, const UINT8 mac[6], UINT32 server,
                     const char *file);

/* Puts back what it had said, and stops it if it did not run before. Harmless twice, and after a failure. */
void pxe_end(struct pxe *pxe);

/*
 * Asks DHCP, as the firmware's own PXE boot does, for an address, a server and a boot file. `url` is then
 * tftp://SERVER/FILE, or the boot file itself when that is a URL, and *lease holds the addresses. Runs on started until
 * pxe_end. EFI_TIMEOUT and EFI_NO_MEDIA as the firmware says, EFI_NOT_FOUND when no answer names a file: neither is
 * complained about, for HTTP boot's question may bring more. Not to be stopped by a key: the firmware's call returns
 * after a minute at the latest.
 */
EFI_STATUS pxe_ask(struct pxe *pxe, char url[URL_TEXT_SIZE], struct net_handoff_lease *lease);

#endif
