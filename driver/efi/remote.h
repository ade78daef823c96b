/* remote.h - a NIC that another image's resident driver has, seen through NET_RESIDENT_PROTOCOL. */
#ifndef EFI_REMOTE_H
#define EFI_REMOTE_H

#include "efi/net_resident.h"
#include "net/driver.h"
#include "net/netdevice.h"

/*
 * A struct netdev for looking: name, model, addresses, state, link and statistics as of the last remote_refresh, and
 * netdev_get_stats and netdev_inspect ask the driver. It is not registered and belongs to the caller; nothing can be
 * sent or received, opened or closed with it. It ends with the driver's hold on the NIC: find it anew after anything
 * that may have disconnected the driver.
 */
struct remote {
  struct netdev netdev;
  NET_RESIDENT_PROTOCOL *protocol;
  EFI_HANDLE child; /* carries the driver's SNP, or NULL                     */
  UINT32 handoff;   /* NET_RESIDENT_NO_HANDOFF, _QUIET or _LIVE              */
  struct net_device_id id;
  const struct net_words *words; /* of this image, for rows that the driver leaves without; or NULL */
  char driver[16];               /* the family: "e1000"                                   */
  char model[32];
};

/* The resident driver's protocol on this controller, or NULL: also when it is of another major version. */
NET_RESIDENT_PROTOCOL *remote_find(EFI_HANDLE controller);

/* Fills in *remote, which must stay where it is. FALSE when no driver of ours holds the controller, or of a version
 * that this image does not understand. TPL_CALLBACK or lower. */
BOOLEAN remote_open(EFI_HANDLE controller, struct remote *remote);

/* Asks for all but the statistics again. A driver that no longer answers looks like a NIC that is gone. */
void remote_refresh(struct remote *remote);

/* What ArmHandoff wants of a lease. */
NET_RESIDENT_LEASE remote_lease(const struct net_handoff_lease *lease);

/* The order of GetCounters: of each counter its place in struct netdev_stats. Only ever appended to. */
extern const UINT16 net_resident_counters[];
extern const UINTN net_resident_counter_count;

#endif
