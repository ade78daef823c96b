/* kernel.c - a kernel that says that it is there, and nothing else. */
#include <stddef.h>
#include <stdint.h>
/* top */

#define EFI_SYSTEM_TABLE 0
#define DIRECT_MAP       0
#define KERNEL_OFFSET    0

void *memcpy(void *to, const void *from, size_t size) {
  for(size_t i = 0; i < size; i++) {
    ((volatile char *)to)[i] = ((const char *)from)[i];
  }
  return to;
}

void *memset(void *to, int byte, size_t size) {
  for(size_t i = 0; i < size; i++) {
    ((volatile char *)to)[i] = (char)byte;
  }
  return to;
}

int memcmp(const void *one, const void *other, size_t size) {
  const unsigned char *a = one;
  const unsigned char *b = other;
  for(size_t i = 0; i < size; i++) {
    if(a[i] != b[i]) {
      return a[i] - b[i];
    }
  }
  return 0;
}

static void say(const char *text) {
  for(; *text; text++) {
    __asm__ volatile("outb %0, %1" : : "a"(*text), "Nd"((uint16_t)0x3F8));
  }
}

void kernel_main(void);

void kernel_main(void) {
  say("skeleton: here\r\n");
  /* boot */
  say("skeleton: idle\r\n");
  for(;;) {
    /* idle */
  }
}
