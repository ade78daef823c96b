/* mmio.h - registers that the processor reaches under their own address: one access each, in order. */
#ifndef EFI_MMIO_H
#define EFI_MMIO_H

#include <efi.h>

/* One access of that width to the register at `address`, a multiple of it. A device that has gone reads all ones. Any
 * TPL. */
UINT32 efi_mmio_read32(UINTN address);
UINT16 efi_mmio_read16(UINTN address);
UINT8 efi_mmio_read8(UINTN address);

/* As above; what the processor stored in memory before is visible to the device first. */
VOID efi_mmio_write32(UINTN address, UINT32 value);
VOID efi_mmio_write16(UINTN address, UINT16 value);
VOID efi_mmio_write8(UINTN address, UINT8 value);

#endif
