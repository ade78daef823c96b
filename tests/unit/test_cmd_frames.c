/* test_cmd_frames.c - netdiag frames and its other side, netdiag echo: what they count, send, answer and exit with. */
#include "cmd_machine.h"

#define OURS    0x0A000001U /* 10.0.0.1 */
#define MS      1000U
#define SIZES   1455U /* from 60 to 1514 */
#define HEADER  30U   /* of a test frame: the pattern follows */
#define SESSION 22U

static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t our_mac[6] = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3};

static struct peer peer;
static struct stack_config stack;

static struct firmware_nic *begin(bool shared) {
  struct firmware_nic *nic = cmd_begin(shared ? SIM_82540EM : SIM_82574L);
  peer_begin(&peer, nic);
  stack = (struct stack_config){.address = OURS, .mask = 0xFFFFFF00U};
  if(shared) {
    cmd_resident(&stack);
  }
  return nic;
}

static void assert_counts(uint32_t sent, uint32_t echoed, uint32_t lost, uint32_t twice, uint32_t order,
                          uint32_t damaged) {
  assert_int_equal(cmd_number_before("sent, "), sent);
  assert_int_equal(cmd_number_before("echoed"), echoed);
  assert_int_equal(cmd_number_before("lost"), lost);
  assert_int_equal(cmd_number_before("duplicated"), twice);
  assert_int_equal(cmd_number_before("reordered"), order);
  assert_int_equal(cmd_number_before("damaged"), damaged);
}

/* What is sent ----------------------------------------------------------------------------------------------------- */

static struct {
  uint32_t count;
  size_t first;
  size_t last;
  uint8_t to[6];
  UINT64 at_us[64];
} expected;

/* The nth frame: its size in turn, its number, its pattern, and to whom. */
static void judge(struct peer *host, struct echo *echo) {
  const uint8_t *frame = host->last;
  size_t wanted = expected.first + (echo->number - 1U) % (expected.last - expected.first + 1U);
  assert_int_equal(host->last_length, wanted);
  assert_memory_equal(frame, expected.to, 6);
  assert_memory_equal(frame + 6, our_mac, 6);
  assert_int_equal(frame[20] << 8 | frame[21], wanted);
  assert_int_equal(echo->sequence, echo->number);
  for(size_t i = HEADER; i < host->last_length; i++) {
    assert_int_equal(frame[i], (uint8_t)(echo->number * 31U + i));
  }
  expected.count++;
  if(expected.count < 64) {
    expected.at_us[expected.count] = firmware_now_us();
  }
}

static void expect(size_t first, size_t last, const uint8_t to[6]) {
  memset(&expected, 0, sizeof(expected));
  expected.first = first;
  expected.last = last;
  memcpy(expected.to, to, 6);
  peer.on_test = judge;
}

static void test_every_size(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    expect(60, 1514, everybody);
    assert_int_equal(cmd("frames"), EFI_SUCCESS);
    assert_counts(SIZES, SIZES, 0, 0, 0, 0);
    assert_int_equal(expected.count, SIZES);
    cmd_end();
  }
}

static void test_sizes_and_peer(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    expect(100, 100, everybody);
    assert_int_equal(cmd("frames -s 100"), EFI_SUCCESS);
    assert_counts(100, 100, 0, 0, 0, 0);
    expect(60, 64, peer_mac);
    peer.tests = 0;
    assert_int_equal(cmd("frames -s 60-64 -c 12 --peer 02:11:22:33:44:55"), EFI_SUCCESS);
    assert_counts(12, 12, 0, 0, 0, 0);
    assert_int_equal(expected.count, 12);
    assert_int_equal(cmd("frames -s 59"), EFI_INVALID_PARAMETER);
    assert_int_equal(cmd("frames -s 1515"), EFI_INVALID_PARAMETER);
    assert_int_equal(peer.tests, 12);
    cmd_end();
  }
}

static void test_interval(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    expect(60, 60, everybody);
    assert_int_equal(cmd("frames -s 60 -c 6 -i 40"), EFI_SUCCESS);
    for(size_t i = 2; i <= 6; i++) {
      UINT64 gap = expected.at_us[i] - expected.at_us[1];
      assert_in_range(gap, (i - 1) * 40U * MS - 2U * MS, (i - 1) * 40U * MS + 2U * MS);
    }
    cmd_end();
  }
}

/* What comes back -------------------------------------------------------------------------------------------------- */

static void lose_7(struct peer *host, struct echo *echo) {
  (void)host;
  echo->copies = echo->number == 7 ? 0 : 1;
}

static void twice_7(struct peer *host, struct echo *echo) {
  (void)host;
  echo->copies = echo->number == 7 ? 3 : 1;
}

static void late_7(struct peer *host, struct echo *echo) {
  (void)host;
  echo->delay_us += echo->number == 7 ? 20U * MS : 0;
}

static void damage_7(struct peer *host, struct echo *echo) {
  (void)host;
  echo->frame[echo->length - 1U] ^= echo->number == 7 ? 4U : 0;
}

/* As if one had been answered that was never sent. */
static void beyond_7(struct peer *host, struct echo *echo) {
  (void)host;
  if(echo->number == 7) {
    echo->frame[27] = 1; /* the sequence number's second byte, and the pattern's low byte stays */
  }
}

/* Whole in itself, but not as long as the one that was sent. */
static void shorter_7(struct peer *host, struct echo *echo) {
  (void)host;
  if(echo->number == 7) {
    echo->length = 61;
    echo->frame[21] = 61;
    echo->frame[20] = 0;
  }
}

static void other_session_7(struct peer *host, struct echo *echo) {
  (void)host;
  echo->frame[SESSION + 2U] ^= echo->number == 7 ? 1U : 0;
}

/* All come back whole, and one a second time, damaged. */
static void whole_and_damaged_7(struct peer *host, struct echo *echo) {
  if(echo->number == 7) {
    wire_send(host->nic, echo->delay_us, echo->frame, echo->length);
    damage_7(host, echo);
  }
}

static void test_what_comes_back(void **state) {
  (void)state;
  static const struct {
    void (*change)(struct peer *, struct echo *);
    EFI_STATUS status;
    uint32_t counts[6];
  } cases[] = {
      {lose_7, EFI_TIMEOUT, {20, 19, 1, 0, 0, 0}},          {twice_7, EFI_TIMEOUT, {20, 20, 0, 2, 0, 0}},
      {late_7, EFI_SUCCESS, {20, 20, 0, 0, 1, 0}},          {damage_7, EFI_TIMEOUT, {20, 19, 1, 0, 0, 1}},
      {beyond_7, EFI_TIMEOUT, {20, 19, 1, 0, 0, 1}},        {shorter_7, EFI_TIMEOUT, {20, 19, 1, 0, 0, 1}},
      {other_session_7, EFI_TIMEOUT, {20, 19, 1, 0, 0, 0}}, {whole_and_damaged_7, EFI_TIMEOUT, {20, 20, 0, 0, 0, 1}},
  };
  for(size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
    begin(i & 1U);
    peer.on_test = cases[i / 2].change;
    const uint32_t *counts = cases[i / 2].counts;
    assert_int_equal(cmd("frames -s 200 -c 20"), cases[i / 2].status);
    assert_counts(counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]);
    cmd_end();
  }
}

static void test_nobody_echoes(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    peer.echoes_tests = false;
    assert_int_equal(cmd("frames -s 60 -c 5"), EFI_TIMEOUT);
    assert_counts(5, 0, 5, 0, 0, 0);
    assert_said("nobody echoes");
    assert_int_equal(peer.tests, 5);
    /* a reply that is missing from the start is not waited for once a frame */
    UINT64 start_us = firmware_now_us();
    assert_int_equal(cmd("frames -s 60 -c 1000"), EFI_TIMEOUT);
    assert_true(firmware_now_us() - start_us < 15000U * MS);
    cmd_end();
  }
}

/* More than the window may hold is under way only while replies come. */
static void test_window(void **state) {
  (void)state;
  begin(false);
  peer.echoes_tests = false;
  assert_int_equal(cmd("frames -s 60 -c 1000"), EFI_TIMEOUT);
  assert_int_equal(peer.tests, 64);
  cmd_end();
}

static void test_transmitter_stands(void **state) {
  (void)state;
  struct firmware_nic *nic = begin(false);
  sim_knobs(nic->sim)->tx_paused = true;
  programs_clock_step(200);
  assert_int_equal(cmd("frames -s 60 -c 1000 -i 1"), EFI_TIMEOUT);
  assert_said("nothing leaves the NIC");
  assert_int_equal(peer.tests, 0);
  cmd_end();
}

static void test_frames_answers(void **state) {
  (void)state;
  begin(false);
  uint8_t frame[1514];
  UINT64 at_us = 6000U * MS; /* once it runs */
  size_t length = peer_test_frame(&peer, frame, everybody, 300, 9);
  wire_send(peer.nic, at_us, frame, length);
  assert_int_equal(cmd("frames -s 60 -c 800 -i 10"), EFI_SUCCESS);
  assert_int_equal(peer.test_replies, 1);
  cmd_end();
}

/* Echo ------------------------------------------------------------------------------------------------------------- */

static void send_tests(uint32_t count, UINT64 from_us, UINT64 step_us) {
  for(uint32_t i = 0; i < count; i++) {
    uint8_t frame[1514];
    size_t length = peer_test_frame(&peer, frame, i & 1U ? our_mac : everybody, 60U + i, i + 1U);
    wire_send(peer.nic, from_us + i * step_us, frame, length);
  }
}

static void test_echo_time(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    UINT64 start_us = firmware_now_us();
    send_tests(20, 5000U * MS, 100U * MS);
    assert_int_equal(cmd("echo -t 9"), EFI_SUCCESS);
    assert_int_equal(cmd_number_before("frames"), 20);
    assert_int_equal(peer.test_replies, 20);
    assert_in_range(firmware_now_us() - start_us, 9000U * MS, 13000U * MS);
    start_us = firmware_now_us();
    assert_int_equal(cmd("echo -t 2"), EFI_SUCCESS);
    assert_int_equal(cmd_number_before("frames"), 0);
    assert_in_range(firmware_now_us() - start_us, 2000U * MS, 6000U * MS);
    cmd_end();
  }
}

static void test_echo_reply(void **state) {
  (void)state;
  begin(false);
  uint8_t frame[1514];
  size_t length = peer_test_frame(&peer, frame, everybody, 700, 77);
  wire_send(peer.nic, 5000U * MS, frame, length);
  assert_int_equal(cmd("echo -c 1 -t 100"), EFI_SUCCESS);
  assert_int_equal(peer.last_length, 700);
  memcpy(frame, peer_mac, 6);
  memcpy(frame + 6, our_mac, 6);
  frame[19] = 2;
  assert_memory_equal(peer.last, frame, 700);
  cmd_end();
}

static void test_echo_count(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    UINT64 start_us = firmware_now_us();
    send_tests(10, 5000U * MS, 100U * MS);
    assert_int_equal(cmd("echo -c 3 -t 60"), EFI_SUCCESS);
    assert_true(firmware_now_us() - start_us < 8000U * MS);
    assert_int_equal(cmd_number_before("frames"), 3);
    /* the others come while nobody runs, or were never many enough */
    assert_int_equal(cmd("echo -c 100 -t 2"), EFI_TIMEOUT);
    cmd_end();
  }
}

static void send_questions(void) {
  uint8_t frame[1514];
  wire_send(peer.nic, 5000U * MS, frame, peer_arp_request(&peer, frame, OURS + 8U));
  wire_send(peer.nic, 5010U * MS, frame, peer_ping(&peer, frame, our_mac, OURS + 8U, 1, 100));
  wire_send(peer.nic, 5020U * MS, frame, peer_arp_request(&peer, frame, OURS + 9U));
  wire_send(peer.nic, 5030U * MS, frame, peer_ping(&peer, frame, our_mac, OURS + 9U, 2, 100));
}

static void test_echo_address(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    send_questions();
    assert_int_equal(cmd("echo --addr 10.0.0.9/24 -t 8"), EFI_SUCCESS);
    assert_int_equal(peer.arp_replies, 1);
    assert_int_equal(peer.echo_replies, 1);
    assert_int_equal(cmd_number_before("pings"), 1);
    assert_int_equal(cmd_number_before("ARP requests answered"), 1);
    send_questions();
    assert_int_equal(cmd("echo -t 8"), EFI_SUCCESS); /* no address: test frames only */
    assert_int_equal(peer.arp_replies, 1);
    assert_int_equal(peer.echo_replies, 1);
    cmd_end();
  }
}

/* Something comes every millisecond, as long as `ctx` says so. */
static void flood(void *ctx) {
  static uint32_t number;
  uint8_t frame[1514];
  size_t length =
      number++ & 1U ? peer_arp_request(&peer, frame, OURS + 8U) : peer_test_frame(&peer, frame, everybody, 60, number);
  wire_send(peer.nic, 10, frame, length);
  if(*(bool *)ctx) {
    programs_at(firmware_now_us() + 1U * MS, flood, ctx);
  }
}

/* Answers go on coming after the last that was waited for. */
static void answer_for_long(struct peer *host, struct echo *echo) {
  peer_seal(echo->frame);
  for(UINT64 i = 1; i < 100; i++) {
    wire_send(host->nic, i * 2U * MS, echo->frame, echo->length);
  }
}

/* A flood, on a console on which a character takes half a millisecond: frames come before everything is set up, while
 * the summary is printed, and after the end. */
static void test_flood(void **state) {
  (void)state;
  static const struct {
    const char *line;
    const char *summary;
  } cases[] = {
      {"echo --addr 10.0.0.9/24 -c 50 -t 60", "\necho: "},
      {"ping 10.0.0.2 --addr 10.0.0.9/24 -c 3 -i 50", "\n3 packets transmitted, 3 received, "},
      {"frames -s 60 -c 50", "\nframes: 50 sent, 50 echoed, 0 lost"},
  };
  for(size_t i = 0; i < 6; i++) {
    bool goes_on = true;
    begin(i & 1U);
    console_slow(500);
    peer.on_echo = answer_for_long;
    flood(&goes_on);
    assert_int_equal(cmd(cases[i / 2].line), EFI_SUCCESS);
    assert_said(cases[i / 2].summary);
    if(i / 2 == 1) {
      assert_said("0% packet loss\nrtt min/avg/max/mdev = "); /* nothing was printed into it */
      assert_true(cmd_times_said("(DUP!)") > 0);
      assert_null(strstr(strstr(console_text(), "packets transmitted"), "bytes from"));
    }
    goes_on = false;
    assert_int_equal(BS->Stall(1000U * MS), EFI_SUCCESS);
    cmd_end();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_size),
      cmocka_unit_test(test_sizes_and_peer),
      cmocka_unit_test(test_interval),
      cmocka_unit_test(test_what_comes_back),
      cmocka_unit_test(test_nobody_echoes),
      cmocka_unit_test(test_window),
      cmocka_unit_test(test_transmitter_stands),
      cmocka_unit_test(test_frames_answers),
      cmocka_unit_test(test_echo_time),
      cmocka_unit_test(test_echo_reply),
      cmocka_unit_test(test_echo_count),
      cmocka_unit_test(test_echo_address),
      cmocka_unit_test(test_flood),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
