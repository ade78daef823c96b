/* stubs.h - a menios that is none: its functions as the glue calls them, in front of simulated NICs. */
#ifndef MENIOS_STUBS_H
#define MENIOS_STUBS_H

#include <kernel/ahci.h>
#include <kernel/irq.h>

#include "../../driver/kernel/menios/e1000_menios.h"
#include "../../driver/kernel/menios/menios_platform.h"
#include "virtio_sim.h"

#define STUB_NICS    2U
#define STUB_BUFFERS 32U
#define STUB_LINE    11U
#define STUB_IO_BASE 0xC000U
#define STUB_DIRECT_MAP                                                                                                \
  0xFFFF800000000000ULL /* of addresses that only look like it: what is read is mapped one to one */

/* One of two: `sim` or `virtio`. */
struct stub_nic {
  struct sim *sim;
  struct virtio_sim *virtio;
  uint32_t config[16];          /* configuration space; of virtio the BARs and interrupt line alone */
  uint64_t bar_size;            /* what BAR 0 of an e1000 says when it is asked                     */
  uint32_t commands;            /* how often the command register was written                       */
  uint32_t decoding_off;        /* how often memory space was switched off                          */
  uint32_t command_at_register; /* the command register when the handler was registered              */
  irq_handler_fn handler;       /* NULL: not registered                                              */
  void *handler_ctx;
};

struct stub_buffer {
  struct net_dma dma;
  uint32_t nic;
};

/* What the test sets up, and what it finds. */
struct stub {
  struct stub_nic nic[STUB_NICS];
  uint32_t nic_count;
  uint32_t now; /* the NIC that is being brought up */
  uint32_t kmallocs;
  uint32_t kmallocs_live;
  uint32_t fail_kmalloc_at;
  uint32_t dma_allocs;
  uint32_t fail_dma_at;
  struct stub_buffer buffer[STUB_BUFFERS];
  uint64_t now_ns;
  uint64_t tsc_hz;
  uint64_t direct_map_end; /* nothing from here on is mapped yet */
  uint32_t pages_mapped;
  bool map_fails;
  int irq_result;
  ahci_controller_t *ahci;
  bool locked;
  char log[16384];
  uint32_t log_length;
};
extern struct stub stub;

/* A machine without a NIC. */
void stub_begin(void);

/* Puts a NIC on the bus, with its I/O BAR, its interrupt line, and decoding off. */
struct stub_nic *stub_add_nic(uint16_t device_id);

/* The same for a virtio-net device, as `config` says. */
struct stub_nic *stub_add_virtio(const struct virtio_sim_config *config);

/* The simulator behind a NIC, as a platform. */
const struct net_platform *stub_platform(const struct stub_nic *nic);

/* The command register. */
uint32_t stub_command(const struct stub_nic *nic);

/* Limine's part: finds the driver's request in the image and answers it; 0 for a machine without EFI. */
void stub_answer_limine(uintptr_t efi_system_table);

/* The NIC raises `causes` (a virtio-net device has its own, and raises none); true when its handler was called and took
 * the interrupt for its own. */
bool stub_interrupt(struct stub_nic *nic, uint32_t causes);

/* The driver is shut down: nothing is left allocated, nothing locked, no simulator has a complaint. */
void stub_end(void);

/* menios_platform_init behind the wrapper that puts the simulator's registers in. */
void __real_menios_platform_init(struct menios_nic *nic);

#endif
