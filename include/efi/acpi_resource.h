/* acpi_resource.h - the resource descriptor that EFI_PCI_IO_PROTOCOL.GetBarAttributes() returns (ACPI 6.4.3.5.1). */
#ifndef EFI_ACPI_RESOURCE_H
#define EFI_ACPI_RESOURCE_H

#include <efi.h>

#define ACPI_ADDRESS_SPACE_DESCRIPTOR 0x8A
#define ACPI_END_TAG_DESCRIPTOR       0x79
#define ACPI_ADDRESS_SPACE_TYPE_MEM   0x00
#define ACPI_ADDRESS_SPACE_TYPE_IO    0x01
#define ACPI_MEMORY_PREFETCHABLE      0x06 /* SpecificFlag, cacheability field */

#pragma pack(1)
typedef struct {
  UINT8 Desc;
  UINT16 Len;
  UINT8 ResType;
  UINT8 GenFlag;
  UINT8 SpecificFlag;
  UINT64 AddrSpaceGranularity;
  UINT64 AddrRangeMin;
  UINT64 AddrRangeMax;
  UINT64 AddrTranslationOffset;
  UINT64 AddrLen;
} EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR;
#pragma pack()

#define ACPI_ADDRESS_SPACE_LEN (sizeof(EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR) - 3U) /* Len counts what follows it */

#endif
