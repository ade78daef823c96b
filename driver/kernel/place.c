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

static void read_bars(const struct config *config, const struct net_handoff_bridge *at, struct kernel_nic *nic) {
  for(uint8_t i = 0; i < NET_HANDOFF_BARS; i++) {
    uint32_t low = read_at(config, at, (uint8_t)(PCI_BAR0 + 4U * i));
    nic->bar[i] = low & (low & BAR_IO ? BAR_IO_MASK : BAR_MEMORY_MASK);
    if(!(low & BAR_IO) && (low & BAR_TYPE_MASK) == BAR_TYPE_64BIT && i + 1U < NET_HANDOFF_BARS) {
      nic->bar[i] |= (uint64_t)read_at(config, at, (uint8_t)(PCI_BAR0 + 4U * (i + 1U))) << 32;
      i++;
    }
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
