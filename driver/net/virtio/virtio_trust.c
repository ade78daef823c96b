/* virtio_trust.c - a device that says what cannot be is reset, so many times, and then given up. */
#include "virtio_nic.h"

/* So many resets, each sooner than VIRTIO_PEACE_US after the last, and the device is given up. */
#define VIRTIO_RESETS_MAX 8U
#define VIRTIO_PEACE_US   60000000U

void virtio_net_distrust(struct virtio_net *nic, uint64_t *count, const char *why, uint32_t value) {
  if(!nic->trouble) {
    nic->trouble = why;
    (*count)++;
    virtio_net_log(nic, NET_LOG_ERROR, why, value);
  }
}

enum virtq_verdict virtio_net_peek(struct virtio_net *nic, struct virtq *queue, uint16_t *id, uint32_t *length) {
  enum virtq_verdict verdict = virtq_peek(queue, id, length);
  if(verdict == VIRTQ_LIE) {
    virtio_net_distrust(nic, &nic->counters.lies, queue->lie, queue->lie_value);
  }
  return verdict;
}

void virtio_net_fresh_start(struct virtio_net *nic) {
  nic->trouble = NULL;
  nic->resets_left = VIRTIO_RESETS_MAX;
  nic->reset_us = nic->platform->now_us(nic->platform->ctx);
  nic->link_read_us = nic->reset_us;
  nic->stuck_watch = false;
}

bool virtio_net_may_reset(struct virtio_net *nic, uint64_t now) {
  if(now - nic->reset_us >= VIRTIO_PEACE_US) {
    nic->resets_left = VIRTIO_RESETS_MAX;
  }
  nic->reset_us = now;
  if(nic->resets_left == 0) {
    virtio_net_log(nic, NET_LOG_ERROR, "the device is given up after so many resets", VIRTIO_RESETS_MAX);
    return false;
  }
  nic->resets_left--;
  return true;
}
