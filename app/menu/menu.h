/* menu.h - netdiag without a Shell: a menu that stays until it is told to leave. */
#ifndef MENU_MENU_H
#define MENU_MENU_H

#include <efi.h>
#include <stdbool.h>

/* What the menu needs of the program around it. */
struct menu_host {
  const char *version;
  bool (*has)(const char *command);          /* whether there is such a command           */
  EFI_STATUS (*run)(int argc, char *argv[]); /* runs one, as from any other command line; `argv` may change */
};

/*
 * Shows the menu and does what its user says, until he leaves: EFI_SUCCESS, after which a boot manager shows its own
 * menu (UEFI 2.10, 3.1.1). An error when the console has no keyboard; then nothing was shown. `notice` is a line to
 * show at first, or "". The cursor is on, and the colours are what they were, at the end. TPL_APPLICATION.
 */
EFI_STATUS menu_stay(const struct menu_host *host, const char *notice);

#endif
