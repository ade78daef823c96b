/* virtio_ctrl.c - the control queue: address and receive filter by commands that wait for an answer (5.1.6.5). */
#include "virtio_nic.h"

#include <string.h>

#define COMMAND_TIMEOUT_US 2000000U /* the specification has no bound; a device whose host is busy may take a while */
#define COMMAND_STEP_US    50U
#define COMMAND_NO_ANSWER  0xFFU /* neither OK nor ERR: nothing was written */

/* Modes of VIRTIO_NET_CTRL_RX. `more` tells whether it lets more frames through when it is on, or when it is off. */
enum {
  MODE_PROMISC = 1U << 0,
  MODE_ALLMULTI = 1U << 1,
  MODE_NOMULTI = 1U << 2,
  MODE_NOUNI = 1U << 3,
  MODE_NOBCAST = 1U << 4,
};

static const struct {
  uint64_t feature;
  uint32_t bit;
  uint8_t command;
  bool more;
} receive_modes[] = {
    {VIRTIO_NET_F_CTRL_RX, MODE_PROMISC, VIRTIO_NET_CTRL_RX_PROMISC, true},
    {VIRTIO_NET_F_CTRL_RX, MODE_ALLMULTI, VIRTIO_NET_CTRL_RX_ALLMULTI, true},
    {VIRTIO_NET_F_CTRL_RX_EXTRA, MODE_NOMULTI, VIRTIO_NET_CTRL_RX_NOMULTI, false},
    {VIRTIO_NET_F_CTRL_RX_EXTRA, MODE_NOUNI, VIRTIO_NET_CTRL_RX_NOUNI, false},
    {VIRTIO_NET_F_CTRL_RX_EXTRA, MODE_NOBCAST, VIRTIO_NET_CTRL_RX_NOBCAST, false},
};

#define MODE_COUNT (sizeof(receive_modes) / sizeof(receive_modes[0]))

/* Commands ------------------------------------------------------------------------------------------------------- */

/* Class, command and data are the driver's, in descriptor 0; the answer is the device's, in descriptor 1. */
static void write_command(struct virtq *queue, uint8_t class, uint8_t command, const uint8_t *data, uint32_t length) {
  uint8_t *request = queue->slot[0].buffer;
  request[0] = class;
  request[1] = command;
  memcpy(request + 2, data, length);
  *(volatile uint8_t *)queue->slot[1].buffer = COMMAND_NO_ANSWER;
  virtq_describe(queue, 1, 1, VIRTQ_DESCRIPTOR_WRITE, 0);
  virtq_describe(queue, 0, length + 2U, VIRTQ_DESCRIPTOR_NEXT, 1);
}

static int wait_for_answer(struct virtio_net *nic, struct virtq *queue) {
  const struct net_platform *platform = nic->platform;
  uint64_t start = platform->now_us(platform->ctx);
  uint16_t id;
  uint32_t length;
  /* By the clock; and by the number of delays, should the clock stand still. */
  for(uint32_t step = 0; step <= COMMAND_TIMEOUT_US / COMMAND_STEP_US; step++) {
    enum virtq_verdict verdict = virtio_net_peek(nic, queue, &id, &length);
    if(verdict == VIRTQ_DONE) {
      virtq_take(queue);
      return NETDEV_OK;
    }
    if(verdict == VIRTQ_LIE || platform->now_us(platform->ctx) - start > COMMAND_TIMEOUT_US) {
      break;
    }
    uint8_t status = virtio_status(&nic->pci);
    if(status == VIRTIO_STATUS_ABSENT) {
      return NETDEV_E_GONE;
    }
    if(status != nic->status) {
      break; /* it asks for a reset, or is not there: no answer will come */
    }
    platform->delay_us(platform->ctx, COMMAND_STEP_US);
  }
  return NETDEV_E_TIMEOUT;
}

/* NETDEV_E_UNSUPPORTED when the device answers by an error. Not from ExitBootServices: it waits. */
static int command(struct virtio_net *nic, uint8_t class, uint8_t number, const uint8_t *data, uint32_t length) {
  struct virtq *queue = &nic->queue[VIRTIO_NET_CONTROL];
  uint16_t id;
  /* The buffers of a command that was not answered are still the device's, until the reset that it has earned. */
  if(nic->trouble || !virtq_free_id(queue, &id)) {
    return NETDEV_E_TIMEOUT;
  }
  nic->counters.commands++;
  write_command(queue, class, number, data, length);
  virtq_offer(queue);
  if(virtq_publish(queue)) {
    virtio_pci_notify(&nic->pci, queue);
  }
  int result = wait_for_answer(nic, queue);
  if(result != NETDEV_OK) {
    virtio_net_distrust(nic, &nic->counters.unanswered, "the device does not answer a command; its class",
                        class * 0x100U + number);
    return result;
  }
  if(*(volatile uint8_t *)queue->slot[1].buffer != VIRTIO_NET_CTRL_OK) {
    nic->counters.refused++;
    return NETDEV_E_UNSUPPORTED;
  }
  return NETDEV_OK;
}

/* Address -------------------------------------------------------------------------------------------------------- */

static bool is_permanent(const struct virtio_net *nic, const uint8_t *mac) {
  return memcmp(mac, nic->netdev.permanent_mac, NETDEV_MAC_LENGTH) == 0;
}

int virtio_net_apply_mac(struct virtio_net *nic, const uint8_t mac[NETDEV_MAC_LENGTH]) {
  if(virtio_has(nic, VIRTIO_NET_F_CTRL_MAC_ADDR)) {
    return command(nic, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR, mac, NETDEV_MAC_LENGTH);
  }
  /* The address that a device without one was given is put into its table, where it has one (apply_table). */
  return is_permanent(nic, mac) ? NETDEV_OK : NETDEV_E_UNSUPPORTED;
}

/* Filter --------------------------------------------------------------------------------------------------------- */

void virtio_net_forget_filter(struct virtio_net *nic) {
  nic->filter = (struct virtio_filter){0};
}

static uint32_t wanted_modes(const struct netdev *dev) {
  if(dev->filter & NETDEV_FILTER_PROMISCUOUS) {
    return MODE_PROMISC;
  }
  uint32_t modes = 0;
  if(dev->filter & NETDEV_FILTER_ALL_MULTICAST) {
    modes |= MODE_ALLMULTI;
  } else if(!(dev->filter & NETDEV_FILTER_MULTICAST)) {
    modes |= MODE_NOMULTI;
  }
  if(!(dev->filter & NETDEV_FILTER_UNICAST)) {
    modes |= MODE_NOUNI;
  }
  if(!(dev->filter & NETDEV_FILTER_BROADCAST)) {
    modes |= MODE_NOBCAST;
  }
  return modes;
}

/* Sends the modes that are to change, and of these only the ones that let more through (`more`), or less. */
static int apply_modes(struct virtio_net *nic, uint32_t wanted, bool more) {
  for(size_t i = 0; i < MODE_COUNT; i++) {
    uint32_t bit = receive_modes[i].bit;
    bool on = (wanted & bit) != 0;
    bool known = (nic->filter.known & bit) && ((nic->filter.modes ^ wanted) & bit) == 0;
    if(known || (on == receive_modes[i].more) != more || !virtio_has(nic, receive_modes[i].feature)) {
      continue;
    }
    const uint8_t value = on;
    int result = command(nic, VIRTIO_NET_CTRL_RX, receive_modes[i].command, &value, 1);
    if(result == NETDEV_E_UNSUPPORTED && !more) {
      continue; /* more comes through than was asked for, which a driver may let happen */
    }
    if(result != NETDEV_OK) {
      return result;
    }
    nic->filter.known |= bit;
    nic->filter.modes = (nic->filter.modes & ~bit) | (wanted & bit);
  }
  return NETDEV_OK;
}

static uint8_t *put_count(uint8_t *at, uint32_t count) {
  for(uint32_t i = 0; i < 4; i++) {
    *at++ = (uint8_t)(count >> 8U * i);
  }
  return at;
}

static bool table_is(const struct virtio_filter *filter, const struct netdev *dev, uint32_t count) {
  return filter->table_known && filter->count == count &&
         memcmp(filter->table, dev->multicast, (size_t)count * NETDEV_MAC_LENGTH) == 0;
}

/* Unicast addresses beside the device's own, then multicast ones (5.1.6.5.2). */
static int apply_table(struct virtio_net *nic) {
  const struct netdev *dev = &nic->netdev;
  uint32_t count = dev->filter & NETDEV_FILTER_MULTICAST ? dev->multicast_count : 0;
  if(table_is(&nic->filter, dev, count)) {
    return NETDEV_OK;
  }
  uint8_t data[2U * 4U + (1U + NETDEV_MAX_MULTICAST) * NETDEV_MAC_LENGTH];
  bool unknown_to_it = !nic->has_mac && !virtio_has(nic, VIRTIO_NET_F_CTRL_MAC_ADDR);
  uint8_t *at = put_count(data, unknown_to_it ? 1 : 0);
  if(unknown_to_it) {
    memcpy(at, dev->mac, NETDEV_MAC_LENGTH);
    at += NETDEV_MAC_LENGTH;
  }
  at = put_count(at, count);
  memcpy(at, dev->multicast, (size_t)count * NETDEV_MAC_LENGTH);
  at += (size_t)count * NETDEV_MAC_LENGTH;
  int result = command(nic, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE, data, (uint32_t)(at - data));
  if(result == NETDEV_OK) {
    nic->filter.table_known = true;
    nic->filter.count = count;
    memcpy(nic->filter.table, dev->multicast, (size_t)count * NETDEV_MAC_LENGTH);
  } else {
    nic->filter.table_known = false;
  }
  return result;
}

/* What lets more through goes first, what lets less through last: at no time is less received than asked for. */
int virtio_net_apply_filter(struct virtio_net *nic) {
  if(!virtio_has(nic, VIRTIO_NET_F_CTRL_RX)) {
    return NETDEV_OK;
  }
  uint32_t modes = wanted_modes(&nic->netdev);
  int result = apply_modes(nic, modes, true);
  if(result == NETDEV_OK) {
    result = apply_table(nic);
    if(result == NETDEV_E_UNSUPPORTED) {
      /* A table that is too long for the device: everything, then, and the network stack chooses. */
      modes = nic->has_mac || virtio_has(nic, VIRTIO_NET_F_CTRL_MAC_ADDR)
                  ? (modes & ~(uint32_t)MODE_NOMULTI) | MODE_ALLMULTI
                  : MODE_PROMISC;
      result = apply_modes(nic, modes, true);
    }
  }
  return result == NETDEV_OK ? apply_modes(nic, modes, false) : result;
}

int virtio_net_command_again(struct virtio_net *nic) {
  if(!virtio_has(nic, VIRTIO_NET_F_CTRL_RX) || !(nic->filter.known & MODE_PROMISC)) {
    return NETDEV_E_UNSUPPORTED;
  }
  const uint8_t value = (nic->filter.modes & MODE_PROMISC) != 0;
  int result = command(nic, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, &value, 1);
  return result == NETDEV_E_UNSUPPORTED ? NETDEV_E_INVALID : result;
}
