/* handoff_hostile.h - what a hostile producer may put into a table, each alone enough for it to be refused. */
#ifndef HANDOFF_HOSTILE_H
#define HANDOFF_HOSTILE_H

#include "handoff_bench.h"

#define ELSEWHERE  0x0001000000000000ULL /* beyond every address of a process */
#define PAYLOAD_AT 0x100000U

/* A second NIC whose registers, rings and buffers lie elsewhere; the device may know it by the same addresses as the
 * first, for behind an IOMMU each has its own. */
static inline struct net_handoff_nic *add_nic(struct net_handoff *table) {
  struct net_handoff_nic *nic = &table->nic[table->nic_count];
  *nic = table->nic[0];
  nic->bar0 += (uint64_t)table->nic_count * E1000_BAR0_MIN_SIZE;
  uint64_t *const addresses[] = {&nic->rx.descriptors, &nic->rx.buffers, &nic->tx.descriptors, &nic->tx.buffers};
  for(size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
    *addresses[i] += table->nic_count * ELSEWHERE;
  }
  table->nic_count++;
  return nic;
}

static inline void add_payload(struct net_handoff *table, uint64_t physical) {
  table->payload[table->payload_count++] =
      (struct net_handoff_payload){.name = "kernel.elf", .physical = physical, .size = 4096};
}

#define HOSTILE_TABLES(CHANGE)                                                                                         \
  CHANGE(no_nic, table->nic_count = 0)                                                                                 \
  CHANGE(many_nics, table->nic_count = UINT32_MAX)                                                                     \
  CHANGE(nine_nics, table->nic_count = 9)                                                                              \
  CHANGE(many_payloads, table->payload_count = 9)                                                                      \
  CHANGE(small_nic, table->nic_size = 8)                                                                               \
  CHANGE(huge_nic, table->nic_size = UINT32_MAX)                                                                       \
  CHANGE(header_low, table->header_size = 4)                                                                           \
  CHANGE(header_high, table->header_size = UINT32_MAX)                                                                 \
  CHANGE(payload_high, (table->payload_count = 1, table->payload_offset = UINT32_MAX))                                 \
  CHANGE(payload_low, (table->payload_count = 1, table->payload_offset = 0))                                           \
  CHANGE(payload_empty, table->payload_count = 1)                                                                      \
  CHANGE(other_major, table->version_major = 2)                                                                        \
  CHANGE(count_odd, nic->rx.count = 17)                                                                                \
  CHANGE(count_small, nic->rx.count = 4)                                                                               \
  CHANGE(count_large, nic->tx.count = 8192)                                                                            \
  CHANGE(count_zero, nic->tx.count = 0)                                                                                \
  CHANGE(format, nic->tx.descriptor_format = 2)                                                                        \
  CHANGE(descriptor_size, nic->tx.descriptor_size = 32)                                                                \
  CHANGE(buffer_size, nic->rx.buffer_size = 16384)                                                                     \
  CHANGE(stride, nic->rx.buffer_stride = 1024)                                                                         \
  CHANGE(no_address, nic->rx.descriptors = 0)                                                                          \
  CHANGE(wraps, nic->rx.buffers = UINT64_MAX - 100)                                                                    \
  CHANGE(device_wraps, nic->rx.descriptors_device = UINT64_MAX - 15)                                                   \
  CHANGE(unaligned, nic->tx.descriptors += 8)                                                                          \
  CHANGE(too_full, nic->tx.tail = nic->tx.head + nic->tx.count)                                                        \
  CHANGE(published_beyond, nic->tx.published = nic->tx.tail + 1)                                                       \
  CHANGE(published_behind, nic->tx.published = nic->tx.head - 1)                                                       \
  CHANGE(receive_not_filled, nic->rx.tail--)                                                                           \
  CHANGE(rings_overlap, nic->tx.descriptors = nic->rx.descriptors)                                                     \
  CHANGE(ring_in_buffers, nic->tx.descriptors = nic->rx.buffers + 2048)                                                \
  CHANGE(buffers_overlap, nic->tx.buffers = nic->rx.buffers + 2048)                                                    \
  CHANGE(over_registers, nic->rx.descriptors = nic->bar0)                                                              \
  CHANGE(over_table, nic->rx.descriptors = TABLE_AT)                                                                   \
  CHANGE(device_rings_overlap, nic->tx.descriptors_device = nic->rx.descriptors_device)                                \
  CHANGE(device_ring_in_buffers, nic->tx.descriptors_device = nic->rx.buffers_device + 2048)                           \
  CHANGE(device_buffers_overlap, nic->tx.buffers_device = nic->rx.buffers_device - 2048)                               \
  CHANGE(own_buffers_over_ring, nic->rx.buffers_device = nic->rx.descriptors_device)                                   \
  CHANGE(nics_share_registers, add_nic(table)->bar0 = nic->bar0)                                                       \
  CHANGE(nics_share_ring, add_nic(table)->rx.descriptors = nic->rx.descriptors)                                        \
  CHANGE(nics_share_buffers, add_nic(table)->tx.buffers = nic->rx.buffers)                                             \
  CHANGE(ring_over_other_registers, add_nic(table)->tx.descriptors = nic->bar0)                                        \
  CHANGE(same_nic_twice, table->nic[table->nic_count++] = *nic)                                                        \
  CHANGE(payload_over_table, add_payload(table, TABLE_AT - 4095U))                                                     \
  CHANGE(payload_over_ring, add_payload(table, nic->tx.descriptors + 16U))                                             \
  CHANGE(payload_over_buffers, add_payload(table, nic->rx.buffers + 2048U))                                            \
  CHANGE(payload_over_registers, add_payload(table, nic->bar0))                                                        \
  CHANGE(payloads_overlap, (add_payload(table, PAYLOAD_AT), add_payload(table, PAYLOAD_AT + 4095U)))                   \
  CHANGE(small_bar, nic->bar0_size = 4096)                                                                             \
  CHANGE(no_bar, nic->bar0 = 0)                                                                                        \
  CHANGE(no_mac, memset(nic->current_mac, 0, 6))                                                                       \
  CHANGE(multicast_mac, nic->permanent_mac[0] |= 1U)                                                                   \
  CHANGE(many_groups, nic->multicast_count = 17)                                                                       \
  CHANGE(no_state, nic->state = 0)                                                                                     \
  CHANGE(unknown_state, nic->state = 6)                                                                                \
  CHANGE(receiver_off, nic->rctl &= ~E1000_RCTL_EN)                                                                    \
  CHANGE(large_buffers, nic->rctl |= E1000_RCTL_BSEX | 1U << 16)                                                       \
  CHANGE(small_buffers, nic->rctl |= E1000_RCTL_BSIZE_MASK)                                                            \
  CHANGE(long_frames, nic->rctl |= E1000_RCTL_LPE)                                                                     \
  CHANGE(split_descriptors, nic->rctl |= 1U << 10)                                                                     \
  CHANGE(looped, nic->rctl |= 1U << 6)                                                                                 \
  CHANGE(with_fcs, nic->rctl &= ~E1000_RCTL_SECRC)                                                                     \
  CHANGE(transmitter_off, nic->tctl &= ~E1000_TCTL_EN)

#define HOSTILE_FUNCTION(name, statement)                                                                              \
  static inline void hostile_##name(struct net_handoff *table) {                                                       \
    struct net_handoff_nic *nic = &table->nic[0];                                                                      \
    (void)nic;                                                                                                         \
    statement;                                                                                                         \
  }
#define HOSTILE_ENTRY(name, statement) hostile_##name,

HOSTILE_TABLES(HOSTILE_FUNCTION)

static void (*const hostile_tables[])(struct net_handoff *table) = {HOSTILE_TABLES(HOSTILE_ENTRY)};

#define HOSTILE_COUNT (sizeof(hostile_tables) / sizeof(hostile_tables[0]))

#endif
