/* held.c - a word on the console when the driver was loaded and another one holds every NIC that it could drive. */
#include "binding.h"
#include "managed.h"
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
static void say_holder(const struct pci_nic *nic, EFI_HANDLE holder) {
  struct line line = {.length = 0};
  char name[NAME_SIZE];
  pci_holder_name(holder, name, sizeof(name));
  append(&line, pci_model_name(nic));
  append(&line, " at ");
  append_hex(&line, nic->segment, 4);
  append(&line, ":");
  append_hex(&line, nic->bus, 2);
  append(&line, ":");
  append_hex(&line, nic->device, 2);
  append(&line, ".");
  append_hex(&line, nic->function, 1);
  append(&line, " is held by '");
  append(&line, name);
  append(&line, "'.\r\n");
  (void)ST->ConOut->OutputString(ST->ConOut, line.text);
}

/* How many of the NICs fit; *free tells whether one of them is free, or ours. */
static UINTN count_fitting(const struct pci_nic *list, UINTN count, BOOLEAN *free) {
  UINTN fitting = 0;
  *free = FALSE;
  for(UINTN i = 0; i < count; i++) {
    if(pci_model_name(&list[i])) {
      fitting++;
      *free = *free || !pci_find_holder(list[i].handle) || managed_find(list[i].handle);
    }
  }
  return fitting;
}

void binding_report_held(VOID) {
  struct pci_nic *list;
  UINTN count;
  BOOLEAN free;
  if(!ST->ConOut || EFI_ERROR(pci_find_nics(&list, &count))) {
    return;
  }
  if(count_fitting(list, count, &free) > 0 && !free) {
    for(UINTN i = 0; i < count; i++) {
      EFI_HANDLE holder = pci_model_name(&list[i]) ? pci_find_holder(list[i].handle) : NULL;
      if(holder) {
        say_holder(&list[i], holder);
      }
    }
    (void)ST->ConOut->OutputString(
        ST->ConOut, (CHAR16 *)L"This driver was loaded, but has no NIC. To give it one, 'disconnect' the handle\r\n"
                              L"with the NIC's MAC address ('dh -p SimpleNetwork'), then the NIC's own ('dh -p\r\n"
                              L"PciIo'), and 'connect' that. A driver from the NIC's option ROM takes it back:\r\n"
                              L"start without that (QEMU: romfile=).\r\n");
  }
  if(list) {
    FreePool(list);
  }
}
