/* ring_picture.h - descriptor rings and queues drawn in 80 columns, from the rows that a driver shows. Pure C. */
#ifndef APP_RING_PICTURE_H
#define APP_RING_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/netdevice.h"

#define RING_NAME_SIZE 12U
#define RING_WORDS_MAX 64U /* 4096 descriptors */
#define RING_MARKS_MAX 4U
#define RINGS_MAX      4U
#define RING_CELLS     32U /* of a line */
#define RING_LINES_MAX 8U
#define RING_LINE_SIZE 80U

/*
 * Rows are called QUEUE.NAME ("rx.busy"). Whatever the family, these make the picture: the one whose text is
 * "descriptors" says how many; "busy" and "done" are bitmaps of 64 descriptors a row: the device's, and of these, those
 * that it has given back; "at_NAME" is a place to be marked. A row that is not understood is left alone.
 */
struct ring_mark {
  char name[RING_NAME_SIZE];
  uint32_t at;
};

struct ring_view {
  char name[RING_NAME_SIZE];
  uint32_t size;
  uint32_t mark_count;
  struct ring_mark marks[RING_MARKS_MAX];
  uint64_t busy[RING_WORDS_MAX];
  uint64_t done[RING_WORDS_MAX];
};

struct ring_views {
  uint32_t count;
  struct ring_view ring[RINGS_MAX];
};

struct ring_counts {
  uint32_t free;   /* the driver's                              */
  uint32_t filled; /* the device's, which has not done its part */
  uint32_t done;   /* given back, and not taken yet             */
};

/* Takes one row; `views` is all zeroes at first. Any group, any number of rows. */
void ring_views_take(struct ring_views *views, const struct netdev_row *row);

/* The ring that a row is about ("rx" of "rx.busy"), or NULL. */
const struct ring_view *ring_views_find(const struct ring_views *views, const char *name);

struct ring_counts ring_count(const struct ring_view *ring);

/* How many descriptors one character stands for: 1, or more where RING_LINES_MAX lines would not do. */
uint32_t ring_scale(const struct ring_view *ring);

/* Line `line` (from 0) of the picture, such as "   0 DD##............................  head 0, device 2": '#' the
 * device's, 'D' given back, '.' the driver's, '+' some of each. False when there are no more. */
bool ring_line(const struct ring_view *ring, uint32_t line, char text[RING_LINE_SIZE]);

#endif
