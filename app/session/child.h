/* child.h - a child of one of the firmware's network protocols on a NIC. */
#ifndef APP_CHILD_H
#define APP_CHILD_H

#include <efi.h>
#include <efilib.h>

struct child {
  EFI_SERVICE_BINDING *binding;
  EFI_HANDLE handle;
  VOID *protocol;
};

/* Makes one on the NIC on `controller`. EFI_UNSUPPORTED when the firmware has no such service there. On failure nothing
 * is left. */
EFI_STATUS child_open(struct child *child, EFI_HANDLE controller, EFI_GUID *service, EFI_GUID *protocol);

/* Harmless when it is not open. */
void child_close(struct child *child);

#endif
