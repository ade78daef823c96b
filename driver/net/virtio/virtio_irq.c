/* virtio_irq.c - interrupts: a level that reading ISR lowers, or MSI-X vector 0 for all (VIRTIO 1.2, 4.1.5.3). */
#include "virtio_nic.h"

/* Receive and transmit: what ends the wait for a frame, and the wait for a free buffer. The control queue is polled. */
static void park(struct virtio_net *nic) {
  virtq_park(virtio_rx(nic));
  virtq_park(virtio_tx(nic));
}

static void arm(struct virtio_net *nic) {
  virtq_arm(virtio_rx(nic));
  virtq_arm(virtio_tx(nic));
}

static bool has_news(struct virtio_net *nic) {
  return virtq_has_news(virtio_rx(nic)) || virtq_has_news(virtio_tx(nic));
}

/* There is no register that raises an interrupt, but a device that returns the buffer of a command does so, if it may.
 * Where there is no control queue, or it does not answer, whoever enabled interrupts has to poll. */
static void raise(struct virtio_net *nic) {
  struct virtq *control = &nic->queue[VIRTIO_NET_CONTROL];
  if(virtio_has(nic, VIRTIO_NET_F_CTRL_VQ)) {
    virtq_arm(control);
    (void)virtio_net_command_again(nic);
    virtq_park(control);
  }
}

void virtio_net_irq_program(struct virtio_net *nic) {
  arm(nic);
  if(!nic->msix) {
    /* What is pending from before is dropped, for the line would stay high. INTx is let through last. */
    (void)virtio_pci_isr(&nic->pci);
    (void)virtio_pci_allow_intx(&nic->pci, true);
  }
  if(has_news(nic)) {
    raise(nic);
  }
}

int virtio_net_irq_enable(struct netdev *dev, enum netdev_irq_mode mode, uint32_t max_per_second) {
  struct virtio_net *nic = to_virtio(dev);
  if(mode == NETDEV_IRQ_MSI || (mode == NETDEV_IRQ_MSIX && !nic->msix_ready) || max_per_second != 0) {
    return NETDEV_E_UNSUPPORTED;
  }
  nic->irq_enabled = true;
  nic->msix = mode == NETDEV_IRQ_MSIX;
  if(nic->msix) {
    (void)virtio_pci_allow_intx(&nic->pci, false);
  }
  virtio_net_irq_program(nic);
  return NETDEV_OK;
}

/* One read under INTx, which lowers the line (4.1.4.5); none under MSI-X, whose vector nobody shares. The rest is
 * memory, and only a hint, so that a thread that moves the hint at the same time does no harm: it rearms in the end. */
bool virtio_net_irq_handle(struct netdev *dev) {
  struct virtio_net *nic = to_virtio(dev);
  if(!nic->irq_enabled) {
    return false;
  }
  if(!nic->msix) {
    uint8_t cause = virtio_pci_isr(&nic->pci);
    if(cause == 0 || cause == VIRTIO_STATUS_ABSENT) {
      return false;
    }
  }
  park(nic);
  return true;
}

/* virtq_arm's barrier orders the wish for an interrupt before this look: what came in between is seen here, what comes
 * later interrupts (2.7.7.1). */
bool virtio_net_irq_rearm(struct netdev *dev) {
  struct virtio_net *nic = to_virtio(dev);
  if(!nic->irq_enabled) {
    return false;
  }
  arm(nic);
  if(!has_news(nic)) {
    return false;
  }
  park(nic);
  return true;
}

void virtio_net_irq_close(struct virtio_net *nic) {
  if(nic->irq_enabled && !nic->msix) {
    (void)virtio_pci_allow_intx(&nic->pci, false);
  }
  nic->irq_enabled = false;
}

void virtio_net_irq_disable(struct netdev *dev) {
  struct virtio_net *nic = to_virtio(dev);
  if(dev->state == NETDEV_OPEN) {
    virtio_net_irq_close(nic);
  }
  nic->irq_enabled = false;
  park(nic);
}
