/* managed_network.h - EFI_MANAGED_NETWORK_PROTOCOL, UEFI 2.10 section 25.1: what gnu-efi lacks of it. */
#ifndef EFI_MANAGED_NETWORK_H
#define EFI_MANAGED_NETWORK_H

#include <efi.h>

#include "guid.h"

#define EFI_MANAGED_NETWORK_SERVICE_BINDING_PROTOCOL_GUID                                                              \
  GUID_OF(0xF36FF770, 0xA7E1, 0x42CF, 0x9E, 0xD2, 0x56, 0xF0, 0xF2, 0x71, 0xF4, 0x4C)

#define EFI_MANAGED_NETWORK_PROTOCOL_GUID                                                                              \
  GUID_OF(0x7AB33A91, 0xACE5, 0x4326, 0xB5, 0x72, 0xE7, 0xEE, 0x33, 0xD3, 0x9F, 0x16)

typedef struct {
  EFI_TIME Timestamp;
  EFI_EVENT RecycleEvent;
  UINT32 PacketLength;
  UINT32 HeaderLength;
  UINT32 AddressLength;
  UINT32 DataLength;
  BOOLEAN BroadcastFlag;
  BOOLEAN MulticastFlag;
  BOOLEAN PromiscuousFlag;
  UINT16 ProtocolType;
  VOID *DestinationAddress;
  VOID *SourceAddress;
  VOID *MediaHeader;
  VOID *PacketData;
} EFI_MANAGED_NETWORK_RECEIVE_DATA;

typedef struct {
  UINT32 FragmentLength;
  VOID *FragmentBuffer;
} EFI_MANAGED_NETWORK_FRAGMENT_DATA;

typedef struct {
  EFI_MAC_ADDRESS *DestinationAddress;
  EFI_MAC_ADDRESS *SourceAddress;
  UINT16 ProtocolType;
  UINT32 DataLength;
  UINT16 HeaderLength;
  UINT16 FragmentCount;
  EFI_MANAGED_NETWORK_FRAGMENT_DATA FragmentTable[1];
} EFI_MANAGED_NETWORK_TRANSMIT_DATA;

typedef struct {
  EFI_EVENT Event;
  EFI_STATUS Status;
  union {
    EFI_MANAGED_NETWORK_RECEIVE_DATA *RxData;
    EFI_MANAGED_NETWORK_TRANSMIT_DATA *TxData;
  } Packet;
} EFI_MANAGED_NETWORK_COMPLETION_TOKEN;

typedef struct _EFI_MANAGED_NETWORK_PROTOCOL EFI_MANAGED_NETWORK_PROTOCOL;

struct _EFI_MANAGED_NETWORK_PROTOCOL {
  VOID *GetModeData;
  EFI_STATUS(EFIAPI *Configure)(EFI_MANAGED_NETWORK_PROTOCOL *This, EFI_MANAGED_NETWORK_CONFIG_DATA *ConfigData);
  VOID *McastIpToMac;
  EFI_STATUS(EFIAPI *Groups)
  (EFI_MANAGED_NETWORK_PROTOCOL *This, BOOLEAN JoinFlag, EFI_MAC_ADDRESS *MacAddress);
  EFI_STATUS(EFIAPI *Transmit)(EFI_MANAGED_NETWORK_PROTOCOL *This, EFI_MANAGED_NETWORK_COMPLETION_TOKEN *Token);
  EFI_STATUS(EFIAPI *Receive)(EFI_MANAGED_NETWORK_PROTOCOL *This, EFI_MANAGED_NETWORK_COMPLETION_TOKEN *Token);
  EFI_STATUS(EFIAPI *Cancel)(EFI_MANAGED_NETWORK_PROTOCOL *This, EFI_MANAGED_NETWORK_COMPLETION_TOKEN *Token);
  EFI_STATUS(EFIAPI *Poll)(EFI_MANAGED_NETWORK_PROTOCOL *This);
};

#endif
