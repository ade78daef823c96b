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
#include "net/barrier.h"

#define COMMAND_IO_SPACE     (1U << 0)
#define COMMAND_INTX_DISABLE (1U << 10)

/* menios takes 1 GHz for the TSC's frequency when CPUID does not tell it (QEMU without KVM, processors before Skylake).
 * Its nanoseconds are too short then, by no more than this. */
#define TSC_GUESSED_HZ  1000000000U
#define TSC_MAX_GHZ     5U
#define NANOS_PER_MICRO 1000U

/* Registers ------------------------------------------------------------------------------------------------------ */

static volatile uint8_t *register_at(const struct menios_nic *nic, uint32_t bar, uint32_t offset) {
  return nic->registers[bar] + offset;
}

/* An I/O port has 16 bits on x86. */
static uint16_t port_at(const struct menios_nic *nic, uint32_t bar, uint32_t offset) {
  return (uint16_t)(nic->pci.bar[bar] + offset);
}

static uint32_t read32(void *ctx, uint32_t bar, uint32_t offset) {
  uint32_t value = *(volatile uint32_t *)register_at(ctx, bar, offset);
  net_dma_rmb();
  return value;
}

static uint16_t read16(void *ctx, uint32_t bar, uint32_t offset) {
  uint16_t value = *(volatile uint16_t *)register_at(ctx, bar, offset);
  net_dma_rmb();
  return value;
}

static uint8_t read8(void *ctx, uint32_t bar, uint32_t offset) {
  uint8_t value = *register_at(ctx, bar, offset);
  net_dma_rmb();
  return value;
}

/* Of an I/O BAR the core has but one use: a doubleword written, the 8254x' reset. */
static void write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  const struct menios_nic *nic = ctx;
  net_dma_wmb();
  if(nic->platform.bar[bar].kind == NET_BAR_IO) {
    outl(port_at(nic, bar, offset), value);
  } else {
    *(volatile uint32_t *)register_at(nic, bar, offset) = value;
  }
}

static void write16(void *ctx, uint32_t bar, uint32_t offset, uint16_t value) {
  net_dma_wmb();
  *(volatile uint16_t *)register_at(ctx, bar, offset) = value;
}

static void write8(void *ctx, uint32_t bar, uint32_t offset, uint8_t value) {
  net_dma_wmb();
  *register_at(ctx, bar, offset) = value;
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
static int dma_alloc(void *ctx, size_t size, size_t align, uint32_t address_bits, struct net_dma *out) {
  (void)address_bits;
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
    serial_printf("net: %04x:%02x:%02x.%u: %s (0x%x)\n", nic->pci.segment, nic->pci.bus, nic->pci.device,
                  nic->pci.function, text, value);
  }
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

static uint32_t read_config(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function,
                            uint8_t offset) {
  (void)ctx;
  return pci_config_read_segment(segment, bus, device, function, offset);
}

static void write_config(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint8_t offset,
                         uint32_t value) {
  (void)ctx;
  pci_config_write_segment(segment, bus, device, function, offset, value);
}

/* What the family finds in platform.bar; returns what has to be decoded. A BAR that cannot be mapped is none: whether
 * it is needed is the family's to say. */
static uint32_t map_bars(struct menios_nic *nic, const uint64_t size[NET_BAR_COUNT]) {
  uint32_t decode = 0;
  for(uint32_t i = 0; i < NET_BAR_COUNT; i++) {
    struct net_bar *bar = &nic->platform.bar[i];
    *bar = (struct net_bar){NET_BAR_NONE, size[i]};
    if(nic->pci.bar_flags[i] & NET_HANDOFF_BAR_IO) {
      bar->kind = NET_BAR_IO;
      decode |= COMMAND_IO_SPACE;
    } else if((nic->pci.bar_flags[i] & NET_HANDOFF_BAR_MEMORY) && size[i] > 0) {
      nic->registers[i] = menios_map(NULL, nic->pci.bar[i], size[i]);
      bar->kind = nic->registers[i] ? NET_BAR_MEMORY : NET_BAR_NONE;
      decode |= nic->registers[i] ? PCI_COMMAND_MEMORY_SPACE : 0;
    }
  }
  return decode;
}

/* INTx stays as it is: no handler is registered yet for what the NIC may have pending. */
void menios_pci_prepare(struct menios_nic *nic, const void *table, uint64_t physical) {
  uint64_t size[NET_BAR_COUNT];
  nic->command = (uint16_t)menios_pci_read(nic, PCI_CONFIG_STATUS_COMMAND);
  if(!kernel_handoff_bars(&nic->platform, &nic->pci, table, NET_HANDOFF_MAX_SIZE, physical, size)) {
    kernel_nic_size(read_config, write_config, NULL, &nic->pci, size);
  }
  set_command(nic, nic->command | map_bars(nic, size) | PCI_COMMAND_BUS_MASTER);
}

void menios_pci_allow_intx(const struct menios_nic *nic) {
  set_command(nic, menios_pci_read(nic, PCI_CONFIG_STATUS_COMMAND) & ~COMMAND_INTX_DISABLE);
}

void menios_pci_release(const struct menios_nic *nic) {
  set_command(nic, nic->command);
}

static uint32_t platform_config_read(void *ctx, uint32_t offset, uint32_t width) {
  const struct menios_nic *nic = ctx;
  return kernel_nic_config_read(read_config, NULL, &nic->pci, offset, width);
}

static void platform_config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value) {
  const struct menios_nic *nic = ctx;
  kernel_nic_config_write(read_config, write_config, NULL, &nic->pci, offset, width, value);
}

void menios_platform_init(struct menios_nic *nic) {
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
      .config_read = platform_config_read,
      .config_write = platform_config_write,
      .alloc = heap_alloc,
      .free = heap_free,
      .dma_alloc = dma_alloc,
      .dma_free = dma_free,
      .delay_us = delay_us,
      .now_us = now_us,
      .log = log_line,
  };
}
