/* ticks_aarch64.c - the generic timer's virtual counter, which every exception level that runs firmware can read. */
#include "../clock.h"

/* The counter may be read ahead of what comes before it, unless that is complete (Arm ARM, D11.2.2). */
UINT64 efi_read_ticks(VOID) {
  UINT64 ticks;
  __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
  return ticks;
}

/* What the firmware has written there; nobody keeps it from being wrong. */
UINT64 efi_ticks_hz(VOID) {
  UINT64 hz;
  __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
  return hz;
}
