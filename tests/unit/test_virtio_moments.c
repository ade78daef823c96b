/* test_virtio_moments.c - interrupts of the virtio driver over the simulator: a frame comes, and its interrupt, at
 * every point at which the driver touches its host, and none is left behind. */
#include "virtio_unit.h"

#define WITHOUT_EVENT_IDX (VIRTIO_SIM_FEATURES & ~UNIT_EVENT_IDX)
#define STORM             4U /* times that a handler may be asked while the line stays high */

/* A kernel with one device: its handler runs whenever the device interrupts, at once; its loop polls when the handler
 * said so, and for no other reason. */
struct loop {
  struct world world;
  struct net_platform platform;
  const struct net_platform *device;
  bool msix;
  bool running; /* handlers are installed */
  bool in_handler;
  uint32_t messages; /* seen */
  bool work;         /* the handler said so */
  uint32_t point;
  uint32_t strike; /* the point at which a frame comes; 0 never */
  uint32_t arrived;
  bool stray; /* at that point somebody else interrupts on the same line, and no frame comes */
};

static uint32_t messages(const struct loop *loop) {
  uint32_t sum = 0;
  for(uint32_t i = 0; i < VIRTIO_SIM_VECTORS; i++) {
    sum += virtio_sim_messages(loop->world.sim, i);
  }
  return sum;
}

/* What the device wants of the processor now. */
static void deliver_interrupts(struct loop *loop) {
  if(!loop->running || loop->in_handler) {
    return;
  }
  loop->in_handler = true;
  if(loop->msix) {
    while(loop->messages != messages(loop)) {
      loop->messages++;
      loop->work = netdev_irq_handle(loop->world.dev) || loop->work;
    }
  } else {
    for(uint32_t i = 0; virtio_sim_interrupt(loop->world.sim); i++) {
      assert_true(i < STORM);
      loop->work = netdev_irq_handle(loop->world.dev) || loop->work;
    }
  }
  loop->in_handler = false;
}

static void reach_point(struct loop *loop) {
  if(loop->in_handler) {
    return;
  }
  if(++loop->point == loop->strike && loop->stray && loop->running) {
    loop->in_handler = true;
    loop->work = netdev_irq_handle(loop->world.dev) || loop->work;
    loop->in_handler = false;
  } else if(loop->point == loop->strike) {
    loop->arrived += world_arrive(&loop->world, loop->arrived, 60) == SIM_DELIVERED;
  }
  deliver_interrupts(loop);
}

#define LOOP(ctx) ((struct loop *)(ctx))

static uint32_t loop_read32(void *ctx, uint32_t bar, uint32_t offset) {
  reach_point(ctx);
  return LOOP(ctx)->device->read32(LOOP(ctx)->device->ctx, bar, offset);
}

static uint16_t loop_read16(void *ctx, uint32_t bar, uint32_t offset) {
  reach_point(ctx);
  return LOOP(ctx)->device->read16(LOOP(ctx)->device->ctx, bar, offset);
}

static uint8_t loop_read8(void *ctx, uint32_t bar, uint32_t offset) {
  reach_point(ctx);
  return LOOP(ctx)->device->read8(LOOP(ctx)->device->ctx, bar, offset);
}

static void loop_write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  reach_point(ctx);
  LOOP(ctx)->device->write32(LOOP(ctx)->device->ctx, bar, offset, value);
}

static void loop_write16(void *ctx, uint32_t bar, uint32_t offset, uint16_t value) {
  reach_point(ctx);
  LOOP(ctx)->device->write16(LOOP(ctx)->device->ctx, bar, offset, value);
  reach_point(ctx);
}

static void loop_write8(void *ctx, uint32_t bar, uint32_t offset, uint8_t value) {
  reach_point(ctx);
  LOOP(ctx)->device->write8(LOOP(ctx)->device->ctx, bar, offset, value);
}

static uint32_t loop_config_read(void *ctx, uint32_t offset, uint32_t width) {
  reach_point(ctx);
  return LOOP(ctx)->device->config_read(LOOP(ctx)->device->ctx, offset, width);
}

static void loop_config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value) {
  reach_point(ctx);
  LOOP(ctx)->device->config_write(LOOP(ctx)->device->ctx, offset, width, value);
  reach_point(ctx);
}

static void *loop_alloc(void *ctx, size_t size) {
  return LOOP(ctx)->device->alloc(LOOP(ctx)->device->ctx, size);
}

static void loop_free(void *ctx, void *memory, size_t size) {
  LOOP(ctx)->device->free(LOOP(ctx)->device->ctx, memory, size);
}

static int loop_dma_alloc(void *ctx, size_t size, size_t align, uint32_t bits, struct net_dma *out) {
  return LOOP(ctx)->device->dma_alloc(LOOP(ctx)->device->ctx, size, align, bits, out);
}

static void loop_dma_free(void *ctx, struct net_dma *dma) {
  LOOP(ctx)->device->dma_free(LOOP(ctx)->device->ctx, dma);
}

static void loop_delay(void *ctx, uint32_t us) {
  reach_point(ctx);
  LOOP(ctx)->device->delay_us(LOOP(ctx)->device->ctx, us);
}

static uint64_t loop_now(void *ctx) {
  reach_point(ctx);
  return LOOP(ctx)->device->now_us(LOOP(ctx)->device->ctx);
}

/* The loop that a kernel runs when the handler said so. */
static void serve(struct loop *loop) {
  deliver_interrupts(loop);
  while(loop->work) {
    loop->work = false;
    do {
      while(netdev_poll(loop->world.dev, 2) == 2U) {
        reach_point(loop);
      }
      reach_point(loop);
    } while(netdev_irq_rearm(loop->world.dev));
    reach_point(loop);
    deliver_interrupts(loop);
  }
}

static const struct {
  bool msix;
  uint64_t features;
} modes[] = {{false, 0}, {false, WITHOUT_EVENT_IDX}, {true, 0}, {true, WITHOUT_EVENT_IDX}};

#define MODES (sizeof(modes) / sizeof(modes[0]))

static void enable(struct loop *loop) {
  if(loop->msix) {
    virtio_sim_set_msix(loop->world.sim, true);
  }
  loop->running = true;
  assert_int_equal(netdev_irq_enable(loop->world.dev, loop->msix ? NETDEV_IRQ_MSIX : NETDEV_IRQ_INTX, 0), NETDEV_OK);
}

static void loop_begin(struct loop *loop, size_t mode) {
  memset(loop, 0, sizeof(*loop));
  world_make(&loop->world, (struct virtio_sim_config){.features = modes[mode].features});
  loop->device = virtio_sim_platform(loop->world.sim);
  loop->msix = modes[mode].msix;
  loop->platform = *loop->device;
  loop->platform.ctx = loop;
  loop->platform.read32 = loop_read32;
  loop->platform.read16 = loop_read16;
  loop->platform.read8 = loop_read8;
  loop->platform.write32 = loop_write32;
  loop->platform.write16 = loop_write16;
  loop->platform.write8 = loop_write8;
  loop->platform.config_read = loop_config_read;
  loop->platform.config_write = loop_config_write;
  loop->platform.alloc = loop_alloc;
  loop->platform.free = loop_free;
  loop->platform.dma_alloc = loop_dma_alloc;
  loop->platform.dma_free = loop_dma_free;
  loop->platform.delay_us = loop_delay;
  loop->platform.now_us = loop_now;
  loop->platform.log = NULL;
  struct net_config config = {
      .id = {.vendor_id = 0x1AF4, .device_id = VIRTIO_SIM_MODERN}, .tx_descriptors = 16, .rx_descriptors = 16};
  assert_int_equal(virtio_net_create(&loop->platform, &config, &loop->world.dev), NETDEV_OK);
  unit_client_init(&loop->world.client, loop->world.dev, true);
  assert_int_equal(netdev_set_filter(loop->world.dev, NETDEV_FILTER_UNICAST, NULL, 0), NETDEV_OK);
  assert_int_equal(netdev_open(loop->world.dev), NETDEV_OK);
}

/* The handler and the loop alone bring in whatever comes from now on. */
static void still_wakes(struct loop *loop) {
  uint32_t before = loop->world.client.received;
  for(uint32_t i = 0; i < 20; i++) {
    assert_int_equal(world_arrive(&loop->world, 500 + i, 60), SIM_DELIVERED);
    serve(loop);
    assert_int_equal(loop->world.client.received, before + i + 1U);
  }
  uint32_t done = loop->world.client.done_total;
  assert_int_equal(world_send(&loop->world, 600, 60, 0), NETDEV_OK);
  serve(loop);
  assert_int_equal(loop->world.client.done_total, done + 1U);
}

/* Acts ------------------------------------------------------------------------------------------------------------- */

/* All that comes meanwhile must be received, but for those that reset the device: `loses`. */
static void act_serve(struct loop *loop) {
  loop->arrived += world_arrive(&loop->world, 900, 60) == SIM_DELIVERED;
  serve(loop);
}

static void act_send(struct loop *loop) {
  assert_int_equal(world_send(&loop->world, 901, 60, 0), NETDEV_OK);
}

static void act_filter(struct loop *loop) {
  assert_int_equal(netdev_set_filter(loop->world.dev, NETDEV_FILTER_PROMISCUOUS, NULL, 0), NETDEV_OK);
}

static void act_tick(struct loop *loop) {
  loop->world.knobs->link_down = true;
  virtio_sim_advance(loop->world.sim, UNIT_TICK_US);
  assert_int_equal(netdev_tick(loop->world.dev), NETDEV_OK);
  loop->world.knobs->link_down = false;
  virtio_sim_advance(loop->world.sim, UNIT_TICK_US);
  assert_int_equal(netdev_tick(loop->world.dev), NETDEV_OK);
}

static void act_enable_again(struct loop *loop) {
  netdev_irq_disable(loop->world.dev);
  reach_point(loop);
  assert_int_equal(netdev_irq_enable(loop->world.dev, loop->msix ? NETDEV_IRQ_MSIX : NETDEV_IRQ_INTX, 0), NETDEV_OK);
}

static void act_reset(struct loop *loop) {
  virtio_sim_need_reset(loop->world.sim);
  deliver_interrupts(loop);
  virtio_sim_advance(loop->world.sim, UNIT_TICK_US);
  assert_int_equal(netdev_tick(loop->world.dev), NETDEV_OK);
}

static void act_close(struct loop *loop) {
  netdev_close(loop->world.dev);
  loop->running = false;
  if(loop->msix) {
    virtio_sim_set_msix(loop->world.sim, false);
  }
  assert_int_equal(netdev_open(loop->world.dev), NETDEV_OK);
  loop->messages = messages(loop);
  enable(loop);
}

static const struct {
  void (*run)(struct loop *loop);
  bool loses;
} acts[] = {{act_serve, false},        {act_send, false}, {act_filter, false}, {act_tick, false},
            {act_enable_again, false}, {act_reset, true}, {act_close, true}};

#define ACTS (sizeof(acts) / sizeof(acts[0]))

static void test_a_frame_at_every_point(void **state) {
  (void)state;
  for(size_t i = 0; i < MODES * ACTS * 2U; i++) {
    size_t act = i / MODES % ACTS;
    bool struck = true;
    for(uint32_t strike = 1; struck; strike++) {
      struct loop loop;
      loop_begin(&loop, i % MODES);
      enable(&loop);
      serve(&loop);
      loop.point = 0;
      loop.strike = strike;
      loop.stray = i >= MODES * ACTS;
      acts[act].run(&loop);
      struck = loop.point >= strike;
      loop.strike = 0;
      serve(&loop);
      if(!acts[act].loses) {
        assert_int_equal(loop.world.client.received, loop.arrived);
      }
      world_check(&loop.world);
      still_wakes(&loop);
      loop.running = false;
      world_end(&loop.world);
    }
  }
}

/* Frames that came before interrupts were enabled raise one. */
static void test_what_waits_already(void **state) {
  (void)state;
  for(size_t mode = 0; mode < MODES; mode++) {
    struct loop loop;
    loop_begin(&loop, mode);
    for(uint32_t i = 0; i < 5; i++) {
      assert_int_equal(world_arrive(&loop.world, i, 60), SIM_DELIVERED);
    }
    assert_false(virtio_sim_interrupt(loop.world.sim));
    enable(&loop);
    serve(&loop);
    assert_int_equal(loop.world.client.received, 5);
    loop.running = false;
    world_end(&loop.world);
  }
}

/* Polled: whatever comes, the line stays low and no message is sent. */
static void test_polled_is_silent(void **state) {
  (void)state;
  for(size_t mode = 0; mode < MODES; mode++) {
    struct loop loop;
    loop_begin(&loop, mode);
    virtio_sim_set_msix(loop.world.sim, modes[mode].msix);
    for(uint32_t i = 0; i < 1000; i++) {
      assert_int_equal(world_arrive(&loop.world, i, 60), SIM_DELIVERED);
      assert_int_equal(world_send(&loop.world, i, 60, 0), NETDEV_OK);
      assert_int_equal(netdev_poll(loop.world.dev, 4), 1);
      assert_false(virtio_sim_interrupt(loop.world.sim));
      assert_int_equal(messages(&loop), 0);
    }
    world_end(&loop.world);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_frame_at_every_point),
      cmocka_unit_test(test_what_waits_already),
      cmocka_unit_test(test_polled_is_silent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
