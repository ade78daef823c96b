/* test_virtq.c - tests of the split virtqueue over plain memory: layout, order, wrap-around, notification, lies. */
#include "virtio_bench.h"

#define STRIDE 128U

static void check(const struct virtq *queue) {
  const char *broken = virtq_check(queue);
  assert_string_equal(broken ? broken : "", "");
}

static void create(struct bench *bench, struct virtq *queue, uint32_t size, uint32_t heads, bool event_index) {
  bench_init(bench);
  memset(queue, 0xA5, sizeof(*queue));
  assert_int_equal(virtq_create(queue, &bench->platform, size, heads, STRIDE, 64), NETDEV_OK);
  virtq_reset(queue, event_index);
  check(queue);
}

static void destroy(struct bench *bench, struct virtq *queue) {
  check(queue);
  virtq_destroy(queue, &bench->platform);
  assert_int_equal(bench->blocks, 0);
  virtq_destroy(queue, &bench->platform); /* harmless on a zeroed queue */
}

/* All indices somewhere else, as after much traffic. */
static void preset(struct virtq *queue, uint16_t index) {
  queue->offered = index;
  queue->published = index;
  queue->taken = index;
  queue->available->index = index;
  queue->used->index = index;
  virtq_park(queue);
}

static uint16_t offer(struct virtq *queue) {
  uint16_t id;
  assert_true(virtq_free_id(queue, &id));
  virtq_describe(queue, id, STRIDE, VIRTQ_DESCRIPTOR_WRITE, 0);
  virtq_offer(queue);
  assert_true(virtq_is_in_flight(queue, id));
  check(queue);
  return id;
}

static void device_returns(struct virtq *queue, uint32_t id, uint32_t length) {
  queue->used->ring[queue->used->index & (queue->size - 1U)] = (struct virtq_used_element){id, length};
  queue->used->index++;
}

static volatile uint16_t *available_event(struct virtq *queue) {
  return (volatile uint16_t *)&queue->used->ring[queue->size];
}

/* Layout --------------------------------------------------------------------------------------------------------- */

static void test_layout(void **state) {
  (void)state;
  for(uint32_t size = VIRTQ_SIZE_MIN; size <= VIRTQ_SIZE_MAX; size *= 2U) {
    struct bench bench;
    struct virtq queue;
    create(&bench, &queue, size, size, true);
    /* 2.7: alignments, and sizes with the events behind the rings */
    assert_int_equal(queue.descriptor_device % 16U, 0);
    assert_int_equal(queue.available_device % 2U, 0);
    assert_int_equal(queue.used_device % 4U, 0);
    assert_true(queue.descriptor_device + 16ULL * size <= queue.available_device);
    assert_true(queue.available_device + 6U + 2ULL * size <= queue.used_device);
    assert_true(queue.used_device + 6U + 8ULL * size <= queue.rings.device + queue.rings.size);
    assert_int_equal((uint64_t)(uintptr_t)queue.used + BENCH_DEVICE_SKEW, queue.used_device);
    assert_int_equal((uint64_t)(uintptr_t)queue.available + BENCH_DEVICE_SKEW, queue.available_device);
    for(uint32_t i = 0; i < size; i++) {
      assert_ptr_equal(queue.slot[i].buffer, (uint8_t *)queue.buffers.cpu + (size_t)i * STRIDE);
      assert_int_equal(queue.slot[i].device, queue.buffers.device + (uint64_t)i * STRIDE);
    }
    destroy(&bench, &queue);
  }
}

static void test_sizes_refused(void **state) {
  (void)state;
  static const uint32_t refused[][2] = {{0, 1},    {1, 1}, {3, 3}, {6, 6},     {1000, 10},
                                        {2048, 8}, {8, 0}, {8, 9}, {65536, 8}, {0x80000000U, 8}};
  for(size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
    struct bench bench;
    struct virtq queue;
    bench_init(&bench);
    assert_int_equal(virtq_create(&queue, &bench.platform, refused[i][0], refused[i][1], STRIDE, 64), NETDEV_E_INVALID);
    assert_int_equal(bench.allocations, 0);
    virtq_destroy(&queue, &bench.platform);
  }
}

static void test_adoption_refused(void **state) {
  (void)state;
  struct bench bench;
  struct virtq queue;
  const struct net_handoff_virtio_queue odd = {.size = 3};
  bench_init(&bench);
  assert_int_equal(virtq_adopt(&queue, &bench.platform, &odd, 3, 0, &(struct virtq_memory){0}), NETDEV_E_INVALID);
  virtq_destroy(&queue, &bench.platform);
  assert_int_equal(bench.allocations, 0);
}

static void test_every_allocation_fails_once(void **state) {
  (void)state;
  struct bench bench;
  struct virtq queue;
  bench_init(&bench);
  for(uint32_t n = 1;; n++) {
    bench.allocations = 0;
    bench.fail_at = n;
    int result = virtq_create(&queue, &bench.platform, 16, 16, STRIDE, 44);
    if(result == NETDEV_OK) {
      assert_int_equal(n, 4); /* slots, rings, buffers */
      break;
    }
    assert_int_equal(result, NETDEV_E_NO_MEMORY);
    assert_int_equal(bench.blocks, 0);
  }
  assert_int_equal(bench.address_bits, 44);
  destroy(&bench, &queue);
}

static void test_batch(void **state) {
  (void)state;
  static const uint16_t want[][2] = {{2, 1},   {4, 2},    {8, 4},    {16, 8},   {32, 16},
                                     {64, 16}, {128, 16}, {256, 32}, {512, 64}, {1024, 64}};
  for(size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
    struct bench bench;
    struct virtq queue;
    create(&bench, &queue, want[i][0], want[i][0], true);
    assert_int_equal(queue.batch, want[i][1]);
    destroy(&bench, &queue);
  }
}

/* Traffic -------------------------------------------------------------------------------------------------------- */

/* Every descriptor may be in flight: there is no gap as in a ring with head and tail. */
static void test_full(void **state) {
  (void)state;
  struct bench bench;
  struct virtq queue;
  create(&bench, &queue, 8, 8, true);
  for(uint16_t i = 0; i < 8; i++) {
    assert_int_equal(offer(&queue), i);
    assert_int_equal(queue.descriptor[i].address, queue.slot[i].device);
    assert_int_equal(queue.descriptor[i].length, STRIDE);
    assert_int_equal(queue.descriptor[i].flags, VIRTQ_DESCRIPTOR_WRITE);
    assert_int_equal(queue.available->ring[i], i);
  }
  uint16_t id;
  assert_false(virtq_free_id(&queue, &id));
  assert_int_equal(queue.available->index, 0); /* the device sees nothing before it is told */
  assert_true(virtq_publish(&queue));
  assert_int_equal(queue.available->index, 8);
  assert_false(virtq_publish(&queue)); /* nothing new */
  destroy(&bench, &queue);
}

/* Any order, any number at a time, over several wraps of the indices, against a model that remembers lengths. */
static void test_any_order(void **state) {
  (void)state;
  static const uint32_t sizes[] = {2, 8, 64, 1024};
  uint32_t seed = 1;
  for(size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
    struct bench bench;
    struct virtq queue;
    create(&bench, &queue, sizes[s], sizes[s], true);
    preset(&queue, 0xFF00U);
    uint16_t device[VIRTQ_SIZE_MAX];
    uint32_t held = 0;
    for(uint32_t round = 0; round < 3000; round++) {
      seed = seed * 1664525U + 1013904223U;
      uint32_t more = (seed >> 16) % (sizes[s] + 1U);
      uint16_t id;
      while(more-- > 0 && virtq_free_id(&queue, &id)) {
        virtq_describe(&queue, id, STRIDE, VIRTQ_DESCRIPTOR_WRITE, 0);
        virtq_offer(&queue);
        device[held++] = id;
      }
      (void)virtq_publish(&queue);
      seed = seed * 1664525U + 1013904223U;
      uint32_t back = held ? (seed >> 16) % (held + 1U) : 0;
      uint16_t order[VIRTQ_SIZE_MAX];
      for(uint32_t i = 0; i < back; i++) {
        seed = seed * 1664525U + 1013904223U;
        uint32_t which = (seed >> 16) % held;
        order[i] = device[which];
        device[which] = device[--held];
        device_returns(&queue, order[i], order[i] * 3U + round);
      }
      for(uint32_t i = 0; i < back; i++) {
        uint32_t length;
        assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_DONE);
        assert_int_equal(id, order[i]);
        assert_int_equal(length, order[i] * 3U + round);
        virtq_take(&queue);
      }
      uint32_t length;
      assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_NONE);
      if(round % 64U == 0) {
        check(&queue);
      }
    }
    destroy(&bench, &queue);
  }
}

/* What was judged once stays what it was, whatever the device writes there afterwards. */
static void test_an_entry_is_read_once(void **state) {
  (void)state;
  struct bench bench;
  struct virtq queue;
  create(&bench, &queue, 8, 8, true);
  uint16_t first = offer(&queue);
  (void)offer(&queue);
  (void)virtq_publish(&queue);
  device_returns(&queue, first, 100);
  uint16_t id;
  uint32_t length;
  assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_DONE);
  queue.used->ring[0] = (struct virtq_used_element){7, 0xFFFFFFFFU};
  queue.used->index = 0x4000;
  assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_DONE);
  assert_int_equal(id, first);
  assert_int_equal(length, 100);
  check(&queue);
  virtq_take(&queue);
  assert_false(virtq_is_in_flight(&queue, first));
  assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_LIE);
  destroy(&bench, &queue);
}

static void test_take_without_a_peek(void **state) {
  (void)state;
  struct bench bench;
  struct virtq queue;
  create(&bench, &queue, 8, 8, true);
  uint16_t id = offer(&queue);
  (void)virtq_publish(&queue);
  device_returns(&queue, id, 60);
  virtq_take(&queue);
  assert_int_equal(queue.taken, 0);
  destroy(&bench, &queue);
}

static void test_cancel(void **state) {
  (void)state;
  struct bench bench;
  struct virtq queue;
  create(&bench, &queue, 8, 8, true);
  for(uint32_t i = 0; i < 5; i++) {
    (void)offer(&queue);
    if(i == 2) {
      (void)virtq_publish(&queue); /* so that some are told and some are not */
    }
  }
  device_returns(&queue, 2, 60);
  uint16_t id;
  uint32_t length;
  assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_DONE);
  uint32_t met = 0;
  while(virtq_cancel(&queue, &id)) {
    assert_int_equal(met >> id & 1U, 0);
    met |= 1U << id;
    check(&queue);
  }
  assert_int_equal(met, 0x1F);
  assert_int_equal(queue.free_count, 8);
  destroy(&bench, &queue);
}

/* The control queue: one command at a time, its answer in descriptor 1. */
static void test_one_head(void **state) {
  (void)state;
  struct bench bench;
  struct virtq queue;
  create(&bench, &queue, 2, 1, true);
  uint16_t id;
  uint32_t length;
  for(uint32_t i = 0; i < 70000U; i++) {
    assert_true(virtq_free_id(&queue, &id));
    assert_int_equal(id, 0);
    virtq_offer(&queue);
    assert_false(virtq_free_id(&queue, &id));
    (void)virtq_publish(&queue);
    device_returns(&queue, 0, 1);
    assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_DONE);
    virtq_take(&queue);
  }
  virtq_offer(&queue);
  (void)virtq_publish(&queue);
  device_returns(&queue, 1, 1); /* the answer's descriptor heads nothing */
  assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_LIE);
  destroy(&bench, &queue);
}

/* Lies ----------------------------------------------------------------------------------------------------------- */

struct lie {
  uint32_t id;   /* returned */
  uint16_t jump; /* added to the used index */
};

static void test_lies(void **state) {
  (void)state;
  /* Four are with the device: 0 to 3. */
  static const struct lie lies[] = {
      {4, 1},           /* free                         */
      {7, 1},           /* free                         */
      {8, 1},           /* out of range                 */
      {0xFFFFU, 1},     /* the same                     */
      {0x10000U, 1},    /* 0 in 16 bits                 */
      {0xFFFFFFFFU, 1}, /* the most                     */
      {0, 5},           /* one more than there are      */
      {0, 0x8000U},     /* a jump                       */
      {0, 0xFFFFU},     /* backwards                    */
  };
  static const uint16_t starts[] = {0, 0xFFFE, 0x7FFF};
  for(size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
    for(size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
      struct bench bench;
      struct virtq queue;
      create(&bench, &queue, 8, 8, true);
      preset(&queue, starts[s]);
      for(uint32_t n = 0; n < 4; n++) {
        (void)offer(&queue);
      }
      (void)virtq_publish(&queue);
      queue.used->ring[starts[s] & 7U] = (struct virtq_used_element){lies[i].id, 60};
      queue.used->index = (uint16_t)(starts[s] + lies[i].jump);
      uint16_t id = 0;
      uint32_t length = 0;
      assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_LIE);
      assert_non_null(queue.lie);
      assert_false(virtq_has_news(&queue)); /* or a handler would poll for ever */
      queue.used->index = starts[s];
      assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_LIE); /* it stays one */
      virtq_take(&queue);
      assert_int_equal(queue.taken, starts[s]);
      check(&queue);
      virtq_reset(&queue, true);
      assert_null(queue.lie);
      assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_NONE);
      destroy(&bench, &queue);
    }
  }
}

static void test_returned_twice(void **state) {
  (void)state;
  struct bench bench;
  struct virtq queue;
  create(&bench, &queue, 8, 8, false);
  for(uint32_t n = 0; n < 4; n++) {
    (void)offer(&queue);
  }
  (void)virtq_publish(&queue);
  device_returns(&queue, 2, 60);
  device_returns(&queue, 2, 60);
  uint16_t id;
  uint32_t length;
  assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_DONE);
  virtq_take(&queue);
  assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_LIE);
  assert_int_equal(queue.lie_value, 2);
  destroy(&bench, &queue);
}

/* Something that was offered and not published is not the device's yet. */
static void test_returned_early(void **state) {
  (void)state;
  struct bench bench;
  struct virtq queue;
  create(&bench, &queue, 8, 8, true);
  uint16_t id = offer(&queue);
  device_returns(&queue, id, 60);
  uint32_t length;
  assert_int_equal(virtq_peek(&queue, &id, &length), VIRTQ_LIE);
  destroy(&bench, &queue);
}

/* Notification and interrupts ------------------------------------------------------------------------------------- */

/* 2.7.10: with the event index the device wants to be notified when the entry at avail_event is among the new ones. */
static void test_notify_by_event(void **state) {
  (void)state;
  static const uint16_t starts[] = {0, 5, 0x7FFE, 0xFFFA, 0xFFFF};
  for(size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
    for(uint16_t count = 1; count <= 8; count++) {
      for(int event = -20; event <= 20; event++) {
        struct bench bench;
        struct virtq queue;
        create(&bench, &queue, 8, 8, true);
        preset(&queue, starts[s]);
        *available_event(&queue) = (uint16_t)(starts[s] + event);
        for(uint16_t i = 0; i < count; i++) {
          (void)offer(&queue);
        }
        assert_int_equal(virtq_publish(&queue), event >= 0 && event < count);
        destroy(&bench, &queue);
      }
    }
  }
}

static void test_notify_by_flag(void **state) {
  (void)state;
  struct bench bench;
  struct virtq queue;
  create(&bench, &queue, 8, 8, false);
  *available_event(&queue) = 0x4000; /* means nothing here */
  (void)offer(&queue);
  assert_true(virtq_publish(&queue));
  queue.used->flags = VIRTQ_USED_NO_NOTIFY;
  (void)offer(&queue);
  assert_false(virtq_publish(&queue));
  assert_int_equal(queue.available->index, 2);
  queue.used->flags = 0;
  (void)offer(&queue);
  assert_true(virtq_publish(&queue));
  destroy(&bench, &queue);
}

/* The device's half of 2.7.7, from its text: it interrupts when it writes the entry that used_event names. */
static bool device_interrupts(const struct virtq *queue, uint16_t before, uint16_t after) {
  if(!queue->event_index) {
    return (queue->available->flags & VIRTQ_AVAILABLE_NO_INTERRUPT) == 0;
  }
  assert_int_equal(queue->available->flags, 0);
  for(uint16_t at = before; at != after; at++) {
    if(at == queue->available->ring[queue->size]) {
      return true;
    }
  }
  return false;
}

/* Over two wraps of the index: parked nothing interrupts, armed the next entry does. */
static void test_park_and_arm(void **state) {
  (void)state;
  for(int event_index = 0; event_index <= 1; event_index++) {
    struct bench bench;
    struct virtq queue;
    create(&bench, &queue, 8, 8, event_index);
    bool armed = false;
    for(uint32_t round = 0; round < 50000U; round++) {
      uint16_t count = (uint16_t)(1U + round % 8U);
      for(uint16_t i = 0; i < count; i++) {
        uint16_t id;
        assert_true(virtq_free_id(&queue, &id));
        virtq_offer(&queue);
      }
      (void)virtq_publish(&queue);
      uint16_t before = queue.used->index;
      for(uint16_t i = 0; i < count; i++) {
        device_returns(&queue, queue.available->ring[(uint16_t)(before + i) & 7U], 60);
      }
      assert_true(virtq_has_news(&queue));
      assert_int_equal(device_interrupts(&queue, before, queue.used->index), armed);
      virtq_park(&queue);
      uint16_t id;
      uint32_t length;
      while(virtq_peek(&queue, &id, &length) == VIRTQ_DONE) {
        virtq_take(&queue);
      }
      assert_false(virtq_has_news(&queue));
      armed = round % 3U == 0;
      if(armed) {
        virtq_arm(&queue);
      }
    }
    destroy(&bench, &queue);
  }
}

/* The check itself must see what it is there for. */
static void test_check_sees(void **state) {
  (void)state;
  struct bench bench;
  struct virtq queue;
  create(&bench, &queue, 8, 8, true);
  (void)offer(&queue);
  (void)offer(&queue);
  struct virtq good = queue;
#define BROKEN(change, number)                                                                                         \
  do {                                                                                                                 \
    queue = good;                                                                                                      \
    change;                                                                                                            \
    assert_non_null(virtq_check(&queue));                                                                              \
    assert_memory_equal(virtq_check(&queue), number, 2);                                                               \
    queue = good;                                                                                                      \
  } while(0)
  BROKEN(queue.published = 3, "Q1");
  BROKEN(queue.taken = 3, "Q1");
  BROKEN(queue.offered = 9, "Q1");
  BROKEN(queue.in_flight[0] = 1, "Q2");
  BROKEN(queue.in_flight[31] = 1, "Q2");
  BROKEN(queue.free_count = 5, "Q2");
  BROKEN(queue.free[0] = queue.free[1], "Q3");
  BROKEN(queue.free[0] = 0, "Q3");
  BROKEN(queue.free[0] = 8, "Q3");
  BROKEN(queue.stride = 64, "Q4");
  BROKEN(queue.size = 7, "Q5");
  BROKEN(queue.heads = 9, "Q5");
  BROKEN((queue.seen = true, queue.seen_id = 5), "Q6");
#undef BROKEN
  destroy(&bench, &queue);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_layout),
      cmocka_unit_test(test_sizes_refused),
      cmocka_unit_test(test_adoption_refused),
      cmocka_unit_test(test_every_allocation_fails_once),
      cmocka_unit_test(test_batch),
      cmocka_unit_test(test_full),
      cmocka_unit_test(test_any_order),
      cmocka_unit_test(test_an_entry_is_read_once),
      cmocka_unit_test(test_take_without_a_peek),
      cmocka_unit_test(test_cancel),
      cmocka_unit_test(test_one_head),
      cmocka_unit_test(test_lies),
      cmocka_unit_test(test_returned_twice),
      cmocka_unit_test(test_returned_early),
      cmocka_unit_test(test_notify_by_event),
      cmocka_unit_test(test_notify_by_flag),
      cmocka_unit_test(test_park_and_arm),
      cmocka_unit_test(test_check_sees),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
