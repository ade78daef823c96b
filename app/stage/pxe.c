/* pxe.c - the firmware's PXE base code on a NIC, as a program that was booted over TFTP expects it. */
#include "pxe.h"

#include <string.h>

#include "../console.h"
#include "../session/below.h"
#include "bootp.h"

static EFI_GUID guid = EFI_PXE_BASE_CODE_PROTOCOL_GUID;

/* Finding -------------------------------------------------------------------------------------------------------- */

/* The controller's path, and behind it an IPv4 node. A VLAN's is another network's. */
static BOOLEAN is_ours(EFI_DEVICE_PATH *controller, EFI_DEVICE_PATH *path) {
  BOOLEAN ipv4 = FALSE;
  path = below_path(controller, path);
  if(!path) {
    return FALSE;
  }
  for(; !IsDevicePathEnd(path); path = NextDevicePathNode(path)) {
    if(DevicePathType(path) != MESSAGING_DEVICE_PATH || DevicePathSubType(path) == MSG_VLAN_DP) {
      return FALSE;
    }
    ipv4 = ipv4 || DevicePathSubType(path) == MSG_IPv4_DP;
  }
  return ipv4;
}

EFI_STATUS pxe_find(struct pxe *pxe, EFI_HANDLE controller) {
  EFI_DEVICE_PATH *path = DevicePathFromHandle(controller);
  EFI_HANDLE *handles;
  UINTN count;
  memset(pxe, 0, sizeof(*pxe));
  if(!path || EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles))) {
    return EFI_NOT_FOUND;
  }
  for(UINTN i = 0; i < count && !pxe->base; i++) {
    EFI_DEVICE_PATH *other = DevicePathFromHandle(handles[i]);
    if(other && is_ours(path, other) && !EFI_ERROR(BS->HandleProtocol(handles[i], &guid, (VOID **)&pxe->base))) {
      pxe->handle = handles[i];
    }
  }
  BS->FreePool((VOID *)handles);
  return pxe->base ? EFI_SUCCESS : EFI_NOT_FOUND;
}

/* Telling it ----------------------------------------------------------------------------------------------------- */

static EFI_STATUS start(struct pxe *pxe) {
  if(pxe->base->Mode->Started) {
    return EFI_SUCCESS;
  }
  EFI_STATUS status = pxe->base->Start(pxe->base, FALSE);
  pxe->started = !EFI_ERROR(status);
  if(EFI_ERROR(status)) {
    complain("the firmware's PXE does not start: %s", status_text(status));
  }
  return status;
}

static void remember(struct pxe *pxe) {
  const EFI_PXE_BASE_CODE_MODE *mode = pxe->base->Mode;
  pxe->had_ack = mode->DhcpAckReceived;
  pxe->had_discover = mode->DhcpDiscoverValid;
  memcpy(&pxe->before, &mode->DhcpAck, sizeof(pxe->before));
  memcpy(&pxe->discover_before, &mode->DhcpDiscover, sizeof(pxe->discover_before));
  pxe->changed = TRUE;
}

static EFI_STATUS tell(struct pxe *pxe, BOOLEAN discover_valid, BOOLEAN acked, EFI_PXE_BASE_CODE_PACKET *discover,
                       EFI_PXE_BASE_CODE_PACKET *ack) {
  return pxe->base->SetPackets(pxe->base, &discover_valid, &acked, NULL, NULL, NULL, NULL, discover, ack, NULL, NULL,
                               NULL, NULL);
}

EFI_STATUS pxe_begin(struct pxe *pxe, const struct net_handoff_lease *lease, const UINT8 mac[6], UINT32 server,
                     const char *file) {
  static EFI_PXE_BASE_CODE_PACKET discover;
  static EFI_PXE_BASE_CODE_PACKET ack;
  EFI_IP_ADDRESS station = {{0}};
  EFI_IP_ADDRESS mask = {{0}};
  bootp_discover(discover.Raw, mac);
  bootp_ack(ack.Raw, lease, mac, server, file);
  EFI_STATUS status = start(pxe);
  if(EFI_ERROR(status)) {
    return status;
  }
  remember(pxe);
  memcpy(station.v4.Addr, lease->address, sizeof(station.v4.Addr));
  memcpy(mask.v4.Addr, lease->mask, sizeof(mask.v4.Addr));
  status = pxe->base->SetStationIp(pxe->base, &station, &mask);
  if(!EFI_ERROR(status)) {
    status = tell(pxe, TRUE, TRUE, &discover, &ack);
  }
  if(EFI_ERROR(status)) {
    complain("the firmware's PXE does not take the address: %s", status_text(status));
    pxe_end(pxe);
  }
  return status;
}

void pxe_end(struct pxe *pxe) {
  /* One that we started forgets them when it stops. */
  if(pxe->changed && !pxe->started &&
     EFI_ERROR(tell(pxe, pxe->had_discover, pxe->had_ack, &pxe->discover_before, &pxe->before))) {
    complain("the firmware's PXE keeps the answers of DHCP that were made for the program");
  }
  pxe->changed = FALSE;
  if(pxe->started) {
    (void)pxe->base->Stop(pxe->base);
  }
  pxe->started = FALSE;
}

/* Asking --------------------------------------------------------------------------------------------------------- */

static void take_lease(const struct pxe *pxe, struct net_handoff_lease *lease) {
  const EFI_PXE_BASE_CODE_MODE *mode = pxe->base->Mode;
  memcpy(lease->address, mode->StationIp.v4.Addr, sizeof(lease->address));
  memcpy(lease->mask, mode->SubnetMask.v4.Addr, sizeof(lease->mask));
  bootp_lease(mode->DhcpAck.Raw, BOOTP_PACKET_SIZE, lease);
  lease->origin = NET_HANDOFF_LEASE_DHCP;
}

EFI_STATUS pxe_ask(struct pxe *pxe, char url[URL_TEXT_SIZE], struct net_handoff_lease *lease) {
  EFI_STATUS status = start(pxe);
  if(EFI_ERROR(status)) {
    return status;
  }
  out("Asking DHCP for an address and a boot file...\n");
  status = pxe->base->Dhcp(pxe->base, TRUE);
  if(EFI_ERROR(status)) {
    pxe_end(pxe);
    return status;
  }
  const EFI_PXE_BASE_CODE_MODE *mode = pxe->base->Mode;
  memset(lease, 0, sizeof(*lease));
  take_lease(pxe, lease);
  /* What the firmware itself goes by, the most particular first: the boot server's, a proxy's, the DHCP server's. */
  if((mode->PxeReplyReceived && bootp_url(mode->PxeReply.Raw, BOOTP_PACKET_SIZE, url)) ||
     (mode->ProxyOfferReceived && bootp_url(mode->ProxyOffer.Raw, BOOTP_PACKET_SIZE, url)) ||
     bootp_url(mode->DhcpAck.Raw, BOOTP_PACKET_SIZE, url)) {
    return EFI_SUCCESS;
  }
  pxe_end(pxe);
  return EFI_NOT_FOUND;
}
