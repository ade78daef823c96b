/* managed.h - the controllers that this image manages. */
#ifndef EFI_MANAGED_H
#define EFI_MANAGED_H

#include "snp.h"

/* Says which handle this image's driver binding is on; its devices have PciIo open by it. */
void managed_set_binding(EFI_HANDLE binding);

/* The device that a controller handle carries, if this image drives it, or NULL. One that another image drives is asked
 * through NET_RESIDENT_PROTOCOL (remote.h). */
struct snp_device *managed_find(EFI_HANDLE controller);

#endif
