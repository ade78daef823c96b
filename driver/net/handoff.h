/* handoff.h - building and judging net_handoff tables: pure functions over memory. Rules in include/net/HANDOFF.md. */
#ifndef DRIVER_HANDOFF_H
#define DRIVER_HANDOFF_H

#include <stddef.h>

#include "net/driver.h"
#include "net/handoff.h"

/* Building ------------------------------------------------------------------------------------------------------- */

/* A table as this version lays it out, of one block of memory. What lies behind the last block that is in use does not
 * belong to it (net_handoff.size). */
struct net_handoff_image {
  struct net_handoff head;
  struct net_handoff_nic nic[NET_HANDOFF_NICS_MAX];
  struct net_handoff_payload payload[NET_HANDOFF_PAYLOADS_MAX];
  char source[NET_HANDOFF_SOURCE_MAX];
  uint64_t block[NET_HANDOFF_NICS_MAX][NET_HANDOFF_BLOCK_MAX / sizeof(uint64_t)]; /* nic[i]'s is block[i] */
};

/* A zeroed table with its header filled in and no entries. */
void net_handoff_init(struct net_handoff_image *image);

/* Whether `table` (at least sizeof(struct net_handoff_image) readable bytes) is one that this version made, or another
 * image of the same version: then entries may be added to it and changed. Its CRC is looked at too. */
bool net_handoff_is_ours(const void *table);

/* Adds an entry, zeroed but for its block (of `kind` and `size`, at most NET_HANDOFF_BLOCK_MAX bytes, zeroed too). NULL
 * when there are NET_HANDOFF_NICS_MAX already. */
struct net_handoff_nic *net_handoff_add(struct net_handoff_image *image, uint32_t kind, uint32_t size);

/* Where the block of one of the image's entries is. */
void *net_handoff_block(struct net_handoff_image *image, const struct net_handoff_nic *nic);

/* Says where what was booted came from (a URL in ASCII, of at most NET_HANDOFF_SOURCE_MAX - 1 characters; NULL for
 * nothing) and what was fetched, in place of what was said before. At most NET_HANDOFF_PAYLOADS_MAX. False, and nothing
 * is changed, for more. net_handoff_seal is owed. */
bool net_handoff_stage(struct net_handoff_image *image, const char *source, const struct net_handoff_payload *payloads,
                       size_t count);

/* Fills in what every family's devices have: addresses, link, filter, statistics. Reads no register. */
void net_handoff_export(const struct netdev *dev, struct net_handoff_nic *nic);

/* Sets the CRC of a table whose `size` is right; the last thing that is written. No memory service, no register:
 * callable inside ExitBootServices. */
void net_handoff_seal(void *table);

/* What a family shows of its block: rows of group NETDEV_ROWS_RINGS. */
struct net_handoff_shown {
  const char *name;
  uint64_t value;
  enum netdev_unit unit;
  const char *text;
};

void net_handoff_show_rows(const struct net_handoff_shown *rows, size_t count, netdev_visitor visitor, void *ctx);

/* The family of this image that has blocks of this kind, or NULL. */
const struct net_driver *net_handoff_family(uint32_t kind);

/* Judging -------------------------------------------------------------------------------------------------------- */

struct net_handoff_range {
  uint64_t start; /* physical */
  uint64_t size;
};

#define NET_HANDOFF_RANGES_MAX                                                                                         \
  (1U + NET_HANDOFF_NICS_MAX * (NET_HANDOFF_SPANS_MAX + NET_HANDOFF_BARS) + NET_HANDOFF_PAYLOADS_MAX)

/* What this version knows of a table that was found to be good: nobody can change it any more. Fields that the table's
 * producer did not know are zero. */
struct net_handoff_copy {
  struct net_handoff head;
  struct net_handoff_nic nic[NET_HANDOFF_NICS_MAX];
  struct net_handoff_payload payload[NET_HANDOFF_PAYLOADS_MAX];
  char source[NET_HANDOFF_SOURCE_MAX];
  uint64_t block[NET_HANDOFF_NICS_MAX][NET_HANDOFF_BLOCK_MAX / sizeof(uint64_t)]; /* nic[i]'s is block[i] */
  struct net_handoff_range
      range[NET_HANDOFF_RANGES_MAX]; /* whatever must not overlap; for net_handoff_validate alone */
  uint32_t range_count;
};

/*
 * Judges `available` readable bytes at `table` and, when they hold a good one of major version 2, copies it to *copy.
 * `physical` is where the table itself lies, for the overlap check. Returns NULL, or a sentence that says what is
 * wrong. Checks 1 to 5 of HANDOFF.md; blocks are judged by their families (net_drivers), and those of other families
 * not at all.
 */
const char *net_handoff_validate(const void *table, size_t available, uint64_t physical, struct net_handoff_copy *copy);

/* Sets the state of entry `index` of a table that was found to be good, with the header of its copy, and seals it. Not
 * from two processors at once. */
void net_handoff_mark(void *table, const struct net_handoff *head, uint32_t index, uint8_t state);

#endif
