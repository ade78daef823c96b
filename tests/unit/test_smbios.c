/* test_smbios.c - the system's UUID in SMBIOS tables, sound and otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "smbios.h"

#define SYSTEM_AT 20U
#define UUID_AT   (SYSTEM_AT + 8U)
#define SYSTEM    0x1BU

static const uint8_t uuid[16] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 1, 2, 3, 4, 5, 6};

/* A BIOS' structure with two strings, the system's with none, and the end's. Returns how long it is. */
static size_t make(uint8_t table[128], uint8_t length_of_system, const uint8_t id[16]) {
  memset(table, 0, 128);
  memcpy(table, (const uint8_t[]){0, 8, 0, 0, 1, 2, 0, 0, 's', 'o', 'm', 'e', 0, 'b', 'o', 'd', 'y', '!', 0, 0}, 20);
  table[SYSTEM_AT] = 1;
  table[SYSTEM_AT + 1U] = length_of_system;
  memcpy(table + UUID_AT, id, 16);
  memcpy(table + SYSTEM_AT + length_of_system + 2U, (const uint8_t[]){127, 4, 0xFE, 0xFF, 0, 0}, 6);
  return SYSTEM_AT + length_of_system + 8U;
}

static void test_found(void **state) {
  uint8_t table[128];
  uint8_t found[16];
  (void)state;
  size_t length = make(table, SYSTEM, uuid);
  assert_true(smbios_system_uuid(table, length, found));
  assert_memory_equal(found, uuid, 16);
  length = make(table, 0x19, uuid); /* SMBIOS 2.1 to 2.3 */
  assert_true(smbios_system_uuid(table, length, found));
  assert_false(smbios_system_uuid(table, UUID_AT + 15U, found)); /* cut */
  assert_false(smbios_system_uuid(table, 0, found));
}

static void test_none(void **state) {
  static const uint8_t zeroes[16] = {0};
  uint8_t ones[16];
  uint8_t table[128];
  uint8_t found[16];
  (void)state;
  memset(ones, 0xFF, sizeof(ones));
  assert_false(smbios_system_uuid(table, make(table, SYSTEM, ones), found));
  assert_memory_equal(found, zeroes, 16);
  assert_false(smbios_system_uuid(table, make(table, SYSTEM, zeroes), found));
  assert_false(smbios_system_uuid(table, make(table, 8, uuid), found)); /* SMBIOS 2.0 */
  memset(ones, 0x42, sizeof(ones));
  assert_true(smbios_system_uuid(table, make(table, SYSTEM, ones), found)); /* dull, and a value */
  size_t length = make(table, SYSTEM, uuid);
  table[0] = 127; /* nothing counts behind the end */
  assert_false(smbios_system_uuid(table, length, found));
}

/* Cut at every byte, and every byte anything: only what is there is read, as ASan sees. */
static void test_damaged(void **state) {
  uint8_t table[128];
  uint8_t found[16];
  (void)state;
  size_t whole = make(table, SYSTEM, uuid);
  for(size_t length = 0; length <= whole; length++) {
    uint8_t *copy = malloc(length + 1U);
    memcpy(copy + 1, table, length);
    assert_int_equal(smbios_system_uuid(copy + 1, length, found), length >= SYSTEM_AT + SYSTEM);
    for(size_t at = 0; at < length; at++) {
      for(unsigned value = 0; value < 256; value++) {
        copy[1U + at] = (uint8_t)value;
        (void)smbios_system_uuid(copy + 1, length, found);
      }
      copy[1U + at] = table[at];
    }
    free(copy);
  }
}

static void test_entries(void **state) {
  uint8_t entry[SMBIOS_ENTRY_SIZE] = "_SM3_";
  uint64_t address;
  size_t length;
  (void)state;
  assert_false(smbios_structures(entry, &address, &length)); /* at no address */
  memcpy(entry + 0x0C, (const uint8_t[]){0x04, 0x03, 0x02, 0x01, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11}, 12);
  assert_true(smbios_structures(entry, &address, &length));
  assert_true(address == 0x1112131415161718ULL && length == 0x01020304U);
  memcpy(entry, "_SM_", 5);
  memcpy(entry + 0x16, (const uint8_t[]){0x02, 0x01, 0x14, 0x13, 0x12, 0x11}, 6);
  assert_true(smbios_structures(entry, &address, &length));
  assert_true(address == 0x11121314U && length == 0x0102U);
  memcpy(entry, "_DMI_", 5);
  assert_false(smbios_structures(entry, &address, &length));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_found),
      cmocka_unit_test(test_none),
      cmocka_unit_test(test_damaged),
      cmocka_unit_test(test_entries),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
