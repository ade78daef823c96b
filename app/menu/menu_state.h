/* menu_state.h - what the menu shows, and what a key means in it. Pure C, tested on the host. */
#ifndef MENU_MENU_STATE_H
#define MENU_MENU_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "keys.h"

#define MENU_COLUMNS_MAX 160U
#define MENU_NOTICE_SIZE 80U
#define MENU_LINES       24U /* that a page may have: a console of 25 lines scrolls when the last is ended */

enum menu_step {
  MENU_STAYS,
  MENU_RUNS,    /* menu_line() is the command            */
  MENU_TYPES,   /* the command line                      */
  MENU_REBOOTS, /* resets the machine                    */
  MENU_LEAVES,  /* returns to whoever started netdiag    */
};

struct menu {
  uint32_t entries;  /* bit n: entry n of the table is there */
  uint32_t selected; /* one that is                          */
  char notice[MENU_NOTICE_SIZE];
};

/* One page, ready to be printed: lines without their ends, each at most columns - 1 characters. */
struct menu_page {
  uint32_t count;
  uint32_t marked; /* the line with the selected entry */
  char lines[MENU_LINES][MENU_COLUMNS_MAX];
};

/* The entries for commands that has(name) knows, and those that are always there; the first is selected. */
void menu_init(struct menu *menu, bool (*has)(const char *name));

/* What the page says below the entries until a key is pressed: at most a line. */
void menu_notice(struct menu *menu, const char *text);

/* One key: Up, Down, Home and End (and Tab) choose, Enter does it, an entry's letter does it at once. */
enum menu_step menu_key(struct menu *menu, struct key key);

/* The command of the selected entry with its options, as it would be typed. */
const char *menu_line(const struct menu *menu);

/* Its page for a console of so many columns and rows (any; from 80 x 25 nothing is cut off). */
void menu_render(const struct menu *menu, const char *version, uint32_t columns, uint32_t rows, struct menu_page *page);

#endif
