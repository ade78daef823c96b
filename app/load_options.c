/* load_options.c - an argument vector from the load options of a boot option. Pure C, tested on the host.
 *
 * UEFI 2.10, 9.1.1 calls them "a binary data buffer that is passed to the loaded image": there is no type and no
 * terminator. What is found in practice: `bcfg boot -opt` and `efibootmgr --unicode` leave UCS-2, `efibootmgr` without
 * it 8-bit text, boot managers put the program's name in front or a blank behind, and firmware that finds a file by
 * itself leaves a GUID. */
#include "load_options.h"

#include <stdbool.h>
#include <string.h>

#include "args.h"

#define BYTE_ORDER_MARK 0xFEFFU
#define DELETE          0x7FU
#define C1_CONTROLS_END 0xA0U
#define PROGRAM_NAME    "netdiag"
#define PROGRAM_SUFFIX  ".efi"

/* Characters ----------------------------------------------------------------------------------------------------- */

struct reader {
  const uint8_t *at;
  size_t left;
  bool wide;
};

#define CHAR_END 0U
#define CHAR_BAD 0xFFFFFFFFU

static uint32_t take_unit(struct reader *in) {
  size_t bytes = in->wide ? 2 : 1;
  if(in->left < bytes) {
    return CHAR_END; /* also half a unit: an odd size */
  }
  uint32_t unit = in->wide ? (uint32_t)(in->at[0] | in->at[1] << 8) : in->at[0];
  in->at += bytes;
  in->left -= bytes;
  return unit;
}

/* The other half of a surrogate pair (UEFI itself knows UCS-2 only; what passes a Linux tool may be UTF-16). */
static uint32_t finish_pair(struct reader *in, uint32_t high) {
  uint32_t low = high < 0xDC00U ? take_unit(in) : CHAR_END;
  return low >= 0xDC00U && low < 0xE000U ? 0x10000U : CHAR_BAD;
}

/* What follows the first byte of a character in UTF-8. Another 8-bit encoding is not told from binary data. */
static uint32_t finish_utf8(struct reader *in, uint32_t first) {
  uint32_t more = first >= 0xF0U ? 3 : first >= 0xE0U ? 2 : 1;
  if(first < 0xC2U || first > 0xF4U) {
    return CHAR_BAD;
  }
  for(uint32_t i = 0; i < more; i++) {
    if((take_unit(in) & 0xC0U) != 0x80U) {
      return CHAR_BAD;
    }
  }
  return 0x10000U;
}

/* The next character: CHAR_END at the end or at a NUL, CHAR_BAD for what no text holds. */
static uint32_t take_char(struct reader *in) {
  uint32_t c = take_unit(in);
  if(c == '\t' || c == '\n' || c == '\r') {
    return ' ';
  }
  if(c != CHAR_END && (c < ' ' || c == DELETE)) {
    return CHAR_BAD;
  }
  if(c < DELETE) {
    return c;
  }
  if(!in->wide) {
    return finish_utf8(in, c);
  }
  if(c >= 0xD800U && c < 0xE000U) {
    return finish_pair(in, c);
  }
  return c < C1_CONTROLS_END || c >= 0xFFFEU ? CHAR_BAD : c;
}

/* The first character decides: netdiag's commands and its path begin with one below U+0100, so that the second byte of
 * UCS-2 is 0. */
static struct reader make_reader(const uint8_t *bytes, size_t size) {
  struct reader in = {bytes, size, size >= 2 && bytes[1] == 0};
  if(size >= 2 && (bytes[0] | bytes[1] << 8) == BYTE_ORDER_MARK) {
    in = (struct reader){bytes + 2, size - 2, true};
  }
  return in;
}

/* Words ---------------------------------------------------------------------------------------------------------- */

/* "netdiag", "\EFI\tools\netdiag", or anything that ends in ".efi": no command is called so. */
static bool is_own_name(const char *word) {
  const char *base = word;
  for(const char *c = word; *c; c++) {
    base = *c == '\\' || *c == '/' || *c == ':' ? c + 1 : base;
  }
  size_t length = strlen(base);
  size_t suffix = strlen(PROGRAM_SUFFIX);
  return text_same(base, PROGRAM_NAME) || (length > suffix && text_same(base + length - suffix, PROGRAM_SUFFIX));
}

static int split(char *at, const char *end, char *argv[], int max) {
  bool first = true;
  int count = 0;
  char *word;
  while(at < end && args_split(at, &word, 1) == 1) {
    at = word + strlen(word) + 1;
    if(!first || !is_own_name(word)) {
      if(count == max) {
        return LOAD_OPTIONS_TOO_LONG;
      }
      argv[count++] = word;
    }
    first = false;
  }
  return count;
}

int load_options_parse(const uint8_t *bytes, size_t size, char *text, size_t text_size, char *argv[], int max) {
  struct reader in = make_reader(bytes, size);
  size_t length = 0;
  bool fits = true;
  for(uint32_t c = take_char(&in); c != CHAR_END; c = take_char(&in)) {
    if(c == CHAR_BAD) {
      return LOAD_OPTIONS_NOT_TEXT;
    }
    if(length + 1 < text_size) {
      text[length++] = c < DELETE ? (char)c : '?';
    } else {
      fits = fits && c == ' '; /* blanks at the end need no room */
    }
  }
  text[length] = '\0';
  return fits ? split(text, text + length, argv, max) : LOAD_OPTIONS_TOO_LONG;
}
