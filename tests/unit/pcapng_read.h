/* pcapng_read.h - reads a capture file back, by the format's rules and not by the writer's code. */
#ifndef PCAPNG_READ_H
#define PCAPNG_READ_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define READ_FRAMES_MAX 4096U
#define READ_TEXT_SIZE  300U

struct read_frame {
  uint64_t time_us;
  const uint8_t *data;
  uint32_t captured;
  uint32_t length;
  uint32_t flags;
  uint64_t dropped;
};

struct read_file {
  char hardware[READ_TEXT_SIZE];
  char os[READ_TEXT_SIZE];
  char application[READ_TEXT_SIZE];
  char section_comment[READ_TEXT_SIZE];
  char name[READ_TEXT_SIZE];
  char description[READ_TEXT_SIZE];
  char filter[READ_TEXT_SIZE];
  uint8_t mac[6];
  uint64_t speed;
  uint32_t snap_length;
  uint32_t resolution;
  uint32_t interfaces;
  struct read_frame frames[READ_FRAMES_MAX];
  uint32_t frame_count;
  uint32_t statistics;  /* blocks */
  uint64_t counters[9]; /* of the last one, by option code */
};

static inline uint32_t read32(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint64_t read64(const uint8_t *at) {
  return read32(at) | (uint64_t)read32(at + 4) << 32;
}

static inline void read_text(char *to, const uint8_t *from, uint32_t length) {
  memcpy(to, from, length < READ_TEXT_SIZE ? length : READ_TEXT_SIZE - 1U);
  to[length < READ_TEXT_SIZE ? length : READ_TEXT_SIZE - 1U] = '\0';
}

/* One option of a block; NULL, or what is wrong. */
static inline const char *read_option(struct read_file *file, uint32_t type, uint32_t code, const uint8_t *value,
                                      uint32_t length) {
  struct read_frame *frame = file->frame_count ? &file->frames[file->frame_count - 1U] : NULL;
  char *const section[] = {NULL, file->section_comment, file->hardware, file->os, file->application};
  if(type == 0x0A0D0D0AU && code >= 1U && code <= 4U) {
    read_text(section[code], value, length);
  } else if(type == 1U && (code == 2U || code == 3U)) {
    read_text(code == 2U ? file->name : file->description, value, length);
  } else if(type == 1U && code == 6U && length == 6U) {
    memcpy(file->mac, value, 6);
  } else if(type == 1U && code == 8U && length == 8U) {
    file->speed = read64(value);
  } else if(type == 1U && code == 9U && length == 1U) {
    file->resolution = value[0];
  } else if(type == 1U && code == 11U && length >= 1U && value[0] == 0) {
    read_text(file->filter, value + 1, length - 1U);
  } else if(type == 6U && code == 2U && length == 4U) {
    frame->flags = read32(value);
  } else if(type == 6U && code == 4U && length == 8U) {
    frame->dropped = read64(value);
  } else if(type == 5U && (code == 2U || code == 3U) && length == 8U) {
    file->counters[code] = (uint64_t)read32(value) << 32 | read32(value + 4);
  } else if(type == 5U && code >= 4U && code <= 8U && length == 8U) {
    file->counters[code] = read64(value);
  } else if(code != 1U) {
    return "an option that is unknown there, or of a wrong length";
  }
  return NULL;
}

static inline const char *read_options(struct read_file *file, uint32_t type, const uint8_t *at, uint32_t left) {
  while(left >= 4U) {
    uint32_t code = read32(at) & 0xFFFFU;
    uint32_t length = read32(at) >> 16;
    uint32_t whole = 4U + (length + 3U) / 4U * 4U;
    if(code == 0) {
      return length == 0 && left == 4U ? NULL : "the end of the options is not the end of the block";
    }
    if(whole > left) {
      return "an option beyond its block";
    }
    const char *wrong = read_option(file, type, code, at + 4, length);
    if(wrong) {
      return wrong;
    }
    at += whole;
    left -= whole;
  }
  return "no end of the options";
}

/* Where a block's options begin; 0 for a block that is wrong. */
static inline uint32_t read_fixed(struct read_file *file, uint32_t type, const uint8_t *block, uint32_t length) {
  if(type == 0x0A0D0D0AU) {
    return length >= 28U && read32(block + 8) == 0x1A2B3C4DU && read32(block + 12) == 1U &&
                   read64(block + 16) == UINT64_MAX
               ? 24U
               : 0;
  }
  if(type == 1U && length >= 20U) {
    file->interfaces++;
    file->snap_length = read32(block + 12);
    return read32(block + 8) == 1U ? 16U : 0;
  }
  if(type == 6U && length >= 32U && read32(block + 8) < file->interfaces && file->frame_count < READ_FRAMES_MAX) {
    struct read_frame *frame = &file->frames[file->frame_count++];
    uint32_t captured = read32(block + 20);
    *frame = (struct read_frame){.time_us = (uint64_t)read32(block + 12) << 32 | read32(block + 16),
                                 .data = block + 28,
                                 .captured = captured,
                                 .length = read32(block + 24)};
    return captured <= length - 32U && captured <= frame->length ? 28U + (captured + 3U) / 4U * 4U : 0;
  }
  if(type == 5U && length >= 24U && read32(block + 8) < file->interfaces) {
    file->statistics++;
    return 20U;
  }
  return 0;
}

/* NULL, or what is wrong with the file. The frames lie in `bytes`. */
static inline const char *read_capture(const uint8_t *bytes, size_t size, struct read_file *file) {
  memset(file, 0, sizeof(*file));
  for(size_t at = 0; at < size;) {
    if(size - at < 12U) {
      return "a block that is cut";
    }
    const uint8_t *block = bytes + at;
    uint32_t type = read32(block);
    uint32_t length = read32(block + 4);
    if((at == 0) != (type == 0x0A0D0D0AU)) {
      return "no section header at the beginning, or another one";
    }
    if(length % 4U != 0 || length < 12U || length > size - at || read32(block + length - 4U) != length) {
      return "a block whose lengths are wrong";
    }
    uint32_t options = read_fixed(file, type, block, length);
    if(options == 0 || options > length - 4U) {
      return "a block that is unknown, or too short";
    }
    const char *wrong = read_options(file, type, block + options, length - 4U - options);
    if(wrong) {
      return wrong;
    }
    at += length;
  }
  return size ? NULL : "an empty file";
}

#endif
