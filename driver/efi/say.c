/* say.c - a line on the firmware's console. */
#include "say.h"

#include <efi.h>
#include <efilib.h>

#include "../lib/format.h"

void say(const char *format, ...) {
  char text[SAY_SIZE];
  CHAR16 wide[SAY_SIZE];
  va_list arguments;
  if(!ST->ConOut) {
    return;
  }
  va_start(arguments, format);
  (void)format_text(text, sizeof(text), format, arguments);
  va_end(arguments);
  UINTN length = 0;
  do {
    wide[length] = (CHAR16)text[length];
  } while(text[length++]);
  (void)ST->ConOut->OutputString(ST->ConOut, wide);
}
