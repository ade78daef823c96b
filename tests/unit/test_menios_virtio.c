/* test_menios_virtio.c - the menios glue with virtio-net: BARs anywhere, a shared line, a device that was left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../menios/stubs.h"
#include "handoff.h"
#include "net/virtio_net.h"

#define FRAME_LENGTH     100U
#define COMMAND_ENABLED  0x0006U /* memory space, bus mastering, INTx not disabled */
#define COMMAND_INTX_OFF 0x0400U
#define EFI_SIGNATURE    0x5453595320494249ULL
#define EFI_ENTRY_COUNT  13U /* where they are in the EFI system table, in 64-bit words */
#define EFI_ENTRIES      14U
#define VENDOR_ID        0x1AF4U

static uint32_t received;

static void make_frame(uint8_t frame[FRAME_LENGTH], uint32_t number) {
  static const uint8_t header[14] = {0x52, 0x54, 0, 0xA1, 0xB2, 0xC3, 2, 0, 0, 0, 0, 1, 0x88, 0xB5};
  memset(frame, (int)number, FRAME_LENGTH);
  memcpy(frame, header, sizeof(header));
}

/* Every frame that comes carries the next number, and is answered. */
static void receive(struct netdev *dev, const struct netdev_frame *frame) {
  uint8_t expected[FRAME_LENGTH];
  assert_true(stub.locked);
  make_frame(expected, received + 1);
  assert_int_equal(frame->length, sizeof(expected));
  assert_memory_equal(frame->data, expected, sizeof(expected));
  received++;
  assert_int_equal(netdev_transmit(dev, frame->data, frame->length, NULL, 0), NETDEV_OK);
}

static int set_up(void **state) {
  (void)state;
  e1000_menios_shutdown(); /* what a test that failed has left */
  received = 0;
  stub_begin();
  e1000_menios_set_receiver(receive);
  return 0;
}

static struct virtio_sim_config config_of(uint16_t device_id, enum virtio_sim_layout layout) {
  return (struct virtio_sim_config){
      .device_id = device_id, .layout = layout, .mac = {0x52, 0x54, 0, 0xA1, 0xB2, 0xC3}, .master_ends = true};
}

static void inject(struct stub_nic *nic, uint32_t number) {
  uint8_t frame[FRAME_LENGTH];
  make_frame(frame, number);
  assert_int_equal(virtio_sim_inject(nic->virtio, frame, sizeof(frame)), SIM_DELIVERED);
}

static void assert_logged(const char *text) {
  if(!strstr(stub.log, text)) {
    fail_msg("\"%s\" is not in:\n%s", text, stub.log);
  }
}

/* A frame interrupts, is handed on and answered, and the line is low again. */
static void expect_traffic(struct stub_nic *nic) {
  uint32_t before = received;
  size_t sent = virtio_sim_frames(nic->virtio);
  inject(nic, before + 1);
  assert_int_equal(received, before);
  assert_true(stub_interrupt(nic, 0));
  assert_int_equal(received, before + 1);
  assert_int_equal(virtio_sim_frames(nic->virtio), sent + 1);
  while(virtio_sim_interrupt(nic->virtio)) { /* for the frame that was sent */
    assert_true(stub_interrupt(nic, 0));
  }
  assert_false(nic->handler(nic->handler_ctx)); /* somebody else's on the same line */
}

/* Its line was shut until there was somebody to answer for it. */
static void expect_line_opened_last(const struct stub_nic *nic) {
  assert_int_equal(nic->command_at_register & COMMAND_INTX_OFF, COMMAND_INTX_OFF);
  assert_int_equal(stub_command(nic) & COMMAND_INTX_OFF, 0);
}

static void test_fresh(void **state) {
  (void)state;
  static const struct {
    uint16_t device_id;
    enum virtio_sim_layout layout;
    uint32_t pages; /* above 4 GiB: all of the BARs of 64 bits */
  } rows[] = {
      {VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_QEMU, 4}, {VIRTIO_SIM_TRANSITIONAL, VIRTIO_SIM_LAYOUT_QEMU, 4},
      {VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_BAR0, 1}, {VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_APART, 1},
      {VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_ODD, 4},
  };
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    set_up(NULL);
    const struct virtio_sim_config config = config_of(rows[i].device_id, rows[i].layout);
    struct stub_nic *nic = stub_add_virtio(&config);
    uint32_t bars[6];
    memcpy(bars, &nic->config[4], sizeof(bars));
    stub.direct_map_end = 0x100000000ULL;
    assert_int_equal(e1000_init(), 1);
    assert_int_equal(stub.pages_mapped, rows[i].pages);
    assert_memory_equal(bars, &nic->config[4], sizeof(bars)); /* sized, and put back */
    assert_logged("net: eth0: virtio-net, 52:54:00:a1:b2:c3, started afresh");
    assert_logged("eth0: interrupts on line 11");
    bool ports = rows[i].device_id == VIRTIO_SIM_TRANSITIONAL;
    assert_int_equal(stub_command(nic), COMMAND_ENABLED | (ports ? 1U : 0U));
    expect_line_opened_last(nic);
    for(uint32_t frame = 0; frame < 3; frame++) {
      expect_traffic(nic);
    }
    e1000_menios_shutdown();
    assert_int_equal(virtio_sim_status(nic->virtio), 0);
    assert_int_equal(stub_command(nic), COMMAND_INTX_OFF);
    stub_end();
  }
}

static void test_structures_out_of_reach(void **state) {
  (void)state;
  const struct virtio_sim_config config = config_of(VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_QEMU);
  struct stub_nic *nic = stub_add_virtio(&config);
  stub.direct_map_end = 0x100000000ULL;
  stub.map_fails = true;
  assert_int_equal(e1000_init(), NETDEV_E_UNSUPPORTED);
  assert_logged("does not start");
  assert_int_equal(stub_command(nic), COMMAND_INTX_OFF);
  stub.map_fails = false;
  assert_int_equal(e1000_init(), 1);
  expect_traffic(nic);
  stub_end();
}

static void test_polled(void **state) {
  (void)state;
  const struct virtio_sim_config config = config_of(VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_QEMU);
  struct stub_nic *nic = stub_add_virtio(&config);
  stub.irq_result = -5; /* no I/O APIC input */
  assert_int_equal(e1000_init(), 1);
  assert_logged("polling");
  inject(nic, 1);
  assert_false(virtio_sim_interrupt(nic->virtio)); /* nobody would answer */
  (void)e1000_menios_poll();
  assert_int_equal(received, 1);
  stub_end();
}

static void test_beside_an_e1000(void **state) {
  (void)state;
  const struct virtio_sim_config config = config_of(VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_QEMU);
  struct stub_nic *virtio = stub_add_virtio(&config);
  (void)stub_add_nic(SIM_82574L);
  assert_int_equal(e1000_init(), 2);
  assert_logged("eth0: virtio-net");
  assert_logged("eth1: 82574L");
  expect_traffic(virtio);
  stub_end();
}

/* Handoff -------------------------------------------------------------------------------------------------------- */

/* What the firmware leaves: a running device, and tables that lead to it. */
struct firmware {
  struct netdev *dev;
  struct net_handoff_image table;
  struct kernel_efi_entry entry;
  uint64_t efi[15];
};

static void fill_place(struct net_handoff_nic *entry, const struct stub_nic *nic) {
  const struct net_platform *platform = stub_platform(nic);
  entry->pci_device = (uint8_t)(nic - stub.nic);
  entry->vendor_id = VENDOR_ID;
  entry->device_id = virtio_sim_knobs(nic->virtio)->device_id;
  entry->flags = NET_HANDOFF_PATH_KNOWN;
  for(uint32_t i = 0; i < NET_HANDOFF_BARS; i++) {
    uint32_t low = nic->config[4U + i];
    if(platform->bar[i].kind != NET_BAR_MEMORY) {
      continue;
    }
    bool wide = (low & 4U) != 0;
    uint64_t address = (low & ~15ULL) | (wide ? (uint64_t)nic->config[5U + i] << 32 : 0);
    entry->bar[i] = (struct net_handoff_bar){.processor = address,
                                             .bus = address,
                                             .size = platform->bar[i].size,
                                             .flags = NET_HANDOFF_BAR_MEMORY | (wide ? NET_HANDOFF_BAR_64BIT : 0)};
  }
}

static void leave(struct firmware *firmware, struct stub_nic *nic, bool live) {
  static const uint8_t guid[16] = {0xD4, 0x51, 0x2C, 0x9F, 0x1B, 0x6A, 0x0E, 0x4E,
                                   0x8D, 0x57, 0x31, 0xC0, 0xA7, 0xE4, 0xB9, 0x62};
  const struct net_config config = {
      .id = {.vendor_id = VENDOR_ID, .device_id = virtio_sim_knobs(nic->virtio)->device_id},
      .tx_descriptors = 16,
      .rx_descriptors = 16};
  struct net_handoff_image *table = &firmware->table;
  memset(firmware, 0, sizeof(*firmware));
  stub_platform(nic)->config_write(nic->virtio, 4, 2, COMMAND_ENABLED);
  assert_int_equal(virtio_net_driver.create(stub_platform(nic), &config, &firmware->dev), NETDEV_OK);
  assert_int_equal(netdev_open(firmware->dev), NETDEV_OK);
  if(live) {
    inject(nic, 1); /* which the firmware never looks at */
  }
  net_handoff_init(table);
  struct net_handoff_nic *entry =
      net_handoff_add(table, virtio_net_driver.handoff_kind, virtio_net_driver.handoff_size);
  fill_place(entry, nic);
  assert_true(netdev_handoff_leave(firmware->dev, live, entry, table->block[0]));
  entry->state = live ? NET_HANDOFF_LIVE : NET_HANDOFF_QUIET;
  net_handoff_seal(table);
  memcpy(firmware->entry.guid, guid, sizeof(guid));
  firmware->entry.table = (uintptr_t)table;
  firmware->efi[0] = EFI_SIGNATURE;
  firmware->efi[EFI_ENTRY_COUNT] = 1;
  firmware->efi[EFI_ENTRIES] = (uintptr_t)&firmware->entry;
  stub_answer_limine((uintptr_t)firmware->efi);
}

static void end_with(struct firmware *firmware) {
  e1000_menios_shutdown();
  netdev_destroy(firmware->dev);
  stub_end();
}

/* Nothing that would disturb a running device: no reset, no sizing, no command register but for bit 10, last. */
static void test_adopted(void **state) {
  (void)state;
  for(int live = 0; live <= 1; live++) {
    struct firmware firmware;
    set_up(NULL);
    const struct virtio_sim_config config = config_of(VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_QEMU);
    struct stub_nic *nic = stub_add_virtio(&config);
    leave(&firmware, nic, live != 0);
    if(live) {
      inject(nic, 2); /* while menios boots */
    }
    e1000_menios_early();
    stub.direct_map_end = UINT64_MAX;
    assert_int_equal(e1000_init(), 1);
    assert_logged("adopted from the firmware");
    assert_int_equal(firmware.table.nic[0].state, NET_HANDOFF_ADOPTED);
    assert_int_equal(nic->decoding_off, 0);
    assert_int_equal(nic->commands, 1);
    assert_int_equal(stub.dma_allocs, 0); /* the rings are the firmware's */
    expect_line_opened_last(nic);
    (void)e1000_menios_poll();
    assert_int_equal(received, live ? 2 : 0);
    while(virtio_sim_interrupt(nic->virtio)) {
      assert_true(stub_interrupt(nic, 0));
    }
    expect_traffic(nic);
    end_with(&firmware);
  }
}

static void test_damaged_table(void **state) {
  (void)state;
  struct firmware firmware;
  const struct virtio_sim_config config = config_of(VIRTIO_SIM_TRANSITIONAL, VIRTIO_SIM_LAYOUT_QEMU);
  struct stub_nic *nic = stub_add_virtio(&config);
  leave(&firmware, nic, true);
  firmware.table.nic[0].statistics.rx_frames++;
  e1000_menios_early();
  assert_int_equal(e1000_init(), 1);
  assert_logged("started afresh");
  expect_traffic(nic);
  end_with(&firmware);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_fresh, set_up),   cmocka_unit_test_setup(test_structures_out_of_reach, set_up),
      cmocka_unit_test_setup(test_polled, set_up),  cmocka_unit_test_setup(test_beside_an_e1000, set_up),
      cmocka_unit_test_setup(test_adopted, set_up), cmocka_unit_test_setup(test_damaged_table, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
