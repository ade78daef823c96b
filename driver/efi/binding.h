/* binding.h - the UEFI driver: one driver binding, any number of controllers. */
#ifndef EFI_BINDING_H
#define EFI_BINDING_H

#include "snp.h"

#define E1000_DRIVER_NAME "Intel 8254x/82574L Gigabit Ethernet"

/* Volatile variable (UINT32, vendor GUID NET_RESIDENT_PROTOCOL_GUID) that sets the number of descriptors per ring for
 * controllers started from then on; a value that is no power of two in range is ignored. */
#define E1000_RING_VARIABLE L"RingSize"

/* Installs driver binding, both component names, diagnostics and supported version on `image`. */
EFI_STATUS binding_install(EFI_HANDLE image);

/* Disconnects every controller and uninstalls what binding_install installed. On an error everything stays usable. */
EFI_STATUS binding_uninstall(EFI_HANDLE image);

/* Says on the console who holds the NICs that this driver could drive, and what helps, when others hold all of them.
 * Says nothing when there is none, or one is free. */
void binding_report_held(VOID);

/* names.c */
extern EFI_COMPONENT_NAME2_PROTOCOL component_name2;
extern EFI_COMPONENT_NAME2_PROTOCOL component_name;
void names_fill(struct snp_device *snp);

/* diagnostics.c; VOID * because its header is included only there. */
extern VOID *const diagnostics2;

#endif
