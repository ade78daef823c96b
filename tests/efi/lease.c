/* lease.c - waits until interfaces have an IPv4 address, and prints these: `lease` for one, `lease N` for N
 * interfaces. */
#include <efi.h>
#include <efilib.h>

#include "efi/ip4_config2.h"

#define POLL_US 50000U
#define TRIES   12000U /* ten minutes: a server answers in a second, a busy machine does not */
#define MAX     8U

static EFI_GUID config_guid = EFI_IP4_CONFIG2_PROTOCOL_GUID;

static BOOLEAN read_address(EFI_HANDLE handle, EFI_IPv4_ADDRESS *address) {
  EFI_IP4_CONFIG2_PROTOCOL *config;
  UINTN size = 0;
  EFI_IP4_CONFIG2_INTERFACE_INFO *info = NULL;
  BOOLEAN found = FALSE;
  if(EFI_ERROR(BS->HandleProtocol(handle, &config_guid, (VOID **)&config))) {
    return FALSE;
  }
  EFI_STATUS status = config->GetData(config, Ip4Config2DataTypeInterfaceInfo, &size, NULL);
  if(status == EFI_BUFFER_TOO_SMALL) {
    info = AllocatePool(size);
  }
  if(info && !EFI_ERROR(config->GetData(config, Ip4Config2DataTypeInterfaceInfo, &size, info))) {
    *address = info->StationAddress;
    found = (address->Addr[0] | address->Addr[1] | address->Addr[2] | address->Addr[3]) != 0;
  }
  if(info) {
    FreePool(info);
  }
  return found;
}

/* How many interfaces have an address; the first MAX of these. */
static UINTN read_addresses(EFI_IPv4_ADDRESS *addresses) {
  EFI_HANDLE *handles;
  UINTN count;
  UINTN found = 0;
  if(EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &config_guid, NULL, &count, &handles))) {
    return 0;
  }
  for(UINTN i = 0; i < count && found < MAX; i++) {
    found += read_address(handles[i], &addresses[found]);
  }
  FreePool(handles);
  return found;
}

static UINTN wanted(const EFI_LOADED_IMAGE *loaded) {
  const CHAR16 *options = loaded->LoadOptions;
  for(UINTN i = 0; options && i + 1 < loaded->LoadOptionsSize / sizeof(CHAR16); i++) {
    if(options[i] == L' ' && options[i + 1] > L'0' && options[i + 1] <= L'0' + (CHAR16)MAX) {
      return (UINTN)(options[i + 1] - L'0');
    }
  }
  return 1;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  EFI_LOADED_IMAGE *loaded;
  EFI_IPv4_ADDRESS addresses[MAX];
  UINTN found = 0;
  InitializeLib(image, system_table);
  EFI_STATUS status = BS->HandleProtocol(image, &LoadedImageProtocol, (VOID **)&loaded);
  if(EFI_ERROR(status)) {
    return status;
  }
  for(UINTN i = 0; i < TRIES && (found = read_addresses(addresses)) < wanted(loaded); i++) {
    BS->Stall(POLL_US);
  }
  for(UINTN i = 0; i < found; i++) {
    const UINT8 *byte = addresses[i].Addr;
    Print(L"lease: %d.%d.%d.%d\n", byte[0], byte[1], byte[2], byte[3]);
  }
  return found >= wanted(loaded) ? EFI_SUCCESS : EFI_TIMEOUT;
}
