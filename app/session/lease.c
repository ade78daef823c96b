/* lease.c - an IPv4 address for a NIC from the firmware's own configuration, by DHCP if it has none yet. */
#include "lease.h"

#include <string.h>

#include "../../driver/efi/remote.h"
#include "../../driver/lib/bytes.h"
#include "../console.h"
#include "../doctor/checks.h"
#include "../report/report.h"
#include "below.h"
#include "child.h"
#include "efi/dhcp4.h"
#include "efi/ip4_config2.h"
#include "choose.h"
#include "own_driver.h"
#include "stack.h"

#define DHCP_TIMEOUT_US 20000000U /* the firmware's client alone takes about 4 s */
#define GATEWAY_WAIT_US 1000000U
#define POLL_US         50000U
#define BY_HAND_US      5000000U /* until an address that was set by hand is in force */
#define INFO_SIZE       2048U    /* interface information with its routes */

static EFI_GUID config_guid = EFI_IP4_CONFIG2_PROTOCOL_GUID;

/* The default route's gateway: an address that DHCP brought has none in Ip4Config2DataTypeGateway. */
static uint32_t gateway_of(const EFI_IP4_CONFIG2_INTERFACE_INFO *info) {
  const EFI_IP4_ROUTE_TABLE *routes = info->RouteTable;
  for(UINT32 i = 0; routes && i < info->RouteTableSize; i++) {
    if(get32(routes[i].SubnetMask.Addr) == 0 && get32(routes[i].SubnetAddress.Addr) == 0) {
      return get32(routes[i].GatewayAddress.Addr);
    }
  }
  return 0;
}

/* Address, mask and gateway that the interface has. */
static BOOLEAN read_interface(EFI_IP4_CONFIG2_PROTOCOL *config, struct inet_host *host) {
  _Alignas(16) UINT8 buffer[INFO_SIZE];
  const EFI_IP4_CONFIG2_INTERFACE_INFO *info = (const EFI_IP4_CONFIG2_INTERFACE_INFO *)buffer;
  UINTN size = sizeof(buffer);
  if(EFI_ERROR(config->GetData(config, Ip4Config2DataTypeInterfaceInfo, &size, buffer))) {
    return FALSE;
  }
  host->address = get32(info->StationAddress.Addr);
  host->mask = get32(info->SubnetMask.Addr);
  host->gateway = gateway_of(info);
  return TRUE;
}

/* The stack's interface on the NIC itself. One on a VLAN of it has the same MAC address, but is another network's. */
static EFI_IP4_CONFIG2_PROTOCOL *find_config(const struct pci_nic *pci, struct inet_host *host) {
  EFI_IP4_CONFIG2_PROTOCOL *config = below_protocol(pci->handle, &config_guid);
  return config && read_interface(config, host) ? config : NULL;
}

/* What the driver counted, when it is ours. */
struct traffic {
  uint64_t sent;
  uint64_t received;
  bool known;
};

static struct traffic traffic_of(const struct pci_nic *pci) {
  struct traffic traffic = {0};
  struct remote remote;
  if(remote_open(pci->handle, &remote)) {
    traffic = (struct traffic){remote.netdev.stats.tx_frames, remote.netdev.stats.rx_frames, true};
  }
  return traffic;
}

static bool has_no_link(const struct pci_nic *pci) {
  struct nic_sight sight;
  session_look(pci, &sight);
  return sight.has_link && !sight.link.up;
}

EFI_STATUS lease_wait_for_link(const struct pci_nic *pci, UINT64 wait_us) {
  UINT64 deadline_us = efi_clock_us() + wait_us;
  while(has_no_link(pci)) {
    if(console_aborted()) {
      out("Stopped.\n");
      return EFI_ABORTED;
    }
    if(efi_clock_us() >= deadline_us) {
      return session_no_link(pci);
    }
    BS->Stall(POLL_US);
  }
  return EFI_SUCCESS;
}

static EFI_STATUS blame(const struct pci_nic *pci, const struct traffic *before) {
  struct traffic now = traffic_of(pci);
  if(has_no_link(pci)) {
    return session_no_link(pci);
  }
  if(!now.known || !before->known) {
    complain("no DHCP server answered in %u s: give --addr ADDRESS/LENGTH yourself", DHCP_TIMEOUT_US / 1000000U);
  } else if(now.received == before->received) {
    complain(
        "no DHCP server answered in %u s: the link is up, but nothing at all came in (%ju frames sent); is this the "
        "right switch port? --addr ADDRESS/LENGTH needs no server",
        DHCP_TIMEOUT_US / 1000000U, now.sent - before->sent);
  } else {
    complain(
        "no DHCP server answered in %u s: the link is up, but nothing that came in was an answer (%ju frames sent, "
        "%ju received); --addr ADDRESS/LENGTH needs no server",
        DHCP_TIMEOUT_US / 1000000U, now.sent - before->sent, now.received - before->received);
  }
  return EFI_TIMEOUT;
}

static EFI_STATUS wait_for_address(const struct pci_nic *pci, EFI_IP4_CONFIG2_PROTOCOL *config,
                                   struct inet_host *host) {
  UINT64 deadline_us = efi_clock_us() + DHCP_TIMEOUT_US;
  struct traffic before = traffic_of(pci);
  while(read_interface(config, host) && host->address == 0) {
    if(console_aborted()) {
      out("Stopped.\n");
      return EFI_ABORTED;
    }
    if(efi_clock_us() >= deadline_us) {
      return blame(pci, &before);
    }
    BS->Stall(POLL_US);
  }
  return host->address ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

/* With `keep` the policy stays at DHCP, and the address with it. */
static EFI_STATUS ask_dhcp(const struct pci_nic *pci, EFI_IP4_CONFIG2_PROTOCOL *config, struct inet_host *host,
                           bool keep) {
  struct ip4_policy before;
  EFI_STATUS status = ip4_policy_save(config, &before);
  out("Asking for an address by DHCP...\n");
  if(!EFI_ERROR(status)) {
    status = ip4_policy_dhcp(config);
  }
  if(EFI_ERROR(status)) {
    complain("the firmware refuses to use DHCP: %s", status_text(status));
    return status;
  }
  status = wait_for_address(pci, config, host);
  /* The stack sets the gateway a moment after the address. A network without one costs that moment. */
  for(UINTN waited_us = 0; !EFI_ERROR(status) && waited_us < GATEWAY_WAIT_US && host->gateway == 0;
      waited_us += POLL_US) {
    BS->Stall(POLL_US);
    (void)read_interface(config, host);
  }
  if(!keep && EFI_ERROR(ip4_policy_restore(config, &before))) {
    complain("the firmware's address policy stays at DHCP; 'ifconfig -s eth0 static ...' in the Shell changes it");
  }
  return status;
}

/* The link first: without one, no server is to blame. */
static EFI_STATUS lease_from(const struct pci_nic *pci, EFI_IP4_CONFIG2_PROTOCOL *config, UINT64 link_wait_us,
                             struct inet_host *host, bool keep) {
  if(host->address != 0) {
    return EFI_SUCCESS;
  }
  EFI_STATUS status = lease_wait_for_link(pci, link_wait_us);
  return EFI_ERROR(status) ? status : ask_dhcp(pci, config, host, keep);
}

static EFI_STATUS no_interface(const struct pci_nic *pci, const char *otherwise) {
  struct below first;
  if(below_find(pci->handle, &config_guid, &first, 1) > 0) {
    complain("the firmware's stack uses this NIC for VLAN %u, while netdiag sends without a tag: give --addr "
             "ADDRESS/LENGTH yourself",
             first.vlan);
  } else {
    complain("%s: give --addr ADDRESS/LENGTH yourself", otherwise);
    if(stack_look(pci) == STACK_NO_RANDOMNESS) {
      complain("the firmware has no random numbers; without a source of them, newer ones start no stack. Give it %s",
               doctor_randomness);
    }
  }
  return EFI_UNSUPPORTED;
}

/* Binds our own driver, so that the firmware's stack comes up on the NIC, and takes it off again. */
static EFI_STATUS lease_with_own_driver(const struct pci_nic *pci, UINT64 link_wait_us, struct inet_host *host) {
  EFI_STATUS status = own_driver_bind(pci);
  if(EFI_ERROR(status)) {
    return status;
  }
  EFI_IP4_CONFIG2_PROTOCOL *config = find_config(pci, host);
  status = config ? lease_from(pci, config, link_wait_us, host, false)
                  : no_interface(pci, "this firmware has no IPv4 stack to ask");
  own_driver_unbind();
  return status;
}

static void out_address(const struct inet_host *host) {
  char address[IPV4_TEXT_SIZE];
  char gateway[IPV4_TEXT_SIZE];
  out("Address %s, %s%s\n", ipv4_text(host->address, address), host->gateway ? "gateway " : "no gateway",
      host->gateway ? ipv4_text(host->gateway, gateway) : "");
}

EFI_STATUS lease_get(const struct pci_nic *pci, UINT64 link_wait_us, struct inet_host *host) {
  EFI_STATUS status;
  console_begin();
  EFI_IP4_CONFIG2_PROTOCOL *config = find_config(pci, host);
  if(config) {
    status = lease_from(pci, config, link_wait_us, host, false);
  } else if(pci_find_holder(pci->handle)) {
    status = no_interface(pci, "no IPv4 stack runs on the NIC's driver");
  } else {
    status = lease_with_own_driver(pci, link_wait_us, host);
  }
  if(!EFI_ERROR(status)) {
    out_address(host);
  }
  return status;
}

EFI_STATUS lease_hold(const struct pci_nic *pci, UINT64 link_wait_us, struct inet_host *host) {
  EFI_IP4_CONFIG2_PROTOCOL *config = find_config(pci, host);
  EFI_STATUS status = config ? lease_from(pci, config, link_wait_us, host, true)
                             : no_interface(pci, "this firmware has no IPv4 stack on the NIC");
  if(!EFI_ERROR(status)) {
    out_address(host);
  }
  return status;
}

EFI_IP4_CONFIG2_PROTOCOL *lease_config(const struct pci_nic *pci) {
  struct inet_host host = {0};
  return find_config(pci, &host);
}

EFI_STATUS lease_by_hand(const struct pci_nic *pci, UINT64 link_wait_us, const struct inet_host *wanted) {
  struct inet_host host = {0};
  EFI_IP4_CONFIG2_PROTOCOL *config = find_config(pci, &host);
  EFI_STATUS status =
      config ? lease_wait_for_link(pci, link_wait_us) : no_interface(pci, "this firmware has no IPv4 stack on the NIC");
  if(EFI_ERROR(status)) {
    return status;
  }
  status = ip4_policy_static(config, wanted->address, wanted->mask, wanted->gateway);
  UINT64 deadline_us = efi_clock_us() + BY_HAND_US;
  while(!EFI_ERROR(status)) {
    if(!read_interface(config, &host)) {
      status = EFI_DEVICE_ERROR;
    } else if(host.address == wanted->address) {
      return EFI_SUCCESS;
    } else if(console_aborted()) {
      out("Stopped.\n");
      return EFI_ABORTED;
    } else if(efi_clock_us() >= deadline_us) {
      status = EFI_TIMEOUT;
    } else {
      BS->Stall(POLL_US);
    }
  }
  complain("the firmware does not take the address: %s%s", status_text(status),
           status == EFI_INVALID_PARAMETER ? "; is the gateway in its network?" : "");
  return status;
}

void lease_pack(const struct inet_host *host, struct net_handoff_lease *lease) {
  put32(lease->address, host->address);
  put32(lease->mask, host->mask);
  put32(lease->gateway, host->gateway);
}

struct inet_host lease_known(const struct pci_nic *pci) {
  const struct inet_host none = {0};
  struct inet_host host = {0};
  return find_config(pci, &host) ? host : none;
}

/* Server and time of the lease: all children of a NIC's DHCP client see the one that is in force. */
static void read_lease(const struct pci_nic *pci, struct net_handoff_lease *lease) {
  static EFI_GUID service_guid = EFI_DHCP4_SERVICE_BINDING_PROTOCOL_GUID;
  static EFI_GUID protocol_guid = EFI_DHCP4_PROTOCOL_GUID;
  EFI_DHCP4_MODE_DATA mode;
  struct child child;
  if(EFI_ERROR(child_open(&child, pci->handle, &service_guid, &protocol_guid))) {
    return;
  }
  EFI_DHCP4_PROTOCOL *dhcp = child.protocol;
  memset(&mode, 0, sizeof(mode));
  if(!EFI_ERROR(dhcp->GetModeData(dhcp, &mode)) &&
     memcmp(mode.ClientAddress.Addr, lease->address, sizeof(lease->address)) == 0) {
    memcpy(lease->server, mode.ServerAddress.Addr, sizeof(lease->server));
    lease->seconds = mode.LeaseTime;
  }
  child_close(&child);
}

void lease_origin(const struct pci_nic *pci, struct net_handoff_lease *lease) {
  struct inet_host host = {0};
  EFI_IP4_CONFIG2_POLICY policy;
  EFI_IP4_CONFIG2_PROTOCOL *config = find_config(pci, &host);
  UINTN size = sizeof(policy);
  if(!config || host.address == 0) {
    return;
  }
  lease->origin = NET_HANDOFF_LEASE_OTHER;
  if(!EFI_ERROR(config->GetData(config, Ip4Config2DataTypePolicy, &size, &policy))) {
    lease->origin = policy == Ip4Config2PolicyDhcp ? NET_HANDOFF_LEASE_DHCP : NET_HANDOFF_LEASE_STATIC;
  }
  /* More of them than there is room for are none: the firmware gives all or nothing. */
  size = sizeof(lease->dns);
  if(EFI_ERROR(config->GetData(config, Ip4Config2DataTypeDnsServer, &size, lease->dns))) {
    memset(lease->dns, 0, sizeof(lease->dns));
  }
  if(lease->origin == NET_HANDOFF_LEASE_DHCP) {
    read_lease(pci, lease);
  }
}

static void report_lease(const struct below *interface, const struct inet_host *host) {
  report_row(NULL);
  if(interface->tagged) {
    report_u64("vlan", interface->vlan);
  }
  if(host->address) {
    report_ipv4("address", host->address);
    report_ipv4("mask", host->mask);
  } else {
    report_null("address");
  }
  if(host->gateway) {
    report_ipv4("gateway", host->gateway);
  }
  report_end();
}

void lease_show(const struct pci_nic *pci) {
  struct below list[BELOW_MAX];
  UINTN count = below_find(pci->handle, &config_guid, list, BELOW_MAX);
  for(UINTN i = 0; i < count; i++) {
    EFI_IP4_CONFIG2_PROTOCOL *config;
    struct inet_host host;
    char text[IPV4_TEXT_SIZE];
    if(EFI_ERROR(BS->HandleProtocol(list[i].handle, &config_guid, (VOID **)&config)) ||
       !read_interface(config, &host)) {
      continue;
    }
    if(report_is_json()) {
      report_lease(&list[i], &host);
      continue;
    }
    if(list[i].tagged) {
      out("VLAN %-9u", list[i].vlan);
    } else {
      out("Address       ");
    }
    if(host.address == 0) {
      out("none\n");
      continue;
    }
    out("%s", ipv4_text(host.address, text));
    out(", mask %s", ipv4_text(host.mask, text));
    out(", gateway %s\n", host.gateway ? ipv4_text(host.gateway, text) : "none");
  }
}
