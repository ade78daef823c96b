/* spinlock.h - menios' spinlocks. They are inline functions there; here they are the test's, which watches them. */
#ifndef MENIOS_STUB_SPINLOCK_H
#define MENIOS_STUB_SPINLOCK_H

#include <types.h>

typedef struct spinlock_t {
  uint32_t state;
} spinlock_t;

void spinlock_init(spinlock_t *lock);
uint64_t spinlock_lock_irqsave(spinlock_t *lock);
void spinlock_unlock_irqrestore(spinlock_t *lock, uint64_t flags);

#endif
