/* test_pinger.c - tests of ping's accounting: late answers, many requests, 16 bits and 64, and each reason not to
 * count. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "pinger.h"

#define OURS   0x0A000001U
#define TARGET 0x0A000002U
#define ROUTER 0x0A0000FEU
#define ID     0xFFFEU /* so that it wraps where the sequence does */
#define MS     1000ULL

static struct pinger pinger;
static struct pinger_slot *slots;
static uint8_t pattern[INET_ECHO_MAX];

static const struct inet_host target = {.mac = {2, 0, 0, 0, 0, 2}, .address = TARGET, .mask = 0xFFFFFF00U};

static void begin(uint32_t count, uint32_t interval_ms, uint32_t timeout_ms) {
  const struct pinger_config config = {.count = count,
                                       .size = 56,
                                       .interval_ms = interval_ms,
                                       .timeout_ms = timeout_ms,
                                       .target = TARGET,
                                       .own = OURS,
                                       .id = ID};
  uint32_t needed = pinger_slots_needed(&config);
  slots = malloc(needed * sizeof(*slots)); /* not zeroed: a slot is filled before it is looked at */
  assert_non_null(slots);
  memset(slots, 0xA5, needed * sizeof(*slots));
  pinger_init(&pinger, &config, slots, needed);
  for(size_t i = 0; i < sizeof(pattern); i++) {
    pattern[i] = (uint8_t)i;
  }
}

static void end(void) {
  free(slots);
  slots = NULL;
}

/* What the target answers to a request, as the parser sees it. `frame` holds its data. */
static struct inet_packet answer_to(uint32_t number) {
  return (struct inet_packet){.kind = INET_ECHO_REPLY,
                              .source = TARGET,
                              .destination = OURS,
                              .ttl = 64,
                              .id = (uint16_t)(ID + (number >> 16)),
                              .sequence = (uint16_t)number,
                              .data = pattern,
                              .data_length = 56};
}

static enum pinger_verdict receive(uint64_t now_us, uint32_t number) {
  const struct inet_packet packet = answer_to(number);
  return pinger_receive(&pinger, now_us, &packet);
}

/* Waiting --------------------------------------------------------------------------------------------------------- */

/* Reply 4 of 5 late, reply 5 prompt: the run goes on until reply 4 is there, or its time is over. */
static void test_the_last_reply_is_not_the_end(void **state) {
  (void)state;
  for(int comes = 0; comes < 2; comes++) {
    begin(5, 100, 2000);
    for(uint32_t i = 1; i <= 5; i++) {
      assert_false(pinger_finished(&pinger, i * 100U * MS));
      assert_int_equal(pinger_request(&pinger, i * 100U * MS).number, i);
      if(i != 4) {
        assert_int_equal(receive(i * 100U * MS + 5U, i), PINGER_REPLY);
      }
    }
    assert_false(pinger_finished(&pinger, 600U * MS));
    assert_false(pinger_finished(&pinger, 2400U * MS - 1U)); /* sent at 400 ms */
    if(comes) {
      assert_int_equal(receive(2399U * MS, 4), PINGER_REPLY);
      assert_true(pinger_finished(&pinger, 2399U * MS));
    } else {
      assert_true(pinger_finished(&pinger, 2400U * MS));
    }
    assert_int_equal(pinger.received, comes ? 5 : 4);
    assert_int_equal(pinger_loss_percent(&pinger), comes ? 0 : 20);
    end();
  }
}

static void test_errors_are_not_waited_for(void **state) {
  (void)state;
  begin(1, 100, 2000);
  (void)pinger_request(&pinger, 1);
  struct inet_packet packet = answer_to(1);
  packet.kind = INET_ERROR;
  packet.source = ROUTER;
  packet.about_from = OURS;
  packet.about_to = TARGET;
  packet.type = INET_ICMP_REDIRECT; /* it was passed on all the same */
  assert_int_equal(pinger_receive(&pinger, 2, &packet), PINGER_OTHER_ERROR);
  assert_false(pinger_finished(&pinger, 3));
  packet.type = INET_ICMP_TIME_EXCEEDED;
  assert_int_equal(pinger_receive(&pinger, 3, &packet), PINGER_TIME_EXCEEDED);
  assert_true(pinger_finished(&pinger, 4));
  /* an answer after all counts */
  assert_int_equal(receive(5, 1), PINGER_REPLY);
  assert_int_equal(pinger.received, 1);
  end();
}

static void test_not_sent(void **state) {
  (void)state;
  begin(3, 100, 2000);
  (void)pinger_request(&pinger, 0);
  assert_int_equal(receive(1, 1), PINGER_REPLY);
  (void)pinger_request(&pinger, 100U * MS);
  pinger_not_sent(&pinger);
  assert_int_equal(receive(100U * MS + 1U, 2), PINGER_NOT_OURS);
  (void)pinger_request(&pinger, 200U * MS);
  pinger_not_sent(&pinger);
  assert_true(pinger_finished(&pinger, 200U * MS));
  assert_int_equal(pinger_sent(&pinger), 1);
  assert_int_equal(pinger.received, 1);
  assert_int_equal(pinger_loss_percent(&pinger), 0);
  end();
  begin(1, 1, 1);
  (void)pinger_request(&pinger, 0);
  pinger_not_sent(&pinger);
  assert_int_equal(pinger_loss_percent(&pinger), 0);
  assert_int_equal(pinger_sent(&pinger), 0);
  end();
}

/* Many ------------------------------------------------------------------------------------------------------------ */

/* A delay of `delay` requests, each answered in turn. */
static void run_with_delay(uint32_t count, uint32_t delay, uint32_t timeout_ms) {
  begin(count, 1, timeout_ms);
  for(uint32_t i = 1; i <= count + delay; i++) {
    if(i <= count) {
      struct pinger_request request = pinger_request(&pinger, i * MS);
      assert_true(request.number == i && request.sequence == (uint16_t)i);
      assert_int_equal(request.id, (uint16_t)(ID + i / 65536U));
    }
    if(i > delay) {
      assert_int_equal(receive(i * MS, i - delay), PINGER_REPLY);
    }
  }
  assert_int_equal(pinger.received, count);
  assert_true(pinger_finished(&pinger, (count + delay) * MS));
  assert_int_equal(pinger_loss_percent(&pinger), 0);
  assert_true(pinger.min_us == delay * MS && pinger.max_us == delay * MS && pinger_mean_us(&pinger) == delay * MS);
  assert_int_equal(pinger_deviation_us(&pinger), 0);
  /* all of them again */
  for(uint32_t i = count; i > count - pinger.slot_count; i--) {
    assert_int_equal(receive((count + delay) * MS, i), PINGER_DUPLICATE);
  }
  assert_int_equal(pinger.received, count);
  end();
}

static void test_late_answers(void **state) {
  (void)state;
  run_with_delay(2500, 1, 8000);
  run_with_delay(2500, 1023, 8000);
  run_with_delay(2500, 1024, 8000);
  run_with_delay(2500, 4000, 8000); /* the reported case: 4 s of delay */
  run_with_delay(10000, 8000, 8000);
}

static void test_beyond_16_bits(void **state) {
  (void)state;
  run_with_delay(200000, 3, 10);
  run_with_delay(200000, 70000, 70000); /* more than 65536 under way */
}

static void test_a_window_of_an_hour(void **state) {
  (void)state;
  const struct pinger_config longest = {.count = UINT32_MAX, .interval_ms = 1, .timeout_ms = 3600000};
  assert_int_equal(pinger_slots_needed(&longest), 3600002);
  const struct pinger_config short_one = {.count = 7, .interval_ms = 1, .timeout_ms = 3600000};
  assert_int_equal(pinger_slots_needed(&short_one), 7);
  const struct pinger_config slow = {.count = 7, .interval_ms = 3600000, .timeout_ms = 1};
  assert_int_equal(pinger_slots_needed(&slow), 2);
}

static void test_percentages(void **state) {
  (void)state;
  static const uint32_t numbers[][3] = {{5, 5, 0},
                                        {3, 2, 33},
                                        {1, 0, 100},
                                        {200, 199, 0},
                                        {60000000, 1, 99}, /* lost * 100 has no place in 32 bits */
                                        {UINT32_MAX, 0, 100},
                                        {UINT32_MAX, UINT32_MAX, 0},
                                        {UINT32_MAX, 1U << 31, 49}};
  begin(1, 1, 1);
  for(size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
    pinger.numbered = numbers[i][0];
    pinger.received = numbers[i][1];
    assert_int_equal(pinger_loss_percent(&pinger), numbers[i][2]);
  }
  end();
}

/* Round trip times ------------------------------------------------------------------------------------------------ */

static void check_times(const uint64_t *times, uint32_t count, uint64_t mean, uint64_t deviation) {
  begin(count, 1, 3600000);
  for(uint32_t i = 1; i <= count; i++) {
    (void)pinger_request(&pinger, 1000);
    assert_int_equal(receive(1000 + times[i - 1U], i), PINGER_REPLY);
  }
  assert_int_equal(pinger_mean_us(&pinger), mean);
  assert_int_equal(pinger_deviation_us(&pinger), deviation);
  end();
}

static void test_times(void **state) {
  (void)state;
  const uint64_t longest = 3600000000U;
  check_times((const uint64_t[]){10000, 20000, 60000}, 3, 30000, 21602);
  check_times((const uint64_t[]){1000000, 1000001}, 2, 1000000, 0); /* one half, and not 1000 */
  check_times((const uint64_t[]){0, 0, 1}, 3, 0, 0);
  check_times((const uint64_t[]){7}, 1, 7, 0);
  check_times((const uint64_t[]){0, longest, 0, longest}, 4, longest / 2U, longest / 2U);
  check_times((const uint64_t[]){longest, longest, longest, longest, longest, longest, longest, 0}, 8, 3150000000U,
              1190588089U);
}

/* A clock that goes back, or far ahead. */
static void test_odd_clock(void **state) {
  (void)state;
  begin(3, 1, 100);
  (void)pinger_request(&pinger, 1000000);
  assert_int_equal(receive(0, 1), PINGER_REPLY);
  assert_int_equal(pinger.max_us, 0);
  (void)pinger_request(&pinger, 1000000);
  assert_int_equal(receive(UINT64_MAX, 2), PINGER_LATE);
  (void)pinger_request(&pinger, 1000000);
  assert_false(pinger_finished(&pinger, 0));
  assert_true(pinger_finished(&pinger, UINT64_MAX));
  end();
}

/* What does not count --------------------------------------------------------------------------------------------- */

static uint8_t data[INET_ECHO_MAX];

static void cut(struct inet_packet *packet) {
  packet->data_length = 20;
}
static void damage(struct inet_packet *packet) {
  data[55] ^= 1U;
  packet->data = data;
}
static void damage_and_cut(struct inet_packet *packet) {
  data[3] ^= 1U;
  packet->data = data;
  packet->data_length = 20;
}
static void lengthen(struct inet_packet *packet) {
  packet->data_length = 57;
}
static void from_elsewhere(struct inet_packet *packet) {
  packet->source = TARGET + 1U;
}
static void to_elsewhere(struct inet_packet *packet) {
  packet->destination = OURS + 7U;
}
static void make_error(struct inet_packet *packet) {
  packet->kind = INET_ERROR;
  packet->type = INET_ICMP_UNREACHABLE;
  packet->code = 1;
  packet->source = ROUTER;
  packet->about_from = OURS;
  packet->about_to = TARGET;
}
static void too_big(struct inet_packet *packet) {
  make_error(packet);
  packet->code = 4;
  packet->mtu = 1400;
}
static void exceeded(struct inet_packet *packet) {
  make_error(packet);
  packet->type = INET_ICMP_TIME_EXCEEDED;
  packet->code = 0;
}
static void parameter(struct inet_packet *packet) {
  make_error(packet);
  packet->type = INET_ICMP_PARAMETER;
  packet->code = 0;
}
static void about_others(struct inet_packet *packet) {
  make_error(packet);
  packet->about_from = OURS + 7U;
}
static void about_another_target(struct inet_packet *packet) {
  make_error(packet);
  packet->about_to = TARGET + 7U;
}
static void make_faulty(struct inet_packet *packet, enum inet_fault fault) {
  packet->would_be = packet->kind;
  packet->kind = INET_UNUSABLE;
  packet->fault = fault;
}
static void fragment(struct inet_packet *packet) {
  make_faulty(packet, INET_FRAGMENT);
}
static void later_fragment(struct inet_packet *packet) {
  make_faulty(packet, INET_FRAGMENT);
  packet->offset = 1480;
  packet->id = packet->sequence = 0;
}
static void later_fragment_of_others(struct inet_packet *packet) {
  later_fragment(packet);
  packet->source = ROUTER;
}
static void other_vlan(struct inet_packet *packet) {
  make_faulty(packet, INET_OTHER_VLAN);
  packet->vlan = 7;
}
static void truncated(struct inet_packet *packet) {
  make_faulty(packet, INET_TRUNCATED);
}
static void bad_checksum(struct inet_packet *packet) {
  make_faulty(packet, INET_BAD_CHECKSUM);
}
static void bad_error(struct inet_packet *packet) {
  make_error(packet);
  make_faulty(packet, INET_BAD_CHECKSUM);
}
static void bad_station(struct inet_packet *packet) {
  make_faulty(packet, INET_BAD_STATION);
  packet->source = UINT32_MAX;
}
static void other_id(struct inet_packet *packet) {
  packet->id ^= 0x40U;
}
static void not_sent_yet(struct inet_packet *packet) {
  packet->sequence = 2;
}
static void before_the_first(struct inet_packet *packet) {
  packet->sequence = 0;
}
static void a_request(struct inet_packet *packet) {
  packet->kind = INET_ECHO_REQUEST;
}
static void an_arp_reply(struct inet_packet *packet) {
  packet->kind = INET_ARP_REPLY;
}
static void nothing(struct inet_packet *packet) {
  packet->kind = INET_OTHER;
}

static const struct {
  void (*change)(struct inet_packet *packet);
  enum pinger_verdict verdict;
  const char *line;
} reasons[] = {
    {cut, PINGER_CUT, "28 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=1.234 ms (cut from 64)"},
    {damage, PINGER_DAMAGED, "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=1.234 ms (DAMAGED)"},
    {damage_and_cut, PINGER_DAMAGED, "28 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=1.234 ms (DAMAGED)"},
    {lengthen, PINGER_DAMAGED, "65 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=1.234 ms (DAMAGED)"},
    {from_elsewhere, PINGER_SOURCE, "From 10.0.0.3 icmp_seq=1 not the target's address"},
    {to_elsewhere, PINGER_DESTINATION, "From 10.0.0.2 icmp_seq=1 to 10.0.0.8, not to us"},
    {make_error, PINGER_UNREACHABLE, "From 10.0.0.254 icmp_seq=1 unreachable: host (code 1)"},
    {too_big, PINGER_UNREACHABLE, "From 10.0.0.254 icmp_seq=1 unreachable: too big (code 4), MTU 1400"},
    {exceeded, PINGER_TIME_EXCEEDED, "From 10.0.0.254 icmp_seq=1 time exceeded on the way (code 0)"},
    {parameter, PINGER_OTHER_ERROR, "From 10.0.0.254 icmp_seq=1 ICMP type 12 code 0"},
    {fragment, PINGER_FRAGMENT, "From 10.0.0.2 icmp_seq=1 fragment at byte 0"},
    {later_fragment, PINGER_FRAGMENT, "From 10.0.0.2 fragment at byte 1480"},
    {other_vlan, PINGER_VLAN, "From 10.0.0.2 icmp_seq=1 tagged with VLAN 7"},
    {truncated, PINGER_TRUNCATED, "From 10.0.0.2 icmp_seq=1 shorter than its IPv4 length"},
    {bad_checksum, PINGER_CHECKSUM, "From 10.0.0.2 icmp_seq=1 bad checksum"},
    {bad_error, PINGER_CHECKSUM, "From 10.0.0.254 icmp_seq=1 bad checksum"},
    {bad_station, PINGER_STATION, "From 255.255.255.255 icmp_seq=1 no station can have this address"},
    {about_others, PINGER_NOT_OURS, NULL},
    {about_another_target, PINGER_NOT_OURS, NULL},
    {later_fragment_of_others, PINGER_NOT_OURS, NULL},
    {other_id, PINGER_NOT_OURS, NULL},
    {not_sent_yet, PINGER_NOT_OURS, NULL},
    {before_the_first, PINGER_NOT_OURS, NULL},
    {a_request, PINGER_NOT_OURS, NULL},
    {an_arp_reply, PINGER_NOT_OURS, NULL},
    {nothing, PINGER_NOT_OURS, NULL},
};

static void test_reasons(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
    struct pinger_line line;
    char text[PINGER_LINE_SIZE];
    begin(3, 100, 2000);
    memcpy(data, pattern, sizeof(data));
    (void)pinger_request(&pinger, 1000);
    struct inet_packet packet = answer_to(1);
    reasons[i].change(&packet);
    assert_int_equal(pinger_receive(&pinger, 2234, &packet), reasons[i].verdict);
    assert_int_equal(pinger.received, 0);
    assert_int_equal(pinger_next_line(&pinger, &line), reasons[i].line != NULL);
    if(reasons[i].line) {
      assert_string_equal(pinger_line_text(&line, text), reasons[i].line);
      assert_true(strlen(text) < 80);
      assert_int_equal(pinger.verdicts[reasons[i].verdict], 1);
      assert_non_null(pinger_verdict_text(reasons[i].verdict));
    }
    assert_false(pinger_next_line(&pinger, &line));
    /* and the right one counts afterwards */
    assert_int_equal(receive(2300, 1), PINGER_REPLY);
    assert_true(pinger_next_line(&pinger, &line));
    assert_string_equal(pinger_line_text(&line, text), "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=1.300 ms");
    assert_int_equal(receive(2301, 1), PINGER_DUPLICATE);
    assert_true(pinger_next_line(&pinger, &line));
    assert_string_equal(pinger_line_text(&line, text),
                        "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=1.301 ms (DUP!)");
    assert_int_equal(pinger.received, 1);
    end();
  }
}

static void test_late_and_forgotten(void **state) {
  (void)state;
  struct pinger_line line;
  char text[PINGER_LINE_SIZE];
  begin(100, 1, 2);
  (void)pinger_request(&pinger, 0);
  assert_int_equal(receive(2001, 1), PINGER_LATE); /* 2000 would do */
  assert_true(pinger_next_line(&pinger, &line));
  assert_string_equal(pinger_line_text(&line, text),
                      "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=2.001 ms (too late)");
  for(uint32_t i = 0; i < 4; i++) {
    (void)pinger_request(&pinger, 3000U + i);
  }
  assert_int_equal(receive(4000, 1), PINGER_LATE); /* its slot is request 5's */
  assert_true(pinger_next_line(&pinger, &line));
  assert_string_equal(pinger_line_text(&line, text),
                      "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=unknown (too late)");
  assert_int_equal(receive(4000, 5), PINGER_REPLY);
  assert_int_equal(pinger.received, 1);
  end();
}

static void test_priority_tags(void **state) {
  (void)state;
  begin(2, 100, 2000);
  (void)pinger_request(&pinger, 0);
  struct inet_packet packet = answer_to(1);
  packet.tagged = true;
  assert_int_equal(pinger_receive(&pinger, 1, &packet), PINGER_REPLY);
  assert_int_equal(pinger.priority_tagged, 1);
  (void)pinger_request(&pinger, 0);
  assert_int_equal(receive(1, 2), PINGER_REPLY);
  assert_int_equal(pinger.priority_tagged, 1);
  end();
}

/* Lines are dropped, never counts; and none is kept with -q. */
static void test_lines(void **state) {
  (void)state;
  struct pinger_line line;
  begin(200, 1, 2000);
  for(uint32_t i = 1; i <= 200; i++) {
    (void)pinger_request(&pinger, i);
    assert_int_equal(receive(i, i), PINGER_REPLY);
  }
  assert_int_equal(pinger.lines_lost, 200U - PINGER_LINES);
  for(uint32_t i = 1; i <= PINGER_LINES; i++) {
    assert_true(pinger_next_line(&pinger, &line));
    assert_int_equal(line.sequence, i);
  }
  assert_false(pinger_next_line(&pinger, &line));
  assert_int_equal(pinger.received, 200);
  pinger.config.quiet = true;
  assert_int_equal(receive(201, 1), PINGER_DUPLICATE);
  assert_false(pinger_next_line(&pinger, &line));
  end();
}

/* All of them in the longest form. */
static void test_texts(void **state) {
  (void)state;
  for(uint32_t verdict = 0; verdict < PINGER_VERDICTS; verdict++) {
    for(uint32_t type = 0; type < 256; type++) {
      for(uint32_t code = 0; code < 256; code += type == 3 ? 1 : 51) {
        struct pinger_line line = {.verdict = (enum pinger_verdict)verdict,
                                   .sequence = UINT32_MAX,
                                   .from = UINT32_MAX,
                                   .to = UINT32_MAX,
                                   .rtt_us = UINT64_MAX - 1U,
                                   .data_length = UINT32_MAX - 8U,
                                   .size = UINT32_MAX - 8U,
                                   .mtu = UINT16_MAX,
                                   .vlan = UINT16_MAX,
                                   .offset = UINT16_MAX,
                                   .ttl = UINT8_MAX,
                                   .type = (uint8_t)type,
                                   .code = (uint8_t)code};
        char *text = malloc(PINGER_LINE_SIZE);
        assert_non_null(text);
        assert_ptr_equal(pinger_line_text(&line, text), text);
        assert_in_range(strlen(text), 10, PINGER_LINE_SIZE - 2U); /* nothing was cut off */
        free(text);
      }
    }
    assert_int_equal(pinger_verdict_text((enum pinger_verdict)verdict) == NULL, verdict == PINGER_REPLY);
  }
  assert_null(pinger_verdict_text(PINGER_NOT_OURS));
  /* what parser and pinger have to do with each other: a request and its answer, on the wire */
  begin(1, 1, 1);
  struct pinger_request request = pinger_request(&pinger, 0);
  uint8_t frame[INET_FRAME_SIZE];
  struct inet_packet packet;
  const struct inet_host us = {.mac = {2, 0, 0, 0, 0, 1}, .address = OURS, .mask = 0xFFFFFF00U};
  size_t length = inet_echo_request(frame, &us, target.mac, TARGET, request.id, request.sequence, pattern, 56);
  inet_parse(frame, length, &packet);
  uint8_t reply[INET_FRAME_SIZE];
  length = inet_echo_reply(reply, &target, &packet);
  inet_parse(reply, length, &packet);
  assert_int_equal(pinger_receive(&pinger, 1, &packet), PINGER_REPLY);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_last_reply_is_not_the_end),
      cmocka_unit_test(test_errors_are_not_waited_for),
      cmocka_unit_test(test_not_sent),
      cmocka_unit_test(test_late_answers),
      cmocka_unit_test(test_beyond_16_bits),
      cmocka_unit_test(test_a_window_of_an_hour),
      cmocka_unit_test(test_percentages),
      cmocka_unit_test(test_times),
      cmocka_unit_test(test_odd_clock),
      cmocka_unit_test(test_reasons),
      cmocka_unit_test(test_late_and_forgotten),
      cmocka_unit_test(test_priority_tags),
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
