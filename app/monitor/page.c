/* page.c - the page of netdiag monitor. */
#include "page.h"

#include <stdarg.h>
#include <string.h>

#include "../../driver/lib/format.h"
#include "../../driver/lib/texts.h"

#define HEAD_ROWS  5U /* title, link, headings, in, out                */
#define FOOT_ROWS  3U /* errors, rings, keys                           */
#define TITLE_ROWS 3U /* lines with a title: two graphs and the tables */
#define TABLE_ROWS 8U /* of the tables at 25 rows, with their headings  */

/* Where the columns of the head end */
#define RATE_FRAMES_END 18U
#define RATE_BITS_END   33U
#define FRAMES_END      49U
#define BYTES_END       63U
#define MEAN_END        78U

#define SCALE_WIDTH  11U
#define SIZES_AT     0U
#define PROTOCOLS_AT 21U
#define TALKERS_AT   44U
#define ADDRESS_FROM 98U /* columns from which the talkers' addresses have room */
#define BAR_CELLS    12U
#define SEND_AT      41U
#define CELL_SIZE    128U

static const char digits[] = "0123456789abcdef";

/* Text ------------------------------------------------------------------------------------------------------------ */

static void put_at(struct page *page, uint32_t column, uint32_t row, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* What goes beyond the last column but one is cut. */
static void put_at(struct page *page, uint32_t column, uint32_t row, const char *format, ...) {
  char text[PAGE_COLUMNS_MAX];
  va_list arguments;
  va_start(arguments, format);
  (void)format_text(text, sizeof(text), format, arguments);
  va_end(arguments);
  for(uint32_t i = 0; text[i] && row < page->rows && column + i + 1U < page->columns; i++) {
    page->cells[row][column + i] = text[i];
  }
}

static uint32_t length_of(const char *text) {
  uint32_t length = 0;
  while(text[length]) {
    length++;
  }
  return length;
}

/* The text ends before this column. */
static void put_before(struct page *page, uint32_t column, uint32_t row, const char *text) {
  const uint32_t length = length_of(text);
  if(length <= column) {
    put_at(page, column - length, row, "%s", text);
  }
}

static void line(struct page *page, uint32_t row, const char *title) {
  memset(page->cells[row], PAGE_LINE, page->columns - 1U);
  if(title[0]) {
    put_at(page, 2, row, " %s ", title);
  }
}

/* Three digits, a decimal point where there is room for one, and what they count: "12.3 M". */
static void scaled(char text[CELL_SIZE], uint64_t value, const char *unit) {
  static const char prefixes[] = {' ', 'k', 'M', 'G', 'T', 'P', 'E'};
  uint32_t prefix = 0;
  uint64_t tenths = 0;
  while(value >= 1000U && prefix + 1U < sizeof(prefixes)) {
    tenths = value % 1000U / 100U;
    value /= 1000U;
    prefix++;
  }
  uint32_t at = 0;
  char reversed[24];
  uint32_t count = 0;
  const bool point = prefix > 0 && value < 100U;
  do {
    reversed[count++] = digits[value % 10U];
    value /= 10U;
  } while(value > 0);
  while(count > 0) {
    text[at++] = reversed[--count];
  }
  if(point) {
    text[at++] = '.';
    text[at++] = digits[tenths];
  }
  text[at++] = ' ';
  if(prefix > 0) {
    text[at++] = prefixes[prefix];
  }
  for(uint32_t i = 0; unit[i] && at + 1U < CELL_SIZE; i++) {
    text[at++] = unit[i];
  }
  text[at] = '\0';
}

static uint64_t bits(const struct traffic_sum *sum) {
  return sum->bytes * 8U;
}

/* Head ------------------------------------------------------------------------------------------------------------ */

static void put_way(struct page *page, uint32_t row, const char *name, const struct traffic *traffic,
                    enum traffic_way way) {
  const struct traffic_sum rate = traffic_second(traffic, way, 0);
  const struct traffic_sum *total = &traffic->total[way];
  char bits_text[CELL_SIZE];
  char bytes_text[CELL_SIZE];
  scaled(bits_text, bits(&rate), "b/s");
  scaled(bytes_text, total->bytes, "B");
  put_at(page, 0, row, "%s", name);
  put_at(page, RATE_FRAMES_END - 10U, row, "%10ju", rate.frames);
  put_before(page, RATE_BITS_END, row, bits_text);
  put_at(page, FRAMES_END - 14U, row, "%14ju", total->frames);
  put_before(page, BYTES_END, row, bytes_text);
  put_at(page, MEAN_END - 9U, row, "%9ju", total->frames ? total->bytes / total->frames : 0);
}

static void head(struct page *page, const struct page_view *view) {
  char mac[MAC_TEXT_SIZE];
  char text[CELL_SIZE];
  put_at(page, 0, 0, "netdiag monitor   %s  %s  %s  at %s", view->nic, view->model, mac_text(view->mac, mac),
         view->location);
  put_at(page, page->columns - 9U, 0, "%02ju:%02ju:%02ju", (view->seconds / 3600U % 100U), (view->seconds / 60U % 60U),
         (view->seconds % 60U));
  if(!view->link.up) {
    put_at(page, 0, 1, "Link down");
  } else if(view->link.speed_mbps == 0) {
    put_at(page, 0, 1, "Link up, speed unknown");
  } else {
    put_at(page, 0, 1, "Link up, %u Mb/s %s duplex", view->link.speed_mbps, view->link.full_duplex ? "full" : "half");
  }
  uint32_t length = 0;
  for(; view->how[length] && length + 1U < sizeof(text); length++) {
    text[length] = view->how[length];
  }
  text[length] = '\0';
  put_before(page, page->columns - 1U, 1, text);
  put_before(page, RATE_FRAMES_END, 2, "frames/s");
  put_before(page, RATE_BITS_END, 2, "rate");
  put_before(page, FRAMES_END, 2, "frames in all");
  put_before(page, BYTES_END, 2, "bytes");
  put_before(page, MEAN_END, 2, "mean length");
  put_way(page, 3, "in", view->traffic, TRAFFIC_IN);
  put_way(page, 4, "out", view->traffic, TRAFFIC_OUT);
}

/* Graphs ---------------------------------------------------------------------------------------------------------- */

/* What a scale ends with: as little above `most` as a round number can be. */
static uint64_t scale_of(uint64_t most) {
  static const uint64_t steps[] = {10, 15, 20, 30, 40, 60, 80};
  uint64_t decade = 100;
  for(;;) {
    for(uint32_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
      if(decade * steps[i] >= most || decade > UINT64_MAX / 1000U) {
        return decade * steps[i];
      }
    }
    decade *= 10U;
  }
}

/* A column a second, the newest at the right; a cell is two steps high. What is not nothing is at least one step. */
static void graph(struct page *page, uint32_t row, uint32_t rows, const char *title, const struct traffic *traffic,
                  enum traffic_way way) {
  const uint32_t left = SCALE_WIDTH + 1U;
  const uint32_t width = page->columns - 1U - left;
  char text[CELL_SIZE];
  uint64_t most = 0;
  for(uint32_t i = 0; i < width; i++) {
    const struct traffic_sum sum = traffic_second(traffic, way, i);
    most = bits(&sum) > most ? bits(&sum) : most;
  }
  const uint64_t scale = scale_of(most);
  line(page, row, title);
  scaled(text, scale, "b/s");
  put_before(page, SCALE_WIDTH, row + 1U, text);
  if(rows > 1U) {
    put_at(page, SCALE_WIDTH - 1U, row + rows, "0");
  }
  const uint64_t most_steps = 2ULL * rows;
  const uint64_t unit = scale / most_steps ? scale / most_steps : 1U;
  for(uint32_t i = 0; i < width; i++) {
    const struct traffic_sum sum = traffic_second(traffic, way, i);
    uint64_t steps = bits(&sum) / unit;
    steps = steps > most_steps ? most_steps : steps;
    steps = steps == 0 && sum.frames > 0 ? 1U : steps;
    for(uint32_t up = 0; steps > 0; up++) {
      page->cells[row + rows - up][page->columns - 2U - i] = steps > 1U ? PAGE_FULL : PAGE_HALF;
      steps -= steps > 1U ? 2U : 1U;
    }
  }
}

/* Tables ---------------------------------------------------------------------------------------------------------- */

static void size_table(struct page *page, uint32_t row, uint32_t rows, const struct traffic *traffic) {
  char text[CELL_SIZE];
  put_at(page, SIZES_AT, row, "length      frames");
  for(uint32_t i = 0; i < TRAFFIC_SIZES && i + 1U < rows; i++) {
    scaled(text, traffic->sizes[i], "");
    put_at(page, SIZES_AT, row + 1U + i, "%s", traffic_size_name(i));
    put_before(page, SIZES_AT + 18U + (traffic->sizes[i] < 1000U), row + 1U + i, text); /* the number, not its blank */
  }
}

static void protocol_table(struct page *page, uint32_t row, uint32_t rows, const struct traffic *traffic) {
  enum traffic_protocol list[TRAFFIC_PROTOCOLS];
  char text[CELL_SIZE];
  const uint32_t count =
      traffic_top_protocols(traffic, list, rows - 1U < TRAFFIC_PROTOCOLS ? rows - 1U : TRAFFIC_PROTOCOLS);
  put_at(page, PROTOCOLS_AT, row, "protocol       bytes");
  for(uint32_t i = 0; i < count; i++) {
    scaled(text, traffic->protocols[list[i]].bytes, "B");
    put_at(page, PROTOCOLS_AT, row + 1U + i, "%s", traffic_protocol_name(list[i]));
    put_before(page, PROTOCOLS_AT + 20U, row + 1U + i, text);
  }
}

static void talker_table(struct page *page, uint32_t row, uint32_t rows, const struct page_view *view) {
  const struct traffic *traffic = view->traffic;
  uint32_t places[PAGE_ROWS_MAX];
  char text[CELL_SIZE];
  char mac[MAC_TEXT_SIZE];
  char address[IPV4_TEXT_SIZE];
  const bool addresses = page->columns >= ADDRESS_FROM;
  const uint32_t count = traffic_top(traffic, places, rows - 1U);
  put_at(page, TALKERS_AT, row, "from                    bytes");
  if(addresses) {
    put_at(page, TALKERS_AT + 36U, row, "address");
  }
  for(uint32_t i = 0; i < count; i++) {
    const struct traffic_talker *talker = &traffic->talkers[places[i]];
    const uint32_t at = row + 1U + i;
    scaled(text, talker->bytes, "B");
    put_at(page, TALKERS_AT, at, "%s", mac_text(talker->mac, mac));
    put_before(page, TALKERS_AT + 29U, at, text);
    if(memcmp(talker->mac, view->mac, sizeof(talker->mac)) == 0) {
      put_at(page, TALKERS_AT + 30U, at, "us");
    }
    if(addresses && talker->has_address) {
      put_at(page, TALKERS_AT + 36U, at, "%s", ipv4_text(talker->address, address));
    }
  }
}

/* Foot ------------------------------------------------------------------------------------------------------------ */

static uint64_t since(uint64_t now, uint64_t start) {
  return now >= start && now != NETDEV_NOT_COUNTED ? now - start : 0;
}

static void put_ring(struct page *page, uint32_t column, uint32_t row, const char *name, const struct page_ring *ring,
                     const char *what) {
  char bar[BAR_CELLS + 1U];
  if(!ring->known || ring->size == 0) {
    put_at(page, column, row, "%s ring not known", name);
    return;
  }
  const uint32_t used = ring->used > ring->size ? ring->size : ring->used;
  uint32_t steps = (uint32_t)(((uint64_t)used * 2U * BAR_CELLS + ring->size / 2U) / ring->size);
  steps = steps == 0 && used > 0 ? 1U : steps;
  for(uint32_t i = 0; i < BAR_CELLS; i++) {
    bar[i] = steps >= 2U * i + 2U ? PAGE_FULL : steps == 2U * i + 1U ? PAGE_HALF : ' ';
  }
  bar[BAR_CELLS] = '\0';
  put_at(page, column, row, "%s [%s] %u of %u %s", name, bar, used, ring->size, what);
}

static void foot(struct page *page, uint32_t row, const struct page_view *view) {
  const struct netdev_stats *now = view->stats;
  const struct netdev_stats *start = view->start;
  put_at(page, 0, row, "errors in: damaged %ju, no buffer %ju, CRC %ju   out: unsent %ju, full %ju, hangs %ju",
         since(now->rx_errors, start->rx_errors), since(now->rx_missed, start->rx_missed),
         since(now->rx_crc_errors, start->rx_crc_errors), since(now->tx_errors, start->tx_errors),
         since(now->tx_busy, start->tx_busy), since(now->tx_hangs, start->tx_hangs));
  put_ring(page, 0, row + 1U, "receive", &view->rx, "ready");
  put_ring(page, SEND_AT, row + 1U, "send", &view->tx, "queued");
  put_at(page, 0, row + 2U, "%s", view->notice[0] ? view->notice : "N: next NIC   R: begin anew   Q or Esc: end");
}

/* Page ------------------------------------------------------------------------------------------------------------ */

void page_render(struct page *page, const struct page_view *view, uint32_t columns, uint32_t rows) {
  page->columns = columns < PAGE_COLUMNS_MAX ? columns : PAGE_COLUMNS_MAX;
  page->rows = rows < PAGE_ROWS_MAX ? rows : PAGE_ROWS_MAX;
  for(uint32_t row = 0; row < page->rows; row++) {
    memset(page->cells[row], ' ', page->columns);
    page->cells[row][page->columns] = '\0';
  }
  if(page->columns < PAGE_COLUMNS_MIN || page->rows < PAGE_ROWS_MIN) {
    put_at(page, 0, 0, "%u x %u is too small: netdiag monitor needs %u x %u", columns, rows, PAGE_COLUMNS_MIN,
           PAGE_ROWS_MIN);
    put_at(page, 0, 1, "'mode' in the Shell lists the sizes and sets one");
    return;
  }
  /* A third of what is beyond 25 rows goes to the tables, the rest to the two graphs, in equal parts. */
  uint32_t table_rows = TABLE_ROWS + (page->rows - PAGE_ROWS_MIN) / 3U;
  const uint32_t left = page->rows - HEAD_ROWS - TITLE_ROWS - FOOT_ROWS - table_rows;
  const uint32_t graph_rows = left / 2U;
  table_rows += left % 2U;
  const uint32_t out_row = HEAD_ROWS + 1U + graph_rows;
  const uint32_t table_row = out_row + 1U + graph_rows;
  head(page, view);
  graph(page, HEAD_ROWS, graph_rows, "in: a column a second", view->traffic, TRAFFIC_IN);
  graph(page, out_row, graph_rows, "out", view->traffic, TRAFFIC_OUT);
  line(page, table_row, "all since it began");
  size_table(page, table_row + 1U, table_rows, view->traffic);
  protocol_table(page, table_row + 1U, table_rows, view->traffic);
  talker_table(page, table_row + 1U, table_rows, view);
  foot(page, table_row + 1U + table_rows, view);
}

uint16_t page_glyph(char cell, bool boxes) {
  static const uint16_t drawn[][2] = {{' ', ' '}, {'#', 0x2588}, {':', 0x2591}, {'-', 0x2500}};
  return (uint8_t)cell <= PAGE_LINE ? drawn[(uint8_t)cell][boxes] : (uint8_t)cell;
}

uint32_t page_changes(const struct page *shown, const struct page *page, page_drawer drawer, void *ctx) {
  uint32_t cells = 0;
  for(uint32_t row = 0; row < page->rows; row++) {
    uint32_t first = UINT32_MAX;
    uint32_t last = 0;
    for(uint32_t column = 0; column + 1U < page->columns; column++) {
      const bool known = shown && row < shown->rows && column < shown->columns;
      if(page->cells[row][column] != (known ? shown->cells[row][column] : ' ')) {
        first = first == UINT32_MAX ? column : first;
        last = column;
      }
    }
    if(first == UINT32_MAX) {
      continue;
    }
    first = first < PAGE_START_MAX ? first : PAGE_START_MAX;
    drawer(ctx, first, row, &page->cells[row][first], last - first + 1U);
    cells += last - first + 1U;
  }
  return cells;
}
