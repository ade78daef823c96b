/* stats.c - netdiag stats: runs the NIC for a while and shows what it and the driver counted. */
#include "../netdiag.h"

#define DEFAULT_SECONDS 5U
#define LINK_WAIT_MS    (LINK_WAIT_S * 1000U)

struct stats_options {
  struct nic_options nic;
  uint32_t seconds;
  bool promiscuous;
  bool all;
};

static void out_count(const char *name, uint64_t value, const char *text, bool all) {
  if(value != 0 || all) {
    out("  %-18s %12ld  %s\n", name, value, text);
  }
}

static void out_row(void *ctx, const struct netdev_row *row) {
  out_count(row->name, row->value, row->text, *(const bool *)ctx);
}

static void out_stats(struct netdev *dev, bool all) {
  const struct netdev_stats *stats = netdev_get_stats(dev);
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
  out("Driver:\n");
  for(UINTN i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    out_count(rows[i].name, rows[i].value, rows[i].text, all);
  }
  out("Device%s:\n", all ? "" : " (what is zero is left out; --all shows it)");
  (void)netdev_inspect(dev, NETDEV_ROWS_COUNTERS, out_row, &all);
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct stats_options *options = values;
  struct session session;
  uint32_t seconds = options->seconds ? options->seconds : DEFAULT_SECONDS;
  (void)words;
  (void)word_count;

  EFI_STATUS status = session_open(&session, &options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  struct netdev *dev = session.netdev;
  if(options->promiscuous && !session.resident) {
    (void)netdev_set_filter(dev, NETDEV_FILTER_PROMISCUOUS | NETDEV_FILTER_BROADCAST, NULL, 0);
  }
  status = session_start(&session, LINK_WAIT_MS);
  if(!EFI_ERROR(status)) {
    if(session.resident) {
      out("From when %s.efi was loaded, and counting for %u s; Esc stops.\n", pci_driver_name(&session.pci), seconds);
    } else {
      out("Counting for %u s; Esc stops.\n", seconds);
    }
    enum wait_result result = session_wait(&session, efi_clock_us() + seconds * 1000000ULL, NULL, NULL);
    status = result == WAIT_GONE ? EFI_DEVICE_ERROR : EFI_SUCCESS;
    EFI_TPL tpl = efi_nic_lock();
    out_stats(dev, options->all);
    efi_nic_unlock(tpl);
  }
  EFI_STATUS closed = session_close(&session);
  return EFI_ERROR(status) ? status : closed;
}

static const struct option option_rows[] = {
    {"-t", "SECONDS", OPTION_U32, offsetof(struct stats_options, seconds), 1, 86400, "how long to count (default 5)"},
    {"-p", NULL, OPTION_FLAG, offsetof(struct stats_options, promiscuous), 0, 0, "receive every frame on the wire"},
    {"--all", NULL, OPTION_FLAG, offsetof(struct stats_options, all), 0, 0, "show the zeroes too"},
    NIC_OPTION_ROWS(struct stats_options),
    {0},
};

const struct command command_stats = {
    .name = "stats",
    .summary = "what NIC and driver count while the NIC runs",
    .arguments = "",
    .details = "Of a NIC that a resident driver of ours holds, everything since that was loaded is shown, and -p has "
               "no effect.",
    .examples = {"stats -t 30 --all", "stats -p -t 10"},
    .options = option_rows,
    .values_size = sizeof(struct stats_options),
    .run = run,
};
