/* fuzz_menu.c - keys in any order: the line against a model that keeps a gap at the cursor, its history against a list
 * of all lines, the view against the line; the menu on consoles of any size. */
#include "fuzz.h"

#include "menu/line_edit.h"
#include "menu/menu_state.h"
#include "unit.h"

#define LINES_MAX 64U

/* The text before the cursor, and the text behind it in reverse: two stacks. */
struct model {
  char before[LINE_EDIT_SIZE];
  char behind[LINE_EDIT_SIZE];
  size_t before_count;
  size_t behind_count;
  char lines[LINES_MAX][LINE_EDIT_SIZE]; /* remembered, oldest first */
  size_t line_count;
};

static struct model model;
static struct line_edit edit;

static void move(bool right) {
  size_t *from = right ? &model.behind_count : &model.before_count;
  if(*from > 0) {
    --*from;
    if(right) {
      model.before[model.before_count++] = model.behind[*from];
    } else {
      model.behind[model.behind_count++] = model.before[*from];
    }
  }
}

static void model_key(uint16_t scan, uint16_t character) {
  if(scan == SCAN_CODE_LEFT || scan == SCAN_CODE_RIGHT) {
    move(scan == SCAN_CODE_RIGHT);
  } else if(scan == SCAN_CODE_HOME || scan == SCAN_CODE_END) {
    for(size_t i = 0; i < LINE_EDIT_SIZE; i++) {
      move(scan == SCAN_CODE_END);
    }
  } else if(scan == SCAN_CODE_DELETE) {
    size_t *count = model.behind_count > 0 ? &model.behind_count : &model.before_count;
    *count -= *count > 0;
  } else if(scan == 0 && (character == KEY_BACKSPACE || character == KEY_DELETE)) {
    model.before_count -= model.before_count > 0;
  } else if(scan == 0 && character == KEY_CONTROL('U')) {
    model.before_count = 0;
  } else if(scan == 0 && character == KEY_CONTROL('K')) {
    model.behind_count = 0;
  } else if(scan == 0 && character >= ' ' && character < KEY_DELETE &&
            model.before_count + model.behind_count + 1U < LINE_EDIT_SIZE) {
    model.before[model.before_count++] = (char)character;
  }
}

static void model_take(const char *text) {
  model.before_count = strlen(text);
  model.behind_count = 0;
  memcpy(model.before, text, model.before_count);
}

/* After a key that is not modelled. */
static void model_follow(void) {
  model_take(edit.text);
  while(model.before_count > edit.cursor) {
    move(false);
  }
}

static void compare(void) {
  assert_true(line_edit_valid(&edit));
  assert_int_equal(edit.cursor, model.before_count);
  assert_int_equal(edit.length, model.before_count + model.behind_count);
  assert_memory_equal(edit.text, model.before, model.before_count);
  for(size_t i = 0; i < model.behind_count; i++) {
    assert_int_equal(edit.text[edit.length - 1U - i], model.behind[i]);
  }
}

static void model_remember(void) {
  bool blank = strspn(edit.text, " ") == strlen(edit.text);
  bool again = model.line_count > 0 && strcmp(model.lines[model.line_count - 1U], edit.text) == 0;
  if(!blank && !again && model.line_count < LINES_MAX) {
    memcpy(model.lines[model.line_count++], edit.text, sizeof(model.lines[0]));
  }
}

/* All that is remembered, from the newest to the oldest, and the line itself again. */
static void check_history(void) {
  char own[LINE_EDIT_SIZE];
  if(edit.shown != edit.count || model.line_count == LINES_MAX) {
    return;
  }
  memcpy(own, edit.text, sizeof(own));
  size_t kept = model.line_count < LINE_EDIT_PAST ? model.line_count : LINE_EDIT_PAST;
  for(size_t i = 0; i < kept; i++) {
    assert_int_equal(line_edit_key(&edit, (struct key){.scan = SCAN_CODE_UP}), LINE_EDIT_GOES_ON);
    assert_string_equal(edit.text, model.lines[model.line_count - 1U - i]);
  }
  for(size_t i = 0; i <= kept; i++) {
    (void)line_edit_key(&edit, (struct key){.scan = SCAN_CODE_DOWN});
  }
  assert_string_equal(edit.text, own);
  model_follow();
}

static void check_view(uint32_t width) {
  char view[LINE_EDIT_SIZE];
  uint32_t cursor = line_edit_view(&edit, width, view);
  assert_int_equal(strlen(view), width);
  assert_in_range(cursor, 0, width - 1U);
  uint32_t start = edit.cursor - cursor;
  for(uint32_t i = 0; i < width; i++) {
    assert_int_equal(view[i], start + i < edit.length ? edit.text[start + i] : ' ');
  }
}

static void fuzz_line(struct fuzz *in) {
  static const uint16_t scans[] = {0,
                                   SCAN_CODE_LEFT,
                                   SCAN_CODE_RIGHT,
                                   SCAN_CODE_HOME,
                                   SCAN_CODE_END,
                                   SCAN_CODE_DELETE,
                                   SCAN_CODE_UP,
                                   SCAN_CODE_DOWN,
                                   SCAN_CODE_ESCAPE};
  memset(&model, 0, sizeof(model));
  line_edit_init(&edit);
  line_edit_begin(&edit);
  while(in->left > 0) {
    uint8_t what = fuzz_u8(in);
    struct key key = {.character = what};
    if(what >= 0xC0) {
      key = (struct key){.scan = scans[what % 9U], .character = fuzz_u16(in)};
    }
    uint16_t scan = key.scan;
    enum line_edit_step step = line_edit_key(&edit, key);
    bool others =
        scan == 0 && (key.character == KEY_CONTROL('W') || (key.character < ' ' && step == LINE_EDIT_GOES_ON));
    assert_true(line_edit_valid(&edit));
    if(step != LINE_EDIT_GOES_ON) {
      if(step == LINE_EDIT_DONE) {
        model_remember();
      } else {
        assert_int_equal(edit.length, 0);
      }
      line_edit_begin(&edit);
      model_take("");
    } else if(scan == SCAN_CODE_UP || scan == SCAN_CODE_DOWN || others) {
      if(scan == 0 && key.character == KEY_BACKSPACE) {
        model_key(0, KEY_BACKSPACE);
        compare();
      }
      model_follow(); /* the other control characters are the host tests' affair */
    } else {
      model_key(scan, key.character);
    }
    compare();
    check_view(1U + what % 100U);
    if(what % 16U == 0) {
      check_history();
    }
  }
}

/* Menu ----------------------------------------------------------------------------------------------------------- */

static uint8_t known;

static bool has(const char *name) {
  return (known >> (name[0] & 7) & 1) != 0;
}

static void fuzz_keys(struct fuzz *in) {
  static struct menu_page page;
  struct menu menu;
  known = fuzz_u8(in);
  menu_init(&menu, has);
  while(in->left > 0) {
    uint16_t scan = fuzz_u8(in) % 16U;
    enum menu_step step = menu_key(&menu, (struct key){.scan = scan, .character = fuzz_u16(in)});
    assert_true((menu.entries >> menu.selected & 1U) != 0);
    if(step == MENU_RUNS) {
      assert_true(has(menu_line(&menu)));
    }
    uint32_t columns = fuzz_u8(in);
    uint32_t rows = fuzz_u8(in) % 64U;
    menu_notice(&menu, "What was said before.");
    menu_render(&menu, "0.1", columns, rows, &page);
    assert_true(page.count <= rows && page.count <= MENU_LINES && (page.marked < page.count || page.count < 12U));
    for(uint32_t i = 0; i < page.count; i++) {
      assert_true(strlen(page.lines[i]) < columns || page.lines[i][0] == '\0');
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  if(fuzz_u8(&in) % 4U == 0) {
    fuzz_keys(&in);
  } else {
    fuzz_line(&in);
  }
  return 0;
}
