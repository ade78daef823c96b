/* programs_internal.h - the parts of programs.h from the inside. Private to tests/firmware. */
#ifndef FIRMWARE_PROGRAMS_INTERNAL_H
#define FIRMWARE_PROGRAMS_INTERNAL_H

#include "internal.h"
#include "programs.h"

/* clock.c */
void clock_begin(EFI_BOOT_SERVICES *services);
void clock_end(void);

/* wire.c: what goes over the wire at this moment; and when something will, UINT64_MAX for never. */
void wire_move(void);
UINT64 wire_next(void);
void wire_end(void);

/* A driver that does without the device: frames to this NIC go to `take` from now on (NULL: to the device again), and
 * what it sends goes to whoever looks at the wire. */
void wire_divert(struct firmware_nic *nic, void (*take)(void *ctx, const UINT8 *frame, size_t length), void *ctx);
void wire_emit(struct firmware_nic *nic, const UINT8 *frame, size_t length);

/* console.c; marks in its text what is no character: a screen that is cleared, a cursor that is moved */
void console_begin_mode(EFI_SYSTEM_TABLE *system);
void console_end_mode(void);
void console_mark(char mark);

/* screen.c: the functions of a console but OutputString, which shows each character */
void screen_begin(SIMPLE_TEXT_OUTPUT_INTERFACE *console);
void screen_show(CHAR16 character);

/* foreign.c, stack.c */
void foreign_end(void);
void stack_end(void);

/* volume.c: the file system is on this handle */
void volume_begin(EFI_HANDLE handle);
void volume_end(void);

/* programs.c: an event that belongs to the firmware, and is not counted when programs_end has taken it away */
EFI_EVENT programs_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify, VOID *context);
void programs_drop_event(EFI_EVENT event);

#endif
