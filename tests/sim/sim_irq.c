/* sim_irq.c - the simulated interrupt: causes, the mask, and what of it reaches the processor. */
#include "sim_internal.h"

#define CTRL_EXT_PBA_SUPPORT 0x80000000U
#define IVAR_VALID           8U /* the highest bit of a cause's four */

/* RXQ0, RXQ1, TXQ0, TXQ1 and OTHER, as far as IVAR gives them a vector. The other causes have none under MSI-X. */
static uint32_t causes_with_vector(struct sim *sim) {
  uint32_t causes = 0;
  for(uint32_t i = 0; i < 5U; i++) {
    if(*sim_reg(sim, R_IVAR) >> 4U * i & IVAR_VALID) {
      causes |= CAUSE_RXQ0 << i;
    }
  }
  return causes;
}

static bool asserted(struct sim *sim) {
  uint32_t pending = *sim_reg(sim, R_ICR) & *sim_reg(sim, R_IMS);
  if(sim->part->msix && (*sim_reg(sim, R_CTRL_EXT) & CTRL_EXT_PBA_SUPPORT)) {
    pending &= causes_with_vector(sim);
  }
  return pending != 0 && !sim_is_gone(sim);
}

/* The 8254x clears what is read. The PCIe parts do so when everything is masked, or when it interrupts and not by MSI-X
 * (without IAME, which nobody here sets); else reading changes nothing. It also says whether it interrupts
 * (82574 10.2.4.1). QEMU 7.2 calls any cause an interrupt, and always clears but under MSI-X. */
uint32_t sim_read_causes(struct sim *sim) {
  uint32_t causes = *sim_reg(sim, R_ICR);
  if(!sim->part->pcie) {
    *sim_reg(sim, R_ICR) = 0;
    return causes;
  }
  uint32_t mask = *sim_reg(sim, R_IMS);
  bool msix = sim->part->msix && (*sim_reg(sim, R_CTRL_EXT) & CTRL_EXT_PBA_SUPPORT) != 0;
  bool interrupts = (causes & (sim->config.qemu ? UINT32_MAX : mask)) != 0;
  if(mask == 0 || (!msix && (interrupts || sim->config.qemu))) {
    *sim_reg(sim, R_ICR) = 0;
  }
  return interrupts ? causes | CAUSE_INT_ASSERTED : causes;
}

void sim_cause(struct sim *sim, uint32_t causes) {
  if(sim->part->msix) {
    causes |= causes & CAUSE_RXT0 ? CAUSE_RXQ0 : 0U;
    causes |= causes & CAUSE_TXDW ? CAUSE_TXQ0 : 0U;
    causes |= causes & (CAUSE_LSC | CAUSE_RXO) ? CAUSE_OTHER : 0U;
  }
  *sim_reg(sim, R_ICR) |= causes;
  sim_update_interrupt(sim);
}

void sim_update_interrupt(struct sim *sim) {
  bool up = sim_link_up(sim);
  if(up != sim->link_was_up) {
    sim->link_was_up = up;
    sim_cause(sim, CAUSE_LSC);
  }
  bool now = asserted(sim);
  sim->interrupts += now && !sim->interrupting;
  sim->interrupting = now;
}

bool sim_interrupt(struct sim *sim) {
  sim_update_interrupt(sim);
  return sim->interrupting;
}

uint32_t sim_interrupts(struct sim *sim) {
  sim_update_interrupt(sim);
  return sim->interrupts;
}
