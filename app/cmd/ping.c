/* ping.c - netdiag ping: ARP and ICMP echo from the raw rings. */
#include "../capture/capture.h"
#include "../netdiag.h"
#include "../pinger.h"
#include "../session/target.h"

#include <string.h>

#define DEFAULT_COUNT       5U
#define DEFAULT_SIZE        56U
#define DEFAULT_INTERVAL_MS 1000U
#define DEFAULT_TIMEOUT_MS  2000U
#define ARP_TRIES           3U

struct ping_options {
  struct nic_options nic;
  uint32_t count;
  uint32_t size;
  uint32_t interval_ms;
  uint32_t timeout_ms;
  struct cidr_option address;
  uint32_t gateway;
  bool quiet;
  const char *capture;
  bool json;
};

struct ping {
  struct session session;
  struct inet_host host;
  const struct ping_options *options;
  uint32_t target;
  uint32_t hop;
  uint8_t hop_mac[6];
  bool resolved;
  bool moved;                /* the hop's MAC address changed, and nobody was told yet           */
  enum inet_fault hop_fault; /* of an ARP answer of the hop's that could not be used             */
  uint16_t hop_vlan;
  uint32_t size;
  struct pinger pinger; /* shared with on_frame: only under efi_nic_lock, or after session_stop_receiving */
  uint8_t data[INET_ECHO_MAX];
};

/* Answers -------------------------------------------------------------------------------------------------------- */

/* Whatever ARP says of the next hop is learnt, the first time and every time (RFC 826). */
static void learn(struct ping *ping, const struct inet_packet *packet) {
  if(packet->source != ping->hop || memcmp(packet->source_mac, ping->session.netdev->mac, 6) == 0) {
    return;
  }
  ping->moved = ping->moved || (ping->resolved && memcmp(ping->hop_mac, packet->source_mac, 6) != 0);
  memcpy(ping->hop_mac, packet->source_mac, sizeof(ping->hop_mac));
  ping->resolved = true;
}

/* Prints nothing: it may run in the middle of another line. */
static bool on_frame(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet) {
  struct ping *ping = ctx;
  (void)frame;
  if(packet->kind == INET_ARP_REPLY || packet->kind == INET_ARP_REQUEST) {
    learn(ping, packet);
    return packet->kind == INET_ARP_REPLY;
  }
  if(packet->kind == INET_UNUSABLE && packet->would_be == INET_ARP_REPLY && packet->source == ping->hop) {
    ping->hop_fault = packet->fault;
    ping->hop_vlan = packet->vlan;
    return false;
  }
  return pinger_receive(&ping->pinger, efi_clock_us(), packet) != PINGER_NOT_OURS;
}

static void out_ms(UINT64 us) {
  out("%jd.%03jd", us / 1000U, us % 1000U);
}

/* What a document calls them. */
static const char *const verdict_keys[PINGER_VERDICTS] = {
    [PINGER_REPLY] = "reply",
    [PINGER_DUPLICATE] = "duplicate",
    [PINGER_DAMAGED] = "damaged",
    [PINGER_CUT] = "cut",
    [PINGER_LATE] = "late",
    [PINGER_UNREACHABLE] = "unreachable",
    [PINGER_TIME_EXCEEDED] = "time_exceeded",
    [PINGER_OTHER_ERROR] = "other_error",
    [PINGER_FRAGMENT] = "fragment",
    [PINGER_VLAN] = "other_vlan",
    [PINGER_SOURCE] = "other_source",
    [PINGER_DESTINATION] = "other_destination",
    [PINGER_TRUNCATED] = "truncated",
    [PINGER_CHECKSUM] = "bad_checksum",
    [PINGER_STATION] = "impossible_source",
};

static void report_line(const struct pinger_line *line) {
  report_row(NULL);
  report_text("verdict", verdict_keys[line->verdict]);
  report_u64("sequence", line->sequence);
  report_ipv4("from", line->from);
  if(line->rtt_us != UINT64_MAX) {
    report_thousandths("rtt_ms", line->rtt_us);
  } else {
    report_null("rtt_ms");
  }
  report_u64("ttl", line->ttl);
  report_u64("bytes", line->data_length);
  report_end();
}

/* What arrived since the last time. */
static void out_lines(struct ping *ping) {
  struct pinger_line line;
  char text[PINGER_LINE_SIZE];
  char mac[MAC_TEXT_SIZE];
  bool more = true;
  while(more) {
    EFI_TPL tpl = efi_nic_lock();
    bool moved = ping->moved;
    ping->moved = false;
    (void)mac_text(ping->hop_mac, mac);
    more = pinger_next_line(&ping->pinger, &line);
    efi_nic_unlock(tpl);
    if(moved && !ping->options->quiet) {
      out("%s is now at %s\n", ipv4_text(ping->hop, text), mac);
    }
    if(more && report_is_json()) {
      report_line(&line);
    } else if(more) {
      out("%s\n", pinger_line_text(&line, text));
    }
  }
}

/* Waiting -------------------------------------------------------------------------------------------------------- */

static bool is_resolved(void *ctx) {
  return ((struct ping *)ctx)->resolved;
}

static bool has_lines(const struct ping *ping) {
  return ping->moved || ping->pinger.line_head != ping->pinger.line_tail;
}

static bool is_finished(struct ping *ping) {
  EFI_TPL tpl = efi_nic_lock();
  bool finished = pinger_finished(&ping->pinger, efi_clock_us());
  efi_nic_unlock(tpl);
  return finished;
}

static bool wants_attention(void *ctx) {
  struct ping *ping = ctx;
  return has_lines(ping) || is_finished(ping);
}

/* Prints what arrives until the deadline, or until no answer can come any more. */
static enum wait_result wait_and_print(struct ping *ping, UINT64 deadline_us) {
  enum wait_result result = WAIT_DONE;
  while(result == WAIT_DONE && !is_finished(ping)) {
    result = session_wait(&ping->session, deadline_us, wants_attention, ping);
    out_lines(ping);
  }
  return result;
}

/* Requests ------------------------------------------------------------------------------------------------------- */

static void explain_arp(const struct ping *ping) {
  char text[IPV4_TEXT_SIZE];
  const char *hop = ipv4_text(ping->hop, text);
  if(ping->hop_fault == INET_OTHER_VLAN) {
    complain("%s answers ARP, but tagged with VLAN %d: this port is not in its VLAN", hop, ping->hop_vlan);
  } else if(ping->hop_fault == INET_BAD_STATION) {
    complain("%s answers ARP from a MAC address that no station can have: look at that host", hop);
  } else {
    complain("%s does not answer ARP (%d tries): wrong address, wrong --addr, or nobody there", hop, ARP_TRIES);
  }
}

static EFI_STATUS resolve(struct ping *ping) {
  uint8_t frame[INET_FRAME_SIZE];
  enum wait_result result = WAIT_TIMEOUT;
  size_t length = inet_arp_request(frame, &ping->session.responder.host, ping->hop);
  for(UINTN i = 0; i < ARP_TRIES && result == WAIT_TIMEOUT; i++) {
    (void)session_transmit(&ping->session, frame, length);
    result = session_wait(&ping->session, efi_clock_us() + ping->options->timeout_ms * 1000ULL, is_resolved, ping);
  }
  if(result == WAIT_ABORTED) {
    out("Stopped before anything was sent.\n");
  }
  if(result == WAIT_TIMEOUT) {
    explain_arp(ping);
  }
  return wait_status(result, EFI_TIMEOUT);
}

static void send_next(struct ping *ping, UINT64 now_us) {
  uint8_t frame[INET_FRAME_SIZE];
  uint8_t mac[6];
  EFI_TPL tpl = efi_nic_lock();
  struct pinger_request request = pinger_request(&ping->pinger, now_us);
  memcpy(mac, ping->hop_mac, sizeof(mac));
  efi_nic_unlock(tpl);
  size_t length = inet_echo_request(frame, &ping->session.responder.host, mac, ping->target, request.id,
                                    request.sequence, ping->data, ping->size);
  int result = session_transmit(&ping->session, frame, length);
  if(result != NETDEV_OK) {
    tpl = efi_nic_lock();
    pinger_not_sent(&ping->pinger);
    efi_nic_unlock(tpl);
    complain("icmp_seq=%d not sent: %s", request.number, netdev_strerror(result));
  }
}

static EFI_STATUS send_all(struct ping *ping) {
  const struct ping_options *options = ping->options;
  enum wait_result result = WAIT_TIMEOUT;
  UINT64 now_us = 0;
  for(uint32_t i = 0; i < options->count && result == WAIT_TIMEOUT; i++) {
    now_us = efi_clock_us();
    send_next(ping, now_us);
    if(i + 1U < options->count) {
      result = wait_and_print(ping, now_us + options->interval_ms * 1000ULL);
    }
  }
  if(result == WAIT_TIMEOUT) {
    result = wait_and_print(ping, now_us + options->timeout_ms * 1000ULL);
  }
  return wait_status(result, EFI_SUCCESS);
}

/* Summary -------------------------------------------------------------------------------------------------------- */

static void out_rtt(const struct pinger *pinger) {
  out("rtt min/avg/max/mdev = ");
  out_ms(pinger->min_us);
  out("/");
  out_ms(pinger_mean_us(pinger));
  out("/");
  out_ms(pinger->max_us);
  out("/");
  out_ms(pinger_deviation_us(pinger));
  out(" ms\n");
}

static void out_summary(const struct ping *ping, const char *target) {
  const struct pinger *pinger = &ping->pinger;
  const uint64_t *verdicts = pinger->verdicts;
  uint64_t errors = verdicts[PINGER_UNREACHABLE] + verdicts[PINGER_TIME_EXCEEDED] + verdicts[PINGER_OTHER_ERROR];
  out("--- %s ping statistics ---\n%d packets transmitted, %d received, ", target, pinger_sent(pinger),
      pinger->received);
  if(verdicts[PINGER_DUPLICATE]) {
    out("+%jd duplicates, ", verdicts[PINGER_DUPLICATE]);
  }
  if(verdicts[PINGER_DAMAGED]) {
    out("+%jd damaged, ", verdicts[PINGER_DAMAGED]);
  }
  if(errors) {
    out("+%jd errors, ", errors);
  }
  uint32_t loss = pinger_loss_percent(pinger);
  out_toned(loss == 0 ? TONE_OK : loss < 100 ? TONE_WARN : TONE_BAD, "%d%% packet loss", loss);
  out("\n");
  if(pinger->received) {
    out_rtt(pinger);
  }
  for(UINTN i = PINGER_REPLY + 1; i < PINGER_VERDICTS; i++) {
    if(verdicts[i] && i != PINGER_DUPLICATE && i != PINGER_DAMAGED) {
      out("not counted: %jd %s\n", verdicts[i], pinger_verdict_text((enum pinger_verdict)i));
    }
  }
  if(pinger->priority_tagged) {
    out("%jd answers carried a priority tag (VLAN 0)\n", pinger->priority_tagged);
  }
  if(pinger->lines_lost) {
    out("%jd answers came too fast to be printed one by one\n", pinger->lines_lost);
  }
  session_out_conflicts(&ping->session);
}

static void report_summary(const struct ping *ping) {
  const struct pinger *pinger = &ping->pinger;
  report_object("statistics");
  report_u64("transmitted", pinger_sent(pinger));
  report_u64("received", pinger->received);
  report_u64("loss_percent", pinger_loss_percent(pinger));
  if(pinger->received) {
    report_row("rtt_ms");
    report_thousandths("min", pinger->min_us);
    report_thousandths("avg", pinger_mean_us(pinger));
    report_thousandths("max", pinger->max_us);
    report_thousandths("mdev", pinger_deviation_us(pinger));
    report_end();
  } else {
    report_null("rtt_ms");
  }
  report_object("not_counted");
  for(UINTN i = PINGER_REPLY + 1; i < PINGER_VERDICTS; i++) {
    if(pinger->verdicts[i]) {
      report_u64(verdict_keys[i], pinger->verdicts[i]);
    }
  }
  report_end();
  report_u64("priority_tagged", pinger->priority_tagged);
  report_u64("replies_left_out", pinger->lines_lost);
  report_u64("address_conflicts", ping->session.claim.conflicts);
  report_end();
}

/* Neither a reply nor anything else that would explain why there is none. */
static bool nothing_heard(const struct pinger *pinger) {
  uint64_t heard = pinger->received;
  for(UINTN i = PINGER_REPLY + 1; i < PINGER_VERDICTS; i++) {
    heard += pinger->verdicts[i];
  }
  return heard == 0;
}

/* Command -------------------------------------------------------------------------------------------------------- */

static EFI_STATUS ping_on_session(struct ping *ping, const char *target) {
  char text[IPV4_TEXT_SIZE];
  char mac[MAC_TEXT_SIZE];
  const struct inet_host *host = &ping->session.responder.host;
  const struct session_talker talker = {.address = ping->host.address,
                                        .mask = ping->host.mask,
                                        .gateway = ping->host.gateway,
                                        .probe = ping->options->address.address != 0,
                                        .ctx = ping,
                                        .receive = on_frame};
  EFI_STATUS status = session_talk(&ping->session, &talker, LINK_WAIT_MS);
  if(EFI_ERROR(status)) {
    return status;
  }
  char name[NIC_NAME_SIZE];
  out("PING %s from %s %s (%s, %s): %d data bytes\n", target, ipv4_text(host->address, text),
      nic_name(&ping->session.pci, name), ping->session.netdev->model, mac_text(host->mac, mac), ping->size);
  report_text("target", target);
  report_ipv4("address", host->address);
  report_which(&ping->session.pci);
  report_mac("mac", host->mac);
  report_u64("data_bytes", ping->size);
  status = resolve(ping);
  if(status == EFI_TIMEOUT) {
    session_out_traffic(&ping->session);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  report_ipv4("next_hop", ping->hop);
  report_array("replies");
  status = send_all(ping);
  session_stop_receiving(&ping->session);
  out_lines(ping);
  report_end();
  if(report_is_json()) {
    report_summary(ping);
  } else {
    out_summary(ping, target);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  if(nothing_heard(&ping->pinger)) {
    session_out_traffic(&ping->session);
  }
  return ping->pinger.received == ping->options->count ? EFI_SUCCESS : EFI_TIMEOUT;
}

static EFI_STATUS check(struct ping *ping, const char *word) {
  const struct ping_options *options = ping->options;
  struct target target;
  EFI_STATUS status = target_find(&target, "ping", word, &options->nic, &options->address, options->gateway);
  ping->host = target.host;
  ping->target = target.address;
  ping->hop = target.hop;
  return status;
}

static EFI_STATUS run_with(struct ping *ping, const char *target) {
  EFI_STATUS status = check(ping, target);
  if(EFI_ERROR(status)) {
    return status;
  }
  const struct pinger_config config = {
      .count = ping->options->count,
      .size = ping->size,
      .interval_ms = ping->options->interval_ms,
      .timeout_ms = ping->options->timeout_ms,
      .target = ping->target,
      .own = ping->host.address,
      .id = (uint16_t)efi_clock_us(),
      .quiet = ping->options->quiet,
  };
  uint32_t slot_count = pinger_slots_needed(&config);
  struct pinger_slot *slots = AllocatePool(slot_count * sizeof(*slots));
  if(!slots) {
    complain("out of memory for %d requests under way at once: a longer -i or a shorter -W needs less", slot_count);
    return EFI_OUT_OF_RESOURCES;
  }
  pinger_init(&ping->pinger, &config, slots, slot_count);
  for(UINTN i = 0; i < sizeof(ping->data); i++) {
    ping->data[i] = (uint8_t)i;
  }
  status = session_open(&ping->session, &ping->options->nic);
  if(!EFI_ERROR(status)) {
    struct capture *capture;
    status = capture_begin(&capture, &ping->session, ping->options->capture);
    if(!EFI_ERROR(status)) {
      status = ping_on_session(ping, target);
    }
    EFI_STATUS captured = capture_end(capture);
    status = EFI_ERROR(status) ? status : captured;
    EFI_STATUS closed = session_close(&ping->session);
    status = EFI_ERROR(status) ? status : closed;
  }
  FreePool(slots);
  return status;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  struct ping_options options = *(const struct ping_options *)values;
  (void)word_count;
  options.count = options.count ? options.count : DEFAULT_COUNT;
  options.interval_ms = options.interval_ms ? options.interval_ms : DEFAULT_INTERVAL_MS;
  options.timeout_ms = options.timeout_ms ? options.timeout_ms : DEFAULT_TIMEOUT_MS;
  struct ping *ping = AllocateZeroPool(sizeof(*ping));
  if(!ping) {
    complain("out of memory");
    return EFI_OUT_OF_RESOURCES;
  }
  ping->options = &options;
  ping->size = options.size ? options.size : DEFAULT_SIZE;
  EFI_STATUS status = run_with(ping, words[0]);
  FreePool(ping);
  return status;
}

static const struct option option_rows[] = {
    {"-c", "N", OPTION_U32, offsetof(struct ping_options, count), 1, UINT32_MAX, "how many (default 5)"},
    {"-s", "SIZE", OPTION_U32, offsetof(struct ping_options, size), 1, INET_ECHO_MAX, "bytes of data (default 56)"},
    {"-i", "MS", OPTION_U32, offsetof(struct ping_options, interval_ms), 1, 3600000, "between two (default 1000)"},
    {"-W", "MS", OPTION_U32, offsetof(struct ping_options, timeout_ms), 1, 3600000,
     "to wait for a reply, and for ARP; later does not count (default 2000)"},
    {"-q", NULL, OPTION_FLAG, offsetof(struct ping_options, quiet), 0, 0, "the summary only"},
    {"--addr", "A.B.C.D/LEN", OPTION_CIDR, offsetof(struct ping_options, address), 0, 0,
     "our own address (default: the firmware's, by DHCP if need be)"},
    {"--gw", "A.B.C.D", OPTION_IPV4, offsetof(struct ping_options, gateway), 0, 0, "gateway to other networks"},
    CAPTURE_OPTION_ROW(struct ping_options),
    NIC_OPTION_ROWS(struct ping_options),
    JSON_OPTION_ROW(struct ping_options),
    {0},
};

const struct command command_ping = {
    .name = "ping",
    .summary = "ARP and ICMP echo over the driver's own rings",
    .arguments = "TARGET",
    .details = "Exits with EFI_TIMEOUT when a reply is missing, EFI_NO_MEDIA without a link, EFI_ABORTED on Esc.",
    .examples = {"ping 10.0.2.2", "ping 192.168.1.1 --addr 192.168.1.77/24 -c 3", "ping 10.0.2.2 --json >a ping.json"},
    .options = option_rows,
    .values_size = sizeof(struct ping_options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
