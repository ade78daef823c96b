/* pinger.h - ping's accounting: which answer is whose, what counts, and why the rest does not. Pure C. */
#ifndef APP_PINGER_H
#define APP_PINGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../driver/lib/inet.h"

/*
 * A request has a number from 1 to UINT32_MAX. On the wire its lower 16 bits are the ICMP sequence, and its upper 16
 * are added to the ICMP identifier, so that an answer names one request only, however many are under way. A request is
 * remembered for the time-out and longer; its answer counts once, and only within the time-out, so that it does not
 * matter whether others were sent after it.
 *
 * Nothing from the wire is believed beyond that: 0 <= received <= sent, whatever arrives.
 *
 * Not reentrant: the caller keeps pinger_receive (timer events) and everything else apart.
 */
struct pinger_config {
  uint32_t count;       /* requests at the most, from 1                                         */
  uint32_t size;        /* bytes of data, 1 to INET_ECHO_MAX; byte i is i & 0xFF                */
  uint32_t interval_ms; /* between two requests at the least, from 1                            */
  uint32_t timeout_ms;  /* 1 to 3600000                                                         */
  uint32_t target;
  uint32_t own;
  uint16_t id;
  bool quiet; /* nothing is put down for pinger_next_line                             */
};

/* What became of something that arrived. */
enum pinger_verdict {
  PINGER_REPLY, /* counts                                                            */
  /* Belongs to us and does not count: */
  PINGER_DUPLICATE,
  PINGER_DAMAGED,       /* data that we did not send                                         */
  PINGER_CUT,           /* a part of our data, which the answering host cut short            */
  PINGER_LATE,          /* after the time-out                                                */
  PINGER_UNREACHABLE,   /* ICMP errors                                                       */
  PINGER_TIME_EXCEEDED, /*                                                                   */
  PINGER_OTHER_ERROR,   /*                                                                   */
  PINGER_FRAGMENT,
  PINGER_VLAN,
  PINGER_SOURCE,      /* from another address than the target's                            */
  PINGER_DESTINATION, /* to another address than ours                                      */
  PINGER_TRUNCATED,   /* shorter than its IPv4 header says                                 */
  PINGER_CHECKSUM,
  PINGER_STATION, /* from an address that no station can have                          */
  PINGER_VERDICTS,
  PINGER_NOT_OURS = PINGER_VERDICTS,
};

struct pinger_slot {
  uint64_t sent_us;
  bool answered; /* by a reply that counts                     */
  bool settled;  /* by that or by an error: not waited for     */
  bool unsent;   /* it never left                              */
};

/* One line that is worth printing. */
struct pinger_line {
  enum pinger_verdict verdict;
  uint32_t sequence; /* 0: not told by what arrived       */
  uint32_t from;
  uint32_t to;
  uint64_t rtt_us; /* UINT64_MAX: too long ago to know */
  uint32_t data_length;
  uint32_t size; /* of the request's data */
  uint16_t mtu;
  uint16_t vlan;
  uint16_t offset;
  uint8_t ttl;
  uint8_t type; /* of an ICMP error */
  uint8_t code;
};

#define PINGER_LINES     64U
#define PINGER_LINE_SIZE 160U

struct pinger {
  struct pinger_config config;
  struct pinger_slot *slots;
  uint32_t slot_count;
  uint32_t numbered; /* the newest request's number                          */
  uint32_t unsent;   /* requests that did not leave                          */
  uint32_t received;
  uint32_t newest_open; /* no request after this one is waited for              */
  uint64_t verdicts[PINGER_VERDICTS];
  uint64_t priority_tagged; /* answers that count, with VLAN 0                      */
  uint64_t lines_lost;      /* because nobody took them in time                     */
  uint64_t min_us;
  uint64_t max_us;
  uint64_t sum_us;
  uint64_t squares[2]; /* sum of the squares, low and high half                */
  struct pinger_line lines[PINGER_LINES];
  uint32_t line_head;
  uint32_t line_tail;
};

/* What a request says on the wire. */
struct pinger_request {
  uint32_t number;
  uint16_t id;
  uint16_t sequence;
};

/* How many slots pinger_init needs so that no request is forgotten before its time-out: at most 3600002. */
uint32_t pinger_slots_needed(const struct pinger_config *config);

/* `slots` (at least one) stay the caller's; with fewer than needed, the oldest requests are taken for lost. */
void pinger_init(struct pinger *pinger, const struct pinger_config *config, struct pinger_slot *slots,
                 uint32_t slot_count);

/* Numbers the next request. Before it is sent, for its answer may be there at once. Not after config.count requests. */
struct pinger_request pinger_request(struct pinger *pinger, uint64_t now_us);

/* The newest request could not be sent after all: it is neither waited for nor counted. */
void pinger_not_sent(struct pinger *pinger);

/* Judges what inet_parse made of a frame, and counts it. PINGER_NOT_OURS: it is about something else. */
enum pinger_verdict pinger_receive(struct pinger *pinger, uint64_t now_us, const struct inet_packet *packet);

/* True when every request has been sent, and each was answered or has timed out. */
bool pinger_finished(struct pinger *pinger, uint64_t now_us);

/* Takes the oldest line; false when there is none. */
bool pinger_next_line(struct pinger *pinger, struct pinger_line *line);

uint32_t pinger_sent(const struct pinger *pinger);
uint32_t pinger_loss_percent(const struct pinger *pinger); /* 0 to 100, rounded down; 0 when nothing was sent */
uint64_t pinger_mean_us(const struct pinger *pinger);      /* 0 when nothing was received                    */
uint64_t pinger_deviation_us(const struct pinger *pinger); /* the standard deviation, rounded down           */

/* The line without its newline, PINGER_LINE_SIZE bytes at the most; returns `text`. */
const char *pinger_line_text(const struct pinger_line *line, char text[PINGER_LINE_SIZE]);

/* What the summary calls a verdict: "3 time exceeded". NULL for PINGER_REPLY. */
const char *pinger_verdict_text(enum pinger_verdict verdict);

#endif
