/* test_cmd_doctor_fetch.c - netdiag doctor where the firmware can fetch: what became of the boot file, by address and
 * by name, from the Shell's line to the last sentence. */
#include "cmd_dhcp.h"
#include "services.h"
#include "volume.h"

#define NAMED "http://boot.test/boot.efi"

static struct peer wire;
static struct dhcp_peer dhcp;
static struct server server;
static struct stack_config stack;

static void begin(void) {
  struct firmware_nic *nic = cmd_begin(SIM_82574L);
  peer_begin(&wire, nic);
  dhcp_peer_begin(&dhcp, nic);
  dhcp.gateway = 0;
  dhcp.pxe_file = NULL;
  dhcp.http_file = "http://10.0.0.2/boot.efi";
  server = (struct server){.files = {{"boot.efi", "no image", 8}}, .step_us = 1000, .piece = 1000};
  services_add(&server);
  stack = (struct stack_config){0};
  stack_add(&stack);
}

static void end(void) {
  assert_int_equal(services_left(), 0);
  cmd_end();
}

static void test_by_address(void **state) {
  (void)state;
  begin();
  assert_int_equal(cmd("doctor"), EFI_LOAD_ERROR);
  assert_said("8 bytes in");
  assert_said("It breaks at 'image': the boot file is no EFI image");
  assert_int_equal(server.lookups, 0);
  end();
}

/* The stack gets the name servers of the lease, and forgets them again. */
static void test_by_name(void **state) {
  (void)state;
  begin();
  dhcp.http_file = NAMED;
  dhcp.dns = 0x0A000003U;
  server.name_address = 0x0A000002U;
  assert_int_equal(cmd("doctor"), EFI_LOAD_ERROR);
  assert_said("gateway none, DNS 10.0.0.3");
  assert_said("It breaks at 'image': the boot file is no EFI image");
  assert_true(server.lookups > 0);
  assert_int_equal(server.name_servers, 1);
  end();
}

static void test_name_not_found(void **state) {
  (void)state;
  for(int silent = 0; silent < 2; silent++) {
    begin();
    dhcp.http_file = NAMED;
    dhcp.dns = 0x0A000003U;
    server.dns_silent = silent > 0;
    assert_int_equal(cmd("doctor"), EFI_NOT_FOUND);
    assert_said("It breaks at 'fetch': the name of the server is not found");
    assert_said(silent ? "no name server answered" : "no name server knows");
    end();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_by_address),
      cmocka_unit_test(test_by_name),
      cmocka_unit_test(test_name_not_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
