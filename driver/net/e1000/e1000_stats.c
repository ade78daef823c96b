/* e1000_stats.c - the register table as data, and the device's counters added up. */
#include "e1000_hw.h"

#define RW E1000_RW
#define RO E1000_RO
#define WO E1000_WO
#define RC E1000_RC
#define RS E1000_RS
#define ROW(name, offset, count, stride, access, family, section, text)                                                \
  {#name, offset, count, E1000_##family, stride, access},

const struct e1000_register e1000_registers[] = {E1000_REGISTERS(ROW)};
const size_t e1000_register_count = sizeof(e1000_registers) / sizeof(e1000_registers[0]);

static uint32_t stats_index(uint32_t offset) {
  return (offset - E1000_STATS_FIRST) / 4U;
}

bool e1000_is_counter(const struct e1000_register *reg) {
  return reg->access == E1000_RC && reg->offset >= E1000_STATS_FIRST && reg->offset < E1000_STATS_END;
}

static bool is_pair_low(uint32_t offset) {
  return offset == E1000_GORCL || offset == E1000_GOTCL || offset == E1000_TORL || offset == E1000_TOTL;
}

static bool is_pair_high(uint32_t offset) {
  return offset == E1000_GORCH || offset == E1000_GOTCH || offset == E1000_TORH || offset == E1000_TOTH;
}

/*
 * Reading a counter clears it (13.7), except where a model of the device forgot. A second read tells: a cleared counter
 * starts again from nothing, a sticky one still shows the first value, and then only the growth counts. A cleared one
 * that has come as far again by then is told by a third read. Once it is known to clear, one read is enough.
 */
static uint64_t counter_growth(struct e1000 *nic, uint32_t offset) {
  uint32_t *sticky = &nic->sticky[stats_index(offset)];
  bool *clears = &nic->clears[stats_index(offset)];
  uint32_t first = e1000_read(nic, offset);
  if(first == 0) {
    *sticky = 0;
  }
  if(first == 0 || *clears) {
    return first;
  }
  uint32_t second = e1000_read(nic, offset);
  uint32_t third = second < first ? 0 : e1000_read(nic, offset);
  if(third < second || second < first) {
    *clears = true;
    return (uint64_t)first + second + third;
  }
  uint32_t growth = third >= *sticky ? third - *sticky : third;
  *sticky = third;
  return growth;
}

void e1000_resync_counters(struct e1000 *nic) {
  for(uint32_t i = 0; i < E1000_STATS_COUNT; i++) {
    if(nic->sticky[i] != 0) {
      nic->sticky[i] = e1000_read(nic, E1000_STATS_FIRST + 4U * i);
    }
  }
}

void e1000_add_counters(struct e1000 *nic) {
  /* All ones in every counter would be added for good. */
  if(e1000_read(nic, E1000_STATUS) == UINT32_MAX) {
    return;
  }
  for(size_t i = 0; i < e1000_register_count; i++) {
    const struct e1000_register *reg = &e1000_registers[i];
    if(!e1000_is_counter(reg) || !(reg->families & nic->model->part->family) || is_pair_high(reg->offset)) {
      continue;
    }
    uint64_t growth;
    if(is_pair_low(reg->offset)) {
      /* Low first: reading the high half clears both (13.7.31). */
      uint32_t low = e1000_read(nic, reg->offset);
      growth = (uint64_t)e1000_read(nic, reg->offset + 4U) << 32 | low;
    } else {
      growth = counter_growth(nic, reg->offset);
    }
    nic->counter[stats_index(reg->offset)] += growth;
  }
}

uint64_t e1000_counter(const struct netdev *dev, const struct e1000_register *reg) {
  const struct e1000 *nic = (const struct e1000 *)dev;
  return e1000_is_counter(reg) ? nic->counter[stats_index(reg->offset)] : 0;
}

bool e1000_has_register(const struct netdev *dev, const struct e1000_register *reg) {
  return (reg->families & ((const struct e1000 *)dev)->model->part->family) != 0;
}

uint32_t e1000_register_instances(const struct netdev *dev, const struct e1000_register *reg) {
  uint32_t most = reg->offset == E1000_MTA ? ((const struct e1000 *)dev)->model->part->mta_words : reg->count;
  return reg->count < most ? reg->count : most;
}

uint32_t e1000_register_read(struct netdev *dev, const struct e1000_register *reg, uint32_t index) {
  return e1000_read((struct e1000 *)dev, reg->offset + index * reg->stride);
}
