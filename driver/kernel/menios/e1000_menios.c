/* e1000_menios.c - the driver's life in menios: finds handoff and NICs, brings them up, and works by interrupts. */
#include <boot/limine.h>
#include <kernel/ahci.h>
#include <kernel/irq.h>
#include <kernel/pci.h>
#include <kernel/pmm.h>
#include <kernel/serial.h>
#include <kernel/spinlock.h>
#include <string.h>

#include "e1000_menios.h"
#include "menios_platform.h"

#define NICS_MAX    8U
#define TICK_US     50000U
#define NO_IRQ_LINE 0xFFU

#define EFI_SYSTEM_TABLE_SIGNATURE 0x5453595320494249ULL /* "IBI SYST" */
#define EFI_ENTRIES_MAX            1024U                 /* more is a table that is damaged */

/* EFI_SYSTEM_TABLE (UEFI 2.10, 4.3), as far as it matters. */
struct efi_system_table {
  uint64_t signature;
  uint8_t header[16];
  uint64_t firmware[2];
  uint64_t consoles_and_services[8];
  uint64_t entry_count;
  uint64_t entries; /* physical, or one in the direct map */
};
_Static_assert(sizeof(struct efi_system_table) == 120, "EFI_SYSTEM_TABLE");

static volatile struct limine_efi_system_table_request efi_request = {.id = LIMINE_EFI_SYSTEM_TABLE_REQUEST,
                                                                      .revision = 0};

static struct {
  struct menios_nic nic[NICS_MAX];
  uint32_t nic_count;
  spinlock_t lines; /* held for its interrupts off, around menios' own lock of the lines */
  uint64_t handoff; /* physical address of the table, 0 = none */
  void (*receive)(struct netdev *dev, const struct netdev_frame *frame);
} driver;

/* The handoff table ---------------------------------------------------------------------------------------------- */

/* An address that is physical or in the direct map: which of them Limine shows depends on its base revision. */
static uint64_t to_physical(uint64_t address) {
  uint64_t direct_map = physical_to_virtual(0);
  return address >= direct_map ? address - direct_map : address;
}

void e1000_menios_early(void) {
  const struct limine_efi_system_table_response *response = efi_request.response;
  if(!response) {
    serial_printf("net: not started by EFI, so there is no handoff\n");
    return;
  }
  const struct efi_system_table *efi = menios_map(NULL, to_physical((uintptr_t)response->address), sizeof(*efi));
  if(!efi || efi->signature != EFI_SYSTEM_TABLE_SIGNATURE || efi->entry_count > EFI_ENTRIES_MAX) {
    serial_printf("net: the EFI system table cannot be read\n");
    return;
  }
  const struct kernel_efi_entry *entries =
      menios_map(NULL, to_physical(efi->entries), efi->entry_count * sizeof(*entries));
  driver.handoff = kernel_handoff_locate(entries, efi->entry_count, physical_to_virtual(0));
  serial_printf("net: %s\n", driver.handoff ? "the firmware left a handoff" : "the firmware left no handoff");
}

/* Frames --------------------------------------------------------------------------------------------------------- */

static void on_frame(void *ctx, const struct netdev_frame *frame) {
  struct menios_nic *nic = ctx;
  if(driver.receive) {
    driver.receive(nic->dev, frame);
  }
}

static void on_link(void *ctx, const struct netdev_link *link) {
  const struct menios_nic *nic = ctx;
  serial_printf("net: %04x:%02x:%02x.%u: link %s, %u Mb/s %s duplex\n", nic->pci.segment, nic->pci.bus, nic->pci.device,
                nic->pci.function, link->up ? "up" : "down", link->speed_mbps, link->full_duplex ? "full" : "half");
}

void e1000_menios_set_receiver(void (*receive)(struct netdev *dev, const struct netdev_frame *frame)) {
  driver.receive = receive;
}

int e1000_menios_transmit(struct netdev *dev, const void *frame, size_t length) {
  struct menios_nic *nic = dev->client.ctx;
  uint64_t flags = spinlock_lock_irqsave(&nic->lock);
  int result = netdev_transmit(dev, frame, length, NULL, 0);
  spinlock_unlock_irqrestore(&nic->lock, flags);
  return result;
}

/* Work ----------------------------------------------------------------------------------------------------------- */

/* Not from the interrupt handler: it may reset a NIC that hangs, which takes its time (up to a second where the TSC is
 * guessed). */
static void tick(struct menios_nic *nic) {
  uint64_t now = nic->platform.now_us(nic);
  if(now - nic->ticked_us >= TICK_US) {
    nic->ticked_us = now;
    (void)netdev_tick(nic->dev);
  }
}

/* menios has nowhere to put the work off to from here: its work queue and semaphores allocate, and take locks that
 * whoever was interrupted may hold; README.md has the details. When it has, nic->work.submit is all that is to be
 * set. */
static bool on_interrupt(void *ctx) {
  struct menios_nic *nic = ctx;
  uint64_t flags = spinlock_lock_irqsave(&nic->lock);
  bool mine = kernel_work_interrupt(&nic->work);
  spinlock_unlock_irqrestore(&nic->lock, flags);
  return mine;
}

bool e1000_menios_poll(void) {
  bool more = false;
  for(uint32_t i = 0; i < driver.nic_count; i++) {
    uint64_t flags = spinlock_lock_irqsave(&driver.nic[i].lock);
    tick(&driver.nic[i]);
    more |= kernel_work_run(&driver.nic[i].work);
    spinlock_unlock_irqrestore(&driver.nic[i].lock, flags);
  }
  return more;
}

/* Bringing up ---------------------------------------------------------------------------------------------------- */

/* AHCI routes its input to a vector of its own, past irq_register. Taking the input away from it would leave its
 * interrupts unanswered, and a level that nobody lowers stops the machine. */
static bool is_ahcis(uint32_t line) {
  for(const ahci_controller_t *ahci = ahci_controllers(); ahci; ahci = ahci->next) {
    if(ahci->irq_configured && ahci->gsi == line) {
      return true;
    }
  }
  return false;
}

/* irq_register and irq_unregister take menios' lock of the lines with interrupts as they are. An interrupt on this
 * processor, of a NIC that is up already, would wait for that lock without end: its dispatcher takes it too. Not the
 * NIC's lock: on another processor the dispatcher may hold the lines' and wait for the NIC's. */
static int claim_line(struct menios_nic *nic, uint32_t line) {
  const irq_config_t config = {.level_triggered = true, .active_low = true};
  uint64_t flags = spinlock_lock_irqsave(&driver.lines);
  int result = irq_register(line, on_interrupt, nic, &config, &nic->irq);
  spinlock_unlock_irqrestore(&driver.lines, flags);
  return result;
}

/* The NIC is quiet first: a level that nobody lowers any more stops the machine. */
static void give_back_line(struct menios_nic *nic) {
  uint64_t flags = spinlock_lock_irqsave(&nic->lock);
  netdev_irq_disable(nic->dev);
  spinlock_unlock_irqrestore(&nic->lock, flags);
  flags = spinlock_lock_irqsave(&driver.lines);
  (void)irq_unregister(nic->irq);
  spinlock_unlock_irqrestore(&driver.lines, flags);
}

/* As menios' other drivers take it, the I/O APIC input is the Interrupt Line. */
static void route_interrupt(struct menios_nic *nic) {
  uint32_t interrupt = menios_pci_read(nic, PCI_CONFIG_INTERRUPT_LINE);
  uint32_t line = interrupt & 0xFFU;
  bool has_pin = (interrupt >> 8 & 0xFFU) != 0;
  if(!has_pin || line == NO_IRQ_LINE || is_ahcis(line) || claim_line(nic, line) != 0) {
    serial_printf("net: %s: no interrupt on line %u, polling\n", nic->dev->name, line);
    return;
  }
  uint64_t flags = spinlock_lock_irqsave(&nic->lock);
  (void)netdev_irq_enable(nic->dev, NETDEV_IRQ_INTX, 0); /* fails for a device that is not open only */
  menios_pci_allow_intx(nic);                            /* last: the line is shared, and somebody answers for it now */
  spinlock_unlock_irqrestore(&nic->lock, flags);
  serial_printf("net: %s: interrupts on line %u\n", nic->dev->name, line);
}

static int bring_up(struct menios_nic *nic) {
  const struct netdev_client client = {.ctx = nic, .receive = on_frame, .link_changed = on_link};
  enum kernel_nic_origin origin;
  void *table = driver.handoff ? menios_map(NULL, driver.handoff, NET_HANDOFF_MAX_SIZE) : NULL;
  menios_platform_init(nic);
  menios_pci_prepare(nic, table, driver.handoff);
  spinlock_init(&nic->lock);
  int result = kernel_nic_start(&nic->platform, &nic->pci, table, NET_HANDOFF_MAX_SIZE, driver.handoff, menios_map,
                                &client, &nic->dev, &origin);
  if(result != NETDEV_OK) {
    menios_pci_release(nic);
    return result;
  }
  nic->work = (struct kernel_work){.dev = nic->dev};
  const uint8_t *mac = nic->dev->mac;
  serial_printf("net: %s: %s, %02x:%02x:%02x:%02x:%02x:%02x, %s\n", nic->dev->name, nic->dev->model, mac[0], mac[1],
                mac[2], mac[3], mac[4], mac[5],
                origin == KERNEL_NIC_ADOPTED ? "adopted from the firmware" : "started afresh");
  route_interrupt(nic);
  return NETDEV_OK;
}

static uint32_t read_config(void *ctx, uint16_t segment, uint8_t bus, uint8_t device, uint8_t function,
                            uint8_t offset) {
  (void)ctx;
  return pci_config_read_segment(segment, bus, device, function, offset);
}

static void probe(const pci_device_location_t *location, uint32_t vendor_device, uint32_t class_revision,
                  void *context) {
  int *failure = context;
  (void)class_revision;
  const struct net_device_id id = {.vendor_id = (uint16_t)vendor_device, .device_id = (uint16_t)(vendor_device >> 16)};
  if(!net_driver_find(&id, NULL) || driver.nic_count == NICS_MAX) {
    return;
  }
  struct menios_nic *nic = &driver.nic[driver.nic_count];
  *nic = (struct menios_nic){0};
  if(!kernel_nic_look(read_config, NULL, location->segment, location->bus, location->device, location->function,
                      &nic->pci)) {
    return;
  }
  int result = bring_up(nic);
  if(result == NETDEV_OK) {
    driver.nic_count++;
  } else {
    serial_printf("net: %04x:%02x:%02x.%u does not start: %s\n", location->segment, location->bus, location->device,
                  location->function, netdev_strerror(result));
    *failure = result;
  }
}

int e1000_init(void) {
  int failure = 0;
  if(driver.nic_count == 0) {
    spinlock_init(&driver.lines);
    pci_enumerate_devices(probe, &failure);
  }
  return driver.nic_count > 0 ? (int)driver.nic_count : failure;
}

void e1000_menios_shutdown(void) {
  while(driver.nic_count > 0) {
    struct menios_nic *nic = &driver.nic[--driver.nic_count];
    if(nic->irq) {
      give_back_line(nic);
    }
    netdev_destroy(nic->dev);
    menios_pci_release(nic);
  }
  driver.handoff = 0;
}
