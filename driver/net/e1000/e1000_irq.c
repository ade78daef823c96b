/* e1000_irq.c - interrupts: mode, moderation, and the handler's half (SDM 3.6, 13.4.17 to 13.4.21). */
#include "e1000_hw.h"

#define ITR_PER_SECOND (1000000000U / E1000_ITR_INTERVAL_NS) /* intervals of one unit */
#define ITR_MAX        0xFFFFU

/* Everything that has work for a poll. TXDW ends the wait for a free slot; RXDMT0 and RXO ask for buffers. */
#define CAUSES (E1000_CAUSE_TXDW | E1000_CAUSE_LSC | E1000_CAUSE_RXDMT0 | E1000_CAUSE_RXO | E1000_CAUSE_RXT0)

static uint32_t wanted_causes(const struct e1000 *nic) {
  return nic->irq_mode == NETDEV_IRQ_MSIX ? CAUSES | E1000_CAUSE_82574_MSIX : CAUSES;
}

/* Rounded up, so that it is never more often than was asked for. False when no interval is long enough. */
static bool throttle_interval(uint32_t max_per_second, uint32_t *interval) {
  *interval = max_per_second == 0 ? 0 : (ITR_PER_SECOND - 1U) / max_per_second + 1U;
  return *interval <= ITR_MAX;
}

static void set_msix(struct e1000 *nic) {
  uint32_t ctrl_ext = e1000_read(nic, E1000_CTRL_EXT);
  if(nic->irq_mode == NETDEV_IRQ_MSIX) {
    e1000_write(nic, E1000_IVAR, E1000_IVAR_ALL_TO_VECTOR_0);
    e1000_write(nic, E1000_CTRL_EXT, ctrl_ext | E1000_CTRL_EXT_PBA_SUPPORT);
    e1000_write(nic, E1000_EITR, nic->irq_interval);
  } else {
    e1000_write(nic, E1000_IVAR, 0); /* left set, causes would look for vectors under INTx and MSI too */
    e1000_write(nic, E1000_CTRL_EXT, ctrl_ext & ~E1000_CTRL_EXT_PBA_SUPPORT);
  }
}

void e1000_irq_program(struct e1000 *nic) {
  e1000_write(nic, E1000_IMC, UINT32_MAX);
  if(e1000_has_quirk(nic, E1000_QUIRK_MSIX)) {
    set_msix(nic);
  }
  if(e1000_has_quirk(nic, E1000_QUIRK_SINCE_82540)) {
    e1000_write(nic, E1000_ITR, nic->irq_interval);
  }
  (void)e1000_read(nic, E1000_ICR);
  nic->irq_enabled = true;
  e1000_write(nic, E1000_IMS, wanted_causes(nic));
  /* Frames that waited before had their cause cleared just now, and a full ring would never raise another. */
  e1000_write(nic, E1000_ICS, E1000_CAUSE_RXT0 | (nic->irq_mode == NETDEV_IRQ_MSIX ? E1000_CAUSE_82574_RXQ0 : 0U));
}

/* In this order: a handler that found its device disabled while it still interrupts would leave the line as it is, and
 * be called for ever. */
void e1000_irq_stop(struct e1000 *nic) {
  if(nic->irq_enabled) {
    e1000_write(nic, E1000_IMC, UINT32_MAX);
    e1000_write_flush(nic);
    nic->irq_enabled = false;
  }
}

int e1000_irq_enable(struct netdev *dev, enum netdev_irq_mode mode, uint32_t max_per_second) {
  struct e1000 *nic = (struct e1000 *)dev;
  uint32_t interval;
  if(mode == NETDEV_IRQ_MSIX && !e1000_has_quirk(nic, E1000_QUIRK_MSIX)) {
    return NETDEV_E_UNSUPPORTED;
  }
  if(max_per_second != 0 && !e1000_has_quirk(nic, E1000_QUIRK_SINCE_82540)) {
    return NETDEV_E_UNSUPPORTED;
  }
  if(!throttle_interval(max_per_second, &interval)) {
    return NETDEV_E_INVALID;
  }
  e1000_irq_stop(nic);
  nic->irq_mode = mode;
  nic->irq_interval = interval;
  e1000_irq_program(nic);
  return NETDEV_OK;
}

/* A line may be shared, and a cause that is read after another device's interrupt is no proof: one that is masked
 * interrupts nobody. The 82574 says whether it interrupts. */
static bool is_ours(const struct e1000 *nic, uint32_t causes) {
  if(nic->irq_mode == NETDEV_IRQ_INTX && e1000_has_quirk(nic, E1000_QUIRK_INT_ASSERTED) &&
     !(causes & E1000_CAUSE_82574_INT_ASSERTED)) {
    return false;
  }
  return (causes & wanted_causes(nic)) != 0;
}

bool e1000_irq_handle(struct netdev *dev) {
  struct e1000 *nic = (struct e1000 *)dev;
  if(!nic->irq_enabled) {
    return false;
  }
  if(nic->irq_mode == NETDEV_IRQ_MSIX) {
    /* Nobody shares the vector. Masked first: reading ICR clears it only then (82574 10.2.4.1). */
    e1000_write(nic, E1000_IMC, UINT32_MAX);
    return e1000_read(nic, E1000_ICR) != UINT32_MAX;
  }
  uint32_t causes = e1000_read(nic, E1000_ICR);
  if(causes == UINT32_MAX || !is_ours(nic, causes)) {
    return false;
  }
  e1000_write(nic, E1000_IMC, UINT32_MAX);
  return true;
}

/* Causes that came while all was masked are lost when somebody else's interrupt has them read. So the rings have the
 * last word: after the write, or an interrupt could slip in between. */
bool e1000_irq_rearm(struct netdev *dev) {
  struct e1000 *nic = (struct e1000 *)dev;
  if(dev->state != NETDEV_OPEN || !nic->irq_enabled) {
    return false;
  }
  e1000_write(nic, E1000_IMS, wanted_causes(nic));
  return e1000_ring_has_done(&nic->rx) || e1000_ring_has_done(&nic->tx);
}

void e1000_irq_disable(struct netdev *dev) {
  e1000_irq_stop((struct e1000 *)dev);
}
