/* checks.h - what a network boot needs, link by link: a table of checks, each with a judge, and the sentence at the
 * end. Pure C, tested on the host. */
#ifndef APP_DOCTOR_CHECKS_H
#define APP_DOCTOR_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

#include "evidence.h"

enum doctor_verdict {
  DOCTOR_OK,
  DOCTOR_WARN,    /* works, and is worth a look                                       */
  DOCTOR_FAIL,    /* a network boot breaks here                                       */
  DOCTOR_SKIPPED, /* what it needs has failed, or nobody came to it                   */
  DOCTOR_UNSEEN,  /* looked for and not seen, which does not say that it is not there */
};

/* What a failure comes to, for the exit status. */
enum doctor_class {
  DOCTOR_CLASS_NONE,
  DOCTOR_CLASS_NOT_FOUND,   /* no NIC, no boot file                   */
  DOCTOR_CLASS_UNSUPPORTED, /* the machine lacks something            */
  DOCTOR_CLASS_DEVICE,      /* the NIC itself                         */
  DOCTOR_CLASS_NO_LINK,
  DOCTOR_CLASS_NO_ANSWER,
  DOCTOR_CLASS_NETWORK, /* answers, and they are wrong            */
  DOCTOR_CLASS_IMAGE,   /* the boot file is not one               */
  DOCTOR_CLASS_SECURITY,
  DOCTOR_CLASS_ABORTED,
};

/* The checks, in the order of a boot. The first one that fails is what to mend first. */
enum doctor_check_id {
  DOCTOR_NIC,
  DOCTOR_DRIVER,
  DOCTOR_NVM,
  DOCTOR_MAC,
  DOCTOR_MEMORY,
  DOCTOR_LINK,
  DOCTOR_OUT,
  DOCTOR_IN,
  DOCTOR_TAGS,
  DOCTOR_TREE,
  DOCTOR_DHCP,
  DOCTOR_AGREE,
  DOCTOR_ADDRESS,
  DOCTOR_GATEWAY,
  DOCTOR_BOOTFILE,
  DOCTOR_SERVER,
  DOCTOR_PATH,
  DOCTOR_STACK,
  DOCTOR_FETCH,
  DOCTOR_IMAGE,
  DOCTOR_SECURE,
  DOCTOR_IPV6,
  DOCTOR_ORDER,
  DOCTOR_CHECKS,
};

/* Which of several warnings the sentence at the end names: the first of the heaviest. */
enum doctor_weight {
  DOCTOR_LIGHT,   /* works all the same                                               */
  DOCTOR_MACHINE, /* this machine will not boot from this NIC by itself               */
  DOCTOR_NETWORK, /* the network offers a boot, but not by the way that is usual      */
};

#define DOCTOR_TEXT_SIZE 320U

struct doctor_finding {
  enum doctor_verdict verdict;
  enum doctor_class class;
  enum doctor_weight weight;     /* of a warning                                                    */
  char text[DOCTOR_TEXT_SIZE];   /* the evidence, without a full stop                             */
  char remedy[DOCTOR_TEXT_SIZE]; /* "" unless it is a warning or a failure                        */
};

struct doctor_check {
  const char *name;
  uint32_t needs; /* 1 << doctor_check_id of each that must not have failed, all before this one */
  void (*judge)(const struct doctor_evidence *evidence, struct doctor_finding *finding);
};

extern const struct doctor_check doctor_checks[DOCTOR_CHECKS];

/* The name of the first check that `check` needs and that failed or was skipped; NULL when there is none. */
const char *doctor_missing(const struct doctor_finding findings[DOCTOR_CHECKS], uint32_t check);

/* Judges the checks in order. Those that need one which failed, or which was skipped, are skipped and say which; so is
 * everything from evidence->reached on. */
void doctor_judge(const struct doctor_evidence *evidence, struct doctor_finding findings[DOCTOR_CHECKS]);

#define DOCTOR_SENTENCE_SIZE (2U * DOCTOR_TEXT_SIZE + 128U)

struct doctor_conclusion {
  int check;                           /* the first true cause, or the warning that is named; -1: nothing is wrong   */
  enum doctor_class class;             /* DOCTOR_CLASS_NONE: a boot over this network works, as far as was looked at */
  char sentence[DOCTOR_SENTENCE_SIZE]; /* where it breaks and what to do; one, with a full stop          */
};

/* From what doctor_judge found. */
void doctor_conclude(const struct doctor_evidence *evidence, const struct doctor_finding findings[DOCTOR_CHECKS],
                     struct doctor_conclusion *conclusion);

/* "ok", "warn", "FAIL", "skipped", "not seen" */
const char *doctor_verdict_text(enum doctor_verdict verdict);

/* What is known of drivers by name, beyond what any driver does; NULL if nothing. */
struct doctor_defect {
  const char *driver; /* the beginning of its name, as info shows it   */
  const char *text;
  const char *remedy;
  int tagged; /* matters only where frames with a VLAN tag are seen    */
};
const struct doctor_defect *doctor_find_defect(const char *driver);

/* A controller that no driver here takes, though it is known: what it is called (at most 9 characters), and why not, to
 * be read behind its name and a colon. Both are constant. False when nothing is known of it. */
struct doctor_stranger {
  const char *name;
  const char *reason;
};
bool doctor_find_stranger(uint16_t vendor_id, uint16_t device_id, struct doctor_stranger *stranger);

/* Where a firmware's random numbers may come from, and what a user is told of a NIC without a network stack for want of
 * them (STACK_NO_RANDOMNESS). */
extern const char *const doctor_randomness;
extern const char *const doctor_wants_randomness;

#endif
