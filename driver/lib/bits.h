/* bits.h - a register taken apart by the names of its bits: "EN:1 UPE:3 LBM:6-7". Pure C, tested on the host. */
#ifndef LIB_BITS_H
#define LIB_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BITS_NAME_MAX  32U /* longer names are cut */
#define BITS_TEXT_SIZE (BITS_NAME_MAX + 24U)

struct bits_field {
  char name[BITS_NAME_MAX + 1U];
  uint32_t low; /* bit numbers, both included */
  uint32_t high;
  uint64_t value; /* moved down to bit 0 */
};

/* Takes the next field of *at (struct netdev_row's `bits`) and moves behind it. False at the end, at NULL, and at what
 * is not NAME:LOW or NAME:LOW-HIGH with bits from 0 to 63: the rest is not looked at. */
bool bits_next(const char **at, uint64_t value, struct bits_field *field);

/* "EN", or of a field that is wider than a bit "LBM=3" (hexadecimal from 10 on: "CT=0xf"). Returns `text`. */
const char *bits_field_text(const struct bits_field *field, char text[BITS_TEXT_SIZE]);

/* What is set, with blanks between, into `text` (`size` bytes, at least 1); what does not fit is left out as a whole.
 * Returns `text`. */
const char *bits_text(const char *bits, uint64_t value, char *text, size_t size);

#endif
