/* pxeboot.c - does what the boot manager does for "PXE over IPv4": lets the firmware load an image from the network and
 * starts it, with this program's own arguments. */
#include <efi.h>
#include <efilib.h>

static BOOLEAN is_ipv4(EFI_HANDLE handle) {
  for(EFI_DEVICE_PATH *node = DevicePathFromHandle(handle); node && !IsDevicePathEnd(node);
      node = NextDevicePathNode(node)) {
    if(DevicePathType(node) == MESSAGING_DEVICE_PATH && DevicePathSubType(node) == MSG_IPv4_DP) {
      return TRUE;
    }
  }
  return FALSE;
}

/* Forgets the exchange of an earlier start, or the firmware would go on with its answers. */
static void start_afresh(EFI_HANDLE handle, EFI_GUID *guid) {
  EFI_PXE_BASE_CODE_PROTOCOL *pxe;
  if(!EFI_ERROR(BS->HandleProtocol(handle, guid, (VOID **)&pxe)) && pxe->Mode->Started) {
    pxe->Stop(pxe);
  }
}

static EFI_STATUS load(EFI_HANDLE parent, EFI_HANDLE *image) {
  EFI_GUID guid = EFI_PXE_BASE_CODE_PROTOCOL_GUID;
  EFI_HANDLE *handles;
  UINTN count;
  EFI_STATUS status = BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = EFI_NOT_FOUND;
  for(UINTN i = 0; i < count && status == EFI_NOT_FOUND; i++) {
    if(is_ipv4(handles[i])) {
      start_afresh(handles[i], &guid);
      status = BS->LoadImage(TRUE, parent, DevicePathFromHandle(handles[i]), NULL, 0, image);
    }
  }
  FreePool(handles);
  return status;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  EFI_LOADED_IMAGE *own;
  EFI_LOADED_IMAGE *loaded;
  EFI_HANDLE next;
  InitializeLib(image, system_table);
  EFI_STATUS status = load(image, &next);
  if(!EFI_ERROR(status) && !EFI_ERROR(BS->HandleProtocol(image, &LoadedImageProtocol, (VOID **)&own)) &&
     !EFI_ERROR(BS->HandleProtocol(next, &LoadedImageProtocol, (VOID **)&loaded))) {
    loaded->LoadOptions = own->LoadOptions;
    loaded->LoadOptionsSize = own->LoadOptionsSize;
    status = BS->StartImage(next, NULL, NULL);
  }
  Print(L"pxeboot: %r\n", status);
  return status;
}
