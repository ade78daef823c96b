/* interrupts.c - the reference kernel's descriptor tables and interrupt controllers. */
#include "arch.h"

#define PIC1        0x20U
#define PIC1_DATA   0x21U
#define PIC2        0xA0U
#define PIC2_DATA   0xA1U
#define PIC_EOI     0x20U
#define PIC_CASCADE 2U /* the line of the first that the second is on */
#define PIC_VECTOR  0x60U
#define IOAPIC      0xFEC00000ULL
#define LAPIC       0xFEE00000ULL
#define LAPIC_EOI   0xB0U
#define LAPIC_SVR   0xF0U
#define LAPIC_LVT0  0x350U
#define LAPIC_LVT1  0x360U
#define LVT_MASKED  0x10000U
#define LVT_EXTINT  0x700U
#define SPURIOUS    0xFFU
#define LEVEL       (1U << 15)

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

void (*nic_interrupt)(void);
volatile uint64_t nic_interrupts;
void (*machine_fault)(void);

static __attribute__((interrupt)) void on_nic(struct interrupt_frame *frame) {
  (void)frame;
  nic_interrupts++;
  nic_interrupt();
  *mmio(LAPIC + LAPIC_EOI) = 0;
}

static __attribute__((interrupt)) void on_nic_by_pic(struct interrupt_frame *frame) {
  (void)frame;
  nic_interrupts++;
  nic_interrupt();
  out8(PIC2, PIC_EOI);
  out8(PIC1, PIC_EOI);
}

static __attribute__((interrupt)) void on_anything_else(struct interrupt_frame *frame) {
  (void)frame;
  machine_fault();
}

static __attribute__((interrupt)) void on_spurious(struct interrupt_frame *frame) {
  (void)frame;
}

static void set_gate(uint32_t vector, void (*handler)(struct interrupt_frame *)) {
  uint64_t address = (uint64_t)handler;
  idt[vector] = (struct gate){(uint16_t)address, 8, 0, 0x8E, (uint16_t)(address >> 16), (uint32_t)(address >> 32), 0};
}

/* ICW1 to ICW4 (8259A data sheet): edge or level by ELCR, two of them, 8086 mode, end of interrupt by command */
static void pic_init(uint16_t command, uint16_t data, uint8_t vector, uint8_t cascade) {
  out8(command, 0x11);
  out8(data, vector);
  out8(data, cascade);
  out8(data, 0x01);
  out8(data, 0xFF);
}

void interrupts_init(void) {
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
  (void)paging_uncache(IOAPIC, 4096);
  (void)paging_uncache(LAPIC, 4096);
  pic_init(PIC1, PIC1_DATA, PIC_VECTOR, 1U << PIC_CASCADE);
  pic_init(PIC2, PIC2_DATA, PIC_VECTOR + 8U, PIC_CASCADE);
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

void pic_route(uint32_t line) {
  uint32_t open = 1U << line | 1U << PIC_CASCADE;
  set_gate(PIC_VECTOR + line, on_nic_by_pic);
  out8(PIC1_DATA, (uint8_t)~open);
  out8(PIC2_DATA, (uint8_t)(~open >> 8));
  *mmio(LAPIC + LAPIC_LVT0) = LVT_EXTINT;
}

void interrupts_on(void) {
  __asm__ volatile("sti" : : : "memory");
}

void interrupts_off(void) {
  __asm__ volatile("cli" : : : "memory");
}
