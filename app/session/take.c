/* take.c - a NIC from the driver that holds it, and back. */
#include "session.h"

#include "../console.h"
#include "below.h"

EFI_STATUS session_may_take(const struct pci_nic *pci, bool allowed) {
  EFI_HANDLE current = pci_find_holder(pci->handle);
  struct remote resident;
  char name[PCI_HOLDER_NAME_SIZE];
  char location[LOCATION_TEXT_SIZE];
  (void)location_text(pci, location);
  if(current && !allowed) {
    pci_holder_name(current, name, sizeof(name));
    complain("%s is held by '%s'; add --take to take it", location, name);
    return EFI_ACCESS_DENIED;
  }
  if(remote_open(pci->handle, &resident) && resident.handoff != NET_RESIDENT_NO_HANDOFF) {
    complain("%s is armed for a handoff, which --take would end: leave --take out, for the NIC can be shared, or "
             "withdraw the handoff first with 'netdiag handoff --cancel'",
             location);
    return EFI_ACCESS_DENIED;
  }
  return EFI_SUCCESS;
}

/* The network stack lets go of the SNP handles first: edk2's VirtioNetDxe refuses to stop while its SNP is started. */
static void disconnect_stack(const struct pci_nic *pci) {
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  struct below list[BELOW_MAX];
  UINTN count = below_find(pci->handle, &guid, list, BELOW_MAX);
  for(UINTN i = 0; i < count; i++) {
    (void)BS->DisconnectController(list[i].handle, NULL, NULL);
  }
}

EFI_STATUS session_take(const struct pci_nic *pci, bool allowed, EFI_HANDLE *holder) {
  EFI_HANDLE current = pci_find_holder(pci->handle);
  char name[PCI_HOLDER_NAME_SIZE];
  *holder = NULL;
  EFI_STATUS may = session_may_take(pci, allowed);
  if(EFI_ERROR(may) || !current) {
    return may;
  }
  pci_holder_name(current, name, sizeof(name));
  out("Taking ");
  out_location(pci);
  out(" from '%s'.\n", name);
  *holder = current;
  disconnect_stack(pci);
  EFI_STATUS status = BS->DisconnectController(pci->handle, NULL, NULL);
  /* The status is not to be trusted: iPXE lets go and the firmware says EFI_NOT_FOUND. Who holds it now
   * is what counts. */
  if(!pci_find_holder(pci->handle)) {
    return EFI_SUCCESS;
  }
  complain("'%s' does not let go of the NIC: %s", name, status_text(status));
  return EFI_ACCESS_DENIED;
}

EFI_STATUS session_give_back(const struct pci_nic *pci, EFI_HANDLE *holder) {
  if(!*holder) {
    return EFI_SUCCESS;
  }
  *holder = NULL;
  EFI_STATUS status = BS->ConnectController(pci->handle, NULL, NULL, TRUE);
  if(pci_find_holder(pci->handle)) {
    return EFI_SUCCESS;
  }
  /* The firmware also says that all went well when no driver wanted it. */
  status = EFI_ERROR(status) ? status : EFI_NOT_STARTED;
  complain("the NIC's driver did not take it back: %s; 'connect -r' in the Shell tries again", status_text(status));
  return status;
}
