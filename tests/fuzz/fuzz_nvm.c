/* fuzz_nvm.c - an NVM with any contents behind registers that answer late, never, or with nonsense: a device is made,
 * used and tested, or refused; never with an address that is none, never without an end. */
#include "fuzz.h"

#include "unit.h"

#define FAULTS_MAX   8U
#define SIM_TIME_US  60000000U /* longer than any way through the program takes */
#define ACCESSES_MAX 1000000U

/* From the `from`th read of a register on, `count` reads give (value & keep) | set. */
struct fault {
  uint32_t offset;
  uint32_t from;
  uint32_t count;
  uint32_t keep;
  uint32_t set;
};

static struct fault faults[FAULTS_MAX];
static uint32_t fault_count;
static const struct net_platform *healthy;

static uint32_t faulty_read(void *ctx, uint32_t bar, uint32_t offset) {
  uint32_t value = healthy->read32(ctx, bar, offset);
  for(uint32_t i = 0; i < fault_count; i++) {
    struct fault *fault = &faults[i];
    if(fault->offset != offset) {
      continue;
    }
    if(fault->from > 0) {
      fault->from--;
    } else if(fault->count > 0) {
      fault->count--;
      value = (value & fault->keep) | fault->set;
    }
  }
  return value;
}

/* The self-test writes STATUS to see that nothing happens; the simulator would complain. */
static void tolerant_write(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  if(offset != E1000_STATUS) {
    healthy->write32(ctx, bar, offset, value);
  }
}

static void draw_faults(struct fuzz *in) {
  static const uint32_t offsets[] = {E1000_EERD,     E1000_EECD, E1000_RAL,  E1000_RAH,         E1000_MDIC, E1000_CTRL,
                                     E1000_STATUS,   E1000_ICR,  E1000_SWSM, E1000_EXTCNF_CTRL, E1000_MPC,  E1000_VFTA,
                                     E1000_CTRL_EXT, E1000_RCTL, E1000_TCTL, E1000_TXDCTL};
  fault_count = fuzz_u8(in) % (FAULTS_MAX + 1U);
  for(uint32_t i = 0; i < fault_count; i++) {
    faults[i].offset = offsets[fuzz_u8(in) % (sizeof(offsets) / sizeof(offsets[0]))];
    faults[i].from = fuzz_u8(in);
    faults[i].count = fuzz_u8(in);
    faults[i].count = faults[i].count == 0xFFU ? UINT32_MAX : faults[i].count;
    faults[i].keep = fuzz_u32(in);
    faults[i].set = fuzz_u32(in);
  }
}

static struct sim_config draw_config(struct fuzz *in) {
  struct sim_config config = unit_config(fuzz_device(in));
  uint16_t knobs = fuzz_u16(in);
  config.qemu = knobs & 0x0001U;
  config.ral_empty = knobs & 0x0002U;
  config.ral_without_av = knobs & 0x0004U;
  config.eerd_never_done = knobs & 0x0008U;
  config.auto_read_never = knobs & 0x0010U;
  config.mdic_never_ready = knobs & 0x0020U;
  config.mdic_error = knobs & 0x0040U;
  config.mdio_never_owned = knobs & 0x0080U;
  config.master_never_off = knobs & 0x0100U;
  config.reset_never_ends = knobs & 0x0200U;
  config.phy_powered_down = knobs & 0x0400U;
  config.link_down = knobs & 0x0800U;
  config.no_io = knobs & 0x1000U;
  config.reset_clears = knobs & 0x2000U;
  config.flash_nvm = knobs & 0x4000U;
  config.me_active = knobs & 0x8000U;
  return config;
}

/* On a device whose registers behave, the NVM reads as it is. */
static void check_nvm(struct sim *sim, struct netdev *dev) {
  uint16_t sum = 0;
  uint16_t value = 0;
  bool flash = sim_knobs(sim)->device_id == SIM_82579LM; /* word 0x13 says whether the copy is valid */
  bool valid = !flash || (sim_nvm(sim, 0x13) & 0xC000U) == 0x8000U;
  bool sound =
      fault_count == 0 && valid && (!sim_knobs(sim)->eerd_never_done || sim_knobs(sim)->device_id == SIM_82544GC);
  if(!sound) {
    (void)e1000_nvm_checksum(dev, &sum);
    return;
  }
  for(uint16_t word = 0; word < E1000_NVM_WORDS; word++) {
    assert_int_equal(e1000_nvm_read(dev, word, &value), NETDEV_OK);
    assert_int_equal(value, sim_nvm(sim, word));
    sum = (uint16_t)(sum + value);
  }
  assert_int_equal(e1000_nvm_checksum(dev, &value), NETDEV_OK);
  assert_int_equal(value, sum);
  for(uint32_t i = 0; i < 6 && sim_knobs(sim)->ral_empty; i++) {
    assert_int_equal(dev->permanent_mac[i], (uint8_t)(sim_nvm(sim, i / 2U) >> 8U * (i % 2U)));
  }
}

static void count_checks(void *ctx, const char *name, bool passed, uint32_t value) {
  (void)value;
  assert_true(name[0] != '\0');
  *(uint32_t *)ctx += passed ? 1U : 0x10000U;
}

static void self_test(struct netdev *dev, bool loopback) {
  uint32_t told = 0;
  struct netdev_selftest test = {.report = count_checks, .ctx = &told};
  (void)netdev_selftest(dev, loopback, &test);
  assert_int_equal(test.failed, told >> 16);
  assert_int_equal(test.run, (told & 0xFFFFU) + (told >> 16));
}

static void use(struct fuzz *in, struct sim *sim, struct netdev *dev) {
  uint8_t what = fuzz_u8(in);
  uint8_t frame[NETDEV_MIN_FRAME] = {0};
  check_nvm(sim, dev);
  if(what & 1U) {
    self_test(dev, what & 2U);
  }
  int result = netdev_open(dev);
  assert_int_equal(dev->state, result == NETDEV_OK ? NETDEV_OPEN : NETDEV_CLOSED);
  for(uint32_t i = 0; i < (what >> 4U); i++) {
    (void)netdev_transmit(dev, frame, sizeof(frame), NULL, 0);
    (void)netdev_get_stats(dev);
    sim_advance(sim, 500000U);
    (void)netdev_tick(dev);
  }
  if(what & 4U) {
    self_test(dev, what & 8U);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  struct sim_config config = draw_config(&in);
  draw_faults(&in);
  struct sim *sim = sim_create(&config);
  struct net_platform platform = *sim_platform(sim);
  healthy = sim_platform(sim);
  platform.read32 = faulty_read;
  platform.write32 = tolerant_write;
  uint8_t what = fuzz_u8(&in);
  for(uint32_t word = 0; word < SIM_NVM_WORDS && (what & 1U); word++) {
    sim_set_nvm(sim, word, fuzz_u16(&in));
  }
  const uint64_t start_us = sim_now(sim);
  const struct net_config wanted = {.id = {.vendor_id = E1000_VENDOR_ID, .device_id = config.device_id},
                                    .tx_descriptors = E1000_RING_MIN,
                                    .rx_descriptors = E1000_RING_MIN};
  struct netdev *dev = NULL;
  int result = e1000_create(&platform, &wanted, &dev);
  assert_int_equal(result == NETDEV_OK, dev != NULL);
  if(dev) {
    assert_true(netdev_mac_valid(dev->permanent_mac));
    use(&in, sim, dev);
    assert_null(e1000_ring_check(&unit_nic(dev)->rx));
    assert_null(e1000_ring_check(&unit_nic(dev)->tx));
  }
  netdev_destroy(dev);
  assert_true(sim_now(sim) - start_us < SIM_TIME_US);
  assert_true(sim_accesses(sim) < ACCESSES_MAX);
  assert_int_equal(sim_leaks(sim), 0);
  if(fault_count == 0) { /* a register that lies makes the driver write nonsense in good faith */
    unit_check(sim, NULL);
  }
  sim_destroy(sim);
  return 0;
}
