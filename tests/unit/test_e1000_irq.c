/* test_e1000_irq.c - interrupts, as a kernel uses them, and a device that writes as fast as the driver reads. */
#include "unit.h"

#define CAUSES        0x000000D5U /* TXDW, LSC, RXDMT0, RXO, RXT0: 8254x SDM 13.4.20 */
#define MSIX_CAUSES   0x01F00000U /* 82574 10.2.4                                    */
#define RXT0          0x00000080U
#define RXQ0          0x00100000U
#define VECTOR_0      0x80088888U
#define PBA_SUPPORT   0x80000000U
#define PER_SECOND    8000U
#define PER_SECOND_IN 488U /* in units of 256 ns: 1 s / 256 ns / 8000 */
#define SLOWEST       0xFFFFU
#define DD            0x01U
#define EOP           0x02U
#define ERROR_CRC     0x01U
#define TICK_US       60000U /* a tick that reads STATUS for certain */
#define HANG_US       2000000U

static const struct {
  uint16_t device;
  enum e1000_irq_mode mode;
} modes[] = {
    {SIM_82540EM, E1000_IRQ_INTX}, {SIM_82544GC, E1000_IRQ_INTX}, {SIM_82545EM, E1000_IRQ_MSI},
    {SIM_82574L, E1000_IRQ_INTX},  {SIM_82574L, E1000_IRQ_MSI},   {SIM_82574L, E1000_IRQ_MSIX},
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

static struct netdev *begin(uint16_t device_id, struct sim **sim) {
  struct sim_config config = unit_config(device_id);
  struct netdev *dev;
  *sim = sim_create(&config);
  assert_int_equal(unit_create(*sim, 8, 8, &dev), NETDEV_OK);
  return dev;
}

static void test_refusals(void **state) {
  (void)state;
  struct sim *sim;
  struct netdev *dev = begin(SIM_82540EM, &sim);
  assert_int_equal(e1000_irq_enable(dev, E1000_IRQ_INTX, 0), NETDEV_E_STATE);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  assert_int_equal(e1000_irq_enable(dev, E1000_IRQ_MSIX, 0), NETDEV_E_UNSUPPORTED);
  assert_int_equal(sim_peek(sim, E1000_IMS), 0);
  unit_end(sim, dev);
}

static void expect_programmed(const struct sim *sim, size_t row) {
  bool msix = modes[row].mode == E1000_IRQ_MSIX;
  assert_int_equal(sim_peek(sim, E1000_IMS), msix ? CAUSES | MSIX_CAUSES : CAUSES);
  assert_int_equal(sim_peek(sim, E1000_ICR), msix ? RXT0 | RXQ0 : RXT0); /* what was there before is gone */
  assert_int_equal(sim_peek(sim, E1000_ITR), PER_SECOND_IN);
  if(modes[row].device == SIM_82574L) {
    assert_int_equal(sim_peek(sim, E1000_EITR), msix ? PER_SECOND_IN : 0);
    assert_int_equal(sim_peek(sim, E1000_IVAR), msix ? VECTOR_0 : 0);
    assert_int_equal(sim_peek(sim, E1000_CTRL_EXT) & PBA_SUPPORT, msix ? PBA_SUPPORT : 0);
  }
}

/* One interrupt is raised at once, and is masked from the handler until the rearm. */
static void test_one_interrupt(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    bool msix = modes[i].mode == E1000_IRQ_MSIX;
    uint32_t wanted = msix ? CAUSES | MSIX_CAUSES : CAUSES;
    struct sim *sim;
    struct netdev *dev = begin(modes[i].device, &sim);
    assert_int_equal(netdev_open(dev), NETDEV_OK);
    sim_poke(sim, E1000_ICR, CAUSES);
    assert_int_equal(e1000_irq_enable(dev, modes[i].mode, PER_SECOND), NETDEV_OK);
    expect_programmed(sim, i);
    sim_forget_accesses(sim);
    assert_int_equal(e1000_irq_handle(dev), msix ? RXT0 | MSIX_CAUSES : RXT0);
    assert_int_equal(sim_reads(sim), 1);
    assert_int_equal(sim_writes(sim), 1);
    assert_int_equal(sim_peek(sim, E1000_IMS), 0);
    e1000_irq_rearm(dev);
    assert_int_equal(sim_writes(sim), 2);
    assert_int_equal(sim_peek(sim, E1000_IMS), wanted);
    e1000_irq_disable(dev);
    assert_int_equal(sim_peek(sim, E1000_IMS), 0);
    unit_end(sim, dev);
  }
}

/* A shared line: nothing to do, and nothing is masked. A device that is gone raises nothing. */
static void test_not_ours(void **state) {
  (void)state;
  struct sim *sim;
  struct netdev *dev = begin(SIM_82540EM, &sim);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  assert_int_equal(e1000_irq_enable(dev, E1000_IRQ_INTX, 0), NETDEV_OK);
  assert_int_equal(sim_peek(sim, E1000_ITR), 0);
  assert_int_equal(e1000_irq_handle(dev), RXT0);
  e1000_irq_rearm(dev);
  assert_int_equal(e1000_irq_handle(dev), 0);
  assert_int_equal(sim_peek(sim, E1000_IMS), CAUSES);
  sim_knobs(sim)->gone = true;
  assert_int_equal(e1000_irq_handle(dev), 0);
  sim_knobs(sim)->gone = false;
  assert_int_equal(e1000_irq_enable(dev, E1000_IRQ_INTX, 1), NETDEV_OK);
  assert_int_equal(sim_peek(sim, E1000_ITR), SLOWEST);
  unit_end(sim, dev);
}

/* A hang --------------------------------------------------------------------------------------------------------- */

static void hang(struct sim *sim, struct netdev *dev) {
  uint8_t frame[100];
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  sim_knobs(sim)->tx_held = true;
  assert_int_equal(netdev_transmit(dev, frame, sizeof(frame), NULL, 0), NETDEV_OK);
  for(uint64_t waited = 0; waited < 2U * HANG_US && dev->stats.tx_hangs == 0; waited += TICK_US) {
    sim_advance(sim, TICK_US);
    assert_int_equal(netdev_tick(dev), NETDEV_OK);
  }
  assert_int_equal(dev->stats.tx_hangs, 1);
  sim_knobs(sim)->tx_held = false;
}

/* A kernel that works by interrupts alone would never hear of the NIC again. */
static void test_interrupts_outlive_a_hang(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    struct sim *sim;
    struct netdev *dev = begin(modes[i].device, &sim);
    assert_int_equal(netdev_open(dev), NETDEV_OK);
    assert_int_equal(e1000_irq_enable(dev, modes[i].mode, PER_SECOND), NETDEV_OK);
    (void)e1000_irq_handle(dev);
    e1000_irq_rearm(dev);
    hang(sim, dev);
    expect_programmed(sim, i);
    unit_end(sim, dev);
  }
}

/* Who asked for none any more, or closed the device meanwhile, gets none. */
static void test_no_interrupts_stay_none(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    for(int closed = 0; closed < 2; closed++) {
      struct sim *sim;
      struct netdev *dev = begin(modes[i].device, &sim);
      assert_int_equal(netdev_open(dev), NETDEV_OK);
      assert_int_equal(e1000_irq_enable(dev, modes[i].mode, 0), NETDEV_OK);
      if(closed) {
        netdev_close(dev);
        assert_int_equal(netdev_open(dev), NETDEV_OK);
      } else {
        e1000_irq_disable(dev);
      }
      hang(sim, dev);
      assert_int_equal(sim_peek(sim, E1000_IMS), 0);
      unit_end(sim, dev);
    }
  }
}

/* Nothing is unmasked behind the back of who masked it, and nothing is written to a device that has gone. */
static void test_only_while_enabled(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    struct sim *sim;
    struct netdev *dev = begin(modes[i].device, &sim);
    assert_int_equal(netdev_open(dev), NETDEV_OK);
    e1000_irq_rearm(dev);
    assert_int_equal(sim_peek(sim, E1000_IMS), 0);
    assert_int_equal(e1000_irq_enable(dev, modes[i].mode, 0), NETDEV_OK);
    (void)e1000_irq_handle(dev);
    e1000_irq_raise(dev);
    assert_int_not_equal(sim_peek(sim, E1000_IMS), 0);
    assert_int_not_equal(sim_peek(sim, E1000_ICR) & RXT0, 0);
    e1000_irq_disable(dev);
    sim_forget_accesses(sim);
    e1000_irq_rearm(dev);
    e1000_irq_raise(dev);
    assert_int_equal(e1000_irq_handle(dev), 0);
    assert_int_equal(sim_reads(sim) + sim_writes(sim), 0);
    assert_int_equal(e1000_irq_enable(dev, modes[i].mode, 0), NETDEV_OK);
    sim_knobs(sim)->gone = true;
    sim_advance(sim, TICK_US);
    assert_int_equal(netdev_tick(dev), NETDEV_E_GONE);
    sim_forget_accesses(sim);
    e1000_irq_rearm(dev);
    e1000_irq_raise(dev);
    assert_int_equal(e1000_irq_handle(dev), 0);
    assert_int_equal(sim_reads(sim) + sim_writes(sim), 0);
    unit_end(sim, dev);
  }
}

/* The loopback test closes and opens the device. */
static void test_interrupts_outlive_the_selftest(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    struct sim *sim;
    struct e1000_selftest test = {0};
    struct netdev *dev = begin(modes[i].device, &sim);
    assert_int_equal(netdev_open(dev), NETDEV_OK);
    assert_int_equal(e1000_irq_enable(dev, modes[i].mode, PER_SECOND), NETDEV_OK);
    assert_int_equal(e1000_selftest(dev, true, &test), NETDEV_OK);
    expect_programmed(sim, i);
    unit_end(sim, dev);
  }
}

/* A flood -------------------------------------------------------------------------------------------------------- */

static const struct net_platform *host;
static uint32_t flood; /* frames to come */

/* For every buffer that it is given back the device has another damaged frame. */
static void flood_write32(void *ctx, uint32_t offset, uint32_t value) {
  static const uint8_t frame[60];
  host->mmio_write32(ctx, offset, value);
  while(flood > 0 && offset == E1000_RDT &&
        sim_inject_raw(ctx, frame, sizeof(frame), DD | EOP, ERROR_CRC, sizeof(frame)) == SIM_DELIVERED) {
    flood--;
  }
}

static void test_flood_of_damaged_frames(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82574L);
  struct e1000_config wanted = {
      .vendor_id = E1000_VENDOR_ID, .device_id = SIM_82574L, .tx_descriptors = 8, .rx_descriptors = 8};
  struct sim *sim = sim_create(&config);
  struct netdev *dev;
  struct netdev_frame frame;
  host = sim_platform(sim);
  struct net_platform flooded = *host;
  flooded.mmio_write32 = flood_write32;
  assert_int_equal(e1000_create(&flooded, &wanted, &dev), NETDEV_OK);
  flood = 1000;
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  for(uint32_t lap = 1; lap <= 3; lap++) {
    assert_int_equal(netdev_peek(dev, &frame), NETDEV_E_EMPTY); /* it comes back, though there is more */
    assert_int_equal(netdev_get_stats(dev)->rx_device_errors, 8U * lap);
  }
  flood = 0;
  unit_end(sim, dev);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_one_interrupt),
      cmocka_unit_test(test_not_ours),
      cmocka_unit_test(test_interrupts_outlive_a_hang),
      cmocka_unit_test(test_no_interrupts_stay_none),
      cmocka_unit_test(test_only_while_enabled),
      cmocka_unit_test(test_interrupts_outlive_the_selftest),
      cmocka_unit_test(test_flood_of_damaged_frames),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
