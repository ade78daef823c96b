/* lease6.c - an IPv6 address for a NIC from the firmware's own configuration, for as long as a command needs it. */
#include "lease6.h"

#include <string.h>

#include "../../driver/lib/texts.h"
#include "../console.h"
#include "below.h"
#include "lease.h"

#define WAIT_US   20000000U /* as for DHCP: routers answer in seconds, DHCPv6 takes some more */
#define POLL_US   50000U
#define INFO_SIZE 4096U /* interface information with its addresses and routes */

static EFI_GUID config_guid = EFI_IP6_CONFIG_PROTOCOL_GUID;

/* RFC 4291, 2.5.6: of the link alone. */
static bool is_link_local(const EFI_IPv6_ADDRESS *address) {
  return address->Addr[0] == 0xFE && (address->Addr[1] & 0xC0U) == 0x80;
}

/* The first address that reaches further than the link. */
static bool has_address(EFI_IP6_CONFIG_PROTOCOL *config, EFI_IPv6_ADDRESS *address) {
  _Alignas(16) UINT8 buffer[INFO_SIZE];
  const EFI_IP6_CONFIG_INTERFACE_INFO *info = (const EFI_IP6_CONFIG_INTERFACE_INFO *)buffer;
  UINTN size = sizeof(buffer);
  if(EFI_ERROR(config->GetData(config, Ip6ConfigDataTypeInterfaceInfo, &size, buffer))) {
    return false;
  }
  for(UINT32 i = 0; info->AddressInfo && i < info->AddressInfoCount; i++) {
    if(!is_link_local(&info->AddressInfo[i].Address)) {
      *address = info->AddressInfo[i].Address;
      return true;
    }
  }
  return false;
}

static UINTN read_list(EFI_IP6_CONFIG_PROTOCOL *config, EFI_IP6_CONFIG_DATA_TYPE type, EFI_IPv6_ADDRESS *list) {
  UINTN size = LEASE6_SERVERS * sizeof(*list);
  return EFI_ERROR(config->GetData(config, type, &size, list)) ? 0 : size / sizeof(*list);
}

/* EFI_ABORTED: it is so already. EFI_NOT_READY: it is on its way. */
static EFI_STATUS set_data(EFI_IP6_CONFIG_PROTOCOL *config, EFI_IP6_CONFIG_DATA_TYPE type, UINTN size, VOID *data) {
  EFI_STATUS status = config->SetData(config, type, size, data);
  return status == EFI_NOT_READY || status == EFI_ABORTED ? EFI_SUCCESS : status;
}

static EFI_STATUS set_policy(EFI_IP6_CONFIG_PROTOCOL *config, EFI_IP6_CONFIG_POLICY policy) {
  return set_data(config, Ip6ConfigDataTypePolicy, sizeof(policy), &policy);
}

/* Automatic, if it was not that already. */
static EFI_STATUS let_it_ask(EFI_IP6_CONFIG_PROTOCOL *config, struct lease6 *lease) {
  EFI_IP6_CONFIG_POLICY policy;
  UINTN size = sizeof(policy);
  EFI_STATUS status = config->GetData(config, Ip6ConfigDataTypePolicy, &size, &policy);
  if(EFI_ERROR(status) || policy == Ip6ConfigPolicyAutomatic) {
    return status;
  }
  lease->gateways = read_list(config, Ip6ConfigDataTypeGateway, lease->gateway);
  lease->servers = read_list(config, Ip6ConfigDataTypeDnsServer, lease->server);
  status = set_policy(config, Ip6ConfigPolicyAutomatic);
  lease->changed = !EFI_ERROR(status);
  return status;
}

static EFI_STATUS wait(EFI_IP6_CONFIG_PROTOCOL *config, EFI_IPv6_ADDRESS *address) {
  UINT64 deadline_us = efi_clock_us() + WAIT_US;
  while(!has_address(config, address)) {
    if(console_aborted()) {
      out("Stopped.\n");
      return EFI_ABORTED;
    }
    if(efi_clock_us() >= deadline_us) {
      complain("no IPv6 address in %u s: no router or DHCPv6 server gives one; is there IPv6 in this network?",
               WAIT_US / 1000000U);
      return EFI_TIMEOUT;
    }
    BS->Stall(POLL_US);
  }
  return EFI_SUCCESS;
}

EFI_STATUS lease6_get(const struct pci_nic *pci, UINT64 link_wait_us, struct lease6 *lease) {
  EFI_IP6_CONFIG_PROTOCOL *config = below_protocol(pci->handle, &config_guid);
  EFI_IPv6_ADDRESS address;
  char text[IPV6_TEXT_SIZE];
  if(!config) {
    complain("this firmware has no IPv6 on the NIC");
    return EFI_UNSUPPORTED;
  }
  EFI_STATUS status = lease_wait_for_link(pci, link_wait_us);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(!has_address(config, &address)) {
    out("Asking routers for an IPv6 address...\n");
    status = let_it_ask(config, lease);
    if(EFI_ERROR(status)) {
      complain("the firmware does not ask for an IPv6 address: %s", status_text(status));
      return status;
    }
    status = wait(config, &address);
  }
  if(!EFI_ERROR(status)) {
    out("Address %s\n", ipv6_text(address.Addr, text));
  }
  return status;
}

EFI_STATUS lease6_restore(const struct pci_nic *pci, struct lease6 *lease) {
  EFI_IP6_CONFIG_PROTOCOL *config = lease->changed ? below_protocol(pci->handle, &config_guid) : NULL;
  lease->changed = false;
  if(!config) {
    return EFI_SUCCESS;
  }
  EFI_STATUS status = set_policy(config, Ip6ConfigPolicyManual);
  if(!EFI_ERROR(status) && lease->gateways) {
    status = set_data(config, Ip6ConfigDataTypeGateway, lease->gateways * sizeof(lease->gateway[0]), lease->gateway);
  }
  if(!EFI_ERROR(status) && lease->servers) {
    status = set_data(config, Ip6ConfigDataTypeDnsServer, lease->servers * sizeof(lease->server[0]), lease->server);
  }
  return status;
}
