/* unit.h - what the driver tests share: cmocka, a device on the simulator, frames, a client that remembers. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "e1000_hw.h"
#include "sim.h"

#define UNIT_COOKIES 8192U

/* What came back for each cookie 1 to UNIT_COOKIES - 1, and the frames received. */
struct unit_client {
  struct netdev *dev;
  uint32_t done[UNIT_COOKIES];
  int status[UNIT_COOKIES];
  uint32_t done_total;
  uint32_t received;
  uint32_t links;
  struct netdev_link link;
  uint8_t frame[NETDEV_MAX_TAGGED_FRAME];
  uint32_t length;
};

static const uint8_t unit_mac[6] = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3};

static inline void *unit_cookie(uint32_t number) {
  return (void *)(uintptr_t)number;
}

static inline void unit_tx_done(void *ctx, void *cookie, int status) {
  struct unit_client *client = ctx;
  uintptr_t number = (uintptr_t)cookie;
  assert_true(number > 0 && number < UNIT_COOKIES);
  client->done[number]++;
  client->status[number] = status;
  client->done_total++;
}

static inline void unit_receive(void *ctx, const struct netdev_frame *frame) {
  struct unit_client *client = ctx;
  assert_true(frame->length >= NETDEV_HEADER_LENGTH && frame->length <= NETDEV_MAX_TAGGED_FRAME);
  memcpy(client->frame, frame->data, frame->length);
  client->length = frame->length;
  client->received++;
}

static inline void unit_link_changed(void *ctx, const struct netdev_link *link) {
  struct unit_client *client = ctx;
  client->links++;
  client->link = *link;
}

static inline struct sim_config unit_config(uint16_t device_id) {
  struct sim_config config = {.device_id = device_id};
  memcpy(config.mac, unit_mac, sizeof(config.mac));
  return config;
}

static inline struct e1000 *unit_nic(struct netdev *dev) {
  return (struct e1000 *)dev;
}

static inline int unit_create(struct sim *sim, uint32_t tx, uint32_t rx, struct netdev **out) {
  struct net_config config = {.id = {.vendor_id = E1000_VENDOR_ID, .device_id = sim_knobs(sim)->device_id},
                              .tx_descriptors = tx,
                              .rx_descriptors = rx};
  *out = NULL;
  return e1000_create(sim_platform(sim), &config, out);
}

/* The two rings hold together, and the simulator has nothing to complain about. */
static inline void unit_check(struct sim *sim, struct netdev *dev) {
  if(dev) {
    const char *broken = e1000_ring_check(&unit_nic(dev)->tx);
    assert_string_equal(broken ? broken : "", "");
    broken = e1000_ring_check(&unit_nic(dev)->rx);
    assert_string_equal(broken ? broken : "", "");
  }
  assert_string_equal(sim_violation_text(sim), "");
  assert_int_equal(sim_violations(sim), 0);
}

static inline void unit_client_init(struct unit_client *client, struct netdev *dev, bool receive) {
  memset(client, 0, sizeof(*client));
  client->dev = dev;
  struct netdev_client wanted = {.ctx = client,
                                 .tx_done = unit_tx_done,
                                 .receive = receive ? unit_receive : NULL,
                                 .link_changed = unit_link_changed};
  assert_int_equal(netdev_set_client(dev, &wanted), NETDEV_OK);
}

/* A frame to `to` whose bytes tell its number and length. */
static inline void unit_frame(uint8_t *frame, size_t length, const uint8_t to[6], uint32_t number) {
  for(size_t i = 0; i < length; i++) {
    frame[i] = (uint8_t)(number * 13U + number / 256U + i * 7U + i / 256U + 1U);
  }
  memcpy(frame, to, 6);
  frame[12] = 0x88;
  frame[13] = 0xB5;
}

/* Ends a test: nothing is left allocated and nothing was done wrong. */
static inline void unit_end(struct sim *sim, struct netdev *dev) {
  netdev_destroy(dev);
  assert_string_equal(sim_violation_text(sim), "");
  assert_int_equal(sim_leaks(sim), 0);
  sim_destroy(sim);
}

#endif
