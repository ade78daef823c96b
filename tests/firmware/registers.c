/* registers.c - the registers of the fake firmware's network controllers: through PciIo, and at their addresses. */
#include "internal.h"

#include <string.h>

#include "efi/acpi_resource.h"

/* The simulator's registers in BAR 0 have 32 bits; another BAR, and another device, says itself what its have. */
static struct firmware_nic *check_access(struct firmware_nic *nic, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT8 bar,
                                         UINT64 offset, UINTN count, UINT8 type) {
  if(width > EfiPciIoWidthUint32 || (nic->sim && bar == 0 && width != EfiPciIoWidthUint32) || count != 1 || bar >= 6 ||
     nic->bar[bar].type != type || offset + ((UINT64)1 << width) > nic->bar[bar].size) {
    firmware_abort(nic->sim ? "PciIo: not one 32-bit access inside a BAR of this kind"
                            : "PciIo: not one access of up to 32 bits inside a BAR of this kind",
                   (const void *)offset);
  }
  if(!(nic->attributes &
       (type == ACPI_ADDRESS_SPACE_TYPE_IO ? EFI_PCI_IO_ATTRIBUTE_IO : EFI_PCI_IO_ATTRIBUTE_MEMORY))) {
    firmware_abort("PciIo: the device does not decode this space", (const void *)offset);
  }
  return nic;
}

static void write_register(const struct firmware_nic *nic, UINTN width, UINT8 bar, UINT64 offset, const VOID *from) {
  UINT32 value = 0;
  memcpy(&value, from, width);
  if(nic->kind) {
    nic->kind->write(nic->device, nic->bar[bar].number, (UINT32)offset, (UINT32)width, value);
  } else {
    const struct net_platform *platform = sim_platform(nic->sim);
    if(width == 2) {
      platform->write16(platform->ctx, bar, (UINT32)offset, (UINT16)value);
    } else {
      platform->write32(platform->ctx, bar, (UINT32)offset, value);
    }
  }
}

static UINT32 read_register(const struct firmware_nic *nic, UINTN width, UINT8 bar, UINT64 offset) {
  if(nic->kind) {
    return nic->kind->read(nic->device, nic->bar[bar].number, (UINT32)offset, (UINT32)width);
  }
  const struct net_platform *platform = sim_platform(nic->sim);
  return width == 2 ? platform->read16(platform->ctx, bar, (UINT32)offset)
                    : platform->read32(platform->ctx, bar, (UINT32)offset);
}

EFI_STATUS EFIAPI mem_read(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT8 bar, UINT64 offset,
                           UINTN count, VOID *buffer) {
  struct firmware_nic *nic = check_access(nic_behind(this), width, bar, offset, count, ACPI_ADDRESS_SPACE_TYPE_MEM);
  nic->accesses++;
  if(++nic->reads == nic->read_fails_at) {
    return EFI_DEVICE_ERROR; /* and the caller's variable keeps what it had */
  }
  UINT32 value = read_register(nic, (UINTN)1 << width, bar, offset);
  memcpy(buffer, &value, (UINTN)1 << width);
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI mem_write(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT8 bar, UINT64 offset,
                            UINTN count, VOID *buffer) {
  struct firmware_nic *nic = check_access(nic_behind(this), width, bar, offset, count, ACPI_ADDRESS_SPACE_TYPE_MEM);
  nic->accesses++;
  write_register(nic, (UINTN)1 << width, bar, offset, buffer);
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI io_write(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT8 bar, UINT64 offset,
                           UINTN count, VOID *buffer) {
  const struct firmware_nic *nic =
      check_access(nic_behind(this), width, bar, offset, count, ACPI_ADDRESS_SPACE_TYPE_IO);
  write_register(nic, (UINTN)1 << width, bar, offset, buffer);
  return EFI_SUCCESS;
}

/* In place of driver/efi/mmio.c: the registers lie where GetBarAttributes says, for who may reach them there. */
static struct firmware_nic *at(UINTN address, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT8 *bar, UINT64 *offset) {
  for(struct firmware_nic *nic = firmware.nics; nic; nic = nic->next) {
    for(*bar = 0; *bar < 6; ++*bar) {
      const struct firmware_bar *place = &nic->bar[*bar];
      *offset = address - place->base;
      if(place->type == ACPI_ADDRESS_SPACE_TYPE_MEM && *offset < place->size) {
        if(nic->translated) {
          firmware_abort("a register at the address that it has behind a bridge", (const void *)address);
        }
        return check_access(nic, width, *bar, *offset, 1, ACPI_ADDRESS_SPACE_TYPE_MEM);
      }
    }
  }
  firmware_abort("no register at this address", (const void *)address);
}

UINT32 efi_mmio_read32(UINTN address);
UINT16 efi_mmio_read16(UINTN address);
UINT8 efi_mmio_read8(UINTN address);
VOID efi_mmio_write32(UINTN address, UINT32 value);
VOID efi_mmio_write16(UINTN address, UINT16 value);
VOID efi_mmio_write8(UINTN address, UINT8 value);

static UINT32 read_at(UINTN address, EFI_PCI_IO_PROTOCOL_WIDTH width) {
  UINT8 bar;
  UINT64 offset;
  struct firmware_nic *nic = at(address, width, &bar, &offset);
  return ++nic->reads == nic->read_fails_at ? UINT32_MAX : read_register(nic, (UINTN)1 << width, bar, offset);
}

static void write_at(UINTN address, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT32 value) {
  UINT8 bar;
  UINT64 offset;
  const struct firmware_nic *nic = at(address, width, &bar, &offset);
  write_register(nic, (UINTN)1 << width, bar, offset, &value);
}

UINT32 efi_mmio_read32(UINTN address) {
  return read_at(address, EfiPciIoWidthUint32);
}

UINT16 efi_mmio_read16(UINTN address) {
  return (UINT16)read_at(address, EfiPciIoWidthUint16);
}

UINT8 efi_mmio_read8(UINTN address) {
  return (UINT8)read_at(address, EfiPciIoWidthUint8);
}

VOID efi_mmio_write32(UINTN address, UINT32 value) {
  write_at(address, EfiPciIoWidthUint32, value);
}

VOID efi_mmio_write16(UINTN address, UINT16 value) {
  write_at(address, EfiPciIoWidthUint16, value);
}

VOID efi_mmio_write8(UINTN address, UINT8 value) {
  write_at(address, EfiPciIoWidthUint8, value);
}
