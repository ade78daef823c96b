/* stack.c - whether the firmware's network stack is on a NIC. */
#include "stack.h"

#include "../../driver/efi/pci.h"
#include "../doctor/checks.h"
#include "below.h"
#include "efi/ip4_config2.h"
#include "efi/managed_network.h"

bool stack_has_randomness(void) {
  EFI_GUID guid = EFI_RNG_PROTOCOL_GUID;
  VOID *rng;
  return !EFI_ERROR(BS->LocateProtocol(&guid, NULL, &rng));
}

/* The stack's lowest part, MNP, is a driver of the UEFI driver model (UEFI 2.10, 11.1) like any other: Supported says
 * whether it would start on SNP's handle, and leaves everything as it was. */
static bool somebody_would_start(EFI_HANDLE interface) {
  EFI_GUID guid = EFI_DRIVER_BINDING_PROTOCOL_GUID;
  EFI_HANDLE *drivers;
  UINTN count;
  bool would = false;
  EFI_STATUS status = BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &drivers);
  if(EFI_ERROR(status)) {
    return status != EFI_NOT_FOUND; /* no answer is no reason to say that there is none */
  }
  for(UINTN i = 0; i < count && !would; i++) {
    EFI_DRIVER_BINDING *binding;
    would = !EFI_ERROR(BS->HandleProtocol(drivers[i], &guid, (VOID **)&binding)) &&
            !EFI_ERROR(binding->Supported(binding, interface, NULL));
  }
  BS->FreePool((VOID *)drivers);
  return would;
}

enum stack_state stack_look(const struct pci_nic *pci) {
  EFI_GUID snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  EFI_GUID parts[] = {EFI_MANAGED_NETWORK_SERVICE_BINDING_PROTOCOL_GUID, EFI_IP4_CONFIG2_PROTOCOL_GUID};
  struct below interfaces[BELOW_MAX];
  struct below part;
  if(below_find(pci->handle, &snp_guid, interfaces, BELOW_MAX) == 0 || interfaces[0].tagged) {
    return STACK_NO_INTERFACE;
  }
  for(UINTN i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    if(below_find(pci->handle, &parts[i], &part, 1) > 0) {
      return STACK_RUNS;
    }
  }
  if(somebody_would_start(interfaces[0].handle)) {
    return STACK_IDLE;
  }
  return stack_has_randomness() ? STACK_NONE : STACK_NO_RANDOMNESS;
}

const char *stack_problem(const struct pci_nic *pci) {
  return stack_look(pci) == STACK_NO_RANDOMNESS ? doctor_wants_randomness : NULL;
}
