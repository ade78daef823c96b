/* ip4_policy.c - how the firmware gives a NIC its IPv4 address: remembered, changed for a while, and put back. */
#include "ip4_policy.h"

#include <string.h>

#include "../../driver/lib/bytes.h"

/* More than there is room for are none: the firmware gives all or nothing. Under DHCP they are the server's. */
static UINTN read_list(EFI_IP4_CONFIG2_PROTOCOL *config, EFI_IP4_CONFIG2_DATA_TYPE type, EFI_IPv4_ADDRESS *list) {
  UINTN size = IP4_POLICY_SERVERS * sizeof(*list);
  return EFI_ERROR(config->GetData(config, type, &size, list)) ? 0 : size / sizeof(*list);
}

EFI_STATUS ip4_policy_save(EFI_IP4_CONFIG2_PROTOCOL *config, struct ip4_policy *saved) {
  UINTN size = sizeof(saved->policy);
  memset(saved, 0, sizeof(*saved));
  EFI_STATUS status = config->GetData(config, Ip4Config2DataTypePolicy, &size, &saved->policy);
  if(EFI_ERROR(status) || saved->policy != Ip4Config2PolicyStatic) {
    return status;
  }
  size = sizeof(saved->address);
  saved->has_address = !EFI_ERROR(config->GetData(config, Ip4Config2DataTypeManualAddress, &size, &saved->address)) &&
                       size >= sizeof(saved->address);
  saved->gateways = read_list(config, Ip4Config2DataTypeGateway, saved->gateway);
  saved->servers = read_list(config, Ip4Config2DataTypeDnsServer, saved->server);
  return EFI_SUCCESS;
}

static EFI_STATUS set_policy(EFI_IP4_CONFIG2_PROTOCOL *config, EFI_IP4_CONFIG2_POLICY policy) {
  EFI_STATUS status = config->SetData(config, Ip4Config2DataTypePolicy, sizeof(policy), &policy);
  return status == EFI_ABORTED ? EFI_SUCCESS : status; /* it was that already */
}

/* EFI_NOT_READY: it is on its way. EFI_ABORTED: it is so already. */
static EFI_STATUS set_data(EFI_IP4_CONFIG2_PROTOCOL *config, EFI_IP4_CONFIG2_DATA_TYPE type, UINTN size, VOID *data) {
  EFI_STATUS status = config->SetData(config, type, size, data);
  return status == EFI_NOT_READY || status == EFI_ABORTED ? EFI_SUCCESS : status;
}

EFI_STATUS ip4_policy_dhcp(EFI_IP4_CONFIG2_PROTOCOL *config) {
  return set_policy(config, Ip4Config2PolicyDhcp);
}

EFI_STATUS ip4_policy_static(EFI_IP4_CONFIG2_PROTOCOL *config, UINT32 address, UINT32 mask, UINT32 gateway) {
  EFI_IP4_CONFIG2_MANUAL_ADDRESS manual = {0};
  EFI_IPv4_ADDRESS router = {0};
  put32(manual.Address.Addr, address);
  put32(manual.SubnetMask.Addr, mask);
  put32(router.Addr, gateway);
  EFI_STATUS status = set_policy(config, Ip4Config2PolicyStatic);
  if(!EFI_ERROR(status)) {
    status = set_data(config, Ip4Config2DataTypeManualAddress, sizeof(manual), &manual);
  }
  if(!EFI_ERROR(status) && gateway) {
    status = set_data(config, Ip4Config2DataTypeGateway, sizeof(router), &router);
  }
  return status;
}

EFI_STATUS ip4_policy_no_dhcp(EFI_IP4_CONFIG2_PROTOCOL *config) {
  return set_policy(config, Ip4Config2PolicyStatic);
}

EFI_STATUS ip4_policy_name_servers(EFI_IP4_CONFIG2_PROTOCOL *config, const UINT8 (*servers)[4], UINTN count) {
  EFI_IPv4_ADDRESS list[IP4_POLICY_SERVERS];
  count = count < IP4_POLICY_SERVERS ? count : IP4_POLICY_SERVERS;
  for(UINTN i = 0; i < count; i++) {
    memcpy(list[i].Addr, servers[i], sizeof(list[i].Addr));
  }
  return count ? set_data(config, Ip4Config2DataTypeDnsServer, count * sizeof(list[0]), list) : EFI_SUCCESS;
}

/* Where there was no address by hand and now is one, the policy's change to DHCP and back makes the firmware forget. */
static EFI_STATUS restore_static(EFI_IP4_CONFIG2_PROTOCOL *config, struct ip4_policy *saved, BOOLEAN forget) {
  EFI_STATUS forgotten = forget ? set_policy(config, Ip4Config2PolicyDhcp) : EFI_SUCCESS;
  EFI_STATUS status = set_policy(config, Ip4Config2PolicyStatic);
  if(!EFI_ERROR(status) && saved->has_address) {
    status = set_data(config, Ip4Config2DataTypeManualAddress, sizeof(saved->address), &saved->address);
  }
  if(!EFI_ERROR(status) && saved->gateways) {
    status = set_data(config, Ip4Config2DataTypeGateway, saved->gateways * sizeof(saved->gateway[0]), saved->gateway);
  }
  if(!EFI_ERROR(status) && saved->servers) {
    status = set_data(config, Ip4Config2DataTypeDnsServer, saved->servers * sizeof(saved->server[0]), saved->server);
  }
  return EFI_ERROR(forgotten) ? forgotten : status;
}

static BOOLEAN is_same(const struct ip4_policy *left, const struct ip4_policy *right) {
  return left->policy == right->policy && left->has_address == right->has_address &&
         memcmp(left->address.Address.Addr, right->address.Address.Addr, sizeof(left->address.Address.Addr)) == 0 &&
         memcmp(left->address.SubnetMask.Addr, right->address.SubnetMask.Addr, sizeof(left->address.SubnetMask.Addr)) ==
             0 &&
         left->gateways == right->gateways && memcmp(left->gateway, right->gateway, sizeof(left->gateway)) == 0 &&
         left->servers == right->servers && memcmp(left->server, right->server, sizeof(left->server)) == 0;
}

EFI_STATUS ip4_policy_restore(EFI_IP4_CONFIG2_PROTOCOL *config, struct ip4_policy *saved) {
  struct ip4_policy now;
  EFI_STATUS status = ip4_policy_save(config, &now);
  if(!EFI_ERROR(status) && is_same(&now, saved)) {
    return EFI_SUCCESS;
  }
  return saved->policy == Ip4Config2PolicyStatic ? restore_static(config, saved, now.has_address && !saved->has_address)
                                                 : set_policy(config, saved->policy);
}
