/* test_histogram.c - times in a table of fixed size: what it says of them against a list of all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "histogram.h"

#define COUNT 5000U

static struct histogram histogram;
static uint32_t values[COUNT];

static int by_value(const void *left, const void *right) {
  const uint32_t a = *(const uint32_t *)left;
  const uint32_t b = *(const uint32_t *)right;
  return a < b ? -1 : a > b;
}

/* Within 1/32 above the value of that rank. */
static void assert_quantile(uint32_t per_mille, size_t count) {
  const size_t rank = (count * per_mille + 999U) / 1000U;
  const uint64_t exact = values[rank > 0 ? rank - 1U : 0];
  const uint64_t found = histogram_quantile(&histogram, per_mille);
  assert_in_range(found, exact, exact + exact / HISTOGRAM_STEPS);
  assert_in_range(found, histogram.least, histogram.most);
}

static void check(size_t count) {
  struct histogram_row rows[HISTOGRAM_ROWS];
  memset(&histogram, 0, sizeof(histogram));
  for(size_t i = 0; i < count; i++) {
    histogram_add(&histogram, values[i]);
  }
  qsort(values, count, sizeof(values[0]), by_value);
  assert_int_equal(histogram.count, count);
  assert_int_equal(histogram.least, values[0]);
  assert_int_equal(histogram.most, values[count - 1U]);
  static const uint32_t quantiles[] = {1, 10, 250, 500, 900, 990, 999, 1000};
  for(size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
    assert_quantile(quantiles[i], count);
  }
  const uint32_t row_count = histogram_rows(&histogram, rows);
  uint64_t all = 0;
  assert_in_range(row_count, 1, HISTOGRAM_ROWS);
  for(uint32_t i = 0; i < row_count; i++) {
    assert_true(rows[i].first <= rows[i].last);
    assert_true(i == 0 || rows[i].first == rows[i - 1U].last + 1U || rows[i].first == UINT32_MAX);
    all += rows[i].count;
  }
  assert_int_equal(all, count);
  assert_true(rows[0].first <= values[0] && rows[row_count - 1U].last >= values[count - 1U]);
}

static void test_shapes(void **state) {
  (void)state;
  uint32_t seed = 1;
  for(uint32_t shape = 0; shape < 8; shape++) {
    for(size_t count = 1; count <= COUNT; count = count * 3U + 1U) {
      for(size_t i = 0; i < count; i++) {
        seed = seed * 1664525U + 1013904223U;
        const uint32_t drawn = seed >> 8;
        const uint32_t of_shape[] = {7,
                                     drawn % 3U,
                                     50U + drawn % 20U,
                                     drawn % 1000000U,
                                     drawn % 100U == 0 ? 4000000U : 60U + drawn % 8U,
                                     UINT32_MAX - drawn % 2U,
                                     seed,
                                     1U << (drawn % 32U)};
        values[i] = of_shape[shape];
      }
      check(count);
    }
  }
}

static void test_nothing(void **state) {
  (void)state;
  struct histogram_row rows[HISTOGRAM_ROWS];
  memset(&histogram, 0, sizeof(histogram));
  assert_int_equal(histogram_quantile(&histogram, 500), 0);
  assert_int_equal(histogram_rows(&histogram, rows), 0);
}

/* What a person reads: round numbers, and what is far out in a row of its own. */
static void test_rows(void **state) {
  (void)state;
  struct histogram_row rows[HISTOGRAM_ROWS];
  memset(&histogram, 0, sizeof(histogram));
  for(uint32_t i = 0; i < 1000; i++) {
    histogram_add(&histogram, i < 995 ? 52U + i % 8U : 3000U);
  }
  assert_int_equal(histogram_rows(&histogram, rows), 9);
  assert_int_equal(rows[0].first, 52);
  assert_int_equal(rows[0].last, 52);
  assert_int_equal(rows[8].first, 60);
  assert_int_equal(rows[8].last, 3000);
  assert_int_equal(rows[8].count, 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_nothing),
      cmocka_unit_test(test_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
