/* held.c - a word on the console when the driver was loaded and another one holds every NIC that it could drive. */
#include "binding.h"
#include "pci.h"

#define LINE_SIZE 200U
#define NAME_SIZE 64U

struct line {
  CHAR16 text[LINE_SIZE];
  UINTN length;
};

static void append(struct line *line, const char *text) {
  while(*text && line->length + 1 < LINE_SIZE) {
    line->text[line->length++] = (CHAR16)*text++;
  }
  line->text[line->length] = 0;
}

static void append_hex(struct line *line, UINTN value, UINTN digits) {
  char text[2] = {0};
  while(digits-- > 0) {
    text[0] = "0123456789abcdef"[value >> (4U * digits) & 15U];
    append(line, text);
  }
}

/* "82540EM at 0000:00:04.0 is held by 'iPXE'." */
static void say_holder(EFI_PCI_IO_PROTOCOL *pci_io, const char *model, EFI_HANDLE holder) {
  struct line line = {.length = 0};
  char name[NAME_SIZE];
  UINTN place[4];
  pci_holder_name(holder, name, sizeof(name));
  append(&line, model);
  if(!EFI_ERROR(pci_io->GetLocation(pci_io, &place[0], &place[1], &place[2], &place[3]))) {
    append(&line, " at ");
    append_hex(&line, place[0], 4);
    append(&line, ":");
    append_hex(&line, place[1], 2);
    append(&line, ":");
    append_hex(&line, place[2], 2);
    append(&line, ".");
    append_hex(&line, place[3], 1);
  }
  append(&line, " is held by '");
  append(&line, name);
  append(&line, "'.\r\n");
  (void)ST->ConOut->OutputString(ST->ConOut, line.text);
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
    (void)ST->ConOut->OutputString(
        ST->ConOut, (CHAR16 *)L"This driver was loaded, but has no NIC. To give it one, 'disconnect' the handle\r\n"
                              L"with the NIC's MAC address ('dh -p SimpleNetwork'), then the NIC's own ('dh -p\r\n"
                              L"PciIo'), and 'connect' that. A driver from the NIC's option ROM takes it back:\r\n"
                              L"start without that (QEMU: romfile=).\r\n");
  }
}

void binding_report_held(VOID) {
  EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
  EFI_HANDLE *handles;
  UINTN count;
  if(ST->ConOut && !EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles))) {
    report(handles, count);
    FreePool(handles);
  }
}
