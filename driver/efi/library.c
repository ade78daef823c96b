/* library.c - what gnu-efi's InitializeLib does that is used here. Its own lies in one object with byte-wise memcpy and
 * memset, and brings half of the library. */
#include <efi.h>
#include <efilib.h>

VOID InitializeLib(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  (void)image;
  ST = system_table;
  BS = system_table->BootServices;
  RT = system_table->RuntimeServices;
}
