/* start.c - what the firmware calls: puts the image's own addresses right, then calls efi_main. In place of gnu-efi's
 * start-up code, which is another one for every processor. */
#include "relocate.h"

/* What image.lds names. Hidden, so that they are reached from here and not by addresses that are yet to be put
 * right. */
#define FROM_LDS __attribute__((visibility("hidden")))
extern FROM_LDS CHAR8 ImageBase[];
extern FROM_LDS const UINTN packed_begin[];
extern FROM_LDS const UINTN packed_end[];
extern FROM_LDS const struct relocation rela_begin[];
extern FROM_LDS const struct relocation rela_end[];

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);
EFI_STATUS EFIAPI _start(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

/* A base relocation block (PE/COFF specification, ".reloc") of two entries that change nothing: firmware takes an image
 * without any for one that must lie at its own address. image.lds gives it the name that begins with ".rel", which
 * ia32's assembler keeps for its own relocations. */
static const struct {
  UINT32 page;
  UINT32 size;
  UINT16 nothing[2];
} base_relocations __attribute__((section(".base_reloc"), used)) = {0, 12, {0, 0}};

/* An address that must be put right, so that there is one: where nothing is to be packed, ld of 2.40 takes away the
 * section that it was to lie in, and the constants with it. */
static const void *keep __attribute__((section(".data.keep"), used)) = &base_relocations;

EFI_STATUS EFIAPI _start(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  EFI_STATUS status = relocate((UINTN)ImageBase, packed_begin, packed_end, rela_begin, rela_end);
  return EFI_ERROR(status) ? status : efi_main(image, system_table);
}
