/* binding.c - EFI_DRIVER_BINDING_PROTOCOL (UEFI 2.10, 11.1): Supported, Start, Stop, and the driver's installation. */
#include "binding.h"
#include "managed.h"
#include "pool.h"

#include <string.h>

#include "efi/driver_diagnostics.h"
#include "efi/driver_version.h"
#include "efi/version.h"

static EFI_GUID pci_io_guid = EFI_PCI_IO_PROTOCOL_GUID;
static EFI_GUID snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
static EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static EFI_GUID adapter_guid = EFI_ADAPTER_INFORMATION_PROTOCOL_GUID;
static EFI_GUID resident_guid = NET_RESIDENT_PROTOCOL_GUID;
static EFI_GUID binding_guid = EFI_DRIVER_BINDING_PROTOCOL_GUID;
static EFI_GUID name2_guid = EFI_COMPONENT_NAME2_PROTOCOL_GUID;
static EFI_GUID name_guid = COMPONENT_NAME_PROTOCOL;
static EFI_GUID diagnostics2_guid = EFI_DRIVER_DIAGNOSTICS2_PROTOCOL_GUID;
static EFI_GUID version_guid = EFI_DRIVER_SUPPORTED_EFI_VERSION_PROTOCOL_GUID;

/* Supported ------------------------------------------------------------------------------------------------------ */

static BOOLEAN is_end(const EFI_DEVICE_PATH *path) {
  return DevicePathType(path) == END_DEVICE_PATH_TYPE;
}

/* A device path below the controller, if one is named, has to start with the MAC node that Start would make. */
static BOOLEAN path_fits(const EFI_DEVICE_PATH *path) {
  return !path || is_end(path) ||
         (DevicePathType(path) == MESSAGING_DEVICE_PATH && DevicePathSubType(path) == MSG_MAC_ADDR_DP &&
          DevicePathNodeLength(path) == sizeof(MAC_ADDR_DEVICE_PATH));
}

static EFI_STATUS EFIAPI supported(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller,
                                   EFI_DEVICE_PATH *remaining) {
  EFI_PCI_IO_PROTOCOL *pci_io;
  struct net_device_id id;
  if(!path_fits(remaining)) {
    return EFI_UNSUPPORTED;
  }
  EFI_STATUS status = BS->OpenProtocol(controller, &pci_io_guid, (VOID **)&pci_io, this->DriverBindingHandle,
                                       controller, EFI_OPEN_PROTOCOL_BY_DRIVER);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = efi_nic_read_id(pci_io, &id);
  if(!EFI_ERROR(status) && !net_driver_find(&id, NULL)) {
    status = EFI_UNSUPPORTED;
  }
  BS->CloseProtocol(controller, &pci_io_guid, this->DriverBindingHandle, controller);
  return status;
}

/* Start ---------------------------------------------------------------------------------------------------------- */

/* Without its end node. */
static UINTN device_path_size(const EFI_DEVICE_PATH *path) {
  UINTN size = 0;
  while(!IsDevicePathEnd(path)) {
    UINTN length = (UINTN)DevicePathNodeLength(path);
    size += length;
    path = (const EFI_DEVICE_PATH *)((const UINT8 *)path + length);
  }
  return size;
}

/* The controller's, and behind it MAC(). */
static EFI_STATUS make_device_path(struct snp_device *snp) {
  EFI_DEVICE_PATH *parent;
  EFI_STATUS status = BS->HandleProtocol(snp->nic.controller, &device_path_guid, (VOID **)&parent);
  if(EFI_ERROR(status)) {
    return status;
  }
  MAC_ADDR_DEVICE_PATH node;
  memset(&node, 0, sizeof(node));
  node.Header.Type = MESSAGING_DEVICE_PATH;
  node.Header.SubType = MSG_MAC_ADDR_DP;
  SetDevicePathNodeLength(&node.Header, sizeof(node));
  node.MacAddress = snp->mode.PermanentAddress;
  node.IfType = snp->mode.IfType;
  EFI_DEVICE_PATH end;
  SetDevicePathEndNode(&end);
  UINTN parent_size = device_path_size(parent);
  UINT8 *path = pool_zero(parent_size + sizeof(node) + sizeof(end));
  if(!path) {
    return EFI_OUT_OF_RESOURCES;
  }
  memcpy(path, parent, parent_size);
  memcpy(path + parent_size, &node, sizeof(node));
  memcpy(path + parent_size + sizeof(node), &end, sizeof(end));
  snp->device_path = (EFI_DEVICE_PATH *)path;
  return EFI_SUCCESS;
}

static EFI_STATUS install_child(struct snp_device *snp) {
  EFI_STATUS status =
      BS->InstallMultipleProtocolInterfaces(&snp->child, &device_path_guid, snp->device_path, &snp_guid, &snp->protocol,
                                            &adapter_guid, &snp->adapter_information, NULL);
  if(EFI_ERROR(status)) {
    snp->child = NULL;
    return status;
  }
  EFI_PCI_IO_PROTOCOL *unused;
  return BS->OpenProtocol(snp->nic.controller, &pci_io_guid, (VOID **)&unused, snp->nic.agent, snp->child,
                          EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER);
}

/* Takes the child away. Whoever uses its protocols is asked to let go first, and may refuse: then nothing changes. */
static EFI_STATUS uninstall_child(struct snp_device *snp) {
  if(!snp->child) {
    return EFI_SUCCESS;
  }
  EFI_PCI_IO_PROTOCOL *unused;
  BS->CloseProtocol(snp->nic.controller, &pci_io_guid, snp->nic.agent, snp->child);
  EFI_STATUS status =
      BS->UninstallMultipleProtocolInterfaces(snp->child, &device_path_guid, snp->device_path, &snp_guid,
                                              &snp->protocol, &adapter_guid, &snp->adapter_information, NULL);
  if(EFI_ERROR(status)) {
    BS->OpenProtocol(snp->nic.controller, &pci_io_guid, (VOID **)&unused, snp->nic.agent, snp->child,
                     EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER);
    return status;
  }
  snp->child = NULL;
  snp->mode.State = EfiSimpleNetworkStopped;
  return EFI_SUCCESS;
}

/* Undoes start(), in the opposite order; works on a half-built device too. */
static EFI_STATUS tear_down(struct snp_device *snp) {
  EFI_STATUS status = uninstall_child(snp);
  if(EFI_ERROR(status)) {
    return status;
  }
  efi_nic_stop(&snp->nic);
  status = BS->UninstallProtocolInterface(snp->nic.controller, &resident_guid, &snp->resident);
  if(EFI_ERROR(status) && status != EFI_NOT_FOUND) {
    return status; /* it can still be found, so it stays, for the next Stop */
  }
  if(snp->device_path) {
    pool_free(snp->device_path);
    snp->device_path = NULL;
  }
  snp_fini(snp);
  resident_fini(snp);
  efi_nic_detach(&snp->nic);
  status = snp->nic.held.protocols ? EFI_DEVICE_ERROR : EFI_SUCCESS;
  /* Otherwise something may still point at it: better lost than used after it was freed. */
  if(efi_nic_nothing_held(&snp->nic)) {
    pool_free(snp);
  }
  return status;
}

static EFI_STATUS build(struct snp_device *snp) {
  EFI_STATUS status = snp_init(snp);
  if(!EFI_ERROR(status)) {
    status = make_device_path(snp);
  }
  if(!EFI_ERROR(status)) {
    names_fill(snp);
    EFI_HANDLE controller = snp->nic.controller;
    status = BS->InstallProtocolInterface(&controller, &resident_guid, EFI_NATIVE_INTERFACE, &snp->resident);
  }
  if(!EFI_ERROR(status)) {
    status = install_child(snp);
  }
  return status;
}

void binding_ring_name(const struct net_driver *driver, CHAR16 name[BINDING_RING_NAME_SIZE]) {
  static const CHAR16 what[] = L"RingSize";
  UINTN length = 0;
  for(const char *from = driver->name; *from && length + sizeof(what) / sizeof(what[0]) < BINDING_RING_NAME_SIZE;
      from++) {
    name[length++] = (CHAR16)*from;
  }
  memcpy(name + length, what, sizeof(what));
}

/* *ring: 0, the family's default, unless its variable holds a size that it takes. */
static EFI_STATUS ring_size(EFI_HANDLE controller, UINT32 *ring) {
  EFI_PCI_IO_PROTOCOL *pci_io;
  struct net_device_id id;
  CHAR16 name[BINDING_RING_NAME_SIZE];
  UINT32 size = 0;
  UINTN bytes = sizeof(size);
  EFI_STATUS status = BS->HandleProtocol(controller, &pci_io_guid, (VOID **)&pci_io);
  if(!EFI_ERROR(status)) {
    status = efi_nic_read_id(pci_io, &id);
  }
  const struct net_driver *driver = EFI_ERROR(status) ? NULL : net_driver_find(&id, NULL);
  *ring = 0;
  if(!driver) {
    return status; /* attaching to it says why it does not fit */
  }
  binding_ring_name(driver, name);
  status = RT->GetVariable(name, &resident_guid, NULL, &bytes, &size);
  BOOLEAN good = !EFI_ERROR(status) && bytes == sizeof(size) && size >= driver->ring_min && size <= driver->ring_max &&
                 (size & (size - 1U)) == 0;
  *ring = good ? size : 0;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI start(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller, EFI_DEVICE_PATH *remaining) {
  UINT32 ring;
  if(remaining && is_end(remaining)) {
    return EFI_SUCCESS; /* started without a child: there is nothing to do until one is asked for */
  }
  EFI_STATUS status = ring_size(controller, &ring);
  if(EFI_ERROR(status)) {
    return status;
  }
  struct snp_device *snp = pool_zero(sizeof(*snp));
  if(!snp) {
    return EFI_OUT_OF_RESOURCES;
  }
  const struct efi_nic_options options = {.tx_descriptors = ring, .rx_descriptors = ring};
  status = efi_nic_attach(&snp->nic, controller, this->DriverBindingHandle, &options);
  if(EFI_ERROR(status)) {
    pool_free(snp);
    return status;
  }
  status = build(snp);
  if(EFI_ERROR(status)) {
    (void)tear_down(snp);
  }
  return status;
}

/* Stop ----------------------------------------------------------------------------------------------------------- */

static EFI_STATUS EFIAPI stop(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller, UINTN child_count,
                              EFI_HANDLE *children) {
  struct snp_device *snp = managed_find(controller);
  (void)this;
  if(!snp || snp->nic.exited) {
    return EFI_DEVICE_ERROR;
  }
  if(child_count == 0) {
    return tear_down(snp) == EFI_SUCCESS ? EFI_SUCCESS : EFI_DEVICE_ERROR;
  }
  for(UINTN i = 0; i < child_count; i++) {
    if(children[i] != snp->child || EFI_ERROR(uninstall_child(snp))) {
      return EFI_DEVICE_ERROR;
    }
    EFI_TPL tpl = efi_nic_lock();
    efi_nic_stop(&snp->nic);
    efi_nic_unlock(tpl);
  }
  return EFI_SUCCESS;
}

/* Installation --------------------------------------------------------------------------------------------------- */

/* UEFI 2.10, 11.1: 0x10 to 0xFFFFFFEF are for IHV drivers, and the higher is asked first. What firmware carries for
 * these NICs is at 0x10 (OVMF's VirtioNetDxe and the transports below it, iPXE): a tie would be a matter of order. So
 * ours begin at 0x100, and of two releases the later one is asked first. */
#define DRIVER_VERSION (0x100U + (NETDIAG_VERSION_MAJOR << 8U | NETDIAG_VERSION_MINOR))

static EFI_DRIVER_BINDING_PROTOCOL driver_binding = {
    .Supported = supported,
    .Start = start,
    .Stop = stop,
    .Version = DRIVER_VERSION,
};

static EFI_DRIVER_SUPPORTED_EFI_VERSION_PROTOCOL supported_version = {
    .Length = sizeof(EFI_DRIVER_SUPPORTED_EFI_VERSION_PROTOCOL), .FirmwareVersion = 2U << 16 | 100U, /* UEFI 2.10 */
};

EFI_STATUS binding_install(EFI_HANDLE image) {
  driver_binding.ImageHandle = image;
  driver_binding.DriverBindingHandle = image;
  managed_set_binding(image);
  return BS->InstallMultipleProtocolInterfaces(
      &driver_binding.DriverBindingHandle, &binding_guid, &driver_binding, &name2_guid, &component_name2, &name_guid,
      &component_name, &diagnostics2_guid, diagnostics2, &version_guid, &supported_version, NULL);
}

/* Takes the driver off every controller that it manages. */
static EFI_STATUS disconnect_all(EFI_HANDLE image) {
  EFI_HANDLE *handles;
  UINTN count;
  EFI_STATUS status = BS->LocateHandleBuffer(ByProtocol, &resident_guid, NULL, &count, &handles);
  if(EFI_ERROR(status)) {
    return status == EFI_NOT_FOUND ? EFI_SUCCESS : status;
  }
  for(UINTN i = 0; i < count && !EFI_ERROR(status); i++) {
    status = BS->DisconnectController(handles[i], image, NULL);
    if(status == EFI_NOT_FOUND) {
      status = EFI_SUCCESS; /* another image manages it */
    }
  }
  pool_free((VOID *)handles);
  return status;
}

EFI_STATUS binding_uninstall(EFI_HANDLE image) {
  EFI_STATUS status = disconnect_all(image);
  if(EFI_ERROR(status)) {
    return status;
  }
  return BS->UninstallMultipleProtocolInterfaces(image, &binding_guid, &driver_binding, &name2_guid, &component_name2,
                                                 &name_guid, &component_name, &diagnostics2_guid, diagnostics2,
                                                 &version_guid, &supported_version, NULL);
}
