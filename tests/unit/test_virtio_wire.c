/* test_virtio_wire.c - the virtio driver over the simulator: frames of every length, in order, past the wrap of the
 * indices, and what they cost. */
#include "virtio_unit.h"

#define WITHOUT_EVENT_IDX (VIRTIO_SIM_FEATURES & ~UNIT_EVENT_IDX)

/* Devices that differ in where things are and in what they offer. */
static const struct virtio_sim_config devices[] = {
    {.device_id = VIRTIO_SIM_MODERN},
    {.device_id = VIRTIO_SIM_TRANSITIONAL},
    {.device_id = VIRTIO_SIM_MODERN, .layout = VIRTIO_SIM_LAYOUT_BAR0, .doorbells_shared = true},
    {.device_id = VIRTIO_SIM_MODERN, .layout = VIRTIO_SIM_LAYOUT_APART, .num_buffers_left = true},
    {.device_id = VIRTIO_SIM_TRANSITIONAL, .layout = VIRTIO_SIM_LAYOUT_ODD},
    {.device_id = VIRTIO_SIM_MODERN, .features = WITHOUT_EVENT_IDX, .num_buffers_left = true},
    {.device_id = VIRTIO_SIM_MODERN, .features = 1ULL << 32},
    {.device_id = VIRTIO_SIM_MODERN, .features = VIRTIO_SIM_FEATURES | 1ULL << 33 | 1ULL << 36},
    {.device_id = VIRTIO_SIM_MODERN, .features = VIRTIO_SIM_FEATURES | 1ULL << 3, .mtu = 1500},
    {.device_id = VIRTIO_SIM_MODERN, .reset_reads = 5, .queue_size = {8, 8, 8}},
    {.device_id = VIRTIO_SIM_MODERN, .queue_size = {1024, 16, 2}},
};

#define DEVICES (sizeof(devices) / sizeof(devices[0]))

static void out_and_in(struct world *world, uint32_t length) {
  uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
  size_t sent = 0;
  size_t padded = length < NETDEV_MIN_FRAME ? NETDEV_MIN_FRAME : length;
  uint32_t received = world->client.received;
  virtio_sim_forget_frames(world->sim);
  assert_int_equal(world_send(world, length, length, 0), NETDEV_OK);
  assert_int_equal(netdev_complete(world->dev), 1);
  const uint8_t *seen = virtio_sim_frame(world->sim, 0, &sent);
  unit_frame(frame, length, unit_other, length);
  assert_int_equal(sent, padded);
  assert_memory_equal(seen, frame, length);
  for(size_t i = length; i < padded; i++) {
    assert_int_equal(seen[i], 0);
  }
  assert_int_equal(world_arrive(world, length, length), SIM_DELIVERED);
  assert_int_equal(netdev_poll(world->dev, 4), 1);
  assert_int_equal(world->client.received, received + 1);
  assert_int_equal(world->client.length, length);
  unit_frame(frame, length, unit_mac, length);
  assert_memory_equal(world->client.frame, frame, length);
}

static void test_every_length(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct world world;
    world_open(&world, devices[i], 0);
    for(uint32_t length = NETDEV_HEADER_LENGTH; length <= (devices[i].mtu ? NETDEV_MAX_FRAME : NETDEV_MAX_TAGGED_FRAME);
        length++) {
      out_and_in(&world, length);
    }
    world_check(&world);
    world_end(&world);
  }
}

/* Both queues go round 8 times 8192, and their 16-bit indices over the top. */
static void test_index_wraps(void **state) {
  (void)state;
  for(uint32_t event = 0; event < 2; event++) {
    struct world world;
    struct virtio_sim_queue_state seen;
    world_open(&world, (struct virtio_sim_config){.features = event ? 0 : WITHOUT_EVENT_IDX, .queue_size = {8, 8, 8}},
               8);
    for(uint32_t i = 0; i < 0x10000U + 20U; i++) {
      assert_int_equal(world_send(&world, i, 60, 0), NETDEV_OK);
      assert_int_equal(world_arrive(&world, i, 60), SIM_DELIVERED);
      assert_int_equal(netdev_poll(world.dev, 2), 1);
      if(virtio_sim_frames(world.sim) == 4096U) {
        virtio_sim_forget_frames(world.sim);
      }
    }
    virtio_sim_queue(world.sim, TX, &seen);
    assert_int_equal(seen.used, 20);
    virtio_sim_queue(world.sim, RX, &seen);
    assert_int_equal(seen.used, 20);
    assert_int_equal(world.client.done_total, 0x10000U + 20U);
    assert_int_equal(virtio_sim_needless(world.sim, TX), 0);
    world_end(&world);
  }
}

/* Whatever order buffers come back in: frames are handed over as the device returned them, each cookie once, and what
 * was
 * sent is what was given. */
static void test_newest_first(void **state) {
  (void)state;
  struct world world;
  uint8_t frame[64];
  world_open(&world, (struct virtio_sim_config){.delayed = true, .newest_first = true}, 64);
  uint32_t number = 0;
  for(uint32_t round = 1; round <= 100; round++) {
    uint32_t count = round % 29U + 1U;
    virtio_sim_forget_frames(world.sim);
    for(uint32_t i = 0; i < count; i++) {
      assert_int_equal(world_send(&world, number + i, 64, NETDEV_TX_MORE), NETDEV_OK);
      assert_int_equal(world_arrive(&world, number + i, 64), SIM_DELIVERED);
    }
    netdev_flush(world.dev);
    assert_int_equal(netdev_poll(world.dev, 64), 0);
    virtio_sim_step(world.sim);
    assert_int_equal(netdev_complete(world.dev), count);
    for(uint32_t i = 0; i < count; i++) {
      size_t length = 0;
      unit_frame(frame, 64, unit_other, number + i);
      assert_memory_equal(virtio_sim_frame(world.sim, i, &length), frame, 64);
      assert_int_equal(netdev_poll(world.dev, 1), 1);
      unit_frame(frame, 64, unit_mac, number + count - 1U - i);
      assert_memory_equal(world.client.frame, frame, 64);
      assert_int_equal(world.client.done[(number + i) % (UNIT_COOKIES - 1U) + 1U], 1);
    }
    number += count;
    world_check(&world);
  }
  world_end(&world);
}

/* The price list: a burst one notification, none while the device is awake, no reads; and never one too few. */
static void test_price_of_bursts(void **state) {
  (void)state;
  for(uint32_t event = 0; event < 2; event++) {
    struct world world;
    world_open(&world, (struct virtio_sim_config){.features = event ? 0 : WITHOUT_EVENT_IDX, .delayed = true}, 64);
    virtio_sim_forget_accesses(world.sim);
    for(uint32_t burst = 0; burst < 3; burst++) {
      for(uint32_t i = 0; i < 16; i++) {
        assert_int_equal(world_send(&world, burst * 16U + i, 60, NETDEV_TX_MORE), NETDEV_OK);
      }
      netdev_flush(world.dev);
      assert_int_equal(virtio_sim_notifies(world.sim, TX), 1); /* the first wakes it, the others find it awake */
    }
    virtio_sim_step(world.sim);
    assert_int_equal(virtio_sim_frames(world.sim), 48);
    assert_int_equal(netdev_complete(world.dev), 48);
    assert_int_equal(world_send(&world, 99, 60, 0), NETDEV_OK);
    assert_int_equal(virtio_sim_notifies(world.sim, TX), 2); /* it had gone to sleep */
    netdev_flush(world.dev);
    netdev_flush(world.dev);
    (void)netdev_poll(world.dev, 8);
    assert_int_equal(virtio_sim_writes(world.sim), 2);
    assert_int_equal(virtio_sim_reads(world.sim), 0);
    assert_int_equal(virtio_sim_needless(world.sim, TX), 0);
    world_end(&world);
  }
}

/* A device that never wants to be told is never told; one that always does is told once a burst. */
static void test_price_by_suppression(void **state) {
  (void)state;
  for(uint32_t event = 0; event < 2; event++) {
    for(uint32_t always = 0; always < 2; always++) {
      struct world world;
      struct virtio_sim_config config = {.features = event ? 0 : WITHOUT_EVENT_IDX};
      world_open(&world, config, 64);
      world.knobs->wake = always ? VIRTIO_SIM_WAKE_ALWAYS : VIRTIO_SIM_WAKE_NEVER;
      virtio_sim_step(world.sim);
      virtio_sim_forget_accesses(world.sim);
      for(uint32_t i = 0; i < 40; i++) {
        assert_int_equal(world_send(&world, i, 60, i % 4U == 3U ? 0 : NETDEV_TX_MORE), NETDEV_OK);
      }
      virtio_sim_step(world.sim);
      assert_int_equal(virtio_sim_frames(world.sim), 40);
      assert_int_equal(virtio_sim_notifies(world.sim, TX), always ? 10 : 0);
      assert_int_equal(virtio_sim_reads(world.sim), 0);
      world_end(&world);
    }
  }
}

/* Receive buffers go back in batches of at least 16 with at most one notification each; none while the device has
 * some. */
static void test_price_of_receiving(void **state) {
  (void)state;
  for(uint32_t event = 0; event < 2; event++) {
    struct world world;
    world_open(&world, (struct virtio_sim_config){.features = event ? 0 : WITHOUT_EVENT_IDX}, 256);
    virtio_sim_forget_accesses(world.sim);
    for(uint32_t i = 0; i < 1024; i++) {
      assert_int_equal(world_arrive(&world, i, 60), SIM_DELIVERED);
      assert_int_equal(netdev_poll(world.dev, 8), 1);
    }
    assert_int_equal(virtio_sim_reads(world.sim), 0);
    if(event) {
      assert_int_equal(virtio_sim_notifies(world.sim, RX), 0);
    } else {
      assert_true(virtio_sim_notifies(world.sim, RX) <= 1024U / 16U);
    }
    assert_int_equal(virtio_sim_needless(world.sim, RX), 0);

    world.knobs->wake = VIRTIO_SIM_WAKE_ALWAYS;
    virtio_sim_step(world.sim);
    virtio_sim_forget_accesses(world.sim);
    for(uint32_t i = 0; i < 1024; i++) {
      assert_int_equal(world_arrive(&world, i, 60), SIM_DELIVERED);
      assert_int_equal(netdev_poll(world.dev, 8), 1);
    }
    uint32_t told = virtio_sim_notifies(world.sim, RX);
    assert_true(told >= 1U && told <= 1024U / 16U);
    assert_int_equal(virtio_sim_reads(world.sim), 0);
    assert_int_equal(virtio_sim_writes(world.sim), told);
    world_end(&world);
  }
}

/* A device that ran out of buffers and wants to be told of new ones is told. */
static void test_dry(void **state) {
  (void)state;
  for(uint32_t event = 0; event < 2; event++) {
    struct world world;
    struct virtio_sim_queue_state seen;
    world_open(&world, (struct virtio_sim_config){.features = event ? 0 : WITHOUT_EVENT_IDX}, 16);
    for(uint32_t round = 0; round < 10; round++) {
      uint32_t held = 0;
      while(world_arrive(&world, held, 60) == SIM_DELIVERED) {
        held++;
      }
      assert_true(held > 0 && held <= 16);
      assert_int_equal(netdev_poll(world.dev, 64), held);
      virtio_sim_queue(world.sim, RX, &seen);
      assert_false(seen.starved);
      assert_int_equal(virtio_sim_needless(world.sim, RX), 0);
    }
    world_end(&world);
  }
}

static uint32_t random_next(uint32_t *seed) {
  *seed = *seed * 1664525U + 1013904223U;
  return *seed >> 8;
}

/* Bursts, pauses and moods of the device at random: after each flush nobody sleeps who has work, no notification is
 * sent
 * that was not wanted, and in the end every frame has gone out once and come in once. */
static void test_no_wakeup_is_lost(void **state) {
  (void)state;
  for(uint32_t seed = 1; seed <= 40; seed++) {
    struct world world;
    struct virtio_sim_queue_state seen;
    uint32_t dice = seed;
    world_open(&world, (struct virtio_sim_config){.features = seed % 2U ? 0 : WITHOUT_EVENT_IDX}, 16);
    uint32_t sent = 0;
    uint32_t arrived = 0;
    for(uint32_t step = 0; step < 300; step++) {
      world.knobs->delayed = random_next(&dice) % 2U;
      world.knobs->newest_first = random_next(&dice) % 2U;
      for(uint32_t n = random_next(&dice) % 6U; n > 0; n--) {
        sent += world_send(&world, sent, 60, NETDEV_TX_MORE) == NETDEV_OK;
      }
      netdev_flush(world.dev);
      virtio_sim_queue(world.sim, TX, &seen);
      assert_false(seen.starved);
      for(uint32_t n = random_next(&dice) % 6U; n > 0; n--) {
        arrived += world_arrive(&world, arrived, 60) == SIM_DELIVERED;
      }
      if(random_next(&dice) % 3U == 0) {
        virtio_sim_step(world.sim);
      }
      (void)netdev_poll(world.dev, random_next(&dice) % 8U + 1U);
      virtio_sim_queue(world.sim, RX, &seen);
      assert_true(!seen.starved);
      world_check(&world);
    }
    virtio_sim_step(world.sim);
    while(netdev_poll(world.dev, 64) > 0) {
    }
    (void)netdev_complete(world.dev);
    assert_int_equal(virtio_sim_frames(world.sim), sent);
    assert_int_equal(world.client.done_total, sent);
    assert_int_equal(world.client.received, arrived);
    assert_int_equal(virtio_sim_needless(world.sim, TX), 0);
    assert_int_equal(netdev_get_stats(world.dev)->rx_frames, arrived);
    assert_int_equal(netdev_get_stats(world.dev)->tx_frames, sent);
    world_end(&world);
  }
}

/* Filter and address, as the device sees them. */
static void test_filter(void **state) {
  (void)state;
  static const uint8_t list[2][6] = {{0x01, 0x00, 0x5E, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 1}};
  static const uint8_t all[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  static const uint8_t stranger[6] = {0x01, 0x00, 0x5E, 0, 0, 2};
  static const uint8_t moved[6] = {0x02, 0, 0, 0, 0, 9};
  static const struct {
    uint32_t filter;
    bool wanted[5]; /* own, other's, broadcast, listed, not listed */
  } rows[] = {
      {0, {false, false, false, false, false}},
      {NETDEV_FILTER_UNICAST, {true, false, false, false, false}},
      {NETDEV_FILTER_BROADCAST, {false, false, true, false, false}},
      {NETDEV_FILTER_UNICAST | NETDEV_FILTER_BROADCAST, {true, false, true, false, false}},
      {NETDEV_FILTER_UNICAST | NETDEV_FILTER_MULTICAST, {true, false, false, true, false}},
      {NETDEV_FILTER_MULTICAST | NETDEV_FILTER_BROADCAST, {false, false, true, true, false}},
      {NETDEV_FILTER_ALL_MULTICAST, {false, false, false, true, true}},
      {NETDEV_FILTER_PROMISCUOUS, {true, true, true, true, true}},
  };
  const uint8_t *to[5] = {unit_mac, unit_other, all, list[1], stranger};
  struct world world;
  world_open(&world, (struct virtio_sim_config){0}, 256);
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) * 2U; i++) {
    size_t row = i % (sizeof(rows) / sizeof(rows[0]));
    uint32_t count = rows[row].filter & NETDEV_FILTER_MULTICAST ? 2 : 0;
    assert_int_equal(netdev_set_filter(world.dev, rows[row].filter, count ? list : NULL, count), NETDEV_OK);
    for(size_t n = 0; n < 5; n++) {
      uint8_t frame[60];
      unit_frame(frame, sizeof(frame), to[n], 1);
      assert_int_equal(virtio_sim_inject(world.sim, frame, sizeof(frame)) == SIM_DELIVERED, rows[row].wanted[n]);
    }
    if(i == 7) { /* all over again, from a reset */
      netdev_close(world.dev);
      assert_int_equal(netdev_open(world.dev), NETDEV_OK);
    }
  }
  assert_int_equal(netdev_set_mac(world.dev, moved), NETDEV_OK);
  assert_memory_equal(virtio_sim_filter(world.sim)->mac, moved, 6);
  netdev_close(world.dev);
  assert_memory_equal(virtio_sim_filter(world.sim)->mac, unit_mac, 6);
  assert_int_equal(netdev_open(world.dev), NETDEV_OK);
  assert_memory_equal(virtio_sim_filter(world.sim)->mac, moved, 6);
  assert_int_equal(netdev_set_mac(world.dev, NULL), NETDEV_OK);
  assert_memory_equal(virtio_sim_filter(world.sim)->mac, unit_mac, 6);
  world_end(&world);
}

/* A tagged frame passes: CTRL_VLAN, which would have it dropped, is offered and not accepted. */
static void test_tagged_frames(void **state) {
  (void)state;
  struct world world;
  uint8_t frame[64];
  world_open(&world, (struct virtio_sim_config){0}, 16);
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  frame[12] = 0x81;
  frame[13] = 0x00;
  assert_int_equal(virtio_sim_inject(world.sim, frame, sizeof(frame)), SIM_DELIVERED);
  world_end(&world);
}

static void test_link(void **state) {
  (void)state;
  struct world world;
  world_open(&world, (struct virtio_sim_config){.link_down = true}, 16);
  assert_false(world.dev->link.up);
  assert_int_equal(world.client.links, 0);
  virtio_sim_forget_accesses(world.sim);
  for(uint32_t i = 0; i < 10; i++) {
    world.knobs->link_down = i % 2U != 0;
    virtio_sim_advance(world.sim, UNIT_TICK_US);
    assert_int_equal(netdev_tick(world.dev), NETDEV_OK);
    assert_int_equal(netdev_tick(world.dev), NETDEV_OK);
    assert_int_equal(world.dev->link.up, i % 2U == 0);
    assert_int_equal(world.client.links, i + 1);
  }
  assert_true(virtio_sim_reads(world.sim) <= 20); /* two a tick, none between */
  assert_int_equal(virtio_sim_writes(world.sim), 0);
  world_end(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_length),
      cmocka_unit_test(test_index_wraps),
      cmocka_unit_test(test_newest_first),
      cmocka_unit_test(test_price_of_bursts),
      cmocka_unit_test(test_price_by_suppression),
      cmocka_unit_test(test_price_of_receiving),
      cmocka_unit_test(test_dry),
      cmocka_unit_test(test_no_wakeup_is_lost),
      cmocka_unit_test(test_filter),
      cmocka_unit_test(test_tagged_frames),
      cmocka_unit_test(test_link),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
