/* pmm.h - menios' direct map and page tables. */
#ifndef MENIOS_STUB_PMM_H
#define MENIOS_STUB_PMM_H

#include <types.h>

#define PAGE_SIZE         0x1000
#define PHYS_ADDR_INVALID ((phys_addr_t)(-1))

typedef struct {
  phys_addr_t addr;
} phys_frame_t;

/* menios asserts that it is a page's. */
static inline phys_frame_t phys_frame_from_addr(phys_addr_t addr) {
  if(addr % PAGE_SIZE != 0) {
    __builtin_trap();
  }
  return (phys_frame_t){.addr = addr};
}

virt_addr_t physical_to_virtual(phys_addr_t physical_address);
phys_addr_t virtual_to_physical(virt_addr_t virtual_address);
bool pmm_map_page(virt_addr_t vaddr, phys_frame_t frame, bool writable, bool user);

#endif
