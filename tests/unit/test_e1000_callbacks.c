/* test_e1000_callbacks.c - tests of callbacks that transmit at a bad moment. */
#include "faults_bench.h"

/* Sends another frame for every one that comes back, as a client that retries would; it gives up after `left`. */
struct retrier {
  struct bench *bench;
  uint32_t left;
  uint32_t next;
  uint32_t accepted;
};

static void retry(void *ctx, void *cookie, int status) {
  struct retrier *retrier = ctx;
  unit_tx_done(&retrier->bench->client, cookie, status);
  if(retrier->left > 0) {
    retrier->left--;
    if(transmit(retrier->bench, retrier->next, 0) == NETDEV_OK) {
      retrier->next++;
      retrier->accepted++;
    }
  }
}

static void begin_retrying(struct bench *bench, struct retrier *retrier, uint32_t left, uint16_t device_id) {
  begin(bench, device_id);
  netdev_close(bench->dev);
  *retrier = (struct retrier){.bench = bench, .left = left, .next = 100};
  struct netdev_client wanted = {.ctx = retrier, .tx_done = retry};
  assert_int_equal(netdev_set_client(bench->dev, &wanted), NETDEV_OK);
  assert_int_equal(netdev_open(bench->dev), NETDEV_OK);
}

static void expect_all_back(const struct bench *bench, const struct retrier *retrier, uint32_t own) {
  for(uint32_t n = 1; n <= own; n++) {
    assert_int_equal(bench->client.done[n], 1);
  }
  for(uint32_t n = 100; n < retrier->next; n++) {
    assert_int_equal(bench->client.done[n], 1);
  }
  assert_int_equal(bench->client.done_total, own + retrier->accepted);
}

static void test_callback_transmits_on_completion(void **state) {
  (void)state;
  struct bench bench;
  struct retrier retrier;
  begin_retrying(&bench, &retrier, 200, SIM_82540EM);
  for(uint32_t n = 1; n <= 5; n++) {
    assert_int_equal(transmit(&bench, n, 0), NETDEV_OK);
  }
  while(netdev_complete(bench.dev) > 0) {
    unit_check(bench.sim, bench.dev);
  }
  assert_int_equal(retrier.accepted, 200);
  expect_all_back(&bench, &retrier, 5);
  assert_int_equal(sim_frames(bench.sim), 205);
  end(&bench);
}

static void test_callback_transmits_while_the_ring_is_full(void **state) {
  (void)state;
  struct bench bench;
  struct retrier retrier;
  begin_retrying(&bench, &retrier, 40, SIM_82540EM);
  sim_knobs(bench.sim)->delayed = true;
  uint32_t sent = 0;
  for(uint32_t n = 1; n <= 60; n++) {
    sent += transmit(&bench, sent + 1U, 0) == NETDEV_OK;
    unit_check(bench.sim, bench.dev);
    if(n % 16U == 0) {
      sim_step(bench.sim);
    }
  }
  for(int i = 0; i < 100; i++) {
    sim_step(bench.sim);
    (void)netdev_complete(bench.dev);
  }
  expect_all_back(&bench, &retrier, sent);
  end(&bench);
}

/* A frame taken while all frames come back could only come back again: a client that retries would never get out. */
static void expect_refused(struct bench *bench, struct retrier *retrier) {
  expect_all_back(bench, retrier, 1);
  assert_string_equal(sim_violation_text(bench->sim), "");
  assert_int_equal(retrier->accepted, 0);
}

/* A callback that sends again while its frames come back must be refused, or close would never end. */
static void test_callback_transmits_during_close(void **state) {
  (void)state;
  struct bench bench;
  struct retrier retrier;
  begin_retrying(&bench, &retrier, 50, SIM_82540EM);
  sim_knobs(bench.sim)->tx_held = true;
  assert_int_equal(transmit(&bench, 1, 0), NETDEV_OK);
  netdev_close(bench.dev);
  expect_refused(&bench, &retrier);
  end(&bench);
}

static void test_callback_transmits_during_removal(void **state) {
  (void)state;
  struct bench bench;
  struct retrier retrier;
  begin_retrying(&bench, &retrier, 50, SIM_82574L);
  sim_knobs(bench.sim)->tx_held = true;
  assert_int_equal(transmit(&bench, 1, 0), NETDEV_OK);
  sim_knobs(bench.sim)->gone = true;
  assert_int_equal(tick_for(&bench, TICK_US), NETDEV_E_GONE);
  expect_refused(&bench, &retrier);
  end(&bench);
}

/* Here a frame may also be taken, if it is sent once the device runs again: it must not end up in the dead ring, and no
 * doorbell may go to that. */
static void test_callback_transmits_during_recovery(void **state) {
  (void)state;
  struct bench bench;
  struct retrier retrier;
  begin_retrying(&bench, &retrier, 50, SIM_82540EM);
  sim_knobs(bench.sim)->tx_held = true;
  assert_int_equal(transmit(&bench, 1, 0), NETDEV_OK);
  assert_int_equal(tick_for(&bench, HANG_US + 2U * TICK_US), NETDEV_OK);
  assert_int_equal(bench.dev->stats.tx_hangs, 1);
  assert_string_equal(sim_violation_text(bench.sim), "");
  assert_true(retrier.accepted <= 1);
  sim_knobs(bench.sim)->tx_held = false;
  retrier.left = 0;
  sim_step(bench.sim);
  (void)netdev_complete(bench.dev);
  expect_all_back(&bench, &retrier, 1);
  end(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_callback_transmits_on_completion),
      cmocka_unit_test(test_callback_transmits_while_the_ring_is_full),
      cmocka_unit_test(test_callback_transmits_during_close),
      cmocka_unit_test(test_callback_transmits_during_removal),
      cmocka_unit_test(test_callback_transmits_during_recovery),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
