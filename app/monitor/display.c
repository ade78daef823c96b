/* display.c - pages on the firmware's text console. */
#include "display.h"

#include <string.h>

static void put(void *ctx, uint32_t column, uint32_t row, const char *cells, uint32_t length) {
  struct display *display = ctx;
  CHAR16 wide[PAGE_COLUMNS_MAX + 1U];
  for(uint32_t i = 0; i < length; i++) {
    wide[i] = page_glyph(cells[i], display->boxes);
  }
  wide[length] = 0;
  (void)ST->ConOut->SetCursorPosition(ST->ConOut, column, row);
  (void)ST->ConOut->OutputString(ST->ConOut, wide);
  display->written += length;
}

/* All that a page may use, or none of it. Not without graphics: a serial terminal says that it has them, and sends what
 * a PC of 1981 shows as boxes, which is nothing in UTF-8. */
static bool has_boxes(void) {
  EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
  VOID *graphics;
  if(EFI_ERROR(BS->LocateProtocol(&guid, NULL, &graphics))) {
    return false;
  }
  CHAR16 wanted[] = {page_glyph(PAGE_FULL, true), page_glyph(PAGE_HALF, true), page_glyph(PAGE_LINE, true), 0};
  return !EFI_ERROR(ST->ConOut->TestString(ST->ConOut, wanted));
}

void display_begin(struct display *display) {
  memset(display, 0, sizeof(*display));
  display->cursor = ST->ConOut->Mode->CursorVisible;
  display->boxes = has_boxes();
  (void)ST->ConOut->EnableCursor(ST->ConOut, FALSE);
  display_forget(display);
}

void display_forget(struct display *display) {
  display->anything = false;
  (void)ST->ConOut->ClearScreen(ST->ConOut);
}

void display_draw(struct display *display) {
  if(page_changes(display->anything ? &display->shown : NULL, &display->next, put, display) > 0) {
    (void)ST->ConOut->SetCursorPosition(ST->ConOut, 0, display->next.rows - 1U);
  }
  display->shown = display->next;
  display->anything = true;
}

void display_end(struct display *display) {
  CHAR16 line_end[] = L"\r\n";
  if(display->anything) {
    (void)ST->ConOut->SetCursorPosition(ST->ConOut, 0, display->next.rows - 1U);
  }
  (void)ST->ConOut->OutputString(ST->ConOut, line_end);
  (void)ST->ConOut->EnableCursor(ST->ConOut, display->cursor);
}
