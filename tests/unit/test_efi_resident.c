/* test_efi_resident.c - NET_RESIDENT_PROTOCOL: what another image sees of a NIC, and what it may ask for. */
#include "handoff.h"
#include "handoff_producer.h"
#include "remote.h"
#include "unit_efi.h"

static EFI_GUID resident_guid = NET_RESIDENT_PROTOCOL_GUID;

static const UINT8 broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

/* Looking -------------------------------------------------------------------------------------------------------- */

static void test_info(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    struct remote remote;
    assert_false(remote_open(machine.nic->handle, &remote));
    assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
    const struct netdev *dev = unit_device(machine.nic)->nic.netdev;
    assert_true(remote_open(machine.nic->handle, &remote));
    assert_int_equal(remote.netdev.state, NETDEV_CLOSED);
    assert_string_equal(remote.driver, "e1000");
    assert_string_equal(remote.netdev.model, dev->model);
    assert_string_equal(remote.netdev.name, dev->name);
    assert_memory_equal(remote.netdev.permanent_mac, unit_mac, 6);
    assert_int_equal(remote.netdev.nvm_words, dev->nvm_words);
    assert_ptr_equal(remote.child, unit_device(machine.nic)->child);
    assert_int_equal(remote.handoff, NET_RESIDENT_NO_HANDOFF);

    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_snp(machine.nic);
    assert_int_equal(snp->Start(snp), EFI_SUCCESS);
    assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
    EFI_MAC_ADDRESS mac = {.Addr = {2, 4, 6, 8, 10, 12}};
    assert_int_equal(snp->StationAddress(snp, FALSE, &mac), EFI_SUCCESS);
    sim_forget_accesses(machine.nic->sim);
    remote_refresh(&remote);
    assert_int_equal(sim_reads(machine.nic->sim) + sim_writes(machine.nic->sim), 0);
    assert_int_equal(remote.netdev.state, NETDEV_OPEN);
    assert_memory_equal(remote.netdev.mac, mac.Addr, 6);
    assert_memory_equal(remote.netdev.permanent_mac, unit_mac, 6);
    assert_true(remote.netdev.link.up && remote.netdev.link.full_duplex);
    assert_int_equal(remote.netdev.link.speed_mbps, 1000);
    assert_int_equal(remote.netdev.filter, dev->filter);
    sim_knobs(machine.nic->sim)->gone = true;
    firmware_tick(10);
    remote_refresh(&remote);
    assert_int_equal(remote.netdev.state, NETDEV_GONE);
    assert_false(remote.netdev.link.up);
    unit_machine_end(&machine);
  }
}

/* A program of another build has room for less, or for more: what it knows is filled in, the rest is left alone. */
static void test_other_sizes(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
  NET_RESIDENT_PROTOCOL *resident = remote_find(machine.nic->handle);
  union {
    NET_RESIDENT_INFO info;
    UINT8 bytes[sizeof(NET_RESIDENT_INFO) + 64];
  } room;
  for(UINT32 size = 0; size <= sizeof(room); size++) {
    UINT32 filled = size < sizeof(NET_RESIDENT_INFO) ? size : (UINT32)sizeof(NET_RESIDENT_INFO);
    memset(&room, 0xEE, sizeof(room));
    room.info.Size = size;
    if(size < 8) {
      assert_int_equal(resident->GetInfo(resident, &room.info), EFI_INVALID_PARAMETER);
      continue;
    }
    assert_int_equal(resident->GetInfo(resident, &room.info), EFI_SUCCESS);
    assert_int_equal(room.info.Size, filled);
    for(UINT32 i = filled; i < sizeof(room); i++) {
      assert_int_equal(room.bytes[i], 0xEE);
    }
  }
  assert_int_equal(resident->GetInfo(resident, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(resident->GetInfo(NULL, &room.info), EFI_INVALID_PARAMETER);
  unit_machine_end(&machine);
}

static EFI_STATUS EFIAPI never(NET_RESIDENT_PROTOCOL *this, NET_RESIDENT_INFO *info) {
  (void)this;
  (void)info;
  fail_msg("another major version was called");
  return EFI_SUCCESS;
}

static void test_another_major_version(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  NET_RESIDENT_PROTOCOL other = {.Revision = NET_RESIDENT_REVISION + 0x10000U, .GetInfo = never};
  EFI_HANDLE controller = machine.nic->handle;
  struct remote remote;
  assert_int_equal(BS->InstallProtocolInterface(&controller, &resident_guid, EFI_NATIVE_INTERFACE, &other),
                   EFI_SUCCESS);
  assert_null(remote_find(controller));
  assert_false(remote_open(controller, &remote));
  assert_int_equal(BS->UninstallProtocolInterface(controller, &resident_guid, &other), EFI_SUCCESS);
  unit_machine_end(&machine);
}

/* Every counter arrives where it belongs, and the order is the one that was published: it may only grow. */
static void test_counters(void **state) {
  (void)state;
  static const UINT16 published[] = {offsetof(struct netdev_stats, rx_frames), offsetof(struct netdev_stats, rx_bytes),
                                     offsetof(struct netdev_stats, rx_errors),
                                     offsetof(struct netdev_stats, rx_device_errors),
                                     offsetof(struct netdev_stats, rx_length_errors)};
  struct unit_machine machine = unit_machine(SIM_82574L);
  assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
  NET_RESIDENT_PROTOCOL *resident = remote_find(machine.nic->handle);
  UINT64 values[sizeof(struct netdev_stats) / sizeof(UINT64)];
  UINT64 *stats = (UINT64 *)&unit_device(machine.nic)->nic.netdev->stats;
  UINTN all = sizeof(values) / sizeof(values[0]);
  UINTN count = 0;
  assert_memory_equal(net_resident_counters, published, sizeof(published));
  assert_int_equal(resident->GetCounters(resident, &count, NULL), EFI_BUFFER_TOO_SMALL);
  assert_int_equal(count, all);
  for(UINTN i = 0; i < all; i++) {
    stats[i] = 1000 + i;
  }
  stats[2] = stats[3] + stats[4] + stats[5]; /* rx_errors is the sum of the three after it */
  struct remote remote;
  assert_true(remote_open(machine.nic->handle, &remote));
  assert_memory_equal(&remote.netdev.stats, stats, sizeof(remote.netdev.stats));
  values[3] = 77;
  count = 3;
  assert_int_equal(resident->GetCounters(resident, &count, values), EFI_BUFFER_TOO_SMALL);
  assert_int_equal(values[1], stats[1]);
  assert_int_equal(values[3], 77);
  assert_int_equal(resident->GetCounters(resident, NULL, values), EFI_INVALID_PARAMETER);
  assert_int_equal(resident->GetCounters(resident, &count, NULL), EFI_INVALID_PARAMETER);
  unit_machine_end(&machine);
}

static void test_counters_of_an_open_device(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  struct remote remote;
  UINT8 frame[60] = {0};
  assert_true(remote_open(machine.nic->handle, &remote));
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(snp->GetStatus(snp, NULL, NULL), EFI_SUCCESS);
  const struct netdev_stats *stats = netdev_get_stats(&remote.netdev);
  assert_int_equal(stats->tx_frames, 1);
  assert_int_equal(stats->wire.tx_good_frames, 1);
  assert_int_equal(netdev_transmit(&remote.netdev, frame, sizeof(frame), NULL, 0), NETDEV_E_UNSUPPORTED);
  assert_int_equal(netdev_set_mac(&remote.netdev, unit_mac), NETDEV_OK); /* the one that it has */
  assert_int_equal(netdev_poll(&remote.netdev, 1), 0);
  unit_machine_end(&machine);
}

#define ROWS_MAX 1200U

struct rows {
  struct netdev_row row[ROWS_MAX];
  UINTN count;
};

static void keep_row(void *ctx, const struct netdev_row *row) {
  struct rows *rows = ctx;
  assert_true(rows->count < ROWS_MAX);
  rows->row[rows->count++] = *row;
}

/* Row by row what the driver's own image sees. */
static void test_inspect(void **state) {
  (void)state;
  static struct rows own;
  static struct rows seen;
  const UINT32 groups = NETDEV_ROWS_REGISTERS | NETDEV_ROWS_PHY | NETDEV_ROWS_NVM | NETDEV_ROWS_COUNTERS;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    (void)unit_open(machine.nic);
    struct remote remote;
    assert_true(remote_open(machine.nic->handle, &remote));
    own.count = seen.count = 0; /* once before, for it changes the registers through which NVM and PHY are read */
    assert_int_equal(netdev_inspect(&remote.netdev, groups, keep_row, &seen), NETDEV_OK);
    seen.count = 0;
    assert_int_equal(netdev_inspect(unit_device(machine.nic)->nic.netdev, groups, keep_row, &own), NETDEV_OK);
    assert_int_equal(netdev_inspect(&remote.netdev, groups, keep_row, &seen), NETDEV_OK);
    assert_true(own.count > 100);
    assert_int_equal(seen.count, own.count);
    for(UINTN row = 0; row < own.count; row++) {
      const struct netdev_row *a = &own.row[row];
      const struct netdev_row *b = &seen.row[row];
      assert_true(a->group == b->group && a->index == b->index && a->count == b->count && a->offset == b->offset &&
                  a->unit == b->unit);
      assert_true(a->unread == b->unread && a->failed == b->failed && a->wrong == b->wrong);
      assert_true(a->name == b->name && a->text == b->text && a->bits == b->bits && a->section == b->section);
      if(a->value != b->value) {
        fail_msg("%s", a->name);
      }
    }
    sim_knobs(machine.nic->sim)->gone = true;
    firmware_tick(10);
    assert_int_equal(netdev_inspect(&remote.netdev, groups, keep_row, &seen), NETDEV_E_GONE);
    unit_machine_end(&machine);
  }
}

static void test_peek(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  NET_RESIDENT_PROTOCOL *resident = remote_find(machine.nic->handle);
  UINT8 frame[100];
  UINT8 got[100];
  UINTN size = sizeof(got);
  assert_int_equal(resident->Peek(resident, &size, got), EFI_NOT_READY);
  unit_frame(frame, sizeof(frame), broadcast, 1);
  assert_int_equal(sim_inject(machine.nic->sim, frame, sizeof(frame)), SIM_DELIVERED);
  size = 0;
  assert_int_equal(resident->Peek(resident, &size, NULL), EFI_BUFFER_TOO_SMALL);
  assert_int_equal(size, sizeof(frame));
  for(UINTN i = 0; i < 2; i++) { /* it stays where it is */
    memset(got, 0, sizeof(got));
    assert_int_equal(resident->Peek(resident, &size, got), EFI_SUCCESS);
    assert_memory_equal(got, frame, sizeof(frame));
  }
  assert_int_equal(resident->Peek(resident, NULL, got), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Receive(snp, NULL, &size, got, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(resident->Peek(resident, &size, got), EFI_NOT_READY);
  unit_machine_end(&machine);
}

/* Taps ----------------------------------------------------------------------------------------------------------- */

struct tapped {
  UINTN sent;
  UINTN received;
  UINTN length;
  UINT8 frame[1518];
};

static VOID EFIAPI note_frame(VOID *context, UINT32 direction, const VOID *frame, UINTN length) {
  struct tapped *tapped = context;
  assert_int_equal(firmware_tpl(), TPL_CALLBACK);
  *(direction == NET_RESIDENT_SENT ? &tapped->sent : &tapped->received) += 1;
  tapped->length = length;
  memcpy(tapped->frame, frame, length);
}

static void test_taps(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  NET_RESIDENT_PROTOCOL *resident = remote_find(machine.nic->handle);
  struct tapped tapped[2] = {0};
  VOID *token[2];
  UINT8 frame[60];
  UINT8 got[60];
  UINTN size = sizeof(got);
  for(UINTN i = 0; i < 2; i++) {
    assert_int_equal(resident->AddTap(resident, note_frame, &tapped[i], &token[i]), EFI_SUCCESS);
  }
  unit_frame(frame, sizeof(frame), broadcast, 1);
  frame[12] = 0x81; /* with a priority tag, which a tap sees and the stack does not */
  frame[13] = frame[14] = frame[15] = 0;
  assert_int_equal(sim_inject(machine.nic->sim, frame, sizeof(frame)), SIM_DELIVERED);
  assert_int_equal(tapped[0].received, 0); /* not before the stack takes it */
  assert_int_equal(snp->Receive(snp, NULL, &size, got, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(size, sizeof(frame) - 4);
  for(UINTN i = 0; i < 2; i++) {
    assert_int_equal(tapped[i].received, 1);
    assert_int_equal(tapped[i].length, sizeof(frame));
    assert_memory_equal(tapped[i].frame, frame, sizeof(frame));
  }
  unit_frame(frame, 40, unit_mac, 2);
  assert_int_equal(resident->RemoveTap(resident, token[0]), EFI_SUCCESS);
  assert_int_equal(resident->RemoveTap(resident, token[0]), EFI_NOT_FOUND);
  assert_int_equal(snp->Transmit(snp, 0, 40, frame, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(tapped[0].sent, 0);
  assert_int_equal(tapped[1].sent, 1);
  assert_int_equal(tapped[1].length, 40);
  assert_memory_equal(tapped[1].frame, frame, 40);
  assert_int_equal(snp->Transmit(snp, 0, 13, frame, NULL, NULL, NULL), EFI_BUFFER_TOO_SMALL);
  assert_int_equal(tapped[1].sent, 1); /* what was refused was not sent */
  assert_int_equal(resident->AddTap(resident, NULL, NULL, &token[0]), EFI_INVALID_PARAMETER);
  assert_int_equal(resident->AddTap(resident, note_frame, NULL, NULL), EFI_INVALID_PARAMETER);
  firmware_fail_at(1, FALSE);
  assert_int_equal(resident->AddTap(resident, note_frame, NULL, &token[0]), EFI_OUT_OF_RESOURCES);
  firmware_fail_at(0, FALSE);
  unit_machine_end(&machine); /* the tap that is left ends with the driver */
}

/* Handoff -------------------------------------------------------------------------------------------------------- */

static struct net_handoff_copy published(void) {
  struct net_handoff_copy copy;
  const struct net_handoff_image *table = handoff_find();
  assert_non_null(table);
  assert_null(net_handoff_validate(table, sizeof(*table), (UINTN)table, &copy));
  return copy;
}

static void test_handoff(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  const struct sim_config config = unit_config(SIM_82574L);
  struct firmware_nic *second = firmware_add_nic(&config);
  const struct net_handoff_lease lease = {.address = {10, 0, 2, 15},
                                          .mask = {255, 255, 255, 0},
                                          .gateway = {10, 0, 2, 2},
                                          .server = {10, 0, 2, 1},
                                          .dns = {{10, 0, 2, 3}, {10, 0, 2, 4}, {0}, {10, 0, 2, 6}},
                                          .origin = NET_HANDOFF_LEASE_DHCP,
                                          .seconds = 86400,
                                          .obtained = 1700000000};
  NET_RESIDENT_LEASE given = remote_lease(&lease);
  struct remote remote;
  (void)unit_open(machine.nic);
  (void)unit_open(second);
  NET_RESIDENT_PROTOCOL *resident = remote_find(second->handle);
  given.Size = 8;
  assert_int_equal(resident->ArmHandoff(resident, TRUE, &given), EFI_INVALID_PARAMETER);
  assert_null(handoff_find());
  given.Size = sizeof(given);
  assert_int_equal(resident->ArmHandoff(resident, TRUE, &given), EFI_SUCCESS);
  struct net_handoff_copy table = published();
  assert_int_equal(table.head.nic_count, 1);
  assert_int_equal(table.nic[0].device_id, SIM_82574L);
  assert_int_equal(table.nic[0].pci_device, second->bus_device);
  assert_memory_equal(&table.nic[0].lease, &lease, sizeof(lease));
  assert_true(remote_open(second->handle, &remote));
  assert_int_equal(remote.handoff, NET_RESIDENT_HANDOFF_LIVE);
  /* an older program knows of address, mask and gateway only */
  given.Size = offsetof(NET_RESIDENT_LEASE, Server);
  assert_int_equal(resident->ArmHandoff(resident, FALSE, &given), EFI_SUCCESS);
  table = published();
  assert_int_equal(table.head.nic_count, 1);
  assert_memory_equal(table.nic[0].lease.gateway, lease.gateway, 4);
  assert_memory_equal(table.nic[0].lease.server, "\0\0\0\0", 4);
  assert_int_equal(table.nic[0].lease.seconds, 0);
  remote_refresh(&remote);
  assert_int_equal(remote.handoff, NET_RESIDENT_HANDOFF_QUIET);
  assert_int_equal(resident->DisarmHandoff(resident), EFI_SUCCESS);
  assert_null(handoff_find());
  remote_refresh(&remote);
  assert_int_equal(remote.handoff, NET_RESIDENT_NO_HANDOFF);
  unit_machine_end(&machine);
}

static VOID EFIAPI no_row(VOID *context, const NET_RESIDENT_ROW *row) {
  (void)context;
  (void)row;
  fail_msg("a row after ExitBootServices");
}

static void test_after_exit(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  (void)unit_open(machine.nic);
  NET_RESIDENT_PROTOCOL *resident = remote_find(machine.nic->handle);
  NET_RESIDENT_INFO info = {.Size = sizeof(info)};
  UINT64 values[64];
  UINT8 frame[60];
  UINTN count = 64;
  VOID *token = NULL;
  firmware_exit_boot_services();
  sim_forget_accesses(machine.nic->sim);
  assert_int_equal(resident->GetInfo(resident, &info), EFI_INVALID_PARAMETER);
  assert_int_equal(resident->Inspect(resident, NETDEV_ROWS_REGISTERS, no_row, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(resident->GetCounters(resident, &count, values), EFI_INVALID_PARAMETER);
  assert_int_equal(resident->Peek(resident, &count, frame), EFI_INVALID_PARAMETER);
  assert_int_equal(resident->AddTap(resident, note_frame, NULL, &token), EFI_INVALID_PARAMETER);
  assert_int_equal(resident->RemoveTap(resident, token), EFI_INVALID_PARAMETER);
  assert_int_equal(resident->ArmHandoff(resident, TRUE, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(resident->DisarmHandoff(resident), EFI_INVALID_PARAMETER);
  assert_int_equal(sim_reads(machine.nic->sim) + sim_writes(machine.nic->sim), 0);
  unit_power_off();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_info),
      cmocka_unit_test(test_other_sizes),
      cmocka_unit_test(test_another_major_version),
      cmocka_unit_test(test_counters),
      cmocka_unit_test(test_counters_of_an_open_device),
      cmocka_unit_test(test_inspect),
      cmocka_unit_test(test_peek),
      cmocka_unit_test(test_taps),
      cmocka_unit_test(test_handoff),
      cmocka_unit_test(test_after_exit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
