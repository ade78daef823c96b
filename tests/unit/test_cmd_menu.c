/* test_cmd_menu.c - netdiag without a Shell, as a person before the machine has it: what the screen shows, what the
 * keys do, and what is left behind when he leaves. */
#include "cmd_machine.h"

#include "efi/version.h"
#include "menu/keys.h"

#define START_US 1000000U /* from the start of a run to the first key */
#define EACH_US  1000000U /* from key to key: longer than any command here takes */

static UINT64 next_key_us;

static void begin_keys(void) {
  next_key_us = firmware_now_us() + START_US;
}

static void type(const char *text) {
  next_key_us = console_type(next_key_us, EACH_US, text);
}

static void press(UINT16 scan) {
  console_press(next_key_us, scan, 0);
  next_key_us += EACH_US;
}

/* Rows of the screen as they are between the last key and the next. */
static char seen[64][161];
static UINTN seen_watchdog;

static void look(void *ctx) {
  (void)ctx;
  seen_watchdog = programs_watchdog();
  for(UINTN row = 0; row < 25; row++) {
    (void)snprintf(seen[row], sizeof(seen[row]), "%s", console_row(row));
  }
}

static void look_now(void) {
  programs_at(next_key_us - EACH_US / 2U, look, NULL);
}

/* Runs it as a boot manager does; then nothing may be left. */
static EFI_STATUS boot(void) {
  struct firmware_counts before;
  struct firmware_counts after;
  console_forget();
  firmware_count(&before);
  EFI_STATUS status = programs_boot("netdiag.efi", NULL, 0);
  firmware_count(&after);
  assert_memory_equal(&before, &after, sizeof(before));
  assert_int_equal(firmware_tpl(), TPL_APPLICATION);
  assert_true(console_mode()->CursorVisible);
  assert_int_equal(console_mode()->Attribute, EFI_LIGHTGRAY);
  assert_int_equal(programs_watchdog(), 300); /* as the boot manager wants it */
  return status;
}

static int row_with(const char *text) {
  for(int row = 0; row < 25; row++) {
    if(strstr(seen[row], text)) {
      return row;
    }
  }
  return -1;
}

static void test_page(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  begin_keys();
  look_now();
  type("q");
  assert_int_equal(boot(), EFI_SUCCESS);
  assert_string_equal(seen[0], "netdiag " NETDIAG_VERSION ": network before the operating system");
  assert_true(row_with("L  list          the NICs, their links, and who drives them") > 0);
  assert_true(row_with("C  command line  any command of netdiag") > 0);
  assert_true(row_with("R  reboot        resets the machine") > 0);
  assert_true(row_with("Q  leave         goes back to the boot manager") > 0);
  assert_int_equal(seen_watchdog, 0);
  assert_int_equal(console_scrolled(), 0);
  cmd_end();
}

/* From any console: nothing lies beyond it (the fake firmware ends the program), and nothing scrolls. */
static void test_sizes(void **state) {
  static const UINTN sizes[][2] = {{80, 25}, {100, 31}, {128, 40}, {40, 10}, {1, 1}, {160, 64}};
  (void)state;
  (void)cmd_begin(SIM_82574L);
  for(size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    console_size(sizes[i][0], sizes[i][1]);
    begin_keys();
    press(SCAN_CODE_DOWN);
    press(SCAN_CODE_END);
    type("\r");
    assert_int_equal(boot(), EFI_SUCCESS);
    assert_int_equal(console_scrolled(), 0);
  }
  cmd_end();
}

/* A key redraws the two rows that change, and not the page: a serial line shows the difference. */
static UINTN drawn_before;
static UINTN drawn_by_key;

static void count_from(void *ctx) {
  (void)ctx;
  drawn_before = console_drawn();
}

static void count_to(void *ctx) {
  (void)ctx;
  drawn_by_key = console_drawn() - drawn_before;
}

static void test_choosing(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  begin_keys();
  press(SCAN_CODE_HOME);
  programs_at(next_key_us - EACH_US / 2U, count_from, NULL);
  type("x"); /* no entry's letter */
  programs_at(next_key_us - EACH_US / 2U, count_to, NULL);
  press(SCAN_CODE_UP); /* from the first to the last */
  look_now();
  type("\t"); /* and back */
  programs_at(next_key_us - EACH_US / 2U, count_from, NULL);
  press(SCAN_CODE_DOWN);
  programs_at(next_key_us - EACH_US / 2U, count_to, NULL);
  press(SCAN_CODE_END);
  type("\r");
  assert_int_equal(boot(), EFI_SUCCESS);
  int last = row_with("> Q  leave");
  assert_true(last > 0);
  assert_int_equal(seen[last - 1][1], ' ');
  assert_in_range(drawn_by_key, 40, 160);
  cmd_end();
}

static void test_list(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  begin_keys();
  type("l");
  look_now();
  type(" q");
  assert_int_equal(boot(), EFI_SUCCESS);
  assert_string_equal(seen[0], "netdiag list -b");
  assert_true(row_with("82574L") > 0);
  assert_true(row_with("Press a key for the menu.") > 0);
  cmd_end();
}

/* Keys that were pressed while the command ran are forgotten: they do not end the wait for one. */
static void test_keys_pressed_meanwhile(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  begin_keys();
  type("c");
  type("echo -t 30\r");
  UINT64 at = next_key_us;
  next_key_us += 40 * EACH_US;
  type("menu\rq");
  programs_at(at + 35U * EACH_US, look, NULL);
  console_press(at + 10U * EACH_US, 0, 'z');
  assert_int_equal(boot(), EFI_SUCCESS);
  assert_said("netdiag> echo -t 30");
  assert_true(row_with("netdiag> z") < 0);
  cmd_end();
}

static void test_command_line(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  begin_keys();
  type("cversoin");
  press(SCAN_CODE_LEFT);
  press(SCAN_CODE_LEFT);
  type("\b");
  press(SCAN_CODE_RIGHT);
  type("o\r"); /* vers|o|in -> versin -> versi|o|n */
  look_now();
  type("\x10\r"); /* the same again */
  type("netdiag info -n 7\r");
  type("  \r");
  type("help status\r");
  press(SCAN_CODE_ESCAPE);
  look_now();
  type("Q");
  assert_int_equal(boot(), EFI_SUCCESS);
  assert_said("netdiag> version");
  assert_int_equal(cmd_times_said("\nnetdiag " NETDIAG_VERSION "\n"), 2);
  assert_said("netdiag: no NIC '7'");
  assert_said("Exit status 0xe: Not Found");
  assert_said("0x1a  EFI_SECURITY_VIOLATION");
  assert_string_equal(seen[0], "netdiag " NETDIAG_VERSION ": network before the operating system");
  cmd_end();
}

static void test_long_line(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  begin_keys();
  type("c");
  for(int i = 0; i < 30; i++) {
    type("info -v ");
  }
  look_now();
  type("\r");
  for(int i = 0; i < 70; i++) {
    type("w ");
  }
  type("\rexit\rq");
  assert_int_equal(boot(), EFI_SUCCESS);
  for(int row = 0; row < 25; row++) {
    assert_true(strlen(seen[row]) < 80U);
  }
  assert_true(row_with("netdiag> ") >= 0);
  assert_said("the command line is too long: at most 64 words");
  cmd_end();
}

static void test_reboot(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  begin_keys();
  type("r");
  look_now();
  type("q");
  assert_int_equal(boot(), EFI_SUCCESS);
  assert_int_equal(programs_resets(), 1);
  assert_true(row_with("This firmware does not reset the machine.") > 0);
  cmd_end();
}

/* Esc stops a command and not the menu; Q at the end of a page stops the list and not the wait behind it. */
static void test_stopped_command(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  console_size(80, 4);
  begin_keys();
  type("l"); /* stops at the end of the page */
  type("q"); /* stops the list               */
  look_now();
  type(" ");
  press(SCAN_CODE_ESCAPE);
  type("cping 10.0.0.9 --addr 10.0.0.1/24 --link-wait 300\r");
  press(SCAN_CODE_ESCAPE);
  type("menu\rq");
  assert_int_equal(boot(), EFI_SUCCESS);
  assert_said("-- any key: more, Q: stop --");
  assert_said("Press a key for the menu.");
  assert_said("Exit status 0x15: Aborted");
  cmd_end();
}

/* Whoever starts it without a Shell and with options gets what he asked for; in the Shell no menu comes. */
static void test_no_menu(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  console_forget();
  assert_int_equal(programs_boot("netdiag.efi", "version", 7), EFI_SUCCESS);
  assert_string_equal(console_text(), "netdiag " NETDIAG_VERSION "\n");
  assert_int_equal(cmd(""), EFI_SUCCESS);
  assert_said("Usage: netdiag COMMAND");
  cmd_end();
}

static void test_options_that_are_no_text(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  begin_keys();
  look_now();
  type("q");
  console_forget();
  assert_int_equal(programs_boot("netdiag.efi", "\x4E\xAC\x08\x81", 4), EFI_SUCCESS);
  assert_true(row_with("The load options are no text, and are ignored.") > 0);
  cmd_end();
}

static void test_no_keyboard(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  ST->ConIn = NULL;
  assert_int_equal(boot(), EFI_SUCCESS);
  assert_said("Usage: netdiag COMMAND");
  cmd_power_off();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_page),
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_choosing),
      cmocka_unit_test(test_list),
      cmocka_unit_test(test_keys_pressed_meanwhile),
      cmocka_unit_test(test_command_line),
      cmocka_unit_test(test_long_line),
      cmocka_unit_test(test_reboot),
      cmocka_unit_test(test_stopped_command),
      cmocka_unit_test(test_no_menu),
      cmocka_unit_test(test_options_that_are_no_text),
      cmocka_unit_test(test_no_keyboard),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
