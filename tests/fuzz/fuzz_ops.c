/* fuzz_ops.c - netdev calls in any order on a device that misbehaves, against a model of the contract in netdevice.h:
 * who owns each frame, what arrives in which order, what is counted. */
#include "fuzz.h"

#include "unit.h"

#define STEPS_MAX  400U
#define FRAMES_MAX UNIT_COOKIES
#define BURST_MAX  16U
#define TICK_US    60000U /* a tick that reads STATUS for certain */
#define NUMBER_AT  14U    /* where a frame carries its number     */
#define LENGTH_MIN 18U
#define COUNTERS   (sizeof(struct netdev_stats) / sizeof(uint64_t))
#define ADDRESSES  6U

static const uint8_t addresses[ADDRESSES][6] = {
    {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3}, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, {0x02, 0, 0, 0, 0, 0x07},
    {0x01, 0, 0x5E, 0, 0, 0x01},          {0x33, 0x33, 0, 0, 0, 0x01},          {0, 0, 0, 0, 0, 0},
};

/* A frame of either direction; its number, from 1, is also its cookie. */
struct record {
  uint16_t length;
  uint8_t to;
  bool taken; /* netdev_transmit said OK */
  bool sent;  /* seen on the wire        */
};

struct bench {
  struct fuzz in;
  struct sim *sim;
  struct netdev *dev;
  bool registered;
  uint64_t stats[COUNTERS];

  struct unit_client client;
  struct record tx[FRAMES_MAX];
  uint32_t tx_issued;
  uint32_t tx_taken;
  uint32_t tx_last_sent;
  uint32_t retries; /* so many more are sent from inside tx_done */
  bool retried;     /* then the order on the wire is not that of the numbers */

  struct record rx[FRAMES_MAX]; /* what the device stored */
  uint32_t rx_stored;
  uint32_t rx_next; /* the first that has not arrived              */
  uint32_t rx_held; /* of those, the last so many are not written back yet */
  uint64_t rx_total;
};

static bool is_open(const struct bench *bench) {
  return bench->dev->state == NETDEV_OPEN;
}

static bool is_pulled(const struct bench *bench) {
  const struct sim_config *knobs = sim_knobs(bench->sim);
  return knobs->gone || (knobs->gone_at && sim_accesses(bench->sim) >= knobs->gone_at);
}

static void make_frame(uint8_t *frame, const struct record *record, uint32_t number) {
  unit_frame(frame, record->length, addresses[record->to], number);
  memcpy(frame + NUMBER_AT, &number, sizeof(number));
}

static struct record draw_record(struct fuzz *in) {
  uint16_t value = fuzz_u16(in);
  uint32_t length = LENGTH_MIN + value % (NETDEV_MAX_TAGGED_FRAME - LENGTH_MIN + 1U);
  return (struct record){.length = (uint16_t)length, .to = (uint8_t)(value >> 11) % ADDRESSES};
}

/* Transmit ------------------------------------------------------------------------------------------------------- */

static void transmit(struct bench *bench, struct record record, uint32_t flags) {
  uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
  uint32_t number = bench->tx_issued + 1U;
  if(number == FRAMES_MAX) {
    return;
  }
  bench->tx_issued = number;
  bench->tx[number] = record;
  make_frame(frame, &record, number);
  enum netdev_state before = bench->dev->state;
  int result = netdev_transmit(bench->dev, frame, record.length, unit_cookie(number), flags);
  if(before != NETDEV_OPEN) {
    assert_int_equal(result, before == NETDEV_GONE ? NETDEV_E_GONE : NETDEV_E_STATE);
  } else if(result != NETDEV_OK) {
    assert_int_equal(result, NETDEV_E_BUSY);
    assert_int_equal(bench->tx_taken - bench->client.done_total, unit_nic(bench->dev)->tx.mask);
  }
  bench->tx[number].taken = result == NETDEV_OK;
  bench->tx_taken += result == NETDEV_OK;
}

static void tx_done(void *ctx, void *cookie, int status) {
  struct bench *bench = ctx;
  unit_tx_done(&bench->client, cookie, status);
  assert_true(bench->tx[(uintptr_t)cookie].taken);
  if(bench->retries > 0) {
    bench->retries--;
    bench->retried = true;
    transmit(bench, (struct record){.length = 100}, 0);
  }
}

/* Each frame goes out once, whole, padded, and in order. */
static void check_sent(struct bench *bench) {
  for(size_t i = 0; i < sim_frames(bench->sim); i++) {
    size_t length;
    uint32_t number;
    uint8_t frame[NETDEV_MAX_TAGGED_FRAME] = {0};
    const uint8_t *sent = sim_frame(bench->sim, i, &length);
    memcpy(&number, sent + NUMBER_AT, sizeof(number));
    assert_in_range(number, 1, bench->tx_issued);
    struct record *record = &bench->tx[number];
    make_frame(frame, record, number);
    assert_int_equal(length, record->length < NETDEV_MIN_FRAME ? NETDEV_MIN_FRAME : record->length);
    assert_memory_equal(sent, frame, length);
    assert_true(record->taken && !record->sent && (bench->retried || number > bench->tx_last_sent));
    record->sent = true;
    bench->tx_last_sent = number;
  }
  sim_forget_frames(bench->sim);
}

/* Nothing is owed: every frame taken came back once, and as sent when it was. */
static void check_all_back(const struct bench *bench) {
  assert_int_equal(bench->client.done_total, bench->tx_taken);
  for(uint32_t number = 1; number <= bench->tx_issued; number++) {
    const struct record *record = &bench->tx[number];
    assert_int_equal(bench->client.done[number], record->taken);
    assert_true(!record->taken || record->sent == (bench->client.status[number] == NETDEV_OK));
  }
}

/* Receive -------------------------------------------------------------------------------------------------------- */

/* A driver may let more through than asked for, never less. */
static bool is_wanted(const struct netdev *dev, const uint8_t to[6]) {
  if(memcmp(to, addresses[1], 6) == 0) {
    return (dev->filter & (NETDEV_FILTER_BROADCAST | NETDEV_FILTER_PROMISCUOUS)) != 0;
  }
  if(!(to[0] & 1U)) {
    bool own = memcmp(to, dev->mac, 6) == 0;
    return (dev->filter & NETDEV_FILTER_PROMISCUOUS) || (own && (dev->filter & NETDEV_FILTER_UNICAST));
  }
  if(dev->filter & (NETDEV_FILTER_ALL_MULTICAST | NETDEV_FILTER_PROMISCUOUS)) {
    return true;
  }
  for(uint32_t i = 0; (dev->filter & NETDEV_FILTER_MULTICAST) && i < dev->multicast_count; i++) {
    if(memcmp(to, dev->multicast[i], 6) == 0) {
      return true;
    }
  }
  return false;
}

static void inject(struct bench *bench, struct record record) {
  uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
  uint32_t number = bench->rx_stored + 1U;
  if(number == FRAMES_MAX) {
    return;
  }
  make_frame(frame, &record, number);
  enum sim_delivery delivery = sim_inject(bench->sim, frame, record.length);
  if(bench->dev->state == NETDEV_CLOSED) {
    assert_int_equal(delivery, SIM_DEAF);
  }
  if(delivery == SIM_FILTERED) {
    assert_false(is_wanted(bench->dev, frame));
  }
  if(delivery == SIM_DELIVERED) {
    bench->rx[number] = record;
    bench->rx_stored = number;
    if(sim_knobs(bench->sim)->delayed || bench->rx_held > 0) {
      bench->rx_held++;
    }
  }
}

/* The write-backs that the device held are done, or lost with a card that was pulled: those frames never arrive. */
static void write_back(struct bench *bench) {
  sim_step(bench->sim);
  if(is_pulled(bench)) {
    bench->rx_stored -= bench->rx_held;
  }
  bench->rx_held = 0;
}

static uint32_t waiting(const struct bench *bench) {
  return bench->rx_stored - bench->rx_held - bench->rx_next + 1U;
}

static void arrives(struct bench *bench, const uint8_t *data, uint32_t length) {
  uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
  assert_true(waiting(bench) > 0);
  uint32_t number = bench->rx_next++;
  assert_int_equal(length, bench->rx[number].length);
  make_frame(frame, &bench->rx[number], number);
  assert_memory_equal(data, frame, length);
  bench->rx_total++;
}

static void receive(void *ctx, const struct netdev_frame *frame) {
  arrives(ctx, frame->data, frame->length);
}

static void link_changed(void *ctx, const struct netdev_link *link) {
  unit_link_changed(&((struct bench *)ctx)->client, link);
}

/* A reset loses what waits in the ring. */
static void forget_received(struct bench *bench) {
  bench->rx_next = bench->rx_stored + 1U;
  bench->rx_held = 0;
}

static void expect_nothing(struct bench *bench, int result) {
  static const int expected[] = {
      [NETDEV_CLOSED] = NETDEV_E_STATE, [NETDEV_OPEN] = NETDEV_E_EMPTY, [NETDEV_GONE] = NETDEV_E_GONE};
  assert_int_equal(result, expected[bench->dev->state]);
  assert_true(!is_open(bench) || waiting(bench) == 0);
}

static void take_one(struct bench *bench) {
  struct netdev_frame frame;
  int result = netdev_peek(bench->dev, &frame);
  if(result != NETDEV_OK) {
    expect_nothing(bench, result);
    return;
  }
  arrives(bench, frame.data, frame.length);
  netdev_release(bench->dev);
}

static void copy_one(struct bench *bench) {
  uint8_t buffer[NETDEV_MAX_TAGGED_FRAME];
  size_t capacity = fuzz_u16(&bench->in) % (sizeof(buffer) + 1U);
  size_t length = 0;
  int result = netdev_receive(bench->dev, buffer, capacity, &length);
  if(result == NETDEV_OK) {
    arrives(bench, buffer, (uint32_t)length);
  } else if(result == NETDEV_E_TOO_SMALL) {
    assert_true(waiting(bench) > 0 && length > capacity);
    assert_int_equal(length, bench->rx[bench->rx_next].length);
  } else {
    expect_nothing(bench, result);
  }
}

static void poll(struct bench *bench) {
  uint32_t budget = fuzz_u8(&bench->in);
  uint32_t there = is_open(bench) && bench->dev->client.receive ? waiting(bench) : 0;
  assert_int_equal(netdev_poll(bench->dev, budget), there < budget ? there : budget);
}

/* States --------------------------------------------------------------------------------------------------------- */

static void open_device(struct bench *bench) {
  const struct sim_config *knobs = sim_knobs(bench->sim);
  bool closed = bench->dev->state == NETDEV_CLOSED;
  bool sound = !knobs->gone && !knobs->gone_at && !knobs->reset_never_ends;
  int result = netdev_open(bench->dev);
  if(!closed) {
    assert_int_equal(result, NETDEV_E_STATE);
    return;
  }
  assert_true(result == NETDEV_OK || !sound);
  assert_int_equal(bench->dev->state, result == NETDEV_OK ? NETDEV_OPEN : NETDEV_CLOSED);
  forget_received(bench);
}

static void close_device(struct bench *bench) {
  netdev_close(bench->dev);
  assert_int_equal(bench->dev->state, NETDEV_CLOSED);
  check_sent(bench);
  check_all_back(bench);
  forget_received(bench);
}

static void tick(struct bench *bench) {
  uint64_t us = (uint64_t)fuzz_u8(&bench->in) * 20000U;
  enum netdev_state before = bench->dev->state;
  uint64_t hangs = bench->dev->stats.tx_hangs;
  sim_advance(bench->sim, us);
  int result = netdev_tick(bench->dev);
  if(bench->dev->stats.tx_hangs != hangs) {
    forget_received(bench);
  }
  if(before != NETDEV_OPEN) {
    assert_int_equal(result, before == NETDEV_GONE ? NETDEV_E_GONE : NETDEV_E_STATE);
  } else if(result == NETDEV_OK) {
    assert_true(us < TICK_US ||
                (!sim_knobs(bench->sim)->gone && bench->dev->link.up != sim_knobs(bench->sim)->link_down));
  } else {
    assert_int_equal(result, NETDEV_E_GONE);
    assert_int_equal(bench->dev->state, NETDEV_GONE);
    check_sent(bench);
    check_all_back(bench);
  }
}

/* Pulls the card, now or in the middle of something; or plugs it in again. */
static void unplug(struct bench *bench, uint8_t how) {
  struct sim_config *knobs = sim_knobs(bench->sim);
  if(how % 4U == 0) {
    knobs->gone = true;
  } else if(how % 4U == 1U && !knobs->gone_at) {
    knobs->gone_at = sim_accesses(bench->sim) + 1U + fuzz_u16(&bench->in) % 4096U;
  } else {
    close_device(bench);
    *knobs = (struct sim_config){.device_id = knobs->device_id, .qemu = knobs->qemu, .no_io = knobs->no_io};
    open_device(bench);
  }
}

static void turn_knobs(struct bench *bench) {
  struct sim_config *knobs = sim_knobs(bench->sim);
  uint8_t bits = fuzz_u8(&bench->in);
  knobs->link_down = bits & 1U;
  knobs->tx_held = bits & 2U;
  knobs->tx_paused = bits & 4U;
  knobs->delayed = (bits & 8U) && !knobs->qemu; /* there a held write-back would outlive a reset */
  knobs->reset_never_ends = (bits & 0x30U) == 0x30U;
  bench->retries = bits >> 6;
  if(!(bits & 0x30U)) {
    write_back(bench);
  }
}

/* Settings ------------------------------------------------------------------------------------------------------- */

static void set_mac(struct bench *bench) {
  uint8_t which = fuzz_u8(&bench->in);
  const uint8_t *mac = which % 8U < ADDRESSES ? addresses[which % 8U] : NULL;
  int expected = mac && !netdev_mac_valid(mac) ? NETDEV_E_INVALID : NETDEV_OK;
  if(expected == NETDEV_OK && bench->dev->state == NETDEV_GONE) {
    expected = NETDEV_E_GONE;
  }
  assert_int_equal(netdev_set_mac(bench->dev, mac), expected);
  if(expected == NETDEV_OK) {
    assert_memory_equal(bench->dev->mac, mac ? mac : bench->dev->permanent_mac, 6);
  }
}

static void set_filter(struct bench *bench) {
  uint8_t list[NETDEV_MAX_MULTICAST + 1U][6];
  uint32_t flags = fuzz_u8(&bench->in) & 0x3FU;
  uint32_t count = fuzz_u8(&bench->in) % (NETDEV_MAX_MULTICAST + 2U);
  bool valid = !(flags & 0x20U) && count <= NETDEV_MAX_MULTICAST;
  for(uint32_t i = 0; i < count; i++) {
    uint8_t which = fuzz_u8(&bench->in);
    memcpy(list[i], addresses[which % ADDRESSES], 6);
    list[i][3] ^= (uint8_t)(which / ADDRESSES);
    valid = valid && (list[i][0] & 1U);
  }
  int expected = bench->dev->state == NETDEV_GONE ? NETDEV_E_GONE : NETDEV_OK;
  assert_int_equal(netdev_set_filter(bench->dev, flags, list, count), valid ? expected : NETDEV_E_INVALID);
}

static void interrupts(struct bench *bench) {
  uint8_t what = fuzz_u8(&bench->in);
  enum netdev_irq_mode mode = what % 3U;
  if(!is_open(bench)) {
    int expected = bench->dev->state == NETDEV_GONE ? NETDEV_E_GONE : NETDEV_E_STATE;
    assert_int_equal(netdev_irq_enable(bench->dev, mode, 0), expected);
    return;
  }
  if(what & 0x80U) {
    (void)netdev_irq_handle(bench->dev);
  } else if(what & 0x40U) {
    (void)netdev_irq_rearm(bench->dev);
  } else {
    uint16_t part = sim_knobs(bench->sim)->device_id;
    uint32_t rate = what & 0x20U ? 0 : what * 1000U;
    bool possible = (mode != NETDEV_IRQ_MSIX || part == SIM_82574L) && (rate == 0 || part != SIM_82544GC);
    assert_int_equal(netdev_irq_enable(bench->dev, mode, rate), possible ? NETDEV_OK : NETDEV_E_UNSUPPORTED);
  }
}

static void check_stats(struct bench *bench) {
  const struct netdev_stats *stats = netdev_get_stats(bench->dev);
  uint64_t now[COUNTERS];
  memcpy(now, stats, sizeof(now));
  for(size_t i = 0; i < COUNTERS; i++) {
    assert_true(now[i] >= bench->stats[i]);
  }
  memcpy(bench->stats, now, sizeof(now));
  assert_int_equal(stats->rx_frames, bench->rx_total);
  assert_int_equal(stats->tx_frames + stats->tx_errors, bench->client.done_total);
  assert_int_equal(stats->link_changes, bench->client.links);
  assert_int_equal(stats->rx_errors, 0);
}

static void list_device(struct bench *bench) {
  if(fuzz_u8(&bench->in) % 2U) {
    assert_int_equal(netdev_register(bench->dev), bench->registered ? NETDEV_E_INVALID : NETDEV_OK);
    bench->registered = true;
    assert_ptr_equal(netdev_next(NULL), bench->dev);
    return;
  }
  netdev_unregister(bench->dev); /* closes it as well */
  bench->registered = false;
  assert_null(netdev_next(NULL));
  close_device(bench);
}

/* Steps ---------------------------------------------------------------------------------------------------------- */

static void step(struct bench *bench) {
  uint8_t what = fuzz_u8(&bench->in);
  uint8_t high = what >> 4;
  switch(what % 16U) {
  case 0:
    open_device(bench);
    break;
  case 1:
    close_device(bench);
    break;
  case 2:
  case 3: {
    struct record record = draw_record(&bench->in);
    for(uint32_t i = 0; i <= high; i++) {
      transmit(bench, record, what % 2U ? NETDEV_TX_MORE : 0);
    }
    break;
  }
  case 4:
    netdev_flush(bench->dev);
    break;
  case 5:
    assert_true(netdev_complete(bench->dev) <= unit_nic(bench->dev)->tx.mask + 1U);
    break;
  case 6: {
    struct record record = draw_record(&bench->in);
    for(uint32_t i = 0; i <= high; i++) {
      inject(bench, record);
    }
    break;
  }
  case 7:
    poll(bench);
    break;
  case 8:
    take_one(bench);
    break;
  case 9:
    copy_one(bench);
    break;
  case 10:
    tick(bench);
    break;
  case 11:
    turn_knobs(bench);
    break;
  case 12:
    set_filter(bench);
    break;
  case 13:
    high % 2U ? set_mac(bench) : list_device(bench);
    break;
  case 14:
    high % 2U ? interrupts(bench) : check_stats(bench);
    break;
  default:
    unplug(bench, high);
    break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct bench bench;
  memset(&bench, 0, sizeof(bench));
  bench.in = (struct fuzz){data, size};
  bench.rx_next = 1;
  struct sim_config config = unit_config(fuzz_device(&bench.in));
  uint8_t bits = fuzz_u8(&bench.in);
  config.qemu = bits & 1U;
  config.no_io = bits & 2U;
  config.pcix = bits & 4U;
  bench.sim = sim_create(&config);
  uint32_t count = E1000_RING_MIN << (bits >> 4) % 4U;
  assert_int_equal(unit_create(bench.sim, count, count, &bench.dev), NETDEV_OK);
  const struct netdev_client client = {
      .ctx = &bench, .tx_done = tx_done, .receive = bits & 8U ? receive : NULL, .link_changed = link_changed};
  assert_int_equal(netdev_set_client(bench.dev, &client), NETDEV_OK);
  open_device(&bench);
  for(uint32_t i = 0; i < STEPS_MAX && bench.in.left > 0; i++) {
    bool gone = bench.dev->state == NETDEV_GONE;
    uint64_t accesses = sim_accesses(bench.sim);
    step(&bench);
    check_sent(&bench);
    unit_check(bench.sim, bench.dev);
    assert_true(!gone || bench.dev->state != NETDEV_GONE || sim_accesses(bench.sim) == accesses);
  }
  close_device(&bench);
  unit_end(bench.sim, bench.dev);
  return 0;
}
