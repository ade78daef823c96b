/* format.h - the part of printf that netdiag needs, so that the compiler checks every format. Pure C, tested on the
 * host. */
#ifndef APP_FORMAT_H
#define APP_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * C11 7.21.6.12 for the conversions %c %s %d %u %x %% with the flags '-' and '0', a decimal field width, and the length
 * modifiers l, ll, z and j. A uint64_t is %ju: that is what it is on every processor, and the compiler sees it; a UINTN
 * is %zu. Always terminates; returns the length it would have had with room enough. Anything else in the format is
 * copied as it stands.
 */
size_t format_text(char *buffer, size_t size, const char *format, va_list arguments);

/* The same with the arguments in place. */
size_t format_into(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
