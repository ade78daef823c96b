/* tables.c - the variables of efilib.h, which gnu-efi's library has for the build machine's own processor only. */
#include <efi.h>
#include <efilib.h>

EFI_SYSTEM_TABLE *ST;
EFI_BOOT_SERVICES *BS;
EFI_RUNTIME_SERVICES *RT;
