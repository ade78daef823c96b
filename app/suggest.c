/* suggest.c - the word that somebody may have meant. Pure C, tested on the host. */
#include "suggest.h"

#define ROWS 3U /* the distance of prefixes: this one's, the one's before, and before that */

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t length_of(const char *word) {
  size_t length = 0;
  while(length < SUGGEST_MAX && word[length]) {
    length++;
  }
  return length;
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* Optimal string alignment: Levenshtein, and neighbours exchanged at a price of 1. */
size_t suggest_distance(const char *left, const char *right) {
  size_t rows[ROWS][SUGGEST_MAX + 1U];
  size_t left_length = length_of(left);
  size_t right_length = length_of(right);
  for(size_t j = 0; j <= right_length; j++) {
    rows[0][j] = j;
  }
  for(size_t i = 1; i <= left_length; i++) {
    size_t *row = rows[i % ROWS];
    const size_t *above = rows[(i - 1U) % ROWS];
    row[0] = i;
    for(size_t j = 1; j <= right_length; j++) {
      char a = lower(left[i - 1U]);
      char b = lower(right[j - 1U]);
      row[j] = smaller(smaller(above[j], row[j - 1U]) + 1U, above[j - 1U] + (a != b));
      if(i > 1 && j > 1 && a == lower(right[j - 2U]) && lower(left[i - 2U]) == b) {
        row[j] = smaller(row[j], rows[(i - 2U) % ROWS][j - 2U] + 1U);
      }
    }
  }
  return rows[left_length % ROWS][right_length];
}

static size_t begins(const char *typed, const char *word) {
  size_t length = 0;
  while(typed[length] && lower(typed[length]) == lower(word[length])) {
    length++;
  }
  return typed[length] ? 0 : length;
}

void suggest_try(struct suggestion *best, const char *typed, const char *word) {
  size_t distance = suggest_distance(typed, word);
  size_t allowed = length_of(word) / 3U;
  if(begins(typed, word) >= 2U) {
    distance = 1;
  }
  if(distance <= (allowed > 0 ? allowed : 1U) && (!best->word || distance < best->distance)) {
    best->word = word;
    best->distance = distance;
  }
}
