/* e1000_nvm.c - the NVM over EERD or Microwire, the station address, and the PHY over MDIC. */
#include "e1000_hw.h"

#define E1000_NVM_TIMEOUT_US      100000U /* one EERD word                                   */
#define E1000_MDIC_TIMEOUT_US     10000U  /* one MDIO frame takes about 64 us                */
#define E1000_PHY_SETUP_US        25000U  /* from EECD.AUTO_RD until the PHY is set up       */
#define E1000_CFG_DONE_TIMEOUT_US 100000U /* EEMNGCTL.CFG_DONE, where there is one           */
#define E1000_CFG_DONE_STEP_US    100U
#define E1000_SMALL_STEP_US       5U
#define NVM_FLAGS                 0x19U /* PCH: bit 6 says that its checksum was made */
#define NVM_FLAGS_SUMMED          0x40U

/* Microwire: READ is start bit 1, opcode 10b, then the address, most significant bit first (SDM 5.4). */
#define MICROWIRE_READ         6U
#define MICROWIRE_ADDRESS_BITS 6U /* 64 words, the only size an 82544 comes with */
#define MICROWIRE_READ_BITS    3U
#define MICROWIRE_HALF_US      1U /* 50 us per bit is the standard's figure for a 20 kHz part; ours runs at 1 MHz */

/* Who may ask ---------------------------------------------------------------------------------------------------- */

/* How much is left, at the most, of the PHY's setup from the NVM; 0 when it is over. */
static uint32_t setup_left_us(struct e1000 *nic) {
  uint64_t now = nic->phy_ready_us ? nic->platform->now_us(nic->platform->ctx) : 0;
  uint32_t left_us = now < nic->phy_ready_us ? (uint32_t)(nic->phy_ready_us - now) : 0;
  if(left_us > 0 && e1000_has_quirk(nic, E1000_QUIRK_CFG_DONE)) {
    uint32_t eemngctl = e1000_read(nic, E1000_EEMNGCTL);
    if(eemngctl != UINT32_MAX && (eemngctl & E1000_EEMNGCTL_CFG_DONE)) {
      left_us = 0;
    }
  }
  if(left_us == 0) {
    nic->phy_ready_us = 0;
  }
  return left_us;
}

/* The first who asks waits for what is left. A part that never says that it is done works all the same. */
static int wait_for_setup(struct e1000 *nic) {
  uint32_t left_us = setup_left_us(nic);
  if(left_us == 0) {
    return NETDEV_OK;
  }
  int result = NETDEV_OK;
  if(e1000_has_quirk(nic, E1000_QUIRK_CFG_DONE)) {
    result = e1000_wait(nic, "EEMNGCTL.CFG_DONE stays clear after the reset", E1000_EEMNGCTL, E1000_EEMNGCTL_CFG_DONE,
                        E1000_EEMNGCTL_CFG_DONE, E1000_CFG_DONE_STEP_US, left_us);
  } else {
    nic->platform->delay_us(nic->platform->ctx, left_us);
  }
  nic->phy_ready_us = 0;
  return result == NETDEV_E_GONE ? result : NETDEV_OK;
}

void e1000_phy_setup_begins(struct e1000 *nic) {
  bool says_so = e1000_has_quirk(nic, E1000_QUIRK_CFG_DONE);
  nic->phy_ready_us =
      nic->platform->now_us(nic->platform->ctx) + (says_so ? E1000_CFG_DONE_TIMEOUT_US : E1000_PHY_SETUP_US);
}

/* Over EERD ------------------------------------------------------------------------------------------------------ */

static int nvm_read_eerd(struct e1000 *nic, uint16_t word, uint16_t *value, uint32_t shift, uint32_t done) {
  e1000_write(nic, E1000_EERD, (uint32_t)word << shift | E1000_EERD_START);
  int result =
      e1000_wait(nic, "EERD.DONE stays clear", E1000_EERD, done, done, E1000_SMALL_STEP_US, E1000_NVM_TIMEOUT_US);
  if(result != NETDEV_OK) {
    return result == NETDEV_E_GONE ? result : NETDEV_E_NVM;
  }
  uint32_t eerd = e1000_read(nic, E1000_EERD);
  *value = (uint16_t)(eerd >> E1000_EERD_DATA_SHIFT);
  return eerd == UINT32_MAX ? NETDEV_E_GONE : NETDEV_OK;
}

/* Bit by bit ----------------------------------------------------------------------------------------------------- */

static void microwire_set(struct e1000 *nic, uint32_t eecd) {
  e1000_write(nic, E1000_EECD, eecd);
  e1000_write_flush(nic);
  nic->platform->delay_us(nic->platform->ctx, MICROWIRE_HALF_US);
}

static void microwire_out(struct e1000 *nic, uint32_t eecd, uint32_t bits, uint32_t count) {
  while(count-- > 0) {
    uint32_t data = (bits >> count) & 1U ? E1000_EECD_DI : 0U;
    microwire_set(nic, eecd | data);
    microwire_set(nic, eecd | data | E1000_EECD_SK);
    microwire_set(nic, eecd | data);
  }
}

static uint16_t microwire_in(struct e1000 *nic, uint32_t eecd) {
  uint32_t value = 0;
  for(uint32_t i = 0; i < 16; i++) {
    microwire_set(nic, eecd | E1000_EECD_SK);
    value = value << 1 | ((e1000_read(nic, E1000_EECD) & E1000_EECD_DO) != 0);
    microwire_set(nic, eecd);
  }
  return (uint16_t)value;
}

/* The 82544 has no request and grant bits: nobody else uses its EEPROM. */
static int nvm_read_microwire(struct e1000 *nic, uint16_t word, uint16_t *value) {
  uint32_t eecd = e1000_read(nic, E1000_EECD);
  if(eecd == UINT32_MAX) {
    return NETDEV_E_GONE;
  }
  uint32_t idle = eecd & ~(E1000_EECD_SK | E1000_EECD_CS | E1000_EECD_DI);

  microwire_set(nic, idle);
  microwire_set(nic, idle | E1000_EECD_CS);
  microwire_out(nic, idle | E1000_EECD_CS, MICROWIRE_READ, MICROWIRE_READ_BITS);
  microwire_out(nic, idle | E1000_EECD_CS, word, MICROWIRE_ADDRESS_BITS);
  *value = microwire_in(nic, idle | E1000_EECD_CS);
  microwire_set(nic, idle);
  return e1000_read(nic, E1000_STATUS) == UINT32_MAX ? NETDEV_E_GONE : NETDEV_OK;
}

/* Public --------------------------------------------------------------------------------------------------------- */

int e1000_nvm_read(struct netdev *dev, uint16_t word, uint16_t *value) {
  struct e1000 *nic = (struct e1000 *)dev;
  if(word >= E1000_NVM_WORDS) {
    return NETDEV_E_INVALID;
  }
  if(wait_for_setup(nic) != NETDEV_OK) {
    return NETDEV_E_GONE;
  }
  switch(nic->model->part->nvm) {
  case E1000_NVM_MICROWIRE:
    return nvm_read_microwire(nic, word, value);
  case E1000_NVM_EERD_LARGE:
    return nvm_read_eerd(nic, word, value, E1000_EERD_LARGE_ADDRESS_SHIFT, E1000_EERD_LARGE_DONE);
  case E1000_NVM_FLASH:
    return e1000_flash_read(nic, word, value);
  default:
    return nvm_read_eerd(nic, word, value, E1000_EERD_SMALL_ADDRESS_SHIFT, E1000_EERD_SMALL_DONE);
  }
}

int e1000_nvm_checksum(struct netdev *dev, uint16_t *sum) {
  *sum = 0;
  for(uint16_t word = 0; word < E1000_NVM_WORDS; word++) {
    uint16_t value;
    int result = e1000_nvm_read(dev, word, &value);
    if(result != NETDEV_OK) {
      return result;
    }
    *sum = (uint16_t)(*sum + value);
  }
  return NETDEV_OK;
}

bool e1000_nvm_is_unsummed(struct e1000 *nic) {
  uint16_t flags;
  return e1000_has_quirk(nic, E1000_QUIRK_NVM_UNSUMMED) &&
         e1000_nvm_read(&nic->netdev, NVM_FLAGS, &flags) == NETDEV_OK && !(flags & NVM_FLAGS_SUMMED);
}

/* A reset reloads RAL0/RAH0 from the NVM, and some platforms put another address there first; so the registers have the
 * say, and the NVM is asked when they are empty or hold nonsense. */
int e1000_read_address(struct e1000 *nic, uint8_t mac[NETDEV_MAC_LENGTH]) {
  uint32_t low = e1000_read(nic, E1000_RAL);
  uint32_t high = e1000_read(nic, E1000_RAH);
  if(high == UINT32_MAX) {
    return NETDEV_E_GONE;
  }
  e1000_decode_address(low, high, mac);
  if((high & E1000_RAH_AV) && netdev_mac_valid(mac)) {
    return NETDEV_OK;
  }
  e1000_log(nic, NET_LOG_WARN, "RAL0/RAH0 hold no station address, reading the NVM", high);
  uint8_t *mac_word = mac;
  for(uint16_t word = 0; word < 3; word++) {
    uint16_t value;
    int result = e1000_nvm_read(&nic->netdev, word, &value);
    if(result != NETDEV_OK) {
      return result == NETDEV_E_GONE ? result : NETDEV_E_NO_ADDRESS;
    }
    *mac_word++ = (uint8_t)value;
    *mac_word++ = (uint8_t)(value >> 8);
  }
  uint32_t status = e1000_read(nic, E1000_STATUS);
  if(status == UINT32_MAX) {
    return NETDEV_E_GONE;
  }
  if(e1000_has_quirk(nic, E1000_QUIRK_PORT_B) && (status & E1000_STATUS_PORT_B)) {
    mac[NETDEV_MAC_LENGTH - 1U] ^= 1U;
  }
  return netdev_mac_valid(mac) ? NETDEV_OK : NETDEV_E_NO_ADDRESS;
}

/* PHY ------------------------------------------------------------------------------------------------------------ */

static int mdic_owned(struct e1000 *nic, uint32_t command, uint16_t *value) {
  e1000_write(nic, E1000_MDIC, command | (uint32_t)nic->model->part->phy_address << E1000_MDIC_PHY_SHIFT);
  int result = e1000_wait(nic, "MDIC.READY stays clear", E1000_MDIC, E1000_MDIC_READY, E1000_MDIC_READY,
                          E1000_SMALL_STEP_US, E1000_MDIC_TIMEOUT_US);
  if(result != NETDEV_OK) {
    return result;
  }
  uint32_t answer = e1000_read(nic, E1000_MDIC);
  *value = (uint16_t)answer;
  return answer & E1000_MDIC_ERROR ? NETDEV_E_TIMEOUT : NETDEV_OK;
}

static int mdic(struct e1000 *nic, uint32_t command, uint16_t *value) {
  const struct e1000_part *part = nic->model->part;
  int result = wait_for_setup(nic);
  if(result == NETDEV_OK) {
    result = e1000_acquire(nic, part->phy_lock);
  }
  if(result != NETDEV_OK) {
    return result;
  }
  result = mdic_owned(nic, command, value);
  if(part->mdic_gap_us > 0) {
    nic->platform->delay_us(nic->platform->ctx, part->mdic_gap_us);
  }
  if(result != NETDEV_E_GONE) {
    e1000_release(nic, part->phy_lock);
  }
  return result;
}

int e1000_phy_read(struct netdev *dev, uint32_t reg, uint16_t *value) {
  if(reg > 31U) {
    return NETDEV_E_INVALID;
  }
  return mdic((struct e1000 *)dev, E1000_MDIC_OP_READ | reg << E1000_MDIC_REG_SHIFT, value);
}

int e1000_phy_write(struct e1000 *nic, uint32_t reg, uint16_t value) {
  uint16_t answer;
  return mdic(nic, E1000_MDIC_OP_WRITE | reg << E1000_MDIC_REG_SHIFT | value, &answer);
}

void e1000_wake_phy(struct e1000 *nic) {
  uint16_t control;
  if((e1000_read(nic, E1000_STATUS) & E1000_STATUS_LU) && setup_left_us(nic) > 0) {
    return;
  }
  if(e1000_phy_read(&nic->netdev, E1000_PHY_CONTROL, &control) != NETDEV_OK) {
    e1000_log(nic, NET_LOG_WARN, "the PHY does not answer", 0);
    return;
  }
  bool asleep = (control & (E1000_PHY_CONTROL_POWER_DOWN | E1000_PHY_CONTROL_ISOLATE)) != 0;
  if(asleep && !e1000_phy_is_ours(nic)) {
    e1000_log(nic, NET_LOG_WARN, "the PHY sleeps, and the management engine does not let us wake it", control);
  } else if(asleep) {
    e1000_log(nic, NET_LOG_INFO, "waking a PHY that was left powered down or isolated", control);
    uint32_t awake = control & ~(uint32_t)(E1000_PHY_CONTROL_POWER_DOWN | E1000_PHY_CONTROL_ISOLATE);
    awake |= E1000_PHY_CONTROL_AUTONEG | E1000_PHY_CONTROL_RESTART_AN;
    (void)e1000_phy_write(nic, E1000_PHY_CONTROL, (uint16_t)awake);
  }
}
