/* echo.c - netdiag echo: the other side of ping and frames. */
#include "../netdiag.h"
#include "../../driver/lib/responder.h"

#define LINK_WAIT_MS 5000U

struct echo_options {
  struct nic_options nic;
  uint32_t seconds;
  uint32_t count;
  struct cidr_option address;
};

struct echo {
  struct responder responder;
  uint32_t count; /* stop after so many answers to test frames and pings; 0 = never */
};

static void on_frame(void *ctx, const struct netdev_frame *frame) {
  struct echo *echo = ctx;
  struct inet_packet packet;
  inet_parse(frame->data, frame->length, &packet);
  (void)responder_handle(&echo->responder, frame, &packet);
}

static bool is_done(void *ctx) {
  const struct echo *echo = ctx;
  return echo->count && echo->responder.frame_replies + echo->responder.echo_replies >= echo->count;
}

static EFI_STATUS echo_on_session(struct session *session, struct echo *echo, const struct echo_options *options) {
  char mac[MAC_TEXT_SIZE];
  char text[IPV4_TEXT_SIZE];
  EFI_STATUS status = session_start(session, LINK_WAIT_MS);
  if(EFI_ERROR(status)) {
    return status;
  }
  const struct inet_host *host = &echo->responder.host;
  bool own = host->address && !echo->responder.silent;
  const char *others =
      echo->responder.silent ? "; the firmware answers ARP and pings" : " (--addr for ARP and pings too)";
  out("ECHO on %s: answering test frames%s%s. Esc stops.\n", mac_text(host->mac, mac),
      own ? ", ARP and pings for " : others, own ? ipv4_text(host->address, text) : "");
  UINT64 deadline_us = options->seconds ? efi_clock_us() + options->seconds * 1000000ULL : UINT64_MAX;
  enum wait_result result = session_wait(session, deadline_us, is_done, echo);
  out("echo: %d frames, %d pings, %d ARP requests answered, %d refused\n", echo->responder.frame_replies,
      echo->responder.echo_replies, echo->responder.arp_replies, echo->responder.refused);
  if(result == WAIT_GONE) {
    return EFI_DEVICE_ERROR;
  }
  return result == WAIT_TIMEOUT && echo->count ? EFI_TIMEOUT : EFI_SUCCESS;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct echo_options *options = values;
  struct echo echo = {.count = options->count};
  const struct netdev_client client = {.ctx = &echo, .receive = on_frame};
  struct session session;
  (void)words;
  (void)word_count;

  struct inet_host host = {.address = options->address.address, .mask = options->address.mask};
  EFI_STATUS status = session_open(&session, &options->nic, SESSION_TALK, &client);
  if(EFI_ERROR(status)) {
    return status;
  }
  session_set_responder(&session, &echo.responder, &host);
  status = echo_on_session(&session, &echo, options);
  EFI_STATUS closed = session_close(&session);
  return EFI_ERROR(status) ? status : closed;
}

static const struct option option_rows[] = {
    {"-t", "SECONDS", OPTION_U32, offsetof(struct echo_options, seconds), 1, 86400, "stop after so long"},
    {"-c", "N", OPTION_U32, offsetof(struct echo_options, count), 1, UINT32_MAX,
     "stop after so many test frames and pings"},
    {"--addr", "A.B.C.D/LEN", OPTION_CIDR, offsetof(struct echo_options, address), 0, 0,
     "our own address, to answer ARP and pings"},
    NIC_OPTION_ROWS(struct echo_options),
    {0},
};

const struct command command_echo = {
    .name = "echo",
    .summary = "answers test frames, ARP and pings until Esc: the other side of frames and ping",
    .arguments = "",
    .details = "",
    .options = option_rows,
    .values_size = sizeof(struct echo_options),
    .run = run,
};
