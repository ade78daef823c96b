/* test_virtio_irq.c - virtio-net's interrupts, and the device looked at: rows and self-test. */
#include "virtio_device.h"

static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

static void arrive(struct device *device, uint32_t number) {
  uint8_t frame[60];
  device_frame(frame, 60, device_mac, number);
  assert_true(device_receives(device, frame, 60));
}

static uint32_t interrupts(const struct device *device) {
  return device->queue[0].interrupts + device->queue[1].interrupts + device->queue[2].interrupts;
}

static bool intx_open(const struct device *device) {
  return (bench_load(device->bench.config + PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE) == 0;
}

/* Polled, the device interrupts nobody, whatever happens, also over a wrap of the indices. */
static void test_polled_is_silent(void **state) {
  (void)state;
  for(int event_index = 0; event_index <= 1; event_index++) {
    struct device *device = device_new(event_index ? DEVICE_FEATURES : DEVICE_FEATURES & ~VIRTIO_F_EVENT_IDX);
    struct netdev *dev = device_open(device, 8, 8);
    uint8_t frame[60];
    device_frame(frame, 60, broadcast, 1);
    for(uint32_t i = 0; i < 70000; i++) {
      arrive(device, i);
      assert_int_equal(netdev_transmit(dev, frame, 60, device_cookie(1), 0), NETDEV_OK);
      assert_int_equal(netdev_poll(dev, 8), 1);
    }
    assert_int_equal(interrupts(device) - device->queue[2].interrupts, 0);
    assert_false(intx_open(device));
    assert_false(netdev_irq_handle(dev));
    assert_false(netdev_irq_rearm(dev));
    device_end(device, dev);
  }
}

static void test_intx(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  device->isr = VIRTIO_ISR_CONFIG; /* left over from before */
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
  assert_true(intx_open(device));
  assert_int_equal(device->isr, 0);
  uint32_t reads = device->bench.reads;
  assert_false(netdev_irq_handle(dev)); /* somebody else's on a shared line */
  assert_int_equal(device->bench.reads - reads, 1);
  for(uint32_t i = 0; i < 1000; i++) {
    uint32_t before = interrupts(device);
    arrive(device, i);
    assert_int_equal(interrupts(device) - before, 1);
    assert_int_equal(device->isr, VIRTIO_ISR_QUEUE);
    assert_true(netdev_irq_handle(dev));
    assert_int_equal(device->isr, 0); /* reading it lowers the line */
    arrive(device, i);
    assert_int_equal(interrupts(device) - before, 1); /* masked until the rearm */
    assert_int_equal(netdev_poll(dev, 8), 2);
    assert_false(netdev_irq_rearm(dev));
  }
  netdev_irq_disable(dev);
  assert_false(intx_open(device));
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
  netdev_close(dev);
  assert_true(intx_open(device)); /* as it was before open */
  device_end(device, dev);
}

static void test_msix(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  assert_int_equal(device->config_vector, 0);
  for(uint32_t i = 0; i < 3; i++) {
    assert_int_equal(device->queue[i].vector, 0);
  }
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_MSI, 0), NETDEV_E_UNSUPPORTED);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_MSIX, 1000), NETDEV_E_UNSUPPORTED); /* no moderation */
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_MSIX, 0), NETDEV_OK);
  assert_false(intx_open(device));
  uint32_t reads = device->bench.reads;
  uint32_t writes = device->bench.writes;
  for(uint32_t i = 0; i < 3; i++) {
    uint32_t before = interrupts(device);
    arrive(device, i);
    assert_int_equal(interrupts(device) - before, 1);
    assert_true(netdev_irq_handle(dev));
    assert_int_equal(netdev_poll(dev, 8), 1);
    assert_false(netdev_irq_rearm(dev));
  }
  assert_int_equal(device->bench.reads - reads, 0); /* ISR is not read, nothing is */
  assert_true(device->bench.writes - writes <= 1);
  device_end(device, dev);

  device = device_new(DEVICE_FEATURES);
  device->refuses_vector = true;
  dev = device_open(device, 8, 8);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_MSIX, 0), NETDEV_E_UNSUPPORTED);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
  device_end(device, dev);

  device = device_new(DEVICE_FEATURES);
  device->bench.config[0x7C + 1] = 0; /* no MSI-X */
  dev = device_open(device, 8, 8);
  assert_int_equal(device->queue[0].vector, VIRTIO_NO_VECTOR);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_MSIX, 0), NETDEV_E_UNSUPPORTED);
  device_end(device, dev);
}

/* What comes between the last poll and the rearm interrupts nobody: the rearm says so. */
static void test_nothing_is_left_behind(void **state) {
  (void)state;
  for(int event_index = 0; event_index <= 1; event_index++) {
    struct device *device = device_new(event_index ? DEVICE_FEATURES : DEVICE_FEATURES & ~VIRTIO_F_EVENT_IDX);
    struct netdev *dev = device_open(device, 8, 8);
    assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_MSIX, 0), NETDEV_OK);
    arrive(device, 1);
    assert_true(netdev_irq_handle(dev));
    assert_int_equal(netdev_poll(dev, 8), 1);
    uint32_t before = interrupts(device);
    arrive(device, 2);
    assert_int_equal(interrupts(device), before);
    assert_true(netdev_irq_rearm(dev));
    arrive(device, 3); /* masked again, until the next rearm */
    assert_int_equal(interrupts(device), before);
    assert_int_equal(netdev_poll(dev, 8), 2);
    assert_false(netdev_irq_rearm(dev));
    uint8_t frame[60];
    device_frame(frame, 60, broadcast, 1);
    assert_int_equal(netdev_transmit(dev, frame, 60, device_cookie(1), 0), NETDEV_OK);
    assert_int_equal(interrupts(device), before + 1); /* a buffer that came back interrupts too */
    assert_true(netdev_irq_handle(dev));
    assert_true(netdev_irq_rearm(dev));
    assert_int_equal(netdev_poll(dev, 8), 0);
    assert_false(netdev_irq_rearm(dev));
    device_end(device, dev);
  }
}

/* Frames that wait when interrupts are enabled raise one, also when the queue is full and nothing more can come. */
static void test_what_waits_already(void **state) {
  (void)state;
  for(int mode = 0; mode <= 1; mode++) {
    struct device *device = device_new(DEVICE_FEATURES);
    struct netdev *dev = device_open(device, 8, 8);
    for(uint32_t i = 0; i < 8; i++) {
      arrive(device, i);
    }
    uint32_t before = interrupts(device);
    assert_int_equal(netdev_irq_enable(dev, mode ? NETDEV_IRQ_MSIX : NETDEV_IRQ_INTX, 0), NETDEV_OK);
    assert_int_equal(interrupts(device), before + 1);
    assert_true(netdev_irq_handle(dev));
    assert_int_equal(netdev_poll(dev, 100), 8);
    assert_false(netdev_irq_rearm(dev));
    before = interrupts(device);
    assert_int_equal(netdev_set_filter(dev, NETDEV_FILTER_PROMISCUOUS, NULL, 0), NETDEV_OK);
    assert_int_equal(interrupts(device), before); /* a command is polled for otherwise */
    device_end(device, dev);
  }
  struct device *device = device_new(DEVICE_FEATURES & ~VIRTIO_NET_F_CTRL_VQ);
  struct netdev *dev = device_open(device, 8, 8);
  arrive(device, 1);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_MSIX, 0), NETDEV_OK);
  assert_int_equal(interrupts(device), 0); /* no way to */
  assert_int_equal(netdev_poll(dev, 100), 1);
  device_end(device, dev);
}

/* A queue that lies does not keep a handler polling for ever; a reset on our own account puts interrupts back. */
static void test_reset_keeps_them(void **state) {
  (void)state;
  for(int enabled = 0; enabled <= 1; enabled++) {
    struct device *device = device_new(DEVICE_FEATURES);
    struct netdev *dev = device_open(device, 8, 8);
    if(enabled) {
      assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
    }
    device_returns(device, 0, 99, 60);
    assert_int_equal(netdev_irq_handle(dev), enabled);
    assert_int_equal(netdev_poll(dev, 8), 0);
    assert_false(netdev_irq_rearm(dev));
    assert_int_equal(netdev_tick(dev), NETDEV_OK);
    uint32_t before = device->queue[0].interrupts;
    arrive(device, 1);
    assert_int_equal(device->queue[0].interrupts - before, enabled);
    assert_int_equal(intx_open(device), enabled);
    device->gone_after = 0;
    assert_false(netdev_irq_handle(dev)); /* all ones: no device, no interrupt */
    assert_int_equal(device_ticks(device, dev, 50000), NETDEV_E_GONE);
    assert_false(netdev_irq_handle(dev));
    device_end(device, dev);
  }
}

/* Rows ----------------------------------------------------------------------------------------------------------- */

struct rows {
  uint32_t count;
  uint32_t unread;
  uint64_t negotiated;
  uint64_t status;
  uint64_t rx_published;
  uint64_t commands;
};

static void visit(void *ctx, const struct netdev_row *row) {
  struct rows *rows = ctx;
  assert_non_null(row->name);
  assert_non_null(row->text);
  assert_int_equal(row->count, 1);
  rows->count++;
  rows->unread += row->unread;
  if(strcmp(row->name, "negotiated") == 0) {
    rows->negotiated = row->value;
  } else if(strcmp(row->name, "device_status") == 0) {
    rows->status = row->value;
  } else if(strcmp(row->name, "rx.published") == 0) {
    rows->rx_published = row->value;
  } else if(strcmp(row->name, "commands") == 0) {
    rows->commands = row->value;
  }
}

static void test_rows(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES | VIRTIO_NET_F_MTU);
  struct netdev *dev = device_open(device, 8, 8);
  const uint32_t all = NETDEV_ROWS_REGISTERS | NETDEV_ROWS_PHY | NETDEV_ROWS_NVM | NETDEV_ROWS_COUNTERS |
                       NETDEV_ROWS_RINGS | NETDEV_ROWS_FEATURES;
  struct rows rows = {0};
  device->isr = VIRTIO_ISR_QUEUE;
  uint32_t writes = device->bench.writes;
  assert_int_equal(netdev_inspect(dev, all, visit, &rows), NETDEV_OK);
  assert_int_equal(device->bench.writes, writes);
  assert_int_equal(rows.count, 16 + 8 + 3 * 15 + 13);
  assert_int_equal(rows.unread, 1); /* ISR: reading it would lower the line */
  assert_int_equal(device->isr, VIRTIO_ISR_QUEUE);
  assert_int_equal(rows.negotiated, device->features);
  assert_int_equal(rows.status, 0x0F);
  assert_int_equal(rows.rx_published, 8);
  assert_int_equal(rows.commands, 7);
  assert_int_equal(netdev_inspect(dev, NETDEV_ROWS_REGISTERS | NETDEV_ROWS_CLEARING, visit, &rows), NETDEV_OK);
  assert_int_equal(device->isr, 0);
  assert_int_equal(netdev_inspect(dev, 0, visit, &rows), NETDEV_OK);
  assert_int_equal(dev->stats.wire.rx_total_frames, NETDEV_NOT_COUNTED);
  assert_int_equal(dev->stats.wire.tx_multicast_frames, NETDEV_NOT_COUNTED);
  uint16_t word;
  assert_int_equal(netdev_nvm_read(dev, 0, &word), NETDEV_E_UNSUPPORTED);
  device_end(device, dev);
}

/* Self-test ------------------------------------------------------------------------------------------------------ */

static const char *failed_check;

static void note(void *ctx, const char *name, bool passed, uint32_t value) {
  (void)ctx;
  (void)value;
  if(!passed && !failed_check) {
    failed_check = name;
  }
}

static void expect_selftest(struct netdev *dev, uint32_t run, const char *fails) {
  struct netdev_selftest test = {.report = note};
  failed_check = NULL;
  assert_int_equal(netdev_selftest(dev, true, &test), NETDEV_OK);
  assert_int_equal(test.run, run);
  assert_int_equal(test.failed, fails != NULL);
  assert_string_equal(failed_check ? failed_check : "", fails ? fails : "");
}

static void test_selftest(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_create(device, 8, 8);
  expect_selftest(dev, 4, NULL);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  uint32_t resets = device->resets;
  arrive(device, 1);
  expect_selftest(dev, 7, NULL);
  assert_int_equal(netdev_poll(dev, 8), 1); /* nobody noticed */
  assert_int_equal(device->resets, resets);
  device->status = 0x4F;
  expect_selftest(dev, 7, "registers: device_status is what it was made");
  device->status = 0x0F;
  device->offered &= ~VIRTIO_F_EVENT_IDX;
  expect_selftest(dev, 7, "features: the device offers what was agreed on");
  device->offered = DEVICE_FEATURES;
  device->queue[1].place[2] += 0x100000000ULL;
  expect_selftest(dev, 7, "queues: the device holds the places it was given");
  device->queue[1].place[2] -= 0x100000000ULL;
  device_used(device, 0)->index += 100;
  expect_selftest(dev, 7, "queues: indices agree");
  device_used(device, 0)->index -= 100;
  device->refuse = VIRTIO_NET_CTRL_RX;
  expect_selftest(dev, 7, "control queue: a command is answered");
  device->refuse = 0xFF;
  device->link = 0;
  expect_selftest(dev, 7, NULL); /* no cable is no fault */
  device_end(device, dev);
  device = device_new(DEVICE_FEATURES & ~VIRTIO_NET_F_CTRL_RX);
  dev = device_open(device, 8, 8);
  expect_selftest(dev, 6, NULL);
  device_end(device, dev);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_polled_is_silent),
      cmocka_unit_test(test_intx),
      cmocka_unit_test(test_msix),
      cmocka_unit_test(test_nothing_is_left_behind),
      cmocka_unit_test(test_what_waits_already),
      cmocka_unit_test(test_reset_keeps_them),
      cmocka_unit_test(test_rows),
      cmocka_unit_test(test_selftest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
