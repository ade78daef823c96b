/* capture.c - netdiag capture: what the NIC sees and sends, into a pcapng file. */
#include "../capture/capture.h"
#include "../capture/frame_filter.h"
#include "../../driver/lib/pcapng.h"
#include "../netdiag.h"

#define PROGRESS_US 5000000U
#define WAIT_US     20000U

struct capture_command_options {
  struct nic_options nic;
  uint32_t count;
  uint32_t snap_length;
  uint32_t seconds;
  bool not_promiscuous;
  bool json;
};

struct run {
  struct session session;
  struct capture *capture;
  struct frame_filter filter;
  char filter_text[PCAPNG_TEXT_MAX + 1U];
  uint64_t wanted; /* frames; 0: no end */
};

/* It only listens: nothing is answered. */
static bool on_frame(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet) {
  (void)ctx;
  (void)frame;
  (void)packet;
  return true;
}

static bool is_done(void *ctx) {
  const struct run *run = ctx;
  struct capture_counts counts;
  capture_count(run->capture, &counts);
  return EFI_ERROR(capture_status(run->capture)) || (run->wanted && counts.matched >= run->wanted);
}

static void out_progress(const struct run *run) {
  struct capture_counts counts;
  capture_count(run->capture, &counts);
  out("%ju seen, %ju matched, %ju dropped, %ju bytes written\n", counts.seen, counts.matched, counts.dropped,
      counts.bytes);
}

/* Until the count, the time, the volume or the user ends it. In short waits, in which session_wait polls without a nap,
 * for what a frame's time says is when it was seen. */
static enum wait_result listen(struct run *run, uint64_t deadline_us) {
  uint64_t progress_us = efi_clock_us() + PROGRESS_US;
  for(;;) {
    uint64_t now_us = efi_clock_us();
    if(now_us >= progress_us) {
      progress_us = now_us + PROGRESS_US;
      out_progress(run);
    }
    bool last = now_us + WAIT_US >= deadline_us;
    enum wait_result result = session_wait(&run->session, last ? deadline_us : now_us + WAIT_US, is_done, run);
    if(result != WAIT_TIMEOUT || last) {
      return result;
    }
  }
}

static EFI_STATUS capture_on_session(struct run *run, const struct capture_command_options *options, const char *path) {
  struct session *session = &run->session;
  const struct capture_options wanted = {.path = path,
                                         .snap_length = options->snap_length,
                                         .count = options->count,
                                         .filter = &run->filter,
                                         .filter_text = run->filter_text[0] ? run->filter_text : NULL};
  const struct session_talker talker = {.listen = !options->not_promiscuous, .ctx = run, .receive = on_frame};
  EFI_STATUS status = capture_begin_with(&run->capture, session, &wanted);
  if(!EFI_ERROR(status)) {
    status = session_talk(session, &talker, LINK_WAIT_MS);
  }
  if(EFI_ERROR(status)) {
    (void)capture_end(run->capture);
    return status;
  }
  char name[NIC_NAME_SIZE];
  out("Capturing on %s to '%s'%s%s. Esc stops.\n", nic_name(&session->pci, name), path, run->filter_text[0] ? ": " : "",
      run->filter_text);
  report_which(&session->pci);
  run->wanted = options->count;
  enum wait_result result = listen(run, options->seconds ? efi_clock_us() + options->seconds * 1000000ULL : UINT64_MAX);
  session_stop_receiving(session);
  status = capture_end(run->capture);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(result == WAIT_GONE) {
    return EFI_DEVICE_ERROR;
  }
  return result == WAIT_TIMEOUT && options->count ? EFI_TIMEOUT : EFI_SUCCESS;
}

static EFI_STATUS run_with(struct run *run, const struct capture_command_options *options, const char *const *words,
                           int word_count) {
  struct nic_options nic = options->nic;
  char error[FILTER_ERROR_SIZE];
  if(!frame_filter_compile(&run->filter, words + 1, word_count - 1, error)) {
    complain("capture: %s", error);
    return EFI_INVALID_PARAMETER;
  }
  (void)args_join(words + 1, word_count - 1, run->filter_text, sizeof(run->filter_text));
  nic.allow_foreign = true;
  EFI_STATUS status = session_open(&run->session, &nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = capture_on_session(run, options, words[0]);
  EFI_STATUS closed = session_close(&run->session);
  return EFI_ERROR(status) ? status : closed;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  struct run *state = AllocateZeroPool(sizeof(*state));
  if(!state) {
    complain("out of memory");
    return EFI_OUT_OF_RESOURCES;
  }
  EFI_STATUS status = run_with(state, values, words, word_count);
  FreePool(state);
  return status;
}

static const struct option option_rows[] = {
    {"-c", "N", OPTION_U32, offsetof(struct capture_command_options, count), 1, UINT32_MAX,
     "stop after so many frames that match"},
    {"-s", "SNAP", OPTION_U32, offsetof(struct capture_command_options, snap_length), 14, 65535,
     "keep so many bytes of each frame at the most (default: all)"},
    {"-t", "SECONDS", OPTION_U32, offsetof(struct capture_command_options, seconds), 1, 86400, "stop after so long"},
    {"-p", NULL, OPTION_FLAG, offsetof(struct capture_command_options, not_promiscuous), 0, 0,
     "not promiscuous: only frames for us and for all"},
    JSON_OPTION_ROW(struct capture_command_options),
    NIC_OPTION_ROWS(struct capture_command_options),
    {0},
};

const struct command command_capture = {
    .name = "capture",
    .summary = "what the NIC sees and sends, into a pcapng file for Wireshark",
    .arguments = "FILE [FILTER...]",
    .details = "FILTER is made of host A.B.C.D, port N, ether MAC, arp, ip, ip6, icmp, icmp6, udp, tcp, dhcp, tftp, "
               "http, vlan "
               "[ID], and, or, not, ( and ); 'and' binds closer than 'or'. It looks behind VLAN tags.\n"
               "Of a NIC that another driver holds, the file has what the firmware's stack sends and takes; of one "
               "that is not "
               "ours, what the stack shows to netdiag.",
    .examples = {"capture fs0:\\boot.pcapng -t 60 dhcp or tftp or arp", "capture one.pcapng -c 1000 host 10.0.2.2"},
    .options = option_rows,
    .values_size = sizeof(struct capture_command_options),
    .words_min = 1,
    .words_max = POSITIONAL_MAX,
    .run = run,
};
