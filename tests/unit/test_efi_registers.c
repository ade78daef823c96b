/* test_efi_registers.c - which way the UEFI home takes to a NIC's registers: at their address, or by PciIo. */
#include "unit_efi.h"

#define VIRTIO 0U /* as a device ID: the other simulator */

static const uint16_t devices[] = {SIM_82540EM, SIM_82574L, VIRTIO};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))

struct machine {
  EFI_HANDLE image;
  struct firmware_nic *nic;
};

static struct machine machine(uint16_t device_id) {
  struct machine new = {0};
  firmware_begin();
  if(device_id == VIRTIO) {
    struct virtio_sim_config config = {.device_id = VIRTIO_SIM_MODERN};
    memcpy(config.mac, unit_mac, sizeof(config.mac));
    new.nic = firmware_add_virtio(&config);
  } else {
    const struct sim_config config = unit_config(device_id);
    new.nic = firmware_add_nic(&config);
  }
  assert_int_equal(firmware_start_image(efi_main, &new.image), EFI_SUCCESS);
  return new;
}

/* A frame each way, and a removal that is noticed. */
static void works_and_goes(const struct machine *machine) {
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine->nic);
  UINT8 frame[100];
  UINT8 back[1518];
  UINTN size = sizeof(back);
  UINT32 causes;
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(firmware_frames(machine->nic), 1);
  assert_int_equal(firmware_inject(machine->nic, frame, sizeof(frame)), SIM_DELIVERED);
  assert_int_equal(snp->Receive(snp, NULL, &size, back, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(size, sizeof(frame));
  assert_memory_equal(back, frame, size);
  firmware_pull_at(machine->nic, firmware_accesses(machine->nic) + 1U);
  firmware_tick(10);
  assert_int_equal(snp->GetStatus(snp, &causes, NULL), EFI_DEVICE_ERROR);
}

static void end(const struct machine *machine) {
  assert_int_equal(firmware_unload_image(machine->image), EFI_SUCCESS);
  firmware_end();
}

static void test_at_their_address(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct machine new = machine(devices[i]);
    works_and_goes(&new);
    assert_int_equal(new.nic->accesses, 0);
    end(&new);
  }
}

static void test_behind_a_bridge_that_translates(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct machine new = machine(devices[i]);
    new.nic->translated = TRUE;
    works_and_goes(&new);
    assert_true(new.nic->accesses > 20);
    end(&new);
  }
}

/* The firmware's word for the address is not the register's: no offset is told, and there is one all the same. */
static void test_two_addresses(void **state) {
  (void)state;
  struct machine new = machine(SIM_82540EM);
  new.nic->bar[0].base += 0x1000U;
  works_and_goes(&new);
  assert_true(new.nic->accesses > 20);
  end(&new);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_at_their_address),
      cmocka_unit_test(test_behind_a_bridge_that_translates),
      cmocka_unit_test(test_two_addresses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
