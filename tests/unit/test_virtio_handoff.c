/* test_virtio_handoff.c - a virtio-net device left by firmware, live or quiet, and continued by a kernel. */
#include "handoff.h"
#include "virtio_device.h"

static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t other[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};

struct handoff {
  struct net_handoff_nic nic;
  struct net_handoff_virtio_net block;
};

static void send(struct netdev *dev, uint32_t cookie) {
  uint8_t frame[60];
  device_frame(frame, 60, broadcast, cookie);
  assert_int_equal(netdev_transmit(dev, frame, 60, device_cookie(cookie), 0), NETDEV_OK);
}

static bool arrive(struct device *device, uint32_t number) {
  uint8_t frame[100];
  device_frame(frame, 100, device_mac, number);
  return device_receives(device, frame, 100);
}

static void expect_arrived(struct netdev *dev, uint32_t number) {
  uint8_t frame[100];
  struct netdev_frame seen;
  device_frame(frame, 100, device_mac, number);
  assert_int_equal(netdev_peek(dev, &seen), NETDEV_OK);
  assert_int_equal(seen.length, 100);
  assert_memory_equal(seen.data, frame, 100);
  netdev_release(dev);
}

/* As the producer fills in what it knows of PCI. Inside ExitBootServices: no waiting, no memory, no configuration
 * space. */
static bool leave(struct device *device, struct netdev *dev, bool live, struct handoff *handoff) {
  memset(handoff, 0, sizeof(*handoff));
  uint32_t allocations = device->bench.allocations;
  uint32_t config_writes = device->bench.config_writes;
  uint64_t now = device->bench.now_us;
  bool left = netdev_handoff_leave(dev, live, &handoff->nic, &handoff->block);
  assert_int_equal(device->bench.allocations, allocations);
  assert_int_equal(device->bench.config_writes, config_writes);
  assert_int_equal(device->bench.now_us, now);
  handoff->nic.state = live ? NET_HANDOFF_LIVE : NET_HANDOFF_QUIET;
  handoff->nic.vendor_id = VIRTIO_VENDOR_ID;
  handoff->nic.device_id = VIRTIO_NET_MODERN;
  handoff->nic.bar[BENCH_BAR] =
      (struct net_handoff_bar){0xE000004000ULL, 0xE000004000ULL, BENCH_BAR_BYTES, NET_HANDOFF_BAR_MEMORY, 0};
  return left;
}

static uint64_t unmapped; /* physical address that cannot be mapped */

static void *identity(void *ctx, uint64_t physical, uint64_t size) {
  (void)ctx;
  (void)size;
  return physical == unmapped ? NULL : (void *)(uintptr_t)physical;
}

static const char *judge(const struct handoff *handoff) {
  struct net_handoff_span spans[NET_HANDOFF_SPANS_MAX];
  uint32_t count = 0;
  const char *problem = virtio_net_handoff_judge(&handoff->nic, &handoff->block, spans, &count);
  if(!problem) {
    assert_int_equal(count, handoff->block.queue_count * 4U);
    for(uint32_t i = 0; i < count; i++) {
      assert_int_equal(spans[i].device, spans[i].physical + BENCH_DEVICE_SKEW);
      for(uint32_t j = 0; j < i; j++) {
        assert_true(spans[i].physical >= spans[j].physical + spans[j].size ||
                    spans[j].physical >= spans[i].physical + spans[i].size);
      }
    }
  }
  return problem;
}

static int adopt(struct device *device, const struct handoff *handoff, struct netdev **out) {
  const char *problem = judge(handoff);
  assert_string_equal(problem ? problem : "", "");
  *out = NULL;
  return virtio_net_adopt(&device->bench.platform, &handoff->nic, &handoff->block, identity, out);
}

static void give_client(struct device *device, struct netdev *dev) {
  dev->client = (struct netdev_client){device, device_tx_done, NULL, NULL};
}

/* The firmware's half is memory that nobody frees: the kernel's device goes first, then this one. */
static void end(struct device *device, struct netdev *kernel, struct netdev *firmware) {
  if(kernel) {
    device_check(kernel);
  } else {
    device_reset(device); /* nobody has adopted it */
  }
  netdev_destroy(kernel);
  firmware->state = NETDEV_CLOSED;
  device_end(device, firmware);
}

/* Live ----------------------------------------------------------------------------------------------------------- */

static void test_live(void **state) {
  (void)state;
  for(uint32_t already = 0; already < 12; already++) {
    struct device *device = device_new(DEVICE_FEATURES);
    struct netdev *firmware = device_create(device, 8, 8);
    struct handoff handoff;
    firmware->client.receive = NULL;
    assert_int_equal(netdev_open(firmware), NETDEV_OK);
    for(uint32_t i = 0; i < already; i++) { /* so that indices and numbers stand anywhere */
      assert_true(arrive(device, i));
      expect_arrived(firmware, i);
      send(firmware, 100);
    }
    (void)netdev_complete(firmware);
    assert_true(arrive(device, 1));
    assert_true(arrive(device, 2));
    struct netdev_frame seen;
    assert_int_equal(netdev_peek(firmware, &seen), NETDEV_OK); /* looked at, not taken */
    device->asleep = true;
    send(firmware, 200);
    uint8_t frame[60];
    device_frame(frame, 60, broadcast, 9);
    assert_int_equal(netdev_transmit(firmware, frame, 60, device_cookie(201), NETDEV_TX_MORE), NETDEV_OK);
    device->asleep = false;
    device->isr = VIRTIO_ISR_CONFIG;
    uint32_t resets = device->resets;
    uint32_t sent = device->sent;
    assert_true(leave(device, firmware, true, &handoff));
    assert_int_equal(device->status, 0x0F);
    assert_int_equal(device->isr, 0); /* the line is low */
    assert_int_equal(handoff.block.device_status, 0x0F);
    device_poke(device);                      /* it was told of the first while it slept */
    assert_int_equal(device->sent, sent + 2); /* told at the last, so that nothing depends on the kernel */
    assert_true(arrive(device, 3));           /* between the two */
    device->asleep = true;

    struct netdev *kernel;
    assert_int_equal(adopt(device, &handoff, &kernel), NETDEV_OK);
    give_client(device, kernel);
    device->asleep = false;
    assert_int_equal(device->resets, resets);
    for(uint32_t i = 1; i <= 3; i++) {
      expect_arrived(kernel, i);
    }
    assert_true(kernel->link.up);
    uint32_t told = device->back_total;
    assert_int_equal(netdev_complete(kernel), 2);
    assert_int_equal(device->back_total, told); /* the firmware's frames are nobody's here */
    assert_int_equal(kernel->stats.tx_frames, already + 2);
    for(uint32_t i = 0; i < 100; i++) {
      assert_true(arrive(device, i));
      expect_arrived(kernel, i);
      send(kernel, 300);
      assert_int_equal(netdev_complete(kernel), 1);
      device_check(kernel);
    }
    assert_int_equal(device->back[300], 100);
    netdev_close(kernel);
    assert_int_equal(netdev_open(kernel), NETDEV_OK); /* on the same memory */
    assert_true(arrive(device, 5));
    expect_arrived(kernel, 5);
    end(device, kernel, firmware);
  }
}

/* A frame that waits for its doorbell gets it at the last. */
static void test_told_at_the_last(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *firmware = device_open(device, 8, 8);
  struct handoff handoff;
  uint8_t frame[60];
  device_frame(frame, 60, broadcast, 9);
  assert_int_equal(netdev_transmit(firmware, frame, 60, device_cookie(1), NETDEV_TX_MORE), NETDEV_OK);
  assert_int_equal(device->sent, 0);
  assert_true(leave(device, firmware, true, &handoff));
  assert_int_equal(device->sent, 1);
  assert_string_equal(judge(&handoff) ? "bad" : "", "");
  handoff.block.queue[0].msix_vector = 3; /* everything is on vector 0, or on none */
  assert_non_null(virtio_net_handoff_judge(&handoff.nic, &handoff.block,
                                           (struct net_handoff_span[NET_HANDOFF_SPANS_MAX]){0}, &(uint32_t){0}));
  end(device, NULL, firmware);
}

/* Where every device address is the physical one, the entry says so. */
static void test_identity(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *firmware = device_open(device, 8, 8);
  struct handoff handoff = {0};
  netdev_handoff_export(firmware, &handoff.nic, &handoff.block);
  assert_int_equal(handoff.nic.flags & NET_HANDOFF_IDENTITY, 0);
  netdev_close(firmware);
  for(uint32_t i = 0; i < 3; i++) {
    struct virtq *queue = &to_virtio(firmware)->queue[i];
    queue->descriptor_device -= BENCH_DEVICE_SKEW;
    queue->available_device -= BENCH_DEVICE_SKEW;
    queue->used_device -= BENCH_DEVICE_SKEW;
    queue->buffers.device -= BENCH_DEVICE_SKEW;
    netdev_handoff_export(firmware, &handoff.nic, &handoff.block);
    assert_int_equal((handoff.nic.flags & NET_HANDOFF_IDENTITY) != 0, i == 2);
  }
  netdev_destroy(firmware);
  assert_int_equal(device->bench.blocks, 0);
  free(device);
}

/* Adopted, the device interrupts nobody before it is asked to. */
static void test_masked(void **state) {
  (void)state;
  for(int event_index = 0; event_index <= 1; event_index++) {
    struct device *device = device_new(event_index ? DEVICE_FEATURES : DEVICE_FEATURES & ~VIRTIO_F_EVENT_IDX);
    struct netdev *firmware = device_open(device, 8, 8);
    struct handoff handoff;
    assert_true(leave(device, firmware, true, &handoff));
    uint32_t before = device->queue[0].interrupts;
    assert_true(arrive(device, 1));
    device->bench.config[PCI_COMMAND + 1] = 0; /* somebody let INTx through meanwhile */
    struct netdev *kernel;
    assert_int_equal(adopt(device, &handoff, &kernel), NETDEV_OK);
    assert_true(arrive(device, 2));
    assert_int_equal(device->queue[0].interrupts, before);
    assert_int_equal(bench_load(device->bench.config + PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE,
                     PCI_COMMAND_INTX_DISABLE);
    expect_arrived(kernel, 1);
    expect_arrived(kernel, 2);
    assert_int_equal(netdev_irq_enable(kernel, NETDEV_IRQ_MSIX, 0), NETDEV_OK);
    assert_true(arrive(device, 3));
    assert_int_equal(device->queue[0].interrupts, before + 1);
    end(device, kernel, firmware);
  }
}

/* Quiet ---------------------------------------------------------------------------------------------------------- */

static void test_quiet(void **state) {
  (void)state;
  static const uint8_t groups[1][6] = {{0x01, 0, 0x5E, 0, 0, 1}};
  for(int closed = 0; closed <= 1; closed++) {
    struct device *device = device_new(DEVICE_FEATURES);
    struct netdev *firmware = device_open(device, 8, 8);
    struct handoff handoff;
    assert_int_equal(netdev_set_filter(firmware, NETDEV_FILTER_UNICAST | NETDEV_FILTER_MULTICAST, groups, 1),
                     NETDEV_OK);
    assert_int_equal(netdev_set_mac(firmware, other), NETDEV_OK);
    assert_true(arrive(device, 1)); /* lost: a quiet device was reset */
    device->asleep = true;
    send(firmware, 1); /* this one too */
    device->asleep = false;
    if(closed) {
      netdev_close(firmware);
    }
    uint64_t errors = firmware->stats.tx_errors;
    assert_true(leave(device, firmware, false, &handoff));
    assert_int_equal(handoff.nic.statistics.rx_missed, closed ? 0 : 1);
    assert_int_equal(handoff.nic.statistics.tx_errors, closed ? errors : errors + 1U);
    assert_int_equal(device->status, 0x0B);
    assert_false(arrive(device, 2)); /* held back until DRIVER_OK */
    uint32_t resets = device->resets;
    struct netdev *kernel;
    assert_int_equal(adopt(device, &handoff, &kernel), NETDEV_OK);
    assert_int_equal(device->status, 0x0F);
    assert_int_equal(device->resets, resets);
    assert_int_equal(kernel->stats.rx_missed, closed ? 0 : 1); /* goes on */
    assert_memory_equal(device->current_mac, other, 6);        /* sent over the control queue */
    assert_memory_equal(kernel->mac, other, 6);
    assert_memory_equal(kernel->permanent_mac, device_mac, 6);
    assert_int_equal(device->table_count[1], 1);
    assert_int_equal(device->mode[VIRTIO_NET_CTRL_RX_NOBCAST], 1);
    assert_true(arrive(device, 3));
    expect_arrived(kernel, 3);
    end(device, kernel, firmware);
  }
}

/* Live, though somebody had closed it: started by registers alone, and told its filter by the kernel. */
static void test_closed_and_live(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *firmware = device_open(device, 8, 8);
  struct handoff handoff;
  netdev_close(firmware);
  uint32_t commands = device->commands;
  assert_true(leave(device, firmware, true, &handoff));
  assert_int_equal(device->status, 0x0F);
  assert_int_equal(device->commands, commands);
  assert_true(arrive(device, 1));
  struct netdev *kernel;
  assert_int_equal(adopt(device, &handoff, &kernel), NETDEV_OK);
  assert_int_equal(device->commands, commands + 7);
  expect_arrived(kernel, 1);
  end(device, kernel, firmware);
}

static void test_cannot_be_left(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *firmware = device_open(device, 8, 8);
  struct handoff handoff;
  device->status = 0x4F; /* asks for a reset */
  assert_false(leave(device, firmware, true, &handoff));
  assert_int_equal(device->status, 0); /* and is silent at least */
  device->refuses_features = true;
  assert_false(leave(device, firmware, false, &handoff));
  firmware->state = NETDEV_CLOSED;
  assert_false(leave(device, firmware, true, &handoff));
  device->refuses_features = false;
  device->keeps_status = true;
  device->status = 0x0F;
  assert_false(leave(device, firmware, false, &handoff));
  device->keeps_status = false;
  device->gone_after = 0;
  assert_false(leave(device, firmware, true, &handoff));
  end(device, NULL, firmware);
}

/* Hostile -------------------------------------------------------------------------------------------------------- */

/* One word of the block or entry at a time: refused by the judge, or by the adoption, or harmless. */
static void test_every_word_of_the_block(void **state) {
  (void)state;
  static const uint32_t values[] = {0, 1, 0x55555555U, 0x80000000U, 0xFFFFFFFFU};
  uint32_t refused = 0;
  for(int live = 0; live <= 1; live++) {
    struct device *device = device_new(DEVICE_FEATURES);
    struct netdev *firmware = device_open(device, 8, 8);
    struct handoff good;
    assert_true(leave(device, firmware, live, &good));
    for(size_t at = 0; at < sizeof(good.block) / 4U; at++) {
      for(size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
        struct handoff bad = good;
        uint32_t word;
        memcpy(&word, (uint8_t *)&bad.block + 4U * at, 4);
        if(word == values[v]) {
          continue;
        }
        memcpy((uint8_t *)&bad.block + 4U * at, &values[v], 4);
        struct net_handoff_span spans[NET_HANDOFF_SPANS_MAX];
        uint32_t count = 0;
        if(virtio_net_handoff_judge(&bad.nic, &bad.block, spans, &count)) {
          refused++;
          continue;
        }
        assert_true(count <= NET_HANDOFF_SPANS_MAX);
        bool physical = false; /* places the device cannot tell are the table's checks' business */
        for(uint32_t q = 0; q < 3; q++) {
          const struct net_handoff_virtio_queue *queue = &bad.block.queue[q];
          const struct net_handoff_virtio_queue *was = &good.block.queue[q];
          physical = physical || queue->descriptors != was->descriptors || queue->available != was->available ||
                     queue->used != was->used || queue->buffers != was->buffers ||
                     (q > 0 && queue->buffers_device != was->buffers_device);
        }
        struct netdev *kernel = NULL;
        if(physical) {
          continue;
        }
        int result = virtio_net_adopt(&device->bench.platform, &bad.nic, &bad.block, identity, &kernel);
        if(result == NETDEV_OK) {
          /* What means nothing: reserved fields, the third queue of two, how the block was padded. */
          netdev_destroy(kernel);
          firmware->state = live ? NETDEV_OPEN : NETDEV_CLOSED;
          device_reset(device);
          if(live) {
            firmware->state = NETDEV_CLOSED;
          }
          assert_true(leave(device, firmware, live, &good));
        } else {
          assert_int_equal(result, NETDEV_E_STATE);
          assert_int_equal(device->status, live ? 0x0F : 0x0B); /* as it was found */
          refused++;
        }
      }
    }
    end(device, NULL, firmware);
  }
  assert_true(refused > 1000);
}

struct damage {
  const char *what;
  void (*apply)(struct device *device, struct netdev *firmware);
};

static void damage_status(struct device *device, struct netdev *firmware) {
  (void)firmware;
  device->status = 0x4F;
}

static void damage_features(struct device *device, struct netdev *firmware) {
  (void)firmware;
  device->features &= ~VIRTIO_F_EVENT_IDX;
}

static void damage_size(struct device *device, struct netdev *firmware) {
  (void)firmware;
  device->queue[1].size = 4;
}

static void damage_enable(struct device *device, struct netdev *firmware) {
  (void)firmware;
  device->queue[0].enable = 0;
}

static void damage_place(struct device *device, struct netdev *firmware) {
  (void)firmware;
  device->queue[2].place[1] += 64;
}

static void damage_vector(struct device *device, struct netdev *firmware) {
  (void)firmware;
  device->queue[0].vector = 3;
}

static void damage_multiplier(struct device *device, struct netdev *firmware) {
  (void)firmware;
  device->bench.config[0x7C + 16] = 8;
}

static void damage_doorbell(struct device *device, struct netdev *firmware) {
  (void)firmware;
  device->doorbell_shift = 1;
}

static void damage_descriptor_address(struct device *device, struct netdev *firmware) {
  (void)device;
  to_virtio(firmware)->queue[0].descriptor[3].address += 64;
}

static void damage_descriptor_length(struct device *device, struct netdev *firmware) {
  (void)device;
  to_virtio(firmware)->queue[0].descriptor[3].length = 4096;
}

static void damage_descriptor_flags(struct device *device, struct netdev *firmware) {
  (void)device;
  to_virtio(firmware)->queue[0].descriptor[3].flags = VIRTQ_DESCRIPTOR_WRITE | VIRTQ_DESCRIPTOR_NEXT;
}

static void damage_ring(struct device *device, struct netdev *firmware) {
  (void)device;
  to_virtio(firmware)->queue[0].available->ring[5] = 8;
}

static void damage_available_index(struct device *device, struct netdev *firmware) {
  (void)device;
  to_virtio(firmware)->queue[1].available->index++;
}

static void damage_used_index(struct device *device, struct netdev *firmware) {
  (void)device;
  to_virtio(firmware)->queue[0].used->index += 9;
}

static const struct damage damages[] = {
    {"device_status", damage_status},
    {"features", damage_features},
    {"queue size", damage_size},
    {"queue enable", damage_enable},
    {"queue place", damage_place},
    {"queue vector", damage_vector},
    {"notify multiplier", damage_multiplier},
    {"doorbell", damage_doorbell},
    {"descriptor address", damage_descriptor_address},
    {"descriptor length", damage_descriptor_length},
    {"descriptor flags", damage_descriptor_flags},
    {"ring entry", damage_ring},
    {"available index", damage_available_index},
    {"used index", damage_used_index},
};

static void test_device_disagrees(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
    struct device *device = device_new(DEVICE_FEATURES);
    struct netdev *firmware = device_open(device, 8, 8);
    struct handoff handoff;
    struct netdev *kernel;
    assert_true(leave(device, firmware, true, &handoff));
    damages[i].apply(device, firmware);
    int result = adopt(device, &handoff, &kernel);
    if(result != NETDEV_E_STATE) {
      fail_msg("%s: %d", damages[i].what, result);
    }
    assert_null(kernel);
    /* And the way out works: a fresh start. */
    device->bench.config[0x7C + 16] = 4;
    device->doorbell_shift = 0;
    struct netdev *fresh = device_open(device, 8, 8);
    device->received = 0;
    assert_true(arrive(device, 1));
    assert_int_equal(netdev_poll(fresh, 8), 1);
    netdev_destroy(fresh);
    end(device, NULL, firmware);
  }
}

static void test_adoption_fails(void **state) {
  (void)state;
  struct device *device = device_new(DEVICE_FEATURES);
  struct netdev *firmware = device_open(device, 8, 8);
  struct handoff handoff;
  struct netdev *kernel;
  assert_true(leave(device, firmware, true, &handoff));
  uint32_t blocks = device->bench.blocks;
  for(uint32_t n = 1; n <= 4; n++) { /* the device, and slots for each queue */
    device->bench.allocations = 0;
    device->bench.fail_at = n;
    assert_int_equal(adopt(device, &handoff, &kernel), NETDEV_E_NO_MEMORY);
    assert_int_equal(device->bench.blocks, blocks);
  }
  device->bench.fail_at = 0;
  for(uint32_t q = 0; q < 3; q++) {
    const uint64_t parts[] = {handoff.block.queue[q].descriptors, handoff.block.queue[q].available,
                              handoff.block.queue[q].used, handoff.block.queue[q].buffers};
    for(size_t i = 0; i < 4; i++) {
      unmapped = parts[i];
      assert_int_equal(adopt(device, &handoff, &kernel), NETDEV_E_NO_MEMORY);
    }
  }
  unmapped = 0;
  assert_int_equal(virtio_net_adopt(NULL, &handoff.nic, &handoff.block, identity, &kernel), NETDEV_E_INVALID);
  assert_int_equal(virtio_net_adopt(&device->bench.platform, NULL, &handoff.block, identity, &kernel),
                   NETDEV_E_INVALID);
  uint8_t left = handoff.nic.state;
  handoff.nic.state = NET_HANDOFF_ARMED_LIVE;
  assert_int_equal(virtio_net_adopt(&device->bench.platform, &handoff.nic, &handoff.block, identity, &kernel),
                   NETDEV_E_UNSUPPORTED);
  handoff.nic.state = left;
  handoff.nic.device_id = 0x1042;
  assert_int_equal(adopt(device, &handoff, &kernel), NETDEV_E_UNSUPPORTED);
  handoff.nic.device_id = VIRTIO_NET_MODERN;
  device->mute = true; /* a device that answers no command is started afresh, not adopted */
  assert_int_equal(adopt(device, &handoff, &kernel), NETDEV_E_TIMEOUT);
  assert_int_equal(device->status, 0);
  device->gone_after = device->accesses;
  assert_int_equal(adopt(device, &handoff, &kernel), NETDEV_E_GONE);
  device->bench.absent = true;
  assert_int_equal(adopt(device, &handoff, &kernel), NETDEV_E_GONE);
  assert_int_equal(device->bench.blocks, blocks);
  end(device, NULL, firmware);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_live),
      cmocka_unit_test(test_told_at_the_last),
      cmocka_unit_test(test_identity),
      cmocka_unit_test(test_masked),
      cmocka_unit_test(test_quiet),
      cmocka_unit_test(test_closed_and_live),
      cmocka_unit_test(test_cannot_be_left),
      cmocka_unit_test(test_every_word_of_the_block),
      cmocka_unit_test(test_device_disagrees),
      cmocka_unit_test(test_adoption_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
