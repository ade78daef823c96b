/* test_menu.c - the line that is typed, its history and view; the menu's keys and its pages, at several sizes. */
#include "unit.h"

#include <stdio.h>

#include "menu/line_edit.h"
#include "menu/menu_state.h"

/* Line ----------------------------------------------------------------------------------------------------------- */

static struct line_edit edit;

static enum line_edit_step press(uint16_t scan) {
  enum line_edit_step step = line_edit_key(&edit, (struct key){.scan = scan});
  assert_true(line_edit_valid(&edit));
  return step;
}

/* Characters; the last one's step. */
static enum line_edit_step type(const char *text) {
  enum line_edit_step step = LINE_EDIT_GOES_ON;
  for(; *text; text++) {
    step = line_edit_key(&edit, (struct key){.character = (uint8_t)*text});
    assert_true(line_edit_valid(&edit));
  }
  return step;
}

static void begin(void) {
  line_edit_init(&edit);
  line_edit_begin(&edit);
}

static void test_editing(void **state) {
  (void)state;
  begin();
  assert_int_equal(type("ping 10.0.2.2"), LINE_EDIT_GOES_ON);
  assert_string_equal(edit.text, "ping 10.0.2.2");
  (void)press(SCAN_CODE_HOME);
  (void)type("x");
  assert_string_equal(edit.text, "xping 10.0.2.2");
  (void)press(SCAN_CODE_LEFT);
  (void)press(SCAN_CODE_LEFT); /* no further */
  (void)press(SCAN_CODE_DELETE);
  assert_string_equal(edit.text, "ping 10.0.2.2");
  (void)press(SCAN_CODE_END);
  (void)press(SCAN_CODE_RIGHT); /* no further */
  (void)type("\x04");           /* nothing there */
  assert_string_equal(edit.text, "ping 10.0.2.2");
  (void)press(SCAN_CODE_DELETE); /* what a terminal means as Backspace */
  (void)type("\x7f");
  assert_string_equal(edit.text, "ping 10.0.2");
  (void)type("\x17"
             "again");
  assert_string_equal(edit.text, "ping again");
  (void)type("\x01\x06\x06\x0b");
  assert_string_equal(edit.text, "pi");
  (void)type("x\x02\x15");
  assert_string_equal(edit.text, "x");
  assert_int_equal(edit.cursor, 0);
  (void)type("\b"); /* nothing before the cursor */
  assert_string_equal(edit.text, "x");
  (void)type("\x05  \x17");
  assert_string_equal(edit.text, "");
  (void)type("\x17\x0b");
  assert_int_equal(type("word\r"), LINE_EDIT_DONE);
  assert_string_equal(edit.text, "word");
  line_edit_begin(&edit);
  assert_int_equal(type("word\n"), LINE_EDIT_DONE);
}

static void test_what_is_no_character(void **state) {
  static const uint16_t characters[] = {0, 1U << 8, 0x80, 0xE4, 0x263A, 0xFFFF, 0x1D};
  (void)state;
  begin();
  for(size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
    (void)line_edit_key(&edit, (struct key){.character = characters[i]});
  }
  (void)press(0x0B); /* F1 */
  (void)press(0xFFFF);
  assert_int_equal(edit.length, 0);
}

static void test_ways_out(void **state) {
  (void)state;
  begin();
  (void)type("abc");
  assert_int_equal(press(SCAN_CODE_ESCAPE), LINE_EDIT_CANCELLED);
  assert_string_equal(edit.text, "");
  assert_int_equal(type("abc\x03"), LINE_EDIT_CANCELLED);
  assert_int_equal(type("\x1b"), LINE_EDIT_CANCELLED);
  assert_int_equal(type("\x04"), LINE_EDIT_CANCELLED); /* on an empty line */
  assert_int_equal(type("ab\x02\x04"), LINE_EDIT_GOES_ON);
  assert_string_equal(edit.text, "a"); /* on another it deletes */
}

static void test_full_line(void **state) {
  (void)state;
  begin();
  for(uint32_t i = 0; i < LINE_EDIT_SIZE + 10U; i++) {
    (void)type("x");
  }
  assert_int_equal(edit.length, LINE_EDIT_SIZE - 1U);
  (void)press(SCAN_CODE_HOME);
  (void)type("y");
  assert_int_equal(edit.text[0], 'x');
  (void)type("\r");
  line_edit_begin(&edit);
  (void)press(SCAN_CODE_UP);
  assert_int_equal(edit.length, LINE_EDIT_SIZE - 1U);
}

static void enter(const char *text) {
  line_edit_begin(&edit);
  (void)type(text);
  assert_int_equal(type("\r"), LINE_EDIT_DONE);
}

static void test_history(void **state) {
  (void)state;
  begin();
  (void)press(SCAN_CODE_UP); /* there is none */
  (void)press(SCAN_CODE_DOWN);
  assert_string_equal(edit.text, "");
  enter("list");
  enter("info");
  enter("info"); /* once is enough */
  enter("   ");  /* and blanks are nothing */
  assert_int_equal(edit.count, 2);
  line_edit_begin(&edit);
  (void)type("dra");
  (void)press(SCAN_CODE_UP);
  assert_string_equal(edit.text, "info");
  assert_int_equal(edit.cursor, 4);
  (void)type("\x10"); /* Ctrl-P */
  assert_string_equal(edit.text, "list");
  (void)press(SCAN_CODE_UP);
  assert_string_equal(edit.text, "list");
  (void)type(" -b");
  (void)press(SCAN_CODE_DOWN);
  assert_string_equal(edit.text, "info");
  (void)type("\x0e"); /* Ctrl-N */
  assert_string_equal(edit.text, "dra");
  (void)press(SCAN_CODE_DOWN);
  assert_string_equal(edit.text, "dra");
  (void)press(SCAN_CODE_UP);
  (void)press(SCAN_CODE_UP);
  assert_string_equal(edit.text, "list"); /* what was changed there is not remembered */
  assert_int_equal(type("\r"), LINE_EDIT_DONE);
  assert_int_equal(edit.count, 3);
}

static void test_long_history(void **state) {
  char line[16];
  (void)state;
  begin();
  for(int i = 0; i < 3 * (int)LINE_EDIT_PAST; i++) {
    (void)snprintf(line, sizeof(line), "%d", i);
    enter(line);
  }
  line_edit_begin(&edit);
  for(uint32_t i = 0; i < LINE_EDIT_PAST + 3U; i++) {
    (void)press(SCAN_CODE_UP);
  }
  (void)snprintf(line, sizeof(line), "%d", 2 * (int)LINE_EDIT_PAST);
  assert_string_equal(edit.text, line);
}

static void test_view(void **state) {
  char view[LINE_EDIT_SIZE];
  (void)state;
  begin();
  assert_int_equal(line_edit_view(&edit, 5, view), 0);
  assert_string_equal(view, "     ");
  (void)type("abcd");
  assert_int_equal(line_edit_view(&edit, 5, view), 4);
  assert_string_equal(view, "abcd ");
  (void)type("efghijk");
  assert_int_equal(line_edit_view(&edit, 6, view), 5); /* eleven, six wide: moved by three, twice */
  assert_string_equal(view, "ghijk ");
  (void)press(SCAN_CODE_HOME);
  assert_int_equal(line_edit_view(&edit, 6, view), 0);
  assert_string_equal(view, "abcdef");
  for(uint32_t width = 1; width < 20; width++) {
    (void)press(SCAN_CODE_HOME);
    for(uint32_t cursor = 0; cursor <= edit.length; cursor++) {
      assert_true(line_edit_view(&edit, width, view) < width);
      assert_int_equal(strlen(view), width);
      (void)press(SCAN_CODE_RIGHT);
    }
  }
}

/* Menu ----------------------------------------------------------------------------------------------------------- */

static bool has_all(const char *name) {
  (void)name;
  return true;
}

static bool has_none(const char *name) {
  (void)name;
  return false;
}

static bool has_list(const char *name) {
  return strcmp(name, "list") == 0;
}

static const char page_of_all[] = "netdiag 1.0: network before the operating system\n"
                                  "\n"
                                  " > D  doctor        finds out why this machine does not boot from the network\n"
                                  "   L  list          the NICs, their links, and who drives them\n"
                                  "   M  monitor       rates, errors and talkers of a NIC, as they come\n"
                                  "   B  boot          boots what the network offers\n"
                                  "   C  command line  any command of netdiag, with its options; 'help' lists them\n"
                                  "   R  reboot        resets the machine\n"
                                  "   Q  leave         goes back to the boot manager\n"
                                  "\n"
                                  "Up and Down choose, Enter starts; a letter starts at once.\n"
                                  "A word.\n";
static const char page_of_list[] = "netdiag 1.0: network before the operating system\n"
                                   "\n"
                                   " > L  list          the NICs, their links, and who drives them\n"
                                   "   C  command line  any command of netdiag, with its options; 'help' lists them\n"
                                   "   R  reboot        resets the machine\n"
                                   "   Q  leave         goes back to the boot manager\n"
                                   "\n"
                                   "Up and Down choose, Enter starts; a letter starts at once.\n"
                                   "\n";

static const char *page_text(const struct menu *menu, uint32_t columns, uint32_t rows) {
  static char text[MENU_LINES * (MENU_COLUMNS_MAX + 1U)];
  static struct menu_page page;
  size_t at = 0;
  memset(&page, 0xA5, sizeof(page));
  menu_render(menu, "1.0", columns, rows, &page);
  text[0] = '\0';
  for(uint32_t i = 0; i < page.count; i++) {
    assert_true(strlen(page.lines[i]) < (columns > 0 ? columns : 1U));
    at += (size_t)snprintf(text + at, sizeof(text) - at, "%s\n", page.lines[i]);
  }
  assert_true(page.count < (rows > 0 ? rows : 1U) || page.count == 0);
  return text;
}

static void test_pages(void **state) {
  static const uint32_t sizes[][2] = {{80, 25}, {100, 31}, {128, 40}, {1000, 1000}};
  struct menu menu;
  (void)state;
  for(size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    menu_init(&menu, has_all);
    menu_notice(&menu, "A word.");
    assert_string_equal(page_text(&menu, sizes[i][0], sizes[i][1]), page_of_all);
    menu_init(&menu, has_list);
    assert_string_equal(page_text(&menu, sizes[i][0], sizes[i][1]), page_of_list);
  }
  for(uint32_t columns = 0; columns < 90; columns++) {
    for(uint32_t rows = 0; rows < 30; rows++) {
      (void)page_text(&menu, columns, rows);
    }
  }
  assert_string_equal(page_text(&menu, 10, 4), "netdiag 1\n\n > L  lis\n");
}

static enum menu_step key(struct menu *menu, uint16_t scan, char character) {
  return menu_key(menu, (struct key){.scan = scan, .character = (uint8_t)character});
}

static void test_keys(void **state) {
  struct menu menu;
  (void)state;
  menu_init(&menu, has_all);
  assert_int_equal(key(&menu, 0, '\r'), MENU_RUNS);
  assert_string_equal(menu_line(&menu), "doctor");
  assert_int_equal(key(&menu, 0, 'l'), MENU_RUNS);
  assert_string_equal(menu_line(&menu), "list -b");
  assert_int_equal(key(&menu, 0, 'M'), MENU_RUNS);
  assert_string_equal(menu_line(&menu), "monitor");
  assert_int_equal(key(&menu, 0, 'b'), MENU_RUNS);
  assert_string_equal(menu_line(&menu), "boot");
  assert_int_equal(key(&menu, 0, 'c'), MENU_TYPES);
  assert_int_equal(key(&menu, 0, 'r'), MENU_REBOOTS);
  assert_int_equal(key(&menu, 0, 'q'), MENU_LEAVES);
  assert_int_equal(key(&menu, SCAN_CODE_DOWN, 0), MENU_STAYS); /* round: doctor */
  assert_int_equal(key(&menu, 0, '\r'), MENU_RUNS);
  assert_string_equal(menu_line(&menu), "doctor");
  assert_int_equal(key(&menu, SCAN_CODE_UP, 0), MENU_STAYS); /* round: leave */
  assert_int_equal(key(&menu, 0, '\n'), MENU_LEAVES);
  assert_int_equal(key(&menu, SCAN_CODE_ESCAPE, 0), MENU_STAYS);
  assert_int_equal(key(&menu, SCAN_CODE_HOME, 0), MENU_STAYS);
  assert_int_equal(menu.selected, 0);
  assert_int_equal(key(&menu, SCAN_CODE_END, 0), MENU_STAYS);
  assert_int_equal(key(&menu, 0, '\r'), MENU_LEAVES);
  assert_int_equal(key(&menu, SCAN_CODE_DOWN, '\r'),
                   MENU_STAYS); /* a scan code is the key, whatever character is beside it */
}

static void test_without_commands(void **state) {
  struct menu menu;
  (void)state;
  menu_init(&menu, has_none);
  assert_int_equal(key(&menu, 0, '\r'), MENU_TYPES);
  assert_int_equal(key(&menu, 0, 'd'), MENU_STAYS); /* what is not there does nothing */
  assert_int_equal(key(&menu, 0, 'l'), MENU_STAYS);
  assert_int_equal(key(&menu, SCAN_CODE_UP, 0), MENU_STAYS);
  assert_int_equal(key(&menu, 0, '\r'), MENU_LEAVES);
  assert_int_equal(key(&menu, 0, '\t'), MENU_STAYS);
  assert_int_equal(key(&menu, 0, '\r'), MENU_TYPES);
  assert_int_equal(menu_key(&menu, (struct key){.character = 0x100U + 'Q'}), MENU_STAYS);
}

static void test_notice(void **state) {
  struct menu menu;
  char text[200];
  (void)state;
  memset(text, 'x', sizeof(text));
  text[199] = '\0';
  menu_init(&menu, has_list);
  menu_notice(&menu, text);
  assert_int_equal(strlen(menu.notice), MENU_NOTICE_SIZE - 1U);
  (void)page_text(&menu, 80, 25);
  (void)key(&menu, SCAN_CODE_DOWN, 0);
  assert_string_equal(menu.notice, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_editing),  cmocka_unit_test(test_what_is_no_character),
      cmocka_unit_test(test_ways_out), cmocka_unit_test(test_full_line),
      cmocka_unit_test(test_history),  cmocka_unit_test(test_long_history),
      cmocka_unit_test(test_view),     cmocka_unit_test(test_pages),
      cmocka_unit_test(test_keys),     cmocka_unit_test(test_without_commands),
      cmocka_unit_test(test_notice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
