/* pci_place.c - where a network controller is: the bridges above it, and its BARs on both sides of the host bridge. */
#include "pci_place.h"

#define PCI_HEADER_TYPE   0x0EU
#define PCI_HEADER_MASK   0x7FU
#define PCI_HEADER_BRIDGE 1U
#define PCI_SECONDARY_BUS 0x19U

/* Path ----------------------------------------------------------------------------------------------------------- */

/* Whether the function behind `handle` is the bridge to bus `bus`, and its place. EFI_NOT_FOUND when it is not. */
static EFI_STATUS leads_to(EFI_HANDLE handle, UINTN segment, UINTN bus, struct net_handoff_bridge *at) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_PCI_IO_PROTOCOL *io;
  UINT8 type = 0;
  UINT8 secondary = 0;
  UINTN place[4] = {0};
  EFI_STATUS status = BS->HandleProtocol(handle, &guid, (VOID **)&io);
  if(!EFI_ERROR(status)) {
    status = io->Pci.Read(io, EfiPciIoWidthUint8, PCI_HEADER_TYPE, 1, &type);
  }
  if(!EFI_ERROR(status) && (type & PCI_HEADER_MASK) != PCI_HEADER_BRIDGE) {
    return EFI_NOT_FOUND;
  }
  if(!EFI_ERROR(status)) {
    status = io->Pci.Read(io, EfiPciIoWidthUint8, PCI_SECONDARY_BUS, 1, &secondary);
  }
  if(!EFI_ERROR(status)) {
    status = io->GetLocation(io, &place[0], &place[1], &place[2], &place[3]);
  }
  if(!EFI_ERROR(status) && (secondary != bus || place[0] != segment)) {
    status = EFI_NOT_FOUND;
  }
  *at = (struct net_handoff_bridge){(UINT8)place[1], (UINT8)place[2], (UINT8)place[3], 0};
  return status;
}

static EFI_STATUS find_bridge(const EFI_HANDLE *handles, UINTN count, UINTN segment, UINTN bus,
                              struct net_handoff_bridge *at) {
  EFI_STATUS status = EFI_NOT_FOUND;
  for(UINTN i = 0; i < count && status == EFI_NOT_FOUND; i++) {
    status = leads_to(handles[i], segment, bus, at);
  }
  return status;
}

EFI_STATUS pci_find_path(const struct pci_nic *nic, struct net_handoff_bridge path[NET_HANDOFF_PATH_MAX], UINT8 *count,
                         BOOLEAN *known) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  struct net_handoff_bridge bridge;
  EFI_HANDLE *handles;
  UINTN handle_count;
  UINTN bus = nic->bus;
  UINT8 depth = 0;
  *count = 0;
  *known = TRUE;
  EFI_STATUS status = BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &handle_count, &handles);
  if(EFI_ERROR(status)) {
    return status;
  }
  while(*known) {
    status = find_bridge(handles, handle_count, nic->segment, bus, &bridge);
    if(EFI_ERROR(status)) {
      break;
    }
    /* The bus below a bridge has a higher number than its own; anything else would be a circle. */
    *known = depth < NET_HANDOFF_PATH_MAX && bridge.bus < bus;
    for(UINTN i = depth; *known && i > 0; i--) {
      path[i] = path[i - 1];
    }
    if(*known) {
      path[0] = bridge;
      bus = bridge.bus;
      depth++;
    }
  }
  BS->FreePool((VOID *)handles);
  *count = *known ? depth : 0;
  return status == EFI_NOT_FOUND ? EFI_SUCCESS : status; /* no bridge leads to a root bus */
}

/* BARs ----------------------------------------------------------------------------------------------------------- */

static UINT32 flags_of(const struct pci_bar *bar) {
  return (bar->type == PCI_BAR_IO ? NET_HANDOFF_BAR_IO : NET_HANDOFF_BAR_MEMORY) |
         (bar->is_64bit ? NET_HANDOFF_BAR_64BIT : 0) | (bar->prefetchable ? NET_HANDOFF_BAR_PREFETCHABLE : 0);
}

BOOLEAN pci_read_bars(EFI_PCI_IO_PROTOCOL *pci_io, struct net_handoff_bar bars[NET_HANDOFF_BARS]) {
  struct pci_bar found[PCI_BAR_COUNT];
  if(EFI_ERROR(pci_get_bars(pci_io, found))) {
    return FALSE;
  }
  for(UINT8 i = 0; i < NET_HANDOFF_BARS; i++) {
    const struct pci_bar *bar = &found[i];
    bars[i] = (struct net_handoff_bar){0};
    if(bar->type == PCI_BAR_NONE && bar->bus != 0) {
      return FALSE;
    }
    if(bar->type != PCI_BAR_NONE && bar->bus != 0) {
      bars[i] = (struct net_handoff_bar){.processor = bar->base, .bus = bar->bus, .size = bar->size};
      bars[i].flags = flags_of(bar);
    }
  }
  return TRUE;
}
