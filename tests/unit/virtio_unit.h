/* virtio_unit.h - what the virtio driver's tests over the simulator share: a device, its client, and whether all is
 * well. */
#ifndef VIRTIO_UNIT_H
#define VIRTIO_UNIT_H

#include "unit.h"
#include "virtio_nic.h"
#include "virtio_sim.h"

#define RX   VIRTIO_SIM_RX
#define TX   VIRTIO_SIM_TX
#define CTRL VIRTIO_SIM_CTRL

#define UNIT_EVENT_IDX (1ULL << 29)
#define UNIT_TICK_US   50000U
#define UNIT_HANG_US   5000000U

struct world {
  struct virtio_sim *sim;
  struct virtio_sim_config *knobs;
  struct netdev *dev;
  struct unit_client client;
};

static const uint8_t unit_other[6] = {0x52, 0x54, 0x00, 0x0F, 0x0E, 0x0D};

static inline struct virtio_net *world_nic(const struct world *world) {
  return (struct virtio_net *)world->dev;
}

/* The simulator alone; `dev` is NULL. */
static inline void world_make(struct world *world, struct virtio_sim_config config) {
  memset(world, 0, sizeof(*world));
  config.device_id = config.device_id ? config.device_id : VIRTIO_SIM_MODERN;
  memcpy(config.mac, unit_mac, sizeof(config.mac));
  world->sim = virtio_sim_create(&config);
  world->knobs = virtio_sim_knobs(world->sim);
}

static inline int world_create(struct world *world, uint32_t tx, uint32_t rx) {
  struct net_config config = {
      .id = {.vendor_id = 0x1AF4, .device_id = world->knobs->device_id}, .tx_descriptors = tx, .rx_descriptors = rx};
  return virtio_net_create(virtio_sim_platform(world->sim), &config, &world->dev);
}

/* The queues hold together, and the simulator has nothing to complain about. */
static inline void world_check(const struct world *world) {
  for(uint32_t i = 0; world->dev && i < world_nic(world)->queue_count; i++) {
    const char *broken = virtq_check(&world_nic(world)->queue[i]);
    assert_string_equal(broken ? broken : "", "");
  }
  assert_string_equal(virtio_sim_violation_text(world->sim), "");
}

static inline void world_open(struct world *world, struct virtio_sim_config config, uint32_t size) {
  world_make(world, config);
  assert_int_equal(world_create(world, size, size), NETDEV_OK);
  unit_client_init(&world->client, world->dev, true);
  assert_int_equal(netdev_set_filter(world->dev, NETDEV_FILTER_UNICAST | NETDEV_FILTER_BROADCAST, NULL, 0), NETDEV_OK);
  assert_int_equal(netdev_open(world->dev), NETDEV_OK);
  world_check(world);
}

/* Nothing is left allocated and nothing was done wrong. */
static inline void world_end(struct world *world) {
  netdev_destroy(world->dev);
  world->dev = NULL;
  world_check(world);
  assert_int_equal(virtio_sim_leaks(world->sim), 0);
  virtio_sim_destroy(world->sim);
}

static inline enum sim_delivery world_arrive(struct world *world, uint32_t number, size_t length) {
  uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
  unit_frame(frame, length, unit_mac, number);
  return virtio_sim_inject(world->sim, frame, length);
}

static inline int world_send(struct world *world, uint32_t number, size_t length, uint32_t flags) {
  uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
  unit_frame(frame, length, unit_other, number);
  return netdev_transmit(world->dev, frame, length, unit_cookie(number % (UNIT_COOKIES - 1U) + 1U), flags);
}

/* One frame each way, whole. */
static inline void world_works(struct world *world, uint32_t number) {
  uint8_t frame[100];
  size_t length = 0;
  uint32_t received = world->client.received;
  virtio_sim_forget_frames(world->sim);
  assert_int_equal(world_send(world, number, sizeof(frame), 0), NETDEV_OK);
  virtio_sim_step(world->sim);
  assert_int_equal(virtio_sim_frames(world->sim), 1);
  unit_frame(frame, sizeof(frame), unit_other, number);
  assert_memory_equal(virtio_sim_frame(world->sim, 0, &length), frame, sizeof(frame));
  assert_int_equal(length, sizeof(frame));
  assert_int_equal(world_arrive(world, number, sizeof(frame)), SIM_DELIVERED);
  virtio_sim_step(world->sim);
  (void)netdev_poll(world->dev, 64);
  assert_int_equal(world->client.received, received + 1);
  unit_frame(frame, sizeof(frame), unit_mac, number);
  assert_int_equal(world->client.length, sizeof(frame));
  assert_memory_equal(world->client.frame, frame, sizeof(frame));
  world_check(world);
}

#endif
