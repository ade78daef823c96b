/* crc32.h - the CRC-32 of IEEE 802.3: Ethernet's FCS, EFI's tables, the handoff. Pure; any context. */
#ifndef LIB_CRC32_H
#define LIB_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The CRC so far goes in and comes out: begin with CRC32_START, and invert (~) what comes out last. */
#define CRC32_START UINT32_MAX

uint32_t crc32_add(uint32_t crc, const void *bytes, size_t count);

#endif
