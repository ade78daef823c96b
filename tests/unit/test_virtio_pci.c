/* test_virtio_pci.c - tests of the modern PCI transport over arrays: capabilities, status, queues, configuration. */
#include "virtio_bench.h"

#define AT_COMMON 0x40U /* where the usual capabilities stand */
#define AT_NOTIFY 0x50U
#define AT_ISR    0x64U
#define AT_DEVICE 0x74U
#define AT_MSIX   0x84U

static void put8(struct bench *bench, uint32_t at, uint8_t value) {
  bench->config[at] = value;
}

static void put32(struct bench *bench, uint32_t at, uint32_t value) {
  memcpy(bench->config + at, &value, 4);
}

static void put_structure(struct bench *bench, uint32_t at, uint8_t next, uint8_t type, uint8_t bar, uint32_t offset,
                          uint32_t length) {
  put8(bench, at, 0x09);
  put8(bench, at + 1, next);
  put8(bench, at + 2, type == VIRTIO_CAP_NOTIFY ? 20 : 16);
  put8(bench, at + 3, type);
  put8(bench, at + 4, bar);
  put32(bench, at + 8, offset);
  put32(bench, at + 12, length);
}

/* A device as QEMU shows it. */
static void usual(struct bench *bench) {
  bench_init(bench);
  put32(bench, 0, 0x10411AF4U);
  put8(bench, 0x06, 0x10);
  put8(bench, 0x34, AT_COMMON);
  put_structure(bench, AT_COMMON, AT_NOTIFY, VIRTIO_CAP_COMMON, 4, 0x0000, 0x1000);
  put_structure(bench, AT_NOTIFY, AT_ISR, VIRTIO_CAP_NOTIFY, 4, 0x3000, 0x1000);
  put32(bench, AT_NOTIFY + 16, 4);
  put_structure(bench, AT_ISR, AT_DEVICE, VIRTIO_CAP_ISR, 4, 0x1000, 0x1000);
  put_structure(bench, AT_DEVICE, AT_MSIX, VIRTIO_CAP_DEVICE, 4, 0x2000, 0x1000);
  put8(bench, AT_MSIX, 0x11);
}

static void expect_place(const struct virtio_place *place, uint32_t bar, uint32_t offset, uint32_t length) {
  assert_int_equal(place->bar, bar);
  assert_int_equal(place->offset, offset);
  assert_int_equal(place->length, length);
}

static int find(struct bench *bench, struct virtio_pci *pci) {
  int result = virtio_pci_find(pci, &bench->platform);
  assert_int_equal(bench->reads + bench->writes + bench->config_writes, 0); /* nobody is disturbed */
  return result;
}

/* Capabilities --------------------------------------------------------------------------------------------------- */

static void test_usual(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci;
  usual(&bench);
  assert_int_equal(find(&bench, &pci), NETDEV_OK);
  expect_place(&pci.common, 4, 0, 0x1000);
  expect_place(&pci.notify, 4, 0x3000, 0x1000);
  expect_place(&pci.isr, 4, 0x1000, 0x1000);
  expect_place(&pci.device, 4, 0x2000, 0x1000);
  assert_int_equal(pci.notify_multiplier, 4);
  assert_int_equal(pci.msix, AT_MSIX);
}

/* Each change leaves one structure unusable, which the list has no other of. */
static void test_unusable(void **state) {
  (void)state;
  static const struct {
    const char *what;
    uint32_t at;
    uint32_t width;
    uint32_t value;
  } changes[] = {
      {"no capability list", 0x06, 1, 0},
      {"the list is empty", 0x34, 1, 0},
      {"the list starts in the header", 0x34, 1, 0x3C},
      {"the list ends early", AT_NOTIFY + 1, 1, 0},
      {"the list runs in a circle", AT_NOTIFY + 1, 1, AT_COMMON},
      {"the list points at itself", AT_COMMON + 1, 1, AT_COMMON},
      {"the list goes on in the header", AT_NOTIFY + 1, 1, 0x10},
      {"another capability", AT_ISR, 1, 0x05},
      {"another type", AT_ISR + 3, 1, 5},
      {"the capability is short", AT_DEVICE + 2, 1, 15},
      {"the capability has no multiplier", AT_NOTIFY + 2, 1, 19},
      {"a BAR that cannot be", AT_COMMON + 4, 1, 6},
      {"a BAR far off", AT_COMMON + 4, 1, 255},
      {"a BAR that is not there", AT_COMMON + 4, 1, 0},
      {"the upper half of a 64-bit BAR", AT_COMMON + 4, 1, 5},
      {"too short for the registers", AT_COMMON + 12, 4, 55},
      {"no doorbell", AT_NOTIFY + 12, 4, 1},
      {"no ISR", AT_ISR + 12, 4, 0},
      {"no configuration", AT_DEVICE + 12, 4, 0},
      {"beyond the BAR", AT_DEVICE + 8, 4, 0x3004},
      {"far beyond the BAR", AT_DEVICE + 8, 4, 0xFFFFFFFCU},
      {"so long that the end wraps", AT_DEVICE + 12, 4, 0xFFFFF000U},
      {"crooked registers", AT_COMMON + 8, 4, 2},
      {"crooked doorbells", AT_NOTIFY + 8, 4, 0x2FFF},
      {"crooked configuration", AT_DEVICE + 8, 4, 0x1FFE},
  };
  for(size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
    struct bench bench;
    struct virtio_pci pci;
    usual(&bench);
    memcpy(bench.config + changes[i].at, &changes[i].value, changes[i].width);
    if(find(&bench, &pci) != NETDEV_E_UNSUPPORTED) {
      fail_msg("%s", changes[i].what);
    }
  }
}

/* The first of each type that can be used counts (4.1.4.1). */
static void test_first_usable(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci;
  usual(&bench);
  put8(&bench, AT_DEVICE + 1, 0xA0);
  put_structure(&bench, 0xA0, 0xB0, VIRTIO_CAP_COMMON, 4, 0x2000, 0x1000); /* a second: too late */
  put_structure(&bench, 0xB0, 0, VIRTIO_CAP_ISR, 4, 0x2004, 0x10);
  put8(&bench, AT_ISR + 4, 2); /* the first ISR is in a BAR that is not decoded */
  assert_int_equal(find(&bench, &pci), NETDEV_OK);
  expect_place(&pci.common, 4, 0, 0x1000);
  expect_place(&pci.isr, 4, 0x2004, 0x10);
  assert_int_equal(pci.msix, 0);
}

/* virtio_pci_cap.bar is the number of the register, whatever sizes the BARs before it have. */
static void test_bar_numbers(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci;
  usual(&bench);
  bench.platform.bar[0] = (struct net_bar){NET_BAR_MEMORY, 0x1000}; /* 64 bits wide: 1 is its upper half */
  bench.platform.bar[2] = (struct net_bar){NET_BAR_IO, 0x20};
  put8(&bench, AT_COMMON + 4, 0);
  put8(&bench, AT_ISR + 4, 2);
  put32(&bench, AT_ISR + 8, 0x1F);
  put32(&bench, AT_ISR + 12, 1);
  assert_int_equal(find(&bench, &pci), NETDEV_OK);
  expect_place(&pci.common, 0, 0, 0x1000);
  expect_place(&pci.isr, 2, 0x1F, 1);
  put8(&bench, AT_COMMON + 4, 1);
  assert_int_equal(find(&bench, &pci), NETDEV_E_UNSUPPORTED);
}

/* A host that cannot say how large a BAR is gets what the device says. */
static void test_size_not_known(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci;
  usual(&bench);
  bench.platform.bar[4].size = 0;
  put32(&bench, AT_DEVICE + 12, 0x100000);
  assert_int_equal(find(&bench, &pci), NETDEV_OK);
  put32(&bench, AT_DEVICE + 12, 0xFFFFFFFFU);
  assert_int_equal(find(&bench, &pci), NETDEV_E_UNSUPPORTED); /* no 32-bit offset reaches its end */
}

/* A capability at the very end of configuration space is not read beyond it: the platform would complain. */
static void test_end_of_configuration_space(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci;
  usual(&bench);
  put8(&bench, AT_DEVICE + 1, 0xFC);
  put8(&bench, 0xFC, 0x09);
  put8(&bench, 0xFD, 0xF0);
  put8(&bench, 0xFE, 20);
  put8(&bench, 0xFF, VIRTIO_CAP_NOTIFY);
  put_structure(&bench, 0xF0, 0, VIRTIO_CAP_NOTIFY, 4, 0, 2);
  put8(&bench, 0xF2, 20);
  put8(&bench, AT_NOTIFY + 3, 9); /* so that those two would be taken */
  assert_int_equal(find(&bench, &pci), NETDEV_E_UNSUPPORTED);
}

static void test_gone(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci;
  bench_init(&bench);
  memset(bench.config, 0xFF, sizeof(bench.config));
  assert_int_equal(find(&bench, &pci), NETDEV_E_GONE);
  usual(&bench);
  bench.absent = true;
  assert_int_equal(find(&bench, &pci), NETDEV_E_GONE);
}

/* Registers ------------------------------------------------------------------------------------------------------ */

static struct virtio_pci found(struct bench *bench) {
  struct virtio_pci pci;
  usual(bench);
  assert_int_equal(virtio_pci_find(&pci, &bench->platform), NETDEV_OK);
  return pci;
}

static void store(struct bench *bench, uint32_t offset, uint32_t width, uint64_t value) {
  memcpy(bench->bar + offset, &value, width);
}

static uint64_t load64(const struct bench *bench, uint32_t offset) {
  uint64_t value;
  memcpy(&value, bench->bar + offset, 8);
  return value;
}

/* Status reads `slow_status` until it was read `slow_reads` times. */
static uint32_t slow_reads;
static uint8_t slow_status;

static void slow_reset(struct bench *bench, uint32_t offset, uint32_t width) {
  (void)width;
  if(offset == VIRTIO_DEVICE_STATUS && slow_reads > 0) {
    bench->bar[offset] = --slow_reads > 0 ? slow_status : 0;
  }
}

static void test_reset(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci = found(&bench);
  bench.bar[VIRTIO_DEVICE_STATUS] = 0x0F;
  assert_int_equal(virtio_pci_reset(&pci), NETDEV_OK); /* at once */
  assert_int_equal(bench.now_us, 0);
  bench.on_read = slow_reset;
  slow_status = 0x0F;
  slow_reads = 50;
  assert_int_equal(virtio_pci_reset(&pci), NETDEV_OK); /* after a while */
  slow_reads = UINT32_MAX;
  bench.logs = 0;
  bench.reads = 0;
  uint64_t start = bench.now_us;
  assert_int_equal(virtio_pci_reset(&pci), NETDEV_E_TIMEOUT); /* never */
  assert_true(bench.reads < 200);
  assert_true(bench.now_us - start >= 1000000U && bench.now_us - start < 2000000U);
  assert_int_equal(bench.logs, 1);
  slow_status = 0xFF;
  assert_int_equal(virtio_pci_reset(&pci), NETDEV_E_GONE);
  assert_int_equal(bench.writes, 4);
}

/* What has disappointed already is not waited for as long, and nothing is said. */
static void test_stop(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci = found(&bench);
  bench.bar[VIRTIO_DEVICE_STATUS] = 0x0F;
  assert_true(virtio_pci_stop(&pci));
  assert_int_equal(bench.now_us, 0);
  bench.on_read = slow_reset;
  slow_status = 0x0F;
  slow_reads = 5;
  assert_true(virtio_pci_stop(&pci));
  slow_reads = UINT32_MAX;
  bench.reads = 0;
  uint64_t start = bench.now_us;
  assert_false(virtio_pci_stop(&pci));
  assert_true(bench.now_us - start >= 100000U && bench.now_us - start < 200000U);
  assert_true(bench.reads < 50);
  bench.reads = 0;
  slow_status = 0xFF;
  assert_false(virtio_pci_stop(&pci));
  assert_int_equal(bench.reads, 1);
  assert_int_equal(bench.logs, 0);
}

/* While boot services end nothing may wait but by reading, and that is bounded too. */
static void test_silence(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci = found(&bench);
  bench.bar[VIRTIO_DEVICE_STATUS] = 0x0F;
  assert_true(virtio_pci_silence(&pci));
  bench.on_read = slow_reset;
  slow_status = 0x0F;
  slow_reads = 50;
  assert_true(virtio_pci_silence(&pci));
  slow_reads = UINT32_MAX;
  assert_false(virtio_pci_silence(&pci));
  bench.reads = 0;
  slow_status = 0xFF;
  assert_false(virtio_pci_silence(&pci));
  assert_int_equal(bench.reads, 1);
  assert_int_equal(bench.now_us, 0);
  assert_int_equal(bench.logs, 0);
}

static void test_is_gone(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci = found(&bench);
  assert_true(virtio_pci_is_gone(&pci, 0xFF));
  assert_true(virtio_pci_is_gone(&pci, 0)); /* no queues either */
  store(&bench, VIRTIO_NUM_QUEUES, 2, 3);
  assert_false(virtio_pci_is_gone(&pci, 0));
  assert_false(virtio_pci_is_gone(&pci, 0x0F));
  assert_false(virtio_pci_is_gone(&pci, 0x4F));
}

/* The device's features, by the selector. */
static void features_by_half(struct bench *bench, uint32_t offset, uint32_t width) {
  (void)width;
  if(offset == VIRTIO_DEVICE_FEATURE) {
    store(bench, offset, 4, bench->bar[VIRTIO_DEVICE_FEATURE_SELECT] ? 0x89ABCDEFU : 0x01234567U);
  }
}

static uint64_t accepted;

static void remember_features(struct bench *bench, uint32_t offset, uint32_t width, uint32_t value) {
  (void)width;
  if(offset == VIRTIO_DRIVER_FEATURE) {
    accepted |= (uint64_t)value << 32U * bench->bar[VIRTIO_DRIVER_FEATURE_SELECT];
  }
  if(offset == VIRTIO_DEVICE_STATUS && bench->config[0xC0]) {
    bench->bar[offset] = bench->config[0xC0]; /* the device has an opinion of its own */
  }
}

static void test_features(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci = found(&bench);
  bench.on_read = features_by_half;
  bench.on_write = remember_features;
  assert_int_equal(virtio_pci_offered(&pci), 0x89ABCDEF01234567ULL);
  uint8_t status = 3;
  accepted = 0;
  assert_int_equal(virtio_pci_negotiate(&pci, &status, 0x1230000045ULL), NETDEV_OK);
  assert_int_equal(accepted, 0x1230000045ULL);
  assert_int_equal(status, 0x0B);
  assert_int_equal(bench.bar[VIRTIO_DEVICE_STATUS], 0x0B);
  bench.config[0xC0] = 0x03; /* FEATURES_OK does not stay */
  assert_int_equal(virtio_pci_negotiate(&pci, &status, 0), NETDEV_E_UNSUPPORTED);
  bench.config[0xC0] = 0xFF;
  assert_int_equal(virtio_pci_negotiate(&pci, &status, 0), NETDEV_E_GONE);
}

/* Queues --------------------------------------------------------------------------------------------------------- */

static void make_queue(struct bench *bench, struct virtq *queue, uint16_t number) {
  assert_int_equal(virtq_create(queue, &bench->platform, 64, 64, 64, 64), NETDEV_OK);
  queue->number = number;
  store(bench, VIRTIO_NUM_QUEUES, 2, 3);
  store(bench, VIRTIO_QUEUE_SIZE, 2, 256);
  store(bench, VIRTIO_QUEUE_NOTIFY_OFF, 2, number);
}

static void test_queue(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci = found(&bench);
  struct virtq queue;
  make_queue(&bench, &queue, 1);
  assert_int_equal(virtio_pci_queue_max(&pci, 1), 256);
  assert_int_equal(virtio_pci_queue_max(&pci, 3), 0);
  assert_int_equal(virtio_pci_queue_start(&pci, &queue, VIRTIO_NO_VECTOR), NETDEV_OK);
  assert_int_equal(load64(&bench, VIRTIO_QUEUE_DESC), queue.descriptor_device);
  assert_int_equal(load64(&bench, VIRTIO_QUEUE_DRIVER), queue.available_device);
  assert_int_equal(load64(&bench, VIRTIO_QUEUE_DEVICE), queue.used_device);
  assert_true(queue.used_device >> 32 != 0);
  assert_int_equal(bench_load(bench.bar + VIRTIO_QUEUE_SELECT, 2), 1);
  assert_int_equal(bench_load(bench.bar + VIRTIO_QUEUE_SIZE, 2), 64);
  assert_int_equal(bench_load(bench.bar + VIRTIO_QUEUE_ENABLE, 2), 1);
  assert_int_equal(queue.vector, VIRTIO_NO_VECTOR);
  assert_int_equal(queue.doorbell, 0x3004);
  virtio_pci_notify(&pci, &queue);
  assert_int_equal(bench_load(bench.bar + 0x3004, 2), 1);
  virtq_destroy(&queue, &bench.platform);
}

static uint32_t stubborn_offset;
static uint16_t stubborn_value;
static uint32_t enabled_at; /* writes so far when the queue was enabled */
static uint32_t vector_at;

static void stubborn(struct bench *bench, uint32_t offset, uint32_t width, uint32_t value) {
  (void)width;
  (void)value;
  if(offset == stubborn_offset) {
    store(bench, offset, 2, stubborn_value);
  }
  if(offset == VIRTIO_QUEUE_ENABLE) {
    enabled_at = bench->writes;
  }
  if(offset == VIRTIO_QUEUE_MSIX_VECTOR) {
    vector_at = bench->writes;
  }
}

static void test_queue_refused(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci = found(&bench);
  struct virtq queue;
  make_queue(&bench, &queue, 0);
  bench.on_write = stubborn;
  stubborn_offset = VIRTIO_QUEUE_SIZE;
  stubborn_value = 256;
  assert_int_equal(virtio_pci_queue_start(&pci, &queue, VIRTIO_NO_VECTOR), NETDEV_E_UNSUPPORTED);
  stubborn_offset = VIRTIO_QUEUE_ENABLE;
  stubborn_value = 0;
  assert_int_equal(virtio_pci_queue_start(&pci, &queue, VIRTIO_NO_VECTOR), NETDEV_E_UNSUPPORTED);
  stubborn_offset = UINT32_MAX;
  store(&bench, VIRTIO_QUEUE_SIZE, 2, 32);
  assert_int_equal(virtio_pci_queue_start(&pci, &queue, VIRTIO_NO_VECTOR), NETDEV_E_UNSUPPORTED);
  store(&bench, VIRTIO_QUEUE_SIZE, 2, 64);
  store(&bench, VIRTIO_NUM_QUEUES, 2, 0);
  assert_int_equal(virtio_pci_queue_start(&pci, &queue, VIRTIO_NO_VECTOR), NETDEV_E_UNSUPPORTED);
  virtq_destroy(&queue, &bench.platform);
}

static void test_vector(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci = found(&bench);
  struct virtq queue;
  make_queue(&bench, &queue, 0);
  bench.on_write = stubborn;
  stubborn_offset = UINT32_MAX;
  assert_int_equal(virtio_pci_queue_start(&pci, &queue, 0), NETDEV_OK);
  assert_int_equal(queue.vector, 0);
  assert_true(vector_at < enabled_at);
  stubborn_offset = VIRTIO_QUEUE_MSIX_VECTOR; /* a device without resources for it: the queue works without */
  stubborn_value = VIRTIO_NO_VECTOR;
  assert_int_equal(virtio_pci_queue_start(&pci, &queue, 0), NETDEV_OK);
  assert_int_equal(queue.vector, VIRTIO_NO_VECTOR);
  virtq_destroy(&queue, &bench.platform);
}

static void test_doorbells(void **state) {
  (void)state;
  static const struct {
    uint32_t length;
    uint32_t multiplier;
    uint16_t notify_off;
    bool good;
  } cases[] = {{0x1000, 4, 0x3FF, true},
               {0x1000, 4, 0x400, false},
               {2, 0, 0xFFFF, true},
               {2, 4, 0, true},
               {2, 4, 1, false},
               {0x1000, 1, 1, false}, /* odd */
               {0x1000, 2, 0x7FF, true},
               {0x1000, 0x80000000U, 2, false},
               {0x1000, 0xFFFFFFFFU, 0xFFFF, false},
               {0x1000, 0x10000, 0, true}};
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct bench bench;
    struct virtio_pci pci = found(&bench);
    struct virtq queue;
    make_queue(&bench, &queue, 0);
    pci.notify.length = cases[i].length;
    pci.notify_multiplier = cases[i].multiplier;
    store(&bench, VIRTIO_QUEUE_NOTIFY_OFF, 2, cases[i].notify_off);
    int result = virtio_pci_queue_start(&pci, &queue, VIRTIO_NO_VECTOR);
    assert_int_equal(result, cases[i].good ? NETDEV_OK : NETDEV_E_UNSUPPORTED);
    if(cases[i].good) {
      assert_int_equal(queue.doorbell, 0x3000U + cases[i].notify_off * cases[i].multiplier);
    } else {
      assert_int_equal(bench_load(bench.bar + VIRTIO_QUEUE_ENABLE, 2), 0);
    }
    virtq_destroy(&queue, &bench.platform);
  }
}

/* Device configuration ------------------------------------------------------------------------------------------- */

static uint32_t changes_left;

static void changing(struct bench *bench, uint32_t offset, uint32_t width) {
  (void)width;
  if(offset == 0x2003 && changes_left > 0) {
    changes_left--;
    bench->bar[VIRTIO_CONFIG_GENERATION]++;
    bench->bar[0x2000]++;
  }
}

static void test_configuration(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci = found(&bench);
  uint8_t mac[6];
  static const uint8_t want[6] = {0x13, 2, 3, 4, 5, 6};
  memcpy(bench.bar + 0x2000, want, 6);
  bench.bar[0x2000] = 0x10;
  bench.on_read = changing;
  changes_left = 3;
  assert_int_equal(virtio_config_bytes(&pci, 0, mac, 6), NETDEV_OK);
  assert_memory_equal(mac, want, 6);
  changes_left = UINT32_MAX;
  bench.reads = 0;
  assert_int_equal(virtio_config_bytes(&pci, 0, mac, 6), NETDEV_E_TIMEOUT);
  assert_true(bench.reads <= 100);
  pci.device.length = 6;
  changes_left = 0;
  assert_int_equal(virtio_config_bytes(&pci, 0, mac, 6), NETDEV_OK);
  assert_false(virtio_pci_has_config(&pci, 6, 2));
  pci.device.length = 5;
  assert_int_equal(virtio_config_bytes(&pci, 0, mac, 6), NETDEV_E_UNSUPPORTED);
}

/* Interrupts ----------------------------------------------------------------------------------------------------- */

static void test_interrupts(void **state) {
  (void)state;
  struct bench bench;
  struct virtio_pci pci = found(&bench);
  put32(&bench, PCI_COMMAND, 0x00100007U);
  assert_true(virtio_pci_allow_intx(&pci, false));
  assert_int_equal(bench_load(bench.config + PCI_COMMAND, 4), 0x00100407U);
  assert_false(virtio_pci_allow_intx(&pci, false));
  assert_int_equal(bench.config_writes, 1); /* nothing to change, nothing written */
  assert_false(virtio_pci_allow_intx(&pci, true));
  assert_int_equal(bench_load(bench.config + PCI_COMMAND, 4), 0x00100007U);
  put32(&bench, PCI_COMMAND, 0xFFFFFFFFU); /* nobody there */
  (void)virtio_pci_allow_intx(&pci, true);
  assert_int_equal(bench.config_writes, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_usual),          cmocka_unit_test(test_unusable),
      cmocka_unit_test(test_first_usable),   cmocka_unit_test(test_bar_numbers),
      cmocka_unit_test(test_size_not_known), cmocka_unit_test(test_end_of_configuration_space),
      cmocka_unit_test(test_gone),           cmocka_unit_test(test_reset),
      cmocka_unit_test(test_silence),        cmocka_unit_test(test_stop),
      cmocka_unit_test(test_is_gone),        cmocka_unit_test(test_features),
      cmocka_unit_test(test_queue),          cmocka_unit_test(test_queue_refused),
      cmocka_unit_test(test_vector),         cmocka_unit_test(test_doorbells),
      cmocka_unit_test(test_configuration),  cmocka_unit_test(test_interrupts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
