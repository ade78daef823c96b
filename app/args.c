/* args.c - command lines: options described by a table, parsed into a struct. Pure C, tested on the host. */
#include "args.h"

#include <string.h>

#include "../driver/lib/station.h"
#include "suggest.h"

#define PCI_SEGMENT_MAX  0xFFFFU
#define PCI_BUS_MAX      0xFFU
#define PCI_DEVICE_MAX   0x1FU
#define PCI_FUNCTION_MAX 7U

/* Values --------------------------------------------------------------------------------------------------------- */

bool text_equal(const char *left, const char *right) {
  while(*left && *left == *right) {
    left++;
    right++;
  }
  return *left == *right;
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_same(const char *left, const char *right) {
  while(*left && lower(*left) == lower(*right)) {
    left++;
    right++;
  }
  return lower(*left) == lower(*right);
}

bool text_same_start(const char *text, const char *start) {
  while(*start && lower(*text) == lower(*start)) {
    text++;
    start++;
  }
  return !*start;
}

static int digit_value(char c) {
  if(c >= '0' && c <= '9') {
    return c - '0';
  }
  if(c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if(c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return 16;
}

/* Reads digits of `base` at *text and moves past them; false without a digit or beyond `max`. */
static bool take_number(const char **text, uint32_t base, uint32_t max, uint32_t *out) {
  uint64_t value = 0;
  const char *start = *text;
  while((uint32_t)digit_value(**text) < base) {
    value = value * base + (uint32_t)digit_value(**text);
    if(value > max) {
      return false;
    }
    (*text)++;
  }
  *out = (uint32_t)value;
  return *text != start;
}

static bool take_char(const char **text, char wanted) {
  if(**text != wanted) {
    return false;
  }
  (*text)++;
  return true;
}

bool args_u32(const char *text, uint32_t *out) {
  uint32_t value;
  bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  text += hex ? 2 : 0;
  if(!take_number(&text, hex ? 16 : 10, UINT32_MAX, &value) || *text) {
    return false;
  }
  *out = value;
  return true;
}

bool args_mac(const char *text, uint8_t mac[6]) {
  uint8_t value[6];
  for(int i = 0; i < 6; i++) {
    uint32_t byte;
    if(i > 0 && !take_char(&text, ':') && !take_char(&text, '-')) {
      return false;
    }
    if(!take_number(&text, 16, 0xFF, &byte)) {
      return false;
    }
    value[i] = (uint8_t)byte;
  }
  if(*text) {
    return false;
  }
  memcpy(mac, value, sizeof(value));
  return true;
}

static bool take_ipv4(const char **text, uint32_t *out) {
  uint32_t value = 0;
  for(int i = 0; i < 4; i++) {
    uint32_t byte;
    if((i > 0 && !take_char(text, '.')) || !take_number(text, 10, 255, &byte)) {
      return false;
    }
    value = value << 8 | byte;
  }
  *out = value;
  return true;
}

bool args_ipv4(const char *text, uint32_t *out) {
  uint32_t value;
  if(!take_ipv4(&text, &value) || *text) {
    return false;
  }
  *out = value;
  return true;
}

bool args_cidr(const char *text, struct cidr_option *out) {
  uint32_t address;
  uint32_t bits;
  if(!take_ipv4(&text, &address) || !take_char(&text, '/') || !take_number(&text, 10, 32, &bits) || *text) {
    return false;
  }
  out->address = address;
  out->mask = bits == 0 ? 0 : UINT32_MAX << (32U - bits);
  return true;
}

bool args_range(const char *text, struct range_option *out) {
  struct range_option value;
  if(!take_number(&text, 10, UINT32_MAX, &value.first)) {
    return false;
  }
  value.last = value.first;
  if(take_char(&text, '-') && !take_number(&text, 10, UINT32_MAX, &value.last)) {
    return false;
  }
  if(*text || value.last < value.first) {
    return false;
  }
  *out = value;
  return true;
}

bool args_pci_location(const char *text, struct pci_location *out) {
  uint32_t part[3];
  uint32_t function;
  int count = 0;
  do {
    if(count == 3 || !take_number(&text, 16, PCI_SEGMENT_MAX, &part[count])) {
      return false;
    }
    count++;
  } while(take_char(&text, ':'));
  if(count < 2 || !take_char(&text, '.') || !take_number(&text, 16, PCI_FUNCTION_MAX, &function) || *text) {
    return false;
  }
  if(part[count - 2] > PCI_BUS_MAX || part[count - 1] > PCI_DEVICE_MAX) {
    return false;
  }
  out->segment = count == 3 ? part[0] : 0;
  out->bus = part[count - 2];
  out->device = part[count - 1];
  out->function = function;
  return true;
}

int args_split(char *line, char *argv[], int max) {
  int count = 0;
  while(count < max) {
    while(*line == ' ' || *line == '\t') {
      line++;
    }
    if(!*line) {
      break;
    }
    bool quoted = *line == '"';
    line += quoted ? 1 : 0;
    argv[count++] = line;
    while(*line && (quoted ? *line != '"' : *line != ' ' && *line != '\t')) {
      line++;
    }
    if(*line) {
      *line++ = '\0';
    }
  }
  return count;
}

static bool put(char **line, const char *end, char c) {
  if(*line == end) {
    return false;
  }
  *(*line)++ = c;
  return true;
}

static bool put_word(char **line, const char *end, const char *word) {
  bool quoted = !*word;
  for(const char *c = word; *c && !quoted; c++) {
    quoted = *c == ' ' || *c == '\t';
  }
  bool room = !quoted || put(line, end, '"');
  while(room && *word) {
    room = put(line, end, *word++);
  }
  return room && (!quoted || put(line, end, '"'));
}

bool args_join(const char *const words[], int count, char *line, size_t size) {
  char *at = line;
  const char *end = line + size - 1;
  bool room = true;
  for(int i = 0; i < count && room; i++) {
    room = (i == 0 || put(&at, end, ' ')) && put_word(&at, end, words[i]);
  }
  *(room ? at : line) = '\0';
  return room;
}

/* Options -------------------------------------------------------------------------------------------------------- */

static void append(char *error, const char *text) {
  size_t length = strlen(error);
  while(*text && length + 1 < ARGS_ERROR_SIZE) {
    error[length++] = *text++;
  }
  error[length] = '\0';
}

static int fail(char *error, const char *what, const char *word, const char *hint) {
  error[0] = '\0';
  append(error, what);
  append(error, " '");
  append(error, word);
  append(error, "'");
  append(error, hint);
  return -1;
}

static void append_u32(char *error, uint32_t value) {
  char digits[11];
  size_t i = sizeof(digits) - 1;
  digits[i] = '\0';
  do {
    digits[--i] = (char)('0' + value % 10U);
    value /= 10U;
  } while(value > 0);
  append(error, &digits[i]);
}

static int fail_range(char *error, const struct option *option, const char *word) {
  fail(error, option->name, word, ": not from ");
  append_u32(error, option->min);
  append(error, " to ");
  append_u32(error, option->max);
  return -1;
}

/* An address that no station can have is a mistake as well. */
static int check_station(const struct option *option, const char *word, uint32_t address, uint32_t mask, char *error) {
  const char *fault = station_ipv4_fault(address, mask);
  if(!fault) {
    return 0;
  }
  fail(error, option->name, word, ": ");
  append(error, fault);
  append(error, "; give one that a station can have");
  return -1;
}

static int store(const struct option *option, void *values, const char *word, char *error) {
  void *member = (char *)values + option->offset;
  uint32_t number;
  struct range_option range;
  switch(option->kind) {
  case OPTION_FLAG:
    *(bool *)member = true;
    return 0;
  case OPTION_U32:
    if(!args_u32(word, &number)) {
      return fail(error, option->name, word, ": not a number");
    }
    if(number < option->min || number > option->max) {
      return fail_range(error, option, word);
    }
    *(uint32_t *)member = number;
    return 0;
  case OPTION_RANGE:
    if(!args_range(word, &range)) {
      return fail(error, option->name, word, ": neither N nor FIRST-LAST");
    }
    if(range.first < option->min || range.last > option->max) {
      return fail_range(error, option, word);
    }
    *(struct range_option *)member = range;
    return 0;
  case OPTION_TEXT:
    *(const char **)member = word;
    return 0;
  case OPTION_TEXTS:
    if(((struct text_list *)member)->count == TEXT_LIST_MAX) {
      return fail(error, option->name, word, ": there are 7 already, and no room for more");
    }
    ((struct text_list *)member)->at[((struct text_list *)member)->count++] = word;
    return 0;
  case OPTION_MAC:
    if(!args_mac(word, ((struct mac_option *)member)->mac)) {
      return fail(error, option->name, word, ": not a MAC address like 52:54:00:12:34:56");
    }
    ((struct mac_option *)member)->given = true;
    return 0;
  case OPTION_IPV4:
    if(!args_ipv4(word, &number)) {
      return fail(error, option->name, word, ": not an IPv4 address like 10.0.2.2");
    }
    *(uint32_t *)member = number;
    return check_station(option, word, number, 0, error);
  case OPTION_CIDR:
    if(!args_cidr(word, member)) {
      return fail(error, option->name, word, ": not ADDRESS/LENGTH like 10.0.2.15/24");
    }
    return check_station(option, word, ((struct cidr_option *)member)->address, ((struct cidr_option *)member)->mask,
                         error);
  }
  return fail(error, "unknown kind of option", option->name, "");
}

/* Whether `word` is the option's name, or for a long one NAME=VALUE: *value is then VALUE, else NULL. */
static bool names_option(const struct option *option, const char *word, const char **value) {
  const char *name = option->name;
  while(*name && *name == *word) {
    name++;
    word++;
  }
  *value = *word == '=' && option->name[1] == '-' ? word + 1 : NULL;
  return !*name && (!*word || *value);
}

/* An option that is none of ours may be meant for the program whose name stands before it. */
static int fail_unknown(char *error, const struct option *options, const char *word, const char *before,
                        int positional_max) {
  struct suggestion best = {0};
  for(const struct option *option = options; option->name; option++) {
    if(option->name[1] == '-') { /* of one letter, any would be as near as any other */
      suggest_try(&best, word, option->name);
    }
  }
  fail(error, "unknown option", word, "");
  if(best.word) {
    append(error, "; did you mean '");
    append(error, best.word);
    append(error, "'?");
  } else if(before && positional_max > 1) {
    append(error, ": if it is for ");
    append(error, before);
    append(error, ", write -- before ");
    append(error, before);
  }
  return -1;
}

int args_parse(const struct option *options, void *values, int argc, char *const argv[], const char **positional,
               int positional_max, bool *help, char *error) {
  int count = 0;
  bool only_words = false;
  *help = false;
  error[0] = '\0';
  for(int i = 0; i < argc; i++) {
    const char *word = argv[i];
    if(only_words || word[0] != '-' || !word[1]) {
      if(count == positional_max) {
        return fail(error, "too many words: do not know what to do with", word, "");
      }
      positional[count++] = word;
      continue;
    }
    if(text_equal(word, "--")) {
      only_words = true;
      continue;
    }
    if(text_equal(word, "-h") || text_equal(word, "--help")) {
      *help = true;
      return count;
    }
    const struct option *option = options;
    const char *value = NULL;
    while(option->name && !names_option(option, word, &value)) {
      option++;
    }
    if(!option->name) {
      return fail_unknown(error, options, word, count > 0 ? positional[0] : NULL, positional_max);
    }
    if(option->kind == OPTION_FLAG && value) {
      return fail(error, "option", option->name, " takes no value");
    }
    if(option->kind != OPTION_FLAG && !value) {
      if(i + 1 == argc) {
        return fail(error, "option", word, " needs a value");
      }
      value = argv[++i];
    }
    if(store(option, values, value ? value : "", error) != 0) {
      return -1;
    }
  }
  return count;
}
