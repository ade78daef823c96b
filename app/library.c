/* library.c - what netdiag calls of efilib.h. gnu-efi's own functions bring the printing of device paths and status
 * codes with them, and its package has them for the build machine's own processor. */
#include <efi.h>
#include <efilib.h>
#include <string.h>

/* Pool ------------------------------------------------------------------------------------------------------------ */

VOID *AllocatePool(UINTN size) {
  VOID *memory;
  return EFI_ERROR(BS->AllocatePool(EfiBootServicesData, size, &memory)) ? NULL : memory;
}

VOID *AllocateZeroPool(UINTN size) {
  VOID *memory = AllocatePool(size);
  if(memory) {
    memset(memory, 0, size);
  }
  return memory;
}

VOID FreePool(VOID *memory) {
  (void)BS->FreePool(memory);
}

/* Text ------------------------------------------------------------------------------------------------------------ */

UINTN StrLen(CONST CHAR16 *text) {
  UINTN length = 0;
  while(text[length]) {
    length++;
  }
  return length;
}

VOID StrCpy(CHAR16 *to, CONST CHAR16 *from) {
  memcpy(to, from, (StrLen(from) + 1U) * sizeof(CHAR16));
}

/* Device paths ---------------------------------------------------------------------------------------------------- */

static const EFI_DEVICE_PATH end_node = {
    END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, {sizeof(EFI_DEVICE_PATH), 0}};

/* Bytes in front of the end node, or none where there is no path. */
static UINTN nodes_size(EFI_DEVICE_PATH *path) {
  EFI_DEVICE_PATH *node = path;
  while(node && !IsDevicePathEnd(node)) {
    node = NextDevicePathNode(node);
  }
  return node ? (UINTN)((UINT8 *)node - (UINT8 *)path) : 0;
}

EFI_DEVICE_PATH *DevicePathFromHandle(EFI_HANDLE handle) {
  EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
  EFI_DEVICE_PATH *path;
  return EFI_ERROR(BS->HandleProtocol(handle, &guid, (VOID **)&path)) ? NULL : path;
}

/* A new path of `path` and `size` bytes of nodes; NULL when there is no memory. */
static EFI_DEVICE_PATH *join(EFI_DEVICE_PATH *path, const VOID *nodes, UINTN size) {
  UINTN first = nodes_size(path);
  UINT8 *joined = AllocatePool(first + size + sizeof(end_node));
  if(joined) {
    memcpy(joined, path ? path : &end_node, first);
    memcpy(joined + first, nodes, size);
    memcpy(joined + first + size, &end_node, sizeof(end_node));
  }
  return (EFI_DEVICE_PATH *)joined;
}

EFI_DEVICE_PATH *DuplicateDevicePath(EFI_DEVICE_PATH *path) {
  return join(path, &end_node, 0);
}

EFI_DEVICE_PATH *AppendDevicePathNode(EFI_DEVICE_PATH *path, EFI_DEVICE_PATH *node) {
  return join(path, node, (UINTN)DevicePathNodeLength(node));
}

EFI_DEVICE_PATH *FileDevicePath(EFI_HANDLE device, CHAR16 *name) {
  UINTN size = SIZE_OF_FILEPATH_DEVICE_PATH + (StrLen(name) + 1U) * sizeof(CHAR16);
  FILEPATH_DEVICE_PATH *node = AllocatePool(size);
  if(!node) {
    return NULL;
  }
  node->Header.Type = MEDIA_DEVICE_PATH;
  node->Header.SubType = MEDIA_FILEPATH_DP;
  SetDevicePathNodeLength(&node->Header, size);
  StrCpy(node->PathName, name);
  EFI_DEVICE_PATH *path = join(device ? DevicePathFromHandle(device) : NULL, node, size);
  FreePool(node);
  return path;
}
