/* bits.c - a register taken apart by the names of its bits: "EN:1 UPE:3 LBM:6-7". Pure C, tested on the host. */
#include "bits.h"

#include <string.h>

#define BIT_MAX 63U

static bool take_bit(const char **at, uint32_t *bit) {
  const char *start = *at;
  *bit = 0;
  while(**at >= '0' && **at <= '9' && *bit <= BIT_MAX) {
    *bit = *bit * 10U + (uint32_t)(**at - '0');
    (*at)++;
  }
  return *at != start && *bit <= BIT_MAX;
}

bool bits_next(const char **at, uint64_t value, struct bits_field *field) {
  const char *text = *at;
  size_t length = 0;
  while(text && *text == ' ') {
    text++;
  }
  if(!text || !*text) {
    return false;
  }
  for(; *text && *text != ':' && *text != ' '; text++) {
    if(length < BITS_NAME_MAX) {
      field->name[length++] = *text;
    }
  }
  field->name[length] = '\0';
  if(length == 0 || *text != ':') {
    return false;
  }
  text++;
  if(!take_bit(&text, &field->low)) {
    return false;
  }
  field->high = field->low;
  if(*text == '-') {
    text++;
    if(!take_bit(&text, &field->high)) {
      return false;
    }
  }
  if(field->high < field->low || (*text && *text != ' ')) {
    return false;
  }
  uint32_t width = field->high - field->low + 1U;
  field->value = value >> field->low & (width > BIT_MAX ? UINT64_MAX : (1ULL << width) - 1U);
  *at = text;
  return true;
}

const char *bits_field_text(const struct bits_field *field, char text[BITS_TEXT_SIZE]) {
  size_t length = strlen(field->name);
  memcpy(text, field->name, length);
  if(field->high > field->low) {
    char digits[16];
    size_t count = 0;
    uint64_t value = field->value;
    do {
      digits[count++] = "0123456789abcdef"[value & 15U];
      value >>= 4;
    } while(value > 0);
    text[length++] = '=';
    if(field->value > 9) {
      text[length++] = '0';
      text[length++] = 'x';
    }
    while(count > 0) {
      text[length++] = digits[--count];
    }
  }
  text[length] = '\0';
  return text;
}

const char *bits_text(const char *bits, uint64_t value, char *text, size_t size) {
  struct bits_field field;
  size_t length = 0;
  while(bits_next(&bits, value, &field)) {
    char one[BITS_TEXT_SIZE];
    if(field.value == 0) {
      continue;
    }
    size_t more = strlen(bits_field_text(&field, one));
    if(length + (length > 0) + more + 1U > size) {
      break;
    }
    if(length > 0) {
      text[length++] = ' ';
    }
    memcpy(&text[length], one, more);
    length += more;
  }
  text[length] = '\0';
  return text;
}
