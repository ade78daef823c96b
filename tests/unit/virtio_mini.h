/* virtio_mini.h - a virtio-net driver of a few lines for the tests of the simulator: each step a function. Numbers are
 * those of VIRTIO 1.2; nothing of driver/net is used. */
#ifndef VIRTIO_MINI_H
#define VIRTIO_MINI_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "virtio_sim.h"

#define RX   VIRTIO_SIM_RX
#define TX   VIRTIO_SIM_TX
#define CTRL VIRTIO_SIM_CTRL

#define SIZE     8U /* of each queue */
#define BUFFER   2048U
#define NEXT     1U
#define WRITE    2U
#define INDIRECT 4U
#define HEADER   12U

#define F(bit)   (1ULL << (bit))
#define F_MTU    F(3)
#define F_STATUS F(16)
#define F_CTRL   (F(17) | F(18) | F(20) | F(23))
#define F_VLAN   F(19)
#define F_EVENT  F(29)
#define F_ONE    F(32)
#define F_ACCESS F(33)
#define BASE     (F_ONE | F(5) | F_STATUS | F_CTRL | F_EVENT)

/* As QEMU lays them out */
#define BAR    4U
#define ISR    0x1000U
#define DEVICE 0x2000U
#define BELL   0x3000U

enum { FEATURE_SELECT = 8, FEATURE = 12, CONFIG_VECTOR = 16, STATUS = 20, GENERATION = 21, SELECT = 22, QSIZE = 24 };
enum { QVECTOR = 26, QENABLE = 28, DESC = 32, AVAIL = 40, USED = 48 };

static const uint8_t station[6] = {0x52, 0x54, 0x00, 0x01, 0x02, 0x03};
static const uint8_t all[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t group[6] = {0x01, 0x00, 0x5E, 0x00, 0x00, 0x05};
static const uint8_t other[6] = {0x52, 0x54, 0x00, 0x09, 0x09, 0x09};

/* Each area and each buffer in an allocation of its own. */
struct queue {
  struct net_dma desc;
  struct net_dma avail;
  struct net_dma used;
  struct net_dma buffers;
  uint16_t index; /* available index   */
  uint16_t last;  /* used index seen   */
};

struct mini {
  struct virtio_sim *sim;
  const struct net_platform *p;
  struct virtio_sim_config *knobs;
  struct queue queue[3];
  uint64_t features;
};

static inline void put(void *memory, uint32_t offset, uint64_t value, uint32_t bytes) {
  for(uint32_t i = 0; i < bytes; i++) {
    ((uint8_t *)memory)[offset + i] = (uint8_t)(value >> 8U * i);
  }
}

static inline uint32_t get(const void *memory, uint32_t offset, uint32_t bytes) {
  uint32_t value = 0;
  for(uint32_t i = bytes; i-- > 0;) {
    value = value << 8 | ((const uint8_t *)memory)[offset + i];
  }
  return value;
}

static inline void w8(struct mini *m, uint32_t offset, uint32_t value) {
  m->p->write8(m->p->ctx, BAR, offset, (uint8_t)value);
}

static inline void w16(struct mini *m, uint32_t offset, uint32_t value) {
  m->p->write16(m->p->ctx, BAR, offset, (uint16_t)value);
}

static inline void w32(struct mini *m, uint32_t offset, uint32_t value) {
  m->p->write32(m->p->ctx, BAR, offset, value);
}

static inline uint8_t r8(struct mini *m, uint32_t offset) {
  return m->p->read8(m->p->ctx, BAR, offset);
}

static inline uint16_t r16(struct mini *m, uint32_t offset) {
  return m->p->read16(m->p->ctx, BAR, offset);
}

/* The steps of 3.1.1, one by one ----------------------------------------------------------------------------------- */

static inline void make(struct mini *m, struct virtio_sim_config config) {
  memset(m, 0, sizeof(*m));
  memcpy(config.mac, station, sizeof(station));
  config.device_id = config.device_id ? config.device_id : VIRTIO_SIM_MODERN;
  for(uint32_t i = 0; i < 3; i++) {
    config.queue_size[i] = SIZE;
  }
  m->sim = virtio_sim_create(&config);
  m->p = virtio_sim_platform(m->sim);
  m->knobs = virtio_sim_knobs(m->sim);
  m->features = BASE;
  for(uint32_t i = 0; i < 3; i++) {
    struct queue *q = &m->queue[i];
    assert_int_equal(m->p->dma_alloc(m->p->ctx, 16U * SIZE, 16, 64, &q->desc), 0);
    assert_int_equal(m->p->dma_alloc(m->p->ctx, 6U + 2U * SIZE, 2, 64, &q->avail), 0);
    assert_int_equal(m->p->dma_alloc(m->p->ctx, 6U + 8U * SIZE, 4, 64, &q->used), 0);
    assert_int_equal(m->p->dma_alloc(m->p->ctx, BUFFER * SIZE, 16, 64, &q->buffers), 0);
  }
}

static inline void reset(struct mini *m) {
  w8(m, STATUS, 0);
  assert_int_equal(r8(m, STATUS), 0);
}

static inline void accept(struct mini *m) {
  w8(m, STATUS, 1);
  w8(m, STATUS, 3);
  for(uint32_t i = 0; i < 2; i++) {
    w32(m, FEATURE_SELECT, i);
    w32(m, FEATURE, (uint32_t)(m->features >> 32U * i));
  }
  w8(m, STATUS, 0xB);
}

static inline void program(struct mini *m, uint32_t number) {
  const struct queue *q = &m->queue[number];
  const uint64_t areas[3] = {q->desc.device, q->avail.device, q->used.device};
  w16(m, SELECT, number);
  w16(m, QSIZE, SIZE);
  w16(m, QVECTOR, number);
  for(uint32_t i = 0; i < 3; i++) {
    w32(m, DESC + 8U * i, (uint32_t)areas[i]);
    w32(m, DESC + 8U * i + 4U, (uint32_t)(areas[i] >> 32));
  }
}

static inline void enable(struct mini *m, uint32_t number) {
  program(m, number);
  w16(m, QENABLE, 1);
}

static inline uint64_t buffer(const struct mini *m, uint32_t number, uint32_t i) {
  return m->queue[number].buffers.device + (uint64_t)BUFFER * i;
}

static inline void describe(struct mini *m, uint32_t number, uint32_t i, uint32_t length, uint32_t flags,
                            uint32_t next) {
  uint8_t *desc = m->queue[number].desc.cpu;
  put(desc, 16U * i, buffer(m, number, i), 8);
  put(desc, 16U * i + 8U, length, 4);
  put(desc, 16U * i + 12U, flags, 2);
  put(desc, 16U * i + 14U, next, 2);
}

static inline void offer(struct mini *m, uint32_t number, uint32_t head) {
  struct queue *q = &m->queue[number];
  put(q->avail.cpu, 4U + 2U * (q->index % SIZE), head, 2);
  q->index++;
}

static inline void publish(struct mini *m, uint32_t number) {
  put(m->queue[number].avail.cpu, 2, m->queue[number].index, 2);
}

static inline void bell(struct mini *m, uint32_t number) {
  w16(m, BELL + 4U * number, number);
}

static inline void fill(struct mini *m) {
  for(uint32_t i = 0; i < SIZE; i++) {
    describe(m, RX, i, BUFFER, WRITE, 0);
    offer(m, RX, i);
  }
  publish(m, RX);
}

static inline void prepare(struct mini *m) {
  reset(m);
  accept(m);
  assert_int_equal(r8(m, STATUS), 0xB);
  for(uint32_t i = 0; i < 3; i++) {
    enable(m, i);
  }
  fill(m);
}

static inline void start(struct mini *m) {
  prepare(m);
  w8(m, STATUS, 0xF);
  bell(m, RX);
  assert_string_equal(virtio_sim_violation_text(m->sim), "");
}

static inline void up(struct mini *m, struct virtio_sim_config config) {
  make(m, config);
  start(m);
}

static inline void let_go(struct mini *m) {
  for(uint32_t i = 0; i < 3; i++) {
    m->p->dma_free(m->p->ctx, &m->queue[i].desc);
    m->p->dma_free(m->p->ctx, &m->queue[i].avail);
    m->p->dma_free(m->p->ctx, &m->queue[i].used);
    m->p->dma_free(m->p->ctx, &m->queue[i].buffers);
  }
  assert_int_equal(virtio_sim_leaks(m->sim), 0);
}

static inline void down(struct mini *m) {
  assert_string_equal(virtio_sim_violation_text(m->sim), "");
  reset(m);
  let_go(m);
  assert_string_equal(virtio_sim_violation_text(m->sim), "");
  virtio_sim_destroy(m->sim);
}

/* A frame out of one descriptor, header and all; no notification. */
static inline void queue_frame(struct mini *m, uint32_t slot, const uint8_t to[6], uint32_t length) {
  uint8_t *at = (uint8_t *)m->queue[TX].buffers.cpu + BUFFER * slot;
  memset(at, 0, HEADER);
  memset(at + HEADER, (int)(slot + 1U), length);
  memcpy(at + HEADER, to, 6);
  at[HEADER + 12] = 0x88;
  at[HEADER + 13] = 0xB5;
  describe(m, TX, slot, HEADER + length, 0, 0);
  offer(m, TX, slot);
  publish(m, TX);
}

/* A command: what is to be read in descriptor 0, the answer in 1. */
static inline uint8_t command(struct mini *m, const void *bytes, uint32_t length) {
  uint8_t *memory = m->queue[CTRL].buffers.cpu;
  memcpy(memory, bytes, length);
  memory[BUFFER] = 0xAA;
  describe(m, CTRL, 0, length, NEXT, 1);
  describe(m, CTRL, 1, 1, WRITE, 0);
  offer(m, CTRL, 0);
  publish(m, CTRL);
  bell(m, CTRL);
  return memory[BUFFER];
}

static inline uint16_t used_index(const struct mini *m, uint32_t number) {
  return (uint16_t)get(m->queue[number].used.cpu, 2, 2);
}

static inline uint32_t used_id(const struct mini *m, uint32_t number, uint32_t slot) {
  return get(m->queue[number].used.cpu, 4U + 8U * slot, 4);
}

static inline uint32_t used_length(const struct mini *m, uint32_t number, uint32_t slot) {
  return get(m->queue[number].used.cpu, 8U + 8U * slot, 4);
}

static inline void make_frame(uint8_t frame[60], const uint8_t to[6]) {
  memset(frame, 0x5A, 60);
  memcpy(frame, to, 6);
  frame[12] = 0x88;
  frame[13] = 0xB5;
}

static inline enum sim_delivery arrive(struct mini *m, const uint8_t to[6]) {
  uint8_t frame[60];
  make_frame(frame, to);
  return virtio_sim_inject(m->sim, frame, sizeof(frame));
}

#endif
