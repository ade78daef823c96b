/* virtio_sim_check.c - what the simulated virtio device's caller must not do with its registers, its rings and the
 * memory that it uses. */
#include "virtio_sim_internal.h"

#include <string.h>

/* Registers -------------------------------------------------------------------------------------------------------- */

/* 3.1.1: one step after the other. */
void vsim_check_status(struct virtio_sim *sim, uint8_t value) {
  static const struct {
    uint8_t bit;
    uint8_t before;
  } steps[] = {{ST_ACKNOWLEDGE, 0},
               {ST_DRIVER, ST_ACKNOWLEDGE},
               {ST_FEATURES_OK, ST_ACKNOWLEDGE | ST_DRIVER},
               {ST_DRIVER_OK, ST_ACKNOWLEDGE | ST_DRIVER | ST_FEATURES_OK},
               {ST_FAILED, 0}};
  uint8_t fresh = value & (uint8_t)~sim->status;
  uint8_t known = 0;
  for(size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    known |= steps[i].bit;
    if((fresh & steps[i].bit) && (sim->status & steps[i].before) != steps[i].before) {
      vsim_violate(sim, "device_status: a step out of order", value);
    }
  }
  if(sim->features_unread) {
    vsim_violate(sim, "device_status: FEATURES_OK was not read back", value);
  }
  if(value & ~known & ~sim->status) {
    vsim_violate(sim, "device_status: a bit that is not the driver's", value);
  }
  if(sim->status & ~value & ~ST_NEEDS_RESET) {
    vsim_violate(sim, "device_status: a bit cleared", value);
  }
}

static void check_queue_write(struct virtio_sim *sim, uint32_t offset) {
  if(!(sim->status & ST_FEATURES_OK) || sim->features_unread) {
    vsim_violate(sim, "a queue configured before FEATURES_OK was read back", offset);
  } else if(sim->status & ST_DRIVER_OK) {
    vsim_violate(sim, "a queue configured after DRIVER_OK", offset);
  } else if(sim->queue_select < VIRTIO_SIM_QUEUES && sim->queue[sim->queue_select].enabled) {
    vsim_violate(sim, "a queue configured while it is enabled", offset);
  }
}

void vsim_check_common_write(struct virtio_sim *sim, uint32_t offset, uint32_t value) {
  if(sim->reset_unread && !(offset == C_STATUS && value == 0)) {
    vsim_violate(sim, "the device configured before its reset was read back", offset);
  }
  if(offset == C_DRIVER_FEATURE && (sim->status & ST_FEATURES_OK)) {
    vsim_violate(sim, "features written after FEATURES_OK", value);
  } else if(offset == C_DRIVER_FEATURE && !(sim->status & ST_DRIVER)) {
    vsim_violate(sim, "features written before DRIVER", value);
  }
  if(offset >= C_QUEUE_SIZE) {
    check_queue_write(sim, offset);
  }
}

/* What this simulator can do: MTU, MAC, MRG_RXBUF (one buffer a frame), STATUS, the control queue, VLAN filtering
 * without a VLAN, NOTIFY_ON_EMPTY, ANY_LAYOUT, EVENT_IDX, VERSION_1, ACCESS_PLATFORM, ORDER_PLATFORM. */
#define FB_KNOWN                                                                                                       \
  (FB_MTU | FB_MAC | FB_MRG_RXBUF | FB_STATUS | FB_CTRL_VQ | FB_CTRL_RX | FB_CTRL_VLAN | FB_CTRL_RX_EXTRA |            \
   FB_CTRL_MAC_ADDR | FB(24) | FB(27) | FB_EVENT_IDX | FB_VERSION_1 | FB_ACCESS_PLATFORM | FB(36))

bool vsim_check_features(struct virtio_sim *sim) {
  uint64_t offered = vsim_offered(sim);
  uint64_t over_control = FB_CTRL_RX | FB_CTRL_VLAN | FB_CTRL_RX_EXTRA | FB_CTRL_MAC_ADDR | FB(21);
  if(sim->features & ~offered) {
    vsim_violate(sim, "a feature accepted that was not offered", sim->features & ~offered);
    return false;
  }
  if(sim->features & ~FB_KNOWN) {
    vsim_violate(sim, "a feature accepted that the simulator does not have", sim->features & ~FB_KNOWN);
    return false;
  }
  if((sim->features & over_control) && !vsim_has(sim, FB_CTRL_VQ)) {
    vsim_violate(sim, "a feature accepted without CTRL_VQ, which it needs", sim->features);
    return false;
  }
  uint64_t needed = FB_VERSION_1 | (offered & FB_ACCESS_PLATFORM) | sim->config.features_needed;
  return (sim->features & needed) == needed;
}

/* 5.1.6.2 */
void vsim_check_frame(struct virtio_sim *sim, const uint8_t *header, size_t length) {
  size_t mtu = vsim_has(sim, FB_MTU) ? sim->config.mtu : 1500U;
  if(header[0] || header[1]) {
    vsim_violate(sim, "a transmit header asks for what was not negotiated", header[0] | (uint64_t)header[1] << 8);
  }
  if(sim_little(header + NET_BUFFERS_AT, 2) != 0) {
    vsim_violate(sim, "a transmit header with num_buffers", sim_little(header + NET_BUFFERS_AT, 2));
  }
  if(length < 14U || length > mtu + 18U) {
    vsim_violate(sim, "a frame shorter than its header, or longer than the MTU allows", length);
  }
}

/* Queues ----------------------------------------------------------------------------------------------------------- */

uint64_t vsim_area_size(const struct virtio_sim *sim, const struct vsim_queue *queue, uint32_t area) {
  uint64_t event = vsim_has(sim, FB_EVENT_IDX) ? 2U : 0;
  switch(area) {
  case DESC_AREA:
    return (uint64_t)DESCRIPTOR * queue->size;
  case AVAIL_AREA:
    return RING_ENTRIES + 2U * (uint64_t)queue->size + event;
  default:
    return RING_ENTRIES + 8U * (uint64_t)queue->size + event;
  }
}

static const uint8_t *find_area(struct virtio_sim *sim, const struct vsim_queue *queue, uint32_t area) {
  return sim_host_find(&sim->host, queue->area[area], (size_t)vsim_area_size(sim, queue, area));
}

static void break_queue(struct vsim_queue *queue) {
  queue->broken = true;
  queue->enabled = false;
}

void vsim_check_enable(struct virtio_sim *sim, struct vsim_queue *queue) {
  static const uint32_t align[AREAS] = {16, 2, 4};
  for(uint32_t area = 0; area < AREAS; area++) {
    if(queue->area[area] % align[area]) {
      vsim_violate(sim, "a queue area not aligned", queue->area[area]);
    }
    if(!find_area(sim, queue, area)) {
      vsim_violate(sim, "DMA: a queue area outside any allocation", queue->area[area]);
      break_queue(queue);
      return;
    }
  }
  const uint8_t *used = find_area(sim, queue, USED_AREA);
  memcpy(queue->used_copy, used, (size_t)vsim_area_size(sim, queue, USED_AREA));
  if(sim_little(used + RING_INDEX, 2) != 0) {
    vsim_violate(sim, "a queue enabled whose used index is not 0", sim_little(used + RING_INDEX, 2));
  }
}

/* What was seen of a chain. */
struct chain {
  uint64_t readable;
  uint64_t writable;
  bool disordered; /* to read after to write */
};

static bool walk(struct virtio_sim *sim, struct vsim_queue *queue, const uint8_t *table, uint16_t head,
                 struct chain *chain) {
  uint16_t at = head;
  for(uint32_t n = 0;; n++) {
    if(at >= queue->size) {
      vsim_violate(sim, "a descriptor beyond the queue", at);
      return false;
    }
    const uint8_t *desc = table + (size_t)DESCRIPTOR * at;
    uint64_t flags = sim_little(desc + 12, 2);
    if(n == 0 && queue->owned[at]) {
      vsim_violate(sim, "an available entry names what the device has: published before it was written?", at);
      return false;
    }
    if(queue->owned[at]) {
      vsim_violate(sim, "a chain that loops, or runs into another", at);
      return false;
    }
    if(flags & ~(uint64_t)(DESC_NEXT | DESC_WRITE)) {
      vsim_violate(sim, "descriptor flags: indirect or reserved", flags);
      return false;
    }
    uint64_t length = sim_little(desc + 8, 4);
    if(!sim_host_translate(&sim->host, sim_little(desc, 8), (size_t)length, "DMA: a buffer outside any allocation")) {
      return false;
    }
    chain->disordered = chain->disordered || (!(flags & DESC_WRITE) && chain->writable);
    *(flags & DESC_WRITE ? &chain->writable : &chain->readable) += length;
    queue->owned[at] = true;
    memcpy(queue->desc[at], desc, DESCRIPTOR);
    if(!(flags & DESC_NEXT)) {
      return true;
    }
    at = (uint16_t)sim_little(desc + 14, 2);
  }
}

static bool check_chain(struct virtio_sim *sim, uint32_t number, const struct chain *chain) {
  if(number == VIRTIO_SIM_RX && chain->readable) {
    vsim_violate(sim, "a receive buffer that is not the device's to write", chain->readable);
  } else if(number == VIRTIO_SIM_RX && chain->writable < (vsim_has(sim, FB_MRG_RXBUF) ? NET_HEADER : NET_BUFFER_MIN)) {
    vsim_violate(sim, "a receive buffer too small", chain->writable);
  } else if(number == VIRTIO_SIM_TX && chain->writable) {
    vsim_violate(sim, "a transmit buffer that is the device's to write", chain->writable);
  } else if(chain->disordered) {
    vsim_violate(sim, "a chain with something to read after something to write", chain->writable);
  } else {
    return true;
  }
  return false;
}

/* Entries that were published since the last look. */
static void record_entries(struct virtio_sim *sim, uint32_t number, const uint8_t *table, const uint8_t *avail) {
  struct vsim_queue *queue = &sim->queue[number];
  uint16_t index = (uint16_t)sim_little(avail + RING_INDEX, 2);
  uint16_t fresh = (uint16_t)(index - queue->seen);
  if(fresh + queue->held > queue->size) {
    vsim_violate(sim, "available index further ahead than the queue is long", index);
    break_queue(queue);
    return;
  }
  for(; queue->seen != index; queue->seen++) {
    uint32_t slot = queue->seen % queue->size;
    uint16_t head = (uint16_t)sim_little(avail + RING_ENTRIES + 2U * slot, 2);
    struct chain chain = {0};
    if(head >= queue->size || !walk(sim, queue, table, head, &chain)) {
      if(head >= queue->size) {
        vsim_violate(sim, "an available entry beyond the queue", head);
      }
      break_queue(queue);
      return;
    }
    if(!check_chain(sim, number, &chain)) {
      break_queue(queue);
      return;
    }
    queue->entry[slot] = head;
    queue->held++;
  }
}

static void check_kept(struct virtio_sim *sim, struct vsim_queue *queue, const uint8_t *table, const uint8_t *avail) {
  for(uint16_t i = 0; i < queue->size; i++) {
    if(queue->owned[i] && memcmp(queue->desc[i], table + (size_t)DESCRIPTOR * i, DESCRIPTOR) != 0) {
      vsim_violate(sim, "a descriptor written while the device has it", i);
      memcpy(queue->desc[i], table + (size_t)DESCRIPTOR * i, DESCRIPTOR);
      break_queue(queue);
      return;
    }
  }
  for(uint16_t i = queue->taken; i != queue->seen; i++) {
    uint32_t slot = i % queue->size;
    if(sim_little(avail + RING_ENTRIES + 2U * slot, 2) != queue->entry[slot]) {
      vsim_violate(sim, "an available entry written after the index that published it", slot);
      break_queue(queue);
      return;
    }
  }
}

void vsim_audit_queue(struct virtio_sim *sim, uint32_t number) {
  struct vsim_queue *queue = &sim->queue[number];
  if(!queue->enabled || queue->broken || vsim_is_gone(sim)) {
    return;
  }
  const uint8_t *table = find_area(sim, queue, DESC_AREA);
  const uint8_t *avail = find_area(sim, queue, AVAIL_AREA);
  const uint8_t *used = find_area(sim, queue, USED_AREA);
  if(!table || !avail || !used) {
    return; /* vsim_check_free has said so */
  }
  if(memcmp(used, queue->used_copy, (size_t)vsim_area_size(sim, queue, USED_AREA)) != 0) {
    vsim_violate(sim, "the used ring written by the driver", number);
    memcpy(queue->used_copy, used, (size_t)vsim_area_size(sim, queue, USED_AREA));
  }
  if(sim->status & ST_DRIVER_OK) {
    check_kept(sim, queue, table, avail);
  }
  if((sim->status & ST_DRIVER_OK) && queue->enabled) {
    record_entries(sim, number, table, avail);
  }
}

void vsim_audit(struct virtio_sim *sim) {
  for(uint32_t i = 0; i < VIRTIO_SIM_QUEUES; i++) {
    vsim_audit_queue(sim, i);
  }
}

/* Memory that is freed --------------------------------------------------------------------------------------------- */

static bool has_buffer(const struct vsim_queue *queue, const struct sim_memory *row) {
  for(uint32_t i = 0; i < queue->size; i++) {
    if(queue->owned[i] && sim_holds(row, sim_little(queue->desc[i], 8))) {
      return true;
    }
  }
  return false;
}

/* A device that still runs would go on in memory that is somebody else's by then; and until a reset is read back,
 * nobody knows that it does not. */
void vsim_check_free(struct sim_host *host, const struct sim_memory *row) {
  struct virtio_sim *sim = (struct virtio_sim *)host;
  if(!vsim_may_master(sim)) {
    return;
  }
  vsim_audit(sim);
  for(uint32_t i = 0; i < VIRTIO_SIM_QUEUES; i++) {
    const struct vsim_queue *queue = &sim->queue[i];
    bool runs = queue->enabled && (sim->status & ST_DRIVER_OK);
    for(uint32_t area = 0; area < AREAS; area++) {
      if(runs && sim_holds(row, queue->area[area])) {
        vsim_violate(sim, "dma_free of a queue that is enabled", row->device);
        return;
      }
      if(sim->former_area[i][area] && sim_holds(row, sim->former_area[i][area])) {
        vsim_violate(sim, "dma_free of a queue before the reset was read back", row->device);
        return;
      }
    }
    if(runs && has_buffer(queue, row)) {
      vsim_violate(sim, "dma_free of a buffer that the device has", row->device);
      return;
    }
  }
}
