/* bench.c - netdiag bench: how many frames go out, how many come back, and how long one takes. */
#include "../../driver/lib/histogram.h"
#include "../../driver/lib/testframe.h"
#include "../capture/capture.h"
#include "../netdiag.h"

#include <string.h>

#define DEFAULT_SECONDS 3U
#define TRIES           3U
#define TRY_US          500000U
#define LOST_US         1000000U /* a reply that has not come after so long does not count          */
#define DRAIN_US        500000U
#define PROGRESS_US     1000000U
#define BATCH           128U /* frames between two looks at keys and the ring                       */
#define WINDOW          64U  /* requests under way at the most, so that no ring has to drop          */
#define BAR_WIDTH       40U

struct bench_options {
  struct nic_options nic;
  const char *peer;
  struct range_option length;
  uint32_t seconds;
  const char *capture;
  bool json;
};

enum phase { PHASE_FIND, PHASE_SEND, PHASE_ECHO, PHASE_TRIP };

struct bench {
  const struct bench_options *options;
  struct session session;
  uint8_t peer[6];
  uint32_t peer_address; /* when it was given by its address */
  bool found;
  uint32_t session_id; /* of the frames of this phase */
  enum phase phase;
  uint32_t sequence; /* sent last, and how many of this phase                          */
  uint64_t lost;     /* of those: given up                                             */
  uint64_t sent_us;  /* when the last one went                                         */
  /* What on_frame writes, and nobody else while frames may come */
  uint64_t back; /* replies of this phase */
  uint64_t back_bytes;
  uint64_t last_us; /* when the last one came  */
  bool answered;    /* the one that went last  */
  struct histogram trips;
  uint8_t frame[TESTFRAME_MAX];
};

/* What a phase found. */
struct rate {
  uint64_t frames;
  uint64_t bytes; /* on the wire, without FCS */
  uint64_t lost;
  uint64_t us;
};

/* Frames ----------------------------------------------------------------------------------------------------------- */

static size_t length_of(const struct bench *bench, uint32_t sequence) {
  const struct range_option *range = &bench->options->length;
  return range->first + (sequence - 1U) % (range->last - range->first + 1U);
}

/* At TPL_CALLBACK. */
static bool on_frame(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet) {
  struct bench *bench = ctx;
  struct testframe what;
  bool intact;
  if(bench->phase == PHASE_FIND && packet->kind == INET_ARP_REPLY && bench->peer_address &&
     packet->source == bench->peer_address) {
    memcpy(bench->peer, packet->source_mac, sizeof(bench->peer));
    bench->found = true;
    return true;
  }
  if(!testframe_parse(frame->data, frame->length, &what, &intact) || what.kind != TESTFRAME_REPLY ||
     what.session != bench->session_id || !intact) {
    return false;
  }
  if(bench->phase == PHASE_FIND) {
    memcpy(bench->peer, frame->data + 6, sizeof(bench->peer));
    bench->found = true;
  }
  bench->last_us = efi_clock_us();
  if(bench->phase == PHASE_TRIP && what.sequence == bench->sequence && !bench->answered) {
    const uint64_t us = bench->last_us - bench->sent_us;
    histogram_add(&bench->trips, us < UINT32_MAX ? (uint32_t)us : UINT32_MAX);
    bench->answered = true;
  }
  bench->back++;
  bench->back_bytes += frame->length;
  return true;
}

static int send_frame(struct bench *bench, enum testframe_kind kind) {
  const struct testframe what = {.kind = kind,
                                 .session = bench->session_id,
                                 .sequence = bench->sequence + 1U,
                                 .length = length_of(bench, bench->sequence + 1U)};
  testframe_build(bench->frame, &what, bench->peer, session_mac(&bench->session));
  /* Counted first: the reply may be back before session_transmit is. */
  bench->sequence++;
  bench->answered = false;
  bench->sent_us = efi_clock_us();
  const int result = session_transmit(&bench->session, bench->frame, what.length);
  if(result != NETDEV_OK) {
    bench->sequence--;
  }
  return result;
}

static void begin_phase(struct bench *bench, enum phase phase) {
  EFI_TPL tpl = efi_nic_lock();
  bench->phase = phase;
  bench->session_id++;
  bench->sequence = 0;
  bench->back = bench->back_bytes = bench->lost = 0;
  bench->last_us = efi_clock_us();
  efi_nic_unlock(tpl);
}

/* Peer ------------------------------------------------------------------------------------------------------------- */

static bool is_found(void *ctx) {
  return ((const struct bench *)ctx)->found;
}

/* What --peer says: a station's MAC or IPv4 address, or nothing: then whoever echoes first. */
static EFI_STATUS choose_peer(struct bench *bench) {
  const char *wanted = bench->options->peer;
  memset(bench->peer, 0xFF, sizeof(bench->peer));
  if(!wanted || args_ipv4(wanted, &bench->peer_address)) {
    const char *fault = wanted ? station_ipv4_fault(bench->peer_address, 0) : NULL;
    if(fault) {
      complain("bench: --peer %s is %s: give the address of a station", wanted, fault);
    }
    return fault ? EFI_INVALID_PARAMETER : EFI_SUCCESS;
  }
  if(!args_mac(wanted, bench->peer)) {
    complain("bench: --peer wants a MAC or IPv4 address, such as 52:54:00:12:34:56 or 10.0.2.2, not '%s'", wanted);
    return EFI_INVALID_PARAMETER;
  }
  const char *fault = memcmp(bench->peer, session_mac(&bench->session), sizeof(bench->peer)) == 0
                          ? "this NIC itself"
                          : station_mac_fault(bench->peer);
  if(fault) {
    complain("bench: --peer %s is %s: give the MAC address of a station", wanted, fault);
    return EFI_INVALID_PARAMETER;
  }
  return EFI_SUCCESS;
}

/* Asks until somebody answers. An ARP probe (RFC 5227) needs no address of ours. */
static EFI_STATUS find_by(struct bench *bench, bool arp) {
  enum wait_result result = WAIT_TIMEOUT;
  bench->found = false;
  for(uint32_t i = 0; i < TRIES && result == WAIT_TIMEOUT; i++) {
    if(arp) {
      const size_t length = inet_arp_probe(bench->frame, &bench->session.responder.host, bench->peer_address);
      (void)session_transmit(&bench->session, bench->frame, length);
    } else {
      (void)send_frame(bench, TESTFRAME_REQUEST);
    }
    result = session_wait(&bench->session, efi_clock_us() + TRY_US, is_found, bench);
  }
  return wait_status(result, EFI_TIMEOUT);
}

static EFI_STATUS find_peer(struct bench *bench) {
  char text[MAC_TEXT_SIZE];
  EFI_STATUS status = EFI_SUCCESS;
  begin_phase(bench, PHASE_FIND);
  if(bench->peer_address) {
    status = find_by(bench, true);
    if(status == EFI_TIMEOUT) {
      complain("%s does not answer ARP: wrong address, or nobody there", bench->options->peer);
    }
  }
  if(!EFI_ERROR(status)) {
    status = find_by(bench, false);
    if(status == EFI_TIMEOUT) {
      complain("%s%s: 'netdiag echo' or tools/wirepeer.py has to run on the other side of this wire",
               bench->options->peer ? bench->options->peer : "nobody",
               bench->options->peer ? " does not echo" : " echoes");
      session_out_traffic(&bench->session);
    }
  }
  if(!EFI_ERROR(status) && !report_is_json()) {
    out("BENCH with %s: %u s each of single round trips, echoes and sending, %u to %u bytes. Esc stops.\n",
        mac_text(bench->peer, text), bench->options->seconds, bench->options->length.first,
        bench->options->length.last);
  }
  return status;
}

/* Phases ----------------------------------------------------------------------------------------------------------- */

/* Asked, and neither answered nor given up. */
static uint64_t outstanding(const struct bench *bench) {
  const uint64_t done = bench->back + bench->lost;
  return bench->sequence > done ? bench->sequence - done : 0;
}

static bool window_open(void *ctx) {
  return outstanding(ctx) < WINDOW;
}

static bool is_answered(void *ctx) {
  return ((const struct bench *)ctx)->answered;
}

static void out_progress(const char *what, const struct bench *bench, uint64_t *due_us) {
  const uint64_t now_us = efi_clock_us();
  if(now_us >= *due_us && !report_is_json()) {
    *due_us = now_us + PROGRESS_US;
    out("  %s: %u frames sent, %ju back\n", what, bench->sequence, bench->back);
  }
}

/* Frames that nobody answers, as fast as the ring takes them. */
static EFI_STATUS measure_sending(struct bench *bench, struct rate *rate) {
  begin_phase(bench, PHASE_SEND);
  const struct session_traffic before = session_traffic(&bench->session);
  const uint64_t start_us = efi_clock_us();
  const uint64_t end_us = start_us + bench->options->seconds * 1000000ULL;
  uint64_t progress_us = start_us + PROGRESS_US;
  uint64_t now_us = start_us;
  while(now_us < end_us) {
    for(uint32_t i = 0; i < BATCH; i++) {
      const uint32_t length = (uint32_t)length_of(bench, bench->sequence + 1U);
      if(send_frame(bench, TESTFRAME_REPLY) != NETDEV_OK) {
        break;
      }
      rate->bytes += length;
    }
    now_us = efi_clock_us();
    const enum wait_result result = session_wait(&bench->session, now_us, NULL, NULL);
    if(result == WAIT_ABORTED || result == WAIT_GONE) {
      return wait_status(result, EFI_SUCCESS);
    }
    out_progress("sending", bench, &progress_us);
  }
  /* Those that the ring took are out now, or will be in a moment: bounded, for the transmitter may stand. */
  uint64_t sent = 0;
  do {
    sent = session_traffic(&bench->session).sent - before.sent;
    now_us = efi_clock_us();
    (void)session_wait(&bench->session, now_us, NULL, NULL);
  } while(sent < bench->sequence && now_us < end_us + DRAIN_US);
  rate->frames = sent < bench->sequence ? sent : bench->sequence;
  rate->bytes = bench->sequence ? rate->bytes / bench->sequence * rate->frames : 0;
  rate->lost = bench->sequence - rate->frames;
  rate->us = now_us - start_us;
  return EFI_SUCCESS;
}

/* Requests as fast as the replies come. */
static EFI_STATUS measure_echoes(struct bench *bench, struct rate *rate) {
  begin_phase(bench, PHASE_ECHO);
  const uint64_t start_us = efi_clock_us();
  const uint64_t end_us = start_us + bench->options->seconds * 1000000ULL;
  uint64_t progress_us = start_us + PROGRESS_US;
  while(efi_clock_us() < end_us) {
    /* Not without end: a peer that answers at once leaves the window open. */
    for(uint32_t i = 0; i < WINDOW && window_open(bench) && send_frame(bench, TESTFRAME_REQUEST) == NETDEV_OK;) {
      i++;
    }
    const uint64_t now_us = efi_clock_us();
    const enum wait_result result =
        session_wait(&bench->session, now_us + LOST_US < end_us ? now_us + LOST_US : end_us, window_open, bench);
    if(result == WAIT_ABORTED || result == WAIT_GONE) {
      return wait_status(result, EFI_SUCCESS);
    }
    EFI_TPL tpl = efi_nic_lock();
    if(efi_clock_us() >= bench->last_us + LOST_US) {
      bench->lost += outstanding(bench);
      bench->last_us = efi_clock_us();
    }
    efi_nic_unlock(tpl);
    out_progress("echoes", bench, &progress_us);
  }
  *rate = (struct rate){.frames = bench->back, .bytes = bench->back_bytes, .us = efi_clock_us() - start_us};
  rate->lost = bench->lost;
  return EFI_SUCCESS;
}

/* One at a time. */
static EFI_STATUS measure_trips(struct bench *bench, struct rate *rate) {
  begin_phase(bench, PHASE_TRIP);
  const uint64_t start_us = efi_clock_us();
  const uint64_t end_us = start_us + bench->options->seconds * 1000000ULL;
  uint64_t progress_us = start_us + PROGRESS_US;
  while(efi_clock_us() < end_us) {
    const bool sent = send_frame(bench, TESTFRAME_REQUEST) == NETDEV_OK;
    const enum wait_result result = session_wait(&bench->session, efi_clock_us() + LOST_US, is_answered, bench);
    if(result == WAIT_ABORTED || result == WAIT_GONE) {
      return wait_status(result, EFI_SUCCESS);
    }
    bench->lost += sent && result == WAIT_TIMEOUT;
    out_progress("round trips", bench, &progress_us);
  }
  *rate = (struct rate){.frames = bench->trips.count, .lost = bench->lost, .us = efi_clock_us() - start_us};
  return EFI_SUCCESS;
}

/* What was found --------------------------------------------------------------------------------------------------- */

static uint64_t per_second(uint64_t count, uint64_t us) {
  return us ? count * 1000000U / us : 0;
}

static void show_rate(const char *key, const struct rate *rate) {
  const uint64_t frames = per_second(rate->frames, rate->us);
  const uint64_t bits = per_second(rate->bytes * 8U, rate->us);
  report_object(key);
  report_u64("frames", rate->frames);
  report_u64("bytes", rate->bytes);
  report_u64("lost", rate->lost);
  report_thousandths("seconds", rate->us / 1000U);
  report_u64("frames_per_second", frames);
  report_u64("bits_per_second", bits);
  report_end();
  if(!report_is_json()) {
    out("%-9s %8ju frames/s  %6ju.%ju Mb/s  (%ju frames, %ju lost)\n", key, frames, bits / 1000000U,
        bits / 100000U % 10U, rate->frames, rate->lost);
  }
}

static void out_bar(const struct histogram_row *row, uint64_t most) {
  char bar[BAR_WIDTH + 1U];
  uint64_t length = row->count * BAR_WIDTH / most;
  length = length == 0 && row->count > 0 ? 1U : length;
  memset(bar, '#', sizeof(bar));
  bar[length] = '\0';
  out("  %7u-%-7u %8ju %s\n", row->first, row->last, row->count, bar);
}

static void show_trips(const struct histogram *trips, const struct rate *rate) {
  struct histogram_row rows[HISTOGRAM_ROWS];
  const uint32_t count = histogram_rows(trips, rows);
  const uint32_t median = histogram_quantile(trips, 500);
  const uint32_t p99 = histogram_quantile(trips, 990);
  uint64_t most = 1;
  report_object("round_trip");
  report_u64("frames", trips->count);
  report_u64("lost", rate->lost);
  report_u64("min_us", trips->least);
  report_u64("median_us", median);
  report_u64("p99_us", p99);
  report_u64("max_us", trips->most);
  report_array("histogram");
  for(uint32_t i = 0; i < count; i++) {
    most = rows[i].count > most ? rows[i].count : most;
    report_row(NULL);
    report_u64("from_us", rows[i].first);
    report_u64("to_us", rows[i].last);
    report_u64("frames", rows[i].count);
    report_end();
  }
  report_end();
  report_end();
  if(!report_is_json()) {
    out("round trip in microseconds (%ju frames, %ju lost):\n", trips->count, rate->lost);
    for(uint32_t i = 0; i < count; i++) {
      out_bar(&rows[i], most);
    }
    out("rtt min/median/p99/max = %u/%u/%u/%u us\n", trips->least, median, p99, trips->most);
  }
}

/* Command ---------------------------------------------------------------------------------------------------------- */

/* What is only sent comes last: a slow peer is busy with it for long afterwards. */
static EFI_STATUS measure(struct bench *bench) {
  struct rate rate = {0};
  EFI_STATUS status = measure_trips(bench, &rate);
  if(EFI_ERROR(status)) {
    return status;
  }
  show_trips(&bench->trips, &rate);
  const bool silent = rate.frames == 0;
  status = measure_echoes(bench, &rate);
  if(EFI_ERROR(status)) {
    return status;
  }
  show_rate("echo", &rate);
  if(silent || rate.frames == 0) {
    complain("the peer stopped echoing");
    session_out_traffic(&bench->session);
    return EFI_TIMEOUT;
  }
  rate = (struct rate){0};
  status = measure_sending(bench, &rate);
  if(!EFI_ERROR(status)) {
    show_rate("transmit", &rate);
  }
  return status;
}

static EFI_STATUS bench_on_session(struct bench *bench) {
  const struct session_talker talker = {.ctx = bench, .receive = on_frame};
  EFI_STATUS status = session_talk(&bench->session, &talker, LINK_WAIT_MS);
  if(!EFI_ERROR(status)) {
    status = find_peer(bench);
  }
  if(!EFI_ERROR(status)) {
    char text[MAC_TEXT_SIZE];
    report_text("peer", mac_text(bench->peer, text));
    status = measure(bench);
  }
  session_stop_receiving(&bench->session);
  return status;
}

static EFI_STATUS run_with(struct bench *bench) {
  struct capture *capture = NULL;
  EFI_STATUS status = session_open(&bench->session, &bench->options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  bench->session_id = (uint32_t)efi_clock_us();
  status = choose_peer(bench);
  if(!EFI_ERROR(status)) {
    status = capture_begin(&capture, &bench->session, bench->options->capture);
  }
  if(!EFI_ERROR(status)) {
    status = bench_on_session(bench);
  }
  EFI_STATUS captured = capture_end(capture);
  status = EFI_ERROR(status) ? status : captured;
  EFI_STATUS closed = session_close(&bench->session);
  return EFI_ERROR(status) ? status : closed;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  struct bench_options options = *(const struct bench_options *)values;
  (void)words;
  (void)word_count;
  options.seconds = options.seconds ? options.seconds : DEFAULT_SECONDS;
  if(options.length.first == 0) {
    options.length = (struct range_option){TESTFRAME_MAX, TESTFRAME_MAX};
  }
  struct bench *bench = AllocateZeroPool(sizeof(*bench));
  if(!bench) {
    complain("out of memory");
    return EFI_OUT_OF_RESOURCES;
  }
  bench->options = &options;
  EFI_STATUS status = run_with(bench);
  FreePool(bench);
  return status;
}

static const struct option option_rows[] = {
    {"--peer", "MAC|ADDRESS", OPTION_TEXT, offsetof(struct bench_options, peer), 0, 0,
     "who echoes (default: whoever answers a broadcast)"},
    {"-t", "SECONDS", OPTION_U32, offsetof(struct bench_options, seconds), 1, 3600,
     "for each of the three (default 3)"},
    {"-l", "N or N-M", OPTION_RANGE, offsetof(struct bench_options, length), TESTFRAME_MIN, TESTFRAME_MAX,
     "frame length without FCS, or a range to step through (default 1514)"},
    JSON_OPTION_ROW(struct bench_options),
    CAPTURE_OPTION_ROW(struct bench_options),
    NIC_OPTION_ROWS(struct bench_options),
    {0},
};

const struct command command_bench = {
    .name = "bench",
    .summary = "how fast: frames out, frames echoed, and round trips with a histogram",
    .arguments = "",
    .details =
        "'netdiag echo' or tools/wirepeer.py has to run on the other side. Rates are of the frames in memory, without "
        "FCS, preamble and gap.",
    .examples = {"bench", "bench --peer 10.0.2.7 -t 10 -l 60", "bench -l 60-1514 --json"},
    .options = option_rows,
    .values_size = sizeof(struct bench_options),
    .run = run,
};
