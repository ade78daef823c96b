/* watchdog.h - the firmware's watchdog timer, which would reset the machine in the middle of a command. */
#ifndef APP_WATCHDOG_H
#define APP_WATCHDOG_H

#include <efi.h>
#include <efilib.h>

/* UEFI 2.10, 3.1.2: a boot manager arms the watchdog for five minutes before it starts a boot option. Finds out whether
 * one started `image`, and stops it for as long as netdiag runs; the Shell has stopped it already. */
void watchdog_init(EFI_HANDLE image);

/* Stops it again, after an image that watchdog_give_back was for has returned. */
void watchdog_stop(void);

/*
 * Arms it again as a boot manager does, if one started netdiag; TRUE if so. Called before netdiag returns to it, or
 * starts another image in its place. The timer's former value cannot be read. Whoever is an application (the Shell,
 * GRUB, rEFInd) runs with the watchdog stopped or arms it itself before it starts the next image, so for these it stays
 * stopped: a menu that waits for its user must not end in a reset.
 */
BOOLEAN watchdog_give_back(void);

#endif
