/* ahci.h - what menios tells about its AHCI controllers, as far as the driver looks. */
#ifndef MENIOS_STUB_AHCI_H
#define MENIOS_STUB_AHCI_H

#include <types.h>

typedef struct ahci_controller_t {
  uint32_t gsi;
  bool irq_configured;
  struct ahci_controller_t *next;
} ahci_controller_t;

ahci_controller_t *ahci_controllers(void);

#endif
