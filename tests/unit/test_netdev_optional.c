/* test_netdev_optional.c - what a family may lack, and what is asked of none: the netdev_ calls answer for it. */
#include "fake_netdev.h"

static void count_row(void *ctx, const struct netdev_row *row) {
  (void)row;
  (*(uint32_t *)ctx)++;
}

/* The fake has none of them. */
static void test_family_without(void **state) {
  (void)state;
  struct fake fake;
  struct netdev_selftest test = {0};
  uint32_t rows = 0;
  uint16_t word = 7;
  fake_start(&fake);
  assert_int_equal(netdev_irq_enable(&fake.dev, NETDEV_IRQ_INTX, 0), NETDEV_E_UNSUPPORTED);
  assert_false(netdev_irq_handle(&fake.dev));
  assert_false(netdev_irq_rearm(&fake.dev));
  netdev_irq_disable(&fake.dev);
  assert_int_equal(netdev_selftest(&fake.dev, false, &test), NETDEV_E_UNSUPPORTED);
  assert_int_equal(netdev_inspect(&fake.dev, NETDEV_ROWS_REGISTERS, count_row, &rows), NETDEV_E_UNSUPPORTED);
  assert_int_equal(rows, 0);
  assert_int_equal(netdev_nvm_read(&fake.dev, 0, &word), NETDEV_E_UNSUPPORTED);
  assert_int_equal(word, 7);
}

/* A device with all of them, in the wrong state or asked for what is not there. */
static void test_wrong_moment(void **state) {
  (void)state;
  struct sim *sim;
  struct sim_config config = unit_config(SIM_82574L);
  const struct net_config wanted = {.id = {.vendor_id = E1000_VENDOR_ID, .device_id = SIM_82574L}};
  struct netdev *dev;
  struct netdev_selftest test = {0};
  uint32_t rows = 0;
  uint16_t word;
  sim = sim_create(&config);
  assert_int_equal(e1000_create(sim_platform(sim), &wanted, &dev), NETDEV_OK);
  sim_forget_accesses(sim);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0), NETDEV_E_STATE);
  assert_int_equal(netdev_inspect(dev, 1U << 30, count_row, &rows), NETDEV_E_INVALID);
  assert_int_equal(netdev_inspect(dev, NETDEV_ROWS_REGISTERS, NULL, NULL), NETDEV_E_INVALID);
  assert_int_equal(netdev_nvm_read(dev, E1000_NVM_WORDS, &word), NETDEV_E_INVALID);
  assert_int_equal(sim_reads(sim) + sim_writes(sim), 0);
  assert_int_equal(netdev_inspect(dev, NETDEV_ROWS_RINGS, count_row, &rows), NETDEV_OK);
  assert_int_equal(rows, 2 * (8 + 2 * 256 / 64));
  dev->state = NETDEV_GONE;
  assert_int_equal(netdev_selftest(dev, false, &test), NETDEV_E_GONE);
  assert_int_equal(netdev_inspect(dev, NETDEV_ROWS_REGISTERS, count_row, &rows), NETDEV_E_GONE);
  assert_int_equal(netdev_nvm_read(dev, 0, &word), NETDEV_E_GONE);
  assert_int_equal(rows, 2 * (8 + 2 * 256 / 64));
  dev->state = NETDEV_CLOSED;
  netdev_destroy(dev);
  sim_destroy(sim);
}

/* A glance needs a part that the family knows, and its registers. */
static void test_glance(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82540EM);
  struct sim *sim = sim_create(&config);
  struct net_platform platform = *sim_platform(sim);
  struct net_device_id id = {.vendor_id = E1000_VENDOR_ID, .device_id = SIM_82540EM};
  struct netdev_link link;
  uint8_t mac[NETDEV_MAC_LENGTH];
  assert_int_equal(e1000_driver.glance(&platform, &id, mac, &link), NETDEV_OK);
  assert_memory_equal(mac, config.mac, sizeof(mac));
  sim_forget_accesses(sim);
  id.device_id = 0x1234;
  assert_int_equal(e1000_driver.glance(&platform, &id, mac, &link), NETDEV_E_UNSUPPORTED);
  id.device_id = SIM_82540EM;
  platform.bar[0].size = 0x10000U;
  assert_int_equal(e1000_driver.glance(&platform, &id, mac, &link), NETDEV_E_UNSUPPORTED);
  platform.bar[0] = (struct net_bar){NET_BAR_IO, 0x20000U};
  assert_int_equal(e1000_driver.glance(&platform, &id, mac, &link), NETDEV_E_UNSUPPORTED);
  assert_int_equal(sim_reads(sim) + sim_writes(sim), 0);
  sim_destroy(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_family_without),
      cmocka_unit_test(test_wrong_moment),
      cmocka_unit_test(test_glance),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
