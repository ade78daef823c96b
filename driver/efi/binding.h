/* binding.h - the UEFI driver: one driver binding, any number of controllers. */
#ifndef EFI_BINDING_H
#define EFI_BINDING_H

#include "snp.h"

#define E1000_DRIVER_NAME "Intel 8254x/82574L Gigabit Ethernet"

/* On the controller handle of every NIC that this driver drives: finds the device for Stop, for the names, for the
 * diagnostics, and for netdiag, whichever image the driver was loaded from. */
#define E1000_DEVICE_GUID                                                                                              \
  {                                                                                                                    \
    0x6E1C0D8B, 0x9A4F, 0x4C37, {                                                                                      \
      0xB1, 0x52, 0x3D, 0x77, 0x2A, 0x60, 0x8E, 0x14                                                                   \
    }                                                                                                                  \
  }

/* Volatile variable (UINT32, vendor GUID as above) that sets the number of descriptors per ring for controllers started
 * from then on; a value that is no power of two in range is ignored. */
#define E1000_RING_VARIABLE L"RingSize"

/* Installs driver binding, both component names, diagnostics and supported version on `image`. */
EFI_STATUS binding_install(EFI_HANDLE image);

/* Disconnects every controller and uninstalls what binding_install installed. On an error everything stays usable. */
EFI_STATUS binding_uninstall(EFI_HANDLE image);

/* The device that a controller handle carries, whichever image drives it, or NULL: also when that image was built with
 * other structures. */
struct snp_device *binding_find(EFI_HANDLE controller);

/* The same, but only when this image drives it. */
struct snp_device *binding_find_own(EFI_HANDLE controller);

/* names.c */
extern EFI_COMPONENT_NAME2_PROTOCOL component_name2;
extern EFI_COMPONENT_NAME2_PROTOCOL component_name;
void names_fill(struct snp_device *snp);

/* diagnostics.c; VOID * because its header is included only there. */
extern VOID *const diagnostics2;

#endif
