/* sim_internal.h - the simulated device from the inside: its own register numbers and state. Private to tests/sim. */
#ifndef SIM_INTERNAL_H
#define SIM_INTERNAL_H

#include "net/e1000.h"
#include "sim.h"
#include "sim_host.h"
#include "sim_parts.h"

/* Registers, transcribed from chapter 13 of the 8254x manual and not from the driver: a wrong row of its table shows as
 * a disagreement. The table itself (sim->row) only says what may be read and written where. */
#define R_CTRL        0x00000U
#define R_CTRL_DUP    0x00004U
#define R_STATUS      0x00008U
#define R_EECD        0x00010U
#define R_EERD        0x00014U
#define R_CTRL_EXT    0x00018U
#define R_MDIC        0x00020U
#define R_FCAH        0x0002CU
#define R_FCT         0x00030U
#define R_ICR         0x000C0U
#define R_ITR         0x000C4U
#define R_ICS         0x000C8U
#define R_IMS         0x000D0U
#define R_IMC         0x000D8U
#define R_IVAR        0x000E4U
#define R_EITR        0x000E8U
#define R_RCTL        0x00100U
#define R_FCTTV       0x00170U
#define R_TCTL        0x00400U
#define R_TIPG        0x00410U
#define R_EXTCNF_CTRL 0x00F00U
#define R_PBA         0x01000U
#define R_EEMNGCTL    0x01010U
#define R_RDBAL       0x02800U
#define R_RDBAH       0x02804U
#define R_RDLEN       0x02808U
#define R_RDH         0x02810U
#define R_RDT         0x02818U
#define R_RDTR        0x02820U
#define R_RADV        0x0282CU
#define R_TDBAL       0x03800U
#define R_TDBAH       0x03804U
#define R_TDLEN       0x03808U
#define R_TDH         0x03810U
#define R_TDT         0x03818U
#define R_TIDV        0x03820U
#define R_TXDCTL      0x03828U
#define R_TADV        0x0382CU
#define R_TARC0       0x03840U
#define R_TARC1       0x03940U
#define R_CRCERRS     0x04000U
#define R_MPC         0x04010U
#define R_PRC64       0x0405CU
#define R_GPRC        0x04074U
#define R_BPRC        0x04078U
#define R_MPRC        0x0407CU
#define R_GPTC        0x04080U
#define R_GORCL       0x04088U
#define R_GOTCL       0x04090U
#define R_RNBC        0x040A0U
#define R_TORL        0x040C0U
#define R_TOTL        0x040C8U
#define R_TPR         0x040D0U
#define R_TPT         0x040D4U
#define R_PTC64       0x040D8U
#define R_MPTC        0x040F0U
#define R_BPTC        0x040F4U
#define R_STATS_END   0x04128U
#define R_RXCSUM      0x05000U
#define R_MTA         0x05200U
#define R_RAL         0x05400U
#define R_RAH         0x05404U
#define R_VFTA        0x05600U
#define R_WUC         0x05800U
#define R_WUFC        0x05808U
#define R_MANC        0x05820U
#define R_SWSM        0x05B50U
#define R_FWSM        0x05B54U

#define CTRL_GIO_MASTER_DISABLE  0x00000004U
#define CTRL_SLU                 0x00000040U
#define CTRL_PHY_RST             0x80000000U
#define CTRL_RST                 0x04000000U
#define STATUS_FD                0x00000001U
#define STATUS_LU                0x00000002U
#define STATUS_PORT_B            0x00000004U
#define STATUS_TXOFF             0x00000010U
#define STATUS_1000              0x00000080U
#define STATUS_LAN_INIT_DONE     0x00000200U
#define STATUS_PCIX              0x00002000U
#define STATUS_GIO_MASTER_ENABLE 0x00080000U
#define EECD_SK                  0x00000001U
#define EECD_CS                  0x00000002U
#define EECD_DI                  0x00000004U
#define EECD_DO                  0x00000008U
#define EECD_REQ_GNT             0x000000C0U
#define EECD_PRES                0x00000100U
#define EECD_SIZE_OR_AUTO_RD     0x00000200U
#define EECD_FLASH               0x00018000U
#define EECD_AUPDEN              0x00100000U
#define CTRL_EXT_EE_RST          0x00002000U
#define EXTCNF_MDIO_SW_OWNERSHIP 0x00000020U
#define EEMNGCTL_CFG_DONE        0x00040000U
#define FWSM_RSPCIPHY            0x00000040U
#define FWSM_VALID               0x00008000U
#define FWSM_ARBITER             0x01000000U
#define SWSM_SMBI                0x00000001U
#define SWSM_SWESMBI             0x00000002U
#define RCTL_EN                  0x00000002U
#define RCTL_UPE                 0x00000008U
#define RCTL_MPE                 0x00000010U
#define RCTL_LBM_MAC             0x00000040U
#define RCTL_BAM                 0x00008000U
#define RCTL_BSIZE               0x00030000U
#define RCTL_BSEX                0x02000000U
#define RCTL_SECRC               0x04000000U
#define TCTL_EN                  0x00000002U
#define TCTL_CT                  0x00000FF0U
#define TCTL_COLD                0x003FF000U
#define TCTL_MULR                0x10000000U
#define TARC1_28                 0x10000000U
#define RAH_AV                   0x80000000U
#define MDIC_READY               0x10000000U
#define MDIC_ERROR               0x40000000U
#define CAUSE_TXDW               0x00000001U
#define CAUSE_TXQE               0x00000002U
#define CAUSE_LSC                0x00000004U
#define CAUSE_RXDMT0             0x00000010U
#define CAUSE_RXO                0x00000040U
#define CAUSE_RXT0               0x00000080U
#define CAUSE_RXQ0               0x00100000U /* this and below: 82574 */
#define CAUSE_TXQ0               0x00400000U
#define CAUSE_OTHER              0x01000000U
#define CAUSE_INT_ASSERTED       0x80000000U

#define PHY_CONTROL   0U
#define PHY_POWERDOWN 0x0800U
#define PHY_LOOPBACK  0x4000U

#define SIM_SPACE             0x20000U
#define SIM_IO_SPACE          0x20U
#define SIM_CONFIG_SPACE      256U
#define IOADDR                0U /* in the I/O BAR, SDM 13.2.2.1 */
#define IODATA                4U
#define SIM_REGISTERS         (SIM_SPACE / 4U)
#define SIM_BUFFER            2048U
#define SIM_RING_MAX          4096U
#define SIM_FRAME_MAX         16384U
#define SIM_RECEIVE_ADDRESSES 16U

/* The serial EEPROM behind EECD: what has been clocked in since chip select. */
struct sim_microwire {
  uint32_t clocks; /* rising edges from the start bit on */
  uint32_t shifted;
  uint16_t word;
  bool out;
};

/* The flash behind a PCH: registers of BAR 1. */
struct sim_flash {
  uint16_t status;
  uint16_t control;
  uint32_t address;
  uint32_t data;
};

struct sim {
  struct sim_host host;
  struct sim_config config;
  const struct sim_part *part;
  struct net_platform platform;
  uint64_t reset_us; /* when CTRL.RST was last set; UINT64_MAX before */
  bool resetting;
  bool phy_was_reset; /* since CTRL.RST was last set */
  uint32_t reg[SIM_REGISTERS];
  const struct e1000_register *row[SIM_REGISTERS]; /* NULL: this device has no register there */
  uint16_t nvm[SIM_NVM_WORDS];
  uint16_t phy[32];
  struct sim_microwire microwire;
  struct sim_flash flash;
  uint64_t mdic_us;   /* when MDIC was last used: a PCH wants a pause */
  uint16_t mdic_last; /* and what it said */
  bool link_was_up;
  bool interrupting;
  uint32_t interrupts; /* how often it began to */

  uint8_t tx_frame[SIM_FRAME_MAX]; /* descriptors of one frame so far */
  size_t tx_length;
  uint8_t rx_held[SIM_RING_MAX][16]; /* write-backs that wait for sim_step */
  uint32_t rx_held_slot[SIM_RING_MAX];
  uint32_t rx_held_count;
  uint8_t rx_written[2][16]; /* the last two write-backs, for written_twice */
  uint32_t rx_written_slot[2];
  uint32_t rx_written_count;

  uint8_t config_space[SIM_CONFIG_SPACE];
  uint32_t io_address;
  uint64_t accesses;
  uint64_t reads;
  uint64_t writes;
  uint64_t io_writes;
  uint32_t reads_of[SIM_REGISTERS];
  uint32_t writes_of[SIM_REGISTERS];
  struct sim_write *log;
  size_t log_count;
  size_t log_room;
};

/* sim.c */
void sim_violate(struct sim *sim, const char *text, uint64_t value);
bool sim_is_gone(const struct sim *sim);

/* Where a device address lies in memory, when all `size` bytes belong to one live allocation; else NULL. */
uint8_t *sim_find(struct sim *sim, uint64_t device, size_t size);

/* The same, and NULL is recorded as `what`. */
uint8_t *sim_translate(struct sim *sim, uint64_t device, size_t size, const char *what);

static inline uint32_t *sim_reg(struct sim *sim, uint32_t offset) {
  return &sim->reg[offset / 4U];
}

static inline uint64_t sim_ring_base(struct sim *sim, uint32_t base_low) {
  return (uint64_t)*sim_reg(sim, base_low + 4U) << 32 | *sim_reg(sim, base_low);
}

/* sim_regs.c */
void sim_power_on(struct sim *sim);
uint32_t sim_register_read(struct sim *sim, uint32_t offset);
void sim_register_write(struct sim *sim, uint32_t offset, uint32_t value, bool io);
bool sim_link_up(struct sim *sim);

/* Whether the NVM has been read after the last reset, and the PHY configured from it. */
bool sim_nvm_read(const struct sim *sim);
bool sim_phy_configured(const struct sim *sim);

/* sim_flash.c: BAR 1 of a PCH. False when there is no such register, or not of that width. */
bool sim_flash_read(struct sim *sim, uint32_t offset, uint32_t width, uint32_t *value);
bool sim_flash_write(struct sim *sim, uint32_t offset, uint32_t width, uint32_t value);

/* sim_check.c: mistakes of the caller. sim_check_write is false when the device takes no notice of the write. */
void sim_learn_registers(struct sim *sim);
void sim_check_read(struct sim *sim, uint32_t offset);
bool sim_check_write(struct sim *sim, uint32_t offset, uint32_t value);
void sim_check_free(struct sim_host *host, const struct sim_memory *row);

/* Mistakes with what is shared: the PHY touched out of turn, the part reset so. */
void sim_check_phy(struct sim *sim, uint32_t value);
void sim_check_reset(struct sim *sim, bool io, bool shadow);

/* sim_irq.c: causes are raised; or something changed that may let one through, or the link did. */
void sim_cause(struct sim *sim, uint32_t causes);
void sim_update_interrupt(struct sim *sim);

/* Reading ICR. */
uint32_t sim_read_causes(struct sim *sim);

/* sim_rings.c */
void sim_transmit(struct sim *sim);
void sim_write_back(struct sim *sim);

/* Whether the device can reach memory at all. */
bool sim_may_master(struct sim *sim);

#endif
