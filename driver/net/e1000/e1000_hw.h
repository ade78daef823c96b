/* e1000_hw.h - the device itself: access, reset, NVM, PHY, filters and counters. Private to driver/net. */
#ifndef E1000_HW_H
#define E1000_HW_H

#include "e1000_parts.h"
#include "e1000_ring.h"
#include "../net_pci.h"
#include "net/driver.h"

struct e1000 {
  struct netdev netdev; /* first: a struct netdev of ours is a struct e1000 */
  const struct net_platform *platform;
  const struct e1000_model *model;
  uint8_t revision_id;
  struct net_pci_aspm aspm; /* to be put back when the device is destroyed                        */
  uint32_t rx_seen;         /* length of the frame that netdev_peek showed; 0: none, or it is released */
  bool rx_partial;          /* inside a frame that is being skipped                               */
  bool tx_end_dword;        /* E1000_QUIRK_TX_PCIX_END applies: the bus runs in PCI-X mode         */
  bool irq_enabled;         /* a handler may touch the device; false only while IMS is zero       */
  bool tails_get_lost;      /* the ME is active: see e1000_me.c                                   */
  bool fresh;               /* reset, and not started since                                      */
  bool rx_doorbell_posted;  /* a tail write may still sit in a write buffer (see e1000_tick)       */
  enum netdev_irq_mode irq_mode;
  bool blinking;                 /* LEDCTL is ours: see e1000_identify                                 */
  uint32_t ledctl;               /* what it was before                                                  */
  uint32_t irq_interval;         /* ITR, in units of E1000_ITR_INTERVAL_NS                             */
  uint32_t tctl;                 /* what TCTL holds while the transmitter runs                         */
  uint32_t rctl;                 /* what RCTL holds, so that it is written only when it changes         */
  uint32_t mta[E1000_MTA_COUNT]; /* what MTA holds                                                      */
  struct e1000_ring tx;
  struct e1000_ring rx;
  uint64_t phy_ready_us; /* when the PHY's setup is over; 0: it is (see e1000_phy_setup_begins)         */
  uint64_t link_read_us; /* when STATUS was last read by the tick                                      */
  uint64_t stuck_us;     /* when the oldest frame in flight was first seen by the tick                  */
  uint32_t stuck_head;   /* which one that was                                                          */
  bool stuck_watch;      /* the two above mean something                                                */
  uint64_t counter[E1000_STATS_COUNT];
  uint32_t sticky[E1000_STATS_COUNT]; /* last value of a counter that does not clear when read        */
  bool clears[E1000_STATS_COUNT];     /* this one was seen to clear                                    */
};

static inline bool e1000_has_quirk(const struct e1000 *nic, uint32_t quirk) {
  return (nic->model->part->quirks & quirk) != 0;
}

/* Registers ------------------------------------------------------------------------------------------------------ */

#define E1000_REGISTER_BAR 0U /* memory, 128 KiB (SDM 4.1) */

static inline uint32_t e1000_read(const struct e1000 *nic, uint32_t offset) {
  return nic->platform->read32(nic->platform->ctx, E1000_REGISTER_BAR, offset);
}

static inline void e1000_write(const struct e1000 *nic, uint32_t offset, uint32_t value) {
  nic->platform->write32(nic->platform->ctx, E1000_REGISTER_BAR, offset, value);
}

/* Makes sure the writes so far have reached the device: a read cannot overtake them. */
static inline void e1000_write_flush(const struct e1000 *nic) {
  (void)e1000_read(nic, E1000_STATUS);
}

void e1000_log(const struct e1000 *nic, enum net_log_level level, const char *text, uint32_t value);

/* Clears and sets bits of a register. One that reads all ones is not written back: the device has gone, or the read was
 * lost, and ones would set what is reserved. NETDEV_E_GONE then. */
int e1000_modify(const struct e1000 *nic, uint32_t offset, uint32_t clear, uint32_t set);

/* Reads `offset` every `step_us` until `mask` reads `want`. NETDEV_E_TIMEOUT after `timeout_us`, logged as `what` with
 * the value last seen; NETDEV_E_GONE when it reads all ones. */
int e1000_wait(const struct e1000 *nic, const char *what, uint32_t offset, uint32_t mask, uint32_t want,
               uint32_t step_us, uint32_t timeout_us);

/* Whether `status`, just read from STATUS of a device that was started, says that it has gone: all ones, which PCI
 * answers where no device is, or zero while the station address is zero too, which some bridges and QEMU answer. */
bool e1000_is_gone(const struct e1000 *nic, uint32_t status);

/* Tells management firmware whether a driver is in charge (DRV_LOAD, PCIe parts). NETDEV_E_GONE, with nothing written,
 * when the device does not answer. */
int e1000_set_in_charge(const struct e1000 *nic, bool in_charge);

/* Receiver, transmitter and interrupts off by register accesses alone. What is left when a reset fails, and all that
 * may be done inside ExitBootServices. */
void e1000_silence(struct e1000 *nic);

/* Reset and start ------------------------------------------------------------------------------------------------ */

/* Resets the controller and clears by hand what a reset may leave behind. Afterwards it is quiet: no DMA, no
 * interrupt, and `fresh`. NETDEV_E_TIMEOUT, NETDEV_E_GONE. */
int e1000_reset(struct e1000 *nic);

/* Switches receiver and transmitter off and waits for what is under way: a part of every reset, which the counters are
 * read behind where they go on, since the reset clears them. A part whose receiver must run until its reset (KEEP_RCTL)
 * may still receive and count. NETDEV_E_GONE. */
int e1000_stop_rings(struct e1000 *nic);

/* Whether receiver or transmitter is switched on; also of a device that reads all ones. */
bool e1000_runs(const struct e1000 *nic);

/* The PCI function: awake, its link too where the part needs that, and its reads no longer than it can take. Before
 * any register is touched. NETDEV_E_TIMEOUT when it stays asleep. */
int e1000_prepare_function(struct e1000 *nic);

/* Learns from STATUS what depends on the bus, and from FWSM what depends on the ME: tx_end_dword, tails_get_lost. */
void e1000_note_bus(struct e1000 *nic, uint32_t status);

/* Programs address, filters, rings and control registers of a reset controller, and starts it. */
int e1000_start(struct e1000 *nic);

/* The same by register and memory writes alone: no wait, nothing that can fail. For ExitBootServices. */
void e1000_start_by_registers(struct e1000 *nic);

/* Gives all prepared descriptors of a ring to the device: one tail write, none when there are none. */
void e1000_tx_doorbell(struct e1000 *nic);
void e1000_rx_doorbell(struct e1000 *nic);

/* Addresses and filters ------------------------------------------------------------------------------------------ */

/* Reads the permanent address: from RAL0/RAH0, else from the NVM. NETDEV_E_NO_ADDRESS. */
int e1000_read_address(struct e1000 *nic, uint8_t mac[NETDEV_MAC_LENGTH]);

/* The address in a RAL/RAH pair. */
void e1000_decode_address(uint32_t low, uint32_t high, uint8_t mac[NETDEV_MAC_LENGTH]);

/* Writes RAL0/RAH0. On a part whose other port may load them again, an address that is not its permanent one goes into
 * the last pair of ours too. */
void e1000_write_address(struct e1000 *nic, const uint8_t mac[NETDEV_MAC_LENGTH]);

/* Writes a word of a table of 32-bit words (MTA, VFTA). `before` is what the word before it holds. */
void e1000_write_table(const struct e1000 *nic, uint32_t table, uint32_t index, uint32_t value, uint32_t before);

/* Brings MTA and RCTL in line with netdev.filter, writing only what changes. */
void e1000_apply_filter(struct e1000 *nic);

/* Which bit of the multicast table an address falls on: bits 47:36 (RCTL.MO 00b), SDM 13.5.1. 0 to 4095. */
uint32_t e1000_multicast_hash(const uint8_t mac[NETDEV_MAC_LENGTH]);

/* Link and PHY --------------------------------------------------------------------------------------------------- */

struct netdev_link e1000_decode_link(uint32_t status);

/* Takes what the part shares with management firmware, or with its other port, and gives it back. NETDEV_E_TIMEOUT when
 * it is not to be had, NETDEV_E_GONE. Thread. */
int e1000_acquire(const struct e1000 *nic, enum e1000_lock lock);
void e1000_release(const struct e1000 *nic, enum e1000_lock lock);

/* Writes an IEEE 802.3 register (0 to 31) of the PHY. NETDEV_E_TIMEOUT, NETDEV_E_GONE. */
int e1000_phy_write(struct e1000 *nic, uint32_t reg, uint16_t value);

/* A PCIe part sets its PHY up from the NVM when it has been reset, and until that is over neither may be accessed
 * (82574 4.6.2). Nobody waits for it but the first access, for what is left of the time; most often that is nothing. */
void e1000_phy_setup_begins(struct e1000 *nic);

/* Wakes a PHY that was left powered down or isolated; a link that is up, or negotiating, is left alone, and so is a PHY
 * that is the management engine's. One that has a link is not powered down: it is not waited for while its setup goes
 * on. */
void e1000_wake_phy(struct e1000 *nic);

/* Whether the NVM says of itself that it has no checksum, which is no fault then. */
bool e1000_nvm_is_unsummed(struct e1000 *nic);

/* e1000_flash.c: as e1000_nvm_read, of the chipset's flash. NETDEV_E_NVM, NETDEV_E_GONE. */
int e1000_flash_read(const struct e1000 *nic, uint16_t word, uint16_t *value);

/* e1000_me.c, beside the management engine (ME) of a PCH; on other parts the answers are yes and no. Whether we may
 * write the PHY; the end of a reset; whether a tail write may be lost, and one that is looked after. */
bool e1000_phy_is_ours(const struct e1000 *nic);
int e1000_wait_for_lan(struct e1000 *nic);
bool e1000_tails_get_lost(const struct e1000 *nic);
void e1000_write_tail_beside_me(const struct e1000 *nic, uint32_t offset, uint32_t value);

/* Counters ------------------------------------------------------------------------------------------------------- */

/* Adds what the device counted since the last call to nic->counter; nothing when the device has gone. */
void e1000_add_counters(struct e1000 *nic);

/* After a reset: counters that do not clear when read may have been cleared by it, or not. */
void e1000_resync_counters(struct e1000 *nic);

/* The sum so far of the statistics register at `offset`; of a pair, give the low half's. */
static inline uint64_t e1000_count(const struct e1000 *nic, uint32_t offset) {
  return nic->counter[(offset - E1000_STATS_FIRST) / 4U];
}

/* A frame that is sent, or comes back with `status`: counted, and told to whoever queued it. */
void e1000_frame_done(struct e1000 *nic, const struct e1000_slot *slot, int status);

/* Operations by file ---------------------------------------------------------------------------------------------- */

/* e1000_data.c: as struct netdev_ops has them. */
int e1000_data_transmit(struct netdev *dev, const void *frame, uint32_t length, void *cookie);
void e1000_data_flush(struct netdev *dev);
uint32_t e1000_data_complete(struct netdev *dev);
int e1000_data_peek(struct netdev *dev, struct netdev_frame *frame);
void e1000_data_release(struct netdev *dev);
uint32_t e1000_data_news(const struct netdev *dev);

/* e1000_irq.c, e1000_selftest.c, e1000_inspect.c: as the netdev_ calls of these names. */
int e1000_irq_enable(struct netdev *dev, enum netdev_irq_mode mode, uint32_t max_per_second);
bool e1000_irq_handle(struct netdev *dev);
bool e1000_irq_rearm(struct netdev *dev);
void e1000_irq_disable(struct netdev *dev);
int e1000_selftest(struct netdev *dev, bool loopback, struct netdev_selftest *test);
int e1000_inspect(struct netdev *dev, uint32_t groups, netdev_visitor visitor, void *ctx);

/* As netdev_identify. */
int e1000_identify(struct netdev *dev, bool on);

int e1000_nvm_word(struct netdev *dev, uint32_t word, uint16_t *value);
/* e1000_adopt.c: takes over what the entry says of a device that is netdev_init'ed, once the registers agree. Rings
 * that it made are the caller's to destroy, also after a failure. As net_driver.adopt. */
int e1000_adopt_device(struct e1000 *nic, const struct net_handoff_nic *entry, const struct net_handoff_e1000 *from,
                       net_map map);

/* e1000_handoff.c */
void e1000_handoff_export(struct netdev *dev, struct net_handoff_nic *nic, void *block);
bool e1000_handoff_leave(struct netdev *dev, bool live, struct net_handoff_nic *nic, void *block);

/* net_driver.handoff_judge and handoff_show. */
const char *e1000_handoff_judge(const struct net_handoff_nic *nic, const void *block, struct net_handoff_span *spans,
                                uint32_t *count);
void e1000_handoff_show(const void *block, netdev_visitor visitor, void *ctx);

/* Interrupts ----------------------------------------------------------------------------------------------------- */

/* Programs and unmasks interrupts as e1000_irq_enable asked for them. */
void e1000_irq_program(struct e1000 *nic);

/* Masks them, and keeps handlers off the device from then on: before anything that they must not disturb. */
void e1000_irq_stop(struct e1000 *nic);

#endif
