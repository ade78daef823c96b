/* test_cmd_nics.c - which NIC, whose it is, whether it has a link and an address: in the order in which that is
 * asked, and what is said of it. */
#include "cmd_machine.h"

static struct firmware_nic *nic;

static void link_down(void *ctx) {
  (void)ctx;
  sim_knobs(nic->sim)->link_down = true;
}

static void link_up(void *ctx) {
  (void)ctx;
  sim_knobs(nic->sim)->link_down = false;
}

static void test_choosing(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  (void)cmd_add_nic(SIM_82540EM, 0xC4);
  struct stack_config none = {0};
  cmd_resident(&none);
  assert_int_equal(cmd("info -n eth0"), EFI_SUCCESS);
  assert_said("82574L (eth0)");
  assert_int_equal(cmd("info -n ETH1"), EFI_SUCCESS);
  assert_said("82540EM (eth1)");
  assert_int_equal(cmd("info -n 1"), EFI_SUCCESS);
  assert_said("82540EM (eth1)");
  assert_int_equal(cmd("info -n 52:54:00:a1:b2:c4"), EFI_SUCCESS);
  assert_said("82540EM (eth1)");
  assert_int_equal(cmd("info -n eth2"), EFI_NOT_FOUND);
  assert_int_equal(cmd("info -n eth"), EFI_NOT_FOUND);
  cmd_end();
}

/* Two with one address: which one is meant must be said, and each has its own stack. */
static void test_one_address_twice(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  (void)cmd_add_nic(SIM_82540EM, 0xC3);
  struct stack_config none = {0};
  cmd_resident(&none);
  assert_int_equal(cmd("info -n 52:54:00:a1:b2:c3"), EFI_INVALID_PARAMETER);
  assert_said("2 NICs have the address 52:54:00:a1:b2:c3");
  assert_said("\n  eth0  0000:00:02.0\n  eth1  0000:00:03.0\n");
  assert_int_equal(cmd("info -n eth1"), EFI_SUCCESS);
  assert_said("82540EM (eth1)");
  cmd_end();
}

/* The other one's address is not this one's, though both have one MAC address. */
static void test_lease_of_the_other(void **state) {
  struct stack_config address = {.address = 0x0A000001, .mask = 0xFFFFFF00};
  (void)state;
  (void)cmd_begin(SIM_82574L);
  struct firmware_nic *twin = cmd_add_nic(SIM_82540EM, 0xC3);
  cmd_resident(&address);
  assert_int_equal(firmware_disconnect(twin->handle, NULL), EFI_SUCCESS);
  assert_int_equal(cmd("info -n eth0"), EFI_SUCCESS);
  assert_said("Address       10.0.0.1, mask 255.255.255.0, gateway none");
  assert_int_equal(cmd_that_stays("handoff -n eth1"), EFI_SUCCESS);
  assert_int_equal(cmd("handoff --show"), EFI_SUCCESS);
  assert_said("no address");
  assert_not_said("10.0.0.1");
  assert_int_equal(cmd_that_stays("handoff --cancel"), EFI_SUCCESS);
  cmd_end();
}

/* A holder comes before everything: nobody is asked for an address that could not be used. */
static void test_holder_first(void **state) {
  struct foreign_driver foreign = {.name = "82540em.efidrv"};
  (void)state;
  nic = cmd_begin(SIM_82540EM);
  EFI_HANDLE driver = foreign_add(&foreign);
  assert_int_equal(firmware_connect_all(nic->handle), EFI_SUCCESS);
  assert_int_equal(cmd("ping 10.0.0.2"), EFI_ACCESS_DENIED);
  assert_said("0000:00:02.0 is held by 'iPXE (82540em.efidrv)'; add --take to take it");
  assert_not_said("DHCP");
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_said("driver iPXE (82540em.efidrv)\n");
  assert_int_equal(cmd("info"), EFI_SUCCESS);
  assert_said("Held by       iPXE (82540em.efidrv)\n");
  assert_said("8086:100e");
  assert_not_said("NVM           checksum");
  assert_int_equal(cmd("info --nvm"), EFI_ACCESS_DENIED);
  assert_said("add --take");
  (void)firmware_disconnect(nic->handle, driver);
  foreign_remove(driver);
  cmd_end();
}

static void test_link_before_dhcp(void **state) {
  struct stack_config server = {.dhcp_address = 0x0A000005, .dhcp_mask = 0xFFFFFF00};
  struct peer peer;
  (void)state;
  nic = cmd_begin(SIM_82574L);
  peer_begin(&peer, nic);
  cmd_resident(&server);
  link_down(NULL);
  assert_int_equal(cmd("ping 10.0.0.2 -c 1"), EFI_NO_MEDIA);
  assert_said("no link on 0000:00:02.0 (82574L)");
  assert_not_said("DHCP");
  assert_int_equal(stack_policies_set(), 0);
  link_up(NULL);
  cmd_end();
}

static void test_link_wait(void **state) {
  struct peer peer;
  (void)state;
  nic = cmd_begin(SIM_82574L);
  peer_begin(&peer, nic);
  link_down(NULL);
  programs_at(firmware_now_us() + 30000000, link_up, NULL);
  assert_int_equal(cmd("ping 10.0.0.2 --addr 10.0.0.1/24 -c 1"), EFI_NO_MEDIA);
  assert_int_equal(cmd("ping 10.0.0.2 --addr 10.0.0.1/24 -c 1 --link-wait 60"), EFI_SUCCESS);
  assert_int_equal(cmd("frames -c 1 --link-wait 0"), EFI_INVALID_PARAMETER);
  cmd_end();
}

static void test_link_in_the_middle(void **state) {
  static const char *const lines[] = {"stats -t 60", "echo -t 60", "ping 10.0.0.2 --addr 10.0.0.1/24 -c 60"};
  (void)state;
  for(size_t i = 0; i < 3; i++) {
    struct peer peer;
    nic = cmd_begin(SIM_82574L);
    peer_begin(&peer, nic);
    programs_at(firmware_now_us() + 20000000, link_down, NULL);
    programs_at(firmware_now_us() + 40000000, link_up, NULL);
    (void)cmd(lines[i]);
    assert_int_equal(cmd_times_said("Link down"), 1);
    assert_int_equal(cmd_times_said("Link up: 1000 Mb/s full duplex"), 1);
    cmd_end();
  }
}

static void test_dhcp_without_a_server(void **state) {
  struct stack_config silent = {0};
  (void)state;
  nic = cmd_begin(SIM_82574L);
  cmd_resident(&silent);
  assert_int_equal(cmd("ping 10.0.0.2"), EFI_TIMEOUT);
  assert_said("no DHCP server answered in 20 s: the link is up");
  cmd_end();
}

/* Three different faults, three different texts. */
static void test_no_answer(void **state) {
  struct peer peer;
  uint8_t frame[1514];
  (void)state;
  nic = cmd_begin(SIM_82574L);
  peer_begin(&peer, nic);
  peer.arp_ignored = 1000;
  peer.echoes_tests = false;
  assert_int_equal(cmd("ping 10.0.0.2 --addr 10.0.0.1/24 -c 1"), EFI_TIMEOUT);
  assert_said("nothing at all came in: 4 frames sent, 0 received");
  assert_int_equal(cmd("frames -c 2"), EFI_TIMEOUT);
  assert_said("nothing at all came in: 2 frames sent, 0 received");
  static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  size_t length = peer_ping(&peer, frame, everybody, 0x0A000009, 1, 56);
  wire_send(nic, 1000000, frame, length);
  wire_send(nic, 1000000, frame, length);
  assert_int_equal(cmd("ping 10.0.0.2 --addr 10.0.0.1/24 -c 1"), EFI_TIMEOUT);
  assert_said("nothing that came in was an answer: 4 frames sent, 2 received");
  cmd_end();
  nic = cmd_begin(SIM_82574L);
  peer_begin(&peer, nic);
  peer.arp_ignored = 1000;
  programs_at(firmware_now_us() + 3000000, link_down, NULL);
  assert_int_equal(cmd("ping 10.0.0.2 --addr 10.0.0.1/24 -c 1"), EFI_TIMEOUT);
  assert_said("the link is down");
  cmd_end();
}

static void test_armed_is_not_taken(void **state) {
  struct stack_config address = {.address = 0x0A000001, .mask = 0xFFFFFF00};
  struct peer peer;
  (void)state;
  nic = cmd_begin(SIM_82574L);
  peer_begin(&peer, nic);
  cmd_resident(&address);
  assert_int_equal(cmd_that_stays("handoff --live"), EFI_SUCCESS);
  assert_int_equal(cmd("ping 10.0.0.2 --take"), EFI_ACCESS_DENIED);
  assert_said("armed for a handoff");
  assert_said("netdiag handoff --cancel");
  assert_int_equal(cmd("info --take"), EFI_ACCESS_DENIED);
  assert_int_equal(cmd("ping 10.0.0.2 -c 1"), EFI_SUCCESS); /* shared */
  assert_int_equal(cmd("handoff --show"), EFI_SUCCESS);
  assert_said("armed, will be live");
  assert_int_equal(cmd_that_stays("handoff --cancel"), EFI_SUCCESS);
  assert_said("The driver stays");
  assert_int_equal(cmd("ping 10.0.0.2 -c 1 --take"), EFI_SUCCESS);
  assert_int_equal(cmd_that_stays("handoff"), EFI_SUCCESS);
  console_forget();
  (void)firmware_disconnect(nic->handle, NULL);
  assert_said("the handoff of 0000:00:02.0 ends");
  cmd_end();
}

static void test_handoff_with_dhcp(void **state) {
  struct stack_config server = {.dhcp_address = 0x0A000005, .dhcp_mask = 0xFFFFFF00, .dhcp_gateway = 0x0A000001};
  (void)state;
  nic = cmd_begin(SIM_82574L);
  cmd_resident(&server);
  assert_int_equal(cmd_that_stays("handoff"), EFI_SUCCESS);
  assert_not_said("Address");
  assert_int_equal(cmd_that_stays("handoff --dhcp"), EFI_SUCCESS);
  assert_said("Address 10.0.0.5, gateway 10.0.0.1");
  assert_int_equal(cmd("handoff --show"), EFI_SUCCESS);
  assert_said("10.0.0.5");
  assert_int_equal(cmd("handoff --show --dhcp"), EFI_INVALID_PARAMETER);
  assert_int_equal(cmd_that_stays("handoff --cancel"), EFI_SUCCESS);
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_choosing),           cmocka_unit_test(test_one_address_twice),
      cmocka_unit_test(test_lease_of_the_other), cmocka_unit_test(test_holder_first),
      cmocka_unit_test(test_link_before_dhcp),   cmocka_unit_test(test_link_wait),
      cmocka_unit_test(test_link_in_the_middle), cmocka_unit_test(test_dhcp_without_a_server),
      cmocka_unit_test(test_no_answer),          cmocka_unit_test(test_armed_is_not_taken),
      cmocka_unit_test(test_handoff_with_dhcp),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
