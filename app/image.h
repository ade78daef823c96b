/* image.h - the running image. */
#ifndef APP_IMAGE_H
#define APP_IMAGE_H

#include <efi.h>

/* Says which image runs; the first thing that efi_main does. */
void image_set(EFI_HANDLE image);

/* The handle that protocols are opened with, and whose volume netdiag came from. */
EFI_HANDLE image_handle(void);

#endif
