/* work.h - the two halves of an interrupt: what its handler does, and what is done elsewhere, with a work queue or
 * without. */
#ifndef KERNEL_WORK_H
#define KERNEL_WORK_H

#include "net/netdevice.h"

#define KERNEL_WORK_BUDGET 64U /* frames that one run hands on */

struct kernel_work {
  struct netdev *dev;

  /* Puts one item on the kernel's work queue, which calls kernel_work_run soon, from a thread. Called from the handler
   * and from kernel_work_run, so it neither allocates nor takes a lock that a thread holds with interrupts on; an item
   * that waits already need not be put there twice. NULL: there is no such queue, and the handler works itself. */
  void (*submit)(void *ctx);
  void *ctx;

  volatile bool left; /* over from the last run: with no queue, the idle loop has to go on                 */
};

/* From the handler, with the device's lock: true when the interrupt was the device's. With a queue it is only taken off
 * the line, and the item submitted; without, a budget of frames is handed to the client here. */
bool kernel_work_interrupt(struct kernel_work *work);

/* From the work queue, or without one from the idle loop or timer, with the device's lock and interrupts off: hands on
 * at most KERNEL_WORK_BUDGET frames, and lets the device interrupt again when none is left. True when some are left
 * over: with a queue it has submitted itself again, without one the caller comes back before it sleeps. */
bool kernel_work_run(struct kernel_work *work);

#endif
