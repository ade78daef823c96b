/* handoff_hostile.h - what a hostile producer may put into a table, each alone enough for it to be refused. */
#ifndef HANDOFF_HOSTILE_H
#define HANDOFF_HOSTILE_H

#include "handoff_bench.h"

#define ELSEWHERE  0x0001000000000000ULL /* beyond every address of a process */
#define PAYLOAD_AT 0x100000U

/* The first entry once more. */
static inline struct net_handoff_nic *clone_nic(struct net_handoff_image *table) {
  struct net_handoff_nic *nic = net_handoff_add(table, NET_HANDOFF_BLOCK_E1000, NET_HANDOFF_E1000_SIZE_2_0);
  assert_non_null(nic);
  uint32_t offset = nic->block_offset;
  *nic = table->nic[0];
  nic->block_offset = offset;
  memcpy(net_handoff_block(table, nic), table->block[0], sizeof(table->block[0]));
  return nic;
}

/* A second NIC whose registers, rings and buffers lie elsewhere; the device may know it by the same addresses as the
 * first, for behind an IOMMU each has its own. */
static inline struct net_handoff_nic *add_nic(struct net_handoff_image *table) {
  uint64_t number = table->head.nic_count;
  struct net_handoff_nic *nic = clone_nic(table);
  struct net_handoff_e1000 *block = net_handoff_block(table, nic);
  nic->bar[0].processor += number * E1000_BAR0_MIN_SIZE;
  uint64_t *const addresses[] = {&block->rx.descriptors, &block->rx.buffers, &block->tx.descriptors,
                                 &block->tx.buffers};
  for(size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
    *addresses[i] += number * ELSEWHERE;
  }
  return nic;
}

/* The same, and its block. */
static inline struct net_handoff_e1000 *add_block(struct net_handoff_image *table) {
  return net_handoff_block(table, add_nic(table));
}

static inline void add_payload(struct net_handoff_image *table, uint64_t physical) {
  table->payload[table->head.payload_count++] =
      (struct net_handoff_payload){.name = "kernel.elf", .physical = physical, .size = 4096};
}

#define HOSTILE_TABLES(CHANGE)                                                                                         \
  CHANGE(no_nic, table->head.nic_count = 0)                                                                            \
  CHANGE(many_nics, table->head.nic_count = UINT32_MAX)                                                                \
  CHANGE(nine_nics, table->head.nic_count = 9)                                                                         \
  CHANGE(many_payloads, table->head.payload_count = 9)                                                                 \
  CHANGE(small_nic, table->head.nic_size = NET_HANDOFF_NIC_SIZE_2_0 - 8U)                                              \
  CHANGE(huge_nic, table->head.nic_size = UINT32_MAX)                                                                  \
  CHANGE(header_low, table->head.header_size = NET_HANDOFF_HEADER_SIZE_2_0 - 8U)                                       \
  CHANGE(header_high, table->head.header_size = UINT32_MAX)                                                            \
  CHANGE(payload_high, (table->head.payload_count = 1, table->head.payload_offset = UINT32_MAX))                       \
  CHANGE(payload_low, (table->head.payload_count = 1, table->head.payload_offset = 0))                                 \
  CHANGE(payload_small, (add_payload(table, PAYLOAD_AT), table->head.payload_size -= 8U))                              \
  CHANGE(payload_empty, table->head.payload_count = 1)                                                                 \
  CHANGE(older_major, table->head.version_major = 1)                                                                   \
  CHANGE(newer_major, table->head.version_major = 3)                                                                   \
  CHANGE(count_odd, e1000->rx.count = 17)                                                                              \
  CHANGE(count_small, e1000->rx.count = 4)                                                                             \
  CHANGE(count_large, e1000->tx.count = 8192)                                                                          \
  CHANGE(count_zero, e1000->tx.count = 0)                                                                              \
  CHANGE(format, e1000->tx.descriptor_format = 2)                                                                      \
  CHANGE(descriptor_size, e1000->tx.descriptor_size = 32)                                                              \
  CHANGE(buffer_size, e1000->rx.buffer_size = 16384)                                                                   \
  CHANGE(stride, e1000->rx.buffer_stride = 1024)                                                                       \
  CHANGE(no_address, e1000->rx.descriptors = 0)                                                                        \
  CHANGE(wraps, e1000->rx.buffers = UINT64_MAX - 100)                                                                  \
  CHANGE(device_wraps, e1000->rx.descriptors_device = UINT64_MAX - 15)                                                 \
  CHANGE(unaligned, e1000->tx.descriptors += 8)                                                                        \
  CHANGE(too_full, e1000->tx.tail = e1000->tx.head + e1000->tx.count)                                                  \
  CHANGE(published_beyond, e1000->tx.published = e1000->tx.tail + 1)                                                   \
  CHANGE(published_behind, e1000->tx.published = e1000->tx.head - 1)                                                   \
  CHANGE(receive_not_filled, e1000->rx.tail--)                                                                         \
  CHANGE(rings_overlap, e1000->tx.descriptors = e1000->rx.descriptors)                                                 \
  CHANGE(ring_in_buffers, e1000->tx.descriptors = e1000->rx.buffers + 2048)                                            \
  CHANGE(buffers_overlap, e1000->tx.buffers = e1000->rx.buffers + 2048)                                                \
  CHANGE(over_registers, e1000->rx.descriptors = nic->bar[0].processor)                                                \
  CHANGE(over_table, e1000->rx.descriptors = TABLE_AT)                                                                 \
  CHANGE(device_rings_overlap, e1000->tx.descriptors_device = e1000->rx.descriptors_device)                            \
  CHANGE(device_ring_in_buffers, e1000->tx.descriptors_device = e1000->rx.buffers_device + 2048)                       \
  CHANGE(device_buffers_overlap, e1000->tx.buffers_device = e1000->rx.buffers_device - 2048)                           \
  CHANGE(own_buffers_over_ring, e1000->rx.buffers_device = e1000->rx.descriptors_device)                               \
  CHANGE(nics_share_registers, add_nic(table)->bar[0].processor = nic->bar[0].processor)                               \
  CHANGE(nics_share_ring, add_block(table)->rx.descriptors = e1000->rx.descriptors)                                    \
  CHANGE(nics_share_buffers, add_block(table)->tx.buffers = e1000->rx.buffers)                                         \
  CHANGE(ring_over_other_registers, add_block(table)->tx.descriptors = nic->bar[0].processor)                          \
  CHANGE(same_nic_twice, clone_nic(table))                                                                             \
  CHANGE(payload_over_table, add_payload(table, TABLE_AT - 4095U))                                                     \
  CHANGE(payload_over_ring, add_payload(table, e1000->tx.descriptors + 16U))                                           \
  CHANGE(payload_over_buffers, add_payload(table, e1000->rx.buffers + 2048U))                                          \
  CHANGE(payload_over_registers, add_payload(table, nic->bar[0].processor))                                            \
  CHANGE(payloads_overlap, (add_payload(table, PAYLOAD_AT), add_payload(table, PAYLOAD_AT + 4095U)))                   \
  CHANGE(small_bar, nic->bar[0].size = 4096)                                                                           \
  CHANGE(no_bar, nic->bar[0].size = 0)                                                                                 \
  CHANGE(bar_nowhere, nic->bar[0].processor = 0)                                                                       \
  CHANGE(bar_nowhere_on_bus, nic->bar[0].bus = 0)                                                                      \
  CHANGE(bar_wraps, nic->bar[0].processor = UINT64_MAX - 4096U)                                                        \
  CHANGE(bar_of_no_kind, nic->bar[0].flags = 0)                                                                        \
  CHANGE(bar_of_both_kinds, nic->bar[0].flags |= NET_HANDOFF_BAR_IO)                                                   \
  CHANGE(bar_of_ports, nic->bar[0].flags = NET_HANDOFF_BAR_IO)                                                         \
  CHANGE(bars_overlap, nic->bar[2] = nic->bar[0])                                                                      \
  CHANGE(long_path, nic->path_count = NET_HANDOFF_PATH_MAX + 1U)                                                       \
  CHANGE(no_block, nic->block_size = 0)                                                                                \
  CHANGE(short_block, nic->block_size -= 8U)                                                                           \
  CHANGE(block_askew, nic->block_offset += 4U)                                                                         \
  CHANGE(block_in_header, nic->block_offset = 0)                                                                       \
  CHANGE(block_outside, nic->block_offset = table->head.size)                                                          \
  CHANGE(block_far_outside, nic->block_offset = UINT32_MAX - 7U)                                                       \
  CHANGE(block_too_long, nic->block_size = NET_HANDOFF_BLOCK_MAX + 8U)                                                 \
  CHANGE(nics_askew, table->head.nic_offset += 4U)                                                                     \
  CHANGE(nics_in_header, table->head.nic_offset = 0)                                                                   \
  CHANGE(nics_outside, table->head.nic_offset = table->head.size)                                                      \
  CHANGE(odd_nic_size, table->head.nic_size += 4U)                                                                     \
  CHANGE(header_beyond, table->head.header_size = table->head.size + 8U)                                               \
  CHANGE(source_in_header, (table->head.source_size = 1, table->head.source_offset = 0))                               \
  CHANGE(source_outside, (table->head.source_size = 1, table->head.source_offset = table->head.size))                  \
  CHANGE(source_too_long, table->head.source_size = NET_HANDOFF_SOURCE_MAX + 1U)                                       \
  CHANGE(source_does_not_end, (table->head.source_size = 4, memset(table->source, 'x', 4)))                            \
  CHANGE(no_mac, memset(nic->current_mac, 0, 6))                                                                       \
  CHANGE(multicast_mac, nic->permanent_mac[0] |= 1U)                                                                   \
  CHANGE(many_groups, nic->multicast_count = 17)                                                                       \
  CHANGE(no_state, nic->state = 0)                                                                                     \
  CHANGE(unknown_state, nic->state = 7)                                                                                \
  CHANGE(receiver_off, e1000->rctl &= ~E1000_RCTL_EN)                                                                  \
  CHANGE(large_buffers, e1000->rctl |= E1000_RCTL_BSEX | 1U << 16)                                                     \
  CHANGE(small_buffers, e1000->rctl |= E1000_RCTL_BSIZE_MASK)                                                          \
  CHANGE(long_frames, e1000->rctl |= E1000_RCTL_LPE)                                                                   \
  CHANGE(split_descriptors, e1000->rctl |= 1U << 10)                                                                   \
  CHANGE(looped, e1000->rctl |= 1U << 6)                                                                               \
  CHANGE(with_fcs, e1000->rctl &= ~E1000_RCTL_SECRC)                                                                   \
  CHANGE(transmitter_off, e1000->tctl &= ~E1000_TCTL_EN)

#define HOSTILE_FUNCTION(name, statement)                                                                              \
  static inline void hostile_##name(struct net_handoff_image *table) {                                                 \
    struct net_handoff_nic *nic = &table->nic[0];                                                                      \
    struct net_handoff_e1000 *e1000 = block_of(table, 0);                                                              \
    (void)nic;                                                                                                         \
    (void)e1000;                                                                                                       \
    statement;                                                                                                         \
  }
#define HOSTILE_ENTRY(name, statement) hostile_##name,

HOSTILE_TABLES(HOSTILE_FUNCTION)

static void (*const hostile_tables[])(struct net_handoff_image *table) = {HOSTILE_TABLES(HOSTILE_ENTRY)};

#define HOSTILE_COUNT (sizeof(hostile_tables) / sizeof(hostile_tables[0]))

#endif
