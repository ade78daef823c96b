/* test_cmd_inside.c - netdiag regs, rings, selftest and identify: what is inside the NIC, and stays as it is. */
#define _POSIX_C_SOURCE 200809L /* popen */

#include "cmd_json.h"

#include "net/e1000.h"

#define MS 1000U

#define R_LEDCTL 0x00E00U
#define R_ICR    0x000C0U
#define R_MTA    0x05200U
#define R_STATUS 0x00008U

static struct peer peer;
static struct stack_config stack;
static struct firmware_nic *nic;

static void begin(uint16_t device_id, bool shared) {
  nic = cmd_begin(device_id);
  peer_begin(&peer, nic);
  stack = (struct stack_config){.address = 0x0A000001U, .mask = 0xFFFFFF00U};
  if(shared) {
    cmd_resident(&stack);
  }
}

/* Registers -------------------------------------------------------------------------------------------------------- */

static void test_regs(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(SIM_82574L, shared);
    uint32_t reads = sim_reads_of(nic->sim, R_ICR);
    assert_int_equal(cmd("regs"), EFI_SUCCESS);
    assert_said("  00008 STATUS       ");
    assert_said("Device Status (13.4.2)\n");
    assert_said("  000c0 ICR          --------  Interrupt Cause Read (13.4.17)\n");
    assert_said("not read: that would clear it\n");
    assert_said("SWSM         --------"); /* takes a semaphore */
    assert_said("CRCERRS");
    assert_true(!shared || sim_reads_of(nic->sim, R_ICR) == reads); /* a free one is reset first */
    cmd_end();
  }
}

static void test_regs_by_name(void **state) {
  (void)state;
  begin(SIM_82540EM, true);
  assert_int_equal(cmd("regs status"), EFI_SUCCESS);
  assert_int_equal(cmd_times_said("(13.4"), 1);
  assert_said("FD LU");
  assert_int_equal(cmd("regs CTRL RCTL"), EFI_SUCCESS); /* CTRL_EXT as well */
  assert_int_equal(cmd_times_said("(13.4"), 3);
  assert_int_equal(cmd("regs MTA"), EFI_SUCCESS);
  assert_said("MTA: 128 of 128 are 0");
  sim_poke(nic->sim, R_MTA + 4U * 77U, 0x80000001U);
  assert_int_equal(cmd("regs MTA"), EFI_SUCCESS);
  assert_said("MTA[77]      80000001");
  assert_said("MTA: 127 of 128 are 0");
  assert_int_equal(cmd("regs STATUS XYZZY"), EFI_NOT_FOUND);
  assert_said("no register of this NIC begins with 'XYZZY'");
  assert_not_said("Device Status");
  assert_int_equal(cmd("regs -t 3"), EFI_INVALID_PARAMETER);
  cmd_end();
}

/* Only when asked, and the row says so; counters never, for they would be lost. */
static void test_regs_that_clear(void **state) {
  (void)state;
  begin(SIM_82574L, true);
  uint32_t before = sim_reads_of(nic->sim, R_ICR);
  assert_int_equal(cmd("regs ICR"), EFI_SUCCESS);
  assert_int_equal(sim_reads_of(nic->sim, R_ICR), before);
  assert_int_equal(cmd("regs --clearing ICR CRC"), EFI_SUCCESS);
  assert_int_equal(sim_reads_of(nic->sim, R_ICR), before + 1U);
  assert_said("cleared by this reading");
  assert_said("not read: that would clear it");
  assert_int_equal(cmd("regs ICR --clearing --json"), EFI_SUCCESS);
  assert_json("[(r['name'], r['clears'], r.get('unread')) for r in d['registers']] == [('ICR', True, None)]");
  assert_int_equal(cmd("regs STATUS ICR --json"), EFI_SUCCESS);
  assert_json("d['registers'][0]['section'] == '13.4.2' and 'LU' in d['registers'][0]['bits']");
  assert_json("d['registers'][1]['unread'] and d['registers'][1]['value'] is None and d['nic'] == 'eth0'");
  cmd_end();
}

static void cable_out(void *ctx) {
  (void)ctx;
  sim_knobs(nic->sim)->link_down = true;
}

static void test_regs_watched(void **state) {
  (void)state;
  begin(SIM_82574L, true);
  programs_at(firmware_now_us() + 1500U * MS, cable_out, NULL);
  assert_int_equal(cmd("regs --watch STATUS CTRL -t 4"), EFI_SUCCESS);
  assert_int_equal(cmd_times_said("00008 STATUS"), 4);
  assert_int_equal(cmd_times_said("* 00008 STATUS"), 1); /* and marked once */
  assert_int_equal(console_attribute("* 00008 STATUS"), EFI_YELLOW);
  assert_int_equal(cmd_times_said("* 00000 CTRL"), 0);
  assert_int_equal(cmd("regs --watch STATUS -t 2 --json"), EFI_SUCCESS);
  assert_json("len(d['samples']) == 2 and d['samples'][1]['registers'][0]['name'] == 'STATUS'");
  console_press(firmware_now_us() + 2500U * MS, KEY_ESCAPE, 0);
  assert_int_equal(cmd("regs --watch"), EFI_SUCCESS);
  assert_said("more lines than fit on this screen"); /* 25 rows */
  cmd_end();
}

/* Rings ------------------------------------------------------------------------------------------------------------ */

static void test_rings(void **state) {
  (void)state;
  begin(SIM_82574L, false);
  assert_int_equal(cmd("rings"), EFI_SUCCESS);
  assert_said("rx: 256 descriptors: 1 free, 255 the device's, 0 done and not taken\n");
  assert_said("     0 ################################  head 0, device 0\n");
  assert_said("   224 ###############################.  tail 255\n");
  assert_said("tx: 256 descriptors: 256 free, 0 the device's, 0 done and not taken\n");
  assert_said("    published     255          how far the device was told, free-running\n");
  assert_int_equal(cmd("rings --ring 4096"), EFI_SUCCESS);
  assert_said("a character is 16 descriptors; + some of each");
  assert_said("  3584 ###############################+  tail 4095\n");
  assert_int_equal(cmd("rings --json"), EFI_SUCCESS);
  assert_json("[(q['name'], q['free'], q['filled'], q['done']) for q in d['queues']] == [('rx', 1, 255, 0), ('tx', "
              "256, 0, 0)]");
  assert_json("[r['index'] for r in d['rows'] if r['name'] == 'tx.busy'] == [0, 1, 2, 3]");
  assert_int_equal(cmd("rings --json --watch"), EFI_INVALID_PARAMETER);
  console_press(firmware_now_us() + 2500U * MS, KEY_ESCAPE, 0);
  assert_int_equal(cmd("rings --watch"), EFI_SUCCESS);
  assert_int_equal(cmd_times_said("rx: 256 descriptors"), 3);
  cmd_end();
  begin(SIM_82540EM, true); /* as the resident driver's protocol tells it */
  assert_int_equal(cmd("rings"), EFI_SUCCESS);
  assert_said("the device's");
  assert_said("  tail ");
  cmd_end();
}

/* Self-test -------------------------------------------------------------------------------------------------------- */

static void test_selftest(void **state) {
  static const uint16_t devices[] = {SIM_EVERY_CARD};
  (void)state;
  for(size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
    begin(devices[i], false);
    assert_int_equal(cmd("selftest"), EFI_SUCCESS);
    assert_said("ok    link ");
    assert_said("registers: VFTA holds what is written");
    assert_said("(13.5.4)");
    assert_said("NVM: words");
    assert_said("interrupts: a cause shows");
    assert_said("frames of 60 bytes");
    assert_said("frames of 1514 bytes");
    assert_said("DMA: memory below 4 GiB");
    assert_said("DMA: memory above 4 GiB");
    assert_said(", 0 failed, 0 warnings, ");
    assert_int_equal(console_attribute("ok    link"), EFI_LIGHTGREEN);
    assert_int_equal(cmd_times_said("BAD"), 0);
    cmd_end();
  }
}

static void test_selftest_fails(void **state) {
  (void)state;
  begin(SIM_82574L, false);
  sim_set_nvm(nic->sim, 5, 0x1234);
  assert_int_equal(cmd("selftest --loops 3"), EFI_DEVICE_ERROR);
  assert_int_equal(cmd_times_said("BAD   NVM: words"), 3); /* failures of each loop, the rest of the first */
  assert_int_equal(cmd_times_said("frames of 60 bytes"), 1);
  assert_said("Loop 2 of 3: 2 failed so far.");
  assert_said(", 3 failed");
  assert_int_equal(console_attribute("BAD "), EFI_LIGHTRED);
  assert_int_equal(cmd("selftest --json"), EFI_DEVICE_ERROR);
  assert_json("[c['name'][:3] for c in d['checks'] if c['verdict'] == 'bad'] == ['NVM'] and d['failed'] == 1");
  assert_json("[c['section'] for c in d['checks'] if c['name'].startswith('NVM')] == ['5.6.35'] and d['loops'] == 1");
  sim_knobs(nic->sim)->link_down = true;
  assert_int_equal(cmd("selftest --link-wait 1 --json"), EFI_DEVICE_ERROR);
  assert_json(
      "[c['remedy'] is not None for c in d['checks'] if c['verdict'] == 'warn'] == [True] and d['warnings'] == 1");
  cmd_end();
}

static void test_selftest_whose(void **state) {
  (void)state;
  begin(SIM_82574L, true);
  assert_int_equal(cmd("selftest"), EFI_ACCESS_DENIED);
  assert_said("add --take");
  assert_int_equal(cmd("selftest --take"), EFI_SUCCESS);
  assert_int_equal(cmd("ping 10.0.0.2 -c 1"), EFI_SUCCESS); /* the stack has it back */
  sim_knobs(nic->sim)->link_down = true;
  console_press(firmware_now_us() + 2000U * MS, KEY_ESCAPE, 0);
  assert_int_equal(cmd("selftest --take"), EFI_ABORTED);
  cmd_end();
}

/* Identify --------------------------------------------------------------------------------------------------------- */

static uint32_t seen_blinking;

static void look_at_leds(void *ctx) {
  (void)ctx;
  seen_blinking = sim_peek(nic->sim, R_LEDCTL);
}

static void test_identify(void **state) {
  (void)state;
  begin(SIM_82574L, false);
  sim_knobs(nic->sim)->link_down = true; /* needs none */
  UINT64 start_us = firmware_now_us();
  programs_at(start_us + 2000U * MS, look_at_leds, NULL);
  assert_int_equal(cmd("identify -t 3"), EFI_SUCCESS);
  assert_int_equal(seen_blinking & 0x8F8F8F8FU, 0x8E8E8E8EU);
  assert_int_equal(sim_peek(nic->sim, R_LEDCTL) & 0x80808080U & seen_blinking,
                   sim_peek(nic->sim, R_LEDCTL) & 0x80808080U);
  assert_said("blink for 3 s; Esc stops");
  assert_said("They are as they were.");
  uint32_t before = sim_peek(nic->sim, R_LEDCTL);
  console_press(firmware_now_us() + 1000U * MS, KEY_ESCAPE, 0);
  start_us = firmware_now_us();
  assert_int_equal(cmd("identify"), EFI_SUCCESS);
  assert_true(firmware_now_us() - start_us < 5000U * MS);
  assert_int_equal(sim_peek(nic->sim, R_LEDCTL), before);
  assert_said("They are as they were.");
  cmd_end();
  begin(SIM_82544GC, false);
  assert_int_equal(cmd("identify -t 1"), EFI_UNSUPPORTED);
  assert_said("the 82544GC has no lights that a driver can switch");
  cmd_end();
  begin(SIM_82574L, true);
  assert_int_equal(cmd("identify -t 1"), EFI_ACCESS_DENIED);
  assert_said("add --take");
  assert_int_equal(cmd("identify -t 1 --take"), EFI_SUCCESS);
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_regs),
      cmocka_unit_test(test_regs_by_name),
      cmocka_unit_test(test_regs_that_clear),
      cmocka_unit_test(test_regs_watched),
      cmocka_unit_test(test_rings),
      cmocka_unit_test(test_selftest),
      cmocka_unit_test(test_selftest_fails),
      cmocka_unit_test(test_selftest_whose),
      cmocka_unit_test(test_identify),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
