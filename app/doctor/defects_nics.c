/* defects_nics.c - Intel's controllers that no driver here takes, by name, and why. Pure C. The IDs are those of Linux'
 * and FreeBSD's tables, the reasons those of driver/net/e1000/PARTS.md. */
#include "checks.h"

enum why { CHIPSET, FIBRE, OLD, BIT_MDIO, UNTRIED, IGB, IGC };

static const char *const reasons[] = {
    [CHIPSET] = "the LAN of a chipset, of which only the 82579 is driven here",
    [FIBRE] = "for fibre or a backplane; of these parts only copper is driven here",
    [OLD] = "older than the 82544, with registers in other places",
    [BIT_MDIO] = "its PHY is reached bit by bit, which is not done here",
    [UNTRIED] = "close to parts that are driven, but nobody has tried it",
    [IGB] = "of the igb family: other registers and descriptors",
    [IGC] = "of the igc family: other registers and descriptors",
};

#define INTEL 0x8086U

static const struct {
  uint16_t device_id;
  uint8_t why;
  char name[10];
} nics[] = {
    /* clang-format off */
    {0x1000, OLD, "82542"}, {0x1001, FIBRE, "82543GC"}, {0x1004, BIT_MDIO, "82543GC"}, {0x1008, UNTRIED, "82544EI"},
    {0x1009, FIBRE, "82544EI"}, {0x100D, UNTRIED, "82544GC"}, {0x1011, FIBRE, "82545EM"}, {0x1012, FIBRE, "82546EB"},
    {0x1015, UNTRIED, "82540EM"}, {0x1016, UNTRIED, "82540EP"}, {0x1017, UNTRIED, "82540EP"},
    {0x101E, UNTRIED, "82540EP"}, {0x1026, UNTRIED, "82545GM"}, {0x1027, FIBRE, "82545GM"},
    {0x1028, FIBRE, "82545GM"}, {0x1049, CHIPSET, "82566MM"}, {0x104A, CHIPSET, "82566DM"},
    {0x104B, CHIPSET, "82566DC"}, {0x104C, CHIPSET, "82562V"}, {0x104D, CHIPSET, "82566MC"},
    {0x105F, FIBRE, "82571EB"}, {0x1060, FIBRE, "82571EB"}, {0x107A, FIBRE, "82546GB"}, {0x107B, FIBRE, "82546GB"},
    {0x107E, FIBRE, "82572EI"}, {0x107F, FIBRE, "82572EI"}, {0x108A, UNTRIED, "82546GB"},
    {0x1096, CHIPSET, "80003ES2"}, {0x1098, CHIPSET, "80003ES2"}, {0x10A5, FIBRE, "82571EB"},
    {0x10A7, IGB, "82575EB"}, {0x10A9, IGB, "82575EB"}, {0x10BA, CHIPSET, "80003ES2"}, {0x10BB, CHIPSET, "80003ES2"},
    {0x10BD, CHIPSET, "82566DM-2"}, {0x10BF, CHIPSET, "82567LF"}, {0x10C0, CHIPSET, "82562V-2"},
    {0x10C2, CHIPSET, "82562G-2"}, {0x10C3, CHIPSET, "82562GT-2"}, {0x10C4, CHIPSET, "82562GT"},
    {0x10C5, CHIPSET, "82562G"}, {0x10C9, IGB, "82576"}, {0x10CB, CHIPSET, "82567V"}, {0x10CC, CHIPSET, "82567LM-2"},
    {0x10CD, CHIPSET, "82567LF-2"}, {0x10CE, CHIPSET, "82567V-2"}, {0x10D6, IGB, "82575GB"},
    {0x10D9, FIBRE, "82571EB"}, {0x10DA, FIBRE, "82571EB"}, {0x10DE, CHIPSET, "82567LM-3"},
    {0x10DF, CHIPSET, "82567LF-3"}, {0x10E5, CHIPSET, "82567LM-4"}, {0x10E6, IGB, "82576"}, {0x10E7, IGB, "82576"},
    {0x10E8, IGB, "82576"}, {0x10EA, CHIPSET, "82577LM"}, {0x10EB, CHIPSET, "82577LC"}, {0x10EF, CHIPSET, "82578DM"},
    {0x10F0, CHIPSET, "82578DC"}, {0x10F5, CHIPSET, "82567LM"}, {0x125B, IGC, "I226-LM"}, {0x125C, IGC, "I226-V"},
    {0x1501, CHIPSET, "82567V-3"}, {0x150A, IGB, "82576"}, {0x150D, IGB, "82576"}, {0x150E, IGB, "82580"},
    {0x150F, IGB, "82580"}, {0x1510, IGB, "82580"}, {0x1511, IGB, "82580"}, {0x1516, IGB, "82580"},
    {0x1518, IGB, "82576"}, {0x1521, IGB, "I350"}, {0x1522, IGB, "I350"}, {0x1523, IGB, "I350"},
    {0x1524, IGB, "I350"}, {0x1525, CHIPSET, "82567V-4"}, {0x1526, IGB, "82576"}, {0x1527, IGB, "82580"},
    {0x1533, IGB, "I210"}, {0x1534, IGB, "I210"}, {0x1535, IGB, "I210"}, {0x1536, IGB, "I210"}, {0x1537, IGB, "I210"},
    {0x1538, IGB, "I210"}, {0x1539, IGB, "I211"}, {0x153A, CHIPSET, "I217-LM"}, {0x153B, CHIPSET, "I217-V"},
    {0x1546, IGB, "I350"}, {0x1559, CHIPSET, "I218-V"}, {0x155A, CHIPSET, "I218-LM"}, {0x156F, CHIPSET, "I219-LM"},
    {0x1570, CHIPSET, "I219-V"}, {0x157B, IGB, "I210"}, {0x157C, IGB, "I210"}, {0x15A0, CHIPSET, "I218-LM"},
    {0x15A1, CHIPSET, "I218-V"}, {0x15A2, CHIPSET, "I218-LM"}, {0x15A3, CHIPSET, "I218-V"},
    {0x15B7, CHIPSET, "I219-LM"}, {0x15B8, CHIPSET, "I219-V"}, {0x15B9, CHIPSET, "I219-LM"},
    {0x15BB, CHIPSET, "I219-LM"}, {0x15BC, CHIPSET, "I219-V"}, {0x15BD, CHIPSET, "I219-LM"},
    {0x15BE, CHIPSET, "I219-V"}, {0x15D6, CHIPSET, "I219-V"}, {0x15D7, CHIPSET, "I219-LM"},
    {0x15D8, CHIPSET, "I219-V"}, {0x15DF, CHIPSET, "I219-LM"}, {0x15E0, CHIPSET, "I219-V"},
    {0x15E1, CHIPSET, "I219-LM"}, {0x15E2, CHIPSET, "I219-V"}, {0x15E3, CHIPSET, "I219-LM"}, {0x15F2, IGC, "I225-LM"},
    {0x15F3, IGC, "I225-V"}, {0x1F40, IGB, "I354"}, {0x1F41, IGB, "I354"}, {0x1F45, IGB, "I354"},
    {0x294C, CHIPSET, "82566DC-2"},
    /* clang-format on */
};

bool doctor_find_stranger(uint16_t vendor_id, uint16_t device_id, struct doctor_stranger *stranger) {
  for(size_t i = 0; vendor_id == INTEL && i < sizeof(nics) / sizeof(nics[0]); i++) {
    if(nics[i].device_id == device_id) {
      *stranger = (struct doctor_stranger){nics[i].name, reasons[nics[i].why]};
      return true;
    }
  }
  return false;
}
