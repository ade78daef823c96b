/* services_names.c - the fake firmware's DNS, and its DHCP4: the lease in force, and HTTP boot's question. */
#include "services_internal.h"

#include <string.h>

#include "efi/dhcp4.h"
#include "efi/dns.h"

static void put(EFI_IPv4_ADDRESS *out, UINT32 address) {
  for(UINTN i = 0; i < 4; i++) {
    out->Addr[i] = (UINT8)(address >> (24U - 8U * i));
  }
}

/* DNS ------------------------------------------------------------------------------------------------------------ */

struct dns {
  struct service_child child;
  EFI_DNS_PROTOCOL protocol;
  EFI_DNS_COMPLETION_TOKEN *token;
  UINT64 due_us;
};

static struct dns *dns_of(EFI_DNS_PROTOCOL *this) {
  return child_of_service(this->GetModeData ? &dns6_kind : &dns4_kind, this);
}

static BOOLEAN is_dns6(const struct dns *dns) {
  return dns->child.service->kind == &dns6_kind;
}

static void finish(struct dns *dns, EFI_STATUS status) {
  EFI_DNS_COMPLETION_TOKEN *token = dns->token;
  dns->token = NULL;
  token->Status = status;
  (void)BS->SignalEvent(token->Event);
}

static EFI_STATUS EFIAPI dns_poll(EFI_DNS_PROTOCOL *this) {
  struct dns *dns = dns_of(this);
  check_service("Dns4.Poll", TPL_CALLBACK);
  if(!dns->token || server->dns_silent || firmware.now_us < dns->due_us) {
    return EFI_SUCCESS;
  }
  if(is_dns6(dns) ? !server->name_ipv6 : !server->name_address) {
    finish(dns, EFI_NOT_FOUND);
    return EFI_SUCCESS;
  }
  DNS_HOST_TO_ADDR_DATA *data = pool_new(sizeof(*data));
  data->IpCount = is_dns6(dns) ? 1 : 2;
  if(is_dns6(dns)) {
    data->IpList = pool_new(sizeof(EFI_IPv6_ADDRESS));
    memcpy(data->IpList, server->name_ipv6, sizeof(EFI_IPv6_ADDRESS));
  } else {
    EFI_IPv4_ADDRESS *list = pool_new(2U * sizeof(*list));
    put(&list[0], server->name_address);
    put(&list[1], server->name_address + 1U);
    data->IpList = list;
  }
  dns->token->RspData.H2AData = data;
  finish(dns, EFI_SUCCESS);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI dns_configure(EFI_DNS_PROTOCOL *this, VOID *config) {
  struct dns *dns = dns_of(this);
  if(config && fails(is_dns6(dns) ? "Dns6.Configure" : "Dns4.Configure", TPL_CALLBACK)) {
    return EFI_NO_MAPPING;
  }
  if(config && !is_dns6(dns)) {
    const EFI_DNS4_CONFIG_DATA *data = config;
    server->name_servers = data->DnsServerListCount;
  }
  if(!config && dns->token) {
    finish(dns, EFI_ABORTED);
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI dns_lookup(EFI_DNS_PROTOCOL *this, CHAR16 *name, EFI_DNS_COMPLETION_TOKEN *token) {
  struct dns *dns = dns_of(this);
  (void)name;
  if(fails(is_dns6(dns) ? "Dns6.HostNameToIp" : "Dns4.HostNameToIp", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  server->lookups++;
  dns->token = token;
  dns->due_us = firmware.now_us + server->step_us;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI dns_cancel(EFI_DNS_PROTOCOL *this, EFI_DNS_COMPLETION_TOKEN *token) {
  struct dns *dns = dns_of(this);
  if(!dns->token || dns->token != token) {
    return EFI_NOT_FOUND;
  }
  finish(dns, EFI_ABORTED);
  return EFI_SUCCESS;
}

static void dns_init(void *child) {
  ((struct dns *)child)->protocol = (EFI_DNS_PROTOCOL){
      .Configure = dns_configure, .HostNameToIp = dns_lookup, .Poll = dns_poll, .Cancel = dns_cancel};
}

/* What tells it apart; nobody calls it. */
static void dns6_init(void *child) {
  dns_init(child);
  ((struct dns *)child)->protocol.GetModeData = child;
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

const struct service_kind dns6_kind = {
    .name = "Dns6",
    .binding = EFI_DNS6_SERVICE_BINDING_PROTOCOL_GUID,
    .protocol = EFI_DNS6_PROTOCOL_GUID,
    .size = sizeof(struct dns),
    .protocol_at = offsetof(struct dns, protocol),
    .init = dns6_init,
    .fini = dns_fini,
};

/* DHCP ----------------------------------------------------------------------------------------------------------- */

#define REPLY_SIZE 600U

struct dhcp {
  struct service_child child;
  EFI_DHCP4_PROTOCOL protocol;
  EFI_DHCP4_CONFIG_DATA config;
  BOOLEAN configured;
  BOOLEAN asked; /* by Start, and answered: */
  _Alignas(EFI_DHCP4_PACKET) UINT8 reply[REPLY_SIZE];
};

static struct dhcp *dhcp_of(EFI_DHCP4_PROTOCOL *this) {
  return child_of_service(&dhcp4_kind, this);
}

static EFI_STATUS EFIAPI mode_data(EFI_DHCP4_PROTOCOL *this, EFI_DHCP4_MODE_DATA *mode) {
  const struct dhcp *dhcp = dhcp_of(this);
  if(fails("Dhcp4.GetModeData", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  memset(mode, 0, sizeof(*mode));
  if(dhcp->configured) {
    mode->State = dhcp->asked ? EFI_DHCP4_BOUND : 0;
    if(dhcp->asked) {
      put(&mode->ClientAddress, server->http_address);
      put(&mode->SubnetMask, 0xFFFFFF00U);
      mode->ReplyPacket = pool_new(REPLY_SIZE);
      memcpy(mode->ReplyPacket, dhcp->reply, REPLY_SIZE);
    }
    return EFI_SUCCESS;
  }
  mode->State = EFI_DHCP4_BOUND;
  put(&mode->ClientAddress, stack_leased_address());
  put(&mode->ServerAddress, server->lease_server);
  mode->LeaseTime = server->lease_seconds;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI dhcp_configure(EFI_DHCP4_PROTOCOL *this, EFI_DHCP4_CONFIG_DATA *config) {
  struct dhcp *dhcp = dhcp_of(this);
  if(config && fails("Dhcp4.Configure", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(config && stack_policy()) {
    return EFI_ACCESS_DENIED; /* the stack's own client is active */
  }
  dhcp->configured = config != NULL;
  dhcp->asked = FALSE;
  if(config) {
    dhcp->config = *config;
  }
  return EFI_SUCCESS;
}

static UINT8 *option(UINT8 *at, UINT8 code, const void *data, UINTN length) {
  at[0] = code;
  at[1] = (UINT8)length;
  memcpy(at + 2, data, length);
  return at + 2 + length;
}

/* An offer or acknowledgement, with what server->http_ says. */
static void make_reply(struct dhcp *dhcp, UINT8 type) {
  static const UINT8 dns[] = {10, 0, 0, 3};
  static const UINT8 identifier[] = {10, 0, 0, 9};
  EFI_DHCP4_PACKET *packet = (EFI_DHCP4_PACKET *)dhcp->reply;
  UINT8 *message = packet->Message;
  memset(dhcp->reply, 0, REPLY_SIZE);
  packet->Size = REPLY_SIZE;
  message[0] = 2;
  message[1] = 1;
  message[2] = 6;
  put((EFI_IPv4_ADDRESS *)(message + 16), server->http_address);
  put((EFI_IPv4_ADDRESS *)(message + 236), 0x63825363U);
  UINT8 *at = option(message + 240, 53, &type, 1);
  at = option(at, 54, identifier, 4);
  at = option(at, 6, dns, 4);
  at = server->http_class ? option(at, 60, server->http_class, strlen(server->http_class)) : at;
  at = server->http_url ? option(at, 67, server->http_url, strlen(server->http_url)) : at;
  *at++ = 255;
  packet->Length = (UINT32)(at - message);
}

static BOOLEAN asks_for_http(const struct dhcp *dhcp) {
  BOOLEAN named = FALSE;
  BOOLEAN arch = FALSE;
  for(UINT32 i = 0; i < dhcp->config.OptionCount; i++) {
    const EFI_DHCP4_PACKET_OPTION *asked = dhcp->config.OptionList[i];
    named = named || (asked->OpCode == 60 && memcmp(asked->Data, "HTTPClient:Arch:", 16) == 0);
    arch = arch || (asked->OpCode == 93 && asked->Length == 2 && asked->Data[1] == 16);
  }
  return named && arch;
}

static EFI_STATUS EFIAPI dhcp_start(EFI_DHCP4_PROTOCOL *this, EFI_EVENT event) {
  struct dhcp *dhcp = dhcp_of(this);
  EFI_DHCP4_PACKET *packet = (EFI_DHCP4_PACKET *)dhcp->reply;
  if(fails("Dhcp4.Start", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(!dhcp->configured || !asks_for_http(dhcp)) {
    return EFI_NOT_STARTED;
  }
  if(server->http_silent) {
    return EFI_SUCCESS;
  }
  if(server->http_address) {
    make_reply(dhcp, 2);
    EFI_TPL tpl = BS->RaiseTPL(TPL_CALLBACK);
    EFI_STATUS status = dhcp->config.Dhcp4Callback(this, dhcp->config.CallbackContext, 2, Dhcp4RcvdOffer, packet, NULL);
    if(status == EFI_NOT_READY) {
      status = dhcp->config.Dhcp4Callback(this, dhcp->config.CallbackContext, 2, Dhcp4SelectOffer, packet, NULL);
    }
    BS->RestoreTPL(tpl);
    if(EFI_ERROR(status)) {
      return EFI_SUCCESS; /* edk2 goes on asking */
    }
    dhcp->asked = TRUE;
    make_reply(dhcp, 5);
  }
  return BS->SignalEvent(event);
}

static EFI_STATUS EFIAPI dhcp_stop(EFI_DHCP4_PROTOCOL *this) {
  check_service("Dhcp4.Stop", TPL_CALLBACK);
  dhcp_of(this)->asked = FALSE;
  return EFI_SUCCESS;
}

static void dhcp_init(void *child) {
  ((struct dhcp *)child)->protocol = (EFI_DHCP4_PROTOCOL){
      .GetModeData = mode_data, .Configure = dhcp_configure, .Start = dhcp_start, .Stop = dhcp_stop};
}

static void dhcp_fini(void *child) {
  if(((struct dhcp *)child)->configured) {
    firmware_abort("a DHCP child goes that is configured", child);
  }
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
