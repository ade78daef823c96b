/* test_suggest.c - tests of guessing the word that was meant, and of registers taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "bits.h"
#include "suggest.h"

static void expect_distance(const char *left, const char *right, size_t distance) {
  assert_int_equal(suggest_distance(left, right), distance);
  assert_int_equal(suggest_distance(right, left), distance);
}

static void test_distances(void **state) {
  (void)state;
  expect_distance("", "", 0);
  expect_distance("ping", "ping", 0);
  expect_distance("PING", "ping", 0);
  expect_distance("", "ping", 4);
  expect_distance("pnig", "ping", 1); /* neighbours exchanged */
  expect_distance("pin", "ping", 1);
  expect_distance("pong", "ping", 1);
  expect_distance("pingg", "ping", 1);
  expect_distance("gnip", "ping", 3);
  expect_distance("kitten", "sitting", 3);
  expect_distance("ca", "abc", 3); /* what is exchanged is not changed again */
  expect_distance("--regsters", "--registers", 1);
  char left[200];
  char right[200];
  memset(left, 'a', sizeof(left));
  memset(right, 'b', sizeof(right));
  left[199] = right[199] = '\0';
  expect_distance(left, right, SUGGEST_MAX);
  memcpy(right, left, SUGGEST_MAX);
  expect_distance(left, right, 0); /* the rest is not looked at */
}

static const char *guess(const char *typed) {
  static const char *const words[] = {"list", "info", "stats", "ping", "frames", "echo", "handoff", "identify", "arp"};
  struct suggestion best = {0};
  for(size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    suggest_try(&best, typed, words[i]);
  }
  return best.word ? best.word : "";
}

static void test_guesses(void **state) {
  (void)state;
  assert_string_equal(guess("pnig"), "ping");
  assert_string_equal(guess("lsit"), "list");
  assert_string_equal(guess("ident"), "identify"); /* begins it */
  assert_string_equal(guess("hand"), "handoff");
  assert_string_equal(guess("stat"), "stats");
  assert_string_equal(guess("apr"), "arp");
  assert_string_equal(guess("i"), ""); /* one letter says nothing */
  assert_string_equal(guess("xyzzy"), "");
  assert_string_equal(guess("pxxg"), ""); /* half of it would change */
  assert_string_equal(guess(""), "");
}

static void expect_bits(const char *bits, uint64_t value, const char *wanted) {
  char text[80];
  assert_string_equal(bits_text(bits, value, text, sizeof(text)), wanted);
}

static void test_bits(void **state) {
  (void)state;
  expect_bits(NULL, 1, "");
  expect_bits("", 1, "");
  expect_bits("EN:1 UPE:3 LBM:6-7", 0, "");
  expect_bits("EN:1 UPE:3 LBM:6-7", 0x2, "EN");
  expect_bits("EN:1 UPE:3 LBM:6-7", 0xCA, "EN UPE LBM=3");
  expect_bits("A:0-31", 0xDEADBEEF, "A=0xdeadbeef");
  expect_bits("A:0-63", UINT64_MAX, "A=0xffffffffffffffff");
  expect_bits("TOP:63", 1ULL << 63, "TOP");
  expect_bits("NINE:0-3 TEN:4-7", 0xA9, "NINE=9 TEN=0xa");
  /* What is no field ends it. */
  expect_bits("EN:1 UPE LBM:6-7", 0xFF, "EN");
  expect_bits("EN:64", UINT64_MAX, "");
  expect_bits("EN:2-1", UINT64_MAX, "");
  expect_bits("EN:1x", UINT64_MAX, "");
  expect_bits(":1", UINT64_MAX, "");
  expect_bits("A:99999999999", UINT64_MAX, "");
}

static void test_bits_cut(void **state) {
  char text[8];
  (void)state;
  assert_string_equal(bits_text("ONE:0 TWO:1 X:2", 7, text, sizeof(text)), "ONE TWO"); /* as a whole or not at all */
  assert_string_equal(bits_text("ONE:0 TWO:1 X:2", 7, text, 7), "ONE");
  assert_string_equal(bits_text("ONE:0", 1, text, 1), "");
  assert_string_equal(bits_text("A_NAME_THAT_IS_MUCH_TOO_LONG_FOR_ANY_REGISTER:0", 1, (char[64]){0}, 64),
                      "A_NAME_THAT_IS_MUCH_TOO_LONG_FOR");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_distances),
      cmocka_unit_test(test_guesses),
      cmocka_unit_test(test_bits),
      cmocka_unit_test(test_bits_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
