/* net_pci.c - power, link power states and read size in configuration space (PCI PM 1.2, PCI-X 1.0b, PCIe 3.0). */
#include "net_pci.h"

#define CONFIG_SIZE       0x100U
#define COMMAND           0x04U
#define STATUS            0x06U
#define STATUS_LIST       (1U << 4)
#define CAPABILITY_LIST   0x34U
#define CAPABILITIES_AT   0x40U
#define CAPABILITIES_MAX  48U /* more do not fit: a loop */
#define HEADER_DWORDS     16U
#define PM_CONTROL        4U /* PMCSR */
#define PM_SIZE           8U
#define PM_STATE          3U         /* D0 is 0 */
#define PM_PME_STATUS     (1U << 15) /* writing a one clears it, and the wake-up event it tells of is not ours */
#define PM_SETTLE_US      10000U     /* D3hot to D0, PCI PM 1.2, 5.6.1 */
#define PCIX_COMMAND      2U
#define PCIX_SIZE         8U
#define PCIX_MMRBC_SHIFT  2U
#define PCIX_MMRBC_MASK   3U
#define PCIX_MMRBC_2048   2U
#define PCIE_LINK_CONTROL 0x10U
#define PCIE_SIZE         0x14U
#define PCIE_ASPM         3U
#define NO_ANSWER_16      0xFFFFU

static uint32_t read16(const struct net_platform *platform, uint32_t offset) {
  return platform->config_read(platform->ctx, offset, 2);
}

static void write16(const struct net_platform *platform, uint32_t offset, uint32_t value) {
  platform->config_write(platform->ctx, offset, 2, value & NO_ANSWER_16);
}

/* All ones says that no device answered, in whatever width the host reads. */
static bool answers(uint32_t value) {
  return (value & NO_ANSWER_16) != NO_ANSWER_16;
}

uint32_t net_pci_find_capability(const struct net_platform *platform, uint32_t id, uint32_t size) {
  uint32_t status = read16(platform, STATUS);
  if(!answers(status) || !(status & STATUS_LIST)) {
    return 0;
  }
  uint32_t at = platform->config_read(platform->ctx, CAPABILITY_LIST, 1) & 0xFCU;
  for(uint32_t i = 0; i < CAPABILITIES_MAX && at >= CAPABILITIES_AT; i++) {
    uint32_t header = read16(platform, at);
    if(!answers(header)) {
      return 0;
    }
    if((header & 0xFFU) == id) {
      return at + size <= CONFIG_SIZE ? at : 0;
    }
    at = header >> 8 & 0xFCU;
  }
  return 0;
}

/* The command register last: until then nothing decodes at an address that is not the right one. */
static void restore_header(const struct net_platform *platform, const uint32_t header[HEADER_DWORDS]) {
  for(uint32_t i = HEADER_DWORDS; i-- > COMMAND / 4U;) {
    bool is_command = i == COMMAND / 4U;
    uint32_t mask = is_command ? NO_ANSWER_16 : UINT32_MAX; /* ones in the status register would clear */
    uint32_t now = platform->config_read(platform->ctx, 4U * i, 4);
    if((now ^ header[i]) & mask) {
      platform->config_write(platform->ctx, 4U * i, is_command ? 2 : 4, header[i] & mask);
    }
  }
}

int net_pci_power_up(const struct net_platform *platform) {
  uint32_t header[HEADER_DWORDS];
  uint32_t pm = net_pci_find_capability(platform, NET_PCI_CAPABILITY_PM, PM_SIZE);
  uint32_t control = pm ? read16(platform, pm + PM_CONTROL) : 0;
  if(!answers(control) || !(control & PM_STATE)) {
    return NETDEV_OK;
  }
  for(uint32_t i = 0; i < HEADER_DWORDS; i++) {
    header[i] = platform->config_read(platform->ctx, 4U * i, 4);
  }
  write16(platform, pm + PM_CONTROL, control & ~(PM_STATE | PM_PME_STATUS));
  platform->delay_us(platform->ctx, PM_SETTLE_US);
  if(read16(platform, pm + PM_CONTROL) & PM_STATE) {
    return NETDEV_E_TIMEOUT;
  }
  restore_header(platform, header);
  return NETDEV_OK;
}

void net_pci_limit_read_count(const struct net_platform *platform) {
  uint32_t pcix = net_pci_find_capability(platform, NET_PCI_CAPABILITY_PCIX, PCIX_SIZE);
  uint32_t command = pcix ? read16(platform, pcix + PCIX_COMMAND) : 0;
  if(answers(command) && (command >> PCIX_MMRBC_SHIFT & PCIX_MMRBC_MASK) > PCIX_MMRBC_2048) {
    command &= ~(PCIX_MMRBC_MASK << PCIX_MMRBC_SHIFT);
    write16(platform, pcix + PCIX_COMMAND, command | PCIX_MMRBC_2048 << PCIX_MMRBC_SHIFT);
  }
}

void net_pci_aspm_off(const struct net_platform *platform, struct net_pci_aspm *saved) {
  *saved = (struct net_pci_aspm){0};
  uint32_t pcie = net_pci_find_capability(platform, NET_PCI_CAPABILITY_PCIE, PCIE_SIZE);
  uint32_t control = pcie ? read16(platform, pcie + PCIE_LINK_CONTROL) : 0;
  if(answers(control) && (control & PCIE_ASPM)) {
    *saved = (struct net_pci_aspm){.offset = pcie + PCIE_LINK_CONTROL, .bits = control & PCIE_ASPM};
    write16(platform, saved->offset, control & ~PCIE_ASPM);
  }
}

void net_pci_aspm_restore(const struct net_platform *platform, struct net_pci_aspm *saved) {
  uint32_t control = saved->offset ? read16(platform, saved->offset) : NO_ANSWER_16;
  if(answers(control)) {
    write16(platform, saved->offset, (control & ~PCIE_ASPM) | saved->bits);
  }
  saved->offset = 0;
}
