/* test_cmd_info.c - netdiag list, info and stats: they print what the device and its configuration space hold. */
#include "binding.h"
#include "cmd_machine.h"
#include "net/e1000.h"

#define MS        1000U
#define OTHER_MAC 0x77U

static struct stack_config stack;

static struct firmware_nic *begin(uint16_t device_id, bool shared) {
  struct firmware_nic *nic = cmd_begin(device_id);
  stack = (struct stack_config){0};
  if(shared) {
    cmd_resident(&stack);
  }
  return nic;
}

/* A line's start with this as its first word, or NULL. */
static const char *row(const char *name) {
  size_t length = strlen(name);
  for(const char *line = console_text(); line; line = strchr(line, '\n')) {
    line += *line == '\n';
    const char *word = line;
    while(*word == ' ') {
      word++;
    }
    if(strncmp(word, name, length) == 0 && (word[length] == ' ' || word[length] == '\n')) {
      return word + length;
    }
  }
  return NULL;
}

static uint64_t row_value(const char *name) {
  unsigned long long value;
  const char *at = row(name);
  if(!at || sscanf(at, "%llu", &value) != 1) {
    fail_msg("no row %s in:\n%s", name, console_text());
  }
  return value;
}

/* Stats ------------------------------------------------------------------------------------------------------------ */

static bool is_high(const char *name) {
  return strcmp(name, "GORCH") == 0 || strcmp(name, "GOTCH") == 0 || strcmp(name, "TORH") == 0 ||
         strcmp(name, "TOTH") == 0;
}

static bool is_low(const char *name) {
  return strcmp(name, "GORCL") == 0 || strcmp(name, "GOTCL") == 0 || strcmp(name, "TORL") == 0 ||
         strcmp(name, "TOTL") == 0;
}

static uint32_t distinct(const struct e1000_register *reg) {
  return is_high(reg->name) ? 3U : 100000U + reg->offset;
}

static struct sim *sim_to_fill;

/* Every counter of the device gets a value that no other has. */
static void fill_counters(void *ctx) {
  (void)ctx;
  for(size_t i = 0; i < e1000_register_count; i++) {
    if(e1000_is_counter(&e1000_registers[i])) {
      sim_poke(sim_to_fill, e1000_registers[i].offset, distinct(&e1000_registers[i]));
    }
  }
}

static void test_counters(void **state) {
  (void)state;
  static const uint16_t devices[] = {SIM_82540EM, SIM_82574L};
  for(size_t i = 0; i < 4; i++) {
    struct firmware_nic *nic = begin(devices[i / 2], i & 1U);
    uint16_t family = devices[i / 2] == SIM_82574L ? E1000_FAMILY_82574 | E1000_FAMILY_MSIX : E1000_FAMILY_8254X;
    size_t rows = 0;
    sim_to_fill = nic->sim;
    programs_at(firmware_now_us() + 7000U * MS, fill_counters, NULL);
    assert_int_equal(cmd("stats -t 12"), EFI_SUCCESS);
    for(size_t j = 0; j < e1000_register_count; j++) {
      const struct e1000_register *reg = &e1000_registers[j];
      if(!e1000_is_counter(reg) || !(reg->families & family)) {
        continue;
      }
      rows++;
      if(is_high(reg->name)) {
        assert_null(row(reg->name)); /* its value stands in the low half's row */
      } else {
        assert_int_equal(row_value(reg->name), distinct(reg) + (is_low(reg->name) ? 3ULL << 32 : 0));
      }
    }
    assert_true(rows > 40);
    assert_int_equal(row_value("rx_crc_errors"), row_value("CRCERRS"));
    assert_int_equal(row_value("rx_missed"), row_value("MPC"));
    assert_int_equal(row_value("tx_collisions"), row_value("COLC"));
    cmd_end();
  }
}

static void send(struct firmware_nic *nic, uint8_t last, size_t length, UINT64 at_us) {
  uint8_t frame[1514] = {0x52, 0x54, 0x00, 0xA1, 0xB2, last, 0x02, 1, 2, 3, 4, 5, 0x88, 0xB6};
  wire_send(nic, at_us, frame, length);
}

static void test_what_the_driver_counts(void **state) {
  (void)state;
  struct firmware_nic *nic = begin(SIM_82540EM, false);
  for(size_t i = 0; i < 3; i++) {
    send(nic, 0xC3, 100 + i, 5000U * MS);
    send(nic, OTHER_MAC, 200, 5000U * MS);
  }
  assert_int_equal(cmd("stats -t 8"), EFI_SUCCESS);
  assert_int_equal(row_value("rx_frames"), 3);
  assert_int_equal(row_value("rx_bytes"), 303);
  assert_null(row("tx_frames")); /* zeroes are left out */
  for(size_t i = 0; i < 3; i++) {
    send(nic, 0xC3, 100 + i, 5000U * MS);
    send(nic, OTHER_MAC, 200, 5000U * MS);
  }
  assert_int_equal(cmd("stats -t 8 -p --all"), EFI_SUCCESS);
  assert_int_equal(row_value("rx_frames"), 6);
  assert_int_equal(row_value("rx_bytes"), 903);
  assert_int_equal(row_value("tx_frames"), 0);
  assert_int_equal(row_value("tx_hangs"), 0);
  cmd_end();
}

/* Of a shared NIC everything that e1000.efi counted is shown. */
static void test_of_a_shared_nic(void **state) {
  (void)state;
  struct peer peer;
  struct firmware_nic *nic = begin(SIM_82574L, true);
  peer_begin(&peer, nic);
  assert_int_equal(cmd("frames -s 100 -c 4"), EFI_SUCCESS);
  assert_int_equal(cmd("stats -t 1"), EFI_SUCCESS);
  assert_int_equal(row_value("tx_frames"), 4);
  assert_int_equal(row_value("tx_bytes"), 400);
  assert_int_equal(row_value("rx_frames"), 4);
  assert_int_equal(row_value("rx_bytes"), 400);
  assert_int_equal(row_value("GPTC"), 4);
  assert_int_equal(row_value("GPRC"), 4);
  cmd_end();
}

/* Each of the driver's own counters stands in its own row. */
static void test_driver_rows(void **state) {
  (void)state;
  struct firmware_nic *nic = begin(SIM_82574L, true);
  NET_RESIDENT_PROTOCOL *resident = firmware_interface(nic->handle, (EFI_GUID)NET_RESIDENT_PROTOCOL_GUID);
  struct snp_device *device = (struct snp_device *)((UINT8 *)resident - offsetof(struct snp_device, resident));
  struct netdev_stats *stats = &device->nic.netdev->stats;
  stats->rx_frames = 101;
  stats->rx_bytes = 102;
  stats->rx_device_errors = 103;
  stats->rx_length_errors = 1000;
  stats->rx_split_errors = 10000;
  stats->tx_frames = 104;
  stats->tx_bytes = 105;
  stats->tx_errors = 106;
  stats->tx_busy = 107;
  stats->tx_hangs = 108;
  stats->link_changes = 109;
  stats->tx_doorbells = 110;
  stats->rx_doorbells = 111;
  assert_int_equal(cmd("stats -t 1"), EFI_SUCCESS);
  assert_int_equal(row_value("rx_frames"), 101);
  assert_int_equal(row_value("rx_bytes"), 102);
  assert_int_equal(row_value("rx_errors"), 11103);
  assert_int_equal(row_value("tx_frames"), 104);
  assert_int_equal(row_value("tx_bytes"), 105);
  assert_int_equal(row_value("tx_errors"), 106);
  assert_int_equal(row_value("tx_busy"), 107);
  assert_int_equal(row_value("tx_hangs"), 108);
  assert_int_equal(row_value("link_changes"), 109);
  assert_int_equal(row_value("tx_doorbells"), 110);
  assert_int_equal(row_value("rx_doorbells"), 111);
  cmd_end();
}

static void test_how_long(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    (void)begin(SIM_82574L, shared);
    UINT64 start_us = firmware_now_us();
    assert_int_equal(cmd("stats"), EFI_SUCCESS);
    assert_in_range(firmware_now_us() - start_us, 5000U * MS, 9000U * MS);
    start_us = firmware_now_us();
    assert_int_equal(cmd("stats -t 20"), EFI_SUCCESS);
    assert_in_range(firmware_now_us() - start_us, 20000U * MS, 24000U * MS);
    start_us = firmware_now_us();
    console_press(firmware_now_us() + 6000U * MS, KEY_ESCAPE, 0);
    (void)cmd("stats -t 20"); /* shows what was counted until then */
    assert_in_range(firmware_now_us() - start_us, 6000U * MS, 7000U * MS);
    assert_said("Driver");
    cmd_end();
  }
}

/* Info ------------------------------------------------------------------------------------------------------------- */

static void test_configuration_space(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    struct firmware_nic *nic = begin(SIM_82574L, shared);
    nic->config[0x08] = 0x5C; /* revision */
    nic->config[0x2C] = 0x34; /* subsystem: 1234:abcd */
    nic->config[0x2D] = 0x12;
    nic->config[0x2E] = 0xCD;
    nic->config[0x2F] = 0xAB;
    nic->config[0x3C] = 9;
    nic->config[0x3D] = 3;
    assert_int_equal(cmd("info"), EFI_SUCCESS);
    assert_said("0000:00:02.0");
    assert_said("8086:10d3 rev 5c, subsystem 1234:abcd");
    assert_said("INTC#, line 9");
    assert_said("0x80000000");
    assert_said("82574L");
    assert_said("52:54:00:a1:b2:c3");
    assert_said("1000 Mb/s full duplex");
    nic->config[0x3D] = 0;
    assert_int_equal(cmd("info"), EFI_SUCCESS);
    assert_said("no INTx pin");
    cmd_end();
  }
}

static void test_checksum(void **state) {
  (void)state;
  struct sim_config config = {.device_id = SIM_82540EM, .mac = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3}};
  (void)cmd_begin_with(&config);
  assert_int_equal(cmd("info"), EFI_SUCCESS);
  assert_said("checksum 0xbaba: good");
  assert_not_said("BAD");
  cmd_end();
  config.bad_checksum = true;
  (void)cmd_begin_with(&config);
  assert_int_equal(cmd("info"), EFI_SUCCESS);
  assert_said("BAD");
  assert_not_said("checksum 0xbaba");
  cmd_end();
  config.bad_checksum = false;
  struct firmware_nic *nic = cmd_begin_with(&config);
  sim_set_nvm(nic->sim, 20, (uint16_t)(sim_nvm(nic->sim, 20) + 5U)); /* the sum is 5 too much */
  assert_int_equal(cmd("info"), EFI_SUCCESS);
  assert_said("0xbabf");
  cmd_end();
}

static void test_nvm(void **state) {
  (void)state;
  static const uint16_t devices[] = {SIM_82544GC, SIM_82574L};
  for(size_t i = 0; i < 4; i++) {
    struct firmware_nic *nic = begin(devices[i / 2], i & 1U);
    for(uint32_t word = 0x10; word < 0x3F; word++) {
      sim_set_nvm(nic->sim, word, (uint16_t)(0xA100U + word));
    }
    assert_int_equal(cmd("info"), EFI_SUCCESS);
    assert_null(row("10:"));
    assert_int_equal(cmd("info --nvm"), EFI_SUCCESS);
    for(uint32_t line = 0; line < SIM_NVM_WORDS; line += 8) {
      char name[8];
      unsigned value[8];
      (void)snprintf(name, sizeof(name), "%02x:", line);
      assert_non_null(row(name));
      assert_int_equal(sscanf(row(name), "%4x %4x %4x %4x %4x %4x %4x %4x", &value[0], &value[1], &value[2], &value[3],
                              &value[4], &value[5], &value[6], &value[7]),
                       8);
      for(uint32_t word = 0; word < 8; word++) {
        assert_int_equal(value[word], sim_nvm(nic->sim, line + word));
      }
    }
    cmd_end();
  }
}

static bool reading_changes(const struct e1000_register *reg) {
  return reg->access == E1000_RC || reg->access == E1000_RS || reg->access == E1000_WO;
}

/* With --registers no register is read that changes by it, more often than without. */
static void test_registers_that_clear(void **state) {
  (void)state;
  static const uint16_t devices[] = {SIM_82540EM, SIM_82574L};
  for(size_t i = 0; i < 4; i++) {
    static uint32_t reads[256];
    struct firmware_nic *nic = begin(devices[i / 2], i & 1U);
    for(int dumped = 0; dumped < 2; dumped++) {
      sim_forget_accesses(nic->sim);
      assert_int_equal(cmd(dumped ? "info --registers" : "info"), EFI_SUCCESS);
      for(size_t j = 0; j < e1000_register_count; j++) {
        const struct e1000_register *reg = &e1000_registers[j];
        uint32_t count = sim_reads_of(nic->sim, reg->offset);
        if(dumped && reading_changes(reg)) {
          assert_int_equal(count, reads[j]);
        }
        reads[j] = count;
      }
    }
    assert_said("left out"); /* and that is said */
    cmd_end();
  }
}

/* On a NIC that stays as it is, what was printed can be looked up afterwards. */
static void test_registers(void **state) {
  (void)state;
  static const uint16_t devices[] = {SIM_82540EM, SIM_82574L};
  for(size_t i = 0; i < 2; i++) {
    struct firmware_nic *nic = begin(devices[i], true);
    uint16_t family = devices[i] == SIM_82574L ? E1000_FAMILY_82574 | E1000_FAMILY_MSIX : E1000_FAMILY_8254X;
    size_t rows = 0;
    assert_int_equal(cmd("info --registers"), EFI_SUCCESS);
    for(size_t j = 0; j < e1000_register_count; j++) {
      const struct e1000_register *reg = &e1000_registers[j];
      char name[40];
      unsigned value;
      (void)snprintf(name, sizeof(name), "%05x %s", reg->offset, reg->name);
      const char *at = row(name);
      if(reg->count != 1 || reading_changes(reg) || !(reg->families & family)) {
        assert_true(!at || reg->count != 1);
        continue;
      }
      assert_non_null(at);
      assert_int_equal(sscanf(at, "%x", &value), 1);
      if(strcmp(reg->name, "STATUS") == 0) {
        assert_int_equal(value & 0x83U, 0x83U); /* made up as it is read: link up, full duplex, 1000 Mb/s */
      } else if(strcmp(reg->name, "MDIC") != 0 && strcmp(reg->name, "EERD") != 0 && strcmp(reg->name, "EECD") != 0) {
        assert_int_equal(value, sim_peek(nic->sim, reg->offset)); /* those three are how info reads PHY and NVM */
      }
      rows++;
    }
    assert_true(rows > 20);
    /* the PHY's, by number */
    for(uint32_t reg = 0; reg < 11; reg++) {
      char line[32];
      (void)snprintf(line, sizeof(line), "\n  %02x: %04x  ", reg, sim_phy(nic->sim, reg));
      assert_said(line);
    }
    cmd_end();
  }
}

static void test_phy(void **state) {
  (void)state;
  struct firmware_nic *nic = begin(SIM_82540EM, false);
  char text[32];
  assert_int_equal(cmd("info"), EFI_SUCCESS);
  (void)snprintf(text, sizeof(text), "id %04x:%04x", sim_phy(nic->sim, 2), sim_phy(nic->sim, 3));
  assert_said(text);
  sim_knobs(nic->sim)->mdic_never_ready = true;
  assert_int_equal(cmd("info"), EFI_SUCCESS);
  assert_not_said(text);
  assert_not_said("autonegotiation");
  cmd_end();
}

/* List ------------------------------------------------------------------------------------------------------------- */

static void test_list(void **state) {
  (void)state;
  struct foreign_driver foreign = {.name = "Somebody's driver"};
  struct firmware_nic *first = begin(SIM_82574L, false);
  struct firmware_nic *second = cmd_add_nic(SIM_82540EM, 0xC4);
  second->config[0x02] = 0x01; /* a device that nobody here knows */
  second->config[0x03] = 0x00;
  EFI_HANDLE driver = foreign_add(&foreign);
  assert_int_equal(firmware_connect(first->handle), EFI_SUCCESS);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_said("Somebody's driver");
  assert_said("not supported");
  assert_said("00:02.0");
  assert_said("00:03.0");
  foreign_remove(driver);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_not_said("Somebody");
  sim_knobs(first->sim)->link_down = true;
  stack = (struct stack_config){0};
  cmd_resident(&stack);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_said("down");
  assert_said("52:54:00:a1:b2:c3");
  assert_said("Intel 8254x/82574L");
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_counters),
      cmocka_unit_test(test_what_the_driver_counts),
      cmocka_unit_test(test_of_a_shared_nic),
      cmocka_unit_test(test_driver_rows),
      cmocka_unit_test(test_how_long),
      cmocka_unit_test(test_configuration_space),
      cmocka_unit_test(test_checksum),
      cmocka_unit_test(test_nvm),
      cmocka_unit_test(test_registers_that_clear),
      cmocka_unit_test(test_registers),
      cmocka_unit_test(test_phy),
      cmocka_unit_test(test_list),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
