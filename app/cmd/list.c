/* list.c - netdiag list: every network controller on the PCI bus. */
#include "../netdiag.h"

#define HOLDER_NAME 64U

static void out_bar(EFI_PCI_IO_PROTOCOL *pci_io) {
  struct pci_bar bar;
  pci_get_bar(pci_io, 0, &bar);
  if(bar.type == PCI_BAR_NONE) {
    out("%-30s", "none");
  } else {
    out("%8lx %4ld KiB %s %-3s ", bar.base, bar.size / 1024, bar.is_64bit ? "64-bit" : "32-bit",
        bar.type == PCI_BAR_IO ? "I/O" : "mem");
  }
}

static void out_nic(const struct pci_nic *pci, UINTN index) {
  const char *name = pci_model_name(pci);
  struct netdev_link link;
  uint8_t mac[6];
  char text[MAC_TEXT_SIZE];

  out("%-2d ", (UINT32)index);
  out_location(pci);
  out("  %04x:%04x  %-13s ", pci->vendor_id, pci->device_id, name ? name : "not supported");
  if(efi_nic_glance(pci->pci_io, mac, &link)) {
    out("%-18s ", mac_text(mac, text));
    out_link(&link);
  } else {
    out("%-18s %-22s", "-", "-");
  }
  out_bar(pci->pci_io);
  EFI_HANDLE holder = pci_find_holder(pci->handle);
  char holder_name[HOLDER_NAME] = "-";
  if(holder) {
    pci_holder_name(holder, holder_name, sizeof(holder_name));
  }
  out(" %s\n", holder_name);
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  (void)values;
  (void)words;
  (void)word_count;
  struct pci_nic *list;
  UINTN count;
  EFI_STATUS status = pci_find_nics(&list, &count);
  if(EFI_ERROR(status)) {
    complain("cannot enumerate the PCI bus: %s", status_text(status));
    return status;
  }
  if(count == 0) {
    complain("no network controller on the PCI bus");
    return EFI_NOT_FOUND;
  }
  out("#  %-12s  %-9s  %-13s %-18s %-22s%-30s %s\n", "LOCATION", "ID", "NAME", "MAC", "LINK", "BAR 0", "DRIVER");
  for(UINTN i = 0; i < count; i++) {
    out_nic(&list[i], i);
  }
  BS->FreePool(list);
  return EFI_SUCCESS;
}

static const struct option option_rows[] = {{0}};

const struct command command_list = {
    .name = "list",
    .summary = "every NIC: location, IDs, name, MAC, link, BAR, and the driver that holds it",
    .arguments = "",
    .details = "",
    .options = option_rows,
    .run = run,
};
