/* test_cmd_handoff.c - netdiag handoff: what it publishes, loads and starts, and every exit status of it. */
#include "cmd_machine.h"
#include "handoff.h"
#include "net/netdevice.h"

#define RX_ENABLED 2U /* in RCTL */
#define RCTL       0x00100U

static EFI_GUID table_guid = NET_HANDOFF_GUID;
static struct stack_config stack;

static struct net_handoff *table(void) {
  for(UINTN i = 0; i < ST->NumberOfTableEntries; i++) {
    if(memcmp(&ST->ConfigurationTable[i].VendorGuid, &table_guid, sizeof(table_guid)) == 0) {
      return ST->ConfigurationTable[i].VendorTable;
    }
  }
  return NULL;
}

/* The entry of the NIC with this device number in a table that holds together; NULL when it has none. */
static struct net_handoff_copy copy;

static const struct net_handoff_nic *entry(uint32_t device) {
  if(!table()) {
    return NULL;
  }
  const char *problem = net_handoff_validate(table(), table()->size, (uintptr_t)table(), &copy);
  assert_string_equal(problem ? problem : "", "");
  for(uint32_t i = 0; i < copy.head.nic_count; i++) {
    if(copy.nic[i].pci_device == device && copy.nic[i].state != NET_HANDOFF_LOST) {
      return &copy.nic[i];
    }
  }
  return NULL;
}

/* Its block. */
static const struct net_handoff_e1000 *block(uint32_t device) {
  const struct net_handoff_nic *nic = entry(device);
  assert_non_null(nic);
  return (const struct net_handoff_e1000 *)copy.block[nic - copy.nic];
}

static void assert_armed(uint32_t device, int state) {
  assert_non_null(entry(device));
  assert_int_equal(entry(device)->state, state);
}

/* Arming ----------------------------------------------------------------------------------------------------------- */

static void test_quiet_and_live(void **state) {
  (void)state;
  static const uint16_t devices[] = {SIM_82540EM, SIM_82544GC, SIM_82545EM, SIM_82574L};
  for(size_t i = 0; i < 4; i++) {
    (void)cmd_begin(devices[i]);
    assert_int_equal(cmd_that_stays("handoff"), EFI_SUCCESS);
    assert_said("0000:00:02.0 will be handed over quiet");
    assert_armed(2, NET_HANDOFF_ARMED_QUIET);
    assert_non_null(programs_image("e1000.efi"));
    assert_int_equal(cmd("handoff --live"), EFI_SUCCESS); /* once it is loaded, nothing more stays */
    assert_said("will be handed over live");
    assert_armed(2, NET_HANDOFF_ARMED_LIVE);
    assert_int_equal(cmd("handoff --quiet"), EFI_SUCCESS);
    assert_armed(2, NET_HANDOFF_ARMED_QUIET);
    assert_int_equal(entry(2)->device_id, devices[i]);
    assert_memory_equal(entry(2)->permanent_mac, "\x52\x54\x00\xA1\xB2\xC3", 6);
    cmd_end();
  }
}

static void test_mistakes(void **state) {
  (void)state;
  static const char *const lines[] = {
      "handoff --live --quiet",  "handoff --show --cancel", "handoff --live --show",
      "handoff --live --cancel", "handoff --show NEXT.EFI", "handoff --cancel --all",
      "handoff --show -n 0",     "handoff --ring 100",      "handoff --ring 4294967296"};
  (void)cmd_begin(SIM_82574L);
  for(size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
    assert_int_equal(cmd(lines[i]), EFI_INVALID_PARAMETER);
  }
  assert_null(table());
  assert_null(programs_image("e1000.efi"));
  cmd_end();
}

static void test_ring(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82540EM);
  cmd_resident(&stack);
  assert_int_equal(cmd_that_stays("handoff"), EFI_SUCCESS);
  assert_int_equal(block(2)->rx.count, 256);
  assert_int_equal(cmd_that_stays("handoff --ring 512"), EFI_SUCCESS); /* made anew, larger */
  assert_int_equal(block(2)->rx.count, 512);
  assert_int_equal(block(2)->tx.count, 512);
  cmd_end();
  (void)cmd_begin(SIM_82540EM); /* the old rings stay: no handoff, and not with those */
  cmd_resident(&stack);
  firmware_fail_call("DisconnectController", 1);
  assert_true(EFI_ERROR(cmd("handoff --ring 512")));
  assert_said("--ring: ");
  assert_null(table());
  cmd_end();
}

static void test_lease(void **state) {
  (void)state;
  struct stack_config address = {.address = 0x0A010203U, .mask = 0xFFFF0000U, .gateway = 0x0A0100FEU};
  for(int ring = 0; ring < 2; ring++) {
    (void)cmd_begin(SIM_82574L);
    cmd_resident(&address);
    /* also when the stack above the NIC starts again for the sake of the rings */
    assert_int_equal(cmd_that_stays(ring ? "handoff --ring 128" : "handoff"), EFI_SUCCESS);
    assert_memory_equal(entry(2)->lease.address, "\x0A\x01\x02\x03", 4);
    assert_memory_equal(entry(2)->lease.mask, "\xFF\xFF\x00\x00", 4);
    assert_memory_equal(entry(2)->lease.gateway, "\x0A\x01\x00\xFE", 4);
    cmd_end();
  }
  (void)cmd_begin(SIM_82574L);
  cmd_resident(&stack);
  assert_int_equal(cmd("handoff --cancel"), EFI_SUCCESS);
  assert_int_equal(cmd_that_stays("handoff"), EFI_SUCCESS);
  assert_memory_equal(entry(2)->lease.address, "\0\0\0\0", 4);
  cmd_end();
}

/* Where the address comes from, and the name servers: all that there is room for, or none. */
static void test_lease_origin(void **state) {
  (void)state;
  struct stack_config address = {.address = 0x0A010203U, .mask = 0xFFFF0000U, .dns = {0x0A010253U, 0x08080404U}};
  static const uint8_t two[4][4] = {{10, 1, 2, 0x53}, {8, 8, 4, 4}};
  static const uint8_t none[4][4];
  (void)cmd_begin(SIM_82574L);
  cmd_resident(&address);
  assert_int_equal(cmd_that_stays("handoff"), EFI_SUCCESS);
  assert_int_equal(entry(2)->lease.origin, NET_HANDOFF_LEASE_STATIC);
  assert_memory_equal(entry(2)->lease.dns, two, sizeof(two));
  assert_int_equal(cmd("handoff --show"), EFI_SUCCESS);
  assert_said("set by hand: address 10.1.2.3");
  assert_said("DNS 10.1.2.83 DNS 8.8.4.4");
  for(size_t i = 0; i < 5; i++) {
    address.dns[i] = 0x01010101U;
  }
  assert_int_equal(cmd_that_stays("handoff"), EFI_SUCCESS);
  assert_memory_equal(entry(2)->lease.dns, none, sizeof(none));
  cmd_end();
}

static void test_two_nics(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  (void)cmd_add_nic(SIM_82540EM, 0xC4);
  cmd_resident(&stack);
  assert_int_equal(cmd_that_stays("handoff -n 1"), EFI_SUCCESS);
  assert_armed(3, NET_HANDOFF_ARMED_QUIET);
  assert_null(entry(2));
  assert_int_equal(cmd_that_stays("handoff --live -n 52:54:00:a1:b2:c3"), EFI_SUCCESS);
  assert_armed(2, NET_HANDOFF_ARMED_LIVE);
  assert_armed(3, NET_HANDOFF_ARMED_QUIET);
  assert_int_equal(cmd_that_stays("handoff --all --live"), EFI_SUCCESS);
  assert_armed(2, NET_HANDOFF_ARMED_LIVE);
  assert_armed(3, NET_HANDOFF_ARMED_LIVE);
  assert_int_equal(table()->nic_count, 2);
  assert_int_equal(cmd("handoff --show"), EFI_SUCCESS);
  assert_said("0000:00:02.0");
  assert_said("0000:00:03.0");
  assert_int_equal(cmd_times_said("armed, will be live"), 2);
  assert_int_equal(cmd_that_stays("handoff --cancel"), EFI_SUCCESS);
  assert_null(table());
  cmd_end();
}

static void test_no_nic(void **state) {
  (void)state;
  struct firmware_nic *nic = cmd_begin(SIM_82574L);
  nic->config[0x02] = 0x01; /* one that nobody here knows */
  nic->config[0x03] = 0x00;
  assert_int_equal(cmd("handoff"), EFI_NOT_FOUND);
  assert_int_equal(cmd("handoff --all"), EFI_NOT_FOUND);
  assert_int_equal(cmd("handoff -n 5"), EFI_NOT_FOUND);
  assert_null(table());
  cmd_end();
}

/* Another driver --------------------------------------------------------------------------------------------------- */

static void test_held_by_another(void **state) {
  (void)state;
  struct foreign_driver foreign = {.name = "Somebody's driver"};
  struct firmware_nic *nic = cmd_begin(SIM_82574L);
  (void)foreign_add(&foreign);
  assert_int_equal(firmware_connect(nic->handle), EFI_SUCCESS);
  assert_int_equal(cmd("handoff"), EFI_ACCESS_DENIED);
  assert_said("Somebody's driver");
  assert_said("--take");
  assert_null(table());
  foreign.keeps = TRUE;
  assert_int_equal(cmd("handoff --take"), EFI_ACCESS_DENIED);
  assert_said("does not let go");
  foreign.keeps = FALSE;
  foreign.refuses = TRUE; /* it does not come back */
  assert_int_equal(cmd_that_stays("handoff --take"), EFI_SUCCESS);
  assert_armed(2, NET_HANDOFF_ARMED_QUIET);
  cmd_end();
}

static void test_snatched(void **state) {
  (void)state;
  struct foreign_driver foreign = {.name = "iPXE", .snatches = TRUE};
  struct firmware_nic *nic = cmd_begin(SIM_82574L);
  (void)foreign_add(&foreign);
  assert_int_equal(firmware_connect(nic->handle), EFI_SUCCESS);
  assert_int_equal(cmd_that_stays("handoff --take"), EFI_ACCESS_DENIED);
  assert_said("'iPXE' takes the NIC from e1000.efi");
  assert_null(table());
  cmd_end();
}

/* One NIC that cannot be had does not keep the others from it. */
static void test_all_but_one(void **state) {
  (void)state;
  struct foreign_driver foreign = {.name = "Somebody's driver"};
  struct firmware_nic *nic = cmd_begin(SIM_82574L);
  (void)cmd_add_nic(SIM_82540EM, 0xC4);
  (void)foreign_add(&foreign);
  assert_int_equal(firmware_connect(nic->handle), EFI_SUCCESS);
  foreign.refuses = TRUE;
  assert_int_equal(cmd_that_stays("handoff --all"), EFI_ACCESS_DENIED);
  assert_null(entry(2));
  assert_armed(3, NET_HANDOFF_ARMED_QUIET);
  cmd_end();
}

static const struct program broken = {.name = "e1000.efi", .entry = NULL};
static const struct program not_an_image = {.name = "text.efi", .entry = NULL};

static void test_driver_cannot_be_loaded(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  cmd_without_driver();
  assert_int_equal(cmd("handoff"), EFI_NOT_FOUND);
  assert_said("e1000.efi");
  assert_null(table());
  programs_add(&broken);
  assert_int_equal(cmd("handoff"), EFI_UNSUPPORTED);
  cmd_end();
  (void)cmd_begin(SIM_82574L);
  firmware_fail_call("StartImage", 1);
  assert_int_equal(cmd("handoff"), EFI_SECURITY_VIOLATION);
  cmd_end();
}

/* Show and cancel -------------------------------------------------------------------------------------------------- */

static void test_show(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  assert_int_equal(cmd("handoff --show"), EFI_NOT_FOUND);
  assert_said("No handoff is published");
  struct stack_config address = {.address = 0x0A010203U, .mask = 0xFFFF0000U, .gateway = 0x0A0100FEU};
  cmd_resident(&address);
  assert_int_equal(cmd_that_stays("handoff --live"), EFI_SUCCESS);
  assert_int_equal(cmd("handoff --show"), EFI_SUCCESS);
  assert_said("armed, will be live");
  assert_said("0000:00:02.0");
  assert_said("8086:10d3");
  assert_said("52:54:00:a1:b2:c3");
  assert_said("10.1.2.3");
  assert_said("255.255.0.0");
  assert_said("10.1.0.254");
  assert_said("1af4:1100");
  assert_said("0x80000000");
  assert_said("  e1000, 648 bytes");
  assert_said("256 descriptors");
  assert_said(": valid");
  table()->crc32++;
  assert_int_equal(cmd("handoff --show"), EFI_COMPROMISED_DATA);
  assert_not_said(": valid");
  table()->crc32--;
  assert_int_equal(cmd("handoff --show"), EFI_SUCCESS);
  cmd_end();
}

static void test_cancel(void **state) {
  (void)state;
  (void)cmd_begin(SIM_82574L);
  assert_int_equal(cmd("handoff --cancel"), EFI_SUCCESS);
  assert_said("No handoff is published");
  assert_int_equal(cmd_that_stays("handoff"), EFI_SUCCESS);
  assert_int_equal(cmd_that_stays("handoff --cancel"), EFI_SUCCESS);
  assert_said("withdrawn");
  assert_null(table());
  assert_non_null(programs_image("e1000.efi"));
  assert_int_equal(cmd("handoff --show"), EFI_NOT_FOUND);
  cmd_end();
}

/* A table whose NIC nobody here drives: of another loader, say. */
static void test_cancel_a_foreign_table(void **state) {
  (void)state;
  static struct net_handoff_image foreign;
  (void)cmd_begin(SIM_82574L);
  net_handoff_init(&foreign);
  net_handoff_add(&foreign, NET_HANDOFF_BLOCK_E1000, NET_HANDOFF_E1000_SIZE_2_0)->state = NET_HANDOFF_ARMED_QUIET;
  net_handoff_seal(&foreign);
  assert_int_equal(BS->InstallConfigurationTable(&table_guid, &foreign), EFI_SUCCESS);
  assert_int_equal(cmd("handoff --cancel"), EFI_ACCESS_DENIED);
  assert_ptr_equal(table(), &foreign);
  assert_int_equal(BS->InstallConfigurationTable(&table_guid, NULL), EFI_SUCCESS);
  cmd_end();
}

/* Of another version: nothing is believed of it, its size least of all, and nothing is added to it. */
static void test_another_version(void **state) {
  (void)state;
  static struct net_handoff foreign = {
      .magic = NET_HANDOFF_MAGIC, .version_major = 1, .size = NET_HANDOFF_MAX_SIZE, .nic_count = 8};
  static struct net_handoff_image newer;
  (void)cmd_begin(SIM_82574L);
  assert_int_equal(BS->InstallConfigurationTable(&table_guid, &foreign), EFI_SUCCESS);
  assert_int_equal(cmd("handoff --show"), EFI_COMPROMISED_DATA);
  assert_said("of an older major version, which this one does not read");
  assert_int_equal(BS->InstallConfigurationTable(&table_guid, NULL), EFI_SUCCESS);
  net_handoff_init(&newer);
  newer.head.version_minor++;
  net_handoff_seal(&newer);
  assert_int_equal(BS->InstallConfigurationTable(&table_guid, &newer), EFI_SUCCESS);
  assert_int_equal(cmd_that_stays("handoff"), EFI_INCOMPATIBLE_VERSION);
  assert_said("was not made by this version");
  assert_int_equal(newer.head.nic_count, 0);
  assert_int_equal(BS->InstallConfigurationTable(&table_guid, NULL), EFI_SUCCESS);
  cmd_end();
}

/* What is started next --------------------------------------------------------------------------------------------- */

static struct {
  unsigned times;
  EFI_STATUS status; /* what it exits with */
  bool leaves;       /* boot services      */
  bool options;
  char line[256];
  UINT32 size;
} next;

static EFI_STATUS next_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system) {
  EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
  EFI_LOADED_IMAGE *loaded = firmware_interface(image, guid);
  (void)system;
  next.times++;
  next.options = loaded->LoadOptions != NULL;
  next.size = loaded->LoadOptionsSize;
  for(size_t i = 0; next.options && i < loaded->LoadOptionsSize / 2U && i + 1U < sizeof(next.line); i++) {
    next.line[i] = (char)((CHAR16 *)loaded->LoadOptions)[i];
    next.line[i + 1U] = '\0';
  }
  assert_non_null(table());
  if(next.leaves) {
    firmware_exit_boot_services();
  }
  return next.status;
}

static const struct program next_program = {.name = "kernel.efi", .entry = next_main};

static struct firmware_nic *begin_with_next(void) {
  struct firmware_nic *nic = cmd_begin(SIM_82574L);
  memset(&next, 0, sizeof(next));
  programs_add(&next_program);
  return nic;
}

static void test_next(void **state) {
  (void)state;
  (void)begin_with_next();
  assert_int_equal(cmd_that_stays("handoff kernel.efi"), EFI_SUCCESS);
  assert_int_equal(next.times, 1);
  assert_false(next.options);
  assert_armed(2, NET_HANDOFF_ARMED_QUIET);
  assert_int_equal(cmd("handoff --live fs0:\\folder\\KERNEL.EFI root=/dev/sda1 \"two words\""), EFI_SUCCESS);
  assert_int_equal(next.times, 2);
  assert_string_equal(next.line, "root=/dev/sda1 \"two words\"");
  assert_int_equal(next.size, 2U * (strlen(next.line) + 1U));
  assert_armed(2, NET_HANDOFF_ARMED_LIVE);
  assert_int_equal(cmd("handoff -- kernel.efi --frames 1"), EFI_SUCCESS);
  assert_string_equal(next.line, "--frames 1");
  next.status = EFI_CRC_ERROR; /* netdiag exits with what it exited with */
  assert_int_equal(cmd("handoff kernel.efi"), EFI_CRC_ERROR);
  programs_without_shell();
  next.status = EFI_SUCCESS;
  assert_int_equal(cmd("handoff \\kernel.efi one"), EFI_SUCCESS);
  assert_string_equal(next.line, "one");
  cmd_end();
}

static void test_next_that_is_none(void **state) {
  (void)state;
  (void)begin_with_next();
  programs_add(&not_an_image);
  assert_int_equal(cmd_that_stays("handoff nowhere.efi"), EFI_NOT_FOUND);
  assert_said("nowhere.efi");
  assert_said("--cancel");
  assert_armed(2, NET_HANDOFF_ARMED_QUIET);
  assert_int_equal(cmd("handoff text.efi"), EFI_UNSUPPORTED);
  firmware_fail_call("LoadImage", 1);
  assert_int_equal(cmd("handoff kernel.efi"), EFI_LOAD_ERROR);
  firmware_fail_call("StartImage", 1);
  assert_int_equal(cmd("handoff kernel.efi"), EFI_SECURITY_VIOLATION);
  assert_int_equal(next.times, 0);
  cmd_end();
}

/* Either way in which a firmware with Secure Boot says no; nothing is left of what it loaded. */
static void test_unsigned(void **state) {
  static const EFI_STATUS refusals[] = {EFI_ACCESS_DENIED, EFI_SECURITY_VIOLATION};
  (void)state;
  for(size_t i = 0; i < 2; i++) {
    struct program refused = {.name = "unsigned.efi", .entry = next_main, .refusal = refusals[i]};
    (void)begin_with_next();
    programs_add(&refused);
    assert_int_equal(cmd_that_stays("handoff"), EFI_SUCCESS);
    assert_int_equal(cmd("handoff unsigned.efi"), refusals[i]);
    assert_said("Secure Boot refuses it: sign it");
    assert_int_equal(next.times, 0);
    cmd_end();

    (void)cmd_begin(SIM_82574L);
    cmd_without_driver();
    refused.name = "e1000.efi";
    programs_add(&refused);
    assert_int_equal(cmd("handoff"), refusals[i]);
    assert_said("e1000.efi is not resident and cannot be loaded");
    assert_said("Secure Boot refuses it: sign it");
    cmd_end();
  }
}

static void test_long_arguments(void **state) {
  (void)state;
  static char line[4000];
  static const char start[] = "handoff kernel.efi ";
  (void)begin_with_next();
  /* netdiag's own limit, 2,048 characters of command line, comes first */
  memset(line, 'x', sizeof(line) - 1U);
  memcpy(line, start, strlen(start));
  assert_int_equal(cmd(line), EFI_INVALID_PARAMETER);
  assert_said("too long");
  assert_int_equal(next.times, 0);
  assert_null(table());
  cmd_end();
}

static void test_next_leaves_boot_services(void **state) {
  (void)state;
  for(int live = 0; live < 2; live++) {
    struct firmware_nic *nic = begin_with_next();
    next.leaves = true;
    (void)cmd_that_stays(live ? "handoff --live kernel.efi" : "handoff kernel.efi");
    assert_int_equal(next.times, 1);
    assert_armed(2, live ? NET_HANDOFF_LIVE : NET_HANDOFF_QUIET);
    assert_int_equal(sim_peek(nic->sim, RCTL) & RX_ENABLED, live ? RX_ENABLED : 0);
    cmd_power_off();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_quiet_and_live),
      cmocka_unit_test(test_mistakes),
      cmocka_unit_test(test_ring),
      cmocka_unit_test(test_lease),
      cmocka_unit_test(test_lease_origin),
      cmocka_unit_test(test_two_nics),
      cmocka_unit_test(test_no_nic),
      cmocka_unit_test(test_held_by_another),
      cmocka_unit_test(test_snatched),
      cmocka_unit_test(test_all_but_one),
      cmocka_unit_test(test_driver_cannot_be_loaded),
      cmocka_unit_test(test_show),
      cmocka_unit_test(test_cancel),
      cmocka_unit_test(test_cancel_a_foreign_table),
      cmocka_unit_test(test_another_version),
      cmocka_unit_test(test_next),
      cmocka_unit_test(test_next_that_is_none),
      cmocka_unit_test(test_unsigned),
      cmocka_unit_test(test_long_arguments),
      cmocka_unit_test(test_next_leaves_boot_services),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
