/* frame_filter.h - which frames are wanted, as words: "host 10.0.0.1 and not port 53". Pure C, tested and fuzzed on the
 * host.
 *
 *   words    := either { "or" either }
 *   either   := both { ["and"] both }            that is, "and" binds closer than "or", and may be left out
 *   both     := { "not" } ( "(" words ")" | what )
 *   what     := "host" A.B.C.D | "port" N | "ether" MAC | "vlan" [ID] | "arp" | "ip" | "ip6" | "icmp" | "icmp6"
 *               | "udp" | "tcp" | "dhcp" | "tftp" | "http"
 *
 * "host" is an IPv4 address, of a packet or in ARP. "dhcp" is UDP port 67 or 68; "http" is TCP port 80 or 8080; "tftp"
 * is UDP port 69, and what goes to and from the port that asked there. Tags are looked behind, two of them at the most.
 */
#ifndef APP_FRAME_FILTER_H
#define APP_FRAME_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_STEPS_MAX  64U
#define FILTER_DEPTH_MAX  32U /* of what waits for its end      */
#define FILTER_TFTP_MAX   16U /* askers that are remembered     */
#define FILTER_ERROR_SIZE 192U

struct filter_step {
  uint8_t kind;    /* frame_filter.c's               */
  uint32_t number; /* an address, port or VLAN       */
  uint8_t mac[6];
};

/* Who asked a TFTP server for a file: the server answers from a port of its own choice (RFC 1350, 4). */
struct filter_asker {
  uint8_t address[16];
  uint32_t address_length; /* 0: none */
  uint16_t port;
};

struct frame_filter {
  struct filter_step steps[FILTER_STEPS_MAX]; /* in the order of their evaluation, on a stack of truths */
  uint32_t count;                             /* 0: everything is wanted */
  bool wants_tftp;
  struct filter_asker askers[FILTER_TFTP_MAX];
  uint32_t next_asker;
};

/* Makes a filter of the words. False on a mistake: `error` (FILTER_ERROR_SIZE bytes) then names it and the remedy. No
 * words: everything is wanted. */
bool frame_filter_compile(struct frame_filter *filter, const char *const words[], int count, char *error);

/* Whether the frame is wanted. Bounded; looks at `length` bytes and no further. Remembers who asks for files. */
bool frame_filter_match(struct frame_filter *filter, const void *frame, size_t length);

#endif
