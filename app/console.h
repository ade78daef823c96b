/* console.h - text out, keys in. */
#ifndef APP_CONSOLE_H
#define APP_CONSOLE_H

#include <efi.h>
#include <efilib.h>
#include <stdbool.h>
#include <stdint.h>

/* Finds out where the Shell sends what `image` prints. `paged` stops after each screen until a key is pressed, unless
 * the output goes to a file. First of all calls. */
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

/* "Time out"; valid until the next call. */
const char *status_text(EFI_STATUS status);

/* "52:54:00:12:34:56" into `text`, which it returns. */
#define MAC_TEXT_SIZE 18U
const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT_SIZE]);

/* "10.0.2.2" */
#define IPV4_TEXT_SIZE 16U
const char *ipv4_text(uint32_t address, char text[IPV4_TEXT_SIZE]);

/* True once Esc or Ctrl-C was pressed since console_begin, or Q at the end of a page; other keys are swallowed. */
bool console_aborted(void);

/* Forgets keys pressed so far. */
void console_begin(void);

#endif
