/* virtio_sim.c - the simulated virtio-net device as a platform: register access and its counts, interrupts, life. */
#include "virtio_sim_internal.h"

#include <stdlib.h>
#include <string.h>

#define PCI_COMMAND          0x04U
#define COMMAND_MASTER       0x04U
#define COMMAND_INTX_DISABLE 0x04U /* bit 10, in the upper byte */
#define MSIX_ENABLE          0x80U /* in the upper byte of message control */
#define MSIX_MASK            0x40U

void vsim_violate(struct virtio_sim *sim, const char *text, uint64_t value) {
  sim_host_violate(&sim->host, text, value);
}

bool vsim_is_gone(const struct virtio_sim *sim) {
  return sim->config.gone || (sim->config.gone_at && sim->accesses >= sim->config.gone_at);
}

bool vsim_may_master(const struct virtio_sim *sim) {
  return !vsim_is_gone(sim) && (sim->space[PCI_COMMAND] & COMMAND_MASTER);
}

/* Interrupts ------------------------------------------------------------------------------------------------------- */

static void follow_link(struct virtio_sim *sim) {
  if(sim->link_was_down == sim->config.link_down) {
    return;
  }
  sim->link_was_down = sim->config.link_down;
  sim->generation++;
  if(vsim_has(sim, FB_STATUS)) {
    vsim_interrupt_config(sim);
  }
}

void vsim_update_interrupt(struct virtio_sim *sim) {
  follow_link(sim);
  bool now =
      sim->isr && !vsim_msix(sim) && !(sim->space[PCI_COMMAND + 1U] & COMMAND_INTX_DISABLE) && !vsim_is_gone(sim);
  sim->interrupts += now && !sim->asserted;
  sim->asserted = now;
}

static void interrupt(struct virtio_sim *sim, uint16_t vector, uint8_t cause) {
  if(!vsim_msix(sim)) {
    sim->isr |= cause;
  } else if(vector < VIRTIO_SIM_VECTORS && !sim->config.vector_refused &&
            !(sim->space[sim->msix_cap + 3U] & MSIX_MASK)) {
    sim->messages[vector]++;
  }
}

void vsim_interrupt_config(struct virtio_sim *sim) {
  if(sim->status & ST_DRIVER_OK) {
    interrupt(sim, sim->config_vector, ISR_CONFIG);
  }
  vsim_update_interrupt(sim);
}

void vsim_interrupt_queue(struct virtio_sim *sim, const struct vsim_queue *queue) {
  interrupt(sim, queue->vector, ISR_QUEUE);
  vsim_update_interrupt(sim);
}

bool virtio_sim_interrupt(struct virtio_sim *sim) {
  vsim_update_interrupt(sim);
  return sim->asserted;
}

uint32_t virtio_sim_interrupts(struct virtio_sim *sim) {
  vsim_update_interrupt(sim);
  return sim->interrupts;
}

uint32_t virtio_sim_messages(const struct virtio_sim *sim, uint32_t vector) {
  return sim->messages[vector];
}

void virtio_sim_set_msix(struct virtio_sim *sim, bool on) {
  sim->space[sim->msix_cap + 3U] = on ? MSIX_ENABLE : 0;
  vsim_update_interrupt(sim);
}

/* Register access -------------------------------------------------------------------------------------------------- */

/* The structure that an access falls into whole, and where in it; else STRUCTURES. */
static uint32_t locate(struct virtio_sim *sim, uint32_t bar, uint32_t offset, uint32_t width, uint32_t *inside) {
  if(bar >= NET_BAR_COUNT || sim->platform.bar[bar].kind == NET_BAR_NONE) {
    vsim_violate(sim, "access to a BAR that is not there", bar);
    return STRUCTURES;
  }
  if(sim->platform.bar[bar].kind == NET_BAR_IO) {
    vsim_violate(sim, "the legacy interface touched", offset);
    return STRUCTURES;
  }
  if((width != 1 && width != 2 && width != 4) || offset % width) {
    vsim_violate(sim, "register accessed askew", offset);
    return STRUCTURES;
  }
  for(uint32_t i = 0; i < STRUCTURES; i++) {
    const struct vsim_place *place = &sim->place[i];
    if(place->bar == bar && offset >= place->offset && offset - place->offset < place->length &&
       width <= place->length - (offset - place->offset)) {
      *inside = offset - place->offset;
      return i;
    }
  }
  vsim_violate(sim, bar == sim->msix_bar ? "the MSI-X table, which is the host's" : "access outside every structure",
               offset);
  return STRUCTURES;
}

static uint32_t ones(uint32_t width) {
  return UINT32_MAX >> (32U - 8U * width);
}

uint32_t vsim_bar_read(struct virtio_sim *sim, uint32_t bar, uint32_t offset, uint32_t width) {
  uint32_t inside = 0;
  sim->accesses++;
  sim->reads++;
  vsim_audit(sim);
  uint32_t which = locate(sim, bar, offset, width, &inside);
  if(which == STRUCTURES) {
    return UINT32_MAX;
  }
  if(vsim_is_gone(sim)) {
    return sim->config.gone_reads_zero ? 0 : ones(width);
  }
  follow_link(sim);
  uint32_t value = vsim_structure_read(sim, which, inside, width);
  vsim_update_interrupt(sim);
  return sim->accesses == sim->config.read_fails_at ? ones(width) : value;
}

void vsim_bar_write(struct virtio_sim *sim, uint32_t bar, uint32_t offset, uint32_t width, uint32_t value) {
  uint32_t inside = 0;
  sim->accesses++;
  sim->writes++;
  vsim_audit(sim);
  uint32_t which = locate(sim, bar, offset, width, &inside);
  if(which != STRUCTURES && !vsim_is_gone(sim)) {
    vsim_structure_write(sim, which, inside, width, value);
    vsim_update_interrupt(sim);
  }
}

static uint32_t platform_read32(void *ctx, uint32_t bar, uint32_t offset) {
  return vsim_bar_read(ctx, bar, offset, 4);
}

static uint16_t platform_read16(void *ctx, uint32_t bar, uint32_t offset) {
  return (uint16_t)vsim_bar_read(ctx, bar, offset, 2);
}

static uint8_t platform_read8(void *ctx, uint32_t bar, uint32_t offset) {
  return (uint8_t)vsim_bar_read(ctx, bar, offset, 1);
}

static void platform_write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  vsim_bar_write(ctx, bar, offset, 4, value);
}

static void platform_write16(void *ctx, uint32_t bar, uint32_t offset, uint16_t value) {
  vsim_bar_write(ctx, bar, offset, 2, value);
}

static void platform_write8(void *ctx, uint32_t bar, uint32_t offset, uint8_t value) {
  vsim_bar_write(ctx, bar, offset, 1, value);
}

static uint32_t platform_config_read(void *ctx, uint32_t offset, uint32_t width) {
  return vsim_space_read(ctx, offset, width);
}

static void platform_config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value) {
  vsim_space_write(ctx, offset, width, value);
}

/* Things that happen to it ----------------------------------------------------------------------------------------- */

void virtio_sim_step(struct virtio_sim *sim) {
  vsim_wake(sim);
  for(uint32_t i = 0; i < VIRTIO_SIM_QUEUES; i++) {
    if(i == VIRTIO_SIM_RX || sim->queue[i].called || sim->config.wake == VIRTIO_SIM_WAKE_NEVER) {
      vsim_look(sim, i);
    }
  }
  vsim_update_interrupt(sim);
}

void virtio_sim_need_reset(struct virtio_sim *sim) {
  sim->status |= ST_NEEDS_RESET;
  vsim_interrupt_config(sim);
}

void virtio_sim_disable_queue(struct virtio_sim *sim, uint32_t queue) {
  sim->queue[queue].enabled = false;
  sim->queue[queue].broken = true;
}

void virtio_sim_advance(struct virtio_sim *sim, uint64_t us) {
  sim->host.now_us += us;
}

uint64_t virtio_sim_now(const struct virtio_sim *sim) {
  return sim->host.now_us;
}

void virtio_sim_map(struct virtio_sim *sim, void *cpu, uint64_t device, size_t size) {
  sim_host_map(&sim->host, cpu, device, size);
}

void virtio_sim_unmap(struct virtio_sim *sim, uint64_t device) {
  sim_host_unmap(&sim->host, device);
}

/* What there is to see --------------------------------------------------------------------------------------------- */

size_t virtio_sim_frames(const struct virtio_sim *sim) {
  return sim->host.frame_count;
}

const uint8_t *virtio_sim_frame(const struct virtio_sim *sim, size_t index, size_t *length) {
  *length = sim->host.frames[index].length;
  return sim->host.frames[index].data;
}

void virtio_sim_forget_frames(struct virtio_sim *sim) {
  sim_host_forget_frames(&sim->host);
}

uint8_t virtio_sim_status(const struct virtio_sim *sim) {
  return sim->status;
}

uint64_t virtio_sim_features(const struct virtio_sim *sim) {
  return sim->features;
}

const struct virtio_sim_filter *virtio_sim_filter(const struct virtio_sim *sim) {
  return &sim->filter;
}

uint8_t *virtio_sim_config_space(struct virtio_sim *sim) {
  return sim->space;
}

uint64_t virtio_sim_reads(const struct virtio_sim *sim) {
  return sim->reads;
}

uint64_t virtio_sim_writes(const struct virtio_sim *sim) {
  return sim->writes;
}

uint32_t virtio_sim_notifies(const struct virtio_sim *sim, uint32_t queue) {
  return sim->queue[queue].notifies;
}

uint32_t virtio_sim_needless(const struct virtio_sim *sim, uint32_t queue) {
  return sim->queue[queue].needless;
}

uint32_t virtio_sim_commands(const struct virtio_sim *sim) {
  return sim->commands;
}

void virtio_sim_forget_accesses(struct virtio_sim *sim) {
  sim->reads = 0;
  sim->writes = 0;
  sim->commands = 0;
  for(uint32_t i = 0; i < VIRTIO_SIM_QUEUES; i++) {
    sim->queue[i].notifies = 0;
    sim->queue[i].needless = 0;
  }
}

uint64_t virtio_sim_accesses(const struct virtio_sim *sim) {
  return sim->accesses;
}

uint32_t virtio_sim_violations(const struct virtio_sim *sim) {
  return sim->host.violations;
}

const char *virtio_sim_violation_text(const struct virtio_sim *sim) {
  return sim->host.violation;
}

uint32_t virtio_sim_leaks(const struct virtio_sim *sim) {
  return sim_host_leaks(&sim->host);
}

uint32_t virtio_sim_allocs(const struct virtio_sim *sim) {
  return sim->host.allocs;
}

uint32_t virtio_sim_dma_allocs(const struct virtio_sim *sim) {
  return sim->host.dma_allocs;
}

uint32_t virtio_sim_logged(const struct virtio_sim *sim, enum net_log_level level, const char *text) {
  return sim_host_logged(&sim->host, level, text);
}

/* Life ------------------------------------------------------------------------------------------------------------- */

struct virtio_sim *virtio_sim_create(const struct virtio_sim_config *config) {
  static const uint16_t sizes[VIRTIO_SIM_QUEUES] = {256, 256, 64};
  struct virtio_sim *sim = sim_host_must(calloc(1, sizeof(*sim)));
  sim->config = *config;
  sim->host.fail_alloc_at = &sim->config.fail_alloc_at;
  sim->host.fail_dma_alloc_at = &sim->config.fail_dma_alloc_at;
  sim->host.check_free = vsim_check_free;
  sim->platform = (struct net_platform){
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
  for(uint32_t i = 0; i < VIRTIO_SIM_QUEUES; i++) {
    sim->queue[i].size_max = config->queue_size[i] ? config->queue_size[i] : sizes[i];
  }
  sim->link_was_down = config->link_down;
  vsim_build_space(sim);
  vsim_reset(sim);
  return sim;
}

void virtio_sim_destroy(struct virtio_sim *sim) {
  sim_host_end(&sim->host);
  free(sim);
}

const struct net_platform *virtio_sim_platform(struct virtio_sim *sim) {
  return &sim->platform;
}

struct virtio_sim_config *virtio_sim_knobs(struct virtio_sim *sim) {
  return &sim->config;
}
