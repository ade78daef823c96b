/* test_e1000_hw.c - tests of reset, start, filters and link over the simulator. */
#include "unit.h"

static const uint16_t devices[] = {SIM_EVERY_PART};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))

static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

struct bench {
  struct sim *sim;
  struct netdev *dev;
};

static void create(struct bench *bench, const struct sim_config *config) {
  bench->sim = sim_create(config);
  assert_int_equal(unit_create(bench->sim, 0, 0, &bench->dev), NETDEV_OK);
  unit_check(bench->sim, bench->dev);
}

static void create_open(struct bench *bench, uint16_t device_id) {
  struct sim_config config = unit_config(device_id);
  create(bench, &config);
  assert_int_equal(netdev_open(bench->dev), NETDEV_OK);
  unit_check(bench->sim, bench->dev);
}

static void end(struct bench *bench) {
  unit_end(bench->sim, bench->dev);
}

/* Where in the write log, from `from` on, the bits of `mask` in `offset` are first written as in `value`. */
static size_t find_write(const struct sim *sim, size_t from, uint32_t offset, uint32_t mask, uint32_t value) {
  const struct sim_write *log;
  size_t count = sim_write_log(sim, &log);
  for(size_t i = from; i < count; i++) {
    if(log[i].offset == offset && (log[i].value & mask) == value) {
      return i;
    }
  }
  return SIZE_MAX;
}

static uint64_t time_of_write(const struct sim *sim, size_t index) {
  const struct sim_write *log;
  assert_true(index < sim_write_log(sim, &log));
  return log[index].at_us;
}

/* Create --------------------------------------------------------------------------------------------------------- */

static const char *model_name(uint16_t vendor_id, uint16_t device_id) {
  const struct net_device_id id = {.vendor_id = vendor_id, .device_id = device_id};
  const struct net_model *model = e1000_driver.match(&id);
  return model ? model->name : NULL;
}

static void test_create_is_quiet(void **state) {
  (void)state;
  static const char *const names[] = {"82540EM", "82544GC", "82545EM", "82574L",  "82546EB",
                                      "82546GB", "82541EI", "82541GI", "82547EI", "82547GI",
                                      "82571EB", "82572EI", "82573L",  "82583V",  "82579LM"};
  for(size_t i = 0; i < DEVICES; i++) {
    for(int qemu = 0; qemu < 2; qemu++) {
      struct sim_config config = unit_config(devices[i]);
      config.qemu = qemu;
      struct bench bench;
      create(&bench, &config);
      assert_string_equal(bench.dev->model, names[i]);
      assert_string_equal(model_name(0x8086, devices[i]), names[i]);
      assert_memory_equal(bench.dev->mac, unit_mac, 6);
      assert_memory_equal(bench.dev->permanent_mac, unit_mac, 6);
      assert_int_equal(bench.dev->state, NETDEV_CLOSED);
      assert_string_equal(bench.dev->name, "");
      assert_int_equal(sim_peek(bench.sim, 0x100) & 2U, 0); /* RCTL.EN */
      assert_int_equal(sim_peek(bench.sim, 0x400) & 2U, 0); /* TCTL.EN */
      assert_true(find_write(bench.sim, 0, 0xD8, UINT32_MAX, UINT32_MAX) != SIZE_MAX);
      assert_int_equal(sim_peek(bench.sim, 0xD0), 0);
      assert_int_equal(sim_inject(bench.sim, unit_mac, 6), SIM_DEAF);
      assert_int_equal(sim_leaks(bench.sim), 1 + 2 * 3);
      end(&bench);
    }
  }
}

static void test_create_arguments(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82540EM);
  struct sim *sim = sim_create(&config);
  struct net_platform platform = *sim_platform(sim);
  struct net_config good = {.id = {.vendor_id = 0x8086, .device_id = 0x100E}};
  struct netdev *dev = NULL;
  assert_int_equal(e1000_create(NULL, &good, &dev), NETDEV_E_INVALID);
  assert_int_equal(e1000_create(&platform, NULL, &dev), NETDEV_E_INVALID);
  assert_int_equal(e1000_create(&platform, &good, NULL), NETDEV_E_INVALID);
  platform.version = NET_PLATFORM_VERSION + 1U;
  assert_int_equal(e1000_create(&platform, &good, &dev), NETDEV_E_INVALID);
  platform.version = NET_PLATFORM_VERSION;
  platform.size--;
  assert_int_equal(e1000_create(&platform, &good, &dev), NETDEV_E_INVALID);

  static const uint16_t unknown[][2] = {{0x8086, 0x1000}, {0x8086, 0}, {0x8087, 0x100E}, {0, 0}, {0x8086, 0x10D4}};
  for(size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
    struct net_config bad = {.id = {.vendor_id = unknown[i][0], .device_id = unknown[i][1]}};
    assert_int_equal(e1000_create(sim_platform(sim), &bad, &dev), NETDEV_E_UNSUPPORTED);
    assert_null(model_name(unknown[i][0], unknown[i][1]));
  }
  static const uint32_t sizes[] = {1, 4, 7, 100, 8192, UINT32_MAX};
  for(size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    assert_int_equal(unit_create(sim, sizes[i], 0, &dev), NETDEV_E_INVALID);
    assert_int_equal(unit_create(sim, 0, sizes[i], &dev), NETDEV_E_INVALID);
  }
  assert_null(dev);
  assert_int_equal(sim_leaks(sim), 0);
  assert_int_equal(sim_accesses(sim), 0); /* none of this touched the device */
  netdev_destroy(NULL);
  unit_end(sim, NULL);
}

/* Reset ---------------------------------------------------------------------------------------------------------- */

/* Over a device that an earlier owner left running. */
static void create_over_leftovers(struct bench *bench, const struct sim_config *config) {
  bench->sim = sim_create(config);
  sim_leave_behind(bench->sim);
  assert_int_equal(unit_create(bench->sim, 0, 0, &bench->dev), NETDEV_OK);
}

static void test_reset_order_8254x(void **state) {
  (void)state;
  for(size_t i = 0; i < 3; i++) { /* the first three; the others' resets are in test_e1000_parts */
    for(int no_io = 0; no_io < 2; no_io++) {
      struct sim_config config = unit_config(devices[i]);
      config.no_io = no_io;
      struct bench bench;
      create_over_leftovers(&bench, &config);
      size_t imc = find_write(bench.sim, 0, 0xD8, UINT32_MAX, UINT32_MAX);
      size_t rctl = find_write(bench.sim, imc, 0x100, UINT32_MAX, 0);
      size_t tctl = find_write(bench.sim, rctl, 0x400, 2, 0);
      size_t reset = find_write(bench.sim, tctl, 0x0, 1U << 26, 1U << 26);
      size_t again = find_write(bench.sim, reset, 0xD8, UINT32_MAX, UINT32_MAX);
      assert_true(again != SIZE_MAX); /* so the whole chain was found, in this order */
      assert_int_equal(imc, 0);
      assert_true(find_write(bench.sim, 0, 0x0, 1U << 26, 1U << 26) == reset);
      assert_true(time_of_write(bench.sim, reset) - time_of_write(bench.sim, tctl) >= 10000);
      assert_true(time_of_write(bench.sim, again) - time_of_write(bench.sim, reset) >= 5000);
      assert_int_equal(sim_io_writes(bench.sim), no_io ? 0 : 1);
      assert_true(sim_reads_of(bench.sim, 0xC0) >= 1); /* ICR is cleared by reading */
      end(&bench);
    }
  }
}

static void test_reset_order_82574(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82574L);
  struct bench bench;
  create_over_leftovers(&bench, &config);
  size_t imc = find_write(bench.sim, 0, 0xD8, UINT32_MAX, UINT32_MAX);
  size_t master = find_write(bench.sim, imc, 0x0, 1U << 2 | 1U << 26, 1U << 2);
  size_t tctl = find_write(bench.sim, master, 0x400, 2, 0);
  size_t own = find_write(bench.sim, tctl, 0xF00, 1U << 5, 1U << 5);
  size_t reset = find_write(bench.sim, own, 0x0, 1U << 26, 1U << 26);
  size_t disown = find_write(bench.sim, reset, 0xF00, 1U << 5, 0);
  size_t again = find_write(bench.sim, disown, 0xD8, UINT32_MAX, UINT32_MAX);
  assert_true(again != SIZE_MAX);
  assert_int_equal(sim_io_writes(bench.sim), 0);
  assert_true(time_of_write(bench.sim, reset) - time_of_write(bench.sim, tctl) >= 10000);
  assert_true(find_write(bench.sim, 0, 0x5B50, 3, 0) != SIZE_MAX); /* SWSM is released */
  /* RCTL.EN of a running 82574 must not be cleared before the reset. */
  assert_true(find_write(bench.sim, 0, 0x100, 0, 0) > reset);
  end(&bench);
}

static void test_reset_that_never_ends(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    config.reset_never_ends = true;
    struct sim *sim = sim_create(&config);
    struct netdev *dev;
    uint64_t start = sim_now(sim);
    assert_int_equal(unit_create(sim, 0, 0, &dev), NETDEV_E_TIMEOUT);
    assert_null(dev);
    assert_true(sim_now(sim) - start < 300000);
    assert_true(sim_logged(sim, NET_LOG_ERROR, "CTRL.RST") >= 1);
    unit_end(sim, NULL);
  }
}

static void test_open_with_a_reset_that_never_ends(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct bench bench;
    create_open(&bench, devices[i]);
    sim_knobs(bench.sim)->reset_never_ends = true;
    netdev_close(bench.dev);
    assert_int_equal(sim_peek(bench.sim, 0x100) & 2U, 0);
    uint64_t start = sim_now(bench.sim);
    assert_int_equal(netdev_open(bench.dev), NETDEV_E_TIMEOUT); /* the reset of close will not do */
    assert_int_equal(bench.dev->state, NETDEV_CLOSED);
    assert_true(sim_now(bench.sim) - start < 500000);
    sim_knobs(bench.sim)->reset_never_ends = false;
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    end(&bench);
  }
}

static void test_slow_parts_of_the_82574_are_survived(void **state) {
  (void)state;
  static const char *const messages[] = {"GIO_MASTER_ENABLE", "MDIO_SW_OWNERSHIP", "AUTO_RD"};
  static const enum net_log_level levels[] = {NET_LOG_ERROR, NET_LOG_WARN, NET_LOG_ERROR};
  for(int fault = 0; fault < 3; fault++) {
    struct sim_config config = unit_config(SIM_82574L);
    config.master_never_off = fault == 0;
    config.mdio_never_owned = fault == 1;
    config.auto_read_never = fault == 2;
    struct bench bench;
    create(&bench, &config);
    assert_true(sim_logged(bench.sim, levels[fault], messages[fault]) >= 1);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    unit_check(bench.sim, bench.dev);
    end(&bench);
  }
}

static void test_leftovers_are_cleared(void **state) {
  (void)state;
  static const uint32_t zero[] = {0x100,  0xD0,   0x2800, 0x2804, 0x2808, 0x2810, 0x2818,
                                  0x3800, 0x3804, 0x3808, 0x3810, 0x3818, 0x2820, 0x3820};
  for(size_t i = 0; i < DEVICES; i++) {
    for(int qemu = 0; qemu < 2; qemu++) {
      struct sim_config config = unit_config(devices[i]);
      config.qemu = qemu;
      struct sim *sim = sim_create(&config);
      sim_leave_behind(sim);
      struct netdev *dev;
      assert_int_equal(unit_create(sim, 0, 0, &dev), NETDEV_OK);
      for(size_t z = 0; z < sizeof(zero) / sizeof(zero[0]); z++) {
        assert_int_equal(sim_peek(sim, zero[z]), 0);
      }
      for(uint32_t n = 0; n < 128; n++) {
        assert_int_equal(sim_peek(sim, 0x5200 + 4U * n) | sim_peek(sim, 0x5600 + 4U * n), 0);
      }
      bool pch = devices[i] == SIM_82579LM; /* which has one receive address for us */
      for(uint32_t n = 1; n < 15; n++) {
        assert_int_equal(sim_peek(sim, 0x5404 + 8U * n), 0);
      }
      bool since_82540 = devices[i] != SIM_82544GC;
      bool arp = since_82540 && sim_platform(sim)->bar[2].kind == NET_BAR_NONE;   /* PCI */
      assert_int_equal(sim_peek(sim, 0x282C), since_82540 || !qemu ? 0 : 200);    /* RADV */
      assert_int_equal(sim_peek(sim, 0x382C), since_82540 || !qemu ? 0 : 400);    /* TADV */
      assert_int_equal(sim_peek(sim, 0x5820), arp || !qemu ? 0 : 0x2000U);        /* MANC.ARP_EN */
      assert_int_equal(sim_peek(sim, 0x547C), qemu && !pch ? 0x8000000FU : 0);    /* RAH15 */
      assert_true(devices[i] != SIM_82574L || (sim_peek(sim, 0x5B50) & 3U) == 0); /* SWSM */
      /* At its factory setting, and not as somebody armed it: neither is ours. */
      assert_int_equal(sim_peek(sim, 0x5800), 3);
      assert_int_equal(sim_peek(sim, 0x5808), 0xF);
      assert_int_equal(sim_peek(sim, 0x400) & 2U, 0);
      assert_int_equal(sim_inject(sim, broadcast, 6), SIM_DEAF);
      assert_int_equal(netdev_open(dev), NETDEV_OK);
      uint8_t frame[60];
      unit_frame(frame, sizeof(frame), broadcast, 1);
      assert_int_equal(sim_inject(sim, frame, sizeof(frame)), SIM_DELIVERED);
      assert_int_equal(sim_peek(sim, 0x100) & 0x18U, 0); /* not promiscuous any more */
      assert_int_equal(sim_peek(sim, 0x0) & 0x40001880U, 0);
      unit_end(sim, dev);
    }
  }
}

/* Start ---------------------------------------------------------------------------------------------------------- */

static void test_start_order(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    struct bench bench;
    create(&bench, &config);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    const struct e1000 *nic = unit_nic(bench.dev);
    size_t reset = find_write(bench.sim, 0, devices[i] == SIM_82546GB ? 0x4 : 0x0, 1U << 26, 1U << 26);
    uint32_t low = (uint32_t)nic->tx.descriptors.device;
    size_t base = find_write(bench.sim, reset, 0x3800, UINT32_MAX, low);
    size_t length = find_write(bench.sim, base, 0x3808, UINT32_MAX, 4096);
    size_t tctl = find_write(bench.sim, length, 0x400, 2, 2);
    low = (uint32_t)nic->rx.descriptors.device;
    base = find_write(bench.sim, reset, 0x2800, UINT32_MAX, low);
    size_t rx_length = find_write(bench.sim, base, 0x2808, UINT32_MAX, 4096);
    size_t rctl = find_write(bench.sim, rx_length, 0x100, 2, 2);
    size_t tail = find_write(bench.sim, rctl, 0x2818, UINT32_MAX, 255);
    assert_true(reset < base && tctl != SIZE_MAX && tail != SIZE_MAX);
    /* Every write of RCTL may cost a second of deafness: from the first access on, one is enough. */
    assert_int_equal(sim_writes_of(bench.sim, 0x100), 1);
    assert_int_equal(sim_peek(bench.sim, 0x2804), nic->rx.descriptors.device >> 32);
    assert_int_equal(sim_peek(bench.sim, 0x3804), nic->tx.descriptors.device >> 32);
    assert_int_equal(sim_peek(bench.sim, 0x100), 0x04008002U); /* SECRC, BAM, EN, 2048 bytes, nothing else */
    assert_int_equal(sim_peek(bench.sim, 0x400) & ~0x10000000U,
                     0x010400FAU); /* MULR as it was; RTLC, COLD 40h, CT 0Fh, PSP, EN */
    bool keeps = devices[i] == SIM_82579LM;
    assert_int_equal(sim_peek(bench.sim, 0x410), keeps ? 0 : 0x00602008U); /* TIPG: 8, 8, 6 */
    assert_int_equal(sim_peek(bench.sim, 0x0) & 0x40U, 0x40U);             /* CTRL.SLU */
    assert_int_equal(sim_peek(bench.sim, 0x3828) & 0x013F0000U, devices[i] == SIM_82544GC ? 0U : 0x01010000U);
    assert_int_equal(sim_peek(bench.sim, 0xD0), 0);
    end(&bench);
  }
}

static void test_82574_bits(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82574L);
  config.qemu = true; /* keeps what is poked across the reset */
  struct bench bench;
  create(&bench, &config);
  sim_poke(bench.sim, 0x18, 1U << 23);
  sim_poke(bench.sim, 0x3840, 0x78000000U);
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
  assert_int_equal(sim_peek(bench.sim, 0x18) & (1U << 22 | 1U << 23 | 1U << 28), 1U << 22 | 1U << 28);
  assert_int_equal(sim_peek(bench.sim, 0x3840) & 0x7C000000U, 0x04000000U);
  assert_true(sim_peek(bench.sim, 0x5B00) & 1U << 22);
  assert_true(sim_peek(bench.sim, 0x5B64) & 1U);
  assert_true(sim_peek(bench.sim, 0x3828) & 1U << 22);
  assert_int_equal(sim_peek(bench.sim, 0x0) & (1U << 29 | 1U << 5 | 1U << 2), 0);
  assert_true(sim_peek(bench.sim, 0x5008) & 1U << 12);
  netdev_close(bench.dev);
  assert_int_equal(sim_peek(bench.sim, 0x18) & 1U << 28, 0); /* DRV_LOAD */
  end(&bench);
}

static void test_open_takes_a_bounded_time(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    struct bench bench;
    create(&bench, &config);
    uint64_t start = sim_now(bench.sim);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    assert_true(sim_now(bench.sim) - start <= 200000);
    end(&bench);
  }
}

/* Filters -------------------------------------------------------------------------------------------------------- */

static const uint8_t groups[][6] = {
    {0x01, 0x00, 0x5E, 0x00, 0x00, 0x01}, /* hash 010h: MTA[0] bit 16   */
    {0x01, 0x00, 0x5E, 0x7F, 0xFF, 0xFA}, /* hash FAFh: MTA[125] bit 15 */
    {0x01, 0x80, 0xC2, 0x00, 0x00, 0x0E}, /* hash 0E0h: MTA[7] bit 0    */
    {0x33, 0x33, 0xFF, 0x12, 0x34, 0x56}, /* hash 563h: MTA[43] bit 3   */
};

static void test_hash(void **state) {
  (void)state;
  static const uint8_t example[6] = {0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC}; /* SDM 13.5.1's own */
  assert_int_equal(e1000_multicast_hash(example), 0xBC9);
  static const uint32_t expected[] = {0x010, 0xFAF, 0x0E0, 0x563};
  for(size_t i = 0; i < 4; i++) {
    assert_int_equal(e1000_multicast_hash(groups[i]), expected[i]);
  }
}

static void test_multicast_touches_the_table_only(void **state) {
  (void)state;
  struct bench bench;
  create_open(&bench, SIM_82540EM);
  sim_forget_accesses(bench.sim);
  uint32_t flags = NETDEV_FILTER_UNICAST | NETDEV_FILTER_BROADCAST | NETDEV_FILTER_MULTICAST;
  assert_int_equal(netdev_set_filter(bench.dev, flags, groups, 4), NETDEV_OK);
  assert_int_equal(sim_writes(bench.sim), 4);
  assert_int_equal(sim_reads(bench.sim), 0);
  assert_int_equal(sim_peek(bench.sim, 0x5200), 1U << 16);
  assert_int_equal(sim_peek(bench.sim, 0x5200 + 4 * 125), 1U << 15);
  assert_int_equal(sim_peek(bench.sim, 0x5200 + 4 * 7), 1U << 0);
  assert_int_equal(sim_peek(bench.sim, 0x5200 + 4 * 43), 1U << 3);
  assert_int_equal(netdev_set_filter(bench.dev, flags, groups, 4), NETDEV_OK);
  assert_int_equal(sim_writes(bench.sim), 4);
  assert_int_equal(netdev_set_filter(bench.dev, flags, groups, 3), NETDEV_OK);
  assert_int_equal(sim_writes(bench.sim), 5);
  assert_int_equal(sim_peek(bench.sim, 0x5200 + 4 * 43), 0);
  assert_int_equal(netdev_set_filter(bench.dev, NETDEV_FILTER_ALL_MULTICAST, NULL, 0), NETDEV_OK);
  assert_int_equal(sim_writes(bench.sim), 5 + 128);
  assert_int_equal(netdev_set_filter(bench.dev, 0, NULL, 0), NETDEV_OK);
  assert_int_equal(sim_writes_of(bench.sim, 0x100), 0);
  end(&bench);
}

static void test_promiscuous_writes_rctl_once(void **state) {
  (void)state;
  struct bench bench;
  create_open(&bench, SIM_82574L);
  sim_forget_accesses(bench.sim);
  uint32_t rctl = sim_peek(bench.sim, 0x100);
  assert_int_equal(netdev_set_filter(bench.dev, NETDEV_FILTER_PROMISCUOUS, NULL, 0), NETDEV_OK);
  assert_int_equal(netdev_set_filter(bench.dev, NETDEV_FILTER_PROMISCUOUS, NULL, 0), NETDEV_OK);
  assert_int_equal(sim_writes_of(bench.sim, 0x100), 1);
  assert_int_equal(sim_peek(bench.sim, 0x100), rctl | 8U);
  assert_int_equal(netdev_set_filter(bench.dev, NETDEV_FILTER_UNICAST, NULL, 0), NETDEV_OK);
  assert_int_equal(sim_writes_of(bench.sim, 0x100), 2);
  assert_int_equal(sim_peek(bench.sim, 0x100), rctl);
  end(&bench);
}

static enum sim_delivery arrives(struct bench *bench, const uint8_t to[6]) {
  uint8_t frame[64];
  unit_frame(frame, sizeof(frame), to, 1);
  enum sim_delivery result = sim_inject(bench->sim, frame, sizeof(frame));
  size_t length;
  uint8_t buffer[64];
  int received = netdev_receive(bench->dev, buffer, sizeof(buffer), &length);
  assert_int_equal(received, result == SIM_DELIVERED ? NETDEV_OK : NETDEV_E_EMPTY);
  return result;
}

static void test_what_arrives(void **state) {
  (void)state;
  static const uint8_t other[6] = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC4};
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    struct bench bench;
    create(&bench, &config);
    /* set while closed, in force at the open */
    assert_int_equal(netdev_set_filter(bench.dev, 0x7, groups, 1), NETDEV_OK);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    assert_int_equal(arrives(&bench, unit_mac), SIM_DELIVERED);
    assert_int_equal(arrives(&bench, broadcast), SIM_DELIVERED);
    assert_int_equal(arrives(&bench, groups[0]), SIM_DELIVERED);
    assert_int_equal(arrives(&bench, groups[1]), SIM_FILTERED);
    assert_int_equal(arrives(&bench, other), SIM_FILTERED);
    assert_int_equal(netdev_set_filter(bench.dev, NETDEV_FILTER_ALL_MULTICAST, NULL, 0), NETDEV_OK);
    assert_int_equal(arrives(&bench, groups[1]), SIM_DELIVERED);
    assert_int_equal(arrives(&bench, other), SIM_FILTERED);
    assert_int_equal(netdev_set_filter(bench.dev, NETDEV_FILTER_PROMISCUOUS, NULL, 0), NETDEV_OK);
    assert_int_equal(arrives(&bench, groups[2]), SIM_DELIVERED);
    assert_int_equal(arrives(&bench, other), SIM_DELIVERED);
    assert_int_equal(netdev_set_filter(bench.dev, NETDEV_FILTER_UNICAST, NULL, 0), NETDEV_OK);
    assert_int_equal(netdev_set_mac(bench.dev, other), NETDEV_OK);
    assert_int_equal(arrives(&bench, other), SIM_DELIVERED);
    assert_int_equal(arrives(&bench, unit_mac), SIM_FILTERED);
    netdev_close(bench.dev);
    assert_int_equal(sim_peek(bench.sim, 0x5400), 0xA1005452U); /* the permanent address is back */
    assert_int_equal(sim_peek(bench.sim, 0x5404), 0x8000C3B2U);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK); /* and the other one is kept for the next open */
    assert_int_equal(arrives(&bench, other), SIM_DELIVERED);
    end(&bench);
  }
}

/* Link ----------------------------------------------------------------------------------------------------------- */

static void test_decode_link(void **state) {
  (void)state;
  struct netdev_link link = e1000_decode_link(0x00080783);
  assert_true(link.up && link.full_duplex && link.speed_mbps == 1000);
  link = e1000_decode_link(0x02);
  assert_true(link.up && !link.full_duplex && link.speed_mbps == 10);
  link = e1000_decode_link(0x43);
  assert_true(link.up && link.full_duplex && link.speed_mbps == 100);
  link = e1000_decode_link(0xC3);
  assert_int_equal(link.speed_mbps, 1000);
  link = e1000_decode_link(0x81);
  assert_true(!link.up && !link.full_duplex && link.speed_mbps == 0);
  link = e1000_decode_link(UINT32_MAX);
  assert_true(!link.up && link.speed_mbps == 0);
}

static void test_link_changes_are_reported(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82540EM);
  config.link_down = true;
  struct bench bench;
  create(&bench, &config);
  struct unit_client client;
  unit_client_init(&client, bench.dev, false);
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK); /* does not wait for a link */
  assert_false(bench.dev->link.up);
  sim_knobs(bench.sim)->link_down = false;
  sim_advance(bench.sim, 60000);
  assert_int_equal(netdev_tick(bench.dev), NETDEV_OK);
  assert_true(bench.dev->link.up && client.link.up && client.links == 1);
  sim_knobs(bench.sim)->link_down = true;
  sim_advance(bench.sim, 60000);
  assert_int_equal(netdev_tick(bench.dev), NETDEV_OK);
  assert_true(!bench.dev->link.up && client.links == 2);
  assert_int_equal(bench.dev->stats.link_changes, 2);
  end(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_create_is_quiet),
      cmocka_unit_test(test_create_arguments),
      cmocka_unit_test(test_reset_order_8254x),
      cmocka_unit_test(test_reset_order_82574),
      cmocka_unit_test(test_reset_that_never_ends),
      cmocka_unit_test(test_open_with_a_reset_that_never_ends),
      cmocka_unit_test(test_slow_parts_of_the_82574_are_survived),
      cmocka_unit_test(test_leftovers_are_cleared),
      cmocka_unit_test(test_start_order),
      cmocka_unit_test(test_82574_bits),
      cmocka_unit_test(test_open_takes_a_bounded_time),
      cmocka_unit_test(test_hash),
      cmocka_unit_test(test_multicast_touches_the_table_only),
      cmocka_unit_test(test_promiscuous_writes_rctl_once),
      cmocka_unit_test(test_what_arrives),
      cmocka_unit_test(test_decode_link),
      cmocka_unit_test(test_link_changes_are_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
