/* bytes.h - what every parser of frames needs: numbers in network order, the Internet's checksum, text of strangers.
 * Pure C. */
#ifndef LIB_BYTES_H
#define LIB_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t get16(const uint8_t *at) {
  return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t get32(const uint8_t *at) {
  return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value);
}

/* The Internet checksum (RFC 1071) over several pieces: begin with 0, add each, end with checksum_end. Only the last
 * piece may have an odd length. Over data that carries its own checksum the end is 0. */
uint32_t checksum_add(uint32_t sum, const uint8_t *data, size_t length);
uint16_t checksum_end(uint32_t sum);

/* Copies what somebody sent as text into `text`, `size` bytes with the zero that ends it: zeroes at the end are left
 * out, and what is not printable ASCII becomes '?'. False when something was left out or changed. */
bool text_of_bytes(char *text, size_t size, const uint8_t *data, size_t length);

/* Whether `text` begins with `start`. */
bool text_begins(const char *text, const char *start);

#endif
