/* list.c - netdiag list: every network controller on the PCI bus. */
#include "../doctor/checks.h"
#include "../session/stack.h"
#include "../netdiag.h"

#define LIST_HANG 6U /* columns, below a NIC's first line */

struct list_options {
  bool json;
};

/* "1000 Mb/s full", "up" where the device or its holder's driver says no more, "down", "-". */
static void out_short_link(const struct nic_sight *sight) {
  if(!sight->has_link) {
    out("-\n");
  } else if(!sight->link.up || !sight->has_speed || sight->link.speed_mbps == 0) {
    out_toned(sight->link.up ? TONE_OK : TONE_BAD, "%s", sight->link.up ? "up" : "down");
    out("\n");
  } else {
    out_toned(TONE_OK, "%u Mb/s %s", sight->link.speed_mbps, sight->link.full_duplex ? "full" : "half");
    out("\n");
  }
}

static void show_bar(EFI_PCI_IO_PROTOCOL *pci_io) {
  struct pci_bar bar;
  INTN number = pci_main_bar(pci_io, &bar);
  if(report_is_json() && number < 0) {
    report_null("bar");
  } else if(report_is_json()) {
    report_row("bar");
    report_u64("index", (uint64_t)number);
    report_hex("base", bar.base, 8);
    report_u64("size", bar.size);
    report_u64("bits", bar.is_64bit ? 64 : 32);
    report_text("space", bar.type == PCI_BAR_IO ? "io" : "memory");
    report_end();
  } else if(number < 0) {
    out("      no BAR\n");
  } else {
    bool small = bar.size < 1024U;
    out("      BAR %d 0x%jx %ju %s %s %s\n", (INT32)number, bar.base, small ? bar.size : bar.size / 1024U,
        small ? "bytes" : "KiB", bar.is_64bit ? "64-bit" : "32-bit", bar.type == PCI_BAR_IO ? "I/O" : "mem");
  }
}

static void report_nic(const struct pci_nic *pci, const struct nic_sight *sight, const char *holder) {
  report_object(NULL);
  report_which(pci);
  report_stranger(pci);
  report_seen(sight);
  show_bar(pci->pci_io);
  report_text("holder", holder);
  report_text("stack_problem", stack_problem(pci));
  report_end();
}

static void show_nic(const struct pci_nic *pci) {
  const char *model = pci_model_name(pci);
  struct doctor_stranger stranger;
  struct nic_sight sight;
  char mac[MAC_TEXT_SIZE];
  char name[NIC_NAME_SIZE];
  EFI_HANDLE holder = pci_find_holder(pci->handle);
  char holder_name[PCI_HOLDER_NAME_SIZE] = "-";
  session_look(pci, &sight);
  if(holder) {
    pci_holder_name(holder, holder_name, sizeof(holder_name));
  }
  if(report_is_json()) {
    report_nic(pci, &sight, holder ? holder_name : NULL);
    return;
  }
  (void)session_stranger(pci, &stranger);
  out("%-5s ", nic_name(pci, name));
  out_location(pci);
  out("  %04x:%04x  %-13s  %-17s  ", pci->vendor_id, pci->device_id, model ? model : stranger.name,
      sight.has_mac ? mac_text(sight.mac, mac) : "-");
  out_short_link(&sight);
  show_bar(pci->pci_io);
  out("      driver %s\n", holder_name);
  if(stranger.reason) {
    out_hanging(LIST_HANG, "      not supported: %s\n", stranger.reason);
  }
  const char *problem = stack_problem(pci);
  if(problem) {
    out_hanging(LIST_HANG, "      network stack %s\n", problem);
  }
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
  if(!report_is_json()) {
    out("%-5s %-12s  %-9s  %-13s  %-17s  %s\n", "NIC", "LOCATION", "ID", "MODEL", "MAC", "LINK");
  }
  report_array("nics");
  for(UINTN i = 0; i < count; i++) {
    show_nic(&list[i]);
  }
  report_end();
  BS->FreePool(list);
  return EFI_SUCCESS;
}

static const struct option option_rows[] = {
    JSON_OPTION_ROW(struct list_options),
    {0},
};

const struct command command_list = {
    .name = "list",
    .summary = "every NIC: location, IDs, name, MAC, link, BAR, and the driver that holds it",
    .arguments = "",
    .details = "Options -n of the other commands take the name (eth0), the number in it, the location or the MAC.",
    .examples = {"list", "list --json >a nics.json"},
    .options = option_rows,
    .values_size = sizeof(struct list_options),
    .run = run,
};
