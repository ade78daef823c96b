/* handoff.h - building and judging net_handoff tables: pure functions over memory. Rules in include/net/HANDOFF.md. */
#ifndef DRIVER_HANDOFF_H
#define DRIVER_HANDOFF_H

#include "net/e1000.h"
#include "net/handoff.h"

/* A zeroed table with its header filled in and no entries. */
void net_handoff_init(struct net_handoff *table);

/* Sets the CRC; the last thing that is written. No memory service, no register: callable inside ExitBootServices. */
void net_handoff_seal(struct net_handoff *table);

/*
 * Judges `available` readable bytes at `memory` and, when they hold a good table, copies what this version knows of it
 * to *table, so that nobody can change it after it was checked. `physical` is where the table itself lies, for the
 * overlap check. Returns NULL, or a sentence that says what is wrong. Checks 1 to 5 of HANDOFF.md, except the state.
 */
const char *net_handoff_validate(const void *memory, size_t available, uint64_t physical, struct net_handoff *table);

#endif
