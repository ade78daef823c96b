/* test_e1000_data.c - tests of the datapath over the simulator: every length, every ring, hostile descriptors, and what
 * a frame costs in register accesses. */
#include "unit.h"

static const uint16_t devices[] = {SIM_EVERY_PART};
static const uint32_t rings[] = {8, 16, 256, 4096};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))
#define RINGS   (sizeof(rings) / sizeof(rings[0]))

#define GOOD    3U /* DD and EOP */
#define DD_ONLY 1U

static const uint8_t peer[6] = {0x52, 0x54, 0x00, 0x00, 0x00, 0x01};

struct bench {
  struct sim *sim;
  struct netdev *dev;
  struct unit_client client;
};

static void begin_with(struct bench *bench, const struct sim_config *config, uint32_t ring, bool receive) {
  bench->sim = sim_create(config);
  assert_int_equal(unit_create(bench->sim, ring, ring, &bench->dev), NETDEV_OK);
  unit_client_init(&bench->client, bench->dev, receive);
  assert_int_equal(netdev_open(bench->dev), NETDEV_OK);
  unit_check(bench->sim, bench->dev);
  sim_forget_accesses(bench->sim);
}

static void begin(struct bench *bench, uint16_t device_id, uint32_t ring, bool receive) {
  struct sim_config config = unit_config(device_id);
  begin_with(bench, &config, ring, receive);
}

static void check(struct bench *bench) {
  unit_check(bench->sim, bench->dev);
}

static void end(struct bench *bench) {
  check(bench);
  unit_end(bench->sim, bench->dev);
}

static void expect_sent(struct bench *bench, size_t index, const uint8_t *frame, size_t length) {
  static const uint8_t zero[60];
  size_t sent;
  assert_true(index < sim_frames(bench->sim));
  const uint8_t *data = sim_frame(bench->sim, index, &sent);
  assert_int_equal(sent, length < 60 ? 60 : length);
  assert_memory_equal(data, frame, length);
  assert_memory_equal(data + length, zero, sent - length);
}

/* Lengths -------------------------------------------------------------------------------------------------------- */

static void test_every_length_out(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    config.pcix = devices[i] == SIM_82544GC; /* the simulator minds where buffers end */
    struct bench bench;
    begin_with(&bench, &config, 16, false);
    uint8_t frame[1518];
    for(uint32_t length = 14; length <= 1518; length++) {
      unit_frame(frame, length, peer, length);
      assert_int_equal(netdev_transmit(bench.dev, frame, length, unit_cookie(length), 0), NETDEV_OK);
      expect_sent(&bench, length - 14U, frame, length);
      assert_int_equal(netdev_complete(bench.dev), 1);
      assert_int_equal(bench.client.done[length], 1);
      assert_int_equal(bench.client.status[length], NETDEV_OK);
      check(&bench);
    }
    assert_int_equal(bench.client.done_total, 1505);
    end(&bench);
  }
}

static void test_every_length_in(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct bench bench;
    begin(&bench, devices[i], 16, false);
    uint8_t frame[1518];
    uint8_t buffer[1518];
    for(uint32_t length = 14; length <= 1518; length++) {
      size_t received = 0;
      unit_frame(frame, length, unit_mac, length);
      assert_int_equal(sim_inject(bench.sim, frame, length), SIM_DELIVERED);
      assert_int_equal(netdev_receive(bench.dev, buffer, length - 1U, &received), NETDEV_E_TOO_SMALL);
      assert_int_equal(received, length);
      received = 0;
      assert_int_equal(netdev_receive(bench.dev, buffer, length, &received), NETDEV_OK);
      assert_int_equal(received, length);
      assert_memory_equal(buffer, frame, length);
      check(&bench);
      assert_int_equal(netdev_receive(bench.dev, buffer, sizeof(buffer), &received), NETDEV_E_EMPTY);
    }
    assert_int_equal(netdev_get_stats(bench.dev)->rx_frames, 1505);
    end(&bench);
  }
}

static void test_lengths_refused(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM, 8, false);
  static const uint8_t frame[1600];
  assert_int_equal(netdev_transmit(bench.dev, frame, 13, NULL, 0), NETDEV_E_INVALID);
  assert_int_equal(netdev_transmit(bench.dev, frame, 1519, NULL, 0), NETDEV_E_INVALID);
  assert_int_equal(sim_writes(bench.sim) + sim_frames(bench.sim), 0);
  assert_int_equal(sim_inject_raw(bench.sim, frame, 64, GOOD, 0, 13), SIM_DELIVERED);
  assert_int_equal(sim_inject_raw(bench.sim, frame, 1522, GOOD, 0, 1519), SIM_DELIVERED);
  struct netdev_frame shown;
  assert_int_equal(netdev_peek(bench.dev, &shown), NETDEV_E_EMPTY);
  assert_int_equal(netdev_get_stats(bench.dev)->rx_length_errors, 2);
  end(&bench);
}

/* Rings ---------------------------------------------------------------------------------------------------------- */

static void test_many_frames_through_every_ring(void **state) {
  (void)state;
  for(size_t r = 0; r < RINGS; r++) {
    struct bench bench;
    begin(&bench, devices[r], rings[r], true);
    uint8_t frame[1518];
    uint32_t in = 0;
    uint32_t frames = rings[r] == 4096 ? 8100 : 3000;
    for(uint32_t n = 1; n < frames; n++) {
      size_t length = 60 + n * 37U % 1400U;
      unit_frame(frame, length, unit_mac, n);
      assert_int_equal(netdev_transmit(bench.dev, frame, length, unit_cookie(n), n % 3U ? NETDEV_TX_MORE : 0),
                       NETDEV_OK);
      if(n % 3U == 0) {
        expect_sent(&bench, sim_frames(bench.sim) - 1U, frame, length);
        sim_forget_frames(bench.sim);
      }
      assert_int_equal(sim_inject(bench.sim, frame, length), SIM_DELIVERED);
      if(n % 2U == 0) {
        in += netdev_poll(bench.dev, 8);
        assert_int_equal(bench.client.received, in);
        assert_int_equal(bench.client.length, length);
        assert_memory_equal(bench.client.frame, frame, length);
      }
      if(rings[r] < 4096 || n % 64U == 0) {
        check(&bench); /* walks the whole ring */
      }
    }
    netdev_flush(bench.dev);
    (void)netdev_complete(bench.dev);
    for(uint32_t n = 1; n < frames; n++) {
      assert_int_equal(bench.client.done[n], 1);
      assert_int_equal(bench.client.status[n], NETDEV_OK);
    }
    end(&bench);
  }
}

static void test_full_receive_ring_keeps_its_frames(void **state) {
  (void)state;
  for(size_t r = 0; r < RINGS; r++) {
    struct bench bench;
    begin(&bench, devices[r], rings[r], true);
    uint8_t frame[100];
    for(int lap = 0; lap < 3; lap++) {
      uint32_t delivered = 0;
      for(;;) {
        unit_frame(frame, sizeof(frame), unit_mac, delivered);
        if(sim_inject(bench.sim, frame, sizeof(frame)) != SIM_DELIVERED) {
          break;
        }
        delivered++;
      }
      assert_true(delivered < rings[r] && delivered >= rings[r] / 2U);
      bench.client.received = 0;
      assert_int_equal(netdev_poll(bench.dev, 10000), delivered);
      unit_frame(frame, sizeof(frame), unit_mac, delivered - 1U);
      assert_memory_equal(bench.client.frame, frame, sizeof(frame));
      check(&bench);
    }
    assert_int_equal(netdev_get_stats(bench.dev)->rx_missed, 3);
    end(&bench);
  }
}

static void test_full_transmit_ring(void **state) {
  (void)state;
  for(size_t r = 0; r < 3; r++) {
    struct sim_config config = unit_config(devices[r]);
    config.delayed = true;
    struct bench bench;
    begin_with(&bench, &config, rings[r], false);
    uint8_t frame[60];
    uint32_t room = rings[r] - 1U;
    for(uint32_t n = 1; n <= room; n++) {
      unit_frame(frame, sizeof(frame), peer, n);
      assert_int_equal(netdev_transmit(bench.dev, frame, 60, unit_cookie(n), NETDEV_TX_MORE), NETDEV_OK);
    }
    assert_int_equal(sim_writes(bench.sim), 0);
    assert_int_equal(netdev_transmit(bench.dev, frame, 60, unit_cookie(5000), 0), NETDEV_E_BUSY);
    assert_int_equal(sim_writes(bench.sim), 1); /* the frames that waited for a doorbell are on their way */
    assert_int_equal(netdev_transmit(bench.dev, frame, 60, unit_cookie(5000), 0), NETDEV_E_BUSY);
    check(&bench);
    sim_step(bench.sim);
    assert_int_equal(sim_frames(bench.sim), room);
    assert_int_equal(netdev_transmit(bench.dev, frame, 60, unit_cookie(room + 1U), 0), NETDEV_OK);
    assert_int_equal(bench.client.done_total, room);
    sim_step(bench.sim);
    assert_int_equal(netdev_complete(bench.dev), 1);
    assert_int_equal(bench.client.done[5000], 0);
    assert_int_equal(bench.dev->stats.tx_busy, 2);
    end(&bench);
  }
}

static void test_delayed_write_back(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82574L);
  config.delayed = true;
  struct bench bench;
  begin_with(&bench, &config, 16, true);
  uint8_t frame[300];
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  for(uint32_t i = 0; i < 5; i++) {
    assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
  }
  assert_int_equal(netdev_poll(bench.dev, 10), 0);
  sim_step(bench.sim);
  assert_int_equal(netdev_poll(bench.dev, 10), 5);
  assert_memory_equal(bench.client.frame, frame, sizeof(frame));
  end(&bench);
}

static void test_82544_in_pcix_mode(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82544GC);
  struct bench bench;
  begin_with(&bench, &config, 8, false);
  assert_false(unit_nic(bench.dev)->tx_end_dword);
  end(&bench);
  config.pcix = true;
  begin_with(&bench, &config, 8, false);
  assert_true(unit_nic(bench.dev)->tx_end_dword);
  end(&bench);
  config.device_id = SIM_82545EM;
  begin_with(&bench, &config, 8, false);
  assert_false(unit_nic(bench.dev)->tx_end_dword);
  end(&bench);
}

static void test_nothing_is_allocated_after_create(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM, 8, true);
  uint32_t before = sim_allocs(bench.sim) + sim_dma_allocs(bench.sim);
  uint8_t frame[60];
  for(int round = 0; round < 3; round++) {
    for(uint32_t n = 1; n < 50; n++) {
      unit_frame(frame, sizeof(frame), unit_mac, n);
      assert_int_equal(netdev_transmit(bench.dev, frame, 60, unit_cookie(n), 0), NETDEV_OK);
      assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
      assert_int_equal(netdev_poll(bench.dev, 10), 1);
    }
    netdev_close(bench.dev);
    check(&bench);
    assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DEAF);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
  }
  assert_int_equal(sim_allocs(bench.sim) + sim_dma_allocs(bench.sim), before);
  end(&bench);
}

static void test_quiesce(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct bench bench;
    begin(&bench, devices[i], 8, true);
    uint64_t before = sim_now(bench.sim);
    netdev_quiesce(bench.dev);
    assert_int_equal(sim_now(bench.sim), before); /* no wait */
    assert_true(sim_reads(bench.sim) + sim_writes(bench.sim) <= 8);
    assert_int_equal(sim_peek(bench.sim, 0x100) & 2U, 0);
    assert_int_equal(sim_peek(bench.sim, 0x400) & 2U, 0);
    assert_int_equal(sim_inject(bench.sim, unit_mac, 6), SIM_DEAF);
    assert_int_equal(bench.client.done_total + bench.client.links, 1); /* the open's link, and no callback since */
    end(&bench);
  }
}

/* Hostile descriptors -------------------------------------------------------------------------------------------- */

static void inject_raw(struct bench *bench, uint8_t status, uint8_t errors, uint16_t length) {
  static const uint8_t junk[2048] = {0xBA, 0xD0};
  assert_int_equal(sim_inject_raw(bench->sim, junk, sizeof(junk), status, errors, length), SIM_DELIVERED);
}

static void expect_next_is_good(struct bench *bench) {
  uint8_t frame[77];
  uint32_t before = bench->client.received;
  unit_frame(frame, sizeof(frame), unit_mac, before);
  assert_int_equal(sim_inject(bench->sim, frame, sizeof(frame)), SIM_DELIVERED);
  assert_int_equal(netdev_poll(bench->dev, 100), 1);
  assert_int_equal(bench->client.received, before + 1U);
  assert_int_equal(bench->client.length, sizeof(frame));
  assert_memory_equal(bench->client.frame, frame, sizeof(frame));
  check(bench);
}

static void test_error_bits(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM, 16, true);
  uint32_t damaged = 0;
  for(uint32_t errors = 1; errors < 256; errors++) {
    if(errors & 0x97U) {
      inject_raw(&bench, GOOD, (uint8_t)errors, 100);
      damaged++;
      expect_next_is_good(&bench);
    }
  }
  const struct netdev_stats *stats = netdev_get_stats(bench.dev);
  assert_int_equal(stats->rx_device_errors, damaged);
  assert_int_equal(stats->rx_errors, damaged);
  assert_int_equal(stats->rx_frames, damaged);
  end(&bench);
}

static void test_impossible_lengths(void **state) {
  (void)state;
  static const uint16_t lengths[] = {0, 1, 13, 1519, 1522, 2047, 2048, 2049, 4096, 0x7FFF, 0x8000, 0xFFFF};
  struct bench bench;
  begin(&bench, SIM_82574L, 8, true);
  for(size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    inject_raw(&bench, GOOD, 0, lengths[i]);
    expect_next_is_good(&bench);
    assert_int_equal(netdev_get_stats(bench.dev)->rx_length_errors, i + 1U);
  }
  end(&bench);
}

static void test_split_frames_drop_as_one(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM, 16, true);
  for(uint32_t parts = 1; parts <= 5; parts++) {
    for(uint32_t part = 0; part < parts; part++) {
      inject_raw(&bench, DD_ONLY, 0, 2048);
    }
    inject_raw(&bench, GOOD, 0, 100); /* the tail of it looks like a frame */
    expect_next_is_good(&bench);
    assert_int_equal(netdev_get_stats(bench.dev)->rx_split_errors, parts);
  }
  /* with an error bit, or an impossible length, in the last part: still one frame */
  inject_raw(&bench, DD_ONLY, 0x80, 2048);
  inject_raw(&bench, GOOD, 0x80, 100);
  inject_raw(&bench, DD_ONLY, 0, 2048);
  inject_raw(&bench, GOOD, 0, 0);
  expect_next_is_good(&bench);
  assert_int_equal(netdev_get_stats(bench.dev)->rx_split_errors, 7);
  assert_int_equal(netdev_get_stats(bench.dev)->rx_errors, 7);
  end(&bench);
}

static void test_an_open_forgets_half_a_frame(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM, 16, true);
  inject_raw(&bench, DD_ONLY, 0, 2048);
  assert_int_equal(netdev_poll(bench.dev, 10), 0);
  netdev_close(bench.dev);
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
  expect_next_is_good(&bench);
  end(&bench);
}

static void test_a_ring_full_of_damage(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM, 8, true);
  for(int lap = 0; lap < 20; lap++) {
    for(uint32_t i = 0; i < 4; i++) {
      inject_raw(&bench, i % 2U ? GOOD : DD_ONLY, (uint8_t)(i == 3U), 0);
    }
    assert_int_equal(netdev_poll(bench.dev, 10), 0);
    check(&bench);
  }
  expect_next_is_good(&bench);
  end(&bench);
}

/* The price list ------------------------------------------------------------------------------------------------- */

static void test_price_of_transmitting(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct bench bench;
    begin(&bench, devices[i], 256, true);
    uint8_t frame[60];
    unit_frame(frame, sizeof(frame), peer, 1);
    assert_int_equal(netdev_transmit(bench.dev, frame, 60, unit_cookie(1), 0), NETDEV_OK);
    assert_int_equal(sim_writes(bench.sim), 1);
    assert_int_equal(sim_writes_of(bench.sim, 0x3818), 1);
    for(uint32_t n = 0; n < 32; n++) {
      assert_int_equal(netdev_transmit(bench.dev, frame, 60, unit_cookie(2U + n), NETDEV_TX_MORE), NETDEV_OK);
    }
    assert_int_equal(sim_frames(bench.sim), 1);
    netdev_flush(bench.dev);
    netdev_flush(bench.dev); /* nothing left: no access */
    assert_int_equal(sim_writes(bench.sim), 2);
    assert_int_equal(sim_frames(bench.sim), 33);
    assert_int_equal(netdev_complete(bench.dev), 33);
    assert_int_equal(netdev_complete(bench.dev), 0);
    assert_int_equal(sim_writes(bench.sim), 2);
    assert_int_equal(sim_reads(bench.sim), 0);
    assert_int_equal(bench.dev->stats.tx_doorbells, 2);
    end(&bench);
  }
}

static void test_price_of_receiving(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct bench bench;
    begin(&bench, devices[i], 256, true);
    uint8_t frame[60];
    unit_frame(frame, sizeof(frame), unit_mac, 1);
    for(uint32_t n = 1; n <= 1600; n++) {
      assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
      assert_int_equal(netdev_poll(bench.dev, 64), 1);
      assert_true(sim_writes(bench.sim) <= n / 16U);
    }
    assert_int_equal(sim_reads(bench.sim), 0);
    assert_true(sim_writes(bench.sim) > 0);
    assert_int_equal(sim_writes_of(bench.sim, 0x2818), sim_writes(bench.sim));
    end(&bench);
  }
}

static void test_price_of_nothing(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82574L, 256, true);
  struct netdev_frame shown;
  size_t length;
  uint8_t buffer[60];
  for(int i = 0; i < 100; i++) {
    assert_int_equal(netdev_poll(bench.dev, 64), 0);
    assert_int_equal(netdev_complete(bench.dev), 0);
    assert_int_equal(netdev_peek(bench.dev, &shown), NETDEV_E_EMPTY);
    assert_int_equal(netdev_receive(bench.dev, buffer, sizeof(buffer), &length), NETDEV_E_EMPTY);
    netdev_flush(bench.dev);
  }
  assert_int_equal(sim_reads(bench.sim) + sim_writes(bench.sim), 0);
  end(&bench);
}

static void test_price_of_a_tick(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM, 256, true);
  for(int i = 0; i < 1000; i++) {
    sim_advance(bench.sim, 10000);
    uint64_t before = sim_reads(bench.sim);
    assert_int_equal(netdev_tick(bench.dev), NETDEV_OK);
    assert_true(sim_reads(bench.sim) - before <= 1);
  }
  assert_in_range(sim_reads(bench.sim), 100, 200); /* ten seconds at one reading every 50 ms */
  assert_int_equal(sim_writes(bench.sim), 0);
  end(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_length_out),
      cmocka_unit_test(test_every_length_in),
      cmocka_unit_test(test_lengths_refused),
      cmocka_unit_test(test_many_frames_through_every_ring),
      cmocka_unit_test(test_full_receive_ring_keeps_its_frames),
      cmocka_unit_test(test_full_transmit_ring),
      cmocka_unit_test(test_delayed_write_back),
      cmocka_unit_test(test_82544_in_pcix_mode),
      cmocka_unit_test(test_nothing_is_allocated_after_create),
      cmocka_unit_test(test_quiesce),
      cmocka_unit_test(test_error_bits),
      cmocka_unit_test(test_impossible_lengths),
      cmocka_unit_test(test_split_frames_drop_as_one),
      cmocka_unit_test(test_an_open_forgets_half_a_frame),
      cmocka_unit_test(test_a_ring_full_of_damage),
      cmocka_unit_test(test_price_of_transmitting),
      cmocka_unit_test(test_price_of_receiving),
      cmocka_unit_test(test_price_of_nothing),
      cmocka_unit_test(test_price_of_a_tick),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
