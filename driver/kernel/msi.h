/* msi.h - message-signalled interrupts for a kernel without code for them: one message, by MSI or MSI-X. */
#ifndef KERNEL_MSI_H
#define KERNEL_MSI_H

#include "net/netdevice.h"

/* What the NIC writes to interrupt: `data` to `address`. */
struct kernel_msi {
  uint64_t address;
  uint32_t data;
};

/* On x86: an edge for `vector` at the local APIC with this ID (Intel SDM vol. 3, 11.11). */
struct kernel_msi kernel_msi_x86(uint8_t apic_id, uint8_t vector);

/* Programs the capability and switches it on: afterwards the NIC asserts its interrupt line no more. Of `platform` the
 * configuration space is used, for MSI-X also the BAR that holds its table, which must be mapped; entry 0 is filled in
 * before anything is unmasked. Whoever answers for the vector is there already. False, with nothing switched on, when
 * the NIC has no such capability, cannot hold the address, or its table cannot be reached. Thread. */
bool kernel_msi_enable(const struct net_platform *platform, const struct kernel_msi *message);
bool kernel_msix_enable(const struct net_platform *platform, const struct kernel_msi *message);

/* Switches both off. Before the vector is given to somebody else: netdev_irq_disable comes first. */
void kernel_msi_disable(const struct net_platform *platform);

/* The whole of it for an open device: MSI-X where NIC and driver have it, else MSI, with `max_per_second` as in
 * netdev_irq_enable, whose first interrupt may come before this returns. *mode says which. False, with both off, when
 * there is neither: use the interrupt line, or poll. Thread, with the device's lock. */
bool kernel_msi_route(struct netdev *dev, const struct kernel_msi *message, uint32_t max_per_second,
                      enum netdev_irq_mode *mode);

#endif
