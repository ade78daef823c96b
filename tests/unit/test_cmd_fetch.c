/* test_cmd_fetch.c - netdiag fetch on the host: servers right and wrong behind the firmware's protocols, and what a
 * failure leaves: nothing. */
#define _POSIX_C_SOURCE 200809L /* popen */
#include "cmd_json.h"

#include <stdlib.h>

#include "pcapng_read.h"
#include "services.h"
#include "volume.h"

#define MS     1000U
#define S      1000000U
#define TFTP   "tftp://10.0.0.2/file"
#define HTTP   "http://10.0.0.2:8000/file"
#define SIZE   5000U
#define DIGEST "1b5c855ff1052578ee7d262a7a7b784281ff77178d83435e3fc858874e8a5b10"

static struct stack_config stack;
static struct server server;
static UINT8 content[SIZE];

static const UINT8 station6[16] = {0xFD, 0x77, [15] = 9};

static void begin_with(bool resident, bool dhcp) {
  (void)cmd_begin(SIM_82540EM);
  programs_clock_step(1000);
  for(size_t i = 0; i < SIZE; i++) {
    content[i] = (UINT8)(i * 7U + i / 256U);
  }
  stack = (struct stack_config){
      .dhcp_address = 0x0A000005U, .dhcp_mask = 0xFFFFFF00U, .dhcp_gateway = 0x0A000001U, .dhcp_delay_us = 200U * MS};
  server = (struct server){.files = {{"file", content, SIZE},
                                     {"empty", content, 0},
                                     {"file.sha256", DIGEST "  file\n", 71},
                                     {"bad.sha256", "?", 1}},
                           .step_us = MS,
                           .piece = 1000,
                           .ipv6_address = station6};
  stack.dhcp_policy = dhcp;
  services_add(&server);
  if(resident) {
    cmd_resident(&stack);
  } else {
    stack_add(&stack);
  }
}

static void begin(void) {
  begin_with(false, false);
}

static void end(void) {
  assert_int_equal(services_left(), 0);
  cmd_end();
}

static void test_to_a_volume(void **state) {
  (void)state;
  static const char *const urls[] = {TFTP, HTTP};
  for(size_t i = 0; i < 2; i++) {
    char line[128];
    size_t length;
    begin();
    (void)snprintf(line, sizeof(line), "fetch --sha256 " DIGEST " %s fs0:\\got", urls[i]);
    volume_put("got", "an old file that is there", 25);
    assert_int_equal(cmd(line), EFI_SUCCESS);
    assert_said("file: 5000 bytes in ");
    assert_said("SHA-256 " DIGEST ", as it should be");
    assert_said("Written to fs0:\\got");
    const UINT8 *got = volume_file("got", &length);
    assert_int_equal(length, SIZE);
    assert_memory_equal(got, content, SIZE);
    assert_int_equal(stack_policy(), FALSE); /* as before */
    end();
  }
}

static void test_json(void **state) {
  (void)state;
  begin();
  assert_int_equal(cmd("fetch --json " HTTP), EFI_SUCCESS);
  assert_json("d['bytes'] == 5000 and d['name'] == 'file' and d['file'] is None and not d['verified']");
  assert_json("d['sha256'] == '" DIGEST "' and d['url'] == '" HTTP "'");
  assert_int_equal(cmd("fetch --json " TFTP " fs0:\\got --sha256 " DIGEST), EFI_SUCCESS);
  assert_json("d['verified'] and d['file'].endswith('got') and d['status'] == 0");
  end();
}

/* Servers that do it another way, or get it wrong in the middle. */
static void no_tsize(void) {
  server.no_tsize = TRUE;
}
static void refuses_options(void) {
  server.refuses_options = TRUE;
}
static void silent_once(void) {
  server.silent_after = 3;
  server.silent_times = 1;
  server.reads = 0;
}
static void no_head(void) {
  server.no_head = TRUE;
}
static void chunked(void) {
  server.chunked = TRUE;
}
static void bare(void) {
  server.bare = TRUE;
}
static void redirect(void) {
  server.location = "/file";
  server.redirects = 3;
}
static void cut_once(void) {
  server.cut_after = 3000;
  server.cut_times = 1;
}
static void cut_plain(void) {
  cut_once();
  server.no_ranges = TRUE;
}
static void cut_at_once(void) {
  server.cut_times = 1;
}
static void stalls_once(void) {
  server.stall_after = 3000;
  server.stall_times = 1;
}
static void cut_chunked(void) {
  cut_once();
  server.chunked = TRUE;
}

static void test_other_ways(void **state) {
  (void)state;
  static const struct {
    void (*set)(void);
    const char *url;
    const char *said;
  } rows[] = {
      {no_tsize, TFTP, "5000 bytes"},
      {refuses_options, TFTP, "5000 bytes"},
      {silent_once, TFTP, " timeouts"},
      {no_head, HTTP, "5000 bytes"},
      {chunked, HTTP, "5000 bytes"},
      {bare, HTTP, "5000 bytes"},
      {redirect, HTTP, "redirected"},
      {cut_once, HTTP, "broke off 1 time, went on 1"},
      {cut_plain, HTTP, "broke off 1 time, went on 0"},
      {cut_at_once, HTTP, "broke off 1 time, went on 0"},
      {stalls_once, HTTP, "broke off 1 time, went on 1"},
      {cut_chunked, HTTP, "5000 bytes"},
      {NULL, "tftp://[fe80::1]/file", "5000 bytes"},
      {NULL, "http://[fe80::1]/file", "5000 bytes"},
  };
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char line[200];
    begin();
    if(rows[i].set) {
      rows[i].set();
    }
    (void)snprintf(line, sizeof(line), "fetch --sha256 " DIGEST " %s", rows[i].url);
    if(cmd(line) != EFI_SUCCESS) {
      fail_msg("%zu: %s", i, console_text());
    }
    assert_said(rows[i].said);
    assert_said("as it should be");
    end();
  }
}

static void tsize_more(void) {
  server.tsize_lie = 100;
}
static void tsize_less(void) {
  server.tsize_lie = -100;
}
static void tsize_huge(void) {
  server.tsize_lie = 0x40000000;
}
static void silent(void) {
  server.silent_after = 3;
  server.silent_times = 100;
}
static void missing(void) {
  server.files[0].name = "other";
}
static void status_403(void) {
  server.status = 20;
}
static void status_500(void) {
  server.status = 35;
}
static void status_none(void) {
  server.status = 99;
}
static void loops(void) {
  server.location = "/file";
  server.redirects = 100;
}
static void leads_nowhere(void) {
  server.redirects = 1;
}
static void leads_to_tftp(void) {
  server.location = TFTP;
  server.redirects = 1;
}
static void sends_more(void) {
  server.length_lie = 7;
}
static void sends_less(void) {
  server.length_lie = -7;
}
static void cut_always(void) {
  server.cut_after = 500;
  server.cut_times = 100;
}
static void stalls(void) {
  server.stall_after = 100;
  server.stall_times = 100;
}
static void wrong_range(void) {
  cut_once();
  server.wrong_range = TRUE;
}
static void endless(void) {
  server.endless = TRUE;
  server.piece = 0;
}
static void coded(void) {
  server.coded = TRUE;
}
static void refuses(void) {
  server.refuses = TRUE;
}
static void unknown_name(void) {
  server.name_address = 0;
}
static void silent_dns(void) {
  server.dns_silent = TRUE;
}
static void no_dhcp(void) {
  stack.dhcp_address = 0;
}

static void test_faults(void **state) {
  (void)state;
  static const struct {
    void (*set)(void);
    const char *line;
    EFI_STATUS status;
    const char *said;
  } rows[] = {
      {tsize_more, TFTP, EFI_BAD_BUFFER_SIZE, "only 5000 bytes came of the 5100 that the server said"},
      {tsize_less, TFTP, EFI_BAD_BUFFER_SIZE, "the server sends more than the 4900 bytes that it said the file has"},
      {tsize_huge, TFTP, EFI_BAD_BUFFER_SIZE, "the largest free block of memory 469762048"},
      {silent, TFTP, EFI_TIMEOUT, "the server stopped sending after 1536 bytes"},
      {missing, TFTP, EFI_NOT_FOUND, "the server has no such file (TFTP error 1, File not found): file"},
      {missing, HTTP, EFI_NOT_FOUND, "the server answers 404 Not Found"},
      {status_403, HTTP, EFI_ACCESS_DENIED, "the server answers 403 Forbidden"},
      {status_500, HTTP, EFI_PROTOCOL_ERROR, "the server answers 500 Internal Server Error"},
      {status_none, HTTP, EFI_PROTOCOL_ERROR, "no status of HTTP's"},
      {loops, HTTP, EFI_PROTOCOL_ERROR, "redirects more than 5 times, at last to /file"},
      {leads_nowhere, HTTP, EFI_PROTOCOL_ERROR, "does not say where to"},
      {leads_to_tftp, HTTP, EFI_PROTOCOL_ERROR, "only http and https may follow"},
      {sends_more, HTTP, EFI_BAD_BUFFER_SIZE, "has 5000 bytes, and now sends 5007"},
      {sends_less, HTTP, EFI_BAD_BUFFER_SIZE, "has 5000 bytes, and now sends 4993"},
      {cut_always, HTTP, EFI_BAD_BUFFER_SIZE,
       "2500 of 5000 bytes came, then the server closed the connection (5 tries)"},
      {stalls, HTTP, EFI_TIMEOUT, "500 of 5000 bytes came, then nothing more, or too slowly (5 tries)"},
      {wrong_range, HTTP, EFI_PROTOCOL_ERROR, "another part of the file than the one from byte 3000 on"},
      {endless, HTTP, EFI_TIMEOUT, ""},
      {coded, HTTP, EFI_UNSUPPORTED, "in a coding that was not asked for"},
      {refuses, HTTP, EFIERR(106), "the server refuses the connection"},
      {unknown_name, "http://boot.lan/file", EFI_NOT_FOUND, "no name server knows an address of 'boot.lan'"},
      {silent_dns, "tftp://boot.lan/file", EFI_TIMEOUT, "no name server answered about 'boot.lan'"},
      {NULL, "https://10.0.0.2/file", EFI_UNSUPPORTED, "this firmware has no TLS"},
      {NULL, "tftp://10.0.0.2/", EFI_INVALID_PARAMETER, "the URL names no file"},
      {NULL, "ftp://10.0.0.2/x", EFI_INVALID_PARAMETER, "a URL begins with tftp://, http:// or https://"},
      {NULL, "--sha256 12 " HTTP, EFI_INVALID_PARAMETER, "a hash is 64 hexadecimal digits"},
      {NULL, "--sha256-file http://10.0.0.2/empty", EFI_NOT_FOUND, "empty.sha256"},
      {NULL, "--sha256-file http://10.0.0.2/bad", EFI_COMPROMISED_DATA, "does not begin with 64 hexadecimal digits"},
      {NULL, "--sha256 " DIGEST " http://10.0.0.2/empty", EFI_COMPROMISED_DATA, "is not what it should be"},
      {NULL, "--sha256 " DIGEST " --sha256-file " HTTP, EFI_INVALID_PARAMETER, "exclude each other"},
      {no_dhcp, HTTP, EFI_TIMEOUT, "no DHCP server answered"},
      {NULL, HTTP " nowhere:\\x", EFI_NOT_FOUND, "nowhere:\\x"},
  };
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char line[300];
    size_t length;
    begin();
    if(rows[i].set) {
      rows[i].set();
    }
    if(rows[i].set == endless) {
      end();
      continue;
    }
    (void)snprintf(line, sizeof(line), "fetch %s%s", rows[i].line, strchr(rows[i].line, '\\') ? "" : " fs0:\\never");
    EFI_STATUS status = cmd(line);
    if(status != rows[i].status) {
      fail_msg("%s: status 0x%zx:\n%s", line, (size_t)status, console_text());
    }
    assert_said(rows[i].said);
    assert_null(volume_file("never", &length));
    end();
  }
}

static void test_names(void **state) {
  (void)state;
  begin();
  server.name_address = 0x0A000002U;
  assert_int_equal(cmd("fetch http://boot.lan:8000/file"), EFI_SUCCESS);
  assert_string_equal(server.last_host, "boot.lan:8000");
  assert_string_equal(server.last_url, "http://10.0.0.2:8000/file"); /* looked up with a bound, and once a request */
  assert_int_equal(cmd("fetch tftp://boot.lan/file"), EFI_SUCCESS);
  end();
}

/* A name that has an IPv6 address alone, and one in a network without DHCP. */
static void test_names_by_ipv6(void **state) {
  static const UINT8 address[16] = {0xFD, 0x77, [15] = 2};
  (void)state;
  for(UINTN i = 0; i < 2; i++) {
    begin();
    server.name_ipv6 = address;
    if(i) {
      no_dhcp();
    }
    assert_int_equal(cmd("fetch http://boot.lan:8000/file"), EFI_SUCCESS);
    assert_string_equal(server.last_host, "boot.lan:8000");
    assert_string_equal(server.last_url, "http://[fd77::2]:8000/file");
    assert_int_equal(server.lookups, i ? 2 : 4); /* HEAD and GET; without an IPv4 address nobody asks for one */
    assert_int_equal(cmd("fetch tftp://boot.lan/file"), EFI_SUCCESS);
    assert_false(services_ip6_automatic());
    end();
  }
  services_without("Dns6");
  begin();
  no_dhcp();
  server.name_address = 0x0A000002U;
  assert_int_equal(cmd("fetch http://boot.lan/file"), EFI_UNSUPPORTED);
  assert_said("Going on by IPv6 alone.");
  assert_said("this firmware has no DNS for the NIC");
  end();
}

static void test_services_missing(void **state) {
  (void)state;
  static const struct {
    const char *name;
    const char *url;
    const char *said;
  } rows[] = {
      {"Mtftp4", TFTP, "no TFTP for IPv4"},
      {"Mtftp6", "tftp://[fe80::1]/file", "no TFTP for IPv6"},
      {"Http", HTTP, "no HTTP on the NIC"},
      {"Dns4", "http://name/file", "no DNS for the NIC"},
  };
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char line[100];
    services_without(rows[i].name);
    begin();
    (void)snprintf(line, sizeof(line), "fetch %s", rows[i].url);
    assert_int_equal(cmd(line), EFI_UNSUPPORTED);
    assert_said(rows[i].said);
    end();
  }
}

/* A key ends each wait: for the address, the size, the body, a name. */
static void test_keys(void **state) {
  (void)state;
  static const char *const lines[] = {"fetch " TFTP, "fetch " HTTP, "fetch http://boot.lan/file"};
  for(size_t i = 0; i < 3; i++) {
    for(UINT64 at = 50U * MS; at < 2U * S; at += 150U * MS) {
      begin();
      server.step_us = 100U * MS;
      server.piece = 300;
      server.name_address = 0x0A000002U;
      UINT64 now = firmware_now_us();
      console_press(now + at, KEY_ESCAPE, 0);
      EFI_STATUS status = cmd(lines[i]);
      if(status != EFI_ABORTED && status != EFI_SUCCESS) {
        fail_msg("%s, key at %zu us: 0x%zx\n%s", lines[i], (size_t)at, (size_t)status, console_text());
      }
      assert_true(at > 1U * S || status == EFI_ABORTED);
      assert_int_equal(stack_policy(), FALSE);
      end();
    }
  }
}

/* By hand: put back as it was, whatever that was. */
static void test_address_by_hand(void **state) {
  (void)state;
  begin();
  assert_int_equal(cmd("fetch --addr 10.0.0.7/24 --gw 10.0.0.1 " TFTP), EFI_SUCCESS);
  assert_int_equal(stack_policy(), FALSE);
  end();
  begin_with(true, true);
  assert_int_equal(cmd("fetch --addr 10.0.0.7/24 " TFTP), EFI_SUCCESS);
  assert_int_equal(stack_policy(), TRUE);
  assert_int_equal(cmd("fetch --addr 10.0.0.7/24 tftp://10.0.0.2/none"), EFI_NOT_FOUND);
  assert_int_equal(stack_policy(), TRUE);
  UINTN before = stack_policies_set();
  assert_int_equal(cmd("fetch tftp://[fd77::2]/file"), EFI_SUCCESS);
  assert_int_equal(stack_policies_set(), before); /* IPv6 needs no IPv4 address, and takes one that was given */
  assert_int_equal(cmd("fetch --addr 10.0.0.7/24 tftp://[fd77::2]/file"), EFI_SUCCESS);
  assert_int_equal(stack_policies_set(), before + 2U);
  assert_int_equal(stack_policy(), TRUE);
  end();
}

/* IPv6 addresses that reach further than the link: firmware asks for them when its policy is automatic. */
static void test_ipv6_address(void **state) {
  static const char line[] = "fetch tftp://[fd77::2]/file";
  (void)state;
  begin_with(true, false);
  assert_int_equal(cmd("fetch tftp://[fe80::2]/file"), EFI_SUCCESS); /* on the link: needs none */
  assert_int_equal(services_ip6_servers_set(), 0);
  assert_int_equal(cmd(line), EFI_SUCCESS);
  assert_said("Asking routers for an IPv6 address...");
  assert_said("Address fd77::9");
  assert_false(services_ip6_automatic());
  assert_int_equal(services_ip6_servers_set(), 2); /* the gateway and name server that were set by hand */
  server.ipv6_address = NULL;
  assert_int_equal(cmd(line), EFI_TIMEOUT);
  assert_said("no IPv6 address in 20 s");
  assert_false(services_ip6_automatic());
  console_press(firmware_now_us() + 3000U * MS, 0, 0x03);
  assert_int_equal(cmd(line), EFI_ABORTED);
  assert_false(services_ip6_automatic());
  end();
  services_without("Ip6Config");
  begin();
  assert_int_equal(cmd(line), EFI_UNSUPPORTED);
  assert_said("this firmware has no IPv6 on the NIC");
  end();
}

static void test_volume_trouble(void **state) {
  (void)state;
  size_t length;
  begin();
  volume_room(2000);
  assert_int_equal(cmd("fetch " HTTP " fs0:\\never"), EFI_VOLUME_FULL);
  assert_said("could not be written, and is deleted");
  assert_null(volume_file("never", &length));
  volume_room(UINT64_MAX);
  volume_add_folder("folder");
  assert_int_equal(cmd("fetch " HTTP " fs0:\\folder"), EFI_ACCESS_DENIED);
  assert_said("is a folder");
  volume_read_only(TRUE);
  assert_true(EFI_ERROR(cmd("fetch " HTTP " fs0:\\never")));
  end();
}

/* Through the stack no frame of the fake firmware's comes by: the file is whole all the same, the driver's tap gone. */
static void test_capture(void **state) {
  static struct read_file file;
  size_t length;
  (void)state;
  for(int resident = 0; resident < 2; resident++) {
    begin_with(resident, false);
    assert_int_equal(cmd("fetch --capture fs0:\\wire.pcapng " HTTP " fs0:\\got"), EFI_SUCCESS);
    assert_said("frames in 'fs0:\\wire.pcapng'");
    assert_non_null(volume_file("got", &length));
    const uint8_t *bytes = volume_file("wire.pcapng", &length);
    assert_null(read_capture(bytes, length, &file));
    assert_int_equal(file.interfaces, 1);
    assert_int_equal(cmd("fetch --capture fs0:\\wire.pcapng " HTTP "-not"), EFI_NOT_FOUND);
    assert_said("frames in 'fs0:\\wire.pcapng'");
    volume_add_folder("folder");
    UINTN gets = server.gets;
    assert_int_equal(cmd("fetch --capture fs0:\\folder " HTTP), EFI_ACCESS_DENIED);
    assert_int_equal(server.gets, gets);
    assert_int_equal(volume_open_files(), 0);
    end();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_to_a_volume),
      cmocka_unit_test(test_other_ways),
      cmocka_unit_test(test_json),
      cmocka_unit_test(test_faults),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_names_by_ipv6),
      cmocka_unit_test(test_services_missing),
      cmocka_unit_test(test_keys),
      cmocka_unit_test(test_address_by_hand),
      cmocka_unit_test(test_volume_trouble),
      cmocka_unit_test(test_ipv6_address),
      cmocka_unit_test(test_capture),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
