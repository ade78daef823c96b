/* plain_platform.c - struct net_platform for a kernel that has nothing yet: ports, a direct map, the TSC. */
#include <string.h>

#include "net/barrier.h"
#include "plain_bus.h"

#define TIMER_CHANNEL 0x42U
#define TIMER_COMMAND 0x43U
#define TIMER_GATE    0x61U
#define TIMER_HZ      1193182U
#define WINDOW_US     10000U
#define WINDOWS       5U

static struct plain_host host;
static size_t used; /* of host.memory */
static uint64_t ticks_per_us;

static void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static void out32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

/* Time ----------------------------------------------------------------------------------------------------------- */

static uint64_t read_tsc(void) {
  uint32_t low;
  uint32_t high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t)high << 32 | low;
}

/* Channel 2 counts down once (8254 mode 0) while its gate is open; its output shows in the gate's port. */
static uint64_t ticks_of_a_window(void) {
  uint32_t count = (uint32_t)((uint64_t)TIMER_HZ * WINDOW_US / 1000000U);
  out8(TIMER_GATE, (uint8_t)((in8(TIMER_GATE) & 0xFCU) | 1U));
  out8(TIMER_COMMAND, 0xB0);
  out8(TIMER_CHANNEL, (uint8_t)count);
  out8(TIMER_CHANNEL, (uint8_t)(count >> 8));
  uint64_t start = read_tsc();
  while(!(in8(TIMER_GATE) & 0x20U)) {
  }
  return read_tsc() - start;
}

uint64_t plain_now_us(void *ctx) {
  (void)ctx;
  return read_tsc() / ticks_per_us;
}

static void delay_us(void *ctx, uint32_t us) {
  uint64_t start = plain_now_us(ctx);
  while(plain_now_us(ctx) - start <= us) {
  }
}

/* A host that takes the processor away makes a window too long, never too short: the shortest counts. */
void plain_begin(const struct plain_host *from) {
  host = *from;
  used = 0;
  ticks_per_us = UINT64_MAX;
  for(uint32_t i = 0; i < WINDOWS; i++) {
    uint64_t ticks = ticks_of_a_window() / WINDOW_US + 1U;
    ticks_per_us = ticks < ticks_per_us ? ticks : ticks_per_us;
  }
}

const struct plain_host *plain_host(void) {
  return &host;
}

/* Memory --------------------------------------------------------------------------------------------------------- */

static void *take(size_t size, size_t align) {
  size_t start = (used + align - 1U) & ~(align - 1U);
  if(start > host.memory_size || size > host.memory_size - start) {
    return NULL;
  }
  used = start + size;
  return memset(host.memory + start, 0, size);
}

static void *alloc(void *ctx, size_t size) {
  (void)ctx;
  return take(size, _Alignof(max_align_t));
}

/* The newest block is used again: what checks a handoff is large, and not kept. */
static void give_back(void *ctx, void *block, size_t size) {
  (void)ctx;
  if((uint8_t *)block + size == host.memory + used) {
    used -= size;
  }
}

static int dma_alloc(void *ctx, size_t size, size_t align, uint32_t address_bits, struct net_dma *out) {
  (void)ctx;
  (void)address_bits;
  uint8_t *block = take(size, align > 4096 ? align : 4096);
  if(!block) {
    return NETDEV_E_NO_MEMORY;
  }
  *out = (struct net_dma){block, host.memory_physical + (uint64_t)(block - host.memory), size, NULL};
  return NETDEV_OK;
}

static void dma_free(void *ctx, struct net_dma *dma) {
  (void)ctx;
  (void)dma;
}

void *plain_map(void *ctx, uint64_t physical, uint64_t size) {
  (void)ctx;
  return host.map ? host.map(physical, size) : (void *)(uintptr_t)(physical + host.direct_map);
}

/* Registers ------------------------------------------------------------------------------------------------------ */

static volatile void *at(const struct plain_nic *nic, uint32_t bar, uint32_t offset) {
  return nic->registers[bar] + offset;
}

#define READ(type, name)                                                                                               \
  static type name(void *ctx, uint32_t bar, uint32_t offset) {                                                         \
    type value = *(volatile type *)at(ctx, bar, offset);                                                               \
    net_dma_rmb();                                                                                                     \
    return value;                                                                                                      \
  }
#define WRITE(type, name)                                                                                              \
  static void name(void *ctx, uint32_t bar, uint32_t offset, type value) {                                             \
    net_dma_wmb();                                                                                                     \
    *(volatile type *)at(ctx, bar, offset) = value;                                                                    \
  }
READ(uint32_t, read32)
READ(uint16_t, read16)
READ(uint8_t, read8)
WRITE(uint16_t, write16)
WRITE(uint8_t, write8)

/* Of an I/O BAR the core has but one use: a doubleword written, the 8254x' reset. */
static void write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  const struct plain_nic *nic = ctx;
  net_dma_wmb();
  if(nic->platform.bar[bar].kind == NET_BAR_IO) {
    out32((uint16_t)(nic->pci.bar[bar] + offset), value);
  } else {
    *(volatile uint32_t *)at(nic, bar, offset) = value;
  }
}

static void log_line(void *ctx, enum net_log_level level, const char *text, uint32_t value) {
  const struct plain_nic *nic = ctx;
  if(host.log && level <= NET_LOG_INFO) {
    host.log((uint32_t)nic->pci.bus << 8 | (uint32_t)nic->pci.device << 3 | nic->pci.function, text, value);
  }
}

void plain_platform(struct plain_nic *nic) {
  nic->platform = (struct net_platform){.version = NET_PLATFORM_VERSION,
                                        .size = sizeof(struct net_platform),
                                        .ctx = nic,
                                        .read32 = read32,
                                        .read16 = read16,
                                        .read8 = read8,
                                        .write32 = write32,
                                        .write16 = write16,
                                        .write8 = write8,
                                        .config_read = plain_config_read,
                                        .config_write = plain_config_write,
                                        .alloc = alloc,
                                        .free = give_back,
                                        .dma_alloc = dma_alloc,
                                        .dma_free = dma_free,
                                        .delay_us = delay_us,
                                        .now_us = plain_now_us,
                                        .log = log_line};
}
