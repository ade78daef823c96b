/* test_e1000_irq_loop.c - interrupts as a kernel uses them: frames and other devices' interrupts at every point of its
 * loop, and a device that writes as fast as the driver reads. */
#include "irq_bench.h"

#define DD        0x01U
#define EOP       0x02U
#define ERROR_CRC 0x01U

/* The loop of a kernel ------------------------------------------------------------------------------------------- */

#define BUDGET     2U
#define FRAMES     3U /* more than one budget */
#define LOOP_STEPS 50U

/* Handler and work as a kernel runs them, by a platform that gives every register access a number. */
struct loop {
  struct sim *sim;
  struct netdev *dev;
  struct net_platform platform;
  struct unit_client client;
  uint32_t point;  /* points passed so far                                                 */
  uint32_t strike; /* at this one another frame arrives; 0 never                           */
  uint32_t sent;   /* frames that have arrived at the device                               */
  bool foreign;    /* then somebody else on the line interrupts as well                    */
  bool level;      /* interrupts are taken when they come, between any two accesses        */
  bool message;    /* interrupts are messages: seen when they begin, and only then         */
  bool handling;   /* inside the handler: no other interrupt is taken                      */
  bool work;       /* the handler has claimed one                                          */
  uint32_t seen;   /* messages                                                             */
};

static struct loop *running;

static void arrive(struct loop *loop) {
  uint8_t frame[60];
  unit_frame(frame, sizeof(frame), unit_mac, loop->sent + 1U);
  if(sim_inject(loop->sim, frame, sizeof(frame)) == SIM_DELIVERED) {
    loop->sent++;
  }
}

static bool handle(struct loop *loop) {
  loop->handling = true;
  bool claimed = netdev_irq_handle(loop->dev);
  loop->handling = false;
  loop->work |= claimed;
  return claimed;
}

static void pass_point(struct loop *loop) {
  bool strikes = ++loop->point == loop->strike;
  if(strikes) {
    arrive(loop);
  }
  if(strikes && loop->foreign && !loop->handling) {
    (void)handle(loop);
  }
  /* The processor does nothing else before the level is low again. */
  if(loop->level && !loop->handling && sim_interrupt(loop->sim)) {
    assert_true(handle(loop));
    assert_false(sim_interrupt(loop->sim));
  }
}

static uint32_t loop_read32(void *ctx, uint32_t bar, uint32_t offset) {
  pass_point(running);
  uint32_t value = sim_platform(running->sim)->read32(ctx, bar, offset);
  pass_point(running);
  return value;
}

static void loop_write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  pass_point(running);
  sim_platform(running->sim)->write32(ctx, bar, offset, value);
  pass_point(running);
}

static void loop_receive(void *ctx, const struct netdev_frame *frame) {
  pass_point(running);
  unit_receive(ctx, frame);
  pass_point(running);
}

static void loop_begin(struct loop *loop, size_t row) {
  struct sim_config config = unit_config(modes[row].device);
  struct net_config wanted = {
      .id = {.vendor_id = E1000_VENDOR_ID, .device_id = config.device_id}, .tx_descriptors = 16, .rx_descriptors = 16};
  *loop = (struct loop){.sim = sim_create(&config), .message = modes[row].mode != NETDEV_IRQ_INTX};
  running = loop;
  loop->platform = *sim_platform(loop->sim);
  loop->platform.read32 = loop_read32;
  loop->platform.write32 = loop_write32;
  assert_int_equal(e1000_create(&loop->platform, &wanted, &loop->dev), NETDEV_OK);
  unit_client_init(&loop->client, loop->dev, true);
  struct netdev_client client = {
      .ctx = &loop->client, .tx_done = unit_tx_done, .receive = loop_receive, .link_changed = unit_link_changed};
  assert_int_equal(netdev_set_client(loop->dev, &client), NETDEV_OK);
  assert_int_equal(netdev_open(loop->dev), NETDEV_OK);
  loop->seen = sim_interrupts(loop->sim);
  loop->point = 0;
}

/* A line is as high as the device holds it; messages that wait are delivered as one. */
static bool interrupted(struct loop *loop) {
  uint32_t messages = sim_interrupts(loop->sim);
  bool due = loop->message ? messages != loop->seen : sim_interrupt(loop->sim);
  loop->seen = messages;
  return due;
}

/* Serves interrupts until there is none, as tests/kernel does; the causes seen. */
static uint32_t serve(struct loop *loop) {
  uint32_t all = 0;
  for(uint32_t steps = 0; loop->work || interrupted(loop); steps++) {
    assert_true(steps < LOOP_STEPS);
    all |= sim_peek(loop->sim, E1000_ICR);
    if(!loop->work && !handle(loop)) {
      continue;
    }
    do {
      loop->work = false;
      do {
        pass_point(loop);
        (void)netdev_tick(loop->dev);
      } while(netdev_poll(loop->dev, BUDGET) == BUDGET);
      pass_point(loop);
    } while(netdev_irq_rearm(loop->dev));
    pass_point(loop);
  }
  return all;
}

/* Wherever a frame arrives, it is received without another one, or anybody else, having to wake the loop; also when
 * somebody else's interrupt has the causes read in the same moment. */
static void test_no_frame_is_left_behind(void **state) {
  (void)state;
  for(size_t i = 0; i < 2U * MODES; i++) {
    bool struck = true;
    size_t row = i / 2U;
    for(uint32_t strike = 1; struck && (i % 2U == 0 || modes[row].mode == NETDEV_IRQ_INTX); strike++) {
      struct loop loop;
      loop_begin(&loop, row);
      loop.foreign = i % 2U;
      loop.strike = strike;
      arrive(&loop); /* waits already when interrupts are switched on */
      assert_int_equal(netdev_irq_enable(loop.dev, modes[row].mode, 0), NETDEV_OK);
      (void)serve(&loop);
      assert_int_equal(loop.client.received, loop.sent);
      for(uint32_t n = 1; n < FRAMES; n++) {
        arrive(&loop);
      }
      (void)serve(&loop);
      struck = loop.point >= strike;
      assert_int_equal(loop.sent, FRAMES + (struck ? 1U : 0U));
      assert_int_equal(loop.client.received, loop.sent);
      assert_true(struck || strike > 15U); /* there were points to try */
      unit_end(loop.sim, loop.dev);
    }
  }
}

/* What must not be disturbed ------------------------------------------------------------------------------------- */

static void loop_delay(void *ctx, uint32_t us) {
  pass_point(running);
  sim_platform(running->sim)->delay_us(ctx, us);
}

static void mask_all(struct loop *loop) {
  netdev_irq_disable(loop->dev);
}

static void close_it(struct loop *loop) {
  netdev_close(loop->dev);
}

static void enable_again(struct loop *loop) {
  assert_int_equal(netdev_irq_enable(loop->dev, NETDEV_IRQ_INTX, rate_of(sim_knobs(loop->sim)->device_id)), NETDEV_OK);
}

static void hang_once(struct loop *loop) {
  hang(loop->sim, loop->dev);
}

static void test_itself(struct loop *loop) {
  struct netdev_selftest test = {0};
  assert_int_equal(netdev_selftest(loop->dev, true, &test), NETDEV_OK);
}

/* Somebody else's interrupt comes at any point: the handler touches no device in reset (the simulator would say so).
 * And ours is at no point one that the handler would leave on the line. */
static void test_any_moment(void **state) {
  (void)state;
  static void (*const act[])(struct loop *) = {mask_all, close_it, enable_again, hang_once, test_itself};
  for(size_t i = 0; i < sizeof(act) / sizeof(act[0]) * MODES; i++) {
    size_t row = i % MODES;
    bool struck = modes[row].mode == NETDEV_IRQ_INTX;
    for(uint32_t strike = 1; struck; strike += strike < 300U ? 1U : 97U) {
      struct loop loop;
      loop_begin(&loop, row);
      assert_int_equal(netdev_irq_enable(loop.dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
      (void)serve(&loop);
      loop.platform.delay_us = loop_delay;
      loop.point = 0;
      loop.strike = strike;
      loop.foreign = true;
      loop.level = true;
      act[i / MODES](&loop);
      struck = loop.point >= strike;
      loop.level = false;
      loop.strike = 0;
      unit_check(loop.sim, loop.dev);
      unit_end(loop.sim, loop.dev);
    }
  }
}

/* The loop idles; then one thing at a time wakes it, and it alone. */
static void test_what_wakes(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    struct loop loop;
    uint8_t frame[60];
    loop_begin(&loop, i);
    assert_int_equal(netdev_irq_enable(loop.dev, modes[i].mode, 0), NETDEV_OK);
    (void)serve(&loop);
    assert_false(interrupted(&loop));

    unit_frame(frame, sizeof(frame), unit_mac, 1);
    assert_int_equal(netdev_transmit(loop.dev, frame, sizeof(frame), unit_cookie(1), 0), NETDEV_OK);
    assert_int_equal(loop.client.done_total, 0);
    assert_int_equal(serve(&loop) & (E1000_CAUSE_TXDW | E1000_CAUSE_LSC | RXT0), E1000_CAUSE_TXDW);
    assert_int_equal(loop.client.done[1], 1);

    sim_knobs(loop.sim)->link_down = true;
    sim_advance(loop.sim, TICK_US);
    uint32_t causes = serve(&loop);
    assert_int_equal(causes & (E1000_CAUSE_TXDW | E1000_CAUSE_LSC | RXT0), E1000_CAUSE_LSC);
    assert_int_equal(causes & MSIX_CAUSES, modes[i].device == SIM_82574L ? OTHER : 0U);
    assert_false(loop.client.link.up);
    sim_knobs(loop.sim)->link_down = false;
    sim_advance(loop.sim, TICK_US);
    assert_true(serve(&loop) & E1000_CAUSE_LSC);
    assert_true(loop.client.link.up);

    arrive(&loop);
    assert_int_equal(serve(&loop) & (E1000_CAUSE_TXDW | E1000_CAUSE_LSC | RXT0), RXT0);
    assert_int_equal(loop.client.received, 1);
    unit_end(loop.sim, loop.dev);
  }
}

/* Half of the buffers used, and all of them: both are causes, and unmasked. */
static void test_buffers_run_out(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES; i++) {
    struct loop loop;
    uint8_t frame[60];
    loop_begin(&loop, i);
    unit_frame(frame, sizeof(frame), unit_mac, 1);
    while(sim_inject(loop.sim, frame, sizeof(frame)) == SIM_DELIVERED) {
      loop.sent++;
      assert_int_equal(sim_peek(loop.sim, E1000_ICR) & E1000_CAUSE_RXDMT0, loop.sent < 7U ? 0U : E1000_CAUSE_RXDMT0);
    }
    assert_int_equal(sim_peek(loop.sim, E1000_ICR) & E1000_CAUSE_RXO, E1000_CAUSE_RXO);
    assert_int_equal(loop.sent, 15);
    assert_false(sim_interrupt(loop.sim)); /* all is masked still */
    assert_int_equal(netdev_irq_enable(loop.dev, modes[i].mode, 0), NETDEV_OK);
    (void)serve(&loop);
    assert_int_equal(loop.client.received, loop.sent);
    unit_end(loop.sim, loop.dev);
  }
}

/* A flood -------------------------------------------------------------------------------------------------------- */

static const struct net_platform *host;
static uint32_t flood; /* frames to come */

/* For every buffer that it is given back the device has another damaged frame. */
static void flood_write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  static const uint8_t frame[60];
  host->write32(ctx, bar, offset, value);
  while(flood > 0 && offset == E1000_RDT &&
        sim_inject_raw(ctx, frame, sizeof(frame), DD | EOP, ERROR_CRC, sizeof(frame)) == SIM_DELIVERED) {
    flood--;
  }
}

static void test_flood_of_damaged_frames(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82574L);
  struct net_config wanted = {
      .id = {.vendor_id = E1000_VENDOR_ID, .device_id = SIM_82574L}, .tx_descriptors = 8, .rx_descriptors = 8};
  struct sim *sim = sim_create(&config);
  struct netdev *dev;
  struct netdev_frame frame;
  host = sim_platform(sim);
  struct net_platform flooded = *host;
  flooded.write32 = flood_write32;
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
      cmocka_unit_test(test_no_frame_is_left_behind),
      cmocka_unit_test(test_any_moment),
      cmocka_unit_test(test_what_wakes),
      cmocka_unit_test(test_buffers_run_out),
      cmocka_unit_test(test_flood_of_damaged_frames),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
