/* bytes.c - the Internet's checksum, and text of strangers. Pure C, tested on the host. */
#include "bytes.h"

uint32_t checksum_add(uint32_t sum, const uint8_t *data, size_t length) {
  for(size_t i = 0; i + 1 < length; i += 2) {
    sum += get16(data + i);
  }
  if(length & 1U) {
    sum += (uint32_t)data[length - 1] << 8;
  }
  return (sum & 0xFFFFU) + (sum >> 16);
}

uint16_t checksum_end(uint32_t sum) {
  while(sum >> 16) {
    sum = (sum & 0xFFFFU) + (sum >> 16);
  }
  return (uint16_t)~sum;
}

bool text_of_bytes(char *text, size_t size, const uint8_t *data, size_t length) {
  while(length > 0 && data[length - 1] == 0) {
    length--;
  }
  size_t count = length < size ? length : size - 1U;
  bool whole = count == length;
  for(size_t i = 0; i < count; i++) {
    bool printable = data[i] >= 0x20 && data[i] < 0x7F;
    text[i] = printable ? (char)data[i] : '?';
    whole = whole && printable;
  }
  text[count] = '\0';
  return whole;
}

bool text_begins(const char *text, const char *start) {
  while(*start && *text == *start) {
    text++;
    start++;
  }
  return *start == '\0';
}
