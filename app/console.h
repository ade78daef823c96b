/* console.h - text out, keys in. */
#ifndef APP_CONSOLE_H
#define APP_CONSOLE_H

#include <efi.h>
#include <efilib.h>
#include <stdbool.h>

/* Prints; the conversions are format.h's. */
void out(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with "netdiag: " before and a newline behind. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "Time out"; valid until the next call. */
const char *status_text(EFI_STATUS status);

/* "52:54:00:12:34:56" into `text`, which it returns. */
#define MAC_TEXT_SIZE 18U
const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT_SIZE]);

/* "10.0.2.2" */
#define IPV4_TEXT_SIZE 16U
const char *ipv4_text(uint32_t address, char text[IPV4_TEXT_SIZE]);

/* True once Esc or Ctrl-C was pressed since console_begin; other keys are swallowed. */
bool console_aborted(void);

/* Forgets keys pressed so far. */
void console_begin(void);

#endif
