/* test_cmd_dhcp.c - netdiag dhcp: servers that answer, all kinds of them, on a NIC of its own, on one that is shared
 * with our resident driver, and on one that another vendor's driver holds. */
#include "cmd_machine.h"

#include "dhcp.h"

#define S       1000000ULL
#define MS      1000U
#define SERVERS 4U
#define OURS    0x0A000001U
#define IP(d)   (0x0A000000U | (d))
#define WHOLE   1472U

/* A DHCP server of the wire: answers each DISCOVER with its OFFER, each REQUEST to it with its decision. */
struct server {
  uint32_t address;
  uint8_t options[200];
  size_t options_length;
  uint32_t yiaddr;
  uint32_t siaddr;
  UINT64 delay_us;
  uint32_t ignored; /* so many DISCOVERs are not answered    */
  uint8_t decision; /* DHCP_ACK, DHCP_NAK, 0 for none        */
  bool boots;       /* answers at port 4011                  */
  bool twice;       /* each answer comes again               */
  uint16_t vlan;
};

static struct stack_config stack;
static struct firmware_nic *nic;
static struct server servers[SERVERS];
static uint32_t server_count;
static struct dhcp_offer asked[16]; /* what the client said, in order */
static UINT64 asked_us[16];
static struct udp_way asked_way[16];
static uint32_t asked_count;

static void answer(const struct server *server, const struct dhcp_offer *question, const struct udp_way *way,
                   uint8_t type) {
  uint8_t message[WHOLE] = {2, 1, 6};
  uint8_t frame[1518];
  struct udp_way back = {.source = server->address,
                         .destination = UINT32_MAX,
                         .source_port = way->destination_port,
                         .destination_port = 68};
  memset(back.destination_mac, 0xFF, 6);
  memcpy(back.source_mac, (const uint8_t[]){2, 0, 0, 0, 0, (uint8_t)server->address}, 6);
  peer_put32(message + 4, question->xid);
  peer_put32(message + 16, server->yiaddr);
  peer_put32(message + 20, server->siaddr);
  memcpy(message + 28, question->mac, 6);
  peer_put32(message + 236, 0x63825363);
  size_t at = 240;
  memcpy(message + at, (const uint8_t[]){53, 1, type, 54, 4}, 5);
  peer_put32(message + at + 5, server->address);
  at += 9;
  memcpy(message + at, server->options, server->options_length);
  at += server->options_length;
  message[at++] = 255;
  size_t length = udp_write(frame, &back, 7, message, at);
  if(server->vlan) {
    memmove(frame + 16, frame + 12, length - 12U);
    memcpy(frame + 12, (const uint8_t[]){0x81, 0, 0, (uint8_t)server->vlan}, 4);
    length += 4U;
  }
  wire_send(nic, server->delay_us, frame, length);
  if(server->twice) {
    wire_send(nic, server->delay_us + MS, frame, length);
  }
}

static void see(void *ctx, struct firmware_nic *from, const UINT8 *frame, size_t length) {
  struct udp_packet packet;
  struct dhcp_offer question;
  (void)ctx;
  (void)from;
  if(!udp_parse(frame, length, &packet) || packet.way.source_port != 68 ||
     !dhcp_parse(packet.data, packet.data_length, &question)) {
    return;
  }
  assert_int_equal(packet.fault, INET_SOUND);
  assert_in_range(asked_count, 0, 15);
  asked[asked_count] = question;
  asked_us[asked_count] = firmware_now_us();
  asked_way[asked_count++] = packet.way;
  for(uint32_t i = 0; i < server_count; i++) {
    struct server *server = &servers[i];
    if(question.type == DHCP_DISCOVER && asked_count > server->ignored) {
      answer(server, &question, &packet.way, DHCP_OFFER);
    } else if(question.type == DHCP_REQUEST && question.server == server->address &&
              packet.way.destination_port == 67 && server->decision) {
      answer(server, &question, &packet.way, server->decision);
    } else if(question.type == DHCP_REQUEST && packet.way.destination_port == 4011 && server->boots) {
      struct server boot = *server;
      memcpy(boot.options + boot.options_length,
             "\x43\x08"
             "boot.efi",
             10);
      boot.options_length += 10;
      answer(&boot, &question, &packet.way, DHCP_ACK);
    }
  }
}

static void begin(enum cmd_place where) {
  nic = cmd_begin(where == SHARED ? SIM_82540EM : SIM_82574L);
  wire_attach(nic, see, NULL);
  stack = (struct stack_config){.address = OURS, .mask = 0xFFFFFF00U};
  server_count = asked_count = 0;
  cmd_place(where, nic, &stack);
}

static struct server *add(uint32_t address, uint32_t yiaddr) {
  struct server *server = &servers[server_count++];
  *server = (struct server){.address = address, .yiaddr = yiaddr, .delay_us = MS};
  return server;
}

static void option(struct server *server, uint8_t code, const void *data, size_t length) {
  server->options[server->options_length] = code;
  server->options[server->options_length + 1U] = (uint8_t)length;
  memcpy(server->options + server->options_length + 2U, data, length);
  server->options_length += 2U + length;
}

static void text_option(struct server *server, uint8_t code, const char *text) {
  option(server, code, text, strlen(text));
}

/* Says all that there is to say. */
static struct server *add_whole(void) {
  struct server *server = add(IP(2), IP(87));
  server->siaddr = IP(3);
  option(server, 1, (const uint8_t[]){255, 255, 255, 0}, 4);
  option(server, 3, (const uint8_t[]){10, 0, 0, 254}, 4);
  option(server, 6, (const uint8_t[]){10, 0, 0, 53, 9, 9, 9, 9}, 8);
  option(server, 51, (const uint8_t[]){0, 0, 14, 16}, 4);
  option(server, 58, (const uint8_t[]){0, 0, 7, 8}, 4);
  text_option(server, 15, "example.org");
  text_option(server, 60, "PXEClient");
  text_option(server, 67, "grub/grubx64.efi");
  return server;
}

static void assert_whole(void) {
  assert_said("OFFER from 10.0.0.2 (02:00:00:00:00:02) after 1.");
  assert_said("address         10.0.0.87, mask 255.255.255.0");
  assert_said("server          10.0.0.2");
  assert_said("gateway         10.0.0.254");
  assert_said("DNS             10.0.0.53, 9.9.9.9");
  assert_said("domain          example.org");
  assert_said("lease           3600 s, renewed after 1800 s");
  assert_said("vendor class    PXEClient");
  assert_said("next server     10.0.0.3");
  assert_said("boot file       grub/grubx64.efi (option 67)");
  assert_said("1 offer\n");
  assert_not_said("wrong");
}

/* One server ------------------------------------------------------------------------------------------------------- */

static void test_offer(void **state) {
  (void)state;
  for(int where = 0; where < WHERES; where++) {
    begin((enum cmd_place)where);
    (void)add_whole();
    assert_int_equal(cmd("dhcp"), EFI_SUCCESS);
    assert_whole();
    assert_said("as a PXE client: PXEClient:Arch:00007:UNDI:003000");
    assert_int_equal(asked_count, 1); /* nothing was taken */
    assert_int_equal(asked[0].type, DHCP_DISCOVER);
    assert_true(asked[0].broadcast);
    assert_int_equal(asked[0].arch, 7);
    assert_int_equal(stack_policies_set(), 0);
    cmd_assert_said("Sharing the NIC", where != OWN, __FILE__, __LINE__);
    cmd_assert_said("over 'Somebody's driver'", where == FOREIGN, __FILE__, __LINE__);
    cmd_end();
  }
}

static void test_kinds(void **state) {
  (void)state;
  static const struct {
    const char *words;
    const char *vendor_class;
    uint16_t arch;
  } cases[] = {{"--kind pxe", "PXEClient:Arch:00007:UNDI:003000", 7},
               {"--kind HTTP", "HTTPClient:Arch:00016:UNDI:003000", 16},
               {"--kind plain", "", 0}};
  begin(OWN);
  (void)add_whole();
  for(size_t i = 0; i < 3; i++) {
    char line[60];
    asked_count = 0;
    (void)snprintf(line, sizeof(line), "dhcp %s", cases[i].words);
    assert_int_equal(cmd(line), EFI_SUCCESS);
    assert_string_equal(asked[0].vendor_class, cases[i].vendor_class);
    assert_int_equal(asked[0].arch, cases[i].arch);
  }
  asked_count = 0;
  assert_int_equal(cmd("dhcp --kind tftp"), EFI_INVALID_PARAMETER);
  assert_said("give pxe, http or plain");
  assert_int_equal(asked_count, 0);
  cmd_end();
}

static void test_verbose(void **state) {
  (void)state;
  begin(OWN);
  (void)add_whole();
  assert_int_equal(cmd("dhcp -v"), EFI_SUCCESS);
  assert_said("options  53  message type        1   02");
  assert_said("options  67  boot file           16  67 72 75 62");
  cmd_end();
}

/* Nobody, late, odd ------------------------------------------------------------------------------------------------ */

static void test_back_off(void **state) {
  (void)state;
  for(int where = 0; where < WHERES; where++) {
    begin((enum cmd_place)where);
    assert_int_equal(cmd("dhcp -t 40"), EFI_TIMEOUT);
    assert_int_equal(asked_count, 4);
    static const UINT64 at_s[] = {0, 4, 12, 28}; /* RFC 2131 4.1 */
    for(uint32_t i = 0; i < 4; i++) {
      UINT64 after_us = asked_us[i] - asked_us[0];
      assert_in_range(after_us, at_s[i] * S, at_s[i] * S + 100U * MS);
      assert_int_equal(asked[i].seconds, at_s[i]);
      assert_int_equal(asked[i].xid, asked[0].xid);
    }
    assert_said("no DHCP server answered in 40 s (4 tries as a PXE client)");
    assert_said("nothing at all came in: 4 frames sent, 0 received");
    asked_count = 0;
    assert_int_equal(cmd("dhcp -t 3"), EFI_TIMEOUT);
    assert_int_equal(asked_count, 1);
    cmd_end();
  }
}

static void test_late_server(void **state) {
  (void)state;
  begin(OWN);
  add_whole()->ignored = 2;
  UINT64 before_us = firmware_now_us();
  assert_int_equal(cmd("dhcp -t 20"), EFI_SUCCESS);
  assert_int_equal(asked_count, 3);
  assert_whole();
  assert_in_range(firmware_now_us() - before_us, 13U * S, 14U * S); /* 4 + 8, and one second for others */
  cmd_end();
}

static void test_tagged_answer(void **state) {
  (void)state;
  begin(OWN);
  add_whole()->vlan = 42;
  assert_int_equal(cmd("dhcp -t 2"), EFI_TIMEOUT);
  assert_said("a server answers, but tagged with VLAN 42");
  assert_said("nothing that came in was an answer");
  cmd_end();
}

static void test_wrong_offer(void **state) {
  (void)state;
  begin(OWN);
  struct server *server = add(IP(2), IP(87));
  option(server, 1, (const uint8_t[]){255, 0, 255, 0}, 4);
  option(server, 3, (const uint8_t[]){10, 0, 0}, 3);
  assert_int_equal(cmd("dhcp"), EFI_SUCCESS);
  assert_said("wrong           an option has an impossible length");
  assert_said("wrong           the subnet mask has holes");
  assert_said("boot file       none");
  cmd_end();
}

static void test_escape(void **state) {
  (void)state;
  for(int where = 0; where < WHERES; where++) {
    begin((enum cmd_place)where);
    UINT64 before_us = firmware_now_us();
    console_press(before_us + 2U * S, KEY_ESCAPE, 0);
    assert_int_equal(cmd("dhcp -t 600"), EFI_ABORTED);
    assert_in_range(firmware_now_us() - before_us, 2U * S, 3U * S);
    assert_not_said("no DHCP server");
    cmd_end();
  }
}

/* Several ---------------------------------------------------------------------------------------------------------- */

static void test_several(void **state) {
  (void)state;
  static const uint8_t pxe[] = {6, 1, 3,   8,   7,   0x80, 0,  1, 10, 0,   0,   4,   9,   7,  0x80,
                                0, 4, 'B', 'o', 'o', 't',  10, 5, 9,  'M', 'e', 'n', 'u', 255};
  for(int where = 0; where < WHERES; where++) {
    begin((enum cmd_place)where);
    add_whole()->twice = true;
    struct server *proxy = add(IP(4), 0);
    text_option(proxy, 60, "PXEClient");
    option(proxy, 43, pxe, sizeof(pxe));
    proxy->delay_us = 500U * MS;
    struct server *late = add(IP(5), IP(99));
    late->delay_us = 3U * S;
    assert_int_equal(cmd("dhcp"), EFI_SUCCESS);
    assert_said("OFFER from 10.0.0.2");
    assert_said("proxyDHCP OFFER from 10.0.0.4");
    assert_said("which offers no address");
    assert_said("PXE discovery   no broadcast, no multicast\n");
    assert_said("boot server     type 32768: 10.0.0.4");
    assert_said("menu            type 32768: Boot");
    assert_said("prompt          'Menu' for 9 s");
    assert_said("at its port 4011");
    assert_not_said("from 10.0.0.5 "); /* more than a second behind the first */
    assert_said("2 offers, 1 answers repeated");
    asked_count = 0;
    assert_int_equal(cmd("dhcp --all -t 4"), EFI_SUCCESS);
    assert_said("OFFER from 10.0.0.5");
    assert_int_equal(asked_count, 1);
    assert_said("3 offers");
    cmd_end();
  }
}

/* Taking ----------------------------------------------------------------------------------------------------------- */

static void test_request(void **state) {
  (void)state;
  for(int where = 0; where < WHERES; where++) {
    begin((enum cmd_place)where);
    add_whole()->decision = DHCP_ACK;
    assert_int_equal(cmd("dhcp --request"), EFI_SUCCESS);
    assert_said("ACK from 10.0.0.2");
    assert_said("10.0.0.87 is given back.");
    assert_int_equal(asked_count, 3);
    assert_int_equal(asked[1].type, DHCP_REQUEST);
    assert_int_equal(asked[1].wanted, IP(87));
    assert_int_equal(asked_way[1].source, 0);
    assert_int_equal(asked_way[1].destination, UINT32_MAX);
    assert_int_equal(asked[2].type, DHCP_RELEASE);
    assert_int_equal(asked[2].ciaddr, IP(87));
    assert_int_equal(asked_way[2].source, IP(87));
    assert_int_equal(asked_way[2].destination, IP(2));
    assert_memory_equal(asked_way[2].destination_mac, "\x02\x00\x00\x00\x00\x02", 6);
    cmd_end();
  }
}

/* Answers that are there before whoever asked looks. */
static void test_answers_at_once(void **state) {
  (void)state;
  for(int where = 0; where < WHERES; where++) {
    begin((enum cmd_place)where);
    struct server *server = add_whole();
    server->decision = DHCP_ACK;
    server->delay_us = 0;
    assert_int_equal(cmd("dhcp --request"), EFI_SUCCESS);
    assert_said("ACK from 10.0.0.2");
    assert_int_equal(asked_count, 3);
    cmd_end();
  }
}

/* The firmware has the same address of that server: it keeps it. */
static void test_request_of_the_firmwares_own(void **state) {
  (void)state;
  begin(SHARED);
  stack.address = IP(87);
  add_whole()->decision = DHCP_ACK;
  assert_int_equal(cmd("dhcp --request"), EFI_SUCCESS);
  assert_said("10.0.0.87 is the firmware's own lease, and stays.");
  assert_int_equal(asked_count, 2);
  cmd_end();
}

static void test_refused(void **state) {
  (void)state;
  begin(OWN);
  add_whole()->decision = DHCP_NAK;
  assert_int_equal(cmd("dhcp --request"), EFI_ACCESS_DENIED);
  assert_said("NAK from 10.0.0.2");
  assert_said("10.0.0.2 offered an address, but refuses the REQUEST for it (NAK)");
  assert_int_equal(asked_count, 2);
  servers[0].decision = 0;
  asked_count = 0;
  assert_int_equal(cmd("dhcp --request"), EFI_TIMEOUT);
  assert_said("does not answer the REQUEST");
  assert_int_equal(asked_count, 3);
  servers[0].yiaddr = 0; /* a boot server alone */
  asked_count = 0;
  assert_int_equal(cmd("dhcp --request"), EFI_TIMEOUT);
  assert_said("no server offers an address");
  cmd_end();
}

static void test_boot_server(void **state) {
  (void)state;
  static const uint8_t menu[] = {9, 7, 0x80, 1, 4, 'B', 'o', 'o', 't', 255};
  begin(OWN);
  add_whole()->decision = DHCP_ACK;
  struct server *proxy = add(IP(4), 0);
  text_option(proxy, 60, "PXEClient");
  option(proxy, 43, menu, sizeof(menu));
  proxy->boots = true;
  assert_int_equal(cmd("dhcp --request"), EFI_SUCCESS);
  assert_said("proxyDHCP ACK from 10.0.0.4");
  assert_said("boot file       boot.efi (option 67)");
  assert_int_equal(asked_count, 4);
  assert_int_equal(asked_way[2].destination_port, 4011);
  assert_int_equal(asked_way[2].destination, IP(4));
  assert_int_equal(asked_way[2].source, IP(87));
  assert_int_equal(asked[2].ciaddr, IP(87));
  assert_int_equal(asked[2].pxe.item_type, 0x8001);
  assert_int_equal(asked[3].type, DHCP_RELEASE);
  proxy->boots = false;
  asked_count = 0;
  assert_int_equal(cmd("dhcp --request"), EFI_TIMEOUT);
  assert_said("the boot server 10.0.0.4 does not answer at port 4011");
  assert_int_equal(asked[asked_count - 1U].type, DHCP_RELEASE); /* given back all the same */
  cmd_end();
}

/* Other ------------------------------------------------------------------------------------------------------------ */

static void test_json(void **state) {
  (void)state;
  begin(OWN);
  add_whole()->decision = DHCP_ACK;
  assert_int_equal(cmd("dhcp --json -v --request"), EFI_SUCCESS);
  assert_said("\"command\": \"dhcp\"");
  assert_said("\"type\": \"OFFER\"");
  assert_said("\"type\": \"ACK\"");
  assert_said("\"boot_file\": \"grub/grubx64.efi\"");
  assert_said("\"gateways\": [\"10.0.0.254\"]");
  assert_said("\"lease_s\": 3600");
  assert_said("\"released\": true");
  assert_said("\"offers\": 1");
  assert_not_said("given back");
  cmd_end();
}

/* A foreign driver without a stack on it is not shared, and one whose NIC is unknown here is found. */
static void test_foreign(void **state) {
  (void)state;
  begin(FOREIGN);
  (void)add_whole();
  nic->config[0x02] = 0x01;
  nic->config[0x03] = 0x00;
  assert_int_equal(cmd("dhcp"), EFI_SUCCESS);
  assert_whole();
  assert_int_equal(cmd("info"), EFI_NOT_FOUND); /* others want a NIC that they know */
  stack_remove();
  assert_int_equal(cmd("dhcp -n eth0"), EFI_ACCESS_DENIED);
  assert_said("is held by 'Somebody's driver'");
  cmd_end();

  begin(FOREIGN);
  (void)add_whole();
  assert_int_equal(cmd("ping 10.0.0.2 -c 1"), EFI_ACCESS_DENIED); /* a command that did not say that it can */
  firmware_fail_call("Mnp.Configure", 1);
  assert_int_equal(cmd("dhcp"), EFI_OUT_OF_RESOURCES);
  assert_said("cannot be joined");
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_offer),
      cmocka_unit_test(test_kinds),
      cmocka_unit_test(test_verbose),
      cmocka_unit_test(test_back_off),
      cmocka_unit_test(test_late_server),
      cmocka_unit_test(test_tagged_answer),
      cmocka_unit_test(test_wrong_offer),
      cmocka_unit_test(test_escape),
      cmocka_unit_test(test_several),
      cmocka_unit_test(test_request),
      cmocka_unit_test(test_request_of_the_firmwares_own),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_boot_server),
      cmocka_unit_test(test_json),
      cmocka_unit_test(test_answers_at_once),
      cmocka_unit_test(test_foreign),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
