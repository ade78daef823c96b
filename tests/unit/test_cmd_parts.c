/* test_cmd_parts.c - every kind of silicon of the e1000 family under netdiag: listed by its name, looked into,
 * tested; what it lacks is not shown, or said to be not possible. */
#include "cmd_machine.h"

static const struct {
  uint16_t device;
  const char *name;
  bool chipset; /* no EERD, no VLAN table, no loopback */
} parts[] = {
    {SIM_82541EI, "82541EI", false}, {SIM_82541PI, "82541PI", false}, {SIM_82546EB, "82546EB", false},
    {SIM_82546GB, "82546GB", false}, {SIM_82547GI, "82547GI", false}, {SIM_82571EB, "82571EB", false},
    {SIM_82572EI, "82572EI", false}, {SIM_82573L, "82573L", false},   {SIM_82583V, "82583V", false},
    {SIM_82579LM, "82579LM", true},  {SIM_82579V, "82579V", true},
};

static void test_commands(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    bool chipset = parts[i].chipset;
    (void)cmd_begin(parts[i].device);
    assert_int_equal(cmd("list"), EFI_SUCCESS);
    assert_said(parts[i].name);

    assert_int_equal(cmd("info --registers --nvm"), EFI_SUCCESS);
    assert_said(parts[i].name);
    assert_said(" TCTL ");
    cmd_assert_said(" EERD ", !chipset, __FILE__, __LINE__);
    assert_not_said(" IVAR ");
    assert_said("0xbaba");

    assert_int_equal(cmd("regs"), EFI_SUCCESS);
    assert_said("STATUS");

    assert_int_equal(cmd("selftest"), EFI_SUCCESS);
    assert_said(", 0 failed, 0 warnings, ");
    assert_said(chipset ? "registers: FCAL holds" : "registers: VFTA holds");
    assert_said(chipset ? "frames cannot be sent in a loop" : "frames of 1514 bytes");
    assert_int_equal(cmd_times_said("BAD"), 0);
    cmd_end();
  }
}

/* A chipset whose management engine keeps the PHY to itself, in the firmware's network stack: a ping comes back. */
static void test_beside_the_engine(void **state) {
  struct sim_config config = {.device_id = SIM_82579LM, .mac = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3}, .me_active = true};
  struct peer peer;
  (void)state;
  peer_begin(&peer, cmd_begin_with(&config));
  assert_int_equal(cmd("ping 10.0.0.2 --addr 10.0.0.1/24 -c 3 -i 10"), EFI_SUCCESS);
  assert_said("3 received");
  cmd_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_commands),
      cmocka_unit_test(test_beside_the_engine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
