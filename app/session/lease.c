/* lease.c - an IPv4 address for a NIC from the firmware's own configuration, by DHCP if it has none yet. */
#include "lease.h"

#include "../../driver/efi/binding.h"
#include "../console.h"
#include "efi/ip4_config2.h"
#include "session.h"

#define DHCP_TIMEOUT_US 20000000U /* the firmware's client alone takes about 4 s */
#define GATEWAY_WAIT_US 1000000U
#define POLL_US         50000U
#define REMOVE_STEP_US  1000000U
#define INFO_SIZE       2048U /* interface information with its routes */

static EFI_GUID config_guid = EFI_IP4_CONFIG2_PROTOCOL_GUID;

static uint32_t host_order(const EFI_IPv4_ADDRESS *address) {
  return (uint32_t)address->Addr[0] << 24 | (uint32_t)address->Addr[1] << 16 | (uint32_t)address->Addr[2] << 8 |
         address->Addr[3];
}

/* The default route's gateway: an address that DHCP brought has none in Ip4Config2DataTypeGateway. */
static uint32_t gateway_of(const EFI_IP4_CONFIG2_INTERFACE_INFO *info) {
  const EFI_IP4_ROUTE_TABLE *routes = info->RouteTable;
  for(UINT32 i = 0; routes && i < info->RouteTableSize; i++) {
    if(host_order(&routes[i].SubnetMask) == 0 && host_order(&routes[i].SubnetAddress) == 0) {
      return host_order(&routes[i].GatewayAddress);
    }
  }
  return 0;
}

/* Address, mask and gateway that the interface has; FALSE when it is not the one with this MAC. */
static BOOLEAN read_interface(EFI_IP4_CONFIG2_PROTOCOL *config, const UINT8 mac[6], struct inet_host *host) {
  _Alignas(16) UINT8 buffer[INFO_SIZE];
  const EFI_IP4_CONFIG2_INTERFACE_INFO *info = (const EFI_IP4_CONFIG2_INTERFACE_INFO *)buffer;
  UINTN size = sizeof(buffer);
  if(EFI_ERROR(config->GetData(config, Ip4Config2DataTypeInterfaceInfo, &size, buffer)) ||
     CompareMem(info->HwAddress.Addr, mac, NETDEV_MAC_LENGTH) != 0) {
    return FALSE;
  }
  host->address = host_order(&info->StationAddress);
  host->mask = host_order(&info->SubnetMask);
  host->gateway = gateway_of(info);
  return TRUE;
}

static EFI_IP4_CONFIG2_PROTOCOL *find_config(const UINT8 mac[6], struct inet_host *host) {
  EFI_IP4_CONFIG2_PROTOCOL *found = NULL;
  EFI_HANDLE *handles;
  UINTN count;
  if(EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &config_guid, NULL, &count, &handles))) {
    return NULL;
  }
  for(UINTN i = 0; i < count && !found; i++) {
    EFI_IP4_CONFIG2_PROTOCOL *config;
    if(!EFI_ERROR(BS->HandleProtocol(handles[i], &config_guid, (VOID **)&config)) &&
       read_interface(config, mac, host)) {
      found = config;
    }
  }
  BS->FreePool(handles);
  return found;
}

static EFI_STATUS wait_for_address(EFI_IP4_CONFIG2_PROTOCOL *config, const UINT8 mac[6], struct inet_host *host) {
  UINT64 deadline_us = efi_clock_us() + DHCP_TIMEOUT_US;
  while(read_interface(config, mac, host) && host->address == 0) {
    if(console_aborted()) {
      out("Stopped.\n");
      return EFI_ABORTED;
    }
    if(efi_clock_us() >= deadline_us) {
      complain("no DHCP server answered in %u s: check the cable, or give --addr ADDRESS/LENGTH yourself",
               DHCP_TIMEOUT_US / 1000000U);
      return EFI_TIMEOUT;
    }
    BS->Stall(POLL_US);
  }
  return host->address ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

static EFI_STATUS ask_dhcp(EFI_IP4_CONFIG2_PROTOCOL *config, const UINT8 mac[6], struct inet_host *host) {
  EFI_IP4_CONFIG2_POLICY before;
  EFI_IP4_CONFIG2_POLICY dhcp = Ip4Config2PolicyDhcp;
  UINTN size = sizeof(before);
  EFI_STATUS status = config->GetData(config, Ip4Config2DataTypePolicy, &size, &before);
  out("Asking for an address by DHCP...\n");
  if(!EFI_ERROR(status)) {
    /* Also when it is DHCP already: that starts a client again that has given up. */
    status = config->SetData(config, Ip4Config2DataTypePolicy, sizeof(dhcp), &dhcp);
  }
  if(EFI_ERROR(status)) {
    complain("the firmware refuses to use DHCP: %s", status_text(status));
    return status;
  }
  status = wait_for_address(config, mac, host);
  /* The stack sets the gateway a moment after the address. A network without one costs that moment. */
  for(UINTN waited_us = 0; !EFI_ERROR(status) && waited_us < GATEWAY_WAIT_US && host->gateway == 0;
      waited_us += POLL_US) {
    BS->Stall(POLL_US);
    (void)read_interface(config, mac, host);
  }
  if(before != dhcp && EFI_ERROR(config->SetData(config, Ip4Config2DataTypePolicy, sizeof(before), &before))) {
    complain("the firmware's address policy stays at DHCP; 'ifconfig -s eth0 static ...' in the Shell changes it");
  }
  return status;
}

static EFI_STATUS lease_from(EFI_IP4_CONFIG2_PROTOCOL *config, const UINT8 mac[6], struct inet_host *host) {
  return host->address == 0 ? ask_dhcp(config, mac, host) : EFI_SUCCESS;
}

/* The image that the driver lives in goes when netdiag ends, so netdiag does not end while anything of
 * it is installed. */
static void remove_driver(EFI_HANDLE image) {
  EFI_STATUS status = binding_uninstall(image);
  while(EFI_ERROR(status)) {
    complain("the firmware's stack does not let go of the NIC: %s; trying again", status_text(status));
    BS->Stall(REMOVE_STEP_US);
    status = binding_uninstall(image);
  }
}

/* Binds our own driver, so that the firmware's stack comes up on the NIC, and takes it off again. */
static EFI_STATUS lease_with_own_driver(const struct pci_nic *pci, struct inet_host *host) {
  EFI_HANDLE image = session_image();
  EFI_HANDLE only[] = {image, NULL};
  EFI_STATUS status = binding_install(image);
  if(EFI_ERROR(status)) {
    complain("cannot install the driver: %s", status_text(status));
    return status;
  }
  status = BS->ConnectController(pci->handle, only, NULL, TRUE);
  struct snp_device *device = binding_find(pci->handle);
  if(!device) {
    complain("the driver does not start on the NIC: %s", status_text(status));
    status = EFI_ERROR(status) ? status : EFI_NOT_STARTED;
  } else {
    const UINT8 *mac = device->nic.netdev->permanent_mac;
    EFI_IP4_CONFIG2_PROTOCOL *config = find_config(mac, host);
    if(config) {
      status = lease_from(config, mac, host);
    } else {
      status = EFI_UNSUPPORTED;
      complain("this firmware has no IPv4 stack to ask: give --addr ADDRESS/LENGTH yourself");
    }
  }
  remove_driver(image);
  return status;
}

EFI_STATUS lease_get(const struct pci_nic *pci, const UINT8 mac[6], struct inet_host *host) {
  char address[IPV4_TEXT_SIZE];
  char gateway[IPV4_TEXT_SIZE];
  EFI_STATUS status;
  console_begin();
  EFI_IP4_CONFIG2_PROTOCOL *config = mac ? find_config(mac, host) : NULL;
  if(config) {
    status = lease_from(config, mac, host);
  } else if(pci_find_holder(pci->handle)) {
    status = EFI_UNSUPPORTED;
    complain("no IPv4 stack runs on the NIC's driver: give --addr ADDRESS/LENGTH yourself");
  } else {
    status = lease_with_own_driver(pci, host);
  }
  if(!EFI_ERROR(status)) {
    out("Address %s, %s%s\n", ipv4_text(host->address, address), host->gateway ? "gateway " : "no gateway",
        host->gateway ? ipv4_text(host->gateway, gateway) : "");
  }
  return status;
}

static void put_network_order(UINT8 out[4], uint32_t address) {
  for(UINTN i = 0; i < 4; i++) {
    out[i] = (UINT8)(address >> (24U - 8U * i));
  }
}

void lease_known(const UINT8 mac[6], UINT8 lease[3][4]) {
  struct inet_host host = {0};
  if(find_config(mac, &host)) {
    put_network_order(lease[0], host.address);
    put_network_order(lease[1], host.mask);
    put_network_order(lease[2], host.gateway);
  }
}
