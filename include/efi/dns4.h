/* dns4.h - EFI_DNS4_PROTOCOL, UEFI 2.10 section 29.3; gnu-efi has no header for it. */
#ifndef EFI_DNS4_H
#define EFI_DNS4_H

#include <efi.h>

#include "guid.h"

#define EFI_DNS4_SERVICE_BINDING_PROTOCOL_GUID                                                                         \
  GUID_OF(0xB625B186, 0xE063, 0x44F7, 0x89, 0x05, 0x6A, 0x74, 0xDC, 0x6F, 0x52, 0xB4)
#define EFI_DNS4_PROTOCOL_GUID GUID_OF(0xAE3D28CC, 0xE05B, 0x4FA1, 0xA0, 0x11, 0x7E, 0xB5, 0x5A, 0x3F, 0x14, 0x01)

#define EFI_DNS4_PROTOCOL_UDP 17U

typedef struct {
  UINTN DnsServerListCount; /* 0: the servers that DHCP named, or that were set by hand */
  EFI_IPv4_ADDRESS *DnsServerList;
  BOOLEAN UseDefaultSetting;
  BOOLEAN EnableDnsCache;
  UINT8 Protocol;
  EFI_IPv4_ADDRESS StationIp;
  EFI_IPv4_ADDRESS SubnetMask;
  UINT16 LocalPort;
  UINT32 RetryCount;
  UINT32 RetryInterval; /* seconds, at least 2 */
} EFI_DNS4_CONFIG_DATA;

typedef struct {
  UINT32 IpCount;
  EFI_IPv4_ADDRESS *IpList;
} DNS_HOST_TO_ADDR_DATA;

typedef struct {
  EFI_EVENT Event;
  EFI_STATUS Status;
  UINT32 RetryCount;
  UINT32 RetryInterval;
  union {
    DNS_HOST_TO_ADDR_DATA *H2AData; /* it and its list are the caller's to free */
  } RspData;
} EFI_DNS4_COMPLETION_TOKEN;

typedef struct _EFI_DNS4_PROTOCOL EFI_DNS4_PROTOCOL;

struct _EFI_DNS4_PROTOCOL {
  VOID *GetModeData;
  EFI_STATUS(EFIAPI *Configure)(EFI_DNS4_PROTOCOL *This, EFI_DNS4_CONFIG_DATA *DnsConfigData);
  EFI_STATUS(EFIAPI *HostNameToIp)(EFI_DNS4_PROTOCOL *This, CHAR16 *HostName, EFI_DNS4_COMPLETION_TOKEN *Token);
  VOID *IpToHostName;
  VOID *GeneralLookUp;
  VOID *UpdateDnsCache;
  EFI_STATUS(EFIAPI *Poll)(EFI_DNS4_PROTOCOL *This);
  EFI_STATUS(EFIAPI *Cancel)(EFI_DNS4_PROTOCOL *This, EFI_DNS4_COMPLETION_TOKEN *Token);
};

#endif
