/* wrap.c - breaks text at blanks, so that it fits a narrow console. Pure C, tested on the host. */
#include "wrap.h"

struct sink {
  char *at;
  char *end; /* of the room, the terminator's place */
  uint32_t column;
  uint32_t lines;
};

static void put(struct sink *sink, char c) {
  if(sink->at < sink->end) {
    *sink->at++ = c;
  }
  sink->column = c == '\n' ? 0 : sink->column + 1U;
  sink->lines += c == '\n';
}

static uint32_t length_until(const char *text, const char *stops) {
  uint32_t length = 0;
  for(; text[length]; length++) {
    for(const char *stop = stops; *stop; stop++) {
      if(text[length] == *stop) {
        return length;
      }
    }
  }
  return length;
}

uint32_t wrap_text(char *out, size_t size, const char *text, uint32_t indent, uint32_t *column) {
  struct sink sink = {.at = out, .end = out + size - 1, .column = *column};
  while(*text) {
    uint32_t blanks = 0;
    while(text[blanks] == ' ') {
      blanks++;
    }
    uint32_t word = length_until(text + blanks, " \n");
    if(word > 0 && blanks > 0 && sink.column + blanks > indent && sink.column + blanks + word > WRAP_COLUMNS) {
      if(sink.column > 0) {
        put(&sink, '\n');
      }
      text += blanks;
      blanks = indent;
    } else {
      text += blanks;
    }
    for(; blanks > 0 && (word > 0 || *text != '\n'); blanks--) {
      put(&sink, ' ');
    }
    for(; word > 0; word--) {
      put(&sink, *text++);
    }
    if(*text == '\n') {
      put(&sink, *text++);
    }
  }
  *sink.at = '\0';
  *column = sink.column;
  return sink.lines;
}
