/* ear.c - what the frames on a wire tell about it, whoever they are for. Pure C. */
#include "ear.h"

#include <string.h>

#include "../../driver/lib/ether.h"

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
