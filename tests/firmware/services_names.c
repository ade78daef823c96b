/* services_names.c - the fake firmware's DNS4 and what its DHCP4 says of the lease in force. */
#include "services_internal.h"

#include <string.h>

#include "efi/dhcp4.h"
#include "efi/dns4.h"

static void put(EFI_IPv4_ADDRESS *out, UINT32 address) {
  for(UINTN i = 0; i < 4; i++) {
    out->Addr[i] = (UINT8)(address >> (24U - 8U * i));
  }
}

/* DNS ------------------------------------------------------------------------------------------------------------ */

struct dns {
  struct service_child child;
  EFI_DNS4_PROTOCOL protocol;
  EFI_DNS4_COMPLETION_TOKEN *token;
  UINT64 due_us;
};

static struct dns *dns_of(EFI_DNS4_PROTOCOL *this) {
  return child_of_service(&dns4_kind, this);
}

static void finish(struct dns *dns, EFI_STATUS status) {
  EFI_DNS4_COMPLETION_TOKEN *token = dns->token;
  dns->token = NULL;
  token->Status = status;
  (void)BS->SignalEvent(token->Event);
}

static EFI_STATUS EFIAPI dns_poll(EFI_DNS4_PROTOCOL *this) {
  struct dns *dns = dns_of(this);
  check_service("Dns4.Poll", TPL_CALLBACK);
  if(!dns->token || server->dns_silent || firmware.now_us < dns->due_us) {
    return EFI_SUCCESS;
  }
  if(!server->name_address) {
    finish(dns, EFI_NOT_FOUND);
    return EFI_SUCCESS;
  }
  DNS_HOST_TO_ADDR_DATA *data = pool_new(sizeof(*data));
  data->IpCount = 2;
  data->IpList = pool_new(2U * sizeof(EFI_IPv4_ADDRESS));
  put(&data->IpList[0], server->name_address);
  put(&data->IpList[1], server->name_address + 1U);
  dns->token->RspData.H2AData = data;
  finish(dns, EFI_SUCCESS);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI dns_configure(EFI_DNS4_PROTOCOL *this, EFI_DNS4_CONFIG_DATA *config) {
  struct dns *dns = dns_of(this);
  if(config && fails("Dns4.Configure", TPL_CALLBACK)) {
    return EFI_NO_MAPPING;
  }
  if(!config && dns->token) {
    finish(dns, EFI_ABORTED);
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI dns_lookup(EFI_DNS4_PROTOCOL *this, CHAR16 *name, EFI_DNS4_COMPLETION_TOKEN *token) {
  struct dns *dns = dns_of(this);
  (void)name;
  if(fails("Dns4.HostNameToIp", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  server->lookups++;
  dns->token = token;
  dns->due_us = firmware.now_us + server->step_us;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI dns_cancel(EFI_DNS4_PROTOCOL *this, EFI_DNS4_COMPLETION_TOKEN *token) {
  struct dns *dns = dns_of(this);
  if(!dns->token || dns->token != token) {
    return EFI_NOT_FOUND;
  }
  finish(dns, EFI_ABORTED);
  return EFI_SUCCESS;
}

static void dns_init(void *child) {
  ((struct dns *)child)->protocol = (EFI_DNS4_PROTOCOL){
      .Configure = dns_configure, .HostNameToIp = dns_lookup, .Poll = dns_poll, .Cancel = dns_cancel};
}

static void dns_fini(void *child) {
  if(((struct dns *)child)->token) {
    firmware_abort("a DNS child goes with a token of the caller's", child);
  }
}

const struct service_kind dns4_kind = {
    .name = "Dns4",
    .binding = EFI_DNS4_SERVICE_BINDING_PROTOCOL_GUID,
    .protocol = EFI_DNS4_PROTOCOL_GUID,
    .size = sizeof(struct dns),
    .protocol_at = offsetof(struct dns, protocol),
    .init = dns_init,
    .fini = dns_fini,
};

/* DHCP ----------------------------------------------------------------------------------------------------------- */

struct dhcp {
  struct service_child child;
  EFI_DHCP4_PROTOCOL protocol;
};

static EFI_STATUS EFIAPI mode_data(EFI_DHCP4_PROTOCOL *this, EFI_DHCP4_MODE_DATA *mode) {
  (void)child_of_service(&dhcp4_kind, this);
  if(fails("Dhcp4.GetModeData", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  memset(mode, 0, sizeof(*mode));
  mode->State = EFI_DHCP4_BOUND;
  put(&mode->ClientAddress, stack_leased_address());
  put(&mode->ServerAddress, server->lease_server);
  mode->LeaseTime = server->lease_seconds;
  return EFI_SUCCESS;
}

static void dhcp_init(void *child) {
  ((struct dhcp *)child)->protocol = (EFI_DHCP4_PROTOCOL){.GetModeData = mode_data};
}

static void dhcp_fini(void *child) {
  (void)child;
}

const struct service_kind dhcp4_kind = {
    .name = "Dhcp4",
    .binding = EFI_DHCP4_SERVICE_BINDING_PROTOCOL_GUID,
    .protocol = EFI_DHCP4_PROTOCOL_GUID,
    .size = sizeof(struct dhcp),
    .protocol_at = offsetof(struct dhcp, protocol),
    .init = dhcp_init,
    .fini = dhcp_fini,
};
