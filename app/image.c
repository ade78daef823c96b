/* image.c - the running image, and others that are loaded from files. */
#include "image.h"

#include <efilib.h>

static EFI_HANDLE running;

void image_set(EFI_HANDLE image) {
  running = image;
}

EFI_HANDLE image_handle(void) {
  return running;
}

EFI_STATUS image_load(EFI_DEVICE_PATH *path, EFI_HANDLE *image) {
  *image = NULL;
  EFI_STATUS status = BS->LoadImage(FALSE, running, path, NULL, 0, image);
  if(status == EFI_SECURITY_VIOLATION && *image) {
    (void)BS->UnloadImage(*image);
    *image = NULL;
  }
  return status;
}

const char *image_remedy(EFI_STATUS status) {
  switch(status) {
  case EFI_UNSUPPORTED:
  case EFI_LOAD_ERROR:
    return ", it is no UEFI program for this machine";
  case EFI_ACCESS_DENIED:
  case EFI_SECURITY_VIOLATION:
    return ", Secure Boot refuses it: sign it with a key that this machine trusts ('make sign'), or switch Secure Boot "
           "off";
  default:
    return "";
  }
}
