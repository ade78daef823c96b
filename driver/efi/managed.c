/* managed.c - the controllers that this image manages. */
#include "managed.h"

static EFI_GUID resident_guid = NET_RESIDENT_PROTOCOL_GUID;
static EFI_HANDLE managing;

void managed_set_binding(EFI_HANDLE binding) {
  managing = binding;
}

struct snp_device *managed_find(EFI_HANDLE controller) {
  NET_RESIDENT_PROTOCOL *resident;
  if(EFI_ERROR(BS->HandleProtocol(controller, &resident_guid, (VOID **)&resident))) {
    return NULL;
  }
  struct snp_device *snp = snp_from_resident(resident);
  return snp && snp->nic.agent == managing ? snp : NULL;
}
