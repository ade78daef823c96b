/* share.c - a NIC that is used beside the firmware's network stack: whose driver it runs on, and what a tap of our own
 * resident driver hears. */
#include "share.h"

#include <efilib.h>
#include <string.h>

#include "below.h"
#include "efi/managed_network.h"

#define TAP_SLOTS 64U /* a power of two */

static EFI_GUID snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;

/* Another vendor's driver ---------------------------------------------------------------------------------------- */

bool share_find(const struct pci_nic *pci, struct share *share) {
  EFI_GUID mnp_guid = EFI_MANAGED_NETWORK_SERVICE_BINDING_PROTOCOL_GUID;
  struct below list[BELOW_MAX];
  VOID *service;
  if(!pci_find_holder(pci->handle) || remote_find(pci->handle)) {
    return false;
  }
  UINTN count = below_find(pci->handle, &mnp_guid, list, BELOW_MAX);
  if(count == 0 || list[0].tagged || EFI_ERROR(BS->HandleProtocol(list[0].handle, &mnp_guid, &service))) {
    return false;
  }
  share->handle = list[0].handle;
  return !EFI_ERROR(BS->HandleProtocol(share->handle, &snp_guid, (VOID **)&share->snp)) &&
         share->snp->Mode->HwAddressSize == 6U;
}

bool share_possible(const struct pci_nic *pci) {
  struct share share;
  return share_find(pci, &share);
}

bool share_link_up(const struct share *share) {
  const EFI_SIMPLE_NETWORK_MODE *mode = share->snp->Mode;
  return !mode->MediaPresentSupported || mode->State != EfiSimpleNetworkInitialized || mode->MediaPresent;
}

/* Tap ------------------------------------------------------------------------------------------------------------ */

struct tap_slot {
  UINTN length;
  UINT8 bytes[NETDEV_MAX_TAGGED_FRAME];
};

/* head and tail run freely; at most TAP_SLOTS apart. The tap moves head, share_tap_poll tail, both at TPL_CALLBACK. */
struct share_tap {
  NET_RESIDENT_PROTOCOL *protocol;
  VOID *token;
  UINT32 head;
  UINT32 tail;
  struct tap_slot slots[TAP_SLOTS];
};

static VOID EFIAPI hear(VOID *context, UINT32 direction, const VOID *frame, UINTN length) {
  struct share_tap *tap = context;
  if(direction == NET_RESIDENT_RECEIVED && length <= NETDEV_MAX_TAGGED_FRAME && tap->head - tap->tail < TAP_SLOTS) {
    struct tap_slot *slot = &tap->slots[tap->head % TAP_SLOTS];
    memcpy(slot->bytes, frame, length);
    slot->length = length;
    tap->head++;
  }
}

EFI_STATUS share_tap_open(struct share_tap **out, NET_RESIDENT_PROTOCOL *protocol) {
  struct share_tap *tap = AllocateZeroPool(sizeof(*tap));
  *out = NULL;
  if(!tap) {
    return EFI_OUT_OF_RESOURCES;
  }
  tap->protocol = protocol;
  EFI_STATUS status = protocol->AddTap(protocol, hear, tap, &tap->token);
  if(EFI_ERROR(status)) {
    FreePool(tap);
    return status;
  }
  *out = tap;
  return EFI_SUCCESS;
}

void share_tap_poll(struct share_tap *tap, const struct netdev_client *client) {
  EFI_TPL tpl = BS->RaiseTPL(TPL_CALLBACK);
  /* Not more than there are now: what `receive` sends may bring an answer at once. */
  for(UINT32 end = tap->head; tap->tail != end; tap->tail++) {
    const struct tap_slot *slot = &tap->slots[tap->tail % TAP_SLOTS];
    const struct netdev_frame frame = {.data = slot->bytes, .length = (uint32_t)slot->length};
    client->receive(client->ctx, &frame);
  }
  BS->RestoreTPL(tpl);
}

void share_tap_close(struct share_tap *tap) {
  if(tap) {
    (void)tap->protocol->RemoveTap(tap->protocol, tap->token);
    FreePool(tap);
  }
}
