/* report.c - what a command found out, as text or as one JSON document (--json). */
#include "report.h"

#include <string.h>

#include "../../driver/lib/bits.h"

#define CHUNK_SIZE      256U
#define COMPLAINTS_SIZE 1024U
#define CHECK_COLUMN    28U

static struct {
  bool open;
  struct json json;
  char chunk[CHUNK_SIZE];
  size_t length;
  char complaints[COMPLAINTS_SIZE]; /* one behind the other, each with its zero */
  size_t complaints_length;
  uint32_t complaints_lost;
} report;

/* Document ------------------------------------------------------------------------------------------------------- */

static void flush(void) {
  console_put_document(report.chunk, report.length);
  report.length = 0;
}

static void put(void *ctx, const char *text, size_t length) {
  (void)ctx;
  for(size_t i = 0; i < length; i++) {
    report.chunk[report.length++] = text[i];
    if(text[i] == '\n' || report.length == CHUNK_SIZE) {
      flush();
    }
  }
}

/* Complaints come in the middle of other things, and are told at the end. */
static void keep_complaint(const char *complaint) {
  size_t size = strlen(complaint) + 1U;
  if(size > COMPLAINTS_SIZE - report.complaints_length) {
    report.complaints_lost++;
    return;
  }
  memcpy(&report.complaints[report.complaints_length], complaint, size);
  report.complaints_length += size;
}

bool report_is_json(void) {
  return report.open;
}

void report_begin(const char *version, const char *command) {
  report.open = true;
  report.length = 0;
  report.complaints_length = 0;
  report.complaints_lost = 0;
  console_begin_document(keep_complaint);
  json_init(&report.json, put, NULL);
  report_object(NULL);
  report_text("netdiag", version);
  report_text("command", command);
}

void report_finish(EFI_STATUS status, const char *name) {
  struct json *json = &report.json;
  if(!report.open) {
    return;
  }
  while(json->depth > 1) {
    json_end(json);
  }
  report_u64("status", status & ~EFI_ERROR_MASK);
  report_text("status_name", name);
  report_array("complaints");
  for(size_t at = 0; at < report.complaints_length; at += strlen(&report.complaints[at]) + 1U) {
    report_text(NULL, &report.complaints[at]);
  }
  report_end();
  if(report.complaints_lost > 0) {
    report_u64("complaints_left_out", report.complaints_lost);
  }
  if(EFI_ERROR(status)) {
    report_object("error");
    report_text("name", name);
    report_text("message", report.complaints_length > 0 ? report.complaints : status_text(status));
    report_end();
  }
  json_finish(json);
  flush();
  console_end_document();
  report.open = false;
}

/* Facts ---------------------------------------------------------------------------------------------------------- */

void report_object(const char *key) {
  if(report.open) {
    json_object(&report.json, key);
  }
}

void report_array(const char *key) {
  if(report.open) {
    json_array(&report.json, key);
  }
}

void report_row(const char *key) {
  if(report.open) {
    json_flow_object(&report.json, key);
  }
}

void report_list(const char *key) {
  if(report.open) {
    json_flow_array(&report.json, key);
  }
}

void report_end(void) {
  if(report.open) {
    json_end(&report.json);
  }
}

void report_text(const char *key, const char *text) {
  if(report.open) {
    json_text(&report.json, key, text);
  }
}

void report_u64(const char *key, uint64_t value) {
  if(report.open) {
    json_u64(&report.json, key, value);
  }
}

void report_thousandths(const char *key, uint64_t value) {
  if(report.open) {
    json_thousandths(&report.json, key, value);
  }
}

void report_bool(const char *key, bool value) {
  if(report.open) {
    json_bool(&report.json, key, value);
  }
}

void report_null(const char *key) {
  if(report.open) {
    json_null(&report.json, key);
  }
}

void report_hex(const char *key, uint64_t value, uint32_t digits) {
  if(report.open) {
    json_hex(&report.json, key, value, digits);
  }
}

void report_mac(const char *key, const uint8_t mac[6]) {
  if(report.open) {
    json_mac(&report.json, key, mac);
  }
}

void report_ipv4(const char *key, uint32_t address) {
  if(report.open) {
    json_ipv4(&report.json, key, address);
  }
}

void report_link(const char *key, const struct netdev_link *link) {
  report_row(key);
  report_bool("up", link->up);
  if(link->up && link->speed_mbps > 0) {
    report_u64("speed_mbps", link->speed_mbps);
    report_bool("full_duplex", link->full_duplex);
  } else {
    report_null("speed_mbps");
    report_null("full_duplex");
  }
  report_end();
}

/* Rows ----------------------------------------------------------------------------------------------------------- */

/* A bit that is set is its name, a field its name and value. */
static void report_bits(const struct netdev_row *row) {
  const char *at = row->bits;
  struct bits_field field;
  report_list("bits");
  while(bits_next(&at, row->value, &field)) {
    if(field.value != 0) {
      char text[BITS_TEXT_SIZE];
      report_text(NULL, bits_field_text(&field, text));
    }
  }
  report_end();
}

static void report_value(const struct netdev_row *row) {
  static const uint32_t digits[] = {
      [NETDEV_UNIT_HEX8] = 2, [NETDEV_UNIT_HEX16] = 4, [NETDEV_UNIT_HEX32] = 8, [NETDEV_UNIT_HEX64] = 16};
  if(row->unread || row->failed) {
    report_null("value");
  } else if(row->unit >= NETDEV_UNIT_HEX8 && row->unit <= NETDEV_UNIT_HEX64) {
    report_hex("value", row->value, digits[row->unit]);
  } else if(row->unit == NETDEV_UNIT_BOOL) {
    report_bool("value", row->value != 0);
  } else {
    report_u64("value", row->value);
  }
}

void report_inspected(const struct netdev_row *row) {
  if(!report.open) {
    return;
  }
  report_row(NULL);
  report_text("name", row->name);
  if(row->count > 1) {
    report_u64("index", row->index);
  }
  if(row->group == NETDEV_ROWS_REGISTERS || row->group == NETDEV_ROWS_PHY || row->group == NETDEV_ROWS_NVM) {
    report_hex("offset", row->offset, row->group == NETDEV_ROWS_REGISTERS ? 5 : 2);
  }
  report_value(row);
  if(row->unread) {
    report_bool("unread", true);
  }
  if(row->clears) {
    report_bool("clears", true);
  }
  if(row->failed) {
    report_bool("failed", true);
  }
  if(row->wrong) {
    report_bool("wrong", true);
  }
  if(row->bits && !row->unread && !row->failed) {
    report_bits(row);
  }
  if(row->text) {
    report_text("text", row->text);
  }
  if(row->section) {
    report_text("section", row->section);
  }
  report_end();
}

static void inspected(void *ctx, const struct netdev_row *row) {
  (void)ctx;
  report_inspected(row);
}

void report_inspect(const char *key, struct netdev *dev, uint32_t groups) {
  if(report.open) {
    report_array(key);
    (void)netdev_inspect(dev, groups, inspected, NULL);
    report_end();
  }
}

void report_count(const char *name, uint64_t value, const char *text, bool zeroes) {
  if(report.open) {
    json_u64(&report.json, name, value);
  } else if(value != 0 || zeroes) {
    out("  %-18s %12ju  %s\n", name, value, text);
  }
}

/* Checks --------------------------------------------------------------------------------------------------------- */

static const char *verdict_word(enum report_verdict verdict) {
  static const char *const words[] = {
      [REPORT_OK] = "ok", [REPORT_WARN] = "warn", [REPORT_BAD] = "BAD", [REPORT_SKIPPED] = "-"};
  return words[verdict];
}

static enum console_tone verdict_tone(enum report_verdict verdict) {
  static const enum console_tone tones[] = {
      [REPORT_OK] = TONE_OK, [REPORT_WARN] = TONE_WARN, [REPORT_BAD] = TONE_BAD, [REPORT_SKIPPED] = TONE_PLAIN};
  return tones[verdict];
}

void report_check(const struct report_check *check) {
  static const char *const names[] = {
      [REPORT_OK] = "ok", [REPORT_WARN] = "warn", [REPORT_BAD] = "bad", [REPORT_SKIPPED] = "skipped"};
  if(report.open) {
    report_row(NULL);
    report_text("name", check->name);
    report_text("verdict", names[check->verdict]);
    report_text("evidence", check->evidence);
    report_text("remedy", check->remedy);
    report_text("section", check->section);
    report_end();
    return;
  }
  out_toned(verdict_tone(check->verdict), "%-4s", verdict_word(check->verdict));
  if(check->evidence) {
    out("  %-20s  ", check->name);
    out_hanging(CHECK_COLUMN, "%s", check->evidence);
  } else {
    out("  %s", check->name);
  }
  out_hanging(CHECK_COLUMN, "%s%s%s\n", check->section ? " (" : "", check->section ? check->section : "",
              check->section ? ")" : "");
  if(check->remedy) {
    out_hanging(CHECK_COLUMN, "%28s%s\n", "", check->remedy);
  }
}
