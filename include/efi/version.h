/* version.h - the version of netdiag and of the drivers, in its one place: C takes it by these macros, the Makefile and
 * the tools by tools/version.py. Images have it in their SBAT section, option ROMs as their code revision, the driver's
 * binding in its version. */
#ifndef EFI_VERSION_H
#define EFI_VERSION_H

/* Up to 255 each: an option ROM has 16 bits for both. */
#define NETDIAG_VERSION_MAJOR 0
#define NETDIAG_VERSION_MINOR 1

#define NETDIAG_VERSION_TEXT_(number)      #number
#define NETDIAG_VERSION_DOT_(major, minor) NETDIAG_VERSION_TEXT_(major) "." NETDIAG_VERSION_TEXT_(minor)
/* "0.1" */
#define NETDIAG_VERSION NETDIAG_VERSION_DOT_(NETDIAG_VERSION_MAJOR, NETDIAG_VERSION_MINOR)

#endif
