/* e1000_lock.c - what software, management firmware and the other port take turns at: MDIO and PHY. */
#include "e1000_hw.h"

#define MDIO_ROUNDS     10U
#define MDIO_ROUND_US   2000U
#define SWFLAG_STEP_US  1000U
#define SWFLAG_FREE_US  100000U /* until a previous owner lets go */
#define SWFLAG_GRANT_US 1000000U
#define SWSM_STEP_US    50U
#define SWSM_TIMEOUT_US 100000U

/* EXTCNF_CTRL.MDIO_SW_OWNERSHIP ------------------------------------------------------------------------------------ */

/* Given up, so nor is it asked for any more: granted later, it would keep management firmware out for good. */
static int give_up_extcnf(const struct e1000 *nic) {
  uint32_t value = e1000_read(nic, E1000_EXTCNF_CTRL);
  e1000_log(nic, NET_LOG_WARN, "EXTCNF_CTRL.MDIO_SW_OWNERSHIP is not granted", value);
  if(value != UINT32_MAX) {
    e1000_write(nic, E1000_EXTCNF_CTRL, value & ~E1000_EXTCNF_MDIO_SW_OWNERSHIP);
  }
  return NETDEV_E_TIMEOUT;
}

/* Management firmware owns the MDIO after a reset and may be using it: the bit sticks only when it has let go, so it is
 * written again in every round (82574 4.6.3). */
static int acquire_mdio(const struct e1000 *nic) {
  for(uint32_t round = 0; round < MDIO_ROUNDS; round++) {
    int result = e1000_modify(nic, E1000_EXTCNF_CTRL, 0, E1000_EXTCNF_MDIO_SW_OWNERSHIP);
    uint32_t value = result == NETDEV_OK ? e1000_read(nic, E1000_EXTCNF_CTRL) : UINT32_MAX;
    if(value == UINT32_MAX) {
      return NETDEV_E_GONE;
    }
    if(value & E1000_EXTCNF_MDIO_SW_OWNERSHIP) {
      return NETDEV_OK;
    }
    nic->platform->delay_us(nic->platform->ctx, MDIO_ROUND_US);
  }
  return give_up_extcnf(nic);
}

/* SWFLAG on a PCH: set, it belongs to somebody, and nobody can tell whom; so it has to be seen clear first. One that
 * stays set is not ours to clear. */
static int acquire_swflag(const struct e1000 *nic) {
  int result = e1000_wait(nic, "EXTCNF_CTRL.SWFLAG stays set", E1000_EXTCNF_CTRL, E1000_EXTCNF_MDIO_SW_OWNERSHIP, 0,
                          SWFLAG_STEP_US, SWFLAG_FREE_US);
  if(result == NETDEV_OK) {
    result = e1000_modify(nic, E1000_EXTCNF_CTRL, 0, E1000_EXTCNF_MDIO_SW_OWNERSHIP);
  }
  if(result != NETDEV_OK) {
    return result;
  }
  result = e1000_wait(nic, "EXTCNF_CTRL.SWFLAG is not granted", E1000_EXTCNF_CTRL, E1000_EXTCNF_MDIO_SW_OWNERSHIP,
                      E1000_EXTCNF_MDIO_SW_OWNERSHIP, SWFLAG_STEP_US, SWFLAG_GRANT_US);
  return result == NETDEV_E_TIMEOUT ? give_up_extcnf(nic) : result;
}

/* SWSM ------------------------------------------------------------------------------------------------------------- */

/* Reading SMBI takes it: it reads 0 to whom it was free. One that nobody gives back was left behind, and is passed
 * over: the other port's driver may be of a kind that never releases it (PCIe SDM 4.6.12; Linux goes on too). */
static int acquire_swsm(const struct e1000 *nic) {
  int result = e1000_wait(nic, "SWSM.SMBI stays set", E1000_SWSM, E1000_SWSM_SMBI, 0, SWSM_STEP_US, SWSM_TIMEOUT_US);
  if(result == NETDEV_E_GONE) {
    return result;
  }
  for(uint32_t waited_us = 0; waited_us <= SWSM_TIMEOUT_US; waited_us += SWSM_STEP_US) {
    result = e1000_modify(nic, E1000_SWSM, 0, E1000_SWSM_SWESMBI);
    uint32_t value = result == NETDEV_OK ? e1000_read(nic, E1000_SWSM) : UINT32_MAX;
    if(value == UINT32_MAX) {
      return NETDEV_E_GONE;
    }
    if(value & E1000_SWSM_SWESMBI) {
      return NETDEV_OK;
    }
    nic->platform->delay_us(nic->platform->ctx, SWSM_STEP_US);
  }
  e1000_log(nic, NET_LOG_WARN, "SWSM.SWESMBI is not granted", 0);
  e1000_release(nic, E1000_LOCK_SWSM);
  return NETDEV_E_TIMEOUT;
}

/* Public ----------------------------------------------------------------------------------------------------------- */

int e1000_acquire(const struct e1000 *nic, enum e1000_lock lock) {
  switch(lock) {
  case E1000_LOCK_MDIO:
    return acquire_mdio(nic);
  case E1000_LOCK_SWFLAG:
    return acquire_swflag(nic);
  case E1000_LOCK_SWSM:
    return acquire_swsm(nic);
  case E1000_LOCK_NONE:
    break;
  }
  return NETDEV_OK;
}

void e1000_release(const struct e1000 *nic, enum e1000_lock lock) {
  if(lock == E1000_LOCK_SWSM) {
    (void)e1000_modify(nic, E1000_SWSM, E1000_SWSM_SMBI | E1000_SWSM_SWESMBI, 0);
  } else if(lock != E1000_LOCK_NONE) {
    (void)e1000_modify(nic, E1000_EXTCNF_CTRL, E1000_EXTCNF_MDIO_SW_OWNERSHIP, 0);
  }
}
