/* msi.c - message-signalled interrupts: the capabilities of PCI 3.0, 6.8, with one message. */
#include "msi.h"

#define PCI_STATUS        0x06U
#define STATUS_LIST       (1U << 4) /* there are capabilities */
#define PCI_CAPABILITIES  0x34U
#define FIRST_CAPABILITY  0x40U
#define CAPABILITIES_MAX  48U /* that fit; more is a ring */
#define CONTROL           2U
#define ID_MSI            0x05U
#define MSI_ENABLE        (1U << 0)
#define MSI_MULTIPLE      (7U << 4)
#define MSI_64BIT         (1U << 7)
#define MSI_MASKING       (1U << 8)
#define MSI_ADDRESS       4U
#define ID_MSIX           0x11U
#define MSIX_ENABLE       (1U << 15)
#define MSIX_MASK_ALL     (1U << 14)
#define MSIX_TABLE        4U
#define MSIX_BIR          7U
#define MSIX_ENTRY        16U
#define ENTRY_ADDRESS     0U
#define ENTRY_ADDRESS_TOP 4U
#define ENTRY_DATA        8U
#define ENTRY_CONTROL     12U
#define ENTRY_MASKED      1U

#define X86_ADDRESS  0xFEE00000U
#define X86_ID_SHIFT 12U

struct kernel_msi kernel_msi_x86(uint8_t apic_id, uint8_t vector) {
  return (struct kernel_msi){X86_ADDRESS | (uint32_t)apic_id << X86_ID_SHIFT, vector};
}

static uint32_t get(const struct net_platform *platform, uint32_t offset, uint32_t width) {
  return platform->config_read(platform->ctx, offset, width);
}

static void put(const struct net_platform *platform, uint32_t offset, uint32_t width, uint32_t value) {
  platform->config_write(platform->ctx, offset, width, value);
}

/* Where the capability is, 0 for none. A function that has gone reads as all ones. */
static uint32_t find(const struct net_platform *platform, uint8_t id) {
  uint32_t status = get(platform, PCI_STATUS, 2);
  if(status == 0xFFFFU || !(status & STATUS_LIST)) {
    return 0;
  }
  uint32_t at = get(platform, PCI_CAPABILITIES, 1) & ~3U;
  for(uint32_t i = 0; i < CAPABILITIES_MAX && at >= FIRST_CAPABILITY; i++) {
    if(get(platform, at, 1) == id) {
      return at;
    }
    at = get(platform, at + 1U, 1) & ~3U;
  }
  return 0;
}

bool kernel_msi_enable(const struct net_platform *platform, const struct kernel_msi *message) {
  uint32_t at = find(platform, ID_MSI);
  if(!at) {
    return false;
  }
  uint32_t control = get(platform, at + CONTROL, 2) & ~(MSI_ENABLE | MSI_MULTIPLE);
  bool wide = (control & MSI_64BIT) != 0;
  if(!wide && message->address >> 32) {
    return false;
  }
  put(platform, at + CONTROL, 2, control);
  put(platform, at + MSI_ADDRESS, 4, (uint32_t)message->address);
  uint32_t data = at + MSI_ADDRESS + 4U;
  if(wide) {
    put(platform, data, 4, (uint32_t)(message->address >> 32));
    data += 4U;
  }
  put(platform, data, 2, message->data);
  if(control & MSI_MASKING) {
    put(platform, data + 4U, 4, get(platform, data + 4U, 4) & ~1U);
  }
  put(platform, at + CONTROL, 2, control | MSI_ENABLE);
  return true;
}

/* Switched on with everything masked, for only then does the table count; unmasked when entry 0 is whole. */
bool kernel_msix_enable(const struct net_platform *platform, const struct kernel_msi *message) {
  uint32_t at = find(platform, ID_MSIX);
  uint32_t table = at ? get(platform, at + MSIX_TABLE, 4) : 0;
  uint32_t bar = table & MSIX_BIR;
  uint32_t entry = table & ~MSIX_BIR;
  if(!at || bar >= NET_BAR_COUNT || platform->bar[bar].kind != NET_BAR_MEMORY ||
     (platform->bar[bar].size > 0 && (uint64_t)entry + MSIX_ENTRY > platform->bar[bar].size)) {
    return false;
  }
  uint32_t control = get(platform, at + CONTROL, 2) & ~(MSIX_ENABLE | MSIX_MASK_ALL);
  put(platform, at + CONTROL, 2, control | MSIX_ENABLE | MSIX_MASK_ALL);
  platform->write32(platform->ctx, bar, entry + ENTRY_CONTROL, ENTRY_MASKED);
  platform->write32(platform->ctx, bar, entry + ENTRY_ADDRESS, (uint32_t)message->address);
  platform->write32(platform->ctx, bar, entry + ENTRY_ADDRESS_TOP, (uint32_t)(message->address >> 32));
  platform->write32(platform->ctx, bar, entry + ENTRY_DATA, message->data);
  platform->write32(platform->ctx, bar, entry + ENTRY_CONTROL, 0);
  put(platform, at + CONTROL, 2, control | MSIX_ENABLE);
  return true;
}

static void switch_off(const struct net_platform *platform, uint8_t id, uint32_t enable) {
  uint32_t at = find(platform, id);
  uint32_t control = at ? get(platform, at + CONTROL, 2) : 0;
  if(control & enable) {
    put(platform, at + CONTROL, 2, control & ~enable);
  }
}

void kernel_msi_disable(const struct net_platform *platform) {
  switch_off(platform, ID_MSI, MSI_ENABLE);
  switch_off(platform, ID_MSIX, MSIX_ENABLE);
}

bool kernel_msi_route(struct netdev *dev, const struct kernel_msi *message, uint32_t max_per_second,
                      enum netdev_irq_mode *mode) {
  static const struct {
    enum netdev_irq_mode mode;
    bool (*enable)(const struct net_platform *platform, const struct kernel_msi *message);
  } ways[] = {{NETDEV_IRQ_MSIX, kernel_msix_enable}, {NETDEV_IRQ_MSI, kernel_msi_enable}};
  kernel_msi_disable(dev->platform); /* a NIC has at most one of them on */
  for(size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
    if(ways[i].enable(dev->platform, message)) {
      if(netdev_irq_enable(dev, ways[i].mode, max_per_second) == NETDEV_OK) {
        *mode = ways[i].mode;
        return true;
      }
      kernel_msi_disable(dev->platform);
    }
  }
  return false;
}
