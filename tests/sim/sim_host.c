/* sim_host.c - a simulator as a platform: memory, time, messages, and what the caller did wrong. */
#include "sim_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far from any processor address of a test, and above 4 GiB so that the high halves matter. Allocations lie apart, so
 * that running over the end of one does not land in the next. */
#define DEVICE_BASE 0x0000000180000000ULL
#define DEVICE_LOW  0x0000000010000000ULL /* for a device that must not be given more than 32 bits */
#define DEVICE_GAP  0x10000ULL
#define FOUR_GIB    0x100000000ULL
#define NO_MEMORY   (-2) /* NETDEV_E_NO_MEMORY */

void *sim_host_must(void *memory) {
  if(!memory) {
    abort();
  }
  return memory;
}

/* Mistakes --------------------------------------------------------------------------------------------------------- */

void sim_host_violate(struct sim_host *host, const char *text, uint64_t value) {
  if(host->violations++ == 0) {
    (void)snprintf(host->violation, sizeof(host->violation), "%s: 0x%llx", text, (unsigned long long)value);
  }
}

/* Memory ----------------------------------------------------------------------------------------------------------- */

static struct sim_memory *free_row(struct sim_host *host) {
  for(size_t i = 0; i < SIM_TABLE; i++) {
    if(!host->memory[i].live) {
      return &host->memory[i];
    }
  }
  abort();
}

static void *platform_alloc(void *ctx, size_t size) {
  struct sim_host *host = ctx;
  if(++host->allocs == *host->fail_alloc_at) {
    return NULL;
  }
  struct sim_memory *row = free_row(host);
  *row = (struct sim_memory){.cpu = sim_host_must(calloc(1, size)), .size = size, .live = true};
  return row->cpu;
}

static void platform_free(void *ctx, void *memory, size_t size) {
  struct sim_host *host = ctx;
  for(size_t i = 0; i < SIM_TABLE; i++) {
    struct sim_memory *row = &host->memory[i];
    if(row->live && row->device == 0 && row->cpu == memory) {
      if(row->size != size) {
        sim_host_violate(host, "free with another size than alloc had", size);
      }
      free(row->cpu);
      row->live = false;
      return;
    }
  }
  sim_host_violate(host, "free of memory that is not allocated", (uint64_t)(uintptr_t)memory);
}

static uint64_t place(struct sim_host *host, size_t size, size_t align, uint32_t address_bits) {
  uint64_t *next = &host->next_device[address_bits > 32U];
  uint64_t at = (*next + DEVICE_GAP + align - 1U) & ~((uint64_t)align - 1U);
  if(align < DEVICE_GAP) {
    at += align; /* aligned to what was asked for, and to no more */
    at += at & align ? 0 : align;
  }
  if((at ^ (at + size - 1U)) / FOUR_GIB != 0) {
    at = (at + size) & ~(FOUR_GIB - 1U);
  }
  *next = at + size;
  return at;
}

static int platform_dma_alloc(void *ctx, size_t size, size_t align, uint32_t address_bits, struct net_dma *out) {
  struct sim_host *host = ctx;
  if(address_bits < 32U || address_bits > 64U) {
    sim_host_violate(host, "dma_alloc: address_bits is not 32 to 64", address_bits);
  }
  if(align == 0 || (align & (align - 1U)) || align > 0x10000U) {
    sim_host_violate(host, "dma_alloc: align is not a power of two up to 64 KiB", align);
  }
  if(++host->dma_allocs == *host->fail_dma_alloc_at) {
    return NO_MEMORY;
  }
  struct sim_memory *row = free_row(host);
  *row = (struct sim_memory){.cpu = sim_host_must(calloc(1, size)),
                             .device = place(host, size, align, address_bits),
                             .size = size,
                             .live = true};
  *out = (struct net_dma){.cpu = row->cpu, .device = row->device, .size = size, .handle = row};
  return 0;
}

static void platform_dma_free(void *ctx, struct net_dma *dma) {
  struct sim_host *host = ctx;
  for(size_t i = 0; i < SIM_TABLE; i++) {
    struct sim_memory *row = &host->memory[i];
    if(row->live && row == dma->handle) {
      if(row->device != dma->device || row->cpu != dma->cpu || row->size != dma->size) {
        sim_host_violate(host, "dma_free of something else than dma_alloc gave", dma->device);
      }
      host->check_free(host, row);
      free(row->cpu);
      row->live = false;
      return;
    }
  }
  sim_host_violate(host, "dma_free of memory that is not allocated", dma->device);
}

void sim_host_map(struct sim_host *host, void *cpu, uint64_t device, size_t size) {
  *free_row(host) = (struct sim_memory){.cpu = cpu, .device = device, .size = size, .live = true, .borrowed = true};
}

void sim_host_unmap(struct sim_host *host, uint64_t device) {
  for(size_t i = 0; i < SIM_TABLE; i++) {
    struct sim_memory *row = &host->memory[i];
    if(row->live && row->borrowed && row->device == device) {
      host->check_free(host, row);
      row->live = false;
      return;
    }
  }
  sim_host_violate(host, "unmap of memory that is not mapped", device);
}

uint8_t *sim_host_find(const struct sim_host *host, uint64_t device, size_t size) {
  for(size_t i = 0; i < SIM_TABLE; i++) {
    const struct sim_memory *row = &host->memory[i];
    if(row->live && row->device && sim_holds(row, device) && size <= row->size - (size_t)(device - row->device)) {
      return (uint8_t *)row->cpu + (device - row->device);
    }
  }
  return NULL;
}

uint8_t *sim_host_translate(struct sim_host *host, uint64_t device, size_t size, const char *what) {
  uint8_t *memory = sim_host_find(host, device, size);
  if(!memory) {
    sim_host_violate(host, what, device);
  }
  return memory;
}

uint32_t sim_host_leaks(const struct sim_host *host) {
  uint32_t count = 0;
  for(size_t i = 0; i < SIM_TABLE; i++) {
    count += host->memory[i].live;
  }
  return count;
}

/* Time and messages ------------------------------------------------------------------------------------------------ */

static void platform_delay_us(void *ctx, uint32_t us) {
  struct sim_host *host = ctx;
  if(us == 0 || us > 100000U) {
    sim_host_violate(host, "delay_us: not from 1 to 100000", us);
  }
  host->now_us += us;
}

static uint64_t platform_now_us(void *ctx) {
  return ((struct sim_host *)ctx)->now_us;
}

static void platform_log(void *ctx, enum net_log_level level, const char *text, uint32_t value) {
  struct sim_host *host = ctx;
  (void)value;
  if(strchr(text, '\n')) {
    sim_host_violate(host, "log: a newline in the text", 0);
  }
  struct sim_message *message = &host->messages[host->message_count++ % SIM_MESSAGES];
  message->level = level;
  (void)snprintf(message->text, sizeof(message->text), "%s", text);
}

uint32_t sim_host_logged(const struct sim_host *host, enum net_log_level level, const char *text) {
  uint32_t count = 0;
  for(size_t i = 0; i < host->message_count && i < SIM_MESSAGES; i++) {
    count += host->messages[i].level == level && strstr(host->messages[i].text, text) != NULL;
  }
  return count;
}

/* Frames that were sent -------------------------------------------------------------------------------------------- */

void sim_host_send(struct sim_host *host, const uint8_t *frame, size_t length) {
  if(host->frame_count == host->frame_room) {
    host->frame_room = host->frame_room ? host->frame_room * 2U : 64U;
    host->frames = sim_host_must(realloc(host->frames, host->frame_room * sizeof(*host->frames)));
  }
  uint8_t *copy = sim_host_must(malloc(length ? length : 1U));
  memcpy(copy, frame, length);
  host->frames[host->frame_count++] = (struct sim_frame){.data = copy, .length = length};
}

void sim_host_forget_frames(struct sim_host *host) {
  while(host->frame_count > 0) {
    free(host->frames[--host->frame_count].data);
  }
}

/* Life ------------------------------------------------------------------------------------------------------------- */

void sim_host_init(struct sim_host *host, struct net_platform *platform) {
  host->messages = sim_host_must(calloc(SIM_MESSAGES, sizeof(*host->messages)));
  host->now_us = 1000000U;
  host->next_device[0] = DEVICE_LOW;
  host->next_device[1] = DEVICE_BASE;
  platform->version = NET_PLATFORM_VERSION;
  platform->size = sizeof(*platform);
  platform->ctx = host;
  platform->alloc = platform_alloc;
  platform->free = platform_free;
  platform->dma_alloc = platform_dma_alloc;
  platform->dma_free = platform_dma_free;
  platform->delay_us = platform_delay_us;
  platform->now_us = platform_now_us;
  platform->log = platform_log;
}

void sim_host_end(struct sim_host *host) {
  for(size_t i = 0; i < SIM_TABLE; i++) {
    if(host->memory[i].live && !host->memory[i].borrowed) {
      free(host->memory[i].cpu);
    }
  }
  sim_host_forget_frames(host);
  free(host->frames);
  free(host->messages);
}
