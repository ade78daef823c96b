/* test_family.c - a family that neither home has heard of (fake_family.c), in both: UEFI drives it, hands it over, and
 * a kernel goes on with it or starts it afresh. */
#include <stdlib.h>

#include "../../driver/kernel/consumer.h"
#include "fake_device.h"
#include "handoff.h"
#include "handoff_producer.h"
#include "pci.h"
#include "unit_efi.h"

#define FRAME_LENGTH 100U
#define DMA_APART    0x40000000U /* from the processor's address of the kernel's memory to the device's */

static const struct firmware_device kind = {.vendor_id = FAKE_VENDOR_ID,
                                            .device_id = FAKE_DEVICE_ID,
                                            .bar = FAKE_BAR,
                                            .bar_size = FAKE_BAR_SIZE,
                                            .read = fake_device_read,
                                            .write = fake_device_write,
                                            .map = fake_device_map,
                                            .unmap = fake_device_unmap,
                                            .complaint = fake_device_complaint};

static struct fake_device new_device(void) {
  struct fake_device device = {.speed = 2500};
  memcpy(device.mac, unit_mac, sizeof(device.mac));
  return device;
}

static void inject(struct fake_device *device, uint32_t number) {
  uint8_t frame[FRAME_LENGTH];
  unit_frame(frame, sizeof(frame), unit_mac, number);
  assert_true(fake_device_inject(device, frame, sizeof(frame)));
}

static void assert_frame(const void *got, size_t length, uint32_t number) {
  uint8_t frame[FRAME_LENGTH];
  unit_frame(frame, sizeof(frame), unit_mac, number);
  assert_int_equal(length, sizeof(frame));
  assert_memory_equal(got, frame, sizeof(frame));
}

/* UEFI ----------------------------------------------------------------------------------------------------------- */

static struct unit_machine machine_with(struct fake_device *device) {
  firmware_begin();
  struct unit_machine machine = {.nic = firmware_add_device(&kind, device)};
  assert_int_equal(firmware_start_image(efi_main, &machine.image), EFI_SUCCESS);
  return machine;
}

static void send_by_snp(EFI_SIMPLE_NETWORK_PROTOCOL *snp, const struct fake_device *device, uint32_t number) {
  uint8_t frame[FRAME_LENGTH];
  VOID *sent = NULL;
  uint32_t before = device->sent_count;
  unit_frame(frame, sizeof(frame), unit_mac, number);
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(device->sent_count, before + 1U);
  assert_frame(device->sent[before % FAKE_SENT_MAX], device->sent_length[before % FAKE_SENT_MAX], number);
  assert_int_equal(snp->GetStatus(snp, NULL, &sent), EFI_SUCCESS);
  assert_ptr_equal(sent, frame);
}

static void receive_by_snp(EFI_SIMPLE_NETWORK_PROTOCOL *snp, uint32_t number) {
  uint8_t got[2048];
  UINTN size = sizeof(got);
  assert_int_equal(snp->Receive(snp, NULL, &size, got, NULL, NULL, NULL), EFI_SUCCESS);
  assert_frame(got, size, number);
}

static void test_uefi(void **state) {
  (void)state;
  struct fake_device device = new_device();
  struct unit_machine machine = machine_with(&device);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  union {
    EFI_NETWORK_STATISTICS known;
    UINT8 room[512];
  } statistics;
  UINTN size = sizeof(statistics);
  UINT32 causes;
  assert_memory_equal(snp->Mode->CurrentAddress.Addr, unit_mac, sizeof(unit_mac));
  assert_int_equal(device.resets, 2); /* at create, and when it was opened */
  for(uint32_t i = 1; i <= 3 * FAKE_SLOTS; i++) {
    send_by_snp(snp, &device, i);
    inject(&device, i);
    receive_by_snp(snp, i);
  }
  firmware_tick(20);
  assert_int_equal(snp->GetStatus(snp, &causes, NULL), EFI_SUCCESS);
  assert_true(snp->Mode->MediaPresent);
  device.speed = 0;
  firmware_tick(20);
  assert_int_equal(snp->GetStatus(snp, &causes, NULL), EFI_SUCCESS);
  assert_false(snp->Mode->MediaPresent);
  assert_int_equal(snp->Statistics(snp, FALSE, &size, &statistics.known), EFI_SUCCESS);
  assert_int_equal(statistics.known.RxGoodFrames, 3 * FAKE_SLOTS);
  assert_int_equal(statistics.known.TxGoodFrames, 3 * FAKE_SLOTS);
  assert_int_not_equal(snp->StationAddress(snp, FALSE, &(EFI_MAC_ADDRESS){{2, 0, 0, 0, 0, 1}}), EFI_SUCCESS);
  assert_int_equal(snp->Shutdown(snp), EFI_SUCCESS);
  assert_false(device.running);
  unit_machine_end(&machine);
}

static void test_gone(void **state) {
  (void)state;
  struct fake_device device = new_device();
  struct unit_machine machine = machine_with(&device);
  (void)unit_open(machine.nic);
  device.gone = true;
  firmware_tick(20);
  assert_int_equal(unit_device(machine.nic)->nic.netdev->state, NETDEV_GONE);
  unit_machine_end(&machine);
}

static void test_silenced(void **state) {
  (void)state;
  struct fake_device device = new_device();
  struct unit_machine machine = machine_with(&device);
  (void)unit_open(machine.nic);
  assert_true(device.running);
  firmware_exit_boot_services();
  assert_false(device.running);
  assert_string_equal(fake_device_complaint(&device), "");
  unit_power_off();
}

/* Kernel --------------------------------------------------------------------------------------------------------- */

static uint32_t allocated;

static uint32_t read32(void *ctx, uint32_t bar, uint32_t offset) {
  return fake_device_read(ctx, bar, offset, 4);
}

static uint16_t read16(void *ctx, uint32_t bar, uint32_t offset) {
  return (uint16_t)fake_device_read(ctx, bar, offset, 2);
}

static uint8_t read8(void *ctx, uint32_t bar, uint32_t offset) {
  return (uint8_t)fake_device_read(ctx, bar, offset, 1);
}

static void write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  fake_device_write(ctx, bar, offset, 4, value);
}

static void write16(void *ctx, uint32_t bar, uint32_t offset, uint16_t value) {
  fake_device_write(ctx, bar, offset, 2, value);
}

static void write8(void *ctx, uint32_t bar, uint32_t offset, uint8_t value) {
  fake_device_write(ctx, bar, offset, 1, value);
}

static void *kernel_alloc(void *ctx, size_t size) {
  (void)ctx;
  allocated++;
  return calloc(1, size);
}

static void kernel_free(void *ctx, void *memory, size_t size) {
  (void)ctx;
  (void)size;
  allocated--;
  free(memory);
}

static int kernel_dma_alloc(void *ctx, size_t size, size_t align, uint32_t address_bits, struct net_dma *out) {
  (void)address_bits;
  size_t whole = (size + align - 1U) & ~(align - 1U);
  void *cpu = aligned_alloc(align, whole);
  assert_non_null(cpu);
  memset(cpu, 0, whole);
  *out = (struct net_dma){.cpu = cpu, .device = (uint64_t)(uintptr_t)cpu + DMA_APART, .size = size};
  fake_device_map(ctx, cpu, out->device, size);
  allocated++;
  return NETDEV_OK;
}

static void kernel_dma_free(void *ctx, struct net_dma *dma) {
  fake_device_unmap(ctx, dma->device);
  free(dma->cpu);
  allocated--;
}

static void kernel_delay(void *ctx, uint32_t us) {
  (void)ctx;
  (void)us;
}

static uint64_t kernel_now(void *ctx) {
  static uint64_t now;
  (void)ctx;
  return now += 10;
}

static uint32_t kernel_config_all_ones(void *ctx, uint32_t offset, uint32_t width) {
  (void)ctx;
  (void)offset;
  (void)width;
  return UINT32_MAX;
}

static void *identity(void *ctx, uint64_t physical, uint64_t size) {
  (void)ctx;
  (void)size;
  return (void *)(uintptr_t)physical;
}

static struct net_platform kernel_platform(struct fake_device *device) {
  return (struct net_platform){.version = NET_PLATFORM_VERSION,
                               .size = sizeof(struct net_platform),
                               .ctx = device,
                               .bar = {[FAKE_BAR] = {NET_BAR_MEMORY, FAKE_BAR_SIZE}},
                               .read32 = read32,
                               .read16 = read16,
                               .read8 = read8,
                               .write32 = write32,
                               .write16 = write16,
                               .write8 = write8,
                               .config_read = kernel_config_all_ones,
                               .alloc = kernel_alloc,
                               .free = kernel_free,
                               .dma_alloc = kernel_dma_alloc,
                               .dma_free = kernel_dma_free,
                               .delay_us = kernel_delay,
                               .now_us = kernel_now};
}

static const struct kernel_nic place = {.device = 2, /* where the firmware puts its first NIC */
                                        .vendor_id = FAKE_VENDOR_ID,
                                        .device_id = FAKE_DEVICE_ID,
                                        .bar = {[FAKE_BAR] = 0x80000000U}};

static void start(const struct net_platform *platform, void *table, struct unit_client *client, struct netdev **dev,
                  enum kernel_nic_origin expected) {
  const struct netdev_client wanted = {.ctx = client, .tx_done = unit_tx_done, .receive = unit_receive};
  enum kernel_nic_origin origin;
  memset(client, 0, sizeof(*client));
  assert_int_equal(kernel_nic_start(platform, &place, table, sizeof(struct net_handoff_image),
                                    (uint64_t)(uintptr_t)table, identity, &wanted, dev, &origin),
                   NETDEV_OK);
  assert_int_equal(origin, expected);
  assert_string_equal((*dev)->name, "eth0");
}

/* By interrupts, each way. */
static void expect_traffic(struct netdev *dev, struct fake_device *device, struct unit_client *client,
                           uint32_t number) {
  uint8_t frame[FRAME_LENGTH];
  uint32_t received = client->received;
  uint32_t sent = device->sent_count;
  inject(device, number);
  assert_true(fake_device_interrupts(device));
  assert_true(netdev_irq_handle(dev));
  assert_false(fake_device_interrupts(device));
  assert_int_equal(netdev_poll(dev, 64), 1);
  assert_int_equal(client->received, received + 1U);
  assert_frame(client->frame, client->length, number);
  assert_false(netdev_irq_rearm(dev));
  unit_frame(frame, sizeof(frame), unit_mac, number);
  assert_int_equal(netdev_transmit(dev, frame, sizeof(frame), unit_cookie(number), 0), NETDEV_OK);
  assert_int_equal(device->sent_count, sent + 1U);
  assert_frame(device->sent[sent % FAKE_SENT_MAX], FRAME_LENGTH, number);
  assert_true(netdev_irq_handle(dev));
  (void)netdev_poll(dev, 64);
  assert_int_equal(client->done[number], 1);
  assert_false(netdev_irq_rearm(dev));
}

static void test_kernel(void **state) {
  (void)state;
  struct fake_device device = new_device();
  const struct net_platform platform = kernel_platform(&device);
  struct unit_client client;
  struct netdev *dev;
  start(&platform, NULL, &client, &dev, KERNEL_NIC_FRESH);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_MSIX, 0), NETDEV_E_UNSUPPORTED);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
  for(uint32_t i = 1; i <= 3 * FAKE_SLOTS; i++) {
    expect_traffic(dev, &device, &client, i);
  }
  assert_int_equal(netdev_tick(dev), NETDEV_OK);
  assert_true(dev->link.up);
  netdev_destroy(dev);
  assert_int_equal(allocated, 0);
  assert_string_equal(fake_device_complaint(&device), "");
}

/* Handoff -------------------------------------------------------------------------------------------------------- */

static void arm(const struct firmware_nic *nic, BOOLEAN live) {
  struct pci_nic *list;
  UINTN count;
  assert_int_equal(pci_find_nics(&list, &count), EFI_SUCCESS);
  assert_int_equal(count, 1);
  assert_string_equal(pci_model_name(&list[0]), "Fake-1");
  assert_int_equal(handoff_arm(&unit_device(nic)->nic, &list[0], live, NULL), EFI_SUCCESS);
  assert_int_equal(BS->FreePool(list), EFI_SUCCESS);
}

/* What the firmware's driver received and sent comes first, and none of it is lost or comes twice. */
static void hand_over(BOOLEAN live, void (*spoil)(struct net_handoff_image *table), enum kernel_nic_origin expected) {
  struct fake_device device = new_device();
  struct unit_machine machine = machine_with(&device);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  for(uint32_t i = 1; i <= FAKE_SLOTS + 3; i++) {
    inject(&device, i);
    receive_by_snp(snp, i);
    send_by_snp(snp, &device, i);
  }
  arm(machine.nic, live);
  inject(&device, 20); /* which the firmware never asks for */
  uint32_t resets = device.resets;
  firmware_exit_boot_services();
  assert_int_equal(device.running, live);
  struct net_handoff_image *table = (struct net_handoff_image *)(uintptr_t)handoff_find();
  if(spoil) {
    spoil(table);
    net_handoff_seal(table);
  }
  const struct net_platform platform = kernel_platform(&device);
  uint64_t size[NET_HANDOFF_BARS] = {0};
  assert_true(kernel_handoff_bars(&platform, &place, table, sizeof(*table), (uint64_t)(uintptr_t)table, size));
  assert_int_equal(size[FAKE_BAR], FAKE_BAR_SIZE);
  if(live) {
    inject(&device, 21); /* while the kernel boots */
  }
  struct unit_client client;
  struct netdev *dev;
  /* The firmware's device is on the list still, as memory of a program that is no more. */
  netdev_unregister(netdev_next(NULL));
  resets = device.resets;
  device.running = live;
  start(&platform, table, &client, &dev, expected);
  assert_int_equal(table->nic[0].state, NET_HANDOFF_ADOPTED);
  assert_int_equal(device.resets - resets, expected == KERNEL_NIC_FRESH ? 2 : 0);
  assert_int_equal(netdev_irq_enable(dev, NETDEV_IRQ_INTX, 0), NETDEV_OK);
  uint32_t waiting = expected == KERNEL_NIC_FRESH ? 0 : live ? 2 : 1;
  assert_int_equal(netdev_poll(dev, 64), waiting);
  assert_int_equal(dev->stats.rx_frames, waiting ? FAKE_SLOTS + 3 + waiting : 0);
  (void)netdev_irq_handle(dev); /* what was for nobody */
  (void)netdev_irq_rearm(dev);
  for(uint32_t i = 22; i <= 22 + 2 * FAKE_SLOTS; i++) {
    expect_traffic(dev, &device, &client, i);
  }
  netdev_destroy(dev);
  assert_int_equal(allocated, 0);
  assert_string_equal(fake_device_complaint(&device), "");
  unit_power_off();
}

static void test_live(void **state) {
  (void)state;
  hand_over(TRUE, NULL, KERNEL_NIC_ADOPTED);
}

static void test_quiet(void **state) {
  (void)state;
  hand_over(FALSE, NULL, KERNEL_NIC_ADOPTED);
}

static void spoil_block(struct net_handoff_image *table) {
  ((struct fake_handoff *)table->block[0])->memory_device += 4096;
}

static void test_device_disagrees(void **state) {
  (void)state;
  hand_over(TRUE, spoil_block, KERNEL_NIC_FRESH);
}

/* Judged by its family alone; a kind that nobody here knows is not judged, and not gone on from. */
static void spoil_kind(struct net_handoff_image *table) {
  table->nic[0].block_kind = NET_HANDOFF_BLOCK_E1000;
}

static void test_block_of_another_family(void **state) {
  (void)state;
  hand_over(TRUE, spoil_kind, KERNEL_NIC_FRESH);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_uefi),
      cmocka_unit_test(test_gone),
      cmocka_unit_test(test_silenced),
      cmocka_unit_test(test_kernel),
      cmocka_unit_test(test_live),
      cmocka_unit_test(test_quiet),
      cmocka_unit_test(test_device_disagrees),
      cmocka_unit_test(test_block_of_another_family),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
