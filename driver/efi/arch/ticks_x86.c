/* ticks_x86.c - the time-stamp counter of x86 processors, on its own so that the host tests can stand in for it. */
#include "../clock.h"

/* CPUID leaves and bits (Intel SDM 2A, CPUID; hypervisors' leaves by VMware's proposal, which KVM and others follow) */
#define LEAF_FEATURES      0x01U
#define LEAF_TSC           0x15U /* EBX / EAX ticks for each tick of a crystal of ECX Hz */
#define LEAF_FREQUENCY     0x16U /* EAX: base frequency in MHz                           */
#define LEAF_HYPERVISOR    0x40000000U
#define LEAF_TIMING        0x40000010U /* EAX: TSC in kHz */
#define FEATURE_HYPERVISOR (1U << 31)  /* LEAF_FEATURES, ECX */

struct cpuid {
  UINT32 eax;
  UINT32 ebx;
  UINT32 ecx;
  UINT32 edx;
};

static struct cpuid cpuid(UINT32 leaf) {
  struct cpuid out;
  __asm__ volatile("cpuid" : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx) : "a"(leaf), "c"(0));
  return out;
}

UINT64 efi_read_ticks(VOID) {
  UINT32 low;
  UINT32 high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (UINT64)high << 32 | low;
}

/* A hypervisor first: what it says is about the counter that the guest sees, the other leaves may be the host's. */
UINT64 efi_ticks_hz(VOID) {
  UINT32 highest = cpuid(0).eax;
  if((cpuid(LEAF_FEATURES).ecx & FEATURE_HYPERVISOR) && cpuid(LEAF_HYPERVISOR).eax >= LEAF_TIMING) {
    UINT32 khz = cpuid(LEAF_TIMING).eax;
    if(khz) {
      return (UINT64)khz * 1000U;
    }
  }
  if(highest >= LEAF_TSC) {
    struct cpuid tsc = cpuid(LEAF_TSC);
    if(tsc.eax && tsc.ebx && tsc.ecx) {
      return (UINT64)tsc.ecx * tsc.ebx / tsc.eax;
    }
  }
  return highest >= LEAF_FREQUENCY ? (UINT64)(cpuid(LEAF_FREQUENCY).eax & 0xFFFFU) * 1000000U : 0;
}
