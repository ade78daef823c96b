/* libc.c - the functions of string.h that the C code here uses: gnu-efi lacks most of them, and its memcpy and memset
 * go byte by byte. */
#include <stdint.h>
#include <string.h>

/* Keeps the compiler from recognising the loop and calling the very function it stands in. */
#define NO_IDIOM() __asm__ volatile("")

/* A word anywhere in memory, of any type: x86 and AArch64 read and write those as fast as aligned ones, where memory is
 * cached. Nothing here is called for a device's registers. */
struct __attribute__((packed, may_alias)) word {
  uint64_t value;
};
#define WORD  sizeof(struct word)
#define BLOCK (4U * WORD)

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  unsigned char *d = to;
  const unsigned char *s = from;
  for(; size >= BLOCK; size -= BLOCK, d += BLOCK, s += BLOCK) {
    const struct word *source = (const struct word *)s;
    struct word *target = (struct word *)d;
    const struct word words[] = {source[0], source[1], source[2], source[3]};
    target[0] = words[0];
    target[1] = words[1];
    target[2] = words[2];
    target[3] = words[3];
  }
  for(; size >= WORD; size -= WORD, d += WORD, s += WORD) {
    NO_IDIOM();
    *(struct word *)d = *(const struct word *)s;
  }
  for(; size > 0; size--, d++, s++) {
    NO_IDIOM();
    *d = *s;
  }
  return to;
}

void *memset(void *to, int value, size_t size) {
  unsigned char *d = to;
  const struct word pattern = {(unsigned char)value * 0x0101010101010101U};
  for(; size >= WORD; size -= WORD, d += WORD) {
    NO_IDIOM();
    *(struct word *)d = pattern;
  }
  for(; size > 0; size--, d++) {
    NO_IDIOM();
    *d = (unsigned char)value;
  }
  return to;
}

int memcmp(const void *left, const void *right, size_t size) {
  const unsigned char *a = left;
  const unsigned char *b = right;
  for(; size >= WORD && ((const struct word *)a)->value == ((const struct word *)b)->value; size -= WORD) {
    a += WORD;
    b += WORD;
  }
  for(; size > 0; size--, a++, b++) {
    NO_IDIOM();
    if(*a != *b) {
      return *a - *b;
    }
  }
  return 0;
}

/* Whole words from that end that is not overwritten before it is read. */
void *memmove(void *to, const void *from, size_t size) {
  unsigned char *d = to;
  const unsigned char *s = from;
  if(d < s) {
    for(; size >= WORD; size -= WORD, d += WORD, s += WORD) {
      NO_IDIOM();
      *(struct word *)d = *(const struct word *)s;
    }
    for(; size > 0; size--, d++, s++) {
      NO_IDIOM();
      *d = *s;
    }
    return to;
  }
  while(size >= WORD) {
    NO_IDIOM();
    size -= WORD;
    *(struct word *)(d + size) = *(const struct word *)(s + size);
  }
  while(size > 0) {
    NO_IDIOM();
    size--;
    d[size] = s[size];
  }
  return to;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while(text[length]) {
    NO_IDIOM();
    length++;
  }
  return length;
}
