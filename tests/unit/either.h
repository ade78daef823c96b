/* either.h - one NIC on either simulator, by what both have: for tests of what stands above every family. */
#ifndef EITHER_H
#define EITHER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/driver.h"
#include "sim.h"
#include "virtio_sim.h"

#define EITHER_RING 16U

struct either {
  struct sim *e1000; /* one of the two */
  struct virtio_sim *virtio;
  struct net_platform platform; /* the simulator's: a test may put functions of its own in */
  struct netdev *dev;
};

static const uint16_t either_ids[] = {SIM_82540EM, SIM_82574L, VIRTIO_SIM_MODERN};
#define EITHER_COUNT (sizeof(either_ids) / sizeof(either_ids[0]))

static inline void either_make(struct either *nic, uint16_t device_id, const uint8_t mac[6]) {
  memset(nic, 0, sizeof(*nic));
  if(device_id == VIRTIO_SIM_MODERN || device_id == VIRTIO_SIM_TRANSITIONAL) {
    struct virtio_sim_config config = {.device_id = device_id};
    memcpy(config.mac, mac, sizeof(config.mac));
    nic->virtio = virtio_sim_create(&config);
    nic->platform = *virtio_sim_platform(nic->virtio);
  } else {
    struct sim_config config = {.device_id = device_id};
    memcpy(config.mac, mac, sizeof(config.mac));
    nic->e1000 = sim_create(&config);
    nic->platform = *sim_platform(nic->e1000);
  }
  struct net_config wanted = {.id = {.vendor_id = nic->virtio ? 0x1AF4 : 0x8086, .device_id = device_id},
                              .tx_descriptors = EITHER_RING,
                              .rx_descriptors = EITHER_RING};
  const struct net_driver *driver = net_driver_find(&wanted.id, NULL);
  assert_non_null(driver);
  assert_int_equal(driver->create(&nic->platform, &wanted, &nic->dev), NETDEV_OK);
}

static inline enum sim_delivery either_inject(struct either *nic, const void *frame, size_t length) {
  return nic->virtio ? virtio_sim_inject(nic->virtio, frame, length) : sim_inject(nic->e1000, frame, length);
}

static inline void either_step(struct either *nic) {
  if(nic->virtio) {
    virtio_sim_step(nic->virtio);
  } else {
    sim_step(nic->e1000);
  }
}

static inline void either_advance(struct either *nic, uint64_t us) {
  if(nic->virtio) {
    virtio_sim_advance(nic->virtio, us);
  } else {
    sim_advance(nic->e1000, us);
  }
}

/* The transmitter stands still, or goes on. */
static inline void either_hold(struct either *nic, bool hold) {
  if(nic->virtio) {
    virtio_sim_knobs(nic->virtio)->tx_held = hold;
  } else {
    sim_knobs(nic->e1000)->tx_held = hold;
  }
  either_step(nic);
}

static inline size_t either_frames(const struct either *nic) {
  return nic->virtio ? virtio_sim_frames(nic->virtio) : sim_frames(nic->e1000);
}

static inline const uint8_t *either_frame(const struct either *nic, size_t index, size_t *length) {
  return nic->virtio ? virtio_sim_frame(nic->virtio, index, length) : sim_frame(nic->e1000, index, length);
}

static inline void either_forget_frames(struct either *nic) {
  if(nic->virtio) {
    virtio_sim_forget_frames(nic->virtio);
  } else {
    sim_forget_frames(nic->e1000);
  }
}

static inline const char *either_violation(const struct either *nic) {
  return nic->virtio ? virtio_sim_violation_text(nic->virtio) : sim_violation_text(nic->e1000);
}

/* Nothing is left allocated and nothing was done wrong. */
static inline void either_end(struct either *nic) {
  netdev_destroy(nic->dev);
  assert_string_equal(either_violation(nic), "");
  assert_int_equal(nic->virtio ? virtio_sim_leaks(nic->virtio) : sim_leaks(nic->e1000), 0);
  if(nic->virtio) {
    virtio_sim_destroy(nic->virtio);
  } else {
    sim_destroy(nic->e1000);
  }
}

#endif
