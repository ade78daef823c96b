/* virtio_sim_queue.c - the simulated virtio device's split virtqueues (VIRTIO 1.2, 2.7): what it takes, moves and
 * returns. */
#include "virtio_sim_internal.h"

#include <string.h>

static uint8_t *area_at(struct virtio_sim *sim, const struct vsim_queue *queue, uint32_t area) {
  return sim_host_find(&sim->host, queue->area[area], (size_t)vsim_area_size(sim, queue, area));
}

/* Whatever the device writes to the used ring is also in the copy that shows who else wrote there. */
static void put_used(struct virtio_sim *sim, struct vsim_queue *queue, uint32_t offset, uint64_t value,
                     uint32_t bytes) {
  uint8_t *used = area_at(sim, queue, USED_AREA);
  for(uint32_t i = 0; used && i < bytes; i++) {
    used[offset + i] = (uint8_t)(value >> 8U * i);
    queue->used_copy[offset + i] = used[offset + i];
  }
}

static uint16_t published(struct virtio_sim *sim, const struct vsim_queue *queue) {
  const uint8_t *avail = area_at(sim, queue, AVAIL_AREA);
  return avail ? (uint16_t)sim_little(avail + RING_INDEX, 2) : queue->taken;
}

/* 2.7.7.2 and 2.7.9.1: whether going from `before` to `after` passes `event`. */
static bool passes(uint16_t event, uint16_t after, uint16_t before) {
  return (uint16_t)(after - event - 1U) < (uint16_t)(after - before);
}

/* Notifications from the driver ------------------------------------------------------------------------------------ */

static uint32_t avail_event_at(const struct vsim_queue *queue) {
  return RING_ENTRIES + 8U * queue->size;
}

/* Says in memory whether, and from which entry on, a notification is wanted. */
static void want_notification(struct virtio_sim *sim, struct vsim_queue *queue, bool wanted) {
  enum virtio_sim_wake wake = sim->config.wake;
  wanted = wake == VIRTIO_SIM_WAKE_ALWAYS || (wanted && wake != VIRTIO_SIM_WAKE_NEVER);
  if(!vsim_has(sim, FB_EVENT_IDX)) {
    put_used(sim, queue, 0, wanted ? 0 : USED_NO_NOTIFY, 2);
  } else if(wanted) {
    put_used(sim, queue, avail_event_at(queue), wake == VIRTIO_SIM_WAKE_ALWAYS ? queue->seen : queue->taken, 2);
  } else if(wake == VIRTIO_SIM_WAKE_NEVER) {
    put_used(sim, queue, avail_event_at(queue), (uint16_t)(queue->taken - 1U), 2);
  }
}

void vsim_wake(struct virtio_sim *sim) {
  vsim_audit(sim);
  for(uint32_t i = 0; i < VIRTIO_SIM_QUEUES; i++) {
    struct vsim_queue *queue = &sim->queue[i];
    bool asleep = sim->config.wake == VIRTIO_SIM_WAKE_ASLEEP;
    if(queue->enabled && vsim_runs(sim) && vsim_may_master(sim) && !(asleep && (i == VIRTIO_SIM_RX || queue->called))) {
      want_notification(sim, queue, asleep);
    }
  }
}

static bool is_wanted(const struct vsim_queue *queue, const struct virtio_sim *sim, uint16_t index) {
  if(vsim_has(sim, FB_EVENT_IDX)) {
    return passes((uint16_t)sim_little(queue->used_copy + avail_event_at(queue), 2), index, queue->notified);
  }
  return !(queue->used_copy[0] & USED_NO_NOTIFY);
}

void vsim_notified(struct virtio_sim *sim, uint32_t number) {
  struct vsim_queue *queue = &sim->queue[number];
  queue->notifies++;
  if(!(sim->status & ST_DRIVER_OK)) {
    vsim_violate(sim, "a notification before DRIVER_OK", number);
    return;
  }
  if(!queue->enabled) {
    if(!queue->broken) {
      vsim_violate(sim, "a notification of a queue that is not enabled", number);
    }
    return;
  }
  uint16_t index = published(sim, queue);
  queue->needless += !is_wanted(queue, sim, index);
  queue->notified = index;
  if(sim->config.notifications_lost) {
    return;
  }
  queue->called = true;
  want_notification(sim, queue, false);
  if(!sim->config.delayed || number == VIRTIO_SIM_CTRL) {
    vsim_look(sim, number);
  }
}

/* Chains ----------------------------------------------------------------------------------------------------------- */

/* The next descriptor of a chain that was checked when it was published. */
static bool next(const struct vsim_queue *queue, uint16_t *at) {
  const uint8_t *desc = queue->desc[*at];
  *at = (uint16_t)sim_little(desc + 14, 2);
  return (sim_little(desc + 12, 2) & DESC_NEXT) != 0;
}

size_t vsim_gather(struct virtio_sim *sim, const struct vsim_queue *queue, uint16_t head, uint8_t *to, size_t room) {
  size_t sum = 0;
  uint16_t at = head;
  bool more = true;
  while(more) {
    const uint8_t *desc = queue->desc[at];
    size_t length = (size_t)sim_little(desc + 8, 4);
    if(!(sim_little(desc + 12, 2) & DESC_WRITE)) {
      const uint8_t *from =
          sim_host_translate(&sim->host, sim_little(desc, 8), length, "DMA: a buffer to read outside any allocation");
      size_t part = sum < room ? (length < room - sum ? length : room - sum) : 0;
      if(from && part) {
        memcpy(to + sum, from, part);
      }
      sum += length;
    }
    more = next(queue, &at);
  }
  return sum;
}

size_t vsim_scatter(struct virtio_sim *sim, const struct vsim_queue *queue, uint16_t head, const uint8_t *from,
                    const bool *skip, size_t length) {
  size_t sum = 0;
  uint16_t at = head;
  bool more = true;
  while(more) {
    const uint8_t *desc = queue->desc[at];
    size_t room = (size_t)sim_little(desc + 8, 4);
    if(sim_little(desc + 12, 2) & DESC_WRITE) {
      uint8_t *to =
          sim_host_translate(&sim->host, sim_little(desc, 8), room, "DMA: a buffer to write outside any allocation");
      for(size_t i = 0; to && i < room && sum + i < length; i++) {
        if(!skip || !skip[sum + i]) {
          to[i] = from[sum + i];
        }
      }
      sum += room;
    }
    more = next(queue, &at);
  }
  return sum;
}

static void release(struct vsim_queue *queue, uint16_t head) {
  uint16_t at = head;
  bool more = true;
  while(more) {
    queue->owned[at] = false;
    more = next(queue, &at);
  }
  queue->held--;
}

static uint16_t take(struct vsim_queue *queue) {
  return queue->entry[queue->taken++ % queue->size];
}

static void finish(struct vsim_queue *queue, uint16_t head, uint32_t length) {
  queue->done[queue->done_count++] = (struct vsim_done){.id = head, .length = length};
}

/* Back to the driver ----------------------------------------------------------------------------------------------- */

static uint16_t idle_id(const struct vsim_queue *queue, uint16_t id) {
  for(uint16_t i = 0; i < queue->size; i++) {
    if(!queue->owned[i]) {
      return i;
    }
  }
  return id;
}

static uint32_t lie_id(const struct vsim_queue *queue, enum virtio_sim_lie lie, uint16_t id) {
  switch(lie) {
  case VIRTIO_SIM_ID_BEYOND:
    return queue->size;
  case VIRTIO_SIM_ID_HUGE:
    return id | 0x00010000U;
  case VIRTIO_SIM_ID_IDLE:
    return idle_id(queue, id);
  default:
    return id;
  }
}

static uint32_t lie_length(struct virtio_sim *sim, struct vsim_queue *queue, enum virtio_sim_lie lie,
                           const struct vsim_done *done) {
  switch(lie) {
  case VIRTIO_SIM_LENGTH_ZERO:
    return 0;
  case VIRTIO_SIM_LENGTH_HEADER:
    return NET_HEADER - 1U;
  case VIRTIO_SIM_LENGTH_SHORT:
    return NET_HEADER + 13U;
  case VIRTIO_SIM_LENGTH_LONG:
    return (uint32_t)vsim_scatter(sim, queue, done->id, NULL, NULL, 0) + 1U;
  case VIRTIO_SIM_LENGTH_HUGE:
    return UINT32_MAX;
  default:
    return done->length;
  }
}

static void put_entry(struct virtio_sim *sim, struct vsim_queue *queue, uint32_t id, uint32_t length) {
  uint32_t slot = queue->used++ % queue->size;
  put_used(sim, queue, RING_ENTRIES + 8U * slot, id | (uint64_t)length << 32, 8);
}

static bool wants_interrupt(struct virtio_sim *sim, const struct vsim_queue *queue, uint16_t before) {
  const uint8_t *avail = area_at(sim, queue, AVAIL_AREA);
  if(!avail) {
    return false;
  }
  if(vsim_has(sim, FB_EVENT_IDX)) {
    return passes((uint16_t)sim_little(avail + RING_ENTRIES + 2U * queue->size, 2), queue->used, before);
  }
  return !(sim_little(avail, 2) & AVAIL_NO_INTERRUPT);
}

void vsim_return(struct virtio_sim *sim, struct vsim_queue *queue) {
  uint32_t count = queue->done_count;
  if(count == 0) {
    return;
  }
  enum virtio_sim_lie lie = sim->config.lie[queue - sim->queue];
  uint16_t before = queue->used;
  queue->done_count = 0;
  for(uint32_t i = 0; i < count; i++) {
    const struct vsim_done *done = &queue->done[sim->config.newest_first ? count - 1U - i : i];
    uint32_t id = lie_id(queue, lie, done->id);
    uint32_t length = lie_length(sim, queue, lie, done);
    release(queue, done->id);
    put_entry(sim, queue, id, length);
    if(lie == VIRTIO_SIM_ID_TWICE) {
      put_entry(sim, queue, id, length);
    }
  }
  if(lie == VIRTIO_SIM_INDEX_JUMPS) {
    queue->used = (uint16_t)(queue->used + queue->size + 1U);
  } else if(lie == VIRTIO_SIM_INDEX_BACK) {
    queue->used = (uint16_t)(before - 1U);
  }
  put_used(sim, queue, RING_INDEX, queue->used, 2);
  if(wants_interrupt(sim, queue, before)) {
    vsim_interrupt_queue(sim, queue);
  }
}

/* The three queues ------------------------------------------------------------------------------------------------- */

static void transmit_one(struct virtio_sim *sim, struct vsim_queue *queue) {
  uint8_t packet[NET_HEADER + VSIM_FRAME_MAX];
  uint16_t head = take(queue);
  size_t length = vsim_gather(sim, queue, head, packet, sizeof(packet));
  if(length < NET_HEADER || length > sizeof(packet)) {
    vsim_violate(sim, "a transmit chain without header, or too long", length);
  } else {
    vsim_check_frame(sim, packet, length - NET_HEADER);
    sim_host_send(&sim->host, packet + NET_HEADER, length - NET_HEADER);
  }
  finish(queue, head, 0);
}

static void command_one(struct virtio_sim *sim, struct vsim_queue *queue) {
  uint8_t command[VSIM_FRAME_MAX];
  uint16_t head = take(queue);
  size_t length = vsim_gather(sim, queue, head, command, sizeof(command));
  sim->commands++;
  uint8_t ack = length > sizeof(command) ? 1U : vsim_command(sim, command, length);
  if(vsim_scatter(sim, queue, head, &ack, NULL, 1) == 0) {
    vsim_violate(sim, "a command without room for the answer", length);
  }
  finish(queue, head, 1);
}

void vsim_look(struct virtio_sim *sim, uint32_t number) {
  struct vsim_queue *queue = &sim->queue[number];
  if(!queue->enabled || queue->broken || !vsim_runs(sim) || !vsim_may_master(sim)) {
    return;
  }
  vsim_audit_queue(sim, number);
  if(number == VIRTIO_SIM_RX) {
    vsim_return(sim, queue);
    queue->called = false;
    queue->dry = queue->dry && queue->taken == queue->seen;
    want_notification(sim, queue, queue->dry);
    return;
  }
  bool stuck = number == VIRTIO_SIM_TX ? sim->config.tx_held : sim->config.commands_unanswered;
  while(queue->taken != queue->seen && !stuck && !queue->broken) {
    if(number == VIRTIO_SIM_TX) {
      transmit_one(sim, queue);
    } else {
      command_one(sim, queue);
    }
  }
  if(!stuck) {
    vsim_return(sim, queue);
    queue->called = false;
    want_notification(sim, queue, true);
  }
}

/* Receive ---------------------------------------------------------------------------------------------------------- */

static enum sim_delivery deliver(struct virtio_sim *sim, const void *frame, size_t length, uint32_t used_length) {
  struct vsim_queue *queue = &sim->queue[VIRTIO_SIM_RX];
  vsim_audit(sim);
  if(!queue->enabled || queue->broken) {
    return SIM_DEAF;
  }
  if(queue->taken == queue->seen) {
    queue->dry = true;
    want_notification(sim, queue, true);
    return SIM_NO_BUFFER;
  }
  uint8_t packet[NET_HEADER + VSIM_FRAME_MAX] = {0};
  bool skip[NET_HEADER + VSIM_FRAME_MAX] = {false};
  length = length < VSIM_FRAME_MAX ? length : VSIM_FRAME_MAX;
  memcpy(packet + NET_HEADER, frame, length);
  packet[NET_BUFFERS_AT] = 1;
  skip[NET_BUFFERS_AT] = sim->config.num_buffers_left;
  skip[NET_BUFFERS_AT + 1U] = sim->config.num_buffers_left;
  uint16_t head = take(queue);
  (void)vsim_scatter(sim, queue, head, packet, skip, NET_HEADER + length);
  finish(queue, head, used_length);
  if(!sim->config.delayed) {
    vsim_return(sim, queue);
  }
  vsim_update_interrupt(sim);
  return SIM_DELIVERED;
}

static bool is_deaf(const struct virtio_sim *sim) {
  return vsim_is_gone(sim) || !vsim_runs(sim) || !vsim_may_master(sim) || sim->config.link_down;
}

enum sim_delivery virtio_sim_inject(struct virtio_sim *sim, const void *frame, size_t length) {
  if(is_deaf(sim)) {
    return SIM_DEAF;
  }
  if(!vsim_wanted(sim, frame, length)) {
    return SIM_FILTERED;
  }
  return deliver(sim, frame, length, NET_HEADER + (uint32_t)length);
}

enum sim_delivery virtio_sim_inject_raw(struct virtio_sim *sim, const void *frame, size_t length,
                                        uint32_t used_length) {
  return is_deaf(sim) ? SIM_DEAF : deliver(sim, frame, length, used_length);
}

void virtio_sim_scribble(struct virtio_sim *sim, uint32_t number, uint32_t offset, uint16_t value) {
  struct vsim_queue *queue = &sim->queue[number];
  if(queue->enabled && vsim_runs(sim) && vsim_may_master(sim)) {
    uint32_t words = (uint32_t)vsim_area_size(sim, queue, USED_AREA) / 2U;
    put_used(sim, queue, offset % words * 2U, value, 2);
  }
}

void virtio_sim_queue(struct virtio_sim *sim, uint32_t number, struct virtio_sim_queue_state *state) {
  struct vsim_queue *queue = &sim->queue[number];
  uint16_t index = queue->enabled ? published(sim, queue) : 0;
  bool waits = queue->enabled && vsim_runs(sim) && !queue->called && index != queue->taken;
  *state = (struct virtio_sim_queue_state){
      .enabled = queue->enabled,
      .size = queue->size,
      .vector = queue->vector,
      .last_avail = queue->taken,
      .used = queue->used,
      .published = index,
      .held = queue->held,
      .starved = waits && (number == VIRTIO_SIM_RX ? queue->dry : sim->config.wake != VIRTIO_SIM_WAKE_NEVER),
  };
}
