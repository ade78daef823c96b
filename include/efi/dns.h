/* dns.h - EFI_DNS4_PROTOCOL and EFI_DNS6_PROTOCOL, UEFI 2.10 section 29.3: what is asked of them; gnu-efi has no header
 * for them. But for the addresses they are the same. */
#ifndef EFI_DNS_H
#define EFI_DNS_H

#include <efi.h>

#include "guid.h"

#define EFI_DNS4_SERVICE_BINDING_PROTOCOL_GUID                                                                         \
  GUID_OF(0xB625B186, 0xE063, 0x44F7, 0x89, 0x05, 0x6A, 0x74, 0xDC, 0x6F, 0x52, 0xB4)
#define EFI_DNS4_PROTOCOL_GUID GUID_OF(0xAE3D28CC, 0xE05B, 0x4FA1, 0xA0, 0x11, 0x7E, 0xB5, 0x5A, 0x3F, 0x14, 0x01)
#define EFI_DNS6_SERVICE_BINDING_PROTOCOL_GUID                                                                         \
  GUID_OF(0x7F1647C8, 0xB76E, 0x44B2, 0xA5, 0x65, 0xF7, 0x0F, 0xF1, 0x9C, 0xD1, 0x9E)
#define EFI_DNS6_PROTOCOL_GUID GUID_OF(0xCA37BC1F, 0xA327, 0x4AE9, 0x82, 0x8A, 0x8C, 0x40, 0xD8, 0x50, 0x6A, 0x17)

#define EFI_DNS_PROTOCOL_UDP 17U

typedef struct {
  UINTN DnsServerListCount; /* 0: the servers that DHCP names, who is asked for them */
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
  BOOLEAN EnableDnsCache;
  UINT8 Protocol;
  EFI_IPv6_ADDRESS StationIp; /* all zeroes: the firmware chooses */
  UINT16 LocalPort;
  UINT32 DnsServerCount; /* 0: the servers that DHCPv6 names, who is asked for them */
  EFI_IPv6_ADDRESS *DnsServerList;
  UINT32 RetryCount;
  UINT32 RetryInterval;
} EFI_DNS6_CONFIG_DATA;

/* DNS_HOST_TO_ADDR_DATA and DNS6_HOST_TO_ADDR_DATA */
typedef struct {
  UINT32 IpCount;
  VOID *IpList; /* EFI_IPv4_ADDRESS or EFI_IPv6_ADDRESS */
} DNS_HOST_TO_ADDR_DATA;

typedef struct {
  EFI_EVENT Event;
  EFI_STATUS Status;
  UINT32 RetryCount;
  UINT32 RetryInterval;
  union {
    DNS_HOST_TO_ADDR_DATA *H2AData; /* it and its list are the caller's to free */
  } RspData;
} EFI_DNS_COMPLETION_TOKEN;

typedef struct _EFI_DNS_PROTOCOL EFI_DNS_PROTOCOL;

struct _EFI_DNS_PROTOCOL {
  VOID *GetModeData;
  EFI_STATUS(EFIAPI *Configure)(EFI_DNS_PROTOCOL *This, VOID *DnsConfigData); /* of its version */
  EFI_STATUS(EFIAPI *HostNameToIp)(EFI_DNS_PROTOCOL *This, CHAR16 *HostName, EFI_DNS_COMPLETION_TOKEN *Token);
  VOID *IpToHostName;
  VOID *GeneralLookUp;
  VOID *UpdateDnsCache;
  EFI_STATUS(EFIAPI *Poll)(EFI_DNS_PROTOCOL *This);
  EFI_STATUS(EFIAPI *Cancel)(EFI_DNS_PROTOCOL *This, EFI_DNS_COMPLETION_TOKEN *Token);
};

#endif
