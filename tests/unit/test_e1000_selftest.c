/* test_e1000_selftest.c - the self-test notices each damage that it looks for, and puts back what it touched. */
#include <stdio.h>

#include "unit.h"

static const uint16_t devices[] = {SIM_EVERY_CARD};
#define DEVICES     (sizeof(devices) / sizeof(devices[0]))
#define CHECKS      6U /* registers (2), NVM, PHY, interrupts, link */
#define LOOPS       7U /* and so many lengths in loopback, until one fails */
#define CHECKS_MAX  16U
#define PHY_CONTROL 0U
#define PHY_M88     16U
#define MDIC_WRITE  0x04000000U /* opcode, SDM 13.4.7 */

/* A device between whose registers and the driver something may be broken. */
struct bench {
  struct sim *sim;
  struct netdev *dev;
  struct net_platform platform;
  struct unit_client client;
  struct netdev_selftest test;
  const char *name[CHECKS_MAX];
  bool passed[CHECKS_MAX];
  uint32_t value[CHECKS_MAX];
  uint32_t bad_register; /* reads of it ...             */
  uint32_t stuck;        /* ... have these bits flipped */
  bool status_writable;  /* a write to STATUS takes the link down */
  uint16_t bad_length;   /* frames of this length come back ... */
  uint32_t bad_byte;     /* ... with this byte changed          */
  uint32_t phy_writes;   /* so far; and the one that fails      */
  uint32_t phy_write_fails_at;
};

static struct bench *running;

static uint32_t read32(void *ctx, uint32_t bar, uint32_t offset) {
  uint32_t value = sim_platform(running->sim)->read32(ctx, bar, offset);
  return offset == running->bad_register ? value ^ running->stuck : value;
}

static void damage(struct bench *bench) {
  size_t length;
  if(bench->bad_length == 0 || sim_frames(bench->sim) == 0) {
    return;
  }
  (void)sim_frame(bench->sim, sim_frames(bench->sim) - 1U, &length);
  const struct e1000_ring *ring = &unit_nic(bench->dev)->rx;
  if(length == bench->bad_length) {
    ring->slot[ring->head & ring->mask].buffer[bench->bad_byte] ^= 1U;
  }
}

static void write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  bool fails = offset == E1000_MDIC && (value & MDIC_WRITE) && ++running->phy_writes == running->phy_write_fails_at;
  sim_knobs(running->sim)->mdic_error |= fails;
  sim_platform(running->sim)->write32(ctx, bar, offset, value);
  if(fails) {
    sim_knobs(running->sim)->mdic_error = false;
  }
  if(offset == E1000_STATUS && running->status_writable) {
    sim_knobs(running->sim)->link_down = true;
  }
  if(offset == E1000_TDT) {
    damage(running);
  }
}

static void report(void *ctx, const char *name, bool passed, uint32_t value) {
  struct bench *bench = ctx;
  uint32_t i = bench->test.run - 1U;
  assert_in_range(i, 0, CHECKS_MAX - 1U);
  bench->name[i] = name;
  bench->passed[i] = passed;
  bench->value[i] = value;
}

static void begin(struct bench *bench, uint16_t device_id, bool open) {
  struct sim_config config = unit_config(device_id);
  memset(bench, 0, sizeof(*bench));
  bench->sim = sim_create(&config);
  bench->platform = *sim_platform(bench->sim);
  bench->platform.read32 = read32;
  bench->platform.write32 = write32;
  bench->bad_register = UINT32_MAX;
  running = bench;
  const struct net_config wanted = {.id = {.vendor_id = E1000_VENDOR_ID, .device_id = device_id}};
  assert_int_equal(e1000_driver.create(&bench->platform, &wanted, &bench->dev), NETDEV_OK);
  unit_client_init(&bench->client, bench->dev, true);
  if(open) {
    assert_int_equal(netdev_open(bench->dev), NETDEV_OK);
  }
}

static void run(struct bench *bench, bool loopback) {
  bench->test = (struct netdev_selftest){.report = report, .ctx = bench};
  assert_int_equal(netdev_selftest(bench->dev, loopback, &bench->test), NETDEV_OK);
  if(bench->test.failed == 0 || !loopback) {
    assert_int_equal(bench->test.run, loopback ? CHECKS + LOOPS : CHECKS);
  } else {
    assert_in_range(bench->test.run, CHECKS + 1U, CHECKS + LOOPS);
  }
}

/* One check fails, that one, and says why. */
static void expect_failed(const struct bench *bench, const char *name, uint32_t value) {
  assert_int_equal(bench->test.failed, 1);
  for(uint32_t i = 0; i < bench->test.run; i++) {
    assert_int_equal(bench->passed[i], strstr(bench->name[i], name) == NULL);
    if(!bench->passed[i]) {
      assert_int_equal(bench->value[i], value);
    }
  }
}

static void end(struct bench *bench) {
  bench->bad_register = UINT32_MAX;
  bench->bad_length = 0;
  unit_check(bench->sim, bench->dev);
  unit_end(bench->sim, bench->dev);
}

/* What it notices ------------------------------------------------------------------------------------------------ */

static void test_sound(void **state) {
  (void)state;
  for(size_t i = 0; i < 2U * DEVICES; i++) {
    struct bench bench;
    begin(&bench, devices[i / 2U], i % 2U);
    run(&bench, true);
    assert_int_equal(bench.test.failed, 0);
    assert_true(i % 2U == 0 || strstr(bench.name[5], "link: up"));
    run(&bench, false);
    assert_int_equal(bench.test.failed, 0);
    bench.test.report = NULL; /* nobody need be told */
    bench.test.failed = 7;    /* of an earlier one     */
    assert_int_equal(netdev_selftest(bench.dev, true, &bench.test), NETDEV_OK);
    assert_int_equal(bench.test.run, CHECKS + LOOPS);
    assert_int_equal(bench.test.failed, 0);
    end(&bench);
  }
}

/* One bit of one word that reads wrong in each of the four patterns. */
static void test_registers(void **state) {
  (void)state;
  static const uint32_t words[] = {0, 1, 63, 127};
  for(size_t i = 0; i < DEVICES * 4U; i++) {
    struct bench bench;
    begin(&bench, devices[i / 4U], true);
    bench.bad_register = E1000_VFTA + 4U * words[i % 4U];
    bench.stuck = 1U << 8U * (i % 4U);
    run(&bench, false);
    expect_failed(&bench, "VFTA", 4);
    end(&bench);
  }
}

static void test_status(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM, true);
  uint32_t before = sim_platform(bench.sim)->read32(bench.sim, 0, E1000_STATUS);
  bench.status_writable = true;
  run(&bench, false);
  expect_failed(&bench, "STATUS", before);
  assert_non_null(strstr(bench.name[5], "link: down")); /* no fault of the hardware's */
  assert_true(bench.passed[5]);
  end(&bench);
}

static void test_nvm(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct bench bench;
    begin(&bench, devices[i], false);
    sim_set_nvm(bench.sim, 0x20, (uint16_t)(sim_nvm(bench.sim, 0x20) + 1U));
    run(&bench, false);
    expect_failed(&bench, "NVM", E1000_NVM_CHECKSUM_SUM + 1U);
    sim_set_nvm(bench.sim, 0x20, (uint16_t)(sim_nvm(bench.sim, 0x20) - 1U));
    run(&bench, false);
    assert_int_equal(bench.test.failed, 0);
    end(&bench);
  }
}

/* One that does not answer; one whose identifier is that of a bus with nobody on it. */
static void test_phy(void **state) {
  (void)state;
  static const uint16_t id[] = {0x0000, 0xFFFF};
  struct bench bench;
  begin(&bench, SIM_82574L, false);
  sim_knobs(bench.sim)->mdic_error = true;
  run(&bench, false);
  assert_int_equal(bench.test.failed, 1);
  assert_false(bench.passed[3]);
  assert_non_null(strstr(bench.name[3], "PHY"));
  sim_knobs(bench.sim)->mdic_error = false;
  end(&bench);
  for(size_t i = 0; i < 2; i++) {
    begin(&bench, SIM_82540EM, false);
    sim_set_phy(bench.sim, 2, id[i]);
    sim_set_phy(bench.sim, 3, id[i]);
    run(&bench, false);
    expect_failed(&bench, "PHY", i ? UINT32_MAX : 0);
    end(&bench);
  }
}

/* Each length, and any byte of it: the one that came back changed is named. */
static void test_loopback(void **state) {
  (void)state;
  static const uint16_t lengths[] = {60, 64, 128, 511, 1024, 1513, 1514};
  for(size_t i = 0; i < 7U * 3U; i++) {
    struct bench bench;
    uint16_t length = lengths[i / 3U];
    begin(&bench, i % 2U ? SIM_82574L : SIM_82540EM, i % 3U == 0);
    bench.bad_length = length;
    bench.bad_byte = i % 3U == 0 ? 0 : i % 3U == 1 ? length / 2U : length - 1U;
    run(&bench, true);
    char name[32];
    (void)snprintf(name, sizeof(name), "of %u bytes", length);
    expect_failed(&bench, name, length);
    end(&bench);
  }
}

/* ICR that does not show a cause, or keeps it though it was read. */
static void test_causes(void **state) {
  (void)state;
  for(size_t i = 0; i < 2U * DEVICES; i++) {
    struct bench bench;
    begin(&bench, devices[i / 2U], i % 2U);
    bench.bad_register = E1000_ICR;
    bench.stuck = E1000_CAUSE_LSC;
    run(&bench, false);
    assert_int_equal(bench.test.failed, 1);
    assert_false(bench.passed[4]);
    assert_string_equal(bench.name[4], "interrupts: a cause shows, and reading clears it");
    end(&bench);
  }
}

/* A PHY that cannot be told to loop is a failure of its own. */
static void test_loopback_that_cannot_be_set_up(void **state) {
  (void)state;
  for(int open = 0; open < 2; open++) {
    struct bench bench;
    begin(&bench, SIM_82540EM, open);
    sim_knobs(bench.sim)->mdic_error = true;
    run(&bench, true);
    assert_int_equal(bench.test.failed, 2); /* the PHY, and this */
    assert_non_null(strstr(bench.name[6], "can be set up"));
    assert_false(bench.passed[6]);
    assert_int_equal(bench.dev->state, open ? NETDEV_OPEN : NETDEV_CLOSED);
    sim_knobs(bench.sim)->mdic_error = false;
    end(&bench);
  }
}

/* What it puts back ---------------------------------------------------------------------------------------------- */

static void test_vlan_table(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct bench bench;
    begin(&bench, devices[i], true);
    for(uint32_t n = 0; n < E1000_VFTA_COUNT; n++) {
      sim_poke(bench.sim, E1000_VFTA + 4U * n, 0x01234567U * (n + 1U));
    }
    run(&bench, false);
    for(uint32_t n = 0; n < E1000_VFTA_COUNT; n++) {
      assert_int_equal(sim_peek(bench.sim, E1000_VFTA + 4U * n), 0x01234567U * (n + 1U));
    }
    end(&bench);
  }
}

static void expect_traffic(struct bench *bench) {
  static const uint8_t group[6] = {1, 0, 0x5E, 0, 0, 0x42};
  uint8_t frame[100];
  uint32_t received = bench->client.received;
  uint32_t done = bench->client.done_total;
  unit_frame(frame, sizeof(frame), group, 1);
  assert_int_equal(sim_inject(bench->sim, frame, sizeof(frame)), SIM_DELIVERED);
  unit_frame(frame, sizeof(frame), unit_mac, 2);
  assert_int_equal(sim_inject(bench->sim, frame, sizeof(frame)), SIM_DELIVERED);
  assert_int_equal(netdev_transmit(bench->dev, frame, sizeof(frame), unit_cookie(1), 0), NETDEV_OK);
  assert_int_equal(netdev_poll(bench->dev, 10), 2);
  assert_int_equal(bench->client.received, received + 2U);
  assert_int_equal(bench->client.done_total, done + 1U);
}

/* Loopback closes and opens: the client hears of its frames and of nobody else's, and everything is as it was. */
static void test_loopback_leaves_no_trace(void **state) {
  (void)state;
  static const uint8_t group[1][6] = {{1, 0, 0x5E, 0, 0, 0x42}};
  for(size_t i = 0; i < DEVICES; i++) {
    struct bench bench;
    uint8_t frame[100];
    begin(&bench, devices[i], true);
    assert_int_equal(netdev_set_filter(bench.dev, NETDEV_FILTER_UNICAST | NETDEV_FILTER_MULTICAST, group, 1),
                     NETDEV_OK);
    expect_traffic(&bench);
    uint16_t control = sim_phy(bench.sim, PHY_CONTROL);
    uint16_t m88 = sim_phy(bench.sim, PHY_M88);
    uint32_t ctrl = sim_peek(bench.sim, E1000_CTRL);
    uint32_t rctl = sim_peek(bench.sim, E1000_RCTL);
    sim_knobs(bench.sim)->tx_held = true;
    unit_frame(frame, sizeof(frame), unit_mac, 3);
    assert_int_equal(netdev_transmit(bench.dev, frame, sizeof(frame), unit_cookie(2), 0), NETDEV_OK);
    sim_knobs(bench.sim)->tx_held = false;
    uint32_t received = bench.client.received;
    run(&bench, true);
    assert_int_equal(bench.test.failed, 0);
    assert_int_equal(bench.client.done[2], 1);
    assert_int_equal(bench.client.status[2], NETDEV_E_CANCELLED);
    assert_int_equal(bench.client.received, received); /* none of its own */
    assert_int_equal(bench.dev->state, NETDEV_OPEN);
    assert_true(bench.dev->link.up);
    assert_int_equal(sim_phy(bench.sim, PHY_CONTROL) & 0x5DFFU, control & 0x5DFFU); /* but reset and restart */
    assert_int_equal(sim_phy(bench.sim, PHY_M88), m88);
    assert_int_equal(sim_peek(bench.sim, E1000_CTRL), ctrl);
    assert_int_equal(sim_peek(bench.sim, E1000_RCTL), rctl);
    expect_traffic(&bench);
    end(&bench);
  }
}

/* A set-up that fails half-way is undone as well. */
static void test_half_a_loopback_leaves_no_trace(void **state) {
  (void)state;
  static const uint8_t group[1][6] = {{1, 0, 0x5E, 0, 0, 0x42}};
  for(uint32_t at = 1; at <= 4; at++) {
    struct bench bench;
    begin(&bench, SIM_82540EM, true);
    assert_int_equal(netdev_set_filter(bench.dev, NETDEV_FILTER_UNICAST | NETDEV_FILTER_MULTICAST, group, 1),
                     NETDEV_OK);
    uint16_t control = sim_phy(bench.sim, PHY_CONTROL);
    uint16_t m88 = sim_phy(bench.sim, PHY_M88);
    bench.phy_write_fails_at = bench.phy_writes + at;
    run(&bench, true);
    expect_failed(&bench, "can be set up", (uint32_t)-NETDEV_E_TIMEOUT);
    assert_true(bench.phy_writes >= bench.phy_write_fails_at);
    assert_int_equal(sim_phy(bench.sim, PHY_CONTROL) & 0x5DFFU, control & 0x5DFFU); /* but reset and restart */
    assert_int_equal(sim_phy(bench.sim, PHY_M88), m88);
    expect_traffic(&bench);
    end(&bench);
  }
}

/* A closed device stays closed, and quiet. */
static void test_closed_stays_closed(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct bench bench;
    begin(&bench, devices[i], false);
    uint32_t links = bench.client.links;
    run(&bench, true);
    assert_int_equal(bench.dev->state, NETDEV_CLOSED);
    assert_int_equal(bench.client.links, links);
    assert_int_equal(sim_peek(bench.sim, E1000_RCTL) & E1000_RCTL_EN, 0);
    assert_int_equal(sim_peek(bench.sim, E1000_TCTL) & E1000_TCTL_EN, 0);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    assert_int_equal(bench.client.links, links + 1U); /* its client is there again */
    end(&bench);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sound),
      cmocka_unit_test(test_registers),
      cmocka_unit_test(test_status),
      cmocka_unit_test(test_nvm),
      cmocka_unit_test(test_phy),
      cmocka_unit_test(test_causes),
      cmocka_unit_test(test_loopback),
      cmocka_unit_test(test_loopback_that_cannot_be_set_up),
      cmocka_unit_test(test_vlan_table),
      cmocka_unit_test(test_loopback_leaves_no_trace),
      cmocka_unit_test(test_half_a_loopback_leaves_no_trace),
      cmocka_unit_test(test_closed_stays_closed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
