/* tsc.h - menios' clock. */
#ifndef MENIOS_STUB_TSC_H
#define MENIOS_STUB_TSC_H

#include <types.h>

uint64_t tsc_frequency_hz(void);
long long ns_from_boot(void); /* menios: useconds_t, which is long long */

#endif
