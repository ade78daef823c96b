/* selftest.c - netdiag selftest: does the hardware do what it should? */
#include "../../driver/lib/format.h"
#include "../netdiag.h"

#include <string.h>

#define FOUR_GIB      (1ULL << 32)
#define EVIDENCE_SIZE 80U
#define LOOPS_MAX     1000000U

struct selftest_options {
  struct nic_options nic;
  uint32_t loops;
  bool json;
};

struct selftest {
  const struct selftest_options *options;
  struct session session;
  uint32_t loop;  /* from 1 */
  uint32_t loops; /* wanted */
  uint32_t counts[REPORT_SKIPPED + 1];
  struct netdev_selftest running; /* the family's                     */
  bool quiet;                     /* its checks are not told one by one     */
  uint32_t dma_run;               /* of its checks, those by DMA            */
  uint32_t dma_lost;              /* and of those, failed                   */
};

/* Where rings are, as the device sees them. */
struct places {
  uint64_t lowest;
  uint64_t highest;
  const char *section;
};

/* Each check of the first loop is a line; of later ones, what is not as it should be. */
static void tell(struct selftest *test, const struct report_check *check) {
  test->counts[check->verdict]++;
  if(test->loop == 1 || check->verdict == REPORT_BAD) {
    report_check(check);
  }
}

/* Link ----------------------------------------------------------------------------------------------------------- */

static bool link_is_up(void *ctx) {
  return session_link(ctx).up;
}

/* A cable that is not there is no fault of the hardware's, but then the link was not tested. */
static enum wait_result test_link(struct selftest *test) {
  struct session *session = &test->session;
  char evidence[EVIDENCE_SIZE];
  struct report_check check = {.name = "link", .evidence = evidence};
  UINT64 deadline_us = efi_clock_us() + session_link_wait_us(&test->options->nic);
  enum wait_result result = session_wait(session, deadline_us, link_is_up, session);
  struct netdev_link link = session_link(session);
  if(link.up) {
    (void)format_into(evidence, EVIDENCE_SIZE, "up");
    if(link.speed_mbps) {
      (void)format_into(evidence, EVIDENCE_SIZE, "up, %u Mb/s %s duplex", link.speed_mbps,
                        link.full_duplex ? "full" : "half");
    }
  } else {
    (void)format_into(evidence, EVIDENCE_SIZE, "down");
    check.verdict = REPORT_WARN;
    check.remedy = "plug in a cable, or wait longer with --link-wait";
  }
  if(result != WAIT_ABORTED && result != WAIT_GONE) {
    tell(test, &check);
  }
  return result;
}

/* The family's checks -------------------------------------------------------------------------------------------- */

static void on_check(void *ctx, const char *name, bool passed, uint32_t value) {
  struct selftest *test = ctx;
  char evidence[EVIDENCE_SIZE];
  const struct report_check check = {.name = name,
                                     .verdict = passed ? REPORT_OK : REPORT_BAD,
                                     .evidence = passed ? NULL : evidence,
                                     .section = test->running.section};
  (void)format_into(evidence, EVIDENCE_SIZE, "0x%x", value);
  test->dma_run += test->running.dma;
  test->dma_lost += test->running.dma && !passed;
  if(!test->quiet && !text_same_start(name, "link")) { /* that is test_link's */
    tell(test, &check);
  }
}

/* At TPL_CALLBACK, so that the heartbeat does not take the frames that go round. True when the device reaches the
 * memory that it was given. */
static bool test_family(struct selftest *test, bool quiet) {
  test->running = (struct netdev_selftest){.report = on_check, .ctx = test};
  test->quiet = quiet;
  test->dma_run = 0;
  test->dma_lost = 0;
  EFI_TPL tpl = efi_nic_lock();
  int result = netdev_selftest(test->session.netdev, true, &test->running);
  efi_nic_unlock(tpl);
  if(result != NETDEV_OK) {
    tell(test,
         &(struct report_check){.name = "device: runs on", .verdict = REPORT_BAD, .evidence = netdev_strerror(result)});
  }
  return result == NETDEV_OK && test->dma_lost == 0;
}

/* Memory --------------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end) {
  size_t length = strlen(name);
  return length >= strlen(end) && text_equal(name + length - strlen(end), end);
}

static void note_place(void *ctx, const struct netdev_row *row) {
  struct places *places = ctx;
  if(row->unit == NETDEV_UNIT_HEX64 && !ends_with(row->name, ".busy") && !ends_with(row->name, ".done")) {
    places->lowest = row->value < places->lowest ? row->value : places->lowest;
    places->highest = row->value > places->highest ? row->value : places->highest;
    places->section = row->section;
  }
}

static struct places find_places(struct selftest *test) {
  struct places places = {.lowest = UINT64_MAX};
  (void)netdev_inspect(test->session.netdev, NETDEV_ROWS_RINGS, note_place, &places);
  return places;
}

static void tell_memory(struct selftest *test, const char *name, const struct places *places, bool sound) {
  char evidence[EVIDENCE_SIZE];
  struct report_check check = {
      .name = name, .verdict = sound ? REPORT_OK : REPORT_BAD, .evidence = evidence, .section = places->section};
  (void)format_into(evidence, EVIDENCE_SIZE, "%u checks by DMA, rings at 0x%jx", test->dma_run, places->lowest);
  if(sound && test->dma_run == 0) {
    check.verdict = REPORT_SKIPPED;
    check.evidence = "not possible: frames cannot be sent in a loop on this part";
  }
  tell(test, &check);
}

#define ABOVE "DMA: memory above 4 GiB"
#define BELOW "DMA: memory below 4 GiB"

/* The checks have just run where the firmware gave memory. If that was above 4 GiB, they run once more below. */
static EFI_STATUS test_memory(struct selftest *test, bool sound) {
  struct session *session = &test->session;
  struct places places = find_places(test);
  if(places.lowest < FOUR_GIB) {
    tell_memory(test, BELOW, &places, sound && places.highest < FOUR_GIB);
    tell(test, &(struct report_check){.name = ABOVE,
                                      .verdict = REPORT_SKIPPED,
                                      .evidence = session->nic.model->dma_bits <= 32U
                                                      ? "not possible: this part reaches the first 4 GiB only"
                                                      : "not possible: the firmware gives none there"});
    return EFI_SUCCESS;
  }
  tell_memory(test, ABOVE, &places, sound);
  EFI_STATUS status = session_attach_again(session, true);
  if(!EFI_ERROR(status)) {
    status = session_start_to_look(session);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  places = find_places(test);
  sound = test_family(test, true);
  tell_memory(test, BELOW, &places, sound && places.highest < FOUR_GIB);
  return EFI_SUCCESS;
}

/* Command -------------------------------------------------------------------------------------------------------- */

/* From a NIC that is attached and was not started. */
static EFI_STATUS run_loop(struct selftest *test) {
  EFI_STATUS status = session_start_to_look(&test->session);
  if(EFI_ERROR(status)) {
    return status;
  }
  test->session.watching = false; /* in loopback the link goes down, and comes back */
  enum wait_result result = test_link(test);
  if(result == WAIT_ABORTED || result == WAIT_GONE) {
    return wait_status(result, EFI_SUCCESS);
  }
  bool sound = test_family(test, false);
  return console_aborted() ? EFI_ABORTED : test_memory(test, sound);
}

static EFI_STATUS run_loops(struct selftest *test) {
  EFI_STATUS status = EFI_SUCCESS;
  for(test->loop = 1; test->loop <= test->loops && !EFI_ERROR(status); test->loop++) {
    if(test->loop > 1) {
      status = console_aborted() ? EFI_ABORTED : session_attach_again(&test->session, false);
    }
    if(!EFI_ERROR(status)) {
      status = run_loop(test);
    }
    if(!EFI_ERROR(status) && test->loops > 1) {
      out("Loop %u of %u: %u failed so far.\n", test->loop, test->loops, test->counts[REPORT_BAD]);
    }
  }
  return status;
}

static void tell_result(const struct selftest *test, EFI_STATUS status) {
  const uint32_t *counts = test->counts;
  uint32_t loops = test->loop - 1U - (EFI_ERROR(status) ? 1U : 0);
  if(report_is_json()) {
    report_u64("loops", loops);
    report_u64("ok", counts[REPORT_OK]);
    report_u64("failed", counts[REPORT_BAD]);
    report_u64("warnings", counts[REPORT_WARN]);
    report_u64("not_possible", counts[REPORT_SKIPPED]);
    return;
  }
  out_toned(counts[REPORT_BAD] > 0 ? TONE_BAD : TONE_OK, "%u checks, %u failed",
            counts[REPORT_OK] + counts[REPORT_BAD] + counts[REPORT_WARN], counts[REPORT_BAD]);
  out(", %u warnings, %u not possible; %u whole loops\n", counts[REPORT_WARN], counts[REPORT_SKIPPED], loops);
}

static EFI_STATUS test_session(struct selftest *test) {
  struct session *session = &test->session;
  char name[NIC_NAME_SIZE];
  if(session->resident) {
    complain("%s.efi drives the NIC for the firmware's stack, and the tests need it for themselves: add --take",
             session->remote.driver);
    return EFI_ACCESS_DENIED;
  }
  report_which(&session->pci);
  out("Testing %s (%s), which takes some seconds; Esc stops.\n", nic_name(&session->pci, name), session->netdev->model);
  report_array("checks");
  EFI_STATUS status = run_loops(test);
  report_end();
  tell_result(test, status);
  return !EFI_ERROR(status) && test->counts[REPORT_BAD] > 0 ? EFI_DEVICE_ERROR : status;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct selftest_options *options = values;
  struct selftest test = {.options = options, .loops = options->loops ? options->loops : 1U};
  (void)words;
  (void)word_count;
  EFI_STATUS status = session_open(&test.session, &options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = test_session(&test);
  EFI_STATUS closed = session_close(&test.session);
  return EFI_ERROR(status) ? status : closed;
}

static const struct option option_rows[] = {
    {"--loops", "N", OPTION_U32, offsetof(struct selftest_options, loops), 1, LOOPS_MAX,
     "how often (default 1); after the first, only failures are printed"},
    NIC_OPTION_ROWS(struct selftest_options),
    JSON_OPTION_ROW(struct selftest_options),
    {0},
};

const struct command command_selftest = {
    .name = "selftest",
    .summary = "registers, NVM, interrupts, frames in loopback, link, DMA: does the hardware work?",
    .arguments = "",
    .details = "Each line ends with the manual's section. What the part cannot do is left out. Exits with "
               "EFI_DEVICE_ERROR when a check fails; a link that is down is a warning. The NIC is reset for it, and as "
               "before afterwards.",
    .examples = {"selftest", "selftest --loops 100 --take", "selftest --json >a selftest.json"},
    .options = option_rows,
    .values_size = sizeof(struct selftest_options),
    .run = run,
};
