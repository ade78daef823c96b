/* test_e1000_identify.c - the LEDs blink and are put back, whatever ends it. */
#include "unit.h"

#define LEDCTL_BEFORE 0x07068302U /* LINK_UP, ACTIVITY blinking, LINK_100, LINK_1000: the 82574's default */
#define LEDCTL_BLINK  0x8E8E8E8EU

static struct sim *sim;
static struct netdev *dev;

static void begin(uint16_t device_id) {
  struct sim_config config = unit_config(device_id);
  sim = sim_create(&config);
  assert_int_equal(unit_create(sim, 0, 0, &dev), NETDEV_OK);
  sim_poke(sim, E1000_LEDCTL, LEDCTL_BEFORE);
}

static void end(void) {
  unit_check(sim, dev);
  unit_end(sim, dev);
}

static void test_on_and_off(void **state) {
  static const uint16_t devices[] = {SIM_82540EM, SIM_82545EM, SIM_82574L, SIM_82546GB,
                                     SIM_82541GI, SIM_82571EB, SIM_82573L, SIM_82583V};
  (void)state;
  for(size_t i = 0; i < 2U * sizeof(devices) / sizeof(devices[0]); i++) {
    begin(devices[i / 2U]);
    if(i % 2U) {
      assert_int_equal(netdev_open(dev), NETDEV_OK);
      sim_poke(sim, E1000_LEDCTL, LEDCTL_BEFORE);
    }
    uint64_t writes = sim_writes(sim);
    assert_int_equal(netdev_identify(dev, false), NETDEV_OK); /* was not on: nothing is touched */
    assert_int_equal(sim_writes(sim), writes);
    assert_int_equal(netdev_identify(dev, true), NETDEV_OK);
    assert_int_equal(sim_peek(sim, E1000_LEDCTL), LEDCTL_BLINK);
    assert_int_equal(netdev_identify(dev, true), NETDEV_OK); /* twice: what was before is not forgotten */
    assert_int_equal(netdev_identify(dev, false), NETDEV_OK);
    assert_int_equal(sim_peek(sim, E1000_LEDCTL), LEDCTL_BEFORE);
    end();
  }
}

/* The polarity is the board's: inverted stays inverted. */
static void test_polarity(void **state) {
  (void)state;
  begin(SIM_82574L);
  sim_poke(sim, E1000_LEDCTL, 0x40404040U);
  assert_int_equal(netdev_identify(dev, true), NETDEV_OK);
  assert_int_equal(sim_peek(sim, E1000_LEDCTL), 0xCECECECEU);
  assert_int_equal(netdev_identify(dev, false), NETDEV_OK);
  assert_int_equal(sim_peek(sim, E1000_LEDCTL), 0x40404040U);
  end();
}

/* Closed while they blink: they are put back before the reset. */
static void test_closed_meanwhile(void **state) {
  (void)state;
  begin(SIM_82574L);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  sim_poke(sim, E1000_LEDCTL, LEDCTL_BEFORE);
  assert_int_equal(netdev_identify(dev, true), NETDEV_OK);
  size_t before = sim_write_log(sim, &(const struct sim_write *){0});
  netdev_close(dev);
  const struct sim_write *log;
  size_t count = sim_write_log(sim, &log);
  bool back = false;
  for(size_t i = before; i < count; i++) {
    back = back || (log[i].offset == E1000_LEDCTL && log[i].value == LEDCTL_BEFORE);
  }
  assert_true(back);
  assert_int_equal(netdev_identify(dev, false), NETDEV_OK);
  end();
}

static void test_cannot(void **state) {
  (void)state;
  begin(SIM_82544GC); /* has no LEDCTL */
  assert_int_equal(netdev_identify(dev, true), NETDEV_E_UNSUPPORTED);
  assert_int_equal(sim_peek(sim, E1000_LEDCTL), LEDCTL_BEFORE);
  end();
  begin(SIM_82574L);
  sim_knobs(sim)->gone = true;
  assert_int_equal(netdev_identify(dev, true), NETDEV_E_GONE);
  dev->state = NETDEV_GONE;
  assert_int_equal(netdev_identify(dev, true), NETDEV_E_GONE);
  dev->state = NETDEV_CLOSED;
  end();
  static const struct netdev_ops none = {0};
  struct netdev other = {.ops = &none};
  assert_int_equal(netdev_identify(&other, true), NETDEV_E_UNSUPPORTED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_on_and_off),
      cmocka_unit_test(test_polarity),
      cmocka_unit_test(test_closed_meanwhile),
      cmocka_unit_test(test_cannot),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
