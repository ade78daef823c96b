/* test_handoff.c - producer and consumer of the handoff against each other, and 10,000 tables that are wrong. */
#include <stdlib.h>

#include "handoff.h"
#include "unit.h"

#define TABLE_AT 0x1000000U /* where the table pretends to lie; nothing else is there */
#define RING     16U

/* Firmware's device, the table it leaves, and the kernel's device. */
struct bench {
  struct sim *sim;
  struct netdev *firmware;
  struct netdev *kernel;
  struct net_handoff table;
  struct unit_client before;
  struct unit_client after;
};

static void *identity(void *ctx, uint64_t physical, uint64_t size) {
  (void)ctx;
  (void)size;
  return (void *)(uintptr_t)physical;
}

static void *nowhere(void *ctx, uint64_t physical, uint64_t size) {
  (void)ctx;
  (void)physical;
  (void)size;
  return NULL;
}

static void begin(struct bench *bench, uint16_t device_id) {
  struct sim_config config = unit_config(device_id);
  memset(bench, 0, sizeof(*bench));
  bench->sim = sim_create(&config);
  assert_int_equal(unit_create(bench->sim, RING, RING, &bench->firmware), NETDEV_OK);
  unit_client_init(&bench->before, bench->firmware, true);
  assert_int_equal(netdev_open(bench->firmware), NETDEV_OK);
}

static void end(struct bench *bench) {
  e1000_destroy(bench->kernel);
  unit_end(bench->sim, bench->firmware);
}

/* What the producer does at ExitBootServices. */
static void leave(struct bench *bench, uint8_t state) {
  struct net_handoff *table = &bench->table;
  net_handoff_init(table);
  table->nic_count = 1;
  table->nic[0].vendor_id = E1000_VENDOR_ID;
  table->nic[0].device_id = sim_knobs(bench->sim)->device_id;
  table->nic[0].bar0 = 0x80000000U;
  table->nic[0].bar0_size = E1000_BAR0_MIN_SIZE;
  table->nic[0].state = state;
  e1000_handoff_export(bench->firmware, &table->nic[0]);
  if(state == NET_HANDOFF_QUIET) {
    e1000_quiesce(bench->firmware);
  }
  net_handoff_seal(table);
}

static const char *judge(const struct net_handoff *table, struct net_handoff *copy) {
  const char *problem = net_handoff_validate(table, sizeof(*table), TABLE_AT, copy);
  return problem ? problem : "";
}

static int adopt(struct bench *bench) {
  struct net_handoff copy;
  assert_string_equal(judge(&bench->table, &copy), "");
  int result = e1000_adopt(sim_platform(bench->sim), &copy.nic[0], identity, &bench->kernel);
  if(result == NETDEV_OK) {
    memset(&bench->after, 0, sizeof(bench->after));
    bench->kernel->client.ctx = &bench->after;
    bench->kernel->client.receive = unit_receive;
  }
  return result;
}

static void inject(struct bench *bench, uint32_t number) {
  uint8_t frame[100];
  unit_frame(frame, sizeof(frame), unit_mac, number);
  assert_int_equal(sim_inject(bench->sim, frame, sizeof(frame)), SIM_DELIVERED);
}

static void expect_next(struct netdev *dev, uint32_t number) {
  uint8_t expected[100];
  struct netdev_frame frame;
  unit_frame(expected, sizeof(expected), unit_mac, number);
  assert_int_equal(netdev_peek(dev, &frame), NETDEV_OK);
  assert_int_equal(frame.length, sizeof(expected));
  assert_memory_equal(frame.data, expected, sizeof(expected));
  netdev_release(dev);
}

/* Frames that arrive before, during and after: the kernel gets each once, in order, for every place in the ring. */
static void continue_receiving(uint16_t device_id, uint8_t state) {
  for(uint32_t consumed = 0; consumed < 2 * RING; consumed++) {
    struct bench bench;
    begin(&bench, device_id);
    uint32_t number = 0;
    for(uint32_t i = 0; i < consumed; i++) {
      inject(&bench, ++number);
      expect_next(bench.firmware, number);
    }
    uint32_t delivered = number;
    for(uint32_t i = 0; i < 3; i++) {
      inject(&bench, ++number); /* the firmware never looks at these */
    }
    leave(&bench, state);
    if(state == NET_HANDOFF_LIVE) {
      inject(&bench, ++number); /* while the kernel boots */
    }
    sim_forget_accesses(bench.sim);
    assert_int_equal(adopt(&bench), NETDEV_OK);
    assert_int_equal(sim_writes_of(bench.sim, E1000_CTRL), 0); /* no reset */
    inject(&bench, ++number);
    while(delivered < number) {
      expect_next(bench.kernel, ++delivered);
    }
    for(uint32_t i = 0; i < 5 * RING; i++) {
      inject(&bench, ++number);
      expect_next(bench.kernel, ++delivered);
    }
    unit_check(bench.sim, bench.kernel);
    end(&bench);
  }
}

static void test_receiving_goes_on(void **state) {
  (void)state;
  continue_receiving(0x100E, NET_HANDOFF_LIVE);
  continue_receiving(0x10D3, NET_HANDOFF_LIVE);
  continue_receiving(0x100E, NET_HANDOFF_QUIET);
  continue_receiving(0x10D3, NET_HANDOFF_QUIET);
}

/* Frames queued by the firmware and not sent when it left go out exactly once, then the kernel's own. */
static void test_queued_frames_leave_once(void **state) {
  (void)state;
  for(uint8_t mode = NET_HANDOFF_QUIET; mode <= NET_HANDOFF_LIVE; mode++) {
    struct bench bench;
    uint8_t frame[100];
    begin(&bench, 0x10D3);
    sim_knobs(bench.sim)->tx_held = true;
    for(uint32_t i = 1; i <= 5; i++) {
      unit_frame(frame, sizeof(frame), unit_mac, i);
      assert_int_equal(netdev_transmit(bench.firmware, frame, sizeof(frame), unit_cookie(i), 0), NETDEV_OK);
    }
    leave(&bench, mode);
    assert_int_equal(adopt(&bench), NETDEV_OK);
    sim_knobs(bench.sim)->tx_held = false;
    unit_frame(frame, sizeof(frame), unit_mac, 6);
    assert_int_equal(netdev_transmit(bench.kernel, frame, sizeof(frame), NULL, 0), NETDEV_OK);
    assert_int_equal(sim_frames(bench.sim), 6);
    for(uint32_t i = 1; i <= 6; i++) {
      size_t length;
      unit_frame(frame, sizeof(frame), unit_mac, i);
      const uint8_t *sent = sim_frame(bench.sim, i - 1, &length);
      assert_int_equal(length, sizeof(frame));
      assert_memory_equal(sent, frame, sizeof(frame));
    }
    assert_int_equal(netdev_complete(bench.kernel), 6);
    unit_check(bench.sim, bench.kernel);
    /* The firmware's client is owed its cookies by the firmware's device alone, which nobody runs any more. */
    bench.firmware->client = (struct netdev_client){0};
    end(&bench);
  }
}

static void test_state_rides_along(void **state) {
  (void)state;
  static const uint8_t groups[2][6] = {{1, 0, 0x5E, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 1}};
  static const uint8_t other[6] = {2, 4, 6, 8, 10, 12};
  struct bench bench;
  begin(&bench, 0x100E);
  assert_int_equal(netdev_set_mac(bench.firmware, other), NETDEV_OK);
  assert_int_equal(netdev_set_filter(bench.firmware, NETDEV_FILTER_UNICAST | NETDEV_FILTER_MULTICAST, groups, 2),
                   NETDEV_OK);
  uint8_t frame[100];
  unit_frame(frame, sizeof(frame), other, 1);
  assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
  netdev_poll(bench.firmware, 10);
  leave(&bench, NET_HANDOFF_LIVE);
  assert_int_equal(adopt(&bench), NETDEV_OK);
  assert_memory_equal(bench.kernel->mac, other, 6);
  assert_memory_equal(bench.kernel->permanent_mac, unit_mac, 6);
  assert_int_equal(bench.kernel->multicast_count, 2);
  assert_true(bench.kernel->link.up);
  assert_int_equal(bench.kernel->stats.rx_frames, 1);
  /* The same list again writes nothing: the shadow came along. */
  sim_forget_accesses(bench.sim);
  assert_int_equal(netdev_set_filter(bench.kernel, NETDEV_FILTER_UNICAST | NETDEV_FILTER_MULTICAST, groups, 2),
                   NETDEV_OK);
  assert_int_equal(sim_writes(bench.sim), 0);
  end(&bench);
}

/* Every register that the entry speaks of, changed behind its back. */
static void test_device_that_disagrees(void **state) {
  (void)state;
  static const uint32_t offsets[] = {E1000_RDBAL, E1000_RDLEN, E1000_RDT, E1000_TDBAL, E1000_TDLEN,
                                     E1000_TDT,   E1000_RAL,   E1000_RAH, E1000_RCTL,  E1000_TDH};
  for(size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
    struct bench bench;
    begin(&bench, 0x10D3);
    leave(&bench, NET_HANDOFF_LIVE);
    sim_poke(bench.sim, offsets[i], offsets[i] == E1000_TDH ? RING - 1U : sim_peek(bench.sim, offsets[i]) ^ 0x80U);
    uint32_t used = sim_allocs(bench.sim);
    int result = adopt(&bench);
    assert_int_equal(result, NETDEV_E_STATE);
    assert_null(bench.kernel);
    assert_true(sim_allocs(bench.sim) >= used);
    sim_destroy(bench.sim); /* poked beyond use: the firmware's device is not asked again */
  }
}

static void test_refusals(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  assert_string_equal(judge(&bench.table, &copy), "");
  struct netdev *dev = NULL;
  assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], nowhere, &dev), NETDEV_E_NO_MEMORY);
  copy.nic[0].state = NET_HANDOFF_ARMED_LIVE;
  assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], identity, &dev), NETDEV_E_UNSUPPORTED);
  copy.nic[0].state = NET_HANDOFF_LIVE;
  copy.nic[0].device_id = 0x1234;
  assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], identity, &dev), NETDEV_E_UNSUPPORTED);
  assert_int_equal(e1000_adopt(NULL, &copy.nic[0], identity, &dev), NETDEV_E_INVALID);
  assert_null(dev);
  end(&bench);
}

/* Without memory, or without a device: nothing is left, and it can be tried again. */
static void test_adoption_that_fails(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff copy;
  struct netdev *dev = NULL;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  assert_string_equal(judge(&bench.table, &copy), "");
  uint32_t leaks = sim_leaks(bench.sim);
  for(uint32_t n = 1; n <= 3; n++) {
    sim_knobs(bench.sim)->fail_alloc_at = sim_allocs(bench.sim) + n;
    assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], identity, &dev), NETDEV_E_NO_MEMORY);
    assert_int_equal(sim_leaks(bench.sim), leaks);
  }
  sim_knobs(bench.sim)->gone = true;
  assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], identity, &dev), NETDEV_E_GONE);
  sim_knobs(bench.sim)->gone = false;
  /* a count that only device and entry agree on */
  copy.nic[0].tx.count = 2U * E1000_RING_MAX;
  uint32_t length = sim_peek(bench.sim, E1000_TDLEN);
  sim_poke(bench.sim, E1000_TDLEN, copy.nic[0].tx.count * 16U);
  assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], identity, &dev), NETDEV_E_INVALID);
  sim_poke(bench.sim, E1000_TDLEN, length);
  assert_int_equal(sim_leaks(bench.sim), leaks);
  assert_int_equal(adopt(&bench), NETDEV_OK);
  end(&bench);
}

/* Tables that are wrong ------------------------------------------------------------------------------------------ */

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

/* Every byte at every bit, with the CRC right: refused, or adopted and then harmless. */
static void test_every_bit_with_a_good_crc(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  uint32_t adopted = 0;
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
         e1000_adopt(sim_platform(bench.sim), &copy.nic[0], identity, &dev) == NETDEV_OK) {
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
  table->payload[0] = (struct net_handoff_payload){.name = "kernel.elf", .physical = 0x100000U, .size = 4096};
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
      cmocka_unit_test(test_receiving_goes_on),
      cmocka_unit_test(test_queued_frames_leave_once),
      cmocka_unit_test(test_state_rides_along),
      cmocka_unit_test(test_device_that_disagrees),
      cmocka_unit_test(test_adoption_that_fails),
      cmocka_unit_test(test_payloads),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_every_byte_flipped),
      cmocka_unit_test(test_hostile_tables),
      cmocka_unit_test(test_every_bit_with_a_good_crc),
      cmocka_unit_test(test_newer_minor),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
