/* test_virtio_faults.c - virtio-net when the device lies, hangs, asks for a reset, does not answer, or goes. */
#include "virtio_device.h"

static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

static void send(struct netdev *dev, uint32_t cookie) {
  uint8_t frame[60];
  device_frame(frame, 60, broadcast, cookie);
  assert_int_equal(netdev_transmit(dev, frame, 60, device_cookie(cookie), 0), NETDEV_OK);
}

static void receive_one(struct device *device, struct netdev *dev) {
  uint8_t frame[60];
  device_frame(frame, 60, device_mac, device->received);
  uint32_t before = device->received;
  assert_true(device_receives(device, frame, 60));
  assert_int_equal(netdev_poll(dev, 8), 1);
  assert_int_equal(device->received, before + 1);
}

/* It works as on the first day. */
static void expect_well(struct device *device, struct netdev *dev, uint32_t cookie) {
  send(dev, cookie);
  assert_int_equal(netdev_complete(dev), 1);
  assert_int_equal(device->back_status[cookie], NETDEV_OK);
  receive_one(device, dev);
  device_check(dev);
}

/* Making and opening --------------------------------------------------------------------------------------------- */

static void test_every_allocation_fails_once(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct net_config config = device_config(8, 8);
  struct netdev *dev = NULL;
  for(uint32_t n = 1;; n++) {
    device->bench.allocations = 0;
    device->bench.fail_at = n;
    if(virtio_net_create(&device->bench.platform, &config, &dev) == NETDEV_OK) {
      assert_int_equal(n, 11); /* the device, and three for each queue */
      break;
    }
    assert_null(dev);
    assert_int_equal(device->bench.blocks, 0);
    assert_int_equal(device->status, 0);
  }
  device_end(device, dev);
}

static void test_open_fails(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_create(device, 8, 8);
  device->refuses_features = true;
  assert_int_equal(netdev_open(dev), NETDEV_E_UNSUPPORTED);
  device->refuses_features = false;
  device->offered &= ~VIRTIO_F_EVENT_IDX; /* changes its mind */
  assert_int_equal(netdev_open(dev), NETDEV_E_UNSUPPORTED);
  device->offered = DEVICE_FEATURES;
  device->queue_max[1] = 4;
  assert_int_equal(netdev_open(dev), NETDEV_E_UNSUPPORTED);
  device->queue_max[1] = 256;
  device->mute = true;
  uint64_t start = device->bench.now_us;
  assert_int_equal(netdev_open(dev), NETDEV_E_TIMEOUT);
  assert_true(device->bench.now_us - start < 3000000U);
  device->mute = false;
  assert_int_equal(device->status, 0);
  device->status = 0x0F;
  device->keeps_status = true;
  assert_int_equal(netdev_open(dev), NETDEV_E_TIMEOUT);
  device->keeps_status = false;
  assert_int_equal(bench_load(device->bench.config + PCI_COMMAND, 2), 0x0003); /* INTx as it was, DMA cut off */
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  assert_int_equal(bench_load(device->bench.config + PCI_COMMAND, 2), 0x0407);
  expect_well(device, dev, 1);
  device_end(device, dev);
}

static void test_close(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  assert_int_equal(bench_load(device->bench.config + PCI_COMMAND, 2), 0x0407); /* INTx held */
  send(dev, 1);
  device->asleep = true;
  send(dev, 2);
  send(dev, 3);
  netdev_close(dev);
  assert_int_equal(device->status, 0);
  assert_int_equal(bench_load(device->bench.config + PCI_COMMAND, 2), 0x0007);
  assert_int_equal(device->back_status[1], NETDEV_OK);
  assert_int_equal(device->back_status[2], NETDEV_E_CANCELLED);
  assert_int_equal(device->back_status[3], NETDEV_E_CANCELLED);
  assert_int_equal(device->back_total, 3);
  device->asleep = false;
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  expect_well(device, dev, 4);
  device->status = 0x0F;
  device->keeps_status = true; /* will not be reset: all that can be done is to say so */
  netdev_close(dev);
  device->status = 0;
  device_end(device, dev);
}

/* Registers that answer all ones, or nothing, from the n-th access on. */
static void test_gone_at_every_access(void **state) {
  (void)state;
  for(int value = 0; value <= 1; value++) {
    for(uint32_t n = 0;; n++) {
      struct device *device = device_new(DEVICE_FEATURES);
      device->gone_after = n;
      device->absent_value = value ? 0xFF : 0;
      struct net_config config = device_config(8, 8);
      struct netdev *dev = NULL;
      int result = virtio_net_create(&device->bench.platform, &config, &dev);
      if(result == NETDEV_OK) {
        struct netdev_client client = {device, device_tx_done, device_receive, device_link_changed};
        assert_int_equal(netdev_set_client(dev, &client), NETDEV_OK);
        result = netdev_open(dev);
      }
      bool whole = false;
      if(result == NETDEV_OK) {
        uint8_t frame[60];
        device_frame(frame, 60, broadcast, 1);
        bool sent = netdev_transmit(dev, frame, 60, device_cookie(1), 0) == NETDEV_OK;
        static const uint8_t group[1][6] = {{0x01, 0, 0x5E, 0, 0, 1}};
        (void)netdev_set_filter(dev, NETDEV_FILTER_UNICAST | NETDEV_FILTER_MULTICAST, group, 1);
        (void)netdev_poll(dev, 8);
        result = device_ticks(device, dev, 60000);
        whole = result == NETDEV_OK && device->gone_after > device->accesses;
        if(!whole) {
          result = device_ticks(device, dev, 8000000);
          assert_int_equal(result, NETDEV_E_GONE);
          assert_int_equal(dev->state, NETDEV_GONE);
          assert_false(dev->link.up);
        }
        netdev_close(dev);
        assert_int_equal(device->back[1], sent);
      }
      if(dev) {
        device_check(dev);
      }
      netdev_destroy(dev);
      assert_int_equal(device->bench.blocks, 0);
      free(device);
      if(whole) {
        assert_true(n > 100); /* all of a life was walked through */
        break;
      }
    }
  }
}

/* Recovery ------------------------------------------------------------------------------------------------------- */

static void test_hang(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  device->asleep = true;
  send(dev, 1);
  device->link = 0; /* without a link, waiting is right */
  assert_int_equal(device_ticks(device, dev, 20000000), NETDEV_OK);
  assert_int_equal(dev->stats.tx_hangs, 0);
  device->link = 1;
  assert_int_equal(device_ticks(device, dev, 4000000), NETDEV_OK);
  assert_int_equal(device->back_total, 0);
  uint32_t resets = device->resets;
  assert_int_equal(device_ticks(device, dev, 2000000), NETDEV_OK);
  assert_int_equal(dev->stats.tx_hangs, 1);
  assert_int_equal(device->resets, resets + 2); /* one to stop it, one to start it */
  assert_int_equal(device->back_status[1], NETDEV_E_RESET);
  assert_int_equal(device->back[1], 1);
  device->asleep = false;
  expect_well(device, dev, 2);
  device_end(device, dev);
}

/* A queue that makes progress is no hang, however slow it is. */
static void test_slow_is_no_hang(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  for(uint32_t i = 1; i <= 20; i++) {
    device->asleep = true;
    send(dev, i);
    assert_int_equal(device_ticks(device, dev, 4000000), NETDEV_OK);
    device->asleep = false;
    device_poke(device);
    assert_int_equal(netdev_tick(dev), NETDEV_OK);
  }
  assert_int_equal(dev->stats.tx_hangs, 0);
  assert_int_equal(device->back_total, 20);
  device_end(device, dev);
}

struct lie {
  uint32_t queue;
  uint32_t id;
  uint16_t jump;
};

static void tell_a_lie(struct device *device, const struct lie *lie) {
  struct virtq_used *used = device_used(device, lie->queue);
  used->ring[used->index & (device->queue[lie->queue].size - 1U)] = (struct virtq_used_element){lie->id, 72};
  used->index = (uint16_t)(used->index + lie->jump);
}

static void test_lies(void **state) {
  (void)state;
  static const struct lie lies[] = {{0, 8, 1},       {0, 0xFFFFFFFFU, 1}, {0, 0, 9},      {0, 0, 0x8000}, {1, 7, 1},
                                    {1, 0x10000, 1}, {1, 0, 3},           {1, 0, 0xFFFF}, {2, 1, 1},      {2, 0, 5}};
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  struct virtio_net *nic = to_virtio(dev);
  uint32_t cookie = 1;
  for(size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
    device->asleep = true;
    send(dev, cookie);
    tell_a_lie(device, &lies[i]);
    (void)netdev_poll(dev, 100);
    (void)netdev_poll(dev, 100);
    static const uint8_t group[1][6] = {{0x01, 0, 0x5E, 0, 0, 1}};
    if(lies[i].queue == 2) {
      assert_int_equal(netdev_set_filter(dev, NETDEV_FILTER_MULTICAST, group, 1), NETDEV_E_TIMEOUT);
    }
    assert_int_equal(nic->counters.lies, i + 1); /* once */
    uint32_t commands = device->commands;
    assert_int_equal(netdev_set_filter(dev, NETDEV_FILTER_ALL_MULTICAST, NULL, 0), NETDEV_E_TIMEOUT);
    assert_int_equal(device->commands, commands); /* a device that is to be reset is told nothing more */
    uint32_t resets = device->resets;
    assert_int_equal(netdev_tick(dev), NETDEV_OK); /* at once, not only after 50 ms */
    assert_int_equal(device->resets, resets + 2);
    assert_int_equal(device->back[cookie], 1);
    assert_int_equal(device->back_status[cookie], NETDEV_E_RESET);
    cookie++;
    device->asleep = false;
    assert_int_equal(netdev_set_filter(dev, NETDEV_FILTER_UNICAST | NETDEV_FILTER_BROADCAST, NULL, 0), NETDEV_OK);
    expect_well(device, dev, cookie++);
    device->bench.now_us += 61000000U; /* a minute of peace */
  }
  assert_int_equal(nic->counters.resets, sizeof(lies) / sizeof(lies[0]));
  device_end(device, dev);
}

static void test_patience_ends(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  static const struct lie lie = {0, 99, 1};
  uint32_t resets = 0;
  int result = NETDEV_OK;
  while(result == NETDEV_OK && resets < 100) {
    tell_a_lie(device, &lie);
    (void)netdev_poll(dev, 8);
    device->bench.now_us += 1000000U;
    result = netdev_tick(dev);
    resets++;
  }
  assert_int_equal(result, NETDEV_E_GONE);
  assert_int_equal(resets, 9);
  assert_int_equal(dev->state, NETDEV_GONE);
  assert_int_equal(device->status, 0); /* and is silenced */
  netdev_close(dev);
  assert_int_equal(netdev_open(dev), NETDEV_OK); /* a new start is a new chance */
  expect_well(device, dev, 1);
  device_end(device, dev);
}

static void test_needs_reset(void **state) {
  (void)state;
  static const uint8_t asks[] = {0x4F, 0x8F, 0x00, 0x0B};
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  for(size_t i = 0; i < sizeof(asks); i++) {
    device->asleep = true;
    send(dev, (uint32_t)(2 * i + 1));
    device->status = asks[i];
    device->asleep = false;
    assert_int_equal(device_ticks(device, dev, 50000), NETDEV_OK);
    assert_int_equal(to_virtio(dev)->counters.needs_reset, i + 1);
    assert_int_equal(device->back_status[2 * i + 1], NETDEV_E_RESET);
    expect_well(device, dev, (uint32_t)(2 * i + 2));
  }
  device->keeps_status = true; /* and one that cannot be reset */
  device->status = 0x4F;
  assert_int_equal(device_ticks(device, dev, 50000), NETDEV_E_GONE);
  device->keeps_status = false;
  device->status = 0;
  device_end(device, dev);
}

/* A client that sends from its callback, also while frames come back because of a reset. */
static struct netdev *callback_dev;
static int callback_results[64];
static uint32_t callback_count;

static void sends_again(void *ctx, void *cookie, int status) {
  uint8_t frame[60];
  device_tx_done(ctx, cookie, status);
  device_frame(frame, 60, broadcast, 1);
  if(callback_count < 64) {
    uint32_t number = callback_count++;
    callback_results[number] = netdev_transmit(callback_dev, frame, 60, device_cookie(1000 + number), 0);
  }
}

static void test_sending_from_a_callback(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_create(device, 8, 8);
  struct netdev_client client = {device, sends_again, NULL, NULL};
  callback_dev = dev;
  callback_count = 0;
  assert_int_equal(netdev_set_client(dev, &client), NETDEV_OK);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  send(dev, 1);
  assert_int_equal(netdev_complete(dev), 8); /* one lap, and not for ever */
  for(uint32_t i = 0; i < callback_count; i++) {
    assert_int_equal(callback_results[i], NETDEV_OK);
  }
  uint32_t before = callback_count;
  device->asleep = true;
  send(dev, 2);
  static const struct lie lie = {1, 99, 2};
  tell_a_lie(device, &lie);
  device->asleep = false;
  assert_int_equal(netdev_tick(dev), NETDEV_OK);
  assert_true(callback_count > before);
  for(uint32_t i = before; i < callback_count; i++) {
    assert_int_equal(callback_results[i], NETDEV_E_STATE);
  }
  callback_count = 64;
  netdev_close(dev);
  device_end(device, dev);
}

/* Link ----------------------------------------------------------------------------------------------------------- */

static void test_link(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  device->link = 0;
  struct netdev *dev = device_open(device, 8, 8);
  assert_false(dev->link.up);
  device->link = 1;
  assert_int_equal(device_ticks(device, dev, 50000), NETDEV_OK);
  assert_true(dev->link.up);
  assert_int_equal(device->links, 1);
  device->link = 2; /* ANNOUNCE means nothing to us */
  assert_int_equal(device_ticks(device, dev, 50000), NETDEV_OK);
  assert_false(dev->link.up);
  device_end(device, dev);
  device = device_new(DEVICE_FEATURES & ~VIRTIO_NET_F_STATUS);
  device->link = 0; /* no such field */
  dev = device_open(device, 8, 8);
  assert_true(dev->link.up);
  device_end(device, dev);
}

/* While boot services end: registers alone, no waiting, any number of times. */
static void test_quiesce(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  uint32_t config_writes = device->bench.config_writes;
  uint64_t now = device->bench.now_us;
  netdev_quiesce(dev);
  netdev_quiesce(dev);
  assert_int_equal(device->status, 0);
  assert_int_equal(device->bench.now_us, now);
  assert_int_equal(device->bench.config_writes, config_writes);
  device_end(device, dev);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_allocation_fails_once),
      cmocka_unit_test(test_open_fails),
      cmocka_unit_test(test_close),
      cmocka_unit_test(test_gone_at_every_access),
      cmocka_unit_test(test_hang),
      cmocka_unit_test(test_slow_is_no_hang),
      cmocka_unit_test(test_lies),
      cmocka_unit_test(test_patience_ends),
      cmocka_unit_test(test_needs_reset),
      cmocka_unit_test(test_sending_from_a_callback),
      cmocka_unit_test(test_link),
      cmocka_unit_test(test_quiesce),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
