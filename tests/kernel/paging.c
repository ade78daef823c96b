/* paging.c - the reference kernel's own page tables. */
#include <stddef.h>

#include "arch.h"

#define PRESENT     (1ULL << 0)
#define WRITABLE    (1ULL << 1)
#define UNCACHED    (3ULL << 3) /* PWT and PCD: entry 3 of the PAT, UC after reset (Intel SDM vol. 3, 12.12) */
#define LARGE       (1ULL << 7)
#define ADDRESS     0x000FFFFFFFFFF000ULL
#define LARGE_SHIFT 21U
#define INDEX_BITS  9U
#define ENTRIES     512U
#define DIRECTORIES (PAGING_LIMIT >> 30)
#define TABLES_MAX  16U /* for what lies above PAGING_LIMIT: two for the first page in a part of 512 GiB */

static _Alignas(4096) uint64_t level4[ENTRIES];
static _Alignas(4096) uint64_t level3[ENTRIES];
static _Alignas(4096) uint64_t level2[DIRECTORIES][ENTRIES];
static _Alignas(4096) uint64_t more[TABLES_MAX][ENTRIES];
static uint32_t more_used;

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

/* The table that entry `index` of `table` points to, made when there is none; NULL when all are used. */
static uint64_t *next_table(uint64_t *table, uint64_t index) {
  if(!(table[index] & PRESENT)) {
    if(more_used == TABLES_MAX) {
      return NULL;
    }
    table[index] = (uint64_t)more[more_used++] | PRESENT | WRITABLE;
  }
  return (uint64_t *)(table[index] & ADDRESS);
}

/* The entry of a page of 2 MiB. */
static uint64_t *entry_of(uint64_t page) {
  uint64_t *table = next_table(level4, page >> 2U * INDEX_BITS & (ENTRIES - 1U));
  table = table ? next_table(table, page >> INDEX_BITS & (ENTRIES - 1U)) : NULL;
  return table ? &table[page & (ENTRIES - 1U)] : NULL;
}

static bool map(uint64_t physical, uint64_t size, uint64_t kind) {
  if(size == 0 || physical >= PAGING_MAX || size > PAGING_MAX - physical) {
    return false;
  }
  for(uint64_t page = physical >> LARGE_SHIFT; page <= (physical + size - 1U) >> LARGE_SHIFT; page++) {
    uint64_t *entry = entry_of(page);
    if(!entry) {
      return false;
    }
    *entry |= page << LARGE_SHIFT | PRESENT | WRITABLE | LARGE | kind;
    __asm__ volatile("invlpg (%0)" : : "r"(page << LARGE_SHIFT) : "memory");
  }
  return true;
}

bool paging_map(uint64_t physical, uint64_t size) {
  return map(physical, size, 0);
}

bool paging_uncache(uint64_t physical, uint64_t size) {
  return map(physical, size, UNCACHED);
}
