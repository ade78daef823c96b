/* monitor.c - netdiag monitor: a page that shows what goes over a NIC, drawn anew each second. */
#include "../capture/frame_tap.h"
#include "../monitor/display.h"
#include "../netdiag.h"
#include "../../driver/lib/format.h"

#include <string.h>

#define LOOK_MS    1U /* the page says whether there is a link: without one it waits for it */
#define REFRESH_US 1000000U
#define NOTICE_US  3000000U

struct monitor_options {
  struct nic_options nic;
  uint32_t seconds;
  bool not_promiscuous;
};

enum command_key { KEY_NONE, KEY_NEXT, KEY_AGAIN, KEY_END };

struct monitor {
  const struct monitor_options *options;
  struct nic_options nic;
  char wanted[LOCATION_TEXT_SIZE]; /* what nic.nic points to once another NIC was chosen */
  struct session session;
  struct frame_tap tap;
  struct traffic traffic; /* only under efi_nic_lock */
  struct netdev_stats stats;
  struct netdev_stats start;
  struct page_view view;
  struct display display;
  char notice[PAGE_TEXT_SIZE];
  uint64_t notice_until_us;
};

/* At TPL_CALLBACK, from inside the driver. */
static void see(void *ctx, bool sent, const uint8_t *frame, uint32_t length) {
  struct monitor *monitor = ctx;
  traffic_add(&monitor->traffic, sent ? TRAFFIC_OUT : TRAFFIC_IN, frame, length, efi_clock_us());
}

/* It only listens: nothing is answered. */
static bool on_frame(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet) {
  (void)ctx;
  (void)frame;
  (void)packet;
  return true;
}

/* What is shown --------------------------------------------------------------------------------------------------- */

/* Families name the same things differently: what lies between the two indices is in the device's hands. */
struct ring_rows {
  uint64_t size;
  uint64_t first;
  uint64_t last;
};

/* `ctx` is two of them: receive, transmit. */
static void collect_row(void *ctx, const struct netdev_row *row) {
  struct ring_rows *rings = ctx;
  const bool rx = text_same_start(row->name, "rx.");
  if(!rx && !text_same_start(row->name, "tx.")) {
    return;
  }
  struct ring_rows *ring = &rings[rx ? 0 : 1];
  const char *name = row->name + 3;
  if(text_equal(name, "count") || text_equal(name, "size")) {
    ring->size = row->value;
  } else if(text_equal(name, "head") || text_equal(name, "taken")) {
    ring->first = row->value;
  } else if(text_equal(name, "tail") || text_equal(name, "offered")) {
    ring->last = row->value;
  }
}

static struct page_ring fill_of(const struct ring_rows *rows) {
  return (struct page_ring){
      .known = rows->size > 0, .used = (uint32_t)rows->last - (uint32_t)rows->first, .size = (uint32_t)rows->size};
}

static const char *how(const struct monitor *monitor) {
  const struct session *session = &monitor->session;
  if(!session->netdev) {
    return "beside another driver: what comes in";
  }
  if(session->resident) {
    return "shared with the firmware's stack";
  }
  return monitor->options->not_promiscuous ? "frames for us and for all" : "every frame on the wire";
}

/* What does not change while the NIC is watched. */
static void begin_view(struct monitor *monitor) {
  struct session *session = &monitor->session;
  struct page_view *view = &monitor->view;
  char text[LOCATION_TEXT_SIZE];
  char name[NIC_NAME_SIZE];
  memset(view, 0, sizeof(*view));
  (void)format_into(view->nic, sizeof(view->nic), "%s", nic_name(&session->pci, name));
  (void)format_into(view->model, sizeof(view->model), "%s", session_model(session));
  (void)format_into(view->location, sizeof(view->location), "%s", location_text(&session->pci, text));
  (void)format_into(view->how, sizeof(view->how), "%s", how(monitor));
  memcpy(view->mac, session_mac(session), sizeof(view->mac));
  view->stats = &monitor->stats;
  view->start = &monitor->start;
  view->traffic = &monitor->traffic;
}

static void read_counters(struct monitor *monitor) {
  EFI_TPL tpl = efi_nic_lock();
  if(monitor->session.netdev) {
    monitor->stats = *netdev_get_stats(monitor->session.netdev);
  }
  efi_nic_unlock(tpl);
}

static void begin_counting(struct monitor *monitor) {
  EFI_TPL tpl = efi_nic_lock();
  traffic_init(&monitor->traffic, efi_clock_us());
  efi_nic_unlock(tpl);
  read_counters(monitor);
  monitor->start = monitor->stats;
}

static void draw(struct monitor *monitor) {
  struct page_view *view = &monitor->view;
  struct ring_rows rings[2] = {{0}};
  uint32_t columns;
  uint32_t rows;
  read_counters(monitor);
  (void)console_size(&columns, &rows);
  const uint64_t now_us = efi_clock_us();
  (void)format_into(view->notice, sizeof(view->notice), "%s", now_us < monitor->notice_until_us ? monitor->notice : "");
  view->link = session_link(&monitor->session);
  EFI_TPL tpl = efi_nic_lock();
  if(monitor->session.netdev) {
    (void)netdev_inspect(monitor->session.netdev, NETDEV_ROWS_RINGS, collect_row, rings);
  }
  view->rx = fill_of(&rings[0]);
  view->tx = fill_of(&rings[1]);
  traffic_tick(&monitor->traffic, now_us);
  view->seconds = monitor->traffic.second;
  page_render(&monitor->display.next, view, columns, rows);
  efi_nic_unlock(tpl);
  display_draw(&monitor->display);
}

/* Keys ------------------------------------------------------------------------------------------------------------ */

static bool is_pressed(void *ctx) {
  (void)ctx;
  return console_key(false) != 0;
}

static enum command_key take_key(void) {
  switch(console_key(true)) {
  case 'n':
  case 'N':
    return KEY_NEXT;
  case 'r':
  case 'R':
    return KEY_AGAIN;
  case 'q':
  case 'Q':
    return KEY_END;
  default:
    return KEY_NONE;
  }
}

/* The next NIC that can be watched, round to where we are: false when there is no other. */
static bool choose_next(struct monitor *monitor) {
  struct pci_nic *list;
  UINTN count;
  bool found = false;
  if(EFI_ERROR(pci_find_nics(&list, &count))) {
    return false;
  }
  for(UINTN i = 1; i < count && !found; i++) {
    const struct pci_nic *nic = &list[(monitor->session.pci.index + i) % count];
    found = remote_find(nic->handle) || share_possible(nic) ||
            (pci_find_driver(nic, NULL) && (monitor->nic.take || !pci_find_holder(nic->handle)));
    if(found) {
      (void)location_text(nic, monitor->wanted);
      monitor->nic.nic = monitor->wanted;
    }
  }
  if(list) {
    FreePool(list);
  }
  return found;
}

/* Running ---------------------------------------------------------------------------------------------------------- */

/* What a key asks for, other than the next NIC or the end. */
static void do_here(struct monitor *monitor, enum command_key key) {
  if(key == KEY_NEXT) {
    (void)format_into(monitor->notice, sizeof(monitor->notice), "%s",
                      "There is no other NIC here that can be watched.");
    monitor->notice_until_us = efi_clock_us() + NOTICE_US;
  } else if(key == KEY_AGAIN) {
    begin_counting(monitor);
  }
}

/* Until a key, the time or the user ends it: a page at each full second, and one at the end. */
static enum command_key watch(struct monitor *monitor, uint64_t deadline_us, EFI_STATUS *status) {
  enum command_key key = KEY_NONE;
  while(key != KEY_END) {
    draw(monitor);
    const uint64_t now_us = efi_clock_us();
    const uint64_t next_us = now_us + REFRESH_US - (now_us - monitor->traffic.start_us) % REFRESH_US;
    const bool last = next_us >= deadline_us;
    const enum wait_result result = session_wait(&monitor->session, last ? deadline_us : next_us, is_pressed, NULL);
    key = take_key();
    if(result == WAIT_GONE) {
      *status = EFI_DEVICE_ERROR;
      return KEY_END;
    }
    if(key == KEY_NEXT && choose_next(monitor)) {
      return key;
    }
    do_here(monitor, key);
    key = result == WAIT_ABORTED || (last && result == WAIT_TIMEOUT) ? KEY_END : key;
  }
  draw(monitor);
  return KEY_END;
}

/* One NIC. */
static enum command_key watch_nic(struct monitor *monitor, uint64_t deadline_us, EFI_STATUS *status) {
  const struct session_talker talker = {
      .listen = !monitor->options->not_promiscuous, .ctx = monitor, .receive = on_frame};
  const struct frame_source source = frame_source_of(&monitor->session);
  enum command_key key = KEY_END;
  *status = frame_tap_add(&monitor->tap, &source, see, monitor);
  begin_counting(monitor);
  if(!EFI_ERROR(*status)) {
    *status = session_talk(&monitor->session, &talker, LOOK_MS);
    *status = *status == EFI_NO_MEDIA ? EFI_SUCCESS : *status;
  }
  if(!EFI_ERROR(*status)) {
    monitor->session.watching = false; /* the page tells of the link */
    begin_view(monitor);
    display_forget(&monitor->display);
    key = watch(monitor, deadline_us, status);
  }
  session_stop_receiving(&monitor->session);
  frame_tap_remove(&monitor->tap);
  return key;
}

static EFI_STATUS run_with(struct monitor *monitor) {
  const struct monitor_options *options = monitor->options;
  const uint64_t deadline_us = options->seconds ? efi_clock_us() + options->seconds * 1000000ULL : UINT64_MAX;
  enum command_key key = KEY_NEXT;
  EFI_STATUS status = EFI_SUCCESS;
  bool begun = false;
  monitor->nic = options->nic;
  monitor->nic.allow_foreign = true;
  while(key == KEY_NEXT && !EFI_ERROR(status)) {
    status = session_open(&monitor->session, &monitor->nic);
    if(EFI_ERROR(status)) {
      break;
    }
    if(!begun) {
      display_begin(&monitor->display);
      begun = true;
    }
    key = watch_nic(monitor, deadline_us, &status);
    EFI_STATUS closed = session_close(&monitor->session);
    status = EFI_ERROR(status) ? status : closed;
  }
  if(begun) {
    display_end(&monitor->display);
  }
  return status;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  (void)words;
  (void)word_count;
  uint32_t columns;
  uint32_t rows;
  if(!console_size(&columns, &rows)) {
    complain("monitor draws on the console, and the output goes to a file: leave the '>' out");
    return EFI_UNSUPPORTED;
  }
  if(columns < PAGE_COLUMNS_MIN || rows < PAGE_ROWS_MIN) {
    complain(
        "monitor: this console has %u x %u, and the page needs %u x %u: 'mode' in the Shell lists the sizes and sets "
        "one",
        columns, rows, PAGE_COLUMNS_MIN, PAGE_ROWS_MIN);
    return EFI_UNSUPPORTED;
  }
  struct monitor *monitor = AllocateZeroPool(sizeof(*monitor));
  if(!monitor) {
    complain("out of memory");
    return EFI_OUT_OF_RESOURCES;
  }
  monitor->options = values;
  EFI_STATUS status = run_with(monitor);
  FreePool(monitor);
  return status;
}

static const struct option option_rows[] = {
    {"-t", "SECONDS", OPTION_U32, offsetof(struct monitor_options, seconds), 1, 86400, "stop after so long"},
    {"-p", NULL, OPTION_FLAG, offsetof(struct monitor_options, not_promiscuous), 0, 0,
     "not promiscuous: only frames for us and for all"},
    NIC_OPTION_ROWS(struct monitor_options),
    {0},
};

const struct command command_monitor = {
    .name = "monitor",
    .summary = "a live page: rates, a moving graph, sizes, errors, rings, who talks most",
    .arguments = "",
    .details = "Needs a console of 80 x 25 or more. N goes to the next NIC, R begins anew, Q or Esc ends it.",
    .examples = {"monitor", "monitor -n eth1 -t 60"},
    .options = option_rows,
    .values_size = sizeof(struct monitor_options),
    .run = run,
};
