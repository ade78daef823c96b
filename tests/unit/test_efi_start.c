/* test_efi_start.c - what stands around an image's own code: memory functions, and relocation. */
#include <string.h>

/* Under names of their own, so that libc's stay what they are */
#define memcpy  image_memcpy
#define memset  image_memset
#define memcmp  image_memcmp
#define memmove image_memmove
#define strlen  image_strlen
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);
void *memmove(void *to, const void *from, size_t size);
size_t strlen(const char *text);
#include "../../driver/efi/libc.c"
#undef memcpy
#undef memset
#undef memcmp
#undef memmove
#undef strlen

#define DIVIDE_TEST
#define __udivmoddi4 image_udivmoddi4
#define __udivdi3    image_udivdi3
#define __umoddi3    image_umoddi3
#define __divdi3     image_divdi3
#define __moddi3     image_moddi3
#include "../../driver/efi/divide.c"
#include "../../driver/efi/relocate.c"
#include "unit_efi.h"

#define LONGEST 100U /* several blocks, words and bytes */
#define EDGE    8U   /* every alignment of a word */
#define ROOM    (EDGE + LONGEST + EDGE)

static void fill(unsigned char *bytes, unsigned char first) {
  for(size_t i = 0; i < ROOM; i++) {
    bytes[i] = (unsigned char)(first + 7U * i);
  }
}

/* Each length at each pair of alignments: every byte as libc does it, nothing before and nothing behind. */
static void test_copies_and_fills(void **state) {
  unsigned char source[ROOM];
  unsigned char is[ROOM];
  unsigned char should_be[ROOM];
  (void)state;
  fill(source, 3);
  for(size_t size = 0; size <= LONGEST; size++) {
    for(size_t to = 0; to < EDGE; to++) {
      for(size_t from = 0; from < EDGE; from++) {
        fill(is, 100);
        fill(should_be, 100);
        assert_ptr_equal(image_memcpy(is + to, source + from, size), is + to);
        memcpy(should_be + to, source + from, size);
        assert_memory_equal(is, should_be, ROOM);
      }
      fill(is, 9);
      fill(should_be, 9);
      assert_ptr_equal(image_memset(is + to, 0x1A5, size), is + to);
      memset(should_be + to, 0xA5, size);
      assert_memory_equal(is, should_be, ROOM);
    }
  }
}

static void test_overlapping_moves(void **state) {
  unsigned char is[ROOM];
  unsigned char should_be[ROOM];
  (void)state;
  for(size_t size = 0; size <= LONGEST; size++) {
    for(size_t to = 0; to < 2U * EDGE; to++) {
      for(size_t from = 0; from < 2U * EDGE; from++) {
        fill(is, 41);
        fill(should_be, 41);
        assert_ptr_equal(image_memmove(is + to, is + from, size), is + to);
        memmove(should_be + to, should_be + from, size);
        assert_memory_equal(is, should_be, ROOM);
      }
    }
  }
}

static int sign(int value) {
  return (value > 0) - (value < 0);
}

/* One byte that differs, at each place, both ways; 0x80 more so that a signed comparison shows. */
static void test_comparisons(void **state) {
  unsigned char left[ROOM];
  unsigned char right[ROOM];
  (void)state;
  fill(left, 5);
  fill(right, 5);
  for(size_t size = 0; size <= LONGEST; size++) {
    assert_int_equal(image_memcmp(left, right, size), 0);
    for(size_t at = 0; at < size; at++) {
      right[at] ^= 0x80U;
      assert_int_equal(sign(image_memcmp(left, right, size)), sign(memcmp(left, right, size)));
      assert_int_equal(sign(image_memcmp(right, left, size)), sign(memcmp(right, left, size)));
      assert_int_equal(image_memcmp(left, right, at), 0);
      right[at] ^= 0x80U;
    }
  }
  assert_int_equal(image_memcmp("\0\0\0\0\0\0\0\1\2", "\0\0\0\0\0\0\0\2\1", 9), -1);
  assert_int_equal(image_strlen(""), 0);
  assert_int_equal(image_strlen("virtio-net"), 10);
}

/* An image of words, each of which holds its own number; what relocation adds is the image's address. */
#define WORDS 200U

static void number(UINTN *words) {
  for(UINTN i = 0; i < WORDS; i++) {
    words[i] = i;
  }
}

static UINTN place(UINTN word) {
  return word * sizeof(UINTN);
}

/* Addresses, and bitmaps of one bit less than a word has, that go on from where the last entry ended. */
static void test_packed_relocations(void **state) {
  static UINTN words[WORDS];
  const UINTN reach = 8U * sizeof(UINTN) - 1U;
  const UINTN packed[] = {
      place(3),                         /* word 3, then                           */
      1U | 1U << 1 | (UINTN)1 << reach, /* the first and the last that follow it  */
      1U | 1U << 2,                     /* the second of those behind             */
      place(150),
  };
  (void)state;
  number(words);
  UINTN base = (UINTN)words;
  assert_int_equal(relocate(base, packed, packed + 4, NULL, NULL), EFI_SUCCESS);
  for(UINTN i = 0; i < WORDS; i++) {
    bool moved = i == 3 || i == 4 || i == 3U + reach || i == 3U + reach + 2U || i == 150;
    assert_int_equal(words[i], i + (moved ? base : 0));
  }
}

static void test_other_relocations(void **state) {
  static UINTN words[WORDS];
  struct relocation entries[] = {{place(7), RELOCATION_RELATIVE, 0x1234}, {place(9), RELOCATION_RELATIVE, 0}};
  (void)state;
  number(words);
  UINTN base = (UINTN)words;
  assert_int_equal(relocate(base, NULL, NULL, entries, entries + 2), EFI_SUCCESS);
  assert_int_equal(words[7], base + 0x1234);
  assert_int_equal(words[6], 6);
  assert_int_equal(words[9], base);
  entries[1].type = 1; /* R_X86_64_64 needs a symbol, of which there are none */
  assert_int_equal(relocate(base, NULL, NULL, entries, entries + 2), EFI_LOAD_ERROR);
}

#if defined(__x86_64__)
/* Every pair of numbers around powers of two, signed and unsigned, as this processor divides them itself. */
static void test_divisions(void **state) {
  static uint64_t numbers[3U * 64U];
  uint32_t count = 0;
  (void)state;
  for(uint32_t bit = 0; bit < 64; bit++) {
    numbers[count++] = ((uint64_t)1 << bit) - 1U;
    numbers[count++] = (uint64_t)1 << bit;
    numbers[count++] = (((uint64_t)1 << bit) + 1U) * 3U;
  }
  for(uint32_t i = 0; i < count; i++) {
    for(uint32_t j = 0; j < count; j++) {
      uint64_t n = numbers[i];
      uint64_t d = numbers[j];
      if(d == 0) {
        continue;
      }
      uint64_t remainder;
      assert_true(image_udivmoddi4(n, d, &remainder) == n / d && remainder == n % d);
      assert_true(image_udivdi3(n, d) == n / d && image_umoddi3(n, d) == n % d);
      int64_t a = (int64_t)n;
      int64_t b = (int64_t)d;
      if(a != INT64_MIN || b != -1) {
        assert_true(image_divdi3(a, b) == a / b && image_moddi3(a, b) == a % b);
        assert_true(image_divdi3(-(a + 1), b) == -(a + 1) / b && image_moddi3(-(a + 1), b) == -(a + 1) % b);
      }
    }
  }
}
#else
static void test_divisions(void **state) {
  (void)state;
  skip(); /* its oracle is this processor's own division */
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_copies_and_fills),  cmocka_unit_test(test_overlapping_moves),
      cmocka_unit_test(test_comparisons),       cmocka_unit_test(test_packed_relocations),
      cmocka_unit_test(test_other_relocations), cmocka_unit_test(test_divisions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
