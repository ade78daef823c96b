/* kernel.h - menios' port access. */
#ifndef MENIOS_STUB_KERNEL_H
#define MENIOS_STUB_KERNEL_H

#include <types.h>

void outl(uint16_t port, uint32_t value);

#endif
