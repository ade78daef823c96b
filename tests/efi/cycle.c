/* cycle.c - loads, connects, disconnects and unloads a driver many times, and compares memory and handles.
 *
 * cycle DRIVER        \DRIVER.efi alone: nothing may change at all
 * cycle DRIVER stack  it with the firmware's network stack above it
 * cycle - control     no driver of ours: the firmware's own is connected and disconnected with the stack above it.
 *                     edk2-stable202211's stack keeps some memory each time; this tells how much is not ours. */
#include "firmware.h"

#define CYCLES  100U
#define WARM_UP 5U

#define NAME_SIZE 32U /* characters of a driver's file name */

static UINTN count_handles_with(EFI_GUID *guid) {
  EFI_HANDLE *handles;
  UINTN count = 0;
  if(EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, guid, NULL, &count, &handles))) {
    return 0;
  }
  FreePool(handles);
  return count;
}

enum mode { ALONE, STACK, CONTROL };

static EFI_STATUS cycle(EFI_HANDLE parent, EFI_DEVICE_PATH *path, enum mode mode) {
  EFI_GUID snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  EFI_HANDLE image = NULL;
  EFI_STATUS status = EFI_SUCCESS;
  if(mode != CONTROL) {
    status = BS->LoadImage(FALSE, parent, path, NULL, 0, &image);
    if(!EFI_ERROR(status)) {
      status = BS->StartImage(image, NULL, NULL);
    }
  }
  if(!EFI_ERROR(status)) {
    status = each_device(TRUE, mode != ALONE);
  }
  if(!EFI_ERROR(status) && count_handles_with(&snp_guid) == 0) {
    status = EFI_NOT_STARTED; /* it drives nothing: then the cycle would show nothing */
  }
  if(!EFI_ERROR(status)) {
    status = mode == CONTROL ? each_device(FALSE, FALSE) : BS->UnloadImage(image);
  }
  if(!EFI_ERROR(status) && mode != CONTROL && count_handles_with(&snp_guid) != 0) {
    status = EFI_DEVICE_ERROR;
  }
  return status;
}

/* The n-th word behind the command's own name, without a zero at its end; NULL when there is none. */
static const CHAR16 *word(const EFI_LOADED_IMAGE *loaded, UINTN n) {
  const CHAR16 *options = loaded->LoadOptions;
  for(UINTN i = 0; options && i + 1 < loaded->LoadOptionsSize / sizeof(CHAR16) && options[i]; i++) {
    if(options[i] == L' ' && --n == 0) {
      return options + i + 1;
    }
  }
  return NULL;
}

static enum mode mode_of(const EFI_LOADED_IMAGE *loaded) {
  const CHAR16 *name = word(loaded, 2);
  return !name ? ALONE : *name == L's' ? STACK : CONTROL;
}

static EFI_DEVICE_PATH *driver_path(const EFI_LOADED_IMAGE *loaded) {
  CHAR16 file[NAME_SIZE] = L"\\";
  const CHAR16 *name = word(loaded, 1);
  UINTN length = 1;
  for(UINTN i = 0; name && name[i] && name[i] != L' ' && length + sizeof(L".efi") / sizeof(CHAR16) < NAME_SIZE; i++) {
    file[length++] = name[i];
  }
  StrCpy(file + length, L".efi");
  return FileDevicePath(loaded->DeviceHandle, file);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  EFI_LOADED_IMAGE *loaded;
  struct census before;
  struct census after;
  InitializeLib(image, system_table);
  EFI_STATUS status = BS->HandleProtocol(image, &LoadedImageProtocol, (VOID **)&loaded);
  if(EFI_ERROR(status)) {
    return status;
  }
  enum mode mode = mode_of(loaded);
  EFI_DEVICE_PATH *path = driver_path(loaded);
  UINTN done = 0;
  for(UINTN i = 0; i < WARM_UP + CYCLES && !EFI_ERROR(status); i++) {
    if(i == WARM_UP) {
      status = take_census(&before);
    }
    if(!EFI_ERROR(status)) {
      status = cycle(image, path, mode);
    }
    done += !EFI_ERROR(status) && i >= WARM_UP;
  }
  if(EFI_ERROR(status)) {
    Print(L"cycle: stopped after %d: %r\n", (INT32)done, status);
    return status;
  }
  status = take_census(&after);
  if(!EFI_ERROR(status)) {
    UINTN differences = compare_census(L"cycle", &before, &after);
    Print(L"cycle: %d cycles, %d differences\n", (INT32)done, (INT32)differences);
    status = differences ? EFI_DEVICE_ERROR : EFI_SUCCESS;
  }
  return status;
}
