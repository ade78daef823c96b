/* pci.c - finding network controllers on the PCI bus and saying who holds them. */
#include "pci.h"

#include <string.h>

#include "efi/acpi_resource.h"

#define PCI_HEADER_DWORDS      16U
#define PCI_STATUS_OFFSET      0x06U
#define PCI_STATUS_LIST        (1U << 4)
#define PCI_NO_ANSWER          0xFFFFU /* all ones: the device has gone */
#define PCI_CAPABILITY_POINTER 0x34U
#define PCI_CAPABILITIES_MAX   48U /* more do not fit configuration space: a loop */
#define PCI_BAR0               0x10U
#define BAR_IO                 (1U << 0)
#define BAR_IO_FLAGS           3U
#define BAR_TYPE_MASK          6U
#define BAR_TYPE_64BIT         4U
#define BAR_MEMORY_FLAGS       15U

static UINT64 location_key(const struct pci_nic *nic) {
  return (UINT64)nic->segment << 32 | (UINT64)nic->bus << 16 | (UINT64)nic->device << 8 | (UINT64)nic->function;
}

/* False when the handle is no network controller. */
static BOOLEAN describe(EFI_HANDLE handle, struct pci_nic *nic) {
  UINT32 header[PCI_HEADER_DWORDS];
  EFI_PCI_IO_PROTOCOL *pci_io;
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;

  if(EFI_ERROR(BS->HandleProtocol(handle, &guid, (VOID **)&pci_io)) ||
     EFI_ERROR(pci_io->Pci.Read(pci_io, EfiPciIoWidthUint32, 0, PCI_HEADER_DWORDS, header)) ||
     header[2] >> 24 != PCI_CLASS_NETWORK) {
    return FALSE;
  }
  nic->handle = handle;
  nic->pci_io = pci_io;
  nic->vendor_id = (UINT16)header[0];
  nic->device_id = (UINT16)(header[0] >> 16);
  nic->command = (UINT16)header[1];
  nic->revision_id = (UINT8)header[2];
  nic->subclass = (UINT8)(header[2] >> 16);
  nic->subsystem_vendor_id = (UINT16)header[11];
  nic->subsystem_id = (UINT16)(header[11] >> 16);
  nic->interrupt_line = (UINT8)header[15];
  nic->interrupt_pin = (UINT8)(header[15] >> 8);
  return !EFI_ERROR(pci_io->GetLocation(pci_io, &nic->segment, &nic->bus, &nic->device, &nic->function));
}

EFI_STATUS pci_find_nics(struct pci_nic **list, UINTN *count) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_HANDLE *handles;
  UINTN handle_count;

  *list = NULL;
  *count = 0;
  EFI_STATUS status = BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &handle_count, &handles);
  if(status == EFI_NOT_FOUND) {
    return EFI_SUCCESS;
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  status = BS->AllocatePool(EfiBootServicesData, handle_count * sizeof(struct pci_nic), (VOID **)list);
  if(!EFI_ERROR(status)) {
    for(UINTN i = 0; i < handle_count; i++) {
      struct pci_nic found;
      if(!describe(handles[i], &found)) {
        continue;
      }
      /* Insertion keeps the list in bus order, so that an index means the same in every run. */
      UINTN place = *count;
      while(place > 0 && location_key(&(*list)[place - 1]) > location_key(&found)) {
        (*list)[place] = (*list)[place - 1];
        place--;
      }
      (*list)[place] = found;
      (*count)++;
    }
    for(UINTN i = 0; i < *count; i++) {
      (*list)[i].index = i;
    }
    if(*count == 0) {
      BS->FreePool(*list);
      *list = NULL;
    }
  }
  BS->FreePool((VOID *)handles);
  return status;
}

const struct net_driver *pci_find_driver(const struct pci_nic *nic, const struct net_model **model) {
  const struct net_device_id id = {
      .vendor_id = nic->vendor_id,
      .device_id = nic->device_id,
      .subsystem_vendor_id = nic->subsystem_vendor_id,
      .subsystem_id = nic->subsystem_id,
      .revision_id = nic->revision_id,
  };
  return net_driver_find(&id, model);
}

const char *pci_model_name(const struct pci_nic *nic) {
  const struct net_model *model;
  return pci_find_driver(nic, &model) ? model->name : NULL;
}

const char *pci_driver_name(const struct pci_nic *nic) {
  const struct net_driver *driver = pci_find_driver(nic, NULL);
  return driver ? driver->name : "no driver";
}

UINT8 pci_find_capability(EFI_PCI_IO_PROTOCOL *pci_io, UINT8 id) {
  UINT16 status;
  UINT8 at;
  if(EFI_ERROR(pci_io->Pci.Read(pci_io, EfiPciIoWidthUint16, PCI_STATUS_OFFSET, 1, &status)) ||
     status == PCI_NO_ANSWER || !(status & PCI_STATUS_LIST) ||
     EFI_ERROR(pci_io->Pci.Read(pci_io, EfiPciIoWidthUint8, PCI_CAPABILITY_POINTER, 1, &at))) {
    return 0;
  }
  at &= 0xFCU;
  for(UINTN i = 0; i < PCI_CAPABILITIES_MAX && at >= 0x40U; i++) {
    UINT8 header[2];
    if(EFI_ERROR(pci_io->Pci.Read(pci_io, EfiPciIoWidthUint8, at, 2, header)) || (header[0] & header[1]) == 0xFFU) {
      return 0;
    }
    if(header[0] == id) {
      return at;
    }
    at = header[1] & 0xFCU;
  }
  return 0;
}

void pci_get_bar(EFI_PCI_IO_PROTOCOL *pci_io, UINT8 index, struct pci_bar *bar) {
  EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR *resources = NULL;

  *bar = (struct pci_bar){.type = PCI_BAR_NONE};
  if(EFI_ERROR(pci_io->GetBarAttributes(pci_io, index, NULL, (VOID **)&resources)) || !resources) {
    return;
  }
  if(resources->Desc == ACPI_ADDRESS_SPACE_DESCRIPTOR && resources->Len >= ACPI_ADDRESS_SPACE_LEN &&
     resources->AddrLen > 0) {
    bar->type = resources->ResType == ACPI_ADDRESS_SPACE_TYPE_IO ? PCI_BAR_IO : PCI_BAR_MEMORY;
    bar->is_64bit = bar->type == PCI_BAR_MEMORY && resources->AddrSpaceGranularity == 64;
    bar->prefetchable = bar->type == PCI_BAR_MEMORY && resources->SpecificFlag == ACPI_MEMORY_PREFETCHABLE;
    /* UEFI 2.10, 14.4.18: AddrRangeMin is the processor's address. */
    bar->base = resources->AddrRangeMin;
    bar->size = resources->AddrLen;
    bar->translated = resources->AddrTranslationOffset != 0;
  }
  BS->FreePool(resources);
}

/* PciIo counts BARs, not registers: a 64-bit one is two of these and one of those. */
EFI_STATUS pci_get_bars(EFI_PCI_IO_PROTOCOL *pci_io, struct pci_bar bars[PCI_BAR_COUNT]) {
  UINT32 registers[PCI_BAR_COUNT];
  UINT8 index = 0;
  memset(bars, 0, PCI_BAR_COUNT * sizeof(bars[0]));
  EFI_STATUS status = pci_io->Pci.Read(pci_io, EfiPciIoWidthUint32, PCI_BAR0, PCI_BAR_COUNT, registers);
  for(UINT8 number = 0; !EFI_ERROR(status) && number < PCI_BAR_COUNT; number++, index++) {
    struct pci_bar *bar = &bars[number];
    UINT32 low = registers[number];
    BOOLEAN is_io = (low & BAR_IO) != 0;
    BOOLEAN wide = !is_io && (low & BAR_TYPE_MASK) == BAR_TYPE_64BIT && number + 1U < PCI_BAR_COUNT;
    pci_get_bar(pci_io, index, bar);
    bar->index = index;
    bar->is_64bit = wide && bar->type == PCI_BAR_MEMORY;
    bar->bus = is_io && bar->type == PCI_BAR_NONE ? 0 : low & ~(is_io ? BAR_IO_FLAGS : BAR_MEMORY_FLAGS);
    if(wide) {
      bar->bus |= (UINT64)registers[++number] << 32;
    }
  }
  return status;
}

INTN pci_main_bar(EFI_PCI_IO_PROTOCOL *pci_io, struct pci_bar *bar) {
  struct pci_bar bars[PCI_BAR_COUNT];
  INTN found = -1;
  *bar = (struct pci_bar){.type = PCI_BAR_NONE};
  (void)pci_get_bars(pci_io, bars); /* none, when it fails */
  for(UINT8 i = 0; i < PCI_BAR_COUNT; i++) {
    if(bars[i].type > bar->type || (bars[i].type == bar->type && bars[i].size > bar->size)) {
      *bar = bars[i];
      found = i;
    }
  }
  return found;
}

EFI_HANDLE pci_find_holder(EFI_HANDLE handle) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *entries;
  UINTN count;
  EFI_HANDLE holder = NULL;

  if(EFI_ERROR(BS->OpenProtocolInformation(handle, &guid, &entries, &count))) {
    return NULL;
  }
  for(UINTN i = 0; i < count && !holder; i++) {
    if(entries[i].Attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) {
      holder = entries[i].AgentHandle;
    }
  }
  BS->FreePool(entries);
  return holder;
}

static void to_ascii(const CHAR16 *from, char *to, UINTN size) {
  UINTN i = 0;
  for(; from[i] && i + 1 < size; i++) {
    to[i] = from[i] >= ' ' && from[i] < 0x7F ? (char)from[i] : '?';
  }
  to[i] = '\0';
}

static void own_name(EFI_HANDLE agent, char *name, UINTN size) {
  EFI_GUID name2_guid = EFI_COMPONENT_NAME2_PROTOCOL_GUID;
  EFI_GUID name_guid = COMPONENT_NAME_PROTOCOL;
  EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
  EFI_COMPONENT_NAME2_PROTOCOL *naming;
  CHAR16 *text = NULL;

  if(!agent) {
    to_ascii(L"unknown driver", name, size);
    return;
  }
  /* The two protocols differ in their language codes only ("en" and "eng"); the first supported one will do, up to the
   * separator of a list. */
  if(!EFI_ERROR(BS->HandleProtocol(agent, &name2_guid, (VOID **)&naming)) ||
     !EFI_ERROR(BS->HandleProtocol(agent, &name_guid, (VOID **)&naming))) {
    CHAR8 language[16];
    UINTN i = 0;
    for(; naming->SupportedLanguages[i] && naming->SupportedLanguages[i] != ';' && i + 1 < sizeof(language); i++) {
      language[i] = naming->SupportedLanguages[i];
    }
    language[i] = 0;
    if(!EFI_ERROR(naming->GetDriverName(naming, language, &text)) && text) {
      to_ascii(text, name, size);
      return;
    }
  }
  EFI_LOADED_IMAGE *image;
  if(!EFI_ERROR(BS->HandleProtocol(agent, &image_guid, (VOID **)&image)) && image->FilePath) {
    const FILEPATH_DEVICE_PATH *file = (const FILEPATH_DEVICE_PATH *)image->FilePath;
    if(DevicePathType(&file->Header) == MEDIA_DEVICE_PATH && DevicePathSubType(&file->Header) == MEDIA_FILEPATH_DP) {
      to_ascii(file->PathName, name, size);
      return;
    }
  }
  to_ascii(L"unknown driver", name, size);
}

static BOOLEAN ends_with(const char *text, UINTN length, const char *end, UINTN end_length) {
  return length >= end_length && memcmp(text + length - end_length, end, end_length) == 0;
}

void pci_holder_name(EFI_HANDLE agent, char *name, UINTN size) {
  static const char before[] = "iPXE (";
  static const char suffix[] = ".efidrv";
  own_name(agent, name, size);
  UINTN length = 0;
  while(name[length]) {
    length++;
  }
  if(!ends_with(name, length, suffix, sizeof(suffix) - 1U) || length + sizeof(before) + 1U > size) {
    return;
  }
  for(UINTN i = length; i > 0; i--) {
    name[i - 1U + sizeof(before) - 1U] = name[i - 1U];
  }
  memcpy(name, before, sizeof(before) - 1U);
  length += sizeof(before) - 1U;
  name[length] = ')';
  name[length + 1U] = '\0';
}
