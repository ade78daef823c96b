/* responder.c - answers ARP requests, pings and test frames. */
#include "responder.h"

#include "station.h"
#include "testframe.h"

static void answer(struct responder *responder, const void *frame, size_t length, uint32_t *counter) {
  if(responder->send(responder->send_ctx, frame, length) == NETDEV_OK) {
    (*counter)++;
  } else {
    responder->refused++;
  }
}

bool responder_handle(struct responder *responder, const struct netdev_frame *frame, const struct inet_packet *packet) {
  uint8_t reply[NETDEV_MAX_TAGGED_FRAME];
  struct testframe what;
  bool intact;
  bool ours = !responder->silent && responder->host.address != 0 && packet->destination == responder->host.address;

  if(packet->vlan != 0) {
    responder->other_vlan++;
    return false;
  }
  bool probe = packet->kind == INET_ARP_REQUEST && packet->source == 0;
  if(ours && !probe && station_peer_fault(&responder->host, packet->source)) {
    return false;
  }
  if(packet->kind == INET_ARP_REQUEST && ours) {
    const size_t length = inet_arp_reply(reply, &responder->host, packet);
    answer(responder, reply, length, &responder->arp_replies);
    return true;
  }
  if(packet->kind == INET_ECHO_REQUEST && ours) {
    const size_t length = inet_echo_reply(reply, &responder->host, packet);
    if(length > 0) {
      answer(responder, reply, length, &responder->echo_replies);
    }
    return true;
  }
  if(testframe_parse(frame->data, frame->length, &what, &intact) && what.kind == TESTFRAME_REQUEST) {
    size_t length = testframe_reply(reply, frame->data, frame->length, responder->host.mac);
    answer(responder, reply, length, &responder->frame_replies);
    return true;
  }
  return false;
}
