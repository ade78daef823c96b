/* fuzz_capture.c - filters in words that nobody meant, and frames from a hostile wire: no byte outside a frame is read,
 * a filter and its opposite never agree, sums add up, the page has its size, and the file can be read back. */
#include "fuzz.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "dissect.h"
#include "frame_filter.h"
#include "page.h"
#include "pcapng.h"
#include "pcapng_read.h"

#define TEXT_SIZE  200U
#define FRAME_MAX  1600U
#define FRAMES_MAX 64U

static struct frame_filter filter;
static struct frame_filter opposite;
static struct traffic traffic;
static struct page page;
static struct page shown;
static struct read_file file;
static uint8_t blocks[4096];

static void check_sums(uint64_t whole_bytes) {
  struct traffic_sum all = {0};
  uint64_t sizes = 0;
  uint64_t talkers = 0;
  for(uint32_t i = 0; i < TRAFFIC_PROTOCOLS; i++) {
    all.frames += traffic.protocols[i].frames;
    all.bytes += traffic.protocols[i].bytes;
  }
  for(uint32_t i = 0; i < TRAFFIC_SIZES; i++) {
    sizes += traffic.sizes[i];
  }
  for(uint32_t i = 0; i < traffic.talker_count; i++) {
    talkers += traffic.talkers[i].bytes;
    assert_true(traffic.talkers[i].bytes_over <= traffic.talkers[i].bytes);
  }
  assert_int_equal(all.frames, traffic.total[0].frames + traffic.total[1].frames);
  assert_int_equal(all.bytes, traffic.total[0].bytes + traffic.total[1].bytes);
  assert_int_equal(sizes, all.frames);
  assert_int_equal(talkers, whole_bytes); /* what space-saving keeps */
}

/* Draws it as the screen would be. */
static void draw(void *ctx, uint32_t column, uint32_t row, const char *cells, uint32_t length) {
  (void)ctx;
  assert_true(row < page.rows && column + length < page.columns && column <= PAGE_START_MAX && length > 0);
  memcpy(&shown.cells[row][column], cells, length);
}

static void check_page(struct fuzz *in, uint64_t now_us) {
  struct netdev_stats stats[2];
  struct page_view view = {.traffic = &traffic, .stats = &stats[0], .start = &stats[1], .seconds = now_us / 1000000U};
  (void)fuzz_bytes(in, stats, sizeof(stats));
  (void)fuzz_bytes(in, view.mac, sizeof(view.mac));
  view.rx = (struct page_ring){true, fuzz_u32(in), fuzz_u32(in)};
  view.link.up = fuzz_u8(in) & 1U;
  view.link.speed_mbps = fuzz_u16(in);
  const uint32_t columns = fuzz_u8(in) + 1U;
  const uint32_t rows = fuzz_u8(in) % 100U + 1U;
  page_render(&page, &view, columns, rows);
  assert_int_equal(page.columns, columns < PAGE_COLUMNS_MAX ? columns : PAGE_COLUMNS_MAX);
  assert_int_equal(page.rows, rows < PAGE_ROWS_MAX ? rows : PAGE_ROWS_MAX);
  for(uint32_t row = 0; row < page.rows; row++) {
    for(uint32_t column = 0; column < page.columns; column++) {
      const char cell = page.cells[row][column];
      assert_true((cell >= ' ' && cell < 0x7F) || (cell >= PAGE_FULL && cell <= PAGE_LINE));
    }
    assert_int_equal(page.cells[row][page.columns], 0);
    assert_int_equal(page.cells[row][page.columns - 1U], ' ');
  }
  shown = (struct page){.columns = page.columns, .rows = page.rows};
  for(uint32_t row = 0; row < page.rows; row++) {
    memset(shown.cells[row], ' ', page.columns);
  }
  (void)page_changes(NULL, &page, draw, NULL);
  for(uint32_t row = 0; row < page.rows; row++) {
    assert_memory_equal(shown.cells[row], page.cells[row], page.columns);
  }
}

static void check_block(const uint8_t *frame, uint32_t length) {
  const struct pcapng_origin origin = {0};
  const struct pcapng_interface interface = {0};
  const struct pcapng_packet packet = {
      .direction = PCAPNG_INBOUND, .data = frame, .captured = length, .length = length, .dropped = length & 1U};
  size_t size = pcapng_begin(blocks, sizeof(blocks), &origin);
  size += pcapng_add_interface(blocks + size, sizeof(blocks) - size, &interface);
  const size_t added = pcapng_add_packet(blocks + size, sizeof(blocks) - size, &packet);
  assert_true(added > 0);
  assert_null(read_capture(blocks, size + added, &file));
  assert_int_equal(file.frames[0].captured, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  char text[TEXT_SIZE + 1U] = {0};
  char error[FILTER_ERROR_SIZE];
  const size_t text_length = fuzz_u8(&in) % TEXT_SIZE;
  (void)fuzz_bytes(&in, text, text_length);
  const char *const words[] = {text};
  const char *const not_words[] = {"not", "(", text, ")"};
  const bool good = frame_filter_compile(&filter, words, 1, error);
  assert_int_equal(good, error[0] == '\0');
  const bool both = good && filter.count > 0 && frame_filter_compile(&opposite, not_words, 4, error);
  uint64_t now_us = 5;
  uint64_t whole_bytes = 0;
  traffic_init(&traffic, now_us);
  for(uint32_t i = 0; i < FRAMES_MAX && in.left > 0; i++) {
    const uint32_t length = fuzz_u16(&in) % FRAME_MAX;
    uint8_t *frame = malloc(length ? length : 1U); /* of its own: AddressSanitizer sees a byte too far */
    struct dissection what;
    assert_non_null(frame);
    (void)fuzz_bytes(&in, frame, length);
    const bool whole = dissect(frame, length, &what);
    now_us += fuzz_u32(&in);
    if(good) {
      const bool wanted = frame_filter_match(&filter, frame, length);
      assert_true(whole || !wanted || filter.count == 0);
      assert_true(!both || !whole || wanted != frame_filter_match(&opposite, frame, length));
    }
    traffic_add(&traffic, (enum traffic_way)(i & 1U), frame, length, now_us);
    whole_bytes += whole ? length : 0;
    check_block(frame, length);
    free(frame);
  }
  check_sums(whole_bytes);
  check_page(&in, now_us);
  return 0;
}
