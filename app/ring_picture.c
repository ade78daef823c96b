/* ring_picture.c - descriptor rings and queues drawn in 80 columns, from the rows that a driver shows. Pure C. */
#include "ring_picture.h"

#include <stdarg.h>
#include <string.h>

#include "../driver/lib/format.h"
#include "args.h"

#define WORD_BITS  64U
#define MARK_START "at_"
#define SIZE_TEXT  "descriptors"

/* Rows ----------------------------------------------------------------------------------------------------------- */

/* Length of the queue's name, which is before the point; 0 when there is none or it is too long. */
static size_t queue_length(const char *name) {
  size_t length = 0;
  while(length < RING_NAME_SIZE && name[length] && name[length] != '.') {
    length++;
  }
  return length < RING_NAME_SIZE && name[length] == '.' ? length : 0;
}

static bool is_ring(const struct ring_view *ring, const char *name, size_t length) {
  return memcmp(ring->name, name, length) == 0 && ring->name[length] == '\0';
}

const struct ring_view *ring_views_find(const struct ring_views *views, const char *name) {
  size_t length = queue_length(name);
  for(uint32_t i = 0; length > 0 && i < views->count; i++) {
    if(is_ring(&views->ring[i], name, length)) {
      return &views->ring[i];
    }
  }
  return NULL;
}

static struct ring_view *find(struct ring_views *views, const char *name, bool add) {
  size_t length = queue_length(name);
  const struct ring_view *there = ring_views_find(views, name);
  if(there) {
    return &views->ring[there - views->ring];
  }
  if(length == 0 || !add || views->count == RINGS_MAX) {
    return NULL;
  }
  struct ring_view *ring = &views->ring[views->count++];
  memcpy(ring->name, name, length);
  return ring;
}

static void take_mark(struct ring_view *ring, const char *name, uint64_t at) {
  if(ring->mark_count < RING_MARKS_MAX && at <= UINT32_MAX) {
    struct ring_mark *mark = &ring->marks[ring->mark_count++];
    for(size_t i = 0; i + 1 < RING_NAME_SIZE && name[i]; i++) {
      mark->name[i] = name[i];
    }
    mark->at = (uint32_t)at;
  }
}

void ring_views_take(struct ring_views *views, const struct netdev_row *row) {
  bool size = row->group == NETDEV_ROWS_RINGS && row->text && text_equal(row->text, SIZE_TEXT);
  struct ring_view *ring = row->group == NETDEV_ROWS_RINGS ? find(views, row->name, size) : NULL;
  if(!ring) {
    return;
  }
  const char *name = row->name + queue_length(row->name) + 1U;
  if(size) {
    const uint32_t most = WORD_BITS * RING_WORDS_MAX;
    ring->size = row->value <= most ? (uint32_t)row->value : most;
  } else if(text_equal(name, "busy") && row->index < RING_WORDS_MAX) {
    ring->busy[row->index] = row->value;
  } else if(text_equal(name, "done") && row->index < RING_WORDS_MAX) {
    ring->done[row->index] = row->value;
  } else if(text_same_start(name, MARK_START)) {
    take_mark(ring, name + sizeof(MARK_START) - 1U, row->value);
  }
}

/* Picture -------------------------------------------------------------------------------------------------------- */

static bool bit(const uint64_t *words, uint32_t at) {
  return (words[at / WORD_BITS] >> at % WORD_BITS & 1U) != 0;
}

static char state_of(const struct ring_view *ring, uint32_t at) {
  return !bit(ring->busy, at) ? '.' : bit(ring->done, at) ? 'D' : '#';
}

struct ring_counts ring_count(const struct ring_view *ring) {
  struct ring_counts counts = {0};
  for(uint32_t i = 0; i < ring->size; i++) {
    char state = state_of(ring, i);
    counts.free += state == '.';
    counts.filled += state == '#';
    counts.done += state == 'D';
  }
  return counts;
}

uint32_t ring_scale(const struct ring_view *ring) {
  uint32_t cells = RING_CELLS * RING_LINES_MAX;
  return ring->size > cells ? (ring->size + cells - 1U) / cells : 1U;
}

static char cell(const struct ring_view *ring, uint32_t from, uint32_t scale) {
  char state = state_of(ring, from);
  for(uint32_t i = from + 1U; i < from + scale && i < ring->size; i++) {
    state = state_of(ring, i) == state ? state : '+';
  }
  return state;
}

static size_t append(char *text, size_t length, const char *format, ...) __attribute__((format(printf, 3, 4)));

static size_t append(char *text, size_t length, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t more = format_text(text + length, RING_LINE_SIZE - length, format, arguments);
  va_end(arguments);
  return more < RING_LINE_SIZE - length ? length + more : RING_LINE_SIZE - 1U;
}

bool ring_line(const struct ring_view *ring, uint32_t line, char text[RING_LINE_SIZE]) {
  uint32_t scale = ring_scale(ring);
  uint32_t from = line * RING_CELLS * scale;
  uint32_t end = from + RING_CELLS * scale;
  if(line >= RING_LINES_MAX || from >= ring->size) {
    return false;
  }
  size_t length = append(text, 0, "  %4u ", from);
  for(uint32_t at = from; at < end && at < ring->size; at += scale) {
    text[length++] = cell(ring, at, scale);
  }
  text[length] = '\0';
  const char *before = "  ";
  for(uint32_t i = 0; i < ring->mark_count; i++) {
    const struct ring_mark *mark = &ring->marks[i];
    if(mark->at >= from && mark->at < end && mark->at < ring->size) {
      length = append(text, length, "%s%s %u", before, mark->name, mark->at);
      before = ", ";
    }
  }
  return true;
}
