/* e1000_irq.c - interrupts: mode, moderation, and the handler's half (SDM 3.6, 13.4.17 to 13.4.21). */
#include "e1000_hw.h"

#define NS_PER_SECOND 1000000000U
#define ITR_MAX       0xFFFFU

/* Everything that has work for a poll. TXDW ends the wait for a free slot; RXDMT0 and RXO ask for buffers. */
#define CAUSES (E1000_CAUSE_TXDW | E1000_CAUSE_LSC | E1000_CAUSE_RXDMT0 | E1000_CAUSE_RXO | E1000_CAUSE_RXT0)

static uint32_t wanted_causes(const struct e1000 *nic) {
  return nic->msix ? CAUSES | E1000_CAUSE_82574_MSIX : CAUSES;
}

static uint32_t throttle_interval(uint32_t max_per_second) {
  if(max_per_second == 0) {
    return 0;
  }
  uint32_t interval = NS_PER_SECOND / E1000_ITR_INTERVAL_NS / max_per_second;
  return interval > ITR_MAX ? ITR_MAX : interval;
}

static void set_msix(struct e1000 *nic) {
  uint32_t ctrl_ext = e1000_read(nic, E1000_CTRL_EXT);
  if(nic->msix) {
    e1000_write(nic, E1000_IVAR, E1000_IVAR_ALL_TO_VECTOR_0);
    e1000_write(nic, E1000_CTRL_EXT, ctrl_ext | E1000_CTRL_EXT_PBA_SUPPORT);
  } else {
    e1000_write(nic, E1000_IVAR, 0); /* left set, causes would look for vectors under INTx and MSI too */
    e1000_write(nic, E1000_CTRL_EXT, ctrl_ext & ~E1000_CTRL_EXT_PBA_SUPPORT);
  }
}

void e1000_irq_program(struct e1000 *nic) {
  e1000_write(nic, E1000_IMC, UINT32_MAX);
  if(nic->model->family == E1000_FAMILY_82574) {
    set_msix(nic);
  }
  e1000_write(nic, E1000_ITR, nic->irq_interval);
  if(nic->msix) {
    e1000_write(nic, E1000_EITR, nic->irq_interval);
  }
  (void)e1000_read(nic, E1000_ICR);
  /* Frames that waited before had their cause cleared just now, and a full ring would never raise another. */
  e1000_irq_raise(&nic->netdev);
}

int e1000_irq_enable(struct netdev *dev, enum e1000_irq_mode mode, uint32_t max_per_second) {
  struct e1000 *nic = (struct e1000 *)dev;
  if(dev->state != NETDEV_OPEN) {
    return NETDEV_E_STATE;
  }
  if(mode == E1000_IRQ_MSIX && nic->model->family != E1000_FAMILY_82574) {
    return NETDEV_E_UNSUPPORTED;
  }
  nic->irq_enabled = true;
  nic->msix = mode == E1000_IRQ_MSIX;
  nic->irq_interval = throttle_interval(max_per_second);
  e1000_irq_program(nic);
  return NETDEV_OK;
}

uint32_t e1000_irq_handle(struct netdev *dev) {
  struct e1000 *nic = (struct e1000 *)dev;
  if(dev->state != NETDEV_OPEN || !nic->irq_enabled) {
    return 0;
  }
  if(nic->msix) {
    /* Nobody shares the vector. Masked first: reading ICR clears it only then (82574 10.2.4.1). */
    e1000_write(nic, E1000_IMC, UINT32_MAX);
    return e1000_read(nic, E1000_ICR) | E1000_CAUSE_82574_MSIX;
  }
  uint32_t causes = e1000_read(nic, E1000_ICR);
  if(causes == UINT32_MAX || causes == 0) {
    return 0;
  }
  e1000_write(nic, E1000_IMC, UINT32_MAX);
  return causes;
}

void e1000_irq_rearm(struct netdev *dev) {
  struct e1000 *nic = (struct e1000 *)dev;
  if(dev->state == NETDEV_OPEN && nic->irq_enabled) {
    e1000_write(nic, E1000_IMS, wanted_causes(nic));
  }
}

void e1000_irq_raise(struct netdev *dev) {
  struct e1000 *nic = (struct e1000 *)dev;
  if(dev->state == NETDEV_OPEN && nic->irq_enabled) {
    e1000_irq_rearm(dev);
    e1000_write(nic, E1000_ICS, E1000_CAUSE_RXT0 | (nic->msix ? E1000_CAUSE_82574_RXQ0 : 0U));
  }
}

void e1000_irq_disable(struct netdev *dev) {
  struct e1000 *nic = (struct e1000 *)dev;
  nic->irq_enabled = false;
  e1000_write(nic, E1000_IMC, UINT32_MAX);
}
