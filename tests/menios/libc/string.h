/* string.h - what the driver uses of menios'. */
#ifndef MENIOS_STUB_STRING_H
#define MENIOS_STUB_STRING_H

#include <types.h>

void *memcpy(void *dst, const void *src, size_t len);
void *memset(void *dst, int32_t c, size_t len);
void *memmove(void *dst, const void *src, size_t len);
int memcmp(const void *s1, const void *s2, size_t len);
size_t strlen(const char *s);

#endif
