/* plain.c - the driver's life in a kernel that has nothing yet: bus, BARs, handoff, start and poll. */
#include "plain.h"
#include "plain_bus.h"

#define PCI_ADDRESS   0xCF8U
#define PCI_DATA      0xCFCU
#define PCI_COMMAND   0x04U
#define PCI_HEADER    0x0CU
#define PCI_MULTI     (1U << 23)
#define PCI_NOBODY    0xFFFFFFFFU
#define COMMAND_IO    1U
#define COMMAND_ON    6U /* memory space, bus mastering */
#define BUSES         256U
#define DEVICES       32U
#define FUNCTIONS     8U
#define BUDGET        64U
#define TICK_US       50000U
#define EFI_SIGNATURE 0x5453595320494249ULL /* "IBI SYST" */
#define EFI_ENTRIES   1024U                 /* more is a table that is damaged */

/* EFI_SYSTEM_TABLE (UEFI 2.10, 4.3), as far as it matters. */
struct system_table {
  uint64_t signature;
  uint64_t header[2];
  uint64_t firmware[2];
  uint64_t consoles_and_services[8];
  uint64_t entry_count;
  uint64_t entries;
};
_Static_assert(sizeof(struct system_table) == 120, "EFI_SYSTEM_TABLE");

static struct {
  struct plain_nic nic[PLAIN_NICS_MAX];
  uint32_t count;
  uint64_t ticked_us;
} plain;

/* Configuration space of segment 0, by ports ---------------------------------------------------------------------- */

static void out32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint32_t in32(uint16_t port) {
  uint32_t value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static void choose(uint8_t bus, uint8_t device, uint8_t function, uint8_t offset) {
  out32(PCI_ADDRESS, 1U << 31 | (uint32_t)bus << 16 | (uint32_t)device << 11 | (uint32_t)function << 8 | offset);
}

uint32_t plain_pci_read(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint8_t offset) {
  (void)ctx;
  if(segment != 0) {
    return PCI_NOBODY;
  }
  choose(bus, device, function, offset);
  return in32(PCI_DATA);
}

void plain_pci_write(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint8_t offset,
                     uint32_t value) {
  (void)ctx;
  if(segment == 0) {
    choose(bus, device, function, offset);
    out32(PCI_DATA, value);
  }
}

uint32_t plain_config_read(void *ctx, uint32_t offset, uint32_t width) {
  const struct plain_nic *nic = ctx;
  return kernel_nic_config_read(plain_pci_read, NULL, &nic->pci, offset, width);
}

void plain_config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value) {
  const struct plain_nic *nic = ctx;
  kernel_nic_config_write(plain_pci_read, plain_pci_write, NULL, &nic->pci, offset, width, value);
}

/* Bus ------------------------------------------------------------------------------------------------------------ */

static bool is_known(uint8_t bus, uint8_t device, uint8_t function, struct plain_nic *nic) {
  uint32_t id = plain_pci_read(NULL, 0, bus, device, function, 0);
  const struct net_device_id what = {.vendor_id = (uint16_t)id, .device_id = (uint16_t)(id >> 16)};
  return id != PCI_NOBODY && net_driver_find(&what, NULL) &&
         kernel_nic_look(plain_pci_read, NULL, 0, bus, device, function, &nic->pci);
}

bool plain_find(uint32_t index, struct plain_nic *nic) {
  *nic = (struct plain_nic){0};
  for(uint32_t place = 0; place < BUSES * DEVICES; place++) {
    uint8_t bus = (uint8_t)(place / DEVICES);
    uint8_t device = place % DEVICES;
    uint32_t functions = plain_pci_read(NULL, 0, bus, device, 0, PCI_HEADER) & PCI_MULTI ? FUNCTIONS : 1;
    for(uint8_t function = 0; function < functions; function++) {
      if(is_known(bus, device, function, nic) && index-- == 0) {
        return true;
      }
    }
  }
  return false;
}

/* What is to be decoded. A BAR that cannot be mapped is none: whether it is needed is the family's to say. */
static uint32_t map_bars(struct plain_nic *nic, const uint64_t size[NET_BAR_COUNT]) {
  uint32_t decode = 0;
  for(uint32_t i = 0; i < NET_BAR_COUNT; i++) {
    struct net_bar *bar = &nic->platform.bar[i];
    *bar = (struct net_bar){NET_BAR_NONE, size[i]};
    if(nic->pci.bar_flags[i] & NET_HANDOFF_BAR_IO) {
      bar->kind = NET_BAR_IO;
      decode |= COMMAND_IO;
    } else if((nic->pci.bar_flags[i] & NET_HANDOFF_BAR_MEMORY) && size[i] > 0) {
      nic->registers[i] = plain_map(NULL, nic->pci.bar[i], size[i]);
      bar->kind = nic->registers[i] ? NET_BAR_MEMORY : NET_BAR_NONE;
    }
  }
  return decode;
}

/* A NIC that may be running is not sized: its sizes are in the handoff. Nor is its command register written without
 * need: QEMU then pushes a frame that it holds back into a NIC that was left quiet, where it is lost. */
void plain_prepare(struct plain_nic *nic) {
  uint64_t size[NET_BAR_COUNT];
  uint64_t table = plain_handoff();
  plain_platform(nic);
  if(!kernel_handoff_bars(&nic->platform, &nic->pci, table ? plain_map(NULL, table, NET_HANDOFF_MAX_SIZE) : NULL,
                          NET_HANDOFF_MAX_SIZE, table, size)) {
    kernel_nic_size(plain_pci_read, plain_pci_write, NULL, &nic->pci, size);
  }
  uint32_t before = plain_config_read(nic, PCI_COMMAND, 2);
  uint32_t command = before | COMMAND_ON | map_bars(nic, size);
  if(command != before) {
    plain_config_write(nic, PCI_COMMAND, 2, command);
  }
}

/* Handoff -------------------------------------------------------------------------------------------------------- */

/* Addresses in the table are physical, or in the loader's direct map. */
uint64_t plain_handoff(void) {
  const struct plain_host *host = plain_host();
  const struct system_table *system = host->system_table ? plain_map(NULL, host->system_table, sizeof(*system)) : NULL;
  if(!system || system->signature != EFI_SIGNATURE || system->entry_count > EFI_ENTRIES) {
    return 0;
  }
  bool mapped = host->direct_map && system->entries >= host->direct_map;
  uint64_t entries = mapped ? system->entries - host->direct_map : system->entries;
  return kernel_handoff_locate(plain_map(NULL, entries, system->entry_count * sizeof(struct kernel_efi_entry)),
                               system->entry_count, host->direct_map);
}

/* Life ----------------------------------------------------------------------------------------------------------- */

uint32_t plain_start(const struct plain_host *host, const struct netdev_client *client) {
  plain_begin(host);
  uint64_t table = plain_handoff();
  for(uint32_t index = 0; plain.count < PLAIN_NICS_MAX && plain_find(index, &plain.nic[plain.count]); index++) {
    struct plain_nic *nic = &plain.nic[plain.count];
    struct netdev_client own = *client;
    enum kernel_nic_origin origin;
    own.ctx = nic;
    plain_prepare(nic);
    if(kernel_nic_start(&nic->platform, &nic->pci, table ? plain_map(NULL, table, NET_HANDOFF_MAX_SIZE) : NULL,
                        NET_HANDOFF_MAX_SIZE, table, plain_map, &own, &nic->dev, &origin) == NETDEV_OK) {
      plain.count++;
    }
  }
  return plain.count;
}

void plain_lease(const struct netdev *dev, struct net_handoff_lease *lease, char source[NET_HANDOFF_SOURCE_MAX]) {
  const struct plain_nic *nic = dev->client.ctx;
  uint64_t table = plain_handoff();
  (void)kernel_handoff_lease(&nic->platform, &nic->pci, table ? plain_map(NULL, table, NET_HANDOFF_MAX_SIZE) : NULL,
                             NET_HANDOFF_MAX_SIZE, table, lease, source);
}

bool plain_poll(void) {
  uint64_t now = plain_now_us(NULL);
  bool tick = now - plain.ticked_us >= TICK_US;
  bool more = false;
  plain.ticked_us = tick ? now : plain.ticked_us;
  for(uint32_t i = 0; i < plain.count; i++) {
    more |= netdev_poll(plain.nic[i].dev, BUDGET) == BUDGET;
    if(tick) {
      (void)netdev_tick(plain.nic[i].dev);
    }
  }
  return more;
}
