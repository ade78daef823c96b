/* arch.c - the machine of the reference kernel: serial port and clock. */
#include "arch.h"

#define COM1          0x3F8U
#define TIMER_CHANNEL 0x42U
#define TIMER_COMMAND 0x43U
#define TIMER_GATE    0x61U
#define TIMER_HZ      1193182U
#define CALIBRATE_US  10000U
#define CALIBRATIONS  5U

static uint64_t ticks_per_us;

void (*serial_also)(const char *text);

void serial_text(const char *text) {
  if(serial_also) {
    serial_also(text);
  }
  for(; *text; text++) {
    while(!(in8(COM1 + 5) & 0x20)) {
    }
    out8(COM1, (uint8_t)*text);
  }
}

void serial_number(uint64_t value) {
  char digits[21];
  uint32_t at = sizeof(digits) - 1;
  digits[at] = '\0';
  do {
    digits[--at] = (char)('0' + value % 10U);
    value /= 10U;
  } while(value > 0);
  serial_text(&digits[at]);
}

void serial_value(const char *name, uint64_t value) {
  serial_text(" ");
  serial_text(name);
  serial_text(" ");
  serial_number(value);
}

void serial_wait(void) {
  while(!(in8(COM1 + 5) & 1)) {
  }
  (void)in8(COM1);
}

static uint64_t read_tsc(void) {
  uint32_t low;
  uint32_t high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t)high << 32 | low;
}

/* Channel 2 counts down once (8254 mode 0) while its gate is open; its output shows in the gate's port. */
static uint64_t calibrate(void) {
  uint32_t count = (uint32_t)((uint64_t)TIMER_HZ * CALIBRATE_US / 1000000U);
  out8(TIMER_GATE, (uint8_t)((in8(TIMER_GATE) & 0xFCU) | 1U));
  out8(TIMER_COMMAND, 0xB0);
  out8(TIMER_CHANNEL, (uint8_t)count);
  out8(TIMER_CHANNEL, (uint8_t)(count >> 8));
  uint64_t start = read_tsc();
  while(!(in8(TIMER_GATE) & 0x20U)) {
  }
  return (read_tsc() - start) / CALIBRATE_US + 1U;
}

/* A host that takes the processor away makes a window too long, never too short: the shortest counts. */
void clock_init(void) {
  for(uint32_t i = 0; i < CALIBRATIONS; i++) {
    uint64_t ticks = calibrate();
    ticks_per_us = i == 0 || ticks < ticks_per_us ? ticks : ticks_per_us;
  }
}

uint64_t clock_us(void) {
  return read_tsc() / ticks_per_us;
}
