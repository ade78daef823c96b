/* receive.c - what a diagnosis makes of each frame that comes in, at TPL_CALLBACK. */
#include "doctor.h"

#include <string.h>

#include "../../driver/lib/dhcp6.h"
#include "finding.h"

#define ICMP_TOO_BIG 4U /* the code of "fragmentation needed" (RFC 1191) */

/* Every offer of every server, once: a server that is asked again answers again. */
static void keep_offer(struct doctor_talk *talk, const struct dhcp_offer *from, enum dhcp_kind kind) {
  struct doctor_offer offer = {
      .http = kind == DHCP_HTTP ? DOCTOR_YES : DOCTOR_NO,
      .proxy = dhcp_is_proxy(from) ? DOCTOR_YES : DOCTOR_NO,
      .server = from->server,
      .address = from->address,
      .mask = from->mask,
      .gateway = dhcp_gateway(from),
      .lease_s = from->has_lease ? from->lease_s : 0,
      .next_server = dhcp_next_server(from),
  };
  doctor_append(offer.file, sizeof(offer.file), "%s", from->boot_file);
  for(uint32_t i = 0; i < DOCTOR_DNS && i < from->dns.count; i++) {
    offer.dns[i] = from->dns.at[i];
  }
  for(uint32_t i = 0; i < talk->kept_count; i++) {
    const struct doctor_offer *known = &talk->kept[i];
    if(known->http == offer.http && known->server == offer.server && known->proxy == offer.proxy &&
       text_equal(known->file, offer.file)) {
      return;
    }
  }
  if(talk->kept_count < DOCTOR_OFFERS) {
    talk->whole[talk->kept_count] = *from;
    talk->kept[talk->kept_count++] = offer;
  }
}

static void hear_answer(struct doctor_talk *talk, const struct udp_way *way, const struct dhcp_offer *answer) {
  if(talk->request_xid != 0 && answer->xid == talk->request_xid &&
     (answer->type == DHCP_ACK || answer->type == DHCP_NAK)) {
    talk->request_answer = answer->type;
    memcpy(talk->server_mac, way->source_mac, sizeof(talk->server_mac));
    talk->refusal[0] = '\0';
    doctor_append(talk->refusal, sizeof(talk->refusal), "%s", answer->message);
  }
}

static bool hear_dhcp(struct doctor_talk *talk, const struct netdev_frame *frame) {
  struct udp_packet packet;
  struct dhcp_offer offer;
  if(!udp_parse(frame->data, frame->length, &packet)) {
    return false;
  }
  for(UINTN i = 0; i < DOCTOR_CLIENTS; i++) {
    if(packet.fault == INET_OTHER_VLAN && packet.way.destination_port == DHCP_CLIENT_PORT &&
       dhcp_parse(packet.data, packet.data_length, &offer) && offer.op == 2U && offer.xid == talk->clients[i].xid) {
      talk->ear.reply_vlan = packet.vlan;
      return true;
    }
    if(!dhcp_parse_answer(&packet, &talk->clients[i], &offer)) {
      continue;
    }
    hear_answer(talk, &packet.way, &offer);
    if(offer.type == DHCP_OFFER || offer.type == DHCP_BOOTP) {
      talk->offers[i]++;
      talk->last_offer_us = efi_clock_us();
      keep_offer(talk, &offer, talk->clients[i].kind);
      return true;
    }
  }
  return false;
}

/* A router and a DHCPv6 server answer to our link-local address, for which they ask first. */
static bool hear_ipv6(struct doctor_talk *talk, const struct netdev_frame *frame) {
  uint8_t answer[INET_FRAME_SIZE];
  struct inet6_packet packet;
  struct dhcp6_offer offer;
  if(!inet6_parse(frame->data, frame->length, &packet)) {
    return false;
  }
  talk->router6 = talk->router6 || packet.kind == INET6_ROUTER_ADVERTISEMENT;
  size_t length = inet6_answer(answer, talk->ear.mac, &packet);
  if(length > 0) {
    (void)session_transmit(talk->session, answer, length);
  }
  for(UINTN i = 0; i < DOCTOR_CLIENTS; i++) {
    if(dhcp6_parse_answer(&packet, &talk->clients[i], &offer)) {
      talk->dhcp6 = true;
      if(offer.url[0] && !talk->url6[0]) {
        doctor_append(talk->url6, sizeof(talk->url6), "%s", offer.url);
      }
    }
  }
  return true;
}

static void hear_arp(struct doctor_talk *talk, const struct inet_packet *packet) {
  if(talk->wanted && packet->source == talk->wanted && memcmp(packet->source_mac, talk->ear.mac, 6) != 0) {
    talk->found = true;
    memcpy(talk->owner, packet->source_mac, sizeof(talk->owner));
  }
}

static void hear_pong(struct doctor_talk *talk, const struct inet_packet *packet) {
  uint16_t place = (uint16_t)(packet->sequence - talk->ping_first);
  if(packet->source == talk->ping_target && place < DOCTOR_SIZES) {
    talk->pongs |= 1U << place;
    talk->pong_us = efi_clock_us();
  }
}

static void hear_unreachable(struct doctor_talk *talk, const struct inet_packet *packet) {
  if(packet->code == ICMP_TOO_BIG) {
    talk->mtu = packet->mtu;
  } else {
    talk->unreachable_from = packet->source;
  }
}

bool doctor_receive(void *ctx, const struct netdev_frame *frame, const struct inet_packet *packet) {
  struct doctor_talk *talk = ctx;
  ear_hear(&talk->ear, frame->data, frame->length);
  switch(packet->kind) {
  case INET_ARP_REQUEST:
  case INET_ARP_REPLY:
    hear_arp(talk, packet);
    return packet->kind == INET_ARP_REPLY;
  case INET_ECHO_REPLY:
    hear_pong(talk, packet);
    return true;
  case INET_ERROR:
    if(packet->about_to == talk->ping_target && packet->type == INET_ICMP_UNREACHABLE) {
      hear_unreachable(talk, packet);
    }
    return true;
  default:
    return hear_dhcp(talk, frame) || hear_ipv6(talk, frame);
  }
}
