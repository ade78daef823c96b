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

#define NET_PLATFORM_VERSION 1U

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

struct net_platform {
  uint32_t version; /* NET_PLATFORM_VERSION                                                 */
  uint32_t size;    /* sizeof(struct net_platform) the host was compiled with               */
  void *ctx;        /* first argument of every function                                     */

  /* One 32-bit access to BAR 0 at `offset` (bytes, multiple of 4): never split, never merged, never reordered
   * with another register access. A device that has gone reads 0xFFFFFFFF. Callable from an interrupt handler and
   * at any TPL. */
  uint32_t (*mmio_read32)(void *ctx, uint32_t offset);

  /* As above, for writing. All the processor's earlier stores to DMA memory are visible to the device before the
   * write reaches it: this is what makes a tail-register write a doorbell. The write may be posted. */
  void (*mmio_write32)(void *ctx, uint32_t offset, uint32_t value);

  /* One 32-bit write through the I/O BAR's IOADDR/IODATA pair (8254x SDM 13.2.2.1), or NULL where there is none.
   * Used for nothing but the reset of the parts that cannot acknowledge it over memory space. */
  void (*io_write32)(void *ctx, uint32_t offset, uint32_t value);

  /* Zeroed memory for the core's own records, or NULL. Called only while a device is created. */
  void *(*alloc)(void *ctx, size_t size);

  /* Gives it back. `memory` is never NULL; `size` is what was asked for. */
  void (*free)(void *ctx, void *memory, size_t size);

  /* Zeroed DMA memory of `size` bytes whose device address is a multiple of `align` (a power of two, at most 64 KiB),
   * below 4 GiB unless e1000_dma_64bit says that it need not be. 0, or a negative NETDEV_E_ code and *out untouched.
   * Called only while a device is created. */
  int (*dma_alloc)(void *ctx, size_t size, size_t align, struct net_dma *out);

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
