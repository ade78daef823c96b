/* machine_id.h - who this machine is, as a boot server is told. */
#ifndef APP_MACHINE_ID_H
#define APP_MACHINE_ID_H

#include <efi.h>

/* The UUID that SMBIOS has of the system, in the bytes' order there, as PXE sends it (RFC 4578 2.3); all zeroes where
 * the firmware has none, which is what its own PXE sends then. */
void machine_uuid(UINT8 uuid[16]);

#endif
