/* fuzz_args.c - words, option tables and formats that nobody meant; strtoull's and printf's answers are
 * the reference. */
#include "fuzz.h"

#include <stdio.h>

#include "args.h"
#include "format.h"
#include "unit.h"

#define WORDS_MAX 8
#define TEXT_SIZE 64U

static size_t format(char *buffer, size_t size, const char *text, ...) {
  va_list arguments;
  va_start(arguments, text);
  size_t length = format_text(buffer, size, text, arguments);
  va_end(arguments);
  return length;
}

/* Values --------------------------------------------------------------------------------------------------------- */

/* What was understood means the same when it is written out and read again. */
static void check_addresses(const char *text) {
  char again[TEXT_SIZE];
  uint8_t mac[2][6];
  if(args_mac(text, mac[0])) {
    (void)format(again, sizeof(again), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0][0], mac[0][1], mac[0][2], mac[0][3],
                 mac[0][4], mac[0][5]);
    assert_true(args_mac(again, mac[1]));
    assert_memory_equal(mac[0], mac[1], 6);
  }
  uint32_t address[2];
  if(args_ipv4(text, &address[0])) {
    (void)format(again, sizeof(again), "%u.%u.%u.%u", address[0] >> 24, address[0] >> 16 & 0xFFU,
                 address[0] >> 8 & 0xFFU, address[0] & 0xFFU);
    assert_true(args_ipv4(again, &address[1]));
    assert_int_equal(address[0], address[1]);
  }
  struct pci_location place[2];
  if(args_pci_location(text, &place[0])) {
    assert_true(place[0].segment <= 0xFFFFU && place[0].bus <= 0xFFU && place[0].device < 32U &&
                place[0].function < 8U);
    (void)format(again, sizeof(again), "%x:%x:%x.%x", place[0].segment, place[0].bus, place[0].device,
                 place[0].function);
    assert_true(args_pci_location(again, &place[1]));
    assert_memory_equal(&place[0], &place[1], sizeof(place[0]));
  }
}

static void check_numbers(const char *text) {
  uint32_t number;
  bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  const char *digits = hex ? text + 2 : text;
  size_t length = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
  bool fits = length > 0 && !digits[length] && strtoull(digits, NULL, hex ? 16 : 10) <= UINT32_MAX;
  assert_int_equal(args_u32(text, &number), fits);
  assert_true(!fits || number == strtoull(digits, NULL, hex ? 16 : 10));

  struct cidr_option cidr;
  if(args_cidr(text, &cidr)) {
    assert_int_equal(~cidr.mask & (~cidr.mask + 1U), 0); /* ones, then zeroes */
  }
  struct range_option range;
  if(args_range(text, &range)) {
    assert_true(range.first <= range.last);
  }
}

/* Lines and options ---------------------------------------------------------------------------------------------- */

struct values {
  bool flag;
  uint32_t number;
  const char *text;
  struct mac_option mac;
  uint32_t address;
  struct cidr_option cidr;
  struct range_option range;
};

static const struct option options[] = {
    {"-f", NULL, OPTION_FLAG, offsetof(struct values, flag), 0, 0, ""},
    {"-n", "N", OPTION_U32, offsetof(struct values, number), 60, 1514, ""},
    {"--text", "TEXT", OPTION_TEXT, offsetof(struct values, text), 0, 0, ""},
    {"-m", "MAC", OPTION_MAC, offsetof(struct values, mac), 0, 0, ""},
    {"-a", "ADDRESS", OPTION_IPV4, offsetof(struct values, address), 0, 0, ""},
    {"-c", "CIDR", OPTION_CIDR, offsetof(struct values, cidr), 0, 0, ""},
    {"-r", "RANGE", OPTION_RANGE, offsetof(struct values, range), 60, 1514, ""},
    {0},
};

static void check_line(char *line) {
  char *argv[WORDS_MAX];
  const char *positional[WORDS_MAX];
  const char *end = line + strlen(line);
  int argc = args_split(line, argv, WORDS_MAX);
  assert_in_range(argc, 0, WORDS_MAX);
  for(int i = 0; i < argc; i++) {
    assert_true(argv[i] >= line && argv[i] <= end && argv[i] + strlen(argv[i]) <= end);
  }
  int room = argc > 0 ? (int)(strlen(argv[0]) % WORDS_MAX) : 0;
  struct values values = {.number = 60, .text = "", .range = {60, 60}};
  bool help;
  char *error = malloc(ARGS_ERROR_SIZE); /* so that the sanitizer knows its end */
  assert_non_null(error);
  int count = args_parse(options, &values, argc, argv, positional, room, &help, error);
  assert_in_range(count + 1, 0, room + 1);
  assert_true(strlen(error) < ARGS_ERROR_SIZE);
  assert_int_equal(count < 0, error[0] != '\0');
  assert_in_range(values.number, 60, 1514);
  assert_true(values.range.first >= 60 && values.range.first <= values.range.last && values.range.last <= 1514);
  assert_true(values.text[0] == '\0' || (values.text >= line && values.text <= end));
  free(error);
}

/* Formats -------------------------------------------------------------------------------------------------------- */

/* One conversion with literals around it, into a buffer of any size: the same text and length as printf's. */
static void check_format(struct fuzz *in) {
  static const char *const conversions[] = {"d", "u", "x", "ld", "lu", "lx", "lld", "llu", "zx", "s", "c", "%"};
  static const char *const flags[] = {"", "-", "0"};
  char spec[TEXT_SIZE];
  char expected[256];
  char literal[16];
  uint8_t which = fuzz_u8(in);
  const char *conversion = conversions[which % 12U];
  bool number = which % 12U < 9U;
  const char *flag = flags[fuzz_u8(in) % (number ? 3U : 2U)];
  uint32_t width = fuzz_u8(in) % 100U;
  size_t size = fuzz_u8(in) % 128U;
  uint64_t value = (uint64_t)fuzz_u32(in) << 32 | fuzz_u32(in);
  size_t length = fuzz_bytes(in, literal, sizeof(literal) - 1U);
  for(size_t i = 0; i < length; i++) {
    literal[i] = literal[i] == '%' || literal[i] == '\0' ? ' ' : literal[i];
  }
  literal[length] = '\0';
  if(*conversion == '%') {
    (void)snprintf(spec, sizeof(spec), "%s%%%%", literal);
  } else if(width > 0) {
    (void)snprintf(spec, sizeof(spec), "%s%%%s%u%s|", literal, flag, width, conversion);
  } else {
    (void)snprintf(spec, sizeof(spec), "%s%%%s|", literal, conversion);
  }
  char *buffer = malloc(size ? size : 1U);
  assert_non_null(buffer);
  size_t told;
  int wanted;
  if(*conversion == 's') {
    wanted = snprintf(expected, sizeof(expected), spec, literal);
    told = format(buffer, size, spec, literal);
  } else if(conversion[1] == '\0') {
    int narrow = *conversion == 'c' ? (int)(value % 94U + 33U) : (int)value;
    wanted = snprintf(expected, sizeof(expected), spec, narrow);
    told = format(buffer, size, spec, narrow);
  } else {
    wanted = snprintf(expected, sizeof(expected), spec, value);
    told = format(buffer, size, spec, value);
  }
  assert_int_equal(told, wanted);
  if(size > 0) {
    expected[told < size ? told : size - 1U] = '\0';
    assert_string_equal(buffer, expected);
  }
  free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  uint8_t kind = fuzz_u8(&in) % 3U;
  if(kind == 2U) {
    check_format(&in);
    return 0;
  }
  char *text = malloc(in.left + 1U);
  assert_non_null(text);
  text[fuzz_bytes(&in, text, in.left)] = '\0';
  if(kind == 0U) {
    check_addresses(text);
    check_numbers(text);
  } else {
    check_line(text);
  }
  free(text);
  return 0;
}
