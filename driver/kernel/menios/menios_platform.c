/* menios_platform.c - struct net_platform and configuration space over menios' own interfaces. */
#include <kernel/dma.h>
#include <kernel/heap.h>
#include <kernel/kernel.h>
#include <kernel/pci.h>
#include <kernel/pmm.h>
#include <kernel/serial.h>
#include <kernel/tsc.h>
#include <string.h>

#include "menios_platform.h"

#define IOADDR 0U /* offsets in the I/O BAR, 8254x SDM 13.2.2.1 */
#define IODATA 4U

#define COMMAND_IO_SPACE     (1U << 0)
#define COMMAND_INTX_DISABLE (1U << 10)
#define BAR_IO               (1U << 0)
#define BAR_64BIT            (1U << 2)
#define BAR_IO_MASK          0xFFFCU /* an I/O port has 16 bits on x86 */
#define BAR_MEMORY_MASK      0xFFFFFFF0U

/* menios takes 1 GHz for the TSC's frequency when CPUID does not tell it (QEMU without KVM, processors before Skylake).
 * Its nanoseconds are too short then, by no more than this. */
#define TSC_GUESSED_HZ  1000000000U
#define TSC_MAX_GHZ     5U
#define NANOS_PER_MICRO 1000U

/* Registers ------------------------------------------------------------------------------------------------------ */

static uint32_t mmio_read32(void *ctx, uint32_t offset) {
  struct menios_nic *nic = ctx;
  return nic->registers[offset / 4U];
}

/* x86 keeps stores in order; only the compiler has to be told that those to DMA memory come first. */
static void mmio_write32(void *ctx, uint32_t offset, uint32_t value) {
  struct menios_nic *nic = ctx;
  __asm__ volatile("" : : : "memory");
  nic->registers[offset / 4U] = value;
}

static void io_write32(void *ctx, uint32_t offset, uint32_t value) {
  struct menios_nic *nic = ctx;
  outl((uint16_t)(nic->io_base + IOADDR), offset);
  outl((uint16_t)(nic->io_base + IODATA), value);
}

/* Memory --------------------------------------------------------------------------------------------------------- */

static void *heap_alloc(void *ctx, size_t size) {
  (void)ctx;
  void *memory = kmalloc(size);
  if(memory) {
    memset(memory, 0, size);
  }
  return memory;
}

static void heap_free(void *ctx, void *memory, size_t size) {
  (void)ctx;
  (void)size;
  kfree(memory);
}

/* Below 4 GiB for all: menios has memory there, and not every part of the family may be given more. */
static int dma_alloc(void *ctx, size_t size, size_t align, struct net_dma *out) {
  dma_buffer_t *buffer = heap_alloc(ctx, sizeof(*buffer));
  if(!buffer) {
    return NETDEV_E_NO_MEMORY;
  }
  if(!dma_buffer_alloc(buffer, size, align, DMA_DEFAULT_MAX_PHYS, true)) {
    kfree(buffer);
    return NETDEV_E_NO_MEMORY;
  }
  *out = (struct net_dma){.cpu = buffer->virt, .device = buffer->phys, .size = size, .handle = buffer};
  return NETDEV_OK;
}

static void dma_free(void *ctx, struct net_dma *dma) {
  (void)ctx;
  dma_buffer_free(dma->handle);
  kfree(dma->handle);
}

/* Limine's direct map holds everything below 4 GiB and what is memory above it (base revision 0). The rest of it, like
 * a BAR that the firmware put high, is mapped here. */
void *menios_map(void *ctx, uint64_t physical, uint64_t size) {
  (void)ctx;
  for(uint64_t page = physical & ~(uint64_t)(PAGE_SIZE - 1U); page < physical + size; page += PAGE_SIZE) {
    virt_addr_t at = physical_to_virtual(page);
    if(virtual_to_physical(at) != page && !pmm_map_page(at, phys_frame_from_addr(page), true, false)) {
      return NULL;
    }
  }
  return (void *)physical_to_virtual(physical);
}

/* Time and messages ---------------------------------------------------------------------------------------------- */

static uint64_t now_us(void *ctx) {
  (void)ctx;
  uint64_t nanos_per_us = tsc_frequency_hz() == TSC_GUESSED_HZ ? NANOS_PER_MICRO * TSC_MAX_GHZ : NANOS_PER_MICRO;
  return (uint64_t)ns_from_boot() / nanos_per_us;
}

/* Not ksleep, which enables interrupts: NICs come up before menios does. One more, because the first has begun. */
static void delay_us(void *ctx, uint32_t us) {
  uint64_t start = now_us(ctx);
  while(now_us(ctx) - start <= us) {
  }
}

static void log_line(void *ctx, enum net_log_level level, const char *text, uint32_t value) {
  const struct menios_nic *nic = ctx;
  if(level <= NET_LOG_INFO) {
    serial_printf("e1000: %04x:%02x:%02x.%u: %s (0x%x)\n", nic->pci.segment, nic->pci.bus, nic->pci.device,
                  nic->pci.function, text, value);
  }
}

void menios_platform_init(struct menios_nic *nic) {
  nic->platform = (struct net_platform){
      .version = NET_PLATFORM_VERSION,
      .size = sizeof(struct net_platform),
      .ctx = nic,
      .mmio_read32 = mmio_read32,
      .mmio_write32 = mmio_write32,
      .io_write32 = nic->io_base ? io_write32 : NULL,
      .alloc = heap_alloc,
      .free = heap_free,
      .dma_alloc = dma_alloc,
      .dma_free = dma_free,
      .delay_us = delay_us,
      .now_us = now_us,
      .log = log_line,
  };
}

/* Configuration space -------------------------------------------------------------------------------------------- */

uint32_t menios_pci_read(const struct menios_nic *nic, uint8_t offset) {
  return pci_config_read_segment(nic->pci.segment, nic->pci.bus, nic->pci.device, nic->pci.function, offset);
}

static void config_write(const struct menios_nic *nic, uint8_t offset, uint32_t value) {
  pci_config_write_segment(nic->pci.segment, nic->pci.bus, nic->pci.device, nic->pci.function, offset, value);
}

/* Zeroes to the status half, whose bits are cleared by ones. Not written without need: QEMU then pushes a frame that it
 * holds back into a NIC that was left quiet, where it is lost. */
static void set_command(const struct menios_nic *nic, uint32_t command) {
  command &= 0xFFFFU;
  if((menios_pci_read(nic, PCI_CONFIG_STATUS_COMMAND) & 0xFFFFU) != command) {
    config_write(nic, PCI_CONFIG_STATUS_COMMAND, command);
  }
}

/* How many bytes BAR 0 decodes (PCI 3.0, 6.2.5.1). */
static uint64_t size_bar0(const struct menios_nic *nic, uint32_t low, uint32_t high) {
  uint64_t mask = UINT64_MAX << 32;
  set_command(nic, nic->command & ~(COMMAND_IO_SPACE | PCI_COMMAND_MEMORY_SPACE));
  config_write(nic, PCI_CONFIG_BAR0, UINT32_MAX);
  mask |= menios_pci_read(nic, PCI_CONFIG_BAR0) & BAR_MEMORY_MASK;
  config_write(nic, PCI_CONFIG_BAR0, low);
  if(low & BAR_64BIT) {
    config_write(nic, PCI_CONFIG_BAR1, UINT32_MAX);
    mask &= (uint64_t)menios_pci_read(nic, PCI_CONFIG_BAR1) << 32 | UINT32_MAX;
    config_write(nic, PCI_CONFIG_BAR1, high);
  }
  set_command(nic, nic->command);
  return ~mask + 1U;
}

/* Which BAR it is depends on how wide the others are. */
static uint16_t find_io_base(const struct menios_nic *nic) {
  for(uint8_t at = PCI_CONFIG_BAR0; at <= PCI_CONFIG_BAR5; at = (uint8_t)(at + 4U)) {
    uint32_t bar = menios_pci_read(nic, at);
    if(bar & BAR_IO) {
      return (uint16_t)(bar & BAR_IO_MASK);
    }
    if(bar & BAR_64BIT) {
      at = (uint8_t)(at + 4U);
    }
  }
  return 0;
}

bool menios_pci_prepare(struct menios_nic *nic, bool may_size) {
  uint32_t low = menios_pci_read(nic, PCI_CONFIG_BAR0);
  uint32_t high = low & BAR_64BIT ? menios_pci_read(nic, PCI_CONFIG_BAR1) : 0;
  nic->command = (uint16_t)menios_pci_read(nic, PCI_CONFIG_STATUS_COMMAND);
  nic->pci.bar0 = (uint64_t)high << 32 | (low & BAR_MEMORY_MASK);
  if((low & BAR_IO) || nic->pci.bar0 == 0 || (may_size && size_bar0(nic, low, high) < E1000_BAR0_MIN_SIZE)) {
    return false;
  }
  nic->io_base = find_io_base(nic);
  nic->registers = menios_map(NULL, nic->pci.bar0, E1000_BAR0_MIN_SIZE);
  if(!nic->registers) {
    return false;
  }
  set_command(nic, (nic->command | COMMAND_IO_SPACE | PCI_COMMAND_MEMORY_SPACE | PCI_COMMAND_BUS_MASTER) &
                       ~COMMAND_INTX_DISABLE);
  return true;
}

void menios_pci_release(const struct menios_nic *nic) {
  set_command(nic, nic->command);
}
