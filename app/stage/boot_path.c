/* boot_path.c - the device path of a program that came over the network. */
#include "boot_path.h"

#include <string.h>

#include "../../driver/lib/bytes.h"
#include "../session/below.h"

static EFI_DEVICE_PATH *append(EFI_DEVICE_PATH *path, EFI_DEVICE_PATH *node, UINTN type, UINTN length) {
  node->Type = MESSAGING_DEVICE_PATH;
  node->SubType = (UINT8)type;
  SetDevicePathNodeLength(node, length);
  EFI_DEVICE_PATH *longer = path ? AppendDevicePathNode(path, node) : NULL;
  if(path) {
    FreePool(path);
  }
  return longer;
}

static EFI_DEVICE_PATH *append_ipv4(EFI_DEVICE_PATH *path, const struct net_handoff_lease *lease,
                                    const struct url *url) {
  IPv4_DEVICE_PATH node;
  memset(&node, 0, sizeof(node));
  memcpy(node.LocalIpAddress.Addr, lease->address, sizeof(lease->address));
  memcpy(node.GatewayIpAddress.Addr, lease->gateway, sizeof(lease->gateway));
  memcpy(node.SubnetMask.Addr, lease->mask, sizeof(lease->mask));
  if(url->host_kind == URL_HOST_IPV4) {
    put32(node.RemoteIpAddress.Addr, url->ipv4);
  }
  node.RemotePort = url->port;
  node.Protocol = 6; /* TCP */
  node.StaticIpAddress = lease->origin != NET_HANDOFF_LEASE_DHCP;
  return append(path, &node.Header, MSG_IPv4_DP, sizeof(node));
}

static EFI_DEVICE_PATH *append_ipv6(EFI_DEVICE_PATH *path, const struct url *url) {
  IPv6_DEVICE_PATH node;
  memset(&node, 0, sizeof(node));
  memcpy(node.RemoteIpAddress.Addr, url->ipv6, sizeof(url->ipv6));
  node.RemotePort = url->port;
  node.Protocol = 6;
  return append(path, &node.Header, MSG_IPv6_DP, sizeof(node));
}

static EFI_DEVICE_PATH *append_uri(EFI_DEVICE_PATH *path, const char *text) {
  struct {
    EFI_DEVICE_PATH header;
    char text[URL_TEXT_SIZE];
  } node;
  UINTN length = strlen(text);
  memset(&node, 0, sizeof(node));
  memcpy(node.text, text, length + 1U);
  return append(path, &node.header, MSG_URI_DP, sizeof(node.header) + length);
}

EFI_DEVICE_PATH *boot_path(EFI_HANDLE controller, const struct net_handoff_lease *lease, const struct url *url,
                           const char *text) {
  EFI_GUID guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
  struct below below;
  UINTN found = below_find(controller, &guid, &below, 1);
  EFI_DEVICE_PATH *base = DevicePathFromHandle(found && !below.tagged ? below.handle : controller);
  EFI_DEVICE_PATH *path = base ? DuplicateDevicePath(base) : NULL;
  path = url->host_kind == URL_HOST_IPV6 ? append_ipv6(path, url) : append_ipv4(path, lease, url);
  return append_uri(path, text);
}
