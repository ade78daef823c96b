/* driver_diagnostics.h - EFI_DRIVER_DIAGNOSTICS2_PROTOCOL, UEFI 2.10 section 11.4; gnu-efi has no header for it. */
#ifndef EFI_DRIVER_DIAGNOSTICS_H
#define EFI_DRIVER_DIAGNOSTICS_H

#include <efi.h>

#include "guid.h"

#define EFI_DRIVER_DIAGNOSTICS2_PROTOCOL_GUID                                                                          \
  GUID_OF(0x4D330321, 0x025F, 0x4AAC, 0x90, 0xD8, 0x5E, 0xD9, 0x00, 0x17, 0x3B, 0x63)

typedef enum {
  EfiDriverDiagnosticTypeStandard = 0,
  EfiDriverDiagnosticTypeExtended = 1,
  EfiDriverDiagnosticTypeManufacturing = 2,
  EfiDriverDiagnosticTypeCancel = 3,
} EFI_DRIVER_DIAGNOSTIC_TYPE;

typedef struct _EFI_DRIVER_DIAGNOSTICS2_PROTOCOL EFI_DRIVER_DIAGNOSTICS2_PROTOCOL;

struct _EFI_DRIVER_DIAGNOSTICS2_PROTOCOL {
  EFI_STATUS(EFIAPI *RunDiagnostics)
  (EFI_DRIVER_DIAGNOSTICS2_PROTOCOL *This, EFI_HANDLE ControllerHandle, EFI_HANDLE ChildHandle,
   EFI_DRIVER_DIAGNOSTIC_TYPE DiagnosticType, CHAR8 *Language, EFI_GUID **ErrorType, UINTN *BufferSize,
   CHAR16 **Buffer);
  CHAR8 *SupportedLanguages;
};

#endif
