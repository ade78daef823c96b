/* virtio_pci.h - the modern PCI transport: where its structures are, and the accesses to them (VIRTIO 1.2, 4.1). */
#ifndef VIRTIO_PCI_H
#define VIRTIO_PCI_H

#include "virtq.h"

#define VIRTIO_NO_BAR UINT32_MAX

/* A structure inside a BAR. */
struct virtio_place {
  uint32_t bar;    /* number of the BAR's register, 0 to 5; VIRTIO_NO_BAR = not there */
  uint32_t offset; /* bytes                                                           */
  uint32_t length; /* bytes                                                           */
};

struct virtio_pci {
  const struct net_platform *platform;
  struct virtio_place common;
  struct virtio_place notify;
  struct virtio_place isr;
  struct virtio_place device; /* as long as the device says: ask virtio_pci_has_config */
  uint32_t notify_multiplier; /* bytes from one doorbell to the next; 0 = all the same */
  uint32_t msix;              /* offset of the MSI-X capability, 0 = none              */
};

void virtio_pci_log(const struct virtio_pci *pci, enum net_log_level level, const char *text, uint32_t value);

/* Finds the structures through the capability list. NETDEV_E_UNSUPPORTED when one that is needed is missing, or does
 * not fit its BAR (a legacy device); NETDEV_E_GONE when it does not answer. Reads configuration space only. */
int virtio_pci_find(struct virtio_pci *pci, const struct net_platform *platform);

/* Common configuration ------------------------------------------------------------------------------------------- */

static inline uint8_t virtio_common_read8(const struct virtio_pci *pci, uint32_t offset) {
  return pci->platform->read8(pci->platform->ctx, pci->common.bar, pci->common.offset + offset);
}

static inline uint16_t virtio_common_read16(const struct virtio_pci *pci, uint32_t offset) {
  return pci->platform->read16(pci->platform->ctx, pci->common.bar, pci->common.offset + offset);
}

static inline uint32_t virtio_common_read32(const struct virtio_pci *pci, uint32_t offset) {
  return pci->platform->read32(pci->platform->ctx, pci->common.bar, pci->common.offset + offset);
}

static inline void virtio_common_write8(const struct virtio_pci *pci, uint32_t offset, uint8_t value) {
  pci->platform->write8(pci->platform->ctx, pci->common.bar, pci->common.offset + offset, value);
}

static inline void virtio_common_write16(const struct virtio_pci *pci, uint32_t offset, uint16_t value) {
  pci->platform->write16(pci->platform->ctx, pci->common.bar, pci->common.offset + offset, value);
}

static inline void virtio_common_write32(const struct virtio_pci *pci, uint32_t offset, uint32_t value) {
  pci->platform->write32(pci->platform->ctx, pci->common.bar, pci->common.offset + offset, value);
}

static inline uint8_t virtio_status(const struct virtio_pci *pci) {
  return virtio_common_read8(pci, VIRTIO_DEVICE_STATUS);
}

/* Whether `status`, just read from device_status of a device that was started, says that it has gone: all ones, which
 * PCI answers where no device is, or zero while there are no queues either, which some bridges answer. */
bool virtio_pci_is_gone(const struct virtio_pci *pci, uint8_t status);

/* Resets the device: no DMA and no interrupt once status reads 0 (4.1.4.3.2). NETDEV_E_TIMEOUT, NETDEV_E_GONE. */
int virtio_pci_reset(const struct virtio_pci *pci);

/* The same for a device that has disappointed already: says nothing, and waits a tenth of a second. True when status
 * read 0. */
bool virtio_pci_stop(const struct virtio_pci *pci);

/* The same by register accesses alone, for ExitBootServices: it waits by reading, a bounded number of times. */
bool virtio_pci_silence(const struct virtio_pci *pci);

/* Sets bits of status, which only grow until the next reset (2.1.1). `status` is the value so far. */
void virtio_pci_add_status(const struct virtio_pci *pci, uint8_t *status, uint8_t bits);

/* What the device offers. */
uint64_t virtio_pci_offered(const struct virtio_pci *pci);

/* Accepts `features` and has the device confirm them (3.1.1 steps 4 to 6). NETDEV_E_UNSUPPORTED when it does not,
 * NETDEV_E_GONE. */
int virtio_pci_negotiate(const struct virtio_pci *pci, uint8_t *status, uint64_t features);

/* Queues --------------------------------------------------------------------------------------------------------- */

/* The most descriptors that the device takes in queue `number`; 0 = there is no such queue. */
uint16_t virtio_pci_queue_max(const struct virtio_pci *pci, uint16_t number);

/* Tells the device where the queue is, and enables it (4.1.5.1.3). `vector`: its MSI-X vector, or VIRTIO_NO_VECTOR.
 * Fills in queue->doorbell and queue->vector. NETDEV_E_UNSUPPORTED when the device does not take the queue. */
int virtio_pci_queue_start(const struct virtio_pci *pci, struct virtq *queue, uint16_t vector);

/* Tells the device that the queue has something new (4.1.5.2). One write. */
static inline void virtio_pci_notify(const struct virtio_pci *pci, const struct virtq *queue) {
  pci->platform->write16(pci->platform->ctx, pci->notify.bar, queue->doorbell, queue->number);
}

/* Device configuration ------------------------------------------------------------------------------------------- */

static inline bool virtio_pci_has_config(const struct virtio_pci *pci, uint32_t offset, uint32_t bytes) {
  return pci->device.bar != VIRTIO_NO_BAR && offset + bytes <= pci->device.length;
}

/* A 16-bit field; the caller knows that it is there. */
static inline uint16_t virtio_config_read16(const struct virtio_pci *pci, uint32_t offset) {
  return pci->platform->read16(pci->platform->ctx, pci->device.bar, pci->device.offset + offset);
}

/* Reads an array of bytes that belong together: once more when the device changed its configuration meanwhile (2.5.1),
 * NETDEV_E_TIMEOUT when it never stops doing so. NETDEV_E_UNSUPPORTED when the field is not there. */
int virtio_config_bytes(const struct virtio_pci *pci, uint32_t offset, uint8_t *bytes, uint32_t count);

/* Interrupts ----------------------------------------------------------------------------------------------------- */

/* Reads what the device interrupted for, which clears it and lowers the line. */
static inline uint8_t virtio_pci_isr(const struct virtio_pci *pci) {
  return pci->platform->read8(pci->platform->ctx, pci->isr.bar, pci->isr.offset);
}

/* Lets the device reach memory, or cuts it off from there: PCI command bit 2. Not while boot services end. */
void virtio_pci_allow_master(const struct virtio_pci *pci, bool allow);

/* PCI command bit 10: whether INTx may assert. Returns whether it might before. Configuration space. */
bool virtio_pci_allow_intx(const struct virtio_pci *pci, bool allow);

#endif
