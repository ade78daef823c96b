/* fake_family.c - the driver of the fake family, and the list of families with it alone. */
#include "fake_family.h"

#include <string.h>

#include "handoff.h"
#include "net/barrier.h"
#include "netdev.h"

struct fake_nic {
  struct netdev netdev; /* first */
  const struct net_platform *platform;
  struct net_dma dma; /* not of an adopted device */
  struct fake_memory *memory;
  uint64_t memory_device;
  uint32_t tx_next; /* free-running: prepared, told, taken back */
  uint32_t tx_told;
  uint32_t tx_done;
  uint32_t rx_next;
  void *cookie[FAKE_SLOTS];
  bool irq;
};

static struct fake_nic *of(struct netdev *dev) {
  return (struct fake_nic *)dev;
}

static struct fake_slot *tx_slot(struct fake_nic *nic, uint32_t index) {
  return &nic->memory->tx[index % FAKE_SLOTS];
}

static struct fake_slot *rx_slot(struct fake_nic *nic) {
  return &nic->memory->rx[nic->rx_next % FAKE_SLOTS];
}

static void put8(const struct fake_nic *nic, uint32_t offset, uint8_t value) {
  nic->platform->write8(nic->platform->ctx, FAKE_BAR, offset, value);
}

static uint8_t get8(const struct fake_nic *nic, uint32_t offset) {
  return nic->platform->read8(nic->platform->ctx, FAKE_BAR, offset);
}

static void put16(const struct fake_nic *nic, uint32_t offset, uint16_t value) {
  nic->platform->write16(nic->platform->ctx, FAKE_BAR, offset, value);
}

static uint16_t get16(const struct net_platform *platform, uint32_t offset) {
  return platform->read16(platform->ctx, FAKE_BAR, offset);
}

static void put32(const struct fake_nic *nic, uint32_t offset, uint32_t value) {
  nic->platform->write32(nic->platform->ctx, FAKE_BAR, offset, value);
}

static uint32_t get32(const struct net_platform *platform, uint32_t offset) {
  return platform->read32(platform->ctx, FAKE_BAR, offset);
}

/* Looking -------------------------------------------------------------------------------------------------------- */

static const struct net_model *match(const struct net_device_id *id) {
  static const struct net_model model = {.name = "Fake-1", .title = "Fake-1 2.5 Gigabit", .dma_bits = 32};
  return id->vendor_id == FAKE_VENDOR_ID && id->device_id == FAKE_DEVICE_ID ? &model : NULL;
}

static struct netdev_link read_link(const struct net_platform *platform) {
  uint16_t speed = get16(platform, FAKE_LINK);
  return (struct netdev_link){.up = speed > 0, .full_duplex = speed > 0, .speed_mbps = speed};
}

static void read_mac(const struct net_platform *platform, uint8_t mac[NETDEV_MAC_LENGTH]) {
  uint32_t low = get32(platform, FAKE_MAC);
  uint16_t high = get16(platform, FAKE_MAC + 4U);
  memcpy(mac, &low, sizeof(low));
  memcpy(mac + 4, &high, sizeof(high));
}

static int look(const struct net_platform *platform) {
  if(platform->bar[FAKE_BAR].kind != NET_BAR_MEMORY) {
    return NETDEV_E_UNSUPPORTED;
  }
  return get32(platform, FAKE_ID) == FAKE_MAGIC ? NETDEV_OK : NETDEV_E_GONE;
}

static int glance(const struct net_platform *platform, const struct net_device_id *id, uint8_t mac[NETDEV_MAC_LENGTH],
                  struct netdev_link *link) {
  (void)id;
  int result = look(platform);
  if(result == NETDEV_OK) {
    read_mac(platform, mac);
    *link = read_link(platform);
  }
  return result;
}

/* Operations ----------------------------------------------------------------------------------------------------- */

static void program(struct fake_nic *nic) {
  put8(nic, FAKE_RUN, FAKE_RUN_RESET);
  put32(nic, FAKE_MEMORY_LOW, (uint32_t)nic->memory_device);
  put32(nic, FAKE_MEMORY_HIGH, (uint32_t)(nic->memory_device >> 32));
  for(uint32_t i = 0; i < FAKE_SLOTS; i++) {
    nic->memory->tx[i].state = FAKE_SLOT_IDLE;
    nic->memory->rx[i].state = FAKE_SLOT_DEVICE;
  }
  nic->tx_next = nic->tx_told = nic->tx_done = nic->rx_next = 0;
}

static int fake_open(struct netdev *dev) {
  program(of(dev));
  put8(of(dev), FAKE_RUN, 1);
  netdev_link_seen(dev, read_link(of(dev)->platform));
  return NETDEV_OK;
}

static void fake_close(struct netdev *dev, bool gone) {
  struct fake_nic *nic = of(dev);
  if(!gone) {
    put8(nic, FAKE_UNMASKED, 0);
    put8(nic, FAKE_RUN, 0);
  }
  nic->irq = false;
  for(; nic->tx_done != nic->tx_next; nic->tx_done++) {
    netdev_tx_count(dev, tx_slot(nic, nic->tx_done)->length, NETDEV_E_CANCELLED);
    netdev_tx_tell(dev, nic->cookie[nic->tx_done % FAKE_SLOTS], NETDEV_E_CANCELLED);
  }
}

static void fake_destroy(struct netdev *dev) {
  struct fake_nic *nic = of(dev);
  const struct net_platform *platform = nic->platform;
  if(nic->dma.cpu) {
    platform->dma_free(platform->ctx, &nic->dma);
  }
  platform->free(platform->ctx, nic, sizeof(*nic));
}

static int fake_transmit(struct netdev *dev, const void *frame, uint32_t length, void *cookie) {
  struct fake_nic *nic = of(dev);
  if(nic->tx_next - nic->tx_done == FAKE_SLOTS) {
    return NETDEV_E_BUSY;
  }
  struct fake_slot *slot = tx_slot(nic, nic->tx_next);
  memcpy(slot->data, frame, length);
  slot->length = length;
  slot->state = FAKE_SLOT_DEVICE;
  nic->cookie[nic->tx_next % FAKE_SLOTS] = cookie;
  nic->tx_next++;
  return NETDEV_OK;
}

static void fake_flush(struct netdev *dev) {
  struct fake_nic *nic = of(dev);
  for(; nic->tx_told != nic->tx_next; nic->tx_told++) {
    put16(nic, FAKE_KICK, (uint16_t)(nic->tx_told % FAKE_SLOTS));
  }
}

static uint32_t fake_complete(struct netdev *dev) {
  struct fake_nic *nic = of(dev);
  uint32_t count = 0;
  for(; nic->tx_done != nic->tx_told && tx_slot(nic, nic->tx_done)->state == FAKE_SLOT_DONE; count++) {
    struct fake_slot *slot = tx_slot(nic, nic->tx_done);
    slot->state = FAKE_SLOT_IDLE;
    netdev_tx_count(dev, slot->length, NETDEV_OK);
    netdev_tx_tell(dev, nic->cookie[nic->tx_done++ % FAKE_SLOTS], NETDEV_OK);
  }
  return count;
}

static int fake_peek(struct netdev *dev, struct netdev_frame *frame) {
  const struct fake_slot *slot = rx_slot(of(dev));
  if(slot->state != FAKE_SLOT_DONE) {
    return NETDEV_E_EMPTY;
  }
  net_dma_rmb(); /* the state before the length and the frame */
  *frame = (struct netdev_frame){.data = slot->data, .length = slot->length};
  return NETDEV_OK;
}

static void fake_release(struct netdev *dev) {
  struct fake_nic *nic = of(dev);
  struct fake_slot *slot = rx_slot(nic);
  dev->stats.rx_frames++;
  dev->stats.rx_bytes += slot->length;
  slot->state = FAKE_SLOT_DEVICE;
  nic->rx_next++;
}

static int fake_set_mac(struct netdev *dev, const uint8_t mac[NETDEV_MAC_LENGTH]) {
  (void)dev;
  (void)mac;
  return NETDEV_E_UNSUPPORTED; /* it has one address */
}

/* It receives everything. */
static int fake_set_filter(struct netdev *dev) {
  (void)dev;
  return NETDEV_OK;
}

static void fake_update_stats(struct netdev *dev) {
  (void)dev;
}

static int fake_tick(struct netdev *dev) {
  struct fake_nic *nic = of(dev);
  if(get32(nic->platform, FAKE_ID) != FAKE_MAGIC) {
    return NETDEV_E_GONE;
  }
  netdev_link_seen(dev, read_link(nic->platform));
  (void)fake_complete(dev);
  return NETDEV_OK;
}

static void fake_quiesce(struct netdev *dev) {
  put8(of(dev), FAKE_UNMASKED, 0);
  put8(of(dev), FAKE_RUN, 0);
}

static void fake_export(struct netdev *dev, struct net_handoff_nic *entry, void *block) {
  const struct fake_nic *nic = of(dev);
  net_handoff_export(dev, entry);
  *(struct fake_handoff *)block = (struct fake_handoff){.memory = (uint64_t)(uintptr_t)nic->memory,
                                                        .memory_device = nic->memory_device,
                                                        .slots = FAKE_SLOTS,
                                                        .rx_next = nic->rx_next % FAKE_SLOTS,
                                                        .tx_next = nic->tx_next % FAKE_SLOTS};
}

static bool fake_leave(struct netdev *dev, bool live, struct net_handoff_nic *entry, void *block) {
  struct fake_nic *nic = of(dev);
  if(get32(nic->platform, FAKE_ID) != FAKE_MAGIC) {
    return false;
  }
  if(dev->state == NETDEV_CLOSED) {
    program(nic);
  }
  fake_flush(dev);
  put8(nic, FAKE_UNMASKED, 0);
  put8(nic, FAKE_RUN, live);
  fake_export(dev, entry, block);
  return true;
}

static int fake_irq_enable(struct netdev *dev, enum netdev_irq_mode mode, uint32_t max_per_second) {
  if(mode != NETDEV_IRQ_INTX || max_per_second > 0) {
    return NETDEV_E_UNSUPPORTED;
  }
  of(dev)->irq = true;
  put8(of(dev), FAKE_UNMASKED, 1);
  return NETDEV_OK;
}

static bool fake_irq_handle(struct netdev *dev) {
  struct fake_nic *nic = of(dev);
  if(!nic->irq || (get8(nic, FAKE_CAUSE) & 1U) == 0) {
    return false;
  }
  put8(nic, FAKE_UNMASKED, 0);
  return true;
}

static bool fake_irq_rearm(struct netdev *dev) {
  struct fake_nic *nic = of(dev);
  if(!nic->irq) {
    return false;
  }
  put8(nic, FAKE_UNMASKED, 1);
  return rx_slot(nic)->state == FAKE_SLOT_DONE;
}

static void fake_irq_disable(struct netdev *dev) {
  of(dev)->irq = false;
  put8(of(dev), FAKE_UNMASKED, 0);
}

static int fake_inspect(struct netdev *dev, uint32_t groups, netdev_visitor visitor, void *ctx) {
  const struct fake_nic *nic = of(dev);
  if(groups & NETDEV_ROWS_REGISTERS) {
    const struct netdev_row run = {.group = NETDEV_ROWS_REGISTERS,
                                   .name = "FAKE_RUN",
                                   .count = 1,
                                   .offset = FAKE_RUN,
                                   .value = get8(nic, FAKE_RUN),
                                   .unit = NETDEV_UNIT_HEX8,
                                   .text = "whether it runs",
                                   .bits = "RUN:0",
                                   .section = "1"};
    visitor(ctx, &run);
  }
  if(groups & NETDEV_ROWS_RINGS) {
    const struct netdev_row slots = {.group = NETDEV_ROWS_RINGS,
                                     .name = "fake_slots",
                                     .count = 1,
                                     .value = FAKE_SLOTS,
                                     .unit = NETDEV_UNIT_COUNT,
                                     .text = "slots each way",
                                     .section = "2"};
    visitor(ctx, &slots);
  }
  return NETDEV_OK;
}

/* No self-test and no NVM: what asks for them has to cope. */
static const struct netdev_ops ops = {.open = fake_open,
                                      .close = fake_close,
                                      .destroy = fake_destroy,
                                      .transmit = fake_transmit,
                                      .flush = fake_flush,
                                      .complete = fake_complete,
                                      .peek = fake_peek,
                                      .release = fake_release,
                                      .set_mac = fake_set_mac,
                                      .set_filter = fake_set_filter,
                                      .update_stats = fake_update_stats,
                                      .tick = fake_tick,
                                      .quiesce = fake_quiesce,
                                      .handoff_export = fake_export,
                                      .handoff_leave = fake_leave,
                                      .irq_enable = fake_irq_enable,
                                      .irq_handle = fake_irq_handle,
                                      .irq_rearm = fake_irq_rearm,
                                      .irq_disable = fake_irq_disable,
                                      .inspect = fake_inspect};

/* Making --------------------------------------------------------------------------------------------------------- */

static struct fake_nic *make(const struct net_platform *platform) {
  struct fake_nic *nic = platform->alloc(platform->ctx, sizeof(*nic));
  uint8_t mac[NETDEV_MAC_LENGTH];
  if(nic) {
    nic->platform = platform;
    read_mac(platform, mac);
    netdev_init(&nic->netdev, platform, &ops, "Fake-1", mac);
    memset(&nic->netdev.stats.wire, 0xFF, sizeof(nic->netdev.stats.wire)); /* it counts nothing itself */
  }
  return nic;
}

static int create(const struct net_platform *platform, const struct net_config *config, struct netdev **out) {
  int result = match(&config->id) ? look(platform) : NETDEV_E_UNSUPPORTED;
  if(result != NETDEV_OK) {
    return result;
  }
  struct fake_nic *nic = make(platform);
  if(!nic) {
    return NETDEV_E_NO_MEMORY;
  }
  result = platform->dma_alloc(platform->ctx, sizeof(*nic->memory), 4096, 32, &nic->dma);
  if(result != NETDEV_OK) {
    platform->free(platform->ctx, nic, sizeof(*nic));
    return result;
  }
  nic->memory = nic->dma.cpu;
  nic->memory_device = nic->dma.device;
  put8(nic, FAKE_RUN, FAKE_RUN_RESET);
  *out = &nic->netdev;
  return NETDEV_OK;
}

static const char *judge(const struct net_handoff_nic *entry, const void *block, struct net_handoff_span *spans,
                         uint32_t *count) {
  const struct fake_handoff *from = block;
  (void)entry;
  *count = 0;
  if(from->slots != FAKE_SLOTS || from->rx_next >= FAKE_SLOTS || from->tx_next >= FAKE_SLOTS || from->memory % 8U) {
    return "not the fake family's memory";
  }
  spans[(*count)++] = (struct net_handoff_span){from->memory, from->memory_device, sizeof(struct fake_memory)};
  return NULL;
}

static int adopt(const struct net_platform *platform, const struct net_handoff_nic *entry, const void *block,
                 net_map map, struct netdev **out) {
  const struct fake_handoff *from = block;
  bool live = entry->state == NET_HANDOFF_LIVE;
  int result = look(platform);
  if(result != NETDEV_OK) {
    return result;
  }
  uint64_t at = get32(platform, FAKE_MEMORY_LOW) | (uint64_t)get32(platform, FAKE_MEMORY_HIGH) << 32;
  if(at != from->memory_device || (platform->read8(platform->ctx, FAKE_BAR, FAKE_RUN) & 1U) != live) {
    return NETDEV_E_STATE;
  }
  struct fake_nic *nic = make(platform);
  if(!nic) {
    return NETDEV_E_NO_MEMORY;
  }
  nic->memory = map(platform->ctx, from->memory, sizeof(*nic->memory));
  if(!nic->memory) {
    platform->free(platform->ctx, nic, sizeof(*nic));
    return NETDEV_E_NO_MEMORY;
  }
  nic->memory_device = from->memory_device;
  nic->rx_next = from->rx_next;
  nic->tx_next = nic->tx_told = nic->tx_done = from->tx_next;
  nic->netdev.state = NETDEV_OPEN;
  nic->netdev.stats.rx_frames = entry->statistics.rx_frames;
  netdev_link_seen(&nic->netdev, read_link(platform));
  put8(nic, FAKE_RUN, 1);
  *out = &nic->netdev;
  return NETDEV_OK;
}

const struct net_driver fake_driver = {.name = "fake",
                                       .title = "Fake family",
                                       .ring_min = FAKE_SLOTS,
                                       .ring_max = FAKE_SLOTS,
                                       .ring_default = FAKE_SLOTS,
                                       .match = match,
                                       .glance = glance,
                                       .create = create,
                                       .handoff_kind = FAKE_HANDOFF_KIND,
                                       .handoff_size = sizeof(struct fake_handoff),
                                       .handoff_size_min = sizeof(struct fake_handoff),
                                       .handoff_judge = judge,
                                       .adopt = adopt};

const struct net_driver *const net_drivers[] = {&fake_driver, NULL};
const struct net_words net_words[] = {{NULL, NULL}};
