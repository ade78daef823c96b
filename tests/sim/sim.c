/* sim.c - the simulated e1000 as a platform: register access and its counts, configuration space. */
#include "sim_internal.h"

#include <stdlib.h>
#include <string.h>

/* What sim_host.c keeps ------------------------------------------------------------------------------------------ */

void sim_violate(struct sim *sim, const char *text, uint64_t value) {
  sim_host_violate(&sim->host, text, value);
}

uint32_t sim_violations(const struct sim *sim) {
  return sim->host.violations;
}

const char *sim_violation_text(const struct sim *sim) {
  return sim->host.violation;
}

void sim_map(struct sim *sim, void *cpu, uint64_t device, size_t size) {
  sim_host_map(&sim->host, cpu, device, size);
}

void sim_unmap(struct sim *sim, uint64_t device) {
  sim_host_unmap(&sim->host, device);
}

uint8_t *sim_find(struct sim *sim, uint64_t device, size_t size) {
  return sim_host_find(&sim->host, device, size);
}

uint8_t *sim_translate(struct sim *sim, uint64_t device, size_t size, const char *what) {
  return sim_host_translate(&sim->host, device, size, what);
}

uint32_t sim_leaks(const struct sim *sim) {
  return sim_host_leaks(&sim->host);
}

uint32_t sim_allocs(const struct sim *sim) {
  return sim->host.allocs;
}

uint32_t sim_dma_allocs(const struct sim *sim) {
  return sim->host.dma_allocs;
}

void sim_advance(struct sim *sim, uint64_t us) {
  sim->host.now_us += us;
}

uint64_t sim_now(const struct sim *sim) {
  return sim->host.now_us;
}

uint32_t sim_logged(const struct sim *sim, enum net_log_level level, const char *text) {
  return sim_host_logged(&sim->host, level, text);
}

size_t sim_frames(const struct sim *sim) {
  return sim->host.frame_count;
}

const uint8_t *sim_frame(const struct sim *sim, size_t index, size_t *length) {
  *length = sim->host.frames[index].length;
  return sim->host.frames[index].data;
}

void sim_forget_frames(struct sim *sim) {
  sim_host_forget_frames(&sim->host);
}

bool sim_is_gone(const struct sim *sim) {
  return sim->config.gone || (sim->config.gone_at && sim->accesses >= sim->config.gone_at);
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

static bool is_flash_bar(const struct sim *sim, uint32_t bar) {
  return sim->part->nvm == SIM_NVM_FLASH && bar == 1U;
}

/* The flash does not go through the counters: those are of registers. */
static uint32_t flash_access(struct sim *sim, uint32_t offset, uint32_t width, const uint32_t *write) {
  uint32_t value = UINT32_MAX;
  sim->accesses++;
  if(sim_is_gone(sim)) {
    return value;
  }
  if(!write && sim->accesses == sim->config.read_fails_at) {
    return value;
  }
  if(write ? !sim_flash_write(sim, offset, width, *write) : !sim_flash_read(sim, offset, width, &value)) {
    sim_violate(sim, "flash: no such register of this width", offset);
  }
  return value;
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
  if(is_flash_bar(sim, bar)) {
    return flash_access(sim, offset, 4, NULL);
  }
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
    sim->log = sim_host_must(realloc(sim->log, sim->log_room * sizeof(*sim->log)));
  }
  sim->log[sim->log_count++] =
      (struct sim_write){.offset = offset, .value = value, .io = io, .at_us = sim->host.now_us};
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
  if(!sim_is_gone(sim) && (!sim->config.qemu || sim->part->pcie)) {
    sim_register_write(sim, offset, value, true);
  }
}

static void platform_write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  struct sim *sim = ctx;
  if(is_flash_bar(sim, bar)) {
    (void)flash_access(sim, offset, 4, &value);
    return;
  }
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
      sim_register_write(sim, offset, value, false);
    }
  }
}

/* Registers have 32 bits (SDM 13.2): nothing narrower is a register access. Some of the flash's have 16. */
static uint16_t platform_read16(void *ctx, uint32_t bar, uint32_t offset) {
  if(is_flash_bar(ctx, bar)) {
    return (uint16_t)flash_access(ctx, offset, 2, NULL);
  }
  sim_host_violate(ctx, "a register read with 16 bits", offset);
  return UINT16_MAX;
}

static uint8_t platform_read8(void *ctx, uint32_t bar, uint32_t offset) {
  (void)bar;
  sim_host_violate(ctx, "a register read with 8 bits", offset);
  return UINT8_MAX;
}

static void platform_write16(void *ctx, uint32_t bar, uint32_t offset, uint16_t value) {
  const uint32_t wide = value;
  if(is_flash_bar(ctx, bar)) {
    (void)flash_access(ctx, offset, 2, &wide);
    return;
  }
  sim_host_violate(ctx, "a register written with 16 bits", offset);
}

static void platform_write8(void *ctx, uint32_t bar, uint32_t offset, uint8_t value) {
  (void)bar;
  (void)value;
  sim_host_violate(ctx, "a register written with 8 bits", offset);
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
  struct sim *sim = sim_host_must(calloc(1, sizeof(*sim)));
  sim->config = *config;
  sim->part = sim_part_of(config->device_id);
  sim->host.fail_alloc_at = &sim->config.fail_alloc_at;
  sim->host.fail_dma_alloc_at = &sim->config.fail_dma_alloc_at;
  sim->host.check_free = sim_check_free;
  sim->platform = (struct net_platform){
      .bar = {{NET_BAR_MEMORY, SIM_SPACE}},
      .read32 = platform_read32,
      .read16 = platform_read16,
      .read8 = platform_read8,
      .write32 = platform_write32,
      .write16 = platform_write16,
      .write8 = platform_write8,
      .config_read = platform_config_read,
      .config_write = platform_config_write,
  };
  sim_host_init(&sim->host, &sim->platform);
  if(!config->no_io) {
    sim->platform.bar[sim->part->pcie ? 2 : 1] = (struct net_bar){NET_BAR_IO, SIM_IO_SPACE};
  }
  if(sim->part->nvm == SIM_NVM_FLASH) {
    sim->platform.bar[1] = (struct net_bar){NET_BAR_MEMORY, 0x1000U};
  }
  fill_config_space(sim);
  sim_learn_registers(sim);
  sim_power_on(sim);
  return sim;
}

void sim_destroy(struct sim *sim) {
  sim_host_end(&sim->host);
  free(sim->log);
  free(sim);
}

const struct net_platform *sim_platform(struct sim *sim) {
  return &sim->platform;
}

struct sim_config *sim_knobs(struct sim *sim) {
  return &sim->config;
}
