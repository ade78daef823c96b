/* test_virtio_mistakes.c - the simulated virtio device's watch on its caller: every mistake is made once, and must
 * show. */
#include "virtio_mini.h"

/* Mistakes --------------------------------------------------------------------------------------------------------- */

static void m_legacy(struct mini *m) {
  (void)m->p->read32(m->p->ctx, 0, 0);
}

static void m_no_bar(struct mini *m) {
  (void)m->p->read32(m->p->ctx, 2, 0);
}

static void m_msix_table(struct mini *m) {
  m->p->write32(m->p->ctx, 1, 12, 0);
}

static void m_outside(struct mini *m) {
  (void)r8(m, 0x3FFFU + 1U);
}

static void m_no_field(struct mini *m) {
  (void)r8(m, 56);
}

static void m_width(struct mini *m) {
  (void)r16(m, STATUS);
}

static void m_askew(struct mini *m) {
  (void)r16(m, SELECT + 1);
}

static void m_device_width(struct mini *m) {
  (void)r16(m, DEVICE);
}

static void m_device_absent(struct mini *m) {
  (void)r16(m, DEVICE + 10);
}

static void m_device_written(struct mini *m) {
  w8(m, DEVICE, 0);
}

static void m_isr_width(struct mini *m) {
  (void)m->p->read32(m->p->ctx, BAR, ISR);
}

static void m_isr_msix(struct mini *m) {
  virtio_sim_set_msix(m->sim, true);
  (void)r8(m, ISR);
}

static void m_bell_read(struct mini *m) {
  (void)r16(m, BELL);
}

static void m_bell_width(struct mini *m) {
  w32(m, BELL, 0);
}

static void m_bell_other(struct mini *m) {
  w16(m, BELL, 1);
}

static void m_bell_nobody(struct mini *m) {
  w16(m, BELL + 12, 3);
}

static void m_read_only(struct mini *m) {
  w16(m, 18, 1);
}

static void m_space(struct mini *m) {
  m->p->config_write(m->p->ctx, 0x20, 4, 0);
}

static void m_space_askew(struct mini *m) {
  (void)m->p->config_read(m->p->ctx, 2, 4);
}

static void m_early_bell(struct mini *m) {
  prepare(m);
  bell(m, RX);
}

static void m_absent_bell(struct mini *m) {
  reset(m);
  accept(m);
  (void)r8(m, STATUS);
  w8(m, STATUS, 0xF);
  bell(m, RX);
}

static void m_step_skipped(struct mini *m) {
  reset(m);
  w8(m, STATUS, 3);
}

static void m_no_features_ok(struct mini *m) {
  reset(m);
  w8(m, STATUS, 1);
  w8(m, STATUS, 3);
  w8(m, STATUS, 7);
}

static void m_bit_cleared(struct mini *m) {
  reset(m);
  w8(m, STATUS, 1);
  w8(m, STATUS, 3);
  w8(m, STATUS, 1);
}

static void m_bit_strange(struct mini *m) {
  reset(m);
  w8(m, STATUS, 1);
  w8(m, STATUS, 0x11);
}

static void m_reset_unread(struct mini *m) {
  w8(m, STATUS, 0);
  w8(m, STATUS, 1);
}

static void m_features_early(struct mini *m) {
  reset(m);
  w8(m, STATUS, 1);
  w32(m, FEATURE, 0);
}

static void m_features_late(struct mini *m) {
  reset(m);
  accept(m);
  w32(m, FEATURE, 0);
}

static void m_features_high(struct mini *m) {
  reset(m);
  w8(m, STATUS, 1);
  w8(m, STATUS, 3);
  w32(m, FEATURE_SELECT, 2);
  w32(m, FEATURE, 1);
}

static void m_feature_stolen(struct mini *m) {
  m->features |= F_MTU;
  reset(m);
  accept(m);
}

static void m_feature_unknown(struct mini *m) {
  m->features |= F(28);
  reset(m);
  accept(m);
}

static void m_feature_alone(struct mini *m) {
  m->features &= ~F(17);
  reset(m);
  accept(m);
}

static void m_ok_unread(struct mini *m) {
  reset(m);
  accept(m);
  w8(m, STATUS, 0xF);
}

static void m_queue_unread(struct mini *m) {
  reset(m);
  accept(m);
  w16(m, SELECT, 0);
  w16(m, QSIZE, SIZE);
}

static void m_queue_enabled(struct mini *m) {
  reset(m);
  accept(m);
  (void)r8(m, STATUS);
  enable(m, RX);
  w16(m, QVECTOR, 0);
}

static void m_queue_late(struct mini *m) {
  start(m);
  w16(m, SELECT, 0);
  w16(m, QVECTOR, 0);
}

static void half(struct mini *m) {
  reset(m);
  accept(m);
  (void)r8(m, STATUS);
  program(m, RX);
}

static void m_queue_absent(struct mini *m) {
  half(m);
  w16(m, SELECT, 3);
  w16(m, QSIZE, SIZE);
}

static void m_queue_size(struct mini *m) {
  half(m);
  w16(m, QSIZE, SIZE - 1);
}

static void m_queue_zero(struct mini *m) {
  half(m);
  w16(m, QENABLE, 0);
}

static void m_unaligned(struct mini *m, uint32_t field, uint64_t address) {
  half(m);
  w32(m, field, (uint32_t)address);
  w16(m, QENABLE, 1);
}

static void m_desc_align(struct mini *m) {
  m_unaligned(m, DESC, m->queue[TX].buffers.device + 8U);
}

static void m_avail_align(struct mini *m) {
  m_unaligned(m, AVAIL, m->queue[TX].buffers.device + 1U);
}

static void m_used_align(struct mini *m) {
  m_unaligned(m, USED, m->queue[TX].buffers.device + 2U);
}

static void m_ring_outside(struct mini *m) {
  m_unaligned(m, DESC, m->queue[RX].desc.device + 16U);
}

static void m_used_stale(struct mini *m) {
  half(m);
  put(m->queue[RX].used.cpu, 2, 5, 2);
  w16(m, QENABLE, 1);
}

static void m_desc_written(struct mini *m) {
  start(m);
  describe(m, RX, 2, BUFFER, WRITE, 1);
  (void)r8(m, STATUS);
}

static void m_entry_written(struct mini *m) {
  start(m);
  put(m->queue[RX].avail.cpu, 4U + 2U * 3U, 4, 2);
  (void)r8(m, STATUS);
}

/* The index counts an entry that still says what it said a round ago: buffer 0, which the device has. */
static void m_entry_missing(struct mini *m) {
  start(m);
  for(uint32_t i = 0; i < 2; i++) {
    assert_int_equal(arrive(m, station), SIM_DELIVERED);
  }
  offer(m, RX, 0);
  publish(m, RX);
  (void)r8(m, STATUS);
  put(m->queue[RX].avail.cpu, 4U + 2U * 1U, 0, 2);
  m->queue[RX].index++;
  publish(m, RX);
  (void)r8(m, STATUS);
}

static void m_entry_beyond(struct mini *m) {
  start(m);
  describe(m, TX, 0, HEADER + 60, 0, 0);
  offer(m, TX, SIZE);
  publish(m, TX);
  bell(m, TX);
}

static void m_index_ahead(struct mini *m) {
  start(m);
  m->queue[TX].index = SIZE + 1;
  publish(m, TX);
  bell(m, TX);
}

static void m_index_over_held(struct mini *m) {
  start(m);
  m->queue[RX].index++;
  publish(m, RX);
  bell(m, RX);
}

static void m_loop(struct mini *m) {
  start(m);
  describe(m, TX, 0, HEADER + 20, NEXT, 1);
  describe(m, TX, 1, 40, NEXT, 0);
  offer(m, TX, 0);
  publish(m, TX);
  bell(m, TX);
}

static void m_next_beyond(struct mini *m) {
  start(m);
  describe(m, TX, 0, HEADER + 60, NEXT, SIZE);
  offer(m, TX, 0);
  publish(m, TX);
  bell(m, TX);
}

static void transmit_as(struct mini *m, uint32_t length, uint32_t flags) {
  start(m);
  describe(m, TX, 0, length, flags, 0);
  offer(m, TX, 0);
  publish(m, TX);
  bell(m, TX);
}

static void m_indirect(struct mini *m) {
  transmit_as(m, 16, INDIRECT);
}

static void m_reserved(struct mini *m) {
  transmit_as(m, HEADER + 60, 8);
}

static void m_tx_writable(struct mini *m) {
  transmit_as(m, HEADER + 60, WRITE);
}

static void m_tx_short(struct mini *m) {
  transmit_as(m, HEADER - 1, 0);
}

static void m_tx_runt(struct mini *m) {
  transmit_as(m, HEADER + 13, 0);
}

static void m_tx_long(struct mini *m) {
  transmit_as(m, HEADER + 1519, 0);
}

static void m_tx_header(struct mini *m) {
  put(m->queue[TX].buffers.cpu, 0, 1, 1);
  transmit_as(m, HEADER + 60, 0);
}

static void m_tx_buffers(struct mini *m) {
  put(m->queue[TX].buffers.cpu, 10, 1, 2);
  transmit_as(m, HEADER + 60, 0);
}

static void m_tx_outside(struct mini *m) {
  start(m);
  describe(m, TX, 0, HEADER + 60, 0, 0);
  put(m->queue[TX].desc.cpu, 0, 0x0000EEE000000000ULL, 8);
  offer(m, TX, 0);
  publish(m, TX);
  bell(m, TX);
}

static void receive_as(struct mini *m, uint32_t length, uint32_t flags) {
  prepare(m);
  describe(m, RX, 0, length, flags, 0);
  w8(m, STATUS, 0xF);
}

static void m_rx_small(struct mini *m) {
  receive_as(m, 1525, WRITE);
}

static void m_rx_readable(struct mini *m) {
  receive_as(m, BUFFER, 0);
}

static void m_used_written(struct mini *m) {
  start(m);
  put(m->queue[TX].used.cpu, 8, 1, 4);
  (void)r8(m, STATUS);
}

static void m_free_ring(struct mini *m) {
  start(m);
  m->p->dma_free(m->p->ctx, &m->queue[TX].used);
}

static void m_free_buffer(struct mini *m) {
  start(m);
  m->p->dma_free(m->p->ctx, &m->queue[RX].buffers);
}

static void m_free_early(struct mini *m) {
  start(m);
  w8(m, STATUS, 0);
  m->p->dma_free(m->p->ctx, &m->queue[RX].desc);
}

static void m_free_stuck(struct mini *m) {
  start(m);
  m->knobs->reset_never_ends = true;
  w8(m, STATUS, 0);
  (void)r8(m, STATUS);
  m->p->dma_free(m->p->ctx, &m->queue[RX].buffers);
}

static void commanded(struct mini *m, const void *bytes, uint32_t length) {
  start(m);
  (void)command(m, bytes, length);
}

static void m_command_unknown(struct mini *m) {
  commanded(m, "\x02\x00\x01\x00", 4);
}

static void m_command_mode(struct mini *m) {
  commanded(m, "\x00\x06\x01", 3);
}

static void m_command_value(struct mini *m) {
  commanded(m, "\x00\x00\x02", 3);
}

static void m_command_short(struct mini *m) {
  commanded(m, "\x00", 1);
}

static void m_command_table(struct mini *m) {
  commanded(m, "\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00", 10);
}

static void m_command_wrong_table(struct mini *m) {
  commanded(m, "\x01\x00\x01\x00\x00\x00\x01\x00\x5E\x00\x00\x05\x00\x00\x00\x00", 16);
}

static void m_command_address(struct mini *m) {
  commanded(m, "\x01\x01\x01\x00\x5E\x00\x00\x05", 8);
}

static void m_command_not_agreed(struct mini *m) {
  m->features &= ~F(18);
  commanded(m, "\x00\x00\x00", 3);
}

static void m_command_no_answer(struct mini *m) {
  start(m);
  put(m->queue[CTRL].buffers.cpu, 0, 0, 3);
  describe(m, CTRL, 0, 3, 0, 0);
  offer(m, CTRL, 0);
  publish(m, CTRL);
  bell(m, CTRL);
}

static void m_command_order(struct mini *m) {
  start(m);
  describe(m, CTRL, 0, 1, WRITE | NEXT, 1);
  describe(m, CTRL, 1, 3, 0, 0);
  offer(m, CTRL, 0);
  publish(m, CTRL);
  (void)r8(m, STATUS);
}

static void m_delay(struct mini *m) {
  m->p->delay_us(m->p->ctx, 0);
}

static const struct {
  const char *text;
  void (*make)(struct mini *m);
} mistakes[] = {
    {"the legacy interface touched", m_legacy},
    {"access to a BAR that is not there", m_no_bar},
    {"the MSI-X table", m_msix_table},
    {"access outside every structure", m_outside},
    {"common configuration: no such field", m_no_field},
    {"common configuration: no such field", m_width},
    {"register accessed askew", m_askew},
    {"device configuration: no such field", m_device_width},
    {"device configuration: no such field", m_device_absent},
    {"device configuration written", m_device_written},
    {"ISR not read as one byte", m_isr_width},
    {"ISR read while MSI-X is enabled", m_isr_msix},
    {"the notification structure read", m_bell_read},
    {"a notification of another width", m_bell_width},
    {"a notification at another queue's address", m_bell_other},
    {"a notification of a queue that is not there", m_bell_nobody},
    {"a read-only field written", m_read_only},
    {"configuration space written where nothing may be", m_space},
    {"configuration space accessed askew", m_space_askew},
    {"a notification before DRIVER_OK", m_early_bell},
    {"a notification of a queue that is not enabled", m_absent_bell},
    {"device_status: a step out of order", m_step_skipped},
    {"device_status: a step out of order", m_no_features_ok},
    {"device_status: a bit cleared", m_bit_cleared},
    {"device_status: a bit that is not the driver's", m_bit_strange},
    {"the device configured before its reset was read back", m_reset_unread},
    {"features written before DRIVER", m_features_early},
    {"features written after FEATURES_OK", m_features_late},
    {"a feature beyond bit 63", m_features_high},
    {"a feature accepted that was not offered", m_feature_stolen},
    {"a feature accepted that the simulator does not have", m_feature_unknown},
    {"a feature accepted without CTRL_VQ", m_feature_alone},
    {"device_status: FEATURES_OK was not read back", m_ok_unread},
    {"a queue configured before FEATURES_OK was read back", m_queue_unread},
    {"a queue configured while it is enabled", m_queue_enabled},
    {"a queue configured after DRIVER_OK", m_queue_late},
    {"a queue configured that is not there", m_queue_absent},
    {"queue_size not a power of two", m_queue_size},
    {"queue_enable written with something else", m_queue_zero},
    {"a queue area not aligned", m_desc_align},
    {"a queue area not aligned", m_avail_align},
    {"a queue area not aligned", m_used_align},
    {"DMA: a queue area outside any allocation", m_ring_outside},
    {"a queue enabled whose used index is not 0", m_used_stale},
    {"a descriptor written while the device has it", m_desc_written},
    {"an available entry written after the index", m_entry_written},
    {"an available entry names what the device has", m_entry_missing},
    {"an available entry beyond the queue", m_entry_beyond},
    {"available index further ahead", m_index_ahead},
    {"available index further ahead", m_index_over_held},
    {"a chain that loops", m_loop},
    {"a descriptor beyond the queue", m_next_beyond},
    {"descriptor flags: indirect or reserved", m_indirect},
    {"descriptor flags: indirect or reserved", m_reserved},
    {"a transmit buffer that is the device's to write", m_tx_writable},
    {"a transmit chain without header", m_tx_short},
    {"a frame shorter than its header", m_tx_runt},
    {"a frame shorter than its header, or longer", m_tx_long},
    {"a transmit header asks for what was not negotiated", m_tx_header},
    {"a transmit header with num_buffers", m_tx_buffers},
    {"DMA: a buffer outside any allocation", m_tx_outside},
    {"a receive buffer too small", m_rx_small},
    {"a receive buffer that is not the device's to write", m_rx_readable},
    {"the used ring written by the driver", m_used_written},
    {"dma_free of a queue that is enabled", m_free_ring},
    {"dma_free of a buffer that the device has", m_free_buffer},
    {"dma_free of a queue before the reset was read back", m_free_early},
    {"dma_free of a buffer that the device has", m_free_stuck},
    {"a command that nobody knows", m_command_unknown},
    {"a receive mode that was not negotiated", m_command_mode},
    {"a receive mode that is not one byte", m_command_value},
    {"a command shorter than its header", m_command_short},
    {"MAC tables that are not as long as they say", m_command_table},
    {"an address in the wrong MAC table", m_command_wrong_table},
    {"an address set without CTRL_MAC_ADDR", m_command_address},
    {"a receive mode that was not negotiated", m_command_not_agreed},
    {"a command without room for the answer", m_command_no_answer},
    {"a chain with something to read after something to write", m_command_order},
    {"delay_us: not from 1 to 100000", m_delay},
};

static void test_mistakes(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
    struct mini m;
    make(&m, (struct virtio_sim_config){.device_id = VIRTIO_SIM_TRANSITIONAL});
    mistakes[i].make(&m);
    if(!strstr(virtio_sim_violation_text(m.sim), mistakes[i].text)) {
      assert_string_equal(virtio_sim_violation_text(m.sim), mistakes[i].text);
    }
    assert_int_equal(virtio_sim_violations(m.sim), 1);
    virtio_sim_destroy(m.sim);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mistakes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
