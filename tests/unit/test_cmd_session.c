/* test_cmd_session.c - which NIC netdiag works on and how it gets it: the choice, other drivers, taking and giving
 * back, the stack's MNP, and Esc in every wait. */
#include "cmd_machine.h"

#define OURS    0x0A000001U /* 10.0.0.1 */
#define MS      1000U
#define ADDRESS "--addr 10.0.0.1/24 "

static struct peer peer;
static struct stack_config stack;

static struct firmware_nic *begin(bool shared) {
  struct firmware_nic *nic = cmd_begin(shared ? SIM_82540EM : SIM_82574L);
  peer_begin(&peer, nic);
  stack = (struct stack_config){.address = OURS, .mask = 0xFFFFFF00U};
  if(shared) {
    cmd_resident(&stack);
  }
  return nic;
}

/* Choice ----------------------------------------------------------------------------------------------------------- */

static void test_choice(void **state) {
  (void)state;
  static const struct {
    const char *words;
    uint32_t device; /* 0: none */
  } cases[] = {
      {"", 2},
      {"-n 0", 2},
      {"-n 1", 3},
      {"-n 2", 4},
      {"-n 3", 0},
      {"-n 00:03.0", 3},
      {"-n 0000:00:04.0", 4},
      {"-n 00:04.1", 0},
      {"-n 01:04.0", 0},
      {"-n 0001:00:04.0", 0},
      {"-n 52:54:00:a1:b2:c4", 3},
      {"-n 52-54-00-A1-B2-C5", 4},
      {"-n 52:54:00:a1:b2:c9", 0},
      {"-n somewhere", 0},
  };
  for(int shared = 0; shared < 2; shared++) {
    (void)cmd_begin(SIM_82574L);
    (void)cmd_add_nic(SIM_82540EM, 0xC4);
    (void)cmd_add_nic(SIM_82545EM, 0xC5);
    stack = (struct stack_config){0};
    if(shared) {
      cmd_resident(&stack);
    }
    for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
      char line[80];
      char found[40];
      bool by_mac = strchr(cases[i].words, 'a') || strchr(cases[i].words, 'A');
      if(by_mac && !shared) {
        continue; /* the MAC address of a NIC that decodes nothing is not known */
      }
      (void)snprintf(line, sizeof(line), "info %s", cases[i].words);
      (void)snprintf(found, sizeof(found), "0000:00:%02x.0", cases[i].device);
      assert_int_equal(cmd(line), cases[i].device ? EFI_SUCCESS : EFI_NOT_FOUND);
      if(cases[i].device) {
        assert_said(found);
      }
    }
    cmd_end();
  }
}

/* The first that the driver knows, not the first on the bus. */
static void test_default_choice(void **state) {
  (void)state;
  struct firmware_nic *unknown = cmd_begin(SIM_82574L);
  (void)cmd_add_nic(SIM_82540EM, 0xC4);
  unknown->config[0x02] = 0x01;
  unknown->config[0x03] = 0x00;
  assert_int_equal(cmd("info"), EFI_SUCCESS);
  assert_said("0000:00:03.0");
  assert_int_equal(cmd("info -n 0"), EFI_UNSUPPORTED);
  cmd_end();
}

static void test_ring_option(void **state) {
  (void)state;
  (void)begin(false);
  assert_int_equal(cmd("ping 10.0.0.2 " ADDRESS "-c 1 --ring 64"), EFI_SUCCESS);
  assert_int_equal(cmd("ping 10.0.0.2 " ADDRESS "-c 1 --ring 100"), EFI_INVALID_PARAMETER);
  assert_said("power of two");
  cmd_end();
}

/* Other drivers ---------------------------------------------------------------------------------------------------- */

static const char *const lines[] = {
    "info --nvm", "stats -t 1", "ping 10.0.0.2 " ADDRESS "-c 1", "frames -s 60 -c 2", "echo -t 1",
};
#define LINES (sizeof(lines) / sizeof(lines[0]))

static EFI_HANDLE holder(const struct firmware_nic *nic) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *entries;
  EFI_HANDLE found = NULL;
  UINTN count;
  assert_int_equal(BS->OpenProtocolInformation(nic->handle, &guid, &entries, &count), EFI_SUCCESS);
  for(UINTN i = 0; i < count; i++) {
    found = entries[i].Attributes & EFI_OPEN_PROTOCOL_BY_DRIVER ? entries[i].AgentHandle : found;
  }
  assert_int_equal(BS->FreePool(entries), EFI_SUCCESS);
  return found;
}

static void test_take_and_give_back(void **state) {
  (void)state;
  for(size_t i = 0; i < LINES; i++) {
    struct foreign_driver foreign = {.name = "Somebody's driver"};
    char line[100];
    struct firmware_nic *nic = begin(false);
    EFI_HANDLE driver = foreign_add(&foreign);
    assert_int_equal(firmware_connect(nic->handle), EFI_SUCCESS);
    assert_int_equal(cmd(lines[i]), EFI_ACCESS_DENIED);
    assert_said("is held by 'Somebody's driver'");
    assert_int_equal(peer.last_length, 0);
    (void)snprintf(line, sizeof(line), "%s --take", lines[i]);
    assert_int_equal(cmd(line), EFI_SUCCESS);
    assert_said("from 'Somebody's driver'");
    assert_ptr_equal(holder(nic), driver); /* given back */
    foreign.keeps = TRUE;
    assert_int_equal(cmd(line), EFI_ACCESS_DENIED);
    assert_said("'Somebody's driver' does not let go");
    assert_ptr_equal(holder(nic), driver);
    cmd_end();
  }
}

static void test_not_taken_back(void **state) {
  (void)state;
  struct foreign_driver foreign = {.name = "Somebody's driver"};
  struct firmware_nic *nic = begin(false);
  (void)foreign_add(&foreign);
  assert_int_equal(firmware_connect(nic->handle), EFI_SUCCESS);
  foreign.refuses = TRUE;
  assert_int_equal(cmd_that_stays("ping 10.0.0.2 " ADDRESS "-c 1 --take"), EFI_NOT_FOUND);
  assert_said("did not take it back");
  assert_said("1 received");
  assert_null(holder(nic));
  cmd_end();
}

/* Given back also when nothing came of it. */
static void test_given_back_after_a_failure(void **state) {
  (void)state;
  struct foreign_driver foreign = {.name = "Somebody's driver"};
  struct firmware_nic *nic = begin(false);
  EFI_HANDLE driver = foreign_add(&foreign);
  assert_int_equal(firmware_connect(nic->handle), EFI_SUCCESS);
  peer.arp_ignored = 100;
  assert_int_equal(cmd("ping 10.0.0.2 " ADDRESS "-W 100 --take"), EFI_TIMEOUT);
  assert_ptr_equal(holder(nic), driver);
  firmware_fail_call("AllocateBuffer", 1);
  assert_int_equal(cmd("ping 10.0.0.2 " ADDRESS "-W 100 --take"), EFI_OUT_OF_RESOURCES);
  assert_ptr_equal(holder(nic), driver);
  sim_knobs(nic->sim)->link_down = true;
  assert_int_equal(cmd("frames --take"), EFI_NO_MEDIA);
  assert_ptr_equal(holder(nic), driver);
  cmd_end();
}

/* From e1000.efi: the stack is there again afterwards, and works. */
static void test_take_from_our_driver(void **state) {
  (void)state;
  for(size_t i = 0; i < LINES; i++) {
    char line[100];
    struct firmware_nic *nic = begin(true);
    (void)snprintf(line, sizeof(line), "%s --take", lines[i]);
    assert_int_equal(cmd(line), EFI_SUCCESS);
    assert_not_said("Sharing");
    assert_ptr_equal(holder(nic), programs_image("e1000.efi"));
    assert_int_equal(cmd("ping 10.0.0.2 -c 1"), EFI_SUCCESS);
    assert_said("Sharing");
    cmd_end();
  }
}

/* MNP -------------------------------------------------------------------------------------------------------------- */

static void test_no_stack_to_share(void **state) {
  (void)state;
  (void)begin(true);
  stack_remove();
  assert_int_equal(cmd("frames"), EFI_UNSUPPORTED);
  assert_said("--take");
  assert_int_equal(cmd("info"), EFI_SUCCESS); /* a look needs no stack */
  cmd_end();
}

/* Each step towards a child of MNP's refused: said, and undone. */
static void test_mnp_refuses(void **state) {
  (void)state;
  static const struct {
    const char *call;
    UINTN count; /* of calls until the link is there */
  } steps[] = {{"Mnp.CreateChild", 1}, {"Mnp.Configure", 1}, {"Mnp.Receive", 8}, {"CreateEvent", 73}};
  for(size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    for(UINTN nth = 1; nth <= steps[i].count; nth++) {
      (void)begin(true);
      firmware_fail_call(steps[i].call, nth);
      assert_int_equal(cmd("frames -s 60 -c 3"), EFI_OUT_OF_RESOURCES);
      assert_string_equal(firmware_failed_call(), steps[i].call);
      if(!strstr(console_text(), "no timer event")) { /* one of the events is the session's own */
        assert_said("cannot be joined");
      }
      assert_int_equal(peer.tests, 0);
      assert_int_equal(stack_children(), 0);
      assert_int_equal(cmd("frames -s 60 -c 3"), EFI_SUCCESS);
      cmd_end();
    }
  }
}

/* Refused while it runs: a receive token is offered again, a frame is sent again. */
static void test_mnp_refuses_later(void **state) {
  (void)state;
  for(UINTN nth = 9; nth < 16; nth++) {
    (void)begin(true);
    firmware_fail_call("Mnp.Receive", nth);
    assert_int_equal(cmd("frames -s 60 -c 100"), EFI_SUCCESS);
    assert_string_equal(firmware_failed_call(), "Mnp.Receive");
    cmd_end();
    (void)begin(true);
    firmware_fail_call("Mnp.Transmit", nth);
    assert_int_equal(cmd("frames -s 60 -c 100"), EFI_SUCCESS);
    assert_string_equal(firmware_failed_call(), "Mnp.Transmit");
    assert_int_equal(peer.tests, 100);
    cmd_end();
  }
}

/* Many in a row: all tokens were refused once, and all slots to send from. */
static void test_mnp_refuses_many(void **state) {
  (void)state;
  static const char *const calls[] = {"Mnp.Receive", "Mnp.Transmit"};
  for(size_t i = 0; i < 2; i++) {
    (void)begin(true);
    firmware_fail_calls(calls[i], 20, 80);
    assert_int_equal(cmd("frames -s 60 -c 200"), EFI_SUCCESS);
    assert_int_equal(peer.tests, 200);
    cmd_end();
  }
}

/* What is still being sent is waited for before its memory goes. */
static void test_mnp_sends_late(void **state) {
  (void)state;
  struct firmware_nic *nic = begin(true);
  stack.sends_late = TRUE;
  assert_int_equal(cmd("frames -s 60 -c 200"), EFI_SUCCESS);
  assert_int_equal(peer.tests, 200);
  peer.echoes_tests = false;
  sim_knobs(nic->sim)->tx_held = true;
  assert_int_equal(cmd("frames -s 60 -c 20"), EFI_TIMEOUT);
  sim_knobs(nic->sim)->tx_held = false;
  sim_step(nic->sim);
  assert_int_equal(cmd("frames -s 60 -c 20 -i 20"), EFI_TIMEOUT);
  cmd_end();
}

/* Esc -------------------------------------------------------------------------------------------------------------- */

static void lose(struct peer *host, struct echo *echo) {
  (void)host;
  echo->copies = 0;
}

enum stop { ESCAPE, CONTROL_C, SHELL_BREAK, STOPS };

static void stop_at(enum stop how, UINT64 at_us) {
  if(how == SHELL_BREAK) {
    programs_break(at_us);
  } else {
    console_press(at_us, how == ESCAPE ? KEY_ESCAPE : 0, how == CONTROL_C ? KEY_CONTROL_C : 0);
  }
}

static void test_stopped(void **state) {
  (void)state;
  static const struct {
    const char *line;
    bool link_down;
    bool no_arp;
    bool no_answer;
    UINT64 after_us;
    EFI_STATUS status;
  } cases[] = {
      {"ping 10.0.0.2 " ADDRESS, true, false, false, 3000U * MS, EFI_ABORTED},                 /* link      */
      {"ping 10.0.0.2 " ADDRESS "-W 60000", false, true, false, 9000U * MS, EFI_ABORTED},      /* ARP       */
      {"ping 10.0.0.2 " ADDRESS "-c 1000", false, false, false, 9000U * MS, EFI_ABORTED},      /* between   */
      {"ping 10.0.0.2 " ADDRESS "-c 1 -W 60000", false, false, true, 9000U * MS, EFI_ABORTED}, /* last reply */
      {"frames", true, false, false, 3000U * MS, EFI_ABORTED},                                 /* link      */
      {"frames -s 60 -c 1000 -i 100", false, false, false, 9000U * MS, EFI_ABORTED},           /* interval  */
      {"frames -s 60 -c 1000 -i 60000", false, false, true, 9000U * MS, EFI_ABORTED},          /* interval  */
      {"echo", false, false, false, 9000U * MS, EFI_SUCCESS},
      {"stats -t 1000", false, false, false, 9000U * MS, EFI_SUCCESS},
  };
  for(size_t i = 0; i < STOPS * 2U * sizeof(cases) / sizeof(cases[0]); i++) {
    bool shared = (i / STOPS) & 1U;
    size_t which = i / STOPS / 2U;
    struct firmware_nic *nic = begin(false);
    sim_knobs(nic->sim)->link_down = cases[which].link_down;
    if(shared) {
      cmd_resident(&stack);
    }
    peer.arp_ignored = cases[which].no_arp ? 1000 : 0;
    peer.on_echo = cases[which].no_answer ? lose : NULL;
    peer.echoes_tests = !cases[which].no_answer;
    UINT64 start_us = firmware_now_us();
    programs_clock_step(100);
    stop_at(i % STOPS, start_us + cases[which].after_us);
    assert_int_equal(cmd(cases[which].line), cases[which].status);
    UINT64 took_us = firmware_now_us() - start_us;
    assert_in_range(took_us, cases[which].after_us, cases[which].after_us + 200U * MS);
    cmd_end();
  }
}

/* Keys pressed before it runs are not for it, and other keys stop nothing. */
static void test_not_stopped(void **state) {
  (void)state;
  (void)begin(false);
  console_press(firmware_now_us(), KEY_ESCAPE, 0);
  programs_clock_step(10);
  assert_int_equal(BS->Stall(10), EFI_SUCCESS);
  for(CHAR16 key = 'a'; key < 'z'; key++) {
    console_press(firmware_now_us() + key * 50U * MS, 0, key);
  }
  assert_int_equal(cmd("ping 10.0.0.2 " ADDRESS "-c 5"), EFI_SUCCESS);
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_choice),
      cmocka_unit_test(test_default_choice),
      cmocka_unit_test(test_ring_option),
      cmocka_unit_test(test_take_and_give_back),
      cmocka_unit_test(test_not_taken_back),
      cmocka_unit_test(test_given_back_after_a_failure),
      cmocka_unit_test(test_take_from_our_driver),
      cmocka_unit_test(test_no_stack_to_share),
      cmocka_unit_test(test_mnp_refuses),
      cmocka_unit_test(test_mnp_refuses_later),
      cmocka_unit_test(test_mnp_refuses_many),
      cmocka_unit_test(test_mnp_sends_late),
      cmocka_unit_test(test_stopped),
      cmocka_unit_test(test_not_stopped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
