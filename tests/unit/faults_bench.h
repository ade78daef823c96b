/* faults_bench.h - what the tests of hangs, removal and retrying callbacks share: a device that is open, its client. */
#ifndef FAULTS_BENCH_H
#define FAULTS_BENCH_H

#include "unit.h"

static const uint16_t devices[] = {SIM_EVERY_WAY};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))
#define TICK_US 60000U /* a tick that reads STATUS for certain */
#define HANG_US 2000000U
#define FRAME   100U

struct bench {
  struct sim *sim;
  struct netdev *dev;
  struct unit_client client;
};

static inline void begin(struct bench *bench, uint16_t device_id) {
  struct sim_config config = unit_config(device_id);
  bench->sim = sim_create(&config);
  assert_int_equal(unit_create(bench->sim, 16, 16, &bench->dev), NETDEV_OK);
  unit_client_init(&bench->client, bench->dev, true);
  assert_int_equal(netdev_open(bench->dev), NETDEV_OK);
}

static inline void end(struct bench *bench) {
  unit_check(bench->sim, bench->dev);
  unit_end(bench->sim, bench->dev);
}

static inline int transmit(struct bench *bench, uint32_t cookie, uint32_t flags) {
  uint8_t frame[FRAME];
  unit_frame(frame, sizeof(frame), unit_mac, cookie);
  return netdev_transmit(bench->dev, frame, sizeof(frame), unit_cookie(cookie), flags);
}

/* Cookies first to last came back once each with `status`. */
static inline void expect_back(const struct bench *bench, uint32_t first, uint32_t last, int status) {
  for(uint32_t n = first; n <= last; n++) {
    assert_int_equal(bench->client.done[n], 1);
    assert_int_equal(bench->client.status[n], status);
  }
}

static inline int tick_for(struct bench *bench, uint64_t us) {
  int result = NETDEV_OK;
  for(uint64_t waited = 0; waited < us && result == NETDEV_OK; waited += TICK_US) {
    sim_advance(bench->sim, TICK_US);
    result = netdev_tick(bench->dev);
  }
  return result;
}

static inline void expect_traffic(struct bench *bench, uint32_t cookie) {
  uint32_t received = bench->client.received;
  size_t sent = sim_frames(bench->sim);
  assert_int_equal(transmit(bench, cookie, 0), NETDEV_OK);
  assert_int_equal(sim_frames(bench->sim), sent + 1U);
  uint8_t frame[FRAME];
  unit_frame(frame, sizeof(frame), unit_mac, cookie);
  assert_int_equal(sim_inject(bench->sim, frame, sizeof(frame)), SIM_DELIVERED);
  assert_int_equal(netdev_poll(bench->dev, 10), 1);
  assert_int_equal(bench->client.received, received + 1U);
  expect_back(bench, cookie, cookie, NETDEV_OK);
}

#endif
