/* child.c - a child of one of the firmware's network protocols on a NIC. */
#include "child.h"

#include "below.h"

EFI_STATUS child_open(struct child *child, EFI_HANDLE controller, EFI_GUID *service, EFI_GUID *protocol) {
  *child = (struct child){.binding = below_protocol(controller, service)};
  if(!child->binding) {
    return EFI_UNSUPPORTED;
  }
  EFI_STATUS status = child->binding->CreateChild(child->binding, &child->handle);
  if(EFI_ERROR(status)) {
    *child = (struct child){0};
    return status;
  }
  status = BS->HandleProtocol(child->handle, protocol, &child->protocol);
  if(EFI_ERROR(status)) {
    child_close(child);
  }
  return status;
}

void child_close(struct child *child) {
  if(child->handle) {
    (void)child->binding->DestroyChild(child->binding, child->handle);
  }
  *child = (struct child){0};
}
