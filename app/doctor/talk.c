/* talk.c - what a diagnosis asks on the wire itself: DHCP as both kinds of boot client, ARP, pings. */
#include "doctor.h"

#include <string.h>

#include "../../driver/lib/bytes.h"
#include "../../driver/lib/dhcp6.h"
#include "../stage/url.h"
#include "finding.h"

#define MS 1000ULL
#define S  1000000ULL

/* DHCP: each client asks at these moments, until it has an offer. Everybody who wants to answer is given a while after
 * the last offer; who is slower than this all in all would be too slow for the firmware's PXE as well, which waits 4,
 * 8, 16 and 32 s (PXE 2.1, 2.2.1), but not for a person. */
#define DHCP_ASKS      3U
#define DHCP_WAIT_US   (8U * S)
#define DHCP_SETTLE_US (1500U * MS)

#define DHCP_REQUESTS   3U
#define DHCP_REQUEST_US (2U * S)

/* RFC 5227's probes, shortened as session.c's are. */
#define PROBES   3U
#define PROBE_US (300U * MS)

#define ARP_TRIES   3U
#define ARP_WAIT_US (1U * S)
#define PINGS       3U
#define PING_US     (1U * S)
#define SMALL_PING  56U
#define HEADERS     28U /* IPv4 and ICMP */

static const uint32_t mtus[] = {1492, 1480, 1460, 1400, 1280, 1006, 576};

/* Waiting -------------------------------------------------------------------------------------------------------- */

static EFI_STATUS status_of(struct doctor *doctor, enum wait_result result) {
  if(result == WAIT_ABORTED) {
    doctor->evidence.aborted = DOCTOR_YES;
    return EFI_ABORTED;
  }
  return result == WAIT_GONE ? EFI_DEVICE_ERROR : EFI_SUCCESS;
}

/* Looked at with each round of waiting, so that a link that comes and goes is counted. */
static void watch_link(struct doctor *doctor) {
  bool up = session_link(&doctor->session).up;
  doctor->evidence.link_drops += doctor->link_was_up && !up;
  doctor->link_seen = doctor->link_seen || up;
  doctor->link_was_up = up;
}

struct waiting {
  struct doctor *doctor;
  bool (*done)(struct doctor *doctor);
};

static bool is_done(void *ctx) {
  const struct waiting *waiting = ctx;
  watch_link(waiting->doctor);
  return waiting->done && waiting->done(waiting->doctor);
}

static EFI_STATUS wait_until(struct doctor *doctor, UINT64 deadline_us, bool (*done)(struct doctor *doctor)) {
  struct waiting waiting = {doctor, done};
  return status_of(doctor, session_wait(&doctor->session, deadline_us, is_done, &waiting));
}

static EFI_STATUS wait_for(struct doctor *doctor, UINT64 us, bool (*done)(struct doctor *doctor)) {
  return wait_until(doctor, efi_clock_us() + us, done);
}

static void send(struct doctor *doctor, const void *frame, size_t length) {
  doctor->frames_given += length > 0 && session_transmit(&doctor->session, frame, length) == NETDEV_OK;
}

/* Beginning ------------------------------------------------------------------------------------------------------ */

static void make_clients(struct doctor *doctor) {
  static const enum dhcp_kind kinds[DOCTOR_CLIENTS] = {DHCP_PXE, DHCP_HTTP};
  for(uint32_t i = 0; i < DOCTOR_CLIENTS; i++) {
    struct dhcp_client *client = &doctor->talk.clients[i];
    *client = (struct dhcp_client){
        .kind = kinds[i], .machine = DHCP_MACHINE, .xid = (uint32_t)efi_clock_us() * 2654435761U + i};
    memcpy(client->mac, session_mac(&doctor->session), sizeof(client->mac));
  }
}

EFI_STATUS doctor_begin_talk(struct doctor *doctor) {
  struct session *session = &doctor->session;
  const struct session_talker talker = {.listen = true, .ctx = &doctor->talk, .receive = doctor_receive};
  ear_begin(&doctor->talk.ear, session_mac(session));
  doctor->talk.session = session;
  make_clients(doctor);
  if(session->netdev) {
    const struct netdev_stats *stats = netdev_get_stats(session->netdev);
    doctor->damaged_before = stats->rx_errors + stats->rx_crc_errors;
    doctor->hangs_before = stats->tx_hangs;
  }
  EFI_STATUS status = session_talk(session, &talker, 0);
  session->watching = false; /* the link is a step of its own here */
  doctor->begun_us = efi_clock_us();
  doctor_count(doctor);
  return status;
}

void doctor_count(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  struct session *session = &doctor->session;
  struct netdev_link link = session_link(session);
  EFI_TPL tpl = efi_nic_lock();
  ear_tell(&doctor->talk.ear, evidence);
  evidence->offer_count = doctor->talk.kept_count;
  memcpy(evidence->offers, doctor->talk.kept, sizeof(evidence->offers));
  evidence->unreachable_from = doctor->talk.unreachable_from;
  evidence->router6 = doctor->talk.router6 ? DOCTOR_YES : DOCTOR_NO;
  evidence->dhcp6 = doctor->talk.dhcp6 ? DOCTOR_YES : DOCTOR_NO;
  memcpy(evidence->url6, doctor->talk.url6, sizeof(evidence->url6));
  const struct netdev_stats *stats = session->netdev ? netdev_get_stats(session->netdev) : NULL;
  evidence->frames_given = doctor->frames_given;
  evidence->frames_out = session_traffic(session).sent - session->frames_sent;
  if(stats) {
    evidence->damaged_in = stats->rx_errors + stats->rx_crc_errors - doctor->damaged_before;
    evidence->missed_in = stats->rx_missed;
    evidence->hangs = stats->tx_hangs - doctor->hangs_before;
  }
  efi_nic_unlock(tpl);
  evidence->listened_s = (uint32_t)((efi_clock_us() - doctor->begun_us + S - 1U) / S);
  evidence->link = doctor->link_seen && doctor->link_was_up ? DOCTOR_YES : DOCTOR_NO;
  evidence->speed_mbps = link.up ? link.speed_mbps : 0;
  evidence->full_duplex = link.speed_mbps == 0 ? DOCTOR_UNASKED : link.full_duplex ? DOCTOR_YES : DOCTOR_NO;
}

static bool has_link(struct doctor *doctor) {
  return doctor->link_was_up;
}

EFI_STATUS doctor_wait_for_link(struct doctor *doctor) {
  UINT64 wait_us = session_link_wait_us(&doctor->options->nic);
  EFI_STATUS status = wait_for(doctor, wait_us, has_link);
  doctor->evidence.link_wait_s = (uint32_t)(wait_us / S);
  doctor_count(doctor);
  return status;
}

/* DHCP ----------------------------------------------------------------------------------------------------------- */

static void ask_ipv6(struct doctor *doctor) {
  uint8_t message[DHCP6_MESSAGE_SIZE];
  uint8_t frame[INET_FRAME_SIZE];
  size_t length = inet6_router_solicitation(frame, doctor->talk.ear.mac);
  send(doctor, frame, length);
  for(UINTN i = 0; i < DOCTOR_CLIENTS; i++) {
    const struct dhcp_client *client = &doctor->talk.clients[i];
    length = dhcp6_solicit(message, client);
    length = dhcp6_multicast(frame, client, message, length);
    send(doctor, frame, length);
  }
}

static void discover(struct doctor *doctor) {
  uint8_t message[DHCP_MESSAGE_SIZE];
  uint8_t frame[INET_FRAME_SIZE];
  for(UINTN i = 0; i < DOCTOR_CLIENTS; i++) {
    struct dhcp_client *client = &doctor->talk.clients[i];
    if(doctor->talk.offers[i] == 0) {
      client->seconds = (uint16_t)((efi_clock_us() - doctor->begun_us) / S);
      size_t length = dhcp_discover(message, client);
      length = dhcp_broadcast(frame, client, message, length);
      send(doctor, frame, length);
      doctor->evidence.discovers++;
    }
  }
}

/* Both have an offer, and nobody has sent another one for a while. */
static bool has_offers(struct doctor *doctor) {
  const struct doctor_talk *talk = &doctor->talk;
  return talk->offers[0] > 0 && talk->offers[1] > 0 && efi_clock_us() - talk->last_offer_us >= DHCP_SETTLE_US;
}

/* What a client would take: with a boot file for PXE, for HTTP, or the first address that there is; DOCTOR_OFFERS when
 * there is none. */
static uint32_t choose(const struct doctor_evidence *evidence) {
  uint32_t best = DOCTOR_OFFERS;
  uint32_t best_rank = 0;
  for(uint32_t i = 0; i < evidence->offer_count; i++) {
    const struct doctor_offer *offer = &evidence->offers[i];
    if(offer->proxy != DOCTOR_YES && offer->server != 0 && offer->address != 0) {
      uint32_t rank = offer->file[0] == '\0' ? 1U : offer->http == DOCTOR_YES ? 2U : 3U;
      best = rank > best_rank ? i : best;
      best_rank = rank > best_rank ? rank : best_rank;
    }
  }
  return best;
}

static bool is_url(const char *file) {
  return text_begins(file, "http://") || text_begins(file, "https://") || text_begins(file, "tftp://");
}

/* Where the boot file is: --url, what PXE would fetch, or what HTTP boot would. */
static void choose_url(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  char server[IPV4_TEXT_SIZE];
  if(doctor->options->url) {
    doctor_append(evidence->url, sizeof(evidence->url), "%s", doctor->options->url);
    evidence->url_by_hand = DOCTOR_YES;
  }
  for(int http = 0; http < 2; http++) {
    for(uint32_t i = 0; i < evidence->offer_count && !evidence->url[0]; i++) {
      const struct doctor_offer *offer = &evidence->offers[i];
      if((offer->http == DOCTOR_YES) != (http == 1) || !offer->file[0]) {
        continue;
      }
      if(is_url(offer->file)) {
        doctor_append(evidence->url, sizeof(evidence->url), "%s", offer->file);
      } else if(offer->next_server != 0) {
        doctor_append(evidence->url, sizeof(evidence->url), "tftp://%s/%s", ipv4_text(offer->next_server, server),
                      offer->file + (offer->file[0] == '/'));
      }
    }
  }
  struct url url;
  if(evidence->url[0] && !url_parse(evidence->url, &url) && url.host_kind == URL_HOST_IPV4) {
    evidence->server = url.ipv4;
  }
}

EFI_STATUS doctor_ask_dhcp(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  UINT64 begun_us = efi_clock_us();
  EFI_STATUS status = EFI_SUCCESS;
  if(doctor->options->address.address != 0) {
    evidence->by_hand = DOCTOR_YES;
    evidence->address = doctor->options->address.address;
    evidence->mask = doctor->options->address.mask;
    evidence->gateway = doctor->options->gateway;
  } else {
    evidence->by_hand = DOCTOR_NO;
    for(UINTN i = 0; i < DHCP_ASKS && !EFI_ERROR(status) && !has_offers(doctor); i++) {
      discover(doctor);
      ask_ipv6(doctor);
      status = wait_until(doctor, begun_us + DHCP_WAIT_US * (i + 1U) / DHCP_ASKS, has_offers);
    }
    evidence->dhcp_wait_s = (uint32_t)((efi_clock_us() - begun_us + S - 1U) / S);
  }
  doctor_count(doctor);
  uint32_t chosen = choose(evidence);
  if(chosen < DOCTOR_OFFERS) {
    const struct doctor_offer *offer = &evidence->offers[chosen];
    doctor->chosen = chosen;
    evidence->address = offer->address;
    evidence->mask = offer->mask;
    evidence->gateway = doctor->options->gateway ? doctor->options->gateway : offer->gateway;
  }
  choose_url(doctor);
  return status;
}

static bool has_answer(struct doctor *doctor) {
  return doctor->talk.request_answer != DHCP_BOOTP;
}

EFI_STATUS doctor_request(struct doctor *doctor) {
  struct doctor_talk *talk = &doctor->talk;
  struct doctor_evidence *evidence = &doctor->evidence;
  uint8_t message[DHCP_MESSAGE_SIZE];
  uint8_t frame[INET_FRAME_SIZE];
  EFI_STATUS status = EFI_SUCCESS;
  if(evidence->by_hand == DOCTOR_YES || evidence->address == 0) {
    return status;
  }
  const struct dhcp_offer *offer = &talk->whole[doctor->chosen];
  const struct dhcp_client *client = &talk->clients[talk->kept[doctor->chosen].http == DOCTOR_YES];
  talk->request_xid = client->xid;
  for(UINTN i = 0; i < DHCP_REQUESTS && !EFI_ERROR(status) && !has_answer(doctor); i++) {
    size_t length = dhcp_request(message, client, offer);
    length = dhcp_broadcast(frame, client, message, length);
    send(doctor, frame, length);
    status = wait_for(doctor, DHCP_REQUEST_US, has_answer);
  }
  if(!EFI_ERROR(status)) {
    evidence->acknowledged = talk->request_answer == DHCP_ACK ? DOCTOR_YES : DOCTOR_NO;
    evidence->refused = talk->request_answer == DHCP_NAK ? DOCTOR_YES : DOCTOR_NO;
    doctor_append(evidence->refusal, sizeof(evidence->refusal), "%s", talk->refusal);
  }
  doctor_count(doctor);
  return status;
}

/* ARP ------------------------------------------------------------------------------------------------------------ */

static bool is_found(struct doctor *doctor) {
  return doctor->talk.found;
}

static void want(struct doctor *doctor, uint32_t address) {
  EFI_TPL tpl = efi_nic_lock();
  doctor->talk.wanted = address;
  doctor->talk.found = false;
  efi_nic_unlock(tpl);
}

EFI_STATUS doctor_try_address(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  struct inet_host *host = &doctor->session.responder.host;
  uint8_t frame[INET_FRAME_SIZE];
  EFI_STATUS status = EFI_SUCCESS;
  if(evidence->address == 0) {
    return status;
  }
  want(doctor, evidence->address);
  for(UINTN i = 0; i < PROBES && !EFI_ERROR(status) && !doctor->talk.found; i++) {
    size_t length = inet_arp_probe(frame, host, evidence->address);
    send(doctor, frame, length);
    status = wait_for(doctor, PROBE_US, is_found);
  }
  if(!EFI_ERROR(status)) {
    evidence->taken = doctor->talk.found ? DOCTOR_YES : DOCTOR_NO;
    memcpy(evidence->rival, doctor->talk.owner, sizeof(evidence->rival));
  }
  if(evidence->taken == DOCTOR_NO) { /* ours, for as long as this takes: whoever answers asks for us first */
    EFI_TPL tpl = efi_nic_lock();
    host->address = evidence->address;
    host->mask = evidence->mask;
    host->gateway = evidence->gateway;
    efi_nic_unlock(tpl);
  }
  return status;
}

/* Who has this address; DOCTOR_NO when nobody answers. */
static EFI_STATUS resolve(struct doctor *doctor, uint32_t address, uint8_t mac[6], enum doctor_answer *answer) {
  uint8_t frame[INET_FRAME_SIZE];
  EFI_STATUS status = EFI_SUCCESS;
  want(doctor, address);
  for(UINTN i = 0; i < ARP_TRIES && !EFI_ERROR(status) && !doctor->talk.found; i++) {
    size_t length = inet_arp_request(frame, &doctor->session.responder.host, address);
    send(doctor, frame, length);
    status = wait_for(doctor, ARP_WAIT_US, is_found);
  }
  if(!EFI_ERROR(status)) {
    *answer = doctor->talk.found ? DOCTOR_YES : DOCTOR_NO;
    memcpy(mac, doctor->talk.owner, 6);
  }
  return status;
}

static bool is_near(const struct doctor_evidence *evidence, uint32_t address) {
  return ((address ^ evidence->address) & evidence->mask) == 0;
}

EFI_STATUS doctor_ask_gateway(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  if(evidence->gateway == 0 || evidence->taken != DOCTOR_NO ||
     !(is_near(evidence, evidence->gateway) || evidence->mask == UINT32_MAX)) {
    return EFI_SUCCESS;
  }
  return resolve(doctor, evidence->gateway, doctor->hop_mac, &evidence->gateway_answers);
}

/* Pings ---------------------------------------------------------------------------------------------------------- */

static bool has_pong(struct doctor *doctor) {
  return doctor->talk.pong || doctor->talk.unreachable_from != 0;
}

/* Whether a ping with so many bytes of data is answered. */
static EFI_STATUS ping(struct doctor *doctor, size_t data_length, enum doctor_answer *answer, uint64_t *us) {
  struct doctor_evidence *evidence = &doctor->evidence;
  struct doctor_talk *talk = &doctor->talk;
  uint8_t frame[INET_FRAME_SIZE];
  EFI_STATUS status = EFI_SUCCESS;
  UINT64 sent_us = 0;
  for(UINTN i = 0; i < PINGS && !EFI_ERROR(status) && !talk->pong; i++) {
    EFI_TPL tpl = efi_nic_lock();
    talk->ping_target = evidence->server;
    talk->ping_sequence++;
    talk->unreachable_from = 0;
    efi_nic_unlock(tpl);
    sent_us = efi_clock_us();
    size_t length =
        inet_echo_request(frame, &doctor->session.responder.host, doctor->hop_mac, evidence->server,
                          (uint16_t)doctor->talk.clients[0].xid, talk->ping_sequence, doctor->data, data_length);
    send(doctor, frame, length);
    status = wait_for(doctor, PING_US, has_pong);
  }
  if(!EFI_ERROR(status)) {
    *answer = talk->pong ? DOCTOR_YES : DOCTOR_NO;
    *us = talk->pong ? talk->pong_us - sent_us : 0;
  }
  talk->pong = false;
  return status;
}

EFI_STATUS doctor_reach_server(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  EFI_STATUS status = EFI_SUCCESS;
  if(evidence->server == 0 || evidence->taken != DOCTOR_NO) {
    return status;
  }
  if(is_near(evidence, evidence->server)) {
    status = resolve(doctor, evidence->server, doctor->hop_mac, &evidence->server_arp);
  }
  if(!EFI_ERROR(status) && (evidence->server_arp == DOCTOR_YES || evidence->gateway_answers == DOCTOR_YES) &&
     evidence->server_arp != DOCTOR_NO) {
    status = ping(doctor, SMALL_PING, &evidence->server_ping, &evidence->ping_us);
  }
  doctor_count(doctor);
  return status;
}

/* A packet of full size; if it vanishes, the largest of the usual ones that does not. */
EFI_STATUS doctor_measure_path(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  uint64_t us;
  if(evidence->server_ping != DOCTOR_YES) {
    return EFI_SUCCESS;
  }
  EFI_STATUS status = ping(doctor, INET_ECHO_MAX, &evidence->big_ping, &us);
  enum doctor_answer passes = evidence->big_ping;
  for(UINTN i = 0; i < sizeof(mtus) / sizeof(mtus[0]) && !EFI_ERROR(status) && passes == DOCTOR_NO; i++) {
    status = ping(doctor, mtus[i] - HEADERS, &passes, &us);
    evidence->path_mtu = passes == DOCTOR_YES ? mtus[i] : 0;
  }
  evidence->path_mtu = doctor->talk.mtu > 0 ? doctor->talk.mtu : evidence->path_mtu;
  doctor_count(doctor);
  return status;
}

EFI_STATUS doctor_listen(struct doctor *doctor) {
  UINT64 until_us = doctor->begun_us + doctor->options->listen_s * S;
  EFI_STATUS status = efi_clock_us() < until_us ? wait_until(doctor, until_us, NULL) : EFI_SUCCESS;
  doctor_count(doctor);
  return status;
}
