/* arch.c - as much of an x86-64 machine as the reference kernel needs: serial port, descriptor tables, interrupts. */
#include "arch.h"

#define COM1        0x3F8U
#define PCI_ADDRESS 0xCF8U
#define PCI_DATA    0xCFCU
#define PIC1_DATA   0x21U
#define PIC2_DATA   0xA1U
#define IOAPIC      0xFEC00000ULL
#define LAPIC       0xFEE00000ULL
#define LAPIC_EOI   0xB0U
#define LAPIC_SVR   0xF0U
#define LAPIC_LVT0  0x350U
#define LAPIC_LVT1  0x360U
#define LVT_MASKED  0x10000U
#define SPURIOUS    0xFFU
#define LEVEL       (1U << 15)

static void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static void out32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint32_t in32(uint16_t port) {
  uint32_t value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static volatile uint32_t *mmio(uint64_t address) {
  return (volatile uint32_t *)address;
}

/* Serial port ---------------------------------------------------------------------------------------------------- */

void serial_text(const char *text) {
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

/* Time and PCI --------------------------------------------------------------------------------------------------- */

uint64_t read_tsc(void) {
  uint32_t low;
  uint32_t high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t)high << 32 | low;
}

static void pci_select(uint8_t bus, uint8_t device, uint8_t function, uint8_t offset) {
  out32(PCI_ADDRESS, 0x80000000U | (uint32_t)bus << 16 | (uint32_t)device << 11 | (uint32_t)function << 8 | offset);
}

uint32_t pci_read(uint8_t bus, uint8_t device, uint8_t function, uint8_t offset) {
  pci_select(bus, device, function, offset);
  return in32(PCI_DATA);
}

void pci_write(uint8_t bus, uint8_t device, uint8_t function, uint8_t offset, uint32_t value) {
  pci_select(bus, device, function, offset);
  out32(PCI_DATA, value);
}

/* Interrupts ----------------------------------------------------------------------------------------------------- */

struct gate {
  uint16_t offset_low;
  uint16_t selector;
  uint8_t stack;
  uint8_t type;
  uint16_t offset_middle;
  uint32_t offset_high;
  uint32_t reserved;
};

struct __attribute__((packed)) table_register {
  uint16_t limit;
  uint64_t base;
};

struct interrupt_frame;

static _Alignas(16) struct gate idt[256];
static _Alignas(16) const uint64_t gdt[] = {0, 0x00AF9A000000FFFFULL, 0x00CF92000000FFFFULL}; /* code 8, data 16 */

void (*arch_nic_interrupt)(void);
volatile uint64_t arch_interrupts;

static __attribute__((interrupt)) void on_nic(struct interrupt_frame *frame) {
  (void)frame;
  arch_interrupts++;
  arch_nic_interrupt();
  *mmio(LAPIC + LAPIC_EOI) = 0;
}

static __attribute__((interrupt)) void on_anything_else(struct interrupt_frame *frame) {
  (void)frame;
  serial_text("kernel: unexpected interrupt or exception\r\n");
  for(;;) {
    __asm__ volatile("cli; hlt");
  }
}

static __attribute__((interrupt)) void on_spurious(struct interrupt_frame *frame) {
  (void)frame;
}

static void set_gate(uint32_t vector, void (*handler)(struct interrupt_frame *)) {
  uint64_t address = (uint64_t)handler;
  idt[vector] = (struct gate){(uint16_t)address, 8, 0, 0x8E, (uint16_t)(address >> 16), (uint32_t)(address >> 32), 0};
}

void arch_init(void) {
  struct table_register gdtr = {sizeof(gdt) - 1, (uint64_t)gdt};
  struct table_register idtr = {sizeof(idt) - 1, (uint64_t)idt};
  __asm__ volatile("cli");
  for(uint32_t i = 0; i < 256; i++) {
    set_gate(i, on_anything_else);
  }
  set_gate(NIC_VECTOR, on_nic);
  set_gate(SPURIOUS, on_spurious);
  __asm__ volatile("lgdt %0\n\t"
                   "pushq $8\n\t"
                   "leaq 1f(%%rip), %%rax\n\t"
                   "pushq %%rax\n\t"
                   "lretq\n"
                   "1:\n\t"
                   "movl $16, %%eax\n\t"
                   "movl %%eax, %%ds\n\t"
                   "movl %%eax, %%es\n\t"
                   "movl %%eax, %%ss\n\t"
                   "lidt %1"
                   :
                   : "m"(gdtr), "m"(idtr)
                   : "rax", "memory");
  out8(PIC1_DATA, 0xFF);
  out8(PIC2_DATA, 0xFF);
  *mmio(LAPIC + LAPIC_LVT0) = LVT_MASKED;
  *mmio(LAPIC + LAPIC_LVT1) = LVT_MASKED;
  *mmio(LAPIC + LAPIC_SVR) = 0x100U | SPURIOUS;
}

void ioapic_route(uint32_t input) {
  *mmio(IOAPIC) = 0x11U + 2U * input;
  *mmio(IOAPIC + 0x10U) = 0; /* local APIC 0 */
  *mmio(IOAPIC) = 0x10U + 2U * input;
  *mmio(IOAPIC + 0x10U) = LEVEL | NIC_VECTOR;
}

void interrupts_on(void) {
  __asm__ volatile("sti" : : : "memory");
}

void interrupts_off(void) {
  __asm__ volatile("cli" : : : "memory");
}
