/* efi_nic.c - taking a controller from the firmware, running it by a timer event, and giving it back. */
#include "efi_nic.h"

#include <string.h>

#include "handoff_producer.h"
#include "pci.h"
#include "say.h"

#define HEARTBEAT_100NS   (EFI_NIC_HEARTBEAT_MS * 10000ULL)
#define POLL_BUDGET       64U /* frames per heartbeat, so that a flood cannot keep the processor at TPL_CALLBACK */
#define NEEDED_ATTRIBUTES (EFI_PCI_IO_ATTRIBUTE_MEMORY | EFI_PCI_IO_ATTRIBUTE_BUS_MASTER)
#define PCI_HEADER_DWORDS 12U

EFI_STATUS efi_status_of(int result) {
  switch(result) {
  case NETDEV_OK:
    return EFI_SUCCESS;
  case NETDEV_E_INVALID:
    return EFI_INVALID_PARAMETER;
  case NETDEV_E_NO_MEMORY:
    return EFI_OUT_OF_RESOURCES;
  case NETDEV_E_BUSY:
  case NETDEV_E_EMPTY:
    return EFI_NOT_READY;
  case NETDEV_E_TOO_SMALL:
    return EFI_BUFFER_TOO_SMALL;
  case NETDEV_E_TIMEOUT:
    return EFI_TIMEOUT;
  case NETDEV_E_UNSUPPORTED:
    return EFI_UNSUPPORTED;
  default:
    return EFI_DEVICE_ERROR;
  }
}

/* Steps of attach, each with the one that undoes it -------------------------------------------------------------- */

static EFI_STATUS open_pci_io(struct efi_nic *nic) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_STATUS status = BS->OpenProtocol(nic->controller, &guid, (VOID **)&nic->pci_io, nic->agent, nic->controller,
                                       EFI_OPEN_PROTOCOL_BY_DRIVER);
  if(status == EFI_ALREADY_STARTED) {
    return EFI_ACCESS_DENIED; /* open by this very agent: a second attach */
  }
  if(!EFI_ERROR(status)) {
    nic->held.protocols++;
  }
  return status;
}

static void close_pci_io(struct efi_nic *nic) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  if(nic->held.protocols && !EFI_ERROR(BS->CloseProtocol(nic->controller, &guid, nic->agent, nic->controller))) {
    nic->held.protocols--;
  }
}

/* Left on by an earlier owner, it would let AllocateBuffer and Map hand out addresses that the part must not see. */
static EFI_STATUS forbid_high_addresses(struct efi_nic *nic, UINT64 wanted) {
  EFI_PCI_IO_PROTOCOL *io = nic->pci_io;
  UINT64 left_on = nic->saved_attributes & ~wanted & EFI_PCI_IO_ATTRIBUTE_DUAL_ADDRESS_CYCLE;
  return left_on ? io->Attributes(io, EfiPciIoAttributeOperationDisable, left_on, NULL) : EFI_SUCCESS;
}

static EFI_STATUS enable_device(struct efi_nic *nic) {
  EFI_PCI_IO_PROTOCOL *io = nic->pci_io;
  UINT64 supported;
  UINT64 wanted = NEEDED_ATTRIBUTES | EFI_PCI_IO_ATTRIBUTE_IO;
  if(nic->model->dma_bits > 32U && !nic->low_memory) {
    wanted |= EFI_PCI_IO_ATTRIBUTE_DUAL_ADDRESS_CYCLE;
  }
  EFI_STATUS status = io->Attributes(io, EfiPciIoAttributeOperationGet, 0, &nic->saved_attributes);
  if(!EFI_ERROR(status)) {
    status = io->Attributes(io, EfiPciIoAttributeOperationSupported, 0, &supported);
  }
  if(!EFI_ERROR(status) && (supported & NEEDED_ATTRIBUTES) != NEEDED_ATTRIBUTES) {
    status = EFI_UNSUPPORTED;
  }
  if(!EFI_ERROR(status)) {
    status = io->Attributes(io, EfiPciIoAttributeOperationEnable, supported & wanted, NULL);
  }
  if(!EFI_ERROR(status)) {
    nic->decodes_io = (supported & EFI_PCI_IO_ATTRIBUTE_IO) != 0;
    nic->held.attributes++;
    status = forbid_high_addresses(nic, wanted);
  }
  return status;
}

static void restore_device(struct efi_nic *nic) {
  EFI_PCI_IO_PROTOCOL *io = nic->pci_io;
  if(nic->held.attributes &&
     !EFI_ERROR(io->Attributes(io, EfiPciIoAttributeOperationSet, nic->saved_attributes, NULL))) {
    nic->held.attributes--;
  }
}

EFI_STATUS efi_nic_read_id(EFI_PCI_IO_PROTOCOL *pci_io, struct net_device_id *id) {
  UINT32 header[PCI_HEADER_DWORDS];
  EFI_STATUS status = pci_io->Pci.Read(pci_io, EfiPciIoWidthUint32, 0, PCI_HEADER_DWORDS, header);
  if(!EFI_ERROR(status)) {
    *id = (struct net_device_id){
        .vendor_id = (UINT16)header[0],
        .device_id = (UINT16)(header[0] >> 16),
        .subsystem_vendor_id = (UINT16)header[11],
        .subsystem_id = (UINT16)(header[11] >> 16),
        .revision_id = (UINT8)header[2],
    };
  }
  return status;
}

static EFI_STATUS identify(struct efi_nic *nic) {
  EFI_STATUS status = efi_nic_read_id(nic->pci_io, &nic->id);
  if(!EFI_ERROR(status)) {
    nic->driver = net_driver_find(&nic->id, &nic->model);
  }
  return EFI_ERROR(status) || nic->driver ? status : EFI_UNSUPPORTED;
}

static EFI_STATUS create_netdev(struct efi_nic *nic, const struct efi_nic_options *options) {
  const struct net_config config = {
      .id = nic->id,
      .tx_descriptors = options->tx_descriptors,
      .rx_descriptors = options->rx_descriptors,
  };
  efi_platform_init(nic);
  int result = nic->driver->create(&nic->platform, &config, &nic->netdev);
  if(result == NETDEV_OK) {
    result = netdev_register(nic->netdev);
  }
  return efi_status_of(result);
}

/* Runs inside ExitBootServices: the memory map is final, timers are off. Registers only. A callback that runs after
 * this one may still shut the SNP down (iPXE's does): nothing touches the NIC any more. */
static VOID EFIAPI on_exit_boot_services(EFI_EVENT event, VOID *context) {
  struct efi_nic *nic = context;
  (void)event;
  if(nic->exited) {
    return; /* an ExitBootServices that failed, and was called again (UEFI 2.10, 7.4.6) */
  }
  nic->exited = TRUE;
  if(nic->handoff) {
    handoff_finish(nic);
  } else if(nic->netdev->state != NETDEV_CLOSED) {
    netdev_quiesce(nic->netdev);
  }
}

static EFI_STATUS watch_exit(struct efi_nic *nic) {
  EFI_STATUS status =
      BS->CreateEvent(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_NOTIFY, on_exit_boot_services, nic, &nic->exit_boot_services);
  if(EFI_ERROR(status)) {
    nic->exit_boot_services = NULL;
  } else {
    nic->held.events++;
  }
  return status;
}

static void close_event(struct efi_nic *nic, EFI_EVENT *event) {
  if(*event && !EFI_ERROR(BS->CloseEvent(*event))) {
    *event = NULL;
    nic->held.events--;
  }
}

/* Attach and detach ---------------------------------------------------------------------------------------------- */

EFI_STATUS efi_nic_attach(struct efi_nic *nic, EFI_HANDLE controller, EFI_HANDLE agent,
                          const struct efi_nic_options *options) {
  BS->SetMem(nic, sizeof(*nic), 0);
  nic->controller = controller;
  nic->agent = agent;
  nic->low_memory = options->low_memory;
  nic->log = options->log;
  nic->log_ctx = options->log_ctx;

  EFI_STATUS status = open_pci_io(nic);
  if(!EFI_ERROR(status)) {
    status = identify(nic);
  }
  if(!EFI_ERROR(status)) {
    status = enable_device(nic);
  }
  if(!EFI_ERROR(status)) {
    status = create_netdev(nic, options);
  }
  if(!EFI_ERROR(status)) {
    status = watch_exit(nic);
  }
  if(EFI_ERROR(status)) {
    efi_nic_detach(nic);
  }
  return status;
}

/* Whoever unloads or disconnects the driver may not think of it. */
static void say_what_ends(const struct efi_nic *nic) {
  UINTN segment;
  UINTN bus;
  UINTN device;
  UINTN function;
  if(nic->handoff && ST->ConOut &&
     !EFI_ERROR(nic->pci_io->GetLocation(nic->pci_io, &segment, &bus, &device, &function))) {
    say("%s: the handoff of %04x:%02x:%02x.%x ends: the driver lets go of the NIC\r\n", nic->driver->name,
        (UINT32)segment, (UINT32)bus, (UINT32)device, (UINT32)function);
  }
}

void efi_nic_detach(struct efi_nic *nic) {
  efi_nic_stop(nic);
  say_what_ends(nic);
  handoff_disarm(nic);
  close_event(nic, &nic->exit_boot_services);
  netdev_destroy(nic->netdev);
  nic->netdev = NULL;
  restore_device(nic);
  close_pci_io(nic);
}

BOOLEAN efi_nic_nothing_held(const struct efi_nic *nic) {
  const struct efi_nic_held *held = &nic->held;
  return held->pool == 0 && held->dma == 0 && held->pages == 0 && held->events == 0 && held->protocols == 0 &&
         held->attributes == 0;
}

BOOLEAN efi_nic_glance(EFI_PCI_IO_PROTOCOL *pci_io, UINT8 mac[NETDEV_MAC_LENGTH], struct netdev_link *link) {
  struct efi_nic look;
  UINT64 attributes;

  memset(&look, 0, sizeof(look));
  look.pci_io = pci_io;
  if(EFI_ERROR(identify(&look)) ||
     EFI_ERROR(pci_io->Attributes(pci_io, EfiPciIoAttributeOperationGet, 0, &attributes))) {
    return FALSE;
  }
  /* A NIC that nobody drives decodes nothing where the firmware leaves that to drivers, as AAVMF does. */
  BOOLEAN asleep = !(attributes & EFI_PCI_IO_ATTRIBUTE_MEMORY);
  if(asleep &&
     EFI_ERROR(pci_io->Attributes(pci_io, EfiPciIoAttributeOperationEnable, EFI_PCI_IO_ATTRIBUTE_MEMORY, NULL))) {
    return FALSE;
  }
  look.decodes_io = (attributes & EFI_PCI_IO_ATTRIBUTE_IO) != 0;
  efi_platform_init(&look);
  BOOLEAN seen = look.driver->glance(&look.platform, &look.id, mac, link) == NETDEV_OK;
  if(asleep) {
    (void)pci_io->Attributes(pci_io, EfiPciIoAttributeOperationDisable, EFI_PCI_IO_ATTRIBUTE_MEMORY, NULL);
  }
  return seen;
}

/* Heartbeat ------------------------------------------------------------------------------------------------------ */

static VOID EFIAPI heartbeat(EFI_EVENT event, VOID *context) {
  struct efi_nic *nic = context;
  (void)event;
  nic->beats++;
  netdev_poll(nic->netdev, POLL_BUDGET);
  (void)netdev_tick(nic->netdev);
}

EFI_STATUS efi_nic_start(struct efi_nic *nic) {
  EFI_STATUS status = efi_status_of(netdev_open(nic->netdev));
  if(EFI_ERROR(status)) {
    return status;
  }
  status = BS->CreateEvent(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_CALLBACK, heartbeat, nic, &nic->heartbeat);
  if(EFI_ERROR(status)) {
    nic->heartbeat = NULL;
  } else {
    nic->held.events++;
    status = BS->SetTimer(nic->heartbeat, TimerPeriodic, HEARTBEAT_100NS);
  }
  if(EFI_ERROR(status)) {
    efi_nic_stop(nic);
  }
  return status;
}

void efi_nic_stop(struct efi_nic *nic) {
  close_event(nic, &nic->heartbeat);
  if(nic->netdev) {
    EFI_TPL tpl = efi_nic_lock();
    netdev_close(nic->netdev);
    efi_nic_unlock(tpl);
  }
}
