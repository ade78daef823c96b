/* fuzz_handoff.c - handoff tables, bytes out of the blue or a real one changed here and there, mostly with the CRC
 * right, for a kernel whose NIC may disagree: it comes up in any case, and touches nothing but what it was given. */
#include "fuzz.h"

#include "consumer.h"
#include "handoff.h"
#include "unit.h"

#define TABLE_AT 0x1000000U /* where the table pretends to lie; nothing else is there */
#define BAR0     0x80000000U
#define FRAMES   40U

/* A table with one of each, and no more, for the CRC takes time. */
struct table {
  struct net_handoff head;
  struct net_handoff_nic nic;
  struct net_handoff_payload payload;
  char source[16];
  struct net_handoff_e1000 block;
};

#define SIZE sizeof(struct table)

/* What a receiver may not be set to while its buffers have 2048 bytes and its descriptors are legacy ones:
 * LPE, DTYP, BSIZE, BSEX (SDM 13.4.22). */
#define RCTL_OTHER_BUFFERS 0x02030C20U
#define RCTL_EN            0x00000002U

struct bench {
  struct sim *sim;
  struct netdev *firmware;
  struct netdev *kernel;
  struct table table;
  struct unit_client client;
  uint32_t stored; /* by the device, and not yet taken by the firmware */
  bool tampered;
};

static struct bench bench;

/* Tables --------------------------------------------------------------------------------------------------------- */

static uint64_t end_of(uint64_t start, uint64_t size) {
  assert_true(start != 0 && size != 0 && start + size > start);
  return start + size;
}

static void check_ring(const struct net_handoff_e1000_ring *ring) {
  assert_true(ring->count >= 8U && ring->count <= 4096U && (ring->count & (ring->count - 1U)) == 0);
  assert_true(ring->published - ring->head <= ring->tail - ring->head && ring->tail - ring->head < ring->count);
  assert_true(ring->descriptor_size == 16U && ring->buffer_stride == 2048U && ring->buffer_size == 2048U);
  uint64_t descriptors = end_of(ring->descriptors, 16ULL * ring->count);
  uint64_t buffers = end_of(ring->buffers, 2048ULL * ring->count);
  assert_true(descriptors <= ring->buffers || buffers <= ring->descriptors);
  (void)end_of(ring->descriptors_device, 16ULL * ring->count);
  (void)end_of(ring->buffers_device, 2048ULL * ring->count);
}

/* True when it is good; then it must be what a good one has to be. */
static bool judge(const void *memory, size_t available) {
  static struct net_handoff_copy copy;
  if(net_handoff_validate(memory, available, TABLE_AT, &copy)) {
    return false;
  }
  assert_true(copy.head.size <= available && copy.head.nic_count >= 1U && copy.head.nic_count <= NET_HANDOFF_NICS_MAX);
  assert_true(copy.range_count <= NET_HANDOFF_RANGES_MAX);
  for(uint32_t i = 0; i < copy.head.nic_count; i++) {
    const struct net_handoff_e1000 *block = (const struct net_handoff_e1000 *)copy.block[i];
    if(copy.nic[i].block_kind == NET_HANDOFF_BLOCK_E1000 &&
       (copy.nic[i].state == NET_HANDOFF_QUIET || copy.nic[i].state == NET_HANDOFF_LIVE)) {
      check_ring(&block->rx);
      check_ring(&block->tx);
    }
    assert_true(copy.nic[i].path_count <= NET_HANDOFF_PATH_MAX);
    assert_true(copy.nic[i].multicast_count <= NETDEV_MAX_MULTICAST);
    assert_true(netdev_mac_valid(copy.nic[i].permanent_mac) && netdev_mac_valid(copy.nic[i].current_mac));
  }
  for(uint32_t i = 0; i < copy.head.payload_count; i++) {
    assert_non_null(memchr(copy.payload[i].name, 0, sizeof(copy.payload[i].name)));
    (void)end_of(copy.payload[i].physical, copy.payload[i].size);
  }
  assert_non_null(memchr(copy.source, 0, sizeof(copy.source)));
  return true;
}

/* Seals when the table can be sealed at all: its size must lie in what there is. */
static void seal(void *memory, size_t available) {
  struct net_handoff *table = memory;
  if(available >= sizeof(*table) && table->size >= sizeof(*table) && table->size <= available) {
    net_handoff_seal(table);
  }
}

static void judge_bytes(struct fuzz *in) {
  uint8_t how = fuzz_u8(in);
  size_t available = in->left;
  uint8_t *memory = malloc(available ? available : 1U); /* exactly, so that the sanitizer sees a read beyond it */
  assert_non_null(memory);
  (void)fuzz_bytes(in, memory, available);
  if((how & 1U) && available >= sizeof(struct net_handoff)) {
    struct net_handoff *table = (struct net_handoff *)memory;
    table->magic = NET_HANDOFF_MAGIC;
    table->version_major = NET_HANDOFF_VERSION_MAJOR;
    table->size = how & 2U ? (uint32_t)available : table->size;
    seal(memory, available);
  }
  (void)judge(memory, available);
  free(memory);
}

/* The firmware's side -------------------------------------------------------------------------------------------- */

static void inject(uint32_t count) {
  uint8_t frame[NETDEV_MIN_FRAME];
  unit_frame(frame, sizeof(frame), unit_mac, count);
  for(uint32_t i = 0; i < count; i++) {
    bench.stored += sim_inject(bench.sim, frame, sizeof(frame)) == SIM_DELIVERED;
  }
}

static void transmit(struct netdev *dev, uint32_t count) {
  uint8_t frame[NETDEV_MIN_FRAME];
  unit_frame(frame, sizeof(frame), unit_mac, count);
  for(uint32_t i = 0; i < count; i++) {
    (void)netdev_transmit(dev, frame, sizeof(frame), NULL, i % 2U ? NETDEV_TX_MORE : 0);
  }
}

/* A NIC that has seen some traffic, and the table that is left behind. */
static void leave(struct fuzz *in) {
  struct sim_config config = unit_config(fuzz_device(in));
  uint8_t how = fuzz_u8(in);
  config.qemu = how & 1U;
  bool live = how & 2U;
  bench.sim = sim_create(&config);
  uint32_t count = E1000_RING_MIN << (how >> 2 & 1U);
  assert_int_equal(unit_create(bench.sim, count, count, &bench.firmware), NETDEV_OK);
  assert_int_equal(netdev_open(bench.firmware), NETDEV_OK);
  inject(fuzz_u8(in) % 32U);
  struct netdev_frame frame;
  for(uint32_t i = fuzz_u8(in) % 32U; i > 0 && netdev_peek(bench.firmware, &frame) == NETDEV_OK; i--) {
    netdev_release(bench.firmware);
    bench.stored--;
  }
  sim_knobs(bench.sim)->tx_held = how & 8U;
  transmit(bench.firmware, fuzz_u8(in) % 32U);

  struct table *table = &bench.table;
  table->head = (struct net_handoff){
      .magic = NET_HANDOFF_MAGIC,
      .version_major = NET_HANDOFF_VERSION_MAJOR,
      .size = SIZE,
      .header_size = sizeof(table->head),
      .nic_offset = offsetof(struct table, nic),
      .nic_size = sizeof(table->nic),
      .nic_count = 1,
      .payload_offset = offsetof(struct table, payload),
      .payload_size = sizeof(table->payload),
      .payload_count = how >> 4 & 1U,
      .source_offset = offsetof(struct table, source),
      .source_size = how >> 5 & 1U ? sizeof(table->source) : 0,
  };
  table->payload = (struct net_handoff_payload){.name = "kernel", .physical = 0x2000000U, .size = 1};
  table->nic = (struct net_handoff_nic){
      .vendor_id = E1000_VENDOR_ID,
      .device_id = config.device_id,
      .flags = NET_HANDOFF_PATH_KNOWN,
      .bar = {{BAR0, BAR0, E1000_BAR0_MIN_SIZE, NET_HANDOFF_BAR_MEMORY, 0}},
      .state = live ? NET_HANDOFF_LIVE : NET_HANDOFF_QUIET,
      .block_kind = NET_HANDOFF_BLOCK_E1000,
      .block_offset = offsetof(struct table, block),
      .block_size = sizeof(table->block),
  };
  assert_true(netdev_handoff_leave(bench.firmware, live, &table->nic, &table->block));
  inject(live ? how >> 5 : 0);
  sim_knobs(bench.sim)->tx_held = false;
}

/* On the way ----------------------------------------------------------------------------------------------------- */

static void change_table(struct fuzz *in) {
  uint8_t *bytes = (uint8_t *)&bench.table;
  for(uint32_t edits = fuzz_u8(in) % 8U; edits > 0; edits--) {
    uint8_t how = fuzz_u8(in);
    uint8_t *at = bytes + 4U * (fuzz_u16(in) % (SIZE / 4U - 1U));
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    if(how % 4U == 0) {
      value = (value & ~0xFFFFFFFFULL) | fuzz_u32(in);
    } else if(how % 4U == 1U) {
      value ^= fuzz_u32(in);
    } else if(how % 4U == 2U) {
      value += (uint64_t)(int8_t)fuzz_u8(in) * (how & 4U ? 1U : 16U);
    } else {
      value = (uint64_t)fuzz_u32(in) << 32 | fuzz_u32(in);
    }
    memcpy(at, &value, sizeof(value));
    bench.tampered = true;
  }
}

static void change_device(struct fuzz *in) {
  static const uint32_t offsets[] = {E1000_RDBAL, E1000_RDBAH, E1000_RDLEN, E1000_RDH, E1000_RDT,
                                     E1000_TDBAL, E1000_TDBAH, E1000_TDLEN, E1000_TDH, E1000_TDT,
                                     E1000_RAL,   E1000_RAH,   E1000_RCTL,  E1000_TCTL};
  for(uint32_t pokes = fuzz_u8(in) % 4U; pokes > 0; pokes--) {
    uint32_t offset = offsets[fuzz_u8(in) % (sizeof(offsets) / sizeof(offsets[0]))];
    sim_poke(bench.sim, offset, sim_peek(bench.sim, offset) ^ fuzz_u32(in));
    bench.tampered = true;
  }
}

/* The kernel's side ---------------------------------------------------------------------------------------------- */

/* Memory that the firmware's rings do not have is not there. */
static void *map(void *ctx, uint64_t physical, uint64_t size) {
  const struct e1000 *nic = unit_nic(bench.firmware);
  const struct net_dma *blocks[] = {&nic->rx.descriptors, &nic->rx.buffers, &nic->tx.descriptors, &nic->tx.buffers};
  (void)ctx;
  for(size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
    uint64_t start = (uint64_t)(uintptr_t)blocks[i]->cpu;
    if(physical >= start && size <= blocks[i]->size && physical - start <= blocks[i]->size - size) {
      return (uint8_t *)blocks[i]->cpu + (physical - start);
    }
  }
  return NULL;
}

static void check_rings(void) {
  assert_null(e1000_ring_check(&unit_nic(bench.kernel)->rx));
  assert_null(e1000_ring_check(&unit_nic(bench.kernel)->tx));
}

/* It works, when nobody lied; and in any case it stays within its rings. */
static void use(enum kernel_nic_origin origin) {
  bool honest = !bench.tampered || origin == KERNEL_NIC_FRESH;
  bench.stored = origin == KERNEL_NIC_FRESH ? 0 : bench.stored;
  for(uint32_t i = 0; i < FRAMES; i++) {
    inject(1);
    transmit(bench.kernel, 2);
    (void)netdev_poll(bench.kernel, 16);
    netdev_flush(bench.kernel);
    sim_advance(bench.sim, 100000U);
    int result = netdev_tick(bench.kernel);
    assert_true(result == NETDEV_OK || !honest);
    check_rings();
  }
  if(honest) {
    assert_int_equal(bench.client.received, bench.stored);
    assert_string_equal(sim_violation_text(bench.sim), "");
    assert_int_equal(unit_nic(bench.kernel)->tx.head, unit_nic(bench.kernel)->tx.tail);
  } else {
    assert_int_equal(sim_peek(bench.sim, E1000_RCTL) & (RCTL_OTHER_BUFFERS | RCTL_EN), RCTL_EN);
  }
}

static void start(struct fuzz *in) {
  struct sim_config *knobs = sim_knobs(bench.sim);
  uint8_t how = fuzz_u8(in);
  size_t available = how & 1U ? fuzz_u16(in) % (SIZE + 1U) : SIZE;
  void *memory = malloc(available ? available : 1U);
  assert_non_null(memory);
  memcpy(memory, &bench.table, available);
  if(!(how & 2U)) {
    seal(memory, available);
  }
  (void)judge(memory, available);
  knobs->fail_alloc_at = how & 4U ? sim_allocs(bench.sim) + 1U + (how >> 4) % 8U : 0;
  const struct kernel_nic nic = {.vendor_id = E1000_VENDOR_ID, .device_id = knobs->device_id, .bar = {BAR0}};
  const struct netdev_client client = {.ctx = &bench.client, .receive = unit_receive};
  enum kernel_nic_origin origin;
  int result = kernel_nic_start(sim_platform(bench.sim), &nic, memory, available, TABLE_AT, map, &client, &bench.kernel,
                                &origin);
  (void)judge(memory, available); /* with what was marked */
  free(memory);                   /* the table is not looked at again */
  assert_true(result == NETDEV_OK || (knobs->fail_alloc_at && result == NETDEV_E_NO_MEMORY && !bench.kernel));
  if(result == NETDEV_OK) {
    assert_true(origin == KERNEL_NIC_ADOPTED || origin == KERNEL_NIC_FRESH);
    assert_true(bench.tampered || available < SIZE || (how & 6U) || origin == KERNEL_NIC_ADOPTED);
    use(origin);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  if(fuzz_u8(&in) % 2U) {
    judge_bytes(&in);
    return 0;
  }
  memset(&bench, 0, sizeof(bench));
  leave(&in);
  change_table(&in);
  change_device(&in);
  start(&in);
  netdev_destroy(bench.kernel);
  netdev_destroy(bench.firmware);
  assert_int_equal(sim_leaks(bench.sim), 0);
  sim_destroy(bench.sim);
  return 0;
}
