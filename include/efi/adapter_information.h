/* adapter_information.h - EFI_ADAPTER_INFORMATION_PROTOCOL, UEFI 2.10 section 11.12; gnu-efi has no header for it. */
#ifndef EFI_ADAPTER_INFORMATION_H
#define EFI_ADAPTER_INFORMATION_H

#include <efi.h>

#include "guid.h"

#define EFI_ADAPTER_INFORMATION_PROTOCOL_GUID                                                                          \
  GUID_OF(0xE5DD1403, 0xD622, 0xC24E, 0x84, 0x88, 0xC7, 0x1B, 0x17, 0xF5, 0xE8, 0x02)

#define EFI_ADAPTER_INFO_MEDIA_STATE_GUID                                                                              \
  GUID_OF(0xD7C74207, 0xA831, 0x4A26, 0xB1, 0xF5, 0xD1, 0x93, 0x06, 0x5C, 0xE8, 0xB6)

typedef struct {
  EFI_STATUS MediaState;
} EFI_ADAPTER_INFO_MEDIA_STATE;

typedef struct _EFI_ADAPTER_INFORMATION_PROTOCOL EFI_ADAPTER_INFORMATION_PROTOCOL;

struct _EFI_ADAPTER_INFORMATION_PROTOCOL {
  EFI_STATUS(EFIAPI *GetInformation)
  (EFI_ADAPTER_INFORMATION_PROTOCOL *This, EFI_GUID *InformationType, VOID **InformationBlock,
   UINTN *InformationBlockSize);
  EFI_STATUS(EFIAPI *SetInformation)
  (EFI_ADAPTER_INFORMATION_PROTOCOL *This, EFI_GUID *InformationType, VOID *InformationBlock,
   UINTN InformationBlockSize);
  EFI_STATUS(EFIAPI *GetSupportedTypes)
  (EFI_ADAPTER_INFORMATION_PROTOCOL *This, EFI_GUID **InfoTypesBuffer, UINTN *InfoTypesBufferCount);
};

#endif
