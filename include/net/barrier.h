/* barrier.h - ordering of the processor's accesses to memory that a device reads and writes. */
#ifndef NET_BARRIER_H
#define NET_BARRIER_H

/*
 * Memory here is what net_platform.dma_alloc gives: coherent, cached on x86, cached or not on AArch64. Ordering against
 * a register access is the platform's (net_platform.write32 orders earlier stores before itself).
 *
 * net_dma_rmb  what is read before it is read before what follows: a done bit or used index, then the data.
 * net_dma_wmb  what is written before it is seen before what follows: a descriptor, then the index that publishes it.
 * net_dma_mb   everything before it, then everything after it, also a store before a later load: an index is published,
 *              then a suppression flag is looked at (VIRTIO 1.2, 2.7.13.4.1).
 *
 * x86 orders loads with loads and stores with stores (Intel SDM 3A, 9.2.2), so the compiler is all that has to be held
 * back there; a store before a load it does not order. AArch64 orders none of them. The domain is "outer shareable": a
 * device is outside the processors' inner one.
 */
#if defined(__x86_64__)
#define net_dma_rmb() __asm__ volatile("" ::: "memory")
#define net_dma_wmb() __asm__ volatile("" ::: "memory")
#define net_dma_mb()  __asm__ volatile("mfence" ::: "memory")
#elif defined(__i386__)
#define net_dma_rmb() __asm__ volatile("" ::: "memory")
#define net_dma_wmb() __asm__ volatile("" ::: "memory")
#define net_dma_mb()  __asm__ volatile("lock; addl $0, 0(%%esp)" ::: "memory", "cc") /* mfence needs SSE2 */
#elif defined(__aarch64__)
#define net_dma_rmb() __asm__ volatile("dmb oshld" ::: "memory")
#define net_dma_wmb() __asm__ volatile("dmb oshst" ::: "memory")
#define net_dma_mb()  __asm__ volatile("dmb osh" ::: "memory")
#else
#error "net/barrier.h: this processor's barriers are not known"
#endif

#endif
