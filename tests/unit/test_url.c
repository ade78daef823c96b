/* test_url.c - tests of URLs, of what stands in the head of an answer, and of chunked bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage/chunked.h"
#include "stage/http_text.h"
#include "stage/url.h"

static struct url url;

static void good(const char *text) {
  const char *problem = url_parse(text, &url);
  if(problem) {
    fail_msg("%s: %s", text, problem);
  }
}

static void bad(const char *text, const char *about) {
  const char *problem = url_parse(text, &url);
  if(!problem || !strstr(problem, about)) {
    fail_msg("%s: \"%s\", not about %s", text, problem ? problem : "fine", about);
  }
}

static void expect_text(const char *text) {
  char written[URL_TEXT_SIZE];
  assert_true(url_text(&url, written, sizeof(written)));
  assert_string_equal(written, text);
}

static void test_parts(void **state) {
  (void)state;
  char file[URL_TEXT_SIZE];
  char name[8];
  good("tftp://10.0.2.2/boot/kernel.efi");
  assert_int_equal(url.scheme, URL_TFTP);
  assert_int_equal(url.host_kind, URL_HOST_IPV4);
  assert_int_equal(url.ipv4, 0x0A000202U);
  assert_int_equal(url.port, 69);
  assert_true(url_file(&url, file, sizeof(file)));
  assert_string_equal(file, "boot/kernel.efi");
  url_name(&url, name, sizeof(name));
  assert_string_equal(name, "kernel."); /* cut to what fits */
  assert_false(url_file(&url, file, 15));
  assert_string_equal(file, "");

  good("HTTP://Boot.Example.COM:8080/a%20b/K%2e.efi?x=1/2");
  assert_int_equal(url.scheme, URL_HTTP);
  assert_int_equal(url.host_kind, URL_HOST_NAME);
  assert_string_equal(url.host, "boot.example.com");
  assert_int_equal(url.port, 8080);
  expect_text("http://boot.example.com:8080/a%20b/K%2e.efi?x=1/2");
  url_name(&url, file, sizeof(file));
  assert_string_equal(file, "K..efi");

  good("https://h");
  assert_int_equal(url.port, 443);
  expect_text("https://h/");
  url_name(&url, file, sizeof(file));
  assert_string_equal(file, "");
  good("http://h:80?q");
  expect_text("http://h/?q");
}

static void expect_ipv6(const char *text, const uint8_t address[16]) {
  char whole[128] = "http://[";
  strcat(strcat(whole, text), "]:81/f");
  good(whole);
  assert_int_equal(url.host_kind, URL_HOST_IPV6);
  assert_memory_equal(url.ipv6, address, 16);
  assert_int_equal(url.port, 81);
  expect_text(whole);
}

static void test_ipv6(void **state) {
  (void)state;
  static const uint8_t one[16] = {[15] = 1};
  static const uint8_t all[16] = {0x20, 1, 0xD, 0xB8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6};
  static const uint8_t front[16] = {0xFE, 0xC0};
  static const uint8_t middle[16] = {0xFE, 0x80, [13] = 0xAB, [15] = 2};
  static const uint8_t mapped[16] = {[10] = 0xFF, [11] = 0xFF, [12] = 10, [15] = 9};
  static const char *const wrong[] = {"",
                                      ":",
                                      ":::",
                                      "1",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "12345::",
                                      "1::2::3",
                                      "::1%eth0",
                                      "::10.0.0.256",
                                      "g::",
                                      "1:2:3:4:5:6:7:",
                                      ":1::",
                                      "1:2:3:4:5:6:7::8",
                                      "::1.2.3.4:5"};
  char whole[128];
  expect_ipv6("::1", one);
  expect_ipv6("2001:db8:1:2:3:4:5:6", all);
  expect_ipv6("fec0::", front);
  expect_ipv6("fe80::ab:2", middle);
  expect_ipv6("::ffff:10.0.0.9", mapped);
  for(size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    (void)snprintf(whole, sizeof(whole), "http://[%s]/", wrong[i]);
    bad(whole, "no IPv6 address");
  }
  bad("http://[::1/", "bracket");
  bad("http://[::1]x/", "port");
  bad("http://fe80::1/", "brackets");
}

static void test_refused(void **state) {
  (void)state;
  char longest[URL_TEXT_SIZE + 1U];
  bad("", "begins with");
  bad("kernel.efi", "begins with");
  bad("ftp://h/f", "begins with");
  bad("tftp:h/f", "two slashes");
  bad("http:///f", "missing");
  bad("http://:80/f", "missing");
  bad("http://u@h/f", "user name");
  bad("http://u:p@h/f", "user name");
  bad("http://h:0/f", "port");
  bad("http://h:65536/f", "port");
  bad("http://h:/f", "port");
  bad("http://h:8o/f", "port");
  bad("http://10.0.0/f", "IPv4");
  bad("http://10.0.0.256/f", "IPv4");
  bad("http://10.0.0.01/f", "IPv4");
  bad("http://10.0.0.1.2/f", "IPv4");
  bad("http://a..b/f", "name");
  bad("http://-a/f", "name");
  bad("http://a b/f", "name");
  bad("http://h/a b", "blank");
  bad("http://h/<a>", "blank");
  bad("http://h/f#part", "fragment");
  bad("http://h/%", "percent");
  bad("http://h/%4", "percent");
  bad("http://h/%4g", "percent");
  bad("http://h/%00", "%00");
  memset(longest, 'a', sizeof(longest));
  memcpy(longest, "http://h/", 9);
  longest[URL_TEXT_SIZE] = '\0';
  bad(longest, "too long");
  longest[URL_TEXT_SIZE - 1U] = '\0';
  good(longest);
  expect_text(longest);
}

static void joined(const char *base, const char *reference, const char *result) {
  struct url from;
  assert_null(url_parse(base, &from));
  const char *problem = url_join(&from, reference, &url);
  if(!result) {
    assert_non_null(problem);
    return;
  }
  assert_null(problem);
  expect_text(result);
}

static void test_join(void **state) {
  (void)state;
  joined("http://h/a/b?q", "https://i:8/c", "https://i:8/c");
  joined("http://h:81/a/b?q", "//i/c", "http://i/c");
  joined("http://h:81/a/b?q", "/c?d", "http://h:81/c?d");
  joined("http://h:81/a/b?q=/x", "c", "http://h:81/a/c");
  joined("http://h/", "c#part", "http://h/c");
  joined("http://h/", "/a b", NULL);
  joined("http://h/", "http://", NULL);
  joined("http://h/", "http#:", "http://h/http");
}

static void test_beside(void **state) {
  (void)state;
  struct url beside;
  good("http://h/a.efi?x=1");
  assert_true(url_beside(&url, ".sha256", &beside));
  url = beside;
  expect_text("http://h/a.efi.sha256?x=1");
  memset(url.path + 1, 'a', URL_TEXT_SIZE - 2U);
  url.path[URL_TEXT_SIZE - 1U] = '\0';
  assert_false(url_beside(&url, ".sha256", &beside));
  char text[8];
  assert_false(url_text(&url, text, sizeof(text)));
  assert_string_equal(text, "");
}

/* Heads ---------------------------------------------------------------------------------------------------------- */

static void test_head(void **state) {
  (void)state;
  struct http_head head = {0};
  http_head_field(&head, "CONTENT-length", " 1234 ");
  assert_true(head.has_length && !head.bad_length && head.length == 1234);
  http_head_field(&head, "Content-Length", "1234");
  assert_false(head.bad_length);
  http_head_field(&head, "Content-Length", "1235");
  assert_true(head.bad_length);
  static const char *const lengths[] = {"", "-1", "0x10", "1 2", "1,1", "1234567890123456789"};
  for(size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    head = (struct http_head){0};
    http_head_field(&head, "Content-Length", lengths[i]);
    assert_true(head.bad_length && !head.has_length);
  }
  head = (struct http_head){0};
  http_head_field(&head, "Transfer-Encoding", "Chunked");
  assert_true(head.chunked && !head.coded);
  http_head_field(&head, "Content-Encoding", "gzip");
  assert_true(head.coded);
  head = (struct http_head){0};
  http_head_field(&head, "Transfer-Encoding", "gzip, chunked");
  assert_true(head.coded && !head.chunked);
  http_head_field(&head, "Location", " /there \t");
  assert_true(head.has_location);
  assert_string_equal(head.location, "/there");
}

static void test_range(void **state) {
  (void)state;
  struct http_head head = {0};
  http_head_field(&head, "Content-Range", "bytes 100-199/200");
  assert_true(head.has_range && head.first == 100 && head.last == 199 && head.total == 200);
  head = (struct http_head){0};
  http_head_field(&head, "Content-Range", "bytes 5-5/*");
  assert_true(head.has_range && head.total == UINT64_MAX);
  static const char *const wrong[] = {"bytes */200",
                                      "bytes 2-1/9",
                                      "bytes 0-9/9",
                                      "items 0-1/2",
                                      "bytes 0-1",
                                      "bytes -1/2",
                                      "bytes 0-/2",
                                      "bytes 0-1/2 x",
                                      "bytes 0-1/200000000000000000000",
                                      ""};
  for(size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    head = (struct http_head){0};
    http_head_field(&head, "Content-Range", wrong[i]);
    assert_false(head.has_range);
  }
}

static void test_statuses(void **state) {
  (void)state;
  assert_int_equal(http_status_of(3), 200); /* UEFI 2.10, 29.6 */
  assert_int_equal(http_status_of(9), 206);
  assert_int_equal(http_status_of(21), 404);
  assert_int_equal(http_status_of(35), 500);
  assert_int_equal(http_status_of(40), 505);
  assert_int_equal(http_status_of(41), 308);
  assert_int_equal(http_status_of(0), 0);
  assert_int_equal(http_status_of(42), 0);
  assert_string_equal(http_status_text(404), "Not Found");
  assert_string_equal(http_status_text(299), "");
}

static void test_options(void **state) {
  (void)state;
  static const char data[] = "blksize\0001428\0TSize\00067108864";
  uint64_t value = 0;
  for(size_t length = 0; length <= sizeof(data); length++) {
    char *exact = malloc(length ? length : 1U);
    assert_non_null(exact);
    memcpy(exact, data, length);
    assert_int_equal(tftp_option((uint8_t *)exact, length, "tsize", &value), length == sizeof(data));
    free(exact);
  }
  assert_int_equal(value, 67108864);
  assert_false(tftp_option((const uint8_t *)data, sizeof(data), "windowsize", &value));
  assert_false(tftp_option((const uint8_t *)"tsize\0-1", 9, "tsize", &value));
}

/* Chunks --------------------------------------------------------------------------------------------------------- */

/* The body that these bytes hold, cut every `step` bytes; -1 when it is broken or not at its end. */
static int decoded(const char *bytes, size_t length, size_t step, char *out) {
  struct chunked chunked = {0};
  size_t at = 0;
  size_t count = 0;
  while(at < length && chunked.state != CHUNKED_DONE && chunked.state != CHUNKED_BROKEN) {
    size_t piece = length - at < step ? length - at : step;
    const uint8_t *data;
    size_t content;
    size_t used = chunked_next(&chunked, (const uint8_t *)bytes + at, piece, &data, &content);
    assert_in_range(used, 1, piece);
    memcpy(out + count, data, content);
    count += content;
    at += used;
  }
  return chunked.state == CHUNKED_DONE ? (int)count : -1;
}

static void test_chunks(void **state) {
  (void)state;
  static const char body[] = "5;name=\"v\"\r\nhello\r\nB \r\n wide world\r\n0\r\nTrailer: x\r\nMore: y\r\n\r\nrest";
  char out[64];
  for(size_t step = 1; step < sizeof(body); step++) {
    assert_int_equal(decoded(body, sizeof(body) - 1U, step, out), 16);
    assert_memory_equal(out, "hello wide world", 16);
  }
  assert_int_equal(decoded("0\r\n\r\n", 5, 1, out), 0);
  for(size_t length = 0; length < 5; length++) {
    assert_int_equal(decoded("0\r\n\r\n", length, 1, out), -1);
  }
}

static void test_broken_chunks(void **state) {
  (void)state;
  static const char *const bodies[] = {"\r\n",  "x\r\n",     "5\nhello", "5\r\nhello5\r\n", "1234567890abcdef1\r\n",
                                       "5\rx",  "1\r\na\rx", "0\r\nx\n", "-1\r\n",          "5;\n",
                                       " 5\r\n"};
  char out[64];
  for(size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
    assert_int_equal(decoded(bodies[i], strlen(bodies[i]), 64, out), -1);
  }
  /* A line without end is not waited for. */
  static char endless[CHUNKED_LINE_MAX + 10U];
  memset(endless, 'x', sizeof(endless));
  memcpy(endless, "1;", 2);
  struct chunked chunked = {0};
  const uint8_t *data;
  size_t count;
  (void)chunked_next(&chunked, (const uint8_t *)endless, sizeof(endless), &data, &count);
  assert_int_equal(chunked.state, CHUNKED_BROKEN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parts),  cmocka_unit_test(test_ipv6),          cmocka_unit_test(test_refused),
      cmocka_unit_test(test_join),   cmocka_unit_test(test_beside),        cmocka_unit_test(test_head),
      cmocka_unit_test(test_range),  cmocka_unit_test(test_statuses),      cmocka_unit_test(test_options),
      cmocka_unit_test(test_chunks), cmocka_unit_test(test_broken_chunks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
