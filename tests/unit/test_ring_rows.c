/* test_ring_rows.c - what the rows say of rings and queues: whose each descriptor is, and which came back; the names of
 * registers' bits. */
#include "virtio_unit.h"

#include "bits.h"

#define RING 128U /* two words of each bitmap */

/* Rows of the rings by name. */
struct picture {
  const char *queue; /* "rx." */
  uint64_t busy[2];
  uint64_t done[2];
  uint32_t words[2];
  uint64_t at_head;
  uint64_t at_tail;
  uint64_t at_device;
  uint64_t published;
  uint64_t returned;
  uint64_t taken;
  uint64_t driver_event;
  uint64_t device_event;
};

static void take(void *ctx, const struct netdev_row *row) {
  struct picture *picture = ctx;
  const struct {
    const char *name;
    uint64_t *value;
  } singles[] = {{"at_head", &picture->at_head},           {"at_tail", &picture->at_tail},
                 {"at_device", &picture->at_device},       {"published", &picture->published},
                 {"returned", &picture->returned},         {"taken", &picture->taken},
                 {"driver_event", &picture->driver_event}, {"device_event", &picture->device_event}};
  size_t length = strlen(picture->queue);
  if(strncmp(row->name, picture->queue, length) != 0) {
    return;
  }
  const char *name = row->name + length;
  bool done = strcmp(name, "done") == 0;
  if(done || strcmp(name, "busy") == 0) {
    assert_int_equal(row->count, 2);
    assert_int_equal(row->index, picture->words[done]++);
    assert_int_equal(row->unit, NETDEV_UNIT_HEX64);
    (done ? picture->done : picture->busy)[row->index] = row->value;
  }
  for(size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {
    if(strcmp(name, singles[i].name) == 0) {
      assert_int_equal(row->count, 1);
      *singles[i].value = row->value;
    }
  }
}

static struct picture look(struct netdev *dev, const char *queue) {
  struct picture picture = {.queue = queue};
  assert_int_equal(netdev_inspect(dev, NETDEV_ROWS_RINGS, take, &picture), NETDEV_OK);
  assert_int_equal(picture.words[0], 2);
  assert_int_equal(picture.words[1], 2);
  return picture;
}

static uint32_t ones(const uint64_t words[2]) {
  return (uint32_t)(__builtin_popcountll(words[0]) + __builtin_popcountll(words[1]));
}

/* e1000: [head, published) is the device's, and DD in memory says what it has done. */
static void test_e1000(void **state) {
  uint8_t frame[100];
  struct sim_config config = unit_config(0x100E);
  struct unit_client client;
  struct netdev *dev;
  (void)state;
  struct sim *sim = sim_create(&config);
  assert_int_equal(unit_create(sim, RING, RING, &dev), NETDEV_OK);
  unit_client_init(&client, dev, true);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  struct picture rx = look(dev, "rx.");
  assert_int_equal(ones(rx.busy), RING - 1U);
  assert_int_equal(rx.busy[1], UINT64_MAX >> 1);
  assert_int_equal(ones(rx.done), 0);
  assert_int_equal(rx.at_head, 0);
  assert_int_equal(rx.at_tail, RING - 1U);
  assert_int_equal(ones(look(dev, "tx.").busy), 0);
  unit_frame(frame, sizeof(frame), unit_mac, 1);
  for(uint32_t i = 0; i < 3; i++) {
    assert_int_equal(sim_inject(sim, frame, sizeof(frame)), SIM_DELIVERED);
  }
  rx = look(dev, "rx.");
  assert_int_equal(rx.done[0], 7); /* they wait */
  assert_int_equal(rx.at_device, 3);
  assert_int_equal(rx.at_head, 0);
  assert_int_equal(netdev_poll(dev, 2), 2);
  rx = look(dev, "rx.");
  assert_int_equal(rx.done[0], 4);
  assert_int_equal(rx.at_head, 2);
  assert_int_equal(rx.busy[0] & 3U, 0); /* prepared again, and not told yet */
  sim_knobs(sim)->tx_held = true;
  for(uint32_t i = 0; i < 2; i++) {
    assert_int_equal(netdev_transmit(dev, frame, sizeof(frame), unit_cookie(i + 1U), 0), NETDEV_OK);
  }
  struct picture tx = look(dev, "tx.");
  assert_int_equal(tx.busy[0], 3);
  assert_int_equal(ones(tx.done), 0);
  assert_int_equal(tx.at_tail, 2);
  sim_knobs(sim)->tx_held = false;
  sim_step(sim);
  tx = look(dev, "tx.");
  assert_int_equal(tx.done[0], 3);
  assert_int_equal(tx.at_device, 2);
  assert_int_equal(netdev_complete(dev), 2);
  assert_int_equal(ones(look(dev, "tx.").busy), 0);
  unit_check(sim, dev);
  unit_end(sim, dev);
}

/* virtio: by descriptor; what came back is in the used ring, and may be untrue. */
static void test_virtio(void **state) {
  struct world world;
  (void)state;
  world_open(&world, (struct virtio_sim_config){.features = 0}, RING);
  struct picture rx = look(world.dev, "rx.");
  assert_int_equal(ones(rx.busy), RING);
  assert_int_equal(ones(rx.done), 0);
  assert_int_equal(rx.published, RING);
  for(uint32_t i = 0; i < 3; i++) {
    assert_int_equal(world_arrive(&world, i, 100), SIM_DELIVERED);
  }
  virtio_sim_step(world.sim);
  rx = look(world.dev, "rx.");
  assert_int_equal(ones(rx.done), 3);
  assert_int_equal(rx.returned, 3);
  assert_int_equal(rx.taken, 0);
  assert_int_equal(netdev_poll(world.dev, 2), 2);
  rx = look(world.dev, "rx.");
  assert_int_equal(ones(rx.done), 1);
  assert_int_equal(rx.taken, 2);
  assert_int_equal(ones(rx.busy) + world_nic(&world)->queue[RX].free_count, RING);
  /* What cannot be is no part of the picture: a number beyond the queue, one that the device does not have. */
  volatile struct virtq_used *used = world_nic(&world)->queue[RX].used;
  uint32_t id = used->ring[2].id;
  used->ring[2].id = 0xFFFFFFFFU;
  assert_int_equal(ones(look(world.dev, "rx.").done), 0);
  used->ring[2].id = RING;
  assert_int_equal(ones(look(world.dev, "rx.").done), 0);
  used->ring[2].id = id;
  uint16_t index = used->index;
  used->index = (uint16_t)(index + 5000U);
  assert_true(ones(look(world.dev, "rx.").done) <= RING);
  used->index = index;
  (void)netdev_poll(world.dev, 64);
  assert_int_equal(world.client.received, 3);
  world_end(&world);
}

/* Bits of the driver's own table that a row must call by the same name at the same place. */
static void assert_bit(struct netdev *dev, uint32_t offset, const char *name, uint32_t mask) {
  const struct net_model *model = &((const struct e1000 *)dev)->model->common;
  struct netdev_row row = {.group = NETDEV_ROWS_REGISTERS, .offset = offset};
  e1000_describe(&(struct net_device_id){.vendor_id = model->vendor_id, .device_id = model->device_id}, &row);
  const char *at = row.bits;
  struct bits_field field;
  while(bits_next(&at, mask, &field)) {
    if(strcmp(field.name, name) == 0) {
      uint64_t all = field.high - field.low == 31U ? UINT32_MAX : (1ULL << (field.high - field.low + 1U)) - 1U;
      assert_int_equal(all << field.low, mask);
      return;
    }
  }
  fail_msg("register %05x has no %s", offset, name);
}

static void visit_bits(void *ctx, const struct netdev_row *row) {
  struct bits_field field;
  const char *at = row->bits;
  uint32_t next = 0;
  while(bits_next(&at, 0, &field)) {
    assert_true(field.low >= next && field.high < 32U); /* in order, and none twice */
    next = field.high + 1U;
  }
  if(at && *at) {
    fail_msg("%s: '%s' is not understood", row->name, at);
  }
  *(uint32_t *)ctx += row->bits != NULL && row->index == 0;
}

static void test_bits(void **state) {
  static const uint16_t devices[] = {0x100E, 0x100C, 0x100F, 0x10D3};
  (void)state;
  for(size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
    struct sim_config config = unit_config(devices[i]);
    struct netdev *dev;
    struct sim *sim = sim_create(&config);
    assert_int_equal(unit_create(sim, 0, 0, &dev), NETDEV_OK);
    uint32_t rows = 0;
    assert_int_equal(netdev_inspect(dev, NETDEV_ROWS_REGISTERS | NETDEV_ROWS_PHY, visit_bits, &rows), NETDEV_OK);
    assert_true(rows > 20);
    bool new = devices[i] == 0x10D3;
    assert_bit(dev, E1000_CTRL, "FD", E1000_CTRL_FD);
    assert_bit(dev, E1000_CTRL, "ASDE", E1000_CTRL_ASDE);
    assert_bit(dev, E1000_CTRL, "SLU", E1000_CTRL_SLU);
    assert_bit(dev, E1000_CTRL, "ILOS", E1000_CTRL_ILOS);
    assert_bit(dev, E1000_CTRL, "SPEED", E1000_CTRL_SPEED_MASK);
    assert_bit(dev, E1000_CTRL, "FRCSPD", E1000_CTRL_FRCSPD);
    assert_bit(dev, E1000_CTRL, "FRCDPX", E1000_CTRL_FRCDPX);
    assert_bit(dev, E1000_CTRL, "RST", E1000_CTRL_RST);
    assert_bit(dev, E1000_CTRL, "VME", E1000_CTRL_VME);
    assert_bit(dev, E1000_STATUS, "FD", E1000_STATUS_FD);
    assert_bit(dev, E1000_STATUS, "LU", E1000_STATUS_LU);
    assert_bit(dev, E1000_STATUS, "TXOFF", E1000_STATUS_TXOFF);
    assert_bit(dev, E1000_STATUS, "SPEED", E1000_STATUS_SPEED_MASK);
    assert_bit(dev, E1000_EECD, "SK", E1000_EECD_SK);
    assert_bit(dev, E1000_EECD, "CS", E1000_EECD_CS);
    assert_bit(dev, E1000_EECD, "DI", E1000_EECD_DI);
    assert_bit(dev, E1000_EECD, "DO", E1000_EECD_DO);
    assert_bit(dev, E1000_EERD, "START", E1000_EERD_START);
    assert_bit(dev, E1000_EERD, "DONE", new ? E1000_EERD_LARGE_DONE : E1000_EERD_SMALL_DONE);
    assert_bit(dev, E1000_CTRL_EXT, "EE_RST", E1000_CTRL_EXT_EE_RST);
    assert_bit(dev, E1000_MDIC, "READY", E1000_MDIC_READY);
    assert_bit(dev, E1000_MDIC, "ERROR", E1000_MDIC_ERROR);
    assert_bit(dev, E1000_ICR, "TXDW", E1000_CAUSE_TXDW);
    assert_bit(dev, E1000_IMS, "LSC", E1000_CAUSE_LSC);
    assert_bit(dev, E1000_IMS, "RXDMT0", E1000_CAUSE_RXDMT0);
    assert_bit(dev, E1000_ICR, "RXO", E1000_CAUSE_RXO);
    assert_bit(dev, E1000_ICR, "RXT0", E1000_CAUSE_RXT0);
    assert_bit(dev, E1000_RCTL, "EN", E1000_RCTL_EN);
    assert_bit(dev, E1000_RCTL, "UPE", E1000_RCTL_UPE);
    assert_bit(dev, E1000_RCTL, "LPE", E1000_RCTL_LPE);
    assert_bit(dev, E1000_RCTL, "BAM", E1000_RCTL_BAM);
    assert_bit(dev, E1000_RCTL, "BSIZE", E1000_RCTL_BSIZE_MASK);
    assert_bit(dev, E1000_RCTL, "BSEX", E1000_RCTL_BSEX);
    assert_bit(dev, E1000_RCTL, "SECRC", E1000_RCTL_SECRC);
    assert_bit(dev, E1000_TCTL, "EN", E1000_TCTL_EN);
    assert_bit(dev, E1000_TCTL, "PSP", E1000_TCTL_PSP);
    assert_bit(dev, E1000_TCTL, "CT", E1000_TCTL_CT_MASK);
    assert_bit(dev, E1000_TCTL, "COLD", E1000_TCTL_COLD_MASK);
    assert_bit(dev, E1000_TCTL, "RTLC", E1000_TCTL_RTLC);
    assert_bit(dev, E1000_TXDCTL, "WTHRESH", E1000_XDCTL_WTHRESH_MASK);
    assert_bit(dev, E1000_TXDCTL, "GRAN", E1000_XDCTL_GRAN);
    assert_bit(dev, E1000_RAH, "AV", E1000_RAH_AV);
    assert_bit(dev, E1000_MANC, "ARP_EN", E1000_MANC_ARP_EN);
    if(new) {
      assert_bit(dev, E1000_CTRL, "GIO_MASTER_DISABLE", E1000_CTRL_GIO_MASTER_DISABLE);
      assert_bit(dev, E1000_STATUS, "GIO_MASTER_ENABLE", E1000_STATUS_GIO_MASTER_ENABLE);
      assert_bit(dev, E1000_EECD, "AUTO_RD", E1000_EECD_AUTO_RD);
      assert_bit(dev, E1000_CTRL_EXT, "DRV_LOAD", E1000_CTRL_EXT_DRV_LOAD);
      assert_bit(dev, E1000_CTRL_EXT, "PBA_SUPPORT", E1000_CTRL_EXT_PBA_SUPPORT);
      assert_bit(dev, E1000_ICR, "RXQ0", E1000_CAUSE_82574_RXQ0);
      assert_bit(dev, E1000_ICR, "INT_ASSERTED", E1000_CAUSE_82574_INT_ASSERTED);
      assert_bit(dev, E1000_TXDCTL, "COUNT_DESC", E1000_TXDCTL_COUNT_DESC);
      assert_bit(dev, E1000_RFCTL, "EXTEN", E1000_RFCTL_EXTEN);
      assert_bit(dev, E1000_RFCTL, "ACK_DIS", E1000_RFCTL_ACK_DIS);
      assert_bit(dev, E1000_EXTCNF_CTRL, "MDIO_SW_OWNERSHIP", E1000_EXTCNF_MDIO_SW_OWNERSHIP);
    } else {
      assert_bit(dev, E1000_STATUS, "PCIX_MODE", E1000_STATUS_PCIX_MODE);
    }
    unit_end(sim, dev);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_e1000),
      cmocka_unit_test(test_virtio),
      cmocka_unit_test(test_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
