/* virtio_handoff.c - leaving a device to a kernel, and judging what firmware left (include/net/HANDOFF.md). */
#include "virtio_nic.h"

#include <string.h>

#include "../handoff.h"

_Static_assert(sizeof(struct net_handoff_virtio_net) <= NET_HANDOFF_BLOCK_MAX, "a block");
_Static_assert(NET_HANDOFF_QUEUES_MAX == VIRTIO_NET_QUEUES && NET_HANDOFF_QUEUE_MAX == VIRTQ_SIZE_MAX,
               "all queues fit");

/* Judging -------------------------------------------------------------------------------------------------------- */

static bool is_place(const struct net_handoff_nic *nic, const struct net_handoff_virtio_place *place, uint32_t length) {
  if(place->bar >= NET_HANDOFF_BARS) {
    return false;
  }
  const struct net_handoff_bar *bar = &nic->bar[place->bar];
  return (bar->flags & (NET_HANDOFF_BAR_MEMORY | NET_HANDOFF_BAR_IO)) && place->length >= length &&
         (uint64_t)place->offset + place->length <= bar->size;
}

static uint32_t bits_in(const uint32_t *words, uint32_t count) {
  uint32_t bits = 0;
  for(uint32_t i = 0; i < count; i++) {
    bits += words[i / 32U] >> i % 32U & 1U;
  }
  return bits;
}

static bool is_aligned(const struct net_handoff_virtio_queue *queue) {
  return ((queue->descriptors | queue->descriptors_device) & 15U) == 0 &&
         ((queue->available | queue->available_device) & 1U) == 0 && ((queue->used | queue->used_device) & 3U) == 0;
}

static const char *judge_queue(const struct net_handoff_virtio_net *block, uint32_t number) {
  const struct net_handoff_virtio_queue *queue = &block->queue[number];
  bool control = number == VIRTIO_NET_CONTROL;
  uint32_t stride = control ? VIRTIO_NET_COMMAND_SIZE : VIRTIO_NET_BUFFER_SIZE;
  uint32_t heads = control ? 1U : queue->size;
  if(queue->size < VIRTQ_SIZE_MIN || queue->size > VIRTQ_SIZE_MAX || (queue->size & (queue->size - 1U))) {
    return "a queue's size is no power of two in range";
  }
  if(queue->buffer_size != stride || queue->buffer_stride != stride) {
    return "a queue's buffers are of another size";
  }
  if(!is_aligned(queue)) {
    return "a queue is not aligned";
  }
  if(queue->notify_offset < block->notify.offset || queue->notify_offset % 2U ||
     queue->notify_offset - block->notify.offset + 2ULL > block->notify.length) {
    return "a doorbell is outside its structure";
  }
  if(queue->msix_vector != VIRTIO_NET_MSIX_VECTOR && queue->msix_vector != VIRTIO_NO_VECTOR) {
    return "a queue has another MSI-X vector";
  }
  uint32_t pending = (uint16_t)(queue->available_index - queue->used_last);
  uint32_t most = control ? 0 : queue->size;
  if(bits_in(queue->in_flight, NET_HANDOFF_QUEUE_MAX) != pending || bits_in(queue->in_flight, heads) != pending ||
     pending > most || (number == VIRTIO_NET_RX && pending != most)) {
    return "a queue's indices contradict what is in flight";
  }
  return NULL;
}

static void list_queue(const struct net_handoff_virtio_queue *queue, struct net_handoff_span spans[4]) {
  uint64_t size = queue->size;
  spans[0] = (struct net_handoff_span){queue->descriptors, queue->descriptors_device, 16U * size};
  spans[1] = (struct net_handoff_span){queue->available, queue->available_device, 6U + 2U * size};
  spans[2] = (struct net_handoff_span){queue->used, queue->used_device, 6U + 8U * size};
  spans[3] = (struct net_handoff_span){queue->buffers, queue->buffers_device, size * queue->buffer_stride};
}

static const char *judge_device(const struct net_handoff_nic *nic, const struct net_handoff_virtio_net *block) {
  uint8_t status = nic->state == NET_HANDOFF_LIVE ? VIRTIO_STATUS_LIVE : VIRTIO_STATUS_READY;
  uint32_t queues = block->features & VIRTIO_NET_F_CTRL_VQ ? VIRTIO_NET_QUEUES : VIRTIO_NET_CONTROL;
  if(!(block->features & VIRTIO_F_VERSION_1) || (block->features & ~(uint64_t)VIRTIO_NET_WANTED)) {
    return "features were negotiated that mean other queues";
  }
  if(block->header_size != VIRTIO_NET_HEADER_SIZE || block->device_status != status || block->queue_count != queues) {
    return "the device was set up for something else";
  }
  if(!is_place(nic, &block->common, VIRTIO_COMMON_SIZE) || !is_place(nic, &block->notify, 2) ||
     !is_place(nic, &block->isr, 1) || !is_place(nic, &block->device, 1)) {
    return "a structure is outside its BAR";
  }
  return NULL;
}

const char *virtio_net_handoff_judge(const struct net_handoff_nic *nic, const void *block,
                                     struct net_handoff_span *spans, uint32_t *count) {
  const struct net_handoff_virtio_net *from = block;
  const char *problem = judge_device(nic, from);
  *count = 0;
  for(uint32_t i = 0; !problem && i < from->queue_count; i++) {
    problem = judge_queue(from, i);
    if(!problem) {
      list_queue(&from->queue[i], &spans[*count]);
      *count += 4U;
    }
  }
  return problem;
}

/* Showing -------------------------------------------------------------------------------------------------------- */

static void show_queue(const char *name, const struct net_handoff_virtio_queue *queue, netdev_visitor visitor,
                       void *ctx) {
  const struct net_handoff_shown rows[] = {
      {name, queue->size, NETDEV_UNIT_COUNT, "descriptors"},
      {"  descriptors", queue->descriptors, NETDEV_UNIT_HEX64, "physical address"},
      {"", queue->descriptors_device, NETDEV_UNIT_HEX64, "the device's"},
      {"  available", queue->available, NETDEV_UNIT_HEX64, "physical address"},
      {"", queue->available_device, NETDEV_UNIT_HEX64, "the device's"},
      {"  used", queue->used, NETDEV_UNIT_HEX64, "physical address"},
      {"", queue->used_device, NETDEV_UNIT_HEX64, "the device's"},
      {"  buffers", queue->buffers, NETDEV_UNIT_HEX64, "physical address"},
      {"", queue->buffers_device, NETDEV_UNIT_HEX64, "the device's"},
      {"  index", queue->available_index, NETDEV_UNIT_COUNT, "descriptors made available"},
      {"  taken", queue->used_last, NETDEV_UNIT_COUNT, "taken back"},
      {"  in flight", bits_in(queue->in_flight, NET_HANDOFF_QUEUE_MAX), NETDEV_UNIT_COUNT, "are the device's"},
      {"  vector", queue->msix_vector, NETDEV_UNIT_HEX16, "of MSI-X, 0xffff none"},
  };
  net_handoff_show_rows(rows, sizeof(rows) / sizeof(rows[0]), visitor, ctx);
}

void virtio_net_handoff_show(const void *block, netdev_visitor visitor, void *ctx) {
  static const char *const names[VIRTIO_NET_QUEUES] = {"receive", "transmit", "control"};
  const struct net_handoff_virtio_net *virtio = block;
  const struct net_handoff_shown rows[] = {
      {"features", virtio->features, NETDEV_UNIT_HEX64, "negotiated"},
      {"status", virtio->device_status, NETDEV_UNIT_HEX8, "of the device"},
  };
  net_handoff_show_rows(rows, sizeof(rows) / sizeof(rows[0]), visitor, ctx);
  for(uint32_t i = 0; i < virtio->queue_count && i < VIRTIO_NET_QUEUES; i++) {
    show_queue(names[i], &virtio->queue[i], visitor, ctx);
  }
}

/* Leaving -------------------------------------------------------------------------------------------------------- */

static struct net_handoff_virtio_place export_place(const struct virtio_place *place) {
  return (struct net_handoff_virtio_place){place->bar, place->offset, place->length};
}

static void export_queue(const struct virtq *queue, struct net_handoff_virtio_queue *out) {
  /* Under UEFI the processor's addresses are the physical ones. */
  *out = (struct net_handoff_virtio_queue){
      .descriptors = (uint64_t)(uintptr_t)queue->descriptor,
      .descriptors_device = queue->descriptor_device,
      .available = (uint64_t)(uintptr_t)queue->available,
      .available_device = queue->available_device,
      .used = (uint64_t)(uintptr_t)queue->used,
      .used_device = queue->used_device,
      .buffers = (uint64_t)(uintptr_t)queue->buffers.cpu,
      .buffers_device = queue->buffers.device,
      .buffer_size = queue->stride,
      .buffer_stride = queue->stride,
      .notify_offset = queue->doorbell,
      .size = queue->size,
      .msix_vector = queue->vector,
      .available_index = queue->published,
      .used_last = queue->taken,
  };
  memcpy(out->in_flight, queue->in_flight, sizeof(out->in_flight));
}

static bool is_identity(const struct net_handoff_virtio_queue *queue) {
  return queue->descriptors == queue->descriptors_device && queue->available == queue->available_device &&
         queue->used == queue->used_device && queue->buffers == queue->buffers_device;
}

void virtio_net_handoff_export(struct netdev *dev, struct net_handoff_nic *nic, void *block) {
  const struct virtio_net *virtio = to_virtio(dev);
  struct net_handoff_virtio_net *out = block;
  net_handoff_export(dev, nic);
  nic->statistics.rx_errors = dev->stats.rx_length_errors + dev->stats.rx_device_errors; /* as of now */
  nic->mtu = (uint16_t)virtio->mtu;
  *out = (struct net_handoff_virtio_net){
      .features = virtio->features,
      .common = export_place(&virtio->pci.common),
      .notify = export_place(&virtio->pci.notify),
      .isr = export_place(&virtio->pci.isr),
      .device = export_place(&virtio->pci.device),
      .notify_multiplier = virtio->pci.notify_multiplier,
      .header_size = VIRTIO_NET_HEADER_SIZE,
      .config_msix_vector = virtio->config_vector,
      .device_status = virtio->status,
      .queue_count = virtio->queue_count,
  };
  nic->flags |= NET_HANDOFF_IDENTITY;
  for(uint32_t i = 0; i < virtio->queue_count; i++) {
    export_queue(&virtio->queue[i], &out->queue[i]);
    nic->flags &= is_identity(&out->queue[i]) ? ~0U : ~NET_HANDOFF_IDENTITY;
  }
}

/* Tells the device whatever was offered to it, so that in flight and told are the same. */
static void publish_all(struct virtio_net *nic) {
  for(uint32_t i = 0; i < VIRTIO_NET_CONTROL; i++) {
    if(virtq_publish(&nic->queue[i])) {
      virtio_pci_notify(&nic->pci, &nic->queue[i]);
    }
  }
}

/* Of a device that has stopped: what it had received and what it had not sent yet goes with its queues. */
static void count_lost(struct virtio_net *nic) {
  struct netdev_stats *stats = &nic->netdev.stats;
  stats->rx_missed += virtq_waiting(virtio_rx(nic));
  stats->tx_errors += (uint16_t)(virtq_pending(virtio_tx(nic)) - virtq_waiting(virtio_tx(nic)));
}

/* A receiver cannot be stopped, so a quiet device is one that was reset and set up again, up to where DRIVER_OK would
 * follow. What it had received and what it had to send is lost, and counted. */
static bool leave_quiet(struct virtio_net *nic) {
  if(!virtio_pci_silence(&nic->pci)) {
    return false;
  }
  if(nic->netdev.state == NETDEV_OPEN) {
    count_lost(nic);
  }
  return virtio_net_prepare(nic) == NETDEV_OK;
}

/* Whoever closed the device left it reset. It is started without commands, which would wait: the kernel sends them. */
static bool start_by_registers(struct virtio_net *nic) {
  if(!leave_quiet(nic)) {
    return false;
  }
  virtio_net_go(nic);
  return true;
}

static bool leave_live(struct virtio_net *nic) {
  if(nic->netdev.state == NETDEV_CLOSED) {
    if(!start_by_registers(nic)) {
      return false;
    }
  } else if(nic->trouble || virtio_status(&nic->pci) != VIRTIO_STATUS_LIVE) {
    return false;
  }
  publish_all(nic);
  virtq_park(virtio_rx(nic));
  virtq_park(virtio_tx(nic));
  (void)virtio_pci_isr(&nic->pci); /* lowers the line */
  return true;
}

bool virtio_net_handoff_leave(struct netdev *dev, bool live, struct net_handoff_nic *nic, void *block) {
  struct virtio_net *virtio = to_virtio(dev);
  if(virtio_status(&virtio->pci) == VIRTIO_STATUS_ABSENT) {
    return false;
  }
  if(!(live ? leave_live(virtio) : leave_quiet(virtio))) {
    (void)virtio_pci_silence(&virtio->pci);
    return false;
  }
  dev->link = virtio_net_read_link(virtio);
  virtio_net_handoff_export(dev, nic, block);
  return true;
}
