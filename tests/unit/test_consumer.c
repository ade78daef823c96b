/* test_consumer.c - the kernel's start: it adopts what it may believe, and whatever else it is shown ends in a NIC that
 * works. */
#include <stdlib.h>

#include "consumer.h"
#include "fake_netdev.h"
#include "handoff_hostile.h"

#define NICS_MAX_NAMED 1000U /* what netdev_register has names for */

static struct kernel_nic place_of(const struct bench *bench) {
  return (struct kernel_nic){
      .vendor_id = E1000_VENDOR_ID, .device_id = sim_knobs(bench->sim)->device_id, .bar0 = BAR0_AT};
}

/* The one report of the link: which device it is about can be said by then. */
static void link_changed(void *ctx, const struct netdev_link *link) {
  const struct netdev *dev = netdev_next(NULL);
  unit_link_changed(ctx, link);
  assert_non_null(dev);
  assert_string_equal(dev->name, "eth0");
  assert_ptr_equal(link, &dev->link);
}

/* The kernel sees exactly `available` bytes of the table, so that the sanitizer sees a read beyond them. */
static int start_at(struct bench *bench, const struct kernel_nic *nic, size_t available,
                    enum kernel_nic_origin *origin) {
  const struct netdev_client client = {.ctx = &bench->after, .receive = unit_receive, .link_changed = link_changed};
  uint8_t *table = malloc(available ? available : 1U);
  assert_non_null(table);
  memcpy(table, &bench->table, available);
  bench->kernel = bench->firmware; /* must not be what comes out */
  int result = kernel_nic_start(sim_platform(bench->sim), nic, table, available, TABLE_AT, own_memory, &client,
                                &bench->kernel, origin);
  free(table);
  return result;
}

/* A frame each way, and the device is the one on the list. */
static void expect_traffic(struct bench *bench) {
  uint8_t frame[100];
  size_t length;
  assert_int_equal(bench->after.links, 1);
  assert_true(bench->after.link.up && bench->after.link.full_duplex);
  assert_int_equal(bench->after.link.speed_mbps, 1000);
  assert_ptr_equal(netdev_next(NULL), bench->kernel);
  assert_int_equal(bench->kernel->state, NETDEV_OPEN);
  sim_forget_frames(bench->sim);
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  assert_int_equal(sim_inject(bench->sim, frame, sizeof(frame)), SIM_DELIVERED);
  assert_int_equal(netdev_poll(bench->kernel, RING), 1);
  assert_int_equal(bench->after.length, sizeof(frame));
  assert_memory_equal(bench->after.frame, frame, sizeof(frame));
  assert_int_equal(netdev_transmit(bench->kernel, frame, sizeof(frame), NULL, 0), NETDEV_OK);
  assert_int_equal(sim_frames(bench->sim), 1);
  assert_memory_equal(sim_frame(bench->sim, 0, &length), frame, sizeof(frame));
  assert_int_equal(length, sizeof(frame));
  assert_int_equal(netdev_complete(bench->kernel), 1);
  unit_check(bench->sim, bench->kernel);
}

static void expect_start(struct bench *bench, const struct kernel_nic *nic, size_t available,
                         enum kernel_nic_origin expected) {
  enum kernel_nic_origin origin;
  assert_int_equal(start_at(bench, nic, available, &origin), NETDEV_OK);
  assert_int_equal(origin, expected);
  expect_traffic(bench);
  end(bench);
  assert_null(netdev_next(NULL));
}

/* Table ---------------------------------------------------------------------------------------------------------- */

static void test_locate(void **state) {
  (void)state;
  const struct {
    uint32_t part1;
    uint16_t part2;
    uint16_t part3;
    uint8_t part4[8];
  } guid = NET_HANDOFF_GUID;
  const uint64_t direct_map = 0xFFFF800000000000ULL;
  struct kernel_efi_entry entries[4] = {{.table = 1}, {.table = 2}, {.table = 0x7E000000U}, {.table = 4}};
  memset(entries[0].guid, 0xFF, sizeof(entries[0].guid));
  memcpy(entries[2].guid, &guid, sizeof(guid));
  memcpy(entries[3].guid, &guid, sizeof(guid));
  entries[3].guid[15] ^= 1U;
  assert_int_equal(kernel_handoff_locate(entries, 4, 0), 0x7E000000U);
  assert_int_equal(kernel_handoff_locate(entries, 4, direct_map), 0x7E000000U);
  assert_int_equal(kernel_handoff_locate(entries, 2, 0), 0);
  assert_int_equal(kernel_handoff_locate(&entries[3], 1, 0), 0);
  assert_int_equal(kernel_handoff_locate(NULL, 4, 0), 0);
  entries[2].table += direct_map;
  assert_int_equal(kernel_handoff_locate(entries, 4, direct_map), 0x7E000000U);
}

static void test_no_table(void **state) {
  (void)state;
  struct bench bench;
  const struct netdev_client client = {.ctx = &bench.after, .receive = unit_receive, .link_changed = link_changed};
  enum kernel_nic_origin origin;
  begin(&bench, 0x100E);
  const struct kernel_nic nic = place_of(&bench);
  assert_int_equal(
      kernel_nic_start(sim_platform(bench.sim), &nic, NULL, 0, 0, own_memory, &client, &bench.kernel, &origin),
      NETDEV_OK);
  assert_int_equal(origin, KERNEL_NIC_FRESH);
  assert_int_equal(sim_logged(bench.sim, NET_LOG_WARN, ""), 0); /* nothing is wrong with that */
  expect_traffic(&bench);
  end(&bench);
}

static void test_good_table(void **state) {
  (void)state;
  for(uint8_t mode = NET_HANDOFF_QUIET; mode <= NET_HANDOFF_LIVE; mode++) {
    struct bench bench;
    begin(&bench, 0x10D3);
    leave(&bench, mode);
    const struct kernel_nic nic = place_of(&bench);
    sim_forget_accesses(bench.sim);
    enum kernel_nic_origin origin;
    assert_int_equal(start_at(&bench, &nic, sizeof(bench.table), &origin), NETDEV_OK);
    assert_int_equal(origin, KERNEL_NIC_ADOPTED);
    assert_int_equal(sim_writes_of(bench.sim, E1000_CTRL), 0); /* no reset */
    expect_traffic(&bench);
    end(&bench);
  }
}

/* The second entry is the one that is meant. */
static void test_entry_among_others(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  struct kernel_nic nic = place_of(&bench);
  (void)add_nic(&bench.table);
  struct net_handoff_nic own = bench.table.nic[0];
  own.pci_bus = nic.bus = 3;
  bench.table.nic[0] = bench.table.nic[1];
  bench.table.nic[1] = own;
  net_handoff_seal(&bench.table);
  expect_start(&bench, &nic, sizeof(bench.table), KERNEL_NIC_ADOPTED);
}

/* What the kernel finds in configuration space is not what the entry says. */
static void test_foreign_tables(void **state) {
  (void)state;
  for(uint32_t i = 0; i < 7; i++) {
    struct bench bench;
    begin(&bench, 0x100E);
    leave(&bench, NET_HANDOFF_LIVE);
    struct net_handoff_nic *entry = &bench.table.nic[0];
    entry->pci_segment ^= i == 0;
    entry->pci_bus ^= i == 1;
    entry->pci_device ^= i == 2;
    entry->pci_function ^= i == 3;
    entry->vendor_id ^= i == 4;
    entry->device_id ^= i == 5; /* 100F, a part that the driver knows too */
    entry->bar0 += i == 6 ? E1000_BAR0_MIN_SIZE : 0;
    net_handoff_seal(&bench.table);
    const struct kernel_nic nic = place_of(&bench);
    expect_start(&bench, &nic, sizeof(bench.table), KERNEL_NIC_FRESH);
  }
}

/* A good table, and a NIC that has moved on since. */
static void test_nic_that_disagrees(void **state) {
  (void)state;
  static const uint32_t offsets[] = {E1000_RDBAL, E1000_RDLEN, E1000_RDT, E1000_TDBAL, E1000_TDLEN, E1000_RCTL};
  for(size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
    struct bench bench;
    begin(&bench, 0x10D3);
    leave(&bench, NET_HANDOFF_LIVE);
    sim_poke(bench.sim, offsets[i], sim_peek(bench.sim, offsets[i]) ^ 0x80U);
    const struct kernel_nic nic = place_of(&bench);
    expect_start(&bench, &nic, sizeof(bench.table), KERNEL_NIC_FRESH);
  }
}

/* Damaged and hostile tables: each before a NIC as the firmware left it, which then moves a frame each way. */
static void test_damaged_tables(void **state) {
  (void)state;
  struct bench bench;
  uint32_t damaged = 0;
  for(size_t i = 0; i < sizeof(bench.table); i++, damaged++) {
    begin(&bench, i % 2U ? 0x100E : 0x10D3);
    leave(&bench, i % 3U ? NET_HANDOFF_LIVE : NET_HANDOFF_QUIET);
    ((uint8_t *)&bench.table)[i] ^= (uint8_t)(1U << (i % 8U));
    const struct kernel_nic nic = place_of(&bench);
    expect_start(&bench, &nic, sizeof(bench.table), KERNEL_NIC_FRESH);
  }
  for(size_t size = 0; size < sizeof(bench.table); size += 3, damaged++) {
    begin(&bench, 0x10D3);
    leave(&bench, NET_HANDOFF_LIVE);
    const struct kernel_nic nic = place_of(&bench);
    expect_start(&bench, &nic, size, KERNEL_NIC_FRESH);
  }
  for(size_t i = 0; i < HOSTILE_COUNT; i++, damaged++) {
    begin(&bench, 0x10D3);
    leave(&bench, NET_HANDOFF_LIVE);
    hostile_tables[i](&bench.table);
    net_handoff_seal(&bench.table);
    const struct kernel_nic nic = place_of(&bench);
    expect_start(&bench, &nic, sizeof(bench.table), KERNEL_NIC_FRESH);
  }
  print_message("consumer: %u damaged tables, %u fresh starts\n", damaged, damaged);
}

/* Platform ------------------------------------------------------------------------------------------------------- */

/* Fails the n-th call from now on of alloc or of dma_alloc. True when the start failed, and then left nothing. */
static bool fails_cleanly(bool good_table, bool dma, uint32_t n) {
  struct bench bench;
  enum kernel_nic_origin origin;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  const struct kernel_nic nic = place_of(&bench);
  const uint32_t held = sim_leaks(bench.sim);
  struct sim_config *knobs = sim_knobs(bench.sim);
  knobs->fail_alloc_at = dma ? 0 : sim_allocs(bench.sim) + n;
  knobs->fail_dma_alloc_at = dma ? sim_dma_allocs(bench.sim) + n : 0;
  int result = start_at(&bench, &nic, good_table ? sizeof(bench.table) : 0, &origin);
  if(result != NETDEV_OK) {
    assert_int_equal(result, NETDEV_E_NO_MEMORY);
    assert_null(bench.kernel);
    assert_null(netdev_next(NULL));
    assert_int_equal(sim_leaks(bench.sim), held);
    assert_int_equal(start_at(&bench, &nic, 0, &origin), NETDEV_OK); /* and it can be tried again */
  }
  expect_traffic(&bench);
  end(&bench);
  return result != NETDEV_OK;
}

static void test_no_memory(void **state) {
  (void)state;
  for(uint32_t dma = 0; dma < 2; dma++) {
    uint32_t failed = 0;
    for(uint32_t n = 1; n <= 8; n++) {
      failed += fails_cleanly(false, dma, n);
      assert_false(fails_cleanly(true, dma, n)); /* the adoption fails, and then there is enough */
    }
    assert_int_equal(failed, dma ? 4 : 3); /* two rings and their buffers; the device and two rings' slots */
  }
}

/* A NIC that is gone, or never comes out of its reset: the result of the fresh start, and nothing held. */
static void test_nic_that_fails(void **state) {
  (void)state;
  for(uint32_t gone = 0; gone < 2; gone++) {
    struct bench bench;
    enum kernel_nic_origin origin;
    begin(&bench, 0x100E);
    leave(&bench, NET_HANDOFF_LIVE);
    bench.table.magic++;
    const struct kernel_nic nic = place_of(&bench);
    const uint32_t held = sim_leaks(bench.sim);
    sim_knobs(bench.sim)->gone = gone;
    sim_knobs(bench.sim)->reset_never_ends = true;
    assert_int_equal(start_at(&bench, &nic, sizeof(bench.table), &origin), gone ? NETDEV_E_GONE : NETDEV_E_TIMEOUT);
    assert_null(bench.kernel);
    assert_int_equal(sim_leaks(bench.sim), held);
    sim_knobs(bench.sim)->reset_never_ends = false;
    end(&bench);
  }
}

/* Every name is taken: the NIC that was brought up is quiet again, and given back. */
static void test_no_name_left(void **state) {
  (void)state;
  struct fake *fakes = calloc(NICS_MAX_NAMED, sizeof(*fakes));
  assert_non_null(fakes);
  for(uint32_t i = 0; i < NICS_MAX_NAMED; i++) {
    fake_init(&fakes[i]);
    assert_int_equal(netdev_register(&fakes[i].dev), NETDEV_OK);
  }
  for(uint32_t good = 0; good < 2; good++) {
    struct bench bench;
    enum kernel_nic_origin origin;
    begin(&bench, 0x10D3);
    leave(&bench, NET_HANDOFF_LIVE);
    const struct kernel_nic nic = place_of(&bench);
    const uint32_t held = sim_leaks(bench.sim);
    assert_int_equal(start_at(&bench, &nic, good ? sizeof(bench.table) : 0, &origin), NETDEV_E_NO_MEMORY);
    assert_null(bench.kernel);
    assert_int_equal(sim_leaks(bench.sim), held);
    assert_int_equal(sim_peek(bench.sim, E1000_RCTL) & E1000_RCTL_EN, 0);
    end(&bench);
  }
  for(uint32_t i = 0; i < NICS_MAX_NAMED; i++) {
    netdev_unregister(&fakes[i].dev);
  }
  free(fakes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_locate),         cmocka_unit_test(test_no_table),
      cmocka_unit_test(test_good_table),     cmocka_unit_test(test_entry_among_others),
      cmocka_unit_test(test_foreign_tables), cmocka_unit_test(test_nic_that_disagrees),
      cmocka_unit_test(test_damaged_tables), cmocka_unit_test(test_no_memory),
      cmocka_unit_test(test_nic_that_fails), cmocka_unit_test(test_no_name_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
