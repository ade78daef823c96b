/* test_work.c - the two halves of an interrupt over both simulators, with a work queue and without. */
#include "work.h"
#include "either.h"

static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3};

struct bench {
  struct either nic;
  struct kernel_work work;
  uint32_t received;
  uint32_t submitted;
  uint32_t late; /* so many frames come while others are handed on */
};

static void inject(struct bench *bench) {
  uint8_t frame[100] = {0};
  memcpy(frame, mac, sizeof(mac));
  assert_int_equal(either_inject(&bench->nic, frame, sizeof(frame)), SIM_DELIVERED);
  either_step(&bench->nic);
}

static void on_frame(void *ctx, const struct netdev_frame *frame) {
  struct bench *bench = ctx;
  assert_int_equal(frame->length, 100);
  bench->received++;
  if(bench->late > 0) {
    bench->late--;
    inject(bench);
  }
}

static void submit(void *ctx) {
  ((struct bench *)ctx)->submitted++;
}

static bool interrupts(struct bench *bench) {
  return bench->nic.virtio ? virtio_sim_interrupt(bench->nic.virtio) : sim_interrupt(bench->nic.e1000);
}

static void begin(struct bench *bench, uint16_t device_id, bool queue) {
  memset(bench, 0, sizeof(*bench));
  either_make(&bench->nic, device_id, mac);
  const struct netdev_client client = {.ctx = bench, .receive = on_frame};
  assert_int_equal(netdev_set_client(bench->nic.dev, &client), NETDEV_OK);
  assert_int_equal(netdev_open(bench->nic.dev), NETDEV_OK);
  bench->work = (struct kernel_work){.dev = bench->nic.dev, .submit = queue ? submit : NULL, .ctx = bench};
  assert_int_equal(netdev_irq_enable(bench->nic.dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
  while(interrupts(bench)) {
    assert_true(kernel_work_interrupt(&bench->work));
    (void)kernel_work_run(&bench->work);
  }
  bench->submitted = 0;
}

/* The handler takes the interrupt off the line and submits; the queue's thread does the rest, and submits itself for as
 * long as frames come in under its hands. */
static void test_with_a_queue(void **state) {
  (void)state;
  for(size_t i = 0; i < EITHER_COUNT; i++) {
    struct bench bench;
    begin(&bench, either_ids[i], true);
    assert_false(kernel_work_interrupt(&bench.work)); /* somebody else's, on the same line */
    assert_int_equal(bench.submitted, 0);
    inject(&bench);
    assert_true(interrupts(&bench));
    assert_true(kernel_work_interrupt(&bench.work));
    assert_int_equal(bench.received, 0);
    assert_int_equal(bench.submitted, 1);
    inject(&bench);
    assert_false(interrupts(&bench)); /* masked until the work is done */
    bench.late = 200;
    uint32_t runs = 0;
    while(bench.submitted > 0) {
      uint32_t before = bench.received;
      bench.submitted--;
      bool more = kernel_work_run(&bench.work);
      assert_true(bench.received - before <= KERNEL_WORK_BUDGET);
      assert_int_equal(more, bench.submitted > 0);
      assert_false(more && interrupts(&bench));
      runs++;
    }
    assert_int_equal(bench.received, 202);
    assert_in_range(runs, 202 / KERNEL_WORK_BUDGET, 202 / KERNEL_WORK_BUDGET + 1);
    inject(&bench);
    assert_true(interrupts(&bench)); /* and the next frame interrupts */
    either_end(&bench.nic);
  }
}

/* The handler hands on a budget; what is left over is the idle loop's, and no interrupt's. */
static void test_without(void **state) {
  (void)state;
  for(size_t i = 0; i < EITHER_COUNT; i++) {
    struct bench bench;
    begin(&bench, either_ids[i], false);
    bench.late = 2U * KERNEL_WORK_BUDGET;
    inject(&bench);
    assert_true(interrupts(&bench));
    assert_true(kernel_work_interrupt(&bench.work));
    assert_int_equal(bench.received, KERNEL_WORK_BUDGET);
    assert_true(bench.work.left);
    assert_false(interrupts(&bench));
    assert_true(kernel_work_run(&bench.work));
    assert_int_equal(bench.received, 2U * KERNEL_WORK_BUDGET);
    assert_false(kernel_work_run(&bench.work));
    assert_int_equal(bench.received, 2U * KERNEL_WORK_BUDGET + 1U);
    assert_false(bench.work.left);
    inject(&bench);
    assert_true(interrupts(&bench));
    assert_true(kernel_work_interrupt(&bench.work));
    assert_int_equal(bench.received, 2U * KERNEL_WORK_BUDGET + 2U);
    either_end(&bench.nic);
  }
}

/* One that nobody asked for interrupts is polled by the same call. */
static void test_polled(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82574L, false);
  netdev_irq_disable(bench.nic.dev);
  inject(&bench);
  assert_false(kernel_work_run(&bench.work));
  assert_int_equal(bench.received, 1);
  either_end(&bench.nic);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_with_a_queue),
      cmocka_unit_test(test_without),
      cmocka_unit_test(test_polled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
