/* virtio_sim_pci.c - the simulated virtio device's configuration space: BARs and capabilities (VIRTIO 1.2, 4.1). */
#include "virtio_sim_internal.h"

#include <string.h>

#define PCI_COMMAND     0x04U
#define PCI_STATUS      0x06U
#define PCI_BAR0        0x10U
#define PCI_CAP_POINTER 0x34U
#define PCI_INT_LINE    0x3CU
#define FIRST_CAP       0x40U

#define COMMAND_MASTER   0x0004U
#define COMMAND_WRITABLE 0x0547U
#define STATUS_CAPS      0x10U

#define CAP_POWER  0x01U
#define CAP_VENDOR 0x09U
#define CAP_MSIX   0x11U

#define CFG_COMMON 1U
#define CFG_NOTIFY 2U
#define CFG_ISR    3U
#define CFG_DEVICE 4U
#define CFG_PCI    5U

#define NOTIFY_BYTES (4U * VIRTIO_SIM_QUEUES)
#define QEMU_PART    0x1000U

struct layout {
  struct vsim_place place[STRUCTURES]; /* common, notify, ISR, device */
  uint8_t msix_bar;
  struct {
    uint8_t bar;
    bool wide; /* 64 bits, so that it takes the next register too */
    uint32_t size;
  } bars[4];
};

static const struct layout layouts[] = {
    [VIRTIO_SIM_LAYOUT_QEMU] =
        {.place = {{4, 0, QEMU_PART}, {4, 0x3000, QEMU_PART}, {4, 0x1000, QEMU_PART}, {4, 0x2000, QEMU_PART}},
         .msix_bar = 1,
         .bars = {{1, false, 0x1000}, {4, true, 0x4000}}},
    [VIRTIO_SIM_LAYOUT_BAR0] = {.place = {{0, 0x100, 56}, {0, 0x200, NOTIFY_BYTES}, {0, 0x140, 1}, {0, 0x180, 12}},
                                .msix_bar = 2,
                                .bars = {{0, true, 0x1000}, {2, false, 0x1000}}},
    [VIRTIO_SIM_LAYOUT_APART] =
        {.place = {{1, 0x80, 56}, {2, 0x800, NOTIFY_BYTES}, {4, 0x11, 1}, {5, 0x20, 12}},
         .msix_bar = 4,
         .bars = {{1, false, 0x1000}, {2, true, 0x1000}, {4, false, 0x4000}, {5, false, 0x100}}},
    [VIRTIO_SIM_LAYOUT_ODD] =
        {.place = {{4, 0, QEMU_PART}, {4, 0x3000, QEMU_PART}, {4, 0x1000, QEMU_PART}, {4, 0x2000, QEMU_PART}},
         .msix_bar = 1,
         .bars = {{1, false, 0x1000}, {4, true, 0x4000}}},
};

/* Where the next capability goes, and the pointer that is to name it. */
struct builder {
  uint8_t *space;
  uint32_t next;
  uint32_t pointer;
};

static uint8_t *add_cap(struct builder *to, uint8_t id, uint32_t length) {
  uint8_t *cap = to->space + to->next;
  to->space[to->pointer] = (uint8_t)to->next;
  cap[0] = id;
  to->pointer = to->next + 1U;
  to->next += (length + 3U) & ~3U;
  return cap;
}

static void put32(uint8_t *at, uint32_t value) {
  for(uint32_t i = 0; i < 4; i++) {
    at[i] = (uint8_t)(value >> 8U * i);
  }
}

static uint8_t *add_structure(struct builder *to, uint8_t type, const struct vsim_place *place) {
  uint32_t length = type == CFG_NOTIFY || type == CFG_PCI ? 20U : 16U;
  uint8_t *cap = add_cap(to, CAP_VENDOR, length);
  cap[2] = (uint8_t)length;
  cap[3] = type;
  cap[4] = place->bar;
  put32(cap + 8, place->offset);
  put32(cap + 12, place->length);
  return cap;
}

static void add_structures(struct virtio_sim *sim, struct builder *to) {
  static const uint8_t type[STRUCTURES] = {CFG_COMMON, CFG_NOTIFY, CFG_ISR, CFG_DEVICE};
  static const struct vsim_place worse = {4, 0x3000, 0x100};
  static const struct vsim_place reserved = {6, 0, 0x100};
  if(sim->config.layout == VIRTIO_SIM_LAYOUT_ODD) {
    (void)add_structure(to, CFG_COMMON, &reserved);
    (void)add_structure(to, 0x77, &worse);
  }
  for(uint32_t i = STRUCTURES; i-- > 0;) {
    uint8_t *cap = add_structure(to, type[i], &sim->place[i]);
    if(i == IN_NOTIFY) {
      put32(cap + 16, vsim_notify_multiplier(sim));
    }
    if(sim->config.layout == VIRTIO_SIM_LAYOUT_APART && i != IN_NOTIFY) {
      (void)add_structure(to, type[i], &worse);
    }
  }
}

static void build_bars(struct virtio_sim *sim, const struct layout *layout) {
  uint32_t address = 0xFE000000U;
  for(uint32_t i = 0; i < 4U && layout->bars[i].size; i++) {
    uint32_t bar = layout->bars[i].bar;
    sim->platform.bar[bar] = (struct net_bar){NET_BAR_MEMORY, layout->bars[i].size};
    put32(sim->space + PCI_BAR0 + 4U * bar, address | (layout->bars[i].wide ? 0x0CU : 0U));
    address += 0x10000U;
  }
  if(sim->config.device_id == VIRTIO_SIM_TRANSITIONAL) {
    sim->platform.bar[0] = (struct net_bar){NET_BAR_IO, 0x20};
    put32(sim->space + PCI_BAR0, 0xC001U);
  }
}

void vsim_build_space(struct virtio_sim *sim) {
  const struct layout *layout = &layouts[sim->config.layout];
  const uint8_t header[] = {0xF4, 0x1A, (uint8_t)sim->config.device_id, (uint8_t)(sim->config.device_id >> 8), 0x07};
  memcpy(sim->space, header, sizeof(header));
  sim->space[PCI_STATUS] = STATUS_CAPS;
  sim->space[0x08] = sim->config.device_id == VIRTIO_SIM_TRANSITIONAL ? 0 : 1;
  sim->space[0x0B] = 0x02; /* network controller */
  sim->space[0x2C] = 0xF4;
  sim->space[0x2D] = 0x1A;
  sim->space[0x2E] = sim->config.device_id == VIRTIO_SIM_TRANSITIONAL ? 0x01 : 0;
  sim->space[0x2F] = sim->config.device_id == VIRTIO_SIM_TRANSITIONAL ? 0 : 0x11;
  memcpy(sim->place, layout->place, sizeof(sim->place));
  sim->msix_bar = layout->msix_bar;
  build_bars(sim, layout);

  struct builder to = {.space = sim->space, .next = FIRST_CAP, .pointer = PCI_CAP_POINTER};
  if(sim->config.layout == VIRTIO_SIM_LAYOUT_ODD) {
    (void)add_cap(&to, CAP_POWER, 8);
  }
  uint8_t *msix = add_cap(&to, CAP_MSIX, 12);
  sim->msix_cap = (uint32_t)(msix - sim->space);
  msix[2] = VIRTIO_SIM_VECTORS - 1U;
  bool shares = sim->config.layout == VIRTIO_SIM_LAYOUT_APART; /* its BAR with a structure */
  put32(msix + 4, layout->msix_bar | (shares ? 0x1000U : 0U));
  put32(msix + 8, layout->msix_bar | (shares ? 0x1800U : 0x800U));
  add_structures(sim, &to);
  sim->access_cap = (uint32_t)(add_structure(&to, CFG_PCI, &(struct vsim_place){0, 0, 0}) - sim->space);
}

uint32_t vsim_notify_multiplier(const struct virtio_sim *sim) {
  return sim->config.doorbells_shared ? 0 : 4U;
}

/* Elsewhere than in QEMU the doorbells lie in another order than the queues. */
uint32_t vsim_notify_off(const struct virtio_sim *sim, uint32_t queue) {
  return sim->config.layout == VIRTIO_SIM_LAYOUT_QEMU ? queue : VIRTIO_SIM_QUEUES - 1U - queue;
}

/* Access to it ----------------------------------------------------------------------------------------------------- */

static bool valid(struct virtio_sim *sim, uint32_t offset, uint32_t width) {
  if((width != 1 && width != 2 && width != 4) || offset % width || offset + width > VSIM_CONFIG_SPACE) {
    vsim_violate(sim, "configuration space accessed askew", offset);
    return false;
  }
  return true;
}

/* 4.1.4.9: pci_cfg_data is the register that bar, offset and length before it name. */
static bool is_window(const struct virtio_sim *sim, uint32_t offset) {
  return offset == sim->access_cap + 16U;
}

static uint32_t window(const struct virtio_sim *sim, uint32_t *offset, uint32_t *width) {
  const uint8_t *cap = sim->space + sim->access_cap;
  *offset = (uint32_t)sim_little(cap + 8, 4);
  *width = (uint32_t)sim_little(cap + 12, 4);
  return cap[4];
}

static uint32_t interrupt_status(const struct virtio_sim *sim, uint32_t offset, uint32_t width) {
  bool covers = offset <= PCI_STATUS && offset + width > PCI_STATUS;
  return covers && sim->isr && !vsim_msix(sim) ? 8U << 8U * (PCI_STATUS - offset) : 0;
}

uint32_t vsim_space_read(struct virtio_sim *sim, uint32_t offset, uint32_t width) {
  sim->accesses++;
  if(!valid(sim, offset, width) || vsim_is_gone(sim) || sim->accesses == sim->config.read_fails_at) {
    return UINT32_MAX;
  }
  if(is_window(sim, offset)) {
    uint32_t at = 0;
    uint32_t bytes = 0;
    uint32_t bar = window(sim, &at, &bytes);
    sim->accesses--; /* the register access counts itself */
    return vsim_bar_read(sim, bar, at, bytes);
  }
  uint32_t value = 0;
  memcpy(&value, sim->space + offset, width);
  return value | interrupt_status(sim, offset, width);
}

static bool is_writable(const struct virtio_sim *sim, uint32_t offset, uint32_t width) {
  bool in_window = offset >= sim->access_cap + 4U && offset + width <= sim->access_cap + 20U;
  return offset == PCI_COMMAND || (offset == PCI_INT_LINE && width == 1) || offset == sim->msix_cap + 2U || in_window;
}

static void write_command(struct virtio_sim *sim, uint32_t value) {
  sim->space[PCI_COMMAND] = (uint8_t)(value & COMMAND_WRITABLE);
  sim->space[PCI_COMMAND + 1U] = (uint8_t)((value & COMMAND_WRITABLE) >> 8);
  if(!(value & COMMAND_MASTER) && sim->config.master_ends) {
    sim->status &= (uint8_t)~ST_DRIVER_OK;
  }
}

void vsim_space_write(struct virtio_sim *sim, uint32_t offset, uint32_t width, uint32_t value) {
  sim->accesses++;
  if(!valid(sim, offset, width) || vsim_is_gone(sim)) {
    return;
  }
  if(!is_writable(sim, offset, width)) {
    vsim_violate(sim, "configuration space written where nothing may be", offset);
  } else if(offset == PCI_COMMAND) {
    write_command(sim, width == 1 ? value | (uint32_t)sim->space[PCI_COMMAND + 1U] << 8 : value);
  } else if(offset == sim->msix_cap + 2U) {
    sim->space[sim->msix_cap + 3U] = (uint8_t)(value >> 8 & 0xC0U);
  } else if(is_window(sim, offset)) {
    uint32_t at = 0;
    uint32_t bytes = 0;
    uint32_t bar = window(sim, &at, &bytes);
    sim->accesses--;
    vsim_bar_write(sim, bar, at, bytes, value);
  } else {
    memcpy(sim->space + offset, &value, width);
  }
  vsim_update_interrupt(sim);
}
