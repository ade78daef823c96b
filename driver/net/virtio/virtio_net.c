/* virtio_net.c - virtio network devices behind struct netdev: open, close, heartbeat, recovery, and the ID table. */
#include "virtio_nic.h"
#include "../net_model.h"
#include "../net_pci.h"
#include "../netdev.h"

#include <string.h>

#define VIRTIO_LINK_INTERVAL_US 50000U /* how often the heartbeat reads registers */

/* Nothing came back for this long. A device that waits for its backend says nothing, so this is longer than a backend
 * should take. */
#define VIRTIO_TX_HANG_US 5000000U

static uint64_t now_us(const struct virtio_net *nic) {
  return nic->platform->now_us(nic->platform->ctx);
}

/* Open and close ------------------------------------------------------------------------------------------------- */

/* The frames that are done count as sent; the rest comes back with `status`. Only while the device is quiet, and while
 * a callback that wants to send is refused. */
static void hand_back_frames(struct virtio_net *nic, int status) {
  struct virtq *queue = virtio_tx(nic);
  const struct virtq_slot *slot;
  /* Not when all was cancelled before: the used ring of a device that has gone is behind then, and looks like a lie. */
  while(virtq_pending(queue) > 0 && (slot = virtio_net_next_done(nic)) != NULL) {
    virtio_net_frame_done(nic, slot, NETDEV_OK);
  }
  uint16_t id;
  while(virtq_cancel(queue, &id)) {
    virtio_net_frame_done(nic, &queue->slot[id], status);
  }
}

/* Whatever state the device is in, it must not go on writing into memory that is freed one day. */
static void stop_for_good(struct virtio_net *nic) {
  if(!virtio_pci_stop(&nic->pci)) {
    virtio_pci_allow_master(&nic->pci, false);
    nic->cut_off = true;
  }
}

static int op_open(struct netdev *dev) {
  struct virtio_net *nic = to_virtio(dev);
  /* Polled until somebody asks for interrupts. Without this a device that has something to say holds a line high that
   * others may share, until ISR is read. */
  nic->intx_before = virtio_pci_allow_intx(&nic->pci, false);
  virtio_net_fresh_start(nic);
  int result = virtio_net_start(nic);
  uint8_t status = result == NETDEV_OK ? virtio_status(&nic->pci) : 0;
  if(result == NETDEV_OK && virtio_pci_is_gone(&nic->pci, status)) {
    result = NETDEV_E_GONE;
  }
  if(result != NETDEV_OK) {
    stop_for_good(nic); /* also what seems to be gone: one read may have been lost */
    (void)virtio_pci_allow_intx(&nic->pci, nic->intx_before);
    return result;
  }
  nic->link_read_us = now_us(nic);
  netdev_link_seen(dev, virtio_net_read_link(nic));
  return NETDEV_OK;
}

/* Leaves the device reset, which also puts its permanent address in place. */
static void op_close(struct netdev *dev, bool gone) {
  struct virtio_net *nic = to_virtio(dev);
  if(!gone) {
    virtio_net_irq_close(nic);
    if(virtio_pci_reset(&nic->pci) != NETDEV_OK) {
      virtio_net_log(nic, NET_LOG_ERROR, "close: the reset failed", nic->status);
      stop_for_good(nic);
    }
    (void)virtio_pci_allow_intx(&nic->pci, nic->intx_before);
  }
  nic->irq_enabled = false;
  hand_back_frames(nic, NETDEV_E_CANCELLED);
}

/* Configuration -------------------------------------------------------------------------------------------------- */

static int op_set_mac(struct netdev *dev, const uint8_t mac[NETDEV_MAC_LENGTH]) {
  return virtio_net_apply_mac(to_virtio(dev), mac);
}

static int op_set_filter(struct netdev *dev) {
  return virtio_net_apply_filter(to_virtio(dev));
}

static void op_update_stats(struct netdev *dev) {
  (void)dev; /* all that is counted is counted by us, as it happens */
}

static void op_quiesce(struct netdev *dev) {
  (void)virtio_pci_silence(&to_virtio(dev)->pci);
}

/* Heartbeat ------------------------------------------------------------------------------------------------------ */

/* The device no longer answers, or cannot be reset any more, which is as good as gone: nothing further may be asked. */
static int give_up(struct virtio_net *nic) {
  stop_for_good(nic);
  netdev_gone(&nic->netdev);
  hand_back_frames(nic, NETDEV_E_GONE);
  return NETDEV_E_GONE;
}

/* No handler may touch the device or its queues meanwhile: interrupts are off, and on again at the end. */
static int recover(struct virtio_net *nic, uint64_t now) {
  struct netdev *dev = &nic->netdev;
  bool irq_enabled = nic->irq_enabled;
  virtio_net_irq_close(nic);
  nic->counters.resets++;
  nic->stuck_watch = false;
  if(!virtio_net_may_reset(nic, now) || virtio_pci_reset(&nic->pci) != NETDEV_OK) {
    return give_up(nic);
  }
  /* Closed meanwhile, so that a callback that wants to send is refused instead of queueing into a dead queue. */
  dev->state = NETDEV_CLOSED;
  hand_back_frames(nic, NETDEV_E_RESET);
  dev->state = NETDEV_OPEN;
  if(virtio_net_start(nic) != NETDEV_OK) {
    return give_up(nic);
  }
  if(irq_enabled) {
    nic->irq_enabled = true;
    virtio_net_irq_program(nic); /* the reset has parked them */
  }
  return NETDEV_OK;
}

/* True when nothing that the device was told to send has come back for too long. The clock starts when a tick first
 * sees that, so a frame that was queued just now is never taken for a hang. */
static bool is_stuck(struct virtio_net *nic, uint64_t now) {
  const struct virtq *queue = virtio_tx(nic);
  bool waiting = virtq_pending(queue) != 0;
  if(!waiting || !nic->stuck_watch || queue->taken != nic->stuck_taken) {
    nic->stuck_watch = waiting;
    nic->stuck_taken = queue->taken;
    nic->stuck_us = now;
  }
  return waiting && now - nic->stuck_us >= VIRTIO_TX_HANG_US;
}

/* No use to wait: the device is in trouble, is not there, or has no link. */
static uint32_t op_tx_waiting(struct netdev *dev) {
  struct virtio_net *nic = to_virtio(dev);
  uint16_t pending = virtq_pending(virtio_tx(nic));
  return pending > 0 && !nic->trouble && virtio_status(&nic->pci) == nic->status && virtio_net_read_link(nic).up
             ? pending
             : 0;
}

/* Two reads every 50 ms, none in between: whether the device is there and well, and its link. */
static int op_tick(struct netdev *dev) {
  struct virtio_net *nic = to_virtio(dev);
  virtio_net_complete(dev);

  uint64_t now = now_us(nic);
  bool stuck = is_stuck(nic, now);
  if(!nic->trouble && now - nic->link_read_us < VIRTIO_LINK_INTERVAL_US) {
    return NETDEV_OK;
  }
  nic->link_read_us = now;
  uint8_t status = virtio_status(&nic->pci);
  if(virtio_pci_is_gone(&nic->pci, status)) {
    virtio_net_log(nic, NET_LOG_ERROR, "the device no longer answers", status);
    return give_up(nic);
  }
  if(status != nic->status) {
    virtio_net_distrust(nic, &nic->counters.needs_reset, "the device asks for a reset; its status", status);
  }
  netdev_link_seen(dev, virtio_net_read_link(nic));

  /* Without a link, waiting is right. */
  if(!dev->link.up) {
    nic->stuck_watch = false;
  } else if(stuck) {
    virtio_net_distrust(nic, &dev->stats.tx_hangs, "the device stopped sending; frames waiting",
                        virtq_pending(virtio_tx(nic)));
  }
  return nic->trouble ? recover(nic, now) : NETDEV_OK;
}

/* Create and destroy --------------------------------------------------------------------------------------------- */

static void tear_down(struct virtio_net *nic) {
  const struct net_platform *platform = nic->platform;
  virtio_net_free_queues(nic);
  platform->free(platform->ctx, nic, sizeof(*nic));
}

static void op_destroy(struct netdev *dev) {
  tear_down(to_virtio(dev));
}

static const struct netdev_ops virtio_net_ops = {
    .open = op_open,
    .close = op_close,
    .destroy = op_destroy,
    .transmit = virtio_net_transmit,
    .flush = virtio_net_flush,
    .complete = virtio_net_complete,
    .peek = virtio_net_show,
    .release = virtio_net_release,
    .set_mac = op_set_mac,
    .set_filter = op_set_filter,
    .update_stats = op_update_stats,
    .tick = op_tick,
    .quiesce = op_quiesce,
    .handoff_export = virtio_net_handoff_export,
    .handoff_leave = virtio_net_handoff_leave,
    .irq_enable = virtio_net_irq_enable,
    .irq_handle = virtio_net_irq_handle,
    .irq_rearm = virtio_net_irq_rearm,
    .irq_disable = virtio_net_irq_disable,
    .selftest = virtio_net_selftest,
    .inspect = virtio_net_inspect,
    .tx_waiting = op_tx_waiting,
    .news = virtio_net_news,
};

static void init(struct virtio_net *nic, const uint8_t mac[NETDEV_MAC_LENGTH]) {
  netdev_init(&nic->netdev, nic->platform, &virtio_net_ops, nic->model->name, mac);
  memset(&nic->netdev.stats.wire, 0xFF, sizeof(nic->netdev.stats.wire)); /* NETDEV_NOT_COUNTED, every one */
}

static bool ring_size_valid(uint32_t size) {
  return size == 0 || (size >= VIRTIO_NET_RING_MIN && size <= VIRTIO_NET_RING_MAX && (size & (size - 1U)) == 0);
}

static int bring_up(struct virtio_net *nic, const struct net_config *config) {
  const uint32_t sizes[2] = {config->rx_descriptors ? config->rx_descriptors : VIRTIO_NET_RING_DEFAULT,
                             config->tx_descriptors ? config->tx_descriptors : VIRTIO_NET_RING_DEFAULT};
  int result = net_pci_power_up(nic->platform);
  if(result == NETDEV_OK) {
    result = virtio_pci_find(&nic->pci, nic->platform);
  }
  if(result != NETDEV_OK) {
    return result;
  }
  uint8_t mac[NETDEV_MAC_LENGTH] = {0};
  result = virtio_net_learn(nic, sizes, mac);
  if(result != NETDEV_OK) {
    (void)virtio_pci_stop(&nic->pci);
    return result;
  }
  init(nic, mac);
  return NETDEV_OK;
}

static const struct net_model *find_model(uint16_t vendor_id, uint16_t device_id);

/* A device that nothing is known of yet but its model. */
static int make(const struct net_platform *platform, uint16_t vendor_id, uint16_t device_id, struct virtio_net **out) {
  const struct net_model *model = find_model(vendor_id, device_id);
  void *memory;
  int result = net_device_new(platform, model, sizeof(struct virtio_net), &memory);
  if(result == NETDEV_OK) {
    *out = memory;
    (*out)->platform = platform;
    (*out)->model = model;
  }
  return result;
}

int virtio_net_create(const struct net_platform *platform, const struct net_config *config, struct netdev **out) {
  struct virtio_net *nic;
  if(!config || !out || !ring_size_valid(config->rx_descriptors) || !ring_size_valid(config->tx_descriptors)) {
    return NETDEV_E_INVALID;
  }
  int result = make(platform, config->id.vendor_id, config->id.device_id, &nic);
  if(result != NETDEV_OK) {
    return result;
  }
  result = bring_up(nic, config);
  if(result != NETDEV_OK) {
    tear_down(nic);
    return result;
  }
  *out = &nic->netdev;
  return NETDEV_OK;
}

int virtio_net_adopt(const struct net_platform *platform, const struct net_handoff_nic *entry, const void *block,
                     net_map map, struct netdev **out) {
  struct virtio_net *nic;
  if(!entry || !block || !map || !out) {
    return NETDEV_E_INVALID;
  }
  if(entry->state != NET_HANDOFF_QUIET && entry->state != NET_HANDOFF_LIVE) {
    return NETDEV_E_UNSUPPORTED;
  }
  int result = make(platform, entry->vendor_id, entry->device_id, &nic);
  if(result != NETDEV_OK) {
    return result;
  }
  init(nic, entry->permanent_mac);
  result = virtio_net_adopt_device(nic, entry, block, map);
  if(result != NETDEV_OK) {
    tear_down(nic);
    return result;
  }
  *out = &nic->netdev;
  return NETDEV_OK;
}

uint64_t virtio_net_features(const struct netdev *dev) {
  return ((const struct virtio_net *)dev)->features;
}

uint32_t virtio_net_mtu(const struct netdev *dev) {
  return ((const struct virtio_net *)dev)->mtu;
}

/* A glance changes nothing, so which features the device offers stays unknown (asking is a write): its address and its
 * link status are taken for what they look like. */
static int glance(const struct net_platform *platform, const struct net_device_id *id, uint8_t mac[NETDEV_MAC_LENGTH],
                  struct netdev_link *link) {
  struct virtio_pci pci;
  if(!find_model(id->vendor_id, id->device_id)) {
    return NETDEV_E_UNSUPPORTED;
  }
  int result = virtio_pci_find(&pci, platform);
  if(result == NETDEV_OK && virtio_status(&pci) == VIRTIO_STATUS_ABSENT) {
    result = NETDEV_E_GONE;
  }
  if(result != NETDEV_OK) {
    return result;
  }
  if(virtio_config_bytes(&pci, VIRTIO_NET_CONFIG_MAC, mac, NETDEV_MAC_LENGTH) != NETDEV_OK || !netdev_mac_valid(mac)) {
    memset(mac, 0, NETDEV_MAC_LENGTH);
  }
  bool up = !virtio_pci_has_config(&pci, VIRTIO_NET_CONFIG_STATUS, 2) ||
            (virtio_config_read16(&pci, VIRTIO_NET_CONFIG_STATUS) & VIRTIO_NET_STATUS_LINK_UP) != 0;
  *link = (struct netdev_link){.up = up, .full_duplex = up};
  return NETDEV_OK;
}

/* The devices ---------------------------------------------------------------------------------------------------- */

static const struct net_model models[] = {
    {"virtio-net", "virtio-net Ethernet", 64, 0, VIRTIO_VENDOR_ID, VIRTIO_NET_MODERN},
    {"virtio-net", "virtio-net Ethernet", 64, 0, VIRTIO_VENDOR_ID, VIRTIO_NET_TRANSITIONAL},
};

static const struct net_model *find_model(uint16_t vendor_id, uint16_t device_id) {
  return net_model_find(models, sizeof(models) / sizeof(models[0]), sizeof(models[0]), vendor_id, device_id);
}

static const struct net_model *match(const struct net_device_id *id) {
  return find_model(id->vendor_id, id->device_id);
}

const struct net_driver virtio_net_driver = {
    .name = "virtio-net",
    .title = "virtio-net Ethernet (VIRTIO 1.2)",
    .ring_min = VIRTIO_NET_RING_MIN,
    .ring_max = VIRTIO_NET_RING_MAX,
    .ring_default = VIRTIO_NET_RING_DEFAULT,
    .match = match,
    .glance = glance,
    .create = virtio_net_create,
    .handoff_kind = NET_HANDOFF_BLOCK_VIRTIO_NET,
    .handoff_size = sizeof(struct net_handoff_virtio_net),
    .handoff_size_min = NET_HANDOFF_VIRTIO_NET_SIZE_2_0,
    .handoff_judge = virtio_net_handoff_judge,
    .handoff_show = virtio_net_handoff_show,
    .adopt = virtio_net_adopt,
};
