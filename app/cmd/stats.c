/* stats.c - netdiag stats: runs the NIC for a while and shows what it and the driver counted. */
#include "../netdiag.h"
#include "../report/screen.h"

#define DEFAULT_SECONDS 5U
#define COUNTERS_MAX    128U /* more than any family has: what is beyond has no rate */

struct stats_options {
  struct nic_options nic;
  uint32_t seconds;
  uint32_t interval;
  bool promiscuous;
  bool all;
  bool watch;
  bool json;
};

/* One look at all counters. Rows of a resident driver are valid while they are shown only, so that what is kept of the
 * look before is numbers, in the order of the rows. */
struct look {
  const struct stats_options *options;
  struct session *session;
  struct screen screen;
  uint64_t before[COUNTERS_MAX];
  UINT64 before_us; /* 0 = this is the first                      */
  UINT64 now_us;
  uint32_t index; /* of the next row                            */
};

static uint64_t rate_of(const struct look *look, uint32_t index, uint64_t value) {
  UINT64 passed_us = look->now_us - look->before_us;
  if(look->before_us == 0 || passed_us == 0 || index >= COUNTERS_MAX || value < look->before[index]) {
    return 0;
  }
  uint64_t more = value - look->before[index];
  return more > UINT64_MAX / 2000000U ? more : (more * 1000000U + passed_us / 2U) / passed_us;
}

static void show_count(struct look *look, const char *name, uint64_t value, const char *text) {
  uint32_t index = look->index++;
  uint64_t rate = rate_of(look, index, value);
  if(!look->options->watch) {
    report_count(name, value, text, look->options->all);
  } else if(report_is_json()) {
    report_u64(name, value);
  } else if(value != 0 || look->options->all) {
    screen_line(&look->screen, TONE_PLAIN, "  %-18s %14ju %10ju/s  %s", name, value, rate, text);
  }
  if(index < COUNTERS_MAX) {
    look->before[index] = value;
  }
}

static void show_row(void *ctx, const struct netdev_row *row) {
  show_count(ctx, row->name, row->value, row->text);
}

static void show_driver(struct look *look, const struct netdev_stats *stats) {
  const struct {
    const char *name;
    uint64_t value;
    const char *text;
  } rows[] = {
      {"rx_frames", stats->rx_frames, "frames received and delivered"},
      {"rx_bytes", stats->rx_bytes, "bytes in those, without FCS"},
      {"rx_errors", stats->rx_errors, "received damaged, skipped"},
      {"rx_missed", stats->rx_missed, "no buffer was free"},
      {"rx_crc_errors", stats->rx_crc_errors, "dropped by the device"},
      {"tx_frames", stats->tx_frames, "frames sent"},
      {"tx_bytes", stats->tx_bytes, "bytes in those, without FCS"},
      {"tx_errors", stats->tx_errors, "handed back unsent"},
      {"tx_busy", stats->tx_busy, "refused, ring full"},
      {"tx_collisions", stats->tx_collisions, "half duplex"},
      {"tx_hangs", stats->tx_hangs, "resets of a stuck transmitter"},
      {"link_changes", stats->link_changes, "up, down, or another speed"},
      {"rx_doorbells", stats->rx_doorbells, "receive doorbells"},
      {"tx_doorbells", stats->tx_doorbells, "transmit doorbells"},
  };
  for(UINTN i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    show_count(look, rows[i].name, rows[i].value, rows[i].text);
  }
}

static void out_heading(struct look *look, const char *text) {
  if(report_is_json()) {
    return;
  }
  if(look->options->watch) {
    screen_line(&look->screen, TONE_PLAIN, "%s", text);
  } else {
    out("%s\n", text);
  }
}

/* The lock is not held while lines are printed: a slow console takes longer than a ring lasts. */
static void show_counters(struct look *look) {
  EFI_TPL tpl = efi_nic_lock();
  const struct netdev_stats stats = *netdev_get_stats(look->session->netdev);
  look->now_us = efi_clock_us();
  efi_nic_unlock(tpl);
  look->index = 0;
  out_heading(look, "Driver:");
  report_object("driver");
  show_driver(look, &stats);
  report_end();
  out_heading(look, look->options->all ? "Device:" : "Device (what is zero is left out; --all shows it):");
  report_object("device");
  (void)netdev_inspect(look->session->netdev, NETDEV_ROWS_COUNTERS, show_row, look);
  report_end();
  look->before_us = look->now_us;
}

/* Watching ------------------------------------------------------------------------------------------------------- */

static void show_page(struct look *look, UINT64 begun_us) {
  const struct session *session = look->session;
  char name[NIC_NAME_SIZE];
  char mac[MAC_TEXT_SIZE];
  const struct netdev_link *link = &session->netdev->link;
  UINT64 passed_ms = (efi_clock_us() - begun_us) / 1000U;
  if(report_is_json()) {
    report_object(NULL);
    report_u64("ms", passed_ms);
    report_link("link", link);
    show_counters(look);
    report_end();
    return;
  }
  screen_begin(&look->screen);
  const char *known = link->up ? "up" : "down";
  if(link->speed_mbps > 0) {
    screen_line(&look->screen, TONE_OK, "%s (%s) %s  link %s, %u Mb/s  %ju s, Esc stops", nic_name(&session->pci, name),
                session->netdev->model, mac_text(session->netdev->mac, mac), known, link->speed_mbps,
                passed_ms / 1000U);
  } else {
    screen_line(&look->screen, link->up ? TONE_OK : TONE_BAD, "%s (%s) %s  link %s  %ju s, Esc stops",
                nic_name(&session->pci, name), session->netdev->model, mac_text(session->netdev->mac, mac), known,
                passed_ms / 1000U);
  }
  show_counters(look);
  screen_end(&look->screen);
}

static enum wait_result watch(struct look *look) {
  UINT64 begun_us = efi_clock_us();
  UINT64 interval_us = (look->options->interval ? look->options->interval : 1U) * 1000000ULL;
  UINT64 end_us = look->options->seconds ? begun_us + look->options->seconds * 1000000ULL : UINT64_MAX;
  UINT64 next_us = begun_us;
  enum wait_result result = WAIT_TIMEOUT;
  look->session->watching = false; /* the page shows the link; a line in the middle of it would not stay */
  report_array("samples");
  while(result == WAIT_TIMEOUT && next_us < end_us) {
    show_page(look, begun_us);
    next_us += interval_us;
    result = session_wait(look->session, next_us < end_us ? next_us : end_us, NULL, NULL);
  }
  show_page(look, begun_us);
  report_end();
  screen_close(&look->screen);
  return result;
}

/* Command -------------------------------------------------------------------------------------------------------- */

static EFI_STATUS count_on(struct look *look) {
  const struct stats_options *options = look->options;
  struct session *session = look->session;
  uint32_t seconds = options->seconds ? options->seconds : DEFAULT_SECONDS;
  enum wait_result result;
  report_which(&session->pci);
  report_mac("mac", session->netdev->mac);
  report_bool("shared", session->resident != NULL);
  if(options->watch) {
    result = watch(look);
  } else {
    if(session->resident) {
      out("From when %s.efi was loaded, and counting for %u s; Esc stops.\n", pci_driver_name(&session->pci), seconds);
    } else {
      out("Counting for %u s; Esc stops.\n", seconds);
    }
    result = session_wait(session, efi_clock_us() + seconds * 1000000ULL, NULL, NULL);
    show_counters(look);
  }
  return result == WAIT_GONE ? EFI_DEVICE_ERROR : EFI_SUCCESS;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct stats_options *options = values;
  struct session session;
  struct look look = {.options = options, .session = &session};
  (void)words;
  (void)word_count;

  if(options->interval && !options->watch) {
    complain("stats: --interval is for --watch");
    return EFI_INVALID_PARAMETER;
  }
  EFI_STATUS status = session_open(&session, &options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(options->promiscuous && !session.resident) {
    (void)netdev_set_filter(session.netdev, NETDEV_FILTER_PROMISCUOUS | NETDEV_FILTER_BROADCAST, NULL, 0);
  }
  status = session_start(&session, LINK_WAIT_MS);
  if(!EFI_ERROR(status)) {
    status = count_on(&look);
  }
  EFI_STATUS closed = session_close(&session);
  return EFI_ERROR(status) ? status : closed;
}

static const struct option option_rows[] = {
    {"-t", "SECONDS", OPTION_U32, offsetof(struct stats_options, seconds), 1, 86400,
     "how long to count (default 5; with --watch until Esc)"},
    {"-p", NULL, OPTION_FLAG, offsetof(struct stats_options, promiscuous), 0, 0, "receive every frame on the wire"},
    {"--all", NULL, OPTION_FLAG, offsetof(struct stats_options, all), 0, 0, "show the zeroes too"},
    {"--watch", NULL, OPTION_FLAG, offsetof(struct stats_options, watch), 0, 0,
     "show them again and again, with what is added in a second"},
    {"--interval", "SECONDS", OPTION_U32, offsetof(struct stats_options, interval), 1, 3600,
     "how often, with --watch (default 1)"},
    NIC_OPTION_ROWS(struct stats_options),
    JSON_OPTION_ROW(struct stats_options),
    {0},
};

const struct command command_stats = {
    .name = "stats",
    .summary = "what NIC and driver count while the NIC runs",
    .arguments = "",
    .details = "Of a NIC that a resident driver of ours holds, everything since that was loaded is shown, and -p has "
               "no effect.",
    .examples = {"stats -t 30 --all", "stats --watch", "stats -t 10 --json >a stats.json"},
    .options = option_rows,
    .values_size = sizeof(struct stats_options),
    .run = run,
};
