/* irq_bench.h - what the tests of interrupts share: each part with each mode it has, and a transmitter that hangs. */
#ifndef IRQ_BENCH_H
#define IRQ_BENCH_H

#include "unit.h"

#define MSIX_CAUSES 0x01F00000U /* 82574 10.2.4                                    */
#define RXT0        0x00000080U
#define OTHER       0x01000000U
#define PER_SECOND  8000U
#define TICK_US     60000U /* a tick that reads STATUS for certain */
#define HANG_US     2000000U

static const struct {
  uint16_t device;
  enum netdev_irq_mode mode;
} modes[] = {
    {SIM_82540EM, NETDEV_IRQ_INTX}, {SIM_82544GC, NETDEV_IRQ_INTX}, {SIM_82545EM, NETDEV_IRQ_MSI},
    {SIM_82574L, NETDEV_IRQ_INTX},  {SIM_82574L, NETDEV_IRQ_MSI},   {SIM_82574L, NETDEV_IRQ_MSIX},
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

/* What a part is asked for: the 82544 moderates nothing. */
static inline uint32_t rate_of(uint16_t device) {
  return device == SIM_82544GC ? 0 : PER_SECOND;
}

static inline void hang(struct sim *sim, struct netdev *dev) {
  uint8_t frame[100];
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  sim_knobs(sim)->tx_held = true;
  assert_int_equal(netdev_transmit(dev, frame, sizeof(frame), unit_cookie(1), 0), NETDEV_OK);
  for(uint64_t waited = 0; waited < 2U * HANG_US && dev->stats.tx_hangs == 0; waited += TICK_US) {
    sim_advance(sim, TICK_US);
    assert_int_equal(netdev_tick(dev), NETDEV_OK);
  }
  assert_int_equal(dev->stats.tx_hangs, 1);
  sim_knobs(sim)->tx_held = false;
}

#endif
