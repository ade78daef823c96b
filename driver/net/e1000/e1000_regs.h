/* e1000_regs.h - the registers of the 8254x and 82574L: one row of data each, and the bits the driver uses. */
#ifndef E1000_REGS_H
#define E1000_REGS_H

/*
 * Sections are those of the 8254x Software Developer's Manual (317453), except in rows of the 82574 alone, whose
 * sections are those of the 82574 datasheet (marked "82574"; 10.2 is its chapter of register descriptions).
 *
 * Columns: name, offset, count, stride, access, families, section, text.
 */
#define E1000_OLD   (E1000_FAMILY_8254X | E1000_FAMILY_82541)
#define E1000_8257X (E1000_FAMILY_82571 | E1000_FAMILY_82573 | E1000_FAMILY_82574)
#define E1000_PCIE  (E1000_8257X | E1000_FAMILY_PCH)
#define E1000_MOST  (E1000_OLD | E1000_8257X)
#define E1000_ALL   (E1000_OLD | E1000_PCIE)
#define E1000_OWNED (E1000_FAMILY_82573 | E1000_FAMILY_82574 | E1000_FAMILY_PCH)
#define E1000_NEW   E1000_FAMILY_82574
#define E1000_MSIX  E1000_FAMILY_MSIX
#define E1000_DUP   E1000_FAMILY_CTRL_DUP
#define E1000_ECC   E1000_FAMILY_PBA_ECC
#define E1000_PCH   E1000_FAMILY_PCH

#define E1000_REGISTERS(X)                                                                                             \
  X(CTRL, 0x00000, 1, 4, RW, ALL, "13.4.1", "Device Control")                                                          \
  X(CTRL_DUP, 0x00004, 1, 4, RW, DUP, "13.4.1", "Device Control, shadow")                                              \
  X(STATUS, 0x00008, 1, 4, RO, ALL, "13.4.2", "Device Status")                                                         \
  X(EECD, 0x00010, 1, 4, RW, ALL, "13.4.3", "EEPROM/Flash Control and Data")                                           \
  X(EERD, 0x00014, 1, 4, RW, MOST, "13.4.4", "EEPROM Read")                                                            \
  X(CTRL_EXT, 0x00018, 1, 4, RW, ALL, "13.4.6", "Extended Device Control")                                             \
  X(FLA, 0x0001C, 1, 4, RW, MOST, "13.4.5", "Flash Access")                                                            \
  X(MDIC, 0x00020, 1, 4, RW, ALL, "13.4.7", "MDI Control")                                                             \
  X(FCAL, 0x00028, 1, 4, RW, ALL, "13.4.8", "Flow Control Address Low")                                                \
  X(FCAH, 0x0002C, 1, 4, RW, ALL, "13.4.9", "Flow Control Address High")                                               \
  X(FCT, 0x00030, 1, 4, RW, ALL, "13.4.10", "Flow Control Type")                                                       \
  X(VET, 0x00038, 1, 4, RW, ALL, "13.4.11", "VLAN Ether Type")                                                         \
  X(ICR, 0x000C0, 1, 4, RC, ALL, "13.4.17", "Interrupt Cause Read")                                                    \
  X(ITR, 0x000C4, 1, 4, RW, ALL, "13.4.18", "Interrupt Throttling")                                                    \
  X(ICS, 0x000C8, 1, 4, WO, ALL, "13.4.19", "Interrupt Cause Set")                                                     \
  X(IMS, 0x000D0, 1, 4, RW, ALL, "13.4.20", "Interrupt Mask Set/Read")                                                 \
  X(IMC, 0x000D8, 1, 4, WO, ALL, "13.4.21", "Interrupt Mask Clear")                                                    \
  X(IAM, 0x000E0, 1, 4, RW, PCIE, "82574 10.2", "Interrupt Acknowledge Auto Mask")                                     \
  X(IVAR, 0x000E4, 1, 4, RW, MSIX, "82574 10.2", "Interrupt Vector Allocation")                                        \
  X(EITR, 0x000E8, 5, 4, RW, MSIX, "82574 10.2", "Extended Interrupt Throttle")                                        \
  X(RCTL, 0x00100, 1, 4, RW, ALL, "13.4.22", "Receive Control")                                                        \
  X(FCTTV, 0x00170, 1, 4, RW, ALL, "13.4.12", "Flow Control Transmit Timer Value")                                     \
  X(TCTL, 0x00400, 1, 4, RW, ALL, "13.4.33", "Transmit Control")                                                       \
  X(TIPG, 0x00410, 1, 4, RW, ALL, "13.4.34", "Transmit Inter Packet Gap")                                              \
  X(AIT, 0x00458, 1, 4, RW, ALL, "13.4.35", "Adaptive IFS Throttle")                                                   \
  X(LEDCTL, 0x00E00, 1, 4, RW, ALL, "13.4.15", "LED Control")                                                          \
  X(EXTCNF_CTRL, 0x00F00, 1, 4, RW, OWNED, "82574 10.2", "Extended Configuration Control")                             \
  X(EEWR, 0x0102C, 1, 4, RW, 8257X, "82574 10.2", "EEPROM Write")                                                      \
  X(PBA, 0x01000, 1, 4, RW, ALL, "13.4.16", "Packet Buffer Allocation")                                                \
  X(EEMNGCTL, 0x01010, 1, 4, RW, 8257X, "82574 10.2", "MNG EEPROM Control")                                            \
  X(PBA_ECC, 0x01100, 1, 4, RW, ECC, "PCIe SDM 13.3", "Packet Buffer ECC")                                             \
  X(FCRTL, 0x02160, 1, 4, RW, ALL, "13.4.23", "Flow Control Receive Threshold Low")                                    \
  X(FCRTH, 0x02168, 1, 4, RW, ALL, "13.4.24", "Flow Control Receive Threshold High")                                   \
  X(RDBAL, 0x02800, 1, 4, RW, ALL, "13.4.25", "Receive Descriptor Base Address Low")                                   \
  X(RDBAH, 0x02804, 1, 4, RW, ALL, "13.4.26", "Receive Descriptor Base Address High")                                  \
  X(RDLEN, 0x02808, 1, 4, RW, ALL, "13.4.27", "Receive Descriptor Length")                                             \
  X(RDH, 0x02810, 1, 4, RW, ALL, "13.4.28", "Receive Descriptor Head")                                                 \
  X(RDT, 0x02818, 1, 4, RW, ALL, "13.4.29", "Receive Descriptor Tail")                                                 \
  X(RDTR, 0x02820, 1, 4, RW, ALL, "13.4.30", "Receive Delay Timer")                                                    \
  X(RXDCTL, 0x02828, 1, 4, RW, ALL, "13.4", "Receive Descriptor Control")                                              \
  X(RADV, 0x0282C, 1, 4, RW, ALL, "13.4.31", "Receive Interrupt Absolute Delay Timer")                                 \
  X(RSRPD, 0x02C00, 1, 4, RW, ALL, "13.4.32", "Receive Small Packet Detect Interrupt")                                 \
  X(KABGTXD, 0x03004, 1, 4, RW, PCH, "Linux", "AFE Band Gap Transmit Reference Data")                                  \
  X(TDBAL, 0x03800, 1, 4, RW, ALL, "13.4.36", "Transmit Descriptor Base Address Low")                                  \
  X(TDBAH, 0x03804, 1, 4, RW, ALL, "13.4.37", "Transmit Descriptor Base Address High")                                 \
  X(TDLEN, 0x03808, 1, 4, RW, ALL, "13.4.38", "Transmit Descriptor Length")                                            \
  X(TDH, 0x03810, 1, 4, RW, ALL, "13.4.39", "Transmit Descriptor Head")                                                \
  X(TDT, 0x03818, 1, 4, RW, ALL, "13.4.40", "Transmit Descriptor Tail")                                                \
  X(TIDV, 0x03820, 1, 4, RW, ALL, "13.4.41", "Transmit Interrupt Delay Value")                                         \
  X(TXDCTL, 0x03828, 1, 4, RW, ALL, "13.4.43", "Transmit Descriptor Control")                                          \
  X(TADV, 0x0382C, 1, 4, RW, ALL, "13.4.44", "Transmit Interrupt Absolute Delay Value")                                \
  X(TARC0, 0x03840, 1, 4, RW, PCIE, "82574 10.2", "Transmit Arbitration Counter 0")                                    \
  X(TARC1, 0x03940, 1, 4, RW, PCIE, "82574 10.2", "Transmit Arbitration Counter 1")                                    \
  X(CRCERRS, 0x04000, 1, 4, RC, ALL, "13.7.1", "CRC Error Count")                                                      \
  X(ALGNERRC, 0x04004, 1, 4, RC, ALL, "13.7.2", "Alignment Error Count")                                               \
  X(SYMERRS, 0x04008, 1, 4, RC, OLD, "13.7.3", "Symbol Error Count")                                                   \
  X(RXERRC, 0x0400C, 1, 4, RC, ALL, "13.7.4", "RX Error Count")                                                        \
  X(MPC, 0x04010, 1, 4, RC, ALL, "13.7.5", "Missed Packets Count")                                                     \
  X(SCC, 0x04014, 1, 4, RC, MOST, "13.7.6", "Single Collision Count")                                                  \
  X(ECOL, 0x04018, 1, 4, RC, MOST, "13.7.7", "Excessive Collisions Count")                                             \
  X(MCC, 0x0401C, 1, 4, RC, MOST, "13.7.8", "Multiple Collision Count")                                                \
  X(LATECOL, 0x04020, 1, 4, RC, MOST, "13.7.9", "Late Collisions Count")                                               \
  X(COLC, 0x04028, 1, 4, RC, MOST, "13.7.10", "Collision Count")                                                       \
  X(DC, 0x04030, 1, 4, RC, MOST, "13.7.11", "Defer Count")                                                             \
  X(TNCRS, 0x04034, 1, 4, RC, MOST, "13.7.12", "Transmit with No CRS")                                                 \
  X(SEC, 0x04038, 1, 4, RC, OLD, "13.7.13", "Sequence Error Count")                                                    \
  X(CEXTERR, 0x0403C, 1, 4, RC, ALL, "13.7.14", "Carrier Extension Error Count")                                       \
  X(RLEC, 0x04040, 1, 4, RC, ALL, "13.7.15", "Receive Length Error Count")                                             \
  X(XONRXC, 0x04048, 1, 4, RC, ALL, "13.7.16", "XON Received Count")                                                   \
  X(XONTXC, 0x0404C, 1, 4, RC, ALL, "13.7.17", "XON Transmitted Count")                                                \
  X(XOFFRXC, 0x04050, 1, 4, RC, ALL, "13.7.18", "XOFF Received Count")                                                 \
  X(XOFFTXC, 0x04054, 1, 4, RC, ALL, "13.7.19", "XOFF Transmitted Count")                                              \
  X(FCRUC, 0x04058, 1, 4, RC, ALL, "13.7.20", "FC Received Unsupported Count")                                         \
  X(PRC64, 0x0405C, 1, 4, RC, MOST, "13.7.21", "Packets Received (64 Bytes) Count")                                    \
  X(PRC127, 0x04060, 1, 4, RC, MOST, "13.7.22", "Packets Received (65-127 Bytes) Count")                               \
  X(PRC255, 0x04064, 1, 4, RC, MOST, "13.7.23", "Packets Received (128-255 Bytes) Count")                              \
  X(PRC511, 0x04068, 1, 4, RC, MOST, "13.7.24", "Packets Received (256-511 Bytes) Count")                              \
  X(PRC1023, 0x0406C, 1, 4, RC, MOST, "13.7.25", "Packets Received (512-1023 Bytes) Count")                            \
  X(PRC1522, 0x04070, 1, 4, RC, MOST, "13.7.26", "Packets Received (1024 to Max Bytes) Count")                         \
  X(GPRC, 0x04074, 1, 4, RC, ALL, "13.7.27", "Good Packets Received Count")                                            \
  X(BPRC, 0x04078, 1, 4, RC, ALL, "13.7.28", "Broadcast Packets Received Count")                                       \
  X(MPRC, 0x0407C, 1, 4, RC, ALL, "13.7.29", "Multicast Packets Received Count")                                       \
  X(GPTC, 0x04080, 1, 4, RC, ALL, "13.7.30", "Good Packets Transmitted Count")                                         \
  X(GORCL, 0x04088, 1, 4, RC, ALL, "13.7.31", "Good Octets Received Count (low)")                                      \
  X(GORCH, 0x0408C, 1, 4, RC, ALL, "13.7.31", "Good Octets Received Count (high)")                                     \
  X(GOTCL, 0x04090, 1, 4, RC, ALL, "13.7.32", "Good Octets Transmitted Count (low)")                                   \
  X(GOTCH, 0x04094, 1, 4, RC, ALL, "13.7.32", "Good Octets Transmitted Count (high)")                                  \
  X(RNBC, 0x040A0, 1, 4, RC, ALL, "13.7.33", "Receive No Buffers Count")                                               \
  X(RUC, 0x040A4, 1, 4, RC, ALL, "13.7.34", "Receive Undersize Count")                                                 \
  X(RFC, 0x040A8, 1, 4, RC, ALL, "13.7.35", "Receive Fragment Count")                                                  \
  X(ROC, 0x040AC, 1, 4, RC, ALL, "13.7.36", "Receive Oversize Count")                                                  \
  X(RJC, 0x040B0, 1, 4, RC, ALL, "13.7.37", "Receive Jabber Count")                                                    \
  X(MGTPRC, 0x040B4, 1, 4, RC, ALL, "13.7.38", "Management Packets Received Count")                                    \
  X(MGTPDC, 0x040B8, 1, 4, RC, ALL, "13.7.39", "Management Packets Dropped Count")                                     \
  X(MGTPTC, 0x040BC, 1, 4, RC, ALL, "13.7.40", "Management Packets Transmitted Count")                                 \
  X(TORL, 0x040C0, 1, 4, RC, ALL, "13.7.41", "Total Octets Received (low)")                                            \
  X(TORH, 0x040C4, 1, 4, RC, ALL, "13.7.41", "Total Octets Received (high)")                                           \
  X(TOTL, 0x040C8, 1, 4, RC, ALL, "13.7.42", "Total Octets Transmitted (low)")                                         \
  X(TOTH, 0x040CC, 1, 4, RC, ALL, "13.7.42", "Total Octets Transmitted (high)")                                        \
  X(TPR, 0x040D0, 1, 4, RC, ALL, "13.7.43", "Total Packets Received")                                                  \
  X(TPT, 0x040D4, 1, 4, RC, ALL, "13.7.44", "Total Packets Transmitted")                                               \
  X(PTC64, 0x040D8, 1, 4, RC, MOST, "13.7.45", "Packets Transmitted (64 Bytes) Count")                                 \
  X(PTC127, 0x040DC, 1, 4, RC, MOST, "13.7.46", "Packets Transmitted (65-127 Bytes) Count")                            \
  X(PTC255, 0x040E0, 1, 4, RC, MOST, "13.7.47", "Packets Transmitted (128-255 Bytes) Count")                           \
  X(PTC511, 0x040E4, 1, 4, RC, MOST, "13.7.48", "Packets Transmitted (256-511 Bytes) Count")                           \
  X(PTC1023, 0x040E8, 1, 4, RC, MOST, "13.7.49", "Packets Transmitted (512-1023 Bytes) Count")                         \
  X(PTC1522, 0x040EC, 1, 4, RC, MOST, "13.7.50", "Packets Transmitted (1024 Bytes or Greater) Count")                  \
  X(MPTC, 0x040F0, 1, 4, RC, ALL, "13.7.51", "Multicast Packets Transmitted Count")                                    \
  X(BPTC, 0x040F4, 1, 4, RC, ALL, "13.7.52", "Broadcast Packets Transmitted Count")                                    \
  X(TSCTC, 0x040F8, 1, 4, RC, ALL, "13.7.53", "TCP Segmentation Context Transmitted Count")                            \
  X(TSCTFC, 0x040FC, 1, 4, RC, ALL, "13.7.54", "TCP Segmentation Context Transmit Fail Count")                         \
  X(IAC, 0x04100, 1, 4, RC, PCIE, "82574 10.2", "Interrupt Assertion Count")                                           \
  X(RXCSUM, 0x05000, 1, 4, RW, ALL, "13.4", "Receive Checksum Control")                                                \
  X(RFCTL, 0x05008, 1, 4, RW, PCIE, "82574 10.2", "Receive Filter Control")                                            \
  X(MTA, 0x05200, 128, 4, RW, ALL, "13.5.1", "Multicast Table Array")                                                  \
  X(RAL, 0x05400, 16, 8, RW, ALL, "13.5.2", "Receive Address Low")                                                     \
  X(RAH, 0x05404, 16, 8, RW, ALL, "13.5.3", "Receive Address High")                                                    \
  X(VFTA, 0x05600, 128, 4, RW, MOST, "13.5.4", "VLAN Filter Table Array")                                              \
  X(WUC, 0x05800, 1, 4, RW, ALL, "13.6.1", "Wakeup Control")                                                           \
  X(WUFC, 0x05808, 1, 4, RW, ALL, "13.6.2", "Wakeup Filter Control")                                                   \
  X(WUS, 0x05810, 1, 4, RO, ALL, "13.6.3", "Wakeup Status")                                                            \
  X(MANC, 0x05820, 1, 4, RW, ALL, "13.6", "Management Control")                                                        \
  X(GCR, 0x05B00, 1, 4, RW, PCIE, "82574 10.2", "3GIO Control")                                                        \
  X(SWSM, 0x05B50, 1, 4, RS, 8257X, "82574 10.2", "Software Semaphore")                                                \
  X(FWSM, 0x05B54, 1, 4, RO, PCIE, "82574 10.2", "Firmware Semaphore")                                                 \
  X(GCR2, 0x05B64, 1, 4, RW, NEW, "82574 10.2", "3GIO Control 2")

#define E1000_REGISTER_OFFSET(name, offset, count, stride, access, families, section, text) E1000_##name = offset,
enum { E1000_REGISTERS(E1000_REGISTER_OFFSET) };

#define E1000_MTA_COUNT  128U
#define E1000_VFTA_COUNT 128U
#define E1000_RAR_COUNT  15U /* receive address pairs of ours: the sixteenth, where there is one, is management's */

/* Statistics: every register from CRCERRS up to the end of the block. */
#define E1000_STATS_FIRST 0x04000U
#define E1000_STATS_END   0x04128U
#define E1000_STATS_COUNT ((E1000_STATS_END - E1000_STATS_FIRST) / 4U)

/* CTRL, 13.4.1 */
#define E1000_CTRL_FD                 (1U << 0)
#define E1000_CTRL_GIO_MASTER_DISABLE (1U << 2) /* 82574 */
#define E1000_CTRL_ASDE               (1U << 5)
#define E1000_CTRL_SLU                (1U << 6)
#define E1000_CTRL_ILOS               (1U << 7)
#define E1000_CTRL_SPEED_MASK         (3U << 8)
#define E1000_CTRL_SPEED_1000         (2U << 8)
#define E1000_CTRL_FRCSPD             (1U << 11)
#define E1000_CTRL_FRCDPX             (1U << 12)
#define E1000_CTRL_RST                (1U << 26)
#define E1000_CTRL_PHY_RST            (1U << 31)
#define E1000_CTRL_VME                (1U << 30)
#define E1000_CTRL_CLEAR_29           (1U << 29) /* 82573, 82574: specification updates: keep clear */

/* STATUS, 13.4.2 */
#define E1000_STATUS_FD                (1U << 0)
#define E1000_STATUS_LU                (1U << 1)
#define E1000_STATUS_PORT_B            (1U << 2) /* FUNCTION is 1: the second port */
#define E1000_STATUS_TXOFF             (1U << 4)
#define E1000_STATUS_SPEED_SHIFT       6U
#define E1000_STATUS_SPEED_MASK        (3U << E1000_STATUS_SPEED_SHIFT)
#define E1000_STATUS_LAN_INIT_DONE     (1U << 9) /* PCH: the NVM has been read */
#define E1000_STATUS_PCIX_MODE         (1U << 13)
#define E1000_STATUS_GIO_MASTER_ENABLE (1U << 19) /* 82574 */

/* EECD, 13.4.3 */
#define E1000_EECD_SK      (1U << 0)
#define E1000_EECD_CS      (1U << 1)
#define E1000_EECD_DI      (1U << 2)
#define E1000_EECD_DO      (1U << 3)
#define E1000_EECD_REQ     (1U << 6)
#define E1000_EECD_GNT     (1U << 7)
#define E1000_EECD_AUTO_RD (1U << 9)  /* 8257x: the NVM has been read after the reset          */
#define E1000_EECD_FLASH   (3U << 15) /* 82573, 82574: both set: the NVM is in the flash       */
#define E1000_EECD_AUPDEN  (1U << 20) /* 82573, 82574: the hardware may write the flash itself */

/* EERD, 13.4.4 (82574 10.2) */
#define E1000_EERD_START               (1U << 0)
#define E1000_EERD_SMALL_DONE          (1U << 4)
#define E1000_EERD_SMALL_ADDRESS_SHIFT 8U
#define E1000_EERD_LARGE_DONE          (1U << 1)
#define E1000_EERD_LARGE_ADDRESS_SHIFT 2U
#define E1000_EERD_DATA_SHIFT          16U

/* CTRL_EXT, 13.4.6 */
#define E1000_CTRL_EXT_EE_RST      (1U << 13) /* read the NVM again */
#define E1000_CTRL_EXT_RO_DIS      (1U << 17) /* no relaxed ordering */
#define E1000_CTRL_EXT_DMA_DYN_CLK (1U << 19) /* 82571: DMA clock gating */
#define E1000_CTRL_EXT_PHYPDEN     (1U << 20) /* PCH: the PHY saves power in D3 */
#define E1000_CTRL_EXT_CLEAR_23    (1U << 23) /* 82574 specification update: clear 23, set 22 */
#define E1000_CTRL_EXT_SET_22      (1U << 22)
#define E1000_CTRL_EXT_DRV_LOAD    (1U << 28)

/* MDIC, 13.4.7 */
#define E1000_MDIC_REG_SHIFT 16U
#define E1000_MDIC_PHY_SHIFT 21U
#define E1000_MDIC_OP_READ   (2U << 26)
#define E1000_MDIC_OP_WRITE  (1U << 26)
#define E1000_MDIC_READY     (1U << 28)
#define E1000_MDIC_ERROR     (1U << 30)

/* LEDCTL, 13.4.15: four LEDs, a byte each */
#define E1000_LEDCTL_BITS      8U
#define E1000_LEDCTL_COUNT     4U
#define E1000_LEDCTL_MODE_MASK 0x0FU
#define E1000_LEDCTL_MODE_ON   0x0EU
#define E1000_LEDCTL_BLINK     (1U << 7)

/* EXTCNF_CTRL, 82574 10.2: on a PCH the same bit is SWFLAG */
#define E1000_EXTCNF_MDIO_SW_OWNERSHIP (1U << 5)

/* SWSM, 82574 10.2 */
#define E1000_SWSM_SMBI     (1U << 0)
#define E1000_SWSM_SWESMBI  (1U << 1)
#define E1000_SWSM_DRV_LOAD (1U << 3) /* 82573: a driver is in charge */

/* FWSM: PCH */
#define E1000_FWSM_RSPCIPHY (1U << 6)  /* we may reset and write the PHY          */
#define E1000_FWSM_VALID    (1U << 15) /* the ME runs                             */
#define E1000_FWSM_ARBITER  (1U << 24) /* while set, a write to a tail may be lost */

/* EEMNGCTL, PCIe SDM 13.3: the PHY has been configured from the NVM */
#define E1000_EEMNGCTL_CFG_DONE (1U << 18)

/* PBA_ECC, KABGTXD: Linux e1000e */
#define E1000_PBA_ECC_CORRECT (1U << 0)
#define E1000_KABGTXD_BIAS    0x00050000U

/* RCTL, 13.4.22 */
#define E1000_RCTL_EN         (1U << 1)
#define E1000_RCTL_UPE        (1U << 3)
#define E1000_RCTL_LPE        (1U << 5)
#define E1000_RCTL_BAM        (1U << 15)
#define E1000_RCTL_BSIZE_2048 (0U << 16)
#define E1000_RCTL_BSIZE_MASK (3U << 16)
#define E1000_RCTL_BSEX       (1U << 25)
#define E1000_RCTL_SECRC      (1U << 26)

/* TCTL, 13.4.33 */
#define E1000_TCTL_EN         (1U << 1)
#define E1000_TCTL_PSP        (1U << 3)
#define E1000_TCTL_CT_MASK    (0xFFU << 4)
#define E1000_TCTL_COLD_MASK  (0x3FFU << 12)
#define E1000_TCTL_CT_SHIFT   4U
#define E1000_TCTL_COLD_SHIFT 12U
#define E1000_TCTL_RTLC       (1U << 24)
#define E1000_TCTL_MULR       (1U << 28) /* PCIe parts: several requests under way */
#define E1000_TCTL_CT         0x0FU      /* collision threshold, 13.4.33's recommended value */
#define E1000_TCTL_RUN                                                                                                 \
  (E1000_TCTL_EN | E1000_TCTL_PSP | E1000_TCTL_RTLC | (E1000_TCTL_CT << E1000_TCTL_CT_SHIFT) |                         \
   (E1000_TCTL_COLD_FULL_DUPLEX << E1000_TCTL_COLD_SHIFT))
#define E1000_TCTL_COLD_FULL_DUPLEX 0x040U

/* TIPG, 13.4.34: IPGT, IPGR1 and IPGR2 for copper */
#define E1000_TIPG_COPPER (8U | (8U << 10) | (6U << 20))

/* RXDCTL and TXDCTL, 13.4 and 13.4.43 */
#define E1000_XDCTL_WTHRESH_SHIFT 16U
#define E1000_XDCTL_WTHRESH_MASK  (0x3FU << E1000_XDCTL_WTHRESH_SHIFT)
#define E1000_XDCTL_GRAN          (1U << 24)
#define E1000_TXDCTL_COUNT_DESC   (1U << 22) /* PCIe parts: thresholds count descriptors */

/* TARC0, 82574 10.2 and specification updates */
#define E1000_TARC0_CLEAR  (0xFU << 27)
#define E1000_TARC0_SET_26 (1U << 26)
#define E1000_TARC1_28     (1U << 28)

/* RAH, 13.5.3 */
#define E1000_RAH_AV (1U << 31)

/* RFCTL, 82574 10.2 */
#define E1000_RFCTL_NFSW_DIS (1U << 6) /* PCH: no NFS filtering, which corrupts descriptors */
#define E1000_RFCTL_NFSR_DIS (1U << 7)
#define E1000_RFCTL_ACK_DIS  (1U << 12)
#define E1000_RFCTL_EXTEN    (1U << 15) /* extended descriptors, whatever RCTL.DTYP says */

/* MANC, 13.6 */
#define E1000_MANC_ARP_EN (1U << 13)

/* GCR and GCR2, 82574 specification update */
#define E1000_GCR_SET_22 (1U << 22)
#define E1000_GCR_SET_27 (1U << 27) /* 82573 */
#define E1000_GCR2_SET_0 (1U << 0)

/* CTRL_EXT, IVAR: MSI-X, 82574 10.2 */
#define E1000_CTRL_EXT_PBA_SUPPORT (1U << 31)
#define E1000_IVAR_ALL_TO_VECTOR_0 0x80088888U /* every cause valid and on vector 0, also on each write-back */

/* ICR, IMS, IMC: causes, 13.4.17 */
#define E1000_CAUSE_TXDW       (1U << 0)
#define E1000_CAUSE_LSC        (1U << 2)
#define E1000_CAUSE_RXDMT0     (1U << 4)
#define E1000_CAUSE_RXO        (1U << 6)
#define E1000_CAUSE_RXT0       (1U << 7)
#define E1000_CAUSE_82574_RXQ0 (1U << 20)
#define E1000_CAUSE_82574_MSIX (0x1FU << 20) /* RXQ0, RXQ1, TXQ0, TXQ1, OTHER */

#define E1000_CAUSE_82574_INT_ASSERTED (1U << 31) /* ICR only: the device interrupts now */

#define E1000_ITR_INTERVAL_NS 256U

/* Legacy receive descriptor, 3.2.3 */
#define E1000_RXD_STATUS_DD   (1U << 0)
#define E1000_RXD_STATUS_EOP  (1U << 1)
#define E1000_RXD_ERROR_FRAME 0x97U /* RXE, CXE, SEQ, SE, CE; not the checksum offload's TCPE and IPE */

/* Legacy transmit descriptor, 3.3.3 */
#define E1000_TXD_COMMAND_SHIFT 24U /* in the second half of the descriptor */
#define E1000_TXD_CMD_EOP       (1U << 0)
#define E1000_TXD_CMD_IFCS      (1U << 1)
#define E1000_TXD_CMD_RS        (1U << 3)
#define E1000_TXD_STATUS_DD     (1U << 0)

/* PHY registers, IEEE 802.3 clause 22 */
#define E1000_PHY_CONTROL            0U
#define E1000_PHY_CONTROL_RESET      (1U << 15)
#define E1000_PHY_CONTROL_RESTART_AN (1U << 9)
#define E1000_PHY_CONTROL_ISOLATE    (1U << 10)
#define E1000_PHY_CONTROL_POWER_DOWN (1U << 11)
#define E1000_PHY_CONTROL_AUTONEG    (1U << 12)

#endif
