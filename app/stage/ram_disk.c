/* ram_disk.c - a disk image in memory, as a disk of the firmware's. */
#include "ram_disk.h"

#include <string.h>

#include "../console.h"
#include "../session/below.h"

static EFI_GUID protocol_guid = EFI_RAM_DISK_PROTOCOL_GUID;
static EFI_GUID disk_guid = EFI_VIRTUAL_DISK_GUID;
static EFI_GUID cd_guid = EFI_VIRTUAL_CD_GUID;
static EFI_GUID volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

EFI_STATUS ram_disk_register(struct ram_disk *disk, const struct payload *payload, bool cd) {
  memset(disk, 0, sizeof(*disk));
  EFI_STATUS status = BS->LocateProtocol(&protocol_guid, NULL, (VOID **)&disk->protocol);
  if(EFI_ERROR(status)) {
    complain("this firmware has no RAM disks, so a disk image cannot be started: serve its EFI program instead");
    return EFI_UNSUPPORTED;
  }
  status = disk->protocol->Register(payload->file.address, payload->file.size, cd ? &cd_guid : &disk_guid, NULL,
                                    &disk->path);
  if(EFI_ERROR(status)) {
    complain("the firmware makes no RAM disk of %s: %s", payload->name, status_text(status));
  }
  return status;
}

UINTN ram_disk_volumes(const struct ram_disk *disk, EFI_HANDLE handles[RAM_DISK_VOLUMES]) {
  EFI_DEVICE_PATH *rest = disk->path;
  EFI_HANDLE device;
  EFI_HANDLE *all;
  UINTN all_count;
  UINTN count = 0;
  /* Register may have connected it already; then nothing is left to do. */
  if(!EFI_ERROR(BS->LocateDevicePath(&path_guid, &rest, &device)) && IsDevicePathEnd(rest)) {
    (void)BS->ConnectController(device, NULL, NULL, TRUE);
  }
  if(EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &volume_guid, NULL, &all_count, &all))) {
    return 0;
  }
  for(UINTN i = 0; i < all_count && count < RAM_DISK_VOLUMES; i++) {
    EFI_DEVICE_PATH *path = DevicePathFromHandle(all[i]);
    if(path && below_path(disk->path, path)) {
      handles[count++] = all[i];
    }
  }
  BS->FreePool((VOID *)all);
  return count;
}

void ram_disk_unregister(struct ram_disk *disk, const char *name) {
  EFI_STATUS status = disk->protocol->Unregister(disk->path);
  if(EFI_ERROR(status)) {
    complain("the RAM disk of %s stays: %s", name, status_text(status));
  }
}
