/* image.h - the running image, and others that are loaded from files. */
#ifndef APP_IMAGE_H
#define APP_IMAGE_H

#include <efi.h>

/* Says which image runs; the first thing that efi_main does. */
void image_set(EFI_HANDLE image);

/* The handle that protocols are opened with, and whose volume netdiag came from. */
EFI_HANDLE image_handle(void);

/* LoadImage of a file, by its path, which stays the caller's. An error leaves nothing behind, also where the firmware
 * loads what it will not start (UEFI 2.10, 7.4.1: EFI_SECURITY_VIOLATION). TPL_APPLICATION. */
EFI_STATUS image_load(EFI_DEVICE_PATH *path, EFI_HANDLE *image);

/* What to do about such an error, to follow its name: ", ..."; "" where there is nothing to say. */
const char *image_remedy(EFI_STATUS status);

#endif
