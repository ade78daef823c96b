/* mmio.c - the accesses themselves. The barriers order memory that the device reads and writes: what was stored before
 * a register that tells it so is written; what a register said before what is loaded on the strength of it. */
#include "mmio.h"
#include "net/barrier.h"

UINT32 efi_mmio_read32(UINTN address) {
  UINT32 value = *(volatile UINT32 *)address;
  net_dma_rmb();
  return value;
}

UINT16 efi_mmio_read16(UINTN address) {
  UINT16 value = *(volatile UINT16 *)address;
  net_dma_rmb();
  return value;
}

UINT8 efi_mmio_read8(UINTN address) {
  UINT8 value = *(volatile UINT8 *)address;
  net_dma_rmb();
  return value;
}

VOID efi_mmio_write32(UINTN address, UINT32 value) {
  net_dma_wmb();
  *(volatile UINT32 *)address = value;
}

VOID efi_mmio_write16(UINTN address, UINT16 value) {
  net_dma_wmb();
  *(volatile UINT16 *)address = value;
}

VOID efi_mmio_write8(UINTN address, UINT8 value) {
  net_dma_wmb();
  *(volatile UINT8 *)address = value;
}
