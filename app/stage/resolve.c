/* resolve.c - the server's address, by the firmware's DNS when the URL has a name. */
#include "resolve.h"

#include <string.h>

#include "../../driver/lib/bytes.h"
#include "../session/lease.h"
#include "efi/dns.h"

#define RETRIES     3U
#define INTERVAL_S  2U
#define SERVERS_MAX 8U

struct lookup {
  struct child child;
  EFI_DNS_PROTOCOL *dns;
  EFI_DNS_COMPLETION_TOKEN token;
  volatile BOOLEAN finished;
  EFI_IPv4_ADDRESS servers[SERVERS_MAX];
};

static EFI_STATUS poll(void *ctx) {
  const struct lookup *lookup = ctx;
  return lookup->dns->Poll(lookup->dns);
}

/* The name servers that the firmware knows of. Where it knows none, its DNS asks DHCP for them. */
static EFI_STATUS configure4(struct lookup *lookup, const struct pci_nic *pci) {
  EFI_IP4_CONFIG2_PROTOCOL *config = lease_config(pci);
  UINTN size = sizeof(lookup->servers);
  if(!config || EFI_ERROR(config->GetData(config, Ip4Config2DataTypeDnsServer, &size, lookup->servers))) {
    size = 0;
  }
  EFI_DNS4_CONFIG_DATA data = {.DnsServerListCount = size / sizeof(lookup->servers[0]),
                               .DnsServerList = size ? lookup->servers : NULL,
                               .UseDefaultSetting = TRUE,
                               .EnableDnsCache = TRUE,
                               .Protocol = EFI_DNS_PROTOCOL_UDP,
                               .RetryCount = RETRIES,
                               .RetryInterval = INTERVAL_S};
  return lookup->dns->Configure(lookup->dns, &data);
}

static EFI_STATUS configure6(struct lookup *lookup) {
  EFI_DNS6_CONFIG_DATA data = {
      .EnableDnsCache = TRUE, .Protocol = EFI_DNS_PROTOCOL_UDP, .RetryCount = RETRIES, .RetryInterval = INTERVAL_S};
  return lookup->dns->Configure(lookup->dns, &data);
}

static EFI_STATUS prepare(struct lookup *lookup, const struct pci_nic *pci, bool ipv6) {
  static EFI_GUID guids[2][2] = {{EFI_DNS4_SERVICE_BINDING_PROTOCOL_GUID, EFI_DNS4_PROTOCOL_GUID},
                                 {EFI_DNS6_SERVICE_BINDING_PROTOCOL_GUID, EFI_DNS6_PROTOCOL_GUID}};
  EFI_STATUS status = child_open(&lookup->child, pci->handle, &guids[ipv6][0], &guids[ipv6][1]);
  if(EFI_ERROR(status)) {
    return status;
  }
  lookup->dns = lookup->child.protocol;
  status = ipv6 ? configure6(lookup) : configure4(lookup, pci);
  if(!EFI_ERROR(status)) {
    status = BS->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, transfer_signal, (VOID *)&lookup->finished,
                             &lookup->token.Event);
  }
  return status;
}

static EFI_STATUS ask(struct transfer *transfer, struct lookup *lookup) {
  CHAR16 name[URL_HOST_SIZE];
  UINTN i = 0;
  for(; transfer->url.host[i]; i++) {
    name[i] = (CHAR16)transfer->url.host[i];
  }
  name[i] = 0;
  EFI_STATUS status = lookup->dns->HostNameToIp(lookup->dns, name, &lookup->token);
  if(EFI_ERROR(status)) {
    return status;
  }
  transfer_window(transfer);
  status = transfer_wait(transfer, &lookup->finished, poll, lookup);
  if(EFI_ERROR(status)) {
    (void)lookup->dns->Cancel(lookup->dns, &lookup->token);
    return status;
  }
  return lookup->token.Status;
}

/* Frees what the firmware allocated for the answer, and keeps the first address of it; false when there is none. */
static bool take_answer(struct lookup *lookup, bool ipv6, struct fetch_result *result) {
  DNS_HOST_TO_ADDR_DATA *answer = lookup->token.RspData.H2AData;
  bool found = answer && answer->IpList && answer->IpCount > 0;
  if(found && ipv6) {
    memcpy(result->server6, answer->IpList, sizeof(result->server6));
    result->ipv6 = true;
  } else if(found) {
    result->server = get32(answer->IpList);
    found = result->server != 0;
  }
  if(answer && answer->IpList) {
    FreePool(answer->IpList);
  }
  if(answer) {
    FreePool(answer);
  }
  return found;
}

static EFI_STATUS look_up(struct transfer *transfer, const struct pci_nic *pci, bool ipv6) {
  struct lookup lookup;
  memset(&lookup, 0, sizeof(lookup));
  EFI_STATUS status = prepare(&lookup, pci, ipv6);
  if(!EFI_ERROR(status)) {
    status = ask(transfer, &lookup);
  }
  if(lookup.dns) {
    (void)lookup.dns->Configure(lookup.dns, NULL);
  }
  bool found = take_answer(&lookup, ipv6, transfer->result);
  child_close(&lookup.child);
  if(lookup.token.Event) {
    BS->CloseEvent(lookup.token.Event);
  }
  return !EFI_ERROR(status) && !found ? EFI_NOT_FOUND : status;
}

static EFI_STATUS blame(struct transfer *transfer, EFI_STATUS status) {
  const char *host = transfer->url.host;
  switch(status) {
  case EFI_ABORTED:
    return transfer_fail(transfer, status, "stopped");
  case EFI_UNSUPPORTED:
    return transfer_fail(transfer, status,
                         "this firmware has no DNS for the NIC: give the server's address instead of "
                         "'%s'",
                         host);
  case EFI_NOT_FOUND:
    return transfer_fail(transfer, status, "no name server knows an address of '%s'", host);
  case EFI_TIMEOUT:
    return transfer_fail(transfer, status, "no name server answered about '%s'", host);
  default:
    return transfer_fail(transfer, status,
                         "'%s' cannot be looked up: %s; is there a name server? Give the server's "
                         "address instead",
                         host, transfer_reason(status));
  }
}

EFI_STATUS resolve(struct transfer *transfer) {
  struct fetch_result *result = transfer->result;
  const struct url *url = &transfer->url;
  const struct pci_nic pci = {.handle = transfer->request->controller};
  result->ipv6 = url->host_kind == URL_HOST_IPV6;
  result->server = url->host_kind == URL_HOST_IPV4 ? url->ipv4 : 0;
  memset(result->server6, 0, sizeof(result->server6));
  if(url->host_kind != URL_HOST_NAME) {
    memcpy(result->server6, url->ipv6, sizeof(result->server6));
    return EFI_SUCCESS;
  }
  result->step = FETCH_NAME;
  EFI_STATUS status = lease_known(&pci).address ? look_up(transfer, &pci, false) : EFI_NO_MAPPING;
  if(EFI_ERROR(status) && status != EFI_ABORTED) {
    EFI_STATUS by_ipv6 = look_up(transfer, &pci, true);
    /* Of two that failed the one is told that got further. */
    status = !EFI_ERROR(by_ipv6) || by_ipv6 == EFI_ABORTED || status == EFI_NO_MAPPING ? by_ipv6 : status;
  }
  return EFI_ERROR(status) ? blame(transfer, status) : EFI_SUCCESS;
}
