/* doctor_random.h - evidence that nobody collected, and what must hold of any diagnosis. Include cmocka.h first. */
#ifndef DOCTOR_RANDOM_H
#define DOCTOR_RANDOM_H

#include "doctor_cases.h"

#include <stdbool.h>

/* Any bytes are evidence, but texts end. */
static inline void random_end_texts(struct doctor_evidence *e) {
  char *const texts[] = {e->nic,         e->model,       e->location,       e->mac_twin,
                         e->holder_name, e->driver_file, e->partner_offers, e->switch_name,
                         e->switch_port, e->fetch_text,  e->refusal,        e->start_error};
  for(size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    texts[i][DOCTOR_NAME_SIZE - 1U] = '\0';
  }
  e->url[DOCTOR_URL_SIZE - 1U] = '\0';
  e->url6[DOCTOR_URL_SIZE - 1U] = '\0';
  for(size_t i = 0; i < DOCTOR_OFFERS; i++) {
    e->offers[i].file[DOCTOR_URL_SIZE - 1U] = '\0';
  }
}

static inline bool random_is_plain(const char *text, size_t size) {
  size_t length = 0;
  for(; length < size && text[length]; length++) {
    if(text[length] < ' ' || text[length] > '~') {
      return false;
    }
  }
  return length < size;
}

/* One sentence; the status follows from the verdicts; whoever is skipped needs one that failed. */
static inline void random_check(const struct doctor_evidence *e) {
  struct doctor_finding findings[DOCTOR_CHECKS];
  struct doctor_finding again[DOCTOR_CHECKS];
  struct doctor_conclusion conclusion;
  int first_fail = -1;
  bool warned = false;
  memset(findings, 0x5A, sizeof(findings));
  memset(again, 0xA5, sizeof(again));
  doctor_judge(e, findings);
  doctor_judge(e, again);
  doctor_conclude(e, findings, &conclusion);
  for(int i = 0; i < DOCTOR_CHECKS; i++) {
    const struct doctor_finding *finding = &findings[i];
    bool complaint = finding->verdict == DOCTOR_WARN || finding->verdict == DOCTOR_FAIL;
    bool needs_lost = false;
    assert_in_range(finding->verdict, DOCTOR_OK, DOCTOR_UNSEEN);
    assert_int_equal(finding->verdict, again[i].verdict);
    assert_string_equal(finding->text, again[i].text);
    assert_true(random_is_plain(finding->text, sizeof(finding->text)));
    assert_true(random_is_plain(finding->remedy, sizeof(finding->remedy)));
    assert_true(finding->text[0]);
    assert_int_equal(finding->remedy[0] != '\0', complaint);
    assert_int_equal(finding->class != DOCTOR_CLASS_NONE, finding->verdict == DOCTOR_FAIL);
    assert_true(finding->weight == DOCTOR_LIGHT || finding->verdict == DOCTOR_WARN);
    for(int need = 0; need < i; need++) {
      needs_lost = needs_lost || (doctor_checks[i].needs & 1U << need &&
                                  (findings[need].verdict == DOCTOR_FAIL || findings[need].verdict == DOCTOR_SKIPPED));
    }
    assert_int_equal(finding->verdict == DOCTOR_SKIPPED, needs_lost || (uint32_t)i >= e->reached);
    first_fail = first_fail < 0 && finding->verdict == DOCTOR_FAIL ? i : first_fail;
    warned = warned || finding->verdict == DOCTOR_WARN;
  }
  if(first_fail >= 0) {
    assert_int_equal(conclusion.check, first_fail);
    assert_int_equal(conclusion.class, findings[first_fail].class);
  } else if(e->aborted == DOCTOR_YES) {
    assert_int_equal(conclusion.check, -1);
    assert_int_equal(conclusion.class, DOCTOR_CLASS_ABORTED);
  } else {
    assert_int_equal(conclusion.class, DOCTOR_CLASS_NONE);
    assert_int_equal(conclusion.check >= 0, warned);
  }
  assert_true(random_is_plain(conclusion.sentence, sizeof(conclusion.sentence)));
  size_t length = strlen(conclusion.sentence);
  assert_true(length > 20U && conclusion.sentence[length - 1U] == '.');
  assert_true(conclusion.sentence[length - 2U] != '.');
}

#endif
