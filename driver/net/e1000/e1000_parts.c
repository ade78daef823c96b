/* e1000_parts.c - the parts as data, and the ID table. PARTS.md has the same for people, with where each was seen.
 *
 * Sources: "SDM" is the 8254x manual (317453), "PCIe SDM" the one of the 82571 to 82573 (316080), "82574" that part's
 * datasheet; "Linux" and "FreeBSD" are what those drivers (e1000, e1000e; sys/dev/e1000) do, where no document that
 * could be had says it. Of those here, QEMU has the 82540EM, 82544GC, 82545EM and 82574L; none has been seen on
 * silicon.
 */
#include "e1000_parts.h"
#include "../net_model.h"
#include "net/e1000.h"

#define ROWS(rows) .bits = (rows), .bit_count = sizeof(rows) / sizeof((rows)[0])

/* PCI and PCI-X ---------------------------------------------------------------------------------------------------- */

#define PCI_RESET_US  5000U  /* the NVM is read again meanwhile (SDM 14.3)           */
#define PCIE_RESET_US 1000U  /* then EECD.AUTO_RD says when the NVM has been read (82574 4.6.2) */
#define SPI_RESET_US  20000U /* on the 82541 and 82547 it takes longer (Linux, FreeBSD) */

#define COMMON_8254X                                                                                                   \
  .phy_address = 1, .mta_words = E1000_MTA_COUNT, .rar_count = E1000_RAR_COUNT, .reset_register = E1000_CTRL

/* What all parts from the 82540 on share. */
#define SINCE_82540 (E1000_QUIRK_ASDE | E1000_QUIRK_SINCE_82540 | E1000_QUIRK_ASF_ARP | E1000_QUIRK_LEDCTL)

static const struct e1000_part part_82544 = {
    COMMON_8254X,
    .family = E1000_FAMILY_8254X,
    .nvm = E1000_NVM_MICROWIRE,
    .loopback = E1000_LOOPBACK_M88,
    .reset_us = PCI_RESET_US,
    .quirks = E1000_QUIRK_IO_RESET | E1000_QUIRK_TX_PCIX_END | E1000_QUIRK_ASDE | E1000_QUIRK_MTA_PAIRS |
              E1000_QUIRK_EE_RST | E1000_QUIRK_PCIX_MMRBC,
};

static const struct e1000_part part_82540 = {
    COMMON_8254X,
    .family = E1000_FAMILY_8254X,
    .nvm = E1000_NVM_EERD_SMALL,
    .loopback = E1000_LOOPBACK_M88,
    .reset_us = PCI_RESET_US,
    .quirks = SINCE_82540 | E1000_QUIRK_IO_RESET,
};

static const struct e1000_part part_82545 = {
    COMMON_8254X,
    .family = E1000_FAMILY_8254X,
    .nvm = E1000_NVM_EERD_SMALL,
    .loopback = E1000_LOOPBACK_M88,
    .reset_us = PCI_RESET_US,
    .quirks = SINCE_82540 | E1000_QUIRK_IO_RESET | E1000_QUIRK_PCIX_MMRBC,
};

/* Two 82545 in one package (SDM 5.6.1: the second port's address). */
static const struct e1000_part part_82546eb = {
    COMMON_8254X,
    .family = E1000_FAMILY_8254X,
    .nvm = E1000_NVM_EERD_SMALL,
    .loopback = E1000_LOOPBACK_M88,
    .reset_us = PCI_RESET_US,
    .quirks = SINCE_82540 | E1000_QUIRK_IO_RESET | E1000_QUIRK_PCIX_MMRBC | E1000_QUIRK_PORT_B,
};

/* Reset through the shadow of CTRL at 0x4, and no limit on reads (Linux, FreeBSD: 82546 revision 3). */
static const struct e1000_part part_82546gb = {
    .phy_address = 1,
    .mta_words = E1000_MTA_COUNT,
    .rar_count = E1000_RAR_COUNT,
    .reset_register = E1000_CTRL_DUP,
    .family = E1000_FAMILY_8254X | E1000_FAMILY_CTRL_DUP,
    .nvm = E1000_NVM_EERD_SMALL,
    .loopback = E1000_LOOPBACK_M88,
    .reset_us = PCI_RESET_US,
    .quirks = SINCE_82540 | E1000_QUIRK_PORT_B,
};

/* SPI EEPROM behind the other layout of EERD (SDM 13.4.4), an IGP PHY. The first revision wants its PHY reset before
 * its MAC (Linux, FreeBSD). */
#define COMMON_82541                                                                                                   \
  .family = E1000_FAMILY_82541, COMMON_8254X, .nvm = E1000_NVM_EERD_LARGE, .loopback = E1000_LOOPBACK_IGP,             \
  .reset_us = SPI_RESET_US

static const struct e1000_part part_82541 = {
    COMMON_82541,
    .quirks = SINCE_82540 | E1000_QUIRK_IO_RESET | E1000_QUIRK_PHY_RST_FIRST,
};

static const struct e1000_part part_82541_2 = {
    COMMON_82541,
    .quirks = SINCE_82540 | E1000_QUIRK_IO_RESET,
};

/* On the chipset's CSA port instead of PCI: the reset needs no I/O space (Linux, FreeBSD). */
static const struct e1000_part part_82547 = {
    COMMON_82541,
    .quirks = SINCE_82540 | E1000_QUIRK_PHY_RST_FIRST,
};

static const struct e1000_part part_82547_2 = {
    COMMON_82541,
    .quirks = SINCE_82540,
};

/* PCI Express ------------------------------------------------------------------------------------------------------ */

#define COMMON_8257X                                                                                                   \
  .phy_address = 1, .mta_words = E1000_MTA_COUNT, .rar_count = E1000_RAR_COUNT, .reset_register = E1000_CTRL,          \
  .nvm = E1000_NVM_EERD_LARGE, .reset_us = PCIE_RESET_US, .txdctl = E1000_TXDCTL_COUNT_DESC

#define EVERY_PCIE  (E1000_QUIRK_PCIE | E1000_QUIRK_INT_ASSERTED | E1000_QUIRK_SINCE_82540)
#define EVERY_8257X (EVERY_PCIE | E1000_QUIRK_AUTO_READ | E1000_QUIRK_LEDCTL)

/* TARC as the specification update wants it, but for TARC0 bit 21, which belongs to gigabit alone (erratum) and is a
 * matter of speed: it stays clear. DMA clock gating off (erratum); ECC of the packet buffer on, 82571 only (Linux). */
static const struct e1000_bits bits_82571[] = {
    {E1000_TARC0, E1000_TARC0_CLEAR | 1U << 21, 0xFU << 23},
    {E1000_TARC1, 3U << 29, 1U << 22 | 7U << 24},
    {E1000_CTRL_EXT, E1000_CTRL_EXT_DMA_DYN_CLK, 0},
    {E1000_PBA_ECC, 0, E1000_PBA_ECC_CORRECT},
};

static const struct e1000_bits bits_82572[] = {
    {E1000_TARC0, E1000_TARC0_CLEAR | 1U << 21, 0xFU << 23},
    {E1000_TARC1, 3U << 29, 1U << 22 | 7U << 24},
    {E1000_CTRL_EXT, E1000_CTRL_EXT_DMA_DYN_CLK, 0},
};

/* A malformed IPv6 extension header hangs the receiver of these three (Linux). */
#define RFCTL_NO_IPV6_EXTENSIONS (1U << 16 | 1U << 17)

#define EVERY_82571 (EVERY_8257X | E1000_QUIRK_CFG_DONE | E1000_QUIRK_EECD_REQ | E1000_QUIRK_TARC1_MULR)

#define COMMON_82571                                                                                                   \
  .phy_lock = E1000_LOCK_SWSM, COMMON_8257X, .loopback = E1000_LOOPBACK_IGP, .in_charge_register = E1000_CTRL_EXT,     \
  .in_charge = E1000_CTRL_EXT_DRV_LOAD, .ctrl_clear = E1000_CTRL_ASDE, .rfctl = RFCTL_NO_IPV6_EXTENSIONS

static const struct e1000_part part_82571 = {
    COMMON_82571,
    .family = E1000_FAMILY_82571 | E1000_FAMILY_PBA_ECC,
    ROWS(bits_82571),
    .quirks = EVERY_82571 | E1000_QUIRK_PORT_B | E1000_QUIRK_LAA_RELOAD,
};

static const struct e1000_part part_82572 = {
    COMMON_82571,
    .family = E1000_FAMILY_82571,
    ROWS(bits_82572),
    .quirks = EVERY_82571 | E1000_QUIRK_FREE_SWSM,
};

/* CTRL bit 29 and CTRL_EXT bits 23 and 22 as for the 82574; GCR bit 27: into L1 though the other side stays awake. */
static const struct e1000_bits bits_82573[] = {
    {E1000_CTRL_EXT, E1000_CTRL_EXT_CLEAR_23, E1000_CTRL_EXT_SET_22},
    {E1000_TARC0, E1000_TARC0_CLEAR, 0},
    {E1000_GCR, 0, E1000_GCR_SET_27},
};

static const struct e1000_part part_82573 = {
    COMMON_8257X,
    .family = E1000_FAMILY_82573,
    .phy_lock = E1000_LOCK_SWSM,
    .reset_lock = E1000_LOCK_MDIO,
    .loopback = E1000_LOOPBACK_M88,
    .in_charge_register = E1000_SWSM,
    .in_charge = E1000_SWSM_DRV_LOAD,
    .ctrl_clear = E1000_CTRL_CLEAR_29 | E1000_CTRL_ASDE,
    .rfctl = RFCTL_NO_IPV6_EXTENSIONS,
    ROWS(bits_82573),
    .quirks = EVERY_8257X | E1000_QUIRK_FREE_SWSM | E1000_QUIRK_FLASH_NVM,
};

/* Bits without a name in the datasheet that its specification update asks for: without them PCIe completions may stall
 * under ASPM and the transmitter hangs. */
static const struct e1000_bits bits_82574[] = {
    {E1000_CTRL_EXT, E1000_CTRL_EXT_CLEAR_23, E1000_CTRL_EXT_SET_22},
    {E1000_TARC0, E1000_TARC0_CLEAR, E1000_TARC0_SET_26},
    {E1000_GCR, 0, E1000_GCR_SET_22},
    {E1000_GCR2, 0, E1000_GCR2_SET_0},
};

#define COMMON_82574                                                                                                   \
  .phy_lock = E1000_LOCK_MDIO, COMMON_8257X, .reset_lock = E1000_LOCK_MDIO, .loopback = E1000_LOOPBACK_MAC,            \
  .in_charge_register = E1000_CTRL_EXT, .in_charge = E1000_CTRL_EXT_DRV_LOAD,                                          \
  .ctrl_clear = E1000_CTRL_CLEAR_29 | E1000_CTRL_ASDE, .rfctl = E1000_RFCTL_ACK_DIS, ROWS(bits_82574)

#define EVERY_82574 (EVERY_8257X | E1000_QUIRK_KEEP_RCTL | E1000_QUIRK_FREE_SWSM | E1000_QUIRK_FLASH_NVM)

static const struct e1000_part part_82574 = {
    COMMON_82574,
    .family = E1000_FAMILY_82574 | E1000_FAMILY_MSIX,
    .quirks = EVERY_82574 | E1000_QUIRK_MSIX,
};

/* An 82574 without MSI-X. */
static const struct e1000_part part_82583 = {
    COMMON_82574,
    .family = E1000_FAMILY_82574,
    .quirks = EVERY_82574,
};

/* The chipset's own MAC, its PHY beside it, both shared with the ME ----------------------------------------------- */

#define PCH_RESET_US 20000U /* reading earlier than this hangs the hardware (Linux) */

static const struct e1000_bits bits_82579[] = {
    {E1000_CTRL_EXT, 0, E1000_CTRL_EXT_SET_22 | E1000_CTRL_EXT_PHYPDEN | E1000_CTRL_EXT_RO_DIS},
    {E1000_TARC0, 0, 3U << 23 | 3U << 26},
    {E1000_TARC1, 0, 1U << 24 | 1U << 26 | 1U << 30},
};

/* All of it from Linux e1000e (ich8lan.c, pch2lan) and iPXE's intel.c, which leaves the PHY alone too. Of the receive
 * addresses the first is ours: 1 to 6 are the ME's. */
static const struct e1000_part part_82579 = {
    .family = E1000_FAMILY_PCH,
    .phy_address = 2,
    .nvm = E1000_NVM_FLASH,
    .phy_lock = E1000_LOCK_SWFLAG,
    .reset_lock = E1000_LOCK_SWFLAG,
    .loopback = E1000_LOOPBACK_NONE,
    .mta_words = 32,
    .rar_count = 1,
    .reset_us = PCH_RESET_US,
    .mdic_gap_us = 100,
    .reset_register = E1000_CTRL,
    .in_charge_register = E1000_CTRL_EXT,
    .in_charge = E1000_CTRL_EXT_DRV_LOAD,
    .ctrl_clear = E1000_CTRL_ASDE,
    .txdctl = E1000_TXDCTL_COUNT_DESC,
    .rfctl = E1000_RFCTL_NFSW_DIS | E1000_RFCTL_NFSR_DIS,
    ROWS(bits_82579),
    .quirks = EVERY_PCIE | E1000_QUIRK_TARC1_MULR | E1000_QUIRK_ME | E1000_QUIRK_NO_VFTA | E1000_QUIRK_KEEP_TIPG |
              E1000_QUIRK_NVM_UNSUMMED,
};

static const struct e1000_model models[] = {
#define MODEL(name, id, bits, flags, silicon)                                                                          \
  .common = {name, "Intel " name " Gigabit Ethernet", bits, flags, E1000_VENDOR_ID, id}, .part = &(silicon)
    {MODEL("82544GC", 0x100C, 32, 0, part_82544)},
    {MODEL("82540EM", 0x100E, 32, 0, part_82540)},
    {MODEL("82545EM", 0x100F, 32, 0, part_82545)},
    {MODEL("82546EB", 0x1010, 32, 0, part_82546eb)},
    {MODEL("82541EI", 0x1013, 32, 0, part_82541)},
    {MODEL("82541ER", 0x1014, 32, 0, part_82541)}, /* on a mainboard */
    {MODEL("82541EI", 0x1018, 32, 0, part_82541)}, /* mobile         */
    {MODEL("82547EI", 0x1019, 32, 0, part_82547)},
    {MODEL("82547EI", 0x101A, 32, 0, part_82547)},   /* mobile      */
    {MODEL("82546EB", 0x101D, 32, 0, part_82546eb)}, /* four ports  */
    {MODEL("82571EB", 0x105E, 64, NET_MODEL_NO_ASPM, part_82571)},
    {MODEL("82547GI", 0x1075, 32, 0, part_82547_2)},
    {MODEL("82541GI", 0x1076, 32, 0, part_82541_2)},
    {MODEL("82541GI", 0x1077, 32, 0, part_82541_2)}, /* mobile      */
    {MODEL("82541ER", 0x1078, 32, 0, part_82541_2)},
    {MODEL("82546GB", 0x1079, 32, 0, part_82546gb)},
    {MODEL("82541PI", 0x107C, 32, 0, part_82541_2)},
    {MODEL("82572EI", 0x107D, 64, NET_MODEL_NO_ASPM, part_82572)},
    {MODEL("82573V", 0x108B, 64, NET_MODEL_NO_ASPM, part_82573)},
    {MODEL("82573E", 0x108C, 64, NET_MODEL_NO_ASPM, part_82573)},
    {MODEL("82546GB", 0x1099, 32, 0, part_82546gb)}, /* four ports  */
    {MODEL("82573L", 0x109A, 64, NET_MODEL_NO_ASPM, part_82573)},
    {MODEL("82571EB", 0x10A4, 64, NET_MODEL_NO_ASPM, part_82571)}, /* four ports  */
    {MODEL("82546GB", 0x10B5, 32, 0, part_82546gb)},               /* four ports  */
    {MODEL("82572EI", 0x10B9, 64, NET_MODEL_NO_ASPM, part_82572)},
    {MODEL("82571EB", 0x10BC, 64, NET_MODEL_NO_ASPM, part_82571)}, /* four ports  */
    {MODEL("82574L", 0x10D3, 64, NET_MODEL_NO_ASPM, part_82574)},
    {MODEL("82571PT", 0x10D5, 64, NET_MODEL_NO_ASPM, part_82571)}, /* four ports  */
    {MODEL("82574L", 0x10F6, 64, NET_MODEL_NO_ASPM, part_82574)},  /* 82574LA     */
    {MODEL("82583V", 0x150C, 64, NET_MODEL_NO_ASPM, part_82583)},
    {MODEL("82579LM", 0x1502, 64, 0, part_82579)},
    {MODEL("82579V", 0x1503, 64, 0, part_82579)},
#undef MODEL
};

const struct e1000_model *e1000_find_model(uint16_t vendor_id, uint16_t device_id) {
  return net_model_find(models, sizeof(models) / sizeof(models[0]), sizeof(models[0]), vendor_id, device_id);
}

const struct e1000_model *e1000_model_at(size_t index) {
  return index < sizeof(models) / sizeof(models[0]) ? &models[index] : NULL;
}
