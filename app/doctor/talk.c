/* talk.c - what a diagnosis asks on the wire itself: ARP and pings. DHCP is in ask_dhcp.c. */
#include "doctor.h"

#include <string.h>

#include "../machine_id.h"

#define MS 1000ULL
#define S  1000000ULL

/* RFC 5227's probes, shortened as session.c's are. Silence is what is hoped for here, and is believed sooner where
 * answers come soon: after at least so many times what the server took to acknowledge the address, within limits. */
#define PROBES       3U
#define PROBE_US     (300U * MS)
#define PROBE_MAX_US (2U * S)
#define PROBE_TIMES  4U

/* Each doubled for every further try: an answer ends the wait, so patience costs nothing where answers come. */
#define TRIES       3U
#define ARP_WAIT_US (1U * S)
#define PING_US     (1U * S)
#define SMALL_PING  56U
#define HEADERS     28U /* IPv4 and ICMP */

/* The packets that a path is tried with: the full one, and those of the usual links that carry less. */
static const uint32_t mtus[DOCTOR_SIZES] = {1500, 1492, 1480, 1460, 1400, 1280, 1006, 576};

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

EFI_STATUS doctor_wait_until(struct doctor *doctor, UINT64 deadline_us, bool (*done)(struct doctor *doctor)) {
  struct waiting waiting = {doctor, done};
  return status_of(doctor, session_wait(&doctor->session, deadline_us, is_done, &waiting));
}

static EFI_STATUS wait_for(struct doctor *doctor, UINT64 us, bool (*done)(struct doctor *doctor)) {
  return doctor_wait_until(doctor, efi_clock_us() + us, done);
}

EFI_STATUS doctor_ask(struct doctor *doctor, const struct doctor_question *question) {
  EFI_STATUS status = EFI_SUCCESS;
  UINT64 wait_us = question->wait_us;
  for(UINTN i = 0; i < question->tries && !EFI_ERROR(status) && !question->done(doctor); i++) {
    doctor->asked_us = efi_clock_us();
    question->ask(doctor);
    status = doctor_wait_until(doctor, doctor->asked_us + wait_us, question->done);
    wait_us *= question->steady ? 1U : 2U;
  }
  return status;
}

void doctor_send(struct doctor *doctor, const void *frame, size_t length) {
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
    machine_uuid(client->uuid);
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

static void probe(struct doctor *doctor) {
  uint8_t frame[INET_FRAME_SIZE];
  size_t length = inet_arp_probe(frame, &doctor->session.responder.host, doctor->talk.wanted);
  doctor_send(doctor, frame, length);
}

static void who_has(struct doctor *doctor) {
  uint8_t frame[INET_FRAME_SIZE];
  size_t length = inet_arp_request(frame, &doctor->session.responder.host, doctor->talk.wanted);
  doctor_send(doctor, frame, length);
}

static UINT64 probe_us(const struct doctor *doctor) {
  UINT64 us = doctor->answer_us * PROBE_TIMES;
  return us < PROBE_US ? PROBE_US : us > PROBE_MAX_US ? PROBE_MAX_US : us;
}

EFI_STATUS doctor_try_address(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  struct inet_host *host = &doctor->session.responder.host;
  if(evidence->address == 0) {
    return EFI_SUCCESS;
  }
  want(doctor, evidence->address);
  const struct doctor_question question = {PROBES, probe_us(doctor), true, probe, is_found};
  EFI_STATUS status = doctor_ask(doctor, &question);
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
  static const struct doctor_question question = {TRIES, ARP_WAIT_US, false, who_has, is_found};
  want(doctor, address);
  EFI_STATUS status = doctor_ask(doctor, &question);
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

/* The largest packet is through, or somebody says why it never will be. */
static bool has_pong(struct doctor *doctor) {
  return (doctor->talk.pongs & 1U) != 0 || doctor->talk.unreachable_from != 0;
}

static void echo(struct doctor *doctor, uint32_t place, size_t data_length) {
  struct doctor_talk *talk = &doctor->talk;
  uint8_t frame[INET_FRAME_SIZE];
  size_t length = inet_echo_request(frame, &doctor->session.responder.host, doctor->hop_mac, talk->ping_target,
                                    (uint16_t)talk->clients[0].xid, (uint16_t)(talk->ping_first + place), doctor->data,
                                    data_length);
  doctor_send(doctor, frame, length);
}

/* A new round: what still comes of the one before belongs to nobody. */
static void new_round(struct doctor *doctor) {
  EFI_TPL tpl = efi_nic_lock();
  doctor->talk.ping_target = doctor->evidence.server;
  doctor->talk.ping_first = (uint16_t)(doctor->talk.ping_first + DOCTOR_SIZES);
  doctor->talk.pongs = 0;
  doctor->talk.unreachable_from = 0;
  efi_nic_unlock(tpl);
}

static void ping(struct doctor *doctor) {
  new_round(doctor);
  echo(doctor, 0, SMALL_PING);
}

/* Of every size that is larger than what has come through already: the replies tell themselves by their numbers, also
 * those to an earlier try. */
static void ping_sizes(struct doctor *doctor) {
  for(uint32_t i = 0; i < DOCTOR_SIZES && !(doctor->talk.pongs & 1U << i); i++) {
    echo(doctor, i, mtus[i] - HEADERS);
  }
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
    static const struct doctor_question question = {TRIES, PING_US, false, ping, has_pong};
    status = doctor_ask(doctor, &question);
    if(!EFI_ERROR(status)) {
      evidence->server_ping = doctor->talk.pongs ? DOCTOR_YES : DOCTOR_NO;
      evidence->ping_us = doctor->talk.pongs ? doctor->talk.pong_us - doctor->asked_us : 0;
    }
  }
  doctor_count(doctor);
  return status;
}

/* Packets of all sizes; when the full one vanishes, the largest of the others that does not. */
EFI_STATUS doctor_measure_path(struct doctor *doctor) {
  static const struct doctor_question question = {TRIES, PING_US, false, ping_sizes, has_pong};
  struct doctor_evidence *evidence = &doctor->evidence;
  if(evidence->server_ping != DOCTOR_YES) {
    return EFI_SUCCESS;
  }
  new_round(doctor);
  EFI_STATUS status = doctor_ask(doctor, &question);
  if(!EFI_ERROR(status)) {
    uint32_t pongs = doctor->talk.pongs;
    evidence->big_ping = pongs & 1U ? DOCTOR_YES : DOCTOR_NO;
    for(uint32_t i = 0; i < DOCTOR_SIZES && evidence->path_mtu == 0; i++) {
      evidence->path_mtu = pongs & 1U << i ? mtus[i] : 0;
    }
  }
  evidence->path_mtu = doctor->talk.mtu > 0 ? doctor->talk.mtu : evidence->path_mtu;
  doctor_count(doctor);
  return status;
}

EFI_STATUS doctor_listen(struct doctor *doctor) {
  UINT64 until_us = doctor->begun_us + doctor->options->listen_s * S;
  EFI_STATUS status = efi_clock_us() < until_us ? doctor_wait_until(doctor, until_us, NULL) : EFI_SUCCESS;
  doctor_count(doctor);
  return status;
}
