/* chunked.c - HTTP's chunked transfer coding (RFC 9112, 7.1), taken off as it arrives. Pure C, tested on the host. */
#include "chunked.h"

#define SIZE_DIGITS_MAX 15U /* more is no size of anything, and would not fit */

static int hex_value(uint8_t c) {
  if(c >= '0' && c <= '9') {
    return c - '0';
  }
  c |= 0x20U;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum chunked_state after_size(struct chunked *chunked) {
  chunked->digits = 0;
  return chunked->left > 0 ? CHUNKED_DATA : CHUNKED_TRAILER;
}

static enum chunked_state size_character(struct chunked *chunked, uint8_t c) {
  int value = hex_value(c);
  if(value >= 0) {
    chunked->left = chunked->left << 4 | (uint64_t)value;
    return ++chunked->digits > SIZE_DIGITS_MAX ? CHUNKED_BROKEN : CHUNKED_SIZE;
  }
  if(chunked->digits == 0) {
    return CHUNKED_BROKEN;
  }
  if(c == '\r') {
    return CHUNKED_SIZE_LF;
  }
  chunked->digits = 0;
  return c == ';' || c == ' ' || c == '\t' ? CHUNKED_EXTENSION : CHUNKED_BROKEN;
}

/* A character of a line that says nothing to us. */
static enum chunked_state skip(struct chunked *chunked, uint8_t c, enum chunked_state here, enum chunked_state end) {
  if(c == '\r') {
    return end;
  }
  return c == '\n' || ++chunked->digits > CHUNKED_LINE_MAX ? CHUNKED_BROKEN : here;
}

static enum chunked_state expect(uint8_t c, uint8_t wanted, enum chunked_state next) {
  return c == wanted ? next : CHUNKED_BROKEN;
}

static enum chunked_state one(struct chunked *chunked, uint8_t c) {
  switch(chunked->state) {
  case CHUNKED_SIZE:
    return size_character(chunked, c);
  case CHUNKED_EXTENSION:
    return skip(chunked, c, CHUNKED_EXTENSION, CHUNKED_SIZE_LF);
  case CHUNKED_SIZE_LF:
    return c == '\n' ? after_size(chunked) : CHUNKED_BROKEN;
  case CHUNKED_DATA_CR:
    return expect(c, '\r', CHUNKED_DATA_LF);
  case CHUNKED_DATA_LF:
    chunked->digits = 0;
    return expect(c, '\n', CHUNKED_SIZE);
  case CHUNKED_TRAILER:
    return c == '\r' ? CHUNKED_END_LF : skip(chunked, c, CHUNKED_TRAILER_LINE, CHUNKED_END_LF);
  case CHUNKED_TRAILER_LINE:
    return skip(chunked, c, CHUNKED_TRAILER_LINE, CHUNKED_TRAILER_LF);
  case CHUNKED_TRAILER_LF:
    return expect(c, '\n', CHUNKED_TRAILER);
  case CHUNKED_END_LF:
    return expect(c, '\n', CHUNKED_DONE);
  default:
    return chunked->state;
  }
}

size_t chunked_next(struct chunked *chunked, const uint8_t *bytes, size_t length, const uint8_t **data, size_t *count) {
  size_t used = 0;
  *data = bytes;
  *count = 0;
  while(used < length && chunked->state != CHUNKED_DATA && chunked->state != CHUNKED_DONE &&
        chunked->state != CHUNKED_BROKEN) {
    chunked->state = one(chunked, bytes[used++]);
  }
  if(chunked->state == CHUNKED_DATA && used < length) {
    size_t room = length - used;
    *data = bytes + used;
    *count = chunked->left < room ? (size_t)chunked->left : room;
    chunked->left -= *count;
    used += *count;
    chunked->state = chunked->left > 0 ? CHUNKED_DATA : CHUNKED_DATA_CR;
  }
  return used;
}
