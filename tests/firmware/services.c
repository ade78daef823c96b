/* services.c - the fake firmware's network services: bindings on every NIC that the stack runs on. */
#include "services_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS    6U
#define MAP_EACH 64U

static const struct service_kind *const kinds[KINDS] = {&mtftp4_kind, &mtftp6_kind, &http_kind,
                                                        &dns4_kind,   &dns6_kind,   &dhcp4_kind};

struct server *server;
static struct node *services;
static const char *missing;

static bool is_missing(const char *name) {
  return missing && strcmp(missing, name) == 0;
}

const struct served_file *served(const char *name) {
  for(UINTN i = 0; i < sizeof(server->files) / sizeof(server->files[0]) && server->files[i].name; i++) {
    if(strcmp(server->files[i].name, name) == 0) {
      return &server->files[i];
    }
  }
  return NULL;
}

/* Children ------------------------------------------------------------------------------------------------------- */

void *child_of_service(const struct service_kind *kind, const void *protocol) {
  for(struct node *node = services; node; node = node->next) {
    for(struct node *child = ((struct service *)node)->children; child; child = child->next) {
      if(((struct service *)node)->kind == kind && ((struct service_child *)child)->protocol == protocol) {
        return child;
      }
    }
  }
  firmware_abort("no such child of a network service", protocol);
}

static EFI_STATUS EFIAPI create_child(EFI_SERVICE_BINDING *this, EFI_HANDLE *handle) {
  struct service *service = (struct service *)((UINT8 *)this - offsetof(struct service, binding));
  char name[40];
  (void)snprintf(name, sizeof(name), "%s.CreateChild", service->kind->name);
  if(fails(strcmp(name, "Http.CreateChild") == 0     ? "Http.CreateChild"
           : strcmp(name, "Mtftp4.CreateChild") == 0 ? "Mtftp4.CreateChild"
                                                     : "Service.CreateChild",
           TPL_CALLBACK)) {
    return EFI_OUT_OF_RESOURCES;
  }
  struct service_child *child = node_new(&service->children, service->kind->size);
  child->service = service;
  child->protocol = (UINT8 *)child + service->kind->protocol_at;
  service->kind->init(child);
  if(EFI_ERROR(install_protocol(&child->handle, &service->kind->protocol, child->protocol))) {
    abort();
  }
  *handle = child->handle;
  return EFI_SUCCESS;
}

static void drop_child(struct service *service, struct service_child *child) {
  service->kind->fini(child);
  (void)uninstall_protocol(child->handle, &service->kind->protocol, child->protocol);
  node_drop(&service->children, child);
}

static EFI_STATUS EFIAPI destroy_child(EFI_SERVICE_BINDING *this, EFI_HANDLE handle) {
  struct service *service = (struct service *)((UINT8 *)this - offsetof(struct service, binding));
  check_service("DestroyChild", TPL_CALLBACK);
  for(struct node *node = service->children; node; node = node->next) {
    if(((struct service_child *)node)->handle == handle) {
      drop_child(service, (struct service_child *)node);
      return EFI_SUCCESS;
    }
  }
  firmware_abort("DestroyChild: no child of this service", handle);
}

/* Life ----------------------------------------------------------------------------------------------------------- */

void services_start(EFI_HANDLE handle) {
  for(UINTN i = 0; server && i < KINDS; i++) {
    if(!is_missing(kinds[i]->name)) {
      struct service *service = node_new(&services, sizeof(*service));
      service->binding = (EFI_SERVICE_BINDING){.CreateChild = create_child, .DestroyChild = destroy_child};
      service->handle = handle;
      service->kind = kinds[i];
      (void)install_protocol(&handle, &kinds[i]->binding, &service->binding);
    }
  }
  if(server && !is_missing("PxeBc")) {
    pxe_start_on(handle);
  }
  if(server && !is_missing("Ip6Config")) {
    ip6_start_on(handle);
  }
}

void services_stop(EFI_HANDLE handle) {
  pxe_stop_on(handle);
  ip6_stop_on(handle);
  for(struct node *node = services; node;) {
    struct service *service = (struct service *)node;
    node = node->next;
    if(service->handle == handle) {
      if(service->children) {
        firmware_abort("the NIC goes, and a child of a network service is left on it", service->kind->name);
      }
      (void)uninstall_protocol(handle, &service->kind->binding, &service->binding);
      node_drop(&services, service);
    }
  }
}

/* A map as a machine with 512 MiB has it, its descriptors longer than the structure, as firmware's are. */
static EFI_STATUS EFIAPI get_memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key, UINTN *each,
                                        UINT32 *version) {
  static const EFI_MEMORY_DESCRIPTOR blocks[] = {
      {.Type = EfiConventionalMemory, .PhysicalStart = 0x1000, .NumberOfPages = 0x9F},
      {.Type = EfiBootServicesData, .PhysicalStart = 0x100000, .NumberOfPages = 0x700},
      {.Type = EfiConventionalMemory, .PhysicalStart = 0x800000, .NumberOfPages = 0x1C000},
  };
  if(fails("GetMemoryMap", TPL_NOTIFY)) {
    return EFI_INVALID_PARAMETER;
  }
  UINTN room = *size;
  *size = MAP_EACH * (sizeof(blocks) / sizeof(blocks[0]));
  *each = MAP_EACH;
  *key = 1;
  *version = EFI_MEMORY_DESCRIPTOR_VERSION;
  if(room < *size) {
    return EFI_BUFFER_TOO_SMALL;
  }
  for(UINTN i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
    memcpy((UINT8 *)map + i * MAP_EACH, &blocks[i], sizeof(blocks[i]));
  }
  return EFI_SUCCESS;
}

void services_add(struct server *with) {
  server = with;
  firmware.boot.GetMemoryMap = get_memory_map;
  if(!is_missing("RamDisk")) {
    disks_begin();
  }
}

void services_without(const char *name) {
  missing = name;
}

UINTN services_left(void) {
  UINTN count = pxe_left() + disks_left();
  for(const struct node *node = services; node; node = node->next) {
    count += node_count(((const struct service *)node)->children);
  }
  return count;
}

void services_end(void) {
  disks_end();
  pxe_forget();
  ip6_forget();
  while(services) {
    struct service *service = (struct service *)services;
    while(service->children) {
      node_drop(&service->children, service->children);
    }
    node_drop(&services, services);
  }
  server = NULL;
  missing = NULL;
}
