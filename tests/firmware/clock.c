/* clock.c - the fake firmware's clock when programs run: it goes on as they look at it, stall, or wait. */
#include "programs_internal.h"

#include <stdlib.h>

#define DEFAULT_STEP_US 10U
#define IDLE_MAX_US     (7ULL * 24U * 3600U * 1000000U) /* nobody waits for a week */

struct appointment {
  struct node node;
  UINT64 at_us;
  void (*what)(void *ctx);
  void *ctx;
};

static struct node *appointments;
static UINT64 step_us; /* 0: the clock stands still but for Stall and firmware_tick */

/* What is due next ------------------------------------------------------------------------------------------------ */

static UINT64 next_due(void) {
  UINT64 next = wire_next();
  for(const struct node *node = firmware.events; node; node = node->next) {
    UINT64 due = ((const struct event *)node)->due_us;
    next = due && due < next ? due : next;
  }
  for(const struct node *node = appointments; node; node = node->next) {
    UINT64 due = ((const struct appointment *)node)->at_us;
    next = due < next ? due : next;
  }
  return next;
}

/* One at a time, for each may make others. */
static bool keep_appointment(void) {
  for(struct node *node = appointments; node; node = node->next) {
    struct appointment now = *(struct appointment *)node;
    if(now.at_us <= firmware.now_us) {
      node_drop(&appointments, node);
      now.what(now.ctx);
      return true;
    }
  }
  return false;
}

void clock_pass(UINT64 us) {
  UINT64 until = firmware.now_us + us;
  do {
    wire_move();
    UINT64 next = next_due();
    next = next < until ? next : until;
    if(next > firmware.now_us) {
      advance(next - firmware.now_us);
    }
    wire_move();
    while(keep_appointment()) {
    }
    expire_timers();
  } while(firmware.now_us < until);
}

void programs_clock_step(UINT64 us) {
  step_us = us;
}

void programs_at(UINT64 at_us, void (*what)(void *ctx), void *ctx) {
  struct appointment *appointment = node_new(&appointments, sizeof(*appointment));
  appointment->at_us = at_us;
  appointment->what = what;
  appointment->ctx = ctx;
}

/* Called by efi_read_ticks. Boot services are over when it stands still for good. */
void clock_read(void) {
  if(step_us && !firmware.exiting) {
    clock_pass(step_us);
  }
}

/* Services ------------------------------------------------------------------------------------------------------- */

static EFI_STATUS EFIAPI stall(UINTN us) {
  check_service("Stall", TPL_HIGH_LEVEL);
  clock_pass(overshoot(us));
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI wait_for_event(UINTN count, EFI_EVENT *events, UINTN *index) {
  check_service("WaitForEvent", TPL_APPLICATION);
  UINT64 start = firmware.now_us;
  for(;;) {
    for(UINTN i = 0; i < count; i++) {
      EFI_STATUS status = BS->CheckEvent(events[i]);
      if(status != EFI_NOT_READY) {
        *index = i;
        return status == EFI_INVALID_PARAMETER ? status : EFI_SUCCESS;
      }
    }
    UINT64 next = next_due();
    if(next == UINT64_MAX || next - start > IDLE_MAX_US) {
      firmware_abort("WaitForEvent: nothing will ever happen", events);
    }
    clock_pass(next > firmware.now_us ? next - firmware.now_us : 1);
  }
}

void clock_begin(EFI_BOOT_SERVICES *services) {
  services->Stall = stall;
  services->WaitForEvent = wait_for_event;
  step_us = DEFAULT_STEP_US;
  firmware_late_stalls(0); /* programs are timed */
}

void clock_end(void) {
  step_us = 0;
  while(appointments) {
    node_drop(&appointments, appointments);
  }
}
