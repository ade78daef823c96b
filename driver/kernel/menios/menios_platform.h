/* menios_platform.h - what menios gives to the core: registers, memory, time, messages, configuration space. */
#ifndef MENIOS_PLATFORM_H
#define MENIOS_PLATFORM_H

#include <kernel/spinlock.h>

#include "../consumer.h"
#include "../work.h"

struct irq_handle;

/* One NIC. */
struct menios_nic {
  struct net_platform platform;
  struct kernel_nic pci;
  uint16_t command;                           /* of configuration space, as it was found                        */
  volatile uint8_t *registers[NET_BAR_COUNT]; /* of a memory BAR, NULL = not mapped                             */
  struct netdev *dev;                         /* whoever calls the core for it holds `lock`, with interrupts off */
  spinlock_t lock;
  struct kernel_work work;
  struct irq_handle *irq; /* NULL: polled */
  uint64_t ticked_us;
};

/* The processor's address of `size` bytes at a physical one, NULL when menios cannot map them. `ctx` is not used. */
void *menios_map(void *ctx, uint64_t physical, uint64_t size);

/* Fills in nic->platform, but for the BARs. */
void menios_platform_init(struct menios_nic *nic);

/* Learns the BARs, maps every memory BAR that can be mapped, and enables what they need and bus mastering. Sizes come
 * from the entry about this NIC in the handoff table, which is at `table` and physical address `physical` (NULL and 0 =
 * none): it may be running. Without one, BARs are sized, for which their decoding is off for a moment. */
void menios_pci_prepare(struct menios_nic *nic, const void *table, uint64_t physical);

/* Lets the NIC assert its interrupt line (bit 10 of the command register). */
void menios_pci_allow_intx(const struct menios_nic *nic);

/* Puts the command register back as it was found. */
void menios_pci_release(const struct menios_nic *nic);

/* A doubleword of the NIC's configuration space. */
uint32_t menios_pci_read(const struct menios_nic *nic, uint8_t offset);

#endif
