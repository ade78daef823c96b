/* report.h - what a command found out, as text or as one JSON document (--json). */
#ifndef APP_REPORT_H
#define APP_REPORT_H

#include <efi.h>

#include "../../driver/lib/json.h"
#include "../../include/net/netdevice.h"
#include "../console.h"

/*
 * A command prints its facts twice over: with out and its kin where report_is_json() is false, and with the calls
 * below, which do nothing then. Rows that are alike (counters, checks) go through calls that print either.
 *
 * With --json the output is one object and nothing else, also after an error:
 *   {"netdiag": "0.1", "command": "ping", ...the command's own..., "status": 18, "status_name": "EFI_TIMEOUT",
 *    "complaints": ["10.0.2.9 does not answer ARP..."], "error": {"name": "EFI_TIMEOUT", "message": "..."}}
 * "error" is there when the status is an error; its message is the first complaint. What else is printed (progress,
 * complaints) goes to the standard error device.
 *
 * TPL_APPLICATION, as the console.
 */

/* The row for a command's table of options; its options have a `bool json` member, which main.c acts on. */
#define JSON_OPTION "--json"
/* clang-format off */
#define JSON_OPTION_ROW(type)                                                                                          \
  {JSON_OPTION, NULL, OPTION_FLAG, offsetof(type, json), 0, 0,                                                         \
   "print one JSON document; '>a FILE' in the Shell keeps it as ASCII, '> FILE' as UCS-2"}
/* clang-format on */

bool report_is_json(void);

/* Begin and end the document; main.c's. `name` is the status' name, "EFI_TIMEOUT". */
void report_begin(const char *version, const char *command);
void report_finish(EFI_STATUS status, const char *name);

/* json.h's calls on the document. Keys are snake_case; units are part of the key ("rtt_ms") unless it is a count. */
void report_object(const char *key);
void report_array(const char *key);
void report_row(const char *key);  /* an object in as few lines as possible */
void report_list(const char *key); /* an array of that kind                 */
void report_end(void);
void report_text(const char *key, const char *text);
void report_u64(const char *key, uint64_t value);
void report_thousandths(const char *key, uint64_t value);
void report_bool(const char *key, bool value);
void report_null(const char *key);
void report_hex(const char *key, uint64_t value, uint32_t digits);
void report_mac(const char *key, const uint8_t mac[6]);
void report_ipv4(const char *key, uint32_t address);

/* "link": {"up": true, "speed_mbps": 1000, "full_duplex": true}; a speed that is not known is null. */
void report_link(const char *key, const struct netdev_link *link);

/* One row of netdev_inspect as an object: name, index in an array, offset, value, bits that are set, text, section. */
void report_inspected(const struct netdev_row *row);

/* An array of those: what netdev_inspect shows of `groups`. */
void report_inspect(const char *key, struct netdev *dev, uint32_t groups);

/* A counter: a line of text, where a zero is left out unless `zeroes`; or a member, always. */
void report_count(const char *name, uint64_t value, const char *text, bool zeroes);

/* Checks ---------------------------------------------------------------------------------------------------------- */

enum report_verdict {
  REPORT_OK,
  REPORT_WARN,
  REPORT_BAD,
  REPORT_SKIPPED, /* could not be done here: no verdict */
};

/* What a check found. */
struct report_check {
  const char *name; /* "loopback 64 bytes"                                      */
  enum report_verdict verdict;
  const char *evidence; /* what was seen; or NULL                                   */
  const char *remedy;   /* what to do; or NULL                                      */
  const char *section;  /* of the manual; or NULL                                   */
};

/* A line, its verdict coloured, and one more for the remedy; or an object, inside an array that the caller began. */
void report_check(const struct report_check *check);

#endif
