/* paging.c - the reference kernel's own page tables. */
#include "arch.h"

#define PRESENT     (1ULL << 0)
#define WRITABLE    (1ULL << 1)
#define UNCACHED    (3ULL << 3) /* PWT and PCD: entry 3 of the PAT, UC after reset (Intel SDM vol. 3, 12.12) */
#define LARGE       (1ULL << 7)
#define LARGE_SHIFT 21U
#define ENTRIES     512U
#define DIRECTORIES (PAGING_LIMIT >> 30)

static _Alignas(4096) uint64_t level4[ENTRIES];
static _Alignas(4096) uint64_t level3[ENTRIES];
static _Alignas(4096) uint64_t level2[DIRECTORIES][ENTRIES];

void paging_init(void) {
  level4[0] = (uint64_t)level3 | PRESENT | WRITABLE;
  for(uint64_t i = 0; i < DIRECTORIES; i++) {
    level3[i] = (uint64_t)level2[i] | PRESENT | WRITABLE;
    for(uint64_t j = 0; j < ENTRIES; j++) {
      level2[i][j] = (i * ENTRIES + j) << LARGE_SHIFT | PRESENT | WRITABLE | LARGE;
    }
  }
  __asm__ volatile("movq %0, %%cr3" : : "r"(level4) : "memory");
}

void paging_uncache(uint64_t physical, uint64_t size) {
  for(uint64_t page = physical >> LARGE_SHIFT; page <= (physical + size - 1U) >> LARGE_SHIFT; page++) {
    level2[page / ENTRIES][page % ENTRIES] |= UNCACHED;
    __asm__ volatile("invlpg (%0)" : : "r"(page << LARGE_SHIFT) : "memory");
  }
}
