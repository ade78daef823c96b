/* test_adopt.c - producer and consumer of the handoff against each other: a kernel goes on with a device that runs. */
#include "handoff_bench.h"

static void *nowhere(void *ctx, uint64_t physical, uint64_t size) {
  (void)ctx;
  (void)physical;
  (void)size;
  return NULL;
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
    bench.kernel->client.tx_done = unit_tx_done;
    assert_int_equal(netdev_transmit(bench.kernel, frame, sizeof(frame), unit_cookie(6), 0), NETDEV_OK);
    assert_int_equal(sim_frames(bench.sim), 6);
    for(uint32_t i = 1; i <= 6; i++) {
      size_t length;
      unit_frame(frame, sizeof(frame), unit_mac, i);
      const uint8_t *sent = sim_frame(bench.sim, i - 1, &length);
      assert_int_equal(length, sizeof(frame));
      assert_memory_equal(sent, frame, sizeof(frame));
    }
    assert_int_equal(netdev_complete(bench.kernel), 6);
    assert_int_equal(bench.after.done_total, 1); /* the firmware's cookies are not the kernel's */
    assert_int_equal(bench.after.done[6], 1);
    assert_int_equal(bench.kernel->stats.tx_frames, 6);
    assert_int_equal(bench.kernel->stats.tx_bytes, 6 * sizeof(frame));
    unit_check(bench.sim, bench.kernel);
    /* The firmware's client is owed its cookies by the firmware's device alone, which nobody runs any more. */
    bench.firmware->client = (struct netdev_client){0};
    end(&bench);
  }
}

/* Where the 82544 wants a buffer to end, in PCI-X mode: also what the firmware queued, and what the kernel sends. */
static void test_where_a_buffer_ends(void **state) {
  (void)state;
  struct bench bench;
  uint8_t frame[104] = {0};
  begin(&bench, SIM_82544GC);
  netdev_close(bench.firmware);
  sim_knobs(bench.sim)->pcix = true;
  assert_int_equal(netdev_open(bench.firmware), NETDEV_OK);
  bench.firmware->client = (struct netdev_client){0};
  sim_knobs(bench.sim)->tx_held = true;
  for(size_t length = 97; length <= 104; length++) {
    assert_int_equal(netdev_transmit(bench.firmware, frame, length, NULL, 0), NETDEV_OK);
  }
  leave(&bench, NET_HANDOFF_LIVE);
  assert_int_equal(adopt(&bench), NETDEV_OK);
  sim_knobs(bench.sim)->tx_held = false;
  for(size_t length = 97; length <= 103; length++) {
    assert_int_equal(netdev_transmit(bench.kernel, frame, length, NULL, 0), NETDEV_OK);
  }
  assert_int_equal(sim_frames(bench.sim), 15);
  end(&bench);
}

/* Management firmware hears that a driver is in charge again. */
static void test_quiet_is_taken_charge_of(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82574L);
  leave(&bench, NET_HANDOFF_QUIET);
  assert_int_equal(sim_peek(bench.sim, E1000_CTRL_EXT) & E1000_CTRL_EXT_DRV_LOAD, 0);
  assert_int_equal(adopt(&bench), NETDEV_OK);
  assert_int_not_equal(sim_peek(bench.sim, E1000_CTRL_EXT) & E1000_CTRL_EXT_DRV_LOAD, 0);
  end(&bench);
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

/* Wherever the firmware stood in a batch, the kernel has the ring filled to one short of full, and each of the buffers
 * that the device was told of takes a frame. */
static void test_whole_ring(void **state) {
  (void)state;
  for(uint32_t consumed = 0; consumed < 2U * RING; consumed++) {
    struct bench bench;
    begin(&bench, SIM_82540EM);
    for(uint32_t i = 0; i < consumed; i++) {
      inject(&bench, i);
      expect_next(bench.firmware, i);
    }
    leave(&bench, NET_HANDOFF_LIVE);
    assert_int_equal(adopt(&bench), NETDEV_OK);
    const struct e1000_ring *ring = &unit_nic(bench.kernel)->rx;
    assert_int_equal(e1000_ring_used(ring), RING - 1U);
    uint32_t owned = ring->published - ring->head;
    assert_true(owned > RING / 2U - 1U && owned < RING);
    for(uint32_t i = 0; i < owned; i++) {
      inject(&bench, i);
    }
    uint8_t frame[100];
    unit_frame(frame, sizeof(frame), unit_mac, 0);
    assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_NO_BUFFER);
    for(uint32_t i = 0; i < owned; i++) {
      expect_next(bench.kernel, i);
      assert_int_equal(e1000_ring_used(ring), RING - 1U);
    }
    end(&bench);
  }
}

/* Damaged frames into every free buffer, then `misses` that find none; how many were damaged. */
static uint32_t damage(struct bench *bench, uint32_t misses) {
  uint8_t frame[100];
  uint32_t damaged = 0;
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  while(sim_inject_raw(bench->sim, frame, sizeof(frame), E1000_RXD_STATUS_DD | E1000_RXD_STATUS_EOP,
                       E1000_RXD_ERROR_FRAME, sizeof(frame)) == SIM_DELIVERED) {
    damaged++;
  }
  for(uint32_t i = 1; i < misses; i++) {
    assert_int_equal(sim_inject(bench->sim, frame, sizeof(frame)), SIM_NO_BUFFER);
  }
  return damaged;
}

/* The kernel's statistics go on from the firmware's, whether or not somebody asked for those, and whether or not the
 * device forgets a count that was read. */
static void test_statistics_go_on(void **state) {
  (void)state;
  for(uint32_t variant = 0; variant < 4; variant++) {
    struct bench bench;
    begin(&bench, 0x10D3);
    sim_knobs(bench.sim)->qemu = variant & 1U;
    uint32_t errors = damage(&bench, 3);
    netdev_poll(bench.firmware, RING);
    if(variant & 2U) {
      assert_int_equal(netdev_get_stats(bench.firmware)->rx_missed, 3);
    }
    leave(&bench, NET_HANDOFF_LIVE);
    assert_int_equal(bench.table.nic[0].statistics.rx_errors, errors);
    assert_int_equal(bench.table.nic[0].statistics.rx_missed, variant & 2U ? 3 : 0);
    errors += damage(&bench, 2); /* while the kernel boots */
    assert_int_equal(adopt(&bench), NETDEV_OK);
    netdev_poll(bench.kernel, RING);
    assert_int_equal(netdev_get_stats(bench.kernel)->rx_errors, errors);
    assert_int_equal(netdev_get_stats(bench.kernel)->rx_missed, 5);
    errors += damage(&bench, 1);
    netdev_poll(bench.kernel, RING);
    assert_int_equal(netdev_get_stats(bench.kernel)->rx_errors, errors);
    assert_int_equal(netdev_get_stats(bench.kernel)->rx_missed, 6);
    end(&bench);
  }
}

/* A reset that ended a hang has the counters read, without anybody asking for statistics. */
static void test_misses_before_a_hang(void **state) {
  (void)state;
  struct bench bench;
  uint8_t frame[60];
  begin(&bench, 0x100E);
  (void)damage(&bench, 3);
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  sim_knobs(bench.sim)->tx_held = true;
  assert_int_equal(netdev_transmit(bench.firmware, frame, sizeof(frame), unit_cookie(1), 0), NETDEV_OK);
  for(uint32_t i = 0; i < 2; i++) {
    assert_int_equal(netdev_tick(bench.firmware), NETDEV_OK);
    sim_advance(bench.sim, 2100000U);
  }
  sim_knobs(bench.sim)->tx_held = false;
  assert_int_equal(netdev_tick(bench.firmware), NETDEV_OK);
  assert_int_equal(bench.firmware->stats.tx_hangs, 1);
  leave(&bench, NET_HANDOFF_LIVE);
  assert_int_equal(adopt(&bench), NETDEV_OK);
  assert_int_equal(netdev_get_stats(bench.kernel)->rx_missed, 3);
  end(&bench);
}

/* Every register that the entry speaks of, changed behind its back. */
static void test_device_that_disagrees(void **state) {
  (void)state;
  static const struct {
    uint32_t offset;
    uint32_t flip;
  } rows[] = {{E1000_RDBAL, 0x80},    {E1000_RDLEN, 0x80},         {E1000_RDT, 0x80},
              {E1000_RDBAH, 0x80},    {E1000_TDBAH, 0x80},         {E1000_RDH, 0x80},
              {E1000_RDH, 0x02}, /* 3: before what the device owns */
              {E1000_TDBAL, 0x80},    {E1000_TDLEN, 0x80},         {E1000_TDT, 0x80},
              {E1000_RAL, 0x80},      {E1000_RAH, 0x80},           {E1000_RCTL, 0x80},
              {E1000_TDH, RING - 1U}, {E1000_TCTL, E1000_TCTL_EN}, {E1000_RFCTL, E1000_RFCTL_EXTEN}};
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct bench bench;
    begin(&bench, 0x10D3);
    for(uint32_t n = 0; n < 3; n++) {
      inject(&bench, n);
      expect_next(bench.firmware, n);
    }
    leave(&bench, NET_HANDOFF_LIVE);
    sim_poke(bench.sim, rows[i].offset, sim_peek(bench.sim, rows[i].offset) ^ rows[i].flip);
    uint32_t used = sim_allocs(bench.sim);
    int result = adopt(&bench);
    assert_int_equal(result, NETDEV_E_STATE);
    assert_null(bench.kernel);
    assert_true(sim_allocs(bench.sim) >= used);
    sim_destroy(bench.sim); /* poked beyond use: the firmware's device is not asked again */
  }
}

/* Quiet, says the entry, and the receiver or the transmitter runs: somebody has been here since. */
static void test_quiet_but_running(void **state) {
  (void)state;
  for(int receiver = 0; receiver < 2; receiver++) {
    struct bench bench;
    begin(&bench, SIM_82574L);
    leave(&bench, NET_HANDOFF_QUIET);
    uint32_t offset = receiver ? E1000_RCTL : E1000_TCTL;
    uint32_t quiet = sim_peek(bench.sim, offset);
    const struct net_handoff_e1000 *block = block_of(&bench.table, 0);
    sim_poke(bench.sim, offset, receiver ? block->rctl : block->tctl);
    sim_forget_accesses(bench.sim);
    assert_int_equal(adopt(&bench), NETDEV_E_STATE);
    assert_null(bench.kernel);
    assert_int_equal(sim_writes(bench.sim), 1); /* IMC */
    sim_poke(bench.sim, offset, quiet);
    assert_int_equal(adopt(&bench), NETDEV_OK);
    end(&bench);
  }
}

/* What the device has yet to touch has to lie where the entry says; what it is done with no longer matters. */
static void test_buffers_elsewhere(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff_copy copy;
  struct netdev *dev = NULL;
  uint8_t frame[60];
  begin(&bench, 0x10D3);
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  sim_knobs(bench.sim)->tx_held = true;
  assert_int_equal(netdev_transmit(bench.firmware, frame, sizeof(frame), unit_cookie(1), 0), NETDEV_OK);
  inject(&bench, 1);
  leave(&bench, NET_HANDOFF_LIVE);
  uint32_t leaks = sim_leaks(bench.sim);
  struct net_handoff_e1000 *block = (struct net_handoff_e1000 *)copy.block[0];
  struct net_handoff_e1000_ring *rings[] = {&block->rx, &block->tx};
  for(size_t i = 0; i < 2; i++) {
    assert_string_equal(judge(&bench.table, &copy), "");
    rings[i]->buffers_device += E1000_BUFFER_SIZE;
    assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], copy.block[0], identity, &dev), NETDEV_E_STATE);
    assert_int_equal(sim_leaks(bench.sim), leaks);
  }
  volatile union e1000_descriptor *descriptor = unit_nic(bench.firmware)->rx.descriptor;
  descriptor[RING - 2U].rx.address += E1000_BUFFER_SIZE; /* the last one that the device owns */
  assert_int_equal(adopt(&bench), NETDEV_E_STATE);
  descriptor[RING - 2U].rx.address -= E1000_BUFFER_SIZE;
  descriptor[0].rx.address = 0; /* a received frame's */
  assert_int_equal(adopt(&bench), NETDEV_OK);
  expect_next(bench.kernel, 1);
  sim_knobs(bench.sim)->tx_held = false;
  end(&bench);
}

static void test_refusals(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff_copy copy;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  assert_string_equal(judge(&bench.table, &copy), "");
  struct netdev *dev = NULL;
  assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], copy.block[0], nowhere, &dev),
                   NETDEV_E_NO_MEMORY);
  copy.nic[0].state = NET_HANDOFF_ARMED_LIVE;
  assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], copy.block[0], identity, &dev),
                   NETDEV_E_UNSUPPORTED);
  copy.nic[0].state = NET_HANDOFF_LIVE;
  copy.nic[0].device_id = 0x1234;
  assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], copy.block[0], identity, &dev),
                   NETDEV_E_UNSUPPORTED);
  assert_int_equal(e1000_adopt(NULL, &copy.nic[0], copy.block[0], identity, &dev), NETDEV_E_INVALID);
  assert_int_equal(e1000_adopt(sim_platform(bench.sim), NULL, copy.block[0], identity, &dev), NETDEV_E_INVALID);
  assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], copy.block[0], NULL, &dev), NETDEV_E_INVALID);
  assert_null(dev);
  end(&bench);
}

/* Without memory, or without a device: nothing is left, and it can be tried again. */
static void test_adoption_that_fails(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff_copy copy;
  struct netdev *dev = NULL;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  assert_string_equal(judge(&bench.table, &copy), "");
  uint32_t leaks = sim_leaks(bench.sim);
  for(uint32_t n = 1; n <= 3; n++) {
    sim_knobs(bench.sim)->fail_alloc_at = sim_allocs(bench.sim) + n;
    assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], copy.block[0], identity, &dev),
                     NETDEV_E_NO_MEMORY);
    assert_int_equal(sim_leaks(bench.sim), leaks);
  }
  sim_knobs(bench.sim)->gone = true;
  assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], copy.block[0], identity, &dev), NETDEV_E_GONE);
  sim_knobs(bench.sim)->gone = false;
  /* a count that only device and entry agree on */
  struct net_handoff_e1000 *block = (struct net_handoff_e1000 *)copy.block[0];
  block->tx.count = 2U * E1000_RING_MAX;
  uint32_t length = sim_peek(bench.sim, E1000_TDLEN);
  sim_poke(bench.sim, E1000_TDLEN, block->tx.count * 16U);
  assert_int_equal(e1000_adopt(sim_platform(bench.sim), &copy.nic[0], copy.block[0], identity, &dev), NETDEV_E_INVALID);
  sim_poke(bench.sim, E1000_TDLEN, length);
  assert_int_equal(sim_leaks(bench.sim), leaks);
  assert_int_equal(adopt(&bench), NETDEV_OK);
  end(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_receiving_goes_on),    cmocka_unit_test(test_queued_frames_leave_once),
      cmocka_unit_test(test_where_a_buffer_ends),  cmocka_unit_test(test_quiet_is_taken_charge_of),
      cmocka_unit_test(test_state_rides_along),    cmocka_unit_test(test_statistics_go_on),
      cmocka_unit_test(test_misses_before_a_hang), cmocka_unit_test(test_device_that_disagrees),
      cmocka_unit_test(test_whole_ring),           cmocka_unit_test(test_quiet_but_running),
      cmocka_unit_test(test_buffers_elsewhere),    cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_adoption_that_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
