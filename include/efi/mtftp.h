/* mtftp.h - EFI_MTFTP4_PROTOCOL and EFI_MTFTP6_PROTOCOL, UEFI 2.10 sections 30.3 and 30.4; gnu-efi has no header for
 * them. But for the configuration both are laid out alike, so one declaration serves for both. */
#ifndef EFI_MTFTP_H
#define EFI_MTFTP_H

#include <efi.h>

#include "guid.h"

#define EFI_MTFTP4_SERVICE_BINDING_PROTOCOL_GUID                                                                       \
  GUID_OF(0x2FE800BE, 0x8F01, 0x4AA6, 0x94, 0x6B, 0xD7, 0x13, 0x88, 0xE1, 0x83, 0x3F)
#define EFI_MTFTP4_PROTOCOL_GUID GUID_OF(0x78247C57, 0x63DB, 0x4708, 0x99, 0xC2, 0xA8, 0xB4, 0xA9, 0xA6, 0x1F, 0x6B)
#define EFI_MTFTP6_SERVICE_BINDING_PROTOCOL_GUID                                                                       \
  GUID_OF(0xD9760FF3, 0x3CCA, 0x4267, 0x80, 0xF9, 0x75, 0x27, 0xFA, 0xFA, 0x42, 0x23)
#define EFI_MTFTP6_PROTOCOL_GUID GUID_OF(0xBF0A78BA, 0xEC29, 0x49CF, 0xA1, 0xC9, 0x7A, 0xE5, 0x4E, 0xAB, 0x6A, 0x51)

/* RFC 1350, 5 and RFC 2347; in a packet in network order */
#define EFI_MTFTP_OPCODE_DATA  3U
#define EFI_MTFTP_OPCODE_ERROR 5U
#define EFI_MTFTP_OPCODE_OACK  6U

#define EFI_MTFTP_ERRORCODE_FILE_NOT_FOUND   1U
#define EFI_MTFTP_ERRORCODE_ACCESS_VIOLATION 2U
#define EFI_MTFTP_ERRORCODE_REQUEST_DENIED   8U

typedef struct {
  CHAR8 *OptionStr;
  CHAR8 *ValueStr;
} EFI_MTFTP_OPTION;

typedef struct {
  BOOLEAN UseDefaultSetting;
  EFI_IPv4_ADDRESS StationIp;
  EFI_IPv4_ADDRESS SubnetMask;
  UINT16 LocalPort;
  EFI_IPv4_ADDRESS GatewayIp;
  EFI_IPv4_ADDRESS ServerIp;
  UINT16 InitialServerPort;
  UINT16 TryCount;
  UINT16 TimeoutValue; /* seconds */
} EFI_MTFTP4_CONFIG_DATA;

typedef struct {
  EFI_IPv6_ADDRESS StationIp; /* zero: the driver chooses */
  UINT16 LocalPort;
  EFI_IPv6_ADDRESS ServerIp;
  UINT16 InitialServerPort;
  UINT16 TryCount;
  UINT16 TimeoutValue; /* seconds */
} EFI_MTFTP6_CONFIG_DATA;

typedef struct _EFI_MTFTP_PROTOCOL EFI_MTFTP_PROTOCOL;
typedef struct _EFI_MTFTP_TOKEN EFI_MTFTP_TOKEN;

/* `Packet` begins with its opcode. Anything but EFI_SUCCESS ends the transfer. At TPL_CALLBACK. */
typedef EFI_STATUS(EFIAPI *EFI_MTFTP_CHECK_PACKET)(EFI_MTFTP_PROTOCOL *This, EFI_MTFTP_TOKEN *Token, UINT16 PacketLen,
                                                   VOID *Packet);
typedef EFI_STATUS(EFIAPI *EFI_MTFTP_TIMEOUT_CALLBACK)(EFI_MTFTP_PROTOCOL *This, EFI_MTFTP_TOKEN *Token);

struct _EFI_MTFTP_TOKEN {
  EFI_STATUS Status;
  EFI_EVENT Event;
  VOID *OverrideData;
  CHAR8 *Filename;
  CHAR8 *ModeStr; /* NULL: octet */
  UINT32 OptionCount;
  EFI_MTFTP_OPTION *OptionList;
  UINT64 BufferSize;
  VOID *Buffer;
  VOID *Context;
  EFI_MTFTP_CHECK_PACKET CheckPacket;
  EFI_MTFTP_TIMEOUT_CALLBACK TimeoutCallback;
  VOID *PacketNeeded;
};

struct _EFI_MTFTP_PROTOCOL {
  VOID *GetModeData;
  EFI_STATUS(EFIAPI *Configure)(EFI_MTFTP_PROTOCOL *This, VOID *ConfigData);
  VOID *GetInfo;
  VOID *ParseOptions;
  EFI_STATUS(EFIAPI *ReadFile)(EFI_MTFTP_PROTOCOL *This, EFI_MTFTP_TOKEN *Token);
  VOID *WriteFile;
  VOID *ReadDirectory;
  EFI_STATUS(EFIAPI *Poll)(EFI_MTFTP_PROTOCOL *This);
};

#endif
