/* test_e1000_disorder.c - a device that writes receive descriptors back in the wrong order, or more than once. */
#include "unit.h"

#define RING  8U
#define FRAME 100U

static const uint16_t devices[] = {SIM_EVERY_PART};

struct bench {
  struct sim *sim;
  struct netdev *dev;
  struct unit_client client;
};

static void begin(struct bench *bench, uint16_t device_id) {
  struct sim_config config = unit_config(device_id);
  bench->sim = sim_create(&config);
  assert_int_equal(unit_create(bench->sim, RING, RING, &bench->dev), NETDEV_OK);
  unit_client_init(&bench->client, bench->dev, true);
  assert_int_equal(netdev_open(bench->dev), NETDEV_OK);
}

static void end(struct bench *bench) {
  unit_check(bench->sim, bench->dev);
  unit_end(bench->sim, bench->dev);
}

static void inject(struct bench *bench, uint32_t number) {
  uint8_t frame[FRAME];
  unit_frame(frame, sizeof(frame), unit_mac, number);
  assert_int_equal(sim_inject(bench->sim, frame, sizeof(frame)), SIM_DELIVERED);
}

static void expect_newest(const struct bench *bench, uint32_t number) {
  uint8_t frame[FRAME];
  unit_frame(frame, sizeof(frame), unit_mac, number);
  assert_int_equal(bench->client.length, sizeof(frame));
  assert_memory_equal(bench->client.frame, frame, sizeof(frame));
}

/* A frame waits for those before it, and all arrive in order. */
static void test_newest_first(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
    struct bench bench;
    begin(&bench, devices[i]);
    sim_knobs(bench.sim)->delayed = true;
    sim_knobs(bench.sim)->newest_first = true;
    for(uint32_t lap = 0; lap < 3U * RING; lap += 3U) {
      for(uint32_t n = 1; n <= 3; n++) {
        inject(&bench, lap + n);
      }
      for(uint32_t n = 1; n <= 2; n++) {
        sim_step(bench.sim);
        assert_int_equal(netdev_poll(bench.dev, RING), 0);
      }
      sim_step(bench.sim);
      for(uint32_t n = 1; n <= 3; n++) {
        assert_int_equal(netdev_poll(bench.dev, 1), 1);
        expect_newest(&bench, lap + n);
      }
      assert_int_equal(netdev_poll(bench.dev, RING), 0);
    }
    end(&bench);
  }
}

/* Only DD says that a descriptor is the driver's again, whatever else is in it. */
static void test_end_of_packet_without_done(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
    struct bench bench;
    uint8_t frame[FRAME];
    struct netdev_frame shown;
    begin(&bench, devices[i]);
    unit_frame(frame, sizeof(frame), unit_mac, 1);
    assert_int_equal(sim_inject_raw(bench.sim, frame, sizeof(frame), E1000_RXD_STATUS_EOP, 0, sizeof(frame)),
                     SIM_DELIVERED);
    inject(&bench, 2); /* behind it, and done */
    assert_int_equal(netdev_peek(bench.dev, &shown), NETDEV_E_EMPTY);
    assert_int_equal(netdev_poll(bench.dev, RING), 0);
    unit_nic(bench.dev)->rx.descriptor[0].rx.status |= E1000_RXD_STATUS_DD;
    for(uint32_t n = 1; n <= 2; n++) {
      assert_int_equal(netdev_poll(bench.dev, 1), 1);
      expect_newest(&bench, n);
    }
    end(&bench);
  }
}

/* What is written into a descriptor that is ours again is taken for a frame one lap later. Nobody could tell; but it is
 * no more than one for each that came, from our own buffers, and after a close and an open everything is as before. */
static void test_written_twice(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
    struct bench bench;
    begin(&bench, devices[i]);
    sim_knobs(bench.sim)->written_twice = true;
    uint32_t injected = 0;
    for(uint32_t n = 1; n <= 5U * RING; n++) {
      uint8_t frame[FRAME];
      unit_frame(frame, sizeof(frame), unit_mac, n);
      injected += sim_inject(bench.sim, frame, sizeof(frame)) == SIM_DELIVERED;
      netdev_poll(bench.dev, RING);
      assert_true(bench.client.received <= 2U * injected);
      unit_check(bench.sim, bench.dev);
    }
    assert_true(bench.client.received > injected); /* the knob does what it says */
    sim_knobs(bench.sim)->written_twice = false;
    netdev_close(bench.dev);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    inject(&bench, 1);
    assert_int_equal(netdev_poll(bench.dev, RING), 1);
    expect_newest(&bench, 1);
    end(&bench);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_newest_first),
      cmocka_unit_test(test_end_of_packet_without_done),
      cmocka_unit_test(test_written_twice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
