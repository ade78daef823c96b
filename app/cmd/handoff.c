/* handoff.c - netdiag handoff: leaves the running NIC to the kernel that comes next. */
#include "../../driver/efi/remote.h"
#include "../../driver/efi/handoff_producer.h"
#include "../session/lease.h"
#include "../netdiag.h"
#include "handoff_show.h"
#include "../image.h"
#include "../session/resident.h"
#include "../watchdog.h"

#include <efishell.h>
#include <string.h>

#define OPTIONS_SIZE 2048U /* characters: what the Linux kernel takes on x86 */
#define PATH_SIZE    256U

struct handoff_options {
  struct nic_options nic;
  bool live;
  bool quiet;
  bool all;
  bool show;
  bool cancel;
  bool dhcp;
  bool json;
};

static EFI_STATUS cancel(void) {
  struct pci_nic *list;
  UINTN count;
  if(!handoff_find()) {
    out("No handoff is published.\n");
    return EFI_SUCCESS;
  }
  EFI_STATUS status = pci_find_nics(&list, &count);
  for(UINTN i = 0; !EFI_ERROR(status) && i < count; i++) {
    NET_RESIDENT_PROTOCOL *resident = remote_find(list[i].handle);
    if(resident) {
      (void)resident->DisarmHandoff(resident);
    }
  }
  if(list) {
    BS->FreePool(list);
  }
  if(handoff_find()) {
    complain("the table stays: it belongs to NICs that this driver does not hold");
    return EFI_ACCESS_DENIED;
  }
  out("Handoff withdrawn. The driver stays and holds the NIC; 'unload' in the Shell removes it.\n");
  return EFI_SUCCESS;
}

/* Arm ------------------------------------------------------------------------------------------------------------ */

/* Asked for first: with rings of another size the stack above the NIC starts again, without an address. */
static EFI_STATUS get_lease(const struct pci_nic *pci, const struct handoff_options *options,
                            struct net_handoff_lease *lease) {
  EFI_STATUS status = EFI_SUCCESS;
  struct inet_host host = lease_known(pci);
  bool ask = options->dhcp && host.address == 0;
  if(ask && !remote_find(pci->handle)) {
    status = session_may_take(pci, options->nic.take);
  }
  if(ask && !EFI_ERROR(status)) {
    status = lease_get(pci, session_link_wait_us(&options->nic), &host);
  }
  lease_pack(&host, lease);
  if(host.address != 0 && ask) {
    lease->origin = NET_HANDOFF_LEASE_DHCP; /* the policy is what it was before */
  } else {
    lease_origin(pci, lease);
  }
  return status;
}

static EFI_STATUS arm(const struct pci_nic *pci, const struct handoff_options *options) {
  struct net_handoff_lease lease = {0};
  EFI_STATUS status = get_lease(pci, options, &lease);
  if(!EFI_ERROR(status)) {
    status = resident_bind(pci, &options->nic);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  NET_RESIDENT_PROTOCOL *resident = remote_find(pci->handle);
  const NET_RESIDENT_LEASE given = remote_lease(&lease);
  status = resident ? resident->ArmHandoff(resident, options->live, &given) : EFI_NOT_STARTED;
  if(status == EFI_INCOMPATIBLE_VERSION) {
    complain("no handoff: the table that is published was not made by this version ('netdiag handoff --show')");
  } else if(EFI_ERROR(status)) {
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
  if(!EFI_ERROR(BS->HandleProtocol(image_handle(), &image_guid, (VOID **)&own))) {
    return FileDevicePath(own->DeviceHandle, path);
  }
  return NULL;
}

static const char *remedy(EFI_STATUS status) {
  switch(status) {
  case EFI_NOT_FOUND:
    return ", there is no such file: give its path, such as fs0:\\kernel.efi";
  case EFI_UNSUPPORTED:
  case EFI_LOAD_ERROR:
    return ", it is no UEFI program for this machine: a kernel needs its EFI stub, or a loader such as GRUB";
  default:
    return image_remedy(status);
  }
}

/* The arguments alone, as from a boot option: the Linux EFI stub takes all of it for its command line. */
static EFI_STATUS start_next(const char *name, const char *arguments) {
  EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
  EFI_LOADED_IMAGE *loaded;
  EFI_HANDLE next = NULL;
  static CHAR16 options[OPTIONS_SIZE];
  EFI_DEVICE_PATH *path = find_file(name);
  EFI_STATUS status = path ? image_load(path, &next) : EFI_NOT_FOUND;
  if(path) {
    FreePool(path);
  }
  if(EFI_ERROR(status)) {
    complain("cannot load '%s': %s%s; the handoff stays armed ('netdiag handoff --cancel' withdraws it)", name,
             status_text(status), remedy(status));
    return status;
  }
  widen(arguments, options, OPTIONS_SIZE);
  if(*arguments && !EFI_ERROR(BS->HandleProtocol(next, &guid, (VOID **)&loaded))) {
    loaded->LoadOptions = options;
    loaded->LoadOptionsSize = (UINT32)((StrLen(options) + 1U) * sizeof(CHAR16));
  }
  /* Started as if in our place. If it comes back, we run on. */
  bool armed = watchdog_give_back();
  status = BS->StartImage(next, NULL, NULL);
  if(armed) {
    watchdog_stop();
  }
  return status;
}

/* Command -------------------------------------------------------------------------------------------------------- */

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  const struct handoff_options *options = values;
  if(options->live + options->quiet + options->show + options->cancel > 1) {
    complain("handoff: --live, --quiet, --show and --cancel exclude each other");
    return EFI_INVALID_PARAMETER;
  }
  if((options->show || options->cancel) && (word_count > 0 || options->all || options->dhcp || options->nic.nic)) {
    complain("handoff: --show and --cancel are for the whole table, and start nothing");
    return EFI_INVALID_PARAMETER;
  }
  if(options->json && !options->show) {
    complain("handoff: --json is for --show");
    return EFI_INVALID_PARAMETER;
  }
  if(options->show) {
    return handoff_show();
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
    {"--dhcp", NULL, OPTION_FLAG, offsetof(struct handoff_options, dhcp), 0, 0,
     "get an address first, if the firmware has none, and hand it over as well"},
    {"--link-wait", "SECONDS", OPTION_U32, offsetof(struct handoff_options, nic.link_wait), 1, LINK_WAIT_MAX_S,
     "for --dhcp: how long to wait for a link (default 5)"},
    {"-n", "NIC", OPTION_TEXT, offsetof(struct handoff_options, nic.nic), 0, 0,
     "the NIC: eth0, PCI location or MAC (default: first)"},
    {"--take", NULL, OPTION_FLAG, offsetof(struct handoff_options, nic.take), 0, 0,
     "take the NIC from the driver that holds it, for good"},
    {"--ring", "N", OPTION_U32, offsetof(struct handoff_options, nic.ring), NET_RING_MIN, NET_RING_MAX,
     "descriptors per ring, a power of two (default 256)"},
    JSON_OPTION_ROW(struct handoff_options),
    {0},
};

const struct command command_handoff = {
    .name = "handoff",
    .summary = "leaves the NIC, running or ready, to the kernel that comes next",
    .arguments = "[NEXT.EFI [ARGUMENT...]]",
    .details = "Publishes a table in the EFI configuration table and starts NEXT.EFI, or returns to the Shell with the "
               "NIC's driver resident. Write -- before NEXT.EFI if its arguments have dashes.",
    .examples = {"handoff --live kernel.efi", "handoff --show --json",
                 "handoff --quiet --dhcp -- kernel.efi --root /dev/sda1"},
    .options = option_rows,
    .values_size = sizeof(struct handoff_options),
    .words_max = POSITIONAL_MAX,
    .run = run,
};
