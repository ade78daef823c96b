/* test_efi_snp.c - EFI_SIMPLE_NETWORK_PROTOCOL: the state machine, and what configures the NIC (UEFI 2.10, 24.1). */
#include "unit_efi.h"

#define LIST_MAX MAX_MCAST_FILTER_CNT

static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

/* What all functions but Start, Stop and Initialize answer in a state. */
static void assert_everywhere(EFI_SIMPLE_NETWORK_PROTOCOL *snp, EFI_STATUS wanted) {
  EFI_MAC_ADDRESS mac = {{0}};
  EFI_IP_ADDRESS ip;
  UINT8 frame[64] = {0};
  UINTN size = sizeof(frame);
  UINT32 causes;
  memset(&ip, 0xFF, sizeof(ip));
  assert_int_equal(snp->Reset(snp, FALSE), wanted);
  assert_int_equal(snp->Shutdown(snp), wanted);
  assert_int_equal(snp->ReceiveFilters(snp, 1, 0, FALSE, 0, NULL), wanted);
  assert_int_equal(snp->StationAddress(snp, TRUE, NULL), wanted);
  assert_int_equal(snp->Statistics(snp, FALSE, &size, NULL), wanted);
  assert_int_equal(snp->MCastIpToMac(snp, TRUE, &ip, &mac), wanted);
  assert_int_equal(snp->NvData(snp, TRUE, 0, 2, frame), wanted);
  assert_int_equal(snp->GetStatus(snp, &causes, NULL), wanted);
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), wanted);
  assert_int_equal(snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL), wanted);
  assert_int_equal(firmware_tpl(), TPL_APPLICATION);
}

static void test_states(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    assert_int_equal(firmware_connect(machine.nic->handle), EFI_SUCCESS);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_snp(machine.nic);
    assert_everywhere(snp, EFI_NOT_STARTED);
    assert_int_equal(snp->Stop(snp), EFI_NOT_STARTED);
    assert_int_equal(snp->Initialize(snp, 0, 0), EFI_NOT_STARTED);
    assert_int_equal(snp->Start(snp), EFI_SUCCESS);
    assert_int_equal(snp->Mode->State, EfiSimpleNetworkStarted);
    assert_int_equal(snp->Start(snp), EFI_ALREADY_STARTED);
    assert_everywhere(snp, EFI_DEVICE_ERROR);
    assert_int_equal(snp->Initialize(snp, 4096, 0), EFI_UNSUPPORTED);
    assert_int_equal(snp->Initialize(snp, 0, 4096), EFI_UNSUPPORTED);
    assert_int_equal(snp->Mode->State, EfiSimpleNetworkStarted);
    assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
    assert_int_equal(snp->Mode->State, EfiSimpleNetworkInitialized);
    assert_true(snp->Mode->MediaPresent);
    assert_int_equal(snp->Initialize(snp, 0, 0), EFI_DEVICE_ERROR);
    assert_int_equal(snp->Start(snp), EFI_ALREADY_STARTED);
    assert_int_equal(snp->Stop(snp), EFI_DEVICE_ERROR);
    assert_int_equal(snp->Mode->State, EfiSimpleNetworkInitialized);
    assert_int_equal(snp->Shutdown(snp), EFI_SUCCESS);
    assert_everywhere(snp, EFI_DEVICE_ERROR);
    assert_int_equal(snp->Stop(snp), EFI_SUCCESS);
    assert_everywhere(snp, EFI_NOT_STARTED);
    unit_machine_end(&machine);
  }
}

/* A foreign protocol in place of ours, and none at all. */
static void test_not_ours(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  struct snp_device stranger = {.signature = 0};
  EFI_SIMPLE_NETWORK_PROTOCOL *wrong[] = {NULL, &stranger.protocol};
  EFI_MAC_ADDRESS mac;
  EFI_IP_ADDRESS ip = {.Addr = {0}};
  UINT8 frame[64] = {0};
  UINTN size = sizeof(frame);
  UINT32 causes;
  for(size_t i = 0; i < 2; i++) {
    EFI_SIMPLE_NETWORK_PROTOCOL *this = wrong[i];
    assert_int_equal(snp->Start(this), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->Stop(this), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->Initialize(this, 0, 0), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->Reset(this, FALSE), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->Shutdown(this), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->ReceiveFilters(this, 1, 0, FALSE, 0, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->StationAddress(this, TRUE, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->Statistics(this, FALSE, &size, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->MCastIpToMac(this, TRUE, &ip, &mac), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->NvData(this, TRUE, 0, 2, frame), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->GetStatus(this, &causes, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->Transmit(this, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->Receive(this, NULL, &size, frame, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
  }
  unit_machine_end(&machine);
}

static void test_mode(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  const struct sim_config config = unit_config(SIM_82574L);
  const EFI_SIMPLE_NETWORK_MODE *mode = unit_open(machine.nic)->Mode;
  assert_int_equal(mode->HwAddressSize, 6);
  assert_int_equal(mode->MediaHeaderSize, 14);
  assert_int_equal(mode->MaxPacketSize, 1500);
  assert_int_equal(mode->IfType, 1);
  assert_int_equal(mode->NvRamSize, 128);
  assert_int_equal(mode->NvRamAccessSize, 2);
  assert_int_equal(mode->ReceiveFilterMask, 0x1F);
  assert_int_equal(mode->MaxMCastFilterCount, LIST_MAX);
  assert_true(mode->MacAddressChangeable && mode->MultipleTxSupported && mode->MediaPresentSupported);
  assert_memory_equal(mode->PermanentAddress.Addr, config.mac, 6);
  assert_memory_equal(mode->CurrentAddress.Addr, config.mac, 6);
  assert_memory_equal(mode->BroadcastAddress.Addr, broadcast, 6);
  unit_machine_end(&machine);
}

/* Receive filters ------------------------------------------------------------------------------------------------ */

static void fill_list(EFI_MAC_ADDRESS *list, UINTN count) {
  memset(list, 0, count * sizeof(*list));
  for(UINTN i = 0; i < count; i++) {
    list[i].Addr[0] = 0x01;
    list[i].Addr[1] = 0x5E;
    list[i].Addr[5] = (UINT8)i;
  }
}

static void test_filter_arguments(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  EFI_MAC_ADDRESS list[LIST_MAX + 1];
  fill_list(list, LIST_MAX + 1);
  assert_int_equal(snp->ReceiveFilters(snp, 0x20, 0, FALSE, 0, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->ReceiveFilters(snp, 0, 0x20, FALSE, 0, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->ReceiveFilters(snp, 2, 0, FALSE, 0, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->ReceiveFilters(snp, 2, 0, FALSE, 1, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->ReceiveFilters(snp, 2, 0, FALSE, LIST_MAX + 1, list), EFI_INVALID_PARAMETER);
  list[1].Addr[0] = 0x02;
  assert_int_equal(snp->ReceiveFilters(snp, 2, 0, FALSE, 2, list), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Mode->ReceiveFilterSetting, 5);
  assert_int_equal(snp->Mode->MCastFilterCount, 0);
  assert_int_equal(snp->ReceiveFilters(snp, 0, 0, FALSE, 0, NULL), EFI_SUCCESS);
  assert_int_equal(snp->ReceiveFilters(snp, 8, 8, FALSE, 0, NULL), EFI_SUCCESS);
  assert_int_equal(snp->Mode->ReceiveFilterSetting, 5);
  unit_machine_end(&machine);
}

static enum sim_delivery arrives(const struct firmware_nic *nic, const UINT8 to[6]) {
  UINT8 frame[60];
  unit_frame(frame, sizeof(frame), to, 1);
  return sim_inject(nic->sim, frame, sizeof(frame));
}

static void test_filters_filter(void **state) {
  (void)state;
  const UINT8 stranger[6] = {0x52, 0x54, 0x00, 0x99, 0x98, 0x97};
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
    EFI_MAC_ADDRESS list[LIST_MAX];
    fill_list(list, LIST_MAX);
    assert_int_equal(arrives(machine.nic, snp->Mode->CurrentAddress.Addr), SIM_DELIVERED);
    assert_int_equal(arrives(machine.nic, broadcast), SIM_DELIVERED);
    assert_int_equal(arrives(machine.nic, stranger), SIM_FILTERED);
    assert_int_equal(arrives(machine.nic, list[3].Addr), SIM_FILTERED);

    assert_int_equal(snp->ReceiveFilters(snp, 2, 0, FALSE, LIST_MAX, list), EFI_SUCCESS);
    assert_int_equal(snp->Mode->ReceiveFilterSetting, 7);
    assert_int_equal(snp->Mode->MCastFilterCount, LIST_MAX);
    assert_memory_equal(snp->Mode->MCastFilter, list, sizeof(list));
    assert_int_equal(arrives(machine.nic, list[3].Addr), SIM_DELIVERED);
    assert_int_equal(arrives(machine.nic, list[15].Addr), SIM_DELIVERED);

    /* a call that names no list keeps the one there is */
    assert_int_equal(snp->ReceiveFilters(snp, 8, 0, FALSE, 0, NULL), EFI_SUCCESS);
    assert_int_equal(snp->Mode->MCastFilterCount, LIST_MAX);
    assert_int_equal(arrives(machine.nic, stranger), SIM_DELIVERED);
    assert_int_equal(snp->ReceiveFilters(snp, 0, 8, FALSE, 0, NULL), EFI_SUCCESS);
    assert_int_equal(arrives(machine.nic, stranger), SIM_FILTERED);
    assert_int_equal(arrives(machine.nic, list[3].Addr), SIM_DELIVERED);

    assert_int_equal(snp->ReceiveFilters(snp, 0, 0, TRUE, 5, NULL), EFI_SUCCESS);
    assert_int_equal(snp->Mode->ReceiveFilterSetting, 5);
    assert_int_equal(snp->Mode->MCastFilterCount, 0);
    assert_int_equal(arrives(machine.nic, list[3].Addr), SIM_FILTERED);
    assert_int_equal(snp->ReceiveFilters(snp, 0x10, 0, FALSE, 0, NULL), EFI_SUCCESS);
    assert_int_equal(arrives(machine.nic, list[3].Addr), SIM_DELIVERED);
    unit_machine_end(&machine);
  }
}

/* Filters and address survive a Reset, and are gone after Shutdown and Initialize. */
static void test_what_resets(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  EFI_MAC_ADDRESS mac = snp->Mode->PermanentAddress;
  EFI_MAC_ADDRESS list[2];
  fill_list(list, 2);
  mac.Addr[5] ^= 0x55;
  assert_int_equal(snp->ReceiveFilters(snp, 2, 0, FALSE, 2, list), EFI_SUCCESS);
  assert_int_equal(snp->StationAddress(snp, FALSE, &mac), EFI_SUCCESS);
  assert_int_equal(snp->Reset(snp, FALSE), EFI_SUCCESS);
  assert_int_equal(snp->Mode->ReceiveFilterSetting, 7);
  assert_int_equal(arrives(machine.nic, mac.Addr), SIM_DELIVERED);
  assert_int_equal(arrives(machine.nic, list[1].Addr), SIM_DELIVERED);
  assert_int_equal(snp->Shutdown(snp), EFI_SUCCESS);
  assert_int_equal(snp->Mode->ReceiveFilterSetting, 0);
  assert_int_equal(snp->Mode->MCastFilterCount, 0);
  assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
  assert_memory_equal(&snp->Mode->CurrentAddress, &snp->Mode->PermanentAddress, sizeof(mac));
  assert_int_equal(arrives(machine.nic, mac.Addr), SIM_FILTERED);
  assert_int_equal(arrives(machine.nic, list[1].Addr), SIM_FILTERED);
  unit_machine_end(&machine);
}

/* Station address ------------------------------------------------------------------------------------------------ */

static void test_station_address(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  EFI_MAC_ADDRESS mac = snp->Mode->PermanentAddress;
  assert_int_equal(snp->StationAddress(snp, FALSE, NULL), EFI_INVALID_PARAMETER);
  mac.Addr[0] |= 1;
  assert_int_equal(snp->StationAddress(snp, FALSE, &mac), EFI_INVALID_PARAMETER);
  mac = snp->Mode->PermanentAddress;
  mac.Addr[5] ^= 0x55;
  assert_int_equal(snp->StationAddress(snp, FALSE, &mac), EFI_SUCCESS);
  assert_memory_equal(&snp->Mode->CurrentAddress, &mac, sizeof(mac));
  assert_int_equal(arrives(machine.nic, mac.Addr), SIM_DELIVERED);
  assert_int_equal(arrives(machine.nic, snp->Mode->PermanentAddress.Addr), SIM_FILTERED);
  assert_int_equal(snp->StationAddress(snp, TRUE, NULL), EFI_SUCCESS);
  assert_memory_equal(&snp->Mode->CurrentAddress, &snp->Mode->PermanentAddress, sizeof(mac));
  assert_int_equal(arrives(machine.nic, snp->Mode->PermanentAddress.Addr), SIM_DELIVERED);
  unit_machine_end(&machine);
}

/* Statistics ----------------------------------------------------------------------------------------------------- */

static void test_statistics_arguments(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  EFI_NETWORK_STATISTICS_2 table;
  UINTN size = 0;
  assert_int_equal(sizeof(table), 26 * 8); /* UEFI 2.10, 24.1.8 */
  assert_int_equal(snp->Statistics(snp, FALSE, NULL, &table.First), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Statistics(snp, FALSE, &size, NULL), EFI_BUFFER_TOO_SMALL);
  assert_int_equal(size, sizeof(table));
  for(UINTN room = 0; room < sizeof(table); room += 8) { /* what fits is filled in, and no more */
    size = room;
    memset(&table, 0xEE, sizeof(table));
    assert_int_equal(snp->Statistics(snp, FALSE, &size, &table.First), EFI_BUFFER_TOO_SMALL);
    assert_int_equal(size, sizeof(table));
    for(UINTN i = 0; i < 26; i++) {
      assert_true((((UINT64 *)&table)[i] == 0xEEEEEEEEEEEEEEEEULL) == (i >= room / 8));
    }
  }
  size = sizeof(table) + 8;
  assert_int_equal(snp->Statistics(snp, FALSE, &size, &table.First), EFI_SUCCESS);
  assert_int_equal(size, sizeof(table));
  assert_int_equal(snp->Statistics(snp, TRUE, NULL, NULL), EFI_SUCCESS);
  unit_machine_end(&machine);
}

static EFI_NETWORK_STATISTICS_2 all_statistics(EFI_SIMPLE_NETWORK_PROTOCOL *snp, BOOLEAN reset) {
  EFI_NETWORK_STATISTICS_2 table;
  UINTN size = sizeof(table);
  assert_int_equal(snp->Statistics(snp, reset, &size, &table.First), EFI_SUCCESS);
  return table;
}

static EFI_NETWORK_STATISTICS statistics(EFI_SIMPLE_NETWORK_PROTOCOL *snp, BOOLEAN reset) {
  return all_statistics(snp, reset).First;
}

/* A number of its own in every counter of the device ends up in its own field, and a reset takes each away by
 * itself. */
static void test_every_statistic(void **state) {
  (void)state;
  static const struct {
    UINT32 offset; /* of the register                                 */
    UINT32 value;
    UINTN field; /* in the table                                    */
  } rows[] = {
      {E1000_TPR, 1000, 0},   {E1000_GPRC, 900, 1},    {E1000_RUC, 11, 2},     {E1000_ROC, 12, 3},
      {E1000_MPC, 13, 4},     {E1000_BPRC, 200, 6},    {E1000_MPRC, 300, 7},   {E1000_CRCERRS, 14, 8},
      {E1000_TORL, 70001, 9}, {E1000_TPT, 2000, 10},   {E1000_GPTC, 1900, 11}, {E1000_BPTC, 400, 16},
      {E1000_MPTC, 500, 17},  {E1000_TOTL, 80001, 19}, {E1000_COLC, 15, 20},
  };
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
    UINT64 expected[26];
    memset(expected, 0xFF, sizeof(expected)); /* not counted */
    for(size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
      sim_poke(machine.nic->sim, rows[row].offset, rows[row].value);
      expected[rows[row].field] = rows[row].value;
    }
    expected[5] = 900 - 200 - 300; /* unicast is the rest */
    expected[15] = 1900 - 400 - 500;
    expected[14] = 77; /* handed back unsent: the driver's own count */
    unit_device(machine.nic)->nic.netdev->stats.tx_errors = 77;
    EFI_NETWORK_STATISTICS_2 table = all_statistics(snp, FALSE);
    for(UINTN field = 0; field < 26; field++) {
      assert_int_equal(((UINT64 *)&table)[field], expected[field]);
    }
    table = all_statistics(snp, TRUE);
    for(UINTN field = 0; field < 26; field++) {
      assert_int_equal(((UINT64 *)&table)[field], expected[field] == UINT64_MAX ? UINT64_MAX : 0);
    }
    for(size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
      sim_poke(machine.nic->sim, rows[row].offset, (UINT32)row + 1);
      table = all_statistics(snp, FALSE);
      assert_int_equal(((UINT64 *)&table)[rows[row].field], row + 1);
    }
    unit_machine_end(&machine);
  }
}

static void test_statistics_count(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  const UINT8 group[6] = {0x01, 0x00, 0x5E, 0x01, 0x02, 0x03};
  UINT8 frame[100];
  assert_int_equal(snp->ReceiveFilters(snp, 0x10, 0, FALSE, 0, NULL), EFI_SUCCESS);
  for(UINT32 round = 0; round < 2; round++) {
    assert_int_equal(arrives(machine.nic, snp->Mode->CurrentAddress.Addr), SIM_DELIVERED);
    assert_int_equal(arrives(machine.nic, broadcast), SIM_DELIVERED);
    assert_int_equal(arrives(machine.nic, group), SIM_DELIVERED);
    unit_frame(frame, sizeof(frame), broadcast, 1);
    assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
    EFI_NETWORK_STATISTICS table = statistics(snp, FALSE);
    assert_int_equal(table.RxTotalFrames, 3);
    assert_int_equal(table.RxGoodFrames, 3);
    assert_int_equal(table.RxUnicastFrames, 1);
    assert_int_equal(table.RxBroadcastFrames, 1);
    assert_int_equal(table.RxMulticastFrames, 1);
    assert_int_equal(table.RxTotalBytes, 3 * 64);
    assert_int_equal(table.TxTotalFrames, 1);
    assert_int_equal(table.TxBroadcastFrames, 1);
    assert_int_equal(table.TxUnicastFrames, 0);
    assert_int_equal(table.TxTotalBytes, sizeof(frame) + 4);
    assert_true(table.TxCrcErrorFrames == UINT64_MAX); /* not counted */
    /* zero after a reset, and the second round counts from there */
    table = statistics(snp, TRUE);
    assert_int_equal(table.RxTotalFrames, 0);
    assert_int_equal(table.TxTotalBytes, 0);
  }
  unit_machine_end(&machine);
}

/* Multicast addresses, NVM --------------------------------------------------------------------------------------- */

static void test_multicast(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  const UINT8 mac4[] = {0x01, 0x00, 0x5E, 0x7F, 0x02, 0x03};
  const UINT8 mac6[] = {0x33, 0x33, 0xAA, 0xBB, 0xCC, 0xDD};
  EFI_IP_ADDRESS ip = {.v4 = {{239, 255, 2, 3}}};
  EFI_MAC_ADDRESS mac;
  assert_int_equal(snp->MCastIpToMac(snp, FALSE, &ip, &mac), EFI_SUCCESS);
  assert_memory_equal(mac.Addr, mac4, sizeof(mac4));
  ip.v4.Addr[0] = 192;
  assert_int_equal(snp->MCastIpToMac(snp, FALSE, &ip, &mac), EFI_INVALID_PARAMETER);
  ip = (EFI_IP_ADDRESS){.v6 = {{0xFF, [12] = 0xAA, 0xBB, 0xCC, 0xDD}}};
  assert_int_equal(snp->MCastIpToMac(snp, TRUE, &ip, &mac), EFI_SUCCESS);
  assert_memory_equal(mac.Addr, mac6, sizeof(mac6));
  ip.v6.Addr[0] = 0xFE;
  assert_int_equal(snp->MCastIpToMac(snp, TRUE, &ip, &mac), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->MCastIpToMac(snp, TRUE, NULL, &mac), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->MCastIpToMac(snp, TRUE, &ip, NULL), EFI_INVALID_PARAMETER);
  unit_machine_end(&machine);
}

static void test_nvdata(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
    UINT8 bytes[128];
    assert_int_equal(snp->NvData(snp, TRUE, 0, sizeof(bytes), bytes), EFI_SUCCESS);
    for(UINT32 word = 0; word < 64; word++) {
      assert_int_equal(bytes[2 * word] | bytes[2 * word + 1] << 8, sim_nvm(machine.nic->sim, word));
    }
    assert_int_equal(snp->NvData(snp, TRUE, 126, 2, bytes), EFI_SUCCESS);
    assert_int_equal(snp->NvData(snp, TRUE, 1, 2, bytes), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->NvData(snp, TRUE, 0, 3, bytes), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->NvData(snp, TRUE, 0, 0, bytes), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->NvData(snp, TRUE, 126, 4, bytes), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->NvData(snp, TRUE, 128, 2, bytes), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->NvData(snp, TRUE, 0, 2, NULL), EFI_INVALID_PARAMETER);
    /* sums that go round */
    assert_int_equal(snp->NvData(snp, TRUE, UINT64_MAX - 1, 2, bytes), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->NvData(snp, TRUE, UINT64_MAX - 1, 4, bytes), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->NvData(snp, TRUE, 2, UINT64_MAX - 1, bytes), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->NvData(snp, TRUE, 126, UINT64_MAX - 123, bytes), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->NvData(snp, FALSE, 0, 2, bytes), EFI_UNSUPPORTED);
    if(unit_devices[i] == SIM_82540EM) {
      sim_knobs(machine.nic->sim)->eerd_never_done = true;
      assert_int_equal(snp->NvData(snp, TRUE, 0, 2, bytes), EFI_DEVICE_ERROR);
    }
    unit_machine_end(&machine);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_states),
      cmocka_unit_test(test_not_ours),
      cmocka_unit_test(test_mode),
      cmocka_unit_test(test_filter_arguments),
      cmocka_unit_test(test_filters_filter),
      cmocka_unit_test(test_what_resets),
      cmocka_unit_test(test_station_address),
      cmocka_unit_test(test_statistics_arguments),
      cmocka_unit_test(test_statistics_count),
      cmocka_unit_test(test_every_statistic),
      cmocka_unit_test(test_multicast),
      cmocka_unit_test(test_nvdata),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
