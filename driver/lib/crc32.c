/* crc32.c - the CRC-32 of IEEE 802.3, four bits at a time: fast enough for some kilobytes, and a table of 64 bytes. */
#include "crc32.h"

/* The remainder of each four bits by the polynomial 0x04C11DB7, bit-reversed as everything here is. */
static const uint32_t remainders[16] = {
    0x00000000U, 0x1DB71064U, 0x3B6E20C8U, 0x26D930ACU, 0x76DC4190U, 0x6B6B51F4U, 0x4DB26158U, 0x5005713CU,
    0xEDB88320U, 0xF00F9344U, 0xD6D6A3E8U, 0xCB61B38CU, 0x9B64C2B0U, 0x86D3D2D4U, 0xA00AE278U, 0xBDBDF21CU,
};

uint32_t crc32_add(uint32_t crc, const void *bytes, size_t count) {
  const uint8_t *at = bytes;
  for(size_t i = 0; i < count; i++) {
    crc ^= at[i];
    crc = crc >> 4 ^ remainders[crc & 15U];
    crc = crc >> 4 ^ remainders[crc & 15U];
  }
  return crc;
}
