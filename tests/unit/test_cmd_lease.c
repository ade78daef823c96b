/* test_cmd_lease.c - the address that netdiag gets from the firmware: by DHCP when there is none, over the stack on the
 * NIC or over its own driver for that while; the gateway; and the policy that is put back on every way out. */
#include "cmd_machine.h"

#define LEASED 0x0A000005U /* 10.0.0.5 */
#define OURS   0x0A000001U
#define MASK   0xFFFFFF00U
#define MS     1000U
#define S      1000000U

static struct peer peer;
static struct stack_config stack;

/* A stack without an address, and a server that has one. The NIC is e1000.efi's, or nobody's. */
static struct firmware_nic *begin(bool shared) {
  struct firmware_nic *nic = cmd_begin(shared ? SIM_82540EM : SIM_82574L);
  peer_begin(&peer, nic);
  stack = (struct stack_config){.dhcp_address = LEASED,
                                .dhcp_mask = MASK,
                                .dhcp_gateway = PEER_ADDRESS,
                                .dhcp_delay_us = 3U * S,
                                .gateway_delay_us = 300U * MS};
  if(shared) {
    cmd_resident(&stack);
  } else {
    stack_add(&stack);
  }
  return nic;
}

static void assert_source(uint32_t address) {
  for(uint32_t i = 0; i < 4; i++) {
    assert_int_equal(peer.last[26U + i], (uint8_t)(address >> (24U - 8U * i)));
  }
}

static void test_leased(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    (void)begin(shared);
    assert_int_equal(cmd("ping 10.0.0.2 -c 2 -i 50"), EFI_SUCCESS);
    assert_said("10.0.0.5");
    assert_source(LEASED);
    assert_int_equal(stack_policies_set(), 2); /* there and back */
    assert_false(stack_policy());
    cmd_end();
  }
}

static void test_has_one(void **state) {
  (void)state;
  (void)begin(true);
  stack.address = OURS;
  stack.mask = MASK;
  stack.gateway = PEER_ADDRESS;
  assert_int_equal(cmd("ping 10.0.0.2 -c 2 -i 50"), EFI_SUCCESS);
  assert_source(OURS);
  assert_int_equal(stack_policies_set(), 0);
  assert_int_equal(cmd("ping 192.168.7.9 -c 1 -W 100"), EFI_TIMEOUT); /* by way of its gateway */
  assert_int_equal(peer.last[30], 192);
  assert_memory_equal(peer.last, peer_mac, 6);
  cmd_end();
}

/* With --addr nobody is asked. */
static void test_given(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    (void)begin(shared);
    assert_int_equal(cmd("ping 10.0.0.2 --addr 10.0.0.77/24 -c 2 -i 50"), EFI_SUCCESS);
    assert_source(0x0A00004DU);
    assert_int_equal(stack_policies_set(), 0);
    cmd_end();
  }
}

static void test_policy_was_dhcp(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    struct firmware_nic *nic = cmd_begin(SIM_82574L);
    peer_begin(&peer, nic);
    stack =
        (struct stack_config){.dhcp_policy = TRUE, .dhcp_address = LEASED, .dhcp_mask = MASK, .dhcp_delay_us = 2U * S};
    if(shared) {
      cmd_resident(&stack);
    } else {
      stack_add(&stack);
    }
    assert_int_equal(cmd("ping 10.0.0.2 -c 1"), EFI_SUCCESS);
    assert_source(LEASED);
    assert_true(stack_policy()); /* as it was */
    cmd_end();
  }
}

/* The stack sets the gateway a moment after the address. */
static void test_gateway(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    (void)begin(shared);
    assert_int_equal(cmd("ping 192.168.7.9 -c 1 -W 100"), EFI_TIMEOUT);
    assert_said("gateway 10.0.0.2");
    assert_int_equal(peer.arp_target, PEER_ADDRESS);
    assert_int_equal(peer.last[30], 192);
    cmd_end();
    (void)begin(shared); /* one that is given goes before DHCP's */
    stack.dhcp_gateway = 0x0A0000FEU;
    assert_int_equal(cmd("ping 192.168.7.9 -c 1 -W 100 --gw 10.0.0.2"), EFI_TIMEOUT);
    assert_int_equal(peer.arp_target, PEER_ADDRESS);
    assert_int_equal(peer.last[30], 192);
    cmd_end();
    (void)begin(shared); /* and a network without one is known for it */
    stack.dhcp_gateway = 0;
    assert_int_equal(cmd("ping 192.168.7.9 -c 1 -W 100"), EFI_INVALID_PARAMETER);
    assert_said("--gw");
    assert_false(stack_policy());
    cmd_end();
  }
}

static void test_no_server(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    (void)begin(shared);
    stack.dhcp_address = 0;
    UINT64 start_us = firmware_now_us();
    assert_int_equal(cmd("ping 10.0.0.2"), EFI_TIMEOUT);
    assert_said("no DHCP server answered");
    assert_in_range(firmware_now_us() - start_us, 20U * S, 28U * S);
    assert_false(stack_policy());
    assert_int_equal(peer.echoes, 0);
    cmd_end();
  }
}

static void test_stopped(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    (void)begin(shared);
    stack.dhcp_delay_us = 15U * S;
    UINT64 start_us = firmware_now_us();
    console_press(start_us + 8U * S, KEY_ESCAPE, 0);
    assert_int_equal(cmd("ping 10.0.0.2"), EFI_ABORTED);
    assert_in_range(firmware_now_us() - start_us, 8U * S, 9U * S);
    assert_false(stack_policy());
    assert_int_equal(peer.echoes, 0);
    cmd_end();
  }
}

static void test_refused(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    (void)begin(shared);
    firmware_fail_call("Ip4Config2.SetData", 1);
    assert_int_equal(cmd("ping 10.0.0.2"), EFI_DEVICE_ERROR);
    assert_said("refuses to use DHCP");
    assert_false(stack_policy());
    cmd_end();
    (void)begin(shared); /* what could not be put back is said; the ping goes on */
    firmware_fail_call("Ip4Config2.SetData", 2);
    assert_int_equal(cmd("ping 10.0.0.2 -c 1"), EFI_SUCCESS);
    assert_said("policy stays at DHCP");
    assert_true(stack_policy());
    cmd_end();
  }
}

static void test_no_stack(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    (void)begin(shared);
    stack_remove();
    assert_int_equal(cmd("ping 10.0.0.2"), EFI_UNSUPPORTED);
    assert_said("--addr");
    assert_said("no random numbers"); /* there is no EFI_RNG_PROTOCOL */
    cmd_end();
  }
  struct foreign_driver foreign = {.name = "Somebody's driver"};
  struct firmware_nic *nic = begin(false);
  (void)foreign_add(&foreign);
  assert_int_equal(firmware_connect(nic->handle), EFI_SUCCESS);
  EFI_STATUS status = cmd("ping 10.0.0.2");
  assert_true(status == EFI_UNSUPPORTED ||
              status == EFI_ACCESS_DENIED); /* no stack there; or whose it is comes first */
  assert_int_equal(peer.last_length, 0);
  cmd_end();
}

/* With two NICs the address is that of the one that is used. */
static void test_whose_address(void **state) {
  (void)state;
  struct peer other;
  (void)cmd_begin(SIM_82574L);
  struct firmware_nic *second = cmd_add_nic(SIM_82540EM, 0xC4);
  stack = (struct stack_config){.address = OURS, .mask = MASK};
  cmd_resident(&stack);
  stack_address_of(second, 0x0A000009U);
  peer_begin(&other, second);
  assert_int_equal(cmd("ping 10.0.0.2 -c 1 -n 1"), EFI_SUCCESS);
  assert_int_equal(other.last[29], 9);
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_leased),          cmocka_unit_test(test_has_one), cmocka_unit_test(test_given),
      cmocka_unit_test(test_policy_was_dhcp), cmocka_unit_test(test_gateway), cmocka_unit_test(test_no_server),
      cmocka_unit_test(test_stopped),         cmocka_unit_test(test_refused), cmocka_unit_test(test_no_stack),
      cmocka_unit_test(test_whose_address),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
