/* http.h - EFI_HTTP_PROTOCOL, UEFI 2.10 section 29.6; gnu-efi has no header for it. */
#ifndef EFI_HTTP_H
#define EFI_HTTP_H

#include <efi.h>

#include "guid.h"

#define EFI_HTTP_SERVICE_BINDING_PROTOCOL_GUID                                                                         \
  GUID_OF(0xBDC8E6AF, 0xD9BC, 0x4379, 0xA7, 0x2A, 0xE0, 0xC4, 0xE7, 0x5D, 0xAE, 0x1C)
#define EFI_HTTP_PROTOCOL_GUID GUID_OF(0x7A59B29B, 0x910B, 0x4171, 0x82, 0x42, 0xA8, 0x5A, 0x0D, 0xF2, 0x5B, 0x5B)
/* Without it the firmware has no TLS: https is not to be had. */
#define EFI_TLS_SERVICE_BINDING_PROTOCOL_GUID                                                                          \
  GUID_OF(0x952CB795, 0xFF36, 0x48CF, 0xA2, 0x49, 0x4D, 0xF4, 0x86, 0xD6, 0xAB, 0x8D)

typedef enum { HttpVersion10, HttpVersion11, HttpVersionUnsupported } EFI_HTTP_VERSION;

typedef enum {
  HttpMethodGet,
  HttpMethodPost,
  HttpMethodPatch,
  HttpMethodOptions,
  HttpMethodConnect,
  HttpMethodHead,
} EFI_HTTP_METHOD;

typedef struct {
  BOOLEAN UseDefaultAddress;
  EFI_IPv4_ADDRESS LocalAddress;
  EFI_IPv4_ADDRESS LocalSubnet;
  UINT16 LocalPort;
} EFI_HTTPv4_ACCESS_POINT;

typedef struct {
  EFI_IPv6_ADDRESS LocalAddress;
  UINT16 LocalPort;
} EFI_HTTPv6_ACCESS_POINT;

typedef struct {
  EFI_HTTP_VERSION HttpVersion;
  UINT32 TimeOutMillisec;
  BOOLEAN LocalAddressIsIPv6;
  union {
    EFI_HTTPv4_ACCESS_POINT *IPv4Node;
    EFI_HTTPv6_ACCESS_POINT *IPv6Node;
  } AccessPoint;
} EFI_HTTP_CONFIG_DATA;

typedef struct {
  EFI_HTTP_METHOD Method;
  CHAR16 *Url;
} EFI_HTTP_REQUEST_DATA;

/* An enumeration of its own, and not HTTP's three digits: app/stage/http_text.h translates it. */
typedef struct {
  UINT32 StatusCode;
} EFI_HTTP_RESPONSE_DATA;

typedef struct {
  CHAR8 *FieldName;
  CHAR8 *FieldValue;
} EFI_HTTP_HEADER;

typedef struct {
  union {
    EFI_HTTP_REQUEST_DATA *Request;
    EFI_HTTP_RESPONSE_DATA *Response; /* NULL: more of the body is wanted */
  } Data;
  UINTN HeaderCount;
  EFI_HTTP_HEADER *Headers; /* of a response: array and texts are the caller's to free */
  UINTN BodyLength;
  VOID *Body;
} EFI_HTTP_MESSAGE;

typedef struct {
  EFI_EVENT Event;
  EFI_STATUS Status;
  EFI_HTTP_MESSAGE *Message;
} EFI_HTTP_TOKEN;

typedef struct _EFI_HTTP_PROTOCOL EFI_HTTP_PROTOCOL;

struct _EFI_HTTP_PROTOCOL {
  VOID *GetModeData;
  EFI_STATUS(EFIAPI *Configure)(EFI_HTTP_PROTOCOL *This, EFI_HTTP_CONFIG_DATA *HttpConfigData);
  EFI_STATUS(EFIAPI *Request)(EFI_HTTP_PROTOCOL *This, EFI_HTTP_TOKEN *Token);
  EFI_STATUS(EFIAPI *Cancel)(EFI_HTTP_PROTOCOL *This, EFI_HTTP_TOKEN *Token);
  EFI_STATUS(EFIAPI *Response)(EFI_HTTP_PROTOCOL *This, EFI_HTTP_TOKEN *Token);
  EFI_STATUS(EFIAPI *Poll)(EFI_HTTP_PROTOCOL *This);
};

#endif
