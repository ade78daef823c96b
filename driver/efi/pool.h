/* pool.h - memory of the firmware's pool. gnu-efi has the same, in an object that brings a quarter of its library. */
#ifndef EFI_POOL_H
#define EFI_POOL_H

#include <efi.h>

/* `size` bytes of zeroes, EfiBootServicesData, the caller's until pool_free; NULL when there is no memory. TPL_NOTIFY
 * or lower, not after ExitBootServices. */
void *pool_zero(UINTN size);

/* Gives back what pool_zero, or a boot service that allocates for its caller, handed out. NULL is harmless. The same
 * levels. */
void pool_free(void *memory);

#endif
