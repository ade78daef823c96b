/* test_efi_tick.c - how many frames a NIC under SNP takes between two looks of whoever polls: BENCH.md's table. */
#include "unit_efi.h"

#define TURNS 80U /* more than the largest batch */

static UINTN fill(const struct firmware_nic *nic, const UINT8 *frame, UINTN length) {
  UINTN count = 0;
  while(sim_inject(nic->sim, frame, length) == SIM_DELIVERED) {
    count++;
  }
  return count;
}

static UINTN take(EFI_SIMPLE_NETWORK_PROTOCOL *snp, UINTN most) {
  UINT8 buffer[64];
  UINTN count = 0;
  UINTN size = sizeof(buffer);
  while(count < most && snp->Receive(snp, NULL, &size, buffer, NULL, NULL, NULL) == EFI_SUCCESS) {
    size = sizeof(buffer);
    count++;
  }
  return count;
}

/* All but one descriptor are the device's; when the last batch of them is not given back yet, that is so many less. */
static void test_frames_until_the_ring_is_full(void **state) {
  (void)state;
  static const struct {
    UINT32 descriptors;
    UINTN most;
    UINTN least;
  } rows[] = {{16, 15, 8}, {64, 63, 48}, {256, 255, 192}, {1024, 1023, 960}, {4096, 4095, 4032}};
  for(UINTN i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    const struct sim_config config = unit_config(SIM_82574L);
    firmware_begin();
    struct unit_machine machine = {.nic = firmware_add_nic(&config)};
    firmware_set_variable(&rows[i].descriptors, sizeof(rows[i].descriptors));
    assert_int_equal(firmware_start_image(efi_main, &machine.image), EFI_SUCCESS);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
    UINT8 frame[60];
    unit_frame(frame, sizeof(frame), snp->Mode->BroadcastAddress.Addr, 1);

    assert_int_equal(fill(machine.nic, frame, sizeof(frame)), rows[i].most);
    firmware_tick(1); /* the heartbeat takes nothing from whoever polls */
    assert_int_equal(take(snp, rows[i].most), rows[i].most);
    assert_int_equal(take(snp, 1), 0);

    UINTN least = rows[i].most;
    for(UINTN taken = 0; taken < TURNS; taken++) {
      UINTN count = fill(machine.nic, frame, sizeof(frame));
      least = count < least ? count : least;
      assert_int_equal(take(snp, rows[i].most), count);
      assert_int_equal(sim_inject(machine.nic->sim, frame, sizeof(frame)), SIM_DELIVERED); /* one further on */
      assert_int_equal(take(snp, 1), 1);
    }
    assert_int_equal(least, rows[i].least);
    unit_machine_end(&machine);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_frames_until_the_ring_is_full),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
