/* firmware.c - the fake firmware's life, the checks at the door of every service, and the failures on demand. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct firmware firmware;

_Noreturn void firmware_abort(const char *text, const void *what) {
  (void)fprintf(stderr, "firmware: %s (%p)\n", text, what);
  abort();
}

void check_service(const char *name, EFI_TPL highest) {
  const char *problem = firmware.exiting ? "called inside or after ExitBootServices" : "called at too high a TPL";
  if(firmware.exiting || firmware.tpl > highest) {
    (void)fprintf(stderr, "firmware: %s: %s\n", name, problem);
    abort();
  }
}

bool fails(const char *name, EFI_TPL highest) {
  check_service(name, highest);
  bool named = firmware.fail_name && strcmp(name, firmware.fail_name) == 0 && ++firmware.named >= firmware.fail_nth &&
               firmware.named - firmware.fail_nth < firmware.fail_count;
  if(!named && (++firmware.calls != firmware.fail_at || firmware.shorten)) {
    return false;
  }
  firmware.failed = name;
  return true;
}

void firmware_fail_at(UINTN call, BOOLEAN shorten) {
  firmware.calls = 0;
  firmware.fail_at = call;
  firmware.shorten = shorten;
  firmware.failed = NULL;
}

void firmware_fail_calls(const char *name, UINTN nth, UINTN count) {
  firmware.fail_name = name;
  firmware.fail_nth = nth;
  firmware.fail_count = count;
  firmware.named = 0;
  firmware.failed = NULL;
}

void firmware_fail_call(const char *name, UINTN nth) {
  firmware_fail_calls(name, nth, 1);
}

const char *firmware_failed_call(void) {
  return firmware.failed;
}

/* Lists ---------------------------------------------------------------------------------------------------------- */

void *node_new(struct node **list, size_t size) {
  struct node *node = calloc(1, size);
  if(!node) {
    abort();
  }
  while(*list) {
    list = &(*list)->next;
  }
  *list = node;
  return node;
}

bool node_is_on(const struct node *list, const void *node) {
  while(list && list != node) {
    list = list->next;
  }
  return list != NULL;
}

void node_drop(struct node **list, void *node) {
  while(*list != node) {
    list = &(*list)->next;
  }
  *list = (*list)->next;
  free(node);
}

UINTN node_count(const struct node *list) {
  UINTN count = 0;
  for(; list; list = list->next) {
    count++;
  }
  return count;
}

/* Images --------------------------------------------------------------------------------------------------------- */

static EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;

EFI_HANDLE firmware_load_image(void) {
  EFI_HANDLE handle = NULL;
  EFI_LOADED_IMAGE *image = calloc(1, sizeof(*image));
  if(!image || EFI_ERROR(install_protocol(&handle, &image_guid, image))) {
    abort();
  }
  return handle;
}

void drop_image(EFI_HANDLE handle) {
  EFI_LOADED_IMAGE *image = firmware_interface(handle, image_guid);
  if(EFI_ERROR(uninstall_protocol(handle, &image_guid, image))) {
    firmware_abort("the image is still open", handle);
  }
  free(image);
}

EFI_STATUS firmware_start_image(EFI_STATUS (*entry)(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table),
                                EFI_HANDLE *image) {
  *image = firmware_load_image();
  EFI_STATUS status = entry(*image, &firmware.system);
  if(EFI_ERROR(status)) {
    drop_image(*image);
    *image = NULL;
  }
  return status;
}

EFI_STATUS firmware_unload_image(EFI_HANDLE handle) {
  EFI_LOADED_IMAGE *image = firmware_interface(handle, image_guid);
  if(!image || !image->Unload) {
    return EFI_UNSUPPORTED;
  }
  EFI_STATUS status = image->Unload(handle);
  if(!EFI_ERROR(status)) {
    drop_image(handle);
  }
  return status;
}

/* Life ----------------------------------------------------------------------------------------------------------- */

static EFI_STATUS EFIAPI get_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 *attributes, UINTN *size, VOID *data) {
  (void)name;
  (void)vendor;
  (void)attributes;
  if(fails("GetVariable", TPL_CALLBACK)) {
    return EFI_DEVICE_ERROR;
  }
  if(!firmware.variable) {
    return EFI_NOT_FOUND;
  }
  UINTN room = *size;
  *size = firmware.variable_size;
  if(room < firmware.variable_size) {
    return EFI_BUFFER_TOO_SMALL;
  }
  memcpy(data, firmware.variable, firmware.variable_size);
  return EFI_SUCCESS;
}

void firmware_set_variable(const void *data, UINTN size) {
  firmware.variable = data;
  firmware.variable_size = size;
}

void firmware_begin(void) {
  firmware = (struct firmware){.tpl = TPL_APPLICATION,
                               .now_us = firmware.now_us,
                               .stall_late_every = 3,
                               .next_device = {0x10000000U, 0x280000000U}};
  handles_init(&firmware.boot);
  connect_init(&firmware.boot);
  events_init(&firmware.boot);
  memory_init(&firmware.boot);
  firmware.runtime.GetVariable = get_variable;
  firmware.system.BootServices = &firmware.boot;
  firmware.system.RuntimeServices = &firmware.runtime;
  firmware.system.ConfigurationTable = firmware.tables;
  (void)InitializeLib(NULL, &firmware.system);
}

void firmware_count(struct firmware_counts *counts) {
  memset(counts, 0, sizeof(*counts));
  counts->handles = node_count(firmware.handles);
  for(const struct node *handle = firmware.handles; handle; handle = handle->next) {
    const struct node *protocols = ((const struct handle *)handle)->protocols;
    counts->protocols += node_count(protocols);
    for(; protocols; protocols = protocols->next) {
      counts->opens += node_count(((const struct protocol *)protocols)->opens);
    }
  }
  counts->events = node_count(firmware.events);
  counts->pool = node_count(firmware.pool);
  counts->pages = node_count(firmware.pages);
  counts->buffers = node_count(firmware.buffers);
  counts->mappings = node_count(firmware.mappings);
  counts->tables = firmware.system.NumberOfTableEntries;
}

void firmware_power_off(void) {
  EFI_HANDLE image;
  while((image = firmware_next(image_guid, NULL)) != NULL) {
    drop_image(image);
  }
  nics_free();
  handles_free();
  while(firmware.events) {
    node_drop(&firmware.events, firmware.events);
  }
  memory_free();
}

static void check_left(const char *what, UINTN count, UINTN expected) {
  if(count != expected) {
    (void)fprintf(stderr, "firmware: %s left: %zu\n", what, (size_t)(count - expected));
    abort();
  }
}

void firmware_end(void) {
  struct firmware_counts counts;
  UINTN nics = 0;
  UINTN images = 0;
  for(const struct firmware_nic *nic = firmware.nics; nic; nic = nic->next) {
    nics++;
    if(*firmware_complaint(nic)) {
      firmware_abort(firmware_complaint(nic), nic);
    }
  }
  for(EFI_HANDLE image = NULL; (image = firmware_next(image_guid, image)) != NULL;) {
    images++;
  }
  firmware_count(&counts);
  check_left("TPL", firmware.tpl, TPL_APPLICATION);
  check_left("protocol opens", counts.opens, 0);
  check_left("handles", counts.handles, nics + images);
  check_left("protocols", counts.protocols, 2 * nics + images);
  check_left("events", counts.events, 0);
  check_left("mappings", counts.mappings, 0);
  check_left("DMA buffers", counts.buffers, 0);
  check_left("pool blocks", counts.pool, 0);
  check_left("pages", counts.pages, 0);
  check_left("configuration tables", counts.tables, 0);
  firmware_power_off();
}
