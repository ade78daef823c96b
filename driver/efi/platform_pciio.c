/* platform_pciio.c - struct net_platform over EFI_PCI_IO_PROTOCOL, and past it where registers have an address. */
#include "efi_nic.h"

#include <string.h>

#include "mmio.h"
#include "net/barrier.h"
#include "pci.h"

/* Registers ------------------------------------------------------------------------------------------------------ */

/* One access to a BAR, by the number of its register. What fails reads as all ones, as from a device that is gone.
 * PciIo.Mem.Write completes the processor's earlier stores first (UEFI 2.10, 14.4: accesses are strongly ordered). */
static void access_bar(struct efi_nic *nic, BOOLEAN write, EFI_PCI_IO_PROTOCOL_WIDTH width, uint32_t bar,
                       uint32_t offset, VOID *value) {
  EFI_PCI_IO_PROTOCOL *io = nic->pci_io;
  UINT8 index = nic->bar_index[bar];
  EFI_PCI_IO_PROTOCOL_ACCESS *space = nic->platform.bar[bar].kind == NET_BAR_IO ? &io->Io : &io->Mem;
  if(write) {
    net_dma_wmb(); /* not left to the firmware: DMA memory's stores, then the doorbell */
    (void)space->Write(io, width, index, offset, 1, value);
  } else if(EFI_ERROR(space->Read(io, width, index, offset, 1, value))) {
    memset(value, 0xFF, (UINTN)1 << width);
  } else {
    net_dma_rmb(); /* what a register says, then what lies in memory */
  }
}

/* A BAR with an address of its own is accessed there, any other through PciIo. */
#define REGISTER_ACCESS(bits)                                                                                          \
  static uint##bits##_t read##bits(void *ctx, uint32_t bar, uint32_t offset) {                                         \
    struct efi_nic *nic = ctx;                                                                                         \
    UINT##bits value = UINT##bits##_MAX;                                                                               \
    if(nic->bar_address[bar]) {                                                                                        \
      return efi_mmio_read##bits(nic->bar_address[bar] + offset);                                                      \
    }                                                                                                                  \
    access_bar(nic, FALSE, EfiPciIoWidthUint##bits, bar, offset, &value);                                              \
    return value;                                                                                                      \
  }                                                                                                                    \
  static void write##bits(void *ctx, uint32_t bar, uint32_t offset, uint##bits##_t value) {                            \
    struct efi_nic *nic = ctx;                                                                                         \
    if(nic->bar_address[bar]) {                                                                                        \
      efi_mmio_write##bits(nic->bar_address[bar] + offset, value);                                                     \
    } else {                                                                                                           \
      access_bar(nic, TRUE, EfiPciIoWidthUint##bits, bar, offset, &value);                                             \
    }                                                                                                                  \
  }
REGISTER_ACCESS(32)
REGISTER_ACCESS(16)
REGISTER_ACCESS(8)

static EFI_PCI_IO_PROTOCOL_WIDTH width_of(uint32_t bytes) {
  return bytes == 1 ? EfiPciIoWidthUint8 : bytes == 2 ? EfiPciIoWidthUint16 : EfiPciIoWidthUint32;
}

static uint32_t config_read(void *ctx, uint32_t offset, uint32_t width) {
  struct efi_nic *nic = ctx;
  UINT32 value = 0;
  if(EFI_ERROR(nic->pci_io->Pci.Read(nic->pci_io, width_of(width), offset, 1, &value))) {
    return UINT32_MAX;
  }
  return value;
}

static void config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value) {
  struct efi_nic *nic = ctx;
  (void)nic->pci_io->Pci.Write(nic->pci_io, width_of(width), offset, 1, &value);
}

/* Memory that the processor reaches at the very address that the device answers to: then PciIo.Mem would do no more
 * than access it. GetBarAttributes and the register must agree, and no bridge translate. */
static UINTN direct_address(const struct pci_bar *bar) {
  BOOLEAN direct = bar->type == PCI_BAR_MEMORY && !bar->translated && bar->base == bar->bus && bar->base != 0 &&
                   bar->size <= (UINTN)-1 - bar->base && bar->base <= (UINTN)-1;
  return direct ? (UINTN)bar->base : 0;
}

static void find_bars(struct efi_nic *nic) {
  struct pci_bar bars[PCI_BAR_COUNT];
  (void)pci_get_bars(nic->pci_io, bars); /* none, when it fails */
  for(UINT32 i = 0; i < NET_BAR_COUNT; i++) {
    nic->bar_index[i] = bars[i].index;
    nic->bar_address[i] = direct_address(&bars[i]);
    if(bars[i].type == PCI_BAR_MEMORY || (bars[i].type == PCI_BAR_IO && nic->decodes_io)) {
      nic->platform.bar[i].kind = bars[i].type == PCI_BAR_IO ? NET_BAR_IO : NET_BAR_MEMORY;
      nic->platform.bar[i].size = bars[i].size;
    }
  }
}

/* Memory --------------------------------------------------------------------------------------------------------- */

static void *pool_alloc(void *ctx, size_t size) {
  struct efi_nic *nic = ctx;
  void *memory;
  if(EFI_ERROR(BS->AllocatePool(EfiBootServicesData, size, &memory))) {
    return NULL;
  }
  BS->SetMem(memory, size, 0);
  nic->held.pool++;
  return memory;
}

static void pool_free(void *ctx, void *memory, size_t size) {
  struct efi_nic *nic = ctx;
  (void)size;
  if(!EFI_ERROR(BS->FreePool(memory))) {
    nic->held.pool--;
  }
}

/* What dma_free needs to know about one net_dma. */
struct dma_block {
  void *pages;
  UINTN page_count;
  void *mapping;
};

/* PciIo aligns to a page. For more, allocate more and start at the first aligned device address inside. */
static UINTN dma_page_count(size_t size, size_t align) {
  return EFI_SIZE_TO_PAGES(size + (align > EFI_PAGE_SIZE ? align - EFI_PAGE_SIZE : 0));
}

static int dma_alloc(void *ctx, size_t size, size_t align, uint32_t address_bits, struct net_dma *out) {
  struct efi_nic *nic = ctx;
  EFI_PCI_IO_PROTOCOL *io = nic->pci_io;
  struct dma_block *block = pool_alloc(nic, sizeof(*block));
  if(!block) {
    return NETDEV_E_NO_MEMORY;
  }
  /* Runtime services data: of the two types PciIo accepts, the one that no operating system takes for free memory. */
  block->page_count = dma_page_count(size, align);
  if(EFI_ERROR(io->AllocateBuffer(io, AllocateAnyPages, EfiRuntimeServicesData, block->page_count, &block->pages, 0))) {
    pool_free(nic, block, sizeof(*block));
    return NETDEV_E_NO_MEMORY;
  }
  UINTN wanted = block->page_count * EFI_PAGE_SIZE;
  UINTN mapped = wanted;
  EFI_PHYSICAL_ADDRESS device;
  EFI_STATUS status =
      io->Map(io, EfiPciIoOperationBusMasterCommonBuffer, block->pages, &mapped, &device, &block->mapping);
  if(!EFI_ERROR(status) && mapped != wanted) {
    /* Map may map less than it was asked for, and say so in the count only. Half a ring is none. */
    (void)io->Unmap(io, block->mapping);
    status = EFI_OUT_OF_RESOURCES;
  }
  if(EFI_ERROR(status)) {
    (void)io->FreeBuffer(io, block->page_count, block->pages);
    pool_free(nic, block, sizeof(*block));
    return NETDEV_E_NO_MEMORY;
  }
  BS->SetMem(block->pages, wanted, 0);
  if(address_bits < 64U && (device + wanted - 1U) >> address_bits) {
    (void)io->Unmap(io, block->mapping);
    (void)io->FreeBuffer(io, block->page_count, block->pages);
    pool_free(nic, block, sizeof(*block));
    return NETDEV_E_NO_MEMORY;
  }
  UINT64 skip = (align - (device & (align - 1U))) & (align - 1U);
  out->cpu = (UINT8 *)block->pages + skip;
  out->device = device + skip;
  out->size = size;
  out->handle = block;
  nic->held.dma++;
  nic->held.pages += block->page_count;
  return NETDEV_OK;
}

static void dma_free(void *ctx, struct net_dma *dma) {
  struct efi_nic *nic = ctx;
  EFI_PCI_IO_PROTOCOL *io = nic->pci_io;
  struct dma_block *block = dma->handle;
  if(EFI_ERROR(io->Unmap(io, block->mapping)) || EFI_ERROR(io->FreeBuffer(io, block->page_count, block->pages))) {
    return; /* still reachable by the device, so it stays allocated and counted */
  }
  nic->held.dma--;
  nic->held.pages -= block->page_count;
  pool_free(nic, block, sizeof(*block));
  *dma = (struct net_dma){0};
}

/* Time and messages ---------------------------------------------------------------------------------------------- */

static uint64_t now_us(void *ctx) {
  (void)ctx;
  return efi_clock_us();
}

static void delay_us(void *ctx, uint32_t us) {
  (void)ctx;
  efi_clock_stall(us);
}

static void log_message(void *ctx, enum net_log_level level, const char *text, uint32_t value) {
  struct efi_nic *nic = ctx;
  if(nic->log) {
    nic->log(nic->log_ctx, level, text, value);
  }
}

void efi_platform_init(struct efi_nic *nic) {
  nic->platform = (struct net_platform){
      .version = NET_PLATFORM_VERSION,
      .size = sizeof(struct net_platform),
      .ctx = nic,
      .read32 = read32,
      .read16 = read16,
      .read8 = read8,
      .write32 = write32,
      .write16 = write16,
      .write8 = write8,
      .config_read = config_read,
      .config_write = config_write,
      .alloc = pool_alloc,
      .free = pool_free,
      .dma_alloc = dma_alloc,
      .dma_free = dma_free,
      .delay_us = delay_us,
      .now_us = now_us,
      .log = log_message,
  };
  find_bars(nic);
}
