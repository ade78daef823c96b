/* doctor.c - netdiag doctor: walks what a network boot needs, and says where it breaks. */
#include "../capture/capture.h"
#include "../doctor/doctor.h"
#include "../doctor/finding.h"

#include <string.h>

#include "../session/below.h"
#include "../stage/url.h"
#include "efi/managed_network.h"

/* What a cause comes to, as an exit status. */
static EFI_STATUS status_of(enum doctor_class class) {
  switch(class) {
  case DOCTOR_CLASS_NONE:
    return EFI_SUCCESS;
  case DOCTOR_CLASS_NOT_FOUND:
    return EFI_NOT_FOUND;
  case DOCTOR_CLASS_UNSUPPORTED:
    return EFI_UNSUPPORTED;
  case DOCTOR_CLASS_DEVICE:
    return EFI_DEVICE_ERROR;
  case DOCTOR_CLASS_NO_LINK:
    return EFI_NO_MEDIA;
  case DOCTOR_CLASS_NO_ANSWER:
    return EFI_TIMEOUT;
  case DOCTOR_CLASS_NETWORK:
    return EFI_PROTOCOL_ERROR;
  case DOCTOR_CLASS_IMAGE:
    return EFI_LOAD_ERROR;
  case DOCTOR_CLASS_SECURITY:
    return EFI_SECURITY_VIOLATION;
  case DOCTOR_CLASS_ABORTED:
    break;
  }
  return EFI_ABORTED;
}

/* Machine -------------------------------------------------------------------------------------------------------- */

/* The NIC to look at: the one that is named, else the first that netdiag or somebody's driver can drive, else the first
 * of all, of which not much more can be said. */
static EFI_STATUS choose(struct doctor *doctor) {
  struct nic_options options = doctor->options->nic;
  struct pci_nic *list;
  UINTN count;
  bool usable = options.nic != NULL;
  EFI_STATUS status = pci_find_nics(&list, &count);
  if(EFI_ERROR(status)) {
    complain("cannot enumerate the PCI bus: %s", status_text(status));
    return status;
  }
  doctor->evidence.nics = (uint32_t)count;
  for(UINTN i = 0; i < count && !usable; i++) {
    usable = pci_model_name(&list[i]) || share_possible(&list[i]);
  }
  if(usable) {
    status = session_choose(&options, &doctor->pci);
  } else if(count > 0) {
    doctor->pci = list[0];
  }
  if(list) {
    BS->FreePool(list);
  }
  return status;
}

/* A driver that nobody's stack runs on leaves no way for frames. */
static bool can_talk(const struct doctor *doctor) {
  EFI_GUID guid = EFI_MANAGED_NETWORK_SERVICE_BINDING_PROTOCOL_GUID;
  return doctor->evidence.holder == DOCTOR_NOBODY || doctor->options->nic.take ||
         below_protocol(doctor->pci.handle, &guid);
}

static void see_mac(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  const struct netdev *dev = doctor->session.netdev;
  struct nic_sight sight;
  session_look(&doctor->pci, &sight);
  if(dev) {
    memcpy(evidence->mac, dev->mac, sizeof(evidence->mac));
    memcpy(evidence->permanent_mac, dev->permanent_mac, sizeof(evidence->permanent_mac));
    evidence->mac_seen = DOCTOR_YES;
  } else if(sight.has_mac) {
    memcpy(evidence->mac, sight.mac, sizeof(evidence->mac));
    evidence->mac_seen = DOCTOR_YES;
  }
  if(sight.has_link && !dev) {
    evidence->link = sight.link.up ? DOCTOR_YES : DOCTOR_NO;
  }
  doctor_see_twin(doctor);
}

/* Wire ----------------------------------------------------------------------------------------------------------- */

static EFI_STATUS walk_network(struct doctor *doctor) {
  EFI_STATUS status = doctor_try_address(doctor);
  if(EFI_ERROR(status)) {
    return status;
  }
  doctor_step(doctor, DOCTOR_ADDRESS);
  status = doctor_ask_gateway(doctor);
  if(EFI_ERROR(status)) {
    return status;
  }
  doctor_step(doctor, DOCTOR_BOOTFILE);
  if(doctor_may(doctor, DOCTOR_SERVER)) {
    status = doctor_reach_server(doctor);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  doctor_step(doctor, DOCTOR_SERVER);
  if(doctor_may(doctor, DOCTOR_PATH)) {
    status = doctor_measure_path(doctor);
  }
  if(!EFI_ERROR(status)) {
    doctor_step(doctor, DOCTOR_PATH);
  }
  return status;
}

static EFI_STATUS walk_wire(struct doctor *doctor) {
  EFI_STATUS status = doctor_wait_for_link(doctor);
  if(EFI_ERROR(status)) {
    return status;
  }
  doctor_see_partner(doctor);
  doctor_step(doctor, DOCTOR_LINK);
  if(doctor_may(doctor, DOCTOR_IN)) {
    status = doctor_ask_dhcp(doctor);
    status = EFI_ERROR(status) ? status : doctor_request(doctor);
    status = EFI_ERROR(status) ? status : doctor_listen(doctor);
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  doctor_choose_url6(doctor);
  doctor_step(doctor, DOCTOR_AGREE);
  status = doctor_may(doctor, DOCTOR_ADDRESS) ? walk_network(doctor) : EFI_SUCCESS;
  doctor_count(doctor);
  return status;
}

/* Whether there is a boot file to fetch, and a way to it. */
static bool may_fetch(const struct doctor *doctor) {
  return doctor->evidence.url[0] && doctor_may(doctor, DOCTOR_PATH) &&
         doctor->findings[DOCTOR_PATH].verdict != DOCTOR_FAIL;
}

/* With a session: netdiag drives the NIC, or shares it. */
static EFI_STATUS with_session(struct doctor *doctor) {
  EFI_STATUS status = doctor_begin_talk(doctor);
  if(EFI_ERROR(status)) {
    return status;
  }
  see_mac(doctor);
  doctor_see_nvm(doctor);
  doctor_see_memory(doctor);
  doctor_step(doctor, DOCTOR_MEMORY);
  return walk_wire(doctor);
}

static EFI_STATUS look_and_talk(struct doctor *doctor) {
  struct nic_options options = doctor->options->nic;
  if(!can_talk(doctor)) {
    see_mac(doctor);
    doctor_see_memory(doctor);
    return EFI_SUCCESS;
  }
  EFI_STATUS status = session_open(&doctor->session, &options);
  if(EFI_ERROR(status) && status != EFI_ACCESS_DENIED) { /* which is about who may have it */
    doctor->evidence.started = DOCTOR_NO;
    doctor_append(doctor->evidence.start_error, sizeof(doctor->evidence.start_error), "%s", status_text(status));
    return EFI_SUCCESS;
  }
  if(EFI_ERROR(status)) {
    return status;
  }
  status = capture_begin(&doctor->capture, &doctor->session, doctor->options->capture);
  if(!EFI_ERROR(status)) {
    status = with_session(doctor);
    if(EFI_ERROR(status) || !may_fetch(doctor)) {
      doctor_release(doctor); /* else it is needed still */
    }
    capture_leave(doctor->capture);
  }
  if(doctor->session.netdev && doctor->session.netdev->state == NETDEV_GONE) {
    doctor->evidence.gone = DOCTOR_YES;
    status = EFI_SUCCESS;
  }
  EFI_STATUS closed = session_close(&doctor->session);
  return EFI_ERROR(status) ? status : closed;
}

/* Command -------------------------------------------------------------------------------------------------------- */

static EFI_STATUS examine(struct doctor *doctor) {
  EFI_STATUS status = choose(doctor);
  if(EFI_ERROR(status) || doctor->evidence.nics == 0) {
    return status;
  }
  doctor_see_driver(doctor);
  doctor_step(doctor, DOCTOR_DRIVER);
  if(!doctor_may(doctor, DOCTOR_DRIVER)) {
    return EFI_SUCCESS;
  }
  status = look_and_talk(doctor);
  if(EFI_ERROR(status)) {
    return status;
  }
  doctor_step(doctor, DOCTOR_PATH);
  if(may_fetch(doctor)) {
    status = doctor_fetch(doctor);
  } else {
    doctor_see_stack(doctor);
  }
  if(!EFI_ERROR(status)) {
    doctor_see_boot_order(doctor);
    doctor_step(doctor, DOCTOR_ORDER);
  }
  return status;
}

static EFI_STATUS run(const void *values, const char *const *words, int word_count) {
  struct doctor_options options = *(const struct doctor_options *)values;
  (void)words;
  (void)word_count;
  options.nic.allow_foreign = true;
  struct url url;
  const char *problem = options.url ? url_parse(options.url, &url) : NULL;
  if(problem) {
    complain("doctor: --url '%s': %s", options.url, problem);
    return EFI_INVALID_PARAMETER;
  }
  struct doctor *doctor = AllocateZeroPool(sizeof(*doctor));
  if(!doctor) {
    complain("out of memory");
    return EFI_OUT_OF_RESOURCES;
  }
  doctor->options = &options;
  console_begin();
  EFI_STATUS status = examine(doctor);
  EFI_STATUS captured = capture_end(doctor->capture);
  bool judged = !EFI_ERROR(status) || doctor->evidence.aborted == DOCTOR_YES;
  if(!EFI_ERROR(status)) {
    doctor->evidence.reached = DOCTOR_CHECKS;
  }
  if(judged) {
    EFI_STATUS found = status_of(doctor_end(doctor));
    status = EFI_ERROR(found) ? found : EFI_ERROR(status) ? status : captured;
  }
  FreePool(doctor);
  return status;
}

static const struct option option_rows[] = {
    {"--listen", "SECONDS", OPTION_U32, offsetof(struct doctor_options, listen_s), 1, 3600,
     "listen at least so long: switches speak every 30 or 60 s"},
    {"--url", "URL", OPTION_TEXT, offsetof(struct doctor_options, url), 0, 0,
     "the boot file to check, tftp:// or http:// (default: DHCP's)"},
    {"--addr", "A.B.C.D/LEN", OPTION_CIDR, offsetof(struct doctor_options, address), 0, 0,
     "our own address; DHCP is not asked then"},
    {"--gw", "A.B.C.D", OPTION_IPV4, offsetof(struct doctor_options, gateway), 0, 0, "gateway to other networks"},
    CAPTURE_OPTION_ROW(struct doctor_options),
    NIC_OPTION_ROWS(struct doctor_options),
    JSON_OPTION_ROW(struct doctor_options),
    {0},
};

const struct command command_doctor = {
    .name = "doctor",
    .summary = "where a network boot breaks, step by step, and what to do about it",
    .arguments = "",
    .details =
        "A line a step: ok, warn, FAIL with the remedy, skipped (what it needs failed), not seen (which does not "
        "say that it is not there). The last line is the diagnosis. Exits with EFI_SUCCESS when a boot would get "
        "as far as its boot file, else with what the cause comes to ('netdiag help status').",
    .examples = {"doctor", "doctor --listen 60", "doctor --addr 10.0.0.9/24 --url tftp://10.0.0.2/boot.efi"},
    .options = option_rows,
    .values_size = sizeof(struct doctor_options),
    .run = run,
};
