/* sim_parts.h - what the simulated parts differ in, as the manuals have it and not as the driver does. Private to
 * tests/sim. */
#ifndef SIM_PARTS_H
#define SIM_PARTS_H

#include <stdbool.h>
#include <stdint.h>

enum sim_nvm {
  SIM_NVM_WIRES,      /* Microwire over EECD, no EERD                */
  SIM_NVM_EERD_8254X, /* EERD: address from bit 8, DONE is bit 4     */
  SIM_NVM_EERD_PCIE,  /* EERD: address from bit 2, DONE is bit 1     */
  SIM_NVM_FLASH,      /* the chipset's flash behind BAR 1            */
};

enum sim_reset {
  SIM_RESET_MEMORY, /* CTRL.RST by memory, anything else is a mistake    */
  SIM_RESET_IO,     /* by the I/O BAR, where the host decodes one        */
  SIM_RESET_SHADOW, /* at 0x4, not at 0x0                                */
};

/* Who has to be asked before the PHY is touched, or the part reset. */
enum sim_turn {
  SIM_TURN_NONE,
  SIM_TURN_SWSM,   /* SWSM bits 1 and 0     */
  SIM_TURN_EXTCNF, /* EXTCNF_CTRL bit 5     */
};

struct sim_part {
  uint16_t device_id;
  uint16_t registers; /* E1000_FAMILY_ flags */
  enum sim_nvm nvm;
  enum sim_reset reset;
  uint32_t reset_us; /* no access meanwhile */
  uint16_t phy_id[2];
  uint8_t phy_address;
  bool igp;  /* not an M88 PHY: register 16 means something else       */
  bool pcie; /* GIO master handshake; ICR tells whether it interrupts  */
  bool msix;
  bool auto_read;        /* EECD.AUTO_RD, and then a while for the PHY  */
  bool cfg_done;         /* EEMNGCTL says when that while is over       */
  bool smbi_after_reset; /* SWSM.SMBI is set by a reset                 */
  bool flash;            /* the NVM may be in the flash                 */
  bool nvm_by_order;     /* the NVM is read again at EE_RST only        */
  bool table_pairs;      /* odd words of the tables destroy even ones   */
  bool buffer_ends;      /* PCI-X: where a transmit buffer may end      */
  bool phy_first;        /* PHY_RST before RST                          */
  bool two_ports;
  bool eecd_held;   /* a reset leaves EECD.REQ and GNT set         */
  bool since_82540; /* ITR, RADV, TADV and the rest                */
  bool me;          /* a PCH with its management engine            */
  enum sim_turn phy_turn;
  enum sim_turn reset_turn;
  uint16_t mta_words;
  uint16_t receive_addresses; /* those that software may write */
};

/* The part with this PCI device ID; aborts when there is none. */
const struct sim_part *sim_part_of(uint16_t device_id);

/* Bits of a register that a running part must have, and must not have. */
struct sim_demand {
  uint16_t registers; /* E1000_FAMILY_ flags of the parts */
  uint32_t offset;
  uint32_t set;
  uint32_t clear;
  const char *what;
};

extern const struct sim_demand sim_demands[];
extern const uint32_t sim_demand_count;

#endif
