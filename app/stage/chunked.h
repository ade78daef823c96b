/* chunked.h - HTTP's chunked transfer coding (RFC 9112, 7.1), taken off as it arrives. Pure C, tested on the host. */
#ifndef APP_CHUNKED_H
#define APP_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum chunked_state {
  CHUNKED_SIZE,      /* digits of a chunk's size        */
  CHUNKED_EXTENSION, /* what stands behind it           */
  CHUNKED_SIZE_LF,   /* the line's end                  */
  CHUNKED_DATA,
  CHUNKED_DATA_CR, /* behind a chunk                  */
  CHUNKED_DATA_LF,
  CHUNKED_TRAILER, /* start of a line behind the last */
  CHUNKED_TRAILER_LINE,
  CHUNKED_TRAILER_LF, /* of a line with text             */
  CHUNKED_END_LF,     /* of the empty line               */
  CHUNKED_DONE,
  CHUNKED_BROKEN,
};

/* Begin with a zeroed one. */
struct chunked {
  enum chunked_state state;
  uint32_t digits; /* of the size so far; in a line that is skipped: its characters */
  uint64_t left;   /* bytes of the chunk still to come                               */
};

/*
 * Goes on with the `length` bytes at `bytes`. *data and *count are the next piece of content among them, which may be
 * empty. Returns how many bytes were used; call it again with the rest until there is none, or until state is
 * CHUNKED_DONE (what follows belongs to no body) or CHUNKED_BROKEN (what came is no chunked body, or has a line of more
 * than CHUNKED_LINE_MAX characters). Uses at least one byte unless it is done or broken, or length is 0.
 */
#define CHUNKED_LINE_MAX 4096U
size_t chunked_next(struct chunked *chunked, const uint8_t *bytes, size_t length, const uint8_t **data, size_t *count);

#endif
