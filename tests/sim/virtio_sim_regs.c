/* virtio_sim_regs.c - the simulated virtio device's registers: common, ISR and device configuration, doorbells. */
#include "virtio_sim_internal.h"

#include <stdio.h>
#include <string.h>

/* Each field, as wide as it is; a field of 64 bits is two of 32 (4.1.3.1). */
static const struct field {
  uint8_t offset;
  uint8_t width;
  bool read_only;
} fields[] = {
    {C_DEVICE_FEATURE_SELECT, 4, false},
    {C_DEVICE_FEATURE, 4, true},
    {C_DRIVER_FEATURE_SELECT, 4, false},
    {C_DRIVER_FEATURE, 4, false},
    {C_CONFIG_VECTOR, 2, false},
    {C_NUM_QUEUES, 2, true},
    {C_STATUS, 1, false},
    {C_GENERATION, 1, true},
    {C_QUEUE_SELECT, 2, false},
    {C_QUEUE_SIZE, 2, false},
    {C_QUEUE_VECTOR, 2, false},
    {C_QUEUE_ENABLE, 2, false},
    {C_QUEUE_NOTIFY_OFF, 2, true},
    {C_QUEUE_AREA, 4, false},
    {C_QUEUE_AREA + 4, 4, false},
    {C_QUEUE_AREA + 8, 4, false},
    {C_QUEUE_AREA + 12, 4, false},
    {C_QUEUE_AREA + 16, 4, false},
    {C_QUEUE_AREA + 20, 4, false},
};

static const struct field *find_field(uint32_t offset, uint32_t width) {
  for(size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
    if(fields[i].offset == offset && fields[i].width == width) {
      return &fields[i];
    }
  }
  return NULL;
}

/* Reset and features ----------------------------------------------------------------------------------------------- */

uint64_t vsim_offered(const struct virtio_sim *sim) {
  return sim->config.features ? sim->config.features : VIRTIO_SIM_FEATURES;
}

static uint16_t queue_count(const struct virtio_sim *sim) {
  return vsim_offered(sim) & FB_CTRL_VQ ? VIRTIO_SIM_QUEUES : VIRTIO_SIM_CTRL;
}

void vsim_reset(struct virtio_sim *sim) {
  sim->status = 0;
  sim->resetting = false;
  sim->features = 0;
  sim->feature_select[0] = 0;
  sim->feature_select[1] = 0;
  sim->queue_select = 0;
  sim->config_vector = NO_VECTOR;
  sim->isr = 0;
  for(uint32_t i = 0; i < VIRTIO_SIM_QUEUES; i++) {
    struct vsim_queue *queue = &sim->queue[i];
    struct vsim_queue clean = {.size_max = queue->size_max,
                               .size = queue->size_max,
                               .vector = NO_VECTOR,
                               .notifies = queue->notifies,
                               .needless = queue->needless};
    *queue = clean;
  }
  vsim_filter_reset(sim);
}

static void begin_reset(struct virtio_sim *sim) {
  for(uint32_t i = 0; i < VIRTIO_SIM_QUEUES && (sim->status & ST_DRIVER_OK); i++) {
    memcpy(sim->former_area[i], sim->queue[i].area, sizeof(sim->former_area[i]));
  }
  sim->reset_unread = true;
  sim->reset_reads = sim->config.reset_reads;
  sim->resetting = sim->status != 0 && sim->reset_reads > 0 && !sim->config.reset_never_ends;
  if(!sim->resetting && !sim->config.reset_never_ends) {
    vsim_reset(sim);
  }
}

static void write_status(struct virtio_sim *sim, uint8_t value) {
  if(value == 0) {
    begin_reset(sim);
    return;
  }
  vsim_check_status(sim, value);
  if((value & ST_FEATURES_OK) && !(sim->status & ST_FEATURES_OK) &&
     (!vsim_check_features(sim) || sim->config.features_refused)) {
    value &= (uint8_t)~ST_FEATURES_OK;
  }
  sim->features_unread = (value & ST_FEATURES_OK) && !(sim->status & ST_FEATURES_OK);
  sim->status = value | (sim->status & ST_NEEDS_RESET);
}

static uint8_t read_status(struct virtio_sim *sim) {
  if(sim->resetting && sim->reset_reads-- == 0) {
    vsim_reset(sim);
  }
  if(sim->status == 0) {
    sim->reset_unread = false;
    memset(sim->former_area, 0, sizeof(sim->former_area));
  }
  sim->features_unread = false;
  return sim->status;
}

/* Common configuration --------------------------------------------------------------------------------------------- */

static struct vsim_queue *selected(struct virtio_sim *sim) {
  return sim->queue_select < queue_count(sim) ? &sim->queue[sim->queue_select] : NULL;
}

static uint16_t read_vector(const struct virtio_sim *sim, uint16_t vector) {
  return sim->config.vector_refused ? NO_VECTOR : vector;
}

static uint32_t read_queue(struct virtio_sim *sim, uint32_t offset) {
  const struct vsim_queue *queue = selected(sim);
  if(!queue || sim->config.queue_absent[sim->queue_select]) {
    return offset == C_QUEUE_VECTOR ? NO_VECTOR : 0;
  }
  switch(offset) {
  case C_QUEUE_SIZE:
    return queue->size;
  case C_QUEUE_VECTOR:
    return read_vector(sim, queue->vector);
  case C_QUEUE_ENABLE:
    return queue->enabled;
  case C_QUEUE_NOTIFY_OFF:
    return sim->config.doorbells_shared ? 0 : vsim_notify_off(sim, sim->queue_select);
  default:
    return (uint32_t)(queue->area[(offset - C_QUEUE_AREA) / 8U] >> (offset % 8U ? 32U : 0U));
  }
}

static uint32_t read_common(struct virtio_sim *sim, uint32_t offset) {
  switch(offset) {
  case C_DEVICE_FEATURE_SELECT:
    return sim->feature_select[0];
  case C_DEVICE_FEATURE:
    return sim->feature_select[0] > 1 ? 0 : (uint32_t)(vsim_offered(sim) >> 32U * sim->feature_select[0]);
  case C_DRIVER_FEATURE_SELECT:
    return sim->feature_select[1];
  case C_DRIVER_FEATURE:
    return sim->feature_select[1] > 1 ? 0 : (uint32_t)(sim->features >> 32U * sim->feature_select[1]);
  case C_CONFIG_VECTOR:
    return read_vector(sim, sim->config_vector);
  case C_NUM_QUEUES:
    return queue_count(sim);
  case C_STATUS:
    return read_status(sim);
  case C_GENERATION:
    sim->generation = (uint8_t)(sim->generation + sim->config.generation_changes);
    return sim->generation;
  case C_QUEUE_SELECT:
    return sim->queue_select;
  default:
    return read_queue(sim, offset);
  }
}

static void write_feature(struct virtio_sim *sim, uint32_t value) {
  if(sim->feature_select[1] <= 1) {
    uint32_t shift = 32U * sim->feature_select[1];
    sim->features = (sim->features & ~(0xFFFFFFFFULL << shift)) | (uint64_t)value << shift;
  } else if(value) {
    vsim_violate(sim, "a feature beyond bit 63 accepted", value);
  }
}

static uint16_t take_vector(uint32_t value) {
  return value < VIRTIO_SIM_VECTORS ? (uint16_t)value : (uint16_t)NO_VECTOR;
}

static void write_queue(struct virtio_sim *sim, uint32_t offset, uint32_t value) {
  struct vsim_queue *queue = selected(sim);
  if(!queue || sim->config.queue_absent[sim->queue_select]) {
    vsim_violate(sim, "a queue configured that is not there", sim->queue_select);
    return;
  }
  switch(offset) {
  case C_QUEUE_SIZE:
    if(value == 0 || value > queue->size_max || (value & (value - 1U))) {
      vsim_violate(sim, "queue_size not a power of two up to the device's", value);
      return;
    }
    queue->size = (uint16_t)value;
    break;
  case C_QUEUE_VECTOR:
    queue->vector = take_vector(value);
    break;
  case C_QUEUE_ENABLE:
    if(value != 1) {
      vsim_violate(sim, "queue_enable written with something else than 1", value);
      return;
    }
    queue->enabled = !sim->config.enable_refused;
    if(queue->enabled) {
      vsim_check_enable(sim, queue);
    }
    break;
  default: {
    uint64_t *area = &queue->area[(offset - C_QUEUE_AREA) / 8U];
    *area = offset % 8U ? (uint32_t)*area | (uint64_t)value << 32 : (*area & ~0xFFFFFFFFULL) | value;
    break;
  }
  }
}

static void write_common(struct virtio_sim *sim, uint32_t offset, uint32_t value) {
  vsim_check_common_write(sim, offset, value);
  switch(offset) {
  case C_DEVICE_FEATURE_SELECT:
    sim->feature_select[0] = value;
    break;
  case C_DRIVER_FEATURE_SELECT:
    sim->feature_select[1] = value;
    break;
  case C_DRIVER_FEATURE:
    write_feature(sim, value);
    break;
  case C_CONFIG_VECTOR:
    sim->config_vector = take_vector(value);
    break;
  case C_STATUS: {
    bool ran = vsim_runs(sim);
    write_status(sim, (uint8_t)value);
    if(!ran && vsim_runs(sim)) {
      vsim_wake(sim);
    }
    break;
  }
  case C_QUEUE_SELECT:
    sim->queue_select = (uint16_t)value;
    break;
  default:
    write_queue(sim, offset, value);
  }
}

/* Device configuration, 5.1.4 -------------------------------------------------------------------------------------- */

static uint32_t read_device(struct virtio_sim *sim, uint32_t offset, uint32_t width) {
  uint64_t offered = vsim_offered(sim);
  if(offset < 6U && width == 1 && (offered & FB_MAC)) {
    return sim->filter.mac[offset];
  }
  if(offset == 6U && width == 2 && (offered & FB_STATUS)) {
    return !sim->config.link_down;
  }
  if(offset == 10U && width == 2 && (offered & FB_MTU)) {
    return sim->config.mtu;
  }
  vsim_violate(sim, "device configuration: no such field, or not of this width", offset);
  return UINT32_MAX;
}

/* Doorbells, 4.1.4.4 ----------------------------------------------------------------------------------------------- */

static void ring_doorbell(struct virtio_sim *sim, uint32_t offset, uint32_t width, uint32_t value) {
  if(width != 2) {
    vsim_violate(sim, "a notification of another width than 16 bits", offset);
  } else if(value >= queue_count(sim)) {
    vsim_violate(sim, "a notification of a queue that is not there", value);
  } else if(offset != vsim_notify_off(sim, value) * vsim_notify_multiplier(sim)) {
    vsim_violate(sim, "a notification at another queue's address", offset);
  } else {
    vsim_notified(sim, value);
  }
}

/* All of them ------------------------------------------------------------------------------------------------------ */

uint32_t vsim_structure_read(struct virtio_sim *sim, uint32_t which, uint32_t offset, uint32_t width) {
  if(which == IN_COMMON) {
    if(find_field(offset, width)) {
      return read_common(sim, offset);
    }
    vsim_violate(sim, "common configuration: no such field, or not of this width", offset);
  } else if(which == IN_DEVICE) {
    return read_device(sim, offset, width);
  } else if(which == IN_ISR) {
    if(offset == 0 && width == 1) {
      if(vsim_msix(sim)) {
        vsim_violate(sim, "ISR read while MSI-X is enabled", 0);
      }
      uint8_t isr = sim->isr;
      sim->isr = 0;
      return isr;
    }
    vsim_violate(sim, "ISR not read as one byte", offset);
  } else {
    vsim_violate(sim, "the notification structure read", offset);
  }
  return UINT32_MAX;
}

void vsim_structure_write(struct virtio_sim *sim, uint32_t which, uint32_t offset, uint32_t width, uint32_t value) {
  if(which == IN_NOTIFY) {
    ring_doorbell(sim, offset, width, value);
  } else if(which == IN_COMMON) {
    const struct field *field = find_field(offset, width);
    if(!field) {
      vsim_violate(sim, "common configuration: no such field, or not of this width", offset);
    } else if(field->read_only) {
      vsim_violate(sim, "common configuration: a read-only field written", offset);
    } else {
      write_common(sim, offset, value);
    }
  } else {
    vsim_violate(sim, which == IN_ISR ? "ISR written" : "device configuration written", offset);
  }
}
