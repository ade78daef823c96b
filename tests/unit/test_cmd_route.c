/* test_cmd_route.c - netdiag arp and netdiag route: who answers, which way it goes, how large it may be. */
#include "cmd_machine.h"

#include "inet.h"

#define S       1000000ULL
#define MS      1000U
#define OURS    0x0A000001U /* 10.0.0.1 */
#define GATEWAY 0x0A0000FEU
#define FAR     0xC0A80909U /* 192.168.9.9 */
#define ADDRESS "--addr 10.0.0.1/24 "

/* Who answers ARP for an address. */
struct neighbour {
  uint32_t address;
  uint8_t mac[6];
  UINT64 delay_us;
  uint32_t ignored; /* so many requests */
  int32_t vlan;     /* -1: untagged */
};

static struct stack_config stack;
static struct firmware_nic *nic;
static struct neighbour neighbours[4];
static uint32_t neighbour_count;
static uint32_t requests;
static struct inet_packet last_request;
/* The way to FAR: each hop is a router with this address (0: it says nothing), the last is FAR itself. */
static uint32_t hops[8];
static uint32_t hop_count;
static uint32_t mtu;        /* of the way */
static uint32_t mtu_router; /* says so; 0: nobody does */
static uint16_t mtu_said;
static uint8_t refusal;   /* code of "unreachable" that the last but one hop says; 0xFF for none */
static uint32_t way_back; /* an answer that is longer comes in parts; 0 for no limit */
static UINT64 router_delay_us;
static uint32_t echoes;
static uint32_t largest;

static void begin(enum cmd_place where) {
  nic = cmd_begin(where == SHARED ? SIM_82540EM : SIM_82574L);
  stack = (struct stack_config){.address = OURS, .mask = 0xFFFFFF00U, .gateway = GATEWAY};
  neighbour_count = requests = hop_count = echoes = largest = mtu_router = 0;
  mtu = 1500;
  mtu_said = 0;
  refusal = 0xFF;
  router_delay_us = 2U * MS;
  way_back = 0;
  cmd_place(where, nic, &stack);
}

static struct neighbour *add(uint32_t address, uint8_t last) {
  struct neighbour *neighbour = &neighbours[neighbour_count++];
  *neighbour = (struct neighbour){.address = address, .mac = {2, 0, 0, 0, 0, last}, .delay_us = MS, .vlan = -1};
  return neighbour;
}

static void send(UINT64 delay_us, const uint8_t *frame, size_t length, int32_t vlan) {
  uint8_t bytes[1518] = {0};
  memcpy(bytes, frame, length);
  if(vlan >= 0) {
    memmove(bytes + 16, bytes + 12, length - 12U);
    memcpy(bytes + 12, (const uint8_t[]){0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan}, 4);
    length += 4U;
  }
  wire_send(nic, delay_us, bytes, length < 60U ? 60U : length);
}

static void on_arp(const struct inet_packet *packet) {
  requests++;
  last_request = *packet;
  for(uint32_t i = 0; i < neighbour_count; i++) {
    struct neighbour *neighbour = &neighbours[i];
    struct inet_host host = {.address = neighbour->address};
    uint8_t frame[64];
    memcpy(host.mac, neighbour->mac, 6);
    if(packet->destination == neighbour->address && requests > neighbour->ignored) {
      send(neighbour->delay_us, frame, inet_arp_reply(frame, &host, packet), neighbour->vlan);
    }
  }
}

/* An ICMP error about `frame`, which quotes its beginning. */
static void complain_about(const uint8_t *frame, uint32_t router, uint8_t type, uint8_t code, uint16_t next_mtu) {
  uint8_t bytes[128];
  struct inet_packet packet;
  struct inet_host host = {.mac = {2, 0, 0, 0, 0, 0xFE}, .address = router};
  inet_parse(frame, 42U + 32U, &packet);
  size_t length = inet_echo_request(bytes, &host, frame + 6, OURS, 0, 0, frame + 14, 28);
  bytes[34] = type;
  bytes[35] = code;
  bytes[40] = (uint8_t)(next_mtu >> 8);
  bytes[41] = (uint8_t)next_mtu;
  peer_seal(bytes);
  send(router_delay_us, bytes, length, -1);
}

static void seal_header(uint8_t *frame) {
  uint32_t sum = 0;
  frame[24] = frame[25] = 0;
  for(size_t i = 14; i < 34; i += 2) {
    sum += (uint32_t)frame[i] << 8 | frame[i + 1U];
  }
  sum = (sum & 0xFFFFU) + (sum >> 16);
  sum = ~((sum & 0xFFFFU) + (sum >> 16));
  frame[24] = (uint8_t)(sum >> 8);
  frame[25] = (uint8_t)sum;
}

static void on_echo(const uint8_t *frame, size_t length, const struct inet_packet *packet) {
  uint32_t size = (uint32_t)length - 14U;
  bool whole = (frame[20] & 0x40U) != 0;
  echoes++;
  largest = size > largest ? size : largest;
  assert_memory_equal(frame, "\x02\x00\x00\x00\x00\xFE", 6); /* to the next hop */
  if(packet->ttl < hop_count) {
    if(hops[packet->ttl - 1U]) {
      complain_about(frame, hops[packet->ttl - 1U], 11, 0, 0);
    }
    return;
  }
  if(refusal != 0xFF) {
    complain_about(frame, hops[hop_count - 2U], 3, refusal, 0);
  } else if(whole && size > mtu && mtu_router) {
    complain_about(frame, mtu_router, 3, 4, mtu_said);
  } else if(size <= mtu && hops[hop_count - 1U]) {
    struct inet_host target = {.mac = {2, 0, 0, 0, 0, 0xFE}, .address = packet->destination};
    uint8_t reply[1514];
    size_t whole_length = inet_echo_reply(reply, &target, packet);
    if(way_back && size > way_back) { /* in two parts, of which the second brings nothing new */
      reply[20] = 0x20;
      whole_length = 14U + way_back;
      reply[16] = (uint8_t)(way_back >> 8);
      reply[17] = (uint8_t)way_back;
      seal_header(reply);
    }
    send(3U * MS, reply, whole_length, -1);
  }
}

static void see(void *ctx, struct firmware_nic *from, const UINT8 *frame, size_t length) {
  struct inet_packet packet;
  (void)ctx;
  (void)from;
  inet_parse(frame, length, &packet);
  if(packet.kind == INET_ARP_REQUEST) {
    on_arp(&packet);
  } else if(packet.kind == INET_ECHO_REQUEST && hop_count > 0) {
    on_echo(frame, length, &packet);
  }
}

static void begin_wire(enum cmd_place where) {
  begin(where);
  wire_attach(nic, see, NULL);
}

/* ARP ------------------------------------------------------------------------------------------------------------- */

static void test_arp(void **state) {
  (void)state;
  for(int where = 0; where < WHERES; where++) {
    begin_wire((enum cmd_place)where);
    (void)add(0x0A000002, 2);
    assert_int_equal(cmd("arp 10.0.0.2"), EFI_SUCCESS);
    assert_said("10.0.0.2 is at 02:00:00:00:00:02: 3 answers, the first after ");
    assert_said("3 requests, 3 answers from 1 station\n");
    /* without an address it asks as nobody, and takes none */
    assert_int_equal(last_request.source, where == OWN ? 0 : OURS);
    cmd_assert_said("ARP 10.0.0.2 from no address eth0", where == OWN, __FILE__, __LINE__);
    assert_int_equal(stack_policies_set(), 0);
    requests = 0;
    assert_int_equal(cmd("arp 10.0.0.2 -c 1 --addr 10.0.0.7/24"), EFI_SUCCESS);
    assert_int_equal(last_request.source, 0x0A000007);
    cmd_end();
  }
}

static void test_arp_duplicate(void **state) {
  (void)state;
  begin_wire(OWN);
  (void)add(0x0A000002, 2);
  add(0x0A000002, 3)->delay_us = 400U * MS;
  assert_int_equal(cmd("arp 10.0.0.2 -c 2"), EFI_ACCESS_DENIED);
  assert_said("10.0.0.2 is at 02:00:00:00:00:02: 2 answers, the first after 1.");
  assert_said("10.0.0.2 is at 02:00:00:00:00:03: 2 answers, the first after 400.");
  assert_said("2 stations have 10.0.0.2: all but one of them must change");
  cmd_end();
}

static void test_arp_nobody(void **state) {
  (void)state;
  begin_wire(OWN);
  assert_int_equal(cmd("arp 10.0.0.2 -W 300"), EFI_TIMEOUT);
  assert_said("10.0.0.2 does not answer ARP (3 tries)");
  assert_said("nothing at all came in: 3 frames sent, 0 received");
  add(0x0A000002, 2)->vlan = 42;
  assert_int_equal(cmd("arp 10.0.0.2 -W 300"), EFI_TIMEOUT);
  assert_said("tagged with VLAN 42");
  assert_said("10.0.0.2 answers, but tagged with VLAN 42: this port is not in its VLAN");
  neighbours[0].vlan = 0;
  assert_int_equal(cmd("arp 10.0.0.2 -W 300"), EFI_SUCCESS);
  assert_said("with a priority tag");
  assert_int_equal(cmd("arp 10.0.0"), EFI_INVALID_PARAMETER);
  assert_int_equal(cmd("arp 10.0.0.1 " ADDRESS), EFI_INVALID_PARAMETER);
  assert_said("our own address");
  cmd_end();
}

static void test_arp_probe(void **state) {
  (void)state;
  for(int where = 0; where < WHERES; where++) {
    begin_wire((enum cmd_place)where);
    assert_int_equal(cmd("arp --probe 10.0.0.9"), EFI_SUCCESS);
    assert_said("10.0.0.9 is free");
    assert_int_equal(requests, 3);
    assert_int_equal(last_request.source, 0);
    (void)add(0x0A000009, 9);
    assert_int_equal(cmd("arp --probe 10.0.0.9 -c 1"), EFI_ACCESS_DENIED);
    assert_said("10.0.0.9 is taken");
    assert_not_said("is free");
    cmd_end();
  }
}

static void probe_as_well(void *ctx) {
  const struct inet_host other = {.mac = {2, 0, 0, 0, 0, 7}};
  uint8_t frame[64];
  (void)ctx;
  send(0, frame, inet_arp_probe(frame, &other, 0x0A000009), -1);
}

static void test_arp_probe_race(void **state) {
  (void)state;
  begin_wire(OWN);
  programs_at(firmware_now_us() + 1500U * MS, probe_as_well, NULL);
  assert_int_equal(cmd("arp --probe 10.0.0.9"), EFI_ACCESS_DENIED);
  assert_said("another station probes for it too");
  cmd_end();
}

static void test_arp_json(void **state) {
  (void)state;
  begin_wire(OWN);
  (void)add(0x0A000002, 2);
  assert_int_equal(cmd("arp 10.0.0.2 --json -c 1"), EFI_SUCCESS);
  assert_said("\"stations\": [");
  assert_said("\"mac\": \"02:00:00:00:00:02\"");
  assert_said("\"answers\": 1");
  assert_not_said(" is at ");
  cmd_end();
}

/* Route ------------------------------------------------------------------------------------------------------------ */

static void make_way(uint32_t count) {
  (void)add(GATEWAY, 0xFE);
  static const uint32_t way[] = {GATEWAY, 0xAC100001, 0xAC100002};
  hop_count = count;
  for(uint32_t i = 0; i < count; i++) {
    hops[i] = i + 1U < count ? way[i] : FAR;
  }
}

static void test_route(void **state) {
  (void)state;
  for(int where = 0; where < WHERES; where++) {
    begin_wire((enum cmd_place)where);
    make_way(3);
    assert_int_equal(cmd(where == OWN ? "route 192.168.9.9 " ADDRESS "--gw 10.0.0.254" : "route 192.168.9.9"),
                     EFI_SUCCESS);
    assert_said("ROUTE to 192.168.9.9 from 10.0.0.1 mask 255.255.255.0 on eth0");
    assert_said("next hop    10.0.0.254 at 02:00:00:00:00:fe, the gateway; ARP took ");
    assert_said("\n  1  10.0.0.254 ");
    assert_said("\n  2  172.16.0.1 ");
    assert_said("\n  3  192.168.9.9 ");
    assert_said("ms  the target\n");
    assert_said("path MTU    1500 bytes: whole frames get through\n");
    assert_int_equal(echoes, 4);
    assert_int_equal(largest, 1500);
    cmd_end();
  }
}

static void test_route_on_link(void **state) {
  (void)state;
  begin_wire(OWN);
  (void)add(0x0A000002, 0xFE);
  hop_count = 1;
  hops[0] = 0x0A000002;
  assert_int_equal(cmd("route 10.0.0.2 " ADDRESS "--no-mtu"), EFI_SUCCESS);
  assert_said("on our network");
  assert_said("\n  1  10.0.0.2 ");
  assert_not_said("path MTU");
  assert_int_equal(echoes, 1);
  neighbours[0].ignored = 100;
  assert_int_equal(cmd("route 10.0.0.2 " ADDRESS "-W 100"), EFI_TIMEOUT);
  assert_said("10.0.0.2 should be on our network, but does not answer ARP (3 tries)");
  assert_said("frames sent");
  assert_int_equal(cmd("route 192.168.9.9 " ADDRESS), EFI_INVALID_PARAMETER);
  assert_said("route: 192.168.9.9 is not on our network: add --gw ADDRESS");
  assert_int_equal(cmd("route 192.168.9.9 " ADDRESS "--gw 10.0.0.3 -W 100"), EFI_TIMEOUT);
  assert_said("the gateway 10.0.0.3 does not answer ARP (3 tries): wrong gateway, or it is down");
  cmd_end();
}

static void test_route_silent_hop(void **state) {
  (void)state;
  begin_wire(SHARED);
  make_way(4);
  hops[1] = 0;
  assert_int_equal(cmd("route 192.168.9.9 -W 100"), EFI_SUCCESS);
  assert_said("\n  2  *\n");
  assert_said("\n  4  192.168.9.9 ");
  hops[3] = 0; /* nobody there */
  echoes = 0;
  assert_int_equal(cmd("route 192.168.9.9 -W 100"), EFI_TIMEOUT);
  assert_said("192.168.9.9 is not reached: no answer behind the last hop that has an address");
  assert_int_equal(cmd_times_said("  *\n"), 6); /* 2, and 4 to 8 */
  assert_int_equal(echoes, 14);
  assert_int_equal(cmd("route 192.168.9.9 -W 100 -m 2"), EFI_TIMEOUT);
  assert_not_said("\n  3 ");
  hops[3] = FAR;
  refusal = 13;
  assert_int_equal(cmd("route 192.168.9.9 -W 100"), EFI_TIMEOUT);
  assert_said("192.168.9.9 is not reached: 172.16.0.2 says 'forbidden by a filter'");
  cmd_end();
}

/* What comes after its time is no answer to the next request. */
static void test_route_late_hop(void **state) {
  (void)state;
  begin_wire(OWN);
  make_way(2);
  router_delay_us = 150U * MS;
  assert_int_equal(cmd("route 192.168.9.9 " ADDRESS "--gw 10.0.0.254 -W 100 --no-mtu"), EFI_SUCCESS);
  assert_said("\n  1  *\n");
  assert_said("\n  2  192.168.9.9 ");
  cmd_end();
}

/* What is counted where there are no counters. */
static void test_foreign_traffic(void **state) {
  static uint8_t gossip[64];
  const struct inet_host other = {.mac = {2, 0, 0, 0, 0, 7}, .address = 0x0A000007};
  (void)state;
  begin_wire(FOREIGN);
  send(100U * MS, gossip, inet_arp_request(gossip, &other, 0x0A000008), -1);
  assert_int_equal(cmd("arp 10.0.0.3 -W 300"), EFI_TIMEOUT);
  assert_said("nothing that came in was an answer: 3 frames sent, 1 received");
  cmd_end();
}

static void test_route_mtu(void **state) {
  (void)state;
  begin_wire(SHARED);
  make_way(3);
  mtu = 1400;
  mtu_router = 0xAC100001;
  mtu_said = 1400;
  assert_int_equal(cmd("route 192.168.9.9 -W 100"), EFI_SUCCESS);
  assert_said("path MTU    1400 bytes, as 172.16.0.1 says\n");
  assert_int_equal(echoes, 5);
  mtu_said = 0; /* an old router: it says no size */
  assert_int_equal(cmd("route 192.168.9.9 -W 100"), EFI_SUCCESS);
  assert_said("path MTU    1400 bytes");
  way_back = 996; /* what it breaks up on the way back got through on the way there */
  mtu_said = 1400;
  assert_int_equal(cmd("route 192.168.9.9 -W 100"), EFI_SUCCESS);
  assert_said("path MTU    1400 bytes, as 172.16.0.1 says\n");
  way_back = 0;
  mtu_router = 0; /* a black hole */
  assert_int_equal(cmd("route 192.168.9.9 -W 100"), EFI_SUCCESS);
  assert_said("path MTU    1400 bytes\n");
  assert_said("packets over 1400 bytes vanish without a word");
  assert_int_equal(cmd("route 192.168.9.9 -W 100 --json"), EFI_SUCCESS);
  assert_said("\"path_mtu\": 1400");
  assert_said("\"black_hole\": true");
  assert_said("\"hop\": 3");
  assert_said("\"next_hop\": \"10.0.0.254\"");
  cmd_end();
}

static void test_escape(void **state) {
  (void)state;
  static const char *const lines[] = {"arp 10.0.0.77 -c 1000", "arp --probe 10.0.0.77 -c 1000",
                                      "route 192.168.9.9 " ADDRESS "--gw 10.0.0.77 -W 60000",
                                      "route 192.168.9.9 " ADDRESS "--gw 10.0.0.254 -W 60000"};
  for(size_t i = 0; i < 4; i++) {
    begin_wire(OWN);
    make_way(2);
    hops[0] = hops[1] = 0;
    UINT64 before_us = firmware_now_us();
    console_press(before_us + 3U * S, KEY_ESCAPE, 0);
    assert_int_equal(cmd(lines[i]), EFI_ABORTED);
    assert_in_range(firmware_now_us() - before_us, 3U * S, 4U * S);
    assert_not_said("does not answer");
    assert_not_said("is free");
    cmd_end();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_arp),
      cmocka_unit_test(test_arp_duplicate),
      cmocka_unit_test(test_arp_nobody),
      cmocka_unit_test(test_arp_probe),
      cmocka_unit_test(test_arp_probe_race),
      cmocka_unit_test(test_arp_json),
      cmocka_unit_test(test_route),
      cmocka_unit_test(test_route_on_link),
      cmocka_unit_test(test_route_silent_hop),
      cmocka_unit_test(test_route_mtu),
      cmocka_unit_test(test_escape),
      cmocka_unit_test(test_route_late_hop),
      cmocka_unit_test(test_foreign_traffic),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
