/* test_cmd_main.c - what is the same for all of netdiag's commands: the command line, wherever it comes from, help,
 * pages, where complaints go, and the watchdog. */
#include "cmd_machine.h"
#include "efi/version.h"

static const char *const commands[] = {"list", "info",  "stats",  "ping", "dhcp",
                                       "arp",  "route", "frames", "echo", "handoff"};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* Every line is measured by cmd(). */
static void test_help(void **state) {
  char line[64];
  (void)state;
  (void)cmd_begin(SIM_82574L);
  assert_int_equal(cmd("help"), EFI_SUCCESS);
  for(size_t i = 0; i < COMMAND_COUNT; i++) {
    (void)snprintf(line, sizeof(line), "\n  %-8s ", commands[i]);
    assert_said(line);
  }
  for(size_t i = 0; i < COMMAND_COUNT; i++) {
    (void)snprintf(line, sizeof(line), "help %s", commands[i]);
    assert_int_equal(cmd(line), EFI_SUCCESS);
    (void)snprintf(line, sizeof(line), "Usage: netdiag %s [options]", commands[i]);
    assert_said(line);
    assert_said("\n  -b ");
  }
  assert_int_equal(cmd("help help"), EFI_SUCCESS);
  assert_said("Usage: netdiag help");
  assert_int_equal(cmd("help Version"), EFI_SUCCESS);
  assert_said("Usage: netdiag version");
  assert_int_equal(cmd("version --help"), EFI_SUCCESS);
  assert_said("Usage: netdiag version");
  assert_int_equal(cmd("help status"), EFI_SUCCESS);
  static const char *const values[] = {"0x0 ", "0x2 ", "0x3 ",  "0x6 ",  "0x7 ",  "0x9 ", "0xc ",
                                       "0xe ", "0xf ", "0x12 ", "0x13 ", "0x15 ", "0x1a "};
  for(size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    assert_said(values[i]);
  }
  cmd_end();
}

static void test_case_does_not_matter(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  assert_int_equal(cmd("LIST"), EFI_SUCCESS);
  assert_said("82574L");
  assert_int_equal(cmd("Help Ping"), EFI_SUCCESS);
  assert_said("Usage: netdiag ping");
  assert_int_equal(cmd("VERSION"), EFI_SUCCESS);
  assert_int_equal(cmd("ping 10.0.0.2 --addr=10.0.0.1/24 -C 1"), EFI_INVALID_PARAMETER); /* but it does of options */
  assert_said("unknown option '-C'");
  assert_int_equal(cmd("handoff kernel.efi --frames 1"), EFI_INVALID_PARAMETER);
  assert_said("write -- before kernel.efi");
  cmd_end();
}

static EFI_STATUS boot(const void *options, size_t size) {
  console_forget();
  return programs_boot("netdiag.efi", options, (UINT32)size);
}

static void test_load_options(void **state) {
  static const char too_long[3000] = {[0 ... 2998] = 'x'};
  (void)state;
  (void)cmd_begin(SIM_82574L);
  assert_int_equal(boot("version", 7), EFI_SUCCESS);
  assert_said("netdiag " NETDIAG_VERSION "\n");
  assert_int_equal(boot(L"netdiag.efi version \r\n", 46), EFI_SUCCESS);
  assert_said("netdiag " NETDIAG_VERSION "\n");
  assert_int_equal(boot(too_long, sizeof(too_long)), EFI_INVALID_PARAMETER);
  assert_said("the command line is too long");
  cmd_end();
}

/* Stopped while netdiag runs: seen by a program that handoff starts, and by the clock. */
static UINTN watchdog_seen;

static void look_at_watchdog(void *ctx) {
  (void)ctx;
  watchdog_seen = programs_watchdog();
}

static void test_watchdog(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  assert_int_equal(programs_watchdog(), 300);
  programs_at(firmware_now_us() + 2000000, look_at_watchdog, NULL);
  watchdog_seen = 1;
  assert_int_equal(boot("echo -t 5", 9), EFI_SUCCESS);
  assert_int_equal(watchdog_seen, 0);
  assert_int_equal(programs_watchdog(), 300);
  assert_int_equal(boot("echo -t nonsense", 16), EFI_INVALID_PARAMETER);
  assert_int_equal(programs_watchdog(), 300);
  assert_int_equal(cmd("version"), EFI_SUCCESS); /* the Shell has it stopped already, and wants it to stay so */
  assert_int_equal(programs_watchdog(), 0);
  cmd_end();
}

/* What starts as the next image does so as a boot option would; when it returns, netdiag still runs. */
static EFI_STATUS next_entry(EFI_HANDLE image, EFI_SYSTEM_TABLE *system) {
  (void)image;
  (void)system;
  watchdog_seen = programs_watchdog();
  return EFI_ABORTED;
}

static void test_watchdog_of_the_next_image(void **state) {
  static const struct program next = {.name = "next.efi", .entry = next_entry};
  (void)state;
  (void)cmd_begin(SIM_82574L);
  programs_add(&next);
  watchdog_seen = 1;
  assert_int_equal(cmd_that_stays("handoff next.efi"), EFI_ABORTED);
  assert_int_equal(watchdog_seen, 0); /* as the Shell would start it */
  assert_int_equal(boot("handoff next.efi", 16), EFI_ABORTED);
  assert_int_equal(watchdog_seen, 300);
  assert_int_equal(programs_watchdog(), 300);
  assert_int_equal(cmd_that_stays("handoff --cancel"), EFI_SUCCESS);
  cmd_end();
}

static void test_complaints(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  assert_int_equal(cmd("info -n 7"), EFI_NOT_FOUND);
  assert_said("netdiag: no NIC '7'");
  assert_string_equal(console_errors(), ""); /* whose device the user may not see */
  programs_redirect(TRUE, FALSE);
  assert_int_equal(cmd("info -n 7"), EFI_NOT_FOUND);
  assert_true(strncmp(console_errors(), "netdiag: no NIC '7'", 19) == 0);
  assert_string_equal(console_errors(), console_text());
  assert_int_equal(cmd("info --frob"), EFI_INVALID_PARAMETER);
  assert_string_equal(console_errors(), console_text());
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_string_equal(console_errors(), "");
  programs_redirect(FALSE, TRUE);
  assert_int_equal(cmd("info -n 7"), EFI_NOT_FOUND);
  assert_string_equal(console_errors(), console_text());
  cmd_end();
}

/* The screen of the fake firmware has 25 lines. */
static void test_pages(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  assert_int_equal(cmd("info --registers --nvm"), EFI_SUCCESS);
  assert_int_equal(cmd_times_said("any key: more"), 0);
  for(UINT64 s = 60; s < 90; s++) {
    console_press(firmware_now_us() + s * 1000000U, 0, ' ');
  }
  assert_int_equal(cmd("info --registers --nvm -b"), EFI_SUCCESS);
  assert_true(cmd_times_said("any key: more") > 2U);
  assert_said("STATUS");
  size_t lines = 0;
  const char *end = strstr(console_text(), "-- any key");
  for(const char *c = console_text(); c < end; c++) {
    lines += *c == '\n';
  }
  assert_int_equal(lines, 24);
  programs_redirect(TRUE, FALSE);
  assert_int_equal(cmd("info --registers --nvm -b"), EFI_SUCCESS);
  assert_int_equal(cmd_times_said("any key: more"), 0);
  cmd_end();

  (void)cmd_begin(SIM_82574L);
  console_press(firmware_now_us() + 60000000U, 0, 'q');
  assert_int_equal(cmd("info -b --registers"), EFI_SUCCESS);
  assert_int_equal(cmd_times_said("any key: more"), 1);
  assert_true(strstr(console_text(), "stop --\n")[8] == '\0');
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_help),
      cmocka_unit_test(test_case_does_not_matter),
      cmocka_unit_test(test_load_options),
      cmocka_unit_test(test_watchdog),
      cmocka_unit_test(test_watchdog_of_the_next_image),
      cmocka_unit_test(test_complaints),
      cmocka_unit_test(test_pages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
