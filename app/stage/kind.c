/* kind.c - what a fetched file is, by its content. Pure C, tested on the host. */
#include "kind.h"

#include <string.h>

#define SECTOR          512U
#define PE_HEADER_AT    0x3CU /* PE/COFF 3: where the signature's place stands                */
#define COFF_SIZE       20U
#define OPTIONAL_SIZE   70U /* of the optional header, up to and with the subsystem         */
#define SUBSYSTEM_AT    68U
#define SECTION_SIZE    40U
#define SUBSYSTEM_APP   10U
#define SUBSYSTEM_RT    12U
#define ISO_VOLUME      0x8000U /* ECMA-119, 8.4: the primary volume descriptor                 */
#define ISO_BLOCK       2048U
#define PARTITION_TABLE 446U
#define PARTITIONS      4U

static uint32_t read16(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t read32(const uint8_t *at) {
  return read16(at) | read16(at + 2) << 16;
}

static uint64_t read64(const uint8_t *at) {
  return read32(at) | (uint64_t)read32(at + 4) << 32;
}

static bool has(const uint8_t *bytes, uint64_t size, uint64_t at, const void *what, size_t length) {
  return size >= length && at <= size - length && memcmp(bytes + at, what, length) == 0;
}

static bool begins(const uint8_t *bytes, uint64_t size, const void *what, size_t length) {
  return has(bytes, size, 0, what, length);
}

/* PE ------------------------------------------------------------------------------------------------------------- */

/* Where the last section's content ends (PE/COFF 4): what is behind it may be missing without harm. */
static uint64_t sections_end(const uint8_t *bytes, uint64_t size, uint64_t table, uint32_t count) {
  uint64_t end = table + (uint64_t)count * SECTION_SIZE;
  if(end > size) {
    return end;
  }
  for(uint32_t i = 0; i < count; i++) {
    const uint8_t *section = bytes + table + (uint64_t)i * SECTION_SIZE;
    uint64_t content = (uint64_t)read32(section + 20) + read32(section + 16);
    end = read32(section + 16) > 0 && content > end ? content : end;
  }
  return end;
}

/* False when it is no PE image. */
static bool look_pe(const uint8_t *bytes, uint64_t size, uint32_t machine, struct kind_found *found) {
  if(!begins(bytes, size, "MZ", 2) || size < PE_HEADER_AT + 4U) {
    return false;
  }
  uint64_t at = read32(bytes + PE_HEADER_AT);
  if(!has(bytes, size, at, "PE\0\0", 4)) {
    return false;
  }
  uint64_t optional = at + 4U + COFF_SIZE;
  found->kind = KIND_PE;
  found->needs = optional + OPTIONAL_SIZE;
  if(found->needs > size) {
    return true;
  }
  const uint8_t *coff = bytes + at + 4U;
  uint32_t subsystem = read16(bytes + optional + SUBSYSTEM_AT);
  found->machine = read16(coff);
  found->needs = sections_end(bytes, size, optional + read16(coff + 16), read16(coff + 2));
  if(subsystem >= SUBSYSTEM_APP && subsystem <= SUBSYSTEM_RT) {
    found->kind = found->machine != machine ? KIND_EFI_OTHER : subsystem == SUBSYSTEM_APP ? KIND_EFI : KIND_EFI_DRIVER;
  }
  return true;
}

/* Disks ---------------------------------------------------------------------------------------------------------- */

/* UEFI 2.10, 5.3.2: the header in the second sector, and the place of its copy, the last one. */
static bool look_gpt(const uint8_t *bytes, uint64_t size, struct kind_found *found) {
  if(!has(bytes, size, SECTOR, "EFI PART", 8) || size < (uint64_t)2 * SECTOR) {
    return false;
  }
  uint64_t copy = read64(bytes + SECTOR + 32U);
  found->kind = KIND_DISK;
  found->needs = copy < UINT64_MAX / SECTOR ? (copy + 1U) * SECTOR : UINT64_MAX;
  return true;
}

static bool look_iso(const uint8_t *bytes, uint64_t size, struct kind_found *found) {
  static const uint8_t volume[] = {1, 'C', 'D', '0', '0', '1'};
  if(!has(bytes, size, ISO_VOLUME, volume, sizeof(volume)) || size < ISO_VOLUME + ISO_BLOCK) {
    return false;
  }
  found->kind = KIND_CD;
  found->needs = (uint64_t)read32(bytes + ISO_VOLUME + 80U) * ISO_BLOCK; /* ECMA-119, 8.4.8 */
  return true;
}

/* A FAT boot sector (FAT specification, 3.1): bytes per sector, sectors per cluster, number of FATs, total. */
static bool look_fat(const uint8_t *bytes, struct kind_found *found) {
  uint32_t sector = read16(bytes + 11);
  uint32_t cluster = bytes[13];
  bool jump = bytes[0] == 0xEB || bytes[0] == 0xE9;
  if(!jump || sector < SECTOR || sector > 4096U || (sector & (sector - 1U)) || cluster == 0 ||
     (cluster & (cluster - 1U)) || bytes[16] == 0 || bytes[16] > 2) {
    return false;
  }
  uint64_t sectors = read16(bytes + 19) ? read16(bytes + 19) : read32(bytes + 32);
  found->kind = KIND_DISK;
  found->needs = sectors * sector;
  return true;
}

/* Four partitions, of which each is empty or lies behind the first sector, and one at least is there. */
static bool look_mbr(const uint8_t *bytes, struct kind_found *found) {
  uint64_t end = 0;
  for(uint32_t i = 0; i < PARTITIONS; i++) {
    const uint8_t *entry = bytes + PARTITION_TABLE + (size_t)16 * i;
    uint64_t first = read32(entry + 8);
    uint64_t count = read32(entry + 12);
    if(entry[4] == 0 || count == 0) {
      continue;
    }
    if((entry[0] & 0x7F) != 0 || first == 0) {
      return false;
    }
    end = first + count > end ? first + count : end;
  }
  found->kind = KIND_DISK;
  found->needs = end * SECTOR;
  return end > 0;
}

static bool look_disk(const uint8_t *bytes, uint64_t size, struct kind_found *found) {
  if(look_iso(bytes, size, found) || look_gpt(bytes, size, found)) {
    return true;
  }
  return has(bytes, size, SECTOR - 2U, "\x55\xAA", 2) && (look_fat(bytes, found) || look_mbr(bytes, found));
}

/* Others --------------------------------------------------------------------------------------------------------- */

static const struct {
  enum kind kind;
  uint32_t at;
  uint32_t length;
  const char *bytes;
} marks[] = {
    {KIND_ELF, 0, 4, "\177ELF"},
    {KIND_COMPRESSED, 0, 2, "\037\213"},
    {KIND_COMPRESSED, 0, 6, "\3757zXZ\0"},
    {KIND_COMPRESSED, 0, 4, "\050\265\057\375"},
    {KIND_COMPRESSED, 0, 3, "BZh"},
    {KIND_COMPRESSED, 0, 4, "\004\042\115\030"},
    {KIND_OLD_LINUX, 0x202, 4, "HdrS"},
    {KIND_SCRIPT, 0, 2, "#!"},
    {KIND_TEXT, 0, 1, "<"},
};

void kind_of(const uint8_t *bytes, uint64_t size, uint32_t machine, struct kind_found *found) {
  *found = (struct kind_found){.kind = size == 0 ? KIND_EMPTY : KIND_UNKNOWN};
  if(look_pe(bytes, size, machine, found)) {
    return;
  }
  for(size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
    if(has(bytes, size, marks[i].at, marks[i].bytes, marks[i].length)) {
      found->kind = marks[i].kind;
      return;
    }
  }
  if(!look_disk(bytes, size, found) && size > 0) {
    *found = (struct kind_found){.kind = KIND_UNKNOWN};
  }
}

const char *kind_machine_name(uint32_t machine) {
  switch(machine) {
  case KIND_MACHINE_IA32:
    return "x86 (32 bits)";
  case KIND_MACHINE_X64:
    return "x86-64";
  case KIND_MACHINE_ARM64:
    return "ARM64";
  default:
    return "another machine";
  }
}

const char *kind_refusal(enum kind kind) {
  switch(kind) {
  case KIND_EFI_DRIVER:
    return "an EFI driver, which starts and returns: 'load' in the Shell is for those";
  case KIND_PE:
    return "a program, but none for UEFI";
  case KIND_ELF:
    return "an ELF file, which needs a loader before it: GRUB for multiboot2, Limine for its own protocol, each in an "
           "image together with the kernel (README, Boot over the network)";
  case KIND_COMPRESSED:
    return "compressed: unpack it on the server (gunzip, unxz, unzstd)";
  case KIND_SCRIPT:
    return "a script: fetch the program that reads it, such as ipxe.efi";
  case KIND_OLD_LINUX:
    return "a Linux kernel without EFI stub: one with CONFIG_EFI_STUB can be started, or GRUB with it";
  case KIND_TEXT:
    return "a page of HTML or XML: is the URL right?";
  case KIND_EMPTY:
    return "empty";
  case KIND_UNKNOWN:
    return "neither an EFI program nor a disk image";
  default:
    return "";
  }
}
