/* sha256.h - SHA-256 (FIPS 180-4), as data comes. Pure; any context. */
#ifndef LIB_SHA256_H
#define LIB_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE      32U /* bytes of a hash                                        */
#define SHA256_TEXT_SIZE 65U /* of it as hexadecimal digits, with the zero byte behind */

struct sha256 {
  uint32_t state[8];
  uint64_t length; /* bytes so far */
  uint8_t block[64];
};

void sha256_begin(struct sha256 *sha);

/* Any number of bytes, also none; the hash does not depend on how they are cut. */
void sha256_add(struct sha256 *sha, const void *bytes, size_t count);

/* The hash of all that was added; `sha` is used up. */
void sha256_end(struct sha256 *sha, uint8_t hash[SHA256_SIZE]);

/* 64 small hexadecimal digits. Returns `text`. */
const char *sha256_text(const uint8_t hash[SHA256_SIZE], char text[SHA256_TEXT_SIZE]);

/* The reverse: 64 hexadecimal digits at the start of `text`, behind blanks, and then nothing or a blank, as sha256sum
 * writes them. False, and `hash` untouched, when it is anything else. */
bool sha256_parse(const char *text, size_t length, uint8_t hash[SHA256_SIZE]);

#endif
