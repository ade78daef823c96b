/* ram_disk.h - EFI_RAM_DISK_PROTOCOL, UEFI 2.10 section 13.13; gnu-efi has no header for it. */
#ifndef EFI_RAM_DISK_H
#define EFI_RAM_DISK_H

#include <efi.h>

#include "guid.h"

#define EFI_RAM_DISK_PROTOCOL_GUID GUID_OF(0xAB38A0DF, 0x6873, 0x44A9, 0x87, 0xE6, 0xD4, 0xEB, 0x56, 0x14, 0x84, 0x49)

/* RamDiskType: UEFI 2.10, 10.3.5.9 */
#define EFI_VIRTUAL_DISK_GUID GUID_OF(0x77AB535A, 0x45FC, 0x624B, 0x55, 0x60, 0xF7, 0xB2, 0x81, 0xD1, 0xF9, 0x6E)
#define EFI_VIRTUAL_CD_GUID   GUID_OF(0x3D5ABD30, 0x4175, 0x87CE, 0x6D, 0x64, 0xD2, 0xAD, 0xE5, 0x23, 0xC4, 0xBB)

typedef struct {
  /* *DevicePath stays the firmware's, and is valid until Unregister. */
  EFI_STATUS(EFIAPI *Register)
  (UINT64 RamDiskBase, UINT64 RamDiskSize, EFI_GUID *RamDiskType, EFI_DEVICE_PATH *ParentDevicePath,
   EFI_DEVICE_PATH **DevicePath);
  EFI_STATUS(EFIAPI *Unregister)(EFI_DEVICE_PATH *DevicePath);
} EFI_RAM_DISK_PROTOCOL;

#endif
