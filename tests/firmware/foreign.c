/* foreign.c - another vendor's driver in the fake firmware: it takes NICs, and may not let go of them. */
#include "programs_internal.h"

#include <stdlib.h>

#define NAME_MAX 64U

struct foreign {
  struct node node;
  struct foreign_driver *driver;
  EFI_HANDLE handle;
  EFI_DRIVER_BINDING_PROTOCOL binding;
  EFI_COMPONENT_NAME2_PROTOCOL names;
  CHAR16 name[NAME_MAX];
};

static EFI_GUID binding_guid = EFI_DRIVER_BINDING_PROTOCOL_GUID;
static EFI_GUID name2_guid = EFI_COMPONENT_NAME2_PROTOCOL_GUID;
static EFI_GUID pci_io_guid = EFI_PCI_IO_PROTOCOL_GUID;

static struct node *drivers;

static EFI_STATUS EFIAPI supported(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller, EFI_DEVICE_PATH *rest) {
  const struct foreign *foreign = (const struct foreign *)((UINT8 *)this - offsetof(struct foreign, binding));
  (void)rest;
  bool fits = firmware_interface(controller, pci_io_guid) && !foreign->driver->refuses;
  return fits ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI start(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller, EFI_DEVICE_PATH *rest) {
  const struct foreign *foreign = (const struct foreign *)((UINT8 *)this - offsetof(struct foreign, binding));
  VOID *interface;
  (void)rest;
  EFI_STATUS status =
      BS->OpenProtocol(controller, &pci_io_guid, &interface, foreign->handle, controller, EFI_OPEN_PROTOCOL_BY_DRIVER);
  if(status == EFI_ACCESS_DENIED && foreign->driver->snatches) {
    (void)firmware_disconnect(controller, NULL);
    status = BS->OpenProtocol(controller, &pci_io_guid, &interface, foreign->handle, controller,
                              EFI_OPEN_PROTOCOL_BY_DRIVER);
  }
  return status;
}

static EFI_STATUS EFIAPI stop(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller, UINTN count,
                              EFI_HANDLE *children) {
  const struct foreign *foreign = (const struct foreign *)((UINT8 *)this - offsetof(struct foreign, binding));
  (void)count;
  (void)children;
  return foreign->driver->keeps ? EFI_DEVICE_ERROR
                                : BS->CloseProtocol(controller, &pci_io_guid, foreign->handle, controller);
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
    node_drop(&drivers, drivers);
  }
  while(drivers) {
    foreign_remove(((struct foreign *)drivers)->handle);
  }
}
