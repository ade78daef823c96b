/* sim_parts.c - the simulated parts, a row each. Transcribed from manuals, specification updates and what other drivers
 * do, apart from the driver's own table: a wrong row of that one shows as a disagreement. */
#include "sim_parts.h"

#include "net/e1000.h"
#include "sim.h"

#include <stdlib.h>

#define M88      .phy_id = {0x0141, 0x0C20}
#define M88_1111 .phy_id = {0x0141, 0x0CC0}
#define IGP      .phy_id = {0x02A8, 0x0380}
#define BM       .phy_id = {0x0141, 0x0CB1}

#define PCI(id)                                                                                                        \
  .device_id = (id), .registers = E1000_FAMILY_8254X, .nvm = SIM_NVM_EERD_8254X, .reset = SIM_RESET_IO,                \
  .reset_us = 1000U, M88, .phy_address = 1, .since_82540 = true, .mta_words = 128, .receive_addresses = 15

/* The SPI EEPROM takes longer to read. */
#define SPI(id)                                                                                                        \
  .device_id = (id), .registers = E1000_FAMILY_82541, .nvm = SIM_NVM_EERD_PCIE, .reset_us = 15000U, IGP,               \
  .phy_address = 1, .igp = true, .since_82540 = true, .mta_words = 128, .receive_addresses = 15

#define EXPRESS(id)                                                                                                    \
  .device_id = (id), .nvm = SIM_NVM_EERD_PCIE, .reset = SIM_RESET_MEMORY, .reset_us = 1000U, .phy_address = 1,         \
  .since_82540 = true, .pcie = true, .auto_read = true, .mta_words = 128, .receive_addresses = 15

#define P82571(id)                                                                                                     \
  .registers = E1000_FAMILY_82571 | E1000_FAMILY_PBA_ECC, EXPRESS(id), IGP, .igp = true, .cfg_done = true,             \
  .eecd_held = true, .phy_turn = SIM_TURN_SWSM, .two_ports = true
#define P82572(id)                                                                                                     \
  .registers = E1000_FAMILY_82571, EXPRESS(id), IGP, .igp = true, .cfg_done = true, .eecd_held = true,                 \
  .phy_turn = SIM_TURN_SWSM
#define P82573(id)                                                                                                     \
  .registers = E1000_FAMILY_82573, EXPRESS(id), M88_1111, .flash = true, .smbi_after_reset = true,                     \
  .phy_turn = SIM_TURN_SWSM, .reset_turn = SIM_TURN_EXTCNF
#define P82574(id)                                                                                                     \
  .flash = true, EXPRESS(id), BM, .smbi_after_reset = true, .phy_turn = SIM_TURN_EXTCNF, .reset_turn = SIM_TURN_EXTCNF

#define PCH(id)                                                                                                        \
  .device_id = (id), .registers = E1000_FAMILY_PCH, .nvm = SIM_NVM_FLASH, .reset = SIM_RESET_MEMORY,                   \
  .reset_us = 15000U, .phy_id = {0x0154, 0x0090}, .phy_address = 2, .igp = true, .since_82540 = true, .pcie = true,    \
  .me = true, .phy_turn = SIM_TURN_EXTCNF, .reset_turn = SIM_TURN_EXTCNF, .mta_words = 32, .receive_addresses = 1

static const struct sim_part parts[] = {
    {PCI(SIM_82540EM)},
    {PCI(SIM_82545EM)},
    {.device_id = SIM_82544GC,
     .registers = E1000_FAMILY_8254X,
     .nvm = SIM_NVM_WIRES,
     .reset = SIM_RESET_IO,
     .reset_us = 1000U,
     M88,
     .phy_address = 1,
     .nvm_by_order = true,
     .table_pairs = true,
     .buffer_ends = true,
     .mta_words = 128,
     .receive_addresses = 15},
    {PCI(SIM_82546EB), .two_ports = true},
    {PCI(SIM_82546EB_QUAD), .two_ports = true},
    {.device_id = SIM_82546GB,
     .registers = E1000_FAMILY_8254X | E1000_FAMILY_CTRL_DUP,
     .nvm = SIM_NVM_EERD_8254X,
     .reset = SIM_RESET_SHADOW,
     .reset_us = 1000U,
     M88,
     .phy_address = 1,
     .since_82540 = true,
     .two_ports = true,
     .mta_words = 128,
     .receive_addresses = 15},
    {SPI(SIM_82541EI), .reset = SIM_RESET_IO, .phy_first = true},
    {SPI(SIM_82541ER_LOM), .reset = SIM_RESET_IO, .phy_first = true},
    {SPI(SIM_82541GI), .reset = SIM_RESET_IO},
    {SPI(SIM_82541ER), .reset = SIM_RESET_IO},
    {SPI(SIM_82541PI), .reset = SIM_RESET_IO},
    {SPI(SIM_82547EI), .reset = SIM_RESET_MEMORY, .phy_first = true},
    {SPI(SIM_82547GI), .reset = SIM_RESET_MEMORY},
    {P82571(SIM_82571EB)},
    {P82571(SIM_82571PT)},
    {P82572(SIM_82572EI)},
    {P82573(SIM_82573V)},
    {P82573(SIM_82573E)},
    {P82573(SIM_82573L)},
    {P82574(SIM_82574L), .registers = E1000_FAMILY_82574 | E1000_FAMILY_MSIX, .msix = true},
    {P82574(SIM_82574LA), .registers = E1000_FAMILY_82574 | E1000_FAMILY_MSIX, .msix = true},
    {PCH(SIM_82579LM)},
    {PCH(SIM_82579V)},
    {P82574(SIM_82583V), .registers = E1000_FAMILY_82574},
};

const struct sim_part *sim_part_of(uint16_t device_id) {
  for(uint32_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    if(parts[i].device_id == device_id) {
      return &parts[i];
    }
  }
  abort();
}

#define LATER     (E1000_FAMILY_82573 | E1000_FAMILY_82574)
#define ALL_8257X (E1000_FAMILY_82571 | LATER)

/* Checked when the transmitter is switched on: by then everything has to be in place. */
const struct sim_demand sim_demands[] = {
    {ALL_8257X, 0x03828U, 1U << 22, 0, "TXDCTL bit 22 is clear: thresholds in cache lines"},
    {E1000_FAMILY_82571, 0x03840U, 1U << 23 | 1U << 24 | 1U << 25 | 1U << 26, 0x78000000U, "TARC0 of the 82571"},
    {E1000_FAMILY_82571, 0x03940U, 1U << 22 | 1U << 24 | 1U << 25 | 1U << 26, 1U << 29 | 1U << 30,
     "TARC1 of the 82571"},
    {E1000_FAMILY_82571, 0x00018U, 1U << 28, 1U << 19, "CTRL_EXT of the 82571: DRV_LOAD, DMA clock gating"},
    {E1000_FAMILY_PBA_ECC, 0x01100U, 1U << 0, 0, "PBA_ECC: errors are not corrected"},
    {E1000_FAMILY_82571 | E1000_FAMILY_82573, 0x05008U, 1U << 16 | 1U << 17, 1U << 15, "RFCTL: IPv6 extension headers"},
    {LATER, 0x00000U, 0, 1U << 29, "CTRL bit 29 is set"},
    {LATER, 0x00018U, 1U << 22, 1U << 23, "CTRL_EXT bits 22 and 23"},
    {LATER, 0x03840U, 0, 0x78000000U, "TARC0 bits 30:27"},
    {E1000_FAMILY_82573, 0x05B00U, 1U << 27, 0, "GCR bit 27 of the 82573"},
    {E1000_FAMILY_82573, 0x05B50U, 1U << 3, 0, "SWSM.DRV_LOAD: the firmware thinks that no driver is there"},
    {E1000_FAMILY_82574, 0x00018U, 1U << 28, 0, "CTRL_EXT.DRV_LOAD: the firmware thinks that no driver is there"},
    {E1000_FAMILY_82574, 0x03840U, 1U << 26, 0, "TARC0 bit 26 of the 82574"},
    {E1000_FAMILY_82574, 0x05B00U, 1U << 22, 0, "GCR bit 22 of the 82574"},
    {E1000_FAMILY_82574, 0x05B64U, 1U << 0, 0, "GCR2 bit 0 of the 82574"},
    {E1000_FAMILY_82574, 0x05008U, 1U << 12, 1U << 15, "RFCTL.ACK_DIS of the 82574"},
    {E1000_FAMILY_PCH, 0x00018U, 1U << 28 | 1U << 22 | 1U << 20 | 1U << 17, 0, "CTRL_EXT of the PCH"},
    {E1000_FAMILY_PCH, 0x03828U, 1U << 22, 0, "TXDCTL bit 22 of the PCH"},
    {E1000_FAMILY_PCH, 0x03840U, 1U << 23 | 1U << 24 | 1U << 26 | 1U << 27, 0, "TARC0 of the PCH"},
    {E1000_FAMILY_PCH, 0x03940U, 1U << 24 | 1U << 26 | 1U << 30, 0, "TARC1 of the PCH"},
    {E1000_FAMILY_PCH, 0x05008U, 1U << 6 | 1U << 7, 1U << 15, "RFCTL of the PCH: NFS filtering"},
    {E1000_FAMILY_PCH, 0x03004U, 0x00050000U, 0, "KABGTXD of the PCH"},
};

const uint32_t sim_demand_count = sizeof(sim_demands) / sizeof(sim_demands[0]);
