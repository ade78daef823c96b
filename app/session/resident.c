/* resident.c - a NIC under e1000.efi, the driver that stays when netdiag has ended. */
#include "resident.h"

#include "../../driver/efi/binding.h"
#include "../../driver/efi/remote.h"
#include "../console.h"
#include "../image.h"

#define DRIVER_FILE L"e1000.efi"
#define PATH_SIZE   256U
#define NAME_SIZE   64U

/* netdiag never installs a binding for longer than one of its commands, so whoever has our name is e1000.efi. */
static EFI_HANDLE find_driver(VOID) {
  EFI_GUID guid = EFI_DRIVER_BINDING_PROTOCOL_GUID;
  EFI_HANDLE *handles;
  EFI_HANDLE driver = NULL;
  UINTN count;
  if(EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles))) {
    return NULL;
  }
  for(UINTN i = 0; i < count && !driver; i++) {
    char name[NAME_SIZE];
    pci_holder_name(handles[i], name, sizeof(name));
    driver = text_equal(name, E1000_DRIVER_NAME) ? handles[i] : NULL;
  }
  BS->FreePool(handles);
  return driver;
}

/* The driver's file in netdiag's own folder; FALSE when that is not known. */
static BOOLEAN beside(const EFI_LOADED_IMAGE *own, CHAR16 file[PATH_SIZE]) {
  CHAR16 *path = own->FilePath ? DevicePathToStr(own->FilePath) : NULL;
  UINTN folder = 0;
  BOOLEAN fits = path && StrLen(path) + sizeof(DRIVER_FILE) / sizeof(CHAR16) < PATH_SIZE;
  for(UINTN i = 0; fits && path[i]; i++) {
    file[i] = path[i] == L'/' ? L'\\' : path[i];
    folder = file[i] == L'\\' ? i + 1U : folder;
  }
  if(fits) {
    StrCpy(file + folder, DRIVER_FILE);
  }
  if(path) {
    FreePool(path);
  }
  return fits && folder > 0;
}

static EFI_STATUS load_file(const EFI_LOADED_IMAGE *own, CHAR16 *file, EFI_HANDLE *driver) {
  EFI_DEVICE_PATH *path = FileDevicePath(own->DeviceHandle, file);
  EFI_STATUS status = path ? BS->LoadImage(FALSE, image_handle(), path, NULL, 0, driver) : EFI_OUT_OF_RESOURCES;
  if(path) {
    FreePool(path);
  }
  return status;
}

static EFI_STATUS load_driver(EFI_HANDLE *driver) {
  EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
  EFI_LOADED_IMAGE *own;
  EFI_STATUS status = BS->HandleProtocol(image_handle(), &guid, (VOID **)&own);
  if(EFI_ERROR(status)) {
    return status;
  }
  CHAR16 file[PATH_SIZE];
  status = beside(own, file) ? load_file(own, file, driver) : EFI_NOT_FOUND;
  if(status == EFI_NOT_FOUND) {
    status = load_file(own, L"\\" DRIVER_FILE, driver);
  }
  return EFI_ERROR(status) ? status : BS->StartImage(*driver, NULL, NULL);
}

/* Rings of another size need the device made anew. */
static EFI_STATUS resize(EFI_HANDLE controller, uint32_t ring) {
  EFI_GUID guid = NET_RESIDENT_PROTOCOL_GUID;
  EFI_STATUS status = RT->SetVariable(E1000_RING_VARIABLE, &guid, EFI_VARIABLE_BOOTSERVICE_ACCESS, sizeof(ring), &ring);
  if(!EFI_ERROR(status) && remote_find(controller)) {
    /* What counts is whether it has let go, as in session_take. */
    status = BS->DisconnectController(controller, NULL, NULL);
    if(!remote_find(controller)) {
      return EFI_SUCCESS;
    }
    status = EFI_ERROR(status) ? status : EFI_ACCESS_DENIED;
  }
  return status;
}

static EFI_STATUS bind(EFI_HANDLE controller) {
  EFI_HANDLE drivers[] = {find_driver(), NULL};
  if(!drivers[0]) {
    EFI_STATUS status = load_driver(&drivers[0]);
    if(EFI_ERROR(status)) {
      complain("e1000.efi is not resident and cannot be loaded from netdiag's volume: %s", status_text(status));
      return status;
    }
  }
  EFI_STATUS status = BS->ConnectController(controller, drivers, NULL, TRUE);
  if(remote_find(controller)) {
    return EFI_SUCCESS;
  }
  EFI_HANDLE thief = pci_find_holder(controller);
  if(!thief) {
    complain("e1000.efi does not take the NIC: %s", status_text(status));
    return EFI_ERROR(status) ? status : EFI_NOT_STARTED;
  }
  /* iPXE opens PciIo exclusively, which throws us out again; whoever connects the NIC later would let it. */
  char name[NAME_SIZE];
  pci_holder_name(thief, name, sizeof(name));
  (void)BS->DisconnectController(controller, NULL, NULL);
  complain("'%s' takes the NIC from e1000.efi: start without that driver (QEMU: romfile=)", name);
  return EFI_ACCESS_DENIED;
}

EFI_STATUS resident_bind(const struct pci_nic *pci, const struct nic_options *options) {
  if(options->ring & (options->ring - 1U)) {
    complain("--ring: not a power of two");
    return EFI_INVALID_PARAMETER;
  }
  if(!remote_find(pci->handle)) {
    EFI_HANDLE holder;
    EFI_STATUS status = session_take(pci, options->take, &holder);
    if(EFI_ERROR(status)) {
      return status;
    }
  }
  if(options->ring) {
    EFI_STATUS status = resize(pci->handle, options->ring);
    if(EFI_ERROR(status)) {
      complain("--ring: %s", status_text(status));
      return status;
    }
  }
  return remote_find(pci->handle) ? EFI_SUCCESS : bind(pci->handle);
}
