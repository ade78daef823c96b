/* test_efi_translated.c - registers behind a host bridge that translates: the processor's address of a BAR is not the
 * one that the BAR holds. PciIo knows the way; no access of any width goes past it. */
#include "handoff.h"
#include "handoff_producer.h"
#include "efi/acpi_resource.h"
#include "unit_efi.h"

#define SIZE  0x1000U
#define SHIFT 0x4000000000ULL /* as ARM boards have it: PCI's 2 GiB at the processor's 258 GiB */

/* A device of bytes, which says how wide the last access was. */
struct memory {
  uint8_t bytes[SIZE];
  uint32_t width;
  uint32_t accesses;
};

static uint32_t read(void *device, uint32_t bar, uint32_t offset, uint32_t width) {
  struct memory *memory = device;
  uint32_t value = 0;
  assert_int_equal(bar, 2);
  memcpy(&value, memory->bytes + offset, width);
  memory->width = width;
  memory->accesses++;
  return value;
}

static void write(void *device, uint32_t bar, uint32_t offset, uint32_t width, uint32_t value) {
  struct memory *memory = device;
  assert_int_equal(bar, 2);
  memcpy(memory->bytes + offset, &value, width);
  memory->width = width;
  memory->accesses++;
}

static const char *complaint(void *device) {
  (void)device;
  return "";
}

static const struct firmware_device kind = {.vendor_id = 0x1234,
                                            .device_id = 1,
                                            .bar = 2,
                                            .bar_size = SIZE,
                                            .read = read,
                                            .write = write,
                                            .complaint = complaint};

/* Each width to the device and back, alone; `by_pciio`: all of it through PciIo.Mem, else none. */
static void every_width(struct efi_nic *nic, const struct firmware_nic *behind, struct memory *memory, bool by_pciio) {
  const struct net_platform *platform = &nic->platform;
  UINT64 before = behind->accesses;
  uint32_t accesses = memory->accesses;
  memset(memory->bytes, 0xEE, SIZE);

  platform->write32(nic, 2, 0x10, 0x11223344U);
  assert_int_equal(memory->width, 4);
  platform->write16(nic, 2, 0x20, 0x5566U);
  assert_int_equal(memory->width, 2);
  platform->write8(nic, 2, SIZE - 1U, 0x77U);
  assert_int_equal(memory->width, 1);
  assert_memory_equal(memory->bytes + 0x0F, "\xEE\x44\x33\x22\x11\xEE", 6);
  assert_memory_equal(memory->bytes + 0x1F, "\xEE\x66\x55\xEE", 4);
  assert_memory_equal(memory->bytes + SIZE - 2U, "\xEE\x77", 2);

  assert_int_equal(platform->read32(nic, 2, 0x10), 0x11223344U);
  assert_int_equal(memory->width, 4);
  assert_int_equal(platform->read16(nic, 2, 0x20), 0x5566U);
  assert_int_equal(memory->width, 2);
  assert_int_equal(platform->read8(nic, 2, SIZE - 1U), 0x77U);
  assert_int_equal(memory->width, 1);

  assert_int_equal(memory->accesses - accesses, 6);
  assert_int_equal(behind->accesses - before, by_pciio ? 6 : 0);
}

/* The bridge adds and takes away; it says so although it changes nothing; it changes something and does not say so. */
static void test_every_width(void **state) {
  static const struct {
    UINT64 shift;
    BOOLEAN told;
    bool by_pciio;
  } bridges[] = {
      {0, FALSE, false}, {SHIFT, TRUE, true}, {0 - 0x40000000ULL, TRUE, true}, {0, TRUE, true}, {SHIFT, FALSE, true},
  };
  (void)state;
  for(size_t i = 0; i < sizeof(bridges) / sizeof(bridges[0]); i++) {
    struct memory memory = {.width = 0};
    firmware_begin();
    struct firmware_nic *behind = firmware_add_device(&kind, &memory);
    UINT64 bus = behind->bar[2].base;
    if(bridges[i].told || bridges[i].shift) {
      firmware_translate(behind, bridges[i].shift);
      behind->translated = bridges[i].told;
    }
    behind->attributes = EFI_PCI_IO_ATTRIBUTE_MEMORY;
    struct efi_nic nic = {.pci_io = &behind->pci_io};
    efi_platform_init(&nic);
    assert_int_equal(nic.platform.bar[2].kind, NET_BAR_MEMORY);
    assert_int_equal(nic.platform.bar[2].size, SIZE);
    assert_int_equal(nic.bar_address[2], bridges[i].by_pciio ? 0 : bus);
    every_width(&nic, behind, &memory, bridges[i].by_pciio);
    behind->attributes = 0;
    firmware_end();
  }
}

static void arm_live(const struct firmware_nic *nic) {
  static const struct net_handoff_lease none = {.address = {0}};
  struct pci_nic *list;
  UINTN count;
  assert_int_equal(pci_find_nics(&list, &count), EFI_SUCCESS);
  assert_int_equal(count, 1);
  assert_int_equal(handoff_arm(&unit_device(nic)->nic, &list[0], TRUE, &none), EFI_SUCCESS);
  assert_int_equal(BS->FreePool(list), EFI_SUCCESS);
}

/* A whole driver there, and what it tells the next stage: the processor's address, and the one in the BAR. Of virtio's
 * BAR of 64 bits, both halves. */
static void test_handed_over(void **state) {
  (void)state;
  for(int virtio = 0; virtio < 2; virtio++) {
    EFI_HANDLE image;
    struct net_handoff_copy table;
    struct virtio_sim_config virtio_config = {.device_id = VIRTIO_SIM_MODERN};
    const struct sim_config config = unit_config(SIM_82574L);
    firmware_begin();
    memcpy(virtio_config.mac, unit_mac, sizeof(virtio_config.mac));
    struct firmware_nic *nic = virtio ? firmware_add_virtio(&virtio_config) : firmware_add_nic(&config);
    firmware_translate(nic, SHIFT);
    assert_int_equal(firmware_start_image(efi_main, &image), EFI_SUCCESS);
    (void)unit_open(nic);
    assert_true(nic->accesses > 20);
    arm_live(nic);
    const struct net_handoff_image *published = handoff_find();
    assert_non_null(published);
    assert_null(net_handoff_validate(published, sizeof(*published), (UINTN)published, &table));
    UINTN seen = 0;
    for(UINTN i = 0; i < 6; i++) {
      const struct firmware_bar *bar = &nic->bar[i];
      if(bar->type == ACPI_ADDRESS_SPACE_TYPE_MEM && bar->size > 0) {
        assert_int_equal(table.nic[0].bar[bar->number].processor, bar->base);
        assert_int_equal(table.nic[0].bar[bar->number].bus, bar->base - SHIFT);
        assert_int_equal(table.nic[0].bar[bar->number].size, bar->size);
        seen++;
      }
    }
    assert_true(seen > 0);
    handoff_disarm(&unit_device(nic)->nic);
    assert_int_equal(firmware_unload_image(image), EFI_SUCCESS);
    firmware_end();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_width),
      cmocka_unit_test(test_handed_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
