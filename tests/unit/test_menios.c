/* test_menios.c - the menios glue over stubs of menios' interfaces and simulated NICs. */
#include "handoff.h"
#include "unit.h"

#include "../menios/stubs.h"

#define FRAME_LENGTH    100U
#define COMMAND_ENABLED 0x0007U /* I/O and memory space, bus mastering, INTx not disabled */
#define EFI_SIGNATURE   0x5453595320494249ULL
#define EFI_ENTRY_COUNT 13U /* where they are in the EFI system table, in 64-bit words */
#define EFI_ENTRIES     14U
#define BUDGET          64U

static struct unit_client received;
static struct netdev *receiver_dev;
static bool answering;

/* Every frame that comes carries the next number; some are answered from where they are received. */
static void receive(struct netdev *dev, const struct netdev_frame *frame) {
  uint8_t expected[FRAME_LENGTH];
  assert_true(stub.locked);
  unit_frame(expected, sizeof(expected), unit_mac, received.received + 1);
  assert_int_equal(frame->length, sizeof(expected));
  assert_memory_equal(frame->data, expected, sizeof(expected));
  received.received++;
  receiver_dev = dev;
  if(answering) {
    assert_int_equal(netdev_transmit(dev, frame->data, frame->length, NULL, 0), NETDEV_OK);
  }
}

static int set_up(void **state) {
  (void)state;
  e1000_menios_shutdown(); /* what a test that failed has left */
  memset(&received, 0, sizeof(received));
  receiver_dev = NULL;
  answering = false;
  stub_begin();
  e1000_menios_set_receiver(receive);
  return 0;
}

static void inject(struct stub_nic *nic, uint32_t number) {
  uint8_t frame[FRAME_LENGTH];
  unit_frame(frame, sizeof(frame), unit_mac, number);
  assert_int_equal(sim_inject(nic->sim, frame, sizeof(frame)), SIM_DELIVERED);
}

static void assert_logged(const char *text) {
  if(!strstr(stub.log, text)) {
    fail_msg("\"%s\" is not in:\n%s", text, stub.log);
  }
}

static bool is_unmasked(const struct stub_nic *nic) {
  return (sim_peek(nic->sim, E1000_IMS) & E1000_CAUSE_RXT0) != 0;
}

/* Starts what the configuration promises, and shows that frames come in by interrupts. */
static void expect_traffic(struct stub_nic *nic) {
  uint32_t before = received.received;
  assert_true(is_unmasked(nic));
  assert_true(stub_interrupt(nic, 0)); /* the one that it raised itself */
  inject(nic, before + 1);
  assert_int_equal(received.received, before);
  assert_true(stub_interrupt(nic, E1000_CAUSE_RXT0));
  assert_int_equal(received.received, before + 1);
  assert_true(is_unmasked(nic));
}

static void test_no_nic(void **state) {
  (void)state;
  assert_int_equal(e1000_init(), 0);
  assert_false(e1000_menios_poll());
  assert_int_equal(stub.kmallocs, 0);
  stub_end();
}

static void test_fresh(void **state) {
  (void)state;
  static const uint16_t ids[] = {SIM_82540EM, SIM_82544GC, SIM_82545EM, SIM_82574L};
  for(size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
    ahci_controller_t without_interrupt = {.gsi = STUB_LINE};
    set_up(NULL);
    struct stub_nic *nic = stub_add_nic(ids[i]);
    stub.ahci = &without_interrupt;
    e1000_menios_early();
    assert_logged("not started by EFI");
    assert_int_equal(e1000_init(), 1);
    assert_int_equal(nic->config[1], COMMAND_ENABLED);
    assert_logged("net: eth0: 8");
    assert_logged("52:54:00:a1:b2:c3, started afresh");
    assert_logged("eth0: interrupts on line 11");
    assert_int_equal(sim_io_writes(nic->sim) > 0, ids[i] != SIM_82574L); /* the reset, through the I/O BAR */
    expect_traffic(nic);
    assert_ptr_equal(receiver_dev, netdev_next(NULL));
    assert_false(nic->handler(nic->handler_ctx)); /* somebody else's on the same line */
    e1000_menios_shutdown();
    assert_null(netdev_next(NULL));
    assert_int_equal(nic->config[1], 0x0400U);
    stub_end();
  }
}

static void test_transmit(void **state) {
  (void)state;
  struct stub_nic *nic = stub_add_nic(SIM_82574L);
  uint8_t frame[FRAME_LENGTH];
  size_t length;
  assert_int_equal(e1000_init(), 1);
  unit_frame(frame, sizeof(frame), unit_mac, 7);
  assert_int_equal(e1000_menios_transmit(netdev_next(NULL), frame, sizeof(frame)), NETDEV_OK);
  assert_int_equal(e1000_menios_transmit(netdev_next(NULL), frame, 13), NETDEV_E_INVALID);
  assert_false(stub.locked);
  assert_int_equal(sim_frames(nic->sim), 1);
  const uint8_t *sent = sim_frame(nic->sim, 0, &length);
  assert_int_equal(length, sizeof(frame));
  assert_memory_equal(sent, frame, sizeof(frame));

  answering = true;
  expect_traffic(nic);
  assert_int_equal(sim_frames(nic->sim), 2);
  e1000_menios_set_receiver(NULL); /* dropped, and nothing else */
  inject(nic, 1);
  assert_true(stub_interrupt(nic, E1000_CAUSE_RXT0));
  assert_int_equal(received.received, 1);
  stub_end();
}

/* Handoff -------------------------------------------------------------------------------------------------------- */

/* What the firmware leaves: a running NIC, and tables that lead to it. */
struct firmware {
  struct netdev *dev;
  struct net_handoff_image table;
  struct kernel_efi_entry entry[2];
  uint64_t efi[15];
};

static void leave(struct firmware *firmware, struct stub_nic *nic) {
  static const uint8_t guid[16] = {0xD4, 0x51, 0x2C, 0x9F, 0x1B, 0x6A, 0x0E, 0x4E,
                                   0x8D, 0x57, 0x31, 0xC0, 0xA7, 0xE4, 0xB9, 0x62};
  struct net_handoff_image *table = &firmware->table;
  memset(firmware, 0, sizeof(*firmware));
  assert_int_equal(unit_create(nic->sim, 16, 16, &firmware->dev), NETDEV_OK);
  assert_int_equal(netdev_open(firmware->dev), NETDEV_OK);
  inject(nic, 1); /* which the firmware never looks at */
  net_handoff_init(table);
  struct net_handoff_nic *entry = net_handoff_add(table, NET_HANDOFF_BLOCK_E1000, NET_HANDOFF_E1000_SIZE_2_0);
  entry->pci_device = (uint8_t)(nic - stub.nic);
  entry->vendor_id = E1000_VENDOR_ID;
  entry->device_id = sim_knobs(nic->sim)->device_id;
  entry->flags = NET_HANDOFF_PATH_KNOWN;
  entry->bar[0] = (struct net_handoff_bar){
      .processor = nic->config[4], .bus = nic->config[4], .size = E1000_BAR0_MIN_SIZE, .flags = NET_HANDOFF_BAR_MEMORY};
  assert_true(netdev_handoff_leave(firmware->dev, true, entry, table->block[0]));
  entry->state = NET_HANDOFF_LIVE;
  net_handoff_seal(table);
  memcpy(firmware->entry[1].guid, guid, sizeof(guid));
  firmware->entry[1].table = (uintptr_t)table;
  firmware->efi[0] = EFI_SIGNATURE;
  firmware->efi[EFI_ENTRY_COUNT] = 2;
  firmware->efi[EFI_ENTRIES] = (uintptr_t)firmware->entry;
  nic->config[1] = COMMAND_ENABLED;
  sim_forget_accesses(nic->sim);
  inject(nic, 2); /* while menios boots */
}

static void end_with(struct firmware *firmware) {
  e1000_menios_shutdown();
  netdev_destroy(firmware->dev);
  stub_end();
}

/* Limine may show every address as it is or through the direct map. */
static void test_adopted(void **state) {
  (void)state;
  for(uint32_t mapped = 0; mapped < 8; mapped++) {
    struct firmware firmware;
    set_up(NULL);
    struct stub_nic *nic = stub_add_nic(mapped % 2 ? SIM_82574L : SIM_82540EM);
    leave(&firmware, nic);
    firmware.entry[1].table += mapped & 1 ? STUB_DIRECT_MAP : 0;
    firmware.efi[EFI_ENTRIES] += mapped & 2 ? STUB_DIRECT_MAP : 0;
    stub_answer_limine((uintptr_t)firmware.efi + (mapped & 4 ? STUB_DIRECT_MAP : 0));
    e1000_menios_early();
    assert_logged("the firmware left a handoff");
    assert_int_equal(e1000_init(), 1);
    assert_logged("adopted from the firmware");
    assert_int_equal(firmware.table.nic[0].state, NET_HANDOFF_ADOPTED);
    assert_int_equal(sim_writes_of(nic->sim, E1000_CTRL), 0);
    assert_int_equal(sim_io_writes(nic->sim), 0);
    assert_int_equal(nic->commands, 0);   /* a NIC that is left running is not sized */
    assert_int_equal(stub.dma_allocs, 0); /* the rings are the firmware's */
    assert_int_equal(received.received, 0);
    assert_true(stub_interrupt(nic, 0));
    assert_int_equal(received.received, 2);
    inject(nic, 3);
    assert_true(stub_interrupt(nic, E1000_CAUSE_RXT0));
    assert_int_equal(received.received, 3);
    end_with(&firmware);
  }
}

/* A handoff that is not to be believed, or cannot be found, ends in a fresh start and never in a dead NIC. */
static void expect_fresh_after(void (*spoil)(struct firmware *firmware), const char *log) {
  struct firmware firmware;
  set_up(NULL);
  struct stub_nic *nic = stub_add_nic(SIM_82540EM);
  leave(&firmware, nic);
  stub_answer_limine((uintptr_t)firmware.efi);
  spoil(&firmware);
  e1000_menios_early();
  assert_int_equal(e1000_init(), 1);
  assert_logged(log);
  assert_logged("started afresh");
  expect_traffic(nic);
  end_with(&firmware);
}

static void spoil_crc(struct firmware *firmware) {
  firmware->table.nic[0].statistics.rx_frames++;
}

static void spoil_ring(struct firmware *firmware) {
  ((struct net_handoff_e1000 *)firmware->table.block[0])->rx.descriptors_device += 4096;
  net_handoff_seal(&firmware->table);
}

static void spoil_place(struct firmware *firmware) {
  firmware->table.nic[0].pci_device ^= 8;
  net_handoff_seal(&firmware->table);
}

static void spoil_signature(struct firmware *firmware) {
  firmware->efi[0] ^= 1;
}

static void spoil_count(struct firmware *firmware) {
  firmware->efi[EFI_ENTRY_COUNT] = UINT64_MAX / 24;
}

static void spoil_guid(struct firmware *firmware) {
  firmware->entry[1].guid[0] ^= 1;
}

static void test_handoffs_not_to_be_believed(void **state) {
  (void)state;
  expect_fresh_after(spoil_crc, "no handoff to go on from");
  expect_fresh_after(spoil_ring, "RDBAL differs");
  expect_fresh_after(spoil_place, "no handoff to go on from");
  expect_fresh_after(spoil_signature, "the EFI system table cannot be read");
  expect_fresh_after(spoil_count, "the EFI system table cannot be read");
  expect_fresh_after(spoil_guid, "the firmware left no handoff");
}

/* Failures ------------------------------------------------------------------------------------------------------- */

/* One allocation fails: the NIC comes up all the same, or nothing is left of the attempt and the next one works. */
static bool fails_cleanly(bool handoff, uint32_t fail_kmalloc_at, uint32_t fail_dma_at) {
  struct firmware firmware;
  set_up(NULL);
  struct stub_nic *nic = stub_add_nic(SIM_82574L);
  if(handoff) {
    leave(&firmware, nic);
    stub_answer_limine((uintptr_t)firmware.efi);
    e1000_menios_early();
  }
  uint32_t command = nic->config[1];
  stub.fail_kmalloc_at = fail_kmalloc_at;
  stub.fail_dma_at = fail_dma_at;
  int result = e1000_init();
  bool happened = stub.kmallocs >= fail_kmalloc_at && stub.dma_allocs >= fail_dma_at;
  if(happened && result != 1) {
    assert_int_equal(result, NETDEV_E_NO_MEMORY);
    assert_logged("does not start: ");
    assert_int_equal(stub.kmallocs_live, 0);
    assert_int_equal(nic->config[1], command);
    assert_null(netdev_next(NULL));
    assert_null(nic->handler);
    assert_int_equal(e1000_init(), 1);
  }
  assert_int_equal(stub_interrupt(nic, 0), true);
  if(handoff) {
    end_with(&firmware);
  } else {
    stub_end();
  }
  return happened;
}

static void test_every_allocation_fails_once(void **state) {
  (void)state;
  for(uint32_t handoff = 0; handoff < 2; handoff++) {
    uint32_t kmallocs = 0;
    while(fails_cleanly(handoff, kmallocs + 1, 0)) {
      kmallocs++;
    }
    assert_true(kmallocs >= 2);
  }
  for(uint32_t dma_allocs = 1; fails_cleanly(false, 0, dma_allocs); dma_allocs++) {
  }
}

static void test_device_that_is_gone(void **state) {
  (void)state;
  struct stub_nic *nic = stub_add_nic(SIM_82540EM);
  sim_knobs(nic->sim)->gone = true;
  assert_true(e1000_init() < 0);
  assert_int_equal(nic->config[1], 0x0400U);
  sim_knobs(nic->sim)->gone = false;
  assert_int_equal(e1000_init(), 1);
  sim_knobs(nic->sim)->gone = true;
  assert_false(nic->handler(nic->handler_ctx));
  (void)e1000_menios_poll();
  stub_end();
}

/* BARs ----------------------------------------------------------------------------------------------------------- */

static void test_bars(void **state) {
  (void)state;
  struct stub_nic *nic = stub_add_nic(SIM_82545EM);
  nic->bar_size = 0x10000U;
  assert_int_equal(e1000_init(), NETDEV_E_UNSUPPORTED); /* not this family's */
  nic->bar_size = E1000_BAR0_MIN_SIZE;
  nic->config[4] = 0xC001U;
  assert_int_equal(e1000_init(), NETDEV_E_UNSUPPORTED); /* I/O space */
  nic->config[4] = 0;
  assert_int_equal(e1000_init(), NETDEV_E_UNSUPPORTED); /* no address */

  /* 64 bits wide and above what Limine maps, with an upper half that looks like an I/O BAR. */
  nic->config[4] = 0x80000004U;
  nic->config[5] = 0x00000001U;
  nic->config[1] = 0x0402U; /* decoding: it has to be off while BARs are written */
  stub.direct_map_end = 0x100000000ULL;
  stub.map_fails = true;
  assert_int_equal(e1000_init(), NETDEV_E_UNSUPPORTED);
  stub.map_fails = false;
  stub.pages_mapped = 0;
  assert_int_equal(e1000_init(), 1);
  assert_int_equal(stub.pages_mapped, E1000_BAR0_MIN_SIZE / 4096U);
  assert_int_equal(nic->config[4], 0x80000004U);
  assert_int_equal(nic->config[5], 0x00000001U);
  assert_int_equal(nic->config[1], COMMAND_ENABLED);
  assert_int_equal(nic->decoding_off, 3); /* sized twice, and given back as it was once */
  assert_true(sim_io_writes(nic->sim) > 0);
  stub_end();
}

/* Interrupts ----------------------------------------------------------------------------------------------------- */

static void expect_polling(struct stub_nic *nic) {
  assert_int_equal(e1000_init(), 1);
  assert_logged("polling");
  assert_null(nic->handler);
  inject(nic, 1);
  (void)e1000_menios_poll();
  assert_int_equal(received.received, 1);
  sim_advance(nic->sim, 1000000);
  stub.now_ns += 1000000000;
  (void)e1000_menios_poll();
  assert_int_equal(sim_peek(nic->sim, E1000_IMS), 0);
  stub_end();
}

static void test_polling(void **state) {
  (void)state;
  struct stub_nic *nic = stub_add_nic(SIM_82540EM);
  nic->config[15] = STUB_LINE; /* no pin */
  expect_polling(nic);

  set_up(NULL);
  nic = stub_add_nic(SIM_82540EM);
  nic->config[15] = 0x01FFU; /* no line */
  expect_polling(nic);

  set_up(NULL);
  nic = stub_add_nic(SIM_82540EM);
  stub.irq_result = -5; /* no I/O APIC input */
  expect_polling(nic);

  set_up(NULL);
  nic = stub_add_nic(SIM_82540EM);
  ahci_controller_t ahci = {.gsi = STUB_LINE, .irq_configured = true};
  stub.ahci = &ahci; /* AHCI's, which irq_register would take from it */
  expect_polling(nic);
}

/* More frames than an interrupt may handle: it hands on a budget; the idle loop goes on. */
static void test_budget(void **state) {
  (void)state;
  struct stub_nic *nic = stub_add_nic(SIM_82574L);
  assert_int_equal(e1000_init(), 1);
  assert_true(stub_interrupt(nic, 0));
  for(uint32_t i = 1; i <= 2 * BUDGET + 10; i++) {
    inject(nic, i);
  }
  assert_true(stub_interrupt(nic, E1000_CAUSE_RXT0));
  assert_int_equal(received.received, BUDGET);
  assert_false(is_unmasked(nic)); /* nothing interrupts the idle loop, which goes on with them */
  assert_true(e1000_menios_poll());
  assert_int_equal(received.received, 2 * BUDGET);
  assert_false(e1000_menios_poll()); /* it may sleep: the next frame interrupts */
  assert_int_equal(received.received, 2 * BUDGET + 10);
  assert_true(is_unmasked(nic));
  inject(nic, 2 * BUDGET + 11);
  assert_true(stub_interrupt(nic, E1000_CAUSE_RXT0));
  assert_int_equal(received.received, 2 * BUDGET + 11);
  stub_end();
}

/* The heartbeat sees the link, and unmasks what a recovery has masked. */
static void test_heartbeat(void **state) {
  (void)state;
  struct stub_nic *nic = stub_add_nic(SIM_82540EM);
  assert_int_equal(e1000_init(), 1);
  (void)e1000_menios_poll();
  sim_knobs(nic->sim)->link_down = true;
  (void)e1000_menios_poll(); /* too early */
  assert_null(strstr(stub.log, "link down"));
  sim_poke(nic->sim, E1000_IMS, 0);
  sim_advance(nic->sim, 1000000);
  stub.now_ns += 1000000000;
  (void)e1000_menios_poll();
  assert_logged("link down");
  assert_true(is_unmasked(nic));
  stub_end();
}

static void test_two_nics(void **state) {
  (void)state;
  struct stub_nic *first = stub_add_nic(SIM_82540EM);
  struct stub_nic *second = stub_add_nic(SIM_82574L);
  assert_int_equal(e1000_init(), 2);
  assert_int_equal(e1000_init(), 2);
  assert_logged("eth0: 82540EM");
  assert_logged("eth1: 82574L");
  expect_traffic(second);
  expect_traffic(first);
  inject(first, 3);
  assert_false(stub_interrupt(second, 0)); /* the line is shared: not its own */
  assert_true(stub_interrupt(first, E1000_CAUSE_RXT0));
  assert_int_equal(received.received, 3);
  stub_end();
}

static void test_one_of_two_fails(void **state) {
  (void)state;
  struct stub_nic *first = stub_add_nic(SIM_82540EM);
  (void)stub_add_nic(SIM_82574L);
  first->config[4] = 0;
  assert_int_equal(e1000_init(), 1);
  assert_logged("0000:00:00.0 does not start");
  assert_logged("eth0: 82574L");
  stub_end();
}

/* Platform ------------------------------------------------------------------------------------------------------- */

static void test_registers(void **state) {
  (void)state;
  uint32_t registers[4] = {1, 2, 0x33221103, 4};
  struct menios_nic nic = {.registers = {(uint8_t *)registers}, .pci = {.bar = {(uintptr_t)registers}}};
  __real_menios_platform_init(&nic);
  const struct net_platform *platform = &nic.platform;
  assert_int_equal(platform->read32(&nic, 0, 8), 0x33221103);
  assert_int_equal(platform->read16(&nic, 0, 10), 0x3322);
  assert_int_equal(platform->read8(&nic, 0, 9), 0x11);
  platform->write32(&nic, 0, 12, 0x55555555);
  platform->write16(&nic, 0, 14, 0x6666);
  platform->write8(&nic, 0, 12, 0x77);
  assert_int_equal(registers[3], 0x66665577);
  for(uint32_t bar = 1; bar < NET_BAR_COUNT; bar++) {
    assert_int_equal(platform->bar[bar].kind, NET_BAR_NONE); /* no I/O BAR */
  }
}

/* A delay is never shorter than asked for, not even when menios guesses the clock's frequency too low by far. */
static void test_clock(void **state) {
  (void)state;
  struct menios_nic nic = {.dev = NULL};
  __real_menios_platform_init(&nic);
  for(uint32_t guessed = 0; guessed < 2; guessed++) {
    stub.tsc_hz = guessed ? 1000000000U : 3000000000U;
    uint64_t longer = guessed ? 5 : 1;
    uint64_t start_ns = stub.now_ns;
    nic.platform.delay_us(&nic, 100);
    assert_in_range(stub.now_ns - start_ns, 100000 * longer, 110000 * longer);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_no_nic, set_up),
      cmocka_unit_test_setup(test_fresh, set_up),
      cmocka_unit_test_setup(test_transmit, set_up),
      cmocka_unit_test_setup(test_adopted, set_up),
      cmocka_unit_test_setup(test_handoffs_not_to_be_believed, set_up),
      cmocka_unit_test_setup(test_every_allocation_fails_once, set_up),
      cmocka_unit_test_setup(test_device_that_is_gone, set_up),
      cmocka_unit_test_setup(test_bars, set_up),
      cmocka_unit_test_setup(test_polling, set_up),
      cmocka_unit_test_setup(test_budget, set_up),
      cmocka_unit_test_setup(test_heartbeat, set_up),
      cmocka_unit_test_setup(test_two_nics, set_up),
      cmocka_unit_test_setup(test_one_of_two_fails, set_up),
      cmocka_unit_test_setup(test_registers, set_up),
      cmocka_unit_test_setup(test_clock, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
