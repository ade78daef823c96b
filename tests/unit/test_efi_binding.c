/* test_efi_binding.c - the driver is loaded, bound, unbound and unloaded, and leaves nothing behind. */
#include "unit_efi.h"

static void test_load_and_unload(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    unit_machine_end(&machine);
  }
}

static void test_bind_and_unbind(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
    assert_non_null(unit_device(machine.nic));
    assert_int_equal(firmware_disconnect(machine.nic->handle, NULL), EFI_SUCCESS);
    assert_null(unit_device(machine.nic));
    assert_int_equal(machine.nic->attributes, 0);
    unit_machine_end(&machine);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_load_and_unload),
      cmocka_unit_test(test_bind_and_unbind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
