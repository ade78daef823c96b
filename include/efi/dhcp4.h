/* dhcp4.h - EFI_DHCP4_PROTOCOL, UEFI 2.10 section 29.2: what is asked of it; gnu-efi has no header for it. */
#ifndef EFI_DHCP4_H
#define EFI_DHCP4_H

#include <efi.h>

#include "guid.h"

#define EFI_DHCP4_SERVICE_BINDING_PROTOCOL_GUID                                                                        \
  GUID_OF(0x9D9A39D8, 0xBD42, 0x4A73, 0xA4, 0xD5, 0x8E, 0xE9, 0x4B, 0xE1, 0x13, 0x80)
#define EFI_DHCP4_PROTOCOL_GUID GUID_OF(0x8A219718, 0x4EF5, 0x4761, 0x91, 0xC8, 0xC0, 0xF0, 0x4B, 0xDA, 0x9E, 0x56)

#define EFI_DHCP4_BOUND 4U /* EFI_DHCP4_STATE's Dhcp4Bound, the fifth */

typedef enum {
  Dhcp4SendDiscover = 1,
  Dhcp4RcvdOffer,
  Dhcp4SelectOffer,
} EFI_DHCP4_EVENT;

/* A message of `Length` bytes, from its first field on. */
typedef struct {
  UINT32 Size;
  UINT32 Length;
  UINT8 Message[1];
} EFI_DHCP4_PACKET;

typedef struct {
  UINT8 OpCode;
  UINT8 Length;
  UINT8 Data[1];
} EFI_DHCP4_PACKET_OPTION;

typedef struct _EFI_DHCP4_PROTOCOL EFI_DHCP4_PROTOCOL;

/* At TPL_CALLBACK. Of a packet that was received: EFI_SUCCESS takes the offer, EFI_NOT_READY waits for others,
 * EFI_ABORTED ends it. At Dhcp4SelectOffer EFI_SUCCESS takes `Packet`. */
typedef EFI_STATUS(EFIAPI *EFI_DHCP4_CALLBACK)(EFI_DHCP4_PROTOCOL *This, VOID *Context, UINT32 CurrentState,
                                               EFI_DHCP4_EVENT Dhcp4Event, EFI_DHCP4_PACKET *Packet,
                                               EFI_DHCP4_PACKET **NewPacket);

typedef struct {
  UINT32 DiscoverTryCount;
  UINT32 *DiscoverTimeout; /* seconds, one a try */
  UINT32 RequestTryCount;
  UINT32 *RequestTimeout;
  EFI_IPv4_ADDRESS ClientAddress;
  EFI_DHCP4_CALLBACK Dhcp4Callback;
  VOID *CallbackContext;
  UINT32 OptionCount;
  EFI_DHCP4_PACKET_OPTION **OptionList;
} EFI_DHCP4_CONFIG_DATA;

typedef struct {
  UINT32 State;
  EFI_DHCP4_CONFIG_DATA ConfigData;
  EFI_IPv4_ADDRESS ClientAddress;
  EFI_MAC_ADDRESS ClientMacAddress;
  EFI_IPv4_ADDRESS ServerAddress;
  EFI_IPv4_ADDRESS RouterAddress;
  EFI_IPv4_ADDRESS SubnetMask;
  UINT32 LeaseTime;              /* seconds                                   */
  EFI_DHCP4_PACKET *ReplyPacket; /* the caller's to free; NULL when not bound */
} EFI_DHCP4_MODE_DATA;

struct _EFI_DHCP4_PROTOCOL {
  /* Of the one lease that all children of a NIC share. */
  EFI_STATUS(EFIAPI *GetModeData)(EFI_DHCP4_PROTOCOL *This, EFI_DHCP4_MODE_DATA *Dhcp4ModeData);
  /* EFI_ACCESS_DENIED while another child of the NIC's is configured. NULL gives that up. */
  EFI_STATUS(EFIAPI *Configure)(EFI_DHCP4_PROTOCOL *This, EFI_DHCP4_CONFIG_DATA *Dhcp4CfgData);
  /* Returns at once when there is an event, which is signalled at the end; GetModeData then says how it ended. */
  EFI_STATUS(EFIAPI *Start)(EFI_DHCP4_PROTOCOL *This, EFI_EVENT CompletionEvent);
  VOID *RenewRebind;
  VOID *Release;
  /* The lease is forgotten, not given back. */
  EFI_STATUS(EFIAPI *Stop)(EFI_DHCP4_PROTOCOL *This);
};

#endif
