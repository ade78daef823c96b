/* test_cmd_bench.c - netdiag bench: who its peer is, what it counts, how it ends, and its document. */
#define _POSIX_C_SOURCE 200809L
#include "cmd_json.h"

#define MS 1000U

static struct peer peer;
static struct stack_config stack;

static struct firmware_nic *begin(bool shared) {
  struct firmware_nic *nic = cmd_begin(shared ? SIM_82540EM : SIM_82574L);
  peer_begin(&peer, nic);
  programs_clock_step(100); /* some thousand frames a second: each is one more for the simulator */
  stack = (struct stack_config){.address = 0x0A000001U, .mask = 0xFFFFFF00U};
  if(shared) {
    cmd_resident(&stack);
  }
  return nic;
}

/* The peer answers after 200 us: that is what a round trip takes, and how many of them fit. */
static void test_figures(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    peer.delay_us = 200;
    assert_int_equal(cmd("bench -t 1 -l 60"), EFI_SUCCESS);
    assert_said("BENCH with 02:11:22:33:44:55: 1 s each of single round trips, echoes and sending, 60 to 60 bytes.");
    assert_true(cmd_number_after("transmit ") > 1000);
    assert_true(cmd_number_after("echo ") > 1000);
    assert_int_equal(cmd_times_said(", 0 lost)"), 3);
    const uint64_t least = cmd_number_after("rtt min/median/p99/max = ");
    assert_in_range(least, 200, 600);
    const uint64_t trips = cmd_number_after("round trip in microseconds (");
    assert_in_range(trips, 1000U * MS / 1500U, 1000U * MS / 200U);
    assert_said("######");
    cmd_end();
  }
}

/* Lengths step through the range; frames that are only sent ask for nothing. */
static size_t shortest;
static size_t longest;
static void measure(struct peer *host, struct echo *echo) {
  shortest = host->last_length < shortest ? host->last_length : shortest;
  longest = host->last_length > longest ? host->last_length : longest;
  echo->copies = 1;
}

static void test_lengths(void **state) {
  (void)state;
  begin(false);
  shortest = SIZE_MAX;
  longest = 0;
  peer.on_test = measure;
  assert_int_equal(cmd("bench -t 1 -l 100-107"), EFI_SUCCESS);
  assert_int_equal(shortest, 100);
  assert_int_equal(longest, 107);
  assert_int_equal(cmd("bench -l 59"), EFI_INVALID_PARAMETER);
  assert_int_equal(cmd("bench -l 1515"), EFI_INVALID_PARAMETER);
  cmd_end();
}

static void test_peers(void **state) {
  (void)state;
  begin(false);
  assert_int_equal(cmd("bench -t 1 -l 60 --peer 02:11:22:33:44:55"), EFI_SUCCESS);
  assert_memory_equal(peer.last, peer_mac, 6);
  peer.arp_requests = 0;
  assert_int_equal(cmd("bench -t 1 -l 60 --peer 10.0.0.2"), EFI_SUCCESS);
  assert_int_equal(peer.arp_requests, 1);
  assert_said("BENCH with 02:11:22:33:44:55");
  assert_int_equal(cmd("bench -t 1 --peer 10.0.0.9"), EFI_TIMEOUT);
  assert_said("10.0.0.9 does not answer ARP: wrong address, or nobody there");
  assert_int_equal(cmd("bench --peer nonsense"), EFI_INVALID_PARAMETER);
  assert_said("bench: --peer wants a MAC or IPv4 address, such as 52:54:00:12:34:56 or 10.0.2.2, not 'nonsense'");
  assert_int_equal(cmd("bench --peer 52:54:00:a1:b2:c3"), EFI_INVALID_PARAMETER);
  assert_said("is this NIC itself");
  assert_int_equal(cmd("bench --peer 01:00:5e:00:00:01"), EFI_INVALID_PARAMETER);
  assert_int_equal(cmd("bench --peer 255.255.255.255"), EFI_INVALID_PARAMETER);
  peer.echoes_tests = false;
  assert_int_equal(cmd("bench -t 1"), EFI_TIMEOUT);
  assert_said("nobody echoes: 'netdiag echo' or tools/wirepeer.py has to run on the other side of this wire");
  assert_int_equal(cmd("bench -t 1 --peer 02:11:22:33:44:55"), EFI_TIMEOUT);
  assert_said("02:11:22:33:44:55 does not echo");
  cmd_end();
}

/* One of ten requests is lost: each costs its time-out once, and is counted. */
static uint32_t asked;
static void lose_some(struct peer *host, struct echo *echo) {
  (void)host;
  echo->copies = ++asked % 10U == 0 ? 0 : 1;
}

static void test_losses(void **state) {
  (void)state;
  begin(false);
  asked = 0;
  peer.on_test = lose_some;
  assert_int_equal(cmd("bench -t 3 -l 60"), EFI_SUCCESS);
  assert_in_range(cmd_number_before("lost):"), 1, 3); /* of the round trips */
  assert_true(cmd_times_said(" 0 lost)") == 1);       /* what was only sent */
  cmd_end();
}

/* The peer goes away in the middle. */
static void go_away(void *ctx) {
  ((struct peer *)ctx)->echoes_tests = false;
}

static void pull(void *sim) {
  sim_knobs(sim)->gone = true;
}

static void test_ends(void **state) {
  (void)state;
  struct firmware_nic *nic = begin(false);
  programs_at(firmware_now_us() + 800U * MS, go_away, &peer);
  assert_int_equal(cmd("bench -t 1 -l 60"), EFI_TIMEOUT);
  assert_said("the peer stopped echoing");
  peer.echoes_tests = true;
  console_press(firmware_now_us() + 2000U * MS, KEY_ESCAPE, 0);
  assert_int_equal(cmd("bench -t 5 -l 60"), EFI_ABORTED);
  programs_at(firmware_now_us() + 2000U * MS, pull, nic->sim);
  assert_int_equal(cmd("bench -t 5 -l 60"), EFI_DEVICE_ERROR);
  assert_said("was it removed?");
  cmd_end();
}

static void test_json(void **state) {
  (void)state;
  begin(false);
  peer.delay_us = 200;
  assert_int_equal(cmd("bench -t 1 -l 60 --json"), EFI_SUCCESS);
  assert_json("d['peer'] == '02:11:22:33:44:55' and d['status'] == 0");
  assert_json("d['transmit']['frames'] > 1000 and d['transmit']['bytes'] == 60 * d['transmit']['frames']");
  assert_json("d['echo']['frames_per_second'] > 1000 and d['echo']['lost'] == 0");
  assert_json("200 <= d['round_trip']['min_us'] <= d['round_trip']['median_us'] <= d['round_trip']['p99_us'] <= "
              "d['round_trip']['max_us']");
  assert_json("sum(row['frames'] for row in d['round_trip']['histogram']) == d['round_trip']['frames']");
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_figures), cmocka_unit_test(test_lengths), cmocka_unit_test(test_peers),
      cmocka_unit_test(test_losses),  cmocka_unit_test(test_ends),    cmocka_unit_test(test_json),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
