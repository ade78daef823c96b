/* handoff_bench.h - what the tests of the handoff share: firmware's device, the table it leaves, and the kernel's
 * device. */
#ifndef HANDOFF_BENCH_H
#define HANDOFF_BENCH_H

#include "handoff.h"
#include "unit.h"

#define TABLE_AT 0x1000000U /* where the table pretends to lie; nothing else is there */
#define BAR0_AT  0x80000000U
#define RING     16U

/* Of a table with one entry. */
#define TABLE_SIZE (offsetof(struct net_handoff_image, block) + NET_HANDOFF_BLOCK_MAX)

/* Firmware's device, the table it leaves, and the kernel's device. */
struct bench {
  struct sim *sim;
  struct netdev *firmware;
  struct netdev *kernel;
  struct net_handoff_image table;
  struct unit_client before;
  struct unit_client after;
};

static inline void *identity(void *ctx, uint64_t physical, uint64_t size) {
  (void)ctx;
  (void)size;
  return (void *)(uintptr_t)physical;
}

/* The memory that the firmware's rings are in, and no other. */
static const struct e1000 *mapped;

static inline void *own_memory(void *ctx, uint64_t physical, uint64_t size) {
  const struct net_dma *blocks[] = {&mapped->rx.descriptors, &mapped->rx.buffers, &mapped->tx.descriptors,
                                    &mapped->tx.buffers};
  (void)ctx;
  for(size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
    uint64_t offset = physical - (uint64_t)(uintptr_t)blocks[i]->cpu;
    if(offset <= blocks[i]->size && size <= blocks[i]->size - offset) {
      return (void *)(uintptr_t)physical;
    }
  }
  return NULL;
}

static inline void begin(struct bench *bench, uint16_t device_id) {
  struct sim_config config = unit_config(device_id);
  memset(bench, 0, sizeof(*bench));
  bench->sim = sim_create(&config);
  assert_int_equal(unit_create(bench->sim, RING, RING, &bench->firmware), NETDEV_OK);
  unit_client_init(&bench->before, bench->firmware, true);
  assert_int_equal(netdev_open(bench->firmware), NETDEV_OK);
  mapped = unit_nic(bench->firmware);
}

static inline void end(struct bench *bench) {
  netdev_destroy(bench->kernel);
  unit_end(bench->sim, bench->firmware);
}

static inline struct net_handoff_e1000 *block_of(struct net_handoff_image *table, uint32_t index) {
  return (struct net_handoff_e1000 *)table->block[index];
}

/* Where firmware says that the NIC is. */
static inline struct net_handoff_nic *place_nic(struct net_handoff_image *table, uint16_t device_id) {
  struct net_handoff_nic *nic = net_handoff_add(table, NET_HANDOFF_BLOCK_E1000, NET_HANDOFF_E1000_SIZE_2_0);
  assert_non_null(nic);
  nic->vendor_id = E1000_VENDOR_ID;
  nic->device_id = device_id;
  nic->bar[0] = (struct net_handoff_bar){
      .processor = BAR0_AT, .bus = BAR0_AT, .size = E1000_BAR0_MIN_SIZE, .flags = NET_HANDOFF_BAR_MEMORY};
  return nic;
}

/* What the producer does at ExitBootServices. */
static inline void leave(struct bench *bench, uint8_t state) {
  struct net_handoff_image *table = &bench->table;
  net_handoff_init(table);
  struct net_handoff_nic *nic = place_nic(table, sim_knobs(bench->sim)->device_id);
  nic->state = state;
  netdev_handoff_export(bench->firmware, nic, table->block[0]);
  if(state == NET_HANDOFF_QUIET) {
    netdev_quiesce(bench->firmware);
  }
  net_handoff_seal(table);
}

static inline const char *judge(const struct net_handoff_image *table, struct net_handoff_copy *copy) {
  const char *problem = net_handoff_validate(table, sizeof(*table), TABLE_AT, copy);
  return problem ? problem : "";
}

static inline int adopt(struct bench *bench) {
  struct net_handoff_copy copy;
  assert_string_equal(judge(&bench->table, &copy), "");
  int result = e1000_adopt(sim_platform(bench->sim), &copy.nic[0], copy.block[0], identity, &bench->kernel);
  if(result == NETDEV_OK) {
    memset(&bench->after, 0, sizeof(bench->after));
    bench->kernel->client.ctx = &bench->after;
    bench->kernel->client.receive = unit_receive;
  }
  return result;
}

#endif
