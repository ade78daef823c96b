/* drvdiag.c - the Shell's part in a diagnosis (UEFI 2.10, 11.4): asks for it, and frees what it is given. */
#include "internal.h"

#include "efi/driver_diagnostics.h"

#define UNTOUCHED ((VOID *)1)

/* Pool memory goes back whichever pointer it came by; FreePool knows it from any other. */
static void give_back(VOID *memory, const char *what) {
  if(memory == UNTOUCHED) {
    firmware_abort("RunDiagnostics: made a diagnosis without setting this", what);
  }
  if(memory && BS->FreePool(memory) != EFI_SUCCESS) {
    firmware_abort("RunDiagnostics: the caller cannot free this", what);
  }
}

static void to_ascii(const CHAR16 *from, UINTN bytes, char *to, UINTN size) {
  UINTN length = bytes / sizeof(CHAR16);
  if(length == 0 || bytes % sizeof(CHAR16) != 0 || from[length - 1] != 0) {
    firmware_abort("RunDiagnostics: the size does not cover the text and its end", from);
  }
  UINTN i = 0;
  for(; from[i] && i + 1 < size; i++) {
    to[i] = (char)from[i];
  }
  to[i] = '\0';
}

EFI_STATUS firmware_diagnose(EFI_HANDLE agent, EFI_HANDLE controller, UINTN type, char *text, UINTN size) {
  static CHAR8 language[] = "en";
  EFI_DRIVER_DIAGNOSTICS2_PROTOCOL *protocol =
      firmware_interface(agent, (EFI_GUID)EFI_DRIVER_DIAGNOSTICS2_PROTOCOL_GUID);
  EFI_GUID *error_type = UNTOUCHED;
  CHAR16 *report = UNTOUCHED;
  UINTN bytes = 0;
  text[0] = '\0';
  EFI_STATUS status = protocol->RunDiagnostics(protocol, controller, NULL, (EFI_DRIVER_DIAGNOSTIC_TYPE)type, language,
                                               &error_type, &bytes, &report);
  if(EFI_ERROR(status) && status != EFI_DEVICE_ERROR) {
    return status; /* no diagnosis was made */
  }
  if(report != UNTOUCHED && report) {
    to_ascii(report, bytes, text, size);
  }
  give_back(report, "Buffer");
  give_back(error_type, "ErrorType");
  return status;
}
