/* stdbool.h - as menios has it. */
#ifndef MENIOS_STUB_STDBOOL_H
#define MENIOS_STUB_STDBOOL_H

#define bool _Bool

#define true 1

#define false 0

#endif
