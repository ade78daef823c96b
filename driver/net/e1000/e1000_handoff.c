/* e1000_handoff.c - what the firmware's half writes down about a controller, and how it leaves it. */
#include "e1000_hw.h"

#include <string.h>

/* Export --------------------------------------------------------------------------------------------------------- */

static void export_ring(const struct e1000_ring *ring, struct net_handoff_ring *out) {
  /* Under UEFI the processor's addresses are the physical ones. */
  out->descriptors = (uint64_t)(uintptr_t)ring->descriptors.cpu;
  out->descriptors_device = ring->descriptors.device;
  out->buffers = (uint64_t)(uintptr_t)ring->buffers.cpu;
  out->buffers_device = ring->buffers.device;
  out->count = e1000_ring_count(ring);
  out->descriptor_size = sizeof(union e1000_descriptor);
  out->descriptor_format = NET_HANDOFF_FORMAT_E1000_LEGACY;
  out->buffer_size = E1000_BUFFER_SIZE;
  out->buffer_stride = E1000_BUFFER_SIZE;
  out->head = ring->head;
  out->published = ring->published;
  out->tail = ring->tail;
}

void e1000_handoff_export(struct netdev *dev, struct net_handoff_nic *nic) {
  const struct e1000 *e1000 = (const struct e1000 *)dev;
  memcpy(nic->permanent_mac, dev->permanent_mac, NETDEV_MAC_LENGTH);
  memcpy(nic->current_mac, dev->mac, NETDEV_MAC_LENGTH);
  nic->link_up = dev->link.up;
  nic->full_duplex = dev->link.full_duplex;
  nic->speed_mbps = dev->link.speed_mbps;
  nic->rctl = e1000->rctl;
  nic->tctl = e1000->tctl;
  nic->filter = dev->filter;
  nic->multicast_count = dev->multicast_count;
  memcpy(nic->multicast, dev->multicast, sizeof(nic->multicast));
  memcpy(nic->mta, e1000->mta, sizeof(nic->mta));
  export_ring(&e1000->rx, &nic->rx);
  export_ring(&e1000->tx, &nic->tx);
  /* rx_errors and rx_missed of dev->stats are as old as the last netdev_get_stats; these are not. */
  nic->statistics = (struct net_handoff_statistics){
      .rx_frames = dev->stats.rx_frames,
      .rx_bytes = dev->stats.rx_bytes,
      .rx_errors = dev->stats.rx_device_errors + dev->stats.rx_length_errors + dev->stats.rx_split_errors,
      .rx_missed = e1000_count(e1000, E1000_MPC),
      .tx_frames = dev->stats.tx_frames,
      .tx_bytes = dev->stats.tx_bytes,
      .tx_errors = dev->stats.tx_errors,
      .link_changes = dev->stats.link_changes,
  };
}

bool e1000_handoff_leave(struct netdev *dev, bool live, struct net_handoff_nic *nic) {
  struct e1000 *e1000 = (struct e1000 *)dev;
  if(dev->state == NETDEV_GONE || e1000_is_gone(e1000, e1000_read(e1000, E1000_STATUS))) {
    return false;
  }
  e1000_write(e1000, E1000_IMC, UINT32_MAX);
  if(dev->state == NETDEV_CLOSED) {
    e1000_start_by_registers(e1000);
  }
  dev->link = e1000_decode_link(e1000_read(e1000, E1000_STATUS));
  e1000_handoff_export(dev, nic);
  if(!live) {
    e1000_silence(e1000);
  }
  e1000_write_flush(e1000);
  return true;
}
