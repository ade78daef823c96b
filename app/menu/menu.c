/* menu.c - netdiag without a Shell: a menu that stays until it is told to leave. */
#include "menu.h"

#include <efilib.h>
#include <string.h>

#include "../args.h"
#include "../console.h"
#include "line_edit.h"
#include "menu_state.h"
#include "../screen.h"

#define PROMPT     "netdiag> "
#define WORDS_MAX  64
#define VIEW_MAX   (LINE_EDIT_SIZE - 1U)
#define VIEW_MIN   8U
#define PROMPT_END ((uint32_t)sizeof(PROMPT) - 1U)

static struct menu menu;
static struct line_edit edit;

/* Running -------------------------------------------------------------------------------------------------------- */

/* One line, which is cut into words in place. A user may type the program's name as in the Shell. */
static EFI_STATUS run_line(const struct menu_host *host, char *line) {
  char *words[WORDS_MAX + 1];
  int count = args_split(line, words, WORDS_MAX + 1);
  if(count > WORDS_MAX) {
    complain("the command line is too long: at most %d words", WORDS_MAX);
    return EFI_INVALID_PARAMETER;
  }
  int own = count > 0 && (text_same(words[0], "netdiag") || text_same(words[0], "netdiag.efi"));
  return host->run(count - own, words + own);
}

/* A key that a command was stopped with, or that was pressed meanwhile, does not end the wait. */
static EFI_STATUS pause(EFI_STATUS result) {
  struct key key;
  console_begin();
  if(result != EFI_SUCCESS) {
    out("Exit status 0x%x: %s. ", (UINT32)result, status_text(result));
  }
  out("Press a key for the menu. ");
  EFI_STATUS status = screen_wait_key(&key);
  out("\n");
  return status;
}

static EFI_STATUS run_entry(const struct menu_host *host) {
  char line[LINE_EDIT_SIZE];
  size_t length = strlen(menu_line(&menu));
  memcpy(line, menu_line(&menu), length + 1U);
  screen_clear();
  screen_put("netdiag ", false);
  screen_put(line, false);
  screen_put("\n", false);
  screen_cursor(0, screen_row(), true);
  return pause(run_line(host, line));
}

/* Command line --------------------------------------------------------------------------------------------------- */

static void draw_prompt(uint32_t row) {
  char view[VIEW_MAX + 1U];
  uint32_t columns;
  uint32_t rows;
  screen_size(&columns, &rows);
  uint32_t width = columns > PROMPT_END + VIEW_MIN ? columns - 1U - PROMPT_END : VIEW_MIN;
  uint32_t cursor = line_edit_view(&edit, width < VIEW_MAX ? width : VIEW_MAX, view);
  screen_cursor(0, row, true);
  screen_put(PROMPT, false);
  screen_put(view, false);
  screen_cursor(PROMPT_END + cursor, row, true);
}

/* One line of the user's into `edit`; *step says how it ended. */
static EFI_STATUS read_line(enum line_edit_step *step) {
  uint32_t row = screen_row();
  EFI_STATUS status = EFI_SUCCESS;
  line_edit_begin(&edit);
  *step = LINE_EDIT_GOES_ON;
  while(*step == LINE_EDIT_GOES_ON && !EFI_ERROR(status)) {
    struct key key;
    draw_prompt(row);
    status = screen_wait_key(&key);
    *step = EFI_ERROR(status) ? LINE_EDIT_CANCELLED : line_edit_key(&edit, key);
  }
  screen_put("\n", false);
  return status;
}

static bool is_way_out(const char *line) {
  static const char *const words[] = {"menu", "exit", "quit", "leave"};
  for(size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    if(text_same(line, words[i])) {
      return true;
    }
  }
  return false;
}

/* Lines, one after the other, until the user wants the menu again. */
static EFI_STATUS type_lines(const struct menu_host *host) {
  EFI_STATUS status = EFI_SUCCESS;
  screen_clear();
  screen_put("A command of netdiag; 'help' lists them. Esc, or 'menu', goes back.\n", false);
  while(!EFI_ERROR(status)) {
    enum line_edit_step step;
    status = read_line(&step);
    if(step == LINE_EDIT_CANCELLED || is_way_out(edit.text)) {
      break;
    }
    if(!line_edit_is_blank(&edit)) {
      EFI_STATUS result = run_line(host, edit.text);
      if(result != EFI_SUCCESS) {
        out("Exit status 0x%x: %s\n", (UINT32)result, status_text(result));
      }
    }
  }
  return status;
}

/* Menu ----------------------------------------------------------------------------------------------------------- */

/* Only what is not on the screen already, or everything after something else was. */
static void draw_menu(const char *version, bool afresh) {
  static struct menu_page pages[2];
  static uint32_t newest;
  const struct menu_page *old = &pages[newest];
  struct menu_page *page = &pages[newest ^ 1U];
  uint32_t columns;
  uint32_t rows;
  screen_size(&columns, &rows);
  menu_render(&menu, version, columns, rows, page);
  newest ^= 1U;
  if(afresh) {
    screen_clear();
  }
  for(uint32_t i = 0; i < page->count; i++) {
    bool same = (i == page->marked) == (i == old->marked) && text_equal(page->lines[i], old->lines[i]);
    if(afresh || !same) {
      screen_cursor(0, i, false);
      screen_put(page->lines[i], i == page->marked);
      for(size_t left = strlen(page->lines[i]); !afresh && left < strlen(old->lines[i]); left++) {
        screen_put(" ", false);
      }
    }
  }
  screen_cursor(0, page->count, false);
}

static void reboot(void) {
  screen_clear();
  screen_cursor(0, 0, true);
  (void)RT->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
  menu_notice(&menu, "This firmware does not reset the machine.");
}

EFI_STATUS menu_stay(const struct menu_host *host, const char *notice) {
  enum menu_step step = MENU_STAYS;
  bool afresh = true;
  if(!ST->ConIn) {
    return EFI_UNSUPPORTED;
  }
  EFI_STATUS status = EFI_SUCCESS;
  menu_init(&menu, host->has);
  menu_notice(&menu, notice);
  line_edit_init(&edit);
  while(!EFI_ERROR(status) && step != MENU_LEAVES) {
    struct key key;
    draw_menu(host->version, afresh);
    status = screen_wait_key(&key);
    step = EFI_ERROR(status) ? MENU_STAYS : menu_key(&menu, key);
    if(step == MENU_RUNS) {
      status = run_entry(host);
    } else if(step == MENU_TYPES) {
      status = type_lines(host);
    } else if(step == MENU_REBOOTS) {
      reboot();
    }
    afresh = step != MENU_STAYS;
  }
  screen_clear();
  screen_cursor(0, 0, true);
  return status;
}
