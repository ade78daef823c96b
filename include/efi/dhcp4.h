/* dhcp4.h - EFI_DHCP4_PROTOCOL, UEFI 2.10 section 29.2: what is asked of it; gnu-efi has no header for it. */
#ifndef EFI_DHCP4_H
#define EFI_DHCP4_H

#include <efi.h>

#include "guid.h"

#define EFI_DHCP4_SERVICE_BINDING_PROTOCOL_GUID                                                                        \
  GUID_OF(0x9D9A39D8, 0xBD42, 0x4A73, 0xA4, 0xD5, 0x8E, 0xE9, 0x4B, 0xE1, 0x13, 0x80)
#define EFI_DHCP4_PROTOCOL_GUID GUID_OF(0x8A219718, 0x4EF5, 0x4761, 0x91, 0xC8, 0xC0, 0xF0, 0x4B, 0xDA, 0x9E, 0x56)

#define EFI_DHCP4_BOUND 6U /* EFI_DHCP4_STATE's Dhcp4Bound */

typedef struct {
  UINT32 DiscoverTryCount;
  UINT32 *DiscoverTimeout;
  UINT32 RequestTryCount;
  UINT32 *RequestTimeout;
  EFI_IPv4_ADDRESS ClientAddress;
  VOID *Dhcp4Callback;
  VOID *CallbackContext;
  UINT32 OptionCount;
  VOID *OptionList;
} EFI_DHCP4_CONFIG_DATA;

typedef struct {
  UINT32 State;
  EFI_DHCP4_CONFIG_DATA ConfigData;
  EFI_IPv4_ADDRESS ClientAddress;
  EFI_MAC_ADDRESS ClientMacAddress;
  EFI_IPv4_ADDRESS ServerAddress;
  EFI_IPv4_ADDRESS RouterAddress;
  EFI_IPv4_ADDRESS SubnetMask;
  UINT32 LeaseTime; /* seconds */
  VOID *ReplyPacket;
} EFI_DHCP4_MODE_DATA;

typedef struct _EFI_DHCP4_PROTOCOL EFI_DHCP4_PROTOCOL;

struct _EFI_DHCP4_PROTOCOL {
  /* Of the one lease that all children of a NIC share. */
  EFI_STATUS(EFIAPI *GetModeData)(EFI_DHCP4_PROTOCOL *This, EFI_DHCP4_MODE_DATA *Dhcp4ModeData);
};

#endif
