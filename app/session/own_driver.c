/* own_driver.c - netdiag's own UEFI driver on a NIC that nobody holds, for as long as a command needs the firmware's
 * network stack on it. */
#include "own_driver.h"

#include "../../driver/efi/binding.h"
#include "../../driver/efi/managed.h"
#include "../console.h"
#include "../image.h"

#define REMOVE_STEP_US 1000000U

void own_driver_unbind(void) {
  EFI_HANDLE image = image_handle();
  EFI_STATUS status = binding_uninstall(image);
  while(EFI_ERROR(status)) {
    complain("the firmware's stack does not let go of the NIC: %s; trying again", status_text(status));
    BS->Stall(REMOVE_STEP_US);
    status = binding_uninstall(image);
  }
}

EFI_STATUS own_driver_bind(const struct pci_nic *pci) {
  EFI_HANDLE image = image_handle();
  EFI_HANDLE only[] = {image, NULL};
  EFI_STATUS status = binding_install(image);
  if(EFI_ERROR(status)) {
    complain("cannot install the driver: %s", status_text(status));
    return status;
  }
  status = BS->ConnectController(pci->handle, only, NULL, TRUE);
  if(managed_find(pci->handle)) {
    return EFI_SUCCESS;
  }
  EFI_HANDLE holder = pci_find_holder(pci->handle);
  if(holder) {
    char name[PCI_HOLDER_NAME_SIZE];
    pci_holder_name(holder, name, sizeof(name));
    complain("'%s' takes the NIC first: give an address with --addr, or start without that driver (QEMU: romfile=)",
             name);
    status = EFI_ACCESS_DENIED;
  } else {
    complain("the driver does not start on the NIC: %s", status_text(status));
    status = EFI_ERROR(status) ? status : EFI_NOT_STARTED;
  }
  own_driver_unbind();
  return status;
}
