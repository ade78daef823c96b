/* resolve.c - the server's IPv4 address, by the firmware's DNS when the URL has a name. */
#include "resolve.h"

#include <string.h>

#include "../../driver/lib/bytes.h"
#include "efi/dns4.h"

#define RETRIES    3U
#define INTERVAL_S 2U

static EFI_GUID service_guid = EFI_DNS4_SERVICE_BINDING_PROTOCOL_GUID;
static EFI_GUID protocol_guid = EFI_DNS4_PROTOCOL_GUID;

struct lookup {
  struct child child;
  EFI_DNS4_PROTOCOL *dns;
  EFI_DNS4_COMPLETION_TOKEN token;
  volatile BOOLEAN finished;
};

static EFI_STATUS poll(void *ctx) {
  const struct lookup *lookup = ctx;
  return lookup->dns->Poll(lookup->dns);
}

static EFI_STATUS prepare(struct lookup *lookup, EFI_HANDLE controller) {
  EFI_DNS4_CONFIG_DATA config = {.UseDefaultSetting = TRUE,
                                 .EnableDnsCache = TRUE,
                                 .Protocol = EFI_DNS4_PROTOCOL_UDP,
                                 .RetryCount = RETRIES,
                                 .RetryInterval = INTERVAL_S};
  EFI_STATUS status = child_open(&lookup->child, controller, &service_guid, &protocol_guid);
  if(EFI_ERROR(status)) {
    return status;
  }
  lookup->dns = lookup->child.protocol;
  status = lookup->dns->Configure(lookup->dns, &config);
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

/* What the firmware allocated for the answer, and the first address of it. */
static UINT32 take_answer(struct lookup *lookup) {
  DNS_HOST_TO_ADDR_DATA *answer = lookup->token.RspData.H2AData;
  UINT32 address = 0;
  if(!answer) {
    return 0;
  }
  if(answer->IpList) {
    if(answer->IpCount > 0) {
      address = get32(answer->IpList[0].Addr);
    }
    FreePool(answer->IpList);
  }
  FreePool(answer);
  return address;
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
    return transfer_fail(transfer, status, "no name server knows an IPv4 address of '%s'", host);
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
  struct lookup lookup;
  transfer->result->server = transfer->url.host_kind == URL_HOST_IPV4 ? transfer->url.ipv4 : 0;
  if(transfer->url.host_kind != URL_HOST_NAME) {
    return EFI_SUCCESS;
  }
  memset(&lookup, 0, sizeof(lookup));
  transfer->result->step = FETCH_NAME;
  EFI_STATUS status = prepare(&lookup, transfer->request->controller);
  if(!EFI_ERROR(status)) {
    status = ask(transfer, &lookup);
  }
  if(lookup.dns) {
    (void)lookup.dns->Configure(lookup.dns, NULL);
  }
  transfer->result->server = take_answer(&lookup);
  child_close(&lookup.child);
  if(lookup.token.Event) {
    BS->CloseEvent(lookup.token.Event);
  }
  if(!EFI_ERROR(status) && transfer->result->server == 0) {
    status = EFI_NOT_FOUND;
  }
  return EFI_ERROR(status) ? blame(transfer, status) : EFI_SUCCESS;
}
