/* cmd_handoff.c - netdiag handoff: leaves the running NIC to the kernel that comes next. */
#include "../driver/efi/binding.h"
#include "../driver/efi/handoff_producer.h"
#include "../driver/net/handoff.h"
#include "lease.h"
#include "netdiag.h"

#include <efishell.h>

#define DRIVER_FILE  L"\\e1000.efi"
#define OPTIONS_SIZE 512U
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
  out("  %s  %u descriptors at 0x%lx, buffers at 0x%lx, head %u published %u tail %u\n", name, ring->count,
      ring->descriptors, ring->buffers, ring->head, ring->published, ring->tail);
}

static void out_ip(const char *name, const UINT8 address[4]) {
  out(" %s %u.%u.%u.%u", name, address[0], address[1], address[2], address[3]);
}

static EFI_STATUS show(void) {
  static const char *const states[] = {"?", "armed, will be quiet", "armed, will be live", "quiet", "live", "lost"};
  static struct net_handoff copy;
  char mac[MAC_TEXT_SIZE];
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
    const struct net_handoff_nic *nic = &copy.nic[i];
    out("%04x:%02x:%02x.%x  %04x:%04x  %s  %s\n", nic->pci_segment, nic->pci_bus, nic->pci_device, nic->pci_function,
        nic->vendor_id, nic->device_id, mac_text(nic->current_mac, mac), states[nic->state]);
    out("  registers at 0x%lx, %lu bytes; INT%c# line %u, MSI at 0x%02x, MSI-X at 0x%02x\n", nic->bar0, nic->bar0_size,
        nic->interrupt_pin ? 'A' + nic->interrupt_pin - 1 : '-', nic->interrupt_line, nic->msi_capability,
        nic->msix_capability);
    out_ring("rx", &nic->rx);
    out_ring("tx", &nic->tx);
    out(" ");
    out_ip("address", nic->ipv4_address);
    out_ip("mask", nic->ipv4_mask);
    out_ip("gateway", nic->ipv4_gateway);
    out("\n");
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

/* Resident driver ------------------------------------------------------------------------------------------------ */

/* The netdiag image goes when it ends; what is to last until ExitBootServices has to be e1000.efi's. */
static EFI_STATUS load_driver(void) {
  EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
  EFI_LOADED_IMAGE *own;
  EFI_HANDLE driver = NULL;
  EFI_STATUS status = BS->HandleProtocol(session_image(), &guid, (VOID **)&own);
  if(EFI_ERROR(status)) {
    return status;
  }
  EFI_DEVICE_PATH *path = FileDevicePath(own->DeviceHandle, DRIVER_FILE);
  status = path ? BS->LoadImage(FALSE, session_image(), path, NULL, 0, &driver) : EFI_OUT_OF_RESOURCES;
  if(path) {
    FreePool(path);
  }
  if(!EFI_ERROR(status)) {
    status = BS->StartImage(driver, NULL, NULL);
  }
  if(EFI_ERROR(status)) {
    complain("e1000.efi is not resident and cannot be loaded from netdiag's volume: %s", status_text(status));
  }
  return status;
}

static EFI_STATUS connect(EFI_HANDLE controller) {
  (void)BS->ConnectController(controller, NULL, NULL, TRUE);
  return binding_find(controller) ? EFI_SUCCESS : EFI_NOT_STARTED;
}

/* A larger ring needs the device made anew. */
static EFI_STATUS resize(EFI_HANDLE controller, uint32_t ring) {
  EFI_GUID guid = E1000_DEVICE_GUID;
  EFI_STATUS status = RT->SetVariable(E1000_RING_VARIABLE, &guid, EFI_VARIABLE_BOOTSERVICE_ACCESS, sizeof(ring), &ring);
  if(!EFI_ERROR(status) && binding_find(controller)) {
    (void)BS->DisconnectController(controller, NULL, NULL);
  }
  return status;
}

static EFI_STATUS make_resident(const struct pci_nic *pci, const struct nic_options *options) {
  EFI_HANDLE holder = pci_find_holder(pci->handle);
  if(holder && !binding_find(pci->handle)) {
    char name[64];
    pci_holder_name(holder, name, sizeof(name));
    complain("the NIC is held by '%s': only e1000.efi can hand it over; start without that driver (QEMU: romfile=)",
             name);
    return EFI_ACCESS_DENIED;
  }
  if(options->ring && (options->ring & (options->ring - 1U))) {
    complain("--ring: not a power of two");
    return EFI_INVALID_PARAMETER;
  }
  EFI_STATUS status = options->ring ? resize(pci->handle, options->ring) : EFI_SUCCESS;
  if(!EFI_ERROR(status) && !binding_find(pci->handle) && EFI_ERROR(connect(pci->handle))) {
    status = load_driver();
    if(!EFI_ERROR(status)) {
      status = connect(pci->handle);
    }
  }
  if(EFI_ERROR(status)) {
    complain("the NIC cannot be brought under e1000.efi: %s", status_text(status));
  }
  return status;
}

/* Arm ------------------------------------------------------------------------------------------------------------ */

static EFI_STATUS arm(const struct pci_nic *pci, const struct handoff_options *options) {
  EFI_STATUS status = make_resident(pci, &options->nic);
  if(EFI_ERROR(status)) {
    return status;
  }
  struct snp_device *device = binding_find(pci->handle);
  UINT8 lease[3][4] = {{0}};
  lease_known(device->nic.netdev->permanent_mac, lease);
  status = handoff_arm(&device->nic, pci, options->live, (const UINT8(*)[4])lease);
  if(EFI_ERROR(status)) {
    complain("no handoff: %s", status_text(status));
  } else {
    out_location(pci);
    out(" will be handed over %s.\n", options->live ? "live" : "quiet");
  }
  return status;
}

static EFI_STATUS arm_chosen(const struct handoff_options *options) {
  struct pci_nic *list;
  UINTN count;
  struct pci_nic chosen;
  if(!options->all) {
    EFI_STATUS status = session_choose(&options->nic, &chosen);
    return EFI_ERROR(status) ? status : arm(&chosen, options);
  }
  EFI_STATUS status = pci_find_nics(&list, &count);
  UINTN armed = 0;
  for(UINTN i = 0; !EFI_ERROR(status) && i < count; i++) {
    if(e1000_model_name(list[i].vendor_id, list[i].device_id)) {
      status = arm(&list[i], options);
      armed++;
    }
  }
  if(list) {
    BS->FreePool(list);
  }
  if(!EFI_ERROR(status) && armed == 0) {
    complain("no NIC that this driver knows");
    return EFI_NOT_FOUND;
  }
  return status;
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

static EFI_STATUS start_next(const char *const *words, int word_count) {
  EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
  EFI_LOADED_IMAGE *loaded;
  EFI_HANDLE next = NULL;
  static CHAR16 options[OPTIONS_SIZE];
  EFI_DEVICE_PATH *path = find_file(words[0]);
  EFI_STATUS status = path ? BS->LoadImage(FALSE, session_image(), path, NULL, 0, &next) : EFI_NOT_FOUND;
  if(path) {
    FreePool(path);
  }
  if(EFI_ERROR(status)) {
    complain("cannot load '%s': %s; the handoff stays armed ('netdiag handoff --cancel' withdraws it)", words[0],
             status_text(status));
    return status;
  }
  /* The arguments alone, as from a boot option: the Linux EFI stub takes all of it for its command line. */
  UINTN at = 0;
  for(int i = 1; i < word_count; i++) {
    widen(words[i], &options[at], OPTIONS_SIZE - at - 1);
    at += StrLen(&options[at]);
    options[at++] = i + 1 < word_count ? L' ' : 0;
  }
  if(at > 0 && !EFI_ERROR(BS->HandleProtocol(next, &guid, (VOID **)&loaded))) {
    loaded->LoadOptions = options;
    loaded->LoadOptionsSize = (UINT32)(at * sizeof(CHAR16));
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
  if(options->show) {
    return show();
  }
  if(options->cancel) {
    return cancel();
  }
  EFI_STATUS status = arm_chosen(options);
  return EFI_ERROR(status) || word_count == 0 ? status : start_next(words, word_count);
}

static const struct option option_rows[] = {
    {"--live", NULL, OPTION_FLAG, offsetof(struct handoff_options, live), 0, 0, "leave the NIC receiving"},
    {"--quiet", NULL, OPTION_FLAG, offsetof(struct handoff_options, quiet), 0, 0,
     "leave it programmed but off (default)"},
    {"--all", NULL, OPTION_FLAG, offsetof(struct handoff_options, all), 0, 0, "every NIC that the driver knows"},
    {"--show", NULL, OPTION_FLAG, offsetof(struct handoff_options, show), 0, 0, "decode what is published"},
    {"--cancel", NULL, OPTION_FLAG, offsetof(struct handoff_options, cancel), 0, 0, "withdraw it"},
    NIC_OPTION_ROWS(struct handoff_options),
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
