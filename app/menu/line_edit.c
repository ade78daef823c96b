/* line_edit.c - one line that is typed, with a cursor and a history. Pure C, tested on the host. */
#include "line_edit.h"

#include <string.h>

#include "../args.h"

#define LENGTH_MAX (LINE_EDIT_SIZE - 1U)

static bool is_printable(uint16_t character) {
  return character >= ' ' && character < KEY_DELETE;
}

static void set_text(struct line_edit *edit, const char *text) {
  edit->length = (uint32_t)strlen(text);
  edit->cursor = edit->length;
  memcpy(edit->text, text, edit->length + 1U);
}

/* Takes out what is in [from, to). */
static void cut(struct line_edit *edit, uint32_t from, uint32_t to) {
  memmove(edit->text + from, edit->text + to, edit->length - to + 1U);
  edit->length -= to - from;
  edit->cursor = from;
}

static void insert(struct line_edit *edit, char character) {
  if(edit->length < LENGTH_MAX) {
    char *at = edit->text + edit->cursor;
    memmove(at + 1, at, edit->length - edit->cursor + 1U);
    *at = character;
    edit->length++;
    edit->cursor++;
  }
}

/* Where the word before the cursor begins. */
static uint32_t word_start(const struct line_edit *edit) {
  uint32_t at = edit->cursor;
  while(at > 0 && edit->text[at - 1U] == ' ') {
    at--;
  }
  while(at > 0 && edit->text[at - 1U] != ' ') {
    at--;
  }
  return at;
}

bool line_edit_is_blank(const struct line_edit *edit) {
  uint32_t at = 0;
  while(edit->text[at] == ' ') {
    at++;
  }
  return edit->text[at] == '\0';
}

/* History -------------------------------------------------------------------------------------------------------- */

static uint32_t oldest(const struct line_edit *edit) {
  return edit->count > LINE_EDIT_PAST ? edit->count - LINE_EDIT_PAST : 0;
}

static void show(struct line_edit *edit, uint32_t number) {
  if(edit->shown == edit->count) {
    memcpy(edit->draft, edit->text, edit->length + 1U);
  }
  edit->shown = number;
  set_text(edit, number == edit->count ? edit->draft : edit->past[number % LINE_EDIT_PAST]);
}

static void remember(struct line_edit *edit) {
  const char *last = edit->past[(edit->count - 1U) % LINE_EDIT_PAST];
  if(!line_edit_is_blank(edit) && (edit->count == 0 || !text_equal(last, edit->text))) {
    memcpy(edit->past[edit->count % LINE_EDIT_PAST], edit->text, edit->length + 1U);
    edit->count++;
  }
}

/* Keys ----------------------------------------------------------------------------------------------------------- */

/* Scan codes and the control characters that mean the same. */
static uint16_t scan_of(struct key key) {
  static const struct {
    uint16_t character;
    uint16_t scan;
  } rows[] = {
      {KEY_CONTROL('A'), SCAN_CODE_HOME},   {KEY_CONTROL('E'), SCAN_CODE_END}, {KEY_CONTROL('B'), SCAN_CODE_LEFT},
      {KEY_CONTROL('F'), SCAN_CODE_RIGHT},  {KEY_CONTROL('P'), SCAN_CODE_UP},  {KEY_CONTROL('N'), SCAN_CODE_DOWN},
      {KEY_CONTROL('D'), SCAN_CODE_DELETE}, {0x1B, SCAN_CODE_ESCAPE},
  };
  for(size_t i = 0; key.scan == 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
    if(rows[i].character == key.character) {
      return rows[i].scan;
    }
  }
  return key.scan;
}

static void move_or_cut(struct line_edit *edit, uint16_t scan) {
  switch(scan) {
  case SCAN_CODE_LEFT:
    edit->cursor -= edit->cursor > 0;
    break;
  case SCAN_CODE_RIGHT:
    edit->cursor += edit->cursor < edit->length;
    break;
  case SCAN_CODE_HOME:
    edit->cursor = 0;
    break;
  case SCAN_CODE_END:
    edit->cursor = edit->length;
    break;
  case SCAN_CODE_DELETE:
    if(edit->cursor < edit->length) {
      cut(edit, edit->cursor, edit->cursor + 1U);
    }
    break;
  case SCAN_CODE_UP:
    if(edit->shown > oldest(edit)) {
      show(edit, edit->shown - 1U);
    }
    break;
  case SCAN_CODE_DOWN:
    if(edit->shown < edit->count) {
      show(edit, edit->shown + 1U);
    }
    break;
  default:
    break;
  }
}

static void type(struct line_edit *edit, uint16_t character) {
  switch(character) {
  case KEY_BACKSPACE:
  case KEY_DELETE:
    if(edit->cursor > 0) {
      cut(edit, edit->cursor - 1U, edit->cursor);
    }
    break;
  case KEY_CONTROL('U'):
    cut(edit, 0, edit->cursor);
    break;
  case KEY_CONTROL('K'):
    edit->length = edit->cursor;
    edit->text[edit->length] = '\0';
    break;
  case KEY_CONTROL('W'):
    cut(edit, word_start(edit), edit->cursor);
    break;
  default:
    if(is_printable(character)) {
      insert(edit, (char)character);
    }
    break;
  }
}

void line_edit_init(struct line_edit *edit) {
  *edit = (struct line_edit){0};
}

void line_edit_begin(struct line_edit *edit) {
  set_text(edit, "");
  edit->shown = edit->count;
}

enum line_edit_step line_edit_key(struct line_edit *edit, struct key key) {
  uint16_t scan = scan_of(key);
  bool enough = key.scan == 0 && key.character == KEY_CONTROL('D') && edit->length == 0;
  if(scan == SCAN_CODE_ESCAPE || (key.scan == 0 && key.character == KEY_CONTROL('C')) || enough) {
    line_edit_begin(edit);
    return LINE_EDIT_CANCELLED;
  }
  if(key.scan == SCAN_CODE_DELETE && edit->cursor == edit->length) {
    type(edit, KEY_BACKSPACE);
  } else if(scan != 0) {
    move_or_cut(edit, scan);
  } else if(key.character == KEY_ENTER || key.character == KEY_LINE_FEED) {
    remember(edit);
    edit->shown = edit->count;
    return LINE_EDIT_DONE;
  } else {
    type(edit, key.character);
  }
  return LINE_EDIT_GOES_ON;
}

/* View ----------------------------------------------------------------------------------------------------------- */

uint32_t line_edit_view(const struct line_edit *edit, uint32_t width, char *out) {
  uint32_t half = width > 1U ? width / 2U : 1U;
  uint32_t start = edit->cursor < width ? 0 : ((edit->cursor - width) / half + 1U) * half;
  for(uint32_t i = 0; i < width; i++) {
    out[i] = start + i < edit->length ? edit->text[start + i] : ' ';
  }
  out[width] = '\0';
  return edit->cursor - start;
}

bool line_edit_valid(const struct line_edit *edit) {
  if(edit->length > LENGTH_MAX || edit->cursor > edit->length || edit->text[edit->length] != '\0' ||
     edit->shown > edit->count || edit->shown < oldest(edit)) {
    return false;
  }
  for(uint32_t i = 0; i < edit->length; i++) {
    if(!is_printable((uint16_t)(unsigned char)edit->text[i])) {
      return false;
    }
  }
  return true;
}
