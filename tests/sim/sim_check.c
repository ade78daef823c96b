/* sim_check.c - what the simulated device's caller must not do with its registers and with memory that it uses. */
#include "sim_internal.h"

#include <stdio.h>

/* The register table --------------------------------------------------------------------------------------------- */

void sim_learn_registers(struct sim *sim) {
  for(size_t i = 0; i < e1000_register_count; i++) {
    const struct e1000_register *row = &e1000_registers[i];
    uint32_t count = row->offset == R_MTA ? sim->part->mta_words : row->count;
    for(uint32_t n = 0; n < count && (row->families & sim->part->registers); n++) {
      sim->row[(row->offset + n * row->stride) / 4U] = row;
    }
  }
}

static void violate_register(struct sim *sim, uint32_t offset, const char *what, uint32_t value) {
  char text[SIM_TEXT];
  (void)snprintf(text, sizeof(text), "%s %s", sim->row[offset / 4U]->name, what);
  sim_violate(sim, text, value);
}

void sim_check_read(struct sim *sim, uint32_t offset) {
  const struct e1000_register *row = sim->row[offset / 4U];
  if(!row) {
    sim_violate(sim, "read where this device has no register", offset);
  } else if(row->access == E1000_WO) {
    violate_register(sim, offset, "is write-only and was read", offset);
  }
}

/* Reserved bits -------------------------------------------------------------------------------------------------- */

/* Bits that are to be written as zero, 8254x SDM 13.4 and 82574 10.2. IMC is not among them: all ones
 * mask everything. */
static const struct {
  uint32_t offset;
  uint32_t bits_8254x;
  uint32_t bits_82574;
} reserved[] = {
    {R_CTRL, 0x0003E416U, 0x2003E412U},   {R_FCAH, 0xFFFF0000U, 0xFFFF0000U},
    {R_FCT, 0xFFFF0000U, 0xFFFF0000U},    {R_FCTTV, 0xFFFF0000U, 0xFFFF0000U},
    {R_ITR, 0xFFFF0000U, 0xFFFF0000U},    {R_ICS, 0xFFFE0120U, 0xFE087D28U},
    {R_IMS, 0xFFFE0120U, 0xFE087D28U},    {R_EITR, 0U, 0xFFFF0000U},
    {R_RCTL, 0xF9204C01U, 0x81204001U}, /* 82574: DTYP and FLXBUF exist                       */
    {R_TCTL, 0xFC000005U, 0x80000005U}, /* 82574: several requests under way, and thresholds  */
    {R_TIPG, 0xC0000000U, 0xC0000000U},   {R_RDLEN, 0xFFF00000U, 0xFFF00000U},
    {R_RDH, 0xFFFF0000U, 0xFFFF0000U},    {R_RDTR, 0x7FFF0000U, 0x7FFF0000U},
    {R_RADV, 0xFFFF0000U, 0xFFFF0000U},   {R_TDLEN, 0xFFF00000U, 0xFFF00000U},
    {R_TDH, 0xFFFF0000U, 0xFFFF0000U},    {R_TIDV, 0x7FFF0000U, 0x7FFF0000U},
    {R_TXDCTL, 0x00C0C0C0U, 0x0080C0C0U}, /* 82574: bit 22 is to be set                        */
    {R_TADV, 0xFFFF0000U, 0xFFFF0000U},   {R_RAH, 0x7FFC0000U, 0x7FFC0000U},
};

/* Bits that are set already may be written back. */
static void check_reserved(struct sim *sim, uint32_t offset, uint32_t value) {
  bool is_rah = offset >= R_RAH && offset < R_RAH + 8U * SIM_RECEIVE_ADDRESSES && (offset - R_RAH) % 8U == 0;
  for(size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
    if(reserved[i].offset == (is_rah ? R_RAH : offset)) {
      uint32_t bits = sim->part->pcie ? reserved[i].bits_82574 : reserved[i].bits_8254x;
      bool causes = offset == R_ICS || offset == R_IMS;
      bits |= causes && sim->part->pcie && !sim->part->msix ? 0x01F00000U : 0U; /* a cause of each queue: MSI-X's */
      if(value & bits & ~*sim_reg(sim, offset)) {
        violate_register(sim, offset, "was written with reserved bits set", value);
      }
    }
  }
}

/* Left alone ----------------------------------------------------------------------------------------------------- */

#define PART_82544 1U
#define PART_PCIE  2U
#define PART_OTHER 4U
#define EVERY_PART (PART_82544 | PART_PCIE | PART_OTHER)

/* Not ours to write: wake-up is whoever's who armed it, the sixteenth address may be management's. And what a part does
 * not have, though its family does (SDM 13.4.31, 13.4.44; ITR). */
static const struct {
  uint32_t offset;
  uint8_t parts;
} left_alone[] = {
    {R_WUC, EVERY_PART},
    {R_WUFC, EVERY_PART},
    {R_RXCSUM, EVERY_PART},
    {R_RAL + 8U * 15U, EVERY_PART},
    {R_RAH + 8U * 15U, EVERY_PART},
    {R_MANC, PART_82544 | PART_PCIE},
    {R_ITR, PART_82544},
    {R_RADV, PART_82544},
    {R_TADV, PART_82544},
    {R_TXDCTL, PART_82544},
};

static void check_left_alone(struct sim *sim, uint32_t offset, uint32_t value) {
  if(offset >= R_RAL + 8U * sim->part->receive_addresses && offset < R_VFTA) {
    violate_register(sim, offset, "is to be left alone and was written", value);
    return;
  }
  if(sim->part->me && offset == R_TIPG) {
    violate_register(sim, offset, "is to be left alone and was written", value);
  }
  uint8_t part = sim->part->pcie ? PART_PCIE : sim->part->since_82540 ? PART_OTHER : PART_82544;
  for(size_t i = 0; i < sizeof(left_alone) / sizeof(left_alone[0]); i++) {
    if(left_alone[i].offset == offset && (left_alone[i].parts & part)) {
      violate_register(sim, offset, "is to be left alone and was written", value);
    }
  }
}

/* The serial EEPROM of the 82544 is let go with both wires low, and before anything else is begun. */
static void check_microwire(struct sim *sim, uint32_t offset, uint32_t value) {
  bool selected = sim->part->nvm == SIM_NVM_WIRES && (*sim_reg(sim, R_EECD) & EECD_CS);
  if(selected && (offset == R_CTRL || offset == R_RCTL || offset == R_TCTL)) {
    violate_register(sim, offset, "was written while the EEPROM is selected", value);
  }
  if(selected && offset == R_EECD && !(value & EECD_CS) && (value & (EECD_SK | EECD_DI))) {
    sim_violate(sim, "EEPROM deselected with its clock or data high", value);
  }
}

/* While it runs -------------------------------------------------------------------------------------------------- */

static bool receiver_runs(struct sim *sim) {
  return (*sim_reg(sim, R_RCTL) & RCTL_EN) != 0;
}

static bool transmitter_runs(struct sim *sim) {
  return (*sim_reg(sim, R_TCTL) & TCTL_EN) != 0;
}

static void check_receive_control(struct sim *sim, uint32_t value) {
  uint32_t size = RCTL_BSIZE | RCTL_BSEX;
  if(receiver_runs(sim) && (value & RCTL_EN) && ((value ^ *sim_reg(sim, R_RCTL)) & size)) {
    sim_violate(sim, "RCTL: another buffer size while the receiver runs", value);
  }
  if((value & RCTL_EN) && *sim_reg(sim, R_RDLEN) == 0) {
    sim_violate(sim, "RCTL.EN set without a ring", value);
  }
}

static void check_ring_setup(struct sim *sim, uint32_t offset, uint32_t value) {
  bool tx = offset >= R_TDBAL;
  uint32_t which = tx ? offset - R_TDBAL + R_RDBAL : offset;
  if(tx ? transmitter_runs(sim) : receiver_runs(sim)) {
    sim_violate(sim, "ring base, length or head written while the ring runs", offset);
  }
  if(which == R_RDBAL && value % 16U) {
    sim_violate(sim, "ring base not 16-byte aligned", value);
  }
  if(which == R_RDLEN && (value % 128U || value / 16U > SIM_RING_MAX)) {
    sim_violate(sim, "ring length not a multiple of 128 up to 64 KiB", value);
  }
}

/* What errata and specification updates want to be in place before the part runs. */
static void check_demands(struct sim *sim, uint32_t tctl) {
  for(uint32_t i = 0; i < sim_demand_count; i++) {
    const struct sim_demand *demand = &sim_demands[i];
    uint32_t value = *sim_reg(sim, demand->offset);
    if((demand->registers & sim->part->registers) &&
       (((value & demand->set) != demand->set) || (value & demand->clear))) {
      sim_violate(sim, demand->what, value);
    }
  }
  bool mulr = (tctl & TCTL_MULR) != 0;
  if((sim->part->registers & (E1000_FAMILY_82571 | E1000_FAMILY_PCH)) &&
     mulr == ((*sim_reg(sim, R_TARC1) & TARC1_28) != 0)) {
    sim_violate(sim, "TARC1 bit 28 is not the opposite of TCTL.MULR", tctl);
  }
}

static void check_state(struct sim *sim, uint32_t offset, uint32_t value) {
  switch(offset) {
  case R_RCTL:
    check_receive_control(sim, value);
    break;
  case R_TCTL:
    if((value & TCTL_EN) && *sim_reg(sim, R_TDLEN) == 0) {
      sim_violate(sim, "TCTL.EN set without a ring", value);
    }
    if((value & TCTL_EN) && (value & (TCTL_CT | TCTL_COLD)) != (0x0FU << 4 | 0x40U << 12)) {
      sim_violate(sim, "TCTL.EN set, CT and COLD not as 13.4.33 wants them at full duplex", value);
    } else if((value & TCTL_EN) && !sim->config.qemu) {
      check_demands(sim, value);
    }
    break;
  case R_PBA:
    if(receiver_runs(sim) || transmitter_runs(sim)) {
      sim_violate(sim, "PBA written while receiver or transmitter runs", value);
    }
    break;
  case R_RDBAL:
  case R_RDBAH:
  case R_RDLEN:
  case R_RDH:
  case R_TDBAL:
  case R_TDBAH:
  case R_TDLEN:
  case R_TDH:
    check_ring_setup(sim, offset, value);
    break;
  default:
    break;
  }
}

bool sim_check_write(struct sim *sim, uint32_t offset, uint32_t value) {
  const struct e1000_register *row = sim->row[offset / 4U];
  if(!row) {
    sim_violate(sim, "write where this device has no register", offset);
    return false;
  }
  if(offset == R_STATUS) {
    return false; /* no mistake: the self-test shows that nothing happens */
  }
  /* A one that is written to ICR clears the cause. */
  if(row->access == E1000_RO || (row->access == E1000_RC && offset != R_ICR)) {
    violate_register(sim, offset, "is read-only and was written", value);
    return false;
  }
  check_left_alone(sim, offset, value);
  check_microwire(sim, offset, value);
  check_reserved(sim, offset, value);
  check_state(sim, offset, value);
  return true;
}

/* What is shared --------------------------------------------------------------------------------------------------- */

static bool our_turn(struct sim *sim, enum sim_turn turn) {
  switch(turn) {
  case SIM_TURN_SWSM:
    return (*sim_reg(sim, R_SWSM) & (SWSM_SMBI | SWSM_SWESMBI)) == (SWSM_SMBI | SWSM_SWESMBI);
  case SIM_TURN_EXTCNF:
    return (*sim_reg(sim, R_EXTCNF_CTRL) & EXTCNF_MDIO_SW_OWNERSHIP) != 0;
  default:
    return true;
  }
}

void sim_check_phy(struct sim *sim, uint32_t value) {
  if(!our_turn(sim, sim->part->phy_turn) || (sim->part->phy_turn != SIM_TURN_NONE && sim->config.mdio_never_owned)) {
    sim_violate(sim, "MDIC used without the semaphore of this part", value);
  }
  if(sim->part->me && sim->config.me_active && (value >> 26 & 3U) == 1U) {
    sim_violate(sim, "MDIC: a PHY written that the ME keeps to itself", value);
  }
  if(sim->part->auto_read && !sim_phy_configured(sim) && !sim->config.cfg_never_done) {
    sim_violate(sim, "MDIC used while the PHY is configured from the NVM", value);
  }
}

void sim_check_reset(struct sim *sim, bool io, bool shadow) {
  enum sim_reset how = sim->part->reset;
  if(how != SIM_RESET_IO && io) {
    sim_violate(sim, "CTRL.RST through the I/O BAR of a part that needs no such thing", 0);
  }
  if(shadow != (how == SIM_RESET_SHADOW)) {
    sim_violate(sim, "CTRL.RST in the wrong one of CTRL and its shadow", 0);
  }
  if(sim->part->phy_first && (*sim_reg(sim, R_CTRL) & CTRL_PHY_RST)) {
    sim_violate(sim, "CTRL.RST while the PHY is held in reset", 0);
  }
  if(sim->part->phy_first && !sim->phy_was_reset) {
    sim_violate(sim, "CTRL.RST before the PHY was reset", 0);
  }
  if(!our_turn(sim, sim->part->reset_turn) && !sim->config.mdio_never_owned) {
    sim_violate(sim, "CTRL.RST without the semaphore of this part", 0);
  }
}

/* Memory that is freed ------------------------------------------------------------------------------------------- */

/* Whether a descriptor that the device has still to work on points into the block. */
static bool is_buffer(struct sim *sim, const struct sim_memory *row, uint32_t base_low) {
  uint64_t base = sim_ring_base(sim, base_low);
  uint32_t size = *sim_reg(sim, base_low + (R_RDLEN - R_RDBAL)) / 16U;
  uint32_t tail = *sim_reg(sim, base_low + (R_RDT - R_RDBAL));
  uint32_t i = *sim_reg(sim, base_low + (R_RDH - R_RDBAL));
  if(size > SIM_RING_MAX || i >= size || tail >= size) {
    return false;
  }
  for(; i != tail; i = (i + 1U) % size) {
    const uint8_t *descriptor = sim_find(sim, base + 16U * (uint64_t)i, 16U);
    if(descriptor && sim_holds(row, sim_little(descriptor, 8))) {
      return true;
    }
  }
  return false;
}

/* A device that still runs would go on in memory that is somebody else's by then. */
void sim_check_free(struct sim_host *host, const struct sim_memory *row) {
  struct sim *sim = (struct sim *)host;
  if(!sim_may_master(sim)) {
    return;
  }
  if(receiver_runs(sim) && sim_holds(row, sim_ring_base(sim, R_RDBAL))) {
    sim_violate(sim, "dma_free of the receive ring while RCTL.EN is set", row->device);
  }
  if(transmitter_runs(sim) && sim_holds(row, sim_ring_base(sim, R_TDBAL))) {
    sim_violate(sim, "dma_free of the transmit ring while TCTL.EN is set", row->device);
  }
  if(receiver_runs(sim) && is_buffer(sim, row, R_RDBAL)) {
    sim_violate(sim, "dma_free of receive buffers while RCTL.EN is set", row->device);
  }
  if(transmitter_runs(sim) && is_buffer(sim, row, R_TDBAL)) {
    sim_violate(sim, "dma_free of transmit buffers while TCTL.EN is set", row->device);
  }
}
