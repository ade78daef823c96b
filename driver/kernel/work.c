/* work.c - the two halves of an interrupt. */
#include "work.h"

#define TURNS_MAX 8U

/* What comes in between (a frame that was answered has been sent, say) is looked at here too, a few times. */
static bool run(struct kernel_work *work) {
  uint32_t frames = 0;
  bool more = true;
  for(uint32_t turn = 0; more && frames < KERNEL_WORK_BUDGET && turn < TURNS_MAX; turn++) {
    frames += netdev_poll(work->dev, KERNEL_WORK_BUDGET - frames);
    more = frames == KERNEL_WORK_BUDGET || netdev_irq_rearm(work->dev);
  }
  work->left = more;
  return more;
}

bool kernel_work_interrupt(struct kernel_work *work) {
  if(!netdev_irq_handle(work->dev)) {
    return false;
  }
  if(work->submit) {
    work->submit(work->ctx);
  } else {
    (void)run(work);
  }
  return true;
}

bool kernel_work_run(struct kernel_work *work) {
  bool more = run(work);
  if(more && work->submit) {
    work->submit(work->ctx);
  }
  return more;
}
