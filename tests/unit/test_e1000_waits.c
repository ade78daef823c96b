/* test_e1000_waits.c - nothing waits without need, and nothing is asked before its time: what is waited for from create
 * to open, in all, and who waits for the rest. */
#include "unit.h"

static const uint16_t devices[] = {SIM_EVERY_PART};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))

#define CTRL_RST     (1U << 26)
#define NVM_READ_US  2000U  /* the simulator's, from CTRL.RST on; AUTO_RD says so */
#define PHY_SETUP_US 25000U /* behind that */
#define DRAIN_US     10000U

struct bench {
  struct sim *sim;
  struct netdev *dev;
  uint64_t start; /* when it was created */
};

static void create(struct bench *bench, const struct sim_config *config, bool running) {
  bench->sim = sim_create(config);
  bench->start = sim_now(bench->sim);
  if(running) {
    sim_leave_behind(bench->sim);
  }
  assert_int_equal(unit_create(bench->sim, 0, 0, &bench->dev), NETDEV_OK);
}

static void end(struct bench *bench) {
  unit_end(bench->sim, bench->dev);
}

static uint32_t resets(const struct sim *sim) {
  const struct sim_write *log;
  size_t count = sim_write_log(sim, &log);
  uint32_t found = 0;
  for(size_t i = 0; i < count; i++) {
    found += (log[i].offset == 0x0 || log[i].offset == 0x4) && (log[i].value & CTRL_RST);
  }
  return found;
}

/* What a part needs that has a link and was not running. The longest of the figures in the manuals and drivers, as
 * e1000_parts.c cites them; what is polled for ends with the simulator's time. */
static uint64_t least_us(uint16_t device) {
  switch(device) {
  case SIM_82544GC:
    return 5000 + 2000; /* and the NVM is read again */
  case SIM_82541EI:
  case SIM_82547EI:
    return 5000 + 20000; /* the PHY's reset first */
  case SIM_82541GI:
  case SIM_82547GI:
    return 20000;
  case SIM_82571EB:
  case SIM_82572EI:
  case SIM_82573L:
  case SIM_82574L:
  case SIM_82583V:
    return NVM_READ_US;
  case SIM_82579LM:
    return 20000 + 100; /* the pause behind each of two MDIO accesses, and the accesses */
  default:
    return 5000;
  }
}

static void test_create_to_open(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    for(int running = 0; running < 2; running++) {
      struct sim_config config = unit_config(devices[i]);
      struct bench bench;
      create(&bench, &config, running);
      assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
      uint64_t mdio_us = sim_writes_of(bench.sim, 0x20) * 100ULL; /* an access takes about 64 */
      uint64_t least = least_us(devices[i]) + (running ? DRAIN_US : 0);
      assert_in_range(sim_now(bench.sim) - bench.start, least, least + mdio_us);
      assert_int_equal(resets(bench.sim), 1);
      end(&bench);
    }
  }
}

/* Each close leaves a device that need not be reset to be opened. */
static void test_reopened(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    struct bench bench;
    create(&bench, &config, false);
    for(uint32_t round = 0; round < 3; round++) {
      assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
      assert_int_equal(resets(bench.sim), round + 1U);
      netdev_close(bench.dev);
    }
    end(&bench);
  }
}

/* Unless somebody has switched it on meanwhile. */
static void test_used_by_somebody_else(void **state) {
  (void)state;
  static const uint32_t enabled[] = {0x100, 0x400}; /* RCTL.EN, TCTL.EN */
  for(size_t i = 0; i < DEVICES; i++) {
    for(size_t what = 0; what < 2; what++) {
      struct sim_config config = unit_config(devices[i]);
      struct bench bench;
      create(&bench, &config, false);
      sim_poke(bench.sim, enabled[what], sim_peek(bench.sim, enabled[what]) | 2U);
      assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
      assert_int_equal(resets(bench.sim), 2);
      end(&bench);
    }
  }
}

/* Nor will the reset do for a second try when the first ended half-way, wherever that was. */
static void test_opened_half(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    uint32_t failures = 0;
    for(uint64_t read = 1; read < 80; read++) {
      struct sim_config config = unit_config(devices[i]);
      struct bench bench;
      create(&bench, &config, false);
      sim_knobs(bench.sim)->read_fails_at = sim_accesses(bench.sim) + read;
      if(netdev_open(bench.dev) != NETDEV_OK) {
        uint32_t before = resets(bench.sim);
        assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
        assert_int_equal(resets(bench.sim), before + 1U);
        failures++;
      }
      end(&bench);
    }
    assert_true(failures >= 5);
  }
}

/* The first access to NVM or PHY waits for what is left of the PHY's setup, a second one no more. A part that says when
 * it is over is believed. */
static void test_first_access_waits(void **state) {
  (void)state;
  static const struct {
    uint16_t device;
    uint64_t ready_us; /* from CTRL.RST on */
  } rows[] = {{SIM_82573L, NVM_READ_US + PHY_SETUP_US},
              {SIM_82574L, NVM_READ_US + PHY_SETUP_US},
              {SIM_82583V, NVM_READ_US + PHY_SETUP_US},
              {SIM_82571EB, 22000},
              {SIM_82572EI, 22000}};
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    for(int nvm = 0; nvm < 2; nvm++) {
      for(uint64_t later = 0; later < 40000; later += 15000) {
        struct sim_config config = unit_config(rows[i].device);
        struct bench bench;
        uint16_t value;
        create(&bench, &config, false);
        sim_advance(bench.sim, later);
        uint64_t asked = sim_now(bench.sim);
        uint64_t ready = bench.start + rows[i].ready_us;
        ready = asked > ready ? asked : ready;
        int result = nvm ? e1000_nvm_read(bench.dev, 0, &value) : e1000_phy_read(bench.dev, 2, &value);
        assert_int_equal(result, NETDEV_OK);
        assert_in_range(sim_now(bench.sim), ready, ready + 400);
        asked = sim_now(bench.sim);
        assert_int_equal(e1000_phy_read(bench.dev, 2, &value), NETDEV_OK);
        assert_in_range(sim_now(bench.sim), asked, asked + 400);
        unit_check(bench.sim, bench.dev);
        end(&bench);
      }
    }
  }
}

/* Without a link the PHY may sleep: that is found out at once, whatever it takes. */
static void test_no_link(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82574L);
  config.phy_powered_down = true;
  struct bench bench;
  create(&bench, &config, false);
  assert_true(sim_now(bench.sim) - bench.start >= NVM_READ_US + PHY_SETUP_US);
  assert_int_equal(sim_phy(bench.sim, 0) & 0x0800U, 0);
  end(&bench);
}

/* A clock that stands still makes nothing wait for longer than it has to. */
static uint64_t no_clock(void *ctx) {
  (void)ctx;
  return 0;
}

static void test_clock_that_stands_still(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82574L);
  struct sim *sim = sim_create(&config);
  struct net_platform platform = *sim_platform(sim);
  const struct net_config net = {.id = {.vendor_id = E1000_VENDOR_ID, .device_id = SIM_82574L}};
  struct netdev *dev;
  uint16_t value;
  platform.now_us = no_clock;
  assert_int_equal(e1000_create(&platform, &net, &dev), NETDEV_OK);
  sim_advance(sim, 100000);
  uint64_t before = sim_now(sim);
  assert_int_equal(e1000_phy_read(dev, 2, &value), NETDEV_OK);
  assert_in_range(sim_now(sim) - before, PHY_SETUP_US, PHY_SETUP_US + 400);
  before = sim_now(sim);
  assert_int_equal(e1000_phy_read(dev, 2, &value), NETDEV_OK);
  assert_in_range(sim_now(sim) - before, 0, 400);
  unit_end(sim, dev);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_create_to_open),          cmocka_unit_test(test_reopened),
      cmocka_unit_test(test_used_by_somebody_else),   cmocka_unit_test(test_opened_half),
      cmocka_unit_test(test_first_access_waits),      cmocka_unit_test(test_no_link),
      cmocka_unit_test(test_clock_that_stands_still),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
