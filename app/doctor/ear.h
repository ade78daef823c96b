/* ear.h - what the frames on a wire tell about it, whoever they are for. Pure C, tested and fuzzed on the host. */
#ifndef APP_DOCTOR_EAR_H
#define APP_DOCTOR_EAR_H

#include <stddef.h>

#include "evidence.h"

/* Counted since ear_begin. Whoever calls ear_hear from timer events keeps it apart from the others. */
struct ear {
  uint8_t mac[6]; /* our own */
  uint64_t frames;
  uint64_t untagged;
  uint64_t priority; /* tagged with VLAN 0 */
  uint64_t link_local;
  uint32_t bpdus;
  uint32_t own_mac;
  enum doctor_answer forwarding;
  uint16_t reply_vlan;
  struct doctor_vlan vlans[DOCTOR_VLANS];
  uint32_t vlan_count;
  char switch_name[DOCTOR_NAME_SIZE];
  char switch_port[DOCTOR_NAME_SIZE];
};

void ear_begin(struct ear *ear, const uint8_t mac[6]);

/* A frame that came in. */
void ear_hear(struct ear *ear, const void *frame, size_t length);

/* Puts what was heard so far into the evidence. */
void ear_tell(const struct ear *ear, struct doctor_evidence *evidence);

#endif
