/* sha256.c - SHA-256 (FIPS 180-4), as data comes. */
#include "sha256.h"

#include <string.h>

#include "bytes.h"
#include "texts.h"

#define BLOCK  64U
#define WORDS  (BLOCK / 4U)
#define ROUNDS 64U
#define DIGITS (SHA256_TEXT_SIZE - 1U)

/* 5.3.3: the first 32 bits of the fractional parts of the square roots of the first eight primes */
static const uint32_t initial[8] = {
    0x6A09E667U, 0xBB67AE85U, 0x3C6EF372U, 0xA54FF53AU, 0x510E527FU, 0x9B05688CU, 0x1F83D9ABU, 0x5BE0CD19U,
};

/* 4.2.2: the same of the cube roots of the first 64 primes */
static const uint32_t constants[ROUNDS] = {
    0x428A2F98U, 0x71374491U, 0xB5C0FBCFU, 0xE9B5DBA5U, 0x3956C25BU, 0x59F111F1U, 0x923F82A4U, 0xAB1C5ED5U,
    0xD807AA98U, 0x12835B01U, 0x243185BEU, 0x550C7DC3U, 0x72BE5D74U, 0x80DEB1FEU, 0x9BDC06A7U, 0xC19BF174U,
    0xE49B69C1U, 0xEFBE4786U, 0x0FC19DC6U, 0x240CA1CCU, 0x2DE92C6FU, 0x4A7484AAU, 0x5CB0A9DCU, 0x76F988DAU,
    0x983E5152U, 0xA831C66DU, 0xB00327C8U, 0xBF597FC7U, 0xC6E00BF3U, 0xD5A79147U, 0x06CA6351U, 0x14292967U,
    0x27B70A85U, 0x2E1B2138U, 0x4D2C6DFCU, 0x53380D13U, 0x650A7354U, 0x766A0ABBU, 0x81C2C92EU, 0x92722C85U,
    0xA2BFE8A1U, 0xA81A664BU, 0xC24B8B70U, 0xC76C51A3U, 0xD192E819U, 0xD6990624U, 0xF40E3585U, 0x106AA070U,
    0x19A4C116U, 0x1E376C08U, 0x2748774CU, 0x34B0BCB5U, 0x391C0CB3U, 0x4ED8AA4AU, 0x5B9CCA4FU, 0x682E6FF3U,
    0x748F82EEU, 0x78A5636FU, 0x84C87814U, 0x8CC70208U, 0x90BEFFFAU, 0xA4506CEBU, 0xBEF9A3F7U, 0xC67178F2U,
};

static uint32_t rotate(uint32_t x, uint32_t bits) {
  return x >> bits | x << (32U - bits);
}

/* 6.2.1 step 1: the message schedule of one block, of which 16 words are kept: word t lies at t mod 16. Returns it. */
static uint32_t schedule(uint32_t w[WORDS], uint32_t t) {
  if(t >= WORDS) {
    uint32_t early = w[(t - 15U) % WORDS];
    uint32_t late = w[(t - 2U) % WORDS];
    uint32_t low = rotate(early, 7) ^ rotate(early, 18) ^ early >> 3;
    uint32_t high = rotate(late, 17) ^ rotate(late, 19) ^ late >> 10;
    w[t % WORDS] += high + w[(t - 7U) % WORDS] + low;
  }
  return w[t % WORDS];
}

/* One round of 6.2.2 step 3. Which of the eight is `a` goes round, so that none of them is moved. */
static void one_round(uint32_t v[8], uint32_t t, uint32_t word) {
  uint32_t a = v[(0U - t) & 7U];
  uint32_t b = v[(1U - t) & 7U];
  uint32_t c = v[(2U - t) & 7U];
  uint32_t e = v[(4U - t) & 7U];
  uint32_t f = v[(5U - t) & 7U];
  uint32_t g = v[(6U - t) & 7U];
  uint32_t *h = &v[(7U - t) & 7U];
  uint32_t high = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
  uint32_t low = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
  uint32_t first = *h + high + ((e & f) ^ (~e & g)) + constants[t] + word;
  v[(3U - t) & 7U] += first;                        /* d becomes the next e */
  *h = first + low + ((a & b) ^ (a & c) ^ (b & c)); /* and h the next a     */
}

/* 6.2.2 for one block */
static void compress(uint32_t state[8], const uint8_t *block) {
  uint32_t w[WORDS];
  uint32_t v[8]; /* a to h */
  for(size_t i = 0; i < WORDS; i++) {
    w[i] = get32(block + 4U * i);
  }
  for(uint32_t i = 0; i < 8U; i++) {
    v[i] = state[i];
  }
  for(uint32_t t = 0; t < ROUNDS; t++) {
    one_round(v, t, schedule(w, t));
  }
  for(uint32_t i = 0; i < 8U; i++) {
    state[i] += v[i];
  }
}

void sha256_begin(struct sha256 *sha) {
  memcpy(sha->state, initial, sizeof(sha->state));
  sha->length = 0;
}

void sha256_add(struct sha256 *sha, const void *bytes, size_t count) {
  const uint8_t *from = bytes;
  size_t filled = (size_t)(sha->length % BLOCK);
  sha->length += count;
  if(filled > 0) {
    size_t room = BLOCK - filled;
    size_t taken = count < room ? count : room;
    memcpy(sha->block + filled, from, taken);
    from += taken;
    count -= taken;
    if(taken < room) {
      return;
    }
    compress(sha->state, sha->block);
  }
  for(; count >= BLOCK; count -= BLOCK, from += BLOCK) {
    compress(sha->state, from);
  }
  if(count > 0) {
    memcpy(sha->block, from, count);
  }
}

void sha256_end(struct sha256 *sha, uint8_t hash[SHA256_SIZE]) {
  static const uint8_t padding[BLOCK] = {0x80};
  uint64_t bits = sha->length * 8U;
  uint8_t length[8];
  size_t filled = (size_t)(sha->length % BLOCK);
  for(uint32_t i = 0; i < 8U; i++) {
    length[i] = (uint8_t)(bits >> (56U - 8U * i));
  }
  sha256_add(sha, padding, filled < BLOCK - 8U ? BLOCK - 8U - filled : 2U * BLOCK - 8U - filled);
  sha256_add(sha, length, sizeof(length));
  for(size_t i = 0; i < SHA256_SIZE; i++) {
    hash[i] = (uint8_t)(sha->state[i / 4U] >> (24U - 8U * (i % 4U)));
  }
}

const char *sha256_text(const uint8_t hash[SHA256_SIZE], char text[SHA256_TEXT_SIZE]) {
  return hex_text(hash, SHA256_SIZE, text);
}

static int hex_value(char c) {
  if(c >= '0' && c <= '9') {
    return c - '0';
  }
  c = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool sha256_parse(const char *text, size_t length, uint8_t hash[SHA256_SIZE]) {
  uint8_t found[SHA256_SIZE];
  while(length > 0 && is_blank(*text)) {
    text++;
    length--;
  }
  if(length < DIGITS || (length > DIGITS && !is_blank(text[DIGITS]))) {
    return false;
  }
  for(size_t i = 0; i < SHA256_SIZE; i++) {
    int high = hex_value(text[2U * i]);
    int low = hex_value(text[2U * i + 1U]);
    if(high < 0 || low < 0) {
      return false;
    }
    found[i] = (uint8_t)(high << 4 | low);
  }
  memcpy(hash, found, sizeof(found));
  return true;
}
