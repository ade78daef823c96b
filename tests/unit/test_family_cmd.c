/* test_family_cmd.c - netdiag with a family that it has not heard of (fake_family.c): list, info and stats. */
#include "cmd_machine.h"
#include "fake_device.h"

static const struct firmware_device kind = {.vendor_id = FAKE_VENDOR_ID,
                                            .device_id = FAKE_DEVICE_ID,
                                            .bar = FAKE_BAR,
                                            .bar_size = FAKE_BAR_SIZE,
                                            .read = fake_device_read,
                                            .write = fake_device_write,
                                            .map = fake_device_map,
                                            .unmap = fake_device_unmap,
                                            .complaint = fake_device_complaint};

/* Beside an Intel NIC, which this netdiag has no driver for. */
static void begin(struct fake_device *device) {
  *device = (struct fake_device){.mac = {0x52, 0x54, 0x00, 0xFA, 0xFA, 0xFA}, .speed = 2500};
  (void)cmd_begin(SIM_82574L);
  struct firmware_nic *nic = firmware_add_device(&kind, device);
  nic->attributes = EFI_PCI_IO_ATTRIBUTE_MEMORY; /* decoded, as on most machines */
  nic->config[4] = 2;
}

static void test_list(void **state) {
  (void)state;
  struct fake_device device;
  begin(&device);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_said("00:03.0");
  assert_said("f00d:0001");
  assert_said("52:54:00:fa:fa:fa");
  assert_said("up");
  assert_said("not supported"); /* the other one */
  assert_int_equal(device.resets, 0);
  device.speed = 0;
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_said("down");
  cmd_end();
}

static void test_info(void **state) {
  (void)state;
  struct fake_device device;
  begin(&device);
  assert_int_equal(cmd("info -n 00:03.0 --registers"), EFI_SUCCESS);
  assert_said("Fake-1");
  assert_said("52:54:00:fa:fa:fa");
  assert_said("2500 Mb/s full duplex");
  assert_said("FAKE_RUN");
  assert_false(device.running); /* given back */
  assert_true(device.resets > 0);
  device.gone = true;
  assert_int_not_equal(cmd("info -n 00:03.0"), EFI_SUCCESS);
  cmd_end();
}

static void test_stats(void **state) {
  (void)state;
  struct fake_device device;
  begin(&device);
  assert_int_equal(cmd("stats -n 00:03.0 -t 2"), EFI_SUCCESS);
  assert_false(device.running);
  assert_int_equal(device.complaint == NULL, true);
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_list),
      cmocka_unit_test(test_info),
      cmocka_unit_test(test_stats),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
