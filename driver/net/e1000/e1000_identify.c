/* e1000_identify.c - lets the LEDs blink, so that a person finds the NIC. */
#include "e1000_hw.h"

/* On and blinking, whatever they showed; the polarity that the board has stays (13.4.15). */
static uint32_t blink_all(uint32_t ledctl) {
  for(uint32_t i = 0; i < E1000_LEDCTL_COUNT; i++) {
    uint32_t shift = i * E1000_LEDCTL_BITS;
    ledctl &= ~(E1000_LEDCTL_MODE_MASK << shift);
    ledctl |= (E1000_LEDCTL_MODE_ON | E1000_LEDCTL_BLINK) << shift;
  }
  return ledctl;
}

int e1000_identify(struct netdev *dev, bool on) {
  struct e1000 *nic = (struct e1000 *)dev;
  if(!e1000_has_quirk(nic, E1000_QUIRK_LEDCTL)) {
    return NETDEV_E_UNSUPPORTED;
  }
  if(on && !nic->blinking) {
    uint32_t before = e1000_read(nic, E1000_LEDCTL);
    if(before == UINT32_MAX) {
      return NETDEV_E_GONE;
    }
    nic->ledctl = before;
    nic->blinking = true;
    e1000_write(nic, E1000_LEDCTL, blink_all(before));
  } else if(!on && nic->blinking) {
    nic->blinking = false;
    e1000_write(nic, E1000_LEDCTL, nic->ledctl);
  }
  return NETDEV_OK;
}
