/* media.c - EFI_ADAPTER_INFORMATION_PROTOCOL: the media state, so that network boot waits for autonegotiation instead
 * of giving up at once (UEFI 2.10, 11.12). */
#include "snp.h"

#include <string.h>

/*
 * How long a link may take: 2 to 4 s of autonegotiation on copper, and up to 15 s more in which a switch port with
 * spanning tree is up and down again. edk2's network boot asks for 20 s while the answer is EFI_NOT_READY. The time
 * runs from the driver's start or from the loss of a link, and Initialize does not start it again: without a cable all
 * boot options together wait for it once.
 */
#define LINK_WAIT_US 20000000U

static const EFI_GUID media_state_guid = EFI_ADAPTER_INFO_MEDIA_STATE_GUID;

void media_note(struct snp_device *snp, BOOLEAN up) {
  if(snp->link_seen && !up) {
    snp->no_link_since_us = efi_clock_us();
  }
  snp->link_seen = up;
}

void snp_update_media(struct snp_device *snp) {
  if(snp->nic.netdev->state != NETDEV_CLOSED) {
    snp->mode.MediaPresent = snp->nic.netdev->link.up;
    media_note(snp, snp->mode.MediaPresent);
  }
}

/* Asks the device itself while nobody has it open: it negotiates all the same. FALSE when it does not answer. */
static BOOLEAN look(struct snp_device *snp) {
  struct netdev_link link;
  UINT8 mac[NETDEV_MAC_LENGTH];
  if(snp->nic.netdev->state == NETDEV_GONE ||
     snp->nic.driver->glance(&snp->nic.platform, &snp->nic.id, mac, &link) != NETDEV_OK) {
    return FALSE;
  }
  media_note(snp, link.up);
  return TRUE;
}

static EFI_STATUS media_state(struct snp_device *snp) {
  if(snp->nic.netdev->state == NETDEV_OPEN) {
    snp_update_media(snp);
  } else if(!look(snp)) {
    return EFI_NO_MEDIA; /* nothing to wait for */
  }
  if(snp->link_seen) {
    return EFI_SUCCESS;
  }
  return efi_clock_us() - snp->no_link_since_us < LINK_WAIT_US ? EFI_NOT_READY : EFI_NO_MEDIA;
}

static EFI_STATUS EFIAPI get_information(EFI_ADAPTER_INFORMATION_PROTOCOL *this, EFI_GUID *type, VOID **block,
                                         UINTN *size) {
  if(!this || !type || !block || !size) {
    return EFI_INVALID_PARAMETER;
  }
  if(memcmp(type, &media_state_guid, sizeof(*type)) != 0) {
    return EFI_UNSUPPORTED;
  }
  struct snp_device *snp = (struct snp_device *)((UINT8 *)this - offsetof(struct snp_device, adapter_information));
  if(snp->nic.exited) {
    return EFI_INVALID_PARAMETER; /* the NIC is no longer ours to look at */
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
  return memcmp(type, &media_state_guid, sizeof(*type)) == 0 ? EFI_WRITE_PROTECTED : EFI_UNSUPPORTED;
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
  snp->no_link_since_us = efi_clock_us();
  snp->adapter_information = (EFI_ADAPTER_INFORMATION_PROTOCOL){
      .GetInformation = get_information,
      .SetInformation = set_information,
      .GetSupportedTypes = get_supported_types,
  };
}
