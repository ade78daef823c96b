/* handles.c - the fake firmware's protocol database: handles, the protocols on them, and who has which open. */
#include "internal.h"

#include <string.h>

#define USES (EFI_OPEN_PROTOCOL_BY_DRIVER | EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER)

static struct handle *known(EFI_HANDLE handle) {
  if(!node_is_on(firmware.handles, handle)) {
    firmware_abort("no such handle", handle);
  }
  return handle;
}

static struct protocol *find(EFI_HANDLE handle, const EFI_GUID *guid) {
  struct node *node = known(handle)->protocols;
  while(node && !same_guid(&((struct protocol *)node)->guid, guid)) {
    node = node->next;
  }
  return (struct protocol *)node;
}

void *firmware_interface(EFI_HANDLE handle, EFI_GUID guid) {
  struct protocol *protocol = find(handle, &guid);
  return protocol ? protocol->interface : NULL;
}

EFI_HANDLE firmware_next(EFI_GUID guid, EFI_HANDLE previous) {
  struct node *node = previous ? known(previous)->node.next : firmware.handles;
  while(node && !find(node, &guid)) {
    node = node->next;
  }
  return node;
}

/* Installing ----------------------------------------------------------------------------------------------------- */

EFI_STATUS install_protocol(EFI_HANDLE *handle, const EFI_GUID *guid, VOID *interface) {
  if(*handle && find(*handle, guid)) {
    return EFI_INVALID_PARAMETER;
  }
  if(!*handle) {
    *handle = node_new(&firmware.handles, sizeof(struct handle));
  }
  struct protocol *protocol = node_new(&((struct handle *)*handle)->protocols, sizeof(*protocol));
  protocol->guid = *guid;
  protocol->interface = interface;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI install_interface(EFI_HANDLE *handle, EFI_GUID *guid, EFI_INTERFACE_TYPE type,
                                           VOID *interface) {
  if(fails("InstallProtocolInterface", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  if(type != EFI_NATIVE_INTERFACE) {
    return EFI_INVALID_PARAMETER;
  }
  return install_protocol(handle, guid, interface);
}

static EFI_STATUS EFIAPI install_multiple(EFI_HANDLE *handle, ...) {
  __builtin_ms_va_list arguments;
  EFI_HANDLE before = *handle;
  EFI_GUID *guid;
  if(fails("InstallMultipleProtocolInterfaces", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  __builtin_ms_va_start(arguments, handle);
  while((guid = __builtin_va_arg(arguments, EFI_GUID *)) != NULL) {
    if(EFI_ERROR(install_protocol(handle, guid, __builtin_va_arg(arguments, VOID *)))) {
      firmware_abort("InstallMultipleProtocolInterfaces: is on the handle already", before);
    }
  }
  __builtin_ms_va_end(arguments);
  return EFI_SUCCESS;
}

/* Uninstalling --------------------------------------------------------------------------------------------------- */

/* Drivers that use the protocol are asked to let go; what only looked at it does not count. */
static bool is_free(EFI_HANDLE handle, const EFI_GUID *guid, VOID *interface, EFI_STATUS *status) {
  struct protocol *protocol = find(handle, guid);
  *status = EFI_NOT_FOUND;
  if(!protocol || protocol->interface != interface) {
    return false;
  }
  for(struct node *node = protocol->opens; node;) {
    const struct open *open = (const struct open *)node;
    bool stopped =
        (open->attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) && !EFI_ERROR(firmware_disconnect(handle, open->agent));
    if(stopped && node_is_on(protocol->opens, node)) {
      firmware_abort("a driver was stopped, and still has the protocol open", open->agent);
    }
    node = stopped ? protocol->opens : node->next;
  }
  *status = EFI_ACCESS_DENIED;
  for(const struct node *node = protocol->opens; node; node = node->next) {
    if(((const struct open *)node)->attributes & USES) {
      return false;
    }
  }
  *status = EFI_SUCCESS;
  return true;
}

static void drop_protocol(EFI_HANDLE handle, struct protocol *protocol) {
  while(protocol->opens) {
    node_drop(&protocol->opens, protocol->opens);
  }
  node_drop(&((struct handle *)handle)->protocols, protocol);
}

static void drop_if_empty(EFI_HANDLE handle) {
  if(!((struct handle *)handle)->protocols) {
    node_drop(&firmware.handles, handle);
  }
}

EFI_STATUS uninstall_protocol(EFI_HANDLE handle, const EFI_GUID *guid, VOID *interface) {
  EFI_STATUS status;
  if(is_free(handle, guid, interface, &status)) {
    drop_protocol(handle, find(handle, guid));
    drop_if_empty(handle);
  }
  return status;
}

static EFI_STATUS EFIAPI uninstall_interface(EFI_HANDLE handle, EFI_GUID *guid, VOID *interface) {
  return fails("UninstallProtocolInterface", TPL_NOTIFY) ? EFI_ACCESS_DENIED
                                                         : uninstall_protocol(handle, guid, interface);
}

/* All or none (UEFI 2.10, 7.3.15). */
static EFI_STATUS EFIAPI uninstall_multiple(EFI_HANDLE handle, ...) {
  __builtin_ms_va_list arguments;
  EFI_GUID *guid;
  EFI_STATUS status = EFI_SUCCESS;
  if(fails("UninstallMultipleProtocolInterfaces", TPL_NOTIFY)) {
    return EFI_INVALID_PARAMETER;
  }
  __builtin_ms_va_start(arguments, handle);
  while((guid = __builtin_va_arg(arguments, EFI_GUID *)) != NULL) {
    if(!is_free(handle, guid, __builtin_va_arg(arguments, VOID *), &status)) {
      return EFI_INVALID_PARAMETER;
    }
  }
  __builtin_ms_va_end(arguments);
  __builtin_ms_va_start(arguments, handle);
  while((guid = __builtin_va_arg(arguments, EFI_GUID *)) != NULL) {
    drop_protocol(handle, find(handle, guid));
    (void)__builtin_va_arg(arguments, VOID *);
  }
  __builtin_ms_va_end(arguments);
  drop_if_empty(handle);
  return status;
}

void handles_free(void) {
  while(firmware.handles) {
    struct handle *handle = (struct handle *)firmware.handles;
    while(handle->protocols) {
      drop_protocol(handle, (struct protocol *)handle->protocols);
    }
    drop_if_empty(handle);
  }
}

/* Opening -------------------------------------------------------------------------------------------------------- */

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **interface) {
  if(fails("HandleProtocol", TPL_NOTIFY)) {
    return EFI_UNSUPPORTED;
  }
  struct protocol *protocol = find(handle, guid);
  *interface = protocol ? protocol->interface : NULL;
  return protocol ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI open_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **interface, EFI_HANDLE agent,
                                       EFI_HANDLE controller, UINT32 attributes) {
  if(fails("OpenProtocol", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  struct protocol *protocol = find(handle, guid);
  if(!protocol) {
    return EFI_UNSUPPORTED;
  }
  known(agent);
  if(attributes != EFI_OPEN_PROTOCOL_GET_PROTOCOL) {
    known(controller);
  }
  if(attributes & EFI_OPEN_PROTOCOL_EXCLUSIVE ||
     (attributes == EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER && controller == handle)) {
    firmware_abort("OpenProtocol: not modelled, or a child of itself", controller);
  }
  for(const struct node *node = protocol->opens; node; node = node->next) {
    const struct open *open = (const struct open *)node;
    if(attributes & open->attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) {
      return open->agent == agent && open->controller == controller ? EFI_ALREADY_STARTED : EFI_ACCESS_DENIED;
    }
  }
  struct open *open = node_new(&protocol->opens, sizeof(*open));
  open->agent = agent;
  open->controller = controller;
  open->attributes = attributes;
  *interface = protocol->interface;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI close_protocol(EFI_HANDLE handle, EFI_GUID *guid, EFI_HANDLE agent, EFI_HANDLE controller) {
  check_service("CloseProtocol", TPL_NOTIFY);
  struct protocol *protocol = find(handle, guid);
  known(agent);
  EFI_STATUS status = EFI_NOT_FOUND;
  for(struct node *node = protocol ? protocol->opens : NULL; node;) {
    struct open *open = (struct open *)node;
    node = node->next;
    if(open->agent == agent && open->controller == controller) {
      node_drop(&protocol->opens, open);
      status = EFI_SUCCESS;
    }
  }
  return status;
}

static EFI_STATUS EFIAPI open_information(EFI_HANDLE handle, EFI_GUID *guid, EFI_OPEN_PROTOCOL_INFORMATION_ENTRY **out,
                                          UINTN *count) {
  if(fails("OpenProtocolInformation", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  struct protocol *protocol = find(handle, guid);
  if(!protocol) {
    return EFI_NOT_FOUND;
  }
  UINTN opens = node_count(protocol->opens);
  *out = pool_new((opens ? opens : 1) * sizeof(**out));
  *count = 0;
  for(const struct node *node = protocol->opens; node; node = node->next) {
    const struct open *open = (const struct open *)node;
    (*out)[(*count)++] = (EFI_OPEN_PROTOCOL_INFORMATION_ENTRY){.AgentHandle = open->agent,
                                                               .ControllerHandle = open->controller,
                                                               .Attributes = open->attributes,
                                                               .OpenCount = 1};
  }
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_buffer(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *guid, VOID *key, UINTN *count,
                                       EFI_HANDLE **out) {
  (void)key;
  if(fails("LocateHandleBuffer", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  if(type != ByProtocol) {
    firmware_abort("LocateHandleBuffer: only by protocol is modelled", guid);
  }
  UINTN found = 0;
  for(EFI_HANDLE handle = NULL; (handle = firmware_next(*guid, handle)) != NULL;) {
    found++;
  }
  if(found == 0) {
    return EFI_NOT_FOUND;
  }
  *out = pool_new(found * sizeof(EFI_HANDLE));
  *count = 0;
  for(EFI_HANDLE handle = NULL; (handle = firmware_next(*guid, handle)) != NULL;) {
    (*out)[(*count)++] = handle;
  }
  return EFI_SUCCESS;
}

void handles_init(EFI_BOOT_SERVICES *services) {
  services->InstallProtocolInterface = install_interface;
  services->InstallMultipleProtocolInterfaces = install_multiple;
  services->UninstallProtocolInterface = uninstall_interface;
  services->UninstallMultipleProtocolInterfaces = uninstall_multiple;
  services->HandleProtocol = handle_protocol;
  services->OpenProtocol = open_protocol;
  services->CloseProtocol = close_protocol;
  services->OpenProtocolInformation = open_information;
  services->LocateHandleBuffer = locate_buffer;
}
