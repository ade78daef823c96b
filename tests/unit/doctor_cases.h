/* doctor_cases.h - networks as a diagnosis sees them: sound ones, and ways to break them. */
#ifndef DOCTOR_CASES_H
#define DOCTOR_CASES_H

#include <stdio.h>
#include <string.h>

#include "checks.h"

#define IP(a, b, c, d)    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
#define MASK24            0xFFFFFF00U
#define SET(member, text) ((void)snprintf(member, sizeof(member), "%s", text))

static inline struct doctor_offer *case_offer(struct doctor_evidence *e, uint32_t server, uint32_t address,
                                              uint32_t gateway, const char *file) {
  struct doctor_offer *offer = &e->offers[e->offer_count++];
  *offer = (struct doctor_offer){.http = DOCTOR_NO,
                                 .proxy = DOCTOR_NO,
                                 .server = server,
                                 .address = address,
                                 .mask = MASK24,
                                 .gateway = gateway,
                                 .lease_s = 3600,
                                 .next_server = server};
  SET(offer->file, file);
  return offer;
}

/* A resident driver of ours on an e1000e, one DHCP server that is the boot server too, TFTP. Everything in order. */
static inline void case_sound(struct doctor_evidence *e) {
  static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
  memset(e, 0, sizeof(*e));
  e->reached = DOCTOR_CHECKS;
  e->listened_s = 6;
  e->nics = 1;
  e->supported = DOCTOR_YES;
  SET(e->nic, "eth0");
  SET(e->model, "82574L");
  SET(e->location, "0000:00:02.0");
  e->vendor_id = 0x8086;
  e->device_id = 0x10D3;
  memcpy(e->mac, mac, sizeof(mac));
  memcpy(e->permanent_mac, mac, sizeof(mac));
  e->mac_seen = DOCTOR_YES;
  e->holder = DOCTOR_OURS;
  SET(e->holder_name, "Intel 8254x/82574 network driver");
  SET(e->driver_file, "e1000.efi");
  e->option_rom = DOCTOR_NO;
  e->holder_snp = DOCTOR_YES;
  e->nvm = DOCTOR_YES;
  e->nvm_good = DOCTOR_YES;
  e->nvm_sum = 0xBABA;
  e->bus_master = DOCTOR_YES;
  e->dma_bits = 64;
  e->free_bytes = 900ULL << 20;
  e->largest_bytes = 800ULL << 20;
  e->link = DOCTOR_YES;
  e->link_wait_s = 5;
  e->speed_mbps = 1000;
  e->full_duplex = DOCTOR_YES;
  e->partner_negotiates = DOCTOR_YES;
  SET(e->partner_offers, "10 100 1000");
  e->frames_given = 12;
  e->frames_out = 12;
  e->frames_in = 9;
  e->untagged_in = 9;
  e->by_hand = DOCTOR_NO;
  e->discovers = 2;
  e->dhcp_wait_s = 4;
  (void)case_offer(e, IP(10, 0, 0, 2), IP(10, 0, 0, 15), IP(10, 0, 0, 1), "BOOTX64.EFI");
  e->address = IP(10, 0, 0, 15);
  e->mask = MASK24;
  e->gateway = IP(10, 0, 0, 1);
  e->acknowledged = DOCTOR_YES;
  e->taken = DOCTOR_NO;
  e->gateway_answers = DOCTOR_YES;
  SET(e->url, "tftp://10.0.0.2/BOOTX64.EFI");
  e->server = IP(10, 0, 0, 2);
  e->server_arp = DOCTOR_YES;
  e->server_ping = DOCTOR_YES;
  e->ping_us = 312;
  e->big_ping = DOCTOR_YES;
  e->fetch = DOCTOR_FETCH_WHOLE;
  e->fetch_bytes = 1234567;
  e->fetch_ms = 812;
  e->file = DOCTOR_FILE_IMAGE;
  e->file_machine = 0x8664;
  e->own_machine = 0x8664;
  e->file_signed = DOCTOR_NO;
  e->load = DOCTOR_LOAD_ACCEPTED;
  e->secure_boot = DOCTOR_NO;
  e->stack_seen = DOCTOR_YES;
  e->stack_mnp = DOCTOR_YES;
  e->stack_ip4 = DOCTOR_YES;
  e->stack_tftp = DOCTOR_YES;
  e->stack_pxe = DOCTOR_YES;
  e->stack_http = DOCTOR_YES;
  e->rng = DOCTOR_YES;
  e->boot_order = DOCTOR_YES;
  e->boot_options = 3;
  e->boot_entries = 2;
  e->boot_place = 1;
  e->router6 = DOCTOR_NO;
  e->dhcp6 = DOCTOR_NO;
}

/* Nothing that was asked is answered, and the walk ends there as far as IPv4 goes. */
static inline void case_silent(struct doctor_evidence *e) {
  e->offer_count = 0;
  memset(e->offers, 0, sizeof(e->offers));
  e->address = e->mask = e->gateway = e->server = 0;
  e->taken = e->gateway_answers = e->server_arp = e->server_ping = e->big_ping = DOCTOR_UNASKED;
  e->url[0] = '\0';
  e->fetch = DOCTOR_FETCH_UNASKED;
  e->fetch_bytes = 0;
  e->file = DOCTOR_FILE_UNASKED;
  e->load = DOCTOR_LOAD_UNASKED;
}

/* The boot file does not come. */
static inline void case_unfetched(struct doctor_evidence *e, enum doctor_fetch fetch) {
  e->fetch = fetch;
  e->fetch_bytes = 0;
  e->file = DOCTOR_FILE_UNASKED;
  e->load = DOCTOR_LOAD_UNASKED;
}

#endif
