/* mnp_link.c - frames in and out beside the firmware's network stack: a child of EFI_MANAGED_NETWORK
 * on the same NIC. */
#include "mnp_link.h"

#include <string.h>

#include "efi/managed_network.h"

#define RX_TOKENS     8U
#define TX_TOKENS     64U
#define DRAIN_ROUNDS  1000U
#define DRAIN_STEP_US 1000U

static EFI_GUID binding_guid = EFI_MANAGED_NETWORK_SERVICE_BINDING_PROTOCOL_GUID;
static EFI_GUID mnp_guid = EFI_MANAGED_NETWORK_PROTOCOL_GUID;

struct rx_slot {
  struct mnp_link *link;
  BOOLEAN idle; /* MNP refused the token; mnp_link_poll offers it again */
  EFI_MANAGED_NETWORK_COMPLETION_TOKEN token;
};

struct tx_slot {
  EFI_MANAGED_NETWORK_COMPLETION_TOKEN token;
  EFI_MANAGED_NETWORK_TRANSMIT_DATA data;
  volatile BOOLEAN busy; /* between mnp_link_transmit and the token's event */
  UINT8 frame[NETDEV_MAX_TAGGED_FRAME];
};

struct mnp_link {
  EFI_SERVICE_BINDING *binding;
  EFI_MANAGED_NETWORK_PROTOCOL *mnp;
  EFI_HANDLE child;
  struct netdev_client client;
  BOOLEAN closing;
  struct rx_slot rx[RX_TOKENS];
  struct tx_slot tx[TX_TOKENS];
};

/* Tokens' events ------------------------------------------------------------------------------------------------- */

static void deliver(struct mnp_link *link, const EFI_MANAGED_NETWORK_RECEIVE_DATA *data) {
  UINT8 bytes[NETDEV_MAX_TAGGED_FRAME];
  if(data->HeaderLength <= sizeof(bytes) && data->DataLength <= sizeof(bytes) - data->HeaderLength) {
    const struct netdev_frame frame = {.data = bytes, .length = data->HeaderLength + data->DataLength};
    memcpy(bytes, data->MediaHeader, data->HeaderLength);
    memcpy(bytes + data->HeaderLength, data->PacketData, data->DataLength);
    link->client.receive(link->client.ctx, &frame);
  }
}

static void offer(struct rx_slot *slot) {
  slot->idle = EFI_ERROR(slot->link->mnp->Receive(slot->link->mnp, &slot->token));
}

static VOID EFIAPI on_received(EFI_EVENT event, VOID *context) {
  struct rx_slot *slot = context;
  (void)event;
  if(slot->token.Status == EFI_SUCCESS) {
    EFI_MANAGED_NETWORK_RECEIVE_DATA *data = slot->token.Packet.RxData;
    if(!slot->link->closing) {
      deliver(slot->link, data);
    }
    BS->SignalEvent(data->RecycleEvent);
  }
  if(!slot->link->closing) {
    offer(slot);
  }
}

static VOID EFIAPI on_sent(EFI_EVENT event, VOID *context) {
  struct tx_slot *slot = context;
  (void)event;
  slot->busy = FALSE;
}

/* Open and close ------------------------------------------------------------------------------------------------- */

static EFI_STATUS make_events(struct mnp_link *link) {
  EFI_STATUS status = EFI_SUCCESS;
  for(UINTN i = 0; i < RX_TOKENS && !EFI_ERROR(status); i++) {
    link->rx[i].link = link;
    status = BS->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, on_received, &link->rx[i], &link->rx[i].token.Event);
  }
  for(UINTN i = 0; i < TX_TOKENS && !EFI_ERROR(status); i++) {
    status = BS->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, on_sent, &link->tx[i], &link->tx[i].token.Event);
  }
  return status;
}

/* Whom switches and routers speak to, and who answers must not miss. The last one is made of our own address. */
static void join_groups(const struct mnp_link *link, EFI_HANDLE snp_handle) {
  static const UINT8 groups[][6] = {
      {0x01, 0x80, 0xC2, 0x00, 0x00, 0x00}, /* spanning tree; LLDP beyond bridges (802.1AB 7.1) */
      {0x01, 0x80, 0xC2, 0x00, 0x00, 0x03}, /* LLDP up to the next bridge that is no relay      */
      {0x01, 0x80, 0xC2, 0x00, 0x00, 0x0E}, /* LLDP                                             */
      {0x01, 0x00, 0x0C, 0xCC, 0xCC, 0xCC}, /* CDP                                              */
      {0x01, 0x00, 0x0C, 0xCC, 0xCC, 0xCD}, /* spanning tree per VLAN                           */
      {0x33, 0x33, 0x00, 0x00, 0x00, 0x01}, /* IPv6, all nodes (RFC 2464 7)                     */
      {0x33, 0x33, 0xFF, 0x00, 0x00, 0x00}, /* IPv6, who asks for our link-local address        */
  };
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  const EFI_SIMPLE_NETWORK *snp;
  EFI_STATUS status = BS->HandleProtocol(snp_handle, &guid, (VOID **)&snp);
  for(UINTN i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
    EFI_MAC_ADDRESS address = {{0}};
    memcpy(address.Addr, groups[i], sizeof(groups[i]));
    if(i + 1U == sizeof(groups) / sizeof(groups[0]) && !EFI_ERROR(status)) {
      memcpy(address.Addr + 3, snp->Mode->CurrentAddress.Addr + 3, 3);
    }
    (void)link->mnp->Groups(link->mnp, TRUE, &address); /* one that is refused is one that is not heard */
  }
}

static EFI_STATUS configure(struct mnp_link *link, EFI_HANDLE snp_handle, BOOLEAN listen) {
  EFI_MANAGED_NETWORK_CONFIG_DATA config = {
      .ProtocolTypeFilter = 0, /* every type */
      .EnableUnicastReceive = TRUE,
      .EnableBroadcastReceive = TRUE,
      .EnableMulticastReceive = listen,
      .EnablePromiscuousReceive = listen,
  };
  EFI_STATUS status = link->binding->CreateChild(link->binding, &link->child);
  if(EFI_ERROR(status)) {
    link->child = NULL;
    return status;
  }
  status = BS->HandleProtocol(link->child, &mnp_guid, (VOID **)&link->mnp);
  if(!EFI_ERROR(status)) {
    status = link->mnp->Configure(link->mnp, &config);
  }
  if(EFI_ERROR(status) && link->mnp && listen) { /* not every NIC can hear everything */
    config.EnablePromiscuousReceive = FALSE;
    status = link->mnp->Configure(link->mnp, &config);
  }
  if(!EFI_ERROR(status) && listen) {
    join_groups(link, snp_handle);
  }
  return status;
}

EFI_STATUS mnp_link_receive(struct mnp_link *link, const struct netdev_client *client) {
  EFI_STATUS status = EFI_SUCCESS;
  link->client = *client;
  for(UINTN i = 0; i < RX_TOKENS && !EFI_ERROR(status); i++) {
    status = link->mnp->Receive(link->mnp, &link->rx[i].token);
  }
  return status;
}

EFI_STATUS mnp_link_open(struct mnp_link **out, EFI_HANDLE snp_handle, BOOLEAN listen) {
  EFI_SERVICE_BINDING *binding;
  if(EFI_ERROR(BS->HandleProtocol(snp_handle, &binding_guid, (VOID **)&binding))) {
    return EFI_UNSUPPORTED;
  }
  struct mnp_link *link = AllocateZeroPool(sizeof(*link));
  if(!link) {
    return EFI_OUT_OF_RESOURCES;
  }
  link->binding = binding;
  EFI_STATUS status = make_events(link);
  if(!EFI_ERROR(status)) {
    status = configure(link, snp_handle, listen);
  }
  if(EFI_ERROR(status)) {
    mnp_link_close(link);
    return status;
  }
  *out = link;
  return EFI_SUCCESS;
}

static BOOLEAN still_sending(const struct mnp_link *link) {
  for(UINTN i = 0; i < TX_TOKENS; i++) {
    if(link->tx[i].busy) {
      return TRUE;
    }
  }
  return FALSE;
}

void mnp_link_close(struct mnp_link *link) {
  if(!link) {
    return;
  }
  link->closing = TRUE;
  for(UINTN i = 0; link->mnp && still_sending(link) && i < DRAIN_ROUNDS; i++) {
    (void)link->mnp->Poll(link->mnp);
    BS->Stall(DRAIN_STEP_US);
  }
  if(link->mnp) {
    (void)link->mnp->Cancel(link->mnp, NULL);
    (void)link->mnp->Configure(link->mnp, NULL);
  }
  if(link->child) {
    (void)link->binding->DestroyChild(link->binding, link->child);
  }
  for(UINTN i = 0; i < RX_TOKENS; i++) {
    if(link->rx[i].token.Event) {
      BS->CloseEvent(link->rx[i].token.Event);
    }
  }
  for(UINTN i = 0; i < TX_TOKENS; i++) {
    if(link->tx[i].token.Event) {
      BS->CloseEvent(link->tx[i].token.Event);
    }
  }
  FreePool(link);
}

/* Frames --------------------------------------------------------------------------------------------------------- */

static int transmit(struct mnp_link *link, const void *frame, size_t length) {
  struct tx_slot *slot = NULL;
  for(UINTN i = 0; i < TX_TOKENS && !slot; i++) {
    slot = link->tx[i].busy ? NULL : &link->tx[i];
  }
  if(!slot) {
    return NETDEV_E_BUSY;
  }
  memcpy(slot->frame, frame, length);
  /* The frame carries its header, so MNP is given none of the addresses. */
  slot->data = (EFI_MANAGED_NETWORK_TRANSMIT_DATA){
      .DataLength = (UINT32)(length - NETDEV_HEADER_LENGTH),
      .HeaderLength = NETDEV_HEADER_LENGTH,
      .FragmentCount = 1,
      .FragmentTable = {{(UINT32)length, slot->frame}},
  };
  slot->token.Packet.TxData = &slot->data;
  slot->busy = TRUE;
  EFI_STATUS status = link->mnp->Transmit(link->mnp, &slot->token);
  if(EFI_ERROR(status)) {
    slot->busy = FALSE;
    return status == EFI_NOT_READY ? NETDEV_E_BUSY : NETDEV_E_STATE;
  }
  return NETDEV_OK;
}

int mnp_link_transmit(struct mnp_link *link, const void *frame, size_t length) {
  if(length < NETDEV_HEADER_LENGTH || length > NETDEV_MAX_TAGGED_FRAME) {
    return NETDEV_E_INVALID;
  }
  EFI_TPL tpl = BS->RaiseTPL(TPL_CALLBACK);
  int result = transmit(link, frame, length);
  BS->RestoreTPL(tpl);
  return result;
}

void mnp_link_poll(struct mnp_link *link) {
  EFI_TPL tpl = BS->RaiseTPL(TPL_CALLBACK);
  for(UINTN i = 0; i < RX_TOKENS; i++) {
    if(link->rx[i].idle) {
      offer(&link->rx[i]);
    }
  }
  BS->RestoreTPL(tpl);
  (void)link->mnp->Poll(link->mnp);
}
