/* test_cmd_ping.c - netdiag ping: what it counts, prints, sends and exits with, on a NIC of its own and on one that is
 * shared with the firmware's network stack. */
#include "cmd_machine.h"

#define OURS     0x0A000001U /* 10.0.0.1 */
#define MS       1000U
#define SLACK_US 200U /* of the clock's steps and the way through MNP */
#define ADDRESS  "--addr 10.0.0.1/24 "

static struct peer peer;
static struct stack_config stack;

/* A NIC of netdiag's own, or one that e1000.efi holds for the stack. */
static struct firmware_nic *begin(bool shared) {
  struct firmware_nic *nic = cmd_begin(shared ? SIM_82540EM : SIM_82574L);
  peer_begin(&peer, nic);
  stack = (struct stack_config){.address = OURS, .mask = 0xFFFFFF00U};
  if(shared) {
    cmd_resident(&stack);
  }
  return nic;
}

static EFI_STATUS ping(const char *options) {
  char line[256];
  (void)snprintf(line, sizeof(line), "ping 10.0.0.2 " ADDRESS "%s", options);
  return cmd(line);
}

static void assert_counts(uint32_t sent, uint32_t received, uint32_t loss) {
  char text[100];
  (void)snprintf(text, sizeof(text), "%u packets transmitted, %u received, ", sent, received);
  assert_said(text);
  (void)snprintf(text, sizeof(text), "%u%% packet loss", loss);
  assert_said(text);
}

/* The number of microseconds in "1.234", the nth (from 0) behind "mdev = ". */
static uint64_t rtt_us(UINTN nth) {
  const char *at = strstr(console_text(), "mdev = ");
  assert_said("rtt min/avg/max/mdev = ");
  at += strlen("mdev = ");
  for(; nth > 0; nth--) {
    at = strchr(at, '/') + 1;
  }
  double ms = 0;
  assert_int_equal(sscanf(at, "%lf", &ms), 1);
  return (uint64_t)(ms * 1000.0 + 0.5);
}

static void assert_near(uint64_t value, uint64_t wanted, uint64_t slack) {
  if(value + slack < wanted || value > wanted + slack) {
    fail_msg("%llu, not %llu\n%s", (unsigned long long)value, (unsigned long long)wanted, console_text());
  }
}

/* Round trip times ------------------------------------------------------------------------------------------------- */

static void answer_10_20_60(struct peer *host, struct echo *echo) {
  static const UINT64 ms[] = {10, 20, 60};
  (void)host;
  echo->delay_us = ms[(echo->number - 1U) % 3U] * MS;
}

static void test_round_trip_times(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    uint64_t slack = shared ? 10U * MS + SLACK_US : SLACK_US; /* MNP looks every 10 ms once ping naps */
    peer.on_echo = answer_10_20_60;
    assert_int_equal(ping("-c 3 -i 100"), EFI_SUCCESS);
    assert_counts(3, 3, 0);
    assert_near(rtt_us(0), 10000, SLACK_US);
    assert_near(rtt_us(1), 30000, slack);
    assert_near(rtt_us(2), 60000, slack);
    assert_near(rtt_us(3), 21602, slack); /* the root of the mean of 20^2, 10^2 and 30^2 */
    /* another order: the minimum is not the first, the maximum not the last */
    cmd_end();
    begin(shared);
    peer.on_echo = answer_10_20_60;
    assert_int_equal(ping("-c 4 -i 100"), EFI_SUCCESS); /* 10, 20, 60, 10 */
    assert_near(rtt_us(0), 10000, SLACK_US);
    assert_near(rtt_us(1), 25000, slack);
    assert_near(rtt_us(2), 60000, slack);
    assert_near(rtt_us(3), 20616, slack);
    cmd_end();
  }
  begin(false);
  peer.delay_us = 5U * MS;
  assert_int_equal(ping("-c 1"), EFI_SUCCESS);
  assert_near(rtt_us(0), 5000, SLACK_US);
  assert_near(rtt_us(2), 5000, SLACK_US);
  assert_int_equal(rtt_us(3), 0);
  assert_near(cmd_number_after("icmp_seq=1 ttl=64 time="), 5, 0);
  cmd_end();
}

/* Loss ------------------------------------------------------------------------------------------------------------- */

static uint32_t lost[3];

static void lose(struct peer *host, struct echo *echo) {
  (void)host;
  for(size_t i = 0; i < 3; i++) {
    echo->copies = echo->number == lost[i] ? 0 : echo->copies;
  }
}

/* What is lost is in neither the mean nor the deviation. */
static void lose_the_second(struct peer *host, struct echo *echo) {
  answer_10_20_60(host, echo);
  echo->copies = echo->number == 2 ? 0 : 1;
}

static void test_round_trip_times_with_loss(void **state) {
  (void)state;
  begin(false);
  peer.on_echo = lose_the_second;
  assert_int_equal(ping("-c 3 -i 100 -W 200"), EFI_TIMEOUT);
  assert_near(rtt_us(0), 10000, SLACK_US);
  assert_near(rtt_us(1), 35000, SLACK_US);
  assert_near(rtt_us(2), 60000, SLACK_US);
  assert_near(rtt_us(3), 25000, SLACK_US);
  cmd_end();
}

static void test_loss(void **state) {
  (void)state;
  static const struct {
    const char *options;
    uint32_t lost[3];
    uint32_t sent;
    uint32_t received;
    uint32_t percent;
    EFI_STATUS status;
  } cases[] = {
      {"-c 7 -i 50 -W 300", {2, 5}, 7, 5, 28, EFI_TIMEOUT},  {"-c 3 -i 50 -W 300", {3}, 3, 2, 33, EFI_TIMEOUT},
      {"-c 3 -i 50 -W 300", {1}, 3, 2, 33, EFI_TIMEOUT},     {"-c 3 -i 50 -W 300", {1, 2, 3}, 3, 0, 100, EFI_TIMEOUT},
      {"-c 200 -i 2 -W 300", {1}, 200, 199, 0, EFI_TIMEOUT}, {"-c 1 -W 300", {0}, 1, 1, 0, EFI_SUCCESS},
  };
  for(size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
    begin(i & 1U);
    memcpy(lost, cases[i / 2].lost, sizeof(lost));
    peer.on_echo = lose;
    assert_int_equal(ping(cases[i / 2].options), cases[i / 2].status);
    assert_counts(cases[i / 2].sent, cases[i / 2].received, cases[i / 2].percent);
    assert_int_equal(peer.echoes, cases[i / 2].sent);
    assert_int_equal(cmd_times_said("rtt min/"), cases[i / 2].received > 0);
    cmd_end();
  }
}

/* Answers that are not what they should be ------------------------------------------------------------------------- */

static void twice(struct peer *host, struct echo *echo) {
  (void)host;
  echo->copies = echo->number == 2 ? 3 : 1;
}

static void test_duplicates(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    peer.on_echo = twice;
    assert_int_equal(ping("-c 3 -i 50"), EFI_SUCCESS);
    assert_counts(3, 3, 0);
    assert_int_equal(cmd_number_after("+"), 2);
    assert_said("+2 duplicates");
    assert_int_equal(cmd_times_said("(DUP!)"), 2);
    assert_int_equal(cmd_times_said("icmp_seq=2 "), 3);
    cmd_end();
  }
}

static void damage(struct peer *host, struct echo *echo) {
  (void)host;
  if(echo->number == 2) {
    echo->frame[echo->length - 1U] ^= 1U; /* the checksum is made for it */
  }
}

static void test_damage(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    peer.on_echo = damage;
    assert_int_equal(ping("-c 3 -i 50 -W 100"), EFI_TIMEOUT);
    assert_counts(3, 2, 33);
    assert_said("+1 damaged");
    assert_int_equal(cmd_times_said("DAMAGED"), 1);
    assert_not_said("duplicates");
    cmd_end();
  }
}

static void from_elsewhere(struct peer *host, struct echo *echo) {
  (void)host;
  if(echo->number == 2) {
    peer_put32(echo->frame + 26, PEER_ADDRESS + 7U);
  }
}

static void other_id(struct peer *host, struct echo *echo) {
  (void)host;
  if(echo->number == 2) {
    echo->frame[38] ^= 0x40U;
  }
}

static void not_sent_yet(struct peer *host, struct echo *echo) {
  (void)host;
  if(echo->number == 2) {
    echo->frame[40] ^= 0x20U;
  }
}

static void bad_checksum(struct peer *host, struct echo *echo) {
  if(echo->number == 2) {
    peer_seal(echo->frame);
    echo->frame[36] ^= 1U;
    wire_send(host->nic, echo->delay_us, echo->frame, echo->length);
    echo->copies = 0;
  }
}

static void none(struct peer *host, struct echo *echo) {
  (void)host;
  echo->copies = 0;
}

static void strangers(struct peer *host, struct echo *echo) {
  (void)host;
  peer_put32(echo->frame + 26, PEER_ADDRESS + 7U);
}

/* Who answers ARP and no ping: then the link and the counters are all that can be told. Not when something came that
 * explains itself. */
static void test_nothing_comes_back(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    peer.on_echo = none;
    assert_int_equal(ping("-c 3 -i 50 -W 100"), EFI_TIMEOUT);
    assert_counts(3, 0, 100);
    assert_said("the link is up, but nothing that came in was an answer");
    peer.on_echo = strangers;
    assert_int_equal(ping("-c 2 -i 50 -W 100"), EFI_TIMEOUT);
    assert_not_said("the link is up");
    cmd_end();
  }
}

static void test_answers_that_do_not_count(void **state) {
  (void)state;
  static void (*const changes[])(struct peer *, struct echo *) = {from_elsewhere, other_id, not_sent_yet, bad_checksum};
  for(size_t i = 0; i < 2 * sizeof(changes) / sizeof(changes[0]); i++) {
    begin(i & 1U);
    peer.on_echo = changes[i / 2];
    assert_int_equal(ping("-c 3 -i 50 -W 100"), EFI_TIMEOUT);
    assert_counts(3, 2, 33);
    assert_not_said("DUP!");
    cmd_end();
  }
}

/* Options ---------------------------------------------------------------------------------------------------------- */

static size_t seen_length;
static size_t seen_data;
static bool seen_pattern;

static void look(struct peer *host, struct echo *echo) {
  seen_length = host->last_length;
  seen_data = echo->data_length;
  seen_pattern = true;
  for(size_t i = 0; i < echo->data_length; i++) {
    seen_pattern = seen_pattern && host->last[42U + i] == (uint8_t)i;
  }
}

static void test_size_on_the_wire(void **state) {
  (void)state;
  static const struct {
    const char *options;
    size_t data;
  } cases[] = {{"-c 1", 56}, {"-c 1 -s 1", 1}, {"-c 1 -s 100", 100}, {"-c 1 -s 1472", 1472}};
  for(size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
    begin(i & 1U);
    peer.on_echo = look;
    assert_int_equal(ping(cases[i / 2].options), EFI_SUCCESS);
    size_t frame = 42U + cases[i / 2].data;
    assert_int_equal(seen_data, cases[i / 2].data);
    assert_int_equal(seen_length, frame < 60U ? 60U : frame);
    assert_true(seen_pattern);
    assert_int_equal(cmd_number_before("bytes from 10.0.0.2"), cases[i / 2].data + 8U);
    cmd_end();
  }
  begin(false);
  assert_int_equal(ping("-s 1473"), EFI_INVALID_PARAMETER);
  assert_int_equal(ping("-s 0"), EFI_INVALID_PARAMETER);
  assert_int_equal(peer.echoes, 0);
  cmd_end();
}

static void test_quiet(void **state) {
  (void)state;
  begin(false);
  assert_int_equal(ping("-c 3 -i 20"), EFI_SUCCESS);
  assert_int_equal(cmd_times_said("bytes from"), 3);
  assert_int_equal(ping("-c 3 -i 20 -q"), EFI_SUCCESS);
  assert_not_said("bytes from");
  assert_counts(3, 3, 0);
  cmd_end();
}

static void test_count_and_interval(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    assert_int_equal(ping(""), EFI_SUCCESS);
    assert_counts(5, 5, 0);
    assert_near(peer.last_echo_us - peer.first_echo_us, 4000U * MS, 10U * MS);
    cmd_end();
    begin(shared);
    assert_int_equal(ping("-c 3 -i 250"), EFI_SUCCESS);
    assert_counts(3, 3, 0);
    assert_near(peer.last_echo_us - peer.first_echo_us, 500U * MS, 10U * MS);
    cmd_end();
  }
}

static void late(struct peer *host, struct echo *echo) {
  (void)host;
  echo->delay_us = 450U * MS;
}

static void test_waiting_for_the_last(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    peer.on_echo = late;
    assert_int_equal(ping("-c 1 -W 500"), EFI_SUCCESS);
    assert_counts(1, 1, 0);
    cmd_end();
    begin(shared);
    peer.on_echo = late;
    assert_int_equal(ping("-c 1 -W 400"), EFI_TIMEOUT);
    assert_counts(1, 0, 100);
    /* all of the 400 ms, and no more */
    assert_near(firmware_now_us() - peer.last_echo_us, 400U * MS, 90U * MS);
    cmd_end();
    begin(shared); /* the default: 2 s */
    lost[0] = 1;
    peer.on_echo = lose;
    assert_int_equal(ping("-c 1"), EFI_TIMEOUT);
    assert_near(firmware_now_us() - peer.last_echo_us, 2000U * MS, 90U * MS);
    cmd_end();
  }
}

static void test_sequence_beyond_16_bits(void **state) {
  (void)state;
  begin(false);
  programs_clock_step(100);
  assert_int_equal(ping("-c 65600 -i 1"), EFI_SUCCESS);
  assert_counts(65600, 65600, 0);
  assert_int_equal(peer.echoes, 65600);
  assert_said("icmp_seq=65535 ");
  assert_said("icmp_seq=65536 ");
  assert_said("icmp_seq=65600 ");
  assert_not_said("DUP!");
  assert_true(rtt_us(2) < 2U * MS);
  cmd_end();
}

/* ARP -------------------------------------------------------------------------------------------------------------- */

static void test_arp(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    for(uint32_t ignored = 0; ignored < 3; ignored++) {
      begin(shared);
      peer.arp_ignored = ignored;
      assert_int_equal(ping("-c 1 -W 300"), EFI_SUCCESS);
      assert_int_equal(peer.arp_requests, ignored + 1U);
      assert_counts(1, 1, 0);
      cmd_end();
    }
    begin(shared);
    peer.arp_ignored = 3;
    assert_int_equal(ping("-c 1 -W 300"), EFI_TIMEOUT);
    assert_int_equal(peer.arp_requests, 3);
    assert_int_equal(peer.echoes, 0);
    assert_said("10.0.0.2 does not answer ARP");
    assert_near(firmware_now_us() - peer.first_arp_us, 900U * MS, 60U * MS);
    cmd_end();
  }
}

/* By way of a gateway: its MAC address, the target's IPv4 address. */
static void test_gateway(void **state) {
  (void)state;
  begin(false);
  assert_int_equal(cmd("ping 192.168.7.9 " ADDRESS "-c 1"), EFI_INVALID_PARAMETER);
  assert_said("192.168.7.9 is not on our network: add --gw");
  assert_int_equal(cmd("ping 192.168.7.9 " ADDRESS "--gw 10.0.0.2 -c 1 -W 100"), EFI_TIMEOUT);
  assert_int_equal(peer.arp_requests, 1);
  assert_memory_equal(peer.last, peer.mac, 6);
  assert_int_equal(peer.last[30], 192);
  assert_int_equal(peer.last[33], 9);
  assert_int_equal(peer.last[29], 1); /* from 10.0.0.1 */
  cmd_end();
}

static void test_targets(void **state) {
  (void)state;
  begin(false);
  assert_int_equal(cmd("ping gateway " ADDRESS), EFI_INVALID_PARAMETER);
  assert_said("'gateway' is not an IPv4 address");
  assert_int_equal(peer.last_length, 0);
  cmd_end();
}

/* What else may happen --------------------------------------------------------------------------------------------- */

/* While it runs it is a host like any other. */
static void ask_back(struct peer *host, struct echo *echo) {
  uint8_t frame[1514];
  if(echo->number == 1) {
    wire_send(host->nic, 1U * MS, frame, peer_arp_request(host, frame, OURS));
    wire_send(host->nic, 2U * MS, frame, peer_ping(host, frame, host->last + 6, OURS, 1, 40));
    wire_send(host->nic, 3U * MS, frame, peer_arp_request(host, frame, OURS + 1U));
    wire_send(host->nic, 4U * MS, frame, peer_ping(host, frame, host->last + 6, OURS + 1U, 1, 40));
  }
}

static void test_it_answers(void **state) {
  (void)state;
  begin(false);
  peer.on_echo = ask_back;
  assert_int_equal(ping("-c 3 -i 20"), EFI_SUCCESS);
  assert_int_equal(peer.arp_replies, 1);
  assert_int_equal(peer.echo_replies, 1);
  cmd_end();
  begin(true); /* there the firmware's stack answers for its address, and netdiag must not */
  peer.on_echo = ask_back;
  assert_int_equal(cmd("ping 10.0.0.2 -c 3 -i 20"), EFI_SUCCESS);
  assert_int_equal(peer.arp_replies, 0);
  assert_int_equal(peer.echo_replies, 0);
  cmd_end();
}

static void test_no_link(void **state) {
  (void)state;
  struct firmware_nic *nic = begin(false);
  sim_knobs(nic->sim)->link_down = true;
  assert_int_equal(ping("-c 1"), EFI_NO_MEDIA);
  assert_said("no link");
  assert_int_equal(peer.last_length, 0);
  cmd_end();
}

static void pull(void *ctx) {
  sim_knobs(((struct firmware_nic *)ctx)->sim)->gone = true;
}

static void test_pulled(void **state) {
  (void)state;
  struct firmware_nic *nic = begin(false);
  programs_at(firmware_now_us() + 8000U * MS, pull, nic);
  assert_int_equal(ping("-c 100 -i 500"), EFI_DEVICE_ERROR);
  assert_said("no longer answers");
  assert_true(peer.echoes > 3 && peer.echoes < 20);
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip_times),
      cmocka_unit_test(test_round_trip_times_with_loss),
      cmocka_unit_test(test_loss),
      cmocka_unit_test(test_duplicates),
      cmocka_unit_test(test_damage),
      cmocka_unit_test(test_nothing_comes_back),
      cmocka_unit_test(test_answers_that_do_not_count),
      cmocka_unit_test(test_size_on_the_wire),
      cmocka_unit_test(test_quiet),
      cmocka_unit_test(test_count_and_interval),
      cmocka_unit_test(test_waiting_for_the_last),
      cmocka_unit_test(test_sequence_beyond_16_bits),
      cmocka_unit_test(test_arp),
      cmocka_unit_test(test_gateway),
      cmocka_unit_test(test_targets),
      cmocka_unit_test(test_it_answers),
      cmocka_unit_test(test_no_link),
      cmocka_unit_test(test_pulled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
