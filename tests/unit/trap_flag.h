/* trap_flag.h - a call run instruction by instruction: SIGTRAP behind each while the trap flag is set (Intel SDM volume
 * 3, 18.3.1.4). Defines TRAP_FLAG and step_by_step where the processor has one; elsewhere the test has its own. */
#ifndef TRAP_FLAG_H
#define TRAP_FLAG_H

#include <stdbool.h>

#if defined(__x86_64__)
#define TRAP_FLAG 0x100U

static inline __attribute__((always_inline)) void step_by_step(bool on) {
  if(on) {
    __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP_FLAG);
  } else {
    __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~(unsigned long long)TRAP_FLAG);
  }
}
#endif

#endif
