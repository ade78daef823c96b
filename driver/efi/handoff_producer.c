/* handoff_producer.c - publishes running NICs in the EFI configuration table (include/net/HANDOFF.md). */
#include "handoff_producer.h"

#include "../net/handoff.h"

#define BELOW_4G    0xFFFFFFFFULL
#define TABLE_PAGES EFI_SIZE_TO_PAGES(sizeof(struct net_handoff))

static EFI_GUID table_guid = NET_HANDOFF_GUID;

struct net_handoff *handoff_find(VOID) {
  for(UINTN i = 0; i < ST->NumberOfTableEntries; i++) {
    if(CompareMem(&ST->ConfigurationTable[i].VendorGuid, &table_guid, sizeof(table_guid)) == 0) {
      return ST->ConfigurationTable[i].VendorTable;
    }
  }
  return NULL;
}

/* Table ---------------------------------------------------------------------------------------------------------- */

/* An empty table, published; NULL without the memory for it. */
static struct net_handoff *make_table(VOID) {
  EFI_PHYSICAL_ADDRESS address = BELOW_4G;
  if(EFI_ERROR(BS->AllocatePages(AllocateMaxAddress, EfiRuntimeServicesData, TABLE_PAGES, &address))) {
    return NULL;
  }
  struct net_handoff *table = (struct net_handoff *)(UINTN)address;
  net_handoff_init(table);
  if(EFI_ERROR(BS->InstallConfigurationTable(&table_guid, table))) {
    (void)BS->FreePages(address, TABLE_PAGES);
    return NULL;
  }
  return table;
}

static void drop_table(struct net_handoff *table) {
  if(!EFI_ERROR(BS->InstallConfigurationTable(&table_guid, NULL))) {
    (void)BS->FreePages((EFI_PHYSICAL_ADDRESS)(UINTN)table, TABLE_PAGES);
  }
}

/* An entry is known by its place on the bus, so that no index has to be kept anywhere. */
static struct net_handoff_nic *find_entry(struct net_handoff *table, const struct pci_nic *pci) {
  for(UINT32 i = 0; table && i < table->nic_count; i++) {
    struct net_handoff_nic *entry = &table->nic[i];
    if(entry->pci_segment == pci->segment && entry->pci_bus == pci->bus && entry->pci_device == pci->device &&
       entry->pci_function == pci->function) {
      return entry;
    }
  }
  return NULL;
}

/* Entry ---------------------------------------------------------------------------------------------------------- */

static void fill_entry(struct net_handoff_nic *entry, const struct efi_nic *nic, const struct pci_nic *pci,
                       const struct pci_bar *bar) {
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
  entry->bar0 = bar->base;
  entry->bar0_size = bar->size;
  entry->msi_capability = pci_find_capability(pci->pci_io, PCI_CAPABILITY_MSI);
  entry->msix_capability = pci_find_capability(pci->pci_io, PCI_CAPABILITY_MSIX);
  netdev_handoff_export(nic->netdev, entry);
}

EFI_STATUS handoff_arm(struct efi_nic *nic, const struct pci_nic *pci, BOOLEAN live, const UINT8 lease[3][4]) {
  struct net_handoff *table = handoff_find();
  struct pci_bar bar;
  pci_get_bar(pci->pci_io, 0, &bar);
  if(bar.type != PCI_BAR_MEMORY) {
    return EFI_DEVICE_ERROR;
  }
  if(table && !find_entry(table, pci) && table->nic_count == NET_HANDOFF_NICS_MAX) {
    return EFI_OUT_OF_RESOURCES;
  }
  if(!table) {
    table = make_table();
  }
  if(!table) {
    return EFI_OUT_OF_RESOURCES;
  }
  EFI_TPL tpl = efi_nic_lock();
  struct net_handoff_nic *entry = find_entry(table, pci);
  if(!entry) {
    entry = &table->nic[table->nic_count++];
  }
  SetMem(entry, sizeof(*entry), 0);
  fill_entry(entry, nic, pci, &bar);
  entry->state = live ? NET_HANDOFF_ARMED_LIVE : NET_HANDOFF_ARMED_QUIET;
  if(lease) {
    CopyMem(entry->ipv4_address, lease[0], 4);
    CopyMem(entry->ipv4_mask, lease[1], 4);
    CopyMem(entry->ipv4_gateway, lease[2], 4);
  }
  net_handoff_seal(table);
  nic->handoff = table;
  nic->handoff_entry = entry;
  efi_nic_unlock(tpl);
  return EFI_SUCCESS;
}

void handoff_disarm(struct efi_nic *nic) {
  struct net_handoff *table = nic->handoff;
  if(!table) {
    return;
  }
  nic->handoff = NULL;
  nic->handoff_entry->state = NET_HANDOFF_LOST;
  net_handoff_seal(table);
  for(UINT32 i = 0; i < table->nic_count; i++) {
    if(table->nic[i].state != NET_HANDOFF_LOST) {
      return; /* another NIC is still armed */
    }
  }
  drop_table(table);
}

void handoff_finish(struct efi_nic *nic) {
  struct net_handoff_nic *entry = nic->handoff_entry;
  BOOLEAN live = entry->state == NET_HANDOFF_ARMED_LIVE;
  if(netdev_handoff_leave(nic->netdev, live, entry)) {
    entry->state = live ? NET_HANDOFF_LIVE : NET_HANDOFF_QUIET;
  } else {
    entry->state = NET_HANDOFF_LOST;
  }
  net_handoff_seal(nic->handoff);
}
