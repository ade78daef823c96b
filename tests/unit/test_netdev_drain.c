/* test_netdev_drain.c - a close sends what was accepted: both families, and the bounds of the wait. */
#include "fake_netdev.h"
#include "virtio_unit.h"

#define STEP_US 50U
#define LAZY_US 500U /* a millisecond after the last frame that finished */
#define IDLE_US 500000U
#define WAITS   1018U /* of one that finishes nothing: 20 and 998 */
#define MAX_US  2000000U

/* The simulator's platform, but that the device works while somebody waits. */
struct slow {
  struct net_platform platform;
  uint32_t waits;
  uint32_t finishes_after; /* so many waits */
};

static struct slow slow;

static bool is_due(void) {
  return ++slow.waits == slow.finishes_after;
}

static void work_e1000(void *ctx, uint32_t us) {
  sim_advance(ctx, us);
  if((us == STEP_US || us == LAZY_US) && is_due()) {
    sim_step(ctx);
  }
}

static void work_virtio(void *ctx, uint32_t us) {
  virtio_sim_advance(ctx, us);
  if((us == STEP_US || us == LAZY_US) && is_due()) {
    virtio_sim_step(ctx);
  }
}

static void slow_init(const struct net_platform *platform, void (*wait)(void *ctx, uint32_t us)) {
  memset(&slow, 0, sizeof(slow));
  slow.platform = *platform;
  slow.platform.delay_us = wait;
}

static void send_all(struct netdev *dev, uint32_t count) {
  uint8_t frame[60];
  for(uint32_t n = 1; n <= count; n++) {
    unit_frame(frame, sizeof(frame), unit_other, n);
    assert_int_equal(netdev_transmit(dev, frame, sizeof(frame), unit_cookie(n), n == count ? NETDEV_TX_MORE : 0),
                     NETDEV_OK);
  }
}

static void expect_all(const struct unit_client *client, uint32_t count, int status) {
  for(uint32_t n = 1; n <= count; n++) {
    assert_int_equal(client->done[n], 1);
    assert_int_equal(client->status[n], status);
  }
  assert_int_equal(client->done_total, count);
}

/* e1000 ---------------------------------------------------------------------------------------------------------- */

static struct netdev *begin_e1000(struct sim **sim, uint16_t device_id, struct unit_client *client) {
  struct sim_config config = unit_config(device_id);
  const struct net_config wanted = {
      .id = {.vendor_id = E1000_VENDOR_ID, .device_id = device_id}, .tx_descriptors = 128, .rx_descriptors = 128};
  struct netdev *dev;
  *sim = sim_create(&config);
  slow_init(sim_platform(*sim), work_e1000);
  assert_int_equal(e1000_create(&slow.platform, &wanted, &dev), NETDEV_OK);
  unit_client_init(client, dev, false);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  return dev;
}

static void test_e1000_sends_what_it_took(void **state) {
  (void)state;
  static const uint16_t devices[] = {SIM_EVERY_PART};
  for(size_t i = 0; i < 3; i++) {
    struct sim *sim;
    struct unit_client client;
    struct netdev *dev = begin_e1000(&sim, devices[i], &client);
    sim_knobs(sim)->delayed = true;
    send_all(dev, 64);
    assert_int_equal(sim_frames(sim), 0);
    slow.finishes_after = 300; /* 141 ms */
    netdev_close(dev);
    assert_int_equal(sim_frames(sim), 64);
    expect_all(&client, 64, NETDEV_OK);
    assert_int_equal(dev->stats.tx_frames, 64);
    assert_int_equal(dev->stats.tx_errors, 0);
    assert_int_equal(slow.waits, 300);
    unit_end(sim, dev);
  }
}

enum obstacle { HELD, PAUSED, NO_LINK, GONE, GONE_ZERO, OBSTACLES };

static void test_e1000_is_not_waited_for(void **state) {
  (void)state;
  for(int what = HELD; what < OBSTACLES; what++) {
    struct sim *sim;
    struct unit_client client;
    struct netdev *dev = begin_e1000(&sim, SIM_82540EM, &client);
    struct sim_config *knobs = sim_knobs(sim);
    knobs->tx_held = true;
    send_all(dev, 5);
    knobs->tx_paused = what == PAUSED;
    knobs->link_down = what == NO_LINK;
    knobs->gone = what == GONE || what == GONE_ZERO;
    knobs->gone_reads_zero = what == GONE_ZERO;
    uint64_t start = sim_now(sim);
    netdev_close(dev);
    expect_all(&client, 5, NETDEV_E_CANCELLED);
    assert_int_equal(slow.waits, what == HELD ? WAITS : 0);
    assert_true(what == HELD || sim_now(sim) - start < IDLE_US);
    unit_end(sim, dev);
  }
}

/* virtio-net ----------------------------------------------------------------------------------------------------- */

static void begin_virtio(struct world *world) {
  const struct net_config wanted = {
      .id = {.vendor_id = 0x1AF4, .device_id = VIRTIO_SIM_MODERN}, .tx_descriptors = 128, .rx_descriptors = 128};
  world_make(world, (struct virtio_sim_config){.device_id = VIRTIO_SIM_MODERN});
  slow_init(virtio_sim_platform(world->sim), work_virtio);
  assert_int_equal(virtio_net_create(&slow.platform, &wanted, &world->dev), NETDEV_OK);
  unit_client_init(&world->client, world->dev, false);
  assert_int_equal(netdev_open(world->dev), NETDEV_OK);
}

static void test_virtio_sends_what_it_took(void **state) {
  (void)state;
  struct world world;
  begin_virtio(&world);
  world.knobs->delayed = true;
  send_all(world.dev, 64);
  assert_int_equal(virtio_sim_frames(world.sim), 0);
  slow.finishes_after = 300;
  netdev_close(world.dev);
  assert_int_equal(virtio_sim_frames(world.sim), 64);
  expect_all(&world.client, 64, NETDEV_OK);
  assert_int_equal(world.dev->stats.tx_frames, 64);
  assert_int_equal(world.dev->stats.tx_errors, 0);
  assert_int_equal(slow.waits, 300);
  world_end(&world);
}

static void test_virtio_is_not_waited_for(void **state) {
  (void)state;
  for(int what = HELD; what < OBSTACLES; what++) {
    struct world world;
    begin_virtio(&world);
    world.knobs->tx_held = true;
    send_all(world.dev, 5);
    if(what == PAUSED) { /* there is none here: a device that asks for a reset instead */
      virtio_sim_need_reset(world.sim);
    }
    world.knobs->link_down = what == NO_LINK;
    world.knobs->gone = what == GONE || what == GONE_ZERO;
    world.knobs->gone_reads_zero = what == GONE_ZERO;
    netdev_close(world.dev);
    expect_all(&world.client, 5, NETDEV_E_CANCELLED);
    assert_int_equal(slow.waits, what == HELD ? WAITS : 0);
    world_end(&world);
  }
}

/* The last moment ------------------------------------------------------------------------------------------------ */

/* The frames are finished while the tick that resets a stuck device reads its status: they count as sent. */
static bool finishes_now;

static uint32_t read_status_e1000(void *ctx, uint32_t bar, uint32_t offset) {
  if(finishes_now && offset == E1000_STATUS) {
    sim_step(ctx);
  }
  return sim_platform(ctx)->read32(ctx, bar, offset);
}

static uint8_t read_status_virtio(void *ctx, uint32_t bar, uint32_t offset) {
  if(finishes_now) {
    virtio_sim_step(ctx);
  }
  return virtio_sim_platform(ctx)->read8(ctx, bar, offset);
}

static void test_finished_before_the_reset(void **state) {
  (void)state;
  struct sim *sim;
  struct unit_client client;
  struct world world;
  struct netdev *dev = begin_e1000(&sim, SIM_82540EM, &client);
  slow.platform.read32 = read_status_e1000;
  sim_knobs(sim)->delayed = true;
  send_all(dev, 3);
  netdev_flush(dev);
  sim_advance(sim, UNIT_TICK_US);
  assert_int_equal(netdev_tick(dev), NETDEV_OK);
  sim_advance(sim, UNIT_HANG_US);
  finishes_now = true;
  assert_int_equal(netdev_tick(dev), NETDEV_OK);
  finishes_now = false;
  assert_int_equal(dev->stats.tx_hangs, 1);
  expect_all(&client, 3, NETDEV_OK);
  unit_end(sim, dev);

  begin_virtio(&world);
  slow.platform.read8 = read_status_virtio;
  world.knobs->delayed = true;
  send_all(world.dev, 3);
  netdev_flush(world.dev);
  virtio_sim_advance(world.sim, UNIT_TICK_US);
  assert_int_equal(netdev_tick(world.dev), NETDEV_OK);
  virtio_sim_advance(world.sim, UNIT_HANG_US);
  finishes_now = true;
  assert_int_equal(netdev_tick(world.dev), NETDEV_OK);
  finishes_now = false;
  assert_int_equal(world.dev->stats.tx_hangs, 1);
  expect_all(&world.client, 3, NETDEV_OK);
  world_end(&world);
}

/* The bounds ----------------------------------------------------------------------------------------------------- */

/* A device that finishes one frame at every `every_us`, or whose host has a clock that stands still. */
static struct {
  uint64_t now_us;
  uint64_t every_us; /* 0 never */
  bool stands_still;
  uint32_t waits;
  uint32_t left;
  uint32_t refused;
} pace;

static uint64_t pace_now(void *ctx) {
  (void)ctx;
  return pace.stands_still ? 0 : pace.now_us;
}

static void pace_delay(void *ctx, uint32_t us) {
  (void)ctx;
  assert_true(us == STEP_US || us == LAZY_US);
  pace.waits++;
  pace.now_us += us;
}

static uint32_t pace_complete(struct netdev *dev) {
  if(pace.left == 0 || pace.every_us == 0 || pace.now_us == 0 || pace.now_us % pace.every_us != 0) {
    return 0;
  }
  pace.left--;
  netdev_tx_tell(dev, NULL, NETDEV_OK);
  return 1;
}

static uint32_t pace_waiting(struct netdev *dev) {
  (void)dev;
  return pace.left;
}

static void send_one_more(void *ctx, void *cookie, int status) {
  static const uint8_t frame[60];
  (void)cookie;
  (void)status;
  pace.refused += netdev_transmit(ctx, frame, sizeof(frame), NULL, 0) == NETDEV_E_STATE;
}

static void close_with(uint32_t left, uint64_t every_us, bool stands_still) {
  static const struct net_platform platform = {.delay_us = pace_delay, .now_us = pace_now};
  struct netdev_ops ops = fake_ops;
  struct fake fake;
  ops.complete = pace_complete;
  ops.tx_waiting = pace_waiting;
  memset(&fake, 0, sizeof(fake));
  memset(&pace, 0, sizeof(pace));
  pace.left = left;
  pace.every_us = every_us;
  pace.stands_still = stands_still;
  netdev_init(&fake.dev, &platform, &ops, "fake", unit_mac);
  const struct netdev_client client = {.ctx = &fake.dev, .tx_done = send_one_more};
  assert_int_equal(netdev_set_client(&fake.dev, &client), NETDEV_OK);
  assert_int_equal(netdev_open(&fake.dev), NETDEV_OK);
  fake.queued = 1;
  netdev_close(&fake.dev);
  assert_int_equal(fake.flushed, 1);
  assert_int_equal(fake.closed, 1);
  assert_int_equal(fake.sent, 0);
}

static void test_bounds(void **state) {
  (void)state;
  close_with(0, 0, false);
  assert_int_equal(pace.waits, 0);
  close_with(1, 0, false); /* nothing is finished */
  assert_int_equal(pace.now_us, IDLE_US);
  close_with(1, 0, true); /* and no clock says so */
  assert_int_equal(pace.now_us, MAX_US);
  close_with(3, 400000, false); /* each within the time that the next one has */
  assert_int_equal(pace.left, 0);
  assert_int_equal(pace.now_us, 3U * 400000U);
  assert_int_equal(pace.refused, 3);
  close_with(9, 400000, false); /* but not all of them */
  assert_int_equal(pace.now_us, MAX_US);
  assert_int_equal(pace.left, 9 - 5);
  close_with(2, 600000, false); /* too slow */
  assert_int_equal(pace.now_us, IDLE_US);
  assert_int_equal(pace.left, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_e1000_sends_what_it_took),  cmocka_unit_test(test_e1000_is_not_waited_for),
      cmocka_unit_test(test_virtio_sends_what_it_took), cmocka_unit_test(test_virtio_is_not_waited_for),
      cmocka_unit_test(test_finished_before_the_reset), cmocka_unit_test(test_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
