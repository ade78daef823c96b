/* list.c - netdiag list: every network controller on the PCI bus. */
#include "../netdiag.h"

/* "1000 Mb/s full", "up" where the device or its holder's driver says no more, "down", "-". */
static void out_short_link(const struct nic_sight *sight) {
  if(!sight->has_link) {
    out("-\n");
  } else if(!sight->link.up || !sight->has_speed || sight->link.speed_mbps == 0) {
    out("%s\n", sight->link.up ? "up" : "down");
  } else {
    out("%u Mb/s %s\n", sight->link.speed_mbps, sight->link.full_duplex ? "full" : "half");
  }
}

static void out_bar(EFI_PCI_IO_PROTOCOL *pci_io) {
  struct pci_bar bar;
  INTN index = pci_main_bar(pci_io, &bar);
  if(index < 0) {
    out("      no BAR\n");
    return;
  }
  bool small = bar.size < 1024U;
  out("      BAR %d 0x%lx %lu %s %s %s\n", (INT32)index, bar.base, small ? bar.size : bar.size / 1024U,
      small ? "bytes" : "KiB", bar.is_64bit ? "64-bit" : "32-bit", bar.type == PCI_BAR_IO ? "I/O" : "mem");
}

static void out_nic(const struct pci_nic *pci) {
  const char *model = pci_model_name(pci);
  struct nic_sight sight;
  char mac[MAC_TEXT_SIZE];
  char name[NIC_NAME_SIZE];
  session_look(pci, &sight);
  out("%-5s ", nic_name(pci, name));
  out_location(pci);
  out("  %04x:%04x  %-13s  %-17s  ", pci->vendor_id, pci->device_id, model ? model : "not supported",
      sight.has_mac ? mac_text(sight.mac, mac) : "-");
  out_short_link(&sight);
  out_bar(pci->pci_io);
  EFI_HANDLE holder = pci_find_holder(pci->handle);
  char holder_name[PCI_HOLDER_NAME_SIZE] = "-";
  if(holder) {
    pci_holder_name(holder, holder_name, sizeof(holder_name));
  }
  out("      driver %s\n", holder_name);
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
  out("%-5s %-12s  %-9s  %-13s  %-17s  %s\n", "NIC", "LOCATION", "ID", "MODEL", "MAC", "LINK");
  for(UINTN i = 0; i < count; i++) {
    out_nic(&list[i]);
  }
  BS->FreePool(list);
  return EFI_SUCCESS;
}

static const struct option option_rows[] = {{0}};

const struct command command_list = {
    .name = "list",
    .summary = "every NIC: location, IDs, name, MAC, link, BAR, and the driver that holds it",
    .arguments = "",
    .details = "Options -n of the other commands take the name (eth0), the number in it, the location or the MAC.",
    .options = option_rows,
    .run = run,
};
