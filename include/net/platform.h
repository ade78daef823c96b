/* platform.h - what the network core needs from whoever hosts it: firmware, a kernel, or a simulator. */
#ifndef NET_PLATFORM_H
#define NET_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

/*
 * One struct net_platform belongs to one network controller. The host fills it in, keeps it alive until the
 * device is destroyed, and the core never copies it: a test may wrap it to inject a fault or to record traffic.
 *
 * Unless a line below says otherwise, a function may be called from any context in which the host calls the core
 * (UEFI: TPL_CALLBACK or lower; kernel: thread or deferred interrupt work) and must not call back into the core.
 *
 * The core also relies on memcpy, memset, memmove and memcmp, which a C compiler may call on its own account in a
 * freestanding program too.
 */

#define NET_PLATFORM_VERSION 2U
#define NET_BAR_COUNT        6U

enum net_log_level {
  NET_LOG_ERROR, /* the operation failed                              */
  NET_LOG_WARN,  /* it went on, but somebody should know              */
  NET_LOG_INFO,  /* a step that matters happened                      */
  NET_LOG_DEBUG, /* every named step, with STATUS before it           */
};

/* Memory the processor and the device both see, coherently, for as long as it is allocated. */
struct net_dma {
  void *cpu;       /* where the processor reaches it                                     */
  uint64_t device; /* where the device reaches it; differs from cpu behind an IOMMU      */
  size_t size;     /* bytes, as asked for                                                */
  void *handle;    /* the host's own; the core only hands it back to dma_free            */
};

enum net_bar_kind {
  NET_BAR_NONE, /* not there, not decoded, or the upper half of the 64-bit BAR before it */
  NET_BAR_MEMORY,
  NET_BAR_IO,
};

struct net_bar {
  enum net_bar_kind kind;
  uint64_t size; /* bytes; 0 where the host cannot say */
};

struct net_platform {
  uint32_t version; /* NET_PLATFORM_VERSION                                                 */
  uint32_t size;    /* sizeof(struct net_platform) the host was compiled with               */
  void *ctx;        /* first argument of every function                                     */

  /* The controller's base address registers, by the number of the register in configuration space (0x10 + 4 * number):
   * what PCI capabilities count in too. UEFI's PciIo counts differently: a 64-bit BAR is one index there. */
  struct net_bar bar[NET_BAR_COUNT];

  /* One access of 8, 16 or 32 bits to BAR `bar` at `offset` (bytes, a multiple of the width): never split, never
   * merged, never reordered with another register access. Only for a BAR that is not NET_BAR_NONE, and inside its size.
   * What a register says is known before anything that follows is read from DMA memory. A device that has gone reads
   * all ones. Callable from an interrupt handler and at any TPL. A 64-bit register is two 32-bit accesses: a 32-bit
   * host has nothing else. */
  uint32_t (*read32)(void *ctx, uint32_t bar, uint32_t offset);
  uint16_t (*read16)(void *ctx, uint32_t bar, uint32_t offset);
  uint8_t (*read8)(void *ctx, uint32_t bar, uint32_t offset);

  /* As above, for writing. All the processor's earlier stores to DMA memory are visible to the device before the
   * write reaches it: this is what makes a tail-register write a doorbell. The write may be posted. */
  void (*write32)(void *ctx, uint32_t bar, uint32_t offset, uint32_t value);
  void (*write16)(void *ctx, uint32_t bar, uint32_t offset, uint16_t value);
  void (*write8)(void *ctx, uint32_t bar, uint32_t offset, uint8_t value);

  /* One access of `width` (1, 2 or 4) bytes to the controller's own configuration space at `offset` (a multiple of
   * `width`, below 256, or below 4096 where the host reaches that far). What cannot be read is all ones. Never called
   * from the datapath, from an interrupt handler, or while boot services end. */
  uint32_t (*config_read)(void *ctx, uint32_t offset, uint32_t width);
  void (*config_write)(void *ctx, uint32_t offset, uint32_t width, uint32_t value);

  /* Zeroed memory for the core's own records, or NULL. Called only while a device is created. */
  void *(*alloc)(void *ctx, size_t size);

  /* Gives it back. `memory` is never NULL; `size` is what was asked for. */
  void (*free)(void *ctx, void *memory, size_t size);

  /* Zeroed DMA memory of `size` bytes whose device address is a multiple of `align` (a power of two, at most 64 KiB)
   * and ends below 2 to the power of `address_bits` (32 to 64: net_model.dma_bits). 0, or a negative NETDEV_E_ code and
   * *out untouched. Called only while a device is created. */
  int (*dma_alloc)(void *ctx, size_t size, size_t align, uint32_t address_bits, struct net_dma *out);

  /* Gives it back; the device no longer reaches it. */
  void (*dma_free)(void *ctx, struct net_dma *dma);

  /* Waits at least `us` microseconds (1 to 100000). Never called from the datapath. */
  void (*delay_us)(void *ctx, uint32_t us);

  /* Microseconds of a clock that never goes back; its zero does not matter. */
  uint64_t (*now_us)(void *ctx);

  /* A message with the one value that explains it (a register, a count); no newline. May be NULL. */
  void (*log)(void *ctx, enum net_log_level level, const char *text, uint32_t value);
};

#endif
