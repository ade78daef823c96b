/* e1000_io.c - what every other part of the driver stands on: messages, bounded waits, what registers say. */
#include "e1000_hw.h"

void e1000_log(const struct e1000 *nic, enum net_log_level level, const char *text, uint32_t value) {
  if(nic->platform->log) {
    nic->platform->log(nic->platform->ctx, level, text, value);
  }
}

int e1000_modify(const struct e1000 *nic, uint32_t offset, uint32_t clear, uint32_t set) {
  uint32_t value = e1000_read(nic, offset);
  if(value == UINT32_MAX) {
    return NETDEV_E_GONE;
  }
  e1000_write(nic, offset, (value & ~clear) | set);
  return NETDEV_OK;
}

int e1000_wait(const struct e1000 *nic, const char *what, uint32_t offset, uint32_t mask, uint32_t want,
               uint32_t step_us, uint32_t timeout_us) {
  uint32_t value = 0;
  for(uint32_t waited_us = 0; waited_us <= timeout_us; waited_us += step_us) {
    value = e1000_read(nic, offset);
    if(value == UINT32_MAX) {
      e1000_log(nic, NET_LOG_ERROR, "the device no longer answers", value);
      return NETDEV_E_GONE;
    }
    if((value & mask) == want) {
      return NETDEV_OK;
    }
    nic->platform->delay_us(nic->platform->ctx, step_us);
  }
  e1000_log(nic, NET_LOG_ERROR, what, value);
  return NETDEV_E_TIMEOUT;
}

bool e1000_is_gone(const struct e1000 *nic, uint32_t status) {
  return status == UINT32_MAX || (status == 0 && e1000_read(nic, E1000_RAH) == 0);
}

void e1000_decode_address(uint32_t low, uint32_t high, uint8_t mac[NETDEV_MAC_LENGTH]) {
  for(uint32_t i = 0; i < 4; i++) {
    mac[i] = (uint8_t)(low >> (8U * i));
  }
  mac[4] = (uint8_t)high;
  mac[5] = (uint8_t)(high >> 8);
}

struct netdev_link e1000_decode_link(uint32_t status) {
  static const uint16_t speed_mbps[] = {10, 100, 1000, 1000};
  struct netdev_link link = {0};
  if(status != UINT32_MAX && (status & E1000_STATUS_LU)) {
    link.up = true;
    link.full_duplex = (status & E1000_STATUS_FD) != 0;
    link.speed_mbps = speed_mbps[(status & E1000_STATUS_SPEED_MASK) >> E1000_STATUS_SPEED_SHIFT];
  }
  return link;
}
