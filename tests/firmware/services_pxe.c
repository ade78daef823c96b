/* services_pxe.c - the fake firmware's PXE base code, on a child of the NIC's network interface. */
#include "services_internal.h"

#include <stdlib.h>
#include <string.h>

struct pxe_base {
  struct node node;
  EFI_HANDLE below; /* carries SNP */
  EFI_HANDLE handle;
  EFI_DEVICE_PATH *path;
  EFI_PXE_BASE_CODE base;
  EFI_PXE_BASE_CODE_MODE mode;
};

static EFI_GUID base_guid = EFI_PXE_BASE_CODE_PROTOCOL_GUID;
static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static struct node *bases;

static struct pxe_base *base_of(EFI_PXE_BASE_CODE *this) {
  return (struct pxe_base *)((UINT8 *)this - offsetof(struct pxe_base, base));
}

static EFI_STATUS EFIAPI pxe_start(EFI_PXE_BASE_CODE *this, BOOLEAN ipv6) {
  struct pxe_base *pxe = base_of(this);
  if(fails("PxeBc.Start", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(ipv6 || pxe->mode.Started) {
    return pxe->mode.Started ? EFI_ALREADY_STARTED : EFI_UNSUPPORTED;
  }
  memset(&pxe->mode, 0, sizeof(pxe->mode));
  pxe->mode.Started = TRUE;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI pxe_stop(EFI_PXE_BASE_CODE *this) {
  struct pxe_base *pxe = base_of(this);
  check_service("PxeBc.Stop", TPL_CALLBACK);
  if(!pxe->mode.Started) {
    return EFI_NOT_STARTED;
  }
  pxe->mode.Started = FALSE;
  return EFI_SUCCESS;
}

static void put(UINT8 *out, UINT32 address) {
  for(UINTN i = 0; i < 4; i++) {
    out[i] = (UINT8)(address >> (24U - 8U * i));
  }
}

static EFI_STATUS EFIAPI pxe_dhcp(EFI_PXE_BASE_CODE *this, BOOLEAN sort) {
  static const UINT8 options[] = {53, 1,  5, 1,  4, 255, 255, 255, 0, 3, 4, 10, 0,  0,
                                  1,  54, 4, 10, 0, 0,   9,   51,  4, 0, 0, 14, 16, 255};
  struct pxe_base *pxe = base_of(this);
  (void)sort;
  if(fails("PxeBc.Dhcp", TPL_CALLBACK)) {
    return EFI_TIMEOUT;
  }
  if(!pxe->mode.Started) {
    return EFI_NOT_STARTED;
  }
  if(EFI_ERROR(server->dhcp_status)) {
    return server->dhcp_status;
  }
  EFI_PXE_BASE_CODE_DHCPV4_PACKET *ack = &pxe->mode.DhcpAck.Dhcpv4;
  ack->BootpOpcode = 2;
  ack->BootpHwType = 1;
  ack->BootpHwAddrLen = 6;
  put(ack->BootpYiAddr, server->pxe_address);
  put(ack->BootpSiAddr, server->pxe_next);
  if(server->pxe_file) {
    memcpy(ack->BootpBootFile, server->pxe_file, strlen(server->pxe_file));
  }
  put((UINT8 *)&ack->DhcpMagik, 0x63825363U);
  memcpy(ack->DhcpOptions, options, sizeof(options));
  pxe->mode.DhcpAckReceived = TRUE;
  put(pxe->mode.StationIp.v4.Addr, server->pxe_address);
  put(pxe->mode.SubnetMask.v4.Addr, 0xFFFFFF00U);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_station(EFI_PXE_BASE_CODE *this, EFI_IP_ADDRESS *station, EFI_IP_ADDRESS *mask) {
  struct pxe_base *pxe = base_of(this);
  if(fails("PxeBc.SetStationIp", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(!pxe->mode.Started) {
    return EFI_NOT_STARTED;
  }
  pxe->mode.StationIp = *station;
  pxe->mode.SubnetMask = *mask;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_packets(EFI_PXE_BASE_CODE *this, BOOLEAN *discover_valid, BOOLEAN *acked, BOOLEAN *proxy,
                                     BOOLEAN *pxe_valid, BOOLEAN *replied, BOOLEAN *bis,
                                     EFI_PXE_BASE_CODE_PACKET *discover, EFI_PXE_BASE_CODE_PACKET *ack,
                                     EFI_PXE_BASE_CODE_PACKET *offer, EFI_PXE_BASE_CODE_PACKET *pxe_discover,
                                     EFI_PXE_BASE_CODE_PACKET *reply, EFI_PXE_BASE_CODE_PACKET *bis_reply) {
  struct pxe_base *pxe = base_of(this);
  if(fails("PxeBc.SetPackets", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(!pxe->mode.Started) {
    return EFI_NOT_STARTED;
  }
  if(proxy || pxe_valid || replied || bis || offer || pxe_discover || reply || bis_reply) {
    firmware_abort("PxeBc.SetPackets: not modelled", this);
  }
  pxe->mode.DhcpDiscoverValid = *discover_valid;
  pxe->mode.DhcpAckReceived = *acked;
  memcpy(&pxe->mode.DhcpDiscover, discover, sizeof(*discover));
  memcpy(&pxe->mode.DhcpAck, ack, sizeof(*ack));
  return EFI_SUCCESS;
}

void pxe_start_on(EFI_HANDLE handle) {
  struct pxe_base *pxe = node_new(&bases, sizeof(*pxe));
  IPv4_DEVICE_PATH node;
  memset(&node, 0, sizeof(node));
  node.Header.Type = MESSAGING_DEVICE_PATH;
  node.Header.SubType = MSG_IPv4_DP;
  SetDevicePathNodeLength(&node.Header, sizeof(node));
  const UINT8 *base = firmware_interface(handle, path_guid);
  size_t length = 0;
  while(!IsDevicePathEnd((const EFI_DEVICE_PATH *)(base + length))) {
    length += (size_t)DevicePathNodeLength((const EFI_DEVICE_PATH *)(base + length));
  }
  UINT8 *path = malloc(length + sizeof(node) + END_DEVICE_PATH_LENGTH);
  memcpy(path, base, length);
  memcpy(path + length, &node, sizeof(node));
  memcpy(path + length + sizeof(node), base + length, END_DEVICE_PATH_LENGTH);
  pxe->below = handle;
  pxe->path = (EFI_DEVICE_PATH *)path;
  pxe->base = (EFI_PXE_BASE_CODE){.Start = pxe_start,
                                  .Stop = pxe_stop,
                                  .Dhcp = pxe_dhcp,
                                  .SetStationIp = set_station,
                                  .SetPackets = set_packets,
                                  .Mode = &pxe->mode};
  (void)install_protocol(&pxe->handle, &path_guid, pxe->path);
  (void)install_protocol(&pxe->handle, &base_guid, &pxe->base);
}

static void drop(struct pxe_base *pxe) {
  free(pxe->path);
  node_drop(&bases, pxe);
}

void pxe_stop_on(EFI_HANDLE handle) {
  for(struct node *node = bases; node;) {
    struct pxe_base *pxe = (struct pxe_base *)node;
    node = node->next;
    if(pxe->below == handle) {
      (void)uninstall_protocol(pxe->handle, &base_guid, &pxe->base);
      (void)uninstall_protocol(pxe->handle, &path_guid, pxe->path);
      drop(pxe);
    }
  }
}

UINTN pxe_left(void) {
  UINTN count = 0;
  for(const struct node *node = bases; node; node = node->next) {
    count += ((const struct pxe_base *)node)->mode.Started;
  }
  return count;
}

BOOLEAN services_pxe_ack(UINT32 *next, char file[128]) {
  for(const struct node *node = bases; node; node = node->next) {
    const struct pxe_base *pxe = (const struct pxe_base *)node;
    if(pxe->mode.Started && pxe->mode.DhcpAckReceived) {
      const EFI_PXE_BASE_CODE_DHCPV4_PACKET *ack = &pxe->mode.DhcpAck.Dhcpv4;
      *next = (UINT32)ack->BootpSiAddr[0] << 24 | (UINT32)ack->BootpSiAddr[1] << 16 | (UINT32)ack->BootpSiAddr[2] << 8 |
              ack->BootpSiAddr[3];
      memcpy(file, ack->BootpBootFile, 128);
      return TRUE;
    }
  }
  return FALSE;
}

void pxe_forget(void) {
  while(bases) {
    drop((struct pxe_base *)bases);
  }
}
