/* json.h - writes one JSON document (RFC 8259) as it comes, through a callback. Pure C, tested on the host. */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is written is plain ASCII in lines of at most JSON_COLUMNS columns where strings allow it, and a valid document
 * whatever the caller does, once json_finish was called: containers that are open are closed then, and calls that do
 * not fit are left out and counted in `misused`.
 *
 * `key` is the member's name inside an object, and is not looked at elsewhere. Two members of one name are the caller's
 * mistake, and are not noticed. Nothing is kept: strings may go when a call returns.
 */
#define JSON_DEPTH_MAX 16U /* containers in each other; what is deeper is left out */
#define JSON_COLUMNS   79U /* of 80: what reaches the last makes some consoles put an empty line behind it */

struct json {
  /* `length` bytes, at least one; not terminated. Called from inside the calls below. */
  void (*put)(void *ctx, const char *text, size_t length);
  void *ctx;
  uint32_t misused; /* calls that did not fit: 0 unless the caller is wrong                  */
  uint32_t depth;   /* open containers                                                       */
  uint32_t skipped; /* of those that were left out, so many are open                         */
  uint32_t objects; /* bit n: container n (from 0) is an object, otherwise an array          */
  uint32_t flowing; /* bit n: its items stand behind each other                              */
  uint32_t filled;  /* bit n: it has an item                                                 */
  bool begun;       /* there is a value outside of all containers, which is the document     */
  bool finished;    /* by json_finish                                                        */
  bool measuring;   /* nothing is put, its length is added up                                */
  uint32_t column;
  uint32_t measured;
};

/* Begins a document. */
void json_init(struct json *json, void (*put)(void *ctx, const char *text, size_t length), void *ctx);

/* Begins an object or an array, with a line for each item. */
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);

/* The same with as many items in a line as there is room for: rows of a table, bytes. So are containers inside. */
void json_flow_object(struct json *json, const char *key);
void json_flow_array(struct json *json, const char *key);

/* Ends the innermost container. */
void json_end(struct json *json);

/* A string in UTF-8; NULL is null. Control and non-ASCII characters are escaped, a byte that is no UTF-8 is U+FFFD. */
void json_text(struct json *json, const char *key, const char *text);

/* The same of `length` bytes, which may hold zeroes. `bytes` may be NULL when there are none. */
void json_bytes_text(struct json *json, const char *key, const void *bytes, size_t length);

void json_u64(struct json *json, const char *key, uint64_t value);
void json_i64(struct json *json, const char *key, int64_t value);

/* `value` / 1000 with three decimals: 740 is 0.740. */
void json_thousandths(struct json *json, const char *key, uint64_t value);

void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* A string, "0x001f", with at least `digits` digits (up to 16): JSON has no hexadecimal numbers, and a number above
 * 2^53 does not outlive every reader. */
void json_hex(struct json *json, const char *key, uint64_t value, uint32_t digits);

/* A string, "52:54:00:12:34:56". */
void json_mac(struct json *json, const char *key, const uint8_t mac[6]);

/* A string, "10.0.2.15"; `address` in host order. */
void json_ipv4(struct json *json, const char *key, uint32_t address);

/* Closes what is open, and ends the last line. A document without a value is null. Later calls do nothing. */
void json_finish(struct json *json);

#endif
