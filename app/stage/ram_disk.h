/* ram_disk.h - a disk image in memory, as a disk of the firmware's. */
#ifndef APP_RAM_DISK_H
#define APP_RAM_DISK_H

#include "efi/ram_disk.h"
#include "payload.h"

#define RAM_DISK_VOLUMES 16U

struct ram_disk {
  EFI_RAM_DISK_PROTOCOL *protocol;
  EFI_DEVICE_PATH *path; /* the firmware's */
};

/* Registers the image, as a CD when `cd`. Complains; EFI_UNSUPPORTED when the firmware has no RAM disks. */
EFI_STATUS ram_disk_register(struct ram_disk *disk, const struct payload *payload, bool cd);

/* Its file systems, the firmware's drivers having been asked to look at it; at most RAM_DISK_VOLUMES. */
UINTN ram_disk_volumes(const struct ram_disk *disk, EFI_HANDLE handles[RAM_DISK_VOLUMES]);

/* Takes it away. Complains with the image's name. */
void ram_disk_unregister(struct ram_disk *disk, const char *name);

#endif
