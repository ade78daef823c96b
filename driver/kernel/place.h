/* place.h - where a PCI function is, as a kernel sees it: what the handoff's entry is compared with. */
#ifndef KERNEL_PLACE_H
#define KERNEL_PLACE_H

#include <stdbool.h>

#include "net/handoff.h"

/* Where a PCI function is, and what its configuration space says. */
struct kernel_nic {
  uint16_t segment;
  uint8_t bus;
  uint8_t device;
  uint8_t function;
  uint8_t revision_id;
  uint16_t vendor_id;
  uint16_t device_id;
  uint16_t subsystem_vendor_id;
  uint16_t subsystem_id;
  uint64_t bar[NET_HANDOFF_BARS];       /* by register: what configuration space holds, without its flags; 0 = none */
  uint32_t bar_flags[NET_HANDOFF_BARS]; /* by register: NET_HANDOFF_BAR_; 0 = none                                   */
  uint64_t mapped[NET_HANDOFF_BARS]; /* physical address for the processor, where the host bridge translates; else 0 */
  bool path_known;                   /* path and path_count say which bridges are above it                          */
  bool path_open;                    /* with path_known: memory space and bus mastering are on in each of them      */
  uint8_t path_count;
  struct net_handoff_bridge path[NET_HANDOFF_PATH_MAX]; /* from the root bus down */
};

/* A doubleword of configuration space at `offset` (a multiple of 4); all ones where nothing is. */
typedef uint32_t (*kernel_config_read)(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function,
                                       uint8_t offset);

typedef void (*kernel_config_write)(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function,
                                    uint8_t offset, uint32_t value);

/* Fills in *nic for the function at this place: IDs, BARs, and the bridges above it, which must be numbered as they
 * will stay. `mapped` is the caller's. Reads only, and some 32 doublewords for each bus below `bus`. False, with *nic
 * zeroed, when nothing is there. Any context in which `read` may be called. */
bool kernel_nic_look(kernel_config_read read, void *ctx, uint16_t segment, uint8_t bus, uint8_t device,
                     uint8_t function, struct kernel_nic *nic);

/* How many bytes each BAR of the function decodes, into size[] by register, 0 = none. Its decoding is off for that
 * long, so not for a NIC that may be running: what a handoff's entry says of it is in kernel_handoff_bars (consumer.h).
 * Everything is as before afterwards. Any context in which `read` and `write` may be called, but not while somebody
 * else uses this function's configuration space or registers. */
void kernel_nic_size(kernel_config_read read, kernel_config_write write, void *ctx, const struct kernel_nic *nic,
                     uint64_t size[NET_HANDOFF_BARS]);

/* net_platform's config_read and config_write for a host that has doublewords: `width` bytes (1, 2 or 4) at `offset`.
 * What is beyond 256 bytes reads as all ones, and is not written. A narrow write reads the rest of its doubleword
 * first, and writes zeroes for the status bits that ones would clear. Any context in which `read` and `write` may be
 * called. */
uint32_t kernel_nic_config_read(kernel_config_read read, void *ctx, const struct kernel_nic *nic, uint32_t offset,
                                uint32_t width);
void kernel_nic_config_write(kernel_config_read read, kernel_config_write write, void *ctx,
                             const struct kernel_nic *nic, uint32_t offset, uint32_t width, uint32_t value);

/* Whether an entry of the table is about this NIC, at this place. With the path known to both, bus numbers below the
 * root bus do not matter. */
bool kernel_nic_is(const struct kernel_nic *nic, const struct net_handoff_nic *entry);

/* Why a device that has been moving data all the time may have been cut off by what was done above it since; NULL when
 * nothing shows. For an entry that kernel_nic_is about, in state LIVE. */
const char *kernel_nic_cut_off(const struct kernel_nic *nic, const struct net_handoff_nic *entry);

#endif
