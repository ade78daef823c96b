/* test_msi.c - one message by MSI or MSI-X: capabilities of each shape, and what is written in which order. */
#include "msi.h"
#include "either.h"

#define COMMAND_STATUS 0x04U
#define LIST           0x00100000U
#define MSIX_SIZE      0x1000U

/* Configuration space, and BAR 3 with MSI-X's table at 0x800. */
static struct {
  uint8_t config[256];
  uint32_t table[MSIX_SIZE / 4];
  struct net_platform platform;
} function;

static const struct kernel_msi message = {0x12345FEE01000ULL, 0x0051};

static uint32_t config_read(void *ctx, uint32_t offset, uint32_t width) {
  uint32_t value = 0;
  assert_ptr_equal(ctx, &function);
  assert_true(offset % width == 0 && offset + width <= 256);
  memcpy(&value, function.config + offset, width);
  return value;
}

/* MSI is switched on when its address is there, and has nothing else written afterwards. */
static void config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value) {
  assert_ptr_equal(ctx, &function);
  assert_false(offset == 0x52 && (value & 1U) && function.config[0x54] == 0xEE);
  assert_false(offset > 0x52 && offset < 0x70 && (function.config[0x52] & 1U));
  assert_true(offset % width == 0 && offset >= 0x40);
  memcpy(function.config + offset, &value, width);
}

static void write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  assert_ptr_equal(ctx, &function);
  assert_int_equal(bar, 3);
  assert_in_range(offset, 0x800, 0x80C);     /* entry 0 alone */
  assert_true(function.config[0x73] & 0x40); /* while the function is masked */
  function.table[offset / 4] = value;
}

static uint8_t *word(uint32_t offset) {
  return &function.config[offset];
}

static uint16_t get16(uint32_t offset) {
  return (uint16_t)(*word(offset) | *word(offset + 1) << 8);
}

static void capability(uint32_t at, uint8_t id, uint8_t next, uint16_t control) {
  *word(at) = id;
  *word(at + 1) = next;
  *word(at + 2) = (uint8_t)control;
  *word(at + 3) = (uint8_t)(control >> 8);
}

/* A foreign capability, MSI, MSI-X. */
static void begin(uint16_t msi_control) {
  memset(&function, 0, sizeof(function));
  memset(function.table, 0xEE, sizeof(function.table));
  function.platform = (struct net_platform){.version = NET_PLATFORM_VERSION,
                                            .size = sizeof(struct net_platform),
                                            .ctx = &function,
                                            .config_read = config_read,
                                            .config_write = config_write,
                                            .write32 = write32};
  function.platform.bar[3] = (struct net_bar){NET_BAR_MEMORY, MSIX_SIZE};
  *word(6) = 0x10;
  *word(0x34) = 0x40;
  capability(0x40, 0x01, 0x50, 0);
  capability(0x50, 0x05, 0x70, msi_control);
  capability(0x70, 0x11, 0, 0x0004);
  *word(0x74) = 0x03;
  *word(0x75) = 0x08;
}

static void test_msi(void **state) {
  (void)state;
  const struct kernel_msi narrow = kernel_msi_x86(2, 0x51);
  assert_int_equal(narrow.address, 0xFEE02000U);
  assert_int_equal(narrow.data, 0x51);
  begin(0x0000); /* 32 bits */
  memset(word(0x54), 0xEE, 12);
  assert_true(kernel_msi_enable(&function.platform, &narrow));
  static const uint8_t of_32_bits[] = {0x00, 0x20, 0xE0, 0xFE, 0x51, 0x00, 0xEE, 0xEE};
  assert_memory_equal(word(0x54), of_32_bits, sizeof(of_32_bits));
  assert_int_equal(get16(0x52), 0x0001);
  assert_false(kernel_msi_enable(&function.platform, &message)); /* no room for the address */

  begin(0x0180 | 0x0070 | 0x000A); /* 64 bits, masks; it can have 32 messages, and somebody asked for them */
  memset(word(0x54), 0xEE, 20);
  assert_true(kernel_msi_enable(&function.platform, &message));
  static const uint8_t of_64_bits[] = {0x00, 0x10, 0xE0, 0x5F, 0x34, 0x12, 0, 0, 0x51, 0, 0xEE, 0xEE, 0xEE, 0xEE};
  assert_int_equal(*word(0x54 + 0), of_64_bits[0]);
  assert_memory_equal(word(0x5C), of_64_bits + 8, 4);
  assert_int_equal(*word(0x60), 0xEE & ~1); /* its mask bit alone */
  assert_int_equal(get16(0x52), 0x0180 | 0x000A | 0x0001);
  kernel_msi_disable(&function.platform);
  assert_int_equal(get16(0x52) & 1, 0);
}

static void test_msix(void **state) {
  (void)state;
  begin(0x0080);
  assert_true(kernel_msix_enable(&function.platform, &message));
  assert_int_equal(function.table[0x200], (uint32_t)message.address);
  assert_int_equal(function.table[0x201], message.address >> 32);
  assert_int_equal(function.table[0x202], message.data);
  assert_int_equal(function.table[0x203], 0);
  assert_int_equal(get16(0x72), 0x8004);
  assert_int_equal(get16(0x52), 0x0080); /* not both */
  kernel_msi_disable(&function.platform);
  assert_int_equal(get16(0x72), 0x0004);
}

/* No capability, a list that leads in a ring, a table that is not mapped or too short, a function that has gone. */
static void test_without(void **state) {
  (void)state;
  begin(0);
  *word(6) = 0;
  assert_false(kernel_msi_enable(&function.platform, &message));
  begin(0);
  capability(0x40, 0x01, 0x40, 0);
  assert_false(kernel_msix_enable(&function.platform, &message));
  begin(0);
  *word(0x34) = 0x10;
  assert_false(kernel_msix_enable(&function.platform, &message));
  begin(0);
  function.platform.bar[3].kind = NET_BAR_NONE;
  assert_false(kernel_msix_enable(&function.platform, &message));
  begin(0);
  function.platform.bar[3].size = 0x80F;
  assert_false(kernel_msix_enable(&function.platform, &message));
  begin(0);
  *word(0x74) = 7;
  assert_false(kernel_msix_enable(&function.platform, &message));
  assert_int_equal(get16(0x72), 0x0004);
  begin(0);
  memset(function.config, 0xFF, sizeof(function.config));
  assert_false(kernel_msi_enable(&function.platform, &message));
  assert_false(kernel_msix_enable(&function.platform, &message));
  kernel_msi_disable(&function.platform);
}

/* Over the simulators: each gets what it has. The table in BAR 1 is the host's, so the simulator wants nobody in it. */
static void (*device_write32)(void *ctx, uint32_t bar, uint32_t offset, uint32_t value);
static uint32_t table_writes;

static void write_beside_the_table(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  if(bar == 1) {
    table_writes++;
  } else {
    device_write32(ctx, bar, offset, value);
  }
}

/* Whether MSI-X is on in this function's configuration space. */
static bool is_msix_on(const struct net_platform *platform) {
  uint32_t at = platform->config_read(platform->ctx, 0x34, 1);
  while(platform->config_read(platform->ctx, at, 1) != 0x11) {
    at = platform->config_read(platform->ctx, at + 1U, 1);
    assert_int_not_equal(at, 0);
  }
  return platform->config_read(platform->ctx, at + 2U, 2) & 0x8000U;
}

static void test_route(void **state) {
  (void)state;
  static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3};
  static const uint8_t frame[60] = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3};
  const struct kernel_msi to = kernel_msi_x86(0, 0x50);
  enum netdev_irq_mode mode = NETDEV_IRQ_INTX;
  struct either nic;
  either_make(&nic, VIRTIO_SIM_MODERN, mac);
  device_write32 = nic.platform.write32;
  nic.platform.write32 = write_beside_the_table;
  assert_int_equal(netdev_open(nic.dev), NETDEV_OK);
  assert_true(kernel_msi_route(nic.dev, &to, 0, &mode));
  assert_int_equal(mode, NETDEV_IRQ_MSIX);
  assert_int_equal(table_writes, 5);
  assert_true(is_msix_on(&nic.platform));
  uint32_t before = virtio_sim_messages(nic.virtio, 0);
  assert_int_equal(either_inject(&nic, frame, sizeof(frame)), SIM_DELIVERED);
  either_step(&nic);
  assert_true(virtio_sim_messages(nic.virtio, 0) > before);
  netdev_irq_disable(nic.dev);
  kernel_msi_disable(&nic.platform);
  assert_false(kernel_msi_route(nic.dev, &to, 100, &mode)); /* no moderation: neither is left on */
  assert_false(is_msix_on(&nic.platform));
  either_end(&nic);
  either_make(&nic, SIM_82540EM, mac); /* PCI, and neither */
  assert_int_equal(netdev_open(nic.dev), NETDEV_OK);
  assert_false(kernel_msi_route(nic.dev, &to, 0, &mode));
  either_end(&nic);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_msi),
      cmocka_unit_test(test_msix),
      cmocka_unit_test(test_without),
      cmocka_unit_test(test_route),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
