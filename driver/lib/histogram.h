/* histogram.h - how often which value came, in a table of fixed size: for times whose least and largest are far apart.
 * Pure C. */
#ifndef LIB_HISTOGRAM_H
#define LIB_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#define HISTOGRAM_STEPS 32U /* of each power of two: a value is known within 1/32 of itself, exactly below 64 */
#define HISTOGRAM_CELLS (28U * HISTOGRAM_STEPS)
#define HISTOGRAM_ROWS  12U /* that are shown at the most */

/* All zeroes: no value came. */
struct histogram {
  uint64_t count;
  uint64_t sum;
  uint32_t least; /* exact; means something when count is not 0 */
  uint32_t most;
  uint32_t cells[HISTOGRAM_CELLS]; /* saturate */
};

/* One row of its picture: the values from `first` to `last`. */
struct histogram_row {
  uint32_t first;
  uint32_t last;
  uint64_t count;
};

void histogram_add(struct histogram *histogram, uint32_t value);

/* The least value that at least `per_mille` of all do not exceed, within 1/32: 500 for the median; 0 without values. */
uint32_t histogram_quantile(const struct histogram *histogram, uint32_t per_mille);

/* The picture: rows of equal width from the least value to the 99th percentile, and one for what is beyond. Returns how
 * many. */
uint32_t histogram_rows(const struct histogram *histogram, struct histogram_row rows[HISTOGRAM_ROWS]);

#endif
