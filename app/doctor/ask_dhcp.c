/* ask_dhcp.c - what a diagnosis asks DHCP servers, as both kinds of boot client, and the lease that it takes. */
#include "doctor.h"

#include <string.h>

#include "../../driver/lib/bytes.h"
#include "../../driver/lib/dhcp6.h"
#include "../session/below.h"
#include "../session/lease.h"
#include "../session/mnp_link.h"
#include "../stage/url.h"
#include "finding.h"

#define MS 1000ULL
#define S  1000000ULL

/* Each client asks until it has an offer. Everybody who wants to answer is given a while after the last offer; who is
 * slower than this all in all, 14 s, would not be too slow for the firmware's PXE, which waits 4, 8, 16 and 32 s (PXE
 * 2.1, 2.2.1), but for a person. */
#define DHCP_ASKS      3U
#define DHCP_WAIT_US   (2U * S)
#define DHCP_SETTLE_US (1500U * MS)
#define DHCP_OTHER_US  (6U * S) /* where one of the two has offers: two DISCOVERs of the other, and what it waits */

/* RFC 2131 4.1: the first retransmission after 4 s, and twice as long each time. It has offered, so it is there. */
#define DHCP_REQUESTS   3U
#define DHCP_REQUEST_US (4U * S)

#define SENT_US (10U * MS)

static void ask_ipv6(struct doctor *doctor) {
  uint8_t message[DHCP6_MESSAGE_SIZE];
  uint8_t frame[INET_FRAME_SIZE];
  size_t length = inet6_router_solicitation(frame, doctor->talk.ear.mac);
  doctor_send(doctor, frame, length);
  for(UINTN i = 0; i < DOCTOR_CLIENTS; i++) {
    const struct dhcp_client *client = &doctor->talk.clients[i];
    length = dhcp6_solicit(message, client);
    length = dhcp6_multicast(frame, client, message, length);
    doctor_send(doctor, frame, length);
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
      doctor_send(doctor, frame, length);
      doctor->evidence.discovers++;
    }
  }
}

static void discover_both(struct doctor *doctor) {
  discover(doctor);
  ask_ipv6(doctor);
}

/* Both have an offer, and nobody has sent another one for a while; or one has, and the other none for a long while. */
static bool has_offers(struct doctor *doctor) {
  const struct doctor_talk *talk = &doctor->talk;
  if(talk->offers[0] == 0 && talk->offers[1] == 0) {
    return false;
  }
  uint64_t since_us = efi_clock_us() - talk->last_offer_us;
  return since_us >= (talk->offers[0] > 0 && talk->offers[1] > 0 ? DHCP_SETTLE_US : DHCP_OTHER_US);
}

/* What a client would take: with a boot file for PXE, for HTTP, or the first address that there is; DOCTOR_OFFERS when
 * there is none. */
static uint32_t choose(const struct doctor_evidence *evidence) {
  uint32_t best = DOCTOR_OFFERS;
  uint32_t best_rank = 0;
  for(uint32_t i = 0; i < evidence->offer_count; i++) {
    const struct doctor_offer *offer = &evidence->offers[i];
    if(doctor_is_usable(offer)) {
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
  char text[URL_TEXT_SIZE];
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
      } else if(url_of_boot_file(offer->file, offer->next_server, text)) {
        doctor_append(evidence->url, sizeof(evidence->url), "%s", text);
      }
    }
  }
  struct url url;
  if(evidence->url[0] && !url_parse(evidence->url, &url) && url.host_kind == URL_HOST_IPV4) {
    evidence->server = url.ipv4;
  }
}

/* DHCPv6 answers while others are listened to. */
void doctor_choose_url6(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  if(!evidence->url[0] && evidence->by_hand != DOCTOR_YES && evidence->url6[0]) {
    memcpy(evidence->url, evidence->url6, sizeof(evidence->url));
    evidence->url_from_6 = DOCTOR_YES;
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
    static const struct doctor_question question = {DHCP_ASKS, DHCP_WAIT_US, false, discover_both, has_offers};
    status = doctor_ask(doctor, &question);
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

static const struct dhcp_client *chosen_client(const struct doctor *doctor) {
  return &doctor->talk.clients[doctor->talk.kept[doctor->chosen].http == DOCTOR_YES];
}

static void request(struct doctor *doctor) {
  uint8_t message[DHCP_MESSAGE_SIZE];
  uint8_t frame[INET_FRAME_SIZE];
  const struct dhcp_client *client = chosen_client(doctor);
  size_t length = dhcp_request(message, client, &doctor->talk.whole[doctor->chosen]);
  length = dhcp_broadcast(frame, client, message, length);
  doctor_send(doctor, frame, length);
}

EFI_STATUS doctor_request(struct doctor *doctor) {
  static const struct doctor_question question = {DHCP_REQUESTS, DHCP_REQUEST_US, false, request, has_answer};
  struct doctor_talk *talk = &doctor->talk;
  struct doctor_evidence *evidence = &doctor->evidence;
  if(evidence->by_hand == DOCTOR_YES || evidence->address == 0) {
    return EFI_SUCCESS;
  }
  doctor->firmwares_lease = lease_known(&doctor->pci).address == evidence->address;
  talk->request_xid = chosen_client(doctor)->xid;
  EFI_STATUS status = doctor_ask(doctor, &question);
  if(talk->request_answer == DHCP_ACK) {
    doctor->answer_us = efi_clock_us() - doctor->asked_us;
    doctor->leased = !doctor->firmwares_lease;
  }
  if(!EFI_ERROR(status)) {
    evidence->acknowledged = talk->request_answer == DHCP_ACK ? DOCTOR_YES : DOCTOR_NO;
    evidence->refused = talk->request_answer == DHCP_NAK ? DOCTOR_YES : DOCTOR_NO;
    doctor_append(evidence->refusal, sizeof(evidence->refusal), "%s", talk->refusal);
  }
  doctor_count(doctor);
  return status;
}

/* Giving back ---------------------------------------------------------------------------------------------------- */

static size_t write_release(const struct doctor *doctor, void *frame) {
  const struct doctor_talk *talk = &doctor->talk;
  uint8_t message[DHCP_MESSAGE_SIZE];
  struct udp_way way = {.source = doctor->evidence.address,
                        .destination = talk->whole[doctor->chosen].server,
                        .source_port = DHCP_CLIENT_PORT,
                        .destination_port = DHCP_SERVER_PORT};
  memcpy(way.source_mac, talk->ear.mac, sizeof(way.source_mac));
  memcpy(way.destination_mac, talk->server_mac, sizeof(way.destination_mac));
  size_t length = dhcp_release(message, chosen_client(doctor), &talk->whole[doctor->chosen]);
  return udp_write(frame, &way, 1, message, length);
}

void doctor_release(struct doctor *doctor) {
  uint8_t frame[INET_FRAME_SIZE];
  if(doctor->leased) {
    doctor->leased = false;
    size_t length = write_release(doctor, frame);
    doctor_send(doctor, frame, length);
    (void)session_wait(&doctor->session, efi_clock_us() + SENT_US, NULL, NULL); /* it is out before the NIC stops */
  }
}

void doctor_release_beside(struct doctor *doctor) {
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  uint8_t frame[INET_FRAME_SIZE];
  struct below nic;
  struct mnp_link *link;
  if(doctor->leased && below_find(doctor->pci.handle, &guid, &nic, 1) > 0 &&
     !EFI_ERROR(mnp_link_open(&link, nic.handle, FALSE))) {
    doctor->leased = false;
    size_t length = write_release(doctor, frame);
    (void)mnp_link_transmit(link, frame, length);
    mnp_link_close(link);
  }
}
