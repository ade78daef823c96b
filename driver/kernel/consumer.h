/* consumer.h - the kernel's side of the handoff: finds the table, adopts the NIC, or starts it afresh. */
#ifndef KERNEL_CONSUMER_H
#define KERNEL_CONSUMER_H

#include <stddef.h>

#include "net/driver.h"
#include "place.h"

/* An entry of the EFI configuration table (UEFI 2.10, 4.6), as it lies in memory. */
struct kernel_efi_entry {
  uint8_t guid[16];
  uint64_t table; /* physical address, or one in a direct map */
};

/* The physical address of the handoff table among `count` entries, 0 when there is none. `direct_map` is the offset of
 * a higher-half map of physical memory (0 = none): addresses at or above it are brought down. */
uint64_t kernel_handoff_locate(const struct kernel_efi_entry *entries, uint64_t count, uint64_t direct_map);

/*
 * Of how many bytes the NIC's BARs are, into size[] by register, as an entry of the table says that is about this NIC:
 * whatever its state, the NIC may be running, and its BARs must not be sized. False, with size[] left alone, when there
 * is none. Arguments as for kernel_nic_start; of `platform`, alloc and free are used alone. Thread.
 */
bool kernel_handoff_bars(const struct net_platform *platform, const struct kernel_nic *nic, const void *table,
                         size_t available, uint64_t physical, uint64_t size[NET_HANDOFF_BARS]);

/*
 * The NIC's lease as an entry of the table has it, whatever the entry's state, and where what was booted came from (a
 * URL, "" = not known). False, with both empty, when the table has no entry about this NIC. Arguments as above. Thread.
 */
bool kernel_handoff_lease(const struct net_platform *platform, const struct kernel_nic *nic, const void *table,
                          size_t available, uint64_t physical, struct net_handoff_lease *lease,
                          char source[NET_HANDOFF_SOURCE_MAX]);

enum kernel_nic_origin {
  KERNEL_NIC_ADOPTED, /* goes on where the firmware stopped            */
  KERNEL_NIC_FRESH,   /* reset, with rings from the platform, and open */
};

/*
 * Brings up one NIC. `table` is the handoff table as the processor reaches it, of at most `available` bytes that can be
 * read and written, at physical address `physical`; NULL when there is none. `map` gives the processor's address of
 * `size` bytes at a physical one (NULL: cannot), and is not called after this returns. A table that is missing, damaged
 * or about another NIC, and a NIC whose registers disagree with it, lead to a fresh start; why is told through
 * platform->log. The NIC's entry is marked ADOPTED first, whatever comes of it, so that no kernel that is started from
 * this one believes it again. On success *out is open, registered, and has `client`. Otherwise *out is NULL and nothing
 * is left allocated; the result is that of the family's create, netdev_open's, or netdev_register's
 * (NETDEV_E_NO_MEMORY: no name is left). Thread; not from two processors at once, for they would seal the same table.
 */
int kernel_nic_start(const struct net_platform *platform, const struct kernel_nic *nic, void *table, size_t available,
                     uint64_t physical, net_map map, const struct netdev_client *client, struct netdev **out,
                     enum kernel_nic_origin *origin);

#endif
