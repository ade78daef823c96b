/* sim_host.h - what every simulated device has behind struct net_platform: memory, time, messages, and the list of what
 * its caller did wrong. Private to tests/sim. */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/platform.h"

#define SIM_TABLE    64U
#define SIM_MESSAGES 512U
#define SIM_TEXT     200U

struct sim_memory {
  void *cpu;
  uint64_t device; /* 0 for plain memory */
  size_t size;
  bool live;
  bool borrowed; /* mapped by sim_host_map: not ours to free */
};

struct sim_message {
  enum net_log_level level;
  char text[SIM_TEXT];
};

struct sim_frame {
  uint8_t *data;
  size_t length;
};

/* The first member of a simulator's struct, because it is the platform's ctx. */
struct sim_host {
  uint64_t now_us;
  struct sim_memory memory[SIM_TABLE];
  uint64_t next_device[2]; /* below and above 4 GiB */
  uint32_t allocs;
  uint32_t dma_allocs;
  const uint32_t *fail_alloc_at; /* the simulator's knobs: the call that fails, counted from 1; 0 never */
  const uint32_t *fail_dma_alloc_at;

  /* DMA memory is about to be given back: may the device still use it? */
  void (*check_free)(struct sim_host *host, const struct sim_memory *row);

  uint32_t violations;
  char violation[SIM_TEXT]; /* the first */
  struct sim_message *messages;
  size_t message_count;

  struct sim_frame *frames; /* that the device has sent */
  size_t frame_count;
  size_t frame_room;
};

/* Fills in the platform's functions for memory, time and messages. The knobs are set already. */
void sim_host_init(struct sim_host *host, struct net_platform *platform);

/* Frees what the caller did not. */
void sim_host_end(struct sim_host *host);

/* `memory`, which is not NULL. */
void *sim_host_must(void *memory);

void sim_host_violate(struct sim_host *host, const char *text, uint64_t value);

void sim_host_map(struct sim_host *host, void *cpu, uint64_t device, size_t size);
void sim_host_unmap(struct sim_host *host, uint64_t device);

/* Where a device address lies in memory, when all `size` bytes belong to one live allocation; else NULL. */
uint8_t *sim_host_find(const struct sim_host *host, uint64_t device, size_t size);

/* The same, and NULL is recorded as `what`. */
uint8_t *sim_host_translate(struct sim_host *host, uint64_t device, size_t size, const char *what);

/* Allocations not given back. */
uint32_t sim_host_leaks(const struct sim_host *host);

/* How many messages of this level contained `text`. */
uint32_t sim_host_logged(const struct sim_host *host, enum net_log_level level, const char *text);

/* A frame leaves by the wire. */
void sim_host_send(struct sim_host *host, const uint8_t *frame, size_t length);
void sim_host_forget_frames(struct sim_host *host);

static inline bool sim_holds(const struct sim_memory *row, uint64_t device) {
  return device >= row->device && device - row->device < row->size;
}

/* Descriptors are bytes here: the driver's struct is not to be trusted. */
static inline uint64_t sim_little(const uint8_t *at, size_t bytes) {
  uint64_t value = 0;
  while(bytes-- > 0) {
    value = value << 8 | at[bytes];
  }
  return value;
}

#endif
