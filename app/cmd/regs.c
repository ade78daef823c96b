/* regs.c - netdiag regs: registers with their bits, all or by name, once or again and again. */
#include "../../driver/lib/bits.h"
#include "../../driver/lib/format.h"
#include "../netdiag.h"
#include "../report/screen.h"

#include <string.h>

#define NAMES_MAX     16
#define REMEMBERED    1024U /* rows whose last value is known: more than any family has */
#define NARROW_NAME   12U
#define NARROW_COLUMN 30U
#define WIDE_COLUMN   40U
#define INTERVAL_US   1000000U

struct regs_options {
  struct nic_options nic;
  uint32_t seconds;
  bool clearing;
  bool watch;
  bool json;
};

struct regs {
  const struct regs_options *options;
  const char *const *names;
  int name_count;
  struct session session;
  struct screen screen;
  bool wide;       /* one of the names is long                  */
  bool again;      /* `before` has the values of the last look  */
  uint32_t chosen; /* rows so far                               */
  uint32_t zeroes; /* of the array that is being shown          */
  uint64_t before[REMEMBERED];
};

static bool is_chosen(const struct regs *regs, const struct netdev_row *row) {
  bool chosen = regs->name_count == 0;
  for(int i = 0; i < regs->name_count; i++) {
    chosen = chosen || text_same_start(row->name, regs->names[i]);
  }
  return chosen;
}

static void note_row(void *ctx, const struct netdev_row *row) {
  struct regs *regs = ctx;
  if(is_chosen(regs, row)) {
    regs->wide = regs->wide || strlen(row->name) > NARROW_NAME;
    regs->chosen++;
  }
}

/* Text ----------------------------------------------------------------------------------------------------------- */

struct row_text {
  char name[40];
  char value[20];
  char bits[160];
};

static void describe(const struct netdev_row *row, struct row_text *text) {
  bool read = !row->unread && !row->failed;
  if(row->count > 1) {
    (void)format_into(text->name, sizeof(text->name), "%s[%u]", row->name, row->index);
  } else {
    (void)format_into(text->name, sizeof(text->name), "%s", row->name);
  }
  if(!read) {
    (void)format_into(text->value, sizeof(text->value), "--------");
  } else if(row->unit == NETDEV_UNIT_HEX8) {
    (void)format_into(text->value, sizeof(text->value), "%02jx", row->value);
  } else if(row->unit == NETDEV_UNIT_HEX16) {
    (void)format_into(text->value, sizeof(text->value), "%04jx", row->value);
  } else {
    (void)format_into(text->value, sizeof(text->value), "%08jx", row->value);
  }
  (void)bits_text(read ? row->bits : NULL, row->value, text->bits, sizeof(text->bits));
}

/* What has to be said of how it was read, or why not. */
static const char *reading_note(const struct netdev_row *row) {
  if(row->failed) {
    return "cannot be read";
  }
  if(row->unread) {
    return row->clears ? "not read: that would clear it" : "not read: write-only, or reading takes a semaphore";
  }
  return row->clears ? "cleared by this reading" : NULL;
}

static void out_more(const struct regs *regs, const char *text) {
  if(regs->wide) {
    out_hanging(WIDE_COLUMN, "%40s%s\n", "", text);
  } else {
    out_hanging(NARROW_COLUMN, "%30s%s\n", "", text);
  }
}

static void out_register(const struct regs *regs, const struct netdev_row *row) {
  struct row_text text;
  const char *note = reading_note(row);
  describe(row, &text);
  if(regs->wide) {
    out("  %05x %-21s %-8s", row->offset, text.name, text.value);
  } else {
    out("  %05x %-12s %-8s", row->offset, text.name, text.value);
  }
  out_hanging(regs->wide ? WIDE_COLUMN : NARROW_COLUMN, "  %s%s%s%s\n", row->text ? row->text : "",
              row->section ? " (" : "", row->section ? row->section : "", row->section ? ")" : "");
  if(text.bits[0]) {
    out_more(regs, text.bits);
  }
  if(note) {
    out_more(regs, note);
  }
}

/* One line each, so that many fit; what has changed since the last look is marked. */
static void draw_register(struct regs *regs, const struct netdev_row *row, bool changed) {
  struct row_text text;
  const char *note = reading_note(row);
  enum console_tone tone = changed ? TONE_WARN : TONE_PLAIN;
  describe(row, &text);
  if(regs->wide) {
    screen_line(&regs->screen, tone, "%c %05x %-21s %-8s %s", changed ? '*' : ' ', row->offset, text.name, text.value,
                note ? note : text.bits);
  } else {
    screen_line(&regs->screen, tone, "%c %05x %-12s %-8s %s", changed ? '*' : ' ', row->offset, text.name, text.value,
                note ? note : text.bits);
  }
}

/* Of an array that was asked for, how much is zero: those are not shown one by one. */
static void end_array(struct regs *regs, const struct netdev_row *row) {
  if(regs->zeroes > 0 && regs->name_count > 0) {
    out("        %s: %u of %u are 0\n", row->name, regs->zeroes, row->count);
  }
  regs->zeroes = 0;
}

static void show_row(void *ctx, const struct netdev_row *row) {
  struct regs *regs = ctx;
  if(!is_chosen(regs, row)) {
    return;
  }
  uint32_t index = regs->chosen++;
  bool changed = regs->again && index < REMEMBERED && regs->before[index] != row->value;
  bool zero = row->count > 1 && row->value == 0 && !row->unread && !row->failed;
  if(index < REMEMBERED) {
    regs->before[index] = row->value;
  }
  if(report_is_json()) {
    report_inspected(row);
  } else if(regs->options->watch && (!zero || changed)) {
    draw_register(regs, row, changed);
  } else if(!regs->options->watch && !zero) {
    out_register(regs, row);
  }
  regs->zeroes += zero;
  if(row->index + 1U >= row->count) {
    if(!regs->options->watch && !report_is_json()) {
      end_array(regs, row);
    }
    regs->zeroes = 0;
  }
}

/* Command -------------------------------------------------------------------------------------------------------- */

/* Without the lock: the heartbeat reads STATUS at the most, and printing takes longer than a ring lasts. */
static EFI_STATUS look(struct regs *regs) {
  uint32_t groups = NETDEV_ROWS_REGISTERS | (regs->options->clearing ? NETDEV_ROWS_CLEARING : 0);
  regs->chosen = 0;
  int result = netdev_inspect(regs->session.netdev, groups, show_row, regs);
  regs->again = true;
  if(result != NETDEV_OK) {
    complain("the registers cannot be read: %s", netdev_strerror(result));
  }
  return efi_status_of(result);
}

static EFI_STATUS watch(struct regs *regs) {
  UINT64 begun_us = efi_clock_us();
  UINT64 end_us = regs->options->seconds ? begun_us + regs->options->seconds * 1000000ULL : UINT64_MAX;
  UINT64 next_us = begun_us;
  enum wait_result result = WAIT_TIMEOUT;
  EFI_STATUS status = EFI_SUCCESS;
  regs->session.watching = false;
  report_array("samples");
  while(!EFI_ERROR(status) && result == WAIT_TIMEOUT && next_us < end_us) {
    report_object(NULL);
    report_u64("ms", (efi_clock_us() - begun_us) / 1000U);
    report_array("registers");
    screen_begin(&regs->screen);
    status = look(regs);
    screen_end(&regs->screen);
    report_end();
    report_end();
    next_us += INTERVAL_US;
    result = session_wait(&regs->session, next_us < end_us ? next_us : end_us, NULL, NULL);
  }
  report_end();
  screen_close(&regs->screen);
  return !EFI_ERROR(status) && result == WAIT_GONE ? EFI_DEVICE_ERROR : status;
}

/* That a name is none is said before anything is printed, and before a register that reading clears is read. */
static EFI_STATUS choose(struct regs *regs) {
  const char *const *names = regs->names;
  int count = regs->name_count;
  EFI_STATUS status = EFI_SUCCESS;
  for(int i = 0; i < count && !EFI_ERROR(status); i++) {
    regs->names = &names[i];
    regs->name_count = 1;
    regs->chosen = 0;
    int result = netdev_inspect(regs->session.netdev, NETDEV_ROWS_REGISTERS, note_row, regs);
    if(result == NETDEV_OK && regs->chosen == 0) {
      complain("no register of this NIC begins with '%s'; 'netdiag regs' lists them", names[i]);
      status = EFI_NOT_FOUND;
    }
  }
  regs->names = names;
  regs->name_count = count;
  if(count == 0) {
    (void)netdev_inspect(regs->session.netdev, NETDEV_ROWS_REGISTERS, note_row, regs);
  }
  return status;
}

static EFI_STATUS show(struct regs *regs) {
  report_which(&regs->session.pci);
  EFI_STATUS status = choose(regs);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(regs->options->watch) {
    return watch(regs);
  }
  if(!report_is_json() && regs->name_count == 0) {
    out("Registers (of arrays, what is not zero):\n");
  }
  report_array("registers");
  status = look(regs);
  report_end();
  return status;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct regs_options *options = values;
  if(options->seconds && !options->watch) {
    complain("regs: -t is for --watch");
    return EFI_INVALID_PARAMETER;
  }
  struct regs *regs = AllocateZeroPool(sizeof(*regs));
  if(!regs) {
    complain("out of memory");
    return EFI_OUT_OF_RESOURCES;
  }
  regs->options = options;
  regs->names = words;
  regs->name_count = word_count;
  EFI_STATUS status = session_open(&regs->session, &options->nic);
  if(!EFI_ERROR(status)) {
    status = session_start_to_look(&regs->session);
    if(!EFI_ERROR(status)) {
      status = show(regs);
    }
    EFI_STATUS closed = session_close(&regs->session);
    status = EFI_ERROR(status) ? status : closed;
  }
  FreePool(regs);
  return status;
}

static const struct option option_rows[] = {
    {"--watch", NULL, OPTION_FLAG, offsetof(struct regs_options, watch), 0, 0,
     "read them each second until Esc, and mark what has changed"},
    {"-t", "SECONDS", OPTION_U32, offsetof(struct regs_options, seconds), 1, 86400, "how long to watch"},
    {"--clearing", NULL, OPTION_FLAG, offsetof(struct regs_options, clearing), 0, 0,
     "read also what reading clears, such as interrupt causes"},
    NIC_OPTION_ROWS(struct regs_options),
    JSON_OPTION_ROW(struct regs_options),
    {0},
};

const struct command command_regs = {
    .name = "regs",
    .summary = "registers by name, with offset, value, the bits that are set, and the manual's section",
    .arguments = "[NAME...]",
    .details =
        "A NAME stands for every register that begins with it. A free NIC is reset and started for this; one under "
        "a resident driver of ours is read as it runs. Counters are not read here, for that would take them from "
        "'netdiag stats'.",
    .examples = {"regs", "regs CTRL STATUS", "regs --watch RD TD"},
    .options = option_rows,
    .values_size = sizeof(struct regs_options),
    .words_max = NAMES_MAX,
    .run = run,
};
