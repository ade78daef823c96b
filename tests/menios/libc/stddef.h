/* stddef.h - as menios has it: its kernel is compiled with -nostdinc. */
#ifndef MENIOS_STUB_STDDEF_H
#define MENIOS_STUB_STDDEF_H

#define NULL                   ((void *)0)
#define offsetof(type, member) __builtin_offsetof(type, member)

typedef unsigned long size_t;

#endif
