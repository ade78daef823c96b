/* test_e1000_parts.c - what each part does otherwise than the next: how it is reset, its NVM, its second port, who has
 * to be asked before its PHY is touched, and the bits that its errata want. The simulator knows them on its own. */
#include "unit.h"

static const uint16_t devices[] = {SIM_EVERY_PART};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))

struct bench {
  struct sim *sim;
  struct netdev *dev;
};

static void create(struct bench *bench, const struct sim_config *config) {
  bench->sim = sim_create(config);
  assert_int_equal(unit_create(bench->sim, 16, 16, &bench->dev), NETDEV_OK);
  unit_check(bench->sim, bench->dev);
}

static void end(struct bench *bench) {
  unit_end(bench->sim, bench->dev);
}

static size_t find_write(const struct sim *sim, size_t from, uint32_t offset, uint32_t bits) {
  const struct sim_write *log;
  size_t count = sim_write_log(sim, &log);
  for(size_t i = from; i < count; i++) {
    if(log[i].offset == offset && (log[i].value & bits) == bits) {
      return i;
    }
  }
  return SIZE_MAX;
}

/* The ID table ----------------------------------------------------------------------------------------------------- */

/* No ID twice, every one found again, nothing longer than a list of devices has room for. */
static void test_table(void **state) {
  (void)state;
  const struct e1000_model *model;
  size_t count = 0;
  for(; (model = e1000_model_at(count)) != NULL; count++) {
    const struct net_device_id id = {.vendor_id = 0x8086, .device_id = model->common.device_id};
    assert_ptr_equal(e1000_driver.match(&id), &model->common);
    assert_true(strlen(model->common.title) <= 40);
    assert_non_null(strstr(model->common.title, model->common.name));
    const struct e1000_part *part = model->part;
    assert_true(part->mta_words <= E1000_MTA_COUNT && part->rar_count >= 1 && part->rar_count <= E1000_RAR_COUNT);
    assert_true(part->reset_us >= 1000 && part->family != 0);
    assert_int_equal(part->bits != NULL, part->bit_count != 0);
    /* Behind PCI Express ASPM is off, and the whole address space is there. */
    bool pcie = (part->quirks & E1000_QUIRK_PCIE) != 0;
    assert_int_equal(model->common.dma_bits, pcie ? 64 : 32);
  }
  assert_true(count >= 30);
}

/* Every ID works: sends, receives, keeps its address, and the simulator has nothing to complain about. */
static void test_every_model(void **state) {
  (void)state;
  static const uint16_t also[] = {SIM_82541ER_LOM, SIM_82541ER, SIM_82541PI, SIM_82546EB_QUAD,
                                  SIM_82571PT,     SIM_82573V,  SIM_82573E,  SIM_82574LA};
  for(size_t i = 0; i < DEVICES + sizeof(also) / sizeof(also[0]); i++) {
    struct sim_config config = unit_config(i < DEVICES ? devices[i] : also[i - DEVICES]);
    struct bench bench;
    uint8_t frame[60];
    uint8_t buffer[64];
    size_t length;
    create(&bench, &config);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    assert_true(bench.dev->link.up);
    unit_frame(frame, sizeof(frame), unit_mac, 1);
    assert_int_equal(netdev_transmit(bench.dev, frame, sizeof(frame), NULL, 0), NETDEV_OK);
    assert_int_equal(sim_frames(bench.sim), 1);
    assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
    assert_int_equal(netdev_receive(bench.dev, buffer, sizeof(buffer), &length), NETDEV_OK);
    assert_memory_equal(buffer, frame, sizeof(frame));
    netdev_close(bench.dev);
    assert_int_equal(sim_logged(bench.sim, NET_LOG_WARN, "") + sim_logged(bench.sim, NET_LOG_ERROR, ""), 0);
    end(&bench);
  }
}

/* Reset ------------------------------------------------------------------------------------------------------------ */

/* By I/O space, by the shadow of CTRL, or by CTRL; the simulator minds which, and how long nobody may ask. */
static void test_how_it_is_reset(void **state) {
  (void)state;
  static const struct {
    uint16_t device;
    uint32_t offset;
    bool io;
    bool phy_first;
    uint32_t settle_us;
  } rows[] = {
      {SIM_82540EM, 0x0, true, false, 5000},   {SIM_82546EB, 0x0, true, false, 5000},
      {SIM_82546GB, 0x4, false, false, 5000},  {SIM_82541EI, 0x0, true, true, 20000},
      {SIM_82541GI, 0x0, true, false, 20000},  {SIM_82547EI, 0x0, false, true, 20000},
      {SIM_82547GI, 0x0, false, false, 20000}, {SIM_82571EB, 0x0, false, false, 1000},
      {SIM_82573L, 0x0, false, false, 1000},   {SIM_82583V, 0x0, false, false, 1000},
  };
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct sim_config config = unit_config(rows[i].device);
    struct bench bench;
    const struct sim_write *log;
    create(&bench, &config);
    (void)sim_write_log(bench.sim, &log);
    size_t reset = find_write(bench.sim, 0, rows[i].offset, 1U << 26);
    assert_true(reset != SIZE_MAX);
    assert_int_equal(log[reset].io, rows[i].io);
    assert_int_equal(sim_io_writes(bench.sim), rows[i].io);
    assert_true(log[reset + 1U].at_us - log[reset].at_us >= rows[i].settle_us);
    size_t phy = find_write(bench.sim, 0, 0x0, 1U << 31);
    assert_int_equal(phy < reset, rows[i].phy_first);
    assert_true(!rows[i].phy_first || log[phy + 1U].at_us - log[phy].at_us >= 5000);
    end(&bench);
  }
}

/* An EEPROM is read again by itself, a flash when it is told to, and not while the hardware may write it. */
static void test_flash(void **state) {
  (void)state;
  static const uint16_t parts[] = {SIM_82573L, SIM_82574L, SIM_82583V};
  for(size_t i = 0; i < 3; i++) {
    for(int flash = 0; flash < 2; flash++) {
      struct sim_config config = unit_config(parts[i]);
      config.flash_nvm = flash;
      struct bench bench;
      create(&bench, &config);
      assert_memory_equal(bench.dev->permanent_mac, unit_mac, 6);
      assert_int_equal(sim_logged(bench.sim, NET_LOG_WARN, ""), 0); /* the address was in its registers */
      assert_int_equal(find_write(bench.sim, 0, 0x18, 1U << 13) != SIZE_MAX, flash);
      assert_int_equal(sim_peek(bench.sim, 0x10) & 1U << 20, 0);
      end(&bench);
    }
  }
}

/* EERD works once nobody has asked for the wires of the EEPROM, which a reset leaves asked for. */
static void test_eeprom_is_let_go(void **state) {
  (void)state;
  static const uint16_t parts[] = {SIM_82571EB, SIM_82572EI};
  for(size_t i = 0; i < 2; i++) {
    struct sim_config config = unit_config(parts[i]);
    config.ral_empty = true;
    struct bench bench;
    uint16_t sum;
    create(&bench, &config);
    assert_memory_equal(bench.dev->permanent_mac, unit_mac, 6);
    assert_int_equal(e1000_nvm_checksum(bench.dev, &sum), NETDEV_OK);
    assert_int_equal(sum, 0xBABA);
    assert_int_equal(sim_peek(bench.sim, 0x10) & 0xC0U, 0);
    end(&bench);
  }
}

/* Two ports -------------------------------------------------------------------------------------------------------- */

/* The second port's address is the NVM's with its lowest bit inverted, wherever it is read. */
static void test_second_port(void **state) {
  (void)state;
  static const uint16_t parts[] = {SIM_82546EB, SIM_82546GB, SIM_82546EB_QUAD, SIM_82571EB, SIM_82571PT};
  for(size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    for(int port = 0; port < 2; port++) {
      for(int ral_empty = 0; ral_empty < 2; ral_empty++) {
        struct sim_config config = unit_config(parts[i]);
        config.port_b = port;
        config.ral_empty = ral_empty;
        struct bench bench;
        create(&bench, &config);
        uint8_t expected[6];
        memcpy(expected, unit_mac, 6);
        expected[5] ^= (uint8_t)port;
        assert_memory_equal(bench.dev->permanent_mac, expected, 6);
        assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
        assert_int_equal(sim_peek(bench.sim, 0x5404), 0x800000B2U | (uint32_t)expected[5] << 8);
        end(&bench);
      }
    }
  }
}

/* A part with one port has that bit of STATUS for something else, or not at all. */
static void test_one_port(void **state) {
  (void)state;
  static const uint16_t parts[] = {SIM_82545EM, SIM_82541EI, SIM_82572EI, SIM_82573L, SIM_82574L};
  for(size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    struct sim_config config = unit_config(parts[i]);
    config.ral_empty = true;
    struct bench bench;
    create(&bench, &config);
    sim_knobs(bench.sim)->port_b = true; /* STATUS says 1 */
    netdev_destroy(bench.dev);
    assert_int_equal(unit_create(bench.sim, 16, 16, &bench.dev), NETDEV_OK);
    assert_memory_equal(bench.dev->permanent_mac, unit_mac, 6);
    end(&bench);
  }
}

/* The 82571 loads both ports' addresses when one of them is reset. Frames to an address of ours still arrive, and none
 * to it once it is not ours any more. */
static void test_other_port_is_reset(void **state) {
  (void)state;
  static const uint8_t other[6] = {0x52, 0x54, 0x00, 0x11, 0x22, 0x33};
  uint8_t frame[60];
  struct sim_config config = unit_config(SIM_82571EB);
  struct bench bench;
  create(&bench, &config);
  assert_int_equal(netdev_set_mac(bench.dev, other), NETDEV_OK);
  assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
  unit_frame(frame, sizeof(frame), other, 1);
  assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
  sim_other_port_resets(bench.sim);
  assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
  assert_int_equal(netdev_set_mac(bench.dev, unit_mac), NETDEV_OK);
  assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_FILTERED);
  assert_int_equal(netdev_set_mac(bench.dev, other), NETDEV_OK);
  netdev_close(bench.dev);
  assert_int_equal(sim_peek(bench.sim, 0x5400 + 8U * 14U) | sim_peek(bench.sim, 0x5404 + 8U * 14U), 0);
  assert_int_equal(sim_peek(bench.sim, 0x5404), 0x8000C3B2U);
  end(&bench);
}

/* Turns ------------------------------------------------------------------------------------------------------------ */

/* The 8257x with SWSM: both semaphores for each access to the PHY, and both free afterwards. */
static void test_swsm(void **state) {
  (void)state;
  static const uint16_t parts[] = {SIM_82571EB, SIM_82572EI, SIM_82573L};
  for(size_t i = 0; i < 3; i++) {
    struct sim_config config = unit_config(parts[i]);
    struct bench bench;
    uint16_t value;
    create(&bench, &config);
    assert_int_equal(e1000_phy_read(bench.dev, 2, &value), NETDEV_OK);
    assert_int_equal(value, sim_phy(bench.sim, 2));
    assert_int_equal(sim_peek(bench.sim, 0x5B50) & 3U, 0);
    /* Firmware that does not let go: nothing is touched, and nothing kept. */
    sim_knobs(bench.sim)->mdio_never_owned = true;
    uint64_t start = sim_now(bench.sim);
    uint32_t before = sim_writes_of(bench.sim, 0x20);
    assert_int_equal(e1000_phy_read(bench.dev, 2, &value), NETDEV_E_TIMEOUT);
    assert_int_equal(sim_writes_of(bench.sim, 0x20), before);
    assert_true(sim_now(bench.sim) - start < 500000);
    sim_knobs(bench.sim)->mdio_never_owned = false;
    assert_int_equal(sim_peek(bench.sim, 0x5B50) & 3U, 0);
    /* The other port's driver that never lets go is passed over, after a while. */
    sim_knobs(bench.sim)->smbi_never_free = true;
    assert_int_equal(e1000_phy_read(bench.dev, 2, &value), NETDEV_OK);
    assert_true(sim_logged(bench.sim, NET_LOG_ERROR, "SMBI") > 0);
    sim_knobs(bench.sim)->smbi_never_free = false;
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    assert_int_equal(sim_peek(bench.sim, 0x5B50) & 3U, 0);
    end(&bench);
  }
}

/* What an earlier owner left taken is given back, where nobody else can hold it. */
static void test_leftover_semaphores(void **state) {
  (void)state;
  static const uint16_t parts[] = {SIM_82572EI, SIM_82573L, SIM_82574L, SIM_82583V};
  for(size_t i = 0; i < 4; i++) {
    struct sim_config config = unit_config(parts[i]);
    config.qemu = true; /* the reset keeps what is poked */
    struct sim *sim = sim_create(&config);
    struct netdev *dev;
    sim_poke(sim, 0x5B50, 3);
    assert_int_equal(unit_create(sim, 16, 16, &dev), NETDEV_OK);
    assert_int_equal(sim_peek(sim, 0x5B50) & 3U, 0);
    assert_int_equal(sim_logged(sim, NET_LOG_ERROR, "SMBI"), 0);
    unit_end(sim, dev);
  }
}

/* The PHY is left alone until it has been configured from the NVM; one whose end never shows is used all the same. */
static void test_phy_is_configured_first(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    config.cfg_never_done = true;
    struct bench bench;
    uint16_t value;
    bool waits = devices[i] == SIM_82571EB || devices[i] == SIM_82572EI;
    create(&bench, &config);
    assert_int_equal(e1000_phy_read(bench.dev, 2, &value), NETDEV_OK);
    assert_int_equal(sim_logged(bench.sim, NET_LOG_ERROR, "CFG_DONE"), waits);
    end(&bench);
  }
}

/* Management firmware is told when a driver is in charge, and when it is not any more. */
static void test_in_charge(void **state) {
  (void)state;
  static const struct {
    uint16_t device;
    uint32_t offset;
    uint32_t bit;
  } rows[] = {{SIM_82571EB, 0x18, 1U << 28},
              {SIM_82572EI, 0x18, 1U << 28},
              {SIM_82573L, 0x5B50, 1U << 3},
              {SIM_82574L, 0x18, 1U << 28},
              {SIM_82583V, 0x18, 1U << 28}};
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct sim_config config = unit_config(rows[i].device);
    struct bench bench;
    create(&bench, &config);
    assert_int_equal(sim_peek(bench.sim, rows[i].offset) & rows[i].bit, 0);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    assert_int_equal(sim_peek(bench.sim, rows[i].offset) & rows[i].bit, rows[i].bit);
    netdev_quiesce(bench.dev);
    assert_int_equal(sim_peek(bench.sim, rows[i].offset) & rows[i].bit, 0);
    end(&bench);
  }
}

/* Errata ----------------------------------------------------------------------------------------------------------- */

/* The simulator looks at every bit when the transmitter is switched on. Here: that it would mind each of them. */
static void test_demands_are_looked_at(void **state) {
  (void)state;
  static const struct {
    uint16_t device;
    uint32_t offset;
    uint32_t flip;
  } rows[] = {
      {SIM_82571EB, 0x3828, 1U << 22}, {SIM_82571EB, 0x3840, 1U << 23}, {SIM_82571EB, 0x3840, 1U << 27},
      {SIM_82571EB, 0x3940, 1U << 22}, {SIM_82571EB, 0x3940, 1U << 28}, {SIM_82571EB, 0x3940, 1U << 29},
      {SIM_82571EB, 0x18, 1U << 19},   {SIM_82571EB, 0x1100, 1U << 0},  {SIM_82571EB, 0x5008, 1U << 16},
      {SIM_82572EI, 0x3840, 1U << 26}, {SIM_82572EI, 0x18, 1U << 28},   {SIM_82573L, 0x0, 1U << 29},
      {SIM_82573L, 0x18, 1U << 22},    {SIM_82573L, 0x18, 1U << 23},    {SIM_82573L, 0x3840, 1U << 27},
      {SIM_82573L, 0x5008, 1U << 17},  {SIM_82573L, 0x5B00, 1U << 27},  {SIM_82573L, 0x5B50, 1U << 3},
      {SIM_82583V, 0x3840, 1U << 26},  {SIM_82583V, 0x5B00, 1U << 22},  {SIM_82583V, 0x5B64, 1U << 0},
      {SIM_82583V, 0x5008, 1U << 12},  {SIM_82583V, 0x18, 1U << 28},    {SIM_82583V, 0x0, 1U << 29},
  };
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct sim_config config = unit_config(rows[i].device);
    struct bench bench;
    create(&bench, &config);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    unit_check(bench.sim, bench.dev);
    const struct net_platform *platform = sim_platform(bench.sim);
    uint32_t tctl = sim_peek(bench.sim, 0x400);
    sim_poke(bench.sim, rows[i].offset, sim_peek(bench.sim, rows[i].offset) ^ rows[i].flip);
    platform->write32(platform->ctx, 0, 0x400, tctl);
    assert_true(sim_violations(bench.sim) > 0);
    netdev_destroy(bench.dev);
    sim_destroy(bench.sim);
  }
}

/* The 82583 is an 82574 without MSI-X, and without its registers; those of a line of its own it has. */
static void test_interrupts(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    struct bench bench;
    create(&bench, &config);
    assert_int_equal(netdev_open(bench.dev), NETDEV_OK);
    int expected = devices[i] == SIM_82574L ? NETDEV_OK : NETDEV_E_UNSUPPORTED;
    assert_int_equal(netdev_irq_enable(bench.dev, NETDEV_IRQ_MSIX, 0), expected);
    assert_int_equal(netdev_irq_enable(bench.dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
    unit_check(bench.sim, bench.dev);
    (void)netdev_irq_handle(bench.dev);
    netdev_irq_rearm(bench.dev);
    uint8_t frame[60];
    unit_frame(frame, sizeof(frame), unit_mac, 1);
    assert_int_equal(sim_inject(bench.sim, frame, sizeof(frame)), SIM_DELIVERED);
    assert_true(sim_interrupt(bench.sim));
    assert_true(netdev_irq_handle(bench.dev));
    assert_false(sim_interrupt(bench.sim));
    assert_false(netdev_irq_handle(bench.dev));
    end(&bench);
  }
}

/* The registers that a part has are those that the simulator has, and no other is read. */
struct seen {
  const char *wanted;
  uint32_t rows;
};

static void see(void *ctx, const struct netdev_row *row) {
  struct seen *seen = ctx;
  seen->rows += strcmp(row->name, seen->wanted) == 0;
}

static uint32_t rows_of(struct netdev *dev, const char *name) {
  struct seen seen = {.wanted = name};
  assert_int_equal(netdev_inspect(dev, NETDEV_ROWS_REGISTERS | NETDEV_ROWS_CLEARING, see, &seen), NETDEV_OK);
  return seen.rows;
}

static void test_registers(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct sim_config config = unit_config(devices[i]);
    struct bench bench;
    create(&bench, &config);
    assert_int_equal(rows_of(bench.dev, "CTRL"), 1);
    assert_int_equal(rows_of(bench.dev, "IVAR"), devices[i] == SIM_82574L);
    assert_int_equal(rows_of(bench.dev, "CTRL_DUP"), devices[i] == SIM_82546GB);
    assert_int_equal(rows_of(bench.dev, "PBA_ECC"), devices[i] == SIM_82571EB);
    bool pch = devices[i] == SIM_82579LM;
    assert_int_equal(rows_of(bench.dev, "MTA"), pch ? 32 : 128);
    assert_int_equal(rows_of(bench.dev, "VFTA"), pch ? 0 : 128);
    assert_int_equal(rows_of(bench.dev, "EERD"), !pch);
    unit_check(bench.sim, bench.dev);
    end(&bench);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_table),
      cmocka_unit_test(test_every_model),
      cmocka_unit_test(test_how_it_is_reset),
      cmocka_unit_test(test_flash),
      cmocka_unit_test(test_eeprom_is_let_go),
      cmocka_unit_test(test_second_port),
      cmocka_unit_test(test_one_port),
      cmocka_unit_test(test_other_port_is_reset),
      cmocka_unit_test(test_swsm),
      cmocka_unit_test(test_leftover_semaphores),
      cmocka_unit_test(test_phy_is_configured_first),
      cmocka_unit_test(test_in_charge),
      cmocka_unit_test(test_demands_are_looked_at),
      cmocka_unit_test(test_interrupts),
      cmocka_unit_test(test_registers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
