/* dma.h - menios' DMA buffers. */
#ifndef MENIOS_STUB_DMA_H
#define MENIOS_STUB_DMA_H

#include <types.h>

#define DMA_DEFAULT_MAX_PHYS 0xFFFFFFFFULL

typedef struct dma_buffer_t {
  void *virt;
  phys_addr_t phys;
  size_t size;
  size_t page_count;
} dma_buffer_t;

bool dma_buffer_alloc(dma_buffer_t *buffer, size_t size, size_t alignment, phys_addr_t max_phys_addr, bool zero);
void dma_buffer_free(dma_buffer_t *buffer);

#endif
