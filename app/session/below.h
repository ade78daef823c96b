/* below.h - what the firmware has built on a NIC. Two NICs may have one MAC address, and a VLAN has that of its NIC:
 * what belongs together is told by the handles' device paths. */
#ifndef APP_BELOW_H
#define APP_BELOW_H

#include <efi.h>
#include <efilib.h>

#define BELOW_MAX 64U /* interfaces of one NIC that are looked at: itself and its VLANs */

struct below {
  EFI_HANDLE handle;
  BOOLEAN tagged;
  UINT16 vlan; /* when tagged */
};

/* The handles with this protocol that are the NIC on `controller` itself, its network interface, or a VLAN of that;
 * at most `max`, untagged ones first. Returns how many. */
UINTN below_find(EFI_HANDLE controller, EFI_GUID *protocol, struct below *list, UINTN max);

/* What is behind `start` in `path`: its end, when they are the same. NULL when `path` does not begin so. */
EFI_DEVICE_PATH *below_path(EFI_DEVICE_PATH *start, EFI_DEVICE_PATH *path);

/* The untagged one's protocol, or NULL. */
VOID *below_protocol(EFI_HANDLE controller, EFI_GUID *protocol);

#endif
