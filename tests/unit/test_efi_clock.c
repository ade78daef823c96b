/* test_efi_clock.c - the clock of the UEFI home: measured by windows that can only be too long. */
#include "clock.h"
#include "unit_efi.h"

#define PER_MS 2400000ULL /* ticks of a counter of 2.4 GHz */

static void window(struct efi_clock *clock, UINT64 us, UINT64 stretched_us, UINT64 *now) {
  UINT64 ticks = stretched_us * PER_MS / 1000U;
  *now += ticks;
  efi_clock_window(clock, ticks, us, *now);
}

/* Whatever is added to most windows, one that is whole makes the clock right. */
static void test_shortest_window_counts(void **state) {
  (void)state;
  struct efi_clock clock = {0};
  UINT64 now = 77;
  window(&clock, 10000, 45000, &now);
  assert_int_equal(clock.rate, PER_MS * 45 / 10);
  window(&clock, 2000, 2600, &now);
  window(&clock, 2000, 2000, &now);
  window(&clock, 2000, 9000, &now);
  window(&clock, 100000, 100001, &now);
  assert_int_equal(clock.rate, PER_MS);
  UINT64 before = efi_clock_at(&clock, now);
  assert_int_equal(efi_clock_at(&clock, now + 5000 * PER_MS) - before, 5000000);
}

/* A clock that has run slow goes on from where it is: no step forward, and never one back. */
static void test_correction_does_not_jump(void **state) {
  (void)state;
  struct efi_clock clock = {0};
  UINT64 now = 3600000 * PER_MS; /* an hour after the reset */
  window(&clock, 10000, 30000, &now);
  UINT64 slow = efi_clock_at(&clock, now);
  assert_int_equal(efi_clock_at(&clock, now + 3000 * PER_MS) - slow, 1000000);
  now += 3000 * PER_MS;
  UINT64 before = efi_clock_at(&clock, now + 10 * PER_MS);
  window(&clock, 10000, 10000, &now);
  assert_in_range(efi_clock_at(&clock, now) - before, 0, 1);
  assert_in_range(efi_clock_at(&clock, now + 1000 * PER_MS) - before, 1000000, 1000001);
  UINT64 last = efi_clock_at(&clock, now);
  assert_int_equal(efi_clock_at(&clock, now - PER_MS * 50), last); /* the counter of another processor */
}

/* The processor's word is finer than a window, but a window that disagrees is right. */
static void test_what_the_processor_states(void **state) {
  (void)state;
  static const struct {
    UINT64 stated_khz;
    BOOLEAN believed;
  } rows[] = {
      {2399000, TRUE},  {2400000, TRUE},  {2280000, TRUE},  {2423000, TRUE}, /* within the tolerances */
      {2200000, FALSE}, {2450000, FALSE}, {4800000, FALSE}, {0, FALSE},      {1, FALSE},
  };
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct efi_clock clock = {0};
    UINT64 now = 0;
    efi_clock_state(&clock, rows[i].stated_khz * 1000);
    window(&clock, 10000, 10000, &now);
    assert_int_equal(clock.rate, rows[i].believed ? rows[i].stated_khz : PER_MS);
  }
  /* while all windows are stretched it waits, and counts as soon as one comes near */
  struct efi_clock clock = {0};
  UINT64 now = 0;
  efi_clock_state(&clock, PER_MS * 1000);
  window(&clock, 10000, 25000, &now);
  assert_int_equal(clock.rate, PER_MS * 25 / 10);
  window(&clock, 10000, 10500, &now);
  assert_int_equal(clock.rate, PER_MS);
}

static void test_windows_without_a_rate(void **state) {
  (void)state;
  struct efi_clock clock = {0};
  efi_clock_window(&clock, 0, 10000, 0); /* the counter stands still */
  assert_int_equal(clock.rate, 0);
  efi_clock_window(&clock, 1, 1000, 1);
  assert_int_equal(clock.rate, 1);
}

/* A driver's first pause is the first window, though a late one: its clock costs no time of its own. First of the tests
 * that read the processor's clock, for it is measured once. */
static void test_first_delay_is_a_window(void **state) {
  (void)state;
  firmware_begin();
  firmware_late_stalls(1);
  efi_clock_stall(1000);
  UINT64 before = firmware_now_us();
  (void)efi_clock_us();
  assert_int_equal(firmware_now_us() - before, 0);
  firmware_end();
}

/* The processor's own: the longest window and every other one come back late, and five seconds are five seconds all the
 * same. */
static void test_late_stalls(void **state) {
  (void)state;
  firmware_begin();
  firmware_late_stalls(2);
  (void)BS->Stall(1); /* the next one is late */
  efi_clock_calibrate();
  UINT64 start = efi_clock_us();
  firmware_tick(500);
  assert_in_range(efi_clock_us() - start, 5000000 - 1, 5000000 + 1);
  firmware_end();
}

/* Every delay of the driver is a window too: a clock that found no whole one is right after the next open. */
static void test_delays_measure(void **state) {
  (void)state;
  firmware_begin();
  UINT64 start = firmware_now_us();
  for(UINT32 i = 0; i < 100; i++) {
    efi_clock_stall(i * 100);
  }
  assert_true(firmware_now_us() - start >= 495000);
  UINT64 before = efi_clock_us();
  firmware_late_stalls(1);
  efi_clock_stall(10000);
  assert_in_range(efi_clock_us() - before, 40000 - 1, 40000 + 1); /* a late one changes nothing */
  assert_int_equal(firmware_tpl(), TPL_APPLICATION);
  firmware_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_first_delay_is_a_window),  cmocka_unit_test(test_late_stalls),
      cmocka_unit_test(test_delays_measure),           cmocka_unit_test(test_shortest_window_counts),
      cmocka_unit_test(test_correction_does_not_jump), cmocka_unit_test(test_what_the_processor_states),
      cmocka_unit_test(test_windows_without_a_rate),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
