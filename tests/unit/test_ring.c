/* test_ring.c - tests of the descriptor ring: sizes, wrap-around, padding, cancelling, and its invariants. */
#include "unit.h"

static const uint32_t sizes[] = {8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096};

struct bench {
  struct sim *sim;
  struct e1000_ring ring;
};

static void check(const struct e1000_ring *ring) {
  const char *broken = e1000_ring_check(ring);
  assert_string_equal(broken ? broken : "", "");
}

static void open_bench(struct bench *bench, uint32_t count) {
  struct sim_config config = unit_config(SIM_82540EM);
  bench->sim = sim_create(&config);
  memset(&bench->ring, 0xA5, sizeof(bench->ring));
  assert_int_equal(e1000_ring_create(&bench->ring, sim_platform(bench->sim), count, 64), NETDEV_OK);
  check(&bench->ring);
}

static void close_bench(struct bench *bench) {
  check(&bench->ring);
  e1000_ring_destroy(&bench->ring, sim_platform(bench->sim));
  assert_int_equal(sim_leaks(bench->sim), 0);
  assert_string_equal(sim_violation_text(bench->sim), "");
  e1000_ring_destroy(&bench->ring, sim_platform(bench->sim)); /* harmless on a zeroed ring */
  assert_int_equal(sim_violations(bench->sim), 0);
  sim_destroy(bench->sim);
}

static void preset(struct e1000_ring *ring, uint32_t index) {
  ring->head = index;
  ring->published = index;
  ring->tail = index;
}

static void device_sends(struct e1000_ring *ring) {
  ring->published = ring->tail;
  for(uint32_t i = ring->head; i != ring->tail; i++) {
    ring->descriptor[i & ring->mask].tx.status = 1;
  }
}

static void device_receives(struct e1000_ring *ring, uint32_t at, uint16_t length, uint8_t status, uint8_t errors) {
  volatile struct e1000_rx_descriptor *descriptor = &ring->descriptor[at & ring->mask].rx;
  descriptor->length = length;
  descriptor->errors = errors;
  descriptor->status = status;
}

/* Sizes ---------------------------------------------------------------------------------------------------------- */

static void test_sizes_accepted(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    struct bench bench;
    open_bench(&bench, sizes[i]);
    assert_int_equal(e1000_ring_count(&bench.ring), sizes[i]);
    assert_int_equal(e1000_ring_bytes(&bench.ring), sizes[i] * 16U);
    assert_int_equal(e1000_ring_used(&bench.ring), 0);
    assert_int_equal(e1000_ring_free(&bench.ring), sizes[i] - 1U);
    assert_int_equal(bench.ring.descriptors.device % 128U, 0);
    uint64_t last = bench.ring.descriptors.device + sizes[i] * 16U - 1U;
    assert_int_equal(bench.ring.descriptors.device >> 16, last >> 16); /* no 64 KiB boundary inside */
    for(uint32_t slot = 0; slot < sizes[i]; slot++) {
      uint64_t device = bench.ring.slot[slot].device;
      assert_int_equal(device, bench.ring.buffers.device + slot * 2048ULL);
      assert_ptr_equal(bench.ring.slot[slot].buffer, (uint8_t *)bench.ring.buffers.cpu + slot * 2048ULL);
      assert_int_equal(device >> 16, (device + 2047U) >> 16);
    }
    close_bench(&bench);
  }
}

static void test_zero_is_the_default(void **state) {
  (void)state;
  struct bench bench;
  open_bench(&bench, 0);
  assert_int_equal(e1000_ring_count(&bench.ring), 256);
  close_bench(&bench);
}

static void test_sizes_refused(void **state) {
  (void)state;
  static const uint32_t bad[] = {1, 2, 4, 7, 9, 12, 255, 257, 4095, 4097, 8192, 0x80000000U, UINT32_MAX};
  struct sim_config config = unit_config(SIM_82540EM);
  struct sim *sim = sim_create(&config);
  for(size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct e1000_ring ring = {0};
    assert_int_equal(e1000_ring_create(&ring, sim_platform(sim), bad[i], 64), NETDEV_E_INVALID);
    assert_int_equal(sim_allocs(sim) + sim_dma_allocs(sim), 0);
  }
  sim_destroy(sim);
}

static void test_no_memory(void **state) {
  (void)state;
  for(uint32_t n = 0; n < 3; n++) {
    struct sim_config config = unit_config(SIM_82540EM);
    config.fail_alloc_at = n == 0 ? 1 : 0;
    config.fail_dma_alloc_at = n;
    struct sim *sim = sim_create(&config);
    struct e1000_ring ring = {0};
    assert_int_equal(e1000_ring_create(&ring, sim_platform(sim), 64, 64), NETDEV_E_NO_MEMORY);
    assert_int_equal(sim_leaks(sim), 0);
    assert_string_equal(sim_violation_text(sim), "");
    e1000_ring_destroy(&ring, sim_platform(sim));
    assert_int_equal(sim_violations(sim), 0);
    sim_destroy(sim);
  }
}

static void test_batch(void **state) {
  (void)state;
  static const uint32_t expected[] = {4, 8, 16, 16, 32, 64, 64, 64, 64, 64};
  for(size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    struct bench bench;
    open_bench(&bench, sizes[i]);
    assert_int_equal(bench.ring.batch, expected[i]);
    close_bench(&bench);
  }
}

/* Transmit ------------------------------------------------------------------------------------------------------- */

static void test_put_writes_the_whole_descriptor(void **state) {
  (void)state;
  struct bench bench;
  open_bench(&bench, 8);
  uint8_t frame[1518];
  unit_frame(frame, sizeof(frame), unit_mac, 5);
  memset((void *)(uintptr_t)bench.ring.descriptor, 0xFF, 16);
  assert_int_equal(e1000_tx_put(&bench.ring, frame, 100, unit_cookie(9), false), NETDEV_OK);
  check(&bench.ring);
  const volatile struct e1000_tx_descriptor *descriptor = &bench.ring.descriptor[0].tx;
  assert_int_equal(descriptor->address, bench.ring.slot[0].device);
  assert_int_equal(descriptor->length, 100);
  assert_int_equal(descriptor->checksum_offset, 0);
  assert_int_equal(descriptor->command, 0x0B); /* EOP, IFCS, RS */
  assert_int_equal(descriptor->status, 0);
  assert_int_equal(descriptor->checksum_start, 0);
  assert_int_equal(descriptor->special, 0);
  assert_memory_equal(bench.ring.slot[0].buffer, frame, 100);
  assert_int_equal(bench.ring.published, 0);
  assert_null(e1000_tx_done(&bench.ring));
  close_bench(&bench);
}

static void test_padding_over_stale_content(void **state) {
  (void)state;
  static const uint8_t zero[60];
  for(uint32_t length = 14; length <= 62; length++) {
    for(int end_dword = 0; end_dword < 2; end_dword++) {
      struct bench bench;
      open_bench(&bench, 8);
      uint8_t frame[64];
      unit_frame(frame, sizeof(frame), unit_mac, length);
      uint8_t *buffer = bench.ring.slot[0].buffer;
      memset(buffer, 0xEE, 2048);
      assert_int_equal(e1000_tx_put(&bench.ring, frame, length, NULL, end_dword), NETDEV_OK);
      uint32_t sent = length < 60 ? 60 : length;
      const volatile struct e1000_tx_descriptor *descriptor = &bench.ring.descriptor[0].tx;
      uint64_t start = descriptor->address - bench.ring.slot[0].device;
      assert_int_equal(descriptor->length, sent);
      assert_int_equal(bench.ring.slot[0].length, sent);
      assert_memory_equal(buffer + start, frame, length);
      assert_memory_equal(buffer + start + length, zero, sent - length);
      assert_int_equal(buffer[start + sent], 0xEE);
      close_bench(&bench);
    }
  }
}

static void test_end_dword(void **state) {
  (void)state;
  struct bench bench;
  open_bench(&bench, 8);
  uint8_t frame[1518];
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  uint32_t moved = 0;
  for(uint32_t length = 14; length <= 1518; length++) {
    uint64_t home = bench.ring.slot[bench.ring.tail & bench.ring.mask].device;
    const volatile struct e1000_tx_descriptor *descriptor = &bench.ring.descriptor[bench.ring.tail & 7U].tx;
    uint32_t index = bench.ring.tail & 7U;
    assert_int_equal(e1000_tx_put(&bench.ring, frame, length, NULL, true), NETDEV_OK);
    uint64_t last = descriptor->address + descriptor->length - 1U;
    assert_true(last & 4U);
    assert_true(descriptor->address == home || descriptor->address == home + 4U);
    assert_true(last < home + 2048U);
    assert_memory_equal(bench.ring.slot[index].buffer + (descriptor->address - home), frame, length);
    moved += descriptor->address != home;
    device_sends(&bench.ring);
    assert_non_null(e1000_tx_done(&bench.ring));
    check(&bench.ring);
  }
  assert_in_range(moved, 500, 1000);
  close_bench(&bench);
}

static void test_full_and_wrap(void **state) {
  (void)state;
  static const uint32_t starts[] = {0, 5, UINT32_MAX, UINT32_MAX - 3U, UINT32_MAX - 7U, 0x7FFFFFFDU};
  uint8_t frame[60];
  unit_frame(frame, sizeof(frame), unit_mac, 2);
  for(size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
    struct bench bench;
    open_bench(&bench, 8);
    preset(&bench.ring, starts[s]);
    uintptr_t next = 1;
    uintptr_t expected = 1;
    for(int lap = 0; lap < 5; lap++) {
      for(uint32_t i = 0; i < 7; i++) {
        assert_int_equal(e1000_ring_free(&bench.ring), 7U - i);
        assert_int_equal(e1000_tx_put(&bench.ring, frame, sizeof(frame), (void *)next++, false), NETDEV_OK);
        check(&bench.ring);
      }
      uint32_t tail = bench.ring.tail;
      assert_int_equal(e1000_tx_put(&bench.ring, frame, sizeof(frame), NULL, false), NETDEV_E_BUSY);
      assert_int_equal(bench.ring.tail, tail);
      device_sends(&bench.ring);
      const struct e1000_slot *slot;
      while((slot = e1000_tx_done(&bench.ring)) != NULL) {
        assert_int_equal((uintptr_t)slot->cookie, expected++);
        check(&bench.ring);
      }
      assert_int_equal(expected, next);
      assert_int_equal(e1000_ring_used(&bench.ring), 0);
    }
    close_bench(&bench);
  }
}

static void test_done_stops_at_the_first_undone(void **state) {
  (void)state;
  struct bench bench;
  open_bench(&bench, 16);
  preset(&bench.ring, UINT32_MAX - 1U);
  uint8_t frame[60] = {0};
  for(uint32_t i = 0; i < 4; i++) {
    assert_int_equal(e1000_tx_put(&bench.ring, frame, 60, unit_cookie(i + 1U), false), NETDEV_OK);
  }
  device_sends(&bench.ring);
  bench.ring.descriptor[(bench.ring.head + 1U) & 15U].tx.status = 0xFE; /* all but DD */
  assert_int_equal((uintptr_t)e1000_tx_done(&bench.ring)->cookie, 1);
  assert_null(e1000_tx_done(&bench.ring));
  check(&bench.ring);
  close_bench(&bench);
}

static void test_done_never_passes_published(void **state) {
  (void)state;
  struct bench bench;
  open_bench(&bench, 8);
  uint8_t frame[60] = {0};
  assert_int_equal(e1000_tx_put(&bench.ring, frame, 60, NULL, false), NETDEV_OK);
  bench.ring.descriptor[0].tx.status = 1; /* a hostile device */
  assert_null(e1000_tx_done(&bench.ring));
  close_bench(&bench);
}

static void test_cancel(void **state) {
  (void)state;
  struct bench bench;
  open_bench(&bench, 8);
  preset(&bench.ring, UINT32_MAX - 2U);
  uint8_t frame[60] = {0};
  for(uint32_t i = 1; i <= 6; i++) {
    assert_int_equal(e1000_tx_put(&bench.ring, frame, 60, unit_cookie(i), false), NETDEV_OK);
    if(i == 3) {
      bench.ring.published = bench.ring.tail; /* the device has three, three are prepared */
    }
  }
  for(uint32_t i = 1; i <= 6; i++) {
    const struct e1000_slot *slot = e1000_tx_cancel(&bench.ring);
    assert_non_null(slot);
    assert_int_equal((uintptr_t)slot->cookie, i);
    check(&bench.ring);
  }
  assert_null(e1000_tx_cancel(&bench.ring));
  assert_int_equal(e1000_ring_used(&bench.ring), 0);
  assert_int_equal(bench.ring.published, bench.ring.tail);
  close_bench(&bench);
}

static void test_reset(void **state) {
  (void)state;
  struct bench bench;
  open_bench(&bench, 8);
  preset(&bench.ring, 77);
  e1000_rx_fill(&bench.ring);
  e1000_ring_reset(&bench.ring);
  static const uint8_t zero[128];
  assert_memory_equal(bench.ring.descriptors.cpu, zero, sizeof(zero));
  assert_int_equal(bench.ring.head | bench.ring.published | bench.ring.tail, 0);
  close_bench(&bench);
}

/* Receive -------------------------------------------------------------------------------------------------------- */

static void test_fill(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    struct bench bench;
    open_bench(&bench, sizes[i]);
    preset(&bench.ring, UINT32_MAX - 4U);
    memset(bench.ring.descriptors.cpu, 0xFF, e1000_ring_bytes(&bench.ring));
    e1000_rx_fill(&bench.ring);
    check(&bench.ring);
    assert_int_equal(e1000_ring_used(&bench.ring), sizes[i] - 1U);
    assert_int_equal(e1000_ring_free(&bench.ring), 0);
    for(uint32_t at = bench.ring.head; at != bench.ring.tail; at++) {
      const volatile struct e1000_rx_descriptor *descriptor = &bench.ring.descriptor[at & bench.ring.mask].rx;
      assert_int_equal(descriptor->address, bench.ring.slot[at & bench.ring.mask].device);
      assert_int_equal(descriptor->status | descriptor->errors | descriptor->length, 0);
      assert_int_equal(descriptor->checksum | descriptor->special, 0);
    }
    uint32_t tail = bench.ring.tail;
    e1000_rx_fill(&bench.ring);
    assert_int_equal(bench.ring.tail, tail);
    close_bench(&bench);
  }
}

static void test_verdicts(void **state) {
  (void)state;
  struct bench bench;
  open_bench(&bench, 8);
  struct e1000_ring *ring = &bench.ring;
  preset(ring, UINT32_MAX);
  e1000_rx_fill(ring);
  struct netdev_frame frame;
  bool end = false;
  device_receives(ring, ring->head, 60, 3, 0);
  assert_int_equal(e1000_rx_peek(ring, &frame, &end), E1000_RX_NONE); /* not published yet */
  ring->published = ring->tail;
  device_receives(ring, ring->head, 60, 0xFE, 0);
  assert_int_equal(e1000_rx_peek(ring, &frame, &end), E1000_RX_NONE); /* no DD */
  for(uint32_t length = 0; length <= 65535; length++) {
    device_receives(ring, ring->head, (uint16_t)length, 3, 0);
    bool good = length >= 14 && length <= 1518;
    assert_int_equal(e1000_rx_peek(ring, &frame, &end), good ? E1000_RX_FRAME : E1000_RX_LENGTH);
    assert_true(end);
    if(good) {
      assert_int_equal(frame.length, length);
      assert_ptr_equal(frame.data, ring->slot[ring->head & ring->mask].buffer);
    }
  }
  for(uint32_t errors = 0; errors < 256; errors++) {
    device_receives(ring, ring->head, 60, 3, (uint8_t)errors);
    /* CE, SE, SEQ, CXE and RXE; TCPE and IPE are the checksum offload's, bit 3 is reserved */
    bool damaged = (errors & (1U | 2U | 4U | 16U | 128U)) != 0;
    assert_int_equal(e1000_rx_peek(ring, &frame, &end), damaged ? E1000_RX_DAMAGED : E1000_RX_FRAME);
    device_receives(ring, ring->head, 2048, 1, (uint8_t)errors);
    assert_int_equal(e1000_rx_peek(ring, &frame, &end), E1000_RX_PART);
    assert_false(end);
  }
  close_bench(&bench);
}

static void test_release_batches(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    struct bench bench;
    open_bench(&bench, sizes[i]);
    struct e1000_ring *ring = &bench.ring;
    preset(ring, UINT32_MAX - sizes[i] - 3U);
    e1000_rx_fill(ring);
    ring->published = ring->tail;
    uint32_t doorbells = 0;
    for(uint32_t n = 0; n < 3U * sizes[i]; n++) {
      struct netdev_frame frame;
      bool end;
      uint8_t *written = ring->slot[ring->head & ring->mask].buffer;
      device_receives(ring, ring->head, 100, 3, 0);
      assert_int_equal(e1000_rx_peek(ring, &frame, &end), E1000_RX_FRAME);
      assert_ptr_equal(frame.data, written);
      bool due = e1000_rx_release(ring);
      check(ring);
      assert_int_equal(e1000_ring_used(ring), sizes[i] - 1U);
      assert_int_equal(due, (n + 1U) % ring->batch == 0);
      if(due) {
        ring->published = ring->tail;
        doorbells++;
      }
    }
    assert_int_equal(doorbells, 3U * sizes[i] / ring->batch);
    close_bench(&bench);
  }
}

/* Invariants ----------------------------------------------------------------------------------------------------- */

static void expect_broken(const struct e1000_ring *ring, const char *prefix) {
  const char *broken = e1000_ring_check(ring);
  assert_non_null(broken);
  assert_memory_equal(broken, prefix, 2);
}

static void test_invariants_detected(void **state) {
  (void)state;
  struct bench bench;
  open_bench(&bench, 16);
  struct e1000_ring good = bench.ring;
  good.head = UINT32_MAX - 1U;
  good.published = 2;
  good.tail = 5;
  check(&good);

  struct e1000_ring bad = good;
  bad.published = 6; /* beyond the tail */
  expect_broken(&bad, "I1");
  bad = good;
  bad.published = UINT32_MAX - 2U; /* before the head */
  expect_broken(&bad, "I1");
  bad = good;
  bad.tail = bad.head + 16U; /* full would look empty */
  expect_broken(&bad, "I2");
  bad.tail = bad.head + 15U;
  check(&bad);
  bad = good;
  bad.tail = bad.head - 1U;
  assert_non_null(e1000_ring_check(&bad));
  static const uint32_t masks[] = {0, 3, 6, 14, 16, 8191, UINT32_MAX};
  for(size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
    bad = good;
    bad.mask = masks[i];
    expect_broken(&bad, "I4");
  }
  for(uint32_t i = 0; i < 16; i++) {
    bench.ring.slot[i].device += 2048U;
    expect_broken(&good, "I3");
    bench.ring.slot[i].device -= 2048U;
  }
  check(&good);
  close_bench(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sizes_accepted),
      cmocka_unit_test(test_zero_is_the_default),
      cmocka_unit_test(test_sizes_refused),
      cmocka_unit_test(test_no_memory),
      cmocka_unit_test(test_batch),
      cmocka_unit_test(test_put_writes_the_whole_descriptor),
      cmocka_unit_test(test_padding_over_stale_content),
      cmocka_unit_test(test_end_dword),
      cmocka_unit_test(test_full_and_wrap),
      cmocka_unit_test(test_done_stops_at_the_first_undone),
      cmocka_unit_test(test_done_never_passes_published),
      cmocka_unit_test(test_cancel),
      cmocka_unit_test(test_reset),
      cmocka_unit_test(test_fill),
      cmocka_unit_test(test_verdicts),
      cmocka_unit_test(test_release_batches),
      cmocka_unit_test(test_invariants_detected),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
