/* version.h - the version of netdiag and of the drivers: for people, and in each image's SBAT section. */
#ifndef EFI_VERSION_H
#define EFI_VERSION_H

#define NETDIAG_VERSION "0.1"

#endif
