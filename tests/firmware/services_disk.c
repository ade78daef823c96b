/* services_disk.c - the fake firmware's RAM disks: a handle with a device path, and a file system on it. */
#include "services_internal.h"

#include <stdlib.h>
#include <string.h>

#include "efi/ram_disk.h"

struct disk_path {
  VENDOR_DEVICE_PATH vendor;
  UINT64 base; /* part of the node */
  EFI_DEVICE_PATH end;
} __attribute__((packed));

struct disk {
  struct node node;
  EFI_HANDLE handle;
  struct disk_path path;
  EFI_FILE_IO_INTERFACE volume;
};

static EFI_GUID protocol_guid = EFI_RAM_DISK_PROTOCOL_GUID;
static EFI_GUID volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static struct node *disks;
static EFI_HANDLE provider;
static UINTN registered;
static EFI_MEMORY_TYPE last_type;
static EFI_RAM_DISK_PROTOCOL ram_disk;

static EFI_STATUS EFIAPI add_disk(UINT64 base, UINT64 size, EFI_GUID *type, EFI_DEVICE_PATH *parent,
                                  EFI_DEVICE_PATH **out) {
  (void)parent;
  if(fails("RamDisk.Register", TPL_CALLBACK)) {
    return EFI_OUT_OF_RESOURCES;
  }
  const struct memory *pages = find_memory(firmware.pages, (const VOID *)(UINTN)base);
  if(!pages || pages->size < size) {
    firmware_abort("RamDisk.Register: memory that is not allocated", (const VOID *)(UINTN)base);
  }
  struct disk *disk = node_new(&disks, sizeof(*disk));
  disk->path.vendor.Header = (EFI_DEVICE_PATH){MEDIA_DEVICE_PATH, 9, {sizeof(VENDOR_DEVICE_PATH) + sizeof(UINT64), 0}};
  disk->path.vendor.Guid = *type;
  disk->path.base = base;
  disk->path.end = (EFI_DEVICE_PATH){END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, {END_DEVICE_PATH_LENGTH, 0}};
  (void)install_protocol(&disk->handle, &path_guid, &disk->path);
  (void)install_protocol(&disk->handle, &volume_guid, &disk->volume);
  registered++;
  last_type = pages->type;
  *out = (EFI_DEVICE_PATH *)&disk->path;
  return EFI_SUCCESS;
}

static void drop(struct disk *disk) {
  (void)uninstall_protocol(disk->handle, &volume_guid, &disk->volume);
  (void)uninstall_protocol(disk->handle, &path_guid, &disk->path);
  node_drop(&disks, disk);
}

static EFI_STATUS EFIAPI remove_disk(EFI_DEVICE_PATH *path) {
  check_service("RamDisk.Unregister", TPL_CALLBACK);
  for(struct node *node = disks; node; node = node->next) {
    if((EFI_DEVICE_PATH *)&((struct disk *)node)->path == path) {
      drop((struct disk *)node);
      return EFI_SUCCESS;
    }
  }
  firmware_abort("RamDisk.Unregister: no such disk", path);
}

void disks_begin(void) {
  ram_disk = (EFI_RAM_DISK_PROTOCOL){.Register = add_disk, .Unregister = remove_disk};
  registered = 0;
  (void)install_protocol(&provider, &protocol_guid, &ram_disk);
}

void disks_end(void) {
  while(disks) {
    struct disk *disk = (struct disk *)disks;
    if(firmware.exiting) {
      node_drop(&disks, disk);
    } else {
      drop(disk);
    }
  }
  if(provider && !firmware.exiting) {
    (void)uninstall_protocol(provider, &protocol_guid, &ram_disk);
  }
  provider = NULL;
}

UINTN disks_left(void) {
  return node_count(disks);
}

UINTN services_ram_disks(EFI_MEMORY_TYPE *type) {
  *type = last_type;
  return registered;
}
