/* arch.h - as much of an x86-64 machine as the reference kernel needs: serial port, descriptor tables, interrupts. */
#ifndef TEST_KERNEL_ARCH_H
#define TEST_KERNEL_ARCH_H

#include <stdbool.h>
#include <stdint.h>

void serial_text(const char *text);
void serial_number(uint64_t value);

uint64_t read_tsc(void);
uint32_t pci_read(uint8_t bus, uint8_t device, uint8_t function, uint8_t offset);
void pci_write(uint8_t bus, uint8_t device, uint8_t function, uint8_t offset, uint32_t value);

/* Own GDT and IDT; the 8259s masked. Interrupts stay off. */
void arch_init(void);

#define NIC_VECTOR 0x50U

/* What the NIC's interrupt calls; at interrupt level. */
extern void (*arch_nic_interrupt)(void);
extern volatile uint64_t arch_interrupts; /* taken so far */

/* Unmasks one IOAPIC input for NIC_VECTOR, level-triggered. */
void ioapic_route(uint32_t input);

void interrupts_on(void);
void interrupts_off(void);

#endif
