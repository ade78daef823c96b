/* test_consumer.c - the kernel's start: it adopts what it may believe, and whatever else it is shown ends in a NIC that
 * works. */
#include <stdlib.h>

#include "consumer.h"
#include "fake_netdev.h"
#include "handoff_hostile.h"

#define NICS_MAX_NAMED 1000U /* what netdev_register has names for */

static struct kernel_nic place_of(const struct bench *bench) {
  return (struct kernel_nic){
      .vendor_id = E1000_VENDOR_ID, .device_id = sim_knobs(bench->sim)->device_id, .bar = {BAR0_AT}};
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
  memcpy(&bench->table, table, available); /* what it has marked */
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
  bench.table.nic[0] = bench.table.nic[1]; /* each goes on naming its block */
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
    entry->bar[0].bus += i == 6 ? E1000_BAR0_MIN_SIZE : 0;
    net_handoff_seal(&bench.table);
    const struct kernel_nic nic = place_of(&bench);
    enum kernel_nic_origin origin;
    assert_int_equal(start_at(&bench, &nic, sizeof(bench.table), &origin), NETDEV_OK);
    assert_int_equal(origin, KERNEL_NIC_FRESH);
    assert_int_equal(sim_logged(bench.sim, NET_LOG_INFO, "handoff: the table does not speak of this NIC at this place"),
                     1);
    assert_int_equal(bench.table.nic[0].state, NET_HANDOFF_LIVE); /* it is somebody else's */
    expect_traffic(&bench);
    end(&bench);
  }
}

/* Behind a host bridge that translates, configuration space has another address than the processor. */
static void test_translating_bridge(void **state) {
  (void)state;
  for(uint32_t i = 0; i < 3; i++) {
    struct bench bench;
    begin(&bench, 0x10D3);
    leave(&bench, NET_HANDOFF_LIVE);
    bench.table.nic[0].bar[0].bus = 0x10000000U;
    net_handoff_seal(&bench.table);
    struct kernel_nic nic = place_of(&bench);
    nic.bar[0] = 0x10000000U;
    nic.mapped[0] = i == 0 ? 0 : BAR0_AT + (i == 2 ? E1000_BAR0_MIN_SIZE : 0);
    expect_start(&bench, &nic, sizeof(bench.table), i == 2 ? KERNEL_NIC_FRESH : KERNEL_NIC_ADOPTED);
  }
}

/* With a path, the numbers of the buses on it do not matter to a NIC that stands still, but for the root's; without one
 * on either side, the NIC's does. */
static void test_path(void **state) {
  (void)state;
  static const struct {
    const char *what;
    bool entry_knows;
    bool kernel_knows;
    uint8_t bus;
    uint8_t count;
    struct net_handoff_bridge path[2];
    bool closed; /* a bridge lets nothing through */
    enum kernel_nic_origin quiet;
    enum kernel_nic_origin live;
  } cases[] = {
      {"the same", true, true, 2, 2, {{0, 3, 0, 0}, {1, 4, 1, 0}}, false, KERNEL_NIC_ADOPTED, KERNEL_NIC_ADOPTED},
      {"closed", true, true, 2, 2, {{0, 3, 0, 0}, {1, 4, 1, 0}}, true, KERNEL_NIC_ADOPTED, KERNEL_NIC_FRESH},
      {"its bus", true, true, 9, 2, {{0, 3, 0, 0}, {1, 4, 1, 0}}, false, KERNEL_NIC_ADOPTED, KERNEL_NIC_FRESH},
      {"a bridge's bus", true, true, 2, 2, {{0, 3, 0, 0}, {5, 4, 1, 0}}, false, KERNEL_NIC_ADOPTED, KERNEL_NIC_FRESH},
      {"another root", true, true, 2, 2, {{1, 3, 0, 0}, {1, 4, 1, 0}}, false, KERNEL_NIC_FRESH, KERNEL_NIC_FRESH},
      {"another device", true, true, 2, 2, {{0, 5, 0, 0}, {1, 4, 1, 0}}, false, KERNEL_NIC_FRESH, KERNEL_NIC_FRESH},
      {"another function", true, true, 2, 2, {{0, 3, 0, 0}, {1, 4, 0, 0}}, false, KERNEL_NIC_FRESH, KERNEL_NIC_FRESH},
      {"a bridge less", true, true, 2, 1, {{0, 3, 0, 0}}, false, KERNEL_NIC_FRESH, KERNEL_NIC_FRESH},
      {"no bridge", true, true, 2, 0, {{0}}, false, KERNEL_NIC_FRESH, KERNEL_NIC_FRESH},
      {"the firmware does not know", false, true, 2, 1, {{0, 3, 0, 0}}, false, KERNEL_NIC_ADOPTED, KERNEL_NIC_ADOPTED},
      {"the kernel does not know", true, false, 2, 0, {{0}}, true, KERNEL_NIC_ADOPTED, KERNEL_NIC_ADOPTED},
      {"nor the kernel, and the bus differs", true, false, 3, 0, {{0}}, false, KERNEL_NIC_FRESH, KERNEL_NIC_FRESH},
  };
  for(size_t i = 0; i < 2U * sizeof(cases) / sizeof(cases[0]); i++) {
    const size_t number = i / 2U;
    struct bench bench;
    begin(&bench, 0x10D3);
    leave(&bench, i % 2U ? NET_HANDOFF_LIVE : NET_HANDOFF_QUIET);
    struct net_handoff_nic *entry = &bench.table.nic[0];
    entry->pci_bus = 2;
    entry->flags = cases[number].entry_knows ? NET_HANDOFF_PATH_KNOWN : 0;
    entry->path_count = 2;
    entry->path[0] = (struct net_handoff_bridge){0, 3, 0, 0};
    entry->path[1] = (struct net_handoff_bridge){1, 4, 1, 0};
    net_handoff_seal(&bench.table);
    struct kernel_nic nic = place_of(&bench);
    nic.bus = cases[number].bus;
    nic.path_known = cases[number].kernel_knows;
    nic.path_open = !cases[number].closed;
    nic.path_count = cases[number].count;
    memcpy(nic.path, cases[number].path, sizeof(cases[number].path));
    enum kernel_nic_origin origin;
    assert_int_equal(start_at(&bench, &nic, sizeof(bench.table), &origin), NETDEV_OK);
    if(origin != (i % 2U ? cases[number].live : cases[number].quiet)) {
      fail_msg("%s, %s", cases[number].what, i % 2U ? "live" : "quiet");
    }
    expect_traffic(&bench);
    end(&bench);
  }
}

/* A kernel that is started from this one finds the entry marked, in a table that is still good, and resets the NIC. */
static void test_second_kernel(void **state) {
  (void)state;
  for(uint8_t mode = NET_HANDOFF_QUIET; mode <= NET_HANDOFF_LIVE; mode++) {
    struct bench bench;
    struct net_handoff_copy copy;
    enum kernel_nic_origin origin;
    begin(&bench, 0x10D3);
    leave(&bench, mode);
    const struct kernel_nic nic = place_of(&bench);
    assert_int_equal(start_at(&bench, &nic, sizeof(bench.table), &origin), NETDEV_OK);
    assert_int_equal(origin, KERNEL_NIC_ADOPTED);
    assert_string_equal(judge(&bench.table, &copy), "");
    assert_int_equal(copy.nic[0].state, NET_HANDOFF_ADOPTED);
    netdev_unregister(bench.kernel); /* the first kernel's driver lets go, as it must before it starts another */
    netdev_destroy(bench.kernel);
    bench.after = (struct unit_client){0};
    expect_start(&bench, &nic, sizeof(bench.table), KERNEL_NIC_FRESH);
  }
}

/* Also an entry that ended in a fresh start is used up: by its state, or by what the NIC said. */
static void test_marked_though_fresh(void **state) {
  (void)state;
  static const struct {
    uint8_t state;
    const char *log;
  } cases[] = {
      {NET_HANDOFF_ARMED_LIVE, "handoff: the firmware's driver did not see boot services end"},
      {NET_HANDOFF_LOST, "handoff: withdrawn, or the firmware could not leave this NIC"},
      {NET_HANDOFF_ADOPTED, "handoff: another kernel has had this NIC"},
      {NET_HANDOFF_LIVE, "handoff: RDT differs"},
  };
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct bench bench;
    struct net_handoff_copy copy;
    enum kernel_nic_origin origin;
    begin(&bench, 0x10D3);
    leave(&bench, NET_HANDOFF_LIVE);
    bench.table.nic[0].state = cases[i].state;
    net_handoff_seal(&bench.table);
    if(cases[i].state == NET_HANDOFF_LIVE) {
      sim_poke(bench.sim, E1000_RDT, sim_peek(bench.sim, E1000_RDT) ^ 1U);
    }
    const struct kernel_nic nic = place_of(&bench);
    assert_int_equal(start_at(&bench, &nic, sizeof(bench.table), &origin), NETDEV_OK);
    assert_int_equal(origin, KERNEL_NIC_FRESH);
    assert_int_equal(
        sim_logged(bench.sim, cases[i].state == NET_HANDOFF_LIVE ? NET_LOG_WARN : NET_LOG_INFO, cases[i].log), 1);
    assert_string_equal(judge(&bench.table, &copy), "");
    assert_int_equal(copy.nic[0].state, NET_HANDOFF_ADOPTED);
    expect_traffic(&bench);
    end(&bench);
  }
}

/* The lease is told whatever became of the NIC; not of another NIC, and not from a table that is not to be believed. */
static void test_lease(void **state) {
  (void)state;
  for(uint8_t damage = 0; damage < 3; damage++) {
    struct bench bench;
    struct net_handoff_lease lease;
    char source[NET_HANDOFF_SOURCE_MAX];
    memset(&lease, 0xEE, sizeof(lease));
    memset(source, 0xEE, sizeof(source));
    begin(&bench, 0x10D3);
    leave(&bench, NET_HANDOFF_LIVE);
    bench.table.nic[0].state = NET_HANDOFF_ADOPTED;
    bench.table.nic[0].lease = (struct net_handoff_lease){.address = {10, 9, 9, 2}, .seconds = 3600};
    assert_true(net_handoff_stage(&bench.table, "http://10.9.9.1/kernel", NULL, 0));
    net_handoff_seal(&bench.table);
    struct kernel_nic nic = place_of(&bench);
    nic.device ^= damage == 1;
    bench.table.nic[0].lease.seconds ^= damage == 2;
    const uint32_t held = sim_leaks(bench.sim);
    bool found = kernel_handoff_lease(sim_platform(bench.sim), &nic, &bench.table, sizeof(bench.table),
                                      (uintptr_t)&bench.table, &lease, source);
    assert_int_equal(found, damage == 0);
    assert_int_equal(lease.seconds, damage == 0 ? 3600 : 0);
    assert_int_equal(lease.address[3], damage == 0 ? 2 : 0);
    assert_string_equal(source, damage == 0 ? "http://10.9.9.1/kernel" : "");
    assert_int_equal(sim_leaks(bench.sim), held);
    bench.table.nic[0].lease.seconds = 3600;
    nic = place_of(&bench);
    expect_start(&bench, &nic, sizeof(bench.table), KERNEL_NIC_FRESH);
  }
}

/* A NIC of a family that this kernel lacks, were it one of ours: started afresh by whoever knows it. */
static void test_foreign_family(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  bench.table.nic[0].block_kind = 77;
  net_handoff_seal(&bench.table);
  const struct kernel_nic nic = place_of(&bench);
  expect_start(&bench, &nic, sizeof(bench.table), KERNEL_NIC_FRESH);
}

/* Places --------------------------------------------------------------------------------------------------------- */

/* A machine: a function is a line, what it has in configuration space a few words. */
struct function {
  uint8_t bus;
  uint8_t device;
  uint8_t function;
  uint32_t header;  /* word 0x0C */
  uint32_t buses;   /* word 0x18 */
  uint32_t command; /* word 0x04 */
  uint32_t bar[6];
};

#define BRIDGE 0x00010000U
#define MULTI  0x00800000U

static const struct function machine[] = {
    {.bus = 0, .device = 0, .function = 0, .header = 0},
    {.bus = 0, .device = 2, .function = 0, .header = MULTI},
    {.bus = 0, .device = 2, .function = 5, .header = MULTI | BRIDGE, .buses = 0x00050100U, .command = 0x00100407U},
    {.bus = 0, .device = 3, .function = 0, .header = BRIDGE, .buses = 0x00090600U},
    {.bus = 1,
     .device = 31,
     .function = 7,
     .header = BRIDGE,
     .buses = 0x00020200U}, /* hidden: there is no function 0 */
    {.bus = 1, .device = 4, .function = 0, .header = BRIDGE, .buses = 0x00020201U, .command = 0x00100006U},
    {.bus = 2, .device = 1, .function = 0, .header = 0, .bar = {0x0000000CU, 0x000000E0U, 0xC001U, 0x8000000CU, 1, 8}},
    {.bus = 4, .device = 0, .function = 0, .header = 0},
    {.bus = 2, .device = 2, .function = 0, .header = BRIDGE, .buses = 0x00040402U, .command = 0x00100002U},
    {.bus = 0x80, .device = 1, .function = 0, .header = 0, .bar = {0x90000000U}},
};

static uint32_t read_machine(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function,
                             uint8_t offset) {
  uint32_t *reads = ctx;
  (*reads)++;
  assert_int_equal(offset % 4U, 0);
  for(size_t i = 0; segment == 1 && i < sizeof(machine) / sizeof(machine[0]); i++) {
    const struct function *at = &machine[i];
    if(at->bus == bus && at->device == device && at->function == function) {
      switch(offset) {
      case 0x00:
        return 0x10D38086U;
      case 0x04:
        return at->command;
      case 0x08:
        return 0x02000007U;
      case 0x0C:
        return at->header;
      case 0x2C:
        return 0x11001AF4U;
      default:
        return (at->header & BRIDGE) && offset == 0x18 ? at->buses : at->bar[(offset - 0x10U) / 4U];
      }
    }
  }
  return UINT32_MAX;
}

static void test_look(void **state) {
  (void)state;
  struct kernel_nic nic;
  uint32_t reads = 0;
  assert_true(kernel_nic_look(read_machine, &reads, 1, 2, 1, 0, &nic));
  assert_int_equal(nic.vendor_id, 0x8086);
  assert_int_equal(nic.device_id, 0x10D3);
  assert_int_equal(nic.revision_id, 7);
  assert_int_equal(nic.subsystem_vendor_id, 0x1AF4);
  assert_int_equal(nic.subsystem_id, 0x1100);
  static const uint64_t bars[] = {0xE000000000ULL, 0, 0xC000U, 0x180000000ULL, 0, 0};
  assert_memory_equal(nic.bar, bars, sizeof(bars));
  assert_true(nic.path_known);
  assert_int_equal(nic.path_count, 2);
  const struct net_handoff_bridge path[] = {{0, 2, 5, 0}, {1, 4, 0, 0}};
  assert_memory_equal(nic.path, path, sizeof(path));
  assert_true(nic.path_open);
  assert_true(reads < 300);

  assert_true(kernel_nic_look(read_machine, &reads, 1, 4, 0, 0, &nic)); /* behind a bridge that is no bus master */
  assert_int_equal(nic.path_count, 3);
  assert_false(nic.path_open);

  assert_true(kernel_nic_look(read_machine, &reads, 1, 0x80, 1, 0, &nic)); /* a root bus of its own */
  assert_true(nic.path_known);
  assert_int_equal(nic.path_count, 0);
  assert_int_equal(nic.bar[0], 0x90000000U);
  assert_false(kernel_nic_look(read_machine, &reads, 0, 2, 1, 0, &nic));
  assert_int_equal(nic.vendor_id, 0);
}

/* Firmware 17 bridges deep, one below the other: more than an entry has room for. */
static uint32_t read_tower(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint8_t offset) {
  (void)ctx;
  (void)segment;
  if(device != 0 || function != 0) {
    return UINT32_MAX;
  }
  return offset == 0x0C ? BRIDGE : offset == 0x18 ? (bus + 1U) << 8 : 0;
}

static void test_look_too_deep(void **state) {
  (void)state;
  struct kernel_nic nic;
  assert_true(kernel_nic_look(read_tower, NULL, 0, NET_HANDOFF_PATH_MAX, 0, 0, &nic));
  assert_true(nic.path_known);
  assert_int_equal(nic.path_count, NET_HANDOFF_PATH_MAX);
  assert_int_equal(nic.path[0].bus, 0);
  assert_int_equal(nic.path[15].bus, 15);
  assert_true(kernel_nic_look(read_tower, NULL, 0, NET_HANDOFF_PATH_MAX + 1U, 0, 0, &nic));
  assert_false(nic.path_known);
  assert_int_equal(nic.path_count, 0);
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
  for(size_t i = 0; i < TABLE_SIZE; i++, damaged++) {
    begin(&bench, i % 2U ? 0x100E : 0x10D3);
    leave(&bench, i % 3U ? NET_HANDOFF_LIVE : NET_HANDOFF_QUIET);
    ((uint8_t *)&bench.table)[i] ^= (uint8_t)(1U << (i % 8U));
    const struct kernel_nic nic = place_of(&bench);
    expect_start(&bench, &nic, sizeof(bench.table), KERNEL_NIC_FRESH);
  }
  for(size_t size = 0; size < TABLE_SIZE; size += 3, damaged++) {
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
    bench.table.head.magic++;
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
      cmocka_unit_test(test_locate),
      cmocka_unit_test(test_no_table),
      cmocka_unit_test(test_good_table),
      cmocka_unit_test(test_entry_among_others),
      cmocka_unit_test(test_foreign_tables),
      cmocka_unit_test(test_translating_bridge),
      cmocka_unit_test(test_path),
      cmocka_unit_test(test_second_kernel),
      cmocka_unit_test(test_marked_though_fresh),
      cmocka_unit_test(test_lease),
      cmocka_unit_test(test_foreign_family),
      cmocka_unit_test(test_look),
      cmocka_unit_test(test_look_too_deep),
      cmocka_unit_test(test_nic_that_disagrees),
      cmocka_unit_test(test_damaged_tables),
      cmocka_unit_test(test_no_memory),
      cmocka_unit_test(test_nic_that_fails),
      cmocka_unit_test(test_no_name_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
