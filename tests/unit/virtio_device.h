/* virtio_device.h - a small virtio-net device for the driver's tests: registers, three queues, commands, faults. */
#ifndef VIRTIO_DEVICE_H
#define VIRTIO_DEVICE_H

#include "virtio_bench.h"
#include "virtio_nic.h"

#define DEVICE_BLOCKS   32U
#define DEVICE_COOKIES  8192U
#define DEVICE_FEATURES (VIRTIO_NET_WANTED & ~(VIRTIO_NET_F_MTU | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_ORDER_PLATFORM))
#define DEVICE_EXTRAS   ((1ULL << 0) | (1ULL << 15) | (1ULL << 19) | (1ULL << 28) | (1ULL << 34) | (1ULL << 40))

static const uint8_t device_mac[6] = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3};

struct device_queue {
  uint16_t size;
  uint16_t vector;
  uint16_t enable;
  uint64_t place[3]; /* descriptors, available, used */
  uint16_t last;     /* available entries consumed   */
  uint32_t notifies;
  uint32_t interrupts;
};

struct device {
  struct bench bench; /* first: the platform's ctx */
  struct net_dma block[DEVICE_BLOCKS];

  /* Knobs */
  uint64_t offered;
  uint16_t queue_max[3];
  uint8_t mac[6];
  uint16_t link;
  uint16_t mtu;
  bool refuses_features;
  bool refuses_vector;
  bool keeps_status; /* a reset that never ends      */
  bool asleep;       /* neither sends nor receives   */
  bool awake;        /* needs no notification        */
  bool mute;         /* answers no command           */
  uint8_t refuse;    /* commands of this class are answered by an error, 0xFF = none */
  bool backwards;    /* returns a batch in reverse   */
  bool restless;     /* its configuration changes all the time */
  uint32_t doorbell_shift;
  uint32_t gone_after; /* register accesses, UINT32_MAX = never */
  uint8_t absent_value;

  /* State */
  uint8_t status;
  uint8_t isr;
  uint16_t select;
  uint32_t feature_select[2];
  uint64_t features;
  uint16_t config_vector;
  uint8_t generation;
  struct device_queue queue[3];
  uint8_t mode[6]; /* PROMISC to NOBCAST */
  uint8_t current_mac[6];
  uint32_t table_count[2];
  uint8_t table[2][16][6];

  /* Seen */
  uint32_t accesses;
  uint32_t resets;
  uint32_t commands;
  uint32_t sent;
  uint32_t sent_length;
  uint8_t sent_frame[NETDEV_MAX_TAGGED_FRAME];
  uint32_t back[DEVICE_COOKIES]; /* what the client was told, by cookie */
  int back_status[DEVICE_COOKIES];
  uint32_t back_total;
  uint32_t received;
  uint32_t received_length;
  uint8_t received_frame[NETDEV_MAX_TAGGED_FRAME];
  uint32_t links;
};

/* Memory as the device reaches it -------------------------------------------------------------------------------- */

static inline uint8_t *device_memory(struct device *device, uint64_t address, uint64_t length) {
  for(uint32_t i = 0; i < DEVICE_BLOCKS; i++) {
    const struct net_dma *block = &device->block[i];
    if(block->cpu && address >= block->device && address + length <= block->device + block->size) {
      return (uint8_t *)block->cpu + (address - block->device);
    }
  }
  fail_msg("the device was led to %llx", (unsigned long long)address);
  return NULL;
}

static inline int device_dma_alloc(void *ctx, size_t size, size_t align, uint32_t bits, struct net_dma *out) {
  struct device *device = ctx;
  int result = bench_dma_alloc(ctx, size, align, bits, out);
  for(uint32_t i = 0; i < DEVICE_BLOCKS && result == NETDEV_OK; i++) {
    if(!device->block[i].cpu) {
      device->block[i] = *out;
      return NETDEV_OK;
    }
  }
  return result;
}

static inline void device_dma_free(void *ctx, struct net_dma *dma) {
  struct device *device = ctx;
  assert_true((device->status & VIRTIO_STATUS_DRIVER_OK) == 0 || device->gone_after <= device->accesses ||
              device->keeps_status);
  for(uint32_t i = 0; i < DEVICE_BLOCKS; i++) {
    if(device->block[i].cpu == dma->cpu) {
      device->block[i].cpu = NULL;
    }
  }
  bench_dma_free(ctx, dma);
}

static inline struct virtq_descriptor *device_descriptor(struct device *device, uint32_t number, uint16_t id) {
  struct device_queue *queue = &device->queue[number];
  assert_true(id < queue->size);
  return (struct virtq_descriptor *)device_memory(device, queue->place[0] + 16ULL * id, 16);
}

static inline struct virtq_available *device_available(struct device *device, uint32_t number) {
  struct device_queue *queue = &device->queue[number];
  return (struct virtq_available *)device_memory(device, queue->place[1], 6ULL + 2ULL * queue->size);
}

static inline struct virtq_used *device_used(struct device *device, uint32_t number) {
  struct device_queue *queue = &device->queue[number];
  return (struct virtq_used *)device_memory(device, queue->place[2], 6ULL + 8ULL * queue->size);
}

static inline bool device_runs(const struct device *device) {
  return (device->status & VIRTIO_STATUS_DRIVER_OK) && device->gone_after >= device->accesses;
}

/* Queues --------------------------------------------------------------------------------------------------------- */

static inline bool device_event_index(const struct device *device) {
  return (device->features & VIRTIO_F_EVENT_IDX) != 0;
}

/* 2.7.10: what would wake the device next. Awake, it is where no index comes by soon. */
static inline void device_wants(struct device *device, uint32_t number) {
  struct device_queue *queue = &device->queue[number];
  struct virtq_used *used = device_used(device, number);
  used->flags = !device_event_index(device) && device->awake;
  *(uint16_t *)&used->ring[queue->size] = device->awake ? (uint16_t)(queue->last + 0x4000U) : queue->last;
}

static inline void device_returns(struct device *device, uint32_t number, uint32_t id, uint32_t length) {
  struct device_queue *queue = &device->queue[number];
  struct virtq_used *used = device_used(device, number);
  const struct virtq_available *available = device_available(device, number);
  uint16_t before = used->index;
  used->ring[before & (queue->size - 1U)] = (struct virtq_used_element){id, length};
  used->index = (uint16_t)(before + 1U);
  bool interrupts = device_event_index(device) ? available->ring[queue->size] == before
                                               : (available->flags & VIRTQ_AVAILABLE_NO_INTERRUPT) == 0;
  if(interrupts) {
    queue->interrupts++;
    device->isr |= VIRTIO_ISR_QUEUE;
  }
}

static inline bool device_takes(struct device *device, uint32_t number, uint16_t *id) {
  struct device_queue *queue = &device->queue[number];
  if(!device_runs(device) || (device->asleep && number != VIRTIO_NET_CONTROL) || queue->enable != 1U) {
    return false;
  }
  const struct virtq_available *available = device_available(device, number);
  if(available->index == queue->last) {
    return false;
  }
  assert_true((uint16_t)(available->index - queue->last) <= queue->size);
  *id = available->ring[queue->last & (queue->size - 1U)];
  queue->last++;
  device_wants(device, number);
  return true;
}

static inline void device_transmits(struct device *device) {
  static const uint8_t zero[VIRTIO_NET_HEADER_SIZE];
  uint16_t done[VIRTQ_SIZE_MAX];
  uint32_t count = 0;
  while(device_takes(device, VIRTIO_NET_TX, &done[count])) {
    const struct virtq_descriptor *descriptor = device_descriptor(device, VIRTIO_NET_TX, done[count]);
    assert_int_equal(descriptor->flags, 0);
    assert_true(descriptor->length >= VIRTIO_NET_HEADER_SIZE + NETDEV_MIN_FRAME &&
                descriptor->length <= VIRTIO_NET_HEADER_SIZE + NETDEV_MAX_TAGGED_FRAME);
    const uint8_t *buffer = device_memory(device, descriptor->address, descriptor->length);
    assert_memory_equal(buffer, zero, sizeof(zero));
    device->sent++;
    device->sent_length = descriptor->length - VIRTIO_NET_HEADER_SIZE;
    memcpy(device->sent_frame, buffer + VIRTIO_NET_HEADER_SIZE, device->sent_length);
    count++;
  }
  for(uint32_t i = 0; i < count; i++) {
    device_returns(device, VIRTIO_NET_TX, done[device->backwards ? count - 1U - i : i], 0);
  }
}

static inline uint32_t device_read_table(struct device *device, const uint8_t *at, uint32_t left, uint32_t which) {
  uint32_t count;
  assert_true(left >= 4);
  memcpy(&count, at, 4);
  assert_true(count <= 16 && left >= 4 + 6 * count);
  device->table_count[which] = count;
  memcpy(device->table[which], at + 4, 6ULL * count);
  return 4 + 6 * count;
}

static inline void device_obeys(struct device *device) {
  uint16_t id;
  while(!device->mute && device_takes(device, VIRTIO_NET_CONTROL, &id)) {
    const struct virtq_descriptor *request = device_descriptor(device, VIRTIO_NET_CONTROL, id);
    assert_int_equal(request->flags, VIRTQ_DESCRIPTOR_NEXT);
    const struct virtq_descriptor *answer = device_descriptor(device, VIRTIO_NET_CONTROL, request->next);
    assert_int_equal(answer->flags, VIRTQ_DESCRIPTOR_WRITE);
    assert_int_equal(answer->length, 1);
    const uint8_t *data = device_memory(device, request->address, request->length);
    uint8_t *ack = device_memory(device, answer->address, 1);
    device->commands++;
    *ack = data[0] == device->refuse;
    if(*ack == 0 && data[0] == VIRTIO_NET_CTRL_RX) {
      assert_int_equal(request->length, 3);
      assert_true(data[1] < 6 && data[2] < 2);
      device->mode[data[1]] = data[2];
    } else if(*ack == 0 && data[1] == VIRTIO_NET_CTRL_MAC_ADDR) {
      assert_int_equal(request->length, 8);
      memcpy(device->current_mac, data + 2, 6);
    } else if(*ack == 0) {
      uint32_t first = device_read_table(device, data + 2, request->length - 2, 0);
      assert_int_equal(2 + first + device_read_table(device, data + 2 + first, request->length - 2 - first, 1),
                       request->length);
    }
    device_returns(device, VIRTIO_NET_CONTROL, id, 1);
  }
}

/* Whether a frame arrives: there was a buffer. The header is filled with what no device should write. */
static inline bool device_receives(struct device *device, const uint8_t *frame, uint32_t length) {
  uint16_t id;
  if(!device_takes(device, VIRTIO_NET_RX, &id)) {
    return false;
  }
  const struct virtq_descriptor *descriptor = device_descriptor(device, VIRTIO_NET_RX, id);
  assert_int_equal(descriptor->flags, VIRTQ_DESCRIPTOR_WRITE);
  assert_true(length + VIRTIO_NET_HEADER_SIZE <= descriptor->length);
  uint8_t *buffer = device_memory(device, descriptor->address, descriptor->length);
  memset(buffer, 0xEE, VIRTIO_NET_HEADER_SIZE);
  memcpy(buffer + VIRTIO_NET_HEADER_SIZE, frame, length);
  device_returns(device, VIRTIO_NET_RX, id, length + VIRTIO_NET_HEADER_SIZE);
  return true;
}

/* Registers ------------------------------------------------------------------------------------------------------ */

static inline bool device_is_there(struct device *device) {
  return device->accesses++ < device->gone_after;
}

static inline uint32_t device_read_common(struct device *device, uint32_t offset, uint32_t width) {
  struct device_queue none = {0};
  struct device_queue *queue = device->select < 3 ? &device->queue[device->select] : &none;
  const uint32_t *half = (const uint32_t *)&queue->place[0];
  switch(offset) {
  case VIRTIO_DEVICE_FEATURE_SELECT:
  case VIRTIO_DRIVER_FEATURE_SELECT:
    return device->feature_select[offset == VIRTIO_DRIVER_FEATURE_SELECT];
  case VIRTIO_DEVICE_FEATURE:
    return (uint32_t)(device->offered >> 32U * device->feature_select[0]);
  case VIRTIO_DRIVER_FEATURE:
    return (uint32_t)(device->features >> 32U * device->feature_select[1]);
  case VIRTIO_CONFIG_MSIX_VECTOR:
    return device->config_vector;
  case VIRTIO_NUM_QUEUES:
    return 3;
  case VIRTIO_DEVICE_STATUS:
    return device->status;
  case VIRTIO_CONFIG_GENERATION:
    device->generation = (uint8_t)(device->generation + device->restless);
    return device->generation;
  case VIRTIO_QUEUE_SELECT:
    return device->select;
  case VIRTIO_QUEUE_SIZE:
    return queue->size;
  case VIRTIO_QUEUE_MSIX_VECTOR:
    return queue->vector;
  case VIRTIO_QUEUE_ENABLE:
    return queue->enable;
  case VIRTIO_QUEUE_NOTIFY_OFF:
    return device->select + device->doorbell_shift;
  default:
    assert_true(offset >= VIRTIO_QUEUE_DESC && width == 4);
    return half[(offset - VIRTIO_QUEUE_DESC) / 4U];
  }
}

static inline void device_reset(struct device *device) {
  device->status = 0;
  device->features = 0;
  device->isr = 0;
  device->config_vector = VIRTIO_NO_VECTOR;
  device->resets++;
  memset(device->mode, 0, sizeof(device->mode));
  device->mode[VIRTIO_NET_CTRL_RX_PROMISC] = 1;
  memset(device->table_count, 0, sizeof(device->table_count));
  memcpy(device->current_mac, device->mac, 6);
  for(uint32_t i = 0; i < 3; i++) {
    device->queue[i] = (struct device_queue){.size = device->queue_max[i],
                                             .vector = VIRTIO_NO_VECTOR,
                                             .notifies = device->queue[i].notifies,
                                             .interrupts = device->queue[i].interrupts};
  }
}

static inline void device_write_status(struct device *device, uint8_t value) {
  if(value == 0 && !device->keeps_status) {
    device_reset(device);
  } else if(value != 0) {
    assert_int_equal(value & device->status, device->status & 0x0F); /* bits are only added, 2.1.1 */
    device->status = value;
    if((value & VIRTIO_STATUS_FEATURES_OK) && device->refuses_features) {
      device->status = (uint8_t)(value & ~VIRTIO_STATUS_FEATURES_OK);
    }
    if(value & VIRTIO_STATUS_DRIVER_OK) {
      for(uint32_t i = 0; i < 3; i++) {
        if(device->queue[i].enable) {
          device_wants(device, i);
        }
      }
    }
  }
}

static inline void device_write_common(struct device *device, uint32_t offset, uint32_t width, uint32_t value) {
  struct device_queue none = {0};
  struct device_queue *queue = device->select < 3 ? &device->queue[device->select] : &none;
  uint32_t *half = (uint32_t *)&queue->place[0];
  uint32_t shift;
  switch(offset) {
  case VIRTIO_DEVICE_FEATURE_SELECT:
  case VIRTIO_DRIVER_FEATURE_SELECT:
    assert_true(value < 2);
    device->feature_select[offset == VIRTIO_DRIVER_FEATURE_SELECT] = value;
    break;
  case VIRTIO_DRIVER_FEATURE:
    assert_int_equal(device->status & VIRTIO_STATUS_FEATURES_OK, 0);
    shift = 32U * device->feature_select[1];
    device->features = (device->features & ~(0xFFFFFFFFULL << shift)) | (uint64_t)value << shift;
    assert_int_equal(device->features & ~device->offered, 0);
    break;
  case VIRTIO_CONFIG_MSIX_VECTOR:
    device->config_vector = device->refuses_vector ? VIRTIO_NO_VECTOR : (uint16_t)value;
    break;
  case VIRTIO_DEVICE_STATUS:
    device_write_status(device, (uint8_t)value);
    break;
  case VIRTIO_QUEUE_SELECT:
    device->select = (uint16_t)value;
    break;
  case VIRTIO_QUEUE_SIZE:
    assert_true(value <= device->queue_max[device->select] && queue->enable == 0);
    queue->size = (uint16_t)value;
    break;
  case VIRTIO_QUEUE_MSIX_VECTOR:
    assert_int_equal(queue->enable, 0);
    queue->vector = device->refuses_vector ? VIRTIO_NO_VECTOR : (uint16_t)value;
    break;
  case VIRTIO_QUEUE_ENABLE:
    assert_true(value == 1 && (device->status & VIRTIO_STATUS_FEATURES_OK));
    assert_int_equal(device->status & VIRTIO_STATUS_DRIVER_OK, 0);
    queue->enable = 1;
    break;
  default:
    assert_true(offset >= VIRTIO_QUEUE_DESC && width == 4 && queue->enable == 0);
    half[(offset - VIRTIO_QUEUE_DESC) / 4U] = value;
    break;
  }
}

static inline void device_poke(struct device *device) {
  device_transmits(device);
  device_obeys(device);
}

static inline uint32_t device_read(void *ctx, uint32_t bar, uint32_t offset, uint32_t width) {
  struct device *device = ctx;
  uint8_t config[12] = {0};
  assert_true(bar == BENCH_BAR && offset % width == 0);
  device->bench.reads++;
  if(!device_is_there(device)) {
    return device->absent_value ? UINT32_MAX >> (32U - 8U * width) : 0;
  }
  if(offset < 0x1000) {
    return device_read_common(device, offset, width);
  }
  if(offset < 0x2000) {
    uint8_t isr = device->isr;
    assert_true(offset == 0x1000 && width == 1);
    device->isr = 0;
    return isr;
  }
  memcpy(config, device->mac, 6);
  memcpy(config + 6, &device->link, 2);
  memcpy(config + 10, &device->mtu, 2);
  assert_true(offset - 0x2000 + width <= sizeof(config));
  return bench_load(config + (offset - 0x2000), width);
}

static inline void device_write(void *ctx, uint32_t bar, uint32_t offset, uint32_t width, uint32_t value) {
  struct device *device = ctx;
  assert_true(bar == BENCH_BAR && offset % width == 0);
  device->bench.writes++;
  if(!device_is_there(device)) {
    return;
  }
  if(offset < 0x1000) {
    device_write_common(device, offset, width, value);
    return;
  }
  assert_true(offset >= 0x3000 && width == 2 && value < 3 && offset == 0x3000 + 4 * value);
  assert_true(device->status & VIRTIO_STATUS_DRIVER_OK); /* 3.1.1: no notification before */
  device->queue[value].notifies++;
  device_poke(device);
}

static inline uint32_t device_read32(void *ctx, uint32_t bar, uint32_t offset) {
  return device_read(ctx, bar, offset, 4);
}

static inline uint16_t device_read16(void *ctx, uint32_t bar, uint32_t offset) {
  return (uint16_t)device_read(ctx, bar, offset, 2);
}

static inline uint8_t device_read8(void *ctx, uint32_t bar, uint32_t offset) {
  return (uint8_t)device_read(ctx, bar, offset, 1);
}

static inline void device_write32(void *ctx, uint32_t bar, uint32_t offset, uint32_t value) {
  device_write(ctx, bar, offset, 4, value);
}

static inline void device_write16(void *ctx, uint32_t bar, uint32_t offset, uint16_t value) {
  device_write(ctx, bar, offset, 2, value);
}

static inline void device_write8(void *ctx, uint32_t bar, uint32_t offset, uint8_t value) {
  device_write(ctx, bar, offset, 1, value);
}

/* Making one ----------------------------------------------------------------------------------------------------- */

static inline void device_put_structure(struct device *device, uint32_t at, uint8_t next, uint8_t type,
                                        uint32_t offset) {
  uint8_t *config = device->bench.config + at;
  const uint32_t length = 0x1000;
  config[0] = 0x09;
  config[1] = next;
  config[2] = 20;
  config[3] = type;
  config[4] = BENCH_BAR;
  memcpy(config + 8, &offset, 4);
  memcpy(config + 12, &length, 4);
}

static inline struct device *device_new(uint64_t offered) {
  struct device *device = calloc(1, sizeof(*device));
  bench_init(&device->bench);
  struct net_platform *platform = &device->bench.platform;
  platform->read32 = device_read32;
  platform->read16 = device_read16;
  platform->read8 = device_read8;
  platform->write32 = device_write32;
  platform->write16 = device_write16;
  platform->write8 = device_write8;
  platform->dma_alloc = device_dma_alloc;
  platform->dma_free = device_dma_free;
  uint8_t *config = device->bench.config;
  config[0] = 0xF4;
  config[1] = 0x1A;
  config[2] = 0x41;
  config[3] = 0x10;
  config[PCI_COMMAND] = 0x07;
  config[PCI_STATUS] = 0x10;
  config[PCI_CAPABILITY_POINTER] = 0x40;
  device_put_structure(device, 0x40, 0x54, VIRTIO_CAP_COMMON, 0);
  device_put_structure(device, 0x54, 0x68, VIRTIO_CAP_ISR, 0x1000);
  device_put_structure(device, 0x68, 0x7C, VIRTIO_CAP_DEVICE, 0x2000);
  device_put_structure(device, 0x7C, 0x90, VIRTIO_CAP_NOTIFY, 0x3000);
  config[0x7C + 16] = 4;
  config[0x90] = PCI_CAPABILITY_MSIX;
  device->offered = offered;
  device->queue_max[0] = device->queue_max[1] = 256;
  device->queue_max[2] = 64;
  memcpy(device->mac, device_mac, 6);
  device->link = VIRTIO_NET_STATUS_LINK_UP;
  device->refuse = 0xFF;
  device->gone_after = UINT32_MAX;
  device->absent_value = 0xFF;
  device_reset(device);
  device->resets = 0;
  return device;
}

static inline struct net_config device_config(uint32_t tx, uint32_t rx) {
  return (struct net_config){
      .id = {VIRTIO_VENDOR_ID, VIRTIO_NET_MODERN, 0, 0, 1}, .tx_descriptors = tx, .rx_descriptors = rx};
}

static inline void *device_cookie(uint32_t number) {
  return (void *)(uintptr_t)number;
}

static inline void device_tx_done(void *ctx, void *cookie, int status) {
  struct device *device = ctx;
  uintptr_t number = (uintptr_t)cookie;
  assert_true(number > 0 && number < DEVICE_COOKIES);
  device->back[number]++;
  device->back_status[number] = status;
  device->back_total++;
}

static inline void device_receive(void *ctx, const struct netdev_frame *frame) {
  struct device *device = ctx;
  memcpy(device->received_frame, frame->data, frame->length);
  device->received_length = frame->length;
  device->received++;
}

static inline void device_link_changed(void *ctx, const struct netdev_link *link) {
  (void)link;
  ((struct device *)ctx)->links++;
}

/* A driver over the device, closed, with a client that remembers. */
static inline struct netdev *device_create(struct device *device, uint32_t tx, uint32_t rx) {
  struct net_config config = device_config(tx, rx);
  struct netdev *dev = NULL;
  assert_int_equal(virtio_net_create(&device->bench.platform, &config, &dev), NETDEV_OK);
  struct netdev_client client = {device, device_tx_done, device_receive, device_link_changed};
  assert_int_equal(netdev_set_client(dev, &client), NETDEV_OK);
  assert_int_equal(device->status, 0); /* quiet */
  return dev;
}

static inline struct netdev *device_open(struct device *device, uint32_t tx, uint32_t rx) {
  struct netdev *dev = device_create(device, tx, rx);
  assert_int_equal(netdev_open(dev), NETDEV_OK);
  return dev;
}

static inline void device_check(struct netdev *dev) {
  struct virtio_net *nic = to_virtio(dev);
  for(uint32_t i = 0; i < nic->queue_count; i++) {
    const char *broken = virtq_check(&nic->queue[i]);
    assert_string_equal(broken ? broken : "", "");
  }
}

static inline void device_end(struct device *device, struct netdev *dev) {
  if(dev) {
    device_check(dev);
  }
  netdev_destroy(dev);
  assert_int_equal(device->bench.blocks, 0);
  free(device);
}

/* A frame to `to` whose bytes tell its number and length. */
static inline void device_frame(uint8_t *frame, uint32_t length, const uint8_t to[6], uint32_t number) {
  for(uint32_t i = 0; i < length; i++) {
    frame[i] = (uint8_t)(number * 13U + number / 256U + i * 7U + i / 256U + 1U);
  }
  memcpy(frame, to, 6);
  frame[12] = 0x88;
  frame[13] = 0xB5;
}

/* Time passes, with the heartbeat that the driver is owed. */
static inline int device_ticks(struct device *device, struct netdev *dev, uint32_t us) {
  int result = NETDEV_OK;
  for(uint32_t at = 0; at < us && result == NETDEV_OK; at += 50000U) {
    device->bench.now_us += 50000U;
    result = netdev_tick(dev);
  }
  return result;
}

#endif
