/* frames.c - netdiag frames: numbered raw test frames to a peer that echoes them. */
#include "../capture/capture.h"
#include "../netdiag.h"
#include "../../driver/lib/testframe.h"

#include <string.h>

#define DEFAULT_COUNT 100U
#define TIMEOUT_US    3000000U /* for the replies still under way at the end                   */
#define WINDOW        64U      /* requests under way at the most, so that no ring has to drop  */
#define SEQUENCE_MAX  10000000U
#define PROGRESS_US   2000000U
#define BUSY_STEP_US  5000U
#define BUSY_STEPS    600U /* 3 s */

struct frames_options {
  struct nic_options nic;
  uint32_t count;
  struct range_option size;
  uint32_t interval_ms;
  struct mac_option peer;
  const char *capture;
  bool json;
};

struct frames {
  struct session session;
  const struct frames_options *options;
  uint8_t peer[6];
  uint32_t session_id;
  uint32_t sent;
  uint32_t received;
  uint32_t duplicates;
  uint32_t reordered;
  uint32_t damaged;
  uint32_t newest; /* highest sequence number that came back         */
  uint8_t *seen;   /* a bit per sequence number                      */
};

static uint32_t frame_size(const struct range_option *range, uint32_t sequence) {
  return range->first + (sequence - 1U) % (range->last - range->first + 1U);
}

static bool on_frame(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet) {
  struct frames *frames = ctx;
  struct testframe what;
  bool intact;
  (void)packet;
  if(!testframe_parse(frame->data, frame->length, &what, &intact) || what.kind != TESTFRAME_REPLY ||
     what.session != frames->session_id) {
    return false;
  }
  if(!intact || what.sequence == 0 || what.sequence > frames->sent ||
     what.length != frame_size(&frames->options->size, what.sequence)) {
    frames->damaged++;
    return true;
  }
  uint8_t *byte = &frames->seen[what.sequence / 8U];
  uint8_t bit = (uint8_t)(1U << (what.sequence % 8U));
  if(*byte & bit) {
    frames->duplicates++;
    return true;
  }
  *byte |= bit;
  frames->received++;
  if(what.sequence < frames->newest) {
    frames->reordered++;
  } else {
    frames->newest = what.sequence;
  }
  return true;
}

static bool window_open(void *ctx) {
  const struct frames *frames = ctx;
  return frames->sent - frames->received < WINDOW;
}

static bool all_back(void *ctx) {
  const struct frames *frames = ctx;
  return frames->sent == frames->received;
}

/* Sends the next frame. */
static int send_next(struct frames *frames) {
  uint8_t frame[TESTFRAME_MAX];
  struct testframe what = {
      .kind = TESTFRAME_REQUEST,
      .session = frames->session_id,
      .sequence = frames->sent + 1U,
      .length = frame_size(&frames->options->size, frames->sent + 1U),
  };
  testframe_build(frame, &what, frames->peer, frames->session.netdev->mac);
  /* Counted first: the reply may be back before session_transmit is. */
  frames->sent++;
  int result = session_transmit(&frames->session, frame, what.length);
  if(result != NETDEV_OK) {
    frames->sent--;
  }
  return result;
}

static enum wait_result send_all(struct frames *frames) {
  UINT64 interval_us = frames->options->interval_ms * 1000ULL;
  UINT64 next_us = efi_clock_us();
  UINT64 progress_us = next_us + PROGRESS_US;
  uint32_t busy = 0;
  while(frames->sent < frames->options->count) {
    int result = send_next(frames);
    if(result != NETDEV_OK && result != NETDEV_E_BUSY) {
      complain("frame %d not sent: %s", frames->sent + 1U, netdev_strerror(result));
      return WAIT_GONE;
    }
    UINT64 now_us = efi_clock_us();
    if(result == NETDEV_E_BUSY) {
      /* The ring drains, or the transmitter stands still: then this is not worth waiting for. */
      enum wait_result drained = session_wait(&frames->session, now_us + BUSY_STEP_US, NULL, frames);
      if(drained == WAIT_ABORTED || drained == WAIT_GONE) {
        return drained;
      }
      if(++busy > BUSY_STEPS) {
        complain("nothing leaves the NIC any more: is the link down?");
        return WAIT_TIMEOUT;
      }
      continue;
    }
    busy = 0;
    next_us += interval_us;
    /* Paced by the interval, or by the replies: then a lost one costs its time-out once. */
    enum wait_result waited = interval_us ? session_wait(&frames->session, next_us, NULL, frames)
                                          : session_wait(&frames->session, now_us + TIMEOUT_US, window_open, frames);
    if(waited == WAIT_ABORTED || waited == WAIT_GONE) {
      return waited;
    }
    if(!interval_us && waited == WAIT_TIMEOUT) {
      return WAIT_TIMEOUT;
    }
    if(now_us >= progress_us) {
      progress_us = now_us + PROGRESS_US;
      out("%d of %d sent, %d back\n", frames->sent, frames->options->count, frames->received);
    }
  }
  return session_wait(&frames->session, efi_clock_us() + TIMEOUT_US, all_back, frames);
}

static void report_frames(const struct frames *frames) {
  report_which(&frames->session.pci);
  report_mac("mac", frames->session.netdev->mac);
  report_mac("peer", frames->peer);
  report_u64("wanted", frames->options->count);
  report_u64("size_min", frames->options->size.first);
  report_u64("size_max", frames->options->size.last);
  report_u64("sent", frames->sent);
  report_u64("echoed", frames->received);
  report_u64("lost", frames->sent - frames->received);
  report_u64("duplicated", frames->duplicates);
  report_u64("reordered", frames->reordered);
  report_u64("damaged", frames->damaged);
  report_u64("other_vlan", frames->session.responder.other_vlan);
}

static void out_frames(const struct frames *frames) {
  uint32_t lost = frames->sent - frames->received;
  out("frames: %d sent, %d echoed, ", frames->sent, frames->received);
  out_toned(lost == 0 ? TONE_OK : TONE_BAD, "%d lost", lost);
  out(", %d duplicated, %d reordered, %d damaged\n", frames->duplicates, frames->reordered, frames->damaged);
  if(frames->session.responder.other_vlan) {
    out("frames: %d frames tagged with a VLAN, and not for us\n", frames->session.responder.other_vlan);
  }
}

static EFI_STATUS frames_on_session(struct frames *frames) {
  char peer[MAC_TEXT_SIZE];
  char own[MAC_TEXT_SIZE];
  const struct session_talker talker = {.ctx = frames, .receive = on_frame};
  EFI_STATUS status = session_talk(&frames->session, &talker, LINK_WAIT_MS);
  if(EFI_ERROR(status)) {
    return status;
  }
  out("FRAMES to %s from %s: %d frames, sizes from %d to %d bytes in turn, ethertype 0x%04x\n",
      mac_text(frames->peer, peer), mac_text(frames->session.netdev->mac, own), frames->options->count,
      frames->options->size.first, frames->options->size.last, TESTFRAME_ETHERTYPE);
  enum wait_result result = send_all(frames);
  session_stop_receiving(&frames->session);
  if(report_is_json()) {
    report_frames(frames);
  } else {
    out_frames(frames);
  }
  if(result == WAIT_ABORTED) {
    return EFI_ABORTED;
  }
  if(result == WAIT_GONE) {
    return EFI_DEVICE_ERROR;
  }
  if(frames->received == 0) {
    complain("nobody echoes: is 'netdiag echo' running on the other side of this wire?");
    session_out_traffic(&frames->session);
  }
  bool good = frames->received == frames->options->count && !frames->duplicates && !frames->damaged;
  return good ? EFI_SUCCESS : EFI_TIMEOUT;
}

/* A station, or everybody. */
static EFI_STATUS choose_peer(struct frames *frames) {
  const struct mac_option *wanted = &frames->options->peer;
  char text[MAC_TEXT_SIZE];
  memset(frames->peer, 0xFF, sizeof(frames->peer));
  if(!wanted->given || memcmp(wanted->mac, frames->peer, sizeof(frames->peer)) == 0) {
    return EFI_SUCCESS;
  }
  const char *fault = memcmp(wanted->mac, frames->session.netdev->mac, sizeof(frames->peer)) == 0
                          ? "this NIC itself"
                          : station_mac_fault(wanted->mac);
  if(fault) {
    complain("frames: --peer %s is %s: give the MAC address of a station", mac_text(wanted->mac, text), fault);
    return EFI_INVALID_PARAMETER;
  }
  memcpy(frames->peer, wanted->mac, sizeof(frames->peer));
  return EFI_SUCCESS;
}

static EFI_STATUS run_with(struct frames *frames) {
  EFI_STATUS status = session_open(&frames->session, &frames->options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  frames->session_id = (uint32_t)efi_clock_us();
  struct capture *capture = NULL;
  status = choose_peer(frames);
  if(!EFI_ERROR(status)) {
    status = capture_begin(&capture, &frames->session, frames->options->capture);
  }
  if(!EFI_ERROR(status)) {
    status = frames_on_session(frames);
  }
  EFI_STATUS captured = capture_end(capture);
  status = EFI_ERROR(status) ? status : captured;
  EFI_STATUS closed = session_close(&frames->session);
  return EFI_ERROR(status) ? status : closed;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  struct frames_options options = *(const struct frames_options *)values;
  (void)words;
  (void)word_count;
  if(options.size.first == 0) {
    options.size = (struct range_option){TESTFRAME_MIN, TESTFRAME_MAX};
  }
  if(options.count == 0) {
    uint32_t sizes = options.size.last - options.size.first + 1U; /* each once, unless it is a single one */
    options.count = sizes > 1U ? sizes : DEFAULT_COUNT;
  }
  UINTN bitmap = options.count / 8U + 1U;
  struct frames *frames = AllocateZeroPool(sizeof(*frames) + bitmap);
  if(!frames) {
    complain("out of memory");
    return EFI_OUT_OF_RESOURCES;
  }
  frames->options = &options;
  frames->seen = (uint8_t *)(frames + 1);
  EFI_STATUS status = run_with(frames);
  FreePool(frames);
  return status;
}

static const struct option option_rows[] = {
    {"-c", "N", OPTION_U32, offsetof(struct frames_options, count), 1, SEQUENCE_MAX,
     "how many (default: one of each size; 100 of a single size)"},
    {"-s", "N or N-M", OPTION_RANGE, offsetof(struct frames_options, size), TESTFRAME_MIN, TESTFRAME_MAX,
     "frame size without FCS, or a range to step through (default 60-1514)"},
    {"-i", "MS", OPTION_U32, offsetof(struct frames_options, interval_ms), 0, 3600000,
     "between two; 0 = as fast as they come back (default 0)"},
    {"--peer", "MAC", OPTION_MAC, offsetof(struct frames_options, peer), 0, 0, "to whom (default: broadcast)"},
    CAPTURE_OPTION_ROW(struct frames_options),
    NIC_OPTION_ROWS(struct frames_options),
    JSON_OPTION_ROW(struct frames_options),
    {0},
};

const struct command command_frames = {
    .name = "frames",
    .summary = "numbered raw test frames to a peer that echoes them, every byte checked",
    .arguments = "",
    .details =
        "The peer is 'netdiag echo' or tools/wirepeer.py. Exits with EFI_TIMEOUT when one is missing or damaged.",
    .examples = {"frames --peer 52:54:00:12:34:56 -c 100", "frames -s 60-1514 --json"},
    .options = option_rows,
    .values_size = sizeof(struct frames_options),
    .run = run,
};
