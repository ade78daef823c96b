/* pci.h - menios' PCI enumeration and configuration space. */
#ifndef MENIOS_STUB_PCI_H
#define MENIOS_STUB_PCI_H

#include <types.h>

#define PCI_COMMAND_MEMORY_SPACE (1U << 1)
#define PCI_COMMAND_BUS_MASTER   (1U << 2)

#define PCI_CONFIG_STATUS_COMMAND 0x04
#define PCI_CONFIG_BAR0           0x10
#define PCI_CONFIG_BAR1           0x14
#define PCI_CONFIG_BAR5           0x24
#define PCI_CONFIG_INTERRUPT_LINE 0x3C

typedef struct {
  uint16_t segment;
  uint8_t bus;
  uint8_t device;
  uint8_t function;
} pci_device_location_t;

typedef void (*pci_enumerate_callback_t)(const pci_device_location_t *location, uint32_t vendor_device,
                                         uint32_t class_revision, void *context);

/* The offset has 16 bits in newer trees, 8 in older ones. */
uint32_t pci_config_read_segment(uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint16_t offset);
void pci_config_write_segment(uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint16_t offset,
                              uint32_t value);
void pci_enumerate_devices(pci_enumerate_callback_t callback, void *context);

#endif
