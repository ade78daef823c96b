/* held.c - a word on the console when the driver was loaded and another one holds every NIC that it could drive. */
#include "binding.h"
#include "pci.h"
#include "pool.h"
#include "say.h"

#define NAME_SIZE 64U

/* "82540EM at 0000:00:04.0 is held by 'iPXE'." */
static void say_holder(EFI_PCI_IO_PROTOCOL *pci_io, const char *model, EFI_HANDLE holder) {
  char name[NAME_SIZE];
  UINTN segment;
  UINTN bus;
  UINTN device;
  UINTN function;
  pci_holder_name(holder, name, sizeof(name));
  if(EFI_ERROR(pci_io->GetLocation(pci_io, &segment, &bus, &device, &function))) {
    say("%s is held by '%s'.\r\n", model, name);
  } else {
    say("%s at %04x:%02x:%02x.%x is held by '%s'.\r\n", model, (UINT32)segment, (UINT32)bus, (UINT32)device,
        (UINT32)function, name);
  }
}

/* Who holds this controller, or NULL when nobody does. FALSE when it does not fit. */
static BOOLEAN fits(EFI_HANDLE controller, EFI_PCI_IO_PROTOCOL **pci_io, const char **model, EFI_HANDLE *holder) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  struct net_device_id id;
  const struct net_model *part;
  if(EFI_ERROR(BS->HandleProtocol(controller, &guid, (VOID **)pci_io)) || EFI_ERROR(efi_nic_read_id(*pci_io, &id)) ||
     !net_driver_find(&id, &part)) {
    return FALSE;
  }
  *model = part->name;
  *holder = pci_find_holder(controller);
  return TRUE;
}

/* Two passes, so that nothing has to be allocated: first whether there is anything to say. */
static void report(const EFI_HANDLE *handles, UINTN count) {
  EFI_PCI_IO_PROTOCOL *pci_io;
  const char *model;
  EFI_HANDLE holder;
  UINTN held = 0;
  for(UINTN i = 0; i < count; i++) {
    if(fits(handles[i], &pci_io, &model, &holder)) {
      if(!holder) {
        return; /* it is ours as soon as somebody connects it */
      }
      held++;
    }
  }
  for(UINTN i = 0; held > 0 && i < count; i++) {
    if(fits(handles[i], &pci_io, &model, &holder) && holder) {
      say_holder(pci_io, model, holder);
    }
  }
  if(held > 0) {
    say("This driver was loaded, but has no NIC. To give it one, 'disconnect' the handle\r\n"
        "with the NIC's MAC address ('dh -p SimpleNetwork'), then the NIC's own ('dh -p\r\n");
    say("PciIo'), and 'connect' that. A driver from the NIC's option ROM takes it back:\r\n"
        "start without that (QEMU: romfile=).\r\n");
  }
}

void binding_report_held(VOID) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_HANDLE *handles;
  UINTN count;
  if(ST->ConOut && !EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles))) {
    report(handles, count);
    pool_free((VOID *)handles);
  }
}
