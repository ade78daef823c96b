/* line_edit.h - one line that is typed, with a cursor and a history. Pure C, tested on the host. */
#ifndef MENU_LINE_EDIT_H
#define MENU_LINE_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keys.h"

#define LINE_EDIT_SIZE 512U /* with the terminating NUL */
#define LINE_EDIT_PAST 16U  /* lines that are remembered */

/*
 * Invariants, which line_edit_valid looks at: `text` is `length` printable ASCII characters and a NUL, the cursor
 * stands on one of them or behind the last. `past` is a ring: line number n, counted from 0, is in past[n %
 * LINE_EDIT_PAST]. `shown` lies in [oldest that is remembered, count]; at `count` the line is the user's own, which
 * `draft` keeps while an older one is shown.
 */
struct line_edit {
  char text[LINE_EDIT_SIZE];
  uint32_t length;
  uint32_t cursor;
  char past[LINE_EDIT_PAST][LINE_EDIT_SIZE];
  uint32_t count;
  uint32_t shown;
  char draft[LINE_EDIT_SIZE];
};

enum line_edit_step {
  LINE_EDIT_GOES_ON,
  LINE_EDIT_DONE,     /* Enter: `text` is what was typed                                     */
  LINE_EDIT_CANCELLED /* Esc, or Ctrl-C, or Ctrl-D on an empty line: `text` is empty now     */
};

/* Forgets everything, the history as well. */
void line_edit_init(struct line_edit *edit);

/* An empty line, with the history of those before. */
void line_edit_begin(struct line_edit *edit);

/*
 * One key: characters go in at the cursor; Left, Right, Home, End, Backspace, Delete, and the shells' Ctrl-A, Ctrl-E,
 * Ctrl-B, Ctrl-F, Ctrl-D, Ctrl-U (to the start), Ctrl-K (to the end), Ctrl-W (the word before) edit; Up, Down, Ctrl-P
 * and Ctrl-N show older and newer lines. The key Delete behind the last character takes that: terminals send DEL for
 * Backspace, and firmware takes it for Delete (edk2's TerminalDxe). A line that Enter ends is remembered, unless it is
 * blank or the one before. What is no ASCII, and what finds no room, is ignored.
 */
enum line_edit_step line_edit_key(struct line_edit *edit, struct key key);

/* Whether there is nothing but blanks in the line. */
bool line_edit_is_blank(const struct line_edit *edit);

/*
 * The part of the line that fits `width` columns (1 to LINE_EDIT_SIZE - 1), filled up with blanks, into `out` (width +
 * 1 bytes). Returns the column of the cursor in it, less than `width`. A longer line moves by half the width, so that
 * there is something to see on both sides of the cursor.
 */
uint32_t line_edit_view(const struct line_edit *edit, uint32_t width, char *out);

/* For tests: whether the invariants hold. */
bool line_edit_valid(const struct line_edit *edit);

#endif
