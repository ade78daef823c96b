/* driver_version.h - EFI_DRIVER_SUPPORTED_EFI_VERSION_PROTOCOL, UEFI 2.10 section 11.13. */
#ifndef EFI_DRIVER_VERSION_H
#define EFI_DRIVER_VERSION_H

#include <efi.h>

#include "guid.h"

#define EFI_DRIVER_SUPPORTED_EFI_VERSION_PROTOCOL_GUID                                                                 \
  GUID_OF(0x5C198761, 0x16A8, 0x4E69, 0x97, 0x2C, 0x89, 0xD6, 0x79, 0x54, 0xF8, 0x1D)

typedef struct {
  UINT32 Length;
  UINT32 FirmwareVersion;
} EFI_DRIVER_SUPPORTED_EFI_VERSION_PROTOCOL;

#endif
