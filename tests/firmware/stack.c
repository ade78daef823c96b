/* stack.c - the fake firmware's network stack on every SNP: a driver with MNP (UEFI 2.10, 25.1) and IP4Config2 (28.5).
 * It is as edk2's where netdiag can tell: children get copies, sending ends at once, SNP stays initialized. */
#include "programs_internal.h"
#include "services.h"

#include <stdlib.h>
#include <string.h>

#include "efi/ip4_config2.h"
#include "efi/managed_network.h"

#define HEADER     14U
#define FRAME_MAX  1518U
#define QUEUE_MAX  256U
#define TOKENS_MAX 16U
#define GROUPS_MAX 16U
#define POLL_100NS 100000U /* 10 ms */
#define FILTERS    (EFI_SIMPLE_NETWORK_RECEIVE_UNICAST | EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST)

/* A frame that waits for a token of the child's. */
struct frame {
  struct node node;
  UINTN length;
  UINT8 bytes[FRAME_MAX];
};

struct child {
  struct node node;
  struct node *queue; /* struct frame */
  struct stack *stack;
  EFI_HANDLE handle;
  EFI_MANAGED_NETWORK_PROTOCOL mnp;
  bool configured;
  EFI_MANAGED_NETWORK_CONFIG_DATA config;
  EFI_MAC_ADDRESS groups[GROUPS_MAX];
  UINTN group_count;
  EFI_MANAGED_NETWORK_COMPLETION_TOKEN *tokens[TOKENS_MAX]; /* that wait for a frame */
  UINTN token_count;
};

/* A frame that a child has, until it signals the event. */
struct packet {
  struct node node;
  EFI_MANAGED_NETWORK_RECEIVE_DATA data;
  EFI_MANAGED_NETWORK_COMPLETION_TOKEN *token; /* that ends when it was sent, or NULL */
  const struct child *sender;
  UINT8 bytes[FRAME_MAX];
};

struct stack {
  struct node node;
  EFI_HANDLE handle; /* that SNP is on */
  EFI_SIMPLE_NETWORK_PROTOCOL *snp;
  EFI_SERVICE_BINDING service;
  EFI_IP4_CONFIG2_PROTOCOL config;
  EFI_EVENT timer;
  struct node *children;
  struct node *packets;
  struct node *sending; /* struct packet: buffers that SNP has */
  UINT32 address;       /* another one than settings->address, or 0 */
  UINT32 manual[3];     /* address, mask and gateway that SetData brought; a change of the policy forgets them */
  UINT32 servers[6];    /* the same of name servers, as many as are not 0                                      */
  bool asking;          /* the DHCP client runs */
  UINT64 asked_us;
};

static EFI_GUID binding_guid = EFI_DRIVER_BINDING_PROTOCOL_GUID;
static EFI_GUID snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
static EFI_GUID service_guid = EFI_MANAGED_NETWORK_SERVICE_BINDING_PROTOCOL_GUID;
static EFI_GUID mnp_guid = EFI_MANAGED_NETWORK_PROTOCOL_GUID;
static EFI_GUID config_guid = EFI_IP4_CONFIG2_PROTOCOL_GUID;

static struct stack_config *settings;
static EFI_HANDLE driver;
static struct node *stacks;
static bool dhcp_policy;
static UINTN policies_set;

/* MNP: receiving --------------------------------------------------------------------------------------------------- */

static VOID EFIAPI recycle(EFI_EVENT event, VOID *context) {
  for(struct node *node = stacks; node; node = node->next) {
    struct stack *stack = (struct stack *)node;
    if(node_is_on(stack->packets, context)) {
      node_drop(&stack->packets, context);
    }
  }
  programs_drop_event(event);
}

static void finish(EFI_MANAGED_NETWORK_COMPLETION_TOKEN *token, EFI_STATUS status) {
  token->Status = status;
  (void)BS->SignalEvent(token->Event);
}

/* The oldest frame to the oldest token, as long as there are both. */
static void deliver(struct child *child) {
  while(child->queue && child->token_count > 0) {
    EFI_MANAGED_NETWORK_COMPLETION_TOKEN *token = child->tokens[0];
    memmove(child->tokens, child->tokens + 1, --child->token_count * sizeof(child->tokens[0]));
    struct packet *packet = node_new(&child->stack->packets, sizeof(*packet));
    const struct frame *frame = (const struct frame *)child->queue;
    memcpy(packet->bytes, frame->bytes, frame->length);
    packet->data = (EFI_MANAGED_NETWORK_RECEIVE_DATA){
        .RecycleEvent = programs_event(EVT_NOTIFY_SIGNAL, TPL_NOTIFY, recycle, packet),
        .PacketLength = (UINT32)frame->length,
        .HeaderLength = HEADER,
        .AddressLength = 6,
        .DataLength = (UINT32)(frame->length - HEADER),
        .BroadcastFlag = (packet->bytes[0] & 1U) != 0,
        .ProtocolType = (UINT16)(packet->bytes[12] << 8 | packet->bytes[13]),
        .DestinationAddress = packet->bytes,
        .SourceAddress = packet->bytes + 6,
        .MediaHeader = packet->bytes,
        .PacketData = packet->bytes + HEADER,
    };
    node_drop(&child->queue, child->queue);
    token->Packet.RxData = &packet->data;
    finish(token, EFI_SUCCESS);
  }
}

static void drop_queue(struct child *child) {
  while(child->queue) {
    node_drop(&child->queue, child->queue);
  }
}

/* What the child asked for, as edk2's MNP judges it. */
static bool wants(const struct child *child, const UINT8 *bytes) {
  const EFI_MANAGED_NETWORK_CONFIG_DATA *config = &child->config;
  bool broadcast = memcmp(bytes, "\xFF\xFF\xFF\xFF\xFF\xFF", 6) == 0;
  if(config->EnablePromiscuousReceive || (broadcast && config->EnableBroadcastReceive)) {
    return true;
  }
  if(!(bytes[0] & 1U)) {
    return config->EnableUnicastReceive && memcmp(bytes, child->stack->snp->Mode->CurrentAddress.Addr, 6) == 0;
  }
  for(UINTN i = 0; config->EnableMulticastReceive && i < child->group_count; i++) {
    if(memcmp(bytes, child->groups[i].Addr, 6) == 0) {
      return true;
    }
  }
  return false;
}

/* SNP lets through what any child wants. */
static EFI_STATUS set_filters(struct stack *stack) {
  EFI_MAC_ADDRESS list[MAX_MCAST_FILTER_CNT];
  UINT32 enable = FILTERS;
  UINTN count = 0;
  for(struct node *node = stack->children; node; node = node->next) {
    const struct child *child = (const struct child *)node;
    for(UINTN i = 0; child->configured && i < child->group_count && count < MAX_MCAST_FILTER_CNT; i++) {
      list[count++] = child->groups[i];
    }
    if(child->configured && child->config.EnablePromiscuousReceive) {
      enable |= EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS;
    }
  }
  enable |= count > 0 ? EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST : 0U;
  UINT32 all = FILTERS | EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST | EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS;
  return stack->snp->ReceiveFilters(stack->snp, enable, all & ~enable & stack->snp->Mode->ReceiveFilterMask, count == 0,
                                    count, count > 0 ? list : NULL);
}

static void give(struct child *child, const UINT8 *bytes, UINTN length) {
  /* a VLAN tag, or a priority alone: not for a child that is configured for no VLAN */
  bool tagged = bytes[12] == 0x81 && bytes[13] == 0;
  if(child->configured && !tagged && wants(child, bytes) && node_count(child->queue) < QUEUE_MAX) {
    struct frame *frame = node_new(&child->queue, sizeof(*frame));
    frame->length = length;
    memcpy(frame->bytes, bytes, length);
    deliver(child);
  }
}

/* Looks for what SNP has sent and received. */
static void poll(struct stack *stack) {
  UINT8 frame[FRAME_MAX];
  UINTN size = sizeof(frame);
  VOID *sent = NULL;
  while(!EFI_ERROR(stack->snp->GetStatus(stack->snp, NULL, &sent)) && sent) {
    struct packet *packet = (struct packet *)((UINT8 *)sent - offsetof(struct packet, bytes));
    if(!node_is_on(stack->sending, packet)) {
      firmware_abort("GetStatus: a buffer that was not sent", sent);
    }
    if(packet->token) {
      finish(packet->token, EFI_SUCCESS);
    }
    node_drop(&stack->sending, packet);
  }
  while(!EFI_ERROR(stack->snp->Receive(stack->snp, NULL, &size, frame, NULL, NULL, NULL))) {
    for(struct node *node = stack->children; node; node = node->next) {
      give((struct child *)node, frame, size);
    }
    size = sizeof(frame);
  }
}

static VOID EFIAPI on_timer(EFI_EVENT event, VOID *context) {
  (void)event;
  poll(context);
}

/* MNP: a child's functions ----------------------------------------------------------------------------------------- */

static struct child *child_of(EFI_MANAGED_NETWORK_PROTOCOL *mnp) {
  for(struct node *stack = stacks; stack; stack = stack->next) {
    struct child *child = (struct child *)((UINT8 *)mnp - offsetof(struct child, mnp));
    if(node_is_on(((struct stack *)stack)->children, child)) {
      return child;
    }
  }
  firmware_abort("no such MNP child", mnp);
}

static EFI_STATUS EFIAPI mnp_cancel(EFI_MANAGED_NETWORK_PROTOCOL *this, EFI_MANAGED_NETWORK_COMPLETION_TOKEN *token) {
  check_service("Mnp.Cancel", TPL_CALLBACK);
  struct child *child = child_of(this);
  if(token) {
    firmware_abort("Mnp.Cancel: one token alone is not modelled", token);
  }
  while(child->token_count > 0) {
    finish(child->tokens[--child->token_count], EFI_ABORTED);
  }
  for(struct node *node = child->stack->sending; node; node = node->next) {
    struct packet *packet = (struct packet *)node;
    if(packet->token && packet->sender == child) {
      finish(packet->token, EFI_ABORTED);
      packet->token = NULL;
    }
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI mnp_configure(EFI_MANAGED_NETWORK_PROTOCOL *this, EFI_MANAGED_NETWORK_CONFIG_DATA *config) {
  struct child *child = child_of(this);
  if(!config) {
    check_service("Mnp.Configure(NULL)", TPL_CALLBACK);
    (void)mnp_cancel(this, NULL);
    drop_queue(child);
    bool was_configured = child->configured;
    child->configured = false;
    child->group_count = 0;
    if(was_configured) {
      (void)set_filters(child->stack);
    }
    return EFI_SUCCESS;
  }
  if(fails("Mnp.Configure", TPL_CALLBACK)) {
    return EFI_OUT_OF_RESOURCES;
  }
  child->config = *config;
  child->configured = true;
  EFI_STATUS status = set_filters(child->stack);
  child->configured = !EFI_ERROR(status);
  return EFI_ERROR(status) ? EFI_DEVICE_ERROR : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI mnp_groups(EFI_MANAGED_NETWORK_PROTOCOL *this, BOOLEAN join, EFI_MAC_ADDRESS *address) {
  struct child *child = child_of(this);
  if(fails("Mnp.Groups", TPL_CALLBACK)) {
    return EFI_OUT_OF_RESOURCES;
  }
  if(!child->configured) {
    return EFI_NOT_STARTED;
  }
  if(!join || !address || !(address->Addr[0] & 1U) || !child->config.EnableMulticastReceive) {
    firmware_abort("Mnp.Groups: not modelled", address);
  }
  if(child->group_count == GROUPS_MAX) {
    return EFI_OUT_OF_RESOURCES;
  }
  child->groups[child->group_count++] = *address;
  return set_filters(child->stack);
}

static EFI_STATUS EFIAPI mnp_receive(EFI_MANAGED_NETWORK_PROTOCOL *this, EFI_MANAGED_NETWORK_COMPLETION_TOKEN *token) {
  struct child *child = child_of(this);
  if(fails("Mnp.Receive", TPL_CALLBACK)) {
    return EFI_OUT_OF_RESOURCES;
  }
  if(!child->configured) {
    return EFI_NOT_STARTED;
  }
  if(child->token_count == TOKENS_MAX) {
    return EFI_OUT_OF_RESOURCES;
  }
  for(UINTN i = 0; i < child->token_count; i++) {
    if(child->tokens[i] == token) {
      return EFI_ACCESS_DENIED;
    }
  }
  token->Status = EFI_NOT_READY;
  child->tokens[child->token_count++] = token;
  deliver(child);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI mnp_transmit(EFI_MANAGED_NETWORK_PROTOCOL *this, EFI_MANAGED_NETWORK_COMPLETION_TOKEN *token) {
  struct child *child = child_of(this);
  struct stack *stack = child->stack;
  if(fails("Mnp.Transmit", TPL_CALLBACK)) {
    return EFI_NOT_READY;
  }
  if(!child->configured) {
    return EFI_NOT_STARTED;
  }
  const EFI_MANAGED_NETWORK_TRANSMIT_DATA *data = token->Packet.TxData;
  UINTN length = data->FragmentTable[0].FragmentLength;
  /* UEFI 2.10, 25.1.2 Transmit: lengths that disagree, or a header in the buffer and addresses beside it */
  if(data->FragmentCount != 1 || data->DestinationAddress || data->SourceAddress || data->HeaderLength != HEADER ||
     data->DataLength + HEADER != length || length > FRAME_MAX) {
    return EFI_INVALID_PARAMETER;
  }
  struct packet *packet = node_new(&stack->sending, sizeof(*packet));
  memcpy(packet->bytes, data->FragmentTable[0].FragmentBuffer, length);
  EFI_STATUS status = stack->snp->Transmit(stack->snp, 0, length, packet->bytes, NULL, NULL, NULL);
  if(EFI_ERROR(status)) {
    node_drop(&stack->sending, packet);
    return status == EFI_NOT_READY ? EFI_NOT_READY : EFI_DEVICE_ERROR;
  }
  if(settings->sends_late) {
    packet->token = token;
    packet->sender = child;
  } else {
    finish(token, EFI_SUCCESS);
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI mnp_poll(EFI_MANAGED_NETWORK_PROTOCOL *this) {
  check_service("Mnp.Poll", TPL_CALLBACK);
  struct child *child = child_of(this);
  if(!child->configured) {
    return EFI_NOT_STARTED;
  }
  EFI_TPL tpl = BS->RaiseTPL(TPL_CALLBACK);
  poll(child->stack);
  BS->RestoreTPL(tpl);
  return EFI_SUCCESS;
}

/* Service binding -------------------------------------------------------------------------------------------------- */

static EFI_STATUS EFIAPI create_child(EFI_SERVICE_BINDING *this, EFI_HANDLE *handle) {
  struct stack *stack = (struct stack *)((UINT8 *)this - offsetof(struct stack, service));
  if(fails("Mnp.CreateChild", TPL_CALLBACK)) {
    return EFI_OUT_OF_RESOURCES;
  }
  struct child *child = node_new(&stack->children, sizeof(*child));
  child->stack = stack;
  child->mnp = (EFI_MANAGED_NETWORK_PROTOCOL){.Configure = mnp_configure,
                                              .Groups = mnp_groups,
                                              .Transmit = mnp_transmit,
                                              .Receive = mnp_receive,
                                              .Cancel = mnp_cancel,
                                              .Poll = mnp_poll};
  if(EFI_ERROR(install_protocol(&child->handle, &mnp_guid, &child->mnp))) {
    abort();
  }
  *handle = child->handle;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI destroy_child(EFI_SERVICE_BINDING *this, EFI_HANDLE handle) {
  struct stack *stack = (struct stack *)((UINT8 *)this - offsetof(struct stack, service));
  check_service("Mnp.DestroyChild", TPL_CALLBACK);
  for(struct node *node = stack->children; node; node = node->next) {
    struct child *child = (struct child *)node;
    if(child->handle == handle) {
      (void)mnp_cancel(&child->mnp, NULL);
      drop_queue(child);
      if(child->configured) {
        child->configured = false;
        (void)set_filters(child->stack);
      }
      (void)uninstall_protocol(handle, &mnp_guid, &child->mnp);
      node_drop(&stack->children, child);
      return EFI_SUCCESS;
    }
  }
  firmware_abort("Mnp.DestroyChild: no child of this NIC's", handle);
}

UINTN stack_children(void) {
  UINTN count = 0;
  for(const struct node *node = stacks; node; node = node->next) {
    count += node_count(((const struct stack *)node)->children);
  }
  return count;
}

/* IP4Config2 ------------------------------------------------------------------------------------------------------- */

static void put_address(EFI_IPv4_ADDRESS *out, UINT32 address) {
  for(UINTN i = 0; i < 4; i++) {
    out->Addr[i] = (UINT8)(address >> (24U - 8U * i));
  }
}

static bool leased(const struct stack *stack) {
  return dhcp_policy && stack->asking && settings->dhcp_address &&
         firmware.now_us >= stack->asked_us + settings->dhcp_delay_us;
}

/* Address (0), mask (1) or gateway (2) that was set by hand and is in force. */
static UINT32 by_hand(const struct stack *stack, UINTN which) {
  const UINT32 configured[3] = {stack->address ? stack->address : settings->address, settings->mask, settings->gateway};
  return dhcp_policy ? 0 : stack->manual[0] ? stack->manual[which] : configured[which];
}

/* EFI_NOT_FOUND where nothing was set by hand. */
static EFI_STATUS manual_data(const struct stack *stack, UINTN first, UINTN count, UINTN *size,
                              EFI_IPv4_ADDRESS *data) {
  UINTN room = *size;
  *size = count * sizeof(*data);
  if(!by_hand(stack, first) || *size > room) {
    return by_hand(stack, first) ? EFI_BUFFER_TOO_SMALL : EFI_NOT_FOUND;
  }
  for(UINTN i = 0; i < count; i++) {
    put_address(&data[i], by_hand(stack, first + i));
  }
  return EFI_SUCCESS;
}

static EFI_STATUS set_manual(UINT32 *manual, UINTN count, UINTN size, const EFI_IPv4_ADDRESS *data) {
  if(dhcp_policy || size != count * sizeof(*data)) {
    return dhcp_policy ? EFI_WRITE_PROTECTED : EFI_BAD_BUFFER_SIZE;
  }
  for(UINTN i = 0; i < count; i++) {
    manual[i] =
        (UINT32)data[i].Addr[0] << 24 | (UINT32)data[i].Addr[1] << 16 | (UINT32)data[i].Addr[2] << 8 | data[i].Addr[3];
  }
  return EFI_SUCCESS;
}

/* The routes lie behind the structure, in the caller's buffer, as edk2 puts them. */
static EFI_STATUS interface_info(const struct stack *stack, UINTN *size, VOID *data) {
  struct {
    EFI_IP4_CONFIG2_INTERFACE_INFO info;
    EFI_IP4_ROUTE_TABLE routes[2];
  } *all = data;
  UINTN room = *size;
  *size = sizeof(*all);
  if(room < sizeof(*all)) {
    return EFI_BUFFER_TOO_SMALL;
  }
  bool lease = leased(stack);
  UINT32 address = lease ? settings->dhcp_address : by_hand(stack, 0);
  UINT32 mask = lease ? settings->dhcp_mask : by_hand(stack, 1);
  UINT32 gateway = by_hand(stack, 2);
  if(lease && firmware.now_us >= stack->asked_us + settings->dhcp_delay_us + settings->gateway_delay_us) {
    gateway = settings->dhcp_gateway;
  }
  memset(all, 0, sizeof(*all));
  all->info.IfType = 1;
  all->info.HwAddressSize = 6;
  all->info.HwAddress = stack->snp->Mode->CurrentAddress;
  put_address(&all->info.StationAddress, address);
  put_address(&all->info.SubnetMask, mask);
  all->info.RouteTable = all->routes;
  if(address) {
    EFI_IP4_ROUTE_TABLE *own = &all->routes[all->info.RouteTableSize++];
    put_address(&own->SubnetAddress, address & mask);
    put_address(&own->SubnetMask, mask);
  }
  if(address && gateway) {
    put_address(&all->routes[all->info.RouteTableSize++].GatewayAddress, gateway);
  }
  return EFI_SUCCESS;
}

/* EFI_NOT_FOUND for none, and the size that is needed when it is more (UEFI 2.10, 28.5). */
static EFI_STATUS dns_servers(const struct stack *stack, UINTN *size, EFI_IPv4_ADDRESS *data) {
  const UINT32 *dns = stack->servers[0] ? stack->servers : settings->dns;
  UINTN count = 0;
  while(count < sizeof(settings->dns) / sizeof(settings->dns[0]) && dns[count]) {
    count++;
  }
  UINTN room = *size;
  *size = count * sizeof(*data);
  if(count == 0 || *size > room) {
    return count == 0 ? EFI_NOT_FOUND : EFI_BUFFER_TOO_SMALL;
  }
  for(UINTN i = 0; i < count; i++) {
    put_address(&data[i], dns[i]);
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_data(EFI_IP4_CONFIG2_PROTOCOL *this, EFI_IP4_CONFIG2_DATA_TYPE type, UINTN *size,
                                  VOID *data) {
  const struct stack *stack = (const struct stack *)((UINT8 *)this - offsetof(struct stack, config));
  if(fails("Ip4Config2.GetData", TPL_CALLBACK)) {
    return EFI_NOT_READY;
  }
  if(type == Ip4Config2DataTypeInterfaceInfo) {
    return interface_info(stack, size, data);
  }
  if(type == Ip4Config2DataTypeDnsServer) {
    return dns_servers(stack, size, data);
  }
  if(type == Ip4Config2DataTypeManualAddress) {
    return manual_data(stack, 0, 2, size, data);
  }
  if(type == Ip4Config2DataTypeGateway) {
    return manual_data(stack, 2, 1, size, data);
  }
  if(type != Ip4Config2DataTypePolicy || *size < sizeof(EFI_IP4_CONFIG2_POLICY)) {
    firmware_abort("Ip4Config2.GetData: not modelled", this);
  }
  *size = sizeof(EFI_IP4_CONFIG2_POLICY);
  *(EFI_IP4_CONFIG2_POLICY *)data = dhcp_policy ? Ip4Config2PolicyDhcp : Ip4Config2PolicyStatic;
  return EFI_SUCCESS;
}

/* A policy that is set already is refused, unless its DHCP client has given up: that starts again. */
static EFI_STATUS EFIAPI set_data(EFI_IP4_CONFIG2_PROTOCOL *this, EFI_IP4_CONFIG2_DATA_TYPE type, UINTN size,
                                  VOID *data) {
  struct stack *stack = (struct stack *)((UINT8 *)this - offsetof(struct stack, config));
  if(fails("Ip4Config2.SetData", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(type == Ip4Config2DataTypeManualAddress) {
    return set_manual(stack->manual, 2, size, data);
  }
  if(type == Ip4Config2DataTypeGateway) {
    return set_manual(stack->manual + 2, 1, size, data);
  }
  if(type == Ip4Config2DataTypeDnsServer &&
     size / sizeof(EFI_IPv4_ADDRESS) < sizeof(stack->servers) / sizeof(stack->servers[0])) {
    memset(stack->servers, 0, sizeof(stack->servers));
    return set_manual(stack->servers, size / sizeof(EFI_IPv4_ADDRESS), size, data);
  }
  if(type != Ip4Config2DataTypePolicy || size != sizeof(EFI_IP4_CONFIG2_POLICY)) {
    firmware_abort("Ip4Config2.SetData: not modelled", this);
  }
  bool wanted = *(EFI_IP4_CONFIG2_POLICY *)data == Ip4Config2PolicyDhcp;
  if(wanted == dhcp_policy && (!wanted || leased(stack))) {
    return EFI_ABORTED;
  }
  memset(stack->manual, 0, sizeof(stack->manual));
  memset(stack->servers, 0, sizeof(stack->servers));
  policies_set++;
  dhcp_policy = wanted;
  stack->asking = wanted;
  stack->asked_us = firmware.now_us;
  return EFI_SUCCESS;
}

void stack_address_of(const struct firmware_nic *nic, UINT32 address) {
  for(struct node *node = stacks; node; node = node->next) {
    struct stack *stack = (struct stack *)node;
    EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
    for(const struct node *p = ((struct handle *)nic->handle)->protocols; p; p = p->next) {
      const struct protocol *protocol = (const struct protocol *)p;
      for(const struct node *o = same_guid(&protocol->guid, &guid) ? protocol->opens : NULL; o; o = o->next) {
        stack->address = ((const struct open *)o)->controller == stack->handle ? address : stack->address;
      }
    }
  }
}

UINTN stack_policies_set(void) {
  return policies_set;
}

BOOLEAN stack_policy(void) {
  return dhcp_policy;
}

/* Driver binding --------------------------------------------------------------------------------------------------- */

static EFI_STATUS EFIAPI supported(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE handle, EFI_DEVICE_PATH *rest) {
  (void)this;
  (void)rest;
  return firmware_interface(handle, snp_guid) && !firmware_interface(handle, service_guid) ? EFI_SUCCESS
                                                                                           : EFI_UNSUPPORTED;
}

static void drop_stack(struct stack *stack) {
  while(stack->packets) {
    programs_drop_event(((struct packet *)stack->packets)->data.RecycleEvent);
    node_drop(&stack->packets, stack->packets);
  }
  while(stack->sending) {
    node_drop(&stack->sending, stack->sending);
  }
  while(stack->children) {
    drop_queue((struct child *)stack->children);
    node_drop(&stack->children, stack->children);
  }
  node_drop(&stacks, stack);
}

static EFI_STATUS EFIAPI start(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE handle, EFI_DEVICE_PATH *rest) {
  struct stack *stack = node_new(&stacks, sizeof(*stack));
  (void)rest;
  stack->handle = handle;
  stack->service = (EFI_SERVICE_BINDING){.CreateChild = create_child, .DestroyChild = destroy_child};
  stack->config = (EFI_IP4_CONFIG2_PROTOCOL){.SetData = set_data, .GetData = get_data};
  EFI_STATUS status = BS->OpenProtocol(handle, &snp_guid, (VOID **)&stack->snp, this->DriverBindingHandle, handle,
                                       EFI_OPEN_PROTOCOL_BY_DRIVER);
  if(EFI_ERROR(status)) {
    drop_stack(stack);
    return status;
  }
  status = stack->snp->Start(stack->snp);
  status = EFI_ERROR(status) ? status : stack->snp->Initialize(stack->snp, 0, 0);
  status = EFI_ERROR(status) ? status : stack->snp->ReceiveFilters(stack->snp, FILTERS, 0, FALSE, 0, NULL);
  if(EFI_ERROR(status)) {
    (void)stack->snp->Shutdown(stack->snp);
    (void)stack->snp->Stop(stack->snp);
    (void)BS->CloseProtocol(handle, &snp_guid, this->DriverBindingHandle, handle);
    drop_stack(stack);
    return status;
  }
  stack->timer = programs_event(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_CALLBACK, on_timer, stack);
  ((struct event *)stack->timer)->period_us = POLL_100NS / 10U;
  ((struct event *)stack->timer)->due_us = firmware.now_us + POLL_100NS / 10U;
  (void)install_protocol(&stack->handle, &service_guid, &stack->service);
  (void)install_protocol(&stack->handle, &config_guid, &stack->config);
  stack->asking = dhcp_policy;
  stack->asked_us = firmware.now_us;
  services_start(handle);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI stop(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE handle, UINTN count, EFI_HANDLE *children) {
  (void)count;
  (void)children;
  for(struct node *node = stacks; node; node = node->next) {
    struct stack *stack = (struct stack *)node;
    if(stack->handle != handle) {
      continue;
    }
    if(stack->children) {
      firmware_abort("the NIC goes, and an MNP child is left on it", handle);
    }
    services_stop(handle);
    programs_drop_event(stack->timer);
    (void)uninstall_protocol(handle, &config_guid, &stack->config);
    (void)uninstall_protocol(handle, &service_guid, &stack->service);
    (void)stack->snp->Shutdown(stack->snp);
    (void)stack->snp->Stop(stack->snp);
    (void)BS->CloseProtocol(handle, &snp_guid, this->DriverBindingHandle, handle);
    drop_stack(stack);
    return EFI_SUCCESS;
  }
  return EFI_DEVICE_ERROR;
}

static EFI_DRIVER_BINDING_PROTOCOL binding = {.Supported = supported, .Start = start, .Stop = stop, .Version = 16};

void stack_add(struct stack_config *config) {
  settings = config;
  dhcp_policy = config->dhcp_policy;
  policies_set = 0;
  if(EFI_ERROR(install_protocol(&driver, &binding_guid, &binding))) {
    abort();
  }
  binding.DriverBindingHandle = driver;
}

void stack_remove(void) {
  while(stacks) {
    (void)firmware_disconnect(((struct stack *)stacks)->handle, driver);
  }
  if(driver) {
    (void)uninstall_protocol(driver, &binding_guid, &binding);
  }
  driver = NULL;
}

UINT32 stack_leased_address(void) {
  return stacks && leased((const struct stack *)stacks) ? settings->dhcp_address : 0;
}

void stack_end(void) {
  while(firmware.exiting && stacks) {
    drop_stack((struct stack *)stacks);
  }
  if(firmware.exiting) {
    driver = NULL;
  } else {
    stack_remove();
  }
}
