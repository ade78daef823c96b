/* relocate.h - an image's own addresses, once it is known where it lies. */
#ifndef EFI_RELOCATE_H
#define EFI_RELOCATE_H

#include <efi.h>

/* ELF's Rela: *place = base + addend. A word is as long as an address. */
struct relocation {
  UINTN place;
  UINTN type; /* RELOCATION_RELATIVE; with a symbol's number in the upper bits there would be something to look up */
  UINTN addend;
};

#if defined(__x86_64__)
#define RELOCATION_RELATIVE 8U /* R_X86_64_RELATIVE */
#elif defined(__aarch64__)
#define RELOCATION_RELATIVE 1027U /* R_AARCH64_RELATIVE */
#elif defined(__i386__)
#define RELOCATION_RELATIVE 8U /* R_386_RELATIVE; ELF has those without addend there, but packed they all are */
#else
#error "driver/efi/relocate.h: this processor's relocations are not known"
#endif

/* Puts addresses in the image at `base` right, by the `packed` ones (DT_RELR: the first and behind the last) and by the
 * others. EFI_LOAD_ERROR for one that is not relative to the base. No pointer in the image's data is right before. */
EFI_STATUS relocate(UINTN base, const UINTN *packed, const UINTN *packed_end, const struct relocation *others,
                    const struct relocation *others_end);

#endif
