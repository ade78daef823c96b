/* net_resident.h - NET_RESIDENT_PROTOCOL: a NIC under a resident driver, for programs from other images.
 *
 * Stands on the controller handle of every NIC that one of our UEFI drivers manages, whatever the family. Nothing is
 * shared but this: no pointer leads to a structure of the driver, so driver and program may be of different builds.
 *
 * Versions. Revision is major << 16 | minor. Another major number: do not call anything. A higher minor number:
 * functions were added at the end; call one only if Revision has it. Structures begin with their size, which the
 * caller sets to what it has room for; the driver fills in no more than that and sets it to what it has filled in, so
 * that a field which one side does not know stays out. Counters are an array in an order that only grows.
 *
 * All functions: TPL_CALLBACK or lower; not after ExitBootServices (EFI_INVALID_PARAMETER then). A tap runs at
 * TPL_CALLBACK and must not call back into this protocol, print or wait; a visitor runs at its caller's level and may
 * print, but not call back either.
 */
#ifndef EFI_NET_RESIDENT_H
#define EFI_NET_RESIDENT_H

#include <efi.h>

#include "guid.h"

#define NET_RESIDENT_PROTOCOL_GUID GUID_OF(0x9D6A0F4E, 0x5B1C, 0x4E0B, 0x8C, 0x1D, 0x62, 0xB3, 0x0F, 0x47, 0xA9, 0x35)

#define NET_RESIDENT_REVISION       0x00010001U
#define NET_RESIDENT_REVISION_STAGE 0x00010001U /* from here on: Stage */
#define NET_RESIDENT_MAJOR(version) ((version) >> 16)

typedef struct _NET_RESIDENT_PROTOCOL NET_RESIDENT_PROTOCOL;

/* NET_RESIDENT_INFO.State */
#define NET_RESIDENT_CLOSED 0U /* SNP is not initialized               */
#define NET_RESIDENT_OPEN   1U
#define NET_RESIDENT_GONE   2U /* no longer answers                    */

/* NET_RESIDENT_INFO.Handoff */
#define NET_RESIDENT_NO_HANDOFF    0U
#define NET_RESIDENT_HANDOFF_QUIET 1U
#define NET_RESIDENT_HANDOFF_LIVE  2U

typedef struct {
  UINT32 Size;
  UINT32 State;
  UINT32 LinkUp; /* as the driver saw it last           */
  UINT32 FullDuplex;
  UINT32 SpeedMbps;
  UINT32 Filter;   /* NETDEV_FILTER_ flags in force        */
  UINT32 NvmWords; /* 0: it has no NVM                     */
  UINT32 Handoff;
  CHAR8 Driver[16];    /* "e1000"                              */
  CHAR8 Model[32];     /* "82574L"                             */
  CHAR8 Name[8];       /* "eth0"                               */
  UINT8 CurrentMac[8]; /* six bytes each                       */
  UINT8 PermanentMac[8];
  EFI_HANDLE Child; /* carries SNP; the stack's MNP is on it. NULL when it has none */
} NET_RESIDENT_INFO;

/* NET_RESIDENT_ROW.Flags */
#define NET_RESIDENT_ROW_UNREAD 1U /* not read: reading would clear it      */
#define NET_RESIDENT_ROW_FAILED 2U /* could not be read                     */
#define NET_RESIDENT_ROW_WRONG  4U /* the value itself is an error          */
#define NET_RESIDENT_ROW_CLEARS 8U /* a register that reading clears        */

/* One row of what can be looked at: struct netdev_row of net/netdevice.h, where the numbers are explained. The strings
 * are the driver's and valid during the call only: copy what is kept. Text may be empty, and Bits and Section NULL: the
 * reader then says what it knows of such a row by itself. */
typedef struct {
  UINT32 Size; /* what the driver filled in           */
  UINT32 Group;
  UINT32 Index;
  UINT32 Count;
  UINT32 Offset;
  UINT32 Unit;
  UINT32 Flags;
  UINT32 Reserved;
  UINT64 Value;
  const CHAR8 *Name;
  const CHAR8 *Text;
  const CHAR8 *Bits;
  const CHAR8 *Section;
} NET_RESIDENT_ROW;

typedef VOID(EFIAPI *NET_RESIDENT_VISITOR)(VOID *Context, const NET_RESIDENT_ROW *Row);

/* NET_RESIDENT_TAP's Direction */
#define NET_RESIDENT_RECEIVED 0U
#define NET_RESIDENT_SENT     1U

/* One frame, as it was on the wire without its FCS; valid during the call. */
typedef VOID(EFIAPI *NET_RESIDENT_TAP)(VOID *Context, UINT32 Direction, const VOID *Frame, UINTN Length);

/* What a handoff says of the address that the firmware got; addresses in network order, zero for what is not known. The
 * fields are those of struct net_handoff_lease (net/handoff.h, HANDOFF.md). */
typedef struct {
  UINT32 Size;
  UINT32 Origin;
  UINT8 Address[4];
  UINT8 Mask[4];
  UINT8 Gateway[4];
  UINT8 Server[4];
  UINT8 Dns[4][4];
  UINT32 Seconds;
  UINT32 Reserved;
  UINT64 Obtained;
} NET_RESIDENT_LEASE;

/* A file that was fetched for whoever comes next: struct net_handoff_payload of net/handoff.h. */
typedef struct {
  CHAR8 Name[48]; /* ends with a zero byte */
  UINT64 Physical;
  UINT64 Length; /* bytes, not 0 */
  UINT8 Sha256[32];
} NET_RESIDENT_PAYLOAD;

struct _NET_RESIDENT_PROTOCOL {
  UINT32 Revision;
  UINT32 Size; /* of this structure, in the driver's build */

  /* Fills in what is known. Touches no register. EFI_INVALID_PARAMETER for a Size below 8. */
  EFI_STATUS(EFIAPI *GetInfo)(NET_RESIDENT_PROTOCOL *This, NET_RESIDENT_INFO *Info);

  /* Shows the rows of Groups (NETDEV_ROWS_ flags), in order. Reads the device as far as those groups need it. What the
   * family cannot show is EFI_UNSUPPORTED; a device that is gone is EFI_DEVICE_ERROR. */
  EFI_STATUS(EFIAPI *Inspect)
  (NET_RESIDENT_PROTOCOL *This, UINT32 Groups, NET_RESIDENT_VISITOR Visitor, VOID *Context);

  /* Counters since the driver was started on the NIC, in the order of net_resident_counters (driver/efi/remote.c); one
   * that is not counted is all ones. *Count: how many fit into Values, then how many the driver has. Reads the device
   * when it is open. EFI_BUFFER_TOO_SMALL when they are not all; those that fit are filled in. */
  EFI_STATUS(EFIAPI *GetCounters)(NET_RESIDENT_PROTOCOL *This, UINTN *Count, UINT64 *Values);

  /* Copies the oldest frame that waits, and leaves it where it is. *Size: the room in Buffer, then the frame's length.
   * EFI_NOT_READY when none waits, EFI_BUFFER_TOO_SMALL, EFI_DEVICE_ERROR. */
  EFI_STATUS(EFIAPI *Peek)(NET_RESIDENT_PROTOCOL *This, UINTN *Size, VOID *Buffer);

  /* From now on Function sees every frame that is sent, and every one that the stack takes, without changing what
   * anybody else gets. *Token is for RemoveTap, which the caller owes before it goes. EFI_OUT_OF_RESOURCES. */
  EFI_STATUS(EFIAPI *AddTap)
  (NET_RESIDENT_PROTOCOL *This, NET_RESIDENT_TAP Function, VOID *Context, VOID **Token);

  /* After this Function is not called any more. EFI_NOT_FOUND for a token that is none: the driver has let go of the
   * NIC and come back since. */
  EFI_STATUS(EFIAPI *RemoveTap)(NET_RESIDENT_PROTOCOL *This, VOID *Token);

  /* Arms a handoff: at ExitBootServices the NIC is left to the next stage, receiving if Live, otherwise programmed and
   * quiet. Lease may be NULL. Armed already: changes how. EFI_OUT_OF_RESOURCES, EFI_DEVICE_ERROR,
   * EFI_INCOMPATIBLE_VERSION. */
  EFI_STATUS(EFIAPI *ArmHandoff)(NET_RESIDENT_PROTOCOL *This, BOOLEAN Live, const NET_RESIDENT_LEASE *Lease);

  /* Withdraws it. Harmless when none is armed. */
  EFI_STATUS(EFIAPI *DisarmHandoff)(NET_RESIDENT_PROTOCOL *This);

  /* Revision 1.1. Says in the handoff that is armed where what is booted came from (a URL; NULL for nothing) and what
   * was fetched, in place of what was said before; the memory stays the caller's business. EFI_NOT_STARTED: none is
   * armed. EFI_INVALID_PARAMETER: more than 8, a name without end, no memory, or a URL of more than 511 characters. */
  EFI_STATUS(EFIAPI *Stage)
  (NET_RESIDENT_PROTOCOL *This, const CHAR8 *Source, UINTN Count, const NET_RESIDENT_PAYLOAD *Payloads);
};

#endif
