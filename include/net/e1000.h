/* e1000.h - Intel 8254x and 82574L gigabit controllers behind struct netdev. */
#ifndef NET_E1000_H
#define NET_E1000_H

#include "net/handoff.h"
#include "net/netdevice.h"

#define E1000_VENDOR_ID     0x8086U
#define E1000_BAR0_MIN_SIZE 0x20000U /* bytes; every part of the family decodes 128 KiB (8254x SDM 4.1) */
#define E1000_RING_MIN      8U       /* descriptors; RDLEN and TDLEN count in 128-byte units            */
#define E1000_RING_MAX      4096U
#define E1000_RING_DEFAULT  256U

/* What was found on the bus, and how large the rings should be. */
struct e1000_config {
  uint16_t vendor_id;
  uint16_t device_id;
  uint8_t revision_id;
  uint32_t tx_descriptors; /* a power of two, E1000_RING_MIN to E1000_RING_MAX; 0 = E1000_RING_DEFAULT */
  uint32_t rx_descriptors; /* the same                                                                 */
};

/* Size of the driver's private structure, for hosts that share devices between separately built images. */
extern const size_t e1000_struct_size;

/* The marketing name ("82574L") of a device this driver knows, or NULL. Touches nothing. */
const char *e1000_model_name(uint16_t vendor_id, uint16_t device_id);

/* Whether this device may be given DMA addresses above 4 GiB. The 8254x drive 64-bit addresses, but on a conventional
 * PCI bus some of them hang on transmit when they get one. */
bool e1000_dma_64bit(uint16_t vendor_id, uint16_t device_id);

/* Makes a device: allocates rings and buffers, resets the controller and leaves it quiet, reads its addresses. On
 * success *out is closed and not registered, and belongs to the caller until e1000_destroy. `platform` must outlive
 * it; `config` need not. NETDEV_E_UNSUPPORTED for an unknown device, NETDEV_E_INVALID for a ring size,
 * NETDEV_E_NO_MEMORY, NETDEV_E_TIMEOUT, NETDEV_E_GONE, NETDEV_E_NO_ADDRESS; then nothing is left allocated. */
int e1000_create(const struct net_platform *platform, const struct e1000_config *config, struct netdev **out);

/*
 * Continues a controller that firmware left running, or quiet with its rings programmed, from the very descriptor where
 * the firmware stopped: no reset, no frame lost. `nic` is an entry that net_handoff_validate let through, in state
 * QUIET or LIVE; `map` gives the processor's address of `size` bytes at a physical one (NULL: cannot), callable only in
 * here. The device's registers are compared with the entry before anything is written (HANDOFF.md, checks 6, 7), except
 * that interrupts are masked. On success *out is open, not registered, and has no client:
 * netdev_set_client before the first poll. Otherwise the controller is as it was found, but for the mask: reset it by
 * e1000_create. NETDEV_E_UNSUPPORTED for an unknown device or state, NETDEV_E_STATE when a register disagrees (logged
 * with its value), NETDEV_E_GONE, NETDEV_E_NO_MEMORY, NETDEV_E_INVALID.
 */
int e1000_adopt(const struct net_platform *platform, const struct net_handoff_nic *nic,
                void *(*map)(void *ctx, uint64_t physical, uint64_t size), struct netdev **out);

/* Unregisters, closes and frees. A ring that was adopted is not freed: its memory is the host's to keep or reuse. The
 * controller is quiet and owns its permanent address again. NULL is harmless. */
void e1000_destroy(struct netdev *dev);

/* Stops receiver, transmitter and interrupts with a handful of register accesses and nothing else: no wait, no memory,
 * no callback. For the moment when an operating system takes over, from any context, also an ExitBootServices callback.
 * The device is not closed: no other call may follow but e1000_quiesce itself. */
void e1000_quiesce(struct netdev *dev);

/* Interrupts (kernels only: UEFI has none) ----------------------------------------------------------------------- */

enum e1000_irq_mode {
  E1000_IRQ_INTX,
  E1000_IRQ_MSI,
  E1000_IRQ_MSIX, /* 82574L: every cause on vector 0 */
};

/* Fewer interrupts a second than this cannot be asked for: ITR has 16 bits of 256 ns (SDM 13.4.18). */
#define E1000_IRQ_RATE_MIN 60U

/* Sets the mode and the moderation (at most `max_per_second` interrupts, E1000_IRQ_RATE_MIN or more; 0 = unlimited),
 * unmasks, and raises one interrupt, so that frames which wait already are seen. In force until the device is closed,
 * also after a reset that ended a transmit hang. The interrupt controller and PCI capability are the caller's, and must
 * be ready. NETDEV_E_UNSUPPORTED for MSI-X on a part without it, NETDEV_E_INVALID for a rate that the device cannot
 * keep to, NETDEV_E_STATE unless open. */
int e1000_irq_enable(struct netdev *dev, enum e1000_irq_mode mode, uint32_t max_per_second);

/* From the interrupt handler: true when the interrupt is this device's; further ones are then masked until
 * e1000_irq_rearm, and there is something to poll for. One read; one write more when it is ours. Touches nothing but
 * registers, and may interrupt any other call on the device on the same processor: with several, hold what serialises
 * calls. While all is masked, an 8254x claims an interrupt of somebody else's if a frame came meanwhile. */
bool e1000_irq_handle(struct netdev *dev);

/* After the work is done (netdev_poll returned less than its budget): unmasks, then looks once more. True when
 * something came in meanwhile: poll and rearm again, for it may not interrupt. False: the next one interrupts. A handler
 * that must leave frames over does not rearm, and polls again from its work queue, timer or idle loop. One write;
 * nothing, and false, on a device that is not open, or whose interrupts are not enabled. */
bool e1000_irq_rearm(struct netdev *dev);

/* Masks, until e1000_irq_enable. e1000_irq_handle then answers false and touches nothing. */
void e1000_irq_disable(struct netdev *dev);

/* NVM ------------------------------------------------------------------------------------------------------------ */

#define E1000_NVM_WORDS        64U     /* the part every adapter has                         */
#define E1000_NVM_CHECKSUM_SUM 0xBABAU /* what words 0x00 to 0x3F add up to (SDM 5.6.35)     */

/* Reads one 16-bit word (0 to E1000_NVM_WORDS - 1) of the NVM. NETDEV_E_NVM when it does not answer. */
int e1000_nvm_read(struct netdev *dev, uint16_t word, uint16_t *value);

/* The sum of the words 0x00 to 0x3F: E1000_NVM_CHECKSUM_SUM when the NVM is intact. */
int e1000_nvm_checksum(struct netdev *dev, uint16_t *sum);

/* Registers ------------------------------------------------------------------------------------------------------ */

enum e1000_access {
  E1000_RW, /* read and write, reading has no side effect */
  E1000_RO, /* read only                                  */
  E1000_WO, /* write only: reading means nothing          */
  E1000_RC, /* reading clears it                          */
  E1000_RS, /* reading takes a semaphore: never dump it   */
};

/* One row of the register table: the dump, the statistics, the self-test and the simulator come from it. */
struct e1000_register {
  const char *name;
  uint32_t offset; /* bytes from BAR 0                      */
  uint16_t count;  /* registers in the array; 1 for a plain one */
  uint16_t stride; /* bytes from one to the next            */
  enum e1000_access access;
  uint8_t families; /* E1000_FAMILY_ flags that have it      */
  const char *section;
  const char *text;
};

#define E1000_FAMILY_8254X 1U
#define E1000_FAMILY_82574 2U

extern const struct e1000_register e1000_registers[];
extern const size_t e1000_register_count;

/* Whether this device has the register. */
bool e1000_has_register(const struct netdev *dev, const struct e1000_register *reg);

/* Whether the row is a statistics register, which e1000_counter sums up. */
bool e1000_is_counter(const struct e1000_register *reg);

/* Reads a register by its row; `index` selects in an array. Reading an E1000_RC row loses its count for the statistics:
 * use e1000_counter for those. */
uint32_t e1000_register_read(struct netdev *dev, const struct e1000_register *reg, uint32_t index);

/* The sum of a statistics register since the device was created, as of the last netdev_get_stats. The low half's row
 * carries the sum of a 64-bit pair; the high half's row is always 0. */
uint64_t e1000_counter(const struct netdev *dev, const struct e1000_register *reg);

/* Self-test ------------------------------------------------------------------------------------------------------ */

struct e1000_selftest {
  /* Told about each check; may be NULL. `value` explains a failure: a register, a count, a length. */
  void (*report)(void *ctx, const char *name, bool passed, uint32_t value);
  void *ctx;
  uint32_t run;    /* out: checks made   */
  uint32_t failed; /* out: of those      */
};

/* Checks registers, NVM, PHY and link, which a running device does not notice; with `loopback` also sends frames to
 * itself, for which an open device is closed and opened again: what it was sending comes back through tx_done, what it
 * receives meanwhile is lost. Takes up to 4 s then. The verdict is in test->failed; the result says only whether the
 * device is in the state it was in: NETDEV_OK, or what netdev_open returned. */
int e1000_selftest(struct netdev *dev, bool loopback, struct e1000_selftest *test);

/* PHY ------------------------------------------------------------------------------------------------------------ */

/* Reads an IEEE 802.3 register (0 to 31) of the PHY over MDIC. NETDEV_E_TIMEOUT when it does not answer. */
int e1000_phy_read(struct netdev *dev, uint32_t reg, uint16_t *value);

#endif
