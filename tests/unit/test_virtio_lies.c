/* test_virtio_lies.c - a virtio device that lies, stops, refuses or asks for a reset: counted, survived, and then it
 * works
 * again. */
#include "virtio_unit.h"

#define WITHOUT_EVENT_IDX (VIRTIO_SIM_FEATURES & ~UNIT_EVENT_IDX)
#define PEACE_US          60000000U

/* The heartbeat for as long as a hang takes to be noticed, and a bit. */
static void beat(struct world *world) {
  for(uint32_t us = 0; us < UNIT_HANG_US + 20U * UNIT_TICK_US; us += UNIT_TICK_US) {
    virtio_sim_advance(world->sim, UNIT_TICK_US);
    assert_int_equal(netdev_tick(world->dev), NETDEV_OK);
    world_check(world);
  }
}

/* Every cookie from 1 to `count` came back once. */
static void all_came_back(const struct world *world, uint32_t count) {
  assert_int_equal(world->client.done_total, count);
  for(uint32_t i = 1; i <= count; i++) {
    assert_int_equal(world->client.done[i], 1);
  }
}

static const struct {
  enum virtio_sim_lie lie;
  bool fatal[3]; /* the device is reset for it, on this queue */
  uint32_t length_errors;
} lies[] = {
    {VIRTIO_SIM_ID_BEYOND, {true, true, true}, 0},       {VIRTIO_SIM_ID_HUGE, {true, true, true}, 0},
    {VIRTIO_SIM_ID_IDLE, {true, true, false}, 0},        {VIRTIO_SIM_ID_TWICE, {true, true, true}, 0},
    {VIRTIO_SIM_INDEX_JUMPS, {true, true, true}, 0},     {VIRTIO_SIM_INDEX_BACK, {true, true, true}, 0},
    {VIRTIO_SIM_LENGTH_ZERO, {false, false, false}, 3},  {VIRTIO_SIM_LENGTH_HEADER, {false, false, false}, 3},
    {VIRTIO_SIM_LENGTH_SHORT, {false, false, false}, 3}, {VIRTIO_SIM_LENGTH_LONG, {false, false, false}, 3},
    {VIRTIO_SIM_LENGTH_HUGE, {false, false, false}, 3},
};

/* Three frames each way and a command while the device lies about one queue; then it is honest. A queue of 16 of which
 * 3 are taken; the control queue has no descriptor that is idle. */
static void test_lies(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(lies) / sizeof(lies[0]) * 6U; i++) {
    size_t row = i / 6U;
    uint32_t queue = (uint32_t)(i % 3U);
    bool event = i % 6U < 3U;
    struct world world;
    world_open(&world, (struct virtio_sim_config){.features = event ? 0 : WITHOUT_EVENT_IDX}, 16);
    if(lies[row].lie == VIRTIO_SIM_ID_IDLE && queue == RX) { /* before a batch is given back, some are idle */
      assert_int_equal(world_arrive(&world, 7, 60), SIM_DELIVERED);
      assert_int_equal(netdev_poll(world.dev, 8), 1);
    }
    uint32_t before = world.client.received;
    world.knobs->lie[queue] = lies[row].lie;
    for(uint32_t n = 0; n < 3; n++) {
      assert_int_equal(world_send(&world, n, 60, 0), NETDEV_OK);
      (void)world_arrive(&world, n, 60);
      (void)netdev_poll(world.dev, 8);
    }
    int result = netdev_set_filter(world.dev, NETDEV_FILTER_PROMISCUOUS, NULL, 0);
    bool fatal = lies[row].fatal[queue];
    assert_int_equal(result, fatal ? NETDEV_E_TIMEOUT : NETDEV_OK);
    world.knobs->lie[queue] = VIRTIO_SIM_HONEST;
    world_check(&world);
    beat(&world);
    const struct netdev_stats *stats = netdev_get_stats(world.dev);
    assert_int_equal(stats->rx_length_errors, queue == RX ? lies[row].length_errors : 0);
    assert_true(queue != RX || world.client.received - before <= 3U);
    assert_int_equal(world_nic(&world)->counters.resets, fatal);
    assert_int_equal(world_nic(&world)->counters.lies, fatal);
    all_came_back(&world, 3);
    world_works(&world, 10);
    world_end(&world);
  }
}

/* A lie that does not stop: the device is given up in the end, never spun on, and everything comes back. */
static void test_liar(void **state) {
  (void)state;
  struct world world;
  world_open(&world, (struct virtio_sim_config){0}, 16);
  world.knobs->lie[TX] = VIRTIO_SIM_INDEX_JUMPS;
  uint32_t sent = 0;
  int result = NETDEV_OK;
  for(uint32_t i = 0; i < 100 && result == NETDEV_OK; i++) {
    sent += world_send(&world, sent, 60, 0) == NETDEV_OK;
    virtio_sim_advance(world.sim, UNIT_TICK_US);
    result = netdev_tick(world.dev);
  }
  assert_int_equal(result, NETDEV_E_GONE);
  all_came_back(&world, sent);
  world_end(&world);
}

static void test_queue_disabled(void **state) {
  (void)state;
  struct world world;
  world_open(&world, (struct virtio_sim_config){0}, 16);
  virtio_sim_disable_queue(world.sim, TX);
  assert_int_equal(world_send(&world, 0, 60, 0), NETDEV_OK);
  beat(&world);
  assert_int_equal(world.client.status[1], NETDEV_E_RESET);
  assert_int_equal(netdev_get_stats(world.dev)->tx_hangs, 1);
  world_works(&world, 10);

  virtio_sim_disable_queue(world.sim, CTRL);
  assert_int_equal(netdev_set_filter(world.dev, NETDEV_FILTER_UNICAST, NULL, 0), NETDEV_E_TIMEOUT);
  beat(&world);
  assert_false(virtio_sim_filter(world.sim)->promiscuous);
  assert_true(virtio_sim_filter(world.sim)->no_broadcast);
  world_works(&world, 20);
  world_end(&world);
}

static void test_notifications_lost(void **state) {
  (void)state;
  struct world world;
  world_open(&world, (struct virtio_sim_config){0}, 16);
  world.knobs->notifications_lost = true;
  assert_int_equal(world_send(&world, 0, 60, 0), NETDEV_OK);
  world.knobs->notifications_lost = false;
  beat(&world);
  assert_int_equal(netdev_get_stats(world.dev)->tx_hangs, 1);
  all_came_back(&world, 1);
  assert_int_equal(world.client.status[1], NETDEV_E_RESET);
  world_works(&world, 10);
  world_end(&world);
}

static void test_transmitter_held(void **state) {
  (void)state;
  struct world world;
  world_open(&world, (struct virtio_sim_config){0}, 16);
  world.knobs->tx_held = true;
  for(uint32_t i = 0; i < 20; i++) {
    int result = world_send(&world, i, 60, 0);
    assert_int_equal(result, i < 16U ? NETDEV_OK : NETDEV_E_BUSY);
  }
  for(uint32_t us = UNIT_TICK_US; us < UNIT_HANG_US - UNIT_TICK_US; us += UNIT_TICK_US) { /* patience */
    virtio_sim_advance(world.sim, UNIT_TICK_US);
    assert_int_equal(netdev_tick(world.dev), NETDEV_OK);
  }
  assert_int_equal(netdev_get_stats(world.dev)->tx_hangs, 0);
  world.knobs->tx_held = false;
  beat(&world);
  assert_int_equal(netdev_get_stats(world.dev)->tx_hangs, 1);
  all_came_back(&world, 16);
  world_works(&world, 50);
  world_end(&world);
}

static void test_needs_reset(void **state) {
  (void)state;
  struct world world;
  world_open(&world, (struct virtio_sim_config){0}, 16);
  for(uint32_t i = 1; i <= 3; i++) {
    virtio_sim_need_reset(world.sim);
    assert_int_equal(world_send(&world, 100 + i, 60, 0), NETDEV_OK);
    virtio_sim_advance(world.sim, UNIT_TICK_US);
    assert_int_equal(netdev_tick(world.dev), NETDEV_OK);
    assert_int_equal(world_nic(&world)->counters.needs_reset, i);
    assert_int_equal(virtio_sim_status(world.sim), 0x0F);
    assert_int_equal(world.client.done_total, 2U * i - 1U);
    world_works(&world, i);
    (void)netdev_complete(world.dev);
  }
  world_end(&world);
}

/* Bus mastering taken away ends DRIVER_OK, as in QEMU; what then is missing is put back by a reset. */
static void test_bus_master_lost(void **state) {
  (void)state;
  struct world world;
  world_open(&world, (struct virtio_sim_config){.master_ends = true}, 16);
  const struct net_platform *platform = virtio_sim_platform(world.sim);
  platform->config_write(platform->ctx, 4, 2, 3);
  platform->config_write(platform->ctx, 4, 2, 7);
  assert_int_equal(virtio_sim_status(world.sim), 0x0B);
  virtio_sim_advance(world.sim, UNIT_TICK_US);
  assert_int_equal(netdev_tick(world.dev), NETDEV_OK);
  assert_int_equal(virtio_sim_status(world.sim), 0x0F);
  world_works(&world, 1);
  world_end(&world);
}

static void test_commands(void **state) {
  (void)state;
  struct world world;
  world_open(&world, (struct virtio_sim_config){0}, 16);
  world.knobs->commands_unanswered = true;
  uint64_t start = virtio_sim_now(world.sim);
  assert_int_equal(netdev_set_filter(world.dev, NETDEV_FILTER_PROMISCUOUS, NULL, 0), NETDEV_E_TIMEOUT);
  assert_true(virtio_sim_now(world.sim) - start <= 2100000U);
  start = virtio_sim_now(world.sim);
  assert_int_equal(netdev_set_filter(world.dev, NETDEV_FILTER_UNICAST, NULL, 0), NETDEV_E_TIMEOUT); /* at once */
  assert_int_equal(virtio_sim_now(world.sim), start);
  world.knobs->commands_unanswered = false;
  beat(&world);
  assert_int_equal(world_nic(&world)->counters.unanswered, 1);
  world_works(&world, 1);

  world.knobs->commands_refused = true;
  (void)netdev_set_filter(world.dev, NETDEV_FILTER_BROADCAST | NETDEV_FILTER_ALL_MULTICAST, NULL, 0);
  assert_true(world_nic(&world)->counters.refused > 0);
  world.knobs->commands_refused = false;
  assert_int_equal(netdev_set_filter(world.dev, NETDEV_FILTER_UNICAST | NETDEV_FILTER_BROADCAST, NULL, 0), NETDEV_OK);
  assert_false(virtio_sim_filter(world.sim)->promiscuous);
  assert_false(virtio_sim_filter(world.sim)->no_unicast);
  assert_true(virtio_sim_filter(world.sim)->no_multicast);
  world_works(&world, 2);
  world_end(&world);
}

/* What a device may refuse while it is opened: told, quiet, nothing leaked; and the next open works. */
static void test_refusals(void **state) {
  (void)state;
  static const struct {
    size_t offset; /* of the knob */
    bool stops;
  } knobs[] = {
      {offsetof(struct virtio_sim_config, features_refused), true},
      {offsetof(struct virtio_sim_config, enable_refused), true},
      {offsetof(struct virtio_sim_config, reset_never_ends), false}, /* status is 0 already: nothing to end */
      {offsetof(struct virtio_sim_config, commands_unanswered), true},
      {offsetof(struct virtio_sim_config, commands_refused), true},
      {offsetof(struct virtio_sim_config, vector_refused), false},
      {offsetof(struct virtio_sim_config, generation_changes), false},
      {offsetof(struct virtio_sim_config, newest_first), false},
  };
  for(size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
    struct world world;
    world_open(&world, (struct virtio_sim_config){0}, 16);
    bool *knob = (bool *)((uint8_t *)world.knobs + knobs[i].offset);
    netdev_close(world.dev);
    *knob = true;
    int result = netdev_open(world.dev);
    assert_int_equal(result != NETDEV_OK, knobs[i].stops);
    world_check(&world);
    if(knobs[i].stops) {
      assert_int_equal(virtio_sim_status(world.sim), 0);
    }
    *knob = false;
    netdev_close(world.dev);
    assert_int_equal(netdev_open(world.dev), NETDEV_OK);
    world_works(&world, 1);
    world_end(&world);
  }
}

/* A config_generation that changes at each look does not stop the driver: a whole life in bounded accesses. */
static void test_generation(void **state) {
  (void)state;
  struct world world;
  world_make(&world, (struct virtio_sim_config){.generation_changes = true});
  int result = world_create(&world, 16, 16);
  assert_true(virtio_sim_accesses(world.sim) < 2000U);
  if(result == NETDEV_OK) {
    unit_client_init(&world.client, world.dev, true);
    assert_int_equal(netdev_open(world.dev), NETDEV_OK);
    world_works(&world, 1);
  }
  world_end(&world);
}

/* A device that cannot be stopped must not write into memory that is somebody else's by then. */
static void test_reset_never_ends(void **state) {
  (void)state;
  for(uint32_t how = 0; how < 2; how++) {
    struct world world;
    world_open(&world, (struct virtio_sim_config){0}, 16);
    assert_int_equal(world_send(&world, 0, 60, NETDEV_TX_MORE), NETDEV_OK);
    world.knobs->reset_never_ends = true;
    virtio_sim_forget_accesses(world.sim);
    if(how == 0) {
      netdev_close(world.dev);
    } else {
      virtio_sim_need_reset(world.sim);
      virtio_sim_advance(world.sim, UNIT_TICK_US);
      assert_int_equal(netdev_tick(world.dev), NETDEV_E_GONE);
    }
    assert_true(virtio_sim_reads(world.sim) < 300); /* it waits by the clock, not by reading */
    all_came_back(&world, 1);
    world_end(&world);
  }
}

/* What was cancelled when a device went is not returned any more: no lie, and nothing to say when it is closed. */
static void test_gone_with_a_frame(void **state) {
  (void)state;
  struct world world;
  world_open(&world, (struct virtio_sim_config){0}, 16);
  world.knobs->tx_held = true;
  assert_int_equal(world_send(&world, 0, 60, 0), NETDEV_OK);
  world.knobs->gone = true;
  virtio_sim_advance(world.sim, UNIT_TICK_US);
  assert_int_equal(netdev_tick(world.dev), NETDEV_E_GONE);
  all_came_back(&world, 1);
  netdev_close(world.dev);
  assert_int_equal(virtio_sim_logged(world.sim, NET_LOG_ERROR, "returned more"), 0);
  assert_int_equal(world_nic(&world)->counters.lies, 0);
  world_end(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lies),
      cmocka_unit_test(test_gone_with_a_frame),
      cmocka_unit_test(test_liar),
      cmocka_unit_test(test_queue_disabled),
      cmocka_unit_test(test_notifications_lost),
      cmocka_unit_test(test_transmitter_held),
      cmocka_unit_test(test_needs_reset),
      cmocka_unit_test(test_bus_master_lost),
      cmocka_unit_test(test_commands),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_generation),
      cmocka_unit_test(test_reset_never_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
