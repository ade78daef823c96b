/* nic.c - the reference kernel's NIC: the plain glue with page tables of our own, and its interrupt routed. */
#include "nic.h"

#include "../../app/args.h"
#include "../../driver/kernel/msi.h"
#include "../../driver/kernel/plain/plain.h"
#include "arch.h"

#define PCI_INTERRUPT 0x3CU

static struct plain_nic own;

static void log_line(uint32_t place, const char *text, uint32_t value) {
  (void)place;
  serial_text("kernel: ");
  serial_text(text);
  serial_text(" ");
  serial_number(value);
  serial_text("\r\n");
}

static void *map(uint64_t physical, uint64_t size) {
  return paging_map(physical, size) ? (void *)physical : NULL;
}

bool nic_find(uint32_t index, struct kernel_nic *nic) {
  bool found = plain_find(index, &own);
  *nic = own.pci;
  return found;
}

const struct net_platform *nic_platform(uint64_t system_table, uint8_t *heap, size_t heap_size) {
  const struct plain_host host = {.system_table = system_table,
                                  .map = map,
                                  .memory = heap,
                                  .memory_physical = (uint64_t)heap,
                                  .memory_size = heap_size,
                                  .log = log_line};
  plain_begin(&host);
  plain_prepare(&own);
  for(uint32_t i = 0; i < NET_BAR_COUNT; i++) {
    if(own.registers[i]) {
      (void)paging_uncache(own.pci.bar[i], own.platform.bar[i].size);
    }
  }
  return &own.platform;
}

/* Interrupts ----------------------------------------------------------------------------------------------------- */

static uint32_t config_read(const struct kernel_nic *nic, uint32_t offset) {
  return plain_pci_read(NULL, nic->segment, nic->bus, nic->device, nic->function, (uint8_t)offset);
}

/* Both of QEMU's machines: on q35 the devices of bus 0 are spread over inputs 20 to 23, on pc the Interrupt Line holds
 * the input. Either may be unused, so both are routed. */
static void route_intx(const struct kernel_nic *nic) {
  uint32_t interrupt = config_read(nic, PCI_INTERRUPT);
  ioapic_route(20U + ((nic->device + ((interrupt >> 8) & 0xFFU) - 1U) & 3U));
  ioapic_route(interrupt & 0xFU);
}

bool nic_route(const struct kernel_nic *nic, const char *interrupts, enum netdev_irq_mode *mode) {
  const struct kernel_msi message = kernel_msi_x86(0, NIC_VECTOR);
  if(text_equal(interrupts, "msi")) {
    *mode = NETDEV_IRQ_MSI;
    return kernel_msi_enable(&own.platform, &message);
  }
  if(text_equal(interrupts, "msix")) {
    *mode = NETDEV_IRQ_MSIX;
    return kernel_msix_enable(&own.platform, &message);
  }
  *mode = NETDEV_IRQ_INTX;
  if(text_equal(interrupts, "pic")) {
    pic_route(config_read(nic, PCI_INTERRUPT) & 0xFU);
  } else {
    route_intx(nic);
  }
  return true;
}
