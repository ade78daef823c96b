/* test_virtio_sweep.c - one life of a virtio device, in which every access in turn is the one at which it is removed,
 * or
 * which is lost, and every allocation in turn the one that fails. */
#include "virtio_unit.h"

#define FRAMES 12U

/* Create, open, send, receive, command, tick, reset, close, destroy; whatever fails ends it early, but in order.
 * Counts the
 * frames that were taken. */
static uint32_t live(struct world *world) {
  static const uint8_t group[1][6] = {{0x01, 0x00, 0x5E, 0, 0, 1}};
  uint32_t taken = 0;
  if(world_create(world, 8, 8) != NETDEV_OK) {
    world->dev = NULL;
    return 0;
  }
  unit_client_init(&world->client, world->dev, true);
  if(netdev_open(world->dev) == NETDEV_OK) {
    for(uint32_t i = 0; i < FRAMES; i++) {
      taken += world_send(world, taken, 60, i % 3U == 2U ? 0 : NETDEV_TX_MORE) == NETDEV_OK;
      (void)world_arrive(world, i, 60);
      (void)netdev_poll(world->dev, 8);
      if(i == 4U) {
        (void)netdev_set_filter(world->dev, NETDEV_FILTER_UNICAST | NETDEV_FILTER_MULTICAST, group, 1);
        (void)netdev_set_mac(world->dev, unit_other);
      }
      if(i == 6U) {
        (void)netdev_irq_enable(world->dev, NETDEV_IRQ_INTX, 0);
        (void)netdev_irq_handle(world->dev);
        (void)netdev_irq_rearm(world->dev);
      }
      if(i == 8U) {
        virtio_sim_need_reset(world->sim);
      }
      virtio_sim_advance(world->sim, UNIT_TICK_US);
      (void)netdev_tick(world->dev);
    }
    netdev_flush(world->dev);
    netdev_close(world->dev);
  }
  netdev_destroy(world->dev);
  world->dev = NULL;
  return taken;
}

/* Nothing left, nothing done wrong, every cookie back once. */
static void finish(struct world *world, uint32_t taken) {
  assert_int_equal(world->client.done_total, taken);
  for(uint32_t i = 1; i <= taken; i++) {
    assert_int_equal(world->client.done[i], 1);
  }
  assert_string_equal(virtio_sim_violation_text(world->sim), "");
  assert_int_equal(virtio_sim_leaks(world->sim), 0);
  virtio_sim_destroy(world->sim);
}

static uint64_t count_accesses(struct virtio_sim_config config) {
  struct world world;
  world_make(&world, config);
  uint32_t taken = live(&world);
  uint64_t accesses = virtio_sim_accesses(world.sim);
  assert_int_equal(taken, FRAMES);
  assert_true(virtio_sim_frames(world.sim) > FRAMES / 2U);
  finish(&world, taken);
  return accesses;
}

static void test_removed_at_every_access(void **state) {
  (void)state;
  for(uint32_t zero = 0; zero < 2; zero++) {
    struct virtio_sim_config config = {.gone_reads_zero = zero != 0};
    uint64_t accesses = count_accesses(config);
    assert_true(accesses > 200U);
    for(uint64_t at = 1; at <= accesses; at++) {
      struct world world;
      config.gone_at = at;
      world_make(&world, config);
      uint32_t taken = live(&world);
      assert_true(virtio_sim_accesses(world.sim) < accesses + 5000U);
      finish(&world, taken);
    }
  }
}

static void test_every_read_is_lost_once(void **state) {
  (void)state;
  uint64_t accesses = count_accesses((struct virtio_sim_config){0});
  for(uint64_t at = 1; at <= accesses; at++) {
    struct world world;
    world_make(&world, (struct virtio_sim_config){.read_fails_at = at});
    uint32_t taken = live(&world);
    finish(&world, taken);
  }
}

static void test_every_allocation_fails_once(void **state) {
  (void)state;
  uint32_t failures[2] = {0, 0};
  for(uint32_t dma = 0; dma < 2; dma++) {
    for(uint32_t at = 1; at < 20; at++) {
      struct world world;
      world_make(&world, (struct virtio_sim_config){.fail_alloc_at = dma ? 0 : at, .fail_dma_alloc_at = dma ? at : 0});
      int result = world_create(&world, 8, 8);
      bool struck = (dma ? virtio_sim_dma_allocs(world.sim) : virtio_sim_allocs(world.sim)) >= at;
      assert_int_equal(result, struck ? NETDEV_E_NO_MEMORY : NETDEV_OK);
      failures[dma] += struck;
      if(result == NETDEV_OK) {
        netdev_destroy(world.dev);
      }
      finish(&world, 0);
    }
  }
  assert_true(failures[0] >= 4U && failures[1] >= 6U);
}

/* Each feature left out once, alone, and together with the event index. */
static void test_every_feature_is_missing_once(void **state) {
  (void)state;
  for(uint32_t bit = 0; bit < 64U * 2U; bit++) {
    uint64_t features = VIRTIO_SIM_FEATURES & ~(1ULL << bit % 64U);
    features &= bit >= 64U ? ~UNIT_EVENT_IDX : UINT64_MAX;
    if(features == VIRTIO_SIM_FEATURES) {
      continue;
    }
    struct world world;
    world_make(&world, (struct virtio_sim_config){.features = features});
    int result = world_create(&world, 16, 16);
    assert_int_equal(result, bit % 64U == 32U ? NETDEV_E_UNSUPPORTED : NETDEV_OK);
    if(result == NETDEV_OK) {
      unit_client_init(&world.client, world.dev, true);
      assert_int_equal(netdev_open(world.dev), NETDEV_OK);
      assert_int_equal(netdev_set_filter(world.dev, NETDEV_FILTER_PROMISCUOUS, NULL, 0), NETDEV_OK);
      world_works(&world, 1);
    } else {
      world.dev = NULL;
    }
    world_end(&world);
  }
}

/* A queue that is not there, and one that is too small. */
static void test_queues_missing(void **state) {
  (void)state;
  for(uint32_t queue = 0; queue < 3; queue++) {
    struct virtio_sim_config config = {0};
    config.queue_absent[queue] = true;
    struct world world;
    world_make(&world, config);
    assert_int_equal(world_create(&world, 16, 16), NETDEV_E_UNSUPPORTED);
    world.dev = NULL;
    world_end(&world);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_removed_at_every_access),
      cmocka_unit_test(test_every_read_is_lost_once),
      cmocka_unit_test(test_every_allocation_fails_once),
      cmocka_unit_test(test_every_feature_is_missing_once),
      cmocka_unit_test(test_queues_missing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
