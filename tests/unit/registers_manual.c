/* Register map of the 8254x and 82574 controllers, transcribed apart from the driver to catch typos in its table. */

/*
 * Sources
 *   [1] PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual, Intel 317453, revision 4.0, and
 *       an earlier edition of it (revision 3.7 to 3.9), chapter 13.
 *   [2] 82574 GbE Controller Family Datasheet, Intel 317694-018, revision 2.7, chapter 10, as cited by public code
 *       written from it; the datasheet itself was not read in full.
 *   [3] PCIe family Software Developer's Manual (631xESB/632xESB, 82563EB to 82573), register summary only.
 * Every offset was compared with at least two of: [1], [3], the Linux e1000/e1000e, FreeBSD e1000, NetBSD wm, iPXE
 * intel and 9front ether82563 drivers, and the VirtualBox E1000 and QEMU e1000e device models.
 *
 * CTRL_DUP and PBA_ECC are in FreeBSD's e1000 alone, KABGTXD in NetBSD's wm and Linux's e1000e.
 *
 * Names follow [1], or [2] for registers that only the 82574 has; AIT is AIFS in [1], EECD is EEC in [2].
 * "RC" marks statistics and cause registers that a read clears, whatever else the manual allows on them.
 */

#include "registers_manual.h"

const struct manual_register manual_registers[] = {
    /* General */
    {"CTRL", 0x00000U, 1U, 4U, "RW"},
    {"CTRL_DUP", 0x00004U, 1U, 4U, "RW"},
    {"STATUS", 0x00008U, 1U, 4U, "RO"},
    {"EECD", 0x00010U, 1U, 4U, "RW"},
    {"EERD", 0x00014U, 1U, 4U, "RW"},
    {"CTRL_EXT", 0x00018U, 1U, 4U, "RW"},
    {"FLA", 0x0001CU, 1U, 4U, "RW"},
    {"MDIC", 0x00020U, 1U, 4U, "RW"},
    {"FCAL", 0x00028U, 1U, 4U, "RW"},
    {"FCAH", 0x0002CU, 1U, 4U, "RW"},
    {"FCT", 0x00030U, 1U, 4U, "RW"},
    {"VET", 0x00038U, 1U, 4U, "RW"},
    {"FCTTV", 0x00170U, 1U, 4U, "RW"},
    {"LEDCTL", 0x00E00U, 1U, 4U, "RW"},
    {"EXTCNF_CTRL", 0x00F00U, 1U, 4U, "RW"},
    {"PBA", 0x01000U, 1U, 4U, "RW"},
    {"EEMNGCTL", 0x01010U, 1U, 4U, "RW"},
    {"PBA_ECC", 0x01100U, 1U, 4U, "RW"},
    {"EEWR", 0x0102CU, 1U, 4U, "RW"},

    /* Interrupt */
    {"ICR", 0x000C0U, 1U, 4U, "RC"},
    {"ITR", 0x000C4U, 1U, 4U, "RW"},
    {"ICS", 0x000C8U, 1U, 4U, "WO"},
    {"IMS", 0x000D0U, 1U, 4U, "RW"},
    {"IMC", 0x000D8U, 1U, 4U, "WO"},
    {"IAM", 0x000E0U, 1U, 4U, "RW"},
    {"IVAR", 0x000E4U, 1U, 4U, "RW"},
    {"EITR", 0x000E8U, 5U, 4U, "RW"},

    /* Receive */
    {"RCTL", 0x00100U, 1U, 4U, "RW"},
    {"FCRTL", 0x02160U, 1U, 4U, "RW"},
    {"FCRTH", 0x02168U, 1U, 4U, "RW"},
    {"RDBAL", 0x02800U, 1U, 4U, "RW"},
    {"RDBAH", 0x02804U, 1U, 4U, "RW"},
    {"RDLEN", 0x02808U, 1U, 4U, "RW"},
    {"RDH", 0x02810U, 1U, 4U, "RW"},
    {"RDT", 0x02818U, 1U, 4U, "RW"},
    {"RDTR", 0x02820U, 1U, 4U, "RW"},
    {"RXDCTL", 0x02828U, 1U, 4U, "RW"},
    {"RADV", 0x0282CU, 1U, 4U, "RW"},
    {"RSRPD", 0x02C00U, 1U, 4U, "RW"},
    {"RXCSUM", 0x05000U, 1U, 4U, "RW"},
    {"RFCTL", 0x05008U, 1U, 4U, "RW"},

    /* Transmit */
    {"TCTL", 0x00400U, 1U, 4U, "RW"},
    {"TIPG", 0x00410U, 1U, 4U, "RW"},
    {"AIT", 0x00458U, 1U, 4U, "RW"},
    {"KABGTXD", 0x03004U, 1U, 4U, "RW"},
    {"TDBAL", 0x03800U, 1U, 4U, "RW"},
    {"TDBAH", 0x03804U, 1U, 4U, "RW"},
    {"TDLEN", 0x03808U, 1U, 4U, "RW"},
    {"TDH", 0x03810U, 1U, 4U, "RW"},
    {"TDT", 0x03818U, 1U, 4U, "RW"},
    {"TIDV", 0x03820U, 1U, 4U, "RW"},
    {"TXDCTL", 0x03828U, 1U, 4U, "RW"},
    {"TADV", 0x0382CU, 1U, 4U, "RW"},
    {"TARC0", 0x03840U, 1U, 4U, "RW"},
    {"TARC1", 0x03940U, 1U, 4U, "RW"},

    /* Statistics */
    {"CRCERRS", 0x04000U, 1U, 4U, "RC"},
    {"ALGNERRC", 0x04004U, 1U, 4U, "RC"},
    {"SYMERRS", 0x04008U, 1U, 4U, "RC"},
    {"RXERRC", 0x0400CU, 1U, 4U, "RC"},
    {"MPC", 0x04010U, 1U, 4U, "RC"},
    {"SCC", 0x04014U, 1U, 4U, "RC"},
    {"ECOL", 0x04018U, 1U, 4U, "RC"},
    {"MCC", 0x0401CU, 1U, 4U, "RC"},
    {"LATECOL", 0x04020U, 1U, 4U, "RC"},
    {"COLC", 0x04028U, 1U, 4U, "RC"},
    {"DC", 0x04030U, 1U, 4U, "RC"},
    {"TNCRS", 0x04034U, 1U, 4U, "RC"},
    {"SEC", 0x04038U, 1U, 4U, "RC"},
    {"CEXTERR", 0x0403CU, 1U, 4U, "RC"},
    {"RLEC", 0x04040U, 1U, 4U, "RC"},
    {"XONRXC", 0x04048U, 1U, 4U, "RC"},
    {"XONTXC", 0x0404CU, 1U, 4U, "RC"},
    {"XOFFRXC", 0x04050U, 1U, 4U, "RC"},
    {"XOFFTXC", 0x04054U, 1U, 4U, "RC"},
    {"FCRUC", 0x04058U, 1U, 4U, "RC"},
    {"PRC64", 0x0405CU, 1U, 4U, "RC"},
    {"PRC127", 0x04060U, 1U, 4U, "RC"},
    {"PRC255", 0x04064U, 1U, 4U, "RC"},
    {"PRC511", 0x04068U, 1U, 4U, "RC"},
    {"PRC1023", 0x0406CU, 1U, 4U, "RC"},
    {"PRC1522", 0x04070U, 1U, 4U, "RC"},
    {"GPRC", 0x04074U, 1U, 4U, "RC"},
    {"BPRC", 0x04078U, 1U, 4U, "RC"},
    {"MPRC", 0x0407CU, 1U, 4U, "RC"},
    {"GPTC", 0x04080U, 1U, 4U, "RC"},
    {"GORCL", 0x04088U, 1U, 4U, "RC"},
    {"GORCH", 0x0408CU, 1U, 4U, "RC"},
    {"GOTCL", 0x04090U, 1U, 4U, "RC"},
    {"GOTCH", 0x04094U, 1U, 4U, "RC"},
    {"RNBC", 0x040A0U, 1U, 4U, "RC"},
    {"RUC", 0x040A4U, 1U, 4U, "RC"},
    {"RFC", 0x040A8U, 1U, 4U, "RC"},
    {"ROC", 0x040ACU, 1U, 4U, "RC"},
    {"RJC", 0x040B0U, 1U, 4U, "RC"},
    {"MGTPRC", 0x040B4U, 1U, 4U, "RC"},
    {"MGTPDC", 0x040B8U, 1U, 4U, "RC"},
    {"MGTPTC", 0x040BCU, 1U, 4U, "RC"},
    {"TORL", 0x040C0U, 1U, 4U, "RC"},
    {"TORH", 0x040C4U, 1U, 4U, "RC"},
    {"TOTL", 0x040C8U, 1U, 4U, "RC"},
    {"TOTH", 0x040CCU, 1U, 4U, "RC"},
    {"TPR", 0x040D0U, 1U, 4U, "RC"},
    {"TPT", 0x040D4U, 1U, 4U, "RC"},
    {"PTC64", 0x040D8U, 1U, 4U, "RC"},
    {"PTC127", 0x040DCU, 1U, 4U, "RC"},
    {"PTC255", 0x040E0U, 1U, 4U, "RC"},
    {"PTC511", 0x040E4U, 1U, 4U, "RC"},
    {"PTC1023", 0x040E8U, 1U, 4U, "RC"},
    {"PTC1522", 0x040ECU, 1U, 4U, "RC"},
    {"MPTC", 0x040F0U, 1U, 4U, "RC"},
    {"BPTC", 0x040F4U, 1U, 4U, "RC"},
    {"TSCTC", 0x040F8U, 1U, 4U, "RC"},
    {"TSCTFC", 0x040FCU, 1U, 4U, "RC"},
    {"IAC", 0x04100U, 1U, 4U, "RC"},

    /* Filter tables */
    {"MTA", 0x05200U, 128U, 4U, "RW"},
    {"RAL", 0x05400U, 16U, 8U, "RW"},
    {"RAH", 0x05404U, 16U, 8U, "RW"},
    {"VFTA", 0x05600U, 128U, 4U, "RW"},

    /* Wakeup and manageability */
    {"WUC", 0x05800U, 1U, 4U, "RW"},
    {"WUFC", 0x05808U, 1U, 4U, "RW"},
    {"WUS", 0x05810U, 1U, 4U, "RO"},
    {"MANC", 0x05820U, 1U, 4U, "RW"},

    /* PCIe and semaphores */
    {"GCR", 0x05B00U, 1U, 4U, "RW"},
    {"FACTPS", 0x05B30U, 1U, 4U, "RO"},
    {"SWSM", 0x05B50U, 1U, 4U, "RW"},
    {"FWSM", 0x05B54U, 1U, 4U, "RO"},
    {"GCR2", 0x05B64U, 1U, 4U, "RW"},
};

const size_t manual_register_count = sizeof(manual_registers) / sizeof(manual_registers[0]);
