/* menu_state.c - what the menu shows, and what a key means in it. Pure C, tested on the host. */
#include "menu_state.h"

#include <string.h>

#define TAB 0x09U

static const struct entry {
  const char *name;
  const char *command; /* the word that must be known; NULL for what is no command */
  const char *line;    /* what is run                                              */
  const char *text;
  enum menu_step step;
  char letter;
} entries[] = {
    {"doctor", "doctor", "doctor", "finds out why this machine does not boot from the network", MENU_RUNS, 'D'},
    {"list", "list", "list -b", "the NICs, their links, and who drives them", MENU_RUNS, 'L'},
    {"monitor", "monitor", "monitor", "rates, errors and talkers of a NIC, as they come", MENU_RUNS, 'M'},
    {"boot", "boot", "boot", "boots what the network offers", MENU_RUNS, 'B'},
    {"command line", NULL, NULL, "any command of netdiag, with its options; 'help' lists them", MENU_TYPES, 'C'},
    {"reboot", NULL, NULL, "resets the machine", MENU_REBOOTS, 'R'},
    {"leave", NULL, NULL, "goes back to the boot manager", MENU_LEAVES, 'Q'},
};
#define ENTRY_COUNT ((uint32_t)(sizeof(entries) / sizeof(entries[0])))
#define NAME_COLUMN 6U
#define TEXT_COLUMN 20U

/* Choosing ------------------------------------------------------------------------------------------------------- */

static bool is_there(const struct menu *menu, uint32_t number) {
  return (menu->entries >> number & 1U) != 0;
}

/* The next one that is there, round and round. */
static void step(struct menu *menu, uint32_t by) {
  do {
    menu->selected = (menu->selected + by) % ENTRY_COUNT;
  } while(!is_there(menu, menu->selected));
}

void menu_init(struct menu *menu, bool (*has)(const char *name)) {
  *menu = (struct menu){0};
  for(uint32_t i = 0; i < ENTRY_COUNT; i++) {
    menu->entries |= (uint32_t)(!entries[i].command || has(entries[i].command)) << i;
  }
  menu->selected = ENTRY_COUNT - 1U;
  step(menu, 1);
}

void menu_notice(struct menu *menu, const char *text) {
  size_t length = strlen(text);
  length = length < MENU_NOTICE_SIZE ? length : MENU_NOTICE_SIZE - 1U;
  memcpy(menu->notice, text, length);
  menu->notice[length] = '\0';
}

const char *menu_line(const struct menu *menu) {
  return entries[menu->selected].line;
}

static char upper(uint16_t character) {
  return (char)(character >= 'a' && character <= 'z' ? character - 'a' + 'A' : character);
}

static enum menu_step choose_by_letter(struct menu *menu, uint16_t character) {
  for(uint32_t i = 0; i < ENTRY_COUNT; i++) {
    if(is_there(menu, i) && character < KEY_DELETE && entries[i].letter == upper(character)) {
      menu->selected = i;
      return entries[i].step;
    }
  }
  return MENU_STAYS;
}

enum menu_step menu_key(struct menu *menu, struct key key) {
  menu->notice[0] = '\0';
  if(key.scan == 0 && (key.character == KEY_ENTER || key.character == KEY_LINE_FEED)) {
    return entries[menu->selected].step;
  }
  if(key.scan == SCAN_CODE_DOWN || (key.scan == 0 && key.character == TAB)) {
    step(menu, 1);
  } else if(key.scan == SCAN_CODE_UP) {
    step(menu, ENTRY_COUNT - 1U);
  } else if(key.scan == SCAN_CODE_HOME) {
    menu->selected = ENTRY_COUNT - 1U;
    step(menu, 1);
  } else if(key.scan == SCAN_CODE_END) {
    menu->selected = 0;
    step(menu, ENTRY_COUNT - 1U);
  } else if(key.scan == 0) {
    return choose_by_letter(menu, key.character);
  }
  return MENU_STAYS;
}

/* Page ----------------------------------------------------------------------------------------------------------- */

struct pen {
  struct menu_page *page;
  uint32_t columns; /* of a line */
  uint32_t rows;
};

/* Text from a column of the line that is being written; what does not fit is cut off. */
static void put(const struct pen *pen, uint32_t column, const char *text) {
  if(pen->page->count < pen->rows) {
    char *line = pen->page->lines[pen->page->count];
    uint32_t at = (uint32_t)strlen(line);
    for(; at < column && at < pen->columns; at++) {
      line[at] = ' ';
    }
    for(; *text && at < pen->columns; at++) {
      line[at] = *text++;
    }
    line[at] = '\0';
  }
}

static void end_line(const struct pen *pen) {
  pen->page->count += pen->page->count < pen->rows;
}

static void put_entry(const struct menu *menu, uint32_t number, const struct pen *pen) {
  const char letter[2] = {entries[number].letter, '\0'};
  bool selected = number == menu->selected;
  if(selected) {
    pen->page->marked = pen->page->count;
  }
  put(pen, 1, selected ? ">" : " ");
  put(pen, 3, letter);
  put(pen, NAME_COLUMN, entries[number].name);
  put(pen, TEXT_COLUMN, entries[number].text);
  end_line(pen);
}

void menu_render(const struct menu *menu, const char *version, uint32_t columns, uint32_t rows,
                 struct menu_page *page) {
  /* Neither the last column nor the last row: there some consoles scroll. */
  struct pen pen = {.page = page, .columns = columns > 0 ? columns - 1U : 0, .rows = rows > 0 ? rows - 1U : 0};
  pen.columns = pen.columns < MENU_COLUMNS_MAX ? pen.columns : MENU_COLUMNS_MAX - 1U;
  pen.rows = pen.rows < MENU_LINES ? pen.rows : MENU_LINES;
  memset(page, 0, sizeof(*page));
  put(&pen, 0, "netdiag ");
  put(&pen, 0, version);
  put(&pen, 0, ": network before the operating system");
  end_line(&pen);
  end_line(&pen);
  for(uint32_t i = 0; i < ENTRY_COUNT; i++) {
    if(is_there(menu, i)) {
      put_entry(menu, i, &pen);
    }
  }
  end_line(&pen);
  put(&pen, 0, "Up and Down choose, Enter starts; a letter starts at once.");
  end_line(&pen);
  put(&pen, 0, menu->notice);
  end_line(&pen);
}
