/* choose.c - which NIC a sub-command works on, and what can be seen of it without taking it. */
#include "choose.h"

#include <string.h>

#include "../../driver/lib/format.h"
#include "../args.h"
#include "../console.h"
#include "../doctor/checks.h"
#include "../report/report.h"
#include "below.h"
#include "share.h"

#define STRANGER_SIZE 96U /* name and reason */

const char *nic_name(const struct pci_nic *pci, char text[NIC_NAME_SIZE]) {
  (void)format_into(text, NIC_NAME_SIZE, "eth%u", (UINT32)pci->index);
  return text;
}

const char *location_text(const struct pci_nic *pci, char text[LOCATION_TEXT_SIZE]) {
  (void)format_into(text, LOCATION_TEXT_SIZE, "%04x:%02x:%02x.%x", (UINT32)pci->segment, (UINT32)pci->bus,
                    (UINT32)pci->device, (UINT32)pci->function);
  return text;
}

void out_location(const struct pci_nic *pci) {
  char text[LOCATION_TEXT_SIZE];
  out("%s", location_text(pci, text));
}

void report_which(const struct pci_nic *pci) {
  char name[NIC_NAME_SIZE];
  char location[LOCATION_TEXT_SIZE];
  report_text("nic", nic_name(pci, name));
  report_text("location", location_text(pci, location));
  report_hex("vendor_id", pci->vendor_id, 4);
  report_hex("device_id", pci->device_id, 4);
  report_text("model", pci_model_name(pci));
}

void report_seen(const struct nic_sight *sight) {
  if(sight->has_mac) {
    report_mac("mac", sight->mac);
  } else {
    report_null("mac");
  }
  if(sight->has_link) {
    report_link("link", &sight->link);
  } else {
    report_null("link");
  }
}

void out_speed(const struct netdev_link *link) {
  if(link->speed_mbps == 0) {
    out("speed unknown");
  } else {
    out("%u Mb/s %s duplex", link->speed_mbps, link->full_duplex ? "full" : "half");
  }
}

void out_link(const struct netdev_link *link) {
  if(link->up) {
    out("%s", link->speed_mbps == 0 ? "up, " : "");
    out_speed(link);
  } else {
    out("down");
  }
}

/* Choosing ------------------------------------------------------------------------------------------------------- */

void session_look(const struct pci_nic *pci, struct nic_sight *sight) {
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  *sight = (struct nic_sight){0};
  if(efi_nic_glance(pci->pci_io, sight->mac, &sight->link)) {
    sight->has_mac = sight->has_link = sight->has_speed = true;
    return;
  }
  const EFI_SIMPLE_NETWORK *snp = below_protocol(pci->handle, &guid);
  if(snp && snp->Mode->State != EfiSimpleNetworkStopped && snp->Mode->HwAddressSize == sizeof(sight->mac)) {
    sight->has_mac = true;
    memcpy(sight->mac, snp->Mode->CurrentAddress.Addr, sizeof(sight->mac));
    sight->has_link = snp->Mode->MediaPresentSupported && snp->Mode->State == EfiSimpleNetworkInitialized;
    sight->link.up = snp->Mode->MediaPresent;
  }
}

/* "eth1" is the same as "1". */
static bool matches(const struct pci_nic *pci, const char *wanted) {
  uint32_t number;
  uint8_t mac[6];
  struct pci_location location;
  bool named = text_same_start(wanted, "eth");
  if(args_u32(named ? wanted + 3 : wanted, &number)) {
    return number == pci->index;
  }
  if(args_pci_location(wanted, &location)) {
    return location.segment == pci->segment && location.bus == pci->bus && location.device == pci->device &&
           location.function == pci->function;
  }
  if(args_mac(wanted, mac)) {
    struct nic_sight sight;
    session_look(pci, &sight);
    return sight.has_mac && memcmp(sight.mac, mac, sizeof(mac)) == 0;
  }
  return false;
}

/* Only a MAC address can be that of several. */
static EFI_STATUS choose(const struct pci_nic *list, UINTN count, const struct nic_options *options,
                         struct pci_nic *chosen) {
  const char *wanted = options->nic;
  UINTN found = 0;
  for(UINTN i = 0; i < count; i++) {
    bool known = pci_model_name(&list[i]) != NULL;
    if((wanted ? matches(&list[i], wanted) : known) && found++ == 0) {
      *chosen = list[i];
    }
  }
  for(UINTN i = 0; i < count && found == 0 && !wanted && options->allow_foreign; i++) {
    if(share_possible(&list[i])) {
      *chosen = list[i];
      found = 1;
    }
  }
  if(found == 1 || (found > 0 && !wanted)) {
    return EFI_SUCCESS;
  }
  if(found == 0 && wanted) {
    complain("no NIC '%s': give a name (eth0), an index, a PCI location (00:04.0) or a MAC address as 'netdiag list' "
             "shows them",
             wanted);
    return EFI_NOT_FOUND;
  }
  if(found == 0) {
    complain("no NIC that this driver knows; 'netdiag list' shows what is there");
    return EFI_NOT_FOUND;
  }
  complain("%u NICs have the address %s; give a name or a location instead:", (UINT32)found, wanted);
  for(UINTN i = 0; i < count; i++) {
    char name[NIC_NAME_SIZE];
    char location[LOCATION_TEXT_SIZE];
    if(matches(&list[i], wanted)) {
      out_error("  %s  %s\n", nic_name(&list[i], name), location_text(&list[i], location));
    }
  }
  return EFI_INVALID_PARAMETER;
}

EFI_STATUS session_choose(const struct nic_options *options, struct pci_nic *chosen) {
  struct pci_nic *list;
  UINTN count;
  EFI_STATUS status = pci_find_nics(&list, &count);
  if(EFI_ERROR(status)) {
    complain("cannot enumerate the PCI bus: %s", status_text(status));
    return status;
  }
  status = choose(list, count, options, chosen);
  if(list) {
    BS->FreePool(list);
  }
  return status;
}

bool session_stranger(const struct pci_nic *pci, struct doctor_stranger *stranger) {
  *stranger = (struct doctor_stranger){"not supported", NULL};
  return doctor_find_stranger(pci->vendor_id, pci->device_id, stranger);
}

EFI_STATUS session_not_known(const struct pci_nic *pci) {
  struct doctor_stranger stranger;
  if(session_stranger(pci, &stranger)) {
    complain("no driver here takes the %s (%04x:%04x): %s", stranger.name, pci->vendor_id, pci->device_id,
             stranger.reason);
  } else {
    complain("no driver here knows %04x:%04x", pci->vendor_id, pci->device_id);
  }
  return EFI_UNSUPPORTED;
}

void report_stranger(const struct pci_nic *pci) {
  struct doctor_stranger stranger;
  char text[STRANGER_SIZE];
  if(session_stranger(pci, &stranger)) {
    (void)format_into(text, sizeof(text), "%s: %s", stranger.name, stranger.reason);
    report_text("not_supported", text);
  } else {
    report_null("not_supported");
  }
}

EFI_STATUS session_no_link(const struct pci_nic *pci) {
  const char *model = pci_model_name(pci);
  char location[LOCATION_TEXT_SIZE];
  complain("no link on %s%s%s%s: check the cable and the switch port, or wait longer with --link-wait",
           location_text(pci, location), model ? " (" : "", model ? model : "", model ? ")" : "");
  return EFI_NO_MEDIA;
}
