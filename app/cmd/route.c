/* route.c - netdiag route: which way a frame to somebody goes, hop by hop, and how large it may be. */
#include <string.h>

#include "../capture/capture.h"
#include "../netdiag.h"
#include "../session/target.h"
#include "path_mtu.h"

#define DEFAULT_HOPS       16U
#define DEFAULT_TIMEOUT_MS 1000U
#define ARP_TRIES          3U
#define HOP_TRIES          2U
#define SIZE_TRIES         2U
#define SILENT_HOPS_MAX    5U /* behind the last that answered: then nobody does */
#define SMALL_DATA         32U
#define HEADERS            28U /* IPv4 and ICMP: what a packet has beside the data */
#define LARGEST            1500U

struct route_options {
  struct nic_options nic;
  const char *capture;
  uint32_t hops;
  uint32_t timeout_ms;
  struct cidr_option address;
  uint32_t gateway;
  bool no_mtu;
  bool json;
};

enum answer_kind { NO_ANSWER, PASSED_BY, REACHED, TOO_BIG, REFUSED };

/* What came back for the request that is under way. */
struct answer {
  enum answer_kind kind;
  uint32_t from;
  uint64_t after_us;
  uint16_t mtu; /* TOO_BIG */
  uint8_t code; /* REFUSED: of "unreachable" */
};

/* Shared with on_frame: only under efi_nic_lock, or after session_stop_receiving. */
struct route {
  struct session session;
  const struct route_options *options;
  struct target target;
  uint8_t hop_mac[6];
  bool resolved;
  enum inet_fault hop_fault;
  uint16_t hop_vlan;
  uint64_t resolved_us;
  uint64_t asked_us;
  uint16_t id;
  uint16_t sequence;
  struct answer answer;
  uint8_t data[INET_ECHO_MAX];
};

/* Answers -------------------------------------------------------------------------------------------------------- */

static void learn(struct route *route, const struct inet_packet *packet, enum inet_kind kind) {
  if(packet->source != route->target.hop || memcmp(packet->source_mac, session_mac(&route->session), 6) == 0) {
    return;
  }
  if(packet->kind == INET_UNUSABLE) {
    route->hop_fault = packet->fault;
    route->hop_vlan = packet->vlan;
  } else if(kind == INET_ARP_REPLY || kind == INET_ARP_REQUEST) {
    route->resolved_us = route->resolved ? route->resolved_us : efi_clock_us() - route->asked_us;
    memcpy(route->hop_mac, packet->source_mac, sizeof(route->hop_mac));
    route->resolved = true;
  }
}

static enum answer_kind kind_of(const struct inet_packet *packet) {
  if(packet->type == INET_ICMP_TIME_EXCEEDED) {
    return PASSED_BY;
  }
  return packet->type == INET_ICMP_UNREACHABLE ? packet->code == 4U ? TOO_BIG : REFUSED : NO_ANSWER;
}

static bool on_frame(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet) {
  struct route *route = ctx;
  (void)frame;
  enum inet_kind kind = packet->kind == INET_UNUSABLE ? packet->would_be : packet->kind;
  if(kind == INET_ARP_REPLY || kind == INET_ARP_REQUEST) {
    learn(route, packet, kind);
    return packet->kind == INET_ARP_REPLY;
  }
  bool ours = packet->id == route->id && packet->sequence == route->sequence && route->sequence != 0;
  if(!ours || route->answer.kind != NO_ANSWER) {
    return false;
  }
  struct answer answer = {.from = packet->source, .after_us = efi_clock_us() - route->asked_us};
  /* The first part of an answer that was broken up on its way back says that the request was not. */
  bool reply =
      packet->kind == INET_ECHO_REPLY || (packet->kind == INET_UNUSABLE && packet->would_be == INET_ECHO_REPLY &&
                                          packet->fault == INET_FRAGMENT && packet->offset == 0);
  if(reply && packet->source == route->target.address) {
    answer.kind = REACHED;
  } else if(packet->kind == INET_ERROR && packet->about_to == route->target.address) {
    answer.kind = kind_of(packet);
    answer.mtu = packet->mtu;
    answer.code = packet->code;
  }
  route->answer = answer;
  return answer.kind != NO_ANSWER;
}

static bool is_resolved(void *ctx) {
  return ((const struct route *)ctx)->resolved;
}

static bool is_answered(void *ctx) {
  return ((const struct route *)ctx)->answer.kind != NO_ANSWER;
}

static void send(struct route *route, const uint8_t *frame, size_t length) {
  int result = session_transmit(&route->session, frame, length);
  if(result != NETDEV_OK) {
    complain("a request is not sent: %s", netdev_strerror(result));
  }
}

/* Asking --------------------------------------------------------------------------------------------------------- */

static EFI_STATUS resolve(struct route *route) {
  uint8_t frame[INET_FRAME_SIZE];
  enum wait_result result = WAIT_TIMEOUT;
  size_t length = inet_arp_request(frame, &route->session.responder.host, route->target.hop);
  for(uint32_t i = 0; i < ARP_TRIES && result == WAIT_TIMEOUT; i++) {
    EFI_TPL tpl = efi_nic_lock();
    route->asked_us = efi_clock_us();
    efi_nic_unlock(tpl);
    send(route, frame, length);
    result = session_wait(&route->session, efi_clock_us() + route->options->timeout_ms * 1000ULL, is_resolved, route);
  }
  return wait_status(result, EFI_TIMEOUT);
}

/* One echo and what comes back for it, after at most `tries`. */
static enum wait_result ask(struct route *route, uint8_t ttl, bool dont_fragment, uint32_t data_length,
                            uint32_t tries) {
  uint8_t frame[INET_FRAME_SIZE];
  enum wait_result result = WAIT_TIMEOUT;
  for(uint32_t i = 0; i < tries && result == WAIT_TIMEOUT; i++) {
    EFI_TPL tpl = efi_nic_lock();
    route->sequence++;
    route->answer = (struct answer){0};
    route->asked_us = efi_clock_us();
    const struct inet_echo how = {
        .id = route->id, .sequence = route->sequence, .ttl = ttl, .dont_fragment = dont_fragment};
    size_t length = inet_echo_probe(frame, &route->session.responder.host, route->hop_mac, route->target.address, &how,
                                    route->data, data_length);
    efi_nic_unlock(tpl);
    send(route, frame, length);
    result = session_wait(&route->session, efi_clock_us() + route->options->timeout_ms * 1000ULL, is_answered, route);
  }
  return result;
}

/* Hops ----------------------------------------------------------------------------------------------------------- */

/* RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1 */
static const char *refusal_text(uint8_t code) {
  static const char *const texts[] = {
      "network unreachable",
      "host unreachable",
      "protocol unreachable",
      "port unreachable",
      "too big",
      "source route failed",
      "network unknown",
      "host unknown",
      "host isolated",
      "network forbidden",
      "host forbidden",
      "network not for this service",
      "host not for this service",
      "forbidden by a filter",
  };
  return code < sizeof(texts) / sizeof(texts[0]) ? texts[code] : "unreachable";
}

static void out_hop(const struct route *route, uint32_t number, bool answered) {
  const struct answer *answer = &route->answer;
  char text[IPV4_TEXT_SIZE];
  if(report_is_json()) {
    report_row(NULL);
    report_u64("hop", number);
    if(answered) {
      report_ipv4("address", answer->from);
      report_thousandths("rtt_ms", answer->after_us);
      report_bool("target", answer->kind == REACHED);
    } else {
      report_null("address");
    }
    if(answered && answer->kind == REFUSED) {
      report_text("refusal", refusal_text(answer->code));
    }
    report_end();
  } else if(answered) {
    out("%3u  %-15s %4ju.%03ju ms%s%s\n", number, ipv4_text(answer->from, text), answer->after_us / 1000U,
        answer->after_us % 1000U, answer->kind == REFUSED ? "  " : "",
        answer->kind == REFUSED   ? refusal_text(answer->code)
        : answer->kind == REACHED ? "  the target"
                                  : "");
  } else {
    out("%3u  *\n", number);
  }
}

/* As far as it goes. WAIT_DONE when the target was reached, WAIT_TIMEOUT when it was not. */
static enum wait_result walk(struct route *route) {
  enum wait_result result = WAIT_TIMEOUT;
  uint32_t silent = 0;
  for(uint32_t hop = 1; hop <= route->options->hops && silent < SILENT_HOPS_MAX; hop++) {
    result = ask(route, (uint8_t)hop, false, SMALL_DATA, HOP_TRIES);
    if(result == WAIT_ABORTED || result == WAIT_GONE) {
      return result;
    }
    out_hop(route, hop, result == WAIT_DONE);
    silent = result == WAIT_DONE ? 0 : silent + 1U;
    if(result == WAIT_DONE && route->answer.kind != PASSED_BY) {
      return route->answer.kind == REACHED ? WAIT_DONE : WAIT_TIMEOUT;
    }
  }
  return WAIT_TIMEOUT;
}

/* MTU ------------------------------------------------------------------------------------------------------------ */

static void out_mtu(const struct path_mtu *path, uint32_t router) {
  char text[IPV4_TEXT_SIZE];
  if(report_is_json()) {
    report_u64("path_mtu", path->good);
    report_bool("black_hole", path->silent > 0 && path->good < LARGEST);
    if(router) {
      report_ipv4("mtu_router", router);
    }
    return;
  }
  out("path MTU    %u bytes", path->good);
  if(path->good == LARGEST) {
    out(": whole frames get through\n");
  } else if(router && path->silent == 0) {
    out(", as %s says\n", ipv4_text(router, text));
  } else {
    out("\n");
    complain("packets over %u bytes vanish without a word: a hop on the way drops them, which stops TFTP with large "
             "blocks, and HTTP",
             path->good);
  }
}

static enum wait_result find_mtu(struct route *route) {
  struct path_mtu path;
  uint32_t router = 0;
  path_mtu_begin(&path, SMALL_DATA + HEADERS, LARGEST);
  while(path.next) {
    enum wait_result result = ask(route, 0, true, path.next - HEADERS, SIZE_TRIES);
    if(result == WAIT_ABORTED || result == WAIT_GONE) {
      return result;
    }
    if(result == WAIT_DONE && route->answer.kind == REACHED) {
      path_mtu_through(&path);
    } else if(result == WAIT_DONE && route->answer.kind == TOO_BIG) {
      router = route->answer.from;
      path_mtu_too_big(&path, route->answer.mtu);
    } else {
      path_mtu_lost(&path);
    }
  }
  out_mtu(&path, router);
  return WAIT_DONE;
}

/* Command -------------------------------------------------------------------------------------------------------- */

static void out_begin(const struct route *route, const char *word) {
  const struct inet_host *host = &route->session.responder.host;
  char name[NIC_NAME_SIZE];
  char text[IPV4_TEXT_SIZE];
  (void)nic_name(&route->session.pci, name);
  if(report_is_json()) {
    report_text("nic", name);
    report_text("target", word);
    report_ipv4("from", host->address);
    report_ipv4("mask", host->mask);
    report_ipv4("next_hop", route->target.hop);
    report_bool("on_link", route->target.hop == route->target.address);
  } else {
    out("ROUTE to %s from %s", word, ipv4_text(host->address, text));
    out(" mask %s on %s (%s)\n", ipv4_text(host->mask, text), name, session_model(&route->session));
  }
}

static void out_next_hop(const struct route *route) {
  char text[IPV4_TEXT_SIZE];
  char mac[MAC_TEXT_SIZE];
  bool near = route->target.hop == route->target.address;
  if(report_is_json()) {
    report_mac("next_hop_mac", route->hop_mac);
    report_thousandths("arp_ms", route->resolved_us);
  } else {
    out("next hop    %s at %s, %s; ARP took %ju.%03ju ms\n", ipv4_text(route->target.hop, text),
        mac_text(route->hop_mac, mac), near ? "on our network" : "the gateway", route->resolved_us / 1000U,
        route->resolved_us % 1000U);
  }
}

static EFI_STATUS explain_arp(const struct route *route) {
  char text[IPV4_TEXT_SIZE];
  const char *hop = ipv4_text(route->target.hop, text);
  bool near = route->target.hop == route->target.address;
  if(route->hop_fault == INET_OTHER_VLAN) {
    complain("%s answers ARP, but tagged with VLAN %u: this port is not in its VLAN", hop, route->hop_vlan);
  } else if(near) {
    complain("%s should be on our network, but does not answer ARP (%u tries): wrong address or mask, or nobody there",
             hop, ARP_TRIES);
  } else {
    complain("the gateway %s does not answer ARP (%u tries): wrong gateway, or it is down", hop, ARP_TRIES);
  }
  session_out_traffic(&route->session);
  return EFI_TIMEOUT;
}

static EFI_STATUS follow(struct route *route, const char *word) {
  out_begin(route, word);
  EFI_STATUS status = resolve(route);
  if(EFI_ERROR(status)) {
    return status == EFI_TIMEOUT ? explain_arp(route) : status;
  }
  out_next_hop(route);
  report_array("hops");
  enum wait_result result = walk(route);
  report_end();
  if(result == WAIT_TIMEOUT && route->answer.kind == REFUSED) {
    char text[IPV4_TEXT_SIZE];
    complain("%s is not reached: %s says '%s'", word, ipv4_text(route->answer.from, text),
             refusal_text(route->answer.code));
  } else if(result == WAIT_TIMEOUT) {
    complain("%s is not reached: no answer behind the last hop that has an address", word);
  }
  if(result == WAIT_DONE && !route->options->no_mtu) {
    result = find_mtu(route);
  }
  return wait_status(result, EFI_TIMEOUT);
}

static EFI_STATUS run_with(struct route *route, const char *word) {
  const struct route_options *options = route->options;
  EFI_STATUS status = target_find(&route->target, "route", word, &options->nic, &options->address, options->gateway);
  if(!EFI_ERROR(status)) {
    status = session_open(&route->session, &options->nic);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  const struct session_talker talker = {.address = route->target.host.address,
                                        .mask = route->target.host.mask,
                                        .gateway = route->target.host.gateway,
                                        .probe = options->address.address != 0,
                                        .ctx = route,
                                        .receive = on_frame};
  struct capture *capture;
  status = capture_begin(&capture, &route->session, options->capture);
  if(!EFI_ERROR(status)) {
    status = session_talk(&route->session, &talker, LINK_WAIT_MS);
    status = EFI_ERROR(status) ? status : follow(route, word);
    EFI_STATUS captured = capture_end(capture);
    status = EFI_ERROR(status) ? status : captured;
  }
  EFI_STATUS closed = session_close(&route->session);
  return EFI_ERROR(status) ? status : closed;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  struct route_options options = *(const struct route_options *)values;
  (void)word_count;
  options.hops = options.hops ? options.hops : DEFAULT_HOPS;
  options.timeout_ms = options.timeout_ms ? options.timeout_ms : DEFAULT_TIMEOUT_MS;
  options.nic.allow_foreign = true;
  struct route *route = AllocateZeroPool(sizeof(*route));
  if(!route) {
    complain("out of memory");
    return EFI_OUT_OF_RESOURCES;
  }
  route->options = &options;
  route->id = (uint16_t)efi_clock_us();
  EFI_STATUS status = run_with(route, words[0]);
  FreePool(route);
  return status;
}

static const struct option option_rows[] = {
    {"-m", "HOPS", OPTION_U32, offsetof(struct route_options, hops), 1, 64, "how far to look (default 16)"},
    {"-W", "MS", OPTION_U32, offsetof(struct route_options, timeout_ms), 1, 60000,
     "to wait for each answer (default 1000)"},
    {"--no-mtu", NULL, OPTION_FLAG, offsetof(struct route_options, no_mtu), 0, 0,
     "do not look how large a packet may be"},
    {"--addr", "A.B.C.D/LEN", OPTION_CIDR, offsetof(struct route_options, address), 0, 0,
     "our own address (default: the firmware's, by DHCP if need be)"},
    {"--gw", "A.B.C.D", OPTION_IPV4, offsetof(struct route_options, gateway), 0, 0, "gateway to other networks"},
    CAPTURE_OPTION_ROW(struct route_options),
    JSON_OPTION_ROW(struct route_options),
    NIC_OPTION_ROWS(struct route_options),
    {0},
};

const struct command command_route = {
    .name = "route",
    .summary = "which way frames to somebody go, and how large they may be",
    .arguments = "TARGET",
    .details =
        "Says whether TARGET is on our network or behind the gateway, whether the next hop answers ARP, who passes "
        "packets on ('*': no answer), and the path MTU. Exits with EFI_TIMEOUT when TARGET does not answer.",
    .examples = {"route 10.0.2.2", "route 192.0.2.1 --addr 10.0.2.77/24 --gw 10.0.2.2 --no-mtu"},
    .options = option_rows,
    .values_size = sizeof(struct route_options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
