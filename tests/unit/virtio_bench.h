/* virtio_bench.h - a platform made of arrays, for what can be tested of virtio without a device. */
#ifndef VIRTIO_BENCH_H
#define VIRTIO_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "virtio_pci.h"

#define BENCH_BAR_BYTES   0x4000U
#define BENCH_DEVICE_SKEW 0x7000000000ULL /* device addresses differ from the processor's, beyond 4 GiB */
#define BENCH_BAR         4U

/* Configuration space, and one BAR as memory; `on_write` sees a write to it and may change what it did. */
struct bench {
  struct net_platform platform;
  uint8_t config[256];
  bool absent; /* configuration space cannot be read: all ones, of whatever width */
  uint8_t bar[BENCH_BAR_BYTES];
  void (*on_write)(struct bench *bench, uint32_t offset, uint32_t width, uint32_t value);
  void (*on_read)(struct bench *bench, uint32_t offset, uint32_t width);
  uint32_t reads;
  uint32_t writes;
  uint32_t config_writes;
  uint64_t now_us;
  uint32_t blocks;       /* allocated now */
  uint32_t allocations;  /* made so far   */
  uint32_t fail_at;      /* the n-th allocation from 1 fails; 0 = none */
  uint32_t address_bits; /* as last asked for */
  uint32_t logs;
};

static inline uint32_t bench_load(const uint8_t *from, uint32_t width) {
  uint32_t value = 0;
  memcpy(&value, from, width);
  return value;
}

static inline uint32_t bench_read(void *ctx, uint32_t bar, uint32_t offset, uint32_t width) {
  struct bench *bench = ctx;
  assert_int_equal(bar, BENCH_BAR);
  assert_true(offset + width <= BENCH_BAR_BYTES && offset % width == 0);
  bench->reads++;
  if(bench->on_read) {
    bench->on_read(bench, offset, width);
  }
  return bench_load(bench->bar + offset, width);
}

static inline void bench_write(void *ctx, uint32_t bar, uint32_t offset, uint32_t width, uint32_t value) {
  struct bench *bench = ctx;
  assert_int_equal(bar, BENCH_BAR);
  assert_true(offset + width <= BENCH_BAR_BYTES && offset % width == 0);
  bench->writes++;
  memcpy(bench->bar + offset, &value, width);
  if(bench->on_write) {
    bench->on_write(bench, offset, width, value);
  }
}

static inline uint32_t bench_read32(void *ctx, uint32_t bar, uint32_t offset) {
  return bench_read(ctx, bar, offset, 4);
}

static inline uint16_t bench_read16(void *ctx, uint32_t bar, uint32_t offset) {
  return (uint16_t)bench_read(ctx, bar, offset, 2);
}

static inline uint8_t bench_read8(void *ctx, uint32_t bar, uint32_t offset) {
  return (uint8_t)bench_read(ctx, bar, offset, 1);
}

static inline void bench_write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  bench_write(ctx, bar, offset, 4, value);
}

static inline void bench_write16(void *ctx, uint32_t bar, uint32_t offset, uint16_t value) {
  bench_write(ctx, bar, offset, 2, value);
}

static inline void bench_write8(void *ctx, uint32_t bar, uint32_t offset, uint8_t value) {
  bench_write(ctx, bar, offset, 1, value);
}

static inline uint32_t bench_config_read(void *ctx, uint32_t offset, uint32_t width) {
  struct bench *bench = ctx;
  assert_true(offset + width <= sizeof(bench->config) && offset % width == 0);
  return bench->absent ? UINT32_MAX : bench_load(bench->config + offset, width);
}

static inline void bench_config_write(void *ctx, uint32_t offset, uint32_t width, uint32_t value) {
  struct bench *bench = ctx;
  assert_true(offset + width <= sizeof(bench->config) && offset % width == 0);
  bench->config_writes++;
  memcpy(bench->config + offset, &value, width);
}

static inline bool bench_may_allocate(struct bench *bench) {
  return ++bench->allocations != bench->fail_at;
}

static inline void *bench_alloc(void *ctx, size_t size) {
  struct bench *bench = ctx;
  if(!bench_may_allocate(bench)) {
    return NULL;
  }
  bench->blocks++;
  return calloc(1, size);
}

static inline void bench_free(void *ctx, void *memory, size_t size) {
  struct bench *bench = ctx;
  assert_non_null(memory);
  memset(memory, 0xA5, size); /* a wrong size is found by the sanitizer */
  bench->blocks--;
  free(memory);
}

static inline int bench_dma_alloc(void *ctx, size_t size, size_t align, uint32_t address_bits, struct net_dma *out) {
  struct bench *bench = ctx;
  if(!bench_may_allocate(bench)) {
    return NETDEV_E_NO_MEMORY;
  }
  bench->address_bits = address_bits;
  void *memory = aligned_alloc(align, (size + align - 1U) / align * align);
  assert_non_null(memory);
  memset(memory, 0, size);
  bench->blocks++;
  *out = (struct net_dma){memory, (uint64_t)(uintptr_t)memory + BENCH_DEVICE_SKEW, size, memory};
  return NETDEV_OK;
}

static inline void bench_dma_free(void *ctx, struct net_dma *dma) {
  struct bench *bench = ctx;
  assert_ptr_equal(dma->cpu, dma->handle);
  bench->blocks--;
  free(dma->handle);
}

static inline void bench_delay_us(void *ctx, uint32_t us) {
  ((struct bench *)ctx)->now_us += us;
}

static inline uint64_t bench_now_us(void *ctx) {
  return ((struct bench *)ctx)->now_us;
}

static inline void bench_log(void *ctx, enum net_log_level level, const char *text, uint32_t value) {
  (void)level;
  (void)value;
  assert_non_null(text);
  ((struct bench *)ctx)->logs++;
}

static inline void bench_init(struct bench *bench) {
  memset(bench, 0, sizeof(*bench));
  bench->platform = (struct net_platform){
      .version = NET_PLATFORM_VERSION,
      .size = sizeof(struct net_platform),
      .ctx = bench,
      .bar = {[BENCH_BAR] = {NET_BAR_MEMORY, BENCH_BAR_BYTES}},
      .read32 = bench_read32,
      .read16 = bench_read16,
      .read8 = bench_read8,
      .write32 = bench_write32,
      .write16 = bench_write16,
      .write8 = bench_write8,
      .config_read = bench_config_read,
      .config_write = bench_config_write,
      .alloc = bench_alloc,
      .free = bench_free,
      .dma_alloc = bench_dma_alloc,
      .dma_free = bench_dma_free,
      .delay_us = bench_delay_us,
      .now_us = bench_now_us,
      .log = bench_log,
  };
}

#endif
