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
#define COMMAND_INTX_DISABLE 0x0400U
#define COMMAND_BITS         0x0407U /* those that a NIC has */
#define BARS_END             0x28U
#define IO_BAR_SIZE          8U

struct stub stub;

const struct net_platform *stub_platform(const struct stub_nic *nic) {
  return nic->virtio ? virtio_sim_platform(nic->virtio) : sim_platform(nic->sim);
}

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
  const struct net_platform *memory = stub_platform(&stub.nic[stub.now]);
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
      const struct net_platform *memory = stub_platform(&stub.nic[row->nic]);
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
    if(stub.nic[i].virtio) {
      virtio_sim_advance(stub.nic[i].virtio, 1);
    } else {
      sim_advance(stub.nic[i].sim, 1);
    }
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

static bool is_bar(uint16_t offset) {
  return offset >= PCI_CONFIG_BAR0 && offset < BARS_END;
}

static bool is_64bit(uint32_t low) {
  return (low & 7U) == 4U;
}

/* The simulator of virtio has the capabilities; BARs and interrupt line are the machine's, so the stub's. */
static bool is_simulated(const struct stub_nic *nic, uint16_t offset) {
  return nic->virtio && !is_bar(offset) && offset != PCI_CONFIG_INTERRUPT_LINE;
}

uint32_t stub_command(const struct stub_nic *nic) {
  return nic->virtio ? stub_platform(nic)->config_read(nic->virtio, PCI_CONFIG_STATUS_COMMAND, 2) : nic->config[1];
}

uint32_t pci_config_read_segment(uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint16_t offset) {
  const struct stub_nic *nic = nic_at(segment, bus, device, function);
  assert_int_equal(offset % 4U, 0);
  if(is_simulated(nic, offset)) {
    return stub_platform(nic)->config_read(nic->virtio, offset, 4);
  }
  return nic->config[offset / 4U];
}

/* Of a BAR that has all ones written to it. */
static uint32_t size_mask(const struct stub_nic *nic, uint32_t bar) {
  uint32_t word = nic->config[4U + bar];
  bool upper = bar > 0 && is_64bit(nic->config[3U + bar]) && !(bar > 1 && is_64bit(nic->config[2U + bar]));
  uint32_t owner = upper ? bar - 1U : bar;
  uint64_t size = nic->virtio ? stub_platform(nic)->bar[owner].size : owner == 0 ? nic->bar_size : IO_BAR_SIZE;
  if(word == 0 && !upper) {
    return 0; /* no BAR */
  }
  uint64_t mask = ~(size - 1U);
  return upper ? (uint32_t)(mask >> 32) : (uint32_t)mask | (word & (word & 1U ? 3U : 15U));
}

static void write_command(struct stub_nic *nic, uint32_t value) {
  assert_int_equal(value >> 16, 0); /* a one clears a status bit */
  nic->commands++;
  nic->decoding_off += (stub_command(nic) & COMMAND_MEMORY_SPACE) && !(value & COMMAND_MEMORY_SPACE);
  nic->config[1] = value & COMMAND_BITS;
  if(nic->virtio) {
    stub_platform(nic)->config_write(nic->virtio, PCI_CONFIG_STATUS_COMMAND, 2, value);
  }
}

void pci_config_write_segment(uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint16_t offset,
                              uint32_t value) {
  struct stub_nic *nic = nic_at(segment, bus, device, function);
  if(offset == PCI_CONFIG_STATUS_COMMAND) {
    write_command(nic, value);
    return;
  }
  assert_true(is_bar(offset));
  assert_false(stub_command(nic) & COMMAND_MEMORY_SPACE);
  uint32_t bar = (offset - PCI_CONFIG_BAR0) / 4U;
  nic->config[4U + bar] = value == UINT32_MAX ? size_mask(nic, bar) : value;
}

void pci_enumerate_devices(pci_enumerate_callback_t callback, void *context) {
  const pci_device_location_t bridge = {.device = STUB_NICS};
  callback(&bridge, 0x29C08086U, 0x06000000U, context);
  for(uint32_t i = 0; i < stub.nic_count; i++) {
    const pci_device_location_t location = {.device = (uint8_t)i};
    callback(&location, pci_config_read_segment(0, 0, location.device, 0, 0),
             pci_config_read_segment(0, 0, location.device, 0, 8), context);
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

/* menios' lock of the lines is held for a moment with interrupts as the caller has them. One that came now would be
 * dispatched under the same lock, on the same processor: nobody would ever get it. */
static void expect_no_interrupt(void) {
  if(!stub.locked) {
    fail_msg("an interrupt may come while menios' lock of the lines is held");
  }
}

int irq_register(uint32_t irq, irq_handler_fn handler, void *ctx, const irq_config_t *config,
                 struct irq_handle **out_handle) {
  const struct menios_nic *nic = ctx;
  struct stub_nic *row = &stub.nic[nic->pci.device];
  assert_int_equal(irq, STUB_LINE);
  expect_no_interrupt();
  assert_true(config->level_triggered && config->active_low);
  if(stub.irq_result != 0) {
    return stub.irq_result;
  }
  row->command_at_register = stub_command(row);
  row->handler = handler;
  row->handler_ctx = ctx;
  *out_handle = (struct irq_handle *)row;
  return 0;
}

int irq_unregister(struct irq_handle *handle) {
  struct stub_nic *row = (struct stub_nic *)handle;
  expect_no_interrupt();
  /* else its level would have nobody to lower it */
  assert_true(row->virtio || sim_knobs(row->sim)->gone || sim_peek(row->sim, R_IMS) == 0);
  assert_true(!row->virtio || (stub_command(row) & COMMAND_INTX_DISABLE));
  row->handler = NULL;
  return 0;
}

bool stub_interrupt(struct stub_nic *nic, uint32_t causes) {
  if(nic->virtio) {
    return virtio_sim_interrupt(nic->virtio) && nic->handler(nic->handler_ctx);
  }
  sim_poke(nic->sim, R_ICR, sim_peek(nic->sim, R_ICR) | causes);
  return (sim_peek(nic->sim, R_ICR) & sim_peek(nic->sim, R_IMS)) && nic->handler(nic->handler_ctx);
}

/* Registers ------------------------------------------------------------------------------------------------------ */

static const struct stub_nic *row_of(void *ctx) {
  const struct menios_nic *nic = ctx;
  return &stub.nic[nic->pci.device];
}

static void *sim_of(const struct stub_nic *row) {
  return row->virtio ? (void *)row->virtio : (void *)row->sim;
}

static uint32_t read32(void *ctx, uint32_t bar, uint32_t offset) {
  const struct stub_nic *row = row_of(ctx);
  return stub_platform(row)->read32(sim_of(row), bar, offset);
}

static uint16_t read16(void *ctx, uint32_t bar, uint32_t offset) {
  const struct stub_nic *row = row_of(ctx);
  return stub_platform(row)->read16(sim_of(row), bar, offset);
}

static uint8_t read8(void *ctx, uint32_t bar, uint32_t offset) {
  const struct stub_nic *row = row_of(ctx);
  return stub_platform(row)->read8(sim_of(row), bar, offset);
}

/* To an I/O BAR as the real one does it. */
static void write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  const struct menios_nic *nic = ctx;
  const struct stub_nic *row = row_of(ctx);
  if(nic->platform.bar[bar].kind == NET_BAR_IO) {
    stub.now = nic->pci.device;
    outl((uint16_t)(nic->pci.bar[bar] + offset), value);
  } else {
    stub_platform(row)->write32(sim_of(row), bar, offset, value);
  }
}

static void write16(void *ctx, uint32_t bar, uint32_t offset, uint16_t value) {
  const struct stub_nic *row = row_of(ctx);
  stub_platform(row)->write16(sim_of(row), bar, offset, value);
}

static void write8(void *ctx, uint32_t bar, uint32_t offset, uint8_t value) {
  const struct stub_nic *row = row_of(ctx);
  stub_platform(row)->write8(sim_of(row), bar, offset, value);
}

void __wrap_menios_platform_init(struct menios_nic *nic);

void __wrap_menios_platform_init(struct menios_nic *nic) {
  __real_menios_platform_init(nic);
  stub.now = nic->pci.device;
  nic->platform.read32 = read32;
  nic->platform.read16 = read16;
  nic->platform.read8 = read8;
  nic->platform.write32 = write32;
  nic->platform.write16 = write16;
  nic->platform.write8 = write8;
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

/* Every BAR where the firmware may have put it: those of 64 bits above 4 GiB. */
struct stub_nic *stub_add_virtio(const struct virtio_sim_config *config) {
  struct stub_nic *nic = &stub.nic[stub.nic_count++];
  assert_true(stub.nic_count <= STUB_NICS);
  nic->virtio = virtio_sim_create(config);
  const struct net_platform *platform = stub_platform(nic);
  for(uint8_t bar = 0; bar < NET_BAR_COUNT; bar++) {
    uint32_t low = platform->config_read(nic->virtio, PCI_CONFIG_BAR0 + 4U * bar, 4);
    if(platform->bar[bar].kind == NET_BAR_NONE) {
      continue;
    }
    nic->config[4U + bar] = low;
    if(is_64bit(low)) {
      nic->config[5U + bar] = 0xE0U;
    }
  }
  nic->config[15] = 0x0100U | STUB_LINE;
  write_command(nic, 0x0400U); /* INTx disabled, as some firmware leaves it */
  nic->commands = 0;
  nic->decoding_off = 0;
  return nic;
}

static void end_sim(const struct stub_nic *nic) {
  assert_null(nic->handler);
  if(nic->virtio) {
    assert_string_equal(virtio_sim_violation_text(nic->virtio), "");
    assert_int_equal(virtio_sim_leaks(nic->virtio), 0);
    virtio_sim_destroy(nic->virtio);
  } else {
    assert_string_equal(sim_violation_text(nic->sim), "");
    assert_int_equal(sim_leaks(nic->sim), 0);
    sim_destroy(nic->sim);
  }
}

void stub_end(void) {
  e1000_menios_shutdown();
  assert_false(stub.locked);
  assert_int_equal(stub.kmallocs_live, 0);
  for(uint32_t i = 0; i < stub.nic_count; i++) {
    end_sim(&stub.nic[i]);
  }
}
