/* snp.c - EFI_SIMPLE_NETWORK_PROTOCOL: its state machine (UEFI 2.10, 24.1.2 to 24.1.6). */
#include "snp.h"

#include <string.h>

#define NVRAM_ACCESS_BYTES 2U

/* netdev_client.link_changed */
static void link_changed(void *ctx, const struct netdev_link *link) {
  media_note(ctx, link->up);
}

/* Buffers that nobody will ask for any more: whoever shuts the device down knows what it sent. `head` does not go back:
 * GetStatus, if this interrupts one, has to see that it has moved. */
static void forget_buffers(struct snp_device *snp) {
  snp->recycle.head = snp->recycle.tail;
  snp->in_flight = 0;
  snp->tx_interrupt = FALSE;
}

/* State machine -------------------------------------------------------------------------------------------------- */

static EFI_STATUS EFIAPI snp_start(EFI_SIMPLE_NETWORK_PROTOCOL *this) {
  struct snp_device *snp = snp_from_protocol(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = EFI_ALREADY_STARTED;
  if(snp->mode.State == EfiSimpleNetworkStopped) {
    snp->mode.State = EfiSimpleNetworkStarted;
    snp->mode.ReceiveFilterSetting = 0;
    snp->mode.MCastFilterCount = 0;
    status = EFI_SUCCESS;
  }
  efi_nic_unlock(tpl);
  return status;
}

static EFI_STATUS EFIAPI snp_stop(EFI_SIMPLE_NETWORK_PROTOCOL *this) {
  struct snp_device *snp = snp_from_protocol(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = EFI_SUCCESS;
  if(snp->mode.State == EfiSimpleNetworkStarted) {
    snp->mode.State = EfiSimpleNetworkStopped;
  } else {
    status = snp->mode.State == EfiSimpleNetworkStopped ? EFI_NOT_STARTED : EFI_DEVICE_ERROR;
  }
  efi_nic_unlock(tpl);
  return status;
}

static EFI_STATUS initialize(struct snp_device *snp) {
  struct netdev *dev = snp->nic.netdev;
  forget_buffers(snp);
  (void)netdev_set_mac(dev, NULL);
  (void)netdev_set_filter(dev, NETDEV_FILTER_UNICAST | NETDEV_FILTER_BROADCAST, NULL, 0);
  EFI_STATUS status = efi_nic_start(&snp->nic);
  if(EFI_ERROR(status)) {
    return status == EFI_OUT_OF_RESOURCES ? status : EFI_DEVICE_ERROR;
  }
  snp->mode.State = EfiSimpleNetworkInitialized;
  snp->mode.MCastFilterCount = 0;
  snp->mode.ReceiveFilterSetting = 0;
  snp->mode.CurrentAddress = snp->mode.PermanentAddress;
  snp_update_media(snp);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI snp_initialize(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINTN extra_rx, UINTN extra_tx) {
  struct snp_device *snp = snp_from_protocol(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status;
  if(snp->mode.State != EfiSimpleNetworkStarted) {
    status = snp->mode.State == EfiSimpleNetworkStopped ? EFI_NOT_STARTED : EFI_DEVICE_ERROR;
  } else if(extra_rx > 0 || extra_tx > 0) {
    status = EFI_UNSUPPORTED; /* the rings are as large as they are */
  } else {
    status = initialize(snp);
  }
  efi_nic_unlock(tpl);
  return status;
}

/* A fresh start that keeps filters, address and statistics. What was being sent comes back through GetStatus. */
static EFI_STATUS EFIAPI snp_reset(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN extended) {
  struct snp_device *snp = snp_from_protocol(this);
  (void)extended;
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = snp_require_initialized(snp);
  if(!EFI_ERROR(status)) {
    efi_nic_stop(&snp->nic);
    status = efi_nic_start(&snp->nic);
    if(EFI_ERROR(status)) {
      snp_fail(snp);
      status = EFI_DEVICE_ERROR;
    }
    snp_update_media(snp);
  }
  efi_nic_unlock(tpl);
  return status;
}

static EFI_STATUS EFIAPI snp_shutdown(EFI_SIMPLE_NETWORK_PROTOCOL *this) {
  struct snp_device *snp = snp_from_protocol(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = snp_require_initialized(snp);
  if(!EFI_ERROR(status)) {
    efi_nic_stop(&snp->nic);
    forget_buffers(snp);
    snp->mode.State = EfiSimpleNetworkStarted;
    snp->mode.ReceiveFilterSetting = 0;
    snp->mode.MCastFilterCount = 0;
  }
  efi_nic_unlock(tpl);
  return status;
}

void snp_fail(struct snp_device *snp) {
  efi_nic_stop(&snp->nic);
  snp->mode.State = EfiSimpleNetworkStarted;
  snp->mode.MediaPresent = FALSE;
}

/* Set up --------------------------------------------------------------------------------------------------------- */

static void fill_mode(struct snp_device *snp) {
  EFI_SIMPLE_NETWORK_MODE *mode = &snp->mode;
  struct netdev_link link = {0};
  UINT8 mac[NETDEV_MAC_LENGTH];

  mode->State = EfiSimpleNetworkStopped;
  mode->HwAddressSize = NETDEV_MAC_LENGTH;
  mode->MediaHeaderSize = NETDEV_HEADER_LENGTH;
  mode->MaxPacketSize = NETDEV_MTU;
  mode->NvRamSize = snp->nic.netdev->nvm_words * NVRAM_ACCESS_BYTES;
  mode->NvRamAccessSize = mode->NvRamSize > 0 ? NVRAM_ACCESS_BYTES : 0;
  mode->ReceiveFilterMask = EFI_SIMPLE_NETWORK_RECEIVE_UNICAST | EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST |
                            EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST | EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS |
                            EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS_MULTICAST;
  mode->MaxMCastFilterCount = MAX_MCAST_FILTER_CNT;
  memcpy(mode->PermanentAddress.Addr, snp->nic.netdev->permanent_mac, NETDEV_MAC_LENGTH);
  mode->CurrentAddress = mode->PermanentAddress;
  memset(mode->BroadcastAddress.Addr, 0xFF, NETDEV_MAC_LENGTH);
  mode->IfType = 1; /* Ethernet, RFC 1700 */
  mode->MacAddressChangeable = TRUE;
  mode->MultipleTxSupported = TRUE;
  mode->MediaPresentSupported = TRUE;
  if(snp->nic.driver->glance(&snp->nic.platform, &snp->nic.id, mac, &link) == NETDEV_OK) {
    mode->MediaPresent = link.up;
  }
}

EFI_STATUS snp_init(struct snp_device *snp) {
  const struct netdev_client client = {.ctx = snp, .tx_done = snp_tx_done, .link_changed = link_changed};
  snp->signature = SNP_SIGNATURE;
  (void)netdev_set_client(snp->nic.netdev, &client);
  fill_mode(snp);
  media_init(snp);
  resident_init(snp);
  snp->protocol = (EFI_SIMPLE_NETWORK_PROTOCOL){
      .Revision = EFI_SIMPLE_NETWORK_PROTOCOL_REVISION,
      .Start = snp_start,
      .Stop = snp_stop,
      .Initialize = snp_initialize,
      .Reset = snp_reset,
      .Shutdown = snp_shutdown,
      .ReceiveFilters = snp_receive_filters,
      .StationAddress = snp_station_address,
      .Statistics = snp_statistics,
      .MCastIpToMac = snp_multicast_ip_to_mac,
      .NvData = snp_nvdata,
      .GetStatus = snp_get_status,
      .Transmit = snp_transmit,
      .Receive = snp_receive,
      .Mode = &snp->mode,
  };
  EFI_STATUS status =
      BS->CreateEvent(EVT_NOTIFY_WAIT, TPL_CALLBACK, snp_wait_for_packet, snp, &snp->protocol.WaitForPacket);
  if(!EFI_ERROR(status)) {
    snp->nic.held.events++;
  }
  return status;
}

void snp_fini(struct snp_device *snp) {
  if(snp->protocol.WaitForPacket && !EFI_ERROR(BS->CloseEvent(snp->protocol.WaitForPacket))) {
    snp->protocol.WaitForPacket = NULL;
    snp->nic.held.events--;
  }
}
