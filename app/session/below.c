/* below.c - what the firmware has built on a NIC, by device paths. */
#include "below.h"

#include <string.h>

static BOOLEAN is_node(const EFI_DEVICE_PATH *node, UINT8 sub_type) {
  return DevicePathType(node) == MESSAGING_DEVICE_PATH && DevicePathSubType(node) == sub_type;
}

static BOOLEAN same_node(const EFI_DEVICE_PATH *left, const EFI_DEVICE_PATH *right) {
  UINTN length = (UINTN)DevicePathNodeLength(left);
  return length == (UINTN)DevicePathNodeLength(right) && memcmp(left, right, length) == 0;
}

EFI_DEVICE_PATH *below_path(EFI_DEVICE_PATH *start, EFI_DEVICE_PATH *path) {
  for(; !IsDevicePathEnd(start); start = NextDevicePathNode(start), path = NextDevicePathNode(path)) {
    if(IsDevicePathEnd(path) || !same_node(start, path)) {
      return NULL;
    }
  }
  return path;
}

/* The controller's path, then nothing, Mac(), or Mac() and Vlan() (UEFI 2.10, 10.3.4.10 and 10.3.4.13). */
static BOOLEAN is_below(EFI_DEVICE_PATH *controller, EFI_DEVICE_PATH *path, struct below *found) {
  path = below_path(controller, path);
  if(!path) {
    return FALSE;
  }
  if(!IsDevicePathEnd(path) && is_node(path, MSG_MAC_ADDR_DP)) {
    path = NextDevicePathNode(path);
    found->tagged = !IsDevicePathEnd(path) && is_node(path, MSG_VLAN_DP);
    if(found->tagged) {
      memcpy(&found->vlan, &((const VLAN_DEVICE_PATH *)path)->VlanId, sizeof(found->vlan));
      path = NextDevicePathNode(path);
    }
  }
  return IsDevicePathEnd(path);
}

UINTN below_find(EFI_HANDLE controller, EFI_GUID *protocol, struct below *list, UINTN max) {
  EFI_DEVICE_PATH *path = DevicePathFromHandle(controller);
  EFI_HANDLE *handles;
  UINTN handle_count;
  UINTN count = 0;
  if(!path || EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, protocol, NULL, &handle_count, &handles))) {
    return 0;
  }
  for(UINTN i = 0; i < handle_count && count < max; i++) {
    EFI_DEVICE_PATH *other = DevicePathFromHandle(handles[i]);
    struct below found = {.handle = handles[i]};
    if(!other || !is_below(path, other, &found)) {
      continue;
    }
    UINTN place = count++;
    for(; place > 0 && !found.tagged && list[place - 1].tagged; place--) {
      list[place] = list[place - 1];
    }
    list[place] = found;
  }
  BS->FreePool((VOID *)handles);
  return count;
}

VOID *below_protocol(EFI_HANDLE controller, EFI_GUID *protocol) {
  struct below list[BELOW_MAX];
  VOID *interface;
  if(below_find(controller, protocol, list, BELOW_MAX) == 0 || list[0].tagged ||
     EFI_ERROR(BS->HandleProtocol(list[0].handle, protocol, &interface))) {
    return NULL;
  }
  return interface;
}
