/* e1000_inspect.c - the device as rows: registers, PHY, NVM, counters, rings. */
#include "e1000_hw.h"

struct sink {
  struct e1000 *nic;
  netdev_visitor visitor;
  void *ctx;
  bool clearing;
};

static void show(const struct sink *sink, struct netdev_row row) {
  row.count = row.count ? row.count : 1;
  sink->visitor(sink->ctx, &row);
}

static void show_register(const struct sink *sink, const struct e1000_register *reg) {
  /* Reading a counter here would take it from the statistics, and a semaphore from whoever waits for it. */
  bool readable = reg->access == E1000_RW || reg->access == E1000_RO ||
                  (reg->access == E1000_RC && sink->clearing && !e1000_is_counter(reg));
  for(uint32_t index = 0; index < reg->count; index++) {
    show(sink, (struct netdev_row){
                   .group = NETDEV_ROWS_REGISTERS,
                   .name = reg->name,
                   .index = index,
                   .count = reg->count,
                   .offset = reg->offset + index * reg->stride,
                   .value = readable ? e1000_register_read(&sink->nic->netdev, reg, index) : 0,
                   .unread = !readable,
                   .unit = NETDEV_UNIT_HEX32,
                   .text = reg->text,
                   .section = reg->section,
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
  static const struct {
    const char *name;
    const char *text;
  } rows[] = {
      {"control", "Control"},
      {"status", "Status"},
      {"id1", "Identifier 1"},
      {"id2", "Identifier 2"},
      {"advertisement", "Autonegotiation Advertisement"},
      {"partner", "Link Partner Ability"},
      {"expansion", "Autonegotiation Expansion"},
      {"next page", "Next Page Transmit"},
      {"partner next page", "Link Partner Next Page"},
      {"1000T control", "1000BASE-T Control"},
      {"1000T status", "1000BASE-T Status"},
  };
  for(uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    uint16_t value = 0;
    bool failed = e1000_phy_read(&sink->nic->netdev, i, &value) != NETDEV_OK;
    show(sink, (struct netdev_row){
                   .group = NETDEV_ROWS_PHY,
                   .name = rows[i].name,
                   .offset = i,
                   .value = value,
                   .failed = failed,
                   .unit = NETDEV_UNIT_HEX16,
                   .text = rows[i].text,
                   .section = "IEEE 802.3 22.2.4",
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
                 .wrong = !failed && sum != E1000_NVM_CHECKSUM_SUM,
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
                     .text = reg->text,
                     .section = reg->section,
                 });
    }
  }
}

static void show_ring(const struct sink *sink, const struct e1000_ring *ring, const char *const name[5],
                      const char *section) {
  const struct {
    uint64_t value;
    enum netdev_unit unit;
    const char *text;
  } rows[] = {
      {e1000_ring_count(ring), NETDEV_UNIT_COUNT, "descriptors"},
      {ring->descriptors.device, NETDEV_UNIT_HEX64, "the ring, as the device sees it"},
      {ring->head, NETDEV_UNIT_COUNT, "the oldest descriptor not taken back, free-running"},
      {ring->published, NETDEV_UNIT_COUNT, "how far the device was told, free-running"},
      {ring->tail, NETDEV_UNIT_COUNT, "the next descriptor to prepare, free-running"},
  };
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    show(sink, (struct netdev_row){
                   .group = NETDEV_ROWS_RINGS,
                   .name = name[i],
                   .value = rows[i].value,
                   .unit = rows[i].unit,
                   .text = rows[i].text,
                   .section = section,
               });
  }
}

static void show_rings(const struct sink *sink) {
  static const char *const rx[] = {"rx.count", "rx.address", "rx.head", "rx.published", "rx.tail"};
  static const char *const tx[] = {"tx.count", "tx.address", "tx.head", "tx.published", "tx.tail"};
  show_ring(sink, &sink->nic->rx, rx, "3.2.6");
  show_ring(sink, &sink->nic->tx, tx, "3.4");
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
