/* sim.h - a simulated part of the e1000 family behind struct net_platform, with fault knobs and a watch on its
 * caller. */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/platform.h"

#define SIM_82544GC 0x100CU
#define SIM_82540EM 0x100EU
#define SIM_82545EM 0x100FU
#define SIM_82574L  0x10D3U

#define SIM_82546EB      0x1010U
#define SIM_82541EI      0x1013U
#define SIM_82541ER_LOM  0x1014U
#define SIM_82547EI      0x1019U
#define SIM_82546EB_QUAD 0x101DU
#define SIM_82571EB      0x105EU
#define SIM_82547GI      0x1075U
#define SIM_82541GI      0x1076U
#define SIM_82541ER      0x1078U
#define SIM_82546GB      0x1079U
#define SIM_82541PI      0x107CU
#define SIM_82572EI      0x107DU
#define SIM_82573V       0x108BU
#define SIM_82573E       0x108CU
#define SIM_82573L       0x109AU
#define SIM_82571PT      0x10D5U
#define SIM_82574LA      0x10F6U
#define SIM_82583V       0x150CU
#define SIM_82579LM      0x1502U
#define SIM_82579V       0x1503U

/* One of each kind of silicon, for tests that go through all of them; the first four are those that QEMU has. */
#define SIM_EVERY_CARD                                                                                                 \
  SIM_82540EM, SIM_82544GC, SIM_82545EM, SIM_82574L, SIM_82546EB, SIM_82546GB, SIM_82541EI, SIM_82541GI, SIM_82547EI,  \
      SIM_82547GI, SIM_82571EB, SIM_82572EI, SIM_82573L, SIM_82583V
#define SIM_EVERY_PART SIM_EVERY_CARD, SIM_82579LM

/* One of each way to be reset, read and shared, for tests that go through every single access. */
#define SIM_EVERY_WAY SIM_82540EM, SIM_82544GC, SIM_82545EM, SIM_82574L, SIM_82541EI, SIM_82571EB, SIM_82579LM

#define SIM_NVM_WORDS 64U

/* What is simulated, and what goes wrong. A zeroed struct with a device and an address is a healthy device as the
 * manual describes it, with its link up. Every knob may be turned while the simulation runs (sim_knobs). */
struct sim_config {
  uint16_t device_id;
  uint8_t mac[6];        /* in the NVM, and in RAL0/RAH0 after a reset                                    */
  bool qemu;             /* CTRL.RST keeps nearly everything; some counters survive reading; I/O BAR dead */
  bool reset_clears;     /* with qemu: CTRL.RST resets after all, as later versions do                    */
  bool no_io;            /* no I/O BAR                                                                    */
  bool pcix;             /* STATUS.PCIX_MODE                                                              */
  bool ral_empty;        /* a reset leaves RAL0/RAH0 zero                                                 */
  bool ral_without_av;   /* a reset loads RAL0/RAH0 but leaves AV clear                                   */
  bool bad_checksum;     /* read at sim_create                                                            */
  bool reset_never_ends; /* CTRL.RST stays set                                                            */
  bool auto_read_never;  /* 8257x: EECD.AUTO_RD stays clear                                               */
  bool master_never_off; /* PCIe: STATUS.GIO_MASTER_ENABLE stays set                                      */
  bool mdio_never_owned; /* EXTCNF_CTRL.MDIO_SW_OWNERSHIP, or SWSM.SWESMBI, stays clear                   */
  bool smbi_never_free;  /* 82571, 82572: the other port holds SWSM.SMBI for good                         */
  bool cfg_never_done;   /* 82571, 82572: EEMNGCTL.CFG_DONE stays clear                                   */
  bool flash_nvm;        /* 82573, 82574, 82583: the NVM is in the flash                                  */
  bool me_active;        /* 82579: the ME runs, and keeps the PHY to itself                               */
  bool me_holds_swflag;  /* 82579: somebody else holds EXTCNF_CTRL.SWFLAG for good                        */
  uint32_t tails_lost;   /* 82579: so many of the next tail writes get lost                               */
  uint32_t arbiter_busy; /* 82579: so many of the next reads of FWSM show that a tail write would         */
  bool lan_init_never;   /* 82579: STATUS.LAN_INIT_DONE stays clear                                       */
  bool second_bank;      /* 82579: the valid copy of the NVM is the second one; read at sim_create        */
  bool no_bank;          /* 82579: none is valid; read at sim_create                                      */
  bool unsummed;         /* 82579: the NVM says that its checksum was not made; read at sim_create        */
  bool no_descriptor;    /* 82579: the flash has no descriptor, and no cycle works                        */
  bool no_region;        /* 82579: the flash has no region for the NVM                                    */
  uint32_t flash_errors; /* 82579: so many of the next flash cycles end in an error                       */
  bool port_b;           /* 82546, 82571: this is the second port                                         */
  bool eerd_never_done;
  bool microwire_never_answers; /* 82544: nobody drives EECD.DO, which reads 1 then */
  bool mdic_never_ready;
  bool mdic_error;
  bool phy_powered_down; /* read at sim_create                                                            */
  bool link_down;
  bool tx_paused;             /* STATUS.TXOFF: a pause frame was received                                      */
  bool tx_held;               /* the transmitter stops: no descriptor is fetched or written back               */
  bool delayed;               /* transmission and DD write-back wait for sim_step                              */
  bool newest_first;          /* with delayed: each sim_step writes back one receive descriptor, the newest    */
  bool written_twice;         /* each receive descriptor is written back once more, two frames later           */
  bool gone;                  /* removed: reads give 0xFFFFFFFF, writes nothing, no DMA                        */
  bool gone_reads_zero;       /* removed from a bus that answers 0 instead                                     */
  uint64_t gone_at;           /* removed from this register access on, counted from 1 since sim_create; 0 never */
  uint64_t read_fails_at;     /* this access, if a read, gives 0xFFFFFFFF, once                               */
  uint32_t fail_alloc_at;     /* this call of alloc fails, counted from 1; 0 never                        */
  uint32_t fail_dma_alloc_at; /* the same for dma_alloc                                                   */
};

struct sim;

/* `config` is copied. Never fails (it aborts without memory). */
struct sim *sim_create(const struct sim_config *config);
void sim_destroy(struct sim *sim);

/* The 256 bytes of the device's configuration space, for a test to look at or to set. */
uint8_t *sim_config_space(struct sim *sim);

const struct net_platform *sim_platform(struct sim *sim);
struct sim_config *sim_knobs(struct sim *sim);

/* Leaves the device as a careless earlier owner would: rings running in memory that is not ours, filters and interrupt
 * mask set, promiscuous. */
void sim_leave_behind(struct sim *sim);

/* The other port of the part is reset, and takes along what it should not. */
void sim_other_port_resets(struct sim *sim);

/* For a host with DMA memory of its own, instead of dma_alloc: from now on the device reaches `size` bytes at `cpu`
 * under this address, until sim_unmap. */
void sim_map(struct sim *sim, void *cpu, uint64_t device, size_t size);
void sim_unmap(struct sim *sim, uint64_t device);

/* Time: only delay_us and this advance it. */
void sim_advance(struct sim *sim, uint64_t us);
uint64_t sim_now(const struct sim *sim);

/* Does what `delayed` or `tx_held` put off, as far as the knobs now allow. */
void sim_step(struct sim *sim);

/* The wire ------------------------------------------------------------------------------------------------------- */

enum sim_delivery {
  SIM_DELIVERED,
  SIM_FILTERED,  /* no filter wanted it              */
  SIM_NO_BUFFER, /* counted in MPC and RNBC          */
  SIM_DEAF,      /* receiver off, link down, or gone */
};

/* A frame (without FCS) arrives from the wire. */
enum sim_delivery sim_inject(struct sim *sim, const void *frame, size_t length);

/* A descriptor is written back with arbitrary content; `length` bytes (2048 at most) go to the buffer. No filter. */
enum sim_delivery sim_inject_raw(struct sim *sim, const void *frame, size_t length, uint8_t status, uint8_t errors,
                                 uint16_t descriptor_length);

/* Frames the device has sent, in order. */
size_t sim_frames(const struct sim *sim);
const uint8_t *sim_frame(const struct sim *sim, size_t index, size_t *length);
void sim_forget_frames(struct sim *sim);

/* The registers -------------------------------------------------------------------------------------------------- */

/* Past the counters and without side effects. */
uint32_t sim_peek(const struct sim *sim, uint32_t offset);
void sim_poke(struct sim *sim, uint32_t offset, uint32_t value);

uint16_t sim_phy(const struct sim *sim, uint32_t reg);
void sim_set_phy(struct sim *sim, uint32_t reg, uint16_t value);
uint16_t sim_nvm(const struct sim *sim, uint32_t word);
void sim_set_nvm(struct sim *sim, uint32_t word, uint16_t value); /* the checksum stays as it is */

/* Accesses since the last sim_forget_accesses. */
uint64_t sim_reads(const struct sim *sim);
uint64_t sim_writes(const struct sim *sim); /* including those by the I/O BAR */
uint64_t sim_io_writes(const struct sim *sim);
uint32_t sim_reads_of(const struct sim *sim, uint32_t offset);
uint32_t sim_writes_of(const struct sim *sim, uint32_t offset);
void sim_forget_accesses(struct sim *sim);

/* Accesses since sim_create: what gone_at counts. */
uint64_t sim_accesses(const struct sim *sim);

/* The writes in their order since the last sim_forget_accesses. */
struct sim_write {
  uint32_t offset;
  uint32_t value;
  bool io;
  uint64_t at_us;
};
size_t sim_write_log(const struct sim *sim, const struct sim_write **writes);

/* Interrupts ----------------------------------------------------------------------------------------------------- */

/* Whether the device interrupts now: a cause is set and unmasked; under MSI-X (CTRL_EXT.PBA_SUPPORT),
 * it has a vector. */
bool sim_interrupt(struct sim *sim);

/* How often it has begun to: the messages of MSI and MSI-X, of which a device may send no more than that. */
uint32_t sim_interrupts(struct sim *sim);

/* What went wrong ------------------------------------------------------------------------------------------------ */

/* Mistakes of the caller, and DMA to where nothing is allocated. */
uint32_t sim_violations(const struct sim *sim);
const char *sim_violation_text(const struct sim *sim); /* the first; "" when there is none */

/* Allocations and DMA allocations not given back. */
uint32_t sim_leaks(const struct sim *sim);

/* Calls so far, failed ones included. */
uint32_t sim_allocs(const struct sim *sim);
uint32_t sim_dma_allocs(const struct sim *sim);

/* How many messages of this level contained `text`. */
uint32_t sim_logged(const struct sim *sim, enum net_log_level level, const char *text);

#endif
