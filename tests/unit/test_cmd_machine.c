/* test_cmd_machine.c - netdiag on the host: its real entry point, arguments, help, list; and that the account of what a
 * run leaves behind can fail. */
#include "cmd_machine.h"
#include "efi/version.h"

static void test_arguments(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  assert_int_equal(cmd("version"), EFI_SUCCESS);
  assert_said("netdiag " NETDIAG_VERSION "\n");
  assert_int_equal(cmd(""), EFI_SUCCESS);
  assert_said("Usage: netdiag COMMAND");
  assert_int_equal(cmd("help ping"), EFI_SUCCESS);
  assert_said("Usage: netdiag ping [options] TARGET");
  assert_int_equal(cmd("ping --help"), EFI_SUCCESS);
  assert_said("Usage: netdiag ping");
  assert_int_equal(cmd("fly"), EFI_INVALID_PARAMETER);
  assert_said("no command 'fly'");
  assert_int_equal(cmd("help fly"), EFI_INVALID_PARAMETER);
  assert_int_equal(cmd("ping"), EFI_INVALID_PARAMETER);
  assert_said("TARGET is missing");
  assert_int_equal(cmd("ping 10.0.0.2 -c 0"), EFI_INVALID_PARAMETER);
  cmd_end();
}

static void test_list(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  (void)cmd_add_nic(SIM_82540EM, 0xC4);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_said("00:02.0");
  assert_said("00:03.0");
  assert_said("8086:10d3");
  assert_said("8086:100e");
  struct stack_config none = {0};
  cmd_resident(&none);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_said("52:54:00:a1:b2:c3");
  assert_said("52:54:00:a1:b2:c4");
  assert_said("1000 Mb/s full\n");
  cmd_end();
}

static void test_first_ping(void **state) {
  (void)state;
  struct peer peer;
  peer_begin(&peer, cmd_begin(SIM_82574L));
  assert_int_equal(cmd("ping 10.0.0.2 --addr 10.0.0.1/24 -c 3 -i 100"), EFI_SUCCESS);
  assert_said("3 packets transmitted, 3 received, 0% packet loss");
  assert_int_equal(peer.echoes, 3);
  cmd_end();
  struct stack_config address = {.address = 0x0A000001, .mask = 0xFFFFFF00};
  peer_begin(&peer, cmd_begin(SIM_82540EM));
  cmd_resident(&address);
  assert_int_equal(cmd("ping 10.0.0.2 -c 3 -i 100"), EFI_SUCCESS);
  assert_said("3 packets transmitted, 3 received, 0% packet loss");
  assert_said("Sharing");
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_arguments),
      cmocka_unit_test(test_list),
      cmocka_unit_test(test_first_ping),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
