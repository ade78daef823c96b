/* start.c - what was fetched, started: an EFI program as a network boot would give it, or a disk image as RAM disk. */
#include "start.h"

#include <string.h>

#include "../console.h"
#include "../image.h"
#include "../session/below.h"
#include "../watchdog.h"
#include "boot_path.h"
#include "pxe.h"
#include "ram_disk.h"

#define OPTIONS_SIZE 2048U /* characters: what the Linux kernel takes on x86 */

static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;

/* Judging -------------------------------------------------------------------------------------------------------- */

EFI_STATUS start_judge(const struct payload *payload, struct kind_found *found) {
  const UINT8 *bytes = (const UINT8 *)(UINTN)payload->file.address;
  UINT64 size = payload->file.size;
  kind_of(bytes, size, START_MACHINE, found);
  if(found->kind == KIND_EFI_OTHER) {
    complain("%s is an EFI program for %s (0x%04x), and this machine is %s", payload->name,
             kind_machine_name(found->machine), found->machine, kind_machine_name(START_MACHINE));
    return EFI_UNSUPPORTED;
  }
  const char *refusal = kind_refusal(found->kind);
  if(*refusal) {
    complain("%s cannot be started: it is %s", payload->name, refusal);
    return EFI_UNSUPPORTED;
  }
  if(found->needs > size) {
    complain("%s is cut short: it has %ju bytes, and says of itself that it needs %ju", payload->name, size,
             found->needs);
    return EFI_END_OF_FILE;
  }
  return EFI_SUCCESS;
}

/* Starting ------------------------------------------------------------------------------------------------------- */

static EFI_STATUS refused(const struct start_plan *plan, EFI_STATUS status) {
  const char *name = plan->payload->name;
  if(status == EFI_ACCESS_DENIED || status == EFI_SECURITY_VIOLATION) {
    complain("Secure Boot refuses %s: sign it with a key that this machine trusts ('make sign'), or switch Secure Boot "
             "off",
             name);
    return EFI_SECURITY_VIOLATION;
  }
  complain("the firmware cannot load %s: %s", name, status_text(status));
  return status;
}

/* The line alone, as from a boot option: the Linux EFI stub takes all of it. */
static void give_options(EFI_HANDLE image, const char *line) {
  static CHAR16 options[OPTIONS_SIZE];
  EFI_LOADED_IMAGE *loaded;
  UINTN i = 0;
  for(; line[i] && i + 1U < OPTIONS_SIZE; i++) {
    options[i] = (CHAR16)line[i];
  }
  options[i] = 0;
  if(i > 0 && !EFI_ERROR(BS->HandleProtocol(image, &image_guid, (VOID **)&loaded))) {
    loaded->LoadOptions = options;
    loaded->LoadOptionsSize = (UINT32)((i + 1U) * sizeof(CHAR16));
  }
}

/* Loads from `source`, or from the path when that is NULL, and starts. */
static EFI_STATUS load_and_start(const struct start_plan *plan, EFI_DEVICE_PATH *path, VOID *source, UINTN size,
                                 EFI_STATUS *result) {
  EFI_HANDLE image = NULL;
  EFI_STATUS status = BS->LoadImage(FALSE, image_handle(), path, source, size, &image);
  if(status == EFI_SECURITY_VIOLATION && image) {
    (void)BS->UnloadImage(image); /* loaded, and not to be started */
  }
  if(EFI_ERROR(status)) {
    return status == EFI_NOT_FOUND && !source ? status : refused(plan, status);
  }
  give_options(image, plan->command_line);
  out("Starting %s%s%s\n", plan->payload->name, *plan->command_line ? " " : "", plan->command_line);
  /* As if in our place. If it comes back, we run on. */
  bool armed = watchdog_give_back();
  *result = BS->StartImage(image, NULL, NULL);
  if(armed) {
    watchdog_stop();
  }
  return EFI_SUCCESS;
}

/* An EFI program ------------------------------------------------------------------------------------------------- */

static EFI_STATUS start_on(const struct start_plan *plan, EFI_DEVICE_PATH *path, EFI_STATUS *result) {
  const struct fetch_result *file = &plan->payload->file;
  if(!path) {
    complain("the NIC's handle has no device path to start %s with", plan->payload->name);
    return EFI_DEVICE_ERROR;
  }
  return load_and_start(plan, path, (VOID *)(UINTN)file->address, (UINTN)file->size, result);
}

/* On a handle of its own with the path that HTTP boot would give it. */
static EFI_STATUS start_http(const struct start_plan *plan, const struct url *url, EFI_STATUS *result) {
  EFI_DEVICE_PATH *path = boot_path(plan->uplink->pci.handle, &plan->uplink->lease, url, plan->payload->file.url);
  EFI_HANDLE handle = NULL;
  if(!path) {
    complain("no memory for the device path of %s", plan->payload->name);
    return EFI_OUT_OF_RESOURCES;
  }
  EFI_STATUS status = BS->InstallProtocolInterface(&handle, &path_guid, EFI_NATIVE_INTERFACE, path);
  if(EFI_ERROR(status)) {
    complain("no handle for %s: %s", plan->payload->name, status_text(status));
    FreePool(path);
    return status;
  }
  status = start_on(plan, path, result);
  EFI_STATUS removed = BS->UninstallProtocolInterface(handle, &path_guid, path);
  if(EFI_ERROR(removed)) {
    complain("the device path of %s is still in use, and stays: %s", plan->payload->name, status_text(removed));
  } else {
    FreePool(path);
  }
  return status;
}

/* On PXE's handle, which has the packets that name the server. Without PXE in the firmware, as by HTTP. */
static EFI_STATUS start_tftp(const struct start_plan *plan, const struct url *url, EFI_STATUS *result) {
  char file[URL_TEXT_SIZE];
  struct pxe pxe;
  if(plan->payload->file.ipv6 || !url_file(url, file, sizeof(file)) ||
     EFI_ERROR(pxe_find(&pxe, plan->uplink->pci.handle))) {
    return start_http(plan, url, result);
  }
  if(!plan->asked) {
    EFI_STATUS status = pxe_begin(&pxe, &plan->uplink->lease, plan->mac, plan->payload->file.server, file);
    if(EFI_ERROR(status)) {
      return status;
    }
  }
  EFI_STATUS status = start_on(plan, DevicePathFromHandle(pxe.handle), result);
  pxe_end(&pxe);
  return status;
}

static EFI_STATUS start_program(const struct start_plan *plan, EFI_STATUS *result) {
  struct url url;
  const char *problem = url_parse(plan->payload->file.url, &url);
  if(problem) {
    complain("%s: %s", plan->payload->file.url, problem);
    return EFI_INVALID_PARAMETER;
  }
  if(plan->payload->file.ipv6) { /* also where the URL has a name */
    url.host_kind = URL_HOST_IPV6;
    memcpy(url.ipv6, plan->payload->file.server6, sizeof(url.ipv6));
  }
  return url.scheme == URL_TFTP ? start_tftp(plan, &url, result) : start_http(plan, &url, result);
}

/* A disk image --------------------------------------------------------------------------------------------------- */

/* On each file system of the image in turn. EFI_NOT_FOUND when none has the file. */
static EFI_STATUS start_from(const struct start_plan *plan, const struct ram_disk *disk, EFI_STATUS *result) {
  EFI_HANDLE handles[RAM_DISK_VOLUMES];
  UINTN count = ram_disk_volumes(disk, handles);
  EFI_STATUS status = EFI_NOT_FOUND;
  for(UINTN i = 0; i < count && status == EFI_NOT_FOUND; i++) {
    EFI_DEVICE_PATH *path = FileDevicePath(handles[i], START_FILE);
    status = path ? load_and_start(plan, path, NULL, 0, result) : EFI_OUT_OF_RESOURCES;
    if(path) {
      FreePool(path);
    }
  }
  if(status == EFI_NOT_FOUND) {
    complain("%s has nothing to start: %s in the image", plan->payload->name,
             count > 0 ? "there is no " START_NAME : "there is no file system that this firmware reads");
  }
  return status;
}

static EFI_STATUS start_disk(const struct start_plan *plan, EFI_STATUS *result) {
  struct ram_disk disk;
  EFI_STATUS status = ram_disk_register(&disk, plan->payload, plan->kind == KIND_CD);
  if(EFI_ERROR(status)) {
    return status;
  }
  status = start_from(plan, &disk, result);
  ram_disk_unregister(&disk, plan->payload->name);
  return status;
}

EFI_STATUS start(const struct start_plan *plan, EFI_STATUS *result) {
  *result = EFI_SUCCESS;
  return plan->kind == KIND_EFI ? start_program(plan, result) : start_disk(plan, result);
}
