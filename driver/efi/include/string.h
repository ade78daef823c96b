/* string.h - what libc.c has of it. The host's own is for programs of the host, and not there for every processor. */
#ifndef EFI_STRING_H
#define EFI_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int value, size_t size);
void *memmove(void *to, const void *from, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);

#endif
