/* finding.c - how a finding is made, and what several judges ask. Pure C. */
#include "finding.h"

#include <stdarg.h>
#include <string.h>

#include "../../driver/lib/format.h"

/* Names, files and URLs come from servers: what could move a terminal's cursor must not reach it. */
static void make_plain(char *text) {
  for(; *text; text++) {
    *text = *text >= ' ' && *text <= '~' ? *text : '?';
  }
}

static void set(struct doctor_finding *finding, enum doctor_verdict verdict, enum doctor_class class,
                const char *format, va_list arguments) {
  *finding = (struct doctor_finding){.verdict = verdict, .class = class};
  (void)format_text(finding->text, sizeof(finding->text), format, arguments);
  make_plain(finding->text);
}

void doctor_ok(struct doctor_finding *finding, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  set(finding, DOCTOR_OK, DOCTOR_CLASS_NONE, format, arguments);
  va_end(arguments);
}

void doctor_unseen(struct doctor_finding *finding, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  set(finding, DOCTOR_UNSEEN, DOCTOR_CLASS_NONE, format, arguments);
  va_end(arguments);
}

void doctor_warn(struct doctor_finding *finding, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  set(finding, DOCTOR_WARN, DOCTOR_CLASS_NONE, format, arguments);
  va_end(arguments);
}

void doctor_fail(struct doctor_finding *finding, enum doctor_class class, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  set(finding, DOCTOR_FAIL, class, format, arguments);
  va_end(arguments);
}

void doctor_remedy(struct doctor_finding *finding, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  (void)format_text(finding->remedy, sizeof(finding->remedy), format, arguments);
  va_end(arguments);
  make_plain(finding->remedy);
}

void doctor_append(char *text, size_t size, const char *format, ...) {
  size_t length = strlen(text);
  va_list arguments;
  va_start(arguments, format);
  (void)format_text(text + length, size - length, format, arguments);
  va_end(arguments);
  make_plain(text + length);
}

const char *doctor_ipv4(uint32_t address, char text[DOCTOR_ADDRESS_SIZE]) {
  text[0] = '\0';
  doctor_append(text, DOCTOR_ADDRESS_SIZE, "%u.%u.%u.%u", address >> 24, address >> 16 & 0xFFU, address >> 8 & 0xFFU,
                address & 0xFFU);
  return text;
}

const char *doctor_mac(const uint8_t mac[6], char text[DOCTOR_ADDRESS_SIZE]) {
  text[0] = '\0';
  for(int i = 0; i < 6; i++) {
    doctor_append(text, DOCTOR_ADDRESS_SIZE, i > 0 ? ":%02x" : "%02x", mac[i]);
  }
  return text;
}

uint32_t doctor_prefix(uint32_t mask) {
  uint32_t bits = 0;
  for(; mask & 0x80000000U; mask <<= 1) {
    bits++;
  }
  return bits;
}

bool doctor_is_remote(const struct doctor_evidence *evidence) {
  return evidence->server != 0 && evidence->address != 0 &&
         ((evidence->server ^ evidence->address) & evidence->mask) != 0;
}

bool doctor_was_answered(const struct doctor_evidence *evidence) {
  return evidence->offer_count > 0 || evidence->gateway_answers == DOCTOR_YES || evidence->server_arp == DOCTOR_YES ||
         evidence->server_ping == DOCTOR_YES || evidence->fetch == DOCTOR_FETCH_WHOLE;
}

uint32_t doctor_offers(const struct doctor_evidence *evidence) {
  return evidence->offer_count < DOCTOR_OFFERS ? evidence->offer_count : DOCTOR_OFFERS;
}
