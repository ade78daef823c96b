/* rings.c - netdiag rings: both rings, or all queues, as a picture. */
#include "../netdiag.h"
#include "../report/screen.h"
#include "../ring_picture.h"

#include <string.h>

struct rings_options {
  struct nic_options nic;
  bool watch;
  bool json;
};

struct rings {
  const struct rings_options *options;
  struct session session;
  struct screen screen;
  struct ring_views views;
  const struct ring_view *shown; /* whose rows are printed */
};

static void take_row(void *ctx, const struct netdev_row *row) {
  ring_views_take(&((struct rings *)ctx)->views, row);
}

/* What is a number and no picture: "published 255  how far the device was told". */
static void out_row(void *ctx, const struct netdev_row *row) {
  struct rings *rings = ctx;
  const struct ring_view *ring = ring_views_find(&rings->views, row->name);
  const char *name = row->name;
  while(*name && *name != '.') {
    name++;
  }
  if(ring != rings->shown || *name != '.' || text_equal(name, ".busy") || text_equal(name, ".done") ||
     text_same_start(name, ".at_")) {
    return;
  }
  if(row->unit >= NETDEV_UNIT_HEX8 && row->unit <= NETDEV_UNIT_HEX64) {
    screen_line(&rings->screen, TONE_PLAIN, "    %-13s 0x%-10jx %s", name + 1, row->value, row->text);
  } else {
    screen_line(&rings->screen, TONE_PLAIN, "    %-13s %-12ju %s", name + 1, row->value, row->text);
  }
}

static void out_ring(struct rings *rings, const struct ring_view *ring) {
  char line[RING_LINE_SIZE];
  struct ring_counts counts = ring_count(ring);
  uint32_t scale = ring_scale(ring);
  screen_line(&rings->screen, TONE_PLAIN, "%s: %u descriptors: %u free, %u the device's, %u done and not taken",
              ring->name, ring->size, counts.free, counts.filled, counts.done);
  if(scale > 1) {
    screen_line(&rings->screen, TONE_PLAIN, "  a character is %u descriptors; + some of each", scale);
  }
  for(uint32_t i = 0; ring_line(ring, i, line); i++) {
    screen_line(&rings->screen, TONE_PLAIN, "%s", line);
  }
  if(!rings->options->watch) {
    rings->shown = ring;
    (void)netdev_inspect(rings->session.netdev, NETDEV_ROWS_RINGS, out_row, rings);
  }
}

static void report_rings(const struct rings *rings) {
  report_array("queues");
  for(uint32_t i = 0; i < rings->views.count; i++) {
    const struct ring_view *ring = &rings->views.ring[i];
    struct ring_counts counts = ring_count(ring);
    report_row(NULL);
    report_text("name", ring->name);
    report_u64("size", ring->size);
    report_u64("free", counts.free);
    report_u64("filled", counts.filled);
    report_u64("done", counts.done);
    for(uint32_t j = 0; j < ring->mark_count; j++) {
      report_u64(ring->marks[j].name, ring->marks[j].at);
    }
    report_end();
  }
  report_end();
  report_inspect("rows", rings->session.netdev, NETDEV_ROWS_RINGS);
}

/* All of them as of one moment. */
static EFI_STATUS look(struct rings *rings) {
  struct netdev *dev = rings->session.netdev;
  memset(&rings->views, 0, sizeof(rings->views));
  EFI_TPL tpl = efi_nic_lock();
  int result = netdev_inspect(dev, NETDEV_ROWS_RINGS, take_row, rings);
  efi_nic_unlock(tpl);
  if(result != NETDEV_OK) {
    complain("the rings cannot be looked at: %s", netdev_strerror(result));
    return efi_status_of(result);
  }
  return EFI_SUCCESS;
}

static EFI_STATUS show(struct rings *rings) {
  EFI_STATUS status = look(rings);
  if(EFI_ERROR(status) || report_is_json()) {
    if(!EFI_ERROR(status)) {
      report_rings(rings);
    }
    return status;
  }
  screen_line(&rings->screen, TONE_PLAIN, "# the device's   D done and not taken   . free");
  for(uint32_t i = 0; i < rings->views.count; i++) {
    out_ring(rings, &rings->views.ring[i]);
  }
  return status;
}

static EFI_STATUS watch(struct rings *rings) {
  EFI_STATUS status = EFI_SUCCESS;
  enum wait_result result = WAIT_TIMEOUT;
  rings->session.watching = false;
  while(!EFI_ERROR(status) && result == WAIT_TIMEOUT) {
    screen_begin(&rings->screen);
    status = show(rings);
    screen_end(&rings->screen);
    result = session_wait(&rings->session, efi_clock_us() + 1000000U, NULL, NULL);
  }
  screen_close(&rings->screen);
  return !EFI_ERROR(status) && result == WAIT_GONE ? EFI_DEVICE_ERROR : status;
}

static EFI_STATUS run_with(struct rings *rings) {
  EFI_STATUS status = session_open(&rings->session, &rings->options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = session_start_to_look(&rings->session);
  if(!EFI_ERROR(status)) {
    report_which(&rings->session.pci);
    status = rings->options->watch ? watch(rings) : show(rings);
  }
  EFI_STATUS closed = session_close(&rings->session);
  return EFI_ERROR(status) ? status : closed;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  (void)words;
  (void)word_count;
  const struct rings_options *options = values;
  if(options->watch && options->json) {
    complain("rings: --watch draws; leave it out for --json");
    return EFI_INVALID_PARAMETER;
  }
  struct rings *rings = AllocateZeroPool(sizeof(*rings));
  if(!rings) {
    complain("out of memory");
    return EFI_OUT_OF_RESOURCES;
  }
  rings->options = options;
  EFI_STATUS status = run_with(rings);
  FreePool(rings);
  return status;
}

static const struct option option_rows[] = {
    {"--watch", NULL, OPTION_FLAG, offsetof(struct rings_options, watch), 0, 0, "draw them each second until Esc"},
    NIC_OPTION_ROWS(struct rings_options),
    JSON_OPTION_ROW(struct rings_options),
    {0},
};

const struct command command_rings = {
    .name = "rings",
    .summary = "the descriptor rings, or queues, as a picture: whose each descriptor is",
    .arguments = "",
    .details =
        "Of a ring, head is the oldest descriptor that was not taken back, tail the next to prepare, device where "
        "the device is. A queue has no order: there the numbers below the picture say how far each side is.",
    .examples = {"rings", "rings --watch -n eth1", "rings --json >a rings.json"},
    .options = option_rows,
    .values_size = sizeof(struct rings_options),
    .run = run,
};
