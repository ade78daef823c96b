/* console.h - text out, keys in. */
#ifndef APP_CONSOLE_H
#define APP_CONSOLE_H

#include <efi.h>
#include <efilib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../driver/lib/texts.h"

/* Finds out where the Shell sends what `image` prints. `paged` stops after each screen until a key is pressed, unless
 * the output goes to a file. First of all calls, and again before each command of several: pages begin anew. */
void console_init(EFI_HANDLE image, bool paged);

/* Prints; the conversions are format.h's. Lines that are longer than 79 columns are broken at blanks (wrap.h), and go
 * on CONSOLE_HANG columns from the left. TPL_NOTIFY or lower; pages end at TPL_APPLICATION only. */
#define CONSOLE_HANG 8U
void out(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, going on `hang` columns from the left. */
void out_hanging(uint32_t hang, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same to where errors go: to the standard error device when the Shell redirects it or the output, so that a
 * complaint does not end in the file, and else to the console, for many firmwares show nobody their error device. */
void out_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* out_error with "netdiag: " before and a newline behind. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What a text means: its colour, where the console has colours and the background is a dark one; not in a file, and not
 * after console_no_colour. The console's own colours are back when this returns, so that no way out leaves others. */
enum console_tone {
  TONE_PLAIN,
  TONE_OK,   /* green: as it should be           */
  TONE_WARN, /* yellow: look at this             */
  TONE_BAD,  /* red: this is what is wrong       */
};
void out_toned(enum console_tone tone, const char *format, ...) __attribute__((format(printf, 2, 3)));
void console_no_colour(void);

/* From now on the output is a document of its own (app/report): what out prints goes where complaints go, and those to
 * the standard error device always; `told` (or NULL) is called with each complaint's text. console_end_document ends
 * that. */
void console_begin_document(void (*told)(const char *complaint));
void console_end_document(void);

/* Puts `length` characters of the document out as they are: no line is broken. A line end is the last of them. */
void console_put_document(const char *text, size_t length);

/* A line over the one where the cursor stands, for progress; with "" it is gone again, which it must be before other
 * text. On a screen only: not in a file, nor beside a document. TPL_APPLICATION. */
void out_over(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Pages that are drawn again and again. True when the console can, which a file cannot; *columns and *rows are its
 * size, of which the last column and row had better stay empty. */
bool console_size(uint32_t *columns, uint32_t *rows);

/* Empties the screen. */
void console_clear(void);

/* Where the next text begins, from 0, 0 at the top left. */
void console_goto(uint32_t column, uint32_t row);

/* "Time out"; valid until the next call. */
const char *status_text(EFI_STATUS status);

/* True once Esc or Ctrl-C was pressed since console_begin, or Q at the end of a page; of other keys the last one is
 * kept for console_key. */
bool console_aborted(void);

/* The last printable key that console_aborted saw, 0 for none; with `take` it is forgotten. */
char console_key(bool take);

/* Forgets keys pressed so far. */
void console_begin(void);

#endif
