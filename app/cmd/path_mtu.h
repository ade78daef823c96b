/* path_mtu.h - finds the largest packet that gets through unbroken, from what comes back. Pure C, tested on the
 * host. */
#ifndef APP_PATH_MTU_H
#define APP_PATH_MTU_H

#include <stdbool.h>
#include <stdint.h>

/*
 * `good` got through, `bad` did not; all between them is unknown. Sizes are those of IPv4 packets, in bytes. A router
 * that says what fits is believed as far as that is possible (RFC 1191), and checked by the next packet; one that says
 * nothing is searched for by halves.
 *
 * Invariant: least <= good < bad <= most + 1.
 */
struct path_mtu {
  uint32_t good;
  uint32_t bad;
  uint32_t next;      /* what is to be sent, 0 when it is found: `good`        */
  uint32_t announced; /* what a router said last, 0 when none did              */
  uint32_t silent;    /* sizes that vanished without a word                    */
};

#define PATH_MTU_LEAST 68U /* RFC 791: every link can carry this */

/* Begins with `most`, the largest that the first link carries. `least` is known to get through: PATH_MTU_LEAST to
 * `most`. */
void path_mtu_begin(struct path_mtu *path, uint32_t least, uint32_t most);

/* What became of `next`: it got through; a router said that it is too big, and, with mtu not 0, what is not; or nothing
 * came back, after as many tries as seem enough. Each brings `next` nearer to 0. */
void path_mtu_through(struct path_mtu *path);
void path_mtu_too_big(struct path_mtu *path, uint32_t mtu);
void path_mtu_lost(struct path_mtu *path);

#endif
