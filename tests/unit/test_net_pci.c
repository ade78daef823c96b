/* test_net_pci.c - PCI configuration space before a device is driven: power state, link power states, read size. */
#include "unit.h"

#define COMMAND    0x04U
#define BAR0       0x10U
#define PM_AT      0xC8U
#define PCIX_AT    0x50U
#define PCIE_AT    0xE0U
#define LINK       (PCIE_AT + 0x10U)
#define PMCSR      (PM_AT + 4U)
#define MMRBC      (PCIX_AT + 2U)
#define D3         3U
#define PME_STATUS 0x8000U
#define NO_RESET   0x0008U

struct bench {
  struct sim *sim;
  uint8_t *space;
  struct net_platform platform;
  bool stays_asleep;
  bool resets;       /* D3hot to D0 resets the function, as it may */
  uint32_t woken_at; /* microseconds, of the write that wakes it   */
  uint32_t writes;
};

static struct bench *running;

static uint16_t get16(const struct bench *bench, uint32_t at) {
  return (uint16_t)(bench->space[at] | bench->space[at + 1U] << 8);
}

static void put16(struct bench *bench, uint32_t at, uint32_t value) {
  bench->space[at] = (uint8_t)value;
  bench->space[at + 1U] = (uint8_t)(value >> 8);
}

static void put_capability(struct bench *bench, uint32_t at, uint32_t id, uint32_t next) {
  bench->space[at] = (uint8_t)id;
  bench->space[at + 1U] = (uint8_t)next;
}

static void config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value) {
  bool wakes = offset == PMCSR && (get16(running, PMCSR) & D3) && !(value & D3);
  bool clears = offset == PMCSR && (value & PME_STATUS);
  running->writes++;
  if(wakes && running->stays_asleep) {
    return;
  }
  bool pme = get16(running, PMCSR) & PME_STATUS;
  sim_platform(running->sim)->config_write(ctx, offset, width, value);
  if(wakes) {
    put16(running, PMCSR, (value & ~PME_STATUS) | (pme && !clears ? PME_STATUS : 0U));
    running->woken_at = (uint32_t)sim_now(running->sim);
  }
  if(wakes && running->resets) {
    memset(running->space + BAR0, 0, 24);
    put16(running, COMMAND, 0);
    running->space[0x3C] = 0;
  }
}

/* Nothing may be asked of it for 10 ms after it was woken. */
static uint32_t config_read(void *ctx, uint32_t offset, uint32_t width) {
  assert_true(running->woken_at == 0 || sim_now(running->sim) - running->woken_at >= 10000U);
  return sim_platform(running->sim)->config_read(ctx, offset, width);
}

static void begin(struct bench *bench, uint16_t device_id) {
  struct sim_config config = unit_config(device_id);
  *bench = (struct bench){.sim = sim_create(&config)};
  running = bench;
  bench->space = sim_config_space(bench->sim);
  bench->platform = *sim_platform(bench->sim);
  bench->platform.config_read = config_read;
  bench->platform.config_write = config_write;
  memset(bench->space + 0x34, 0, 0x100 - 0x34);
  put16(bench, 0x06, 0x0010);
  bench->space[0x34] = PM_AT;
  put_capability(bench, PM_AT, 1, PCIX_AT);
  put_capability(bench, PCIX_AT, 7, PCIE_AT);
  put_capability(bench, PCIE_AT, 0x10, 0);
  put16(bench, COMMAND, 0x0407);
  for(uint32_t i = 0; i < 24; i++) {
    bench->space[BAR0 + i] = (uint8_t)(0xB0U + i);
  }
  bench->space[0x3C] = 11;
}

static int create(struct bench *bench, struct netdev **dev) {
  const struct net_config config = {
      .id = {.vendor_id = E1000_VENDOR_ID, .device_id = sim_knobs(bench->sim)->device_id}};
  *dev = NULL;
  return e1000_driver.create(&bench->platform, &config, dev);
}

static void test_capabilities(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82574L);
  const struct net_platform *platform = &bench.platform;
  assert_int_equal(net_pci_find_capability(platform, 1, 8), PM_AT);
  assert_int_equal(net_pci_find_capability(platform, 7, 8), PCIX_AT);
  assert_int_equal(net_pci_find_capability(platform, 0x10, 0x20), PCIE_AT);
  assert_int_equal(net_pci_find_capability(platform, 0x10, 0x21), 0); /* over the end */
  assert_int_equal(net_pci_find_capability(platform, 5, 4), 0);
  put_capability(&bench, PCIE_AT, 0x10, PM_AT | 3U); /* a loop, and odd bits, which are reserved */
  assert_int_equal(net_pci_find_capability(platform, 5, 4), 0);
  assert_int_equal(net_pci_find_capability(platform, 0x10, 0x14), PCIE_AT);
  put_capability(&bench, PM_AT, 1, 0x3C); /* into the header */
  assert_int_equal(net_pci_find_capability(platform, 7, 8), 0);
  put_capability(&bench, PM_AT, 0xFF, 0xFF); /* nobody there */
  assert_int_equal(net_pci_find_capability(platform, 7, 8), 0);
  put16(&bench, 0x06, 0);
  assert_int_equal(net_pci_find_capability(platform, 1, 8), 0);
  sim_knobs(bench.sim)->gone = true;
  assert_int_equal(net_pci_find_capability(platform, 1, 8), 0);
  assert_int_equal(bench.writes, 0);
  sim_destroy(bench.sim);
}

/* Asleep: woken before the first register is touched, with addresses and command as they were. Awake: left alone. */
static void test_power(void **state) {
  (void)state;
  for(uint32_t power = 0; power <= D3; power++) {
    for(int resets = 0; resets < 2; resets++) {
      struct bench bench;
      uint8_t before[64];
      struct netdev *dev;
      begin(&bench, SIM_82540EM);
      memcpy(before, bench.space, sizeof(before));
      bench.resets = resets;
      put16(&bench, PMCSR, power | PME_STATUS | 0x0100U);
      assert_int_equal(create(&bench, &dev), NETDEV_OK);
      assert_int_equal(get16(&bench, PMCSR), PME_STATUS | 0x0100U); /* what woke the machine is still to be read */
      assert_memory_equal(bench.space, before, sizeof(before));
      assert_true(power != 0 || bench.writes == 0);
      assert_true(power == 0 || resets || bench.writes == 1);
      unit_end(bench.sim, dev);
    }
  }
}

static void test_stays_asleep(void **state) {
  (void)state;
  struct bench bench;
  struct netdev *dev;
  begin(&bench, SIM_82540EM);
  bench.stays_asleep = true;
  put16(&bench, PMCSR, D3);
  assert_int_equal(create(&bench, &dev), NETDEV_E_TIMEOUT);
  assert_null(dev);
  assert_int_equal(sim_reads(bench.sim) + sim_writes(bench.sim), 0);
  assert_int_equal(sim_leaks(bench.sim), 0);
  assert_true(sim_logged(bench.sim, NET_LOG_ERROR, "power state") >= 1);
  sim_destroy(bench.sim);
}

/* Off for the part that cannot take it, while it is driven; as it was, other bits included, afterwards. */
static void test_aspm(void **state) {
  (void)state;
  static const uint16_t parts[] = {SIM_82540EM, SIM_82574L};
  for(size_t i = 0; i < 2; i++) {
    for(uint32_t aspm = 0; aspm < 4; aspm++) {
      struct bench bench;
      struct netdev *dev;
      begin(&bench, parts[i]);
      put16(&bench, LINK, 0x0140U | aspm);
      assert_int_equal(create(&bench, &dev), NETDEV_OK);
      assert_int_equal(get16(&bench, LINK), 0x0140U | (parts[i] == SIM_82574L ? 0U : aspm));
      assert_int_equal(bench.writes, parts[i] == SIM_82574L && aspm ? 1 : 0);
      put16(&bench, LINK, get16(&bench, LINK) ^ 0x0100U); /* somebody else's bit, meanwhile */
      unit_end(bench.sim, dev);
    }
  }
}

static void test_aspm_is_put_back(void **state) {
  (void)state;
  for(int fails = 0; fails < 2; fails++) {
    struct bench bench;
    struct netdev *dev;
    begin(&bench, SIM_82574L);
    put16(&bench, LINK, 0x0141U);
    sim_knobs(bench.sim)->reset_never_ends = fails;
    assert_int_equal(create(&bench, &dev), fails ? NETDEV_E_TIMEOUT : NETDEV_OK);
    if(!fails) {
      put16(&bench, LINK, get16(&bench, LINK) ^ 0x0100U); /* somebody else's bit, meanwhile */
      bench.space[0x34] = 0;                              /* the way there is not walked twice */
    }
    netdev_destroy(dev);
    assert_int_equal(get16(&bench, LINK), fails ? 0x0141U : 0x0041U);
    assert_int_equal(sim_leaks(bench.sim), 0);
    sim_destroy(bench.sim);
  }
}

/* 4096 bytes at once are too many for the first parts that PCI-X was made for; less is whoever's who set it. */
static void test_read_count(void **state) {
  (void)state;
  static const uint16_t parts[] = {SIM_82540EM, SIM_82546GB, SIM_82544GC, SIM_82545EM, SIM_82546EB};
  for(size_t i = 0; i < 5; i++) {
    for(uint32_t count = 0; count < 4; count++) {
      struct bench bench;
      struct netdev *dev;
      bool limited = i > 1 && count == 3;
      begin(&bench, parts[i]);
      put16(&bench, MMRBC, 0x0071U | count << 2 | 2U);
      assert_int_equal(create(&bench, &dev), NETDEV_OK);
      assert_int_equal(get16(&bench, MMRBC), 0x0073U | (limited ? 2U : count) << 2);
      assert_int_equal(bench.writes, limited);
      unit_end(bench.sim, dev);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_capabilities),     cmocka_unit_test(test_power),
      cmocka_unit_test(test_stays_asleep),     cmocka_unit_test(test_aspm),
      cmocka_unit_test(test_aspm_is_put_back), cmocka_unit_test(test_read_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
