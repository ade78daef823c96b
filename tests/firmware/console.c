/* console.c - the fake firmware's console: what is printed is kept as text, and keys are pressed at a given time. */
#include "programs_internal.h"

#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 64U

struct text {
  char *bytes;
  UINT8 *attributes; /* of each byte */
  size_t length;
  size_t room;
};

static struct text all;
static struct text screen;
static struct text errors;
static EFI_INPUT_KEY keys[KEYS_MAX]; /* pressed and not read */
static UINTN key_count;
static EFI_EVENT wait_for_key;
static UINT64 us_per_character;

static SIMPLE_TEXT_OUTPUT_MODE mode;

/* Out ------------------------------------------------------------------------------------------------------------ */

static void put(struct text *text, char c) {
  if(text->length + 2U > text->room) {
    text->room = text->room ? 2U * text->room : 4096U;
    text->bytes = realloc(text->bytes, text->room);
    text->attributes = realloc(text->attributes, text->room);
    if(!text->bytes || !text->attributes) {
      abort();
    }
  }
  text->attributes[text->length] = (UINT8)mode.Attribute;
  text->bytes[text->length++] = c;
  text->bytes[text->length] = '\0';
}

static SIMPLE_TEXT_OUTPUT_INTERFACE con_out;
static SIMPLE_TEXT_OUTPUT_INTERFACE std_err;

static EFI_STATUS EFIAPI output_string(SIMPLE_TEXT_OUTPUT_INTERFACE *this, CHAR16 *string) {
  check_service("OutputString", TPL_NOTIFY);
  if(this != &con_out && this != &std_err) {
    firmware_abort("OutputString: no console of ours", this);
  }
  for(; *string; string++) {
    if(*string >= 0x80) {
      firmware_abort("OutputString: not ASCII", string);
    }
    if(*string != '\r' || string[1] != '\n') {
      put(&all, (char)*string);
      put(this == &std_err ? &errors : &screen, (char)*string);
    }
    screen_show(*string);
    if(us_per_character) {
      clock_pass(us_per_character);
    }
  }
  return EFI_SUCCESS;
}

void console_mark(char mark) {
  put(&all, mark);
}

UINTN console_attribute(const char *printed) {
  const char *at = printed ? strstr(console_text(), printed) : NULL;
  if(printed && !at) {
    firmware_abort("console_attribute: not printed", printed);
  }
  return at ? all.attributes[at - all.bytes] : (UINTN)mode.Attribute;
}

void console_slow(UINT64 us) {
  us_per_character = us;
}

const char *console_text(void) {
  return all.bytes ? all.bytes : "";
}

const char *console_output(void) {
  return screen.bytes ? screen.bytes : "";
}

const char *console_errors(void) {
  return errors.bytes ? errors.bytes : "";
}

static void forget(struct text *text) {
  free(text->bytes);
  free(text->attributes);
  *text = (struct text){0};
}

void console_forget(void) {
  forget(&all);
  forget(&screen);
  forget(&errors);
}

/* In ------------------------------------------------------------------------------------------------------------- */

static SIMPLE_INPUT_INTERFACE con_in;

static EFI_STATUS EFIAPI read_key(SIMPLE_INPUT_INTERFACE *this, EFI_INPUT_KEY *key) {
  (void)this;
  check_service("ReadKeyStroke", TPL_APPLICATION); /* UEFI 2.10, table 7.2 */
  if(key_count == 0) {
    return EFI_NOT_READY;
  }
  *key = keys[0];
  memmove(keys, keys + 1, --key_count * sizeof(keys[0]));
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI reset_input(SIMPLE_INPUT_INTERFACE *this, BOOLEAN extended) {
  (void)this;
  (void)extended;
  check_service("Reset", TPL_APPLICATION);
  key_count = 0;
  return EFI_SUCCESS;
}

static VOID EFIAPI check_key(EFI_EVENT event, VOID *context) {
  (void)context;
  if(key_count > 0) {
    (void)BS->SignalEvent(event);
  }
}

static void press(void *ctx) {
  uintptr_t key = (uintptr_t)ctx;
  if(key_count < KEYS_MAX) {
    keys[key_count++] = (EFI_INPUT_KEY){.ScanCode = (UINT16)(key >> 16), .UnicodeChar = (CHAR16)key};
  }
}

void console_press(UINT64 at_us, UINT16 scan_code, CHAR16 character) {
  programs_at(at_us, press, (void *)((uintptr_t)scan_code << 16 | character));
}

UINT64 console_type(UINT64 at_us, UINT64 each_us, const char *text) {
  for(; *text; text++, at_us += each_us) {
    console_press(at_us, 0, (CHAR16)*text);
  }
  return at_us;
}

/* Life ----------------------------------------------------------------------------------------------------------- */

void console_begin_mode(EFI_SYSTEM_TABLE *system) {
  con_out = (SIMPLE_TEXT_OUTPUT_INTERFACE){.OutputString = output_string, .Mode = &mode};
  screen_begin(&con_out);
  std_err = con_out;
  key_count = 0;
  us_per_character = 0;
  wait_for_key = programs_event(EVT_NOTIFY_WAIT, TPL_NOTIFY, check_key, NULL);
  con_in = (SIMPLE_INPUT_INTERFACE){.Reset = reset_input, .ReadKeyStroke = read_key, .WaitForKey = wait_for_key};
  system->ConOut = &con_out;
  system->StdErr = &std_err;
  system->ConIn = &con_in;
}

void console_end_mode(void) {
  programs_drop_event(wait_for_key);
  console_forget();
}
