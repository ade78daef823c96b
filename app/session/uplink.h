/* uplink.h - the firmware's network stack on a NIC, with an address, for as long as a command needs it. */
#ifndef APP_UPLINK_H
#define APP_UPLINK_H

#include "../../driver/lib/inet.h"
#include "choose.h"
#include "ip4_policy.h"
#include "lease6.h"
#include "net/handoff.h"

struct uplink {
  struct pci_nic pci;
  bool own;          /* netdiag's own driver was bound                       */
  bool configured;   /* `before` is to be put back                           */
  EFI_HANDLE holder; /* the driver that it was taken from, or NULL           */
  UINT64 link_wait_us;
  struct ip4_policy before;
  struct lease6 lease6;           /* what to put back of IPv6                           */
  struct net_handoff_lease lease; /* what a handoff says of the address      */
};

/*
 * Finds the NIC and sees to it that the firmware's stack runs on it: on the driver that holds it, or on netdiag's own
 * when nobody does, or when options->take allows to take it. With `ours` one of this project's drivers must hold it,
 * for a handoff; another one is complained about. Complains; then nothing is left.
 */
EFI_STATUS uplink_open(struct uplink *uplink, const struct nic_options *options, bool ours);

/* Gets an IPv4 address: `wanted` when its address is not 0, else what the firmware has, else one by DHCP. Complains. */
EFI_STATUS uplink_address(struct uplink *uplink, const struct inet_host *wanted);

/* Gets an IPv6 address that reaches further than the link, as lease6_get. */
EFI_STATUS uplink_address6(struct uplink *uplink);

/* Tells the stack the name servers of `lease`, after an address was set by hand. Complains. */
void uplink_name_servers(struct uplink *uplink, const struct net_handoff_lease *lease);

/* An address as DHCP gave it to somebody else than the firmware's stack, name servers with it: set by hand.
 * Complains. */
EFI_STATUS uplink_leased(struct uplink *uplink, const struct net_handoff_lease *lease);

/* Puts the firmware's configuration back to what it was at uplink_open. Complains. Harmless twice. */
void uplink_restore(struct uplink *uplink);

/* That, and gives the NIC back to who held it. Harmless after a failed open. */
void uplink_close(struct uplink *uplink);

#endif
