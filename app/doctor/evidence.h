/* evidence.h - everything that a diagnosis rests on: what was found out, and nothing of how. Pure C. */
#ifndef APP_DOCTOR_EVIDENCE_H
#define APP_DOCTOR_EVIDENCE_H

#include <stdint.h>

/*
 * A struct of zeroes knows nothing: every question is unasked, every count is 0. Who collects fills in what it learns
 * and leaves the rest. Nothing here is believed to be consistent: the judges take whatever stands here, for most of it
 * comes from servers and from the wire. Texts end with a NUL. Addresses are in host order, 0 = none.
 */

/* An answer to a question that may not have been asked, or that nothing was heard about. */
enum doctor_answer { DOCTOR_UNASKED, DOCTOR_NO, DOCTOR_YES };

enum doctor_holder {
  DOCTOR_NOBODY,
  DOCTOR_OURS,    /* our resident driver: its counters and rows can be seen              */
  DOCTOR_FOREIGN, /* somebody else's: what its SNP and the stack on it show              */
};

#define DOCTOR_OFFERS    8U
#define DOCTOR_DNS       2U
#define DOCTOR_VLANS     8U
#define DOCTOR_NAME_SIZE 64U
#define DOCTOR_URL_SIZE  256U

/* One DHCP offer. */
struct doctor_offer {
  enum doctor_answer http;  /* to the DISCOVER of an HTTP client; else to that of a PXE client  */
  enum doctor_answer proxy; /* of a proxyDHCP: boot information and no address (PXE 2.1, 2.2.3) */
  uint32_t server;          /* option 54; 0: without one                                        */
  uint32_t address;
  uint32_t mask;
  uint32_t gateway;
  uint32_t dns[DOCTOR_DNS];
  uint32_t lease_s;           /* 0: not told */
  uint32_t next_server;       /* siaddr, or option 66 if that is an address */
  char file[DOCTOR_URL_SIZE]; /* the boot file, or the URL                  */
};

struct doctor_vlan {
  uint16_t id; /* 1 to 4094 */
  uint32_t frames;
};

/* What became of fetching the boot file. */
enum doctor_fetch {
  DOCTOR_FETCH_UNASKED,
  DOCTOR_FETCH_WHOLE,
  DOCTOR_FETCH_NOT_FOUND,   /* TFTP error 1, HTTP 404                           */
  DOCTOR_FETCH_REFUSED,     /* another TFTP error, another HTTP status          */
  DOCTOR_FETCH_NO_ANSWER,   /* not a byte and no word                           */
  DOCTOR_FETCH_PORT_CLOSED, /* ICMP port unreachable, or a TCP reset            */
  DOCTOR_FETCH_STOPPED,     /* it began, and then nothing came any more         */
  DOCTOR_FETCH_NO_NAME,     /* DNS does not know the server, or does not answer */
  DOCTOR_FETCH_TOO_LARGE,   /* for the memory of this machine                   */
  DOCTOR_FETCH_UNSUPPORTED, /* this firmware or netdiag cannot fetch such a URL */
};

/* What the boot file is. */
enum doctor_file {
  DOCTOR_FILE_UNASKED,
  DOCTOR_FILE_IMAGE,          /* a PE image of an EFI application for this machine    */
  DOCTOR_FILE_OTHER_MACHINE,  /* a PE image for another one                           */
  DOCTOR_FILE_NO_APPLICATION, /* a PE image for this machine, but a driver            */
  DOCTOR_FILE_NO_IMAGE,       /* something else: a script, a BIOS loader, a web page  */
  DOCTOR_FILE_EMPTY,
};

/* What LoadImage said. */
enum doctor_load {
  DOCTOR_LOAD_UNASKED,
  DOCTOR_LOAD_ACCEPTED,
  DOCTOR_LOAD_REFUSED, /* by Secure Boot           */
  DOCTOR_LOAD_FAILED,  /* for any other reason     */
};

struct doctor_evidence {
  uint32_t reached;           /* so many of the checks have what they can get; the rest were not come to */
  enum doctor_answer aborted; /* somebody pressed Esc                                                    */
  uint32_t listened_s;        /* for frames, all in all                                                  */

  /* The NIC */
  uint32_t nics;                /* network controllers on the PCI bus            */
  enum doctor_answer supported; /* a family here knows it                        */
  char nic[DOCTOR_NAME_SIZE];   /* "eth0"                                        */
  char model[DOCTOR_NAME_SIZE];
  char location[DOCTOR_NAME_SIZE];
  uint16_t vendor_id;
  uint16_t device_id;
  uint8_t mac[6];
  uint8_t permanent_mac[6];
  enum doctor_answer mac_seen;
  char mac_twin[DOCTOR_NAME_SIZE]; /* another NIC of this machine with this address */
  uint32_t own_mac_heard;          /* frames from our address that we did not send  */

  /* Its driver */
  enum doctor_holder holder;
  char holder_name[DOCTOR_NAME_SIZE];
  char driver_file[DOCTOR_NAME_SIZE]; /* the image of ours that would drive it: "e1000.efi" */
  enum doctor_answer option_rom;      /* the holder came from one                           */
  enum doctor_answer holder_snp;      /* the holder offers SNP                              */
  enum doctor_answer lent;            /* it was taken from the holder, and goes back */
  enum doctor_answer started;         /* NO: netdiag's driver does not start on it */
  char start_error[DOCTOR_NAME_SIZE];
  enum doctor_answer gone; /* it stopped answering in the middle */

  /* Its insides */
  enum doctor_answer nvm;      /* NO: it has none              */
  enum doctor_answer nvm_good; /* the checksum adds up         */
  uint32_t nvm_sum;
  enum doctor_answer bus_master;
  uint32_t dma_bits;
  uint64_t free_bytes;    /* of memory                    */
  uint64_t largest_bytes; /* the largest piece of that    */

  /* The link */
  enum doctor_answer link;
  uint32_t link_wait_s;
  uint32_t link_drops; /* since it first came up     */
  uint32_t speed_mbps; /* 0: not known               */
  enum doctor_answer full_duplex;
  enum doctor_answer partner_negotiates;
  char partner_offers[DOCTOR_NAME_SIZE]; /* "10 10FD 100 100FD 1000FD" */

  /* Frames */
  uint64_t frames_given; /* to the NIC, to be sent                    */
  uint64_t frames_out;   /* that left it                              */
  uint64_t frames_in;    /* heard, whoever they were for              */
  uint64_t untagged_in;
  uint64_t priority_in; /* tagged with VLAN 0                        */
  uint64_t damaged_in;
  uint64_t missed_in;
  uint64_t hangs;
  struct doctor_vlan vlans[DOCTOR_VLANS];
  uint32_t vlan_count;
  uint16_t reply_vlan;           /* answers to us were tagged with this one; 0: none were */
  uint32_t bpdus;                /* spanning tree                                          */
  uint64_t link_local_in;        /* those, LLDP and CDP: what a switch itself says */
  enum doctor_answer forwarding; /* what RSTP says of the switch's port           */
  char switch_name[DOCTOR_NAME_SIZE];
  char switch_port[DOCTOR_NAME_SIZE];

  /* DHCP, or an address given by hand */
  enum doctor_answer by_hand;
  uint32_t discovers;
  uint32_t dhcp_wait_s;
  struct doctor_offer offers[DOCTOR_OFFERS];
  uint32_t offer_count;
  enum doctor_answer acknowledged; /* the server gave the address that it had offered */
  enum doctor_answer refused;      /* NO: there was no answer                         */
  char refusal[DOCTOR_NAME_SIZE];
  uint32_t address;
  uint32_t mask;
  uint32_t gateway;
  enum doctor_answer taken; /* somebody else answers for the address */
  uint8_t rival[6];
  enum doctor_answer gateway_answers;

  /* The way to the boot file */
  char url[DOCTOR_URL_SIZE]; /* tftp://SERVER/FILE or http://..., "" = none */
  enum doctor_answer url_by_hand;
  enum doctor_answer url_from_6; /* it is url6, since nothing is named over IPv4 */
  uint32_t server;
  enum doctor_answer server_arp;
  enum doctor_answer server_ping;
  uint64_t ping_us;
  uint32_t unreachable_from;   /* who said so                                */
  enum doctor_answer big_ping; /* a packet of 1500 bytes got an answer      */
  uint32_t path_mtu;           /* told by ICMP, or the largest that passed  */
  enum doctor_fetch fetch;
  uint32_t fetch_code; /* TFTP error or HTTP status                  */
  char fetch_text[DOCTOR_NAME_SIZE];
  uint64_t fetch_bytes;
  uint64_t fetch_ms;
  uint32_t retransmissions;
  enum doctor_file file;
  uint16_t file_machine; /* PE's number */
  uint16_t own_machine;
  enum doctor_answer file_signed;
  enum doctor_load load;
  enum doctor_answer secure_boot;

  /* The firmware */
  enum doctor_answer stack_seen; /* looked for one                        */
  enum doctor_answer stack_mnp;
  enum doctor_answer stack_ip4;
  enum doctor_answer stack_tftp;
  enum doctor_answer stack_pxe;
  enum doctor_answer stack_http;
  enum doctor_answer stack_idle; /* there is one, but not on this NIC     */
  enum doctor_answer rng;
  enum doctor_answer boot_order; /* NO: there is none                     */
  uint32_t boot_options;         /* in it                                 */
  uint32_t boot_entries;         /* for this NIC, in the order or not     */
  uint32_t boot_place;           /* of the first that is, from 1; 0: none */

  /* IPv6 */
  enum doctor_answer router6;
  enum doctor_answer dhcp6;
  char url6[DOCTOR_URL_SIZE];
};

#endif
