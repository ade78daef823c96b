/* fuzz_load_options.c - load options that nobody meant, and lines broken for a narrow console. */
#include "fuzz.h"

#include "args.h"
#include "load_options.h"
#include "unit.h"
#include "wrap.h"

#define WORDS_MAX 8
#define LINE_SIZE 512U

struct words {
  char *text; /* exactly as large as told: the sanitizer sees a byte too many */
  size_t size;
  char *argv[WORDS_MAX];
  int count;
};

static void parse(struct words *words, const uint8_t *bytes, size_t size, size_t text_size) {
  words->size = text_size;
  words->text = malloc(text_size);
  assert_non_null(words->text);
  words->count = load_options_parse(bytes, size, words->text, text_size, words->argv, WORDS_MAX);
  assert_in_range(words->count + 2, 0, WORDS_MAX + 2);
  for(int i = 0; i < words->count; i++) {
    const char *word = words->argv[i];
    assert_true(word >= words->text && word + strlen(word) < words->text + text_size);
    for(; *word; word++) {
      assert_in_range(*word, ' ', '~');
    }
  }
}

/* What was understood means the same when it is written out and read again, as 8-bit text and as UCS-2. */
static void check_again(const struct words *words) {
  char line[LINE_SIZE] = "netdiag ";
  uint8_t wide[2 * LINE_SIZE];
  for(int i = 0; i < words->count; i++) {
    if(strchr(words->argv[i], '"')) {
      return; /* args_join knows no quotes inside a word */
    }
  }
  if(!args_join((const char *const *)words->argv, words->count, line + 8, sizeof(line) - 8U)) {
    return;
  }
  size_t length = strlen(line);
  for(size_t i = 0; i < length; i++) {
    wide[2 * i] = (uint8_t)line[i];
    wide[2 * i + 1] = 0;
  }
  for(int pass = 0; pass < 2; pass++) {
    struct words again;
    parse(&again, pass ? wide : (const uint8_t *)line, pass ? 2 * length : length, LINE_SIZE);
    assert_int_equal(again.count, words->count);
    for(int i = 0; i < words->count; i++) {
      assert_string_equal(again.argv[i], words->argv[i]);
    }
    free(again.text);
  }
}

/* No letter lost or added, and no line longer than it must be. */
static void check_wrap(const char *text, uint32_t indent, uint32_t column) {
  char out[4 * LINE_SIZE];
  uint32_t end = column;
  const char *from = text;
  (void)wrap_text(out, sizeof(out), text, indent, &end);
  for(const char *to = out; *to; to++) {
    if(*to != ' ' && *to != '\n') {
      while(*from == ' ' || *from == '\n') {
        from++;
      }
      assert_int_equal(*from, *to);
      from++;
    }
    column = *to == '\n' ? 0 : column + 1U;
    if(column > WRAP_COLUMNS && *to != ' ') { /* then there is no blank to break at right of the indentation */
      const char *start = to;
      while(start > out && start[-1] != '\n' && start[-1] != ' ') {
        start--;
      }
      assert_true((uint32_t)(to - start) + 1U + indent >= column || start == out);
    }
  }
  assert_int_equal(column, end);
  assert_int_equal(strspn(from, " \n"), strlen(from));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  struct words words;
  size_t room = 1U + fuzz_u8(&in);
  uint32_t indent = fuzz_u8(&in) % 40U;
  uint32_t column = fuzz_u8(&in) % 90U;
  uint8_t *bytes = malloc(in.left ? in.left : 1U);
  size_t left = in.left;
  assert_non_null(bytes);
  (void)fuzz_bytes(&in, bytes, left);
  parse(&words, bytes, left, room);
  if(words.count >= 0) {
    check_again(&words);
  }
  free(words.text);

  char text[LINE_SIZE];
  size_t length = left < sizeof(text) ? left : sizeof(text) - 1U;
  for(size_t i = 0; i < length; i++) {
    text[i] = bytes[i] % 8U == 0 ? ' ' : bytes[i] % 64U == 1U ? '\n' : (char)('a' + bytes[i] % 26U);
  }
  text[length] = '\0';
  check_wrap(text, indent, column);
  free(bytes);
  return 0;
}
