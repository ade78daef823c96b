/* uplink.c - the firmware's network stack on a NIC, with an address, for as long as a command needs it. */
#include "uplink.h"

#include <string.h>

#include "../../driver/efi/remote.h"
#include "../../driver/lib/bytes.h"
#include "../../driver/lib/calendar.h"
#include "../console.h"
#include "lease.h"
#include "own_driver.h"
#include "session.h"

static void give_back(struct uplink *uplink) {
  if(uplink->own) {
    own_driver_unbind();
  }
  uplink->own = false;
  (void)session_give_back(&uplink->pci, &uplink->holder);
}

static EFI_STATUS remember(struct uplink *uplink) {
  EFI_IP4_CONFIG2_PROTOCOL *config = lease_config(&uplink->pci);
  EFI_STATUS status = config ? ip4_policy_save(config, &uplink->before) : EFI_SUCCESS;
  if(EFI_ERROR(status)) {
    complain("the firmware does not say how it gives the NIC its address: %s", status_text(status));
  }
  uplink->configured = config && !EFI_ERROR(status);
  return status;
}

EFI_STATUS uplink_open(struct uplink *uplink, const struct nic_options *options, bool ours) {
  memset(uplink, 0, sizeof(*uplink));
  uplink->link_wait_us = session_link_wait_us(options);
  EFI_STATUS status = session_choose(options, &uplink->pci);
  if(EFI_ERROR(status)) {
    return status;
  }
  bool shared = remote_find(uplink->pci.handle) || (!ours && !options->take && lease_config(&uplink->pci));
  if(!shared) {
    status = session_take(&uplink->pci, options->take, &uplink->holder);
    if(!EFI_ERROR(status)) {
      status = own_driver_bind(&uplink->pci);
      uplink->own = !EFI_ERROR(status);
    }
  }
  if(!EFI_ERROR(status)) {
    status = remember(uplink);
  }
  if(EFI_ERROR(status)) {
    give_back(uplink);
  }
  return status;
}

/* Seconds since 1970 by the firmware's clock, as UTC where it knows no time zone; 0 when it does not know the time. */
static UINT64 now(void) {
  EFI_TIME time;
  if(EFI_ERROR(RT->GetTime(&time, NULL))) {
    return 0;
  }
  const struct calendar date = {time.Year, time.Month, time.Day, time.Hour, time.Minute, time.Second};
  INT64 zone = time.TimeZone == EFI_UNSPECIFIED_TIMEZONE ? 0 : time.TimeZone;
  UINT64 seconds = calendar_seconds(&date);
  return seconds ? seconds + (UINT64)(zone * 60) : 0;
}

EFI_STATUS uplink_address(struct uplink *uplink, const struct inet_host *wanted) {
  struct inet_host host = *wanted;
  bool leased_now = wanted->address == 0 && lease_known(&uplink->pci).address == 0;
  EFI_STATUS status = wanted->address ? lease_by_hand(&uplink->pci, uplink->link_wait_us, wanted)
                                      : lease_hold(&uplink->pci, uplink->link_wait_us, &host);
  if(EFI_ERROR(status)) {
    return status;
  }
  memset(&uplink->lease, 0, sizeof(uplink->lease));
  lease_pack(&host, &uplink->lease);
  lease_origin(&uplink->pci, &uplink->lease);
  uplink->lease.obtained = leased_now ? now() : 0;
  return EFI_SUCCESS;
}

EFI_STATUS uplink_address6(struct uplink *uplink) {
  return lease6_get(&uplink->pci, uplink->link_wait_us, &uplink->lease6);
}

void uplink_name_servers(struct uplink *uplink, const struct net_handoff_lease *lease) {
  UINTN servers = 0;
  while(servers < NET_HANDOFF_DNS_MAX && get32(lease->dns[servers]) != 0) {
    servers++;
  }
  EFI_IP4_CONFIG2_PROTOCOL *config = lease_config(&uplink->pci);
  if(config && EFI_ERROR(ip4_policy_name_servers(config, lease->dns, servers))) {
    complain("the firmware does not take the name servers that DHCP named: names are not found");
  }
}

EFI_STATUS uplink_leased(struct uplink *uplink, const struct net_handoff_lease *lease) {
  const struct inet_host host = {
      .address = get32(lease->address), .mask = get32(lease->mask), .gateway = get32(lease->gateway)};
  EFI_STATUS status = uplink_address(uplink, &host);
  if(!EFI_ERROR(status)) {
    uplink_name_servers(uplink, lease);
  }
  uplink->lease = *lease;
  uplink->lease.obtained = now();
  return status;
}

void uplink_restore(struct uplink *uplink) {
  EFI_IP4_CONFIG2_PROTOCOL *config = uplink->configured ? lease_config(&uplink->pci) : NULL;
  EFI_STATUS status = config ? ip4_policy_restore(config, &uplink->before) : EFI_SUCCESS;
  EFI_STATUS status6 = lease6_restore(&uplink->pci, &uplink->lease6);
  status = EFI_ERROR(status) ? status : status6;
  if(EFI_ERROR(status)) {
    complain("the firmware's address configuration cannot be put back: %s; 'ifconfig -l' in the Shell shows it",
             status_text(status));
  }
}

void uplink_close(struct uplink *uplink) {
  uplink_restore(uplink);
  uplink->configured = false;
  give_back(uplink);
}
