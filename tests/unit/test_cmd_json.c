/* test_cmd_json.c - --json on each command that prints facts: one document that Python reads, and true. */
#define _POSIX_C_SOURCE 200809L /* popen */

#include "cmd_json.h"

#define OURS    0x0A000001U /* 10.0.0.1 */
#define MS      1000U
#define ADDRESS "--addr 10.0.0.1/24 "

static struct peer peer;
static struct stack_config stack;

static struct firmware_nic *begin(bool shared) {
  struct firmware_nic *nic = cmd_begin(SIM_82574L);
  peer_begin(&peer, nic);
  peer.echoes_tests = true;
  stack = (struct stack_config){.address = OURS, .mask = 0xFFFFFF00U, .gateway = PEER_ADDRESS};
  if(shared) {
    cmd_resident(&stack);
  }
  return nic;
}

static void test_info(void **state) {
  (void)state;
  (void)begin(false);
  assert_int_equal(cmd("info --json"), EFI_SUCCESS);
  assert_string_equal(console_errors(), "");
  assert_json("d['model'] == '82574L' and d['nic'] == 'eth0' and d['mac'] == '52:54:00:a1:b2:c3'");
  assert_json("d['bars'][0]['size'] == 131072 and d['interrupt_pin'] == 'INTA'");
  assert_json("d['nvm_checksum'] == {'value': '0xbaba', 'good': True} and 'registers' not in d and 'nvm' not in d");
  assert_json("[p['value'] for p in d['phy'] if p['offset'] == '0x02'] == ['0x0141']");
  assert_json("[r['value'] for r in d['rings'] if r.get('text') == 'descriptors'] == [256, 256]");
  assert_int_equal(cmd("info --json --registers --nvm"), EFI_SUCCESS);
  assert_json("[r for r in d['registers'] if r['name'] == 'STATUS'][0]['offset'] == '0x00008'");
  assert_json("'LU' in [r for r in d['registers'] if r['name'] == 'STATUS'][0]['bits']");
  assert_json(
      "[r for r in d['registers'] if r['name'] == 'ICR'][0] .items() >= {'value': None, 'unread': True}.items()");
  assert_json("[w['value'] for w in d['nvm']][1:4] == ['0x5452', '0xa100', '0xc3b2'] or len(d['nvm']) == 65");
  cmd_end();
  (void)begin(true);
  assert_int_equal(cmd("info --json"), EFI_SUCCESS);
  assert_json("d['addresses'] == [{'address': '10.0.0.1', 'mask': '255.255.255.0', 'gateway': '10.0.0.2'}]");
  cmd_end();
}

/* Of a NIC that another driver holds, with the complaint of what cannot be had. */
static void test_info_of_anothers(void **state) {
  static struct foreign_driver foreign = {.name = "Somebody's driver"};
  (void)state;
  struct firmware_nic *nic = begin(false);
  EFI_HANDLE driver = foreign_add(&foreign);
  assert_int_equal(firmware_connect(nic->handle), EFI_SUCCESS);
  assert_int_equal(cmd("info --json"), EFI_SUCCESS);
  assert_json("d['holder'].startswith('Somebody') and d['model'] == '82574L' and 'phy' not in d");
  assert_int_equal(cmd("info --json --nvm"), EFI_ACCESS_DENIED);
  assert_json("d['error']['name'] == 'EFI_ACCESS_DENIED' and '--take' in d['error']['message'] and d['status'] == 15");
  assert_non_null(strstr(console_errors(), "--take"));
  foreign_remove(driver);
  cmd_end();
}

static void test_stats(void **state) {
  uint8_t frame[1514];
  (void)state;
  struct firmware_nic *nic = begin(false);
  size_t length = peer_arp_request(&peer, frame, OURS);
  for(UINTN i = 0; i < 3; i++) {
    wire_send(nic, (i + 1U) * 100U * MS, frame, length);
  }
  assert_int_equal(cmd("stats -t 1 --json"), EFI_SUCCESS);
  assert_json("d['driver']['rx_frames'] == 3 and d['driver']['tx_errors'] == 0 and d['shared'] is False");
  assert_json("'GPRC' in d['device'] and all(type(v) is int for v in d['device'].values())");
  assert_non_null(strstr(console_errors(), "Counting for 1 s"));
  cmd_end();
}

static void test_stats_watched(void **state) {
  uint8_t frame[1514];
  (void)state;
  struct firmware_nic *nic = begin(false);
  size_t length = peer_arp_request(&peer, frame, OURS);
  for(UINTN i = 0; i < 40; i++) {
    wire_send(nic, 1500U * MS, frame, length);
  }
  assert_int_equal(cmd("stats --watch -t 3 --json"), EFI_SUCCESS);
  assert_json("[s['driver']['rx_frames'] for s in d['samples']][0] == 0 and len(d['samples']) == 4");
  assert_json("d['samples'][-1]['driver']['rx_frames'] == 40 and d['samples'][0]['link']['up']");
  /* On the screen: one page over the other, within 25 rows, with what came in a second. */
  for(UINTN i = 0; i < 40; i++) {
    wire_send(nic, 1500U * MS, frame, length);
  }
  assert_int_equal(cmd("stats --watch -t 3"), EFI_SUCCESS);
  assert_said("Esc stops");
  assert_said(" 40/s  frames received and delivered");
  size_t cleared = 0;
  size_t rows = 0;
  for(const char *c = console_text(); *c; c++) {
    cleared += *c == '\f';
    rows += *c == '\n';
  }
  assert_int_equal(cleared, 1);
  assert_int_equal(rows, 1);
  assert_int_equal(console_attribute("eth0 (82574L)"), EFI_LIGHTGREEN);
  /* Into a file, page after page. */
  programs_redirect(TRUE, FALSE);
  assert_int_equal(cmd("stats --watch --interval 2 -t 4 --all"), EFI_SUCCESS);
  programs_redirect(FALSE, FALSE);
  assert_int_equal(cmd_times_said("frames received and delivered"), 3);
  assert_null(strchr(console_text(), '\f'));
  assert_int_equal(cmd("stats --interval 2"), EFI_INVALID_PARAMETER);
  console_press(firmware_now_us() + 2500U * MS, KEY_ESCAPE, 0);
  assert_int_equal(cmd("stats --watch"), EFI_SUCCESS);
  assert_int_equal(cmd_times_said("Driver:"), 4);
  cmd_end();
}

static void answer_late(struct peer *host, struct echo *echo) {
  (void)host;
  echo->copies = echo->number == 2 ? 2 : 1;
  echo->delay_us = echo->number == 3 ? 550U * MS : 740U;
}

static void test_ping(void **state) {
  (void)state;
  (void)begin(false);
  peer.on_echo = answer_late;
  assert_int_equal(cmd("ping 10.0.0.2 " ADDRESS "-c 5 -i 300 -W 500 --json"), EFI_TIMEOUT);
  assert_json("d['target'] == '10.0.0.2' and d['address'] == '10.0.0.1' and d['next_hop'] == '10.0.0.2'");
  assert_json("[r['verdict'] for r in d['replies']] == ['reply', 'reply', 'duplicate', 'reply', 'late', 'reply']");
  assert_json("d['statistics']['transmitted'] == 5 and d['statistics']['received'] == 4");
  assert_json(
      "d['statistics']['loss_percent'] == 20 and d['statistics']['not_counted'] == {'duplicate': 1, 'late': 1}");
  assert_json("0.7 < d['statistics']['rtt_ms']['min'] < 2 and d['status_name'] == 'EFI_TIMEOUT'");
  assert_null(strstr(console_output(), "PING"));
  assert_int_equal(cmd("ping 10.0.0.9 " ADDRESS "-W 100 --json"), EFI_TIMEOUT);
  assert_json("'does not answer ARP' in d['error']['message'] and 'statistics' not in d");
  assert_int_equal(cmd("ping --json"), EFI_INVALID_PARAMETER);
  assert_json("'TARGET is missing' in d['error']['message']");
  sim_knobs(peer.nic->sim)->link_down = true;
  assert_int_equal(cmd("ping 10.0.0.2 " ADDRESS "--json"), EFI_NO_MEDIA);
  assert_json("d['status'] == 12 and 'no link' in d['complaints'][0]");
  cmd_end();
}

static void lose_3(struct peer *host, struct echo *echo) {
  (void)host;
  echo->copies = echo->number == 3 ? 0 : 1;
}

static void test_frames(void **state) {
  (void)state;
  (void)begin(false);
  assert_int_equal(cmd("frames -s 60 -c 5 --json"), EFI_SUCCESS);
  assert_json("(d['sent'], d['echoed'], d['lost'], d['damaged'], d['size_min']) == (5, 5, 0, 0, 60)");
  assert_json("d['peer'] == 'ff:ff:ff:ff:ff:ff' and d['mac'] == '52:54:00:a1:b2:c3'");
  peer.on_test = lose_3;
  peer.tests = 0;
  assert_int_equal(cmd("frames -s 60 -c 5 --json"), EFI_TIMEOUT);
  cmd_end();
}

static void test_echo(void **state) {
  uint8_t frame[1514];
  (void)state;
  struct firmware_nic *nic = begin(false);
  size_t length = peer_test_frame(&peer, frame, (const uint8_t *)"\xFF\xFF\xFF\xFF\xFF\xFF", 100, 1);
  wire_send(nic, 1000U * MS, frame, length);
  assert_int_equal(cmd("echo -t 2 --json " ADDRESS), EFI_SUCCESS);
  assert_json("d['frames_answered'] == 1 and d['address'] == '10.0.0.1' and d['pings_answered'] == 0");
  cmd_end();
}

static void test_handoff(void **state) {
  (void)state;
  (void)begin(true);
  assert_int_equal(cmd("handoff --show --json"), EFI_NOT_FOUND);
  assert_json("d['error']['message'] == 'no handoff is published' and d['status'] == 14");
  assert_int_equal(cmd("handoff --live --json"), EFI_INVALID_PARAMETER);
  assert_json("d['error']['message'] == 'handoff: --json is for --show'");
  assert_int_equal(cmd_that_stays("handoff --live"), EFI_SUCCESS);
  assert_int_equal(cmd("handoff --show --json"), EFI_SUCCESS);
  assert_json("d['version_major'] == 2 and len(d['nics']) == 1 and d['payloads'] == [] and d['source'] is None");
  assert_json("d['nics'][0]['state'] == 'armed_live' and d['nics'][0]['location'] == '0000:00:02.0'");
  assert_json("d['nics'][0]['lease']['address'] == '10.0.0.1' and d['nics'][0]['lease']['origin'] == 'static'");
  assert_json("d['nics'][0]['block']['family'] == 'e1000' and len(d['nics'][0]['block']['rows']) > 3");
  assert_json("d['nics'][0]['bars'][0]['size'] == 131072");
  assert_int_equal(cmd_that_stays("handoff --cancel"), EFI_SUCCESS);
  cmd_end();
}

/* What a command writes beside its facts is an object of its own, also when the command is about nothing else. */
static void test_capture(void **state) {
  (void)state;
  (void)begin(false);
  assert_int_equal(cmd("capture quiet.pcapng -t 1 --json"), EFI_SUCCESS);
  assert_json("d['nic'] == 'eth0' and d['capture']['file'] == 'quiet.pcapng' and d['capture']['frames'] == 0");
  assert_int_equal(cmd("ping 10.0.0.2 " ADDRESS "-c 3 --json --capture ping.pcapng"), EFI_SUCCESS);
  assert_json("d['capture']['frames'] > 5 and d['capture']['dropped'] == 0");
  assert_int_equal(cmd("capture no\\where.pcapng --json"), EFI_NOT_FOUND);
  assert_json("d['status'] == 14 and 'capture' not in d");
  cmd_end();
}

static void test_identify(void **state) {
  (void)state;
  (void)begin(false);
  assert_int_equal(cmd("identify -t 1 --json"), EFI_SUCCESS);
  assert_json("d['nic'] == 'eth0' and d['model'] == '82574L' and d['mac'] == '52:54:00:a1:b2:c3'");
  cmd_end();
}

/* A page for people, and a kernel that starts: there is no document at their end. */
static void test_without(void **state) {
  (void)state;
  (void)begin(false);
  assert_int_equal(cmd("monitor --json"), EFI_INVALID_PARAMETER);
  assert_said("--json");
  assert_int_equal(cmd("boot --json"), EFI_INVALID_PARAMETER);
  assert_said("--json");
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_info),     cmocka_unit_test(test_info_of_anothers), cmocka_unit_test(test_stats),
      cmocka_unit_test(test_ping),     cmocka_unit_test(test_stats_watched),    cmocka_unit_test(test_frames),
      cmocka_unit_test(test_echo),     cmocka_unit_test(test_handoff),          cmocka_unit_test(test_capture),
      cmocka_unit_test(test_identify), cmocka_unit_test(test_without),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
