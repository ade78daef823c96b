/* test_cmd_wire.c - netdiag's ping, echo and frames with a wire that says strange things: tags, liars, other networks,
 * somebody with our address. */
#include "cmd_machine.h"

#define OURS    0x0A000001U /* 10.0.0.1 */
#define MS      1000U
#define ADDRESS "--addr 10.0.0.1/24 "

static struct peer peer;
static struct stack_config stack;
static struct firmware_nic *nic;
static const uint8_t rival[6] = {2, 0, 0, 0, 0, 0x66};

/* `see` NULL: the peer is on the wire, which answers. */
static void begin_with(bool shared, wire_peer see) {
  nic = cmd_begin(shared ? SIM_82540EM : SIM_82574L);
  if(see) {
    wire_attach(nic, see, NULL);
  } else {
    peer_begin(&peer, nic);
  }
  stack = (struct stack_config){.address = OURS + 100U, .mask = 0xFFFFFF00U};
  if(shared) {
    cmd_resident(&stack);
  }
}

static void begin(bool shared) {
  begin_with(shared, NULL);
}

static EFI_STATUS ping(const char *options) {
  char line[256];
  (void)snprintf(line, sizeof(line), "ping 10.0.0.2 " ADDRESS "%s", options);
  return cmd(line);
}

/* Puts a tag behind the addresses; returns the new length. */
static size_t tag(uint8_t *frame, size_t length, uint16_t control) {
  memmove(frame + 16, frame + 12, length - 12U);
  frame[12] = 0x81;
  frame[13] = 0;
  frame[14] = (uint8_t)(control >> 8);
  frame[15] = (uint8_t)control;
  return length + 4U;
}

/* Answers ---------------------------------------------------------------------------------------------------------- */

static uint16_t control; /* of the tags on answers */

/* On the wire as it is: the peer does not seal it any more. */
static void send_tagged(struct peer *host, struct echo *echo) {
  uint8_t frame[1518];
  peer_seal(echo->frame);
  memcpy(frame, echo->frame, echo->length);
  wire_send(host->nic, echo->delay_us, frame, tag(frame, echo->length, control));
  echo->copies = 0;
}

static void test_tagged_answers(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    peer.on_echo = send_tagged;
    control = 0xA000;
    assert_int_equal(ping("-c 3 -i 50"), EFI_SUCCESS);
    assert_said("3 packets transmitted, 3 received, 0% packet loss");
    if(!shared) { /* e1000.efi takes the tag off for the stack, so that nobody sees it there */
      assert_said("3 answers carried a priority tag (VLAN 0)");
    }
    cmd_end();
  }
  begin(false);
  peer.on_echo = send_tagged;
  control = 0x0007;
  assert_int_equal(ping("-c 2 -i 50 -W 100"), EFI_TIMEOUT);
  assert_said("From 10.0.0.2 icmp_seq=1 tagged with VLAN 7");
  assert_said("not counted: 2 tagged with another VLAN");
  assert_said("2 packets transmitted, 0 received, 100% packet loss");
  assert_int_equal(ping("-q -c 2 -i 50 -W 100"), EFI_TIMEOUT);
  assert_not_said("From 10.0.0.2");
  assert_said("not counted: 2 tagged with another VLAN");
  cmd_end();
}

static void make_error(struct peer *host, struct echo *echo) {
  /* what was asked, in the error's data; from a router */
  uint8_t type = echo->number == 1 ? 11 : 3;
  memmove(echo->frame + 42, host->last + 14, 28);
  memset(echo->frame + 34, 0, 8);
  echo->frame[34] = type;
  echo->frame[35] = echo->number == 2 ? 4 : 0;
  echo->frame[40] = echo->number == 2 ? 0x05 : 0;
  echo->frame[41] = echo->number == 2 ? 0x78 : 0;
  echo->frame[16] = 0;
  echo->frame[17] = 56;
  peer_put32(echo->frame + 26, PEER_ADDRESS + 1U);
  echo->length = 70;
  if(echo->number > 2) {
    echo->copies = 0;
  }
}

static void test_errors(void **state) {
  (void)state;
  for(int quiet = 0; quiet < 2; quiet++) {
    begin(quiet);
    peer.on_echo = make_error;
    assert_int_equal(ping(quiet ? "-q -c 3 -i 50 -W 100" : "-c 3 -i 50 -W 100"), EFI_TIMEOUT);
    assert_int_equal(cmd_times_said("From 10.0.0.3 icmp_seq=1 time exceeded on the way (code 0)"), !quiet);
    assert_int_equal(cmd_times_said("From 10.0.0.3 icmp_seq=2 unreachable: too big (code 4), MTU 1400"), !quiet);
    assert_said("3 packets transmitted, 0 received, +2 errors, 100% packet loss");
    assert_said("not counted: 1 time exceeded");
    assert_said("not counted: 1 destination unreachable");
    cmd_end();
  }
}

static void change_by_number(struct peer *host, struct echo *echo) {
  (void)host;
  switch(echo->number) {
  case 1: /* in two fragments, of which this is the first */
    echo->frame[20] = 0x20;
    break;
  case 2:
    peer_put32(echo->frame + 26, PEER_ADDRESS + 7U);
    break;
  case 3:
    peer_put32(echo->frame + 30, OURS + 7U);
    break;
  case 4: /* cut short by who answers */
    echo->frame[17] = 28 + 16;
    echo->length = 60;
    break;
  case 5:
    echo->delay_us = 250U * MS;
    break;
  default:
    break;
  }
}

static void test_reasons(void **state) {
  (void)state;
  begin(false);
  peer.on_echo = change_by_number;
  assert_int_equal(ping("-c 6 -i 300 -W 200"), EFI_TIMEOUT);
  assert_said("From 10.0.0.2 icmp_seq=1 fragment at byte 0");
  assert_said("From 10.0.0.9 icmp_seq=2 not the target's address");
  assert_said("From 10.0.0.2 icmp_seq=3 to 10.0.0.8, not to us");
  assert_said("24 bytes from 10.0.0.2: icmp_seq=4");
  assert_said("(cut from 64)");
  assert_said("(too late)");
  assert_not_said("DAMAGED");
  assert_said("6 packets transmitted, 1 received, 83% packet loss");
  assert_said("not counted: 1 in fragments");
  assert_said("not counted: 1 from another address");
  assert_said("not counted: 1 to another address");
  assert_said("not counted: 1 cut short by the answering host");
  assert_said("not counted: 1 later than -W");
  cmd_end();
}

static void delay_the_fourth(struct peer *host, struct echo *echo) {
  (void)host;
  echo->delay_us = echo->number == 4 ? 700U * MS : 100U;
}

/* Reply 4 of 5 late, reply 5 prompt. */
static void test_late_but_in_time(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    peer.on_echo = delay_the_fourth;
    assert_int_equal(ping("-c 5 -i 50 -W 1000"), EFI_SUCCESS);
    assert_said("5 packets transmitted, 5 received, 0% packet loss");
    cmd_end();
  }
}

static void delay_4_s(struct peer *host, struct echo *echo) {
  (void)host;
  echo->delay_us = 4000000U;
}

static void test_thousands_under_way(void **state) {
  (void)state;
  begin(false);
  programs_clock_step(100);
  peer.on_echo = delay_4_s;
  assert_int_equal(ping("-q -c 2500 -i 1 -W 8000"), EFI_SUCCESS);
  assert_said("2500 packets transmitted, 2500 received, 0% packet loss");
  cmd_end();
}

/* Addresses -------------------------------------------------------------------------------------------------------- */

static void test_addresses_that_nobody_can_have(void **state) {
  (void)state;
  static const struct {
    const char *line;
    const char *says;
  } cases[] = {
      {"ping 10.9.9.1 --addr 10.9.9.255/24", "--addr '10.9.9.255/24': the network's broadcast address"},
      {"ping 10.9.9.1 --addr 0.0.0.0/0", "--addr '0.0.0.0/0': the address of nobody"},
      {"ping 10.9.9.1 --addr 10.9.9.0/24", "the network's own address"},
      {"ping 10.9.9.1 --addr 127.0.0.1/8", "loopback"},
      {"echo --addr 224.0.0.1/24", "multicast"},
      {"ping 8.8.8.8 " ADDRESS "--gw 255.255.255.255", "--gw '255.255.255.255': the broadcast address"},
      {"ping 8.8.8.8 " ADDRESS "--gw 0.0.0.0", "--gw '0.0.0.0': the address of nobody"},
      {"ping 8.8.8.8 " ADDRESS "--gw 10.0.0.1", "the gateway 10.0.0.1 is our own address"},
      {"ping 8.8.8.8 " ADDRESS "--gw 10.0.0.255", "the gateway 10.0.0.255 is the network's broadcast address"},
      {"ping 8.8.8.8 " ADDRESS "--gw 10.0.1.1", "the gateway 10.0.1.1 is not on our network"},
      {"ping 255.255.255.255 " ADDRESS "--gw 10.0.0.2", "255.255.255.255 is the broadcast address"},
      {"ping 10.0.0.255 " ADDRESS, "10.0.0.255 is the network's broadcast address"},
      {"ping 10.0.0.0 " ADDRESS, "10.0.0.0 is the network's own address"},
      {"ping 10.0.0.1 " ADDRESS, "10.0.0.1 is our own address"},
      {"ping 224.0.0.1 " ADDRESS, "224.0.0.1 is a multicast address"},
      {"ping 127.0.0.1", "127.0.0.1 is a loopback address"}, /* without asking DHCP first */
      {"ping 0.0.0.0", "0.0.0.0 is the address of nobody"},
      {"frames --peer 00:00:00:00:00:00", "--peer 00:00:00:00:00:00 is all zeroes"},
      {"frames --peer 01:00:5e:00:00:01", "--peer 01:00:5e:00:00:01 is a group's address"},
      {"frames --peer 52:54:00:a1:b2:c3", "is this NIC itself"},
  };
  begin(false);
  for(size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    EFI_STATUS status = cmd(cases[i].line);
    assert_said(cases[i].says);
    assert_int_equal(status, EFI_INVALID_PARAMETER);
    assert_said("give"); /* the remedy */
  }
  assert_int_equal(peer.last_length, 0); /* nothing went out */
  cmd_end();
}

/* A gateway for who is alone on its network. */
static void test_gateway_of_a_single_host(void **state) {
  (void)state;
  begin(false);
  assert_int_equal(cmd("ping 10.0.0.2 --addr 192.168.0.1/32 --gw 10.0.0.2 -c 1"), EFI_SUCCESS);
  cmd_end();
}

static size_t arp(uint8_t *frame, uint8_t operation, const uint8_t mac[6], uint32_t sender, uint32_t target) {
  size_t length = peer_arp_request(&peer, frame, target);
  memcpy(frame + 6, mac, 6);
  memcpy(frame + 22, mac, 6);
  frame[21] = operation;
  peer_put32(frame + 28, sender);
  return length < 60U ? 60U : length;
}

static void send_arp(UINT64 delay_us, uint8_t operation, const uint8_t mac[6], uint32_t sender, uint32_t target) {
  uint8_t frame[1514] = {0};
  size_t length = arp(frame, operation, mac, sender, target);
  wire_send(nic, delay_us, frame, length);
}

/* Whoever has the address already says so, or wants it as well. */
static uint8_t rival_operation;
static uint32_t rival_sender;

static void rival_speaks(void *ctx) {
  (void)ctx;
  send_arp(0, rival_operation, rival, rival_sender, OURS);
}

static void test_address_taken(void **state) {
  (void)state;
  static const struct {
    uint8_t operation;
    uint32_t sender;
  } ways[] = {{2, OURS}, {1, OURS}, {1, 0}};
  static const char *const lines[] = {"ping 10.0.0.2 " ADDRESS, "echo -t 1 " ADDRESS};
  for(size_t i = 0; i < 2 * sizeof(ways) / sizeof(ways[0]); i++) {
    for(size_t command = 0; command < 2; command++) {
      begin(i & 1U);
      rival_operation = ways[i / 2].operation;
      rival_sender = ways[i / 2].sender;
      /* the link is up after some seconds; the rival goes on and on */
      for(UINT64 ms = 0; ms < 20000; ms += 100) {
        programs_at(firmware_now_us() + ms * MS, rival_speaks, NULL);
      }
      assert_int_equal(cmd(lines[command]), EFI_ACCESS_DENIED);
      assert_said("10.0.0.1 is taken: 02:00:00:00:00:66 has it; give another --addr");
      assert_int_equal(peer.echoes, 0);
      cmd_end();
    }
  }
}

/* What netdiag asks before it takes an address, and what it says then. */
static struct {
  uint32_t probes;
  uint32_t announcements;
  UINT64 first_us;
  UINT64 last_us;
} asked;

static void watch(void *ctx, struct firmware_nic *from, const UINT8 *frame, size_t length) {
  static const uint8_t head[] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x52, 0x54, 0,    0xA1, 0xB2, 0xC3, 8,    6,
                                 0,    1,    8,    0,    6,    4,    0,    1,    0x52, 0x54, 0,    0xA1, 0xB2, 0xC3};
  static const uint8_t probe[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1};
  static const uint8_t announcement[] = {10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1};
  (void)ctx;
  (void)from;
  if(length < 42U || memcmp(frame, head, sizeof(head)) != 0) {
    return;
  }
  if(memcmp(frame + 28, probe, sizeof(probe)) == 0) {
    asked.first_us = asked.probes++ == 0 ? firmware_now_us() : asked.first_us;
    asked.last_us = firmware_now_us();
    assert_int_equal(asked.announcements, 0);
  } else if(memcmp(frame + 28, announcement, sizeof(announcement)) == 0) {
    asked.announcements++;
  }
}

static void test_address_is_asked_for(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin_with(shared, watch);
    memset(&asked, 0, sizeof(asked));
    assert_int_equal(cmd("echo -t 1 " ADDRESS), EFI_SUCCESS);
    assert_int_equal(asked.probes, 3);
    assert_int_equal(asked.announcements, 1);
    assert_in_range(asked.last_us - asked.first_us, 400U * MS, 460U * MS);
    memset(&asked, 0, sizeof(asked));
    assert_int_equal(cmd("echo -t 1"), EFI_SUCCESS);
    assert_int_equal(asked.probes + asked.announcements, 0);
    cmd_end();
  }
  begin_with(true, watch); /* the stack's own address is the stack's to defend */
  memset(&asked, 0, sizeof(asked));
  assert_int_equal(cmd("echo -t 1 --addr 10.0.0.101/24"), EFI_SUCCESS);
  assert_said("the firmware answers ARP and pings");
  assert_int_equal(asked.probes + asked.announcements, 0);
  cmd_end();
}

static void press_escape(void *ctx) {
  (void)ctx;
  if(asked.probes > 0) {
    console_press(firmware_now_us(), KEY_ESCAPE, 0);
  }
}

static void test_escape_while_asking(void **state) {
  (void)state;
  begin_with(false, watch);
  memset(&asked, 0, sizeof(asked));
  for(UINT64 ms = 0; ms < 20000; ms += 50) {
    programs_at(firmware_now_us() + ms * MS, press_escape, NULL);
  }
  assert_int_equal(ping(""), EFI_ABORTED);
  assert_in_range(asked.probes, 1, 2);
  assert_int_equal(asked.announcements, 0);
  cmd_end();
}

static void claim_our_address(struct peer *host, struct echo *echo) {
  (void)host;
  if(echo->number == 1) {
    for(UINT64 i = 1; i <= 3; i++) {
      send_arp(i * MS, 2, rival, OURS, OURS);
    }
    send_arp(4U * MS, 1, rival, 0, OURS); /* a probe: it asks, and is answered */
  }
}

static void test_address_contested(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    peer.on_echo = claim_our_address;
    assert_int_equal(ping("-c 3 -i 100"), EFI_SUCCESS);
    assert_int_equal(cmd_times_said("02:00:00:00:00:66 claims our address 10.0.0.1 as well"), 1);
    assert_said("address conflict: others claimed 10.0.0.1 3 times");
    assert_int_equal(peer.arp_replies, 1);
    cmd_end();
  }
}

/* Next hop --------------------------------------------------------------------------------------------------------- */

static const uint8_t moved[6] = {2, 0, 0, 0, 0, 0x77};
static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static uint8_t hop[4][6];

static void move(struct peer *host, struct echo *echo) {
  if(echo->number < 4) {
    memcpy(hop[echo->number], host->last, 6);
  }
  if(echo->number == 1) {
    send_arp(1U * MS, 2, everybody, PEER_ADDRESS, OURS); /* nobody's */
    send_arp(2U * MS, 1, moved, PEER_ADDRESS + 9U, OURS + 9U);
  }
  if(echo->number == 2) {
    send_arp(1U * MS, 1, moved, PEER_ADDRESS, PEER_ADDRESS); /* RFC 5227's announcement */
  }
}

static void test_hop_moves(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    peer.on_echo = move;
    assert_int_equal(ping("-c 3 -i 100"), EFI_SUCCESS);
    assert_memory_equal(hop[1], peer_mac, 6);
    assert_memory_equal(hop[2], peer_mac, 6);
    assert_memory_equal(hop[3], moved, 6);
    assert_int_equal(cmd_times_said("10.0.0.2 is now at 02:00:00:00:00:77"), 1);
    cmd_end();
  }
}

static void impossible_answer(void *ctx) {
  uint8_t frame[1518] = {0};
  (void)ctx;
  size_t length = arp(frame, 2, control ? peer_mac : everybody, PEER_ADDRESS, OURS);
  memcpy(frame, "\x52\x54\x00\xa1\xb2\xc3", 6);
  wire_send(nic, 0, frame, control ? tag(frame, length, control) : length);
}

static void test_impossible_hop(void **state) {
  (void)state;
  static const char *const says[] = {"10.0.0.2 answers ARP from a MAC address that no station can have",
                                     "10.0.0.2 answers ARP, but tagged with VLAN 9"};
  for(uint16_t i = 0; i < 2; i++) {
    begin(false);
    peer.arp_ignored = 3;
    control = (uint16_t)(i * 9U);
    for(UINT64 ms = 0; ms < 20000; ms += 100) {
      programs_at(firmware_now_us() + ms * MS, impossible_answer, NULL);
    }
    assert_int_equal(ping("-c 1 -W 300"), EFI_TIMEOUT);
    assert_said(says[i]);
    assert_int_equal(peer.echoes, 0);
    cmd_end();
  }
}

/* Echo and frames -------------------------------------------------------------------------------------------------- */

static void ask_tagged(void *ctx) {
  uint8_t frame[1518] = {0};
  uint8_t ours[6];
  (void)ctx;
  memcpy(ours, "\x52\x54\x00\xa1\xb2\xc3", 6);
  size_t length = peer_ping(&peer, frame, ours, OURS, 1, 40);
  wire_send(nic, 0, frame, tag(frame, length, control));
  memset(frame, 0, sizeof(frame));
  length = peer_arp_request(&peer, frame, OURS);
  wire_send(nic, 0, frame, tag(frame, length < 60U ? 60U : length, control));
}

static void test_echo_and_tags(void **state) {
  (void)state;
  for(uint16_t vlan = 0; vlan < 2; vlan++) {
    begin(false);
    control = (uint16_t)(0x6000U + vlan);
    programs_at(firmware_now_us() + 8000U * MS, ask_tagged, NULL);
    assert_int_equal(cmd("echo -t 10 " ADDRESS), EFI_SUCCESS);
    assert_int_equal(peer.echo_replies, vlan == 0); /* what the peer knows is not tagged */
    assert_int_equal(peer.arp_replies, vlan == 0);
    assert_said(vlan ? "0 pings, 0 ARP requests answered" : "1 pings, 1 ARP requests answered");
    assert_int_equal(cmd_times_said("2 frames tagged with a VLAN not answered"), vlan);
    cmd_end();
  }
}

static void tag_test_reply(struct peer *host, struct echo *echo) {
  uint8_t frame[1518];
  memcpy(frame, echo->frame, echo->length);
  wire_send(host->nic, echo->delay_us, frame, tag(frame, echo->length, control));
  echo->copies = 0;
}

static void test_frames_and_tags(void **state) {
  (void)state;
  for(uint16_t vlan = 0; vlan < 2; vlan++) {
    begin(false);
    control = vlan;
    peer.on_test = tag_test_reply;
    assert_int_equal(cmd("frames -c 5 -s 100"), vlan ? EFI_TIMEOUT : EFI_SUCCESS);
    assert_said(vlan ? "5 sent, 0 echoed, 5 lost" : "5 sent, 5 echoed, 0 lost");
    assert_int_equal(cmd_times_said("5 frames tagged with a VLAN, and not for us"), vlan);
    cmd_end();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tagged_answers),
      cmocka_unit_test(test_errors),
      cmocka_unit_test(test_reasons),
      cmocka_unit_test(test_late_but_in_time),
      cmocka_unit_test(test_thousands_under_way),
      cmocka_unit_test(test_addresses_that_nobody_can_have),
      cmocka_unit_test(test_gateway_of_a_single_host),
      cmocka_unit_test(test_address_taken),
      cmocka_unit_test(test_address_is_asked_for),
      cmocka_unit_test(test_escape_while_asking),
      cmocka_unit_test(test_address_contested),
      cmocka_unit_test(test_hop_moves),
      cmocka_unit_test(test_impossible_hop),
      cmocka_unit_test(test_echo_and_tags),
      cmocka_unit_test(test_frames_and_tags),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
