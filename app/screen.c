/* screen.c - the console as a page: its size, lines at their places, and single keys. */
#include "screen.h"

#include "console.h"

#define COLUMNS_DEFAULT 80U
#define ROWS_DEFAULT    25U
#define PART_SIZE       128U
#define MARKED          (EFI_BLACK | EFI_BACKGROUND_LIGHTGRAY)

void screen_size(uint32_t *columns, uint32_t *rows) {
  if(!console_size(columns, rows) || *columns == 0 || *rows == 0) {
    *columns = COLUMNS_DEFAULT;
    *rows = ROWS_DEFAULT;
  }
}

void screen_clear(void) {
  console_clear();
}

static void put(const char *text) {
  CHAR16 wide[PART_SIZE + 2U];
  while(*text) {
    UINTN at = 0;
    for(; *text && at + 1U < PART_SIZE; text++) {
      if(*text == '\n') {
        wide[at++] = '\r';
      }
      wide[at++] = (CHAR16)*text;
    }
    wide[at] = 0;
    (void)ST->ConOut->OutputString(ST->ConOut, wide);
  }
}

void screen_put(const char *text, bool marked) {
  UINTN own = (UINTN)ST->ConOut->Mode->Attribute;
  if(marked) {
    (void)ST->ConOut->SetAttribute(ST->ConOut, MARKED);
  }
  put(text);
  if(marked) {
    (void)ST->ConOut->SetAttribute(ST->ConOut, own);
  }
}

void screen_cursor(uint32_t column, uint32_t row, bool visible) {
  (void)ST->ConOut->SetCursorPosition(ST->ConOut, column, row);
  (void)ST->ConOut->EnableCursor(ST->ConOut, visible);
}

uint32_t screen_row(void) {
  return (uint32_t)ST->ConOut->Mode->CursorRow;
}

EFI_STATUS screen_wait_key(struct key *key) {
  EFI_INPUT_KEY pressed;
  EFI_STATUS status = ST->ConIn ? ST->ConIn->ReadKeyStroke(ST->ConIn, &pressed) : EFI_UNSUPPORTED;
  while(status == EFI_NOT_READY) {
    UINTN index;
    status = BS->WaitForEvent(1, &ST->ConIn->WaitForKey, &index);
    status = EFI_ERROR(status) ? status : ST->ConIn->ReadKeyStroke(ST->ConIn, &pressed);
  }
  if(!EFI_ERROR(status)) {
    *key = (struct key){.scan = pressed.ScanCode, .character = pressed.UnicodeChar};
  }
  return status;
}
