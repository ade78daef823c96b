/* test_adopt_state.c - what an adopted device knows: statistics, link, filters; and that it interrupts nobody yet. */
#include "handoff_bench.h"

#define TICK_US 60000U /* a tick that reads STATUS for certain */

/* Each number by itself: none is taken for another. */
static void test_every_statistic(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82574L);
  struct netdev_stats *stats = &bench.firmware->stats;
  stats->rx_frames = 0x100000001U;
  stats->rx_bytes = 0x200000002U;
  stats->tx_frames = 0x300000003U;
  stats->tx_bytes = 0x400000004U;
  stats->tx_errors = 0x500000005U;
  stats->link_changes = 0x600000006U;
  stats->rx_device_errors = 0x700000007U;
  stats->rx_length_errors = 0x20U;
  stats->rx_split_errors = 0x300U;
  unit_nic(bench.firmware)->counter[(E1000_MPC - E1000_STATS_FIRST) / 4U] = 0x800000008U;
  leave(&bench, NET_HANDOFF_LIVE);
  assert_int_equal(adopt(&bench), NETDEV_OK);
  const struct netdev_stats *after = netdev_get_stats(bench.kernel);
  assert_int_equal(after->rx_frames, 0x100000001U);
  assert_int_equal(after->rx_bytes, 0x200000002U);
  assert_int_equal(after->tx_frames, 0x300000003U);
  assert_int_equal(after->tx_bytes, 0x400000004U);
  assert_int_equal(after->tx_errors, 0x500000005U);
  assert_int_equal(after->link_changes, 0x600000006U);
  assert_int_equal(after->rx_errors, 0x700000327U);
  assert_int_equal(after->rx_missed, 0x800000008U);
  end(&bench);
}

/* The link is what the device says, not what the firmware saw last; what changes afterwards is reported. */
static void test_link_after_adoption(void **state) {
  (void)state;
  for(int down = 0; down < 2; down++) {
    struct bench bench;
    begin(&bench, SIM_82540EM);
    leave(&bench, NET_HANDOFF_LIVE);
    sim_knobs(bench.sim)->link_down = down;
    assert_int_equal(adopt(&bench), NETDEV_OK);
    bench.kernel->client.link_changed = unit_link_changed;
    assert_int_equal(bench.kernel->link.up, !down);
    assert_int_equal(bench.kernel->link.full_duplex, !down);
    assert_int_equal(bench.kernel->link.speed_mbps, down ? 0 : 1000);
    uint64_t changes = bench.kernel->stats.link_changes;
    sim_advance(bench.sim, TICK_US);
    assert_int_equal(netdev_tick(bench.kernel), NETDEV_OK);
    assert_int_equal(bench.after.links, 0);
    sim_knobs(bench.sim)->link_down = !down;
    sim_advance(bench.sim, TICK_US);
    assert_int_equal(netdev_tick(bench.kernel), NETDEV_OK);
    assert_int_equal(bench.after.links, 1);
    assert_int_equal(bench.kernel->link.up, down);
    assert_int_equal(bench.kernel->stats.link_changes, changes + 1U);
    end(&bench);
  }
}

/* Whatever the firmware, or who came after it, left unmasked: nothing interrupts until the kernel says so, also when
 * the entry turns out to be wrong. */
static void test_interrupts_are_masked(void **state) {
  (void)state;
  for(int wrong = 0; wrong < 2; wrong++) {
    struct bench bench;
    begin(&bench, SIM_82574L);
    leave(&bench, NET_HANDOFF_LIVE);
    sim_poke(bench.sim, E1000_IMS, E1000_CAUSE_RXT0 | E1000_CAUSE_LSC);
    block_of(&bench.table, 0)->tctl ^= wrong ? E1000_TCTL_RTLC : 0U;
    net_handoff_seal(&bench.table);
    assert_int_equal(adopt(&bench), wrong ? NETDEV_E_STATE : NETDEV_OK);
    assert_int_equal(sim_peek(bench.sim, E1000_IMS), 0);
    assert_false(sim_interrupt(bench.sim));
    end(&bench);
  }
}

/* The filters that came along are in force again after a reset that ended a hang. */
static void test_filters_outlive_a_hang(void **state) {
  (void)state;
  static const uint8_t groups[2][6] = {{1, 0, 0x5E, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 0x42}};
  static const uint8_t other[6] = {2, 4, 6, 8, 10, 12};
  static const uint16_t parts[] = {SIM_EVERY_PART};
  for(size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    struct bench bench;
    uint8_t frame[100];
    begin(&bench, parts[i]);
    assert_int_equal(netdev_set_mac(bench.firmware, other), NETDEV_OK);
    assert_int_equal(netdev_set_filter(bench.firmware, NETDEV_FILTER_UNICAST | NETDEV_FILTER_MULTICAST, groups, 2),
                     NETDEV_OK);
    leave(&bench, NET_HANDOFF_LIVE);
    assert_int_equal(adopt(&bench), NETDEV_OK);
    sim_knobs(bench.sim)->tx_held = true;
    unit_frame(frame, sizeof(frame), other, 1);
    assert_int_equal(netdev_transmit(bench.kernel, frame, sizeof(frame), NULL, 0), NETDEV_OK);
    for(uint32_t n = 0; n < 2; n++) {
      assert_int_equal(netdev_tick(bench.kernel), NETDEV_OK);
      sim_advance(bench.sim, 2100000U);
    }
    sim_knobs(bench.sim)->tx_held = false;
    assert_int_equal(netdev_tick(bench.kernel), NETDEV_OK);
    assert_int_equal(bench.kernel->stats.tx_hangs, 1);
    for(size_t n = 0; n < 2; n++) {
      unit_frame(frame, sizeof(frame), groups[n], 1);
      assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
      frame[5] ^= 0x10U;
      assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_FILTERED);
    }
    unit_frame(frame, sizeof(frame), other, 1);
    assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
    unit_frame(frame, sizeof(frame), unit_mac, 1);
    assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_FILTERED);
    assert_int_equal(netdev_poll(bench.kernel, RING), 3);
    end(&bench);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_statistic),
      cmocka_unit_test(test_link_after_adoption),
      cmocka_unit_test(test_interrupts_are_masked),
      cmocka_unit_test(test_filters_outlive_a_hang),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
