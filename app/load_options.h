/* load_options.h - an argument vector from the load options of a boot option. Pure C, tested on the host. */
#ifndef APP_LOAD_OPTIONS_H
#define APP_LOAD_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#define LOAD_OPTIONS_TOO_LONG (-1) /* more words than `max`, or more text than `text_size` */
#define LOAD_OPTIONS_NOT_TEXT (-2) /* binary data, which is no command line                */

/*
 * The words in the `size` bytes at `bytes`, as boot managers and their tools leave them: UCS-2 or 8-bit text, with or
 * without a byte order mark, with or without a NUL, a line end or blanks behind it, of any size and alignment, with or
 * without the program's own name as first word (which is left out). Everything that netdiag understands is ASCII;
 * another character becomes one '?'. "Double quotes" hold a word together.
 *
 * The words are written to `text` (`text_size` bytes, at least 1), argv[0] to argv[max - 1] point into it. Returns how
 * many there are, or one of the above. Any bytes are fine; `bytes` may be NULL when `size` is 0.
 */
int load_options_parse(const uint8_t *bytes, size_t size, char *text, size_t text_size, char *argv[], int max);

#endif
