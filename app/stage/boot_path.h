/* boot_path.h - the device path of a program that came over the network. */
#ifndef APP_BOOT_PATH_H
#define APP_BOOT_PATH_H

#include <efi.h>
#include <efilib.h>

#include "net/handoff.h"
#include "url.h"

/* The NIC's path with MAC(), then IPv4() with the lease or IPv6(), and Uri() with `text` (UEFI 2.10, 10.3.4.24): as
 * HTTP boot gives it. For FreePool; NULL without memory. */
EFI_DEVICE_PATH *boot_path(EFI_HANDLE controller, const struct net_handoff_lease *lease, const struct url *url,
                           const char *text);

#endif
