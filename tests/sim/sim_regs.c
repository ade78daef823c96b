/* sim_regs.c - the simulated registers: reset, NVM, PHY, interrupts, statistics, and the checks on what is written. */
#include "sim_internal.h"

#include <string.h>

#define AUTO_READ_US 2000U  /* from CTRL.RST until the NVM has been read                  */
#define PHY_SETUP_US 20000U /* and from there until the PHY has been configured from it   */
#define MDIC_GAP_US  100U
#define NVM_CHECKSUM 0xBABAU
#define NVM_SUM_WORD 0x3FU
#define PHY_RESTART  0x0200U
#define PHY_ISOLATE  0x0400U

/* Reset ---------------------------------------------------------------------------------------------------------- */

static void load_address(struct sim *sim) {
  uint32_t low = 0;
  uint32_t high = 0;
  if(!sim->config.ral_empty) {
    low = (uint32_t)sim->nvm[1] << 16 | sim->nvm[0];
    high = sim->nvm[2] | (sim->config.ral_without_av ? 0U : RAH_AV);
    high ^= sim->config.port_b ? 0x0100U : 0U; /* the lowest bit of the last byte */
  }
  *sim_reg(sim, R_RAL) = low;
  *sim_reg(sim, R_RAH) = high;
}

/* What a reset may leave in the registers that a driver has to mend. */
static void wrong_defaults(struct sim *sim) {
  *sim_reg(sim, R_CTRL) |= 1U << 29;
  *sim_reg(sim, R_CTRL_EXT) = 1U << 23 | 1U << 19;
  *sim_reg(sim, R_TARC0) = 0x78000000U;
  *sim_reg(sim, R_TARC1) = sim->part->me ? 0U : 3U << 29 | TARC1_28;
  *sim_reg(sim, R_TCTL) = sim->part->me ? 0U : TCTL_MULR;
  *sim_reg(sim, 0x05008U) = 1U << 15; /* RFCTL.EXTEN */
}

/* Wake-up settings outlive CTRL.RST. The 82544 reads its NVM at power-on, and when EE_RST asks for it. */
static void full_reset(struct sim *sim, bool power_on) {
  uint32_t wuc = *sim_reg(sim, R_WUC);
  uint32_t wufc = *sim_reg(sim, R_WUFC);
  memset(sim->reg, 0, sizeof(sim->reg));
  *sim_reg(sim, R_WUC) = power_on ? 0U : wuc;
  *sim_reg(sim, R_WUFC) = power_on ? 0U : wufc;
  *sim_reg(sim, R_CTRL) = 0x00000201U; /* full duplex, 1000 Mb/s; the link waits for SLU */
  *sim_reg(sim, R_PBA) = 0x00100030U;
  *sim_reg(sim, R_EECD) = EECD_PRES | (sim->part->eecd_held ? EECD_REQ_GNT : 0U);
  *sim_reg(sim, R_SWSM) = sim->part->smbi_after_reset ? SWSM_SMBI : 0U;
  if(sim->part->pcie && !sim->config.qemu) {
    wrong_defaults(sim);
  }
  if(sim->part->flash && sim->config.flash_nvm) {
    *sim_reg(sim, R_EECD) |= EECD_FLASH | EECD_AUPDEN;
  }
  sim->link_was_up = false;
  sim->tx_length = 0;
  sim->rx_held_count = 0;
  sim->rx_written_count = 0;
  memset(&sim->microwire, 0, sizeof(sim->microwire));
  bool by_order = sim->part->nvm_by_order || (sim->part->flash && sim->config.flash_nvm);
  if(power_on || !by_order) {
    load_address(sim);
  }
}

void sim_power_on(struct sim *sim) {
  const uint8_t *mac = sim->config.mac;
  uint16_t sum = 0;
  for(uint32_t i = 0; i < SIM_NVM_WORDS; i++) {
    sim->nvm[i] = (uint16_t)(0x1357U * (i + 1U));
  }
  for(uint32_t i = 0; i < 3; i++) {
    sim->nvm[i] = (uint16_t)(mac[2U * i] | mac[2U * i + 1U] << 8);
  }
  sim->nvm[11] = sim->nvm[13] = sim->config.device_id;
  if(sim->part->me) {
    sim->nvm[0x13] = 0x8000U; /* this copy is the valid one */
    sim->nvm[0x19] = sim->config.unsummed ? 0U : 0x40U;
  }
  for(uint32_t i = 0; i < NVM_SUM_WORD; i++) {
    sum = (uint16_t)(sum + sim->nvm[i]);
  }
  sim->nvm[NVM_SUM_WORD] =
      (uint16_t)(NVM_CHECKSUM - sum + (sim->config.bad_checksum || sim->config.unsummed ? 1U : 0U));

  for(uint32_t i = 0; i < 32; i++) {
    sim->phy[i] = (uint16_t)(0x0100U + i);
  }
  sim->phy[PHY_CONTROL] = 0x1140;
  sim->phy[2] = sim->part->phy_id[0];
  sim->phy[3] = sim->part->phy_id[1];
  if(sim->config.phy_powered_down) {
    sim->phy[PHY_CONTROL] |= PHY_POWERDOWN;
  }
  sim->reset_us = UINT64_MAX;
  full_reset(sim, true);
}

static void start_reset(struct sim *sim) {
  if(sim->config.reset_never_ends) {
    sim->resetting = true;
    return;
  }
  if(sim->config.qemu && !sim->config.reset_clears) {
    if(sim->part->pcie) {
      load_address(sim);
    }
    return;
  }
  full_reset(sim, false);
  sim->phy_was_reset = false;
  sim->reset_us = sim->host.now_us;
  sim->resetting = true;
}

static bool in_reset(const struct sim *sim) {
  if(!sim->resetting) {
    return false;
  }
  if(sim->config.reset_never_ends) {
    return true;
  }
  return !sim->config.qemu && sim->reset_us != UINT64_MAX && sim->host.now_us - sim->reset_us < sim->part->reset_us;
}

/* A part of this age may hang the bus when it is asked while it reads its NVM (SDM 14.3). */
static void check_in_reset(struct sim *sim, uint32_t offset) {
  if(!sim->config.reset_never_ends && in_reset(sim)) {
    sim_violate(sim, "register access while the device resets itself", offset);
  }
}

void sim_other_port_resets(struct sim *sim) {
  load_address(sim);
}

void sim_leave_behind(struct sim *sim) {
  static const struct {
    uint32_t offset;
    uint32_t value;
  } left[] = {
      {R_RDBAL, 0x00100000U}, {R_RDLEN, 4096U}, {R_RDH, 3U},      {R_RDT, 200U},        {R_TDBAL, 0x00200000U},
      {R_TDLEN, 4096U},       {R_TDH, 7U},      {R_TDT, 7U},      {R_IMS, 0x0000009DU}, {R_ICR, 0x00000083U},
      {0x02820U, 100U},       {0x0282CU, 200U}, {0x03820U, 300U}, {0x0382CU, 400U},     {0x05000U, 0x300U},
      {0x05800U, 3U},         {0x05808U, 0xFU}, {R_SWSM, 3U},     {0x05820U, 0x2000U},  {R_RAL, 0x44332211U},
      {R_RAH, 0x80006655U},
  };
  for(size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
    *sim_reg(sim, left[i].offset) = left[i].value;
  }
  for(uint32_t i = 0; i < sim->part->mta_words; i++) {
    *sim_reg(sim, R_MTA + 4U * i) = UINT32_MAX;
  }
  for(uint32_t i = 0; i < 128 && !sim->part->me; i++) {
    *sim_reg(sim, R_VFTA + 4U * i) = UINT32_MAX;
  }
  for(uint32_t i = 1; i < 16 && !sim->part->me; i++) {
    *sim_reg(sim, R_RAL + 8U * i) = 0x00000002U + i;
    *sim_reg(sim, R_RAH + 8U * i) = RAH_AV | i;
  }
  *sim_reg(sim, R_CTRL) |= 0x40001880U; /* VME, forced speed and duplex, ILOS */
  *sim_reg(sim, R_TCTL) = TCTL_EN;
  *sim_reg(sim, R_RCTL) = RCTL_EN | RCTL_UPE | RCTL_MPE | RCTL_BAM;
  load_address(sim);
}

/* NVM and PHY ---------------------------------------------------------------------------------------------------- */

uint16_t sim_nvm(const struct sim *sim, uint32_t word) {
  return sim->nvm[word % SIM_NVM_WORDS];
}

void sim_set_nvm(struct sim *sim, uint32_t word, uint16_t value) {
  sim->nvm[word % SIM_NVM_WORDS] = value;
}

uint16_t sim_phy(const struct sim *sim, uint32_t reg) {
  return sim->phy[reg % 32U];
}

void sim_set_phy(struct sim *sim, uint32_t reg, uint16_t value) {
  sim->phy[reg % 32U] = value;
}

static void write_eerd(struct sim *sim, uint32_t value) {
  bool large = sim->part->nvm == SIM_NVM_EERD_PCIE;
  uint32_t done = large ? 0x2U : 0x10U;
  uint32_t word = large ? value >> 2 & 0x3FFFU : value >> 8 & 0xFFU;
  *sim_reg(sim, R_EERD) = value & 0xFFFEU & ~done;
  if(!(value & 1U) || sim->config.eerd_never_done || sim->part->nvm == SIM_NVM_WIRES ||
     (sim->part->eecd_held && (*sim_reg(sim, R_EECD) & EECD_REQ_GNT))) {
    return;
  }
  uint32_t data = word < SIM_NVM_WORDS ? sim->nvm[word] : 0U;
  *sim_reg(sim, R_EERD) |= data << 16 | done;
}

/* READ is 1, 10b and the address on DI, each taken at a rising clock; then a 0 and 16 data bits on DO. */
static void write_eecd(struct sim *sim, uint32_t value) {
  struct sim_microwire *wire = &sim->microwire;
  uint32_t before = *sim_reg(sim, R_EECD);
  uint32_t fixed = EECD_PRES | EECD_SIZE_OR_AUTO_RD | EECD_DO;
  *sim_reg(sim, R_EECD) = (before & fixed) | (value & ~fixed);
  if(sim->part->nvm != SIM_NVM_WIRES) {
    return;
  }
  if(!(value & EECD_CS)) {
    memset(wire, 0, sizeof(*wire));
    return;
  }
  if(!(value & EECD_SK) || (before & EECD_SK)) {
    return;
  }
  uint32_t address_bits = 6U;
  uint32_t data = value & EECD_DI ? 1U : 0U;
  if(wire->clocks == 0 && !data) {
    return; /* the start bit has not come */
  }
  wire->clocks++;
  *sim_reg(sim, R_EECD) &= ~EECD_DO;
  if(wire->clocks <= 3U + address_bits) {
    wire->shifted = wire->shifted << 1 | data;
    if(wire->clocks == 3U + address_bits) {
      wire->out = wire->shifted >> address_bits == 6U;
      wire->word = sim->nvm[wire->shifted % SIM_NVM_WORDS];
    }
  } else if(wire->out && wire->clocks <= 3U + address_bits + 16U) {
    if((uint32_t)wire->word >> (3U + address_bits + 16U - wire->clocks) & 1U) {
      *sim_reg(sim, R_EECD) |= EECD_DO;
    }
  }
}

static void write_mdic(struct sim *sim, uint32_t value) {
  sim_check_phy(sim, value);
  uint32_t phy = value >> 21 & 0x1FU;
  uint32_t reg = value >> 16 & 0x1FU;
  uint32_t operation = value >> 26 & 3U;
  value &= ~(MDIC_READY | MDIC_ERROR);
  if(sim->config.mdic_never_ready) {
    *sim_reg(sim, R_MDIC) = value;
    return;
  }
  value |= MDIC_READY;
  if(sim->config.mdic_error || phy != sim->part->phy_address) {
    value |= MDIC_ERROR;
  } else if(operation == 2U && sim->part->me && sim->mdic_us != 0 && sim->host.now_us - sim->mdic_us < MDIC_GAP_US) {
    value = (value & 0xFFFF0000U) | sim->mdic_last; /* too soon: the answer of before */
  } else if(operation == 2U) {
    value = (value & 0xFFFF0000U) | sim->phy[reg];
  } else if(operation == 1U) {
    sim->phy[reg] = (uint16_t)value;
    if(reg == PHY_CONTROL) {
      sim->phy[reg] = (uint16_t)(value & ~PHY_RESTART);
    }
  }
  sim->mdic_us = sim->host.now_us;
  sim->mdic_last = (uint16_t)value;
  *sim_reg(sim, R_MDIC) = value;
}

/* Reading -------------------------------------------------------------------------------------------------------- */

bool sim_link_up(struct sim *sim) {
  bool awake = !(sim->phy[PHY_CONTROL] & (PHY_POWERDOWN | PHY_ISOLATE));
  return !sim->config.link_down && awake && (sim->config.qemu || (*sim_reg(sim, R_CTRL) & CTRL_SLU));
}

static uint32_t read_status(struct sim *sim) {
  const struct sim_config *config = &sim->config;
  uint32_t ctrl = *sim_reg(sim, R_CTRL);
  uint32_t status = STATUS_FD | STATUS_1000 | (sim_link_up(sim) ? STATUS_LU : 0U);
  if(config->tx_paused) {
    status |= STATUS_TXOFF;
  }
  if(config->pcix) {
    status |= STATUS_PCIX;
  }
  if(sim->part->me && sim_nvm_read(sim) && !config->lan_init_never) {
    status |= STATUS_LAN_INIT_DONE;
  }
  if(config->port_b) {
    status |= STATUS_PORT_B;
  }
  if(sim->part->pcie && (config->master_never_off || !(ctrl & CTRL_GIO_MASTER_DISABLE))) {
    status |= STATUS_GIO_MASTER_ENABLE;
  }
  return status;
}

static bool passed(const struct sim *sim, uint64_t us) {
  return sim->config.qemu || sim->reset_us == UINT64_MAX || sim->host.now_us - sim->reset_us >= us;
}

bool sim_nvm_read(const struct sim *sim) {
  return passed(sim, AUTO_READ_US);
}

bool sim_phy_configured(const struct sim *sim) {
  return passed(sim, AUTO_READ_US + PHY_SETUP_US);
}

static uint32_t read_eecd(struct sim *sim) {
  uint32_t eecd = *sim_reg(sim, R_EECD) | (sim->config.microwire_never_answers ? EECD_DO : 0U);
  if(sim->part->auto_read && sim_nvm_read(sim) && !sim->config.auto_read_never) {
    eecd |= EECD_SIZE_OR_AUTO_RD;
  }
  return eecd;
}

static bool is_pair_low(uint32_t offset) {
  return offset == R_GORCL || offset == R_GOTCL || offset == R_TORL || offset == R_TOTL;
}

static uint32_t read_counter(struct sim *sim, uint32_t offset) {
  uint32_t value = *sim_reg(sim, offset);
  bool sticky = sim->config.qemu && (offset == R_MPC || offset == R_RNBC || offset == R_CRCERRS);
  if(!sticky && !is_pair_low(offset)) {
    *sim_reg(sim, offset) = 0;
  }
  if(is_pair_low(offset - 4U)) {
    *sim_reg(sim, offset - 4U) = 0; /* the high half clears both */
  }
  return value;
}

static uint32_t read_register(struct sim *sim, uint32_t offset) {
  uint32_t value = *sim_reg(sim, offset);
  if(offset >= R_CRCERRS && offset < R_STATS_END) {
    return read_counter(sim, offset);
  }
  switch(offset) {
  case R_CTRL:
    return in_reset(sim) ? value | CTRL_RST : value;
  case R_STATUS:
    return read_status(sim);
  case R_EECD:
    return read_eecd(sim);
  case R_ICR:
    return sim_read_causes(sim);
  case R_FWSM:
    if(!sim->part->me) {
      return value;
    }
    value = sim->config.me_active ? FWSM_VALID : FWSM_RSPCIPHY;
    if(sim->config.arbiter_busy > 0) {
      sim->config.arbiter_busy--;
      value |= FWSM_ARBITER;
    }
    return value;
  case R_EXTCNF_CTRL:
    if(sim->config.me_holds_swflag) {
      return value | EXTCNF_MDIO_SW_OWNERSHIP;
    }
    return sim->config.mdio_never_owned ? value & ~EXTCNF_MDIO_SW_OWNERSHIP : value;
  case R_EEMNGCTL:
    return sim->part->cfg_done && sim_phy_configured(sim) && !sim->config.cfg_never_done ? value | EEMNGCTL_CFG_DONE
                                                                                         : value;
  case R_SWSM:
    value |= sim->config.smbi_never_free ? SWSM_SMBI : 0U;
    *sim_reg(sim, R_SWSM) |= SWSM_SMBI; /* reading takes the semaphore */
    return sim->config.mdio_never_owned ? value & ~SWSM_SWESMBI : value;
  case R_ICS:
  case R_IMC:
    return 0;
  default:
    return value;
  }
}

uint32_t sim_register_read(struct sim *sim, uint32_t offset) {
  check_in_reset(sim, offset);
  sim_check_read(sim, offset);
  uint32_t value = read_register(sim, offset);
  sim_update_interrupt(sim);
  return value;
}

/* Writing -------------------------------------------------------------------------------------------------------- */

static void write_tail(struct sim *sim, uint32_t offset, uint32_t value) {
  bool tx = offset == R_TDT;
  uint32_t count = *sim_reg(sim, tx ? R_TDLEN : R_RDLEN) / 16U;
  if(value != 0 && value >= count) {
    sim_violate(sim, tx ? "TDT beyond the ring" : "RDT beyond the ring", value);
    return;
  }
  if(sim->part->me && sim->config.me_active && (sim->config.arbiter_busy > 0 || sim->config.tails_lost > 0)) {
    sim->config.tails_lost -= sim->config.tails_lost > 0;
    return; /* on the way */
  }
  *sim_reg(sim, offset) = value;
  if(tx && (*sim_reg(sim, R_TCTL) & TCTL_EN) && !sim->config.delayed) {
    sim_transmit(sim);
  }
  if(!tx && (*sim_reg(sim, R_RCTL) & RCTL_EN) && value == *sim_reg(sim, R_RDH)) {
    sim_violate(sim, "RDT equals RDH: the ring looks empty to the device", value);
  }
}

static void write_control(struct sim *sim, uint32_t value, bool io, bool shadow) {
  *sim_reg(sim, R_CTRL) = value & ~CTRL_RST;
  if((value & CTRL_PHY_RST) && sim->part->me) {
    sim_violate(sim, "CTRL.PHY_RST of a PHY that the ME shares", value);
  }
  if(value & CTRL_PHY_RST) {
    sim->phy_was_reset = true;
  }
  if(value & CTRL_RST) {
    if(!in_reset(sim)) { /* else it is the bit that was read just now */
      sim_check_reset(sim, io, shadow);
    }
    start_reset(sim);
  }
}

/* "Destroys" is all that is known of what an odd word does to the even one before it. */
static void write_table(struct sim *sim, uint32_t table, uint32_t offset, uint32_t value) {
  *sim_reg(sim, offset) = value;
  if((offset - table) / 4U % 2U && sim->part->table_pairs && !sim->config.qemu) {
    *sim_reg(sim, offset - 4U) ^= 0xA5A5A5A5U;
  }
}

static void write_register(struct sim *sim, uint32_t offset, uint32_t value, bool io) {
  if(offset >= R_MTA && offset < R_RAL) {
    write_table(sim, R_MTA, offset, value);
    return;
  }
  if(offset >= R_VFTA && offset < R_WUC) {
    write_table(sim, R_VFTA, offset, value);
    return;
  }
  switch(offset) {
  case R_CTRL:
  case R_CTRL_DUP:
    write_control(sim, value, io, offset == R_CTRL_DUP);
    return;
  case R_EECD:
    write_eecd(sim, value);
    return;
  case R_CTRL_EXT:
    *sim_reg(sim, R_CTRL_EXT) = value & ~CTRL_EXT_EE_RST;
    if(value & CTRL_EXT_EE_RST) {
      if(*sim_reg(sim, R_EECD) & EECD_AUPDEN) {
        sim_violate(sim, "CTRL_EXT.EE_RST while the flash may be under update", value);
      }
      load_address(sim);
    }
    return;
  case R_EERD:
    write_eerd(sim, value);
    return;
  case R_MDIC:
    write_mdic(sim, value);
    return;
  case R_ICR:
    *sim_reg(sim, R_ICR) &= ~value;
    return;
  case R_ICS:
    *sim_reg(sim, R_ICR) |= value;
    return;
  case R_IMS:
    *sim_reg(sim, R_IMS) |= value;
    return;
  case R_IMC:
    *sim_reg(sim, R_IMS) &= ~value;
    return;
  case R_RDT:
  case R_TDT:
    write_tail(sim, offset, value);
    return;
  default:
    *sim_reg(sim, offset) = value;
  }
}

void sim_register_write(struct sim *sim, uint32_t offset, uint32_t value, bool io) {
  check_in_reset(sim, offset);
  if(sim_check_write(sim, offset, value)) {
    write_register(sim, offset, value, io);
    sim_update_interrupt(sim);
  }
}
