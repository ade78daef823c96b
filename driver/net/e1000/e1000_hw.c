/* e1000_hw.c - bringing the controller to a known state and starting it, in the manual's order. */
#include "e1000_hw.h"

#include <string.h>

#define E1000_IOADDR     0U /* offsets in the I/O BAR (SDM 13.2.2.1) */
#define E1000_IODATA     4U
#define E1000_IO_BAR_MIN 8U /* bytes */

/* Bounds, all from the manuals; each is the longest a healthy part takes, with room to spare. */
#define E1000_DMA_DRAIN_US         10000U  /* packets under way after RCTL.EN and TCTL.EN are cleared, SDM 14.3    */
#define E1000_MASTER_TIMEOUT_US    80000U  /* PCIe requests under way, 82574 10.2.2.1                             */
#define E1000_EE_RST_US            2000U   /* the 82544 reads its NVM again                                  */
#define E1000_PHY_RESET_US         5000U   /* 82541EI, 82547EI: CTRL.PHY_RST                                      */
#define E1000_RESET_TIMEOUT_US     100000U /* CTRL.RST clears itself                                              */
#define E1000_AUTO_READ_TIMEOUT_US 100000U /* EECD.AUTO_RD after a reset, 82574 4.6.2                             */
#define E1000_WAIT_STEP_US         100U

static void delay(const struct e1000 *nic, uint32_t us) {
  nic->platform->delay_us(nic->platform->ctx, us);
}

/* Steps ---------------------------------------------------------------------------------------------------------- */

struct step {
  const char *name;
  const char *section;
  uint32_t quirks; /* only for models with one of these; 0 = for all */
  int (*run)(struct e1000 *nic);
};

static int run_steps(struct e1000 *nic, const struct step *steps, size_t count) {
  for(size_t i = 0; i < count; i++) {
    if(steps[i].quirks && !e1000_has_quirk(nic, steps[i].quirks)) {
      continue;
    }
    uint32_t status = e1000_read(nic, E1000_STATUS);
    e1000_log(nic, NET_LOG_DEBUG, steps[i].name, status);
    /* Where nothing answers, a step would read all ones and write them back: CTRL.RST, reserved bits. */
    int result = status == UINT32_MAX ? NETDEV_E_GONE : steps[i].run(nic);
    if(result != NETDEV_OK) {
      e1000_log(nic, NET_LOG_ERROR, steps[i].name, e1000_read(nic, E1000_STATUS));
      return result;
    }
  }
  return NETDEV_OK;
}

/* Function ------------------------------------------------------------------------------------------------------- */

int e1000_prepare_function(struct e1000 *nic) {
  int result = net_pci_power_up(nic->platform);
  if(result != NETDEV_OK) {
    e1000_log(nic, NET_LOG_ERROR, "the PCI function does not leave its power state", 0);
    return result;
  }
  /* The 82574 hangs or leaves the bus when its link sleeps in L0s or L1 (specification update). Off at this end of the
   * link, L1 is never entered and our transmitter stays out of L0s; Linux does the same at the other end. */
  if(nic->model->common.flags & NET_MODEL_NO_ASPM) {
    net_pci_aspm_off(nic->platform, &nic->aspm);
  }
  if(e1000_has_quirk(nic, E1000_QUIRK_PCIX_MMRBC)) {
    net_pci_limit_read_count(nic->platform);
  }
  return NETDEV_OK;
}

/* Reset ---------------------------------------------------------------------------------------------------------- */

static int step_mask_interrupts(struct e1000 *nic) {
  e1000_write(nic, E1000_IMC, UINT32_MAX);
  return NETDEV_OK;
}

/* A PCIe part must finish its own requests before it is reset, or the bus may hang. A timeout is not the end: the reset
 * goes ahead, as the datasheet asks. */
static int step_stop_pcie_master(struct e1000 *nic) {
  int result = e1000_modify(nic, E1000_CTRL, 0, E1000_CTRL_GIO_MASTER_DISABLE);
  if(result != NETDEV_OK) {
    return result;
  }
  result = e1000_wait(nic, "STATUS.GIO_MASTER_ENABLE stays set before the reset", E1000_STATUS,
                      E1000_STATUS_GIO_MASTER_ENABLE, 0, E1000_WAIT_STEP_US, E1000_MASTER_TIMEOUT_US);
  return result == NETDEV_E_GONE ? result : NETDEV_OK;
}

bool e1000_runs(const struct e1000 *nic) {
  return ((e1000_read(nic, E1000_RCTL) & E1000_RCTL_EN) | (e1000_read(nic, E1000_TCTL) & E1000_TCTL_EN)) != 0;
}

/* Nothing is under way where neither ran, and so there is nothing to wait for; and a model of the device goes deaf for
 * a second after every write to RCTL. */
int e1000_stop_rings(struct e1000 *nic) {
  bool receives = !e1000_has_quirk(nic, E1000_QUIRK_KEEP_RCTL) && (e1000_read(nic, E1000_RCTL) & E1000_RCTL_EN);
  if(!receives && !(e1000_read(nic, E1000_TCTL) & E1000_TCTL_EN)) {
    return NETDEV_OK;
  }
  if(receives) {
    e1000_write(nic, E1000_RCTL, 0);
  }
  int result = e1000_modify(nic, E1000_TCTL, E1000_TCTL_EN, 0);
  e1000_write_flush(nic);
  delay(nic, E1000_DMA_DRAIN_US);
  return result;
}

static bool is_io_pair(const struct net_bar *bar) {
  return bar->kind == NET_BAR_IO && (bar->size == 0 || bar->size >= E1000_IO_BAR_MIN);
}

/* The I/O BAR with the IOADDR/IODATA pair; NET_BAR_COUNT when there is none that decodes. */
static uint32_t find_io_bar(const struct net_platform *platform) {
  uint32_t bar = 0;
  while(bar < NET_BAR_COUNT && !is_io_pair(&platform->bar[bar])) {
    bar++;
  }
  return bar;
}

/* The bit is a level: the PHY is in reset as long as it is set. */
static int step_reset_phy(struct e1000 *nic) {
  int result = e1000_modify(nic, E1000_CTRL, 0, E1000_CTRL_PHY_RST);
  e1000_write_flush(nic);
  delay(nic, E1000_PHY_RESET_US);
  return result == NETDEV_OK ? e1000_modify(nic, E1000_CTRL, E1000_CTRL_PHY_RST, 0) : result;
}

static int step_reset(struct e1000 *nic) {
  const struct e1000_part *part = nic->model->part;
  uint32_t ctrl = e1000_read(nic, E1000_CTRL);
  /* The reset must not cut short an MDIO access of the management firmware; one that never ends does not stop it. */
  if(ctrl == UINT32_MAX || e1000_acquire(nic, part->reset_lock) == NETDEV_E_GONE) {
    return NETDEV_E_GONE;
  }
  uint32_t io_bar = find_io_bar(nic->platform);
  if(e1000_has_quirk(nic, E1000_QUIRK_IO_RESET) && io_bar < NET_BAR_COUNT) {
    nic->platform->write32(nic->platform->ctx, io_bar, E1000_IOADDR, E1000_CTRL);
    nic->platform->write32(nic->platform->ctx, io_bar, E1000_IODATA, ctrl | E1000_CTRL_RST);
  } else {
    e1000_write(nic, part->reset_register, ctrl | E1000_CTRL_RST);
  }
  delay(nic, part->reset_us);
  int result = e1000_wait(nic, "CTRL.RST does not clear", E1000_CTRL, E1000_CTRL_RST, 0, E1000_WAIT_STEP_US,
                          E1000_RESET_TIMEOUT_US);
  if(result != NETDEV_E_GONE) {
    e1000_release(nic, part->reset_lock);
  }
  return result;
}

static int step_reload_nvm(struct e1000 *nic) {
  int result = e1000_modify(nic, E1000_CTRL_EXT, 0, E1000_CTRL_EXT_EE_RST);
  e1000_write_flush(nic);
  delay(nic, E1000_EE_RST_US);
  return result;
}

/* Flash is read again only when it is told to; an EEPROM by itself. An update of the flash under way would be read. */
static int step_reload_flash(struct e1000 *nic) {
  if((e1000_read(nic, E1000_EECD) & E1000_EECD_FLASH) != E1000_EECD_FLASH) {
    return NETDEV_OK;
  }
  int result = e1000_modify(nic, E1000_EECD, E1000_EECD_AUPDEN, 0);
  return result == NETDEV_OK ? step_reload_nvm(nic) : result;
}

/* The registers that the NVM sets are not valid before it has been read. A part without an NVM never sets AUTO_RD, and
 * works all the same. The other parts have read it by the end of their reset_us. */
static int step_wait_for_nvm(struct e1000 *nic) {
  int result = e1000_wait(nic, "EECD.AUTO_RD stays clear after the reset", E1000_EECD, E1000_EECD_AUTO_RD,
                          E1000_EECD_AUTO_RD, E1000_WAIT_STEP_US, E1000_AUTO_READ_TIMEOUT_US);
  e1000_phy_setup_begins(nic);
  return result == NETDEV_E_GONE ? result : NETDEV_OK;
}

/* EERD does not work while somebody has asked for the wires of the EEPROM. */
static int step_free_eeprom(struct e1000 *nic) {
  return e1000_modify(nic, E1000_EECD, E1000_EECD_REQ | E1000_EECD_GNT, 0);
}

static int step_clear_interrupts(struct e1000 *nic) {
  e1000_write(nic, E1000_IMC, UINT32_MAX);
  (void)e1000_read(nic, E1000_ICR);
  return NETDEV_OK;
}

/* After a real reset all of this reads 0 already. A model of the device may keep everything across CTRL.RST, and then
 * the receiver would run on into memory that is no longer ours. WUC and WUFC are not among it: wake-on-LAN
 * stays as software or the NVM armed it. RXCSUM decides about status bits that the driver does not look at. */
static int step_clear_leftovers(struct e1000 *nic) {
  static const uint16_t zeroed[] = {E1000_RDTR,  E1000_TIDV,  E1000_RDH,   E1000_RDT,   E1000_TDH,   E1000_TDT,
                                    E1000_RDLEN, E1000_TDLEN, E1000_RDBAL, E1000_RDBAH, E1000_TDBAL, E1000_TDBAH};
  if(e1000_read(nic, E1000_RCTL) & E1000_RCTL_EN) {
    e1000_write(nic, E1000_RCTL, 0);
  }
  nic->rctl = 0;
  for(size_t i = 0; i < sizeof(zeroed) / sizeof(zeroed[0]); i++) {
    e1000_write(nic, zeroed[i], 0);
  }
  const struct e1000_part *part = nic->model->part;
  for(uint32_t i = 1; i < part->rar_count; i++) {
    e1000_write(nic, E1000_RAH + 8U * i, 0);
    e1000_write(nic, E1000_RAL + 8U * i, 0);
  }
  for(uint32_t i = 0; i < part->mta_words; i++) {
    e1000_write_table(nic, E1000_MTA, i, 0, 0);
    nic->mta[i] = 0;
  }
  for(uint32_t i = 0; i < E1000_VFTA_COUNT && !e1000_has_quirk(nic, E1000_QUIRK_NO_VFTA); i++) {
    e1000_write_table(nic, E1000_VFTA, i, 0, 0);
  }
  if(e1000_has_quirk(nic, E1000_QUIRK_SINCE_82540)) {
    e1000_write(nic, E1000_RADV, 0);
    e1000_write(nic, E1000_TADV, 0);
  }
  /* Management firmware that answers ARP by itself would do so with an address that may no longer be ours. */
  if(e1000_has_quirk(nic, E1000_QUIRK_ASF_ARP)) {
    return e1000_modify(nic, E1000_MANC, E1000_MANC_ARP_EN, 0);
  }
  return NETDEV_OK;
}

/* A semaphore that an earlier owner left behind would lock out everybody after it, us included. */
static int step_release_semaphore(struct e1000 *nic) {
  return e1000_modify(nic, E1000_SWSM, E1000_SWSM_SMBI | E1000_SWSM_SWESMBI, 0);
}

/* SDM 14.2: link enabled, nothing forced. Also in a device that stays closed: its link then comes up by itself, and can
 * be seen, before anybody opens it. */
static int step_link(struct e1000 *nic) {
  return e1000_modify(nic, E1000_CTRL, E1000_CTRL_FRCSPD | E1000_CTRL_FRCDPX | E1000_CTRL_ILOS, E1000_CTRL_SLU);
}

static const struct step reset_steps[] = {
    {"reset: mask interrupts", "14.3", 0, step_mask_interrupts},
    {"reset: stop the PCIe master", "82574 10.2.2.1", E1000_QUIRK_PCIE, step_stop_pcie_master},
    {"reset: stop receiver and transmitter", "14.3", 0, e1000_stop_rings},
    {"reset: reset the PHY before the MAC", "13.4.1", E1000_QUIRK_PHY_RST_FIRST, step_reset_phy},
    {"reset: set CTRL.RST and wait for it", "13.4.1", 0, step_reset},
    {"reset: have the NVM read again", "13.4.6", E1000_QUIRK_EE_RST, step_reload_nvm},
    {"reset: have a flash read again", "82574 10.2", E1000_QUIRK_FLASH_NVM, step_reload_flash},
    {"reset: wait for the NVM to be read", "82574 4.6.2", E1000_QUIRK_AUTO_READ, step_wait_for_nvm},
    {"reset: wait for the chipset", "PCH", E1000_QUIRK_ME, e1000_wait_for_lan},
    {"reset: let go of the EEPROM", "PCIe SDM 13.3", E1000_QUIRK_EECD_REQ, step_free_eeprom},
    {"reset: mask and clear interrupts", "14.3", 0, step_clear_interrupts},
    {"reset: release a leftover semaphore", "82574 10.2", E1000_QUIRK_FREE_SWSM, step_release_semaphore},
    {"reset: clear what the reset left behind", "14.4, 14.5", 0, step_clear_leftovers},
    {"reset: let the link come up", "14.2", 0, step_link},
};

int e1000_reset(struct e1000 *nic) {
  int result = run_steps(nic, reset_steps, sizeof(reset_steps) / sizeof(reset_steps[0]));
  nic->fresh = result == NETDEV_OK;
  if(result == NETDEV_OK) {
    e1000_resync_counters(nic);
  }
  return result;
}

int e1000_set_in_charge(const struct e1000 *nic, bool in_charge) {
  const struct e1000_part *part = nic->model->part;
  return part->in_charge_register == 0
             ? NETDEV_OK
             : e1000_modify(nic, part->in_charge_register, part->in_charge, in_charge ? part->in_charge : 0U);
}

void e1000_silence(struct e1000 *nic) {
  e1000_write(nic, E1000_IMC, UINT32_MAX);
  e1000_write(nic, E1000_RCTL, 0);
  e1000_write(nic, E1000_TCTL, nic->tctl & ~E1000_TCTL_EN); /* what it reads as may be all ones by now */
  (void)e1000_set_in_charge(nic, false);
  nic->rctl = 0;
  e1000_write_flush(nic);
}

/* Start ---------------------------------------------------------------------------------------------------------- */

/* SDM 14.2: loopback, forced speed and forced duplex off, link enabled. Flow control is not used: pause frames
 * gain nothing while a loader runs. So FCAL, FCAH, FCT and FCTTV are 0, as the manual asks then. */
static int step_general(struct e1000 *nic) {
  uint32_t clear =
      E1000_CTRL_FRCSPD | E1000_CTRL_FRCDPX | E1000_CTRL_ILOS | E1000_CTRL_VME | E1000_CTRL_GIO_MASTER_DISABLE;
  uint32_t set = E1000_CTRL_SLU;
  if(e1000_has_quirk(nic, E1000_QUIRK_ASDE)) {
    set |= E1000_CTRL_ASDE;
  }
  clear |= nic->model->part->ctrl_clear;
  int result = e1000_modify(nic, E1000_CTRL, clear, set);
  if(result != NETDEV_OK) {
    return result;
  }
  e1000_write(nic, E1000_FCAL, 0);
  e1000_write(nic, E1000_FCAH, 0);
  e1000_write(nic, E1000_FCT, 0);
  e1000_write(nic, E1000_FCTTV, 0);
  return NETDEV_OK;
}

/* What its specification update, or its erratum, wants of a part; and that a driver is in charge. */
static int step_part_bits(struct e1000 *nic) {
  const struct e1000_part *part = nic->model->part;
  for(uint32_t i = 0; i < part->bit_count; i++) {
    int result = e1000_modify(nic, part->bits[i].offset, part->bits[i].clear, part->bits[i].set);
    if(result != NETDEV_OK) {
      return result;
    }
  }
  if(e1000_has_quirk(nic, E1000_QUIRK_TARC1_MULR)) {
    uint32_t tctl = e1000_read(nic, E1000_TCTL);
    uint32_t opposite = tctl & E1000_TCTL_MULR ? 0 : E1000_TARC1_28;
    int result = tctl == UINT32_MAX ? NETDEV_E_GONE : e1000_modify(nic, E1000_TARC1, E1000_TARC1_28, opposite);
    if(result != NETDEV_OK) {
      return result;
    }
  }
  e1000_write(nic, E1000_RFCTL, part->rfctl); /* whole: an earlier owner's EXTEN would change the descriptors */
  return e1000_set_in_charge(nic, true);
}

static int step_phy(struct e1000 *nic) {
  e1000_wake_phy(nic);
  return NETDEV_OK;
}

static int step_addresses(struct e1000 *nic) {
  e1000_write_address(nic, nic->netdev.mac);
  return NETDEV_OK;
}

static void program_ring(const struct e1000 *nic, const struct e1000_ring *ring, uint32_t base_low) {
  /* RDBAL, RDBAH, RDLEN, RDH and RDT stand at the same distances as TDBAL, TDBAH, TDLEN, TDH and TDT. */
  e1000_write(nic, base_low, (uint32_t)ring->descriptors.device);
  e1000_write(nic, base_low + (E1000_RDBAH - E1000_RDBAL), (uint32_t)(ring->descriptors.device >> 32));
  e1000_write(nic, base_low + (E1000_RDLEN - E1000_RDBAL), e1000_ring_bytes(ring));
  e1000_write(nic, base_low + (E1000_RDH - E1000_RDBAL), 0);
  e1000_write(nic, base_low + (E1000_RDT - E1000_RDBAL), 0);
}

/* SDM 14.5: base, length, head, tail, then thresholds, TIPG, and TCTL last. Full write-back with a threshold of one
 * descriptor makes DD appear as soon as a frame is out; the 82544 does so as it comes out of its reset. */
static int step_transmit(struct e1000 *nic) {
  e1000_ring_reset(&nic->tx);
  program_ring(nic, &nic->tx, E1000_TDBAL);
  if(e1000_has_quirk(nic, E1000_QUIRK_SINCE_82540)) {
    uint32_t set = (1U << E1000_XDCTL_WTHRESH_SHIFT) | E1000_XDCTL_GRAN;
    set |= nic->model->part->txdctl;
    int result = e1000_modify(nic, E1000_TXDCTL, E1000_XDCTL_WTHRESH_MASK, set);
    if(result != NETDEV_OK) {
      return result;
    }
  }
  if(!e1000_has_quirk(nic, E1000_QUIRK_KEEP_TIPG)) {
    e1000_write(nic, E1000_TIPG, E1000_TIPG_COPPER);
  }
  /* What a reset sets besides (82574: MULR, several requests under way) stays. */
  uint32_t tctl = e1000_read(nic, E1000_TCTL);
  if(tctl == UINT32_MAX) {
    return NETDEV_E_GONE;
  }
  nic->tctl = (tctl & ~(E1000_TCTL_CT_MASK | E1000_TCTL_COLD_MASK)) | E1000_TCTL_RUN;
  e1000_write(nic, E1000_TCTL, nic->tctl);
  return NETDEV_OK;
}

/* SDM 14.4: base, length, head, tail, RCTL, and only then buffers. Interrupt delays stay 0, so write-back is prompt. */
static int step_receive(struct e1000 *nic) {
  e1000_ring_reset(&nic->rx);
  e1000_rx_fill(&nic->rx);
  nic->rx_partial = false;
  nic->rx_seen = 0;
  program_ring(nic, &nic->rx, E1000_RDBAL);
  e1000_apply_filter(nic);
  uint32_t rctl = nic->rctl | E1000_RCTL_EN | E1000_RCTL_BAM | E1000_RCTL_BSIZE_2048 | E1000_RCTL_SECRC;
  nic->rctl = rctl;
  e1000_write(nic, E1000_RCTL, rctl);
  e1000_rx_doorbell(nic);
  e1000_write_flush(nic);
  return NETDEV_OK;
}

static const struct step start_steps[] = {
    {"start: general configuration", "14.2", 0, step_general},
    {"start: bits that the part wants", "spec updates", E1000_QUIRK_PCIE, step_part_bits},
    {"start: PHY", "14.2", 0, step_phy},
    {"start: station address", "14.4", 0, step_addresses},
    {"start: transmitter", "14.5", 0, step_transmit},
    {"start: receiver", "14.4", 0, step_receive},
};

void e1000_note_bus(struct e1000 *nic, uint32_t status) {
  nic->tails_get_lost = e1000_tails_get_lost(nic);
  nic->tx_end_dword = e1000_has_quirk(nic, E1000_QUIRK_TX_PCIX_END) && (status & E1000_STATUS_PCIX_MODE);
}

int e1000_start(struct e1000 *nic) {
  uint32_t status = e1000_read(nic, E1000_STATUS);
  nic->fresh = false;
  if(status == UINT32_MAX) {
    return NETDEV_E_GONE;
  }
  e1000_note_bus(nic, status);
  return run_steps(nic, start_steps, sizeof(start_steps) / sizeof(start_steps[0]));
}

/* Everything that a reset controller needs to run, without the PHY, whose registers have to be waited for. */
void e1000_start_by_registers(struct e1000 *nic) {
  (void)step_general(nic);
  if(e1000_has_quirk(nic, E1000_QUIRK_PCIE)) {
    (void)step_part_bits(nic);
  }
  (void)step_addresses(nic);
  (void)step_transmit(nic);
  (void)step_receive(nic);
}

/* Addresses and filters ------------------------------------------------------------------------------------------ */

static void write_pair(struct e1000 *nic, uint32_t index, uint32_t low, uint32_t high) {
  /* Flushed, because some bridges combine writes to neighbouring registers. */
  e1000_write(nic, E1000_RAL + 8U * index, low);
  e1000_write_flush(nic);
  e1000_write(nic, E1000_RAH + 8U * index, high);
  e1000_write_flush(nic);
}

void e1000_write_address(struct e1000 *nic, const uint8_t mac[NETDEV_MAC_LENGTH]) {
  uint32_t low = (uint32_t)mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24;
  uint32_t high = (uint32_t)mac[4] | (uint32_t)mac[5] << 8 | E1000_RAH_AV;
  write_pair(nic, 0, low, high);
  if(e1000_has_quirk(nic, E1000_QUIRK_LAA_RELOAD)) {
    bool other = memcmp(mac, nic->netdev.permanent_mac, NETDEV_MAC_LENGTH) != 0;
    write_pair(nic, nic->model->part->rar_count - 1U, other ? low : 0, other ? high : 0);
  }
}

uint32_t e1000_multicast_hash(const uint8_t mac[NETDEV_MAC_LENGTH]) {
  return ((uint32_t)mac[4] >> 4 | (uint32_t)mac[5] << 4) & 0xFFFU;
}

/* The flush keeps a bridge from combining the two writes into one, and from changing their order. */
void e1000_write_table(const struct e1000 *nic, uint32_t table, uint32_t index, uint32_t value, uint32_t before) {
  e1000_write(nic, table + 4U * index, value);
  if(index % 2U && e1000_has_quirk(nic, E1000_QUIRK_MTA_PAIRS)) {
    e1000_write_flush(nic);
    e1000_write(nic, table + 4U * (index - 1U), before);
  }
}

/* All-multicast is a table full of ones rather than RCTL.MPE: a model of the device goes deaf for a second after every
 * write to RCTL, and the table can be written while the receiver runs. */
void e1000_apply_filter(struct e1000 *nic) {
  const struct netdev *dev = &nic->netdev;
  const uint32_t words = nic->model->part->mta_words;
  uint32_t mta[E1000_MTA_COUNT];
  bool all = (dev->filter & (NETDEV_FILTER_ALL_MULTICAST | NETDEV_FILTER_PROMISCUOUS)) != 0;
  memset(mta, all ? 0xFF : 0, sizeof(mta));
  if(dev->filter & NETDEV_FILTER_MULTICAST) {
    for(uint32_t i = 0; i < dev->multicast_count; i++) {
      /* A smaller table goes by fewer bits of the address: the highest ones. */
      uint32_t hash = e1000_multicast_hash(dev->multicast[i]) * words / E1000_MTA_COUNT;
      mta[hash >> 5] |= 1U << (hash & 31U);
    }
  }
  for(uint32_t i = 0; i < words; i++) {
    if(mta[i] != nic->mta[i]) {
      nic->mta[i] = mta[i];
      e1000_write_table(nic, E1000_MTA, i, mta[i], i > 0 ? mta[i - 1U] : 0);
    }
  }
  uint32_t rctl = nic->rctl & ~E1000_RCTL_UPE;
  if(dev->filter & NETDEV_FILTER_PROMISCUOUS) {
    rctl |= E1000_RCTL_UPE;
  }
  if(rctl != nic->rctl) {
    nic->rctl = rctl;
    if(rctl & E1000_RCTL_EN) {
      e1000_write(nic, E1000_RCTL, rctl);
    }
  }
}

/* Link ----------------------------------------------------------------------------------------------------------- */
