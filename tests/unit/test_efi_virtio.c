/* test_efi_virtio.c - the UEFI home with a virtio-net device: binding, SNP, diagnostics, removal, handoff, and BARs
 * that PciIo counts otherwise than their registers. */
#include "efi/driver_diagnostics.h"
#include "efi/network_statistics.h"
#include "handoff.h"
#include "handoff_producer.h"
#include "net/virtio_net.h"
#include "pci_place.h"
#include "unit_efi.h"

#define LIST_MAX        16U
#define LIVE            0x0FU /* device_status: ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK */
#define READY           0x0BU /* the same without DRIVER_OK */
#define INTX_DISABLE    0x0400U
#define BOUND           (EFI_PCI_IO_ATTRIBUTE_MEMORY | EFI_PCI_IO_ATTRIBUTE_BUS_MASTER | EFI_PCI_IO_ATTRIBUTE_IO)
#define NIC_TEXT        "virtio-net Ethernet"
#define HANG_TICKS      600U /* 6 s */
#define UNIT_FRAME_SIZE 60U

/* Both PCI device IDs; structures in BAR 4, in a BAR 0 of 64 bits, in four BARs, and behind odd capabilities. */
static const struct {
  uint16_t device_id;
  enum virtio_sim_layout layout;
} devices[] = {
    {VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_QEMU}, {VIRTIO_SIM_TRANSITIONAL, VIRTIO_SIM_LAYOUT_QEMU},
    {VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_BAR0}, {VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_APART},
    {VIRTIO_SIM_MODERN, VIRTIO_SIM_LAYOUT_ODD},
};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))

static const UINT8 broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const UINT8 stranger[6] = {0x52, 0x54, 0x00, 0x99, 0x98, 0x97};

struct machine {
  struct unit_machine unit;
  struct virtio_sim *sim;
  struct virtio_sim_config *knobs;
};

static struct firmware_nic *add_nic(size_t row) {
  struct virtio_sim_config config = {
      .device_id = devices[row].device_id, .layout = devices[row].layout, .master_ends = true};
  memcpy(config.mac, unit_mac, sizeof(config.mac));
  return firmware_add_virtio(&config);
}

static struct machine machine_of(size_t row) {
  struct machine machine;
  firmware_begin();
  machine.unit.nic = add_nic(row);
  machine.sim = firmware_virtio(machine.unit.nic);
  machine.knobs = virtio_sim_knobs(machine.sim);
  assert_int_equal(firmware_start_image(efi_main, &machine.unit.image), EFI_SUCCESS);
  return machine;
}

static UINT16 command_of(const struct machine *machine) {
  UINT16 command;
  memcpy(&command, virtio_sim_config_space(machine->sim) + 4, sizeof(command));
  return command;
}

static enum sim_delivery arrives(const struct machine *machine, const UINT8 to[6]) {
  UINT8 frame[UNIT_FRAME_SIZE];
  unit_frame(frame, sizeof(frame), to, 1);
  return firmware_inject(machine->unit.nic, frame, sizeof(frame));
}

static VOID *collect(EFI_SIMPLE_NETWORK_PROTOCOL *snp) {
  VOID *buffer = snp; /* must be overwritten */
  assert_int_equal(snp->GetStatus(snp, NULL, &buffer), EFI_SUCCESS);
  return buffer;
}

/* Binding -------------------------------------------------------------------------------------------------------- */

static void test_bind_and_unbind(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct machine machine = machine_of(i);
    const struct firmware_nic *nic = machine.unit.nic;
    struct firmware_counts before;
    struct firmware_counts after;
    UINT8 space[256];
    memcpy(space, virtio_sim_config_space(machine.sim), sizeof(space));
    firmware_count(&before);
    for(UINTN round = 0; round < 3; round++) {
      EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(nic);
      assert_memory_equal(snp->Mode->CurrentAddress.Addr, unit_mac, sizeof(unit_mac));
      assert_int_equal(nic->attributes, BOUND | EFI_PCI_IO_ATTRIBUTE_DUAL_ADDRESS_CYCLE);
      assert_int_equal(command_of(&machine), INTX_DISABLE | 7U);
      assert_int_equal(virtio_sim_status(machine.sim), LIVE);
      assert_int_equal(firmware_disconnect(nic->handle, NULL), EFI_SUCCESS);
      assert_null(unit_device(nic));
      assert_int_equal(nic->attributes, 0);
      assert_int_equal(virtio_sim_status(machine.sim), 0);
      assert_memory_equal(space, virtio_sim_config_space(machine.sim), sizeof(space));
      firmware_count(&after);
      assert_memory_equal(&before, &after, sizeof(before));
    }
    unit_machine_end(&machine.unit);
  }
}

/* Twenty lives of the image, each with two NICs in use when it goes. */
static void test_load_and_unload(void **state) {
  (void)state;
  struct firmware_counts before;
  struct firmware_counts after;
  firmware_begin();
  const struct firmware_nic *first = add_nic(0);
  const struct firmware_nic *second = add_nic(1);
  firmware_count(&before);
  for(UINTN round = 0; round < 20; round++) {
    EFI_HANDLE image;
    assert_int_equal(firmware_start_image(efi_main, &image), EFI_SUCCESS);
    (void)unit_open(first);
    (void)unit_open(second);
    firmware_tick(3);
    assert_int_equal(firmware_unload_image(image), EFI_SUCCESS);
    firmware_count(&after);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(virtio_sim_status(firmware_virtio(first)), 0);
    assert_int_equal(virtio_sim_status(firmware_virtio(second)), 0);
  }
  firmware_end();
}

static void test_name(void **state) {
  (void)state;
  for(size_t i = 0; i < 2; i++) {
    struct machine machine = machine_of(i);
    EFI_COMPONENT_NAME2_PROTOCOL *names =
        firmware_interface(machine.unit.image, (EFI_GUID)EFI_COMPONENT_NAME2_PROTOCOL_GUID);
    CHAR8 language[] = "en";
    CHAR16 *text;
    assert_int_equal(firmware_connect(machine.unit.nic->handle), EFI_SUCCESS);
    assert_int_equal(names->GetControllerName(names, machine.unit.nic->handle, NULL, language, &text), EFI_SUCCESS);
    for(size_t at = 0; at < sizeof(NIC_TEXT) - 1U; at++) {
      assert_int_equal(text[at], NIC_TEXT[at]);
    }
    unit_machine_end(&machine.unit);
  }
}

/* SNP ------------------------------------------------------------------------------------------------------------ */

static void test_frames(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    struct machine machine = machine_of(i);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.unit.nic);
    static const UINT8 zero[60];
    UINT8 frame[1518];
    UINT8 got[1600];
    for(UINT32 length = 14; length <= 1518; length++) {
      size_t sent_length;
      unit_frame(frame, length, broadcast, length);
      assert_int_equal(snp->Transmit(snp, 0, length, frame, NULL, NULL, NULL), EFI_SUCCESS);
      assert_int_equal(virtio_sim_frames(machine.sim), 1);
      const UINT8 *sent = virtio_sim_frame(machine.sim, 0, &sent_length);
      assert_int_equal(sent_length, length < 60 ? 60 : length);
      assert_memory_equal(sent, frame, length);
      assert_memory_equal(sent + length, zero, sent_length - length);
      assert_ptr_equal(collect(snp), frame);
      assert_null(collect(snp));
      virtio_sim_forget_frames(machine.sim);
    }
    for(UINT32 length = 60; length <= 1518; length++) {
      UINTN header = 0;
      UINTN size = sizeof(got);
      unit_frame(frame, length, unit_mac, length);
      assert_int_equal(virtio_sim_inject(machine.sim, frame, length), SIM_DELIVERED);
      assert_int_equal(snp->Receive(snp, &header, &size, got, NULL, NULL, NULL), EFI_SUCCESS);
      assert_int_equal(size, length);
      assert_int_equal(header, 14);
      assert_memory_equal(got, frame, length);
      assert_int_equal(snp->Receive(snp, NULL, &size, got, NULL, NULL, NULL), EFI_NOT_READY);
    }
    unit_machine_end(&machine.unit);
  }
}

static void fill_list(EFI_MAC_ADDRESS *list, UINTN count) {
  memset(list, 0, count * sizeof(*list));
  for(UINTN i = 0; i < count; i++) {
    list[i].Addr[0] = 0x01;
    list[i].Addr[1] = 0x5E;
    list[i].Addr[5] = (UINT8)i;
  }
}

/* The device has a table of addresses and no hash: nothing comes through that was not asked for. */
static void test_filters(void **state) {
  (void)state;
  struct machine machine = machine_of(0);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.unit.nic);
  EFI_MAC_ADDRESS list[LIST_MAX + 1];
  fill_list(list, LIST_MAX + 1);
  assert_int_equal(arrives(&machine, unit_mac), SIM_DELIVERED);
  assert_int_equal(arrives(&machine, broadcast), SIM_DELIVERED);
  assert_int_equal(arrives(&machine, stranger), SIM_FILTERED);
  assert_int_equal(arrives(&machine, list[0].Addr), SIM_FILTERED);

  assert_int_equal(snp->ReceiveFilters(snp, 2, 0, FALSE, LIST_MAX, list), EFI_SUCCESS);
  const struct virtio_sim_filter *filter = virtio_sim_filter(machine.sim);
  assert_false(filter->promiscuous || filter->all_multicast || filter->all_unicast);
  assert_int_equal(filter->multicasts, LIST_MAX);
  for(UINTN i = 0; i < LIST_MAX; i++) {
    assert_memory_equal(filter->table[1][i], list[i].Addr, 6);
    assert_int_equal(arrives(&machine, list[i].Addr), SIM_DELIVERED);
  }
  assert_int_equal(arrives(&machine, list[LIST_MAX].Addr), SIM_FILTERED);

  assert_int_equal(snp->ReceiveFilters(snp, 8, 0, FALSE, 0, NULL), EFI_SUCCESS);
  assert_int_equal(arrives(&machine, stranger), SIM_DELIVERED);
  assert_int_equal(snp->ReceiveFilters(snp, 0, 8, FALSE, 0, NULL), EFI_SUCCESS);
  assert_int_equal(arrives(&machine, stranger), SIM_FILTERED);
  assert_int_equal(arrives(&machine, list[3].Addr), SIM_DELIVERED);
  assert_int_equal(snp->ReceiveFilters(snp, 0, 4, FALSE, 0, NULL), EFI_SUCCESS);
  assert_int_equal(arrives(&machine, broadcast), SIM_FILTERED);
  assert_int_equal(snp->ReceiveFilters(snp, 4, 0, TRUE, 0, NULL), EFI_SUCCESS);
  assert_int_equal(arrives(&machine, broadcast), SIM_DELIVERED);
  assert_int_equal(arrives(&machine, list[3].Addr), SIM_FILTERED);
  assert_int_equal(snp->ReceiveFilters(snp, 0x10, 0, FALSE, 0, NULL), EFI_SUCCESS);
  assert_int_equal(arrives(&machine, list[LIST_MAX].Addr), SIM_DELIVERED);
  unit_machine_end(&machine.unit);
}

/* Filters and address survive a Reset, and are gone after Shutdown and Initialize. */
static void test_what_resets(void **state) {
  (void)state;
  struct machine machine = machine_of(1);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.unit.nic);
  EFI_MAC_ADDRESS mac = snp->Mode->PermanentAddress;
  EFI_MAC_ADDRESS list[2];
  fill_list(list, 2);
  mac.Addr[5] ^= 0x55;
  assert_int_equal(snp->ReceiveFilters(snp, 2, 0, FALSE, 2, list), EFI_SUCCESS);
  assert_int_equal(snp->StationAddress(snp, FALSE, &mac), EFI_SUCCESS);
  assert_memory_equal(&snp->Mode->CurrentAddress, &mac, sizeof(mac));
  for(UINTN round = 0; round < 2; round++) {
    assert_int_equal(arrives(&machine, mac.Addr), SIM_DELIVERED);
    assert_int_equal(arrives(&machine, list[1].Addr), SIM_DELIVERED);
    assert_int_equal(arrives(&machine, unit_mac), SIM_FILTERED);
    assert_int_equal(snp->Reset(snp, FALSE), EFI_SUCCESS);
  }
  assert_int_equal(snp->Shutdown(snp), EFI_SUCCESS);
  assert_int_equal(virtio_sim_status(machine.sim), 0);
  assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
  assert_memory_equal(&snp->Mode->CurrentAddress, &snp->Mode->PermanentAddress, sizeof(mac));
  assert_int_equal(arrives(&machine, mac.Addr), SIM_FILTERED);
  assert_int_equal(arrives(&machine, list[1].Addr), SIM_FILTERED);
  assert_int_equal(snp->ReceiveFilters(snp, 1, 0, FALSE, 0, NULL), EFI_SUCCESS);
  assert_int_equal(arrives(&machine, unit_mac), SIM_DELIVERED);
  unit_machine_end(&machine.unit);
}

/* The driver counts; what nobody counts is all ones, as the specification wants it. */
static void test_statistics(void **state) {
  (void)state;
  struct machine machine = machine_of(0);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.unit.nic);
  EFI_NETWORK_STATISTICS_2 table;
  UINTN size = sizeof(table);
  UINT8 frame[100];
  UINT8 got[1514];
  for(UINT32 n = 1; n <= 5; n++) {
    unit_frame(frame, sizeof(frame), unit_mac, n);
    assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
    assert_ptr_equal(collect(snp), frame);
    if(n <= 3) {
      UINTN room = sizeof(got);
      assert_int_equal(virtio_sim_inject(machine.sim, frame, sizeof(frame)), SIM_DELIVERED);
      assert_int_equal(snp->Receive(snp, NULL, &room, got, NULL, NULL, NULL), EFI_SUCCESS);
    }
  }
  assert_int_equal(virtio_sim_inject_raw(machine.sim, frame, sizeof(frame), 13), SIM_DELIVERED); /* too short */
  size_t room = sizeof(got);
  assert_int_equal(snp->Receive(snp, NULL, &room, got, NULL, NULL, NULL), EFI_NOT_READY);
  assert_int_equal(snp->Statistics(snp, FALSE, &size, &table.First), EFI_SUCCESS);
  assert_int_equal(table.First.RxTotalFrames, 4);
  assert_int_equal(table.First.RxGoodFrames, 3);
  assert_int_equal(table.First.RxTotalBytes, 300);
  assert_int_equal(table.First.TxTotalFrames, 5);
  assert_int_equal(table.First.TxGoodFrames, 5);
  assert_int_equal(table.First.TxTotalBytes, 500);
  assert_int_equal(table.First.TxDroppedFrames, 0);
  assert_true(table.First.RxUndersizeFrames == UINT64_MAX && table.First.RxUnicastFrames == UINT64_MAX);
  assert_int_equal(snp->Statistics(snp, TRUE, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(snp->Statistics(snp, FALSE, &size, &table.First), EFI_SUCCESS);
  assert_int_equal(table.First.RxTotalFrames, 0);
  assert_int_equal(table.First.TxGoodFrames, 0);
  assert_true(table.First.RxUndersizeFrames == UINT64_MAX);
  unit_machine_end(&machine.unit);
}

/* A transmitter that stands still: the queue fills, refuses, and all comes back. */
static void test_full_queue(void **state) {
  (void)state;
  struct machine machine = machine_of(0);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.unit.nic);
  UINT8 frame[60] = {0};
  UINTN sent = 0;
  machine.knobs->tx_held = true;
  while(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL) == EFI_SUCCESS) {
    sent++;
  }
  assert_int_equal(sent, 256);
  assert_null(collect(snp));
  assert_int_equal(snp->Reset(snp, TRUE), EFI_SUCCESS);
  for(UINTN i = 0; i < sent; i++) {
    assert_ptr_equal(collect(snp), frame);
  }
  assert_null(collect(snp));
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  firmware_tick(HANG_TICKS); /* the heartbeat resets the device */
  assert_int_equal(unit_device(machine.unit.nic)->nic.netdev->stats.tx_hangs, 1);
  assert_ptr_equal(collect(snp), frame);
  machine.knobs->tx_held = false;
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  assert_ptr_equal(collect(snp), frame);
  assert_int_equal(arrives(&machine, unit_mac), SIM_DELIVERED);
  unit_machine_end(&machine.unit);
}

/* A device without a control queue filters nothing, and keeps its address. */
static void test_without_commands(void **state) {
  (void)state;
  struct machine machine = machine_of(0);
  machine.knobs->features = VIRTIO_SIM_FEATURES & ~(0x9EULL << 16); /* CTRL_VQ and all that needs it */
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.unit.nic);
  EFI_MAC_ADDRESS mac = snp->Mode->PermanentAddress;
  assert_int_equal(arrives(&machine, stranger), SIM_DELIVERED);
  assert_int_equal(snp->ReceiveFilters(snp, 8, 0, FALSE, 0, NULL), EFI_SUCCESS);
  mac.Addr[5] ^= 0x55;
  assert_int_equal(snp->StationAddress(snp, FALSE, &mac), EFI_UNSUPPORTED);
  assert_memory_equal(&snp->Mode->CurrentAddress, &snp->Mode->PermanentAddress, sizeof(mac));
  assert_int_equal(virtio_sim_commands(machine.sim), 0);
  unit_machine_end(&machine.unit);
}

static void test_media(void **state) {
  (void)state;
  struct machine machine = machine_of(0);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.unit.nic);
  UINT32 causes;
  firmware_tick(10);
  assert_int_equal(snp->GetStatus(snp, &causes, NULL), EFI_SUCCESS);
  assert_true(snp->Mode->MediaPresent);
  machine.knobs->link_down = true;
  firmware_tick(10);
  virtio_sim_forget_accesses(machine.sim);
  assert_int_equal(snp->GetStatus(snp, &causes, NULL), EFI_SUCCESS);
  assert_false(snp->Mode->MediaPresent);
  assert_int_equal(virtio_sim_reads(machine.sim) + virtio_sim_writes(machine.sim), 0);
  unit_machine_end(&machine.unit);
}

/* Diagnostics ---------------------------------------------------------------------------------------------------- */

static EFI_STATUS diagnose(const struct machine *machine, char report[1100]) {
  return firmware_diagnose(machine->unit.image, machine->unit.nic->handle, EfiDriverDiagnosticTypeExtended, report,
                           1100);
}

static void test_diagnostics(void **state) {
  (void)state;
  for(size_t i = 0; i < DEVICES; i++) {
    char report[1100];
    struct machine machine = machine_of(i);
    assert_int_equal(firmware_connect(machine.unit.nic->handle), EFI_SUCCESS);
    assert_int_equal(diagnose(&machine, report), EFI_SUCCESS);
    assert_null(strstr(report, "FAIL"));
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_snp(machine.unit.nic);
    assert_int_equal(snp->Start(snp), EFI_SUCCESS);
    assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
    assert_int_equal(diagnose(&machine, report), EFI_SUCCESS);
    assert_non_null(strstr(report, "pass  control queue: a command is answered"));
    assert_non_null(strstr(report, "pass  queues: indices agree"));
    machine.knobs->commands_refused = true;
    assert_int_equal(diagnose(&machine, report), EFI_DEVICE_ERROR);
    assert_non_null(strstr(report, "FAIL  control queue: a command is answered"));
    unit_machine_end(&machine.unit);
  }
}

/* Removal -------------------------------------------------------------------------------------------------------- */

static void test_removal(void **state) {
  (void)state;
  for(size_t i = 0; i < 4; i++) {
    struct machine machine = machine_of(i % 2);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.unit.nic);
    UINT8 frame[60] = {0};
    UINT8 got[60];
    UINTN size = sizeof(got);
    machine.knobs->tx_held = true;
    assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
    machine.knobs->gone = true;
    machine.knobs->gone_reads_zero = i >= 2;
    firmware_tick(10);
    assert_int_equal(unit_device(machine.unit.nic)->nic.netdev->state, NETDEV_GONE);
    assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_DEVICE_ERROR);
    assert_int_equal(snp->Receive(snp, NULL, &size, got, NULL, NULL, NULL), EFI_DEVICE_ERROR);
    UINT64 start = firmware_now_us();
    assert_int_equal(firmware_disconnect(machine.unit.nic->handle, NULL), EFI_SUCCESS);
    assert_true(firmware_now_us() - start < 1000000U);
    unit_machine_end(&machine.unit);
  }
}

/* Handoff -------------------------------------------------------------------------------------------------------- */

static void test_silenced(void **state) {
  (void)state;
  struct machine machine = machine_of(0);
  (void)unit_open(machine.unit.nic);
  firmware_exit_boot_services();
  assert_int_equal(virtio_sim_status(machine.sim), 0);
  assert_string_equal(virtio_sim_violation_text(machine.sim), "");
  unit_power_off();
}

static void *identity(void *ctx, uint64_t physical, uint64_t size) {
  (void)ctx;
  (void)size;
  return (void *)(UINTN)physical;
}

static EFI_STATUS arm(const struct firmware_nic *nic, BOOLEAN live) {
  struct pci_nic *list;
  UINTN count;
  assert_int_equal(pci_find_nics(&list, &count), EFI_SUCCESS);
  assert_int_equal(count, 1);
  EFI_STATUS status = handoff_arm(&unit_device(nic)->nic, &list[0], live, NULL);
  assert_int_equal(BS->FreePool(list), EFI_SUCCESS);
  return status;
}

/* The register with this number leads where the table says. */
static void assert_bar(const struct machine *machine, const struct net_handoff_nic *entry, UINTN number) {
  UINT32 low;
  UINT32 high;
  memcpy(&low, virtio_sim_config_space(machine->sim) + 0x10 + 4U * number, 4);
  memcpy(&high, virtio_sim_config_space(machine->sim) + 0x14 + 4U * number, 4);
  assert_int_equal(entry->bar[number].bus, ((UINT64)high << 32 | low) & ~0xFULL);
  assert_int_equal(entry->bar[number].processor, entry->bar[number].bus);
  assert_int_equal(entry->bar[number].flags, NET_HANDOFF_BAR_MEMORY | NET_HANDOFF_BAR_64BIT);
  assert_int_equal(entry->bar[number + 1].size, 0);
}

/* A kernel adopts it, and finds what came before and after, once. */
static void test_left_to_a_kernel(void **state) {
  (void)state;
  static const size_t places[] = {4, 4, 0, 2, 4};
  for(size_t i = 0; i < 2U * DEVICES; i++) {
    static struct net_handoff_copy copy;
    struct machine machine = machine_of(i / 2);
    bool live = i % 2;
    struct netdev *kernel;
    UINT8 got[1514];
    size_t length;
    (void)unit_open(machine.unit.nic);
    assert_int_equal(arm(machine.unit.nic, live), EFI_SUCCESS);
    assert_int_equal(arrives(&machine, unit_mac), SIM_DELIVERED);
    firmware_exit_boot_services();
    assert_int_equal(virtio_sim_status(machine.sim), live ? LIVE : READY);
    assert_int_equal(arrives(&machine, unit_mac), live ? SIM_DELIVERED : SIM_DEAF);
    const struct net_handoff_image *table = handoff_find();
    const char *problem = net_handoff_validate(table, sizeof(*table), (UINTN)table, &copy);
    assert_string_equal(problem ? problem : "", "");
    assert_int_equal(copy.nic[0].state, live ? NET_HANDOFF_LIVE : NET_HANDOFF_QUIET);
    assert_int_equal(copy.nic[0].statistics.rx_missed, live ? 0 : 1);
    assert_bar(&machine, &copy.nic[0], places[i / 2]);
    assert_int_equal(virtio_net_adopt(virtio_sim_platform(machine.sim), &copy.nic[0], copy.block[0], identity, &kernel),
                     NETDEV_OK);
    for(UINTN frames = live ? 2 : 0; frames > 0; frames--) {
      assert_int_equal(netdev_receive(kernel, got, sizeof(got), &length), NETDEV_OK);
    }
    assert_int_equal(netdev_receive(kernel, got, sizeof(got), &length), NETDEV_E_EMPTY);
    assert_int_equal(arrives(&machine, unit_mac), SIM_DELIVERED);
    assert_int_equal(netdev_receive(kernel, got, sizeof(got), &length), NETDEV_OK);
    netdev_destroy(kernel);
    assert_string_equal(virtio_sim_violation_text(machine.sim), "");
    unit_power_off();
  }
}

/* BARs ----------------------------------------------------------------------------------------------------------- */

/* By the number of the register; PciIo's index of what follows a BAR of 64 bits is one less. */
static void test_bars_by_register(void **state) {
  (void)state;
  static const struct {
    size_t row;
    INTN main;   /* its register */
    UINT8 wide;  /* the register of the BAR of 64 bits */
    UINT8 other; /* another's, behind it if there is one */
    UINT8 index; /* of that */
  } rows[] = {{0, 4, 4, 1, 1}, {1, 4, 4, 1, 1}, {2, 0, 0, 2, 1}, {3, 4, 2, 4, 3}, {3, 4, 2, 5, 4}};
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct pci_bar bars[PCI_BAR_COUNT];
    struct pci_bar bar;
    firmware_begin();
    struct firmware_nic *nic = add_nic(rows[i].row);
    assert_int_equal(pci_main_bar(&nic->pci_io, &bar), rows[i].main);
    assert_int_equal(pci_get_bars(&nic->pci_io, bars), EFI_SUCCESS);
    assert_true(bars[rows[i].wide].is_64bit);
    assert_int_equal(bars[rows[i].wide].base >> 32, 0xE0);
    assert_int_equal(bars[rows[i].wide].bus, bars[rows[i].wide].base);
    assert_int_equal(bars[rows[i].wide + 1].type, PCI_BAR_NONE);
    assert_int_equal(bars[rows[i].other].type, PCI_BAR_MEMORY);
    assert_int_equal(bars[rows[i].other].index, rows[i].index);
    assert_int_equal(bars[rows[i].other].base, bars[rows[i].other].bus);
    assert_false(bars[rows[i].other].is_64bit);
    firmware_fail_call("Pci.Read", 1);
    assert_int_equal(pci_get_bars(&nic->pci_io, bars), EFI_DEVICE_ERROR);
    for(UINTN number = 0; number < PCI_BAR_COUNT; number++) {
      assert_int_equal(bars[number].type, PCI_BAR_NONE);
    }
    firmware_fail_call("Pci.Read", 1);
    assert_int_equal(pci_main_bar(&nic->pci_io, &bar), -1);
    firmware_end();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bind_and_unbind),
      cmocka_unit_test(test_load_and_unload),
      cmocka_unit_test(test_name),
      cmocka_unit_test(test_frames),
      cmocka_unit_test(test_filters),
      cmocka_unit_test(test_what_resets),
      cmocka_unit_test(test_statistics),
      cmocka_unit_test(test_full_queue),
      cmocka_unit_test(test_without_commands),
      cmocka_unit_test(test_media),
      cmocka_unit_test(test_diagnostics),
      cmocka_unit_test(test_removal),
      cmocka_unit_test(test_silenced),
      cmocka_unit_test(test_left_to_a_kernel),
      cmocka_unit_test(test_bars_by_register),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
