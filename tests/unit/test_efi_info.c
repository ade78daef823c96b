/* test_efi_info.c - what the driver says about itself and its NICs: names, diagnostics, media state, the PCI bus. */
#include "efi/driver_diagnostics.h"
#include "pci.h"
#include "unit_efi.h"

#include "efi/acpi_resource.h"

static EFI_GUID name2_guid = EFI_COMPONENT_NAME2_PROTOCOL_GUID;
static EFI_GUID name_guid = COMPONENT_NAME_PROTOCOL;
static EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
static EFI_GUID pci_io_guid = EFI_PCI_IO_PROTOCOL_GUID;

static CHAR8 en[] = "en";
static CHAR8 eng[] = "eng";
static CHAR8 fr[] = "fr";

static void assert_text(const CHAR16 *text, const char *wanted) {
  char ascii[100] = {0};
  for(size_t i = 0; text[i] && i + 1 < sizeof(ascii); i++) {
    ascii[i] = (char)text[i];
  }
  assert_string_equal(ascii, wanted);
}

/* Names ---------------------------------------------------------------------------------------------------------- */

static void test_names(void **state) {
  (void)state;
  static const struct {
    uint16_t device;
    const char *name;
  } rows[] = {
      {SIM_82540EM, "Intel 82540EM Gigabit Ethernet (52:54:00:a1:b2:c3)"},
      {SIM_82574L, "Intel 82574L Gigabit Ethernet (52:54:00:a1:b2:c3)"},
  };
  for(size_t i = 0; i < 2; i++) {
    struct unit_machine machine = unit_machine(rows[i].device);
    assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
    EFI_HANDLE controller = machine.nic->handle;
    EFI_HANDLE child = unit_device(machine.nic)->child;
    const EFI_GUID guids[] = {name2_guid, name_guid};
    CHAR8 *languages[] = {en, eng};
    for(size_t j = 0; j < 2; j++) {
      EFI_COMPONENT_NAME2_PROTOCOL *names = firmware_interface(machine.image, guids[j]);
      CHAR8 *language = languages[j];
      CHAR16 *text;
      assert_string_equal((char *)names->SupportedLanguages, (char *)language);
      assert_int_equal(names->GetDriverName(names, language, &text), EFI_SUCCESS);
      assert_text(text, "Intel 8254x/82574L Gigabit Ethernet, virtio-net Ethernet (VIRTIO 1.2)");
      assert_int_equal(names->GetDriverName(names, NULL, &text), EFI_INVALID_PARAMETER);
      assert_int_equal(names->GetDriverName(names, language, NULL), EFI_INVALID_PARAMETER);
      assert_int_equal(names->GetDriverName(names, languages[1 - j], &text), EFI_UNSUPPORTED);
      assert_int_equal(names->GetControllerName(names, controller, NULL, language, &text), EFI_SUCCESS);
      assert_text(text, rows[i].name);
      assert_int_equal(names->GetControllerName(names, controller, child, language, &text), EFI_SUCCESS);
      assert_text(text, rows[i].name);
      assert_int_equal(names->GetControllerName(names, controller, NULL, fr, &text), EFI_UNSUPPORTED);
      assert_int_equal(names->GetControllerName(names, controller, NULL, language, NULL), EFI_INVALID_PARAMETER);
      assert_int_equal(names->GetControllerName(names, NULL, NULL, language, &text), EFI_INVALID_PARAMETER);
      assert_int_equal(names->GetControllerName(names, machine.image, NULL, language, &text), EFI_UNSUPPORTED);
      assert_int_equal(names->GetControllerName(names, controller, controller, language, &text), EFI_UNSUPPORTED);
    }
    unit_machine_end(&machine);
  }
}

/* Diagnostics ---------------------------------------------------------------------------------------------------- */

struct diagnosis {
  EFI_STATUS status;
  char report[1100];
};

static struct diagnosis diagnose(const struct unit_machine *machine, EFI_DRIVER_DIAGNOSTIC_TYPE type) {
  struct diagnosis diagnosis = {0};
  diagnosis.status =
      firmware_diagnose(machine->image, machine->nic->handle, (UINTN)type, diagnosis.report, sizeof(diagnosis.report));
  return diagnosis;
}

static void test_diagnostics(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
    for(UINTN extended = 0; extended < 2; extended++) {
      struct diagnosis diagnosis = diagnose(&machine, (EFI_DRIVER_DIAGNOSTIC_TYPE)extended);
      assert_null(strstr(diagnosis.report, "FAIL"));
      assert_int_equal(diagnosis.status, EFI_SUCCESS);
      assert_non_null(strstr(diagnosis.report, "pass  NVM: words 0x00 to 0x3f add up to 0xbaba (0x0000baba)\r\n"));
      assert_true((strstr(diagnosis.report, "pass  loopback") != NULL) == (extended == 1));
    }
    unit_machine_end(&machine);
  }
}

/* A running user notices a pause, and gets back what it was sending. */
static void test_diagnostics_while_running(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
    UINT8 frame[60];
    VOID *buffer;
    assert_int_equal(snp->ReceiveFilters(snp, 8, 0, FALSE, 0, NULL), EFI_SUCCESS);
    sim_knobs(machine.nic->sim)->tx_held = true;
    assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
    sim_knobs(machine.nic->sim)->tx_held = false;
    assert_int_equal(diagnose(&machine, EfiDriverDiagnosticTypeExtended).status, EFI_SUCCESS);
    assert_int_equal(snp->GetStatus(snp, NULL, &buffer), EFI_SUCCESS);
    assert_ptr_equal(buffer, frame);
    assert_int_equal(snp->Mode->State, EfiSimpleNetworkInitialized);
    unit_frame(frame, sizeof(frame), (const UINT8[6]){2, 2, 2, 2, 2, 2}, 1);
    assert_int_equal(sim_inject(machine.nic->sim, frame, sizeof(frame)), SIM_DELIVERED); /* still promiscuous */
    unit_machine_end(&machine);
  }
}

static void test_diagnostics_find_faults(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  sim_set_nvm(machine.nic->sim, 5, 0x1234);
  sim_knobs(machine.nic->sim)->mdic_error = true;
  struct diagnosis diagnosis = diagnose(&machine, EfiDriverDiagnosticTypeExtended);
  assert_int_equal(diagnosis.status, EFI_DEVICE_ERROR);
  assert_non_null(strstr(diagnosis.report, "FAIL  NVM"));
  assert_non_null(strstr(diagnosis.report, "FAIL  PHY"));
  assert_non_null(strstr(diagnosis.report, "FAIL  loopback: can be set up"));
  assert_int_equal(snp->Mode->State, EfiSimpleNetworkInitialized);
  sim_knobs(machine.nic->sim)->mdic_error = false;
  sim_knobs(machine.nic->sim)->tx_held = true;
  diagnosis = diagnose(&machine, EfiDriverDiagnosticTypeExtended);
  assert_non_null(strstr(diagnosis.report, "FAIL  loopback: frames"));
  /* a NIC that does not come back is Started, for its user to try again */
  sim_knobs(machine.nic->sim)->reset_never_ends = true;
  assert_int_equal(diagnose(&machine, EfiDriverDiagnosticTypeExtended).status, EFI_DEVICE_ERROR);
  assert_int_equal(snp->Mode->State, EfiSimpleNetworkStarted);
  sim_knobs(machine.nic->sim)->reset_never_ends = false;
  sim_knobs(machine.nic->sim)->link_down = true;
  diagnosis = diagnose(&machine, EfiDriverDiagnosticTypeStandard);
  assert_non_null(strstr(diagnosis.report, "pass  link: down, no cable?"));
  unit_machine_end(&machine);
}

static void test_diagnostics_on_small_rings(void **state) {
  (void)state;
  const UINT32 ring = E1000_RING_MIN;
  struct unit_machine machine = unit_machine(SIM_82574L);
  firmware_set_variable(&ring, sizeof(ring));
  (void)unit_open(machine.nic);
  assert_int_equal(diagnose(&machine, EfiDriverDiagnosticTypeExtended).status, EFI_SUCCESS);
  sim_knobs(machine.nic->sim)->tx_held = true; /* the ring fills up */
  struct diagnosis diagnosis = diagnose(&machine, EfiDriverDiagnosticTypeExtended);
  assert_non_null(strstr(diagnosis.report, "FAIL  loopback: frames"));
  sim_knobs(machine.nic->sim)->gone = true;
  firmware_tick(10);
  assert_int_equal(diagnose(&machine, EfiDriverDiagnosticTypeStandard).status, EFI_DEVICE_ERROR);
  unit_machine_end(&machine);
}

static void test_diagnostics_arguments(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_DRIVER_DIAGNOSTICS2_PROTOCOL *protocol =
      firmware_interface(machine.image, (EFI_GUID)EFI_DRIVER_DIAGNOSTICS2_PROTOCOL_GUID);
  EFI_HANDLE nic = machine.nic->handle;
  EFI_GUID *guid;
  UINTN size;
  CHAR16 *text;
  assert_int_equal(protocol->RunDiagnostics(protocol, nic, NULL, 0, en, &guid, &size, &text), EFI_UNSUPPORTED);
  assert_int_equal(firmware_connect(nic), EFI_SUCCESS);
  assert_int_equal(protocol->RunDiagnostics(NULL, nic, NULL, 0, en, &guid, &size, &text), EFI_INVALID_PARAMETER);
  assert_int_equal(protocol->RunDiagnostics(protocol, NULL, NULL, 0, en, &guid, &size, &text), EFI_INVALID_PARAMETER);
  assert_int_equal(protocol->RunDiagnostics(protocol, nic, NULL, 0, NULL, &guid, &size, &text), EFI_INVALID_PARAMETER);
  assert_int_equal(protocol->RunDiagnostics(protocol, nic, NULL, 0, en, NULL, &size, &text), EFI_INVALID_PARAMETER);
  assert_int_equal(protocol->RunDiagnostics(protocol, nic, NULL, 0, en, &guid, NULL, &text), EFI_INVALID_PARAMETER);
  assert_int_equal(protocol->RunDiagnostics(protocol, nic, NULL, 0, en, &guid, &size, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(protocol->RunDiagnostics(protocol, nic, NULL, 0, fr, &guid, &size, &text), EFI_UNSUPPORTED);
  assert_int_equal(protocol->RunDiagnostics(protocol, nic, NULL, 2, en, &guid, &size, &text), EFI_UNSUPPORTED);
  assert_int_equal(protocol->RunDiagnostics(protocol, nic, nic, 0, en, &guid, &size, &text), EFI_UNSUPPORTED);
  unit_machine_end(&machine);
}

/* Adapter information -------------------------------------------------------------------------------------------- */

static EFI_STATUS media_state(EFI_ADAPTER_INFORMATION_PROTOCOL *adapter) {
  EFI_GUID type = EFI_ADAPTER_INFO_MEDIA_STATE_GUID;
  EFI_ADAPTER_INFO_MEDIA_STATE *block;
  UINTN size;
  EFI_STATUS status = adapter->GetInformation(adapter, &type, (VOID **)&block, &size);
  if(!EFI_ERROR(status)) {
    assert_int_equal(size, sizeof(*block));
    status = block->MediaState;
    assert_int_equal(BS->FreePool(block), EFI_SUCCESS);
    return status;
  }
  return EFI_ABORTED; /* no media state at all */
}

static EFI_ADAPTER_INFORMATION_PROTOCOL *adapter_of(const struct firmware_nic *nic) {
  return firmware_interface(unit_device(nic)->child, (EFI_GUID)EFI_ADAPTER_INFORMATION_PROTOCOL_GUID);
}

/* From the link itself in every state of SNP, without a register written. */
static void test_media_state(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
    EFI_ADAPTER_INFORMATION_PROTOCOL *adapter = adapter_of(machine.nic);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_snp(machine.nic);
    sim_forget_accesses(machine.nic->sim);
    assert_int_equal(media_state(adapter), EFI_SUCCESS);
    assert_int_equal(snp->Start(snp), EFI_SUCCESS);
    assert_int_equal(media_state(adapter), EFI_SUCCESS);
    assert_int_equal(sim_writes(machine.nic->sim), 0);
    assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
    assert_int_equal(media_state(adapter), EFI_SUCCESS);
    /* the link goes: it may come back within 20 s, after that there is no cable */
    sim_knobs(machine.nic->sim)->link_down = true;
    firmware_tick(10);
    assert_int_equal(media_state(adapter), EFI_NOT_READY);
    firmware_tick(1970);
    assert_int_equal(media_state(adapter), EFI_NOT_READY);
    firmware_tick(30);
    assert_int_equal(media_state(adapter), EFI_NO_MEDIA);
    sim_knobs(machine.nic->sim)->link_down = false;
    firmware_tick(10);
    assert_int_equal(media_state(adapter), EFI_SUCCESS);
    /* closed, it is seen as well */
    assert_int_equal(snp->Shutdown(snp), EFI_SUCCESS);
    assert_int_equal(media_state(adapter), EFI_SUCCESS);
    assert_int_equal(snp->Stop(snp), EFI_SUCCESS);
    sim_knobs(machine.nic->sim)->link_down = true;
    assert_int_equal(media_state(adapter), EFI_NOT_READY);
    firmware_tick(2000);
    assert_int_equal(media_state(adapter), EFI_NO_MEDIA);
    sim_knobs(machine.nic->sim)->link_down = false;
    assert_int_equal(media_state(adapter), EFI_SUCCESS);
    unit_machine_end(&machine);
  }
}

/* Without a cable the boot options wait together, 20 s from the driver's start, however often each of them starts SNP
 * anew; a link that was there and goes while SNP starts anew has 20 s of its own. */
static void test_media_wait_is_had_once(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82540EM);
  config.link_down = true;
  struct unit_machine machine = unit_machine_with(&config);
  assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
  EFI_ADAPTER_INFORMATION_PROTOCOL *adapter = adapter_of(machine.nic);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_snp(machine.nic);
  assert_int_equal(media_state(adapter), EFI_NOT_READY);
  for(UINTN option = 0; option < 4; option++) {
    assert_int_equal(snp->Start(snp), EFI_SUCCESS);
    assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
    assert_int_equal(media_state(adapter), EFI_NOT_READY);
    firmware_tick(490);
    assert_int_equal(snp->Shutdown(snp), EFI_SUCCESS);
    assert_int_equal(snp->Stop(snp), EFI_SUCCESS);
  }
  firmware_tick(40);
  assert_int_equal(media_state(adapter), EFI_NO_MEDIA);
  assert_int_equal(snp->Start(snp), EFI_SUCCESS);
  assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
  assert_int_equal(media_state(adapter), EFI_NO_MEDIA);
  sim_knobs(machine.nic->sim)->link_down = false;
  firmware_tick(10);
  assert_int_equal(media_state(adapter), EFI_SUCCESS);
  sim_knobs(machine.nic->sim)->link_down = true;
  assert_int_equal(snp->Reset(snp, FALSE), EFI_SUCCESS);
  assert_int_equal(media_state(adapter), EFI_NOT_READY);
  unit_machine_end(&machine);
}

/* There is nothing to wait for where no device answers, and nothing to look at once boot services are left. */
static void test_media_of_no_device(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  EFI_ADAPTER_INFORMATION_PROTOCOL *adapter = adapter_of(machine.nic);
  EFI_GUID type = EFI_ADAPTER_INFO_MEDIA_STATE_GUID;
  VOID *block;
  UINTN size;
  sim_knobs(machine.nic->sim)->gone = true;
  firmware_tick(10);
  assert_int_equal(media_state(adapter), EFI_NO_MEDIA);
  assert_int_equal(snp->Shutdown(snp), EFI_SUCCESS);
  assert_int_equal(media_state(adapter), EFI_NO_MEDIA);
  firmware_exit_boot_services();
  assert_int_equal(adapter->GetInformation(adapter, &type, &block, &size), EFI_INVALID_PARAMETER);
  unit_power_off();
}

static void test_adapter_information_arguments(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  (void)unit_open(machine.nic);
  EFI_ADAPTER_INFORMATION_PROTOCOL *adapter =
      firmware_interface(unit_device(machine.nic)->child, (EFI_GUID)EFI_ADAPTER_INFORMATION_PROTOCOL_GUID);
  EFI_GUID media = EFI_ADAPTER_INFO_MEDIA_STATE_GUID;
  EFI_GUID other = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_GUID *types;
  VOID *block;
  UINTN size;
  assert_int_equal(adapter->GetInformation(NULL, &media, &block, &size), EFI_INVALID_PARAMETER);
  assert_int_equal(adapter->GetInformation(adapter, NULL, &block, &size), EFI_INVALID_PARAMETER);
  assert_int_equal(adapter->GetInformation(adapter, &media, NULL, &size), EFI_INVALID_PARAMETER);
  assert_int_equal(adapter->GetInformation(adapter, &media, &block, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(adapter->GetInformation(adapter, &other, &block, &size), EFI_UNSUPPORTED);
  assert_int_equal(adapter->SetInformation(adapter, &media, &media, 4), EFI_WRITE_PROTECTED);
  assert_int_equal(adapter->SetInformation(adapter, &other, &media, 4), EFI_UNSUPPORTED);
  assert_int_equal(adapter->SetInformation(adapter, NULL, &media, 4), EFI_INVALID_PARAMETER);
  assert_int_equal(adapter->GetSupportedTypes(adapter, NULL, &size), EFI_INVALID_PARAMETER);
  assert_int_equal(adapter->GetSupportedTypes(adapter, &types, &size), EFI_SUCCESS);
  assert_int_equal(size, 1);
  assert_memory_equal(types, &media, sizeof(media));
  assert_int_equal(BS->FreePool(types), EFI_SUCCESS);
  unit_machine_end(&machine);
}

/* The PCI bus ---------------------------------------------------------------------------------------------------- */

static void test_nics_in_bus_order(void **state) {
  (void)state;
  const struct sim_config config = unit_config(SIM_82574L);
  struct pci_nic *list;
  UINTN count;
  firmware_begin();
  assert_int_equal(pci_find_nics(&list, &count), EFI_SUCCESS);
  assert_true(count == 0 && !list);
  struct firmware_nic *nics[3];
  for(UINTN i = 0; i < 3; i++) {
    nics[i] = firmware_add_nic(&config);
    nics[i]->bus_device = 9 - i;
  }
  nics[1]->config[0x0B] = 0x03; /* a display controller */
  assert_int_equal(pci_find_nics(&list, &count), EFI_SUCCESS);
  assert_int_equal(count, 2);
  assert_ptr_equal(list[0].handle, nics[2]->handle);
  assert_ptr_equal(list[1].handle, nics[0]->handle);
  assert_int_equal(list[0].device, 7);
  assert_int_equal(list[0].device_id, SIM_82574L);
  assert_int_equal(BS->FreePool(list), EFI_SUCCESS);
  nics[0]->config[0x0B] = nics[2]->config[0x0B] = 0x03;
  assert_int_equal(pci_find_nics(&list, &count), EFI_SUCCESS);
  assert_true(count == 0 && !list);
  for(UINTN call = 1; call <= 2; call++) {
    firmware_fail_at(call, FALSE); /* LocateHandleBuffer, AllocatePool */
    assert_int_equal(pci_find_nics(&list, &count), EFI_OUT_OF_RESOURCES);
    assert_true(count == 0 && !list);
  }
  firmware_end();
}

static void test_capabilities(void **state) {
  (void)state;
  const struct sim_config config = unit_config(SIM_82574L);
  firmware_begin();
  struct firmware_nic *nic = firmware_add_nic(&config);
  assert_int_equal(pci_find_capability(&nic->pci_io, PCI_CAPABILITY_MSI), 0xD0);
  assert_int_equal(pci_find_capability(&nic->pci_io, PCI_CAPABILITY_PCIE), 0xE0);
  assert_int_equal(pci_find_capability(&nic->pci_io, PCI_CAPABILITY_MSIX), 0xA0);
  assert_int_equal(pci_find_capability(&nic->pci_io, 0x01), 0);
  for(UINT8 low = 0; low < 4; low++) { /* the two lowest bits of a pointer are reserved */
    nic->config[0x34] = (UINT8)(0xD0 + low);
    nic->config[0xD1] = (UINT8)(0xE0 + low);
    assert_int_equal(pci_find_capability(&nic->pci_io, PCI_CAPABILITY_MSI), 0xD0);
    assert_int_equal(pci_find_capability(&nic->pci_io, PCI_CAPABILITY_PCIE), 0xE0);
    assert_int_equal(pci_find_capability(&nic->pci_io, PCI_CAPABILITY_MSIX), 0xA0);
  }
  for(UINT8 into = 0; into < 0x40; into++) { /* none lies in the header, whatever is there */
    memset(nic->config + 0x10, PCI_CAPABILITY_MSIX, 0x20);
    nic->config[0x34] = into;
    assert_int_equal(pci_find_capability(&nic->pci_io, PCI_CAPABILITY_MSIX), 0);
  }
  nic->config[0x34] = 0xFF; /* the very last */
  nic->config[0xFC] = PCI_CAPABILITY_MSIX;
  assert_int_equal(pci_find_capability(&nic->pci_io, PCI_CAPABILITY_MSIX), 0xFC);
  nic->config[0xFC] = 0;
  nic->config[0xFD] = 0xFF; /* points to itself */
  assert_int_equal(pci_find_capability(&nic->pci_io, PCI_CAPABILITY_MSIX), 0);
  nic->config[0x34] = 0xD0;
  nic->config[0xA1] = 0xD0; /* a loop */
  assert_int_equal(pci_find_capability(&nic->pci_io, 0x01), 0);
  nic->config[0x06] = 0; /* no list */
  assert_int_equal(pci_find_capability(&nic->pci_io, PCI_CAPABILITY_MSI), 0);
  firmware_end();
}

static UINT8 cut_list[8] = {ACPI_ADDRESS_SPACE_DESCRIPTOR, 3, 0, 0, 0, 0, ACPI_END_TAG_DESCRIPTOR, 0};

static EFI_STATUS EFIAPI cut_bar(EFI_PCI_IO_PROTOCOL *this, UINT8 index, UINT64 *supports, VOID **resources) {
  (void)this;
  (void)index;
  (void)supports;
  EFI_STATUS status = BS->AllocatePool(EfiBootServicesData, sizeof(cut_list), resources);
  memcpy(*resources, cut_list, sizeof(cut_list));
  return status;
}

/* A resource list is as long as it says, and no longer. */
static void test_bar_descriptor_cut_short(void **state) {
  (void)state;
  const struct sim_config config = unit_config(SIM_82574L);
  struct pci_bar bar;
  firmware_begin();
  struct firmware_nic *nic = firmware_add_nic(&config);
  pci_get_bar(&nic->pci_io, 0, &bar);
  assert_int_equal(bar.type, PCI_BAR_MEMORY);
  assert_int_equal(bar.size, 0x20000);
  nic->pci_io.GetBarAttributes = cut_bar;
  pci_get_bar(&nic->pci_io, 0, &bar);
  assert_int_equal(bar.type, PCI_BAR_NONE);
  firmware_end();
}

static void test_holder(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  EFI_HANDLE controller = machine.nic->handle;
  EFI_HANDLE other = firmware_load_image();
  EFI_LOADED_IMAGE *image = firmware_interface(other, image_guid);
  char name[64];
  assert_null(pci_find_holder(controller));
  assert_null(pci_find_holder(other));
  assert_int_equal(firmware_connect(controller), EFI_SUCCESS);
  assert_ptr_equal(pci_find_holder(controller), machine.image);
  pci_holder_name(machine.image, name, sizeof(name));
  assert_string_equal(name, "Intel 8254x/82574L Gigabit Ethernet, virtio-net Ethernet (VIRTI");
  pci_holder_name(machine.image, name, 6);
  assert_string_equal(name, "Intel");
  pci_holder_name(other, name, sizeof(name));
  assert_string_equal(name, "unknown driver");
  image->FilePath = firmware_interface(controller, (EFI_GUID)EFI_DEVICE_PATH_PROTOCOL_GUID);
  pci_holder_name(other, name, sizeof(name));
  assert_string_equal(name, "unknown driver"); /* a path, and no file at its beginning */
  struct {
    EFI_DEVICE_PATH header;
    CHAR16 name[13];
    EFI_DEVICE_PATH end;
  } file = {.header = {.Type = MEDIA_DEVICE_PATH, .SubType = MEDIA_FILEPATH_DP}, .name = L"\\drv\\nic.efi"};
  SetDevicePathNodeLength(&file.header, sizeof(file.header) + sizeof(file.name));
  SetDevicePathEndNode(&file.end);
  image->FilePath = &file.header;
  pci_holder_name(other, name, sizeof(name));
  assert_string_equal(name, "\\drv\\nic.efi");
  image->FilePath = NULL;

  VOID *interface;
  assert_int_equal(firmware_disconnect(controller, NULL), EFI_SUCCESS);
  assert_int_equal(BS->OpenProtocol(controller, &pci_io_guid, &interface, other, controller, 2), EFI_SUCCESS);
  assert_null(pci_find_holder(controller)); /* only looks at it */
  assert_int_equal(BS->CloseProtocol(controller, &pci_io_guid, other, controller), EFI_SUCCESS);
  unit_machine_end(&machine);
}

static void test_glance(void **state) {
  (void)state;
  const struct sim_config config = unit_config(SIM_82574L);
  firmware_begin();
  struct firmware_nic *nic = firmware_add_nic(&config);
  struct netdev_link link;
  UINT8 mac[6];
  assert_true(efi_nic_glance(&nic->pci_io, mac, &link));
  assert_memory_equal(mac, config.mac, sizeof(mac));
  assert_int_equal(nic->attributes, 0); /* decodes nothing, as before */
  nic->supported_attributes &= ~(UINT64)EFI_PCI_IO_ATTRIBUTE_MEMORY;
  assert_false(efi_nic_glance(&nic->pci_io, mac, &link));
  nic->supported_attributes |= EFI_PCI_IO_ATTRIBUTE_MEMORY;
  memset(mac, 0, sizeof(mac));
  nic->attributes = EFI_PCI_IO_ATTRIBUTE_MEMORY;
  nic->config[2] ^= 1U; /* another device */
  assert_false(efi_nic_glance(&nic->pci_io, mac, &link));
  nic->config[2] ^= 1U;
  assert_true(efi_nic_glance(&nic->pci_io, mac, &link));
  assert_memory_equal(mac, config.mac, sizeof(mac));
  assert_false(link.up);
  assert_int_equal(nic->attributes, EFI_PCI_IO_ATTRIBUTE_MEMORY);
  sim_knobs(nic->sim)->gone = true;
  assert_false(efi_nic_glance(&nic->pci_io, mac, &link));
  nic->attributes = 0;
  assert_false(efi_nic_glance(&nic->pci_io, mac, &link));
  assert_int_equal(nic->attributes, 0);
  firmware_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_diagnostics),
      cmocka_unit_test(test_diagnostics_while_running),
      cmocka_unit_test(test_diagnostics_find_faults),
      cmocka_unit_test(test_diagnostics_on_small_rings),
      cmocka_unit_test(test_diagnostics_arguments),
      cmocka_unit_test(test_media_state),
      cmocka_unit_test(test_media_wait_is_had_once),
      cmocka_unit_test(test_media_of_no_device),
      cmocka_unit_test(test_adapter_information_arguments),
      cmocka_unit_test(test_nics_in_bus_order),
      cmocka_unit_test(test_capabilities),
      cmocka_unit_test(test_bar_descriptor_cut_short),
      cmocka_unit_test(test_holder),
      cmocka_unit_test(test_glance),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
