/* e1000_words.c - what registers are, and their bits by name, for those who look at them. The driver has names of its
 * own for the bits that it uses, in e1000_regs.h; test_ring_rows compares the two. e1000.efi goes without
 * (drivers_e1000_efi.c). */
#include "e1000_hw.h"

#define WORDS(name, offset, count, stride, access, family, section, text) {section, text},

/* In the order of e1000_registers */
static const struct {
  const char *section;
  const char *text;
} register_words[] = {E1000_REGISTERS(WORDS)};

/* By number: IEEE 802.3 22.2.4 */
#define PHY_ABILITIES                                                                                                  \
  "10T_HALF:5 10T_FULL:6 100TX_HALF:7 100TX_FULL:8 100T4:9 PAUSE:10 PAUSE_ONE_WAY:11 REMOTE_FAULT:13"

static const struct {
  const char *text;
  const char *bits;
} phy_words[] = {
    {"Control", "SPEED_1000:6 COLLISION_TEST:7 FULL_DUPLEX:8 RESTART_AN:9 ISOLATE:10 POWER_DOWN:11 AN:12 SPEED_100:13 "
                "LOOPBACK:14 RESET:15"},
    {"Status", "EXTENDED:0 JABBER:1 LINK:2 AN_ABLE:3 REMOTE_FAULT:4 AN_COMPLETE:5 EXTENDED_STATUS:8 10T_HALF:11 "
               "10T_FULL:12 100TX_HALF:13 100TX_FULL:14"},
    {"Identifier 1", NULL},
    {"Identifier 2", NULL},
    {"Autonegotiation Advertisement", PHY_ABILITIES " NEXT_PAGE:15"},
    {"Link Partner Ability", PHY_ABILITIES " ACKNOWLEDGE:14 NEXT_PAGE:15"},
    {"Autonegotiation Expansion", "PARTNER_AN:0 PAGE_RECEIVED:1 NEXT_PAGE:2 PARTNER_NEXT_PAGE:3 FAULT:4"},
    {"Next Page Transmit", NULL},
    {"Link Partner Next Page", NULL},
    {"1000BASE-T Control", "HALF:8 FULL:9 MULTIPORT:10 MASTER:11 MANUAL:12 TEST:13-15"},
    {"1000BASE-T Status",
     "IDLE_ERRORS:0-7 PARTNER_HALF:10 PARTNER_FULL:11 REMOTE_OK:12 LOCAL_OK:13 MASTER:14 FAULT:15"},
};

/* Sections are those of the registers. Of a field only the driver's own numbers are told. */
static const struct {
  uint32_t offset;
  uint16_t families;
  const char *bits;
} registers[] = {
    {E1000_CTRL, E1000_OLD,
     "FD:0 LRST:3 ASDE:5 SLU:6 ILOS:7 SPEED:8-9 FRCSPD:11 FRCDPX:12 SDP0:18 SDP1:19 ADVD3WUC:20 PHY_PWR:21 SDP0_OUT:22 "
     "SDP1_OUT:23 RST:26 RFCE:27 TFCE:28 VME:30 PHY_RST:31"},
    {E1000_CTRL, E1000_PCIE,
     "FD:0 GIO_MASTER_DISABLE:2 ASDE:5 SLU:6 ILOS:7 SPEED:8-9 FRCSPD:11 FRCDPX:12 ADVD3WUC:20 RST:26 RFCE:27 TFCE:28 "
     "VME:30 PHY_RST:31"},
    {E1000_STATUS, E1000_OLD,
     "FD:0 LU:1 FUNCTION:2-3 TXOFF:4 TBIMODE:5 SPEED:6-7 ASDV:8-9 PCI66:11 BUS64:12 PCIX_MODE:13 PCIX_SPEED:14-15"},
    {E1000_STATUS, E1000_PCIE, "FD:0 LU:1 FUNCTION:2-3 TXOFF:4 SPEED:6-7 ASDV:8-9 PHYRA:10 GIO_MASTER_ENABLE:19"},
    {E1000_EECD, E1000_OLD, "SK:0 CS:1 DI:2 DO:3 FWE:4-5 REQ:6 GNT:7 PRES:8 SIZE:9"},
    {E1000_EECD, E1000_PCIE, "SK:0 CS:1 DI:2 DO:3 FWE:4-5 REQ:6 GNT:7 PRES:8 AUTO_RD:9"},
    {E1000_EERD, E1000_FAMILY_8254X, "START:0 DONE:4 ADDRESS:8-15 DATA:16-31"},
    {E1000_EERD, E1000_FAMILY_82541 | E1000_8257X, "START:0 DONE:1 ADDRESS:2-15 DATA:16-31"},
    {E1000_CTRL_EXT, E1000_OLD,
     "GPI_EN:0-3 PHYINT:5 SDP6:6 SDP7:7 SDP6_OUT:10 SDP7_OUT:11 ASDCHK:12 EE_RST:13 SPD_BYPS:15 RO_DIS:17 "
     "LINK_MODE:22-23"},
    {E1000_CTRL_EXT, E1000_PCIE,
     "ASDCHK:12 EE_RST:13 SPD_BYPS:15 RO_DIS:17 SET_22:22 CLEAR_23:23 DRV_LOAD:28 PBA_SUPPORT:31"},
    {E1000_MDIC, E1000_ALL, "DATA:0-15 REG:16-20 PHY:21-25 OP:26-27 READY:28 INT:29 ERROR:30"},
    {E1000_ICR, E1000_OLD,
     "TXDW:0 TXQE:1 LSC:2 RXSEQ:3 RXDMT0:4 RXO:6 RXT0:7 MDAC:9 RXCFG:10 PHYINT:12 GPI:13-14 TXD_LOW:15 SRPD:16"},
    {E1000_ICR, E1000_PCIE,
     "TXDW:0 TXQE:1 LSC:2 RXDMT0:4 RXO:6 RXT0:7 MDAC:9 TXD_LOW:15 SRPD:16 ACK:17 MNG:18 RXQ0:20 RXQ1:21 TXQ0:22 "
     "TXQ1:23 "
     "OTHER:24 INT_ASSERTED:31"},
    {E1000_ITR, E1000_ALL, "INTERVAL:0-15"},
    {E1000_IMS, E1000_OLD,
     "TXDW:0 TXQE:1 LSC:2 RXSEQ:3 RXDMT0:4 RXO:6 RXT0:7 MDAC:9 RXCFG:10 PHYINT:12 GPI:13-14 TXD_LOW:15 SRPD:16"},
    {E1000_IMS, E1000_PCIE,
     "TXDW:0 TXQE:1 LSC:2 RXDMT0:4 RXO:6 RXT0:7 MDAC:9 TXD_LOW:15 SRPD:16 ACK:17 MNG:18 RXQ0:20 RXQ1:21 TXQ0:22 "
     "TXQ1:23 "
     "OTHER:24"},
    {E1000_IVAR, E1000_MSIX, "RXQ0:0-3 RXQ1:4-7 TXQ0:8-11 TXQ1:12-15 OTHER:16-19 ON_WRITE_BACK:31"},
    {E1000_EITR, E1000_MSIX, "INTERVAL:0-15"},
    {E1000_RCTL, E1000_OLD,
     "EN:1 SBP:2 UPE:3 MPE:4 LPE:5 LBM:6-7 RDMTS:8-9 MO:12-13 BAM:15 BSIZE:16-17 VFE:18 CFIEN:19 CFI:20 DPF:22 PMCF:23 "
     "BSEX:25 SECRC:26"},
    {E1000_RCTL, E1000_PCIE,
     "EN:1 SBP:2 UPE:3 MPE:4 LPE:5 LBM:6-7 RDMTS:8-9 DTYP:10-11 MO:12-13 BAM:15 BSIZE:16-17 VFE:18 CFIEN:19 CFI:20 "
     "DPF:22 "
     "PMCF:23 BSEX:25 SECRC:26 FLXBUF:27-30"},
    {E1000_TCTL, E1000_OLD, "EN:1 PSP:3 CT:4-11 COLD:12-21 SWXOFF:22 RTLC:24 NRTU:25"},
    {E1000_TCTL, E1000_PCIE, "EN:1 PSP:3 CT:4-11 COLD:12-21 SWXOFF:22 PBE:23 RTLC:24 UNORTX:25 TXDSCMT:26-27 MULR:28"},
    {E1000_TIPG, E1000_ALL, "IPGT:0-9 IPGR1:10-19 IPGR2:20-29"},
    {E1000_LEDCTL, E1000_ALL,
     "LED0_MODE:0-3 BLINK_MODE:5 LED0_IVRT:6 LED0_BLINK:7 LED1_MODE:8-11 LED1_IVRT:14 LED1_BLINK:15 LED2_MODE:16-19 "
     "LED2_IVRT:22 LED2_BLINK:23 LED3_MODE:24-27 LED3_IVRT:30 LED3_BLINK:31"},
    {E1000_EXTCNF_CTRL, E1000_ALL, "MDIO_SW_OWNERSHIP:5"},
    {E1000_PBA, E1000_ALL, "RXA_KIB:0-15 TXA_KIB:16-31"},
    {E1000_RXDCTL, E1000_ALL, "PTHRESH:0-5 HTHRESH:8-13 WTHRESH:16-21 GRAN:24"},
    {E1000_TXDCTL, E1000_OLD, "PTHRESH:0-5 HTHRESH:8-13 WTHRESH:16-21 GRAN:24 LWTHRESH:25-31"},
    {E1000_TXDCTL, E1000_PCIE, "PTHRESH:0-5 HTHRESH:8-13 WTHRESH:16-21 COUNT_DESC:22 GRAN:24 LWTHRESH:25-31"},
    {E1000_RAH, E1000_ALL, "ADDRESS:0-15 AS:16-17 AV:31"},
    {E1000_RXCSUM, E1000_ALL, "PCSS:0-7 IPOFL:8 TUOFL:9"},
    {E1000_RFCTL, E1000_ALL, "ACK_DIS:12 EXTEN:15"},
    {E1000_WUC, E1000_ALL, "APME:0 PME_EN:1 PME_STATUS:2 APMPME:3"},
    {E1000_MANC, E1000_ALL, "ARP_EN:13"},
    {E1000_FWSM, E1000_PCH, "MODE:1-3 RSPCIPHY:6 VALID:15 ARBITER:24"},
    {E1000_FWSM, E1000_8257X, "MODE:1-3 VALID:15"},
    {E1000_GCR, E1000_ALL, "SET_22:22"},
    {E1000_GCR2, E1000_ALL, "SET_0:0"},
};

static const char *find_bits(uint16_t families, uint32_t offset) {
  for(size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
    if(registers[i].offset == offset && (registers[i].families & families)) {
      return registers[i].bits;
    }
  }
  return NULL;
}

void e1000_describe(const struct net_device_id *id, struct netdev_row *row) {
  if(row->group == NETDEV_ROWS_PHY && row->offset < sizeof(phy_words) / sizeof(phy_words[0])) {
    row->text = phy_words[row->offset].text;
    row->bits = phy_words[row->offset].bits;
    row->section = "IEEE 802.3 22.2.4";
  }
  const struct e1000_model *model = e1000_find_model(id->vendor_id, id->device_id);
  if(!model || (row->group != NETDEV_ROWS_REGISTERS && row->group != NETDEV_ROWS_COUNTERS)) {
    return;
  }
  for(size_t i = 0; i < e1000_register_count; i++) {
    const struct e1000_register *reg = &e1000_registers[i];
    if(reg->offset + row->index * reg->stride == row->offset && row->index < reg->count) {
      row->text = register_words[i].text;
      row->section = register_words[i].section;
      row->bits = row->group == NETDEV_ROWS_REGISTERS ? find_bits(model->part->family, reg->offset) : NULL;
      return;
    }
  }
}
