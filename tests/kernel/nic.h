/* nic.h - the reference kernel's NIC: found on the bus, its registers mapped, its interrupt routed. */
#ifndef TEST_KERNEL_NIC_H
#define TEST_KERNEL_NIC_H

#include "../../driver/kernel/consumer.h"

/* The machine's NIC number `index` that the driver knows, in the order of the bus; false when there are fewer. */
bool nic_find(uint32_t index, struct kernel_nic *nic);

/* The platform for the one that nic_find found last: its BARs mapped uncached, its memory from `heap`. `system_table`
 * is the EFI system table's physical address. */
const struct net_platform *nic_platform(uint64_t system_table, uint8_t *heap, size_t heap_size);

/* Leads the NIC's interrupt, by "intx" (IOAPIC), "pic" (8259), "msi" or "msix", to NIC_VECTOR or the 8259's vector.
 * Returns false when the NIC cannot. */
bool nic_route(const struct kernel_nic *nic, const char *interrupts, enum netdev_irq_mode *mode);

#endif
