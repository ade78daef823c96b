/* test_virtio_sim.c - what the simulated virtio device does, against a driver of a few lines. */
#include "virtio_mini.h"

/* What the device does --------------------------------------------------------------------------------------------- */

static void test_frames(void **state) {
  (void)state;
  struct mini m;
  size_t length = 0;
  up(&m, (struct virtio_sim_config){0});
  queue_frame(&m, 3, other, 60);
  assert_int_equal(virtio_sim_frames(m.sim), 0);
  bell(&m, TX);
  assert_int_equal(virtio_sim_frames(m.sim), 1);
  assert_memory_equal(virtio_sim_frame(m.sim, 0, &length), other, 6);
  assert_int_equal(length, 60);
  assert_int_equal(used_index(&m, TX), 1);
  assert_int_equal(used_id(&m, TX, 0), 3);
  assert_int_equal(virtio_sim_needless(m.sim, TX), 0);

  assert_int_equal(arrive(&m, station), SIM_DELIVERED);
  assert_int_equal(used_index(&m, RX), 1);
  assert_int_equal(used_id(&m, RX, 0), 0);
  assert_int_equal(used_length(&m, RX, 0), HEADER + 60);
  assert_int_equal(get(m.queue[RX].buffers.cpu, 10, 2), 1);
  assert_memory_equal((uint8_t *)m.queue[RX].buffers.cpu + HEADER, station, 6);
  down(&m);
}

static void test_num_buffers_left(void **state) {
  (void)state;
  struct mini m;
  up(&m, (struct virtio_sim_config){.num_buffers_left = true});
  memset(m.queue[RX].buffers.cpu, 0xEE, BUFFER);
  assert_int_equal(arrive(&m, station), SIM_DELIVERED);
  assert_int_equal(get(m.queue[RX].buffers.cpu, 10, 2), 0xEEEE);
  assert_int_equal(get(m.queue[RX].buffers.cpu, 0, 2), 0);
  down(&m);
}

static void test_commands_and_filter(void **state) {
  (void)state;
  static const uint8_t calm[] = {0, 0, 0};
  static const uint8_t quiet[] = {0, 5, 1};
  static const uint8_t move[] = {1, 1, 0x52, 0x54, 0x00, 0x09, 0x09, 0x09};
  static const uint8_t table[] = {1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x01, 0x00, 0x5E, 0x00, 0x00, 0x05};
  struct mini m;
  up(&m, (struct virtio_sim_config){0});
  assert_int_equal(arrive(&m, other), SIM_DELIVERED); /* promiscuous after a reset */
  assert_int_equal(command(&m, calm, sizeof(calm)), 0);
  assert_int_equal(arrive(&m, other), SIM_FILTERED);
  assert_int_equal(arrive(&m, group), SIM_FILTERED);
  assert_int_equal(arrive(&m, all), SIM_DELIVERED);
  assert_int_equal(command(&m, quiet, sizeof(quiet)), 0);
  assert_int_equal(arrive(&m, all), SIM_FILTERED);
  assert_int_equal(command(&m, table, sizeof(table)), 0);
  assert_int_equal(arrive(&m, group), SIM_DELIVERED);
  uint8_t generation = r8(&m, GENERATION);
  assert_int_equal(command(&m, move, sizeof(move)), 0);
  assert_int_equal(arrive(&m, other), SIM_DELIVERED);
  assert_int_equal(arrive(&m, station), SIM_FILTERED);
  assert_int_equal(r8(&m, DEVICE + 5), 0x09);
  assert_int_not_equal(r8(&m, GENERATION), generation);
  m.knobs->commands_refused = true;
  assert_int_equal(command(&m, calm, sizeof(calm)), 1);
  assert_int_equal(used_index(&m, CTRL), 5);
  m.knobs->commands_unanswered = true;
  assert_int_equal(command(&m, calm, sizeof(calm)), 0xAA);
  assert_int_equal(used_index(&m, CTRL), 5);
  down(&m);
}

static void test_vlan_trap(void **state) {
  (void)state;
  struct mini m;
  uint8_t frame[60];
  make(&m, (struct virtio_sim_config){0});
  m.features |= F_VLAN;
  start(&m);
  make_frame(frame, station);
  frame[12] = 0x81;
  frame[13] = 0x00;
  assert_int_equal(virtio_sim_inject(m.sim, frame, sizeof(frame)), SIM_FILTERED);
  down(&m);
}

/* Notifications are wanted when the device has gone to sleep, and not while it works. */
static void test_needless(void **state) {
  (void)state;
  struct mini m;
  for(uint32_t event = 0; event < 2; event++) {
    make(&m, (struct virtio_sim_config){.delayed = true});
    m.features = event ? BASE : BASE & ~F_EVENT;
    start(&m);
    queue_frame(&m, 0, other, 60);
    bell(&m, TX);
    assert_int_equal(virtio_sim_needless(m.sim, TX), 0);
    queue_frame(&m, 1, other, 60);
    bell(&m, TX);
    assert_int_equal(virtio_sim_needless(m.sim, TX), 1);
    assert_int_equal(virtio_sim_frames(m.sim), 0);
    virtio_sim_step(m.sim);
    assert_int_equal(virtio_sim_frames(m.sim), 2);
    queue_frame(&m, 0, other, 60);
    bell(&m, TX);
    assert_int_equal(virtio_sim_needless(m.sim, TX), 1);
    virtio_sim_step(m.sim);
    m.knobs->wake = VIRTIO_SIM_WAKE_NEVER;
    virtio_sim_step(m.sim);
    queue_frame(&m, 0, other, 60);
    bell(&m, TX);
    assert_int_equal(virtio_sim_needless(m.sim, TX), 2);
    virtio_sim_step(m.sim);
    m.knobs->wake = VIRTIO_SIM_WAKE_ALWAYS;
    virtio_sim_step(m.sim);
    queue_frame(&m, 0, other, 60);
    bell(&m, TX);
    queue_frame(&m, 1, other, 60);
    bell(&m, TX);
    assert_int_equal(virtio_sim_needless(m.sim, TX), 2);
    down(&m);
  }
}

static void test_starved(void **state) {
  (void)state;
  struct mini m;
  struct virtio_sim_queue_state seen;
  up(&m, (struct virtio_sim_config){0});
  queue_frame(&m, 0, other, 60);
  virtio_sim_queue(m.sim, TX, &seen);
  assert_true(seen.starved);
  bell(&m, TX);
  virtio_sim_queue(m.sim, TX, &seen);
  assert_false(seen.starved);
  for(uint32_t i = 0; i < SIZE; i++) {
    assert_int_equal(arrive(&m, station), SIM_DELIVERED);
  }
  assert_int_equal(arrive(&m, station), SIM_NO_BUFFER);
  virtio_sim_queue(m.sim, RX, &seen);
  assert_false(seen.starved);
  offer(&m, RX, 0);
  publish(&m, RX);
  virtio_sim_queue(m.sim, RX, &seen);
  assert_true(seen.starved);
  bell(&m, RX);
  assert_int_equal(virtio_sim_needless(m.sim, RX), 0);
  assert_int_equal(arrive(&m, station), SIM_DELIVERED);
  down(&m);
}

static void test_intx(void **state) {
  (void)state;
  struct mini m;
  up(&m, (struct virtio_sim_config){0});
  assert_int_equal(arrive(&m, station), SIM_DELIVERED);
  assert_true(virtio_sim_interrupt(m.sim)); /* used_event is 0: the first entry */
  assert_int_equal(arrive(&m, station), SIM_DELIVERED);
  assert_int_equal(virtio_sim_interrupts(m.sim), 1);
  assert_int_equal(m.p->config_read(m.p->ctx, 6, 2) & 8U, 8U);
  m.p->config_write(m.p->ctx, 4, 2, 0x407);
  assert_false(virtio_sim_interrupt(m.sim));
  m.p->config_write(m.p->ctx, 4, 2, 0x007);
  assert_true(virtio_sim_interrupt(m.sim));
  assert_int_equal(r8(&m, ISR), 1);
  assert_false(virtio_sim_interrupt(m.sim));
  assert_int_equal(arrive(&m, station), SIM_DELIVERED); /* past used_event */
  assert_false(virtio_sim_interrupt(m.sim));
  put(m.queue[RX].avail.cpu, 4U + 2U * SIZE, 3, 2);
  assert_int_equal(arrive(&m, station), SIM_DELIVERED);
  assert_true(virtio_sim_interrupt(m.sim));
  assert_int_equal(r8(&m, ISR), 1);
  m.knobs->link_down = true;
  assert_true(virtio_sim_interrupt(m.sim));
  assert_int_equal(r16(&m, DEVICE + 6), 0);
  assert_int_equal(r8(&m, ISR), 2);
  virtio_sim_need_reset(m.sim);
  assert_int_equal(r8(&m, STATUS), 0x4F);
  assert_int_equal(r8(&m, ISR), 2);
  down(&m);
}

static void test_msix(void **state) {
  (void)state;
  struct mini m;
  make(&m, (struct virtio_sim_config){0});
  virtio_sim_set_msix(m.sim, true);
  prepare(&m);
  w16(&m, CONFIG_VECTOR, 3);
  w8(&m, STATUS, 0xF);
  bell(&m, RX);
  assert_int_equal(arrive(&m, station), SIM_DELIVERED);
  assert_false(virtio_sim_interrupt(m.sim));
  assert_int_equal(virtio_sim_messages(m.sim, RX), 1);
  queue_frame(&m, 0, other, 60);
  bell(&m, TX);
  assert_int_equal(virtio_sim_messages(m.sim, TX), 1);
  m.knobs->link_down = true;
  (void)virtio_sim_interrupt(m.sim);
  assert_int_equal(virtio_sim_messages(m.sim, 3), 1);
  w16(&m, CONFIG_VECTOR, VIRTIO_SIM_VECTORS);
  assert_int_equal(r16(&m, CONFIG_VECTOR), 0xFFFF);
  m.knobs->vector_refused = true;
  w16(&m, CONFIG_VECTOR, 0);
  assert_int_equal(r16(&m, CONFIG_VECTOR), 0xFFFF);
  down(&m);
}

static void test_features_refused(void **state) {
  (void)state;
  static const struct virtio_sim_config refusing[] = {
      {.features_refused = true},
      {.features = BASE | F_ACCESS},
      {.features_needed = F(40)},
  };
  for(size_t i = 0; i <= sizeof(refusing) / sizeof(refusing[0]); i++) {
    struct mini m;
    bool old = i == sizeof(refusing) / sizeof(refusing[0]);
    make(&m, old ? (struct virtio_sim_config){0} : refusing[i]);
    m.features = old ? BASE & ~F_ONE : BASE;
    reset(&m);
    accept(&m);
    assert_int_equal(r8(&m, STATUS), 0x3);
    down(&m);
  }
}

static void test_reset(void **state) {
  (void)state;
  struct mini m;
  up(&m, (struct virtio_sim_config){.reset_reads = 3});
  w8(&m, STATUS, 0);
  for(uint32_t i = 0; i < 3; i++) {
    assert_int_equal(r8(&m, STATUS), 0xF);
  }
  assert_int_equal(r8(&m, STATUS), 0);
  m.knobs->reset_reads = 0;
  assert_int_equal(arrive(&m, station), SIM_DEAF);
  down(&m);

  up(&m, (struct virtio_sim_config){.reset_never_ends = true});
  w8(&m, STATUS, 0);
  assert_int_equal(r8(&m, STATUS), 0xF);
  assert_int_equal(arrive(&m, station), SIM_DELIVERED);
  m.knobs->reset_never_ends = false;
  down(&m);
}

static void test_bus_master(void **state) {
  (void)state;
  struct mini m;
  up(&m, (struct virtio_sim_config){.master_ends = true});
  m.p->config_write(m.p->ctx, 4, 2, 3);
  assert_int_equal(r8(&m, STATUS), 0xB);
  assert_int_equal(arrive(&m, station), SIM_DEAF);
  let_go(&m); /* no harm: it cannot reach memory */
  assert_string_equal(virtio_sim_violation_text(m.sim), "");
  virtio_sim_destroy(m.sim);
}

static void test_gone(void **state) {
  (void)state;
  struct mini m;
  up(&m, (struct virtio_sim_config){0});
  m.knobs->read_fails_at = virtio_sim_accesses(m.sim) + 1;
  assert_int_equal(r8(&m, STATUS), 0xFF);
  assert_int_equal(r8(&m, STATUS), 0x0F);
  m.knobs->gone_at = virtio_sim_accesses(m.sim) + 2;
  assert_int_equal(r16(&m, SELECT), 2);
  assert_int_equal(r16(&m, SELECT), 0xFFFF);
  assert_int_equal(m.p->config_read(m.p->ctx, 0, 2), UINT32_MAX);
  assert_int_equal(arrive(&m, station), SIM_DEAF);
  m.knobs->gone_reads_zero = true;
  assert_int_equal(r16(&m, SELECT), 0);
  let_go(&m);
  assert_string_equal(virtio_sim_violation_text(m.sim), "");
  virtio_sim_destroy(m.sim);
}

static void test_generation(void **state) {
  (void)state;
  struct mini m;
  make(&m, (struct virtio_sim_config){.generation_changes = true});
  assert_int_not_equal(r8(&m, GENERATION), r8(&m, GENERATION));
  down(&m);
}

/* Layouts: the capability list leads to the structures, and PCI's window to the same registers. */
static void test_layouts(void **state) {
  (void)state;
  for(enum virtio_sim_layout layout = VIRTIO_SIM_LAYOUT_QEMU; layout <= VIRTIO_SIM_LAYOUT_ODD; layout++) {
    struct virtio_sim_config config = {.device_id = VIRTIO_SIM_MODERN, .layout = layout};
    struct virtio_sim *sim = virtio_sim_create(&config);
    const struct net_platform *p = virtio_sim_platform(sim);
    uint32_t found[6] = {0}; /* offsets of the first capability of each type */
    bool msix = false;
    for(uint32_t at = p->config_read(p->ctx, 0x34, 1); at; at = p->config_read(p->ctx, at + 1, 1)) {
      uint32_t type = p->config_read(p->ctx, at + 3, 1);
      bool vendor = p->config_read(p->ctx, at, 1) == 9 && p->config_read(p->ctx, at + 4, 1) < 6 && type < 6;
      msix = msix || p->config_read(p->ctx, at, 1) == 0x11;
      found[type < 6 ? type : 0] = vendor && type < 6 && !found[type] ? at : found[type < 6 ? type : 0];
    }
    assert_true(msix && found[1] && found[2] && found[3] && found[4] && found[5]);
    uint32_t bar = p->config_read(p->ctx, found[1] + 4, 1);
    uint32_t offset = p->config_read(p->ctx, found[1] + 8, 4);
    assert_int_equal(p->bar[bar].kind, NET_BAR_MEMORY);
    assert_int_equal(p->read16(p->ctx, bar, offset + 18), 3); /* num_queues */
    p->config_write(p->ctx, found[5] + 4, 1, bar);
    p->config_write(p->ctx, found[5] + 8, 4, offset + 18);
    p->config_write(p->ctx, found[5] + 12, 4, 2);
    assert_int_equal(p->config_read(p->ctx, found[5] + 16, 2), 3);
    bool wide = (p->config_read(p->ctx, 0x10, 4) & 7U) == 4U;
    assert_int_equal(wide, layout == VIRTIO_SIM_LAYOUT_BAR0);
    assert_string_equal(virtio_sim_violation_text(sim), "");
    virtio_sim_destroy(sim);
  }
}

/* Lies ------------------------------------------------------------------------------------------------------------- */

static void test_lies(void **state) {
  (void)state;
  static const struct {
    enum virtio_sim_lie lie;
    uint16_t index;
    uint32_t id;
    uint32_t length;
  } lies[] = {
      {VIRTIO_SIM_ID_BEYOND, 1, SIZE, HEADER + 60},    {VIRTIO_SIM_ID_HUGE, 1, 0x10000, HEADER + 60},
      {VIRTIO_SIM_ID_TWICE, 2, 0, HEADER + 60},        {VIRTIO_SIM_INDEX_JUMPS, SIZE + 2, 0, HEADER + 60},
      {VIRTIO_SIM_INDEX_BACK, 0xFFFF, 0, HEADER + 60}, {VIRTIO_SIM_LENGTH_ZERO, 1, 0, 0},
      {VIRTIO_SIM_LENGTH_HEADER, 1, 0, HEADER - 1},    {VIRTIO_SIM_LENGTH_SHORT, 1, 0, HEADER + 13},
      {VIRTIO_SIM_LENGTH_LONG, 1, 0, BUFFER + 1},      {VIRTIO_SIM_LENGTH_HUGE, 1, 0, UINT32_MAX},
  };
  for(size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
    struct mini m;
    up(&m, (struct virtio_sim_config){.lie = {lies[i].lie}});
    assert_int_equal(arrive(&m, station), SIM_DELIVERED);
    assert_int_equal(used_index(&m, RX), lies[i].index);
    assert_int_equal(used_id(&m, RX, 0), lies[i].id);
    assert_int_equal(used_length(&m, RX, 0), lies[i].length);
    down(&m);
  }
  struct mini m;
  up(&m, (struct virtio_sim_config){.lie = {[TX] = VIRTIO_SIM_ID_IDLE}});
  queue_frame(&m, 0, other, 60);
  bell(&m, TX);
  assert_int_equal(used_id(&m, TX, 0), 1);
  down(&m);
}

static void test_order_and_silence(void **state) {
  (void)state;
  struct mini m;
  up(&m, (struct virtio_sim_config){.newest_first = true, .delayed = true});
  for(uint32_t i = 0; i < 3; i++) {
    queue_frame(&m, i, other, 60);
    assert_int_equal(arrive(&m, station), SIM_DELIVERED);
  }
  bell(&m, TX);
  assert_int_equal(used_index(&m, RX), 0);
  virtio_sim_step(m.sim);
  for(uint32_t i = 0; i < 3; i++) {
    assert_int_equal(used_id(&m, TX, i), 2 - i);
    assert_int_equal(used_id(&m, RX, i), 2 - i);
  }
  m.knobs->delayed = false;
  m.knobs->tx_held = true;
  queue_frame(&m, 0, other, 60);
  bell(&m, TX);
  assert_int_equal(virtio_sim_frames(m.sim), 3);
  m.knobs->tx_held = false;
  virtio_sim_step(m.sim);
  assert_int_equal(virtio_sim_frames(m.sim), 4);
  m.knobs->notifications_lost = true;
  queue_frame(&m, 1, other, 60);
  bell(&m, TX);
  virtio_sim_step(m.sim);
  assert_int_equal(virtio_sim_frames(m.sim), 4);
  m.knobs->notifications_lost = false;
  virtio_sim_disable_queue(m.sim, TX);
  w16(&m, SELECT, TX);
  assert_int_equal(r16(&m, QENABLE), 0);
  bell(&m, TX);
  assert_int_equal(virtio_sim_frames(m.sim), 4);
  down(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_frames),
      cmocka_unit_test(test_num_buffers_left),
      cmocka_unit_test(test_commands_and_filter),
      cmocka_unit_test(test_vlan_trap),
      cmocka_unit_test(test_needless),
      cmocka_unit_test(test_starved),
      cmocka_unit_test(test_intx),
      cmocka_unit_test(test_msix),
      cmocka_unit_test(test_features_refused),
      cmocka_unit_test(test_reset),
      cmocka_unit_test(test_bus_master),
      cmocka_unit_test(test_gone),
      cmocka_unit_test(test_generation),
      cmocka_unit_test(test_layouts),
      cmocka_unit_test(test_lies),
      cmocka_unit_test(test_order_and_silence),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
