/* test_e1000_irq.c - the interrupt calls one by one: what they program, claim, mask and refuse. */
#include "irq_bench.h"

#define CAUSES        0x000000D5U /* TXDW, LSC, RXDMT0, RXO, RXT0: 8254x SDM 13.4.20 */
#define RXQ0          0x00100000U
#define VECTOR_0      0x80088888U
#define PBA_SUPPORT   0x80000000U
#define PER_SECOND_IN 489U /* in units of 256 ns: 1 s / 256 ns / 8000, rounded up */
#define TXQE          0x00000002U

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
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0), NETDEV_E_STATE);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_MSIX, 0), NETDEV_E_UNSUPPORTED);
  assert_int_equal(sim_peek(sim, E1000_IMS), 0);
  unit_end(sim, dev);
  dev = begin(SIM_82544GC, &sim); /* which has no ITR */
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, PER_SECOND), NETDEV_E_UNSUPPORTED);
  assert_int_equal(sim_peek(sim, E1000_IMS), 0);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
  unit_end(sim, dev);
}

static void expect_programmed(const struct sim *sim, size_t row) {
  bool msix = modes[row].mode == NETDEV_IRQ_MSIX;
  assert_int_equal(sim_peek(sim, E1000_IMS), msix ? CAUSES | MSIX_CAUSES : CAUSES);
  assert_int_equal(sim_peek(sim, E1000_ICR), msix ? RXT0 | RXQ0 : RXT0); /* what was there before is gone */
  assert_int_equal(sim_peek(sim, E1000_ITR), rate_of(modes[row].device) ? PER_SECOND_IN : 0);
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
    bool msix = modes[i].mode == NETDEV_IRQ_MSIX;
    uint32_t wanted = msix ? CAUSES | MSIX_CAUSES : CAUSES;
    struct sim *sim;
    struct netdev *dev = begin(modes[i].device, &sim);
    assert_int_equal(netdev_open(dev), NETDEV_OK);
    sim_poke(sim, E1000_ICR, CAUSES);
    assert_int_equal(netdev_irq_enable(dev, modes[i].mode, rate_of(modes[i].device)), NETDEV_OK);
    expect_programmed(sim, i);
    sim_forget_accesses(sim);
    assert_true(netdev_irq_handle(dev));
    assert_int_equal(sim_peek(sim, E1000_ICR), 0);
    assert_int_equal(sim_reads(sim), 1);
    assert_int_equal(sim_writes(sim), 1);
    assert_int_equal(sim_peek(sim, E1000_IMS), 0);
    assert_false(netdev_irq_rearm(dev));
    assert_int_equal(sim_writes(sim), 2);
    assert_int_equal(sim_peek(sim, E1000_IMS), wanted);
    netdev_irq_disable(dev);
    assert_int_equal(sim_peek(sim, E1000_IMS), 0);
    unit_end(sim, dev);
  }
}

/* At most as many as was asked for, also where ITR runs out of bits; what it cannot do is refused. */
static void test_moderation(void **state) {
  (void)state;
  static const struct {
    uint32_t per_second;
    uint32_t interval; /* UINT32_MAX: refused */
  } rows[] = {{0, 0},
              {1, UINT32_MAX},
              {E1000_IRQ_RATE_MIN - 1U, UINT32_MAX},
              {E1000_IRQ_RATE_MIN, 65105},
              {7000, 559},
              {PER_SECOND, PER_SECOND_IN},
              {1953125, 2},
              {3906250, 1},
              {4000000, 1},
              {UINT32_MAX, 1}};
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct sim *sim;
    struct netdev *dev = begin(SIM_82574L, &sim);
    bool refused = rows[i].interval == UINT32_MAX;
    assert_int_equal(netdev_open(dev), NETDEV_OK);
    assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_MSIX, 1000000), NETDEV_OK);
    sim_forget_accesses(sim);
    assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_MSIX, rows[i].per_second),
                     refused ? NETDEV_E_INVALID : NETDEV_OK);
    assert_int_equal(sim_peek(sim, E1000_ITR), refused ? 4 : rows[i].interval);
    assert_int_equal(sim_peek(sim, E1000_EITR), refused ? 4 : rows[i].interval);
    assert_true(!refused || sim_reads(sim) + sim_writes(sim) == 0);
    unit_end(sim, dev);
  }
}

/* From MSI-X back to the line nothing looks for a vector any more. */
static void test_back_from_msix(void **state) {
  (void)state;
  struct sim *sim;
  struct netdev *dev = begin(SIM_82574L, &sim);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_MSIX, 0), NETDEV_OK);
  assert_int_equal(sim_peek(sim, E1000_IVAR), VECTOR_0);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
  assert_int_equal(sim_peek(sim, E1000_IVAR), 0);
  assert_int_equal(sim_peek(sim, E1000_CTRL_EXT) & PBA_SUPPORT, 0);
  assert_int_equal(sim_peek(sim, E1000_IMS), CAUSES);
  unit_end(sim, dev);
}

/* A shared line: what did not interrupt claims nothing and masks nothing; a device that is gone raises nothing. */
static void test_not_ours(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    for(int qemu = 0; qemu < 2 && modes[i].mode == NETDEV_IRQ_INTX; qemu++) {
      struct sim *sim;
      struct netdev *dev = begin(modes[i].device, &sim);
      assert_int_equal(netdev_open(dev), NETDEV_OK);
      assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
      assert_true(netdev_irq_handle(dev));
      assert_false(netdev_irq_rearm(dev));
      sim_knobs(sim)->qemu = qemu;
      assert_false(netdev_irq_handle(dev));
      sim_poke(sim, E1000_ICR, TXQE); /* a cause that nobody asked for */
      assert_false(netdev_irq_handle(dev));
      assert_int_equal(sim_peek(sim, E1000_IMS), CAUSES);
      sim_knobs(sim)->gone = true;
      assert_false(netdev_irq_handle(dev));
      sim_knobs(sim)->gone = false;
      sim_knobs(sim)->qemu = false;
      unit_end(sim, dev);
    }
  }
}

/* Somebody else interrupts while ours are masked and a frame has come. The 82574 did not interrupt and says so, though
 * its cause is cleared by looking; the rearm finds the frame all the same. */
static void test_masked_is_not_ours(void **state) {
  (void)state;
  struct sim *sim;
  uint8_t frame[60];
  struct netdev *dev = begin(SIM_82574L, &sim);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
  assert_true(netdev_irq_handle(dev));
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  assert_int_equal(sim_inject(sim, frame, sizeof(frame)), SIM_DELIVERED);
  assert_false(netdev_irq_handle(dev));
  assert_int_equal(sim_peek(sim, E1000_ICR), 0);
  assert_true(netdev_irq_rearm(dev));
  assert_int_equal(netdev_receive(dev, frame, sizeof(frame), &(size_t){0}), NETDEV_OK);
  assert_false(netdev_irq_rearm(dev));
  assert_int_equal(netdev_transmit(dev, frame, sizeof(frame), NULL, 0), NETDEV_OK);
  assert_true(netdev_irq_rearm(dev)); /* it is sent */
  assert_int_equal(netdev_complete(dev), 1);
  assert_false(netdev_irq_rearm(dev));
  unit_end(sim, dev);
}

/* A hang --------------------------------------------------------------------------------------------------------- */

/* A kernel that works by interrupts alone would never hear of the NIC again. */
static void test_interrupts_outlive_a_hang(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    struct sim *sim;
    struct netdev *dev = begin(modes[i].device, &sim);
    assert_int_equal(netdev_open(dev), NETDEV_OK);
    assert_int_equal(netdev_irq_enable(dev, modes[i].mode, rate_of(modes[i].device)), NETDEV_OK);
    (void)netdev_irq_handle(dev);
    assert_false(netdev_irq_rearm(dev));
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
      assert_int_equal(netdev_irq_enable(dev, modes[i].mode, 0), NETDEV_OK);
      if(closed) {
        netdev_close(dev);
        assert_int_equal(netdev_open(dev), NETDEV_OK);
      } else {
        netdev_irq_disable(dev);
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
    assert_false(netdev_irq_rearm(dev));
    assert_int_equal(sim_peek(sim, E1000_IMS), 0);
    assert_int_equal(netdev_irq_enable(dev, modes[i].mode, 0), NETDEV_OK);
    (void)netdev_irq_handle(dev);
    assert_false(netdev_irq_rearm(dev));
    assert_int_not_equal(sim_peek(sim, E1000_IMS), 0);
    netdev_irq_disable(dev);
    sim_poke(sim, E1000_ICR, CAUSES);
    sim_forget_accesses(sim);
    netdev_irq_disable(dev);
    assert_false(netdev_irq_rearm(dev));
    assert_false(netdev_irq_handle(dev));
    assert_int_equal(sim_reads(sim) + sim_writes(sim), 0);
    assert_int_equal(netdev_irq_enable(dev, modes[i].mode, 0), NETDEV_OK);
    sim_knobs(sim)->gone = true;
    sim_advance(sim, TICK_US);
    assert_int_equal(netdev_tick(dev), NETDEV_E_GONE);
    sim_forget_accesses(sim);
    assert_false(netdev_irq_rearm(dev));
    assert_false(netdev_irq_handle(dev));
    assert_int_equal(sim_reads(sim) + sim_writes(sim), 0);
    unit_end(sim, dev);
  }
}

/* The loopback test closes and opens the device. */
static void test_interrupts_outlive_the_selftest(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    struct sim *sim;
    struct netdev_selftest test = {0};
    struct netdev *dev = begin(modes[i].device, &sim);
    assert_int_equal(netdev_open(dev), NETDEV_OK);
    assert_int_equal(netdev_irq_enable(dev, modes[i].mode, rate_of(modes[i].device)), NETDEV_OK);
    assert_int_equal(netdev_selftest(dev, true, &test), NETDEV_OK);
    expect_programmed(sim, i);
    unit_end(sim, dev);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_one_interrupt),
      cmocka_unit_test(test_moderation),
      cmocka_unit_test(test_back_from_msix),
      cmocka_unit_test(test_not_ours),
      cmocka_unit_test(test_masked_is_not_ours),
      cmocka_unit_test(test_interrupts_outlive_a_hang),
      cmocka_unit_test(test_no_interrupts_stay_none),
      cmocka_unit_test(test_only_while_enabled),
      cmocka_unit_test(test_interrupts_outlive_the_selftest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
