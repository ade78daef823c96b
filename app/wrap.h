/* wrap.h - breaks text at blanks, so that it fits a narrow console. Pure C, tested on the host. */
#ifndef APP_WRAP_H
#define APP_WRAP_H

#include <stddef.h>
#include <stdint.h>

/* A console of 80 columns; what reaches the last one makes some consoles put an empty line behind it. */
#define WRAP_COLUMNS 79U

/*
 * Copies `text` to `out` (`size` bytes, at least 1; always terminated). A word that would end beyond WRAP_COLUMNS goes
 * to a new line, after `indent` blanks and without the blanks before it; one that is longer than a line stays whole.
 * *column is where the cursor stands, and is kept up to date, so that a line can be made of several texts; but only
 * blanks inside one text are places to break at. Returns how many lines were ended.
 */
uint32_t wrap_text(char *out, size_t size, const char *text, uint32_t indent, uint32_t *column);

#endif
