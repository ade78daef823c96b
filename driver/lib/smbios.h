/* smbios.h - what SMBIOS tables say of the machine (DMTF DSP0134). Pure C, tested on the host. */
#ifndef LIB_SMBIOS_H
#define LIB_SMBIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMBIOS_ENTRY_SIZE 31U /* what may be read of an entry point: the older, longer one */

/* Where the structures are, by either kind of entry point ("_SM3_", "_SM_"), of which SMBIOS_ENTRY_SIZE bytes are
 * readable: their physical address and how many bytes they have at most. False for anything else. */
bool smbios_structures(const void *entry, uint64_t *address, size_t *length);

/* The system's UUID (type 1) as its bytes stand in the table, which is how PXE sends it. False, and zeroes, where there
 * is none: no such structure, one of before SMBIOS 2.1, or all bits alike ("not set"). Nothing behind `length` is
 * read. */
bool smbios_system_uuid(const void *structures, size_t length, uint8_t uuid[16]);

#endif
