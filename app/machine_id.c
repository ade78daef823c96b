/* machine_id.c - who this machine is, from the firmware's SMBIOS tables. */
#include "machine_id.h"

#include <efilib.h>
#include <string.h>

#include "../driver/lib/smbios.h"

void machine_uuid(UINT8 uuid[16]) {
  static const EFI_GUID guids[] = {SMBIOS3_TABLE_GUID, SMBIOS_TABLE_GUID};
  memset(uuid, 0, 16);
  for(UINTN g = 0; g < sizeof(guids) / sizeof(guids[0]); g++) {
    for(UINTN i = 0; i < ST->NumberOfTableEntries; i++) {
      uint64_t address;
      size_t length;
      if(memcmp(&ST->ConfigurationTable[i].VendorGuid, &guids[g], sizeof(guids[g])) == 0 &&
         smbios_structures(ST->ConfigurationTable[i].VendorTable, &address, &length) &&
         smbios_system_uuid((const VOID *)(UINTN)address, length, uuid)) {
        return;
      }
    }
  }
}
