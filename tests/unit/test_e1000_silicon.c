/* test_e1000_silicon.c - what the parts do otherwise than one would think: tables, NVM, MDIO, counters, wake-up. */
#include "unit.h"

static const uint16_t devices[] = {SIM_EVERY_PART};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))
#define OWNED   (1U << 5) /* EXTCNF_CTRL.MDIO_SW_OWNERSHIP */

static struct netdev *begin(const struct sim_config *config, struct sim **sim) {
  struct netdev *dev;
  *sim = sim_create(config);
  assert_int_equal(unit_create(*sim, 16, 16, &dev), NETDEV_OK);
  return dev;
}

/* The PCH has a quarter of the table, and goes by the highest ten bits of an address. */
static uint32_t words_of(uint16_t device) {
  return device == SIM_82579LM ? 32U : E1000_MTA_COUNT;
}

/* After whatever lists came before, the table holds what this one asks for, and the tables start empty. */
static void test_multicast_table(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim *sim;
    struct sim_config config = unit_config(devices[i]);
    struct netdev *dev = begin(&config, &sim);
    for(uint32_t n = 0; n < E1000_MTA_COUNT; n++) {
      assert_int_equal(sim_peek(sim, E1000_MTA + 4U * n) | sim_peek(sim, E1000_VFTA + 4U * n), 0);
    }
    assert_int_equal(netdev_open(dev), NETDEV_OK);
    uint32_t seed = 12345;
    for(uint32_t step = 0; step < 200; step++) {
      uint8_t list[NETDEV_MAX_MULTICAST][6];
      uint32_t expected[E1000_MTA_COUNT] = {0};
      uint32_t count = step % (NETDEV_MAX_MULTICAST + 1U);
      for(uint32_t n = 0; n < count; n++) {
        seed = seed * 1664525U + 1013904223U;
        const uint8_t address[6] = {1, 0, 0x5E, 0, (uint8_t)(seed >> 16), (uint8_t)(seed >> 24)};
        memcpy(list[n], address, 6);
        uint32_t hash = e1000_multicast_hash(address);
        hash >>= words_of(devices[i]) == 32U ? 2U : 0U;
        expected[hash >> 5] |= 1U << (hash & 31U);
      }
      bool all = step % 23U == 22U;
      assert_int_equal(netdev_set_filter(dev, all ? NETDEV_FILTER_ALL_MULTICAST : NETDEV_FILTER_MULTICAST, list, count),
                       NETDEV_OK);
      for(uint32_t n = 0; n < words_of(devices[i]); n++) {
        assert_int_equal(sim_peek(sim, E1000_MTA + 4U * n), all ? UINT32_MAX : expected[n]);
      }
    }
    unit_end(sim, dev);
  }
}

/* The address is in its registers after every reset, without anybody having to look into the NVM for it. */
static void test_nvm_is_read_again(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim *sim;
    struct sim_config config = unit_config(devices[i]);
    struct netdev *dev = begin(&config, &sim);
    assert_int_equal(sim_logged(sim, NET_LOG_WARN, ""), 0);
    assert_int_equal(sim_peek(sim, E1000_RAH), 0x8000C3B2U);
    assert_int_equal(sim_peek(sim, E1000_EECD) & 7U, 0);
    uint16_t word;
    assert_int_equal(e1000_nvm_read(dev, 5, &word), NETDEV_OK);
    assert_int_equal(sim_peek(sim, E1000_EECD) & 7U, 0); /* SK, CS, DI */
    unit_end(sim, dev);
  }
}

/* Management firmware waits for it. */
static void test_mdio_is_given_back(void **state) {
  (void)state;
  for(int fault = 0; fault < 5; fault++) {
    for(int qemu = 0; qemu < 2; qemu++) {
      struct sim *sim;
      struct sim_config config = unit_config(SIM_82574L);
      uint16_t value;
      config.qemu = qemu;
      struct netdev *dev = begin(&config, &sim);
      assert_int_equal(sim_peek(sim, E1000_EXTCNF_CTRL) & OWNED, 0);
      sim_knobs(sim)->mdic_error = fault == 1;
      sim_knobs(sim)->mdic_never_ready = fault == 2;
      sim_knobs(sim)->mdio_never_owned = fault == 3;
      sim_knobs(sim)->reset_never_ends = fault == 4;
      assert_int_equal(e1000_phy_read(dev, 2, &value), fault % 4 ? NETDEV_E_TIMEOUT : NETDEV_OK);
      assert_int_equal(sim_peek(sim, E1000_EXTCNF_CTRL) & OWNED, 0);
      assert_int_equal(netdev_open(dev), NETDEV_OK);
      netdev_close(dev);
      assert_int_equal(netdev_open(dev), fault == 4 ? NETDEV_E_TIMEOUT : NETDEV_OK);
      assert_int_equal(sim_peek(sim, E1000_EXTCNF_CTRL) & OWNED, 0);
      sim_knobs(sim)->reset_never_ends = false;
      unit_end(sim, dev);
    }
  }
}

/* Nothing that the driver does touches what somebody armed. */
static void test_wake_up_stays_armed(void **state) {
  (void)state;
  for(size_t i = 0; i < 2U * DEVICES; i++) {
    struct sim *sim;
    struct sim_config config = unit_config(devices[i / 2U]);
    config.qemu = i % 2U;
    sim = sim_create(&config);
    sim_poke(sim, E1000_WUC, 0x8003U);
    sim_poke(sim, E1000_WUFC, 0x3FU);
    struct netdev *dev;
    assert_int_equal(unit_create(sim, 16, 16, &dev), NETDEV_OK);
    assert_int_equal(netdev_open(dev), NETDEV_OK);
    netdev_close(dev);
    netdev_destroy(dev);
    assert_int_equal(sim_peek(sim, E1000_WUC), 0x8003U);
    assert_int_equal(sim_peek(sim, E1000_WUFC), 0x3FU);
    unit_end(sim, NULL);
  }
}

/* A device on a platform that looks on at its reads; the platform outlives it. */
static struct netdev *open_on(const struct net_platform *platform, uint16_t device_id) {
  const struct net_config wanted = {.id = {.vendor_id = E1000_VENDOR_ID, .device_id = device_id}};
  struct netdev *dev;
  assert_int_equal(e1000_driver.create(platform, &wanted, &dev), NETDEV_OK);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  return dev;
}

/* Counters that grow between the reads that tell whether reading clears them. */
static struct {
  struct sim *sim;
  uint32_t growth[2]; /* behind the next read, and behind the one after it */
} counting;

static uint32_t counting_read32(void *ctx, uint32_t bar, uint32_t offset) {
  uint32_t value = sim_platform(counting.sim)->read32(ctx, bar, offset);
  if(offset == E1000_MPC) {
    sim_poke(counting.sim, E1000_MPC, sim_peek(counting.sim, E1000_MPC) + counting.growth[0]);
    counting.growth[0] = counting.growth[1];
    counting.growth[1] = 0;
  }
  return value;
}

/* Fewer than before is what a cleared counter shows. As many, or more, and it could be one that does not clear, as long
 * as none was seen to clear. */
static void test_counter_that_grows(void **state) {
  (void)state;
  for(uint32_t way = 0; way < 8; way++) {
    struct sim_config config = unit_config(SIM_82540EM);
    config.qemu = way % 2U;
    struct sim *sim = sim_create(&config);
    struct net_platform platform = *sim_platform(sim);
    uint64_t total = 0;
    counting.sim = sim;
    memset(counting.growth, 0, sizeof(counting.growth));
    platform.read32 = counting_read32;
    struct netdev *dev = open_on(&platform, SIM_82540EM);
    for(uint32_t round = 1; round <= 20; round++) {
      uint32_t before = 10U + round * 3U;
      counting.growth[0] = round == 1 ? before - 1U + way / 2U : round % 3U;
      counting.growth[1] = way / 2U;
      total += before + counting.growth[0] + counting.growth[1];
      sim_poke(sim, E1000_MPC, sim_peek(sim, E1000_MPC) + before);
      sim_forget_accesses(sim);
      (void)netdev_get_stats(dev);
      /* Once it is known to clear it is read once; what comes behind that is seen by the next looks. */
      assert_true(config.qemu || round == 1 || sim_reads_of(sim, E1000_MPC) == 1);
      (void)netdev_get_stats(dev);
      assert_int_equal(netdev_get_stats(dev)->rx_missed, total);
    }
    if(config.qemu) { /* it was set back from elsewhere */
      sim_poke(sim, E1000_MPC, 2);
      assert_int_equal(netdev_get_stats(dev)->rx_missed, total + 2U);
    }
    unit_end(sim, dev);
  }
}

/* Frames that come while the counters are read for the last time before a reset clears them. */
static struct {
  struct sim *sim;
  bool reset_is_near;
  uint32_t came;
} last_look;

static void a_frame_comes(void) {
  static const uint8_t frame[100] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  last_look.came += sim_inject(last_look.sim, frame, sizeof(frame)) == SIM_DELIVERED;
}

static uint32_t last_look_read32(void *ctx, uint32_t bar, uint32_t offset) {
  uint32_t value = sim_platform(last_look.sim)->read32(ctx, bar, offset);
  if(last_look.reset_is_near && offset >= E1000_STATS_FIRST && offset < E1000_STATS_END) {
    a_frame_comes();
  }
  return value;
}

static void test_all_is_counted_before_a_reset(void **state) {
  (void)state;
  for(size_t i = 0; i < 4U * DEVICES; i++) {
    struct sim_config config = unit_config(devices[i / 4U]);
    if(config.device_id == SIM_82574L || config.device_id == SIM_82574LA || config.device_id == SIM_82583V) {
      continue; /* these must receive until they are reset */
    }
    config.qemu = i % 2U;
    bool hangs = i / 2U % 2U;
    struct sim *sim = sim_create(&config);
    struct net_platform platform = *sim_platform(sim);
    last_look.sim = sim;
    last_look.came = 0;
    last_look.reset_is_near = false;
    platform.read32 = last_look_read32;
    struct netdev *dev = open_on(&platform, config.device_id);
    sim_advance(sim, 2000000U); /* until it hears, and its link is up */
    assert_int_equal(netdev_tick(dev), NETDEV_OK);
    a_frame_comes();
    assert_int_equal(last_look.came, 1);
    last_look.reset_is_near = true;
    if(hangs) {
      uint8_t frame[60] = {0};
      sim_knobs(sim)->tx_held = true;
      assert_int_equal(netdev_transmit(dev, frame, sizeof(frame), NULL, 0), NETDEV_OK);
      while(dev->stats.tx_hangs == 0) {
        sim_advance(sim, 60000U);
        assert_int_equal(netdev_tick(dev), NETDEV_OK);
      }
      sim_knobs(sim)->tx_held = false;
      last_look.reset_is_near = false;
    } else {
      netdev_close(dev);
    }
    assert_int_equal(netdev_get_stats(dev)->wire.rx_total_frames, last_look.came);
    unit_end(sim, dev);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_multicast_table),    cmocka_unit_test(test_nvm_is_read_again),
      cmocka_unit_test(test_mdio_is_given_back), cmocka_unit_test(test_wake_up_stays_armed),
      cmocka_unit_test(test_counter_that_grows), cmocka_unit_test(test_all_is_counted_before_a_reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
