/* e1000_inspect.c - the device as rows: registers, PHY, NVM, counters, rings. */
#include "e1000_hw.h"

struct sink {
  struct e1000 *nic;
  netdev_visitor visitor;
  void *ctx;
  bool clearing;
};

/* A row without a text is described elsewhere. */
static void show(const struct sink *sink, struct netdev_row row) {
  row.count = row.count ? row.count : 1;
  if(!row.text) {
    const struct net_model *model = &sink->nic->model->common;
    row.text = "";
    e1000_describe(&(struct net_device_id){.vendor_id = model->vendor_id, .device_id = model->device_id}, &row);
  }
  sink->visitor(sink->ctx, &row);
}

static void show_register(const struct sink *sink, const struct e1000_register *reg) {
  /* Reading a counter here would take it from the statistics, and a semaphore from whoever waits for it. */
  bool readable = reg->access == E1000_RW || reg->access == E1000_RO ||
                  (reg->access == E1000_RC && sink->clearing && !e1000_is_counter(reg));
  uint32_t count = e1000_register_instances(&sink->nic->netdev, reg);
  for(uint32_t index = 0; index < count; index++) {
    show(sink, (struct netdev_row){
                   .group = NETDEV_ROWS_REGISTERS,
                   .name = reg->name,
                   .index = index,
                   .count = count,
                   .offset = reg->offset + index * reg->stride,
                   .value = readable ? e1000_register_read(&sink->nic->netdev, reg, index) : 0,
                   .unread = !readable,
                   .clears = reg->access == E1000_RC,
                   .unit = NETDEV_UNIT_HEX32,
               });
  }
}

static void show_registers(const struct sink *sink) {
  for(size_t i = 0; i < e1000_register_count; i++) {
    if(e1000_has_register(&sink->nic->netdev, &e1000_registers[i])) {
      show_register(sink, &e1000_registers[i]);
    }
  }
}

static void show_phy(const struct sink *sink) {
  static const char names[][18] = {"control",           "status",        "id1",         "id2",
                                   "advertisement",     "partner",       "expansion",   "next page",
                                   "partner next page", "1000T control", "1000T status"};
  for(uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    uint16_t value = 0;
    bool failed = e1000_phy_read(&sink->nic->netdev, i, &value) != NETDEV_OK;
    show(sink, (struct netdev_row){
                   .group = NETDEV_ROWS_PHY,
                   .name = names[i],
                   .offset = i,
                   .value = value,
                   .failed = failed,
                   .unit = NETDEV_UNIT_HEX16,
               });
  }
}

static void show_nvm(const struct sink *sink) {
  uint16_t sum = 0;
  bool failed = e1000_nvm_checksum(&sink->nic->netdev, &sum) != NETDEV_OK;
  show(sink, (struct netdev_row){
                 .group = NETDEV_ROWS_NVM,
                 .name = "checksum",
                 .value = sum,
                 .failed = failed,
                 .wrong = !failed && sum != E1000_NVM_CHECKSUM_SUM && !e1000_nvm_is_unsummed(sink->nic),
                 .unit = NETDEV_UNIT_HEX16,
                 .text = "words 0x00 to 0x3f add up to 0xbaba",
                 .section = "5.6.35",
             });
  for(uint32_t word = 0; word < E1000_NVM_WORDS && !failed; word++) {
    uint16_t value = 0;
    bool missing = e1000_nvm_read(&sink->nic->netdev, (uint16_t)word, &value) != NETDEV_OK;
    show(sink, (struct netdev_row){
                   .group = NETDEV_ROWS_NVM,
                   .name = "word",
                   .index = word,
                   .count = E1000_NVM_WORDS,
                   .offset = word,
                   .value = value,
                   .failed = missing,
                   .unit = NETDEV_UNIT_HEX16,
                   .text = "EEPROM word",
                   .section = "5.6",
               });
  }
}

/* The high half of a 64-bit pair is shown with the low half, under its name. */
static void show_counters(const struct sink *sink) {
  const struct netdev *dev = &sink->nic->netdev;
  for(size_t i = 0; i < e1000_register_count; i++) {
    const struct e1000_register *reg = &e1000_registers[i];
    if(e1000_is_counter(reg) && e1000_has_register(dev, reg)) {
      show(sink, (struct netdev_row){
                     .group = NETDEV_ROWS_COUNTERS,
                     .name = reg->name,
                     .offset = reg->offset,
                     .value = e1000_counter(dev, reg),
                     .unit = NETDEV_UNIT_COUNT,
                 });
    }
  }
}

/* Rows of one ring by the names that they have there; the last two are of 64 descriptors each. */
enum ring_row {
  RING_COUNT,
  RING_ADDRESS,
  RING_HEAD,
  RING_PUBLISHED,
  RING_TAIL,
  RING_AT_HEAD,
  RING_AT_TAIL,
  RING_AT_DEVICE,
  RING_SINGLE_ROWS,
  RING_BUSY = RING_SINGLE_ROWS,
  RING_DONE,
  RING_ROWS,
};

#define RING_WORD 64U

/* Whether the device has written a descriptor that is its own. The slots hold nothing of that: DD is in memory. */
static bool is_done(const struct e1000_ring *ring, uint32_t slot, bool transmit) {
  return transmit ? (ring->descriptor[slot].tx.status & E1000_TXD_STATUS_DD) != 0
                  : (ring->descriptor[slot].rx.status & E1000_RXD_STATUS_DD) != 0;
}

static void show_ring_words(const struct sink *sink, const struct e1000_ring *ring, const char *const name[RING_ROWS],
                            const char *section, bool transmit) {
  uint32_t count = e1000_ring_count(ring);
  uint32_t words = (count + RING_WORD - 1U) / RING_WORD;
  uint64_t busy[E1000_RING_MAX / RING_WORD] = {0};
  uint64_t done[E1000_RING_MAX / RING_WORD] = {0};
  for(uint32_t i = ring->head; i != ring->published; i++) {
    uint32_t slot = i & ring->mask;
    busy[slot / RING_WORD] |= 1ULL << slot % RING_WORD;
    done[slot / RING_WORD] |= (uint64_t)is_done(ring, slot, transmit) << slot % RING_WORD;
  }
  for(uint32_t i = 0; i < 2 * words; i++) {
    bool second = i >= words;
    show(sink, (struct netdev_row){
                   .group = NETDEV_ROWS_RINGS,
                   .name = name[second ? RING_DONE : RING_BUSY],
                   .index = second ? i - words : i,
                   .count = words,
                   .value = second ? done[i - words] : busy[i],
                   .unit = NETDEV_UNIT_HEX64,
                   .text = second ? "of these, written by the device (DD)" : "descriptors that are the device's",
                   .section = section,
               });
  }
}

static void show_ring(const struct sink *sink, const struct e1000_ring *ring, const char *const name[RING_ROWS],
                      const char *section, bool transmit) {
  const struct {
    uint64_t value;
    enum netdev_unit unit;
    const char *text;
  } rows[RING_SINGLE_ROWS] = {
      {e1000_ring_count(ring), NETDEV_UNIT_COUNT, "descriptors"},
      {ring->descriptors.device, NETDEV_UNIT_HEX64, "the ring, as the device sees it"},
      {ring->head, NETDEV_UNIT_COUNT, "the oldest descriptor not taken back, free-running"},
      {ring->published, NETDEV_UNIT_COUNT, "how far the device was told, free-running"},
      {ring->tail, NETDEV_UNIT_COUNT, "the next descriptor to prepare, free-running"},
      {ring->head & ring->mask, NETDEV_UNIT_COUNT, "the oldest descriptor not taken back"},
      {ring->tail & ring->mask, NETDEV_UNIT_COUNT, "the next descriptor to prepare"},
      {e1000_read(sink->nic, transmit ? E1000_TDH : E1000_RDH), NETDEV_UNIT_COUNT,
       transmit ? "where the device is (TDH)" : "where the device is (RDH)"},
  };
  for(size_t i = 0; i < RING_SINGLE_ROWS; i++) {
    show(sink, (struct netdev_row){
                   .group = NETDEV_ROWS_RINGS,
                   .name = name[i],
                   .value = rows[i].value,
                   .unit = rows[i].unit,
                   .text = rows[i].text,
                   .section = section,
               });
  }
  show_ring_words(sink, ring, name, section, transmit);
}

static void show_rings(const struct sink *sink) {
  static const char *const rx[RING_ROWS] = {"rx.count",   "rx.address", "rx.head",      "rx.published", "rx.tail",
                                            "rx.at_head", "rx.at_tail", "rx.at_device", "rx.busy",      "rx.done"};
  static const char *const tx[RING_ROWS] = {"tx.count",   "tx.address", "tx.head",      "tx.published", "tx.tail",
                                            "tx.at_head", "tx.at_tail", "tx.at_device", "tx.busy",      "tx.done"};
  show_ring(sink, &sink->nic->rx, rx, "3.2.6", false);
  show_ring(sink, &sink->nic->tx, tx, "3.4", true);
}

int e1000_inspect(struct netdev *dev, uint32_t groups, netdev_visitor visitor, void *ctx) {
  const struct sink sink = {
      .nic = (struct e1000 *)dev,
      .visitor = visitor,
      .ctx = ctx,
      .clearing = groups & NETDEV_ROWS_CLEARING,
  };
  static const struct {
    uint32_t group;
    void (*show)(const struct sink *sink);
  } parts[] = {
      {NETDEV_ROWS_REGISTERS, show_registers}, {NETDEV_ROWS_PHY, show_phy},     {NETDEV_ROWS_NVM, show_nvm},
      {NETDEV_ROWS_COUNTERS, show_counters},   {NETDEV_ROWS_RINGS, show_rings},
  };
  for(size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    if(groups & parts[i].group) {
      parts[i].show(&sink);
    }
  }
  return NETDEV_OK;
}

int e1000_nvm_word(struct netdev *dev, uint32_t word, uint16_t *value) {
  return word < E1000_NVM_WORDS ? e1000_nvm_read(dev, (uint16_t)word, value) : NETDEV_E_INVALID;
}
