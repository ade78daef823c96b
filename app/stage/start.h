/* start.h - what was fetched, started: an EFI program as a network boot would give it, or a disk image as RAM disk. */
#ifndef APP_START_H
#define APP_START_H

#include "../session/uplink.h"
#include "kind.h"
#include "payload.h"

/* Of this machine: kind_of's, and the file that a removable medium is started by (UEFI 2.10, 3.5.1.1). */
#if defined(__x86_64__)
#define START_MACHINE KIND_MACHINE_X64
#define START_FILE    L"\\EFI\\BOOT\\BOOTX64.EFI"
#define START_NAME    "\\EFI\\BOOT\\BOOTX64.EFI"
#elif defined(__i386__)
#define START_MACHINE KIND_MACHINE_IA32
#define START_FILE    L"\\EFI\\BOOT\\BOOTIA32.EFI"
#define START_NAME    "\\EFI\\BOOT\\BOOTIA32.EFI"
#else
#define START_MACHINE KIND_MACHINE_ARM64
#define START_FILE    L"\\EFI\\BOOT\\BOOTAA64.EFI"
#define START_NAME    "\\EFI\\BOOT\\BOOTAA64.EFI"
#endif

/* Looks whether it can be started at all, and complains: EFI_UNSUPPORTED for what is no program or another machine's,
 * EFI_END_OF_FILE for one that is cut short. */
EFI_STATUS start_judge(const struct payload *payload, struct kind_found *found);

struct start_plan {
  const struct payload *payload;
  enum kind kind;
  const struct uplink *uplink; /* the NIC that it came over, and its lease                       */
  const UINT8 *mac;
  const char *command_line; /* "" for none                                                   */
  bool asked;               /* PXE base code has the real answers of DHCP: they stay         */
};

/*
 * Starts it, and returns when it returns: *result is then its status, and the function's EFI_SUCCESS. Complains about
 * what keeps it from starting, and returns that: EFI_SECURITY_VIOLATION when Secure Boot refuses it, EFI_NOT_FOUND for
 * an image without a program. Whatever was made for it (a handle, a RAM disk, packets of PXE's) is gone afterwards. An
 * EFI program by TFTP finds PXEBaseCode with its server on its device handle, one by HTTP a device path that ends with
 * IPv4() or IPv6() and Uri().
 */
EFI_STATUS start(const struct start_plan *plan, EFI_STATUS *result);

#endif
