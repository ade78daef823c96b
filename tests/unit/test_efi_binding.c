/* test_efi_binding.c - the driver is loaded, bound, unbound and unloaded, and leaves nothing behind. */
#include "handoff.h"
#include "handoff_producer.h"
#include "managed.h"
#include "pci.h"
#include "unit_efi.h"

static EFI_GUID pci_io_guid = EFI_PCI_IO_PROTOCOL_GUID;
static EFI_GUID snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
static EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static EFI_GUID resident_guid = NET_RESIDENT_PROTOCOL_GUID;

static EFI_DEVICE_PATH path_end = {END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, {END_DEVICE_PATH_LENGTH, 0}};

static EFI_DRIVER_BINDING_PROTOCOL *binding(const struct unit_machine *machine) {
  return firmware_interface(machine->image, (EFI_GUID)EFI_DRIVER_BINDING_PROTOCOL_GUID);
}

static EFI_STATUS supported(const struct unit_machine *machine, EFI_HANDLE controller, EFI_DEVICE_PATH *remaining) {
  EFI_DRIVER_BINDING_PROTOCOL *driver = binding(machine);
  return driver->Supported(driver, controller, remaining);
}

static EFI_STATUS start(const struct unit_machine *machine, EFI_DEVICE_PATH *remaining) {
  EFI_DRIVER_BINDING_PROTOCOL *driver = binding(machine);
  return driver->Start(driver, machine->nic->handle, remaining);
}

static EFI_STATUS stop(const struct unit_machine *machine, UINTN count, EFI_HANDLE *children) {
  EFI_DRIVER_BINDING_PROTOCOL *driver = binding(machine);
  return driver->Stop(driver, machine->nic->handle, count, children);
}

/* Image ---------------------------------------------------------------------------------------------------------- */

static void test_load_and_unload(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  assert_non_null(binding(&machine));
  assert_non_null(firmware_interface(machine.image, (EFI_GUID)EFI_COMPONENT_NAME2_PROTOCOL_GUID));
  unit_machine_end(&machine);
}

static void test_entry_without_an_image(void **state) {
  (void)state;
  firmware_begin();
  const struct sim_config config = unit_config(SIM_82540EM);
  struct firmware_nic *nic = firmware_add_nic(&config);
  assert_int_equal(efi_main(nic->handle, ST), EFI_UNSUPPORTED);
  firmware_end();
}

/* Whether PciIo is open for this child. */
static bool is_child(EFI_HANDLE controller, EFI_HANDLE child) {
  EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *entries;
  UINTN count;
  bool found = false;
  assert_int_equal(BS->OpenProtocolInformation(controller, &pci_io_guid, &entries, &count), EFI_SUCCESS);
  for(UINTN i = 0; i < count; i++) {
    found = found ||
            (entries[i].Attributes == EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER && entries[i].ControllerHandle == child);
  }
  assert_int_equal(BS->FreePool(entries), EFI_SUCCESS);
  return found;
}

/* Unload takes the driver off every NIC; while somebody holds on to one, it does not, and all stays usable. */
static void test_unload_while_bound(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  EFI_HANDLE stubborn = firmware_load_image();
  EFI_HANDLE child = unit_device(machine.nic)->child;
  VOID *interface;
  UINT8 frame[60] = {0};
  assert_int_equal(BS->OpenProtocol(child, &snp_guid, &interface, stubborn, child, EFI_OPEN_PROTOCOL_BY_DRIVER),
                   EFI_SUCCESS);
  assert_int_equal(firmware_unload_image(machine.image), EFI_DEVICE_ERROR);
  struct firmware_counts before;
  struct firmware_counts after;
  firmware_count(&before);
  assert_true(is_child(machine.nic->handle, child));
  assert_int_equal(stop(&machine, 1, &child), EFI_DEVICE_ERROR);
  assert_int_equal(stop(&machine, 0, NULL), EFI_DEVICE_ERROR);
  firmware_count(&after);
  assert_memory_equal(&before, &after, sizeof(before));
  assert_true(is_child(machine.nic->handle, child)); /* or nobody could stop it as a child later */
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(sim_frames(machine.nic->sim), 1);
  assert_int_equal(BS->CloseProtocol(child, &snp_guid, stubborn, child), EFI_SUCCESS);
  unit_machine_end(&machine);
}

/* What the console was told. */
static char said[1024];

static EFI_STATUS EFIAPI note_text(SIMPLE_TEXT_OUTPUT_INTERFACE *this, CHAR16 *text) {
  (void)this;
  for(size_t at = strlen(said); *text; text++) {
    assert_true(at + 1 < sizeof(said));
    said[at++] = (char)*text;
    said[at] = 0;
  }
  return EFI_SUCCESS;
}

/* A driver that is loaded and gets no NIC, since others hold all that fit, says who, and what helps. */
static void test_all_are_held(void **state) {
  (void)state;
  SIMPLE_TEXT_OUTPUT_INTERFACE console = {.OutputString = note_text};
  const struct sim_config config = unit_config(SIM_82574L);
  firmware_begin();
  ST->ConOut = &console;
  EFI_HANDLE other = firmware_load_image();
  EFI_HANDLE image;
  VOID *interface;
  struct firmware_nic *nics[3];
  for(UINTN i = 0; i < 4; i++) { /* no NIC at all; then 0, 1 and 2 of two held, beside one that does not fit */
    said[0] = 0;
    assert_int_equal(firmware_start_image(efi_main, &image), EFI_SUCCESS);
    if(i < 3) {
      assert_string_equal(said, "");
    } else {
      assert_string_equal(said, "82574L at 0000:00:02.0 is held by 'unknown driver'.\r\n"
                                "82574L at 0000:00:03.0 is held by 'unknown driver'.\r\n"
                                "This driver was loaded, but has no NIC. To give it one, 'disconnect' the handle\r\n"
                                "with the NIC's MAC address ('dh -p SimpleNetwork'), then the NIC's own ('dh -p\r\n"
                                "PciIo'), and 'connect' that. A driver from the NIC's option ROM takes it back:\r\n"
                                "start without that (QEMU: romfile=).\r\n");
    }
    assert_int_equal(firmware_unload_image(image), EFI_SUCCESS);
    if(i == 0) {
      for(UINTN nic = 0; nic < 3; nic++) {
        nics[nic] = firmware_add_nic(&config);
      }
      nics[2]->config[2] ^= 0xFF; /* of no family of ours, and free */
    } else if(i < 3) {
      assert_int_equal(BS->OpenProtocol(nics[i - 1]->handle, &pci_io_guid, &interface, other, nics[i - 1]->handle,
                                        EFI_OPEN_PROTOCOL_BY_DRIVER),
                       EFI_SUCCESS);
    }
  }
  for(UINTN i = 0; i < 2; i++) {
    assert_int_equal(BS->CloseProtocol(nics[i]->handle, &pci_io_guid, other, nics[i]->handle), EFI_SUCCESS);
  }
  firmware_end();
}

/* Supported ------------------------------------------------------------------------------------------------------ */

static void test_supported(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    EFI_HANDLE controller = machine.nic->handle;
    sim_forget_accesses(machine.nic->sim);
    assert_int_equal(supported(&machine, controller, NULL), EFI_SUCCESS);
    assert_int_equal(sim_reads(machine.nic->sim) + sim_writes(machine.nic->sim), 0);
    assert_int_equal(machine.nic->attributes, 0);
    machine.nic->config[3] ^= 1U; /* another device ID */
    assert_int_equal(supported(&machine, controller, NULL), EFI_UNSUPPORTED);
    machine.nic->config[3] ^= 1U;
    machine.nic->config[0] ^= 1U; /* another vendor */
    assert_int_equal(supported(&machine, controller, NULL), EFI_UNSUPPORTED);
    assert_int_equal(supported(&machine, machine.image, NULL), EFI_UNSUPPORTED);
    unit_machine_end(&machine);
  }
}

static void test_remaining_path(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_HANDLE controller = machine.nic->handle;
  MAC_ADDR_DEVICE_PATH mac = {
      .Header = {MESSAGING_DEVICE_PATH, MSG_MAC_ADDR_DP, {sizeof(MAC_ADDR_DEVICE_PATH), 0}},
  };
  assert_int_equal(supported(&machine, controller, &path_end), EFI_SUCCESS);
  assert_int_equal(supported(&machine, controller, &mac.Header), EFI_SUCCESS);
  mac.Header.Length[0]--;
  assert_int_equal(supported(&machine, controller, &mac.Header), EFI_UNSUPPORTED);
  mac.Header.Length[0]++;
  mac.Header.SubType = MSG_IPv4_DP;
  assert_int_equal(supported(&machine, controller, &mac.Header), EFI_UNSUPPORTED);
  mac.Header.Type = HARDWARE_DEVICE_PATH;
  assert_int_equal(supported(&machine, controller, &mac.Header), EFI_UNSUPPORTED);
  /* an end node asks for no child, so there is nothing to start */
  assert_int_equal(start(&machine, &path_end), EFI_SUCCESS);
  assert_null(unit_device(machine.nic));
  unit_machine_end(&machine);
}

static void test_in_use(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_HANDLE other = firmware_load_image();
  EFI_HANDLE controller = machine.nic->handle;
  VOID *interface;
  assert_int_equal(BS->OpenProtocol(controller, &pci_io_guid, &interface, other, controller, 0x10), EFI_SUCCESS);
  assert_int_equal(supported(&machine, controller, NULL), EFI_ACCESS_DENIED);
  assert_int_equal(start(&machine, NULL), EFI_ACCESS_DENIED);
  assert_int_equal(BS->CloseProtocol(controller, &pci_io_guid, other, controller), EFI_SUCCESS);
  assert_int_equal(start(&machine, NULL), EFI_SUCCESS);
  assert_int_equal(supported(&machine, controller, NULL), EFI_ALREADY_STARTED);
  assert_int_equal(start(&machine, NULL), EFI_ACCESS_DENIED);
  unit_machine_end(&machine);
}

/* Start and Stop ------------------------------------------------------------------------------------------------- */

static void test_bind_and_unbind(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    struct firmware_counts before;
    struct firmware_counts after;
    machine.nic->attributes = EFI_PCI_IO_ATTRIBUTE_MEMORY; /* as firmware may leave it */
    firmware_count(&before);
    for(UINTN round = 0; round < 3; round++) {
      assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
      bool wide = unit_devices[i] == SIM_82574L;
      assert_int_equal(machine.nic->attributes, wide ? 0x8700 : 0x700);
      assert_int_equal(machine.nic->config[0xF0], 0); /* ASPM off */
      assert_int_equal(firmware_disconnect(machine.nic->handle, NULL), EFI_SUCCESS);
      assert_null(unit_device(machine.nic));
      assert_int_equal(machine.nic->attributes, EFI_PCI_IO_ATTRIBUTE_MEMORY);
      assert_int_equal(machine.nic->config[0xF0], wide ? 3 : 0);
      firmware_count(&after);
      assert_memory_equal(&before, &after, sizeof(before));
    }
    unit_machine_end(&machine);
  }
}

/* What somebody else left on is off while the driver holds the NIC, and on again afterwards; no ring lies where the
 * part must not reach. */
static void test_high_addresses_left_on(void **state) {
  (void)state;
  const UINT64 left = EFI_PCI_IO_ATTRIBUTE_MEMORY | EFI_PCI_IO_ATTRIBUTE_DUAL_ADDRESS_CYCLE;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    bool wide = unit_devices[i] == SIM_82574L;
    machine.nic->attributes = left;
    (void)unit_open(machine.nic);
    assert_int_equal(machine.nic->attributes, wide ? 0x8700 : 0x700);
    assert_int_equal(sim_peek(machine.nic->sim, E1000_RDBAH) != 0, wide);
    assert_int_equal(sim_peek(machine.nic->sim, E1000_TDBAH) != 0, wide);
    assert_int_equal(firmware_disconnect(machine.nic->handle, NULL), EFI_SUCCESS);
    assert_int_equal(machine.nic->attributes, left);
    unit_machine_end(&machine);
  }
}

static void test_child(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
  EFI_HANDLE child = unit_device(machine.nic)->child;
  EFI_DEVICE_PATH *parent = firmware_interface(machine.nic->handle, device_path_guid);
  EFI_DEVICE_PATH *path = firmware_interface(child, device_path_guid);
  UINTN above = DevicePathSize(parent) - sizeof(EFI_DEVICE_PATH);
  assert_memory_equal(path, parent, above);
  const MAC_ADDR_DEVICE_PATH *mac = (const MAC_ADDR_DEVICE_PATH *)((UINT8 *)path + above);
  assert_int_equal(mac->Header.Type, MESSAGING_DEVICE_PATH);
  assert_int_equal(mac->Header.SubType, MSG_MAC_ADDR_DP);
  assert_int_equal(DevicePathNodeLength(&mac->Header), 37);
  assert_int_equal(mac->IfType, 1);
  assert_memory_equal(mac->MacAddress.Addr, unit_config(0).mac, 6);
  assert_true(IsDevicePathEnd(NextDevicePathNode(&mac->Header)));
  unit_machine_end(&machine);
}

static void test_stop_by_hand(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_HANDLE wrong = machine.image;
  assert_int_equal(stop(&machine, 0, NULL), EFI_DEVICE_ERROR); /* not started */
  (void)unit_open(machine.nic);
  EFI_HANDLE child = unit_device(machine.nic)->child;
  assert_int_equal(stop(&machine, 1, &wrong), EFI_DEVICE_ERROR);
  assert_int_equal(stop(&machine, 1, &child), EFI_SUCCESS);
  assert_null(unit_device(machine.nic)->child);
  assert_int_equal(sim_peek(machine.nic->sim, E1000_RCTL) & E1000_RCTL_EN, 0);
  assert_int_equal(stop(&machine, 0, NULL), EFI_SUCCESS);
  assert_int_equal(stop(&machine, 0, NULL), EFI_DEVICE_ERROR);
  unit_machine_end(&machine);
}

/* Boot services were left, and then were not, since the memory map had changed: the NIC is as its next owner wants it,
 * and whoever stops the driver now is told no. */
static void test_stop_after_exit(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  (void)unit_open(machine.nic);
  EFI_HANDLE child = unit_device(machine.nic)->child;
  EFI_DRIVER_BINDING_PROTOCOL *driver = binding(&machine);
  firmware_exit_boot_services();
  sim_forget_accesses(machine.nic->sim);
  firmware_exit_failed();
  assert_int_equal(driver->Stop(driver, machine.nic->handle, 1, &child), EFI_DEVICE_ERROR);
  assert_int_equal(driver->Stop(driver, machine.nic->handle, 0, NULL), EFI_DEVICE_ERROR);
  assert_int_equal(sim_reads(machine.nic->sim) + sim_writes(machine.nic->sim), 0);
  unit_power_off();
}

static void test_two_nics(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  const struct sim_config config = unit_config(SIM_82574L);
  struct firmware_nic *second = firmware_add_nic(&config);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  EFI_SIMPLE_NETWORK_PROTOCOL *other = unit_open(second);
  UINT8 frame[60] = {0};
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(sim_frames(machine.nic->sim), 1);
  assert_int_equal(sim_frames(second->sim), 0);
  assert_int_equal(firmware_disconnect(machine.nic->handle, NULL), EFI_SUCCESS);
  assert_int_equal(other->Transmit(other, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(sim_frames(second->sim), 1);
  unit_machine_end(&machine);
}

/* A protocol on the handle that another build of the driver put there: nothing behind it is touched. */
static void test_another_builds_device(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  NET_RESIDENT_PROTOCOL stranger = {.Revision = NET_RESIDENT_REVISION, .Size = sizeof(stranger)};
  EFI_HANDLE controller = machine.nic->handle;
  assert_int_equal(BS->InstallProtocolInterface(&controller, &resident_guid, EFI_NATIVE_INTERFACE, &stranger),
                   EFI_SUCCESS);
  assert_null(managed_find(controller));
  assert_int_equal(stop(&machine, 0, NULL), EFI_DEVICE_ERROR);
  assert_int_equal(firmware_unload_image(machine.image), EFI_SUCCESS); /* that one is none of its business */
  assert_int_equal(BS->UninstallProtocolInterface(controller, &resident_guid, &stranger), EFI_SUCCESS);
  firmware_end();
}

/* Start that cannot ---------------------------------------------------------------------------------------------- */

static void assert_start_fails(struct unit_machine *machine, EFI_STATUS wanted) {
  struct firmware_counts before;
  struct firmware_counts after;
  firmware_count(&before);
  assert_int_equal(start(machine, NULL), wanted);
  firmware_count(&after);
  assert_memory_equal(&before, &after, sizeof(before));
  assert_int_equal(machine->nic->attributes, 0);
  unit_machine_end(machine);
}

static void test_bars_that_do_not_fit(void **state) {
  (void)state;
  static const struct firmware_bar wrong[] = {
      {.type = 0, .base = 0x80000000U, .size = 0x10000}, {.type = 1, .base = 0xC000, .size = 0x20000}, {.size = 0}};
  for(size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    struct unit_machine machine = unit_machine(SIM_82540EM);
    machine.nic->bar[0] = wrong[i];
    assert_start_fails(&machine, EFI_UNSUPPORTED);
  }
}

static void test_hardware_that_does_not_start(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  sim_knobs(machine.nic->sim)->reset_never_ends = true;
  assert_start_fails(&machine, EFI_TIMEOUT);
  machine = unit_machine(SIM_82574L);
  sim_knobs(machine.nic->sim)->gone = true;
  assert_start_fails(&machine, EFI_DEVICE_ERROR);
  machine = unit_machine(SIM_82540EM);
  machine.nic->config[3] ^= 1U;
  assert_start_fails(&machine, EFI_UNSUPPORTED);
}

static EFI_STATUS EFIAPI refuse_to_read(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT8 bar,
                                        UINT64 offset, UINTN count, VOID *buffer) {
  (void)this, (void)width, (void)bar, (void)offset, (void)count, (void)buffer;
  return EFI_UNSUPPORTED;
}

/* PciIo that cannot read a register is like a device that does not answer. */
static void test_registers_that_cannot_be_read(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  struct netdev_link link;
  UINT8 mac[6];
  machine.nic->translated = TRUE;
  machine.nic->pci_io.Mem.Read = refuse_to_read;
  machine.nic->attributes = EFI_PCI_IO_ATTRIBUTE_MEMORY;
  assert_false(efi_nic_glance(&machine.nic->pci_io, mac, &link));
  machine.nic->attributes = 0;
  assert_start_fails(&machine, EFI_DEVICE_ERROR);
}

static void test_attributes_that_are_missing(void **state) {
  (void)state;
  static const UINT64 needed[] = {EFI_PCI_IO_ATTRIBUTE_MEMORY, EFI_PCI_IO_ATTRIBUTE_BUS_MASTER};
  for(size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
    struct unit_machine machine = unit_machine(SIM_82540EM);
    machine.nic->supported_attributes &= ~needed[i];
    assert_start_fails(&machine, EFI_UNSUPPORTED);
  }
  struct unit_machine machine = unit_machine(SIM_82540EM);
  machine.nic->supported_attributes &= ~(UINT64)EFI_PCI_IO_ATTRIBUTE_IO;
  (void)unit_open(machine.nic);
  assert_int_equal(sim_io_writes(machine.nic->sim), 0); /* behind a bridge without I/O space */
  unit_machine_end(&machine);
  machine = unit_machine(SIM_82540EM);
  machine.nic->bar[1].size = 4;
  (void)unit_open(machine.nic);
  assert_int_equal(sim_io_writes(machine.nic->sim), 0); /* IODATA does not fit */
  unit_machine_end(&machine);
}

/* ASPM goes back to where it was found, even if the capabilities can no longer be walked; a capability whose link
 * control lies beyond configuration space is none. */
static void test_aspm_stays_in_place(void **state) {
  (void)state;
  UINT8 before[256];
  struct unit_machine machine = unit_machine(SIM_82574L);
  memcpy(before, machine.nic->config, sizeof(before));
  assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
  assert_int_equal(machine.nic->config[0xF0] & 3U, 0);
  machine.nic->config[0x34] = 0;
  assert_int_equal(firmware_disconnect(machine.nic->handle, NULL), EFI_SUCCESS);
  machine.nic->config[0x34] = before[0x34];
  assert_memory_equal(machine.nic->config, before, sizeof(before));
  machine.nic->config[0x34] = 0xF4;
  machine.nic->config[0xF4] = PCI_CAPABILITY_PCIE;
  memcpy(before, machine.nic->config, sizeof(before));
  assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
  assert_int_equal(firmware_disconnect(machine.nic->handle, NULL), EFI_SUCCESS);
  assert_memory_equal(machine.nic->config, before, sizeof(before));
  unit_machine_end(&machine);
}

static void test_no_io_bar(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82540EM);
  config.no_io = true;
  struct unit_machine machine = unit_machine_with(&config);
  (void)unit_open(machine.nic);
  assert_int_equal(sim_io_writes(machine.nic->sim), 0);
  unit_machine_end(&machine);
  machine = unit_machine(SIM_82540EM);
  (void)unit_open(machine.nic);
  assert_int_not_equal(sim_io_writes(machine.nic->sim), 0);
  unit_machine_end(&machine);
}

/* An application -------------------------------------------------------------------------------------------------- */

static void count_messages(void *ctx, enum net_log_level level, const char *text, uint32_t value) {
  (void)level, (void)value;
  assert_non_null(text);
  (*(UINTN *)ctx)++;
}

/* netdiag drives a NIC without the binding, by itself, and hears what the core has to say. */
static void test_attach_without_a_binding(void **state) {
  (void)state;
  const struct sim_config config = unit_config(SIM_82574L);
  firmware_begin();
  EFI_HANDLE agent = firmware_load_image();
  struct firmware_nic *machine = firmware_add_nic(&config);
  struct efi_nic nic;
  UINTN messages = 0;
  const struct efi_nic_options options = {
      .tx_descriptors = 16, .rx_descriptors = 16, .log = count_messages, .log_ctx = &messages};
  assert_int_equal(efi_nic_attach(&nic, machine->handle, agent, &options), EFI_SUCCESS);
  assert_false(efi_nic_nothing_held(&nic));
  assert_int_equal(efi_nic_start(&nic), EFI_SUCCESS);
  assert_int_equal(efi_nic_start(&nic), EFI_DEVICE_ERROR); /* once is enough */
  firmware_tick(10);
  assert_int_equal(nic.beats, 10);
  efi_nic_stop(&nic);
  firmware_tick(10);
  assert_int_equal(nic.beats, 10);
  efi_nic_detach(&nic);
  assert_true(efi_nic_nothing_held(&nic));
  assert_int_not_equal(messages, 0);
  const struct efi_nic_options odd = {.tx_descriptors = 17};
  assert_int_equal(efi_nic_attach(&nic, machine->handle, agent, &odd), EFI_INVALID_PARAMETER);
  assert_true(efi_nic_nothing_held(&nic));
  firmware_end();
}

/* Options -------------------------------------------------------------------------------------------------------- */

static void test_ring_variable(void **state) {
  (void)state;
  static const struct {
    UINT32 value;
    UINTN size;
    UINT32 ring;
  } rows[] = {
      {64, 4, 64},
      {E1000_RING_MIN, 4, E1000_RING_MIN},
      {E1000_RING_MAX, 4, E1000_RING_MAX},
      {0, 4, E1000_RING_DEFAULT},
      {E1000_RING_MIN / 2, 4, E1000_RING_DEFAULT},
      {2 * E1000_RING_MAX, 4, E1000_RING_DEFAULT},
      {100, 4, E1000_RING_DEFAULT},
      {64, 2, E1000_RING_DEFAULT},
      {64, 0, E1000_RING_DEFAULT},
  };
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct unit_machine machine = unit_machine(SIM_82574L);
    firmware_set_variable(rows[i].size ? &rows[i].value : NULL, rows[i].size);
    assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
    const struct e1000 *nic = (const struct e1000 *)unit_device(machine.nic)->nic.netdev;
    assert_int_equal(e1000_ring_count(&nic->rx), rows[i].ring);
    assert_int_equal(e1000_ring_count(&nic->tx), rows[i].ring);
    unit_machine_end(&machine);
  }
}

/* Events at the levels that driver/NOTES.md promises, and the heartbeat as often. */
static void test_events(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  const struct efi_nic *nic = &unit_device(machine.nic)->nic;
  struct firmware_event event;
  firmware_event(nic->heartbeat, &event);
  assert_int_equal(event.type, EVT_TIMER | EVT_NOTIFY_SIGNAL);
  assert_int_equal(event.tpl, TPL_CALLBACK);
  assert_int_equal(event.period_us, EFI_NIC_HEARTBEAT_MS * 1000U);
  firmware_event(nic->exit_boot_services, &event);
  assert_int_equal(event.type, EVT_SIGNAL_EXIT_BOOT_SERVICES);
  assert_int_equal(event.tpl, TPL_NOTIFY); /* before those who shut SNP down at TPL_CALLBACK */
  firmware_event(snp->WaitForPacket, &event);
  assert_int_equal(event.type, EVT_NOTIFY_WAIT);
  assert_int_equal(event.tpl, TPL_CALLBACK);
  UINT64 beats = nic->beats;
  EFI_TPL tpl = BS->RaiseTPL(TPL_CALLBACK);
  firmware_tick(5);
  assert_int_equal(nic->beats, beats); /* whoever is in SNP is not interrupted */
  BS->RestoreTPL(tpl);
  assert_int_equal(nic->beats, beats + 1);
  unit_machine_end(&machine);
}

/* The device's address is what has to be aligned, and it is not the processor's. */
static void test_dma_alignment(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
  const struct net_platform *platform = &unit_device(machine.nic)->nic.platform;
  for(size_t align = 16; align <= 0x10000; align *= 2) {
    struct net_dma dma;
    assert_int_equal(platform->dma_alloc(platform->ctx, 5000, align, 32, &dma), NETDEV_OK);
    assert_int_equal(dma.device % align, 0);
    assert_true(dma.device + dma.size <= UINT32_MAX);
    assert_int_equal(dma.device, firmware_device_address(dma.cpu));
    assert_int_equal(dma.device + 4999, firmware_device_address((UINT8 *)dma.cpu + 4999));
    platform->dma_free(platform->ctx, &dma);
  }
  unit_machine_end(&machine);
}

/* Two functions of one card are two NICs, each with its own place in a handoff. */
static void test_dual_port(void **state) {
  (void)state;
  const struct sim_config config = unit_config(SIM_82540EM);
  struct unit_machine machine = unit_machine(SIM_82540EM);
  struct firmware_nic *port[2] = {machine.nic, firmware_add_nic(&config)};
  struct pci_nic *list;
  UINTN count;
  port[0]->bus_function = 1; /* enumerated in the other order */
  port[1]->bus_device = port[0]->bus_device;
  assert_int_equal(pci_find_nics(&list, &count), EFI_SUCCESS);
  assert_int_equal(count, 2);
  for(UINTN i = 0; i < 2; i++) {
    assert_ptr_equal(list[i].handle, port[1 - i]->handle);
    assert_int_equal(list[i].function, i);
    assert_int_equal(list[i].device, port[0]->bus_device);
    (void)unit_open(port[i]);
  }
  assert_string_not_equal(unit_device(port[0])->nic.netdev->name, unit_device(port[1])->nic.netdev->name);
  for(UINTN i = 0; i < 2; i++) {
    assert_int_equal(handoff_arm(&unit_device(port[1 - i])->nic, &list[i], i == 1, NULL), EFI_SUCCESS);
  }
  firmware_exit_boot_services();
  static struct net_handoff_copy copy;
  const struct net_handoff_image *table = handoff_find();
  assert_null(net_handoff_validate(table, sizeof(*table), (UINTN)table, &copy));
  assert_int_equal(copy.head.nic_count, 2);
  for(UINTN i = 0; i < 2; i++) {
    assert_int_equal(copy.nic[i].pci_function, i);
    assert_int_equal(copy.nic[i].state, i == 1 ? NET_HANDOFF_LIVE : NET_HANDOFF_QUIET);
    assert_int_equal((sim_peek(port[1 - i]->sim, E1000_RCTL) & E1000_RCTL_EN) != 0, i == 1);
  }
  unit_power_off();
}

/* Without anybody who opened it, the link is known from a glance at STATUS. */
static void test_media_at_a_glance(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82574L);
  config.qemu = true; /* its link is up before it is asked to be */
  for(UINTN down = 0; down < 2; down++) {
    config.link_down = down;
    struct unit_machine machine = unit_machine_with(&config);
    assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
    assert_int_equal(unit_snp(machine.nic)->Mode->MediaPresent, !down);
    unit_machine_end(&machine);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_load_and_unload),
      cmocka_unit_test(test_entry_without_an_image),
      cmocka_unit_test(test_unload_while_bound),
      cmocka_unit_test(test_all_are_held),
      cmocka_unit_test(test_supported),
      cmocka_unit_test(test_remaining_path),
      cmocka_unit_test(test_in_use),
      cmocka_unit_test(test_bind_and_unbind),
      cmocka_unit_test(test_high_addresses_left_on),
      cmocka_unit_test(test_child),
      cmocka_unit_test(test_stop_by_hand),
      cmocka_unit_test(test_stop_after_exit),
      cmocka_unit_test(test_two_nics),
      cmocka_unit_test(test_another_builds_device),
      cmocka_unit_test(test_bars_that_do_not_fit),
      cmocka_unit_test(test_hardware_that_does_not_start),
      cmocka_unit_test(test_registers_that_cannot_be_read),
      cmocka_unit_test(test_attributes_that_are_missing),
      cmocka_unit_test(test_aspm_stays_in_place),
      cmocka_unit_test(test_no_io_bar),
      cmocka_unit_test(test_attach_without_a_binding),
      cmocka_unit_test(test_ring_variable),
      cmocka_unit_test(test_events),
      cmocka_unit_test(test_dma_alignment),
      cmocka_unit_test(test_dual_port),
      cmocka_unit_test(test_media_at_a_glance),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
