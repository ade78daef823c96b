/* test_cmd_strangers.c - NICs of Intel's that no driver here takes: netdiag names them and says why. */
#define _POSIX_C_SOURCE 200809L /* popen */

#include "cmd_json.h"
#include "doctor/checks.h"

static struct firmware_nic *known;

static void make(struct firmware_nic *nic, uint16_t vendor_id, uint16_t device_id) {
  memcpy(nic->config, &vendor_id, sizeof(vendor_id));
  memcpy(nic->config + 2, &device_id, sizeof(device_id));
}

static void test_named(void **state) {
  (void)state;
  known = cmd_begin(SIM_82574L);
  struct firmware_nic *other = cmd_add_nic(SIM_82540EM, 0xC4);
  make(other, 0x8086, 0x10EA);
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_said("  8086:10ea  82577LM  ");
  assert_said("      not supported: the LAN of a chipset, of which only the 82579 is driven");
  assert_int_equal(cmd_times_said("not supported"), 1);
  assert_int_equal(cmd("info -n 1"), EFI_UNSUPPORTED);
  assert_said("Name          82577LM (eth1)\n");
  assert_said("no driver here takes the 82577LM (8086:10ea): the LAN of a chipset");
  assert_int_equal(cmd("list --json"), EFI_SUCCESS);
  assert_json("d['nics'][0]['not_supported'] is None and d['nics'][0]['model'] == '82574L'");
  assert_json("d['nics'][1]['not_supported'].startswith('82577LM: the LAN of') and d['nics'][1]['model'] is None");
  assert_int_equal(cmd("info -n 1 --json"), EFI_UNSUPPORTED);
  assert_json("d['not_supported'].startswith('82577LM: ') and '82577LM' in d['error']['message']");
  (void)cmd("doctor -n 1");
  assert_said("no driver here takes the 82577LM (8086:10ea)");

  make(other, 0x1AF4, 0x10EA); /* the same number of another maker's */
  assert_int_equal(cmd("list"), EFI_SUCCESS);
  assert_said("  1af4:10ea  not supported  ");
  assert_int_equal(cmd("info -n 1"), EFI_UNSUPPORTED);
  assert_said("no driver here knows 1af4:10ea");
  assert_int_equal(cmd("list --json"), EFI_SUCCESS);
  assert_json("d['nics'][1]['not_supported'] is None and d['nics'][1]['model'] is None");
  cmd_end();
}

/* Whatever there is fits the list's column, and the two lines below. */
static void test_every_one(void **state) {
  struct doctor_stranger stranger;
  size_t found = 0;
  (void)state;
  for(uint32_t id = 0; id <= UINT16_MAX; id++) {
    if(doctor_find_stranger(0x8086, (uint16_t)id, &stranger)) {
      assert_in_range(strlen(stranger.name), 4, 9);
      assert_in_range(strlen(stranger.reason), 20, 75);
      found++;
    }
    assert_false(doctor_find_stranger(0x8087, (uint16_t)id, &stranger));
  }
  assert_true(found > 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_named),
      cmocka_unit_test(test_every_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
