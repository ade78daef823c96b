/* test_e1000_efi.c - the e1000 family as e1000.efi carries it (drivers_e1000_efi.c): what it leaves out is refused, and
 * harms nothing. */
#include "handoff_bench.h"

static void count_row(void *ctx, const struct netdev_row *row) {
  assert_non_null(row->text);
  *(uint32_t *)ctx += 1U;
  if(row->group != NETDEV_ROWS_NVM) {
    assert_string_equal(row->text, "");
    assert_true(!row->bits && !row->section && row->name[0]);
  }
}

static void test_rows_without_words(void **state) {
  (void)state;
  const uint32_t groups = NETDEV_ROWS_REGISTERS | NETDEV_ROWS_PHY | NETDEV_ROWS_NVM | NETDEV_ROWS_COUNTERS;
  struct bench bench;
  uint32_t rows = 0;
  begin(&bench, 0x10D3);
  assert_int_equal(netdev_inspect(bench.firmware, groups, count_row, &rows), NETDEV_OK);
  assert_true(rows > 100);
  assert_null(net_words[0].driver);
  end(&bench);
}

static void test_no_handoff_is_read(void **state) {
  (void)state;
  struct bench bench;
  struct net_handoff_copy copy;
  uint32_t rows = 0;
  begin(&bench, 0x10D3);
  leave(&bench, NET_HANDOFF_LIVE);
  assert_string_equal(judge(&bench.table, &copy), "this image reads no handoff");
  assert_null(net_drivers[1]);
  net_drivers[0]->handoff_show(bench.table.block[0], count_row, &rows);
  assert_int_equal(rows, 0);
  sim_forget_accesses(bench.sim);
  assert_int_equal(net_drivers[0]->adopt(sim_platform(bench.sim), &bench.table.nic[0], bench.table.block[0], own_memory,
                                         &bench.kernel),
                   NETDEV_E_UNSUPPORTED);
  assert_null(bench.kernel);
  assert_int_equal(sim_writes_of(bench.sim, E1000_CTRL) + sim_writes_of(bench.sim, E1000_IMC), 0);
  unit_check(bench.sim, bench.firmware);
  end(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows_without_words),
      cmocka_unit_test(test_no_handoff_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
