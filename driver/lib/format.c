/* format.c - the part of printf that netdiag needs. Pure C, tested on the host. */
#include "format.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NUMBER_SIZE 24U

struct sink {
  char *buffer;
  size_t size;
  size_t length; /* what it would be with room enough */
};

struct field {
  bool left;
  bool zero;
  size_t width;
  size_t length_modifier; /* bytes of the argument */
};

static void put(struct sink *sink, char c) {
  if(sink->length + 1 < sink->size) {
    sink->buffer[sink->length] = c;
  }
  sink->length++;
}

static void put_field(struct sink *sink, const struct field *field, const char *text, size_t length) {
  size_t padding = field->width > length ? field->width - length : 0;
  bool sign = length > 0 && text[0] == '-';
  if(field->zero && !field->left && sign) {
    put(sink, *text++);
    length--;
  }
  for(size_t i = 0; !field->left && i < padding; i++) {
    put(sink, field->zero ? '0' : ' ');
  }
  for(size_t i = 0; i < length; i++) {
    put(sink, text[i]);
  }
  for(size_t i = 0; field->left && i < padding; i++) {
    put(sink, ' ');
  }
}

static void put_number(struct sink *sink, const struct field *field, uint64_t value, bool negative, uint32_t base) {
  char text[NUMBER_SIZE];
  size_t at = sizeof(text);
  do {
    text[--at] = "0123456789abcdef"[value % base];
    value /= base;
  } while(value > 0);
  if(negative) {
    text[--at] = '-';
  }
  put_field(sink, field, &text[at], sizeof(text) - at);
}

/* Flags, width and length modifier; returns the conversion character's place. */
static const char *parse_field(const char *format, struct field *field) {
  *field = (struct field){.length_modifier = sizeof(int)};
  for(; *format == '-' || *format == '0'; format++) {
    field->left = field->left || *format == '-';
    field->zero = field->zero || *format == '0';
  }
  for(; *format >= '0' && *format <= '9'; format++) {
    field->width = field->width * 10U + (size_t)(*format - '0');
  }
  for(; *format == 'l' || *format == 'z' || *format == 'j'; format++) {
    bool second = *format == 'l' && format[-1] == 'l';
    field->length_modifier = *format == 'z'              ? sizeof(size_t)
                             : *format == 'l' && !second ? sizeof(long)
                                                         : sizeof(uint64_t);
  }
  return format;
}

size_t format_text(char *buffer, size_t size, const char *format, va_list arguments) {
  struct sink sink = {.buffer = buffer, .size = size};
  struct field field;
  for(; *format; format++) {
    if(*format != '%') {
      put(&sink, *format);
      continue;
    }
    const char *start = format;
    format = parse_field(format + 1, &field);
    bool wide = field.length_modifier == sizeof(uint64_t);
    if(*format == 's') {
      const char *text = va_arg(arguments, const char *);
      put_field(&sink, &field, text, strlen(text));
    } else if(*format == 'c') {
      char c = (char)va_arg(arguments, int);
      put_field(&sink, &field, &c, 1);
    } else if(*format == 'd') {
      int64_t value = wide ? va_arg(arguments, int64_t) : va_arg(arguments, int);
      put_number(&sink, &field, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0, 10);
    } else if(*format == 'u' || *format == 'x') {
      uint64_t value = wide ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned int);
      put_number(&sink, &field, value, false, *format == 'x' ? 16 : 10);
    } else if(*format == '%') {
      put(&sink, '%');
    } else {
      put(&sink, '%');
      format = start; /* the loop goes on behind the per cent sign */
    }
  }
  if(size > 0) {
    buffer[sink.length < size ? sink.length : size - 1] = '\0';
  }
  return sink.length;
}

size_t format_into(char *buffer, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t length = format_text(buffer, size, format, arguments);
  va_end(arguments);
  return length;
}
