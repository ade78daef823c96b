/* test_efi_handoff.c - what the driver leaves at ExitBootServices: a quiet NIC, or one that a kernel goes on with. */
#include "handoff.h"
#include "handoff_producer.h"
#include "unit_efi.h"

static const struct net_handoff_lease lease = {.address = {10, 0, 2, 15},
                                               .mask = {255, 255, 255, 0},
                                               .gateway = {10, 0, 2, 2},
                                               .server = {10, 0, 2, 1},
                                               .dns = {{10, 0, 2, 3}},
                                               .origin = NET_HANDOFF_LEASE_DHCP,
                                               .seconds = 86400,
                                               .obtained = 1700000000};

static EFI_STATUS arm(const struct firmware_nic *nic, BOOLEAN live) {
  struct pci_nic *list;
  UINTN count;
  EFI_STATUS status = EFI_NOT_FOUND;
  assert_int_equal(pci_find_nics(&list, &count), EFI_SUCCESS);
  for(UINTN i = 0; i < count; i++) {
    if(list[i].handle == nic->handle) {
      status = handoff_arm(&unit_device(nic)->nic, &list[i], live, &lease);
    }
  }
  assert_int_equal(BS->FreePool(list), EFI_SUCCESS);
  return status;
}

static void disarm(const struct firmware_nic *nic) {
  handoff_disarm(&unit_device(nic)->nic);
}

/* The table as a kernel would find it, judged as a kernel would. */
static struct net_handoff_copy published(void) {
  struct net_handoff_copy copy;
  const struct net_handoff_image *table = handoff_find();
  assert_non_null(table);
  assert_true((UINTN)table + sizeof(*table) <= UINT32_MAX); /* where every kernel reaches it */
  const char *problem = net_handoff_validate(table, sizeof(*table), (UINTN)table, &copy);
  assert_string_equal(problem ? problem : "", "");
  return copy;
}

static void assert_quiet(const struct firmware_nic *nic) {
  assert_int_equal(sim_peek(nic->sim, E1000_RCTL) & E1000_RCTL_EN, 0);
  assert_int_equal(sim_peek(nic->sim, E1000_TCTL) & E1000_TCTL_EN, 0);
  assert_int_equal(sim_peek(nic->sim, E1000_IMS), 0);
}

/* Boot services are over: nothing can be given back, but the simulator must have no complaint. */
static void end(struct firmware_nic *nic) {
  assert_string_equal(sim_violation_text(nic->sim), "");
  unit_power_off();
}

/* Without a handoff ---------------------------------------------------------------------------------------------- */

static void test_open_nic_is_silenced(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    (void)unit_open(machine.nic);
    assert_int_not_equal(sim_peek(machine.nic->sim, E1000_RCTL) & E1000_RCTL_EN, 0);
    firmware_exit_boot_services();
    assert_quiet(machine.nic);
    end(machine.nic);
  }
}

static void test_closed_nic_is_left_alone(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
  sim_forget_accesses(machine.nic->sim);
  firmware_exit_boot_services();
  assert_int_equal(sim_reads(machine.nic->sim) + sim_writes(machine.nic->sim), 0);
  assert_quiet(machine.nic);
  end(machine.nic);
}

/* Armed ---------------------------------------------------------------------------------------------------------- */

static void test_arm_and_disarm(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    (void)unit_open(machine.nic);
    assert_null(handoff_find());
    disarm(machine.nic); /* harmless */
    assert_int_equal(arm(machine.nic, FALSE), EFI_SUCCESS);
    assert_int_equal(published().nic[0].state, NET_HANDOFF_ARMED_QUIET);
    assert_int_equal(arm(machine.nic, TRUE), EFI_SUCCESS); /* changes its mind: still one entry */
    struct net_handoff_copy table = published();
    const struct net_handoff_nic *nic = &table.nic[0];
    assert_int_equal(table.head.nic_count, 1);
    assert_int_equal(nic->state, NET_HANDOFF_ARMED_LIVE);
    assert_int_equal(nic->pci_device, machine.nic->bus_device);
    assert_int_equal(nic->vendor_id, 0x8086);
    assert_int_equal(nic->device_id, unit_devices[i]);
    assert_int_equal(nic->revision_id, 2);
    assert_int_equal(nic->subsystem_vendor_id, 0x1AF4);
    assert_int_equal(nic->subsystem_id, 0x1100);
    assert_int_equal(nic->interrupt_line, 11);
    assert_int_equal(nic->interrupt_pin, 1);
    assert_int_equal(nic->bar[0].processor, machine.nic->bar[0].base);
    assert_int_equal(nic->bar[0].bus, machine.nic->bar[0].base);
    assert_int_equal(nic->bar[0].size, 0x20000);
    assert_int_equal(nic->bar[0].flags, NET_HANDOFF_BAR_MEMORY);
    const UINTN io = unit_devices[i] == SIM_82574L ? 2 : 1;
    assert_int_equal(nic->bar[io].bus, machine.nic->bar[io].base);
    assert_int_equal(nic->bar[io].flags, NET_HANDOFF_BAR_IO);
    assert_int_equal(nic->block_kind, NET_HANDOFF_BLOCK_E1000);
    assert_int_equal(nic->path_count, 0);
    assert_int_equal(nic->flags, NET_HANDOFF_PATH_KNOWN | NET_HANDOFF_COHERENT |
                                     (unit_devices[i] == SIM_82574L ? NET_HANDOFF_ASPM_OFF : 0));
    assert_int_equal(nic->msi_capability, unit_devices[i] == SIM_82574L ? 0xD0 : 0);
    assert_int_equal(nic->msix_capability, unit_devices[i] == SIM_82574L ? 0xA0 : 0);
    assert_memory_equal(&nic->lease, &lease, sizeof(lease));
    disarm(machine.nic);
    assert_null(handoff_find());
    assert_int_equal(arm(machine.nic, FALSE), EFI_SUCCESS); /* and the driver goes with it armed */
    unit_machine_end(&machine);
  }
}

static void test_left_quiet(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    (void)unit_open(machine.nic);
    assert_int_equal(arm(machine.nic, FALSE), EFI_SUCCESS);
    firmware_exit_boot_services();
    struct net_handoff_copy table = published();
    assert_int_equal(table.nic[0].state, NET_HANDOFF_QUIET);
    const struct net_handoff_e1000 *block = (const struct net_handoff_e1000 *)table.block[0];
    assert_int_not_equal(block->rctl & E1000_RCTL_EN, 0);
    assert_int_equal(sim_peek(machine.nic->sim, E1000_RDBAL), (UINT32)block->rx.descriptors_device);
    assert_quiet(machine.nic);
    end(machine.nic);
  }
}

static void *identity(void *ctx, uint64_t physical, uint64_t size) {
  (void)ctx;
  (void)size;
  return (void *)(UINTN)physical;
}

/* A kernel adopts the NIC, and finds the frames that came before and after ExitBootServices. */
static void assert_adopted(const struct firmware_nic *nic, const struct net_handoff_copy *table, UINTN index,
                           UINTN frames) {
  const struct net_handoff_nic *entry = &table->nic[index];
  struct netdev *kernel;
  UINT8 wanted[60];
  UINT8 got[1514];
  size_t length;
  assert_int_equal(e1000_adopt(sim_platform(nic->sim), entry, table->block[index], identity, &kernel), NETDEV_OK);
  for(UINT32 i = 0; i < frames; i++) {
    unit_frame(wanted, sizeof(wanted), entry->current_mac, i);
    assert_int_equal(netdev_receive(kernel, got, sizeof(got), &length), NETDEV_OK);
    assert_int_equal(length, sizeof(wanted));
    assert_memory_equal(got, wanted, sizeof(wanted));
  }
  assert_int_equal(netdev_receive(kernel, got, sizeof(got), &length), NETDEV_E_EMPTY);
  sim_forget_frames(nic->sim);
  assert_int_equal(netdev_transmit(kernel, wanted, sizeof(wanted), NULL, 0), NETDEV_OK);
  assert_int_equal(sim_frames(nic->sim), 1);
  netdev_destroy(kernel);
}

static void inject(const struct firmware_nic *nic, UINT32 number) {
  UINT8 frame[60];
  unit_frame(frame, sizeof(frame), unit_config(0).mac, number);
  assert_int_equal(sim_inject(nic->sim, frame, sizeof(frame)), SIM_DELIVERED);
}

static void test_left_live(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    (void)unit_open(machine.nic);
    assert_int_equal(arm(machine.nic, TRUE), EFI_SUCCESS);
    inject(machine.nic, 0);
    firmware_exit_boot_services();
    firmware_exit_boot_services(); /* the first may have failed: what was done stays */
    inject(machine.nic, 1);
    struct net_handoff_copy table = published();
    assert_int_equal(table.nic[0].state, NET_HANDOFF_LIVE);
    assert_int_equal(table.nic[0].link_up, 1);
    assert_int_equal(sim_peek(machine.nic->sim, E1000_IMS), 0);
    assert_adopted(machine.nic, &table, 0, 2);
    end(machine.nic);
  }
}

/* Whoever asked for the handoff may have let the stack shut the NIC down since: it is programmed anew. */
static void test_left_live_though_shut_down(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
    assert_int_equal(arm(machine.nic, TRUE), EFI_SUCCESS);
    assert_int_equal(snp->Shutdown(snp), EFI_SUCCESS);
    assert_quiet(machine.nic);
    firmware_exit_boot_services();
    inject(machine.nic, 0);
    struct net_handoff_copy table = published();
    assert_int_equal(table.nic[0].state, NET_HANDOFF_LIVE);
    assert_adopted(machine.nic, &table, 0, 1);
    end(machine.nic);
  }
}

static void test_removed_is_lost(void **state) {
  (void)state;
  for(int zero = 0; zero < 2; zero++) {
    struct unit_machine machine = unit_machine(SIM_82574L);
    (void)unit_open(machine.nic);
    assert_int_equal(arm(machine.nic, TRUE), EFI_SUCCESS);
    sim_knobs(machine.nic->sim)->gone_reads_zero = zero;
    sim_knobs(machine.nic->sim)->gone = true;
    firmware_exit_boot_services();
    assert_int_equal(published().nic[0].state, NET_HANDOFF_LOST);
    end(machine.nic);
  }
}

/* More than one NIC ---------------------------------------------------------------------------------------------- */

static void test_two_nics(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  const struct sim_config config = unit_config(SIM_82574L);
  struct firmware_nic *second = firmware_add_nic(&config);
  (void)unit_open(machine.nic);
  (void)unit_open(second);
  assert_int_equal(arm(machine.nic, FALSE), EFI_SUCCESS);
  assert_int_equal(arm(second, TRUE), EFI_SUCCESS);
  assert_int_equal(published().head.nic_count, 2);

  /* one lets go: the other's entry stays, and the first may come back to its own */
  assert_int_equal(firmware_disconnect(machine.nic->handle, NULL), EFI_SUCCESS);
  struct net_handoff_copy table = published();
  assert_int_equal(table.nic[0].state, NET_HANDOFF_LOST);
  assert_int_equal(table.nic[1].state, NET_HANDOFF_ARMED_LIVE);
  (void)unit_open(machine.nic);
  assert_int_equal(arm(machine.nic, FALSE), EFI_SUCCESS);
  assert_int_equal(published().head.nic_count, 2);

  inject(second, 0);
  firmware_exit_boot_services();
  table = published();
  assert_int_equal(table.nic[0].state, NET_HANDOFF_QUIET);
  assert_int_equal(table.nic[0].device_id, SIM_82540EM);
  assert_int_equal(table.nic[1].state, NET_HANDOFF_LIVE);
  assert_int_equal(table.nic[1].device_id, SIM_82574L);
  assert_quiet(machine.nic);
  assert_adopted(second, &table, 1, 1);
  assert_string_equal(sim_violation_text(second->sim), "");
  end(machine.nic);
}

/* An entry whose rings never ran and whose NIC was let go does not spoil the other one's. */
static void test_lost_beside_live(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  const struct sim_config config = unit_config(SIM_82574L);
  struct firmware_nic *second = firmware_add_nic(&config);
  assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
  (void)unit_open(second);
  assert_int_equal(arm(machine.nic, TRUE), EFI_SUCCESS);
  assert_int_equal(arm(second, TRUE), EFI_SUCCESS);
  assert_int_equal(firmware_disconnect(machine.nic->handle, NULL), EFI_SUCCESS);
  firmware_exit_boot_services();
  struct net_handoff_copy table = published();
  assert_int_equal(table.nic[0].state, NET_HANDOFF_LOST);
  assert_int_equal(table.nic[1].state, NET_HANDOFF_LIVE);
  assert_adopted(second, &table, 1, 0);
  end(second);
}

static void test_no_room_for_a_ninth(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  const struct sim_config config = unit_config(SIM_82540EM);
  struct firmware_nic *nics[NET_HANDOFF_NICS_MAX] = {machine.nic};
  for(UINTN i = 1; i < NET_HANDOFF_NICS_MAX; i++) {
    nics[i] = firmware_add_nic(&config);
  }
  struct firmware_nic *ninth = firmware_add_nic(&config);
  for(UINTN i = 0; i < NET_HANDOFF_NICS_MAX; i++) {
    assert_int_equal(firmware_connect(nics[i]->handle), EFI_SUCCESS);
    assert_int_equal(arm(nics[i], FALSE), EFI_SUCCESS);
  }
  assert_int_equal(firmware_connect(ninth->handle), EFI_SUCCESS);
  assert_int_equal(arm(ninth, FALSE), EFI_OUT_OF_RESOURCES);
  assert_int_equal(arm(nics[7], TRUE), EFI_SUCCESS);
  assert_int_equal(published().head.nic_count, NET_HANDOFF_NICS_MAX);
  for(UINTN i = 0; i < NET_HANDOFF_NICS_MAX; i++) {
    assert_non_null(handoff_find());
    disarm(nics[i]);
  }
  assert_null(handoff_find());
  unit_machine_end(&machine);
}

/* Behind bridges, and a host bridge that translates: what the processor sees, and what is on the bus. */
static void test_place(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  const struct sim_config config = unit_config(SIM_82540EM);
  const struct {
    UINTN bus;
    UINT8 secondary;
  } bridges[] = {{4, 7}, {0, 4}, {0, 5}};
  for(UINTN i = 0; i < 3; i++) {
    struct firmware_nic *bridge = firmware_add_nic(&config);
    bridge->bus = bridges[i].bus;
    bridge->config[0x03] = 0x12; /* no NIC of ours, and no NIC: PCI-to-PCI */
    bridge->config[0x0A] = 0x04;
    bridge->config[0x0B] = 0x06;
    bridge->config[0x0E] = 0x81;
    bridge->config[0x19] = bridges[i].secondary;
  }
  machine.nic->bus = 7;
  machine.nic->bar[0].base += 0x800000000ULL; /* the register keeps what it holds */
  (void)unit_open(machine.nic);
  assert_int_equal(arm(machine.nic, TRUE), EFI_SUCCESS);
  struct net_handoff_copy table = published();
  const struct net_handoff_nic *nic = &table.nic[0];
  assert_int_equal(nic->bar[0].processor, machine.nic->bar[0].base);
  assert_int_equal(nic->bar[0].bus, machine.nic->bar[0].base - 0x800000000ULL);
  assert_int_not_equal(nic->flags & NET_HANDOFF_PATH_KNOWN, 0);
  assert_int_equal(nic->pci_bus, 7);
  assert_int_equal(nic->path_count, 2);
  const struct net_handoff_bridge path[] = {{0, 4, 0, 0}, {4, 3, 0, 0}};
  assert_memory_equal(nic->path, path, sizeof(path));

  /* one that leads back up: no path rather than no end */
  machine.nic->next->bus = 9;
  assert_int_equal(arm(machine.nic, TRUE), EFI_SUCCESS);
  table = published();
  assert_int_equal(table.nic[0].flags & NET_HANDOFF_PATH_KNOWN, 0);
  assert_int_equal(table.nic[0].path_count, 0);
  unit_machine_end(&machine);
}

/* A table that somebody else has published under our GUID stays as it is. */
static void test_foreign_table(void **state) {
  (void)state;
  EFI_GUID guid = NET_HANDOFF_GUID;
  static struct net_handoff_image before;
  EFI_PHYSICAL_ADDRESS address = UINT32_MAX;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  (void)unit_open(machine.nic);
  assert_int_equal(
      BS->AllocatePages(AllocateMaxAddress, EfiRuntimeServicesData, EFI_SIZE_TO_PAGES(sizeof(before)), &address),
      EFI_SUCCESS);
  struct net_handoff_image *other = (struct net_handoff_image *)(UINTN)address;
  net_handoff_init(other);
  other->head.version_major = 1;
  net_handoff_seal(other);
  before = *other;
  assert_int_equal(BS->InstallConfigurationTable(&guid, other), EFI_SUCCESS);
  assert_int_equal(arm(machine.nic, TRUE), EFI_INCOMPATIBLE_VERSION);
  assert_memory_equal(other, &before, sizeof(before));
  disarm(machine.nic); /* harmless */
  assert_ptr_equal(handoff_find(), other);
  firmware_exit_boot_services();
  assert_quiet(machine.nic);
  assert_memory_equal(other, &before, sizeof(before));
  end(machine.nic);
}

/* A memory BAR that the firmware does not know of: nobody could say where the registers are. */
static void test_registers_nowhere(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  (void)unit_open(machine.nic);
  machine.nic->bar[0].size = 0;
  assert_int_equal(arm(machine.nic, TRUE), EFI_DEVICE_ERROR);
  assert_null(handoff_find());
  machine.nic->bar[0].size = 0x20000;
  unit_machine_end(&machine);
}

/* iPXE shuts SNP down in its own ExitBootServices callback, which may come after ours. */
static void test_nothing_is_touched_afterwards(void **state) {
  (void)state;
  UINT8 frame[60] = {0};
  UINT32 causes;
  VOID *buffer;
  UINTN size = sizeof(frame);
  EFI_IP_ADDRESS address = {0};
  EFI_MAC_ADDRESS mac;
  struct unit_machine machine = unit_machine(SIM_82574L);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  assert_int_equal(arm(machine.nic, TRUE), EFI_SUCCESS);
  firmware_exit_boot_services();
  sim_forget_accesses(machine.nic->sim);
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->GetStatus(snp, &causes, &buffer), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->ReceiveFilters(snp, 1, 0, FALSE, 0, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->StationAddress(snp, TRUE, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Statistics(snp, TRUE, NULL, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->MCastIpToMac(snp, FALSE, &address, &mac), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->NvData(snp, TRUE, 0, 2, frame), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Reset(snp, FALSE), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Shutdown(snp), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Stop(snp), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Start(snp), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Initialize(snp, 0, 0), EFI_INVALID_PARAMETER);
  assert_int_equal(sim_reads(machine.nic->sim) + sim_writes(machine.nic->sim), 0);
  end(machine.nic);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_open_nic_is_silenced),
      cmocka_unit_test(test_closed_nic_is_left_alone),
      cmocka_unit_test(test_arm_and_disarm),
      cmocka_unit_test(test_left_quiet),
      cmocka_unit_test(test_nothing_is_touched_afterwards),
      cmocka_unit_test(test_left_live),
      cmocka_unit_test(test_left_live_though_shut_down),
      cmocka_unit_test(test_removed_is_lost),
      cmocka_unit_test(test_two_nics),
      cmocka_unit_test(test_lost_beside_live),
      cmocka_unit_test(test_no_room_for_a_ninth),
      cmocka_unit_test(test_place),
      cmocka_unit_test(test_foreign_table),
      cmocka_unit_test(test_registers_nowhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
