/* checks.c - the table of checks, and the sentence at the end. Pure C. */
#include "checks.h"

#include <string.h>

#include "finding.h"

#define NEEDS(check) (1U << DOCTOR_##check)

/* What a check needs stands before it, so that one walk is enough. */
const struct doctor_check doctor_checks[DOCTOR_CHECKS] = {
    [DOCTOR_NIC] = {"NIC", 0, doctor_judge_nic},
    [DOCTOR_DRIVER] = {"driver", NEEDS(NIC), doctor_judge_driver},
    [DOCTOR_NVM] = {"NVM", NEEDS(NIC), doctor_judge_nvm},
    [DOCTOR_MAC] = {"MAC", NEEDS(NIC), doctor_judge_mac},
    [DOCTOR_MEMORY] = {"memory", NEEDS(NIC), doctor_judge_memory},
    [DOCTOR_LINK] = {"link", NEEDS(NIC) | NEEDS(DRIVER), doctor_judge_link},
    [DOCTOR_OUT] = {"frames out", NEEDS(LINK), doctor_judge_out},
    [DOCTOR_IN] = {"frames in", NEEDS(LINK), doctor_judge_in},
    [DOCTOR_TAGS] = {"VLAN tags", NEEDS(IN), doctor_judge_tags},
    [DOCTOR_TREE] = {"switch", NEEDS(IN), doctor_judge_tree},
    [DOCTOR_DHCP] = {"DHCP", NEEDS(OUT) | NEEDS(IN) | NEEDS(TAGS) | NEEDS(TREE), doctor_judge_dhcp},
    [DOCTOR_AGREE] = {"one answer", NEEDS(DHCP), doctor_judge_agree},
    [DOCTOR_ADDRESS] = {"address", NEEDS(DHCP), doctor_judge_address},
    [DOCTOR_GATEWAY] = {"gateway", NEEDS(DHCP), doctor_judge_gateway},
    [DOCTOR_BOOTFILE] = {"boot file", NEEDS(DHCP), doctor_judge_bootfile},
    [DOCTOR_SERVER] = {"server", NEEDS(ADDRESS) | NEEDS(GATEWAY) | NEEDS(BOOTFILE), doctor_judge_server},
    [DOCTOR_PATH] = {"path", NEEDS(SERVER), doctor_judge_path},
    [DOCTOR_STACK] = {"firmware", NEEDS(NIC), doctor_judge_stack},
    [DOCTOR_FETCH] = {"fetch", NEEDS(SERVER) | NEEDS(PATH) | NEEDS(STACK), doctor_judge_fetch},
    [DOCTOR_IMAGE] = {"image", NEEDS(FETCH), doctor_judge_image},
    [DOCTOR_SECURE] = {"start", NEEDS(IMAGE), doctor_judge_secure},
    [DOCTOR_IPV6] = {"IPv6", NEEDS(OUT) | NEEDS(IN), doctor_judge_ipv6},
    [DOCTOR_ORDER] = {"boot order", NEEDS(DRIVER), doctor_judge_order},
};

static bool is_lost(const struct doctor_finding *finding) {
  return finding->verdict == DOCTOR_FAIL || finding->verdict == DOCTOR_SKIPPED;
}

const char *doctor_missing(const struct doctor_finding findings[DOCTOR_CHECKS], uint32_t check) {
  for(uint32_t need = 0; need < check; need++) {
    if(doctor_checks[check].needs & 1U << need && is_lost(&findings[need])) {
      return doctor_checks[need].name;
    }
  }
  return NULL;
}

void doctor_judge(const struct doctor_evidence *evidence, struct doctor_finding findings[DOCTOR_CHECKS]) {
  for(uint32_t i = 0; i < DOCTOR_CHECKS; i++) {
    struct doctor_finding *finding = &findings[i];
    const char *missing = doctor_missing(findings, i);
    *finding = (struct doctor_finding){.verdict = DOCTOR_SKIPPED};
    if(i >= evidence->reached) {
      doctor_append(finding->text, sizeof(finding->text), "not come to");
    } else if(missing) {
      doctor_append(finding->text, sizeof(finding->text), "needs '%s'", missing);
    } else {
      doctor_checks[i].judge(evidence, finding);
    }
  }
}

/* The end ------------------------------------------------------------------------------------------------------- */

static int find_failure(const struct doctor_finding findings[DOCTOR_CHECKS]) {
  for(int i = 0; i < DOCTOR_CHECKS; i++) {
    if(findings[i].verdict == DOCTOR_FAIL) {
      return i;
    }
  }
  return -1;
}

/* The first of the heaviest. */
static int find_warning(const struct doctor_finding findings[DOCTOR_CHECKS]) {
  int found = -1;
  for(int i = 0; i < DOCTOR_CHECKS; i++) {
    if(findings[i].verdict == DOCTOR_WARN && (found < 0 || findings[i].weight > findings[found].weight)) {
      found = i;
    }
  }
  return found;
}

/* What a boot over this network would be, when nothing is in its way. */
static void say_fine(const struct doctor_evidence *evidence, struct doctor_conclusion *conclusion) {
  char *text = conclusion->sentence;
  if(evidence->fetch == DOCTOR_FETCH_WHOLE && evidence->load == DOCTOR_LOAD_ACCEPTED) {
    doctor_append(text, DOCTOR_SENTENCE_SIZE,
                  "Nothing is in the way of a network boot: %s came whole and can be started", evidence->url);
  } else if(evidence->fetch == DOCTOR_FETCH_WHOLE) {
    doctor_append(text, DOCTOR_SENTENCE_SIZE, "Nothing is in the way of a network boot: %s came whole", evidence->url);
  } else {
    doctor_append(text, DOCTOR_SENTENCE_SIZE, "Nothing wrong was seen, but no boot file was fetched");
  }
}

static void say_finding(const struct doctor_finding *finding, struct doctor_conclusion *conclusion) {
  doctor_append(conclusion->sentence, DOCTOR_SENTENCE_SIZE, "'%s': %s%s%s", doctor_checks[conclusion->check].name,
                finding->text, finding->remedy[0] ? "; " : "", finding->remedy);
}

void doctor_conclude(const struct doctor_evidence *evidence, const struct doctor_finding findings[DOCTOR_CHECKS],
                     struct doctor_conclusion *conclusion) {
  *conclusion = (struct doctor_conclusion){.check = find_failure(findings)};
  char *text = conclusion->sentence;
  if(conclusion->check >= 0) {
    conclusion->class = findings[conclusion->check].class;
    doctor_append(text, DOCTOR_SENTENCE_SIZE, "It breaks at ");
    say_finding(&findings[conclusion->check], conclusion);
  } else if(evidence->aborted == DOCTOR_YES) {
    conclusion->class = DOCTOR_CLASS_ABORTED;
    doctor_append(text, DOCTOR_SENTENCE_SIZE,
                  "Stopped by a key; nothing that breaks a network boot was seen until then");
  } else {
    conclusion->check = find_warning(findings);
    say_fine(evidence, conclusion);
    if(conclusion->check >= 0) {
      doctor_append(text, DOCTOR_SENTENCE_SIZE, "; look at ");
      say_finding(&findings[conclusion->check], conclusion);
    }
  }
  /* Of what is too long for it the end is missing, and never the full stop. */
  size_t length = strlen(text);
  length = length < DOCTOR_SENTENCE_SIZE - 2U ? length : DOCTOR_SENTENCE_SIZE - 2U;
  text[length] = '.';
  text[length + 1] = '\0';
}

const char *doctor_verdict_text(enum doctor_verdict verdict) {
  static const char *const names[] = {"ok", "warn", "FAIL", "skipped", "not seen"};
  return (uint32_t)verdict < sizeof(names) / sizeof(names[0]) ? names[verdict] : "?";
}
