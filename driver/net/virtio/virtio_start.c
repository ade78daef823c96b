/* virtio_start.c - bringing the device up in the specification's order (VIRTIO 1.2, 3.1.1 and 5.1.5). */
#include "virtio_nic.h"

#include <string.h>

/* Those that mean nothing without a control queue (5.1.3.1). */
#define CONTROL_FEATURES (VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_RX_EXTRA | VIRTIO_NET_F_CTRL_MAC_ADDR)

/* Choosing ------------------------------------------------------------------------------------------------------- */

/* 3.1.1 steps 2 and 3: the device was found, and there is a driver for it. */
static void greet(struct virtio_net *nic) {
  nic->status = 0;
  virtio_pci_add_status(&nic->pci, &nic->status, VIRTIO_STATUS_ACKNOWLEDGE);
  virtio_pci_add_status(&nic->pci, &nic->status, VIRTIO_STATUS_DRIVER);
}

static void choose_features(struct virtio_net *nic) {
  uint64_t features = nic->offered & VIRTIO_NET_WANTED;
  if(!(features & VIRTIO_NET_F_CTRL_VQ)) {
    features &= ~(uint64_t)CONTROL_FEATURES;
  }
  if(!(features & VIRTIO_NET_F_CTRL_RX)) {
    features &= ~(uint64_t)VIRTIO_NET_F_CTRL_RX_EXTRA;
  }
  nic->features = features;
}

/* A field that the device offers a feature for, and then has no room for, is not used. */
static void drop_unless_there(struct virtio_net *nic, uint64_t feature, uint32_t offset, uint32_t bytes) {
  if(virtio_has(nic, feature) && !virtio_pci_has_config(&nic->pci, offset, bytes)) {
    virtio_net_log(nic, NET_LOG_WARN, "the device configuration is shorter than its features need", offset);
    nic->features &= ~feature;
  }
}

/* Once MTU is accepted, no longer frame may be sent, and every frame of that size must fit a buffer (5.1.4.2). */
static void learn_mtu(struct virtio_net *nic) {
  nic->mtu = NETDEV_MTU;
  drop_unless_there(nic, VIRTIO_NET_F_MTU, VIRTIO_NET_CONFIG_MTU, 2);
  if(virtio_has(nic, VIRTIO_NET_F_MTU)) {
    uint32_t mtu = virtio_config_read16(&nic->pci, VIRTIO_NET_CONFIG_MTU);
    if(mtu < VIRTIO_NET_MTU_MIN || mtu > NETDEV_MTU) {
      nic->features &= ~(uint64_t)VIRTIO_NET_F_MTU;
    } else {
      nic->mtu = mtu;
    }
  }
}

/* A locally administered address for a device that has none. It has to differ from machine to machine, and can hope to
 * only: what differs is when and where this runs. */
static void make_address(const struct virtio_net *nic, uint8_t mac[NETDEV_MAC_LENGTH]) {
  uint64_t mix = nic->platform->now_us(nic->platform->ctx) ^ (uint64_t)(uintptr_t)nic << 20;
  for(uint32_t i = 0; i < NETDEV_MAC_LENGTH; i++) {
    mix = (mix ^ mix >> 29) * 0xBF58476D1CE4E5B9ULL + 0x9E3779B97F4A7C15ULL;
    mac[i] = (uint8_t)(mix >> 56);
  }
  mac[0] = (uint8_t)((mac[0] & 0xFCU) | 0x02U);
}

static int learn_address(struct virtio_net *nic, uint8_t mac[NETDEV_MAC_LENGTH]) {
  drop_unless_there(nic, VIRTIO_NET_F_MAC, VIRTIO_NET_CONFIG_MAC, NETDEV_MAC_LENGTH);
  nic->has_mac = virtio_has(nic, VIRTIO_NET_F_MAC);
  if(nic->has_mac) {
    int result = virtio_config_bytes(&nic->pci, VIRTIO_NET_CONFIG_MAC, mac, NETDEV_MAC_LENGTH);
    if(result != NETDEV_OK) {
      return result;
    }
    nic->has_mac = netdev_mac_valid(mac);
  }
  if(!nic->has_mac) {
    make_address(nic, mac);
    virtio_net_log(nic, NET_LOG_WARN, "the device has no address: it gets a local one", mac[5]);
  }
  return NETDEV_OK;
}

/* Queues --------------------------------------------------------------------------------------------------------- */

/* A split queue's size is a power of two (2.7); the driver may use fewer descriptors than there are (4.1.4.3.2). */
static uint32_t bounded_size(uint32_t wanted, uint32_t max) {
  uint32_t size = VIRTQ_SIZE_MAX;
  while(size > wanted || size > max) {
    size /= 2U;
  }
  return size;
}

static int make_queues(struct virtio_net *nic, const uint32_t sizes[2]) {
  nic->queue_count = virtio_has(nic, VIRTIO_NET_F_CTRL_VQ) ? VIRTIO_NET_QUEUES : VIRTIO_NET_CONTROL;
  for(uint32_t i = 0; i < nic->queue_count; i++) {
    bool control = i == VIRTIO_NET_CONTROL;
    uint32_t size = bounded_size(control ? VIRTQ_SIZE_MIN : sizes[i], virtio_pci_queue_max(&nic->pci, (uint16_t)i));
    if(size < VIRTQ_SIZE_MIN) {
      virtio_net_log(nic, NET_LOG_ERROR, "a queue is missing, or too small", i);
      return NETDEV_E_UNSUPPORTED;
    }
    int result = virtq_create(&nic->queue[i], nic->platform, size, control ? 1U : size,
                              control ? VIRTIO_NET_COMMAND_SIZE : VIRTIO_NET_BUFFER_SIZE, nic->model->dma_bits);
    if(result != NETDEV_OK) {
      return result;
    }
    nic->queue[i].number = (uint16_t)i;
  }
  return NETDEV_OK;
}

void virtio_net_free_queues(struct virtio_net *nic) {
  for(uint32_t i = VIRTIO_NET_QUEUES; i > 0; i--) {
    virtq_destroy(&nic->queue[i - 1U], nic->platform);
  }
}

int virtio_net_learn(struct virtio_net *nic, const uint32_t sizes[2], uint8_t mac[NETDEV_MAC_LENGTH]) {
  int result = virtio_pci_reset(&nic->pci);
  if(result != NETDEV_OK) {
    return result;
  }
  greet(nic);
  nic->offered = virtio_pci_offered(&nic->pci);
  /* Either half: one read may have been lost, and no device offers all of 32 features. */
  if((uint32_t)nic->offered == UINT32_MAX || nic->offered >> 32 == UINT32_MAX) {
    return NETDEV_E_GONE;
  }
  if(!(nic->offered & VIRTIO_F_VERSION_1)) {
    virtio_net_log(nic, NET_LOG_ERROR, "the device does not offer VERSION_1", (uint32_t)(nic->offered >> 32));
    return NETDEV_E_UNSUPPORTED;
  }
  choose_features(nic);
  learn_mtu(nic);
  drop_unless_there(nic, VIRTIO_NET_F_STATUS, VIRTIO_NET_CONFIG_STATUS, 2);
  result = learn_address(nic, mac);
  if(result == NETDEV_OK) {
    result = make_queues(nic, sizes);
  }
  return result == NETDEV_OK ? virtio_pci_reset(&nic->pci) : result;
}

/* Starting ------------------------------------------------------------------------------------------------------- */

void virtio_net_fill(struct virtio_net *nic) {
  struct virtq *queue = virtio_rx(nic);
  uint16_t id;
  while(virtq_free_id(queue, &id)) {
    virtq_describe(queue, id, queue->stride, VIRTQ_DESCRIPTOR_WRITE, 0);
    virtq_offer(queue);
  }
}

/* Vectors are chosen while MSI-X is off, before the queues are enabled (4.1.5.1.2). They take effect when whoever owns
 * the table fills in entry 0 and switches MSI-X on; until then the device uses INTx, which is masked. */
static void choose_config_vector(struct virtio_net *nic) {
  nic->config_vector = VIRTIO_NO_VECTOR;
  if(nic->pci.msix != 0) {
    virtio_common_write16(&nic->pci, VIRTIO_CONFIG_MSIX_VECTOR, VIRTIO_NET_MSIX_VECTOR);
    nic->config_vector = virtio_common_read16(&nic->pci, VIRTIO_CONFIG_MSIX_VECTOR);
  }
}

int virtio_net_prepare(struct virtio_net *nic) {
  greet(nic);
  if((virtio_pci_offered(&nic->pci) & nic->features) != nic->features) {
    virtio_net_log(nic, NET_LOG_ERROR, "the device no longer offers what it did", 0);
    return NETDEV_E_UNSUPPORTED;
  }
  int result = virtio_pci_negotiate(&nic->pci, &nic->status, nic->features);
  if(result != NETDEV_OK) {
    return result;
  }
  choose_config_vector(nic);
  uint16_t vector = nic->pci.msix != 0 ? VIRTIO_NET_MSIX_VECTOR : VIRTIO_NO_VECTOR;
  nic->msix_ready = nic->config_vector == VIRTIO_NET_MSIX_VECTOR;
  for(uint32_t i = 0; i < nic->queue_count && result == NETDEV_OK; i++) {
    virtq_reset(&nic->queue[i], virtio_has(nic, VIRTIO_F_EVENT_IDX));
    result = virtio_pci_queue_start(&nic->pci, &nic->queue[i], vector);
    nic->msix_ready = nic->msix_ready && nic->queue[i].vector == VIRTIO_NET_MSIX_VECTOR;
  }
  if(result == NETDEV_OK) {
    virtio_net_fill(nic);
    (void)virtq_publish(virtio_rx(nic)); /* the notification waits for DRIVER_OK (3.1.1) */
  }
  virtio_net_forget_filter(nic);
  return result;
}

void virtio_net_go(struct virtio_net *nic) {
  virtio_pci_add_status(&nic->pci, &nic->status, VIRTIO_STATUS_DRIVER_OK);
  virtio_pci_notify(&nic->pci, virtio_rx(nic));
  nic->netdev.stats.rx_doorbells++;
}

int virtio_net_start(struct virtio_net *nic) {
  int result = virtio_pci_reset(&nic->pci);
  if(result == NETDEV_OK && nic->cut_off) {
    nic->cut_off = false;
    virtio_pci_allow_master(&nic->pci, true);
  }
  if(result == NETDEV_OK) {
    result = virtio_net_prepare(nic);
  }
  if(result == NETDEV_OK) {
    nic->trouble = NULL;
    virtio_net_go(nic);
    result = virtio_net_apply_mac(nic, nic->netdev.mac);
  }
  return result == NETDEV_OK ? virtio_net_apply_filter(nic) : result;
}

struct netdev_link virtio_net_read_link(const struct virtio_net *nic) {
  bool up = !virtio_has(nic, VIRTIO_NET_F_STATUS) ||
            (virtio_config_read16(&nic->pci, VIRTIO_NET_CONFIG_STATUS) & VIRTIO_NET_STATUS_LINK_UP) != 0;
  return (struct netdev_link){.up = up, .full_duplex = up};
}
