/* suggest.h - the word that somebody may have meant. Pure C, tested on the host. */
#ifndef APP_SUGGEST_H
#define APP_SUGGEST_H

#include <stddef.h>

#define SUGGEST_MAX 24U /* letters of a word that are looked at */

/* How many letters must be put in, taken out, changed, or exchanged with their neighbour to make one of the other; A to
 * Z equal a to z. Of each word the first SUGGEST_MAX letters. */
size_t suggest_distance(const char *left, const char *right);

/* The best guess so far; starts as all zeroes. */
struct suggestion {
  const char *word; /* NULL = none is near enough */
  size_t distance;
};

/* Looks at one more word; what is as near as an earlier one does not replace it. A word is near enough when a third of
 * its letters would change at the most, and one at least may; or when `typed`, two letters or more, begins it. */
void suggest_try(struct suggestion *best, const char *typed, const char *word);

#endif
