/* nic.c - the reference kernel's NIC: found on the bus, its registers mapped, its interrupt routed. */
#include "nic.h"

#include "../../app/args.h"
#include "arch.h"
#include "net/barrier.h"

#define DMA_ALIGN_MIN     4096U
#define PCI_COMMAND       0x04U
#define PCI_COMMAND_IO    1U
#define PCI_COMMAND_ON    6U /* memory decoding, bus mastering */
#define PCI_CAPABILITIES  0x34U
#define PCI_INTERRUPT     0x3CU
#define PCI_HEADER_TYPE   0x0CU
#define PCI_MULTIFUNCTION (1U << 23)
#define PCI_MSI           0x05U
#define PCI_MSI_ENABLE    (1U << 16)
#define PCI_MSIX          0x11U
#define PCI_MSIX_ENABLE   (1U << 31)
#define PCI_MSIX_TABLE    4U
#define PCI_MSIX_BIR      7U
#define PCI_NO_DEVICE     0xFFFFFFFFU

static struct {
  const struct kernel_nic *nic;
  struct net_platform platform;
  uint8_t *heap;
  size_t heap_size;
  size_t heap_used;
} state;

/* Platform ------------------------------------------------------------------------------------------------------- */

static bool is_port(uint32_t bar) {
  return state.platform.bar[bar].kind == NET_BAR_IO;
}

static uint16_t port(uint32_t bar, uint32_t offset) {
  return (uint16_t)(state.nic->bar[bar] + offset);
}

/* Where memory is, there it is mapped. */
static volatile void *memory(uint32_t bar, uint32_t offset) {
  return mmio(state.nic->bar[bar] + offset);
}

static uint32_t read32(void *ctx, uint32_t bar, uint32_t offset) {
  (void)ctx;
  return is_port(bar) ? in32(port(bar, offset)) : *(volatile uint32_t *)memory(bar, offset);
}

static uint16_t read16(void *ctx, uint32_t bar, uint32_t offset) {
  (void)ctx;
  return is_port(bar) ? in16(port(bar, offset)) : *(volatile uint16_t *)memory(bar, offset);
}

static uint8_t read8(void *ctx, uint32_t bar, uint32_t offset) {
  (void)ctx;
  return is_port(bar) ? in8(port(bar, offset)) : *(volatile uint8_t *)memory(bar, offset);
}

static void write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  (void)ctx;
  net_dma_wmb();
  if(is_port(bar)) {
    out32(port(bar, offset), value);
  } else {
    *(volatile uint32_t *)memory(bar, offset) = value;
  }
}

static void write16(void *ctx, uint32_t bar, uint32_t offset, uint16_t value) {
  (void)ctx;
  net_dma_wmb();
  if(is_port(bar)) {
    out16(port(bar, offset), value);
  } else {
    *(volatile uint16_t *)memory(bar, offset) = value;
  }
}

static void write8(void *ctx, uint32_t bar, uint32_t offset, uint8_t value) {
  (void)ctx;
  net_dma_wmb();
  if(is_port(bar)) {
    out8(port(bar, offset), value);
  } else {
    *(volatile uint8_t *)memory(bar, offset) = value;
  }
}

static void *take(size_t size, size_t align) {
  size_t start = (state.heap_used + align - 1U) & ~(align - 1U);
  if(start + size > state.heap_size) {
    return NULL;
  }
  state.heap_used = start + size;
  return state.heap + start;
}

static void *heap_alloc(void *ctx, size_t size) {
  (void)ctx;
  return take(size, _Alignof(max_align_t));
}

static void heap_free(void *ctx, void *block, size_t size) {
  (void)ctx;
  (void)block;
  (void)size;
}

static int dma_alloc(void *ctx, size_t size, size_t align, uint32_t address_bits, struct net_dma *out) {
  (void)ctx;
  (void)address_bits; /* the heap lies below 4 GiB */
  void *block = take(size, align > DMA_ALIGN_MIN ? align : DMA_ALIGN_MIN);
  if(!block) {
    return NETDEV_E_NO_MEMORY;
  }
  *out = (struct net_dma){block, (uint64_t)block, size, NULL};
  return NETDEV_OK;
}

static void dma_free(void *ctx, struct net_dma *dma) {
  (void)ctx;
  (void)dma;
}

static uint64_t now_us(void *ctx) {
  (void)ctx;
  return clock_us();
}

static void delay_us(void *ctx, uint32_t us) {
  (void)ctx;
  uint64_t start = clock_us();
  while(clock_us() - start < us) {
  }
}

static void log_line(void *ctx, enum net_log_level level, const char *text, uint32_t value) {
  (void)ctx;
  if(level <= NET_LOG_INFO) {
    serial_text("kernel: ");
    serial_text(text);
    serial_text(" ");
    serial_number(value);
    serial_text("\r\n");
  }
}

void *nic_map(void *ctx, uint64_t physical, uint64_t size) {
  (void)ctx;
  return paging_map(physical, size) ? (void *)physical : NULL;
}

/* Configuration space -------------------------------------------------------------------------------------------- */

static uint32_t config_read(const struct kernel_nic *nic, uint32_t offset) {
  return pci_read(nic->bus, nic->device, nic->function, (uint8_t)offset);
}

static void config_write(const struct kernel_nic *nic, uint32_t offset, uint32_t value) {
  pci_write(nic->bus, nic->device, nic->function, (uint8_t)offset, value);
}

/* Bus ------------------------------------------------------------------------------------------------------------ */

static uint32_t read_config(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function,
                            uint8_t offset) {
  (void)ctx;
  return segment == 0 ? pci_read(bus, device, function, offset) : PCI_NO_DEVICE;
}

static void write_config(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint8_t offset,
                         uint32_t value) {
  (void)ctx;
  if(segment == 0) {
    pci_write(bus, device, function, offset, value);
  }
}

static uint32_t platform_config_read(void *ctx, uint32_t offset, uint32_t width) {
  return kernel_nic_config_read(read_config, ctx, state.nic, offset, width);
}

static void platform_config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value) {
  kernel_nic_config_write(read_config, write_config, ctx, state.nic, offset, width, value);
}

static bool is_known(uint8_t bus, uint8_t device, uint8_t function, struct kernel_nic *nic) {
  uint32_t id = pci_read(bus, device, function, 0);
  const struct net_device_id what = {.vendor_id = (uint16_t)id, .device_id = (uint16_t)(id >> 16)};
  return id != PCI_NO_DEVICE && net_driver_find(&what, NULL) &&
         kernel_nic_look(read_config, NULL, 0, bus, device, function, nic);
}

bool nic_find(uint32_t index, struct kernel_nic *nic) {
  for(uint32_t place = 0; place < 256U * 32U; place++) {
    uint8_t bus = (uint8_t)(place / 32U);
    uint8_t device = place % 32U;
    uint32_t functions = pci_read(bus, device, 0, PCI_HEADER_TYPE) & PCI_MULTIFUNCTION ? 8 : 1;
    for(uint8_t function = 0; function < functions; function++) {
      if(is_known(bus, device, function, nic) && index-- == 0) {
        return true;
      }
    }
  }
  return false;
}

/* Setting up ----------------------------------------------------------------------------------------------------- */

/* A NIC that runs has both already, and a write would reach it (HANDOFF.md, check 8). */
static void enable(const struct kernel_nic *nic) {
  uint32_t command = config_read(nic, PCI_COMMAND) & 0xFFFFU;
  if((command & PCI_COMMAND_ON) != PCI_COMMAND_ON) {
    config_write(nic, PCI_COMMAND, command | PCI_COMMAND_ON);
  }
}

/* Every BAR, wherever it is: memory uncached, ports where they are decoded. */
static void map_bars(const struct kernel_nic *nic, const uint64_t size[NET_BAR_COUNT]) {
  bool ports = config_read(nic, PCI_COMMAND) & PCI_COMMAND_IO;
  for(uint32_t i = 0; i < NET_BAR_COUNT; i++) {
    struct net_bar *bar = &state.platform.bar[i];
    *bar = (struct net_bar){NET_BAR_NONE, size[i]};
    if((nic->bar_flags[i] & NET_HANDOFF_BAR_MEMORY) && paging_uncache(nic->bar[i], size[i])) {
      bar->kind = NET_BAR_MEMORY;
    } else if((nic->bar_flags[i] & NET_HANDOFF_BAR_IO) && ports) {
      bar->kind = NET_BAR_IO;
    }
  }
}

const struct net_platform *nic_platform(const struct kernel_nic *nic, uint64_t table, uint8_t *heap, size_t heap_size) {
  uint64_t size[NET_BAR_COUNT];
  state.nic = nic;
  state.heap = heap;
  state.heap_size = heap_size;
  state.platform = (struct net_platform){
      .version = NET_PLATFORM_VERSION,
      .size = sizeof(struct net_platform),
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
  if(!kernel_handoff_bars(&state.platform, nic, (void *)table, NET_HANDOFF_MAX_SIZE, table, size)) {
    kernel_nic_size(read_config, write_config, NULL, nic, size);
  }
  enable(nic);
  map_bars(nic, size);
  return &state.platform;
}

/* Interrupts ----------------------------------------------------------------------------------------------------- */

static uint8_t capability(const struct kernel_nic *nic, uint8_t id) {
  uint8_t at = (uint8_t)config_read(nic, PCI_CAPABILITIES);
  while(at) {
    uint32_t header = config_read(nic, at);
    if((uint8_t)header == id) {
      return at;
    }
    at = (uint8_t)(header >> 8);
  }
  return 0;
}

/* Both of QEMU's machines: on q35 the devices of bus 0 are spread over inputs 20 to 23, on pc the Interrupt Line holds
 * the input. Either may be unused, so both are routed. */
static void route_intx(const struct kernel_nic *nic) {
  uint32_t interrupt = config_read(nic, PCI_INTERRUPT);
  ioapic_route(20U + ((nic->device + ((interrupt >> 8) & 0xFFU) - 1U) & 3U));
  ioapic_route(interrupt & 0xFU);
}

static bool route_msi(const struct kernel_nic *nic) {
  uint8_t at = capability(nic, PCI_MSI);
  if(!at) {
    return false;
  }
  config_write(nic, at + 4U, MSI_ADDRESS);
  config_write(nic, at + 8U, 0);
  config_write(nic, at + 12U, NIC_VECTOR);
  config_write(nic, at, config_read(nic, at) | PCI_MSI_ENABLE);
  return true;
}

/* The entry is filled in before MSI-X is switched on: no message goes anywhere else. */
static bool route_msix(const struct kernel_nic *nic) {
  uint8_t at = capability(nic, PCI_MSIX);
  if(!at) {
    return false;
  }
  uint32_t place = config_read(nic, at + PCI_MSIX_TABLE);
  if((place & PCI_MSIX_BIR) >= NET_BAR_COUNT || state.platform.bar[place & PCI_MSIX_BIR].kind != NET_BAR_MEMORY) {
    return false;
  }
  volatile uint32_t *entry = memory(place & PCI_MSIX_BIR, place & ~PCI_MSIX_BIR);
  entry[0] = MSI_ADDRESS;
  entry[1] = 0;
  entry[2] = NIC_VECTOR;
  entry[3] = 0;
  config_write(nic, at, config_read(nic, at) | PCI_MSIX_ENABLE);
  return true;
}

bool nic_route(const struct kernel_nic *nic, const char *interrupts, enum netdev_irq_mode *mode) {
  if(text_equal(interrupts, "msi")) {
    *mode = NETDEV_IRQ_MSI;
    return route_msi(nic);
  }
  if(text_equal(interrupts, "msix")) {
    *mode = NETDEV_IRQ_MSIX;
    return route_msix(nic);
  }
  *mode = NETDEV_IRQ_INTX;
  if(text_equal(interrupts, "pic")) {
    pic_route(config_read(nic, PCI_INTERRUPT) & 0xFU);
  } else {
    route_intx(nic);
  }
  return true;
}
