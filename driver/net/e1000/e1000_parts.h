/* e1000_parts.h - what one part of the family does otherwise than the next, as data. Private to driver/net/e1000. */
#ifndef E1000_PARTS_H
#define E1000_PARTS_H

#include "e1000_regs.h"
#include "net/driver.h"

/* How the NVM is read. */
enum e1000_nvm_method {
  E1000_NVM_EERD_SMALL, /* EERD with the address at bit 8, DONE at bit 4                        */
  E1000_NVM_EERD_LARGE, /* EERD with the address at bit 2, DONE at bit 1 (82541 and PCIe parts) */
  E1000_NVM_MICROWIRE,  /* bit by bit over EECD: the 82544 has no EERD                          */
  E1000_NVM_FLASH,      /* in the chipset's flash, by the registers in BAR 1: no EERD (82579)   */
};

/* What has to be held for a while, because management firmware, or the other port, wants the same thing. */
enum e1000_lock {
  E1000_LOCK_NONE,
  E1000_LOCK_MDIO,   /* EXTCNF_CTRL.MDIO_SW_OWNERSHIP: asked for until granted (82573, 82574, 82583)   */
  E1000_LOCK_SWFLAG, /* the same bit on a PCH: asked for once, when nobody holds it                     */
  E1000_LOCK_SWSM,   /* SWSM.SMBI against the other port, then SWSM.SWESMBI against the firmware (8257x) */
};

/* How frames are made to come back. */
enum e1000_loopback {
  E1000_LOOPBACK_M88,  /* inside an M88 PHY                           */
  E1000_LOOPBACK_IGP,  /* inside an IGP PHY, which takes the bits at once */
  E1000_LOOPBACK_MAC,  /* inside the MAC: RCTL.LBM                    */
  E1000_LOOPBACK_NONE, /* the PHY is not ours                         */
};

/* What a part needs that others do not. One row in the table sets them; no code asks for a device ID. */
#define E1000_QUIRK_IO_RESET    (1U << 0) /* cannot acknowledge CTRL.RST over memory space (spec update; SDM 14.3)   */
#define E1000_QUIRK_TX_PCIX_END (1U << 1) /* 82544 in PCI-X mode: where a transmit buffer may end                    */
#define E1000_QUIRK_PCIE        (1U << 2) /* GIO master handshake before a reset                                     */
#define E1000_QUIRK_AUTO_READ   (1U << 3) /* EECD.AUTO_RD says when the NVM has been read after a reset (8257x)      */
#define E1000_QUIRK_KEEP_RCTL   (1U << 4) /* never clear RCTL.EN while the receiver runs: reset instead (82574)      */
#define E1000_QUIRK_ASDE        (1U << 5) /* the MAC detects the PHY's speed itself when CTRL.ASDE is set            */
#define E1000_QUIRK_LEDCTL      (1U << 6) /* LEDCTL rules the LEDs: not on the 82544, nor on a PCH, whose PHY does   */
#define E1000_QUIRK_MTA_PAIRS   (1U << 7) /* writing an odd word of MTA or VFTA destroys the even one before (82544) */
#define E1000_QUIRK_EE_RST      (1U << 8) /* a reset reloads the NVM only when CTRL_EXT.EE_RST asks for it (82544)   */
#define E1000_QUIRK_MSIX        (1U << 9) /* has MSI-X, with IVAR and EITR (82574)                                   */

/* ICR says in a bit of its own whether the device interrupts (PCIe parts) */
#define E1000_QUIRK_INT_ASSERTED (1U << 10)

/* RADV, TADV and ITR exist, and TXDCTL has the write-back policy that we want: all but the 82544 (SDM 13.4.15,
 * 13.4.31, 13.4.44; of ITR by what other drivers leave alone on it) */
#define E1000_QUIRK_SINCE_82540 (1U << 11)

/* management firmware answers ARP by itself (MANC.ARP_EN): 8254x from the 82540 on */
#define E1000_QUIRK_ASF_ARP (1U << 12)

/* the flash may hold the NVM (EECD bits 16:15 = 11b): CTRL_EXT.EE_RST then, and no update by the hardware's own will */
#define E1000_QUIRK_FLASH_NVM (1U << 13)

/* may hang when it reads more than 2048 bytes at once in PCI-X mode, which some firmware sets: 82544, 82545EM,
 * 82546EB */
#define E1000_QUIRK_PCIX_MMRBC (1U << 14)

/* two ports: the second one's address is the NVM's with the lowest bit of the last byte inverted (82546, 82571) */
#define E1000_QUIRK_PORT_B (1U << 15)

/* the PHY is reset before the MAC (82541EI, 82547EI) */
#define E1000_QUIRK_PHY_RST_FIRST (1U << 16)

/* a reset of the other port loads RAL0/RAH0 of this one again, whatever they held (82571) */
#define E1000_QUIRK_LAA_RELOAD (1U << 17)

/* EEMNGCTL.CFG_DONE says when the PHY has been configured from the NVM; the others just take a while (82571, 82572) */
#define E1000_QUIRK_CFG_DONE (1U << 18)

/* EECD.REQ and GNT left set by somebody keep EERD from working (82571, 82572) */
#define E1000_QUIRK_EECD_REQ (1U << 19)

/* SWSM semaphores that an earlier owner left behind may be cleared: nobody else can hold them (one port) */
#define E1000_QUIRK_FREE_SWSM (1U << 20)

/* TARC1 bit 28 is the opposite of TCTL.MULR (82571, 82572, PCH) */
#define E1000_QUIRK_TARC1_MULR (1U << 21)

/* The management engine (ME) shares the part: the PHY is written only while FWSM.RSPCIPHY lets us, and never reset;
 * STATUS.LAN_INIT_DONE ends a reset; a tail write can be lost while the ME is active (PCH) */
#define E1000_QUIRK_ME (1U << 22)

/* no VLAN filter table, and TIPG as the hardware has it (PCH) */
#define E1000_QUIRK_NO_VFTA   (1U << 23)
#define E1000_QUIRK_KEEP_TIPG (1U << 24)

/* the checksum means something only when NVM word 0x19 bit 6 says so (PCH) */
#define E1000_QUIRK_NVM_UNSUMMED (1U << 25)

/* bits of a register to clear and to set before the device runs */
struct e1000_bits {
  uint32_t offset;
  uint32_t clear;
  uint32_t set;
};

/* What one or several models have in common: the silicon. */
struct e1000_part {
  uint16_t family;               /* E1000_FAMILY_ flags: the registers that it has               */
  uint8_t phy_address;           /* on the MDIO bus                                              */
  enum e1000_nvm_method nvm;     /* how to read it                                               */
  enum e1000_lock phy_lock;      /* held for each MDIO access                                    */
  enum e1000_lock reset_lock;    /* held while CTRL.RST is set                                   */
  enum e1000_loopback loopback;  /* for the self-test                                            */
  uint16_t mta_words;            /* of the multicast table                                       */
  uint16_t rar_count;            /* receive address pairs that are ours, RAL0 among them         */
  uint16_t reset_us;             /* no access for this long after CTRL.RST                       */
  uint16_t mdic_gap_us;          /* from one MDIO access to the next                             */
  uint32_t reset_register;       /* where CTRL.RST is written: CTRL, or its shadow               */
  uint32_t in_charge_register;   /* where DRV_LOAD is: 0 = nowhere                               */
  uint32_t in_charge;            /* that bit                                                     */
  uint32_t ctrl_clear;           /* bits of CTRL to clear when the device is started             */
  uint32_t txdctl;               /* bits of TXDCTL to set besides the write-back policy          */
  uint32_t rfctl;                /* what RFCTL holds while the device runs                       */
  const struct e1000_bits *bits; /* before the device runs                                       */
  uint32_t bit_count;
  uint32_t quirks; /* E1000_QUIRK_ */
};

struct e1000_model {
  struct net_model common; /* first */
  const struct e1000_part *part;
};

/* The model with these PCI IDs, or NULL. */
const struct e1000_model *e1000_find_model(uint16_t vendor_id, uint16_t device_id);

/* The `index`th model of the table, or NULL behind the last one. */
const struct e1000_model *e1000_model_at(size_t index);

#endif
