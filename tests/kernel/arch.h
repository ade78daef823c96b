/* arch.h - as much of an x86-64 machine as the reference kernel needs. */
#ifndef TEST_KERNEL_ARCH_H
#define TEST_KERNEL_ARCH_H

#include <stdbool.h>
#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline void out16(uint16_t port, uint16_t value) {
  __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint16_t in16(uint16_t port) {
  uint16_t value;
  __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline void out32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint32_t in32(uint16_t port) {
  uint32_t value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline volatile uint32_t *mmio(uint64_t address) {
  return (volatile uint32_t *)address;
}

/* Serial port. Whoever wants to have the same text sets serial_also. */
extern void (*serial_also)(const char *text);
void serial_text(const char *text);
void serial_number(uint64_t value);
void serial_value(const char *name, uint64_t value); /* " name value" */
void serial_wait(void);                              /* for one byte */

/* Clock: the time-stamp counter, measured against the 8254 timer. */
void clock_init(void);
uint64_t clock_us(void);

/* Page tables of our own, in which every address is its physical one. The first 4 GiB are mapped, write-back. */
#define PAGING_LIMIT 0x100000000ULL
#define PAGING_MAX   0x800000000000ULL /* the lower half of what four levels reach */
void paging_init(void);

/* Maps a range, in whole pages of 2 MiB: write-back where it is not mapped yet, or uncached. False when it is empty or
 * out of reach, or no page table is left. */
bool paging_map(uint64_t physical, uint64_t size);
bool paging_uncache(uint64_t physical, uint64_t size);

/* GDT and IDT of our own; every interrupt controller masked. Interrupts stay off. */
void interrupts_init(void);

#define NIC_VECTOR 0x50U

/* What the NIC's interrupt calls; at interrupt level. */
extern void (*nic_interrupt)(void);
extern volatile uint64_t nic_interrupts; /* taken so far */

/* What an exception calls, or an interrupt that nobody asked for; it does not return. */
extern void (*machine_fault)(void);

/* Unmasks one input of the IOAPIC for NIC_VECTOR, level-triggered. */
void ioapic_route(uint32_t input);

/* Unmasks one line (0 to 15) of the two 8259s. */
void pic_route(uint32_t line);

void interrupts_on(void);
void interrupts_off(void);

#endif
