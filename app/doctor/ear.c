/* ear.c - what the frames on a wire tell about it, whoever they are for. Pure C. */
#include "ear.h"

#include <string.h>

#include "../../driver/lib/ether.h"
#include "../../driver/lib/neighbour.h"
#include "finding.h"

void ear_begin(struct ear *ear, const uint8_t mac[6]) {
  memset(ear, 0, sizeof(*ear));
  memcpy(ear->mac, mac, sizeof(ear->mac));
}

static void hear_vlan(struct ear *ear, uint16_t id) {
  uint32_t i = 0;
  while(i < ear->vlan_count && ear->vlans[i].id != id) {
    i++;
  }
  if(i < ear->vlan_count) {
    ear->vlans[i].frames++;
  } else if(i < DOCTOR_VLANS) {
    ear->vlans[ear->vlan_count++] = (struct doctor_vlan){id, 1};
  }
}

static void keep_text(char text[DOCTOR_NAME_SIZE], const char *said) {
  if(said[0]) {
    text[0] = '\0';
    doctor_append(text, DOCTOR_NAME_SIZE, "%s", said);
  }
}

/* What a switch says of itself goes no further than this port, so it is no sign that others can be heard. */
static void hear_neighbour(struct ear *ear, const void *frame, size_t length) {
  struct neighbour neighbour;
  if(!neighbour_parse(frame, length, &neighbour)) {
    return;
  }
  ear->link_local++;
  if(neighbour.kind == NEIGHBOUR_STP) {
    ear->bpdus++;
    ear->forwarding = neighbour.stp.port == NEIGHBOUR_PORT_UNKNOWN      ? DOCTOR_UNASKED
                      : neighbour.stp.port == NEIGHBOUR_PORT_FORWARDING ? DOCTOR_YES
                                                                        : DOCTOR_NO;
    return;
  }
  keep_text(ear->switch_name, neighbour.system_name[0] ? neighbour.system_name : neighbour.device);
  keep_text(ear->switch_port, neighbour.port);
}

void ear_hear(struct ear *ear, const void *frame, size_t length) {
  struct ether_view view;
  if(!ether_look(frame, length, &view)) {
    return;
  }
  ear->frames++;
  ear->own_mac += memcmp(view.from, ear->mac, sizeof(ear->mac)) == 0;
  if(view.vlan != 0) {
    hear_vlan(ear, view.vlan);
    if(memcmp(view.to, ear->mac, sizeof(ear->mac)) == 0) {
      ear->reply_vlan = view.vlan;
    }
    return;
  }
  hear_neighbour(ear, frame, length);
  ear->priority += view.tagged;
  ear->untagged += !view.tagged;
}

void ear_tell(const struct ear *ear, struct doctor_evidence *evidence) {
  evidence->frames_in = ear->frames;
  evidence->untagged_in = ear->untagged;
  evidence->priority_in = ear->priority;
  evidence->link_local_in = ear->link_local;
  evidence->bpdus = ear->bpdus;
  evidence->forwarding = ear->forwarding;
  evidence->own_mac_heard = ear->own_mac;
  evidence->reply_vlan = ear->reply_vlan;
  evidence->vlan_count = ear->vlan_count;
  memcpy(evidence->vlans, ear->vlans, sizeof(evidence->vlans));
  memcpy(evidence->switch_name, ear->switch_name, sizeof(evidence->switch_name));
  memcpy(evidence->switch_port, ear->switch_port, sizeof(evidence->switch_port));
}
