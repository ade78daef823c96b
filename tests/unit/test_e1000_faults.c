/* test_e1000_faults.c - tests of what must survive: hangs, removal at every register access, failing allocations. */
#include "faults_bench.h"

/* Cookies -------------------------------------------------------------------------------------------------------- */

static void test_close_cancels(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct bench bench;
    begin(&bench, devices[i]);
    for(uint32_t n = 1; n <= 3; n++) {
      assert_int_equal(transmit(&bench, n, 0), NETDEV_OK); /* done, but nobody has looked */
    }
    sim_knobs(bench.sim)->tx_held = true;
    for(uint32_t n = 4; n <= 7; n++) {
      assert_int_equal(transmit(&bench, n, 0), NETDEV_OK); /* the device's */
    }
    for(uint32_t n = 8; n <= 10; n++) {
      assert_int_equal(transmit(&bench, n, NETDEV_TX_MORE), NETDEV_OK); /* ours still */
    }
    netdev_close(bench.dev);
    expect_back(&bench, 1, 3, NETDEV_OK);
    expect_back(&bench, 4, 10, NETDEV_E_CANCELLED);
    assert_int_equal(bench.client.done_total, 10);
    assert_int_equal(bench.dev->stats.tx_errors, 7);
    sim_knobs(bench.sim)->tx_held = false;
    sim_step(bench.sim); /* the device has nothing left to send */
    assert_int_equal(sim_frames(bench.sim), 3);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    expect_traffic(&bench, 11);
    assert_int_equal(bench.client.done_total, 11);
    end(&bench);
  }
}

static void test_hang_resets_once(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct bench bench;
    begin(&bench, devices[i]);
    assert_int_equal(tick_for(&bench, TICK_US), NETDEV_OK);
    sim_knobs(bench.sim)->tx_held = true;
    for(uint32_t n = 1; n <= 5; n++) {
      assert_int_equal(transmit(&bench, n, 0), NETDEV_OK);
    }
    assert_int_equal(tick_for(&bench, HANG_US - 2U * TICK_US), NETDEV_OK);
    assert_int_equal(bench.client.done_total, 0);
    assert_int_equal(tick_for(&bench, 4U * TICK_US), NETDEV_OK);
    expect_back(&bench, 1, 5, NETDEV_E_RESET);
    assert_int_equal(bench.dev->stats.tx_hangs, 1);
    assert_true(sim_logged(bench.sim, NET_LOG_WARN, "hang") >= 1);
    sim_knobs(bench.sim)->tx_held = false;
    expect_traffic(&bench, 6);
    assert_int_equal(tick_for(&bench, 2U * HANG_US), NETDEV_OK);
    assert_int_equal(bench.dev->stats.tx_hangs, 1);
    assert_int_equal(bench.client.done_total, 6);
    end(&bench);
  }
}

static void test_waiting_for_a_link_is_no_hang(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM);
  sim_knobs(bench.sim)->tx_held = true;
  sim_knobs(bench.sim)->link_down = true;
  assert_int_equal(transmit(&bench, 1, 0), NETDEV_OK);
  assert_int_equal(tick_for(&bench, 3U * HANG_US), NETDEV_OK);
  sim_knobs(bench.sim)->link_down = false;
  sim_knobs(bench.sim)->tx_paused = true;
  assert_int_equal(tick_for(&bench, 3U * HANG_US), NETDEV_OK);
  sim_knobs(bench.sim)->tx_paused = false;
  assert_int_equal(tick_for(&bench, HANG_US / 2U), NETDEV_OK);
  assert_int_equal(bench.dev->stats.tx_hangs, 0);
  sim_knobs(bench.sim)->tx_held = false;
  sim_step(bench.sim);
  assert_int_equal(netdev_complete(bench.dev), 1);
  expect_back(&bench, 1, 1, NETDEV_OK);
  end(&bench);
}

static void test_slow_progress_is_no_hang(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM);
  for(uint32_t n = 1; n <= 10; n++) {
    sim_knobs(bench.sim)->tx_held = true;
    assert_int_equal(transmit(&bench, n, 0), NETDEV_OK);
    assert_int_equal(tick_for(&bench, HANG_US / 2U), NETDEV_OK);
    sim_knobs(bench.sim)->tx_held = false;
    sim_step(bench.sim);
  }
  assert_int_equal(tick_for(&bench, TICK_US), NETDEV_OK);
  assert_int_equal(bench.dev->stats.tx_hangs, 0);
  expect_back(&bench, 1, 10, NETDEV_OK);
  end(&bench);
}

/* A heartbeat that was late by seconds says nothing about a frame that is new: the watch runs from the first tick that
 * sees the frame, not from the last that saw an empty ring. */
static void test_a_new_frame_is_no_hang(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM);
  assert_int_equal(tick_for(&bench, TICK_US), NETDEV_OK);
  sim_advance(bench.sim, 2U * HANG_US);
  sim_knobs(bench.sim)->tx_held = true;
  assert_int_equal(transmit(&bench, 1, 0), NETDEV_OK);
  sim_advance(bench.sim, 10);
  assert_int_equal(netdev_tick(bench.dev), NETDEV_OK);
  assert_int_equal(bench.dev->stats.tx_hangs, 0);
  sim_knobs(bench.sim)->tx_held = false;
  sim_step(bench.sim);
  assert_int_equal(netdev_complete(bench.dev), 1);
  expect_back(&bench, 1, 1, NETDEV_OK);
  end(&bench);
}

/* The device was not told of them, so it cannot be late with them. */
static void test_frames_without_a_doorbell_are_no_hang(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM);
  assert_int_equal(transmit(&bench, 1, NETDEV_TX_MORE), NETDEV_OK);
  assert_int_equal(tick_for(&bench, 2U * HANG_US), NETDEV_OK);
  assert_int_equal(bench.dev->stats.tx_hangs, 0);
  netdev_flush(bench.dev);
  assert_int_equal(netdev_complete(bench.dev), 1);
  expect_back(&bench, 1, 1, NETDEV_OK);
  end(&bench);
}

/* The last resort: a device that cannot be reset is silenced by hand, for close touches a gone device no more. */
static void test_hang_that_no_reset_ends(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct bench bench;
    begin(&bench, devices[i]);
    sim_knobs(bench.sim)->tx_held = true;
    sim_knobs(bench.sim)->master_never_off = true; /* nor does the 82574's master stop */
    assert_int_equal(transmit(&bench, 1, 0), NETDEV_OK);
    sim_knobs(bench.sim)->reset_never_ends = true;
    assert_int_equal(tick_for(&bench, 2U * HANG_US), NETDEV_E_GONE);
    expect_back(&bench, 1, 1, NETDEV_E_GONE);
    assert_int_equal(bench.dev->state, NETDEV_GONE);
    netdev_close(bench.dev);
    end(&bench); /* the simulator minds memory that is freed under a running receiver */
  }
}

static void removal_hands_back(uint16_t device_id, bool reads_zero) {
  struct bench bench;
  begin(&bench, device_id);
  assert_int_equal(transmit(&bench, 1, 0), NETDEV_OK);
  sim_knobs(bench.sim)->tx_held = true;
  assert_int_equal(transmit(&bench, 2, 0), NETDEV_OK);
  assert_int_equal(transmit(&bench, 3, NETDEV_TX_MORE), NETDEV_OK);
  sim_knobs(bench.sim)->gone = true;
  sim_knobs(bench.sim)->gone_reads_zero = reads_zero;
  assert_int_equal(tick_for(&bench, TICK_US), NETDEV_E_GONE);
  expect_back(&bench, 1, 1, NETDEV_OK);
  expect_back(&bench, 2, 3, NETDEV_E_GONE);
  assert_false(bench.dev->link.up || bench.client.link.up);
  assert_int_equal(transmit(&bench, 4, 0), NETDEV_E_GONE);
  sim_forget_accesses(bench.sim);
  netdev_close(bench.dev);
  assert_int_equal(sim_reads(bench.sim) + sim_writes(bench.sim), 0);
  assert_int_equal(bench.client.done_total, 3);
  assert_int_equal(netdev_open(bench.dev), NETDEV_E_GONE);
  assert_int_equal(bench.dev->state, NETDEV_CLOSED);
  end(&bench);
}

static void test_removal_hands_back(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    removal_hands_back(devices[i], false);
    removal_hands_back(devices[i], true);
  }
}

/* Removal at every access ---------------------------------------------------------------------------------------- */

static bool is_gone(const struct sim *sim, uint64_t at) {
  return sim_accesses(sim) >= at;
}

/* Everything a client does, with errors passed over; the frames it still has to get back are counted in *owed. */
static void use(struct bench *bench, uint32_t *owed) {
  uint8_t frame[FRAME];
  static const uint8_t group[1][6] = {{0x01, 0, 0x5E, 0, 0, 1}};
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  for(uint32_t n = 1; n <= 20; n++) {
    *owed += transmit(bench, *owed + 1U, n % 3U ? NETDEV_TX_MORE : 0) == NETDEV_OK;
    (void)sim_inject(bench->sim, frame, sizeof(frame));
    (void)netdev_poll(bench->dev, 4);
    if(n % 5U == 0) {
      sim_advance(bench->sim, TICK_US);
      (void)netdev_tick(bench->dev);
    }
    unit_check(bench->sim, bench->dev);
  }
  netdev_flush(bench->dev);
  (void)netdev_set_filter(bench->dev, NETDEV_FILTER_MULTICAST | NETDEV_FILTER_PROMISCUOUS, group, 1);
  (void)netdev_get_stats(bench->dev);
}

/* True when the run ended before access `config.gone_at` came. */
static bool removed_at(struct sim_config config) {
  uint64_t at = config.gone_at;
  struct bench bench = {.sim = sim_create(&config)};
  int result = unit_create(bench.sim, 8, 8, &bench.dev);
  if(result != NETDEV_OK) {
    assert_true(is_gone(bench.sim, at));
    assert_true(result == NETDEV_E_GONE || result == NETDEV_E_NO_ADDRESS);
    unit_end(bench.sim, NULL);
    return false;
  }
  unit_client_init(&bench.client, bench.dev, true);
  uint32_t owed = 0;
  result = netdev_open(bench.dev);
  unit_check(bench.sim, bench.dev);
  if(result != NETDEV_OK) {
    assert_true(is_gone(bench.sim, at));
    assert_int_equal(result, NETDEV_E_GONE);
    assert_int_equal(bench.dev->state, NETDEV_CLOSED);
  } else {
    use(&bench, &owed);
    sim_advance(bench.sim, TICK_US);
    result = netdev_tick(bench.dev);
    assert_int_equal(result, is_gone(bench.sim, at) ? NETDEV_E_GONE : NETDEV_OK);
  }
  netdev_close(bench.dev);
  assert_int_equal(bench.client.done_total, owed);
  for(uint32_t n = 1; n <= owed; n++) {
    assert_int_equal(bench.client.done[n], 1);
  }
  bool over = !is_gone(bench.sim, at);
  if(!over) {
    assert_int_equal(netdev_open(bench.dev), NETDEV_E_GONE);
  }
  unit_end(bench.sim, bench.dev);
  return over;
}

static void removal_at_every_access(bool reads_zero) {
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    config.no_io = i == 2;
    config.gone_reads_zero = reads_zero;
    config.gone_at = 1;
    while(!removed_at(config)) {
      config.gone_at++;
    }
    assert_in_range(config.gone_at, 400, 5000); /* it went through the whole life of a device */
  }
}

static void test_removal_at_every_access(void **state) {
  (void)state;
  removal_at_every_access(false);
  removal_at_every_access(true);
}

static void test_removal_while_the_nvm_is_read(void **state) {
  (void)state;
  for(uint64_t at = 300; at < 760; at++) {
    for(size_t i = 0; i < DEVICES; i++) {
      struct sim_config config = unit_config(devices[i]);
      config.ral_empty = true;
      config.gone_at = at;
      (void)removed_at(config);
    }
  }
}

/* No memory ------------------------------------------------------------------------------------------------------ */

static void test_every_allocation_fails_once(void **state) {
  (void)state;
  for(uint32_t n = 1; n <= 9; n++) {
    for(size_t i = 0; i < DEVICES; i++) {
      /* three allocations: the device and the slots of two rings; four for DMA; then two calls that never come */
      struct sim_config config = unit_config(devices[i]);
      config.fail_alloc_at = n <= 4 ? n : 0;
      config.fail_dma_alloc_at = n > 4 ? n - 4U : 0;
      struct sim *sim = sim_create(&config);
      struct netdev *dev;
      int result = unit_create(sim, 8, 8, &dev);
      assert_int_equal(result, n == 4 || n == 9 ? NETDEV_OK : NETDEV_E_NO_MEMORY);
      unit_end(sim, dev);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_close_cancels),
      cmocka_unit_test(test_hang_resets_once),
      cmocka_unit_test(test_waiting_for_a_link_is_no_hang),
      cmocka_unit_test(test_slow_progress_is_no_hang),
      cmocka_unit_test(test_a_new_frame_is_no_hang),
      cmocka_unit_test(test_frames_without_a_doorbell_are_no_hang),
      cmocka_unit_test(test_hang_that_no_reset_ends),
      cmocka_unit_test(test_removal_hands_back),
      cmocka_unit_test(test_removal_at_every_access),
      cmocka_unit_test(test_removal_while_the_nvm_is_read),
      cmocka_unit_test(test_every_allocation_fails_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
