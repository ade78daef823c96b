/* texts.c - addresses and bytes as people write them. Pure C, tested on the host. */
#include "texts.h"

#include "bytes.h"

static const char digits[] = "0123456789abcdef";

const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT_SIZE]) {
  for(size_t i = 0; i < 6; i++) {
    text[3 * i] = digits[mac[i] >> 4];
    text[3 * i + 1] = digits[mac[i] & 15];
    text[3 * i + 2] = i < 5 ? ':' : '\0';
  }
  return text;
}

const char *ipv4_text(uint32_t address, char text[IPV4_TEXT_SIZE]) {
  size_t at = 0;
  for(size_t i = 0; i < 4; i++) {
    uint32_t byte = address >> (24 - 8 * i) & 0xFF;
    if(byte >= 100) {
      text[at++] = digits[byte / 100];
    }
    if(byte >= 10) {
      text[at++] = digits[byte / 10 % 10];
    }
    text[at++] = digits[byte % 10];
    text[at++] = i < 3 ? '.' : '\0';
  }
  return text;
}

/* The longest run of two groups of zeroes or more, the first of equal ones (RFC 5952 4.2): *first up to *end. */
static void longest_zeroes(const uint8_t address[16], size_t *first, size_t *end) {
  *first = *end = 8;
  for(size_t i = 0; i < 8; i++) {
    size_t last = i;
    while(last < 8 && get16(address + 2 * last) == 0) {
      last++;
    }
    if(last - i >= 2 && last - i > *end - *first) {
      *first = i;
      *end = last;
    }
    i = last;
  }
}

const char *ipv6_text(const uint8_t address[16], char text[IPV6_TEXT_SIZE]) {
  size_t first;
  size_t end;
  size_t at = 0;
  longest_zeroes(address, &first, &end);
  for(size_t i = 0; i < 8; i++) {
    if(i == first) {
      text[at++] = ':';
      text[at] = ':';
      at += end == 8;
      i = end - 1U;
      continue;
    }
    if(i > 0) {
      text[at++] = ':';
    }
    uint32_t group = get16(address + 2 * i);
    for(uint32_t shift = 12, shown = 0; shift <= 12; shift -= 4) {
      shown |= group >> shift;
      if(shown || shift == 0) {
        text[at++] = digits[group >> shift & 15U];
      }
    }
  }
  text[at] = '\0';
  return text;
}

const char *hex_text(const uint8_t *bytes, size_t count, char *text) {
  for(size_t i = 0; i < count; i++) {
    text[2U * i] = digits[bytes[i] >> 4];
    text[2U * i + 1U] = digits[bytes[i] & 15U];
  }
  text[2U * count] = '\0';
  return text;
}
