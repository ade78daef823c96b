/* e1000.c - Intel 8254x, 8257x and PCH behind struct netdev: open, close, heartbeat, recovery, and the family. */
#include "e1000_hw.h"
#include "../net_model.h"
#include "../netdev.h"

#include <string.h>

#define E1000_LINK_INTERVAL_US 50000U   /* how often the heartbeat reads STATUS                                   */
#define E1000_TX_HANG_US       2000000U /* the oldest frame is not out for this long though the link is up        */

static struct e1000 *to_e1000(struct netdev *dev) {
  return (struct e1000 *)dev;
}

/* Open and close ------------------------------------------------------------------------------------------------- */

static uint64_t now_us(const struct e1000 *nic) {
  return nic->platform->now_us(nic->platform->ctx);
}

/* The frames that are done count as sent; the rest comes back with `status`. Only while the device is quiet. */
static void hand_back_frames(struct e1000 *nic, int status) {
  const struct e1000_slot *slot;
  while((slot = e1000_tx_done(&nic->tx)) != NULL) {
    e1000_frame_done(nic, slot, NETDEV_OK);
  }
  while((slot = e1000_tx_cancel(&nic->tx)) != NULL) {
    e1000_frame_done(nic, slot, status);
  }
}

static int op_open(struct netdev *dev) {
  struct e1000 *nic = to_e1000(dev);
  /* The reset of create, or of the last close, will do, unless somebody has used the device since. */
  int result = nic->fresh && !e1000_runs(nic) ? NETDEV_OK : e1000_reset(nic);
  if(result == NETDEV_OK) {
    result = e1000_start(nic);
  }
  uint32_t status = e1000_read(nic, E1000_STATUS);
  if(result == NETDEV_OK && e1000_is_gone(nic, status)) {
    result = NETDEV_E_GONE;
  }
  if(result != NETDEV_OK) {
    e1000_silence(nic); /* also what seems to be gone: one read may have been lost, and the rings are freed one day */
    return result;
  }
  nic->link_read_us = now_us(nic);
  nic->stuck_watch = false;
  netdev_link_seen(dev, e1000_decode_link(status));
  return NETDEV_OK;
}

static void update_stats(struct e1000 *nic) {
  struct netdev_stats *stats = &nic->netdev.stats;
  e1000_add_counters(nic);
  stats->rx_missed = e1000_count(nic, E1000_MPC);
  stats->rx_crc_errors = e1000_count(nic, E1000_CRCERRS);
  stats->tx_collisions = e1000_count(nic, E1000_COLC);
  stats->wire = (struct netdev_wire_stats){
      .rx_total_frames = e1000_count(nic, E1000_TPR),
      .rx_total_bytes = e1000_count(nic, E1000_TORL),
      .rx_good_frames = e1000_count(nic, E1000_GPRC),
      .rx_undersize_frames = e1000_count(nic, E1000_RUC),
      .rx_oversize_frames = e1000_count(nic, E1000_ROC),
      .rx_broadcast_frames = e1000_count(nic, E1000_BPRC),
      .rx_multicast_frames = e1000_count(nic, E1000_MPRC),
      .tx_total_frames = e1000_count(nic, E1000_TPT),
      .tx_total_bytes = e1000_count(nic, E1000_TOTL),
      .tx_good_frames = e1000_count(nic, E1000_GPTC),
      .tx_broadcast_frames = e1000_count(nic, E1000_BPTC),
      .tx_multicast_frames = e1000_count(nic, E1000_MPTC),
  };
}

/* Leaves the controller reset, with its permanent address in place, for whoever comes next. */
static void op_close(struct netdev *dev, bool gone) {
  struct e1000 *nic = to_e1000(dev);
  if(!gone) {
    (void)e1000_identify(dev, false);
    e1000_irq_stop(nic);
    (void)e1000_stop_rings(nic); /* the reset tells whether it has gone */
    update_stats(nic);
    if(e1000_reset(nic) != NETDEV_OK) {
      e1000_log(nic, NET_LOG_ERROR, "close: the reset failed; the device is silenced directly", 0);
      e1000_silence(nic);
    }
    e1000_write_address(nic, dev->permanent_mac);
    (void)e1000_set_in_charge(nic, false);
  }
  hand_back_frames(nic, NETDEV_E_CANCELLED);
}

/* Configuration -------------------------------------------------------------------------------------------------- */

static int op_set_mac(struct netdev *dev, const uint8_t mac[NETDEV_MAC_LENGTH]) {
  e1000_write_address(to_e1000(dev), mac);
  return NETDEV_OK;
}

static int op_set_filter(struct netdev *dev) {
  e1000_apply_filter(to_e1000(dev));
  return NETDEV_OK;
}

static void op_update_stats(struct netdev *dev) {
  update_stats(to_e1000(dev));
}

static void op_quiesce(struct netdev *dev) {
  e1000_silence(to_e1000(dev));
}

/* Heartbeat ------------------------------------------------------------------------------------------------------ */

/* The device no longer answers, or cannot be reset any more, which is as good as gone: nothing further may be asked. If
 * it is still there after all, it must not go on writing into memory that is freed one day. */
static int give_up(struct e1000 *nic) {
  e1000_silence(nic);
  nic->irq_enabled = false;
  netdev_gone(&nic->netdev);
  hand_back_frames(nic, NETDEV_E_GONE);
  return NETDEV_E_GONE;
}

static int recover(struct e1000 *nic) {
  struct netdev *dev = &nic->netdev;
  e1000_log(nic, NET_LOG_WARN, "the transmitter hangs, resetting; TDH", e1000_read(nic, E1000_TDH));
  dev->stats.tx_hangs++;
  nic->stuck_watch = false;
  bool irq_enabled = nic->irq_enabled;
  e1000_irq_stop(nic); /* a handler must not touch a device in reset, whoever interrupts */
  (void)e1000_stop_rings(nic);
  e1000_add_counters(nic);
  int result = e1000_reset(nic);
  if(result == NETDEV_OK) {
    /* Closed meanwhile, so that a callback that wants to send is refused instead of queueing into a dead ring. */
    dev->state = NETDEV_CLOSED;
    hand_back_frames(nic, NETDEV_E_RESET);
    dev->state = NETDEV_OPEN;
    result = e1000_start(nic);
  }
  if(result == NETDEV_OK) {
    if(irq_enabled) {
      e1000_irq_program(nic);
    }
    return NETDEV_OK;
  }
  return give_up(nic);
}

/* True when the oldest frame that the device was told of has been the same one for too long. The clock starts when a
 * tick first sees it, so a frame that was queued just now is never taken for a hang. */
static bool is_stuck(struct e1000 *nic, uint64_t now) {
  bool in_flight = nic->tx.published != nic->tx.head;
  if(!in_flight || !nic->stuck_watch || nic->tx.head != nic->stuck_head) {
    nic->stuck_watch = in_flight;
    nic->stuck_head = nic->tx.head;
    nic->stuck_us = now;
  }
  return in_flight && now - nic->stuck_us >= E1000_TX_HANG_US;
}

/* No use to wait: the device is not there, has no link, or is held by a pause frame. */
static uint32_t op_tx_waiting(struct netdev *dev) {
  struct e1000 *nic = to_e1000(dev);
  uint32_t pending = nic->tx.published - nic->tx.head;
  uint32_t status = pending > 0 ? e1000_read(nic, E1000_STATUS) : 0;
  bool sends = pending > 0 && !e1000_is_gone(nic, status) && e1000_decode_link(status).up;
  return sends && !(status & E1000_STATUS_TXOFF) ? pending : 0;
}

/*
 * The receive tail write of the last batch may sit in a hypervisor's write-combining queue until some register is read.
 * Under load transmissions or this read push it out, ten times as often as a ring of the default size runs dry.
 */
static int op_tick(struct netdev *dev) {
  struct e1000 *nic = to_e1000(dev);
  (void)e1000_data_complete(dev);

  uint64_t now = now_us(nic);
  bool stuck = is_stuck(nic, now);
  if(!nic->rx_doorbell_posted && now - nic->link_read_us < E1000_LINK_INTERVAL_US) {
    return NETDEV_OK;
  }
  uint32_t status = e1000_read(nic, E1000_STATUS);
  nic->rx_doorbell_posted = false;
  nic->link_read_us = now;
  if(e1000_is_gone(nic, status)) {
    e1000_log(nic, NET_LOG_ERROR, "the device no longer answers", status);
    return give_up(nic);
  }
  netdev_link_seen(dev, e1000_decode_link(status));

  /* Without a link, or held by a pause frame, waiting is right. */
  if(!dev->link.up || (status & E1000_STATUS_TXOFF)) {
    nic->stuck_watch = false;
  } else if(stuck) {
    return recover(nic);
  }
  return NETDEV_OK;
}

/* Create and destroy --------------------------------------------------------------------------------------------- */

static void tear_down(struct e1000 *nic) {
  const struct net_platform *platform = nic->platform;
  e1000_ring_destroy(&nic->rx, platform);
  e1000_ring_destroy(&nic->tx, platform);
  net_pci_aspm_restore(platform, &nic->aspm);
  platform->free(platform->ctx, nic, sizeof(*nic));
}

static void op_destroy(struct netdev *dev) {
  tear_down(to_e1000(dev));
}

static const struct netdev_ops e1000_ops = {
    .open = op_open,
    .close = op_close,
    .destroy = op_destroy,
    .transmit = e1000_data_transmit,
    .flush = e1000_data_flush,
    .complete = e1000_data_complete,
    .peek = e1000_data_peek,
    .release = e1000_data_release,
    .set_mac = op_set_mac,
    .set_filter = op_set_filter,
    .update_stats = op_update_stats,
    .tick = op_tick,
    .quiesce = op_quiesce,
    .handoff_export = e1000_handoff_export,
    .handoff_leave = e1000_handoff_leave,
    .irq_enable = e1000_irq_enable,
    .irq_handle = e1000_irq_handle,
    .irq_rearm = e1000_irq_rearm,
    .irq_disable = e1000_irq_disable,
    .selftest = e1000_selftest,
    .identify = e1000_identify,
    .inspect = e1000_inspect,
    .nvm_read = e1000_nvm_word,
    .tx_waiting = op_tx_waiting,
    .news = e1000_data_news,
};

static void init(struct e1000 *nic, const uint8_t mac[NETDEV_MAC_LENGTH]) {
  netdev_init(&nic->netdev, nic->platform, &e1000_ops, nic->model->common.name, mac);
  nic->netdev.nvm_words = E1000_NVM_WORDS;
}

static int bring_up(struct e1000 *nic, const struct net_config *config) {
  int result = e1000_ring_create(&nic->tx, nic->platform, config->tx_descriptors, nic->model->common.dma_bits);
  if(result == NETDEV_OK) {
    result = e1000_ring_create(&nic->rx, nic->platform, config->rx_descriptors, nic->model->common.dma_bits);
  }
  if(result == NETDEV_OK) {
    result = e1000_prepare_function(nic);
  }
  if(result == NETDEV_OK) {
    result = e1000_reset(nic);
  }
  uint8_t mac[NETDEV_MAC_LENGTH] = {0};
  if(result == NETDEV_OK) {
    e1000_wake_phy(nic); /* so that it negotiates from here on, and not only when the device is opened */
    result = e1000_read_address(nic, mac);
  }
  if(result == NETDEV_OK) {
    /* Statistics begin here: what the device counted before is read, and dropped. */
    e1000_add_counters(nic);
    memset(nic->counter, 0, sizeof(nic->counter));
    init(nic, mac);
  }
  return result;
}

static const struct net_model *match(const struct net_device_id *id);

static bool has_registers(const struct net_platform *platform) {
  const struct net_bar *bar = &platform->bar[E1000_REGISTER_BAR];
  return bar->kind == NET_BAR_MEMORY && (bar->size == 0 || bar->size >= E1000_BAR0_MIN_SIZE);
}

static int glance(const struct net_platform *platform, const struct net_device_id *id, uint8_t mac[NETDEV_MAC_LENGTH],
                  struct netdev_link *link) {
  if(!match(id) || !has_registers(platform)) {
    return NETDEV_E_UNSUPPORTED;
  }
  uint32_t status = platform->read32(platform->ctx, E1000_REGISTER_BAR, E1000_STATUS);
  if(status == UINT32_MAX) {
    return NETDEV_E_GONE;
  }
  *link = e1000_decode_link(status);
  e1000_decode_address(platform->read32(platform->ctx, E1000_REGISTER_BAR, E1000_RAL),
                       platform->read32(platform->ctx, E1000_REGISTER_BAR, E1000_RAH), mac);
  return NETDEV_OK;
}

/* A device that nothing is known of yet but its model. */
static int make(const struct net_platform *platform, uint16_t vendor_id, uint16_t device_id, uint8_t revision_id,
                struct e1000 **out) {
  const struct e1000_model *model = e1000_find_model(vendor_id, device_id);
  void *memory;
  int result = net_device_new(platform, model ? &model->common : NULL, sizeof(struct e1000), &memory);
  if(result == NETDEV_OK) {
    *out = memory;
    (*out)->platform = platform;
    (*out)->model = model;
    (*out)->revision_id = revision_id;
  }
  return result;
}

int e1000_create(const struct net_platform *platform, const struct net_config *config, struct netdev **out) {
  struct e1000 *nic;
  if(!config || !out) {
    return NETDEV_E_INVALID;
  }
  int result = make(platform, config->id.vendor_id, config->id.device_id, config->id.revision_id, &nic);
  if(result != NETDEV_OK) {
    return result;
  }
  result = has_registers(platform) ? bring_up(nic, config) : NETDEV_E_UNSUPPORTED;
  if(result != NETDEV_OK) {
    tear_down(nic);
    return result;
  }
  *out = &nic->netdev;
  return NETDEV_OK;
}

int e1000_adopt(const struct net_platform *platform, const struct net_handoff_nic *entry, const void *block,
                net_map map, struct netdev **out) {
  struct e1000 *nic;
  if(!entry || !block || !map || !out) {
    return NETDEV_E_INVALID;
  }
  if(entry->state != NET_HANDOFF_QUIET && entry->state != NET_HANDOFF_LIVE) {
    return NETDEV_E_UNSUPPORTED;
  }
  int result = make(platform, entry->vendor_id, entry->device_id, entry->revision_id, &nic);
  if(result != NETDEV_OK) {
    return result;
  }
  init(nic, entry->permanent_mac);
  result = e1000_adopt_device(nic, entry, block, map);
  if(result != NETDEV_OK) {
    tear_down(nic);
    return result;
  }
  *out = &nic->netdev;
  return NETDEV_OK;
}

/* The family ------------------------------------------------------------------------------------------------------- */

static const struct net_model *match(const struct net_device_id *id) {
  const struct e1000_model *model = e1000_find_model(id->vendor_id, id->device_id);
  return model ? &model->common : NULL;
}

const struct net_driver e1000_driver = {
    .name = "e1000",
    .title = "Intel 8254x/82574L Gigabit Ethernet",
    .ring_min = E1000_RING_MIN,
    .ring_max = E1000_RING_MAX,
    .ring_default = E1000_RING_DEFAULT,
    .match = match,
    .glance = glance,
    .create = e1000_create,
    .handoff_kind = NET_HANDOFF_BLOCK_E1000,
    .handoff_size = sizeof(struct net_handoff_e1000),
    .handoff_size_min = NET_HANDOFF_E1000_SIZE_2_0,
    .handoff_judge = e1000_handoff_judge,
    .handoff_show = e1000_handoff_show,
    .adopt = e1000_adopt,
};
