/* handoff_show.h - netdiag handoff --show: the table that is published, decoded. */
#ifndef APP_HANDOFF_SHOW_H
#define APP_HANDOFF_SHOW_H

#include <efi.h>

/* Prints it, or reports it with --json. EFI_NOT_FOUND when there is none, EFI_COMPROMISED_DATA when it is not valid. */
EFI_STATUS handoff_show(void);

#endif
