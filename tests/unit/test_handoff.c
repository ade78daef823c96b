/* test_handoff.c - the handoff table: 10,000 that are wrong, and what a right one may hold. */
#include <stdlib.h>

#include "handoff_bench.h"

#define ELSEWHERE  0x0001000000000000ULL /* beyond every address of a process */
#define PAYLOAD_AT 0x100000U

static uint32_t refused;

static void expect_refused(const struct net_handoff *table, size_t available) {
  struct net_handoff copy;
  /* Exactly so many bytes, so that the sanitizer sees a read beyond them. */
  uint8_t *exact = malloc(available ? available : 1);
  assert_non_null(exact);
  memcpy(exact, table, available);
  assert_non_null(net_handoff_validate(exact, available, TABLE_AT, &copy));
  free(exact);
  refused++;
}

static void test_every_byte_flipped(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  refused = 0;
  for(size_t i = 0; i < sizeof(bench.table); i++) {
    ((uint8_t *)&bench.table)[i] ^= (uint8_t)(1U << (i % 8U));
    expect_refused(&bench.table, sizeof(bench.table));
    ((uint8_t *)&bench.table)[i] ^= (uint8_t)(1U << (i % 8U));
  }
  for(size_t size = 0; size < sizeof(bench.table); size += 3) {
    expect_refused(&bench.table, size); /* cut short */
  }
  assert_true(refused > 10000);
  print_message("handoff: %u damaged tables refused\n", refused);
  end(&bench);
}

/* A hostile producer sets the CRC right. */
static void hostile(struct bench *bench, void (*change)(struct net_handoff *table)) {
  struct net_handoff table = bench->table;
  change(&table);
  net_handoff_seal(&table);
  expect_refused(&table, sizeof(table));
}

/* A second NIC whose registers, rings and buffers lie elsewhere; the device may know it by the same addresses as the first,
 * for behind an IOMMU each has its own. */
static struct net_handoff_nic *add_nic(struct net_handoff *table) {
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

static void add_payload(struct net_handoff *table, uint64_t physical) {
  table->payload[table->payload_count++] =
      (struct net_handoff_payload){.name = "kernel.elf", .physical = physical, .size = 4096};
}

#define CHANGE(name, statement)                                                                                        \
  static void name(struct net_handoff *table) {                                                                        \
    struct net_handoff_nic *nic = &table->nic[0];                                                                      \
    (void)nic;                                                                                                         \
    statement;                                                                                                         \
  }

CHANGE(no_nic, table->nic_count = 0)
CHANGE(many_nics, table->nic_count = UINT32_MAX)
CHANGE(nine_nics, table->nic_count = 9)
CHANGE(many_payloads, table->payload_count = 9)
CHANGE(small_nic, table->nic_size = 8)
CHANGE(huge_nic, table->nic_size = UINT32_MAX)
CHANGE(header_low, table->header_size = 4)
CHANGE(header_high, table->header_size = UINT32_MAX)
CHANGE(payload_high, (table->payload_count = 1, table->payload_offset = UINT32_MAX))
CHANGE(payload_low, (table->payload_count = 1, table->payload_offset = 0))
CHANGE(payload_empty, table->payload_count = 1)
CHANGE(other_major, table->version_major = 2)
CHANGE(count_odd, nic->rx.count = 17)
CHANGE(count_small, nic->rx.count = 4)
CHANGE(count_large, nic->tx.count = 8192)
CHANGE(count_zero, nic->tx.count = 0)
CHANGE(format, nic->tx.descriptor_format = 2)
CHANGE(descriptor_size, nic->tx.descriptor_size = 32)
CHANGE(buffer_size, nic->rx.buffer_size = 16384)
CHANGE(stride, nic->rx.buffer_stride = 1024)
CHANGE(no_address, nic->rx.descriptors = 0)
CHANGE(wraps, nic->rx.buffers = UINT64_MAX - 100)
CHANGE(device_wraps, nic->rx.descriptors_device = UINT64_MAX - 15)
CHANGE(unaligned, nic->tx.descriptors += 8)
CHANGE(too_full, nic->tx.tail = nic->tx.head + nic->tx.count)
CHANGE(published_beyond, nic->tx.published = nic->tx.tail + 1)
CHANGE(published_behind, nic->tx.published = nic->tx.head - 1)
CHANGE(receive_not_filled, nic->rx.tail--)
CHANGE(rings_overlap, nic->tx.descriptors = nic->rx.descriptors)
CHANGE(ring_in_buffers, nic->tx.descriptors = nic->rx.buffers + 2048)
CHANGE(buffers_overlap, nic->tx.buffers = nic->rx.buffers + 2048)
CHANGE(over_registers, nic->rx.descriptors = nic->bar0)
CHANGE(over_table, nic->rx.descriptors = TABLE_AT)
CHANGE(device_rings_overlap, nic->tx.descriptors_device = nic->rx.descriptors_device)
CHANGE(device_ring_in_buffers, nic->tx.descriptors_device = nic->rx.buffers_device + 2048)
CHANGE(device_buffers_overlap, nic->tx.buffers_device = nic->rx.buffers_device - 2048)
CHANGE(own_buffers_over_ring, nic->rx.buffers_device = nic->rx.descriptors_device)
CHANGE(nics_share_registers, add_nic(table)->bar0 = nic->bar0)
CHANGE(nics_share_ring, add_nic(table)->rx.descriptors = nic->rx.descriptors)
CHANGE(nics_share_buffers, add_nic(table)->tx.buffers = nic->rx.buffers)
CHANGE(ring_over_other_registers, add_nic(table)->tx.descriptors = nic->bar0)
CHANGE(same_nic_twice, table->nic[table->nic_count++] = *nic)
CHANGE(payload_over_table, add_payload(table, TABLE_AT - 4095U))
CHANGE(payload_over_ring, add_payload(table, nic->tx.descriptors + 16U))
CHANGE(payload_over_buffers, add_payload(table, nic->rx.buffers + 2048U))
CHANGE(payload_over_registers, add_payload(table, nic->bar0))
CHANGE(payloads_overlap, (add_payload(table, PAYLOAD_AT), add_payload(table, PAYLOAD_AT + 4095U)))
CHANGE(small_bar, nic->bar0_size = 4096)
CHANGE(no_bar, nic->bar0 = 0)
CHANGE(no_mac, memset(nic->current_mac, 0, 6))
CHANGE(multicast_mac, nic->permanent_mac[0] |= 1U)
CHANGE(many_groups, nic->multicast_count = 17)
CHANGE(no_state, nic->state = 0)
CHANGE(unknown_state, nic->state = 6)
CHANGE(receiver_off, nic->rctl &= ~E1000_RCTL_EN)
CHANGE(large_buffers, nic->rctl |= E1000_RCTL_BSEX | 1U << 16)
CHANGE(small_buffers, nic->rctl |= E1000_RCTL_BSIZE_MASK)
CHANGE(long_frames, nic->rctl |= E1000_RCTL_LPE)
CHANGE(split_descriptors, nic->rctl |= 1U << 10)
CHANGE(looped, nic->rctl |= 1U << 6)
CHANGE(with_fcs, nic->rctl &= ~E1000_RCTL_SECRC)
CHANGE(transmitter_off, nic->tctl &= ~E1000_TCTL_EN)

static void test_hostile_tables(void **state) {
  (void)state;
  void (*const changes[])(struct net_handoff *) = {
      no_nic,
      many_nics,
      nine_nics,
      many_payloads,
      small_nic,
      huge_nic,
      header_low,
      header_high,
      payload_high,
      payload_low,
      payload_empty,
      other_major,
      count_odd,
      count_small,
      count_large,
      count_zero,
      format,
      descriptor_size,
      buffer_size,
      stride,
      no_address,
      wraps,
      device_wraps,
      unaligned,
      too_full,
      published_beyond,
      published_behind,
      receive_not_filled,
      rings_overlap,
      ring_in_buffers,
      buffers_overlap,
      over_registers,
      over_table,
      device_rings_overlap,
      device_ring_in_buffers,
      device_buffers_overlap,
      own_buffers_over_ring,
      nics_share_registers,
      nics_share_ring,
      nics_share_buffers,
      ring_over_other_registers,
      same_nic_twice,
      payload_over_table,
      payload_over_ring,
      payload_over_buffers,
      payload_over_registers,
      payloads_overlap,
      small_bar,
      no_bar,
      no_mac,
      multicast_mac,
      many_groups,
      no_state,
      unknown_state,
      receiver_off,
      large_buffers,
      small_buffers,
      long_frames,
      split_descriptors,
      looped,
      with_fcs,
      transmitter_off,
  };
  struct bench bench;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  for(size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
    hostile(&bench, changes[i]);
  }
  end(&bench);
}

/* What lies apart is not taken for an overlap, and the addresses of a lost entry count for nothing. */
static void test_several_that_lie_apart(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  struct net_handoff *table = &bench.table;
  while(table->nic_count < NET_HANDOFF_NICS_MAX) {
    (void)add_nic(table);
  }
  add_payload(table, TABLE_AT - 4096U);
  while(table->payload_count < NET_HANDOFF_PAYLOADS_MAX) {
    add_payload(table, PAYLOAD_AT + table->payload_count * 4096U);
  }
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "");
  table->nic[1] = table->nic[0];
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "rings, buffers, registers, payloads or the table overlap");
  table->nic[1].state = NET_HANDOFF_LOST;
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "");
  end(&bench);
}

/* The memory that the device's rings are in, and no other. */
static const struct e1000 *mapped;

static void *map(void *ctx, uint64_t physical, uint64_t size) {
  const struct net_dma *blocks[] = {&mapped->rx.descriptors, &mapped->rx.buffers, &mapped->tx.descriptors,
                                    &mapped->tx.buffers};
  (void)ctx;
  for(size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
    uint64_t offset = physical - (uint64_t)(uintptr_t)blocks[i]->cpu;
    if(offset <= blocks[i]->size && size <= blocks[i]->size - offset) {
      return (void *)(uintptr_t)physical;
    }
  }
  return NULL;
}

/* Every byte at every bit, with the CRC right: refused, or adopted and then harmless. */
static void test_every_bit_with_a_good_crc(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  uint32_t adopted = 0;
  mapped = unit_nic(bench.firmware);
  for(size_t i = 0; i < offsetof(struct net_handoff, nic) + sizeof(struct net_handoff_nic); i++) {
    for(uint32_t bit = 0; bit < 8; bit++) {
      struct net_handoff table = bench.table;
      struct net_handoff copy;
      struct netdev *dev = NULL;
      ((uint8_t *)&table)[i] ^= (uint8_t)(1U << bit);
      uint32_t size = table.size;
      if(size > sizeof(table)) {
        continue; /* refused by its size; sealing it would read beyond */
      }
      net_handoff_seal(&table);
      if(net_handoff_validate(&table, sizeof(table), TABLE_AT, &copy) == NULL &&
         e1000_adopt(sim_platform(bench.sim), &copy.nic[0], map, &dev) == NETDEV_OK) {
        assert_null(e1000_ring_check(&unit_nic(dev)->rx));
        assert_null(e1000_ring_check(&unit_nic(dev)->tx));
        adopted++;
        dev->state = NETDEV_CLOSED; /* leaves the controller to the next */
        e1000_destroy(dev);
      }
    }
  }
  assert_true(adopted > 0); /* statistics, lease, PCI place: nothing that a device could contradict */
  assert_string_equal(sim_violation_text(bench.sim), "");
  end(&bench);
}

static void test_payloads(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  struct net_handoff *table = &bench.table;
  table->payload_count = 1;
  table->payload[0] = (struct net_handoff_payload){.name = "kernel.elf", .physical = PAYLOAD_AT, .size = 4096};
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "");
  assert_memory_equal(&copy.payload[0], &table->payload[0], sizeof(copy.payload[0]));
  memset(table->payload[0].name, 'x', sizeof(table->payload[0].name));
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "a payload's name does not end");
  table->payload[0].name[0] = '\0';
  table->payload[0].name[sizeof(table->payload[0].name) - 1] = '\0';
  table->payload[0].size = UINT64_MAX;
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "a payload's address is out of range");
  end(&bench);
}

/* A newer minor has longer entries: an older consumer steps over what it does not know. */
static void test_newer_minor(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  struct net_handoff *table = &bench.table;
  table->nic[0].state = NET_HANDOFF_LOST; /* twice the same rings would overlap */
  table->version_minor = 7;
  table->nic_size += 64;
  table->nic_count = 2;
  memcpy((uint8_t *)table + table->header_size + table->nic_size, &table->nic[0], sizeof(table->nic[0]));
  net_handoff_seal(table);
  assert_string_equal(judge(table, &copy), "");
  assert_memory_equal(&copy.nic[0], &copy.nic[1], sizeof(copy.nic[0]));
  end(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_byte_flipped),
      cmocka_unit_test(test_hostile_tables),
      cmocka_unit_test(test_several_that_lie_apart),
      cmocka_unit_test(test_every_bit_with_a_good_crc),
      cmocka_unit_test(test_payloads),
      cmocka_unit_test(test_newer_minor),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
