/* snp_device.c - what every function of the protocol does first or last: find the device, judge its state. */
#include "snp.h"

/* the NVM is read in words */

struct snp_device *snp_from_protocol(EFI_SIMPLE_NETWORK_PROTOCOL *protocol) {
  if(!protocol) {
    return NULL;
  }
  struct snp_device *snp = (struct snp_device *)((UINT8 *)protocol - offsetof(struct snp_device, protocol));
  return snp->signature == SNP_SIGNATURE && !snp->nic.exited ? snp : NULL;
}

EFI_STATUS snp_require_initialized(const struct snp_device *snp) {
  switch(snp->mode.State) {
  case EfiSimpleNetworkInitialized:
    return EFI_SUCCESS;
  case EfiSimpleNetworkStarted:
    return EFI_DEVICE_ERROR;
  default:
    return EFI_NOT_STARTED;
  }
}

void snp_tx_done(void *ctx, void *cookie, int status) {
  struct snp_device *snp = ctx;
  struct snp_recycle *recycle = &snp->recycle;
  (void)status; /* SNP has no way to tell; the statistics count it */
  snp->in_flight--;
  recycle->buffer[recycle->tail++ % SNP_RECYCLE_SIZE] = cookie;
  snp->tx_interrupt = TRUE;
}

void snp_fail(struct snp_device *snp) {
  efi_nic_stop(&snp->nic);
  snp->mode.State = EfiSimpleNetworkStarted;
  snp->mode.MediaPresent = FALSE;
}
