/* limine.h - the EFI system table request of the Limine boot protocol, as its limine.h before version 10 names it. */
#ifndef MENIOS_STUB_LIMINE_H
#define MENIOS_STUB_LIMINE_H

#include <stdint.h>

/* By hand: clang-format's versions set the braces differently. */
/* clang-format off */
#define LIMINE_EFI_SYSTEM_TABLE_REQUEST                                                                                \
  { 0xC7B1DD30DF4C8B88ULL, 0x0A82E883A194F07BULL, 0x5CEBA5163EAAF6D6ULL, 0x0A6981610CF65FCCULL }
/* clang-format on */

struct limine_efi_system_table_response {
  uint64_t revision;
  void *address;
};

struct limine_efi_system_table_request {
  uint64_t id[4];
  uint64_t revision;
  struct limine_efi_system_table_response *response;
};

#endif
