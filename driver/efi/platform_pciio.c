/* platform_pciio.c - struct net_platform over EFI_PCI_IO_PROTOCOL. */
#include "efi_nic.h"

#define REGISTER_BAR       0U
#define IOADDR             0U /* offsets in the I/O BAR, 8254x SDM 13.2.2.1 */
#define IODATA             4U
#define CLOCK_CALIBRATE_US 10000U

/* Registers ------------------------------------------------------------------------------------------------------ */

static uint32_t mmio_read32(void *ctx, uint32_t offset) {
  struct efi_nic *nic = ctx;
  UINT32 value;
  if(EFI_ERROR(nic->pci_io->Mem.Read(nic->pci_io, EfiPciIoWidthUint32, REGISTER_BAR, offset, 1, &value))) {
    return UINT32_MAX;
  }
  return value;
}

/* PciIo.Mem.Write completes the processor's earlier stores first (UEFI 2.10, 14.4: accesses are strongly ordered). */
static void mmio_write32(void *ctx, uint32_t offset, uint32_t value) {
  struct efi_nic *nic = ctx;
  (void)nic->pci_io->Mem.Write(nic->pci_io, EfiPciIoWidthUint32, REGISTER_BAR, offset, 1, &value);
}

static void io_write32(void *ctx, uint32_t offset, uint32_t value) {
  struct efi_nic *nic = ctx;
  (void)nic->pci_io->Io.Write(nic->pci_io, EfiPciIoWidthUint32, nic->io_bar, IOADDR, 1, &offset);
  (void)nic->pci_io->Io.Write(nic->pci_io, EfiPciIoWidthUint32, nic->io_bar, IODATA, 1, &value);
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

static int dma_alloc(void *ctx, size_t size, size_t align, struct net_dma *out) {
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

/* At TPL_NOTIFY, so that no callback stretches the measurement or starts another. */
static UINT64 calibrate(VOID) {
  EFI_TPL tpl = BS->RaiseTPL(TPL_NOTIFY);
  UINT64 start = efi_read_tsc();
  BS->Stall(CLOCK_CALIBRATE_US);
  UINT64 ticks_per_ms = (efi_read_tsc() - start) / (CLOCK_CALIBRATE_US / 1000U);
  BS->RestoreTPL(tpl);
  return ticks_per_ms ? ticks_per_ms : 1;
}

UINT64 efi_clock_us(VOID) {
  static UINT64 ticks_per_ms;
  if(ticks_per_ms == 0) {
    ticks_per_ms = calibrate();
  }
  UINT64 ticks = efi_read_tsc();
  return ticks / ticks_per_ms * 1000U + ticks % ticks_per_ms * 1000U / ticks_per_ms;
}

static uint64_t now_us(void *ctx) {
  (void)ctx;
  return efi_clock_us();
}

static void delay_us(void *ctx, uint32_t us) {
  (void)ctx;
  BS->Stall(us);
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
      .mmio_read32 = mmio_read32,
      .mmio_write32 = mmio_write32,
      .io_write32 = nic->io_bar == EFI_NIC_NO_BAR ? NULL : io_write32,
      .alloc = pool_alloc,
      .free = pool_free,
      .dma_alloc = dma_alloc,
      .dma_free = dma_free,
      .delay_us = delay_us,
      .now_us = now_us,
      .log = log_message,
  };
}
