/* bench.h - what bench.c and ceiling.c share: time in ticks, medians, the lines that tools/bench reads, and the frames
 * that its peer answers.
 *
 * A tick is one of the processor's time-stamp counter. Under QEMU's -icount shift=N a guest instruction is 2^N of
 * them. */
#ifndef TESTS_EFI_BENCH_H
#define TESTS_EFI_BENCH_H

#include "firmware.h"

#define SAMPLES_MAX     401U
#define ETHERTYPE_BENCH 0x88B5U
#define FRAME_MIN       60U
#define FRAME_MAX       1514U
#define FRAME_ROOM      1600U
#define HEADER_SIZE     14U
#define CALIBRATION_US  20000U
#define CALIBRATIONS    5U
#define WINDOW          8U /* frames sent before their buffers are collected; frames that wait in the ring */
#define ROUNDS          8U /* such windows in one sample: what is paid once for many frames is in it     */
#define WAIT_FIRST_US   300U
#define WAIT_MOST_US    400000U
#define PATIENCE        20000000U /* turns of a loop that something must end before */
#define PEER_OPERATION  HEADER_SIZE + 4U

/* What the peer does with a frame: "BNCH", the operation, and two bytes each of count, size and number, low byte first.
 */
enum operation { SWALLOW, ECHO, BURST, COUNT };

/* Sections of a run, for the trace of accesses (qemulib.count_accesses) */
enum section { OTHER, TRANSMIT, COMPLETION, RECEIVE, EMPTY_RECEIVE, EMPTY_STATUS, INITIALIZE };

struct samples {
  UINT64 ticks[SAMPLES_MAX];
  UINTN count;
};

static inline UINT64 ticks(VOID) {
  UINT32 low;
  UINT32 high;
  __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (UINT64)high << 32 | low;
}

static inline VOID mark(enum section section) {
  __asm__ volatile("outb %0, $0x80" : : "a"((UINT8)section) : "memory");
}

static inline VOID add(struct samples *samples, UINT64 value) {
  if(samples->count < SAMPLES_MAX) {
    samples->ticks[samples->count++] = value;
  }
}

static inline VOID sort(struct samples *samples) {
  for(UINTN i = 1; i < samples->count; i++) {
    UINT64 value = samples->ticks[i];
    UINTN at = i;
    for(; at > 0 && samples->ticks[at - 1] > value; at--) {
      samples->ticks[at] = samples->ticks[at - 1];
    }
    samples->ticks[at] = value;
  }
}

/* "bench: NAME SIZE: MEDIAN ticks for N operations, SAMPLES samples, LEAST to MOST"; forgets the samples. */
static inline VOID report(const CHAR16 *name, UINTN size, UINTN operations, struct samples *samples) {
  if(samples->count == 0) {
    Print(L"bench: %s %d: failed\n", name, (INT32)size);
    return;
  }
  sort(samples);
  Print(L"bench: %s %d: %ld ticks for %d operations, %d samples, %ld to %ld\n", name, (INT32)size,
        samples->ticks[samples->count / 2], (INT32)operations, (INT32)samples->count, samples->ticks[0],
        samples->ticks[samples->count - 1]);
  samples->count = 0;
}

/* The shortest of several: a window that the machine's other work stretched is longer. */
static inline UINT64 ticks_per_second(VOID) {
  UINT64 least = UINT64_MAX;
  for(UINTN i = 0; i < CALIBRATIONS; i++) {
    UINT64 start = ticks();
    BS->Stall(CALIBRATION_US);
    UINT64 took = ticks() - start;
    least = took < least ? took : least;
  }
  return least * (1000000U / CALIBRATION_US);
}

static inline VOID put16(UINT8 *at, UINTN value) {
  at[0] = (UINT8)value;
  at[1] = (UINT8)(value >> 8);
}

/* A frame for the peer; returns its length. */
static inline UINTN request(UINT8 *frame, const UINT8 *own, enum operation operation, UINTN count, UINTN size,
                            UINTN number) {
  static const UINT8 peer[6] = {0x02, 0xBE, 0x9C, 0, 0, 1};
  memset(frame, 0, FRAME_MIN);
  memcpy(frame, peer, 6);
  memcpy(frame + 6, own, 6);
  frame[12] = ETHERTYPE_BENCH >> 8;
  frame[13] = ETHERTYPE_BENCH & 0xFF;
  memcpy(frame + HEADER_SIZE, "BNCH", 4);
  frame[PEER_OPERATION] = (UINT8)operation;
  put16(&frame[PEER_OPERATION + 1], count);
  put16(&frame[PEER_OPERATION + 3], size);
  put16(&frame[PEER_OPERATION + 5], number);
  return FRAME_MIN;
}

/* Whether this is the peer's answer with this number. */
static inline BOOLEAN is_answer(const UINT8 *frame, UINTN number) {
  return memcmp(frame + HEADER_SIZE, "BNCH", 4) == 0 && frame[PEER_OPERATION + 5] == (UINT8)number &&
         frame[PEER_OPERATION + 6] == (UINT8)(number >> 8);
}

/* The words behind the program's own name, one after the other; an empty one at the end. */
static inline const CHAR16 *next_word(const CHAR16 **at, CHAR16 *word, UINTN room) {
  UINTN length = 0;
  while(**at == L' ') {
    (*at)++;
  }
  while(**at > L' ' && length + 1 < room) {
    word[length++] = *(*at)++;
  }
  word[length] = 0;
  return word;
}

static inline BOOLEAN same(const CHAR16 *a, const CHAR16 *b) {
  return StrCmp(a, b) == 0;
}

static inline UINTN number_in(const CHAR16 *word) {
  UINTN value = 0;
  for(; *word >= L'0' && *word <= L'9'; word++) {
    value = value * 10U + (UINTN)(*word - L'0');
  }
  return value;
}

#endif
