/* test_e1000_lost.c - reads give all ones although the device is there: nothing may run on afterwards. */
#include "unit.h"

#define TICK_US 60000U /* a tick that reads STATUS for certain */

static const uint16_t devices[] = {SIM_EVERY_WAY};

static const struct net_platform *host;
static bool lose_all;
static uint32_t lose; /* this read of STATUS, counted down to 1; 0 none */

static uint32_t losing_read32(void *ctx, uint32_t bar, uint32_t offset) {
  uint32_t value = host->read32(ctx, bar, offset);
  bool lost = lose_all || (offset == E1000_STATUS && lose > 0 && --lose == 0);
  return lost ? UINT32_MAX : value;
}

static struct sim *create(uint16_t device_id, struct netdev **dev) {
  static struct net_platform losing;
  struct sim_config config = unit_config(device_id);
  struct net_config wanted = {
      .id = {.vendor_id = E1000_VENDOR_ID, .device_id = device_id}, .tx_descriptors = 8, .rx_descriptors = 8};
  struct sim *sim = sim_create(&config);
  host = sim_platform(sim);
  losing = *host;
  losing.read32 = losing_read32;
  lose = 0;
  lose_all = false;
  assert_int_equal(e1000_create(&losing, &wanted, dev), NETDEV_OK);
  return sim;
}

static void expect_silence(const struct sim *sim) {
  assert_int_equal(sim_peek(sim, E1000_RCTL) & E1000_RCTL_EN, 0);
  assert_int_equal(sim_peek(sim, E1000_TCTL) & E1000_TCTL_EN, 0);
}

/* Opens with the nth read lost, and again. False when there were fewer. */
static bool open_and_lose(uint16_t device_id, uint32_t nth) {
  struct netdev *dev;
  struct sim *sim = create(device_id, &dev);
  lose = nth;
  int result = netdev_open(dev);
  bool lost = lose == 0;
  lose = 0;
  if(result != NETDEV_OK) {
    assert_true(lost && result == NETDEV_E_GONE);
    expect_silence(sim);
    assert_int_equal(netdev_open(dev), NETDEV_OK);
    netdev_close(dev);
    lose = nth;
    (void)netdev_open(dev);
    lose = 0;
  }
  unit_end(sim, dev); /* the rings are freed: the simulator minds when the device still uses them */
  return lost;
}

static void test_open(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
    uint32_t reads = 0;
    while(open_and_lose(devices[i], reads + 1U)) {
      reads++;
    }
    assert_true(reads > 10);
  }
}

/* No read works any more, writes do: the device is silenced, and never by what it did not say. */
static void test_tick(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
    struct netdev *dev;
    struct sim *sim = create(devices[i], &dev);
    assert_int_equal(netdev_open(dev), NETDEV_OK);
    uint32_t ctrl_ext = sim_peek(sim, E1000_CTRL_EXT);
    lose_all = true;
    sim_advance(sim, TICK_US);
    assert_int_equal(netdev_tick(dev), NETDEV_E_GONE);
    expect_silence(sim);
    assert_int_equal(sim_peek(sim, E1000_CTRL_EXT), ctrl_ext);
    unit_end(sim, dev);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_open),
      cmocka_unit_test(test_tick),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
