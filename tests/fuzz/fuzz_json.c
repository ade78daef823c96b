/* fuzz_json.c - JSON that is written by calls in any order, stopped anywhere: a document of RFC 8259, in ASCII, that a
 * reader of its own here understands; and bits by name of anybody's string. */
#include "fuzz.h"

#include "bits.h"
#include "json.h"
#include "unit.h"

#define TEXT_MAX  24U
#define CALLS_MAX 4000U

struct document {
  char *text;
  size_t length;
  size_t room;
};

static void take(void *ctx, const char *text, size_t length) {
  struct document *document = ctx;
  assert_true(length > 0);
  if(document->length + length + 1U > document->room) {
    document->room = 2U * (document->length + length) + 64U;
    document->text = realloc(document->text, document->room);
    assert_non_null(document->text);
  }
  memcpy(document->text + document->length, text, length);
  document->length += length;
  document->text[document->length] = '\0';
}

/* Reader: moves behind a value, or stops the fuzzer ---------------------------------------------------------------- */

static const char *blanks(const char *at) {
  return at + strspn(at, " \n");
}

static const char *read_string(const char *at) {
  assert_int_equal(*at++, '"');
  for(; *at != '"'; at++) {
    assert_in_range(*at, ' ', '~');
    if(*at != '\\') {
      continue;
    }
    at++;
    assert_non_null(strchr("\"\\bfnrtu", *at));
    if(*at == 'u') {
      assert_int_equal(strspn(at + 1, "0123456789abcdef") >= 4U, 1);
      at += 4;
    }
  }
  return at + 1;
}

static const char *read_number(const char *at) {
  at += *at == '-';
  size_t digits = strspn(at, "0123456789");
  assert_true(digits > 0 && (digits == 1 || *at != '0'));
  at += digits;
  if(*at == '.') {
    digits = strspn(at + 1, "0123456789");
    assert_true(digits > 0);
    at += digits + 1U;
  }
  return at;
}

static const char *read_value(const char *at, uint32_t depth);

static const char *read_container(const char *at, char end, uint32_t depth) {
  assert_true(depth < JSON_DEPTH_MAX);
  at = blanks(at + 1);
  while(*at != end) {
    if(end == '}') {
      at = read_string(at);
      assert_int_equal(*at, ':');
      at++;
    }
    at = blanks(read_value(at, depth + 1U));
    assert_true(*at == ',' || *at == end);
    if(*at == ',') {
      at = blanks(at + 1);
      assert_int_not_equal(*at, end);
    }
  }
  return at + 1;
}

static const char *read_value(const char *at, uint32_t depth) {
  static const char *const words[] = {"true", "false", "null"};
  at = blanks(at);
  if(*at == '{' || *at == '[') {
    return read_container(at, *at == '{' ? '}' : ']', depth);
  }
  if(*at == '"') {
    return read_string(at);
  }
  for(size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    if(strncmp(at, words[i], strlen(words[i])) == 0) {
      return at + strlen(words[i]);
    }
  }
  return read_number(at);
}

/* Calls ------------------------------------------------------------------------------------------------------------ */

/* Exactly as long as told: the sanitizer sees a byte too many. */
static void put_text(struct json *json, const char *key, struct fuzz *in) {
  uint8_t bytes[TEXT_MAX];
  size_t length = fuzz_bytes(in, bytes, fuzz_u8(in) % TEXT_MAX);
  uint8_t *exact = malloc(length ? length : 1U);
  assert_non_null(exact);
  memcpy(exact, bytes, length);
  json_bytes_text(json, key, exact, length);
  free(exact);
}

static void call(struct json *json, struct fuzz *in) {
  static const char *const keys[] = {NULL, "", "k", "\"\\\n\xC3\xBC\xFF", "a longer one that takes some room"};
  uint8_t what = fuzz_u8(in);
  const char *key = keys[what / 16U % (sizeof(keys) / sizeof(keys[0]))];
  uint8_t mac[6] = {what, 1, 2, 3, 4, 5};
  switch(what % 16U) {
  case 0:
    json_object(json, key);
    break;
  case 1:
    json_array(json, key);
    break;
  case 2:
    json_flow_object(json, key);
    break;
  case 3:
    json_flow_array(json, key);
    break;
  case 4:
  case 5:
    json_end(json);
    break;
  case 6:
    json_u64(json, key, (uint64_t)fuzz_u32(in) << 32 | what);
    break;
  case 7:
    json_i64(json, key, (int32_t)fuzz_u32(in));
    break;
  case 8:
    json_thousandths(json, key, fuzz_u32(in));
    break;
  case 9:
    json_bool(json, key, what & 16U);
    break;
  case 10:
    json_hex(json, key, fuzz_u32(in), fuzz_u8(in));
    break;
  case 11:
    json_mac(json, key, mac);
    break;
  case 12:
    json_ipv4(json, key, fuzz_u32(in));
    break;
  case 13:
    json_text(json, key, key);
    break;
  default:
    put_text(json, key, in);
  }
}

static void check_bits(const uint8_t *data, size_t size) {
  char *bits = malloc(size + 1U);
  assert_non_null(bits);
  memcpy(bits, data, size);
  bits[size] = '\0';
  for(size_t room = 1; room < 40U; room += 13U) {
    char *text = malloc(room);
    assert_non_null(text);
    assert_true(strlen(bits_text(bits, 0xA5A5A5A5A5A5A5A5ULL, text, room)) < room);
    free(text);
  }
  free(bits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  struct document document = {0};
  struct json json;
  json_init(&json, take, &document);
  for(uint32_t calls = 0; in.left > 0 && calls < CALLS_MAX; calls++) {
    call(&json, &in);
  }
  json_finish(&json);
  size_t length = document.length;
  call(&json, &in); /* after the end nothing is added */
  json_finish(&json);
  assert_int_equal(document.length, length);
  assert_string_equal(read_value(document.text, 0), "\n");
  free(document.text);
  check_bits(data, size);
  return 0;
}
