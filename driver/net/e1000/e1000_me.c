/* e1000_me.c - living beside the management engine (ME) of a PCH: whose the PHY is, and doorbells that get lost. */
#include "e1000_hw.h"

#define LAN_INIT_STEP_US    100U
#define LAN_INIT_TIMEOUT_US 150000U
#define ARBITER_READS       4000U /* about as many microseconds; a doorbell may not wait by delay_us */
#define TAIL_TRIES          4U

bool e1000_phy_is_ours(const struct e1000 *nic) {
  if(!e1000_has_quirk(nic, E1000_QUIRK_ME)) {
    return true;
  }
  uint32_t fwsm = e1000_read(nic, E1000_FWSM);
  return fwsm != UINT32_MAX && (fwsm & E1000_FWSM_RSPCIPHY);
}

/* The ME may take longer than a reset, and a part that never says so works all the same. */
int e1000_wait_for_lan(struct e1000 *nic) {
  int result =
      e1000_wait(nic, "STATUS.LAN_INIT_DONE stays clear after the reset", E1000_STATUS, E1000_STATUS_LAN_INIT_DONE,
                 E1000_STATUS_LAN_INIT_DONE, LAN_INIT_STEP_US, LAN_INIT_TIMEOUT_US);
  return result == NETDEV_E_GONE ? result : e1000_modify(nic, E1000_KABGTXD, 0, E1000_KABGTXD_BIAS);
}

bool e1000_tails_get_lost(const struct e1000 *nic) {
  if(!e1000_has_quirk(nic, E1000_QUIRK_ME)) {
    return false;
  }
  uint32_t fwsm = e1000_read(nic, E1000_FWSM);
  return fwsm != UINT32_MAX && (fwsm & E1000_FWSM_VALID);
}

/* While the ME accesses the MAC, a write of ours may be dropped on the way: it is written when the arbiter is free, and
 * read back. One that is lost every time shows as a hang, which is recovered from. */
void e1000_write_tail_beside_me(const struct e1000 *nic, uint32_t offset, uint32_t value) {
  for(uint32_t i = 0; i < TAIL_TRIES; i++) {
    uint32_t reads = 0;
    uint32_t fwsm;
    do {
      fwsm = e1000_read(nic, E1000_FWSM);
    } while(fwsm != UINT32_MAX && (fwsm & E1000_FWSM_ARBITER) && ++reads < ARBITER_READS);
    e1000_write(nic, offset, value);
    uint32_t now = e1000_read(nic, offset);
    if(now == value || now == UINT32_MAX) {
      return;
    }
  }
  e1000_log(nic, NET_LOG_WARN, "a tail write is lost beside the management engine", value);
}
