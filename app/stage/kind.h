/* kind.h - what a fetched file is, by its content. Pure C, tested on the host. */
#ifndef APP_KIND_H
#define APP_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind {
  KIND_EFI,        /* an EFI program for this machine                                  */
  KIND_EFI_OTHER,  /* an EFI program for another machine                               */
  KIND_EFI_DRIVER, /* an EFI driver: it would start, and return                        */
  KIND_PE,         /* a PE image that is no EFI image: a Windows program               */
  KIND_DISK,       /* a disk image: FAT, GPT or MBR partitions                         */
  KIND_CD,         /* an ISO 9660 image                                                */
  KIND_ELF,        /* a kernel for a loader                                            */
  KIND_COMPRESSED, /* gzip, xz, zstd, bzip2, lz4                                       */
  KIND_SCRIPT,     /* "#!": iPXE's, a shell's                                          */
  KIND_OLD_LINUX,  /* a Linux kernel without EFI stub                                  */
  KIND_TEXT,       /* HTML, a page instead of the file                                 */
  KIND_EMPTY,
  KIND_UNKNOWN,
};

/* PE/COFF 3.3.1: Machine */
#define KIND_MACHINE_IA32  0x014CU
#define KIND_MACHINE_X64   0x8664U
#define KIND_MACHINE_ARM64 0xAA64U

struct kind_found {
  enum kind kind;
  uint32_t machine; /* of a PE image                                                       */
  uint64_t needs;   /* bytes that the file should have at least, by what it says of itself */
};

/* Looks at `size` bytes; `machine` is this one's KIND_MACHINE_. Any bytes are fine. */
void kind_of(const uint8_t *bytes, uint64_t size, uint32_t machine, struct kind_found *found);

/* What to say of one that cannot be started: "an ELF file: ..."; "" for those that can. */
const char *kind_refusal(enum kind kind);

/* "x86-64", "ARM64", "another machine" */
const char *kind_machine_name(uint32_t machine);

#endif
