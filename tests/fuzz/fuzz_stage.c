/* fuzz_stage.c - URLs that nobody meant, and answers of servers that are none: heads, options, chunks, hashes. */
#include "fuzz.h"

#include "sha256.h"
#include "stage/chunked.h"
#include "stage/http_text.h"
#include "stage/url.h"
#include "unit.h"

/* What was understood is written so that it is understood again, as the same. */
static void check_url(const char *text) {
  struct url url;
  struct url again;
  char written[URL_TEXT_SIZE];
  char file[URL_TEXT_SIZE];
  if(url_parse(text, &url)) {
    return;
  }
  if(!url_text(&url, written, sizeof(written))) {
    return; /* the path that was left out makes it one too long */
  }
  assert_null(url_parse(written, &again));
  assert_memory_equal(&url, &again, sizeof(url));
  assert_true(url_file(&url, file, sizeof(file)));
  assert_true(strlen(file) < strlen(url.path));
  url_name(&url, file, 16);
  assert_true(strlen(file) < 16);
  if(url_beside(&url, ".sha256", &again)) {
    assert_int_equal(strlen(again.path), strlen(url.path) + 7U);
  }
}

static void check_join(const char *reference) {
  struct url base;
  struct url url;
  char written[2 * URL_TEXT_SIZE];
  assert_null(url_parse("http://host:81/folder/file?query", &base));
  if(!url_join(&base, reference, &url)) {
    assert_true(url_text(&url, written, sizeof(written)));
    assert_null(strchr(written, '#'));
  }
}

/* The same content, however it is cut. */
static void check_chunks(const uint8_t *bytes, size_t length, size_t step) {
  uint8_t content[2][4096];
  size_t count[2] = {0};
  enum chunked_state ends[2];
  for(size_t pass = 0; pass < 2; pass++) {
    struct chunked chunked = {0};
    size_t at = 0;
    while(at < length && chunked.state != CHUNKED_DONE && chunked.state != CHUNKED_BROKEN) {
      size_t left = length - at;
      const uint8_t *data;
      size_t some;
      size_t used = chunked_next(&chunked, bytes + at, pass && left > step ? step : left, &data, &some);
      assert_in_range(used, 1, left);
      assert_true(some == 0 || (data >= bytes + at && data + some <= bytes + at + used));
      assert_true(count[pass] + some <= length && length <= sizeof(content[0]));
      memcpy(content[pass] + count[pass], data, some);
      count[pass] += some;
      at += used;
    }
    ends[pass] = chunked.state;
  }
  assert_int_equal(ends[0], ends[1]);
  assert_int_equal(count[0], count[1]);
  assert_memory_equal(content[0], content[1], count[0]);
}

static void check_head(const char *value) {
  static const char *const names[] = {"Content-Length", "content-range", "TRANSFER-ENCODING", "Location",
                                      "content-encoding"};
  struct http_head head = {0};
  for(size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    http_head_field(&head, names[i], value);
  }
  http_head_field(&head, value, "1");
  assert_true(!head.has_range || (head.first <= head.last && head.last < head.total));
  assert_true(!head.has_location || strlen(head.location) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  uint32_t kind = fuzz_u8(&in) % 4U;
  size_t step = 1U + fuzz_u8(&in);
  size_t length = in.left < 4096U ? in.left : 4096U;
  uint8_t hash[SHA256_SIZE];
  uint64_t value;
  char *text = malloc(length + 1U);
  assert_non_null(text);
  (void)fuzz_bytes(&in, text, length);
  text[length] = '\0';
  if(kind == 0) {
    check_url(text);
    check_join(text);
  } else if(kind == 1) {
    check_head(text);
  } else {
    uint8_t *exact = malloc(length ? length : 1U);
    assert_non_null(exact);
    memcpy(exact, text, length);
    if(kind == 2) {
      check_chunks(exact, length, step);
    } else {
      (void)tftp_option(exact, length, "tsize", &value);
      (void)sha256_parse((const char *)exact, length, hash);
    }
    free(exact);
  }
  free(text);
  return 0;
}
