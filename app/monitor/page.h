/* page.h - the page of netdiag monitor: from what is known to rows of text, and from two such pages to what has to be
 * drawn. Pure C, tested on the host. */
#ifndef APP_MONITOR_PAGE_H
#define APP_MONITOR_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "../../driver/lib/traffic.h"
#include "../../include/net/netdevice.h"

#define PAGE_COLUMNS_MIN 80U
#define PAGE_ROWS_MIN    25U
#define PAGE_COLUMNS_MAX 200U /* of a larger console the rest stays empty */
#define PAGE_ROWS_MAX    80U
#define PAGE_TEXT_SIZE   64U

/* What a cell may hold besides ASCII; page_glyph says what to print for it. */
#define PAGE_FULL 1 /* a bar, this cell all of it  */
#define PAGE_HALF 2 /* a bar's end                 */
#define PAGE_LINE 3 /* between two parts of a page */

/* How full a ring is. */
struct page_ring {
  bool known;
  uint32_t used;
  uint32_t size;
};

/* Everything on it. Texts end with a zero and are cut where there is no room. */
struct page_view {
  char nic[16];                /* "eth0"                      */
  char model[32];              /* "82574L"                    */
  char location[32];           /* "0000:00:02.0"              */
  char how[PAGE_TEXT_SIZE];    /* how it is looked at         */
  char notice[PAGE_TEXT_SIZE]; /* instead of the keys, or ""  */
  uint8_t mac[6];
  struct netdev_link link;
  uint64_t seconds; /* since it began */
  const struct traffic *traffic;
  const struct netdev_stats *stats; /* the driver's counters now and */
  const struct netdev_stats *start; /* when the page began           */
  struct page_ring rx;
  struct page_ring tx;
};

struct page {
  uint32_t columns;
  uint32_t rows;
  char cells[PAGE_ROWS_MAX][PAGE_COLUMNS_MAX + 1U]; /* each row ends with a zero behind its last column */
};

/* Fills the page with `rows` rows of exactly `columns` cells, at most the limits above. The last column stays empty, as
 * consoles go on to the next row there. Below 80 x 25 it says what is wanted, and nothing else. */
void page_render(struct page *page, const struct page_view *view, uint32_t columns, uint32_t rows);

/* What to print for a cell: with `boxes` a character of the box drawing and block sets (UEFI 2.10, 12.4.2), else
 * ASCII. */
uint16_t page_glyph(char cell, bool boxes);

/* Told what has to be drawn: `length` cells from `cells`, beginning at this place. */
typedef void (*page_drawer)(void *ctx, uint32_t column, uint32_t row, const char *cells, uint32_t length);

/* Shows the drawer what differs between what the screen shows (NULL: nothing, all is blank) and `page`: one piece of
 * each row that changed, from its first to its last changed cell. Pieces begin before column PAGE_START_MAX: edk2's
 * terminal driver of before 2023 writes column numbers of two digits only. Returns how many cells. */
#define PAGE_START_MAX 98U
uint32_t page_changes(const struct page *shown, const struct page *page, page_drawer drawer, void *ctx);

#endif
