/* e1000_adopt.c - continuing a controller where firmware stopped (include/net/HANDOFF.md). */
#include "e1000_hw.h"
#include "../netdev.h"

#include <string.h>

/* What the registers must hold for the entry to be about this controller as it stands now. */
struct expectation {
  const char *what;
  uint32_t offset;
  uint32_t mask;
  uint32_t value;
};

static int compare(const struct e1000 *nic, const struct expectation *expected, size_t count) {
  for(size_t i = 0; i < count; i++) {
    uint32_t value = e1000_read(nic, expected[i].offset);
    if(value == UINT32_MAX && expected[i].value != UINT32_MAX) {
      return NETDEV_E_GONE;
    }
    if((value & expected[i].mask) != (expected[i].value & expected[i].mask)) {
      e1000_log(nic, NET_LOG_WARN, expected[i].what, value);
      return NETDEV_E_STATE;
    }
  }
  return NETDEV_OK;
}

/* The head register may be anywhere among the descriptors that the device owns, or just behind them. */
static int compare_head(const struct e1000 *nic, const struct net_handoff_e1000_ring *ring, uint32_t offset) {
  uint32_t head = e1000_read(nic, offset);
  uint32_t mask = ring->count - 1U;
  if(head > mask || ((head - ring->head) & mask) > ring->published - ring->head) {
    e1000_log(nic, NET_LOG_WARN, "handoff: a head register is outside what the device owns", head);
    return NETDEV_E_STATE;
  }
  return NETDEV_OK;
}

static uint32_t ring_bytes(const struct net_handoff_e1000_ring *ring) {
  return ring->count * ring->descriptor_size;
}

static int check_device(const struct e1000 *nic, const struct net_handoff_nic *entry,
                        const struct net_handoff_e1000 *from) {
  const uint8_t *mac = entry->current_mac;
  bool live = entry->state == NET_HANDOFF_LIVE;
  const struct expectation expected[] = {
      {"handoff: RDBAL differs", E1000_RDBAL, UINT32_MAX, (uint32_t)from->rx.descriptors_device},
      {"handoff: RDBAH differs", E1000_RDBAH, UINT32_MAX, (uint32_t)(from->rx.descriptors_device >> 32)},
      {"handoff: RDLEN differs", E1000_RDLEN, UINT32_MAX, ring_bytes(&from->rx)},
      {"handoff: RDT differs", E1000_RDT, UINT32_MAX, from->rx.published & (from->rx.count - 1U)},
      {"handoff: TDBAL differs", E1000_TDBAL, UINT32_MAX, (uint32_t)from->tx.descriptors_device},
      {"handoff: TDBAH differs", E1000_TDBAH, UINT32_MAX, (uint32_t)(from->tx.descriptors_device >> 32)},
      {"handoff: TDLEN differs", E1000_TDLEN, UINT32_MAX, ring_bytes(&from->tx)},
      {"handoff: TDT differs", E1000_TDT, UINT32_MAX, from->tx.published & (from->tx.count - 1U)},
      {"handoff: RAL0 differs", E1000_RAL, UINT32_MAX,
       (uint32_t)mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24},
      {"handoff: RAH0 differs", E1000_RAH, E1000_RAH_AV | 0xFFFFU,
       E1000_RAH_AV | (uint32_t)mac[4] | (uint32_t)mac[5] << 8},
      {"handoff: RCTL differs", E1000_RCTL, live ? UINT32_MAX : E1000_RCTL_EN, live ? from->rctl : 0},
      {"handoff: TCTL differs", E1000_TCTL, UINT32_MAX, live ? from->tctl : from->tctl & ~E1000_TCTL_EN},
      {"handoff: RFCTL asks for extended descriptors", E1000_RFCTL, E1000_RFCTL_EXTEN,
       0}, /* the last: PCIe parts only */
  };
  size_t count = sizeof(expected) / sizeof(expected[0]);
  int result = compare(nic, expected, e1000_has_quirk(nic, E1000_QUIRK_PCIE) ? count : count - 1U);
  if(result == NETDEV_OK) {
    result = compare_head(nic, &from->rx, E1000_RDH);
  }
  return result == NETDEV_OK ? compare_head(nic, &from->tx, E1000_TDH) : result;
}

static int adopt_ring(struct e1000 *nic, struct e1000_ring *ring, const struct net_handoff_e1000_ring *from,
                      net_map map) {
  void *ctx = nic->platform->ctx;
  void *descriptors = map(ctx, from->descriptors, ring_bytes(from));
  void *buffers = map(ctx, from->buffers, (uint64_t)from->count * from->buffer_stride);
  return descriptors && buffers ? e1000_ring_adopt(ring, nic->platform, from, descriptors, buffers)
                                : NETDEV_E_NO_MEMORY;
}

/* The entry has the sum of the receive errors only, so it goes on in one of its parts. rx_missed is the sum of a
 * register: one that keeps its value when it is read still shows what the firmware has counted. */
static void take_over_statistics(struct e1000 *nic, const struct net_handoff_statistics *from) {
  struct netdev_stats *stats = &nic->netdev.stats;
  stats->rx_frames = from->rx_frames;
  stats->rx_bytes = from->rx_bytes;
  stats->rx_device_errors = from->rx_errors;
  stats->tx_frames = from->tx_frames;
  stats->tx_bytes = from->tx_bytes;
  stats->tx_errors = from->tx_errors;
  stats->link_changes = from->link_changes;
  const uint32_t missed = (E1000_MPC - E1000_STATS_FIRST) / 4U;
  nic->counter[missed] = from->rx_missed;
  nic->sticky[missed] = (uint32_t)from->rx_missed;
}

static void take_over_state(struct e1000 *nic, const struct net_handoff_nic *entry,
                            const struct net_handoff_e1000 *from) {
  struct netdev *dev = &nic->netdev;
  memcpy(dev->mac, entry->current_mac, NETDEV_MAC_LENGTH);
  dev->filter = entry->filter;
  dev->multicast_count = entry->multicast_count;
  memcpy(dev->multicast, entry->multicast, sizeof(dev->multicast));
  take_over_statistics(nic, &entry->statistics);
  nic->rctl = from->rctl;
  nic->tctl = from->tctl;
  memcpy(nic->mta, from->mta, sizeof(nic->mta));
  uint32_t status = e1000_read(nic, E1000_STATUS);
  e1000_note_bus(nic, status);
  dev->link = e1000_decode_link(status);
  dev->state = NETDEV_OPEN;
}

/* The frames that the firmware queued leave as soon as TCTL runs; what arrives lands where the ring stands. */
static void wake(struct e1000 *nic, const struct net_handoff_e1000 *from) {
  (void)e1000_set_in_charge(nic, true);
  e1000_write(nic, E1000_TCTL, from->tctl);
  e1000_write(nic, E1000_RCTL, from->rctl);
  e1000_write_flush(nic);
}

int e1000_adopt_device(struct e1000 *nic, const struct net_handoff_nic *entry, const struct net_handoff_e1000 *from,
                       net_map map) {
  e1000_write(nic, E1000_IMC, UINT32_MAX);
  int result = check_device(nic, entry, from);
  if(result == NETDEV_OK) {
    result = adopt_ring(nic, &nic->rx, &from->rx, map);
  }
  if(result == NETDEV_OK) {
    result = adopt_ring(nic, &nic->tx, &from->tx, map);
  }
  if(result == NETDEV_OK && !(e1000_rx_fits_slots(&nic->rx) && e1000_tx_fits_slots(&nic->tx))) {
    e1000_log(nic, NET_LOG_WARN, "handoff: a descriptor points outside its buffer", 0);
    result = NETDEV_E_STATE;
  }
  if(result == NETDEV_OK) {
    take_over_state(nic, entry, from);
    result = e1000_prepare_function(nic);
  }
  if(result == NETDEV_OK) {
    if(entry->state == NET_HANDOFF_QUIET) {
      wake(nic, from);
    }
  }
  return result;
}
