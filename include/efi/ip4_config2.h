/* ip4_config2.h - EFI_IP4_CONFIG2_PROTOCOL, UEFI 2.10 section 28.5. */
#ifndef EFI_IP4_CONFIG2_H
#define EFI_IP4_CONFIG2_H

#include <efi.h>
#include <efiip.h>

#include "guid.h"

#define EFI_IP4_CONFIG2_PROTOCOL_GUID                                                                                  \
  GUID_OF(0x5B446ED1, 0xE30B, 0x4FAA, 0x87, 0x1A, 0x36, 0x54, 0xEC, 0xA3, 0x60, 0x80)

typedef enum {
  Ip4Config2DataTypeInterfaceInfo = 0,
  Ip4Config2DataTypePolicy = 1,
  Ip4Config2DataTypeManualAddress = 2,
  Ip4Config2DataTypeGateway = 3,
  Ip4Config2DataTypeDnsServer = 4,
} EFI_IP4_CONFIG2_DATA_TYPE;

typedef enum {
  Ip4Config2PolicyStatic = 0,
  Ip4Config2PolicyDhcp = 1,
} EFI_IP4_CONFIG2_POLICY;

typedef struct {
  CHAR16 Name[32];
  UINT8 IfType;
  UINT32 HwAddressSize;
  EFI_MAC_ADDRESS HwAddress;
  EFI_IPv4_ADDRESS StationAddress;
  EFI_IPv4_ADDRESS SubnetMask;
  UINT32 RouteTableSize;
  EFI_IP4_ROUTE_TABLE *RouteTable;
} EFI_IP4_CONFIG2_INTERFACE_INFO;

typedef struct {
  EFI_IPv4_ADDRESS Address;
  EFI_IPv4_ADDRESS SubnetMask;
} EFI_IP4_CONFIG2_MANUAL_ADDRESS;

typedef struct _EFI_IP4_CONFIG2_PROTOCOL EFI_IP4_CONFIG2_PROTOCOL;

struct _EFI_IP4_CONFIG2_PROTOCOL {
  EFI_STATUS(EFIAPI *SetData)
  (EFI_IP4_CONFIG2_PROTOCOL *This, EFI_IP4_CONFIG2_DATA_TYPE DataType, UINTN DataSize, VOID *Data);
  EFI_STATUS(EFIAPI *GetData)
  (EFI_IP4_CONFIG2_PROTOCOL *This, EFI_IP4_CONFIG2_DATA_TYPE DataType, UINTN *DataSize, VOID *Data);
  EFI_STATUS(EFIAPI *RegisterDataNotify)
  (EFI_IP4_CONFIG2_PROTOCOL *This, EFI_IP4_CONFIG2_DATA_TYPE DataType, EFI_EVENT Event);
  EFI_STATUS(EFIAPI *UnregisterDataNotify)
  (EFI_IP4_CONFIG2_PROTOCOL *This, EFI_IP4_CONFIG2_DATA_TYPE DataType, EFI_EVENT Event);
};

#endif
