/* http_boot.h - what DHCP tells a client of UEFI's HTTP boot: an address, and the URL of a boot file. */
#ifndef APP_HTTP_BOOT_H
#define APP_HTTP_BOOT_H

#include <efi.h>
#include <efilib.h>

#include "net/handoff.h"
#include "url.h"

/*
 * Asks by the firmware's DHCP client, as "HTTPClient:Arch:..." (UEFI 2.10, 24.7.3): servers know that client apart from
 * PXE's, so what one of them is told says nothing of the other. `url` is then the boot file's, and *lease holds the
 * addresses. The firmware's address policy becomes static, for it gives an address by DHCP otherwise: the caller puts
 * it back. What a proxy offers, which gives no addresses, is not taken. Esc stops it.
 *
 * EFI_NOT_FOUND: no offer had a URL. EFI_TIMEOUT: no server answered. EFI_ABORTED. EFI_UNSUPPORTED: this firmware has
 * no DHCP client on the NIC. Else as the firmware says. Prints what it does, and no complaint. TPL_APPLICATION.
 */
EFI_STATUS http_boot_ask(EFI_HANDLE controller, const UINT8 mac[6], char url[URL_TEXT_SIZE],
                         struct net_handoff_lease *lease);

#endif
