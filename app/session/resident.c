/* resident.c - a NIC under its family's resident driver, which stays when netdiag has ended. */
#include "resident.h"

#include <string.h>

#include "../../driver/efi/binding.h"
#include "../../driver/efi/remote.h"
#include "../console.h"
#include "../image.h"

#define PATH_SIZE 256U
#define FILE_SIZE 32U
#define NAME_SIZE 64U

/* The folder of a medium for several processors with the drivers for this one (tools/medialib.py). */
#if defined(__aarch64__)
#define PROCESSOR_FOLDER L"\\aarch64"
#elif defined(__i386__)
#define PROCESSOR_FOLDER L"\\ia32"
#else
#define PROCESSOR_FOLDER L"\\x86_64"
#endif

/* "\e1000.efi", for a volume's root. */
static void file_name(const struct net_driver *driver, CHAR16 file[FILE_SIZE]) {
  static const CHAR16 suffix[] = L".efi";
  UINTN length = 0;
  file[length++] = L'\\';
  for(const char *from = driver->name; *from && length + sizeof(suffix) / sizeof(suffix[0]) <= FILE_SIZE; from++) {
    file[length++] = (CHAR16)*from;
  }
  StrCpy(file + length, suffix);
}

/* An image with this family alone goes by the family's title, netdiag itself by those of all its families. */
static EFI_HANDLE find_driver(const struct net_driver *family) {
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
    driver = text_equal(name, family->title) ? handles[i] : NULL;
  }
  BS->FreePool((VOID *)handles);
  return driver;
}

/* Characters of a path's file nodes, with a backslash between two nodes (UEFI 2.10, 10.3.5.4); 0 when they do not
 * fit. */
static UINTN file_path(EFI_DEVICE_PATH *path, CHAR16 file[PATH_SIZE]) {
  UINTN length = 0;
  for(EFI_DEVICE_PATH *node = path; node && !IsDevicePathEnd(node); node = NextDevicePathNode(node)) {
    if(DevicePathType(node) != MEDIA_DEVICE_PATH || DevicePathSubType(node) != MEDIA_FILEPATH_DP) {
      continue;
    }
    if(length > 0 && length < PATH_SIZE && file[length - 1U] != L'\\') {
      file[length++] = L'\\';
    }
    UINTN size = (UINTN)DevicePathNodeLength(node);
    for(UINTN at = SIZE_OF_FILEPATH_DEVICE_PATH; at + sizeof(CHAR16) <= size; at += sizeof(CHAR16)) {
      CHAR16 c;
      memcpy(&c, (const UINT8 *)node + at, sizeof(c)); /* a node may begin anywhere */
      if(c == 0) {
        break;
      }
      if(length == PATH_SIZE) {
        return 0;
      }
      file[length++] = c;
    }
  }
  return length;
}

/* The driver's file in netdiag's own folder; FALSE when that is not known. */
static BOOLEAN beside(const EFI_LOADED_IMAGE *own, const CHAR16 *name, CHAR16 file[PATH_SIZE]) {
  UINTN folder = file_path(own->FilePath, file);
  while(folder > 0 && file[folder - 1U] != L'\\') {
    folder--;
  }
  BOOLEAN fits = folder > 0 && folder + StrLen(name) < PATH_SIZE;
  if(fits) {
    StrCpy(file + folder, name);
  }
  return fits;
}

static EFI_STATUS load_file(const EFI_LOADED_IMAGE *own, CHAR16 *file, EFI_HANDLE *driver) {
  EFI_DEVICE_PATH *path = FileDevicePath(own->DeviceHandle, file);
  EFI_STATUS status = path ? image_load(path, driver) : EFI_OUT_OF_RESOURCES;
  if(path) {
    FreePool(path);
  }
  return status;
}

static EFI_STATUS load_driver(const struct net_driver *family, EFI_HANDLE *driver) {
  EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
  EFI_LOADED_IMAGE *own;
  EFI_STATUS status = BS->HandleProtocol(image_handle(), &guid, (VOID **)&own);
  if(EFI_ERROR(status)) {
    return status;
  }
  CHAR16 root[FILE_SIZE];
  CHAR16 file[PATH_SIZE];
  file_name(family, root);
  status = beside(own, root + 1, file) ? load_file(own, file, driver) : EFI_NOT_FOUND;
  if(status == EFI_NOT_FOUND) {
    StrCpy(file, PROCESSOR_FOLDER);
    StrCpy(file + sizeof(PROCESSOR_FOLDER) / sizeof(CHAR16) - 1U, root);
    status = load_file(own, file, driver);
  }
  if(status == EFI_NOT_FOUND) {
    status = load_file(own, root, driver);
  }
  return EFI_ERROR(status) ? status : BS->StartImage(*driver, NULL, NULL);
}

/* Rings of another size need the device made anew. */
static EFI_STATUS resize(const struct net_driver *family, EFI_HANDLE controller, uint32_t ring) {
  EFI_GUID guid = NET_RESIDENT_PROTOCOL_GUID;
  CHAR16 name[BINDING_RING_NAME_SIZE];
  binding_ring_name(family, name);
  EFI_STATUS status = RT->SetVariable(name, &guid, EFI_VARIABLE_BOOTSERVICE_ACCESS, sizeof(ring), &ring);
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

static EFI_STATUS bind(const struct net_driver *family, EFI_HANDLE controller) {
  EFI_HANDLE drivers[] = {find_driver(family), NULL};
  if(!drivers[0]) {
    EFI_STATUS status = load_driver(family, &drivers[0]);
    if(EFI_ERROR(status)) {
      complain("%s.efi is not resident and cannot be loaded from netdiag's volume: %s%s", family->name,
               status_text(status), image_remedy(status));
      return status;
    }
  }
  EFI_STATUS status = BS->ConnectController(controller, drivers, NULL, TRUE);
  if(remote_find(controller)) {
    return EFI_SUCCESS;
  }
  EFI_HANDLE taker = pci_find_holder(controller);
  if(!taker) {
    complain("%s.efi does not take the NIC: %s", family->name, status_text(status));
    return EFI_ERROR(status) ? status : EFI_NOT_STARTED;
  }
  /* iPXE opens PciIo exclusively, which throws us out again; whoever connects the NIC later would let it. */
  char name[NAME_SIZE];
  pci_holder_name(taker, name, sizeof(name));
  (void)BS->DisconnectController(controller, NULL, NULL);
  complain("'%s' takes the NIC from %s.efi: start without that driver (QEMU: romfile=)", name, family->name);
  return EFI_ACCESS_DENIED;
}

EFI_STATUS resident_bind(const struct pci_nic *pci, const struct nic_options *options) {
  const struct net_driver *family = pci_find_driver(pci, NULL);
  if(!family) {
    return session_not_known(pci);
  }
  if(options->ring & (options->ring - 1U)) {
    complain("--ring: not a power of two");
    return EFI_INVALID_PARAMETER;
  }
  if(options->ring && (options->ring < family->ring_min || options->ring > family->ring_max)) {
    complain("--ring: not from %u to %u, which %s takes", family->ring_min, family->ring_max, family->name);
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
    EFI_STATUS status = resize(family, pci->handle, options->ring);
    if(EFI_ERROR(status)) {
      complain("--ring: %s", status_text(status));
      return status;
    }
  }
  return remote_find(pci->handle) ? EFI_SUCCESS : bind(family, pci->handle);
}
