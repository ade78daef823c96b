/* events.c - the fake firmware's task priority levels, events, timers and clock. */
#include "internal.h"

#define TICKS_PER_US 1000U /* of the time-stamp counter */

static const EFI_GUID exit_guid = {0x27ABF055, 0xB1B8, 0x4C26, {0x80, 0x48, 0x74, 0x8F, 0x37, 0xBA, 0xA2, 0xDF}};

/* Task priority --------------------------------------------------------------------------------------------------- */

static void notify(struct event *event) {
  EFI_TPL before = firmware.tpl;
  EFI_TPL level = event->tpl; /* the function may close its event */
  firmware.tpl = level;
  event->queued = false;
  event->notify(event, event->context);
  if(firmware.tpl != before && firmware.tpl != level) {
    firmware_abort("a notification function returned at another TPL", event);
  }
  firmware.tpl = before;
}

/* Runs what is due above the present level, highest first. */
static void dispatch(void) {
  struct event *next;
  do {
    next = NULL;
    for(struct node *node = firmware.events; node; node = node->next) {
      struct event *event = (struct event *)node;
      if(event->queued && event->tpl > firmware.tpl && (!next || event->tpl > next->tpl)) {
        next = event;
      }
    }
    if(next) {
      notify(next);
    }
  } while(next);
}

static EFI_TPL EFIAPI raise_tpl(EFI_TPL tpl) {
  EFI_TPL before = firmware.tpl;
  if(tpl < before || tpl > TPL_HIGH_LEVEL) {
    firmware_abort("RaiseTPL: lower than the present level", (const void *)tpl);
  }
  firmware.tpl = tpl;
  return before;
}

static VOID EFIAPI restore_tpl(EFI_TPL tpl) {
  if(tpl > firmware.tpl || tpl < TPL_APPLICATION) {
    firmware_abort("RestoreTPL: higher than the present level", (const void *)tpl);
  }
  firmware.tpl = tpl;
  if(!firmware.exiting) {
    dispatch();
  }
}

EFI_TPL firmware_tpl(void) {
  return firmware.tpl;
}

/* Events --------------------------------------------------------------------------------------------------------- */

static struct event *known(EFI_EVENT event) {
  if(!node_is_on(firmware.events, event)) {
    firmware_abort("no such event", event);
  }
  return event;
}

EFI_STATUS make_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY function, const VOID *context, const EFI_GUID *group,
                      EFI_EVENT *out) {
  bool notified = (type & (EVT_NOTIFY_WAIT | EVT_NOTIFY_SIGNAL)) != 0;
  if(notified && (!function || tpl <= TPL_APPLICATION || tpl >= TPL_HIGH_LEVEL)) {
    firmware_abort("CreateEvent: no function, or a level that none is notified at", (const void *)tpl);
  }
  struct event *event = node_new(&firmware.events, sizeof(*event));
  event->type = type;
  event->tpl = tpl;
  event->notify = function;
  event->context = (VOID *)context;
  event->group = group ? *group : (EFI_GUID){0};
  *out = event;
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI create_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY function, VOID *context,
                                      EFI_EVENT *out) {
  if(fails("CreateEvent", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  return make_event(type, tpl, function, context, type == EVT_SIGNAL_EXIT_BOOT_SERVICES ? &exit_guid : NULL, out);
}

static EFI_STATUS EFIAPI create_event_ex(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY function, const VOID *context,
                                         const EFI_GUID *group, EFI_EVENT *out) {
  if(fails("CreateEventEx", TPL_NOTIFY)) {
    return EFI_OUT_OF_RESOURCES;
  }
  return make_event(type, tpl, function, context, group, out);
}

static EFI_STATUS EFIAPI close_event(EFI_EVENT event) {
  check_service("CloseEvent", TPL_NOTIFY);
  node_drop(&firmware.events, known(event));
  return EFI_SUCCESS;
}

static void signal(struct event *event) {
  event->signalled = true;
  event->queued = (event->type & EVT_NOTIFY_SIGNAL) != 0;
}

/* Signals the event, or its whole group. */
static void signal_group(struct event *event) {
  static const EFI_GUID none;
  EFI_GUID group = event->group;
  if(same_guid(&group, &none)) {
    signal(event);
    return;
  }
  for(struct node *node = firmware.events; node; node = node->next) {
    if(same_guid(&((struct event *)node)->group, &group)) {
      signal((struct event *)node);
    }
  }
}

static EFI_STATUS EFIAPI signal_event(EFI_EVENT event) {
  check_service("SignalEvent", TPL_HIGH_LEVEL);
  signal_group(known(event));
  dispatch();
  return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI check_event(EFI_EVENT handle) {
  check_service("CheckEvent", TPL_HIGH_LEVEL);
  struct event *event = known(handle);
  if(event->type & EVT_NOTIFY_SIGNAL) {
    return EFI_INVALID_PARAMETER;
  }
  if(!event->signalled && (event->type & EVT_NOTIFY_WAIT)) {
    if(firmware.tpl >= event->tpl) {
      firmware_abort("CheckEvent: called at or above the event's level", event);
    }
    notify(event);
  }
  bool signalled = event->signalled;
  event->signalled = false;
  return signalled ? EFI_SUCCESS : EFI_NOT_READY;
}

static EFI_STATUS EFIAPI set_timer(EFI_EVENT handle, EFI_TIMER_DELAY type, UINT64 time_100ns) {
  if(fails("SetTimer", TPL_HIGH_LEVEL)) {
    return EFI_DEVICE_ERROR;
  }
  struct event *event = known(handle);
  if(!(event->type & EVT_TIMER)) {
    return EFI_INVALID_PARAMETER;
  }
  event->period_us = type == TimerPeriodic ? time_100ns / 10U : 0;
  event->due_us = type == TimerCancel ? 0 : firmware.now_us + time_100ns / 10U;
  return EFI_SUCCESS;
}

/* Time ----------------------------------------------------------------------------------------------------------- */

/* Stand in for driver/efi/arch; this layer does not know that one's header. */
UINT64 efi_read_ticks(VOID);
UINT64 efi_ticks_hz(VOID);

UINT64 efi_ticks_hz(VOID) {
  return firmware.tsc_hz;
}

UINT64 efi_read_ticks(VOID) {
  clock_read();
  return firmware.now_us * TICKS_PER_US;
}

UINT64 firmware_now_us(void) {
  return firmware.now_us;
}

void advance(UINT64 us) {
  firmware.now_us += us;
  for(struct firmware_nic *nic = firmware.nics; nic; nic = nic->next) {
    if(nic->sim) {
      sim_advance(nic->sim, us);
    } else if(nic->kind->advance) {
      nic->kind->advance(nic->device, us);
    }
  }
}

/* The host takes the processor away, or an SMI does, for three times as long again. */
UINTN overshoot(UINTN us) {
  bool late = firmware.stall_late_every && ++firmware.stalls % firmware.stall_late_every == 0;
  return late ? 4U * us : us;
}

void firmware_late_stalls(UINTN every) {
  firmware.stall_late_every = every;
  firmware.stalls = 0;
}

void firmware_state_tsc(UINT64 hz) {
  firmware.tsc_hz = hz;
}

static EFI_STATUS EFIAPI stall(UINTN us) {
  check_service("Stall", TPL_HIGH_LEVEL);
  advance(overshoot(us));
  return EFI_SUCCESS;
}

void expire_timers(void) {
  for(struct node *node = firmware.events; node; node = node->next) {
    struct event *event = (struct event *)node;
    if(event->due_us && event->due_us <= firmware.now_us) {
      event->due_us = event->period_us ? firmware.now_us + event->period_us : 0;
      signal(event);
    }
  }
  dispatch();
}

void firmware_tick(UINTN count) {
  while(count-- > 0) {
    advance(FIRMWARE_TICK_US);
    expire_timers();
  }
}

void firmware_exit_boot_services(void) {
  if(!firmware.exiting) { /* a second try is one of the few calls after a first that failed */
    check_service("ExitBootServices", TPL_APPLICATION);
  }
  for(struct node *node = firmware.events; node; node = node->next) {
    struct event *event = (struct event *)node;
    event->queued = false;
    if(same_guid(&event->group, &exit_guid)) {
      signal(event);
    }
  }
  firmware.exiting = true;
  dispatch();
  check_tables();
  check_mappings();
}

void firmware_event(EFI_EVENT handle, struct firmware_event *info) {
  const struct event *event = known(handle);
  *info = (struct firmware_event){.type = event->type, .tpl = event->tpl, .period_us = event->period_us};
}

void firmware_exit_failed(void) {
  firmware.exiting = false;
}

void events_init(EFI_BOOT_SERVICES *services) {
  services->RaiseTPL = raise_tpl;
  services->RestoreTPL = restore_tpl;
  services->CreateEvent = create_event;
  services->CreateEventEx = create_event_ex;
  services->CloseEvent = close_event;
  services->SignalEvent = signal_event;
  services->CheckEvent = check_event;
  services->SetTimer = set_timer;
  services->Stall = stall;
}
