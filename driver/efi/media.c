/* media.c - EFI_ADAPTER_INFORMATION_PROTOCOL: the media state, so that network boot waits for autonegotiation instead
 * of giving up at once (UEFI 2.10, 11.12). */
#include "snp.h"

#define AUTONEGOTIATION_US 5000000U /* copper takes 2 to 4 s; without a link after that there is no cable */

static const EFI_GUID media_state_guid = EFI_ADAPTER_INFO_MEDIA_STATE_GUID;

/* EFI_NOT_READY makes the firmware's network boot ask again for up to 20 s. */
static EFI_STATUS media_state(struct snp_device *snp) {
  snp_update_media(snp);
  if(snp->mode.MediaPresent) {
    return EFI_SUCCESS;
  }
  return efi_clock_us() - snp->no_link_since_us < AUTONEGOTIATION_US ? EFI_NOT_READY : EFI_NO_MEDIA;
}

static EFI_STATUS EFIAPI get_information(EFI_ADAPTER_INFORMATION_PROTOCOL *this, EFI_GUID *type, VOID **block,
                                         UINTN *size) {
  if(!this || !type || !block || !size) {
    return EFI_INVALID_PARAMETER;
  }
  if(CompareMem(type, &media_state_guid, sizeof(*type)) != 0) {
    return EFI_UNSUPPORTED;
  }
  struct snp_device *snp = (struct snp_device *)((UINT8 *)this - offsetof(struct snp_device, adapter_information));
  if(snp->mode.State != EfiSimpleNetworkInitialized) {
    return EFI_UNSUPPORTED; /* nobody watches the link; the caller then starts the device itself to find out */
  }
  EFI_ADAPTER_INFO_MEDIA_STATE *state;
  EFI_STATUS status = BS->AllocatePool(EfiBootServicesData, sizeof(*state), (VOID **)&state);
  if(EFI_ERROR(status)) {
    return status;
  }
  EFI_TPL tpl = efi_nic_lock();
  state->MediaState = media_state(snp);
  efi_nic_unlock(tpl);
  *block = state;
  *size = sizeof(*state);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_information(EFI_ADAPTER_INFORMATION_PROTOCOL *this, EFI_GUID *type, VOID *block,
                                         UINTN size) {
  (void)size;
  if(!this || !type || !block) {
    return EFI_INVALID_PARAMETER;
  }
  return CompareMem(type, &media_state_guid, sizeof(*type)) == 0 ? EFI_WRITE_PROTECTED : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI get_supported_types(EFI_ADAPTER_INFORMATION_PROTOCOL *this, EFI_GUID **types, UINTN *count) {
  if(!this || !types || !count) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_STATUS status = BS->AllocatePool(EfiBootServicesData, sizeof(EFI_GUID), (VOID **)types);
  if(!EFI_ERROR(status)) {
    **types = media_state_guid;
    *count = 1;
  }
  return status;
}

void media_init(struct snp_device *snp) {
  snp->adapter_information = (EFI_ADAPTER_INFORMATION_PROTOCOL){
      .GetInformation = get_information,
      .SetInformation = set_information,
      .GetSupportedTypes = get_supported_types,
  };
}
