/* test_cmd_stack.c - a NIC with a driver and without the firmware's network stack: list and info say when the reason is
 * that the firmware has no source of random numbers, and only then. */
#define _POSIX_C_SOURCE 200809L /* popen */

#include "cmd_json.h"

#define REMEDY "virtio-rng-pci"

static EFI_GUID snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
static EFI_GUID rng_guid = EFI_RNG_PROTOCOL_GUID;
static struct stack_config stack;

/* Whether list and info, as text and as JSON, name the reason. */
static void check(bool named, const char *file, int line) {
  for(int info = 0; info < 2; info++) {
    assert_int_equal(cmd(info ? "info" : "list"), EFI_SUCCESS);
    cmd_assert_said(REMEDY, named, file, line);
    cmd_assert_said("no source of random numbers", named, file, line);
    assert_string_equal(console_errors(), "");
    assert_int_equal(cmd(info ? "info --json" : "list --json"), EFI_SUCCESS);
    const char *yes =
        info ? "'virtio-rng-pci' in d['stack_problem']" : "'virtio-rng-pci' in d['nics'][0]['stack_problem']";
    const char *no = info ? "d['stack_problem'] is None" : "d['nics'][0]['stack_problem'] is None";
    cmd_assert_json(named ? yes : no, file, line);
  }
}
#define assert_named(named) check(named, __FILE__, __LINE__)

static void test_no_randomness(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  stack = (struct stack_config){.address = 0x0A000001U, .mask = 0xFFFFFF00U};
  assert_named(false); /* nobody drives the NIC: there is nothing that a stack could run on */
  cmd_resident(&stack);
  assert_named(false); /* random numbers or not, the stack is there */
  stack_remove();
  assert_named(true);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_said("      network stack none: the firmware has no source of random numbers");
  assert_int_equal(cmd("info"), EFI_SUCCESS);
  assert_said("\nNetwork stack none: the firmware has no source of random numbers");
  EFI_HANDLE source = NULL;
  UINT8 rng;
  assert_int_equal(BS->InstallProtocolInterface(&source, &rng_guid, EFI_NATIVE_INTERFACE, &rng), EFI_SUCCESS);
  assert_named(false); /* switched off in the setup, perhaps */
  assert_int_equal(BS->UninstallProtocolInterface(source, &rng_guid, &rng), EFI_SUCCESS);
  assert_named(true);
  cmd_end();
}

/* A driver of the firmware's that would start, and that nobody connected. */
static void test_not_connected(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  stack = (struct stack_config){.address = 0x0A000001U, .mask = 0xFFFFFF00U};
  cmd_resident(&stack);
  EFI_HANDLE interface = firmware_next(snp_guid, NULL);
  assert_int_equal(firmware_disconnect(interface, NULL), EFI_SUCCESS);
  assert_named(false);
  for(UINTN nth = 1;; nth++) { /* nor when the drivers cannot be asked */
    firmware_fail_call("LocateHandleBuffer", nth);
    (void)cmd("list");
    const char *failed = firmware_failed_call();
    firmware_fail_call(NULL, 0);
    assert_not_said(REMEDY);
    if(!failed) {
      break;
    }
  }
  (void)cmd("doctor");
  assert_said("nobody connected it to this NIC");
  assert_said("'connect -r' in the Shell");
  assert_not_said(REMEDY);
  assert_int_equal(firmware_connect(interface), EFI_SUCCESS);
  (void)cmd("doctor");
  assert_not_said("nobody connected it");
  cmd_end();
}

/* The same below another vendor's driver; without SNP of its own there is nothing to say. */
static void test_foreign(void **state) {
  (void)state;
  for(int snp = 0; snp < 2; snp++) {
    struct foreign_driver foreign = {.name = "Somebody's driver", .snp = snp == 1};
    struct firmware_nic *nic = cmd_begin(SIM_82574L);
    EFI_HANDLE driver = foreign_add(&foreign);
    assert_int_equal(firmware_connect_all(nic->handle), EFI_SUCCESS);
    assert_named(snp == 1);
    (void)firmware_disconnect(nic->handle, driver);
    foreign_remove(driver);
    cmd_end();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_randomness),
      cmocka_unit_test(test_not_connected),
      cmocka_unit_test(test_foreign),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
