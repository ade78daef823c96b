/* dhcp.c - netdiag dhcp: one exchange with whatever DHCP servers there are, every answer decoded. */
#include "../../driver/lib/dhcp.h"

#include <string.h>

#include "../machine_id.h"
#include "../capture/capture.h"
#include "../netdiag.h"
#include "../session/lease.h"
#include "dhcp_print.h"

#define S               1000000ULL
#define ANSWERS_MAX     16U
#define MESSAGE_MAX     1472U
#define DEFAULT_SECONDS 10U
#define FIRST_RETRY_S   4U       /* RFC 2131 4.1: 4, 8, 16, ... */
#define LAST_RETRY_S    64U      /* ... up to this. Without its random second, which is there for many hosts at once */
#define SETTLE_US       (1U * S) /* after the first offer, for what others have to say */
#define REQUEST_TRIES   2U
#define SENT_US         10000U

struct dhcp_options {
  struct nic_options nic;
  const char *capture;
  const char *kind;
  bool all;
  uint32_t seconds;
  bool request;
  bool json;
};

struct answer {
  struct dhcp_offer offer;
  uint8_t mac[6]; /* of the frame: the server's, or the relay's */
  uint32_t source;
  uint64_t after_us; /* the message that asked for it, the last one of it */
  bool told;
  size_t length;
  uint8_t message[MESSAGE_MAX];
};

/* Shared with on_frame: only under efi_nic_lock, but for an answer below `count`, which does not change any more. */
struct dhcp {
  struct session session;
  struct dhcp_client client;
  const struct dhcp_options *options;
  uint64_t asked_us;
  uint32_t asked;
  uint32_t count;
  uint32_t repeated; /* the same answer again */
  uint32_t lost;     /* no room for it        */
  uint32_t wanted;   /* wants_attention: more answers than this */
  bool tagged;       /* an answer to us came with the tag of this VLAN */
  uint16_t vlan;
  struct answer answers[ANSWERS_MAX];
  uint8_t message[DHCP_MESSAGE_SIZE];
};

/* Answers -------------------------------------------------------------------------------------------------------- */

static bool is_repeated(const struct dhcp *dhcp, const struct answer *answer) {
  for(uint32_t i = 0; i < dhcp->count; i++) {
    const struct answer *other = &dhcp->answers[i];
    if(other->offer.type == answer->offer.type && other->offer.server == answer->offer.server &&
       other->source == answer->source && other->offer.address == answer->offer.address) {
      return true;
    }
  }
  return false;
}

static void keep(struct dhcp *dhcp, const struct udp_packet *packet) {
  if(dhcp->count == ANSWERS_MAX) {
    dhcp->lost++;
    return;
  }
  struct answer *answer = &dhcp->answers[dhcp->count];
  if(packet->data_length > MESSAGE_MAX || !dhcp_parse_answer(packet, &dhcp->client, &answer->offer)) {
    return;
  }
  memcpy(answer->mac, packet->way.source_mac, sizeof(answer->mac));
  answer->source = packet->way.source;
  if(is_repeated(dhcp, answer)) {
    dhcp->repeated++;
    return;
  }
  answer->after_us = efi_clock_us() - dhcp->asked_us;
  answer->told = false;
  answer->length = packet->data_length;
  memcpy(answer->message, packet->data, packet->data_length);
  dhcp->count++;
}

static bool on_frame(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet) {
  struct dhcp *dhcp = ctx;
  struct udp_packet udp;
  (void)packet;
  if(!udp_parse(frame->data, frame->length, &udp) ||
     (udp.way.destination_port != DHCP_CLIENT_PORT && udp.way.source_port != DHCP_PROXY_PORT)) {
    return false;
  }
  if(udp.fault == INET_OTHER_VLAN) {
    udp.fault = INET_SOUND;
    dhcp->tagged = dhcp->tagged || (dhcp->count < ANSWERS_MAX &&
                                    dhcp_parse_answer(&udp, &dhcp->client, &dhcp->answers[dhcp->count].offer));
    dhcp->vlan = udp.vlan;
    return true;
  }
  keep(dhcp, &udp);
  return true;
}

static bool has_more(void *ctx) {
  const struct dhcp *dhcp = ctx;
  return dhcp->count > dhcp->wanted;
}

/* Asking --------------------------------------------------------------------------------------------------------- */

/* From now on an answer is new: it may be here before the sender comes back from sending. */
static void begin_question(struct dhcp *dhcp) {
  EFI_TPL tpl = efi_nic_lock();
  dhcp->wanted = dhcp->count;
  dhcp->asked++;
  dhcp->asked_us = efi_clock_us();
  efi_nic_unlock(tpl);
}

static void send(struct dhcp *dhcp, size_t length) {
  uint8_t frame[INET_FRAME_SIZE];
  size_t size = dhcp_broadcast(frame, &dhcp->client, dhcp->message, length);
  begin_question(dhcp);
  int result = session_transmit(&dhcp->session, frame, size);
  if(result != NETDEV_OK) {
    complain("the %s is not sent: %s", dhcp_type_text(dhcp->message[DHCP_OPTIONS_AT + 2U]), netdev_strerror(result));
  }
}

static const char *kind_of(const struct dhcp_offer *offer) {
  return dhcp_is_proxy(offer) ? "proxyDHCP " : "";
}

static void tell(struct dhcp *dhcp, struct answer *answer) {
  const struct dhcp_offer *offer = &answer->offer;
  char address[IPV4_TEXT_SIZE];
  char mac[MAC_TEXT_SIZE];
  answer->told = true;
  if(report_is_json()) {
    report_object(NULL);
    report_text("type", dhcp_type_text(offer->type));
    report_ipv4("from", answer->source);
    report_mac("from_mac", answer->mac);
    report_u64("after_us", answer->after_us);
  } else {
    out_toned(offer->type == DHCP_NAK ? TONE_BAD : TONE_OK, "%s%s", kind_of(offer), dhcp_type_text(offer->type));
    out(" from %s (%s) after %ju.%03ju ms\n", ipv4_text(answer->source, address), mac_text(answer->mac, mac),
        answer->after_us / 1000U, answer->after_us % 1000U);
  }
  dhcp_print(offer);
  if(dhcp->options->nic.verbose) {
    dhcp_print_options(answer->message, answer->length);
  }
  report_end();
}

static void tell_new(struct dhcp *dhcp) {
  EFI_TPL tpl = efi_nic_lock();
  uint32_t count = dhcp->count;
  efi_nic_unlock(tpl);
  for(uint32_t i = 0; i < count; i++) {
    if(!dhcp->answers[i].told) {
      tell(dhcp, &dhcp->answers[i]);
    }
  }
}

/* Prints what comes after begin_question until the deadline; with `settle`, until so long after the first that is
 * new. */
static enum wait_result listen(struct dhcp *dhcp, uint64_t deadline_us, uint64_t settle_us) {
  enum wait_result result = WAIT_DONE;
  uint32_t before = dhcp->wanted;
  while(result == WAIT_DONE) {
    result = session_wait(&dhcp->session, deadline_us, has_more, dhcp);
    if(result == WAIT_DONE && settle_us && dhcp->wanted == before) {
      uint64_t settled_us = efi_clock_us() + settle_us;
      deadline_us = settled_us < deadline_us ? settled_us : deadline_us;
    }
    tell_new(dhcp);
    dhcp->wanted = result == WAIT_DONE ? dhcp->count : dhcp->wanted;
  }
  return result == WAIT_TIMEOUT && dhcp->count > before ? WAIT_DONE : result;
}

/* Until there are offers, and with --all until the time is over. */
static enum wait_result discover(struct dhcp *dhcp) {
  const struct dhcp_options *options = dhcp->options;
  uint64_t begun_us = efi_clock_us();
  uint64_t end_us = begun_us + options->seconds * S;
  enum wait_result result = WAIT_TIMEOUT;
  uint64_t retry_s = FIRST_RETRY_S;
  while(efi_clock_us() < end_us && (result == WAIT_TIMEOUT || (result == WAIT_DONE && options->all))) {
    uint64_t retry_us = efi_clock_us() + retry_s * S;
    dhcp->client.seconds = (uint16_t)((efi_clock_us() - begun_us) / S);
    send(dhcp, dhcp_discover(dhcp->message, &dhcp->client));
    result = listen(dhcp, retry_us < end_us ? retry_us : end_us, options->all ? 0 : SETTLE_US);
    retry_s = retry_s < LAST_RETRY_S ? 2U * retry_s : LAST_RETRY_S;
  }
  return result == WAIT_TIMEOUT && dhcp->count > 0 ? WAIT_DONE : result;
}

/* Taking --------------------------------------------------------------------------------------------------------- */

static const struct answer *find(const struct dhcp *dhcp, uint32_t from, bool (*fits)(const struct dhcp_offer *)) {
  for(uint32_t i = from; i < dhcp->count; i++) {
    if(fits(&dhcp->answers[i].offer)) {
      return &dhcp->answers[i];
    }
  }
  return NULL;
}

static bool offers_address(const struct dhcp_offer *offer) {
  return offer->type == DHCP_OFFER && offer->address != 0 && offer->server != 0;
}

static bool decides(const struct dhcp_offer *offer) {
  return offer->type == DHCP_ACK || offer->type == DHCP_NAK;
}

/* To one server, from our address. */
static void send_to(struct dhcp *dhcp, const struct answer *to, uint32_t from, uint32_t port, size_t length) {
  uint8_t frame[INET_FRAME_SIZE];
  struct udp_way way = {.source = from,
                        .destination = to->offer.server ? to->offer.server : to->source,
                        .source_port = DHCP_CLIENT_PORT,
                        .destination_port = (uint16_t)port};
  memcpy(way.source_mac, dhcp->client.mac, sizeof(way.source_mac));
  memcpy(way.destination_mac, to->mac, sizeof(way.destination_mac));
  begin_question(dhcp);
  size_t frame_length = udp_write(frame, &way, 1, dhcp->message, length);
  (void)session_transmit(&dhcp->session, frame, frame_length);
}

/* A proxyDHCP server that named no file is asked for it, as a PXE client does. */
static enum wait_result ask_boot_server(struct dhcp *dhcp, uint32_t from) {
  const struct answer *boot = find(dhcp, 0, dhcp_wants_boot_request);
  char address[IPV4_TEXT_SIZE];
  enum wait_result result = WAIT_TIMEOUT;
  if(!boot || boot->offer.type != DHCP_OFFER) {
    return WAIT_DONE;
  }
  uint16_t type = boot->offer.pxe.menu_count > 0 ? boot->offer.pxe.menu[0].type : 0;
  for(uint32_t i = 0; i < REQUEST_TRIES && result == WAIT_TIMEOUT; i++) {
    send_to(dhcp, boot, from, DHCP_PROXY_PORT,
            dhcp_boot_request(dhcp->message, &dhcp->client, &boot->offer, from, type));
    result = listen(dhcp, efi_clock_us() + FIRST_RETRY_S * S, 1);
  }
  if(result == WAIT_TIMEOUT) {
    complain("the boot server %s does not answer at port 4011",
             ipv4_text(boot->offer.server ? boot->offer.server : boot->source, address));
  }
  return result;
}

/* Given back, unless it is the one that the firmware itself has of this server. */
static void release(struct dhcp *dhcp, const struct answer *ack) {
  char address[IPV4_TEXT_SIZE];
  (void)ipv4_text(ack->offer.address, address);
  bool kept = lease_known(&dhcp->session.pci).address == ack->offer.address;
  if(!kept) {
    send_to(dhcp, ack, ack->offer.address, DHCP_SERVER_PORT, dhcp_release(dhcp->message, &dhcp->client, &ack->offer));
    (void)session_wait(&dhcp->session, efi_clock_us() + SENT_US, NULL, NULL); /* it is out before the NIC stops */
  }
  if(report_is_json()) {
    report_bool("released", !kept);
  } else if(kept) {
    out("%s is the firmware's own lease, and stays.\n", address);
  } else {
    out("%s is given back.\n", address);
  }
}

/* Takes the first address that was offered. */
static EFI_STATUS request(struct dhcp *dhcp, const struct answer **ack) {
  const struct answer *offered = find(dhcp, 0, offers_address);
  char address[IPV4_TEXT_SIZE];
  uint32_t first = dhcp->count;
  enum wait_result result = WAIT_TIMEOUT;
  *ack = NULL;
  if(!offered) {
    complain("no server offers an address that could be requested");
    return EFI_TIMEOUT;
  }
  for(uint32_t i = 0; i < REQUEST_TRIES && result == WAIT_TIMEOUT; i++) {
    send(dhcp, dhcp_request(dhcp->message, &dhcp->client, &offered->offer));
    result = listen(dhcp, efi_clock_us() + FIRST_RETRY_S * S, 1);
    result = result == WAIT_DONE && !find(dhcp, first, decides) ? WAIT_TIMEOUT : result;
  }
  *ack = find(dhcp, first, decides);
  (void)ipv4_text(offered->offer.server, address);
  if(result == WAIT_TIMEOUT) {
    complain("%s offered an address, but does not answer the REQUEST for it", address);
  } else if(*ack && (*ack)->offer.type == DHCP_NAK) {
    complain("%s offered an address, but refuses the REQUEST for it (NAK)", address);
    *ack = NULL;
    return EFI_ACCESS_DENIED;
  }
  return wait_status(result, EFI_TIMEOUT);
}

static EFI_STATUS take(struct dhcp *dhcp) {
  const struct answer *ack;
  EFI_STATUS status = request(dhcp, &ack);
  if(!EFI_ERROR(status) && ack) {
    status = wait_status(ask_boot_server(dhcp, ack->offer.address), EFI_TIMEOUT);
  }
  return status;
}

/* Command -------------------------------------------------------------------------------------------------------- */

static bool choose_kind(const char *word, enum dhcp_kind *kind) {
  static const struct {
    const char *word;
    enum dhcp_kind kind;
  } rows[] = {{"pxe", DHCP_PXE}, {"http", DHCP_HTTP}, {"plain", DHCP_PLAIN}};
  for(UINTN i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if(text_same(word, rows[i].word)) {
      *kind = rows[i].kind;
      return true;
    }
  }
  complain("dhcp: --kind '%s': give pxe, http or plain", word);
  return false;
}

static void begin_client(struct dhcp *dhcp) {
  const uint8_t *mac = session_mac(&dhcp->session);
  memcpy(dhcp->client.mac, mac, sizeof(dhcp->client.mac));
  dhcp->client.machine = DHCP_MACHINE;
  machine_uuid(dhcp->client.uuid);
  dhcp->client.xid = (uint32_t)(efi_clock_us() * 2654435761U) ^ ((uint32_t)mac[4] << 24 | (uint32_t)mac[5] << 16);
}

static void out_begin(const struct dhcp *dhcp) {
  char name[NIC_NAME_SIZE];
  char mac[MAC_TEXT_SIZE];
  char class[DHCP_CLASS_SIZE + 1U];
  size_t length = dhcp_vendor_class(&dhcp->client, class);
  class[length] = '\0';
  (void)nic_name(&dhcp->session.pci, name);
  if(report_is_json()) {
    report_text("nic", name);
    report_mac("mac", dhcp->client.mac);
    report_text("kind", dhcp_kind_text(dhcp->client.kind));
    report_text("client_class", class);
    report_array("answers");
  } else {
    out("DHCP on %s (%s, %s), as a %s client%s%s\n", name, session_model(&dhcp->session),
        mac_text(dhcp->client.mac, mac), dhcp_kind_text(dhcp->client.kind), length ? ": " : "", class);
  }
}

static void out_end(struct dhcp *dhcp) {
  uint32_t offers = 0;
  for(uint32_t i = 0; i < dhcp->count; i++) {
    offers += dhcp->answers[i].offer.type == DHCP_OFFER || dhcp->answers[i].offer.type == DHCP_BOOTP;
  }
  if(report_is_json()) {
    report_u64("offers", offers);
    report_u64("repeated", dhcp->repeated);
    report_u64("lost", dhcp->lost);
    return;
  }
  out("%u offer%s", offers, offers == 1U ? "" : "s");
  if(dhcp->repeated) {
    out(", %u answers repeated", dhcp->repeated);
  }
  if(dhcp->lost) {
    out(", %u more than are kept", dhcp->lost);
  }
  out("\n");
}

static void blame(struct dhcp *dhcp) {
  complain("no DHCP server answered in %u s (%u tries as a %s client)", dhcp->options->seconds, dhcp->asked,
           dhcp_kind_text(dhcp->client.kind));
  if(dhcp->tagged) {
    complain("a server answers, but tagged with VLAN %u: this port is not in its VLAN", dhcp->vlan);
  }
  session_out_traffic(&dhcp->session);
}

static EFI_STATUS exchange(struct dhcp *dhcp) {
  const struct answer *ack = NULL;
  out_begin(dhcp);
  EFI_STATUS status = wait_status(discover(dhcp), EFI_TIMEOUT);
  if(!EFI_ERROR(status) && dhcp->options->request) {
    status = take(dhcp);
    ack = find(dhcp, 0, decides);
  }
  session_stop_receiving(&dhcp->session);
  tell_new(dhcp);
  report_end();
  if(ack && ack->offer.type == DHCP_ACK) {
    release(dhcp, ack);
  }
  if(status == EFI_TIMEOUT && dhcp->count == 0) {
    blame(dhcp);
  }
  out_end(dhcp);
  return status;
}

static EFI_STATUS run_with(struct dhcp *dhcp) {
  EFI_STATUS status = session_open(&dhcp->session, &dhcp->options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  begin_client(dhcp);
  const struct session_talker talker = {.ctx = dhcp, .receive = on_frame};
  struct capture *capture;
  status = capture_begin(&capture, &dhcp->session, dhcp->options->capture);
  if(!EFI_ERROR(status)) {
    status = session_talk(&dhcp->session, &talker, LINK_WAIT_MS);
    status = EFI_ERROR(status) ? status : exchange(dhcp);
    EFI_STATUS captured = capture_end(capture);
    status = EFI_ERROR(status) ? status : captured;
  }
  EFI_STATUS closed = session_close(&dhcp->session);
  return EFI_ERROR(status) ? status : closed;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  struct dhcp_options options = *(const struct dhcp_options *)values;
  (void)words;
  (void)word_count;
  options.seconds = options.seconds ? options.seconds : DEFAULT_SECONDS;
  options.nic.allow_foreign = true;
  struct dhcp *dhcp = AllocateZeroPool(sizeof(*dhcp));
  if(!dhcp) {
    complain("out of memory");
    return EFI_OUT_OF_RESOURCES;
  }
  dhcp->options = &options;
  EFI_STATUS status = EFI_INVALID_PARAMETER;
  if(choose_kind(options.kind ? options.kind : "pxe", &dhcp->client.kind)) {
    status = run_with(dhcp);
  }
  FreePool(dhcp);
  return status;
}

static const struct option option_rows[] = {
    {"--kind", "KIND", OPTION_TEXT, offsetof(struct dhcp_options, kind), 0, 0,
     "ask as this client: pxe, http (both boot) or plain (default pxe)"},
    {"--all", NULL, OPTION_FLAG, offsetof(struct dhcp_options, all), 0, 0,
     "wait for more offers until the time is over (default: one second after the first)"},
    {"-t", "SECONDS", OPTION_U32, offsetof(struct dhcp_options, seconds), 1, 3600,
     "how long to wait for an offer (default 10)"},
    {"--request", NULL, OPTION_FLAG, offsetof(struct dhcp_options, request), 0, 0,
     "take the first address that is offered, ask a proxyDHCP server for its file, and give the address back"},
    CAPTURE_OPTION_ROW(struct dhcp_options),
    JSON_OPTION_ROW(struct dhcp_options),
    NIC_OPTION_ROWS(struct dhcp_options),
    {0},
};

const struct command command_dhcp = {
    .name = "dhcp",
    .summary = "one DHCP exchange, every server's answer decoded",
    .arguments = "",
    .details =
        "Nothing is taken from a server, and the firmware's own lease stays as it is, unless --request is given. -v "
        "adds every option as it came. Works over another vendor's driver too, if the firmware's stack runs on "
        "it. Exits with EFI_TIMEOUT when no server answers, EFI_ACCESS_DENIED when one refuses.",
    .examples = {"dhcp", "dhcp --kind http --all -t 5", "dhcp --request -v"},
    .options = option_rows,
    .values_size = sizeof(struct dhcp_options),
    .words_min = 0,
    .words_max = 0,
    .run = run,
};
