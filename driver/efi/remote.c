/* remote.c - a NIC that another image's resident driver has, seen through NET_RESIDENT_PROTOCOL. */
#include "remote.h"

#include <efilib.h>
#include <string.h>

#include "../net/netdev.h"
#include "efi_nic.h"

#define PLACE(member) offsetof(struct netdev_stats, member)

const UINT16 net_resident_counters[] = {
    PLACE(rx_frames),
    PLACE(rx_bytes),
    PLACE(rx_errors),
    PLACE(rx_device_errors),
    PLACE(rx_length_errors),
    PLACE(rx_split_errors),
    PLACE(rx_missed),
    PLACE(rx_crc_errors),
    PLACE(tx_frames),
    PLACE(tx_bytes),
    PLACE(tx_errors),
    PLACE(tx_busy),
    PLACE(tx_collisions),
    PLACE(tx_hangs),
    PLACE(link_changes),
    PLACE(tx_doorbells),
    PLACE(rx_doorbells),
    PLACE(wire.rx_total_frames),
    PLACE(wire.rx_total_bytes),
    PLACE(wire.rx_good_frames),
    PLACE(wire.rx_undersize_frames),
    PLACE(wire.rx_oversize_frames),
    PLACE(wire.rx_broadcast_frames),
    PLACE(wire.rx_multicast_frames),
    PLACE(wire.tx_total_frames),
    PLACE(wire.tx_total_bytes),
    PLACE(wire.tx_good_frames),
    PLACE(wire.tx_broadcast_frames),
    PLACE(wire.tx_multicast_frames),
};

#define COUNTERS (sizeof(net_resident_counters) / sizeof(net_resident_counters[0]))
const UINTN net_resident_counter_count = COUNTERS;

/* A counter that was added to struct netdev_stats belongs at the end of the table too. */
_Static_assert(COUNTERS * sizeof(UINT64) == sizeof(struct netdev_stats), "a counter without a place in the protocol");

static struct remote *to_remote(struct netdev *dev) {
  return (struct remote *)((UINT8 *)dev - offsetof(struct remote, netdev));
}

/* What can be looked at ------------------------------------------------------------------------------------------ */

/* One that the driver does not count, or does not know of, is NETDEV_NOT_COUNTED on the wire and 0 elsewhere. */
static void op_update_stats(struct netdev *dev) {
  UINT64 values[COUNTERS];
  UINTN count = COUNTERS;
  NET_RESIDENT_PROTOCOL *protocol = to_remote(dev)->protocol;
  memset(values, 0xFF, sizeof(values));
  EFI_STATUS status = protocol->GetCounters(protocol, &count, values);
  if(EFI_ERROR(status) && status != EFI_BUFFER_TOO_SMALL) {
    return;
  }
  for(UINTN i = 0; i < COUNTERS; i++) {
    BOOLEAN unknown = i >= count && net_resident_counters[i] < offsetof(struct netdev_stats, wire);
    *(UINT64 *)((UINT8 *)&dev->stats + net_resident_counters[i]) = unknown ? 0 : values[i];
  }
}

struct visit {
  const struct remote *remote;
  netdev_visitor visitor;
  void *ctx;
};

static VOID EFIAPI show_row(VOID *context, const NET_RESIDENT_ROW *row) {
  const struct visit *visit = context;
  if(row->Size < sizeof(*row)) {
    return; /* no driver of this major version fills in less */
  }
  struct netdev_row shown = {
      .group = row->Group,
      .name = (const char *)row->Name,
      .index = row->Index,
      .count = row->Count,
      .offset = row->Offset,
      .value = row->Value,
      .unread = (row->Flags & NET_RESIDENT_ROW_UNREAD) != 0,
      .failed = (row->Flags & NET_RESIDENT_ROW_FAILED) != 0,
      .wrong = (row->Flags & NET_RESIDENT_ROW_WRONG) != 0,
      .clears = (row->Flags & NET_RESIDENT_ROW_CLEARS) != 0,
      .unit = (enum netdev_unit)row->Unit,
      .text = row->Text ? (const char *)row->Text : "",
      .bits = (const char *)row->Bits,
      .section = (const char *)row->Section,
  };
  if(!shown.text[0] && visit->remote->words) {
    visit->remote->words->describe(&visit->remote->id, &shown);
  }
  visit->visitor(visit->ctx, &shown);
}

static int op_inspect(struct netdev *dev, uint32_t groups, netdev_visitor visitor, void *ctx) {
  struct visit visit = {to_remote(dev), visitor, ctx};
  NET_RESIDENT_PROTOCOL *protocol = to_remote(dev)->protocol;
  switch(protocol->Inspect(protocol, groups, show_row, &visit)) {
  case EFI_SUCCESS:
    return NETDEV_OK;
  case EFI_UNSUPPORTED:
    return NETDEV_E_UNSUPPORTED;
  case EFI_DEVICE_ERROR:
    return NETDEV_E_GONE;
  default:
    return NETDEV_E_STATE;
  }
}

/* What cannot be done -------------------------------------------------------------------------------------------- */

static int op_refuse(struct netdev *dev) {
  (void)dev;
  return NETDEV_E_UNSUPPORTED;
}

static void op_nothing(struct netdev *dev) {
  (void)dev;
}

static void op_close(struct netdev *dev, bool gone) {
  (void)dev;
  (void)gone;
}

static int op_transmit(struct netdev *dev, const void *frame, uint32_t length, void *cookie) {
  (void)frame;
  (void)length;
  (void)cookie;
  return op_refuse(dev);
}

static uint32_t op_complete(struct netdev *dev) {
  (void)dev;
  return 0;
}

static int op_peek(struct netdev *dev, struct netdev_frame *frame) {
  (void)dev;
  (void)frame;
  return NETDEV_E_EMPTY;
}

static int op_set_mac(struct netdev *dev, const uint8_t mac[NETDEV_MAC_LENGTH]) {
  (void)mac;
  return op_refuse(dev);
}

static const struct netdev_ops ops = {
    .open = op_refuse,
    .close = op_close,
    .destroy = op_nothing,
    .transmit = op_transmit,
    .flush = op_nothing,
    .complete = op_complete,
    .peek = op_peek,
    .release = op_nothing,
    .set_mac = op_set_mac,
    .set_filter = op_refuse,
    .update_stats = op_update_stats,
    .tick = op_refuse,
    .inspect = op_inspect,
};

/* Finding -------------------------------------------------------------------------------------------------------- */

NET_RESIDENT_PROTOCOL *remote_find(EFI_HANDLE controller) {
  EFI_GUID guid = NET_RESIDENT_PROTOCOL_GUID;
  NET_RESIDENT_PROTOCOL *protocol;
  if(EFI_ERROR(BS->HandleProtocol(controller, &guid, (VOID **)&protocol)) ||
     NET_RESIDENT_MAJOR(protocol->Revision) != NET_RESIDENT_MAJOR(NET_RESIDENT_REVISION)) {
    return NULL;
  }
  return protocol;
}

/* Text from another image: cut to what fits, and with an end. */
static void copy_text(char *to, UINTN size, const CHAR8 *from, UINTN from_size) {
  UINTN i = 0;
  for(; i + 1 < size && i < from_size && from[i]; i++) {
    to[i] = (char)from[i];
  }
  to[i] = '\0';
}

static BOOLEAN ask(struct remote *remote) {
  NET_RESIDENT_INFO info;
  struct netdev *dev = &remote->netdev;
  memset(&info, 0, sizeof(info));
  info.Size = sizeof(info);
  if(EFI_ERROR(remote->protocol->GetInfo(remote->protocol, &info))) {
    return FALSE;
  }
  copy_text(remote->driver, sizeof(remote->driver), info.Driver, sizeof(info.Driver));
  copy_text(remote->model, sizeof(remote->model), info.Model, sizeof(info.Model));
  copy_text(dev->name, sizeof(dev->name), info.Name, sizeof(info.Name));
  memcpy(dev->mac, info.CurrentMac, NETDEV_MAC_LENGTH);
  memcpy(dev->permanent_mac, info.PermanentMac, NETDEV_MAC_LENGTH);
  dev->nvm_words = info.NvmWords;
  dev->filter = info.Filter;
  dev->state = info.State == NET_RESIDENT_OPEN   ? NETDEV_OPEN
               : info.State == NET_RESIDENT_GONE ? NETDEV_GONE
                                                 : NETDEV_CLOSED;
  dev->link = (struct netdev_link){
      .up = info.LinkUp != 0, .full_duplex = info.FullDuplex != 0, .speed_mbps = (uint16_t)info.SpeedMbps};
  remote->child = info.Child;
  remote->handoff = info.Handoff;
  return TRUE;
}

static void find_words(EFI_HANDLE controller, struct remote *remote) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_PCI_IO_PROTOCOL *pci_io;
  if(EFI_ERROR(BS->HandleProtocol(controller, &guid, (VOID **)&pci_io)) ||
     EFI_ERROR(efi_nic_read_id(pci_io, &remote->id))) {
    return;
  }
  const struct net_driver *driver = net_driver_find(&remote->id, NULL);
  for(const struct net_words *words = net_words; words->driver; words++) {
    if(words->driver == driver) {
      remote->words = words;
    }
  }
}

BOOLEAN remote_open(EFI_HANDLE controller, struct remote *remote) {
  memset(remote, 0, sizeof(*remote));
  remote->protocol = remote_find(controller);
  remote->netdev.ops = &ops;
  remote->netdev.model = remote->model;
  if(!remote->protocol || !ask(remote)) {
    return FALSE;
  }
  find_words(controller, remote);
  op_update_stats(&remote->netdev);
  return TRUE;
}

NET_RESIDENT_LEASE remote_lease(const struct net_handoff_lease *lease) {
  NET_RESIDENT_LEASE known = {
      .Size = sizeof(known), .Origin = lease->origin, .Seconds = lease->seconds, .Obtained = lease->obtained};
  memcpy(known.Address, lease->address, sizeof(known.Address));
  memcpy(known.Mask, lease->mask, sizeof(known.Mask));
  memcpy(known.Gateway, lease->gateway, sizeof(known.Gateway));
  memcpy(known.Server, lease->server, sizeof(known.Server));
  memcpy(known.Dns, lease->dns, sizeof(known.Dns));
  return known;
}

void remote_refresh(struct remote *remote) {
  if(!ask(remote)) {
    remote->netdev.state = NETDEV_GONE;
    remote->netdev.link = (struct netdev_link){0};
  }
}
