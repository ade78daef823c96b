/* echo.c - netdiag echo: the other side of ping and frames. */
#include "../capture/capture.h"
#include "../netdiag.h"

struct echo_options {
  struct nic_options nic;
  uint32_t seconds;
  uint32_t count;
  struct cidr_option address;
  const char *capture;
  bool json;
};

struct echo {
  struct session session;
  uint32_t count; /* stop after so many answers to test frames and pings; 0 = never */
};

static bool is_done(void *ctx) {
  const struct echo *echo = ctx;
  const struct responder *responder = &echo->session.responder;
  return echo->count && (uint64_t)responder->frame_replies + responder->echo_replies >= echo->count;
}

static void report_echo(const struct echo *echo) {
  const struct responder *responder = &echo->session.responder;
  report_which(&echo->session.pci);
  report_mac("mac", responder->host.mac);
  if(responder->host.address) {
    report_ipv4("address", responder->host.address);
  } else {
    report_null("address");
  }
  report_u64("frames_answered", responder->frame_replies);
  report_u64("pings_answered", responder->echo_replies);
  report_u64("arp_requests_answered", responder->arp_replies);
  report_u64("refused", responder->refused);
  report_u64("other_vlan", responder->other_vlan);
  report_u64("address_conflicts", echo->session.claim.conflicts);
}

static void out_echo(const struct echo *echo) {
  const struct responder *responder = &echo->session.responder;
  out("echo: %d frames, %d pings, %d ARP requests answered, %d refused\n", responder->frame_replies,
      responder->echo_replies, responder->arp_replies, responder->refused);
  if(responder->other_vlan) {
    out("echo: %d frames tagged with a VLAN not answered\n", responder->other_vlan);
  }
  session_out_conflicts(&echo->session);
}

static EFI_STATUS echo_on_session(struct echo *echo, const struct echo_options *options) {
  const struct session_talker talker = {
      .address = options->address.address, .mask = options->address.mask, .probe = true};
  char mac[MAC_TEXT_SIZE];
  char text[IPV4_TEXT_SIZE];
  EFI_STATUS status = session_talk(&echo->session, &talker, LINK_WAIT_MS);
  if(EFI_ERROR(status)) {
    return status;
  }
  const struct responder *responder = &echo->session.responder;
  const struct inet_host *host = &responder->host;
  bool own = host->address && !responder->silent;
  const char *others = responder->silent ? "; the firmware answers ARP and pings" : " (--addr for ARP and pings too)";
  out("ECHO on %s: answering test frames%s%s. Esc stops.\n", mac_text(host->mac, mac),
      own ? ", ARP and pings for " : others, own ? ipv4_text(host->address, text) : "");
  UINT64 deadline_us = options->seconds ? efi_clock_us() + options->seconds * 1000000ULL : UINT64_MAX;
  enum wait_result result = session_wait(&echo->session, deadline_us, is_done, echo);
  session_stop_receiving(&echo->session);
  if(report_is_json()) {
    report_echo(echo);
  } else {
    out_echo(echo);
  }
  if(result == WAIT_GONE) {
    return EFI_DEVICE_ERROR;
  }
  return result == WAIT_TIMEOUT && echo->count ? EFI_TIMEOUT : EFI_SUCCESS;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct echo_options *options = values;
  struct echo echo = {.count = options->count};
  (void)words;
  (void)word_count;

  EFI_STATUS status = session_open(&echo.session, &options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  struct capture *capture;
  status = capture_begin(&capture, &echo.session, options->capture);
  if(!EFI_ERROR(status)) {
    status = echo_on_session(&echo, options);
  }
  EFI_STATUS captured = capture_end(capture);
  status = EFI_ERROR(status) ? status : captured;
  EFI_STATUS closed = session_close(&echo.session);
  return EFI_ERROR(status) ? status : closed;
}

static const struct option option_rows[] = {
    {"-t", "SECONDS", OPTION_U32, offsetof(struct echo_options, seconds), 1, 86400, "stop after so long"},
    {"-c", "N", OPTION_U32, offsetof(struct echo_options, count), 1, UINT32_MAX,
     "stop after so many test frames and pings"},
    {"--addr", "A.B.C.D/LEN", OPTION_CIDR, offsetof(struct echo_options, address), 0, 0,
     "our own address, to answer ARP and pings"},
    CAPTURE_OPTION_ROW(struct echo_options),
    NIC_OPTION_ROWS(struct echo_options),
    JSON_OPTION_ROW(struct echo_options),
    {0},
};

const struct command command_echo = {
    .name = "echo",
    .summary = "answers test frames, ARP and pings until Esc: the other side of frames and ping",
    .arguments = "",
    .details = "",
    .examples = {"echo", "echo --addr 192.168.1.77/24 -t 600"},
    .options = option_rows,
    .values_size = sizeof(struct echo_options),
    .run = run,
};
