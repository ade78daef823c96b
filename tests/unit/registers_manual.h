/* registers_manual.h - the register map as the manuals have it, kept apart from the driver's table. */
#ifndef REGISTERS_MANUAL_H
#define REGISTERS_MANUAL_H

#include <stddef.h>
#include <stdint.h>

struct manual_register {
  const char *name;
  uint32_t offset;
  uint16_t count;     /* registers in the array; 1 for a plain one        */
  uint16_t stride;    /* bytes from one to the next                       */
  const char *access; /* "RW", "RO", "WO" or "RC" (a read clears it)      */
};

extern const struct manual_register manual_registers[];
extern const size_t manual_register_count;

#endif
