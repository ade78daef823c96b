/* ip6_config.h - EFI_IP6_CONFIG_PROTOCOL, UEFI 2.10 section 28.7: what is asked of it; gnu-efi has no header for it. */
#ifndef EFI_IP6_CONFIG_H
#define EFI_IP6_CONFIG_H

#include <efi.h>
#include <efiip.h>

#include "guid.h"

#define EFI_IP6_CONFIG_PROTOCOL_GUID GUID_OF(0x937FE521, 0x95AE, 0x4D1A, 0x89, 0x29, 0x48, 0xBC, 0xD9, 0x0A, 0xD3, 0x1A)

typedef enum {
  Ip6ConfigDataTypeInterfaceInfo = 0,
  Ip6ConfigDataTypePolicy = 2,
  Ip6ConfigDataTypeManualAddress = 4,
  Ip6ConfigDataTypeGateway = 5,
  Ip6ConfigDataTypeDnsServer = 6,
} EFI_IP6_CONFIG_DATA_TYPE;

typedef enum {
  Ip6ConfigPolicyManual = 0,
  Ip6ConfigPolicyAutomatic = 1,
} EFI_IP6_CONFIG_POLICY;

/* The lists lie behind it, in the caller's buffer. */
typedef struct {
  CHAR16 Name[32];
  UINT8 IfType;
  UINT32 HwAddressSize;
  EFI_MAC_ADDRESS HwAddress;
  UINT32 AddressInfoCount;
  EFI_IP6_ADDRESS_INFO *AddressInfo;
  UINT32 RouteCount;
  VOID *RouteTable;
} EFI_IP6_CONFIG_INTERFACE_INFO;

typedef struct _EFI_IP6_CONFIG_PROTOCOL EFI_IP6_CONFIG_PROTOCOL;

struct _EFI_IP6_CONFIG_PROTOCOL {
  EFI_STATUS(EFIAPI *SetData)
  (EFI_IP6_CONFIG_PROTOCOL *This, EFI_IP6_CONFIG_DATA_TYPE DataType, UINTN DataSize, VOID *Data);
  EFI_STATUS(EFIAPI *GetData)
  (EFI_IP6_CONFIG_PROTOCOL *This, EFI_IP6_CONFIG_DATA_TYPE DataType, UINTN *DataSize, VOID *Data);
};

#endif
