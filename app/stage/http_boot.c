/* http_boot.c - what DHCP tells a client of UEFI's HTTP boot: an address, and the URL of a boot file. */
#include "http_boot.h"

#include <string.h>

#include "../../driver/efi/clock.h"
#include "../../driver/lib/dhcp.h"
#include "../console.h"
#include "../session/below.h"
#include "../session/child.h"
#include "../session/ip4_policy.h"
#include "bootp.h"
#include "efi/dhcp4.h"
#include "transfer.h"

#define POLL_US      50000U
#define WAIT_US      40000000U /* more than the firmware's client takes to give up by the times below */
#define OPTIONS      3U
#define OPTION_SIZE  64U
#define MESSAGE_SIZE 1472U /* longer ones are not read */

static EFI_GUID service_guid = EFI_DHCP4_SERVICE_BINDING_PROTOCOL_GUID;
static EFI_GUID protocol_guid = EFI_DHCP4_PROTOCOL_GUID;
static EFI_GUID config_guid = EFI_IP4_CONFIG2_PROTOCOL_GUID;

struct asking {
  struct child child;
  EFI_DHCP4_PROTOCOL *dhcp;
  EFI_EVENT event;
  volatile BOOLEAN finished;
  volatile BOOLEAN answered; /* some server offered something */
  volatile BOOLEAN named;    /* one offered a URL             */
  volatile BOOLEAN over;     /* the firmware would take one that has none: edk2 goes on asking, and we do not */
};

/* Offers, at TPL_CALLBACK ---------------------------------------------------------------------------------------- */

/* Whether it gives an address and a URL for this kind of client. */
static BOOLEAN is_wanted(const EFI_DHCP4_PACKET *packet, char url[URL_TEXT_SIZE]) {
  struct dhcp_offer offer;
  return packet->Length <= MESSAGE_SIZE && dhcp_parse(packet->Message, packet->Length, &offer) && offer.address != 0 &&
         dhcp_is_http(&offer) && bootp_url(packet->Message, packet->Length, url);
}

static EFI_STATUS EFIAPI on_event(EFI_DHCP4_PROTOCOL *this, VOID *context, UINT32 state, EFI_DHCP4_EVENT event,
                                  EFI_DHCP4_PACKET *packet, EFI_DHCP4_PACKET **new_packet) {
  struct asking *asking = context;
  char url[URL_TEXT_SIZE];
  (void)this;
  (void)state;
  (void)new_packet;
  if((event != Dhcp4RcvdOffer && event != Dhcp4SelectOffer) || !packet) {
    return EFI_SUCCESS;
  }
  asking->answered = TRUE;
  if(is_wanted(packet, url)) {
    asking->named = TRUE;
    return EFI_SUCCESS;
  }
  asking->over = event == Dhcp4SelectOffer;
  return event == Dhcp4RcvdOffer ? EFI_NOT_READY : EFI_ABORTED;
}

/* Asking --------------------------------------------------------------------------------------------------------- */

struct options {
  _Alignas(EFI_DHCP4_PACKET_OPTION) UINT8 bytes[OPTIONS][OPTION_SIZE];
  EFI_DHCP4_PACKET_OPTION *list[OPTIONS];
};

static void add(struct options *options, UINTN at, UINT8 code, const void *data, UINTN length) {
  EFI_DHCP4_PACKET_OPTION *option = (EFI_DHCP4_PACKET_OPTION *)options->bytes[at];
  option->OpCode = code;
  option->Length = (UINT8)length;
  memcpy(options->bytes[at] + offsetof(EFI_DHCP4_PACKET_OPTION, Data), data, length);
  options->list[at] = option;
}

/* What tells the client apart: its class (60) and architecture (93, RFC 4578), and what it wants to know (55). */
static void make_options(struct options *options, const UINT8 mac[6]) {
  static const UINT8 wanted[] = {1, 3, 6, 15, 28, 43, 51, 54, 60, 66, 67};
  struct dhcp_client client = {.kind = DHCP_HTTP, .machine = DHCP_MACHINE};
  char class[DHCP_CLASS_SIZE];
  UINT16 arch = dhcp_arch(DHCP_HTTP, DHCP_MACHINE);
  const UINT8 arch_bytes[2] = {(UINT8)(arch >> 8), (UINT8)arch};
  memcpy(client.mac, mac, sizeof(client.mac));
  size_t class_length = dhcp_vendor_class(&client, class);
  add(options, 0, 60, class, class_length);
  add(options, 1, 93, arch_bytes, sizeof(arch_bytes));
  add(options, 2, 55, wanted, sizeof(wanted));
}

static EFI_STATUS wait(struct asking *asking) {
  UINT64 deadline_us = efi_clock_us() + WAIT_US;
  while(!asking->finished && !asking->over) {
    if(console_aborted()) {
      return EFI_ABORTED;
    }
    if(efi_clock_us() >= deadline_us) {
      return asking->answered && !asking->named ? EFI_NOT_FOUND : EFI_TIMEOUT;
    }
    BS->Stall(POLL_US);
  }
  return EFI_SUCCESS;
}

static EFI_STATUS exchange(struct asking *asking, const UINT8 mac[6]) {
  UINT32 discover_s[] = {4, 8, 8};
  UINT32 request_s[] = {2, 4, 4};
  struct options options;
  memset(&options, 0, sizeof(options));
  make_options(&options, mac);
  EFI_DHCP4_CONFIG_DATA config = {.DiscoverTryCount = sizeof(discover_s) / sizeof(discover_s[0]),
                                  .DiscoverTimeout = discover_s,
                                  .RequestTryCount = sizeof(request_s) / sizeof(request_s[0]),
                                  .RequestTimeout = request_s,
                                  .Dhcp4Callback = on_event,
                                  .CallbackContext = asking,
                                  .OptionCount = OPTIONS,
                                  .OptionList = options.list};
  EFI_STATUS status =
      BS->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, transfer_signal, (VOID *)&asking->finished, &asking->event);
  if(EFI_ERROR(status)) {
    asking->event = NULL;
    return status;
  }
  status = asking->dhcp->Configure(asking->dhcp, &config);
  if(!EFI_ERROR(status)) {
    status = asking->dhcp->Start(asking->dhcp, asking->event);
  }
  return EFI_ERROR(status) ? status : wait(asking);
}

/* Addresses and URL of the answer that is in force. */
static EFI_STATUS take(const struct asking *asking, char url[URL_TEXT_SIZE], struct net_handoff_lease *lease) {
  EFI_DHCP4_MODE_DATA mode;
  memset(&mode, 0, sizeof(mode));
  memset(lease, 0, sizeof(*lease));
  EFI_STATUS status = asking->dhcp->GetModeData(asking->dhcp, &mode);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(mode.State != EFI_DHCP4_BOUND || !mode.ReplyPacket) {
    status = asking->named ? EFI_TIMEOUT : asking->answered ? EFI_NOT_FOUND : EFI_TIMEOUT;
  } else {
    const EFI_DHCP4_PACKET *ack = mode.ReplyPacket;
    memcpy(lease->address, mode.ClientAddress.Addr, sizeof(lease->address));
    memcpy(lease->mask, mode.SubnetMask.Addr, sizeof(lease->mask));
    bootp_lease(ack->Message, ack->Length, lease);
    lease->origin = NET_HANDOFF_LEASE_DHCP;
    status = is_wanted(ack, url) ? EFI_SUCCESS : EFI_NOT_FOUND;
  }
  if(mode.ReplyPacket) {
    FreePool(mode.ReplyPacket);
  }
  return status;
}

static void end(struct asking *asking) {
  (void)asking->dhcp->Stop(asking->dhcp);
  (void)asking->dhcp->Configure(asking->dhcp, NULL);
  child_close(&asking->child);
  if(asking->event) {
    BS->CloseEvent(asking->event);
  }
}

EFI_STATUS http_boot_ask(EFI_HANDLE controller, const UINT8 mac[6], char url[URL_TEXT_SIZE],
                         struct net_handoff_lease *lease) {
  struct asking asking;
  EFI_IP4_CONFIG2_PROTOCOL *config = below_protocol(controller, &config_guid);
  memset(&asking, 0, sizeof(asking));
  /* Under the policy DHCP the one client that may be active is the firmware's own. */
  EFI_STATUS status = config ? ip4_policy_no_dhcp(config) : EFI_SUCCESS;
  if(!EFI_ERROR(status)) {
    status = child_open(&asking.child, controller, &service_guid, &protocol_guid);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  asking.dhcp = asking.child.protocol;
  out("Asking DHCP for an address and a URL...\n");
  status = exchange(&asking, mac);
  if(!EFI_ERROR(status)) {
    status = take(&asking, url, lease);
  }
  end(&asking);
  return status;
}
