/* sim.c - the simulator as a platform: memory, time, access counting, messages, and what the caller did wrong. */
#include "sim_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far from any processor address of a test, and above 4 GiB so that the high halves matter. Allocations lie apart, so
 * that running over the end of one does not land in the next. */
#define DEVICE_BASE 0x0000000180000000ULL
#define DEVICE_LOW  0x0000000010000000ULL /* for a device that must not be given more than 32 bits */
#define DEVICE_GAP  0x10000ULL
#define FOUR_GIB    0x100000000ULL
#define NO_MEMORY   (-2) /* NETDEV_E_NO_MEMORY */

static void *must(void *memory) {
  if(!memory) {
    abort();
  }
  return memory;
}

/* Mistakes ------------------------------------------------------------------------------------------------------- */

void sim_violate(struct sim *sim, const char *text, uint64_t value) {
  if(sim->violations++ == 0) {
    (void)snprintf(sim->violation, sizeof(sim->violation), "%s: 0x%llx", text, (unsigned long long)value);
  }
}

uint32_t sim_violations(const struct sim *sim) {
  return sim->violations;
}

const char *sim_violation_text(const struct sim *sim) {
  return sim->violation;
}

bool sim_is_gone(const struct sim *sim) {
  return sim->config.gone || (sim->config.gone_at && sim->accesses >= sim->config.gone_at);
}

/* Memory --------------------------------------------------------------------------------------------------------- */

static struct sim_memory *free_row(struct sim *sim) {
  for(size_t i = 0; i < SIM_TABLE; i++) {
    if(!sim->memory[i].live) {
      return &sim->memory[i];
    }
  }
  abort();
}

static void *platform_alloc(void *ctx, size_t size) {
  struct sim *sim = ctx;
  if(++sim->allocs == sim->config.fail_alloc_at) {
    return NULL;
  }
  struct sim_memory *row = free_row(sim);
  *row = (struct sim_memory){.cpu = must(calloc(1, size)), .size = size, .live = true};
  return row->cpu;
}

static void platform_free(void *ctx, void *memory, size_t size) {
  struct sim *sim = ctx;
  for(size_t i = 0; i < SIM_TABLE; i++) {
    struct sim_memory *row = &sim->memory[i];
    if(row->live && row->device == 0 && row->cpu == memory) {
      if(row->size != size) {
        sim_violate(sim, "free with another size than alloc had", size);
      }
      free(row->cpu);
      row->live = false;
      return;
    }
  }
  sim_violate(sim, "free of memory that is not allocated", (uint64_t)(uintptr_t)memory);
}

static uint64_t place(struct sim *sim, size_t size, size_t align, uint32_t address_bits) {
  uint64_t *next = &sim->next_device[address_bits > 32U];
  uint64_t at = (*next + DEVICE_GAP + align - 1U) & ~((uint64_t)align - 1U);
  if(align < DEVICE_GAP) {
    at += align; /* aligned to what was asked for, and to no more */
    at += at & align ? 0 : align;
  }
  if((at ^ (at + size - 1U)) / FOUR_GIB != 0) {
    at = (at + size) & ~(FOUR_GIB - 1U);
  }
  *next = at + size;
  return at;
}

static int platform_dma_alloc(void *ctx, size_t size, size_t align, uint32_t address_bits, struct net_dma *out) {
  struct sim *sim = ctx;
  if(address_bits < 32U || address_bits > 64U) {
    sim_violate(sim, "dma_alloc: address_bits is not 32 to 64", address_bits);
  }
  if(align == 0 || (align & (align - 1U)) || align > 0x10000U) {
    sim_violate(sim, "dma_alloc: align is not a power of two up to 64 KiB", align);
  }
  if(++sim->dma_allocs == sim->config.fail_dma_alloc_at) {
    return NO_MEMORY;
  }
  struct sim_memory *row = free_row(sim);
  *row = (struct sim_memory){
      .cpu = must(calloc(1, size)), .device = place(sim, size, align, address_bits), .size = size, .live = true};
  *out = (struct net_dma){.cpu = row->cpu, .device = row->device, .size = size, .handle = row};
  return 0;
}

static void platform_dma_free(void *ctx, struct net_dma *dma) {
  struct sim *sim = ctx;
  for(size_t i = 0; i < SIM_TABLE; i++) {
    struct sim_memory *row = &sim->memory[i];
    if(row->live && row == dma->handle) {
      if(row->device != dma->device || row->cpu != dma->cpu || row->size != dma->size) {
        sim_violate(sim, "dma_free of something else than dma_alloc gave", dma->device);
      }
      sim_check_free(sim, row);
      free(row->cpu);
      row->live = false;
      return;
    }
  }
  sim_violate(sim, "dma_free of memory that is not allocated", dma->device);
}

void sim_map(struct sim *sim, void *cpu, uint64_t device, size_t size) {
  *free_row(sim) = (struct sim_memory){.cpu = cpu, .device = device, .size = size, .live = true, .borrowed = true};
}

void sim_unmap(struct sim *sim, uint64_t device) {
  for(size_t i = 0; i < SIM_TABLE; i++) {
    struct sim_memory *row = &sim->memory[i];
    if(row->live && row->borrowed && row->device == device) {
      sim_check_free(sim, row);
      row->live = false;
      return;
    }
  }
  sim_violate(sim, "unmap of memory that is not mapped", device);
}

uint8_t *sim_find(struct sim *sim, uint64_t device, size_t size) {
  for(size_t i = 0; i < SIM_TABLE; i++) {
    const struct sim_memory *row = &sim->memory[i];
    if(row->live && row->device && sim_holds(row, device) && size <= row->size - (size_t)(device - row->device)) {
      return (uint8_t *)row->cpu + (device - row->device);
    }
  }
  return NULL;
}

uint8_t *sim_translate(struct sim *sim, uint64_t device, size_t size, const char *what) {
  uint8_t *memory = sim_find(sim, device, size);
  if(!memory) {
    sim_violate(sim, what, device);
  }
  return memory;
}

uint32_t sim_leaks(const struct sim *sim) {
  uint32_t count = 0;
  for(size_t i = 0; i < SIM_TABLE; i++) {
    count += sim->memory[i].live;
  }
  return count;
}

uint32_t sim_allocs(const struct sim *sim) {
  return sim->allocs;
}

uint32_t sim_dma_allocs(const struct sim *sim) {
  return sim->dma_allocs;
}

/* Time and messages ---------------------------------------------------------------------------------------------- */

static void platform_delay_us(void *ctx, uint32_t us) {
  struct sim *sim = ctx;
  if(us == 0 || us > 100000U) {
    sim_violate(sim, "delay_us: not from 1 to 100000", us);
  }
  sim->now_us += us;
}

static uint64_t platform_now_us(void *ctx) {
  return ((struct sim *)ctx)->now_us;
}

void sim_advance(struct sim *sim, uint64_t us) {
  sim->now_us += us;
}

uint64_t sim_now(const struct sim *sim) {
  return sim->now_us;
}

static void platform_log(void *ctx, enum net_log_level level, const char *text, uint32_t value) {
  struct sim *sim = ctx;
  (void)value;
  if(strchr(text, '\n')) {
    sim_violate(sim, "log: a newline in the text", 0);
  }
  struct sim_message *message = &sim->messages[sim->message_count++ % SIM_MESSAGES];
  message->level = level;
  (void)snprintf(message->text, sizeof(message->text), "%s", text);
}

uint32_t sim_logged(const struct sim *sim, enum net_log_level level, const char *text) {
  uint32_t count = 0;
  for(size_t i = 0; i < sim->message_count && i < SIM_MESSAGES; i++) {
    count += sim->messages[i].level == level && strstr(sim->messages[i].text, text) != NULL;
  }
  return count;
}

/* Register access ------------------------------------------------------------------------------------------------ */

static bool access_valid(struct sim *sim, uint32_t offset) {
  sim->accesses++;
  if(offset % 4U) {
    sim_violate(sim, "register offset not a multiple of 4", offset);
    return false;
  }
  if(offset >= SIM_SPACE) {
    sim_violate(sim, "register offset beyond 128 KiB", offset);
    return false;
  }
  return true;
}

static bool is_io_bar(const struct sim *sim, uint32_t bar) {
  return bar < NET_BAR_COUNT && sim->platform.bar[bar].kind == NET_BAR_IO;
}

static bool bar_valid(struct sim *sim, uint32_t bar) {
  if(bar != 0 && !is_io_bar(sim, bar)) {
    sim_violate(sim, "access to a BAR that is not there", bar);
    return false;
  }
  return true;
}

static uint32_t platform_read32(void *ctx, uint32_t bar, uint32_t offset) {
  struct sim *sim = ctx;
  if(!bar_valid(sim, bar) || !access_valid(sim, offset)) {
    return UINT32_MAX;
  }
  if(bar != 0) {
    sim_violate(sim, "the I/O BAR read", offset);
    return UINT32_MAX;
  }
  sim->reads++;
  sim->reads_of[offset / 4U]++;
  if(sim_is_gone(sim)) {
    return sim->config.gone_reads_zero ? 0 : UINT32_MAX;
  }
  return sim->accesses == sim->config.read_fails_at ? UINT32_MAX : sim_register_read(sim, offset);
}

static void record_write(struct sim *sim, uint32_t offset, uint32_t value, bool io) {
  sim->writes++;
  sim->io_writes += io;
  sim->writes_of[offset / 4U]++;
  if(sim->log_count == sim->log_room) {
    sim->log_room = sim->log_room ? sim->log_room * 2U : 1024U;
    sim->log = must(realloc(sim->log, sim->log_room * sizeof(*sim->log)));
  }
  sim->log[sim->log_count++] = (struct sim_write){.offset = offset, .value = value, .io = io, .at_us = sim->now_us};
}

/* IODATA: the register that IOADDR names is written. The I/O BAR of QEMU's e1000 does nothing. */
static void write_through_io(struct sim *sim, uint32_t offset, uint32_t value) {
  if(!access_valid(sim, offset)) {
    return;
  }
  record_write(sim, offset, value, true);
  if(offset != R_CTRL || !(value & CTRL_RST)) {
    sim_violate(sim, "the I/O BAR used for something else than the reset", offset);
  }
  if(!sim_is_gone(sim) && (!sim->config.qemu || sim_is_82574(sim))) {
    sim_register_write(sim, offset, value);
  }
}

static void platform_write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  struct sim *sim = ctx;
  if(!bar_valid(sim, bar)) {
    return;
  }
  if(bar != 0) {
    if(offset == IOADDR) {
      sim->io_address = value;
    } else if(offset == IODATA) {
      write_through_io(sim, sim->io_address, value);
    } else {
      sim_violate(sim, "the I/O BAR written elsewhere than IOADDR and IODATA", offset);
    }
    return;
  }
  if(access_valid(sim, offset)) {
    record_write(sim, offset, value, false);
    if(!sim_is_gone(sim)) {
      sim_register_write(sim, offset, value);
    }
  }
}

/* Registers have 32 bits (SDM 13.2): nothing narrower is a register access. */
static uint16_t platform_read16(void *ctx, uint32_t bar, uint32_t offset) {
  (void)bar;
  sim_violate(ctx, "a register read with 16 bits", offset);
  return UINT16_MAX;
}

static uint8_t platform_read8(void *ctx, uint32_t bar, uint32_t offset) {
  (void)bar;
  sim_violate(ctx, "a register read with 8 bits", offset);
  return UINT8_MAX;
}

static void platform_write16(void *ctx, uint32_t bar, uint32_t offset, uint16_t value) {
  (void)bar;
  (void)value;
  sim_violate(ctx, "a register written with 16 bits", offset);
}

static void platform_write8(void *ctx, uint32_t bar, uint32_t offset, uint8_t value) {
  (void)bar;
  (void)value;
  sim_violate(ctx, "a register written with 8 bits", offset);
}

/* Configuration space -------------------------------------------------------------------------------------------- */

static bool config_valid(struct sim *sim, uint32_t offset, uint32_t width) {
  if((width != 1 && width != 2 && width != 4) || offset % width || offset + width > SIM_CONFIG_SPACE) {
    sim_violate(sim, "configuration space accessed askew", offset);
    return false;
  }
  return true;
}

static uint32_t platform_config_read(void *ctx, uint32_t offset, uint32_t width) {
  struct sim *sim = ctx;
  uint32_t value = 0;
  if(!config_valid(sim, offset, width) || sim_is_gone(sim)) {
    return UINT32_MAX;
  }
  memcpy(&value, sim->config_space + offset, width);
  return value;
}

static void platform_config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value) {
  struct sim *sim = ctx;
  if(config_valid(sim, offset, width) && !sim_is_gone(sim)) {
    memcpy(sim->config_space + offset, &value, width);
  }
}

uint8_t *sim_config_space(struct sim *sim) {
  return sim->config_space;
}

/* Counts --------------------------------------------------------------------------------------------------------- */

uint64_t sim_reads(const struct sim *sim) {
  return sim->reads;
}

uint64_t sim_writes(const struct sim *sim) {
  return sim->writes;
}

uint64_t sim_io_writes(const struct sim *sim) {
  return sim->io_writes;
}

uint32_t sim_reads_of(const struct sim *sim, uint32_t offset) {
  return sim->reads_of[offset / 4U];
}

uint32_t sim_writes_of(const struct sim *sim, uint32_t offset) {
  return sim->writes_of[offset / 4U];
}

uint64_t sim_accesses(const struct sim *sim) {
  return sim->accesses;
}

size_t sim_write_log(const struct sim *sim, const struct sim_write **writes) {
  *writes = sim->log;
  return sim->log_count;
}

void sim_forget_accesses(struct sim *sim) {
  sim->reads = 0;
  sim->writes = 0;
  sim->io_writes = 0;
  sim->log_count = 0;
  memset(sim->reads_of, 0, sizeof(sim->reads_of));
  memset(sim->writes_of, 0, sizeof(sim->writes_of));
}

uint32_t sim_peek(const struct sim *sim, uint32_t offset) {
  return sim->reg[offset / 4U];
}

void sim_poke(struct sim *sim, uint32_t offset, uint32_t value) {
  sim->reg[offset / 4U] = value;
}

/* Life ----------------------------------------------------------------------------------------------------------- */

static void fill_config_space(struct sim *sim) {
  const uint8_t header[] = {0x86, 0x80, (uint8_t)sim->config.device_id, (uint8_t)(sim->config.device_id >> 8), 0x07};
  memcpy(sim->config_space, header, sizeof(header));
  sim->config_space[0x0B] = 0x02; /* network controller */
}

struct sim *sim_create(const struct sim_config *config) {
  struct sim *sim = must(calloc(1, sizeof(*sim)));
  sim->config = *config;
  sim->messages = must(calloc(SIM_MESSAGES, sizeof(*sim->messages)));
  sim->now_us = 1000000U;
  sim->next_device[0] = DEVICE_LOW;
  sim->next_device[1] = DEVICE_BASE;
  sim->platform = (struct net_platform){
      .version = NET_PLATFORM_VERSION,
      .size = sizeof(struct net_platform),
      .ctx = sim,
      .bar = {{NET_BAR_MEMORY, SIM_SPACE}},
      .read32 = platform_read32,
      .read16 = platform_read16,
      .read8 = platform_read8,
      .write32 = platform_write32,
      .write16 = platform_write16,
      .write8 = platform_write8,
      .config_read = platform_config_read,
      .config_write = platform_config_write,
      .alloc = platform_alloc,
      .free = platform_free,
      .dma_alloc = platform_dma_alloc,
      .dma_free = platform_dma_free,
      .delay_us = platform_delay_us,
      .now_us = platform_now_us,
      .log = platform_log,
  };
  if(!config->no_io) {
    sim->platform.bar[sim_is_82574(sim) ? 2 : 1] = (struct net_bar){NET_BAR_IO, SIM_IO_SPACE};
  }
  fill_config_space(sim);
  sim_learn_registers(sim);
  sim_power_on(sim);
  return sim;
}

void sim_destroy(struct sim *sim) {
  for(size_t i = 0; i < SIM_TABLE; i++) {
    if(sim->memory[i].live && !sim->memory[i].borrowed) {
      free(sim->memory[i].cpu);
    }
  }
  sim_forget_frames(sim);
  free(sim->frames);
  free(sim->messages);
  free(sim->log);
  free(sim);
}

const struct net_platform *sim_platform(struct sim *sim) {
  return &sim->platform;
}

struct sim_config *sim_knobs(struct sim *sim) {
  return &sim->config;
}
