/* fuzz_virtio.c - netdev calls in any order on a virtio device that lies, stops, scribbles into its used rings or has a
 * strange configuration space: each cookie comes back once, an honest device's frames arrive whole and once, the queues
 * hold together, and nothing is touched that is not the device's. */
#include "fuzz.h"

#include "virtio_unit.h"

#define STEPS_MAX  300U
#define FRAMES_MAX 2048U
#define NUMBER_AT  14U

struct bench {
  struct fuzz in;
  struct world world;
  struct net_platform platform;
  const struct net_platform *device;
  bool honest; /* so far the device has done what the specification says        */
  bool bent;   /* its capabilities say what is not so: accesses may miss the mark */
  uint32_t tx_taken;
  uint8_t tx_done[FRAMES_MAX];
  uint32_t rx_count;
  uint8_t rx_seen[FRAMES_MAX];
  uint16_t rx_length[FRAMES_MAX];
};

static void make_frame(uint8_t *frame, size_t length, const uint8_t to[6], uint32_t number) {
  unit_frame(frame, length, to, number);
  memcpy(frame + NUMBER_AT, &number, sizeof(number));
}

static void tx_done(void *ctx, void *cookie, int status) {
  struct bench *bench = ctx;
  uintptr_t number = (uintptr_t)cookie;
  assert_true(number > 0 && number <= bench->tx_taken + 1U && status <= 0);
  assert_int_equal(bench->tx_done[number]++, 0);
}

static void receive(void *ctx, const struct netdev_frame *frame) {
  struct bench *bench = ctx;
  uint8_t expected[NETDEV_MAX_TAGGED_FRAME];
  uint32_t number = 0;
  assert_true(frame->length >= NETDEV_HEADER_LENGTH && frame->length <= NETDEV_MAX_TAGGED_FRAME);
  if(!bench->honest) {
    return;
  }
  assert_true(frame->length >= NUMBER_AT + sizeof(number));
  memcpy(&number, frame->data + NUMBER_AT, sizeof(number));
  assert_true(number < bench->rx_count);
  assert_int_equal(bench->rx_seen[number]++, 0);
  assert_int_equal(frame->length, bench->rx_length[number]);
  make_frame(expected, frame->length, unit_mac, number);
  assert_memory_equal(frame->data, expected, frame->length);
}

/* Whatever the capabilities say: inside a BAR that is there, and aligned. */
static struct bench *guard(void *ctx, uint32_t bar, uint32_t offset, uint32_t width) {
  struct bench *bench = ctx;
  assert_true(bar < NET_BAR_COUNT && bench->device->bar[bar].kind != NET_BAR_NONE);
  assert_true(offset % width == 0 && offset + (uint64_t)width <= bench->device->bar[bar].size);
  return bench;
}

static uint32_t read32(void *ctx, uint32_t bar, uint32_t offset) {
  struct bench *bench = guard(ctx, bar, offset, 4);
  return bench->device->read32(bench->device->ctx, bar, offset);
}

static uint16_t read16(void *ctx, uint32_t bar, uint32_t offset) {
  struct bench *bench = guard(ctx, bar, offset, 2);
  return bench->device->read16(bench->device->ctx, bar, offset);
}

static uint8_t read8(void *ctx, uint32_t bar, uint32_t offset) {
  struct bench *bench = guard(ctx, bar, offset, 1);
  return bench->device->read8(bench->device->ctx, bar, offset);
}

static void write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  struct bench *bench = guard(ctx, bar, offset, 4);
  bench->device->write32(bench->device->ctx, bar, offset, value);
}

static void write16(void *ctx, uint32_t bar, uint32_t offset, uint16_t value) {
  struct bench *bench = guard(ctx, bar, offset, 2);
  bench->device->write16(bench->device->ctx, bar, offset, value);
}

static void write8(void *ctx, uint32_t bar, uint32_t offset, uint8_t value) {
  struct bench *bench = guard(ctx, bar, offset, 1);
  bench->device->write8(bench->device->ctx, bar, offset, value);
}

#define DEVICE(ctx) (((struct bench *)(ctx))->device)

static uint32_t config_read(void *ctx, uint32_t offset, uint32_t width) {
  return DEVICE(ctx)->config_read(DEVICE(ctx)->ctx, offset, width);
}

static void config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value) {
  DEVICE(ctx)->config_write(DEVICE(ctx)->ctx, offset, width, value);
}

static void *plain_alloc(void *ctx, size_t size) {
  return DEVICE(ctx)->alloc(DEVICE(ctx)->ctx, size);
}

static void plain_free(void *ctx, void *memory, size_t size) {
  DEVICE(ctx)->free(DEVICE(ctx)->ctx, memory, size);
}

static int dma_alloc(void *ctx, size_t size, size_t align, uint32_t bits, struct net_dma *out) {
  return DEVICE(ctx)->dma_alloc(DEVICE(ctx)->ctx, size, align, bits, out);
}

static void dma_free(void *ctx, struct net_dma *dma) {
  DEVICE(ctx)->dma_free(DEVICE(ctx)->ctx, dma);
}

/* At least so long: longer, or most of the search would be spent in waits for commands that are not answered. */
static void delay(void *ctx, uint32_t us) {
  DEVICE(ctx)->delay_us(DEVICE(ctx)->ctx, us);
  virtio_sim_advance(((struct bench *)ctx)->world.sim, 50U * (uint64_t)us);
}

static uint64_t now(void *ctx) {
  return DEVICE(ctx)->now_us(DEVICE(ctx)->ctx);
}

static void check(struct bench *bench) {
  if(!bench->bent) {
    world_check(&bench->world);
    return;
  }
  for(uint32_t i = 0; bench->world.dev && i < world_nic(&bench->world)->queue_count; i++) {
    assert_null(virtq_check(&world_nic(&bench->world)->queue[i]));
  }
}

/* The device ----------------------------------------------------------------------------------------------------- */

static void turn_knob(struct bench *bench) {
  struct virtio_sim_config *knobs = bench->world.knobs;
  uint8_t which = fuzz_u8(&bench->in);
  uint8_t value = fuzz_u8(&bench->in);
  bool on = (value & 1U) != 0;
  switch(which % 17U) {
  case 0:
    knobs->delayed = on;
    break;
  case 1:
    knobs->newest_first = on;
    break;
  case 2:
    knobs->tx_held = on;
    break;
  case 3:
    knobs->link_down = on;
    break;
  case 4:
    knobs->wake = (enum virtio_sim_wake)(value % 3U);
    break;
  case 5:
    knobs->notifications_lost = on;
    break;
  case 6:
    knobs->commands_unanswered = on;
    break;
  case 7:
    knobs->commands_refused = on;
    break;
  case 8:
    knobs->features_refused = on;
    break;
  case 9:
    knobs->reset_never_ends = on;
    break;
  case 10:
    knobs->reset_reads = value;
    break;
  case 11:
    knobs->enable_refused = on;
    break;
  case 12:
    knobs->vector_refused = on;
    break;
  case 13:
    knobs->generation_changes = on;
    break;
  case 14:
    knobs->read_fails_at = virtio_sim_accesses(bench->world.sim) + value;
    break;
  case 15:
    knobs->gone_at = virtio_sim_accesses(bench->world.sim) + value;
    knobs->gone_reads_zero = on;
    break;
  default:
    knobs->lie[value % 3U] = (enum virtio_sim_lie)(value / 3U % (VIRTIO_SIM_LENGTH_HUGE + 1U));
    bench->honest = bench->honest && knobs->lie[value % 3U] == VIRTIO_SIM_HONEST;
  }
}

static void arrive(struct bench *bench) {
  uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
  uint32_t number = bench->rx_count;
  if(number < FRAMES_MAX) {
    size_t length = 18U + fuzz_u16(&bench->in) % (NETDEV_MAX_TAGGED_FRAME - 17U);
    make_frame(frame, length, unit_mac, number);
    bench->rx_length[number] = (uint16_t)length;
    bench->rx_count++;
    (void)virtio_sim_inject(bench->world.sim, frame, length);
  }
}

/* Words into the used ring, as a device does that has lost its mind. */
static void scribble(struct bench *bench) {
  uint32_t queue = fuzz_u8(&bench->in) % 3U;
  uint32_t offset = fuzz_u16(&bench->in);
  bench->honest = false;
  virtio_sim_scribble(bench->world.sim, queue, offset, fuzz_u16(&bench->in));
}

/* The caller ----------------------------------------------------------------------------------------------------- */

static void transmit(struct bench *bench) {
  uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
  uint16_t value = fuzz_u16(&bench->in);
  uint32_t number = bench->tx_taken + 1U;
  if(number < FRAMES_MAX) {
    size_t length = 18U + (value & 0x7FFFU) % (NETDEV_MAX_TAGGED_FRAME - 17U);
    make_frame(frame, length, unit_other, number);
    bench->tx_taken +=
        netdev_transmit(bench->world.dev, frame, length, unit_cookie(number), value >> 15 ? NETDEV_TX_MORE : 0) == 0;
  }
}

static void set_filter(struct bench *bench) {
  static const uint8_t groups[3][6] = {{1, 0, 0x5E, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 1}, {1, 0, 0, 0, 0, 7}};
  uint8_t value = fuzz_u8(&bench->in);
  uint32_t count = value >> 5 & 3U;
  (void)netdev_set_filter(bench->world.dev, (value & 0x1FU) | NETDEV_FILTER_UNICAST, count ? groups : NULL, count);
}

static void interrupts(struct bench *bench) {
  struct netdev *dev = bench->world.dev;
  uint8_t value = fuzz_u8(&bench->in);
  bool msix = (value & 8U) != 0;
  if(value % 4U == 0) {
    netdev_irq_disable(dev);
    virtio_sim_set_msix(bench->world.sim, msix);
    (void)netdev_irq_enable(dev, msix ? NETDEV_IRQ_MSIX : NETDEV_IRQ_INTX, 0);
  } else if(value % 4U == 1U) {
    (void)netdev_irq_handle(dev);
  } else if(value % 4U == 2U) {
    (void)netdev_irq_rearm(dev);
  } else {
    netdev_irq_disable(dev);
    virtio_sim_set_msix(bench->world.sim, false);
  }
}

static void step(struct bench *bench) {
  struct netdev *dev = bench->world.dev;
  uint8_t mac[6] = {0x02, 0, 0, 0, 0, 1};
  switch(fuzz_u8(&bench->in) % 18U) {
  case 0:
    (void)netdev_open(dev);
    break;
  case 1:
    netdev_close(dev);
    virtio_sim_set_msix(bench->world.sim, false);
    break;
  case 2:
  case 3:
  case 4:
    transmit(bench);
    break;
  case 5:
  case 6:
  case 7:
    arrive(bench);
    break;
  case 8:
    (void)netdev_poll(dev, fuzz_u8(&bench->in) % 64U + 1U);
    break;
  case 9:
    (void)netdev_complete(dev);
    break;
  case 10:
    netdev_flush(dev);
    break;
  case 11:
    virtio_sim_advance(bench->world.sim, (uint64_t)fuzz_u16(&bench->in) * 200U);
    (void)netdev_tick(dev);
    break;
  case 12:
    set_filter(bench);
    break;
  case 13:
    mac[5] = fuzz_u8(&bench->in);
    (void)netdev_set_mac(dev, mac[5] ? mac : NULL);
    break;
  case 14:
    interrupts(bench);
    break;
  case 15:
    turn_knob(bench);
    break;
  case 16:
    virtio_sim_step(bench->world.sim);
    if(fuzz_u8(&bench->in) % 8U == 0) {
      virtio_sim_need_reset(bench->world.sim);
    }
    break;
  default:
    scribble(bench);
  }
}

/* Life ----------------------------------------------------------------------------------------------------------- */

static void make_world(struct bench *bench) {
  struct fuzz *in = &bench->in;
  uint8_t kind = fuzz_u8(in);
  struct virtio_sim_config config = {
      .device_id = kind & 1U ? VIRTIO_SIM_TRANSITIONAL : VIRTIO_SIM_MODERN,
      .layout = kind & 1U ? (enum virtio_sim_layout)(kind >> 1 & 1U ? VIRTIO_SIM_LAYOUT_ODD : VIRTIO_SIM_LAYOUT_QEMU)
                          : (enum virtio_sim_layout)(kind >> 1 & 3U),
      .features = (VIRTIO_SIM_FEATURES | 1ULL << 3) ^ (kind & 8U ? (uint64_t)fuzz_u32(in) : 0),
      .mtu = kind & 16U ? fuzz_u16(in) : 1500U,
      .num_buffers_left = (kind & 32U) != 0,
      .doorbells_shared = (kind & 64U) != 0,
      .queue_size = {(uint16_t)(8U << fuzz_u8(in) % 4U), (uint16_t)(8U << fuzz_u8(in) % 4U), 16},
      .master_ends = true,
  };
  world_make(&bench->world, config);
  bench->honest = true;
  if(kind & 128U) {
    bench->bent = true;
    for(uint32_t i = fuzz_u8(in) % 16U; i > 0; i--) {
      uint32_t at = 0x34U + fuzz_u8(in) % 0xCCU;
      virtio_sim_config_space(bench->world.sim)[at] = fuzz_u8(in);
    }
  }
  bench->device = virtio_sim_platform(bench->world.sim);
  bench->platform = *bench->device;
  bench->platform.ctx = bench;
  bench->platform.read32 = read32;
  bench->platform.read16 = read16;
  bench->platform.read8 = read8;
  bench->platform.write32 = write32;
  bench->platform.write16 = write16;
  bench->platform.write8 = write8;
  bench->platform.config_read = config_read;
  bench->platform.config_write = config_write;
  bench->platform.alloc = plain_alloc;
  bench->platform.free = plain_free;
  bench->platform.dma_alloc = dma_alloc;
  bench->platform.dma_free = dma_free;
  bench->platform.delay_us = delay;
  bench->platform.now_us = now;
  bench->platform.log = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct bench bench;
  bench = (struct bench){.in = {.at = data, .left = size}};
  make_world(&bench);
  struct net_config config = {.id = {.vendor_id = 0x1AF4, .device_id = bench.world.knobs->device_id},
                              .tx_descriptors = 16,
                              .rx_descriptors = 16};
  if(virtio_net_create(&bench.platform, &config, &bench.world.dev) == NETDEV_OK) {
    struct netdev_client client = {.ctx = &bench, .tx_done = tx_done, .receive = receive};
    assert_int_equal(netdev_set_client(bench.world.dev, &client), NETDEV_OK);
    (void)netdev_open(bench.world.dev);
    for(uint32_t i = 0; i < STEPS_MAX && bench.in.left > 0; i++) {
      step(&bench);
      check(&bench);
    }
    netdev_destroy(bench.world.dev);
  }
  bench.world.dev = NULL;
  check(&bench);
  for(uint32_t i = 1; i <= bench.tx_taken; i++) {
    assert_int_equal(bench.tx_done[i], 1);
  }
  assert_int_equal(virtio_sim_leaks(bench.world.sim), 0);
  virtio_sim_destroy(bench.world.sim);
  return 0;
}
