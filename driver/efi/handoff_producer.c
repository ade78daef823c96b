/* handoff_producer.c - publishes running NICs in the EFI configuration table (include/net/HANDOFF.md). */
#include "handoff_producer.h"

#include <string.h>

#include "../net/handoff.h"
#include "efi/guid.h"
#include "pci_place.h"

#define BELOW_4G    0xFFFFFFFFULL
#define TABLE_PAGES EFI_SIZE_TO_PAGES(sizeof(struct net_handoff_image))

/* edk2's IOMMU protocol: its PCI layer maps DMA through it, for an IOMMU or because memory is encrypted. */
#define IOMMU_GUID GUID_OF(0x4E939DE9U, 0xD948U, 0x4B0FU, 0x88, 0xED, 0xE6, 0xE1, 0xCE, 0x51, 0x7C, 0x1E)

static EFI_GUID table_guid = NET_HANDOFF_GUID;

static VOID *find(VOID) {
  for(UINTN i = 0; i < ST->NumberOfTableEntries; i++) {
    if(memcmp(&ST->ConfigurationTable[i].VendorGuid, &table_guid, sizeof(table_guid)) == 0) {
      return ST->ConfigurationTable[i].VendorTable;
    }
  }
  return NULL;
}

const void *handoff_find(VOID) {
  return find();
}

/* Table ---------------------------------------------------------------------------------------------------------- */

/* An empty table, published; NULL without the memory for it. */
static struct net_handoff_image *make_table(VOID) {
  EFI_PHYSICAL_ADDRESS address = BELOW_4G;
  if(EFI_ERROR(BS->AllocatePages(AllocateMaxAddress, EfiRuntimeServicesData, TABLE_PAGES, &address))) {
    return NULL;
  }
  struct net_handoff_image *table = (struct net_handoff_image *)(UINTN)address;
  net_handoff_init(table);
  net_handoff_seal(table);
  if(EFI_ERROR(BS->InstallConfigurationTable(&table_guid, table))) {
    (void)BS->FreePages(address, TABLE_PAGES);
    return NULL;
  }
  return table;
}

static void drop_table(struct net_handoff_image *table) {
  if(!EFI_ERROR(BS->InstallConfigurationTable(&table_guid, NULL))) {
    (void)BS->FreePages((EFI_PHYSICAL_ADDRESS)(UINTN)table, TABLE_PAGES);
  }
}

/* An entry is known by its place on the bus, so that no index has to be kept anywhere. */
static struct net_handoff_nic *find_entry(struct net_handoff_image *table, const struct pci_nic *pci) {
  for(UINT32 i = 0; table && i < table->head.nic_count; i++) {
    struct net_handoff_nic *entry = &table->nic[i];
    if(entry->pci_segment == pci->segment && entry->pci_bus == pci->bus && entry->pci_device == pci->device &&
       entry->pci_function == pci->function) {
      return entry;
    }
  }
  return NULL;
}

/* Entry ---------------------------------------------------------------------------------------------------------- */

static EFI_STATUS find_remapping(UINT32 *flags) {
  EFI_GUID guid = IOMMU_GUID;
  EFI_HANDLE *handles;
  UINTN count;
  EFI_STATUS status = BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles);
  if(!EFI_ERROR(status)) {
    BS->FreePool((VOID *)handles);
    *flags |= NET_HANDOFF_REMAPPED;
  }
  return status == EFI_NOT_FOUND ? EFI_SUCCESS : status;
}

static EFI_STATUS find_path(struct net_handoff_nic *entry, const struct pci_nic *pci) {
  BOOLEAN known;
  EFI_STATUS status = pci_find_path(pci, entry->path, &entry->path_count, &known);
  entry->flags |= known ? NET_HANDOFF_PATH_KNOWN : 0;
  return status;
}

/* What configuration space and the firmware say of the NIC. EFI_DEVICE_ERROR when its registers cannot be placed. */
static EFI_STATUS fill_place(struct net_handoff_nic *entry, const struct pci_nic *pci) {
  entry->pci_segment = (UINT16)pci->segment;
  entry->pci_bus = (UINT8)pci->bus;
  entry->pci_device = (UINT8)pci->device;
  entry->pci_function = (UINT8)pci->function;
  entry->revision_id = pci->revision_id;
  entry->vendor_id = pci->vendor_id;
  entry->device_id = pci->device_id;
  entry->subsystem_vendor_id = pci->subsystem_vendor_id;
  entry->subsystem_id = pci->subsystem_id;
  entry->interrupt_line = pci->interrupt_line;
  entry->interrupt_pin = pci->interrupt_pin;
  entry->msi_capability = pci_find_capability(pci->pci_io, PCI_CAPABILITY_MSI);
  entry->msix_capability = pci_find_capability(pci->pci_io, PCI_CAPABILITY_MSIX);
#if defined(__x86_64__) || defined(__i386__)
  entry->flags |= NET_HANDOFF_COHERENT; /* Intel SDM 3A, 12.3. Elsewhere the firmware does not say. */
#endif
  EFI_STATUS status = find_remapping(&entry->flags);
  if(!EFI_ERROR(status)) {
    status = find_path(entry, pci);
  }
  return !EFI_ERROR(status) && !pci_read_bars(pci->pci_io, entry->bar) ? EFI_DEVICE_ERROR : status;
}

/* The entry that the NIC has or gets, with its block's place. NULL when there is no room. */
static struct net_handoff_nic *take_entry(struct net_handoff_image *table, const struct pci_nic *pci,
                                          const struct net_driver *driver) {
  struct net_handoff_nic *entry = find_entry(table, pci);
  return entry ? entry : net_handoff_add(table, driver->handoff_kind, driver->handoff_size);
}

EFI_STATUS handoff_arm(struct efi_nic *nic, const struct pci_nic *pci, BOOLEAN live,
                       const struct net_handoff_lease *lease) {
  struct net_handoff_nic place = {.state = live ? NET_HANDOFF_ARMED_LIVE : NET_HANDOFF_ARMED_QUIET};
  struct net_handoff_image *table = find();
  if(nic->driver->handoff_kind == NET_HANDOFF_BLOCK_NONE) {
    return EFI_UNSUPPORTED;
  }
  if(table && !net_handoff_is_ours(table)) {
    return EFI_INCOMPATIBLE_VERSION;
  }
  EFI_STATUS status = fill_place(&place, pci);
  if(EFI_ERROR(status)) {
    return status;
  }
  if(lease) {
    place.lease = *lease;
  }
  if(!table) {
    table = make_table();
  }
  if(!table) {
    return EFI_OUT_OF_RESOURCES;
  }
  EFI_TPL tpl = efi_nic_lock();
  struct net_handoff_nic *entry = take_entry(table, pci, nic->driver);
  if(entry) {
    place.block_kind = entry->block_kind;
    place.block_offset = entry->block_offset;
    place.block_size = entry->block_size;
    *entry = place;
    netdev_handoff_export(nic->netdev, entry, net_handoff_block(table, entry));
    net_handoff_seal(table);
    nic->handoff = table;
    nic->handoff_entry = entry;
  }
  efi_nic_unlock(tpl);
  return entry ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

void handoff_disarm(struct efi_nic *nic) {
  struct net_handoff_image *table = nic->handoff;
  if(!table) {
    return;
  }
  nic->handoff = NULL;
  nic->handoff_entry->state = NET_HANDOFF_LOST;
  net_handoff_seal(table);
  for(UINT32 i = 0; i < table->head.nic_count; i++) {
    if(table->nic[i].state != NET_HANDOFF_LOST) {
      return; /* another NIC is still armed */
    }
  }
  drop_table(table);
}

EFI_STATUS handoff_stage(struct efi_nic *nic, const char *source, const struct net_handoff_payload *payloads,
                         UINTN count) {
  if(!nic->handoff) {
    return EFI_NOT_STARTED;
  }
  if(!net_handoff_stage(nic->handoff, source, payloads, count)) {
    return EFI_INVALID_PARAMETER;
  }
  net_handoff_seal(nic->handoff);
  return EFI_SUCCESS;
}

void handoff_finish(struct efi_nic *nic) {
  struct net_handoff_nic *entry = nic->handoff_entry;
  BOOLEAN live = entry->state == NET_HANDOFF_ARMED_LIVE;
  if(netdev_handoff_leave(nic->netdev, live, entry, net_handoff_block(nic->handoff, entry))) {
    entry->state = live ? NET_HANDOFF_LIVE : NET_HANDOFF_QUIET;
  } else {
    entry->state = NET_HANDOFF_LOST;
  }
  net_handoff_seal(nic->handoff);
}
