/* test_cmd_doctor.c - netdiag doctor from the Shell's line to its last sentence, on networks that are broken in one
 * place each; nothing of it may stay behind. */
#define _POSIX_C_SOURCE 200809L /* popen */
#include "cmd_dhcp.h"
#include "cmd_json.h"
#include "pcapng_read.h"
#include "volume.h"

#define MS      1000U
#define S       1000000U
#define GATEWAY 0x0A000001U
#define OFFERED 0x0A00000FU

static struct firmware_nic *nic;
static struct peer server;
static struct peer gateway;
static struct peer other;
static struct dhcp_peer dhcp;
static struct dhcp_peer second;

static struct stack_config stack;

/* A free NIC, on which the firmware's stack starts as soon as somebody drives it; a server at 10.0.0.2 that gives
 * addresses and boot files, a gateway at 10.0.0.1. */
static void begin(void) {
  nic = cmd_begin(SIM_82574L);
  peer_begin(&server, nic);
  peer_begin(&gateway, nic);
  gateway.address = GATEWAY;
  gateway.mac[5] = 0x01;
  dhcp_peer_begin(&dhcp, nic);
  stack = (struct stack_config){0};
  stack_add(&stack);
}

/* One more station on the wire. */
static void station(uint32_t address) {
  peer_begin(&other, nic);
  other.address = address;
  other.mac[5] = 0x99;
}

/* Frames that come by themselves, twice a second for a minute. */
static void chatter(const uint8_t *frame, size_t length) {
  for(uint32_t i = 0; i < 120; i++) {
    wire_send(nic, i * 500ULL * MS + 100U * MS, frame, length);
  }
}

static void chatter_of(const struct peer *peer) {
  uint8_t frame[60] = {0};
  (void)peer_arp_request(peer, frame, 0x0A0000FEU);
  chatter(frame, sizeof(frame));
}

/* The same with a tag. */
static void tagged_chatter(uint16_t tag) {
  uint8_t frame[64] = {0};
  (void)peer_arp_request(&server, frame, 0x0A0000FEU);
  memmove(frame + 16, frame + 12, 46);
  frame[12] = 0x81;
  frame[13] = 0x00;
  frame[14] = (uint8_t)(tag >> 8);
  frame[15] = (uint8_t)tag;
  chatter(frame, sizeof(frame));
}

/* What was said, with one blank where there were blanks and line ends. */
static const char *flat(void) {
  static char text[16384];
  size_t length = 0;
  for(const char *c = console_text(); *c && length + 1U < sizeof(text); c++) {
    bool blank = *c == ' ' || *c == '\n';
    if(!blank || (length > 0 && text[length - 1U] != ' ')) {
      text[length++] = blank ? ' ' : *c;
    }
  }
  text[length] = '\0';
  return text;
}

#define told(text)     tell(text, true, __FILE__, __LINE__)
#define not_told(text) tell(text, false, __FILE__, __LINE__)
static void tell(const char *text, bool wanted, const char *file, int line) {
  if((strstr(flat(), text) != NULL) != wanted) {
    print_error("%s: \"%s\" in:\n%s\n", wanted ? "not said" : "said", text, console_text());
    _fail(file, line);
  }
}

#define diagnosed(line, status, cause) expect(line, status, cause, __FILE__, __LINE__)
static void expect(const char *line, EFI_STATUS status, const char *cause, const char *file, int at) {
  EFI_STATUS got = cmd(line);
  if(got != status) {
    print_error("%s: %zx instead of %zx:\n%s\n", line, (size_t)got, (size_t)status, console_text());
    _fail(file, at);
  }
  tell(cause, true, file, at);
  if(cmd_times_said("Diagnosis:") != 1) {
    print_error("not one diagnosis in:\n%s\n", console_text());
    _fail(file, at);
  }
}

/* Sound ones. The fake firmware has no TFTP, so the file itself is not seen. */

static void test_sound(void **state) {
  (void)state;
  begin();
  diagnosed("doctor", EFI_SUCCESS, "Diagnosis: Nothing wrong was seen, but no boot file was fetched");
  told("ok DHCP 10.0.0.2 offers 10.0.0.15/24 for 1 h");
  told("ok gateway 10.0.0.1 answers ARP");
  told("ok server 10.0.0.2 answers a ping in");
  told("ok path packets of 1500 bytes get through");
  told("tftp://10.0.0.2/BOOTX64.EFI");
  not_told("FAIL");
  assert_int_equal(dhcp.discovers, 2);
  assert_int_equal(dhcp.requests, 1);
  assert_int_equal(dhcp.releases, 1);
  cmd_end();
}

/* What was taken is given back, whatever ends the diagnosis; what is the firmware's own is not. */
static void test_release(void **state) {
  (void)state;
  begin();
  dhcp.pxe_file = NULL;
  diagnosed("doctor", EFI_NOT_FOUND, "It breaks at 'boot file'");
  assert_int_equal(dhcp.releases, 1);
  dhcp.nak = true;
  diagnosed("doctor", EFI_PROTOCOL_ERROR, "refuses it");
  assert_int_equal(dhcp.releases, 1);
  dhcp.nak = false;
  for(UINT64 at_us = 2U * S; at_us < 20U * S; at_us += 3U * S) { /* while it listens on */
    dhcp.requests = dhcp.releases = 0;
    console_press(firmware_now_us() + at_us, KEY_ESCAPE, 0);
    diagnosed("doctor --listen 60", EFI_ABORTED, "Stopped by a key");
    assert_int_equal(dhcp.requests, 1);
    assert_int_equal(dhcp.releases, 1);
  }
  cmd_end();
}

/* The file has both halves, what netdiag asks and what the stack fetches: DHCPRELEASE goes over the latter. */
static void test_capture(void **state) {
  static struct read_file file;
  size_t length;
  uint32_t types[9] = {0};
  (void)state;
  for(int resident = 0; resident < 2; resident++) {
    begin();
    if(resident) {
      assert_int_equal(programs_run("e1000.efi"), EFI_SUCCESS);
      (void)firmware_connect_all(nic->handle);
    }
    memset(types, 0, sizeof(types));
    diagnosed("doctor --capture doctor.pcapng", EFI_SUCCESS, "frames in 'doctor.pcapng'");
    const uint8_t *bytes = volume_file("doctor.pcapng", &length);
    assert_non_null(bytes);
    assert_null(read_capture(bytes, length, &file));
    assert_int_equal(file.interfaces, 1);
    for(uint32_t i = 0; i < file.frame_count; i++) {
      const uint8_t *frame = file.frames[i].data;
      bool dhcp_message = frame[12] == 8 && frame[13] == 0 && frame[23] == 17 && (frame[37] == 67 || frame[37] == 68);
      types[dhcp_message ? frame[284] : 0]++;
    }
    assert_int_equal(types[1], 2); /* DISCOVER */
    assert_int_equal(types[2], 2); /* OFFER    */
    assert_int_equal(types[3], 1); /* REQUEST  */
    assert_int_equal(types[5], 1); /* ACK      */
    assert_int_equal(types[7], 1); /* RELEASE  */
    assert_int_equal(volume_open_files(), 0);
    cmd_end();
  }
}

/* A SMBIOS table with a system of this UUID (DSP0134 7.2), as servers are told in option 97. */
static void test_machine_id(void **state) {
  static EFI_GUID guid = SMBIOS3_TABLE_GUID;
  static uint8_t table[] = {0, 6, 0, 0, 0, 0, 'B', 'I', 'O', 'S', 0,  0,  1,  0x1B, 1, 0, 1, 2,   3, 4,    0,    1, 2,
                            3, 4, 5, 6, 7, 8, 9,   10,  11,  12,  13, 14, 15, 6,    0, 0, 0, 127, 4, 0xFF, 0xFE, 0, 0};
  static uint8_t entry[31] = "_SM3_";
  const uint8_t *at = table;
  uintptr_t address = (uintptr_t)at;
  const uint8_t none[16] = {0};
  (void)state;
  begin();
  diagnosed("doctor", EFI_SUCCESS, "ok DHCP");
  assert_memory_equal(dhcp.uuid, none, sizeof(none));
  entry[0x0C] = sizeof(table);
  memcpy(entry + 0x10, &address, sizeof(address));
  assert_int_equal(BS->InstallConfigurationTable(&guid, entry), EFI_SUCCESS);
  diagnosed("doctor", EFI_SUCCESS, "ok DHCP");
  assert_memory_equal(dhcp.uuid, table + 12 + 8, 16);
  assert_int_equal(BS->InstallConfigurationTable(&guid, NULL), EFI_SUCCESS);
  cmd_end();
}

static void test_http_only(void **state) {
  (void)state;
  begin();
  dhcp.pxe_file = NULL;
  dhcp.http_file = "http://10.0.0.2/boot.efi";
  diagnosed("doctor", EFI_SUCCESS, "ok boot file http://10.0.0.2/boot.efi");
  not_told("FAIL");
  cmd_end();
}

static void test_proxy(void **state) {
  (void)state;
  begin();
  dhcp.pxe_file = NULL;
  dhcp_peer_begin(&second, nic);
  second.proxy = true;
  second.server = 0x0A000003U;
  diagnosed("doctor", EFI_TIMEOUT, "10.0.0.3 does not answer ARP");
  told("10.0.0.3, PXE: no address (proxyDHCP), server 10.0.0.3, file BOOTX64.EFI");
  station(0x0A000003U);
  diagnosed("doctor", EFI_SUCCESS, "tftp://10.0.0.3/BOOTX64.EFI");
  not_told("FAIL");
  cmd_end();
}

static void test_by_hand(void **state) {
  (void)state;
  begin();
  dhcp.silent = true;
  diagnosed("doctor --addr 10.0.0.77/24 --gw 10.0.0.1 --url tftp://10.0.0.2/x.efi", EFI_SUCCESS, "not asked: --addr");
  told("tftp://10.0.0.2/x.efi, as --url says");
  assert_int_equal(dhcp.discovers, 0);
  diagnosed("doctor --addr 10.0.0.77/24 --url tftp://10.1.0.2/x.efi", EFI_PROTOCOL_ERROR, "add --gw");
  diagnosed("doctor --addr 10.0.0.2/24", EFI_PROTOCOL_ERROR, "10.0.0.2 is taken: 02:11:22:33:44:55");
  cmd_end();
}

/* Broken ones ---------------------------------------------------------------------------------------------------- */

static void test_no_nic(void **state) {
  (void)state;
  begin();
  nic->config[0x0B] = 0x01; /* mass storage */
  diagnosed("doctor", EFI_NOT_FOUND, "It breaks at 'NIC': no network controller");
  nic->config[0x0B] = 0x02;
  cmd_end();
}

static void test_no_cable(void **state) {
  (void)state;
  begin();
  sim_knobs(nic->sim)->link_down = true;
  diagnosed("doctor", EFI_NO_MEDIA, "It breaks at 'link': no link in 5 s");
  told("skipped DHCP needs 'frames out'");
  assert_int_equal(dhcp.discovers, 0);
  cmd_end();
}

static void test_half_open(void **state) {
  (void)state;
  nic = cmd_begin(SIM_82574L);
  diagnosed("doctor", EFI_TIMEOUT, "It breaks at 'frames in'");
  told("not one came in");
  cmd_end();
}

static void test_no_server(void **state) {
  (void)state;
  begin();
  dhcp.silent = true;
  chatter_of(&server);
  diagnosed("doctor", EFI_TIMEOUT, "It breaks at 'DHCP': no DHCP server answered 6 requests in");
  cmd_end();
}

static void test_no_boot_file(void **state) {
  (void)state;
  begin();
  dhcp.pxe_file = NULL;
  diagnosed("doctor", EFI_NOT_FOUND, "It breaks at 'boot file': DHCP gives an address but names no boot file");
  cmd_end();
}

static void test_no_acknowledgement(void **state) {
  (void)state;
  begin();
  dhcp.no_ack = true;
  diagnosed("doctor", EFI_PROTOCOL_ERROR, "does not answer the request for it");
  dhcp.no_ack = false;
  dhcp.nak = true;
  diagnosed("doctor", EFI_PROTOCOL_ERROR, "then refuses it ('no lease left')");
  cmd_end();
}

static void test_nameless_server(void **state) {
  (void)state;
  begin();
  dhcp.nameless = true;
  diagnosed("doctor", EFI_PROTOCOL_ERROR, "option 54");
  cmd_end();
}

static void test_duplicate_address(void **state) {
  (void)state;
  begin();
  station(OFFERED);
  diagnosed("doctor", EFI_PROTOCOL_ERROR, "It breaks at 'address': 10.0.0.15 is taken: 02:11:22:33:44:99");
  cmd_end();
}

static void test_wrong_subnet(void **state) {
  (void)state;
  begin();
  dhcp.gateway = 0xC0A80701U;
  diagnosed("doctor", EFI_PROTOCOL_ERROR, "It breaks at 'gateway': 192.168.7.1 is not on the network of 10.0.0.15/24");
  cmd_end();
}

static void test_gateway_down(void **state) {
  (void)state;
  begin();
  gateway.arp_ignored = UINT32_MAX;
  diagnosed("doctor --url tftp://10.1.0.2/x.efi", EFI_TIMEOUT, "It breaks at 'gateway': 10.0.0.1 does not answer ARP");
  diagnosed("doctor", EFI_SUCCESS, "the boot server is not behind it"); /* a warning, for nothing needs it */
  cmd_end();
}

static void test_server_down(void **state) {
  (void)state;
  begin();
  server.arp_ignored = UINT32_MAX;
  diagnosed("doctor", EFI_TIMEOUT, "It breaks at 'server': 10.0.0.2 does not answer ARP");
  cmd_end();
}

static void drop_large(struct peer *peer, struct echo *echo) {
  (void)peer;
  echo->copies = echo->length > 1414U ? 0 : 1;
}

static void test_mtu_hole(void **state) {
  (void)state;
  begin();
  server.on_echo = drop_large;
  diagnosed("doctor", EFI_PROTOCOL_ERROR, "packets of 1500 bytes vanish on the way, those of 1400 get through");
  cmd_end();
}

static void test_two_servers(void **state) {
  (void)state;
  begin();
  dhcp_peer_begin(&second, nic);
  second.server = 0xC0A80101U;
  second.address = 0xC0A80132U;
  second.gateway = 0xC0A80101U;
  second.pxe_file = NULL;
  diagnosed("doctor", EFI_PROTOCOL_ERROR, "10.0.0.2 and 192.168.1.1 put this machine on different networks");
  second.server = 0x0A000003U; /* a pair for safety: the same network, the same file */
  second.address = 0x0A000010U;
  second.gateway = GATEWAY;
  second.pxe_file = "BOOTX64.EFI";
  diagnosed("doctor", EFI_SUCCESS, "the DHCP servers agree");
  cmd_end();
}

static void test_tags(void **state) {
  (void)state;
  begin();
  dhcp.silent = true;
  tagged_chatter(5);
  diagnosed("doctor", EFI_PROTOCOL_ERROR, "every station on this wire sends with the tag of VLAN 5");
  cmd_end();
  begin();
  dhcp.tag = 7;
  diagnosed("doctor", EFI_PROTOCOL_ERROR, "answers to us carry the tag of VLAN 7");
  cmd_end();
  begin();
  dhcp.tag = 0;
  diagnosed("doctor", EFI_SUCCESS, "warn VLAN tags 3 of 3 frames carry a priority tag");
  not_told("FAIL");
  cmd_end();
}

static void test_same_mac(void **state) {
  static const uint8_t own[6] = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3};
  (void)state;
  begin();
  station(0x0A000063U);
  memcpy(other.mac, own, sizeof(own));
  chatter_of(&other);
  diagnosed("doctor", EFI_PROTOCOL_ERROR, "It breaks at 'MAC': another station on this wire has the same address");
  cmd_end();
  begin();
  cmd_add_nic(SIM_82540EM, 0xC3)->attributes = EFI_PCI_IO_ATTRIBUTE_MEMORY;
  diagnosed("doctor", EFI_DEVICE_ERROR, "is also the address of eth1 in this machine");
  cmd_end();
}

static void test_nvm(void **state) {
  const struct sim_config config = {
      .device_id = SIM_82574L, .mac = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3}, .bad_checksum = true};
  (void)state;
  nic = cmd_begin_with(&config);
  peer_begin(&server, nic);
  peer_begin(&gateway, nic);
  gateway.address = GATEWAY;
  dhcp_peer_begin(&dhcp, nic);
  diagnosed("doctor", EFI_DEVICE_ERROR, "It breaks at 'NVM': its checksum is 0x");
  told("ok server"); /* the rest is looked at all the same */
  cmd_end();
}

static void test_transmitter(void **state) {
  (void)state;
  begin();
  chatter_of(&server);
  sim_knobs(nic->sim)->tx_held = true;
  diagnosed("doctor", EFI_DEVICE_ERROR, "It breaks at 'frames out'");
  sim_knobs(nic->sim)->tx_held = false;
  sim_step(nic->sim);
  cmd_end();
}

static void test_does_not_start(void **state) {
  (void)state;
  begin();
  sim_knobs(nic->sim)->reset_never_ends = true;
  diagnosed("doctor", EFI_DEVICE_ERROR, "netdiag's driver does not start on it");
  sim_knobs(nic->sim)->reset_never_ends = false;
  cmd_end();
}

static void unplug(void *ctx) {
  (void)ctx;
  sim_knobs(nic->sim)->link_down = true;
}

static void plug(void *ctx) {
  (void)ctx;
  sim_knobs(nic->sim)->link_down = false;
}

static void test_link_flaps(void **state) {
  (void)state;
  begin();
  dhcp.silent = true;
  chatter_of(&server);
  for(uint32_t i = 1; i < 5; i++) {
    programs_at(firmware_now_us() + i * S + 200U * MS, unplug, NULL);
    programs_at(firmware_now_us() + i * S + 600U * MS, plug, NULL);
  }
  diagnosed("doctor", EFI_NO_MEDIA, "It breaks at 'link': it flaps: it went down 4 times");
  cmd_end();
}

/* A BPDU of 802.1D, and one of rapid spanning tree whose port does not forward (802.1Q 14). */
static size_t bpdu(uint8_t *frame, uint8_t version, uint8_t flags) {
  static const uint8_t head[] = {0x01, 0x80, 0xC2, 0, 0, 0, 0x02, 0, 0, 0, 0, 7, 0, 38, 0x42, 0x42, 0x03, 0, 0};
  memset(frame, 0, 60);
  memcpy(frame, head, sizeof(head));
  frame[19] = version;
  frame[20] = version ? 2 : 0;
  frame[21] = flags;
  frame[13] = version ? 39 : 38;
  frame[22] = 0x80;
  frame[34] = 0x80;
  frame[49] = 20; /* maximum age, hello time, forward delay */
  frame[51] = 2;
  frame[53] = 15;
  return 60;
}

static void test_spanning_tree(void **state) {
  uint8_t frame[60];
  (void)state;
  nic = cmd_begin(SIM_82574L);
  chatter(frame, bpdu(frame, 0, 0));
  diagnosed("doctor", EFI_TIMEOUT, "It breaks at 'switch': nothing but spanning tree comes in");
  cmd_end();
  nic = cmd_begin(SIM_82574L);
  chatter(frame, bpdu(frame, 2, 0x0C)); /* a designated port, neither learning nor forwarding */
  diagnosed("doctor", EFI_TIMEOUT, "spanning tree on the switch does not forward on this port yet");
  cmd_end();
  begin();
  chatter(frame, bpdu(frame, 2, 0x3C));
  diagnosed("doctor", EFI_SUCCESS, "ok switch spanning tree, forwarding");
  cmd_end();
}

/* Others' drivers ------------------------------------------------------------------------------------------------ */

static void test_foreign(void **state) {
  struct foreign_driver driver = {.name = "Acme NIC driver"};
  (void)state;
  begin();
  (void)foreign_add(&driver);
  assert_int_equal(firmware_connect(nic->handle), EFI_SUCCESS);
  diagnosed("doctor", EFI_UNSUPPORTED,
            "It breaks at 'driver': 'Acme NIC driver' holds it and offers no network interface");
  assert_int_equal(dhcp.discovers, 0);
  diagnosed("doctor --take", EFI_SUCCESS, "ok server 10.0.0.2 answers a ping");
  assert_non_null(firmware_interface(nic->handle, (EFI_GUID)EFI_PCI_IO_PROTOCOL_GUID));
  cmd_end();
}

static void test_resident(void **state) {
  (void)state;
  begin();
  assert_int_equal(programs_run("e1000.efi"), EFI_SUCCESS);
  (void)firmware_connect_all(nic->handle);
  diagnosed("doctor", EFI_SUCCESS, "ok server 10.0.0.2 answers a ping");
  told("Sharing the NIC");
  not_told("FAIL");
  assert_false(stack_policy());
  assert_int_equal(dhcp.requests, 1);
  BS->Stall(100U * MS); /* the resident driver sends when its timer comes */
  assert_int_equal(dhcp.releases, 1);
  stack.address = dhcp.address; /* the firmware has a lease of this server */
  stack.mask = dhcp.mask;
  stack.gateway = dhcp.gateway;
  diagnosed("doctor", EFI_SUCCESS, "ok server 10.0.0.2 answers a ping");
  assert_int_equal(dhcp.requests, 2);
  assert_int_equal(dhcp.releases, 1);
  cmd_end();
}

/* For a ticket: the same rows, and the cause by name. */
static void test_json(void **state) {
  (void)state;
  begin();
  dhcp.pxe_file = NULL;
  assert_int_equal(cmd("doctor --json"), EFI_NOT_FOUND);
  assert_json("d['command'] == 'doctor' and d['status_name'] == 'EFI_NOT_FOUND' and d['cause'] == 'boot file'");
  assert_json("[c['verdict'] for c in d['checks'] if c['name'] == 'gateway'] == ['ok']");
  assert_json("[c['verdict'] for c in d['checks'] if c['name'] == 'fetch'] == ['skipped']");
  assert_json("len(d['checks']) == 23 and d['conclusion'].startswith('It breaks at')");
  assert_json("[o['client'] for o in d['offers']] == ['PXE', 'HTTP'] and d['offers'][0]['address'] == '10.0.0.15'");
  dhcp.pxe_file = "BOOTX64.EFI";
  assert_int_equal(cmd("doctor --json"), EFI_SUCCESS);
  assert_json("d['status'] == 0 and d['offers'][0]['boot_file'] == 'BOOTX64.EFI'");
  cmd_end();
}

/* Ways out ------------------------------------------------------------------------------------------------------- */

/* Whenever the key comes, it ends within the second, with a diagnosis of what was seen until then. */
static void test_escape(void **state) {
  (void)state;
  for(UINT64 at_us = 0; at_us < 12U * S; at_us += 700U * MS) {
    begin();
    dhcp.silent = true;
    chatter_of(&server);
    UINT64 pressed_us = firmware_now_us() + at_us;
    console_press(pressed_us, KEY_ESCAPE, 0);
    EFI_STATUS status = cmd("doctor --link-wait 9 --listen 60");
    assert_true(status == EFI_ABORTED || status == EFI_TIMEOUT);
    if(status == EFI_ABORTED) {
      told("Diagnosis: Stopped by a key");
    }
    assert_true(firmware_now_us() < pressed_us + 1U * S || status == EFI_TIMEOUT);
    cmd_end();
  }
}

/* Every firmware call fails once: there is a diagnosis or a complaint, nothing stays that need not, and the next run is
 * as good as ever. What a failed Unmap or Attributes costs is test_cmd_sweep.c's. */
static void test_every_call_fails_once(void **state) {
  UINTN positions = 0;
  (void)state;
  for(const char *call = ""; call; positions++) {
    struct firmware_counts before;
    struct firmware_counts after;
    begin();
    programs_clock_step(2000);
    firmware_count(&before);
    console_press(firmware_now_us() + 600U * S, 0, 'q'); /* without a Shell there is a menu, which waits for a key */
    firmware_fail_at(positions + 1U, FALSE);
    EFI_STATUS status = cmd_that_stays("doctor --capture x.pcapng");
    call = firmware_failed_call();
    firmware_fail_at(0, FALSE);
    firmware_count(&after);
    if(cmd_times_said("Diagnosis:") != 1U && !EFI_ERROR(status) && !strstr(console_text(), "Enter starts")) {
      fail_msg("call %zu (%s) failed, and nobody was told:\n%s", (size_t)positions + 1U, call, console_text());
    }
    bool costs = call && (strcmp(call, "Unmap") == 0 || strcmp(call, "Attributes") == 0);
    if(!costs && memcmp(&before, &after, sizeof(before)) != 0) {
      fail_msg("call %zu (%s) left something:\n%s", (size_t)positions + 1U, call, console_text());
    }
    if(cmd_that_stays("doctor") != EFI_SUCCESS) {
      fail_msg("call %zu (%s): nothing worked afterwards:\n%s", (size_t)positions + 1U, call, console_text());
    }
    cmd_power_off();
  }
  assert_true(positions > 100U);
}

static void test_mistakes(void **state) {
  (void)state;
  begin();
  assert_int_equal(cmd("doctor --listen 0"), EFI_INVALID_PARAMETER);
  assert_int_equal(cmd("doctor -n eth9"), EFI_NOT_FOUND);
  not_told("Diagnosis");
  assert_int_equal(cmd("doctor --addr 10.0.0.255/24"), EFI_INVALID_PARAMETER);
  assert_int_equal(cmd("doctor --url ftp://10.0.0.2/x"), EFI_INVALID_PARAMETER);
  told("--url");
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sound),
      cmocka_unit_test(test_release),
      cmocka_unit_test(test_machine_id),
      cmocka_unit_test(test_capture),
      cmocka_unit_test(test_http_only),
      cmocka_unit_test(test_proxy),
      cmocka_unit_test(test_by_hand),
      cmocka_unit_test(test_no_nic),
      cmocka_unit_test(test_no_cable),
      cmocka_unit_test(test_half_open),
      cmocka_unit_test(test_no_server),
      cmocka_unit_test(test_no_boot_file),
      cmocka_unit_test(test_no_acknowledgement),
      cmocka_unit_test(test_nameless_server),
      cmocka_unit_test(test_duplicate_address),
      cmocka_unit_test(test_wrong_subnet),
      cmocka_unit_test(test_gateway_down),
      cmocka_unit_test(test_server_down),
      cmocka_unit_test(test_mtu_hole),
      cmocka_unit_test(test_two_servers),
      cmocka_unit_test(test_tags),
      cmocka_unit_test(test_same_mac),
      cmocka_unit_test(test_nvm),
      cmocka_unit_test(test_transmitter),
      cmocka_unit_test(test_does_not_start),
      cmocka_unit_test(test_link_flaps),
      cmocka_unit_test(test_spanning_tree),
      cmocka_unit_test(test_foreign),
      cmocka_unit_test(test_resident),
      cmocka_unit_test(test_json),
      cmocka_unit_test(test_escape),
      cmocka_unit_test(test_every_call_fails_once),
      cmocka_unit_test(test_mistakes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
