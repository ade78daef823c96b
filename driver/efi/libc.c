/* libc.c - the functions of string.h that the C code here uses and gnu-efi lacks. */
#include <string.h>

/* Keeps the compiler from recognising the loop and calling the very function it stands in. */
#define NO_IDIOM() __asm__ volatile("")

int memcmp(const void *left, const void *right, size_t size) {
  const unsigned char *a = left;
  const unsigned char *b = right;
  for(size_t i = 0; i < size; i++) {
    NO_IDIOM();
    if(a[i] != b[i]) {
      return a[i] - b[i];
    }
  }
  return 0;
}

void *memmove(void *to, const void *from, size_t size) {
  unsigned char *d = to;
  const unsigned char *s = from;
  if(d < s) {
    for(size_t i = 0; i < size; i++) {
      NO_IDIOM();
      d[i] = s[i];
    }
  } else {
    while(size-- > 0) {
      NO_IDIOM();
      d[size] = s[size];
    }
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
