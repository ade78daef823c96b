/* test_virtio_data.c - virtio-net's datapath: frames of every length, order, full queues, and what they cost. */
#include "virtio_device.h"

static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

/* Opening -------------------------------------------------------------------------------------------------------- */

static void test_features(void **state) {
  (void)state;
  static const uint64_t offers[] = {DEVICE_FEATURES, DEVICE_FEATURES | DEVICE_EXTRAS,
                                    UINT64_MAX & ~((1ULL << 3) | (1ULL << 63)), VIRTIO_F_VERSION_1,
                                    VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM};
  for(size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
    struct device *device = device_new(offers[i]);
    struct netdev *dev = device_open(device, 0, 0);
    assert_int_equal(device->features, offers[i] & VIRTIO_NET_WANTED);
    assert_int_equal(virtio_net_features(dev), device->features);
    assert_int_equal(device->features & (1ULL << 19), 0); /* CTRL_VLAN drops tagged frames */
    assert_int_equal(device->status, 0x0F);
    assert_true(dev->link.up && dev->link.full_duplex);
    assert_int_equal(dev->link.speed_mbps, 0);
    device_end(device, dev);
  }
}

static void test_refused(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES & ~VIRTIO_F_VERSION_1);
  struct net_config config = device_config(0, 0);
  struct netdev *dev = NULL;
  assert_int_equal(virtio_net_create(&device->bench.platform, &config, &dev), NETDEV_E_UNSUPPORTED);
  device->offered = DEVICE_FEATURES;
  for(uint16_t queue = 0; queue < 3; queue++) {
    device->queue_max[queue] = queue == 2 ? 1 : 0;
    assert_int_equal(virtio_net_create(&device->bench.platform, &config, &dev), NETDEV_E_UNSUPPORTED);
    device->queue_max[queue] = 256;
  }
  config.id.device_id = 0x1042;
  assert_int_equal(virtio_net_create(&device->bench.platform, &config, &dev), NETDEV_E_UNSUPPORTED);
  static const uint32_t sizes[] = {4, 7, 100, 2048};
  for(size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    config = device_config(sizes[i], 0);
    assert_int_equal(virtio_net_create(&device->bench.platform, &config, &dev), NETDEV_E_INVALID);
    config = device_config(0, sizes[i]);
    assert_int_equal(virtio_net_create(&device->bench.platform, &config, &dev), NETDEV_E_INVALID);
  }
  config = device_config(0, 0);
  device->restless = true;
  assert_int_equal(virtio_net_create(&device->bench.platform, &config, &dev), NETDEV_E_TIMEOUT);
  device->restless = false;
  device->bench.platform.version = 1;
  assert_int_equal(virtio_net_create(&device->bench.platform, &config, &dev), NETDEV_E_INVALID);
  device->bench.platform.version = NET_PLATFORM_VERSION;
  device->bench.config[PCI_STATUS] = 0; /* a legacy device has no such capabilities */
  assert_int_equal(virtio_net_create(&device->bench.platform, &config, &dev), NETDEV_E_UNSUPPORTED);
  assert_int_equal(device->status, 0);
  device_end(device, NULL);
}

/* What is asked for, what the device has, and what becomes of it. */
static void test_queue_sizes(void **state) {
  (void)state;
  static const uint16_t sizes[][3] = {{0, 256, 256},    {0, 1024, 256}, {8, 256, 8}, {1024, 1024, 1024},
                                      {1024, 256, 256}, {64, 48, 32},   {0, 2, 2}};
  for(size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    struct device *device = device_new(DEVICE_FEATURES);
    device->queue_max[0] = device->queue_max[1] = sizes[i][1];
    struct netdev *dev = device_open(device, sizes[i][0], sizes[i][0]);
    assert_int_equal(device->queue[0].size, sizes[i][2]);
    assert_int_equal(device->queue[1].size, sizes[i][2]);
    assert_int_equal(device->queue[0].notifies, 1);
    device_end(device, dev);
  }
}

static void test_glance(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct net_device_id id = {VIRTIO_VENDOR_ID, VIRTIO_NET_TRANSITIONAL, 0, 0, 0};
  uint8_t mac[6];
  struct netdev_link link;
  assert_string_equal(virtio_net_driver.match(&id)->name, "virtio-net");
  assert_int_equal(virtio_net_driver.glance(&device->bench.platform, &id, mac, &link), NETDEV_OK);
  assert_memory_equal(mac, device_mac, 6);
  assert_true(link.up);
  assert_int_equal(device->bench.writes + device->bench.config_writes, 0);
  device->link = 0;
  memset(device->mac, 0, 6);
  assert_int_equal(virtio_net_driver.glance(&device->bench.platform, &id, mac, &link), NETDEV_OK);
  assert_false(link.up);
  device->gone_after = 0;
  assert_int_equal(virtio_net_driver.glance(&device->bench.platform, &id, mac, &link), NETDEV_E_GONE);
  device->bench.absent = true;
  assert_int_equal(virtio_net_driver.glance(&device->bench.platform, &id, mac, &link), NETDEV_E_GONE);
  id.device_id = 0x1000 + 1;
  assert_int_equal(virtio_net_driver.glance(&device->bench.platform, &id, mac, &link), NETDEV_E_UNSUPPORTED);
  device_end(device, NULL);
}

/* Sending -------------------------------------------------------------------------------------------------------- */

static void test_every_length_out(void **state) {
  (void)state;
  for(int backwards = 0; backwards <= 1; backwards++) {
    struct device *device = device_new(DEVICE_FEATURES);
    struct netdev *dev = device_open(device, 8, 8);
    device->backwards = backwards;
    uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
    for(uint32_t length = NETDEV_HEADER_LENGTH; length <= NETDEV_MAX_TAGGED_FRAME; length++) {
      device_frame(frame, length, broadcast, length);
      memset(virtio_tx(to_virtio(dev))->buffers.cpu, 0xA5, virtio_tx(to_virtio(dev))->buffers.size); /* stale */
      assert_int_equal(netdev_transmit(dev, frame, length, device_cookie(length), 0), NETDEV_OK);
      uint32_t padded = length < 60 ? 60 : length;
      assert_int_equal(device->sent_length, padded);
      assert_memory_equal(device->sent_frame, frame, length);
      for(uint32_t i = length; i < padded; i++) {
        assert_int_equal(device->sent_frame[i], 0);
      }
      assert_int_equal(netdev_complete(dev), 1);
      assert_int_equal(device->back[length], 1);
      assert_int_equal(device->back_status[length], NETDEV_OK);
      device_check(dev);
    }
    assert_int_equal(netdev_get_stats(dev)->tx_frames, 1505);
    device_end(device, dev);
  }
}

/* The device returns in another order than it was told in: each cookie once all the same. */
static void test_returned_in_any_order(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 64, 64);
  device->backwards = true;
  uint8_t frame[100];
  uint32_t cookie = 1;
  for(uint32_t round = 0; round < 100; round++) {
    for(uint32_t i = 0; i < 1 + round % 64; i++) {
      device_frame(frame, sizeof(frame), broadcast, cookie);
      assert_int_equal(netdev_transmit(dev, frame, sizeof(frame), device_cookie(cookie++), NETDEV_TX_MORE), NETDEV_OK);
    }
    netdev_flush(dev);
    assert_int_equal(netdev_complete(dev), 1 + round % 64);
    device_check(dev);
  }
  for(uint32_t i = 1; i < cookie; i++) {
    assert_int_equal(device->back[i], 1);
  }
  assert_int_equal(device->sent, cookie - 1);
  device_end(device, dev);
}

static void test_full_queue(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  uint8_t frame[60];
  device_frame(frame, 60, broadcast, 1);
  device->asleep = true;
  for(uint32_t i = 1; i <= 8; i++) {
    assert_int_equal(netdev_transmit(dev, frame, 60, device_cookie(i), 0), NETDEV_OK);
  }
  assert_int_equal(netdev_transmit(dev, frame, 60, device_cookie(9), 0), NETDEV_E_BUSY);
  assert_int_equal(dev->stats.tx_busy, 1);
  assert_int_equal(device->back_total, 0);
  device->asleep = false;
  device_poke(device);
  assert_int_equal(netdev_transmit(dev, frame, 60, device_cookie(9), 0), NETDEV_OK);
  assert_int_equal(device->back_total, 8);
  device_end(device, dev);
}

static void test_mtu(void **state) {
  (void)state;
  static const uint16_t mtus[][2] = {{1500, 1500}, {68, 68}, {1400, 1400}, {1501, 0}, {9000, 0}, {67, 0}, {0, 0}};
  uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
  for(size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
    struct device *device = device_new(DEVICE_FEATURES | VIRTIO_NET_F_MTU);
    device->mtu = mtus[i][0];
    struct netdev *dev = device_open(device, 0, 0);
    bool accepted = mtus[i][1] != 0;
    assert_int_equal((device->features & VIRTIO_NET_F_MTU) != 0, accepted);
    uint32_t mtu = accepted ? mtus[i][1] : NETDEV_MTU;
    assert_int_equal(virtio_net_mtu(dev), mtu);
    device_frame(frame, sizeof(frame), broadcast, 1);
    assert_int_equal(netdev_transmit(dev, frame, 14 + mtu, device_cookie(1), 0), NETDEV_OK);
    assert_int_equal(netdev_transmit(dev, frame, 15 + mtu, device_cookie(2), 0),
                     accepted ? NETDEV_E_INVALID : NETDEV_OK);
    frame[12] = 0x81;
    frame[13] = 0x00;
    assert_int_equal(netdev_transmit(dev, frame, 18 + mtu, device_cookie(3), 0), NETDEV_OK);
    device_end(device, dev);
  }
}

/* Receiving ------------------------------------------------------------------------------------------------------ */

static void test_every_length_in(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
  for(uint32_t length = NETDEV_HEADER_LENGTH; length <= NETDEV_MAX_TAGGED_FRAME; length++) {
    device_frame(frame, length, device_mac, length);
    assert_true(device_receives(device, frame, length));
    assert_int_equal(netdev_poll(dev, 8), 1);
    assert_int_equal(device->received_length, length);
    assert_memory_equal(device->received_frame, frame, length);
    device_check(dev);
  }
  assert_int_equal(netdev_get_stats(dev)->rx_frames, 1505);
  assert_int_equal(dev->stats.rx_errors, 0);
  device_end(device, dev);
}

static void test_no_frame_has_this_length(void **state) {
  (void)state;
  static const uint32_t lengths[] = {0, 1, 11, 12, 25, 1531, 1536, 1537, 65535, 65536 + 72, 0xFFFFFFFFU};
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  uint8_t frame[60];
  device_frame(frame, 60, device_mac, 1);
  for(size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    uint16_t id;
    assert_true(device_takes(device, VIRTIO_NET_RX, &id));
    device_returns(device, VIRTIO_NET_RX, id, lengths[i]);
    assert_true(device_receives(device, frame, 60));
    assert_int_equal(netdev_poll(dev, 8), 1); /* the good one behind it */
    assert_int_equal(dev->stats.rx_length_errors, i + 1);
    device_check(dev);
  }
  assert_int_equal(netdev_get_stats(dev)->rx_errors, sizeof(lengths) / sizeof(lengths[0]));
  assert_int_equal(device_ticks(device, dev, 100000), NETDEV_OK);
  assert_int_equal(device->resets, 3); /* create's two and open's: no reason for another */
  device_end(device, dev);
}

/* A whole queue of them is skipped in one call, and no more than that. */
static void test_nothing_but_bad_lengths(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  struct netdev_frame seen;
  uint16_t id;
  for(uint32_t i = 0; i < 8; i++) {
    assert_true(device_takes(device, VIRTIO_NET_RX, &id));
    device_returns(device, VIRTIO_NET_RX, id, 5);
  }
  assert_int_equal(netdev_peek(dev, &seen), NETDEV_E_EMPTY);
  assert_int_equal(dev->stats.rx_length_errors, 8);
  device_check(dev);
  device_end(device, dev);
}

/* A configuration that is shorter than the features say: what is not there is not used. */
static void test_short_configuration(void **state) {
  (void)state;
  static const uint8_t lengths[] = {4, 6, 8, 11};
  for(size_t i = 0; i < sizeof(lengths); i++) {
    struct device *device = device_new(DEVICE_FEATURES | VIRTIO_NET_F_MTU);
    device->mtu = 1400;
    device->bench.config[0x68 + 12] = lengths[i];
    device->bench.config[0x68 + 13] = 0;
    struct netdev *dev = device_open(device, 8, 8);
    assert_int_equal((device->features & VIRTIO_NET_F_MAC) != 0, lengths[i] >= 6);
    assert_int_equal((device->features & VIRTIO_NET_F_STATUS) != 0, lengths[i] >= 8);
    assert_int_equal(device->features & VIRTIO_NET_F_MTU, 0);
    assert_true(netdev_mac_valid(dev->mac));
    device_end(device, dev);
  }
}

static void test_peek_and_release(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  uint8_t frame[200];
  struct netdev_frame seen;
  assert_int_equal(netdev_peek(dev, &seen), NETDEV_E_EMPTY);
  netdev_release(dev); /* of nothing */
  for(uint32_t i = 0; i < 3; i++) {
    device_frame(frame, 100 + i, device_mac, i);
    assert_true(device_receives(device, frame, 100 + i));
  }
  for(uint32_t i = 0; i < 3; i++) {
    device_frame(frame, 100 + i, device_mac, i);
    for(uint32_t again = 0; again < 3; again++) {
      assert_int_equal(netdev_peek(dev, &seen), NETDEV_OK);
      assert_int_equal(seen.length, 100 + i);
      assert_memory_equal(seen.data, frame, seen.length);
    }
    netdev_release(dev);
  }
  assert_int_equal(netdev_peek(dev, &seen), NETDEV_E_EMPTY);
  assert_int_equal(dev->stats.rx_frames, 3);
  assert_int_equal(dev->stats.rx_bytes, 303);
  size_t length = 0;
  device_frame(frame, 150, device_mac, 9);
  assert_true(device_receives(device, frame, 150));
  uint8_t copy[150];
  assert_int_equal(netdev_receive(dev, copy, 149, &length), NETDEV_E_TOO_SMALL);
  assert_int_equal(netdev_receive(dev, copy, 150, &length), NETDEV_OK);
  assert_memory_equal(copy, frame, 150);
  device_end(device, dev);
}

/* The price list ------------------------------------------------------------------------------------------------- */

struct price {
  uint32_t reads;
  uint32_t writes;
};

static struct price price(const struct device *device) {
  return (struct price){device->bench.reads, device->bench.writes};
}

static void expect_price(const struct device *device, struct price since, uint32_t writes) {
  assert_int_equal(device->bench.reads - since.reads, 0);
  assert_int_equal(device->bench.writes - since.writes, writes);
}

static void test_price_of_sending(void **state) {
  (void)state;
  for(int awake = 0; awake <= 1; awake++) {
    for(int event_index = 0; event_index <= 1; event_index++) {
      struct device *device = device_new(event_index ? DEVICE_FEATURES : DEVICE_FEATURES & ~VIRTIO_F_EVENT_IDX);
      struct netdev *dev = device_open(device, 64, 64);
      device->awake = awake;
      device_wants(device, VIRTIO_NET_TX);
      uint8_t frame[60];
      device_frame(frame, 60, broadcast, 1);
      struct price since = price(device);
      assert_int_equal(netdev_transmit(dev, frame, 60, device_cookie(1), 0), NETDEV_OK);
      expect_price(device, since, awake ? 0 : 1);
      device_poke(device);
      for(uint32_t i = 2; i < 34; i++) {
        assert_int_equal(netdev_transmit(dev, frame, 60, device_cookie(i), NETDEV_TX_MORE), NETDEV_OK);
      }
      netdev_flush(dev);
      netdev_flush(dev);
      expect_price(device, since, awake ? 0 : 2); /* one for the burst */
      device_poke(device);
      assert_int_equal(netdev_complete(dev), 33);
      expect_price(device, since, awake ? 0 : 2);
      assert_int_equal(dev->stats.tx_doorbells, awake ? 0 : 2);
      assert_int_equal(to_virtio(dev)->counters.tx_unnotified, awake ? 2 : 0);
      device_end(device, dev);
    }
  }
}

static void test_price_of_receiving(void **state) {
  (void)state;
  for(int awake = 0; awake <= 1; awake++) {
    struct device *device = device_new(DEVICE_FEATURES);
    struct netdev *dev = device_open(device, 256, 256);
    device->awake = awake;
    uint8_t frame[60];
    device_frame(frame, 60, device_mac, 1);
    struct price since = price(device);
    for(uint32_t i = 0; i < 3200; i++) {
      assert_true(device_receives(device, frame, 60));
      assert_int_equal(netdev_poll(dev, 8), 1);
    }
    /* Batches of 32 of 256. Asleep, the device wants to hear of the entry after the last it has consumed only. */
    assert_int_equal(device->bench.reads - since.reads, 0);
    assert_true(device->bench.writes - since.writes <= 3200 / 16);
    assert_int_equal(device->bench.writes - since.writes, dev->stats.rx_doorbells - 1);
    assert_int_equal(dev->stats.rx_doorbells - 1 + to_virtio(dev)->counters.rx_unnotified, 100);
    if(awake) {
      assert_int_equal(dev->stats.rx_doorbells, 1);
    }
    device_end(device, dev);
  }
}

static void test_price_of_nothing(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 64, 64);
  struct price since = price(device);
  for(uint32_t i = 0; i < 1000; i++) {
    assert_int_equal(netdev_poll(dev, 8), 0);
    assert_int_equal(netdev_tick(dev), NETDEV_OK);
  }
  netdev_flush(dev);
  (void)netdev_get_stats(dev);
  expect_price(device, since, 0);
  assert_int_equal(device_ticks(device, dev, 1000000), NETDEV_OK);
  assert_int_equal(device->bench.reads - since.reads, 40); /* status and link, every 50 ms */
  device_end(device, dev);
}

/* A dry queue: the device holds back, or drops; the driver's next refill wakes it. */
static void test_dry_queue(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 64, 64);
  uint8_t frame[60];
  device_frame(frame, 60, device_mac, 1);
  for(uint32_t round = 0; round < 20; round++) {
    uint32_t count = 0;
    while(device_receives(device, frame, 60)) {
      count++;
    }
    assert_int_equal(count, 64);
    uint32_t notifies = device->queue[0].notifies;
    assert_int_equal(netdev_poll(dev, 1000), 64);
    assert_true(device->queue[0].notifies > notifies); /* asleep, and told */
  }
  device_end(device, dev);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_features),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_queue_sizes),
      cmocka_unit_test(test_glance),
      cmocka_unit_test(test_every_length_out),
      cmocka_unit_test(test_returned_in_any_order),
      cmocka_unit_test(test_full_queue),
      cmocka_unit_test(test_mtu),
      cmocka_unit_test(test_every_length_in),
      cmocka_unit_test(test_no_frame_has_this_length),
      cmocka_unit_test(test_nothing_but_bad_lengths),
      cmocka_unit_test(test_short_configuration),
      cmocka_unit_test(test_peek_and_release),
      cmocka_unit_test(test_price_of_sending),
      cmocka_unit_test(test_price_of_receiving),
      cmocka_unit_test(test_price_of_nothing),
      cmocka_unit_test(test_dry_queue),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
