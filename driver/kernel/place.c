/* place.c - where a PCI function is, as a kernel sees it: what the handoff's entry is compared with. */
#include "place.h"

#include <stddef.h>

#define PCI_ID          0x00U
#define PCI_COMMAND     0x04U
#define PCI_REVISION    0x08U
#define PCI_HEADER      0x0CU
#define PCI_BAR0        0x10U
#define PCI_BUSES       0x18U /* of a bridge: primary, secondary, subordinate bus */
#define PCI_SUBSYSTEM   0x2CU
#define PCI_CONFIG_SIZE 256U
#define PCI_NOBODY      0xFFFFFFFFU
#define COMMAND_FORWARD 6U /* memory space, bus mastering */
#define HEADER_MULTI    (1U << 23)
#define HEADER_TYPE(d)  ((d) >> 16 & 0x7FU)
#define HEADER_BRIDGE   1U
#define DEVICES         32U
#define FUNCTIONS       8U
#define BAR_IO          (1U << 0)
#define BAR_IO_MASK     0xFFFFFFFCU
#define BAR_MEMORY_MASK 0xFFFFFFF0U
#define BAR_TYPE_MASK   6U
#define BAR_TYPE_64BIT  4U
#define BAR_PREFETCH    8U
#define COMMAND_DECODE  3U /* I/O and memory space */

/* Configuration space -------------------------------------------------------------------------------------------- */

static uint32_t mask_of(uint32_t width) {
  return width == 4 ? UINT32_MAX : (1U << 8U * width) - 1U;
}

uint32_t kernel_nic_config_read(kernel_config_read read, void *ctx, const struct kernel_nic *nic, uint32_t offset,
                                uint32_t width) {
  if(offset >= PCI_CONFIG_SIZE) {
    return UINT32_MAX;
  }
  uint32_t value = read(ctx, nic->segment, nic->bus, nic->device, nic->function, (uint8_t)(offset & ~3U));
  return value >> 8U * (offset & 3U) & mask_of(width);
}

void kernel_nic_config_write(kernel_config_read read, kernel_config_write write, void *ctx,
                             const struct kernel_nic *nic, uint32_t offset, uint32_t width, uint32_t value) {
  if(offset >= PCI_CONFIG_SIZE) {
    return;
  }
  uint8_t at = (uint8_t)(offset & ~3U);
  uint32_t shift = 8U * (offset & 3U);
  uint32_t mask = mask_of(width) << shift;
  uint32_t rest = 0;
  if(mask != UINT32_MAX) {
    rest = read(ctx, nic->segment, nic->bus, nic->device, nic->function, at) & ~mask;
    rest &= at == PCI_COMMAND ? 0xFFFFU : UINT32_MAX;
  }
  write(ctx, nic->segment, nic->bus, nic->device, nic->function, at, rest | (value << shift & mask));
}

/* How to read a segment. */
struct config {
  kernel_config_read read;
  void *ctx;
  uint16_t segment;
};

static uint32_t read_at(const struct config *config, const struct net_handoff_bridge *at, uint8_t offset) {
  return config->read(config->ctx, config->segment, at->bus, at->device, at->function, offset);
}

/* Path ----------------------------------------------------------------------------------------------------------- */

static bool leads_to(const struct config *config, const struct net_handoff_bridge *at, uint8_t bus) {
  uint32_t header = read_at(config, at, PCI_HEADER);
  return header != PCI_NOBODY && HEADER_TYPE(header) == HEADER_BRIDGE &&
         (uint8_t)(read_at(config, at, PCI_BUSES) >> 8) == bus;
}

/* The bridge to `bus`. It is on a bus with a lower number. */
static bool find_bridge(const struct config *config, uint8_t bus, struct net_handoff_bridge *at) {
  for(uint32_t place = 0; place < bus * DEVICES * FUNCTIONS; place++) {
    *at = (struct net_handoff_bridge){.bus = (uint8_t)(place / (DEVICES * FUNCTIONS)),
                                      .device = place / FUNCTIONS % DEVICES,
                                      .function = place % FUNCTIONS};
    uint32_t header = read_at(config, at, PCI_HEADER);
    if(leads_to(config, at, bus)) {
      return true;
    }
    if(at->function == 0 && (header == PCI_NOBODY || !(header & HEADER_MULTI))) {
      place += FUNCTIONS - 1U;
    }
  }
  return false;
}

static void find_path(const struct config *config, struct kernel_nic *nic) {
  struct net_handoff_bridge bridge;
  uint8_t bus = nic->bus;
  nic->path_known = true;
  nic->path_open = true;
  while(find_bridge(config, bus, &bridge)) {
    if(nic->path_count == NET_HANDOFF_PATH_MAX) {
      nic->path_known = false;
      nic->path_open = false;
      nic->path_count = 0;
      return;
    }
    for(uint32_t i = nic->path_count; i > 0; i--) {
      nic->path[i] = nic->path[i - 1U];
    }
    nic->path[0] = bridge;
    nic->path_count++;
    nic->path_open &= (read_at(config, &bridge, PCI_COMMAND) & COMMAND_FORWARD) == COMMAND_FORWARD;
    bus = bridge.bus;
  }
}

/* BARs ----------------------------------------------------------------------------------------------------------- */

static bool is_64bit(uint32_t low) {
  return !(low & BAR_IO) && (low & BAR_TYPE_MASK) == BAR_TYPE_64BIT;
}

static uint32_t flags_of(uint32_t low) {
  return low & BAR_IO ? NET_HANDOFF_BAR_IO
                      : NET_HANDOFF_BAR_MEMORY | (is_64bit(low) ? NET_HANDOFF_BAR_64BIT : 0) |
                            (low & BAR_PREFETCH ? NET_HANDOFF_BAR_PREFETCHABLE : 0);
}

static void read_bars(const struct config *config, const struct net_handoff_bridge *at, struct kernel_nic *nic) {
  for(uint8_t i = 0; i < NET_HANDOFF_BARS; i++) {
    uint32_t low = read_at(config, at, (uint8_t)(PCI_BAR0 + 4U * i));
    uint8_t number = i;
    nic->bar[number] = low & (low & BAR_IO ? BAR_IO_MASK : BAR_MEMORY_MASK);
    if(is_64bit(low) && i + 1U < NET_HANDOFF_BARS) {
      i++;
      nic->bar[number] |= (uint64_t)read_at(config, at, (uint8_t)(PCI_BAR0 + 4U * i)) << 32;
    }
    nic->bar_flags[number] = nic->bar[number] ? flags_of(low) : 0;
  }
}

bool kernel_nic_look(kernel_config_read read, void *ctx, uint16_t segment, uint8_t bus, uint8_t device,
                     uint8_t function, struct kernel_nic *nic) {
  const struct config config = {read, ctx, segment};
  const struct net_handoff_bridge at = {bus, device, function, 0};
  uint32_t id = read_at(&config, &at, PCI_ID);
  *nic = (struct kernel_nic){0};
  if(id == PCI_NOBODY) {
    return false;
  }
  uint32_t subsystem = read_at(&config, &at, PCI_SUBSYSTEM);
  nic->segment = segment;
  nic->bus = bus;
  nic->device = device;
  nic->function = function;
  nic->vendor_id = (uint16_t)id;
  nic->device_id = (uint16_t)(id >> 16);
  nic->revision_id = (uint8_t)read_at(&config, &at, PCI_REVISION);
  nic->subsystem_vendor_id = (uint16_t)subsystem;
  nic->subsystem_id = (uint16_t)(subsystem >> 16);
  read_bars(&config, &at, nic);
  find_path(&config, nic);
  return true;
}

/* Sizes ---------------------------------------------------------------------------------------------------------- */

/* How to write what a struct config reads, of one function. */
struct sizing {
  const struct config *config;
  struct net_handoff_bridge at;
  kernel_config_write write;
};

static uint32_t get(const struct sizing *sizing, uint32_t offset) {
  return read_at(sizing->config, &sizing->at, (uint8_t)offset);
}

static void put(const struct sizing *sizing, uint32_t offset, uint32_t value) {
  const struct config *config = sizing->config;
  sizing->write(config->ctx, config->segment, sizing->at.bus, sizing->at.device, sizing->at.function, (uint8_t)offset,
                value);
}

/* Which bits of a BAR's register can be set: those that its size leaves to the address (PCI 3.0, 6.2.5.1). */
static uint32_t writable(const struct sizing *sizing, uint32_t offset) {
  uint32_t before = get(sizing, offset);
  put(sizing, offset, UINT32_MAX);
  uint32_t bits = get(sizing, offset);
  put(sizing, offset, before);
  return bits;
}

/* Of a BAR with the lower half `low`; an I/O BAR need not have the upper half of its address. */
static uint64_t size_bar(const struct sizing *sizing, uint32_t low, uint32_t offset) {
  uint32_t bits = writable(sizing, offset);
  if(low & BAR_IO) {
    return (bits & BAR_IO_MASK) ? (~(bits & BAR_IO_MASK) & 0xFFFFU) + 1U : 0;
  }
  uint64_t mask = bits & BAR_MEMORY_MASK;
  if(is_64bit(low) && offset < PCI_BAR0 + 4U * (NET_HANDOFF_BARS - 1U)) {
    mask |= (uint64_t)writable(sizing, offset + 4U) << 32;
  } else if(mask) {
    mask |= UINT64_MAX << 32;
  }
  return mask ? ~mask + 1U : 0;
}

void kernel_nic_size(kernel_config_read read, kernel_config_write write, void *ctx, const struct kernel_nic *nic,
                     uint64_t size[NET_HANDOFF_BARS]) {
  const struct config config = {read, ctx, nic->segment};
  const struct sizing sizing = {&config, {nic->bus, nic->device, nic->function, 0}, write};
  uint32_t command = get(&sizing, PCI_COMMAND) & 0xFFFFU; /* zeroes to the status half, whose bits ones clear */
  put(&sizing, PCI_COMMAND, command & ~COMMAND_DECODE);
  for(uint32_t i = 0; i < NET_HANDOFF_BARS; i++) {
    uint32_t offset = PCI_BAR0 + 4U * i;
    uint32_t low = get(&sizing, offset);
    size[i] = size_bar(&sizing, low, offset);
    if(is_64bit(low) && i + 1U < NET_HANDOFF_BARS) {
      size[++i] = 0;
    }
  }
  put(&sizing, PCI_COMMAND, command);
}

/* Comparison ----------------------------------------------------------------------------------------------------- */

static bool same_path(const struct kernel_nic *nic, const struct net_handoff_nic *entry) {
  if(!nic->path_known || !(entry->flags & NET_HANDOFF_PATH_KNOWN)) {
    return nic->bus == entry->pci_bus;
  }
  uint8_t root = nic->path_count > 0 ? nic->path[0].bus : nic->bus;
  uint8_t entry_root = entry->path_count > 0 ? entry->path[0].bus : entry->pci_bus;
  if(nic->path_count != entry->path_count || root != entry_root) {
    return false;
  }
  for(uint32_t i = 0; i < nic->path_count; i++) {
    if(nic->path[i].device != entry->path[i].device || nic->path[i].function != entry->path[i].function) {
      return false;
    }
  }
  return true;
}

/* A device that runs has not been moved: its registers are where they were, on the bus and for the processor. */
static bool same_bars(const struct kernel_nic *nic, const struct net_handoff_nic *entry) {
  for(uint32_t i = 0; i < NET_HANDOFF_BARS; i++) {
    const struct net_handoff_bar *bar = &entry->bar[i];
    if(bar->size > 0 && (bar->flags & NET_HANDOFF_BAR_MEMORY) &&
       (bar->bus != nic->bar[i] || (nic->mapped[i] && bar->processor != nic->mapped[i]))) {
      return false;
    }
  }
  return true;
}

bool kernel_nic_is(const struct kernel_nic *nic, const struct net_handoff_nic *entry) {
  return nic->segment == entry->pci_segment && nic->device == entry->pci_device &&
         nic->function == entry->pci_function && nic->vendor_id == entry->vendor_id &&
         nic->device_id == entry->device_id && same_path(nic, entry) && same_bars(nic, entry);
}

/* A device answers to the number of its bus: what is read for it comes back by that (PCI Express 2.2.6.2), and a new
 * one takes effect while a read may be on its way. */
const char *kernel_nic_cut_off(const struct kernel_nic *nic, const struct net_handoff_nic *entry) {
  bool moved = nic->bus != entry->pci_bus;
  if(nic->path_known && (entry->flags & NET_HANDOFF_PATH_KNOWN)) {
    for(uint32_t i = 0; i < nic->path_count; i++) {
      moved |= nic->path[i].bus != entry->path[i].bus;
    }
  }
  if(moved) {
    return "handoff: the buses were renumbered above a NIC that runs";
  }
  return nic->path_known && !nic->path_open ? "handoff: a bridge above a NIC that runs lets nothing through" : NULL;
}
