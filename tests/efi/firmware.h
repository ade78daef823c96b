/* firmware.h - what the test programs ask the firmware: memory and handles in use, and its network controllers. */
#ifndef TESTS_EFI_FIRMWARE_H
#define TESTS_EFI_FIRMWARE_H

#include <efi.h>
#include <efilib.h>
#include <string.h>

struct census {
  UINTN handles;
  UINTN pages[EfiMaxMemoryType]; /* by type */
};

static inline EFI_STATUS take_census(struct census *census) {
  UINTN size = 0;
  UINTN key;
  UINTN stride;
  UINT32 version;
  EFI_HANDLE *handles;
  EFI_MEMORY_DESCRIPTOR *map = LibMemoryMap(&size, &key, &stride, &version);
  if(!map) {
    return EFI_OUT_OF_RESOURCES;
  }
  memset(census, 0, sizeof(*census));
  for(UINTN i = 0; i < size; i++) {
    const EFI_MEMORY_DESCRIPTOR *entry = (const EFI_MEMORY_DESCRIPTOR *)((const UINT8 *)map + i * stride);
    if(entry->Type < EfiMaxMemoryType) {
      census->pages[entry->Type] += entry->NumberOfPages;
    }
  }
  FreePool(map);
  EFI_STATUS status = BS->LocateHandleBuffer(AllHandles, NULL, NULL, &census->handles, &handles);
  if(!EFI_ERROR(status)) {
    FreePool(handles);
  }
  return status;
}

/* Number of differences; prints each, and the handles, as `who`. */
static inline UINTN compare_census(const CHAR16 *who, const struct census *before, const struct census *after) {
  UINTN differences = before->handles != after->handles;
  for(UINTN i = 0; i < EfiMaxMemoryType; i++) {
    INTN growth = (INTN)after->pages[i] - (INTN)before->pages[i];
    if(growth != 0) {
      Print(L"%s: memory type %d grew by %d pages\n", who, (INT32)i, (INT32)growth);
      differences++;
    }
  }
  Print(L"%s: handles before %d, after %d\n", who, (INT32)before->handles, (INT32)after->handles);
  return differences;
}

/* The network controllers; *handles is pool memory of the caller's. */
static inline EFI_STATUS find_controllers(EFI_HANDLE **handles, UINTN *count) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  UINTN all;
  EFI_STATUS status = BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &all, handles);
  *count = 0;
  for(UINTN i = 0; !EFI_ERROR(status) && i < all; i++) {
    EFI_PCI_IO_PROTOCOL *io;
    UINT8 class_code = 0;
    if(!EFI_ERROR(BS->HandleProtocol((*handles)[i], &guid, (VOID **)&io))) {
      (void)io->Pci.Read(io, EfiPciIoWidthUint8, 0x0B, 1, &class_code);
    }
    if(class_code == PCI_CLASS_NETWORK) {
      (*handles)[(*count)++] = (*handles)[i];
    }
  }
  return status;
}

/* Connects or disconnects every network controller. */
static inline EFI_STATUS each_device(BOOLEAN connect, BOOLEAN recursive) {
  EFI_HANDLE *handles;
  UINTN count;
  EFI_STATUS status = find_controllers(&handles, &count);
  if(EFI_ERROR(status)) {
    return status;
  }
  for(UINTN i = 0; i < count; i++) {
    if(connect) {
      (void)BS->ConnectController(handles[i], NULL, NULL, recursive);
    } else {
      (void)BS->DisconnectController(handles[i], NULL, NULL);
    }
  }
  FreePool(handles);
  return EFI_SUCCESS;
}

#endif
