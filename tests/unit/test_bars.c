/* test_bars.c - BARs as a kernel learns them: kinds, addresses and sizes, with everything put back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "place.h"

#define COMMAND        0x04U
#define COMMAND_DECODE 3U
#define STATUS_ONES    0xF9000000U /* bits that a one would clear */
#define BAR0           0x10U

/* A function whose BARs keep the bits that their size leaves to the address. */
static struct {
  uint32_t word[64];
  uint32_t mask[NET_HANDOFF_BARS];
  uint32_t commands;
  uint32_t bar_writes;
} function;

static uint32_t read(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t number, uint8_t offset) {
  assert_ptr_equal(ctx, &function);
  assert_int_equal(offset % 4U, 0);
  return segment == 1 && bus == 0 && device == 3 && number == 2 ? function.word[offset / 4U] : UINT32_MAX;
}

static void write(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t number, uint8_t offset,
                  uint32_t value) {
  assert_ptr_equal(ctx, &function);
  assert_true(segment == 1 && bus == 0 && device == 3 && number == 2);
  if(offset == COMMAND) {
    assert_int_equal(value >> 16, 0);
    function.word[1] = STATUS_ONES | value;
    function.commands++;
    return;
  }
  uint32_t bar = (offset - BAR0) / 4U;
  assert_true(offset >= BAR0 && bar < NET_HANDOFF_BARS && offset % 4U == 0);
  assert_int_equal(function.word[1] & COMMAND_DECODE, 0); /* it would decode somewhere else for a moment */
  uint32_t *word = &function.word[4U + bar];
  *word = (value & function.mask[bar]) | (*word & ~function.mask[bar]);
  function.bar_writes++;
}

static void set_bar(uint32_t bar, uint32_t value, uint32_t mask) {
  function.word[4U + bar] = value;
  function.mask[bar] = mask;
}

static void test_sizes(void **state) {
  (void)state;
  struct kernel_nic nic;
  uint64_t size[NET_HANDOFF_BARS];
  memset(&function, 0, sizeof(function));
  function.word[0] = 0x10411AF4U;
  function.word[1] = STATUS_ONES | 0x0407U;
  set_bar(0, 0x0000C041U, 0x0000FFE0U); /* 32 ports; some hard-wire the upper half of the address to 0 */
  set_bar(1, 0x80020000U, 0xFFFE0000U); /* 128 KiB */
  set_bar(2, 0x0000000CU, 0x00000000U); /* 8 GiB, 64 bits, prefetchable, above 4 GiB */
  set_bar(3, 0x000000E2U, 0xFFFFFFFEU);
  set_bar(4, 0x00004004U, 0xFFFFC000U); /* 16 KiB, 64 bits */
  set_bar(5, 0x000000E0U, 0xFFFFFFFFU);
  uint32_t before[64];
  memcpy(before, function.word, sizeof(before));

  assert_true(kernel_nic_look(read, &function, 1, 0, 3, 2, &nic));
  assert_int_equal(function.bar_writes + function.commands, 0);
  const uint64_t address[] = {0xC040, 0x80020000, 0xE200000000, 0, 0xE000004000, 0};
  assert_memory_equal(nic.bar, address, sizeof(address));
  const uint32_t flags[] = {NET_HANDOFF_BAR_IO,
                            NET_HANDOFF_BAR_MEMORY,
                            NET_HANDOFF_BAR_MEMORY | NET_HANDOFF_BAR_64BIT | NET_HANDOFF_BAR_PREFETCHABLE,
                            0,
                            NET_HANDOFF_BAR_MEMORY | NET_HANDOFF_BAR_64BIT,
                            0};
  assert_memory_equal(nic.bar_flags, flags, sizeof(flags));

  kernel_nic_size(read, write, &function, &nic, size);
  const uint64_t wanted[] = {32, 0x20000, 0x200000000, 0, 0x4000, 0};
  assert_memory_equal(size, wanted, sizeof(wanted));
  assert_memory_equal(function.word, before, sizeof(before));
  assert_int_equal(function.commands, 2);
}

/* Ports with all 32 bits, no BAR at all, and a BAR without an address yet, which has its size. */
static void test_odd(void **state) {
  (void)state;
  struct kernel_nic nic;
  uint64_t size[NET_HANDOFF_BARS];
  memset(&function, 0, sizeof(function));
  function.word[0] = 0x100E8086U;
  set_bar(1, 0x0000C001U, 0xFFFFFFC0U);
  set_bar(2, 0x00000000U, 0xFFFFF000U);
  set_bar(5, 0xFE000004U, 0xFFFF0000U); /* says 64 bits, and has no register for the upper half */
  assert_true(kernel_nic_look(read, &function, 1, 0, 3, 2, &nic));
  assert_int_equal(nic.bar_flags[0], 0);
  assert_int_equal(nic.bar_flags[2], 0);
  assert_int_equal(nic.bar[5], 0xFE000000U);
  kernel_nic_size(read, write, &function, &nic, size);
  const uint64_t wanted[] = {0, 64, 0x1000, 0, 0, 0x10000};
  assert_memory_equal(size, wanted, sizeof(wanted));
  assert_false(kernel_nic_look(read, &function, 0, 0, 3, 2, &nic));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_odd),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
