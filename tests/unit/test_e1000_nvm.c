/* test_e1000_nvm.c - tests of the NVM, the station address, the PHY, the statistics and the register rows. */
#include "unit.h"

#include <stdio.h>

static const uint16_t devices[] = {SIM_EVERY_PART};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))

struct bench {
  struct sim *sim;
  struct netdev *dev;
};

static void create(struct bench *bench, const struct sim_config *config) {
  bench->sim = sim_create(config);
  assert_int_equal(unit_create(bench->sim, 0, 0, &bench->dev), NETDEV_OK);
}

static void end(struct bench *bench) {
  unit_end(bench->sim, bench->dev);
}

/* NVM ------------------------------------------------------------------------------------------------------------ */

static void test_every_word(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    struct bench bench;
    create(&bench, &config);
    for(uint16_t word = 0; word < 64; word++) {
      uint16_t value = 0;
      assert_int_equal(e1000_nvm_read(bench.dev, word, &value), NETDEV_OK);
      assert_int_equal(value, sim_nvm(bench.sim, word));
    }
    uint16_t value = 0x1234;
    assert_int_equal(e1000_nvm_read(bench.dev, 64, &value), NETDEV_E_INVALID);
    assert_int_equal(e1000_nvm_read(bench.dev, 0xFFFF, &value), NETDEV_E_INVALID);
    assert_int_equal(value, 0x1234);
    end(&bench);
  }
}

static void test_checksum(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    struct bench bench;
    create(&bench, &config);
    uint16_t sum = 0;
    assert_int_equal(e1000_nvm_checksum(bench.dev, &sum), NETDEV_OK);
    assert_int_equal(sum, 0xBABA);
    end(&bench);
    config.bad_checksum = true;
    create(&bench, &config); /* no reason to refuse the device */
    assert_int_equal(e1000_nvm_checksum(bench.dev, &sum), NETDEV_OK);
    assert_int_equal(sum, 0xBABB);
    end(&bench);
  }
}

static void test_eerd_never_done(void **state) {
  (void)state;
  static const uint16_t with_eerd[] = {SIM_82540EM, SIM_82574L};
  for(size_t i = 0; i < 2; i++) {
    struct sim_config config = unit_config(with_eerd[i]);
    config.eerd_never_done = true;
    struct bench bench;
    create(&bench, &config); /* RAL0/RAH0 suffice */
    uint16_t value;
    uint64_t start = sim_now(bench.sim);
    assert_int_equal(e1000_nvm_read(bench.dev, 0, &value), NETDEV_E_NVM);
    assert_in_range(sim_now(bench.sim) - start, 1, 200000);
    assert_true(sim_logged(bench.sim, NET_LOG_ERROR, "EERD") >= 1);
    assert_int_equal(e1000_nvm_checksum(bench.dev, &value), NETDEV_E_NVM);
    end(&bench);
  }
}

/* Station address ------------------------------------------------------------------------------------------------ */

static void test_address_from_the_nvm(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    for(int variant = 0; variant < 2; variant++) {
      struct sim_config config = unit_config(devices[i]);
      config.ral_empty = variant % 2 == 0;
      config.ral_without_av = variant % 2 == 1;
      struct bench bench;
      create(&bench, &config);
      assert_memory_equal(bench.dev->permanent_mac, unit_mac, 6);
      assert_true(sim_logged(bench.sim, NET_LOG_WARN, "RAL0") >= 1);
      end(&bench);
    }
  }
}

static void test_registers_have_the_say(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82540EM);
  config.qemu = true; /* the poked address survives the reset */
  struct bench bench = {.sim = sim_create(&config)};
  sim_poke(bench.sim, 0x5400, 0x04030202U);
  sim_poke(bench.sim, 0x5404, 0x80000605U);
  sim_forget_accesses(bench.sim);
  assert_int_equal(unit_create(bench.sim, 0, 0, &bench.dev), NETDEV_OK);
  static const uint8_t expected[6] = {2, 2, 3, 4, 5, 6};
  assert_memory_equal(bench.dev->mac, expected, 6);
  assert_int_equal(sim_reads_of(bench.sim, 0x14), 0); /* the NVM was not asked */
  end(&bench);
}

static void test_no_usable_address(void **state) {
  (void)state;
  static const uint8_t bad[][6] = {{0}, {0x01, 0, 0x5E, 0, 0, 1}, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};
  for(size_t i = 0; i < DEVICES; i++) {
    for(size_t b = 0; b < 3; b++) {
      for(int ral = 0; ral < 3; ral++) {
        struct sim_config config = unit_config(devices[i]);
        memcpy(config.mac, bad[b], 6);
        config.ral_empty = ral == 1;
        config.ral_without_av = ral == 2;
        struct sim *sim = sim_create(&config);
        struct netdev *dev;
        assert_int_equal(unit_create(sim, 0, 0, &dev), NETDEV_E_NO_ADDRESS);
        assert_null(dev);
        unit_end(sim, NULL);
      }
    }
  }
}

static void test_no_address_and_no_nvm(void **state) {
  (void)state;
  static const uint16_t with_eerd[] = {SIM_82540EM, SIM_82545EM, SIM_82574L,  SIM_82546EB, SIM_82546GB,
                                       SIM_82541EI, SIM_82547GI, SIM_82571EB, SIM_82573L,  SIM_82583V};
  for(size_t i = 0; i < sizeof(with_eerd) / sizeof(with_eerd[0]); i++) {
    struct sim_config config = unit_config(with_eerd[i]);
    config.ral_empty = true;
    config.eerd_never_done = true;
    struct sim *sim = sim_create(&config);
    struct netdev *dev;
    assert_int_equal(unit_create(sim, 0, 0, &dev), NETDEV_E_NO_ADDRESS);
    unit_end(sim, NULL);
  }
}

/* An EEPROM that is not there reads as ones. With an address in the registers the NIC works, and the checksum tells;
 * without one it is refused, after as many accesses as three words take. */
static void test_microwire_never_answers(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82544GC);
  config.microwire_never_answers = true;
  struct bench bench;
  uint16_t value = 0;
  create(&bench, &config);
  assert_memory_equal(bench.dev->permanent_mac, unit_mac, sizeof(unit_mac));
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
  sim_forget_accesses(bench.sim);
  assert_int_equal(e1000_nvm_read(bench.dev, 0, &value), NETDEV_OK);
  uint64_t word_reads = sim_reads(bench.sim);
  assert_int_equal(value, 0xFFFF);
  assert_int_equal(e1000_nvm_checksum(bench.dev, &value), NETDEV_OK);
  assert_int_equal(value, 0xFFC0); /* 64 times -1 */
  struct netdev_selftest test = {0};
  assert_int_equal(netdev_selftest(bench.dev, false, &test), NETDEV_OK);
  assert_int_equal(test.failed, 1);
  end(&bench);

  config.ral_empty = true;
  bench.sim = sim_create(&config);
  assert_int_equal(unit_create(bench.sim, 0, 0, &bench.dev), NETDEV_E_NO_ADDRESS);
  assert_int_equal(sim_logged(bench.sim, NET_LOG_WARN, "hold no station address"), 1);
  assert_true(sim_reads_of(bench.sim, E1000_EECD) <= 3U * word_reads);
  assert_true(sim_reads(bench.sim) <= 3U * word_reads + 200U);
  end(&bench);
}

/* A device that is pulled out in the middle of this must not leave an address of half its own bytes and half ones. */
static void test_address_of_a_device_that_goes(void **state) {
  (void)state;
  uint32_t wrong = 0;
  for(size_t i = 0; i < DEVICES; i++) {
    for(int ral_empty = 0; ral_empty < 2; ral_empty++) {
      for(uint64_t n = 1;; n++) {
        struct sim_config config = unit_config(devices[i]);
        config.ral_empty = ral_empty;
        config.gone_at = n;
        struct sim *sim = sim_create(&config);
        struct netdev *dev;
        int result = unit_create(sim, 0, 0, &dev);
        bool over = sim_accesses(sim) < n;
        if(result == NETDEV_OK && memcmp(dev->permanent_mac, unit_mac, 6) != 0) {
          if(wrong < 3) {
            print_message("device %04x gone at access %u: created with another address\n", devices[i], (unsigned)n);
          }
          wrong++;
        }
        unit_end(sim, dev);
        if(over) {
          break;
        }
      }
    }
  }
  assert_int_equal(wrong, 0);
}

/* PHY ------------------------------------------------------------------------------------------------------------ */

static void test_phy_read(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    struct bench bench;
    create(&bench, &config);
    uint16_t value;
    for(uint32_t reg = 0; reg < 32; reg++) {
      assert_int_equal(e1000_phy_read(bench.dev, reg, &value), NETDEV_OK);
      assert_int_equal(value, sim_phy(bench.sim, reg));
    }
    sim_forget_accesses(bench.sim);
    assert_int_equal(e1000_phy_read(bench.dev, 32, &value), NETDEV_E_INVALID);
    assert_int_equal(sim_writes(bench.sim), 0);
    sim_knobs(bench.sim)->mdic_error = true;
    assert_int_equal(e1000_phy_read(bench.dev, 2, &value), NETDEV_E_TIMEOUT);
    sim_knobs(bench.sim)->mdic_never_ready = true;
    uint64_t start = sim_now(bench.sim);
    assert_int_equal(e1000_phy_read(bench.dev, 2, &value), NETDEV_E_TIMEOUT);
    assert_in_range(sim_now(bench.sim) - start, 64, 100000);
    assert_true(sim_logged(bench.sim, NET_LOG_ERROR, "MDIC") >= 1);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK); /* a deaf PHY is no reason to give up */
    assert_true(sim_logged(bench.sim, NET_LOG_WARN, "PHY") >= 1);
    end(&bench);
  }
}

static void test_phy_is_woken(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    config.phy_powered_down = true;
    struct bench bench;
    create(&bench, &config); /* when it is created: it negotiates before anybody opens the device */
    assert_int_equal(sim_phy(bench.sim, 0) & 0x0C00U, 0);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    assert_int_equal(sim_phy(bench.sim, 0) & 0x1000U, 0x1000U);
    sim_advance(bench.sim, 100000);
    assert_int_equal(netdev_tick(bench.dev), NETDEV_OK);
    assert_true(bench.dev->link.up);
    const struct sim_write *log;
    size_t count = sim_write_log(bench.sim, &log);
    bool restarted = false;
    for(size_t w = 0; w < count; w++) {
      uint32_t phy = devices[i] == SIM_82579LM ? 2U : 1U;
      restarted |= log[w].offset == 0x20 && (log[w].value & 0x0FFF0200U) == (1U << 26 | phy << 21 | 0x200U);
    }
    assert_true(restarted);
    end(&bench);
  }
}

/* And looked at when that costs no wait: not while the PHY of a PCIe part is being set up, but afterwards. */
static void test_phy_awake_is_left_alone(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    for(int later = 0; later < 2; later++) {
      struct sim_config config = unit_config(devices[i]);
      struct bench bench;
      create(&bench, &config);
      bool in_setup = unit_nic(bench.dev)->phy_ready_us != 0;
      sim_advance(bench.sim, later ? 30000 : 0);
      assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
      assert_int_equal(sim_writes_of(bench.sim, 0x20), (in_setup ? 0 : 1) + (in_setup && !later ? 0 : 1));
      end(&bench);
    }
  }
}

/* Statistics ----------------------------------------------------------------------------------------------------- */

static uint64_t counter(struct netdev *dev, const char *name) {
  for(size_t i = 0; i < e1000_register_count; i++) {
    if(strcmp(e1000_registers[i].name, name) == 0) {
      return e1000_counter(dev, &e1000_registers[i]);
    }
  }
  fail_msg("no register %s", name);
  return 0;
}

static void exchange(struct bench *bench, uint32_t frames) {
  static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  uint8_t frame[200];
  size_t length;
  for(uint32_t i = 0; i < frames; i++) {
    unit_frame(frame, sizeof(frame), broadcast, i);
    assert_int_equal(netdev_transmit(bench->dev, frame, 100, NULL, 0), NETDEV_OK);
    assert_int_equal(sim_inject(bench->sim, frame, 200), SIM_DELIVERED);
    assert_int_equal(netdev_receive(bench->dev, frame, sizeof(frame), &length), NETDEV_OK);
  }
}

static void test_statistics_add_up(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    for(int qemu = 0; qemu < 2; qemu++) {
      struct sim_config config = unit_config(devices[i]);
      config.qemu = qemu;
      struct bench bench;
      create(&bench, &config);
      assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
      for(uint32_t round = 1; round <= 3; round++) {
        exchange(&bench, 10);
        const struct netdev_stats *stats = netdev_get_stats(bench.dev);
        assert_int_equal(counter(bench.dev, "GPTC"), 10U * round);
        assert_int_equal(counter(bench.dev, "GPRC"), 10U * round);
        assert_int_equal(counter(bench.dev, "BPRC"), 10U * round);
        assert_int_equal(counter(bench.dev, "GOTCL"), 1040U * round);
        assert_int_equal(counter(bench.dev, "GORCL"), 2040U * round);
        assert_int_equal(counter(bench.dev, "GORCH"), 0);
        assert_int_equal(stats->rx_frames, 10U * round);
        assert_int_equal(stats->rx_bytes, 2000U * round);
        assert_int_equal(stats->rx_errors, 0);
        (void)netdev_complete(bench.dev);
        assert_int_equal(stats->tx_frames, 10U * round);
        assert_int_equal(stats->tx_bytes, 1000U * round);
        assert_int_equal(stats->tx_doorbells, 10U * round);
      }
      end(&bench);
    }
  }
}

static void test_wide_pairs(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82540EM);
  struct bench bench;
  create(&bench, &config);
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
  for(uint64_t round = 1; round <= 2; round++) {
    sim_poke(bench.sim, 0x4088, 0xFFFFFFF0U);
    sim_poke(bench.sim, 0x408C, 0x12U);
    sim_poke(bench.sim, 0x40C8, 7U);
    sim_poke(bench.sim, 0x40CC, 0x80000000U);
    (void)netdev_get_stats(bench.dev);
    assert_true(counter(bench.dev, "GORCL") == round * 0x12FFFFFFF0ULL);
    assert_true(counter(bench.dev, "TOTL") == round * 0x8000000000000007ULL);
    assert_int_equal(counter(bench.dev, "GORCH"), 0);
  }
  end(&bench);
}

static void test_missed_frames(void **state) {
  (void)state;
  for(int qemu = 0; qemu < 2; qemu++) {
    struct sim_config config = unit_config(SIM_82540EM);
    config.qemu = qemu; /* MPC sticks: reading does not clear it */
    struct bench bench;
    create(&bench, &config);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    uint8_t frame[60];
    unit_frame(frame, sizeof(frame), unit_mac, 0);
    for(uint32_t i = 0; i < 255; i++) {
      assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
    }
    for(uint32_t i = 1; i <= 5; i++) {
      assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_NO_BUFFER);
      assert_int_equal(netdev_get_stats(bench.dev)->rx_missed, i);
      assert_int_equal(netdev_get_stats(bench.dev)->rx_missed, i);
    }
    netdev_close(bench.dev);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    assert_int_equal(netdev_get_stats(bench.dev)->rx_missed, 5);
    end(&bench);
  }
}

/* A later version of the model clears what sticks when it is reset: the value from before means nothing then, and
 * growth must not become minus two. */
static void test_sticky_counter_after_a_reset(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82540EM);
  config.qemu = true;
  config.reset_clears = true;
  config.no_io = true;
  struct bench bench;
  create(&bench, &config);
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
  sim_poke(bench.sim, 0x4010, 5);
  assert_int_equal(netdev_get_stats(bench.dev)->rx_missed, 5);
  netdev_close(bench.dev);
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
  sim_poke(bench.sim, 0x4010, 3);
  assert_int_equal(netdev_get_stats(bench.dev)->rx_missed, 8);
  end(&bench);
}

/* What is counted up to the close is in struct netdev_stats afterwards. */
static void test_statistics_after_close(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82574L);
  struct bench bench;
  create(&bench, &config);
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
  sim_poke(bench.sim, 0x4010, 5);
  sim_poke(bench.sim, 0x4000, 2);
  netdev_close(bench.dev);
  assert_int_equal(counter(bench.dev, "MPC"), 5);
  assert_int_equal(netdev_get_stats(bench.dev)->rx_missed, 5);
  assert_int_equal(netdev_get_stats(bench.dev)->rx_crc_errors, 2);
  end(&bench);
}

/* All ones from a device that has been removed are not counts. */
static void test_statistics_of_a_removed_device(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82540EM);
  struct bench bench;
  create(&bench, &config);
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
  exchange(&bench, 3);
  sim_knobs(bench.sim)->gone = true;
  assert_int_equal(netdev_get_stats(bench.dev)->rx_missed, 0);
  netdev_close(bench.dev); /* nobody has noticed the removal yet */
  assert_in_range(counter(bench.dev, "GPRC"), 0, 3);
  assert_int_equal(counter(bench.dev, "MPC"), 0);
  end(&bench);
}

/* Register rows -------------------------------------------------------------------------------------------------- */

static void test_register_rows(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82540EM);
  struct bench bench;
  create(&bench, &config);
  uint32_t counters = 0;
  for(size_t i = 0; i < e1000_register_count; i++) {
    const struct e1000_register *reg = &e1000_registers[i];
    assert_true(reg->name[0] && memchr(reg->name, '\0', sizeof(reg->name)));
    struct netdev_row row = {.group = NETDEV_ROWS_REGISTERS, .offset = reg->offset};
    e1000_describe(&(struct net_device_id){.vendor_id = E1000_VENDOR_ID, .device_id = SIM_82540EM}, &row);
    assert_true(row.section[0] && row.text[0]);
    assert_true(reg->count > 0 && reg->families != 0 && (reg->families & ~0x1FFU) == 0);
    assert_true(reg->offset % 4U == 0 && reg->stride % 4U == 0);
    assert_true(reg->offset + (reg->count - 1U) * reg->stride < E1000_BAR0_MIN_SIZE);
    bool expected = reg->access == E1000_RC && reg->offset >= 0x4000 && reg->offset < 0x4128;
    assert_int_equal(e1000_is_counter(reg), expected);
    assert_int_equal(e1000_has_register(bench.dev, reg), (reg->families & E1000_FAMILY_8254X) != 0);
    counters += expected;
    if(reg->access == E1000_RW && reg->offset >= 0x5200 && reg->offset < 0x5800) {
      for(uint32_t n = 0; n < reg->count; n++) {
        sim_poke(bench.sim, reg->offset + n * reg->stride, 0xC0000000U + n);
        assert_int_equal(e1000_register_read(bench.dev, reg, n), 0xC0000000U + n);
      }
    }
  }
  assert_true(counters > 50);
  end(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_word),
      cmocka_unit_test(test_checksum),
      cmocka_unit_test(test_eerd_never_done),
      cmocka_unit_test(test_address_from_the_nvm),
      cmocka_unit_test(test_registers_have_the_say),
      cmocka_unit_test(test_no_usable_address),
      cmocka_unit_test(test_no_address_and_no_nvm),
      cmocka_unit_test(test_microwire_never_answers),
      cmocka_unit_test(test_address_of_a_device_that_goes),
      cmocka_unit_test(test_phy_read),
      cmocka_unit_test(test_phy_is_woken),
      cmocka_unit_test(test_phy_awake_is_left_alone),
      cmocka_unit_test(test_statistics_add_up),
      cmocka_unit_test(test_wide_pairs),
      cmocka_unit_test(test_missed_frames),
      cmocka_unit_test(test_sticky_counter_after_a_reset),
      cmocka_unit_test(test_statistics_after_close),
      cmocka_unit_test(test_statistics_of_a_removed_device),
      cmocka_unit_test(test_register_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
