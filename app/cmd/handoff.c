/* handoff.c - netdiag handoff: leaves the running NIC to the kernel that comes next. */
#include "../../driver/efi/binding.h"
#include "../../driver/efi/handoff_producer.h"
#include "../../driver/net/handoff.h"
#include "../session/lease.h"
#include "../netdiag.h"
#include "../session/resident.h"

#include <efishell.h>

#define OPTIONS_SIZE 2048U /* characters: what the Linux kernel takes on x86 */
#define PATH_SIZE    256U

struct handoff_options {
  struct nic_options nic;
  bool live;
  bool quiet;
  bool all;
  bool show;
  bool cancel;
};

/* Show ----------------------------------------------------------------------------------------------------------- */

static void out_ring(const char *name, const struct net_handoff_ring *ring) {
  out("  %s  %u descriptors at 0x%lx (device 0x%lx), buffers at 0x%lx (device 0x%lx), head %u published %u tail %u\n",
      name, ring->count, ring->descriptors, ring->descriptors_device, ring->buffers, ring->buffers_device, ring->head,
      ring->published, ring->tail);
}

static void out_ip(const char *name, const UINT8 address[4]) {
  out(" %s %u.%u.%u.%u", name, address[0], address[1], address[2], address[3]);
}

static void out_nic(const struct net_handoff_nic *nic) {
  static const char *const states[] = {"?", "armed, will be quiet", "armed, will be live", "quiet", "live", "lost"};
  char mac[MAC_TEXT_SIZE];
  const struct net_handoff_statistics *statistics = &nic->statistics;
  const struct netdev_link link = {nic->link_up, nic->full_duplex, nic->speed_mbps};
  out("%04x:%02x:%02x.%x  %04x:%04x rev %02x (%04x:%04x)  %s  %s\n", nic->pci_segment, nic->pci_bus, nic->pci_device,
      nic->pci_function, nic->vendor_id, nic->device_id, nic->revision_id, nic->subsystem_vendor_id, nic->subsystem_id,
      mac_text(nic->current_mac, mac), states[nic->state]);
  out("  registers at 0x%lx, %lu bytes; INT%c# line %u, MSI at 0x%02x, MSI-X at 0x%02x\n", nic->bar0, nic->bar0_size,
      nic->interrupt_pin ? 'A' + nic->interrupt_pin - 1 : '-', nic->interrupt_line, nic->msi_capability,
      nic->msix_capability);
  out("  permanent MAC %s, link ", mac_text(nic->permanent_mac, mac));
  out_link(&link);
  out("\n  RCTL 0x%08x, TCTL 0x%08x, filter 0x%02x, %u multicast addresses\n", nic->rctl, nic->tctl, nic->filter,
      nic->multicast_count);
  out_ring("rx", &nic->rx);
  out_ring("tx", &nic->tx);
  out(" ");
  out_ip("address", nic->ipv4_address);
  out_ip("mask", nic->ipv4_mask);
  out_ip("gateway", nic->ipv4_gateway);
  out("\n  received %lu frames, %lu bytes, %lu errors, %lu missed; sent %lu frames, %lu bytes, %lu errors\n",
      statistics->rx_frames, statistics->rx_bytes, statistics->rx_errors, statistics->rx_missed, statistics->tx_frames,
      statistics->tx_bytes, statistics->tx_errors);
}

static EFI_STATUS show(void) {
  static struct net_handoff copy;
  const struct net_handoff *table = handoff_find();
  if(!table) {
    out("No handoff is published.\n");
    return EFI_NOT_FOUND;
  }
  const char *problem = net_handoff_validate(table, table->size, (UINT64)(UINTN)table, &copy);
  out("Handoff table at 0x%lx, version %u.%u, %u bytes, crc 0x%08x: %s\n", (UINT64)(UINTN)table, table->version_major,
      table->version_minor, table->size, table->crc32, problem ? problem : "valid");
  if(problem) {
    return EFI_COMPROMISED_DATA;
  }
  for(UINT32 i = 0; i < copy.nic_count; i++) {
    out_nic(&copy.nic[i]);
    if(copy.nic[i].state == NET_HANDOFF_ARMED_QUIET || copy.nic[i].state == NET_HANDOFF_ARMED_LIVE) {
      out("  (as of when it was asked for; at ExitBootServices all of it but the address is filled in anew)\n");
    }
  }
  for(UINT32 i = 0; i < copy.payload_count; i++) {
    out("payload %s at 0x%lx, %lu bytes\n", copy.payload[i].name, copy.payload[i].physical, copy.payload[i].size);
  }
  return EFI_SUCCESS;
}

static EFI_STATUS cancel(void) {
  struct pci_nic *list;
  UINTN count;
  if(!handoff_find()) {
    out("No handoff is published.\n");
    return EFI_SUCCESS;
  }
  EFI_STATUS status = pci_find_nics(&list, &count);
  for(UINTN i = 0; !EFI_ERROR(status) && i < count; i++) {
    struct snp_device *device = binding_find(list[i].handle);
    if(device) {
      EFI_TPL tpl = efi_nic_lock();
      handoff_disarm(&device->nic);
      efi_nic_unlock(tpl);
    }
  }
  if(list) {
    BS->FreePool(list);
  }
  if(handoff_find()) {
    complain("the table stays: it belongs to NICs that this driver does not hold");
    return EFI_ACCESS_DENIED;
  }
  out("Handoff withdrawn.\n");
  return EFI_SUCCESS;
}

/* Arm ------------------------------------------------------------------------------------------------------------ */

static EFI_STATUS arm(const struct pci_nic *pci, const struct handoff_options *options) {
  UINT8 lease[3][4] = {{0}};
  struct netdev_link link;
  UINT8 mac[NETDEV_MAC_LENGTH];
  /* Asked for first: with rings of another size the stack above the NIC starts again, without an address. */
  if(efi_nic_glance(pci->pci_io, mac, &link)) {
    lease_known(mac, lease);
  }
  EFI_STATUS status = resident_bind(pci, &options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = handoff_arm(&binding_find(pci->handle)->nic, pci, options->live, (const UINT8(*)[4])lease);
  if(EFI_ERROR(status)) {
    complain("no handoff: %s", status_text(status));
  } else {
    out_location(pci);
    out(" will be handed over %s.\n", options->live ? "live" : "quiet");
  }
  return status;
}

/* One that fails does not keep the others from it; the first failure is what netdiag ends with. */
static EFI_STATUS arm_all(const struct handoff_options *options) {
  struct pci_nic *list;
  UINTN count;
  EFI_STATUS status = pci_find_nics(&list, &count);
  EFI_STATUS first = status;
  UINTN known = 0;
  for(UINTN i = 0; !EFI_ERROR(status) && i < count; i++) {
    if(pci_model_name(&list[i])) {
      EFI_STATUS armed = arm(&list[i], options);
      first = EFI_ERROR(first) ? first : armed;
      known++;
    }
  }
  if(list) {
    BS->FreePool(list);
  }
  if(!EFI_ERROR(first) && known == 0) {
    complain("no NIC that this driver knows");
    return EFI_NOT_FOUND;
  }
  return first;
}

static EFI_STATUS arm_chosen(const struct handoff_options *options) {
  struct pci_nic chosen;
  if(options->all) {
    return arm_all(options);
  }
  EFI_STATUS status = session_choose(&options->nic, &chosen);
  return EFI_ERROR(status) ? status : arm(&chosen, options);
}

/* Next image ----------------------------------------------------------------------------------------------------- */

static void widen(const char *from, CHAR16 *to, UINTN size) {
  UINTN i = 0;
  for(; from[i] && i + 1 < size; i++) {
    to[i] = (CHAR16)from[i];
  }
  to[i] = 0;
}

/* A Shell path (fs0:\kernel.efi, or relative to the current folder), else a path on our own volume. */
static EFI_DEVICE_PATH *find_file(const char *name) {
  EFI_GUID shell_guid = EFI_SHELL_PROTOCOL_GUID;
  EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
  EFI_SHELL_PROTOCOL *shell;
  EFI_LOADED_IMAGE *own;
  CHAR16 path[PATH_SIZE];
  widen(name, path, PATH_SIZE);
  if(!EFI_ERROR(BS->LocateProtocol(&shell_guid, NULL, (VOID **)&shell))) {
    return shell->GetDevicePathFromFilePath(path);
  }
  if(!EFI_ERROR(BS->HandleProtocol(session_image(), &image_guid, (VOID **)&own))) {
    return FileDevicePath(own->DeviceHandle, path);
  }
  return NULL;
}

/* The arguments alone, as from a boot option: the Linux EFI stub takes all of it for its command line. */
static EFI_STATUS start_next(const char *name, const char *arguments) {
  EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
  EFI_LOADED_IMAGE *loaded;
  EFI_HANDLE next = NULL;
  static CHAR16 options[OPTIONS_SIZE];
  EFI_DEVICE_PATH *path = find_file(name);
  EFI_STATUS status = path ? BS->LoadImage(FALSE, session_image(), path, NULL, 0, &next) : EFI_NOT_FOUND;
  if(path) {
    FreePool(path);
  }
  if(EFI_ERROR(status)) {
    complain("cannot load '%s': %s; the handoff stays armed ('netdiag handoff --cancel' withdraws it)", name,
             status_text(status));
    return status;
  }
  widen(arguments, options, OPTIONS_SIZE);
  if(*arguments && !EFI_ERROR(BS->HandleProtocol(next, &guid, (VOID **)&loaded))) {
    loaded->LoadOptions = options;
    loaded->LoadOptionsSize = (UINT32)((StrLen(options) + 1U) * sizeof(CHAR16));
  }
  return BS->StartImage(next, NULL, NULL);
}

/* Command -------------------------------------------------------------------------------------------------------- */

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct handoff_options *options = values;
  if(options->live + options->quiet + options->show + options->cancel > 1) {
    complain("handoff: --live, --quiet, --show and --cancel exclude each other");
    return EFI_INVALID_PARAMETER;
  }
  if((options->show || options->cancel) && (word_count > 0 || options->all || options->nic.nic)) {
    complain("handoff: --show and --cancel are for the whole table, and start nothing");
    return EFI_INVALID_PARAMETER;
  }
  if(options->show) {
    return show();
  }
  if(options->cancel) {
    return cancel();
  }
  static char arguments[OPTIONS_SIZE];
  if(word_count > 0 && !args_join(words + 1, word_count - 1, arguments, sizeof(arguments))) {
    complain("handoff: the arguments of %s are too long: at most %u characters", words[0], OPTIONS_SIZE - 1U);
    return EFI_INVALID_PARAMETER;
  }
  EFI_STATUS status = arm_chosen(options);
  return EFI_ERROR(status) || word_count == 0 ? status : start_next(words[0], arguments);
}

static const struct option option_rows[] = {
    {"--live", NULL, OPTION_FLAG, offsetof(struct handoff_options, live), 0, 0, "leave the NIC receiving"},
    {"--quiet", NULL, OPTION_FLAG, offsetof(struct handoff_options, quiet), 0, 0,
     "leave it programmed but off (default)"},
    {"--all", NULL, OPTION_FLAG, offsetof(struct handoff_options, all), 0, 0, "every NIC that the driver knows"},
    {"--show", NULL, OPTION_FLAG, offsetof(struct handoff_options, show), 0, 0, "decode what is published"},
    {"--cancel", NULL, OPTION_FLAG, offsetof(struct handoff_options, cancel), 0, 0, "withdraw it"},
    {"-n", "NIC", OPTION_TEXT, offsetof(struct handoff_options, nic.nic), 0, 0,
     "the NIC: index, PCI location or MAC (default: first)"},
    {"--take", NULL, OPTION_FLAG, offsetof(struct handoff_options, nic.take), 0, 0,
     "take the NIC from the driver that holds it, for good"},
    {"--ring", "N", OPTION_U32, offsetof(struct handoff_options, nic.ring), NET_RING_MIN, NET_RING_MAX,
     "descriptors per ring, a power of two (default 256)"},
    {0},
};

const struct command command_handoff = {
    .name = "handoff",
    .summary = "leaves the NIC, running or ready, to the kernel that comes next",
    .arguments = "[NEXT.EFI [ARGUMENT...]]",
    .details =
        "Publishes a table in the EFI configuration table and starts NEXT.EFI, or returns to the Shell with e1000.efi\n"
        "resident. Write -- before NEXT.EFI if its arguments have dashes.",
    .options = option_rows,
    .values_size = sizeof(struct handoff_options),
    .words_max = POSITIONAL_MAX,
    .run = run,
};
