/* test_json.c - tests of the JSON writer: byte for byte, and with Python as the judge. */
#define _POSIX_C_SOURCE 200809L /* popen */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define TEXT_SIZE 65536U

/* What was written. */
static struct {
  struct json json;
  char text[TEXT_SIZE];
  size_t length;
} doc;

static void take(void *ctx, const char *text, size_t length) {
  assert_ptr_equal(ctx, &doc);
  assert_true(length > 0 && length < TEXT_SIZE - doc.length);
  memcpy(&doc.text[doc.length], text, length);
  doc.length += length;
  doc.text[doc.length] = '\0';
}

static struct json *begin(void) {
  memset(&doc, 0xA5, sizeof(doc));
  doc.length = 0;
  doc.text[0] = '\0';
  json_init(&doc.json, take, &doc);
  return &doc.json;
}

static void expect(const char *text, uint32_t misused) {
  json_finish(&doc.json);
  assert_string_equal(doc.text, text);
  assert_int_equal(doc.json.misused, misused);
}

#define writes(call, text)                                                                                             \
  do {                                                                                                                 \
    struct json *json = begin();                                                                                       \
    call;                                                                                                              \
    expect(text "\n", 0);                                                                                              \
  } while(0)

static void test_values(void **state) {
  (void)state;
  writes(json_u64(json, NULL, 0), "0");
  writes(json_u64(json, NULL, UINT64_MAX), "18446744073709551615");
  writes(json_i64(json, NULL, -1), "-1");
  writes(json_i64(json, NULL, INT64_MIN), "-9223372036854775808");
  writes(json_i64(json, NULL, INT64_MAX), "9223372036854775807");
  writes(json_thousandths(json, NULL, 0), "0.000");
  writes(json_thousandths(json, NULL, 740), "0.740");
  writes(json_thousandths(json, NULL, 1000), "1.000");
  writes(json_thousandths(json, NULL, UINT64_MAX), "18446744073709551.615");
  writes(json_bool(json, NULL, true), "true");
  writes(json_bool(json, NULL, false), "false");
  writes(json_null(json, NULL), "null");
  writes(json_text(json, NULL, NULL), "null");
  writes(json_hex(json, NULL, 0, 0), "\"0x0\"");
  writes(json_hex(json, NULL, 0x1F, 4), "\"0x001f\"");
  writes(json_hex(json, NULL, 0x12345, 4), "\"0x12345\"");
  writes(json_hex(json, NULL, UINT64_MAX, 99), "\"0xffffffffffffffff\"");
  writes(json_mac(json, NULL, (const uint8_t[]){0x52, 0x54, 0, 0xA1, 0xB2, 0x0F}), "\"52:54:00:a1:b2:0f\"");
  writes(json_ipv4(json, NULL, 0x0A00020FU), "\"10.0.2.15\"");
  writes(json_ipv4(json, NULL, 0), "\"0.0.0.0\"");
  writes(json_ipv4(json, NULL, UINT32_MAX), "\"255.255.255.255\"");
}

static void test_strings(void **state) {
  (void)state;
  writes(json_text(json, NULL, ""), "\"\"");
  writes(json_bytes_text(json, NULL, NULL, 0), "\"\"");
  writes(json_text(json, NULL, " ~/'"), "\" ~/'\"");
  writes(json_text(json, NULL, "\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
  writes(json_bytes_text(json, NULL, "a\0b", 3), "\"a\\u0000b\"");
  writes(json_text(json, NULL, "\x01\x1F\x7F"), "\"\\u0001\\u001f\\u007f\"");
  writes(json_text(json, NULL, "\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80"), "\"\\u00fc\\u20ac\\ud83d\\ude00\"");
  writes(json_text(json, NULL, "\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"), "\"\\u0080\\u07ff\\u0800\\uffff\"");
  writes(json_text(json, NULL, "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"), "\"\\ud800\\udc00\\udbff\\udfff\"");
}

/* Overlong, a surrogate, beyond the last one, cut short, out of place. */
static void test_no_utf8(void **state) {
  (void)state;
  writes(json_text(json, NULL, "\xC1\xBF"), "\"\\ufffd\\ufffd\"");
  writes(json_text(json, NULL, "\xE0\x9F\xBF"), "\"\\ufffd\\ufffd\\ufffd\"");
  writes(json_text(json, NULL, "\xED\xA0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");
  writes(json_text(json, NULL, "\xF4\x90\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
  writes(json_text(json, NULL, "\xF8x"), "\"\\ufffdx\"");
  writes(json_text(json, NULL, "\xE2\x82"), "\"\\ufffd\\ufffd\"");
  writes(json_text(json, NULL, "\xE2x\x82"), "\"\\ufffdx\\ufffd\"");
  /* The sanitizer sees a byte too many. */
  char *cut = malloc(3);
  assert_non_null(cut);
  memcpy(cut, "\xF0\x9F\x98", 3);
  writes(json_bytes_text(json, NULL, cut, 3), "\"\\ufffd\\ufffd\\ufffd\"");
  free(cut);
}

static void test_containers(void **state) {
  (void)state;
  struct json *json = begin();
  json_object(json, NULL);
  json_u64(json, "one", 1);
  json_array(json, "many");
  json_text(json, NULL, "a");
  json_object(json, NULL);
  json_end(json);
  json_array(json, "a key counts in an object only");
  json_end(json);
  json_end(json);
  json_null(json, "quoted \"key\"");
  json_end(json);
  expect("{\n  \"one\": 1,\n  \"many\": [\n    \"a\",\n    {},\n    []\n  ],\n  \"quoted \\\"key\\\"\": null\n}\n", 0);
}

static void test_flow(void **state) {
  (void)state;
  struct json *json = begin();
  json_object(json, NULL);
  json_array(json, "rows");
  for(uint32_t i = 0; i < 2; i++) {
    json_flow_object(json, NULL);
    json_text(json, "name", "RCTL");
    json_hex(json, "value", i, 8);
    json_array(json, "bits"); /* flows with what it is in */
    json_text(json, NULL, "EN");
    json_text(json, NULL, "UPE");
    json_end(json);
    json_end(json);
  }
  json_end(json);
  json_flow_array(json, "bytes");
  for(uint32_t i = 0; i < 20; i++) {
    json_u64(json, NULL, 1000 + i);
  }
  expect("{\n  \"rows\": [\n"
         "    {\"name\": \"RCTL\", \"value\": \"0x00000000\", \"bits\": [\"EN\", \"UPE\"]},\n"
         "    {\"name\": \"RCTL\", \"value\": \"0x00000001\", \"bits\": [\"EN\", \"UPE\"]}\n"
         "  ],\n"
         "  \"bytes\": [1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010,\n"
         "    1011, 1012, 1013, 1014, 1015, 1016, 1017, 1018, 1019]\n}\n",
         0);
}

static void test_misuse(void **state) {
  (void)state;
  (void)begin();
  expect("null\n", 0);
  struct json *json = begin();
  json_end(json);
  json_u64(json, NULL, 1);
  json_u64(json, NULL, 2); /* a second document */
  json_object(json, NULL);
  json_u64(json, "in it", 3);
  json_end(json);
  expect("1\n", 3);
  json_u64(json, NULL, 4); /* after its end */
  json_finish(json);
  expect("1\n", 3);
  json = begin();
  json_object(json, NULL);
  json_u64(json, NULL, 1); /* a member without a name */
  json_array(json, NULL);
  json_u64(json, "left out with it", 2);
  json_end(json);
  json_u64(json, "b", 3);
  expect("{\n  \"b\": 3\n}\n", 2);
}

static void test_depth(void **state) {
  (void)state;
  struct json *json = begin();
  for(uint32_t i = 0; i < JSON_DEPTH_MAX + 2U; i++) {
    json_flow_array(json, NULL);
  }
  json_u64(json, NULL, 1); /* too deep */
  json_end(json);
  json_end(json);
  json_u64(json, NULL, 2);
  json_end(json);
  json_u64(json, NULL, 3);
  expect("[[[[[[[[[[[[[[[[2], 3]]]]]]]]]]]]]]]\n", 1);
}

/* Stopped anywhere, it is a document. And Python writes it again the same, so that it was meant as it is read. */
static void write_some(uint32_t seed, uint32_t calls, uint32_t flow_every) {
  struct json *json = begin();
  json_object(json, NULL);
  for(uint32_t i = 0; i < calls; i++) {
    char key[16];
    char text[24];
    seed = seed * 1103515245U + 12345U;
    (void)snprintf(key, sizeof(key), "k%u", i);
    for(size_t at = 0; at < sizeof(text); at++) {
      text[at] = (char)(seed >> at);
    }
    bool flow = flow_every > 0 && (seed >> 8) % flow_every == 0;
    switch(seed >> 16 & 15U) {
    case 0:
    case 1:
      (flow ? json_flow_object : json_object)(json, key);
      break;
    case 2:
    case 3:
      (flow ? json_flow_array : json_array)(json, key);
      break;
    case 4:
    case 5:
    case 6:
      if(json->depth + json->skipped > 1) {
        json_end(json);
      }
      break;
    case 7:
      json_u64(json, key, (uint64_t)seed << 32 | i);
      break;
    case 8:
      json_i64(json, key, -(int64_t)seed);
      break;
    case 9:
      json_bool(json, key, seed & 0x100U);
      break;
    case 10:
      json_null(json, key);
      break;
    case 11:
      json_hex(json, key, seed, 8);
      break;
    case 12:
      json_ipv4(json, key, seed);
      break;
    default:
      json_bytes_text(json, key, text, seed >> 8 & 3U);
    }
  }
  json_finish(json);
}

static void judge(const char *script) {
  char command[512];
  (void)snprintf(command, sizeof(command), "python3 -c 'import json,sys\nt = sys.stdin.read()\nv = json.loads(t)\n%s'",
                 script);
  FILE *python = popen(command, "w");
  assert_non_null(python);
  assert_int_equal(fwrite(doc.text, 1, doc.length, python), doc.length);
  int status = pclose(python);
  if(status != 0) {
    print_message("%s", doc.text);
  }
  assert_int_equal(status, 0);
}

static void test_python_agrees(void **state) {
  (void)state;
  for(uint32_t seed = 1; seed <= 8; seed++) {
    write_some(seed, 60 * seed, 0);
    judge("sys.exit(t != json.dumps(v, indent=2) + \"\\n\")");
    write_some(seed, 60 * seed, 3);
    judge("long = [l for l in t.split(\"\\n\") if len(l) > 79]\nlong and print(*long)\nsys.exit(len(long))");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values),     cmocka_unit_test(test_strings),       cmocka_unit_test(test_no_utf8),
      cmocka_unit_test(test_containers), cmocka_unit_test(test_flow),          cmocka_unit_test(test_misuse),
      cmocka_unit_test(test_depth),      cmocka_unit_test(test_python_agrees),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
