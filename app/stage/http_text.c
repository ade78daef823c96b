/* http_text.c - what stands in the head of an HTTP answer. Pure C, tested on the host. */
#include "http_text.h"

#include <string.h>

#include "../args.h"

static const char *skip_blanks(const char *text) {
  while(*text == ' ' || *text == '\t') {
    text++;
  }
  return text;
}

/* Decimal digits, at least one, that fit 63 bits; NULL for anything else, or what is behind them. */
static const char *take_number(const char *text, uint64_t *value) {
  const char *at = text;
  *value = 0;
  for(; *at >= '0' && *at <= '9'; at++) {
    if(at - text >= 18) {
      return NULL;
    }
    *value = *value * 10U + (uint64_t)(*at - '0');
  }
  return at > text ? at : NULL;
}

static void content_length(struct http_head *head, const char *value) {
  uint64_t length;
  const char *end = take_number(value, &length);
  if(!end || *skip_blanks(end) || (head->has_length && head->length != length)) {
    head->bad_length = true;
    return;
  }
  head->has_length = true;
  head->length = length;
}

/* RFC 9110, 14.4: "bytes 100-199/200", the total may be "*". */
static void content_range(struct http_head *head, const char *value) {
  uint64_t first;
  uint64_t last;
  uint64_t total = UINT64_MAX;
  if(!text_same_start(value, "bytes ")) {
    return;
  }
  const char *at = take_number(skip_blanks(value + 6), &first);
  at = at && *at == '-' ? take_number(at + 1, &last) : NULL;
  if(!at || *at != '/') {
    return;
  }
  at = at[1] == '*' ? at + 2 : take_number(at + 1, &total);
  if(at && !*skip_blanks(at) && first <= last && last < total) {
    head->has_range = true;
    head->first = first;
    head->last = last;
    head->total = total;
  }
}

void http_head_field(struct http_head *head, const char *name, const char *value) {
  value = skip_blanks(value);
  if(text_same(name, "content-length")) {
    content_length(head, value);
  } else if(text_same(name, "transfer-encoding")) {
    head->chunked = text_same_start(value, "chunked");
    head->coded = head->coded || (!head->chunked && !text_same_start(value, "identity"));
  } else if(text_same(name, "content-encoding")) {
    head->coded = head->coded || !text_same_start(value, "identity");
  } else if(text_same(name, "content-range")) {
    content_range(head, value);
  } else if(text_same(name, "location")) {
    size_t length = strlen(value);
    while(length > 0 && (value[length - 1U] == ' ' || value[length - 1U] == '\t')) {
      length--;
    }
    head->has_location = length > 0 && length < sizeof(head->location);
    if(head->has_location) {
      memcpy(head->location, value, length);
      head->location[length] = '\0';
    }
  }
}

/* UEFI 2.10, 29.6: the enumeration in its order, from 1; 308 was added at the end. */
static const uint16_t statuses[] = {
    0,   100, 101, 200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 305, 307, 400, 401, 402, 403,
    404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 500, 501, 502, 503, 504, 505, 308,
};

uint32_t http_status_of(uint32_t code) {
  return code < sizeof(statuses) / sizeof(statuses[0]) ? statuses[code] : 0;
}

const char *http_status_text(uint32_t status) {
  static const struct {
    uint32_t status;
    const char *text;
  } texts[] = {
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {407, "Proxy Authentication Required"},
      {408, "Request Timeout"},
      {410, "Gone"},
      {416, "Range Not Satisfiable"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  };
  for(size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    if(texts[i].status == status) {
      return texts[i].text;
    }
  }
  return "";
}

/* The length of the text at `data`, without its zero byte; `left` when there is none. */
static size_t text_length(const uint8_t *data, size_t left) {
  size_t length = 0;
  while(length < left && data[length]) {
    length++;
  }
  return length;
}

bool tftp_option(const uint8_t *data, size_t length, const char *name, uint64_t *value) {
  size_t at = 0;
  while(at < length) {
    size_t name_length = text_length(data + at, length - at);
    size_t value_at = at + name_length + 1U;
    if(value_at >= length) {
      return false;
    }
    size_t value_length = text_length(data + value_at, length - value_at);
    if(value_at + value_length >= length) {
      return false;
    }
    if(text_same((const char *)data + at, name)) {
      const char *end = take_number((const char *)data + value_at, value);
      return end && !*end;
    }
    at = value_at + value_length + 1U;
  }
  return false;
}
