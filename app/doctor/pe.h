/* pe.h - what a boot file is. Pure C, tested and fuzzed on the host. */
#ifndef APP_DOCTOR_PE_H
#define APP_DOCTOR_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence.h"

struct pe_view {
  enum doctor_file kind;
  uint16_t machine;   /* of a PE image, else 0                                               */
  bool has_signature; /* its certificate table is not empty (PE/COFF, "Attribute Certificate") */
};

/* Looks at a file of `size` bytes; `machine` is this machine's number in PE (0x8664 for x86-64). */
void pe_look(const void *file, size_t size, uint16_t machine, struct pe_view *view);

#endif
