/* histogram.c - how often which value came. */
#include "histogram.h"

#define EXACT (2U * HISTOGRAM_STEPS) /* values below are their own cells */

static uint32_t cell_of(uint32_t value) {
  uint32_t shift = 0;
  while(value >> shift >= EXACT) {
    shift++;
  }
  return shift * HISTOGRAM_STEPS + (value >> shift);
}

/* The largest value of a cell. */
static uint32_t last_of(uint32_t cell) {
  if(cell < EXACT) {
    return cell;
  }
  const uint32_t shift = cell / HISTOGRAM_STEPS - 1U;
  const uint64_t next = (uint64_t)(cell % HISTOGRAM_STEPS + HISTOGRAM_STEPS + 1U) << shift;
  return next > UINT32_MAX ? UINT32_MAX : (uint32_t)next - 1U;
}

void histogram_add(struct histogram *histogram, uint32_t value) {
  uint32_t *cell = &histogram->cells[cell_of(value)];
  *cell += *cell < UINT32_MAX;
  histogram->least = histogram->count == 0 || value < histogram->least ? value : histogram->least;
  histogram->most = value > histogram->most ? value : histogram->most;
  histogram->count++;
  histogram->sum += value;
}

static uint32_t within(const struct histogram *histogram, uint32_t value) {
  return value < histogram->least ? histogram->least : value > histogram->most ? histogram->most : value;
}

uint32_t histogram_quantile(const struct histogram *histogram, uint32_t per_mille) {
  const uint64_t wanted = (histogram->count * per_mille + 999U) / 1000U;
  uint64_t seen = 0;
  for(uint32_t i = 0; i < HISTOGRAM_CELLS && histogram->count > 0; i++) {
    seen += histogram->cells[i];
    if(histogram->cells[i] > 0 && seen >= wanted) {
      return within(histogram, last_of(i));
    }
  }
  return histogram->count ? histogram->most : 0;
}

/* 1, 2 or 5 times a power of ten, so that `range` has no more than `parts` of them. */
static uint32_t width_of(uint32_t range, uint32_t parts) {
  static const uint32_t steps[] = {1, 2, 5};
  for(uint64_t decade = 1;; decade *= 10U) {
    for(uint32_t i = 0; i < 3U; i++) {
      if(decade * steps[i] * parts > range) {
        return (uint32_t)(decade * steps[i]);
      }
    }
  }
}

uint32_t histogram_rows(const struct histogram *histogram, struct histogram_row rows[HISTOGRAM_ROWS]) {
  if(histogram->count == 0) {
    return 0;
  }
  const uint32_t end = histogram_quantile(histogram, 990);
  const uint32_t width = width_of(end - histogram->least, HISTOGRAM_ROWS - 2U);
  const uint32_t first = histogram->least / width * width;
  const uint32_t usual = (end - first) / width + 1U;
  uint32_t count = usual;
  for(uint32_t i = 0; i <= usual; i++) {
    const uint64_t from = first + (uint64_t)i * width;
    const uint64_t to = from + width - 1U;
    rows[i] = (struct histogram_row){.first = from < UINT32_MAX ? (uint32_t)from : UINT32_MAX,
                                     .last = to < UINT32_MAX ? (uint32_t)to : UINT32_MAX};
  }
  rows[usual].last = histogram->most;
  for(uint32_t i = 0; i < HISTOGRAM_CELLS; i++) {
    if(histogram->cells[i] > 0) {
      const uint32_t row = (within(histogram, last_of(i)) - first) / width;
      rows[row < usual ? row : usual].count += histogram->cells[i];
    }
  }
  count += rows[usual].count > 0;
  return count;
}
