/* console.c - text out, keys in. */
#include "console.h"

#include <efishell.h>

#include "../driver/lib/format.h"

#define LINE_SIZE     512U
#define STATUS_SIZE   64U /* what gnu-efi's StatusToString needs at the most */
#define SCAN_ESCAPE   0x17U
#define KEY_CONTROL_C 0x03U

static bool aborted;

static void print_line(const char *format, va_list arguments) {
  char line[LINE_SIZE];
  format_text(line, sizeof(line), format, arguments);
  Print(L"%a", line);
}

void out(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_line(format, arguments);
  va_end(arguments);
}

void complain(const char *format, ...) {
  va_list arguments;
  out("netdiag: ");
  va_start(arguments, format);
  print_line(format, arguments);
  va_end(arguments);
  out("\n");
}

const char *status_text(EFI_STATUS status) {
  static char text[STATUS_SIZE];
  CHAR16 wide[STATUS_SIZE];
  StatusToString(wide, status);
  UINTN i = 0;
  for(; wide[i] && i + 1 < STATUS_SIZE; i++) {
    text[i] = (char)wide[i];
  }
  text[i] = '\0';
  return text;
}

const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  for(UINTN i = 0; i < 6; i++) {
    text[3 * i] = digits[mac[i] >> 4];
    text[3 * i + 1] = digits[mac[i] & 15];
    text[3 * i + 2] = i < 5 ? ':' : '\0';
  }
  return text;
}

const char *ipv4_text(uint32_t address, char text[IPV4_TEXT_SIZE]) {
  UINTN at = 0;
  for(UINTN i = 0; i < 4; i++) {
    uint32_t byte = address >> (24 - 8 * i) & 0xFF;
    if(byte >= 100) {
      text[at++] = (char)('0' + byte / 100);
    }
    if(byte >= 10) {
      text[at++] = (char)('0' + byte / 10 % 10);
    }
    text[at++] = (char)('0' + byte % 10);
    text[at++] = i < 3 ? '.' : '\0';
  }
  return text;
}

/* The Shell takes Ctrl-C from the keyboard for itself and signals this event; a bare firmware hands us
 * the character. */
static bool shell_break(void) {
  EFI_GUID guid = EFI_SHELL_PROTOCOL_GUID;
  EFI_SHELL_PROTOCOL *shell;
  return !EFI_ERROR(BS->LocateProtocol(&guid, NULL, (VOID **)&shell)) && shell->ExecutionBreak &&
         BS->CheckEvent(shell->ExecutionBreak) == EFI_SUCCESS;
}

bool console_aborted(void) {
  EFI_INPUT_KEY key;
  while(!EFI_ERROR(ST->ConIn->ReadKeyStroke(ST->ConIn, &key))) {
    if(key.ScanCode == SCAN_ESCAPE || key.UnicodeChar == KEY_CONTROL_C) {
      aborted = true;
    }
  }
  if(!aborted && shell_break()) {
    aborted = true;
  }
  return aborted;
}

void console_begin(void) {
  (void)console_aborted();
  aborted = false;
}
