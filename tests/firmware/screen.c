/* screen.c - what a person sees on the fake firmware's console: its cells, its cursor, and where they are written. */
#include "programs_internal.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 160U
#define ROWS_MAX    64U

static struct {
  UINTN columns;
  UINTN rows;
  UINTN scrolled; /* lines that went out at the top */
  UINTN drawn;    /* characters                     */
  char cells[ROWS_MAX][COLUMNS_MAX];
} screen;
static SIMPLE_TEXT_OUTPUT_MODE *mode;
static const SIMPLE_TEXT_OUTPUT_INTERFACE *owner;

static void check(const char *service, const SIMPLE_TEXT_OUTPUT_INTERFACE *this) {
  check_service(service, TPL_NOTIFY);
  if(this != owner) {
    firmware_abort("a service of the screen's called on something else", this);
  }
}

static void wipe_row(UINTN row) {
  memset(screen.cells[row], ' ', screen.columns);
}

static void new_line(void) {
  if((UINTN)mode->CursorRow + 1U < screen.rows) {
    mode->CursorRow++;
    return;
  }
  memmove(screen.cells[0], screen.cells[1], (screen.rows - 1U) * COLUMNS_MAX);
  wipe_row(screen.rows - 1U);
  screen.scrolled++;
}

/* UEFI 2.10, 12.4: a character behind the last column begins a new line. */
void screen_show(CHAR16 character) {
  switch(character) {
  case '\r':
    mode->CursorColumn = 0;
    break;
  case '\n':
    new_line();
    break;
  case '\b':
    mode->CursorColumn -= mode->CursorColumn > 0;
    break;
  default:
    screen.cells[mode->CursorRow][mode->CursorColumn] = (char)character;
    screen.drawn++;
    if((UINTN)++mode->CursorColumn == screen.columns) {
      mode->CursorColumn = 0;
      new_line();
    }
    break;
  }
}

static EFI_STATUS EFIAPI clear_screen(SIMPLE_TEXT_OUTPUT_INTERFACE *this) {
  check("ClearScreen", this);
  for(UINTN row = 0; row < screen.rows; row++) {
    wipe_row(row);
  }
  mode->CursorColumn = mode->CursorRow = 0;
  console_mark('\f');
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_cursor(SIMPLE_TEXT_OUTPUT_INTERFACE *this, UINTN column, UINTN row) {
  check("SetCursorPosition", this);
  if(column >= screen.columns || row >= screen.rows) {
    firmware_abort("SetCursorPosition: beyond the screen", (const void *)(column << 16 | row));
  }
  mode->CursorColumn = (INT32)column;
  mode->CursorRow = (INT32)row;
  console_mark('\v');
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI enable_cursor(SIMPLE_TEXT_OUTPUT_INTERFACE *this, BOOLEAN visible) {
  check("EnableCursor", this);
  mode->CursorVisible = visible;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_attribute(SIMPLE_TEXT_OUTPUT_INTERFACE *this, UINTN attribute) {
  check("SetAttribute", this);
  if(attribute > 0x7F) {
    firmware_abort("SetAttribute: no colour", (const void *)attribute);
  }
  mode->Attribute = (INT32)attribute;
  return EFI_SUCCESS;
}

/* ASCII and nothing else. */
static EFI_STATUS EFIAPI test_string(SIMPLE_TEXT_OUTPUT_INTERFACE *this, CHAR16 *string) {
  check("TestString", this);
  for(; *string; string++) {
    if(*string >= 0x80) {
      return EFI_UNSUPPORTED;
    }
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI query_mode(SIMPLE_TEXT_OUTPUT_INTERFACE *this, UINTN number, UINTN *columns, UINTN *rows) {
  (void)this;
  check_service("QueryMode", TPL_NOTIFY);
  *columns = screen.columns;
  *rows = screen.rows;
  return number == 0 ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

void screen_begin(SIMPLE_TEXT_OUTPUT_INTERFACE *console) {
  owner = console;
  mode = console->Mode;
  *mode = (SIMPLE_TEXT_OUTPUT_MODE){.MaxMode = 1, .Attribute = EFI_LIGHTGRAY, .CursorVisible = TRUE};
  console->QueryMode = query_mode;
  console->TestString = test_string;
  console->SetAttribute = set_attribute;
  console->ClearScreen = clear_screen;
  console->SetCursorPosition = set_cursor;
  console->EnableCursor = enable_cursor;
  console_size(80, 25);
}

void console_size(UINTN columns, UINTN rows) {
  if(columns > COLUMNS_MAX || rows > ROWS_MAX || columns == 0 || rows == 0) {
    abort();
  }
  screen.columns = columns;
  screen.rows = rows;
  screen.scrolled = screen.drawn = 0;
  for(UINTN row = 0; row < rows; row++) {
    wipe_row(row);
  }
  mode->CursorColumn = mode->CursorRow = 0;
}

const char *console_row(UINTN row) {
  static char text[COLUMNS_MAX + 1U];
  UINTN length = screen.columns;
  memcpy(text, screen.cells[row], length);
  while(length > 0 && text[length - 1U] == ' ') {
    length--;
  }
  text[length] = '\0';
  return text;
}

UINTN console_scrolled(void) {
  return screen.scrolled;
}

UINTN console_drawn(void) {
  return screen.drawn;
}

const SIMPLE_TEXT_OUTPUT_MODE *console_mode(void) {
  return mode;
}
