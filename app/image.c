/* image.c - the running image. */
#include "image.h"

static EFI_HANDLE running;

void image_set(EFI_HANDLE image) {
  running = image;
}

EFI_HANDLE image_handle(void) {
  return running;
}
