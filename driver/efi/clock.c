/* clock.c - microseconds from a counter whose frequency is measured, and measured better as time goes on. */
#include "clock.h"

#include <efilib.h>

#define WINDOW_MIN_US   1000U /* a delay that is shorter says too little */
#define WINDOW_FIRST_US 2000U

/* The longest is the finest where nothing comes between. The short ones are for a busy host: shorter than the time that
 * it gives a guest at once, so that some of them are whole. */
static const UINT32 window_us[] = {10000, 2000, 2000, 2000, 2000, 2000, 2000};
#define WINDOWS (sizeof(window_us) / sizeof(window_us[0]))

#define ABOVE_PER_ONE 100U /* 1%: Stall may be that much too short where its own timer is coarse             */
#define BELOW_PER_ONE 16U  /* 6%: what the processor says is taken for a finer value of the same frequency */

/* The processor's word is believed where a window neither refutes it, by being shorter, nor shows something else. */
static UINT64 choose(const struct efi_clock *clock) {
  UINT64 best = clock->best;
  BOOLEAN fits = clock->stated <= best + best / ABOVE_PER_ONE && clock->stated >= best - best / BELOW_PER_ONE;
  return clock->stated && fits ? clock->stated : best;
}

void efi_clock_state(struct efi_clock *clock, UINT64 hz) {
  clock->stated = hz / 1000U;
}

UINT64 efi_clock_at(const struct efi_clock *clock, UINT64 ticks) {
  UINT64 passed = ticks > clock->base_ticks ? ticks - clock->base_ticks : 0;
  return clock->base_us + passed / clock->rate * 1000U + passed % clock->rate * 1000U / clock->rate;
}

void efi_clock_window(struct efi_clock *clock, UINT64 ticks, UINT64 us, UINT64 now) {
  UINT64 shown = ticks / us * 1000U + ticks % us * 1000U / us;
  if(shown == 0 || (clock->best != 0 && shown >= clock->best)) {
    return;
  }
  clock->best = shown;
  UINT64 rate = choose(clock);
  if(clock->rate != 0 && rate != clock->rate) {
    clock->base_us = efi_clock_at(clock, now);
    clock->base_ticks = now;
  }
  clock->rate = rate;
}

/* The processor's clock ------------------------------------------------------------------------------------------ */

static struct efi_clock processor;
static volatile UINT32 changes; /* of `processor`: a reader that was interrupted by one reads again */

/* At TPL_NOTIFY, so that no callback of this driver reads half a change, or makes another. */
static void learn(UINT64 start, UINT32 us) {
  EFI_TPL tpl = BS->RaiseTPL(TPL_NOTIFY);
  UINT64 now = efi_read_ticks();
  if(processor.rate == 0) {
    efi_clock_state(&processor, efi_ticks_hz());
  }
  efi_clock_window(&processor, now - start, us, now);
  changes++;
  BS->RestoreTPL(tpl);
}

/* Callbacks go on: one that comes between makes this window a longer one, no more. */
void efi_clock_stall(UINT32 us) {
  UINT64 start = efi_read_ticks();
  BS->Stall(us);
  if(us >= WINDOW_MIN_US) {
    learn(start, us);
  }
}

void efi_clock_calibrate(VOID) {
  static BOOLEAN calibrated;
  if(calibrated) {
    return;
  }
  calibrated = TRUE;
  for(UINTN i = 0; i < WINDOWS; i++) {
    efi_clock_stall(window_us[i]);
  }
}

UINT64 efi_clock_us(VOID) {
  if(processor.rate == 0) {
    efi_clock_stall(WINDOW_FIRST_US);
    if(processor.rate == 0) {
      processor.rate = 1; /* a counter that stands still: time does too, but nothing divides by zero */
    }
  }
  for(;;) {
    UINT32 before = changes;
    UINT64 us = efi_clock_at(&processor, efi_read_ticks());
    if(before == changes) {
      return us;
    }
  }
}
