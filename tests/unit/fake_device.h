/* fake_device.h - a device of the fake family (fake_family.h), simulated, which says when it is misused. */
#ifndef FAKE_DEVICE_H
#define FAKE_DEVICE_H

#include "fake_family.h"

#define FAKE_SENT_MAX 64U
#define FAKE_MAPS_MAX 8U

struct fake_device {
  uint8_t mac[6];
  uint16_t speed; /* megabits per second; 0: no link */
  bool gone;
  bool running;
  bool unmasked;
  bool cause;
  uint32_t resets;
  uint32_t rx_next;
  uint64_t memory; /* device's address */
  struct {
    uint8_t *cpu;
    uint64_t device;
    size_t size;
  } map[FAKE_MAPS_MAX];
  uint32_t sent_count;
  uint32_t sent_length[FAKE_SENT_MAX];
  uint8_t sent[FAKE_SENT_MAX][FAKE_SLOT_LENGTH];
  const char *complaint; /* NULL, or what its driver did wrong first */
};

/* One access of `width` bytes. */
uint32_t fake_device_read(void *device, uint32_t bar, uint32_t offset, uint32_t width);
void fake_device_write(void *device, uint32_t bar, uint32_t offset, uint32_t width, uint32_t value);

/* From now on it reaches `size` bytes at `cpu` under the address `at`; not any more. */
void fake_device_map(void *device, void *cpu, uint64_t at, size_t size);
void fake_device_unmap(void *device, uint64_t at);

/* What its driver did wrong first, "" for nothing. */
const char *fake_device_complaint(void *device);

/* A frame arrives: false when there is no room, or it does not run. */
bool fake_device_inject(struct fake_device *device, const void *frame, uint32_t length);

/* Whether it asserts its interrupt. */
static inline bool fake_device_interrupts(const struct fake_device *device) {
  return device->cause && device->unmasked;
}

#endif
