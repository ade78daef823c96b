/* test_cmd_virtio.c - netdiag's commands on a simulated virtio-net device, free or held by a resident driver. */
#include "cmd_machine.h"

static struct firmware_nic *begin(uint16_t device_id, enum virtio_sim_layout layout) {
  struct virtio_sim_config config = {
      .device_id = device_id, .layout = layout, .mac = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC4}, .master_ends = true};
  (void)cmd_begin(SIM_82574L); /* the first of two */
  return firmware_add_virtio(&config);
}

/* BARs go by the number of their register, which PciIo's index is not behind one of 64 bits. */
static void test_bars(void **state) {
  (void)state;
  (void)begin(VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_BAR0);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_said("      BAR 0 0xe080100000 4 KiB 64-bit mem\n");
  assert_int_equal(cmd("info -n eth1"), EFI_SUCCESS);
  assert_said("BAR 0         0xe080100000, 4096 bytes, memory 64-bit\n");
  assert_said("BAR 2         0x80120000, 4096 bytes, memory 32-bit\n");
  assert_not_said("BAR 1 ");
  assert_int_equal(cmd("info -n eth1 --json"), EFI_SUCCESS);
  assert_said("{\"index\": 0, \"base\": \"0xe080100000\", \"size\": 4096, \"space\": \"memory\"");
  assert_said("{\"index\": 2, \"base\": \"0x80120000\", \"size\": 4096, \"space\": \"memory\"");
  cmd_end();

  (void)begin(VIRTIO_SIM_TRANSITIONAL, VIRTIO_SIM_LAYOUT_QEMU);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_said("      BAR 0 0x80000000 128 KiB 32-bit mem\n"); /* the first NIC's */
  assert_said("      BAR 4 0xe080140000 16 KiB 64-bit mem\n");
  assert_int_equal(cmd("info -n eth1"), EFI_SUCCESS);
  assert_said("BAR 0         0xc040, 32 bytes, I/O\n");
  assert_said("BAR 1         0x80110000, 4096 bytes, memory 32-bit\n");
  assert_said("BAR 4         0xe080140000, 16384 bytes, memory 64-bit\n");
  cmd_end();

  (void)begin(VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_APART);
  assert_int_equal(cmd("info -n eth1"), EFI_SUCCESS);
  assert_said("BAR 2         0xe080120000, 4096 bytes, memory 64-bit\n");
  assert_said("BAR 4         0x80140000, 16384 bytes, memory 32-bit\n");
  assert_said("BAR 5         0x80150000, 256 bytes, memory 32-bit\n");
  assert_not_said("BAR 3 ");
  cmd_end();
}

static void test_traffic(void **state) {
  (void)state;
  static const uint16_t devices[] = {VIRTIO_SIM_MODERN, VIRTIO_SIM_TRANSITIONAL};
  for(size_t i = 0; i < 2; i++) {
    struct firmware_nic *nic = begin(devices[i], VIRTIO_SIM_LAYOUT_QEMU);
    struct peer peer;
    peer_begin(&peer, nic);
    peer.echoes_tests = true;
    assert_int_equal(cmd("ping 10.0.0.2 -n eth1 --addr 10.0.0.1/24 -c 3 -i 10"), EFI_SUCCESS);
    assert_said("3 packets transmitted, 3 received, 0% packet loss");
    assert_int_equal(cmd("frames -n eth1 -c 300 -s 60-1514"), EFI_SUCCESS);
    assert_said("300 sent, 300 echoed, 0 lost, 0 duplicated, 0 reordered, 0 damaged");
    assert_int_equal(cmd("stats -n eth1 -t 1"), EFI_SUCCESS);
    assert_int_equal(virtio_sim_status(firmware_virtio(nic)), 0); /* reset, and given back */
    assert_int_equal(nic->attributes, 0);
    cmd_end();
  }
}

static void test_removed(void **state) {
  (void)state;
  struct firmware_nic *nic = begin(VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_QEMU);
  struct peer peer;
  peer_begin(&peer, nic);
  firmware_pull_at(nic, 300);
  assert_int_equal(cmd("frames -n eth1 -c 100000"), EFI_DEVICE_ERROR);
  assert_said("was it removed?");
  assert_true(firmware_accesses(nic) >= 300);
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bars),
      cmocka_unit_test(test_traffic),
      cmocka_unit_test(test_removed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
