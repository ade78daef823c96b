/* screen.h - a page that is drawn again and again at the same place (--watch). */
#ifndef APP_REPORT_SCREEN_H
#define APP_REPORT_SCREEN_H

#include "../console.h"

/*
 * Between screen_begin and screen_end, screen_line prints a line each; what does not fit on the screen is left out, and
 * the last line says how many lines that are. Into a file or with --json's document open, pages follow each other.
 */
struct screen {
  bool drawn;       /* a page is there already      */
  bool fixed;       /* to a screen, at its top      */
  uint32_t columns; /* that may be used             */
  uint32_t rows;
  uint32_t row;
  uint32_t left_out;
  uint32_t last_row; /* of the page before           */
};

/* `screen` is all zeroes before the first page. */
void screen_begin(struct screen *screen);
void screen_line(struct screen *screen, enum console_tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void screen_end(struct screen *screen);

/* After the last page: what is printed next begins a line of its own. */
void screen_close(const struct screen *screen);

#endif
