/* tsc.c - the processor's time-stamp counter, on its own so that the host tests can stand in for it. */
#include "efi_nic.h"

UINT64 efi_read_tsc(VOID) {
  UINT32 low;
  UINT32 high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (UINT64)high << 32 | low;
}
