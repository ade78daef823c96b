/* virtio_inspect.c - the device as rows: registers, features, queues, counters. */
#include "virtio_nic.h"

struct sink {
  struct virtio_net *nic;
  netdev_visitor visitor;
  void *ctx;
  bool clearing;
};

static void show(const struct sink *sink, struct netdev_row row) {
  row.count = row.count ? row.count : 1;
  sink->visitor(sink->ctx, &row);
}

/* Registers ------------------------------------------------------------------------------------------------------ */

struct reg {
  const char *name;
  uint32_t offset;
  uint32_t width; /* bytes */
  const char *text;
  const char *bits;
  const char *section;
};

static const struct reg common_registers[] = {
    {"config_msix_vector", VIRTIO_CONFIG_MSIX_VECTOR, 2, "MSI-X vector for a change of the configuration", NULL,
     "4.1.4.3"},
    {"device_feature_select", VIRTIO_DEVICE_FEATURE_SELECT, 4, "which half of the offered features shows", NULL,
     "4.1.4.3"},
    {"device_feature", VIRTIO_DEVICE_FEATURE, 4, "that half", NULL, "4.1.4.3"},
    {"driver_feature_select", VIRTIO_DRIVER_FEATURE_SELECT, 4, "which half of the accepted features shows", NULL,
     "4.1.4.3"},
    {"driver_feature", VIRTIO_DRIVER_FEATURE, 4, "that half", NULL, "4.1.4.3"},
    {"num_queues", VIRTIO_NUM_QUEUES, 2, "queues that the device has", NULL, "4.1.4.3"},
    {"device_status", VIRTIO_DEVICE_STATUS, 1, "how far driver and device have come",
     "ACKNOWLEDGE:0 DRIVER:1 DRIVER_OK:2 FEATURES_OK:3 NEEDS_RESET:6 FAILED:7", "2.1"},
    {"config_generation", VIRTIO_CONFIG_GENERATION, 1, "changes with the device configuration", NULL, "4.1.4.3"},
    {"queue_select", VIRTIO_QUEUE_SELECT, 2, "which queue the registers from here on are of", NULL, "4.1.4.3"},
    {"queue_size", VIRTIO_QUEUE_SIZE, 2, "its descriptors", NULL, "4.1.4.3"},
    {"queue_msix_vector", VIRTIO_QUEUE_MSIX_VECTOR, 2, "its MSI-X vector, 0xffff = none", NULL, "4.1.4.3"},
    {"queue_enable", VIRTIO_QUEUE_ENABLE, 2, "whether it runs", "ENABLED:0", "4.1.4.3"},
    {"queue_notify_off", VIRTIO_QUEUE_NOTIFY_OFF, 2, "where its doorbell is", NULL, "4.1.4.3"},
};

static const struct reg config_registers[] = {
    {"status", VIRTIO_NET_CONFIG_STATUS, 2, "network status", "LINK_UP:0 ANNOUNCE:1", "5.1.4"},
    {"mtu", VIRTIO_NET_CONFIG_MTU, 2, "the device's MTU", NULL, "5.1.4"},
};

static enum netdev_unit hex_unit(uint32_t width) {
  return width == 1 ? NETDEV_UNIT_HEX8 : width == 2 ? NETDEV_UNIT_HEX16 : NETDEV_UNIT_HEX32;
}

static uint32_t read_place(const struct virtio_pci *pci, const struct virtio_place *place, const struct reg *reg) {
  const struct net_platform *platform = pci->platform;
  uint32_t offset = place->offset + reg->offset;
  return reg->width == 1   ? platform->read8(platform->ctx, place->bar, offset)
         : reg->width == 2 ? platform->read16(platform->ctx, place->bar, offset)
                           : platform->read32(platform->ctx, place->bar, offset);
}

/* Reading ISR clears it and takes the device's hand off the line (4.1.4.5); nothing else is changed by it. */
static void show_register(const struct sink *sink, const struct virtio_place *place, const struct reg *reg, bool read) {
  show(sink, (struct netdev_row){
                 .group = NETDEV_ROWS_REGISTERS,
                 .name = reg->name,
                 .offset = place->offset + reg->offset,
                 .value = read ? read_place(&sink->nic->pci, place, reg) : 0,
                 .unread = !read,
                 .clears = place == &sink->nic->pci.isr,
                 .unit = hex_unit(reg->width),
                 .text = reg->text,
                 .bits = reg->bits,
                 .section = reg->section,
             });
}

static void show_registers(const struct sink *sink) {
  static const struct reg isr = {"ISR", 0, 1, "pending interrupts", "QUEUE:0 CONFIG:1", "4.1.4.5"};
  const struct virtio_pci *pci = &sink->nic->pci;
  for(size_t i = 0; i < sizeof(common_registers) / sizeof(common_registers[0]); i++) {
    show_register(sink, &pci->common, &common_registers[i], true);
  }
  show_register(sink, &pci->isr, &isr, sink->clearing);
  /* Fields that the device has no feature for hold nothing (5.1.4). */
  for(size_t i = 0; i < sizeof(config_registers) / sizeof(config_registers[0]); i++) {
    uint64_t feature = config_registers[i].offset == VIRTIO_NET_CONFIG_MTU ? VIRTIO_NET_F_MTU : VIRTIO_NET_F_STATUS;
    if((sink->nic->offered & feature) && virtio_pci_has_config(pci, config_registers[i].offset, 2)) {
      show_register(sink, &pci->device, &config_registers[i], true);
    }
  }
}

/* Features ------------------------------------------------------------------------------------------------------- */

static const struct {
  uint64_t bit;
  const char *name;
  const char *text;
} features[] = {
    {VIRTIO_NET_F_MTU, "MTU", "the device says how long frames may be"},
    {VIRTIO_NET_F_MAC, "MAC", "the device has an address"},
    {VIRTIO_NET_F_STATUS, "STATUS", "the device says whether the link is up"},
    {VIRTIO_NET_F_CTRL_VQ, "CTRL_VQ", "commands over a control queue"},
    {VIRTIO_NET_F_CTRL_RX, "CTRL_RX", "promiscuous and all-multicast mode, a table of addresses"},
    {VIRTIO_NET_F_CTRL_RX_EXTRA, "CTRL_RX_EXTRA", "no unicast, no multicast, no broadcast"},
    {VIRTIO_NET_F_CTRL_MAC_ADDR, "CTRL_MAC_ADDR", "the address can be changed"},
    {VIRTIO_F_EVENT_IDX, "EVENT_IDX", "each side says when it wants to be woken"},
    {VIRTIO_F_VERSION_1, "VERSION_1", "the modern interface"},
    {VIRTIO_F_ACCESS_PLATFORM, "ACCESS_PLATFORM", "the device may stand behind an IOMMU"},
    {VIRTIO_F_ORDER_PLATFORM, "ORDER_PLATFORM", "the device needs the platform's memory barriers"},
};

static void show_features(const struct sink *sink) {
  const struct virtio_net *nic = sink->nic;
  const struct {
    const char *name;
    uint64_t value;
    const char *text;
  } whole[] = {
      {"offered", nic->offered, "what the device offers"},
      {"negotiated", nic->features, "what driver and device agreed on"},
  };
  for(size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
    show(sink, (struct netdev_row){.group = NETDEV_ROWS_FEATURES,
                                   .name = whole[i].name,
                                   .value = whole[i].value,
                                   .unit = NETDEV_UNIT_HEX64,
                                   .text = whole[i].text,
                                   .section = "2.2"});
  }
  for(size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
    show(sink, (struct netdev_row){.group = NETDEV_ROWS_FEATURES,
                                   .name = features[i].name,
                                   .value = virtio_has(nic, features[i].bit),
                                   .unit = NETDEV_UNIT_BOOL,
                                   .text = features[i].text,
                                   .section = features[i].bit < VIRTIO_F_EVENT_IDX ? "5.1.3" : "6"});
  }
}

/* Queues --------------------------------------------------------------------------------------------------------- */

/* Rows of one queue by the names that they have there; the last two are of 64 descriptors each. */
#define QUEUE_SINGLE_ROWS 13U
#define QUEUE_BUSY        13U
#define QUEUE_DONE        14U
#define QUEUE_ROWS        15U
#define QUEUE_WORD        64U

/* What came back and was not taken: the device's word for it, so numbers that cannot be are left out. */
static void find_done(const struct virtq *queue, uint64_t done[VIRTQ_SIZE_MAX / QUEUE_WORD]) {
  uint16_t waiting = (uint16_t)(queue->used->index - queue->taken);
  for(uint16_t i = 0; i < waiting && i < queue->size; i++) {
    uint32_t id = queue->used->ring[(uint16_t)(queue->taken + i) % queue->size].id;
    if(virtq_is_in_flight(queue, id)) {
      done[id / QUEUE_WORD] |= 1ULL << id % QUEUE_WORD;
    }
  }
}

static void show_queue_words(const struct sink *sink, const struct virtq *queue, const char *const name[QUEUE_ROWS]) {
  uint32_t words = (queue->size + QUEUE_WORD - 1U) / QUEUE_WORD;
  uint64_t busy[VIRTQ_SIZE_MAX / QUEUE_WORD] = {0};
  uint64_t done[VIRTQ_SIZE_MAX / QUEUE_WORD] = {0};
  for(uint32_t id = 0; id < queue->heads; id++) {
    busy[id / QUEUE_WORD] |= (uint64_t)virtq_is_in_flight(queue, id) << id % QUEUE_WORD;
  }
  find_done(queue, done);
  for(uint32_t i = 0; i < 2 * words; i++) {
    bool second = i >= words;
    show(sink, (struct netdev_row){
                   .group = NETDEV_ROWS_RINGS,
                   .name = name[second ? QUEUE_DONE : QUEUE_BUSY],
                   .index = second ? i - words : i,
                   .count = words,
                   .value = second ? done[i - words] : busy[i],
                   .unit = NETDEV_UNIT_HEX64,
                   .text = second ? "of these, in the used ring and not taken" : "descriptors that are the device's",
                   .section = second ? "2.7.8" : "2.7.5",
               });
  }
}

static void show_queue(const struct sink *sink, const struct virtq *queue, const char *const name[QUEUE_ROWS]) {
  const volatile uint16_t *events[] = {&queue->available->ring[queue->size],
                                       (const volatile uint16_t *)&queue->used->ring[queue->size]};
  const struct {
    uint64_t value;
    enum netdev_unit unit;
    const char *text;
    const char *section;
  } rows[QUEUE_SINGLE_ROWS] = {
      {queue->size, NETDEV_UNIT_COUNT, "descriptors", "2.7"},
      {queue->descriptor_device, NETDEV_UNIT_HEX64, "descriptor area, as the device sees it", "2.7.5"},
      {queue->available_device, NETDEV_UNIT_HEX64, "driver area", "2.7.6"},
      {queue->used_device, NETDEV_UNIT_HEX64, "device area", "2.7.8"},
      {queue->offered, NETDEV_UNIT_COUNT, "buffers offered, modulo 65536", "2.7.6"},
      {queue->published, NETDEV_UNIT_COUNT, "of these, the device was told (avail index)", "2.7.6"},
      {queue->used->index, NETDEV_UNIT_COUNT, "of these, the device gave back (used index)", "2.7.8"},
      {queue->taken, NETDEV_UNIT_COUNT, "of these, taken back (last used)", "2.7.8"},
      {queue->free_count, NETDEV_UNIT_COUNT, "numbers free", NULL},
      {queue->vector, NETDEV_UNIT_HEX16, "MSI-X vector, 0xffff = none", "4.1.5.1.2"},
      {queue->event_index ? *events[0] : queue->available->flags, NETDEV_UNIT_COUNT,
       queue->event_index ? "the driver wants an interrupt behind this used index (used_event)"
                          : "1: the driver wants no interrupt (flags)",
       "2.7.7"},
      {queue->event_index ? *events[1] : queue->used->flags, NETDEV_UNIT_COUNT,
       queue->event_index ? "the device wants a doorbell behind this avail index (avail_event)"
                          : "1: the device wants no doorbell (flags)",
       "2.7.10"},
      {queue->event_index, NETDEV_UNIT_BOOL, "event indices, not flags, say who wants to be woken", "2.7.7"},
  };
  for(size_t i = 0; i < QUEUE_SINGLE_ROWS; i++) {
    show(sink, (struct netdev_row){.group = NETDEV_ROWS_RINGS,
                                   .name = name[i],
                                   .value = rows[i].value,
                                   .unit = rows[i].unit,
                                   .text = rows[i].text,
                                   .section = rows[i].section});
  }
  show_queue_words(sink, queue, name);
}

static void show_queues(const struct sink *sink) {
  /* By hand: clang-format's versions break initializers in a macro differently. */
  /* clang-format off */
#define QUEUE_NAMES(name)                                                                                              \
  {                                                                                                                    \
    name ".size", name ".descriptors", name ".available", name ".used", name ".offered", name ".published",            \
        name ".returned", name ".taken", name ".free", name ".vector", name ".driver_event", name ".device_event",     \
        name ".event_index", name ".busy", name ".done"                                                                \
  }
  /* clang-format on */
  static const char *const names[VIRTIO_NET_QUEUES][QUEUE_ROWS] = {QUEUE_NAMES("rx"), QUEUE_NAMES("tx"),
                                                                   QUEUE_NAMES("control")};
  for(uint32_t i = 0; i < sink->nic->queue_count; i++) {
    show_queue(sink, &sink->nic->queue[i], names[i]);
  }
}

/* Counters ------------------------------------------------------------------------------------------------------- */

static void show_counters(const struct sink *sink) {
  const struct virtio_counters *counters = &sink->nic->counters;
  const struct {
    const char *name;
    uint64_t value;
    const char *text;
  } rows[] = {
      {"lies", counters->lies, "queue entries that cannot be true"},
      {"needs_reset", counters->needs_reset, "times that the device asked for a reset"},
      {"resets", counters->resets, "resets for these reasons, or because nothing was sent"},
      {"commands", counters->commands, "commands sent over the control queue"},
      {"refused", counters->refused, "of these, answered by an error"},
      {"unanswered", counters->unanswered, "of these, not answered"},
      {"tx_unnotified", counters->tx_unnotified, "transmit bursts that needed no doorbell"},
      {"rx_unnotified", counters->rx_unnotified, "receive batches that needed no doorbell"},
  };
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    show(sink, (struct netdev_row){.group = NETDEV_ROWS_COUNTERS,
                                   .name = rows[i].name,
                                   .value = rows[i].value,
                                   .unit = NETDEV_UNIT_COUNT,
                                   .text = rows[i].text});
  }
}

int virtio_net_inspect(struct netdev *dev, uint32_t groups, netdev_visitor visitor, void *ctx) {
  const struct sink sink = {
      .nic = to_virtio(dev), .visitor = visitor, .ctx = ctx, .clearing = groups & NETDEV_ROWS_CLEARING};
  static const struct {
    uint32_t group;
    void (*show)(const struct sink *sink);
  } parts[] = {
      {NETDEV_ROWS_REGISTERS, show_registers},
      {NETDEV_ROWS_COUNTERS, show_counters},
      {NETDEV_ROWS_RINGS, show_queues},
      {NETDEV_ROWS_FEATURES, show_features},
  };
  for(size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    if(groups & parts[i].group) {
      parts[i].show(&sink);
    }
  }
  return NETDEV_OK;
}
