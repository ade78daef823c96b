/* nic.h - the reference kernel's NIC: found on the bus, its registers mapped, its interrupt routed. */
#ifndef TEST_KERNEL_NIC_H
#define TEST_KERNEL_NIC_H

#include "../../driver/kernel/consumer.h"

/* The machine's NIC number `index` that the driver knows, in the order of the bus; false when there are fewer. */
bool nic_find(uint32_t index, struct kernel_nic *nic);

/* The platform for it: its BARs mapped uncached, its memory from `heap`. `table` is the handoff table's physical
 * address, 0 = none. There is one platform, so call it once. */
const struct net_platform *nic_platform(const struct kernel_nic *nic, uint64_t table, uint8_t *heap, size_t heap_size);

/* A range of physical memory as the processor reaches it, for kernel_nic_start. */
void *nic_map(void *ctx, uint64_t physical, uint64_t size);

/* Leads the NIC's interrupt, by "intx" (IOAPIC), "pic" (8259), "msi" or "msix", to NIC_VECTOR or the 8259's vector.
 * Returns false when the NIC cannot. */
bool nic_route(const struct kernel_nic *nic, const char *interrupts, enum netdev_irq_mode *mode);

#endif
