/* screen.c - a page that is drawn again and again at the same place (--watch). */
#include "screen.h"

#include <stdarg.h>

#include "../../driver/lib/format.h"
#include "report.h"

#include "../wrap.h"

#define LINE_MAX 160U

void screen_begin(struct screen *screen) {
  uint32_t columns;
  uint32_t rows;
  screen->fixed = !report_is_json() && console_size(&columns, &rows) && rows > 2U && columns > 1U;
  screen->row = 0;
  screen->left_out = 0;
  if(!screen->fixed) {
    return;
  }
  screen->columns = columns - 1U < WRAP_COLUMNS ? columns - 1U : WRAP_COLUMNS; /* where out breaks lines */
  screen->rows = rows - 1U; /* what ends the last row moves the whole up */
  if(!screen->drawn) {
    console_clear();
    screen->drawn = true;
  }
}

/* As wide as the screen, so that nothing of the page before is left beside it. */
static void put_line(const struct screen *screen, enum console_tone tone, uint32_t row, const char *line) {
  char padded[LINE_MAX];
  uint32_t length = 0;
  for(; line[length] && line[length] != '\n' && length < screen->columns; length++) {
    padded[length] = line[length];
  }
  for(; length < screen->columns; length++) {
    padded[length] = ' ';
  }
  padded[length] = '\0';
  console_goto(0, row);
  out_toned(tone, "%s", padded);
}

void screen_line(struct screen *screen, enum console_tone tone, const char *format, ...) {
  char line[LINE_MAX];
  va_list arguments;
  va_start(arguments, format);
  (void)format_text(line, sizeof(line), format, arguments);
  va_end(arguments);
  if(!screen->fixed) {
    out_toned(tone, "%s\n", line);
  } else if(screen->row + 1U < screen->rows) {
    put_line(screen, tone, screen->row++, line);
  } else {
    screen->left_out++;
  }
}

void screen_end(struct screen *screen) {
  if(!screen->fixed) {
    return;
  }
  if(screen->left_out > 0) {
    char line[LINE_MAX];
    (void)format_into(line, LINE_MAX, "... and %u more lines than fit on this screen", screen->left_out);
    put_line(screen, TONE_PLAIN, screen->row++, line);
  }
  for(uint32_t row = screen->row; row < screen->last_row; row++) {
    put_line(screen, TONE_PLAIN, row, "");
  }
  screen->last_row = screen->row;
  console_goto(0, screen->row);
}

void screen_close(const struct screen *screen) {
  if(screen->drawn) {
    out("\n");
  }
}
