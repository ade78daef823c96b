/* fetch.c - the boot file, by the firmware's own stack as a network boot would fetch it, and whether it could start. */
#include "doctor.h"

#include <string.h>

#include "../../driver/lib/bytes.h"
#include "../capture/capture.h"
#include "../image.h"
#include "../session/below.h"
#include "../session/lease.h"
#include "../session/uplink.h"
#include "../stage/payload.h"
#include "finding.h"
#include "pe.h"

#define PROGRESS_US    2000000U
#define KIB            1024U
#define US_PER_MS      1000U
#define HTTP_NOT_FOUND 404U
#define TFTP_NOT_FOUND 1U
#define FILE_NAME      L"\\BOOT.EFI"

struct watching {
  struct doctor *doctor;
  UINT64 told_us;
};

/* A line now and then for what takes long; Esc ends it. */
static bool watch(void *ctx, const struct fetch_progress *progress) {
  struct watching *watching = ctx;
  if(console_aborted()) {
    watching->doctor->evidence.aborted = DOCTOR_YES;
    return false;
  }
  if(progress->step == FETCH_TRANSFER && progress->time_us >= watching->told_us + PROGRESS_US) {
    watching->told_us = progress->time_us;
    out("%22s%ju of %ju KiB\n", "", progress->done / KIB, progress->size / KIB);
  }
  return true;
}

/* What became of it, in the words of the evidence. */
static enum doctor_fetch verdict_of(const struct fetch_result *result) {
  if(result->http_status == HTTP_NOT_FOUND || result->tftp_error == TFTP_NOT_FOUND + 1U) {
    return DOCTOR_FETCH_NOT_FOUND;
  }
  if(result->http_status >= 400U || result->tftp_error > 0) {
    return DOCTOR_FETCH_REFUSED;
  }
  if(result->step == FETCH_NAME && result->status != EFI_UNSUPPORTED) {
    return DOCTOR_FETCH_NO_NAME;
  }
  switch(result->status) {
  case EFI_SUCCESS:
    return DOCTOR_FETCH_WHOLE;
  case EFI_OUT_OF_RESOURCES:
  case EFI_BAD_BUFFER_SIZE:
    return DOCTOR_FETCH_TOO_LARGE;
  case EFI_UNSUPPORTED:
  case EFI_INVALID_PARAMETER:
  case EFI_NOT_FOUND:
    return DOCTOR_FETCH_UNSUPPORTED;
  default:
    break;
  }
  if(result->step == FETCH_TRANSFER) {
    return DOCTOR_FETCH_STOPPED;
  }
  return result->status == EFI_TIMEOUT ? DOCTOR_FETCH_NO_ANSWER : DOCTOR_FETCH_PORT_CLOSED;
}

/* Secure Boot is asked, not reckoned: the firmware loads the file as if it were to be started, and is told to forget
 * it. EFI_SECURITY_VIOLATION is loaded and may not be started (UEFI 2.10, 7.4.1). The path says that it came over the
 * NIC, which decides what policy it is measured by. */
static void try_load(struct doctor *doctor, const struct fetch_result *file) {
  struct doctor_evidence *evidence = &doctor->evidence;
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  struct below nic;
  EFI_HANDLE image = NULL;
  EFI_HANDLE device = below_find(doctor->pci.handle, &guid, &nic, 1) > 0 ? nic.handle : doctor->pci.handle;
  EFI_DEVICE_PATH *path = FileDevicePath(device, (CHAR16 *)FILE_NAME);
  if(!path) {
    return;
  }
  EFI_STATUS status =
      BS->LoadImage(FALSE, image_handle(), path, (VOID *)(UINTN)file->address, (UINTN)file->size, &image);
  if(status == EFI_ACCESS_DENIED || status == EFI_SECURITY_VIOLATION) {
    evidence->load = DOCTOR_LOAD_REFUSED;
  } else {
    evidence->load = EFI_ERROR(status) ? DOCTOR_LOAD_FAILED : DOCTOR_LOAD_ACCEPTED;
  }
  if((!EFI_ERROR(status) || status == EFI_SECURITY_VIOLATION) && image) {
    (void)BS->UnloadImage(image);
  }
  FreePool(path);
}

static void see_secure_boot(struct doctor_evidence *evidence) {
  EFI_GUID global = EFI_GLOBAL_VARIABLE;
  UINT8 on;
  UINTN size = sizeof(on);
  EFI_STATUS status = RT->GetVariable((CHAR16 *)L"SecureBoot", &global, NULL, &size, &on);
  if(!EFI_ERROR(status)) {
    evidence->secure_boot = on ? DOCTOR_YES : DOCTOR_NO;
  } else if(status == EFI_NOT_FOUND) {
    evidence->secure_boot = DOCTOR_NO;
  }
}

static EFI_STATUS fetch_file(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  struct watching watching = {.doctor = doctor};
  struct fetch_result result;
  const struct fetch_request request = {.controller = doctor->pci.handle,
                                        .url = evidence->url,
                                        .memory = EfiLoaderData,
                                        .watch = watch,
                                        .ctx = &watching};
  EFI_STATUS status = fetch(&request, &result);
  if(evidence->aborted == DOCTOR_YES) {
    fetch_free(&result);
    return EFI_ABORTED;
  }
  evidence->fetch = verdict_of(&result);
  evidence->fetch_bytes = result.size;
  evidence->fetch_ms = result.time_us / US_PER_MS;
  evidence->fetch_code = result.http_status ? result.http_status : result.tftp_error ? result.tftp_error - 1U : 0;
  evidence->retransmissions = result.timeouts + result.retries;
  evidence->fetch_text[0] = '\0';
  doctor_append(evidence->fetch_text, sizeof(evidence->fetch_text), "%s", result.error);
  doctor_step(doctor, DOCTOR_FETCH);
  if(!EFI_ERROR(status)) {
    struct pe_view view;
    pe_look((const VOID *)(UINTN)result.address, (size_t)result.size, DOCTOR_PE_MACHINE, &view);
    evidence->file = view.kind;
    evidence->file_machine = view.machine;
    evidence->own_machine = DOCTOR_PE_MACHINE;
    evidence->file_signed = view.has_signature ? DOCTOR_YES : DOCTOR_NO;
    see_secure_boot(evidence);
    doctor_step(doctor, DOCTOR_IMAGE);
    if(view.kind == DOCTOR_FILE_IMAGE) {
      try_load(doctor, &result);
    }
  } else {
    doctor_step(doctor, DOCTOR_IMAGE);
  }
  doctor_step(doctor, DOCTOR_SECURE);
  fetch_free(&result);
  return EFI_SUCCESS;
}

/* The address that was acknowledged, with its name servers, or given by hand; what the firmware has already serves as
 * well. For a URL with an IPv6 address one of those, too. */
static EFI_STATUS give_address(struct doctor *doctor, struct uplink *uplink) {
  const struct doctor_evidence *evidence = &doctor->evidence;
  struct net_handoff_lease lease = {0};
  struct inet_host wanted = {0};
  if(lease_known(&doctor->pci).address == 0) {
    wanted.address = evidence->address;
    wanted.mask = evidence->mask;
    wanted.gateway = evidence->gateway;
  }
  EFI_STATUS status = payload_address(uplink, evidence->url, &wanted);
  if(!EFI_ERROR(status) && wanted.address && evidence->by_hand != DOCTOR_YES) {
    for(UINT32 i = 0; i < DOCTOR_DNS; i++) {
      put32(lease.dns[i], evidence->offers[doctor->chosen].dns[i]);
    }
    uplink_name_servers(uplink, &lease);
  }
  return status;
}

EFI_STATUS doctor_fetch(struct doctor *doctor) {
  struct doctor_evidence *evidence = &doctor->evidence;
  struct uplink uplink;
  EFI_STATUS status = uplink_open(&uplink, &doctor->options->nic, false);
  if(EFI_ERROR(status)) {
    doctor_see_stack(doctor);
    doctor_step(doctor, DOCTOR_STACK);
    return console_aborted() ? EFI_ABORTED : EFI_SUCCESS;
  }
  capture_follow(doctor->capture, &uplink.pci);
  doctor_see_stack(doctor);
  doctor_step(doctor, DOCTOR_STACK);
  if(evidence->stack_ip4 == DOCTOR_YES && doctor_may(doctor, DOCTOR_FETCH)) {
    status = give_address(doctor, &uplink);
    status = EFI_ERROR(status) ? status : fetch_file(doctor);
  }
  doctor_release_beside(doctor);
  capture_leave(doctor->capture);
  uplink_close(&uplink);
  if(status == EFI_ABORTED) {
    evidence->aborted = DOCTOR_YES;
    return status;
  }
  return EFI_SUCCESS;
}
