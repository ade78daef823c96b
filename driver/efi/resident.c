/* resident.c - NET_RESIDENT_PROTOCOL: what programs from other images may ask of a NIC that this driver has. */
#include "handoff_producer.h"
#include "pool.h"
#include "remote.h"
#include "snp.h"

#include <string.h>

_Static_assert(sizeof(((NET_RESIDENT_LEASE *)0)->Dns) == sizeof(((struct net_handoff_lease *)0)->dns),
               "a lease of the handoff has other name servers than the protocol's");

_Static_assert(sizeof(((NET_RESIDENT_PAYLOAD *)0)->Name) == sizeof(((struct net_handoff_payload *)0)->name),
               "a payload of the handoff has a name of another length than the protocol's");

#define INFO_MIN 8U /* Size and State */

struct resident_tap {
  struct netdev_tap tap;
  NET_RESIDENT_TAP function;
  VOID *context;
  struct resident_tap *next;
};

static EFI_STATUS EFIAPI get_info(NET_RESIDENT_PROTOCOL *this, NET_RESIDENT_INFO *info);

/* Every image has a get_info of its own, and a protocol that it made names it. */
struct snp_device *snp_from_resident(NET_RESIDENT_PROTOCOL *protocol) {
  if(protocol->Revision != NET_RESIDENT_REVISION || protocol->GetInfo != get_info) {
    return NULL;
  }
  return (struct snp_device *)((UINT8 *)protocol - offsetof(struct snp_device, resident));
}

/* NULL when it is none of ours, or boot services are left. */
static struct snp_device *from(NET_RESIDENT_PROTOCOL *this) {
  struct snp_device *snp = this ? snp_from_resident(this) : NULL;
  return snp && !snp->nic.exited ? snp : NULL;
}

/* Looking -------------------------------------------------------------------------------------------------------- */

static void copy_text(CHAR8 *to, UINTN size, const char *from_text) {
  for(UINTN i = 0; i + 1 < size && from_text[i]; i++) {
    to[i] = (CHAR8)from_text[i];
  }
}

static UINT32 handoff_state(const struct efi_nic *nic) {
  if(!nic->handoff) {
    return NET_RESIDENT_NO_HANDOFF;
  }
  return nic->handoff_entry->state == NET_HANDOFF_ARMED_LIVE ? NET_RESIDENT_HANDOFF_LIVE : NET_RESIDENT_HANDOFF_QUIET;
}

static EFI_STATUS EFIAPI get_info(NET_RESIDENT_PROTOCOL *this, NET_RESIDENT_INFO *info) {
  struct snp_device *snp = from(this);
  if(!snp || !info || info->Size < INFO_MIN) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  const struct netdev *dev = snp->nic.netdev;
  NET_RESIDENT_INFO now = {
      .Size = info->Size < sizeof(now) ? info->Size : (UINT32)sizeof(now),
      .State = dev->state == NETDEV_OPEN   ? NET_RESIDENT_OPEN
               : dev->state == NETDEV_GONE ? NET_RESIDENT_GONE
                                           : NET_RESIDENT_CLOSED,
      .LinkUp = dev->link.up,
      .FullDuplex = dev->link.full_duplex,
      .SpeedMbps = dev->link.speed_mbps,
      .Filter = dev->filter,
      .NvmWords = dev->nvm_words,
      .Handoff = handoff_state(&snp->nic),
      .Child = snp->child,
  };
  copy_text(now.Driver, sizeof(now.Driver), snp->nic.driver->name);
  copy_text(now.Model, sizeof(now.Model), dev->model);
  copy_text(now.Name, sizeof(now.Name), dev->name);
  memcpy(now.CurrentMac, dev->mac, NETDEV_MAC_LENGTH);
  memcpy(now.PermanentMac, dev->permanent_mac, NETDEV_MAC_LENGTH);
  efi_nic_unlock(tpl);
  memcpy(info, &now, now.Size);
  return EFI_SUCCESS;
}

struct visit {
  NET_RESIDENT_VISITOR visitor;
  VOID *context;
};

static void show_row(void *ctx, const struct netdev_row *row) {
  const struct visit *visit = ctx;
  const NET_RESIDENT_ROW shown = {
      .Size = sizeof(shown),
      .Group = row->group,
      .Index = row->index,
      .Count = row->count,
      .Offset = row->offset,
      .Unit = (UINT32)row->unit,
      .Flags = (row->unread ? NET_RESIDENT_ROW_UNREAD : 0) | (row->failed ? NET_RESIDENT_ROW_FAILED : 0) |
               (row->wrong ? NET_RESIDENT_ROW_WRONG : 0) | (row->clears ? NET_RESIDENT_ROW_CLEARS : 0),
      .Value = row->value,
      .Name = (const CHAR8 *)row->name,
      .Text = (const CHAR8 *)row->text,
      .Bits = (const CHAR8 *)row->bits,
      .Section = (const CHAR8 *)row->section,
  };
  visit->visitor(visit->context, &shown);
}

/* Without the lock: a visitor may print, which takes longer than a ring lasts, and the heartbeat reads a register or
 * two at the most. */
static EFI_STATUS EFIAPI inspect(NET_RESIDENT_PROTOCOL *this, UINT32 groups, NET_RESIDENT_VISITOR visitor,
                                 VOID *context) {
  struct snp_device *snp = from(this);
  struct visit visit = {visitor, context};
  if(!snp || !visitor) {
    return EFI_INVALID_PARAMETER;
  }
  return efi_status_of(netdev_inspect(snp->nic.netdev, groups, show_row, &visit));
}

static EFI_STATUS EFIAPI get_counters(NET_RESIDENT_PROTOCOL *this, UINTN *count, UINT64 *values) {
  struct snp_device *snp = from(this);
  if(!snp || !count || (*count > 0 && !values)) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  const struct netdev_stats *stats = netdev_get_stats(snp->nic.netdev);
  UINTN room = *count;
  for(UINTN i = 0; i < net_resident_counter_count && i < room; i++) {
    values[i] = *(const UINT64 *)((const UINT8 *)stats + net_resident_counters[i]);
  }
  efi_nic_unlock(tpl);
  *count = net_resident_counter_count;
  return room >= net_resident_counter_count ? EFI_SUCCESS : EFI_BUFFER_TOO_SMALL;
}

static EFI_STATUS EFIAPI peek(NET_RESIDENT_PROTOCOL *this, UINTN *size, VOID *buffer) {
  struct snp_device *snp = from(this);
  if(!snp || !size || (*size > 0 && !buffer)) {
    return EFI_INVALID_PARAMETER;
  }
  struct netdev_frame frame;
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = efi_status_of(netdev_peek(snp->nic.netdev, &frame));
  if(!EFI_ERROR(status)) {
    UINTN room = *size;
    *size = frame.length;
    if(frame.length > room) {
      status = EFI_BUFFER_TOO_SMALL;
    } else {
      memcpy(buffer, frame.data, frame.length);
    }
  }
  efi_nic_unlock(tpl);
  return status;
}

/* Taps ----------------------------------------------------------------------------------------------------------- */

static void on_frame(void *ctx, bool sent, const struct netdev_frame *frame) {
  const struct resident_tap *tap = ctx;
  tap->function(tap->context, sent ? NET_RESIDENT_SENT : NET_RESIDENT_RECEIVED, frame->data, frame->length);
}

static EFI_STATUS EFIAPI add_tap(NET_RESIDENT_PROTOCOL *this, NET_RESIDENT_TAP function, VOID *context, VOID **token) {
  struct snp_device *snp = from(this);
  if(!snp || !function || !token) {
    return EFI_INVALID_PARAMETER;
  }
  struct resident_tap *tap = pool_zero(sizeof(*tap));
  if(!tap) {
    return EFI_OUT_OF_RESOURCES;
  }
  tap->tap = (struct netdev_tap){.ctx = tap, .frame = on_frame};
  tap->function = function;
  tap->context = context;
  EFI_TPL tpl = efi_nic_lock();
  tap->next = snp->taps;
  snp->taps = tap;
  snp->nic.held.pool++;
  netdev_tap_add(snp->nic.netdev, &tap->tap);
  efi_nic_unlock(tpl);
  *token = tap;
  return EFI_SUCCESS;
}

/* A token is only compared until it is found: one that is stale points nowhere. */
static EFI_STATUS remove(struct snp_device *snp, const VOID *token) {
  EFI_TPL tpl = efi_nic_lock();
  struct resident_tap **link = &snp->taps;
  while(*link && *link != token) {
    link = &(*link)->next;
  }
  struct resident_tap *tap = *link;
  if(tap) {
    *link = tap->next;
    netdev_tap_remove(snp->nic.netdev, &tap->tap);
    snp->nic.held.pool--;
  }
  efi_nic_unlock(tpl);
  if(tap) {
    pool_free(tap);
  }
  return tap ? EFI_SUCCESS : EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI remove_tap(NET_RESIDENT_PROTOCOL *this, VOID *token) {
  struct snp_device *snp = from(this);
  return snp ? remove(snp, token) : EFI_INVALID_PARAMETER;
}

/* Handoff -------------------------------------------------------------------------------------------------------- */

static EFI_STATUS find_on_bus(EFI_HANDLE controller, struct pci_nic *found) {
  struct pci_nic *list;
  UINTN count;
  EFI_STATUS status = pci_find_nics(&list, &count);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = EFI_DEVICE_ERROR;
  for(UINTN i = 0; i < count; i++) {
    if(list[i].handle == controller) {
      *found = list[i];
      status = EFI_SUCCESS;
    }
  }
  if(list) {
    pool_free(list);
  }
  return status;
}

/* What the caller's build knows of a lease; the rest is zero, not known. */
static struct net_handoff_lease read_lease(const NET_RESIDENT_LEASE *lease) {
  NET_RESIDENT_LEASE whole;
  memset(&whole, 0, sizeof(whole));
  memcpy(&whole, lease, lease->Size < sizeof(whole) ? lease->Size : sizeof(whole));
  struct net_handoff_lease known = {.origin = whole.Origin, .seconds = whole.Seconds, .obtained = whole.Obtained};
  memcpy(known.address, whole.Address, sizeof(known.address));
  memcpy(known.mask, whole.Mask, sizeof(known.mask));
  memcpy(known.gateway, whole.Gateway, sizeof(known.gateway));
  memcpy(known.server, whole.Server, sizeof(known.server));
  memcpy(known.dns, whole.Dns, sizeof(known.dns));
  return known;
}

static EFI_STATUS EFIAPI arm_handoff(NET_RESIDENT_PROTOCOL *this, BOOLEAN live, const NET_RESIDENT_LEASE *lease) {
  struct snp_device *snp = from(this);
  struct pci_nic pci;
  struct net_handoff_lease known;
  if(!snp || (lease && lease->Size < offsetof(NET_RESIDENT_LEASE, Server))) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_STATUS status = find_on_bus(snp->nic.controller, &pci);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(lease) {
    known = read_lease(lease);
  }
  return handoff_arm(&snp->nic, &pci, live, lease ? &known : NULL);
}

static EFI_STATUS EFIAPI disarm_handoff(NET_RESIDENT_PROTOCOL *this) {
  struct snp_device *snp = from(this);
  if(!snp) {
    return EFI_INVALID_PARAMETER;
  }
  EFI_TPL tpl = efi_nic_lock();
  handoff_disarm(&snp->nic);
  efi_nic_unlock(tpl);
  return EFI_SUCCESS;
}

static BOOLEAN read_payload(const NET_RESIDENT_PAYLOAD *from_caller, struct net_handoff_payload *payload) {
  memcpy(payload->name, from_caller->Name, sizeof(payload->name));
  payload->physical = from_caller->Physical;
  payload->size = from_caller->Length;
  memcpy(payload->sha256, from_caller->Sha256, sizeof(payload->sha256));
  return payload->name[sizeof(payload->name) - 1U] == '\0' && payload->physical != 0 && payload->size != 0 &&
         payload->size - 1U <= UINT64_MAX - payload->physical;
}

static EFI_STATUS EFIAPI stage(NET_RESIDENT_PROTOCOL *this, const CHAR8 *source, UINTN count,
                               const NET_RESIDENT_PAYLOAD *payloads) {
  struct net_handoff_payload known[NET_HANDOFF_PAYLOADS_MAX];
  struct snp_device *snp = from(this);
  if(!snp || count > NET_HANDOFF_PAYLOADS_MAX || (count > 0 && !payloads)) {
    return EFI_INVALID_PARAMETER;
  }
  for(UINTN i = 0; i < count; i++) {
    if(!read_payload(&payloads[i], &known[i])) {
      return EFI_INVALID_PARAMETER;
    }
  }
  EFI_TPL tpl = efi_nic_lock();
  EFI_STATUS status = handoff_stage(&snp->nic, (const char *)source, known, count);
  efi_nic_unlock(tpl);
  return status;
}

/* Set up --------------------------------------------------------------------------------------------------------- */

void resident_init(struct snp_device *snp) {
  snp->resident = (NET_RESIDENT_PROTOCOL){
      .Revision = NET_RESIDENT_REVISION,
      .Size = sizeof(NET_RESIDENT_PROTOCOL),
      .GetInfo = get_info,
      .Inspect = inspect,
      .GetCounters = get_counters,
      .Peek = peek,
      .AddTap = add_tap,
      .RemoveTap = remove_tap,
      .ArmHandoff = arm_handoff,
      .DisarmHandoff = disarm_handoff,
      .Stage = stage,
  };
}

void resident_fini(struct snp_device *snp) {
  while(snp->taps) {
    (void)remove(snp, snp->taps);
  }
}
