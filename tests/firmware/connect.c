/* connect.c - the fake firmware's ConnectController and DisconnectController (UEFI 2.10, 7.3.12 and 7.3.13). */
#include "internal.h"

#define AGENTS_MAX   8U
#define CHILDREN_MAX 8U

static EFI_GUID binding_guid = EFI_DRIVER_BINDING_PROTOCOL_GUID;

/* Agents that manage the controller (BY_DRIVER), or the children that one of them made (BY_CHILD_CONTROLLER). */
static UINTN collect(EFI_HANDLE controller, EFI_HANDLE agent, UINT32 attributes, EFI_HANDLE found[], UINTN max) {
  UINTN count = 0;
  for(const struct node *p = ((struct handle *)controller)->protocols; p; p = p->next) {
    for(const struct node *o = ((const struct protocol *)p)->opens; o; o = o->next) {
      const struct open *open = (const struct open *)o;
      if((open->attributes & attributes) && (!agent || open->agent == agent)) {
        if(count == max) {
          firmware_abort("more agents or children than are modelled", controller);
        }
        found[count++] = attributes == EFI_OPEN_PROTOCOL_BY_DRIVER ? open->agent : open->controller;
      }
    }
  }
  return count;
}

static void check_tpl(EFI_TPL before, const void *binding) {
  if(firmware.tpl != before) {
    firmware_abort("a driver binding function returned at another TPL", binding);
  }
}

static EFI_STATUS try_driver(EFI_HANDLE agent, EFI_HANDLE controller) {
  EFI_DRIVER_BINDING_PROTOCOL *binding = firmware_interface(agent, binding_guid);
  EFI_TPL before = firmware.tpl;
  EFI_STATUS status = binding ? binding->Supported(binding, controller, NULL) : EFI_UNSUPPORTED;
  if(!EFI_ERROR(status)) {
    status = binding->Start(binding, controller, NULL);
  }
  check_tpl(before, binding);
  return status;
}

static bool is_listed(EFI_HANDLE *list, EFI_HANDLE agent) {
  while(list && *list && *list != agent) {
    list++;
  }
  return list && *list;
}

/* The drivers in the list (ends with NULL) come first, then all others, each once; with `recursive` the children. */
static EFI_STATUS connect(EFI_HANDLE controller, EFI_HANDLE *first, bool recursive) {
  EFI_HANDLE children[CHILDREN_MAX];
  EFI_STATUS result = EFI_NOT_FOUND;
  for(EFI_HANDLE *agent = first; agent && *agent; agent++) {
    result = EFI_ERROR(try_driver(*agent, controller)) ? result : EFI_SUCCESS;
  }
  for(EFI_HANDLE agent = NULL; (agent = firmware_next(binding_guid, agent)) != NULL;) {
    if(!is_listed(first, agent)) {
      result = EFI_ERROR(try_driver(agent, controller)) ? result : EFI_SUCCESS;
    }
  }
  UINTN count =
      recursive ? collect(controller, NULL, EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER, children, CHILDREN_MAX) : 0;
  for(UINTN i = 0; i < count; i++) {
    (void)connect(children[i], NULL, true);
  }
  return result;
}

EFI_STATUS firmware_connect(EFI_HANDLE controller) {
  return connect(controller, NULL, false);
}

EFI_STATUS firmware_connect_all(EFI_HANDLE controller) {
  return connect(controller, NULL, true);
}

static EFI_STATUS stop(EFI_HANDLE controller, EFI_HANDLE agent) {
  EFI_HANDLE children[CHILDREN_MAX];
  EFI_DRIVER_BINDING_PROTOCOL *binding = firmware_interface(agent, binding_guid);
  if(!binding) {
    return EFI_DEVICE_ERROR; /* an agent that does not let go */
  }
  EFI_STATUS status = EFI_SUCCESS;
  EFI_TPL before = firmware.tpl;
  UINTN count = collect(controller, agent, EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER, children, CHILDREN_MAX);
  if(count > 0) {
    status = binding->Stop(binding, controller, count, children);
  }
  if(!EFI_ERROR(status)) {
    status = binding->Stop(binding, controller, 0, NULL);
  }
  check_tpl(before, binding);
  return status;
}

EFI_STATUS firmware_disconnect(EFI_HANDLE controller, EFI_HANDLE agent) {
  EFI_HANDLE agents[AGENTS_MAX];
  EFI_STATUS result = EFI_SUCCESS;
  UINTN count = collect(controller, agent, EFI_OPEN_PROTOCOL_BY_DRIVER, agents, AGENTS_MAX);
  if(agent && count == 0) {
    return EFI_NOT_FOUND; /* the specification says EFI_SUCCESS, edk2 this */
  }
  for(UINTN i = 0; i < count; i++) {
    if(EFI_ERROR(stop(controller, agents[i]))) {
      result = EFI_DEVICE_ERROR;
    }
  }
  return result;
}

static EFI_STATUS EFIAPI connect_controller(EFI_HANDLE controller, EFI_HANDLE *first, EFI_DEVICE_PATH *remaining,
                                            BOOLEAN recursive) {
  (void)remaining;
  return fails("ConnectController", TPL_CALLBACK) ? EFI_NOT_FOUND : connect(controller, first, recursive);
}

static EFI_STATUS EFIAPI disconnect_controller(EFI_HANDLE controller, EFI_HANDLE agent, EFI_HANDLE child) {
  (void)child;
  return fails("DisconnectController", TPL_CALLBACK) ? EFI_OUT_OF_RESOURCES : firmware_disconnect(controller, agent);
}

void connect_init(EFI_BOOT_SERVICES *services) {
  services->ConnectController = connect_controller;
  services->DisconnectController = disconnect_controller;
}
