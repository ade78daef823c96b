/* virtio_pci.c - the modern PCI transport: capabilities, status, features, queues, configuration (VIRTIO 1.2, 4.1). */
#include "virtio_pci.h"

#include <string.h>

/* Bounds; the specification has none. */
#define RESET_TIMEOUT_US 1000000U /* a device model may have to stop a backend first                     */
#define RESET_STEP_US    100U     /* between the first two reads; then twice as long each time, up to: */
#define RESET_STEP_MAX   10000U
#define STOP_TIMEOUT_US  100000U
#define SILENCE_READS    100000U /* the same where nothing may wait: some 50 ms with a hypervisor        */
#define CONFIG_READS     8U      /* a configuration that changes all the time is no configuration        */

void virtio_pci_log(const struct virtio_pci *pci, enum net_log_level level, const char *text, uint32_t value) {
  if(pci->platform->log) {
    pci->platform->log(pci->platform->ctx, level, text, value);
  }
}

/* Capabilities --------------------------------------------------------------------------------------------------- */

static uint32_t pci_read(const struct virtio_pci *pci, uint32_t offset, uint32_t width) {
  /* A host that cannot read answers all ones, of whatever width. */
  return pci->platform->config_read(pci->platform->ctx, offset, width) & (UINT32_MAX >> (32U - 8U * width));
}

/* Whether a structure lies inside a BAR that the host decodes. A size of 0 is a host that cannot say. */
static bool fits(const struct virtio_pci *pci, const struct virtio_place *place, uint32_t min_length, uint32_t align) {
  if(place->bar >= NET_BAR_COUNT || pci->platform->bar[place->bar].kind == NET_BAR_NONE) {
    return false;
  }
  uint64_t size = pci->platform->bar[place->bar].size;
  return place->length >= min_length && place->offset % align == 0 &&
         (size == 0 || (uint64_t)place->offset + place->length <= size) &&
         (uint64_t)place->offset + place->length <= UINT32_MAX;
}

/* The first of each type that we can use counts (4.1.4.1); others and unknown types do not. */
static void take_structure(struct virtio_pci *pci, uint32_t at) {
  const struct {
    struct virtio_place *place;
    uint32_t type;
    uint32_t min_length;
    uint32_t align; /* 4.1.4.3.1 to 4.1.4.6 */
    uint32_t capability;
  } known[] = {
      {&pci->common, VIRTIO_CAP_COMMON, VIRTIO_COMMON_SIZE, 4, VIRTIO_CAP_MIN_LENGTH},
      {&pci->notify, VIRTIO_CAP_NOTIFY, 2, 2, VIRTIO_CAP_NOTIFY_LENGTH},
      {&pci->isr, VIRTIO_CAP_ISR, 1, 1, VIRTIO_CAP_MIN_LENGTH},
      {&pci->device, VIRTIO_CAP_DEVICE, 1, 4, VIRTIO_CAP_MIN_LENGTH},
  };
  uint32_t length = pci_read(pci, at + VIRTIO_CAP_LENGTH, 1);
  uint32_t type = pci_read(pci, at + VIRTIO_CAP_TYPE, 1);
  for(size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
    /* The end of configuration space bounds a capability that starts near it. */
    if(known[i].type != type || known[i].place->bar != VIRTIO_NO_BAR || length < known[i].capability ||
       at + known[i].capability > 0x100U) {
      continue;
    }
    struct virtio_place place = {pci_read(pci, at + VIRTIO_CAP_BAR, 1), pci_read(pci, at + VIRTIO_CAP_OFFSET, 4),
                                 pci_read(pci, at + VIRTIO_CAP_SIZE, 4)};
    if(fits(pci, &place, known[i].min_length, known[i].align)) {
      *known[i].place = place;
      if(type == VIRTIO_CAP_NOTIFY) {
        pci->notify_multiplier = pci_read(pci, at + VIRTIO_CAP_MULTIPLIER, 4);
      }
    }
  }
}

static void walk_capabilities(struct virtio_pci *pci) {
  if(!(pci_read(pci, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES)) {
    return;
  }
  /* Bounded: a list that runs in a circle ends too. */
  uint32_t at = pci_read(pci, PCI_CAPABILITY_POINTER, 1) & ~3U;
  for(uint32_t i = 0; i < PCI_CAPABILITY_MAX && at >= PCI_CAPABILITY_FIRST && at <= 0xFCU; i++) {
    uint32_t id = pci_read(pci, at, 1);
    if(id == PCI_CAPABILITY_VENDOR) {
      take_structure(pci, at);
    } else if(id == PCI_CAPABILITY_MSIX && pci->msix == 0) {
      pci->msix = at;
    }
    at = pci_read(pci, at + 1U, 1) & ~3U;
  }
}

int virtio_pci_find(struct virtio_pci *pci, const struct net_platform *platform) {
  static const struct virtio_place nowhere = {VIRTIO_NO_BAR, 0, 0};
  *pci = (struct virtio_pci){
      .platform = platform, .common = nowhere, .notify = nowhere, .isr = nowhere, .device = nowhere};
  if(pci_read(pci, 0, 2) == 0xFFFFU) {
    return NETDEV_E_GONE;
  }
  walk_capabilities(pci);
  if(pci->common.bar == VIRTIO_NO_BAR || pci->notify.bar == VIRTIO_NO_BAR || pci->isr.bar == VIRTIO_NO_BAR ||
     pci->device.bar == VIRTIO_NO_BAR) {
    virtio_pci_log(pci, NET_LOG_ERROR, "no usable virtio structures behind the BARs: a legacy device?",
                   pci->common.bar);
    return NETDEV_E_UNSUPPORTED;
  }
  return NETDEV_OK;
}

/* Status --------------------------------------------------------------------------------------------------------- */

bool virtio_pci_is_gone(const struct virtio_pci *pci, uint8_t status) {
  return status == VIRTIO_STATUS_ABSENT || (status == 0 && virtio_common_read16(pci, VIRTIO_NUM_QUEUES) == 0);
}

/* Writes 0 and waits until it reads back. Returns what was read last. */
static uint8_t wait_for_reset(const struct virtio_pci *pci, uint32_t timeout_us) {
  uint32_t step_us = RESET_STEP_US;
  uint32_t waited_us = 0;
  virtio_common_write8(pci, VIRTIO_DEVICE_STATUS, 0);
  uint8_t status = virtio_status(pci);
  while(status != 0 && status != VIRTIO_STATUS_ABSENT && waited_us < timeout_us) {
    pci->platform->delay_us(pci->platform->ctx, step_us);
    waited_us += step_us;
    step_us = 2U * step_us < RESET_STEP_MAX ? 2U * step_us : RESET_STEP_MAX;
    status = virtio_status(pci);
  }
  return status;
}

int virtio_pci_reset(const struct virtio_pci *pci) {
  uint8_t status = wait_for_reset(pci, RESET_TIMEOUT_US);
  if(status == 0) {
    return NETDEV_OK;
  }
  if(status == VIRTIO_STATUS_ABSENT) {
    virtio_pci_log(pci, NET_LOG_ERROR, "the device no longer answers", status);
    return NETDEV_E_GONE;
  }
  virtio_pci_log(pci, NET_LOG_ERROR, "device_status does not return to 0 after the reset", status);
  return NETDEV_E_TIMEOUT;
}

bool virtio_pci_stop(const struct virtio_pci *pci) {
  return wait_for_reset(pci, STOP_TIMEOUT_US) == 0;
}

bool virtio_pci_silence(const struct virtio_pci *pci) {
  virtio_common_write8(pci, VIRTIO_DEVICE_STATUS, 0);
  for(uint32_t i = 0; i < SILENCE_READS; i++) {
    uint8_t status = virtio_status(pci);
    if(status == 0 || status == VIRTIO_STATUS_ABSENT) {
      return status == 0;
    }
  }
  return false;
}

void virtio_pci_add_status(const struct virtio_pci *pci, uint8_t *status, uint8_t bits) {
  *status = (uint8_t)(*status | bits);
  virtio_common_write8(pci, VIRTIO_DEVICE_STATUS, *status);
}

/* Features ------------------------------------------------------------------------------------------------------- */

uint64_t virtio_pci_offered(const struct virtio_pci *pci) {
  virtio_common_write32(pci, VIRTIO_DEVICE_FEATURE_SELECT, 0);
  uint64_t features = virtio_common_read32(pci, VIRTIO_DEVICE_FEATURE);
  virtio_common_write32(pci, VIRTIO_DEVICE_FEATURE_SELECT, 1);
  return features | (uint64_t)virtio_common_read32(pci, VIRTIO_DEVICE_FEATURE) << 32;
}

int virtio_pci_negotiate(const struct virtio_pci *pci, uint8_t *status, uint64_t features) {
  virtio_common_write32(pci, VIRTIO_DRIVER_FEATURE_SELECT, 0);
  virtio_common_write32(pci, VIRTIO_DRIVER_FEATURE, (uint32_t)features);
  virtio_common_write32(pci, VIRTIO_DRIVER_FEATURE_SELECT, 1);
  virtio_common_write32(pci, VIRTIO_DRIVER_FEATURE, (uint32_t)(features >> 32));
  virtio_pci_add_status(pci, status, VIRTIO_STATUS_FEATURES_OK);
  uint8_t confirmed = virtio_status(pci);
  if(confirmed == VIRTIO_STATUS_ABSENT) {
    return NETDEV_E_GONE;
  }
  if(!(confirmed & VIRTIO_STATUS_FEATURES_OK)) {
    virtio_pci_log(pci, NET_LOG_ERROR, "the device refuses the features; its status", confirmed);
    return NETDEV_E_UNSUPPORTED;
  }
  return NETDEV_OK;
}

/* Queues --------------------------------------------------------------------------------------------------------- */

uint16_t virtio_pci_queue_max(const struct virtio_pci *pci, uint16_t number) {
  if(number >= virtio_common_read16(pci, VIRTIO_NUM_QUEUES)) {
    return 0;
  }
  virtio_common_write16(pci, VIRTIO_QUEUE_SELECT, number);
  return virtio_common_read16(pci, VIRTIO_QUEUE_SIZE);
}

/* 64-bit fields are written as two halves: there is no wider access everywhere, and none is needed (4.1.3.1). */
static void write_address(const struct virtio_pci *pci, uint32_t offset, uint64_t address) {
  virtio_common_write32(pci, offset, (uint32_t)address);
  virtio_common_write32(pci, offset + 4U, (uint32_t)(address >> 32));
}

static int queue_refused(const struct virtio_pci *pci, const char *what, uint32_t value) {
  virtio_pci_log(pci, NET_LOG_ERROR, what, value);
  return NETDEV_E_UNSUPPORTED;
}

int virtio_pci_queue_start(const struct virtio_pci *pci, struct virtq *queue, uint16_t vector) {
  uint16_t max = virtio_pci_queue_max(pci, queue->number);
  if(max < queue->size) {
    return queue_refused(pci, "a queue is smaller than it was", max);
  }
  virtio_common_write16(pci, VIRTIO_QUEUE_SIZE, queue->size);
  if(virtio_common_read16(pci, VIRTIO_QUEUE_SIZE) != queue->size) {
    return queue_refused(pci, "a queue does not take its size", queue->size);
  }
  /* A device without resources for the vector says so here (4.1.5.1.2); polled, the queue works all the same. */
  queue->vector = VIRTIO_NO_VECTOR;
  if(vector != VIRTIO_NO_VECTOR) {
    virtio_common_write16(pci, VIRTIO_QUEUE_MSIX_VECTOR, vector);
    queue->vector = virtio_common_read16(pci, VIRTIO_QUEUE_MSIX_VECTOR);
  }
  write_address(pci, VIRTIO_QUEUE_DESC, queue->descriptor_device);
  write_address(pci, VIRTIO_QUEUE_DRIVER, queue->available_device);
  write_address(pci, VIRTIO_QUEUE_DEVICE, queue->used_device);

  uint64_t doorbell = (uint64_t)virtio_common_read16(pci, VIRTIO_QUEUE_NOTIFY_OFF) * pci->notify_multiplier;
  if(doorbell + 2U > pci->notify.length || (pci->notify.offset + doorbell) % 2U != 0) {
    return queue_refused(pci, "a doorbell is outside its structure", (uint32_t)doorbell);
  }
  queue->doorbell = pci->notify.offset + (uint32_t)doorbell;
  virtio_common_write16(pci, VIRTIO_QUEUE_ENABLE, 1);
  if(virtio_common_read16(pci, VIRTIO_QUEUE_ENABLE) != 1U) {
    return queue_refused(pci, "a queue does not stay enabled", queue->number);
  }
  return NETDEV_OK;
}

/* Device configuration ------------------------------------------------------------------------------------------- */

int virtio_config_bytes(const struct virtio_pci *pci, uint32_t offset, uint8_t *bytes, uint32_t count) {
  if(!virtio_pci_has_config(pci, offset, count)) {
    return NETDEV_E_UNSUPPORTED;
  }
  for(uint32_t i = 0; i < CONFIG_READS; i++) {
    uint8_t before = virtio_common_read8(pci, VIRTIO_CONFIG_GENERATION);
    for(uint32_t at = 0; at < count; at++) {
      /* Fields of 8 bits are read 8 bits at a time (4.1.3.1). */
      bytes[at] = pci->platform->read8(pci->platform->ctx, pci->device.bar, pci->device.offset + offset + at);
    }
    if(virtio_common_read8(pci, VIRTIO_CONFIG_GENERATION) == before) {
      return NETDEV_OK;
    }
  }
  virtio_pci_log(pci, NET_LOG_ERROR, "the device configuration never stops changing", offset);
  return NETDEV_E_TIMEOUT;
}

/* Interrupts ----------------------------------------------------------------------------------------------------- */

bool virtio_pci_allow_intx(const struct virtio_pci *pci, bool allow) {
  uint32_t before = pci_read(pci, PCI_COMMAND, 2);
  uint32_t command = allow ? before & ~PCI_COMMAND_INTX_DISABLE : before | PCI_COMMAND_INTX_DISABLE;
  if(command != before && before != 0xFFFFU) {
    pci->platform->config_write(pci->platform->ctx, PCI_COMMAND, 2, command);
  }
  return !(before & PCI_COMMAND_INTX_DISABLE);
}

void virtio_pci_allow_master(const struct virtio_pci *pci, bool allow) {
  uint32_t before = pci_read(pci, PCI_COMMAND, 2);
  uint32_t command = allow ? before | PCI_COMMAND_MASTER : before & ~PCI_COMMAND_MASTER;
  if(command != before && before != 0xFFFFU) {
    pci->platform->config_write(pci->platform->ctx, PCI_COMMAND, 2, command);
  }
}
