/* smbios.c - what SMBIOS tables say of the machine (DMTF DSP0134 3.7). Pure C. */
#include "smbios.h"

#include <string.h>

#define STRUCTURE_HEADER 4U /* type, length, handle */
#define TYPE_SYSTEM      1U
#define TYPE_END         127U
#define UUID_AT          8U
#define UUID_SIZE        16U

static uint64_t little_endian(const uint8_t *bytes, size_t count) {
  uint64_t value = 0;
  while(count > 0) {
    value = value << 8 | bytes[--count];
  }
  return value;
}

bool smbios_structures(const void *entry, uint64_t *address, size_t *length) {
  const uint8_t *bytes = entry;
  if(memcmp(bytes, "_SM3_", 5) == 0) { /* 5.2.2 */
    *length = (size_t)little_endian(bytes + 0x0C, 4);
    *address = little_endian(bytes + 0x10, 8);
  } else if(memcmp(bytes, "_SM_", 4) == 0) { /* 5.2.1 */
    *length = (size_t)little_endian(bytes + 0x16, 2);
    *address = little_endian(bytes + 0x18, 4);
  } else {
    return false;
  }
  return *address != 0;
}

/* Where the structure at `at` ends: its strings follow it, and two zeroes end them (6.1.3). `length` without those. */
static size_t end_of(const uint8_t *bytes, size_t at, size_t length) {
  for(size_t i = at + bytes[at + 1U]; i + 1U < length; i++) {
    if(bytes[i] == 0 && bytes[i + 1U] == 0) {
      return i + 2U;
    }
  }
  return length;
}

static bool is_set(const uint8_t uuid[UUID_SIZE]) {
  size_t alike = 1;
  while(alike < UUID_SIZE && uuid[alike] == uuid[0]) {
    alike++;
  }
  return alike < UUID_SIZE || (uuid[0] != 0 && uuid[0] != 0xFF); /* 7.2.1: all 0 or all 1 */
}

bool smbios_system_uuid(const void *structures, size_t length, uint8_t uuid[UUID_SIZE]) {
  const uint8_t *bytes = structures;
  size_t at = 0;
  memset(uuid, 0, UUID_SIZE);
  while(at + STRUCTURE_HEADER <= length && bytes[at + 1U] >= STRUCTURE_HEADER && bytes[at] != TYPE_END) {
    size_t size = bytes[at + 1U];
    if(bytes[at] == TYPE_SYSTEM && size >= UUID_AT + UUID_SIZE && size <= length - at) {
      if(is_set(bytes + at + UUID_AT)) {
        memcpy(uuid, bytes + at + UUID_AT, UUID_SIZE);
        return true;
      }
      return false;
    }
    at = end_of(bytes, at, length);
  }
  return false;
}
