/* path_mtu.c - finds the largest packet that gets through unbroken, from what comes back. Pure C, tested on the
 * host. */
#include "path_mtu.h"

static void halve(struct path_mtu *path) {
  path->next = path->bad - path->good > 1U ? path->good + (path->bad - path->good) / 2U : 0;
}

void path_mtu_begin(struct path_mtu *path, uint32_t least, uint32_t most) {
  *path = (struct path_mtu){.good = least, .bad = most + 1U, .next = most > least ? most : 0};
}

void path_mtu_through(struct path_mtu *path) {
  path->good = path->next;
  /* What a router announced and what got through are the same: the next larger one is what it refused. */
  if(path->announced == path->good) {
    path->bad = path->good + 1U;
  }
  halve(path);
}

void path_mtu_too_big(struct path_mtu *path, uint32_t mtu) {
  path->bad = path->next;
  if(mtu > path->good && mtu < path->bad) {
    path->announced = mtu;
    path->next = mtu;
  } else {
    halve(path);
  }
}

void path_mtu_lost(struct path_mtu *path) {
  path->bad = path->next;
  path->silent++;
  halve(path);
}
