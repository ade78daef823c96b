/* test_app.c - tests of netdiag's command-line parser and of its printf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "format.h"

/* Values --------------------------------------------------------------------------------------------------------- */

static void test_u32(void **state) {
  (void)state;
  static const struct {
    const char *text;
    uint32_t value;
  } good[] = {{"0", 0},   {"7", 7},       {"4294967295", UINT32_MAX}, {"0x0", 0},    {"0xFFFFFFFF", UINT32_MAX},
              {"007", 7}, {"0Xab", 0xAB}, {"0xDeadBeef", 0xDEADBEEF}, {"1000", 1000}};
  static const char *const bad[] = {"",   " ",  "-1", "+1",  "1 ", " 1",  "4294967296",           "0x100000000",
                                    "0x", "0X", "1x", "0xg", "a",  "1.0", "99999999999999999999", "0x-1"};
  for(size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    uint32_t value = ~good[i].value;
    assert_true(args_u32(good[i].text, &value));
    assert_int_equal(value, good[i].value);
  }
  for(size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    uint32_t value = 1234;
    assert_false(args_u32(bad[i], &value));
    assert_int_equal(value, 1234);
  }
}

static void test_mac(void **state) {
  (void)state;
  uint8_t mac[6] = {9, 9, 9, 9, 9, 9};
  static const uint8_t expected[6] = {0x52, 0x54, 0x00, 0xAB, 0xcd, 0x0E};
  assert_true(args_mac("52:54:00:AB:cd:0e", mac));
  assert_memory_equal(mac, expected, 6);
  memset(mac, 9, 6);
  assert_true(args_mac("52-54-00-ab-CD-e", mac));
  assert_memory_equal(mac, expected, 6);
  static const char *const bad[] = {"",
                                    "52",
                                    "52:54:00:12:34",
                                    "52:54:00:12:34:",
                                    "52:54:00:12:34:56:78",
                                    "52:54:00:12:34:5g",
                                    "52:54:00:12:34:100",
                                    ":54:00:12:34:56",
                                    "52::00:12:34:56",
                                    "525400123456",
                                    " 52:54:00:12:34:56",
                                    "52:54:00:12:34:56 ",
                                    "52.54.00.12.34.56"};
  memset(mac, 9, 6);
  static const uint8_t untouched[6] = {9, 9, 9, 9, 9, 9};
  for(size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_false(args_mac(bad[i], mac));
    assert_memory_equal(mac, untouched, 6);
  }
}

static void test_ipv4_and_cidr(void **state) {
  (void)state;
  uint32_t address = 5;
  assert_true(args_ipv4("10.0.2.15", &address));
  assert_int_equal(address, 0x0A00020FU);
  assert_true(args_ipv4("255.255.255.255", &address));
  assert_int_equal(address, UINT32_MAX);
  static const char *const bad[] = {"",          "1",       "1.2.3",     "1.2.3.",     "1.2.3.4.",  "1.2.3.4.5",
                                    "1.2.3.256", "1..3.4",  ".1.2.3.4",  "1.2.3.4 ",   " 1.2.3.4",  "1.2.3.a",
                                    "-1.2.3.4",  "1,2,3,4", "0x1.2.3.4", "1.2.3.4/24", "999.1.1.1", "1.2.3.4294967297"};
  for(size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    address = 77;
    assert_false(args_ipv4(bad[i], &address));
    assert_int_equal(address, 77);
  }
  struct cidr_option cidr = {1, 2};
  for(uint32_t bits = 0; bits <= 32; bits++) {
    char text[32];
    (void)snprintf(text, sizeof(text), "192.168.1.2/%u", (unsigned)bits);
    assert_true(args_cidr(text, &cidr));
    assert_int_equal(cidr.address, 0xC0A80102U);
    assert_int_equal(cidr.mask, (uint32_t)(0xFFFFFFFF00000000ULL >> bits));
  }
  static const char *const bad_cidr[] = {"1.2.3.4", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/24x", "/24", ""};
  cidr = (struct cidr_option){1, 2};
  for(size_t i = 0; i < sizeof(bad_cidr) / sizeof(bad_cidr[0]); i++) {
    assert_false(args_cidr(bad_cidr[i], &cidr));
    assert_true(cidr.address == 1 && cidr.mask == 2);
  }
}

static void test_range(void **state) {
  (void)state;
  struct range_option range = {1, 2};
  assert_true(args_range("64", &range));
  assert_true(range.first == 64 && range.last == 64);
  assert_true(args_range("60-1514", &range));
  assert_true(range.first == 60 && range.last == 1514);
  assert_true(args_range("7-7", &range));
  assert_true(args_range("0-4294967295", &range));
  assert_true(range.first == 0 && range.last == UINT32_MAX);
  static const char *const bad[] = {"",     "-", "5-",   "-5",         "9-8",         "1-2-3",
                                    "1-2x", "a", "1 -2", "4294967296", "0-4294967296"};
  range = (struct range_option){1, 2};
  for(size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_false(args_range(bad[i], &range));
    assert_true(range.first == 1 && range.last == 2);
  }
}

static void test_pci_location(void **state) {
  (void)state;
  struct pci_location at = {9, 9, 9, 9};
  assert_true(args_pci_location("00:03.0", &at));
  assert_true(at.segment == 0 && at.bus == 0 && at.device == 3 && at.function == 0);
  assert_true(args_pci_location("0001:fe:1F.7", &at));
  assert_true(at.segment == 1 && at.bus == 0xFE && at.device == 0x1F && at.function == 7);
  static const char *const bad[] = {"",        "3",         "00:03",       "00:03.",   "00:03.8",  "00.3",
                                    ":03.0",   "00:.0",     "0:0:0:0.0",   "00:03.0 ", " 00:03.0", "00:03.0.0",
                                    "00:0g.0", "00:03.0x1", "10000:0:0.0", "00-03.0"};
  at = (struct pci_location){9, 9, 9, 9};
  for(size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_false(args_pci_location(bad[i], &at));
    assert_true(at.segment == 9 && at.bus == 9 && at.device == 9 && at.function == 9);
  }
}

/* A bus has 8 bits, a device 5, a function 3: none is beyond FFh, 1Fh and 7. */
static void test_pci_location_range(void **state) {
  (void)state;
  struct pci_location at;
  assert_false(args_pci_location("00:20.0", &at));
  assert_false(args_pci_location("100:00.0", &at));
}

/* Words ---------------------------------------------------------------------------------------------------------- */

static void expect_words(const char *line, int max, int count, const char *const *words) {
  char *copy = malloc(strlen(line) + 1U); /* exactly as long as it is */
  assert_non_null(copy);
  memcpy(copy, line, strlen(line) + 1U);
  char *argv[8] = {0};
  assert_int_equal(args_split(copy, argv, max), count);
  for(int i = 0; i < count; i++) {
    assert_string_equal(argv[i], words[i]);
  }
  free(copy);
}

static void test_split(void **state) {
  (void)state;
  expect_words("", 8, 0, NULL);
  expect_words("  \t ", 8, 0, NULL);
  expect_words("one", 8, 1, (const char *const[]){"one"});
  expect_words("  ping\t10.0.2.2   --count 4 ", 8, 4, (const char *const[]){"ping", "10.0.2.2", "--count", "4"});
  expect_words("a b c d", 2, 2, (const char *const[]){"a", "b"});
  expect_words("a b c d", 0, 0, NULL);
  expect_words("say \"two words\" end", 8, 3, (const char *const[]){"say", "two words", "end"});
  expect_words("\"\" x", 8, 2, (const char *const[]){"", "x"});
  expect_words("\"never closed", 8, 1, (const char *const[]){"never closed"});
  expect_words("\"", 8, 1, (const char *const[]){""});
}

static void test_text_equal(void **state) {
  (void)state;
  assert_true(text_equal("", ""));
  assert_true(text_equal("ping", "ping"));
  assert_false(text_equal("ping", "pin"));
  assert_false(text_equal("pin", "ping"));
  assert_false(text_equal("ping", "Ping"));
}

static void test_text_same(void **state) {
  (void)state;
  assert_true(text_same("", ""));
  assert_true(text_same("ping", "PiNg"));
  assert_true(text_same("Az[`{@", "aZ[`{@"));
  assert_false(text_same("[", "{")); /* as far apart as A and a */
  assert_false(text_same("@", "`"));
  assert_false(text_same("ping", "pin"));
  assert_false(text_same("pin", "ping"));
}

/* Options -------------------------------------------------------------------------------------------------------- */

struct values {
  bool flag;
  uint32_t count;
  const char *text;
  struct mac_option mac;
  uint32_t address;
  struct cidr_option cidr;
  struct range_option range;
};

static const struct option options[] = {
    {"--flag", NULL, OPTION_FLAG, offsetof(struct values, flag), 0, 0, "a flag"},
    {"-c", "N", OPTION_U32, offsetof(struct values, count), 1, 100, "a number"},
    {"--text", "T", OPTION_TEXT, offsetof(struct values, text), 0, 0, "a text"},
    {"--mac", "M", OPTION_MAC, offsetof(struct values, mac), 0, 0, "a MAC"},
    {"--ip", "A", OPTION_IPV4, offsetof(struct values, address), 0, 0, "an address"},
    {"--net", "A/L", OPTION_CIDR, offsetof(struct values, cidr), 0, 0, "a network"},
    {"--size", "R", OPTION_RANGE, offsetof(struct values, range), 60, 1514, "a range"},
    {NULL, NULL, OPTION_FLAG, 0, 0, 0, NULL},
};

/* Splits `line` and parses it; at most two words without a dash. */
static int parse(const char *line, struct values *values, const char **words, bool *help, char *error) {
  static char copy[256];
  char *argv[16];
  (void)snprintf(copy, sizeof(copy), "%s", line);
  int argc = args_split(copy, argv, 16);
  return args_parse(options, values, argc, argv, words, 2, help, error);
}

static void test_parse(void **state) {
  (void)state;
  struct values values = {.count = 42};
  const char *words[2] = {0};
  bool help = true;
  char error[ARGS_ERROR_SIZE] = "x";
  assert_int_equal(parse("", &values, words, &help, error), 0);
  assert_true(!help && values.count == 42);
  assert_string_equal(error, "");
  const char *line =
      "one --flag -c 100 --text hello --mac 2:0:0:0:0:1 --ip 1.2.3.4 --net 10.0.2.15/24 --size 60-1514 two";
  assert_int_equal(parse(line, &values, words, &help, error), 2);
  assert_string_equal(words[0], "one");
  assert_string_equal(words[1], "two");
  assert_true(values.flag && values.count == 100 && values.mac.given && values.mac.mac[5] == 1);
  assert_string_equal(values.text, "hello");
  assert_int_equal(values.address, 0x01020304);
  assert_true(values.cidr.address == 0x0A00020F && values.cidr.mask == 0xFFFFFF00U);
  assert_true(values.range.first == 60 && values.range.last == 1514);

  assert_int_equal(parse("--ip=10.0.0.9 --text=a=b --net=1.2.3.4/8 --mac=2:0:0:0:0:7", &values, words, &help, error),
                   0);
  assert_true(values.address == 0x0A000009 && values.cidr.address == 0x01020304 && values.mac.mac[5] == 7);
  assert_string_equal(values.text, "a=b");
  assert_int_equal(parse("--text= one", &values, words, &help, error), 1);
  assert_string_equal(values.text, "");

  values.flag = false;
  assert_int_equal(parse("-- --flag -c", &values, words, &help, error), 2);
  assert_string_equal(words[0], "--flag");
  assert_false(values.flag);
  assert_int_equal(parse("-", &values, words, &help, error), 1); /* a dash alone is a word */
  assert_int_equal(parse("--text --flag", &values, words, &help, error), 0);
  assert_string_equal(values.text, "--flag");
}

static void test_help(void **state) {
  (void)state;
  struct values values = {0};
  const char *words[2];
  char error[ARGS_ERROR_SIZE];
  bool help = false;
  assert_true(parse("one -h --nonsense", &values, words, &help, error) >= 0);
  assert_true(help);
  assert_true(parse("--help", &values, words, &help, error) >= 0);
  assert_true(help);
  assert_true(parse("-- --help", &values, words, &help, error) >= 0);
  assert_false(help);
}

static void test_mistakes(void **state) {
  (void)state;
  static const struct {
    const char *line;
    const char *says[3]; /* all of these are in the message */
  } mistakes[] = {
      {"--nonsense", {"unknown option", "'--nonsense'", ""}},
      {"-1", {"unknown option", "'-1'", ""}},
      {"a b c", {"too many", "'c'", ""}},
      {"-c", {"'-c'", "needs a value", ""}},
      {"-c x", {"-c", "'x'", "not a number"}},
      {"-c 0", {"-c", "'0'", "1 to 100"}},
      {"-c 101", {"-c", "'101'", "1 to 100"}},
      {"-c 4294967296", {"-c", "'4294967296'", "not a number"}},
      {"--mac 1:2:3", {"--mac", "'1:2:3'", "MAC"}},
      {"--ip 1.2.3", {"--ip", "'1.2.3'", "IPv4"}},
      {"--net 1.2.3.4", {"--net", "'1.2.3.4'", "/24"}},
      {"--size 59", {"--size", "'59'", "60 to 1514"}},
      {"--size 60-1515", {"--size", "'60-1515'", "60 to 1514"}},
      {"--ip=1.2.3", {"--ip", "'1.2.3'", "IPv4"}},
      {"--ip=", {"--ip", "''", "IPv4"}},
      {"--ip", {"'--ip'", "needs a value", ""}},
      {"--flag=1", {"'--flag'", "takes no value", ""}},
      {"--fla", {"unknown option", "'--fla'", ""}},
      {"--flags", {"unknown option", "'--flags'", ""}},
      {"-c=5", {"unknown option", "'-c=5'", ""}}, /* long options only */
      {"next --frames", {"unknown option", "'--frames'", "if it is for next, write -- before next"}},
      {"--size 9-8", {"--size", "'9-8'", "FIRST-LAST"}},
  };
  for(size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
    struct values values = {0};
    const char *words[2];
    bool help;
    char error[ARGS_ERROR_SIZE] = "";
    assert_int_equal(parse(mistakes[i].line, &values, words, &help, error), -1);
    for(int s = 0; s < 3; s++) {
      if(!strstr(error, mistakes[i].says[s])) {
        fail_msg("'%s' gives \"%s\", without \"%s\"", mistakes[i].line, error, mistakes[i].says[s]);
      }
    }
  }
}

static void test_long_words_do_not_overrun(void **state) {
  (void)state;
  for(size_t length = 1; length < 400; length++) {
    char *word = malloc(length + 1U);
    char *error = malloc(ARGS_ERROR_SIZE); /* exactly as large as documented */
    assert_true(word && error);
    memset(word, 'w', length);
    word[0] = '-';
    word[length] = '\0';
    struct values values = {0};
    const char *words[2];
    bool help;
    char *argv[2] = {word, word};
    char mac[] = "--mac";
    (void)args_parse(options, &values, 1, argv, words, 2, &help, error);
    assert_true(strlen(error) < ARGS_ERROR_SIZE);
    argv[0] = mac;
    assert_int_equal(args_parse(options, &values, 2, argv, words, 2, &help, error), -1);
    assert_true(strlen(error) < ARGS_ERROR_SIZE);
    free(word);
    free(error);
  }
}

/* printf --------------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static size_t format_to(char *buffer, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t length = format_text(buffer, size, format, arguments);
  va_end(arguments);
  return length;
}

/* Both with room enough and with a buffer of every size down to nothing. */
#define SAME(...)                                                                                                      \
  do {                                                                                                                 \
    char theirs[256];                                                                                                  \
    int expected = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                                                      \
    for(size_t size = 0; size < sizeof(theirs) && size <= (size_t)expected + 2U; size++) {                             \
      char *ours = malloc(size ? size : 1U);                                                                           \
      assert_non_null(ours);                                                                                           \
      assert_int_equal(format_to(ours, size, __VA_ARGS__), expected);                                                  \
      (void)snprintf(theirs, size ? size : 1U, __VA_ARGS__);                                                           \
      if(size > 0) {                                                                                                   \
        assert_string_equal(ours, theirs);                                                                             \
      }                                                                                                                \
      free(ours);                                                                                                      \
    }                                                                                                                  \
  } while(0)

static void test_format_integers(void **state) {
  (void)state;
  static const int numbers[] = {0, 1, -1, 9, 10, -10, 99999, -99999, INT_MAX, INT_MIN};
  for(size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
    int n = numbers[i];
    unsigned u = (unsigned)n;
    SAME("%d|%3d|%12d|%-12d|%012d|%-1d|%01d", n, n, n, n, n, n, n);
    SAME("%u|%3u|%12u|%-12u|%012u", u, u, u, u, u);
    SAME("%x|%3x|%12x|%-12x|%08x|%02x", u, u, u, u, u, u);
  }
  static const long long wide[] = {0, -1, 4294967296LL, -4294967297LL, LLONG_MAX, LLONG_MIN};
  for(size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
    long long n = wide[i];
    unsigned long long u = (unsigned long long)n;
    SAME("%lld|%25lld|%-25lld|%025lld", n, n, n, n);
    SAME("%llu|%025llu|%llx|%-20llx|%016llx", u, u, u, u, u);
    SAME("%ld|%lu|%lx|%zu|%zx", (long)n, (unsigned long)u, (unsigned long)u, (size_t)u, (size_t)u);
    SAME("%jd|%ju|%-20jx|%016jx", (intmax_t)n, (uintmax_t)u, (uintmax_t)u, (uintmax_t)u);
  }
  SAME("%d%u%x", 1, 2U, 3U);
  SAME("%d %lld %d %zu %d", 1, 2LL, 3, (size_t)4, 5);
}

static void test_format_text(void **state) {
  (void)state;
  SAME("%s", "");
  SAME("plain");
  SAME("%s|%10s|%-10s|%2s|%-2s", "hello", "hello", "hello", "hello", "hello");
  SAME("%c|%3c|%-3c|", 'x', 'y', '-');
  SAME("100%%|%%%d%%", 7);
  SAME("%02x:%02x:%02x", 0x52U, 0x4U, 0xABU);
  SAME("%-16s %8u %s", "eth0", 1500U, "up");
}

/* Behind a pointer, or the compiler would object to these formats. */
static void test_format_copies_the_rest(void **state) {
  (void)state;
  static const char *const odd[] = {"%", "50%", "%q", "%+d", "%-", "%05", "%l", "%5.2f", "a%!b", "%z"};
  char buffer[32];
  size_t (*volatile format)(char *, size_t, const char *, ...) = format_to;
  for(size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
    assert_int_equal(format(buffer, sizeof(buffer), odd[i], 1), strlen(odd[i]));
    assert_string_equal(buffer, odd[i]);
  }
}

static void test_join(void **state) {
  (void)state;
  static const char *const words[] = {"root=/dev/sda1", "dyndbg=file x +p", "", "quiet"};
  static const char *const line = "root=/dev/sda1 \"dyndbg=file x +p\" \"\" quiet";
  char buffer[64];
  char *again[4];
  assert_true(args_join(words, 4, buffer, sizeof(buffer)));
  assert_string_equal(buffer, line);
  assert_int_equal(args_split(buffer, again, 4), 4);
  for(int i = 0; i < 4; i++) {
    assert_string_equal(again[i], words[i]);
  }
  for(size_t size = 1; size <= strlen(line); size++) {
    char *exact = malloc(size); /* the sanitizer sees a byte too many */
    assert_non_null(exact);
    assert_false(args_join(words, 4, exact, size));
    assert_string_equal(exact, "");
    free(exact);
  }
  assert_true(args_join(words, 4, buffer, strlen(line) + 1U));
  assert_true(args_join(words, 0, buffer, 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_join),
      cmocka_unit_test(test_u32),
      cmocka_unit_test(test_mac),
      cmocka_unit_test(test_ipv4_and_cidr),
      cmocka_unit_test(test_range),
      cmocka_unit_test(test_pci_location),
      cmocka_unit_test(test_pci_location_range),
      cmocka_unit_test(test_split),
      cmocka_unit_test(test_text_equal),
      cmocka_unit_test(test_text_same),
      cmocka_unit_test(test_parse),
      cmocka_unit_test(test_help),
      cmocka_unit_test(test_mistakes),
      cmocka_unit_test(test_long_words_do_not_overrun),
      cmocka_unit_test(test_format_integers),
      cmocka_unit_test(test_format_text),
      cmocka_unit_test(test_format_copies_the_rest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
