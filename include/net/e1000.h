/* e1000.h - Intel 8254x, 8257x and PCH gigabit controllers behind struct netdev. */
#ifndef NET_E1000_H
#define NET_E1000_H

#include "net/driver.h"

#define E1000_VENDOR_ID     0x8086U
#define E1000_BAR0_MIN_SIZE 0x20000U /* bytes; every part of the family decodes 128 KiB (8254x SDM 4.1) */
#define E1000_RING_MIN      8U       /* descriptors; RDLEN and TDLEN count in 128-byte units            */
#define E1000_RING_MAX      4096U
#define E1000_RING_DEFAULT  256U

/* The family: what a host that knows struct net_driver needs. */
extern const struct net_driver e1000_driver;

/* For a kernel that knows this family only: e1000_driver.create and .adopt by name. */
int e1000_create(const struct net_platform *platform, const struct net_config *config, struct netdev **out);
int e1000_adopt(const struct net_platform *platform, const struct net_handoff_nic *nic, const void *block, net_map map,
                struct netdev **out);

/* Fewer interrupts a second than this cannot be asked for: ITR has 16 bits of 256 ns (SDM 13.4.18). */
#define E1000_IRQ_RATE_MIN 60U

/* NVM ------------------------------------------------------------------------------------------------------------ */

#define E1000_NVM_WORDS        64U     /* the part every adapter has                         */
#define E1000_NVM_CHECKSUM_SUM 0xBABAU /* what words 0x00 to 0x3F add up to (SDM 5.6.35)     */

/* Reads one 16-bit word (0 to E1000_NVM_WORDS - 1) of the NVM. NETDEV_E_NVM when it does not answer. */
int e1000_nvm_read(struct netdev *dev, uint16_t word, uint16_t *value);

/* The sum of the words 0x00 to 0x3F: E1000_NVM_CHECKSUM_SUM when the NVM is intact. */
int e1000_nvm_checksum(struct netdev *dev, uint16_t *sum);

/* Registers ------------------------------------------------------------------------------------------------------ */

enum e1000_access {
  E1000_RW, /* read and write, reading has no side effect */
  E1000_RO, /* read only                                  */
  E1000_WO, /* write only: reading means nothing          */
  E1000_RC, /* reading clears it                          */
  E1000_RS, /* reading takes a semaphore: never dump it   */
};

/* One row of the register table: the dump, the statistics, the self-test and the simulator come from it. Without a
 * pointer, so that it needs no relocation. */
struct e1000_register {
  char name[12];
  uint32_t offset;   /* bytes from BAR 0                          */
  uint16_t count;    /* registers in the array; 1 for a plain one */
  uint16_t families; /* E1000_FAMILY_ flags that have it          */
  uint8_t stride;    /* bytes from one to the next                */
  uint8_t access;    /* enum e1000_access                         */
};

/* Groups of parts with the same registers; the last three are of single registers. */
#define E1000_FAMILY_8254X    1U /* 82540, 82544, 82545, 82546    */
#define E1000_FAMILY_82541    2U /* 82541, 82547                  */
#define E1000_FAMILY_82571    4U /* 82571, 82572                  */
#define E1000_FAMILY_82573    8U
#define E1000_FAMILY_82574    16U  /* 82574, 82583                  */
#define E1000_FAMILY_PCH      32U  /* 82579                         */
#define E1000_FAMILY_MSIX     64U  /* IVAR, EITR: 82574             */
#define E1000_FAMILY_CTRL_DUP 128U /* CTRL_DUP: 82546GB             */
#define E1000_FAMILY_PBA_ECC  256U /* PBA_ECC: 82571                */

extern const struct e1000_register e1000_registers[];
extern const size_t e1000_register_count;

/* Whether this device has the register. */
bool e1000_has_register(const struct netdev *dev, const struct e1000_register *reg);

/* How many registers of an array it has: reg->count, or fewer. */
uint32_t e1000_register_instances(const struct netdev *dev, const struct e1000_register *reg);

/* Whether the row is a statistics register, which e1000_counter sums up. */
bool e1000_is_counter(const struct e1000_register *reg);

/* Reads a register by its row; `index` selects in an array. Reading an E1000_RC row loses its count for the statistics:
 * use e1000_counter for those. */
uint32_t e1000_register_read(struct netdev *dev, const struct e1000_register *reg, uint32_t index);

/* The sum of a statistics register since the device was created, as of the last netdev_get_stats. The low half's row
 * carries the sum of a 64-bit pair; the high half's row is always 0. */
uint64_t e1000_counter(const struct netdev *dev, const struct e1000_register *reg);

/* Says what a row is that netdev_inspect shows of a device with these IDs: text, bits and section of a register, a
 * counter or a PHY register. Other rows stay as they are. Touches no device. As net_words.describe. */
void e1000_describe(const struct net_device_id *id, struct netdev_row *row);

/* PHY ------------------------------------------------------------------------------------------------------------ */

/* Reads an IEEE 802.3 register (0 to 31) of the PHY over MDIC. NETDEV_E_TIMEOUT when it does not answer. */
int e1000_phy_read(struct netdev *dev, uint32_t reg, uint16_t *value);

#endif
