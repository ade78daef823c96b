/* pciio.c - the fake firmware's network controllers: EFI_PCI_IO_PROTOCOL over the simulator. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "efi/acpi_resource.h"

#define DMA_GAP     0x10000U /* so that running over the end of one mapping does not land in the next */
#define DIRT        0xAFU
#define TRANSLATION 0x100000000U
#define FIRST_BUS   2U /* device number of the first NIC */

#define COMMAND 0x04U
#define RCTL    0x00100U /* receive control, SDM 13.4.22 */
#define RCTL_EN (1U << 1)
#define BAR0    0x10U
#define SUPPORTED                                                                                                      \
  (EFI_PCI_IO_ATTRIBUTE_IO | EFI_PCI_IO_ATTRIBUTE_MEMORY | EFI_PCI_IO_ATTRIBUTE_BUS_MASTER |                           \
   EFI_PCI_IO_ATTRIBUTE_DUAL_ADDRESS_CYCLE)

static EFI_GUID pci_io_guid = EFI_PCI_IO_PROTOCOL_GUID;
static EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

static const struct firmware_path path = {
    .root = {.Header = {ACPI_DEVICE_PATH, ACPI_DP, {sizeof(ACPI_HID_DEVICE_PATH), 0}}, .HID = 0x0A0341D0U},
    .pci = {.Header = {HARDWARE_DEVICE_PATH, HW_PCI_DP, {sizeof(PCI_DEVICE_PATH), 0}}, .Device = FIRST_BUS},
    .end = {END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, {END_DEVICE_PATH_LENGTH, 0}},
};

struct firmware_nic *nic_behind(EFI_PCI_IO_PROTOCOL *this) {
  struct firmware_nic *nic = firmware.nics;
  while(nic && &nic->pci_io != this) {
    nic = nic->next;
  }
  if(!nic) {
    firmware_abort("no such PciIo", this);
  }
  return nic;
}

/* Configuration space --------------------------------------------------------------------------------------------- */

/* `count` accesses of one width. */
static void access_config(EFI_PCI_IO_PROTOCOL *this, bool write, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT32 offset,
                          UINTN count, UINT8 *buffer) {
  struct firmware_nic *nic = nic_behind(this);
  UINT32 unit = 1U << width;
  if(width > EfiPciIoWidthUint32 || offset % unit || offset + unit * count > sizeof(nic->config)) {
    firmware_abort("PciIo: configuration space accessed askew", (const void *)(UINTN)offset);
  }
  for(UINTN i = 0; i < count; i++, offset += unit, buffer += unit) {
    UINT32 value = 0;
    if(!nic->kind || !nic->kind->config_read) {
      memcpy(write ? nic->config + offset : buffer, write ? buffer : nic->config + offset, unit);
    } else if(write) {
      memcpy(&value, buffer, unit);
      nic->kind->config_write(nic->device, offset, unit, value);
    } else {
      value = nic->kind->config_read(nic->device, offset, unit);
      memcpy(buffer, &value, unit);
    }
  }
}

static EFI_STATUS EFIAPI pci_read(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT32 offset,
                                  UINTN count, VOID *buffer) {
  if(fails("Pci.Read", TPL_HIGH_LEVEL)) {
    return EFI_DEVICE_ERROR;
  }
  access_config(this, false, width, offset, count, buffer);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI pci_write(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_WIDTH width, UINT32 offset,
                                   UINTN count, VOID *buffer) {
  if(fails("Pci.Write", TPL_HIGH_LEVEL)) {
    return EFI_DEVICE_ERROR;
  }
  access_config(this, true, width, offset, count, buffer);
  return EFI_SUCCESS;
}

/* DMA ------------------------------------------------------------------------------------------------------------ */

static EFI_STATUS EFIAPI allocate_buffer(EFI_PCI_IO_PROTOCOL *this, EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE memory_type,
                                         UINTN pages, VOID **host, UINT64 attributes) {
  (void)nic_behind(this);
  if(fails("AllocateBuffer", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  if(type != AllocateAnyPages || (memory_type != EfiBootServicesData && memory_type != EfiRuntimeServicesData) ||
     attributes != 0) {
    return EFI_INVALID_PARAMETER;
  }
  struct memory *buffer = node_new(&firmware.buffers, sizeof(*buffer));
  buffer->size = pages * EFI_PAGE_SIZE;
  buffer->type = memory_type;
  buffer->start = aligned_alloc(EFI_PAGE_SIZE, buffer->size);
  if(!buffer->start) {
    abort();
  }
  *host = memset(buffer->start, DIRT, buffer->size);
  return EFI_SUCCESS;
}

static void drop_buffer(struct memory *buffer) {
  free(buffer->start);
  node_drop(&firmware.buffers, buffer);
}

static EFI_STATUS EFIAPI free_buffer(EFI_PCI_IO_PROTOCOL *this, UINTN pages, VOID *host) {
  (void)nic_behind(this);
  check_service("FreeBuffer", TPL_NOTIFY);
  struct memory *buffer = find_memory(firmware.buffers, host);
  if(!buffer || buffer->size != pages * EFI_PAGE_SIZE) {
    firmware_abort("FreeBuffer: not allocated, or another size", host);
  }
  for(const struct node *node = firmware.mappings; node; node = node->next) {
    if(((const struct mapping *)node)->buffer == buffer) {
      firmware_abort("FreeBuffer: still mapped", host);
    }
  }
  drop_buffer(buffer);
  return EFI_SUCCESS;
}

/* Page-aligned and to no more; above 4 GiB when the device may. */
static UINT64 place(const struct firmware_nic *nic, UINTN size) {
  UINT64 *next = &firmware.next_device[(nic->attributes & EFI_PCI_IO_ATTRIBUTE_DUAL_ADDRESS_CYCLE) != 0];
  UINT64 at = *next + EFI_PAGE_SIZE;
  *next = (at + size + 2U * DMA_GAP - 1U) & ~(UINT64)(DMA_GAP - 1U);
  return at;
}

static EFI_STATUS EFIAPI map(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_OPERATION operation, VOID *host,
                             UINTN *size, EFI_PHYSICAL_ADDRESS *device, VOID **out) {
  struct firmware_nic *nic = nic_behind(this);
  if(fails("Map", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  struct memory *buffer = find_memory(firmware.buffers, host);
  if(operation != EfiPciIoOperationBusMasterCommonBuffer || !buffer || *size > buffer->size) {
    firmware_abort("Map: no common buffer of AllocateBuffer's", host);
  }
  if(!(nic->attributes & EFI_PCI_IO_ATTRIBUTE_BUS_MASTER)) {
    firmware_abort("Map: the device is no bus master", host);
  }
  if(firmware.shorten && firmware.calls == firmware.fail_at) {
    *size /= 2;
    firmware.failed = "Map, half";
  }
  struct mapping *mapping = node_new(&firmware.mappings, sizeof(*mapping));
  mapping->nic = nic;
  mapping->buffer = buffer;
  mapping->device = place(nic, *size);
  if(nic->kind) {
    nic->kind->map(nic->device, host, mapping->device, *size);
  } else {
    sim_map(nic->sim, host, mapping->device, *size);
  }
  *device = mapping->device;
  *out = mapping;
  return EFI_SUCCESS;
}

/* What a device may still write when boot services are left, or is told to somebody, must not be free memory then. */
void check_mappings(void) {
  for(const struct node *node = firmware.mappings; node; node = node->next) {
    const struct mapping *mapping = (const struct mapping *)node;
    bool runs = mapping->nic->kind || (sim_peek(mapping->nic->sim, RCTL) & RCTL_EN) != 0;
    if((runs || firmware.system.NumberOfTableEntries > 0) && mapping->buffer->type != EfiRuntimeServicesData) {
      firmware_abort("ExitBootServices: a device reaches memory that the next stage takes for free",
                     mapping->buffer->start);
    }
  }
}

UINT64 firmware_device_address(const void *cpu) {
  for(const struct node *node = firmware.mappings; node; node = node->next) {
    const struct mapping *mapping = (const struct mapping *)node;
    UINTN offset = (UINTN)cpu - (UINTN)mapping->buffer->start;
    if(offset < mapping->buffer->size) {
      return mapping->device + offset;
    }
  }
  return 0;
}

static EFI_STATUS EFIAPI unmap(EFI_PCI_IO_PROTOCOL *this, VOID *handle) {
  struct firmware_nic *nic = nic_behind(this);
  if(fails("Unmap", TPL_NOTIFY)) {
    return EFI_DEVICE_ERROR;
  }
  struct mapping *mapping = handle;
  if(!node_is_on(firmware.mappings, mapping) || mapping->nic != nic) {
    firmware_abort("Unmap: no such mapping of this device", handle);
  }
  if(nic->kind) {
    nic->kind->unmap(nic->device, mapping->device);
  } else {
    sim_unmap(nic->sim, mapping->device);
  }
  node_drop(&firmware.mappings, mapping);
  return EFI_SUCCESS;
}

/* Attributes ----------------------------------------------------------------------------------------------------- */

/* The three lowest bits of the command register. */
static void set_command(struct firmware_nic *nic, UINT8 bits) {
  if(nic->kind && nic->kind->config_read) {
    uint32_t before = nic->kind->config_read(nic->device, COMMAND, 2);
    nic->kind->config_write(nic->device, COMMAND, 2, (before & ~7U) | bits);
  } else {
    nic->config[COMMAND] = bits;
  }
}

static EFI_STATUS EFIAPI attributes(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_ATTRIBUTE_OPERATION operation,
                                    UINT64 wanted, UINT64 *result) {
  struct firmware_nic *nic = nic_behind(this);
  if(fails("Attributes", TPL_NOTIFY)) {
    return EFI_DEVICE_ERROR;
  }
  switch(operation) {
  case EfiPciIoAttributeOperationGet:
    *result = nic->attributes;
    return EFI_SUCCESS;
  case EfiPciIoAttributeOperationSupported:
    *result = nic->supported_attributes;
    return EFI_SUCCESS;
  case EfiPciIoAttributeOperationEnable:
    wanted |= nic->attributes;
    break;
  case EfiPciIoAttributeOperationDisable:
    wanted = nic->attributes & ~wanted;
    break;
  case EfiPciIoAttributeOperationSet:
    break;
  default:
    firmware_abort("Attributes: not modelled", (const void *)operation);
  }
  if(wanted & ~nic->supported_attributes) {
    return EFI_UNSUPPORTED;
  }
  nic->attributes = wanted;
  set_command(nic, (UINT8)(wanted >> 8 & 7U));
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_location(EFI_PCI_IO_PROTOCOL *this, UINTN *segment, UINTN *bus, UINTN *device,
                                      UINTN *function) {
  const struct firmware_nic *nic = nic_behind(this);
  if(fails("GetLocation", TPL_HIGH_LEVEL)) {
    return EFI_DEVICE_ERROR;
  }
  *segment = 0;
  *bus = nic->bus;
  *device = nic->bus_device;
  *function = nic->bus_function;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_bar(EFI_PCI_IO_PROTOCOL *this, UINT8 index, UINT64 *supports, VOID **resources) {
  const struct firmware_nic *nic = nic_behind(this);
  if(fails("GetBarAttributes", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  if(index >= 6 || supports || nic->bar[index].size == 0) {
    return EFI_UNSUPPORTED;
  }
  const struct firmware_bar *bar = &nic->bar[index];
  UINT8 *list = pool_new(sizeof(EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR) + 2U);
  const EFI_ACPI_ADDRESS_SPACE_DESCRIPTOR descriptor = {
      .Desc = ACPI_ADDRESS_SPACE_DESCRIPTOR,
      .Len = sizeof(descriptor) - 3U,
      .ResType = bar->type,
      .AddrSpaceGranularity = bar->wide ? 64 : 32,
      .AddrRangeMin = bar->base,
      .AddrRangeMax = bar->size - 1U,
      .AddrTranslationOffset = !nic->translated   ? 0
                               : nic->translation ? nic->translation
                                                  : TRANSLATION,
      .AddrLen = bar->size,
  };
  memcpy(list, &descriptor, sizeof(descriptor));
  list[sizeof(descriptor)] = ACPI_END_TAG_DESCRIPTOR;
  list[sizeof(descriptor) + 1U] = 0;
  *resources = list;
  return EFI_SUCCESS;
}

/* Life ----------------------------------------------------------------------------------------------------------- */

static void fill_header(struct firmware_nic *nic, UINT16 vendor_id, UINT16 device_id) {
  static const UINT8 network[] = {0x02, 0x00, 0x00, 0x02}; /* revision and class */
  static const UINT8 subsystem[] = {0xF4, 0x1A, 0x00, 0x11};
  memcpy(nic->config, &vendor_id, sizeof(vendor_id));
  memcpy(nic->config + 2, &device_id, sizeof(device_id));
  memcpy(nic->config + 8, network, sizeof(network));
  memcpy(nic->config + 0x2C, subsystem, sizeof(subsystem));
  nic->config[0x3C] = 11;
  nic->config[0x3D] = 1;
}

/* The 82574L carries MSI, PCI Express with L0s and L1 on, and MSI-X. */
static void fill_capabilities(struct firmware_nic *nic, UINT16 device_id) {
  static const UINT8 msi[] = {0x05, 0xE0};
  static const UINT8 pcie[] = {0x10, 0xA0};
  static const UINT8 msix[] = {0x11, 0x00};
  if(device_id == SIM_82574L) {
    nic->config[0x06] = 0x10;
    nic->config[0x34] = 0xD0;
    memcpy(nic->config + 0xD0, msi, sizeof(msi));
    memcpy(nic->config + 0xE0, pcie, sizeof(pcie));
    nic->config[0xE0 + 0x10] = 3;
    memcpy(nic->config + 0xA0, msix, sizeof(msix));
  }
}

struct firmware_nic *nic_new(UINTN *number) {
  struct firmware_nic *nic = calloc(1, sizeof(*nic));
  if(!nic) {
    abort();
  }
  struct firmware_nic **link = &firmware.nics;
  for(*number = 0; *link; link = &(*link)->next) {
    ++*number;
  }
  *link = nic;
  nic->bus_device = FIRST_BUS + *number;
  nic->path = path;
  nic->path.pci.Device = (UINT8)nic->bus_device;
  nic->supported_attributes = SUPPORTED;
  return nic;
}

static void fill_bars(struct firmware_nic *nic) {
  for(UINT8 i = 0; i < 6; i++) {
    nic->bar[i].number = i;
    UINT32 address = nic->bar[i].size == 0 ? 0 : (UINT32)nic->bar[i].base;
    address |= address && nic->bar[i].type == ACPI_ADDRESS_SPACE_TYPE_IO;
    memcpy(nic->config + BAR0 + 4U * i, &address, sizeof(address));
  }
}

void nic_publish(struct firmware_nic *nic) {
  set_command(nic, 0);
  nic->pci_io = (EFI_PCI_IO_PROTOCOL){
      .Mem = {.Read = mem_read, .Write = mem_write},
      .Io = {.Write = io_write},
      .Pci = {.Read = pci_read, .Write = pci_write},
      .Map = map,
      .Unmap = unmap,
      .AllocateBuffer = allocate_buffer,
      .FreeBuffer = free_buffer,
      .GetLocation = get_location,
      .Attributes = attributes,
      .GetBarAttributes = get_bar,
  };
  if(EFI_ERROR(install_protocol(&nic->handle, &pci_io_guid, &nic->pci_io)) ||
     EFI_ERROR(install_protocol(&nic->handle, &device_path_guid, &nic->path))) {
    abort();
  }
}

static struct firmware_bar memory_bar(UINTN number, UINT64 size) {
  return (struct firmware_bar){
      .type = ACPI_ADDRESS_SPACE_TYPE_MEM, .base = 0x80000000U + 0x100000U * number, .size = size};
}

struct firmware_nic *firmware_add_nic(const struct sim_config *config) {
  UINTN number;
  struct firmware_nic *nic = nic_new(&number);
  nic->sim = sim_create(config);
  fill_header(nic, 0x8086, config->device_id);
  fill_capabilities(nic, config->device_id);
  /* the registers, and what else the part has: the I/O pair, a chipset's flash */
  for(UINT8 i = 0; i < 6; i++) {
    const struct net_bar *bar = &sim_platform(nic->sim)->bar[i];
    if(bar->kind == NET_BAR_MEMORY) {
      nic->bar[i] = memory_bar(number, bar->size);
      nic->bar[i].base += 0x20000U * i;
    } else if(bar->kind == NET_BAR_IO) {
      nic->bar[i] = (struct firmware_bar){
          .type = ACPI_ADDRESS_SPACE_TYPE_IO, .base = 0xC000U + 0x40U * number, .size = bar->size};
    }
  }
  fill_bars(nic);
  nic_publish(nic);
  return nic;
}

struct firmware_nic *firmware_add_device(const struct firmware_device *kind, void *device) {
  UINTN number;
  struct firmware_nic *nic = nic_new(&number);
  nic->kind = kind;
  nic->device = device;
  fill_header(nic, kind->vendor_id, kind->device_id);
  nic->bar[kind->bar] = memory_bar(number, kind->bar_size);
  fill_bars(nic);
  nic_publish(nic);
  return nic;
}

/* UEFI 2.10, 14.4.18: AddrRangeMin is the processor's address, and the offset is what makes it PCI's. */
void firmware_translate(struct firmware_nic *nic, UINT64 shift) {
  nic->translated = TRUE;
  nic->translation = 0 - shift;
  for(UINTN i = 0; i < 6; i++) {
    nic->bar[i].base += nic->bar[i].type == ACPI_ADDRESS_SPACE_TYPE_MEM && nic->bar[i].size > 0 ? shift : 0;
  }
}

const char *firmware_complaint(const struct firmware_nic *nic) {
  return nic->kind ? nic->kind->complaint(nic->device) : sim_violation_text(nic->sim);
}

void nics_free(void) {
  while(firmware.mappings) {
    node_drop(&firmware.mappings, firmware.mappings);
  }
  while(firmware.nics) {
    struct firmware_nic *nic = firmware.nics;
    firmware.nics = nic->next;
    if(nic->sim) {
      sim_destroy(nic->sim);
    } else if(nic->kind->destroy) {
      nic->kind->destroy(nic->device);
    }
    free(nic);
  }
  while(firmware.buffers) {
    drop_buffer((struct memory *)firmware.buffers);
  }
}
