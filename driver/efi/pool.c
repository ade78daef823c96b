/* pool.c - memory of the firmware's pool. */
#include "pool.h"

#include <efilib.h>
#include <string.h>

void *pool_zero(UINTN size) {
  void *memory;
  if(EFI_ERROR(BS->AllocatePool(EfiBootServicesData, size, &memory))) {
    return NULL;
  }
  memset(memory, 0, size);
  return memory;
}

void pool_free(void *memory) {
  if(memory) {
    BS->FreePool(memory);
  }
}
