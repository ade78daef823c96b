/* services_ip6.c - the fake firmware's IPv6 configuration of a NIC: what of it a client needs to get an address. */
#include "services_internal.h"

#include <stdlib.h>
#include <string.h>

#include "efi/ip6_config.h"

struct ip6 {
  struct node node;
  EFI_HANDLE handle;
  EFI_IP6_CONFIG_PROTOCOL config;
  UINT64 asked_us;
  EFI_IPv6_ADDRESS servers[2]; /* by hand: gateway, name server */
};

static EFI_GUID config_guid = EFI_IP6_CONFIG_PROTOCOL_GUID;
static struct node *all;
static BOOLEAN automatic; /* in a variable: it outlives the stack */
static UINTN servers_set;

static struct ip6 *ip6_of(EFI_IP6_CONFIG_PROTOCOL *this) {
  return (struct ip6 *)((UINT8 *)this - offsetof(struct ip6, config));
}

static EFI_STATUS give(const void *from, UINTN length, UINTN *size, VOID *data) {
  UINTN room = *size;
  *size = length;
  if(room < length) {
    return EFI_BUFFER_TOO_SMALL;
  }
  memcpy(data, from, length);
  return EFI_SUCCESS;
}

static EFI_STATUS interface_info(const struct ip6 *ip6, UINTN *size, VOID *data) {
  struct {
    EFI_IP6_CONFIG_INTERFACE_INFO info;
    EFI_IP6_ADDRESS_INFO addresses[2];
  } *out = data;
  UINTN room = *size;
  *size = sizeof(*out);
  if(room < sizeof(*out)) {
    return EFI_BUFFER_TOO_SMALL;
  }
  memset(out, 0, sizeof(*out));
  out->info.AddressInfo = out->addresses;
  out->addresses[0].Address.Addr[0] = 0xFE;
  out->addresses[0].Address.Addr[1] = 0x80;
  out->info.AddressInfoCount = 1;
  if(automatic && server->ipv6_address && firmware.now_us >= ip6->asked_us + 100U * server->step_us) {
    memcpy(out->addresses[1].Address.Addr, server->ipv6_address, sizeof(EFI_IPv6_ADDRESS));
    out->info.AddressInfoCount = 2;
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_data(EFI_IP6_CONFIG_PROTOCOL *this, EFI_IP6_CONFIG_DATA_TYPE type, UINTN *size,
                                  VOID *data) {
  const struct ip6 *ip6 = ip6_of(this);
  const EFI_IP6_CONFIG_POLICY policy = automatic ? Ip6ConfigPolicyAutomatic : Ip6ConfigPolicyManual;
  if(fails("Ip6Config.GetData", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  switch(type) {
  case Ip6ConfigDataTypeInterfaceInfo:
    return interface_info(ip6, size, data);
  case Ip6ConfigDataTypePolicy:
    return give(&policy, sizeof(policy), size, data);
  case Ip6ConfigDataTypeGateway:
  case Ip6ConfigDataTypeDnsServer:
    return automatic ? EFI_NOT_FOUND
                     : give(&ip6->servers[type == Ip6ConfigDataTypeDnsServer], sizeof(EFI_IPv6_ADDRESS), size, data);
  default:
    firmware_abort("Ip6Config.GetData: not modelled", this);
  }
}

static EFI_STATUS EFIAPI set_data(EFI_IP6_CONFIG_PROTOCOL *this, EFI_IP6_CONFIG_DATA_TYPE type, UINTN size,
                                  VOID *data) {
  struct ip6 *ip6 = ip6_of(this);
  if(fails("Ip6Config.SetData", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(type == Ip6ConfigDataTypePolicy) {
    BOOLEAN wanted = *(const EFI_IP6_CONFIG_POLICY *)data == Ip6ConfigPolicyAutomatic;
    if(wanted == automatic) {
      return EFI_ABORTED;
    }
    automatic = wanted;
    ip6->asked_us = firmware.now_us;
    memset(ip6->servers, 0, sizeof(ip6->servers));
    return EFI_SUCCESS;
  }
  if((type != Ip6ConfigDataTypeGateway && type != Ip6ConfigDataTypeDnsServer) || automatic) {
    return EFI_WRITE_PROTECTED;
  }
  servers_set++;
  memcpy(&ip6->servers[type == Ip6ConfigDataTypeDnsServer], data, size);
  return EFI_SUCCESS;
}

void ip6_start_on(EFI_HANDLE handle) {
  struct ip6 *ip6 = node_new(&all, sizeof(*ip6));
  ip6->handle = handle;
  ip6->config = (EFI_IP6_CONFIG_PROTOCOL){.SetData = set_data, .GetData = get_data};
  (void)install_protocol(&handle, &config_guid, &ip6->config);
}

void ip6_stop_on(EFI_HANDLE handle) {
  for(struct node *node = all; node;) {
    struct ip6 *ip6 = (struct ip6 *)node;
    node = node->next;
    if(ip6->handle == handle) {
      (void)uninstall_protocol(handle, &config_guid, &ip6->config);
      node_drop(&all, ip6);
    }
  }
}

void ip6_forget(void) {
  while(all) {
    node_drop(&all, all);
  }
  automatic = FALSE;
  servers_set = 0;
}

BOOLEAN services_ip6_automatic(void) {
  return automatic;
}

UINTN services_ip6_servers_set(void) {
  return servers_set;
}
