/* judge_wire.c - checks of what goes over the cable: frames, tags, the switch, DHCP, address and gateway. Pure C. */
#include "../args.h"
#include "finding.h"

#define SHORT_LEASE_S     60U
#define DAMAGED_PER_FRAME 100U /* one damaged frame in so many is a bad cable */
#define SECONDS_PER_HOUR  3600U

/* Frames --------------------------------------------------------------------------------------------------------- */

void doctor_judge_out(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->frames_given == 0) {
    doctor_unseen(finding, "none were sent");
  } else if(evidence->frames_out == 0) {
    doctor_fail(finding, DOCTOR_CLASS_DEVICE, "not one of %ju frames left the NIC", evidence->frames_given);
    doctor_remedy(finding, "'netdiag selftest' tells whether the NIC or its access to memory (DMA) is to blame");
  } else if(evidence->hangs > 0) {
    doctor_warn(finding, "the transmitter hung %ju times and was reset; %ju frames out", evidence->hangs,
                evidence->frames_out);
    doctor_remedy(finding, "try another switch port: a partner that sends pause frames without end looks like this");
  } else {
    doctor_ok(finding, "%ju", evidence->frames_out);
  }
}

/* Whether something was asked that must be answered: nobody has to contest an address. */
static bool has_asked(const struct doctor_evidence *evidence) {
  return evidence->discovers > 0 || evidence->gateway_answers == DOCTOR_NO || evidence->server_arp == DOCTOR_NO;
}

void doctor_judge_in(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->frames_in == 0 && evidence->damaged_in > 0) {
    doctor_fail(finding, DOCTOR_CLASS_NO_ANSWER, "%ju frames came in, and every one was damaged", evidence->damaged_in);
    doctor_remedy(finding, "replace the cable, then try another switch port");
  } else if(evidence->frames_in == 0 && !has_asked(evidence)) {
    doctor_unseen(finding, "none in %u s, and nothing was asked", evidence->listened_s);
  } else if(evidence->frames_in == 0) {
    doctor_fail(finding, DOCTOR_CLASS_NO_ANSWER,
                "%ju frames went out, and not one came in in %u s, not even a "
                "broadcast: a port that is half open or cut off, or nobody else is "
                "on this wire",
                evidence->frames_out, evidence->listened_s);
    doctor_remedy(finding, "try another switch port and cable; a switch may block a port until 802.1X lets it in");
  } else if(evidence->damaged_in > 0 && evidence->damaged_in >= evidence->frames_in / DAMAGED_PER_FRAME) {
    doctor_warn(finding, "%ju, and %ju damaged ones", evidence->frames_in, evidence->damaged_in);
    doctor_remedy(finding, "replace the cable");
  } else {
    doctor_ok(finding, "%ju in %u s", evidence->frames_in, evidence->listened_s);
    if(evidence->missed_in > 0) {
      doctor_append(finding->text, sizeof(finding->text), ", %ju missed", evidence->missed_in);
    }
  }
}

/* Tags ----------------------------------------------------------------------------------------------------------- */

static uint32_t vlan_count(const struct doctor_evidence *evidence) {
  return evidence->vlan_count < DOCTOR_VLANS ? evidence->vlan_count : DOCTOR_VLANS;
}

/* "5", "5, 7 and 9" */
static void say_vlans(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  uint32_t count = vlan_count(evidence);
  for(uint32_t i = 0; i < count; i++) {
    doctor_append(finding->text, sizeof(finding->text), "%s%u",
                  i == 0            ? ""
                  : i + 1U == count ? " and "
                                    : ", ",
                  evidence->vlans[i].id);
  }
}

static void needs_vlan(struct doctor_finding *finding, uint32_t vlan) {
  doctor_remedy(finding,
                "make this switch port an untagged (access) port of VLAN %u, or set the VLAN in the firmware: "
                "'vconfig -a eth0 %u' in its Shell",
                vlan, vlan);
}

/* edk2's MNP drops frames that are tagged with VLAN 0 as long as no VLAN is set; our drivers take that tag off. */
static void judge_priority(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->holder == DOCTOR_FOREIGN && !doctor_was_answered(evidence) && evidence->untagged_in == 0) {
    doctor_fail(finding, DOCTOR_CLASS_NETWORK,
                "what comes in carries priority tags (VLAN 0), which '%s' leaves on and "
                "the firmware's stack drops",
                evidence->holder_name);
    doctor_remedy(finding, "switch priority tagging off at this switch port, or use %s",
                  evidence->driver_file[0] ? evidence->driver_file : "a driver that takes the tag off");
  } else {
    doctor_warn(finding, "%ju of %ju frames carry a priority tag (VLAN 0), which our drivers take off",
                evidence->priority_in, evidence->frames_in);
    doctor_remedy(finding, "harmless here; under another driver the firmware's stack drops such frames");
  }
}

void doctor_judge_tags(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->reply_vlan > 0) {
    doctor_fail(finding, DOCTOR_CLASS_NETWORK, "answers to us carry the tag of VLAN %u: this port does not take it off",
                evidence->reply_vlan);
    needs_vlan(finding, evidence->reply_vlan);
  } else if(vlan_count(evidence) > 0 && evidence->untagged_in <= evidence->link_local_in &&
            evidence->priority_in == 0 && !doctor_was_answered(evidence)) {
    doctor_fail(finding, DOCTOR_CLASS_NETWORK, "%s", "");
    doctor_append(finding->text, sizeof(finding->text), "every station on this wire sends with the tag of VLAN ");
    say_vlans(evidence, finding);
    doctor_append(finding->text, sizeof(finding->text), ", and nobody answers without");
    needs_vlan(finding, evidence->vlans[0].id);
  } else if(evidence->priority_in > 0) {
    judge_priority(evidence, finding);
  } else if(evidence->frames_in == 0) {
    doctor_unseen(finding, "nothing came in");
  } else if(vlan_count(evidence) > 0) {
    doctor_ok(finding, "untagged frames, and some of VLAN ");
    say_vlans(evidence, finding);
  } else {
    doctor_ok(finding, "none seen");
  }
}

/* Who is at the other end ---------------------------------------------------------------------------------------- */

static void say_switch(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->switch_name[0] || evidence->switch_port[0]) {
    doctor_append(finding->text, sizeof(finding->text), "'%s' port '%s'", evidence->switch_name, evidence->switch_port);
  }
  if(evidence->bpdus > 0) {
    doctor_append(finding->text, sizeof(finding->text), "%sspanning tree%s", finding->text[0] ? ", " : "",
                  evidence->forwarding == DOCTOR_YES ? ", forwarding" : "");
  }
}

void doctor_judge_tree(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  bool answered = doctor_was_answered(evidence);
  bool only_tree =
      evidence->bpdus > 0 && evidence->frames_in <= evidence->link_local_in && evidence->forwarding != DOCTOR_YES;
  if(!answered && evidence->bpdus > 0 && evidence->forwarding == DOCTOR_NO) {
    doctor_fail(finding, DOCTOR_CLASS_NO_ANSWER, "spanning tree on the switch does not forward on this port yet");
    doctor_remedy(finding, "make it an edge port (portfast) there; else it takes 30 s from link up: --link-wait 50");
  } else if(!answered && only_tree) {
    doctor_fail(finding, DOCTOR_CLASS_NO_ANSWER,
                "nothing but spanning tree comes in: the switch still listens on this "
                "port");
    doctor_remedy(finding, "make it an edge port (portfast) there; else it takes 30 s from link up: --link-wait 50");
  } else if(evidence->bpdus == 0 && !evidence->switch_name[0] && !evidence->switch_port[0]) {
    doctor_unseen(finding, "no LLDP, CDP or spanning tree in %u s (--listen 60 hears more)", evidence->listened_s);
  } else {
    doctor_ok(finding, "%s", "");
    say_switch(evidence, finding);
  }
}

/* DHCP ----------------------------------------------------------------------------------------------------------- */

bool doctor_is_usable(const struct doctor_offer *offer) {
  return offer->proxy != DOCTOR_YES && offer->server != 0 && offer->address != 0 && offer->address != UINT32_MAX;
}

static const struct doctor_offer *first_usable(const struct doctor_evidence *evidence) {
  for(uint32_t i = 0; i < doctor_offers(evidence); i++) {
    if(doctor_is_usable(&evidence->offers[i])) {
      return &evidence->offers[i];
    }
  }
  return NULL;
}

static void say_lease(const struct doctor_offer *offer, struct doctor_finding *finding) {
  if(offer->lease_s >= SECONDS_PER_HOUR && offer->lease_s != UINT32_MAX) {
    doctor_append(finding->text, sizeof(finding->text), " for %u h", offer->lease_s / SECONDS_PER_HOUR);
  } else if(offer->lease_s > 0 && offer->lease_s != UINT32_MAX) {
    doctor_append(finding->text, sizeof(finding->text), " for %u s", offer->lease_s);
  }
}

static void judge_offers(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  const struct doctor_offer *offer = first_usable(evidence);
  char server[DOCTOR_ADDRESS_SIZE];
  char address[DOCTOR_ADDRESS_SIZE];
  if(!offer) {
    bool nameless = evidence->offers[0].server == 0;
    doctor_fail(finding, DOCTOR_CLASS_NETWORK, "%u offers came, and none can be used: %s", evidence->offer_count,
                nameless ? "the server does not say who it is (option 54)" : "there is no address in them");
    doctor_remedy(finding, "%s",
                  nameless ? "mend the DHCP server: RFC 2131 asks for the option, and firmware ignores "
                             "offers without it"
                           : "give the DHCP server a range of addresses for this subnet");
    return;
  }
  (void)doctor_ipv4(offer->server, server);
  (void)doctor_ipv4(offer->address, address);
  if(evidence->acknowledged == DOCTOR_NO) {
    bool refused = evidence->refused == DOCTOR_YES;
    doctor_fail(finding, DOCTOR_CLASS_NETWORK,
                refused ? "%s offers %s and then refuses it%s%s%s"
                        : "%s offers %s and does "
                          "not answer the request "
                          "for it%s%s%s",
                server, address, evidence->refusal[0] ? " ('" : "", evidence->refusal,
                evidence->refusal[0] ? "')" : "");
    doctor_remedy(finding, "look at the DHCP server's log: its table of leases may be full, or another one interferes");
    return;
  }
  if(offer->lease_s > 0 && offer->lease_s < SHORT_LEASE_S) {
    doctor_warn(finding, "%s offers %s/%u for %u s only", server, address, doctor_prefix(offer->mask), offer->lease_s);
    doctor_remedy(finding, "give longer leases, or the address ends while the boot file still comes");
    return;
  }
  doctor_ok(finding, "%s offers %s/%u", server, address, doctor_prefix(offer->mask));
  say_lease(offer, finding);
  if(evidence->offer_count > 1) {
    doctor_append(finding->text, sizeof(finding->text), "; %u offers in all", evidence->offer_count);
  }
}

void doctor_judge_dhcp(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  char address[DOCTOR_ADDRESS_SIZE];
  if(evidence->by_hand == DOCTOR_YES) {
    doctor_ok(finding, "not asked: --addr %s/%u", doctor_ipv4(evidence->address, address),
              doctor_prefix(evidence->mask));
  } else if(evidence->offer_count > 0) {
    judge_offers(evidence, finding);
  } else if(evidence->discovers == 0) {
    doctor_unseen(finding, "nobody was asked");
  } else if(evidence->url6[0]) {
    doctor_warn(finding, "no IPv4 server answered; over IPv6 one does");
    doctor_remedy(finding, "choose network boot over IPv6 in the firmware's boot order");
    finding->weight = DOCTOR_NETWORK;
  } else {
    doctor_fail(finding, DOCTOR_CLASS_NO_ANSWER,
                "no DHCP server answered %u requests in %u s, though other frames come "
                "in",
                evidence->discovers, evidence->dhcp_wait_s);
    doctor_remedy(finding, "start one on this network, or a DHCP relay; --addr goes on without");
  }
}

/* Two servers that would put the machine on different networks, or have it boot different files, make a boot a matter
 * of luck. One for the address and another for the boot file is how proxyDHCP works, and two with the same data are a
 * pair for safety. */
static const char *disagreement(const struct doctor_offer *left, const struct doctor_offer *right) {
  bool addresses = doctor_is_usable(left) && doctor_is_usable(right);
  if(left->server == right->server || left->server == 0 || right->server == 0) {
    return NULL;
  }
  if(addresses && (left->mask != right->mask || ((left->address ^ right->address) & left->mask) != 0)) {
    return "put this machine on different networks";
  }
  if(left->http == right->http && left->file[0] && right->file[0] && !text_equal(left->file, right->file)) {
    return "name different boot files";
  }
  if(addresses && left->gateway != right->gateway) {
    return "name different gateways";
  }
  return NULL;
}

void doctor_judge_agree(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  uint32_t count = doctor_offers(evidence);
  char first[DOCTOR_ADDRESS_SIZE];
  char second[DOCTOR_ADDRESS_SIZE];
  uint32_t others = 0;
  for(uint32_t i = 0; i < count; i++) {
    for(uint32_t j = i + 1U; j < count; j++) {
      const char *how = disagreement(&evidence->offers[i], &evidence->offers[j]);
      if(how) {
        doctor_fail(finding, DOCTOR_CLASS_NETWORK, "the DHCP servers %s and %s %s, and which is heard is luck",
                    doctor_ipv4(evidence->offers[i].server, first), doctor_ipv4(evidence->offers[j].server, second),
                    how);
        doctor_remedy(finding, "switch the one off that does not belong on this network");
        return;
      }
      others += i == 0 && evidence->offers[i].server != evidence->offers[j].server;
    }
  }
  if(count == 0) {
    doctor_unseen(finding, "no DHCP server was heard");
  } else {
    doctor_ok(finding, others > 0 ? "the DHCP servers agree" : "one DHCP server");
  }
}

/* Address and gateway -------------------------------------------------------------------------------------------- */

void doctor_judge_address(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  char address[DOCTOR_ADDRESS_SIZE];
  char rival[DOCTOR_ADDRESS_SIZE];
  (void)doctor_ipv4(evidence->address, address);
  if(evidence->address == 0) {
    doctor_unseen(finding, "there is none over IPv4");
  } else if(evidence->taken == DOCTOR_YES) {
    doctor_fail(finding, DOCTOR_CLASS_NETWORK, "%s is taken: %s answers for it", address,
                doctor_mac(evidence->rival, rival));
    doctor_remedy(finding, evidence->by_hand == DOCTOR_YES
                               ? "give another --addr"
                               : "find that station and change its address, or take it out of the DHCP server's range");
  } else if(evidence->taken == DOCTOR_UNASKED) {
    doctor_unseen(finding, "whether anybody else has %s was not asked", address);
  } else {
    doctor_ok(finding, "%s is free: nobody answers for it", address);
  }
}

void doctor_judge_gateway(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  bool remote = doctor_is_remote(evidence);
  char gateway[DOCTOR_ADDRESS_SIZE];
  char server[DOCTOR_ADDRESS_SIZE];
  char address[DOCTOR_ADDRESS_SIZE];
  (void)doctor_ipv4(evidence->gateway, gateway);
  (void)doctor_ipv4(evidence->server, server);
  (void)doctor_ipv4(evidence->address, address);
  if(evidence->address == 0) {
    doctor_unseen(finding, "there is no address over IPv4");
  } else if(evidence->gateway == 0 && remote) {
    doctor_fail(finding, DOCTOR_CLASS_NETWORK, "there is none, and the boot server %s is on another network than %s/%u",
                server, address, doctor_prefix(evidence->mask));
    doctor_remedy(finding, "%s",
                  evidence->by_hand == DOCTOR_YES ? "add --gw"
                                                  : "give the DHCP server a router (option "
                                                    "3)");
  } else if(evidence->gateway == 0) {
    doctor_ok(finding, "none, and none is needed");
  } else if(evidence->mask != UINT32_MAX && ((evidence->gateway ^ evidence->address) & evidence->mask) != 0) {
    doctor_fail(finding, DOCTOR_CLASS_NETWORK, "%s is not on the network of %s/%u, so nothing can be sent to it",
                gateway, address, doctor_prefix(evidence->mask));
    doctor_remedy(finding, "%s",
                  evidence->by_hand == DOCTOR_YES
                      ? "give another --gw or --addr"
                      : "put subnet mask (option 1) or router (option 3) right at the DHCP server");
  } else if(evidence->gateway_answers == DOCTOR_NO && remote) {
    doctor_fail(finding, DOCTOR_CLASS_NO_ANSWER, "%s does not answer ARP, and the boot server %s is behind it", gateway,
                server);
    doctor_remedy(finding, "start that router, or name another one (DHCP option 3)");
  } else if(evidence->gateway_answers == DOCTOR_NO) {
    doctor_warn(finding, "%s does not answer ARP; the boot server is not behind it", gateway);
    doctor_remedy(finding, "start that router, if anything beyond this network is needed");
  } else if(evidence->gateway_answers == DOCTOR_UNASKED) {
    doctor_unseen(finding, "%s was not asked", gateway);
  } else {
    doctor_ok(finding, "%s answers ARP", gateway);
  }
}
