/* test_sha256.c - tests of SHA-256 against the vectors of FIPS 180-4's examples and NIST's CAVP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sha256.h"

static void expect(const void *bytes, size_t count, size_t step, const char *text) {
  struct sha256 sha;
  uint8_t hash[SHA256_SIZE];
  char found[SHA256_TEXT_SIZE];
  sha256_begin(&sha);
  for(size_t at = 0; at < count; at += step) {
    sha256_add(&sha, (const uint8_t *)bytes + at, count - at < step ? count - at : step);
  }
  sha256_end(&sha, hash);
  assert_string_equal(sha256_text(hash, found), text);
}

static void test_vectors(void **state) {
  (void)state;
  static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  static const char four[] = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
                             "lmnopqrsmnopqrstnopqrstu";
  expect("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect("abc", 3, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  for(size_t step = 1; step < 130; step++) {
    expect(two, sizeof(two) - 1U, step, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect(four, sizeof(four) - 1U, step, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  }
}

static void test_a_million(void **state) {
  (void)state;
  char *many = malloc(1000000U);
  assert_non_null(many);
  memset(many, 'a', 1000000U);
  expect(many, 1000000U, 4099U, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  free(many);
}

/* Where the padding needs a block of its own, and where it does not: hashlib's answers. */
static void test_edges(void **state) {
  (void)state;
  static const struct {
    size_t count;
    const char *text;
  } rows[] = {
      {1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
      {55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"},
      {56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"},
      {57, "65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785"},
      {63, "c7723fa1e0127975e49e62e753db53924c1bd84b8ac1ac08df78d09270f3d971"},
      {64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"},
      {65, "98ce42deef51d40269d542f5314bef2c7468d401ad5d85168bfab4c0108f75f7"},
      {119, "f616b0d54e78571a9611f343c9f8e022e859e920381ab0e4d3da01e193a7bd7e"},
      {120, "6edd9f6f9cc92cded36e6c4a580933f9c9f1b90562b46903b806f21902a1a54f"},
      {128, "38723a2e5e8a17aa7950dc008209944e898f69a7bd10a23c839d341e935fd5ca"},
  };
  uint8_t zeroes[200] = {0};
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect(zeroes, rows[i].count, 7, rows[i].text);
  }
}

static void test_text(void **state) {
  (void)state;
  static const char digits[] = "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100";
  uint8_t hash[SHA256_SIZE];
  char line[128];
  assert_true(sha256_parse(digits, 64, hash));
  assert_int_equal(hash[1], 0x11);
  assert_int_equal(hash[16], 0xFF);
  (void)snprintf(line, sizeof(line), " %s  kernel.efi\n", digits);
  assert_true(sha256_parse(line, strlen(line), hash));
  assert_false(sha256_parse(digits, 63, hash));
  assert_false(sha256_parse("", 0, hash));
  (void)snprintf(line, sizeof(line), "%s0", digits);
  assert_false(sha256_parse(line, 65, hash));
  memset(hash, 0x5A, sizeof(hash));
  (void)snprintf(line, sizeof(line), "%s", digits);
  line[63] = 'g';
  assert_false(sha256_parse(line, 64, hash));
  assert_int_equal(hash[0], 0x5A);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_vectors),
      cmocka_unit_test(test_a_million),
      cmocka_unit_test(test_edges),
      cmocka_unit_test(test_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
