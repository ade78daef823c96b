/* fuzz_efi_pci.c - configuration space and BAR descriptors that no bus would show, and services that fail: the driver
 * binds the NIC or leaves it alone, and configuration space is afterwards what it was. */
#include "fuzz.h"

#include "pci.h"
#include "unit_efi.h"

#include "efi/acpi_resource.h"

#define DESCRIPTOR_MAX 64U
#define COMMAND        0x04U
#define BARS           0x10U
#define BARS_END       0x28U

/* What GetBarAttributes says instead of the truth: bytes, zeroed to the length that the first descriptor claims. */
static struct {
  uint8_t bytes[PCI_BAR_COUNT][DESCRIPTOR_MAX];
  uint8_t length[PCI_BAR_COUNT];
} bars;

static EFI_STATUS EFIAPI get_bar(EFI_PCI_IO_PROTOCOL *this, UINT8 index, UINT64 *supports, VOID **resources) {
  (void)this;
  assert_true(index < PCI_BAR_COUNT && !supports);
  const uint8_t *bytes = bars.bytes[index];
  UINTN size = bars.length[index];
  if(size == 0) {
    return EFI_UNSUPPORTED;
  }
  UINTN claimed = bytes[0] == ACPI_ADDRESS_SPACE_DESCRIPTOR ? 3U + (UINTN)bytes[1] + ((UINTN)bytes[2] << 8) : 1U;
  claimed = claimed > size ? claimed : size;
  EFI_STATUS status = BS->AllocatePool(EfiBootServicesData, claimed, resources);
  if(!EFI_ERROR(status)) {
    memset(*resources, 0, claimed);
    memcpy(*resources, bytes, size);
  }
  return status;
}

/* Bytes of the configuration space from `at` on; the device stays one that the driver knows unless they reach there. */
static void change_config(struct fuzz *in, uint8_t config[256]) {
  for(uint32_t edits = fuzz_u8(in) % 16U; edits > 0; edits--) {
    uint8_t at = fuzz_u8(in);
    config[at] = fuzz_u8(in);
  }
}

/* The device decodes what its descriptors say, read here byte by byte. */
static struct firmware_bar decode(const uint8_t *bytes) {
  struct firmware_bar bar = {.type = bytes[3] == ACPI_ADDRESS_SPACE_TYPE_IO};
  if(bytes[0] == ACPI_ADDRESS_SPACE_DESCRIPTOR && (bytes[1] >= 43U || bytes[2] > 0)) {
    memcpy(&bar.base, bytes + 14, sizeof(bar.base));
    memcpy(&bar.size, bytes + 38, sizeof(bar.size));
  }
  return bar;
}

static void change_bars(struct fuzz *in, struct firmware_nic *nic) {
  uint32_t count = fuzz_u8(in) % (PCI_BAR_COUNT + 1U);
  memset(&bars, 0, sizeof(bars));
  if(count > 0) {
    nic->pci_io.GetBarAttributes = get_bar;
    memset(nic->bar, 0, sizeof(nic->bar));
  }
  for(uint32_t i = 0; i < count; i++) {
    bars.length[i] = fuzz_u8(in) % (DESCRIPTOR_MAX + 1U);
    (void)fuzz_bytes(in, bars.bytes[i], bars.length[i]);
    nic->bar[i] = decode(bars.bytes[i]);
  }
}

/* What is found was there. */
static void look_around(struct firmware_nic *nic) {
  struct pci_nic *list;
  UINTN count;
  if(!EFI_ERROR(pci_find_nics(&list, &count))) {
    assert_true(count <= 1 && (count == 0) == (list == NULL));
    if(count == 1 && !firmware_failed_call()) {
      assert_int_equal(nic->config[0x0B], PCI_CLASS_NETWORK);
      assert_int_equal(list->vendor_id, nic->config[0] | nic->config[1] << 8);
    }
    if(list) {
      BS->FreePool(list);
    }
  }
  for(uint32_t id = 0; id < 256U; id++) {
    uint8_t at = pci_find_capability(&nic->pci_io, (UINT8)id);
    assert_true(at == 0 || (at >= 0x40U && at % 4U == 0 && nic->config[at] == id));
  }
  for(uint8_t i = 0; i < PCI_BAR_COUNT; i++) {
    struct pci_bar bar;
    pci_get_bar(&nic->pci_io, i, &bar);
    assert_true(bar.type == PCI_BAR_NONE || bar.size == nic->bar[i].size);
    assert_true(bar.type != PCI_BAR_NONE || nic->bar[i].size == 0 || firmware_failed_call());
  }
}

static void use(struct firmware_nic *nic) {
  struct snp_device *device = unit_device(nic);
  if(!device || !device->child) {
    return;
  }
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_snp(nic);
  (void)snp->Start(snp);
  (void)snp->Initialize(snp, 0, 0);
  firmware_tick(10);
  (void)snp->Shutdown(snp);
  (void)snp->Stop(snp);
}

static void check_config(const struct firmware_nic *nic, const uint8_t before[256]) {
  assert_memory_equal(nic->config + BARS, before + BARS, BARS_END - BARS);
  for(uint32_t i = 0; i < 256U && !firmware_failed_call(); i++) {
    assert_true(i == COMMAND || nic->config[i] == before[i]);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  struct unit_machine machine = unit_machine(fuzz_device(&in));
  struct firmware_nic *nic = machine.nic;
  uint8_t how = fuzz_u8(&in);
  uint32_t fail_at = fuzz_u16(&in);
  uint32_t ring = fuzz_u8(&in) < 0x80U ? E1000_RING_MIN : fuzz_u32(&in);
  firmware_set_variable(&ring, how & 1U ? sizeof(ring) : how >> 4);
  nic->supported_attributes = how & 2U ? nic->supported_attributes : fuzz_u32(&in);
  change_config(&in, nic->config);
  change_bars(&in, nic);
  uint8_t before[256];
  memcpy(before, nic->config, sizeof(before));
  if(how & 4U) {
    firmware_fail_at(1U + fail_at % 2048U, how & 8U);
  }
  look_around(nic);
  (void)firmware_connect(nic->handle);
  use(nic);
  (void)firmware_disconnect(nic->handle, NULL);
  check_config(nic, before);
  if(firmware_failed_call()) {
    unit_power_off();
  } else {
    firmware_fail_at(0, FALSE);
    unit_machine_end(&machine);
  }
  return 0;
}
