/* menios_platform.h - what menios gives to the core: registers, memory, time, messages, configuration space. */
#ifndef MENIOS_PLATFORM_H
#define MENIOS_PLATFORM_H

#include <kernel/spinlock.h>

#include "../consumer.h"

struct irq_handle;

/* One NIC. */
struct menios_nic {
  struct net_platform platform;
  struct kernel_nic pci;
  uint16_t command;                           /* of configuration space, as it was found                */
  uint16_t ports[NET_BAR_COUNT];              /* of an I/O BAR, 0 = none                                */
  uint64_t bar0_size;                         /* 0 where it must not be sized                           */
  volatile uint8_t *registers[NET_BAR_COUNT]; /* of a memory BAR                          */
  struct netdev *dev;                         /* whoever calls the core for it holds `lock`, with interrupts off */
  spinlock_t lock;
  struct irq_handle *irq; /* NULL: polled */
  uint64_t ticked_us;
};

/* The processor's address of `size` bytes at a physical one, NULL when menios cannot map them. `ctx` is not used. */
void *menios_map(void *ctx, uint64_t physical, uint64_t size);

/* Reads the BARs, maps BAR 0 and enables memory space and bus mastering. `may_size`: nothing can be running on this
 * NIC, so BAR 0 may be sized, for which its decoding is off for a moment. False when BAR 0 is none of this family's. */
bool menios_pci_prepare(struct menios_nic *nic, bool may_size);

/* Puts the command register back as it was found. */
void menios_pci_release(const struct menios_nic *nic);

/* A doubleword of the NIC's configuration space. */
uint32_t menios_pci_read(const struct menios_nic *nic, uint8_t offset);

/* Fills in nic->platform. */
void menios_platform_init(struct menios_nic *nic);

#endif
