/* test_efi_moments.c - GetStatus and Receive of SNP with a notification between any two of their instructions: the
 * heartbeat, or somebody at TPL_CALLBACK, such as edk2's MNP, who calls SNP as well. The processor's single-step trap
 * is the timer's interrupt. Every buffer comes back once, and a call that could have one does not return without. */
#define _GNU_SOURCE
#include "trap_flag.h"
#include "unit_efi.h"

#include <signal.h>
#include <ucontext.h>

#define BUFFERS 8U
#define MOMENTS 4000U /* far more instructions than a call has outside the lock */

/* The interrupt -------------------------------------------------------------------------------------------------- */

static struct {
  void (*notify)(void);
  volatile UINTN moment; /* of the call that it comes in: instructions outside the lock; 0: not at all */
  volatile UINTN moments;
  volatile BOOLEAN on;
  volatile BOOLEAN came;
} interrupt;

static EFI_BOOT_SERVICES services;

/* What is of a lower level than a notification can be interrupted by one; inside the firmware it is the firmware's. */
static void moment(void) {
  if(interrupt.on && !interrupt.came && firmware_tpl() < TPL_CALLBACK && ++interrupt.moments == interrupt.moment) {
    interrupt.came = TRUE;
    EFI_TPL tpl = services.RaiseTPL(TPL_CALLBACK);
    interrupt.notify();
    services.RestoreTPL(tpl);
  }
}

#if !defined(TRAP_FLAG)
/* No such flag: it comes before and after the lock alone. */
static void step_by_step(BOOLEAN on) {
  (void)on;
  moment();
}
#endif

/* Once it has come there is nothing to step through for. */
static void on_trap(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  moment();
#if defined(TRAP_FLAG)
  if(interrupt.came) {
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
  }
#else
  (void)context;
#endif
}

/* Nothing is stepped through while the lock is held: nothing can come then. */
static EFI_TPL EFIAPI raise_tpl(EFI_TPL tpl) {
  if(interrupt.on) {
    step_by_step(FALSE);
  }
  return services.RaiseTPL(tpl);
}

static VOID EFIAPI restore_tpl(EFI_TPL tpl) {
  services.RestoreTPL(tpl);
  if(interrupt.on && !interrupt.came && firmware_tpl() < TPL_CALLBACK) {
    step_by_step(TRUE);
  }
}

/* The machine ---------------------------------------------------------------------------------------------------- */

static struct unit_machine machine;
static EFI_SIMPLE_NETWORK_PROTOCOL *snp;
static UINT8 frame[BUFFERS][60];
static UINTN sent;
static UINTN came_back[BUFFERS];
static UINTN taken; /* by the notification: buffers, frames */
static BOOLEAN shut_down;

static void send_one(void) {
  assert_in_range(sent, 0, BUFFERS - 1);
  assert_int_equal(snp->Transmit(snp, 0, sizeof(frame[0]), frame[sent++], NULL, NULL, NULL), EFI_SUCCESS);
}

static BOOLEAN note(VOID *buffer) {
  if(buffer) {
    UINTN number = (UINTN)((UINT8 *)buffer - frame[0]) / sizeof(frame[0]);
    assert_in_range(number, 0, sent - 1);
    assert_ptr_equal(buffer, frame[number]);
    came_back[number]++;
  }
  return buffer != NULL;
}

static BOOLEAN collect(void) {
  VOID *buffer = NULL;
  assert_int_equal(snp->GetStatus(snp, NULL, &buffer), EFI_SUCCESS);
  return note(buffer);
}

static BOOLEAN hear(void) {
  UINT8 buffer[64];
  UINTN size = sizeof(buffer);
  return snp->Receive(snp, NULL, &size, buffer, NULL, NULL, NULL) == EFI_SUCCESS;
}

/* What comes in between ------------------------------------------------------------------------------------------ */

static void beat(void) {
  firmware_tick(1);
}

static void collect_one(void) {
  taken += collect();
}

static void collect_all(void) {
  while(collect()) {
    taken++;
  }
}

static void transmit_one(void) {
  send_one();
}

static void transmit_and_collect(void) {
  send_one();
  collect_all();
  send_one();
}

static void receive_one(void) {
  taken += hear();
}

static void restart(void) {
  assert_int_equal(snp->Shutdown(snp), EFI_SUCCESS);
  assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
}

/* What was sent before is forgotten, and of the same number of buffers there are others in its place. */
static void start_anew(void) {
  UINTN count = sent;
  shut_down = TRUE;
  restart();
  for(UINTN i = 0; i < count; i++) {
    send_one();
  }
  firmware_tick(1);
}

/* The calls ------------------------------------------------------------------------------------------------------ */

static EFI_STATUS call_status(VOID **buffer) {
  return snp->GetStatus(snp, NULL, buffer);
}

static EFI_STATUS call_causes(VOID **buffer) {
  UINT32 causes;
  return snp->GetStatus(snp, &causes, buffer);
}

/* Calls with the notification at this moment; FALSE when the call has fewer. */
static BOOLEAN call_with(EFI_STATUS (*call)(VOID **), void (*notify)(void), UINTN at, VOID **buffer,
                         EFI_STATUS *status) {
  interrupt.notify = notify;
  interrupt.moment = at;
  interrupt.moments = 0;
  interrupt.came = FALSE;
  interrupt.on = TRUE;
  step_by_step(TRUE);
  *status = call(buffer);
  interrupt.on = FALSE; /* a store: the trap is off one instruction later */
  step_by_step(FALSE);
  return interrupt.came;
}

static void begin(void) {
  machine = unit_machine(SIM_82540EM);
  services = *BS;
  snp = unit_open(machine.nic);
  BS->RaiseTPL = raise_tpl;
  BS->RestoreTPL = restore_tpl;
  memset(frame, 0xFF, sizeof(frame));
}

static void end(void) {
  BS->RaiseTPL = services.RaiseTPL;
  BS->RestoreTPL = services.RestoreTPL;
  unit_machine_end(&machine);
}

/* So many buffers in the queue, so many finished in the ring, one call, and all of them afterwards. */
static BOOLEAN status_at(EFI_STATUS (*call)(VOID **), void (*notify)(void), UINTN queued, UINTN finished, UINTN at) {
  VOID *buffer = NULL;
  EFI_STATUS status;
  sent = 0;
  taken = 0;
  shut_down = FALSE;
  memset(came_back, 0, sizeof(came_back));
  if(notify == start_anew) {
    restart(); /* so that the second time everything is as it was the first time, but for the buffers */
  }
  for(UINTN i = 0; i < queued; i++) {
    send_one();
  }
  if(queued > 0) {
    firmware_tick(1);
  }
  for(UINTN i = 0; i < finished; i++) {
    send_one();
  }
  UINTN before = sent;
  BOOLEAN came = call_with(call, notify, at, &buffer, &status);
  assert_int_equal(status, EFI_SUCCESS);
  if(!note(buffer) && !shut_down && taken < before) {
    fail_msg("moment %zu: %zu of %zu buffers were taken in between, and the call came back without one", at, taken,
             before);
  }
  while(collect()) {
  }
  for(UINTN i = 0; i < sent; i++) {
    BOOLEAN may_be_forgotten = shut_down && i < before;
    if(came_back[i] > 1 || (came_back[i] == 0 && !may_be_forgotten)) {
      fail_msg("moment %zu: buffer %zu of %zu came back %zu times", at, i, sent, came_back[i]);
    }
  }
  return came;
}

static void test_buffers_come_back_once(void **state) {
  (void)state;
  static void (*const notifications[])(void) = {beat,         collect_one,          collect_all,
                                                transmit_one, transmit_and_collect, start_anew};
  /* Calls, with buffers in the queue and in the ring. Where another of them is the same for the most part, only some
   * moments. */
  static const struct {
    EFI_STATUS (*call)(VOID **);
    UINTN queued;
    UINTN finished;
    UINTN stride;
  } cases[] = {
      {call_status, 1, 0, 1}, {call_status, 2, 0, 3}, {call_status, 0, 1, 1},
      {call_status, 0, 0, 7}, {call_causes, 1, 1, 7},
  };
  begin();
  for(UINTN i = 0; i < sizeof(notifications) / sizeof(notifications[0]); i++) {
    for(UINTN c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
      UINTN at = 1;
      while(at < MOMENTS && status_at(cases[c].call, notifications[i], cases[c].queued, cases[c].finished, at)) {
        at += cases[c].stride;
      }
      assert_in_range(at, 2, MOMENTS - 1); /* it came at least once, and the call has an end */
    }
  }
  end();
}

static EFI_STATUS call_receive(VOID **buffer) {
  static UINT8 room[64];
  UINTN size = sizeof(room);
  EFI_STATUS status = snp->Receive(snp, NULL, &size, room, NULL, NULL, NULL);
  *buffer = status == EFI_SUCCESS ? room : NULL;
  return status;
}

/* Two frames wait: whoever comes in between, both are received, once. */
static void test_frames_are_received_once(void **state) {
  (void)state;
  static void (*const notifications[])(void) = {beat, receive_one, transmit_one};
  begin();
  for(UINTN i = 0; i < sizeof(notifications) / sizeof(notifications[0]); i++) {
    BOOLEAN came = TRUE;
    UINTN at = 1;
    for(; came && at < MOMENTS; at++) {
      VOID *buffer;
      EFI_STATUS status;
      UINTN rest = 0;
      sent = 0;
      taken = 0;
      unit_frame(frame[BUFFERS - 1], sizeof(frame[0]), snp->Mode->BroadcastAddress.Addr, 1);
      assert_int_equal(sim_inject(machine.nic->sim, frame[BUFFERS - 1], sizeof(frame[0])), SIM_DELIVERED);
      assert_int_equal(sim_inject(machine.nic->sim, frame[BUFFERS - 1], sizeof(frame[0])), SIM_DELIVERED);
      came = call_with(call_receive, notifications[i], at, &buffer, &status);
      assert_int_equal(status, EFI_SUCCESS);
      while(hear()) {
        rest++;
      }
      assert_int_equal(1U + taken + rest, 2);
      while(collect()) {
      }
    }
    assert_in_range(at, 3, MOMENTS - 1);
  }
  end();
}

int main(void) {
  const struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
  (void)sigaction(SIGTRAP, &action, NULL);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_buffers_come_back_once),
      cmocka_unit_test(test_frames_are_received_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
