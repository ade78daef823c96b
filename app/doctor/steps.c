/* steps.c - the lines of a diagnosis, as text while it goes on or as JSON at its end. */
#include "doctor.h"
#include "finding.h"

#define EVIDENCE_COLUMN 22U

static enum console_tone tone_of(enum doctor_verdict verdict) {
  return verdict == DOCTOR_OK     ? TONE_OK
         : verdict == DOCTOR_WARN ? TONE_WARN
         : verdict == DOCTOR_FAIL ? TONE_BAD
                                  : TONE_PLAIN;
}

static void out_finding(const char *name, const struct doctor_finding *finding) {
  out_toned(tone_of(finding->verdict), "%-8s", doctor_verdict_text(finding->verdict));
  out_hanging(EVIDENCE_COLUMN, "  %-10s  %s\n", name, finding->text);
  if(finding->remedy[0]) {
    out_hanging(EVIDENCE_COLUMN + 3U, "%22s-> %s\n", "", finding->remedy);
  }
}

/* What every server offered, below the line that judges it. */
static void out_offer(const struct doctor_offer *offer) {
  char server[DOCTOR_ADDRESS_SIZE];
  char text[DOCTOR_ADDRESS_SIZE];
  char line[DOCTOR_TEXT_SIZE] = "";
  doctor_append(line, sizeof(line), "%s, %s: ", doctor_ipv4(offer->server, server),
                offer->http == DOCTOR_YES ? "HTTP" : "PXE");
  if(offer->proxy == DOCTOR_YES) {
    doctor_append(line, sizeof(line), "no address (proxyDHCP)");
  } else {
    doctor_append(line, sizeof(line), "%s/%u", doctor_ipv4(offer->address, text), doctor_prefix(offer->mask));
    doctor_append(line, sizeof(line), ", gateway %s", offer->gateway ? doctor_ipv4(offer->gateway, text) : "none");
  }
  for(uint32_t i = 0; i < DOCTOR_DNS && offer->dns[i]; i++) {
    doctor_append(line, sizeof(line), "%s %s", i == 0 ? ", DNS" : " and", doctor_ipv4(offer->dns[i], text));
  }
  if(offer->file[0]) {
    doctor_append(line, sizeof(line), ", server %s, file %s", doctor_ipv4(offer->next_server, text), offer->file);
  } else {
    doctor_append(line, sizeof(line), ", no boot file");
  }
  out_hanging(EVIDENCE_COLUMN + 2U, "%22s%s\n", "", line);
}

static void out_step(struct doctor *doctor, uint32_t check) {
  const struct doctor_finding *finding = &doctor->findings[check];
  doctor->printed[check] = *finding;
  if(report_is_json()) {
    return;
  }
  out_finding(doctor_checks[check].name, finding);
  for(uint32_t i = 0; check == DOCTOR_DHCP && finding->verdict != DOCTOR_SKIPPED && i < doctor->evidence.offer_count;
      i++) {
    out_offer(&doctor->evidence.offers[i]);
  }
}

void doctor_step(struct doctor *doctor, enum doctor_check_id check) {
  if(doctor->evidence.reached < (uint32_t)check + 1U) {
    doctor->evidence.reached = (uint32_t)check + 1U;
  }
  doctor_judge(&doctor->evidence, doctor->findings);
  while(doctor->printed_count <= (uint32_t)check) {
    out_step(doctor, doctor->printed_count++);
  }
}

bool doctor_may(const struct doctor *doctor, enum doctor_check_id check) {
  return !doctor_missing(doctor->findings, (uint32_t)check);
}

/* The end ------------------------------------------------------------------------------------------------------- */

/* What a later step, or listening on, has changed. */
static void out_changes(const struct doctor *doctor) {
  bool told = false;
  for(uint32_t i = 0; i < doctor->printed_count; i++) {
    const struct doctor_finding *now = &doctor->findings[i];
    if(now->verdict != doctor->printed[i].verdict) {
      if(!told) {
        out("Seen since:\n");
      }
      told = true;
      out_finding(doctor_checks[i].name, now);
    }
  }
}

static void report_offers(const struct doctor_evidence *evidence) {
  report_array("offers");
  for(uint32_t i = 0; i < evidence->offer_count; i++) {
    const struct doctor_offer *offer = &evidence->offers[i];
    report_row(NULL);
    report_text("client", offer->http == DOCTOR_YES ? "HTTP" : "PXE");
    report_bool("proxy", offer->proxy == DOCTOR_YES);
    report_ipv4("server", offer->server);
    report_ipv4("address", offer->address);
    report_ipv4("mask", offer->mask);
    report_ipv4("gateway", offer->gateway);
    report_list("dns");
    for(uint32_t j = 0; j < DOCTOR_DNS && offer->dns[j]; j++) {
      report_ipv4(NULL, offer->dns[j]);
    }
    report_end();
    report_u64("lease_s", offer->lease_s);
    report_ipv4("next_server", offer->next_server);
    report_text("boot_file", offer->file);
    report_end();
  }
  report_end();
}

static void report_all(const struct doctor *doctor, const struct doctor_conclusion *conclusion) {
  report_array("checks");
  for(uint32_t i = 0; i < DOCTOR_CHECKS; i++) {
    const struct doctor_finding *finding = &doctor->findings[i];
    report_row(NULL);
    report_text("name", doctor_checks[i].name);
    report_text("verdict", doctor_verdict_text(finding->verdict));
    report_text("evidence", finding->text);
    report_text("remedy", finding->remedy[0] ? finding->remedy : NULL);
    report_end();
  }
  report_end();
  report_offers(&doctor->evidence);
  report_text("cause", conclusion->check >= 0 ? doctor_checks[conclusion->check].name : NULL);
  report_text("conclusion", conclusion->sentence);
}

enum doctor_class doctor_end(struct doctor *doctor) {
  struct doctor_conclusion conclusion;
  doctor_judge(&doctor->evidence, doctor->findings);
  doctor_conclude(&doctor->evidence, doctor->findings, &conclusion);
  if(report_is_json()) {
    report_all(doctor, &conclusion);
    return conclusion.class;
  }
  out_changes(doctor);
  out_toned(conclusion.class != DOCTOR_CLASS_NONE ? TONE_BAD
            : conclusion.check >= 0               ? TONE_WARN
                                                  : TONE_OK,
            "Diagnosis:");
  out(" %s\n", conclusion.sentence);
  return conclusion.class;
}
