/* types.h - the types of menios' own that the driver meets. */
#ifndef MENIOS_STUB_TYPES_H
#define MENIOS_STUB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uintptr_t phys_addr_t;
typedef uintptr_t virt_addr_t;

#endif
