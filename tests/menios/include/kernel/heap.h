/* heap.h - menios' heap. */
#ifndef MENIOS_STUB_HEAP_H
#define MENIOS_STUB_HEAP_H

#include <types.h>

void *kmalloc(size_t size);
void kfree(void *ptr);

#endif
