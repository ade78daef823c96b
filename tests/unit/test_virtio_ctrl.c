/* test_virtio_ctrl.c - virtio-net's control queue: filter, address, and devices that refuse, or never answer. */
#include "virtio_device.h"

#define U NETDEV_FILTER_UNICAST
#define M NETDEV_FILTER_MULTICAST
#define B NETDEV_FILTER_BROADCAST
#define P NETDEV_FILTER_PROMISCUOUS
#define A NETDEV_FILTER_ALL_MULTICAST

static uint8_t groups[NETDEV_MAX_MULTICAST][6];

static void fill_groups(void) {
  for(uint8_t i = 0; i < NETDEV_MAX_MULTICAST; i++) {
    memcpy(groups[i], (const uint8_t[]){0x01, 0x00, 0x5E, 0x00, 0x00, i}, 6);
  }
}

/* What the device does with a frame (5.1.6.5.1 and .2), by its own state. */
static bool passes(const struct device *device, const uint8_t to[6]) {
  static const uint8_t all[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  if(device->mode[VIRTIO_NET_CTRL_RX_PROMISC]) {
    return true;
  }
  if(memcmp(to, all, 6) == 0) {
    return !device->mode[VIRTIO_NET_CTRL_RX_NOBCAST];
  }
  bool multicast = to[0] & 1U;
  if(device->mode[multicast ? VIRTIO_NET_CTRL_RX_NOMULTI : VIRTIO_NET_CTRL_RX_NOUNI]) {
    return false;
  }
  if((multicast && device->mode[VIRTIO_NET_CTRL_RX_ALLMULTI]) ||
     (!multicast && memcmp(to, device->current_mac, 6) == 0)) {
    return true;
  }
  for(uint32_t i = 0; i < device->table_count[multicast]; i++) {
    if(memcmp(to, device->table[multicast][i], 6) == 0) {
      return true;
    }
  }
  return false;
}

static bool wanted(const struct netdev *dev, uint32_t flags, uint32_t count, const uint8_t to[6]) {
  static const uint8_t all[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  if(flags & P) {
    return true;
  }
  if(memcmp(to, all, 6) == 0) {
    return flags & B;
  }
  if(!(to[0] & 1U)) {
    return (flags & U) && memcmp(to, dev->mac, 6) == 0;
  }
  if(flags & A) {
    return true;
  }
  for(uint32_t i = 0; i < count; i++) {
    if((flags & M) && memcmp(to, groups[i], 6) == 0) {
      return true;
    }
  }
  return false;
}

static const uint8_t destinations[][6] = {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3},
                                          {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC4}, {0x01, 0x00, 0x5E, 0x00, 0x00, 0x00},
                                          {0x01, 0x00, 0x5E, 0x00, 0x00, 0x0F}, {0x33, 0x33, 0x00, 0x00, 0x00, 0x01},
                                          {0x02, 0x11, 0x22, 0x33, 0x44, 0x55}};

/* Never less than asked for; exactly that where the device can do all. */
static void expect_filter(const struct device *device, const struct netdev *dev, uint32_t flags, uint32_t count,
                          bool exactly) {
  for(size_t i = 0; i < sizeof(destinations) / sizeof(destinations[0]); i++) {
    bool want = wanted(dev, flags, count, destinations[i]);
    bool pass = passes(device, destinations[i]);
    assert_true(exactly ? pass == want : pass || !want);
  }
}

/* From every filter to every other, on devices that can do all, some, or nothing. */
static void test_filters(void **state) {
  (void)state;
  static const uint64_t lacking[] = {0, VIRTIO_NET_F_CTRL_RX_EXTRA, VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_VQ};
  fill_groups();
  for(size_t l = 0; l < sizeof(lacking) / sizeof(lacking[0]); l++) {
    struct device *device = device_new(DEVICE_FEATURES & ~lacking[l]);
    struct netdev *dev = device_open(device, 8, 8);
    expect_filter(device, dev, U | B, 0, l == 0);
    for(uint32_t from = 0; from < 32; from++) {
      for(uint32_t to = 0; to < 32; to++) {
        uint32_t counts[] = {from % 17, to * 7 % 17};
        assert_int_equal(netdev_set_filter(dev, from, groups, counts[0]), NETDEV_OK);
        expect_filter(device, dev, from, counts[0], l == 0);
        assert_int_equal(netdev_set_filter(dev, to, groups, counts[1]), NETDEV_OK);
        expect_filter(device, dev, to, counts[1], l == 0);
      }
    }
    if(l >= 2) {
      assert_int_equal(device->commands, l == 2 ? 1 : 0); /* the address */
    }
    device_check(dev);
    device_end(device, dev);
  }
}

static void test_commands_for_changes_only(void **state) {
  (void)state;
  fill_groups();
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  assert_int_equal(device->commands, 7); /* the address, five modes, the table */
  assert_int_equal(netdev_set_filter(dev, U | B, NULL, 0), NETDEV_OK);
  assert_int_equal(device->commands, 7);
  assert_int_equal(netdev_set_filter(dev, U | B | M, groups, 2), NETDEV_OK);
  assert_int_equal(device->commands, 9); /* NOMULTI, the table */
  assert_int_equal(netdev_set_filter(dev, U | B | M, groups + 1, 2), NETDEV_OK);
  assert_int_equal(device->commands, 10);
  assert_int_equal(netdev_set_filter(dev, U | B | M | P, groups + 1, 2), NETDEV_OK);
  assert_int_equal(device->commands, 11);
  uint32_t reads = device->bench.reads;
  uint32_t writes = device->bench.writes;
  assert_int_equal(netdev_set_filter(dev, U | B | M, groups + 1, 2), NETDEV_OK);
  assert_int_equal(device->bench.writes - writes, 1); /* its price: one notification a command, nothing read */
  assert_int_equal(device->bench.reads - reads, 0);
  netdev_close(dev);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  assert_int_equal(device->commands, 12 + 7);
  expect_filter(device, dev, U | B | M, 0, false);
  device_end(device, dev);
}

/* A refusal that lets more through is none; one that lets less through is made good, or said. */
static void test_refusals(void **state) {
  (void)state;
  fill_groups();
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  device->refuse = VIRTIO_NET_CTRL_RX;
  assert_int_equal(netdev_set_filter(dev, U, NULL, 0), NETDEV_OK); /* broadcast goes on */
  expect_filter(device, dev, U, 0, false);
  assert_int_equal(netdev_set_filter(dev, P, NULL, 0), NETDEV_E_UNSUPPORTED);
  device->refuse = VIRTIO_NET_CTRL_MAC;
  assert_int_equal(netdev_set_filter(dev, U | B | M, groups, 16), NETDEV_OK); /* a table that is too long */
  assert_int_equal(device->mode[VIRTIO_NET_CTRL_RX_ALLMULTI], 1);
  expect_filter(device, dev, U | B | M, 16, false);
  static const uint8_t other[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
  assert_int_equal(netdev_set_mac(dev, other), NETDEV_E_UNSUPPORTED);
  assert_memory_equal(dev->mac, device_mac, 6);
  device->refuse = 0xFF;
  assert_int_equal(netdev_set_filter(dev, U | B | M, groups, 16), NETDEV_OK);
  expect_filter(device, dev, U | B | M, 16, true);
  assert_true(to_virtio(dev)->counters.refused > 0);
  assert_null(to_virtio(dev)->trouble);
  device_end(device, dev);
}

static void test_address(void **state) {
  (void)state;
  static const uint8_t other[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  assert_memory_equal(dev->permanent_mac, device_mac, 6);
  assert_int_equal(netdev_set_mac(dev, other), NETDEV_OK);
  assert_memory_equal(device->current_mac, other, 6);
  expect_filter(device, dev, U | B, 0, true);
  netdev_close(dev);
  assert_int_equal(netdev_open(dev), NETDEV_OK); /* it is still ours after a reset of the device */
  assert_memory_equal(device->current_mac, other, 6);
  assert_int_equal(netdev_set_mac(dev, NULL), NETDEV_OK);
  assert_memory_equal(device->current_mac, device_mac, 6);
  device_end(device, dev);

  device = device_new(DEVICE_FEATURES & ~VIRTIO_NET_F_CTRL_MAC_ADDR);
  dev = device_open(device, 8, 8);
  assert_int_equal(netdev_set_mac(dev, other), NETDEV_E_UNSUPPORTED);
  netdev_close(dev);
  assert_int_equal(netdev_set_mac(dev, other), NETDEV_OK); /* in force at the next open, which cannot */
  assert_int_equal(netdev_open(dev), NETDEV_E_UNSUPPORTED);
  assert_int_equal(netdev_set_mac(dev, NULL), NETDEV_OK);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  device_end(device, dev);
}

/* A device without an address, or with one that is none, gets a local one, and is told where there is a way. */
static void test_no_address(void **state) {
  (void)state;
  static const uint64_t lacking[] = {VIRTIO_NET_F_MAC, VIRTIO_NET_F_MAC | VIRTIO_NET_F_CTRL_MAC_ADDR,
                                     VIRTIO_NET_F_MAC | VIRTIO_NET_F_CTRL_VQ, 0};
  uint8_t before[6] = {0};
  for(size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
    struct device *device = device_new(DEVICE_FEATURES & ~lacking[i]);
    memset(device->mac, 0, 6);
    device->bench.now_us = 1000 + i;
    struct netdev *dev = device_open(device, 8, 8);
    assert_int_equal(dev->mac[0] & 3U, 2); /* local, unicast */
    assert_memory_not_equal(dev->mac, before, 6);
    memcpy(before, dev->mac, 6);
    assert_true(passes(device, dev->mac));
    device->refuse = VIRTIO_NET_CTRL_MAC; /* no room in its table for as much as one: everything, then */
    fill_groups();
    assert_int_equal(netdev_set_filter(dev, U | B | M, groups, 3), NETDEV_OK);
    assert_true(passes(device, dev->mac));
    assert_true(passes(device, groups[2]));
    device_end(device, dev);
  }
}

/* Not answered: the caller hears of it within the bound, nothing more is sent, and the next tick resets. */
static void test_unanswered(void **state) {
  (void)state;
  static const uint8_t other[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  uint8_t frame[60];
  device_frame(frame, 60, other, 1);
  device->asleep = true;
  assert_int_equal(netdev_transmit(dev, frame, 60, device_cookie(1), 0), NETDEV_OK);
  device->mute = true;
  uint64_t start = device->bench.now_us;
  assert_int_equal(netdev_set_filter(dev, P, NULL, 0), NETDEV_E_TIMEOUT);
  assert_true(device->bench.now_us - start >= 2000000U && device->bench.now_us - start < 3000000U);
  start = device->bench.now_us;
  assert_int_equal(netdev_set_mac(dev, other), NETDEV_E_TIMEOUT);
  assert_int_equal(device->bench.now_us, start); /* at once: its buffers are still the device's */
  assert_int_equal(device->back_total, 0);
  assert_int_equal(to_virtio(dev)->counters.unanswered, 1);
  device->mute = false;
  device->asleep = false;
  assert_int_equal(netdev_tick(dev), NETDEV_OK);
  assert_int_equal(device->back_status[1], NETDEV_E_RESET);
  assert_int_equal(device->mode[VIRTIO_NET_CTRL_RX_PROMISC], 1); /* asked for, and now in force */
  assert_memory_equal(device->current_mac, device_mac, 6);       /* refused, and so not */
  device->mute = true;                                           /* and one that never answers again */
  assert_int_equal(netdev_set_filter(dev, U, NULL, 0), NETDEV_E_TIMEOUT);
  assert_int_equal(netdev_tick(dev), NETDEV_E_GONE);
  assert_int_equal(device->status, 0);
  device_end(device, dev);
}

static uint64_t stopped_clock(void *ctx) {
  (void)ctx;
  return 5;
}

/* A clock that stands still is no reason to wait for ever. */
static void test_clock_stands_still(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *dev = device_open(device, 8, 8);
  device->bench.platform.now_us = stopped_clock;
  device->mute = true;
  assert_int_equal(netdev_set_filter(dev, P, NULL, 0), NETDEV_E_TIMEOUT);
  device->bench.platform.now_us = bench_now_us;
  device_end(device, dev);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_filters),
      cmocka_unit_test(test_commands_for_changes_only),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_address),
      cmocka_unit_test(test_no_address),
      cmocka_unit_test(test_unanswered),
      cmocka_unit_test(test_clock_stands_still),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
