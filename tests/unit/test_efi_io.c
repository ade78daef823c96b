/* test_efi_io.c - EFI_SIMPLE_NETWORK_PROTOCOL: frames in both directions, status, media, and a NIC that fails. */
#include "unit_efi.h"

#define TYPE 0x88B5U

static const UINT8 broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

/* The frame that the simulator sent last is this one, padded with zeroes to 60 bytes. */
static void assert_sent(struct sim *sim, const UINT8 *frame, UINTN length) {
  static const UINT8 zero[60];
  size_t sent_length;
  assert_int_not_equal(sim_frames(sim), 0);
  const UINT8 *sent = sim_frame(sim, sim_frames(sim) - 1, &sent_length);
  assert_int_equal(sent_length, length < 60 ? 60 : length);
  assert_memory_equal(sent, frame, length);
  if(length < 60) {
    assert_memory_equal(sent + length, zero, 60 - length);
  }
}

static VOID *collect(EFI_SIMPLE_NETWORK_PROTOCOL *snp) {
  VOID *buffer = snp; /* must be overwritten */
  assert_int_equal(snp->GetStatus(snp, NULL, &buffer), EFI_SUCCESS);
  return buffer;
}

/* Transmit ------------------------------------------------------------------------------------------------------- */

static void test_transmit_arguments(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  EFI_MAC_ADDRESS to = snp->Mode->BroadcastAddress;
  UINT8 frame[1600] = {0};
  UINT16 type = TYPE;
  assert_int_equal(snp->Transmit(snp, 0, 64, NULL, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Transmit(snp, 0, 13, frame, NULL, NULL, NULL), EFI_BUFFER_TOO_SMALL);
  assert_int_equal(snp->Transmit(snp, 0, 1519, frame, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Transmit(snp, 13, 64, frame, NULL, &to, &type), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Transmit(snp, 14, 64, frame, NULL, NULL, &type), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Transmit(snp, 14, 64, frame, NULL, &to, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(sim_frames(machine.nic->sim), 0);
  assert_null(collect(snp));
  unit_machine_end(&machine);
}

static void test_transmit_every_length(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
    UINT8 frame[1518];
    for(UINT32 length = 14; length <= 1518; length++) {
      unit_frame(frame, length, broadcast, length);
      assert_int_equal(snp->Transmit(snp, 0, length, frame, NULL, NULL, NULL), EFI_SUCCESS);
      assert_sent(machine.nic->sim, frame, length);
      assert_ptr_equal(collect(snp), frame);
      assert_null(collect(snp));
    }
    unit_machine_end(&machine);
  }
}

static void test_transmit_fills_the_header(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  EFI_MAC_ADDRESS from = {.Addr = {0x52, 1, 2, 3, 4, 5}};
  EFI_MAC_ADDRESS to = {.Addr = {0x52, 9, 8, 7, 6, 5}};
  UINT8 frame[64] = {0};
  UINT16 type = 0x0806;
  assert_int_equal(snp->Transmit(snp, 14, sizeof(frame), frame, &from, &to, &type), EFI_SUCCESS);
  assert_sent(machine.nic->sim, frame, sizeof(frame));
  assert_memory_equal(frame, to.Addr, 6);
  assert_memory_equal(frame + 6, from.Addr, 6);
  assert_true(frame[12] == 0x08 && frame[13] == 0x06);
  assert_int_equal(snp->Transmit(snp, 14, sizeof(frame), frame, NULL, &to, &type), EFI_SUCCESS);
  assert_sent(machine.nic->sim, frame, sizeof(frame));
  assert_memory_equal(frame + 6, snp->Mode->CurrentAddress.Addr, 6);
  unit_machine_end(&machine);
}

/* Nobody collects: there must be an honest refusal in the end, and every buffer comes back once, the oldest first. */
static void test_buffers_come_back(void **state) {
  (void)state;
  static UINT8 frames[SNP_RECYCLE_SIZE + 1][60];
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  for(UINT32 round = 0; round < 3; round++) {
    UINTN sent = 0;
    while(snp->Transmit(snp, 0, sizeof(frames[0]), frames[sent], NULL, NULL, NULL) == EFI_SUCCESS) {
      sent++;
    }
    assert_int_equal(sent, SNP_RECYCLE_SIZE);
    assert_int_equal(snp->Transmit(snp, 0, 60, frames[sent], NULL, NULL, NULL), EFI_NOT_READY);
    for(UINTN i = 0; i < sent; i++) {
      assert_ptr_equal(collect(snp), frames[i]);
    }
    assert_null(collect(snp));
  }
  unit_machine_end(&machine);
}

/* A transmitter that stands still: the ring fills, is refused, and all comes back by Reset. */
static void test_full_ring_and_reset(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  UINT8 frame[60] = {0};
  UINTN sent = 0;
  sim_knobs(machine.nic->sim)->tx_held = true;
  while(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL) == EFI_SUCCESS) {
    sent++;
  }
  assert_int_equal(sent, E1000_RING_DEFAULT - 1);
  assert_null(collect(snp));
  assert_int_equal(snp->Reset(snp, TRUE), EFI_SUCCESS);
  for(UINTN i = 0; i < sent; i++) {
    assert_ptr_equal(collect(snp), frame);
  }
  assert_null(collect(snp));
  /* Shutdown keeps nothing back */
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(snp->Shutdown(snp), EFI_SUCCESS);
  assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
  assert_null(collect(snp));
  unit_machine_end(&machine);
}

/* A refusal takes no place in anything: however many there were, the next frame goes when there is room. */
static void test_many_refusals(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  UINT8 frame[60] = {0};
  UINTN sent = 0;
  sim_knobs(machine.nic->sim)->tx_held = true;
  while(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL) == EFI_SUCCESS) {
    sent++;
  }
  for(UINTN i = 0; i < SNP_RECYCLE_SIZE; i++) {
    assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_NOT_READY);
  }
  sim_knobs(machine.nic->sim)->tx_held = false;
  sim_step(machine.nic->sim);
  for(UINTN i = 0; i < sent; i++) {
    assert_ptr_equal(collect(snp), frame);
  }
  assert_null(collect(snp));
  for(UINTN i = 0; i < SNP_RECYCLE_SIZE; i++) { /* and all the places are there */
    assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  }
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_NOT_READY);
  unit_machine_end(&machine);
}

/* Receive -------------------------------------------------------------------------------------------------------- */

static void test_receive_every_length(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
    UINT8 frame[1518];
    UINT8 got[1600];
    for(UINT32 length = 60; length <= 1518; length++) {
      UINTN header = 0;
      UINTN size = sizeof(got);
      EFI_MAC_ADDRESS from;
      EFI_MAC_ADDRESS to;
      UINT16 type = 0;
      unit_frame(frame, length, snp->Mode->CurrentAddress.Addr, length);
      assert_int_equal(sim_inject(machine.nic->sim, frame, length), SIM_DELIVERED);
      assert_int_equal(snp->Receive(snp, &header, &size, got, &from, &to, &type), EFI_SUCCESS);
      assert_int_equal(size, length);
      assert_int_equal(header, 14);
      assert_int_equal(type, TYPE);
      assert_memory_equal(got, frame, length);
      assert_memory_equal(to.Addr, frame, 6);
      assert_memory_equal(from.Addr, frame + 6, 6);
      assert_int_equal(snp->Receive(snp, NULL, &size, got, NULL, NULL, NULL), EFI_NOT_READY);
    }
    unit_machine_end(&machine);
  }
}

static void test_receive_arguments(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  UINT8 frame[100];
  UINT8 got[100];
  UINTN size = 99;
  unit_frame(frame, sizeof(frame), broadcast, 3);
  assert_int_equal(sim_inject(machine.nic->sim, frame, sizeof(frame)), SIM_DELIVERED);
  assert_int_equal(snp->Receive(snp, NULL, &size, NULL, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Receive(snp, NULL, NULL, got, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
  assert_int_equal(snp->Receive(snp, NULL, &size, got, NULL, NULL, NULL), EFI_BUFFER_TOO_SMALL);
  assert_int_equal(size, sizeof(frame));
  assert_int_equal(snp->Receive(snp, NULL, &size, got, NULL, NULL, NULL), EFI_SUCCESS);
  assert_memory_equal(got, frame, sizeof(frame));
  unit_machine_end(&machine);
}

static void put_tag(UINT8 *frame, UINT16 type, UINT16 control, UINT16 inner) {
  const UINT8 bytes[6] = {(UINT8)(type >> 8), (UINT8)type,         (UINT8)(control >> 8),
                          (UINT8)control,     (UINT8)(inner >> 8), (UINT8)inner};
  memcpy(frame + 12, bytes, sizeof(bytes));
}

/* A priority tag (VLAN 0) goes before anything is reported; every other tag stays. */
static void test_priority_tag_is_taken_off(void **state) {
  (void)state;
  static const struct {
    UINT16 type;
    UINT16 control;
    BOOLEAN off;
  } rows[] = {
      {0x8100, 0x0000, TRUE},  {0x8100, 0xE000, TRUE},  {0x8100, 0xF000, TRUE},  {0x8100, 0x1000, TRUE},
      {0x8100, 0x0001, FALSE}, {0x8100, 0xE800, FALSE}, {0x8100, 0x0FFF, FALSE}, {0x88A8, 0x0000, FALSE},
      {0x9100, 0x0000, FALSE}, {0x0081, 0x0000, FALSE},
  };
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    for(UINT32 length = 60; length <= 1518; length += 729) {
      UINT8 frame[1518];
      UINT8 got[1518];
      UINTN wanted = rows[i].off ? length - 4 : length;
      UINTN size = wanted - 1;
      UINTN header = 0;
      UINT16 type = 0;
      unit_frame(frame, length, broadcast, length);
      put_tag(frame, rows[i].type, rows[i].control, 0x0800);
      assert_int_equal(sim_inject(machine.nic->sim, frame, length), SIM_DELIVERED);
      memset(got, 0xEE, sizeof(got));
      assert_int_equal(snp->Receive(snp, &header, &size, got, NULL, NULL, &type), EFI_BUFFER_TOO_SMALL);
      assert_int_equal(size, wanted);
      assert_int_equal(got[0], 0xEE);
      assert_int_equal(snp->Receive(snp, &header, &size, got, NULL, NULL, &type), EFI_SUCCESS);
      assert_int_equal(size, wanted);
      assert_int_equal(header, 14);
      assert_int_equal(type, rows[i].off ? 0x0800 : rows[i].type);
      assert_memory_equal(got, frame, 12);
      assert_memory_equal(got + 12, frame + (rows[i].off ? 16 : 12), wanted - 12);
      assert_true(wanted == sizeof(got) || got[wanted] == 0xEE);
    }
  }
  /* one that is cut off inside its tag is left as it is, and of two tags the first goes */
  UINT8 frame[60];
  UINT8 got[60];
  UINTN size = sizeof(got);
  UINT16 type = 0;
  unit_frame(frame, sizeof(frame), broadcast, 1);
  put_tag(frame, 0x8100, 0, 0x8100);
  assert_int_equal(sim_inject_raw(machine.nic->sim, frame, sizeof(frame), 3, 0, 17), SIM_DELIVERED);
  assert_int_equal(snp->Receive(snp, NULL, &size, got, NULL, NULL, &type), EFI_SUCCESS);
  assert_int_equal(size, 17);
  assert_int_equal(type, 0x8100);
  assert_memory_equal(got, frame, 17);
  frame[18] = 0x00;
  frame[19] = 0x05;
  size = sizeof(got);
  assert_int_equal(sim_inject(machine.nic->sim, frame, sizeof(frame)), SIM_DELIVERED);
  assert_int_equal(snp->Receive(snp, NULL, &size, got, NULL, NULL, &type), EFI_SUCCESS);
  assert_int_equal(size, 56);
  assert_memory_equal(got + 12, "\x81\x00\x00\x05", 4);
  unit_machine_end(&machine);
}

/* Status --------------------------------------------------------------------------------------------------------- */

static UINT32 causes(EFI_SIMPLE_NETWORK_PROTOCOL *snp) {
  UINT32 status = UINT32_MAX;
  assert_int_equal(snp->GetStatus(snp, &status, NULL), EFI_SUCCESS);
  return status;
}

static void test_causes_and_waiting(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  UINT8 frame[60];
  UINTN size = sizeof(frame);
  unit_frame(frame, sizeof(frame), broadcast, 1);
  assert_int_equal(causes(snp), 0);
  assert_int_equal(BS->CheckEvent(snp->WaitForPacket), EFI_NOT_READY);
  assert_int_equal(sim_inject(machine.nic->sim, frame, sizeof(frame)), SIM_DELIVERED);
  assert_int_equal(BS->CheckEvent(snp->WaitForPacket), EFI_SUCCESS);
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(causes(snp), 3); /* a frame waits, one was sent */
  assert_int_equal(causes(snp), 1); /* the second is told once     */
  assert_int_equal(snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(causes(snp), 0);
  assert_int_equal(BS->CheckEvent(snp->WaitForPacket), EFI_NOT_READY);
  assert_int_equal(snp->GetStatus(snp, NULL, NULL), EFI_SUCCESS);
  assert_int_equal(snp->Shutdown(snp), EFI_SUCCESS);
  assert_int_equal(BS->CheckEvent(snp->WaitForPacket), EFI_NOT_READY);
  unit_machine_end(&machine);
}

static void test_media_comes_and_goes(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  UINT8 frame[60];
  unit_frame(frame, sizeof(frame), broadcast, 1);
  assert_int_equal(sim_inject(machine.nic->sim, frame, sizeof(frame)), SIM_DELIVERED);
  assert_true(snp->Mode->MediaPresent);
  sim_knobs(machine.nic->sim)->link_down = true;
  firmware_tick(10);
  assert_int_equal(causes(snp), 0); /* without media there are no causes */
  assert_false(snp->Mode->MediaPresent);
  sim_knobs(machine.nic->sim)->link_down = false;
  firmware_tick(10);
  assert_int_equal(causes(snp), 1);
  assert_true(snp->Mode->MediaPresent);
  unit_machine_end(&machine);
}

/* The price list of driver/NOTES.md, through SNP. */
static void test_register_accesses(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  UINT8 frame[60];
  unit_frame(frame, sizeof(frame), broadcast, 1);
  sim_forget_accesses(machine.nic->sim);
  for(UINTN i = 0; i < 100; i++) {
    UINTN size = sizeof(frame);
    assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
    assert_ptr_equal(collect(snp), frame);
    assert_int_equal(causes(snp), 2);
    assert_int_equal(snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL), EFI_NOT_READY);
    assert_int_equal(BS->CheckEvent(snp->WaitForPacket), EFI_NOT_READY);
  }
  assert_int_equal(sim_writes(machine.nic->sim), 100);
  assert_int_equal(sim_reads(machine.nic->sim), 0);
  unit_machine_end(&machine);
}

/* A NIC that fails ----------------------------------------------------------------------------------------------- */

static void test_removal(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82574L);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  UINT8 frame[60] = {0};
  UINTN size = sizeof(frame);
  UINT32 status;
  sim_knobs(machine.nic->sim)->tx_held = true;
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  sim_knobs(machine.nic->sim)->gone = true;
  firmware_tick(10);
  assert_int_equal(snp->GetStatus(snp, &status, NULL), EFI_DEVICE_ERROR);
  assert_false(snp->Mode->MediaPresent);
  assert_ptr_equal(collect(snp), frame); /* what was under way comes back first */
  VOID *buffer = frame;
  assert_int_equal(snp->GetStatus(snp, NULL, &buffer), EFI_DEVICE_ERROR);
  assert_null(buffer);
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_DEVICE_ERROR);
  assert_int_equal(snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL), EFI_DEVICE_ERROR);
  assert_int_equal(snp->ReceiveFilters(snp, 8, 0, FALSE, 0, NULL), EFI_SUCCESS); /* or the stack never lets go of it */
  assert_int_equal(snp->StationAddress(snp, TRUE, NULL), EFI_DEVICE_ERROR);
  assert_int_equal(snp->Reset(snp, FALSE), EFI_DEVICE_ERROR);
  assert_int_equal(snp->Mode->State, EfiSimpleNetworkStarted);
  assert_int_equal(snp->Initialize(snp, 0, 0), EFI_DEVICE_ERROR);
  assert_int_equal(snp->Stop(snp), EFI_SUCCESS);
  unit_machine_end(&machine);
}

/* One read that the bus lost: the NIC counts as gone, but must not write into the rings that are then given back. */
static void test_one_lost_read(void **state) {
  (void)state;
  for(size_t i = 0; i < UNIT_DEVICES; i++) {
    struct unit_machine machine = unit_machine(unit_devices[i]);
    EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
    UINT32 status;
    sim_knobs(machine.nic->sim)->read_fails_at = sim_accesses(machine.nic->sim) + 1;
    firmware_tick(10);
    assert_int_equal(snp->GetStatus(snp, &status, NULL), EFI_DEVICE_ERROR);
    assert_int_equal(sim_peek(machine.nic->sim, E1000_RCTL) & E1000_RCTL_EN, 0);
    assert_int_equal(sim_peek(machine.nic->sim, E1000_TCTL) & E1000_TCTL_EN, 0);
    unit_machine_end(&machine);
  }
}

static void test_reset_that_never_ends(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  sim_knobs(machine.nic->sim)->reset_never_ends = true;
  assert_int_equal(snp->Reset(snp, FALSE), EFI_DEVICE_ERROR);
  assert_int_equal(snp->Mode->State, EfiSimpleNetworkStarted);
  assert_false(snp->Mode->MediaPresent);
  assert_int_equal(snp->Initialize(snp, 0, 0), EFI_DEVICE_ERROR);
  sim_knobs(machine.nic->sim)->reset_never_ends = false;
  assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
  assert_true(snp->Mode->MediaPresent);
  unit_machine_end(&machine);
}

/* The heartbeat finds a transmitter that hangs, resets the NIC, and the frame comes back. */
static void test_heartbeat_recovers(void **state) {
  (void)state;
  struct unit_machine machine = unit_machine(SIM_82540EM);
  EFI_SIMPLE_NETWORK_PROTOCOL *snp = unit_open(machine.nic);
  UINT8 frame[60] = {0};
  sim_knobs(machine.nic->sim)->tx_held = true;
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  firmware_tick(300);
  assert_int_equal(netdev_get_stats(unit_device(machine.nic)->nic.netdev)->tx_hangs, 1);
  assert_ptr_equal(collect(snp), frame);
  sim_knobs(machine.nic->sim)->tx_held = false;
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame), frame, NULL, NULL, NULL), EFI_SUCCESS);
  assert_sent(machine.nic->sim, frame, sizeof(frame));
  unit_machine_end(&machine);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_transmit_arguments),
      cmocka_unit_test(test_transmit_every_length),
      cmocka_unit_test(test_transmit_fills_the_header),
      cmocka_unit_test(test_buffers_come_back),
      cmocka_unit_test(test_full_ring_and_reset),
      cmocka_unit_test(test_many_refusals),
      cmocka_unit_test(test_receive_every_length),
      cmocka_unit_test(test_receive_arguments),
      cmocka_unit_test(test_priority_tag_is_taken_off),
      cmocka_unit_test(test_causes_and_waiting),
      cmocka_unit_test(test_media_comes_and_goes),
      cmocka_unit_test(test_register_accesses),
      cmocka_unit_test(test_removal),
      cmocka_unit_test(test_one_lost_read),
      cmocka_unit_test(test_reset_that_never_ends),
      cmocka_unit_test(test_heartbeat_recovers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
