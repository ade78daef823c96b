/* fuzz_ping.c - ping's accounting: requests and answers in any order and at any time, as frames of a peer and of
 * anybody. A model without slots, windows and 16 bits says what each must count for. */
#include "fuzz.h"

#include "pinger.h"
#include "unit.h"

#define OURS      0x0A000001U
#define TARGET    0x0A000002U
#define STEPS_MAX 300U
/* One of PINGER_LATE and PINGER_DUPLICATE: the request may be forgotten. */
#define LATE_DUPLICATE ((enum pinger_verdict)(PINGER_NOT_OURS + 1))

#define REQUESTS_MAX 140000U /* beyond 16 bits twice */

static const struct inet_host us = {.mac = {2, 0, 0, 0, 0, 1}, .address = OURS, .mask = 0xFFFFFF00U};
static const struct inet_host them = {.mac = {2, 0, 0, 0, 0, 2}, .address = TARGET, .mask = 0xFFFFFF00U};

/* One for each request, never reused. */
struct record {
  uint64_t sent_us;
  bool unsent;
  bool answered;
};

struct bench {
  struct fuzz in;
  struct pinger pinger;
  struct record *records;
  uint64_t now_us;
  uint32_t unsent;
  uint32_t received;
  uint64_t verdicts[PINGER_VERDICTS + 1U];
  uint64_t times_us;
  uint64_t min_us;
  uint64_t max_us;
  uint8_t data[INET_ECHO_MAX];
};

/* Steps ---------------------------------------------------------------------------------------------------------- */

static void request(struct bench *bench) {
  struct pinger *pinger = &bench->pinger;
  if(pinger->numbered == pinger->config.count) {
    return;
  }
  bench->now_us += pinger->config.interval_ms * 1000ULL; /* never faster than it says */
  struct pinger_request request = pinger_request(pinger, bench->now_us);
  assert_int_equal(request.number, pinger->numbered);
  bench->records[request.number] = (struct record){.sent_us = bench->now_us};
}

static void not_sent(struct bench *bench) {
  struct record *record = &bench->records[bench->pinger.numbered];
  if(bench->pinger.numbered > 0 && !record->unsent) {
    pinger_not_sent(&bench->pinger);
    record->unsent = !record->answered;
    bench->unsent += record->unsent;
  }
}

/* What a whole and honest answer to a request counts for. */
static enum pinger_verdict expected(struct bench *bench, uint32_t number) {
  struct pinger *pinger = &bench->pinger;
  if(number == 0 || number > pinger->numbered || bench->records[number].unsent) {
    return PINGER_NOT_OURS;
  }
  struct record *record = &bench->records[number];
  bool late = bench->now_us - record->sent_us > pinger->config.timeout_ms * 1000ULL;
  if(record->answered) {
    return late ? LATE_DUPLICATE : PINGER_DUPLICATE;
  }
  return late ? PINGER_LATE : PINGER_REPLY;
}

static void receive(struct bench *bench, const uint8_t *frame, size_t length, bool honest, uint32_t number) {
  struct inet_packet packet;
  uint8_t *copy = malloc(length ? length : 1U);
  assert_non_null(copy);
  memcpy(copy, frame, length);
  inet_parse(copy, length, &packet);
  enum pinger_verdict wanted = expected(bench, number);
  uint32_t before = bench->pinger.received;
  enum pinger_verdict verdict = pinger_receive(&bench->pinger, bench->now_us, &packet);
  free(copy);
  assert_true(verdict <= PINGER_NOT_OURS);
  bench->verdicts[verdict]++;
  if(honest && wanted == LATE_DUPLICATE) {
    assert_true(verdict == PINGER_LATE || verdict == PINGER_DUPLICATE);
  } else if(honest) {
    assert_int_equal(verdict, wanted);
  }
  assert_int_equal(bench->pinger.received, before + (verdict == PINGER_REPLY));
  if(verdict != PINGER_REPLY) {
    return;
  }
  /* Whatever counts was asked for, is in time, and counts once: also what nobody meant as an answer. */
  uint32_t named = (uint32_t)(uint16_t)(packet.id - bench->pinger.config.id) << 16 | packet.sequence;
  assert_int_equal(expected(bench, named), PINGER_REPLY);
  uint64_t rtt_us = bench->now_us - bench->records[named].sent_us;
  bench->records[named].answered = true;
  bench->min_us = bench->received == 0 || rtt_us < bench->min_us ? rtt_us : bench->min_us;
  bench->max_us = rtt_us > bench->max_us ? rtt_us : bench->max_us;
  bench->times_us += rtt_us;
  bench->received++;
}

/* The answer to one request or another, then changed, tagged, cut or quoted as the input says. */
static void answer(struct bench *bench) {
  uint8_t frame[INET_FRAME_SIZE + 8U] = {0};
  uint8_t reply[INET_FRAME_SIZE + 8U] = {0};
  struct inet_packet asked;
  uint8_t how = fuzz_u8(&bench->in);
  uint32_t number = bench->pinger.numbered - (how & 1U ? fuzz_u32(&bench->in) % 200000U : fuzz_u8(&bench->in));
  size_t length = inet_echo_request(frame, &us, them.mac, TARGET, (uint16_t)(bench->pinger.config.id + (number >> 16)),
                                    (uint16_t)number, bench->data, bench->pinger.config.size);
  inet_parse(frame, length, &asked);
  if(how & 2U) { /* an error about it */
    struct inet_host router = them;
    router.address += fuzz_u8(&bench->in) % 4U;
    length = inet_echo_request(reply, &router, us.mac, OURS, 0, fuzz_u16(&bench->in), frame + 14,
                               28U + fuzz_u8(&bench->in) % 8U < length - 14U ? 28U : length - 14U);
    reply[34] = fuzz_u8(&bench->in) % 16U;
    reply[35] = fuzz_u8(&bench->in);
  } else {
    length = inet_echo_reply(reply, &them, &asked);
  }
  bool changed = (how & 2U) != 0;
  for(uint32_t patches = how >> 2 & 3U; patches > 0; patches--) {
    size_t at = fuzz_u8(&bench->in) % length;
    uint8_t value = fuzz_u8(&bench->in);
    changed = changed || (at >= 12U && reply[at] != value);
    reply[at] = value;
  }
  if(how & 0x10U) {
    length -= fuzz_u8(&bench->in) % length;
    changed = true;
  }
  if(how & 0x20U) {
    uint8_t tag[4] = {0x81, 0, fuzz_u8(&bench->in), how & 0x40U ? fuzz_u8(&bench->in) : 0};
    tag[2] &= how & 0x40U ? 0xFFU : 0xF0U; /* VLAN 0 is no change */
    changed = changed || (how & 0x40U);
    memmove(reply + 16, reply + 12, length > 12U ? length - 12U : 0);
    memcpy(reply + 12, tag, sizeof(tag));
    length += 4U;
  }
  bool usable = !(reply[6] & 1U) && (reply[6] | reply[7] | reply[8] | reply[9] | reply[10] | reply[11]);
  receive(bench, reply, length, !changed && usable, number);
}

static void anything(struct bench *bench) {
  uint8_t frame[200];
  receive(bench, frame, fuzz_bytes(&bench->in, frame, fuzz_u8(&bench->in) % sizeof(frame)), false, 0);
}

/* What the accounting must be at any time. */
static void check(struct bench *bench) {
  struct pinger *pinger = &bench->pinger;
  struct pinger_line line;
  char text[PINGER_LINE_SIZE];
  assert_int_equal(pinger_sent(pinger), pinger->numbered - bench->unsent);
  assert_true(pinger->received <= pinger_sent(pinger));
  assert_int_equal(pinger->received, bench->received);
  assert_true(pinger_loss_percent(pinger) <= 100U);
  for(uint32_t i = 0; i < PINGER_VERDICTS; i++) {
    assert_int_equal(pinger->verdicts[i], bench->verdicts[i]);
  }
  if(bench->received > 0) {
    assert_int_equal(pinger->min_us, bench->min_us);
    assert_int_equal(pinger->max_us, bench->max_us);
    assert_int_equal(pinger_mean_us(pinger), bench->times_us / bench->received);
    assert_true(pinger_deviation_us(pinger) <= (bench->max_us - bench->min_us) / 2U + 1U); /* Popoviciu */
  }
  while(pinger_next_line(pinger, &line)) {
    assert_true(strlen(pinger_line_text(&line, text)) < sizeof(text) - 1U);
  }
}

/* At the end it waits for exactly those that can still count. */
static void check_end(struct bench *bench) {
  struct pinger *pinger = &bench->pinger;
  bool open = pinger->numbered < pinger->config.count;
  for(uint32_t i = 1; i <= pinger->numbered && !open; i++) {
    const struct record *record = &bench->records[i];
    bool can_count =
        !record->answered && !record->unsent && bench->now_us - record->sent_us < pinger->config.timeout_ms * 1000ULL;
    open = can_count;
  }
  /* An error may have settled what is open here. */
  assert_true(open || pinger_finished(pinger, bench->now_us));
  bench->now_us += pinger->config.timeout_ms * 1000ULL;
  assert_int_equal(pinger_finished(pinger, bench->now_us), pinger->numbered == pinger->config.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct bench bench;
  memset(&bench, 0, sizeof(bench));
  bench.in = (struct fuzz){data, size};
  struct pinger_config config = {
      .count = fuzz_u32(&bench.in) % REQUESTS_MAX + 1U,
      .size = fuzz_u16(&bench.in) % INET_ECHO_MAX + 1U,
      .interval_ms = fuzz_u16(&bench.in) % 2000U + 1U,
      .timeout_ms = fuzz_u32(&bench.in) % 3600000U + 1U,
      .target = TARGET,
      .own = OURS,
      .id = fuzz_u16(&bench.in),
      .quiet = (fuzz_u8(&bench.in) & 1U) != 0,
  };
  for(size_t i = 0; i < sizeof(bench.data); i++) {
    bench.data[i] = (uint8_t)i;
  }
  uint32_t slots = pinger_slots_needed(&config);
  struct pinger_slot *memory = malloc(slots * sizeof(*memory));
  bench.records = malloc((config.count + 1U) * sizeof(*bench.records));
  assert_true(memory && bench.records);
  bench.now_us = fuzz_u16(&bench.in);
  bench.records[0] = (struct record){0};
  pinger_init(&bench.pinger, &config, memory, slots);
  for(uint32_t i = 0; i < STEPS_MAX && bench.in.left > 0; i++) {
    uint8_t step = fuzz_u8(&bench.in);
    switch(step % 8U) {
    case 0:
      for(uint32_t many = step & 0x40U ? 1U << (step >> 4 & 3U) * 5U : 1U; many > 0; many--) {
        request(&bench);
      }
      break;
    case 1:
      not_sent(&bench);
      break;
    case 2:
      bench.now_us += (uint64_t)fuzz_u32(&bench.in) >> (step >> 3);
      break;
    case 3:
      anything(&bench);
      break;
    default:
      answer(&bench);
      break;
    }
    check(&bench);
  }
  check_end(&bench);
  free(memory);
  free(bench.records);
  return 0;
}
