/* test_cmd_monitor.c - netdiag monitor as somebody in front of the console sees it: what the page says, keys, how much
 * is drawn, and the console afterwards. */
#include "cmd_machine.h"

#include <stdlib.h>

#define MS      1000U
#define SECONDS 1000000U

static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t other_mac[6] = {0x02, 0x99, 0x99, 0x99, 0x99, 0x99};

static struct peer peer;
static struct stack_config stack;

static struct firmware_nic *begin(bool shared) {
  struct firmware_nic *nic = cmd_begin(shared ? SIM_82540EM : SIM_82574L);
  peer_begin(&peer, nic);
  programs_clock_step(50);
  stack = (struct stack_config){.address = 0x0A000001U, .mask = 0xFFFFFF00U};
  if(shared) {
    cmd_resident(&stack);
  }
  return nic;
}

/* So many frames from the peer for somebody else, each second `per_second`. */
static void send_frames(UINT64 delay_us, uint32_t count, uint32_t per_second, const uint8_t *to, size_t length) {
  uint8_t frame[1514] = {0};
  (void)peer_test_frame(&peer, frame, to, length, 1);
  frame[19] = 9; /* of no kind that anybody answers */
  for(uint32_t i = 0; i < count; i++) {
    wire_send(peer.nic, delay_us + i * (UINT64)SECONDS / per_second, frame, length);
  }
}

static void assert_row(UINTN row, const char *text) {
  if(!strstr(console_row(row), text)) {
    fail_msg("row %zu is '%s' and not '%s'", (size_t)row, console_row(row), text);
  }
}

/* The row one up when the last page's cursor has gone to the next line. */
static void assert_page(UINTN row, const char *text) {
  assert_int_equal(console_scrolled(), 1);
  assert_row(row - 1U, text);
}

static void assert_console_is_back(void) {
  assert_true(console_mode()->CursorVisible);
  assert_int_equal(console_mode()->Attribute, EFI_LIGHTGRAY);
  assert_int_equal(console_mode()->CursorColumn, 0);
}

static void test_page(void **state) {
  (void)state;
  begin(false);
  send_frames(2 * SECONDS + 100U * MS, 400, 100, other_mac, 1000);
  assert_int_equal(cmd("monitor -t 5"), EFI_SUCCESS);
  assert_row(2, "in  ");
  assert_in_range(strtoul(console_row(2) + 2, NULL, 10), 99, 101); /* it naps for 10 ms */
  console_size(80, 25);
  assert_int_equal(BS->Stall(2 * SECONDS), EFI_SUCCESS);
  send_frames(2 * SECONDS + 100U * MS, 400, 100, other_mac, 1000);
  assert_int_equal(cmd("monitor -t 9"), EFI_SUCCESS);
  assert_row(0, "Link up, 1000 Mb/s full duplex");
  assert_row(0, "every frame on the wire");
  assert_page(3, "in ");
  assert_row(2, "0          0 b/s             400        400 kB           1000");
  assert_page(13, "all since it began");
  assert_page(19, "512-1023");
  assert_row(14, "test frames   400 kB");
  assert_row(14, "02:11:22:33:44:55      400 kB");
  assert_page(23, "receive [############] 255 of 256 ready");
  assert_page(24, "N: next NIC");
  assert_console_is_back();
  cmd_end();
}

static void test_not_promiscuous(void **state) {
  (void)state;
  begin(false);
  send_frames(2 * SECONDS, 30, 100, other_mac, 1000);
  send_frames(2 * SECONDS, 20, 100, everybody, 100);
  assert_int_equal(cmd("monitor -p -t 4"), EFI_SUCCESS);
  assert_row(0, "frames for us and for all");
  assert_row(2, "20        2.0 kB            100");
  cmd_end();
}

static void test_shared(void **state) {
  (void)state;
  begin(true);
  send_frames(1 * SECONDS, 30, 100, other_mac, 1000);
  assert_int_equal(cmd("monitor -t 3"), EFI_SUCCESS);
  assert_row(0, "shared with the firmware's stack");
  assert_row(2, "30       30.0 kB           1000");
  assert_page(23, "of 256 ready");
  cmd_end();
}

/* Without a link it waits for one. */
static void plug(void *sim) {
  sim_knobs(sim)->link_down = false;
}

static void test_link(void **state) {
  (void)state;
  struct firmware_nic *nic = begin(false);
  sim_knobs(nic->sim)->link_down = true;
  assert_int_equal(cmd("monitor -t 2"), EFI_SUCCESS);
  assert_row(0, "Link down");
  console_size(80, 25);
  programs_at(firmware_now_us() + SECONDS, plug, nic->sim);
  assert_int_equal(cmd("monitor -t 3"), EFI_SUCCESS);
  assert_row(0, "Link up, 1000 Mb/s full duplex");
  cmd_end();
}

/* Each way out gives the console back. */
static void pull(void *sim) {
  sim_knobs(sim)->gone = true;
}

static void test_ways_out(void **state) {
  (void)state;
  struct firmware_nic *nic = begin(false);
  console_press(firmware_now_us() + 1500U * MS, KEY_ESCAPE, 0);
  assert_int_equal(cmd("monitor"), EFI_SUCCESS);
  assert_console_is_back();
  console_press(firmware_now_us() + 1500U * MS, 0, 'q');
  assert_int_equal(cmd("monitor"), EFI_SUCCESS);
  assert_console_is_back();
  console_press(firmware_now_us() + 1500U * MS, 0, KEY_CONTROL_C);
  assert_int_equal(cmd("monitor"), EFI_SUCCESS);
  assert_console_is_back();
  programs_at(firmware_now_us() + 1500U * MS, pull, nic->sim);
  assert_int_equal(cmd("monitor"), EFI_DEVICE_ERROR);
  assert_said("the NIC no longer answers: was it removed?");
  assert_console_is_back();
  cmd_end();
}

/* N goes round the NICs; R begins anew; other keys do nothing. */
static void test_keys(void **state) {
  (void)state;
  begin(false);
  (void)cmd_add_nic(SIM_82545EM, 0xC4);
  const UINT64 now = firmware_now_us();
  send_frames(1 * SECONDS, 30, 100, other_mac, 1000);
  console_press(now + 3 * SECONDS, 0, 'x');
  console_press(now + 4 * SECONDS, 0, 'N');
  assert_int_equal(cmd("monitor -t 6"), EFI_SUCCESS);
  assert_int_equal(cmd_times_said("eth0  82574L  52:54:00:a1:b2:c3"), 1);
  assert_int_equal(cmd_times_said("eth1  82545EM  52:54:00:a1:b2:c4"), 1);
  console_size(80, 25);
  console_press(firmware_now_us() + 2 * SECONDS, 0, 'n');
  console_press(firmware_now_us() + 4 * SECONDS, 0, 'n');
  assert_int_equal(cmd("monitor -n eth1 -t 6"), EFI_SUCCESS);
  assert_int_equal(cmd_times_said("eth1  82545EM"), 2);
  assert_console_is_back();
  cmd_end();

  begin(false);
  send_frames(1 * SECONDS, 30, 100, other_mac, 1000);
  console_press(firmware_now_us() + 3 * SECONDS, 0, 'r');
  console_press(firmware_now_us() + 4500U * MS, 0, 'n');
  assert_int_equal(cmd("monitor -t 5"), EFI_SUCCESS);
  assert_row(2, "   0           0 B              0");
  assert_page(24, "There is no other NIC here that can be watched.");
  cmd_end();
}

static void test_sizes(void **state) {
  (void)state;
  static const UINTN sizes[][2] = {{80, 25}, {100, 31}, {128, 40}, {160, 64}};
  for(size_t i = 0; i < 4; i++) {
    begin(false);
    console_size(sizes[i][0], sizes[i][1]);
    assert_int_equal(cmd("monitor -t 2"), EFI_SUCCESS);
    assert_page(sizes[i][1] - 1U, "N: next NIC");
    cmd_end();
  }
  begin(false);
  console_size(80, 24);
  assert_int_equal(cmd("monitor -t 2"), EFI_UNSUPPORTED);
  assert_said("monitor: this console has 80 x 24, and the page needs 80 x 25: 'mode' in the Shell lists the sizes");
  console_size(79, 25);
  assert_int_equal(cmd("monitor -t 2"), EFI_UNSUPPORTED);
  console_size(80, 25);
  programs_redirect(TRUE, FALSE);
  assert_int_equal(cmd("monitor -t 2"), EFI_UNSUPPORTED);
  assert_said("monitor draws on the console, and the output goes to a file");
  cmd_end();
}

/* Over a serial line each character takes its time: after the first page a quiet wire costs two digits a second, and a
 * busy one, whose graph moves, less than half a page. */
static void test_little_is_drawn(void **state) {
  (void)state;
  static UINTN drawn[2];
  for(size_t busy = 0; busy < 2; busy++) {
    for(size_t i = 0; i < 2; i++) {
      begin(false);
      console_slow(87);
      if(busy) {
        send_frames(1 * SECONDS, 4000, 200, other_mac, 1000);
      }
      assert_int_equal(cmd(i ? "monitor -t 14" : "monitor -t 4"), EFI_SUCCESS);
      drawn[i] = console_drawn();
      cmd_end();
    }
    UINTN each = (drawn[1] - drawn[0]) / 10U;
    assert_in_range(each, 1, busy ? 1000 : 3);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_page),  cmocka_unit_test(test_not_promiscuous), cmocka_unit_test(test_shared),
      cmocka_unit_test(test_link),  cmocka_unit_test(test_ways_out),        cmocka_unit_test(test_keys),
      cmocka_unit_test(test_sizes), cmocka_unit_test(test_little_is_drawn),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
