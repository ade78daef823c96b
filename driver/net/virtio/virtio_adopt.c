/* virtio_adopt.c - continuing a device where firmware stopped (include/net/HANDOFF.md). */
#include "virtio_nic.h"
#include "../net_pci.h"
#include "../netdev.h"

#include <string.h>

/* What the device holds against what the entry says ---------------------------------------------------------------- */

static int differs(const struct virtio_net *nic, const char *what, uint32_t value) {
  virtio_net_log(nic, NET_LOG_WARN, what, value);
  return NETDEV_E_STATE;
}

static bool is_same_place(const struct virtio_place *found, const struct net_handoff_virtio_place *said) {
  return found->bar == said->bar && found->offset == said->offset && found->length == said->length;
}

static uint64_t read_address(const struct virtio_net *nic, uint32_t offset) {
  return virtio_common_read32(&nic->pci, offset) | (uint64_t)virtio_common_read32(&nic->pci, offset + 4U) << 32;
}

static uint64_t read_accepted(const struct virtio_net *nic) {
  virtio_common_write32(&nic->pci, VIRTIO_DRIVER_FEATURE_SELECT, 0);
  uint64_t features = virtio_common_read32(&nic->pci, VIRTIO_DRIVER_FEATURE);
  virtio_common_write32(&nic->pci, VIRTIO_DRIVER_FEATURE_SELECT, 1);
  return features | (uint64_t)virtio_common_read32(&nic->pci, VIRTIO_DRIVER_FEATURE) << 32;
}

static int check_queue(const struct virtio_net *nic, const struct net_handoff_virtio_queue *from, uint16_t number) {
  const struct virtio_pci *pci = &nic->pci;
  uint16_t size = virtio_pci_queue_max(pci, number); /* of a queue that is set up: its size */
  if(size != from->size) {
    return differs(nic, "handoff: a queue has another size", size);
  }
  uint16_t enabled = virtio_common_read16(pci, VIRTIO_QUEUE_ENABLE);
  if(enabled != 1U) {
    return differs(nic, "handoff: a queue is not enabled", enabled);
  }
  if(read_address(nic, VIRTIO_QUEUE_DESC) != from->descriptors_device ||
     read_address(nic, VIRTIO_QUEUE_DRIVER) != from->available_device ||
     read_address(nic, VIRTIO_QUEUE_DEVICE) != from->used_device) {
    return differs(nic, "handoff: a queue lies elsewhere", number);
  }
  uint64_t doorbell =
      pci->notify.offset + (uint64_t)virtio_common_read16(pci, VIRTIO_QUEUE_NOTIFY_OFF) * pci->notify_multiplier;
  if(doorbell != from->notify_offset) {
    return differs(nic, "handoff: a doorbell is elsewhere", (uint32_t)doorbell);
  }
  uint16_t vector = virtio_common_read16(pci, VIRTIO_QUEUE_MSIX_VECTOR);
  return pci->msix == 0 || vector == from->msix_vector ? NETDEV_OK
                                                       : differs(nic, "handoff: another MSI-X vector", vector);
}

static int check_device(const struct virtio_net *nic, const struct net_handoff_virtio_net *from) {
  uint8_t status = virtio_status(&nic->pci);
  if(virtio_pci_is_gone(&nic->pci, status)) {
    return NETDEV_E_GONE;
  }
  if(status != from->device_status) {
    return differs(nic, "handoff: device_status differs", status);
  }
  if(!is_same_place(&nic->pci.common, &from->common) || !is_same_place(&nic->pci.notify, &from->notify) ||
     !is_same_place(&nic->pci.isr, &from->isr) || !is_same_place(&nic->pci.device, &from->device) ||
     nic->pci.notify_multiplier != from->notify_multiplier) {
    return differs(nic, "handoff: the structures are elsewhere", nic->pci.common.bar);
  }
  uint64_t features = read_accepted(nic);
  if(features != from->features) {
    return differs(nic, "handoff: other features were negotiated", (uint32_t)(features ^ from->features));
  }
  int result = NETDEV_OK;
  for(uint16_t i = 0; i < VIRTIO_NET_QUEUES && i < from->queue_count && result == NETDEV_OK; i++) {
    result = check_queue(nic, &from->queue[i], i);
  }
  return result;
}

/* Taking over ---------------------------------------------------------------------------------------------------- */

static int adopt_queue(struct virtio_net *nic, const struct net_handoff_virtio_queue *from, uint16_t number,
                       net_map map) {
  void *ctx = nic->platform->ctx;
  uint64_t size = from->size;
  const struct virtq_memory memory = {
      .descriptors = map(ctx, from->descriptors, 16U * size),
      .available = map(ctx, from->available, 6U + 2U * size),
      .used = map(ctx, from->used, 6U + 8U * size),
      .buffers = map(ctx, from->buffers, size * from->buffer_stride),
  };
  if(!memory.descriptors || !memory.available || !memory.used || !memory.buffers) {
    return NETDEV_E_NO_MEMORY;
  }
  struct virtq *queue = &nic->queue[number];
  int result = virtq_adopt(queue, nic->platform, from, number == VIRTIO_NET_CONTROL ? 1U : from->size,
                           number == VIRTIO_NET_RX ? VIRTQ_DESCRIPTOR_WRITE : 0, &memory);
  queue->number = number;
  queue->event_index = virtio_has(nic, VIRTIO_F_EVENT_IDX);
  if(result == NETDEV_E_STATE) {
    virtio_net_log(nic, NET_LOG_WARN, "handoff: a queue in memory contradicts the entry", number);
  }
  if(result == NETDEV_OK) {
    virtq_park(queue);
  }
  return result;
}

/* The entry has the sum of the receive errors only, so it goes on in one of its parts. */
static void take_over_statistics(struct netdev_stats *stats, const struct net_handoff_statistics *from) {
  stats->rx_frames = from->rx_frames;
  stats->rx_bytes = from->rx_bytes;
  stats->rx_device_errors = from->rx_errors;
  stats->rx_missed = from->rx_missed;
  stats->tx_frames = from->tx_frames;
  stats->tx_bytes = from->tx_bytes;
  stats->tx_errors = from->tx_errors;
  stats->link_changes = from->link_changes;
}

static void take_over_state(struct virtio_net *nic, const struct net_handoff_nic *entry,
                            const struct net_handoff_virtio_net *from) {
  struct netdev *dev = &nic->netdev;
  memcpy(dev->mac, entry->current_mac, NETDEV_MAC_LENGTH);
  dev->filter = entry->filter;
  dev->multicast_count = entry->multicast_count;
  memcpy(dev->multicast, entry->multicast, sizeof(dev->multicast));
  take_over_statistics(&dev->stats, &entry->statistics);
  nic->offered = virtio_pci_offered(&nic->pci);
  nic->mtu = virtio_has(nic, VIRTIO_NET_F_MTU) ? entry->mtu : NETDEV_MTU;
  nic->has_mac = virtio_has(nic, VIRTIO_NET_F_MAC);
  nic->status = from->device_status;
  nic->config_vector = from->config_msix_vector;
  nic->msix_ready = nic->pci.msix != 0 && nic->config_vector == VIRTIO_NET_MSIX_VECTOR;
  for(uint32_t i = 0; i < nic->queue_count; i++) {
    nic->msix_ready = nic->msix_ready && nic->queue[i].vector == VIRTIO_NET_MSIX_VECTOR;
  }
  virtio_net_fresh_start(nic);
  dev->link = virtio_net_read_link(nic);
  dev->state = NETDEV_OPEN;
}

/* What the device filters by is not in its registers, and a device that was closed before firmware left it live could
 * not be told: so it is told, again or at last. */
static int wake(struct virtio_net *nic, uint8_t state) {
  if(state == NET_HANDOFF_QUIET) {
    virtio_net_go(nic);
  }
  int result = virtio_net_apply_mac(nic, nic->netdev.mac);
  return result == NETDEV_OK ? virtio_net_apply_filter(nic) : result;
}

int virtio_net_adopt_device(struct virtio_net *nic, const struct net_handoff_nic *entry,
                            const struct net_handoff_virtio_net *from, net_map map) {
  int result = net_pci_power_up(nic->platform);
  if(result == NETDEV_OK) {
    result = virtio_pci_find(&nic->pci, nic->platform);
  }
  if(result != NETDEV_OK) {
    return result;
  }
  (void)virtio_pci_allow_intx(&nic->pci, false);
  result = check_device(nic, from);
  nic->features = from->features;
  nic->queue_count = from->queue_count;
  for(uint16_t i = 0; i < VIRTIO_NET_QUEUES && i < from->queue_count && result == NETDEV_OK; i++) {
    result = adopt_queue(nic, &from->queue[i], i, map);
  }
  if(result == NETDEV_OK) {
    take_over_state(nic, entry, from);
    result = wake(nic, entry->state);
    if(result != NETDEV_OK) {
      (void)virtio_pci_stop(&nic->pci);
    }
  }
  return result;
}
