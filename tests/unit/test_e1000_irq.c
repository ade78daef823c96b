/* test_e1000_irq.c - tests of interrupts: what each mode programs, what the handler costs, and what outlives a reset. */
#include "unit.h"

#define TICK_US 60000U /* a tick that reads STATUS for certain */
#define HANG_US 2000000U
#define CAUSES  (E1000_CAUSE_TXDW | E1000_CAUSE_LSC | E1000_CAUSE_RXDMT0 | E1000_CAUSE_RXO | E1000_CAUSE_RXT0)

static const struct {
  uint16_t device_id;
  enum e1000_irq_mode mode;
} modes[] = {
    {SIM_82540EM, E1000_IRQ_INTX}, {SIM_82544GC, E1000_IRQ_INTX}, {SIM_82545EM, E1000_IRQ_INTX},
    {SIM_82545EM, E1000_IRQ_MSI},  {SIM_82574L, E1000_IRQ_INTX},  {SIM_82574L, E1000_IRQ_MSI},
    {SIM_82574L, E1000_IRQ_MSIX},
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

struct bench {
  struct sim *sim;
  struct netdev *dev;
  struct unit_client client;
};

static void begin(struct bench *bench, size_t mode) {
  struct sim_config config = unit_config(modes[mode].device_id);
  bench->sim = sim_create(&config);
  assert_int_equal(unit_create(bench->sim, 16, 16, &bench->dev), NETDEV_OK);
  unit_client_init(&bench->client, bench->dev, true);
  assert_int_equal(netdev_open(bench->dev), NETDEV_OK);
}

static void end(struct bench *bench) {
  unit_check(bench->sim, bench->dev);
  unit_end(bench->sim, bench->dev);
}

/* 1000 interrupts a second are 3906 intervals of 256 ns. */
static void expect_programmed(const struct bench *bench, size_t mode) {
  bool msix = modes[mode].mode == E1000_IRQ_MSIX;
  assert_int_equal(sim_peek(bench->sim, E1000_IMS), msix ? CAUSES | E1000_CAUSE_82574_MSIX : CAUSES);
  assert_int_equal(sim_peek(bench->sim, E1000_ITR), 3906);
  assert_true(sim_peek(bench->sim, E1000_ICR) & E1000_CAUSE_RXT0); /* raised by ourselves */
  if(modes[mode].device_id == SIM_82574L) {
    assert_int_equal(sim_peek(bench->sim, E1000_IVAR), msix ? E1000_IVAR_ALL_TO_VECTOR_0 : 0);
    assert_int_equal(sim_peek(bench->sim, E1000_CTRL_EXT) & E1000_CTRL_EXT_PBA_SUPPORT,
                     msix ? E1000_CTRL_EXT_PBA_SUPPORT : 0);
  }
}

static void test_modes(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    struct bench bench;
    begin(&bench, i);
    assert_int_equal(sim_peek(bench.sim, E1000_IMS), 0);
    assert_int_equal(e1000_irq_enable(bench.dev, modes[i].mode, 1000), NETDEV_OK);
    expect_programmed(&bench, i);
    assert_int_equal(e1000_irq_enable(bench.dev, modes[i].mode, 0), NETDEV_OK);
    assert_int_equal(sim_peek(bench.sim, E1000_ITR), 0);
    assert_int_equal(e1000_irq_enable(bench.dev, modes[i].mode, 1), NETDEV_OK);
    assert_int_equal(sim_peek(bench.sim, E1000_ITR), 0xFFFF); /* the slowest there is */
    e1000_irq_disable(bench.dev);
    assert_int_equal(sim_peek(bench.sim, E1000_IMS), 0);
    end(&bench);
  }
}

static void test_refusals(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, 0);
  assert_int_equal(e1000_irq_enable(bench.dev, E1000_IRQ_MSIX, 0), NETDEV_E_UNSUPPORTED);
  assert_int_equal(sim_peek(bench.sim, E1000_IMS), 0);
  netdev_close(bench.dev);
  assert_int_equal(e1000_irq_enable(bench.dev, E1000_IRQ_INTX, 0), NETDEV_E_STATE);
  end(&bench);
}

/* What the header promises: one read when it is another device's, one read and one write when it is ours, one write to go
 * on. With MSI-X nobody shares the vector. */
static void test_handler(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    struct bench bench;
    begin(&bench, i);
    assert_int_equal(e1000_irq_enable(bench.dev, modes[i].mode, 0), NETDEV_OK);
    sim_forget_accesses(bench.sim);
    assert_true(e1000_irq_handle(bench.dev) & E1000_CAUSE_RXT0);
    assert_int_equal(sim_reads(bench.sim), 1);
    assert_int_equal(sim_writes(bench.sim), 1);
    assert_int_equal(sim_peek(bench.sim, E1000_IMS), 0);
    if(modes[i].mode != E1000_IRQ_MSIX) {
      assert_int_equal(e1000_irq_handle(bench.dev), 0); /* cleared by the first read */
      assert_int_equal(sim_reads(bench.sim), 2);
      assert_int_equal(sim_writes(bench.sim), 1);
    }
    e1000_irq_rearm(bench.dev);
    assert_int_equal(sim_writes(bench.sim), 2);
    assert_true((sim_peek(bench.sim, E1000_IMS) & CAUSES) == CAUSES);
    end(&bench);
  }
}

static void hang(struct bench *bench) {
  uint8_t frame[100];
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  sim_knobs(bench->sim)->tx_held = true;
  assert_int_equal(netdev_transmit(bench->dev, frame, sizeof(frame), unit_cookie(1), 0), NETDEV_OK);
  for(uint64_t waited = 0; waited < 2U * HANG_US && bench->dev->stats.tx_hangs == 0; waited += TICK_US) {
    sim_advance(bench->sim, TICK_US);
    assert_int_equal(netdev_tick(bench->dev), NETDEV_OK);
  }
  assert_int_equal(bench->dev->stats.tx_hangs, 1);
  sim_knobs(bench->sim)->tx_held = false;
}

/* A kernel that works by interrupts alone would never hear of the NIC again. */
static void test_interrupts_outlive_a_hang(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    struct bench bench;
    begin(&bench, i);
    assert_int_equal(e1000_irq_enable(bench.dev, modes[i].mode, 1000), NETDEV_OK);
    (void)e1000_irq_handle(bench.dev);
    e1000_irq_rearm(bench.dev);
    hang(&bench);
    expect_programmed(&bench, i);
    end(&bench);
  }
}

/* Who did not ask for interrupts, or asked for none any more, gets none. */
static void test_no_interrupts_stay_none(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    struct bench bench;
    begin(&bench, i);
    assert_int_equal(e1000_irq_enable(bench.dev, modes[i].mode, 0), NETDEV_OK);
    e1000_irq_disable(bench.dev);
    hang(&bench);
    assert_int_equal(sim_peek(bench.sim, E1000_IMS), 0);
    end(&bench);

    begin(&bench, i);
    assert_int_equal(e1000_irq_enable(bench.dev, modes[i].mode, 0), NETDEV_OK);
    netdev_close(bench.dev);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    hang(&bench);
    assert_int_equal(sim_peek(bench.sim, E1000_IMS), 0);
    end(&bench);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_modes),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_handler),
      cmocka_unit_test(test_interrupts_outlive_a_hang),
      cmocka_unit_test(test_no_interrupts_stay_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
