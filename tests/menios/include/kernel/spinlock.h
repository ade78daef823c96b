/* spinlock.h - menios' spinlocks. They are inline functions there, as here for the object that is compiled as menios
 * compiles; on the host they are the test's, which watches them. */
#ifndef MENIOS_STUB_SPINLOCK_H
#define MENIOS_STUB_SPINLOCK_H

#include <types.h>

typedef struct spinlock_t {
  uint32_t state;
} spinlock_t;

#ifdef MENIOS_KERNEL
void disable_interrupts(void);
void enable_interrupts(void);

static inline void spinlock_init(spinlock_t *lock) {
  lock->state = 0;
}

static inline uint64_t spinlock_lock_irqsave(spinlock_t *lock) {
  uint64_t flags;
  __asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
  disable_interrupts();
  while(__atomic_exchange_n(&lock->state, 1U, __ATOMIC_ACQUIRE)) {
  }
  return flags;
}

static inline void spinlock_unlock_irqrestore(spinlock_t *lock, uint64_t flags) {
  __atomic_store_n(&lock->state, 0, __ATOMIC_RELEASE);
  if(flags & 0x200U) {
    enable_interrupts();
  }
}
#else
void spinlock_init(spinlock_t *lock);
uint64_t spinlock_lock_irqsave(spinlock_t *lock);
void spinlock_unlock_irqrestore(spinlock_t *lock, uint64_t flags);
#endif

#endif
