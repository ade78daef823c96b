/* test_cmd_boot.c - netdiag boot on the host: what is started finds its server and the handoff, what is refused runs
 * nothing, and afterwards all is as before, whichever firmware call fails. */
#include "cmd_machine.h"

#include <stdlib.h>

#include "net/handoff.h"
#include "services.h"

#define MS      1000U
#define TFTP    "tftp://10.0.0.2/kernel.efi"
#define HTTP    "http://10.0.0.2:8000/kernel.efi"
#define SIZE    0x800U
#define NAME_AT 0x200U /* where an image in memory names its program (programs.c) */
#define TRIES   3000U
#define FIRST   6U /* call: those before it look for the Shell, without which there is a menu (test_cmd_sweep) */

static struct stack_config stack;
static struct server server;
static UINT8 program[SIZE];
static UINT8 foreign[SIZE];
static UINT8 elf[64] = "\177ELF";
static UINT8 disk[4096];
static UINTN positions;

/* What the started program saw. */
static struct {
  UINTN runs;
  EFI_STATUS returns;
  BOOLEAN ack;
  UINT32 next;
  char file[128];
  struct net_handoff head;
  struct net_handoff_nic nic;
  struct net_handoff_payload payload[2];
  char source[128];
  BOOLEAN policy;
  UINTN ram_disks;
  EFI_MEMORY_TYPE type;
} seen;

static EFI_STATUS run_kernel(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  static const EFI_GUID guid = NET_HANDOFF_GUID;
  (void)image;
  seen.runs++;
  seen.ack = services_pxe_ack(&seen.next, seen.file);
  seen.policy = stack_policy();
  seen.ram_disks = services_ram_disks(&seen.type);
  for(UINTN i = 0; i < system_table->NumberOfTableEntries; i++) {
    if(memcmp(&system_table->ConfigurationTable[i].VendorGuid, &guid, sizeof(guid)) == 0) {
      const UINT8 *table = system_table->ConfigurationTable[i].VendorTable;
      memcpy(&seen.head, table, sizeof(seen.head));
      memcpy(&seen.nic, table + seen.head.nic_offset, sizeof(seen.nic));
      memcpy(seen.payload, table + seen.head.payload_offset, sizeof(seen.payload));
      memcpy(seen.source, table + seen.head.source_offset, sizeof(seen.source));
      seen.source[127] = '\0';
    }
  }
  return seen.returns;
}

static const struct program kernel = {.name = "kernel.efi", .entry = run_kernel};
static const struct program on_disk = {.name = "BOOTX64.EFI", .entry = run_kernel};

static void put32(UINT8 *at, UINT32 value) {
  memcpy(at, &value, sizeof(value));
}

static void make_program(UINT8 *image, UINT16 machine) {
  memset(image, 0, SIZE);
  memcpy(image, "MZ", 2);
  put32(image + 0x3C, 0x80);
  memcpy(image + 0x80, "PE\0\0", 4);
  memcpy(image + 0x84, &machine, 2);
  image[0x86] = 1;
  image[0x94] = 0xF0;
  image[0x98 + 68] = 10;
  put32(image + 0x188 + 16, SIZE - 0x400);
  put32(image + 0x188 + 20, 0x400);
  strcpy((char *)image + NAME_AT, "kernel.efi");
}

static void begin_with(bool resident) {
  (void)cmd_begin(SIM_82540EM);
  programs_clock_step(1000);
  make_program(program, 0x8664);
  make_program(foreign, 0xAA64);
  memset(disk, 0, sizeof(disk));
  disk[0] = 0xEB;
  disk[12] = 2;
  disk[13] = 1;
  disk[16] = 2;
  disk[19] = 8;
  disk[510] = 0x55;
  disk[511] = 0xAA;
  memset(&seen, 0, sizeof(seen));
  stack = (struct stack_config){
      .dhcp_address = 0x0A000005U, .dhcp_mask = 0xFFFFFF00U, .dhcp_gateway = 0x0A000001U, .dhcp_delay_us = 200U * MS};
  server = (struct server){.files = {{"kernel.efi", program, SIZE},
                                     {"module", "a module", 8},
                                     {"arm.efi", foreign, SIZE},
                                     {"cut.efi", program, SIZE - 1U},
                                     {"kernel.elf", elf, sizeof(elf)},
                                     {"disk.img", disk, sizeof(disk)},
                                     {"empty", program, 0}},
                           .step_us = MS,
                           .ipv6_address = (const UINT8 *)"\xFD\x77\0\0\0\0\0\0\0\0\0\0\0\0\0\11",
                           .lease_server = 0x0A000009U,
                           .lease_seconds = 3600,
                           .pxe_address = 0x0A000006U,
                           .pxe_next = 0x0A000002U,
                           .pxe_file = "kernel.efi"};
  services_add(&server);
  if(resident) {
    cmd_resident(&stack);
  } else {
    stack_add(&stack);
  }
  programs_add(&kernel);
}

static void begin(void) {
  begin_with(false);
}

static void end(void) {
  assert_int_equal(services_left(), 0);
  assert_int_equal(stack_policy(), FALSE);
  cmd_end();
}

static void test_program_by_tftp(void **state) {
  (void)state;
  begin();
  assert_int_equal(cmd("boot " TFTP " --live --cmdline \"console=ttyS0 quiet\" --module tftp://10.0.0.2/module"),
                   EFI_SUCCESS);
  assert_int_equal(seen.runs, 1);
  assert_said("kernel.efi returned: Success");
  assert_string_equal(programs_started()->options, "console=ttyS0 quiet");
  assert_true(seen.ack);
  assert_int_equal(seen.next, 0x0A000002U);
  assert_string_equal(seen.file, "kernel.efi");
  assert_int_equal(seen.policy, FALSE); /* put back before it ran */
  assert_int_equal(seen.nic.state, NET_HANDOFF_ARMED_LIVE);
  assert_memory_equal(seen.nic.lease.address, "\12\0\0\5", 4);
  assert_memory_equal(seen.nic.lease.server, "\12\0\0\11", 4);
  assert_int_equal(seen.nic.lease.seconds, 3600);
  assert_int_equal(seen.nic.lease.origin, NET_HANDOFF_LEASE_DHCP);
  assert_true(seen.nic.lease.obtained == 1795696496ULL); /* 2026-11-26 12:34:56 UTC, by the fake firmware's clock */
  assert_int_equal(seen.head.payload_count, 2);
  assert_string_equal(seen.payload[0].name, "kernel.efi");
  assert_int_equal(seen.payload[0].size, SIZE);
  assert_string_equal(seen.payload[1].name, "module");
  assert_int_equal(seen.payload[1].size, 8);
  assert_string_equal(seen.source, TFTP);
  end();
}

static void test_program_by_http(void **state) {
  (void)state;
  begin();
  seen.returns = EFI_NOT_READY;
  assert_int_equal(cmd("boot " HTTP), EFI_NOT_READY);
  assert_int_equal(seen.runs, 1);
  assert_false(seen.ack);
  assert_int_equal(seen.nic.state, NET_HANDOFF_ARMED_QUIET);
  assert_string_equal(seen.source, HTTP);
  assert_non_null(programs_started()->device); /* a handle of its own, gone afterwards */
  end();
}

static void test_disk(void **state) {
  (void)state;
  begin();
  programs_add(&on_disk);
  assert_int_equal(cmd("boot http://10.0.0.2/disk.img"), EFI_SUCCESS);
  assert_int_equal(seen.runs, 1);
  assert_int_equal(seen.ram_disks, 1);
  assert_int_equal(seen.type, EfiReservedMemoryType);
  assert_int_equal(seen.head.payload_count, 1);
  programs_remove(&on_disk);
  assert_int_equal(cmd("boot http://10.0.0.2/disk.img"), EFI_NOT_FOUND);
  assert_said("has nothing to start: there is no \\EFI\\BOOT\\BOOTX64.EFI");
  end();
  services_without("RamDisk");
  begin();
  assert_int_equal(cmd("boot http://10.0.0.2/disk.img"), EFI_UNSUPPORTED);
  assert_said("no RAM disks");
  end();
}

/* Nothing of it runs. */
static void test_refused(void **state) {
  (void)state;
  static const struct {
    const char *line;
    EFI_STATUS status;
    const char *said;
  } rows[] = {
      {"boot tftp://10.0.0.2/kernel.elf", EFI_UNSUPPORTED, "an ELF file, which needs a loader before it: GRUB"},
      {"boot tftp://10.0.0.2/arm.efi", EFI_UNSUPPORTED,
       "an EFI program for ARM64 (0xaa64), and this machine is x86-64"},
      {"boot tftp://10.0.0.2/cut.efi", EFI_END_OF_FILE,
       "cut short: it has 2047 bytes, and says of itself that it needs"},
      {"boot tftp://10.0.0.2/empty", EFI_UNSUPPORTED, "it is empty"},
      {"boot tftp://10.0.0.2/none", EFI_NOT_FOUND, "the server has no such file"},
      {"boot " TFTP " --module http://10.0.0.2/none", EFI_NOT_FOUND, "404"},
      {"boot " TFTP " --module http://10.0.0.2/empty", EFI_UNSUPPORTED, "empty is empty"},
      {"boot " TFTP " --sha256 0000000000000000000000000000000000000000000000000000000000000000", EFI_COMPROMISED_DATA,
       "is not what it should be"},
      {"boot " TFTP " --live --quiet", EFI_INVALID_PARAMETER, "exclude each other"},
      {"boot --addr 10.0.0.5/24", EFI_INVALID_PARAMETER, "without a URL DHCP says the address"},
      {"boot x", EFI_INVALID_PARAMETER, "a URL begins with"},
      {"boot " TFTP " --module x", EFI_INVALID_PARAMETER, "a URL begins with"},
  };
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    begin();
    if(cmd(rows[i].line) != rows[i].status) {
      fail_msg("%s:\n%s", rows[i].line, console_text());
    }
    assert_said(rows[i].said);
    assert_int_equal(seen.runs, 0);
    end();
  }
}

static void test_secure_boot(void **state) {
  (void)state;
  static const EFI_STATUS refusals[] = {EFI_ACCESS_DENIED, EFI_SECURITY_VIOLATION};
  for(size_t i = 0; i < 2; i++) {
    begin();
    programs_refuse(refusals[i]);
    assert_int_equal(cmd("boot " TFTP), EFI_SECURITY_VIOLATION);
    assert_said("Secure Boot refuses kernel.efi");
    assert_int_equal(seen.runs, 0);
    end();
  }
}

static void test_no_url(void **state) {
  (void)state;
  begin();
  assert_int_equal(cmd("boot"), EFI_SUCCESS);
  assert_said("DHCP names tftp://10.0.0.2/kernel.efi");
  assert_int_equal(seen.runs, 1);
  assert_true(seen.ack);
  assert_memory_equal(seen.nic.lease.address, "\12\0\0\6", 4);
  assert_memory_equal(seen.nic.lease.server, "\12\0\0\11", 4);
  end();
  begin();
  server.pxe_file = "http://10.0.0.2/kernel.efi";
  assert_int_equal(cmd("boot"), EFI_SUCCESS);
  assert_string_equal(seen.source, "http://10.0.0.2/kernel.efi");
  end();
  begin();
  server.dhcp_status = EFI_TIMEOUT;
  assert_int_equal(cmd("boot"), EFI_TIMEOUT);
  assert_said("DHCP brought no boot file: Time out; give a URL");
  end();
  begin();
  server.pxe_file = NULL;
  assert_int_equal(cmd("boot"), EFI_NOT_FOUND);
  assert_said("but no boot file");
  end();
  services_without("PxeBc");
  begin();
  assert_int_equal(cmd("boot " TFTP), EFI_SUCCESS); /* with a path as by HTTP, for want of better */
  end();
}

/* HTTP boot's question is another one, with answers of its own. */
static void http_only(void) {
  begin();
  server.pxe_file = NULL;
  server.http_address = 0x0A000007U;
  server.http_class = "HTTPClient";
  server.http_url = "http://boot.lan/kernel.efi";
  server.name_address = 0x0A000002U;
}

static void test_no_url_http(void **state) {
  (void)state;
  http_only();
  assert_int_equal(cmd("boot"), EFI_SUCCESS);
  assert_said("DHCP names http://boot.lan/kernel.efi");
  assert_string_equal(seen.source, "http://boot.lan/kernel.efi");
  assert_memory_equal(seen.nic.lease.address, "\12\0\0\7", 4);
  assert_memory_equal(seen.nic.lease.server, "\12\0\0\11", 4);
  assert_memory_equal(seen.nic.lease.dns[0], "\12\0\0\3", 4);
  assert_int_equal(seen.nic.lease.origin, NET_HANDOFF_LEASE_DHCP);
  assert_true(seen.nic.lease.obtained != 0);
  assert_int_equal(server.name_servers, 1); /* the one that DHCP named */
  assert_int_equal(seen.runs, 1);
  assert_false(seen.ack); /* PXE says nothing of it */
  end();

  static const struct {
    const char *class;
    const char *url;
  } rows[] = {{NULL, "http://boot.lan/kernel.efi"}, {"PXEClient", "http://boot.lan/kernel.efi"}, {"HTTPClient", NULL}};
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    http_only();
    server.http_class = rows[i].class;
    server.http_url = rows[i].url;
    assert_int_equal(cmd("boot"), EFI_NOT_FOUND);
    assert_said("for client architecture 7 (option 93), or a URL for architecture 16");
    assert_int_equal(seen.runs, 0);
    end();
  }

  http_only();
  server.http_silent = TRUE;
  console_press(firmware_now_us() + 5000U * MS, 0, 0x03);
  assert_int_equal(cmd("boot"), EFI_ABORTED);
  assert_said("boot: stopped");
  end();
  http_only();
  server.dhcp_status = EFI_TIMEOUT;
  server.http_silent = TRUE;
  assert_int_equal(cmd("boot"), EFI_TIMEOUT);
  end();
  http_only();
  server.dhcp_status = EFI_NO_MEDIA; /* no link: nobody else is asked */
  assert_int_equal(cmd("boot"), EFI_NO_MEDIA);
  assert_said("DHCP brought no boot file: No Media");
  end();
  services_without("PxeBc");
  http_only();
  assert_int_equal(cmd("boot"), EFI_SUCCESS);
  end();
  services_without("Dhcp4");
  http_only();
  assert_int_equal(cmd("boot"), EFI_NOT_FOUND); /* as PXE says */
  end();
}

/* One that somebody else armed stays as it was. */
static void test_armed_already(void **state) {
  (void)state;
  begin_with(true);
  assert_int_equal(cmd("boot " TFTP), EFI_SUCCESS); /* shared */
  assert_int_equal(cmd_that_stays("handoff --live"), EFI_SUCCESS);
  assert_int_equal(cmd("boot " TFTP), EFI_ACCESS_DENIED);
  assert_said("armed for a handoff already");
  assert_int_equal(cmd_that_stays("handoff --cancel"), EFI_SUCCESS);
  end();
}

/* Where it may end well though a call failed, and why. */
static bool may_degrade(const char *call) {
  static const char *const calls[] = {
      "GetVariable",
      "Pci.Read",
      "Pci.Write",
      "GetBarAttributes",
      "GetLocation",
      "Attributes",
      "HandleProtocol",
      "OpenProtocol",
      "OpenProtocolInformation",
      "LocateHandleBuffer",
      "Ip4Config2.GetData",
      "Ip6Config.GetData", /* it is asked again, or has no lists to put back    */
      "GetMemoryMap",
      "Dhcp4.GetModeData",
      "Service.CreateChild",
      "Http.Request",
      "Http.Response",
      "Mtftp.Configure",
      "Mtftp.ReadFile",
      "SetTimer",
      "AllocatePool",
      "Mnp.Receive",
      "File.Open",                 /* of an old file: there is none                       */
      "ConnectController",         /* of a RAM disk: Register has done it                 */
      "InstallConfigurationTable", /* which withdraws the table: it stays, its entry LOST */
      "Mnp.Transmit",
      "CreateEvent",
      "PxeBc.Dhcp", /* HTTP boot's question brings the file          */
      "Unmap",
  };
  for(size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
    if(strcmp(call, calls[i]) == 0) {
      return true;
    }
  }
  return false;
}

static bool fail_one(void (*start)(void), const char *line, UINTN at) {
  struct firmware_counts before;
  struct firmware_counts after;
  start();
  programs_add(&on_disk);
  firmware_count(&before);
  firmware_fail_at(at, FALSE);
  EFI_STATUS status = cmd_that_stays(line);
  const char *call = firmware_failed_call();
  bool told = EFI_ERROR(status) || strstr(console_text(), "netdiag: ");
  firmware_fail_at(0, FALSE);
  firmware_count(&after);
  if(!call) {
    assert_int_equal(status, EFI_SUCCESS);
    end();
    return false;
  }
  positions++;
  if(!told && !may_degrade(call)) {
    fail_msg("'%s', call %zu (%s) failed, and nobody was told:\n%s", line, (size_t)at, call, console_text());
  }
  bool kept =
      strcmp(call, "Unmap") == 0 || strcmp(call, "Attributes") == 0 || strcmp(call, "UninstallProtocolInterface") == 0;
  kept = kept || strcmp(call, "InstallConfigurationTable") == 0;
  if(!kept && memcmp(&before, &after, sizeof(before)) != 0) {
    fail_msg(
        "'%s', call %zu (%s) left: handles %zd, protocols %zd, opens %zd, events %zd, pool %zd, pages %zd, buffers "
        "%zd, mappings %zd, tables %zd",
        line, (size_t)at, call, after.handles - before.handles, after.protocols - before.protocols,
        after.opens - before.opens, after.events - before.events, after.pool - before.pool, after.pages - before.pages,
        after.buffers - before.buffers, after.mappings - before.mappings, after.tables - before.tables);
  }
  assert_int_equal(services_left(), 0);
  if(EFI_ERROR(cmd_that_stays(line))) {
    fail_msg("'%s', call %zu (%s): nothing worked afterwards:\n%s", line, (size_t)at, call, console_text());
  }
  cmd_power_off();
  return true;
}

static void test_every_call_fails_once(void **state) {
  (void)state;
  static const struct {
    void (*start)(void);
    const char *line;
  } rows[] = {{begin, "fetch " TFTP " fs0:\\got"},
              {begin, "fetch " HTTP},
              {begin, "boot " TFTP},
              {begin, "boot " HTTP},
              {begin, "boot http://10.0.0.2/disk.img"},
              {begin, "boot"},
              {http_only, "boot"},
              {begin, "fetch http://[fd77::2]/kernel.efi"}};
  positions = 0;
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    UINTN at = FIRST;
    while(fail_one(rows[i].start, rows[i].line, at)) {
      assert_true(++at < TRIES);
    }
  }
  assert_true(positions > 400);
  (void)printf("failure injection: %zu positions tried\n", (size_t)positions);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_program_by_tftp),
      cmocka_unit_test(test_program_by_http),
      cmocka_unit_test(test_disk),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_secure_boot),
      cmocka_unit_test(test_no_url),
      cmocka_unit_test(test_no_url_http),
      cmocka_unit_test(test_armed_already),
      cmocka_unit_test(test_every_call_fails_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
