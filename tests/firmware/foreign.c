/* foreign.c - another vendor's driver in the fake firmware: it takes NICs, and may not let go of them. */
#include "programs_internal.h"

#include <stdlib.h>

#define NAME_MAX  64U
#define FRAME_MAX 1518U
#define QUEUE_MAX 32U

struct waiting {
  struct node node;
  UINTN length;
  UINT8 bytes[FRAME_MAX];
};

/* The SNP that it offers on a NIC. It has no rings: frames come from the wire and go there. */
struct offer {
  struct node node;
  struct firmware_nic *nic;
  EFI_HANDLE handle;
  EFI_SIMPLE_NETWORK snp;
  EFI_SIMPLE_NETWORK_MODE mode;
  UINT8 path[sizeof(struct firmware_path) + sizeof(MAC_ADDR_DEVICE_PATH)];
  struct node *queue; /* struct waiting */
  VOID *sent[QUEUE_MAX];
  UINTN sent_count;
};

struct foreign {
  struct node node;
  struct node *offers;
  struct foreign_driver *driver;
  EFI_HANDLE handle;
  EFI_DRIVER_BINDING_PROTOCOL binding;
  EFI_COMPONENT_NAME2_PROTOCOL names;
  CHAR16 name[NAME_MAX];
};

static EFI_GUID binding_guid = EFI_DRIVER_BINDING_PROTOCOL_GUID;
static EFI_GUID name2_guid = EFI_COMPONENT_NAME2_PROTOCOL_GUID;
static EFI_GUID pci_io_guid = EFI_PCI_IO_PROTOCOL_GUID;
static EFI_GUID snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
static EFI_GUID path_guid = DEVICE_PATH_PROTOCOL;

static struct node *drivers;

/* SNP ------------------------------------------------------------------------------------------------------------ */

static void drop_offer(struct foreign *foreign, struct offer *offer) {
  while(offer->queue) {
    node_drop(&offer->queue, offer->queue);
  }
  node_drop(&foreign->offers, offer);
}

/* The SNP's receive filter, as a NIC has one. */
static bool lets_through(const struct offer *offer, const UINT8 *frame) {
  UINT32 filter = offer->mode.ReceiveFilterSetting;
  if(filter & EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS) {
    return true;
  }
  if(memcmp(frame, offer->mode.CurrentAddress.Addr, 6) == 0) {
    return (filter & EFI_SIMPLE_NETWORK_RECEIVE_UNICAST) != 0;
  }
  if(memcmp(frame, "\xFF\xFF\xFF\xFF\xFF\xFF", 6) == 0) {
    return (filter & EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST) != 0;
  }
  for(UINTN i = 0; (filter & EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST) && i < offer->mode.MCastFilterCount; i++) {
    if(memcmp(frame, offer->mode.MCastFilter[i].Addr, 6) == 0) {
      return true;
    }
  }
  return false;
}

static void take_frame(void *ctx, const UINT8 *frame, size_t length) {
  struct offer *offer = ctx;
  if(offer->mode.State == EfiSimpleNetworkInitialized && length <= FRAME_MAX && node_count(offer->queue) < QUEUE_MAX &&
     lets_through(offer, frame)) {
    struct waiting *waiting = node_new(&offer->queue, sizeof(*waiting));
    waiting->length = length;
    memcpy(waiting->bytes, frame, length);
  }
}

static struct offer *offer_of(EFI_SIMPLE_NETWORK *snp) {
  return (struct offer *)((UINT8 *)snp - offsetof(struct offer, snp));
}

static EFI_STATUS EFIAPI snp_start(EFI_SIMPLE_NETWORK *this) {
  this->Mode->State = EfiSimpleNetworkStarted;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI snp_initialize(EFI_SIMPLE_NETWORK *this, UINTN more_receive, UINTN more_transmit) {
  (void)more_receive;
  (void)more_transmit;
  this->Mode->State = EfiSimpleNetworkInitialized;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI snp_stop(EFI_SIMPLE_NETWORK *this) {
  this->Mode->State = EfiSimpleNetworkStopped;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI snp_filters(EFI_SIMPLE_NETWORK *this, UINT32 enable, UINT32 disable, BOOLEAN reset,
                                     UINTN count, EFI_MAC_ADDRESS *list) {
  EFI_SIMPLE_NETWORK_MODE *mode = this->Mode;
  if(enable & ~mode->ReceiveFilterMask) {
    return EFI_INVALID_PARAMETER; /* UEFI 2.10, 24.1: ReceiveFilters */
  }
  mode->ReceiveFilterSetting = (mode->ReceiveFilterSetting | enable) & ~disable;
  mode->MCastFilterCount = reset ? 0 : (UINT32)count;
  for(UINTN i = 0; !reset && i < count; i++) {
    mode->MCastFilter[i] = list[i];
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI snp_status(EFI_SIMPLE_NETWORK *this, UINT32 *interrupts, VOID **buffer) {
  struct offer *offer = offer_of(this);
  if(interrupts) {
    *interrupts = 0;
  }
  if(buffer) {
    *buffer = offer->sent_count > 0 ? offer->sent[--offer->sent_count] : NULL;
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI snp_transmit(EFI_SIMPLE_NETWORK *this, UINTN header, UINTN size, VOID *buffer,
                                      EFI_MAC_ADDRESS *from, EFI_MAC_ADDRESS *to, UINT16 *type) {
  struct offer *offer = offer_of(this);
  (void)header;
  (void)from;
  (void)to;
  (void)type;
  if(offer->sent_count == QUEUE_MAX) {
    return EFI_NOT_READY;
  }
  offer->sent[offer->sent_count++] = buffer;
  wire_emit(offer->nic, buffer, size);
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI snp_receive(EFI_SIMPLE_NETWORK *this, UINTN *header, UINTN *size, VOID *buffer,
                                     EFI_MAC_ADDRESS *from, EFI_MAC_ADDRESS *to, UINT16 *type) {
  struct offer *offer = offer_of(this);
  const struct waiting *waiting = (const struct waiting *)offer->queue;
  (void)header;
  (void)from;
  (void)to;
  (void)type;
  if(!waiting) {
    return EFI_NOT_READY;
  }
  if(*size < waiting->length) {
    *size = waiting->length;
    return EFI_BUFFER_TOO_SMALL;
  }
  *size = waiting->length;
  memcpy(buffer, waiting->bytes, waiting->length);
  node_drop(&offer->queue, offer->queue);
  return EFI_SUCCESS;
}

static struct firmware_nic *nic_of(EFI_HANDLE controller) {
  struct firmware_nic *nic = firmware.nics;
  while(nic && nic->handle != controller) {
    nic = nic->next;
  }
  return nic;
}

/* The NIC's path with a MAC address behind it. */
static void make_path(struct offer *offer) {
  const struct firmware_path *pci = &offer->nic->path;
  UINT8 *at = offer->path;
  MAC_ADDR_DEVICE_PATH mac = {.Header = {MESSAGING_DEVICE_PATH, MSG_MAC_ADDR_DP, {sizeof(mac), 0}},
                              .MacAddress = offer->mode.CurrentAddress,
                              .IfType = 1};
  memcpy(at, pci, offsetof(struct firmware_path, end));
  at += offsetof(struct firmware_path, end);
  memcpy(at, &mac, sizeof(mac));
  memcpy(at + sizeof(mac), &pci->end, sizeof(pci->end));
}

static void offer_snp(struct foreign *foreign, EFI_HANDLE controller) {
  static const EFI_MAC_ADDRESS address = {{0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3}};
  struct offer *offer = node_new(&foreign->offers, sizeof(*offer));
  VOID *interface;
  offer->nic = nic_of(controller);
  offer->mode = (EFI_SIMPLE_NETWORK_MODE){
      .State = EfiSimpleNetworkStopped,
      .HwAddressSize = 6,
      .MediaHeaderSize = 14,
      .MaxPacketSize = 1500,
      .ReceiveFilterMask = EFI_SIMPLE_NETWORK_RECEIVE_UNICAST | EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST |
                           EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST |
                           (foreign->driver->narrow ? 0U : EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS),
      .MaxMCastFilterCount = MAX_MCAST_FILTER_CNT,
      .IfType = 1,
      .MediaPresentSupported = TRUE,
      .MediaPresent = TRUE,
      .CurrentAddress = address,
      .PermanentAddress = address,
  };
  offer->snp = (EFI_SIMPLE_NETWORK){.Revision = EFI_SIMPLE_NETWORK_PROTOCOL_REVISION,
                                    .Start = snp_start,
                                    .Stop = snp_stop,
                                    .Initialize = snp_initialize,
                                    .Shutdown = snp_start,
                                    .ReceiveFilters = snp_filters,
                                    .GetStatus = snp_status,
                                    .Transmit = snp_transmit,
                                    .Receive = snp_receive,
                                    .Mode = &offer->mode};
  make_path(offer);
  wire_divert(offer->nic, take_frame, offer);
  if(EFI_ERROR(install_protocol(&offer->handle, &path_guid, offer->path)) ||
     EFI_ERROR(install_protocol(&offer->handle, &snp_guid, &offer->snp)) ||
     EFI_ERROR(BS->OpenProtocol(controller, &pci_io_guid, &interface, foreign->handle, offer->handle,
                                EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER))) {
    abort();
  }
}

static void withdraw_snp(struct foreign *foreign, EFI_HANDLE controller) {
  for(struct node *node = foreign->offers; node; node = node->next) {
    struct offer *offer = (struct offer *)node;
    if(offer->nic->handle == controller) {
      (void)firmware_disconnect(offer->handle, NULL);
      (void)BS->CloseProtocol(controller, &pci_io_guid, foreign->handle, offer->handle);
      (void)uninstall_protocol(offer->handle, &snp_guid, &offer->snp);
      (void)uninstall_protocol(offer->handle, &path_guid, offer->path);
      wire_divert(offer->nic, NULL, NULL);
      drop_offer(foreign, offer);
      return;
    }
  }
}

/* Binding -------------------------------------------------------------------------------------------------------- */

static EFI_STATUS EFIAPI supported(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller, EFI_DEVICE_PATH *rest) {
  const struct foreign *foreign = (const struct foreign *)((UINT8 *)this - offsetof(struct foreign, binding));
  (void)rest;
  bool fits = firmware_interface(controller, pci_io_guid) && !foreign->driver->refuses;
  return fits ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI start(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller, EFI_DEVICE_PATH *rest) {
  struct foreign *foreign = (struct foreign *)((UINT8 *)this - offsetof(struct foreign, binding));
  VOID *interface;
  (void)rest;
  EFI_STATUS status =
      BS->OpenProtocol(controller, &pci_io_guid, &interface, foreign->handle, controller, EFI_OPEN_PROTOCOL_BY_DRIVER);
  if(status == EFI_ACCESS_DENIED && foreign->driver->snatches) {
    (void)firmware_disconnect(controller, NULL);
    status = BS->OpenProtocol(controller, &pci_io_guid, &interface, foreign->handle, controller,
                              EFI_OPEN_PROTOCOL_BY_DRIVER);
  }
  if(!EFI_ERROR(status) && foreign->driver->snp) {
    offer_snp(foreign, controller);
  }
  return status;
}

static EFI_STATUS EFIAPI stop(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller, UINTN count,
                              EFI_HANDLE *children) {
  struct foreign *foreign = (struct foreign *)((UINT8 *)this - offsetof(struct foreign, binding));
  (void)count;
  (void)children;
  if(foreign->driver->keeps) {
    return EFI_DEVICE_ERROR;
  }
  withdraw_snp(foreign, controller);
  return BS->CloseProtocol(controller, &pci_io_guid, foreign->handle, controller);
}

static EFI_STATUS EFIAPI driver_name(EFI_COMPONENT_NAME2_PROTOCOL *this, CHAR8 *language, CHAR16 **name) {
  struct foreign *foreign = (struct foreign *)((UINT8 *)this - offsetof(struct foreign, names));
  (void)language;
  *name = foreign->name;
  return EFI_SUCCESS;
}

EFI_HANDLE foreign_add(struct foreign_driver *driver) {
  static CHAR8 languages[] = "en";
  struct foreign *foreign = node_new(&drivers, sizeof(*foreign));
  foreign->driver = driver;
  for(size_t i = 0; driver->name[i] && i + 1U < NAME_MAX; i++) {
    foreign->name[i] = (CHAR16)driver->name[i];
  }
  foreign->names = (EFI_COMPONENT_NAME2_PROTOCOL){.GetDriverName = driver_name, .SupportedLanguages = languages};
  foreign->binding = (EFI_DRIVER_BINDING_PROTOCOL){.Supported = supported, .Start = start, .Stop = stop, .Version = 16};
  if(EFI_ERROR(install_protocol(&foreign->handle, &binding_guid, &foreign->binding)) ||
     EFI_ERROR(install_protocol(&foreign->handle, &name2_guid, &foreign->names))) {
    abort();
  }
  return foreign->handle;
}

void foreign_remove(EFI_HANDLE handle) {
  for(struct node *node = drivers; node; node = node->next) {
    struct foreign *foreign = (struct foreign *)node;
    if(foreign->handle == handle) {
      foreign->driver->keeps = FALSE;
      for(struct firmware_nic *nic = firmware.nics; nic; nic = nic->next) {
        (void)firmware_disconnect(nic->handle, handle);
      }
      (void)uninstall_protocol(handle, &name2_guid, &foreign->names);
      (void)uninstall_protocol(handle, &binding_guid, &foreign->binding);
      node_drop(&drivers, node);
      return;
    }
  }
}

void foreign_end(void) {
  while(firmware.exiting && drivers) {
    struct foreign *foreign = (struct foreign *)drivers;
    while(foreign->offers) {
      drop_offer(foreign, (struct offer *)foreign->offers);
    }
    node_drop(&drivers, drivers);
  }
  while(drivers) {
    foreign_remove(((struct foreign *)drivers)->handle);
  }
}
