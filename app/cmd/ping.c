/* ping.c - netdiag ping: ARP and ICMP echo from the raw rings. */
#include "../netdiag.h"

#define DEFAULT_COUNT       5U
#define DEFAULT_SIZE        56U
#define DEFAULT_INTERVAL_MS 1000U
#define DEFAULT_TIMEOUT_MS  2000U
#define LINK_WAIT_MS        5000U
#define ARP_TRIES           3U
#define SEEN_WINDOW         1024U /* sequence numbers remembered, for duplicates and round trip times */

struct ping_options {
  struct nic_options nic;
  uint32_t count;
  uint32_t size;
  uint32_t interval_ms;
  uint32_t timeout_ms;
  struct cidr_option address;
  uint32_t gateway;
  bool quiet;
};

struct ping {
  struct session session;
  struct inet_host host;
  const struct ping_options *options;
  uint32_t target;
  uint32_t hop;
  uint8_t hop_mac[6];
  bool resolved;
  bool waiting; /* for the reply to the newest request */
  uint16_t id;
  uint32_t size;
  uint32_t sent;
  uint32_t received;
  uint32_t duplicates;
  uint32_t damaged;
  uint32_t unreachable;
  UINT64 sent_us[SEEN_WINDOW];
  bool seen[SEEN_WINDOW];
  UINT64 min_us;
  UINT64 max_us;
  UINT64 sum_us;
  UINT64 sum_squares;
  uint8_t data[INET_ECHO_MAX];
};

/* Replies -------------------------------------------------------------------------------------------------------- */

static void out_ms(UINT64 us) {
  out("%ld.%03ld", us / 1000U, us % 1000U);
}

static void on_reply(struct ping *ping, const struct inet_packet *packet) {
  UINT64 now_us = efi_clock_us();
  /* The 16 bits on the wire, completed by what was sent last. */
  uint32_t sequence = ping->sent - (uint16_t)(ping->sent - packet->sequence);
  uint32_t age = ping->sent - sequence;
  if(packet->source != ping->target || packet->id != ping->id || sequence == 0 || age >= SEEN_WINDOW) {
    return;
  }
  uint32_t slot = sequence % SEEN_WINDOW;
  char text[IPV4_TEXT_SIZE];
  bool intact = packet->data_length == ping->size && CompareMem(packet->data, ping->data, ping->size) == 0;
  bool duplicate = ping->seen[slot];
  UINT64 rtt_us = now_us - ping->sent_us[slot];
  if(!intact) {
    ping->damaged++;
  } else if(duplicate) {
    ping->duplicates++;
  } else {
    ping->seen[slot] = true;
    ping->received++;
    ping->sum_us += rtt_us;
    ping->sum_squares += rtt_us * rtt_us;
    ping->min_us = ping->received == 1 || rtt_us < ping->min_us ? rtt_us : ping->min_us;
    ping->max_us = rtt_us > ping->max_us ? rtt_us : ping->max_us;
    ping->waiting = ping->waiting && age != 0;
  }
  if(!ping->options->quiet) {
    out("%ld bytes from %s: icmp_seq=%d ttl=%d time=", (UINT64)(packet->data_length + 8U),
        ipv4_text(packet->source, text), sequence, packet->ttl);
    out_ms(rtt_us);
    out(" ms%s\n", !intact ? " (DAMAGED)" : duplicate ? " (DUP!)" : "");
  }
}

static void on_unreachable(struct ping *ping, const struct inet_packet *packet) {
  static const char *const codes[] = {"network", "host", "protocol", "port"};
  char text[IPV4_TEXT_SIZE];
  if(packet->id != ping->id) {
    return;
  }
  ping->unreachable++;
  ping->waiting = ping->waiting && packet->sequence != (uint16_t)ping->sent;
  out("From %s icmp_seq=%d Destination %s unreachable\n", ipv4_text(packet->source, text), packet->sequence,
      packet->code < 4 ? codes[packet->code] : "is");
}

static bool on_frame(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet) {
  struct ping *ping = ctx;
  (void)frame;
  if(packet->kind == INET_ARP_REPLY && packet->source == ping->hop && !ping->resolved) {
    CopyMem(ping->hop_mac, packet->source_mac, sizeof(ping->hop_mac));
    ping->resolved = true;
  } else if(packet->kind == INET_ECHO_REPLY) {
    on_reply(ping, packet);
  } else if(packet->kind == INET_UNREACHABLE) {
    on_unreachable(ping, packet);
  } else {
    return false;
  }
  return true;
}

/* Requests ------------------------------------------------------------------------------------------------------- */

static bool is_resolved(void *ctx) {
  return ((struct ping *)ctx)->resolved;
}

static bool is_answered(void *ctx) {
  return !((struct ping *)ctx)->waiting;
}

static EFI_STATUS status_of_wait(enum wait_result result, EFI_STATUS timeout) {
  switch(result) {
  case WAIT_DONE:
    return EFI_SUCCESS;
  case WAIT_ABORTED:
    return EFI_ABORTED;
  case WAIT_GONE:
    return EFI_DEVICE_ERROR;
  case WAIT_TIMEOUT:
    break;
  }
  return timeout;
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
    char text[IPV4_TEXT_SIZE];
    complain("%s does not answer ARP (%d tries): wrong address, wrong --addr, or nobody there",
             ipv4_text(ping->hop, text), ARP_TRIES);
  }
  return status_of_wait(result, EFI_TIMEOUT);
}

static EFI_STATUS send_all(struct ping *ping) {
  const struct ping_options *options = ping->options;
  uint8_t frame[INET_FRAME_SIZE];
  while(ping->sent < options->count) {
    uint32_t sequence = ping->sent + 1;
    size_t length = inet_echo_request(frame, &ping->session.responder.host, ping->hop_mac, ping->target, ping->id,
                                      (uint16_t)sequence, ping->data, ping->size);
    UINT64 now_us = efi_clock_us();
    ping->sent_us[sequence % SEEN_WINDOW] = now_us;
    ping->seen[sequence % SEEN_WINDOW] = false;
    ping->waiting = true;
    ping->sent = sequence;
    int result = session_transmit(&ping->session, frame, length);
    if(result != NETDEV_OK) {
      complain("icmp_seq=%d not sent: %s", sequence, netdev_strerror(result));
    }
    bool last = sequence == options->count;
    UINT64 wait_ms = last ? options->timeout_ms : options->interval_ms;
    enum wait_result waited = session_wait(&ping->session, now_us + wait_ms * 1000U, last ? is_answered : NULL, ping);
    if(waited == WAIT_ABORTED || waited == WAIT_GONE) {
      return status_of_wait(waited, EFI_SUCCESS);
    }
  }
  return EFI_SUCCESS;
}

/* Newton's method; exact to the microsecond. */
static UINT64 square_root(UINT64 value) {
  UINT64 root = value;
  for(UINT64 next = (value + 1U) / 2U; next < root;) {
    root = next;
    next = (root + value / root) / 2U;
  }
  return root;
}

static void out_summary(const struct ping *ping, const char *target) {
  uint32_t lost = ping->sent - ping->received;
  out("--- %s ping statistics ---\n%d packets transmitted, %d received, ", target, ping->sent, ping->received);
  if(ping->duplicates) {
    out("+%d duplicates, ", ping->duplicates);
  }
  if(ping->damaged) {
    out("+%d damaged, ", ping->damaged);
  }
  if(ping->unreachable) {
    out("+%d errors, ", ping->unreachable);
  }
  out("%d%% packet loss\n", ping->sent ? lost * 100U / ping->sent : 0);
  if(ping->received) {
    UINT64 mean = ping->sum_us / ping->received;
    out("rtt min/avg/max/mdev = ");
    out_ms(ping->min_us);
    out("/");
    out_ms(mean);
    out("/");
    out_ms(ping->max_us);
    out("/");
    out_ms(square_root(ping->sum_squares / ping->received - mean * mean));
    out(" ms\n");
  }
}

/* Command -------------------------------------------------------------------------------------------------------- */

static EFI_STATUS ping_on_session(struct ping *ping, const char *target) {
  char text[IPV4_TEXT_SIZE];
  char mac[MAC_TEXT_SIZE];
  const struct inet_host *host = &ping->session.responder.host;
  const struct session_talker talker = {.address = ping->host.address,
                                        .mask = ping->host.mask,
                                        .gateway = ping->host.gateway,
                                        .ctx = ping,
                                        .receive = on_frame};
  EFI_STATUS status = session_talk(&ping->session, &talker, LINK_WAIT_MS);
  if(EFI_ERROR(status)) {
    return status;
  }
  out("PING %s from %s %s (%s, %s): %d data bytes\n", target, ipv4_text(host->address, text),
      ping->session.netdev->name, ping->session.netdev->model, mac_text(host->mac, mac), ping->size);
  status = resolve(ping);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = send_all(ping);
  session_stop_receiving(&ping->session);
  out_summary(ping, target);
  if(EFI_ERROR(status)) {
    return status;
  }
  return ping->received == ping->sent ? EFI_SUCCESS : EFI_TIMEOUT;
}

static EFI_STATUS check(struct ping *ping, const char *word) {
  const struct ping_options *options = ping->options;
  if(!args_ipv4(word, &ping->target)) {
    complain("ping: '%s' is not an IPv4 address like 10.0.2.2 (there is no name resolution here)", word);
    return EFI_INVALID_PARAMETER;
  }
  EFI_STATUS status = session_address(&options->nic, &options->address, options->gateway, &ping->host);
  if(EFI_ERROR(status)) {
    return status;
  }
  ping->hop = inet_next_hop(&ping->host, ping->target);
  if(ping->hop == 0) {
    complain("ping: %s is not on our network: add --gw ADDRESS", word);
    return EFI_INVALID_PARAMETER;
  }
  return EFI_SUCCESS;
}

static EFI_STATUS run_with(struct ping *ping, const char *target) {
  ping->id = (uint16_t)efi_clock_us();
  EFI_STATUS status = check(ping, target);
  if(EFI_ERROR(status)) {
    return status;
  }
  for(UINTN i = 0; i < sizeof(ping->data); i++) {
    ping->data[i] = (uint8_t)i;
  }
  status = session_open(&ping->session, &ping->options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = ping_on_session(ping, target);
  EFI_STATUS closed = session_close(&ping->session);
  return EFI_ERROR(status) ? status : closed;
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
     "to wait for the last reply, and for ARP (default 2000)"},
    {"-q", NULL, OPTION_FLAG, offsetof(struct ping_options, quiet), 0, 0, "the summary only"},
    {"--addr", "A.B.C.D/LEN", OPTION_CIDR, offsetof(struct ping_options, address), 0, 0,
     "our own address (default: the firmware's, by DHCP if need be)"},
    {"--gw", "A.B.C.D", OPTION_IPV4, offsetof(struct ping_options, gateway), 0, 0, "gateway to other networks"},
    NIC_OPTION_ROWS(struct ping_options),
    {0},
};

const struct command command_ping = {
    .name = "ping",
    .summary = "ARP and ICMP echo over the driver's own rings",
    .arguments = "TARGET",
    .details = "Exits with EFI_TIMEOUT when a reply is missing, EFI_NO_MEDIA without a link, EFI_ABORTED on Esc.",
    .options = option_rows,
    .values_size = sizeof(struct ping_options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
