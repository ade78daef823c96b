/* test_e1000_pch.c - the 82579 in its chipset: the flash, the software flag, a reset that must not be watched, and a
 * management engine (ME) beside us. */
#include "unit.h"

#define SWFLAG (1U << 5) /* EXTCNF_CTRL */

struct bench {
  struct sim *sim;
  struct netdev *dev;
};

static void create(struct bench *bench, const struct sim_config *config) {
  bench->sim = sim_create(config);
  assert_int_equal(unit_create(bench->sim, 16, 64, &bench->dev), NETDEV_OK);
  unit_check(bench->sim, bench->dev);
}

static void end(struct bench *bench) {
  unit_end(bench->sim, bench->dev);
}

/* Self-test: what was told. */
struct told {
  uint32_t failed;
  bool vlan;
  bool pause;
  bool unsummed;
  bool frames;
};

static void tell(void *ctx, const char *name, bool passed, uint32_t value) {
  struct told *told = ctx;
  (void)value;
  told->failed += !passed;
  told->vlan |= strstr(name, "VFTA") != NULL;
  told->pause |= strstr(name, "FCAL") != NULL;
  told->unsummed |= strstr(name, "without a checksum") != NULL;
  told->frames |= strstr(name, "frames of") != NULL;
}

static struct told self_test(struct netdev *dev) {
  struct told told = {0};
  struct netdev_selftest test = {.report = tell, .ctx = &told};
  assert_int_equal(netdev_selftest(dev, true, &test), NETDEV_OK);
  assert_int_equal(test.failed, told.failed);
  return told;
}

/* NVM -------------------------------------------------------------------------------------------------------------- */

/* Every word, from the copy that is the valid one, also when cycles fail now and then. */
static void test_flash(void **state) {
  (void)state;
  for(int second = 0; second < 2; second++) {
    struct sim_config config = unit_config(SIM_82579LM);
    config.second_bank = second;
    config.ral_empty = true; /* so the address comes from there as well */
    struct bench bench;
    uint16_t value;
    create(&bench, &config);
    assert_memory_equal(bench.dev->permanent_mac, unit_mac, 6);
    for(uint16_t word = 0; word < E1000_NVM_WORDS; word++) {
      sim_knobs(bench.sim)->flash_errors = word % 4U;
      assert_int_equal(e1000_nvm_read(bench.dev, word, &value), NETDEV_OK);
      assert_int_equal(value, sim_nvm(bench.sim, word));
    }
    assert_int_equal(e1000_nvm_checksum(bench.dev, &value), NETDEV_OK);
    assert_int_equal(value, 0xBABA);
    sim_knobs(bench.sim)->flash_errors = 1000;
    assert_int_equal(e1000_nvm_read(bench.dev, 0, &value), NETDEV_E_NVM);
    assert_true(sim_knobs(bench.sim)->flash_errors >= 980); /* it gives up */
    sim_knobs(bench.sim)->flash_errors = 0;
    uint64_t start = sim_now(bench.sim);
    sim_knobs(bench.sim)->eerd_never_done = true;
    assert_int_equal(e1000_nvm_read(bench.dev, 0, &value), NETDEV_E_NVM);
    assert_true(sim_now(bench.sim) - start <= 100000);
    sim_knobs(bench.sim)->eerd_never_done = false;
    assert_int_equal(e1000_nvm_read(bench.dev, 0, &value), NETDEV_OK);
    end(&bench);
  }
}

/* Without a valid copy, or without the registers, the NIC works as long as its address is where the firmware put it. */
static void test_no_flash(void **state) {
  (void)state;
  for(int ral_empty = 0; ral_empty < 2; ral_empty++) {
    for(int bar = 0; bar < 5; bar++) {
      struct sim_config config = unit_config(SIM_82579LM);
      config.ral_empty = ral_empty;
      config.no_bank = bar == 0;
      config.no_descriptor = bar == 3;
      config.no_region = bar == 4;
      struct sim *sim = sim_create(&config);
      struct net_platform platform = *sim_platform(sim);
      const struct net_config wanted = {.id = {.vendor_id = 0x8086, .device_id = SIM_82579LM}};
      struct netdev *dev = NULL;
      uint16_t value;
      platform.bar[1].kind = bar == 1 ? NET_BAR_NONE : NET_BAR_MEMORY;
      platform.bar[1].size = bar == 2 ? 16 : 0; /* too small for the data */
      assert_int_equal(e1000_create(&platform, &wanted, &dev), ral_empty ? NETDEV_E_NO_ADDRESS : NETDEV_OK);
      if(dev) {
        assert_int_equal(e1000_nvm_read(dev, 0, &value), NETDEV_E_NVM);
        assert_int_equal(netdev_open(dev), NETDEV_OK);
      }
      unit_end(sim, dev);
    }
  }
}

/* A checksum that was never made is no fault; a wrong one is. */
static void test_checksum(void **state) {
  (void)state;
  for(int unsummed = 0; unsummed < 2; unsummed++) {
    for(int bad = 0; bad < 2; bad++) {
      struct sim_config config = unit_config(SIM_82579LM);
      config.unsummed = unsummed;
      config.bad_checksum = bad;
      struct bench bench;
      create(&bench, &config);
      struct told told = self_test(bench.dev);
      assert_int_equal(told.failed, bad && !unsummed);
      assert_int_equal(told.unsummed, unsummed);
      assert_true(told.pause && !told.vlan && !told.frames);
      end(&bench);
    }
  }
}

/* Turns ------------------------------------------------------------------------------------------------------------ */

/* The flag is taken for each access, when it is free, and given back. One that somebody holds is not taken from him. */
static void test_software_flag(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82579LM);
  struct bench bench;
  uint16_t value;
  create(&bench, &config);
  assert_int_equal(e1000_phy_read(bench.dev, 2, &value), NETDEV_OK);
  assert_int_equal(value, 0x0154);
  assert_int_equal(e1000_phy_read(bench.dev, 3, &value), NETDEV_OK); /* and not what the one before gave */
  assert_int_equal(value, 0x0090);
  assert_int_equal(sim_peek(bench.sim, 0xF00) & SWFLAG, 0);

  sim_knobs(bench.sim)->me_holds_swflag = true;
  sim_forget_accesses(bench.sim);
  uint64_t start = sim_now(bench.sim);
  assert_int_equal(e1000_phy_read(bench.dev, 2, &value), NETDEV_E_TIMEOUT);
  assert_int_equal(sim_writes_of(bench.sim, 0xF00), 0);
  assert_int_equal(sim_writes_of(bench.sim, 0x20), 0);
  assert_true(sim_now(bench.sim) - start <= 1200000);
  sim_knobs(bench.sim)->me_holds_swflag = false;

  sim_knobs(bench.sim)->mdio_never_owned = true;
  start = sim_now(bench.sim);
  assert_int_equal(e1000_phy_read(bench.dev, 2, &value), NETDEV_E_TIMEOUT);
  assert_true(sim_now(bench.sim) - start <= 1200000);
  assert_int_equal(sim_peek(bench.sim, 0xF00) & SWFLAG, 0); /* nor is it asked for any more */
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK);      /* the reset goes ahead */
  end(&bench);
}

/* CTRL.RST under the flag, nothing read for 20 ms, the PHY left alone; what never says that it is done is waited for,
 * but not for ever. */
static void test_reset(void **state) {
  (void)state;
  for(int never = 0; never < 2; never++) {
    struct sim_config config = unit_config(SIM_82579LM);
    config.lan_init_never = never;
    struct bench bench;
    const struct sim_write *log;
    create(&bench, &config);
    size_t count = sim_write_log(bench.sim, &log);
    size_t flag = SIZE_MAX;
    size_t reset = SIZE_MAX;
    for(size_t i = 0; i < count; i++) {
      if(log[i].offset == 0xF00 && (log[i].value & SWFLAG) && flag == SIZE_MAX) {
        flag = i;
      }
      if(log[i].offset == 0x0 && (log[i].value & 1U << 26)) {
        assert_int_equal(reset, SIZE_MAX);
        reset = i;
      }
      assert_false(log[i].offset == 0x0 && (log[i].value & 1U << 31));
    }
    assert_true(flag < reset && reset + 1U < count);
    assert_true(log[reset + 1U].at_us - log[reset].at_us >= 20000);
    assert_int_equal(sim_logged(bench.sim, NET_LOG_ERROR, "LAN_INIT_DONE"), never);
    assert_int_equal(sim_peek(bench.sim, 0x3004) & 0x50000U, 0x50000U);
    uint64_t start = sim_now(bench.sim);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    assert_true(sim_now(bench.sim) - start <= 500000);
    end(&bench);
  }
}

/* The management engine ------------------------------------------------------------------------------------------- */

/* A PHY that the ME keeps to itself is not written, also when it sleeps; else it is woken. */
static void test_whose_phy(void **state) {
  (void)state;
  for(int active = 0; active < 2; active++) {
    struct sim_config config = unit_config(SIM_82579LM);
    config.me_active = active;
    config.phy_powered_down = true;
    struct bench bench;
    create(&bench, &config);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    assert_int_equal((sim_phy(bench.sim, 0) & 0x0800U) != 0, active);
    assert_int_equal(sim_logged(bench.sim, NET_LOG_WARN, "does not let us wake it") > 0, active);
    end(&bench);
  }
}

/* Of the receive addresses one is ours: the simulator minds the others. Multicast has 32 words. */
static void test_addresses(void **state) {
  (void)state;
  static const uint8_t other[6] = {0x52, 0x54, 0x00, 0x11, 0x22, 0x33};
  static const uint8_t groups[2][6] = {{0x01, 0x00, 0x5E, 0x7F, 0xFF, 0xFA}, {0x33, 0x33, 0xFF, 0x12, 0x34, 0x56}};
  struct sim_config config = unit_config(SIM_82579LM);
  uint8_t frame[60];
  struct bench bench;
  create(&bench, &config);
  assert_int_equal(netdev_set_mac(bench.dev, other), NETDEV_OK);
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
  unit_frame(frame, sizeof(frame), other, 1);
  assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
  assert_int_equal(netdev_set_filter(bench.dev, NETDEV_FILTER_MULTICAST, groups, 1), NETDEV_OK);
  unit_frame(frame, sizeof(frame), groups[0], 1);
  assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
  unit_frame(frame, sizeof(frame), groups[1], 1);
  assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_FILTERED);
  /* FFFA: bits 47:38 are 3EBh, word 31 bit 11 */
  assert_int_equal(sim_peek(bench.sim, 0x5200 + 4U * 31U), 1U << 11);
  end(&bench);
}

/* Tail writes get lost while the ME works, and no frame is: neither one of ours nor one for us. Without the ME it costs
 * what it costs elsewhere: one write. */
static void test_lost_tails(void **state) {
  (void)state;
  for(int active = 0; active < 2; active++) {
    struct sim_config config = unit_config(SIM_82579LM);
    config.me_active = active;
    struct bench bench;
    uint8_t frame[60];
    uint8_t buffer[64];
    size_t length;
    create(&bench, &config);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    for(uint32_t i = 0; i < 200; i++) {
      sim_knobs(bench.sim)->tails_lost = active ? i % 4U : 0;
      sim_knobs(bench.sim)->arbiter_busy = active ? i * 3U % 7U : 0;
      sim_forget_accesses(bench.sim);
      unit_frame(frame, sizeof(frame), unit_mac, i);
      assert_int_equal(netdev_transmit(bench.dev, frame, sizeof(frame), NULL, 0), NETDEV_OK);
      assert_int_equal(sim_frames(bench.sim), i + 1U);
      assert_true(active || (sim_writes(bench.sim) == 1 && sim_reads(bench.sim) == 0));
      (void)netdev_complete(bench.dev);
      sim_knobs(bench.sim)->tails_lost = active ? i % 3U : 0;
      assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
      assert_int_equal(netdev_receive(bench.dev, buffer, sizeof(buffer), &length), NETDEV_OK);
      assert_memory_equal(buffer, frame, sizeof(frame));
    }
    end(&bench);
  }
}

/* An arbiter that is never free, and a doorbell that never gets through: an end, a message, and a recovery. */
static void test_stuck_arbiter(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82579LM);
  config.me_active = true;
  struct bench bench;
  struct unit_client client;
  uint8_t frame[60];
  create(&bench, &config);
  unit_client_init(&client, bench.dev, false);
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
  sim_knobs(bench.sim)->arbiter_busy = UINT32_MAX;
  sim_forget_accesses(bench.sim);
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  assert_int_equal(netdev_transmit(bench.dev, frame, sizeof(frame), unit_cookie(1), 0), NETDEV_OK);
  assert_true(sim_reads(bench.sim) < 50000);
  assert_int_equal(sim_logged(bench.sim, NET_LOG_WARN, "tail write is lost"), 1);
  sim_knobs(bench.sim)->arbiter_busy = 0;
  for(uint32_t i = 0; i < 100 && client.done_total == 0; i++) {
    sim_advance(bench.sim, 100000);
    assert_int_equal(netdev_tick(bench.dev), NETDEV_OK);
  }
  assert_int_equal(client.status[1], NETDEV_E_RESET);
  assert_int_equal(bench.dev->stats.tx_hangs, 1);
  assert_int_equal(netdev_transmit(bench.dev, frame, sizeof(frame), unit_cookie(2), 0), NETDEV_OK);
  assert_int_equal(sim_frames(bench.sim), 1);
  end(&bench);
}

/* LEDs are the PHY's. */
static void test_no_leds(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82579V);
  struct bench bench;
  create(&bench, &config);
  assert_int_equal(netdev_identify(bench.dev, true), NETDEV_E_UNSUPPORTED);
  end(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flash),     cmocka_unit_test(test_no_flash),      cmocka_unit_test(test_checksum),
      cmocka_unit_test(test_reset),     cmocka_unit_test(test_software_flag), cmocka_unit_test(test_whose_phy),
      cmocka_unit_test(test_addresses), cmocka_unit_test(test_lost_tails),    cmocka_unit_test(test_stuck_arbiter),
      cmocka_unit_test(test_no_leds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
