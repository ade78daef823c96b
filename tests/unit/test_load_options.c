/* test_load_options.c - tests of the command line that a boot option brings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "load_options.h"

#define WORDS_MAX 4
#define TEXT_SIZE 64U

/* Parses from and into memory that is exactly as large as needed, so that the sanitizer sees a byte too many. Compares
 * with `words`, which ends with NULL. */
static void expect_bytes(const void *bytes, size_t size, const char *const *words) {
  uint8_t *exact = malloc(size ? size : 1U);
  char *text = malloc(TEXT_SIZE);
  char *argv[WORDS_MAX];
  assert_true(exact && text);
  memcpy(exact, bytes, size);
  int count = load_options_parse(size ? exact : NULL, size, text, TEXT_SIZE, argv, WORDS_MAX);
  int expected = 0;
  for(; words[expected]; expected++) {
    assert_true(expected < count);
    assert_string_equal(argv[expected], words[expected]);
  }
  assert_int_equal(count, expected);
  free(exact);
  free(text);
}

/* The same text as 8-bit and as UCS-2, with and without byte order mark and terminator, and of an odd size. */
static void expect_text(const char *text, const char *const *words) {
  uint8_t wide[2 * TEXT_SIZE + 5U] = {0xFF, 0xFE};
  size_t length = strlen(text);
  assert_true(length <= TEXT_SIZE);
  for(size_t i = 0; i < length; i++) {
    wide[2 + 2 * i] = (uint8_t)text[i];
  }
  expect_bytes(text, length, words);
  expect_bytes(text, length + 1, words);
  for(size_t extra = 0; extra <= 3; extra++) { /* nothing, half a NUL, a NUL, a NUL and a half */
    expect_bytes(wide + 2, 2 * length + extra, words);
    expect_bytes(wide, 2 + 2 * length + extra, words);
  }
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_words(void **state) {
  (void)state;
  expect_text("list", WORDS("list"));
  expect_text("ping 10.0.2.2 -c 3", WORDS("ping", "10.0.2.2", "-c", "3"));
  expect_text("", WORDS(NULL));
  expect_text("   ", WORDS(NULL));
  expect_text("a", WORDS("a"));
  expect_text("handoff \"my kernel.efi\" \"\"", WORDS("handoff", "my kernel.efi", ""));
  expect_text("info \"never closed", WORDS("info", "never closed"));
}

static void test_what_is_around(void **state) {
  (void)state;
  expect_text("  list", WORDS("list"));
  expect_text("list ", WORDS("list"));
  expect_text("list\n", WORDS("list"));
  expect_text("list\r\n", WORDS("list"));
  expect_text("\r\n\tlist\t-b \r\n ", WORDS("list", "-b"));
  expect_text("list\necho", WORDS("list", "echo"));
  expect_bytes("list\0surplus\0\x01\x02", 15, WORDS("list"));
  expect_bytes("l\0i\0s\0t\0\0\0s\0u\0", 14, WORDS("list"));
}

static void test_own_name(void **state) {
  (void)state;
  expect_text("netdiag list", WORDS("list"));
  expect_text("NetDiag.EFI list", WORDS("list"));
  expect_text("netdiag.efi", WORDS(NULL));
  expect_text("\\EFI\\tools\\netdiag.efi list ", WORDS("list"));
  expect_text("fs0:netdiag list", WORDS("list"));
  expect_text("/boot/nd.efi list", WORDS("list"));
  expect_text("\"\\my tools\\netdiag.efi\" list", WORDS("list"));
  expect_text("handoff netdiag.efi", WORDS("handoff", "netdiag.efi")); /* only the first word is the name */
  expect_text("netdiag netdiag", WORDS("netdiag"));
  expect_text(".efi list", WORDS(".efi", "list")); /* no name at all */
  expect_text("netdiagx list", WORDS("netdiagx", "list"));
  expect_text("netdiag/ list", WORDS("netdiag/", "list"));
  expect_text("netdiag a b c d", WORDS("a", "b", "c", "d")); /* our name takes no place */
}

static void test_beyond_ascii(void **state) {
  (void)state;
  expect_bytes("\\\xC3\xBC\\netdiag.efi list", 20, WORDS("list"));      /* UTF-8: u umlaut           */
  expect_bytes("a\xE2\x82\xAC\xF0\x9F\x98\x80z", 9, WORDS("a??z"));     /* euro, and four bytes      */
  expect_bytes("a\0\xFC\0\xAC\x20\x3D\xD8\x00\xDE", 10, WORDS("a???")); /* the same as UCS-2, UTF-16 */
  expect_bytes("\xFF\xFE\xAC\x20", 4, WORDS("?"));
  expect_bytes("\xFF\xFE", 2, WORDS(NULL));
}

static void expect_result(const void *bytes, size_t size, int result) {
  char text[TEXT_SIZE];
  char *argv[WORDS_MAX];
  assert_int_equal(load_options_parse(bytes, size, text, sizeof(text), argv, WORDS_MAX), result);
}

static void test_not_text(void **state) {
  (void)state;
  /* The GUID that edk2 puts behind the options it makes itself. */
  static const uint8_t edk2[] = {0x4E, 0xAC, 0x08, 0x81, 0x11, 0x9F, 0x59, 0x4D,
                                 0x85, 0x0E, 0xE2, 0x1A, 0x52, 0x2C, 0x59, 0xB2};
  static const struct {
    const char *bytes;
    size_t size;
  } binary[] = {
      {"\x01", 1},
      {"list\x7F", 5},
      {"list\x1B[2J", 8},
      {"l\0\x01\0", 4},      /* UCS-2 with a control character      */
      {"l\0\x85\0", 4},      /* one above 0x7F                      */
      {"l\0\xFF\xFF", 4},    /* no character                        */
      {"l\0\x00\xDC", 4},    /* half of a pair: the second          */
      {"l\0\x3D\xD8", 4},    /* the first, and the end              */
      {"l\0\x3D\xD8l\0", 6}, /* the first, and something else       */
      {"list\x80", 5},       /* UTF-8 that begins in the middle     */
      {"list\xC0\x80", 6},   /* longer than need be                 */
      {"list\xC3", 5},       /* cut short                           */
      {"list\xE2\x82 ", 7},  /* broken off                          */
      {"list\xF5\x80\x80\x80", 8},
      {"list\xFF", 5},
  };
  expect_result(edk2, sizeof(edk2), LOAD_OPTIONS_NOT_TEXT);
  for(size_t i = 0; i < sizeof(binary) / sizeof(binary[0]); i++) {
    expect_result(binary[i].bytes, binary[i].size, LOAD_OPTIONS_NOT_TEXT);
  }
}

static void test_too_long(void **state) {
  (void)state;
  char line[2 * TEXT_SIZE];
  memset(line, 'x', sizeof(line));
  expect_result(line, TEXT_SIZE, LOAD_OPTIONS_TOO_LONG);
  expect_result(line, TEXT_SIZE - 1, 1);
  memset(line + TEXT_SIZE - 1, ' ', TEXT_SIZE); /* blanks at the end need no room */
  expect_result(line, 2 * TEXT_SIZE - 1, 1);
  line[2 * TEXT_SIZE - 2] = 'x';
  expect_result(line, 2 * TEXT_SIZE - 1, LOAD_OPTIONS_TOO_LONG);
  expect_result("a b c d", 7, 4);
  expect_result("a b c d ", 8, 4);
  expect_result("a b c d e", 9, LOAD_OPTIONS_TOO_LONG);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_words),        cmocka_unit_test(test_what_is_around), cmocka_unit_test(test_own_name),
      cmocka_unit_test(test_beyond_ascii), cmocka_unit_test(test_not_text),       cmocka_unit_test(test_too_long),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
