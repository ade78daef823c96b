/* binding.h - the UEFI driver: one driver binding, any number of controllers. */
#ifndef EFI_BINDING_H
#define EFI_BINDING_H

#include "snp.h"

#define BINDING_RING_NAME_SIZE 32U

/* What the volatile variable (UINT32, vendor GUID NET_RESIDENT_PROTOCOL_GUID) is called that sets the number of
 * descriptors per ring for a family's controllers started from then on: "e1000RingSize". A value that is no power of
 * two in the family's range is ignored. One a family, for a size that fits one need not fit another. */
void binding_ring_name(const struct net_driver *driver, CHAR16 name[BINDING_RING_NAME_SIZE]);

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
