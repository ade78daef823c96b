/* console.c - text out, keys in. */
#include "console.h"

#include <efishell.h>
#include <string.h>

#include "../driver/lib/format.h"
#include "wrap.h"

#define LINE_SIZE     512U
#define WRAPPED_SIZE  (LINE_SIZE + LINE_SIZE / 2U) /* with line ends and indentation */
#define SCAN_ESCAPE   0x17U
#define KEY_CONTROL_C 0x03U
#define COMPLAINT     "netdiag: "
#define PAGE_PROMPT   "-- any key: more, Q: stop --"

static bool aborted;
static char pressed;      /* the last key that was none of those, 0 for none */
static bool errors_apart; /* complaints go to ST->StdErr */
static bool to_screen;    /* the output goes to no file  */
static bool colours;

/* While the output is a document of its own. */
static struct {
  bool open;
  void (*told)(const char *complaint);
} document;

static struct {
  bool on;
  bool stopped;     /* the rest is not wanted    */
  UINTN rows;       /* of the screen             */
  uint32_t printed; /* lines since the last stop */
} page;

/* A column of its own for each device, for lines that are put together. */
static uint32_t out_column;
static uint32_t error_column;

/* Where text goes ------------------------------------------------------------------------------------------------ */

/* The Shell's file functions know nothing of a console; of a file they do. */
static bool is_file(EFI_SHELL_PROTOCOL *shell, SHELL_FILE_HANDLE handle) {
  EFI_FILE_INFO *info = handle ? shell->GetFileInfo(handle) : NULL;
  if(info) {
    FreePool(info);
  }
  return info != NULL;
}

static EFI_SHELL_PROTOCOL *find_shell(void) {
  EFI_GUID guid = EFI_SHELL_PROTOCOL_GUID;
  EFI_SHELL_PROTOCOL *shell;
  return EFI_ERROR(BS->LocateProtocol(&guid, NULL, (VOID **)&shell)) ? NULL : shell;
}

void console_init(EFI_HANDLE image, bool paged) {
  EFI_GUID guid = EFI_SHELL_PARAMETERS_PROTOCOL_GUID;
  EFI_SHELL_PARAMETERS_PROTOCOL *parameters;
  EFI_SHELL_PROTOCOL *shell = find_shell();
  bool out_to_file = false;
  UINTN columns;
  if(shell && !EFI_ERROR(BS->HandleProtocol(image, &guid, (VOID **)&parameters))) {
    out_to_file = is_file(shell, parameters->StdOut);
    errors_apart = ST->StdErr && (out_to_file || is_file(shell, parameters->StdErr));
  }
  to_screen = !out_to_file;
  colours = to_screen;
  page.on = paged && !out_to_file && ST->ConIn &&
            !EFI_ERROR(ST->ConOut->QueryMode(ST->ConOut, (UINTN)ST->ConOut->Mode->Mode, &columns, &page.rows)) &&
            page.rows > 1;
  page.stopped = false;
  page.printed = 0;
}

static void emit(SIMPLE_TEXT_OUTPUT_INTERFACE *device, const char *text, UINTN length) {
  CHAR16 wide[WRAPPED_SIZE + 2U];
  UINTN at = 0;
  for(UINTN i = 0; i < length; i++) {
    if(text[i] == '\n') {
      wide[at++] = '\r'; /* a line end is the last of what is given, so that there is room for one */
    }
    wide[at++] = (CHAR16)text[i];
  }
  wide[at] = 0;
  (void)device->OutputString(device, wide);
}

/* Pages ---------------------------------------------------------------------------------------------------------- */

static bool wants_to_stop(const EFI_INPUT_KEY *key) {
  return key->ScanCode == SCAN_ESCAPE || key->UnicodeChar == KEY_CONTROL_C;
}

/* The Shell takes Ctrl-C from the keyboard for itself and signals this event; without it we get the character. */
static EFI_EVENT shell_break(void) {
  const EFI_SHELL_PROTOCOL *shell = find_shell();
  return shell ? shell->ExecutionBreak : NULL;
}

/* Waits for a key. Timer events above us could not be waited for: their lines just scroll. */
static void end_page(void) {
  EFI_EVENT events[] = {ST->ConIn->WaitForKey, shell_break()};
  EFI_TPL tpl = BS->RaiseTPL(TPL_HIGH_LEVEL);
  BS->RestoreTPL(tpl);
  if(tpl != TPL_APPLICATION) {
    return;
  }
  emit(ST->ConOut, PAGE_PROMPT, sizeof(PAGE_PROMPT) - 1U);
  EFI_INPUT_KEY key;
  EFI_STATUS status = ST->ConIn->ReadKeyStroke(ST->ConIn, &key);
  while(status == EFI_NOT_READY && !page.stopped) {
    UINTN index;
    page.stopped = EFI_ERROR(BS->WaitForEvent(events[1] ? 2U : 1U, events, &index)) || index == 1U;
    status = page.stopped ? EFI_ABORTED : ST->ConIn->ReadKeyStroke(ST->ConIn, &key);
  }
  page.stopped = EFI_ERROR(status) || wants_to_stop(&key) || key.UnicodeChar == 'q' || key.UnicodeChar == 'Q';
  page.printed = 0;
  emit(ST->ConOut, "\n", 1);
}

/* Output --------------------------------------------------------------------------------------------------------- */

static UINTN line_length(const char *text) {
  UINTN length = 0;
  while(text[length] && text[length] != '\n') {
    length++;
  }
  return length + (text[length] == '\n');
}

/* Line by line, so that a page ends where it should. */
static void emit_lines(SIMPLE_TEXT_OUTPUT_INTERFACE *device, const char *text, bool paged) {
  while(*text && !(paged && page.stopped)) {
    UINTN length = line_length(text);
    emit(device, text, length);
    text += length;
    page.printed += paged && text[-1] == '\n';
    if(page.on && page.printed + 1U >= page.rows) {
      end_page();
    }
  }
}

/* What is printed beside a document has no place on its device. */
static void print_line(bool error, uint32_t hang, const char *line) {
  char wrapped[WRAPPED_SIZE];
  bool apart = document.open || (error && errors_apart);
  SIMPLE_TEXT_OUTPUT_INTERFACE *device = apart ? ST->StdErr : ST->ConOut;
  if(device) {
    (void)wrap_text(wrapped, sizeof(wrapped), line, hang, apart ? &error_column : &out_column);
    emit_lines(device, wrapped, !error && !apart);
  }
}

static void print(bool error, uint32_t hang, const char *format, va_list arguments) {
  char line[LINE_SIZE];
  format_text(line, sizeof(line), format, arguments);
  print_line(error, hang, line);
}

void out(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(false, CONSOLE_HANG, format, arguments);
  va_end(arguments);
}

void out_hanging(uint32_t hang, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(false, hang, format, arguments);
  va_end(arguments);
}

void out_error(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(true, CONSOLE_HANG, format, arguments);
  va_end(arguments);
}

void complain(const char *format, ...) {
  char line[LINE_SIZE];
  va_list arguments;
  va_start(arguments, format);
  format_text(line, sizeof(line), format, arguments);
  va_end(arguments);
  print_line(true, CONSOLE_HANG, COMPLAINT);
  print_line(true, CONSOLE_HANG, line);
  print_line(true, CONSOLE_HANG, "\n");
  if(document.told) {
    document.told(line);
  }
}

/* Colours -------------------------------------------------------------------------------------------------------- */

void console_no_colour(void) {
  colours = false;
}

/* The colour of a tone on the background that is there; `own` where none can be read on it. */
static UINTN tone_attribute(enum console_tone tone, UINTN own) {
  static const UINTN foregrounds[] = {[TONE_OK] = EFI_LIGHTGREEN, [TONE_WARN] = EFI_YELLOW, [TONE_BAD] = EFI_LIGHTRED};
  UINTN background = own & 0x70U;
  bool dark = background == EFI_BACKGROUND_BLACK || background == EFI_BACKGROUND_BLUE;
  return tone == TONE_PLAIN || !dark ? own : background | foregrounds[tone];
}

void out_toned(enum console_tone tone, const char *format, ...) {
  SIMPLE_TEXT_OUTPUT_INTERFACE *screen = ST->ConOut;
  va_list arguments;
  bool coloured = colours && !document.open && screen->Mode;
  UINTN own = coloured ? (UINTN)screen->Mode->Attribute : 0;
  coloured = coloured && tone_attribute(tone, own) != own;
  if(coloured) {
    (void)screen->SetAttribute(screen, tone_attribute(tone, own));
  }
  va_start(arguments, format);
  print(false, CONSOLE_HANG, format, arguments);
  va_end(arguments);
  if(coloured) {
    (void)screen->SetAttribute(screen, own);
  }
}

/* Documents ------------------------------------------------------------------------------------------------------ */

void console_begin_document(void (*told)(const char *complaint)) {
  document.open = true;
  document.told = told;
}

void console_end_document(void) {
  document.open = false;
  document.told = NULL;
}

void console_put_document(const char *text, size_t length) {
  char line[LINE_SIZE];
  while(length > 0) {
    size_t part = length < LINE_SIZE ? length : LINE_SIZE - 1U;
    memcpy(line, text, part);
    line[part] = '\0';
    emit_lines(ST->ConOut, line, true);
    text += part;
    length -= part;
  }
}

/* Progress ------------------------------------------------------------------------------------------------------- */

void out_over(const char *format, ...) {
  static UINTN shown; /* columns that hold something */
  char line[WRAP_COLUMNS + 2U];
  va_list arguments;
  if(!to_screen || document.open) {
    return;
  }
  va_start(arguments, format);
  (void)format_text(line + 1, WRAP_COLUMNS + 1U, format, arguments);
  va_end(arguments);
  line[0] = '\r';
  UINTN length = strlen(line + 1);
  UINTN end = length;
  while(end < shown) {
    line[1U + end++] = ' ';
  }
  emit(ST->ConOut, line, 1U + end);
  if(length == 0) {
    emit(ST->ConOut, "\r", 1);
  }
  shown = length;
}

/* Screens -------------------------------------------------------------------------------------------------------- */

bool console_size(uint32_t *columns, uint32_t *rows) {
  UINTN size[2];
  if(!to_screen || !ST->ConOut->Mode ||
     EFI_ERROR(ST->ConOut->QueryMode(ST->ConOut, (UINTN)ST->ConOut->Mode->Mode, &size[0], &size[1]))) {
    return false;
  }
  *columns = (uint32_t)size[0];
  *rows = (uint32_t)size[1];
  return true;
}

void console_clear(void) {
  (void)ST->ConOut->ClearScreen(ST->ConOut);
  out_column = 0;
}

void console_goto(uint32_t column, uint32_t row) {
  (void)ST->ConOut->SetCursorPosition(ST->ConOut, column, row);
  out_column = column;
}

bool console_aborted(void) {
  EFI_INPUT_KEY key;
  EFI_EVENT shell = shell_break();
  while(!EFI_ERROR(ST->ConIn->ReadKeyStroke(ST->ConIn, &key))) {
    aborted = aborted || wants_to_stop(&key);
    if(key.UnicodeChar >= ' ' && key.UnicodeChar < 0x7F) {
      pressed = (char)key.UnicodeChar;
    }
  }
  aborted = aborted || page.stopped || (shell && BS->CheckEvent(shell) == EFI_SUCCESS);
  return aborted;
}

void console_begin(void) {
  (void)console_aborted();
  aborted = false;
  pressed = 0;
}

char console_key(bool take) {
  char key = pressed;
  if(take) {
    pressed = 0;
  }
  return key;
}
