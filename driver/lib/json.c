/* json.c - writes one JSON document (RFC 8259) as it comes, through a callback. Pure C, tested on the host. */
#include "json.h"

#include <string.h>

#include "texts.h"

#define INDENT      2U
#define NUMBER_SIZE 32U
#define REPLACEMENT 0xFFFDU

static const char hex_digits[] = "0123456789abcdef";

/* A value that is no container. */
struct value {
  const char *text; /* a literal, or the bytes of a string */
  size_t length;
  bool string;
};

/* Characters ----------------------------------------------------------------------------------------------------- */

static void put(struct json *json, const char *text, size_t length) {
  if(json->measuring) {
    json->measured += (uint32_t)length;
    return;
  }
  json->column += (uint32_t)length;
  json->put(json->ctx, text, length);
}

static void put_unit(struct json *json, uint32_t unit) {
  const char text[6] = {'\\',
                        'u',
                        hex_digits[unit >> 12 & 15U],
                        hex_digits[unit >> 8 & 15U],
                        hex_digits[unit >> 4 & 15U],
                        hex_digits[unit & 15U]};
  put(json, text, sizeof(text));
}

/* Takes one character of UTF-8 (RFC 3629) at bytes[0..length-1], at least one byte; returns how many it is long. */
static size_t take_character(const uint8_t *bytes, size_t length, uint32_t *character) {
  static const struct {
    uint8_t mask;
    uint8_t lead;
    uint32_t min; /* a smaller one has a shorter form */
  } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
  for(size_t more = 0; more < sizeof(forms) / sizeof(forms[0]) && more < length; more++) {
    if((bytes[0] & forms[more].mask) != forms[more].lead) {
      continue;
    }
    uint32_t value = bytes[0] & (uint8_t)~forms[more].mask;
    bool sound = true;
    for(size_t i = 1; i <= more; i++) {
      sound = sound && (bytes[i] & 0xC0U) == 0x80U;
      value = value << 6 | (bytes[i] & 0x3FU);
    }
    if(sound && value >= forms[more].min && value <= 0x10FFFFU && (value < 0xD800U || value > 0xDFFFU)) {
      *character = value;
      return more + 1;
    }
  }
  *character = REPLACEMENT;
  return 1;
}

static void put_character(struct json *json, uint32_t character) {
  static const char escapes[] = {'"', '\\', '\b', '\f', '\n', '\r', '\t'};
  static const char names[] = {'"', '\\', 'b', 'f', 'n', 'r', 't'};
  for(size_t i = 0; i < sizeof(escapes); i++) {
    if(character == (uint32_t)escapes[i]) {
      const char text[2] = {'\\', names[i]};
      put(json, text, sizeof(text));
      return;
    }
  }
  if(character >= ' ' && character <= '~') {
    const char text = (char)character;
    put(json, &text, 1);
  } else if(character < 0x10000U) {
    put_unit(json, character);
  } else {
    put_unit(json, 0xD800U + ((character - 0x10000U) >> 10));
    put_unit(json, 0xDC00U + ((character - 0x10000U) & 0x3FFU));
  }
}

static void put_string(struct json *json, const char *text, size_t length) {
  const uint8_t *bytes = (const uint8_t *)text;
  put(json, "\"", 1);
  for(size_t at = 0; at < length;) {
    uint32_t character;
    at += take_character(&bytes[at], length - at, &character);
    put_character(json, character);
  }
  put(json, "\"", 1);
}

/* Items ---------------------------------------------------------------------------------------------------------- */

static uint32_t level_bit(const struct json *json) {
  return 1U << (json->depth - 1U);
}

static bool in_object(const struct json *json) {
  return json->depth > 0 && (json->objects & level_bit(json));
}

static void new_line(struct json *json, uint32_t indent) {
  put(json, "\n", 1);
  json->column = 0;
  for(uint32_t i = 0; i < indent; i++) {
    put(json, " ", 1);
  }
}

static void put_item(struct json *json, const char *key, const struct value *value) {
  if(key && in_object(json)) {
    put_string(json, key, strlen(key));
    put(json, ": ", 2);
  }
  if(value->string) {
    put_string(json, value->text, value->length);
  } else {
    put(json, value->text, value->length);
  }
}

/* An item may come; when not, it is counted as the caller's mistake. */
static bool fits(struct json *json, const char *key) {
  bool room = !json->finished && json->skipped == 0 && (json->depth > 0 || !json->begun) && (!in_object(json) || key);
  json->misused += !room && json->skipped == 0 && !json->finished;
  return room;
}

/* Comma, blank or line end, and the item. */
static void add(struct json *json, const char *key, const struct value *value) {
  if(json->depth > 0) {
    uint32_t bit = level_bit(json);
    bool first = !(json->filled & bit);
    if(!first) {
      put(json, ",", 1);
    }
    json->measuring = true;
    json->measured = 0;
    put_item(json, key, value);
    json->measuring = false;
    /* A blank before, and behind it the end of all containers and a comma. */
    bool room = json->column + 1U + json->measured + json->depth + 1U <= JSON_COLUMNS;
    if(!(json->flowing & bit) || !room) {
      new_line(json, INDENT * json->depth);
    } else if(!first) {
      put(json, " ", 1);
    }
    json->filled |= bit;
  }
  json->begun = true;
  put_item(json, key, value);
}

static void add_literal(struct json *json, const char *key, const char *text, size_t length) {
  if(fits(json, key)) {
    const struct value value = {.text = text, .length = length};
    add(json, key, &value);
  }
}

static void add_string(struct json *json, const char *key, const char *text, size_t length) {
  if(fits(json, key)) {
    const struct value value = {.text = text, .length = length, .string = true};
    add(json, key, &value);
  }
}

static void begin(struct json *json, const char *key, bool object, bool flow) {
  if(json->skipped > 0 || !fits(json, key)) {
    json->skipped += !json->finished;
    return;
  }
  if(json->depth == JSON_DEPTH_MAX) {
    json->misused++;
    json->skipped++;
    return;
  }
  bool inherited = json->depth > 0 && (json->flowing & level_bit(json));
  const struct value value = {.text = object ? "{" : "[", .length = 1};
  add(json, key, &value);
  json->depth++;
  uint32_t bit = level_bit(json);
  json->objects = object ? json->objects | bit : json->objects & ~bit;
  json->flowing = flow || inherited ? json->flowing | bit : json->flowing & ~bit;
  json->filled &= ~bit;
}

static void end(struct json *json) {
  uint32_t bit = level_bit(json);
  bool object = in_object(json);
  json->depth--;
  if((json->filled & bit) && !(json->flowing & bit)) {
    new_line(json, INDENT * json->depth);
  }
  put(json, object ? "}" : "]", 1);
}

/* Numbers -------------------------------------------------------------------------------------------------------- */

/* Right-aligned in `text`, with at least `digits` digits; returns where it begins. */
static size_t number_text(char text[NUMBER_SIZE], uint64_t value, uint32_t base, uint32_t digits) {
  size_t at = NUMBER_SIZE;
  do {
    text[--at] = hex_digits[value % base];
    value /= base;
    digits -= digits > 0;
  } while(value > 0 || digits > 0);
  return at;
}

/* Public --------------------------------------------------------------------------------------------------------- */

void json_init(struct json *json, void (*put_text)(void *ctx, const char *text, size_t length), void *ctx) {
  *json = (struct json){.put = put_text, .ctx = ctx};
}

void json_object(struct json *json, const char *key) {
  begin(json, key, true, false);
}

void json_array(struct json *json, const char *key) {
  begin(json, key, false, false);
}

void json_flow_object(struct json *json, const char *key) {
  begin(json, key, true, true);
}

void json_flow_array(struct json *json, const char *key) {
  begin(json, key, false, true);
}

void json_end(struct json *json) {
  if(json->skipped > 0) {
    json->skipped--;
  } else if(json->depth > 0) {
    end(json);
  } else {
    json->misused += !json->finished;
  }
}

void json_text(struct json *json, const char *key, const char *text) {
  if(text) {
    add_string(json, key, text, strlen(text));
  } else {
    json_null(json, key);
  }
}

void json_bytes_text(struct json *json, const char *key, const void *bytes, size_t length) {
  add_string(json, key, bytes, length);
}

void json_u64(struct json *json, const char *key, uint64_t value) {
  char text[NUMBER_SIZE];
  size_t at = number_text(text, value, 10, 1);
  add_literal(json, key, &text[at], NUMBER_SIZE - at);
}

void json_i64(struct json *json, const char *key, int64_t value) {
  char text[NUMBER_SIZE];
  size_t at = number_text(text, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, 1);
  if(value < 0) {
    text[--at] = '-';
  }
  add_literal(json, key, &text[at], NUMBER_SIZE - at);
}

void json_thousandths(struct json *json, const char *key, uint64_t value) {
  char text[NUMBER_SIZE];
  size_t at = number_text(text, value, 10, 4);
  size_t point = NUMBER_SIZE - 4U; /* the whole part moves by one */
  memmove(&text[at - 1], &text[at], point - at + 1U);
  text[point] = '.';
  add_literal(json, key, &text[at - 1], NUMBER_SIZE - at + 1U);
}

void json_bool(struct json *json, const char *key, bool value) {
  add_literal(json, key, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json *json, const char *key) {
  add_literal(json, key, "null", 4);
}

void json_hex(struct json *json, const char *key, uint64_t value, uint32_t digits) {
  char text[NUMBER_SIZE];
  size_t at = number_text(text, value, 16, digits < 16U ? digits : 16U);
  text[--at] = 'x';
  text[--at] = '0';
  add_string(json, key, &text[at], NUMBER_SIZE - at);
}

void json_mac(struct json *json, const char *key, const uint8_t mac[6]) {
  char text[MAC_TEXT_SIZE];
  json_text(json, key, mac_text(mac, text));
}

void json_ipv4(struct json *json, const char *key, uint32_t address) {
  char text[IPV4_TEXT_SIZE];
  json_text(json, key, ipv4_text(address, text));
}

void json_finish(struct json *json) {
  if(json->finished) {
    return;
  }
  json->skipped = 0;
  if(!json->begun) {
    json_null(json, NULL);
  }
  while(json->depth > 0) {
    end(json);
  }
  put(json, "\n", 1);
  json->finished = true;
}
