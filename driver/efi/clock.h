/* clock.h - microseconds from a counter whose frequency is measured, and measured better as time goes on. */
#ifndef EFI_CLOCK_H
#define EFI_CLOCK_H

#include <efi.h>

/*
 * A window is a Stall, and the ticks that went by in it. It can only be too long: a host that runs something else, or
 * an SMI, adds ticks, and nothing takes any away. So the window with the fewest ticks per millisecond is the best, and
 * another window makes the clock better or leaves it as it is.
 *
 * Invariants: 0 < rate once a window was seen; rate <= best + best / 100; what efi_clock_at returns never goes back,
 * and does not jump when the rate changes: it goes on from base_us at the new pace.
 */
struct efi_clock {
  UINT64 stated; /* ticks per ms, as the processor says; 0 when it does not                  */
  UINT64 best;   /* the fewest ticks per ms that a window has shown                          */
  UINT64 rate;   /* in use: ticks per ms; 0 before the first window                          */
  UINT64 base_ticks;
  UINT64 base_us; /* at base_ticks                                                            */
};

/* A zeroed clock learns what the processor says of its counter, in Hz; 0 for nothing. */
void efi_clock_state(struct efi_clock *clock, UINT64 hz);

/* A Stall of `us` microseconds (not 0) took `ticks`; the counter stands at `now`. */
void efi_clock_window(struct efi_clock *clock, UINT64 ticks, UINT64 us, UINT64 now);

/* Microseconds when the counter stands at `ticks`; after the first window only. A counter that has gone back (another
 * processor's) stands still. */
UINT64 efi_clock_at(const struct efi_clock *clock, UINT64 ticks);

/* Microseconds of the processor's time-stamp counter; where they begin does not matter. A first call with no window
 * before it makes one, of 2 ms. At TPL_NOTIFY or lower; at ExitBootServices only when it was called before. */
UINT64 efi_clock_us(VOID);

/* BS->Stall, which is a window for the clock from 1 ms on. TPL_NOTIFY or lower. */
void efi_clock_stall(UINT32 us);

/* Several windows, for who shows times from the first moment on: takes 22 ms, once. A driver needs none: its delays are
 * windows enough for what it waits for. TPL_NOTIFY or lower. */
void efi_clock_calibrate(VOID);

/* The processor's counter (arch/), and what it says of its frequency in Hz: 0 when it does not say. */
UINT64 efi_read_ticks(VOID);
UINT64 efi_ticks_hz(VOID);

#endif
