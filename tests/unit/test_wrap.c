/* test_wrap.c - tests of breaking text for a narrow console. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "wrap.h"

#define TEN "ten chars "

static void expect(const char *text, uint32_t indent, uint32_t column, const char *wrapped) {
  uint32_t end = column;
  uint32_t lines = 0;
  for(const char *c = wrapped; *c; c++) {
    end = *c == '\n' ? 0 : end + 1U;
    lines += *c == '\n';
  }
  for(size_t size = 1; size <= strlen(wrapped) + 2U; size++) {
    char *out = malloc(size); /* the sanitizer sees a byte too many */
    assert_non_null(out);
    uint32_t at = column;
    assert_int_equal(wrap_text(out, size, text, indent, &at), lines);
    assert_int_equal(at, end);
    assert_memory_equal(out, wrapped, strlen(out));
    assert_int_equal(strlen(out), size <= strlen(wrapped) ? size - 1U : strlen(wrapped));
    free(out);
  }
}

static void test_what_fits_stays(void **state) {
  (void)state;
  expect("", 8, 0, "");
  expect("short\n", 8, 0, "short\n");
  expect("  a   b\n\n  c\n", 8, 0, "  a   b\n\n  c\n");
  expect("blank at the end ", 8, 0, "blank at the end ");
  expect(TEN TEN TEN TEN TEN TEN TEN "123456789\n", 8, 0, TEN TEN TEN TEN TEN TEN TEN "123456789\n"); /* 79 */
}

static void test_what_does_not_is_broken(void **state) {
  (void)state;
  expect(TEN TEN TEN TEN TEN TEN TEN "1234567890\n", 8, 0, TEN TEN TEN TEN TEN TEN "ten chars\n        1234567890\n");
  expect(TEN TEN TEN TEN TEN TEN TEN "   1234567\n", 0, 0, TEN TEN TEN TEN TEN TEN "ten chars\n1234567\n");
  expect("and on", 2, 76, "and\n  on");
  expect(" and on", 2, 79, "\n  and on");
  expect(TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "x", 60, 0,
         TEN TEN TEN TEN TEN TEN TEN "ten chars\n"
                                     "                                                            ten chars ten chars\n"
                                     "                                                            ten chars ten chars\n"
                                     "                                                            ten chars ten chars\n"
                                     "                                                            ten chars ten chars\n"
                                     "                                                            x");
}

static void test_long_words_stay_whole(void **state) {
  (void)state;
  char word[201];
  char text[256] = "a ";
  char wrapped[256] = "a\n    ";
  memset(word, 'w', sizeof(word) - 1);
  word[sizeof(word) - 1] = '\0';
  expect(word, 8, 0, word);
  expect(word, 8, 50, word);
  strcat(strcat(text, word), " b");
  strcat(strcat(wrapped, word), "\n    b");
  expect(text, 4, 4, wrapped);
  text[1 + sizeof(word)] = '\0';
  expect(text, 4, 0, text); /* a new line would not begin further left */
  memset(text, ' ', 20);
  (void)strcpy(text + 20, word);
  wrapped[0] = '\0';
  expect(text, 4, 0, strcat(strcpy(wrapped, "    "), word)); /* nor would one end here */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_fits_stays),
      cmocka_unit_test(test_what_does_not_is_broken),
      cmocka_unit_test(test_long_words_stay_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
