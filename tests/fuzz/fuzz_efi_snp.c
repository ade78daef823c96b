/* fuzz_efi_snp.c - SNP calls in any order and with any arguments, against the state machine of UEFI 2.10, 24.1: which
 * status each call must give, every transmit buffer back exactly once, frames in order. */
#include "fuzz.h"

#include "e1000_hw.h"
#include "unit_efi.h"

#define STEPS_MAX   300U
#define BUFFERS_MAX 2048U
#define STORED_MAX  4096U
#define FRAME       60U
#define RECEIVE_MAX 1600U
#define ADDRESSES   5U

static const uint8_t addresses[ADDRESSES][6] = {{0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3},
                                                {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
                                                {0x02, 0, 0, 0, 0, 0x07},
                                                {0x01, 0, 0x5E, 0, 0, 0x01},
                                                {0, 0, 0, 0, 0, 0}};

struct bench {
  struct fuzz in;
  struct unit_machine machine;
  struct sim *sim;
  EFI_SIMPLE_NETWORK_PROTOCOL *snp;
  UINT32 state; /* as the specification has it */

  void *buffer[BUFFERS_MAX]; /* every one that was ever given */
  bool with_driver[BUFFERS_MAX];
  uint32_t buffers;
  uint32_t owed;

  uint8_t stored[STORED_MAX]; /* index of the address of each frame that the device stored, from 1 */
  uint32_t last_stored;
  uint32_t next;
};

static struct bench bench;

static struct netdev *device(void) {
  return unit_device(bench.machine.nic)->nic.netdev;
}

static bool is_gone(void) {
  return device()->state == NETDEV_GONE;
}

/* What a call that needs an initialized interface answers, when it would answer `otherwise`. */
static EFI_STATUS expect(EFI_STATUS otherwise) {
  static const EFI_STATUS early[] = {EFI_NOT_STARTED, EFI_DEVICE_ERROR};
  return bench.state == EfiSimpleNetworkInitialized ? otherwise : early[bench.state];
}

static EFI_STATUS expect_running(EFI_STATUS otherwise) {
  return expect(is_gone() ? EFI_DEVICE_ERROR : otherwise);
}

static void forget_received(void) {
  bench.next = bench.last_stored + 1U;
}

static uint32_t waiting(void) {
  return bench.last_stored + 1U - bench.next;
}

/* States --------------------------------------------------------------------------------------------------------- */

static bool is_sound(void) {
  const struct sim_config *knobs = sim_knobs(bench.sim);
  return !knobs->gone && !knobs->reset_never_ends;
}

static void start(void) {
  bool stopped = bench.state == EfiSimpleNetworkStopped;
  assert_int_equal(bench.snp->Start(bench.snp), stopped ? EFI_SUCCESS : EFI_ALREADY_STARTED);
  bench.state = stopped ? EfiSimpleNetworkStarted : bench.state;
}

static void stop(void) {
  static const EFI_STATUS expected[] = {EFI_NOT_STARTED, EFI_SUCCESS, EFI_DEVICE_ERROR};
  assert_int_equal(bench.snp->Stop(bench.snp), expected[bench.state]);
  bench.state = bench.state == EfiSimpleNetworkStarted ? EfiSimpleNetworkStopped : bench.state;
}

static void initialize(uint8_t extra) {
  EFI_STATUS status = bench.snp->Initialize(bench.snp, extra & 1U, extra & 2U);
  if(bench.state != EfiSimpleNetworkStarted) {
    assert_int_equal(status, bench.state == EfiSimpleNetworkStopped ? EFI_NOT_STARTED : EFI_DEVICE_ERROR);
  } else if(extra & 3U) {
    assert_int_equal(status, EFI_UNSUPPORTED);
  } else {
    assert_int_equal(status, is_sound() ? EFI_SUCCESS : EFI_DEVICE_ERROR);
    bench.state = status == EFI_SUCCESS ? EfiSimpleNetworkInitialized : EfiSimpleNetworkStarted;
    forget_received();
  }
}

/* Buffers that the driver still has need not come back after that. */
static void forget_buffers(void) {
  memset(bench.with_driver, 0, sizeof(bench.with_driver));
  bench.owed = 0;
}

static void shutdown(void) {
  assert_int_equal(bench.snp->Shutdown(bench.snp), expect(EFI_SUCCESS));
  if(bench.state == EfiSimpleNetworkInitialized) {
    bench.state = EfiSimpleNetworkStarted;
    forget_buffers();
    forget_received();
  }
}

static void reset(void) {
  EFI_STATUS expected = expect(is_sound() ? EFI_SUCCESS : EFI_DEVICE_ERROR);
  assert_int_equal(bench.snp->Reset(bench.snp, FALSE), expected);
  if(bench.state == EfiSimpleNetworkInitialized) {
    forget_received();
    if(expected != EFI_SUCCESS) {
      bench.state = EfiSimpleNetworkStarted;
      forget_buffers();
    }
  }
}

/* Takes the driver off the NIC, whatever the state, and puts it on again; the NIC is healthy then. */
static void rebind(void) {
  assert_int_equal(firmware_disconnect(bench.machine.nic->handle, NULL), EFI_SUCCESS);
  *sim_knobs(bench.sim) = unit_config(sim_knobs(bench.sim)->device_id);
  assert_int_equal(firmware_connect(bench.machine.nic->handle), EFI_SUCCESS);
  bench.snp = unit_snp(bench.machine.nic);
  bench.state = EfiSimpleNetworkStopped;
  forget_buffers();
  forget_received();
}

/* Frames --------------------------------------------------------------------------------------------------------- */

static void transmit(uint16_t how, UINTN size) {
  UINTN header = how & 1U ? how >> 12 : how & 2U ? 14U : 0U;
  EFI_MAC_ADDRESS mac = {{2, 4, 6}};
  EFI_MAC_ADDRESS *source = how & 4U ? &mac : NULL;
  EFI_MAC_ADDRESS *destination = how & 8U ? NULL : &mac;
  UINT16 type = 0x88B5U;
  UINT16 *protocol = how & 0x10U ? NULL : &type;
  if(bench.buffers == BUFFERS_MAX) {
    return;
  }
  uint8_t *frame = calloc(1, size ? size : 1U);
  assert_non_null(frame);
  bench.buffer[bench.buffers++] = frame; /* freed at the end, so that no address comes twice */
  EFI_STATUS expected = EFI_SUCCESS;
  if((how & 0xE0U) == 0xE0U || (header && (header != 14U || !destination || !protocol))) {
    expected = EFI_INVALID_PARAMETER;
  } else if(size < 14U || size > NETDEV_MAX_TAGGED_FRAME) {
    expected = size < 14U ? EFI_BUFFER_TOO_SMALL : EFI_INVALID_PARAMETER;
  } else if(is_gone()) {
    expected = EFI_DEVICE_ERROR;
  }
  size_t sent = sim_frames(bench.sim);
  EFI_STATUS status = bench.snp->Transmit(bench.snp, header, size, (how & 0xE0U) == 0xE0U ? NULL : frame, source,
                                          destination, protocol);
  if(status == EFI_NOT_READY && expect(expected) == EFI_SUCCESS) {
    assert_true(bench.owed == SNP_RECYCLE_SIZE || sim_knobs(bench.sim)->tx_held || sim_knobs(bench.sim)->gone);
    return;
  }
  assert_int_equal(status, expect(expected));
  if(status == EFI_SUCCESS) {
    bench.with_driver[bench.buffers - 1U] = true;
    bench.owed++;
    assert_true(!header || (frame[12] == 0x88U && frame[13] == 0xB5U && frame[0] == 2U));
    assert_true(sim_frames(bench.sim) >= sent);
  }
}

static void take_back(const void *buffer) {
  uint32_t number = 0;
  while(number < bench.buffers && bench.buffer[number] != buffer) {
    number++;
  }
  assert_true(number < bench.buffers && bench.with_driver[number]);
  bench.with_driver[number] = false;
  bench.owed--;
}

/* True when a buffer came back. */
static bool get_status(uint8_t how) {
  void *buffer = &bench; /* must be overwritten */
  UINT32 causes = 0;
  bool comes_back = (how & 1U) && bench.owed > 0; /* from a device that has gone, everything does first */
  EFI_STATUS otherwise = is_gone() && !comes_back ? EFI_DEVICE_ERROR : EFI_SUCCESS;
  uint32_t there = waiting();
  EFI_STATUS status = bench.snp->GetStatus(bench.snp, how & 2U ? &causes : NULL, how & 1U ? &buffer : NULL);
  assert_int_equal(status, expect(otherwise));
  assert_int_equal(causes & ~(UINT32)3U, 0);
  if(status != EFI_SUCCESS) {
    return false;
  }
  assert_int_equal(bench.snp->Mode->MediaPresent, device()->link.up);
  if((how & 2U) && !is_gone() && bench.snp->Mode->MediaPresent) {
    assert_int_equal(causes & EFI_SIMPLE_NETWORK_RECEIVE_INTERRUPT, there > 0);
  }
  if(!(how & 1U)) {
    return false;
  }
  if(!buffer) {
    assert_true(bench.owed == 0 || sim_knobs(bench.sim)->tx_held || sim_knobs(bench.sim)->gone);
    return false;
  }
  take_back(buffer);
  return true;
}

/* As the mode says: a driver may let more through, never less. */
static bool is_wanted(const uint8_t to[6]) {
  const EFI_SIMPLE_NETWORK_MODE *mode = bench.snp->Mode;
  UINT32 setting = mode->ReceiveFilterSetting;
  if(setting & EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS) {
    return true;
  }
  if(!(to[0] & 1U)) {
    return (setting & EFI_SIMPLE_NETWORK_RECEIVE_UNICAST) && memcmp(to, mode->CurrentAddress.Addr, 6) == 0;
  }
  if(to[0] == 0xFFU) {
    return (setting & EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST) != 0;
  }
  bool listed = (setting & EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS_MULTICAST) != 0;
  for(UINT32 i = 0; (setting & EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST) && i < mode->MCastFilterCount; i++) {
    listed = listed || memcmp(to, mode->MCastFilter[i].Addr, 6) == 0;
  }
  return listed;
}

static void inject(uint8_t how) {
  uint8_t frame[FRAME];
  for(uint32_t i = 0; i <= how / 32U && bench.last_stored + 1U < STORED_MAX; i++) {
    uint8_t to = how % ADDRESSES;
    unit_frame(frame, sizeof(frame), addresses[to], bench.last_stored + 1U);
    enum sim_delivery delivery = sim_inject(bench.sim, frame, sizeof(frame));
    assert_true(delivery != SIM_DELIVERED || bench.state == EfiSimpleNetworkInitialized);
    assert_true(delivery != SIM_FILTERED || !is_wanted(addresses[to]));
    if(delivery == SIM_DELIVERED) {
      bench.stored[++bench.last_stored] = to;
    }
  }
}

static void receive(void) {
  uint8_t how = fuzz_u8(&bench.in);
  UINTN size = fuzz_u8(&bench.in);
  UINTN room = size;
  UINTN header = 0;
  UINT16 type = 0;
  EFI_MAC_ADDRESS source;
  EFI_MAC_ADDRESS to;
  uint8_t *buffer = calloc(1, size ? size : 1U);
  assert_non_null(buffer);
  bool nothing = (how & 3U) == 3U;
  EFI_STATUS otherwise = waiting() == 0 ? EFI_NOT_READY : room < FRAME ? EFI_BUFFER_TOO_SMALL : EFI_SUCCESS;
  EFI_STATUS expected = nothing ? expect(EFI_INVALID_PARAMETER) : expect_running(otherwise);
  EFI_STATUS status =
      bench.snp->Receive(bench.snp, how & 4U ? &header : NULL, nothing && (how & 0x20U) ? NULL : &size,
                         nothing && !(how & 0x20U) ? NULL : buffer, how & 8U ? &source : NULL, &to, &type);
  assert_int_equal(status, expected);
  assert_true(size == room || status == EFI_SUCCESS || status == EFI_BUFFER_TOO_SMALL);
  if(status == EFI_SUCCESS) {
    uint8_t frame[FRAME];
    unit_frame(frame, sizeof(frame), addresses[bench.stored[bench.next]], bench.next);
    bench.next++;
    assert_int_equal(size, FRAME);
    assert_memory_equal(buffer, frame, FRAME);
    assert_true(type == 0x88B5U && memcmp(to.Addr, frame, 6) == 0);
  }
  free(buffer);
}

/* Settings ------------------------------------------------------------------------------------------------------- */

static void set_filters(void) {
  EFI_MAC_ADDRESS list[MAX_MCAST_FILTER_CNT + 1U];
  EFI_SIMPLE_NETWORK_MODE before = *bench.snp->Mode;
  UINT32 enable = fuzz_u8(&bench.in) & 0x3FU;
  UINT32 disable = fuzz_u8(&bench.in) & 0x3FU;
  uint8_t how = fuzz_u8(&bench.in);
  UINTN count = how % (MAX_MCAST_FILTER_CNT + 2U);
  BOOLEAN clear = how >> 7;
  bool good = true;
  memset(list, 0, sizeof(list));
  for(UINTN i = 0; i < count; i++) {
    uint8_t value = fuzz_u8(&bench.in);
    list[i].Addr[0] = value == 0xFFU ? 2U : 1U;
    list[i].Addr[2] = 0x5EU;
    list[i].Addr[5] = value;
    good = good && value != 0xFFU;
  }
  bool named = (enable & EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST) != 0;
  EFI_STATUS expected = EFI_SUCCESS;
  if(((enable | disable) & 0x20U) || (!clear && (count > MAX_MCAST_FILTER_CNT || (named && (count == 0 || !good))))) {
    expected = EFI_INVALID_PARAMETER;
  } /* and a device that has gone receives nothing, which suits every filter */
  EFI_STATUS status = bench.snp->ReceiveFilters(bench.snp, enable, disable, clear, count, list);
  assert_int_equal(status, expect(expected));
  const EFI_SIMPLE_NETWORK_MODE *mode = bench.snp->Mode;
  if(status == EFI_SUCCESS) {
    disable |= clear ? EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST : 0U;
    assert_int_equal(mode->ReceiveFilterSetting, (before.ReceiveFilterSetting | enable) & ~disable);
    assert_int_equal(mode->MCastFilterCount, clear ? 0 : named ? count : before.MCastFilterCount);
    assert_true(clear || !named || memcmp(mode->MCastFilter, list, count * sizeof(list[0])) == 0);
  } else {
    assert_memory_equal(mode, &before, sizeof(before));
  }
}

static void set_address(uint8_t how) {
  EFI_MAC_ADDRESS mac = {{0}};
  memcpy(mac.Addr, addresses[how % ADDRESSES], 6);
  BOOLEAN back = (how & 0x40U) != 0;
  bool none = (how & 0x80U) != 0;
  bool valid = back || (!none && !(mac.Addr[0] & 1U) && how % ADDRESSES != 4U);
  EFI_STATUS status = bench.snp->StationAddress(bench.snp, back, none ? NULL : &mac);
  assert_int_equal(status, valid ? expect_running(EFI_SUCCESS) : expect(EFI_INVALID_PARAMETER));
  if(status == EFI_SUCCESS) {
    assert_memory_equal(bench.snp->Mode->CurrentAddress.Addr, back ? bench.snp->Mode->PermanentAddress.Addr : mac.Addr,
                        6);
  }
}

static void get_statistics(uint8_t how) {
  UINTN size = how & 1U ? sizeof(EFI_NETWORK_STATISTICS_2) + how / 64U : how;
  bool no_size = (how & 6U) == 6U;
  bool no_table = (how & 8U) != 0;
  EFI_NETWORK_STATISTICS_2 *table = calloc(1, size ? size : 1U);
  assert_non_null(table);
  EFI_STATUS otherwise = no_table || size < sizeof(*table) ? EFI_BUFFER_TOO_SMALL : EFI_SUCCESS;
  if(no_size) {
    otherwise = no_table ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
  }
  EFI_STATUS status =
      bench.snp->Statistics(bench.snp, how >> 4 & 1U, no_size ? NULL : &size, no_table ? NULL : &table->First);
  assert_int_equal(status, expect(otherwise));
  if(status == EFI_SUCCESS && !no_size) {
    assert_int_equal(size, sizeof(*table));
    assert_true(!(how & 0x10U) || (table->First.RxTotalFrames == 0 && table->First.TxTotalFrames == 0));
  }
  free(table);
}

static void translate(void) {
  EFI_IP_ADDRESS ip;
  EFI_MAC_ADDRESS mac;
  uint8_t how = fuzz_u8(&bench.in);
  (void)fuzz_bytes(&bench.in, &ip, sizeof(ip));
  BOOLEAN ipv6 = how & 1U;
  uint8_t first = ipv6 ? ip.v6.Addr[0] : ip.v4.Addr[0];
  bool group = ipv6 ? first == 0xFFU : first >> 4 == 0xEU;
  EFI_STATUS status = bench.snp->MCastIpToMac(bench.snp, ipv6, &ip, &mac);
  assert_int_equal(status, expect(group ? EFI_SUCCESS : EFI_INVALID_PARAMETER));
  assert_true(status != EFI_SUCCESS || ((mac.Addr[0] & 1U) && mac.Addr[5] == (ipv6 ? ip.v6.Addr[15] : ip.v4.Addr[3])));
}

static void read_nvm(void) {
  UINTN offset = fuzz_u8(&bench.in);
  UINTN size = fuzz_u8(&bench.in);
  BOOLEAN read = fuzz_u8(&bench.in) % 4U != 0;
  uint8_t *buffer = calloc(1, size ? size : 1U);
  assert_non_null(buffer);
  EFI_STATUS otherwise = read ? EFI_SUCCESS : EFI_UNSUPPORTED;
  if(offset % 2U || size % 2U || size == 0 || offset + size > 128U) {
    otherwise = EFI_INVALID_PARAMETER;
  } else if(read && sim_knobs(bench.sim)->gone) {
    otherwise = EFI_DEVICE_ERROR;
  }
  EFI_STATUS status = bench.snp->NvData(bench.snp, read, offset, size, buffer);
  assert_int_equal(status, expect(otherwise));
  for(UINTN i = 0; status == EFI_SUCCESS && i < size; i += 2U) {
    assert_int_equal(buffer[i] | buffer[i + 1U] << 8, sim_nvm(bench.sim, (uint32_t)(offset + i) / 2U));
  }
  free(buffer);
}

/* The rest ------------------------------------------------------------------------------------------------------- */

static void turn_knobs(uint8_t bits) {
  struct sim_config *knobs = sim_knobs(bench.sim);
  knobs->link_down = bits & 1U;
  knobs->tx_held = bits & 2U;
  knobs->reset_never_ends = (bits & 0x0CU) == 0x0CU;
  knobs->gone = knobs->gone || (bits & 0x70U) == 0x70U;
  sim_step(bench.sim);
}

/* Time goes on; the heartbeat may find that the NIC hangs, and reset it. */
static void let_pass(uint8_t ticks) {
  uint64_t hangs = device()->stats.tx_hangs;
  firmware_tick(ticks);
  if(device()->stats.tx_hangs != hangs) {
    forget_received();
  }
}

static void wait_for_packet(void) {
  bool there = bench.state == EfiSimpleNetworkInitialized && !is_gone() && waiting() > 0;
  assert_int_equal(BS->CheckEvent(bench.snp->WaitForPacket), there ? EFI_SUCCESS : EFI_NOT_READY);
}

static void step(void) {
  uint8_t what = fuzz_u8(&bench.in);
  switch(what % 18U) {
  case 0:
    start();
    break;
  case 1:
    stop();
    break;
  case 2:
    initialize(what >= 0xC0U ? fuzz_u8(&bench.in) : 0);
    break;
  case 3:
    shutdown();
    break;
  case 4:
    reset();
    break;
  case 5: {
    uint16_t how = fuzz_u16(&bench.in);
    transmit(how, fuzz_u16(&bench.in) % 1600U);
    break;
  }
  case 6:
    for(uint32_t i = 0; i <= what; i++) {
      transmit(0, FRAME);
    }
    break;
  case 7:
    (void)get_status(fuzz_u8(&bench.in));
    break;
  case 8:
    while(get_status(1)) {
    }
    break;
  case 9:
    inject(fuzz_u8(&bench.in));
    break;
  case 10:
    receive();
    break;
  case 11:
    set_filters();
    break;
  case 12:
    set_address(fuzz_u8(&bench.in));
    break;
  case 13:
    get_statistics(fuzz_u8(&bench.in));
    break;
  case 14:
    what >= 0x80U ? translate() : read_nvm();
    break;
  case 15:
    turn_knobs(fuzz_u8(&bench.in));
    break;
  case 16:
    let_pass(fuzz_u8(&bench.in));
    break;
  default:
    what >= 0xE0U ? rebind() : wait_for_packet();
    break;
  }
  assert_int_equal(bench.snp->Mode->State, bench.state);
  assert_int_equal(firmware_tpl(), TPL_APPLICATION);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const UINT32 ring = 16;
  memset(&bench, 0, sizeof(bench));
  bench.in = (struct fuzz){data, size};
  bench.next = 1;
  bench.machine = unit_machine(fuzz_device(&bench.in));
  bench.sim = bench.machine.nic->sim;
  firmware_set_variable(&ring, sizeof(ring));
  assert_int_equal(firmware_connect(bench.machine.nic->handle), EFI_SUCCESS);
  bench.snp = unit_snp(bench.machine.nic);
  for(uint32_t i = 0; i < STEPS_MAX && bench.in.left > 0; i++) {
    step();
  }
  unit_machine_end(&bench.machine);
  for(uint32_t i = 0; i < bench.buffers; i++) {
    free(bench.buffer[i]);
  }
  return 0;
}
