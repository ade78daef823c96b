/* stubs.c - menios' functions, as far as the glue calls them, in front of simulated NICs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <boot/limine.h>
#include <kernel/dma.h>
#include <kernel/heap.h>
#include <kernel/kernel.h>
#include <kernel/pci.h>
#include <kernel/pmm.h>
#include <kernel/serial.h>
#include <kernel/spinlock.h>
#include <kernel/tsc.h>

#include "stubs.h"
#include "net/e1000.h"

#define R_ICR 0x000C0U
#define R_IMS 0x000D0U

#define COMMAND_MEMORY_SPACE 2U
#define COMMAND_BITS         0x0407U /* those that a NIC has */

struct stub stub;

/* Memory --------------------------------------------------------------------------------------------------------- */

void *kmalloc(size_t size) {
  if(++stub.kmallocs == stub.fail_kmalloc_at) {
    return NULL;
  }
  void *memory = malloc(size);
  assert_non_null(memory);
  memset(memory, 0xA5, size);
  stub.kmallocs_live++;
  return memory;
}

void kfree(void *ptr) {
  assert_non_null(ptr);
  free(ptr);
  stub.kmallocs_live--;
}

bool dma_buffer_alloc(dma_buffer_t *buffer, size_t size, size_t alignment, phys_addr_t max_phys_addr, bool zero) {
  assert_int_equal(max_phys_addr, 0xFFFFFFFFU);
  assert_true(zero);
  if(++stub.dma_allocs == stub.fail_dma_at) {
    return false;
  }
  const struct net_platform *memory = sim_platform(stub.nic[stub.now].sim);
  for(uint32_t i = 0; i < STUB_BUFFERS; i++) {
    struct stub_buffer *row = &stub.buffer[i];
    if(!row->dma.cpu) {
      assert_int_equal(memory->dma_alloc(memory->ctx, size, alignment, 32, &row->dma), 0);
      row->nic = stub.now;
      *buffer = (dma_buffer_t){.virt = row->dma.cpu, .phys = row->dma.device, .size = size, .page_count = 1};
      return true;
    }
  }
  return false;
}

void dma_buffer_free(dma_buffer_t *buffer) {
  for(uint32_t i = 0; i < STUB_BUFFERS; i++) {
    struct stub_buffer *row = &stub.buffer[i];
    if(row->dma.cpu && row->dma.cpu == buffer->virt) {
      const struct net_platform *memory = sim_platform(stub.nic[row->nic].sim);
      memory->dma_free(memory->ctx, &row->dma);
      row->dma.cpu = NULL;
      return;
    }
  }
  fail_msg("dma_buffer_free of what is not allocated");
}

/* Only the offset of the direct map shows; what the glue looks at is where it is. */
virt_addr_t physical_to_virtual(phys_addr_t physical_address) {
  return physical_address ? physical_address : STUB_DIRECT_MAP;
}

phys_addr_t virtual_to_physical(virt_addr_t virtual_address) {
  return virtual_address < stub.direct_map_end ? virtual_address : PHYS_ADDR_INVALID;
}

bool pmm_map_page(virt_addr_t vaddr, phys_frame_t frame, bool writable, bool user) {
  assert_int_equal(vaddr, frame.addr);
  assert_true(writable && !user);
  stub.pages_mapped++;
  return !stub.map_fails;
}

/* Time, messages, locks ------------------------------------------------------------------------------------------ */

uint64_t tsc_frequency_hz(void) {
  return stub.tsc_hz;
}

long long ns_from_boot(void) {
  stub.now_ns += 1000;
  for(uint32_t i = 0; i < stub.nic_count; i++) {
    sim_advance(stub.nic[i].sim, 1);
  }
  return (long long)stub.now_ns;
}

int serial_printf(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(stub.log + stub.log_length, sizeof(stub.log) - stub.log_length, format, arguments);
  va_end(arguments);
  stub.log_length += (uint32_t)length;
  assert_true(stub.log_length < sizeof(stub.log));
  return length;
}

void spinlock_init(spinlock_t *lock) {
  lock->state = 0;
}

uint64_t spinlock_lock_irqsave(spinlock_t *lock) {
  assert_false(stub.locked); /* on one processor it would never come free */
  stub.locked = true;
  lock->state = 1;
  return 0x202;
}

void spinlock_unlock_irqrestore(spinlock_t *lock, uint64_t flags) {
  assert_true(stub.locked && lock->state == 1);
  assert_int_equal(flags, 0x202);
  stub.locked = false;
  lock->state = 0;
}

/* PCI ------------------------------------------------------------------------------------------------------------ */

static struct stub_nic *nic_at(uint16_t segment, uint8_t bus, uint8_t device, uint8_t function) {
  assert_true(segment == 0 && bus == 0 && device < stub.nic_count && function == 0);
  return &stub.nic[device];
}

uint32_t pci_config_read_segment(uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint8_t offset) {
  assert_int_equal(offset % 4U, 0);
  return nic_at(segment, bus, device, function)->config[offset / 4U];
}

void pci_config_write_segment(uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint8_t offset,
                              uint32_t value) {
  struct stub_nic *nic = nic_at(segment, bus, device, function);
  uint32_t *word = &nic->config[offset / 4U];
  if(offset == PCI_CONFIG_STATUS_COMMAND) {
    assert_int_equal(value >> 16, 0); /* a one clears a status bit */
    nic->commands++;
    nic->decoding_off += (*word & COMMAND_MEMORY_SPACE) && !(value & COMMAND_MEMORY_SPACE);
    *word = value & COMMAND_BITS;
    return;
  }
  assert_true(offset == PCI_CONFIG_BAR0 || offset == PCI_CONFIG_BAR1);
  assert_false(nic->config[1] & COMMAND_MEMORY_SPACE);
  if(value != UINT32_MAX) {
    *word = value;
  } else if(offset == PCI_CONFIG_BAR0) {
    *word = ((uint32_t) ~(nic->bar_size - 1U) & 0xFFFFFFF0U) | (*word & 0xFU);
  } else {
    *word = (uint32_t)(~(nic->bar_size - 1U) >> 32);
  }
}

void pci_enumerate_devices(pci_enumerate_callback_t callback, void *context) {
  const pci_device_location_t bridge = {.device = STUB_NICS};
  callback(&bridge, 0x29C08086U, 0x06000000U, context);
  for(uint32_t i = 0; i < stub.nic_count; i++) {
    const pci_device_location_t location = {.device = (uint8_t)i};
    callback(&location, stub.nic[i].config[0], stub.nic[i].config[2], context);
  }
}

void outl(uint16_t port, uint32_t value) {
  struct stub_nic *nic = &stub.nic[stub.now];
  assert_true(port >= STUB_IO_BASE && port < STUB_IO_BASE + 8U);
  const struct net_platform *platform = sim_platform(nic->sim);
  for(uint32_t bar = 1; bar < NET_BAR_COUNT; bar++) {
    if(platform->bar[bar].kind == NET_BAR_IO) {
      platform->write32(nic->sim, bar, port - STUB_IO_BASE, value);
    }
  }
}

/* Interrupts ----------------------------------------------------------------------------------------------------- */

ahci_controller_t *ahci_controllers(void) {
  return stub.ahci;
}

int irq_register(uint32_t irq, irq_handler_fn handler, void *ctx, const irq_config_t *config,
                 struct irq_handle **out_handle) {
  const struct menios_nic *nic = ctx;
  struct stub_nic *row = &stub.nic[nic->pci.device];
  assert_int_equal(irq, STUB_LINE);
  assert_true(config->level_triggered && config->active_low);
  if(stub.irq_result != 0) {
    return stub.irq_result;
  }
  row->handler = handler;
  row->handler_ctx = ctx;
  *out_handle = (struct irq_handle *)row;
  return 0;
}

int irq_unregister(struct irq_handle *handle) {
  ((struct stub_nic *)handle)->handler = NULL;
  return 0;
}

bool stub_interrupt(struct stub_nic *nic, uint32_t causes) {
  sim_poke(nic->sim, R_ICR, sim_peek(nic->sim, R_ICR) | causes);
  return (sim_peek(nic->sim, R_ICR) & sim_peek(nic->sim, R_IMS)) && nic->handler(nic->handler_ctx);
}

/* Registers ------------------------------------------------------------------------------------------------------ */

static uint32_t sim_read(void *ctx, uint32_t bar, uint32_t offset) {
  const struct menios_nic *nic = ctx;
  struct sim *sim = stub.nic[nic->pci.device].sim;
  return sim_platform(sim)->read32(sim, bar, offset);
}

static void sim_write(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  const struct menios_nic *nic = ctx;
  struct sim *sim = stub.nic[nic->pci.device].sim;
  if(bar == 0) {
    sim_platform(sim)->write32(sim, bar, offset, value);
  } else {
    outl((uint16_t)(nic->ports[bar] + offset), value); /* as the real one does */
  }
}

void __wrap_menios_platform_init(struct menios_nic *nic);

void __wrap_menios_platform_init(struct menios_nic *nic) {
  __real_menios_platform_init(nic);
  stub.now = nic->pci.device;
  nic->platform.read32 = sim_read;
  nic->platform.write32 = sim_write;
}

/* The machine ---------------------------------------------------------------------------------------------------- */

/* As Limine does it: by its identifier, anywhere in the image. */
__attribute__((no_sanitize("address", "undefined"))) void stub_answer_limine(uintptr_t efi_system_table) {
  extern uint64_t __data_start[];
  extern uint64_t _edata[];
  static const uint64_t id[4] = LIMINE_EFI_SYSTEM_TABLE_REQUEST;
  static struct limine_efi_system_table_response response;
  uint32_t found = 0;
  response.address = (void *)efi_system_table;
  for(uint64_t *at = __data_start; at + 6 <= _edata; at++) {
    if(at[0] == id[0] && at[1] == id[1] && at[2] == id[2] && at[3] == id[3]) {
      ((struct limine_efi_system_table_request *)at)->response = efi_system_table ? &response : NULL;
      found++;
    }
  }
  assert_int_equal(found, 1);
}

void stub_begin(void) {
  memset(&stub, 0, sizeof(stub));
  stub.tsc_hz = 3000000000U;
  stub.direct_map_end = UINT64_MAX;
  stub_answer_limine(0);
}

struct stub_nic *stub_add_nic(uint16_t device_id) {
  struct sim_config config = {.device_id = device_id, .mac = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3}};
  struct stub_nic *nic = &stub.nic[stub.nic_count++];
  assert_true(stub.nic_count <= STUB_NICS);
  nic->sim = sim_create(&config);
  nic->bar_size = 0x20000U;
  nic->config[0] = (uint32_t)device_id << 16 | 0x8086U;
  nic->config[1] = 0x0400U; /* INTx disabled, as some firmware leaves it */
  nic->config[2] = 0x02000003U;
  nic->config[4] = 0x80000000U + stub.nic_count * 0x100000U;
  nic->config[6] = STUB_IO_BASE | 1U;
  nic->config[15] = 0x0100U | STUB_LINE;
  return nic;
}

void stub_end(void) {
  e1000_menios_shutdown();
  assert_false(stub.locked);
  assert_int_equal(stub.kmallocs_live, 0);
  for(uint32_t i = 0; i < stub.nic_count; i++) {
    assert_string_equal(sim_violation_text(stub.nic[i].sim), "");
    assert_int_equal(sim_leaks(stub.nic[i].sim), 0);
    assert_null(stub.nic[i].handler);
    sim_destroy(stub.nic[i].sim);
  }
}
