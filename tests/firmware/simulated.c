/* simulated.c - what a test asks of a NIC's simulator, whichever it is: the wire, and removal. */
#include "internal.h"

size_t firmware_frames(const struct firmware_nic *nic) {
  return nic->sim ? sim_frames(nic->sim) : virtio_sim_frames(firmware_virtio(nic));
}

const uint8_t *firmware_frame(const struct firmware_nic *nic, size_t index, size_t *length) {
  return nic->sim ? sim_frame(nic->sim, index, length) : virtio_sim_frame(firmware_virtio(nic), index, length);
}

void firmware_forget_frames(const struct firmware_nic *nic) {
  if(nic->sim) {
    sim_forget_frames(nic->sim);
  } else {
    virtio_sim_forget_frames(firmware_virtio(nic));
  }
}

enum sim_delivery firmware_inject(const struct firmware_nic *nic, const void *frame, size_t length) {
  return nic->sim ? sim_inject(nic->sim, frame, length) : virtio_sim_inject(firmware_virtio(nic), frame, length);
}

void firmware_pull_at(const struct firmware_nic *nic, uint64_t access) {
  if(nic->sim) {
    sim_knobs(nic->sim)->gone_at = access;
  } else {
    virtio_sim_knobs(firmware_virtio(nic))->gone_at = access;
  }
}

uint64_t firmware_accesses(const struct firmware_nic *nic) {
  return nic->sim ? sim_accesses(nic->sim) : virtio_sim_accesses(firmware_virtio(nic));
}
