/* e1000_handoff.c - the e1000 family's block of a handoff, left by firmware (include/net/HANDOFF.md). */
#include "e1000_hw.h"

#include <string.h>

#include "../handoff.h"

_Static_assert(sizeof(struct net_handoff_e1000) <= NET_HANDOFF_BLOCK_MAX, "a block");
_Static_assert(sizeof(((struct net_handoff_e1000 *)0)->mta) == sizeof(((struct e1000 *)0)->mta), "one table");

static void export_ring(const struct e1000_ring *ring, struct net_handoff_e1000_ring *out) {
  /* Under UEFI the processor's addresses are the physical ones. */
  *out = (struct net_handoff_e1000_ring){
      .descriptors = (uint64_t)(uintptr_t)ring->descriptors.cpu,
      .descriptors_device = ring->descriptors.device,
      .buffers = (uint64_t)(uintptr_t)ring->buffers.cpu,
      .buffers_device = ring->buffers.device,
      .count = e1000_ring_count(ring),
      .descriptor_size = sizeof(union e1000_descriptor),
      .descriptor_format = NET_HANDOFF_FORMAT_E1000_LEGACY,
      .buffer_size = E1000_BUFFER_SIZE,
      .buffer_stride = E1000_BUFFER_SIZE,
      .head = ring->head,
      .published = ring->published,
      .tail = ring->tail,
  };
}

static bool is_identity(const struct net_handoff_e1000_ring *ring) {
  return ring->descriptors == ring->descriptors_device && ring->buffers == ring->buffers_device;
}

void e1000_handoff_export(struct netdev *dev, struct net_handoff_nic *nic, void *block) {
  const struct e1000 *e1000 = (const struct e1000 *)dev;
  struct net_handoff_e1000 *out = block;
  net_handoff_export(dev, nic);
  /* rx_errors and rx_missed of dev->stats are as old as the last netdev_get_stats; these are not. */
  nic->statistics.rx_errors = dev->stats.rx_device_errors + dev->stats.rx_length_errors + dev->stats.rx_split_errors;
  nic->statistics.rx_missed = e1000_count(e1000, E1000_MPC);
  out->rctl = e1000->rctl;
  out->tctl = e1000->tctl;
  memcpy(out->mta, e1000->mta, sizeof(out->mta));
  export_ring(&e1000->rx, &out->rx);
  export_ring(&e1000->tx, &out->tx);
  nic->flags |= e1000->aspm.offset ? NET_HANDOFF_ASPM_OFF : 0;
  nic->flags = (nic->flags & ~NET_HANDOFF_IDENTITY) |
               (is_identity(&out->rx) && is_identity(&out->tx) ? NET_HANDOFF_IDENTITY : 0);
}

bool e1000_handoff_leave(struct netdev *dev, bool live, struct net_handoff_nic *nic, void *block) {
  struct e1000 *e1000 = (struct e1000 *)dev;
  if(dev->state == NETDEV_GONE || e1000_is_gone(e1000, e1000_read(e1000, E1000_STATUS))) {
    return false;
  }
  e1000_write(e1000, E1000_IMC, UINT32_MAX);
  if(dev->state == NETDEV_CLOSED) {
    e1000_start_by_registers(e1000);
  }
  dev->link = e1000_decode_link(e1000_read(e1000, E1000_STATUS));
  e1000_handoff_export(dev, nic, block);
  if(!live) {
    e1000_silence(e1000);
  }
  e1000_write_flush(e1000);
  return true;
}
