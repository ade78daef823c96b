/* test_page.c - the page of netdiag monitor: what it says, what of it is drawn again, and how little that is. The
 * golden screens are tests/tools/test_pcapng.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "page_sample.h"

static struct page page;
static struct page before;

static const char *row(uint32_t number) {
  return page.cells[number];
}

static void assert_row(uint32_t number, const char *text) {
  if(!strstr(row(number), text)) {
    fail_msg("row %u is '%s' and not '%s'", number, row(number), text);
  }
}

/* Every size there is: rows of exactly so many cells, the last one empty. */
static void test_sizes(void **state) {
  (void)state;
  const struct page_view view = sample_view();
  for(uint32_t columns = 1; columns <= PAGE_COLUMNS_MAX; columns++) {
    for(uint32_t rows = 1; rows <= PAGE_ROWS_MAX; rows++) {
      page_render(&page, &view, columns, rows);
      assert_int_equal(page.rows, rows);
      for(uint32_t i = 0; i < rows; i++) {
        size_t length = strlen(row(i));
        assert_int_equal(length, columns);
        assert_int_equal(row(i)[columns - 1U], ' ');
      }
      if(columns >= PAGE_COLUMNS_MIN && rows >= PAGE_ROWS_MIN) {
        assert_row(0, "netdiag monitor   eth0  82574L  52:54:00:12:34:56  at 0000:00:02.0");
        assert_row(rows - 1U, "Q or Esc: end");
      } else if(columns >= 60) {
        assert_row(0, "is too small: netdiag monitor needs 80 x 25");
      }
    }
  }
  page_render(&page, &view, 1000, 1000);
  assert_int_equal(page.columns, PAGE_COLUMNS_MAX);
  assert_int_equal(page.rows, PAGE_ROWS_MAX);
}

static void test_link(void **state) {
  (void)state;
  struct page_view view = sample_view();
  view.link = (struct netdev_link){.up = true, .speed_mbps = 100};
  page_render(&page, &view, 80, 25);
  assert_row(1, "Link up, 100 Mb/s half duplex");
  view.link.speed_mbps = 0;
  page_render(&page, &view, 80, 25);
  assert_row(1, "Link up, speed unknown");
  view.link.up = false;
  view.seconds = 100U * 3600U + 59U;
  view.rx.known = false;
  (void)snprintf(view.notice, sizeof(view.notice), "There is no other.");
  page_render(&page, &view, 80, 25);
  assert_row(1, "Link down");
  assert_row(0, "00:00:59");
  assert_row(23, "receive ring not known");
  assert_row(24, "There is no other.");
}

/* Numbers keep to their places, whatever they are. */
static void test_large_numbers(void **state) {
  (void)state;
  static struct traffic large;
  static struct netdev_stats stats;
  struct page_view view = sample_view();
  static const uint64_t values[] = {0, 999, 1000, 99999, 100000, 12345678901ULL, UINT64_MAX / 10U, UINT64_MAX};
  for(size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    traffic_init(&large, 0);
    large.second = 5;
    large.total[0] = large.history[0][4] = (struct traffic_sum){values[i], values[i]};
    large.sizes[0] = values[i];
    large.protocols[0] = (struct traffic_sum){values[i], values[i]};
    memset(&stats, 0xFF, sizeof(stats));
    view.traffic = &large;
    view.stats = &stats;
    page_render(&page, &view, 80, 25);
    assert_int_equal(strlen(row(3)), 80);
    assert_row(22, "errors in: damaged 0, no buffer 0, CRC 0"); /* not counted is no number */
  }
  static const struct {
    uint64_t bytes;
    const char *text;
  } scaled[] = {{0, "0 B"},         {999, "999 B"},     {1000, "1.0 kB"},   {1999, "1.9 kB"},
                {99999, "99.9 kB"}, {100000, "100 kB"}, {999999, "999 kB"}, {UINT64_MAX, "18.4 EB"}};
  for(size_t i = 0; i < sizeof(scaled) / sizeof(scaled[0]); i++) {
    large.total[0].bytes = scaled[i].bytes;
    page_render(&page, &view, 80, 25);
    assert_row(3, scaled[i].text);
  }
}

/* Drawing
 * ----------------------------------------------------------------------------------------------------------- */

static struct page screen;
static uint32_t pieces;

static void draw(void *ctx, uint32_t column, uint32_t at, const char *cells, uint32_t length) {
  (void)ctx;
  assert_true(column <= PAGE_START_MAX && column + length < screen.columns);
  memcpy(&screen.cells[at][column], cells, length);
  pieces++;
}

static void assert_drawn(void) {
  for(uint32_t i = 0; i < page.rows; i++) {
    assert_memory_equal(screen.cells[i], page.cells[i], page.columns);
  }
}

/* What one second more costs, over a serial line at 115200 baud a tenth of it: the graphs move, little else does. */
static void test_changes(void **state) {
  (void)state;
  static const uint32_t sizes[][2] = {{80, 25}, {100, 31}, {128, 40}, {200, 80}};
  struct page_view view = sample_view();
  for(size_t i = 0; i < 4; i++) {
    view = sample_view();
    page_render(&page, &view, sizes[i][0], sizes[i][1]);
    memset(&screen, ' ', sizeof(screen));
    screen.columns = page.columns;
    uint32_t first = page_changes(NULL, &page, draw, NULL);
    assert_drawn();
    pieces = 0;
    assert_int_equal(page_changes(&page, &page, draw, NULL), 0);
    assert_int_equal(pieces, 0);
    before = page;
    view.seconds++;
    page_render(&page, &view, sizes[i][0], sizes[i][1]);
    /* the last digit of the time, and what is before it as far as columns can be written */
    const uint32_t digit = page.columns - 2U;
    assert_int_equal(page_changes(&before, &page, draw, NULL),
                     digit > PAGE_START_MAX ? digit - PAGE_START_MAX + 1U : 1U);
    assert_int_equal(pieces, 1);
    before = page;
    traffic_tick(&sample_traffic, SAMPLE_START + (SAMPLE_SECONDS + 1U) * 1000000ULL);
    page_render(&page, &view, sizes[i][0], sizes[i][1]);
    uint32_t moved = page_changes(&before, &page, draw, NULL);
    assert_drawn();
    assert_true(moved > 0 && moved < first);
    if(i == 0) {
      assert_in_range(moved, 100, 700); /* 60 ms */
    }
  }
}

static void test_glyphs(void **state) {
  (void)state;
  assert_int_equal(page_glyph('x', true), 'x');
  assert_int_equal(page_glyph(PAGE_FULL, false), '#');
  assert_int_equal(page_glyph(PAGE_HALF, false), ':');
  assert_int_equal(page_glyph(PAGE_LINE, false), '-');
  assert_int_equal(page_glyph(PAGE_FULL, true), 0x2588);
  assert_int_equal(page_glyph(PAGE_LINE, true), 0x2500);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sizes),   cmocka_unit_test(test_link),   cmocka_unit_test(test_large_numbers),
      cmocka_unit_test(test_changes), cmocka_unit_test(test_glyphs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
