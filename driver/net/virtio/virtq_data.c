/* virtq_data.c - what every buffer goes through: telling the device, and believing little of what comes back. */
#include "virtq.h"
#include "net/barrier.h"

static uint16_t available_event(const struct virtq *queue) {
  return *(const volatile uint16_t *)&queue->used->ring[queue->size];
}

/* Offering ------------------------------------------------------------------------------------------------------- */

bool virtq_publish(struct virtq *queue) {
  uint16_t before = queue->published;
  if(queue->offered == before) {
    return false;
  }
  net_dma_wmb(); /* descriptors and ring entries, then the index that makes them the device's (2.7.13.3) */
  queue->available->index = queue->offered;
  for(; queue->published != queue->offered; queue->published++) {
    queue->slot[queue->slot[queue->published & (queue->size - 1U)].entry].told = true;
  }
  net_dma_mb(); /* the index, then the look at whether the device sleeps (2.7.13.4.1) */
  if(queue->event_index) {
    uint16_t beyond = (uint16_t)(queue->published - available_event(queue) - 1U);
    return beyond < (uint16_t)(queue->published - before);
  }
  return (queue->used->flags & VIRTQ_USED_NO_NOTIFY) == 0;
}

/* What comes back ------------------------------------------------------------------------------------------------ */

static enum virtq_verdict lied(struct virtq *queue, const char *what, uint32_t value) {
  queue->lie = what;
  queue->lie_value = value;
  return VIRTQ_LIE;
}

enum virtq_verdict virtq_peek(struct virtq *queue, uint16_t *id, uint32_t *length) {
  if(queue->lie) {
    return VIRTQ_LIE;
  }
  if(!queue->seen) {
    uint16_t index = queue->used->index;
    uint16_t ahead = (uint16_t)(index - queue->taken);
    if(ahead == 0) {
      return VIRTQ_NONE;
    }
    if(ahead > virtq_pending(queue)) {
      return lied(queue, "the device returned more buffers than it had; used index", index);
    }
    net_dma_rmb(); /* the index, then the entry and the buffer (2.7.14) */
    volatile const struct virtq_used_element *element = &queue->used->ring[queue->taken & (queue->size - 1U)];
    uint32_t used_id = element->id;
    uint32_t used_length = element->length;
    /* Also not one that was offered and not published: it would come back twice. */
    if(!virtq_is_in_flight(queue, used_id) || !queue->slot[used_id].told) {
      return lied(queue, "the device returned a buffer that it did not have; its number", used_id);
    }
    queue->seen = true;
    queue->seen_id = (uint16_t)used_id;
    queue->seen_length = used_length;
  }
  *id = queue->seen_id;
  *length = queue->seen_length;
  return VIRTQ_DONE;
}

void virtq_take(struct virtq *queue) {
  if(queue->seen) {
    queue->seen = false;
    queue->taken++;
    virtq_give_back(queue, queue->seen_id);
    if(!queue->armed) {
      virtq_park(queue);
    }
  }
}
