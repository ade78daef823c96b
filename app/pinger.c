/* pinger.c - ping's accounting: which answer is whose, what counts, and why the rest does not. Pure C. */
#include "pinger.h"

#include <string.h>

#include "../driver/lib/format.h"

#define US_PER_MS 1000U

/* Requests ------------------------------------------------------------------------------------------------------- */

static uint64_t timeout_us(const struct pinger *pinger) {
  return (uint64_t)pinger->config.timeout_ms * US_PER_MS;
}

static struct pinger_slot *slot_of(const struct pinger *pinger, uint32_t number) {
  return &pinger->slots[number % pinger->slot_count];
}

/* Or its slot is a later request's. */
static bool is_remembered(const struct pinger *pinger, uint32_t number) {
  return pinger->numbered - number < pinger->slot_count;
}

static uint64_t since(const struct pinger_slot *slot, uint64_t now_us) {
  return now_us > slot->sent_us ? now_us - slot->sent_us : 0;
}

uint32_t pinger_slots_needed(const struct pinger_config *config) {
  uint32_t under_way = config->timeout_ms / config->interval_ms + 2U;
  return config->count < under_way ? config->count : under_way;
}

void pinger_init(struct pinger *pinger, const struct pinger_config *config, struct pinger_slot *slots,
                 uint32_t slot_count) {
  memset(pinger, 0, sizeof(*pinger));
  pinger->config = *config;
  pinger->slots = slots;
  pinger->slot_count = slot_count;
}

struct pinger_request pinger_request(struct pinger *pinger, uint64_t now_us) {
  uint32_t number = ++pinger->numbered;
  *slot_of(pinger, number) = (struct pinger_slot){.sent_us = now_us};
  pinger->newest_open = number;
  return (struct pinger_request){
      .number = number,
      .id = (uint16_t)(pinger->config.id + (number >> 16)),
      .sequence = (uint16_t)number,
  };
}

void pinger_not_sent(struct pinger *pinger) {
  struct pinger_slot *slot = slot_of(pinger, pinger->numbered);
  /* Answered all the same: then it has left, as far as anybody can tell. */
  if(!slot->answered) {
    slot->settled = true;
    slot->unsent = true;
    pinger->unsent++;
  }
}

bool pinger_finished(struct pinger *pinger, uint64_t now_us) {
  if(pinger->numbered < pinger->config.count) {
    return false;
  }
  while(pinger->newest_open > 0) {
    const struct pinger_slot *slot = slot_of(pinger, pinger->newest_open);
    /* Everything before it was sent before it. */
    if(!is_remembered(pinger, pinger->newest_open) || since(slot, now_us) >= timeout_us(pinger)) {
      return true;
    }
    if(!slot->settled) {
      return false;
    }
    pinger->newest_open--;
  }
  return true;
}

/* Answers -------------------------------------------------------------------------------------------------------- */

/* The number of the request that an answer names, if it was made; else 0. */
static uint32_t number_of(const struct pinger *pinger, const struct inet_packet *packet) {
  uint32_t number = (uint32_t)(uint16_t)(packet->id - pinger->config.id) << 16 | packet->sequence;
  bool made = number > 0 && number <= pinger->numbered;
  return made && !(is_remembered(pinger, number) && slot_of(pinger, number)->unsent) ? number : 0;
}

static void add_square(uint64_t sum[2], uint64_t value) {
  uint64_t square = value * value;
  sum[0] += square;
  sum[1] += sum[0] < square;
}

static void count_reply(struct pinger *pinger, uint64_t rtt_us) {
  pinger->received++;
  pinger->sum_us += rtt_us;
  add_square(pinger->squares, rtt_us);
  pinger->min_us = pinger->received == 1 || rtt_us < pinger->min_us ? rtt_us : pinger->min_us;
  pinger->max_us = rtt_us > pinger->max_us ? rtt_us : pinger->max_us;
}

static bool is_our_data(const uint8_t *data, size_t length) {
  for(size_t i = 0; i < length; i++) {
    if(data[i] != (uint8_t)i) {
      return false;
    }
  }
  return true;
}

static enum pinger_verdict judge_reply(struct pinger *pinger, uint32_t number, uint64_t rtt_us,
                                       const struct inet_packet *packet) {
  struct pinger_slot *slot = slot_of(pinger, number);
  if(packet->data_length > pinger->config.size || !is_our_data(packet->data, packet->data_length)) {
    return PINGER_DAMAGED;
  }
  if(packet->data_length < pinger->config.size) {
    return PINGER_CUT;
  }
  if(!is_remembered(pinger, number)) {
    return PINGER_LATE;
  }
  if(slot->answered) {
    return PINGER_DUPLICATE;
  }
  if(rtt_us > timeout_us(pinger)) {
    return PINGER_LATE;
  }
  slot->answered = true;
  slot->settled = true;
  count_reply(pinger, rtt_us);
  pinger->priority_tagged += packet->tagged;
  return PINGER_REPLY;
}

static enum pinger_verdict judge_error(struct pinger *pinger, uint32_t number, const struct inet_packet *packet) {
  if(is_remembered(pinger, number) && packet->type != INET_ICMP_REDIRECT && packet->type != INET_ICMP_QUENCH) {
    slot_of(pinger, number)->settled = true; /* the others only say how it goes on */
  }
  switch(packet->type) {
  case INET_ICMP_UNREACHABLE:
    return PINGER_UNREACHABLE;
  case INET_ICMP_TIME_EXCEEDED:
    return PINGER_TIME_EXCEEDED;
  default:
    return PINGER_OTHER_ERROR;
  }
}

static enum pinger_verdict verdict_of_fault(enum inet_fault fault) {
  switch(fault) {
  case INET_OTHER_VLAN:
    return PINGER_VLAN;
  case INET_FRAGMENT:
    return PINGER_FRAGMENT;
  case INET_TRUNCATED:
    return PINGER_TRUNCATED;
  case INET_BAD_CHECKSUM:
    return PINGER_CHECKSUM;
  case INET_BAD_STATION:
    return PINGER_STATION;
  case INET_SOUND:
    break;
  }
  return PINGER_NOT_OURS;
}

/* A later fragment says no more than its addresses. */
static bool is_nameless(const struct inet_packet *packet) {
  return packet->fault == INET_FRAGMENT && packet->offset > 0;
}

static bool concerns_us(const struct pinger *pinger, const struct inet_packet *packet, enum inet_kind kind,
                        uint32_t number) {
  if(is_nameless(packet)) {
    return packet->source == pinger->config.target && packet->destination == pinger->config.own;
  }
  if(kind == INET_ERROR) {
    return number > 0 && packet->about_from == pinger->config.own && packet->about_to == pinger->config.target;
  }
  return kind == INET_ECHO_REPLY && number > 0;
}

static enum pinger_verdict judge(struct pinger *pinger, uint32_t number, uint64_t rtt_us, enum inet_kind kind,
                                 const struct inet_packet *packet) {
  if(packet->kind == INET_UNUSABLE) {
    return verdict_of_fault(packet->fault);
  }
  if(packet->destination != pinger->config.own) {
    return PINGER_DESTINATION;
  }
  if(kind == INET_ERROR) {
    return judge_error(pinger, number, packet);
  }
  if(packet->source != pinger->config.target) {
    return PINGER_SOURCE;
  }
  return judge_reply(pinger, number, rtt_us, packet);
}

static void put_line(struct pinger *pinger, const struct pinger_line *line) {
  if(pinger->config.quiet) {
    return;
  }
  if(pinger->line_tail - pinger->line_head == PINGER_LINES) {
    pinger->lines_lost++;
    return;
  }
  pinger->lines[pinger->line_tail++ % PINGER_LINES] = *line;
}

enum pinger_verdict pinger_receive(struct pinger *pinger, uint64_t now_us, const struct inet_packet *packet) {
  enum inet_kind kind = packet->kind == INET_UNUSABLE ? packet->would_be : packet->kind;
  uint32_t number = is_nameless(packet) ? 0 : number_of(pinger, packet);
  if(!concerns_us(pinger, packet, kind, number)) {
    return PINGER_NOT_OURS;
  }
  bool timed = number > 0 && is_remembered(pinger, number);
  uint64_t rtt_us = timed ? since(slot_of(pinger, number), now_us) : UINT64_MAX;
  const struct pinger_line line = {
      .verdict = judge(pinger, number, rtt_us, kind, packet),
      .sequence = number,
      .from = packet->source,
      .to = packet->destination,
      .rtt_us = rtt_us,
      .data_length = (uint32_t)packet->data_length,
      .size = pinger->config.size,
      .mtu = packet->mtu,
      .vlan = packet->vlan,
      .offset = packet->offset,
      .ttl = packet->ttl,
      .type = packet->type,
      .code = packet->code,
  };
  if(line.verdict < PINGER_VERDICTS) {
    pinger->verdicts[line.verdict]++;
    put_line(pinger, &line);
  }
  return line.verdict;
}

bool pinger_next_line(struct pinger *pinger, struct pinger_line *line) {
  if(pinger->line_head == pinger->line_tail) {
    return false;
  }
  *line = pinger->lines[pinger->line_head++ % PINGER_LINES];
  return true;
}

/* Sums ----------------------------------------------------------------------------------------------------------- */

uint32_t pinger_sent(const struct pinger *pinger) {
  return pinger->numbered - pinger->unsent;
}

uint32_t pinger_loss_percent(const struct pinger *pinger) {
  uint64_t sent = pinger_sent(pinger);
  return sent ? (uint32_t)((sent - pinger->received) * 100U / sent) : 0;
}

uint64_t pinger_mean_us(const struct pinger *pinger) {
  return pinger->received ? pinger->sum_us / pinger->received : 0;
}

/* sum -= a * b, in 128 bits */
static void subtract_product(uint64_t sum[2], uint32_t a, uint64_t b) {
  uint64_t low = a * (b & UINT32_MAX);
  uint64_t high = a * (b >> 32);
  uint64_t part = high << 32;
  uint64_t product = low + part;
  sum[1] -= (high >> 32) + (product < low) + (sum[0] < product);
  sum[0] -= product;
}

/* The quotient of 128 bits; it fits 64. */
static uint64_t divide(const uint64_t sum[2], uint32_t divisor) {
  uint64_t rest = sum[1] % divisor;
  rest = rest << 32 | sum[0] >> 32;
  uint64_t high = rest / divisor;
  rest = (rest % divisor) << 32 | (sum[0] & UINT32_MAX);
  return high << 32 | rest / divisor;
}

/* Newton's method, rounded down. */
static uint64_t square_root(uint64_t value) {
  uint64_t root = value;
  for(uint64_t next = value / 2U + value % 2U; next < root;) {
    root = next;
    next = (root + value / root) / 2U;
  }
  return root;
}

/*
 * With n times, their sum S = n * m + r, and Q the sum of their squares, the sum of (time - m)^2 is Q - m * S - m * r.
 * Exact, where Q / n - m * m would be off by up to 2 * m for the fraction that m lost. A time is at most the time-out,
 * 3.6e9 us: below 2^32, so that S fits 64 bits and Q 96.
 */
uint64_t pinger_deviation_us(const struct pinger *pinger) {
  if(pinger->received == 0) {
    return 0;
  }
  uint64_t sum[2] = {pinger->squares[0], pinger->squares[1]};
  uint32_t mean = (uint32_t)pinger_mean_us(pinger);
  subtract_product(sum, mean, pinger->sum_us);
  subtract_product(sum, mean, pinger->sum_us % pinger->received);
  return square_root(divide(sum, pinger->received));
}

/* Text ----------------------------------------------------------------------------------------------------------- */

struct text {
  char *at;
  size_t left;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t length = format_text(text->at, text->left, format, arguments);
  va_end(arguments);
  length = length < text->left ? length : text->left - 1U;
  text->at += length;
  text->left -= length;
}

static void put_ipv4(struct text *text, uint32_t address) {
  put(text, "%u.%u.%u.%u", address >> 24, address >> 16 & 0xFFU, address >> 8 & 0xFFU, address & 0xFFU);
}

static void put_reply(struct text *text, const struct pinger_line *line, const char *remark) {
  put(text, "%u bytes from ", line->data_length + 8U);
  put_ipv4(text, line->from);
  put(text, ": icmp_seq=%u ttl=%u time=", line->sequence, (unsigned)line->ttl);
  if(line->rtt_us == UINT64_MAX) {
    put(text, "unknown%s", remark);
  } else {
    put(text, "%llu.%03llu ms%s", (unsigned long long)(line->rtt_us / 1000U),
        (unsigned long long)(line->rtt_us % 1000U), remark);
  }
}

/* What is unreachable, by RFC 792, 1122 and 1812. Short, so that a line keeps to 80 columns. */
static void put_unreachable(struct text *text, const struct pinger_line *line) {
  static const char *const codes[] = {
      "network",           "host",         "protocol",        "port",           "too big",     "source route",
      "network unknown",   "host unknown", "source isolated", "network barred", "host barred", "network for this TOS",
      "host for this TOS", "barred",       "precedence",      "precedence",
  };
  bool known = line->code < sizeof(codes) / sizeof(codes[0]);
  put(text, "unreachable: %s (code %u)", known ? codes[line->code] : "unknown", (unsigned)line->code);
  if(line->mtu) {
    put(text, ", MTU %u", (unsigned)line->mtu);
  }
}

static void put_error(struct text *text, const struct pinger_line *line) {
  switch(line->type) {
  case INET_ICMP_UNREACHABLE:
    put_unreachable(text, line);
    break;
  case INET_ICMP_TIME_EXCEEDED:
    put(text, "time exceeded %s (code %u)", line->code == 0 ? "on the way" : "in reassembly", (unsigned)line->code);
    break;
  case INET_ICMP_REDIRECT:
    put(text, "redirect to another gateway (code %u)", (unsigned)line->code);
    break;
  case INET_ICMP_QUENCH:
    put(text, "source quench");
    break;
  default:
    put(text, "ICMP type %u code %u", (unsigned)line->type, (unsigned)line->code);
    break;
  }
}

static void put_reason(struct text *text, const struct pinger_line *line) {
  put(text, "From ");
  put_ipv4(text, line->from);
  if(line->sequence) {
    put(text, " icmp_seq=%u", line->sequence);
  }
  put(text, " ");
  switch(line->verdict) {
  case PINGER_FRAGMENT:
    put(text, "fragment at byte %u", (unsigned)line->offset);
    break;
  case PINGER_VLAN:
    put(text, "tagged with VLAN %u", (unsigned)line->vlan);
    break;
  case PINGER_SOURCE:
    put(text, "not the target's address");
    break;
  case PINGER_DESTINATION:
    put(text, "to ");
    put_ipv4(text, line->to);
    put(text, ", not to us");
    break;
  case PINGER_TRUNCATED:
    put(text, "shorter than its IPv4 length");
    break;
  case PINGER_CHECKSUM:
    put(text, "bad checksum");
    break;
  case PINGER_STATION:
    put(text, "no station can have this address");
    break;
  default:
    put_error(text, line);
    break;
  }
}

const char *pinger_line_text(const struct pinger_line *line, char buffer[PINGER_LINE_SIZE]) {
  struct text text = {buffer, PINGER_LINE_SIZE};
  switch(line->verdict) {
  case PINGER_REPLY:
    put_reply(&text, line, "");
    break;
  case PINGER_DUPLICATE:
    put_reply(&text, line, " (DUP!)");
    break;
  case PINGER_DAMAGED:
    put_reply(&text, line, " (DAMAGED)");
    break;
  case PINGER_LATE:
    put_reply(&text, line, " (too late)");
    break;
  case PINGER_CUT:
    put_reply(&text, line, "");
    put(&text, " (cut from %u)", line->size + 8U);
    break;
  default:
    put_reason(&text, line);
    break;
  }
  return buffer;
}

const char *pinger_verdict_text(enum pinger_verdict verdict) {
  static const char *const texts[PINGER_VERDICTS] = {
      [PINGER_DUPLICATE] = "duplicates",
      [PINGER_DAMAGED] = "damaged",
      [PINGER_CUT] = "cut short by the answering host",
      [PINGER_LATE] = "later than -W",
      [PINGER_UNREACHABLE] = "destination unreachable",
      [PINGER_TIME_EXCEEDED] = "time exceeded",
      [PINGER_OTHER_ERROR] = "other ICMP errors",
      [PINGER_FRAGMENT] = "in fragments",
      [PINGER_VLAN] = "tagged with another VLAN",
      [PINGER_SOURCE] = "from another address",
      [PINGER_DESTINATION] = "to another address",
      [PINGER_TRUNCATED] = "truncated on the way",
      [PINGER_CHECKSUM] = "with a bad checksum",
      [PINGER_STATION] = "from an impossible address",
  };
  return verdict < PINGER_VERDICTS ? texts[verdict] : NULL;
}
