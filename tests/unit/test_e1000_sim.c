/* test_e1000_sim.c - the simulator's watch on its caller: every mistake is made once, past the driver,
 * and must show. */
#include "unit.h"

#define RING_BYTES 128U /* eight descriptors */
#define BUFFERS    4096U
#define RCTL_EN    0x00000002U
#define TCTL_EN    0x00000002U
#define NOWHERE    0x00000EEE00000000ULL

static void expect_mistake(const struct sim *sim, const char *text) {
  if(!strstr(sim_violation_text(sim), text)) {
    assert_string_equal(sim_violation_text(sim), text);
  }
  assert_true(sim_violations(sim) > 0);
}

/* Registers ------------------------------------------------------------------------------------------------------ */

enum act { READ, WRITE, IO_WRITE };

static const struct {
  const char *text;
  uint16_t device;
  struct {
    uint32_t offset;
    uint32_t value;
  } before[2];
  enum act act;
  uint32_t offset;
  uint32_t value;
} mistakes[] = {
    {"register offset not a multiple of 4", SIM_82540EM, {{0}}, READ, 2, 0},
    {"register offset beyond 128 KiB", SIM_82540EM, {{0}}, WRITE, 0x20000, 0},
    {"the I/O BAR used for something else", SIM_82540EM, {{0}}, IO_WRITE, E1000_TCTL, 0},
    {"read where this device has no register", SIM_82540EM, {{0}}, READ, E1000_IVAR, 0},
    {"write where this device has no register", SIM_82544GC, {{0}}, WRITE, E1000_EITR, 0},
    {"write where this device has no register", SIM_82574L, {{0}}, WRITE, E1000_SYMERRS, 0},
    {"ICS is write-only and was read", SIM_82540EM, {{0}}, READ, E1000_ICS, 0},
    {"IMC is write-only and was read", SIM_82574L, {{0}}, READ, E1000_IMC, 0},
    {"WUS is read-only and was written", SIM_82540EM, {{0}}, WRITE, E1000_WUS, 0},
    {"MPC is read-only and was written", SIM_82574L, {{0}}, WRITE, E1000_MPC, 0},
    {"CTRL was written with reserved bits", SIM_82574L, {{0}}, WRITE, E1000_CTRL, 1U << 14},
    {"RCTL was written with reserved bits", SIM_82540EM, {{0}}, WRITE, E1000_RCTL, 1U << 27},
    {"TCTL was written with reserved bits", SIM_82540EM, {{0}}, WRITE, E1000_TCTL, 1U << 28},
    {"IMS was written with reserved bits", SIM_82545EM, {{0}}, WRITE, E1000_IMS, E1000_CAUSE_82574_RXQ0},
    {"RAH was written with reserved bits", SIM_82574L, {{0}}, WRITE, E1000_RAH + 8U * 14U, 1U << 18},
    {"WUC is to be left alone", SIM_82540EM, {{0}}, WRITE, E1000_WUC, 0},
    {"WUFC is to be left alone", SIM_82574L, {{0}}, WRITE, E1000_WUFC, 0},
    {"RXCSUM is to be left alone", SIM_82545EM, {{0}}, WRITE, E1000_RXCSUM, 0},
    {"RAL is to be left alone", SIM_82540EM, {{0}}, WRITE, E1000_RAL + 8U * 15U, 0},
    {"RAH is to be left alone", SIM_82574L, {{0}}, WRITE, E1000_RAH + 8U * 15U, 0},
    {"MANC is to be left alone", SIM_82544GC, {{0}}, WRITE, E1000_MANC, 0},
    {"MANC is to be left alone", SIM_82574L, {{0}}, WRITE, E1000_MANC, 0},
    {"ITR is to be left alone", SIM_82544GC, {{0}}, WRITE, E1000_ITR, 0},
    {"RADV is to be left alone", SIM_82544GC, {{0}}, WRITE, E1000_RADV, 0},
    {"TADV is to be left alone", SIM_82544GC, {{0}}, WRITE, E1000_TADV, 0},
    {"TXDCTL is to be left alone", SIM_82544GC, {{0}}, WRITE, E1000_TXDCTL, 0},
    {"write where this device has no register", SIM_82583V, {{0}}, WRITE, E1000_EITR, 0},
    {"write where this device has no register", SIM_82579LM, {{0}}, WRITE, E1000_VFTA, 0},
    {"write where this device has no register", SIM_82579LM, {{0}}, WRITE, E1000_MTA + 4U * 32U, 0},
    {"read where this device has no register", SIM_82572EI, {{0}}, READ, E1000_PBA_ECC, 0},
    {"read where this device has no register", SIM_82546EB, {{0}}, READ, E1000_CTRL_DUP, 0},
    {"IMS was written with reserved bits", SIM_82583V, {{0}}, WRITE, E1000_IMS, E1000_CAUSE_82574_RXQ0},
    {"RAL is to be left alone", SIM_82579LM, {{0}}, WRITE, E1000_RAL + 8U, 0},
    {"TIPG is to be left alone", SIM_82579LM, {{0}}, WRITE, E1000_TIPG, 0},
    {"CTRL.RST in the wrong one", SIM_82546GB, {{0}}, WRITE, E1000_CTRL, E1000_CTRL_RST},
    {"CTRL.RST through the I/O BAR", SIM_82547GI, {{0}}, IO_WRITE, E1000_CTRL, E1000_CTRL_RST},
    {"CTRL.RST before the PHY", SIM_82547EI, {{0}}, WRITE, E1000_CTRL, E1000_CTRL_RST},
    {"CTRL.RST while the PHY is held", SIM_82547EI, {{0}}, WRITE, E1000_CTRL, E1000_CTRL_RST | E1000_CTRL_PHY_RST},
    {"CTRL.RST without the semaphore", SIM_82573L, {{0}}, WRITE, E1000_CTRL, E1000_CTRL_RST},
    {"CTRL.RST without the semaphore", SIM_82579LM, {{0}}, WRITE, E1000_CTRL, E1000_CTRL_RST},
    {"CTRL.PHY_RST of a PHY", SIM_82579LM, {{0}}, WRITE, E1000_CTRL, E1000_CTRL_PHY_RST},
    {"MDIC used without", SIM_82571EB, {{E1000_SWSM, E1000_SWSM_SMBI}}, WRITE, E1000_MDIC, E1000_MDIC_OP_READ},
    {"MDIC used without", SIM_82583V, {{0}}, WRITE, E1000_MDIC, E1000_MDIC_OP_READ},
    {"CTRL was written while the EEPROM is selected",
     SIM_82544GC,
     {{E1000_EECD, E1000_EECD_CS}},
     WRITE,
     E1000_CTRL,
     E1000_CTRL_SLU},
    {"EEPROM deselected with", SIM_82544GC, {{E1000_EECD, E1000_EECD_CS}}, WRITE, E1000_EECD, E1000_EECD_SK},
    {"EEPROM deselected with", SIM_82544GC, {{E1000_EECD, E1000_EECD_CS}}, WRITE, E1000_EECD, E1000_EECD_DI},
    {"CT and COLD not as",
     SIM_82540EM,
     {{E1000_TDLEN, RING_BYTES}},
     WRITE,
     E1000_TCTL,
     E1000_TCTL_RUN ^ 1U << E1000_TCTL_CT_SHIFT},
    {"CT and COLD not as",
     SIM_82574L,
     {{E1000_TDLEN, RING_BYTES}},
     WRITE,
     E1000_TCTL,
     E1000_TCTL_RUN ^ 1U << E1000_TCTL_COLD_SHIFT},
    {"RCTL: another buffer size",
     SIM_82540EM,
     {{E1000_RDLEN, RING_BYTES}, {E1000_RCTL, RCTL_EN}},
     WRITE,
     E1000_RCTL,
     RCTL_EN | 1U << 16},
    {"RCTL: another buffer size",
     SIM_82574L,
     {{E1000_RDLEN, RING_BYTES}, {E1000_RCTL, RCTL_EN}},
     WRITE,
     E1000_RCTL,
     RCTL_EN | E1000_RCTL_BSEX},
    {"RCTL.EN set without a ring", SIM_82540EM, {{0}}, WRITE, E1000_RCTL, RCTL_EN},
    {"TCTL.EN set without a ring", SIM_82540EM, {{0}}, WRITE, E1000_TCTL, E1000_TCTL_RUN},
    {"PBA written while", SIM_82540EM, {{E1000_RCTL, RCTL_EN}}, WRITE, E1000_PBA, 48},
    {"PBA written while", SIM_82540EM, {{E1000_TCTL, TCTL_EN}}, WRITE, E1000_PBA, 48},
    {"written while the ring runs", SIM_82540EM, {{E1000_RCTL, RCTL_EN}}, WRITE, E1000_RDH, 0},
    {"written while the ring runs", SIM_82540EM, {{E1000_TCTL, TCTL_EN}}, WRITE, E1000_TDBAH, 0},
    {"ring base not 16-byte aligned", SIM_82540EM, {{0}}, WRITE, E1000_TDBAL, 8},
    {"ring length not a multiple of 128", SIM_82540EM, {{0}}, WRITE, E1000_RDLEN, 64},
    {"RDT beyond the ring", SIM_82540EM, {{E1000_RDLEN, RING_BYTES}}, WRITE, E1000_RDT, 8},
    {"TDT beyond the ring", SIM_82540EM, {{E1000_TDLEN, RING_BYTES}}, WRITE, E1000_TDT, 8},
    {"RDT equals RDH", SIM_82540EM, {{E1000_RDLEN, RING_BYTES}, {E1000_RCTL, RCTL_EN}}, WRITE, E1000_RDT, 0},
};

static void access(struct sim *sim, enum act act, uint32_t offset, uint32_t value) {
  const struct net_platform *platform = sim_platform(sim);
  if(act == READ) {
    (void)platform->read32(sim, 0, offset);
  } else if(act == WRITE) {
    platform->write32(sim, 0, offset, value);
  } else {
    platform->write32(sim, 1, 0, offset);
    platform->write32(sim, 1, 4, value);
  }
}

static void test_registers(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
    struct sim_config config = unit_config(mistakes[i].device);
    struct sim *sim = sim_create(&config);
    for(size_t n = 0; n < 2; n++) {
      if(mistakes[i].before[n].offset) {
        sim_poke(sim, mistakes[i].before[n].offset, mistakes[i].before[n].value);
      }
    }
    access(sim, mistakes[i].act, mistakes[i].offset, mistakes[i].value);
    expect_mistake(sim, mistakes[i].text);
    assert_int_equal(sim_violations(sim), 1);
    sim_destroy(sim);
  }
}

static void test_no_access_while_it_resets(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82540EM);
  struct sim *sim = sim_create(&config);
  access(sim, IO_WRITE, E1000_CTRL, E1000_CTRL_RST);
  assert_string_equal(sim_violation_text(sim), "");
  access(sim, READ, E1000_CTRL, 0);
  expect_mistake(sim, "register access while the device resets itself");
  sim_destroy(sim);
}

/* What looks like a mistake and is none: reserved bits that are set already, ones that clear causes or mask everything,
 * and the self-test's write to STATUS. */
static void test_exceptions(void **state) {
  (void)state;
  struct sim_config config = unit_config(SIM_82540EM);
  struct sim *sim = sim_create(&config);
  sim_poke(sim, E1000_TCTL, 1U << 28);
  access(sim, WRITE, E1000_TCTL, 1U << 28);
  sim_poke(sim, E1000_ICR, 0xFFU);
  access(sim, WRITE, E1000_ICR, UINT32_MAX);
  assert_int_equal(sim_peek(sim, E1000_ICR), 0);
  access(sim, WRITE, E1000_IMC, UINT32_MAX);
  access(sim, WRITE, E1000_STATUS, 0);
  access(sim, WRITE, E1000_MANC, 0); /* of another part it would be one */
  access(sim, WRITE, E1000_RADV, 0);
  access(sim, WRITE, E1000_TADV, 0);
  access(sim, WRITE, E1000_TXDCTL, 0);
  assert_string_equal(sim_violation_text(sim), "");
  sim_destroy(sim);
}

/* What the 82544 does to its tables, and when it reads its NVM. The others, and QEMU's, do not. */
static void test_82544(void **state) {
  (void)state;
  static const uint32_t tables[] = {E1000_MTA, E1000_VFTA};
  for(int sound = 0; sound < 3; sound++) {
    struct sim_config config = unit_config(sound == 1 ? SIM_82545EM : SIM_82544GC);
    config.qemu = sound == 2;
    struct sim *sim = sim_create(&config);
    for(size_t i = 0; i < 2; i++) {
      access(sim, WRITE, tables[i] + 8U, 0x11111111U);
      access(sim, WRITE, tables[i] + 16U, 0x22222222U);
      access(sim, WRITE, tables[i] + 12U, 0x33333333U);
      assert_true((sim_peek(sim, tables[i] + 8U) == 0x11111111U) == (sound != 0));
      assert_int_equal(sim_peek(sim, tables[i] + 12U), 0x33333333U);
      assert_int_equal(sim_peek(sim, tables[i] + 16U), 0x22222222U);
    }
    assert_int_not_equal(sim_peek(sim, E1000_RAL), 0);
    sim_poke(sim, E1000_WUC, 3);
    access(sim, IO_WRITE, E1000_CTRL, E1000_CTRL_RST);
    sim_advance(sim, 10000);
    assert_int_equal(sim_peek(sim, E1000_WUC), 3);
    assert_true((sim_peek(sim, E1000_RAL) != 0) == (sound != 0));
    access(sim, WRITE, E1000_CTRL_EXT, E1000_CTRL_EXT_EE_RST);
    assert_int_equal(sim_peek(sim, E1000_CTRL_EXT), 0);
    assert_int_not_equal(sim_peek(sim, E1000_RAL), 0);
    assert_string_equal(sim_violation_text(sim), "");
    sim_destroy(sim);
  }
}

/* Memory --------------------------------------------------------------------------------------------------------- */

/* Two rings in memory of their own, programmed but off; all descriptors point to the one block of buffers. */
struct bench {
  struct sim *sim;
  const struct net_platform *platform;
  struct net_dma rx;
  struct net_dma tx;
  struct net_dma buffers;
  struct net_dma spare;
};

static void put_descriptors(const struct net_dma *ring, uint64_t address) {
  union e1000_descriptor *descriptor = ring->cpu;
  for(uint32_t i = 0; i < RING_BYTES / sizeof(*descriptor); i++) {
    descriptor[i].tx = (struct e1000_tx_descriptor){
        .address = address, .length = 60, .command = E1000_TXD_CMD_EOP | E1000_TXD_CMD_IFCS | E1000_TXD_CMD_RS};
  }
}

static void poke_ring(struct bench *bench, uint32_t base_low, uint64_t base, uint32_t tail) {
  sim_poke(bench->sim, base_low, (uint32_t)base);
  sim_poke(bench->sim, base_low + 4U, (uint32_t)(base >> 32));
  sim_poke(bench->sim, base_low + 8U, RING_BYTES);
  sim_poke(bench->sim, base_low + 0x18U, tail);
}

static void begin(struct bench *bench, uint16_t device_id) {
  struct sim_config config = unit_config(device_id);
  bench->sim = sim_create(&config);
  bench->platform = sim_platform(bench->sim);
  sim_poke(bench->sim, E1000_CTRL, E1000_CTRL_SLU);
  assert_int_equal(bench->platform->dma_alloc(bench->sim, RING_BYTES, 128, 64, &bench->rx), 0);
  assert_int_equal(bench->platform->dma_alloc(bench->sim, RING_BYTES, 128, 64, &bench->tx), 0);
  assert_int_equal(bench->platform->dma_alloc(bench->sim, BUFFERS, 4096, 64, &bench->buffers), 0);
  assert_int_equal(bench->platform->dma_alloc(bench->sim, BUFFERS, 4096, 64, &bench->spare), 0);
  put_descriptors(&bench->rx, bench->buffers.device);
  put_descriptors(&bench->tx, bench->buffers.device);
  poke_ring(bench, E1000_RDBAL, bench->rx.device, 7);
  poke_ring(bench, E1000_TDBAL, bench->tx.device, 0);
}

static void receive(struct bench *bench) {
  uint8_t frame[60] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  sim_poke(bench->sim, E1000_RCTL, RCTL_EN | E1000_RCTL_BAM);
  (void)sim_inject(bench->sim, frame, sizeof(frame));
}

static void transmit(struct bench *bench) {
  sim_poke(bench->sim, E1000_TCTL, TCTL_EN);
  access(bench->sim, WRITE, E1000_TDT, 1);
}

static void odd_alignment(struct bench *bench) {
  struct net_dma dma;
  (void)bench->platform->dma_alloc(bench->sim, 64, 3, 64, &dma);
}

static void free_with_another_size(struct bench *bench) {
  bench->platform->free(bench->sim, bench->platform->alloc(bench->sim, 64), 65);
}

static void free_of_the_stack(struct bench *bench) {
  bench->platform->free(bench->sim, bench, 64);
}

static void dma_free_with_another_size(struct bench *bench) {
  bench->spare.size++;
  bench->platform->dma_free(bench->sim, &bench->spare);
}

static void dma_free_twice(struct bench *bench) {
  bench->platform->dma_free(bench->sim, &bench->spare);
  bench->platform->dma_free(bench->sim, &bench->spare);
}

static void unmap_what_is_not_mapped(struct bench *bench) {
  sim_unmap(bench->sim, NOWHERE);
}

static void no_delay(struct bench *bench) {
  bench->platform->delay_us(bench->sim, 0);
}

static void newline(struct bench *bench) {
  bench->platform->log(bench->sim, NET_LOG_INFO, "text\n", 0);
}

static void ring_elsewhere(struct bench *bench) {
  poke_ring(bench, E1000_RDBAL, NOWHERE, 7);
  receive(bench);
}

static void receive_elsewhere(struct bench *bench) {
  put_descriptors(&bench->rx, NOWHERE);
  receive(bench);
}

static void receive_over_the_end(struct bench *bench) {
  put_descriptors(&bench->rx, bench->buffers.device + BUFFERS - 1024U);
  receive(bench);
}

static void transmit_elsewhere(struct bench *bench) {
  put_descriptors(&bench->tx, NOWHERE);
  transmit(bench);
}

static void transmit_without_fcs(struct bench *bench) {
  ((struct e1000_tx_descriptor *)bench->tx.cpu)->command = E1000_TXD_CMD_EOP;
  transmit(bench);
}

static void transmit_odd_end(struct bench *bench) {
  sim_knobs(bench->sim)->pcix = true;
  transmit(bench);
}

static void free_rx_ring(struct bench *bench) {
  receive(bench);
  bench->platform->dma_free(bench->sim, &bench->rx);
}

static void free_rx_buffers(struct bench *bench) {
  receive(bench);
  bench->platform->dma_free(bench->sim, &bench->buffers);
}

static void free_tx_ring(struct bench *bench) {
  transmit(bench);
  bench->platform->dma_free(bench->sim, &bench->tx);
}

static void free_tx_buffers(struct bench *bench) {
  sim_knobs(bench->sim)->tx_held = true;
  transmit(bench);
  bench->platform->dma_free(bench->sim, &bench->buffers);
}

static const struct {
  const char *text;
  void (*make)(struct bench *bench);
} blunders[] = {
    {"align is not a power of two", odd_alignment},
    {"free with another size", free_with_another_size},
    {"free of memory that is not allocated", free_of_the_stack},
    {"dma_free of something else", dma_free_with_another_size},
    {"dma_free of memory that is not allocated", dma_free_twice},
    {"unmap of memory that is not mapped", unmap_what_is_not_mapped},
    {"delay_us", no_delay},
    {"newline", newline},
    {"DMA: descriptor outside", ring_elsewhere},
    {"DMA: receive buffer outside", receive_elsewhere},
    {"DMA: receive buffer outside", receive_over_the_end},
    {"DMA: transmit buffer outside", transmit_elsewhere},
    {"not a legacy one with IFCS", transmit_without_fcs},
    {"where the 82544 hangs", transmit_odd_end},
    {"dma_free of the receive ring", free_rx_ring},
    {"dma_free of receive buffers", free_rx_buffers},
    {"dma_free of the transmit ring", free_tx_ring},
    {"dma_free of transmit buffers", free_tx_buffers},
};

static void test_memory(void **state) {
  (void)state;
  for(size_t i = 0; i < sizeof(blunders) / sizeof(blunders[0]); i++) {
    struct bench bench;
    begin(&bench, SIM_82544GC);
    blunders[i].make(&bench);
    expect_mistake(bench.sim, blunders[i].text);
    assert_int_equal(sim_violations(bench.sim), 1);
    sim_destroy(bench.sim);
  }
}

/* The same without a mistake: frames move, and what the device is done with, or has been stopped at, may be freed. */
static void test_no_mistake(void **state) {
  (void)state;
  struct bench bench;
  begin(&bench, SIM_82540EM);
  receive(&bench);
  transmit(&bench);
  assert_int_equal(sim_frames(bench.sim), 1);
  assert_int_equal(sim_peek(bench.sim, E1000_RDH), 1);
  access(bench.sim, WRITE, E1000_RCTL, 0);
  bench.platform->dma_free(bench.sim, &bench.buffers);
  bench.platform->dma_free(bench.sim, &bench.rx);
  access(bench.sim, WRITE, E1000_TCTL, 0);
  bench.platform->dma_free(bench.sim, &bench.tx);
  assert_string_equal(sim_violation_text(bench.sim), "");
  sim_destroy(bench.sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_registers),  cmocka_unit_test(test_no_access_while_it_resets),
      cmocka_unit_test(test_exceptions), cmocka_unit_test(test_memory),
      cmocka_unit_test(test_no_mistake), cmocka_unit_test(test_82544),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
