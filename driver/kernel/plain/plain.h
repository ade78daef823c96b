/* plain.h - the driver in an x86-64 kernel that has nothing yet: no heap, no interrupts, no PCI code. README.md beside
 * this file says what it takes and where each call belongs. */
#ifndef KERNEL_PLAIN_H
#define KERNEL_PLAIN_H

#include "../consumer.h"

#define PLAIN_NICS_MAX   4U
#define PLAIN_NIC_MEMORY (5U << 18) /* bytes of plain_host.memory for each NIC that is started afresh: 1.25 MiB */

/* What the kernel has. */
struct plain_host {
  uint64_t system_table; /* physical address of the EFI system table, 0 = none                             */
  uint64_t direct_map;   /* what is added to a physical address to reach it; 0 = mapped to itself          */

  /* Maps device registers (uncached where the MTRRs do not say so anyway) and firmware tables; NULL when they cannot
   * be. NULL instead of it: direct_map reaches everything. */
  void *(*map)(uint64_t physical, uint64_t size);

  uint8_t *memory; /* aligned to 4096, one block for the device too, and below 4 GiB for it           */
  uint64_t memory_physical;
  size_t memory_size;

  /* A message about the NIC at PCI bus << 8 | device << 3 | function, with a number. May be NULL. Any context. */
  void (*log)(uint32_t place, const char *text, uint32_t value);
};

/* One NIC. */
struct plain_nic {
  struct net_platform platform;
  struct kernel_nic pci;
  volatile uint8_t *registers[NET_BAR_COUNT];
  struct netdev *dev;
};

/* Measures the clock (50 ms), looks at every bus, and brings up every NIC that this driver knows: goes on where the
 * firmware stopped, or starts it afresh. `client` is for each of them, its ctx the struct plain_nic, whatever it says.
 * Returns how many there are; netdev_next walks them. Once, with interrupts off. */
uint32_t plain_start(const struct plain_host *host, const struct netdev_client *client);

/* Hands frames to the client and keeps time, from one thread: at least 10 times a second. True when there is more at
 * once. */
bool plain_poll(void);

/* The lease that the firmware had for one of these devices, and where the kernel came from, as kernel_handoff_lease;
 * both empty without a handoff. */
void plain_lease(const struct netdev *dev, struct net_handoff_lease *lease, char source[NET_HANDOFF_SOURCE_MAX]);

/* The parts of plain_start, for a kernel that decides more by itself. plain_begin comes first. plain_find looks for the
 * machine's NIC number `index`, false when there are fewer. plain_prepare fills in its platform and switches its
 * decoding and bus mastering on; then kernel_nic_start. */
void plain_begin(const struct plain_host *host);
bool plain_find(uint32_t index, struct plain_nic *nic);
void plain_prepare(struct plain_nic *nic);

/* The physical address of the handoff table, 0 = none, and how the processor reaches physical memory (a net_map). */
uint64_t plain_handoff(void);
void *plain_map(void *ctx, uint64_t physical, uint64_t size);

/* Microseconds, and configuration space of segment 0 (kernel_config_read, kernel_config_write). */
uint64_t plain_now_us(void *ctx);
uint32_t plain_pci_read(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint8_t offset);
void plain_pci_write(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint8_t offset,
                     uint32_t value);

#endif
