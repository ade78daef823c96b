/* capture.c - writes what a NIC sends and receives to a pcapng file. */
#include "capture.h"

#include <string.h>

#include "../../driver/lib/calendar.h"
#include "../../driver/lib/format.h"
#include "../../driver/lib/pcapng.h"
#include "../console.h"
#include "../netdiag.h"
#include "frame_filter.h"
#include "frame_ring.h"
#include "frame_tap.h"
#include "volume_file.h"

#define RING_SIZE     (4U * 1024U * 1024U) /* 2700 of the longest frames; less where memory is short           */
#define RING_SIZE_MIN (64U * 1024U)
#define BLOCKS_SIZE   (64U * 1024U) /* that are written at once                                                 */
#define WRITE_US      500000U       /* what is there is written after so long, though it is little              */
#define FLUSH_US      2000000U      /* and the volume is told to keep it after so long                          */
#define TIMER_100NS   1000000U      /* 100 ms                                                                   */
#define TEXT_SIZE     128U

struct capture {
  struct frame_source source;
  struct capture_options options;
  EFI_FILE_HANDLE file;
  EFI_EVENT timer;
  struct frame_tap tap;
  bool described; /* the interface's block is in `blocks` or in the file */
  bool described_in_file;
  bool busy;         /* somebody is writing: the timer keeps out     */
  EFI_STATUS status; /* of the first write that failed               */
  uint64_t epoch_us; /* what is added to the clock: since 1970       */
  uint64_t start_us;
  uint64_t missed;     /* by the NIC, before it began to look there    */
  uint64_t missed_sum; /* by the NICs that it has left                 */
  struct remote below; /* the source of capture_follow                 */
  uint64_t write_due_us;
  uint64_t flush_due_us;
  bool unflushed;
  uint64_t file_size;
  uint64_t frames_in_blocks; /* frames that are in `blocks` and not in the file */
  uint64_t lost;             /* frames that were in blocks that could not be written */
  struct capture_counts counts;
  struct frame_ring ring; /* only under efi_nic_lock */
  uint32_t blocks_used;
  uint8_t blocks[BLOCKS_SIZE];
};

/* Seeing --------------------------------------------------------------------------------------------------------- */

/* At TPL_CALLBACK, from inside the driver: it counts and copies. */
static void see(void *ctx, bool sent, const uint8_t *data, uint32_t length) {
  struct capture *capture = ctx;
  struct capture_counts *counts = &capture->counts;
  const struct capture_options *options = &capture->options;
  counts->seen++;
  if((options->count && counts->matched >= options->count) ||
     (options->filter && !frame_filter_match(options->filter, data, length))) {
    return;
  }
  counts->matched++;
  if(EFI_ERROR(capture->status)) {
    counts->dropped++;
    return;
  }
  const uint32_t snap = options->snap_length;
  const struct frame_record record = {.time_us = capture->epoch_us + efi_clock_us(),
                                      .data = data,
                                      .captured = snap && snap < length ? snap : length,
                                      .length = length,
                                      .sent = sent};
  if(!frame_ring_put(&capture->ring, &record)) {
    counts->dropped++;
  }
}

static uint64_t missed_so_far(const struct capture *capture) {
  if(!capture->source.netdev || !frame_source_is_there(&capture->source)) {
    return 0;
  }
  EFI_TPL tpl = efi_nic_lock();
  uint64_t missed = netdev_get_stats(capture->source.netdev)->rx_missed;
  efi_nic_unlock(tpl);
  return missed == NETDEV_NOT_COUNTED ? 0 : missed;
}

static void count_missed(struct capture *capture) {
  const uint64_t missed = missed_so_far(capture);
  capture->missed_sum += missed > capture->missed ? missed - capture->missed : 0;
  capture->missed = missed;
}

/* Writing -------------------------------------------------------------------------------------------------------- */

/* The file ends behind its last whole block, also when this one did not fit. `again`: also when one did not before. */
static void write_blocks(struct capture *capture, bool again) {
  UINTN size = capture->blocks_used;
  if(size == 0) {
    return;
  }
  EFI_STATUS status = capture->status;
  if(again || !EFI_ERROR(status)) {
    status = capture->file->Write(capture->file, &size, capture->blocks);
  }
  if(!EFI_ERROR(status) && size != capture->blocks_used) {
    status = EFI_VOLUME_FULL;
  }
  if(EFI_ERROR(status)) {
    (void)volume_file_cut(capture->file, capture->file_size);
    capture->status = EFI_ERROR(capture->status) ? capture->status : status;
    capture->lost += capture->frames_in_blocks;
    capture->described = capture->described_in_file;
  } else {
    capture->file_size += size;
    capture->described_in_file = capture->described;
    capture->counts.written += capture->frames_in_blocks;
    capture->counts.bytes = capture->file_size;
    capture->unflushed = true;
  }
  capture->frames_in_blocks = 0;
  capture->blocks_used = 0;
}

static size_t blocks_room(const struct capture *capture) {
  return sizeof(capture->blocks) - capture->blocks_used;
}

/* Before the first frame, when the link is up and its speed known. */
static void add_interface(struct capture *capture) {
  const struct frame_source *source = &capture->source;
  char description[TEXT_SIZE];
  char place[LOCATION_TEXT_SIZE];
  char name[NIC_NAME_SIZE];
  const struct netdev *netdev = source->netdev;
  if(!netdev && !source->session) {
    return; /* it was left */
  }
  const struct netdev_link link = netdev ? netdev->link : session_link(capture->source.session);
  const char *comment = !netdev            ? "frames that netdiag sent, and that the firmware's stack showed it"
                        : source->resident ? "frames that were sent, and received ones that the firmware's stack took"
                                           : NULL;
  (void)format_into(description, sizeof(description), "%s at %s%s%s",
                    netdev ? netdev->model : session_model(capture->source.session), location_text(source->pci, place),
                    source->resident ? ", shared with the firmware's stack by " : "",
                    source->resident ? source->resident->driver : "");
  struct pcapng_interface interface = {.name = nic_name(source->pci, name),
                                       .description = description,
                                       .filter = capture->options.filter_text,
                                       .comment = comment,
                                       .bits_per_second = link.up ? link.speed_mbps * 1000000ULL : 0,
                                       .snap_length = capture->options.snap_length};
  memcpy(interface.mac, netdev ? netdev->mac : session_mac(capture->source.session), sizeof(interface.mac));
  capture->blocks_used +=
      (uint32_t)pcapng_add_interface(capture->blocks + capture->blocks_used, blocks_room(capture), &interface);
  capture->described = true;
}

/* Moves a frame from the ring to the blocks. False when there is none. */
static bool take_frame(struct capture *capture) {
  struct frame_record record;
  EFI_TPL tpl = efi_nic_lock();
  bool any = frame_ring_peek(&capture->ring, &record);
  if(any) {
    const struct pcapng_packet packet = {.time_us = record.time_us,
                                         .direction = record.sent ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
                                         .data = record.data,
                                         .captured = record.captured,
                                         .length = record.length,
                                         .dropped = record.dropped};
    capture->blocks_used +=
        (uint32_t)pcapng_add_packet(capture->blocks + capture->blocks_used, blocks_room(capture), &packet);
    capture->frames_in_blocks++;
    frame_ring_drop(&capture->ring);
  }
  efi_nic_unlock(tpl);
  return any;
}

static void drain(struct capture *capture, bool all) {
  capture->busy = true;
  if(!capture->described && (all || capture->ring.count > 0)) {
    add_interface(capture);
  }
  for(bool more = true; more;) {
    if(blocks_room(capture) < PCAPNG_PACKET_MAX(NETDEV_MAX_TAGGED_FRAME)) {
      write_blocks(capture, false);
    }
    more = take_frame(capture);
  }
  const uint64_t now_us = efi_clock_us();
  if(all || now_us >= capture->write_due_us) {
    write_blocks(capture, false);
    capture->write_due_us = now_us + WRITE_US;
  }
  if(capture->unflushed && now_us >= capture->flush_due_us) {
    (void)capture->file->Flush(capture->file);
    capture->unflushed = false;
    capture->flush_due_us = now_us + FLUSH_US;
  }
  capture->busy = false;
}

void capture_serve(struct capture *capture) {
  if(!capture->busy) {
    drain(capture, false);
  }
}

static void serve(void *ctx) {
  capture_serve(ctx);
}

/* For a command that does not wait with session_wait: only when the ring begins to fill, for a volume may be slow, and
 * at this level nothing else gets its turn meanwhile. */
static VOID EFIAPI on_timer(EFI_EVENT event, VOID *ctx) {
  struct capture *capture = ctx;
  (void)event;
  if(frame_ring_used(&capture->ring) > capture->ring.size / 4U || efi_clock_us() >= capture->write_due_us + WRITE_US) {
    capture_serve(capture);
  }
}

/* Beginning ------------------------------------------------------------------------------------------------------ */

/* The clock of the machine, in UTC as far as it says so (UEFI 2.10, 8.3); 0 when it has none. */
static uint64_t clock_since_1970(void) {
  EFI_TIME now;
  if(EFI_ERROR(RT->GetTime(&now, NULL))) {
    return 0;
  }
  const struct calendar date = {now.Year, now.Month, now.Day, now.Hour, now.Minute, now.Second};
  uint64_t seconds = calendar_seconds(&date);
  /* TimeZone is minutes from UTC to local time, with the sign of "UTC = local time + TimeZone". */
  if(now.TimeZone != EFI_UNSPECIFIED_TIMEZONE && now.TimeZone >= -1440 && now.TimeZone <= 1440 && seconds > 86400U) {
    seconds = (uint64_t)((int64_t)seconds + (int64_t)now.TimeZone * 60);
  }
  return seconds ? seconds * 1000000U + now.Nanosecond % 1000000000U / 1000U : 0;
}

static void firmware_text(char *buffer, size_t size) {
  char vendor[TEXT_SIZE / 2U];
  size_t i = 0;
  for(; ST->FirmwareVendor && ST->FirmwareVendor[i] && i + 1U < sizeof(vendor); i++) {
    vendor[i] = ST->FirmwareVendor[i] < 0x80 ? (char)ST->FirmwareVendor[i] : '?';
  }
  vendor[i] = '\0';
  (void)format_into(buffer, size, "UEFI %u.%u, %s 0x%x", ST->Hdr.Revision >> 16, (ST->Hdr.Revision & 0xFFFFU) / 10U,
                    i ? vendor : "firmware", ST->FirmwareRevision);
}

#if defined(__x86_64__)
#define MACHINE "x86-64"
#elif defined(__i386__)
#define MACHINE "IA-32"
#elif defined(__aarch64__)
#define MACHINE "AArch64"
#else
#define MACHINE NULL
#endif

/* The first block, written at once: so that a volume that takes nothing is known now. */
static EFI_STATUS write_section(struct capture *capture) {
  char firmware[TEXT_SIZE];
  firmware_text(firmware, sizeof(firmware));
  const struct pcapng_origin origin = {
      .hardware = MACHINE,
      .os = firmware,
      .application = "netdiag " NETDIAG_VERSION,
      .comment =
          capture->epoch_us ? NULL : "the machine's clock does not say what time it is: times begin at 1970-01-01"};
  capture->blocks_used = (uint32_t)pcapng_begin(capture->blocks, sizeof(capture->blocks), &origin);
  write_blocks(capture, false);
  if(EFI_ERROR(capture->status)) {
    complain("cannot write '%s': %s%s", capture->options.path, status_text(capture->status),
             volume_file_remedy(capture->status));
  }
  return capture->status;
}

static EFI_STATUS make_ring(struct capture *capture) {
  for(uint32_t size = RING_SIZE; size >= RING_SIZE_MIN; size /= 2U) {
    VOID *memory;
    if(!EFI_ERROR(BS->AllocatePool(EfiBootServicesData, size, &memory))) {
      frame_ring_init(&capture->ring, memory, size);
      return EFI_SUCCESS;
    }
  }
  complain("out of memory");
  return EFI_OUT_OF_RESOURCES;
}

static EFI_STATUS make_timer(struct capture *capture) {
  EFI_STATUS status = BS->CreateEvent(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_CALLBACK, on_timer, capture, &capture->timer);
  if(EFI_ERROR(status)) {
    capture->timer = NULL;
  } else {
    status = BS->SetTimer(capture->timer, TimerPeriodic, TIMER_100NS);
  }
  if(EFI_ERROR(status)) {
    complain("no timer event: %s", status_text(status));
  }
  return status;
}

static void give_up_memory(struct capture *capture) {
  if(capture->timer) {
    BS->CloseEvent(capture->timer);
  }
  if(capture->source.session) {
    capture->source.session->chore = NULL;
  }
  BS->FreePool(capture->ring.bytes);
  FreePool(capture);
}

/* The file is open and empty. Everything is there before the first frame is seen. */
static EFI_STATUS begin(struct capture *capture) {
  const uint64_t now_us = efi_clock_us();
  const uint64_t since_1970 = clock_since_1970();
  capture->epoch_us = since_1970 > now_us ? since_1970 - now_us : 0;
  capture->start_us = capture->epoch_us + now_us;
  capture->write_due_us = now_us + WRITE_US;
  capture->flush_due_us = now_us + FLUSH_US;
  capture->missed = missed_so_far(capture);
  EFI_STATUS status = write_section(capture);
  if(!EFI_ERROR(status)) {
    status = make_timer(capture);
  }
  if(!EFI_ERROR(status)) {
    status = frame_tap_add(&capture->tap, &capture->source, see, capture);
  }
  if(!EFI_ERROR(status) && capture->source.session) {
    capture->source.session->chore_ctx = capture;
    capture->source.session->chore = serve;
  }
  return status;
}

EFI_STATUS capture_begin_on(struct capture **out, const struct frame_source *source,
                            const struct capture_options *options) {
  *out = NULL;
  if(!options->path) {
    return EFI_SUCCESS;
  }
  struct capture *capture = AllocateZeroPool(sizeof(*capture));
  if(!capture) {
    complain("out of memory");
    return EFI_OUT_OF_RESOURCES;
  }
  capture->source = *source;
  capture->options = *options;
  EFI_STATUS status = make_ring(capture);
  if(EFI_ERROR(status)) {
    FreePool(capture);
    return status;
  }
  status = volume_file_create(options->path, PCAPNG_MAGIC, &capture->file);
  if(!EFI_ERROR(status)) {
    status = begin(capture);
    if(EFI_ERROR(status)) {
      (void)capture->file->Delete(capture->file); /* closes it, too */
    }
  }
  if(EFI_ERROR(status)) {
    give_up_memory(capture);
    return status;
  }
  *out = capture;
  return EFI_SUCCESS;
}

/* remote_open's result lives in the capture itself, and so do the pointers to it. */
static void point_below(struct capture *capture) {
  capture->below.netdev.model = capture->below.model;
  capture->source.netdev = &capture->below.netdev;
  capture->source.resident = &capture->below;
  capture->tap.source = capture->source;
}

EFI_STATUS capture_begin_with(struct capture **capture, struct session *session,
                              const struct capture_options *options) {
  const struct frame_source source = frame_source_of(session);
  return capture_begin_on(capture, &source, options);
}

EFI_STATUS capture_begin(struct capture **capture, struct session *session, const char *path) {
  return capture_begin_with(capture, session, &(struct capture_options){.path = path});
}

EFI_STATUS capture_begin_below(struct capture **capture, const struct pci_nic *pci, const char *path) {
  struct remote remote;
  *capture = NULL;
  if(!path) {
    return EFI_SUCCESS;
  }
  if(!remote_open(pci->handle, &remote)) {
    complain("--capture: a driver that is not netdiag's holds the NIC, and shows no frames; --take takes it");
    return EFI_UNSUPPORTED;
  }
  const struct frame_source source = {.pci = pci, .netdev = &remote.netdev, .resident = &remote};
  EFI_STATUS status = capture_begin_on(capture, &source, &(struct capture_options){.path = path});
  if(!EFI_ERROR(status)) {
    (*capture)->below = remote;
    point_below(*capture);
  }
  return status;
}

void capture_leave(struct capture *capture) {
  if(!capture) {
    return;
  }
  frame_tap_remove(&capture->tap);
  drain(capture, true); /* what the interface is, can be told for as long as it is there */
  count_missed(capture);
  if(capture->source.session) {
    capture->source.session->chore = NULL;
  }
  capture->source = (struct frame_source){0};
}

void capture_follow(struct capture *capture, const struct pci_nic *pci) {
  if(!capture || !remote_open(pci->handle, &capture->below)) {
    return;
  }
  capture->source = (struct frame_source){.pci = pci, .netdev = &capture->below.netdev, .resident = &capture->below};
  capture->missed = missed_so_far(capture);
  if(EFI_ERROR(frame_tap_add(&capture->tap, &capture->source, see, capture))) {
    capture->source = (struct frame_source){0};
  }
}

/* Ending --------------------------------------------------------------------------------------------------------- */

void capture_count(const struct capture *capture, struct capture_counts *counts) {
  EFI_TPL tpl = efi_nic_lock();
  *counts = capture->counts;
  counts->dropped += capture->lost;
  efi_nic_unlock(tpl);
}

EFI_STATUS capture_status(const struct capture *capture) {
  return capture->status;
}

/* Tried also when the volume was full before: this is small, and may fit where many frames did not. */
static void write_statistics(struct capture *capture) {
  struct capture_counts counts;
  const uint64_t end_us = capture->epoch_us + efi_clock_us();
  count_missed(capture);
  capture_count(capture, &counts);
  const struct pcapng_statistics statistics = {
      .time_us = end_us,
      .start_us = capture->start_us,
      .end_us = end_us,
      .received = counts.seen,
      .missed = capture->missed_sum,
      .accepted = counts.matched,
      .dropped = counts.dropped,
      .delivered = counts.written,
      .comment = EFI_ERROR(capture->status) ? "the file ends early: the volume took no more" : NULL};
  if(!capture->described) {
    add_interface(capture); /* what it is about */
  }
  if(capture->described) {
    capture->blocks_used +=
        (uint32_t)pcapng_add_statistics(capture->blocks + capture->blocks_used, blocks_room(capture), &statistics);
  }
  write_blocks(capture, true);
}

static void out_summary(const struct capture *capture) {
  struct capture_counts counts;
  capture_count(capture, &counts);
  if(report_is_json()) {
    report_object("capture");
    report_text("file", capture->options.path);
    report_u64("frames", counts.written);
    report_u64("bytes", counts.bytes);
    report_u64("seen", counts.seen);
    report_u64("matched", counts.matched);
    report_u64("dropped", counts.dropped);
    report_end();
    return;
  }
  out("capture: %ju frames in '%s' (%ju bytes), %ju seen, %ju matched, %ju dropped\n", counts.written,
      capture->options.path, counts.bytes, counts.seen, counts.matched, counts.dropped);
}

EFI_STATUS capture_end(struct capture *capture) {
  if(!capture) {
    return EFI_SUCCESS;
  }
  frame_tap_remove(&capture->tap);
  (void)BS->SetTimer(capture->timer, TimerCancel, 0);
  drain(capture, true);
  write_statistics(capture);
  EFI_STATUS closed = capture->file->Flush(capture->file);
  if(!EFI_ERROR(capture->status)) {
    capture->status = closed;
  }
  (void)capture->file->Close(capture->file);
  EFI_STATUS status = capture->status;
  out_summary(capture);
  if(EFI_ERROR(status)) {
    complain("'%s' is not complete: %s%s", capture->options.path, status_text(status), volume_file_remedy(status));
  }
  give_up_memory(capture);
  return status;
}
